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
from netinfer.solvers.active import VECTOR, Workspace, combine, enter, leave, make_workspace, rebuild, refresh, solve

__all__ = ["OK", "STALLED", "Workspace", "advance", "make_workspace", "mend", "start"]

# What `advance` ends with: arrived, going round in circles, an inverse to make anew, a refresh due.
OK, STALLED, DOUBTFUL, DUE = 0, 1, 2, 3
# Above this, an entry of the inverse's diagonal (of a unit Gram) belongs to a regulator that others nearly replace.
NEARLY_DEPENDENT = 1e4
# Share of the largest weight by which the slope of an active regulator may miss its sign before it is mended.
OFF_SIGN = 1e-12
TIE_BREAK = 1e-10
# Regulators passed over at a time in the search for the next to enter.
WIDE = 4 * VECTOR
# Breakpoints between two refreshes, so that rounding cannot add up without end.
REFRESH_EVERY = 500


@njit
def start(gram, cross, work, attempt):
    """Reset for a new target; return how many (unpenalised) regulators are active, and the largest penalty."""
    n_active, n_free, most, heaviest = 0, 0, 0.0, 0.0
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
        most, heaviest = max(most, abs(q)), max(heaviest, w)
    for j in range(p, gram.shape[1]):
        work.gradient[j] = work.slope[j] = work.per_weight[j] = 0.0
        work.closed[j] = np.inf
    work.numbers[0], work.numbers[1], work.numbers[2] = most, n_free, heaviest
    if attempt > 0:
        # Multiples of an irrational number, modulo 1, lie evenly and in no order of place; each attempt has its own.
        for j in range(p):
            work.broken[j] *= 1.0 + TIE_BREAK * (((0.6180339887498949 + 0.1 * attempt) * (j + 1)) % 1.0)
    if n_free > 0:
        for j in range(p):
            if not work.forbidden[j] and work.weights[j] == 0.0:
                if enter(
                    gram, work.inverse, work.active, work.coef, work.signed_weight, work.direction, work.closed,
                    work.scratch, work.solved, n_active, j, 0.0,
                ):  # fmt: skip
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
def _first_crossing(coef, direction, signed, n_active, step):
    """Find the active coefficient that reaches zero first within a step; return the step, shortened, and its place."""
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
def _first_entry(gradient, slope, closed, weights, width, penalty, step, last_gone):
    """Find the regulator that reaches its bound first within a step; return the step, shortened, and its index.

    A gradient outside its bound at the end of the step has crossed it on the way, so whole blocks are passed over by
    one comparison each and only the few that crossed cost a division.
    """
    entering = -1
    for wide in range(width // WIDE + 1):
        if (wide + 1) * WIDE <= width:
            rest = penalty - step
            n_crossing = 0
            for j in range(wide * WIDE, wide * WIDE + WIDE):  # of a fixed length, which makes it vector code
                n_crossing += abs(gradient[j] - step * slope[j]) > rest * weights[j] + closed[j]
            if n_crossing == 0:
                continue
        for first in range(wide * WIDE, min((wide + 1) * WIDE, width), VECTOR):
            if first + VECTOR <= width:
                rest = penalty - step
                n_crossing = 0
                for j in range(first, first + VECTOR):
                    n_crossing += abs(gradient[j] - step * slope[j]) > rest * weights[j] + closed[j]
                if n_crossing == 0:
                    continue
            for j in range(first, min(first + VECTOR, width)):
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
    return step, entering


@njit
def _is_off(slope, active, signed, n_active, allowed):
    """Say whether an active slope misses its sign by more than is allowed."""
    n_right = 0
    for a in range(n_active):
        n_right += abs(slope[active[a]] - signed[a]) <= allowed
    return n_right < n_active


@njit
def _turn(gram, inverse, active, signed, direction, slope, rest, more, n_active, allowed):
    """Compute the slope of the direction; mend both where the inverse's rounding shows."""
    width = gram.shape[1]
    combine(gram, active, direction, n_active, width, slope)
    n_left = 2
    while n_left > 0 and _is_off(slope, active, signed, n_active, allowed):
        for a in range(n_active):
            rest[a] = signed[a] - slope[active[a]]
        solve(inverse, rest, n_active, more)
        for a in range(n_active):
            direction[a] += more[a]
        combine(gram, active, direction, n_active, width, slope)
        n_left -= 1


@njit
def advance(
    gram, inverse, active, coef, signed, direction, gradient, slope, closed, weights, forbidden, u, v, allowed,
    n_active, penalty, target, last_gone, is_fresh, events, n_events, max_steps,
):  # fmt: skip
    """Follow the path from one penalty down to another.

    Expects direction and slope of the present active set and leaves them so; ``weights`` are those with ties broken,
    ``allowed`` is what a slope may miss its sign by, ``is_fresh`` says that the inverse was just made anew. Returns
    the number of active regulators, the penalty reached, the regulator that left last, the number of events written
    to ``events`` (rows: penalty, regulator, +1 entered or -1 left) and a status; `mend` takes care of the others.
    """
    width = gram.shape[1]
    n_idle, n_steps, status = 0, 0, STALLED
    while n_steps < max_steps:  # one way out, which spares the counting of references
        n_steps += 1
        step, position = _first_crossing(coef, direction, signed, n_active, penalty - target)
        step, entering = _first_entry(gradient, slope, closed, weights, width, penalty, step, last_gone)
        for a in range(n_active):
            coef[a] += step * direction[a]
        for j in range(width):
            gradient[j] -= step * slope[j]
        if entering < 0 and position < 0:
            penalty, status = target, OK
            break
        penalty -= step
        n_idle = 0 if step > 0.0 else n_idle + 1
        if n_idle > 2 * width + 20:  # ties: the same regulators come and go on one spot
            break
        last_gone = -1
        if entering >= 0:
            weight = weights[entering] if gradient[entering] > 0.0 else -weights[entering]
            if not enter(gram, inverse, active, coef, signed, direction, closed, u, v, n_active, entering, weight):
                if not is_fresh and _is_doubtful(inverse, n_active):  # the inverse's fault, not the regulator's
                    status = DOUBTFUL
                    break
                closed[entering] = np.inf
                continue
            n_active += 1
            n_events = _record(events, n_events, penalty, entering, 1.0)
        else:
            is_ill = inverse[position, position] > NEARLY_DEPENDENT
            last_gone = leave(inverse, active, coef, signed, direction, n_active, position)
            n_active -= 1
            n_events = _record(events, n_events, penalty, last_gone, -1.0)
            _reopen(closed, forbidden, active, n_active)
            if is_ill:  # the downdate has just cancelled most of the inverse's digits
                status = DOUBTFUL
                break
        is_fresh = False
        _turn(gram, inverse, active, signed, direction, slope, u, v, n_active, allowed)
        if n_events % REFRESH_EVERY == REFRESH_EVERY - 1:
            status = DUE
            break
    return n_active, penalty, last_gone, n_events, status


@njit
def mend(gram, cross, work, status, n_active, penalty, target, last_gone, events, n_events, max_steps):
    """Go on where `advance` stopped short: make the inverse or the point anew and advance, until one arrives.

    Returns what `advance` returns, with a status that is OK or STALLED.
    """
    for _ in range(max_steps):
        if status == DOUBTFUL:
            n_active = rebuild(gram, work, n_active)
        n_active = refresh(gram, cross, work, n_active, penalty)
        n_active, penalty, last_gone, n_events, status = advance(
            gram, work.inverse, work.active, work.coef, work.signed_weight, work.direction, work.gradient, work.slope,
            work.closed, work.broken, work.forbidden, work.scratch, work.solved, OFF_SIGN * work.numbers[2],
            n_active, penalty, target, last_gone, status == DOUBTFUL, events, n_events, max_steps,
        )  # fmt: skip
        if status in (OK, STALLED):
            return n_active, penalty, last_gone, n_events, status
    return n_active, penalty, last_gone, n_events, STALLED


@njit
def _is_doubtful(inverse, n_active):
    """Say whether the inverse holds regulators that others nearly replace."""
    worst = 0.0
    for a in range(n_active):
        worst = max(worst, inverse[a, a])
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
    gone = leave(work.inverse, work.active, work.coef, work.signed_weight, work.direction, n_active, flipped)
    n_active -= 1
    n_events = _record(events, n_events, penalty, gone, -1.0)
    _reopen(work.closed, work.forbidden, work.active, n_active)
    _turn(
        gram, work.inverse, work.active, work.signed_weight, work.direction, work.slope, work.scratch, work.solved,
        n_active, OFF_SIGN * work.numbers[2],
    )  # fmt: skip
    return n_active, gone, n_events


@njit
def _reopen(closed, forbidden, active, n_active):
    """Let every inactive, allowed regulator enter again, also one that was set aside."""
    for j in range(forbidden.size):
        closed[j] = np.inf if forbidden[j] else 0.0
    for a in range(n_active):
        closed[active[a]] = np.inf


@njit
def _record(events, n_events, penalty, regulator, change):
    """Write an event where there is room; count it in any case."""
    if n_events < events.shape[0]:
        events[n_events, 0] = penalty
        events[n_events, 1] = regulator
        events[n_events, 2] = change
    return n_events + 1
