"""Group Lasso over motifs, whose bins of distance are a group: paths, half-samples and folds."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np

from netinfer.errors import ConvergenceWarning
from netinfer.solvers import group_lasso_path, logistic_path
from netinfer.stability import SelectionCounts, complementary_pair
from netinfer.stability.odds import auc
from netinfer.stability.subsamples import raw_words, stratified_pair

# Bound on the relative duality gap of a fit.
TOLERANCE = 1e-6
N_FOLDS = 5
# Penalties behind the best one, of all folds, that show that the loss only rises.
CLEAR = 3
# Counter of the folds' random words, beyond those of any pair of half-samples.
FOLD_STREAM = 1 << 40
# A column with less than this share of its spread over all promoters is constant in a part of them.
CONSTANT = 1e-9
# The path of the predictive fit ends at this share of its largest penalty, and at its square root where it is seen
# by then that the loss only rises: the last penalties take most of the time.
SMALLEST = 0.05


@dataclasses.dataclass(frozen=True, eq=False)
class Design:
    """Columns (motif by bin) and response of one model.

    Attributes
    ----------
    x : float array, shape (n_promoters, n_columns)
        Divided by their standard deviations.
    labels : int array, shape (n_columns,), rising
        Motif of each column.
    n_motifs : int
    y : float array, shape (n_promoters,)
        0 and 1, or centred and divided by its standard deviation.
    is_binomial : bool
    unit : int array, shape (n_promoters,)
        Independent unit of each promoter, from 0 by first appearance.
    """

    x: np.ndarray
    labels: np.ndarray
    n_motifs: int
    y: np.ndarray
    is_binomial: bool
    unit: np.ndarray

    def rows(self, rows: np.ndarray) -> Design:
        """Return the design of some promoters, on the same scale."""
        return dataclasses.replace(self, x=self.x[rows], y=self.y[rows], unit=self.unit[rows])

    def classes(self) -> np.ndarray:
        """Return the class of each unit: that of the cases where one of its promoters is a case."""
        found = np.zeros(int(self.unit.max()) + 1, np.int64)
        np.maximum.at(found, self.unit, (self.y > 0.5).astype(np.int64))
        return found

    def halves(self, pair: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a complementary pair of half-samples of units; of two classes each half has half of both."""
        if self.is_binomial:
            halves = stratified_pair(self.classes(), pair, seed=seed)
        else:
            halves = complementary_pair(int(self.unit.max()) + 1, pair, seed=seed)
        first, second = (np.flatnonzero(np.isin(self.unit, half)) for half in halves)
        return first, second


@dataclasses.dataclass(frozen=True, eq=False)
class Fits:
    """A path: coefficients per standard deviation over all promoters, (n_penalties, n_columns), and intercepts."""

    coef: np.ndarray
    intercept: np.ndarray
    gap: float

    def motifs(self, design: Design) -> np.ndarray:
        """Return which motifs have a coefficient, bool, shape (n_penalties, n_motifs)."""
        out = np.zeros((len(self.coef), design.n_motifs), bool)
        rows, columns = np.nonzero(self.coef)
        out[rows, design.labels[columns]] = True
        return out


