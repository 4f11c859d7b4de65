"""Proximal gradient: the maps minimise what they say, the solvers agree with others and certify themselves."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers import (
    LeastSquaresLoss,
    LogisticLoss,
    fista,
    group_labels,
    group_soft_threshold,
    ista,
    lasso_path,
    soft_threshold,
)


def problem(n=60, p=12, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1))
    y = X[:, :3] @ [1.0, -1.0, 0.5] + rng.standard_normal(n)
    X = (X - X.mean(0)) / X.std(0)
    return X, (y - y.mean()) / y.std()


def moments(X, y):
    return X.T @ X / len(y), X.T @ y / len(y)


numbers = st.lists(st.floats(-5, 5), min_size=1, max_size=6).map(np.array)


@settings(max_examples=60, deadline=None)
@given(numbers, st.floats(0, 4), st.integers(0, 99))
def test_thresholds_are_minimisers(values, threshold, seed):
    """No point nearby is better than the map's value, for the L1 norm and for one group's norm."""
    shifts = 0.1 * np.random.default_rng(seed).standard_normal((20, values.size))
    for found, norm in (
        (soft_threshold(values, threshold), lambda b: np.abs(b).sum(axis=-1)),
        (
            group_soft_threshold(values, [list(range(values.size))], threshold),
            lambda b: np.linalg.norm(b, axis=-1),
        ),
    ):

        def objective(b, norm=norm):
            return 0.5 * ((b - values) ** 2).sum(axis=-1) + threshold * norm(b)

        # Rounding of sums of up to 6 squares of size 25.
        assert (objective(found + shifts) >= objective(found) - 1e-12).all()


def test_thresholds_forbid_with_inf_and_refuse_the_negative():
    assert (soft_threshold(np.array([3.0, -9.0]), np.inf) == 0).all()
    np.testing.assert_array_equal(
        group_soft_threshold(np.array([3.0, 4.0, 2.0]), [0, 0, 1], np.array([np.inf, 0.0])), [0, 0, 2]
    )
    with pytest.raises(InputError, match=">= 0"):
        soft_threshold(np.ones(2), -1.0)
    with pytest.raises(InputError, match=">= 0"):
        group_soft_threshold(np.ones(2), [0, 0], np.array([np.nan]))


@pytest.mark.parametrize("solver", [ista, fista])
def test_least_squares_agrees_with_the_homotopy(solver):
    gram, cross = moments(*problem())
    result = solver(LeastSquaresLoss(gram, cross), 0.1, tol=1e-12)
    path = lasso_path(gram, cross, [0.1])
    # A gap of 1e-12 leaves coefficients within 1e-6 times the inverse of the smallest eigenvalue, some 0.1 here.
    np.testing.assert_allclose(result.coef, path.coef[0], atol=1e-5)
    assert result.converged
    assert 0 <= result.duality_gap <= 1e-12
    # The gradient is off by the square root of the gap at most.
    assert result.kkt_violation < 1e-5


def test_logistic_agrees_with_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = problem()
    chosen = (y > 0.3).astype(int)
    X = X + 5.0  # the intercept has to move
    model = linear_model.LogisticRegression(l1_ratio=1, C=1 / (0.05 * len(y)), solver="saga", tol=1e-10, max_iter=10**6)
    model.fit(X, chosen)
    result = fista(LogisticLoss(X, chosen), 0.05, tol=1e-11)

    def objective(coef, intercept):
        margin = (2 * chosen - 1) * (X @ coef + intercept)
        return np.logaddexp(0, -margin).mean() + 0.05 * np.abs(coef).sum()

    assert result.objective == pytest.approx(objective(result.coef, result.intercept), abs=1e-12)
    assert result.objective <= objective(model.coef_[0], model.intercept_[0]) + 1e-10
    # saga stops at a relative change of 1e-10 a step.
    assert result.objective == pytest.approx(objective(model.coef_[0], model.intercept_[0]), abs=1e-8)


WEIGHTS = np.array([0.0, 1, 1, 2, 1, 1, 0.5, 1, 1, 1, 1, np.inf])
GROUPS = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
FORMS = {
    "L1": {},
    "weights": {"penalty_weights": WEIGHTS},
    "groups": {"groups": GROUPS},
    "free and forbidden groups": {"groups": GROUPS, "group_weights": [0, 1, np.inf, 1]},
    "sparse groups": {"groups": GROUPS, "l1_share": 0.4},
    "all": {"groups": GROUPS, "l1_share": 0.4, "penalty_weights": WEIGHTS, "group_weights": [0, 1, np.inf, 2]},
}


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("family", ["least squares", "logistic"])
def test_every_form_is_certified_and_no_point_nearby_is_better(family, form, ridge):
    X, y = problem()
    if family == "logistic":
        loss = LogisticLoss(X, (y > 0.3).astype(int), ridge=ridge)
    else:
        loss = LeastSquaresLoss(*moments(X, y), shrinkage=ridge)
    result = fista(loss, 0.03, tol=1e-11, **FORMS[form])
    assert result.converged
    assert 0 <= result.duality_gap <= 1e-11
    # A gap of 1e-11 bounds the gradient's distance by its root, times the curvature.
    assert result.kkt_violation < 1e-4
    coef = result.coef
    options = {"penalty_weights": np.ones(12), "group_weights": np.sqrt([3.0] * 4)} | FORMS[form]
    groups, share = options.get("groups", np.arange(12)), options.get("l1_share", 0.0 if "groups" in options else 1.0)
    w = np.asarray(options["penalty_weights"])
    u = np.asarray(options["group_weights"] if "groups" in options else np.ones(12))
    allowed = np.isfinite(w) & np.isfinite(u)[groups]
    assert (coef[~allowed] == 0).all()

    def objective(b):
        theta = np.concatenate([[result.intercept * 0.0], b])[1 - loss.n_intercepts :]
        theta[: loss.n_intercepts] = start
        norms = np.sqrt(np.bincount(groups, b**2))
        single, together = share * np.where(allowed, w, 0), (1 - share) * np.where(np.isfinite(u), u, 0)
        return loss.value(theta) + 0.03 * (single @ np.abs(b) + together @ norms)

    start = (result.intercept + loss.mean @ coef) / loss.unit if loss.n_intercepts else 0.0
    assert objective(coef) == pytest.approx(result.objective, abs=1e-12)
    rng = np.random.default_rng(1)
    for size in (1e-3, 1e-2, 0.3):
        other = coef + size * rng.standard_normal(12) * allowed
        assert objective(other) >= result.objective - 1e-11


def test_ista_never_rises_and_fista_is_faster():
    gram, cross = moments(*problem())
    loss = LeastSquaresLoss(gram, cross)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        values = [ista(loss, 0.01, tol=1e-15, max_iterations=k).objective for k in (1, 2, 5, 20, 60)]
    assert (np.diff(values) <= 0).all()
    # The condition number here is in the hundreds: momentum needs its square root.
    assert fista(loss, 0.01, tol=1e-8).n_iterations < 0.5 * ista(loss, 0.01, tol=1e-8).n_iterations


def test_not_converged_is_a_warning_with_numbers():
    loss = LeastSquaresLoss(*moments(*problem()))
    with pytest.warns(ConvergenceWarning, match=r"gap .* after 3 iterations"):
        result = fista(loss, 0.01, max_iterations=3)
    assert not result.converged
    assert result.n_iterations == 3


def test_at_the_largest_penalty_the_answer_is_exactly_zero():
    gram, cross = moments(*problem())
    largest = np.abs(cross).max()
    assert (fista(LeastSquaresLoss(gram, cross), largest).coef == 0).all()
    assert (fista(LeastSquaresLoss(gram, cross), 0.99 * largest).coef != 0).sum() == 1


def test_sample_weights_count_as_repeats():
    X, y = problem()
    chosen = (y > 0.3).astype(int)
    times = np.arange(len(y)) % 3
    once = fista(LogisticLoss(X, chosen, sample_weight=times), 0.05, tol=1e-12)
    often = fista(LogisticLoss(np.repeat(X, times, axis=0), np.repeat(chosen, times)), 0.05, tol=1e-12)
    # Two fits of the same problem, each to a gap of 1e-12.
    assert once.objective == pytest.approx(often.objective, abs=1e-11)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([[0, 1], []], "group 1 is empty"),
        ([[0, 1], [1, 2]], "regulator 1 is in groups 0 and 1"),
        ([[0, 1]], "regulator 2 is in no group"),
        ([[0, 1], [2, 7]], "group 1 names regulator 7"),
        ([[0, 1], [2.5]], "group 1 holds places of type"),
        ({"one": [0, 1], "two": []}, "group two is empty"),
        (np.array([0, 0]), "2 labels: give one for each of 3 regulators"),
        (np.array([0, 0, np.nan]), "regulator 2 has no label"),
        (["a", None, "c"], "regulator 1 has no label"),
        ("abc", "give one label a regulator"),
    ],
)
def test_groups_that_do_not_part_the_regulators(groups, message):
    with pytest.raises(InputError, match=message):
        group_labels(groups, 3)


@pytest.mark.parametrize("labels", [np.array([0, 0, 2]), [-1, -1, 7], ["a", "a", "b"], np.array([0.5, 0.5, 10**9])])
def test_labels_of_any_kind_are_numbered_in_their_order(labels):
    assert group_labels(labels, 3).tolist() == [0, 0, 1]


def test_both_forms_of_groups_are_the_same():
    np.testing.assert_array_equal(group_labels([[2, 0], [1]], 3), group_labels(np.array([0, 1, 0]), 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LeastSquaresLoss(np.eye(3), np.zeros(2)), "does not fit"),
        (lambda: LeastSquaresLoss([[1.0, 2.0], [2.0, 1.0]], [0.5, 0.2]), "not positive semidefinite"),
        (lambda: LeastSquaresLoss([[1.0, 0.2], [0.1, 1.0]], [0.5, 0.2]), "not symmetric"),
        (lambda: LeastSquaresLoss(np.eye(2), [0.9, 0.9]), "not jointly positive semidefinite"),
        (lambda: fista(np.eye(2), 0.1), "loss: ndarray is neither"),
        (lambda: ista(np.eye(2), 0.1), "loss: ndarray is neither"),
        (lambda: LeastSquaresLoss(np.eye(2), np.array([0.0, np.nan])), "NaN"),
        (lambda: LeastSquaresLoss(np.eye(2), np.zeros(2), shrinkage=1.0), "shrinkage: 1.0"),
        (lambda: LeastSquaresLoss(np.eye(2), np.zeros(2), target_variance=0.0), "target_variance: 0.0"),
        (lambda: LogisticLoss(np.ones((4, 1)), np.ones(4)), "single class"),
        (lambda: LogisticLoss(np.ones((4, 1)), np.array([0, 1, 2, 1])), "0 and 1"),
        (lambda: LogisticLoss(np.full((4, 1), np.nan), np.array([0, 1, 0, 1])), "NaN"),
        (lambda: LogisticLoss(np.ones((4, 1)), np.array([0, 1, 0, 1]), ridge=-1.0), "ridge: -1.0"),
        (lambda: LogisticLoss(np.ones((4, 1)), np.array([0, 1, 0, 1]), sample_weight=-np.ones(4)), "sample_weight"),
        (lambda: fista(LeastSquaresLoss(np.eye(2), np.zeros(2)), 0.0), "penalty: 0.0"),
        (lambda: fista(LeastSquaresLoss(np.eye(2), np.zeros(2)), 0.1, l1_share=2), "l1_share: 2"),
        (lambda: fista(LeastSquaresLoss(np.eye(2), np.zeros(2)), 0.1, penalty_weights=[1, -1]), "penalty_weights"),
        (
            lambda: ista(LeastSquaresLoss(np.eye(2), np.zeros(2)), 0.1, groups=[0, 0], group_weights=[1, 1]),
            "group_weights",
        ),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_gap_far_below_zero_certifies_nothing():
    """With a variance that the data cannot have, the dual bound lies above the objective."""
    gram, cross = moments(*problem())
    loss = LeastSquaresLoss(gram, cross)
    coef = np.linalg.solve(gram, cross)
    loss.variance = 0.5 * cross @ coef  # what the checks of the input refuse
    with pytest.warns(ConvergenceWarning, match="gap inf"):
        result = fista(loss, 1e-3, max_iterations=200)
    assert not result.converged
