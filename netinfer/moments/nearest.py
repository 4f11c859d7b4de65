r"""The correlation matrix nearest to a symmetric matrix, by Newton's method on the dual, with a certificate.

Of all X with unit diagonal and no eigenvalue below a floor f, the one that minimises :math:`\|X - A\|_F` (Higham 2002).
With X = f I + (1 - f) Y it is the problem with floor 0, whose dual (Qi and Sun 2006) is

.. math:: \min_y \theta(y) = \tfrac12 \|(C + \mathrm{Diag}\,y)_+\|_F^2 - \sum_i y_i,
          \qquad \nabla\theta = \mathrm{diag}\,(C + \mathrm{Diag}\,y)_+ - 1,

with C the input on Y's scale and :math:`(\cdot)_+` the projection on the positive semidefinite matrices. It has one
variable a gene, and Newton's method ends after a few eigendecompositions, with a bound on what is left.
"""

from __future__ import annotations

import dataclasses
import math
import warnings

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from netinfer.errors import ConvergenceWarning, InputError, NumericsError
from netinfer.kernels import thread_limit
from netinfer.moments.moments import symmetric

# Smallest eigenvalue of the result. Rounding moves the eigenvalues of thousands of genes by about 1e-12, so that at
# 1e-8 every later test finds the matrix positive definite; no correlation moves by more than 1e-8 for it.
FLOOR = 1e-8
# Largest difference of a diagonal entry from 1 that ends the steps; what is left is divided out.
TOLERANCE = 1e-7
MAX_STEPS = 100
# An Armijo step has to keep this share of the decrease that the slope promises; halvings before it is given up.
SLOPE_SHARE = 1e-4
MAX_HALVINGS = 30


@dataclasses.dataclass(frozen=True)
class NearestCorrelation:
    """A correlation matrix, and how near it is to the nearest one.

    Attributes
    ----------
    matrix : float array, shape (p, p)
        Exactly symmetric, unit diagonal.
    distance : float
        Frobenius norm of the difference from the input.
    distance_bound : float
        The nearest matrix is at most this far from `matrix`, in the Frobenius norm: the root of twice the duality gap
        of half the squared distance, rounding added.
    smallest_eigenvalue : float
        Of `matrix`, computed from it.
    n_steps : int
        Newton steps.
    is_converged : bool
    """

    matrix: np.ndarray
    distance: float
    distance_bound: float
    smallest_eigenvalue: float
    n_steps: int
    is_converged: bool


def nearest_correlation(matrix, *, floor: float = FLOOR, max_steps: int = MAX_STEPS) -> NearestCorrelation:
    r"""Find the nearest correlation matrix: unit diagonal, no eigenvalue below the floor.

    Parameters
    ----------
    matrix : float array, shape (p, p)
        Symmetric; need not have a unit diagonal.
    floor : float, 0 <= floor < 1
        Smallest eigenvalue of the result.
    max_steps : int

    Returns
    -------
    NearestCorrelation

    Raises
    ------
    InputError
        If the matrix is not square, finite and symmetric, or the floor is not in [0, 1).
    NumericsError
        If the result's smallest eigenvalue is below the floor by more than rounding.

    Warns
    -----
    ConvergenceWarning
        After `max_steps`: the result is a correlation matrix, but only as near as its bound says.

    Notes
    -----
    A step costs one eigendecomposition and some conjugate gradient steps of two p x p products each, on one BLAS
    thread, so that the bits do not depend on the number of threads.

    Clipping the eigenvalues and rescaling the diagonal to 1 needs a single eigendecomposition and is a correlation
    matrix too, but not the nearest one, and nothing says how far it is off. docs/correlations.md has both measured.

    Examples
    --------
    >>> found = nearest_correlation([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    >>> found.matrix[0].round(4), round(found.distance, 4)
    (array([1.    , 0.7607, 0.1573]), 0.5278)
    """
    given = _checked(matrix, floor)
    with thread_limit(1):
        scaled = given / (1.0 - floor)
        np.fill_diagonal(scaled, (given.diagonal() - floor) / (1.0 - floor))
        dual, n_steps, is_converged = _newton(scaled, max_steps)
        size = 1.0 / np.sqrt(np.maximum(dual.projected.diagonal(), np.finfo(float).tiny))
        unit = symmetric(dual.projected * size[:, None] * size[None, :])
        np.fill_diagonal(unit, 1.0)
        # Half the squared distance less the dual value, from differences, so that no large numbers cancel.
        away = unit - dual.projected
        gap = 0.5 * np.vdot(away, unit + dual.projected - 2.0 * scaled) + dual.y @ dual.gradient
        # An eigendecomposition is exact for a matrix that is off by about eps times its largest eigenvalue.
        rounding = np.finfo(float).eps * np.abs(dual.eigenvalues).max() * (1.0 + np.abs(dual.y).sum())
        result = (1.0 - floor) * unit
        np.fill_diagonal(result, 1.0)
        smallest = float(np.linalg.eigvalsh(result)[0])
    if smallest < floor - eigenvalue_rounding(result):
        raise NumericsError(f"nearest correlation: smallest eigenvalue {smallest:.3g} is below the floor {floor:g}")
    bound = (1.0 - floor) * math.sqrt(2.0 * (max(float(gap), 0.0) + float(rounding)))
    if not is_converged:
        warnings.warn(
            f"nearest correlation: after {n_steps} steps a diagonal entry is off by "
            f"{np.abs(dual.gradient).max():.3g}; the matrix is within {bound:.3g} of the nearest one",
            ConvergenceWarning,
            stacklevel=2,
        )
    distance = float(np.linalg.norm(result - given))
    return NearestCorrelation(result, distance, bound, smallest, n_steps, is_converged)


