"""The same gene under several names: which ids of a list are which genes of the data.

A list has columns of ids (symbol, ensembl, ...), and so have the data: the key of each gene and the id columns beside
it. One pair of columns is used, the one in which most rows of the list find a gene.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.io.ids import clean_id, is_writable, strip_version

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The column of names that stands for the genes' key.
KEY = ""
# What scanpy, 10x, CELLxGENE, Ensembl's and R's tools call these columns, in the order in which they are tried.
SYMBOL_COLUMNS = (
    "symbol", "gene_symbols", "gene_symbol", "gene_name", "gene_names", "feature_name", "gene_short_name",
    "hgnc_symbol", "mgi_symbol",
)  # fmt: skip
ID_COLUMNS = (
    "gene_ids", "gene_id", "ensembl_id", "ensembl_ids", "ensembl_gene_id", "ensembl", "feature_id", "locus_tag",
    "old_locus_tag", "entrez", "entrez_id", "entrezgene_id", "ncbi_gene_id", "Accession",
)  # fmt: skip
# Ensembl ids of genes: ENSG, ENSMUSG, ..., whose version is no part of the name.
_ENSEMBL = re.compile(r"ENS[A-Z]{0,6}G\d{11}")
ENTREZ = "entrez"
# Case is ignored where that finds at least so many regulators, and so many times as many as the exact names.
CASE_FACTOR = 10


@dataclass(frozen=True)
class Matches:
    """How a list meets the data.

    Attributes
    ----------
    list_column, data_column : str
        The pair of columns; `data_column` is "" for the genes' key.
    places : tuple of int tuples, one a row of the list
        Places of the genes that the row names.
    is_case_ignored : bool
    n_versions : int
        Rows that were found without the version suffix of an Ensembl id alone.
    """

    list_column: str
    data_column: str
    places: tuple[tuple[int, ...], ...]
    is_case_ignored: bool = False
    n_versions: int = 0

    @property
    def n_found(self) -> int:
        """Number of rows of the list that name a gene."""
        return sum(map(bool, self.places))


def names_of(var: pd.DataFrame, keys: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Return the names that the data have for each gene: the key, and every id column beside it.

    Parameters
    ----------
    var : DataFrame
        Gene annotations, indexed by the key.
    keys : sequence of str, optional
        The keys, where they are no longer the frame's index.

    Returns
    -------
    dict of lists of str
        By column, the key under ""; "" where a gene has no name.
    """
    names = {KEY: [str(name) for name in (var.index if keys is None else keys)]}
    for column in (*SYMBOL_COLUMNS, *ID_COLUMNS):
        if column in var.columns:
            names[column] = texts(var[column])
    return names


def symbols_of(var: pd.DataFrame, keys: Sequence[str] | None = None) -> list[str] | None:
    """Return the symbols that label the genes beside their keys.

    Parameters
    ----------
    var : DataFrame
        Gene annotations, indexed by the key.
    keys : sequence of str, optional
        The keys, where they are no longer the frame's index.

    Returns
    -------
    list of str, or None
        ``var["symbol"]``, else the first column of symbols that says something else than the keys; "" where a gene has
        none. None where the data have no such column.
    """
    names = names_of(var, keys)
    for column in SYMBOL_COLUMNS:
        if column in names and any(names[column]) and (column == "symbol" or names[column] != names[KEY]):
            return [name if is_writable(name) else "" for name in names[column]]
    return None


def unique_ids(var: pd.DataFrame) -> str | None:
    """Name the first column of ids that tells all genes apart and has one for each, None if there is none."""
    for column in ID_COLUMNS:
        if column in var.columns:
            ids = texts(var[column])
            if all(ids) and len(set(ids)) == len(ids):
                return column
    return None


def texts(values: pd.Series) -> list[str]:
    """Return a column of names as texts, "" where one is missing; whole numbers (Entrez) lose a decimal point."""
    missing = values.isna().to_numpy()
    plain = values.astype(object).to_numpy()
    result = []
    for value, is_missing in zip(plain, missing, strict=True):
        if isinstance(value, float | np.floating) and not is_missing and float(value).is_integer():
            value = int(value)
        result.append("" if is_missing else clean_id(str(value)))
    return result


def without_version(name: str) -> str:
    """Take the version off an Ensembl gene id; other names keep what follows a point.

    Examples
    --------
    >>> without_version("ENSG00000141510.17"), without_version("Rv0001.1")
    ('ENSG00000141510', 'Rv0001.1')
    """
    return strip_version(name) if _ENSEMBL.match(name) else name


