"""A problem on moments, as a path keeps it: references to what was given, and how to solve it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

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
        """Solve at penalties, decreasing."""
        return self.solver(self, penalties)

    def trace(self, penalty: float) -> np.ndarray:
        """Return every event down to a penalty, shape (n_events, 3)."""
        events = self.tracer(self, np.array([penalty])).events
        return np.zeros((0, 3)) if events is None else events

    def largest_penalty(self) -> float:
        """Return the smallest penalty at which all penalised coefficients are zero."""
        free = np.flatnonzero(self.weights == 0.0)
        gradient = self.cross
        if free.size:
            gram = self.shrunk_gram()
            gradient = self.cross - gram[:, free] @ np.linalg.lstsq(gram[np.ix_(free, free)], self.cross[free])[0]
        is_penalised = ~self.forbidden & (self.weights > 0)
        return float((np.abs(gradient) / np.where(is_penalised, self.weights, np.inf)).max(initial=0.0))
