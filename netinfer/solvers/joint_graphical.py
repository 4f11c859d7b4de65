"""The joint graphical Lasso: sparse precision matrices of several conditions at once, with a certificate."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.kernels import thread_limit
from netinfer.solvers.checks import one_number
from netinfer.solvers.graphical_components import members
from netinfer.solvers.joint_graphical_component import JointPart, solve_joint_component
from netinfer.solvers.joint_graphical_input import JointProblem, checked_joint_problem
from netinfer.solvers.joint_graphical_kernel import joint_component_labels
from netinfer.solvers.joint_graphical_result import JointGraphicalResult

TOLERANCE = 1e-6
MAX_ITERATIONS = 5_000


def joint_graphical_lasso(
    covariances: Sequence[np.ndarray],
    penalty: float,
    coupling: float,
    *,
    kind: str = "group",
    weights: Sequence[float] | None = None,
    names: Sequence[Sequence] | None = None,
    tol: float = TOLERANCE,
    max_iterations: int = MAX_ITERATIONS,
    start: JointGraphicalResult | None = None,
    threads: int | None = None,
) -> JointGraphicalResult:
    r"""Estimate one sparse precision matrix a condition, alike where the data allow it, and certify them.

    The result minimises :math:`\sum_k n_k (-\log\det T_k + \mathrm{tr}(S_k T_k)) + \lambda \sum_k \sum_{i \ne j}
    |T_{k,ij}| + \mu \sum_{i \ne j} c(T_{1,ij}, \dots, T_{K,ij})` over symmetric positive definite :math:`T_k`. The sums
    hold both (i, j) and (j, i), and no diagonal. Group: :math:`c` is the Euclidean norm, so that an edge tends to be
    absent from all conditions or present in all, each with its own value. Fused: :math:`c = \sum_{k<l} |T_{k,ij} -
    T_{l,ij}|` over all pairs of conditions, so that an edge tends to have the same value in all.

    Parameters
    ----------
    covariances : sequence of float array, shape (p_k, p_k)
        :math:`S_k = X_k^\top X_k / n_k` of each condition's centred data, symmetric, positive semidefinite. Of
        DataFrames the columns are the names.
    penalty : float, >= 0
        :math:`\lambda`, in the units of the covariance times those of the weights.
    coupling : float, >= 0
        :math:`\mu`, in the same units.
    kind : {"group", "fused"}
        What the coupling counts.
    weights : sequence of float, shape (n_conditions,), > 0, optional
        :math:`n_k`: the numbers of samples, or ones (the default), which count each condition the same.
    names : sequence of sequences, optional
        The variables of each condition. A pair is coupled over the conditions that have both of its variables; with
        one such condition the group's :math:`c` is :math:`|T_{k,ij}|` and the fused one is 0. Without names all
        conditions have the same variables.
    tol : float, > 0
        Largest duality gap per variable: of the sum of :math:`n_k p_k`.
    max_iterations : int, >= 1
        Most iterations on a component.
    start : JointGraphicalResult, optional
        Where to start from: a solution for other penalties of conditions with the same variables.
    threads : int, optional
        Components solved side by side; by default all processors that this process may use. The result does not
        depend on it.

    Returns
    -------
    JointGraphicalResult
        ``precisions``, ``covariances``, ``objective``, ``duality_gap``, ``converged``, ``status``, ``n_iterations``,
        ``names``, ``components``.

    Raises
    ------
    InputError
        If a covariance cannot be used (as in `graphical_lasso`, with the number of its condition), a condition has no
        variable in common with another, or the penalties are so small that no solution exists.

    Warns
    -----
    ConvergenceWarning
        If the gap per variable is above `tol` after `max_iterations`: the best certified point is returned.

    Notes
    -----
    An iteration on a component of :math:`q` variables costs :math:`O(K q^3)`: one eigensystem a condition. Up to 20
    arrays of the size of the covariances are held. Danaher, Wang and Witten (2014), with their split into components;
    ADMM as in Boyd et al. (2011), accelerated as in Anderson (1965).

    Examples
    --------
    >>> import numpy as np
    >>> first, second = np.array([[1.0, 0.6], [0.6, 1.0]]), np.array([[1.0, 0.4], [0.4, 1.0]])
    >>> found = joint_graphical_lasso([first, second], 0.1, 0.2, kind="fused")
    >>> [T.round(2).tolist() for T in found.precisions]
    [[[1.19, -0.48], [-0.48, 1.19]], [[1.19, -0.48], [-0.48, 1.19]]]
    """
    tol, max_iterations, threads = _checked_options(tol, max_iterations, threads)
    with thread_limit(1):
        problem = checked_joint_problem(covariances, penalty, coupling, kind, weights, names)
        if start is not None and not is_of(start, problem):
            raise InputError("start: a solution for conditions with other variables: start from nothing")
        found = solve(problem, tol, max_iterations, start, threads)
    _warn_where_uncertified(found, problem, tol)
    return found


def _checked_options(tol, max_iterations, threads) -> tuple[float, int, int]:
    """Return tolerance, step limit and threads, or say which of them cannot be used."""
    tol = one_number("tol", tol)
    if not (np.isfinite(tol) and tol > 0):
        raise InputError(f"tol: {tol:g} is not a positive number")
    if int(max_iterations) < 1:
        raise InputError(f"max_iterations: {max_iterations} is less than 1")
    threads = len(os.sched_getaffinity(0)) if threads is None else int(threads)
    if threads < 1:
        raise InputError(f"threads: {threads} is less than 1")
    return tol, int(max_iterations), threads


def is_of(start: JointGraphicalResult, problem: JointProblem) -> bool:
    """Say whether a solution is of the variables of a problem, so that it can be started from."""
    if start.names != problem.names or len(start.places) != len(problem.places):
        return False
    return all(np.array_equal(a, b) for a, b in zip(start.places, problem.places, strict=True))


def solve(problem: JointProblem, tol, max_iterations, start, threads) -> JointGraphicalResult:
    """Solve a checked problem component by component."""
    weighted = problem.stack * problem.weights[:, None, None]
    label = joint_component_labels(
        weighted, problem.present, problem.unit, problem.penalty, problem.coupling, problem.is_fused
    )
    del weighted
    parts = members(label)
    tied = sorted((of for of in parts if len(of) > 1), key=lambda of: (-len(of), of[0]))
    former = None if start is None else _in_common_units(start, problem)

    def one(of: np.ndarray) -> JointPart:
        inside = np.ix_(np.arange(len(problem.stack)), of, of)
        part = JointPart(
            problem.stack[inside], np.ascontiguousarray(problem.present[:, of]), problem.weights, problem.unit[of],
            problem.penalty, problem.coupling, problem.is_fused,
        )  # fmt: skip
        before = None if former is None else (former[0][inside], former[1][inside])
        return solve_joint_component(part, tol, max_iterations, before)

    if threads == 1 or len(tied) < 2:
        solved = [one(of) for of in tied]
    else:
        with ThreadPoolExecutor(max_workers=threads) as pool:
            solved = list(pool.map(one, tied))
    return _assembled(problem, label, tied, solved, tol)


def _in_common_units(start: JointGraphicalResult, problem: JointProblem) -> tuple[np.ndarray, np.ndarray]:
    """Return a former solution's precision and covariance matrices, stacked."""
    T, W = np.zeros_like(problem.stack), np.zeros_like(problem.stack)
    for k, place in enumerate(problem.places):
        inside = np.ix_(place, place)
        unit = problem.unit[place] * problem.unit[place][:, None]
        T[k][inside], W[k][inside] = start.precisions[k] / unit, start.covariances[k] * unit
    return T, W


