"""The exact Lasso path on a Gram matrix (Osborne, Presnell and Turlach 2000; Efron et al. 2004).

As the penalty falls, the coefficients move on straight lines between breakpoints at which one regulator enters or
leaves. A breakpoint costs one sum of k rows of the Gram (p k multiply-adds for k active regulators) and a rank-one
change of the explicit inverse (about 2 k^2); a penalty that is only asked for costs O(p + k).

Why the running gradient may certify. Coefficients move by step * direction and the gradient by step * slope, and
the slope is computed from the direction, G[:, active] direction, never from what the direction ought to be. So
gradient = q - G b holds whatever the state of the inverse, up to the rounding of these sums: over m breakpoints at
most (k + 3) eps max|G| sum_m step |direction|_1 + m eps max|q|, some 1e-13 on a path of hundreds. An inverse that has
drifted shows as a slope that is off the signs, which `advance` checks and mends at every breakpoint, and else in the
gradient itself, and so in the gap. `refresh` computes everything anew from the data where a gap is not tight, and
the caller does so once at the path's end, as a proof.

Ties. The first attempt follows the weights as they are. Where it goes round in circles or ends without a certificate,
the next ones raise the weights by up to 1e-10, more for some places than for others (perturbation, as in the simplex
method), and solve for the weights as they are at every penalty asked for. Of exact duplicates on an unshrunk Gram
one takes the whole coefficient.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.active import Workspace, combine, enter, leave, make_workspace, rebuild, refresh, solve

__all__ = ["OK", "STALLED", "Workspace", "advance", "make_workspace", "start"]

OK, STALLED = 0, 1
# Above this, an entry of the inverse's diagonal (of a unit Gram) belongs to a regulator that others nearly replace.
NEARLY_DEPENDENT = 1e4
# Share of the largest weight by which the slope of an active regulator may miss its sign before it is mended.
OFF_SIGN = 1e-12
TIE_BREAK = 1e-10
# Regulators looked through at a time for the next one to enter.
BLOCK = 64
# Breakpoints between two refreshes, so that rounding cannot add up without end.
REFRESH_EVERY = 500


@njit
def start(gram, cross, work, attempt):
    """Reset for a new target; return how many (unpenalised) regulators are active, and the largest penalty."""
    n_active, n_free, most = 0, 0, 0.0
    p = cross.size
    for j in range(p):
        q, w = cross[j], work.weights[j]
        work.gradient[j] = q
        work.slope[j] = 0.0
        work.broken[j] = w
        is_open = not work.forbidden[j]
        work.closed[j] = 0.0 if is_open else np.inf
        work.per_weight[j] = 1.0 / w if is_open and w > 0.0 else 0.0
        n_free += is_open and w == 0.0
        most = max(most, abs(q))
    for j in range(p, gram.shape[1]):
        work.gradient[j] = work.slope[j] = work.per_weight[j] = 0.0
        work.closed[j] = np.inf
    work.numbers[0], work.numbers[1] = most, n_free
    if attempt > 0:
        # Multiples of an irrational number, modulo 1, lie evenly and in no order of place; each attempt has its own.
        for j in range(p):
            work.broken[j] *= 1.0 + TIE_BREAK * (((0.6180339887498949 + 0.1 * attempt) * (j + 1)) % 1.0)
    if n_free > 0:
        for j in range(p):
            if not work.forbidden[j] and work.weights[j] == 0.0:
                if enter(gram, work, n_active, j, 0.0):
                    n_active += 1
                else:
                    work.closed[j] = np.inf
        n_active = refresh(gram, cross, work, n_active, 0.0)
    largest = 0.0
    for j in range(p):
        if work.closed[j] == 0.0:
            largest = max(largest, abs(work.gradient[j]) / work.broken[j])
    return n_active, largest


@njit
def _first_crossing(work, n_active, step):
    """Find the active coefficient that reaches zero first within a step; return the step, shortened, and its place."""
    coef, direction, signed = work.coef, work.direction, work.signed_weight
    n_crossing = 0
    for a in range(n_active):
        n_crossing += (coef[a] + step * direction[a]) * signed[a] < 0.0
    position = -1
    if n_crossing > 0:
        for a in range(n_active):
            if coef[a] * signed[a] < 0.0:  # rounding carried it past zero
                step, position = 0.0, a
            elif (coef[a] + step * direction[a]) * signed[a] < 0.0:
                step, position = min(step, -coef[a] / direction[a]), a
    return step, position


@njit
def _first_entry(work, width, penalty, step, last_gone):
    """Find the regulator that reaches its bound first within a step; return the step, shortened, and its index.

    A gradient outside its bound at the end of the step has crossed it on the way, so whole blocks are passed over by
    one comparison each and only the few that crossed cost a division.
    """
    gradient, slope, closed, weights = work.gradient, work.slope, work.closed, work.broken
    entering = -1
    first = 0
    while first < width:
        last = min(first + BLOCK, width)
        rest = penalty - step
        n_crossing = 0
        for j in range(first, last):
            n_crossing += abs(gradient[j] - step * slope[j]) > rest * weights[j] + closed[j]
        if n_crossing > 0:
            for j in range(first, last):
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
        first = last
    return step, entering


@njit
def _off_sign(work, n_active):
    """Return by how much the active slopes miss the signs, as a share of the largest weight."""
    worst, most = 0.0, 0.0
    for a in range(n_active):
        worst = max(worst, abs(work.slope[work.active[a]] - work.signed_weight[a]))
        most = max(most, abs(work.signed_weight[a]))
    return worst / most if worst > 0.0 else worst


@njit
def _turn(gram, work, n_active):
    """Compute the slope of the direction; mend both where the inverse's rounding shows."""
    width = gram.shape[1]
    combine(gram, work.active, work.direction, n_active, width, work.slope)
    if _off_sign(work, n_active) <= OFF_SIGN:
        return
    for _ in range(2):
        for a in range(n_active):
            work.scratch[a] = work.signed_weight[a] - work.slope[work.active[a]]
        solve(work.inverse, work.scratch, n_active, work.solved)
        for a in range(n_active):
            work.direction[a] += work.solved[a]
        combine(gram, work.active, work.direction, n_active, width, work.slope)
        if _off_sign(work, n_active) <= OFF_SIGN:
            return


