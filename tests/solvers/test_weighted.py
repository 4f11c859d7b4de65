"""Penalty weights and the adaptive Lasso."""

import numpy as np
import pytest

import netinfer as ni
from netinfer.errors import InputError
from netinfer.solvers.weighted import initial_coefficients


def samples(n, p, seed):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3)) @ rng.standard_normal((3, p)) + rng.standard_normal((n, p))
    y = X[:, : min(3, p)] @ np.array([1.0, -0.7, 0.4])[: min(3, p)] + rng.standard_normal(n)
    return (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()


@pytest.mark.parametrize("seed", range(5))
def test_scaling_a_predictor_divides_its_weight(seed):
    X, y = samples(60, 12, seed)
    scale = np.random.default_rng(seed).uniform(0.1, 10.0, 12)
    penalties = np.geomspace(0.5, 0.02, 8)
    Z = X * scale
    scaled = ni.solvers.lasso_path(Z.T @ Z / 60, Z.T @ y / 60, penalties)
    weighted = ni.solvers.lasso_path(X.T @ X / 60, X.T @ y / 60, penalties, penalty_weights=1 / scale)
    np.testing.assert_allclose(scaled.coef * scale, weighted.coef, atol=1e-9)
    # Nothing in the rule says Lasso: the same with the scale in half of the predictors only, and with weights there.
    weights = np.random.default_rng(seed + 99).uniform(0.5, 2.0, 12)
    both = ni.solvers.lasso_path(Z.T @ Z / 60, Z.T @ y / 60, penalties, penalty_weights=weights * scale)
    plain = ni.solvers.lasso_path(X.T @ X / 60, X.T @ y / 60, penalties, penalty_weights=weights)
    np.testing.assert_allclose(both.coef * scale, plain.coef, atol=1e-9)


def test_the_second_stage_is_the_lasso_with_the_weights_of_the_first():
    X, y = samples(80, 15, 0)
    gram, cross = X.T @ X / 80, X.T @ y / 80
    first = initial_coefficients(gram, cross)
    penalties = np.geomspace(0.3, 1e-3, 8)
    for power in (0.5, 1.0, 2.0):
        path = ni.solvers.adaptive_lasso_path(gram, cross, penalties, power=power)
        weights = np.abs(first) ** -power
        expected = ni.solvers.lasso_path(gram, cross, penalties, penalty_weights=weights)
        np.testing.assert_allclose(path.problem.weights, weights, rtol=1e-12)
        np.testing.assert_array_equal(path.coef, expected.coef)
        assert path.converged.all()
    given = ni.solvers.adaptive_lasso_path(gram, cross, penalties, initial=2 * first)
    np.testing.assert_allclose(given.coef, ni.solvers.adaptive_lasso_path(gram, cross, penalties / 2).coef, atol=1e-11)


def test_the_initial_fit_is_least_squares_where_that_is_safe_and_the_mildest_ridge_elsewhere():
    X, y = samples(400, 6, 1)
    gram, cross = X.T @ X / 400, X.T @ y / 400
    assert np.linalg.eigvalsh(gram)[0] > 0.05
    np.testing.assert_allclose(initial_coefficients(gram, cross), np.linalg.solve(gram, cross), atol=1e-12)
    X, y = samples(20, 50, 1)  # singular: the smallest shrinkage that lifts 0 to 0.05 is 0.05
    gram, cross = X.T @ X / 20, X.T @ y / 20
    expected = np.linalg.solve(0.95 * gram + 0.05 * np.eye(50), cross)
    np.testing.assert_allclose(initial_coefficients(gram, cross), expected, atol=1e-10)
    np.testing.assert_allclose(initial_coefficients(np.eye(3), np.ones(3) * 0.1), np.full(3, 0.1), atol=1e-15)


def test_the_adaptive_lasso_does_not_depend_on_the_scale_of_the_regulators():
    X, y = samples(60, 12, 2)
    scale = np.random.default_rng(0).uniform(0.1, 10.0, 12)
    penalties = np.geomspace(0.3, 1e-3, 6)
    Z = X * scale
    scaled = ni.solvers.adaptive_lasso_path(Z.T @ Z / 60, Z.T @ y / 60, penalties)
    plain = ni.solvers.adaptive_lasso_path(X.T @ X / 60, X.T @ y / 60, penalties)
    np.testing.assert_allclose(scaled.coef * scale, plain.coef, atol=1e-9)


def test_it_finds_the_true_regulators_where_the_lasso_cannot():
    # Zou (2006), section 3: two true regulators and a third correlated with both so that the irrepresentable condition
    # fails. Population moments: the Lasso's path holds the third at every penalty at which the other two are in.
    r = 0.6
    gram = np.array([[1, 0, r], [0, 1, r], [r, r, 1.0]])
    truth = np.array([1.0, 1.0, 0.0])
    cross, variance = gram @ truth, float(truth @ gram @ truth) + 1.0
    penalties = np.geomspace(1.5, 1e-4, 200)
    lasso = ni.solvers.lasso_path(gram, cross, penalties, target_variance=variance)
    adaptive = ni.solvers.adaptive_lasso_path(gram, cross, penalties, target_variance=variance)

    def finds(path):
        return ((path.coef != 0) == (truth != 0)).all(axis=1)

    assert np.linalg.eigvalsh(gram)[0] > 0.05  # so that the first stage is least squares
    assert not finds(lasso).any()
    assert finds(adaptive).any()


def test_weights_zero_and_infinity_hold_in_both_stages():
    X, y = samples(60, 8, 3)
    gram, cross = X.T @ X / 60, X.T @ y / 60
    weights = np.array([1, 0, np.inf, 1, 2, 1, 1, 1.0])
    path = ni.solvers.adaptive_lasso_path(gram, cross, [0.2, 0.02], penalty_weights=weights)
    assert (path.coef[:, 1] != 0).all()
    assert (path.coef[:, 2] == 0).all()
    assert path.problem.weights[1] == 0
    assert path.problem.weights[2] == np.inf
    initial = np.array([0, 0, 1, 1, 1, 1, 1, 1.0])
    path = ni.solvers.adaptive_lasso_path(gram, cross, [0.2, 0.001], initial=initial, penalty_weights=weights)
    assert (path.coef[:, 0] == 0).all()  # nothing in the first stage: forbidden in the second
    assert (path.coef[:, 1] != 0).all()  # unpenalised all the same


def test_a_forbidden_regulator_stays_forbidden_whatever_the_first_stage_says():
    initial, weights = np.array([1e200, 1.0]), np.array([np.inf, 1.0])
    arguments = (np.eye(2), np.array([0.5, 0.2]), [0.1])
    path = ni.solvers.adaptive_lasso_path(*arguments, power=2.0, initial=initial, penalty_weights=weights)
    np.testing.assert_array_equal(path.problem.weights, [np.inf, 1.0])
    assert path.coef[0, 0] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"power": 0.0}, "power: 0.0 is not a positive number"),
        ({"power": np.nan}, "power: nan"),
        ({"initial": [1.0]}, r"initial: shape \(1,\) for 2 regulators"),
        ({"initial": [1.0, np.nan]}, "coefficient 1 is NaN"),
        ({"initial": [1e200, 1.0], "power": 2.0}, "coefficient 1e[+]200 of regulator 0 to the power -2 makes"),
        ({"initial": [1.0, 0.1], "power": 200.0}, "penalty weight of 1e[+]200"),
        ({"power": "x"}, "power: .* is not a number"),
        ({"penalty_weights": [1.0, -1.0]}, "-1 of regulator 1"),
        ({"penalties": [0.0]}, "0 is not positive"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    arguments = {"gram": np.eye(2), "cross": np.array([0.5, 0.2]), "penalties": [0.3], **change}
    with pytest.raises(InputError, match=message):
        ni.solvers.adaptive_lasso_path(**arguments)
