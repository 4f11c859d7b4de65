"""Paths of the group and sparse-group Lasso on a Gram matrix: block descent on a working set, certified.

Along the path the coefficients and the gradient of the next penalty are guessed by a straight line through the last
two; groups whose guessed gradient leaves the dual ball join the working set (a sharper strong rule, Tibshirani et al.
2012), whose rows of the Gram lie side by side. Passes of exact group updates (Qin, Scheinberg and Goldfarb 2013)
follow until the working set's own duality gap is small, Newton's method on the active coordinates where they are slow;
then the whole gradient is computed anew, gives the certificate, and adds what the guess missed.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.group_newton import newton_step
from netinfer.solvers.group_step import dual_norm, group_minimum, is_inside, sparse_group_minimum
from netinfer.solvers.group_work import count_zeros, drop_zeros, is_zero, join

# Passes before Newton's method, and an eighth of the working set's size more, which is what its step costs.
PATIENCE = 5
# Passes after which the working set's gradient is computed anew: what rounding adds up in it can keep a gap from tol.
REFRESH = 50
# The straight line is followed for at most this many of its own lengths: beyond, it multiplies rounding alone.
FARTHEST = 4.0


@njit
def _subtract_rows(gram, begin, end, step, size, out):
    """Take step_j times row j of the Gram from the gradient, for the places begin .. end - 1."""
    j = begin
    while j + 3 <= end:
        a, b, c = step[j], step[j + 1], step[j + 2]
        if a != 0.0 or b != 0.0 or c != 0.0:
            for i in range(size):
                out[i] -= a * gram[j, i] + b * gram[j + 1, i] + c * gram[j + 2, i]
        j += 3
    while j < end:
        a = step[j]
        if a != 0.0:
            for i in range(size):
                out[i] -= a * gram[j, i]
        j += 1


@njit
def _gap(work, n_in, penalty, variance, is_sparse):
    """Return the duality gap over half the variance, given that no group outside the working set leaves the dual ball.

    It is ``inf`` where the moments are of no common data.
    """
    cross, coef, gradient, single, first = work.cross, work.coef, work.gradient, work.single, work.first
    fit = 0.0
    quadratic = 0.0
    norm = 0.0
    worst = penalty
    for g in range(n_in):
        square = 0.0
        for j in range(first[g], first[g + 1]):
            b = coef[j]
            fit += cross[j] * b
            quadratic += b * (cross[j] - gradient[j])
            norm += single[j] * abs(b)
            square += b * b
        norm += work.together[g] * np.sqrt(square)
        if is_sparse:
            worst = dual_norm(gradient, first[g], first[g + 1], single, work.together[g], worst)
        else:
            pull = 0.0
            for j in range(first[g], first[g + 1]):
                pull += gradient[j] * gradient[j]
            if pull > (worst * work.together[g]) ** 2:
                worst = np.sqrt(pull) / work.together[g]
    primal = 0.5 * variance - fit + 0.5 * quadratic + penalty * norm
    residual = variance - 2.0 * fit + quadratic
    against = variance - fit
    scale = 0.0
    if residual > 0.0:
        scale = against / residual
    if abs(scale) * worst > penalty:
        scale = penalty / worst if scale > 0.0 else -penalty / worst
    gap = primal - (scale * against - 0.5 * scale * scale * residual)
    if gap < -1e-8 * variance:
        return np.inf
    return max(gap, 0.0) / (0.5 * variance)


@njit
def _kkt(work, n_in, penalty):
    """Return the largest Euclidean distance, over groups, of the gradient from the penalty's subdifferential."""
    coef, gradient, single, first = work.coef, work.gradient, work.single, work.first
    worst = 0.0
    for g in range(n_in):
        square = 0.0
        for j in range(first[g], first[g + 1]):
            square += coef[j] * coef[j]
        together = penalty * work.together[g]
        pull = together / np.sqrt(square) if square > 0.0 else 0.0
        distance = 0.0
        for j in range(first[g], first[g + 1]):
            b = coef[j]
            bound = penalty * single[j]
            off = gradient[j] - pull * b
            if b == 0.0:
                off = max(abs(off) - bound, 0.0)
            else:
                off -= bound if b > 0.0 else -bound
            distance += off * off
        distance = np.sqrt(distance)
        if square == 0.0:
            distance = max(distance - together, 0.0)
        worst = max(worst, distance)
    return worst


@njit
def _pass(problem, work, n_in, penalty):
    """Update every group of the working set once."""
    first, gram, coef, gradient, curvature = work.first, work.gram, work.coef, work.gradient, work.curvature
    step, u, after, pull = work.buffer[0], work.buffer[1], work.buffer[2], work.buffer[3]
    size = first[n_in]
    for g in range(n_in):
        begin = first[g]
        end = first[g + 1]
        m = end - begin
        together = penalty * work.together[g]
        if problem.is_sparse:
            for j in range(m):
                u[j] = gradient[begin + j]
                for i in range(m):
                    u[j] += gram[begin + j, begin + i] * coef[begin + i]
            sparse_group_minimum(
                u, gram, problem.largest[work.group[g]], work.single, penalty, together, coef, begin, end, after, pull
            )
        else:
            for j in range(m):
                u[j] = gradient[begin + j] + curvature[begin + j] * coef[begin + j]
            r = group_minimum(u, curvature, together, coef, begin, end)
            for j in range(m):
                after[j] = u[j] * (r / (curvature[begin + j] * r + together))
        for j in range(m):
            step[begin + j] = after[j] - coef[begin + j]
            coef[begin + j] = after[j]
        _subtract_rows(gram, begin, end, step, size, gradient)


