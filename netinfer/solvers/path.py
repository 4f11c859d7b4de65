"""Exact Lasso paths: the kernel that follows one target and certifies every penalty, and its public face."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.kernels import njit
from netinfer.solvers.certificate import kkt_violation, relative_duality_gap
from netinfer.solvers.coordinate_descent import descend
from netinfer.solvers.homotopy import OK, Workspace, advance, make_workspace, start

# The homotopy ends near 1e-11, where its ties are broken; above this it is tried again. Every fit has to reach 1e-8.
GAP_TOLERANCE = 1e-9
KKT_TOLERANCE = 1e-6
MAX_SWEEPS = 2_000
# Times that a path is followed anew before coordinate descent is asked.
ATTEMPTS = 5


@njit
def follow(gram, cross, variance, penalties, work, max_steps, tol, max_sweeps, events, coef, gap):
    """Solve one target at every penalty (decreasing), with a certificate for each.

    ``work.weights`` and ``work.forbidden`` say what may enter. Writes ``coef`` (n_penalties, p) and ``gap``
    (n_penalties,); returns the number of events.
    """
    p = cross.size
    n_active, penalty = start(gram, cross, work, 0)
    last_gone, n_events = -1, 0
    scratch, gradient = np.zeros(p), np.zeros(p)
    for k in range(penalties.size):
        line = coef[k]
        gap[k] = np.inf
        for attempt in range(ATTEMPTS):
            if attempt > 0:
                # Rounding spoilt the path, as it does where regulators are the same but for the last digits: again
                # from the start, with the ties broken otherwise.
                n_active, penalty = start(gram, cross, work, attempt)
                last_gone, n_events = -1, 0
            status = OK
            if penalties[k] < penalty:
                n_active, last_gone, n_events, status = advance(
                    gram, cross, work, n_active, penalty, penalties[k], last_gone, events, n_events, max_steps
                )
                penalty = penalties[k]
            for i in range(p):
                scratch[i] = 0.0
            if status == OK:
                for a in range(n_active):
                    scratch[work.active[a]] = work.coef[a]
                found = relative_duality_gap(
                    cross, scratch, work.gradient, penalties[k], work.weights, work.forbidden, variance
                )
                if found < gap[k]:
                    gap[k] = found
                    line[:] = scratch
            if gap[k] <= tol:
                break
        if gap[k] <= tol:
            continue
        if gap[k] == np.inf:
            for i in range(p):
                line[i] = coef[k - 1, i] if k > 0 else 0.0
        scratch[:] = line
        found, _ = descend(
            gram, cross, penalties[k], work.weights, work.forbidden, variance, tol, max_sweeps, scratch, gradient
        )
        if found < gap[k]:
            gap[k] = found
            line[:] = scratch
    return n_events


@njit
def _kkt_along(gram, cross, penalties, weights, forbidden, coef, out):
    for k in range(penalties.size):
        gradient = cross.copy()
        for j in range(cross.size):
            if coef[k, j] != 0.0:
                for i in range(cross.size):
                    gradient[i] -= gram[j, i] * coef[k, j]
        out[k] = kkt_violation(coef[k], gradient, penalties[k], weights, forbidden)


@dataclasses.dataclass(frozen=True)
class LassoPath:
    """One target's Lasso path, with the evidence that each point of it is optimal.

    Attributes
    ----------
    penalties : float array, shape (n_penalties,), decreasing
    coef : float array, shape (n_penalties, n_regulators)
        In units of the target's standard deviation per standard deviation of the regulator, for standardised moments.
    duality_gap : float array, shape (n_penalties,)
        Duality gap relative to half the target's variance, from a dual-feasible point, never negative.
    kkt_violation : float array, shape (n_penalties,)
        Largest distance of the gradient from the subdifferential of the penalty.
    entered_at : float array, shape (n_regulators,)
        Penalty at which each regulator first enters, exact; 0 where it never does, ``inf`` for an unpenalised one.
    breakpoints : structured array with fields ``penalty``, ``regulator``, ``change`` (+1 enters, -1 leaves)
        Every event down to the smallest penalty asked for, in order.
    largest_penalty : float
        Smallest penalty at which all penalised coefficients are zero.
    converged : bool array, shape (n_penalties,)
    """

    penalties: np.ndarray
    coef: np.ndarray
    duality_gap: np.ndarray
    kkt_violation: np.ndarray
    entered_at: np.ndarray
    breakpoints: np.ndarray
    largest_penalty: float
    converged: np.ndarray


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
        For the elastic net with shrinkage s give :math:`(1-s) G + s I` and ``target_variance / (1 - s)``.
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
        ``breakpoints``, ``kkt_violation``, ``converged``.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, the Gram matrix is not symmetric or has a diagonal entry that is
        not positive, or Gram, cross-moments and variance are not jointly positive semidefinite.

    Warns
    -----
    ConvergenceWarning
        If the relative duality gap at a penalty stays above 1e-9.

    Notes
    -----
    One breakpoint costs :math:`O(p k)` for :math:`k` active regulators. Osborne, Presnell and Turlach (2000); Efron
    et al. (2004). Of exact duplicates one takes
    the whole coefficient. Where rounding would spoil the
    path (many ties at once), coordinate descent takes over at the penalties given and ``entered_at`` names the
    first of these at which a regulator is active.

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
    gram, cross, penalties, weights = _checked(gram, cross, penalties, target_variance, penalty_weights)
    p, n_penalties = cross.size, penalties.size
    work = make_workspace(p)
    work.forbidden[:] = np.isinf(weights)
    work.weights[:] = np.where(work.forbidden, 1.0, weights)
    # 3^p breakpoints are possible (Mairal and Yu 2012); on data there are a few p.
    max_steps = 100 + 20 * p
    events = np.zeros((max_steps * 2, 3))
    coef, gap = np.zeros((n_penalties, p)), np.zeros(n_penalties)
    n_events = follow(
        gram, cross, float(target_variance), penalties, work, max_steps, GAP_TOLERANCE, MAX_SWEEPS, events, coef, gap
    )
    violation = np.zeros(n_penalties)
    _kkt_along(gram, cross, penalties, work.weights, work.forbidden, coef, violation)
    converged = (gap <= GAP_TOLERANCE) & (violation <= KKT_TOLERANCE * np.sqrt(gram.diagonal().max() * target_variance))
    if not converged.all():
        worst = int(gap.argmax())
        warnings.warn(
            f"lasso_path: relative duality gap {gap[worst]:.1e} at penalty {penalties[worst]:.3g} (KKT violation "
            f"{violation.max():.1e}) is not certified: use larger penalties or a shrunk Gram matrix",
            ConvergenceWarning,
            stacklevel=2,
        )
    events = events[:n_events]
    return LassoPath(
        penalties=penalties,
        coef=coef,
        duality_gap=gap,
        kkt_violation=violation,
        entered_at=_entries(events, coef, penalties, weights),
        breakpoints=_breakpoints(events),
        largest_penalty=_largest_penalty(gram, cross, work),
        converged=converged,
    )


def _entries(events, coef, penalties, weights):
    entered = np.where(weights == 0.0, np.inf, 0.0)
    for penalty, regulator, change in events:
        if change > 0 and entered[int(regulator)] == 0.0:
            entered[int(regulator)] = penalty
    for penalty, row in zip(penalties, coef, strict=True):  # those that only coordinate descent found
        entered[(row != 0.0) & (entered == 0.0)] = penalty
    return entered


def _breakpoints(events):
    out = np.zeros(len(events), dtype=[("penalty", float), ("regulator", np.int64), ("change", np.int64)])
    out["penalty"], out["regulator"], out["change"] = events[:, 0], events[:, 1], events[:, 2]
    return out


def _largest_penalty(gram: np.ndarray, cross: np.ndarray, work: Workspace) -> float:
    start(gram, cross, work, 0)
    is_penalised = ~work.forbidden & (work.weights > 0)
    return float((np.abs(work.gradient) / np.where(is_penalised, work.weights, np.inf)).max())


def _refuse_indefinite(gram, cross, target_variance):
    """Refuse what no data can have: the joint moments, scaled to a unit diagonal, need a Cholesky factor."""
    joint = np.block([[gram, cross[:, None]], [cross[None, :], np.array([[target_variance]])]])
    scale = 1.0 / np.sqrt(joint.diagonal())
    joint = joint * scale[:, None] * scale[None, :]
    # The allowance is for the rounding of p products, and keeps singular matrices in.
    joint[np.diag_indices_from(joint)] += 1e-8
    try:
        np.linalg.cholesky(joint)
    except np.linalg.LinAlgError:
        raise InputError(
            "gram, cross and target_variance are not jointly positive semidefinite: all three must come from the same "
            "samples, centred and divided by the same n"
        ) from None


def _checked(gram, cross, penalties, target_variance, penalty_weights):
    gram = np.ascontiguousarray(gram, dtype=np.float64)
    cross = np.ascontiguousarray(cross, dtype=np.float64)
    penalties = np.ascontiguousarray(np.atleast_1d(penalties), dtype=np.float64)
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1]:
        raise InputError(f"gram: shape {gram.shape} is not square: give X'X / n")
    if cross.shape != (gram.shape[0],):
        raise InputError(f"cross: shape {cross.shape} does not fit gram {gram.shape}: give X'y / n")
    for name, array in (("gram", gram), ("cross", cross), ("penalties", penalties)):
        if not np.isfinite(array).all():
            raise InputError(f"{name}: holds NaN or infinite values: remove or impute them first")
    if penalties.size == 0 or (penalties <= 0).any() or (np.diff(penalties) >= 0).any():
        raise InputError("penalties: must be positive and strictly decreasing, and at least one: sort them")
    if not (np.isfinite(target_variance) and target_variance > 0):
        raise InputError(f"target_variance: {target_variance} is not positive: a constant target has no path")
    diagonal = gram.diagonal()
    if (diagonal <= 0).any():
        raise InputError(f"gram: diagonal entry {int((diagonal <= 0).argmax())} is not positive: drop that regulator")
    if not np.allclose(gram, gram.T, rtol=1e-10, atol=1e-12 * diagonal.max()):
        raise InputError("gram: not symmetric: give X'X / n")
    if (cross**2 > diagonal * target_variance * (1 + 1e-8)).any():
        j = int((cross**2 - diagonal * target_variance).argmax())
        raise InputError(
            f"cross: entry {j} exceeds what gram and target_variance allow (q^2 <= g v): all three must come from "
            "the same samples, centred and divided by the same n"
        )
    _refuse_indefinite(gram, cross, target_variance)
    weights = np.ones(cross.size) if penalty_weights is None else np.asarray(penalty_weights, dtype=np.float64)
    if weights.shape != cross.shape or np.isnan(weights).any() or (weights < 0).any():
        raise InputError("penalty_weights: one number >= 0 a regulator (0 = unpenalised, inf = forbidden)")
    return gram, cross, penalties, weights
