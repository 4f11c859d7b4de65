"""Proximal Newton steps of the logistic path on a working set of predictors.

Each step minimises a quadratic model of the loss plus the exact penalty (Lee, Sun and Saunders 2014). The model's
second moments X'WX of the working set are the cost for many samples, so they are kept from step to step, and from
penalty to penalty, and made anew only when the steps no longer contract: the fixed point is the same whatever they
are. Predictors enter when they violate the optimality conditions; the certificate looks at all of them.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property

import numpy as np

from netinfer.solvers.logistic_quadratic import curvatures
from netinfer.solvers.logistic_step import newton, sample_terms


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

    @cached_property
    def has_groups(self) -> bool:
        """Whether there are blocks of several predictors, or any block's norm is penalised."""
        return len(self.starts) != len(self.order) + 1 or bool(self.block_weights.any())

    @cached_property
    def is_free(self) -> np.ndarray:
        """Predictors without any L1 or group penalty, shape (n_predictors,)."""
        return self.is_allowed & (self.weights == 0.0) & (self.block_weights[self.block] == 0.0)

    @cached_property
    def is_free_block(self) -> np.ndarray:
        """Blocks in which no allowed predictor is penalised, shape (n_blocks,)."""
        return np.logical_and.reduceat((self.is_free | ~self.is_allowed)[self.order], self.starts[:-1])

    @cached_property
    def hard_free(self) -> np.ndarray:
        """Predictors without a penalty and without a ridge: places."""
        return np.flatnonzero(self.is_free & (self.ridge == 0.0))

    @cached_property
    def block_ridge(self) -> np.ndarray:
        """Ridge of each block, shape (n_blocks,)."""
        return self.ridge[self.order[self.starts[:-1]]]

    def members(self, blocks: np.ndarray) -> np.ndarray:
        """Return the predictors of blocks."""
        if len(self.starts) == len(self.order) + 1:
            return self.order[blocks]
        parts = [self.order[self.starts[b] : self.starts[b + 1]] for b in blocks]
        return np.concatenate([*parts, np.empty(0, np.int64)])


