"""The exact minimiser over one group, and the norm that is dual to the sparse-group penalty.

A group's problem is to minimise 1/2 b'Db - u'b + sum_j single_j |b_j| + together ||b||. Without the first penalty and
with D diagonal (the group's own axes), b_j = r u_j / (D_j r + together) with r = ||b|| the root of one concave function
of one variable; with it, a proximal step leaves zero and passes over the coordinates, each solved exactly, finish.

Kernels take whole arrays and the group's range begin .. end - 1: a slice costs more than a small group's arithmetic.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit

# Passes over the coordinates of one group in one visit; a next visit goes on from there.
INNER_PASSES = 3


@njit
def group_minimum(u, curvature, together, coef, begin, end):
    """Return r, with which u_j r / (curvature_j r + together) solves a group on its own axes; 0 where it is zero.

    u : (m,) gradient of the group at zero; coef, curvature : whole arrays, the group at begin .. end - 1
    """
    size = 0.0
    guess = 0.0
    for j in range(begin, end):
        size += u[j - begin] * u[j - begin]
        guess += coef[j] * coef[j]
    if size <= together * together:
        return 0.0
    # The last solution is the first guess; without one, and where a step ends below zero, a bound from below.
    r = np.sqrt(guess) if guess > 0.0 else _least_radius(size, curvature, together, begin, end)
    for _ in range(50):
        # sum_j (u_j / (curvature_j r + together))^2 = 1; one over the root of the sum is concave in r, so Newton's
        # steps rise to the solution from the second one on.
        norm = 0.0
        slope = 0.0
        for j in range(begin, end):
            inverse = 1.0 / (curvature[j] * r + together)
            z = u[j - begin] * inverse
            z *= z
            norm += z
            slope += z * curvature[j] * inverse
        # Near 1 the root less 1 is 2 (norm - 1) / (norm + 3) up to the third order.
        excess = np.sqrt(norm) - 1.0 if norm > 2.0 else 2.0 * (norm - 1.0) / (norm + 3.0)
        r += excess * norm / slope
        if r <= 0.0:
            r = _least_radius(size, curvature, together, begin, end)
        elif abs(norm - 1.0) < 2e-3:  # the step above squared the error, and a next visit starts from here
            break
    return r


@njit
def _least_radius(size, curvature, together, begin, end):
    """Return the solution for the largest curvature in all directions; ``size`` is the squared norm of u."""
    largest = 0.0
    for j in range(begin, end):
        largest = max(largest, curvature[j])
    return (np.sqrt(size) - together) / largest


@njit
def _coordinate_minimum(s, curvature, single, together, rest):
    """Minimise 1/2 curvature b^2 - s b + single |b| + together sqrt(b^2 + rest)."""
    t = abs(s) - single
    if rest == 0.0:
        t -= together
    if t <= 0.0:
        return 0.0
    if rest == 0.0:
        b = t / curvature
    else:
        # Concave and rising in b: Newton's steps from below never pass the root.
        b = t / (curvature + together / np.sqrt(rest))
        for _ in range(50):
            inverse = 1.0 / np.sqrt(b * b + rest)
            value = curvature * b + together * b * inverse - t
            step = value / (curvature + together * rest * inverse * inverse * inverse)
            b -= step
            if abs(step) <= 1e-14 * b:
                break
    return b if s > 0.0 else -b


@njit
def sparse_group_minimum(u, gram, largest, single, penalty, together, coef, begin, end, after, pull):
    """Improve a group under both penalties, exact where it is zero; write it to ``after`` (m,).

    u : (m,) gradient of the group at zero; gram : its block at begin .. end - 1, largest : its largest eigenvalue;
    single : whole array, times ``penalty``; together : of the group, times penalty already; pull : (m,) memory
    """
    m = end - begin
    norm = 0.0
    for j in range(m):
        norm += max(abs(u[j]) - penalty * single[begin + j], 0.0) ** 2
        after[j] = 0.0
    if norm <= together * together:
        return
    # One proximal step: it leaves zero, where passes over coordinates would stay.
    norm = 0.0
    for j in range(m):
        moved = u[j]
        for i in range(m):
            moved -= gram[begin + j, begin + i] * coef[begin + i]
        moved = coef[begin + j] + moved / largest
        size = max(abs(moved) - penalty * single[begin + j] / largest, 0.0)
        after[j] = size if moved > 0.0 else -size
        norm += size * size
    norm = np.sqrt(norm)
    shrink = 0.0
    if norm * largest > together:
        shrink = 1.0 - together / (norm * largest)
    square = 0.0
    for j in range(m):
        after[j] *= shrink
        square += after[j] * after[j]
    if square == 0.0:
        return
    for j in range(m):
        pull[j] = u[j]
        for i in range(m):
            pull[j] -= gram[begin + j, begin + i] * after[i]
    for _ in range(INNER_PASSES):
        largest_step = 0.0
        for j in range(m):
            b = after[j]
            curvature = gram[begin + j, begin + j]
            rest = max(square - b * b, 0.0) if m > 1 else 0.0
            if rest < 1e-12 * square:  # cancelled: add it up
                rest = 0.0
                for i in range(m):
                    if i != j:
                        rest += after[i] * after[i]
            new = _coordinate_minimum(pull[j] + curvature * b, curvature, penalty * single[begin + j], together, rest)
            step = new - b
            if step != 0.0:
                after[j] = new
                square = rest + new * new
                largest_step = max(largest_step, abs(step))
                for i in range(m):
                    pull[i] -= step * gram[begin + j, begin + i]
        if largest_step <= 1e-3 * np.sqrt(square):
            break


@njit
def is_inside(gradient, begin, end, penalty, single, together):
    """Say whether a group may be zero: ||S(gradient, penalty single)|| <= penalty together."""
    norm = 0.0
    for j in range(begin, end):
        size = max(abs(gradient[j]) - penalty * single[j], 0.0)
        norm += size * size
    return norm <= (penalty * together) ** 2


@njit
def dual_norm(gradient, begin, end, single, together, at_least):
    """Return the smallest t >= at_least with the group inside at penalty t, exactly.

    ||S(gradient, t single)|| = t together is quadratic in t between the places where an entry drops out of the soft
    threshold (the epsilon-norm of Ndiaye et al. 2016, with weights). Bounds close in on the right piece.
    """
    if is_inside(gradient, begin, end, at_least, single, together):
        return at_least
    low = at_least
    high = np.inf
    if together == 0.0:
        for j in range(begin, end):
            low = max(low, abs(gradient[j]) / single[j])
        return low
    for j in range(begin, end):
        if single[j] > 0.0:
            t = abs(gradient[j]) / single[j]
            if low < t < high:
                if is_inside(gradient, begin, end, t, single, together):
                    high = t
                else:
                    low = t
    # Between low and high the same entries count: sum (|g| - t single)^2 = (t together)^2.
    a = -together * together
    b = 0.0
    c = 0.0
    for j in range(begin, end):
        size = abs(gradient[j])
        if single[j] == 0.0 or size / single[j] > low:
            a += single[j] * single[j]
            b += single[j] * size
            c += size * size
    # a t^2 - 2 b t + c = 0: the root where the left side falls through zero.
    inside = max(b * b - a * c, 0.0)
    t = c / (b + np.sqrt(inside)) if b + inside > 0.0 else np.inf
    return min(max(t, low), high)
