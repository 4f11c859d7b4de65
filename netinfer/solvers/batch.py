"""Many targets on one Gram: the inner loop of stability selection."""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.path import follow


@njit
def fit_targets(
    gram, cross, own, variance, penalties, is_gate, ranking, work, max_steps, tol, max_sweeps,
    counts, n_selected, n_union, coef, gap, largest,
):  # fmt: skip
    """Fit one half-sample's paths of a block of targets and add up what was selected.

    Parameters
    ----------
    gram : (p, p); cross : (n_targets, p); own : (n_targets,), the target's own place among the regulators or -1
    penalties : (n_penalties,), decreasing; is_gate : (n_penalties,) bool, those that count selections
    ranking : int, place of the ranking penalty
    counts : (n_targets, p, n_gate) uint16, raised; n_selected, n_union : (n_targets, n_gate), raised
    coef : (n_targets, p), written: coefficients at the ranking penalty
    gap : (n_targets,), raised to the worst relative duality gap; largest : (n_targets,), largest |cross|, raised
    """
    p = gram.shape[0]
    n_penalties = penalties.size
    path = np.zeros((n_penalties, p))
    gaps = np.zeros(n_penalties)
    events = np.zeros((0, 3))
    seen = np.full(p, -1)
    for t in range(cross.shape[0]):
        for j in range(p):
            work.forbidden[j] = j == own[t]
        follow(gram, cross[t], variance, penalties, work, max_steps, tol, max_sweeps, events, path, gaps)
        gate = 0
        n_seen = 0
        for k in range(n_penalties):
            gap[t] = max(gap[t], gaps[k])
            if is_gate[k]:
                selected = 0
                for j in range(p):
                    if path[k, j] != 0.0:
                        counts[t, j, gate] += 1
                        selected += 1
                        if seen[j] != t:
                            seen[j] = t
                            n_seen += 1
                n_selected[t, gate] += selected
                n_union[t, gate] += n_seen
                gate += 1
        for j in range(p):
            coef[t, j] = path[ranking, j]
            if j != own[t]:
                largest[t] = max(largest[t], abs(cross[t, j]))
