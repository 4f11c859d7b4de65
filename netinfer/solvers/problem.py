"""A problem on moments, as a path keeps it: references to what was given, and how to solve it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from netinfer.solvers.certificate import kkt_violation, relative_duality_gap
from netinfer.solvers.result import Solution


@dataclasses.dataclass(frozen=True, eq=False)
class MomentProblem:
    """Minimise 1/2 b'((1-s) G + s I) b - q'b + lambda sum_j w_j |b_j| for any lambda.

    Attributes
    ----------
    gram : float array, shape (n_regulators, n_regulators)
        Without shrinkage; a reference, so that many paths share one.
    cross, weights : float arrays, shape (n_regulators,)
        ``inf`` forbids, 0 leaves unpenalised.
    target_variance, shrinkage : float
    solver, tracer : functions of a problem and penalties
        What solves at given penalties, and what records every breakpoint on the way.
    shrunk : float array, shape (n_regulators, n_regulators), optional
        (1-s) G + s I where many paths share it; made when needed else.
    """

    gram: np.ndarray
    cross: np.ndarray
    weights: np.ndarray
    target_variance: float
    shrinkage: float
    solver: Callable[[MomentProblem, np.ndarray], Solution]
    tracer: Callable[[MomentProblem, np.ndarray], Solution]
    shrunk: np.ndarray | None = None

    @property
    def response_variance(self) -> float:
        """Variance of the response of the equivalent Lasso, which the duality gap is relative to."""
        return self.target_variance / (1.0 - self.shrinkage)

    @property
    def forbidden(self) -> np.ndarray:
        """Regulators that may not enter, bool, shape (n_regulators,)."""
        return np.isinf(self.weights)

    @property
    def finite_weights(self) -> np.ndarray:
        """Weights with 1 in the place of ``inf``."""
        return np.where(self.forbidden, 1.0, self.weights)

    def shrunk_gram(self) -> np.ndarray:
        """Return (1-s) G + s I; the Gram itself where nothing is shrunk."""
        if self.shrinkage == 0.0:
            return self.gram
        if self.shrunk is not None:
            return self.shrunk
        shrunk = (1.0 - self.shrinkage) * self.gram
        shrunk[np.diag_indices_from(shrunk)] += self.shrinkage
        return shrunk

    def solve(self, penalties: np.ndarray) -> Solution:
        """Solve at penalties, decreasing; from the largest one up nothing is left to the rounding of a solver."""
        n_alone = int((penalties >= self.largest_penalty()).sum())
        if n_alone == 0:
            return self.solver(self, penalties)
        alone = self._unpenalised_alone(penalties[:n_alone])
        if n_alone == len(penalties):
            return alone
        rest = self.solver(self, penalties[n_alone:])
        joined = (np.concatenate([a, b]) for a, b in zip(alone[:3], rest[:3], strict=True))
        return Solution(*joined, rest.events)

    def trace(self, penalty: float) -> np.ndarray:
        """Return every event down to a penalty, shape (n_events, 3)."""
        if penalty >= self.largest_penalty():
            return np.zeros((0, 3))
        events = self.tracer(self, np.array([penalty])).events
        return np.zeros((0, 3)) if events is None else events

    def largest_penalty(self) -> float:
        """Return the smallest penalty at which all penalised coefficients are zero."""
        free = np.flatnonzero(self.weights == 0.0)
        gradient = self.cross
        if free.size:
            columns = (1.0 - self.shrinkage) * self.gram[:, free]
            columns[free, np.arange(free.size)] += self.shrinkage
            scale = 1.0 / np.sqrt(columns[free, np.arange(free.size)])
            unit = columns[free] * scale[:, None] * scale
            gradient = gradient - columns @ (scale * np.linalg.lstsq(unit, scale * self.cross[free])[0])
        return smallest_penalty(gradient, self.weights)

    def _unpenalised_alone(self, penalties: np.ndarray) -> Solution:
        """Solve with the unpenalised regulators only, certified over all."""
        shape = (penalties.size, self.cross.size)
        free = self.weights == 0.0
        coef, gap, violation = np.zeros(shape), np.zeros(shape[0]), np.zeros(shape[0])
        if not free.any():
            return Solution(coef, gap, violation)
        alone = dataclasses.replace(self, weights=np.where(free, 0.0, np.inf))
        coef[:] = self.solver(alone, penalties[-1:]).coef
        gram, weights, forbidden = self.shrunk_gram(), self.finite_weights, self.forbidden
        gradient = self.cross - gram[:, free] @ coef[0, free]
        for k, penalty in enumerate(penalties):
            gap[k] = relative_duality_gap(
                gram.diagonal(), self.cross, coef[k], gradient, penalty, weights, forbidden, self.response_variance
            )
            violation[k] = kkt_violation(coef[k], gradient, penalty, weights, forbidden)
        return Solution(coef, gap, violation)


def smallest_penalty(gradient: np.ndarray, weights: np.ndarray) -> float:
    """Return the largest share of gradient and weight, rounded up so far that no product with a weight falls short."""
    is_penalised = np.isfinite(weights) & (weights > 0)
    size, weights = np.abs(gradient[is_penalised]), weights[is_penalised]
    penalty = float((size / weights).max(initial=0.0))
    while (penalty * weights < size).any():
        penalty = float(np.nextafter(penalty, np.inf))
    return penalty
