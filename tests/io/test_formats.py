"""Every format gives the same matrix; what is damaged or asks for the impossible is named."""

from __future__ import annotations

import gzip
import os

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from netinfer.errors import ConfigError, InputError
from netinfer.io import read_expression

FORMATS = [
    "tsv", "csv_gz", "h5ad_dense", "h5ad_csr", "h5ad_csc", "h5ad_int", "h5ad_float16", "parquet_index",
    "parquet_column",
    "loom", "tenx", "tenx_old",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_matrix(tmp_path, matrices, form):
    adata = read_expression(getattr(matrices, form)(tmp_path))
    is_sparse = form in ("h5ad_csr", "h5ad_csc", "tenx", "tenx_old")
    assert sparse.issparse(adata.X) == is_sparse
    values = adata.X.toarray() if is_sparse else adata.X
    assert adata.X.dtype == np.float64
    assert np.array_equal(values, matrices.counts())
    assert list(adata.obs_names) == matrices.SAMPLES
    is_tenx = form.startswith("tenx")  # 10x tables have ids and symbols: ids are the key, symbols the label
    assert list(adata.var_names) == ([f"ENSG{i}" for i in range(4)] if is_tenx else matrices.GENES)
    assert not is_tenx or list(adata.var["symbol"]) == matrices.GENES
    assert all(isinstance(line, str) for line in adata.uns["netinfer"]["log"])
    if is_sparse:
        assert adata.X.format == "csr"
        assert adata.X.has_canonical_format


@pytest.mark.parametrize("form", ["tsv", "h5ad_dense", "h5ad_csr", "parquet_index"])
def test_orientation_turns(tmp_path, matrices, form):
    adata = read_expression(getattr(matrices, form)(tmp_path), orientation="genes_x_samples")
    values = adata.X.toarray() if sparse.issparse(adata.X) else adata.X
    assert np.array_equal(values, matrices.counts().T)
    assert list(adata.obs_names) == matrices.GENES
    assert "turned to" in adata.uns["netinfer"]["log"][-1]


@pytest.mark.parametrize("form", ["loom", "tenx"])
def test_formats_with_a_defined_orientation_are_always_turned(tmp_path, matrices, form):
    path = getattr(matrices, form)(tmp_path)
    assert read_expression(path, orientation="genes_x_samples").shape == (6, 4)
    with pytest.raises(InputError, match="by definition"):
        read_expression(path, orientation="samples_x_genes")
    with pytest.raises(ConfigError, match="orientation"):
        read_expression(path, orientation="sideways")


def test_h5ad_keeps_annotations_and_earlier_notes(tmp_path, matrices):
    adata = matrices.adata()
    adata.uns["netinfer"] = {"normalization": "rank", "log": np.array(["earlier"], dtype=object), "source": "a.tsv"}
    adata.uns["huge"] = {"x": np.zeros(3)}
    adata.write_h5ad(tmp_path / "x.h5ad")
    read = read_expression(tmp_path / "x.h5ad")
    assert list(read.obs["batch"]) == ["a", "b"] * 3
    assert read.uns["netinfer"]["normalization"] == "rank"
    assert read.uns["netinfer"]["log"][0] == "earlier"
    assert read.uns["netinfer"]["source"] == "a.tsv"
    assert list(read.uns) == ["netinfer"]


def test_h5ad_layer_raw_and_gene_column(tmp_path, matrices):
    adata = matrices.adata(matrices.counts() + 1, spliced=sparse.csr_matrix(matrices.counts()))
    adata.raw = adata.copy()
    adata = adata[:, :2].copy()
    adata.write_h5ad(tmp_path / "x.h5ad")
    assert np.array_equal(read_expression(tmp_path / "x.h5ad", layer="spliced").X.toarray(), matrices.counts()[:, :2])
    raw = read_expression(tmp_path / "x.h5ad", layer="raw", gene_column="symbol")
    assert np.array_equal(raw.X, matrices.counts() + 1)
    assert list(raw.var_names) == ["sym0", "sym1", "sym2", "sym3"]
    assert list(raw.var["gene_id"]) == matrices.GENES
    with pytest.raises(InputError, match="no 'unspliced'; there are: spliced, raw"):
        read_expression(tmp_path / "x.h5ad", layer="unspliced")
    with pytest.raises(InputError, match="no column 'name' of genes; there are: symbol"):
        read_expression(tmp_path / "x.h5ad", gene_column="name")


def test_h5ad_without_x_names_the_layers(tmp_path, matrices):
    adata = matrices.adata(spliced=matrices.counts())
    adata.X = None
    adata.write_h5ad(tmp_path / "x.h5ad")
    with pytest.raises(InputError, match="no X: set `layer:` to one of spliced"):
        read_expression(tmp_path / "x.h5ad")


def test_duplicate_entries_are_summed_and_indices_sorted(tmp_path, matrices):
    path = matrices.h5ad_csr(tmp_path)
    with h5py.File(path, "r+") as handle:
        del handle["X/data"], handle["X/indices"], handle["X/indptr"]
        handle["X/data"] = np.array([1.0, 2.0, 4.0])
        handle["X/indices"] = np.array([3, 0, 3], dtype=np.int32)
        handle["X/indptr"] = np.array([0, 3, 3, 3, 3, 3, 3], dtype=np.int32)
    adata = read_expression(path)
    assert adata.X[0].toarray().tolist() == [[2.0, 0.0, 0.0, 5.0]]


def test_loom_layer_attributes_and_gene_column(tmp_path, matrices):
    path = matrices.loom(tmp_path)
    adata = read_expression(path, layer="spliced", gene_column="Accession")
    assert np.array_equal(adata.X, matrices.counts() + 1)
    assert list(adata.var_names) == ["acc0", "acc1", "acc2", "acc3"]
    assert list(adata.obs["batch"]) == ["a", "b"] * 3
    with pytest.raises(InputError, match="no 'x'; there are: spliced"):
        read_expression(path, layer="x")
    with h5py.File(path, "r+") as handle:
        del handle["row_attrs/Gene"]
        handle["row_attrs/Gene"] = np.array(["a"], dtype=h5py.string_dtype())
    with pytest.raises(InputError, match="row_attrs/Gene: 1 entries for 4 genes"):
        read_expression(path)
    with h5py.File(path, "r+") as handle:
        del handle["row_attrs/Gene"], handle["row_attrs/Accession"]
    with pytest.raises(InputError, match="no attribute with the ids of the genes"):
        read_expression(path)


def test_tenx_ids_prefix_and_file(tmp_path, matrices):
    folder = matrices.tenx(tmp_path, prefix="GSM1_")
    by_id = read_expression(folder)
    assert list(by_id.var_names) == ["ENSG0", "ENSG1", "ENSG2", "ENSG3"]
    assert list(by_id.var["gene_symbols"]) == matrices.GENES
    by_symbol = read_expression(folder, gene_column="gene_symbols")
    assert list(by_symbol.var_names) == matrices.GENES
    assert by_symbol.uns["netinfer"]["gene_column"] == "gene_symbols"
    assert np.array_equal(read_expression(folder / "GSM1_matrix.mtx.gz").X.toarray(), matrices.counts())


def test_tenx_leaves_other_features_out(tmp_path, matrices):
    folder = matrices.tenx(tmp_path, zipped=False)
    features = folder / "features.tsv"
    features.write_text(features.read_text().replace("g3\tGene Expression", "CD3\tAntibody Capture"))
    adata = read_expression(folder)
    assert list(adata.var["symbol"]) == ["g0", "g1", "g2"]
    assert any(
        "1 features of other types were left out: 'Antibody Capture'" in line for line in adata.uns["netinfer"]["log"]
    )


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "features.tsv",
            lambda text: text + "ENSG9\tg9\tGene Expression\n",
            "4 x 6, but 5 genes in features.tsv and 6 cells",
        ),
        ("barcodes.tsv", lambda text: text + "s9\n", "but 4 genes in features.tsv and 7 cells in barcodes.tsv"),
        ("features.tsv", lambda text: text.replace("\tg2\t", " g2 "), "line 3: 1 fields where line 1 has 3"),
        ("matrix.mtx", lambda text: text.replace("%%MatrixMarket", "MatrixMarket"), "not a MatrixMarket file"),
        ("matrix.mtx", lambda text: text.replace("integer", "complex"), "coordinate complex general"),
        (
            "matrix.mtx",
            lambda text: text.rsplit("\n", 2)[0] + "\n",
            "damaged MatrixMarket",
        ),  # an entry fewer than declared
        ("matrix.mtx", lambda text: text + "9 1 1\n", "damaged MatrixMarket"),
        ("matrix.mtx", lambda text: text.replace("\n1 1 ", "\n0 1 "), "damaged MatrixMarket"),  # counted from 0
        ("matrix.mtx", lambda text: text.replace("\n4 6 ", "\n4 6 99"), "entries for 4 x 6"),
        ("matrix.mtx", lambda text: text.replace("\n4 6 ", "\n6 4 "), "the matrix is cells x genes"),
    ],
)
def test_tenx_faults(tmp_path, matrices, file, change, message):
    folder = matrices.tenx(tmp_path, zipped=False)
    before = (folder / file).read_text()
    after = change(before)
    assert after != before
    (folder / file).write_text(after)
    with pytest.raises(InputError, match=message):
        read_expression(folder)


