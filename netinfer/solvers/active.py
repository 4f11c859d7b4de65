"""The active set of the homotopy: its inverse Gram matrix, and its rows of the Gram at the candidates.

The inverse is explicit and symmetric, so every product with it is a sum of rows, several at a time, which the
compiler turns into vector code without changing the order of a sum. The rows of the active regulators are kept side
by side for the candidates alone, the regulators that may enter before the next penalty asked for, so that a
breakpoint touches neither the active columns nor those far from their bound. Places beyond the last candidate, up to
a whole vector, hold finite numbers and never take part.

What runs at every breakpoint takes its arrays one by one: to hand over a whole workspace, or to make a view of a row,
counts references atomically, 0.2 microseconds a call, as much as the arithmetic of a small active set.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netinfer.kernels import njit

# A regulator whose variance, given the active ones, is below this share of its own depends linearly on them: they do
# not enter together, it takes the place of one of them or is set aside while they stay. That is exact but for a change
# of the fit by this share.
DEPENDENT = 1e-13
# Below this share it is asked again with a refined solution before it is called dependent.
DOUBTFUL = 1e-8
# Above this share of the largest penalty a residual of the active equations, after refinement, is the inverse's.
DRIFTED = 1e-12
# A residual of this share is rounding.
ROUNDING = 4e-16
# Doubles of one AVX-512 register, and of one cache line.
VECTOR = 8


# What `place` says of a regulator that is no candidate.
OUT, ACTIVE, BARRED = -1, -2, -3


class Workspace(NamedTuple):
    """Arrays of one homotopy, made once and used for many targets; sizes are rounded up to whole vectors."""

    active: np.ndarray  # indices of the active regulators
    coef: np.ndarray  # their coefficients
    signed_weight: np.ndarray  # sign times penalty weight
    inverse: np.ndarray  # (p, p) inverse of the active Gram
    direction: np.ndarray  # change of the coefficients per unit of penalty
    scratch: np.ndarray
    solved: np.ndarray
    gradient: np.ndarray  # q - G b of every regulator, as of the last refresh
    per_weight: np.ndarray  # 1 / weight, 0 for an unpenalised or forbidden regulator
    weights: np.ndarray  # (p,) penalty weights, 1 where forbidden
    broken: np.ndarray  # what the path follows: the weights, from the second attempt on with ties broken
    forbidden: np.ndarray  # (p,) bool
    place: np.ndarray  # each regulator's place among the candidates, or OUT, ACTIVE, BARRED
    candidates: np.ndarray  # indices of the candidates
    rows: np.ndarray  # (p, p) rows of the Gram, one an active regulator, at the candidates
    near: np.ndarray  # the candidates' gradient, running
    slope: np.ndarray  # its change per unit of penalty
    bound: np.ndarray  # the candidates' weights, ties broken
    closed: np.ndarray  # 0 for a candidate that may enter, inf for one that depends on the active ones
    in_order: np.ndarray  # 0, 1, 2, ...
    support: np.ndarray  # indices of the solution at the last penalty asked for
    values: np.ndarray  # its coefficients
    numbers: np.ndarray  # largest |q|, number of unpenalised regulators: set by start


def _aligned(*shape: int) -> np.ndarray:
    """Return zeros whose first entry starts a cache line."""
    size = int(np.prod(shape))
    block = np.zeros(size + VECTOR)
    first = (-block.ctypes.data // block.itemsize) % VECTOR
    return block[first : first + size].reshape(shape)


def make_workspace(n_regulators: int) -> Workspace:
    """Allocate the arrays for a number of candidate regulators."""
    p = -(-n_regulators // VECTOR) * VECTOR
    return Workspace(
        active=np.zeros(p, np.int64),
        coef=_aligned(p),
        signed_weight=_aligned(p),
        inverse=_aligned(p, p),
        direction=_aligned(p),
        scratch=_aligned(p),
        solved=_aligned(p),
        gradient=_aligned(p),
        per_weight=_aligned(p),
        weights=np.ones(n_regulators),
        broken=_aligned(p),
        forbidden=np.zeros(n_regulators, np.bool_),
        place=np.zeros(p, np.int64),
        candidates=np.zeros(p, np.int64),
        rows=_aligned(p, p),
        near=_aligned(p),
        slope=_aligned(p),
        bound=_aligned(p),
        closed=_aligned(p),
        in_order=np.arange(p),
        support=np.zeros(p, np.int64),
        values=_aligned(p),
        numbers=np.zeros(2),
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
def vectors(n):
    """Round a number of places up to whole vectors."""
    return (n + VECTOR - 1) // VECTOR * VECTOR


@njit
def enter(gram, inverse, active, coef, signed_weight, direction, u, v, n_active, j, signed):
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
        schur = refined_schur(gram, inverse, active, u, v, n_active, own)
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
    return is_free


@njit
def refined_schur(gram, inverse, active, u, v, n_active, own):
    """Refine v = inverse u once and return what u leaves of its regulator's variance."""
    rest = n_active  # the row of the inverse that the regulator would get
    schur = own
    for a in range(n_active):
        total = u[a]
        for b in range(n_active):
            total -= gram[active[a], active[b]] * v[b]
        inverse[rest, a] = total
    for a in range(n_active):
        for b in range(n_active):
            v[a] += inverse[a, b] * inverse[rest, b]
        schur -= u[a] * v[a]
    return schur


