"""The rules for values: missing, duplicated, constant and zero; each says what it dropped and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy import sparse

from netinfer.errors import InputError
from netinfer.io.ids import duplicates as repeated_names
from netinfer.io.ids import some

# A spread below this share of the largest absolute value is rounding, not expression: float64 carries 2e-16 of it,
# and a sum over thousands of samples some 1e-13.
CONSTANT_SPREAD = 1e-10
_BLOCK = 1024


def column_blocks(values: Any) -> Iterator[tuple[int, np.ndarray]]:
    """Yield ``(first column, dense block)`` of a matrix, so that dense and sparse go through the same arithmetic."""
    columns = values.tocsc() if sparse.issparse(values) else values
    for start in range(0, values.shape[1], _BLOCK):
        block = columns[:, start : start + _BLOCK]
        yield start, block.toarray() if sparse.issparse(block) else block


def merge_duplicates(values: Any, genes: Sequence[str], rule: str, where: str) -> tuple[Any, np.ndarray, list[str]]:
    """Apply the rule for genes that stand more than once.

    Parameters
    ----------
    values : float64 array or CSR, shape (n_samples, n_genes)
    genes : sequence of str
    rule : {"error", "sum", "mean", "first"}
    where : str

    Returns
    -------
    values : same kind, shape (n_samples, n_distinct)
    kept : int array, shape (n_distinct,)
        Column of the first appearance of each gene.
    log : list of str

    Raises
    ------
    InputError
        Duplicates under the rule "error".
    """
    repeated = repeated_names(genes)
    if not repeated:
        return values, np.arange(len(genes)), []
    if rule == "error":
        raise InputError(
            f"{where}: {len(repeated)} genes stand more than once: {some(repeated)}: "
            "remove them, or set `duplicates:` to sum (counts), mean or first"
        )
    positions: dict[str, list[int]] = {}
    for position, gene in enumerate(genes):
        positions.setdefault(gene, []).append(position)
    kept = np.array([places[0] for places in positions.values()])
    merged = values[:, kept] if rule == "first" else _combine(values, list(positions.values()), rule)
    how = {"sum": "summed", "mean": "averaged", "first": "reduced to their first column"}[rule]
    return merged, kept, [f"{len(repeated)} genes that stand more than once were {how}: {some(repeated)}"]


def _combine(values: Any, groups: Sequence[Sequence[int]], rule: str) -> Any:
    """Sum or average the columns of each group, in their order, so that dense and sparse input give the same bits."""
    merged = values[:, [places[0] for places in groups]]
    columns = values.tocsc() if sparse.issparse(values) else values
    targets = [target for target, places in enumerate(groups) if len(places) > 1]
    totals = np.empty((values.shape[0], len(targets)))
    for position, target in enumerate(targets):
        places = groups[target]
        block = columns[:, list(places)]
        block = block.toarray() if sparse.issparse(block) else block
        total = block[:, 0].copy()
        for column in range(1, len(places)):
            total += block[:, column]
        totals[:, position] = total if rule == "sum" else total / len(places)
    if not sparse.issparse(merged):
        merged[:, targets] = totals
        return merged
    is_single = np.ones(len(groups))
    is_single[targets] = 0.0
    rows, index = np.nonzero(totals)
    combined = sparse.csr_matrix((totals[rows, index], (rows, np.asarray(targets)[index])), shape=merged.shape)
    return sparse.csr_matrix(merged @ sparse.diags(is_single) + combined)


def refuse_infinite(values: Any, samples: Sequence[str], genes: Sequence[str], where: str) -> None:
    """Raise InputError if a value is infinite; missing values are another rule's."""
    count, places = _places(values, np.isinf, samples, genes)
    if count:
        raise InputError(f"{where}: {count} infinite values, first in {places}: mend them; they are never imputed")


def refuse_missing(values: Any, samples: Sequence[str], genes: Sequence[str], where: str, first: str = "") -> None:
    """Raise InputError, with the number and the first three places, if a value is missing."""
    count, places = _places(values, np.isnan, samples, genes)
    if count:
        raise InputError(
            f"{where}: {count} missing values (NaN, NA or empty), first in {first or places}: "
            "mend them, or set `impute:` to median or mean of the gene, or nearest (samples)"
        )


def _places(values: Any, test: Any, samples: Sequence[str], genes: Sequence[str]) -> tuple[int, str]:
    stored = values.data if sparse.issparse(values) else values
    hits = test(stored)
    count = int(hits.sum())
    if not count:
        return 0, ""
    if sparse.issparse(values):
        entries = values.tocoo()
        where = np.flatnonzero(hits)[:3]
        places = list(zip(entries.row[where], entries.col[where], strict=True))
    else:
        places = [(row, column) for row, column in np.argwhere(hits)[:3]]
    return count, "; ".join(f"sample {samples[row]!r}, gene {genes[column]!r}" for row, column in places)


def constant_genes(values: Any) -> np.ndarray:
    """Mark genes whose standard deviation is zero, or lost in rounding beside their largest value.

    Returns
    -------
    bool array, shape (n_genes,)
    """
    if sparse.issparse(values):
        n_filled = np.bincount(values.indices[values.data != 0], minlength=values.shape[1])
    else:
        n_filled = np.count_nonzero(values, axis=0)
    constant = n_filled == 0
    # Zeros beside other values are a spread: only genes without any zero need their figures, few in sparse data.
    full = np.flatnonzero(n_filled == values.shape[0])
    for start, block in column_blocks(values[:, full]) if len(full) else ():
        top = np.abs(block).max(axis=0)
        scaled = block / np.where(top > 0, top, 1.0)  # no overflow for values near the end of the double range
        spread = np.sqrt(np.mean((scaled - scaled.mean(axis=0)) ** 2, axis=0))
        constant[full[start : start + block.shape[1]]] = (spread <= CONSTANT_SPREAD) | (
            block.max(axis=0) == block.min(axis=0)
        )
    return constant


def zero_samples(values: Any) -> np.ndarray:
    """Mark samples in which every value is zero; bool array, shape (n_samples,)."""
    if sparse.issparse(values):
        rows = np.repeat(np.arange(values.shape[0]), np.diff(values.indptr))
        return np.bincount(rows[values.data != 0], minlength=values.shape[0]) == 0
    return ~values.any(axis=1)


def identical_genes(values: Any, genes: Sequence[str], among: Sequence[str]) -> list[tuple[str, str]]:
    """Pair each gene of a list with the first earlier one that has exactly its values.

    Parameters
    ----------
    values : float64 array or CSR, shape (n_samples, n_genes)
    genes, among : sequence of str
        Names of all columns, and of those to compare.
    """
    wanted, twins = set(among), []
    places = [place for place, name in enumerate(genes) if name in wanted]
    first: dict[bytes, str] = {}
    for start, block in column_blocks(values[:, places]) if places else ():
        for offset, place in enumerate(places[start : start + block.shape[1]]):
            digest = hashlib.sha256(np.ascontiguousarray(block[:, offset]).tobytes()).digest()
            earlier = first.setdefault(digest, genes[place])
            if earlier != genes[place]:
                twins.append((earlier, genes[place]))
    return twins
