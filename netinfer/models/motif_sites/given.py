"""What a user gives beside a genome: responses of the genes, and which motifs are whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from netinfer.errors import InputError
from netinfer.io.ids import duplicates, some
from netinfer.io.libraries import numbers, read_strings
from netinfer.models.motif_sites.responses import FEWEST_OF_A_CLASS

FEWEST_IN_COMMON = 20


def read_responses(path: str | Path) -> pd.DataFrame:
    """Read a table of genes x responses: tab- or comma-separated, gene ids in the first column, numbers.

    Returns
    -------
    DataFrame of float, NaN where a field is empty

    Raises
    ------
    InputError
        No column, a gene that stands there twice, a field that is no number (line and column are named).
    """
    path, raw = Path(path), read_strings(path)
    if raw.shape[1] < 2:
        raise InputError(f"{path}: {raw.shape[1]} columns: gene ids and a response or more are needed")
    genes = raw.iloc[:, 0].str.strip()
    if repeated := duplicates(genes.tolist()):
        raise InputError(f"{path}: {len(repeated)} genes stand there more than once: {some(repeated)}: keep one each")
    values = {str(name): numbers(raw[name], path, str(name), may_miss=True) for name in raw.columns[1:]}
    return pd.DataFrame(values, index=pd.Index(genes, dtype=object))


def by_promoter(table: pd.DataFrame, members: Mapping[str, Sequence[str]]) -> dict[str, pd.Series]:
    """Turn values of genes into values of promoters, one Series a response.

    A promoter has the mean of the genes that it stands for; of classes (0 and 1 alone), 1 if one of them has it.

    Raises
    ------
    InputError
        If fewer than 20 promoters have a value (five ids of each are shown), or of two classes fewer than 8 have one.
    """
    owner = {gene: promoter for promoter, genes in members.items() for gene in genes}
    promoter = pd.Series([owner.get(str(gene)) for gene in table.index], index=table.index, dtype=object)
    found = {}
    for name in table.columns:
        column = table[name][promoter.notna() & table[name].notna()]
        grouped = column.groupby(promoter[column.index])
        values = grouped.max() if is_class(table[name]) else grouped.mean()
        if len(values) < FEWEST_IN_COMMON:
            raise InputError(
                f"responses: {name!r}: {len(values)} promoters have a value, at least {FEWEST_IN_COMMON} are needed; "
                f"its genes are {some([str(g) for g in table.index])}, those of the promoters {some(list(owner))}: use "
                "one kind of id"
            )
        n_fewer = int(min(values.sum(), len(values) - values.sum())) if is_class(values) else FEWEST_OF_A_CLASS
        if n_fewer < FEWEST_OF_A_CLASS:
            raise InputError(
                f"responses: {name!r}: {n_fewer} promoters of the smaller class: {FEWEST_OF_A_CLASS} or more are needed"
            )
        found[str(name)] = values.rename(str(name))
    return found


def is_class(values: pd.Series) -> bool:
    """Tell whether a response is one of two classes: 0 and 1 alone."""
    return bool(values.dropna().isin([0.0, 1.0]).all())


def read_owners(path: str | Path) -> dict[str, list[str]]:
    """Read which motifs are whose: a table of regulator and motif, tab- or comma-separated, with a header.

    Raises
    ------
    InputError
        If it has fewer than two columns or no row.
    """
    path, raw = Path(path), read_strings(path)
    if raw.shape[1] < 2 or raw.empty:
        raise InputError(f"{path}: {raw.shape[1]} columns, {len(raw)} rows: a header, regulator and motif are needed")
    owners: dict[str, list[str]] = {}
    for regulator, motif in zip(raw.iloc[:, 0].str.strip(), raw.iloc[:, 1].str.strip(), strict=True):
        owners.setdefault(regulator, []).append(motif)
    return owners
