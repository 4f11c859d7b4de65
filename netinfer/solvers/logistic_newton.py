"""Proximal Newton steps of the logistic path on a working set of predictors.

Each step minimises a quadratic model of the loss plus the exact penalty (Lee, Sun and Saunders 2014). The model's
second moments X'WX of the working set are the cost for many samples, so they are kept from step to step, and from
penalty to penalty, and made anew only when the steps no longer contract: the fixed point is the same whatever they
are. Predictors enter when they violate the optimality conditions; the certificate looks at all of them.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from netinfer.solvers.logistic_quadratic import curvatures, minimise, violation

# Moments that cost less than this many multiply-adds are made anew in every step.
CHEAP = 1_000_000
# Without it they are kept while a step brings the violation below this share of the last.
CONTRACTION = 0.2
MAX_NEWTON, MAX_SWEEPS, MAX_HALVINGS = 100, 2_000, 40
SUFFICIENT = 1e-4
# Rounding of an objective near 1; a step that promises less cannot be told from none.
ROUNDING = 4e-16


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is minimised: samples with a weight, labels in {0, 1}, penalties of predictors and blocks.

    ``share`` sums to one. ``order`` lists the predictors block by block, ``starts`` the first place of each block;
    without groups every predictor is a block. ``weights`` are those of the L1 term and ``block_weights`` those of the
    norms, each with its part of ``l1_share`` in it; forbidden predictors are in ``is_allowed``.
    """

    x: np.ndarray
    is_case: np.ndarray
    share: np.ndarray
    weights: np.ndarray
    block_weights: np.ndarray
    ridge: np.ndarray
    is_allowed: np.ndarray
    order: np.ndarray
    starts: np.ndarray
    block: np.ndarray

    @property
    def has_groups(self) -> bool:
        """Whether any block's norm is penalised."""
        return bool(self.block_weights.any())

    @property
    def is_free(self) -> np.ndarray:
        """Predictors without any L1 or group penalty, shape (n_predictors,)."""
        return self.is_allowed & (self.weights == 0.0) & (self.block_weights[self.block] == 0.0)


