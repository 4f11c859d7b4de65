"""Missing values: counted, filled by the rule asked for and no other, and never where most of a gene is missing."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pytest
from scipy import sparse
from sklearn.impute import KNNImputer

from netinfer.config import IngestConfig
from netinfer.errors import InputError
from netinfer.io.build import make_adata
from netinfer.preprocess import ingest
from netinfer.preprocess.imputation import N_NEAREST, count_missing, impute

NAMES = [f"s{i:02d}" for i in range(30)]


def holed(share=0.05, seed=0, shape=(30, 12)):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape) + rng.normal(size=(shape[0], 1))
    values[rng.random(shape) < share] = np.nan
    return values


def run(values, **settings):
    genes = ["tf", *(f"g{i}" for i in range(values.shape[1] - 1))]
    return ingest(
        make_adata(values, NAMES, genes, source="x.tsv"), regulators=["tf"], settings=IngestConfig(**settings)
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.02, 0.3])
def test_nearest_agrees_with_scikit_learn(seed, share):
    values = holed(share, seed)
    expected = KNNImputer(n_neighbors=N_NEAREST).fit_transform(values)
    filled, n = impute(values, "nearest")
    np.testing.assert_allclose(filled, expected, rtol=1e-12, atol=1e-12)
    assert n == np.isnan(values).sum()


def test_nearest_without_a_shared_gene_takes_the_mean():
    values = np.full((9, 2), np.nan)
    values[0, 0] = 5.0
    values[1:, 1] = np.arange(8.0)
    values[1:3, 0] = [1.0, 2.0]
    filled, _ = impute(values, "nearest")
    # s0 has gene 0 alone, which s1 and s2 have too: their gene 1 is averaged
    assert filled[0, 1] == 0.5
    alone = np.array([[np.nan, 1.0], [2.0, np.nan], [4.0, np.nan]])
    assert impute(alone, "nearest")[0][0, 0] == 3.0


@pytest.mark.parametrize(("method", "middle"), [("median", np.nanmedian), ("mean", np.nanmean)])
def test_per_gene_rules(method, middle):
    values = holed()
    filled, _ = impute(values, method)
    holes = np.isnan(values)
    np.testing.assert_allclose(filled[holes], np.broadcast_to(middle(values, axis=0), values.shape)[holes], rtol=1e-15)
    assert np.array_equal(filled[~holes], values[~holes])


@pytest.mark.parametrize("method", ["median", "mean", "nearest"])
def test_counted_and_said(method, tmp_path):
    values = holed()
    n = int(np.isnan(values).sum())
    result = run(values, impute=method)
    notes = result.uns["netinfer"]["missing"]
    assert notes["n"] == notes["n_imputed"] == n
    assert notes["share"] == n / values.size
    assert f"{n} values are missing" in "\n".join(result.uns["netinfer"]["log"])
    assert notes["rule"] in "\n".join(result.uns["netinfer"]["log"])
    result.write_h5ad(tmp_path / "x.h5ad")
    assert ad.read_h5ad(tmp_path / "x.h5ad").uns["netinfer"]["missing"]["n"] == n
    assert "missing" not in run(np.nan_to_num(values)).uns["netinfer"]


def test_without_a_rule_nothing_is_made_up():
    with pytest.raises(InputError, match=r"missing values .*set `impute:` to median or mean of the gene, or nearest"):
        run(holed())


def test_genes_missing_in_more_than_half_of_the_samples_are_dropped():
    values = np.nan_to_num(holed(), nan=0.5)
    values[:15, 3] = np.nan  # half of 30: stays
    values[:16, 4] = np.nan
    values[:, 5] = np.nan
    result = run(values, impute="median")
    dropped = result.uns["netinfer"]["dropped_genes"].set_index("gene")
    assert dropped["reason"].to_dict() == {
        "g4": "no value in any sample",
        "g3": "no value in more than 50% of the samples",
    }
    assert set(dropped["status"]) == {"filtered"}
    assert "g2" in result.var_names
    assert result.uns["netinfer"]["missing"]["n"] == 61
    assert result.uns["netinfer"]["missing"]["n_imputed"] == 15


def test_a_sample_without_any_value_goes():
    values = np.nan_to_num(holed(), nan=0.5)
    values[3] = np.nan
    result = run(values, impute="nearest")
    assert result.n_obs == 29
    assert result.uns["netinfer"]["dropped_samples"]["reason"].tolist() == ["no value in it"]


def test_nothing_measured_is_an_error():
    values = holed()
    values[:] = np.nan
    with pytest.raises(InputError, match="every value is missing"):
        run(values, impute="mean")


def test_a_missing_regulator_that_is_dropped_is_refused():
    values = holed(0.0)
    values[:20, 0] = np.nan
    with pytest.raises(InputError, match="no regulator"):
        run(values, impute="mean")


def test_dense_and_sparse_count_alike():
    values = holed()
    values[values < 0] = 0.0
    dense, thin = count_missing(values), count_missing(sparse.csr_matrix(values))
    assert (dense.n, dense.share) == (thin.n, thin.share)
    assert np.array_equal(dense.gene_share, thin.gene_share)
    assert run(values, impute="nearest").X.tobytes() == run(sparse.csr_matrix(values), impute="nearest").X.tobytes()
