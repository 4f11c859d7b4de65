"""The measures of a ranking, exact under ties, as functions of how often each target is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import digamma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netinfer.scoring.ranking import Ranking
    from netinfer.scoring.universe import Universe

METRICS = (
    "aupr",
    "average_precision",
    "auroc",
    "early_precision",
    "early_precision_ratio",
    "mcc",
    "signed_accuracy",
    "precision_at_cut",
    "recall_at_cut",
    "base_rate",
    "n_pairs",
    "n_positives",
    "n_positives_outside_data",
    "n_edges_scored",
    "n_candidates_scored",
)
# What describes the gold standard and the coverage, not the quality of the ranking: no interval.
_DESCRIPTIVE = (
    "base_rate",
    "n_pairs",
    "n_positives",
    "n_positives_outside_data",
    "n_edges_scored",
    "n_candidates_scored",
)


class Scorer:
    """The metrics of one ranking, for any weighting of the targets.

    Only blocks of ties that hold an edge matter, and the unlisted pairs are one block, so that a weighting costs one
    gather and one cumulative sum over the listed pairs.

    Parameters
    ----------
    ranking : Ranking
    universe : Universe
    """

    def __init__(self, ranking: Ranking, universe: Universe) -> None:
        target, n_targets = universe.target, len(universe.targets)
        self._n_targets = n_targets
        self._n_outside = universe.n_edges_outside
        self._pairs_of_target = np.bincount(target, minlength=n_targets)
        self._edges_of_target = np.bincount(target[universe.is_edge], minlength=n_targets)
        self._listed_target = target[ranking.position]
        listed_edges = np.flatnonzero(universe.is_edge[ranking.position])
        block_of_edge = np.searchsorted(ranking.block, listed_edges, side="right") - 1
        blocks, self._first_edge = np.unique(block_of_edge, return_index=True)
        self._block_start, self._block_end = ranking.block[blocks], ranking.block[blocks + 1]
        self._edge_target = self._listed_target[listed_edges]

        found = universe.is_edge[ranking.cut]
        known = found & (universe.sign[ranking.cut] != 0) & (ranking.cut_sign != 0)
        right = known & (universe.sign[ranking.cut] == ranking.cut_sign)
        cut_target = target[ranking.cut]
        self._cut_counts = np.stack(
            [np.bincount(cut_target[mask], minlength=n_targets) for mask in (slice(None), found, known, right)]
        )

    def score(self, times: NDArray[np.int64] | None = None) -> dict[str, float]:
        """Return every metric when target t is counted ``times[t]`` times (once each, if not given)."""
        times = np.ones(self._n_targets, dtype=np.int64) if times is None else times
        n_pairs, n_edges = int(times @ self._pairs_of_target), int(times @ self._edges_of_target)
        n_cut, found, known, right = (int(n) for n in self._cut_counts @ times)
        nan = float("nan")
        out: dict[str, Any] = dict.fromkeys(METRICS, nan)
        out["n_pairs"], out["n_positives"], out["n_edges_scored"] = n_pairs, n_edges, n_cut
        out["n_positives_outside_data"] = self._n_outside
        out["n_candidates_scored"] = times[self._listed_target].sum()
        out["precision_at_cut"] = found / n_cut if n_cut else nan
        out["signed_accuracy"] = right / known if known else nan
        if n_edges:
            start, size, edges, before = blocks = self._blocks(times, n_pairs, n_edges)
            early = (edges * np.clip((n_edges - start) / size, 0.0, 1.0)).sum() / n_edges
            out["aupr"] = area_under_curve(*blocks)
            out["average_precision"] = average_precision(*blocks) / n_edges
            out["early_precision"], out["early_precision_ratio"] = early, early * n_pairs / n_edges
            out["base_rate"], out["recall_at_cut"] = n_edges / n_pairs, found / n_edges
            if n_pairs > n_edges:
                # Non-edges above an edge: all before its block, and half of those in its own.
                above = (edges * (start - before + 0.5 * (size - edges))).sum()
                out["auroc"] = 1.0 - above / (float(n_edges) * (n_pairs - n_edges))
        spread = float(n_cut) * (n_pairs - n_cut) * n_edges * (n_pairs - n_edges)
        if spread > 0:
            out["mcc"] = (float(found) * n_pairs - float(n_cut) * n_edges) / np.sqrt(spread)
        return {name: float(value) for name, value in out.items()}

    def _blocks(self, times: NDArray[np.int64], n_pairs: int, n_edges: int) -> tuple[NDArray[np.int64], ...]:
        """Return the blocks with edges as start, size, edges in it, edges before it."""
        ends = np.concatenate([[0], np.cumsum(times[self._listed_target])])
        start, end = ends[self._block_start], ends[self._block_end]
        edges = np.add.reduceat(times[self._edge_target], self._first_edge) if self._first_edge.size else end
        start, size = np.append(start, ends[-1]), np.append(end - start, n_pairs - ends[-1])
        edges = np.append(edges, n_edges - edges.sum())
        before = np.cumsum(edges) - edges
        keep = edges > 0
        return start[keep], size[keep], edges[keep], before[keep]


def average_precision(start: Any, size: Any, edges: Any, before: Any) -> float:
    """Sum the expected precision at every edge, over random orders within each block of ties.

    Position k of a block of m pairs with e edges holds one with probability e/m, and then 1 + (k-1)(e-1)/(m-1) edges
    are expected among its first k. The sum over k of (edges before + those) / (start + k) closes with harmonic numbers.

    Parameters
    ----------
    start, size, edges, before : int arrays, shape (n_blocks,)
        Of each block with an edge: the pairs before it, in it, the edges in it and before it.

    Returns
    -------
    float
        The sum; divided by the number of edges it is the average precision.
    """
    slope = (edges - 1) / np.maximum(size - 1, 1)
    total = slope * size + (before + 1 - slope * (start + 1)) * _harmonic_stretch(start, size)
    return float((edges / size * total).sum())


def area_under_curve(start: Any, size: Any, edges: Any, before: Any) -> float:
    """Return the mean precision over recall by the trapezoid rule, from the first pair on.

    DREAM5 divides the trapezoids by 1 - 1/P, the recall that is left after a first pair that is right. Here they are
    divided by what is left in truth, which is 1 after a first pair that is wrong, so that few edges make no trouble.
    A first pair within a block of ties is right with probability e/m, and the rest of its block is a block again.

    Parameters
    ----------
    start, size, edges, before : int arrays, shape (n_blocks,)
        As in `average_precision`.

    Returns
    -------
    float
    """
    n_edges = edges.sum()
    if start[0] > 0:
        return _trapezoids(start, size, edges, before) / n_edges
    area, chance = 0.0, edges[0] / size[0]
    for first, probability in ((1, chance), (0, 1.0 - chance)):
        if probability > 0:
            rest = [column.copy() for column in (start, size, edges, before)]
            for column, value in zip(rest, (1, size[0] - 1, edges[0] - first, first), strict=True):
                column[0] = value
            keep = rest[2] > 0
            left = n_edges - first
            area += probability * (_trapezoids(*(column[keep] for column in rest)) / left if left else 1.0)
    return float(area)


def _trapezoids(start: Any, size: Any, edges: Any, before: Any) -> float:
    """Sum over edges the mean of the expected precisions just before and at each; no block may begin the list."""
    slope = (edges - 1) / np.maximum(size - 1, 1)
    just_before = slope * size + (before - slope * start) * _harmonic_stretch(start - 1, size)
    return 0.5 * (float((edges / size * just_before).sum()) + average_precision(start, size, edges, before))


def _harmonic_stretch(start: Any, size: Any) -> NDArray[np.float64]:
    """Return 1/(start + 1) + ... + 1/(start + size) to a relative 1e-12, also where start is large and size small."""
    small = digamma(start + size + 1.0) - digamma(start + 1.0)
    a = np.maximum(start, 1).astype(float)
    b = a + size
    large = np.log1p(size / a) - size / (2 * a * b) - (b**-2 - a**-2) / 12 + (b**-4 - a**-4) / 120
    return np.where(size == 1, 1.0 / (start + 1), np.where(start < 64, small, large))


def bootstrap(
    ranking: Ranking, universe: Universe, *, n_samples: int, confidence: float, seed: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the ends of each metric's percentile interval over targets drawn with replacement.

    Parameters
    ----------
    ranking : Ranking
    universe : Universe
    n_samples : int
        0 gives NaN ends.
    confidence : float in (0, 1)
    seed : int
        Sample b is drawn by the counter-based generator with the key (seed, b).

    Returns
    -------
    low, high : dict of metric to float
    """
    low, high = dict.fromkeys(METRICS, float("nan")), dict.fromkeys(METRICS, float("nan"))
    n_targets = len(universe.targets)
    if n_samples <= 0 or n_targets < 2:
        return low, high
    scorer = Scorer(ranking, universe)
    draws = np.empty((n_samples, len(METRICS)))
    for sample in range(n_samples):
        generator = np.random.Generator(np.random.Philox(key=[seed % 2**64, sample]))
        scores = scorer.score(np.bincount(generator.integers(n_targets, size=n_targets), minlength=n_targets))
        draws[sample] = [scores[name] for name in METRICS]
    for column, name in enumerate(METRICS):
        values = draws[:, column][np.isfinite(draws[:, column])]
        if name not in _DESCRIPTIVE and values.size:
            ends = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
            low[name], high[name] = float(ends[0]), float(ends[1])
    return low, high
