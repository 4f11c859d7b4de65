"""The exact Lasso path on a Gram matrix (Osborne, Presnell and Turlach 2000; Efron et al. 2004).

As the penalty falls, the coefficients move on straight lines between breakpoints at which one regulator enters or
leaves. The state holds the explicit inverse of the active Gram, updated by rank one, so that a breakpoint costs
O(p k) for k active regulators. At every penalty asked for, the coefficients and the gradient are computed anew from
the data, which stops the drift of the updates and gives the certificate for free.

Ties (duplicate regulators, linear dependence) are broken by raising the penalty weights by up to 1e-10, more for some
places than for others: of exact duplicates one takes the whole coefficient.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netinfer.kernels import njit

OK, STALLED = 0, 1
# A regulator whose variance, given the active ones, is below this share of its own depends linearly on them and is set
# aside while they stay: what it could change moves the relative duality gap by some 1e-10.
DEPENDENT = 1e-13
# Above this, an entry of the inverse's diagonal (of a unit Gram) belongs to a regulator that others nearly replace.
NEARLY_DEPENDENT = 1e4
# A residual of the active equations (of a unit Gram) above this, after refinement, is the inverse's, not rounding's.
DRIFTED = 1e-13
# Each penalty weight is raised by up to this share, by its place, so that no two events coincide and the path cannot
# cycle between ties (perturbation, as in the simplex method). The certificate knows nothing of it.
TIE_BREAK = 1e-10


class Workspace(NamedTuple):
    """Arrays of one homotopy, made once and used for many targets."""

    active: np.ndarray  # (p,) indices of the active regulators, in order of entry
    coef: np.ndarray  # (p,) their coefficients
    signed_weight: np.ndarray  # (p,) sign times penalty weight
    inverse: np.ndarray  # (p, p) inverse of the active Gram
    direction: np.ndarray  # (p,) change of the coefficients per unit of penalty
    scratch: np.ndarray  # (p,)
    gradient: np.ndarray  # (p,) q - G b
    slope: np.ndarray  # (p,) change of the gradient per unit of penalty
    closed: np.ndarray  # (p,) 0 for a regulator that may enter, inf else
    weights: np.ndarray  # (p,) penalty weights, 1 where forbidden
    broken: np.ndarray  # (p,) the same with ties broken; what the path follows
    forbidden: np.ndarray  # (p,) bool


def make_workspace(n_regulators: int) -> Workspace:
    """Allocate the arrays for a number of candidate regulators."""
    p = n_regulators
    return Workspace(
        active=np.zeros(p, np.int64),
        coef=np.zeros(p),
        signed_weight=np.zeros(p),
        inverse=np.zeros((p, p)),
        direction=np.zeros(p),
        scratch=np.zeros(p),
        gradient=np.zeros(p),
        slope=np.zeros(p),
        closed=np.zeros(p),
        weights=np.ones(p),
        broken=np.ones(p),
        forbidden=np.zeros(p, np.bool_),
    )


@njit
def _enter(gram, work, n_active, j, sign):
    """Add regulator j to the active set; return False where it depends linearly on it."""
    inverse, active, u = work.inverse, work.active, work.scratch
    row = gram[j]
    for a in range(n_active):
        u[a] = row[active[a]]
    schur = row[j]
    v = work.direction
    for a in range(n_active):
        total = 0.0
        line = inverse[a]
        for b in range(n_active):
            total += line[b] * u[b]
        v[a] = total
    for a in range(n_active):
        schur -= u[a] * v[a]
    if not schur > DEPENDENT * row[j]:
        return False
    for a in range(n_active):
        scale = v[a] / schur
        line = inverse[a]
        for b in range(n_active):
            line[b] += scale * v[b]
        line[n_active] = -scale
        inverse[n_active, a] = -scale
    inverse[n_active, n_active] = 1.0 / schur
    active[n_active] = j
    work.coef[n_active] = 0.0
    work.signed_weight[n_active] = sign * work.broken[j]
    work.closed[j] = np.inf
    return True


@njit
def _leave(work, n_active, position):
    """Take the regulator at a position out of the active set; return its index."""
    inverse, last = work.inverse, n_active - 1
    gone = work.active[position]
    if position != last:
        for a in range(n_active):
            inverse[a, position], inverse[a, last] = inverse[a, last], inverse[a, position]
        for b in range(n_active):
            inverse[position, b], inverse[last, b] = inverse[last, b], inverse[position, b]
        work.active[position] = work.active[last]
        work.coef[position] = work.coef[last]
        work.signed_weight[position] = work.signed_weight[last]
    pivot = inverse[last, last]
    for a in range(last):
        scale = inverse[a, last] / pivot
        for b in range(last):
            inverse[a, b] -= scale * inverse[last, b]
    return gone


@njit
def _combine(gram, active, values, n_active, out):
    """Sum rows of the Gram, four at a time: out = G[:, active] values."""
    for i in range(out.size):
        out[i] = 0.0
    a = 0
    while a + 4 <= n_active:
        r0, r1, r2, r3 = gram[active[a]], gram[active[a + 1]], gram[active[a + 2]], gram[active[a + 3]]
        v0, v1, v2, v3 = values[a], values[a + 1], values[a + 2], values[a + 3]
        for i in range(out.size):
            out[i] += (v0 * r0[i] + v1 * r1[i]) + (v2 * r2[i] + v3 * r3[i])
        a += 4
    while a < n_active:
        row = gram[active[a]]
        v = values[a]
        for i in range(out.size):
            out[i] += v * row[i]
        a += 1


@njit
def _refine(gram, cross, work, n_active, penalty):
    """Solve for the active coefficients by three steps of refinement; return the last residual's largest entry."""
    active, coef, inverse, rest = work.active, work.coef, work.inverse, work.scratch
    for a in range(n_active):
        coef[a] = 0.0
    worst = 0.0
    for _ in range(3):
        worst = 0.0
        for a in range(n_active):
            row = gram[active[a]]
            total = cross[active[a]] - penalty * work.signed_weight[a]
            for b in range(n_active):
                total -= row[active[b]] * coef[b]
            rest[a] = total
            worst = max(worst, abs(total))
        for a in range(n_active):
            line = inverse[a]
            total = 0.0
            for b in range(n_active):
                total += line[b] * rest[b]
            work.direction[a] = total
        for a in range(n_active):
            coef[a] += work.direction[a]
    return worst