class State:
    """Coefficients on the working set, the linear predictor, and the moments kept for the quadratic model."""

    def __init__(self, problem: Problem) -> None:
        n = len(problem.is_case)
        self.problem = problem
        self.sign = np.where(problem.is_case, 1.0, -1.0)
        self.has_ridge = bool(problem.ridge.any())
        self.rows = np.empty((32, n))
        self.index = np.empty(0, np.int64)
        self.starts = np.zeros(1, np.int64)
        self.blocks = np.empty(0, np.int64)
        self.is_inside = np.zeros(len(problem.block_weights), bool)
        self.coef, self.mean = np.empty(0), np.empty(0)
        positive = float(problem.share[problem.is_case].sum())
        self.null_loss = -(positive * np.log(positive) + (1 - positive) * np.log1p(-positive))
        self.intercept = float(np.log(positive) - np.log1p(-positive))
        self.eta = np.full(n, self.intercept)
        self.hessian = np.zeros((0, 0))
        self.curvature = np.empty(0)
        self.model_weight, self.residual, self.weight = np.empty(n), np.empty(n), np.empty(n)
        self.model_mean = np.empty(0)
        self.scratch = np.empty_like(self.rows)
        self.is_stale = True
        self.n_steps = 0
        self.loss = sample_terms(self.eta, self.sign, problem.share, self.residual, self.weight)

    def enter(self, blocks: np.ndarray) -> None:
        """Take blocks of predictors into the working set, coefficients zero."""
        problem = self.problem
        new = problem.members(blocks)
        sizes = np.diff(problem.starts)[blocks]
        self.is_inside[blocks] = True
        columns = np.ascontiguousarray(problem.x[:, new].T)
        mean = columns @ problem.share
        columns -= mean[:, None]
        k, more = len(self.index), len(new)
        if k + more > len(self.rows):
            rows = np.empty((2 * (k + more), self.rows.shape[1]))
            rows[:k] = self.rows[:k]
            self.rows, self.scratch = rows, np.empty_like(rows)
        self.rows[k : k + more] = columns
        self.index = np.concatenate([self.index, new])
        self.mean = np.concatenate([self.mean, mean])
        self.coef = np.concatenate([self.coef, np.zeros(more)])
        self.starts = np.concatenate([self.starts, k + np.cumsum(sizes)])
        self.blocks = np.concatenate([self.blocks, blocks])
        if not self.is_stale:
            self._extend(k)

    def keep(self, is_kept: np.ndarray) -> None:
        """Drop blocks whose coefficients are zero from the working set; ``is_kept`` is by block."""
        sizes = np.diff(self.starts)
        rows = np.flatnonzero(np.repeat(is_kept, sizes))
        self.is_inside[self.blocks[~is_kept]] = False
        self.rows[: len(rows)] = self.rows[rows]
        self.index, self.mean, self.coef = self.index[rows], self.mean[rows], self.coef[rows]
        self.blocks, sizes = self.blocks[is_kept], sizes[is_kept]
        self.starts = np.concatenate([[0], np.cumsum(sizes)])
        if not self.is_stale:
            self.hessian = np.ascontiguousarray(self.hessian[np.ix_(rows, rows)])
            self.model_mean, self.curvature = self.model_mean[rows], self.curvature[is_kept]

    def _extend(self, first: int) -> None:
        """Add the moments of the predictors from place ``first`` on to those kept."""
        k = len(self.index)
        rows = self.rows[:k]
        weighted = rows[first:] * self.model_weight
        mean = weighted.sum(axis=1)
        self.model_mean = np.concatenate([self.model_mean, mean])
        block = weighted @ rows.T - np.outer(mean, self.model_mean / self.model_weight.sum())
        new = np.arange(k - first)
        block[new, first + new] += self.problem.ridge[self.index[first:]]
        hessian = np.empty((k, k))
        hessian[:first, :first] = self.hessian
        hessian[first:] = block
        hessian[:first, first:] = block[:, :first].T
        self.hessian = hessian
        self.curvature = np.empty(len(self.blocks))
        curvatures(hessian, self.starts, self.curvature)

    def thresholds(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the thresholds of predictors and blocks of the working set."""
        return penalty * self.problem.weights[self.index], penalty * self.problem.block_weights[self.blocks]

    def penalty_value(self, coef: np.ndarray, thresholds: np.ndarray, group_thresholds: np.ndarray) -> float:
        """Return the penalty, ridge included, of coefficients on the working set."""
        value = thresholds @ np.abs(coef)
        if self.has_ridge:
            value += 0.5 * (self.problem.ridge[self.index] @ coef**2)
        if self.problem.has_groups:
            value += group_thresholds @ np.sqrt(np.add.reduceat(coef**2, self.starts[:-1]))
        return float(value)

    def minimise(self, penalty: float, wished: float) -> float:
        """Take Newton steps until the largest violation in the working set is at most ``wished``; return it."""
        k = len(self.index)
        thresholds, group_thresholds = self.thresholds(penalty)
        if self.is_stale:
            self.hessian, self.model_mean = np.empty((k, k)), np.empty(k)
            self.curvature = np.empty(len(self.blocks))
        reached, self.intercept, self.loss, n_steps, self.is_stale = newton(
            self.rows[:k], self.coef, self.intercept, self.eta, self.residual, self.weight, self.loss, self.sign,
            self.problem.share, self.problem.ridge[self.index], thresholds, group_thresholds, self.starts,
            self.hessian, self.model_mean, self.model_weight, self.curvature, self.scratch, self.is_stale, wished,
            self.problem.has_groups,
        )  # fmt: skip
        self.n_steps += n_steps
        return reached

    def balance(self) -> None:
        """Bring the intercept to its optimum for the coefficients at hand, to rounding."""
        for _ in range(20):
            slope, total = self.residual.sum(), self.weight.sum()
            if total <= 0.0 or abs(slope) <= 1e-16:
                return
            step = float(np.clip(slope / total, -1.0, 1.0))
            eta, residual, weight = self.eta + step, np.empty_like(self.eta), np.empty_like(self.eta)
            loss = sample_terms(eta, self.sign, self.problem.share, residual, weight)
            if abs(residual.sum()) >= abs(slope):
                return
            self.eta, self.intercept = eta, self.intercept + step
            self.loss, self.residual, self.weight = loss, residual, weight

    @property
    def plain_intercept(self) -> float:
        """Intercept for predictors that are not centred."""
        return self.intercept - float(self.mean @ self.coef)
