"""Elastic-net paths by exact active-set steps on a Gram matrix.

At each penalty the active regulators' equations are solved with a Cholesky factor that grows by one row for each
regulator; those whose coefficient comes out with the wrong sign leave, those that break the optimality conditions
enter, until none does (Lee, Battle, Raina and Ng 2007, with many regulators a round). From one penalty to the next the
set hardly changes, so a penalty costs little more than one product of the Gram with the coefficients, where the
homotopy pays one for each breakpoint. Where the rounds do not end, coordinate descent finishes the penalty.

Shrinkage s makes the problem strongly convex, and its Fenchel dual has no constraint: with h_j(b) = s/2 b^2 +
lambda w_j |b| and u = q - (1 - s) G b, the sum of h_j(b_j) + h_j*(u_j) - u_j b_j is a duality gap, each term of it
at least zero. It falls with the square of the violations, and needs no rescaling of the residual.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.certificate import kkt_violation, relative_duality_gap
from netinfer.solvers.coordinate_descent import descend

# What a new regulator adds to the active ones, as a share of its own variance, below which it is left to coordinate
# descent; a shrunk Gram never comes near.
DEPENDENT = 1e-12
# A gradient beyond its bound by less than this, for regulators and response of variance 1, is rounding.
ROUNDING = 1e-12
# Rounds of solving at one penalty; a few are the rule.
MAX_ROUNDS = 60
# Largest step down of the penalty: below it penalties in between are solved on the way.
LONGEST_STEP = 0.7


class ActiveSet(NamedTuple):
    """Arrays of one solver, made once and used for many targets."""

    active: np.ndarray  # (p,) indices of the active regulators, in the order of the factor
    sign: np.ndarray  # (p,) their signs, 0 for an unpenalised one
    coef: np.ndarray  # (p,) their coefficients
    lower: np.ndarray  # (p, p) Cholesky factor of the active Gram, below its diagonal
    upper: np.ndarray  # (p, p) its transpose, so that both substitutions read rows
    inverse_diagonal: np.ndarray  # (p,) one over the factor's diagonal
    gradient: np.ndarray  # (p,) q - H b
    before: np.ndarray  # (p,) the same at the penalty before
    is_active: np.ndarray  # (p,) bool
    scratch: np.ndarray  # (p,)


def make_active_set(n_regulators: int) -> ActiveSet:
    """Allocate the arrays for a number of candidate regulators."""
    p = n_regulators
    return ActiveSet(
        active=np.zeros(p, np.int64),
        sign=np.zeros(p),
        coef=np.zeros(p),
        lower=np.zeros((p, p)),
        upper=np.zeros((p, p)),
        inverse_diagonal=np.zeros(p),
        gradient=np.zeros(p),
        before=np.zeros(p),
        is_active=np.zeros(p, np.bool_),
        scratch=np.zeros(p),
    )


@njit
def forward(work, n, x):
    """Solve L z = x in place, four unknowns at a time so that the rest of x is passed over a quarter as often."""
    upper, inverse = work.upper, work.inverse_diagonal
    a = 0
    while a + 4 <= n:
        r0, r1, r2, r3 = upper[a], upper[a + 1], upper[a + 2], upper[a + 3]
        v0 = x[a] * inverse[a]
        v1 = (x[a + 1] - v0 * r0[a + 1]) * inverse[a + 1]
        v2 = (x[a + 2] - v0 * r0[a + 2] - v1 * r1[a + 2]) * inverse[a + 2]
        v3 = (x[a + 3] - v0 * r0[a + 3] - v1 * r1[a + 3] - v2 * r2[a + 3]) * inverse[a + 3]
        x[a], x[a + 1], x[a + 2], x[a + 3] = v0, v1, v2, v3
        for b in range(a + 4, n):
            x[b] -= (v0 * r0[b] + v1 * r1[b]) + (v2 * r2[b] + v3 * r3[b])
        a += 4
    while a < n:
        value = x[a] * inverse[a]
        x[a] = value
        row = upper[a]
        for b in range(a + 1, n):
            x[b] -= value * row[b]
        a += 1


@njit
def backward(work, n, x):
    """Solve L' z = x in place, likewise."""
    lower, inverse = work.lower, work.inverse_diagonal
    a = n - 1
    while a >= 3:
        r0, r1, r2, r3 = lower[a], lower[a - 1], lower[a - 2], lower[a - 3]
        v0 = x[a] * inverse[a]
        v1 = (x[a - 1] - v0 * r0[a - 1]) * inverse[a - 1]
        v2 = (x[a - 2] - v0 * r0[a - 2] - v1 * r1[a - 2]) * inverse[a - 2]
        v3 = (x[a - 3] - v0 * r0[a - 3] - v1 * r1[a - 3] - v2 * r2[a - 3]) * inverse[a - 3]
        x[a], x[a - 1], x[a - 2], x[a - 3] = v0, v1, v2, v3
        for b in range(a - 3):
            x[b] -= (v0 * r0[b] + v1 * r1[b]) + (v2 * r2[b] + v3 * r3[b])
        a -= 4
    while a >= 0:
        value = x[a] * inverse[a]
        x[a] = value
        row = lower[a]
        for b in range(a):
            x[b] -= value * row[b]
        a -= 1


