"""What is refused before any work, and what is said of it."""

import numpy as np
import pytest

import netinfer as ni
from netinfer.errors import InputError


def test_an_asymmetric_gram_is_refused_however_large_another_regulator_is():
    # Entries of the size of the small regulators, far below rounding of the large one.
    gram = np.diag([1e16, 1.0, 1.0])
    gram[1, 2], gram[2, 1] = 0.9, -0.9
    with pytest.raises(InputError, match="not symmetric"):
        ni.solvers.lasso_path(gram, np.array([0.0, 0.1, 0.1]), [0.01])


def test_rounding_of_a_product_is_no_asymmetry():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 8)) * 10.0 ** rng.uniform(-8, 8, 8)
    y = rng.standard_normal(50)
    X, y = X - X.mean(0), y - y.mean()
    gram = np.array([[np.sum(a * b) if i < j else np.dot(a, b) for j, b in enumerate(X.T)] for i, a in enumerate(X.T)])
    assert (gram != gram.T).any()
    path = ni.solvers.lasso_path(
        gram / 50, X.T @ y / 50, [0.1], target_variance=float(y @ y / 50), penalty_weights=X.std(0)
    )
    assert path.converged.all()


def in_units(scale=1.0, n=60, p=20, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = X[:, :3].sum(axis=1) + rng.standard_normal(n)
    X, y = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std() * scale
    return X.T @ X / n, X.T @ y / n


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gram": np.zeros((0, 0)), "cross": np.zeros(0)}, "gram: holds no regulator"),
        ({"gram": [["a", "b"], ["c", "d"]]}, "gram: .*'a'.* is not a number"),
        ({"gram": [[1.0, 0.0], [0.0]]}, "gram: rows of different lengths"),
        ({"gram": np.eye(2) + 0j}, "gram: .* is not a number"),
        ({"cross": ["a", "b"]}, "cross: .*'a'.* is not a number"),
        ({"cross": None}, "cross: None is not a number"),
        ({"penalties": ["a"]}, "penalties: .*'a'.* is not a number"),
        ({"penalties": None}, "penalties: None is not a number"),
        ({"penalties": [[0.3, 0.1]]}, r"penalties: shape \(1, 2\)"),
        ({"penalty_weights": ["a", "b"]}, "penalty_weights: .*'a'.* is not a number"),
        ({"target_variance": None}, "target_variance: None is not a number"),
        ({"target_variance": "1"}, "target_variance: .*'1'.* is not a number"),
        ({"target_variance": np.ones(2)}, r"target_variance: shape \(2,\): give one number"),
        ({"target_variance": np.nan}, "target_variance: nan is not positive"),
    ],
)
@pytest.mark.parametrize("solve", [ni.solvers.lasso_path, ni.solvers.nonnegative_lasso_path])
def test_what_is_no_number_is_named(solve, change, message):
    arguments = {"gram": np.eye(2), "cross": np.array([0.5, 0.2]), "penalties": [0.3], **change}
    with pytest.raises(InputError, match=message):
        solve(**arguments)


@pytest.mark.parametrize("penalty", ["x", None, [0.2], np.ones(2)])
def test_a_penalty_asked_for_is_one_number(penalty):
    path = ni.solvers.lasso_path(np.eye(2), np.array([0.5, 0.2]), [0.1])
    with pytest.raises(InputError, match="penalty: "):
        path.at(penalty)


def test_samples_that_are_no_numbers_are_named():
    x, y = np.random.default_rng(0).standard_normal((5, 3)), np.arange(5.0)
    with pytest.raises(InputError, match=r"x: .* is not a number"):
        ni.solvers.lasso_path_wide(x.astype(str), y, [0.1])
    with pytest.raises(InputError, match=r"y: .* is not a number"):
        ni.solvers.lasso_path_wide(x, y.astype(str), [0.1])


def test_an_unscaled_target_is_told_of_the_default():
    gram, cross = in_units(scale=5.0)
    with pytest.raises(InputError, match="target_variance is 1, its default: give y'y / n"):
        ni.solvers.lasso_path(gram, cross, [0.1])
    with pytest.raises(InputError, match=r"same n$"):
        ni.solvers.lasso_path(gram, cross, [0.1], target_variance=2.0)


def test_single_precision_is_named():
    X = np.random.default_rng(0).standard_normal((10, 40)).astype(np.float32)  # rank 9 of 40: eigenvalues near -1e-7
    X -= X.mean(0)
    gram = X.T @ X / np.float32(10)
    gram = np.maximum(gram, gram.T)
    with pytest.raises(InputError, match="single precision: use float64"):
        ni.solvers.lasso_path(gram, np.zeros(40), [0.1])


def test_read_only_arrays_meet_kernels_that_are_compiled_already():
    from netinfer.solvers.path import follow

    gram, cross = in_units()
    penalties, weights = np.array([0.5, 0.1]), np.ones(20)
    expected = ni.solvers.lasso_path(gram, cross, penalties, penalty_weights=weights)
    before = len(follow.signatures)
    for array in (gram, cross, penalties, weights):
        array.flags.writeable = False
    path = ni.solvers.lasso_path(gram, cross, penalties, penalty_weights=weights)
    paths = ni.solvers.lasso_paths(gram, cross[None], penalties[None], penalty_weights=weights)
    assert len(follow.signatures) == before
    np.testing.assert_array_equal(path.coef, expected.coef)
    np.testing.assert_array_equal(paths[0].coef, expected.coef)
    unaligned = np.frombuffer(b"0" + gram.tobytes(), np.float64, offset=1).reshape(gram.shape)
    ni.solvers.lasso_path(unaligned, cross, penalties)
    assert len(follow.signatures) == before
