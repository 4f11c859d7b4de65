"""The active set of the homotopy: the inverse of its Gram matrix, kept up to date regulator by regulator.

The inverse is explicit and symmetric, so every product with it is a sum of rows, several at a time, which the
compiler turns into vector code without changing the order of a sum. Rows and vectors are as wide as the Gram's rows,
which `padded` rounds up to whole vectors; the places beyond the last regulator hold zeros and never take part.

What runs at every breakpoint takes its arrays one by one: to hand over a whole workspace, or to make a view of a row,
counts references atomically, 0.2 microseconds a call, as much as the arithmetic of a small active set.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netinfer.kernels import njit

# A regulator whose variance, given the active ones, is below this share of its own depends linearly on them and is set
# aside while they stay: what it could change moves the relative duality gap by some 1e-10.
DEPENDENT = 1e-13
# Below this share it is asked again with a refined solution before it is called dependent.
DOUBTFUL = 1e-8
# Above this share of the largest penalty a residual of the active equations, after refinement, is the inverse's.
DRIFTED = 1e-12
# A residual of this share is rounding.
ROUNDING = 4e-16
# Doubles of one AVX-512 register, and of one cache line.
VECTOR = 8


class Workspace(NamedTuple):
    """Arrays of one homotopy, made once and used for many targets; sizes are rounded up to whole vectors."""

    active: np.ndarray  # indices of the active regulators, in order of entry
    coef: np.ndarray  # their coefficients
    signed_weight: np.ndarray  # sign times penalty weight
    inverse: np.ndarray  # (p, p) inverse of the active Gram
    direction: np.ndarray  # change of the coefficients per unit of penalty
    scratch: np.ndarray
    solved: np.ndarray
    gradient: np.ndarray  # q - G b
    slope: np.ndarray  # change of the gradient per unit of penalty, G[:, active] direction
    closed: np.ndarray  # 0 for a regulator that may enter, inf else
    per_weight: np.ndarray  # 1 / weight, 0 for an unpenalised or forbidden regulator
    weights: np.ndarray  # (p,) penalty weights, 1 where forbidden
    broken: np.ndarray  # what the path follows: the weights, from the second attempt on with ties broken
    forbidden: np.ndarray  # (p,) bool
    support: np.ndarray  # indices of the solution at the last penalty asked for
    values: np.ndarray  # its coefficients
    numbers: np.ndarray  # largest |q|, number of unpenalised regulators, largest weight: set by start


def _aligned(*shape: int) -> np.ndarray:
    """Return zeros whose first entry starts a cache line."""
    size = int(np.prod(shape))
    block = np.zeros(size + VECTOR)
    first = (-block.ctypes.data // block.itemsize) % VECTOR
    return block[first : first + size].reshape(shape)


def make_workspace(n_regulators: int) -> Workspace:
    """Allocate the arrays for a number of candidate regulators."""
    p = -(-n_regulators // VECTOR) * VECTOR
    broken = _aligned(p)
    broken[:] = 1.0
    return Workspace(
        active=np.zeros(p, np.int64),
        coef=_aligned(p),
        signed_weight=_aligned(p),
        inverse=_aligned(p, p),
        direction=_aligned(p),
        scratch=_aligned(p),
        solved=_aligned(p),
        gradient=_aligned(p),
        slope=_aligned(p),
        closed=_aligned(p),
        per_weight=_aligned(p),
        weights=np.ones(n_regulators),
        broken=broken,
        forbidden=np.zeros(n_regulators, np.bool_),
        support=np.zeros(p, np.int64),
        values=_aligned(p),
        numbers=np.zeros(3),
    )


def padded(gram: np.ndarray) -> np.ndarray:
    """Copy a Gram matrix to rows of whole vectors, shape (p, p rounded up to 8): the same numbers, faster.

    Worth it where many targets share the matrix.
    """
    p = gram.shape[0]
    out = _aligned(p, -(-p // VECTOR) * VECTOR)
    out[:, :p] = gram
    return out


@njit
def combine(matrix, rows, values, n_rows, width, out):
    """Sum rows of a matrix, eight at a time: out[:width] = sum_a values[a] matrix[rows[a], :width]."""
    for i in range(width):
        out[i] = 0.0
    a = 0
    while a + 8 <= n_rows:
        r0, r1, r2, r3 = rows[a], rows[a + 1], rows[a + 2], rows[a + 3]
        r4, r5, r6, r7 = rows[a + 4], rows[a + 5], rows[a + 6], rows[a + 7]
        v0, v1, v2, v3 = values[a], values[a + 1], values[a + 2], values[a + 3]
        v4, v5, v6, v7 = values[a + 4], values[a + 5], values[a + 6], values[a + 7]
        for i in range(width):
            out[i] += ((v0 * matrix[r0, i] + v1 * matrix[r1, i]) + (v2 * matrix[r2, i] + v3 * matrix[r3, i])) + (
                (v4 * matrix[r4, i] + v5 * matrix[r5, i]) + (v6 * matrix[r6, i] + v7 * matrix[r7, i])
            )
        a += 8
    while a + 2 <= n_rows:
        r0, r1, v0, v1 = rows[a], rows[a + 1], values[a], values[a + 1]
        for i in range(width):
            out[i] += v0 * matrix[r0, i] + v1 * matrix[r1, i]
        a += 2
    if a < n_rows:
        r0, v0 = rows[a], values[a]
        for i in range(width):
            out[i] += v0 * matrix[r0, i]


@njit
def solve(inverse, values, n_active, out):
    """Multiply by the inverse: out[:n_active] = inverse[:n_active, :n_active] values."""
    for b in range(n_active):
        out[b] = 0.0
    a = 0
    while a + 4 <= n_active:
        v0, v1, v2, v3 = values[a], values[a + 1], values[a + 2], values[a + 3]
        for b in range(n_active):
            out[b] += (v0 * inverse[a, b] + v1 * inverse[a + 1, b]) + (v2 * inverse[a + 2, b] + v3 * inverse[a + 3, b])
        a += 4
    while a < n_active:
        v0 = values[a]
        for b in range(n_active):
            out[b] += v0 * inverse[a, b]
        a += 1


@njit
def enter(gram, inverse, active, coef, signed_weight, direction, closed, u, v, n_active, j, signed):
    """Add regulator j to the active set; return False where it depends linearly on it.

    The direction follows by the same rank-one change as the inverse, in O(k). ``u`` and ``v`` are scratch.
    """
    own = gram[j, j]
    for a in range(n_active):
        u[a] = gram[j, active[a]]
    solve(inverse, u, n_active, v)
    schur, slope = own, 0.0
    for a in range(n_active):
        schur -= u[a] * v[a]
        slope += u[a] * direction[a]
    if not schur > DOUBTFUL * own:
        schur = _refined_schur(gram, inverse, active, u, v, n_active, own)
    is_free = schur > DEPENDENT * own
    if is_free:
        change = (signed - slope) / schur
        for a in range(n_active):
            direction[a] -= change * v[a]
            scale = v[a] / schur
            for b in range(n_active):
                inverse[a, b] += scale * v[b]
            inverse[a, n_active] = -scale
            inverse[n_active, a] = -scale
        direction[n_active] = change
        inverse[n_active, n_active] = 1.0 / schur
        active[n_active] = j
        coef[n_active] = 0.0
        signed_weight[n_active] = signed
        closed[j] = np.inf
    return is_free


@njit
def _refined_schur(gram, inverse, active, u, v, n_active, own):
    """Refine v = inverse u once and return what u leaves of its regulator's variance."""
    rest, more = np.empty(n_active), np.empty(n_active)
    for a in range(n_active):
        total = u[a]
        for b in range(n_active):
            total -= gram[active[a], active[b]] * v[b]
        rest[a] = total
    solve(inverse, rest, n_active, more)
    schur = own
    for a in range(n_active):
        v[a] += more[a]
        schur -= u[a] * v[a]
    return schur