@njit
def leave(inverse, active, coef, signed_weight, direction, n_active, position):
    """Take the regulator at a position out of the active set, the last one takes its place; return its index."""
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
def promote(gram, active, rows, candidates, place, near, bound, closed, n_active, n_candidates, c):
    """Take a candidate's column out and its row in, after `enter`; ``n_active`` counts it."""
    j, new, last = candidates[c], n_active - 1, n_candidates - 1
    for i in range(n_candidates):
        rows[new, i] = gram[j, candidates[i]]
    place[j] = ACTIVE
    if c != last:
        for a in range(n_active):
            rows[a, c] = rows[a, last]
        other = candidates[last]
        candidates[c], place[other] = other, c
        near[c], bound[c], closed[c] = near[last], bound[last], closed[last]
    near[last], closed[last] = 0.0, np.inf


@njit
def demote(gram, active, rows, candidates, place, near, bound, closed, n_active, n_candidates, position, j, c, weight):
    """Make a regulator that left a candidate again, after `leave` (``n_active`` is without it)."""
    if position != n_active:
        for i in range(n_candidates):
            rows[position, i] = rows[n_active, i]
    _append(gram, active, rows, candidates, place, near, bound, closed, n_active, n_candidates, j, c, weight)
    for i in range(n_candidates):
        closed[i] = 0.0


@njit
def _append(gram, active, rows, candidates, place, near, bound, closed, n_active, n_candidates, j, c, weight):
    for a in range(n_active):
        rows[a, n_candidates] = gram[active[a], j]  # a row that is in use, so in the cache
    candidates[n_candidates], place[j] = j, n_candidates
    near[n_candidates], bound[n_candidates], closed[n_candidates] = c, weight, 0.0


@njit
def admit(
    gram, active, direction, gradient, broken, rows, candidates, place, near, slope, bound, closed, in_order,
    n_active, n_candidates, level,
):  # fmt: skip
    """Make candidates of all regulators whose gradient is at least a share of the bound; return how many there are."""
    before, n_above = n_candidates, 0
    for j in range(place.size):
        n_above += (place[j] == OUT) & (abs(gradient[j]) >= level * broken[j])
    if n_above > 0:
        for first in range(0, place.size, VECTOR):
            n_above = 0
            for j in range(first, first + VECTOR):
                n_above += (place[j] == OUT) & (abs(gradient[j]) >= level * broken[j])
            if n_above == 0:
                continue
            for j in range(first, first + VECTOR):
                if place[j] == OUT and abs(gradient[j]) >= level * broken[j]:
                    _append(
                        gram, active, rows, candidates, place, near, bound, closed, n_active, n_candidates, j,
                        gradient[j], broken[j],
                    )  # fmt: skip
                    n_candidates += 1
    if n_candidates > before:
        combine(rows, in_order, direction, n_active, vectors(n_candidates), slope)
    return n_candidates


