"""Many targets on one Gram: the inner loops of stability selection."""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.follow import follow_support


@njit
def count_selections(
    gram, cross, own, weights, variance, penalties, work, max_steps, tol, max_sweeps,
    counts, n_selected, n_union, gap, n_gate, coef,
):  # fmt: skip
    """Follow one half-sample's paths of a block of targets and add up what was selected.

    Parameters
    ----------
    gram : (p, p), or padded to more columns; cross : (n_targets, p)
    own : (n_targets,), the target's own place among the regulators or -1
    weights : (n_targets, p) or (1, p) for all targets alike, penalty weights: 0 is unpenalised, inf forbidden
    penalties : (n_penalties,), decreasing; the first ``n_gate`` of them count selections
    counts : (n_targets, p, n_gate) uint16, raised; n_selected, n_union : (n_targets, n_gate), raised
    gap : (n_targets,), raised to the worst relative duality gap
    coef : (n_targets, p), written: coefficients at the last penalty
    """
    p = gram.shape[0]
    n_penalties = penalties.size
    places, values = np.empty(n_penalties * p, np.int64), np.empty(n_penalties * p)
    ends, gaps = np.empty(n_penalties + 1, np.int64), np.empty(n_penalties)
    events = np.zeros((0, 3))
    seen = np.full(p, -1)
    for t in range(cross.shape[0]):
        weight = weights[t if weights.shape[0] > 1 else 0]
        for j in range(p):
            is_forbidden = j == own[t] or np.isinf(weight[j])
            work.forbidden[j] = is_forbidden
            work.weights[j] = 1.0 if is_forbidden else weight[j]
        follow_support(
            gram, cross[t], variance, penalties, work, max_steps, tol, max_sweeps, events, places, values, ends, gaps,
        )  # fmt: skip
        n_seen = 0
        for k in range(n_penalties):
            gap[t] = max(gap[t], gaps[k])
            if k < n_gate:
                selected = 0
                for i in range(ends[k], ends[k + 1]):
                    j = places[i]
                    if values[i] != 0.0:
                        counts[t, j, k] += 1
                        selected += 1
                        if seen[j] != t:
                            seen[j] = t
                            n_seen += 1
                n_selected[t, k] += selected
                n_union[t, k] += n_seen
        for j in range(p):
            coef[t, j] = 0.0
        for i in range(ends[n_penalties - 1], ends[n_penalties]):
            coef[t, places[i]] = values[i]
