"""The penalty of the model that predicts, by held-out error over folds of distinct sequences."""

from __future__ import annotations

import dataclasses

import numpy as np

from netinfer.models.motif.paths import Paths, base_paths, least_squares, position_paths
from netinfer.models.motif.problem import MotifProblem
from netinfer.moments import Moments
from netinfer.moments.onehot import BaseCounts
from netinfer.stability.subsamples import raw_words

N_FOLDS = 10
# Counter of the folds' random words, beyond those of any pair of half-samples.
FOLD_STREAM = 1 << 40
# A held-out path ends below the noise by this factor of 1 / sqrt(n), where every base that helps is in.
FINEST = 0.35
MODELS = ("lasso", "group_lasso")
RULES = ("one_se", "best")


@dataclasses.dataclass(frozen=True)
class Choice:
    """Held-out error along the path of one response.

    Attributes
    ----------
    penalties : float array, shape (n_penalties,), decreasing
    r2, r2_se : float arrays, shape (n_penalties,)
        Share of the square error around the mean of the other folds that predictions take off, of all folds together,
        so that 1 is the most; and its standard error over the folds.
    r : float array, shape (n_penalties,)
        Mean over the folds of the correlation of prediction and activity; NaN where no fold has one.
    place : int
        The penalty chosen.
    fold : int array, shape (n,)
        The fold of each sequence.
    heldout : float array, shape (n,)
        Of each sequence, what the fit without its fold predicts at that penalty: the response less its mean over all
        (two classes: the log odds).
    fold_coef : float array, shape (n_folds, n_columns)
        Coefficients of these fits.
    """

    penalties: np.ndarray
    r2: np.ndarray
    r2_se: np.ndarray
    r: np.ndarray
    place: int
    fold: np.ndarray
    heldout: np.ndarray
    fold_coef: np.ndarray


def folds(n_units: int, seed: int, n_folds: int = N_FOLDS) -> np.ndarray:
    """Return each unit's fold, of sizes that differ by one at most, int array, shape (n_units,)."""
    order = np.argsort(raw_words(seed, FOLD_STREAM, n_units), kind="stable")
    out = np.empty(n_units, np.int64)
    out[order] = np.arange(n_units) % n_folds
    return out


def paths_of(model: str, moments: Moments, problem: MotifProblem, penalties: np.ndarray) -> Paths:
    """Fit the Lasso over bases or the group Lasso over positions."""
    fit = base_paths if model == "lasso" else position_paths
    return fit(moments, problem.coding.position, problem.n_positions, penalties)


def refitted(moments: Moments, path: Paths, response: int, is_refit: bool) -> np.ndarray:
    """Return the coefficients along a path, by least squares on each support where wished, (n_penalties, n_columns)."""
    coef = path.coef[response]
    if not is_refit:
        return coef
    out = np.zeros_like(coef)
    for k, shrunk in enumerate(coef):
        chosen = np.flatnonzero(shrunk)
        if k and np.array_equal(chosen, np.flatnonzero(coef[k - 1])):
            out[k] = out[k - 1]
        elif chosen.size:
            out[k, chosen] = least_squares(moments, chosen, response)
    return out


