"""Paths of many targets on one Gram, which is checked, shrunk and kept once."""

from __future__ import annotations

import numpy as np

from netinfer.errors import InputError
from netinfer.solvers.checks import checked_grids, checked_targets, checked_weights
from netinfer.solvers.elastic_net import checked_method
from netinfer.solvers.path import solved_path, warn_where_uncertified
from netinfer.solvers.problem import MomentProblem
from netinfer.solvers.result import LassoPath


def lasso_paths(
    gram: np.ndarray,
    crosses: np.ndarray,
    penalties: np.ndarray,
    *,
    target_variance: float | np.ndarray = 1.0,
    penalty_weights: np.ndarray | None = None,
) -> list[LassoPath]:
    """Follow the exact Lasso paths of many targets on one Gram, which is checked and kept once.

    Each target's problem is that of :func:`lasso_path`. `netinfer.infer_regression` does the same from an expression
    matrix, with stability selection, on several threads.

    Parameters
    ----------
    gram : float array, shape (n_regulators, n_regulators)
    crosses : float array, shape (n_targets, n_regulators)
        One target's cross-moments a row.
    penalties : float array, shape (n_penalties,) or (n_targets, n_penalties), decreasing, > 0
    target_variance : float or float array, shape (n_targets,), > 0
    penalty_weights : float array, shape (n_regulators,) or (n_targets, n_regulators), >= 0, optional
        0 leaves a regulator unpenalised, ``inf`` forbids it, as a regulator among its own predictors.

    Returns
    -------
    list of LassoPath, one a target

    Raises
    ------
    InputError
        As for :func:`lasso_path`, with the target's row.

    Warns
    -----
    ConvergenceWarning
        Once, if the relative duality gap of any target at any penalty stays above 1e-9.

    Examples
    --------
    >>> import numpy as np
    >>> paths = lasso_paths(np.eye(2), np.array([[0.8, -0.5], [0.1, 0.6]]), np.array([0.3]))
    >>> [path.coef[0].round(3).tolist() for path in paths]
    [[0.5, -0.2], [0.0, 0.3]]
    """
    return _paths(gram, crosses, penalties, 0.0, "homotopy", target_variance, penalty_weights, caller="lasso_paths")


def elastic_net_paths(
    gram: np.ndarray,
    crosses: np.ndarray,
    penalties: np.ndarray,
    *,
    shrinkage: float,
    target_variance: float | np.ndarray = 1.0,
    penalty_weights: np.ndarray | None = None,
    method: str = "auto",
) -> list[LassoPath]:
    """Solve the elastic nets of many targets on one Gram, which is checked, shrunk and kept once.

    Each target's problem is that of :func:`elastic_net_path`, the arguments are those of :func:`lasso_paths`.

    Parameters
    ----------
    gram : float array, shape (n_regulators, n_regulators)
    crosses : float array, shape (n_targets, n_regulators)
        One target's cross-moments a row.
    penalties : float array, shape (n_penalties,) or (n_targets, n_penalties), decreasing, > 0
    shrinkage : float, 0 <= s < 1
    target_variance : float or float array, shape (n_targets,), > 0
    penalty_weights : float array, shape (n_regulators,) or (n_targets, n_regulators), >= 0, optional
    method : {"auto", "active_set", "homotopy", "coordinate_descent"}

    Returns
    -------
    list of LassoPath, one a target

    Raises
    ------
    InputError
        As for :func:`elastic_net_path`, with the target's row.

    Warns
    -----
    ConvergenceWarning
        Once, if the relative duality gap of any target at any penalty stays above 1e-9.
    """
    return _paths(
        gram, crosses, penalties, shrinkage, method, target_variance, penalty_weights, caller="elastic_net_paths"
    )


def _paths(gram, crosses, penalties, shrinkage, method, target_variance, penalty_weights, caller) -> list[LassoPath]:
    solver, tracer = checked_method(method, shrinkage)
    gram, crosses, variances = checked_targets(gram, crosses, target_variance)
    n_targets = len(crosses)
    grids, weights = checked_grids(penalties, n_targets), _weights(penalty_weights, crosses.shape)
    shrunk = None
    paths = []
    for t in range(n_targets):
        problem = MomentProblem(
            gram, crosses[t].copy(), weights[t], float(variances[t]), float(shrinkage), solver, tracer, shrunk
        )
        if shrunk is None and shrinkage > 0.0:
            shrunk = problem.shrunk_gram()
        paths.append(solved_path(problem, grids[t]))
    warn_where_uncertified(paths, caller)
    return paths


def _weights(penalty_weights, shape: tuple[int, int]) -> list[np.ndarray]:
    """Return each target's penalty weights, given once for all or target by target."""
    n_targets, n_regulators = shape
    if penalty_weights is None or np.ndim(penalty_weights) < 2:
        return [checked_weights(penalty_weights, n_regulators)] * n_targets
    if len(penalty_weights) != n_targets:
        raise InputError(f"penalty_weights: {len(penalty_weights)} rows for {n_targets} targets")
    return [checked_weights(row, n_regulators) for row in penalty_weights]