def match(table: pd.DataFrame, names: Mapping[str, Sequence[str]]) -> Matches:
    """Find the pair of columns in which most rows of a list find a gene.

    Parameters
    ----------
    table : DataFrame, one row an entry of the list
        str columns; "" where there is no id.
    names : mapping of sequences of str
        See `names_of`; ties go to the column that comes first there, so to the key.

    Returns
    -------
    Matches

    Notes
    -----
    Exact names come first; a row that has none is tried without the version of an Ensembl id. Only if no pair of
    columns does well, case is ignored: where that finds at least 10 rows and 10 times as many as the exact names, and
    for names that stay unique then, in the list and in the data. Genes that are merely numbered have no Entrez ids.
    """
    entries = {column: list(table[column]) for column in table.columns}
    found: list[Matches] = []
    for data_column, values in names.items():
        exact, bare = _index(values, str), _index(values, without_version)
        for list_column, wanted in entries.items():
            if list_column == ENTREZ and _is_numbering(values):
                continue
            places, n_versions = [], 0
            for name in wanted:
                hits = exact.get(name, ()) if name else ()
                if not hits and name:
                    hits = bare.get(without_version(name), ())
                    n_versions += bool(hits)
                places.append(tuple(hits))
            found.append(Matches(list_column, data_column, tuple(places), n_versions=n_versions))
    if not found:
        return Matches(table.columns[0], KEY, ((),) * len(table))
    best = max(found, key=lambda pair: pair.n_found)
    if best.n_found * CASE_FACTOR > len(table):
        return best
    folded = max((_folded(entries, names)), key=lambda pair: pair.n_found)
    if folded.n_found >= CASE_FACTOR and folded.n_found >= CASE_FACTOR * best.n_found:
        return folded
    return best


def to_keys(var: pd.DataFrame, names: Sequence[str]) -> tuple[NDArray[np.object_], str]:
    """Translate names, such as those of a gold standard, into the genes' keys.

    The column that holds most of the distinct names is used, the key itself if none holds more. A name that stands for
    no gene there, or for several, stays as it is.

    Parameters
    ----------
    var : DataFrame
        Gene annotations, indexed by the key; id columns as in `names_of`.
    names : sequence of str

    Returns
    -------
    keys : object array of str, as long as `names`
    column : str
        The column that was used; "" for the key.
    """
    wanted = [clean_id(str(name)) for name in names]
    distinct = pd.DataFrame({"name": list(dict.fromkeys(wanted))}, dtype=object)
    columns = names_of(var)
    pairs = match(distinct, columns)
    keys = columns[KEY]
    known = {
        name: keys[places[0]]
        for name, places in zip(distinct["name"], pairs.places, strict=True)
        if len(places) == 1 and not pairs.is_case_ignored
    }
    result = np.empty(len(wanted), dtype=object)
    result[:] = [known.get(name, name) for name in wanted]
    return result, pairs.data_column


def _index(values: Sequence[str], form: Any) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for place, value in enumerate(values):
        if value:
            places[form(value)].append(place)
    return dict(places)


# The genes of an organism fill less than a tenth of the range of their Entrez ids; numbers counted up fill it.
DENSEST_ENTREZ = 4


def _is_numbering(values: Sequence[str]) -> bool:
    """Tell genes that are numbered, as frames without names are, from Entrez ids, which leave wide gaps."""
    if not values or not all(value.isdecimal() for value in values):
        return False
    numbers = [int(value) for value in values]
    return len(set(numbers)) * DENSEST_ENTREZ > max(numbers) - min(numbers) + 1


def _folded(entries: Mapping[str, Sequence[str]], names: Mapping[str, Sequence[str]]) -> list[Matches]:
    found = []
    for data_column, values in names.items():
        index = _index(values, _fold)
        unique = {name: places for name, places in index.items() if len({values[place] for place in places}) == 1}
        for list_column, wanted in entries.items():
            spellings: dict[str, set[str]] = defaultdict(set)
            for name in wanted:
                spellings[_fold(name)].add(name)
            places = tuple(
                tuple(unique.get(_fold(name), ())) if name and len(spellings[_fold(name)]) == 1 else ()
                for name in wanted
            )
            found.append(Matches(list_column, data_column, places, is_case_ignored=True))
    return found


def _fold(name: str) -> str:
    return without_version(name).casefold()
