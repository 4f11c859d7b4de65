"""The Graphical Lasso along penalties: warm equals cold, the largest penalty, the default grid."""

import numpy as np
import pytest

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers import graphical_lasso, graphical_lasso_path, graphical_lasso_steps, largest_penalty


def correlation(n=50, p=30, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4)) @ rng.standard_normal((4, p)) + rng.standard_normal((n, p))
    return np.corrcoef(X.T)


@pytest.mark.parametrize("n", [12, 50])
@pytest.mark.parametrize("penalize_diagonal", [False, True])
def test_each_point_is_the_cold_solution(n, penalize_diagonal):
    S = correlation(n)
    S = (S + S.T) / 2
    penalties = np.geomspace(0.95, 0.02, 12)
    path = graphical_lasso_path(S, penalties, tol=1e-9, penalize_diagonal=penalize_diagonal)
    assert len(path) == 12
    for penalty, found in zip(penalties, path, strict=True):
        cold = graphical_lasso(S, penalty, tol=1e-9, penalize_diagonal=penalize_diagonal)
        assert found.converged
        # Two certified objectives of one problem.
        assert found.objective == pytest.approx(cold.objective, abs=2e-9 * len(S) + 1e-10)
        np.testing.assert_array_equal(found.components, cold.components)


def test_the_default_grid_starts_at_the_largest_penalty():
    S = correlation()
    top = largest_penalty(S)
    assert top == np.abs(S - np.eye(len(S))).max()
    path = graphical_lasso_path(S, n_penalties=8, smallest=0.2)
    assert len(path) == 8
    assert path[0].precision_sparse.nnz == len(S)
    assert path[1].precision_sparse.nnz > len(S)
    last = graphical_lasso(S, 0.2 * top)
    assert path[-1].objective == pytest.approx(last.objective, abs=2e-6 * len(S))


def test_weights_of_pairs():
    S = correlation()
    weights = np.ones_like(S)
    weights[0, 1] = weights[1, 0] = np.inf
    weights[2, 3] = weights[3, 2] = 0.5
    top = largest_penalty(S, weights)
    free = np.abs(S - np.eye(len(S)))
    free[[0, 1], [1, 0]] = 0.0
    free[[2, 3], [3, 2]] *= 2
    assert top == free.max()
    path = graphical_lasso_path(S, penalty_weights=weights, n_penalties=5, tol=1e-8)
    assert path[0].precision_sparse.nnz == len(S)
    assert all(found.precision[0, 1] == 0.0 for found in path)
    cold = graphical_lasso(S, 0.1 * top * weights, tol=1e-8)
    assert path[-1].objective == pytest.approx(cold.objective, abs=2e-8 * len(S) + 1e-10)


def test_the_path_can_be_left_when_it_is_enough():
    S = correlation()
    seen = 0
    for found in graphical_lasso_steps(S, np.geomspace(0.9, 1e-9, 40)):
        seen += 1
        if found.precision_sparse.nnz > 3 * len(S):
            break
    assert 1 < seen < 40


def test_the_same_bits_for_one_thread_and_two():
    S = correlation(p=60)
    for one, two in zip(graphical_lasso_path(S, threads=1), graphical_lasso_path(S, threads=2), strict=True):
        np.testing.assert_array_equal(one.precision, two.precision)
        assert one.duality_gap == two.duality_gap


def test_what_did_not_converge_is_named_by_its_penalty():
    S = correlation(12)
    with pytest.warns(ConvergenceWarning, match="penalty 0.001: duality gap"):
        path = graphical_lasso_path(S, [0.9, 0.001], max_sweeps=1, tol=1e-9)
    assert [found.converged for found in path] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"penalties": [0.1, 0.2]}, "strictly decreasing"),
        ({"penalties": [0.1, 0.0]}, "not positive"),
        ({"n_penalties": 0}, "n_penalties: 0"),
        ({"smallest": 1.0}, "smallest: 1.0"),
        ({"penalty_weights": np.full((30, 30), -1.0)}, "penalty_weights: -1"),
    ],
)
def test_arguments_that_cannot_be_used(arguments, message):
    with pytest.raises(InputError, match=message):
        graphical_lasso_path(correlation(), **arguments)


def test_without_correlation_there_is_no_default_path():
    assert largest_penalty(np.eye(3)) == 0.0
    with pytest.raises(InputError, match="no two variables are correlated"):
        graphical_lasso_path(np.eye(3))
    assert len(graphical_lasso_path(np.eye(3), [0.2, 0.1])) == 2


def test_a_path_goes_on_from_the_precision_matrix_alone():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((40, 3)) @ rng.standard_normal((3, 30)) + rng.standard_normal((40, 30))
    S = np.corrcoef(X.T)
    before = graphical_lasso(S, 0.4, tol=1e-9)
    light = before.without_covariance()
    assert all(block.size == 0 for _, block in light.blocks)
    start = light.with_inverse()
    # T's inverse is W up to the root of a gap of 1e-9 a variable.
    np.testing.assert_allclose(start.covariance, before.covariance, atol=1e-3)
    warm, cold = (graphical_lasso(S, 0.2, tol=1e-9, start=s) for s in (start, None))
    assert warm.converged
    # Both are within 1e-9 a variable of the least.
    assert abs(warm.objective - cold.objective) <= 30e-9
