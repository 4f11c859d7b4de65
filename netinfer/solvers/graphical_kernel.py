"""Columns of the Graphical Lasso's dual: block coordinate descent with an exact active-set solve a column.

The dual maximises log det W over symmetric W with the diagonal fixed and |W_ij - S_ij| <= L_ij. With all but column j
held, the best column is w = W_11 b, where b minimises the Lasso 1/2 b'W_11 b - s'b + sum_i l_i |b_i| (Banerjee, El
Ghaoui and d'Aspremont 2008; Friedman, Hastie and Tibshirani 2008). It is solved exactly on an active set that starts
from the last sweep's support and signs: the active equations by Cholesky, a step back to the first change of sign,
the worst violators in. Then w = s - clip(s - W_11 b, -l, l) lies in the box, and log det W does not fall.

Sweeps converge linearly, so from the second on a column goes further than to its best, within the box (successive
over-relaxation). Along this way 1 - w'W_11^-1 w, by which det W is multiplied, is concave, and largest at the best
column or beyond it: it does not fall for a factor below 2 where the box allows the whole way.

All is in the units of the correlation: W has diagonal 1, and scale_i scale_j S_ij stands for S_ij.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.active_set import backward, forward

# Columns whose new values are written across the rows of W together: a cache line holds 8 numbers.
BLOCK = 16
# What a variable adds to the active ones, as a share of its variance, below which it stays out.
DEPENDENT = 1e-13
# Solves of one column; two are the rule, a first sweep needs some more.
MAX_SOLVES = 1_000


class Columns(NamedTuple):
    """The regression of each variable on the others, as sparse rows with room."""

    support: np.ndarray  # (p, room) int64, the variables in each column's regression
    coef: np.ndarray  # (p, room) their coefficients
    count: np.ndarray  # (p,) int64, how many there are
    precision: np.ndarray  # (p,) 1 / (1 - w'b), the diagonal of the precision matrix


class Work(NamedTuple):
    """Scratch of the column solver; the first names are those that the substitutions of `active_set` read."""

    lower: np.ndarray  # (room, room) Cholesky factor of the active part of W
    upper: np.ndarray  # (room, room) its transpose
    inverse_diagonal: np.ndarray  # (room,)
    active: np.ndarray  # (room,) int64
    sign: np.ndarray  # (room,) 0 for a free pair
    coef: np.ndarray  # (room,)
    goal: np.ndarray  # (room,) the solution of the active equations
    is_active: np.ndarray  # (p,) bool
    cross: np.ndarray  # (p,) column of the covariance
    bound: np.ndarray  # (p,) column of the penalty
    gradient: np.ndarray  # (p,)


def make_columns(p: int, room: int) -> Columns:
    """Return regressions without any variable."""
    return Columns(np.zeros((p, room), np.int64), np.zeros((p, room)), np.zeros(p, np.int64), np.ones(p))


def make_work(p: int, room: int) -> Work:
    """Allocate the scratch for p variables and at most room of them active."""
    return Work(
        lower=np.zeros((room, room)), upper=np.zeros((room, room)), inverse_diagonal=np.zeros(room),
        active=np.zeros(room, np.int64), sign=np.zeros(room), coef=np.zeros(room), goal=np.zeros(room),
        is_active=np.zeros(p, np.bool_), cross=np.zeros(p), bound=np.zeros(p), gradient=np.zeros(p),
    )  # fmt: skip


@njit
def _entry(W, a, c, first, j):
    """Return W[a, c], of which columns first to j - 1 are not yet written across the rows."""
    return W[c, a] if first <= c < j else W[a, c]


@njit
def _append(W, work, n, i, sign, coef, first, j):
    """Add a variable to the active ones; return False where it depends linearly on them."""
    u = work.lower[n]
    for a in range(n):
        u[a] = _entry(W, i, work.active[a], first, j)
    forward(work, n, u)
    schur = 1.0
    for a in range(n):
        schur -= u[a] * u[a]
    if not schur > DEPENDENT:
        return False
    for a in range(n):
        work.upper[a, n] = u[a]
    work.inverse_diagonal[n] = 1.0 / np.sqrt(schur)
    work.active[n] = i
    work.sign[n] = sign
    work.coef[n] = coef
    work.is_active[i] = True
    return True


@njit
def _drop(W, work, n, d, first, j):
    """Take one variable out; return how many are left."""
    for a in range(d, n):
        work.is_active[work.active[a]] = False
    kept = d
    for a in range(d + 1, n):
        if _append(W, work, kept, work.active[a], work.sign[a], work.coef[a], first, j):
            kept += 1
    return kept


@njit
def _set_gradient(W, work, n, first, j):
    """Write s - W_1A b, four rows of W at a time, then again what lies in columns not yet written across."""
    out, active, coef, cross = work.gradient, work.active, work.coef, work.cross
    p = out.size
    for i in range(p):
        out[i] = cross[i]
    a = 0
    while a + 4 <= n:
        r0, r1, r2, r3 = W[active[a]], W[active[a + 1]], W[active[a + 2]], W[active[a + 3]]
        v0, v1, v2, v3 = coef[a], coef[a + 1], coef[a + 2], coef[a + 3]
        for i in range(p):
            out[i] -= (v0 * r0[i] + v1 * r1[i]) + (v2 * r2[i] + v3 * r3[i])
        a += 4
    while a < n:
        row, v = W[active[a]], coef[a]
        for i in range(p):
            out[i] -= v * row[i]
        a += 1
    for i in range(first, j):
        row, value = W[i], cross[i]
        for a in range(n):
            value -= row[active[a]] * coef[a]
        out[i] = value


@njit
def _descend(W, work, n, first, j):
    """Minimise over the active variables within their signs; return how many are left."""
    coef, goal = work.coef, work.goal
    while n > 0:
        for a in range(n):
            i = work.active[a]
            goal[a] = work.cross[i] - work.bound[i] * work.sign[a]
        forward(work, n, goal)
        backward(work, n, goal)
        step, leaver = 1.0, -1
        for a in range(n):
            if work.sign[a] != 0.0 and goal[a] * work.sign[a] <= 0.0:
                share = coef[a] / (coef[a] - goal[a]) if coef[a] != goal[a] else 0.0
                if share < step or leaver < 0:
                    step, leaver = share, a
        if leaver < 0:
            for a in range(n):
                coef[a] = goal[a]
            return n
        for a in range(n):
            coef[a] += step * (goal[a] - coef[a])
        n = _drop(W, work, n, leaver, first, j)
    return n


@njit
def _solve_column(W, work, n, slack, first, j):
    """Solve one column's Lasso; return the number of active variables, or -1 where there is no room for them."""
    p, room = work.gradient.size, work.active.size
    for _ in range(MAX_SOLVES):
        n = _descend(W, work, n, first, j)
        _set_gradient(W, work, n, first, j)
        gradient, bound = work.gradient, work.bound
        worst = 0.0
        for i in range(p):
            excess = abs(gradient[i]) - bound[i]
            if excess > worst and not work.is_active[i] and i != j:
                worst = excess
        if worst <= slack:
            return n
        # All within half of the worst: more would bring in many that leave again.
        entry, before = max(0.5 * worst, slack), n
        for i in range(p):
            if abs(gradient[i]) - bound[i] >= entry and not work.is_active[i] and i != j:
                if n == room:
                    return -1
                sign = np.sign(gradient[i]) if bound[i] > 0.0 else 0.0
                if _append(W, work, n, i, sign, 0.0, first, j):
                    n += 1
        if n == before:
            return n
    return n


