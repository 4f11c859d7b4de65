"""The exact Lasso path on a Gram matrix (Osborne, Presnell and Turlach 2000; Efron et al. 2004).

As the penalty falls, the coefficients move on straight lines between breakpoints at which one regulator enters or
leaves. The state holds the explicit inverse of the active Gram, updated by rank one, so that a breakpoint costs
O(p k) for k active regulators. At every penalty asked for, the coefficients and the gradient are computed anew from
the data, which stops the drift of the updates and gives the certificate for free.

A regulator that is a linear combination of the active ones (a duplicate, say) is set aside when it would enter: its
gradient then stays on the bound while the active set stays, so the solution remains optimal. It is looked at again
when a regulator leaves. Among exact ties the first in order enters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netinfer.kernels import njit

OK, STALLED = 0, 1
# A regulator whose variance, given the active ones, is below this share of its own is linearly dependent on them.
DEPENDENT = 1e-9
# A regulator overtakes an earlier one in order only by this factor, so that rounding does not decide between
# duplicates. One that is passed over by so little enters in the next, empty, step.
LEAD = 1.0 + 1e-10


class Workspace(NamedTuple):
    """Arrays of one homotopy, made once and used for many targets."""

    active: np.ndarray  # (n_max,) indices of the active regulators, in order of entry
    coef: np.ndarray  # (n_max,) their coefficients
    signed_weight: np.ndarray  # (n_max,) sign times penalty weight
    inverse: np.ndarray  # (n_max, n_max) inverse of the active Gram
    direction: np.ndarray  # (n_max,) change of the coefficients per unit of penalty
    scratch: np.ndarray  # (n_max,)
    gradient: np.ndarray  # (p,) q - G b
    slope: np.ndarray  # (p,) change of the gradient per unit of penalty
    closed: np.ndarray  # (p,) 0 for a regulator that may enter, inf else
    weights: np.ndarray  # (p,) penalty weights, 1 where forbidden
    forbidden: np.ndarray  # (p,) bool


def make_workspace(n_regulators: int, n_max: int) -> Workspace:
    """Allocate the arrays for ``n_regulators`` candidates of which at most ``n_max`` are active at once."""
    p, k = n_regulators, min(n_regulators, n_max) + 1
    return Workspace(
        active=np.zeros(k, np.int64),
        coef=np.zeros(k),
        signed_weight=np.zeros(k),
        inverse=np.zeros((k, k)),
        direction=np.zeros(k),
        scratch=np.zeros(k),
        gradient=np.zeros(p),
        slope=np.zeros(p),
        closed=np.zeros(p),
        weights=np.ones(p),
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
    work.signed_weight[n_active] = sign * work.weights[j]
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
def refresh(gram, cross, work, n_active, penalty):
    """Compute coefficients and gradient at a penalty from the data, with one step of refinement."""
    active, coef, inverse, rest = work.active, work.coef, work.inverse, work.scratch
    for a in range(n_active):
        coef[a] = 0.0
    for _ in range(2):
        for a in range(n_active):
            total = cross[active[a]] - penalty * work.signed_weight[a]
            row = gram[active[a]]
            for b in range(n_active):
                total -= row[active[b]] * coef[b]
            rest[a] = total
        for a in range(n_active):
            line = inverse[a]
            total = 0.0
            for b in range(n_active):
                total += line[b] * rest[b]
            work.direction[a] = total
        for a in range(n_active):
            coef[a] += work.direction[a]
    _combine(gram, active, coef, n_active, work.slope)
    for i in range(cross.size):
        work.gradient[i] = cross[i] - work.slope[i]


@njit
def start(gram, cross, work):
    """Reset for a new target; return how many (unpenalised) regulators are active, and the largest penalty."""
    n_active = 0
    for j in range(cross.size):
        work.closed[j] = np.inf if work.forbidden[j] else 0.0
        work.gradient[j] = cross[j]
    for j in range(cross.size):
        if not work.forbidden[j] and work.weights[j] == 0.0:
            if n_active + 1 < work.active.size and _enter(gram, work, n_active, j, 0.0):
                n_active += 1
            else:
                work.closed[j] = np.inf
    if n_active > 0:
        refresh(gram, cross, work, n_active, 0.0)
    largest = 0.0
    for j in range(cross.size):
        if work.closed[j] == 0.0:
            largest = max(largest, abs(work.gradient[j]) / work.weights[j])
    return n_active, largest


@njit
def advance(gram, cross, work, n_active, penalty, target_penalty, last_gone, events, n_events, max_steps):
    """Follow the path from one penalty down to another.

    Returns the number of active regulators, the regulator that left last, the number of events written to
    ``events`` (rows: penalty, regulator, +1 entered or -1 left) and a status.
    """
    active, coef, direction = work.active, work.coef, work.direction
    gradient, slope, closed, weights = work.gradient, work.slope, work.closed, work.weights
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
            if direction[a] * work.signed_weight[a] < 0.0:
                until = max(-coef[a] / direction[a], 0.0)
                if until < step:
                    step, position = until, a
        entering = -1
        for j in range(p):
            if closed[j] == 0.0:
                w, s, c = weights[j], slope[j], gradient[j]
                # The regulator that just left sits on its bound; only the other bound can stop it now.
                if w > s and (j != last_gone or c < 0.0):
                    until = max(penalty * w - c, 0.0)
                    if until * LEAD < step * (w - s):
                        step, entering = until / (w - s), j
                if w > -s and (j != last_gone or c > 0.0):
                    until = max(penalty * w + c, 0.0)
                    if until * LEAD < step * (w + s):
                        step, entering = until / (w + s), j

        for a in range(n_active):
            coef[a] += step * direction[a]
        for j in range(p):
            gradient[j] -= step * slope[j]
        penalty -= step
        last_gone = -1
        if entering >= 0:
            if n_active + 1 >= work.active.size:
                return n_active, last_gone, n_events, STALLED
            if _enter(gram, work, n_active, entering, 1.0 if gradient[entering] > 0.0 else -1.0):
                n_active += 1
                n_events = _record(events, n_events, penalty, entering, 1.0)
            else:
                closed[entering] = np.inf
        elif position >= 0:
            last_gone = _leave(work, n_active, position)
            n_active -= 1
            n_events = _record(events, n_events, penalty, last_gone, -1.0)
            _reopen(work, n_active)
        else:
            refresh(gram, cross, work, n_active, target_penalty)
            return n_active, last_gone, n_events, OK
    return n_active, last_gone, n_events, STALLED


@njit
def _reopen(work, n_active):
    """Let every inactive, allowed regulator enter again: one that was set aside may be independent now."""
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
