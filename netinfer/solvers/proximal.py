"""Proximal gradient: plain reference solvers for every L1 problem of the family.

A step goes down the gradient of the smooth loss and then through the penalty's proximal map (ISTA); momentum with
restarts makes it FISTA (Beck and Teboulle 2009; O'Donoghue and Candes 2015). Nothing here is fast. It is short, uses
numpy alone and shares no line with the other solvers, so that agreement with them means something.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers.columns import as_floats, is_number
from netinfer.solvers.grouping import checked_group_weights, checked_groups, group_labels
from netinfer.solvers.losses import LeastSquaresLoss, LogisticLoss

# Iterations between two looks at the duality gap, which costs a few iterations itself.
LOOK_EVERY = 20


@dataclass(frozen=True)
class ProximalResult:
    """One solution by proximal gradient, with the evidence that it is one.

    Attributes
    ----------
    coef : float array, shape (n_features,)
    intercept : float
        0 for least squares on moments, whose data are centred.
    objective : float
        The smallest value reached, response variance or null loss included.
    duality_gap : float
        From a dual-feasible point, never negative; relative to half the target's variance (least squares, divided by
        1 - shrinkage) or to the loss of the intercept alone (logistic).
    kkt_violation : float
        Largest Euclidean distance, over groups, of the gradient from the penalty's subdifferential.
    n_iterations : int
    converged : bool
    """

    coef: np.ndarray
    intercept: float
    objective: float
    duality_gap: float
    kkt_violation: float
    n_iterations: int
    converged: bool


def soft_threshold(values: np.ndarray, threshold: float | np.ndarray) -> np.ndarray:
    """Move every value towards zero by a threshold, and to zero where it is no larger.

    This is the minimiser of 1/2 (b - value)^2 + threshold |b|, the proximal map of the L1 norm.

    Parameters
    ----------
    values : float array, any shape
    threshold : float or array that broadcasts to ``values``, >= 0
        ``inf`` gives zero.

    Returns
    -------
    float array, the shape of ``values``

    Raises
    ------
    InputError
        If a threshold is negative or NaN.

    Examples
    --------
    >>> soft_threshold(np.array([2.0, -0.5, -3.0]), 1.0) + 0.0
    array([ 1.,  0., -2.])
    """
    if not (np.asarray(threshold) >= 0).all():
        raise InputError("threshold: must be >= 0")
    return np.sign(values) * np.maximum(np.abs(values) - threshold, 0.0)


def group_soft_threshold(values: np.ndarray, groups: np.ndarray | Sequence, thresholds: np.ndarray) -> np.ndarray:
    """Shorten every group's vector by its threshold, and to zero where it is no longer.

    This is the minimiser of 1/2 ||b - values||^2 + sum_g thresholds_g ||b_g||, the proximal map of the group norm.

    Parameters
    ----------
    values : float array, shape (n_features,)
    groups : array of labels, shape (n_features,), or one list of places a group
    thresholds : float or float array, shape (n_groups,), >= 0
        ``inf`` gives zero.

    Returns
    -------
    float array, shape (n_features,)

    Raises
    ------
    InputError
        If the groups do not part the features or a threshold is negative or NaN.

    Examples
    --------
    >>> group_soft_threshold(np.array([3.0, 4.0, 0.3]), [[0, 1], [2]], 2.5)
    array([1.5, 2. , 0. ])
    """
    values = np.asarray(values, dtype=np.float64)
    labels = group_labels(groups, values.size)
    thresholds = np.broadcast_to(np.asarray(thresholds, dtype=np.float64), labels.max() + 1)
    if not (thresholds >= 0).all():
        raise InputError("thresholds: must be >= 0")
    return values * _shrinking(np.sqrt(np.bincount(labels, values**2)), thresholds)[labels]


def _shrinking(norms, thresholds):
    is_left = norms > thresholds
    return np.where(is_left, 1.0 - np.where(is_left, thresholds, 0.0) / np.where(is_left, norms, 1.0), 0.0)


@dataclass(frozen=True)
class _Penalty:
    """The penalty sum_j single_j |b_j| + sum_g together_g ||b_g||; ``inf`` forbids, 0 and 0 is free."""

    single: np.ndarray
    together: np.ndarray
    labels: np.ndarray

    @property
    def is_free(self) -> np.ndarray:
        return (self.single == 0) & (self.together[self.labels] == 0)

    @property
    def is_forbidden(self) -> np.ndarray:
        return np.isinf(self.single) | np.isinf(self.together[self.labels])

    def _norms(self, values):
        return np.sqrt(np.bincount(self.labels, values**2, minlength=self.together.size))

    def prox(self, values, step):
        softened = soft_threshold(values, step * self.single)
        return softened * _shrinking(self._norms(softened), step * self.together)[self.labels]

    def value(self, coef):
        norms = self._norms(coef)
        used, groups = coef != 0, norms > 0
        return self.single[used] @ np.abs(coef[used]) + self.together[groups] @ norms[groups]

    def dual_norm(self, gradient):
        """Smallest t, from above, with the gradient inside t times the subdifferential at zero, by bisection."""
        counts = ~self.is_free & ~self.is_forbidden
        if not counts.any():
            return 0.0
        c = np.where(counts, np.abs(gradient), 0.0)
        single, together = np.where(counts, self.single, 0.0), np.where(np.isinf(self.together), 0.0, self.together)

        def is_inside(t):
            return (self._norms(np.maximum(c - t * single, 0.0)) <= t * together).all()

        low, high = 0.0, c.max() / np.maximum(single, together[self.labels])[counts].min() * np.sqrt(c.size)
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if is_inside(middle) else (middle, high)
        return high

    def kkt_violation(self, coef, gradient):
        """Largest distance of the gradient (-loss') from the subdifferential, Euclidean within each group."""
        single = np.where(self.is_forbidden, np.inf, self.single)
        norms = self._norms(coef)
        active = norms[self.labels] > 0
        direction = np.where(active, coef / np.where(active, norms[self.labels], 1.0), 0.0)
        pull = np.where(active, gradient - np.where(active, self.together[self.labels], 0.0) * direction, gradient)
        with np.errstate(invalid="ignore"):
            off = np.where(coef != 0, pull - np.sign(coef) * single, soft_threshold(pull, single))
        distance = self._norms(off)
        return float(np.where(norms > 0, distance, np.maximum(distance - self.together, 0.0)).max())


def _penalty(n_features, penalty, l1_share, groups, penalty_weights, group_weights):
    if not (is_number(penalty) and np.isfinite(penalty) and penalty > 0):
        raise InputError(f"penalty: {penalty} is not a positive number")
    share = (1.0 if groups is None else 0.0) if l1_share is None else l1_share
    if not (is_number(share) and 0 <= share <= 1):
        raise InputError(f"l1_share: {share} is not between 0 and 1")
    named = checked_groups(np.arange(n_features) if groups is None else groups, n_features)
    w = np.ones(n_features) if penalty_weights is None else as_floats("penalty_weights", penalty_weights)
    u = checked_group_weights(group_weights, named)
    if w.shape != (n_features,) or not (w >= 0).all():
        raise InputError("penalty_weights: one number >= 0 a regulator (0 = unpenalised, inf = forbidden)")
    single = np.where(np.isinf(w), np.inf, penalty * share * np.where(np.isinf(w), 0.0, w))
    together = np.where(np.isinf(u), np.inf, penalty * (1 - share) * np.where(np.isinf(u), 0.0, u))
    return _Penalty(single, together, named.labels)


def _refuse_no_loss(loss) -> None:
    if not isinstance(loss, LeastSquaresLoss | LogisticLoss):
        raise InputError(
            f"loss: {type(loss).__name__} is neither: give LeastSquaresLoss(gram, cross) or LogisticLoss(x, y)"
        )


def _descend(loss, penalty, has_momentum, tol, max_iterations):
    k = loss.n_intercepts
    theta = np.zeros(k + loss.n_features)
    ahead, momentum, step = theta.copy(), 1.0, 1.0 / loss.curvature
    gap = np.inf
    for iteration in range(max_iterations + 1):
        if iteration % LOOK_EVERY == 0 or iteration == max_iterations:
            gap = loss.relative_gap(theta, penalty)
            if gap <= tol or iteration == max_iterations:
                break
        after = ahead - step * loss.slope(ahead)
        after[k:] = penalty.prox(after[k:], step)
        if has_momentum and (ahead - after) @ (after - theta) > 0:  # the momentum points uphill: start it anew
            momentum = 1.0
        previous, momentum = momentum, 0.5 + np.sqrt(0.25 + momentum**2)
        ahead = after + ((previous - 1.0) / momentum) * (after - theta) if has_momentum else after
        theta = after
    if gap > tol:
        warnings.warn(
            f"proximal gradient: relative duality gap {gap:.1e} above {tol:.1e} after {max_iterations} iterations: "
            "allow more, or use a larger penalty",
            ConvergenceWarning,
            stacklevel=3,
        )
    return ProximalResult(
        coef=theta[k:],
        intercept=loss.intercept(theta),
        objective=float(loss.value(theta) + penalty.value(theta[k:])),
        duality_gap=float(gap),
        kkt_violation=penalty.kkt_violation(theta[k:], -loss.slope(theta)[k:]),
        n_iterations=iteration,
        converged=bool(gap <= tol),
    )


def fista(
    loss: LeastSquaresLoss | LogisticLoss,
    penalty: float,
    *,
    l1_share: float | None = None,
    groups: np.ndarray | Sequence | None = None,
    penalty_weights: np.ndarray | None = None,
    group_weights: np.ndarray | None = None,
    tol: float = 1e-10,
    max_iterations: int = 100_000,
) -> ProximalResult:
    r"""Minimise a smooth loss plus an L1, group or sparse-group penalty by accelerated proximal gradient.

    The result minimises :math:`f(\beta) + \lambda \big[ a \sum_j w_j |\beta_j| + (1-a) \sum_g u_g \|\beta_g\|_2
    \big]` for one of the two losses of :mod:`netinfer.solvers.losses`.

    Parameters
    ----------
    loss : LeastSquaresLoss or LogisticLoss
        Moments with an optional shrinkage, or samples and classes with an optional ridge.
    penalty : float, > 0
        :math:`\lambda`.
    l1_share : float, 0 to 1, optional
        :math:`a`; 1 without groups and 0 with them when not given.
    groups : array of labels, shape (n_features,), or one list of places a group; optional
    penalty_weights : float array, shape (n_features,), >= 0, optional
        :math:`w`; 0 leaves a feature without L1 penalty, ``inf`` forbids it.
    group_weights : float array, shape (n_groups,), >= 0, optional
        :math:`u`; the square root of the group's size when not given. 0 and ``inf`` as above.
    tol : float
        Relative duality gap at which to stop.
    max_iterations : int

    Returns
    -------
    ProximalResult

    Raises
    ------
    InputError
        If the penalty is not positive, a weight is negative, or the groups overlap, are empty or leave a feature out.

    Warns
    -----
    ConvergenceWarning
        If the gap stays above ``tol``.

    Notes
    -----
    One iteration costs one gradient of the loss. Beck and Teboulle (2009); restarts of O'Donoghue and Candes (2015);
    the sparse-group map is the composition of the two thresholds (Friedman, Hastie and Tibshirani 2010).

    Examples
    --------
    >>> result = fista(LeastSquaresLoss(np.eye(2), np.array([0.8, -0.5])), 0.3)
    >>> result.coef.round(6)
    array([ 0.5, -0.2])
    """
    _refuse_no_loss(loss)
    terms = _penalty(loss.n_features, penalty, l1_share, groups, penalty_weights, group_weights)
    return _descend(loss, terms, True, tol, max_iterations)


def ista(
    loss: LeastSquaresLoss | LogisticLoss,
    penalty: float,
    *,
    l1_share: float | None = None,
    groups: np.ndarray | Sequence | None = None,
    penalty_weights: np.ndarray | None = None,
    group_weights: np.ndarray | None = None,
    tol: float = 1e-10,
    max_iterations: int = 100_000,
) -> ProximalResult:
    r"""Minimise the same problem as :func:`fista` by proximal gradient without momentum.

    Parameters
    ----------
    loss, penalty, l1_share, groups, penalty_weights, group_weights, tol, max_iterations
        As for :func:`fista`.

    Returns
    -------
    ProximalResult

    Raises
    ------
    InputError
        As for :func:`fista`.

    Notes
    -----
    The objective never rises from one iteration to the next; the gap falls with 1 / iterations, or geometrically
    where the loss is strongly convex (Beck and Teboulle 2009).
    """
    _refuse_no_loss(loss)
    terms = _penalty(loss.n_features, penalty, l1_share, groups, penalty_weights, group_weights)
    return _descend(loss, terms, False, tol, max_iterations)
