r"""Optimality of a penalised logistic fit, from a dual-feasible point.

With :math:`u_i \in [0, 1]`, :math:`\theta_i = c_i (y_i - u_i)` and the binary entropy H, every point with
:math:`\sum_i \theta_i = 0` bounds the minimum from below by

.. math:: D(u) = \sum_i c_i H(u_i) - \sum_g \frac{(\|S(x_g^\top\theta, \lambda w_g)\|_2 - \lambda u_g)_+^2}{2 r_g},

where a block without a ridge r has to have nothing left in the bracket. The residuals of the fit, made orthogonal to
the intercept and the unpenalised predictors and then scaled down until they are feasible, give such a point, so that
the gap is never negative (Koh, Kim and Boyd 2007; Ndiaye et al. 2017).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.special import entr

from netinfer.kernels import njit
from netinfer.solvers.logistic_newton import Problem, State
from netinfer.solvers.logistic_quadratic import violation

BISECTIONS = 60


@dataclasses.dataclass(frozen=True)
class Certificate:
    """What is known of a point: the gradient that its dual point gives every predictor, and how far it is off."""

    gradient: np.ndarray
    gap: float
    kkt_violation: float


@njit
def block_norms(gradient, thresholds, starts, scale, out):
    """Write ||S(scale * gradient_g, thresholds_g)||_2 of every block; predictors stand in order of blocks."""
    for g in range(starts.size - 1):
        first, last = starts[g], starts[g + 1]
        if last - first == 1:
            out[g] = max(scale * abs(gradient[first]) - thresholds[first], 0.0)
        else:
            total = 0.0
            for j in range(first, last):
                left = max(scale * abs(gradient[j]) - thresholds[j], 0.0)
                total += left * left
            out[g] = np.sqrt(total)


def in_blocks(problem: Problem, values: np.ndarray) -> np.ndarray:
    """Put one value a predictor into the order of the blocks."""
    return values[problem.order] if problem.has_groups else values


def excess(problem: Problem, gradient: np.ndarray, penalty: float) -> np.ndarray:
    """Return by how much each block's gradient exceeds what the penalty can hold at zero, shape (n_blocks,)."""
    norms = np.empty(len(problem.block_weights))
    block_norms(in_blocks(problem, gradient), in_blocks(problem, penalty * problem.weights), problem.starts, 1.0, norms)
    return norms - penalty * problem.block_weights


def certify(state: State, penalty: float) -> Certificate:
    """Bound how far a fit is from the optimum at a penalty; moves the intercept to its optimum first."""
    problem = state.problem
    state.balance()
    free = np.flatnonzero(problem.is_free & (problem.ridge == 0.0))
    theta = _balanced(state, problem)
    violated = abs(float(state.residual.sum()))
    if free.size:
        violated = max(violated, float(np.abs(state.residual @ problem.x[:, free]).max()))
        theta = _without(theta, problem.x[:, free], state.weight)
    gradient = theta @ problem.x
    gap = np.inf
    thresholds, group_thresholds = state.thresholds(penalty)
    primal = state.loss + state.penalty_value(state.coef, thresholds, group_thresholds)
    if theta.any() or state.loss == 0.0:
        lower = max(_dual_value(problem, state, theta, gradient, penalty, scale) for scale in _scales(
            problem, state, gradient, penalty, free))  # fmt: skip
        gap = max(primal - lower, 0.0) / state.null_loss
    slope = gradient.copy()
    slope[free] = 0.0
    coef = np.zeros(problem.x.shape[1])
    coef[state.index] = state.coef
    slope -= problem.ridge * coef
    violated = max(
        violated,
        violation(
            in_blocks(problem, coef),
            in_blocks(problem, slope),
            in_blocks(problem, penalty * problem.weights),
            penalty * problem.block_weights,
            problem.starts,
        ),
    )
    return Certificate(gradient, gap, violated)


def _balanced(state: State, problem: Problem) -> np.ndarray:
    """Scale the residuals of the class that has more of them until both classes' sums are the same."""
    theta = state.residual.copy()
    cases, controls = theta[problem.is_case].sum(), -theta[~problem.is_case].sum()
    if cases > controls:
        theta[problem.is_case] *= controls / cases
    elif controls > 0.0:
        theta[~problem.is_case] *= cases / controls
    return theta