@njit
def leave(inverse, active, coef, signed_weight, direction, n_active, position):
    """Take the regulator at a position out of the active set; return its index."""
    last = n_active - 1
    gone = active[position]
    if position != last:
        for a in range(n_active):
            inverse[a, position], inverse[a, last] = inverse[a, last], inverse[a, position]
        for b in range(n_active):
            inverse[position, b], inverse[last, b] = inverse[last, b], inverse[position, b]
        active[position] = active[last]
        coef[position] = coef[last]
        signed_weight[position] = signed_weight[last]
        direction[position], direction[last] = direction[last], direction[position]
    pivot = inverse[last, last]
    change = direction[last] / pivot
    for a in range(last):
        direction[a] -= change * inverse[last, a]
        scale = inverse[last, a] / pivot
        for b in range(last):
            inverse[a, b] -= scale * inverse[last, b]
    return gone


@njit
def rebuild(gram, work, n_active):
    """Make the inverse anew, regulator by regulator, without those that depend on the earlier ones; return how many."""
    active, signed = work.active[:n_active].copy(), work.signed_weight[:n_active].copy()
    n = 0
    for a in range(n_active):
        if enter(
            gram, work.inverse, work.active, work.coef, work.signed_weight, work.direction, work.closed,
            work.scratch, work.solved, n, active[a], signed[a],
        ):  # fmt: skip
            n += 1
        else:
            work.closed[active[a]] = np.inf
    return n


@njit
def aim(gram, work, n_active):
    """Compute the direction from the inverse, and the slope."""
    solve(work.inverse, work.signed_weight, n_active, work.direction)
    combine(gram, work.active, work.direction, n_active, gram.shape[1], work.slope)


@njit
def refresh(gram, cross, work, n_active, penalty):
    """Compute coefficients, gradient, direction and slope at a penalty from the data; return the number of active.

    It is smaller than before where the inverse had drifted so far that it held dependent regulators.
    """
    if _refine(gram, cross, work, n_active, penalty) > DRIFTED * work.numbers[0]:
        n_active = rebuild(gram, work, n_active)
        for a in range(n_active):
            work.coef[a] = 0.0
        _refine(gram, cross, work, n_active, penalty)
    aim(gram, work, n_active)
    return n_active


@njit
def _refine(gram, cross, work, n_active, penalty):
    """Refine the active coefficients, at most three times; leave the gradient and return the largest residual."""
    active, coef, rest = work.active, work.coef, work.scratch
    worst = np.inf
    for a in range(n_active):
        if not np.isfinite(coef[a]):
            coef[:n_active] = 0.0
    for step in range(4):
        combine(gram, active, coef, n_active, gram.shape[1], work.gradient)
        for i in range(cross.size):
            work.gradient[i] = cross[i] - work.gradient[i]
        before, worst = worst, 0.0
        for a in range(n_active):
            rest[a] = work.gradient[active[a]] - penalty * work.signed_weight[a]
            worst = max(worst, abs(rest[a]))
        if (
            step == 3 or not worst < 0.5 * before or worst <= ROUNDING * work.numbers[0]
        ):  # rounding is reached, or the inverse is of no use
            return worst
        solve(work.inverse, rest, n_active, work.solved)
        for a in range(n_active):
            coef[a] += work.solved[a]
    return worst
