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
