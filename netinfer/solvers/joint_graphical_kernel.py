"""What couples the conditions of the joint graphical Lasso, pair by pair of variables.

Of one pair, with values v in the m conditions that have both variables, the penalty is phi(v) = a |v|_1 + b c(v), where
c is the Euclidean norm (group) or the sum of |v_k - v_l| over all pairs of conditions (fused). Its dual ball is where
v'x <= phi(x) for all x. For the group penalty that is |soft(v, a)|_2 <= b. For the fused one the sum of the r largest
entries of v, and of -v, is at most r a + r (m - r) b for each r: phi sums a cut function over the sets where x is above
a level, or below it (Bach 2013, Learning with Submodular Functions).
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit

# Sums of a pair's values may exceed the fused ball by this share of its size: they are rounded.
ROUNDING = 1e-13


@njit
def gather(stack, present, j, i, values):
    """Write a pair's values in the conditions that have both variables; return how many they are."""
    m = 0
    for k in range(stack.shape[0]):
        if present[k, j] and present[k, i]:
            values[m] = stack[k, j, i]
            m += 1
    return m


@njit
def scatter(values, present, j, i, stack):
    """Write a pair's values back, at both of its places."""
    m = 0
    for k in range(stack.shape[0]):
        if present[k, j] and present[k, i]:
            stack[k, j, i] = values[m]
            stack[k, i, j] = values[m]
            m += 1


@njit
def sort_down(values, m):
    """Sort the first m values in place, the largest first."""
    for r in range(1, m):
        value, a = values[r], r
        while a > 0 and values[a - 1] < value:
            values[a] = values[a - 1]
            a -= 1
        values[a] = value


@njit
def shrink_group(values, m, a, b):
    """Replace v by the x of least |x - v|^2 / 2 + a |x|_1 + b |x|_2: soft-threshold, then shorten."""
    square = 0.0
    for k in range(m):
        values[k] = np.sign(values[k]) * max(abs(values[k]) - a, 0.0)
        square += values[k] * values[k]
    norm = np.sqrt(square)
    share = 1.0 - b / norm if norm > b else 0.0
    for k in range(m):
        values[k] *= share


@njit
def shrink_fused(values, m, a, b, order, level, size):
    """Replace v by the x of least |x - v|^2 / 2 + a |x|_1 + b sum |x_k - x_l|.

    x is ordered as v is, and then the sum is linear in it: the isotonic regression of what is left, by pooling adjacent
    violators, is exact (Hocking et al. 2011 solve the same problem by its path). Soft-thresholding comes after
    (Friedman et al. 2007). Values that are pooled are equal to the last bit.
    """
    for r in range(m):
        place = r
        while place > 0 and values[order[place - 1]] > values[r]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = r
    n = 0
    for r in range(m):
        level[n], size[n] = values[order[r]] - b * (2 * r - m + 1), 1
        n += 1
        while n > 1 and level[n - 2] >= level[n - 1]:
            both = size[n - 2] + size[n - 1]
            level[n - 2] = (level[n - 2] * size[n - 2] + level[n - 1] * size[n - 1]) / both
            size[n - 2] = both
            n -= 1
    r = 0
    for pool in range(n):
        value = np.sign(level[pool]) * max(abs(level[pool]) - a, 0.0)
        for _ in range(size[pool]):
            values[order[r]] = value
            r += 1


