"""Where the Graphical Lasso starts: a positive definite W within the box, and regressions to go with it.

S + t (W - S) for any positive definite W is positive definite for 0 < t <= 1 where S is semidefinite, and within the
box for a small enough t. From the W of a larger penalty that keeps each active pair on the edge of its box, which is
where the next solution has it; from the identity it is a start from nothing.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.graphical_certificate import is_definite
from netinfer.solvers.graphical_kernel import Columns, make_columns
from netinfer.solvers.graphical_result import GraphicalLassoResult

# Variables that a column has room for at first; it grows where they are not enough.
ROOM = 64
# A start that keeps a smaller share of a former solution than this is of another problem: only its signs are used.
OF_USE = 0.1
# Below this share a start may be too close to a singular S.
NEAR = 1e-3


def cold_start(covariance: np.ndarray, penalty: np.ndarray, scale: np.ndarray) -> np.ndarray | None:
    """Return a W within the box from nothing but the problem; None where it is not positive definite."""
    W = np.eye(len(scale))
    share = share_of_way(covariance, penalty, scale, W)
    go_towards(covariance, scale, share, W)
    if share >= NEAR:
        return W
    # S, soft-thresholded: the values within the box that are nearest to zero.
    thresholded = np.eye(len(scale))
    clip_to_box(covariance, penalty, scale, thresholded)
    if is_definite(thresholded):
        return thresholded
    return W if is_definite(W) else None


def warm_start(
    covariance: np.ndarray, penalty: np.ndarray, scale: np.ndarray, of: np.ndarray, start: GraphicalLassoResult
) -> np.ndarray | None:
    """Return a W within the box from a former solution; None where that is of too different a problem."""
    W = start.covariance_among(of)
    root = 1.0 / np.sqrt(W.diagonal())
    W *= root
    W *= root[:, None]
    np.fill_diagonal(W, 1.0)
    share = share_of_way(covariance, penalty, scale, W)
    if share < OF_USE:
        return None
    if share < 1.0:
        go_towards(covariance, scale, share, W)
    return W


def columns_of(start: GraphicalLassoResult, of: np.ndarray, scale: np.ndarray) -> Columns:
    """Return the regressions that a former solution's precision matrix stands for."""
    rows = start.precision_sparse
    room = ROOM
    while True:
        columns = make_columns(len(of), min(len(of), room))
        most = _write_columns(rows.indptr, rows.indices, rows.data, of, scale, columns)
        if most <= columns.support.shape[1]:
            return columns
        room = 2 * most


@njit
def _write_columns(ends, places, values, of, scale, columns):
    """Write the regressions of some variables on each other; return how many variables the fullest one has."""
    place = np.full(ends.size - 1, -1, np.int64)
    for a in range(of.size):
        place[of[a]] = a
    room, most = columns.support.shape[1], 0
    for a in range(of.size):
        n = 0
        own = 1.0
        for k in range(ends[of[a]], ends[of[a] + 1]):
            if places[k] == of[a]:
                own = values[k]
        for k in range(ends[of[a]], ends[of[a] + 1]):
            b = place[places[k]]
            if b >= 0 and b != a:
                if n < room:
                    columns.support[a, n] = b
                    columns.coef[a, n] = -values[k] * scale[a] / (own * scale[b])
                n += 1
        columns.count[a] = min(n, room)
        columns.precision[a] = own / (scale[a] * scale[a])
        most = max(most, n)
    return most


@njit
def share_of_way(covariance, penalty, scale, W):
    """Return the largest t <= 1 for which S + t (W - S) lies in the box, in the units of the correlation."""
    is_matrix = penalty.shape[0] > 1
    share = 1.0
    for j in range(covariance.shape[0]):
        for i in range(j):
            unit = scale[i] * scale[j]
            bound = (penalty[j, i] if is_matrix else penalty[0, 0]) * unit
            distance = abs(W[j, i] - covariance[j, i] * unit)
            if distance * share > bound:
                share = bound / distance
    return share


@njit
def go_towards(covariance, scale, share, W):
    """Write S + t (W - S) into W, off the diagonal."""
    p = covariance.shape[0]
    for j in range(p):
        for i in range(p):
            if i != j:
                value = covariance[j, i] * (scale[i] * scale[j])
                W[j, i] = value + share * (W[j, i] - value)


@njit
def clip_to_box(covariance, penalty, scale, W):
    """Bring each entry of W off the diagonal to the nearest one within the box."""
    p = covariance.shape[0]
    is_matrix = penalty.shape[0] > 1
    for j in range(p):
        for i in range(p):
            if i != j:
                unit = scale[i] * scale[j]
                bound = (penalty[j, i] if is_matrix else penalty[0, 0]) * unit
                value = covariance[j, i] * unit
                W[j, i] = min(max(W[j, i], value - bound), value + bound)
