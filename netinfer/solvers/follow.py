"""One target's exact path through the penalties asked for, each of them certified: the kernel of many targets."""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.active import OUT, admit, combine, look, refresh, solve
from netinfer.solvers.certificate import gap_of_sums
from netinfer.solvers.coordinate_descent import descend
from netinfer.solvers.homotopy import OK, STALLED, advance, drop_flipped, mend, start

# Times that a path is followed anew before coordinate descent is asked.
ATTEMPTS = 5
# A point is taken as it comes where its gap and, as a share of the largest |q|, the residual of its equations are below
# these; else it is refined. The homotopy ends near 1e-15.
TIGHT = 1e-12
RESIDUAL = 1e-12
# An unwatched regulator's gradient may pass its bound by this share, which is rounding.
SLACK = 1e-12
# Regulators are watched that a gradient growing by this many weights a unit of penalty could bring to their bound.
STEEPEST = 2.0


@njit
def certify(gram, cross, weights, per_weight, n_free, shares, rows, coef, n_rows, gradient, penalty, variance):
    """Return the relative duality gap of some coefficients from their gradient; O(p + k).

    ``n_free`` counts the unpenalised regulators, ``shares`` is scratch; its first entry is left with max |c| / w.
    """
    fit, quadratic, norm = 0.0, 0.0, 0.0
    for a in range(n_rows):
        j, b = rows[a], coef[a]
        fit += cross[j] * b
        quadratic += b * (cross[j] - gradient[j])
        norm += weights[j] * abs(b)
    # Doubles that are not negative are in order as integers, and a maximum of integers is vector code.
    p = cross.size
    for j in range(p):
        shares[j] = abs(gradient[j]) * per_weight[j]
    bits, most = shares.view(np.int64), np.int64(0)
    for j in range(p):
        most = max(most, bits[j])
    bits[0] = most
    free = 0.0
    if n_free > 0:
        for j in range(p):
            if weights[j] == 0.0:
                free = max(free, abs(gradient[j]) / np.sqrt(gram[j, j]))
    return gap_of_sums(fit, quadratic, norm, shares[0], free, penalty, variance)


@njit
def _certify(gram, cross, work, n_active, coef, gradient, penalty, variance):
    return certify(
        gram, cross, work.weights, work.per_weight, work.numbers[1], work.scratch, work.active, coef, n_active,
        gradient, penalty, variance,
    )  # fmt: skip


@njit
def _keep(work, n_active, coef):
    """Copy active coefficients to the solution; return how many."""
    for a in range(n_active):
        work.support[a] = work.active[a]
        work.values[a] = coef[a]
    return n_active


@njit
def _misses(place, gradient, broken, penalty):
    """Say whether a regulator that nobody watched has left its bound: the path from there on is another one."""
    limit = penalty * (1.0 + SLACK)
    n_missed = 0
    for j in range(place.size):
        n_missed += (place[j] == OUT) & (abs(gradient[j]) > limit * broken[j])
    return n_missed > 0


@njit
def _unbroken(gram, work, n_active, penalty, coef, gradient):
    """Write the active solution and its gradient for the weights as they are, from those with ties broken."""
    for a in range(n_active):
        sign = np.sign(work.signed_weight[a])
        work.scratch[a] = penalty * (work.signed_weight[a] - sign * work.weights[work.active[a]])
    solve(work.inverse, work.scratch, n_active, work.solved)
    combine(gram, work.active, work.solved, n_active, gram.shape[1], gradient)
    for a in range(n_active):
        coef[a] = work.coef[a] + work.solved[a]
    for j in range(gram.shape[1]):
        gradient[j] = work.gradient[j] - gradient[j]


@njit
def _settle(gram, cross, variance, work, n_active, n_candidates, penalty, events, n_events, spare, best):
    """Refine the point at a penalty, keep it where its gap is below ``best``.

    Returns the numbers of active regulators and candidates, the one that left or -1, the number of events, the gap
    and the size of the support, -1 where nothing was kept.
    """
    n_active, n_candidates = refresh(gram, cross, work, n_active, n_candidates, penalty)
    n_active, n_candidates, gone, n_events = drop_flipped(gram, work, n_active, n_candidates, penalty, events, n_events)
    n_support = -1
    if gone >= 0:
        return n_active, n_candidates, gone, n_events, best, n_support
    gap = _certify(gram, cross, work, n_active, work.coef, work.gradient, penalty, variance)
    if gap < best:
        best, n_support = gap, _keep(work, n_active, work.coef)
    if gap > TIGHT:
        _unbroken(gram, work, n_active, penalty, spare[0], spare[1])
        gap = _certify(gram, cross, work, n_active, spare[0], spare[1], penalty, variance)
        if gap < best:
            best, n_support = gap, _keep(work, n_active, spare[0])
    return n_active, n_candidates, gone, n_events, best, n_support


@njit
def _by_descent(gram, cross, variance, penalty, work, tol, max_sweeps, best, n_support):
    """Go on by coordinate descent from the solution kept; return the gap and the size of the support."""
    p = cross.size
    dense, gradient = np.zeros(p), np.zeros(p)
    for a in range(n_support):
        dense[work.support[a]] = work.values[a]
    gap, _ = descend(gram, cross, penalty, work.weights, work.forbidden, variance, tol, max_sweeps, dense, gradient)
    if gap < best:
        best, n_support = gap, 0
        for j in range(p):
            if dense[j] != 0.0:
                work.support[n_support], work.values[n_support] = j, dense[j]
                n_support += 1
    return best, n_support


