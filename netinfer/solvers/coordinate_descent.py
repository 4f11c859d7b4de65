"""Coordinate descent for a weighted Lasso on a Gram matrix: the certified fallback of the homotopy.

It needs no inverse, so duplicate regulators and rank-deficient active sets do not stop it (Friedman, Hastie and
Tibshirani 2010, covariance updates). Sweeps run over the active coordinates until they settle, then over all.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.certificate import relative_duality_gap


@njit
def _update(gram, coef, gradient, j, penalty, weight):
    """Minimise over coordinate j, keep the gradient up to date, return the change in units of the fit."""
    before = coef[j]
    curvature = gram[j, j]
    u = gradient[j] + curvature * before
    threshold = penalty * weight
    if u > threshold:
        after = (u - threshold) / curvature
    elif u < -threshold:
        after = (u + threshold) / curvature
    else:
        after = 0.0
    step = after - before
    if step != 0.0:
        coef[j] = after
        row = gram[j]
        for i in range(gradient.size):
            gradient[i] -= step * row[i]
    return abs(step) * np.sqrt(curvature)


@njit
def descend(gram, cross, penalty, weights, forbidden, variance, tol, max_sweeps, coef, gradient):
    """Solve at one penalty from the coefficients given, in place; return the relative duality gap and the sweeps."""
    n = cross.size
    diagonal = np.diag(gram)
    for i in range(n):
        gradient[i] = cross[i]
    for j in range(n):
        if coef[j] != 0.0:
            b = coef[j]
            row = gram[j]
            for i in range(n):
                gradient[i] -= b * row[i]
    gap = relative_duality_gap(diagonal, cross, coef, gradient, penalty, weights, forbidden, variance)
    sweeps = 0
    while gap > tol and sweeps < max_sweeps:
        for j in range(n):
            if not forbidden[j]:
                _update(gram, coef, gradient, j, penalty, weights[j])
        sweeps += 1
        first = -1.0
        for _ in range(50):
            largest = 0.0
            for j in range(n):
                if coef[j] != 0.0:
                    largest = max(largest, _update(gram, coef, gradient, j, penalty, weights[j]))
            sweeps += 1
            if first < 0.0:
                first = largest
            if largest <= 1e-3 * first or largest == 0.0:
                break
        gap = relative_duality_gap(diagonal, cross, coef, gradient, penalty, weights, forbidden, variance)
    return gap, sweeps
