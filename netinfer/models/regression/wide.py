"""One chunk of targets with far more candidate regulators than samples: no Gram matrix of all of them.

What `chunk` gets from a half-sample's Gram matrix is here got from its samples: paths from a working set, ranking fits
from the dual, effects from the Gram of the few regulators chosen, fit on the other half from predicted values. The
targets go in blocks, each through all half-samples, so that memory grows with the block and not with the chunk.
"""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular

from netinfer.config import RegressionConfig
from netinfer.kernels import thread_limit
from netinfer.models.regression.adjustment import degrees_of_freedom
from netinfer.models.regression.chunk import Chunk, effective_units, shrinkages
from netinfer.models.regression.part import RegressionPart
from netinfer.models.regression.problem import RegressionProblem
from netinfer.models.regression.sums import SumsFile, sums_key
from netinfer.moments import CONSTANT, TARGET_BLOCK, independent_rows, inverse_sd
from netinfer.solvers.wide import WideDesign
from netinfer.solvers.working_set import WideProblem, WideSolution, solve_dual, solve_wide
from netinfer.stability.effects import estimate_effects

# The way is chosen by size alone, so that neither chunks nor threads change it. From WIDE_FROM candidates on it is this
# one where they are WIDE_RATIO times the samples of a half or more: there it is faster (measured over all genes as
# targets; docs/benchmarks.md). From WIDE_ALWAYS on the Gram matrices of a pair of halves would take 5 GiB or more.
WIDE_FROM, WIDE_RATIO, WIDE_ALWAYS = 4_000, 40, 10_000

PER_TARGET = ("n_selected", "n_union", "duality_gap", "largest_penalty", "r2_heldout")
PER_PAIR = (
    "pair_target", "pair_regulator", "weight", "sign", "n_agree", "n_nonzero", "effect", "effect_low", "effect_high",
    "partial_r2", "n_most", "gate_counts",
)  # fmt: skip


def is_wide(problem: RegressionProblem) -> bool:
    """Return whether the regulators are so many that no Gram matrix of them is made."""
    n_samples, p = problem.regulators.shape
    return p >= WIDE_ALWAYS or (p >= WIDE_FROM and 2 * p >= WIDE_RATIO * n_samples)


def size_note(problem: RegressionProblem, n_subsamples: int = 100) -> str:
    """Say in a sentence what so many candidates mean for the run; empty where Gram matrices are made.

    The hours are an estimate from the size: 1e-8 s a target, half-sample, candidate and sample, measured at
    100 x 4,000 and 100 x 20,000.
    """
    if not is_wide(problem):
        return ""
    n_samples, p = problem.regulators.shape
    n_targets = len(problem.target_names)
    hours = 1e-8 * n_samples * p * n_targets * n_subsamples / 3600
    return (
        f"{p} candidate regulators: fitted from the samples, without Gram matrices; {n_targets} targets take some "
        f"{hours:.2g} core hours with {n_subsamples} half-samples, in proportion with others: give "
        "as many chunks as there are cores or more, or name the regulators"
    )


@dataclasses.dataclass(frozen=True)
class _Residuals:
    """Regulators and a block of targets in some samples, centred, without what the covariates explain."""

    x: np.ndarray
    y: np.ndarray
    regulator_mean: np.ndarray
    target_mean: np.ndarray
    regulator_var: np.ndarray
    target_var: np.ndarray


@dataclasses.dataclass(frozen=True)
class WideHalf:
    """One half-sample, standardised."""

    design: WideDesign
    y: np.ndarray
    cross: np.ndarray
    regulator_mean: np.ndarray
    regulator_sd: np.ndarray
    target_mean: np.ndarray
    target_sd: np.ndarray
    target_varies: np.ndarray
    n_units: int


def fit_wide(
    problem: RegressionProblem, where: slice, settings: RegressionConfig, seed: int, threads: int,
    chunk: tuple[int, int], fingerprint: str, *, state: str | Path | None = None, kind: type[Block] | None = None,
) -> RegressionPart:  # fmt: skip
    """Run stability selection for one chunk of targets from the samples; see `fit_chunk`.

    Each block of targets keeps its sums in a file of its own.
    """
    kind = Block if kind is None else kind
    data = "" if state is None else problem.fingerprint()
    starts = range(where.start, where.stop, TARGET_BLOCK) or [where.start]
    parts = []
    with thread_limit(1), ThreadPoolExecutor(max_workers=threads) as pool:
        for start in starts:
            targets = slice(start, min(start + TARGET_BLOCK, where.stop))
            kept = SumsFile(None, "", settings.n_subsamples)
            if state is not None:
                path = Path(state).with_name(f"{Path(state).stem}.{start}{Path(state).suffix}")
                kept = SumsFile(path, sums_key(data, targets, settings, seed), settings.n_subsamples)
            parts.append(kind(problem, targets, settings, threads).run(seed, pool, chunk, fingerprint, kept))
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in PER_TARGET + PER_PAIR
    }
    return dataclasses.replace(parts[0], n_targets=where.stop - where.start, **joined)


