"""Which genes of the data a list of regulators means, what names a gene, and what labels it.

The rules: docs/identifiers.md. The matching itself is :mod:`netinfer.io.matching`'s; here is what a data set makes of
it: what the key is, what is said and what is refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from netinfer.errors import InputError
from netinfer.io.build import text_array
from netinfer.io.ids import clean_id, clean_ids, duplicates, some, strip_version
from netinfer.io.matching import (
    CASE_FACTOR,
    KEY,
    Matches,
    match,
    names_of,
    symbols_of,
    to_keys,
    unique_ids,
    without_version,
)
from netinfer.io.regulators import PLAIN, as_table, regulator_table, shipped_lists
from netinfer.preprocess.overlap import check_orientation, match_regulators, nearest

if TYPE_CHECKING:
    from anndata import AnnData

__all__ = ["choose_key", "find_regulators", "label_genes", "listed_regulators", "match", "names_of", "to_keys"]

# So many genes must a shipped list name, and ten times as many as the one in use, to be called the likely right one.
BETTER_LIST = 5
# Missing regulators of a shipped list that are named: most genes of an organism are in no data set.
SHOWN_OF_SHIPPED = 5


def choose_key(var: pd.DataFrame, *, is_fixed: bool = False) -> tuple[pd.DataFrame, list[str]]:
    """Name genes by their ids where their names stand more than once.

    Parameters
    ----------
    var : DataFrame
        Gene annotations, indexed by the names of the file.
    is_fixed : bool
        Whether the names are what the user asked for (`gene_column`, a rule for duplicates).

    Returns
    -------
    var : DataFrame
        Indexed by the first id column that tells all genes apart, the names so far in ``symbol``; unchanged where the
        names are unique, are fixed, or there is no such column.
    log : list of str
    """
    repeated = [] if is_fixed else duplicates(map(str, var.index))
    column = unique_ids(var) if repeated else None
    if column is None:
        return var, []
    keyed = var.copy()
    if "symbol" not in keyed.columns:
        keyed["symbol"] = text_array([str(name) for name in var.index])
    keyed.index = pd.Index(names_of(var)[column], dtype=object)
    return keyed, [
        f"{len(repeated)} gene names stand more than once ({some(repeated, 3)}): genes are named by var[{column!r}], "
        "and the names are kept as symbols"
    ]


def label_genes(var: pd.DataFrame, keys: Sequence[str], table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the annotations with ``symbol``, the label of each gene, where the data or the list have symbols.

    Parameters
    ----------
    var : DataFrame
    keys : sequence of str
        Names of the genes.
    table : DataFrame, optional
        The list of regulators: where the keys are ids of it (Ensembl, locus tags), its symbols label the regulators
        that the data have no symbol for.

    Returns
    -------
    DataFrame
    """
    symbols = symbols_of(var, keys)
    if table is not None and "symbol" in table.columns:
        pairs = match(table, names_of(var, keys))
        if pairs.data_column == KEY and pairs.list_column != "symbol" and not pairs.is_case_ignored:
            symbols = symbols or [""] * len(var)
            for symbol, places in zip(table["symbol"], pairs.places, strict=True):
                for place in places:
                    symbols[place] = symbols[place] or symbol
    if symbols is None or not any(symbols):
        return var.drop(columns="symbol") if "symbol" in var.columns else var
    return var.assign(symbol=text_array(symbols))


def listed_regulators(
    regulators: Any, var: pd.DataFrame, where: str, *, versions: bool = False
) -> tuple[pd.DataFrame | None, str]:
    """Return the list of regulators as a table of ids, and the name of the shipped list.

    Parameters
    ----------
    regulators : sequence of str, path, name of a shipped list, "all", DataFrame or None
        None takes ``var["is_regulator"]``.
    var : DataFrame
    where : str
        Data set, for the messages.
    versions : bool
        Whether version suffixes are taken off, as they are off the genes.

    Returns
    -------
    table : DataFrame, or None for "all"
        See :func:`netinfer.io.regulator_table`.
    name : str
        "" for a list of the user's own.
    """
    from netinfer.config import is_regulator_name

    name = ""
    if isinstance(regulators, str) and regulators == "all":
        return None, name
    if isinstance(regulators, str | os.PathLike):
        if isinstance(regulators, str) and is_regulator_name(regulators):
            name = regulators
        table = regulator_table(regulators)
    elif isinstance(regulators, pd.DataFrame):
        table = as_table(regulators)
    else:
        if regulators is None:
            if "is_regulator" not in var:
                raise InputError(
                    f"{where}: no list of regulators, and no var['is_regulator']: give one, or regulators='all'"
                )
            regulators = var.index[var["is_regulator"].to_numpy(dtype=bool)]
        cleaned, _ = clean_ids(regulators, "regulator", where, collisions=True)
        table = pd.DataFrame({PLAIN: pd.Series(list(dict.fromkeys(cleaned)), dtype=object)})
        if table.empty:
            raise InputError(f"{where}: the list of regulators is empty: name at least one gene")
    if versions:
        table = table.map(strip_version).drop_duplicates(ignore_index=True)
    return table, name


def check_list_orientation(
    adata: AnnData, table: pd.DataFrame, *, where: str, orientation: str = "auto", versions: bool = False
) -> None:
    """Refuse a matrix in which more regulators name samples than genes, whichever column of the list names them."""
    as_read = match(table, names_of(adata.var)).n_found
    form = strip_version if versions else without_version
    samples = {form(clean_id(str(name))) for name in adata.obs_names}
    for column in table.columns:
        ids = [name for name in table[column] if name]
        if len(samples.intersection(map(form, ids))) > as_read:
            check_orientation(adata, ids, where=where, orientation=orientation, versions=versions)