class State:
    """Coefficients on the working set, the linear predictor, and the moments kept for the quadratic model."""

    def __init__(self, problem: Problem) -> None:
        n = len(problem.is_case)
        self.problem = problem
        self.sign = np.where(problem.is_case, 1.0, -1.0)
        self.rows = np.empty((32, n))
        self.index = np.empty(0, np.int64)
        self.starts = np.zeros(1, np.int64)
        self.blocks = np.empty(0, np.int64)
        self.coef, self.mean = np.empty(0), np.empty(0)
        positive = float(problem.share[problem.is_case].sum())
        self.null_loss = -(positive * np.log(positive) + (1 - positive) * np.log1p(-positive))
        self.intercept = float(np.log(positive) - np.log1p(-positive))
        self.eta = np.full(n, self.intercept)
        self.hessian = np.zeros((0, 0))
        self.curvature = np.empty(0)
        self.model_weight = np.empty(0)
        self.model_mean = np.empty(0)
        self.is_stale = True
        self.n_steps = 0
        self._evaluate()

    def _evaluate(self) -> None:
        """Set loss, residual and curvature weights of the samples at ``eta``."""
        self.loss, self.residual, self.weight = _sample_terms(self.eta, self.sign, self.problem.share)

    def enter(self, blocks: np.ndarray) -> None:
        """Take blocks of predictors into the working set, coefficients zero."""
        problem = self.problem
        members = [problem.order[problem.starts[b] : problem.starts[b + 1]] for b in blocks]
        members = [m[problem.is_allowed[m]] for m in members]
        new = np.concatenate(members)
        columns = np.ascontiguousarray(problem.x[:, new].T)
        mean = columns @ problem.share
        columns -= mean[:, None]
        k, more = len(self.index), len(new)
        if k + more > len(self.rows):
            rows = np.empty((2 * (k + more), self.rows.shape[1]))
            rows[:k] = self.rows[:k]
            self.rows = rows
        self.rows[k : k + more] = columns
        self.index = np.concatenate([self.index, new])
        self.mean = np.concatenate([self.mean, mean])
        self.coef = np.concatenate([self.coef, np.zeros(more)])
        sizes = np.array([len(m) for m in members])
        self.starts = np.concatenate([self.starts, k + np.cumsum(sizes)])
        self.blocks = np.concatenate([self.blocks, blocks])
        if not self.is_stale:
            self._extend(k)

    def keep(self, is_kept: np.ndarray) -> None:
        """Drop blocks whose coefficients are zero from the working set; ``is_kept`` is by block."""
        sizes = np.diff(self.starts)
        rows = np.flatnonzero(np.repeat(is_kept, sizes))
        self.rows[: len(rows)] = self.rows[rows]
        self.index, self.mean, self.coef = self.index[rows], self.mean[rows], self.coef[rows]
        self.blocks, sizes = self.blocks[is_kept], sizes[is_kept]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        if not self.is_stale:
            self.hessian = np.ascontiguousarray(self.hessian[np.ix_(rows, rows)])
            self.model_mean, self.curvature = self.model_mean[rows], self.curvature[is_kept]

    def _extend(self, first: int) -> None:
        """Add the moments of the predictors from place ``first`` on to those kept; 0 makes all."""
        k = len(self.index)
        rows = self.rows[:k]
        weighted = rows[first:] * self.model_weight
        mean = weighted.sum(axis=1)
        total = self.model_weight.sum()
        self.model_mean = np.concatenate([self.model_mean[:first], mean])
        block = weighted @ rows.T - np.outer(mean, self.model_mean) / total
        new = np.arange(k - first)
        block[new, first + new] += self.problem.ridge[self.index[first:]]
        hessian = np.empty((k, k))
        hessian[:first, :first] = self.hessian[:first, :first]
        hessian[first:] = block
        hessian[:first, first:] = block[:, :first].T
        self.hessian = hessian
        self.curvature = np.empty(len(self.blocks))
        curvatures(hessian, self.starts, self.curvature)

    def _refresh(self) -> None:
        self.model_weight = self.weight
        self.model_mean = np.empty(0)
        self._extend(0)
        self.is_stale = False

    def thresholds(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the thresholds of predictors and blocks of the working set."""
        return penalty * self.problem.weights[self.index], penalty * self.problem.block_weights[self.blocks]

    def penalty_value(self, coef: np.ndarray, thresholds: np.ndarray, group_thresholds: np.ndarray) -> float:
        """Return the penalty, ridge included, of coefficients on the working set."""
        value = thresholds @ np.abs(coef) + 0.5 * (self.problem.ridge[self.index] @ coef**2)
        if group_thresholds.any():
            value += group_thresholds @ np.sqrt(np.add.reduceat(coef**2, self.starts[:-1]))
        return float(value)

    def minimise(self, penalty: float, wished: float) -> float:
        """Take Newton steps until the largest violation in the working set is at most ``wished``; return it."""
        thresholds, group_thresholds = self.thresholds(penalty)
        ridge = self.problem.ridge[self.index]
        rows = self.rows[: len(self.index)]
        value = self.loss + self.penalty_value(self.coef, thresholds, group_thresholds)
        last = np.inf
        for _ in range(MAX_NEWTON):
            slope = rows @ self.residual - ridge * self.coef
            slope_0 = float(self.residual.sum())
            reached = max(violation(self.coef, slope, thresholds, group_thresholds, self.starts), abs(slope_0))
            if reached <= wished:
                return reached
            if self.is_stale or rows.size * len(rows) < CHEAP or reached > CONTRACTION * last:
                self._refresh()
            last = reached
            moved = self._step(slope, slope_0, thresholds, group_thresholds, value, 0.02 * reached)
            if moved is None:
                self.is_stale = True
                return reached
            value = moved
        return reached

    def _step(self, slope, slope_0, thresholds, group_thresholds, value, tol) -> float | None:
        """Take one Newton step; return the new objective, or None where rounding leaves nothing to gain."""
        total = self.model_weight.sum()
        coef = self.coef.copy()
        inner = slope - self.model_mean * (slope_0 / total)
        is_exact = not group_thresholds.any()
        minimise(
            self.hessian, coef, inner, thresholds, group_thresholds, self.starts, self.curvature, tol, MAX_SWEEPS,
            is_exact,
        )  # fmt: skip
        change = coef - self.coef
        change_0 = (slope_0 - self.model_mean @ change) / total
        moving = change_0 + change @ self.rows[: len(change)]
        before = self.penalty_value(self.coef, thresholds, group_thresholds)
        ridge = self.problem.ridge[self.index]
        # Along the step the smooth part falls with slope'change; the ridge is in both and is taken out of one.
        promised = -(slope + ridge * self.coef) @ change - slope_0 * change_0
        promised += self.penalty_value(coef, thresholds, group_thresholds) - before
        length = 1.0
        for _ in range(MAX_HALVINGS):
            trial = self.coef + length * change if length < 1.0 else coef
            eta = self.eta + length * moving
            terms = _sample_terms(eta, self.sign, self.problem.share)
            after = terms[0] + self.penalty_value(trial, thresholds, group_thresholds)
            if after <= value + SUFFICIENT * length * min(promised, 0.0) + ROUNDING * max(1.0, value):
                self.coef, self.eta = trial, eta
                self.intercept += length * change_0
                self.loss, self.residual, self.weight = terms
                self.n_steps += 1
                return after
            length *= 0.5
            self.is_stale = True
        return None

    def balance(self) -> None:
        """Bring the intercept to its optimum for the coefficients at hand, to rounding."""
        for _ in range(20):
            slope, total = self.residual.sum(), self.weight.sum()
            if total <= 0.0 or abs(slope) <= 1e-16:
                return
            step = float(np.clip(slope / total, -1.0, 1.0))
            eta = self.eta + step
            terms = _sample_terms(eta, self.sign, self.problem.share)
            if abs(terms[1].sum()) >= abs(slope):
                return
            self.eta, self.intercept = eta, self.intercept + step
            self.loss, self.residual, self.weight = terms

    @property
    def plain_intercept(self) -> float:
        """Intercept for predictors that are not centred."""
        return self.intercept - float(self.mean @ self.coef)


def _sample_terms(eta, sign, share):
    """Return the mean loss, and each sample's share of residual y - p and curvature p (1 - p)."""
    margin = sign * eta
    small = np.exp(-np.abs(margin))
    loss = float(share @ (np.log1p(small) + np.maximum(-margin, 0.0)))
    wrong = np.where(margin > 0.0, small, 1.0) / (1.0 + small)
    return loss, share * sign * wrong, share * small / (1.0 + small) ** 2