@njit
def follow_support(
    gram, cross, variance, penalties, work, max_steps, tol, max_sweeps, events, places, values, ends, gap
):
    """Solve one target at every penalty (decreasing), with a certificate for each.

    Parameters
    ----------
    gram : (p, p), or padded to more columns; cross : (p,)
    work : Workspace; ``work.weights`` and ``work.forbidden`` say what may enter
    places, values : (n_penalties * p,), written: the regulators of the solutions, one after another, and coefficients
    ends : (n_penalties + 1,), written: solution k is at ``ends[k]:ends[k + 1]``
    gap : (n_penalties,), written: relative duality gaps

    Returns
    -------
    int
        The number of events.
    """
    active, coef, signed, direction = work.active, work.coef, work.signed_weight, work.direction
    inverse, solved, rows, in_order = work.inverse, work.solved, work.rows, work.in_order
    gradient, near, slope, bound, closed = work.gradient, work.near, work.slope, work.bound, work.closed
    candidates, place, broken = work.candidates, work.place, work.broken
    weights, per_weight, scratch, numbers = work.weights, work.per_weight, work.scratch, work.numbers
    spare = np.zeros((2, gram.shape[1]))
    n_active, penalty = start(gram, cross, work, 0)
    n_candidates, last_gone, n_events, attempt = 0, -1, 0, 0
    is_narrow = events.shape[0] == 0  # breakpoints that are asked for must not be missed
    ends[0] = 0
    for k in range(penalties.size):
        asked = penalties[k]
        if n_active == 0 and asked >= penalty:
            gap[k], ends[k + 1] = 0.0, ends[k]
            continue
        best, kept, is_kept, is_again, is_missed = np.inf, 0, False, False, False
        while True:
            if is_again:
                # A regulator was missed, or rounding spoilt the path, as it does where regulators are the same but for
                # the last digits: again from the start, with all of them or with the ties broken otherwise.
                if is_narrow:
                    is_narrow = False
                else:
                    attempt += 1
                n_active, penalty = start(gram, cross, work, attempt)
                n_candidates, last_gone, n_events = 0, -1, 0
            is_again, is_missed = True, False
            status = OK
            if asked < penalty:
                level = max(asked - STEEPEST * (penalty - asked), 0.0) if is_narrow else 0.0
                n_candidates = admit(
                    gram, active, direction, gradient, broken, rows, candidates, place, near, slope, bound, closed,
                    in_order, n_active, n_candidates, level,
                )  # fmt: skip
                n_active, n_candidates, penalty, last_gone, n_events, status = advance(
                    gram, inverse, active, coef, signed, direction, rows, candidates, place, near, slope, bound,
                    closed, in_order, scratch, solved, n_active, n_candidates, penalty, asked, last_gone, False,
                    events, n_events, max_steps,
                )  # fmt: skip
                if status != OK and status != STALLED:
                    n_active, n_candidates, penalty, last_gone, n_events, status = mend(
                        gram, cross, work, status, n_active, n_candidates, penalty, asked, last_gone, events, n_events,
                        max_steps,
                    )  # fmt: skip
            if status == OK:
                if attempt == 0:
                    residual = look(
                        gram, cross, active, coef, signed, gradient, candidates, near, scratch, n_active, n_candidates,
                        asked,
                    )  # fmt: skip
                    if residual <= RESIDUAL * numbers[0]:
                        best = certify(
                            gram, cross, weights, per_weight, numbers[1], scratch, active, coef, n_active, gradient,
                            asked, variance,
                        )  # fmt: skip
                        # The largest share of a bound is left in scratch[0]; few points need the second look.
                        if is_narrow and scratch[0] > asked * (1.0 + SLACK):
                            is_missed = _misses(place, gradient, broken, asked)
                        if best <= TIGHT and not is_missed:
                            is_kept = True
                            kept = n_active
                            for a in range(n_active):
                                places[ends[k] + a], values[ends[k] + a] = active[a], coef[a]
                            break
                        kept = _keep(work, n_active, coef)
                for _ in range(n_active + 1):
                    n_active, n_candidates, gone, n_events, found, n_found = _settle(
                        gram, cross, variance, work, n_active, n_candidates, asked, events, n_events, spare, best
                    )
                    if n_found >= 0:
                        best, kept = found, n_found
                    if gone < 0:
                        break
                    last_gone = gone
                if is_narrow and (is_missed or _misses(place, gradient, broken, asked)):
                    best, kept = np.inf, 0
                    continue
            if best <= tol or attempt == ATTEMPTS - 1:
                break
        if best > tol:
            if kept == 0 and k > 0:  # nothing found: from the last penalty's solution
                kept = ends[k] - ends[k - 1]
                for a in range(kept):
                    work.support[a], work.values[a] = places[ends[k - 1] + a], values[ends[k - 1] + a]
            best, kept = _by_descent(gram, cross, variance, asked, work, tol, max_sweeps, best, kept)
        gap[k], ends[k + 1] = best, ends[k] + kept
        if not is_kept:
            for a in range(kept):
                places[ends[k] + a], values[ends[k] + a] = work.support[a], work.values[a]
    return n_events


@njit
def follow(gram, cross, variance, penalties, work, max_steps, tol, max_sweeps, events, coef, gap):
    """Solve one target at every penalty (decreasing): as ``follow_support``, with dense ``coef`` (n_penalties, p)."""
    p = cross.size
    places, values = np.empty(penalties.size * p, np.int64), np.empty(penalties.size * p)
    ends = np.empty(penalties.size + 1, np.int64)
    n_events = follow_support(
        gram, cross, variance, penalties, work, max_steps, tol, max_sweeps, events, places, values, ends, gap
    )
    for k in range(penalties.size):
        for j in range(p):
            coef[k, j] = 0.0
        for i in range(ends[k], ends[k + 1]):
            coef[k, places[i]] = values[i]
    return n_events
