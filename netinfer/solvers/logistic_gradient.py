"""Gradients of all predictors, most of them bounded rather than computed.

Along a path the residuals turn slowly. What of them lies in the span of a few earlier ones, whose gradients are
stored, gives each predictor's gradient as a combination of stored numbers; the rest moves a gradient by no more than
its norm times the predictor's (Cauchy and Schwarz, as in the safe rules of El Ghaoui, Viallon and Rabbani 2012).
Predictors whose bound stays below the penalty are certified without a look at their values.
"""

from __future__ import annotations

import numpy as np

from netinfer.solvers.logistic_newton import Problem

# Residuals kept; each costs a row of gradients.
KEPT = 6
# Above this share of undecided predictors the whole product is cheaper than their columns.
FEW = 0.05
# Residuals nearer than this share of their norm to the span of the others add only rounding.
DISTINCT = 1e-6
# Rounding of products and of norms, relative to norms of residual and predictor.
ROUNDING = 1e-11


class Gradients:
    """x'theta for residuals theta that sum to zero."""

    def __init__(self, problem: Problem) -> None:
        x = problem.x
        n = len(x)
        mean = np.full(n, 1.0 / n) @ x
        square = np.einsum("ij,ij->j", x, x)
        self._x = x
        self._norms = np.sqrt(np.maximum(square - n * mean**2, 0.0) + 1e-12 * square)
        self._thetas: list[np.ndarray] = []
        self._found: list[np.ndarray] = []
        self._basis, self._combined = np.empty((0, n)), np.empty((0, x.shape[1]))
        self.n_full = 0

    def full(self, theta: np.ndarray) -> np.ndarray:
        """Compute every gradient, and keep it."""
        self.n_full += 1
        gradient = theta @ self._x
        self._thetas = [*self._thetas, theta.copy()][-KEPT:]
        self._found = [*self._found, gradient.copy()][-KEPT:]
        self._rebuild()
        return gradient

    def bounded(self, theta: np.ndarray, limit: np.ndarray | float, certain: np.ndarray) -> np.ndarray:
        """Return the gradients, exact for the places ``certain`` and wherever |gradient| may exceed ``limit``.

        All others are estimates, no larger than ``limit``.
        """
        along = self._basis @ theta
        rest = theta - along @ self._basis
        size = float(np.linalg.norm(theta))
        room = float(np.linalg.norm(rest)) + ROUNDING * size
        gradient = along @ self._combined
        is_open = np.abs(gradient) + room * self._norms > limit
        is_open[certain] = True
        places = np.flatnonzero(is_open)
        if len(places) - len(certain) > FEW * len(gradient) or not len(self._basis):
            return self.full(theta)
        gradient[places] = theta @ self._x[:, places]
        return gradient

    def _rebuild(self) -> None:
        """Make an orthonormal basis of the residuals kept, the last one first, and the gradients that belong to it."""
        basis: list[np.ndarray] = []
        combined: list[np.ndarray] = []
        for theta, gradient in zip(self._thetas[::-1], self._found[::-1], strict=True):
            size = np.linalg.norm(theta)
            rest, product = theta.copy(), gradient.copy()
            for _ in range(2):
                for direction, image in zip(basis, combined, strict=True):
                    share = direction @ rest
                    rest -= share * direction
                    product -= share * image
            length = np.linalg.norm(rest)
            if length > DISTINCT * size:
                basis.append(rest / length)
                combined.append(product / length)
        if basis:
            self._basis, self._combined = np.array(basis), np.array(combined)
