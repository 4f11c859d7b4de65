"""The two smooth losses of the family as proximal gradient sees them: value, slope, curvature, dual bound."""

from __future__ import annotations

import numpy as np

from netinfer.errors import InputError
from netinfer.solvers.checks import checked_moments

# A gap below minus this share of the variance is no rounding: the moments are of no common data.
ALLOWED_BELOW = 1e-8


class LeastSquaresLoss:
    r"""Least squares on moments, :math:`\tfrac12 \beta^\top ((1-s) G + s I) \beta - q^\top \beta + v / (2 (1-s))`.

    Parameters
    ----------
    gram : float array, shape (n_features, n_features)
        :math:`G = X^\top X / n` of centred data.
    cross : float array, shape (n_features,)
        :math:`q = X^\top y / n`.
    shrinkage : float, 0 <= s < 1
    target_variance : float, > 0
        :math:`v = y^\top y / n`.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, the Gram matrix is not symmetric and positive semidefinite, no data
        can have these moments together, or shrinkage or variance is out of range.
    """

    n_intercepts = 0

    def __init__(self, gram, cross, *, shrinkage=0.0, target_variance=1.0):
        checked = checked_moments(gram, cross, [1.0], target_variance, None)
        gram, self.cross = checked.gram, checked.cross
        self.n_features = self.cross.size
        if not 0 <= shrinkage < 1:
            raise InputError(f"shrinkage: {shrinkage} is not in 0 <= s < 1")
        self.gram = (1.0 - shrinkage) * gram + shrinkage * np.eye(self.n_features)
        self.variance = target_variance / (1.0 - shrinkage)
        self.curvature = float(np.linalg.eigvalsh(self.gram)[-1])

    def value(self, coef):
        """Return the loss, half the variance included."""
        return 0.5 * coef @ self.gram @ coef - self.cross @ coef + 0.5 * self.variance

    def slope(self, coef):
        """Return the derivative."""
        return self.gram @ coef - self.cross

    def intercept(self, coef):
        """Return 0: moments are of centred data."""
        return 0.0

    def relative_gap(self, coef, penalty):
        """Return the duality gap over half the variance, from the residual scaled until it is dual feasible.

        It is ``inf`` where the moments are of no common data.
        """
        primal = self.value(coef) + penalty.value(coef)
        free = np.flatnonzero(penalty.is_free & ~penalty.is_forbidden)
        fitted = coef.copy()
        if free.size:  # the dual point must be orthogonal to what is not penalised: fit that exactly
            fitted[free] -= np.linalg.lstsq(self.gram[np.ix_(free, free)], self.slope(coef)[free], rcond=None)[0]
        worst = penalty.dual_norm(-self.slope(fitted))
        residual, against = 2.0 * self.value(fitted), self.variance - self.cross @ fitted
        scale = against / residual if residual > 0 else 0.0
        if abs(scale) * worst > 1.0:
            scale = np.sign(scale) / worst
        dual = scale * against - 0.5 * scale**2 * residual
        if primal - dual < -ALLOWED_BELOW * self.variance:
            return np.inf
        return max(primal - dual, 0.0) / (0.5 * self.variance)