class Block(Chunk):
    """A block of targets: the sums of a chunk, filled from samples."""

    def run(
        self, seed: int, pool: ThreadPoolExecutor, chunk: tuple[int, int], fingerprint: str, kept: SumsFile
    ) -> RegressionPart:
        """Fit every half-sample that the kept sums do not hold yet, and make the part."""
        everything = self.residuals(np.arange(len(self.problem.regulators)))
        cross = everything.x.T @ everything.y / len(everything.x)
        del everything
        if self.slices:
            for pair in kept.missing_pairs(self):
                first, second = (self.half(part) for part in self.problem.halves(pair, seed))
                for split, (half, other) in enumerate(((first, second), (second, first)), start=2 * pair):
                    self.n_units[split] = other.n_units
                    list(pool.map(lambda s, h=half, o=other, k=split: self.fit_slice(s, h, o, k), self.slices))
        return self.part([self.collect(s, cross) for s in self.slices or [slice(0, 0)]], chunk, fingerprint)

    def residuals(self, rows: np.ndarray) -> _Residuals:
        """Centre some samples and take out what the covariates explain in them, as `project_out` does on moments."""
        x, x_mean = _centred(self.problem.regulators[rows])
        y, y_mean = _centred(self.targets[rows])
        x_var, y_var = _mean_square(x), _mean_square(y)
        if self.problem.n_covariates:
            basis = _basis(self.problem.covariates[rows])
            x_whole, y_whole = x_var, y_var
            x -= basis @ (basis.T @ x / len(x))
            y -= basis @ (basis.T @ y / len(y))
            x_mean, y_mean = np.zeros_like(x_mean), np.zeros_like(y_mean)
            x_var, y_var = _mean_square(x), _mean_square(y)
            x_var[x_var <= CONSTANT * x_whole] = 0.0
            y_var[y_var <= CONSTANT * y_whole] = 0.0
        return _Residuals(x, y, x_mean, y_mean, x_var, y_var)

    def half(self, units: np.ndarray) -> WideHalf:
        """Standardise one half-sample by its own moments."""
        unit_rows = [self.problem.unit_rows[u] for u in units]
        left = self.residuals(np.concatenate(unit_rows))
        per_sd, per_target_sd = inverse_sd(left.regulator_var), inverse_sd(left.target_var)
        x, y = left.x * per_sd, left.y * per_target_sd
        taken = degrees_of_freedom(self.problem.covariates, unit_rows)
        sizes = np.array([len(rows) for rows in unit_rows], dtype=float)
        return WideHalf(
            design=WideDesign(x, (per_sd > 0).astype(float)),
            y=np.ascontiguousarray(y.T),
            cross=np.ascontiguousarray((x.T @ y).T) / len(x),
            regulator_mean=left.regulator_mean,
            regulator_sd=np.sqrt(np.where(per_sd > 0, left.regulator_var, 0.0)),
            target_mean=left.target_mean,
            target_sd=np.sqrt(np.where(per_target_sd > 0, left.target_var, 0.0)),
            target_varies=per_target_sd > 0,
            n_units=effective_units(sizes) - taken,
        )

    def fit_slice(self, s: slice, half: WideHalf, other: WideHalf, split: int) -> None:
        """Fit one half-sample for a slice of the targets and score it on the other half."""
        for t in range(s.start, s.stop):
            weights = self.weights_in(t, half)
            is_penalised = weights > 0
            most = np.abs(half.cross[t][is_penalised]) / weights[is_penalised]
            self.largest[t] = max(self.largest[t], most.max(initial=0.0))
            coef = np.zeros(len(weights))
            if half.target_varies[t]:
                self.solve_one(t, half, weights, coef)
            self.magnitude[t] += np.abs(coef)
            self.total[t] += coef
            self.n_positive[t] += coef > 0
            self.n_negative[t] += coef < 0
            support = np.flatnonzero(coef)
            self.effects_one(t, coef, support, other, split)
            if half.target_varies[t] and other.target_varies[t]:
                self.r2[t] += _held_out(coef[support], support, t, half, other)
                self.n_scored[t] += 1

    def weights_in(self, t: int, half: WideHalf) -> np.ndarray:
        """Return one target's penalty weights in a half-sample: what is constant there, and itself, are forbidden."""
        weights = np.where(half.design.variance > 0, self.weights[t if len(self.weights) > 1 else 0], np.inf)
        if self.own[t] >= 0:
            weights[self.own[t]] = np.inf
        return weights

    def solve_one(self, t: int, half: WideHalf, weights: np.ndarray, coef: np.ndarray) -> None:
        """Count one target's selections along the path and write its coefficients at the ranking penalty."""
        settings = self.settings
        selecting, ranking = shrinkages(settings)
        at = np.array([settings.ranking_penalty])
        is_one_path = selecting == ranking and settings.ranking_penalty < settings.penalty_min
        last = self.count_one(t, half, weights, np.append(self.penalties, at) if is_one_path else self.penalties)
        if not is_one_path:
            problem = WideProblem(half.design, half.y[t], weights, ranking, half.cross[t])
            last = solve_dual(problem, at) if ranking > 0.0 else solve_wide(problem, at)
            self.gap[t] = max(self.gap[t], float(last.gap.max()))
        coef[last.places] = last.coef[-1]

    def count_one(self, t: int, half: WideHalf, weights: np.ndarray, penalties: np.ndarray) -> WideSolution:
        """Count one target's selections at the gate's penalties, the first of those given."""
        n_gate = len(self.penalties)
        problem = WideProblem(half.design, half.y[t], weights, shrinkages(self.settings)[0], half.cross[t])
        found = solve_wide(problem, penalties)
        is_in = found.coef[:n_gate] != 0.0
        self.counts[t, found.places] += is_in.T
        self.n_selected[t] += is_in.sum(axis=1)
        self.n_union[t] += np.logical_or.accumulate(is_in, axis=0).sum(axis=1)
        self.gap[t] = max(self.gap[t], float(found.gap.max()))
        return found

    def effects_one(self, t: int, coef: np.ndarray, support: np.ndarray, other: WideHalf, split: int) -> None:
        """Estimate on the other half the effects of the strongest regulators of one target."""
        n_most = max(1, min(self.n_most, other.n_units // 4))
        strongest = np.sort(support[np.argsort(-np.abs(coef[support]), kind="stable")[:n_most]])
        columns = other.design.rows(strongest)
        gram = columns @ columns.T / columns.shape[1]
        np.fill_diagonal(gram, 1.0)
        shape = (1, 1, len(strongest))
        chosen, estimate, half_width = np.full(shape, -1, np.int32), np.zeros(shape), np.zeros(shape)
        estimate_effects(
            coef[strongest][None, :], gram, other.cross[t][strongest][None, :], other.target_varies[t : t + 1],
            other.n_units, len(strongest), self.quantiles, 0, chosen, estimate, half_width,
        )  # fmt: skip
        n = int((chosen >= 0).sum())
        self.chosen[t, split, :n] = strongest[:n]
        self.estimate[t, split, :n] = estimate[0, 0, :n]
        self.half_width[t, split, :n] = half_width[0, 0, :n]


def _held_out(coef: np.ndarray, support: np.ndarray, t: int, half: WideHalf, other: WideHalf) -> float:
    """Return the R2 on the other half of a target's fit on this one, as `held_out_r2` does from moments."""
    sd = half.regulator_sd[support]
    scale = other.regulator_sd[support] / sd
    target_scale = other.target_sd[t] / half.target_sd[t]
    fitted = half.design.x[:, support] @ coef
    quadratic = float(fitted @ fitted) / len(fitted)
    rescale = float(coef @ half.cross[t][support]) / quadratic if quadratic > 0.0 else 0.0
    scaled = coef * scale
    reached = other.design.x[:, support] @ scaled
    error = target_scale**2 - 2.0 * rescale * target_scale * float(scaled @ other.cross[t][support])
    error += rescale**2 * float(reached @ reached) / len(reached)
    offset = float(coef @ ((other.regulator_mean - half.regulator_mean)[support] / sd))
    error += ((other.target_mean[t] - half.target_mean[t]) / half.target_sd[t] - rescale * offset) ** 2
    return 1.0 - error / target_scale**2


def _centred(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = matrix.mean(axis=0)
    matrix -= mean
    left = matrix.mean(axis=0)
    matrix -= left
    return matrix, mean + left


def _mean_square(matrix: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->j", matrix, matrix) / len(matrix)


def _basis(covariates: np.ndarray) -> np.ndarray:
    """Return uncorrelated covariates of variance 1 that span the given ones in these samples."""
    moved, _ = _centred(covariates)
    kept, factor = independent_rows(moved.T @ moved / len(moved))
    if not kept.size:
        return np.empty((len(moved), 0))
    return solve_triangular(factor, moved[:, kept].T, lower=True).T
