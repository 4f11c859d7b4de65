"""Newton's method on the coordinates of a working set that are not zero, where the grouped penalty is smooth.

Block descent slows down where groups are correlated; the step here costs one Cholesky factor of the active Gram plus
the penalty's curvature together / ||b_g|| (I - b b' / ||b_g||^2), and is taken as far as the objective falls.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit

# A pivot below this share of its diagonal is of a direction that the data do not determine: it is left where it is.
DEPENDENT = 1e-11


@njit
def solve_positive(matrix, right):
    """Solve a positive semidefinite system by Cholesky, in place of both; directions without a pivot stay at zero."""
    k = right.size
    for j in range(k):
        # Row j holds what is left of the row after the earlier pivots; its first entry was set aside in the diagonal.
        pivot = matrix[j, j]
        if not pivot > 0.0:
            for i in range(j, k):
                matrix[j, i] = 0.0
            matrix[j, j] = 1.0
            right[j] = 0.0
            continue
        inverse = 1.0 / np.sqrt(pivot)
        for i in range(j, k):
            matrix[j, i] *= inverse
        for row in range(j + 1, k):
            factor = matrix[j, row]
            if factor != 0.0:
                allowed = matrix[row, row] * DEPENDENT
                for i in range(row, k):
                    matrix[row, i] -= factor * matrix[j, i]
                if matrix[row, row] <= allowed:
                    matrix[row, row] = 0.0
    for j in range(k):
        right[j] /= matrix[j, j]
        value = right[j]
        for i in range(j + 1, k):
            right[i] -= value * matrix[j, i]
    for j in range(k - 1, -1, -1):
        value = right[j]
        for i in range(j + 1, k):
            value -= matrix[j, i] * right[i]
        right[j] = value / matrix[j, j]


@njit
def _penalty_change(coef, after, single, together, first, n_groups, penalty):
    change = 0.0
    for g in range(n_groups):
        old = 0.0
        new = 0.0
        for j in range(first[g], first[g + 1]):
            change += single[j] * (abs(after[j]) - abs(coef[j]))
            old += coef[j] * coef[j]
            new += after[j] * after[j]
        change += together[g] * (np.sqrt(new) - np.sqrt(old))
    return penalty * change


@njit
def newton_step(gram, coef, gradient, single, together, first, n_groups, penalty, variance):
    """Take one damped step in place; return whether it was a whole one, with which the end is near.

    gram, coef, gradient, single : of the working set, in its order, group g at first[g] .. first[g + 1] - 1
    """
    size = first[n_groups]
    place = np.empty(size, np.int64)
    unit = np.zeros(size)
    bend = np.zeros(size)
    k = 0
    for g in range(n_groups):
        norm = 0.0
        for j in range(first[g], first[g + 1]):
            norm += coef[j] * coef[j]
        norm = np.sqrt(norm)
        for j in range(first[g], first[g + 1]):
            if coef[j] != 0.0:
                place[k] = j
                unit[j] = coef[j] / norm
                bend[j] = penalty * together[g] / norm
                k += 1
    if k == 0:
        return True
    matrix = np.empty((k, k))
    step = np.empty(k)
    g = 0
    for i in range(k):
        j = place[i]
        while j >= first[g + 1]:
            g += 1
        step[i] = gradient[j] - penalty * together[g] * unit[j]
        step[i] -= penalty * single[j] * (1.0 if coef[j] > 0.0 else -1.0)
        for h in range(i, k):
            other = place[h]
            matrix[i, h] = gram[j, other]
            if other < first[g + 1]:
                matrix[i, h] -= bend[j] * unit[j] * unit[other]
        matrix[i, i] += bend[j]
    solve_positive(matrix, step)
    return _go(gram, coef, gradient, single, together, first, n_groups, penalty, variance, place[:k], step)


@njit
def _go(gram, coef, gradient, single, together, first, n_groups, penalty, variance, place, step):
    """Go along a step, coordinates that would change sign to zero, half as far until the objective falls."""
    size = first[n_groups]
    after = coef[:size].copy()
    moved = np.zeros(size)
    length = 1.0
    for trial in range(6):
        is_clipped = False
        for i in range(place.size):
            j = place[i]
            after[j] = coef[j] + length * step[i]
            if single[j] > 0.0 and after[j] * coef[j] < 0.0:
                after[j] = 0.0
                is_clipped = True
        moved[:] = 0.0
        for j in place:
            delta = after[j] - coef[j]
            if delta != 0.0:
                for i in range(size):
                    moved[i] += delta * gram[j, i]
        change = _penalty_change(coef, after, single, together, first, n_groups, penalty)
        for j in place:
            delta = after[j] - coef[j]
            change += delta * (0.5 * moved[j] - gradient[j])
        if change <= 1e-15 * variance:  # rounding of the terms
            for j in range(size):
                coef[j] = after[j]
                gradient[j] -= moved[j]
            return trial == 0 and not is_clipped
        length *= 0.25
    return False