class LogisticLoss:
    r"""Logistic loss, :math:`\sum_i \omega_i \log(1 + e^{-(2 y_i - 1)(\beta_0 + x_i^\top \beta)}) +
    \tfrac{r}{2} \|\beta\|^2`, with an unpenalised intercept and :math:`\omega` summing to 1.

    Parameters
    ----------
    x : float array, shape (n_samples, n_features)
    y : array, shape (n_samples,), of 0 and 1
    ridge : float, >= 0
        :math:`r`.
    sample_weight : float array, shape (n_samples,), >= 0, optional
        Divided by their sum they are :math:`\omega`; all alike when not given.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, a class is missing, or a weight or the ridge is negative.
    """  # noqa: D205 - the formula fills two lines

    n_intercepts = 1

    def __init__(self, x, y, *, ridge=0.0, sample_weight=None):
        x, y = np.asarray(x, dtype=np.float64), np.asarray(y)
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if x.ndim != 2 or y.shape != x.shape[:1] or weight.shape != y.shape:
            raise InputError(f"x of shape {x.shape}, y {y.shape} and sample_weight {weight.shape} do not fit")
        if not np.isfinite(x).all():
            raise InputError("x: NaN or infinite values: remove or impute them first")
        if not np.isin(y, (0, 1)).all():
            raise InputError("y: must hold 0 and 1 only")
        if not ((weight >= 0).all() and np.isfinite(weight).all()):
            raise InputError("sample_weight: must be finite and >= 0")
        if len(np.unique(y[weight > 0])) < 2:
            raise InputError("y: a single class has nothing to tell apart")
        if not (np.isfinite(ridge) and ridge >= 0):
            raise InputError(f"ridge: {ridge} is not a number >= 0")
        self.weight, self.ridge, self.n_features = weight / weight.sum(), float(ridge), x.shape[1]
        # Centring moves the intercept alone, and a scaled intercept column evens out the curvature: both only speed up.
        self.mean = self.weight @ x
        x = x - self.mean
        largest = np.linalg.norm(np.sqrt(self.weight)[:, None] * x, 2) if x.size else 1.0
        self.unit = max(largest, 1e-100)
        self.design = np.column_stack([np.full(len(y), self.unit), x])
        self.sign = 2.0 * y - 1.0
        self.curvature = 0.25 * self.unit**2 + self.ridge
        share = float(self.weight @ y)
        self.null = -share * np.log(share) - (1 - share) * np.log1p(-share)

    def value(self, theta):
        """Return the loss, ridge included."""
        margin = self.sign * (self.design @ theta)
        return self.weight @ np.logaddexp(0.0, -margin) + 0.5 * self.ridge * theta[1:] @ theta[1:]

    def _chance(self, theta):
        """Return the fitted probability of the other class."""
        return np.exp(-np.logaddexp(0.0, self.sign * (self.design @ theta)))

    def slope(self, theta):
        """Return the derivative, intercept first."""
        out = -self.design.T @ (self.weight * self.sign * self._chance(theta))
        out[1:] += self.ridge * theta[1:]
        return out

    def intercept(self, theta):
        """Return the intercept for predictors as they were given."""
        return float(self.unit * theta[0] - self.mean @ theta[1:])

    def _bound(self, chance, penalty, scale):
        """Return the dual objective at the scaled point, ``-inf`` where it is not feasible."""
        a = scale * chance
        inside = (a > 0) & (a < 1)
        safe = np.where(inside, a, 0.5)
        entropy = np.where(inside, -safe * np.log(safe) - (1 - safe) * np.log1p(-safe), 0.0)
        bound = self.weight @ entropy
        pull = self.design[:, 1:].T @ (self.weight * self.sign * a)
        if self.ridge > 0:
            return bound - 0.5 / self.ridge * np.sum(penalty.prox(pull, 1.0) ** 2)
        return bound if penalty.dual_norm(pull) <= 1.0 else -np.inf

    def relative_gap(self, theta, penalty):
        """Return the duality gap over the loss of the intercept alone, ``inf`` where no dual point is at hand."""
        primal = self.value(theta) + penalty.value(theta[1:])
        is_free = np.concatenate([[True], (self.ridge == 0) & penalty.is_free & ~penalty.is_forbidden])
        free = self.design[:, is_free]
        chance = self._chance(theta)
        # The dual point must be orthogonal to what is not penalised: one Newton step of those coefficients sees to it.
        leverage = self.weight * chance * (1 - chance)
        newton = np.linalg.lstsq(free.T @ (leverage[:, None] * free), free.T @ (self.weight * self.sign * chance), None)
        chance = chance - self.sign * chance * (1 - chance) * (free @ newton[0])
        if not ((chance >= 0) & (chance <= 1)).all():
            return np.inf
        worst = penalty.dual_norm(self.design[:, 1:].T @ (self.weight * self.sign * chance))
        feasible = min(1.0, 1.0 / worst * (1 - 1e-15)) if worst > 0 else 1.0
        best = self._bound(chance, penalty, feasible)
        if self.ridge > 0:
            best = max(best, self._bound(chance, penalty, 1.0))
        return max(primal - best, 0.0) / self.null
