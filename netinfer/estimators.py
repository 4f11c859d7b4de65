"""The L1 family and the Graphical Lasso in scikit-learn's manner: thin shells over `netinfer.solvers`.

They are for pipelines and grid searches. They need scikit-learn (``pip install 'netinfer[estimators]'``) and are
imported when asked for: ``from netinfer.estimators import Lasso``. Objectives and parameters are scikit-learn's, so
that one stands in for the other; each fit brings its duality gap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from netinfer.errors import InputError

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
    from sklearn.covariance import EmpiricalCovariance
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "netinfer.estimators: needs scikit-learn: pip install 'netinfer[estimators]', or call netinfer.solvers directly"
    ) from error

from netinfer.solvers import LassoPath, elastic_net_path, graphical_lasso, lasso_path_wide, logistic_path
from netinfer.solvers.columns import as_floats, is_constant, is_number

__all__ = ["ElasticNet", "GraphicalLasso", "Lasso", "LogisticL1"]

# Above this many features, and twice the samples, no Gram matrix of all features is made.
WIDE = 1_000


class _LeastSquares(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """What the Lasso and the elastic net share."""

    alpha: float
    fit_intercept: bool
    penalty_weights: Any

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : float array, shape (n_samples, n_features)
        y : float array, shape (n_samples,) or (n_samples, n_targets)

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y cannot be used (scikit-learn's own checks).
        InputError
            If `alpha` or `l1_ratio` is out of range.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, multi_output=True, ensure_min_samples=2)
        l1_ratio = self._l1_ratio()
        _refuse_alpha(self.alpha)
        if not (is_number(l1_ratio) and 0.0 < l1_ratio <= 1.0):
            raise InputError(f"ElasticNet: l1_ratio: {l1_ratio!r} is not in 0 < l1_ratio <= 1: 0 is ridge, not L1")
        targets = np.asarray(y, dtype=np.float64).reshape(len(X), -1)
        x_mean, y_mean = np.zeros(X.shape[1]), np.zeros(targets.shape[1])
        if self.fit_intercept:
            x_mean, y_mean = X.mean(axis=0), targets.mean(axis=0)
        weights = _weights(self.penalty_weights, X.shape[1])
        varies = _varying(X, self.fit_intercept)
        solve = _solve_wide if self.fit_intercept and X.shape[1] > max(WIDE, 2 * len(X)) else _solve
        # What is constant explains nothing, and there is nothing in it to explain.
        centred = np.where(_varying(targets, self.fit_intercept), targets - y_mean, 0.0)
        coef, gap = solve(X - x_mean, centred, self.alpha, l1_ratio, weights, varies)
        intercept = y_mean - coef @ x_mean
        is_one = np.ndim(y) == 1
        self.coef_ = coef[0] if is_one else coef
        self.intercept_ = float(intercept[0]) if is_one else intercept
        self.dual_gap_ = float(gap[0]) if is_one else gap
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return X b + b0, shape (n_samples,) or (n_samples, n_targets)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return X @ self.coef_.T + self.intercept_

    def _l1_ratio(self) -> float:
        raise NotImplementedError


class ElasticNet(_LeastSquares):
    r"""Least squares with L1 and squared L2 penalties, solved exactly.

    Minimises :math:`\tfrac{1}{2n}\lVert y - Xb - b_0\rVert^2 + \alpha\rho \sum_j w_j|b_j| +
    \tfrac{\alpha(1-\rho)}{2}\lVert b\rVert^2` for :math:`\rho` = `l1_ratio`, scikit-learn's objective.

    Parameters
    ----------
    alpha : float, > 0
        Strength of the penalty, in units of y times units of X.
    l1_ratio : float, 0 < l1_ratio <= 1
        Share of the L1 penalty; 1 is the Lasso.
    fit_intercept : bool
    penalty_weights : float array, shape (n_features,), optional
        Factor of each feature's L1 penalty: 0 leaves it unpenalised, ``inf`` forbids it.

    Attributes
    ----------
    coef_ : float array, shape (n_features,) or (n_targets, n_features)
    intercept_ : float or float array, shape (n_targets,)
    dual_gap_ : float or float array, shape (n_targets,)
        In units of the objective, never negative.
    n_features_in_ : int

    Notes
    -----
    X is centred, not scaled. With r = alpha (1 - l1_ratio) the problem is the elastic net on moments with shrinkage
    s = r / (1 + r): dividing the objective by 1 + r gives the Gram matrix (1-s) G + s I, cross-moments (1-s) q and
    penalty (1-s) alpha l1_ratio.
    """

    def __init__(
        self, alpha: float = 1.0, *, l1_ratio: float = 0.5, fit_intercept: bool = True, penalty_weights: Any = None
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.penalty_weights = penalty_weights

    def _l1_ratio(self) -> float:
        return self.l1_ratio


class Lasso(_LeastSquares):
    r"""Least squares with an L1 penalty, solved exactly.

    Minimises :math:`\tfrac{1}{2n}\lVert y - Xb - b_0\rVert^2 + \alpha \sum_j w_j|b_j|`. The textbook's
    :math:`\mathrm{RSS} + \lambda\lVert b\rVert_1` is the same with :math:`\alpha = \lambda / (2n)`.

    Parameters
    ----------
    alpha : float, > 0
    fit_intercept : bool
    penalty_weights : float array, shape (n_features,), optional
        0 leaves a feature unpenalised, ``inf`` forbids it.

    Attributes
    ----------
    coef_, intercept_, dual_gap_, n_features_in_
        As of `ElasticNet`.
    """

    def __init__(self, alpha: float = 1.0, *, fit_intercept: bool = True, penalty_weights: Any = None) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.penalty_weights = penalty_weights

    def _l1_ratio(self) -> float:
        return 1.0


class LogisticL1(ClassifierMixin, BaseEstimator):
    r"""Logistic regression of two classes with L1 and squared L2 penalties.

    Minimises :math:`\tfrac1n\sum_i \log(1 + e^{-s_i(b_0 + x_i^\top b)}) + \alpha\rho\sum_j w_j|b_j| +
    \tfrac{\alpha(1-\rho)}{2}\lVert b\rVert^2` with :math:`s_i = \pm 1` and an unpenalised intercept. scikit-learn's C
    is :math:`1 / (n \alpha)`.

    Parameters
    ----------
    alpha : float, > 0
    l1_ratio : float, 0 < l1_ratio <= 1
    penalty_weights : float array, shape (n_features,), optional
        0 leaves a feature unpenalised, ``inf`` forbids it.

    Attributes
    ----------
    classes_ : array, shape (2,)
        Sorted; coefficients are log odds of the second.
    coef_ : float array, shape (1, n_features)
    intercept_ : float array, shape (1,)
    dual_gap_ : float
        In units of the objective, never negative.
    n_features_in_ : int
    """

    def __init__(self, alpha: float = 0.05, *, l1_ratio: float = 1.0, penalty_weights: Any = None) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.penalty_weights = penalty_weights

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : float array, shape (n_samples, n_features)
        y : array of two labels, shape (n_samples,)

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X or y cannot be used, or y has other than two classes.
        InputError
            If a parameter is out of range, or unpenalised features alone separate the classes.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, label = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            kind = "Only binary classification is supported. " if len(self.classes_) > 2 else ""
            raise ValueError(f"{kind}LogisticL1: y has {len(self.classes_)} class(es), 2 are needed")
        _refuse_alpha(self.alpha)
        if not (is_number(self.l1_ratio) and 0.0 < self.l1_ratio <= 1.0):
            raise InputError(f"LogisticL1: l1_ratio: {self.l1_ratio!r} is not in 0 < l1_ratio <= 1")
        weights = _weights(self.penalty_weights, X.shape[1])
        varies = _varying(X, True)
        mean = X.mean(axis=0)
        self.coef_ = np.zeros((1, X.shape[1]))
        share = label.mean()
        self.intercept_, self.dual_gap_ = np.array([np.log(share / (1.0 - share))]), 0.0
        if (varies & np.isfinite(weights)).any():
            path = logistic_path(
                (X - mean)[:, varies],
                label,
                np.array([self.alpha * self.l1_ratio]),
                ridge=self.alpha * (1.0 - self.l1_ratio),
                penalty_weights=weights[varies],
            )
            if not np.isfinite(path.intercept[0]):
                raise InputError(
                    "LogisticL1: penalty_weights: the unpenalised features alone separate classes, or some samples of "
                    "one, so that no finite fit exists: penalise them, or take l1_ratio below 1"
                )
            self.coef_[0, varies] = path.coef[0]
            self.intercept_ = np.array([path.intercept[0] - path.coef[0] @ mean[varies]])
            self.dual_gap_ = float(path.duality_gap[0])
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the log odds of the second class, shape (n_samples,)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return X @ self.coef_[0] + self.intercept_[0]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, shape (n_samples, 2)."""
        from scipy.special import expit

        odds = self.decision_function(X)
        return np.column_stack([expit(-odds), expit(odds)])

    def predict(self, X: Any) -> np.ndarray:
        """Return the more probable class, shape (n_samples,)."""
        check_is_fitted(self)
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


