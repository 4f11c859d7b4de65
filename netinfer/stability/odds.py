"""Odds ratios of a few chosen predictors, and how well scores tell two classes apart."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

MAX_STEPS, MAX_HALVINGS, LONGEST_STEP, SMALL = 50, 30, 2.0, 1e-9
# Design columns of which less than this share varies freely of the others have no coefficient worth a number.
COLLINEAR = 1e-4


def firth(design: np.ndarray, is_case: np.ndarray, weight: float = 1.0) -> tuple[np.ndarray, np.ndarray] | None:
    r"""Fit a logistic regression by the likelihood that Firth penalised, which is finite for separable classes too.

    Maximises :math:`\sum_i c\, \ell_i(b) + \tfrac12 \log\det(X^\top W X)` with :math:`W = c\, p (1 - p)`.

    Parameters
    ----------
    design : float array, shape (n_samples, n_columns)
        The intercept is a column of it; the others centred and scaled.
    is_case : bool array, shape (n_samples,)
    weight : float
        c, what each sample counts for: less than 1 where samples are not independent.

    Returns
    -------
    coef, standard_error : float arrays, shape (n_columns,)
        Log odds per unit. None where the columns are collinear or no maximum is found.

    Notes
    -----
    Firth (1993); Heinze and Schemper (2002). Standard errors are of the information matrix at the maximum.
    """
    scale = np.sqrt((design**2).mean(axis=0))
    if (scale == 0).any():
        return None
    x = design / scale
    if np.linalg.eigvalsh(x.T @ x / len(x))[0] < COLLINEAR:
        return None
    coef = np.zeros(x.shape[1])
    value, slope, inverse = _penalised(x, is_case, weight, coef)
    for _ in range(MAX_STEPS):
        step = inverse @ slope
        longest = np.abs(step).max()
        if longest <= SMALL:
            return coef / scale, np.sqrt(inverse.diagonal()) / scale
        step *= min(1.0, LONGEST_STEP / longest)
        for _ in range(MAX_HALVINGS):
            found = _penalised(x, is_case, weight, coef + step)
            if found is not None and found[0] >= value - 1e-12 * max(1.0, abs(value)):
                break
            step = 0.5 * step
        else:
            return None
        coef = coef + step
        value, slope, inverse = found
    return None


def _penalised(x, is_case, weight, coef):
    """Return penalised log likelihood, its slope, and the inverse information; None where that is singular."""
    eta = x @ coef
    chance = 0.5 * (1.0 + np.tanh(0.5 * eta))
    w = weight * chance * (1.0 - chance)
    information = (x * w[:, None]).T @ x
    sign, log_determinant = np.linalg.slogdet(information)
    if sign <= 0 or not np.isfinite(log_determinant):
        return None
    inverse = np.linalg.inv(information)
    leverage = w * np.einsum("ij,jk,ik->i", x, inverse, x)
    value = -weight * np.logaddexp(0.0, np.where(is_case, -eta, eta)).sum() + 0.5 * log_determinant
    slope = x.T @ (weight * (is_case - chance) + leverage * (0.5 - chance))
    return value, slope, inverse


def auc(scores: np.ndarray, is_case: np.ndarray) -> float:
    """Return the share of pairs of a case and a control in which the case scores higher, ties counted as half.

    Parameters
    ----------
    scores : float array, shape (n_samples,)
    is_case : bool array, shape (n_samples,)

    Returns
    -------
    float
        NaN where a class is missing.
    """
    n_cases, n_controls = int(is_case.sum()), int((~is_case).sum())
    if not n_cases or not n_controls:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[is_case].sum() - n_cases * (n_cases + 1) / 2) / (n_cases * n_controls))
