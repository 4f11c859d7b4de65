"""Group and sparse-group paths: certificates, agreement with two other solvers, symmetry, degenerate and bad input."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers import LeastSquaresLoss, fista, group, group_lasso_path, group_lasso_paths, lasso_path
from netinfer.solvers.group_newton import solve_positive
from netinfer.solvers.group_step import dual_norm, group_minimum

# The default tolerance of the solver.
GAP = 1e-9
# What the certificate promises (relative to half the variance, 1), and what the reference adds at its gap of 1e-11.
OBJECTIVE = 0.5 * (GAP + 1e-11)


def correlated(n, p, seed, noise=0.7):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4)) @ rng.standard_normal((4, p)) + noise * rng.standard_normal((n, p))
    return X, X[:, : min(5, p)] @ rng.standard_normal(min(5, p)) + rng.standard_normal(n)


def moments(X, y):
    X, y = X - X.mean(0), y - y.mean()
    X, y = X / X.std(0), y / y.std()
    return X.T @ X / len(y), X.T @ y / len(y)


def case(name, seed=0):
    """Moments and groups of one kind of data."""
    if name == "random":
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((120, 24))
        return *moments(X, X[:, :4] @ rng.standard_normal(4) + rng.standard_normal(120)), np.arange(24) // 3
    if name == "p > n":
        X, y = correlated(25, 60, seed)
        return *moments(X, y), np.arange(60) // 4
    if name == "integer":
        rng = np.random.default_rng(seed)
        return *moments(rng.integers(0, 3, (50, 20)), rng.integers(0, 4, 50).astype(float)), np.arange(20) // 5
    X, y = correlated(60, 24, seed, noise=1e-3 if name == "near singular" else 0.7)
    if name == "duplicate group":
        X[:, 3:6] = X[:, :3]
    if name == "duplicates in a group":
        X[:, 1] = X[:, 0]
        X[:, 4] = X[:, 3] + 1e-7 * np.random.default_rng(seed).standard_normal(60)
    groups = np.random.default_rng(seed).permutation(24) % 7 if name == "unequal groups" else np.arange(24) // 3
    return *moments(X, y), groups


CASES = [
    "random", "correlated", "p > n", "integer", "near singular", "duplicate group", "duplicates in a group",
    "unequal groups",
]  # fmt: skip


def objective(gram, cross, groups, coef, penalty, share=0.0, shrinkage=0.0, weights=None, group_weights=None):
    groups = np.asarray(groups)
    u = np.sqrt(np.bincount(groups)) if group_weights is None else np.asarray(group_weights)
    w = np.ones(len(cross)) if weights is None else np.asarray(weights)
    used, norms = coef != 0, np.sqrt(np.bincount(groups, coef**2))
    fit = 0.5 * coef @ ((1 - shrinkage) * gram @ coef + shrinkage * coef) - cross @ coef
    return fit + penalty * (share * w[used] @ np.abs(coef[used]) + (1 - share) * u[norms > 0] @ norms[norms > 0])


@pytest.mark.parametrize("share", [0.0, 0.4, 0.95, 1.0])
@pytest.mark.parametrize("name", CASES)
def test_every_point_is_certified(name, share):
    for seed in range(4):
        gram, cross, groups = case(name, seed)
        largest = group_lasso_path(gram, cross, groups, [1.0], l1_share=share).largest_penalty
        path = group_lasso_path(gram, cross, groups, largest * np.geomspace(1, 0.01, 25), l1_share=share)
        assert path.converged.all()
        assert (path.duality_gap >= 0).all()
        assert (path.duality_gap <= GAP).all()
        assert (path.coef[0] == 0).all()
        assert path.coef[-1].any()


@pytest.mark.parametrize("shrinkage", [0.0, 0.5])
@pytest.mark.parametrize("share", [0.0, 0.4])
@pytest.mark.parametrize("name", CASES)
def test_agrees_with_proximal_gradient(name, share, shrinkage):
    gram, cross, groups = case(name, 1)
    penalties = np.array([0.2, 0.05])
    path = group_lasso_path(gram, cross, groups, penalties, l1_share=share, shrinkage=shrinkage)
    loss = LeastSquaresLoss(gram, cross, shrinkage=shrinkage)
    for penalty, coef in zip(penalties, path.coef, strict=True):
        with warnings.catch_warnings():
            # Nearly singular moments are slow for the reference: what it reached is compared.
            warnings.simplefilter("ignore", ConvergenceWarning)
            other = fista(loss, penalty, groups=groups, l1_share=share, tol=1e-11, max_iterations=20_000)
        slack = 0.5 * other.duality_gap / (1 - shrinkage)
        mine = objective(gram, cross, groups, coef, penalty, share, shrinkage)
        theirs = objective(gram, cross, groups, other.coef, penalty, share, shrinkage)
        assert mine <= theirs + OBJECTIVE / (1 - shrinkage)
        assert mine >= theirs - slack - 1e-14


@pytest.mark.parametrize("name", ["random", "correlated", "p > n", "duplicate group"])
def test_agrees_with_skglm(name):
    pytest.importorskip("skglm")
    from skglm.datafits import QuadraticGroup
    from skglm.penalties import WeightedGroupL2
    from skglm.solvers import GroupBCD
    from skglm.utils.data import grp_converter

    gram, cross, groups = case(name, 2)
    p = len(cross)
    # Data with these moments: the root of the joint matrix, whose rows are as many as its columns.
    joint = np.block([[gram, cross[:, None]], [cross[None, :], np.ones((1, 1))]])
    values, vectors = np.linalg.eigh(joint)
    root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T * np.sqrt(p + 1)
    X, y = np.asfortranarray(root[:, :-1]), np.ascontiguousarray(root[:, -1])
    indices, pointers = grp_converter(int(np.bincount(groups)[0]), p)
    weights = np.sqrt(np.bincount(groups))
    for penalty in (0.2, 0.05):
        coef = GroupBCD(tol=1e-10, max_iter=1000, max_epochs=5000).solve(
            X, y, QuadraticGroup(pointers, indices), WeightedGroupL2(penalty, weights, pointers, indices)
        )[0]
        mine = group_lasso_path(gram, cross, groups, [penalty]).coef[0]
        values = [objective(gram, cross, groups, b, penalty) for b in (mine, coef)]
        assert values[0] == pytest.approx(values[1], abs=1e-8)
        assert values[0] <= values[1] + OBJECTIVE


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("name", ["random", "correlated", "p > n"])
def test_groups_of_one_are_the_lasso(name, share):
    gram, cross, _ = case(name)
    penalties = np.geomspace(0.5, 0.03, 20)
    weights = np.linspace(0.5, 2, len(cross))
    path = group_lasso_path(
        gram, cross, np.arange(len(cross)), penalties, l1_share=share, penalty_weights=weights, group_weights=weights
    )
    exact = lasso_path(gram, cross, penalties, penalty_weights=weights)
    for penalty, mine, other in zip(penalties, path.coef, exact.coef, strict=True):
        values = [
            objective(gram, cross, np.arange(len(cross)), b, penalty, 1.0, weights=weights) for b in (mine, other)
        ]
        # The homotopy ends near a gap of 1e-11.
        assert values[0] == pytest.approx(values[1], abs=OBJECTIVE)
    np.testing.assert_allclose(path.largest_penalty, exact.largest_penalty, rtol=1e-12)
    if name != "p > n":  # elsewhere the minimum is flat: the objective has said what there is to say
        # Steps of Newton end nearly exact; where passes alone reach the gap, coefficients are off by its root.
        np.testing.assert_allclose(path.coef, exact.coef, atol=1e-6)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_largest_penalty_is_where_the_first_group_enters(share):
    gram, cross, groups = case("correlated")
    largest = group_lasso_path(gram, cross, groups, [1.0], l1_share=share).largest_penalty
    path = group_lasso_path(gram, cross, groups, largest * np.array([2, 1 + 1e-12, 1 - 1e-4]), l1_share=share)
    assert (path.coef[:2] == 0).all()
    assert path.active_groups.sum(axis=1).tolist() == [0, 0, 1]
    assert (path.entered_at > 0).sum() == 1


def test_largest_penalty_of_the_group_lasso_is_the_longest_scaled_cross_moment():
    gram, cross, groups = case("unequal groups")
    norms = np.sqrt(np.bincount(groups, cross**2)) / np.sqrt(np.bincount(groups))
    assert group_lasso_path(gram, cross, groups, [1.0]).largest_penalty == pytest.approx(norms.max(), rel=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_permuting_and_negating_regulators_does_the_same_to_coefficients(share):
    gram, cross, groups = case("unequal groups")
    penalties = np.geomspace(0.3, 0.05, 8)
    path = group_lasso_path(gram, cross, groups, penalties, l1_share=share, tol=1e-12)
    rng = np.random.default_rng(0)
    order, sign = rng.permutation(24), rng.choice([-1.0, 1.0], 24)
    changed = group_lasso_path(
        (gram * sign * sign[:, None])[np.ix_(order, order)], (cross * sign)[order], groups[order], penalties,
        l1_share=share, tol=1e-12,
    )  # fmt: skip
    # A gap of 1e-12 leaves coefficients within about its root.
    np.testing.assert_allclose(changed.coef, (path.coef * sign)[:, order], atol=3e-6)
    np.testing.assert_array_equal(changed.active_groups, path.active_groups)


def test_turning_a_group_turns_its_coefficients():
    """The group norm knows no axes: new axes inside a group give the old solution in new axes, not so with L1."""
    gram, cross, groups = case("correlated")
    penalties = np.geomspace(0.3, 0.05, 8)
    turn = np.eye(24)
    for g in range(8):
        turn[3 * g : 3 * g + 3, 3 * g : 3 * g + 3] = np.linalg.qr(np.random.default_rng(g).standard_normal((3, 3)))[0]
    path = group_lasso_path(gram, cross, groups, penalties, tol=1e-12)
    turned = group_lasso_path(turn.T @ gram @ turn, turn.T @ cross, groups, penalties, tol=1e-12)
    np.testing.assert_allclose(turned.coef @ turn.T, path.coef, atol=3e-6)
    sparse = group_lasso_path(gram, cross, groups, penalties, l1_share=0.5).coef
    other = group_lasso_path(turn.T @ gram @ turn, turn.T @ cross, groups, penalties, l1_share=0.5).coef
    assert np.abs(other @ turn.T - sparse).max() > 1e-2


def test_scaling_weights_is_scaling_the_penalty():
    gram, cross, groups = case("correlated")
    weights, factors = np.linspace(1, 2, 8), np.linspace(0.5, 1, 24)
    first = group_lasso_path(
        gram, cross, groups, [0.2, 0.1], l1_share=0.3, group_weights=weights, penalty_weights=factors, tol=1e-12
    )
    second = group_lasso_path(
        gram,
        cross,
        groups,
        [0.1, 0.05],
        l1_share=0.3,
        group_weights=2 * weights,
        penalty_weights=2 * factors,
        tol=1e-12,
    )
    np.testing.assert_allclose(first.coef, second.coef, atol=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_unpenalised_and_forbidden(share):
    gram, cross, groups = case("correlated", 3)
    weights = np.ones(24)
    weights[[0, 1, 2, 6]], weights[[9, 15]] = 0, np.inf
    u = np.array([0, 1, 2, 1, 1, np.inf, 1, 1])
    penalties = np.array([0.3, 0.1, 0.03])
    path = group_lasso_path(gram, cross, groups, penalties, l1_share=share, penalty_weights=weights, group_weights=u)
    forbidden = np.isinf(weights) | np.isinf(u)[groups]
    assert (path.coef[:, forbidden] == 0).all()
    assert path.converged.all()
    assert path.entered_at[5] == 0
    assert np.isinf(path.entered_at[0])
    gradient = cross - path.coef @ gram
    # Group 0 has no penalty of either kind: least squares given the others, up to rounding.
    free = np.arange(3) if share < 1 else np.array([0, 1, 2, 6])
    np.testing.assert_allclose(gradient[:, free], 0, atol=1e-12)
    for penalty, coef in zip(penalties, path.coef, strict=True):
        other = fista(
            LeastSquaresLoss(gram, cross), penalty, groups=groups, l1_share=share, penalty_weights=weights,
            group_weights=u, tol=1e-11,
        )  # fmt: skip
        values = [
            objective(gram, cross, groups, b, penalty, share, weights=weights, group_weights=u)
            for b in (coef, other.coef)
        ]
        assert values[0] == pytest.approx(values[1], abs=OBJECTIVE)
    # Above the largest penalty only what is free is left.
    path = group_lasso_path(
        gram, cross, groups, [path.largest_penalty * 1.001], l1_share=share, penalty_weights=weights, group_weights=u
    )
    assert set(np.flatnonzero(path.coef[0])) <= set(free)


def test_all_forbidden_or_all_free():
    gram, cross, groups = case("random")
    none = group_lasso_path(gram, cross, groups, [0.1], group_weights=np.full(8, np.inf))
    assert (none.coef == 0).all()
    assert none.largest_penalty == 0
    free = group_lasso_path(gram, cross, groups, [0.1], group_weights=np.zeros(8))
    np.testing.assert_allclose(free.coef[0], np.linalg.solve(gram, cross), atol=1e-10)


def test_a_group_that_unpenalised_regulators_explain_stays_out():
    X, y = correlated(60, 6, 0)
    X[:, 3] = X[:, 0] + X[:, 1]
    gram, cross = moments(X, y)
    path = group_lasso_path(gram, cross, [[0, 1], [2], [3], [4, 5]], [0.1, 0.01], group_weights=[0, 1, 1, 1])
    assert (path.coef[:, 3] == 0).all()
    assert path.converged.all()


def test_warm_and_cold_starts_meet():
    gram, cross, groups = case("p > n")
    penalties = np.geomspace(0.5, 0.02, 30)
    path = group_lasso_path(gram, cross, groups, penalties)
    for k in (10, 29):
        cold = group_lasso_path(gram, cross, groups, penalties[[k]]).coef[0]
        values = [objective(gram, cross, groups, b, penalties[k]) for b in (cold, path.coef[k])]
        assert values[0] == pytest.approx(values[1], abs=OBJECTIVE)


def test_many_targets_are_each_alone():
    X, _ = correlated(60, 24, 0)
    X = (X - X.mean(0)) / X.std(0)
    Y = X[:, :5] @ np.random.default_rng(1).standard_normal((5, 3)) + np.random.default_rng(2).standard_normal((60, 3))
    Y -= Y.mean(0)
    gram, crosses, variances = X.T @ X / 60, (X.T @ Y / 60).T, Y.var(axis=0)
    grids = np.outer(variances, np.geomspace(0.4, 0.05, 6))
    groups = np.arange(24) // 4
    for share in (0.0, 0.5):
        paths = group_lasso_paths(gram, crosses, groups, grids, l1_share=share, target_variance=variances)
        for path, cross, variance, grid in zip(paths, crosses, variances, grids, strict=True):
            alone = group_lasso_path(gram, cross, groups, grid, l1_share=share, target_variance=variance)
            np.testing.assert_array_equal(path.coef, alone.coef)
            np.testing.assert_array_equal(path.duality_gap, alone.duality_gap)
            np.testing.assert_array_equal(path.active_groups, np.add.reduceat(alone.coef != 0, range(0, 24, 4), 1) > 0)
            np.testing.assert_array_equal(path.penalties, grid)


def test_entries_are_the_first_penalties_of_the_grid_with_the_group():
    gram, cross, groups = case("unequal groups")
    penalties = np.geomspace(0.6, 0.02, 15)
    path = group_lasso_path(gram, cross, groups, penalties)
    for g in range(7):
        active = [k for k in range(15) if path.coef[k, groups == g].any()]
        assert path.entered_at[g] == (penalties[active[0]] if active else 0)
        assert np.flatnonzero(path.active_groups[:, g]).tolist() == active


def test_kkt_violation_is_the_distance_from_the_subdifferential():
    gram, cross, groups = case("correlated")
    path = group_lasso_path(gram, cross, groups, [0.2, 0.05], l1_share=0.4, tol=1e-4)
    for penalty, coef, reported in zip(path.penalties, path.coef, path.kkt_violation, strict=True):
        gradient, worst = cross - gram @ coef, 0.0
        for g in range(8):
            b, c = coef[groups == g], gradient[groups == g]
            single, together = 0.4 * penalty, 0.6 * penalty * np.sqrt(3)
            if b.any():
                c = c - together * b / np.linalg.norm(b)
            off = np.where(b != 0, c - single * np.sign(b), np.sign(c) * np.maximum(np.abs(c) - single, 0))
            worst = max(worst, np.linalg.norm(off) if b.any() else np.linalg.norm(off) - together)
        # The solver's gradient is the same sum in another order.
        assert reported == pytest.approx(worst, abs=1e-13)
        assert reported > 0


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_made_problems_are_certified(data):
    n = data.draw(st.integers(3, 12))
    p = data.draw(st.integers(1, 9))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    X = rng.integers(-2, 3, (n, p)) + data.draw(st.sampled_from([0.0, 1e-8, 1e-3, 1.0])) * rng.standard_normal((n, p))
    y = rng.integers(-2, 3, n) + 0.1 * rng.standard_normal(n)
    X[:, X.std(0) < 1e-12] += rng.standard_normal((n, 1))
    gram, cross = moments(X, y)
    groups = np.unique(rng.integers(0, data.draw(st.integers(1, p)), p), return_inverse=True)[1]
    share = data.draw(st.sampled_from([0.0, 0.5, 1.0]))
    weights = rng.choice([0.0, 0.5, 1, 3, np.inf], p) if data.draw(st.booleans()) else None
    shrinkage = data.draw(st.sampled_from([0.0, 0.3]))
    penalties = np.geomspace(1, 0.003, 9)
    path = group_lasso_path(
        gram, cross, groups, penalties, l1_share=share, penalty_weights=weights, shrinkage=shrinkage
    )
    assert path.converged.all()
    loss = LeastSquaresLoss(gram, cross, shrinkage=shrinkage)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        other = fista(loss, penalties[6], groups=groups, l1_share=share, penalty_weights=weights, max_iterations=2000)
    values = [
        objective(gram, cross, groups, b, penalties[6], share, shrinkage, weights) for b in (path.coef[6], other.coef)
    ]
    # The certificate bounds the distance from the minimum, in units of half the variance.
    assert values[0] <= values[1] + OBJECTIVE / (1 - shrinkage)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 6), st.integers(0, 10**6), st.sampled_from([0.0, 0.3, 1.0]), st.sampled_from([0.0, 1.0]))
def test_dual_norm_is_the_smallest_dilation(m, seed, single_scale, together):
    rng = np.random.default_rng(seed)
    gradient = rng.standard_normal(m)
    single = single_scale * rng.random(m) * (rng.random(m) < 0.7)
    if together == 0.0:
        single += 0.1
    t = dual_norm(gradient, 0, m, single, together, 0.0)

    def excess(t):
        return np.linalg.norm(np.maximum(np.abs(gradient) - t * single, 0)) - t * together

    # A relative 1e-9 inside and outside of the root the sign is told apart from rounding.
    assert excess(t * (1 + 1e-9)) <= 0
    assert excess(t * (1 - 1e-9)) > 0
    assert dual_norm(gradient, 0, m, single, together, 2 * t) == 2 * t


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 5), st.integers(0, 10**6), st.floats(0.01, 3), st.sampled_from([0.0, 1e-3, 1.0, 100.0]))
def test_group_minimum_is_stationary(m, seed, together, spread):
    rng = np.random.default_rng(seed)
    curvature, u = 0.1 + spread * rng.random(m), rng.standard_normal(m)
    coef = np.zeros(m)
    for _ in range(6):  # each visit starts from the last one's solution
        r = group_minimum(u, curvature, together, coef, 0, m)
        coef = u * r / (curvature * r + together)
    if np.linalg.norm(u) <= together:
        assert r == 0
    else:
        # One number r solves all equations: norm r, and u - D b = together b / r.
        assert np.linalg.norm(coef) == pytest.approx(r, rel=1e-10)
        np.testing.assert_allclose(u - curvature * coef, together * coef / np.linalg.norm(coef), atol=1e-9)


def test_solve_positive():
    rng = np.random.default_rng(0)
    half = rng.standard_normal((6, 6))
    matrix, right = half @ half.T, rng.standard_normal(6)
    found = right.copy()
    solve_positive(matrix.copy(), found)
    np.testing.assert_allclose(matrix @ found, right, atol=1e-10)
    singular = np.ones((2, 2))  # consistent: any split of 1 will do
    found = np.ones(2)
    solve_positive(singular.copy(), found)
    np.testing.assert_allclose(singular @ found, 1, atol=1e-4)


def test_not_converged_is_a_warning_with_gap_and_tolerance(monkeypatch):
    monkeypatch.setattr("netinfer.solvers.group.MAX_PASSES", 2)
    gram, cross, groups = case("correlated")
    with pytest.warns(ConvergenceWarning, match=r"duality gap .* at penalty .* above 1.0e-09"):
        path = group_lasso_path(gram, cross, groups, [0.3, 0.01])
    assert not path.converged.all()
    np.testing.assert_array_equal(path.converged, path.duality_gap <= GAP)


GRAM, CROSS = np.eye(4), np.array([0.5, 0.4, 0.1, 0.0])
PAIRS = np.array([0, 0, 1, 1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": [[0, 1], [], [2, 3]]}, "group 1 is empty"),
        ({"groups": [[0, 1], [1, 2, 3]]}, "regulator 1 is in groups 0 and 1"),
        ({"groups": [[0, 1], [2]]}, "regulator 3 is in no group"),
        ({"groups": [[0, 1], [2, 4]]}, "names regulator 4"),
        ({"groups": {"a": [0, 1, 2, 3], "b": []}}, "group b is empty"),
        ({"groups": [0, 0, None, 1]}, "regulator 2 has no label"),
        ({"groups": np.array([0, 0, np.nan, 1])}, "regulator 2 has no label"),
        ({"groups": [0, 0, {}, 1]}, "one for each of 4"),
        ({"groups": "aabb"}, "one label a regulator"),
        ({"groups": np.array([0, 0, 1])}, "one for each of 4"),
        ({"group_weights": {0: 1.0}}, "group 1 has no weight"),
        ({"group_weights": {0: 1.0, 1: 1.0, 7: 1.0}}, "7 is no group"),
        ({"group_weights": ["a", "b"]}, "group_weights: not an array of numbers"),
        ({"l1_share": "a"}, "l1_share: a"),
        ({"tol": "a"}, "tol: a"),
        ({"penalties": [0.1, 0.0]}, "0 is not positive"),
        ({"penalties": [0.1, 0.2]}, "decreasing"),
        ({"penalties": []}, "at least one"),
        ({"penalties": [np.nan]}, "NaN"),
        ({"penalties": np.array([[0.2, 0.1], [0.2, 0.1]])}, "2 rows for 1 targets"),
        ({"group_weights": [1, -1]}, "-1 of group 1"),
        ({"group_weights": [1, np.nan]}, "nan of group 1"),
        ({"group_weights": [1, 1, 1]}, "for 2 groups"),
        ({"penalty_weights": [1, 1, -2, 1]}, "-2 of regulator 2"),
        ({"l1_share": 1.5}, "l1_share: 1.5"),
        ({"l1_share": np.nan}, "l1_share: nan"),
        ({"shrinkage": 1.0}, "shrinkage: 1.0"),
        ({"shrinkage": -0.1}, "shrinkage: -0.1"),
        ({"tol": 0.0}, "tol: 0.0"),
        ({"target_variance": 0.0}, "target_variance: 0.0"),
        ({"gram": np.where(np.eye(4) > 0, 1.0, np.nan)}, "gram: holds NaN"),
        ({"gram": np.eye(4)[:3]}, "not square"),
        ({"gram": np.eye(4) + np.triu(np.full((4, 4), 0.1), 1)}, "not symmetric"),
        ({"gram": np.diag([1.0, 1, 0, 1])}, "diagonal entry 2"),
        ({"gram": np.full((4, 4), -0.9) + 1.9 * np.eye(4)}, "smallest eigenvalue.* is -1.7"),
        ({"cross": [0.5, np.nan, 0, 0]}, "cross: target 0 holds NaN"),
        ({"cross": [0.5, 0.4]}, "does not fit"),
        ({"cross": [0.9, 0.9, 0, 0]}, "not jointly positive semidefinite"),
    ],
)
def test_bad_input_names_the_value_and_the_place(change, message):
    arguments = {"gram": GRAM, "cross": CROSS, "groups": PAIRS, "penalties": [0.2, 0.1]} | change
    with pytest.raises(InputError, match=message):
        group_lasso_path(**arguments)


@pytest.mark.parametrize(
    ("crosses", "variance", "message"),
    [
        (np.array([CROSS, [0, 0, np.nan, 0]]), 1.0, "target 1 holds NaN .* regulator 2"),
        (np.array([CROSS, [0.9, 0.9, 0, 0]]), 1.0, "target 1 are not jointly"),
        (np.array([CROSS, CROSS]), np.array([1.0, -1.0]), "-1.0 of target 1"),
        (np.array([CROSS, CROSS]), np.ones(3), "one for each of 2 targets"),
    ],
)
def test_bad_targets_are_named(crosses, variance, message):
    with pytest.raises(InputError, match=message):
        group_lasso_paths(GRAM, crosses, PAIRS, [0.1], target_variance=variance)


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("n_penalties", [5, 10])
def test_coarse_grids_with_more_regulators_than_samples_are_certified(size, n_penalties):
    """Groups leave between two far penalties, and the line through the last two fits must not lose them."""
    for seed in range(10):
        X, y = correlated(20, 200, seed)
        path = group_lasso_path(*moments(X, y), np.arange(200) // size, np.geomspace(0.6, 0.006, n_penalties))
        assert path.converged.all(), (seed, path.duality_gap.max())


def test_groups_of_one_at_the_samples_rank_are_certified():
    """Ten regulators active of rank nine: the objective is flat along a line, which ends where one comes to zero."""
    X, y = correlated(10, 50, 19, noise=1.0)
    path = group_lasso_path(*moments(X, y), np.arange(50), np.geomspace(0.6, 0.006, 10))
    assert path.converged.all()


def test_penalties_that_hardly_differ_are_certified():
    """The line through two fits one rounding apart points anywhere: it is followed a few of its lengths at most."""
    X, y = correlated(10, 50, 6)
    penalties = [0.3, np.nextafter(0.3, 0.0), 0.2, np.nextafter(0.2, 0.0), 0.1]
    path = group_lasso_path(*moments(X, y), np.arange(50), penalties)
    assert path.converged.all()


def test_labels_of_any_kind_name_the_same_groups():
    X, y = correlated(40, 6, 0)
    gram, cross = moments(X, y)
    weights = {"b": 2.0, "a": 1.0, "c": 0.5}
    letters = ["b", "a", "a", "c", "b", "c"]
    expected = group_lasso_path(gram, cross, [1, 0, 0, 2, 1, 2], [0.2, 0.05], group_weights=[1.0, 2.0, 0.5])
    for groups in (letters, np.array(letters), pd.Categorical(letters), {"a": [1, 2], "b": [0, 4], "c": [3, 5]}):
        path = group_lasso_path(gram, cross, groups, [0.2, 0.05], group_weights=weights)
        np.testing.assert_array_equal(path.coef, expected.coef)
    for numbers in ([-5, -9, -9, 10**12, -5, 10**12], [0.5, 0.2, 0.2, 3.0, 0.5, 3.0]):
        path = group_lasso_path(gram, cross, numbers, [0.2, 0.05], group_weights=[1.0, 2.0, 0.5])
        np.testing.assert_array_equal(path.coef, expected.coef)
    mixed = group_lasso_path(gram, cross, ["b", 1, 1, (2,), "b", (2,)], [0.2, 0.05], group_weights=[2.0, 1.0, 0.5])
    # Another order of the groups, certified to 1e-9 of half the variance.
    np.testing.assert_allclose(mixed.coef, expected.coef, atol=1e-6)


def test_the_warning_of_many_targets_names_the_worst_one(monkeypatch):
    X, y = correlated(25, 60, 0)
    gram, cross = moments(X, y)
    monkeypatch.setattr(group, "MAX_PASSES", 1)
    # Nothing of the first target enters at these penalties.
    with pytest.warns(ConvergenceWarning, match="group_lasso_paths: 1 of 2 targets, the worst target 1: relative"):
        group_lasso_paths(gram, np.array([1e-3 * cross, cross]), np.arange(60) // 4, [0.1, 0.05])
    with pytest.warns(ConvergenceWarning, match="group_lasso_path: relative"):
        group_lasso_path(gram, cross, np.arange(60) // 4, [0.1, 0.05])
