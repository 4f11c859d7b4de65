"""Exact Lasso paths: the public face of the homotopy."""

from __future__ import annotations

import warnings

import numpy as np

from netinfer.errors import ConvergenceWarning
from netinfer.kernels import njit
from netinfer.solvers.certificate import kkt_violation
from netinfer.solvers.checks import checked_moments
from netinfer.solvers.follow import follow
from netinfer.solvers.homotopy import make_workspace
from netinfer.solvers.problem import MomentProblem
from netinfer.solvers.result import LassoPath, Solution

# The homotopy ends near 1e-15; above this it is tried again. Every fit has to reach 1e-8.
GAP_TOLERANCE = 1e-9
KKT_TOLERANCE = 1e-6
MAX_SWEEPS = 2_000
# Breakpoints a regulator that there is room for at first.
ROOM = 50


@njit
def _kkt_along(gram, cross, scale, penalties, weights, forbidden, coef, out):
    """Write the KKT violation at each penalty, every regulator's share of it times its scale."""
    for k in range(penalties.size):
        gradient = cross.copy()
        for j in range(cross.size):
            if coef[k, j] != 0.0:
                for i in range(cross.size):
                    gradient[i] -= gram[j, i] * coef[k, j]
        out[k] = kkt_violation(coef[k], gradient * scale, penalties[k], weights * scale, forbidden)


def lasso_path(
    gram: np.ndarray,
    cross: np.ndarray,
    penalties: np.ndarray,
    *,
    target_variance: float = 1.0,
    penalty_weights: np.ndarray | None = None,
) -> LassoPath:
    r"""Follow one target gene's exact Lasso path over a decreasing grid of penalties.

    At each penalty :math:`\lambda` the result minimises
    :math:`\tfrac12 \beta^\top G \beta - q^\top \beta + \lambda \sum_j w_j |\beta_j|`.

    Parameters
    ----------
    gram : float array, shape (n_regulators, n_regulators)
        :math:`X^\top X / n` of standardised regulator expression (unitless), symmetric, positive semidefinite.
        For the elastic net see `elastic_net_path`.
    cross : float array, shape (n_regulators,)
        :math:`X^\top y / n` for the standardised target (unitless).
    penalties : float array, shape (n_penalties,), decreasing, > 0
        In units of the target's standard deviation.
    target_variance : float, > 0
        :math:`y^\top y / n`; the duality gap needs it.
    penalty_weights : float array, shape (n_regulators,), >= 0, optional
        0 leaves a regulator unpenalised, ``inf`` forbids it.

    Returns
    -------
    LassoPath
        ``coef`` (n_penalties, n_regulators), ``duality_gap`` (n_penalties,), ``entered_at`` (n_regulators,),
        ``breakpoints``, ``kkt_violation``, ``converged``; ``at(penalty)`` between the penalties given.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, the Gram matrix is not symmetric, not positive semidefinite or has
        a diagonal entry that is not positive, or Gram, cross-moments and variance cannot come from the same data.

    Warns
    -----
    ConvergenceWarning
        If the relative duality gap at a penalty stays above 1e-9.

    Notes
    -----
    One breakpoint costs :math:`O(p k)` for :math:`k` active regulators. Osborne, Presnell and Turlach (2000); Efron
    et al. (2004). Of exact duplicates one takes the whole coefficient. Where rounding would spoil the path (many ties
    at once), coordinate descent takes over at the penalties given and ``entered_at`` names the first of these at which
    a regulator is active. The check that the moments belong together is one Cholesky factorisation of them;
    `lasso_paths` makes it once for many targets.

    Examples
    --------
    >>> import numpy as np
    >>> path = lasso_path(np.eye(2), np.array([0.8, -0.5]), np.array([0.6, 0.3]))
    >>> path.coef.round(3)
    array([[ 0.2,  0. ],
           [ 0.5, -0.2]])
    >>> path.entered_at
    array([0.8, 0.5])
    """
    gram, cross, penalties, weights = checked_moments(gram, cross, penalties, target_variance, penalty_weights)
    problem = MomentProblem(gram, cross.copy(), weights, float(target_variance), 0.0, by_homotopy, by_homotopy)
    return certified_path(problem, penalties, "lasso_path")