def fit_path(design: Design, penalties: np.ndarray) -> Fits:
    """Fit the group Lasso along decreasing penalties; where a logistic path separates, its last fit goes on."""
    spread = design.x.std(axis=0)
    varies = spread > CONSTANT
    x, labels = design.x[:, varies], design.labels[varies]
    coef = np.zeros((len(penalties), design.x.shape[1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the worst gap is reported
        if design.is_binomial:
            path = logistic_path(x, design.y.astype(np.int64), penalties, groups=labels, tol=TOLERANCE)
            known = ~np.isnan(path.coef).any(axis=1)
            last = np.maximum.accumulate(np.where(known, np.arange(len(penalties)), 0))
            coef[:, varies] = np.nan_to_num(path.coef[last])
            return Fits(coef, np.nan_to_num(path.intercept[last]), float(path.duality_gap[known].max(initial=0.0)))
        mean, offset = x.mean(axis=0), design.y.mean()
        centred, y = x - mean, design.y - offset
        gram = centred.T @ centred / len(y)
        found = group_lasso_path(
            (gram + gram.T) / 2.0, centred.T @ y / len(y), labels, penalties, target_variance=float(y @ y / len(y)),
            tol=TOLERANCE,
        )  # fmt: skip
    coef[:, varies] = found.coef
    return Fits(coef, offset - found.coef @ mean, float(found.duality_gap.max()))


def largest_penalty(design: Design) -> float:
    """Return the smallest penalty at which no motif has a coefficient."""
    pull = design.x.T @ (design.y - design.y.mean()) / len(design.y)
    sizes = np.bincount(design.labels, minlength=design.n_motifs)
    squares = np.bincount(design.labels, weights=pull**2, minlength=design.n_motifs)
    return float(np.sqrt(squares / np.maximum(sizes, 1)).max())


def path_of_halves(design: Design, wanted: float, threshold: float, n_penalties: int, seed: int) -> np.ndarray:
    """Return the penalties of all half-samples: down to where the bound on false motifs passes the number wanted.

    With q motifs selected on average it is q^2 / ((2 tau - 1) times the motifs) (Meinshausen and Buehlmann 2010), so
    that q is known beforehand; the first pair of halves finds the penalty that selects as many.
    """
    most = np.sqrt(wanted * (2.0 * threshold - 1.0) * design.n_motifs)
    halves = [design.rows(rows) for rows in design.halves(0, seed)]
    largest = max(largest_penalty(half) for half in halves)
    grid = np.geomspace(largest, SMALLEST * largest, 4 * n_penalties)
    for tried in (grid[: len(grid) // 2], grid):  # the longer one only where the shorter one selects too few
        selected = np.mean([fit_path(half, tried).motifs(half) for half in halves], axis=0)
        union = np.maximum.accumulate(selected, axis=0).sum(axis=1)
        if union[-1] > most:
            break
    end = int(np.flatnonzero(union <= most)[-1])
    return np.geomspace(largest, grid[max(end, 1)], n_penalties)


def select(
    design: Design, penalties: np.ndarray, n_subsamples: int, seed: int
) -> tuple[SelectionCounts, np.ndarray, float]:
    """Count how often each motif is selected along the path.

    Returns
    -------
    selection : SelectionCounts
        All motifs as candidates of one target, with a row of counts each.
    counts : int array, shape (n_motifs, n_penalties)
    gap : float
        Worst relative duality gap.
    """
    counts = np.zeros((design.n_motifs, len(penalties)), np.int64)
    n_union = np.zeros(len(penalties))
    gap = 0.0
    for pair in range(n_subsamples // 2):
        for rows in design.halves(pair, seed):
            half = design.rows(rows)
            fits = fit_path(half, penalties)
            is_in = fits.motifs(half)
            counts += is_in.T
            n_union += np.logical_or.accumulate(is_in, axis=0).sum(axis=1)
            gap = max(gap, fits.gap)
    selection = SelectionCounts(
        n_subsamples=n_subsamples,
        n_candidates=np.array([float(design.n_motifs)]),
        n_selected=counts.sum(axis=0)[None, :] / n_subsamples,
        n_union=n_union[None, :] / n_subsamples,
        counts=counts,
    )
    return selection, counts, gap


@dataclasses.dataclass(frozen=True, eq=False)
class HeldOut:
    """How well promoters are predicted that had no part in a fit.

    Attributes
    ----------
    penalties : float array, shape (n_penalties,)
    loss : float array, shape (n_penalties,)
        Mean held-out log loss, or squared error in variances of the response.
    place : int
        Penalty of the smallest loss.
    score : float array, shape (n_promoters,)
        Held-out log odds or prediction of each promoter, by the penalty that is best for the other folds.
    """

    penalties: np.ndarray
    loss: np.ndarray
    place: int
    score: np.ndarray


def held_out(design: Design, n_penalties: int, seed: int) -> HeldOut:
    """Score the path on folds that had no part in a fit; a fold's penalty is the best one of the other folds."""
    n = len(design.y)
    largest = largest_penalty(design)
    grid = np.geomspace(largest, SMALLEST * largest, n_penalties)
    fold = folds_of(design, seed)
    for penalties in (grid[: n_penalties // 2], grid):
        score = np.zeros((len(penalties), n))
        for k in range(N_FOLDS):
            test = np.flatnonzero(fold == k)
            fits = fit_path(design.rows(np.flatnonzero(fold != k)), penalties)
            score[:, test] = fits.coef @ design.x[test].T + fits.intercept[:, None]
        loss = np.logaddexp(0.0, score) - design.y * score if design.is_binomial else (design.y - score) ** 2
        by_fold = np.stack([loss[:, fold == k].sum(axis=1) for k in range(N_FOLDS)])
        others = (by_fold.sum(axis=0) - by_fold).argmin(axis=1)
        if max(by_fold.sum(axis=0).argmin(), others.max()) < len(penalties) - CLEAR:
            break
    chosen = score[others[fold], np.arange(n)]
    total = loss.mean(axis=1)
    return HeldOut(penalties, total, int(total.argmin()), chosen)


def folds_of(design: Design, seed: int) -> np.ndarray:
    """Return each promoter's fold, that of its unit; classes are spread evenly over them."""
    classes = design.classes()
    order = np.argsort(raw_words(seed, FOLD_STREAM, len(classes)), kind="stable")
    if design.is_binomial:
        order = order[np.argsort(classes[order], kind="stable")]
    fold = np.empty(len(order), np.int64)
    fold[order] = np.arange(len(order)) % N_FOLDS
    return fold[design.unit]


def auc_interval(score: np.ndarray, is_case: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Return the area under the ROC curve and its interval (DeLong, DeLong and Clarke-Pearson 1988).

    Parameters
    ----------
    score : float array, shape (n,)
    is_case : bool array, shape (n,)
    level : float
    """
    from scipy import stats

    area = auc(score, is_case)
    cases, controls = score[is_case], score[~is_case]
    ranks = stats.rankdata(np.concatenate([cases, controls]))
    m, n = len(cases), len(controls)
    of_cases = (ranks[:m] - stats.rankdata(cases)) / n
    of_controls = 1.0 - (ranks[m:] - stats.rankdata(controls)) / m
    se = np.sqrt(of_cases.var(ddof=1) / m + of_controls.var(ddof=1) / n)
    reach = float(stats.norm.ppf(0.5 + level / 2.0) * se)
    return area, max(area - reach, 0.0), min(area + reach, 1.0)


def held_out_figures(score: np.ndarray, design: Design) -> dict[str, float]:
    """Return the area under the ROC curve with its interval, or r and R2."""
    if design.is_binomial:
        area, low, high = auc_interval(score, design.y > 0.5)
        return {"auc": area, "auc_low": low, "auc_high": high}
    is_flat = score.std() == 0.0
    r = 0.0 if is_flat else float(np.corrcoef(score, design.y)[0, 1])
    return {"r": r, "r2": 1.0 - float(((design.y - score) ** 2).mean())}


def entries(is_in: np.ndarray) -> np.ndarray:
    """Return the rank in which each motif enters a path, 0 for those that do not; equal where they come together."""
    first = np.where(is_in.any(axis=0), is_in.argmax(axis=0), len(is_in))
    levels = np.unique(first[first < len(is_in)])
    before = np.array([np.count_nonzero(first < level) for level in levels])
    rank = np.zeros(len(first), np.int64)
    for level, n_before in zip(levels, before, strict=True):
        rank[first == level] = n_before + 1
    return rank
