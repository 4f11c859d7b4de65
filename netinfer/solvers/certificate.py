"""Optimality certificates of weighted L1 problems on a Gram matrix.

The problem is to minimise 1/2 b'Gb - q'b + lambda sum_j w_j |b_j|, which is a least-squares Lasso with response
variance v (DESIGN: v = var(y) for the Lasso, var(y) / (1 - s) for a Gram shrunk by s). Scaling the residual until
it is dual feasible gives a lower bound, hence a gap that is never negative (Mairal 2010; Gap-safe rules, Ndiaye et
al. 2017). Kernels take the gradient c = q - Gb, which the solvers have at hand.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit

# An unpenalised regulator's gradient is zero up to rounding: this share of sqrt(g_jj v), the largest it can be.
FREE = 1e-10


@njit
def relative_duality_gap(diagonal, cross, coef, gradient, penalty, weights, forbidden, variance):
    """Return the duality gap divided by half the response's variance; ``inf`` where no lower bound holds.

    ``diagonal`` is the Gram's.
    """
    fit = 0.0
    quadratic = 0.0
    norm = 0.0
    worst = 0.0
    free = 0.0
    for j in range(cross.size):
        b = coef[j]
        if b != 0.0:
            fit += cross[j] * b
            quadratic += b * (cross[j] - gradient[j])
            norm += weights[j] * abs(b)
        if not forbidden[j]:
            if weights[j] > 0.0:
                worst = max(worst, abs(gradient[j]) / weights[j])
            else:
                free = max(free, abs(gradient[j]) / np.sqrt(diagonal[j]))
    return gap_of_sums(fit, quadratic, norm, worst, free, penalty, variance)


@njit
def gap_of_sums(fit, quadratic, norm, worst, free, penalty, variance):
    """Return the relative gap from q'b, b'Gb, sum w|b|, max |c|/w and the largest unpenalised |c|/sqrt(g)."""
    primal = 0.5 * variance - fit + 0.5 * quadratic + penalty * norm
    residual = variance - 2.0 * fit + quadratic
    against = variance - fit
    # Of a residual that is all rounding any feasible multiple bounds as well: the residual itself, or what fits.
    scale = against / residual if residual > 0.0 else 1.0
    if abs(scale) * worst > penalty:
        scale = penalty / worst if scale > 0.0 else -penalty / worst
    # No dual point is feasible while an unpenalised regulator still explains something.
    if free > FREE * np.sqrt(variance):
        return np.inf
    gap = primal - (scale * against - 0.5 * scale * scale * residual)
    # Below zero by more than rounding: Gram, cross-moments and variance are of no common data.
    if gap < -1e-8 * variance:
        return np.inf
    return max(gap, 0.0) / (0.5 * variance)


@njit
def kkt_violation(coef, gradient, penalty, weights, forbidden):
    """Return the largest distance of the gradient from the subdifferential of the penalty, in units of q."""
    worst = 0.0
    for j in range(coef.size):
        if forbidden[j]:
            distance = abs(coef[j]) * np.inf if coef[j] != 0.0 else 0.0
        elif coef[j] > 0.0:
            distance = abs(gradient[j] - penalty * weights[j])
        elif coef[j] < 0.0:
            distance = abs(gradient[j] + penalty * weights[j])
        else:
            distance = max(abs(gradient[j]) - penalty * weights[j], 0.0)
        if distance > worst:
            worst = distance
    return worst
