"""One target's standardised problem on one set of samples: from moments, or from the samples where they are wide."""

from __future__ import annotations

import numpy as np

from netinfer.moments import Moments
from netinfer.solvers import lasso_path, lasso_path_wide


def _inverse_sd(variance: np.ndarray, varies: np.ndarray) -> np.ndarray:
    """Return 1 / standard deviation, 0 for what does not vary."""
    return np.divide(1.0, np.sqrt(variance), out=np.zeros_like(variance), where=varies)


class MomentFit:
    """The problem from moments, standardised by them.

    ``varying`` says, of the samples themselves, which regulators vary and whether the target does.
    """

    def __init__(
        self, moments: Moments, shrinkage: float, weights: np.ndarray, varying: tuple[np.ndarray, bool]
    ) -> None:
        self.moments, self.shrinkage, self.n = moments, shrinkage, moments.n
        self.per_sd = per_sd = _inverse_sd(moments.gram.diagonal(), varying[0])
        per_target_sd = _inverse_sd(moments.target_var, np.array([varying[1]]))
        self.varies, self.target_sd = varying[1], np.sqrt(moments.target_var[0])
        gram = moments.gram * per_sd[:, None] * per_sd[None, :]
        np.fill_diagonal(gram, 1.0)
        self.gram = gram
        self.cross = moments.cross[:, 0] * per_sd * per_target_sd[0]
        # What is constant among these samples has no moment to enter by.
        self.weights = np.where(per_sd > 0, weights, np.inf)
        self.largest = self._largest()

    def _solver_gram(self) -> np.ndarray:
        if self.shrinkage == 0.0:
            return self.gram
        shrunk = (1.0 - self.shrinkage) * self.gram
        np.fill_diagonal(shrunk, 1.0)
        return shrunk

    def _largest(self) -> float:
        if not self.varies or not np.isfinite(self.weights).any():
            return 0.0
        # The path tells it exactly, also where unpenalised regulators have taken their share.
        probe = np.array([max(np.abs(self.cross).max(), 1e-300)])
        return lasso_path(
            self._solver_gram(), self.cross, probe, target_variance=self._variance, penalty_weights=self.weights
        ).largest_penalty

    @property
    def _variance(self) -> float:
        return 1.0 / (1.0 - self.shrinkage)

    def path(self, penalties: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients (n_penalties, p) and relative duality gaps."""
        if not self.varies:
            return np.zeros((len(penalties), len(self.cross))), np.zeros(len(penalties))
        path = lasso_path(
            self._solver_gram(), self.cross, penalties, target_variance=self._variance, penalty_weights=self.weights
        )
        return path.coef, path.duality_gap

    def degrees_of_freedom(self, coef: np.ndarray) -> np.ndarray:
        """Return the trace of the smoother on the selected regulators, (n_penalties,)."""
        selected = coef != 0
        if self.shrinkage == 0.0:
            return selected.sum(axis=1).astype(float)
        out = np.zeros(len(coef))
        for k, row in enumerate(selected):
            gram = self.gram[np.ix_(row, row)]
            shrunk = (1.0 - self.shrinkage) * gram + self.shrinkage * np.eye(len(gram))
            out[k] = np.trace(np.linalg.solve(shrunk, gram))
        return out

    def rescaled(self, coef: np.ndarray) -> np.ndarray:
        """Return the coefficients that predict: a shrunk fit is scaled to its own least squares."""
        if self.shrinkage == 0.0:
            return coef
        explained, quadratic = coef @ self.cross, np.einsum("ki,ki->k", coef @ self.gram, coef)
        scale = np.divide(explained, quadratic, out=np.zeros_like(explained), where=quadratic > 0)
        return coef * scale[:, None]

    def residual_variance(self, coef: np.ndarray) -> np.ndarray:
        """Return the mean squared residual of these samples, as a share of the target's variance, (n_penalties,)."""
        return 1.0 - 2.0 * coef @ self.cross + np.einsum("ki,ki->k", coef @ self.gram, coef)

    def held_out_error(self, coef: np.ndarray, fold: Moments) -> np.ndarray:
        """Return the mean squared error on a fold, given by its moments, in the target's units, (n_penalties,)."""
        raw = coef * self.per_sd * self.target_sd
        away = fold.target_mean[0] - self.moments.target_mean[0]
        away = away - raw @ (fold.regulator_mean - self.moments.regulator_mean)
        squared = fold.target_var[0] - 2.0 * raw @ fold.cross[:, 0] + np.einsum("ki,ki->k", raw @ fold.gram, raw)
        return squared + away**2


class SampleFit:
    """The same from the samples: no Gram matrix of all regulators is made."""

    def __init__(
        self, x: np.ndarray, y: np.ndarray, shrinkage: float, weights: np.ndarray, varying: tuple[np.ndarray, bool]
    ) -> None:
        self.shrinkage, self.n = shrinkage, len(y)
        self.mean, self.target_mean = x.mean(axis=0), float(y.mean())
        self.target_sd = float(y.std())
        per_sd = _inverse_sd(x.var(axis=0), varying[0])
        self.varies = varying[1]
        self.weights = np.where(per_sd > 0, weights, np.inf)
        self.per_sd = per_sd
        self.kept = np.flatnonzero(np.isfinite(self.weights))
        self.x = (x - self.mean)[:, self.kept] * per_sd[self.kept]
        self.y = (y - self.target_mean) / (self.target_sd if self.varies else 1.0)
        self.largest = self._largest()

    def _largest(self) -> float:
        if not self.varies or not len(self.kept):
            return 0.0
        rest, free = self.y, self.weights[self.kept] == 0.0
        if free.any():
            s, x = self.shrinkage, self.x[:, free]
            gram = (1.0 - s) * x.T @ x / self.n + s * np.eye(x.shape[1])
            rest = rest - (1.0 - s) * x @ np.linalg.lstsq(gram, x.T @ rest / self.n, rcond=None)[0]
        pull = np.abs(self.x.T @ rest / self.n)[~free] / self.weights[self.kept][~free]
        return float(pull.max(initial=0.0))

    def path(self, penalties: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients (n_penalties, p) and relative duality gaps."""
        coef, gap = np.zeros((len(penalties), len(self.per_sd))), np.zeros(len(penalties))
        if self.varies and len(self.kept):
            path = lasso_path_wide(
                self.x, self.y, penalties, shrinkage=self.shrinkage, penalty_weights=self.weights[self.kept]
            )
            coef[:, self.kept], gap = path.coef, path.duality_gap
        return coef, gap

    def degrees_of_freedom(self, coef: np.ndarray) -> np.ndarray:
        """Return the trace of the smoother on the selected regulators, (n_penalties,)."""
        selected = coef[:, self.kept] != 0
        if self.shrinkage == 0.0:
            return selected.sum(axis=1).astype(float)
        out = np.zeros(len(coef))
        for k, row in enumerate(selected):
            # The smoother's trace is the same over samples, of which there are fewer.
            kernel = self.x[:, row] @ self.x[:, row].T / self.n
            s = self.shrinkage
            out[k] = np.trace(np.linalg.solve((1.0 - s) * kernel + s * np.eye(self.n), kernel))
        return out

    def rescaled(self, coef: np.ndarray) -> np.ndarray:
        """Return the coefficients that predict: a shrunk fit is scaled to its own least squares."""
        if self.shrinkage == 0.0:
            return coef
        fit = coef[:, self.kept] @ self.x.T
        explained, quadratic = fit @ self.y, (fit**2).sum(axis=1)
        scale = np.divide(explained, quadratic, out=np.zeros_like(explained), where=quadratic > 0)
        return coef * scale[:, None]

    def residual_variance(self, coef: np.ndarray) -> np.ndarray:
        """Return the mean squared residual of these samples, as a share of the target's variance, (n_penalties,)."""
        return ((self.y - coef[:, self.kept] @ self.x.T) ** 2).mean(axis=1)

    def held_out_error(self, coef: np.ndarray, fold: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return the mean squared error on a fold's samples, in the target's units, (n_penalties,)."""
        x, y = fold
        raw = coef * self.per_sd * self.target_sd
        return ((y - self.target_mean - raw @ (x - self.mean).T) ** 2).mean(axis=1)
