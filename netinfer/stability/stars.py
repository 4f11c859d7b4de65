r"""StARS, the stability approach to choosing a penalty: the densest graph that subsamples still agree on.

Of N subsamples without replacement, theta is the share that selects a pair, and :math:`2 \theta (1 - \theta)` the
chance that two of them disagree on it. Its mean over the pairs is the instability D of a penalty; made monotone (the
largest D of this and all larger penalties), the smallest penalty with D <= beta is chosen. It is a choice of a graph,
not an error control: no number of false edges comes with it.

Liu, Roeder and Wasserman (2010). The R packages huge and pulsar print twice this D: their threshold 0.1 is 0.05 here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from netinfer.errors import InputError
from netinfer.stability.subsamples import MINIMUM_BLOCKS, check_seed

# (subsamples, each an array of units; penalties, decreasing) -> how many of them select each pair at each penalty.
Count = Callable[[Sequence[np.ndarray], np.ndarray], np.ndarray]

# The size of the paper's subsamples changes here; above it, 10 sqrt(n) is less than 0.8 n.
LARGE = 144
# Penalties added at a time where the grid ends before the graphs disagree.
STEP = 8


@dataclasses.dataclass(frozen=True)
class StarsChoice:
    """The penalty that StARS chooses, and what it saw on the way.

    Attributes
    ----------
    penalty : float
    index : int
        Its place among `penalties`.
    penalties : float array, shape (n_penalties,), decreasing
    instability : float array, shape (n_penalties,)
        Monotone D; NaN where the bounds from two subsamples made the other fits needless.
    n_selected : float array, shape (n_penalties,)
        Mean number of pairs that a subsample selects, over those fitted.
    n_fitted : int array, shape (n_penalties,)
        Subsamples fitted at each penalty.
    counts : int array, shape (n_pairs,)
        Subsamples that select each pair at the penalty chosen.
    subsample_size, n_subsamples : int
        Units of a subsample, and subsamples.
    threshold : float
        beta.
    is_bracketed : bool
        Whether a smaller penalty was seen whose graphs disagree too much; if not, the choice is the end of the grid.
    """

    penalty: float
    index: int
    penalties: np.ndarray
    instability: np.ndarray
    n_selected: np.ndarray
    n_fitted: np.ndarray
    counts: np.ndarray
    subsample_size: int
    n_subsamples: int
    threshold: float
    is_bracketed: bool


def stars(
    count: Count,
    penalties: Sequence[float] | np.ndarray,
    *,
    n_units: int,
    n_pairs: int | None = None,
    n_subsamples: int = 20,
    threshold: float = 0.05,
    smallest: float | None = None,
    is_bounded: bool = True,
    strata: np.ndarray | None = None,
    seed: int = 0,
) -> StarsChoice:
    r"""Choose the smallest penalty at which graphs of subsamples agree.

    Parameters
    ----------
    count : callable
        ``count(subsamples, penalties)`` fits each of the subsamples (a list of int arrays of units) at the penalties
        and returns an int array, shape (n_pairs, n_penalties): how many of them select each pair. Any model will do:
        the regression's pairs are ordered, the graphical model's are not.
    penalties : sequence of float, decreasing
    n_units : int, at least 4
        Independent units.
    n_pairs : int, optional
        Over how many pairs the mean is taken; by default the rows of the counts. More where some can never be selected
        and have no row.
    n_subsamples : int, >= 2
        The paper's experiments take 20; a subsample has 10 sqrt(n) of n units, 0.8 n up to 144.
    threshold : float, 0 < beta < 0.5
        0.05, as published, or 0.1 for a denser graph.
    smallest : float, optional
        Where no penalty of the grid is too small, go on downwards by the grid's last ratio to here at most.
    is_bounded : bool
        Fit two subsamples at all penalties first, the others only between the bounds that these give.
    strata : int array, shape (n_units,), optional
        Stratum of each unit: a subsample takes the same share of each.
    seed : int, >= 0
        Subsample k depends on it, on k and on the strata alone.

    Returns
    -------
    StarsChoice

    Raises
    ------
    InputError
        If an argument is impossible, or the graphs disagree too much at the largest penalty already.

    Notes
    -----
    Two subsamples estimate half of D, so that they are over the threshold only where all would be, and
    :math:`D \le 2 \bar\theta (1 - \bar\theta)` for the mean share of pairs selected, by Jensen's inequality (bounds
    after Mueller, Bonneau and Kurtz 2016). Both ends are checked with all subsamples and moved where they do not hold,
    so the choice is that of all penalties, given only that a smaller penalty does not select fewer pairs on average.
    """
    grid = _checked(penalties, n_units, n_subsamples, threshold, smallest)
    size, seed = subsample_size(n_units), check_seed(seed)
    draws = [subsample(n_units, k, size=size, seed=seed, strata=strata) for k in range(n_subsamples)]
    found = _Path(count, draws, threshold, n_pairs, is_bounded)
    found.add(grid)
    if found.chosen < 0:
        raise InputError(
            f"penalties: at the largest, {grid[0]:.6g}, the subsamples disagree too much already "
            f"({found.instability[0]:.3g}, threshold {threshold:g}): start at a larger one"
        )
    ratio = grid[-1] / grid[-2]
    while smallest is not None and not found.is_bracketed and found.penalties[-1] * ratio >= smallest:
        more = found.penalties[-1] * ratio ** np.arange(1, STEP + 1)
        found.add(more[more >= smallest])
    return StarsChoice(
        penalty=float(found.penalties[found.chosen]),
        index=found.chosen,
        penalties=found.penalties,
        instability=found.instability,
        n_selected=found.n_selected,
        n_fitted=found.n_fitted,
        counts=found.counts,
        subsample_size=size,
        n_subsamples=n_subsamples,
        threshold=threshold,
        is_bracketed=found.is_bracketed,
    )


def instability(counts: np.ndarray, n_subsamples: int, *, n_pairs: int | None = None) -> np.ndarray:
    """Average the chance that two subsamples disagree on a pair, 2 theta (1 - theta), at each penalty.

    Parameters
    ----------
    counts : int array, shape (n_pairs, n_penalties)
        Subsamples that select each pair.
    n_subsamples : int
    n_pairs : int, optional
        Over how many pairs; by default the rows of `counts`.

    Returns
    -------
    float array, shape (n_penalties,), in [0, 0.5]
        Not monotone.
    """
    n_pairs = len(counts) if n_pairs is None else n_pairs
    if n_pairs == 0:
        return np.zeros(counts.shape[1])
    # Sums of whole numbers: the same in any order.
    columns = (column.astype(np.int64) for column in counts.T)
    disagreeing = np.array([(column * (n_subsamples - column)).sum() for column in columns], dtype=float)
    return 2.0 * disagreeing / (float(n_subsamples) ** 2 * n_pairs)


def subsample_size(n_units: int) -> int:
    """Return the published size of a subsample: 10 sqrt(n) where n > 144, else 0.8 n, rounded down."""
    return int(10.0 * np.sqrt(n_units)) if n_units > LARGE else 4 * n_units // 5


def subsample(n_units: int, k: int, *, size: int, seed: int, strata: np.ndarray | None = None) -> np.ndarray:
    """Draw the k-th subsample, without replacement: sorted units, shape (size,).

    It depends on the seed, on k and on the strata alone, and on another stream than the half-samples of
    `netinfer.stability.complementary_pair`. Of a stratum of m units it holds size m / n_units, rounded down or up.
    """
    key = np.array([check_seed(seed), k], dtype=np.uint64)
    words = np.random.Philox(key=key, counter=np.array([0, 0, 0, 1], dtype=np.uint64)).random_raw(n_units)
    order = np.argsort(words, kind="stable")
    if strata is not None:
        order = order[_shares(strata[order], size)]
    return np.sort(order[:size])


def _shares(strata: np.ndarray, size: int) -> np.ndarray:
    """Return the places of the first units of each stratum, as many as its share, by largest remainders: bool."""
    labels, first, of, n_members = np.unique(strata, return_index=True, return_inverse=True, return_counts=True)
    taken, remainder = np.divmod(n_members * size, len(strata))
    # Of equal remainders the stratum whose unit comes first: by chance.
    taken[np.lexsort((first, -remainder))[: size - taken.sum()]] += 1
    is_taken = np.zeros(len(strata), bool)
    for k in range(len(labels)):
        is_taken[np.flatnonzero(of == k)[: taken[k]]] = True
    return is_taken


class _Path:
    """What is known at each penalty so far."""

    def __init__(
        self, count: Count, draws: list[np.ndarray], threshold: float, n_pairs: int | None, is_bounded: bool
    ) -> None:
        self.count, self.draws, self.threshold = count, draws, threshold
        self.n_pairs, self.is_bounded = n_pairs, is_bounded
        self.penalties, self.instability = np.zeros(0), np.zeros(0)
        self.n_selected, self.n_fitted = np.zeros(0), np.zeros(0, np.int64)
        self.chosen, self.is_bracketed, self.highest = -1, False, 0.0
        self.counts = np.zeros(0, np.int64)

    def add(self, grid: np.ndarray) -> None:
        """Go down a further part of the grid; all before it is below the threshold."""
        n = len(self.draws)
        n_early = 2 if self.is_bounded else n
        early = np.asarray(self.count(self.draws[:n_early], grid))
        n_pairs = max(len(early) if self.n_pairs is None else self.n_pairs, 1)
        first, last = self._between(early, n_early, n_pairs)
        rest = self._rest(grid[first : last + 1], n_early, early[:, first : last + 1])
        while first > 0 and _largest(rest[:, 0], n, n_pairs) > self.threshold:
            first -= 1
            rest = np.hstack([self._rest(grid[first : first + 1], n_early, early[:, first : first + 1]), rest])
        while last < len(grid) - 1 and instability(rest, n, n_pairs=n_pairs).max() <= self.threshold:
            last += 1
            rest = np.hstack([rest, self._rest(grid[last : last + 1], n_early, early[:, last : last + 1])])
        seen = np.maximum.accumulate(np.append(self.highest, instability(rest, n, n_pairs=n_pairs)))[1:]
        n_stable = int((seen <= self.threshold).sum())
        if n_stable:
            self.chosen = len(self.penalties) + first + n_stable - 1
            self.counts = rest[:, n_stable - 1].copy()
        self.is_bracketed, self.highest = n_stable < len(seen), float(seen[-1])
        values, n_fitted = np.full(len(grid), np.nan), np.full(len(grid), n_early)
        values[first : last + 1], n_fitted[first : last + 1] = seen, n
        n_selected = early.sum(axis=0) / n_early
        n_selected[first : last + 1] = rest.sum(axis=0) / n
        self.penalties, self.instability = np.append(self.penalties, grid), np.append(self.instability, values)
        self.n_selected, self.n_fitted = np.append(self.n_selected, n_selected), np.append(self.n_fitted, n_fitted)

    def _between(self, early: np.ndarray, n_early: int, n_pairs: int) -> tuple[int, int]:
        """Return the first and the last penalty that all subsamples are needed at."""
        if not self.is_bounded:
            return 0, early.shape[1] - 1
        over = np.flatnonzero(instability(early, n_early, n_pairs=n_pairs) > self.threshold)
        last = int(over[0]) if over.size else early.shape[1] - 1
        largest = np.array([_largest(column, n_early, n_pairs) for column in early.T])
        below = int((np.maximum.accumulate(largest) <= self.threshold).sum())
        return min(max(below - 1, 0), last), last

    def _rest(self, grid: np.ndarray, n_early: int, early: np.ndarray) -> np.ndarray:
        """Add what the other subsamples select at these penalties."""
        if n_early == len(self.draws):
            return early.astype(np.int64)
        return early.astype(np.int64) + np.asarray(self.count(self.draws[n_early:], grid))


def _largest(counts: np.ndarray, n_subsamples: int, n_pairs: int) -> float:
    """Return the largest D that the mean share of pairs selected allows; 1/2 at most, reached at one half."""
    share = float(counts.sum(dtype=np.int64)) / (n_subsamples * n_pairs)
    return 2.0 * share * (1.0 - share)


def _checked(penalties, n_units, n_subsamples, threshold, smallest) -> np.ndarray:
    if n_units < MINIMUM_BLOCKS:
        raise InputError(f"stars: {n_units} independent units, at least {MINIMUM_BLOCKS} are needed")
    grid = np.asarray(penalties, dtype=np.float64)
    if (
        grid.ndim != 1
        or len(grid) < 2
        or not np.isfinite(grid).all()
        or (grid <= 0).any()
        or (np.diff(grid) >= 0).any()
    ):
        raise InputError("penalties: give two or more numbers above 0, the largest first, none twice")
    if isinstance(n_subsamples, bool) or not isinstance(n_subsamples, int | np.integer) or n_subsamples < 2:
        raise InputError(f"n_subsamples: {n_subsamples!r} is no whole number of at least 2")
    if not 0.0 < threshold < 0.5:
        raise InputError(f"threshold: {threshold!r} is not between 0 and 0.5: 0.05 is the published one, 0.1 is denser")
    if smallest is not None and not smallest > 0.0:
        raise InputError(f"smallest: {smallest!r} is not above 0")
    return grid
