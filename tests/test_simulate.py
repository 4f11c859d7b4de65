from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from netinfer import simulate
from netinfer.errors import InputError

GENERATORS = (
    simulate.sparse_linear,
    simulate.counts,
    simulate.null_replicates,
    simulate.cell_types,
    simulate.hidden_factors,
)


@pytest.mark.parametrize("generate", GENERATORS)
def test_the_seed_decides_everything(generate):
    first, edges = generate(seed=3)
    again, edges_again = generate(seed=3)
    other, _ = generate(seed=4)
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
    ],
)
def test_impossible_numbers_are_refused(generate, wrong):
    with pytest.raises(InputError):
        generate(**wrong)
