"""Two classes of sequences: the same half-samples, by L1 and group-L1 logistic regression on a dense design."""

from __future__ import annotations

import warnings

import numpy as np
from scipy import stats

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.models.motif.choice import N_FOLDS, Choice, chosen, folds
from netinfer.models.motif.halves import INTERVAL_LEVEL, Stability, Tally
from netinfer.models.motif.paths import DEPENDENT, Paths, contributions, whitening
from netinfer.models.motif.problem import MotifProblem
from netinfer.moments import Moments
from netinfer.solvers import LogisticPath, logistic_path
from netinfer.stability.odds import auc, firth
from netinfer.stability.subsamples import stratified_pair

# Values of the dense design, 8 bytes each: 320 MB, and the halves beside it.
LARGEST_DESIGN = 40_000_000
TOLERANCE = 1e-8
# Distinct sequences of the smaller class for each column of a refit (Peduzzi et al. 1996).
UNITS_PER_COLUMN = 10


def check_size(problem: MotifProblem) -> None:
    """Refuse a problem with two classes whose dense design is above `LARGEST_DESIGN`."""
    n, p = len(problem.codes), problem.design.n_columns
    if n * p > LARGEST_DESIGN:
        raise InputError(
            f"sequences: {n} x {p} columns of bases are {n * p:,} values, and family binomial takes at most "
            f"{LARGEST_DESIGN:,}: give fewer sequences or a narrower window, or use family gaussian"
        )


class BinomialFit:
    """The dense design of a problem with two classes, and paths on some of its rows."""

    def __init__(self, problem: MotifProblem) -> None:
        n = len(problem.codes)
        self.problem = problem
        counted = problem.design.matrix()
        transform = problem.coding.transform
        coded = counted if transform is None else counted @ transform.T
        self.x = np.ascontiguousarray(coded.toarray())
        self.weights = np.ones(n) if problem.weights is None else problem.weights

    def moments(self, rows: np.ndarray | None = None) -> Moments:
        """Return the moments of some rows, all by default."""
        return self.problem.count(rows).moments(self.problem.coding.transform)

    def position_path(self, rows: np.ndarray, penalties: np.ndarray) -> tuple[Paths, np.ndarray]:
        """Fit the group Lasso over positions to some rows; return the path and its intercepts."""
        moments = self.moments(rows)
        maps, labels = whitening(moments.gram, self.problem.coding.position)
        x = (maps.T @ (self.x[rows] - moments.regulator_mean).T).T
        path = self._fit(x, rows, penalties * np.sqrt(moments.target_var[0]), labels)
        return self._wrapped((maps @ path.coef.T).T, path, moments)

    def base_path(self, rows: np.ndarray, penalties: np.ndarray) -> tuple[Paths, np.ndarray]:
        """Fit the Lasso over the coded columns, each of variance 1, to some rows."""
        moments = self.moments(rows)
        variance = moments.gram.diagonal()
        varies = np.flatnonzero(variance > DEPENDENT)
        sd = np.sqrt(variance[varies])
        x = (self.x[np.ix_(rows, varies)] - moments.regulator_mean[varies]) / sd
        path = self._fit(x, rows, penalties * np.sqrt(moments.target_var[0]), None)
        coef = np.zeros((len(penalties), self.x.shape[1]))
        coef[:, varies] = path.coef / sd
        return self._wrapped(coef, path, moments)

    def path(self, model: str, rows: np.ndarray, penalties: np.ndarray) -> tuple[Paths, np.ndarray]:
        """Fit the Lasso over bases or the group Lasso over positions."""
        return self.base_path(rows, penalties) if model == "lasso" else self.position_path(rows, penalties)

    def _fit(self, x: np.ndarray, rows: np.ndarray, penalties: np.ndarray, groups: np.ndarray | None) -> LogisticPath:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return logistic_path(
                np.ascontiguousarray(x), self.problem.is_case[rows].astype(np.int64), penalties, groups=groups,
                sample_weight=self.weights[rows], tol=TOLERANCE,
            )  # fmt: skip

    def _wrapped(self, coef: np.ndarray, path: LogisticPath, moments: Moments) -> tuple[Paths, np.ndarray]:
        """Let the last point before the classes separate stand for what follows, and undo the centring."""
        fitted = np.flatnonzero(~np.isnan(path.intercept))
        place = np.minimum(np.arange(len(coef)), fitted[-1])
        coef = coef[place]
        problem = self.problem
        parts = contributions(coef, moments.gram, problem.coding.position, problem.n_positions)
        gap = np.array([path.duality_gap[fitted].max()])
        return Paths(coef[None], parts[None], gap), path.intercept[place] - coef @ moments.regulator_mean


