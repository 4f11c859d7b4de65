"""Single cells as scanpy leaves them, bulk compendia and values with holes, from the file to normalized samples."""

from __future__ import annotations

import warnings

import anndata as ad
import numpy as np
import pytest

from netinfer.config import CellsConfig, IngestConfig
from netinfer.errors import InputError
from netinfer.io import read_expression, read_regulators, read_sample_sheet
from netinfer.preprocess import better_layer, ingest, normalize, prepare_samples

TFS = ["SPI1", "IRF8", "CEBPB", "JUNB", "KLF6", "STAT1", "IRF7", "ID2"]


def pbmc(netinfer_data, **settings):
    path = netinfer_data / "pbmc68k_reduced" / "10x_pbmc68k_reduced.h5ad"
    layer = better_layer(read_expression(path))
    assert layer == "raw"  # X is scaled
    read = read_expression(path, layer=layer)
    regulators = [name for name in TFS if name in set(read.var_names)]
    result = prepare_samples(ingest(read, regulators=regulators), **settings)
    return read, result, result.uns["netinfer"]["design"], "\n".join(result.uns["netinfer"]["log"])


def test_pbmc_by_default(netinfer_data):
    _, result, design, log = pbmc(netinfer_data)
    # 660 cells would give 19 metacells: too few, so that the cells stay
    assert (design["assay"], design["aggregation"], design["block"]) == ("cells", "none", "sample")
    assert design["population_note"].startswith("one donor: no claim about the population")
    assert list(design["covariates"]) == ["cell_type", "log_depth"]
    assert "'bulk_labels', found by its name" in log
    assert "660 cells would give 19, fewer than 100" in log
    # of ten types three have fewer than 20 cells (8, 13, 19)
    assert "'CD34+' (13), 'CD4+/CD45RA+/CD25- Naive T' (8), 'CD4+/CD45RO+ Memory' (19)" in log
    assert result.obs["cell_type"].nunique() == 7
    assert result.n_obs == design["n_cells"] == 660
    assert normalize(result).uns["netinfer"]["normalization"] == "none"


def test_pbmc_as_metacells(netinfer_data):
    read, result, design, log = pbmc(netinfer_data, cells=CellsConfig(aggregate="metacells"))
    assert "2 cell types of which one sample alone comes out are left out" in log
    assert result.obs["cell_type"].nunique() == 5
    assert result.obs["n_cells"].between(20, 50).all()
    assert result.obs["n_cells"].sum() == design["n_cells"] == 586
    assert result.n_obs == 19
    # the values are log(1 + x) still: no metacell's mean is above the largest cell's value
    assert result.X.max() <= read.X.max()


def test_pbmc_in_memory_gives_the_same_metacells(netinfer_data):
    path = netinfer_data / "pbmc68k_reduced" / "10x_pbmc68k_reduced.h5ad"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anndata's, about the age of the file
        given = ad.read_h5ad(path)
    result = prepare_samples(given, cells=CellsConfig(aggregate="metacells"))
    other = prepare_samples(read_expression(path, layer="raw"), cells=CellsConfig(aggregate="metacells"))
    assert (result.X != other.X).nnz == 0
    assert list(result.obs_names) == list(other.obs_names)


def test_precise_is_bulk_and_keeps_its_genes(netinfer_data):
    folder = netinfer_data / "ecoli_precise"
    read = ingest(
        read_expression(folder / "expression.tsv.gz"),
        regulators=read_regulators(folder / "regulators.txt"),
        samples=read_sample_sheet(folder / "raw" / "sample_table.csv.gz"),
    )
    result = prepare_samples(read)
    assert result.uns["netinfer"]["design"]["assay"] == "bulk"
    assert result.shape == (278, 3923)  # published filtered: no gene's spread is below a tenth of the median one
    assert np.array_equal(result.X, read.X)
    assert list(result.obs.columns) == list(read.obs.columns)


@pytest.mark.parametrize(("name", "n_missing"), [("cc", 26), ("sr", 12_860)])
@pytest.mark.parametrize("method", ["median", "mean", "nearest"])
def test_yeast_with_holes(netinfer_data, name, n_missing, method):
    folder = netinfer_data / "yeast_glass2013"
    read = read_expression(folder / f"expression_{name}.tsv.gz")
    regulators = read_regulators(folder / "regulators.txt")
    with pytest.raises(InputError, match=f"{n_missing} missing values"):
        ingest(read, regulators=regulators)
    result = ingest(read, regulators=regulators, settings=IngestConfig(impute=method))
    assert result.uns["netinfer"]["missing"]["n"] == n_missing
    too_many = (np.isnan(read.X).mean(axis=0) > 0.5).sum()
    dropped = result.uns["netinfer"]["dropped_genes"]
    assert dropped["reason"].str.startswith("no value in").sum() == too_many
    assert np.isfinite(result.X).all()
    holes = np.isnan(read[result.obs_names, result.var_names].X)
    assert result.uns["netinfer"]["missing"]["n_imputed"] == holes.sum()
    prepared = prepare_samples(result)
    assert prepared.uns["netinfer"]["design"]["assay"] == "bulk"
    assert np.isfinite(normalize(prepared).X).all()
