"""Optimality certificates of weighted L1 problems on a Gram matrix.

The problem is to minimise 1/2 b'Gb - q'b + lambda sum_j w_j |b_j|, which is a least-squares Lasso with response
variance v (DESIGN: v = var(y) for the Lasso, var(y) / (1 - s) for a Gram shrunk by s). Scaling the residual until
it is dual feasible gives a lower bound, hence a gap that is never negative (Mairal 2010; Gap-safe rules, Ndiaye et
al. 2017). Kernels take the gradient c = q - Gb, which the solvers have at hand.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit


@njit
def relative_duality_gap(cross, coef, gradient, penalty, weights, forbidden, variance):
    """Return the duality gap divided by half the response's variance; weights of 0 are free, forbidden ones zero."""
    fit = 0.0
    quadratic = 0.0
    norm = 0.0
    worst = 0.0
    for j in range(cross.size):
        b = coef[j]
        if b != 0.0:
            fit += cross[j] * b
            quadratic += b * (cross[j] - gradient[j])
            norm += weights[j] * abs(b)
        if not forbidden[j] and weights[j] > 0.0:
            scaled = abs(gradient[j]) / weights[j]
            if scaled > worst:
                worst = scaled
    primal = 0.5 * variance - fit + 0.5 * quadratic + penalty * norm
    residual = variance - 2.0 * fit + quadratic
    against = variance - fit
    scale = 0.0
    if residual > 0.0:
        scale = against / residual
    if worst > 0.0 and scale * worst > penalty:
        scale = penalty / worst
    dual = scale * against - 0.5 * scale * scale * residual
    return max(primal - dual, 0.0) / (0.5 * variance)


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
