"""Stability selection of the L1 logistic regression of two classes on all genes.

The half-samples hold both classes in the proportion of the data. Everything after the fits (bounds, ranks, cut) is the
code of the numeric traits: this module only makes the same counts.
"""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
from scipy import stats

from netinfer.config import RegressionConfig
from netinfer.errors import ConvergenceWarning
from netinfer.kernels import thread_limit
from netinfer.models.regression import RegressionPart
from netinfer.models.regression.chunk import INTERVAL_LEVEL, STRONGEST, effective_units, penalty_grid
from netinfer.models.regression.part import settings_hash
from netinfer.models.regression.problem import RegressionProblem
from netinfer.moments import independent_rows
from netinfer.solvers import LogisticPath, logistic_path
from netinfer.stability.effects import aggregate_effects
from netinfer.stability.odds import auc, firth
from netinfer.stability.subsamples import stratified_pair

# Bound on the relative duality gap of a fit, a tenth of what counts as certified.
TOLERANCE = 1e-9
# Of standardised covariates, in units of the mean loss, only in half-samples in which they separate the classes.
COVARIATE_RIDGE = 0.01
# Units of the smaller class for each gene of a refit: with fewer, log odds come out too large (Peduzzi et al. 1996).
UNITS_PER_GENE = 10
# A spread below this share of the one over all samples is rounding.
CONSTANT = 1e-10


@dataclasses.dataclass(frozen=True)
class BinomialSummary:
    """What the half-samples of a binomial model say beside the counts.

    Attributes
    ----------
    auc, auc_covariates : float
        Mean held-out area under the ROC curve, of the fit and of its covariates alone (NaN without covariates).
    n_separated, n_ridge : int
        Half-samples whose path ended where the fit separates the classes, and in which the covariates alone separate.
    """

    auc: float
    auc_covariates: float
    n_separated: int
    n_ridge: int


@dataclasses.dataclass(frozen=True)
class _Half:
    """Genes and covariates of one half-sample, standardised in it, and what standardised them."""

    x: np.ndarray
    is_case: np.ndarray
    varies: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    covariates: np.ndarray
    n_units: int
    n_smaller: int

    def standardised(self, columns: np.ndarray) -> np.ndarray:
        """Put columns (genes, then covariates) of other samples on this half's scale; 0 where it has none."""
        return (columns - self.mean) / np.where(self.sd > 0, self.sd, np.inf)


