"""The Lasso path with far more predictors than samples, without a p x p Gram matrix.

The exact homotopy runs on a working set of predictors; one product of all its residuals with the data (the whole
path's, or the next stretch's) finds the predictors that break the optimality conditions, which then join (Tibshirani
et al. 2012, sequential rules with a check; Massias, Gramfort and Salmon 2018, growing working sets). That product is
also the certificate over all p predictors. Nothing is discarded on trust, so no screening rule has to be right.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from netinfer.solvers import dual_newton
from netinfer.solvers.homotopy import make_workspace
from netinfer.solvers.path import GAP_TOLERANCE, MAX_SWEEPS, follow
from netinfer.solvers.problem import smallest_penalty
from netinfer.solvers.wide import WideDesign, certify, outside

# The working set starts with INITIAL predictors a sample, beside the unpenalised ones, and after a check JOIN a sample
# join, but never more than MOST at a time.
INITIAL, JOIN, MOST = 5, 2, 500
# Penalties checked at a time.
AHEAD = 40
# A gradient may pass its bound by this share: the homotopy raises weights by 1e-10 to break ties.
SLACK = 3e-10
# With shrinkage, more active predictors than this share of the samples go to the dual, whose size is the samples'.
DUAL_FROM = 1.0


@dataclasses.dataclass
class WideSolution:
    """One target's path on the places that were ever looked at closely; every other coefficient is 0."""

    places: np.ndarray  # (m,) predictors
    coef: np.ndarray  # (n_penalties, m)
    gap: np.ndarray  # (n_penalties,)
    violation: np.ndarray  # (n_penalties,)
    events: np.ndarray  # (n_events, 3): penalty, predictor, +1 or -1


