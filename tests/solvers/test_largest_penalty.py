"""At the largest penalty nothing penalised is in: exactly, for every solver."""

import numpy as np
import pytest

import netinfer as ni

N_SEEDS = 100
FREE = np.where(np.arange(20) < 2, 0.0, np.where(np.arange(20) == 5, 2.7, 1.0))
UNEVEN = np.where(FREE == 0.0, 1.3, FREE)


def samples(seed, n=60, p=20):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    y = X[:, :3].sum(axis=1) + rng.standard_normal(n)
    return (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()


def solved(kind, X, y, weights, penalties):
    gram, cross = X.T @ X / len(y), X.T @ y / len(y)
    if kind == "lasso":
        return ni.solvers.lasso_path(gram, cross, penalties, penalty_weights=weights)
    if kind.startswith("wide"):
        shrinkage = 0.3 if kind == "wide, shrunk" else 0.0
        return ni.solvers.lasso_path_wide(X, y, penalties, penalty_weights=weights, shrinkage=shrinkage)
    return ni.solvers.elastic_net_path(gram, cross, penalties, shrinkage=0.3, penalty_weights=weights, method=kind)


@pytest.mark.parametrize("weights", [FREE, UNEVEN], ids=["two unpenalised", "weighted"])
@pytest.mark.parametrize("kind", ["lasso", "homotopy", "active_set", "coordinate_descent", "wide", "wide, shrunk"])
def test_nothing_penalised_is_in_at_the_largest_penalty(kind, weights):
    for seed in range(N_SEEDS):
        X, y = samples(seed)
        largest = solved(kind, X, y, weights, [100.0]).largest_penalty
        path = solved(kind, X, y, weights, [1.5 * largest, largest, 0.99 * largest])
        assert path.converged.all()
        assert not path.coef[:2, weights > 0].any()
        assert (path.coef[:, weights == 0] != 0).all()
        assert path.coef[2, weights > 0].any()
        assert not path.at(1.1 * largest)[weights > 0].any()
        assert path.largest_penalty == largest


def test_it_is_the_largest_share_to_rounding():
    for seed in range(N_SEEDS):
        X, y = samples(seed)
        gram, cross = X.T @ X / 60, X.T @ y / 60
        largest = ni.solvers.lasso_path(gram, cross, [100.0], penalty_weights=UNEVEN).largest_penalty
        assert (largest * UNEVEN >= np.abs(cross)).all()
        # Two roundings, of the quotient and of the product, at half a unit in the last place each.
        assert largest <= (np.abs(cross) / UNEVEN).max() * (1 + 2 * np.finfo(float).eps)


def test_unpenalised_regulators_in_small_units_count():
    X, y = samples(0)
    units = np.where(np.arange(20) == 0, 1e-9, 1.0)
    plain = solved("lasso", X, y, FREE, [0.1])
    assert solved("lasso", X * units, y, FREE, [0.1]).largest_penalty == pytest.approx(plain.largest_penalty, rel=1e-9)