class GraphicalLasso(EmpiricalCovariance):
    r"""A sparse precision matrix of Gaussian data, certified by its duality gap.

    Minimises :math:`-\log\det T + \mathrm{tr}(S T) + \alpha \sum_{i \ne j} w_{ij} |T_{ij}|` for the covariance
    :math:`S = X^\top X / n` of the centred data, scikit-learn's objective.

    Parameters
    ----------
    alpha : float, > 0
        In squared units of X: scale features to unit variance where they are not comparable.
    penalty_weights : float array, shape (n_features, n_features), optional
        Factor of each pair's penalty, symmetric: 0 leaves a pair free, ``inf`` forbids it.
    penalize_diagonal : bool
        Also penalise the diagonal, as R's glasso does by default.
    tol : float, > 0
        Largest duality gap per feature. Scikit-learn's `tol` bounds the whole gap.
    max_iter : int, >= 1
        Most passes over the features.
    assume_centered : bool
        Do not centre the data.

    Attributes
    ----------
    location_ : float array, shape (n_features,)
    covariance_, precision_ : float arrays, shape (n_features, n_features)
    dual_gap_ : float
        No precision matrix has an objective smaller by more; never negative.
    n_iter_ : int
    n_features_in_ : int

    Notes
    -----
    `score`, `mahalanobis` and `error_norm` are scikit-learn's.
    """

    def __init__(
        self, alpha: float = 0.01, *, penalty_weights: Any = None, penalize_diagonal: bool = False, tol: float = 1e-6,
        max_iter: int = 500, assume_centered: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(assume_centered=assume_centered)
        self.alpha = alpha
        self.penalty_weights = penalty_weights
        self.penalize_diagonal = penalize_diagonal
        self.tol = tol
        self.max_iter = max_iter

    # What the parent checks of its own parameters is not asked of ours; the solver checks them.
    _parameter_constraints: dict = {}  # noqa: RUF012

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : float array, shape (n_samples, n_features)
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X cannot be used (scikit-learn's own checks).
        InputError
            If a parameter is out of range or a feature is constant.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        _refuse_alpha(self.alpha, "an inverse covariance")
        self.location_ = np.zeros(X.shape[1]) if self.assume_centered else X.mean(axis=0)
        constant = np.flatnonzero(~_varying(X, not self.assume_centered))
        if constant.size:
            raise InputError(
                f"GraphicalLasso: feature {constant[0]} is constant: it has no partial correlation: drop it"
            )
        centred = X - self.location_
        covariance = centred.T @ centred / len(X)
        weights = 1.0 if self.penalty_weights is None else as_floats("penalty_weights", self.penalty_weights)
        found = graphical_lasso(
            (covariance + covariance.T) / 2.0,
            self.alpha * weights,
            penalize_diagonal=self.penalize_diagonal,
            tol=self.tol,
            max_sweeps=self.max_iter,
        )
        self.covariance_, self.precision_ = found.covariance, found.precision
        self.dual_gap_, self.n_iter_ = found.duality_gap, max(found.n_sweeps, 1)
        return self


def _solve(X, targets, alpha, l1_ratio, weights, kept) -> tuple[np.ndarray, np.ndarray]:
    n = len(X)
    X = np.ascontiguousarray(X[:, kept])
    gram = X.T @ X / n
    gram = (gram + gram.T) / 2.0

    def solve(y: np.ndarray, variance: float, penalty: float, shrinkage: float) -> LassoPath:
        return elastic_net_path(
            gram,
            X.T @ y / n * (1.0 - shrinkage),
            np.array([penalty]),
            shrinkage=shrinkage,
            target_variance=variance * (1.0 - shrinkage) ** 2,
            penalty_weights=weights[kept],
        )

    return _by_target(solve, targets, alpha, l1_ratio, weights, kept)


def _solve_wide(X, targets, alpha, l1_ratio, weights, kept) -> tuple[np.ndarray, np.ndarray]:
    X = X[:, kept]

    def solve(y: np.ndarray, variance: float, penalty: float, shrinkage: float) -> LassoPath:
        return lasso_path_wide(
            X, y * (1.0 - shrinkage), np.array([penalty]), shrinkage=shrinkage, penalty_weights=weights[kept]
        )

    return _by_target(solve, targets, alpha, l1_ratio, weights, kept)


def _varying(values: np.ndarray, has_intercept: bool) -> np.ndarray:
    """Mark the columns that vary beyond the rounding of their values; beside an intercept the others are nothing."""
    return ~is_constant(values) if has_intercept else (values != 0).any(axis=0)


def _by_target(
    solve: Callable[..., LassoPath], targets, alpha, l1_ratio, weights, kept
) -> tuple[np.ndarray, np.ndarray]:
    """Fit each target; return coefficients (n_targets, n_features) and duality gaps in units of the objective."""
    ridge = alpha * (1.0 - l1_ratio)
    shrinkage = ridge / (1.0 + ridge)
    coef, gap = np.zeros((targets.shape[1], len(weights))), np.zeros(targets.shape[1])
    if not np.isfinite(weights[kept]).any():
        return coef, gap
    for t, y in enumerate(targets.T):
        variance = float(y @ y / len(y))
        if variance <= 0.0:
            continue
        path = solve(y, variance, alpha * l1_ratio * (1.0 - shrinkage), shrinkage)
        coef[t, kept] = path.coef[0]
        gap[t] = path.duality_gap[0] * variance / 2.0
    return coef, gap


def _refuse_alpha(alpha: float, otherwise: str = "least squares") -> None:
    if not (is_number(alpha) and np.isfinite(alpha) and alpha > 0):
        raise InputError(f"alpha: {alpha!r} is not a positive number: without a penalty this is {otherwise}")


def _weights(penalty_weights: Any, n_features: int) -> np.ndarray:
    if penalty_weights is None:
        return np.ones(n_features)
    weights = as_floats("penalty_weights", penalty_weights)
    if weights.shape != (n_features,) or np.isnan(weights).any() or (weights < 0).any():
        raise InputError("penalty_weights: one number >= 0 a feature (0 = unpenalised, inf = forbidden)")
    return weights
