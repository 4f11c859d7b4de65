"""The filter of genes: each rule at its threshold, what it says, dense as sparse, and depth that survives it."""

from __future__ import annotations

import logging

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from netinfer.config import FilterConfig
from netinfer.errors import ConfigError, InputError
from netinfer.preprocess import normalize, prepare_samples
from netinfer.preprocess.filtering import gene_filter
from netinfer.preprocess.kind import recognise
from netinfer.preprocess.statistics import mean_and_sd


def expression(values, regulators=1):
    var = pd.DataFrame({"is_regulator": np.arange(values.shape[1]) < regulators})
    var.index = [f"g{i}" for i in range(values.shape[1])]
    return ad.AnnData(values, obs=pd.DataFrame(index=[f"s{i}" for i in range(values.shape[0])]), var=var)


def bulk_counts(n=40, n_genes=8, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.poisson(1e5, size=(n, n_genes)).astype(float)
    values[:, 0] += rng.poisson(1e6 * 3, size=n)
    return values


def prepared(values, regulators=1, assay="bulk", **config):
    return prepare_samples(expression(values, regulators), assay=assay, filter=FilterConfig(**config))


def notes_of(result):
    return result.uns["netinfer"]["filter"]


@pytest.mark.parametrize(("n_expressed", "kept"), [(9, False), (10, True)])
def test_bulk_counts_at_the_threshold(n_expressed, kept):
    values = bulk_counts()
    values[:, 5] = 0.0
    values[:n_expressed, 5] = 10.0  # of some 3.7 million: at least one count per million
    result = prepared(values)
    assert ("g5" in result.var_names) == kept
    notes = notes_of(result)
    assert notes["threshold"] == 10
    assert notes["statistic"][5] == n_expressed
    assert len(notes["statistic"]) == 8
    assert notes["n_dropped"] == (not kept)
    if not kept:
        row = result.uns["netinfer"]["dropped_genes"].iloc[0]
        assert (row["gene"], row["status"]) == ("g5", "filtered")
        assert row["reason"] == "samples with at least 1 counts per million: 9, at least 10 needed"


def test_one_count_per_million_is_of_the_whole_library():
    values = bulk_counts()
    values[:, 5] = np.ceil(values[:, [0, 1, 2, 3, 4, 6, 7]].sum(axis=1) / 1e6) - 1  # just below one
    assert "g5" not in prepared(values).var_names
    values[:, 5] += 2
    assert "g5" in prepared(values).var_names


@pytest.mark.parametrize(
    ("n", "config", "threshold"),
    [
        (40, {}, 10),  # max(10, 10 % of 40)
        (200, {}, 20),
        (201, {}, 21),  # a tenth, rounded up
        (9, {}, 9),  # never more than there are
        (40, {"min_samples": 0, "min_share": 0.5}, 20),
        (40, {"min_samples": 100}, 40),
    ],
)
def test_number_of_samples_needed(n, config, threshold):
    result = prepared(bulk_counts(n), **config)
    assert notes_of(result)["threshold"] == threshold
    assert ("here all" in notes_of(result)["rule"]) == (threshold == n)


@pytest.mark.parametrize(
    ("n", "config", "threshold"),
    [
        (1000, {}, 50),  # max(50, 2 % of 1,000)
        (5000, {}, 100),
        (60, {}, 30),  # half of the cells at most
        (1000, {"min_cells": 200}, 200),
        (1000, {"min_cells": 0, "min_cell_share": 0.1}, 100),
    ],
)
def test_number_of_cells_needed(n, config, threshold):
    values = np.random.default_rng(0).poisson(1.0, size=(n, 5)).astype(float)
    found = gene_filter(values, "counts", "cells", FilterConfig(**config))
    assert found.threshold == threshold
    assert np.array_equal(found.statistic, (values > 0).sum(axis=0))
    assert ("half of the" in found.rule) == (n == 60)


def test_logs_lose_the_tail_of_low_spread_and_only_that():
    rng = np.random.default_rng(0)
    values = rng.normal(5.0, 1.0, size=(40, 50))
    result = prepared(values)
    assert result.n_vars == 50  # all vary alike: there is no tail
    values[:, 7] = 5.0 + 0.05 * rng.normal(size=40)
    values[:, 8] = 5.0 + 0.2 * rng.normal(size=40)
    result = prepared(values)
    assert set(expression(values).var_names) - set(result.var_names) == {"g7"}
    assert "standard deviation over the genes' median one: 0.0" in result.uns["netinfer"]["dropped_genes"]["reason"][0]
    assert notes_of(result)["threshold"] == 0.1
    assert prepared(values, min_relative_sd=0.0).n_vars == 50


def test_logs_of_cells_are_filtered_by_detection():
    rng = np.random.default_rng(0)
    values = np.log1p(rng.poisson(1.0, size=(300, 5)) * 1.5)
    values[40:, 2] = 0.0
    found = gene_filter(values, recognise(values).kind, "cells", FilterConfig())
    assert found.threshold == 50
    assert found.dropped.tolist() == [False, False, True, False, False]
    shifted = gene_filter(values - 1.0, "log", "cells", FilterConfig())
    assert shifted.what.startswith("standard deviation")


def test_linear_values_are_filtered_by_detection():
    values = np.random.default_rng(0).lognormal(5, 2, size=(40, 6))
    values[:31, 3] = 0.0  # above zero in 9
    result = prepared(values)
    assert "g3" not in result.var_names
    assert notes_of(result)["what"] == "samples with a value above zero"


@pytest.mark.parametrize(
    ("values", "config", "word"),
    [
        (np.random.default_rng(0).normal(size=(40, 6)), {}, "z-scores do not show it"),
        (np.random.default_rng(0).normal(size=(40, 6)) * 1000, {}, "below zero that are no logs"),
        (bulk_counts(), {"genes": "none"}, "as asked (filter.genes: none)"),
        (bulk_counts(), {"min_cpm": 0}, "as asked (filter.min_cpm: 0)"),
    ],
)
def test_where_there_is_no_rule_every_gene_stays_and_it_is_said(values, config, word):
    result = prepared(values, **config)
    assert result.n_vars == values.shape[1]
    notes = notes_of(result)
    assert word in notes["rule"]
    assert len(notes["statistic"]) == 0
    assert notes["n_dropped"] == 0
    assert notes["rule"] in list(result.uns["netinfer"]["log"])


def test_silent_genes_go_even_without_a_filter():
    values = bulk_counts()
    values[:, 4] = 0.0
    result = prepared(values, genes="none")
    assert "g4" not in result.var_names
    assert result.uns["netinfer"]["dropped_genes"]["status"].tolist() == ["constant"]


def test_every_dropped_regulator_is_named(caplog):
    values = bulk_counts(n_genes=60)
    values[:, 10:40] = 0.0
    values[:3, 10:40] = 50.0
    with caplog.at_level(logging.WARNING):
        result = prepared(values, regulators=35)
    names = [f"g{i}" for i in range(10, 35)]
    log = "\n".join(result.uns["netinfer"]["log"])
    assert f"25 of 35 regulators are among the genes left out: {', '.join(names)}" in log
    assert notes_of(result)["dropped_regulators"].tolist() == names
    assert result.uns["netinfer"]["dropped_genes"]["is_regulator"].sum() == 25
    assert "25 regulators are left out for low expression" in caplog.text


def test_too_few_left_says_which_threshold_did_it():
    values = bulk_counts()
    values[:, 0], values[:, 7] = 0.0, values[:, 7] + 3e6
    values[:4, 0] = 50.0
    with pytest.raises(
        InputError,
        match=r"filter: none of 1 regulators is left: .*the highest of them has 4 where 10 is needed .*lower filter",
    ):
        prepared(values)
    values[:4, 1:7] = 50.0
    values[4:, 1:7] = 0.0
    with pytest.raises(InputError, match="filter: 1 of 8 genes are left"):
        prepare_samples(values, assay="bulk")


def test_depth_is_of_all_genes_so_that_filtering_changes_no_value():
    values = bulk_counts()
    values[:, 5] = 0.0
    values[:3, 5] = 1e5
    result = prepared(values)
    assert np.array_equal(result.obs["library_size"], values.sum(axis=1))
    np.testing.assert_allclose(result.obs["log_depth"], np.log(values.sum(axis=1)), rtol=1e-15)
    whole = normalize(expression(values), "cpm_log1p")
    assert np.array_equal(normalize(result, "cpm_log1p").X, whole[:, result.var_names].X)


def test_a_library_size_in_other_units_is_not_believed():
    adata = expression(bulk_counts())
    expected = normalize(adata).X
    adata.obs["library_size"] = 3.7
    assert np.array_equal(normalize(adata).X, expected)


def test_a_sample_without_counts_is_dropped_here_and_refused_by_normalize():
    values = bulk_counts()
    values[3] = 0.0
    result = prepared(values)
    assert result.n_obs == 39
    assert result.uns["netinfer"]["dropped_samples"].to_dict("records") == [
        {"sample": "s3", "reason": "every value is zero"}
    ]
    with pytest.raises(InputError, match="1 samples have no count at all: 's3'"):
        normalize(expression(values), "cpm_log1p")
    with pytest.raises(InputError, match="every value is zero"):
        prepare_samples(np.zeros((10, 4)))


@pytest.mark.parametrize(
    ("value", "message"), [(np.nan, "1 missing values"), (np.inf, "1 infinite values, first in sample 's2', gene 'g3'")]
)
def test_values_that_cannot_be(value, message):
    values = bulk_counts()
    values[2, 3] = value
    with pytest.raises(InputError, match=message):
        prepared(values)


def test_prepared_twice_is_left_as_it_is_and_normalized_before_is_refused():
    result = prepared(bulk_counts())
    again = prepare_samples(result)
    assert np.array_equal(again.X, result.X)
    assert "were prepared before" in again.uns["netinfer"]["log"][-1]
    normal = normalize(expression(bulk_counts()))
    with pytest.raises(InputError, match=r"already normalized \(cpm_log1p\)"):
        prepare_samples(normal)


def test_the_argument_is_not_changed_and_the_result_survives_h5ad(tmp_path):
    values = bulk_counts()
    values[:, 5] = 0.0
    values[:2, 5] = 100.0
    given_data = expression(values, regulators=6)
    before = given_data.X.copy()
    result = prepare_samples(given_data)
    assert np.array_equal(given_data.X, before)
    assert "netinfer" not in given_data.uns
    result.write_h5ad(tmp_path / "x.h5ad")
    back = ad.read_h5ad(tmp_path / "x.h5ad").uns["netinfer"]
    assert back["filter"]["dropped_regulators"].tolist() == ["g5"]
    assert np.array_equal(back["filter"]["statistic"], notes_of(result)["statistic"])
    assert back["design"]["assay"] == "bulk"
    assert back["design"]["block"] == ""
    assert len(back["design"]["covariates"]) == 0
    assert list(back["outliers"].columns) == ["sample", "statistic", "reason"]
    assert list(back["log"]) == list(result.uns["netinfer"]["log"])


@pytest.mark.parametrize("assay", ["bulk", "cells"])
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    zeros=st.sampled_from([0.1, 0.6, 0.95]),
    kind=st.sampled_from(["counts", "log", "zscore", "other"]),
    n=st.sampled_from([30, 700]),  # one block of rows, and two
)
def test_dense_and_sparse_give_the_same_figures(assay, seed, zeros, kind, n):
    rng = np.random.default_rng(seed)
    values = rng.poisson(20.0, size=(n, 7)).astype(float)
    values[rng.random(values.shape) < zeros] = 0.0
    values[0, 0] = 3.0
    values = {"counts": values, "log": np.log1p(values), "zscore": rng.normal(size=(n, 7)), "other": values * 1.7}[kind]
    thin = sparse.csr_matrix(values)
    assert recognise(values) == recognise(thin)
    totals = np.maximum(values.sum(axis=1), 1.0)
    found = [gene_filter(form, kind, assay, FilterConfig(), totals=totals) for form in (values, thin)]
    assert found[0].statistic.tobytes() == found[1].statistic.tobytes()
    assert (found[0].rule, found[0].threshold) == (found[1].rule, found[1].threshold)


