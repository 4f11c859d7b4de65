"""One chunk of targets: all half-samples, all penalties, everything that the network needs of them.

The half-samples run outside, the targets inside, so that one pair of Gram matrices is in memory at a time. Nothing
that a target gets depends on the other targets of its chunk or on the number of threads. `fit` chooses between this
way and that of `wide`.
"""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import stats

from netinfer.config import RegressionConfig
from netinfer.errors import ConfigError
from netinfer.models.regression.adjustment import degrees_of_freedom
from netinfer.models.regression.part import RegressionPart
from netinfer.models.regression.problem import RegressionProblem
from netinfer.models.regression.sums import Sums, SumsFile
from netinfer.moments import TARGET_BLOCK, Moments, from_matrix, inverse_sd, project_out
from netinfer.solvers.active_set import make_active_set
from netinfer.solvers.batch import count_selections
from netinfer.solvers.homotopy import make_workspace
from netinfer.solvers.path import GAP_TOLERANCE, MAX_SWEEPS
from netinfer.solvers.ranking import rank_targets
from netinfer.stability.effects import aggregate_effects, aggregate_partial_r2, estimate_effects, held_out_r2

INTERVAL_LEVEL = 0.95
# Most regulators of a target that a half-sample's least squares takes; a quarter of its units where that is fewer.
STRONGEST = 50
# Above this many pairs in the network a target keeps its strongest ones, and all that may pass the gate.
ALL_PAIRS, PAIRS_PER_TARGET = 2_000_000, 100


@dataclasses.dataclass(frozen=True)
class Half:
    """Standardised moments of one half-sample; the Gram matrices are without shrinkage, and as the solver sees them."""

    gram: np.ndarray
    selecting: np.ndarray
    ranking: np.ndarray
    cross: np.ndarray
    regulator_mean: np.ndarray
    regulator_sd: np.ndarray
    target_mean: np.ndarray
    target_sd: np.ndarray
    target_varies: np.ndarray
    n_units: int


def chunk_targets(n_targets: int, chunk: tuple[int, int]) -> slice:
    """Return the targets of chunk (i, n), 1 <= i <= n: whole blocks of 64, so a chunk may be empty."""
    i, n = chunk
    if not 1 <= i <= n:
        raise ConfigError(f"chunk: {i} of {n} does not exist: chunks count from 1")
    n_blocks = -(-n_targets // TARGET_BLOCK)
    first, last = (i - 1) * n_blocks // n, i * n_blocks // n
    return slice(min(first * TARGET_BLOCK, n_targets), min(last * TARGET_BLOCK, n_targets))


def penalty_grid(settings: RegressionConfig) -> np.ndarray:
    """Return the penalties at which selections are counted, decreasing, shape (n_penalties,)."""
    return np.geomspace(settings.penalty_max, settings.penalty_min, settings.n_penalties)


def shrinkages(settings: RegressionConfig) -> tuple[float, float]:
    """Return the shrinkage of the selecting path and of the ranking fit; none for the Lasso."""
    if settings.model == "lasso":
        return 0.0, 0.0
    return settings.selection_shrinkage, settings.shrinkage


def effective_units(sizes: np.ndarray) -> int:
    """Return how many units of equal size carry as much information, (sum of sizes)^2 / sum of squares, rounded down.

    Moments weigh samples, so a few large donors count for more than many small ones (Kish 1965).
    """
    return int(sizes.sum() ** 2 / (sizes**2).sum() + 1e-9)


def standardised_half(moments: Moments, settings: RegressionConfig, n_units: int) -> Half:
    """Standardise the moments of a half-sample by themselves; `n_units` are the units that they are worth."""
    per_sd, per_target_sd = inverse_sd(moments.gram.diagonal()), inverse_sd(moments.target_var)
    gram = moments.gram * per_sd[:, None] * per_sd[None, :]
    np.fill_diagonal(gram, 1.0)
    selecting, ranking = shrinkages(settings)
    cross = np.ascontiguousarray((moments.cross * per_sd[:, None] * per_target_sd[None, :]).T)
    return Half(
        gram=gram,
        selecting=_shrunk(gram, selecting),
        ranking=_shrunk(gram, ranking),
        cross=cross,
        regulator_mean=moments.regulator_mean,
        regulator_sd=_inverse(per_sd),
        target_mean=moments.target_mean,
        target_sd=_inverse(per_target_sd),
        target_varies=per_target_sd > 0,
        n_units=n_units,
    )


def _shrunk(gram: np.ndarray, shrinkage: float) -> np.ndarray:
    if shrinkage == 0.0:
        return gram
    shrunk = (1.0 - shrinkage) * gram
    np.fill_diagonal(shrunk, 1.0)
    return shrunk


def _inverse(values: np.ndarray) -> np.ndarray:
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)


