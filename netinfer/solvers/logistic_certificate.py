r"""Optimality of a penalised logistic fit, from a dual-feasible point.

With :math:`u_i \in [0, 1]`, :math:`\theta_i = c_i (y_i - u_i)` and the binary entropy H, every point with
:math:`\sum_i \theta_i = 0` bounds the minimum from below by

.. math:: D(u) = \sum_i c_i H(u_i) - \sum_g \frac{(\|S(x_g^\top\theta, \lambda w_g)\|_2 - \lambda u_g)_+^2}{2 r_g},

where a block without a ridge r has to have nothing left in the bracket. The residuals of the fit, made orthogonal to
the intercept and the unpenalised predictors and then scaled down until they are feasible, give such a point, so that
the gap is never negative (Koh, Kim and Boyd 2007; Ndiaye et al. 2017). A block's `pull` is the dual norm of its
gradient: the smallest penalty that holds it at zero. It says at once what violates, what is likely to enter, and how
far the residuals have to be scaled.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.special import entr

from netinfer.kernels import njit
from netinfer.solvers.logistic_gradient import Gradients
from netinfer.solvers.logistic_newton import Problem, State
from netinfer.solvers.logistic_quadratic import violation


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What is known of a fit: each block's pull, and how far the fit is from the optimum."""

    pull: np.ndarray
    gap: float
    kkt_violation: float


@njit
def _dual_norms(gradient, weights, block_weights, starts, out):
    """Write the smallest t with ||S(gradient_g, t weights_g)||_2 <= t block_weight_g; gradient in order of blocks.

    The norm on the left is piecewise quadratic in t between the ratios |gradient_j| / weight_j.
    """
    for g in range(starts.size - 1):
        first, last = starts[g], starts[g + 1]
        ratio = np.empty(last - first)
        for j in range(first, last):
            ratio[j - first] = abs(gradient[j]) / weights[j] if weights[j] > 0.0 else np.inf
        order = np.argsort(-ratio)
        square, product, norm = 0.0, 0.0, 0.0
        u = block_weights[g]
        found = 0.0
        for a in range(last - first):
            j = first + order[a]
            if np.isinf(weights[j]) or gradient[j] == 0.0:
                continue
            square += gradient[j] * gradient[j]
            product += abs(gradient[j]) * weights[j]
            norm += weights[j] * weights[j]
            # The largest root of square - 2 t product + t^2 (norm - u^2), in the form without cancellation.
            quadratic = norm - u * u
            inner = product * product - quadratic * square
            lower = product + np.sqrt(max(inner, 0.0))
            root = square / lower if lower > 0.0 else 0.0
            below = ratio[order[a + 1]] if a + 1 < last - first else 0.0
            found = root
            if root >= below:
                break
        out[g] = found


def pulls(problem: Problem, gradient: np.ndarray) -> np.ndarray:
    """Return the smallest penalty that holds each block at zero, shape (n_blocks,); 0 for unpenalised blocks."""
    if not problem.has_groups:
        out = np.abs(gradient)
        if not (problem.weights == 1.0).all():
            out = np.divide(out, problem.weights, out=np.zeros_like(out), where=problem.weights > 0)
        return out
    out = np.zeros(len(problem.block_weights))
    _dual_norms(gradient[problem.order], problem.weights[problem.order], problem.block_weights, problem.starts, out)
    out[problem.is_free_block] = 0.0
    return out


