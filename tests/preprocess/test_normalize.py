"""Normalization: what auto sees, each method against a definition written down apart, refusals, dense = sparse."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from netinfer.errors import ConfigError, InputError
from netinfer.preprocess import normalize
from netinfer.preprocess.kind import recognise

RNG = np.random.default_rng(1)
COUNTS = RNG.negative_binomial(2, 0.02, size=(12, 40)).astype(float) + 1
LOGS = np.log2(COUNTS + 0.5)
TPM = COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e6
ZSCORES = (LOGS - LOGS.mean(axis=0)) / LOGS.std(axis=0)


@pytest.mark.parametrize(
    ("values", "kind", "method"),
    [
        (COUNTS, "counts", "cpm_log1p"),
        (np.minimum(COUNTS, 3), "counts", "cpm_log1p"),  # shallow single-cell counts
        (LOGS, "log", "none"),
        (np.log1p(TPM), "log", "none"),
        (LOGS - LOGS.mean(axis=0) * 0.9, "log", "none"),  # log ratios that are not centred
        (ZSCORES, "zscore", "none"),
        (np.clip(ZSCORES, -2, 2), "zscore", "none"),
        (TPM, "other", "rank"),
        (COUNTS + 0.25, "other", "rank"),  # estimated counts
    ],
)
def test_auto_tells_kinds_apart_and_says_so(values, kind, method):
    result = normalize(values)
    notes = result.uns["netinfer"]
    assert notes["input_kind"] == kind
    assert notes["normalization"] == method
    said = " ".join(notes["log"])
    assert f"range {values.min():.6g} to {values.max():.6g}" in said
    assert f"normalization {method}" in said
    assert "chosen by auto" in said


def test_cpm_log1p():
    expected = np.log1p(COUNTS / COUNTS.sum(axis=1, keepdims=True) * 1e6)
    assert np.array_equal(normalize(COUNTS, "cpm_log1p").X, expected)


def test_size_factors_are_those_of_deseq():
    counts = COUNTS.copy()
    counts[0, :5] = 0  # these five genes have no geometric mean and are left out
    reference = stats.gmean(counts[:, 5:], axis=0)
    factors = np.median(counts[:, 5:] / reference, axis=1)
    result = normalize(counts, "size_factors_log")
    assert np.allclose(result.X, np.log1p(counts / factors[:, None]), rtol=1e-12, atol=0)
    assert "size factors from 35 genes" in " ".join(result.uns["netinfer"]["log"])


def test_size_factors_undo_depth():
    depth = np.array([1.0, 2.0, 4.0] * 4)
    same = np.tile(COUNTS[0] * 3, (12, 1)) * depth[:, None]
    assert np.ptp(normalize(same, "size_factors_log").X, axis=0).max() < 1e-12  # equal up to rounding of exp(log)


def test_size_factors_without_a_common_gene():
    counts = np.eye(12)[:, :12] * 5 + np.eye(12)[::-1] * 3
    with pytest.raises(InputError, match=r"no gene is above zero in all 12 samples.*use cpm_log1p"):
        normalize(counts, "size_factors_log")


def test_quantile_gives_every_sample_one_distribution():
    values = LOGS + RNG.normal(scale=0.1, size=LOGS.shape)  # no ties
    result = normalize(values, "quantile").X
    rows = np.sort(result, axis=1)
    assert np.allclose(rows, rows[0], rtol=0, atol=1e-12)
    assert np.allclose(rows[0], np.sort(values, axis=1).mean(axis=0), rtol=0, atol=1e-12)
    order = [stats.rankdata(row) for row in result]
    assert np.array_equal(order, [stats.rankdata(row) for row in values])


def test_quantile_ties_get_their_mean():
    values = np.array([[1.5, 1.5, 4.0], [1.0, 2.0, 6.0]])
    # sorted means are 1.25, 1.75, 5; the tie of the first sample spans the first two
    assert normalize(values, "quantile").X.tolist() == [[1.5, 1.5, 5.0], [1.25, 1.75, 5.0]]


def test_rank_gives_normal_scores():
    result = normalize(LOGS, "rank").X
    expected = stats.norm.ppf(stats.rankdata(LOGS, axis=0) / 13)
    assert np.allclose(result, expected, rtol=1e-12, atol=1e-12)
    assert np.array_equal(normalize(np.exp(LOGS) + 0.1, "rank").X, result)  # any increasing transform gives the same


def test_rank_of_counts_corrects_for_depth_first():
    depth = np.repeat([1.0, 10.0], 6)[:, None]
    assert np.array_equal(
        normalize(COUNTS * depth, "rank").X,
        stats.norm.ppf(stats.rankdata(COUNTS / COUNTS.sum(1, keepdims=True), axis=0) / 13),
    )


@pytest.mark.parametrize("method", ["cpm_log1p", "size_factors_log"])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (-COUNTS, "needs counts, and the lowest value is -"),
        (ZSCORES, "they look like z-scores: use `none`"),
        (LOGS, r"100.00% of the values are no whole numbers \(max .*they look like logs: use `none`"),
        (COUNTS + 0.5, r"no whole numbers \(max .*round estimated counts first"),
    ],
)
def test_count_methods_refuse_what_is_no_count(values, method, message):
    with pytest.raises(InputError, match=message):
        normalize(values, method)


def test_a_single_negative_count_is_refused():
    counts = COUNTS.copy()
    counts[3, 4] = -1
    with pytest.raises(InputError, match="the lowest value is -1"):
        normalize(counts, "cpm_log1p")


def test_nothing_is_normalized_twice(tmp_path):
    once = normalize(COUNTS)
    for method in ("auto", "cpm_log1p", "rank", "quantile"):
        with pytest.raises(InputError, match="already normalized \\(cpm_log1p\\)"):
            normalize(once, method)
    once.write_h5ad(tmp_path / "x.h5ad")
    with pytest.raises(InputError, match="already normalized"):
        normalize(ad.read_h5ad(tmp_path / "x.h5ad"))
    again = normalize(once, "none")
    assert np.array_equal(again.X, once.X)
    assert again.uns["netinfer"]["normalization"] == "cpm_log1p"
    assert again.uns["netinfer"]["input_kind"] == "counts"
    assert normalize(normalize(LOGS, "none")).uns["netinfer"]["normalization"] == "none"


def test_centring_by_batch():
    sheet = pd.DataFrame({"batch": list("aabbccaabbcc"), "one": list("aaaaaaaaaaab")}, index=list("ABCDEFGHIJKL"))
    adata = ad.AnnData(LOGS.copy(), obs=sheet)
    before = adata.X.copy()
    result = normalize(adata, "none", center_by="batch")
    assert np.array_equal(adata.X, before)
    for batch in "abc":
        rows = (adata.obs["batch"] == batch).to_numpy()
        assert np.array_equal(result.X[rows], LOGS[rows] - LOGS[rows].mean(axis=0))
    assert result.uns["netinfer"]["center_by"] == "batch"
    with pytest.raises(InputError, match=r"groups of 'one' with one sample.*'b'"):
        normalize(adata, "none", center_by="one")
    with pytest.raises(InputError, match="no column 'donor' of samples; there are: batch, one"):
        normalize(adata, "none", center_by="donor")
    with pytest.raises(InputError, match="already centred by 'batch'"):
        normalize(result, "none", center_by="batch")
    adata.obs["batch"] = pd.Categorical([None, *"abbccaabbcc"])
    with pytest.raises(InputError, match="1 samples have no 'batch': 'A'"):
        normalize(adata, "none", center_by="batch")


@pytest.mark.parametrize(("bad", "message"), [(np.nan, "1 missing values"), (np.inf, "1 infinite values")])
def test_only_finite_values(bad, message):
    values = LOGS.copy()
    values[2, 3] = bad
    with pytest.raises(InputError, match=message):
        normalize(values)


def test_a_sample_without_counts_is_refused():
    counts = COUNTS.copy()
    counts[3] = 0
    with pytest.raises(InputError, match="1 samples have no count at all: 's0004'"):
        normalize(counts)


def test_unknown_method():
    with pytest.raises(ConfigError, match="use one of auto"):
        normalize(COUNTS, "cpm")


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    method=st.sampled_from(["auto", "cpm_log1p", "size_factors_log", "quantile", "rank", "none"]),
    form=st.sampled_from([sparse.csr_matrix, sparse.csc_matrix, np.asfortranarray]),
)
def test_the_form_of_the_input_does_not_change_a_bit(seed, method, form):
    counts = np.random.default_rng(seed).poisson(1.0, size=(10, 8)).astype(float)
    counts[:, 0] += 1  # a gene above zero everywhere, so that size factors exist
    counts[0, 1] += 2
    frame = normalize(counts, method)
    other = normalize(form(counts), method)
    assert other.X.flags.c_contiguous
    assert frame.X.tobytes() == other.X.tobytes()
    assert list(frame.uns["netinfer"]["log"]) == list(other.uns["netinfer"]["log"])


def test_float32_counts_give_the_same_bits():
    assert normalize(COUNTS.astype(np.float32)).X.tobytes() == normalize(COUNTS).X.tobytes()


def test_extreme_values_are_recognised_without_overflow():
    values = np.array([[1e308, 1.5], [-1e308, 2.5], [1e308, 0.5]])
    assert recognise(values).kind == "other"


def test_figures_of_recognition():
    seen = recognise(np.array([[0.0, 1.5], [2.0, -1.0]]))
    assert (seen.low, seen.high, seen.share_integer, seen.share_negative) == (-1.0, 2.0, 0.75, 0.25)
