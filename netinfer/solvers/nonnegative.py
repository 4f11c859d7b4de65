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
# The gradient of an unpenalised coefficient may lie this far above zero (of a unit Gram), by rounding.
FREE = 1e-10
_INNER = 50


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
    Hastie and Tibshirani 2010).
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
def certificate_nonnegative(cross, coef, gradient, penalty, weights, forbidden, variance):
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
            free = max(free, c)
    if free > FREE * np.sqrt(variance):
        return np.inf, violation
    primal = 0.5 * variance - fit + 0.5 * quadratic + penalty * norm
    residual = variance - 2.0 * fit + quadratic
    against = variance - fit
    scale = against / residual if residual > 0.0 else 0.0
    # The feasible set holds every nonnegative multiple up to the one at which a bound is met.
    scale = max(scale, 0.0)
    if scale * worst > penalty:
        scale = penalty / worst
    gap = primal - (scale * against - 0.5 * scale * scale * residual)
    if gap < -1e-8 * variance:
        return np.inf, violation
    return max(gap, 0.0) / (0.5 * variance), violation


@njit
def follow_nonnegative(
    gram, cross, variance, penalties, weights, forbidden, tol, max_sweeps, coef, gap, violation
):  # fmt: skip
    """Solve one target at every penalty (decreasing); write coef (n_penalties, p), gap and violation."""
    p = cross.size
    b = np.zeros(p)
    for k in range(penalties.size):
        lam = penalties[k]
        gradient = cross.copy()
        for j in range(p):
            if b[j] != 0.0:
                for i in range(p):
                    gradient[i] -= b[j] * gram[j, i]
        gap[k], violation[k] = certificate_nonnegative(cross, b, gradient, lam, weights, forbidden, variance)
        sweeps = 0
        while gap[k] > tol and sweeps < max_sweeps:
            for j in range(p):
                if not forbidden[j]:
                    _step(gram, b, gradient, j, lam * weights[j])
            sweeps += 1
            first = -1.0
            for _ in range(_INNER):
                largest = 0.0
                for j in range(p):
                    if b[j] != 0.0:
                        largest = max(largest, _step(gram, b, gradient, j, lam * weights[j]))
                sweeps += 1
                if first < 0.0:
                    first = largest
                if largest <= 1e-3 * first or largest == 0.0:
                    break
            gap[k], violation[k] = certificate_nonnegative(cross, b, gradient, lam, weights, forbidden, variance)
        coef[k] = b