def choose_penalty(
    problem: MotifProblem,
    everything: BaseCounts,
    penalties: np.ndarray,
    *,
    model: str,
    is_refit: bool,
    rule: str,
    seed: int,
) -> list[Choice]:
    """Score a path on folds that had no part in it, by moments, and choose a penalty for each response.

    Parameters
    ----------
    problem : MotifProblem
    everything : BaseCounts
    penalties : float array, shape (n_penalties,), decreasing
    model : {"lasso", "group_lasso"}
    is_refit : bool
    rule : {"one_se", "best"}
        ``one_se`` takes the largest penalty whose error is within one standard error of the smallest (Breiman,
        Friedman, Olshen and Stone 1984; Hastie, Tibshirani and Friedman 2009).
    seed : int

    Returns
    -------
    list of Choice, one a response
    """
    n_responses = problem.responses.shape[1]
    error = np.zeros((n_responses, N_FOLDS, len(penalties)))
    base = np.zeros((n_responses, N_FOLDS))
    r = np.full(error.shape, np.nan)
    fold = folds(problem.n_units, seed)[problem.unit]
    transform = problem.coding.transform
    coefs = np.zeros((n_responses, N_FOLDS, len(penalties), problem.design.n_columns))
    intercepts = np.zeros((n_responses, N_FOLDS, len(penalties)))
    for k in range(N_FOLDS):
        inside = problem.count(np.flatnonzero(fold == k))
        test, train = inside.moments(transform), (everything - inside).moments(transform)
        path = paths_of(model, train, problem, penalties)
        for t in range(n_responses):
            coef = refitted(train, path, t, is_refit)
            error[t, k], base[t, k], r[t, k] = score(coef, train, test, t)
            coefs[t, k], intercepts[t, k] = coef, train.target_mean[t] - coef @ train.regulator_mean
    out = []
    for t in range(n_responses):
        mean, se, mean_r, place = chosen(shares(error[t], base[t]), r[t], rule)
        coef = coefs[t, :, place].copy()
        heldout = heldout_linear(problem, fold, coef, intercepts[t, :, place])
        out.append(Choice(penalties, mean, se, mean_r, place, fold, heldout, coef))
    return out


def heldout_linear(problem: MotifProblem, fold: np.ndarray, coef: np.ndarray, intercept: np.ndarray) -> np.ndarray:
    """Return what each sequence gets from the fit without its fold, float array (n,).

    coef : (n_folds, n_columns); intercept : (n_folds,)
    """
    transform = problem.coding.transform
    out = np.empty(len(problem.codes))
    for k, of_fold in enumerate(coef):
        rows = np.flatnonzero(fold == k)
        counted = of_fold if transform is None else transform.T @ of_fold
        out[rows] = intercept[k] + problem.design.matrix(rows) @ counted
    return out


def shares(error: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return what each fold adds to R2, so that the mean over the folds is 1 - sum of `error` / sum of `base`.

    error : (n_folds, n_fits); base : (n_folds,)
    """
    # Folds of few sequences differ in variance, so that the folds share one denominator. It is the mean of `base` and
    # not the variance of all, which is smaller than `base` is where the mean of the other folds is far off: R2 stays
    # at 1 or below.
    return (base[:, None] - error) / base.mean()


def score(coef: np.ndarray, train: Moments, test: Moments, response: int) -> tuple[np.ndarray, float, np.ndarray]:
    """Return mean square error, that of the other sequences' mean, and correlation of fits on others, by moments.

    coef : (n_fits, n_columns) by the moments of `train`
    """
    shift = coef @ (test.regulator_mean - train.regulator_mean)
    offset = test.target_mean[response] - train.target_mean[response] - shift
    covariance = coef @ test.cross[:, response]
    quadratic = np.maximum(np.einsum("ki,ij,kj->k", coef, test.gram, coef, optimize=True), 0.0)
    error = test.target_var[response] - 2.0 * covariance + quadratic + offset**2
    base = float(test.target_var[response] + (test.target_mean[response] - train.target_mean[response]) ** 2)
    size = np.sqrt(quadratic * test.target_var[response])
    r = np.divide(covariance, size, out=np.full(len(coef), np.nan), where=size > 1e-12 * train.target_var[response])
    return np.maximum(error, 0.0), base, r


def chosen(r2: np.ndarray, r: np.ndarray, rule: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Return mean and standard error of R2 over the folds, mean r, and the place that a rule chooses."""
    mean, se = r2.mean(axis=0), r2.std(axis=0, ddof=1) / np.sqrt(len(r2))
    best = int(mean.argmax())
    place = best if rule == "best" else int((mean >= mean[best] - se[best]).argmax())
    known = ~np.isnan(r)
    n_known = known.sum(axis=0)
    mean_r = np.divide(np.where(known, r, 0.0).sum(axis=0), n_known, out=np.full(len(mean), np.nan), where=n_known > 0)
    return mean, se, mean_r, place