def _without(theta: np.ndarray, free: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Take from the residuals what unpenalised predictors still explain; zeros where that leaves the unit interval."""
    design = np.column_stack([np.ones(len(theta)), free])
    root = np.sqrt(weight)
    scale = np.sqrt((design**2).mean(axis=0))
    design = design / np.where(scale > 0, scale, 1.0)
    corrected = theta
    for _ in range(2):  # the second takes the rounding of the first
        step = np.linalg.lstsq(root[:, None] * design, corrected / np.where(root > 0, root, 1.0), rcond=None)[0]
        corrected = corrected - weight * (design @ step)
    return corrected


def _scales(problem: Problem, state: State, gradient: np.ndarray, penalty: float, free: np.ndarray) -> list[float]:
    """Return the factors of the residuals to try: the largest feasible one, and 1 where a ridge allows any."""
    gradient = gradient.copy()
    gradient[free] = 0.0
    is_soft = bool((problem.ridge > 0).all())
    thresholds, group_thresholds = in_blocks(problem, penalty * problem.weights), penalty * problem.block_weights
    ordered = in_blocks(problem, gradient)
    norms = np.empty(len(group_thresholds))
    block_norms(ordered, thresholds, problem.starts, 1.0, norms)
    hard = np.logical_or.reduceat(in_blocks(problem, problem.ridge == 0.0), problem.starts[:-1])
    over = np.flatnonzero((norms > group_thresholds) & hard)
    scale = 1.0
    for g in over if problem.has_groups else ():
        scale = min(scale, _largest_scale(ordered, thresholds, group_thresholds, problem.starts, g))
    if over.size and not problem.has_groups:
        scale = float((thresholds[over] / np.abs(ordered[over])).min())
    return [scale, 1.0] if is_soft and scale < 1.0 else [scale]


def _largest_scale(gradient, thresholds, group_thresholds, starts, g) -> float:
    members = slice(starts[g], starts[g + 1])
    size, bound = np.abs(gradient[members]), thresholds[members]
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if np.sqrt((np.maximum(middle * size - bound, 0.0) ** 2).sum()) <= group_thresholds[g]:
            low = middle
        else:
            high = middle
    return low


def _dual_value(problem: Problem, state: State, theta, gradient, penalty: float, scale: float) -> float:
    """Return the dual objective at the scaled residuals; -inf outside the unit interval."""
    part = scale * np.abs(theta) / problem.share
    is_inside = (part <= 1.0).all() and ((theta >= 0) == problem.is_case)[theta != 0].all()
    if not is_inside:
        return -np.inf
    value = float(problem.share @ (entr(part) + entr(1.0 - part)))
    if (problem.ridge > 0).any():
        norms = np.empty(len(problem.block_weights))
        thresholds = in_blocks(problem, penalty * problem.weights)
        block_norms(in_blocks(problem, gradient), thresholds, problem.starts, scale, norms)
        left = np.maximum(norms - penalty * problem.block_weights, 0.0)
        ridge = in_blocks(problem, problem.ridge)[problem.starts[:-1]]
        value -= float((left[ridge > 0] ** 2 / (2.0 * ridge[ridge > 0])).sum())
    return value


def largest_penalty(problem: Problem, gradient: np.ndarray) -> float:
    """Return the smallest penalty at which no penalised predictor enters, from the gradient of the null fit."""
    if not problem.has_groups:
        is_penalised = problem.is_allowed & (problem.weights > 0)
        weights = np.where(is_penalised, problem.weights, np.inf)
        return float((np.abs(gradient) / weights).max())
    low, high = 0.0, 1.0
    is_free_block = np.logical_and.reduceat(in_blocks(problem, problem.is_free | ~problem.is_allowed), problem.starts[:-1])
    while excess(problem, gradient, high)[~is_free_block].max(initial=-1.0) > 0.0:
        low, high = high, 2.0 * high
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        if excess(problem, gradient, middle)[~is_free_block].max(initial=-1.0) > 0.0:
            low = middle
        else:
            high = middle
    return high