def select_binomial(
    fit: BinomialFit, penalties: tuple[np.ndarray, np.ndarray], n_subsamples: int, seed: int
) -> list[Stability]:
    """Run stability selection of two classes: half-samples hold both in the proportion of the data.

    Parameters
    ----------
    fit : BinomialFit
    penalties : tuple of two float arrays, shape (n_penalties,)
        Of the positions and of the bases, in standard deviations of the class.
    n_subsamples : int, even
    seed : int
    """
    problem = fit.problem
    tally = Tally(problem, n_subsamples, len(penalties[0]), 1)
    strata = unit_strata(problem)
    for pair in range(n_subsamples // 2):
        rows = [problem.rows_of(units) for units in stratified_pair(strata, pair, seed=seed)]
        for split, (half, other) in enumerate(((0, 1), (1, 0)), start=2 * pair):
            positions, _ = fit.position_path(rows[half], penalties[0])
            bases, _ = fit.base_path(rows[half], penalties[1])
            tally.add(positions, bases)
            tally.contribution += positions.contribution[:, -1]
            if problem.weights is None:
                _estimate(fit, tally, rows[other], positions.contribution[0, -1], split)
    return [tally.result(0)]


def unit_strata(problem: MotifProblem) -> np.ndarray:
    """Return each distinct sequence's class: 0, 1, or 2 where it was seen in both."""
    n = np.bincount(problem.unit)
    cases = np.bincount(problem.unit, weights=problem.is_case)
    return np.where(cases == 0, 0, np.where(cases == n, 1, 2))


def _estimate(fit: BinomialFit, tally: Tally, rows: np.ndarray, contribution: np.ndarray, split: int) -> None:
    """Refit the strongest positions on the other half by Firth's likelihood."""
    problem, coding = fit.problem, fit.problem.coding
    x, is_case = fit.x[rows], problem.is_case[rows]
    n_smaller = min(len(np.unique(problem.unit[rows][is_case == value])) for value in (True, False))
    varies = x.var(axis=0) > DEPENDENT
    taken: list[int] = []
    for p in np.argsort(-contribution, kind="stable"):
        columns = np.flatnonzero((coding.position == p) & varies)
        if contribution[p] == 0 or len(taken) + len(columns) > n_smaller // UNITS_PER_COLUMN:
            break
        taken += columns.tolist()
    if not taken:
        return
    chosen = np.sort(np.array(taken))
    inside = x[:, chosen] - x[:, chosen].mean(axis=0)
    n_units = problem.worth(rows)
    found = firth(np.column_stack([np.ones(len(rows)), inside]), is_case, n_units / len(rows))
    free = n_units - len(chosen) - 1
    if found is None or free < 1:
        return
    expand = coding.expand[:, chosen]
    places = np.flatnonzero(np.diff(expand.indptr))
    maps = expand[places].toarray()
    quantile = stats.t.ppf(1.0 - (1.0 - INTERVAL_LEVEL) / 4.0, free)
    tally.chosen[0, split, : len(places)] = places
    tally.estimate[0, split, : len(places)] = maps @ found[0][1:]
    # Of a base without a column its own, the sum of several: the standard errors of these are added, never too small.
    tally.half_width[0, split, : len(places)] = quantile * (np.abs(maps) @ found[1][1:])


def choose_binomial(fit: BinomialFit, penalties: np.ndarray, *, model: str, rule: str, seed: int) -> Choice:
    """Choose the penalty by held-out deviance over folds of distinct sequences, each class dealt out evenly.

    Returns
    -------
    Choice
        ``r2`` is the share of the null deviance explained (McFadden), ``r`` the area under the ROC curve.
    """
    problem = fit.problem
    strata = unit_strata(problem)
    fold = np.empty(problem.n_units, np.int64)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        fold[members] = folds(len(members), seed)
    row_fold = fold[problem.unit]
    share, area = np.zeros((N_FOLDS, len(penalties))), np.full((N_FOLDS, len(penalties)), np.nan)
    chance = np.average(problem.is_case, weights=fit.weights)
    whole = -2.0 * (chance * np.log(chance) + (1.0 - chance) * np.log1p(-chance))
    heldout = np.empty((len(penalties), len(problem.codes)))
    coefs = np.zeros((N_FOLDS, len(penalties), fit.x.shape[1]))
    for k in range(N_FOLDS):
        train, test = np.flatnonzero(row_fold != k), np.flatnonzero(row_fold == k)
        path, intercept = fit.path(model, train, penalties)
        scores = intercept[:, None] + path.coef[0] @ fit.x[test].T
        heldout[:, test], coefs[k] = scores, path.coef[0]
        signs = np.where(problem.is_case[test], -1.0, 1.0)
        deviance = 2.0 * np.average(np.logaddexp(0.0, signs * scores), weights=fit.weights[test], axis=1)
        share[k] = 1.0 - deviance / whole
        area[k] = [auc(row, problem.is_case[test]) for row in scores]
    mean, se, mean_area, place = chosen(share, area, rule)
    return Choice(penalties, mean, se, mean_area, place, row_fold, heldout[place].copy(), coefs[:, place].copy())