def eigenvalue_rounding(matrix: np.ndarray) -> float:
    """Bound what rounding does to an eigenvalue of a symmetric matrix: p eps times its largest row sum."""
    return float(len(matrix) * np.finfo(float).eps * np.abs(matrix).sum(axis=1).max())


@dataclasses.dataclass(frozen=True)
class _Dual:
    """The dual at one point: value, gradient, eigenvalues and vectors of C + Diag(y), and its positive part."""

    y: np.ndarray
    value: float
    gradient: np.ndarray
    eigenvalues: np.ndarray
    vectors: np.ndarray
    projected: np.ndarray


def _dual(matrix: np.ndarray, y: np.ndarray) -> _Dual:
    shifted = matrix.copy()
    shifted.flat[:: len(matrix) + 1] += y
    eigenvalues, vectors = np.linalg.eigh(shifted)
    is_positive = eigenvalues > 0.0
    half = vectors[:, is_positive] * np.sqrt(eigenvalues[is_positive])
    projected = half @ half.T
    value = 0.5 * float((eigenvalues[is_positive] ** 2).sum()) - float(y.sum())
    return _Dual(y, value, projected.diagonal() - 1.0, eigenvalues, vectors, projected)


def _newton(matrix: np.ndarray, max_steps: int) -> tuple[_Dual, int, bool]:
    """Minimise the dual; return the last point, the number of steps and whether the gradient is small enough."""
    at = _dual(matrix, 1.0 - matrix.diagonal())
    for n_steps in range(max_steps):
        if np.abs(at.gradient).max() <= TOLERANCE:
            return at, n_steps, True
        direction = _direction(at)
        slope, step = float(direction @ at.gradient), 1.0
        # Near the end the decrease drowns in the rounding of the value, a sum of squares.
        rounding = 1e-14 * (1.0 + 0.5 * float((at.eigenvalues**2).sum()))
        for _ in range(MAX_HALVINGS):
            after = _dual(matrix, at.y + step * direction)
            if after.value <= at.value + SLOPE_SHARE * step * slope + rounding:
                break
            step /= 2.0
        at = after
    return at, max_steps, bool(np.abs(at.gradient).max() <= TOLERANCE)


def _direction(at: _Dual) -> np.ndarray:
    r"""Solve V h = -gradient by conjugate gradients, V an element of the generalised Hessian.

    :math:`V h = \mathrm{diag}\,(P (\Omega \circ P^\top \mathrm{Diag}(h) P) P^\top)` with :math:`\Omega` 1 where both
    eigenvalues are positive, 0 where none is, and :math:`\lambda_i / (\lambda_i - \lambda_j)` between. The first block
    is a product with the squares of the projector's entries; only the second takes matrix products.
    """
    is_positive = at.eigenvalues > 0.0
    above, below = np.ascontiguousarray(at.vectors[:, is_positive]), np.ascontiguousarray(at.vectors[:, ~is_positive])
    high, low = at.eigenvalues[is_positive], at.eigenvalues[~is_positive]
    omega = high[:, None] / (high[:, None] - low[None, :])
    squares = (above @ above.T) ** 2
    size = float(np.linalg.norm(at.gradient))
    # V may be singular where the solution is degenerate; the ridge falls with the gradient, so that it costs no speed.
    ridge = min(1e-3, 0.1 * size)

    def product(h: np.ndarray) -> np.ndarray:
        middle = omega * (above.T @ (h.ravel()[:, None] * below))
        return squares @ h.ravel() + 2.0 * ((above @ middle) * below).sum(axis=1) + ridge * h.ravel()

    p = len(at.y)
    operator = LinearOperator((p, p), matvec=product, dtype=np.float64)
    direction, _ = cg(operator, -at.gradient, rtol=min(1e-2, size), maxiter=200)
    return direction


def _checked(matrix, floor: float) -> np.ndarray:
    given = np.array(matrix, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not given.size:
        raise InputError(f"matrix: shape {given.shape}: give a square matrix, genes x genes")
    if not np.isfinite(given).all():
        row, column = np.argwhere(~np.isfinite(given))[0]
        raise InputError(f"matrix: row {row + 1}, column {column + 1} is {given[row, column]}: give finite numbers")
    unequal = np.abs(given - given.T) > 1e-10 * max(1.0, float(np.abs(given).max()))
    if unequal.any():
        row, column = np.argwhere(unequal)[0]
        raise InputError(
            f"matrix: not symmetric: row {row + 1}, column {column + 1} is {given[row, column]:.6g} and its mirror "
            f"{given[column, row]:.6g}: average the two"
        )
    if isinstance(floor, bool) or not isinstance(floor, int | float | np.number) or not 0.0 <= floor < 1.0:
        raise InputError(f"floor: {floor!r} is not in [0, 1): {FLOOR:g} is the default")
    return symmetric(given)