@njit
def load_column(covariance, penalty, scale, j, cross, bound):
    """Write a column of the covariance and of the penalty in the units of the correlation."""
    row, own = covariance[j], scale[j]
    for i in range(cross.size):
        cross[i] = row[i] * (scale[i] * own)
    if penalty.shape[0] == 1:
        for i in range(cross.size):
            bound[i] = penalty[0, 0] * (scale[i] * own)
    else:
        row = penalty[j]
        for i in range(cross.size):
            bound[i] = row[i] * (scale[i] * own)


@njit
def sweep(covariance, penalty, scale, W, columns, work, slack, relaxation, is_first, start, moved):
    """Solve each column once, from column start on; return p, or the column that lacks room.

    ``moved[0]`` is raised by an estimate of what log det W gained: the precision's diagonal stands for all of it.
    A column goes `relaxation` times the way to its best, from 1 to below 2. In a first sweep each column hands its
    variables on to theirs, whose supports hold some of what is to come.
    """
    p = W.shape[0]
    room = work.active.size
    j0 = start
    while j0 < p:
        j1 = min(j0 + BLOCK, p)
        stopped = -1
        for j in range(j0, j1):
            load_column(covariance, penalty, scale, j, work.cross, work.bound)
            n = 0
            work.is_active[:] = False
            for a in range(columns.count[j]):
                i, b = columns.support[j, a], columns.coef[j, a]
                if work.bound[i] < np.inf and b != 0.0:
                    sign = np.sign(b) if work.bound[i] > 0.0 else 0.0
                    if _append(W, work, n, i, sign, b, j0, j):
                        n += 1
            # What a violation d costs is of the order of d^2 times both variables' precisions.
            n = _solve_column(W, work, n, slack / columns.precision[j], j0, j)
            if n < 0:
                stopped = j
                break
            _store(W, columns, work, n, relaxation, j0, j, moved)
            if is_first:
                for a in range(n):
                    i = work.active[a]
                    k = columns.count[i]
                    if i > j and k < room:
                        columns.support[i, k] = j
                        columns.coef[i, k] = work.coef[a]
                        columns.count[i] = k + 1
        last = j1 if stopped < 0 else stopped
        for i in range(p):
            if not j0 <= i < last:
                for j in range(j0, last):
                    W[i, j] = W[j, i]
        if stopped >= 0:
            return stopped
        j0 = j1
    return p


@njit
def _store(W, columns, work, n, relaxation, first, j, moved):
    """Write a column's new values into its row, and into the rows of its block."""
    row, gradient, bound, cross = W[j], work.gradient, work.bound, work.cross
    change = 0.0
    for i in range(first, j):
        row[i] = W[i, j]
    for i in range(row.size):
        value = cross[i] - min(max(gradient[i], -bound[i]), bound[i])
        if i != j:
            shift = value - row[i]
            change += shift * shift * columns.precision[i]
            gradient[i] = value  # the best one, for the precision
            value = row[i] + relaxation * shift
            row[i] = min(max(value, cross[i] - bound[i]), cross[i] + bound[i])
    rest = 1.0
    for a in range(n):
        i = work.active[a]
        rest -= gradient[i] * work.coef[a]
        columns.support[j, a] = i
        columns.coef[j, a] = work.coef[a]
    columns.count[j] = n
    if rest > 0.0:
        columns.precision[j] = 1.0 / rest
    moved[0] += change * columns.precision[j]
    for i in range(first, j):
        W[i, j] = row[i]