@njit
def _append(gram, work, n, j, sign):
    """Add a row to the factor; return False where the regulator depends linearly on the active ones."""
    row, u = gram[j], work.lower[n]
    for a in range(n):
        u[a] = row[work.active[a]]
    forward(work, n, u)
    schur = row[j]
    for a in range(n):
        schur -= u[a] * u[a]
    if not schur > DEPENDENT * row[j]:
        return False
    for a in range(n):
        work.upper[a, n] = u[a]
    work.inverse_diagonal[n] = 1.0 / np.sqrt(schur)
    work.active[n] = j
    work.sign[n] = sign
    work.is_active[j] = True
    return True


@njit
def _solve(work, n, x):
    """Solve the active equations in place."""
    forward(work, n, x)
    backward(work, n, x)


@njit
def _drop_wrong_signs(gram, work, n):
    """Take out the regulators whose coefficient has the wrong sign; return how many are left."""
    kept = n
    for a in range(n):
        if work.sign[a] != 0.0 and work.coef[a] * work.sign[a] <= 0.0:
            kept = a
            break
    if kept == n:
        return n
    first = kept
    for a in range(first, n):
        work.is_active[work.active[a]] = False
    for a in range(first, n):
        is_right = work.sign[a] == 0.0 or work.coef[a] * work.sign[a] > 0.0
        if is_right and _append(gram, work, kept, work.active[a], work.sign[a]):
            kept += 1
    return kept


@njit
def set_gradient(gram, cross, active, coef, n, out):
    """Write q - H b, four rows of the Gram at a time."""
    for i in range(out.size):
        out[i] = cross[i]
    a = 0
    while a + 4 <= n:
        r0, r1, r2, r3 = gram[active[a]], gram[active[a + 1]], gram[active[a + 2]], gram[active[a + 3]]
        v0, v1, v2, v3 = coef[a], coef[a + 1], coef[a + 2], coef[a + 3]
        for i in range(out.size):
            out[i] -= (v0 * r0[i] + v1 * r1[i]) + (v2 * r2[i] + v3 * r3[i])
        a += 4
    while a < n:
        row = gram[active[a]]
        v = coef[a]
        for i in range(out.size):
            out[i] -= v * row[i]
        a += 1


@njit
def _settle(gram, cross, penalty, weights, forbidden, rounding, work, n):
    """Solve at one penalty from the active set given; return the number of active regulators and whether it ended."""
    p = cross.size
    for _ in range(MAX_ROUNDS):
        for a in range(n):
            j = work.active[a]
            work.coef[a] = cross[j] - penalty * weights[j] * work.sign[a]
        _solve(work, n, work.coef)
        kept = _drop_wrong_signs(gram, work, n)
        if kept < n:
            n = kept
            continue
        set_gradient(gram, cross, work.active, work.coef, n, work.gradient)
        entered = False
        for j in range(p):
            c, bound = abs(work.gradient[j]), penalty * weights[j]
            if c > bound and not work.is_active[j] and not forbidden[j]:
                if c <= bound + rounding * np.sqrt(gram[j, j]):
                    continue
                if not _append(gram, work, n, j, np.sign(work.gradient[j]) if weights[j] > 0.0 else 0.0):
                    return n, False
                n += 1
                entered = True
        if not entered:
            _refine(gram, cross, penalty, weights, rounding, work, n)
            return n, True
    return n, False


@njit
def _refine(gram, cross, penalty, weights, rounding, work, n):
    """Correct the coefficients by the residual of their equations where it is more than rounding."""
    for _ in range(2):
        worst = 0.0
        for a in range(n):
            j = work.active[a]
            rest = work.gradient[j] - penalty * weights[j] * work.sign[a]
            work.scratch[a] = rest
            worst = max(worst, abs(rest) / np.sqrt(gram[j, j]))
        if worst <= rounding:
            return
        _solve(work, n, work.scratch)
        for a in range(n):
            work.coef[a] += work.scratch[a]
        set_gradient(gram, cross, work.active, work.coef, n, work.gradient)


