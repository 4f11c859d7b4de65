"""One entry for every expression file: looks at the content, then the name, and calls the format's reader."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from netinfer.errors import ConfigError, InputError
from netinfer.io.source import file_kind, regular_file

if TYPE_CHECKING:
    from anndata import AnnData

ORIENTATIONS = ("auto", "samples_x_genes", "genes_x_samples")
_BINARY = {
    "pickle": "a Python pickle, which can run code when opened and is never read: save it as h5ad or tsv",
    "numpy": "a numpy file, which has no gene names: save it as h5ad, tsv or parquet",
    "zip": "a zip archive (an Excel workbook, or .npz): save it as tsv, csv or h5ad",
    "bzip2": "bzip2-compressed: unpack it or compress it with gzip",
    "xz": "xz-compressed: unpack it or compress it with gzip",
    "zstd": "zstd-compressed: unpack it or compress it with gzip",
}


def read_expression(
    path: str | os.PathLike[str],
    *,
    orientation: str = "auto",
    layer: str | None = None,
    gene_column: str | None = None,
    encoding: str = "utf-8",
) -> AnnData:
    """Read an expression matrix of any supported format as samples x genes.

    Formats: csv and tsv (plain or gzip; ids in the first line and column), h5ad, loom, parquet, and a folder (or the
    ``matrix.mtx`` in it) or HDF5 file as 10x Genomics' tools write it. Values are those of the file, converted to
    float64 without loss; ids are those of the file to the letter. Nothing is dropped, summed or turned unless asked
    for: that is :func:`netinfer.preprocess.ingest`'s work.

    Parameters
    ----------
    path : path
        File or 10x folder.
    orientation : {"auto", "samples_x_genes", "genes_x_samples"}
        "genes_x_samples" turns the matrix. "auto" reads rows as samples, save for the formats whose definition is
        genes x cells (10x, loom), which are always turned; ingest then checks by the regulator list.
    layer : str, optional
        h5ad, loom: a layer's name instead of X; "raw" takes h5ad's ``raw``.
    gene_column : str, optional
        h5ad, loom, 10x: the column of gene annotations to use as gene ids (10x: "gene_ids", the default, or
        "gene_symbols").
    encoding : str
        Of text files.

    Returns
    -------
    AnnData, n_samples x n_genes
        ``X`` float64: dense, or CSR where the file is sparse. Missing values are NaN. ``obs`` and ``var`` carry the
        file's annotations, ``uns["netinfer"]`` the ``source`` and a ``log``.

    Raises
    ------
    InputError
        The file cannot be used; the message names file, place and remedy.
    ConfigError
        An impossible option.
    """
    if orientation not in ORIENTATIONS:
        raise ConfigError(f"orientation: {orientation!r}: use one of {', '.join(ORIENTATIONS)}")
    adata = _read(Path(path), orientation, layer, gene_column, encoding)
    if gene_column is not None:  # names that were asked for are kept, also where they stand more than once
        adata.uns["netinfer"]["gene_column"] = gene_column
    return adata


def _read(path: Path, orientation: str, layer: str | None, gene_column: str | None, encoding: str) -> AnnData:
    if path.is_dir():
        return _tenx(path, orientation, layer, gene_column, encoding)
    path = regular_file(path)
    kind, name = file_kind(path), path.name.lower()
    if kind in _BINARY:
        raise InputError(f"{path}: is {_BINARY[kind]}")
    if name.endswith((".mtx", ".mtx.gz")):
        return _tenx(path, orientation, layer, gene_column, encoding)
    if kind == "hdf5":
        from netinfer.io.hdf5 import is_loom, is_tenx

        if is_loom(path):
            from netinfer.io.loom import read_loom

            _only_by_definition(orientation, "loom", path)
            return read_loom(path, layer=layer, gene_column=gene_column)
        if is_tenx(path):
            from netinfer.io.tenx import read_tenx_hdf5

            _only_by_definition(orientation, "10x", path)
            _no_option(layer, "layer", path)
            return read_tenx_hdf5(path, gene_column=gene_column)
        from netinfer.io.h5ad import read_h5ad

        return turn(read_h5ad(path, layer=layer, gene_column=gene_column), orientation)
    if name.endswith((".h5ad", ".h5", ".hdf5", ".loom")):
        raise InputError(
            f"{path}: not an HDF5 file ({path.stat().st_size} bytes): incomplete, or another format under this name"
        )
    _no_option(layer, "layer", path)
    _no_option(gene_column, "gene_column", path)
    if kind == "parquet" or name.endswith(".parquet"):
        from netinfer.io.parquet import read_parquet

        return turn(read_parquet(path), orientation)
    return _text(path, orientation, encoding)


def _text(path: Path, orientation: str, encoding: str) -> AnnData:
    from netinfer.io.build import make_adata
    from netinfer.io.text import read_text_matrix

    is_turned = orientation == "genes_x_samples"
    kinds = ("gene", "sample") if is_turned else ("sample", "gene")
    table = read_text_matrix(path, encoding=encoding, row_kind=kinds[0], column_kind=kinds[1])
    shape = f"{len(table.rows)} {kinds[0]}s x {len(table.columns)} {kinds[1]}s"
    log = [f"read {path.name}: {'tab' if table.separator != ',' else 'comma'}-separated text, {shape}", *table.log]
    notes = {"missing_cells": table.missing} if table.missing else {}
    adata = make_adata(table.numbers, table.rows, table.columns, source=str(path), log=log, notes=notes)
    return turn(adata, orientation)


def _tenx(path: Path, orientation: str, layer: str | None, gene_column: str | None, encoding: str) -> AnnData:
    from netinfer.io.tenx import read_tenx

    _only_by_definition(orientation, "10x", path)
    _no_option(layer, "layer", path)
    return read_tenx(path, gene_column=gene_column, encoding=encoding)


def turn(adata: AnnData, orientation: str) -> AnnData:
    """Turn a matrix that was read as rows x columns if its rows are declared to be genes."""
    if orientation != "genes_x_samples":
        return adata
    import numpy as np
    from scipy import sparse

    from netinfer.io.build import make_adata

    values = adata.X.T.tocsr() if sparse.issparse(adata.X) else np.ascontiguousarray(adata.X.T)
    notes = dict(adata.uns["netinfer"])
    log = [
        *notes.pop("log"),
        f"turned to {adata.n_vars} samples x {adata.n_obs} genes, as `orientation: genes_x_samples` says",
    ]
    return make_adata(values, adata.var, adata.obs, source=notes.pop("source"), log=log, notes=notes)


def _only_by_definition(orientation: str, name: str, path: Path) -> None:
    if orientation == "samples_x_genes":
        raise InputError(
            f"{path}: {name} matrices are genes x cells by definition and are turned on reading: take `orientation` out"
        )


def _no_option(value: str | None, name: str, path: Path) -> None:
    if value is not None:
        raise InputError(f"{path}: `{name}: {value}` does not apply to this format: take it out")
