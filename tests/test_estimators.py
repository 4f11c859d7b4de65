"""The estimators: scikit-learn's own checks, its answers, and the conversions between conventions."""

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.utils.estimator_checks import parametrize_with_checks

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.estimators import ElasticNet, GraphicalLasso, Lasso, LogisticL1


@parametrize_with_checks(
    [Lasso(alpha=0.01), ElasticNet(alpha=0.01), LogisticL1(alpha=0.01), GraphicalLasso(alpha=0.01)]
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


def problem(n=60, p=12, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) @ np.diag(np.linspace(0.5, 3, p)) + 4
    return X, X[:, :3] @ [1.0, -2.0, 0.5] + rng.standard_normal(n) + 10


def objective(X, y, coef, intercept, alpha, ratio):
    rest = y - X @ coef - intercept
    return rest @ rest / (2 * len(y)) + alpha * (ratio * np.abs(coef).sum() + (1 - ratio) / 2 * coef @ coef)


@pytest.mark.parametrize("ratio", [1.0, 0.7, 0.1])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("shape", [(60, 12), (20, 50), (30, 1200)])
def test_least_squares_answers_are_scikit_learns(ratio, fit_intercept, shape):
    X, y = problem(*shape)
    ours = ElasticNet(0.1, l1_ratio=ratio, fit_intercept=fit_intercept).fit(X, y)
    theirs = linear_model.ElasticNet(
        alpha=0.1, l1_ratio=ratio, fit_intercept=fit_intercept, tol=1e-12, max_iter=10**6
    ).fit(X, y)
    found, best = (objective(X, y, m.coef_, m.intercept_, 0.1, ratio) for m in (ours, theirs))
    # Relative to the objective of the empty model; coordinate descent ends a little above the exact answer.
    assert found <= best + 1e-8 * y.var()
    assert best <= found + 1e-8 * y.var()
    # Of far more features than samples scikit-learn's own answer is the looser one.
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-4 * y.std())
    assert 0 <= ours.dual_gap_ <= 1e-8 * y.var()


def test_the_lasso_is_the_elastic_net_without_ridge():
    X, y = problem()
    np.testing.assert_array_equal(Lasso(0.1).fit(X, y).coef_, ElasticNet(0.1, l1_ratio=1.0).fit(X, y).coef_)


def test_the_textbooks_penalty_is_two_n_times_larger():
    X, y = problem()
    lam = 12.0
    coef = Lasso(lam / (2 * len(y)), fit_intercept=False).fit(X, y).coef_
    gradient = -2 * X.T @ (y - X @ coef)  # of RSS
    is_in = coef != 0
    assert is_in.any()
    # RSS + lambda |b|: the gradient of RSS balances lambda on what is selected and stays within it elsewhere.
    np.testing.assert_allclose(gradient[is_in], -lam * np.sign(coef[is_in]), rtol=1e-8)
    assert (np.abs(gradient[~is_in]) <= lam * (1 + 1e-9)).all()


def test_several_targets_are_fitted_one_by_one():
    X, y = problem()
    Y = np.column_stack([y, X[:, 5], np.ones(len(y))])
    both = Lasso(0.05).fit(X, Y)
    np.testing.assert_array_equal(both.coef_[0], Lasso(0.05).fit(X, y).coef_)
    assert both.coef_.shape == (3, 12)
    assert not both.coef_[2].any()
    np.testing.assert_allclose(both.predict(X)[:, 2], 1.0)


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_logistic_answers_are_scikit_learns(ratio):
    X, y = problem(200, 10)
    label = np.where(y + 3 * np.random.default_rng(1).standard_normal(200) > np.median(y), "yes", "no")
    X = (X - X.mean(0)) / X.std(0)
    alpha = 0.03
    ours = LogisticL1(alpha, l1_ratio=ratio).fit(X, label)
    theirs = linear_model.LogisticRegression(
        C=1 / (200 * alpha), l1_ratio=ratio, solver="saga", tol=1e-12, max_iter=10**5
    ).fit(X, label)
    assert list(ours.classes_) == ["no", "yes"]
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    assert (ours.coef_ == 0).any()
    assert ours.dual_gap_ <= 1e-6


@pytest.mark.parametrize("model", [Lasso, LogisticL1])
def test_free_and_forbidden_features(model):
    X, y = problem()
    if model is LogisticL1:
        y = (y + 8 * np.random.default_rng(0).standard_normal(60) > np.median(y)).astype(int)
        X = X - X.mean(0)
    weights = np.ones(12)
    weights[3], weights[0] = 0.0, np.inf
    coef = np.ravel(model(1e3, penalty_weights=weights).fit(X, y).coef_)
    assert coef[3] != 0
    assert not np.delete(coef, 3).any()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Lasso(0.0), "not a positive number"),
        (Lasso(float("nan")), "not a positive number"),
        (ElasticNet(0.1, l1_ratio=0.0), "0 is ridge"),
        (LogisticL1(-1.0), "not a positive number"),
        (LogisticL1(0.1, l1_ratio=1.5), "l1_ratio"),
        (Lasso(0.1, penalty_weights=[1.0]), "one number"),
        (Lasso(0.1, penalty_weights=["a"] * 12), "penalty_weights: not an array of numbers"),
        (Lasso("a"), "alpha: 'a' is not a positive number"),
        (ElasticNet(0.1, l1_ratio="a"), "l1_ratio: 'a'"),
        (LogisticL1(0.1, l1_ratio=None), "l1_ratio: None"),
    ],
)
def test_bad_parameters_are_refused(model, message):
    X, y = problem()
    with pytest.raises(InputError, match=message):
        model.fit(X, (y > np.median(y)).astype(int))


