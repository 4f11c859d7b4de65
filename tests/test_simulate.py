from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from netinfer import simulate
from netinfer.errors import InputError

GENERATORS = (
    simulate.sparse_linear,
    simulate.counts,
    simulate.null_replicates,
    simulate.cell_types,
    simulate.hidden_factors,
    simulate.replicates,
    lambda seed: simulate.cell_counts(600, n_regulators=50, n_targets=80, null_fraction=0.5, seed=seed),
    lambda seed: simulate.human_counts(20, n_regulators=50, n_targets=300, seed=seed),
)


@pytest.mark.parametrize("generate", GENERATORS)
def test_the_seed_decides_everything(generate):
    first, edges = generate(seed=3)
    again, edges_again = generate(seed=3)
    other, _ = generate(seed=4)
    first.X, again.X, other.X = (a.X.toarray() if sparse.issparse(a.X) else a.X for a in (first, again, other))
    assert np.array_equal(first.X, again.X)
    pd.testing.assert_frame_equal(edges, edges_again)
    assert not np.array_equal(first.X, other.X)


@pytest.mark.parametrize("generate", GENERATORS)
def test_the_form_is_that_of_the_package(generate):
    adata, edges = generate(seed=0)
    assert adata.X.dtype == float
    assert adata.var["is_regulator"].sum() == 50
    assert list(edges.columns) == ["source", "target", "is_edge", "sign", "effect"]
    assert adata.var_names.is_unique
    assert adata.obs_names.is_unique
    regulators = set(adata.var_names[adata.var["is_regulator"]])
    assert set(edges["source"]) <= regulators
    assert not set(edges["target"]) & regulators
    assert (np.sign(edges["effect"]) == edges["sign"]).all()


def test_least_squares_finds_the_coefficients_of_a_large_sample():
    adata, edges = simulate.sparse_linear(20_000, 15, 40, max_regulators=6, r2=0.7, seed=1)
    X, Y = adata.X[:, :15], adata.X[:, 15:]
    coef = np.linalg.lstsq(X, Y, rcond=None)[0]
    truth = np.zeros_like(coef)
    truth[adata.var_names.get_indexer(edges["source"]), adata.var_names.get_indexer(edges["target"]) - 15] = edges[
        "effect"
    ]
    assert np.abs(coef - truth).max() < 0.05  # the standard error is below 0.01
    regulated = np.abs(truth).sum(axis=0) > 0
    r2 = 1 - (Y - X @ coef).var(axis=0) / Y.var(axis=0)
    assert np.abs(r2[regulated] - 0.7).max() < 0.03
    assert (~regulated).mean() == 0.2
    assert np.abs(Y.var(axis=0) - 1).max() < 0.06


def test_regulators_correlate_within_modules_only():
    adata, _ = simulate.sparse_linear(20_000, 12, 1, n_modules=3, module_correlation=0.6, seed=2)
    corr = np.corrcoef(adata.X[:, :12].T)
    same = (np.arange(12)[:, None] - np.arange(12)) % 3 == 0
    assert np.abs(corr[same & ~np.eye(12, dtype=bool)] - 0.6).max() < 0.05
    assert np.abs(corr[~same]).max() < 0.05


def test_counts_are_counts_with_the_wished_depth():
    adata, edges = simulate.counts(60, 10, 500, depth=1e5, seed=3)
    assert (adata.X >= 0).all()
    assert not (adata.X % 1).any()
    total = adata.X.sum(axis=1) / adata.obs["depth_factor"]
    assert np.abs(total / 1e5 - 1).max() < 0.2
    assert len(edges) > 0


def test_null_replicates_have_no_edge_and_correlate_only_within_conditions():
    adata, edges = simulate.null_replicates(10, 3, 20, 400, seed=4)
    assert len(edges) == 0
    assert adata.obs["replicate_group"].value_counts().tolist() == [3] * 10
    corr = np.corrcoef(adata.X)
    same = np.equal.outer(adata.obs["condition"].to_numpy(), adata.obs["condition"].to_numpy())
    assert corr[same].min() > 0.8
    assert np.abs(corr[~same]).max() < 0.3


def test_cell_types_correlate_genes_over_all_cells_but_not_within_a_type():
    adata, edges = simulate.cell_types(3000, 4, 20, 30, n_modules=20, seed=5)
    assert len(edges) == 0
    within = adata.X - pd.DataFrame(adata.X).groupby(adata.obs["cell_type"].to_numpy()).transform("mean").to_numpy()
    off = ~np.eye(50, dtype=bool)
    assert np.abs(np.corrcoef(adata.X.T)[off]).max() > 0.4
    assert np.abs(np.corrcoef(within.T)[off]).max() < 0.12  # 1,225 correlations of 3,000 cells


def test_hidden_factors_explain_their_share():
    adata, edges = simulate.hidden_factors(4000, 3, 20, 300, factor_share=0.5, seed=6)
    assert len(edges) == 0
    F = adata.obsm["factors"]
    rest = adata.X - F @ np.linalg.lstsq(F, adata.X, rcond=None)[0]
    share = 1 - rest.var() / adata.X.var()
    assert 0.4 < share < 0.6
    _, some = simulate.hidden_factors(50, 3, 20, 30, null_fraction=0.5, seed=6)
    assert some["target"].nunique() == 15


