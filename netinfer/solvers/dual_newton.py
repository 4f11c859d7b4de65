"""The elastic net with far more predictors than samples, by Newton steps on its dual of one variable a sample.

With shrinkage s > 0 the minimum of 1/2 b'((1-s)G + sI)b - q'b + lambda sum_j w_j |b_j| is b_j = soft(x_j'u / n,
lambda w_j) / s, where u minimises the piecewise quadratic, strongly convex

    1/2 |u - y|^2 + (1-s) n / (2 s) sum_j soft(x_j'u / n, lambda w_j)^2        (soft: soft-threshold)

over n numbers, however many predictors there are. A Newton step costs O(n p) for one product with the data and O(n^2 k)
for k active predictors, and once the active set is right it is exact (semismooth Newton: Li, Sun and Toh 2018).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from netinfer.kernels import njit

MAX_STEPS = 200
# Share of the predicted decrease that a step has to bring (Armijo).
SUFFICIENT = 1e-4


@njit
def _soft(values, thresholds, out):
    """Soft-threshold; return the sum of squares and the number that are not zero."""
    total = 0.0
    count = 0
    for j in range(values.size):
        v = values[j]
        left = abs(v) - thresholds[j]
        if left > 0.0:
            out[j] = left if v > 0.0 else -left
            total += left * left
            count += 1
        else:
            out[j] = 0.0
    return total, count


@njit
def _along(values, change, step, thresholds):
    """Return the sum of squares of the soft-thresholded ``values + step * change``."""
    total = 0.0
    for j in range(values.size):
        left = abs(values[j] + step * change[j]) - thresholds[j]
        if left > 0.0:
            total += left * left
    return total


@njit
def ray(cross, thresholds, shrinkage, variance):
    """Return the multiple of y at which the dual is smallest along it, by bisection of its slope; cheap, and close."""
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = 0.5 * (low + high)
        slope = (middle - 1.0) * variance
        for j in range(cross.size):
            size = abs(cross[j])
            left = middle * size - thresholds[j]
            if left > 0.0:
                slope += (1.0 - shrinkage) / shrinkage * left * size
        if slope > 0.0:
            high = middle
        else:
            low = middle
    return low


def _solve_hessian(columns: np.ndarray, factor: float, slope: np.ndarray) -> np.ndarray:
    """Solve (I + factor C C') d = slope."""
    hessian = factor * (columns @ columns.T)
    hessian[np.diag_indices_from(hessian)] += 1.0
    try:
        return cho_solve(cho_factor(hessian, check_finite=False), slope, check_finite=False)
    except np.linalg.LinAlgError:  # predictors of so different sizes that the 1 is lost
        basis, size, _ = np.linalg.svd(columns, full_matrices=False)
        inside = basis.T @ slope
        return slope - basis @ (inside * (factor * size**2 / (1.0 + factor * size**2)))


def solve(
    x: np.ndarray,
    y: np.ndarray,
    thresholds: np.ndarray,
    shrinkage: float,
    start: np.ndarray,
    projected: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Solve at one penalty.

    Parameters
    ----------
    x : float array, shape (n_samples, n_regulators), centred
    y : float array, shape (n_samples,), centred
    thresholds : float array, shape (n_regulators,)
        Penalty times weight; ``inf`` forbids.
    shrinkage : float, 0 < s < 1
    start : float array, shape (n_samples,)
        Dual variable to start from: that of a nearby penalty, or 0.
    projected : float array, shape (n_regulators,)
        ``start @ x / n``.

    Returns
    -------
    coef : float array, shape (n_regulators,)
    dual : float array, shape (n_samples,)
    projected : float array, shape (n_regulators,)
        ``dual @ x / n``.
    n_steps : int
    """
    n = len(y)
    ratio = (1.0 - shrinkage) / shrinkage
    u, g = start.copy(), projected.copy()
    kept = np.empty_like(g)
    square, _ = _soft(g, thresholds, kept)
    value = 0.5 * ((u - y) ** 2).sum() + 0.5 * ratio * n * square
    places, signs = np.flatnonzero(kept), np.empty(0)
    is_exact = False
    for n_steps in range(MAX_STEPS):
        columns = x[:, places]
        slope = u - y + ratio * (columns @ kept[places])
        if is_exact:
            return kept / shrinkage, u, g, n_steps
        direction = -_solve_hessian(columns, ratio / n, slope)
        change = direction @ x / n
        decrease = float(slope @ direction)
        if not decrease < 0.0:  # rounding is all that is left
            break
        step = 1.0
        while step > 1e-12:
            reached = u + step * direction
            trial = 0.5 * ((reached - y) ** 2).sum() + 0.5 * ratio * n * _along(g, change, step, thresholds)
            # Rounding of the value itself is allowed for, so that the last step is not refused.
            if trial <= value + SUFFICIENT * step * decrease + 1e-15 * abs(value):
                break
            step *= 0.5
        else:  # no step goes down: as far as rounding lets it come, which the certificate judges
            break
        signs = np.sign(kept[places])
        u, before = reached, places
        g += step * change
        square, _ = _soft(g, thresholds, kept)
        value = trial
        places = np.flatnonzero(kept)
        is_exact = step == 1.0 and np.array_equal(places, before) and np.array_equal(np.sign(kept[places]), signs)
    return kept / shrinkage, u, g, MAX_STEPS