@njit
def gauge(values, m, a, b, is_fused):
    """Return the least s for which v lies in s times the dual ball; the values are overwritten."""
    if not is_fused:
        return gauge_group(values, m, a, b)
    most = 0.0
    sort_down(values, m)
    for _ in range(2):
        total = 0.0
        for r in range(1, m + 1):
            total += values[r - 1]
            room = r * a + r * (m - r) * b + ROUNDING * m * b
            if total > 0.0:
                most = max(most, total / room)
        for k in range(m // 2):  # then of -v, sorted
            values[k], values[m - 1 - k] = values[m - 1 - k], values[k]
        for k in range(m):
            values[k] = -values[k]
    return most


@njit
def gauge_group(values, m, a, b):
    """Return the s at which |soft(v, s a)|_2 = s b: the root of a quadratic once it is known which entries are left."""
    for k in range(m):
        values[k] = abs(values[k])
    sort_down(values, m)
    if m == 0 or values[0] == 0.0:
        return 0.0
    top, first = max(a, b), values[0]
    if top == 0.0:
        return np.inf
    a, b = a / top, b / top  # so that no square is too large or too small for a number
    for k in range(m):
        values[k] /= first
    total, square = 0.0, 0.0
    for r in range(m):
        total += values[r]
        square += values[r] * values[r]
        if r + 1 == m or values[r + 1] == 0.0:
            break
        if a > 0.0:  # is the root above the next entry's end?
            s, left = values[r + 1] / a, 0.0
            for k in range(r + 1):
                left += (values[k] - values[r + 1]) ** 2
            if left > (s * b) ** 2:
                break
    n = r + 1
    root = max(a * a * (total * total - n * square) + b * b * square, 0.0)
    return first / top * (square / (a * total + np.sqrt(root)))


@njit
def largest_gauge(stack, present, unit, a, b, is_fused):
    """Return the largest gauge of all pairs: 1 over it brings them into their balls."""
    values, most = np.zeros(stack.shape[0]), 0.0
    for j in range(stack.shape[1]):
        for i in range(j):
            m = gather(stack, present, j, i, values)
            size = unit[j] * unit[i]
            most = max(most, gauge(values, m, a * size, b * size, is_fused))
    return most


@njit
def shrink_pairs(stack, present, unit, a, b, is_fused, out):
    """Write the penalty's proximal point of each pair; the diagonal is not penalised."""
    n_conditions, q = stack.shape[0], stack.shape[1]
    values, level = np.zeros(n_conditions), np.zeros(n_conditions)
    order, size = np.zeros(n_conditions, np.int64), np.zeros(n_conditions, np.int64)
    for j in range(q):
        for k in range(n_conditions):
            out[k, j, j] = stack[k, j, j]
        for i in range(j):
            m = gather(stack, present, j, i, values)
            weight = unit[j] * unit[i]
            if is_fused:
                shrink_fused(values, m, a * weight, b * weight, order, level, size)
            else:
                shrink_group(values, m, a * weight, b * weight)
            scatter(values, present, j, i, out)


@njit
def penalty_of(stack, present, unit, a, b, is_fused):
    """Return the penalty over all pairs, (i, j) and (j, i)."""
    values, total = np.zeros(stack.shape[0]), 0.0
    for j in range(stack.shape[1]):
        for i in range(j):
            m = gather(stack, present, j, i, values)
            absolute, couple = 0.0, 0.0
            for k in range(m):
                absolute += abs(values[k])
                if is_fused:
                    for other in range(k):
                        couple += abs(values[k] - values[other])
                else:
                    couple += values[k] * values[k]
            if not is_fused:
                couple = np.sqrt(couple)
            total += 2.0 * (a * absolute + b * couple) * (unit[j] * unit[i])
    return total


@njit
def joint_component_labels(stack, present, unit, a, b, is_fused):
    """Return each variable's component, numbered by its first variable, shape (p,).

    A pair is tied where its weighted covariances are outside the dual ball. Between two components all pairs are
    inside it, and the solution is zero in every condition: the split is exact, for a partition that all conditions
    share (Danaher, Wang and Witten 2014, theorems 1 and 2; Yang et al. 2015).
    """
    p = stack.shape[1]
    values = np.zeros(stack.shape[0])
    label, queue = np.full(p, -1, np.int64), np.zeros(p, np.int64)
    n_components = 0
    for first in range(p):
        if label[first] >= 0:
            continue
        label[first], queue[0] = n_components, first
        head, tail = 0, 1
        while head < tail:
            j = queue[head]
            head += 1
            for i in range(p):
                if label[i] >= 0:
                    continue
                m = gather(stack, present, j, i, values)
                size = unit[j] * unit[i]
                if gauge(values, m, a * size, b * size, is_fused) > 1.0:
                    label[i], queue[tail] = n_components, i
                    tail += 1
        n_components += 1
    return label
