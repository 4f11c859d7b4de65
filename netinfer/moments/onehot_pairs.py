"""Pairs of bases of chosen positions as columns that are counted like single bases."""

from __future__ import annotations

import dataclasses

import numpy as np

from netinfer.kernels import njit
from netinfer.moments.onehot import BaseDesign


@njit
def _pair_columns(start, column, group, number, n_pairs_of_row, out, is_counting):
    """Write for each sequence the columns of its pairs of bases, then its own; or count them only.

    group : (n_columns,) place of the column's position among those that are paired, -1 where it is not
    number : (n_columns, n_columns) column of each pair, -1 where there is none
    """
    total = 0
    for r in range(start.size - 1):
        first = total
        for a in range(start[r], start[r + 1]):
            i = column[a]
            if group[i] < 0:
                continue
            for b in range(a + 1, start[r + 1]):
                j = column[b]
                if group[j] >= 0 and number[i, j] >= 0:
                    if not is_counting:
                        out[total] = number[i, j]
                    total += 1
        for a in range(start[r], start[r + 1]):
            i = column[a]
            if group[i] >= 0:
                if not is_counting:
                    out[total] = number[i, i]
                total += 1
        n_pairs_of_row[r] = total - first
    return total


@dataclasses.dataclass(frozen=True, eq=False)
class PairDesign:
    """Pairs of bases of some positions, and these bases themselves, as columns that are counted like single bases.

    Attributes
    ----------
    design : BaseDesign
        Its columns are the pairs, sorted by pair of positions, then the single bases.
    label : int array, shape (n_pair_columns,), rising
        Number of the pair of positions.
    left, right : int arrays, shape (n_pair_columns,)
        Columns of the single-base design that a pair is made of.
    single : int array, shape (n_single,)
        Columns of the single-base design that are in this one.
    positions : int array, shape (n_pairs, 2)
        The two positions of each pair.
    """

    design: BaseDesign
    label: np.ndarray
    left: np.ndarray
    right: np.ndarray
    single: np.ndarray
    positions: np.ndarray


def pair_design(design: BaseDesign, positions: np.ndarray, *, fewest: int = 10) -> PairDesign:
    """List the pairs of bases of some positions in each sequence.

    Parameters
    ----------
    design : BaseDesign
    positions : int array, rising
        Every two of them make a pair.
    fewest : int
        Sequences that a pair of bases has to be in.
    """
    group = np.full(design.n_columns, -1, np.int64)
    for g, p in enumerate(positions):
        group[design.position == p] = g
    single = np.flatnonzero(group >= 0)
    both = design.matrix()[:, single]
    together = (both.T @ both).toarray()
    left, right = np.nonzero(np.triu(together >= fewest, 1) & (group[single][:, None] < group[single][None, :]))
    left, right = single[left], single[right]
    n = len(positions)
    order = np.lexsort((right, left, group[left] * n + group[right]))
    left, right = left[order], right[order]
    keys, label = np.unique(group[left] * n + group[right], return_inverse=True)
    number = np.full((design.n_columns, design.n_columns), -1, np.int32)
    number[left, right] = np.arange(len(left))
    number[single, single] = len(left) + np.arange(len(single))
    sizes = np.zeros(len(design.start) - 1, np.int64)
    n_all = _pair_columns(design.start, design.column, group, number, sizes, np.zeros(0, np.int32), True)
    column = np.zeros(n_all, np.int32)
    _pair_columns(design.start, design.column, group, number, sizes, column, False)
    chosen = np.asarray(positions)
    found = np.stack([chosen[keys // n], chosen[keys % n]], axis=1) if len(keys) else np.zeros((0, 2), np.int64)
    columns = np.concatenate([left, single])
    extended = BaseDesign(
        design.modal, design.position[columns], design.base[columns], np.concatenate([[0], np.cumsum(sizes)]), column,
        design.n_of_base,
    )  # fmt: skip
    return PairDesign(extended, label.ravel(), left, right, single, found)