@njit
def _rebuild(gram, work, n_active):
    """Make the inverse anew, regulator by regulator, without those that depend on the earlier ones; return how many."""
    active, signed = work.active[:n_active].copy(), work.signed_weight[:n_active].copy()
    n = 0
    for a in range(n_active):
        j = active[a]
        if _enter(gram, work, n, j, np.sign(signed[a])):
            n += 1
        else:
            work.closed[j] = np.inf
    return n


@njit
def refresh(gram, cross, work, n_active, penalty):
    """Compute coefficients and gradient at a penalty from the data; return the number of active regulators.

    It is smaller than before where the inverse had drifted so far that it held dependent regulators.
    """
    if _refine(gram, cross, work, n_active, penalty) > DRIFTED:
        n_active = _rebuild(gram, work, n_active)
        _refine(gram, cross, work, n_active, penalty)
    _combine(gram, work.active, work.coef, n_active, work.slope)
    for i in range(cross.size):
        work.gradient[i] = cross[i] - work.slope[i]
    return n_active


@njit
def start(gram, cross, work, attempt):
    """Reset for a new target; return how many (unpenalised) regulators are active, and the largest penalty."""
    n_active = 0
    for j in range(cross.size):
        work.closed[j] = np.inf if work.forbidden[j] else 0.0
        work.gradient[j] = cross[j]
        # Multiples of an irrational number, modulo 1, lie evenly and in no order of place; each attempt has its own.
        work.broken[j] = work.weights[j] * (1.0 + TIE_BREAK * (((0.6180339887498949 + 0.1 * attempt) * (j + 1)) % 1.0))
    for j in range(cross.size):
        if not work.forbidden[j] and work.weights[j] == 0.0:
            if _enter(gram, work, n_active, j, 0.0):
                n_active += 1
            else:
                work.closed[j] = np.inf
    if n_active > 0:
        n_active = refresh(gram, cross, work, n_active, 0.0)
    largest = 0.0
    for j in range(cross.size):
        if work.closed[j] == 0.0:
            largest = max(largest, abs(work.gradient[j]) / work.broken[j])
    return n_active, largest


