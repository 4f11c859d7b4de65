"""The Lasso with coefficients that cannot be negative, by coordinate descent on the Gram matrix, certified.

Minimise 1/2 b'Gb - q'b + lambda sum_j w_j b_j over b >= 0. It is the Lasso with one bound of the gradient left out, so
the dual feasible set is c_j <= lambda w_j with c = q - Gb, and the gap follows as in `netinfer.solvers.certificate`.
"""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np

from netinfer.errors import ConvergenceWarning
from netinfer.kernels import njit
from netinfer.solvers.checks import checked_moments

GAP_TOLERANCE = 1e-9
MAX_SWEEPS = 20_000
# Sweeps before the settled support is solved exactly, which near duplicates need.
BEFORE_FINISH = 1_000
# The gradient of an unpenalised coefficient may lie this far above zero by rounding, as a share of sqrt(g_jj v).
FREE = 1e-10
_INNER = 50
# Eigenvalues below this share of the largest are rounding; so are gradients of this share of q.
SINGULAR, ROUNDING = 1e-15, 1e-14


@dataclasses.dataclass(frozen=True)
class NonnegativePath:
    """Nonnegative Lasso fits along a grid of penalties, with their certificates.

    Attributes
    ----------
    penalties : float array, shape (n_penalties,), decreasing
    coef : float array, shape (n_penalties, n_regulators), >= 0
    duality_gap : float array, shape (n_penalties,)
        Relative to half the target's variance; never negative.
    kkt_violation : float array, shape (n_penalties,)
    converged : bool array, shape (n_penalties,)
    """

    penalties: np.ndarray
    coef: np.ndarray
    duality_gap: np.ndarray
    kkt_violation: np.ndarray
    converged: np.ndarray


def nonnegative_lasso_path(
    gram: np.ndarray,
    cross: np.ndarray,
    penalties: np.ndarray,
    *,
    target_variance: float = 1.0,
    penalty_weights: np.ndarray | None = None,
) -> NonnegativePath:
    r"""Solve one target's Lasso with nonnegative coefficients along a decreasing grid of penalties.

    Minimises :math:`\tfrac12 b^\top G b - q^\top b + \lambda \sum_j w_j b_j` over :math:`b \ge 0`.

    Parameters
    ----------
    gram : float array, shape (n_regulators, n_regulators)
        :math:`X^\top X / n`, symmetric, positive semidefinite.
    cross : float array, shape (n_regulators,)
        :math:`X^\top y / n`.
    penalties : float array, shape (n_penalties,), decreasing, > 0
    target_variance : float, > 0
        :math:`y^\top y / n`.
    penalty_weights : float array, shape (n_regulators,), >= 0, optional
        0 leaves a regulator unpenalised, ``inf`` forbids it.

    Returns
    -------
    NonnegativePath

    Raises
    ------
    InputError
        As of `lasso_path`.

    Warns
    -----
    ConvergenceWarning
        If a relative duality gap stays above 1e-9.

    Notes
    -----
    Warm starts along the path; sweeps run over the active coordinates until they settle, then over all (Friedman,
    Hastie and Tibshirani 2010). Where they creep, active-set steps end it exactly (Lawson and Hanson 1974, chapter 23).
    """
    gram, cross, penalties, weights = checked_moments(gram, cross, penalties, target_variance, penalty_weights)
    forbidden = np.isinf(weights)
    finite = np.where(forbidden, 1.0, weights)
    shape = (len(penalties), len(cross))
    coef, gap, violation = np.zeros(shape), np.zeros(shape[0]), np.zeros(shape[0])
    follow_nonnegative(
        gram,
        cross,
        float(target_variance),
        penalties,
        finite,
        forbidden,
        GAP_TOLERANCE,
        MAX_SWEEPS,
        coef,
        gap,
        violation,
    )
    converged = gap <= GAP_TOLERANCE
    if not converged.all():
        worst = int(gap.argmax())
        warnings.warn(
            f"nonnegative_lasso_path: relative duality gap {gap[worst]:.1e} at penalty {penalties[worst]:.3g} is above "
            f"{GAP_TOLERANCE:.0e}: use larger penalties or a shrunk Gram matrix",
            ConvergenceWarning,
            stacklevel=2,
        )
    return NonnegativePath(penalties, coef, gap, violation, converged)


@njit
def _step(gram, coef, gradient, j, threshold):
    before, curvature = coef[j], gram[j, j]
    after = max(before + (gradient[j] - threshold) / curvature, 0.0)
    step = after - before
    if step != 0.0:
        coef[j] = after
        row = gram[j]
        for i in range(gradient.size):
            gradient[i] -= step * row[i]
    return abs(step) * np.sqrt(curvature)


