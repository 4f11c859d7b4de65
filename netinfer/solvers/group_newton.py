"""Newton's method on the coordinates of a working set that are not zero, where the grouped penalty is smooth.

Block descent slows down where groups are correlated; the step here costs one Cholesky factor of the active Gram plus
the penalty's curvature together / ||b_g|| (I - b b' / ||b_g||^2), and is taken as far as the objective falls.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit

# Least pivot, as a share of its diagonal: along directions that the data hardly determine the step is long, not none,
# and ends where a coordinate comes to zero.
LEAST_PIVOT = 1e-11
TRIALS = 10
# Most that a step may change a coordinate, as a multiple of the largest coefficient: along a direction that the data do
# not determine the whole step is as long as rounding makes it.
LONGEST = 10.0


@njit
def solve_positive(matrix, right):
    """Solve a positive semidefinite system by Cholesky, in place of both, with pivots kept from zero."""
    k = right.size
    least = np.empty(k)
    for j in range(k):
        least[j] = LEAST_PIVOT * matrix[j, j]
    for j in range(k):
        inverse = 1.0 / np.sqrt(max(matrix[j, j], least[j]))
        matrix[j, j] = 1.0 / inverse
        for i in range(j + 1, k):
            matrix[j, i] *= inverse
        for row in range(j + 1, k):
            factor = matrix[j, row]
            if factor != 0.0:
                for i in range(row, k):
                    matrix[row, i] -= factor * matrix[j, i]
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
    """Go along a step until the objective falls: whole, to the first change of sign, then ever shorter."""
    size = first[n_groups]
    after = coef[:size].copy()
    moved = np.zeros(size)
    # The penalty has a kink where such a coordinate is zero: it has a part of its own, or is a group of one.
    is_kinked = np.empty(size, np.bool_)
    for g in range(n_groups):
        is_one = first[g + 1] - first[g] == 1 and together[g] > 0.0
        for j in range(first[g], first[g + 1]):
            is_kinked[j] = single[j] > 0.0 or is_one
    largest = 0.0
    farthest = 0.0
    for i in range(place.size):
        largest = max(largest, abs(coef[place[i]]))
        farthest = max(farthest, abs(step[i]))
    crossing = 1.0
    if farthest > LONGEST * largest:
        for i in range(place.size):
            step[i] *= LONGEST * largest / farthest
    for i in range(place.size):
        j = place[i]
        if is_kinked[j] and (coef[j] + step[i]) * coef[j] < 0.0:
            crossing = min(crossing, -coef[j] / step[i])
    length = 1.0
    for trial in range(TRIALS):
        for i in range(place.size):
            j = place[i]
            after[j] = coef[j] + length * step[i]
            # Rounding must not keep the one that comes to zero from it.
            if is_kinked[j] and after[j] * coef[j] <= 1e-14 * coef[j] * coef[j]:
                after[j] = 0.0
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
            return trial == 0 and crossing == 1.0
        length = crossing if trial == 0 and crossing < 1.0 else 0.25 * length
    return False
