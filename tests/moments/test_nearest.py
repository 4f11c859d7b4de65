"""The nearest correlation matrix: published answers, optimality from the answer alone, an independent slow method."""

import doctest
import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.kernels import thread_limit
from netinfer.moments import nearest_correlation
from netinfer.moments.nearest import FLOOR, MAX_STEPS, eigenvalue_rounding


def indefinite(p: int, seed: int, noise: float = 0.5) -> np.ndarray:
    """A correlation matrix with symmetric noise, so that it has negative eigenvalues."""
    rng = np.random.default_rng(seed)
    away = noise * rng.standard_normal((p, p))
    matrix = np.clip(np.corrcoef(rng.standard_normal((2 * p, p)).T) + (away + away.T) / 2.0, -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def alternating_projections(matrix: np.ndarray, floor: float, n_steps: int = 3000) -> np.ndarray:
    """Higham (2002): project on the cone and on the unit diagonals in turn, with Dykstra's correction for the cone."""
    correction, at = np.zeros_like(matrix), matrix.copy()
    for _ in range(n_steps):
        before = at - correction
        values, vectors = np.linalg.eigh(before)
        projected = (vectors * np.maximum(values, floor)) @ vectors.T
        correction = projected - before
        at = projected.copy()
        np.fill_diagonal(at, 1.0)
    return at


def clipped(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    positive = (vectors * np.maximum(values, 0.0)) @ vectors.T
    size = np.sqrt(positive.diagonal())
    return positive / size[:, None] / size[None, :]


def assert_is_correlation(matrix: np.ndarray, floor: float) -> None:
    assert (matrix == matrix.T).all()
    assert (matrix.diagonal() == 1.0).all()
    assert np.linalg.eigvalsh(matrix)[0] >= floor - eigenvalue_rounding(matrix)


def test_the_published_matrices_have_the_published_answers():
    # Higham (2002), section 4: both examples, to the digits printed there.
    three = nearest_correlation([[1, 1, 0], [1, 1, 1], [0, 1, 1]], floor=0.0)
    expected = [[1.0, 0.7607, 0.1573], [0.7607, 1.0, 0.7607], [0.1573, 0.7607, 1.0]]
    np.testing.assert_allclose(three.matrix, expected, atol=6e-5)
    assert round(three.distance, 4) == 0.5278
    four = nearest_correlation(2 * np.eye(4) - np.eye(4, k=1) - np.eye(4, k=-1), floor=0.0)
    row = [1.0, -0.8084, 0.1916, 0.1068]
    np.testing.assert_allclose(four.matrix[0], row, atol=6e-5)
    np.testing.assert_allclose(four.matrix[1], [-0.8084, 1.0, -0.6562, 0.1916], atol=6e-5)
    assert round(four.distance, 2) == 2.13


@settings(max_examples=30, deadline=None)
@given(p=st.integers(2, 40), seed=st.integers(0, 2**31), noise=st.sampled_from([0.01, 0.3, 2.0]))
def test_the_answer_satisfies_the_optimality_conditions(p, seed, noise):
    # X is nearest if and only if X - A = Diag(y) + Z with Z positive semidefinite and ZX = 0; then diag((X - A) X) = y.
    given_matrix = indefinite(p, seed, noise)
    found = nearest_correlation(given_matrix, floor=0.0)
    assert_is_correlation(found.matrix, 0.0)
    away = found.matrix - given_matrix
    multiplier = away - np.diag((away @ found.matrix).diagonal())
    # The diagonal met 1 to 1e-7 before it was rescaled; entries of A are at most 1, p of them in a product.
    tolerance = 1e-6 * p
    assert np.linalg.eigvalsh(multiplier)[0] >= -tolerance
    assert np.abs(multiplier @ found.matrix).max() <= tolerance
    assert found.is_converged
    # Squares of p entries that are off by 1e-7 each, and rounding, under a root.
    assert found.distance_bound <= 1e-6 * p
    assert found.distance == pytest.approx(np.linalg.norm(away), abs=1e-12)


@pytest.mark.parametrize("floor", [0.0, 1e-8, 0.1])
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_alternating_projections(floor, seed):
    given_matrix = indefinite(12, seed)
    found = nearest_correlation(given_matrix, floor=floor)
    assert_is_correlation(found.matrix, floor)
    # 3,000 alternating projections of a 12 x 12 matrix come to about 1e-9 of their limit.
    np.testing.assert_allclose(found.matrix, alternating_projections(given_matrix, floor), atol=1e-6)


def test_the_bound_holds_for_a_result_that_stopped_early():
    given_matrix = indefinite(30, 0, 1.0)
    best = nearest_correlation(given_matrix, floor=0.0)
    for max_steps in (0, 1, 2):
        with pytest.warns(ConvergenceWarning, match="within"):
            early = nearest_correlation(given_matrix, floor=0.0, max_steps=max_steps)
        assert not early.is_converged
        assert early.n_steps == max_steps
        assert_is_correlation(early.matrix, 0.0)
        off = np.linalg.norm(early.matrix - best.matrix)
        assert off > 10 * best.distance_bound  # else the next line would say nothing
        assert off <= early.distance_bound + best.distance_bound
    assert best.n_steps < MAX_STEPS


@pytest.mark.parametrize("seed", range(3))
def test_it_is_nearer_than_clipped_eigenvalues(seed):
    given_matrix = indefinite(40, seed)
    found = nearest_correlation(given_matrix, floor=0.0)
    assert found.distance < np.linalg.norm(clipped(given_matrix) - given_matrix)


def test_a_correlation_matrix_hardly_moves():
    given_matrix = np.corrcoef(np.random.default_rng(0).standard_normal((50, 10)).T)
    found = nearest_correlation(given_matrix)
    # Its eigenvalues are above the floor, so that it is its own nearest matrix.
    np.testing.assert_allclose(found.matrix, given_matrix, atol=1e-14)
    assert found.n_steps == 0


def test_singular_matrices_are_lifted_to_the_floor():
    for given_matrix in (np.ones((5, 5)), np.kron(np.eye(3), np.ones((2, 2)))):
        found = nearest_correlation(given_matrix)
        assert_is_correlation(found.matrix, FLOOR)
        np.testing.assert_allclose(found.matrix, given_matrix, atol=2 * FLOOR)


def test_order_of_genes_and_threads():
    given_matrix = indefinite(60, 1)
    order = np.random.default_rng(0).permutation(60)
    found = nearest_correlation(given_matrix)
    # Both are within the bound of the one nearest matrix.
    moved = nearest_correlation(given_matrix[np.ix_(order, order)])
    off = np.linalg.norm(moved.matrix - found.matrix[np.ix_(order, order)])
    assert off <= moved.distance_bound + found.distance_bound
    with thread_limit(2):
        assert (nearest_correlation(given_matrix).matrix == found.matrix).all()


def test_the_example_runs():
    result = doctest.testmod(importlib.import_module("netinfer.moments.nearest"))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("matrix", "floor", "message"),
    [
        (np.ones((2, 3)), 0.0, "square"),
        (np.ones(4), 0.0, "square"),
        (np.array([[1.0, np.nan], [0.2, 1.0]]), 0.0, "row 1, column 2 is nan"),
        (np.array([[1.0, 0.3], [0.2, 1.0]]), 0.0, "not symmetric: row 1, column 2 is 0.3"),
        (np.eye(2), 1.0, r"floor: 1\.0 is not in"),
        (np.eye(2), -0.1, "floor"),
    ],
)
def test_bad_input_is_named(matrix, floor, message):
    with pytest.raises(InputError, match=message):
        nearest_correlation(matrix, floor=floor)
