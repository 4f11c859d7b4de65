"""The Graphical Lasso at many penalties of one covariance, each solution the start of the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from netinfer.errors import InputError
from netinfer.kernels import njit, thread_limit
from netinfer.solvers.checks import checked_penalties
from netinfer.solvers.graphical_input import CheckedProblem, checked_covariance, checked_penalty, scale_of
from netinfer.solvers.graphical_lasso import MAX_SWEEPS, TOLERANCE, checked_options, solve, warn_where_uncertified
from netinfer.solvers.graphical_result import GraphicalLassoResult


def graphical_lasso_path(
    covariance: np.ndarray,
    penalties: np.ndarray | None = None,
    *,
    n_penalties: int = 20,
    smallest: float = 0.1,
    penalty_weights: np.ndarray | None = None,
    penalize_diagonal: bool = False,
    tol: float = TOLERANCE,
    max_sweeps: int = MAX_SWEEPS,
    threads: int | None = None,
) -> list[GraphicalLassoResult]:
    r"""Solve the Graphical Lasso at decreasing penalties, each from the solution before.

    Parameters
    ----------
    covariance : float array, shape (p, p)
        As for :func:`graphical_lasso`.
    penalties : float array, shape (n_penalties,), decreasing, > 0, optional
        By default `n_penalties` of them, evenly spaced in their logarithm from the largest of use down.
    n_penalties : int, >= 1
        How many there are where they are not given.
    smallest : float, 0 < smallest < 1
        The last penalty as a share of the first, where they are not given.
    penalty_weights : float array, shape (p, p), >= 0, optional
        Factor of each pair's penalty, symmetric: 0 leaves a pair free, ``inf`` forbids it.
    penalize_diagonal, tol, max_sweeps, threads
        As for :func:`graphical_lasso`.

    Returns
    -------
    list of GraphicalLassoResult, one a penalty
        Each holds its own W: see :func:`graphical_lasso_steps` where that is too much.

    Raises
    ------
    InputError
        As for :func:`graphical_lasso`, and where the penalties do not decrease.

    Warns
    -----
    ConvergenceWarning
        At each penalty whose gap per variable is above `tol`.

    Examples
    --------
    >>> import numpy as np
    >>> path = graphical_lasso_path(np.array([[1.0, 0.6, 0.3], [0.6, 1.0, 0.1], [0.3, 0.1, 1.0]]), [0.7, 0.5, 0.2])
    >>> [int((found.precision_sparse.nnz - 3) / 2) for found in path]
    [0, 1, 2]
    """
    options = checked_options(tol, max_sweeps, threads)
    problem = _Problem.checked(covariance, penalties, n_penalties, smallest, penalty_weights, penalize_diagonal)
    return list(_follow(problem, options, 4))


def graphical_lasso_steps(
    covariance: np.ndarray,
    penalties: np.ndarray | None = None,
    *,
    n_penalties: int = 20,
    smallest: float = 0.1,
    penalty_weights: np.ndarray | None = None,
    penalize_diagonal: bool = False,
    tol: float = TOLERANCE,
    max_sweeps: int = MAX_SWEEPS,
    threads: int | None = None,
) -> Iterator[GraphicalLassoResult]:
    """Yield the solutions of :func:`graphical_lasso_path` one by one, so that the path can be left when it is enough.

    Parameters, errors and warnings are those of :func:`graphical_lasso_path`. Two solutions are held at a time.
    """
    options = checked_options(tol, max_sweeps, threads)
    problem = _Problem.checked(covariance, penalties, n_penalties, smallest, penalty_weights, penalize_diagonal)
    return _follow(problem, options, 3)


class _Problem(NamedTuple):
    """A path's checked arguments."""

    covariance: np.ndarray  # (p, p)
    labels: list | None
    weights: np.ndarray  # (p, p) or (1, 1)
    penalties: np.ndarray  # (n_penalties,), decreasing
    penalize_diagonal: bool

    @classmethod
    def checked(
        cls, covariance, penalties, n_penalties: int, smallest: float, penalty_weights, penalize_diagonal: bool
    ) -> _Problem:
        covariance, labels, weights = _with_weights(covariance, penalty_weights, penalize_diagonal)
        if penalties is None:
            grid = _default_penalties(_largest(covariance, weights), n_penalties, smallest)
        else:
            grid = checked_penalties(penalties)
        return cls(covariance, labels, weights, grid, penalize_diagonal)

    def at(self, value: float) -> CheckedProblem:
        """Return the problem at one penalty."""
        penalty = value * self.weights
        scale = scale_of(self.covariance, penalty, self.penalize_diagonal)
        return CheckedProblem(self.covariance, penalty, scale, self.labels)