def find_regulators(
    table: pd.DataFrame, names: Mapping[str, Sequence[str]], where: str, *, shipped: str = ""
) -> tuple[list[str], list[str], str]:
    """Find the genes that a list means.

    Parameters
    ----------
    table : DataFrame
        See `listed_regulators`.
    names : mapping of sequences of str
        See :func:`netinfer.io.matching.names_of`.
    where : str
        Data set, for the messages.
    shipped : str
        Name of the shipped list: that most of its regulators are missing is no news.

    Returns
    -------
    found : list of str
        Keys of the genes, in the order of the list.
    log : list of str
        How they were matched, what is missing, what is ambiguous.
    warning : str
        What the user should look at; "" where nothing is odd.

    Raises
    ------
    InputError
        No regulator is among the genes; the nearest names of five are shown.
    """
    pairs, keys = match(table, names), names[KEY]
    if not pairs.n_found or (pairs.data_column == KEY and list(table.columns) == [PLAIN] and not pairs.is_case_ignored):
        hint = "" if pairs.n_found else _better_list(names, 0, shipped)
        found, log = _by_key(table, pairs, keys, f"{where}: list {shipped!r}" if shipped else where, hint)
        return found, [*log, *_notes(pairs, table, keys)], log[0] if len(log) > 1 else ""
    found = list(dict.fromkeys(keys[place] for places in pairs.places for place in places))
    column = "id" if pairs.list_column == PLAIN else pairs.list_column
    against = f"var[{pairs.data_column!r}]" if pairs.data_column != KEY else "the names of the genes"
    sentence = f"regulators matched by {column} against {against}: {pairs.n_found:,} of {len(table):,}"
    sentence = f"list {shipped!r}: {sentence}" if shipped else sentence
    missing = _missing(table, pairs)
    if missing:
        sentence += f"; not among the genes: {some(missing, SHOWN_OF_SHIPPED if shipped else 200)}"
    log = [sentence, *_notes(pairs, table, keys)]
    n_exact = 0 if pairs.is_case_ignored else pairs.n_found
    hint = _better_list(names, n_exact, shipped) if shipped and n_exact * CASE_FACTOR < len(table) else ""
    log += [hint] if hint else []
    if missing and not shipped:
        wanted = [
            name for name, places in zip(table[pairs.list_column], pairs.places, strict=True) if name and not places
        ]
        present = [name for name in names[pairs.data_column] if name]
        log.append(f"nearest names of missing regulators: {nearest(wanted[:5], present)}")
    is_odd = pairs.is_case_ignored or bool(hint) or bool(missing and not shipped)
    return found, log, "; ".join(log[1:] if shipped else log) if is_odd else ""


def _by_key(
    table: pd.DataFrame, pairs: Matches, keys: Sequence[str], where: str, hint: str
) -> tuple[list[str], list[str]]:
    # A row that names a gene but for the version of its Ensembl id is counted under the gene's own name.
    wanted = [
        keys[places[0]] if places else label for label, places in zip(_row_labels(table), pairs.places, strict=True)
    ]
    extra = [keys[place] for places in pairs.places for place in places[1:]]
    found, log = match_regulators(keys, list(dict.fromkeys(wanted)), where, hint=hint)
    return list(dict.fromkeys([*found, *extra])), log


def _better_list(names: Mapping[str, Sequence[str]], n_found: int, used: str) -> str:
    """Say which shipped list names many more of the genes than the one in use; "" where none does."""
    found = {name: match(regulator_table(name), names) for name in shipped_lists() if name != used}
    counts = {name: 0 if pairs.is_case_ignored else pairs.n_found for name, pairs in found.items()}
    best = max(counts, key=lambda name: counts[name])
    if counts[best] < max(BETTER_LIST, CASE_FACTOR * n_found):
        return ""
    return (
        f"the shipped list {best!r} names {counts[best]:,} of these genes: set `regulators: {best}` if they are of "
        "that organism"
    )


def _notes(pairs: Matches, table: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    """Say which rules beside the exact name were needed."""
    notes: list[str] = []
    if not pairs.n_found:
        return notes
    rows = list(zip(table[pairs.list_column], pairs.places, strict=True))
    if pairs.n_versions:
        notes.append(f"{pairs.n_versions:,} regulators were found without the version of their Ensembl id")
    if pairs.is_case_ignored:
        shown = [f"{name} = {keys[places[0]]}" for name, places in rows if places][:3]
        notes.append(
            f"upper and lower case were ignored, since next to no regulator is written as the genes are "
            f"({some(shown)}): make sure that the list is of this organism"
        )
    genes = [(name, sorted({keys[place] for place in places})) for name, places in rows if len(places) > 1]
    several = [f"{name} ({', '.join(keyed)})" for name, keyed in genes if len(keyed) > 1]
    if several:
        notes.append(
            f"{len(several)} regulators stand for several genes each, and all of them are taken: {some(several)}"
        )
    return notes


def _row_labels(table: pd.DataFrame) -> list[str]:
    return [next(filter(None, row)) for row in zip(*(table[column] for column in table.columns), strict=True)]


def _missing(table: pd.DataFrame, pairs: Matches) -> list[str]:
    """Name the rows that name no gene: by their first id, and by the one that was looked for."""
    rows = zip(table[pairs.list_column], _row_labels(table), pairs.places, strict=True)
    shown = (label if name in ("", label) else f"{label} ({name})" for name, label, places in rows if not places)
    return list(dict.fromkeys(shown))
