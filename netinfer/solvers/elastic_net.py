"""Elastic-net paths on a Gram matrix, by the solver that is fastest for the problem."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from netinfer.errors import InputError
from netinfer.kernels import njit
from netinfer.solvers.active_set import elastic_net_gap, make_active_set, pursue
from netinfer.solvers.certificate import kkt_violation
from netinfer.solvers.checks import checked_moments
from netinfer.solvers.coordinate_descent import descend
from netinfer.solvers.path import GAP_TOLERANCE, MAX_SWEEPS, by_homotopy, certified_path
from netinfer.solvers.problem import MomentProblem
from netinfer.solvers.result import LassoPath, Solution

# Where coordinate descent stops, so that its gradients are right to 1e-6 as well.
DESCENT_TOLERANCE = 1e-13

Solver = Callable[[MomentProblem, np.ndarray], Solution]


def elastic_net_path(
    gram: np.ndarray,
    cross: np.ndarray,
    penalties: np.ndarray,
    *,
    shrinkage: float,
    target_variance: float = 1.0,
    penalty_weights: np.ndarray | None = None,
    method: str = "auto",
) -> LassoPath:
    r"""Solve one target gene's elastic net over a decreasing grid of penalties.

    At each penalty :math:`\lambda` the result minimises
    :math:`\tfrac12 \beta^\top ((1-s) G + s I) \beta - q^\top \beta + \lambda \sum_j w_j |\beta_j|`
    for one shrinkage :math:`s` along the whole path.

    Parameters
    ----------
    gram : float array, shape (n_regulators, n_regulators)
        :math:`X^\top X / n` of standardised regulator expression (unitless), symmetric, positive semidefinite, without
        shrinkage.
    cross : float array, shape (n_regulators,)
        :math:`X^\top y / n` for the standardised target (unitless).
    penalties : float array, shape (n_penalties,), decreasing, > 0
        In units of the target's standard deviation.
    shrinkage : float, 0 <= s < 1
        0 is the Lasso; towards 1 regulators are taken one by one, each by its correlation with the target.
    target_variance : float, > 0
        :math:`y^\top y / n`.
    penalty_weights : float array, shape (n_regulators,), >= 0, optional
        0 leaves a regulator free of the L1 term (the shrinkage still holds it), ``inf`` forbids it.
    method : {"auto", "active_set", "homotopy", "coordinate_descent"}
        ``auto`` takes ``active_set``, the fastest on a grid wherever the Gram is shrunk, and ``homotopy`` without
        shrinkage. These two are exact to rounding; ``coordinate_descent`` is near 1e-6 in the coefficients.

    Returns
    -------
    LassoPath
        As from `lasso_path`. The gap is relative to half of v / (1 - s), the response variance of the same problem as
        a Lasso on stacked rows. ``breakpoints``, ``entered_at`` and ``left_at`` are followed by the homotopy when they
        are first asked for.

    Raises
    ------
    InputError
        As `lasso_path`; if the shrinkage is not in [0, 1) or the method is unknown.

    Warns
    -----
    ConvergenceWarning
        If the relative duality gap at a penalty stays above 1e-9.

    Notes
    -----
    A grid point costs about :math:`O(p k)` for :math:`k` active regulators. With s > 0 the problem is strongly convex:
    the solution is unique, exact duplicates get equal coefficients, and those of two regulators with correlation r
    differ by at most :math:`\sqrt{2 v (1 - r)} / s` where they have the same sign (Zou and Hastie 2005, theorem 1).
    Lee, Battle, Raina and Ng (2007) for the active-set steps. The check that the moments belong together is one
    Cholesky factorisation of them; `elastic_net_paths` makes it once for many targets.

    Examples
    --------
    >>> import numpy as np
    >>> gram = np.array([[1.0, 1.0], [1.0, 1.0]])  # two regulators, the same profile
    >>> elastic_net_path(gram, np.array([0.8, 0.8]), np.array([0.4]), shrinkage=0.5).coef.round(3)
    array([[0.267, 0.267]])
    """
    solver, tracer = checked_method(method, shrinkage)
    gram, cross, penalties, weights = checked_moments(gram, cross, penalties, target_variance, penalty_weights)
    problem = MomentProblem(gram, cross.copy(), weights, float(target_variance), float(shrinkage), solver, tracer)
    return certified_path(problem, penalties, "elastic_net_path")


def checked_method(method: str, shrinkage: float) -> tuple[Solver, Solver]:
    """Return what solves at given penalties and what records every breakpoint, or say what is wrong."""
    if not 0.0 <= shrinkage < 1.0:
        raise InputError(f"shrinkage: {shrinkage} is not in 0 <= s < 1")
    if method != "auto" and method not in METHODS:
        raise InputError(f"method: {method!r} is unknown: use auto, {', '.join(METHODS)}")
    if method == "auto":
        method = "active_set" if shrinkage > 0.0 else "homotopy"
    return METHODS[method], by_homotopy


def by_active_set(problem: MomentProblem, penalties: np.ndarray) -> Solution:
    """Solve at penalties by active-set steps; what they cannot certify, the homotopy does."""
    p, n_penalties = problem.cross.size, penalties.size
    coef, gap, violation = np.zeros((n_penalties, p)), np.zeros(n_penalties), np.zeros(n_penalties)
    pursue(
        problem.shrunk_gram(), problem.cross, problem.shrinkage, problem.response_variance, penalties,
        problem.finite_weights, problem.forbidden, GAP_TOLERANCE, MAX_SWEEPS, make_active_set(p), coef, gap, violation,
    )  # fmt: skip
    if not (gap <= GAP_TOLERANCE).all():
        other = by_homotopy(problem, penalties)
        better = other.duality_gap < gap
        coef[better], gap[better] = other.coef[better], other.duality_gap[better]
        violation[better] = other.kkt_violation[better]
    return Solution(coef, gap, violation)


def by_coordinate_descent(problem: MomentProblem, penalties: np.ndarray) -> Solution:
    """Solve at penalties by coordinate descent, each from the one before."""
    p, n_penalties = problem.cross.size, penalties.size
    coef, gap, violation = np.zeros((n_penalties, p)), np.zeros(n_penalties), np.zeros(n_penalties)
    _descend_along(
        problem.shrunk_gram(), problem.cross, problem.shrinkage, problem.response_variance, penalties,
        problem.finite_weights, problem.forbidden, coef, gap, violation,
    )  # fmt: skip
    return Solution(coef, gap, violation)


METHODS: dict[str, Solver] = {
    "active_set": by_active_set,
    "homotopy": by_homotopy,
    "coordinate_descent": by_coordinate_descent,
}


@njit
def _descend_along(gram, cross, shrinkage, variance, penalties, weights, forbidden, coef, gap, violation):
    gradient = np.zeros(cross.size)
    for k in range(penalties.size):
        if k > 0:
            coef[k] = coef[k - 1]
        gap[k], _ = descend(
            gram, cross, penalties[k], weights, forbidden, variance, DESCENT_TOLERANCE, MAX_SWEEPS, coef[k], gradient
        )
        if shrinkage > 0.0:
            sharper = elastic_net_gap(coef[k], gradient, penalties[k], weights, forbidden, shrinkage, variance)
            gap[k] = min(gap[k], sharper)
        violation[k] = kkt_violation(coef[k], gradient, penalties[k], weights, forbidden)