def test_tenx_files_missing(tmp_path, matrices):
    folder = matrices.tenx(tmp_path)
    (folder / "barcodes.tsv.gz").unlink()
    with pytest.raises(InputError, match=r"no barcodes\.tsv"):
        read_expression(folder)
    (folder / "matrix.mtx.gz").unlink()
    with pytest.raises(InputError, match=r"folder without matrix\.mtx"):
        read_expression(folder)


def test_tenx_truncated_gzip(tmp_path, matrices):
    folder = matrices.tenx(tmp_path)
    path = folder / "matrix.mtx.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="damaged gzip"):
        read_expression(folder)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"a": [1.0], "b": [2.0]}), "numbers where the sample ids should be"),
        (pd.DataFrame({"id": ["s1"], "g1": ["x"]}), "column 'g1'.*not numbers"),
        (pd.DataFrame({"id": ["s1"], "g1": [np.inf]}), "1 infinite values"),
        (pd.DataFrame({"id": ["s1"]}), "1 samples x 0 genes"),
    ],
)
def test_parquet_faults(tmp_path, frame, message):
    frame.to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match=message):
        read_expression(tmp_path / "x.parquet")


def test_parquet_nulls_are_nan(tmp_path):
    frame = pd.DataFrame({"id": ["s1", "s2"], "g1": pd.array([1, None], dtype="Int64"), "g2": [0.5, None]})
    frame.to_parquet(tmp_path / "x.parquet")
    adata = read_expression(tmp_path / "x.parquet")
    assert np.array_equal(adata.X, [[1, 0.5], [np.nan, np.nan]], equal_nan=True)


