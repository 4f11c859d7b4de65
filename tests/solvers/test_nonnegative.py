"""Nonnegative Lasso: two libraries, certificates, weights."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls
from sklearn.linear_model import Lasso

import netinfer as ni
from netinfer.errors import ConvergenceWarning, InputError


def problem(n=60, p=15, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3)) @ rng.standard_normal((3, p)) + rng.standard_normal((n, p))
    X = (X - X.mean(0)) / X.std(0)
    y = X[:, :4] @ [1.0, -1.0, 0.5, 0.2] + rng.standard_normal(n)
    return X, (y - y.mean()) / y.std()


def objective(X, y, b, lam):
    rest = y - X @ b
    return rest @ rest / (2 * len(y)) + lam * b.sum()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("shape", [(60, 15), (20, 50)])
def test_agrees_with_scikit_learn(seed, shape):
    X, y = problem(*shape, seed)
    path = ni.solvers.nonnegative_lasso_path(X.T @ X / len(y), X.T @ y / len(y), [0.3, 0.1, 0.03])
    assert (path.coef >= 0).all()
    assert path.converged.all()
    for lam, b in zip(path.penalties, path.coef, strict=True):
        theirs = Lasso(lam, positive=True, fit_intercept=False, tol=1e-12, max_iter=10**6).fit(X, y).coef_
        # The gap is certified to 1e-9 of half the variance, scikit-learn's to 1e-12.
        assert abs(objective(X, y, b, lam) - objective(X, y, theirs, lam)) <= 1e-8


def test_without_penalty_it_is_nonnegative_least_squares():
    X, y = problem()
    path = ni.solvers.nonnegative_lasso_path(X.T @ X / 60, X.T @ y / 60, [1.0], penalty_weights=np.zeros(15))
    np.testing.assert_allclose(path.coef[0], nnls(X, y)[0], atol=1e-7)


def test_at_the_largest_positive_moment_all_is_zero():
    X, y = problem()
    gram, cross = X.T @ X / 60, X.T @ y / 60
    path = ni.solvers.nonnegative_lasso_path(gram, cross, [cross.max(), cross.max() * (1 - 1e-3)])
    assert not path.coef[0].any()
    assert path.coef[1].any()
    np.testing.assert_array_equal(path.duality_gap[0], 0.0)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(3, 40), p=st.integers(1, 20), seed=st.integers(0, 2**32 - 1), twins=st.integers(0, 3))
def test_every_point_is_certified(n, p, seed, twins):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    X = np.hstack([X, X[:, rng.integers(0, p, twins)]])
    y = X @ np.maximum(rng.standard_normal(X.shape[1]), 0) + rng.standard_normal(n)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        path = ni.solvers.nonnegative_lasso_path(
            X.T @ X / n, X.T @ y / n, np.array([0.5, 0.1]) * y.std(), target_variance=float(y @ y / n)
        )
    assert (path.duality_gap <= 1e-9).all()
    assert (path.duality_gap >= 0).all()
    for lam, b in zip(path.penalties, path.coef, strict=True):
        gradient = X.T @ (y - X @ b) / n
        scale = np.abs(X.T @ y / n).max() + lam
        assert (gradient <= lam + 1e-4 * scale).all()  # a gap of 1e-9 allows its root in the gradient
        np.testing.assert_allclose(gradient[b > 0], lam, atol=1e-4 * scale)


@pytest.mark.parametrize("noise", [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10])
def test_near_duplicates_are_certified(noise):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((60, 15))
        X[:, 8:] = X[:, :7] + noise * rng.standard_normal((60, 7))
        y = X[:, :5].sum(axis=1) + rng.standard_normal(60)
        X, y = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()
        path = ni.solvers.nonnegative_lasso_path(X.T @ X / 60, X.T @ y / 60, np.geomspace(0.9, 1e-4, 6))
        assert path.converged.all()
        for lam, b in zip(path.penalties, path.coef, strict=True):
            reference = Lasso(lam, positive=True, fit_intercept=False, tol=1e-10, max_iter=3000)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # scikit-learn's own sweeps end uncertified here
                theirs = reference.fit(X, y).coef_
            assert objective(X, y, b, lam) <= objective(X, y, theirs, lam) + 1e-9


def test_forbidden_and_weighted():
    X, y = problem()
    weights = np.ones(15)
    weights[0], weights[2] = np.inf, 3.0
    gram, cross = X.T @ X / 60, X.T @ y / 60
    path = ni.solvers.nonnegative_lasso_path(gram, cross, [0.05], penalty_weights=weights)
    assert path.coef[0, 0] == 0
    scaled = X / weights
    scaled[:, 0] = 0
    keep = np.arange(15) != 0
    theirs = Lasso(0.05, positive=True, fit_intercept=False, tol=1e-13, max_iter=10**6).fit(scaled[:, keep], y).coef_
    np.testing.assert_allclose(path.coef[0, keep], theirs / weights[keep], atol=1e-5)


def test_not_converged_is_a_warning_with_numbers(monkeypatch):
    monkeypatch.setattr("netinfer.solvers.nonnegative.MAX_SWEEPS", 1)
    monkeypatch.setattr("netinfer.solvers.nonnegative._exact", lambda *arguments: arguments[-1])
    X, y = problem(20, 50)
    with pytest.warns(ConvergenceWarning, match="relative duality gap .* above 1e-09"):
        path = ni.solvers.nonnegative_lasso_path(X.T @ X / 20, X.T @ y / 20, [0.01])
    assert not path.converged.any()


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="not symmetric"):
        ni.solvers.nonnegative_lasso_path(np.array([[1.0, 0.5], [0.0, 1.0]]), np.zeros(2), [0.1])