def _assembled(problem: JointProblem, label, tied, solved, tol) -> JointGraphicalResult:
    """Put the components together, in the units of the covariances."""
    T, W = np.zeros_like(problem.stack), np.zeros_like(problem.stack)
    for k, has in enumerate(problem.present):
        of = np.flatnonzero(has)
        W[k, of, of] = problem.stack[k, of, of]
        T[k, of, of] = 1.0 / W[k, of, of]
    gap, n_iterations, status = 0.0, 0, "converged"
    is_alone = np.ones(len(label), bool)
    primal = 0.0
    for of, part in zip(tied, solved, strict=True):
        inside = np.ix_(np.arange(len(T)), of, of)
        T[inside], W[inside] = part.T, part.W
        is_alone[of] = False
        gap, primal, n_iterations = gap + part.gap, primal + part.primal, max(n_iterations, part.n_iterations)
        status = part.status if part.status != "converged" else status
    precisions, covariances = [], []
    for k, place in enumerate(problem.places):
        inside, unit = np.ix_(place, place), problem.unit[place] * problem.unit[place][:, None]
        precisions.append(T[k][inside] * unit)
        covariances.append(W[k][inside] / unit)
        alone = place[is_alone[place]]
        own = len(alone) + float(np.log(problem.stack[k, alone, alone]).sum())
        primal += float(problem.weights[k]) * (own - 2.0 * float(np.log(problem.unit[place]).sum()))
    is_converged = gap <= tol * _size(problem)
    return JointGraphicalResult(
        precisions=tuple(precisions),
        covariances=tuple(covariances),
        objective=problem.weight * primal,
        duality_gap=problem.weight * gap,
        converged=is_converged,
        status="converged" if is_converged else status,
        n_iterations=n_iterations,
        names=problem.names,
        components=label,
        places=problem.places,
    )


def _size(problem: JointProblem) -> float:
    return float(problem.weights @ problem.present.sum(axis=1))


def _warn_where_uncertified(found: JointGraphicalResult, problem: JointProblem, tol: float) -> None:
    """Warn where the gap is above the tolerance."""
    if found.converged:
        return
    share = found.duality_gap / (problem.weight * _size(problem))
    what = "use a larger penalty" if found.status == "stalled" else "give more max_iterations or a larger penalty"
    warnings.warn(
        f"joint_graphical_lasso: duality gap per variable {share:.1e} after {found.n_iterations} iterations is above "
        f"tol {tol:.0e} ({found.status}); the best certified point is returned: {what}",
        ConvergenceWarning,
        stacklevel=3,
    )