@njit
def _whole_gradient(problem, work, n_in, cross, gradient):
    """Compute q - Gb anew for all places, and copy it to the working set."""
    for i in range(gradient.size):
        gradient[i] = cross[i]
    for g in range(n_in):
        group = work.group[g]
        begin = problem.first[group]
        step = work.buffer[0]
        for k in range(work.first[g], work.first[g + 1]):
            step[begin + k - work.first[g]] = work.coef[k]
        _subtract_rows(problem.gram, begin, problem.first[group + 1], step, gradient.size, gradient)
    for k in range(work.first[n_in]):
        work.gradient[k] = gradient[work.place[k]]


@njit
def _refresh(work, n_in):
    """Compute q - Gb anew on the working set."""
    size = work.first[n_in]
    for k in range(size):
        work.gradient[k] = work.cross[k]
    _subtract_rows(work.gram, 0, size, work.coef, size, work.gradient)


@njit
def _join_outside(problem, work, n_in, penalty, cross, gradient):
    """Add every group whose gradient leaves the dual ball at this penalty."""
    first, inside, single, together = problem.first, work.inside, problem.single, problem.together
    for g in range(together.size):
        if inside[g]:
            continue
        if problem.is_sparse:
            is_out = not is_inside(gradient, first[g], first[g + 1], penalty, single, together[g])
        else:
            pull = 0.0
            for j in range(first[g], first[g + 1]):
                pull += gradient[j] * gradient[j]
            is_out = pull > (penalty * together[g]) ** 2
        if is_out:
            n_in = join(problem, work, n_in, g, cross, gradient)
    return n_in


@njit
def _solve(problem, work, n_in, penalty, cross, variance, tol, max_passes, gradient):
    """Solve at one penalty from the working set's coefficients; return groups in, the gap and the passes taken."""
    inner = 0.5 * tol
    passes = 0
    gap = np.inf
    while True:
        wait = PATIENCE + work.first[n_in] // 8
        while passes < max_passes:
            _pass(problem, work, n_in, penalty)
            passes += 1
            if passes % REFRESH == 0:
                _refresh(work, n_in)
            if _gap(work, n_in, penalty, variance, problem.is_sparse) <= inner:
                break
            wait -= 1
            if wait <= 0:
                is_near = newton_step(
                    work.gram, work.coef, work.gradient, work.single, work.together, work.first, n_in, penalty, variance
                )
                wait = 1 if is_near else PATIENCE
        _whole_gradient(problem, work, n_in, cross, gradient)
        before = n_in
        n_in = _join_outside(problem, work, n_in, penalty, cross, gradient)
        gap = _gap(work, n_in, penalty, variance, problem.is_sparse)
        if gap <= tol or passes >= max_passes:
            return n_in, gap, passes
        if n_in == before:
            inner *= 0.1


@njit
def _write(problem, work, n_in, coef, active):
    """Write the working set's coefficients to their regulators, turned back from the groups' own axes."""
    for g in range(n_in):
        begin = work.first[g]
        end = work.first[g + 1]
        where = problem.first[work.group[g]]
        if is_zero(work, g):
            continue
        active[problem.label[work.group[g]]] = True
        for i in range(end - begin):
            if problem.is_sparse:
                coef[problem.regulator[where + i]] = work.coef[begin + i]
            else:
                total = 0.0
                for k in range(end - begin):
                    total += problem.axes[where + i, k] * work.coef[begin + k]
                coef[problem.regulator[where + i]] = total


@njit
def follow_groups(problem, cross, variance, penalties, work, tol, max_passes, coef, active, gaps, kkt):
    """Solve along decreasing penalties; return the passes taken.

    cross : (n_places,), on the groups' own axes
    coef, active : (n_penalties, n_regulators) zeros, (n_penalties, groups in all) False, written where not zero
    gaps, kkt : (n_penalties,), written
    """
    p = cross.size
    gradient, guess, earlier = cross.copy(), cross.copy(), cross.copy()
    last, before_last = np.zeros(p), np.zeros(p)
    n_in = 0
    work.inside[:] = False
    work.first[0] = 0
    total = 0
    for t in range(penalties.size):
        if t >= 2:
            # A group that has just left stays: the line through the last two fits gives it a coefficient again, which
            # the guessed gradient holds.
            if count_zeros(work, n_in, before_last) > 4 + n_in // 4:
                n_in = drop_zeros(problem, work, n_in, before_last, cross, gradient)
            ahead = (penalties[t] - penalties[t - 1]) / (penalties[t - 1] - penalties[t - 2])
            ahead = min(ahead, FARTHEST)
            for k in range(work.first[n_in]):
                j = work.place[k]
                work.coef[k] += ahead * (last[j] - before_last[j])
            for j in range(p):
                guess[j] = gradient[j] + ahead * (gradient[j] - earlier[j])
        else:
            guess[:] = gradient
        earlier[:] = gradient
        for k in range(work.first[n_in]):
            work.gradient[k] = guess[work.place[k]]
        n_in = _join_outside(problem, work, n_in, penalties[t], cross, guess)
        n_in, gaps[t], passes = _solve(problem, work, n_in, penalties[t], cross, variance, tol, max_passes, gradient)
        total += passes
        before_last[:] = last
        last[:] = 0.0
        for k in range(work.first[n_in]):
            last[work.place[k]] = work.coef[k]
        _write(problem, work, n_in, coef[t], active[t])
        kkt[t] = _kkt(work, n_in, penalties[t])
    return total