@njit
def certificate_nonnegative(diagonal, cross, coef, gradient, penalty, weights, forbidden, variance):
    """Return the relative duality gap (inf without a dual point) and the worst violation of the KKT conditions."""
    fit, quadratic, norm, worst, free, violation = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(cross.size):
        if forbidden[j]:
            continue
        b, c = coef[j], gradient[j]
        if b > 0.0:
            fit += cross[j] * b
            quadratic += b * (cross[j] - c)
            norm += weights[j] * b
            violation = max(violation, abs(c - penalty * weights[j]))
        else:
            violation = max(violation, c - penalty * weights[j])
        if weights[j] > 0.0:
            worst = max(worst, c / weights[j])
        else:
            free = max(free, c / np.sqrt(diagonal[j]))
    if free > FREE * np.sqrt(variance):
        return np.inf, violation
    primal = 0.5 * variance - fit + 0.5 * quadratic + penalty * norm
    residual = variance - 2.0 * fit + quadratic
    against = variance - fit
    scale = against / residual if residual > 0.0 else 1.0
    # The feasible set holds every nonnegative multiple up to the one at which a bound is met.
    scale = max(scale, 0.0)
    if scale * worst > penalty:
        scale = penalty / worst
    gap = primal - (scale * against - 0.5 * scale * scale * residual)
    if gap < -1e-8 * variance:
        return np.inf, violation
    return max(gap, 0.0) / (0.5 * variance), violation


def follow_nonnegative(gram, cross, variance, penalties, weights, forbidden, tol, max_sweeps, coef, gap, violation):
    """Solve one target at every penalty (decreasing); write coef (n_penalties, p), gap and violation."""
    b = np.zeros(cross.size)
    arguments = (weights, forbidden, variance)
    for k, penalty in enumerate(penalties):
        first = min(BEFORE_FINISH, max_sweeps)
        gap[k], violation[k] = _descend(gram, cross, penalty, *arguments, tol, first, b)
        if gap[k] > tol:
            exact = _exact(gram, cross - penalty * weights, ~forbidden, b)
            found, off = certificate_nonnegative(
                gram.diagonal(), cross, exact, cross - gram @ exact, penalty, *arguments
            )
            if found < gap[k]:
                b, gap[k], violation[k] = exact, found, off
        if gap[k] > tol:
            gap[k], violation[k] = _descend(gram, cross, penalty, *arguments, tol, max_sweeps - first, b)
        coef[k] = b


@njit
def _descend(gram, cross, penalty, weights, forbidden, variance, tol, max_sweeps, b):
    """Solve at one penalty from the coefficients given, in place; return the relative gap and the violation."""
    p = cross.size
    diagonal = np.diag(gram)
    gradient = cross.copy()
    for j in range(p):
        if b[j] != 0.0:
            for i in range(p):
                gradient[i] -= b[j] * gram[j, i]
    gap, violation = certificate_nonnegative(diagonal, cross, b, gradient, penalty, weights, forbidden, variance)
    sweeps = 0
    while gap > tol and sweeps < max_sweeps:
        for j in range(p):
            if not forbidden[j]:
                _step(gram, b, gradient, j, penalty * weights[j])
        sweeps += 1
        first = -1.0
        for _ in range(_INNER):
            largest = 0.0
            for j in range(p):
                if b[j] != 0.0:
                    largest = max(largest, _step(gram, b, gradient, j, penalty * weights[j]))
            sweeps += 1
            if first < 0.0:
                first = largest
            if largest <= 1e-3 * first or largest == 0.0:
                break
        gap, violation = certificate_nonnegative(diagonal, cross, b, gradient, penalty, weights, forbidden, variance)
    return gap, violation


def _downhill(gram: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """Return the minimum, or where the Gram is singular to rounding a place far down from anywhere."""
    values, vectors = np.linalg.eigh(gram)
    curvature = np.maximum(values, SINGULAR * values[-1])
    found = vectors @ ((vectors.T @ linear) / curvature)
    return found + vectors @ ((vectors.T @ (linear - gram @ found)) / curvature)


def _exact(gram: np.ndarray, linear: np.ndarray, allowed: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Minimise 1/2 b'Gb - linear'b over b >= 0 by active-set steps from a start; where rounding ends them, so be it."""
    scale = 1.0 / np.sqrt(gram.diagonal())
    unit, linear = gram * scale[:, None] * scale, linear * scale
    x = start / scale
    is_in, is_refused = x > 0.0, ~allowed
    for _ in range(3 * len(x)):
        while is_in.any():
            places = np.flatnonzero(is_in)
            goal = _downhill(unit[np.ix_(places, places)], linear[places])
            below = goal <= 0.0
            if not below.any():
                x[places] = goal
                break
            here = x[places]
            share = here[below] / (here[below] - goal[below] + (here[below] == goal[below]))
            x[places] = np.maximum(here + share.min() * (goal - here), 0.0)
            out = places[below][share == share.min()]
            x[out], is_in[out] = 0.0, False
            is_refused[out] = True  # in this round: the one that has just come may be out again by rounding
        rest = linear - unit @ x
        rest[is_in | is_refused] = -np.inf
        j = int(rest.argmax())
        if not rest[j] > ROUNDING * np.abs(linear).max():
            if (is_refused == ~allowed).all():
                break
            is_refused = ~allowed  # those that left may come back
            continue
        is_in[j] = True
    return x * scale
