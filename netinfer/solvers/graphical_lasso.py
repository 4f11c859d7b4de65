"""The Graphical Lasso: sparse precision matrices, component by component, each with its certificate."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import sparse

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.kernels import thread_limit
from netinfer.solvers.checks import one_number
from netinfer.solvers.graphical_certificate import SINGULAR, SparseRows
from netinfer.solvers.graphical_component import Part, solve_component
from netinfer.solvers.graphical_components import component_labels, members
from netinfer.solvers.graphical_input import CheckedProblem, checked_problem
from netinfer.solvers.graphical_result import GraphicalLassoResult

TOLERANCE = 1e-6
MAX_SWEEPS = 500


def graphical_lasso(
    covariance: np.ndarray,
    penalty: float | np.ndarray,
    *,
    penalize_diagonal: bool = False,
    tol: float = TOLERANCE,
    max_sweeps: int = MAX_SWEEPS,
    start: GraphicalLassoResult | None = None,
    threads: int | None = None,
) -> GraphicalLassoResult:
    r"""Estimate a sparse precision matrix with an L1 penalty, and certify it.

    The result minimises :math:`-\log\det T + \mathrm{tr}(S T) + \sum_{i \ne j} L_{ij} |T_{ij}|` over symmetric
    positive definite :math:`T`; the sum holds both (i, j) and (j, i).

    Parameters
    ----------
    covariance : float array, shape (p, p)
        :math:`S = X^\top X / n` of centred data (with 1/n, in squared units of X), symmetric, positive semidefinite.
        A C-contiguous float64 array is read where it is, without a copy of it being kept. Of a DataFrame the names
        are used in errors.
    penalty : float or float array, shape (p, p), >= 0
        :math:`L`, in the units of the covariance. In a matrix 0 leaves a pair free and ``inf`` forbids it; its diagonal
        is used with `penalize_diagonal` only.
    penalize_diagonal : bool
        Also penalise the diagonal, as R's glasso does by default: W's diagonal is then S's plus L's.
    tol : float, > 0
        Largest duality gap per variable, in units of the objective, which has none.
    max_sweeps : int, >= 1
        Most passes over the columns of a component.
    start : GraphicalLassoResult, optional
        Where to start from: a solution for another penalty, or for another covariance of the same variables.
    threads : int, optional
        Components solved side by side; by default all processors that this process may use. The result does not
        depend on it.

    Returns
    -------
    GraphicalLassoResult
        ``precision`` (T), ``precision_sparse``, ``covariance`` (W), ``objective``, ``duality_gap``, ``converged``,
        ``status``, ``n_sweeps``, ``components``.

    Raises
    ------
    InputError
        If the covariance is not symmetric, not finite or not positive semidefinite, a variable has no variance, or
        the penalty is negative or so small that no solution exists.

    Warns
    -----
    ConvergenceWarning
        If the gap per variable is above `tol` after `max_sweeps`: the best certified point is returned.

    Notes
    -----
    A sweep costs :math:`O(p^2 k)` for :math:`k` neighbours of a variable. Block coordinate descent on the dual:
    Banerjee, El Ghaoui and d'Aspremont (2008), Friedman, Hastie and Tibshirani (2008); the split into components:
    Witten, Friedman and Simon (2011), Mazumder and Hastie (2012).

    Examples
    --------
    >>> import numpy as np
    >>> found = graphical_lasso(np.array([[1.0, 0.6, 0.1], [0.6, 1.0, 0.1], [0.1, 0.1, 1.0]]), 0.2)
    >>> found.precision.round(3) + 0.0
    array([[ 1.19 , -0.476,  0.   ],
           [-0.476,  1.19 ,  0.   ],
           [ 0.   ,  0.   ,  1.   ]])
    >>> found.components.tolist(), found.converged
    ([0, 0, 1], True)
    """
    tol, max_sweeps, threads = checked_options(tol, max_sweeps, threads)
    with thread_limit(1):
        problem = checked_problem(covariance, penalty, penalize_diagonal)
        if start is not None and len(start.variances) != len(problem.scale):
            raise InputError(
                f"start: a solution for {len(start.variances)} variables, the covariance has {len(problem.scale)}"
            )
        found = solve(problem, tol, max_sweeps, start, threads)
    warn_where_uncertified(found, tol, "graphical_lasso", 3)
    return found


def checked_options(tol, max_sweeps, threads) -> tuple[float, int, int]:
    """Return tolerance, step limit and threads, or say which of them cannot be used."""
    tol = one_number("tol", tol)
    if not (np.isfinite(tol) and tol > 0):
        raise InputError(f"tol: {tol:g} is not a positive number")
    if int(max_sweeps) < 1:
        raise InputError(f"max_sweeps: {max_sweeps} is less than 1")
    threads = len(os.sched_getaffinity(0)) if threads is None else int(threads)
    if threads < 1:
        raise InputError(f"threads: {threads} is less than 1")
    return tol, int(max_sweeps), threads


def solve(
    problem: CheckedProblem, tol: float, max_sweeps: int, start: GraphicalLassoResult | None, threads: int
) -> GraphicalLassoResult:
    """Solve a checked problem component by component."""
    label = component_labels(problem.covariance, problem.penalty)
    parts = members(label)
    pairs = _solve_pairs(problem, [of for of in parts if len(of) == 2])
    large = sorted((of for of in parts if len(of) > 1 and of[0] not in pairs), key=lambda of: (-len(of), of[0]))

    def one(of: np.ndarray) -> Part:
        covariance, penalty = problem.covariance, problem.penalty
        if len(of) < len(covariance):
            covariance = covariance[np.ix_(of, of)]
            penalty = penalty if penalty.size == 1 else penalty[np.ix_(of, of)]
        return solve_component(covariance, penalty, problem.scale[of], of, tol, max_sweeps, start)

    if threads == 1 or len(large) < 2:
        solved = [one(of) for of in large]
    else:
        with ThreadPoolExecutor(max_workers=threads) as pool:
            solved = list(pool.map(one, large))
    parts_of = {int(of[0]): part for of, part in zip(large, solved, strict=True)} | pairs
    return _assembled(problem, label, [of for of in parts if len(of) > 1], parts_of, tol)


def _solve_pairs(problem: CheckedProblem, pairs: list[np.ndarray]) -> dict[int, Part]:
    """Solve components of two variables in closed form, but not of two that are the same and free."""
    found = {}
    for of in pairs:
        i, j = int(of[0]), int(of[1])
        unit = problem.scale[i] * problem.scale[j]
        bound = problem.penalty[i, j] if problem.penalty.size > 1 else problem.penalty[0, 0]
        value = problem.covariance[i, j]
        w = float(np.sign(value) * (abs(value) - bound) * unit)
        determinant = (1.0 - w) * (1.0 + w)
        if determinant < SINGULAR:
            continue
        own, other = 1.0 / determinant, -w / determinant
        objective = 2.0 + float(np.log(determinant))
        rows = SparseRows(np.array([0, 2, 4]), np.array([0, 1, 0, 1]), np.array([own, other, other, own]))
        found[i] = Part(
            problem.covariance, problem.penalty, problem.scale[of], np.array([[1.0, w], [w, 1.0]]), rows, objective,
            objective,
        )  # fmt: skip
    return found


def _assembled(
    problem: CheckedProblem, label: np.ndarray, tied: list[np.ndarray], parts: dict[int, Part], tol: float
) -> GraphicalLassoResult:
    """Put the components together, in the units of the covariance."""
    p, scale = len(label), problem.scale
    is_alone = np.ones(p, bool)
    rows, places, values, blocks = [], [], [], []
    gap, primal, n_sweeps, status = 0.0, 0.0, 0, "converged"
    for of in tied:
        part = parts[int(of[0])]
        is_alone[of] = False
        rows.append(np.repeat(of, np.diff(part.precision.ends)))
        places.append(of[part.precision.places])
        values.append(part.precision.values)
        gap, primal, n_sweeps = gap + part.gap, primal + part.primal, max(n_sweeps, part.n_sweeps)
        status = part.status if part.gap > tol * len(of) else status
        part.W /= scale[of]
        part.W /= scale[of][:, None]
        blocks.append((of, part.W))
    alone = np.flatnonzero(is_alone)
    i, j = np.concatenate([*rows, alone]), np.concatenate([*places, alone])
    value = np.concatenate([*values, np.ones(len(alone))]) * (scale[i] * scale[j])
    precision = sparse.csr_array((value, (i, j)), shape=(p, p))
    precision.sort_indices()
    return GraphicalLassoResult(
        precision_sparse=precision,
        objective=primal + len(alone) - 2.0 * float(np.log(scale).sum()),
        duality_gap=gap,
        converged=gap <= tol * p,
        status=status if gap > tol * p else "converged",
        n_sweeps=n_sweeps,
        components=label,
        blocks=tuple(blocks),
        variances=scale**-2.0,
    )


def warn_where_uncertified(found: GraphicalLassoResult, tol: float, caller: str, level: int) -> None:
    """Warn where the gap is above the tolerance."""
    if found.converged:
        return
    p = len(found.variances)
    what = "use a larger penalty" if found.status == "stalled" else "give more max_sweeps or a larger penalty"
    warnings.warn(
        f"{caller}: duality gap per variable {found.duality_gap / p:.1e} after {found.n_sweeps} sweeps is above tol "
        f"{tol:.0e} ({found.status}); the best certified point is returned: {what}",
        ConvergenceWarning,
        stacklevel=level,
    )