def test_the_wished_number_of_edges_is_planted():
    for n_edges in (0, 1, 37, 90):
        _, edges = simulate.sparse_linear(10, 8, 30, n_edges=n_edges, max_regulators=3, seed=8)
        assert len(edges) == n_edges
        assert edges["target"].value_counts().max() <= 3 if n_edges else edges.empty
    with pytest.raises(InputError, match="n_edges: 91 is not from 0 to 90"):
        simulate.sparse_linear(10, 8, 30, n_edges=91, max_regulators=3)


def test_replicates_carry_their_edges_within_and_between_conditions():
    adata, edges = simulate.replicates(400, 3, 10, 40, n_edges=20, r2=0.9, seed=9)
    assert edges["target"].is_unique
    X = adata.to_df()
    means = X.groupby(adata.obs["condition"].to_numpy()).transform("mean")
    for frame in (means, X - means):
        corr = [np.corrcoef(frame[s], frame[t])[0, 1] for s, t in zip(edges["source"], edges["target"], strict=True)]
        assert np.abs(corr).min() > 0.9  # sqrt(0.9) is 0.949, 400 units or 800 degrees of freedom
        assert (np.sign(corr) == edges["sign"]).all()
    null, none = simulate.null_replicates(400, 3, 10, 40, seed=9)
    assert none.empty
    assert np.array_equal(null.X[:, :10], adata.X[:, :10])


@pytest.mark.parametrize(
    ("generate", "clean"),
    [(simulate.hidden_factors, {"factor_share": 0}), (simulate.cell_types, {"type_sd": 0})],
)
def test_the_clean_twin_has_the_same_edges_and_noise(generate, clean):
    adata, edges = generate(n_edges=30, seed=10)
    twin, same = generate(n_edges=30, seed=10, **clean)
    pd.testing.assert_frame_equal(edges, same)
    plain, _ = simulate.sparse_linear(twin.n_obs, n_edges=30, seed=10)
    assert np.array_equal(twin.X, plain.X)
    assert not np.allclose(twin.X, adata.X)


def test_cells_differ_by_type_donor_and_depth_unless_clean():
    sizes = {"n_cells": 3000, "n_regulators": 10, "n_targets": 90, "depth": 4000.0, "null_fraction": 0.5, "seed": 11}
    adata, edges = simulate.cell_counts(**sizes)
    assert sparse.issparse(adata.X)
    assert not (adata.X.data % 1).any()
    assert adata.obs["cell_type"].nunique() == 5
    assert adata.obs["donor"].value_counts().tolist() == [250] * 12
    twin, same = simulate.cell_counts(**sizes, type_sd=0, donor_sd=0, depth_spread=0)
    assert edges["source"].tolist() == same["source"].tolist()

    def between(data, column):
        log = np.log1p(data.X.toarray() / data.X.sum(axis=1).A1[:, None] * 4000)
        means = pd.DataFrame(log).groupby(data.obs[column].to_numpy()).transform("mean").to_numpy()
        return (means.var(axis=0) / log.var(axis=0)).mean()

    depth, even = adata.X.sum(axis=1).A1, twin.X.sum(axis=1).A1
    assert 0.35 < np.log(depth).std() < 0.45
    assert np.log(even).std() < 0.03  # Poisson alone: 1 / sqrt(4000) is 0.016
    assert between(adata, "cell_type") > 0.2
    assert between(twin, "cell_type") < 0.01  # 4 of 3,000 degrees of freedom
    assert between(adata, "donor") > 0.03
    assert between(twin, "donor") < 0.01


def test_human_counts_have_silent_genes_without_edges():
    adata, edges = simulate.human_counts(100, 60, 1140, depth=1.2e6, seed=12)
    silent = adata.var["is_silent"].to_numpy()
    assert silent.sum() == 400
    assert silent[:60].sum() == 20
    assert not set(edges["source"]) & set(adata.var_names[silent])
    assert not set(edges["target"]) & set(adata.var_names[silent])
    assert len(edges) > 100
    per_million = adata.X / adata.X.sum(axis=1, keepdims=True) * 1e6
    assert ((per_million[:, silent] >= 1).mean(axis=0) < 0.3).all()  # a mean of 0.1 counts: one in ten samples
    assert np.median(per_million[:, ~silent]) > 100


def test_complete_gold_lists_every_pair_once():
    adata, edges = simulate.sparse_linear(10, 5, 8, seed=7)
    gold = simulate.complete_gold(edges, adata)
    assert len(gold) == 40
    assert gold["is_edge"].sum() == len(edges)
    merged = edges.merge(gold, on=["source", "target"], suffixes=("", "_gold"))
    assert merged["is_edge_gold"].all()
    assert (merged["sign"] == merged["sign_gold"]).all()
    empty = simulate.complete_gold(edges.iloc[:0], adata)
    assert not empty["is_edge"].any()


@pytest.mark.parametrize(
    ("generate", "wrong"),
    [
        (simulate.sparse_linear, {"n_samples": 0}),
        (simulate.sparse_linear, {"r2": 1.0}),
        (simulate.sparse_linear, {"null_fraction": 1.5}),
        (simulate.counts, {"depth": 0.0}),
        (simulate.null_replicates, {"n_replicates": 0}),
        (simulate.cell_types, {"n_types": 0}),
        (simulate.hidden_factors, {"factor_share": 1.0}),
        (simulate.replicates, {"noise_sd": -1.0}),
        (simulate.replicates, {"n_conditions": 0}),
        (simulate.cell_types, {"type_sd": float("nan")}),
        (simulate.cell_counts, {"n_donors": 0}),
        (simulate.human_counts, {"silent_share": 1.0}),
    ],
)
def test_impossible_numbers_are_refused(generate, wrong):
    with pytest.raises(InputError):
        generate(**wrong)
