"""Evidence for the Graphical Lasso: a precision matrix, its objective, and the lower bound that W gives.

Every positive definite W within the box |W_ij - S_ij| <= L_ij gives log det W + p <= the least objective. So the gap to
any positive definite precision matrix is a bound on how far its objective is from the least, whatever led to it. Both
determinants are taken by Cholesky, which fails where a matrix is not positive definite.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import lapack

from netinfer.kernels import njit

# A smallest eigenvalue of a correlation matrix below this is taken for zero.
SINGULAR = 1e-11


class SparseRows(NamedTuple):
    """A sparse matrix by rows, their places sorted."""

    ends: np.ndarray  # (p + 1,) int64, where each row begins, and the last one ends
    places: np.ndarray  # (n,) int64
    values: np.ndarray  # (n,)


def log_determinant(matrix: np.ndarray) -> float:
    """Return the logarithm of a symmetric matrix's determinant; -inf where it is not positive definite.

    The matrix is overwritten.
    """
    factor, info = lapack.dpotrf(matrix.T, lower=0, clean=0, overwrite_a=1)
    if info != 0:
        return -np.inf
    diagonal = factor.diagonal()
    return 2.0 * float(np.log(diagonal).sum()) if np.isfinite(diagonal).all() else -np.inf


def is_definite(matrix: np.ndarray) -> bool:
    """Say whether a correlation matrix is positive definite by more than rounding."""
    shifted = matrix.copy()
    shifted[np.diag_indices_from(shifted)] -= SINGULAR
    return bool(np.isfinite(log_determinant(shifted)))


@njit
def write_precision(columns, dense):
    """Write the precision matrix of the columns' regressions: of a pair, the mean of what its two columns say."""
    dense[:] = 0.0
    for j in range(dense.shape[0]):
        dense[j, j] = columns.precision[j]
        for a in range(columns.count[j]):
            i = columns.support[j, a]
            half = -0.5 * columns.precision[j] * columns.coef[j, a]
            dense[j, i] += half
            dense[i, j] += half


@njit
def sparse_rows(dense):
    """Return the entries of a matrix that are not zero."""
    p = dense.shape[0]
    ends = np.zeros(p + 1, np.int64)
    for j in range(p):
        n = 0
        for i in range(p):
            n += dense[j, i] != 0.0
        ends[j + 1] = ends[j] + n
    places, values = np.zeros(ends[p], np.int64), np.zeros(ends[p])
    k = 0
    for j in range(p):
        for i in range(p):
            if dense[j, i] != 0.0:
                places[k], values[k] = i, dense[j, i]
                k += 1
    return SparseRows(ends, places, values)


@njit
def linear_terms(covariance, penalty, scale, rows):
    """Return tr(S T) + sum L_ij |T_ij| in the units of the correlation, where S's diagonal with its penalty is 1."""
    total = 0.0
    is_matrix = penalty.shape[0] > 1
    for j in range(rows.ends.size - 1):
        line = 0.0
        for k in range(rows.ends[j], rows.ends[j + 1]):
            i, value = rows.places[k], rows.values[k]
            if i == j:
                line += value
            else:
                bound = penalty[j, i] if is_matrix else penalty[0, 0]
                line += (covariance[j, i] * value + bound * abs(value)) * (scale[i] * scale[j])
        total += line
    return total
