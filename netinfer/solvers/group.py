"""Group and sparse-group Lasso paths on moments: arguments checked, kernels run, evidence returned."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers.checks import checked_grids, checked_targets
from netinfer.solvers.columns import is_number
from netinfer.solvers.group_descent import follow_groups
from netinfer.solvers.group_design import GroupDesign, design_groups
from netinfer.solvers.group_work import make_work

GAP_TOLERANCE = 1e-9
MAX_PASSES = 10_000


@dataclass(frozen=True)
class GroupLassoPath:
    """One target's group or sparse-group Lasso path, with the evidence that each point of it is optimal.

    Attributes
    ----------
    penalties : float array, shape (n_penalties,), decreasing
    coef : float array, shape (n_penalties, n_regulators)
        In units of the target's standard deviation per standard deviation of the regulator, for standardised moments.
    active_groups : bool array, shape (n_penalties, n_groups)
        Groups with a coefficient that is not zero.
    entered_at : float array, shape (n_groups,)
        Largest of the penalties at which each group is active; 0 where it never is, ``inf`` for one that holds an
        unpenalised regulator.
    duality_gap : float array, shape (n_penalties,)
        Relative to half the target's variance (divided by 1 - shrinkage), from a dual-feasible point, never negative.
    kkt_violation : float array, shape (n_penalties,)
        Largest Euclidean distance, over groups, of the gradient from the subdifferential of the penalty.
    largest_penalty : float
        Smallest penalty at which all penalised coefficients are zero.
    converged : bool array, shape (n_penalties,)
    """

    penalties: np.ndarray
    coef: np.ndarray
    active_groups: np.ndarray
    entered_at: np.ndarray
    duality_gap: np.ndarray
    kkt_violation: np.ndarray
    largest_penalty: float
    converged: np.ndarray


def group_lasso_path(
    gram: np.ndarray,
    cross: np.ndarray,
    groups: np.ndarray | Sequence | Mapping,
    penalties: np.ndarray,
    *,
    l1_share: float = 0.0,
    group_weights: np.ndarray | Mapping | None = None,
    penalty_weights: np.ndarray | None = None,
    shrinkage: float = 0.0,
    target_variance: float = 1.0,
    tol: float = GAP_TOLERANCE,
) -> GroupLassoPath:
    r"""Solve one target's group or sparse-group Lasso over decreasing penalties.

    At each penalty :math:`\lambda` the result minimises :math:`\tfrac12 \beta^\top ((1-s) G + s I) \beta
    - q^\top \beta + \lambda \big[ a \sum_j w_j |\beta_j| + (1-a) \sum_g u_g \|\beta_g\|_2 \big]`.

    Parameters
    ----------
    gram : float array, shape (n_regulators, n_regulators)
        :math:`G = X^\top X / n` of standardised regulator expression (unitless), symmetric, positive semidefinite.
    cross : float array, shape (n_regulators,)
        :math:`q = X^\top y / n` for the standardised target (unitless).
    groups : array of labels, shape (n_regulators,), or one list of regulators' places a group
        Every regulator is in exactly one group. Labels may be of any kind (numbers, strings); groups are numbered in
        their order.
    penalties : float array, shape (n_penalties,), decreasing, > 0
        In units of the target's standard deviation.
    l1_share : float, 0 to 1
        :math:`a`: 0 is the group Lasso, 1 the Lasso.
    group_weights : float array, shape (n_groups,), or a mapping from labels, >= 0, optional
        :math:`u`; the square root of the group's size when not given. ``inf`` forbids a group.
    penalty_weights : float array, shape (n_regulators,), >= 0, optional
        :math:`w`; 0 leaves a regulator without L1 penalty, ``inf`` forbids it whatever the share.
    shrinkage : float, 0 <= s < 1
    target_variance : float, > 0
        :math:`y^\top y / n`; the duality gap needs it.
    tol : float, > 0
        Relative duality gap at which a penalty's solution is good enough.

    Returns
    -------
    GroupLassoPath
        ``coef`` (n_penalties, n_regulators), ``active_groups`` (n_penalties, n_groups), ``entered_at`` (n_groups,),
        ``duality_gap``, ``kkt_violation``, ``converged`` (n_penalties,), ``largest_penalty``.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, the Gram matrix is not symmetric and positive semidefinite, a group
        is empty, groups overlap or leave a regulator out, a weight is negative, or a penalty is not positive.

    Warns
    -----
    ConvergenceWarning
        If the relative duality gap at a penalty stays above ``tol``.

    Notes
    -----
    A pass over k active regulators costs :math:`O(k^2)`, a certificate :math:`O(p k)`. A group's minimum is exact in
    its own axes, by one root in one variable (Yuan and Lin 2006; Qin, Scheinberg and Goldfarb 2013); the sparse-group
    penalty is that of Simon et al. (2013). The gap takes the residual scaled by the penalty's dual norm (Ndiaye et al.
    2016). Unpenalised regulators are projected out first.

    Examples
    --------
    >>> import numpy as np
    >>> path = group_lasso_path(np.eye(3), np.array([0.48, 0.64, 0.3]), [[0, 1], [2]], [0.4], group_weights=[1, 1])
    >>> path.coef.round(3)
    array([[0.24, 0.32, 0.  ]])
    """
    return group_lasso_paths(
        gram,
        np.asarray(cross)[None],
        groups,
        penalties,
        l1_share=l1_share,
        group_weights=group_weights,
        penalty_weights=penalty_weights,
        shrinkage=shrinkage,
        target_variance=target_variance,
        tol=tol,
    )[0]


def group_lasso_paths(
    gram: np.ndarray,
    crosses: np.ndarray,
    groups: np.ndarray | Sequence | Mapping,
    penalties: np.ndarray,
    *,
    l1_share: float = 0.0,
    group_weights: np.ndarray | Mapping | None = None,
    penalty_weights: np.ndarray | None = None,
    shrinkage: float = 0.0,
    target_variance: float | np.ndarray = 1.0,
    tol: float = GAP_TOLERANCE,
) -> list[GroupLassoPath]:
    """Solve many targets' group or sparse-group Lasso paths on one Gram, whose preparation they share.

    Each target's problem is that of :func:`group_lasso_path`.

    Parameters
    ----------
    gram : float array, shape (n_regulators, n_regulators)
    crosses : float array, shape (n_targets, n_regulators)
        One target's cross-moments a row.
    groups, l1_share, group_weights, penalty_weights, shrinkage, tol
        As for :func:`group_lasso_path`, the same for all targets.
    penalties : float array, shape (n_penalties,) or (n_targets, n_penalties), decreasing, > 0
    target_variance : float or float array, shape (n_targets,), > 0

    Returns
    -------
    list of GroupLassoPath, one a target

    Raises
    ------
    InputError
        As for :func:`group_lasso_path`.

    Warns
    -----
    ConvergenceWarning
        Once, if the relative duality gap of any target at any penalty stays above ``tol``.
    """
    if not (is_number(tol) and tol > 0):
        raise InputError(f"tol: {tol} is not positive")
    gram, crosses, variances = checked_targets(gram, crosses, target_variance)
    n_targets = crosses.shape[0]
    grids = checked_grids(penalties, n_targets)
    design = design_groups(
        gram, groups, l1_share=l1_share, group_weights=group_weights, penalty_weights=penalty_weights,
        shrinkage=shrinkage,
    )  # fmt: skip
    work = make_work(design.problem.regulator.size, design.problem.together.size)
    paths = [
        _path(design, work, cross, variance / (1.0 - shrinkage), grid, tol)
        for cross, variance, grid in zip(crosses, variances, grids, strict=True)
    ]
    failed = [t for t, path in enumerate(paths) if not path.converged.all()]
    if failed:
        t = max(failed, key=lambda target: paths[target].duality_gap.max())
        worst = paths[t]
        k = int(worst.duality_gap.argmax())
        which = f"group_lasso_paths: {len(failed)} of {n_targets} targets, the worst target {t}"
        warnings.warn(
            f"{which if n_targets > 1 else 'group_lasso_path'}: relative duality gap {worst.duality_gap[k]:.1e} at "
            f"penalty {worst.penalties[k]:.3g} stays above {tol:.1e}: use larger penalties or a shrunk Gram matrix",
            ConvergenceWarning,
            stacklevel=2,
        )
    return paths


def _path(design: GroupDesign, work, cross, variance, penalties, tol) -> GroupLassoPath:
    turned, left, free = design.project(cross, variance)
    n_penalties = penalties.size
    coef, active = np.zeros((n_penalties, cross.size)), np.zeros((n_penalties, design.has_free.size), dtype=bool)
    gap, kkt = np.zeros(n_penalties), np.zeros(n_penalties)
    # What is left of the variance beside unpenalised regulators sets the kernel's unit; the result's is the whole.
    unit = left / variance
    follow_groups(design.problem, turned, left, penalties, work, tol / unit, MAX_PASSES, coef, active, gap, kkt)
    gap *= unit
    design.complete(coef, active, free)
    entered = np.where(active.any(axis=0), penalties[active.argmax(axis=0)], 0.0)
    entered[design.has_free] = np.inf
    return GroupLassoPath(
        penalties=penalties,
        coef=coef,
        active_groups=active,
        entered_at=entered,
        duality_gap=gap,
        kkt_violation=kkt,
        largest_penalty=design.largest_penalty(turned),
        converged=gap <= tol,
    )
