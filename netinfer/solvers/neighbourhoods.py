"""The Lasso of each variable of a correlation matrix on all the others: the inner loop of neighbourhood selection."""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.follow import follow_support


@njit
def neighbourhoods(gram, first, last, penalties, work, max_steps, tol, max_sweeps):
    """Follow the paths of variables ``first`` to ``last - 1``, each regressed on all the others.

    Parameters
    ----------
    gram : (p, p), unit diagonal
    penalties : (n_penalties,), decreasing
    work : Workspace for p regulators

    Returns
    -------
    neighbours : (n,) int32, coef : (n,)
        Coefficients that are not zero: of the first variable at all penalties in turn, then of the second, ...
    ends : (n_variables, n_penalties + 1)
        Those of variable t at penalty k are at ``ends[t, k]:ends[t, k + 1]``.
    variance : (n_variables, n_penalties)
        Of the residuals, as a share of the variable's own.
    gap : (n_variables, n_penalties)
        Relative duality gaps.
    """
    p, n_penalties, n = gram.shape[0], penalties.size, last - first
    places, values = np.empty(n_penalties * p, np.int64), np.empty(n_penalties * p)
    bounds, gaps = np.empty(n_penalties + 1, np.int64), np.empty(n_penalties)
    events = np.zeros((0, 3))
    neighbours, coef, n_kept = np.empty(64 * n, np.int32), np.empty(64 * n), 0
    ends = np.zeros((n, n_penalties + 1), np.int64)
    variance, gap = np.ones((n, n_penalties)), np.zeros((n, n_penalties))
    for j in range(p):
        work.weights[j], work.forbidden[j] = 1.0, False
    for t in range(n):
        cross = gram[first + t]
        work.forbidden[first + t] = True
        follow_support(
            gram, cross, 1.0, penalties, work, max_steps, tol, max_sweeps, events, places, values, bounds, gaps
        )
        work.forbidden[first + t] = False
        needed = n_kept + bounds[n_penalties]
        if needed > neighbours.size:
            room = max(needed, 2 * neighbours.size)
            more_neighbours, more_coef = np.empty(room, np.int32), np.empty(room)
            more_neighbours[:n_kept], more_coef[:n_kept] = neighbours[:n_kept], coef[:n_kept]
            neighbours, coef = more_neighbours, more_coef
        ends[t, 0] = n_kept
        for k in range(n_penalties):
            explained = 0.0
            for i in range(bounds[k], bounds[k + 1]):
                b = values[i]
                if b != 0.0:
                    neighbours[n_kept], coef[n_kept] = places[i], b
                    n_kept += 1
                    explained += b * cross[places[i]] + penalties[k] * abs(b)
            ends[t, k + 1] = n_kept
            gap[t, k] = gaps[k]
            if explained > 0.0:
                # At the optimum b'Gb = q'b - penalty |b|; residuals correlate with a neighbour by the penalty, so that
                # their variance is its square at least.
                variance[t, k] = max(1.0 - explained, penalties[k] ** 2)
    return neighbours[:n_kept].copy(), coef[:n_kept].copy(), ends, variance, gap
