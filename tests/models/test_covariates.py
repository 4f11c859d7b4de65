"""Covariates in the moments: the same numbers as residuals, half by half, and their degrees of freedom."""

import numpy as np
import pytest
from anndata import AnnData

import netinfer as ni
from netinfer.config import RegressionConfig
from netinfer.errors import InputError
from netinfer.models.regression import fit_chunk, gather, prepare
from netinfer.models.regression.adjustment import degrees_of_freedom
from netinfer.models.regression.problem import problem_from_arrays
from netinfer.moments import from_matrix, project_out
from netinfer.stability.subsamples import complementary_pair

FEW = RegressionConfig(n_subsamples=20)


def residuals(values: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    space = np.column_stack([np.ones(len(values)), covariates])
    return values - space @ np.linalg.lstsq(space, values, rcond=None)[0]


@pytest.fixture
def arrays():
    rng = np.random.default_rng(3)
    Z = rng.normal(size=(48, 3))
    Z[:, 2] = rng.integers(0, 2, 48)
    X = rng.normal(size=(48, 10)) + Z @ rng.normal(size=(3, 10))
    Y = np.concatenate([X, rng.normal(size=(48, 80)) + 3 * Z @ rng.normal(size=(3, 80))], axis=1)
    return X, Y, Z


def test_projected_moments_are_those_of_residuals(arrays):
    X, Y, Z = arrays
    moments = project_out(from_matrix(np.column_stack([X, Z]), Y), 3)
    left_x, left_y = residuals(X, Z), residuals(Y, Z)
    np.testing.assert_allclose(moments.gram, left_x.T @ left_x / 48, atol=1e-12)
    np.testing.assert_allclose(moments.cross, left_x.T @ left_y / 48, atol=1e-12)
    np.testing.assert_allclose(moments.target_var, (left_y**2).mean(axis=0), atol=1e-12)
    assert not moments.mean.any()


def test_dependent_and_absent_covariates_take_nothing_away(arrays):
    X, Y, Z = arrays
    once = project_out(from_matrix(np.column_stack([X, Z]), Y), 3)
    again = np.column_stack([Z, Z[:, 0] - Z[:, 1], np.zeros(48)])
    twice = project_out(from_matrix(np.column_stack([X, again]), Y), 5)
    np.testing.assert_allclose(twice.gram, once.gram, atol=1e-10)
    np.testing.assert_allclose(twice.cross, once.cross, atol=1e-10)


def test_what_covariates_explain_fully_becomes_exactly_zero(arrays):
    X, Y, Z = arrays
    X[:, 4] = Z @ [1.0, -2.0, 0.5]
    moments = project_out(from_matrix(np.column_stack([X, Z]), Y), 3)
    assert not moments.gram[4].any()
    assert not moments.cross[4].any()


@pytest.mark.parametrize("units", [None, np.repeat(np.arange(24), 2)])
def test_every_half_sample_is_adjusted_by_its_own_samples(arrays, units):
    """One half-sample's selections, redone on residuals of just that half, by scikit-learn."""
    from sklearn.linear_model import lars_path_gram

    X, Y, Z = arrays
    problem = problem_from_arrays(X, Y, covariates=Z, units=units, covariate_names=["a", "b", "c"])
    part = fit_chunk(problem, settings=RegressionConfig(n_subsamples=4, model="lasso", penalty_min=0.3), seed=5)
    counts = np.zeros((90, 10), int)
    for pair in range(2):
        for half in complementary_pair(problem.n_units, pair, seed=5):
            rows = np.concatenate([problem.unit_rows[u] for u in half])
            x, y = residuals(X[rows], Z[rows]), residuals(Y[rows], Z[rows])
            x, y = x / x.std(axis=0), y / y.std(axis=0)
            for target in range(10, 90):
                coef = lars_path_gram(x.T @ y[:, target], x.T @ x, n_samples=len(rows), method="lasso", alpha_min=0.3)[
                    2
                ][:, -1]
                counts[target] += coef != 0
    found = np.zeros_like(counts)
    last = part.gate_counts[:, -1]
    gated = part.n_most > 2
    np.add.at(found, (part.pair_target[gated], part.pair_regulator[gated]), last)
    certain = counts[10:] > 2
    np.testing.assert_array_equal(found[10:][certain], counts[10:][certain])
    assert part.n_selected[10:, -1].sum() == counts[10:].sum()


def test_a_confounder_makes_edges_and_projecting_it_out_unmakes_them():
    rng = np.random.default_rng(0)
    batch = np.repeat([0.0, 1.0], 40)
    values = rng.normal(size=(80, 100))
    values[:, [0, *range(60, 100)]] += 3 * batch[:, None]  # one regulator and forty targets
    adata = AnnData(values)
    adata.obs["batch"] = batch
    names = list(adata.var_names[:40])
    raw = ni.infer_regression(adata, names, n_subsamples=50, expected_false_edges=4, threads=1)
    adjusted = ni.infer_regression(
        adata, names, covariates=["batch"], n_subsamples=50, expected_false_edges=4, threads=1
    )
    assert len(raw.edges) >= 40  # ten times what was asked for
    assert len(adjusted.edges) <= 4
    assert adjusted.provenance["covariates"] == ["batch"]


def test_degrees_of_freedom_are_counted_between_units():
    rng = np.random.default_rng(1)
    alone = [np.array([i]) for i in range(40)]
    pairs = np.arange(40).reshape(20, 2)
    Z = rng.normal(size=(40, 3))
    assert degrees_of_freedom(Z, alone) == 3
    within = np.tile([1.0, -1.0], 20)[:, None]
    assert degrees_of_freedom(within, list(pairs)) == 0  # it does not vary between units
    between = np.repeat(rng.normal(size=20), 2)[:, None]
    assert degrees_of_freedom(between, list(pairs)) == 1
    assert degrees_of_freedom(np.column_stack([Z, Z[:, 0]]), alone) == 3


def test_covariates_widen_intervals_by_their_degrees_of_freedom():
    """A covariate that explains nothing costs its degree of freedom: compared through the quantile of t."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(24, 3))
    Y = X @ rng.normal(size=(3, 5)) + rng.normal(size=(24, 5))
    Z = residuals(rng.normal(size=(24, 4)), np.column_stack([X, Y]))
    names = {"regulator_names": list("abc"), "target_names": list("uvwxy")}
    plain = fit_chunk(problem_from_arrays(X, Y, **names), settings=FEW)
    adjusted = fit_chunk(problem_from_arrays(X, Y, covariates=Z, covariate_names=list("1234"), **names), settings=FEW)
    assert np.nanmedian(adjusted.effect_high - adjusted.effect_low) > np.nanmedian(plain.effect_high - plain.effect_low)


def test_a_target_that_covariates_explain_is_listed(arrays):
    X, Y, Z = arrays
    Y[:, 20] = Z[:, 0]
    problem = problem_from_arrays(X, Y, covariates=Z, covariate_names=["a", "b", "c"])
    net = gather(problem, [fit_chunk(problem, settings=FEW)], settings=FEW)
    row = net.targets.iloc[20]
    assert row["status"] == "constant"
    assert "covariates" in row["reason"]


def test_chunks_and_threads_give_the_same_bytes_with_covariates(arrays):
    X, Y, Z = arrays
    problem = problem_from_arrays(X, Y, covariates=Z, covariate_names=["a", "b", "c"])
    whole = gather(problem, [fit_chunk(problem, settings=FEW, threads=2)], settings=FEW)
    parts = [fit_chunk(problem, chunk=(i, 2), settings=FEW) for i in (1, 2)]
    assert gather(problem, parts, settings=FEW).candidates.equals(whole.candidates)


def test_covariates_that_leave_too_little_are_refused():
    rng = np.random.default_rng(0)
    adata = AnnData(rng.normal(size=(20, 6)))
    for i in range(9):
        adata.obs[f"c{i}"] = rng.normal(size=20)
    with pytest.raises(InputError, match="take 9 degrees of freedom, and a half-sample has 10 units"):
        prepare(adata, "all", covariates=[f"c{i}" for i in range(9)])


def test_hidden_factors_that_leave_too_little_are_counted_not_listed():
    rng = np.random.default_rng(0)
    adata = AnnData(rng.normal(size=(40, 60)))
    adata.obs["age"] = rng.normal(size=40)
    adata.obsm["hidden_factors"] = rng.normal(size=(40, 30))
    with pytest.raises(InputError) as caught:
        prepare(adata, "all", covariates=["age"])
    text = str(caught.value)
    assert "covariates: age and 30 hidden factors take 31 degrees of freedom, and a half-sample has 20 units" in text
    assert "set a smaller number of `hidden_factors`" in text
    assert "hidden_factor_" not in text


def test_the_design_of_the_data_is_taken_unless_told_otherwise():
    rng = np.random.default_rng(0)
    adata = AnnData(rng.normal(size=(20, 6)))
    adata.obs["log_depth"] = rng.normal(size=20)
    adata.obs["donor"] = ["a", "b"] * 10
    design = {"assay": "cells", "covariates": np.array(["log_depth"], object), "block": "sample"}
    adata.uns["netinfer"] = {"design": design}
    assert prepare(adata, "all").covariate_names == ("log_depth",)
    assert prepare(adata, "all").n_units == 20
    assert prepare(adata, "all", covariates=[]).n_covariates == 0


def cells_of_two_donors(seed: int) -> AnnData:
    """Counts of 1,500 cells whose genes differ between types and donors, without any edge."""
    rng = np.random.default_rng(seed)
    donor, kind = np.arange(1500) % 2, rng.integers(0, 3, 1500)
    log_mean = rng.normal(0.3, 0.7, 100) + rng.normal(0, 0.5, (3, 100))[kind] + rng.normal(0, 0.6, (2, 100))[donor]
    adata = AnnData(rng.poisson(np.exp(log_mean + rng.normal(0, 0.3, (1500, 1)))).astype(float))
    adata.obs_names, adata.var_names = [f"c{i}" for i in range(1500)], [f"g{i}" for i in range(100)]
    adata.obs["cell_type"], adata.obs["donor"] = [f"t{i}" for i in kind], [f"d{i}" for i in donor]
    adata.var["is_regulator"] = np.arange(100) < 25
    return adata


@pytest.mark.parametrize("seed", [1, 2])
def test_donors_that_are_no_units_are_projected_out_by_default(seed):
    adata = ni.normalize(ni.prepare_samples(cells_of_two_donors(seed)))
    settings = {"n_subsamples": 50, "expected_false_edges": 2, "threads": 1}
    by_default = ni.infer_regression(adata, **settings)
    assert by_default.provenance["covariates"] == ["cell_type", "donor", "log_depth"]
    assert len(by_default.edges) <= 2
    # Without the donor among them the bound breaks: no edge is true, and more come out than were asked for.
    assert len(ni.infer_regression(adata, covariates=["cell_type", "log_depth"], **settings).edges) > 2


def test_a_column_called_sample_is_not_the_unit():
    rng = np.random.default_rng(0)
    adata = AnnData(rng.normal(size=(40, 6)))
    adata.obs["sample"] = [f"library{i % 10}" for i in range(40)]
    assert prepare(adata, "all").n_units == 40
    assert prepare(adata, "all", "sample").n_units == 40
    adata.obs["library"] = adata.obs["sample"]
    assert prepare(adata, "all", "library").n_units == 10