def test_figures_agree_with_numpy():
    values = np.random.default_rng(0).gamma(2.0, 3.0, size=(1300, 9))
    values[values < 3] = 0.0
    mean, sd = mean_and_sd(sparse.csr_matrix(values))
    np.testing.assert_allclose(mean, values.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(sd, values.std(axis=0), rtol=1e-13)


def test_sparse_input_stays_sparse():
    values = sparse.csr_matrix(np.random.default_rng(0).poisson(0.2, size=(400, 30)).astype(float))
    result = prepare_samples(expression(values, 5), assay="cells", filter=FilterConfig(min_cells=10))
    assert sparse.issparse(result.X)


def test_settings_may_be_plain_dicts():
    values = bulk_counts()
    values[:, -1] = 2.0  # half a count per million
    assert prepare_samples(expression(values), assay="bulk").n_vars == 7
    assert prepare_samples(expression(values), assay="bulk", filter={"min_cpm": 0.1}).n_vars == 8
    cells = prepare_samples(expression(values), assay="cells", filter={"genes": "none"}, cells={"aggregate": "none"})
    assert cells.uns["netinfer"]["design"]["aggregation"] == "none"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filter": {"min_cmp": 2}}, r"^filter\.min_cmp: unknown key: did you mean `min_cpm`\?$"),
        ({"filter": {"min_share": 2}}, r"^filter\.min_share: 2: .*less than or equal to 1$"),
        (
            {"cells": {"aggregate": "cells"}},
            r"^cells\.aggregate: 'cells' is none of auto, none, metacells or pseudobulk",
        ),
        ({"cells": ["metacells"]}, r"^cells: keys and values are needed here"),
    ],
)
def test_mistakes_in_plain_dicts_are_said(settings, message):
    with pytest.raises(ConfigError, match=message):
        prepare_samples(expression(bulk_counts()), **settings)
