import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import netinfer as ni
from netinfer import simulate
from netinfer.errors import ConfigError, InputError
from netinfer.preprocess import factors, hidden_factors


def data(n_samples=80, n_genes=120, n_factors=3, seed=0) -> AnnData:
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n_samples, n_factors))
    values = hidden @ rng.normal(size=(n_factors, n_genes)) + rng.normal(size=(n_samples, n_genes))
    return AnnData(
        values, obs=pd.DataFrame({"truth": hidden[:, 0] if n_factors else 0.0}, index=map(str, range(n_samples)))
    )


@pytest.mark.parametrize("n_factors", [0, 1, 3, 5])
def test_auto_finds_the_number_that_was_simulated(n_factors):
    found = ni.hidden_factors(data(n_factors=n_factors), "auto")
    assert found.uns["netinfer"]["hidden_factors"]["k"] == n_factors
    assert ("hidden_factors" in found.obsm) == (n_factors > 0)


def test_components_are_those_of_an_svd_of_standardised_genes():
    adata = data()
    found = ni.hidden_factors(adata, 4)
    standard = (adata.X - adata.X.mean(axis=0)) / adata.X.std(axis=0)
    left, sizes, _ = np.linalg.svd(standard, full_matrices=False)
    overlap = np.abs(left[:, :4].T @ found.obsm["hidden_factors"] / np.sqrt(adata.n_obs))
    np.testing.assert_allclose(overlap, np.eye(4), atol=1e-8)
    share = found.uns["netinfer"]["hidden_factors"]["share"]
    np.testing.assert_allclose(share, (sizes**2 / (sizes**2).sum())[: len(share)])
    assert "hidden_factors" not in adata.obsm


def test_they_are_orthogonal_to_the_covariates():
    found = ni.hidden_factors(data(), "auto", covariates=["truth"])
    assert found.obsm["hidden_factors"].shape[1] == 2
    np.testing.assert_allclose(found.obsm["hidden_factors"].T @ found.obs["truth"].to_numpy(), 0, atol=1e-8)


@pytest.mark.parametrize("shape", [(60, 25), (25, 60)])
def test_large_and_small_matrices_go_the_same_way(monkeypatch, shape):
    adata = data(*shape)
    dense = ni.hidden_factors(adata, 3).obsm["hidden_factors"]
    monkeypatch.setattr(factors, "_DENSE", 10)
    np.testing.assert_allclose(ni.hidden_factors(adata, 3).obsm["hidden_factors"], dense, atol=1e-7)


def test_the_network_gets_them_as_covariates_and_zero_takes_them_out():
    adata = data(n_genes=40)
    net = ni.infer_regression(adata, list(adata.var_names[:8]), hidden_factors=2, n_subsamples=20, threads=1)
    assert net.provenance["covariates"] == ["hidden_factor_1", "hidden_factor_2"]
    assert net.provenance["covariate_df"] == 2
    assert "hidden_factors" not in ni.hidden_factors(ni.hidden_factors(adata, 2), 0).obsm


@pytest.mark.parametrize("k", [-1, 1.5, "many", True])
def test_other_numbers_are_refused(k):
    with pytest.raises(ConfigError, match="hidden_factors"):
        ni.hidden_factors(data(), k)


def test_too_many_factors_are_refused():
    with pytest.raises(InputError, match="at most 78"):
        ni.hidden_factors(data(), 79)


@pytest.mark.parametrize("column", ["donor", "replicate_group"])
def test_auto_counts_the_units_that_the_regression_will_count(column):
    adata, _ = simulate.hidden_factors(96, 5, 10, 60, factor_share=0.8, seed=3)
    assert hidden_factors(adata, "auto").obsm["hidden_factors"].shape[1] == 5
    adata.obs[column] = [f"unit{i % 16}" for i in range(96)]
    assert hidden_factors(adata, "auto").obsm["hidden_factors"].shape[1] == 2  # an eighth of 16
    assert hidden_factors(adata, "auto", block="sample").obsm["hidden_factors"].shape[1] == 5


def test_the_regression_takes_the_factors_of_the_data():
    adata, _ = simulate.hidden_factors(60, 2, 10, 20, seed=3)
    net = ni.infer_regression(hidden_factors(adata, 2), n_subsamples=4, threads=1)
    assert net.provenance["covariates"] == ["hidden_factor_1", "hidden_factor_2"]


@pytest.mark.parametrize(("n", "n_levels"), [(60, 7), (60, 10), (100, 12)])
def test_covariates_make_no_factors_of_noise(n, n_levels):
    rng = np.random.default_rng(n_levels)
    obs = pd.DataFrame({"batch": [f"b{i % n_levels}" for i in range(n)]}, index=map(str, range(n)))
    found = ni.hidden_factors(AnnData(rng.normal(size=(n, 300)), obs=obs), "auto", covariates=["batch"])
    assert found.uns["netinfer"]["hidden_factors"]["k"] <= 1  # the test has a level of 5 %


def test_replicates_make_no_factors():
    rng = np.random.default_rng(0)
    condition = np.repeat(np.arange(60), 3)
    values = rng.normal(size=(60, 300))[condition] + 0.3 * rng.normal(size=(180, 300))
    adata = AnnData(values, obs=pd.DataFrame({"replicate_group": condition.astype(str)}, index=map(str, range(180))))
    assert ni.hidden_factors(adata, "auto").uns["netinfer"]["hidden_factors"]["k"] <= 1
    as_samples = ni.hidden_factors(adata, "auto", block="sample").uns["netinfer"]["hidden_factors"]["k"]
    assert as_samples > 5


def test_threads_change_no_bit():
    from threadpoolctl import threadpool_limits

    results = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            results.append(ni.hidden_factors(data(300, 400), 3).obsm["hidden_factors"])
    assert results[0].tobytes() == results[1].tobytes()


def test_the_cap_is_named_where_it_decides():
    rng = np.random.default_rng(0)
    strong = rng.normal(size=(40, 12)) @ rng.normal(size=(12, 200)) + 0.1 * rng.normal(size=(40, 200))
    log = ni.hidden_factors(AnnData(strong), "auto").uns["netinfer"]["log"]
    assert "5 hidden factors are projected out (as many as `auto` takes of 40 units" in log[-1]
