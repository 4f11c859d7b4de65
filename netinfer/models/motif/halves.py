"""Stability selection of positions and bases by complementary half-samples, and effects from the other half."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import stats
from scipy.linalg import cho_solve

from netinfer.models.motif.paths import Paths, base_paths, contributions, factored, position_paths
from netinfer.models.motif.problem import MotifProblem
from netinfer.moments import Moments
from netinfer.moments.onehot import N_BASES, BaseCounts, Coding
from netinfer.stability import SelectionCounts, complementary_pair
from netinfer.stability.effects import aggregate_effects

INTERVAL_LEVEL = 0.95
# A path of positions ends where one of noise would enter in one half-sample of twenty: the gradient of a position of
# noise, in standard deviations of the response, squared, times n and divided by its columns, is chi2_k / k (k = 3).
NOISE_LEVEL = 0.05


@dataclasses.dataclass(frozen=True)
class Stability:
    """What the half-samples say of one response.

    Attributes
    ----------
    selection : SelectionCounts
        Of the positions with variation as candidates of one target.
    position_counts, base_counts : int arrays, shapes (n_positions, n_penalties), (4 n_positions, n_penalties)
        Half-samples that selected the position (group Lasso), the base (Lasso).
    contribution : float array, shape (n_positions,)
        Mean over half-samples of the standard deviation of what the position adds, where the other half selected it, by
        least squares; two classes: by the selecting fit. 0 for a half-sample that does not select it.
    effect, low, high : float arrays, shape (4 n_positions,)
        NaN where no half-sample selected the position.
    worst_gap : float
    """

    selection: SelectionCounts
    position_counts: np.ndarray
    base_counts: np.ndarray
    contribution: np.ndarray
    effect: np.ndarray
    low: np.ndarray
    high: np.ndarray
    worst_gap: float


def noise_penalties(n_units: int) -> tuple[float, float]:
    """Return the penalties at which a position, and a base, of noise enters in one of twenty samples of some units."""
    of_position = np.sqrt(stats.chi2.isf(NOISE_LEVEL, N_BASES - 1) / (N_BASES - 1) / n_units)
    return float(of_position), float(stats.norm.isf(NOISE_LEVEL / 2) / np.sqrt(n_units))


def grid(largest: float, smallest: float, n_penalties: int) -> np.ndarray:
    """Return decreasing penalties, evenly spaced in the logarithm, from the largest; half of it is the end at most."""
    return np.geomspace(largest, min(smallest, 0.5 * largest), n_penalties)


class Tally:
    """The running sums over the half-samples, for each response."""

    def __init__(self, problem: MotifProblem, n_subsamples: int, n_penalties: int, n_responses: int) -> None:
        self.problem, self.n_subsamples = problem, n_subsamples
        n_positions = problem.n_positions
        self.position_counts = np.zeros((n_responses, n_positions, n_penalties), np.int64)
        self.base_counts = np.zeros((n_responses, N_BASES * n_positions, n_penalties), np.int64)
        self.n_selected = np.zeros((n_responses, n_penalties))
        self.n_union = np.zeros((n_responses, n_penalties))
        self.contribution = np.zeros((n_responses, n_positions))
        self.gap = np.zeros(n_responses)
        n_most = N_BASES * min(n_positions, max(1, problem.n_units // 8))
        self.chosen = np.full((n_responses, n_subsamples, n_most), -1, np.int64)
        self.estimate, self.half_width = np.zeros(self.chosen.shape), np.zeros(self.chosen.shape)

    def add(self, positions: Paths, bases: Paths) -> None:
        """Count what a half-sample selected."""
        is_in = positions.contribution > 0
        self.position_counts += is_in.transpose(0, 2, 1)
        self.n_selected += is_in.sum(axis=2)
        self.n_union += np.logical_or.accumulate(is_in, axis=1).sum(axis=2)
        by_base = np.stack([self.problem.coding.expand @ of_one.T for of_one in bases.coef])
        self.base_counts += by_base != 0
        self.gap = np.maximum(self.gap, np.maximum(positions.gap, bases.gap))

    def estimate_on(self, other: Moments, n_units: int, contribution: np.ndarray, split: int) -> None:
        """Estimate the effects of the positions that one half selected, on the other.

        contribution : (n_responses, n_positions), 0 where not selected
        """
        for response, of_one in enumerate(contribution):
            found = _effects(other, self.problem.coding, of_one, n_units, response)
            if found is None:
                self.contribution[response] += of_one
                continue
            places, estimate, half_width, parts = found
            self.contribution[response] += parts
            n = len(places)
            self.chosen[response, split, :n] = places
            self.estimate[response, split, :n], self.half_width[response, split, :n] = estimate, half_width

    def result(self, response: int) -> Stability:
        """Return the sums of one response as shares, means and medians."""
        problem, n = self.problem, self.n_subsamples
        varying = problem.varying
        counts = self.position_counts[response]
        n_bases = N_BASES * problem.n_positions
        effect, low, high = (np.empty((1, n_bases)) for _ in range(3))
        fitted = (values[response : response + 1] for values in (self.chosen, self.estimate, self.half_width))
        aggregate_effects(*fitted, n_bases, effect, low, high)
        gate = varying[counts[varying].max(axis=1, initial=0) > n // 2]
        return Stability(
            selection=SelectionCounts(
                n_subsamples=n,
                n_candidates=np.array([float(len(varying))]),
                n_selected=self.n_selected[response : response + 1] / n,
                n_union=self.n_union[response : response + 1] / n,
                counts=counts[gate],
            ),
            position_counts=counts,
            base_counts=self.base_counts[response],
            contribution=self.contribution[response] / n,
            effect=effect[0],
            low=low[0],
            high=high[0],
            worst_gap=float(self.gap[response]),
        )


def select_gaussian(
    problem: MotifProblem,
    everything: BaseCounts,
    penalties: tuple[np.ndarray, np.ndarray],
    n_subsamples: int,
    seed: int,
) -> list[Stability]:
    """Run stability selection by counted moments.

    Parameters
    ----------
    problem : MotifProblem
    everything : BaseCounts
        Of all sequences: the second half of a pair is what the first leaves of them.
    penalties : tuple of two float arrays, shape (n_penalties,)
        Of the positions, and of the bases.
    n_subsamples : int, even
    seed : int

    Returns
    -------
    list of Stability, one a response
    """
    tally = Tally(problem, n_subsamples, len(penalties[0]), problem.responses.shape[1])
    transform, n_positions = problem.coding.transform, problem.n_positions
    position = problem.coding.position
    for pair in range(n_subsamples // 2):
        units = complementary_pair(problem.n_units, pair, seed=seed)
        rows = [problem.rows_of(half) for half in units]
        first = problem.count(rows[0])
        rest = everything - first
        left = np.setdiff1d(np.arange(problem.n_units), np.concatenate(units))
        if left.size:
            rest = rest - problem.count(problem.rows_of(left))
        halves = [first.moments(transform), rest.moments(transform)]
        for split, (half, other) in enumerate(((0, 1), (1, 0)), start=2 * pair):
            positions = position_paths(halves[half], position, n_positions, penalties[0])
            tally.add(positions, base_paths(halves[half], position, n_positions, penalties[1]))
            tally.estimate_on(halves[other], problem.worth(rows[other]), positions.contribution[:, -1], split)
    return [tally.result(response) for response in range(problem.responses.shape[1])]


def _effects(
    moments: Moments, coding: Coding, contribution: np.ndarray, n_units: int, response: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """Regress on all bases of the selected positions.

    Returns places among 4 n_positions, their estimates and half widths, and each position's contribution. The
    strongest positions are taken where there are more columns than a quarter of the units.
    """
    varies = moments.gram.diagonal() > 0
    taken = []
    n_columns, most = 0, max(1, n_units // 4)
    for p in np.argsort(-contribution, kind="stable"):
        columns = np.flatnonzero((coding.position == p) & varies)
        if contribution[p] == 0 or n_columns + len(columns) > most:
            break
        n_columns += len(columns)
        taken.append(columns)
    if not n_columns:
        return None
    chosen = np.sort(np.concatenate(taken))
    factor = factored(moments.gram[np.ix_(chosen, chosen)])
    free = n_units - n_columns - 1
    if factor is None or free < 1:
        return None
    cross = moments.cross[chosen, response]
    estimate = cho_solve(factor, cross)
    left = max(moments.target_var[response] - float(estimate @ cross), 0.0)
    inverse = cho_solve(factor, np.eye(n_columns))
    expand = coding.expand[:, chosen]
    places = np.flatnonzero(np.diff(expand.indptr))
    maps = expand[places].toarray()
    spread = np.einsum("ij,jk,ik->i", maps, inverse, maps)
    # Two-sided, and a factor of two for the median of splits (Meinshausen, Meier and Buhlmann 2009).
    quantile = stats.t.ppf(1.0 - (1.0 - INTERVAL_LEVEL) / 4.0, free)
    whole = np.zeros(len(coding.position))
    whole[chosen] = estimate
    parts = contributions(whole, moments.gram, coding.position, len(contribution))
    return places, maps @ estimate, quantile * np.sqrt(left / free * spread), parts