def certify(state: State, penalty: float, gradients: Gradients, *, is_full: bool = False) -> Evidence:
    """Bound how far a fit is from the optimum at a penalty; moves the intercept to its optimum first."""
    problem = state.problem
    state.balance()
    free = problem.hard_free
    theta = _balanced(state)
    left_over = abs(float(state.residual.sum()))
    if free.size:
        left_over = max(left_over, float(np.abs(state.residual @ problem.x[:, free]).max()))
        theta = _without(theta, problem.x[:, free], state.weight)
    if is_full or problem.has_groups or not theta.any():
        gradient = gradients.full(theta)
    else:
        gradient = gradients.bounded(theta, penalty * problem.weights, state.index)
    gradient[free] = 0.0
    pull = pulls(problem, gradient)
    thresholds, group_thresholds = state.thresholds(penalty)
    primal = state.loss + state.penalty_value(state.coef, thresholds, group_thresholds)
    hardest = pull if not state.has_ridge else np.where(problem.block_ridge == 0.0, pull, 0.0)
    scale = min(1.0, penalty / max(float(hardest.max()), 1e-300))
    lower = _dual_value(state, theta, gradient, penalty, scale)
    if state.has_ridge:
        # A second scale, at which the blocks with a ridge are feasible too: the better where the ridge is small.
        lower = max(lower, _dual_value(state, theta, gradient, penalty, min(1.0, penalty / max(pull.max(), 1e-300))))
    slope = gradient[state.index] - problem.ridge[state.index] * state.coef
    inside = violation(state.coef, slope, thresholds, group_thresholds, state.starts)
    outside = np.flatnonzero(pull > penalty)
    outside = outside[~state.is_inside[outside]]
    norms = _block_norms(problem, gradient, penalty, 1.0, outside) - penalty * problem.block_weights[outside]
    return Evidence(
        pull=pull,
        gap=max(primal - lower, 0.0) / state.null_loss,
        kkt_violation=max(left_over, inside, float(norms.max(initial=0.0))),
    )


def _balanced(state: State) -> np.ndarray:
    """Scale the residuals of the class that has more of them until both classes' sums are the same."""
    is_case = state.problem.is_case
    theta = state.residual
    cases, controls = float(theta[is_case].sum()), -float(theta[~is_case].sum())
    if min(cases, controls) <= 0.0:
        return np.zeros_like(theta)
    return theta * np.where(is_case, min(1.0, controls / cases), min(1.0, cases / controls))


def _without(theta: np.ndarray, free: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Take from the residuals what the intercept and the unpenalised predictors still explain."""
    design = np.column_stack([np.ones(len(theta)), free])
    scale = np.sqrt((design**2).mean(axis=0))
    design = design / np.where(scale > 0, scale, 1.0)
    root = np.sqrt(weight)
    for _ in range(2):  # the second takes the rounding of the first
        step = np.linalg.lstsq(root[:, None] * design, theta / np.where(root > 0, root, 1.0), rcond=None)[0]
        theta = theta - weight * (design @ step)
    return theta


def _block_norms(problem: Problem, gradient, penalty: float, scale: float, blocks: np.ndarray) -> np.ndarray:
    """Return ||S(scale * gradient_g, penalty * weights_g)||_2 of some blocks."""
    members = problem.members(blocks)
    left = np.maximum(scale * np.abs(gradient[members]) - penalty * problem.weights[members], 0.0)
    if len(members) == len(blocks):
        return left
    sizes = np.diff(problem.starts)[blocks]
    return np.sqrt(np.add.reduceat(left**2, np.cumsum(sizes) - sizes))


def _dual_value(state: State, theta: np.ndarray, gradient: np.ndarray, penalty: float, scale: float) -> float:
    """Return the dual objective at the scaled residuals; -inf outside the unit interval."""
    problem = state.problem
    part = scale * state.sign * theta / problem.share
    if part.min() < 0.0 or part.max() > 1.0:
        return -np.inf
    value = float(problem.share @ (entr(part) + entr(1.0 - part)))
    if state.has_ridge:
        soft = np.flatnonzero(problem.block_ridge > 0.0)
        norms = _block_norms(problem, gradient, penalty, scale, soft)
        left = np.maximum(norms - penalty * problem.block_weights[soft], 0.0)
        value -= float((left**2 / (2.0 * problem.block_ridge[soft])).sum())
    return value