@njit
def advance(gram, cross, work, n_active, penalty, target_penalty, last_gone, events, n_events, max_steps):
    """Follow the path from one penalty down to another.

    Expects direction and slope of the present active set and leaves them so. Returns the number of active regulators,
    the regulator that left last, the number of events written to ``events`` (rows: penalty, regulator, +1 entered or
    -1 left) and a status.
    """
    coef, direction = work.coef, work.direction
    gradient, slope, closed = work.gradient, work.slope, work.closed
    width = gram.shape[1]
    n_idle = 0
    for n_steps in range(1, max_steps + 1):
        step, position = _first_crossing(work, n_active, penalty - target_penalty)
        step, entering = _first_entry(work, width, penalty, step, last_gone)
        if step > 0.0:
            for a in range(n_active):
                coef[a] += step * direction[a]
            for j in range(width):
                gradient[j] -= step * slope[j]
            n_idle = 0
        else:
            n_idle += 1
            if n_idle > 2 * cross.size + 20:  # ties: the same regulators come and go on one spot
                return n_active, last_gone, n_events, STALLED
        if entering < 0 and position < 0:
            return n_active, last_gone, n_events, OK
        penalty -= step
        last_gone = -1
        if entering >= 0:
            sign = 1.0 if gradient[entering] > 0.0 else -1.0
            entered = enter(gram, work, n_active, entering, sign)
            if (
                not entered and n_active > 0 and _is_doubtful(work, n_active)
            ):  # the inverse's fault, not the regulator's
                n_active = rebuild(gram, work, n_active)
                n_active = refresh(gram, cross, work, n_active, penalty)
                entered = enter(gram, work, n_active, entering, sign)
            if entered:
                n_active += 1
                n_events = _record(events, n_events, penalty, entering, 1.0)
            else:
                closed[entering] = np.inf
                continue
        else:
            is_ill = work.inverse[position, position] > NEARLY_DEPENDENT
            last_gone = leave(work, n_active, position)
            n_active -= 1
            n_events = _record(events, n_events, penalty, last_gone, -1.0)
            _reopen(work, cross.size, n_active)
            if is_ill:  # the downdate has just cancelled most of the inverse's digits
                n_active = rebuild(gram, work, n_active)
                n_active = refresh(gram, cross, work, n_active, penalty)
        _turn(gram, work, n_active)
        if n_steps % REFRESH_EVERY == 0:
            n_active = refresh(gram, cross, work, n_active, penalty)
    return n_active, last_gone, n_events, STALLED


@njit
def _is_doubtful(work, n_active):
    """Say whether the inverse holds regulators that others nearly replace."""
    worst = 0.0
    for a in range(n_active):
        worst = max(worst, work.inverse[a, a])
    return not worst < NEARLY_DEPENDENT


@njit
def drop_flipped(gram, cross, work, n_active, penalty, events, n_events):
    """Let a regulator go whose sign the data contradict, by rounding, at a refreshed point.

    Returns the number of active regulators, the regulator that went or -1, and the number of events.
    """
    flipped = -1
    for a in range(n_active):
        if work.coef[a] * work.signed_weight[a] < 0.0:
            flipped = a
    if flipped < 0:
        return n_active, -1, n_events
    gone = leave(work, n_active, flipped)
    n_active -= 1
    n_events = _record(events, n_events, penalty, gone, -1.0)
    _reopen(work, cross.size, n_active)
    _turn(gram, work, n_active)
    return n_active, gone, n_events


@njit
def _reopen(work, p, n_active):
    """Let every inactive, allowed regulator enter again, also one that was set aside."""
    for j in range(p):
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
