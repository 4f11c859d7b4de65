"""Coefficients of many targets at one penalty of a shrunk Gram: the ranking fit of stability selection."""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.active_set import pursue


@njit
def rank_targets(gram, cross, own, weights, shrinkage, variance, penalty, tol, max_sweeps, work, gap, coef):
    """Solve a block of targets at one penalty.

    Parameters
    ----------
    gram : (p, p), shrunk; cross : (n_targets, p); own : (n_targets,), the target's own place or -1
    weights : (n_targets, p) or (1, p) for all targets alike, penalty weights: 0 is unpenalised, inf forbidden
    penalty : (1,)
    gap : (n_targets,), raised to the relative duality gap
    coef : (n_targets, p), written
    """
    p = gram.shape[0]
    forbidden, finite = np.zeros(p, np.bool_), np.ones(p)
    gaps, violation = np.zeros(1), np.zeros(1)
    for t in range(cross.shape[0]):
        weight = weights[t if weights.shape[0] > 1 else 0]
        for j in range(p):
            forbidden[j] = j == own[t] or np.isinf(weight[j])
            finite[j] = 1.0 if forbidden[j] else weight[j]
        pursue(
            gram, cross[t], shrinkage, variance, penalty, finite, forbidden, tol, max_sweeps, work,
            coef[t : t + 1], gaps, violation,
        )  # fmt: skip
        gap[t] = max(gap[t], gaps[0])