@njit
def rebuild(gram, work, n_active, n_candidates):
    """Make the inverse anew, regulator by regulator; one that depends on the earlier ones becomes a closed candidate.

    Returns how many are active and how many are candidates.
    """
    active, signed = work.active[:n_active].copy(), work.signed_weight[:n_active].copy()
    n = 0
    for a in range(n_active):
        j = active[a]
        if enter(
            gram, work.inverse, work.active, work.coef, work.signed_weight, work.direction, work.scratch, work.solved,
            n, j, signed[a],
        ):  # fmt: skip
            n += 1
        else:
            work.candidates[n_candidates], work.place[j] = j, n_candidates
            work.near[n_candidates], work.bound[n_candidates] = 0.0, work.broken[j]
            work.closed[n_candidates] = np.inf
            n_candidates += 1
    for a in range(n):
        for i in range(n_candidates):
            work.rows[a, i] = gram[work.active[a], work.candidates[i]]
    return n, n_candidates


@njit
def look(gram, cross, active, coef, signed, gradient, candidates, near, rest, n_active, n_candidates, penalty):
    """Compute the gradient from the data, for the candidates too; return the largest residual of the active equations.

    The residuals stay in ``rest``.
    """
    combine(gram, active, coef, n_active, gram.shape[1], gradient)
    for j in range(cross.size):
        gradient[j] = cross[j] - gradient[j]
    for i in range(n_candidates):
        near[i] = gradient[candidates[i]]
    worst = 0.0
    for a in range(n_active):
        rest[a] = gradient[active[a]] - penalty * signed[a]
        if not abs(rest[a]) <= worst:
            worst = abs(rest[a])
    return worst


@njit
def refresh(gram, cross, work, n_active, n_candidates, penalty):
    """Refine the coefficients at a penalty and compute gradient, direction and slope from the data.

    Returns the numbers of active regulators and of candidates: fewer active ones than before where the inverse had
    drifted so far that it held dependent regulators.
    """
    if not _refine(gram, cross, work, n_active, n_candidates, penalty) <= DRIFTED * work.numbers[0]:
        n_active, n_candidates = rebuild(gram, work, n_active, n_candidates)
        _refine(gram, cross, work, n_active, n_candidates, penalty)
    direction, signed, active, rest = work.direction, work.signed_weight, work.active, work.scratch
    solve(work.inverse, signed, n_active, direction)
    for a in range(n_active):
        rest[a] = signed[a]
        for b in range(n_active):
            rest[a] -= gram[active[a], active[b]] * direction[b]
    solve(work.inverse, rest, n_active, work.solved)
    for a in range(n_active):
        direction[a] += work.solved[a]
    combine(work.rows, work.in_order, direction, n_active, vectors(n_candidates), work.slope)
    return n_active, n_candidates


@njit
def _refine(gram, cross, work, n_active, n_candidates, penalty):
    """Refine the active coefficients, at most three times; leave the gradient and return the largest residual."""
    coef = work.coef
    for a in range(n_active):
        if not np.isfinite(coef[a]):
            coef[:n_active] = 0.0
    worst = np.inf
    for step in range(4):
        before = worst
        worst = look(
            gram, cross, work.active, coef, work.signed_weight, work.gradient, work.candidates, work.near,
            work.scratch, n_active, n_candidates, penalty,
        )  # fmt: skip
        if step == 3 or not worst < 0.5 * before or worst <= ROUNDING * work.numbers[0]:  # rounding, or a bad inverse
            break
        solve(work.inverse, work.scratch, n_active, work.solved)
        for a in range(n_active):
            coef[a] += work.solved[a]
    return worst