@pytest.mark.parametrize("p", [12, 1300])
@pytest.mark.parametrize("level", [0.0, 0.1, 1e9 + 0.1])
def test_constant_targets_and_features_are_judged_beside_their_size(p, level):
    """Sixty times 0.1 has a variance of rounding, in narrow and in wide data."""
    X, y = problem(60, p)
    X[:, 5] = level
    alone = Lasso(0.05).fit(X, np.full(60, level))
    assert not alone.coef_.any()
    assert alone.intercept_ == pytest.approx(level)
    both = ElasticNet(0.05).fit(X, np.column_stack([np.full(60, level), y]))
    assert not both.coef_[0].any()
    assert both.coef_[1].any()
    np.testing.assert_allclose(both.coef_[1], ElasticNet(0.05).fit(X, y).coef_, atol=1e-12)  # rounding of the products
    assert not both.coef_[:, 5].any()
    # Without an intercept a constant is a target, and a feature, like any other.
    assert p > 1000 or Lasso(0.05, fit_intercept=False).fit(X, np.full(60, 3.0)).coef_.any()


def test_logistic_features_are_judged_as_the_lassos():
    X, y = problem()
    label = y + 8 * np.random.default_rng(0).standard_normal(60) > np.median(y)
    # A spread of 1e-11 of its size is no rounding for either; 1e-13 of it is.
    X[:, 4] = 1e6 + 1e-5 * X[:, 4]
    X[:, 5] = 1e6 + 1e-8 * (X[:, 5] > 6)
    weights = np.ones(12)
    weights[4:6] = 0.0
    for model in (Lasso(0.5, penalty_weights=weights), LogisticL1(0.1, penalty_weights=weights)):
        coef = np.ravel(model.fit(X, label.astype(float)).coef_)
        assert coef[4] != 0
        assert coef[5] == 0


def test_unpenalised_features_that_separate_are_refused():
    X, _ = problem()
    label = X[:, 3] > np.median(X[:, 3])
    weights = np.ones(12)
    weights[3] = 0.0
    with pytest.warns(ConvergenceWarning, match="no finite fit"), pytest.raises(InputError, match="alone separate"):
        LogisticL1(0.1, penalty_weights=weights).fit(X, label)


@pytest.mark.parametrize("ratio", [0.9, 0.1])
def test_the_gap_of_the_elastic_net_uses_its_strong_convexity(ratio):
    X, y = problem(20, 50)
    model = ElasticNet(0.1, l1_ratio=ratio).fit(X, y)
    # Rounding of the moments, in units of the objective of the empty model.
    assert model.dual_gap_ <= 1e-12 * y.var()


@pytest.mark.parametrize("assume_centered", [True, False])
def test_precision_matrices_are_scikit_learns(assume_centered):
    from sklearn import covariance

    X = problem(80, 10)[0] @ np.random.default_rng(2).standard_normal((10, 10))
    X = X - X.mean(axis=0) + 0.1 * assume_centered
    ours = GraphicalLasso(0.3, assume_centered=assume_centered, tol=1e-12).fit(X)
    theirs = covariance.GraphicalLasso(0.3, assume_centered=assume_centered, tol=1e-9, enet_tol=1e-11, max_iter=2000)
    theirs.fit(X)
    np.testing.assert_array_equal(ours.location_, theirs.location_)
    # Their gap of 1e-9 leaves about its root, in units of the largest entry.
    np.testing.assert_allclose(ours.precision_, theirs.precision_, atol=1e-4 * np.abs(theirs.precision_).max())
    np.testing.assert_allclose(ours.covariance_, theirs.covariance_, atol=1e-4 * np.abs(theirs.covariance_).max())
    assert 0 <= ours.dual_gap_ <= 1e-11
    assert ours.score(X) == pytest.approx(theirs.score(X), rel=1e-6)


def test_pairs_of_features_are_forbidden_and_constant_ones_refused():
    X, _ = problem(50, 6)
    weights = np.ones((6, 6))
    weights[0, 1] = weights[1, 0] = np.inf
    assert GraphicalLasso(1e-3).fit(X).precision_[0, 1] != 0
    assert GraphicalLasso(1e-3, penalty_weights=weights).fit(X).precision_[0, 1] == 0
    diagonal = GraphicalLasso(0.5, penalize_diagonal=True).fit(X).covariance_.diagonal()
    np.testing.assert_allclose(diagonal, X.var(axis=0) + 0.5)
    X[:, 3] = 1e9 + 0.1
    with pytest.raises(InputError, match="feature 3 is constant"):
        GraphicalLasso(0.1).fit(X)
    with pytest.raises(InputError, match="not a positive number"):
        GraphicalLasso(0.0).fit(X)