class WideProblem:
    """One target on all predictors: what the working set and the dual share."""

    largest_penalty: float = np.nan

    def __init__(self, design: WideDesign, y, weights, shrinkage: float = 0.0, cross=None) -> None:
        self.design, self.y, self.weights = design, y, weights
        self.cross = y @ design.x / len(y) if cross is None else cross
        self.shrinkage, self.variance = shrinkage, 1.0 / (1.0 - shrinkage)
        self.sd = float(np.sqrt(y @ y / len(y)))
        is_penalised = (weights > 0) & np.isfinite(weights)
        self.reach = np.divide(1.0, weights, out=np.zeros_like(weights), where=is_penalised)

    def scale(self, places: np.ndarray) -> np.ndarray:
        """Return what brings predictors to a unit diagonal of the shrunk Gram matrix."""
        return 1.0 / np.sqrt((1.0 - self.shrinkage) * self.design.variance[places] + self.shrinkage)

    def gradient(self, fitted: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return q - (1 - s) G b of all predictors from fitted values, shape (..., n_samples)."""
        return np.matmul((self.y - (1.0 - self.shrinkage) * fitted) / len(self.y), self.design.x, out=out)

    def evidence(self, places, coef, gradient, penalties, worst) -> tuple[np.ndarray, np.ndarray]:
        """Return relative gaps and KKT violations of solutions on some places, shape (n_penalties, n_places).

        `gradient` is q - (1 - s) G b there, `worst` the largest |gradient| / weight elsewhere.
        """
        gradient = gradient - self.shrinkage * coef
        scale, weights, gap = self.scale(places), self.weights[places], np.zeros(len(penalties))
        certify(
            self.cross[places] * scale / self.sd, coef / (scale * self.sd), gradient * (scale / self.sd),
            penalties / self.sd, weights * scale, worst / self.sd, self.variance, gap,
        )  # fmt: skip
        bound = penalties[:, None] * weights
        gap[np.isnan(gap)] = np.inf
        off = np.where(coef != 0.0, np.abs(gradient - np.sign(coef) * bound), np.abs(gradient) - bound)
        return gap, np.maximum(off.max(axis=1, initial=0.0), 0.0)


class _WorkingSet:
    """Predictors in use: their rows, and their Gram matrix scaled to a unit diagonal."""

    def __init__(self, problem: WideProblem) -> None:
        self.problem = problem
        self.places = np.empty(0, np.int64)
        self.rows = np.empty((0, len(problem.y)))
        self.gram = np.empty((0, 0))
        self.reach = problem.reach.copy()

    def add(self, places: np.ndarray) -> None:
        share = (1.0 - self.problem.shrinkage) / len(self.problem.y)
        scale, rows = self.problem.scale(places), self.problem.design.rows(places)
        side = share * (self.rows @ rows.T) * self.problem.scale(self.places)[:, None] * scale
        corner = share * (rows @ rows.T) * scale[:, None] * scale
        corner = 0.5 * (corner + corner.T)
        np.fill_diagonal(corner, 1.0)
        m, k = len(self.places), len(places)
        gram = np.empty((m + k, m + k))
        gram[:m, :m], gram[:m, m:], gram[m:, :m], gram[m:, m:] = self.gram, side, side.T, corner
        self.gram = gram
        self.rows = np.concatenate([self.rows, rows])
        self.places = np.concatenate([self.places, places])
        self.reach[places] = 0.0

    def follow(self, penalties: np.ndarray, tol: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the coefficients, shape (n_penalties, m), and the events of the path among the places in use."""
        m, problem = len(self.places), self.problem
        coef, gap = np.zeros((len(penalties), m)), np.zeros(len(penalties))
        max_steps = 100 + 20 * m
        events, n_events = np.zeros((0, 3)), 2 * max_steps
        if m == 0:
            return coef, events
        scale, work = problem.scale(self.places), make_workspace(m)
        work.weights[:] = problem.weights[self.places] * scale
        while n_events > len(events):  # a path may have more than there was room for
            events = np.zeros((n_events, 3))
            n_events = follow(
                self.gram, problem.cross[self.places] * scale / problem.sd, problem.variance, penalties / problem.sd,
                work, max_steps, tol, MAX_SWEEPS, events, coef, gap,
            )  # fmt: skip
        events = events[:n_events]
        events[:, 0] *= problem.sd
        events[:, 1] = self.places[events[:, 1].astype(np.int64)]
        coef *= scale * problem.sd
        # Rounding of the scales takes nothing in at the largest penalty.
        coef[np.ix_(penalties >= problem.largest_penalty, problem.weights[self.places] > 0.0)] = 0.0
        return coef, events


def solve_wide(problem: WideProblem, penalties: np.ndarray, tol: float = GAP_TOLERANCE) -> WideSolution:
    """Solve one target at every penalty, decreasing; see `lasso_path_wide`."""
    inside = _started(problem, tol)
    solution = _grown(inside, penalties, tol)
    if len(solution.coef) < len(penalties):
        return _finished(inside, solution, penalties)
    return solution


def follow_wide(problem: WideProblem, penalty: float, tol: float = GAP_TOLERANCE) -> np.ndarray:
    """Return every breakpoint of the full problem down to a penalty, shape (n_events, 3).

    Between two points of a path at which every gradient keeps its bound all keep them as well, since gradients and
    bounds are linear there. So the events of the working set are those of all predictors once its breakpoints are
    certified like any other penalty. With shrinkage they end where the dual takes over.
    """
    inside = _started(problem, tol)
    _, events = inside.follow(np.array([penalty]), tol)
    n_before = -1
    while n_before != len(inside.places):
        n_before = len(inside.places)
        knots = np.unique(np.append(events[:, 0], penalty))[::-1]
        found = _grown(inside, knots[knots >= penalty], tol)
        if len(found.coef) < (knots >= penalty).sum():  # the rest is the dual's
            penalty = float(knots[max(len(found.coef) - 1, 0)])
        events = found.events[found.events[:, 0] >= penalty]
    return events


def _started(problem: WideProblem, tol: float) -> _WorkingSet:
    """Take the unpenalised and the most correlated predictors in."""
    inside = _WorkingSet(problem)
    free = np.flatnonzero(problem.weights == 0.0)
    gradient = problem.cross
    if free.size:
        inside.add(free)
        coef, _ = inside.follow(np.array([problem.sd]), tol)
        gradient = problem.gradient(coef[0] @ inside.rows)
    strength = np.abs(gradient) * problem.reach
    problem.largest_penalty = smallest_penalty(gradient, problem.weights)
    n_first = min(INITIAL * len(problem.y), MOST, int((strength > 0).sum()))
    if n_first:
        inside.add(np.sort(np.argpartition(-strength, n_first - 1)[:n_first]))
    return inside


def _grown(inside: _WorkingSet, penalties: np.ndarray, tol: float) -> WideSolution:
    """Let the working set grow until every penalty is certified, or the rest has too many active for it."""
    problem, n = inside.problem, len(inside.problem.y)
    done, most = 0, min(JOIN * n, MOST)
    coefs, gap, violation = [], np.zeros(len(penalties)), np.zeros(len(penalties))
    events = np.empty((0, 3))
    table = np.empty((min(AHEAD, len(penalties)), len(problem.weights)))
    passing = np.empty(len(problem.weights))
    while done < len(penalties):
        ahead = penalties[: done + AHEAD]
        coef, events = inside.follow(ahead, tol)
        coef, stretch = coef[done:], ahead[done:]
        if problem.shrinkage > 0.0:
            is_dense = (coef != 0.0).sum(axis=1) > DUAL_FROM * n
            n_sparse = int(is_dense.argmax()) if is_dense.any() else len(stretch)
            coef, stretch = coef[:n_sparse], stretch[:n_sparse]
            if not n_sparse:
                break
        gradient = problem.gradient(coef @ inside.rows, table[: len(stretch)])
        worst, excess = np.zeros(len(stretch)), np.zeros(len(stretch))
        passing[:] = 0.0
        outside(gradient, inside.reach, stretch, SLACK, worst, excess, passing)
        is_broken = worst > stretch * (1.0 + SLACK)
        n_good = int(is_broken.argmax()) if is_broken.any() else len(stretch)
        good = slice(done, done + n_good)
        gap[good], violation[good] = problem.evidence(
            inside.places, coef[:n_good], gradient[:n_good][:, inside.places], stretch[:n_good], worst[:n_good]
        )
        violation[good] = np.maximum(violation[good], excess[:n_good])
        coefs.append(coef[:n_good])
        done += n_good
        new = np.flatnonzero(passing)
        if len(new) > most:
            new = np.sort(new[np.argpartition(-passing[new], most - 1)[:most]])
        if new.size:
            inside.add(new)
    m = len(inside.places)
    joined = np.concatenate([np.empty((0, m)), *(_padded(part, m) for part in coefs)])
    return WideSolution(inside.places, joined, gap[:done], violation[:done], events)


def solve_dual(problem: WideProblem, penalties: np.ndarray, dual: np.ndarray | None = None) -> WideSolution:
    """Solve with shrinkage > 0 by Newton steps on the dual, each penalty from the one before; see `dual_newton`."""
    x, y, s, n = problem.design.x, problem.y, problem.shrinkage, len(problem.y)
    # Infinite weights make infinite thresholds.
    if dual is None:
        multiple = dual_newton.ray(problem.cross, penalties[0] * problem.weights, s, problem.sd**2)
        dual, projected = multiple * y, multiple * problem.cross
    else:
        projected = dual @ x / n
    rows, gap, violation = [], np.zeros(len(penalties)), np.zeros(len(penalties))
    for k, penalty in enumerate(penalties):
        thresholds = penalty * problem.weights
        coef, dual, projected, _ = dual_newton.solve(x, y, thresholds, s, dual, projected)
        if penalty >= problem.largest_penalty:
            coef[problem.weights > 0.0] = 0.0
        support = np.flatnonzero(coef)
        kept = coef[support]
        gradient = problem.gradient(x[:, support] @ kept)
        size = np.abs(gradient)
        inside, size[support] = gradient[support], 0.0
        worst = np.array([(size * problem.reach).max()])
        gap[k : k + 1], violation[k : k + 1] = problem.evidence(
            support, kept[None, :], inside[None, :], np.array([penalty]), worst
        )
        violation[k] = max(violation[k], float((size - thresholds).max()))
        rows.append((support, kept))
    places = np.unique(np.concatenate([support for support, _ in rows]))
    joined = np.zeros((len(penalties), len(places)))
    for k, (support, kept) in enumerate(rows):
        joined[k, np.searchsorted(places, support)] = kept
    return WideSolution(places, joined, gap, violation, np.empty((0, 3)))


def _finished(inside: _WorkingSet, solution: WideSolution, penalties: np.ndarray) -> WideSolution:
    """Solve the remaining penalties on the dual and join them to those of the working set."""
    problem, n_done, m = inside.problem, len(solution.coef), len(inside.places)
    first = _padded(solution.coef, m)
    dual = None
    if n_done:
        dual = problem.y - (1.0 - problem.shrinkage) * (first[-1] @ inside.rows)
    rest = solve_dual(problem, penalties[n_done:], dual)
    places = np.union1d(inside.places, rest.places)
    coef = np.zeros((len(penalties), len(places)))
    coef[:n_done, np.searchsorted(places, inside.places)] = first
    coef[n_done:, np.searchsorted(places, rest.places)] = rest.coef
    gap, violation = np.append(solution.gap, rest.gap), np.append(solution.violation, rest.violation)
    return WideSolution(places, coef, gap, violation, solution.events)


def _padded(coef: np.ndarray, m: int) -> np.ndarray:
    return np.pad(coef, ((0, 0), (0, m - coef.shape[1])))