def _with_weights(covariance, penalty_weights, penalize_diagonal: bool) -> tuple[np.ndarray, list | None, np.ndarray]:
    with thread_limit(1):
        covariance, labels = checked_covariance(covariance)
    if penalty_weights is None:
        return covariance, labels, np.ones((1, 1))
    weights = checked_penalty(penalty_weights, len(covariance), labels, penalize_diagonal, "penalty_weights")
    return covariance, labels, weights


def _follow(problem: _Problem, options: tuple[float, int, int], level: int) -> Iterator[GraphicalLassoResult]:
    """Solve at one penalty after the other; warnings are shown so many calls above."""
    tol, max_sweeps, threads = options
    found = None
    for value in problem.penalties:
        with thread_limit(1):
            found = solve(problem.at(value), tol, max_sweeps, found, threads)
        warn_where_uncertified(found, tol, f"graphical_lasso_path: penalty {value:.4g}", level)
        yield found


def largest_penalty(covariance: np.ndarray, penalty_weights: np.ndarray | None = None) -> float:
    """Return the smallest penalty at which the Graphical Lasso leaves no pair of penalised variables tied.

    Parameters
    ----------
    covariance : float array, shape (p, p)
        As for :func:`graphical_lasso`.
    penalty_weights : float array, shape (p, p), >= 0, optional
        As for :func:`graphical_lasso_path`; pairs of weight 0 are left aside.

    Returns
    -------
    float, >= 0
        The largest |S_ij| / w_ij off the diagonal: from it up the precision matrix is diagonal, without free pairs.

    Raises
    ------
    InputError
        As for :func:`graphical_lasso`.

    Examples
    --------
    >>> import numpy as np
    >>> largest_penalty(np.array([[1.0, -0.6], [-0.6, 2.0]]))
    0.6
    """
    covariance, _, weights = _with_weights(covariance, penalty_weights, False)
    return float(_largest(covariance, weights))


def _default_penalties(largest: float, n_penalties: int, smallest: float) -> np.ndarray:
    if int(n_penalties) < 1:
        raise InputError(f"n_penalties: {n_penalties} is less than 1")
    if not 0.0 < smallest < 1.0:
        raise InputError(f"smallest: {smallest} is not between 0 and 1")
    if largest == 0.0:
        raise InputError("covariance: no two variables are correlated, so that there is no path: give penalties")
    grid = np.geomspace(largest, smallest * largest, int(n_penalties))
    grid[0] = largest  # no rounding: at it the first solution is diagonal
    return grid


@njit
def _largest(covariance, weights):
    is_matrix = weights.shape[0] > 1
    largest = 0.0
    for j in range(covariance.shape[0]):
        for i in range(covariance.shape[0]):  # both of a pair: they may differ by rounding
            weight = weights[j, i] if is_matrix else weights[0, 0]
            size = abs(covariance[j, i])
            if i != j and weight > 0.0 and size > largest * weight:
                value = size / weight
                while value * weight < size:  # the product that is compared must not fall short
                    value = np.nextafter(value, np.inf)
                largest = max(largest, value)
    return largest