def fit_binomial(
    problem: RegressionProblem, is_case: np.ndarray, *, settings: RegressionConfig, seed: int
) -> tuple[RegressionPart, BinomialSummary]:
    """Run stability selection of two classes, in the form of a chunk of one target.

    Parameters
    ----------
    problem : RegressionProblem
        One target, the classes as 0 and 1.
    is_case : bool array, shape (n_samples,)
    settings : RegressionConfig
        Penalties are in standard deviations of the class (0 and 1) in the half-sample, as for a number.
    seed : int

    Returns
    -------
    RegressionPart
        Coefficients and effects are log odds per standard deviation of the gene.
    BinomialSummary
    """
    run = _Run(problem, is_case, settings)
    with thread_limit(1):
        for pair in range(settings.n_subsamples // 2):
            halves = [run.half(units) for units in stratified_pair(run.strata, pair, seed=seed)]
            for split, (half, other) in enumerate((halves, halves[::-1]), start=2 * pair):
                run.fit(half, other, split)
    return run.part(settings_hash(problem, settings, seed)), run.summary()


def unit_classes(unit_rows: tuple[np.ndarray, ...] | list[np.ndarray], is_case: np.ndarray) -> np.ndarray:
    """Return each unit's class: 0, 1, or 2 where its samples are of both."""
    shares = np.array([is_case[rows].mean() for rows in unit_rows])
    return np.where(shares == 0, 0, np.where(shares == 1, 1, 2))


class _Run:
    """The running sums over the half-samples."""

    def __init__(self, problem: RegressionProblem, is_case: np.ndarray, settings: RegressionConfig) -> None:
        self.problem, self.is_case, self.settings = problem, is_case, settings
        self.strata = unit_classes(problem.unit_rows, is_case)
        self.columns = np.concatenate([problem.regulators, problem.covariates], axis=1)
        self.spread = self.columns.std(axis=0)
        self.penalties = penalty_grid(settings)
        p, k, n_half = problem.regulators.shape[1], len(self.penalties), settings.n_subsamples
        self.n_most = max(1, min(problem.n_units // 8, p, STRONGEST))
        self.counts = np.zeros((p, k), np.uint16)
        self.n_selected, self.n_union = np.zeros(k, np.int64), np.zeros(k, np.int64)
        self.gap, self.largest = 0.0, 0.0
        self.magnitude, self.total = np.zeros(p), np.zeros(p)
        self.n_positive, self.n_negative = np.zeros(p, np.uint16), np.zeros(p, np.uint16)
        self.chosen = np.full((1, n_half, self.n_most), -1, np.int32)
        self.estimate, self.half_width = np.zeros(self.chosen.shape), np.zeros(self.chosen.shape)
        self.aucs: list[float] = []
        self.covariate_aucs: list[float] = []
        self.n_separated, self.n_ridge = 0, 0

    def half(self, units: np.ndarray) -> _Half:
        """Take the samples of units and standardise them."""
        rows = [self.problem.unit_rows[u] for u in units]
        samples = np.concatenate(rows)
        columns, is_case = self.columns[samples], self.is_case[samples]
        mean, sd = columns.mean(axis=0), columns.std(axis=0)
        varies = (sd > CONSTANT * self.spread) & (self.spread > 0)
        sd = np.where(varies, sd, 0.0)
        p = self.problem.regulators.shape[1]
        varies[:p] &= self.problem.regulator_varies
        x = (columns - mean) / np.where(varies, sd, np.inf)
        covariates = p + np.flatnonzero(varies[p:])
        if covariates.size:
            inside = x[:, covariates]
            covariates = covariates[independent_rows(inside.T @ inside / len(inside))[0]]
        classes = [sum(bool((self.is_case[r] == value).any()) for r in rows) for value in (True, False)]
        return _Half(
            x=x,
            is_case=is_case,
            varies=varies,
            mean=mean,
            sd=sd,
            covariates=covariates,
            n_units=effective_units(np.array([len(r) for r in rows], dtype=float)),
            n_smaller=min(classes),
        )

    def fit(self, half: _Half, other: _Half, split: int) -> None:
        """Fit one half-sample, count what it selects, and score and estimate it on the other."""
        p = self.problem.regulators.shape[1]
        n_ridge = self.n_ridge
        coef, ranking, intercept = self._solve(half)
        is_selected = coef[:, :p] != 0
        self.counts += is_selected.T
        self.n_selected += is_selected.sum(axis=1)
        self.n_union += np.logical_or.accumulate(is_selected, axis=0).sum(axis=1)
        genes = ranking[:p]
        self.magnitude += np.abs(genes)
        self.total += genes
        self.n_positive += genes > 0
        self.n_negative += genes < 0
        raw = other.x * other.sd + other.mean
        moved = half.standardised(raw)
        self.aucs.append(auc(intercept + moved @ ranking, other.is_case))
        if half.covariates.size:
            ridge = COVARIATE_RIDGE if self.n_ridge > n_ridge else 0.0
            weights = np.zeros(half.covariates.size)
            alone = _fitted(half.x[:, half.covariates], half.is_case, np.ones(1), weights, ridge)
            self.covariate_aucs.append(auc(moved[:, half.covariates] @ alone.coef[0], other.is_case))
        self._estimate(genes, other, split)

    def _solve(self, half: _Half) -> tuple[np.ndarray, np.ndarray, float]:
        """Return the coefficients along the gate's path, and those and the intercept at the ranking penalty."""
        spread = float(half.is_case.std())
        asked = np.unique(np.append(self.penalties, self.settings.ranking_penalty))[::-1]
        p = self.problem.regulators.shape[1]
        weights = np.where(half.varies, 1.0, np.inf)
        weights[p:] = np.inf
        weights[half.covariates] = 0.0
        ridge: float | np.ndarray = 0.0
        path = _fitted(half.x, half.is_case, asked * spread, weights)
        if path.separated_at is not None and np.isinf(path.separated_at):
            self.n_ridge += 1
            ridge = np.where(weights == 0.0, COVARIATE_RIDGE, 0.0)
            path = _fitted(half.x, half.is_case, asked * spread, weights, ridge)
        fitted = np.flatnonzero(~np.isnan(path.intercept))
        self.n_separated += path.separated_at is not None
        self.gap = max(self.gap, float(path.duality_gap[fitted].max()))
        self.largest = max(self.largest, path.largest_penalty / spread)
        # Where the fit separates the classes the path stops: its last point stands for what follows.
        place = np.minimum(np.arange(len(asked)), fitted[-1])
        gate = place[np.isin(asked, self.penalties)]
        at = place[int(np.flatnonzero(asked == self.settings.ranking_penalty)[0])]
        return path.coef[gate], path.coef[at], float(path.intercept[at])

    def _estimate(self, genes: np.ndarray, other: _Half, split: int) -> None:
        """Refit the strongest genes on the other half by Firth's likelihood, beside its covariates."""
        selected = np.flatnonzero((genes != 0) & other.varies[: len(genes)])
        n_most = max(1, min(self.n_most, other.n_smaller // UNITS_PER_GENE))
        strongest = selected[np.argsort(-np.abs(genes[selected]), kind="stable")[:n_most]]
        strongest.sort()
        design = np.column_stack([np.ones(len(other.x)), other.x[:, strongest], other.x[:, other.covariates]])
        free = other.n_units - design.shape[1]
        found = firth(design, other.is_case, other.n_units / len(other.x)) if strongest.size and free >= 1 else None
        if found is None:
            return
        # Two-sided, and a factor of two for the median of splits.
        quantile = stats.t.ppf(1.0 - (1.0 - INTERVAL_LEVEL) / 4.0, free)
        n = len(strongest)
        self.chosen[0, split, :n] = strongest
        self.estimate[0, split, :n] = found[0][1 : n + 1]
        self.half_width[0, split, :n] = quantile * found[1][1 : n + 1]

    def part(self, fingerprint: str) -> RegressionPart:
        """Turn the sums into the chunk of one target."""
        n_half, p = self.settings.n_subsamples, len(self.magnitude)
        effect, low, high = np.empty((1, p)), np.empty((1, p)), np.empty((1, p))
        aggregate_effects(self.chosen, self.estimate, self.half_width, p, effect, low, high)
        weight, most = self.magnitude / n_half, self.counts.max(axis=1)
        keep = np.flatnonzero((weight > 0) | (most > 0))
        towards = self.problem.regulators.T @ (self.is_case - self.is_case.mean())
        total = np.where(self.total != 0, self.total, towards)[keep]
        return RegressionPart(
            chunk=(1, 1),
            settings_hash=fingerprint,
            first_target=0,
            n_targets=1,
            penalties=self.penalties,
            n_selected=self.n_selected[None],
            n_union=self.n_union[None],
            duality_gap=np.array([self.gap]),
            largest_penalty=np.array([self.largest]),
            r2_heldout=np.array([np.nan]),
            pair_target=np.zeros(len(keep), np.int32),
            pair_regulator=keep.astype(np.int32),
            weight=weight[keep],
            sign=np.where(total < 0, -1, 1).astype(np.int8),
            n_agree=np.maximum(self.n_positive, self.n_negative)[keep],
            n_nonzero=(self.n_positive + self.n_negative)[keep],
            effect=effect[0, keep],
            effect_low=low[0, keep],
            effect_high=high[0, keep],
            partial_r2=np.full(len(keep), np.nan),  # of a variance: log odds have none
            n_most=most[keep],
            gate_counts=self.counts[keep][most[keep] > n_half // 2],
        )

    def summary(self) -> BinomialSummary:
        """Return what is beside the counts."""
        alone = float(np.nanmean(self.covariate_aucs)) if self.covariate_aucs else float("nan")
        return BinomialSummary(float(np.nanmean(self.aucs)), alone, self.n_separated, self.n_ridge)


def _fitted(
    x: np.ndarray,
    is_case: np.ndarray,
    penalties: np.ndarray,
    weights: np.ndarray,
    ridge: float | np.ndarray = 0.0,
) -> LogisticPath:
    """Fit a path; what it warns of (separable classes) is counted and what it misses is in the gap."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return logistic_path(x, is_case, penalties, penalty_weights=weights, ridge=ridge, tol=TOLERANCE)
