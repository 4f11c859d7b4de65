"""10x Genomics' MatrixMarket folder (matrix.mtx, features.tsv or genes.tsv, barcodes.tsv, plain or gzip), and HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from scipy import sparse
from scipy.io import mmread

from netinfer.errors import InputError
from netinfer.io.build import canonical_csr, make_adata
from netinfer.io.hdf5 import check_index_arrays, open_hdf5
from netinfer.io.ids import some
from netinfer.io.source import memory_bytes, open_bytes, regular_file, text_lines

if TYPE_CHECKING:
    from anndata import AnnData

_COLUMNS = ("gene_ids", "gene_symbols", "feature_types")


def read_tenx(path: Path, *, gene_column: str | None = None, encoding: str = "utf-8") -> AnnData:
    """Read a 10x folder: genes x cells by definition of the format, returned as cells x genes.

    Parameters
    ----------
    path : Path
        The folder, or the matrix in it. A prefix before ``matrix.mtx`` (GEO's way) is kept for the other two files.
    gene_column : {"gene_ids", "gene_symbols"}, optional
        What names the genes: the ids by default, since symbols stand more than once in most annotations.
    encoding : str
        Of the two tables.

    Returns
    -------
    AnnData
        CSR, n_cells x n_genes; ``var`` holds gene_ids, gene_symbols and feature_types as far as given, and the symbols
        again as ``symbol``, the genes' label. Features of
        another type than "Gene Expression" are left out and logged.

    Raises
    ------
    InputError
        A file missing or damaged, counts that disagree (both are named), another kind of MatrixMarket.
    """
    matrix = _matrix_file(path)
    prefix = matrix.name[: matrix.name.index("matrix.mtx")]
    features = _beside(matrix.parent, prefix, ("features.tsv", "genes.tsv"))
    barcodes = _beside(matrix.parent, prefix, ("barcodes.tsv",))
    var = _feature_table(features, encoding)
    cells = [line.split("\t")[0] for line in text_lines(barcodes, encoding)]
    n_rows, n_columns = _size(matrix)
    if (n_rows, n_columns) != (len(var), len(cells)):
        message = (
            f"{matrix}: {n_rows} x {n_columns}, but {len(var)} genes in {features.name} "
            f"and {len(cells)} cells in {barcodes.name}"
        )
        hint = (
            "the matrix is cells x genes, write it turned"
            if (n_columns, n_rows) == (len(var), len(cells))
            else "files of different runs?"
        )
        raise InputError(f"{message}: {hint}")
    if not cells or var.empty:
        raise InputError(f"{matrix}: {len(cells)} cells x {len(var)} genes: nothing to infer from")
    try:
        with open_bytes(matrix) as handle:
            values = canonical_csr(mmread(handle).T, str(matrix))
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"{matrix}: damaged MatrixMarket file ({' '.join(str(error).split())[:160]}): fetch it again"
        ) from None
    log = [
        f"read {matrix.name}: 10x folder, {n_rows} genes x {n_columns} cells, "
        f"turned to {n_columns} samples x {n_rows} genes"
    ]
    return _keyed(values, cells, var, path, log, gene_column)


def read_tenx_hdf5(path: Path, *, gene_column: str | None = None) -> AnnData:
    """Read 10x Genomics' HDF5 file (``filtered_feature_bc_matrix.h5``, Cell Ranger 3 and later) as cells x genes.

    Parameters
    ----------
    path : Path
    gene_column : {"gene_ids", "gene_symbols"}, optional
        As for `read_tenx`.

    Returns
    -------
    AnnData
        As `read_tenx` gives it.

    Raises
    ------
    InputError
        A part missing or damaged, counts that disagree.
    """
    with open_hdf5(path) as handle:
        group = handle["matrix"]
        parts = ("barcodes", "data", "indices", "indptr", "shape", "features/id", "features/name")
        absent = [part for part in parts if part not in group]
        if absent:
            raise InputError(f"{path}: matrix: no {', '.join(absent)}: a 10x file of Cell Ranger 3 or later is needed")
        cells = [str(name) for name in group["barcodes"].asstr("utf-8", "strict")[...]]
        columns = {"gene_ids": "id", "gene_symbols": "name", "feature_types": "feature_type"}
        var = pd.DataFrame(
            {
                name: group["features"][part].asstr("utf-8", "strict")[...].astype(object)
                for name, part in columns.items()
                if part in group["features"]
            }
        )
        n_genes, n_cells = (int(size) for size in group["shape"][...])
        if (n_genes, n_cells) != (len(var), len(cells)):
            raise InputError(
                f"{path}: matrix: {n_genes} x {n_cells}, but {len(var)} genes and {len(cells)} cells: write it again"
            )
        if not cells or var.empty:
            raise InputError(f"{path}: {len(cells)} cells x {len(var)} genes: nothing to infer from")
        arrays = group["data"], group["indices"], group["indptr"]
        check_index_arrays(*arrays, n_cells, n_genes, f"{path}: matrix")
        data, indices, indptr = (array[...] for array in arrays)
    values = canonical_csr(sparse.csr_matrix((data, indices, indptr), shape=(n_cells, n_genes)), f"{path}: matrix")
    log = [
        f"read {path.name}: 10x HDF5, {n_genes} genes x {n_cells} cells, turned to {n_cells} samples x {n_genes} genes"
    ]
    return _keyed(values, cells, var, path, log, gene_column)


def _keyed(
    values: sparse.csr_matrix, cells: list[str], var: pd.DataFrame, path: Path, log: list[str], gene_column: str | None
) -> AnnData:
    """Leave features of other types out, and name the genes."""
    if "feature_types" in var:
        keep = (var["feature_types"] == "Gene Expression").to_numpy()
        if keep.any() and not keep.all():
            others = sorted(set(var["feature_types"][~keep]))
            log.append(f"{int((~keep).sum())} features of other types were left out: {some(others)}")
            values, var = values[:, keep], var[keep]
    key = gene_column or "gene_ids"
    if key not in var:
        raise InputError(f"{path}: gene_column: no {key!r}; there are: {', '.join(var.columns)}")
    var = var.set_index(pd.Index(var[key].to_numpy(), dtype=object))
    if "gene_symbols" in var and key != "gene_symbols":
        var["symbol"] = var["gene_symbols"]
    return make_adata(values, cells, var, source=str(path), log=[*log, f"genes are named by {key}"])


def _matrix_file(path: Path) -> Path:
    if not path.is_dir():
        if "matrix.mtx" not in path.name:
            raise InputError(
                f"{path}: a MatrixMarket file needs the name matrix.mtx, with features.tsv and barcodes.tsv beside it"
            )
        return regular_file(path)
    found = sorted(child for child in path.iterdir() if child.name.endswith(("matrix.mtx", "matrix.mtx.gz")))
    if not found:
        raise InputError(f"{path}: is a folder without matrix.mtx(.gz): name a file, or a 10x folder")
    if len(found) > 1:
        raise InputError(f"{path}: {len(found)} matrices ({some([child.name for child in found])}): name one of them")
    return regular_file(found[0])


def _beside(folder: Path, prefix: str, names: tuple[str, ...]) -> Path:
    candidates = [folder / f"{prefix}{name}{ending}" for name in names for ending in (".gz", "")]
    for candidate in candidates:
        if candidate.exists():
            return regular_file(candidate)
    raise InputError(f"{folder}: no {prefix}{names[0]}(.gz) beside the matrix: put it there")


def _feature_table(path: Path, encoding: str) -> pd.DataFrame:
    rows = [line.split("\t") for line in text_lines(path, encoding)]
    widths = {len(row) for row in rows}
    if len(widths) > 1:
        number = next(i for i, row in enumerate(rows, start=1) if len(row) != len(rows[0]))
        raise InputError(
            f"{path}: line {number}: {len(rows[number - 1])} fields where line 1 has {len(rows[0])}: mend the line"
        )
    width = min(len(_COLUMNS), max(widths, default=1))
    return pd.DataFrame([row[:width] for row in rows], columns=list(_COLUMNS[:width]), dtype=object)


def _size(matrix: Path) -> tuple[int, int]:
    """Read rows and columns from a MatrixMarket header, and refuse other kinds than real or integer coordinates."""
    with open_bytes(matrix) as handle:
        banner = handle.readline(4096).decode("latin-1").lower().split()
        if len(banner) != 5 or banner[0] != "%%matrixmarket":
            raise InputError(f"{matrix}: line 1: not a MatrixMarket file")
        if banner[1:3] != ["matrix", "coordinate"] or banner[3] not in ("integer", "real") or banner[4] != "general":
            raise InputError(
                f"{matrix}: line 1: {' '.join(banner[1:])}: 'matrix coordinate integer (or real) general' is read"
            )
        number = 1
        line = b"%"
        while line.startswith(b"%") or (line and not line.strip()):
            line = handle.readline(1 << 20)
            number += 1
    sizes = line.split()
    if len(sizes) != 3 or not all(size.isdigit() for size in sizes):
        raise InputError(f"{matrix}: line {number}: rows, columns and number of entries are expected here")
    n_rows, n_columns, n_entries = map(int, sizes)
    if n_entries > n_rows * n_columns or 16 * n_entries > memory_bytes():
        raise InputError(
            f"{matrix}: line {number}: {n_entries} entries for {n_rows} x {n_columns}: damaged, or larger than memory"
        )
    return n_rows, n_columns
