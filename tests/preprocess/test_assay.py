"""Bulk samples and single cells are told apart by what the samples say of themselves and by their zeros."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from netinfer.config import CellsConfig
from netinfer.errors import ConfigError
from netinfer.preprocess import better_layer, prepare_samples
from netinfer.preprocess.assay import log_base, tell_assay, with_layer
from netinfer.preprocess.kind import recognise


def counts(n, zeros, depth, n_genes=60, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.poisson(depth / n_genes / (1 - zeros), size=(n, n_genes)).astype(float) + 1
    values[rng.random((n, n_genes)) < zeros] = 0.0
    return values


def frame(n, **columns):
    return pd.DataFrame(columns, index=[f"c{i}" for i in range(n)])


def told(values, obs=None):
    return tell_assay(ad.AnnData(values, obs=frame(len(values)) if obs is None else obs), recognise(values).kind)


TYPES = ["T", "B"]


@pytest.mark.parametrize(
    ("n", "zeros", "depth", "columns", "assay"),
    [
        (278, 0.3, 5e6, {}, "bulk"),  # as PRECISE's counts would be
        (1000, 0.45, 3e7, {}, "bulk"),  # a large bulk study, all genes of the annotation
        (1000, 0.7, 3e7, {}, "cells"),
        (300, 0.9, 3e3, {}, "cells"),
        (150, 0.9, 3e3, {}, "bulk"),  # too few rows to say by the zeros alone
        (150, 0.9, 3e3, {"n_genes_by_counts": 5}, "cells"),
        (150, 0.9, 3e3, {"nCount_RNA": 5}, "cells"),
        (150, 0.9, 3e3, {"percent.mt": 5}, "cells"),
        (50, 0.9, 3e3, {"n_genes_by_counts": 5}, "bulk"),
        (150, 0.3, 5e6, {"n_genes_by_counts": 5}, "bulk"),  # scanpy's quality columns on bulk samples
        (150, 0.3, 5e4, {"cell_type": TYPES}, "cells"),
        (150, 0.3, 5e6, {"cell_type": TYPES}, "bulk"),  # sorted bulk samples
        (150, 0.3, 5e4, {"CellType": TYPES}, "cells"),
        (150, 0.3, 5e4, {"condition": TYPES}, "bulk"),
    ],
)
def test_counts(n, zeros, depth, columns, assay):
    obs = frame(n, **{name: np.resize(value, n) for name, value in columns.items()})
    found, reason = told(counts(n, zeros, depth), obs)
    assert found == assay
    assert f"{n} rows" in reason
    assert "set `assay` if they are not" in reason
    for name in columns:
        assert (repr(name) in reason) == (assay == "cells" or depth > 1e6)


@pytest.mark.parametrize(
    ("n", "zeros", "columns", "assay"),
    [
        (300, 0.8, {}, "cells"),
        (300, 0.3, {}, "bulk"),
        (300, 0.05, {"cell_type": TYPES}, "bulk"),
        (300, 0.3, {"cell_type": TYPES}, "cells"),
        (1200, 0.0, {"cell_type": TYPES}, "cells"),
        (300, 0.05, {"n_genes": 5}, "cells"),
    ],
)
def test_logs(n, zeros, columns, assay):
    values = np.log1p(counts(n, zeros, 3e4))
    assert told(values, frame(n, **{name: np.resize(value, n) for name, value in columns.items()}))[0] == assay


def test_sparse_and_dense_are_told_alike():
    values = counts(250, 0.8, 3e3)
    assert told(values) == tell_assay(ad.AnnData(sparse.csr_matrix(values), obs=frame(250)), "counts")


def test_what_is_asked_for_is_not_questioned():
    values = counts(300, 0.9, 3e3)
    log = prepare_samples(values, assay="bulk").uns["netinfer"]["log"]
    assert "the samples are bulk samples, as asked" in list(log)
    with pytest.raises(ConfigError, match="assay: 'cell': use one of auto, bulk, cells"):
        prepare_samples(values, assay="cell")


def scanpy_like(n=300):
    """An object as scanpy leaves it: X scaled and of some genes, .raw log-normalised and of all."""
    raw = counts(n, 0.7, 3e3)
    obs = frame(n, n_genes=np.arange(n), cell_type=pd.Categorical(np.resize(TYPES, n)))
    genes = [f"g{i}" for i in range(60)]
    whole = ad.AnnData(sparse.csr_matrix(np.log1p(raw)), obs=obs, var=pd.DataFrame(index=genes))
    scaled = np.log1p(raw)[:, :40]
    scaled = (scaled - scaled.mean(axis=0)) / scaled.std(axis=0)
    result = ad.AnnData(scaled, obs=obs, var=pd.DataFrame({"is_regulator": np.arange(40) < 4}, index=genes[:40]))
    result.raw = whole
    return result, raw


def test_scaled_cells_are_read_from_before_scaling():
    adata, raw = scanpy_like()
    assert better_layer(adata) == "raw"
    result = prepare_samples(adata)
    assert "X holds z-scores of single cells, so the values of .raw are used: 300 x 60" in list(
        result.uns["netinfer"]["log"]
    )
    assert result.n_vars > 40
    assert result.var["is_regulator"].sum() == 4
    adata.layers["counts"] = raw[:, :40]
    assert better_layer(adata) == "counts"
    assert np.array_equal(with_layer(adata, "counts").X, raw[:, :40])
    assert prepare_samples(adata).obs["library_size"].sum() == raw[:, :40].sum()


def test_other_objects_keep_their_x():
    adata, raw = scanpy_like()
    plain = ad.AnnData(adata.X.copy(), obs=adata.obs)
    assert better_layer(plain) is None
    bulk = ad.AnnData(adata.X.copy(), layers={"counts": raw[:, :40]}, obs=adata.obs[[]])
    assert better_layer(bulk) is None  # nothing says that these are cells
    logs = ad.AnnData(np.log1p(raw), layers={"counts": raw}, obs=adata.obs)
    assert better_layer(logs) is None  # X is no z-score: the user chose it


def test_base_of_logs():
    assert log_base({}) == np.e
    assert log_base({"log1p": {"base": None}}) == np.e
    assert log_base({"log1p": {"base": 2}}) == 2.0
    assert log_base({"netinfer": {"log_base": 10.0}}) == 10.0


def test_a_file_says_what_else_it_has(tmp_path):
    from netinfer.io import read_expression

    adata, _ = scanpy_like()
    adata.uns["log1p"] = {"base": 2}
    adata.write_h5ad(tmp_path / "x.h5ad")
    read = read_expression(tmp_path / "x.h5ad")
    assert list(read.uns["netinfer"]["matrices"]) == ["raw"]
    assert read.uns["netinfer"]["log_base"] == 2.0
    assert better_layer(read) == "raw"
    log = "\n".join(prepare_samples(read, cells=CellsConfig(type_column="cell_type")).uns["netinfer"]["log"])
    assert "`layer: raw` would give the values before scaling" in log
    again = read_expression(tmp_path / "x.h5ad", layer="raw")
    assert better_layer(again) is None
    assert again.uns["netinfer"]["log_base"] == 2.0