@njit
def elastic_net_gap(coef, gradient, penalty, weights, forbidden, shrinkage, variance):
    """Return the Fenchel gap of the shrunk problem divided by half the response's variance, never negative."""
    gap = 0.0
    for j in range(coef.size):
        if forbidden[j]:
            continue
        b, bound = coef[j], penalty * weights[j]
        u = gradient[j] + shrinkage * b
        if abs(u) > bound:
            sign = 1.0 if u > 0.0 else -1.0
            best = (u - sign * bound) / shrinkage
            gap += 0.5 * shrinkage * (b - best) ** 2 + bound * (abs(b) - sign * b)
        else:
            gap += 0.5 * shrinkage * b * b + (bound * abs(b) - u * b)
    return gap / (0.5 * variance)


@njit
def _predict(gram, work, n, penalty, last, target, weights, forbidden):
    """Let those enter that would break their bound if the gradient went on as from the last penalty to this one."""
    ratio = (penalty - target) / (last - penalty)
    for j in range(work.gradient.size):
        if not work.is_active[j] and not forbidden[j]:
            ahead = work.gradient[j] + ratio * (work.gradient[j] - work.before[j])
            if abs(ahead) > target * weights[j] and _append(gram, work, n, j, np.sign(ahead)):
                n += 1
    return n


@njit
def _adopt(gram, work, coef, weights):
    """Make the active set anew from coefficients."""
    n = 0
    for j in range(coef.size):
        work.is_active[j] = False
    for j in range(coef.size):
        is_free = weights[j] == 0.0
        if (coef[j] != 0.0 or is_free) and _append(gram, work, n, j, 0.0 if is_free else np.sign(coef[j])):
            work.coef[n] = coef[j]
            n += 1
    return n


@njit
def pursue(
    gram, cross, shrinkage, variance, penalties, weights, forbidden, tol, max_sweeps, work, coef, gap, violation
):
    """Solve one target at every penalty (decreasing), with a certificate for each.

    Parameters
    ----------
    gram : (p, p), already shrunk; cross : (p,); shrinkage, the share of the identity in ``gram``
    weights, forbidden : (p,); weights are finite where nothing is forbidden, 0 is unpenalised
    tol, max_sweeps : for coordinate descent, where the active set does not settle
    coef : (n_penalties, p); gap, violation : (n_penalties,); written
    """
    p = cross.size
    rounding = ROUNDING * np.sqrt(variance)
    n = 0
    for j in range(p):
        work.is_active[j] = False
        work.gradient[j] = cross[j]
    for j in range(p):
        if weights[j] == 0.0 and not forbidden[j] and _append(gram, work, n, j, 0.0):
            n += 1
    if n > 0:
        for a in range(n):
            work.coef[a] = cross[work.active[a]]
        _solve(work, n, work.coef)
        set_gradient(gram, cross, work.active, work.coef, n, work.gradient)
    penalty = 0.0
    for j in range(p):
        if weights[j] > 0.0 and not forbidden[j]:
            penalty = max(penalty, abs(work.gradient[j]) / weights[j])
    last = penalty
    for k in range(penalties.size):
        line = coef[k]
        settled = True
        while settled and penalty > penalties[k]:
            target = max(penalties[k], LONGEST_STEP * penalty)
            if last > penalty:
                n = _predict(gram, work, n, penalty, last, target, weights, forbidden)
            work.before[:] = work.gradient
            n, settled = _settle(gram, cross, target, weights, forbidden, rounding, work, n)
            last, penalty = penalty, target
        line[:] = 0.0
        for a in range(n):
            line[work.active[a]] = work.coef[a]
        gap[k] = np.inf
        if settled:
            if shrinkage > 0.0:
                gap[k] = elastic_net_gap(line, work.gradient, penalties[k], weights, forbidden, shrinkage, variance)
            else:
                gap[k] = relative_duality_gap(
                    np.diag(gram), cross, line, work.gradient, penalties[k], weights, forbidden, variance
                )
        if not gap[k] <= tol:
            found, _ = descend(
                gram, cross, penalties[k], weights, forbidden, variance, tol, max_sweeps, line, work.gradient
            )
            if shrinkage > 0.0:
                found = min(
                    found, elastic_net_gap(line, work.gradient, penalties[k], weights, forbidden, shrinkage, variance)
                )
            gap[k] = found
            n = _adopt(gram, work, line, weights)
            last = penalty = penalties[k]
        violation[k] = kkt_violation(line, work.gradient, penalties[k], weights, forbidden)
