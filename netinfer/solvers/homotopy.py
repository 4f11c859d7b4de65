"""The exact Lasso path on a Gram matrix (Osborne, Presnell and Turlach 2000; Efron et al. 2004).

As the penalty falls, the coefficients move on straight lines between breakpoints at which one regulator enters or
leaves. A breakpoint costs one sum of k rows of the Gram at m candidates (k m multiply-adds) and a rank-one change of
the explicit inverse (about 2 k^2). At a penalty asked for, the gradient of all p regulators is computed from the data
(k p multiply-adds), so the certificate there owes nothing to the inverse or to the running sums: an inverse that has
drifted shows as a residual of the active equations, which is mended, and else as a gap.

Candidates. Between two penalties asked for, only regulators whose gradient is above a share of the bound are watched
(the sequential strong rule of Tibshirani et al. 2012 with twice its slope). Whether the others stayed within their
bounds is seen at the next penalty asked for; where one did not, the path is followed anew with all of them. Where the
breakpoints themselves are asked for, all are watched from the start.

Ties. The first attempt follows the weights as they are. Where it goes round in circles or ends without a certificate,
the next ones raise the weights by up to 1e-10, more for some places than for others (perturbation, as in the simplex
method), and solve for the weights as they are at every penalty asked for. Of exact duplicates on an unshrunk Gram
one takes the whole coefficient.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.active import (
    BARRED,
    OUT,
    VECTOR,
    Workspace,
    combine,
    demote,
    enter,
    leave,
    make_workspace,
    promote,
    rebuild,
    refined_schur,
    refresh,
    solve,
    vectors,
)

__all__ = ["OK", "STALLED", "Workspace", "advance", "drop_flipped", "make_workspace", "mend", "start"]

# What `advance` ends with: arrived, going round in circles, an inverse to make anew, a refresh due, a regulator (given
# in the place of the one that left last) to take another's place.
OK, STALLED, DOUBTFUL, DUE, SWAP = 0, 1, 2, 3, 4
# Above this, an entry of the inverse's diagonal (of a unit Gram) belongs to a regulator that others nearly replace.
NEARLY_DEPENDENT = 1e4
TIE_BREAK = 1e-10
# Regulators passed over at a time in the search for the next to enter.
WIDE = 4 * VECTOR
# A dependent regulator that would pass its bound at this rate, as a share of its weight, takes another's place instead.
PASSING = 1e-12
# Of the regulators that replace another, those count whose share in it is above this; rounding of an inverse is below.
SHARE = 1e-6
# Breakpoints between two refreshes, so that rounding cannot add up without end.
REFRESH_EVERY = 100


@njit
def start(gram, cross, work, attempt):
    """Reset for a new target; return how many (unpenalised) regulators are active, and the largest penalty."""
    n_active, n_free, most = 0, 0, 0.0
    p = cross.size
    for j in range(p):
        q, w = cross[j], work.weights[j]
        work.gradient[j] = q
        work.broken[j] = w
        is_open = not work.forbidden[j]
        work.place[j] = OUT if is_open else BARRED
        work.per_weight[j] = 1.0 / w if is_open and w > 0.0 else 0.0
        n_free += is_open and w == 0.0
        most = max(most, abs(q))
    work.numbers[0], work.numbers[1] = most, n_free
    for j in range(work.place.size):
        work.near[j], work.closed[j] = 0.0, np.inf  # so it stays beyond the last candidate
    for j in range(p, work.place.size):
        work.place[j], work.gradient[j], work.broken[j] = BARRED, 0.0, 1.0
    if attempt > 0:
        # Multiples of an irrational number, modulo 1, lie evenly and in no order of place; each attempt has its own.
        for j in range(p):
            work.broken[j] *= 1.0 + TIE_BREAK * (((0.6180339887498949 + 0.1 * attempt) * (j + 1)) % 1.0)
    if n_free > 0:
        for j in range(p):
            if work.place[j] == OUT and work.weights[j] == 0.0:
                work.place[j] = BARRED  # active from here on, or dependent on those that are
                if enter(
                    gram, work.inverse, work.active, work.coef, work.signed_weight, work.direction, work.scratch,
                    work.solved, n_active, j, 0.0,
                ):  # fmt: skip
                    n_active += 1
        n_active, _ = refresh(gram, cross, work, n_active, 0, 0.0)
    largest = 0.0
    for j in range(p):
        if work.place[j] == OUT:
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
def _first_entry(near, slope, closed, bound, width, penalty, step, last_gone):
    """Find the candidate that reaches its bound first within a step; return the step, shortened, and its place.

    A gradient outside its bound at the end of the step has crossed it on the way, so whole blocks are passed over by
    one comparison each and only the few that crossed cost a division. ``width`` is a whole number of vectors.
    """
    entering = -1
    for wide in range(0, width, WIDE):
        if wide + WIDE <= width:
            rest = penalty - step
            n_crossing = 0
            for j in range(wide, wide + WIDE):  # of a fixed length, which makes it vector code
                n_crossing += abs(near[j] - step * slope[j]) > rest * bound[j] + closed[j]
            if n_crossing == 0:
                continue
        for first in range(wide, min(wide + WIDE, width), VECTOR):
            rest = penalty - step
            n_crossing = 0
            for j in range(first, first + VECTOR):
                n_crossing += abs(near[j] - step * slope[j]) > rest * bound[j] + closed[j]
            if n_crossing == 0:
                continue
            for j in range(first, first + VECTOR):
                if closed[j] == 0.0:
                    w, s, c = bound[j], slope[j], near[j]
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
def advance(
    gram, inverse, active, coef, signed, direction, rows, candidates, place, near, slope, bound, closed, in_order, u, v,
    n_active, n_candidates, penalty, target, last_gone, is_fresh, events, n_events, max_steps,
):  # fmt: skip
    """Follow the path from one penalty down to another.

    Expects direction and slope of the present active set and leaves them so; ``is_fresh`` says that the inverse was
    just made anew. Returns the numbers of active regulators and of candidates, the penalty reached, the regulator
    that left last, the number of events written to ``events`` (rows: penalty, regulator, +1 entered or -1 left) and a
    status; `mend` takes care of the others.
    """
    n_idle, n_steps, status = 0, 0, STALLED
    while n_steps < max_steps:  # one way out, which spares the counting of references
        n_steps += 1
        width = vectors(n_candidates)
        step, position = _first_crossing(coef, direction, signed, n_active, penalty - target)
        gone = place[last_gone] if last_gone >= 0 else -1
        step, entering = _first_entry(near, slope, closed, bound, width, penalty, step, gone)
        for a in range(n_active):
            coef[a] += step * direction[a]
        for i in range(width):
            near[i] -= step * slope[i]
        if entering < 0 and position < 0:
            penalty, status = target, OK
            break
        penalty -= step
        n_idle = 0 if step > 0.0 else n_idle + 1
        if n_idle > 2 * n_candidates + 2 * n_active + 20:  # ties: the same regulators come and go on one spot
            break
        last_gone = -1
        if entering >= 0:
            weight = bound[entering] if near[entering] > 0.0 else -bound[entering]
            j = candidates[entering]
            if not enter(gram, inverse, active, coef, signed, direction, u, v, n_active, j, weight):
                if not is_fresh and _is_doubtful(inverse, n_active):  # the inverse's fault, not the regulator's
                    status = DOUBTFUL
                    break
                if abs(weight) - np.sign(weight) * slope[entering] > PASSING * abs(weight):
                    last_gone, status = j, SWAP
                    break
                closed[entering] = np.inf
                continue
            n_active += 1
            promote(gram, active, rows, candidates, place, near, bound, closed, n_active, n_candidates, entering)
            n_candidates -= 1
            n_events = _record(events, n_events, penalty, j, 1.0)
        else:
            is_ill = inverse[position, position] > NEARLY_DEPENDENT
            weight = signed[position]
            last_gone = leave(inverse, active, coef, signed, direction, n_active, position)
            n_active -= 1
            demote(
                gram, active, rows, candidates, place, near, bound, closed, n_active, n_candidates, position,
                last_gone, penalty * weight, abs(weight),
            )  # fmt: skip
            n_candidates += 1
            n_events = _record(events, n_events, penalty, last_gone, -1.0)
            if is_ill:  # the downdate has just cancelled most of the inverse's digits
                status = DOUBTFUL
                break
        is_fresh = False
        combine(rows, in_order, direction, n_active, vectors(n_candidates), slope)
        if n_steps % REFRESH_EVERY == 0:
            status = DUE
            break
    return n_active, n_candidates, penalty, last_gone, n_events, status


@njit
def _swap(gram, work, n_active, n_candidates, penalty, j, events, n_events):
    """Shift coefficients onto a candidate that depends on the active regulators until one of these is zero and leaves.

    The fit stays but for the little in which they differ: the caller refreshes. Returns the numbers of active
    regulators and candidates, the regulator that left or -1, and the number of events.
    """
    inverse, active, coef, signed, direction = work.inverse, work.active, work.coef, work.signed_weight, work.direction
    u, v, c = work.scratch, work.solved, work.place[j]
    weight = work.bound[c] if work.near[c] > 0.0 else -work.bound[c]
    for a in range(n_active):
        u[a] = gram[j, active[a]]
    solve(inverse, u, n_active, v)
    refined_schur(gram, inverse, active, u, v, n_active, gram[j, j])
    amount, position = np.inf, -1
    for a in range(n_active):
        falling = np.sign(weight) * v[a] * np.sign(signed[a])
        if falling > SHARE and abs(coef[a]) < amount * falling:
            amount, position = abs(coef[a]) / falling, a
    if position < 0:
        work.closed[c] = np.inf
        return n_active, n_candidates, -1, n_events
    amount *= np.sign(weight)
    for a in range(n_active):
        coef[a] -= amount * v[a]
    old = signed[position]
    gone = leave(inverse, active, coef, signed, direction, n_active, position)
    n_active -= 1
    demote(
        gram, active, work.rows, work.candidates, work.place, work.near, work.bound, work.closed, n_active,
        n_candidates, position, gone, penalty * old, abs(old),
    )  # fmt: skip
    n_candidates += 1
    n_events = _record(events, n_events, penalty, gone, -1.0)
    if enter(gram, inverse, active, coef, signed, direction, u, v, n_active, j, weight):
        coef[n_active] = amount
        n_active += 1
        promote(
            gram, active, work.rows, work.candidates, work.place, work.near, work.bound, work.closed, n_active,
            n_candidates, c,
        )  # fmt: skip
        n_candidates -= 1
        n_events = _record(events, n_events, penalty, j, 1.0)
    return n_active, n_candidates, gone, n_events


@njit
def mend(gram, cross, work, status, n_active, n_candidates, penalty, target, last_gone, events, n_events, max_steps):
    """Go on where `advance` stopped short: make the inverse or the point anew and advance, until one arrives.

    Returns what `advance` returns, with a status that is OK or STALLED.
    """
    for _ in range(max_steps):
        if status == SWAP:
            n_active, n_candidates, last_gone, n_events = _swap(
                gram, work, n_active, n_candidates, penalty, last_gone, events, n_events
            )
        if status == DOUBTFUL:
            n_active, n_candidates = rebuild(gram, work, n_active, n_candidates)
        n_active, n_candidates = refresh(gram, cross, work, n_active, n_candidates, penalty)
        n_active, n_candidates, penalty, last_gone, n_events, status = advance(
            gram, work.inverse, work.active, work.coef, work.signed_weight, work.direction, work.rows, work.candidates,
            work.place, work.near, work.slope, work.bound, work.closed, work.in_order, work.scratch, work.solved,
            n_active, n_candidates, penalty, target, last_gone, status == DOUBTFUL, events, n_events, max_steps,
        )  # fmt: skip
        if status in (OK, STALLED):
            return n_active, n_candidates, penalty, last_gone, n_events, status
    return n_active, n_candidates, penalty, last_gone, n_events, STALLED


@njit
def _is_doubtful(inverse, n_active):
    """Say whether the inverse holds regulators that others nearly replace."""
    worst = 0.0
    for a in range(n_active):
        worst = max(worst, inverse[a, a])
    return not worst < NEARLY_DEPENDENT


@njit
def drop_flipped(gram, work, n_active, n_candidates, penalty, events, n_events):
    """Let a regulator go whose sign the data contradict, by rounding, at a refreshed point.

    Returns the numbers of active regulators and candidates, the regulator that went or -1, and the number of events.
    """
    flipped = -1
    for a in range(n_active):
        if work.coef[a] * work.signed_weight[a] < 0.0:
            flipped = a
    if flipped < 0:
        return n_active, n_candidates, -1, n_events
    weight = work.signed_weight[flipped]
    gone = leave(work.inverse, work.active, work.coef, work.signed_weight, work.direction, n_active, flipped)
    n_active -= 1
    demote(
        gram, work.active, work.rows, work.candidates, work.place, work.near, work.bound, work.closed, n_active,
        n_candidates, flipped, gone, penalty * weight, abs(weight),
    )  # fmt: skip
    n_candidates += 1
    n_events = _record(events, n_events, penalty, gone, -1.0)
    combine(work.rows, work.in_order, work.direction, n_active, vectors(n_candidates), work.slope)
    return n_active, n_candidates, gone, n_events


@njit
def _record(events, n_events, penalty, regulator, change):
    """Write an event where there is room; count it in any case."""
    if n_events < events.shape[0]:
        events[n_events, 0] = penalty
        events[n_events, 1] = regulator
        events[n_events, 2] = change
    return n_events + 1
