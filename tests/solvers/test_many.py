"""Many targets on one Gram: the same answers as one by one, the same refusals, with the target's place."""

import warnings

import numpy as np
import pytest

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers import elastic_net_path, elastic_net_paths, lasso_path, lasso_paths

PENALTIES = np.array([0.5, 0.2, 0.05])


@pytest.fixture
def moments():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 12)) + rng.standard_normal((80, 1))
    Y = X[:, :3] @ rng.standard_normal((3, 5)) + rng.standard_normal((80, 5))
    X, Y = (X - X.mean(0)) / X.std(0), Y - Y.mean(0)
    return X.T @ X / 80, (X.T @ Y / 80).T, Y.var(axis=0)


def assert_same(found, expected):
    assert np.array_equal(found.coef, expected.coef)
    assert np.array_equal(found.duality_gap, expected.duality_gap)
    assert np.array_equal(found.entered_at, expected.entered_at)
    between = found.penalties[1:].mean()
    assert np.array_equal(found.at(between), expected.at(between))
    assert found.largest_penalty == expected.largest_penalty


def test_lasso_paths_are_those_of_each_target_alone(moments):
    gram, crosses, variances = moments
    weights = np.random.default_rng(1).choice([0.0, 0.5, 1.0, np.inf], size=crosses.shape)
    grids = PENALTIES * np.abs(crosses).max(axis=1)[:, None]
    found = lasso_paths(gram, crosses, grids, target_variance=variances, penalty_weights=weights)
    for t, path in enumerate(found):
        alone = lasso_path(gram, crosses[t], grids[t], target_variance=variances[t], penalty_weights=weights[t])
        assert_same(path, alone)
        assert path.converged.all()


@pytest.mark.parametrize("method", ["auto", "homotopy", "coordinate_descent"])
def test_elastic_net_paths_are_those_of_each_target_alone(moments, method):
    gram, crosses, variances = moments
    weights = np.r_[0.0, np.inf, np.ones(10)]
    given = {"shrinkage": 0.4, "penalty_weights": weights, "method": method}
    found = elastic_net_paths(gram, crosses, PENALTIES, target_variance=variances, **given)
    for t, path in enumerate(found):
        assert_same(path, elastic_net_path(gram, crosses[t], PENALTIES, target_variance=variances[t], **given))


def test_a_path_outlives_changes_of_what_was_given(moments):
    gram, crosses, variances = moments
    given = crosses.copy()
    path = lasso_paths(gram, given, PENALTIES, target_variance=variances)[1]
    given[:] = 0.0
    assert np.array_equal(path.at(0.11), lasso_path(gram, crosses[1], [0.11], target_variance=variances[1]).coef[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g, q, v: (g[:, :-1], q, v), "gram: shape"),
        (lambda g, q, v: (g, q[0], v), r"cross: shape \(12,\) does not fit gram \(12, 12\): give one row"),
        (lambda g, q, v: (g, q[:, :-1], v), "cross: shape"),
        (lambda g, q, v: (g, q, v[:2]), "one for each of 5 targets"),
        (lambda g, q, v: (g, q, np.r_[v[:3], 0.0, 1.0]), "0.0 of target 3 is not positive"),
        (lambda g, q, v: (g, np.where(np.arange(12) == 7, np.nan, q), v), "target 0 holds NaN .* regulator 7"),
        (lambda g, q, v: (g, q * np.array([1, 1, 9, 1, 1])[:, None], v), "of target 2"),
        (lambda g, q, v: (g - 0.9 * np.eye(12), q, v), "not positive semidefinite: its smallest eigenvalue"),
        (lambda g, q, v: (g + np.triu(g, 1), q, v), "not symmetric"),
    ],
)
def test_wrong_moments_are_refused_with_the_place(moments, change, message):
    gram, crosses, variances = change(*moments)
    with pytest.raises(InputError, match=message):
        lasso_paths(gram, crosses, PENALTIES, target_variance=variances)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"penalties": np.tile(PENALTIES, (2, 1))}, "penalties: 2 rows for 5 targets"),
        ({"penalties": [0.1, 0.2]}, "strictly decreasing"),
        ({"penalties": [0.1, 0.0]}, "0 is not positive"),
        ({"penalty_weights": np.ones((3, 12))}, "3 rows for 5 targets"),
        ({"penalty_weights": -np.ones(12)}, "-1 of regulator 0"),
        ({"shrinkage": 1.0}, "shrinkage"),
        ({"method": "lars"}, "method"),
    ],
)
def test_wrong_settings_are_refused(moments, given, message):
    gram, crosses, variances = moments
    with pytest.raises(InputError, match=message):
        elastic_net_paths(
            gram, crosses, **({"penalties": PENALTIES, "shrinkage": 0.2, "target_variance": variances} | given)
        )


def test_what_does_not_converge_is_told_once_and_costs_no_other_target(moments, monkeypatch):
    gram, crosses, variances = moments
    from netinfer.solvers import elastic_net, path

    monkeypatch.setattr(elastic_net, "MAX_SWEEPS", 1)
    monkeypatch.setattr(path, "GAP_TOLERANCE", 0.0)  # nothing that is not exact passes
    given = {"shrinkage": 0.1, "target_variance": variances, "method": "coordinate_descent"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = elastic_net_paths(gram, crosses, PENALTIES, **given)
    assert [w.category for w in caught] == [ConvergenceWarning]
    assert caught[0].filename == __file__
    assert "targets, the worst" in str(caught[0].message)
    assert len(found) == 5
    assert not all(p.converged.all() for p in found)