@njit
def advance(gram, cross, work, n_active, penalty, target_penalty, last_gone, events, n_events, max_steps):
    """Follow the path from one penalty down to another.

    Returns the number of active regulators, the regulator that left last, the number of events written to
    ``events`` (rows: penalty, regulator, +1 entered or -1 left) and a status.
    """
    active, coef, direction = work.active, work.coef, work.direction
    gradient, slope, closed, weights = work.gradient, work.slope, work.closed, work.broken
    p = cross.size
    for _ in range(max_steps):
        for a in range(n_active):
            total = 0.0
            line = work.inverse[a]
            for b in range(n_active):
                total += line[b] * work.signed_weight[b]
            direction[a] = total
        _combine(gram, active, direction, n_active, slope)

        step = penalty - target_penalty
        position = -1
        for a in range(n_active):
            sign = work.signed_weight[a]
            if coef[a] * sign < 0.0:  # rounding carried it past zero
                step, position = 0.0, a
            elif direction[a] * sign < 0.0:
                until = -coef[a] / direction[a]
                if until < step:
                    step, position = until, a
        entering = -1
        for j in range(p):
            if closed[j] == 0.0:
                w, s, c = weights[j], slope[j], gradient[j]
                # The regulator that just left sits on its bound; only the other bound can stop it now.
                if w > s and (j != last_gone or c < 0.0):
                    until = max(penalty * w - c, 0.0)
                    if until < step * (w - s):
                        step, entering = until / (w - s), j
                if w > -s and (j != last_gone or c > 0.0):
                    until = max(penalty * w + c, 0.0)
                    if until < step * (w + s):
                        step, entering = until / (w + s), j

        for a in range(n_active):
            coef[a] += step * direction[a]
        for j in range(p):
            gradient[j] -= step * slope[j]
        penalty -= step
        last_gone = -1
        if entering >= 0:
            sign = 1.0 if gradient[entering] > 0.0 else -1.0
            entered = _enter(gram, work, n_active, entering, sign)
            if not entered:  # perhaps the inverse's fault, not the regulator's
                n_active = _rebuild(gram, work, n_active)
                n_active = refresh(gram, cross, work, n_active, penalty)
                entered = _enter(gram, work, n_active, entering, sign)
            if entered:
                n_active += 1
                n_events = _record(events, n_events, penalty, entering, 1.0)
            else:
                closed[entering] = np.inf
        elif position >= 0:
            is_ill = work.inverse[position, position] > NEARLY_DEPENDENT
            last_gone = _leave(work, n_active, position)
            n_active -= 1
            n_events = _record(events, n_events, penalty, last_gone, -1.0)
            _reopen(work, n_active)
            if is_ill:  # the downdate has just cancelled most of the inverse's digits
                n_active = _rebuild(gram, work, n_active)
                n_active = refresh(gram, cross, work, n_active, penalty)
        else:
            n_active = refresh(gram, cross, work, n_active, target_penalty)
            flipped = -1
            for a in range(n_active):
                if coef[a] * work.signed_weight[a] < 0.0:
                    flipped = a
            if flipped < 0:
                return n_active, last_gone, n_events, OK
            # The data say that its event lies before this penalty, by rounding; without it they are asked again.
            last_gone = _leave(work, n_active, flipped)
            n_active -= 1
            n_events = _record(events, n_events, penalty, last_gone, -1.0)
            _reopen(work, n_active)
    return n_active, last_gone, n_events, STALLED


@njit
def _reopen(work, n_active):
    """Let every inactive, allowed regulator enter again, also one that was set aside."""
    for j in range(work.closed.size):
        work.closed[j] = np.inf if work.forbidden[j] else 0.0
    for a in range(n_active):
        work.closed[work.active[a]] = np.inf


@njit
def _record(events, n_events, penalty, regulator, change):
    if n_events < events.shape[0]:
        events[n_events, 0] = penalty
        events[n_events, 1] = regulator
        events[n_events, 2] = change
        return n_events + 1
    return n_events
