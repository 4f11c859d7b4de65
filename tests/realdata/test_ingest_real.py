"""Reading, ingesting and normalizing published data as they come."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from scipy import sparse
from scipy.io import mmwrite

from netinfer.config import IngestConfig
from netinfer.errors import InputError
from netinfer.io import read_expression, read_gold, read_regulators, read_sample_sheet
from netinfer.preprocess import ingest, normalize


def test_bsubtilis_raw_is_refused_as_it_lies_and_turned_when_told(netinfer_data):
    folder = netinfer_data / "bsubtilis_inferelator"
    regulators = read_regulators(folder / "raw" / "tf_names.tsv.gz")  # quoted in the file
    assert regulators == read_regulators(folder / "regulators.txt")
    matrix = folder / "raw" / "expression.tsv.gz"
    with pytest.raises(
        InputError, match="0 of 239 regulators found as read, 239 transposed: set `orientation: genes_x_samples`"
    ):
        ingest(read_expression(matrix), regulators=regulators)
    adata = ingest(read_expression(matrix, orientation="genes_x_samples"), regulators=regulators)
    assert adata.shape == (266, 4218)
    assert adata.var["is_regulator"].sum() == 239
    assert adata["S0_1", "BSU00370"].X[0, 0] == 15.3887  # first value of the file
    assert normalize(adata).uns["netinfer"]["input_kind"] == "log"


def test_ecoli_precise_with_its_sample_table(netinfer_data):
    folder = netinfer_data / "ecoli_precise"
    adata = read_expression(folder / "expression.tsv.gz")
    with gzip.open(folder / "expression.tsv.gz", "rt") as lines:
        plain = [[float(cell) for cell in line.split("\t")[1:]] for line in list(lines)[1:]]
    assert np.array_equal(adata.X, plain)
    sheet = read_sample_sheet(folder / "raw" / "sample_table.csv.gz")
    result = ingest(adata, regulators=read_regulators(folder / "regulators.txt"), samples=sheet)
    assert result.shape == (278, 3923)
    assert result.var["is_regulator"].sum() == 293
    assert result.obs["condition"].iloc[0] == "wt_glc"
    normal = normalize(result)
    assert normal.uns["netinfer"]["normalization"] == "none"
    assert np.array_equal(normal.X, adata.X)


def test_golds(netinfer_data):
    # (file, pairs, positives) as the data folder's own README counts them
    for name, n_pairs, n_positives in [
        ("bsubtilis_inferelator/gold.tsv.gz", 291_111, 3_070),
        ("ecoli_precise/gold_dream5_net3.tsv.gz", 136_408, 1_893),
        ("ecoli_precise/gold_trn_positives.tsv.gz", 7_072, 7_072),
        ("grndata_syntren300/gold_positives.tsv.gz", 428, 428),
    ]:
        gold = read_gold(netinfer_data / name)
        assert (len(gold), int(gold["is_edge"].sum())) == (n_pairs, n_positives), name
    assert set(read_gold(netinfer_data / "ecoli_precise/gold_trn_positives.tsv.gz")["sign"]) == {-1, 0, 1}


def test_old_h5ad_of_scanpy(netinfer_data):
    path = netinfer_data / "pbmc68k_reduced" / "10x_pbmc68k_reduced.h5ad"
    scaled, raw = read_expression(path), read_expression(path, layer="raw")
    assert scaled.shape == raw.shape == (700, 765)
    assert sparse.issparse(raw.X)
    assert "CD14+ Monocyte" in set(scaled.obs["bulk_labels"])
    assert normalize(scaled).uns["netinfer"]["input_kind"] == "zscore"
    assert normalize(raw).uns["netinfer"]["input_kind"] == "log"
    with pytest.raises(InputError, match="they look like logs"):
        normalize(raw, "cpm_log1p")


def test_tenx_folder_of_real_cells(netinfer_data, tmp_path):
    path = netinfer_data / "pbmc68k_reduced" / "10x_pbmc68k_reduced.h5ad"
    raw = read_expression(path, layer="raw")
    counts = sparse.coo_matrix(np.rint(np.expm1(raw.X.toarray())).astype(int).T)  # counts of the same sparsity
    with (tmp_path / "matrix.mtx").open("wb") as handle:
        mmwrite(handle, counts, field="integer")
    features = "".join(f"ID{i}\t{gene}\tGene Expression\n" for i, gene in enumerate(raw.var_names))
    (tmp_path / "features.tsv.gz").write_bytes(gzip.compress(features.encode()))
    (tmp_path / "barcodes.tsv.gz").write_bytes(gzip.compress("\n".join(raw.obs_names).encode()))
    adata = read_expression(tmp_path)
    assert list(adata.var_names) == [f"ID{i}" for i in range(adata.n_vars)]  # ids are the key, symbols the label
    assert list(adata.var["symbol"]) == list(raw.var_names)
    assert np.array_equal(adata.X.toarray(), counts.T.toarray())
    genes = [gene for gene in ("SPI1", "IRF8", "CEBPB", "JUNB", "KLF6") if gene in set(adata.var["symbol"])]
    result = normalize(ingest(adata, regulators=[*genes, "NOT_A_GENE"]))
    assert result.uns["netinfer"]["normalization"] == "cpm_log1p"
    assert not sparse.issparse(result.X)


def test_yeast_with_missing_values(netinfer_data):
    folder = netinfer_data / "yeast_glass2013"
    adata = read_expression(folder / "expression_sr.tsv.gz")
    assert np.isnan(adata.X).sum() == 12_860  # counted in the data folder's README
    regulators = read_regulators(folder / "regulators.txt")
    with pytest.raises(
        InputError, match=r"12860 missing values.*first in line 2, column 4 \(sample 'sr_1', gene 'YAL058W'\)"
    ):
        ingest(adata, regulators=regulators)
    result = ingest(adata, regulators=regulators, settings=IngestConfig(impute="median"))
    assert np.isfinite(result.X).all()


def test_tables_without_sample_ids_are_refused(netinfer_data):
    for name in ("sachs/cyto_full_data.csv.gz", "dream4_size100/net1/insilico_size100_1_multifactorial.tsv.gz"):
        with pytest.raises(InputError, match=r"numbers .* where the sample ids should be"):
            read_expression(netinfer_data / name)
