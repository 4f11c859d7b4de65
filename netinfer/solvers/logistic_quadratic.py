"""The penalised quadratic inside each Newton step of the logistic path.

Minimise 1/2 b'Hb - q'b + sum_j t_j |b_j| + sum_g u_g ||b_g||_2 over a small working set. Coordinate (block) descent
settles the support; without group terms the support is then solved exactly by a Cholesky factor, with a step back to
the first change of sign where there is one, so that a badly conditioned H costs no long tail of sweeps.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit

# Pivots are at least this share of their diagonal: nearly equal predictors then trade places in one long step, which
# ends where one of them is zero, and a singular support does no harm.
SINGULAR = 1e-12


@njit
def _shrunk(value, threshold):
    if value > threshold:
        return value - threshold
    if value < -threshold:
        return value + threshold
    return 0.0


@njit
def block_violation(coef, slope, thresholds, group_threshold, first, last):
    """Return the largest distance of -slope from the subdifferential within one block; slope = q - Hb."""
    if last - first == 1:
        bound = thresholds[first] + group_threshold
        if coef[first] > 0.0:
            return abs(slope[first] - bound)
        if coef[first] < 0.0:
            return abs(slope[first] + bound)
        return max(abs(slope[first]) - bound, 0.0)
    norm, outside = 0.0, 0.0
    for j in range(first, last):
        norm += coef[j] * coef[j]
        left = _shrunk(slope[j], thresholds[j])
        outside += left * left
    if norm == 0.0:
        return max(np.sqrt(outside) - group_threshold, 0.0)
    worst = 0.0
    for j in range(first, last):
        left = slope[j] - group_threshold * coef[j] / np.sqrt(norm)
        if coef[j] > 0.0:
            distance = abs(left - thresholds[j])
        elif coef[j] < 0.0:
            distance = abs(left + thresholds[j])
        else:
            distance = max(abs(left) - thresholds[j], 0.0)
        worst = max(worst, distance)
    return worst


@njit
def violation(coef, slope, thresholds, group_thresholds, starts):
    """Return the largest violation over all blocks; block g is ``starts[g]`` to ``starts[g + 1]``."""
    worst = 0.0
    for g in range(starts.size - 1):
        worst = max(worst, block_violation(coef, slope, thresholds, group_thresholds[g], starts[g], starts[g + 1]))
    return worst


@njit
def curvatures(hessian, starts, out):
    """Write the largest eigenvalue of each diagonal block."""
    for g in range(starts.size - 1):
        first, last = starts[g], starts[g + 1]
        if last - first == 1:
            out[g] = hessian[first, first]
        else:
            out[g] = np.linalg.eigvalsh(hessian[first:last, first:last].copy())[-1]


@njit
def _move(hessian, coef, slope, j, value):
    step = value - coef[j]
    if step != 0.0:
        coef[j] = value
        row = hessian[j]
        for i in range(slope.size):
            slope[i] -= step * row[i]


@njit
def _update_block(hessian, coef, slope, thresholds, group_threshold, first, last, curvature):
    """Minimise over one coordinate, or take one proximal gradient step over a block."""
    if curvature <= 0.0:
        return
    if last - first == 1:
        value = slope[first] + curvature * coef[first]
        _move(hessian, coef, slope, first, _shrunk(value, thresholds[first] + group_threshold) / curvature)
        return
    norm = 0.0
    after = np.empty(last - first)
    for j in range(first, last):
        after[j - first] = _shrunk(coef[j] + slope[j] / curvature, thresholds[j] / curvature)
        norm += after[j - first] ** 2
    norm = np.sqrt(norm)
    scale = 0.0
    if norm > group_threshold / curvature:
        scale = 1.0 - group_threshold / (curvature * norm)
    for j in range(first, last):
        _move(hessian, coef, slope, j, scale * after[j - first])


@njit
def _solve_support(hessian, coef, slope, thresholds, factor, step, support):
    """Go to the exact minimum over the support with its signs, or to the first sign change on the way.

    Returns the number of coefficients that became zero.
    """
    n = 0
    for j in range(coef.size):
        if coef[j] != 0.0:
            support[n] = j
            n += 1
    for a in range(n):
        i = support[a]
        for b in range(a, n):
            factor[a, b] = hessian[i, support[b]]
        sign = 1.0 if coef[i] > 0.0 else -1.0
        step[a] = slope[i] - sign * thresholds[i]
    for a in range(n):
        row = factor[a]
        row[a] = max(row[a], SINGULAR * hessian[support[a], support[a]])
        root = np.sqrt(row[a])
        for b in range(a, n):
            row[b] /= root
        for c in range(a + 1, n):
            share = row[c]
            other = factor[c]
            for b in range(c, n):
                other[b] -= share * row[b]
    for a in range(n):  # U'z = rhs, then U s = z
        step[a] /= factor[a, a]
        for b in range(a + 1, n):
            step[b] -= factor[a, b] * step[a]
    for a in range(n - 1, -1, -1):
        total = step[a]
        for b in range(a + 1, n):
            total -= factor[a, b] * step[b]
        step[a] = total / factor[a, a]
    length, changed = 1.0, -1
    for a in range(n):
        before = coef[support[a]]
        if thresholds[support[a]] > 0.0 and before * (before + step[a]) <= 0.0:
            share = -before / step[a]
            if share < length:
                length, changed = share, a
    for a in range(n):
        value = 0.0 if a == changed else coef[support[a]] + length * step[a]
        _move(hessian, coef, slope, support[a], value)
    return 0 if changed < 0 else 1


@njit
def minimise(hessian, coef, slope, thresholds, group_thresholds, starts, bounds, tol, max_sweeps, is_exact):
    """Minimise the penalised quadratic from ``coef``, in place, to a largest violation of ``tol``.

    ``slope`` is q - Hb at ``coef`` and is kept; ``bounds`` are the blocks' curvatures; ``is_exact``: no group terms,
    so that the support may be solved. Returns the violation reached.
    """
    k, n_blocks = coef.size, starts.size - 1
    factor, step, support = np.empty((k, k)), np.empty(k), np.empty(k, np.int64)
    before = np.empty(k)
    reached = violation(coef, slope, thresholds, group_thresholds, starts)
    sweeps = 0
    while reached > tol and sweeps < max_sweeps:
        before[:] = coef
        for g in range(n_blocks):
            _update_block(hessian, coef, slope, thresholds, group_thresholds[g], starts[g], starts[g + 1], bounds[g])
        sweeps += 1
        is_settled = True
        for j in range(k):
            if (coef[j] != 0.0) != (before[j] != 0.0) or coef[j] * before[j] < 0.0:
                is_settled = False
        if is_exact and (is_settled or sweeps % 5 == 0):
            for _ in range(k):
                if _solve_support(hessian, coef, slope, thresholds, factor, step, support) != 1:
                    break
        else:
            for _ in range(10 if is_exact else 5):
                for g in range(n_blocks):
                    first, last = starts[g], starts[g + 1]
                    is_active = False
                    for j in range(first, last):
                        is_active = is_active or coef[j] != 0.0
                    if is_active:
                        _update_block(hessian, coef, slope, thresholds, group_thresholds[g], first, last, bounds[g])
        reached = violation(coef, slope, thresholds, group_thresholds, starts)
    return reached