class Chunk(Sums):
    """The running sums of one chunk of targets, filled from moments; threads write to disjoint slices of them."""

    def __init__(self, problem: RegressionProblem, where: slice, settings: RegressionConfig, threads: int) -> None:
        self.problem, self.where, self.settings = problem, where, settings
        self.targets = np.ascontiguousarray(problem.targets[:, where])
        self.own = problem.own[where]
        self.weights = problem.weights_of(where)
        self.penalties = penalty_grid(settings)
        n, p = len(self.own), problem.regulators.shape[1]
        n_most = max(1, min(problem.n_half // 4, p, STRONGEST))
        super().__init__(n, p, len(self.penalties), settings.n_subsamples, n_most)
        self.slices = [
            slice(int(s[0]), int(s[-1]) + 1) for s in np.array_split(np.arange(n), max(threads, 1)) if s.size
        ]
        level = 1.0 - (1.0 - INTERVAL_LEVEL) / 4.0  # two-sided, and a factor of two for the median of splits
        self.quantiles = np.append(np.inf, stats.t.ppf(level, np.arange(1, problem.n_half + 1)))

    def run(
        self, seed: int, pool: ThreadPoolExecutor, chunk: tuple[int, int], fingerprint: str, kept: SumsFile
    ) -> RegressionPart:
        """Fit every half-sample that the kept sums do not hold yet, and make the part."""
        problem = self.problem
        columns = np.concatenate([problem.regulators, problem.covariates], axis=1)
        everything = from_matrix(columns, self.targets)
        for pair in kept.missing_pairs(self):
            first, second = self.halves(columns, everything, pair, seed)
            for split, (half, other) in enumerate(((first, second), (second, first)), start=2 * pair):
                self.n_units[split] = other.n_units
                list(pool.map(lambda s, h=half, o=other, k=split: self.fit(s, h, o, k), self.slices))
        adjusted = project_out(everything, problem.n_covariates)
        parts = list(pool.map(lambda s: self.collect(s, adjusted.cross), self.slices))
        return self.part(parts, chunk, fingerprint)

    def halves(self, columns: np.ndarray, everything: Moments, pair: int, seed: int) -> tuple[Half, Half]:
        """Standardise the halves of a pair; the second one's moments are what the first leaves of all samples."""
        problem, rows = self.problem, self.problem.unit_rows
        first, second = problem.halves(pair, seed)
        moments = from_matrix(columns, self.targets, np.concatenate([rows[u] for u in first]))
        rest = everything - moments
        left = np.setdiff1d(np.arange(problem.n_units), np.concatenate([first, second]))
        if left.size:
            rest = rest - from_matrix(columns, self.targets, np.concatenate([rows[u] for u in left]))
        sizes = np.array([len(r) for r in rows], dtype=float)
        halves = []
        for units, of_half in ((first, moments), (second, rest)):
            taken = degrees_of_freedom(problem.covariates, [rows[u] for u in units])
            adjusted = project_out(of_half, problem.n_covariates)
            halves.append(standardised_half(adjusted, self.settings, effective_units(sizes[units]) - taken))
        return halves[0], halves[1]

    def fit(self, s: slice, half: Half, other: Half, split: int) -> None:
        """Fit one half-sample for a slice of the targets and score it on the other half."""
        coef = self._solve(s, half)
        cross = half.cross[s]
        varying = np.abs(cross)
        inside = np.flatnonzero(self.own[s] >= 0)
        varying[inside, self.own[s][inside]] = 0.0
        weights = self._weights(s)
        varying = np.divide(varying, weights, out=np.zeros_like(varying), where=weights > 0)
        self.largest[s] = np.maximum(self.largest[s], varying.max(axis=1))
        self.magnitude[s] += np.abs(coef)
        self.total[s] += coef
        self.n_positive[s] += coef > 0
        self.n_negative[s] += coef < 0
        n_most = max(1, min(self.n_most, other.n_units // 4))
        estimate_effects(
            coef, other.gram, other.cross[s], other.target_varies[s], other.n_units, n_most, self.quantiles, split,
            self.chosen[s], self.estimate[s], self.half_width[s],
        )  # fmt: skip
        per_sd, per_target_sd = _inverse(half.regulator_sd), _inverse(half.target_sd[s])
        held_out_r2(
            coef, half.gram, cross, other.gram, other.cross[s],
            other.regulator_sd * per_sd, (other.regulator_mean - half.regulator_mean) * per_sd,
            other.target_sd[s] * per_target_sd, (other.target_mean[s] - half.target_mean[s]) * per_target_sd,
            half.target_varies[s] & other.target_varies[s], self.r2[s], self.n_scored[s],
        )  # fmt: skip

    def _solve(self, s: slice, half: Half) -> np.ndarray:
        """Count the selections along the path and return the coefficients at the ranking penalty, (n_targets, p)."""
        settings, p = self.settings, half.gram.shape[0]
        selecting, ranking = shrinkages(settings)
        at = np.array([settings.ranking_penalty])
        cross, own, weights = half.cross[s], self.own[s], self._weights(s)
        # Where one path serves both, it goes on to the ranking penalty; else the ranking fit is one of its own.
        is_one_path = selecting == ranking and settings.ranking_penalty < settings.penalty_min
        coef = self.count(s, half, np.append(self.penalties, at) if is_one_path else self.penalties)
        if is_one_path:
            return coef
        if ranking > 0.0:
            # At one penalty of a shrunk Gram, 2 to 3 x faster than the homotopy (benchmarks/elastic_net.py).
            rank_targets(
                half.ranking, cross, own, weights, ranking, 1.0 / (1.0 - ranking), at, GAP_TOLERANCE, MAX_SWEEPS,
                make_active_set(p), self.gap[s], coef,
            )  # fmt: skip
        else:
            count_selections(
                half.ranking, cross, own, weights, 1.0, at, make_workspace(p), 100 + 20 * p,
                GAP_TOLERANCE, MAX_SWEEPS, self.counts[s], self.n_selected[s], self.n_union[s], self.gap[s], 0, coef,
            )  # fmt: skip
        return coef

    def count(self, s: slice, half: Half, penalties: np.ndarray) -> np.ndarray:
        """Count the selections at the gate's penalties, the first of those given; return the last coefficients."""
        p, selecting = half.gram.shape[0], shrinkages(self.settings)[0]
        coef = np.zeros((s.stop - s.start, p))
        count_selections(
            half.selecting, half.cross[s], self.own[s], self._weights(s), 1.0 / (1.0 - selecting), penalties,
            make_workspace(p), 100 + 20 * p, GAP_TOLERANCE, MAX_SWEEPS, self.counts[s], self.n_selected[s],
            self.n_union[s], self.gap[s], len(self.penalties), coef,
        )  # fmt: skip
        return coef

    def _weights(self, s: slice) -> np.ndarray:
        return self.weights if len(self.weights) == 1 else self.weights[s]

    def collect(self, s: slice, covariance: np.ndarray) -> dict[str, np.ndarray]:
        """Turn the sums of a slice of targets into its pairs, in order of target and regulator.

        `covariance`, shape (n_regulators, n_targets), gives the sign of a pair whose coefficients cancel.
        """
        n_half = self.settings.n_subsamples
        n, p = s.stop - s.start, self.problem.regulators.shape[1]
        is_free = np.broadcast_to(self._weights(s) == 0.0, (n, p))
        self._uncount(s, is_free)
        effect, low, high, partial_r2 = (np.empty((n, p)) for _ in range(4))
        fitted = self.chosen[s], self.estimate[s], self.half_width[s]
        aggregate_effects(*fitted, p, effect, low, high)
        aggregate_partial_r2(*fitted, self.n_units, self.quantiles, p, partial_r2)
        weight, most = self.magnitude[s] / n_half, self.counts[s].max(axis=2)
        keep = (weight > 0) | (most > 0)
        if p * len(self.problem.target_names) > ALL_PAIRS:
            keep &= _strongest(weight) | (most > n_half // 2)
        target, regulator = np.nonzero(keep)
        total = np.where(self.total[s] != 0, self.total[s], covariance.T[s])[keep]
        positive, negative = self.n_positive[s][keep], self.n_negative[s][keep]
        return {
            "pair_target": (target + s.start + self.where.start).astype(np.int32),
            "pair_regulator": regulator.astype(np.int32),
            "weight": weight[keep],
            "sign": np.where(total < 0, -1, 1).astype(np.int8),
            "n_agree": np.maximum(positive, negative),
            "n_nonzero": positive + negative,
            "effect": effect[keep],
            "effect_low": low[keep],
            "effect_high": high[keep],
            "partial_r2": partial_r2[keep],
            "n_most": most[keep],
            "gate_counts": self.counts[s][keep][(most[keep] > n_half // 2) & ~is_free[keep]],
        }

    def _uncount(self, s: slice, is_free: np.ndarray) -> None:
        """Take unpenalised regulators out of the numbers selected: they are in every model, whatever the data say."""
        for t in np.flatnonzero(is_free.any(axis=1)):
            counts = self.counts[s][t, is_free[t]].astype(np.int64)
            self.n_selected[s][t] -= counts.sum(axis=0)
            self.n_union[s][t] -= np.maximum.accumulate(counts, axis=1).sum(axis=0)

    def part(self, parts: list[dict[str, np.ndarray]], chunk: tuple[int, int], fingerprint: str) -> RegressionPart:
        """Join the slices and add what belongs to the targets."""
        if not parts:
            parts = [self.collect(slice(0, 0), np.empty((self.problem.regulators.shape[1], 0)))]
        pairs = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        r2 = np.divide(self.r2, self.n_scored, out=np.full(len(self.r2), np.nan), where=self.n_scored > 0)
        return RegressionPart(
            chunk=chunk,
            settings_hash=fingerprint,
            first_target=self.where.start,
            n_targets=len(self.own),
            penalties=self.penalties,
            n_selected=self.n_selected,
            n_union=self.n_union,
            duality_gap=self.gap,
            largest_penalty=self.largest,
            r2_heldout=r2,
            **pairs,
        )


def _strongest(weight: np.ndarray) -> np.ndarray:
    """Mark each target's 100 largest positive weights; ties in order of regulator."""
    keep = np.zeros(weight.shape, bool)
    order = np.argsort(-weight, axis=1, kind="stable")[:, :PAIRS_PER_TARGET]
    np.put_along_axis(keep, order, True, axis=1)
    return keep & (weight > 0)
