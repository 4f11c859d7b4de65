"""The exact minimiser over one group, and the norm that is dual to the sparse-group penalty.

A group's problem is to minimise 1/2 b'Db - u'b + sum_j single_j |b_j| + together ||b||. Without the first penalty and
with D diagonal (the group's own axes), b_j = r u_j / (D_j r + together) with r = ||b|| the root of one concave function
of one variable; with it, a proximal step leaves zero and passes over the coordinates, each solved exactly, finish.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit

# Passes over the coordinates of one group in one visit; a next visit goes on from there.
INNER_PASSES = 3


@njit
def group_radius(u, curvature, together, low, high, guess):
    """Return r with sum_j (u_j / (curvature_j r + together))^2 = 1, between two bounds, by Newton's method.

    The reciprocal of that norm is concave in r, so the steps rise to the root from the second one on.
    """
    r = min(max(guess, low), high)
    for _ in range(50):
        norm = 0.0
        slope = 0.0
        for j in range(u.size):
            inverse = 1.0 / (curvature[j] * r + together)
            z = u[j] * inverse
            norm += z * z
            slope += z * z * curvature[j] * inverse
        root = np.sqrt(norm)
        # 1/root - 1 has the derivative slope / root^3.
        step = (root - 1.0) * norm / slope
        r = min(max(r + step, low), high)
        if abs(root - 1.0) < 1e-10:  # the step above squared the error
            break
    return r


@njit
def group_minimum(u, curvature, together, before, after):
    """Solve a group on its own axes, from the last solution on; write it and return its norm."""
    norm = 0.0
    guess = 0.0
    smallest = np.inf
    largest = 0.0
    for j in range(u.size):
        norm += u[j] * u[j]
        guess += before[j] * before[j]
        smallest = min(smallest, curvature[j])
        largest = max(largest, curvature[j])
    norm = np.sqrt(norm)
    if norm <= together:
        for j in range(u.size):
            after[j] = 0.0
        return 0.0
    low = (norm - together) / largest
    high = (norm - together) / smallest if smallest > 1e-14 * largest else 1e14 * low
    r = group_radius(u, curvature, together, low, high, np.sqrt(guess))
    for j in range(u.size):
        after[j] = r * u[j] / (curvature[j] * r + together)
    return r


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
            square = b * b + rest
            inverse = 1.0 / np.sqrt(square)
            value = curvature * b + together * b * inverse - t
            step = value / (curvature + together * rest * inverse / square)
            b -= step
            if abs(step) <= 1e-14 * b:
                break
    return b if s > 0.0 else -b


@njit
def sparse_group_minimum(u, block, largest, single, together, before, after, pull):
    """Improve a group under both penalties from ``before``, exact where it is zero; write it to ``after``.

    u : gradient at zero of the group; block : (m, m) its Gram; largest : its largest eigenvalue
    """
    m = u.size
    norm = 0.0
    for j in range(m):
        norm += max(abs(u[j]) - single[j], 0.0) ** 2
    if np.sqrt(norm) <= together:
        for j in range(m):
            after[j] = 0.0
        return
    # One proximal step: it leaves zero, where passes over coordinates would stay.
    norm = 0.0
    for j in range(m):
        moved = u[j]
        for i in range(m):
            moved -= block[j, i] * before[i]
        moved = before[j] + moved / largest
        size = max(abs(moved) - single[j] / largest, 0.0)
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
            pull[j] -= block[j, i] * after[i]
    for _ in range(INNER_PASSES):
        largest_step = 0.0
        for j in range(m):
            b = after[j]
            rest = 0.0
            for i in range(m):
                if i != j:
                    rest += after[i] * after[i]
            after[j] = _coordinate_minimum(pull[j] + block[j, j] * b, block[j, j], single[j], together, rest)
            step = after[j] - b
            if step != 0.0:
                largest_step = max(largest_step, abs(step))
                for i in range(m):
                    pull[i] -= step * block[i, j]
        if largest_step <= 1e-3 * np.sqrt(square):
            break


@njit
def is_inside(gradient, penalty, single, together):
    """Say whether a group may be zero: ||S(gradient, penalty single)|| <= penalty together."""
    norm = 0.0
    for j in range(gradient.size):
        norm += max(abs(gradient[j]) - penalty * single[j], 0.0) ** 2
    return norm <= (penalty * together) ** 2


@njit
def dual_norm(gradient, single, together, at_least):
    """Return the smallest t >= at_least with the group inside at penalty t, exactly.

    ||S(gradient, t single)|| = t together is quadratic in t between the places where an entry drops out of the soft
    threshold (the epsilon-norm of Ndiaye et al. 2016, with weights). Bounds close in on the right piece.
    """
    if is_inside(gradient, at_least, single, together):
        return at_least
    low = at_least
    high = np.inf
    if together == 0.0:
        for j in range(gradient.size):
            low = max(low, abs(gradient[j]) / single[j])
        return low
    for j in range(gradient.size):
        if single[j] > 0.0:
            t = abs(gradient[j]) / single[j]
            if low < t < high:
                if is_inside(gradient, t, single, together):
                    high = t
                else:
                    low = t
    # Between low and high the same entries count: sum (|g| - t single)^2 = (t together)^2.
    a = -together * together
    b = 0.0
    c = 0.0
    for j in range(gradient.size):
        size = abs(gradient[j])
        if single[j] == 0.0 or size / single[j] > low:
            a += single[j] * single[j]
            b += single[j] * size
            c += size * size
    # a t^2 - 2 b t + c = 0: the root where the left side falls through zero.
    inside = max(b * b - a * c, 0.0)
    t = c / (b + np.sqrt(inside)) if b + inside > 0.0 else np.inf
    return min(max(t, low), high)