def test_parquet_truncated(tmp_path, matrices):
    path = matrices.parquet_index(tmp_path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="damaged or not parquet"):
        read_expression(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.h5ad", b"", "empty file"),
        ("x.h5ad", b"\x89HDF", "not an HDF5 file \\(4 bytes\\)"),
        ("x.h5ad", b"\x80\x04\x95abc.", "Python pickle"),
        ("x.tsv", b"\x80\x04\x95abc.", "Python pickle"),
        ("x.npz", b"PK\x03\x04abc", "zip archive"),
        ("x.npy", b"\x93NUMPY\x01\x00", "numpy file"),
        ("x.tsv.bz2", b"BZh91AY", "bzip2"),
        ("x.h5ad", b"a\tb\n", "not an HDF5 file"),
    ],
)
def test_content_decides(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_expression(tmp_path / name)


def test_what_is_not_a_regular_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_expression(tmp_path / "missing.tsv")
    os.mkfifo(tmp_path / "pipe.tsv")
    with pytest.raises(InputError, match="not a regular file"):
        read_expression(tmp_path / "pipe.tsv")
    with pytest.raises(InputError, match="not a regular file"):
        read_expression("/dev/zero")
    (tmp_path / "a.tsv").symlink_to(tmp_path / "b.tsv")
    (tmp_path / "b.tsv").symlink_to(tmp_path / "a.tsv")
    with pytest.raises(InputError, match="cannot be opened"):
        read_expression(tmp_path / "a.tsv")


def test_options_that_do_not_apply(tmp_path, matrices):
    with pytest.raises(InputError, match="`layer: raw` does not apply"):
        read_expression(matrices.tsv(tmp_path), layer="raw")
    with pytest.raises(InputError, match="`gene_column: symbol` does not apply"):
        read_expression(matrices.parquet_index(tmp_path), gene_column="symbol")


def test_gzip_text_with_any_name(tmp_path, matrices):
    path = matrices.tsv(tmp_path)
    other = tmp_path / "noname.tsv"
    other.write_bytes(gzip.compress(path.read_bytes()))
    assert np.array_equal(read_expression(other).X, matrices.counts())


def test_complex_and_large_integers_are_refused(tmp_path, matrices):
    path = tmp_path / "x.h5ad"
    for bad, message in ((np.full((6, 4), 2**60), "beyond 2\\^53"), (np.ones((6, 4), dtype=complex), "complex128")):
        matrices.adata().write_h5ad(path)
        with h5py.File(path, "r+") as handle:
            attributes = dict(handle["X"].attrs)
            del handle["X"]
            handle["X"] = bad
            handle["X"].attrs.update(attributes)
        with pytest.raises(InputError, match=message):
            read_expression(path)


def test_reading_does_not_change_a_backed_or_written_file(tmp_path, matrices):
    path = matrices.h5ad_dense(tmp_path)
    before = path.read_bytes()
    read_expression(path)
    assert path.read_bytes() == before
    assert ad.read_h5ad(path).shape == (6, 4)
