"""Evidence for the Graphical Lasso: a precision matrix, its objective, and the lower bound that W gives.

Every positive definite W within the box |W_ij - S_ij| <= L_ij gives log det W + p <= the least objective. So the gap to
any positive definite precision matrix is a bound on how far its objective is from the least, whatever led to it. Both
determinants are taken by Cholesky, which fails where a matrix is not positive definite.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from netinfer.kernels import njit
from netinfer.solvers.graphical_kernel import Columns


def log_determinant(matrix: np.ndarray) -> float:
    """Return the logarithm of a symmetric matrix's determinant; -inf where it is not positive definite.

    The matrix is overwritten.
    """
    factor, info = lapack.dpotrf(matrix.T, lower=0, clean=0, overwrite_a=1)
    if info != 0:
        return -np.inf
    diagonal = factor.diagonal()
    return 2.0 * float(np.log(diagonal).sum()) if np.isfinite(diagonal).all() else -np.inf


def precision_of(columns: Columns) -> sparse.csr_array:
    """Return the symmetric precision matrix of the columns' regressions, the mean of what two of them say of a pair."""
    p, room = columns.support.shape
    filled = np.arange(room) < columns.count[:, None]
    ends = np.concatenate([[0], np.cumsum(columns.count)])
    values = (-0.5 * columns.precision[:, None] * columns.coef)[filled]
    half = sparse.csr_array((values, columns.support[filled], ends), shape=(p, p))
    half.sort_indices()
    whole = sparse.csr_array(half + half.T + sparse.diags_array(columns.precision))
    whole.eliminate_zeros()
    whole.sort_indices()
    return whole


def primal(covariance: np.ndarray, penalty: np.ndarray, scale: np.ndarray, precision: sparse.csr_array) -> float:
    """Return -log det T + tr(S T) + sum L_ij |T_ij| in the units of the correlation; inf where T is not definite.

    The diagonal of S, with its penalty, is 1 in these units.
    """
    linear = _linear_terms(covariance, penalty, scale, precision.indptr, precision.indices, precision.data)
    return linear - log_determinant(precision.toarray())


@njit
def _linear_terms(covariance, penalty, scale, ends, places, values):
    total = 0.0
    is_matrix = penalty.shape[0] > 1
    for j in range(ends.size - 1):
        line = 0.0
        for k in range(ends[j], ends[j + 1]):
            i = places[k]
            if i == j:
                line += values[k]
            else:
                bound = penalty[j, i] if is_matrix else penalty[0, 0]
                line += (covariance[j, i] * values[k] + bound * abs(values[k])) * (scale[i] * scale[j])
        total += line
    return total
