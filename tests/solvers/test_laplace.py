"""The Lasso as the mode under a Laplace prior, ridge under a Gaussian one, the elastic net under both."""

import numpy as np
import pytest
from scipy import optimize, stats

import netinfer as ni

N, P = 40, 6
SIGMA, TAU, OMEGA = 0.8, 0.15, 0.5


@pytest.fixture
def data():
    rng = np.random.default_rng(4)
    X = rng.standard_normal((N, P)) @ np.diag([1.0, 2.0, 0.5, 1.0, 1.0, 3.0])
    X[:, 4] += X[:, 3]
    return X, X @ [0.6, 0, 0, 0.4, 0, -0.1] + SIGMA * rng.standard_normal(N)


def mode(X, y, tau=None, omega=None):
    """Maximise the posterior density; b = u - v with u, v >= 0 makes a Laplace prior smooth."""

    def minus_log_posterior(z):
        b = z[:P] - z[P:]
        value = -stats.norm.logpdf(y, X @ b, SIGMA).sum()
        gradient = X.T @ (X @ b - y) / SIGMA**2
        if omega is not None:
            value -= stats.norm.logpdf(b, 0, omega).sum()
            gradient = gradient + b / omega**2
        split = np.concatenate([gradient, -gradient])
        if tau is not None:
            # At the optimum one of u and v is zero, so that u + v is |b|.
            value -= stats.laplace.logpdf(z[:P] + z[P:], 0, tau).sum()
            split = split + 1.0 / np.tile(np.broadcast_to(tau, P), 2)
        return value, split

    found = optimize.minimize(
        minus_log_posterior, np.full(2 * P, 0.1), jac=True, bounds=[(0, None)] * (2 * P), method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 10_000},
    )  # fmt: skip
    return found.x[:P] - found.x[P:]


def solve(X, y, penalty, ridge=0.0, weights=None):
    """Lasso or elastic net on moments; 1/(1 + ridge) brings the Gram into its form (1-s) G + s I."""
    gram, cross = X.T @ X / N, X.T @ y / N
    scale = 1.0 / (1.0 + ridge)
    path = ni.solvers.lasso_path(
        scale * (gram + ridge * np.eye(P)), scale * cross, [scale * penalty],
        target_variance=scale * (y @ y) / N, penalty_weights=weights,
    )  # fmt: skip
    return path.coef[0]


def test_the_lasso_is_the_mode_under_a_laplace_prior(data):
    X, y = data
    coef = solve(X, y, SIGMA**2 / (N * TAU))
    assert 0 < (coef == 0).sum() < P
    np.testing.assert_allclose(coef, mode(X, y, tau=TAU), atol=1e-6)  # the optimiser's own accuracy


def test_penalty_weights_are_scales_of_the_prior(data):
    X, y = data
    weights = np.array([1.0, 0.2, 5.0, 1.0, 2.0, 0.5])
    coef = solve(X, y, SIGMA**2 / (N * TAU), weights=weights)
    np.testing.assert_allclose(coef, mode(X, y, tau=TAU / weights), atol=1e-6)


def test_ridge_is_the_mode_under_a_gaussian_prior_and_has_no_zeros(data):
    X, y = data
    ridge = np.linalg.solve(X.T @ X / N + SIGMA**2 / (N * OMEGA**2) * np.eye(P), X.T @ y / N)
    np.testing.assert_allclose(ridge, mode(X, y, omega=OMEGA), atol=1e-6)
    assert (ridge != 0).all()


def test_the_elastic_net_is_the_mode_under_both(data):
    X, y = data
    coef = solve(X, y, SIGMA**2 / (N * TAU), ridge=SIGMA**2 / (N * OMEGA**2))
    np.testing.assert_allclose(coef, mode(X, y, tau=TAU, omega=OMEGA), atol=1e-6)


def test_at_the_largest_penalty_and_above_the_mode_is_exactly_zero(data):
    X, y = data
    largest = np.abs(X.T @ y / N).max()
    for factor in (1.0, 1.0 + 1e-15, 1.5, 1e6):
        assert not solve(X, y, factor * largest).any()
    assert solve(X, y, largest * (1 - 1e-9)).any()