def by_homotopy(problem: MomentProblem, penalties: np.ndarray) -> Solution:
    """Follow the path of a problem on moments through penalties, decreasing."""
    gram, cross, variance = problem.shrunk_gram(), problem.cross, problem.response_variance
    p, n_penalties = cross.size, penalties.size
    work = make_workspace(p)
    work.forbidden[:] = problem.forbidden
    work.weights[:] = problem.finite_weights
    # 3^p breakpoints are possible (Mairal and Yu 2012); on data there are a few p.
    max_steps = 100 + 20 * p
    coef, gap = np.zeros((n_penalties, p)), np.zeros(n_penalties)
    events, n_events = np.zeros((0, 3)), int(ROOM * p)
    while n_events > len(events):  # a path may have more than there was room for
        events = np.zeros((n_events, 3))
        n_events = follow(
            gram, cross, variance, penalties, work, max_steps, GAP_TOLERANCE, MAX_SWEEPS, events, coef, gap
        )
    violation = np.zeros(n_penalties)
    _kkt_along(gram, cross, np.ones(p), penalties, work.weights, work.forbidden, coef, violation)
    return Solution(coef, gap, violation, events[:n_events].copy())


def certified_path(problem: MomentProblem, penalties: np.ndarray, caller: str) -> LassoPath:
    """Solve a problem at penalties and wrap what is found; warn of what is not certified."""
    path = solved_path(problem, penalties)
    warn_where_uncertified([path], caller)
    return path


def solved_path(problem: MomentProblem, penalties: np.ndarray) -> LassoPath:
    """Solve a problem at penalties and wrap what is found."""
    found = problem.solve(penalties)
    converged = (found.duality_gap <= GAP_TOLERANCE) & _keeps_the_conditions(problem, penalties, found)
    return LassoPath(
        penalties=penalties,
        coef=found.coef,
        duality_gap=found.duality_gap,
        kkt_violation=found.kkt_violation,
        largest_penalty=problem.largest_penalty(),
        converged=converged,
        problem=problem,
        events=found.events,
        unpenalised=problem.weights == 0.0,
    )


def _keeps_the_conditions(problem: MomentProblem, penalties: np.ndarray, found: Solution) -> np.ndarray:
    """Say at which penalties no regulator's gradient is off by more than a share of the largest it can be."""
    diagonal = (1.0 - problem.shrinkage) * problem.gram.diagonal() + problem.shrinkage
    most = np.sqrt(diagonal * problem.response_variance)
    kept = found.kkt_violation <= KKT_TOLERANCE * most.min()
    if kept.all():
        return kept
    share = np.zeros(penalties.size)
    _kkt_along(
        problem.shrunk_gram(), problem.cross, 1.0 / most, penalties, problem.finite_weights, problem.forbidden,
        found.coef, share,
    )  # fmt: skip
    return share <= KKT_TOLERANCE


def warn_where_uncertified(paths: list[LassoPath], caller: str) -> None:
    """Warn once, of the worst, where points of paths are not certified; shown at the line that called the caller."""
    doubtful = [t for t, path in enumerate(paths) if not path.converged.all()]
    if not doubtful:
        return
    t = max(doubtful, key=lambda t: paths[t].duality_gap.max())
    path, worst = paths[t], int(paths[t].duality_gap.argmax())
    which = f"{len(doubtful)} of {len(paths)} targets, the worst {t}: " if len(paths) > 1 else ""
    warnings.warn(
        f"{caller}: {which}relative duality gap {path.duality_gap[worst]:.1e} at penalty {path.penalties[worst]:.3g} "
        f"(tolerance {GAP_TOLERANCE:.0e}, KKT violation {path.kkt_violation.max():.1e}) is not certified: use larger "
        "penalties or a shrunk Gram matrix",
        ConvergenceWarning,
        stacklevel=4,
    )
