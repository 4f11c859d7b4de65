"""loom: HDF5 with genes as rows, read as its specification says (/matrix, /layers, /row_attrs, /col_attrs)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.build import make_adata, to_float64
from netinfer.io.hdf5 import open_hdf5
from netinfer.io.source import require_memory

if TYPE_CHECKING:
    from anndata import AnnData

# The names that loompy, scanpy, velocyto and SCENIC give to the ids.
_GENES = ("Gene", "var_names", "gene", "gene_name", "gene_names", "GeneName", "Accession", "gene_id")
_CELLS = ("CellID", "obs_names", "cell_id", "cell_ids", "Barcode", "barcode", "cell")


def read_loom(path: Path, *, layer: str | None = None, gene_column: str | None = None) -> AnnData:
    """Read a loom file's matrix, turned to cells x genes.

    Parameters
    ----------
    path : Path
    layer : str, optional
        A name in ``/layers``; ``/matrix`` if not given.
    gene_column : str, optional
        The row attribute with the gene ids; by default Gene, var_names, gene_name, Accession, ...

    Returns
    -------
    AnnData
        Dense, n_cells x n_genes; one-dimensional attributes in ``obs`` and ``var``.

    Raises
    ------
    InputError
        Ids missing, or attributes of another length than the matrix.
    """
    with open_hdf5(path) as handle:
        name = "matrix" if layer is None else f"layers/{layer}"
        if name not in handle:
            raise InputError(f"{path}: layer: no {layer!r}; there are: {', '.join(handle.get('layers', {})) or 'none'}")
        data = handle[name]
        if not isinstance(data, h5py.Dataset) or data.ndim != 2:
            raise InputError(f"{path}: {name}: not a matrix of genes x cells")
        n_genes, n_cells = data.shape
        if not n_genes or not n_cells:
            raise InputError(f"{path}: {name}: {n_genes} genes x {n_cells} cells: nothing to infer from")
        require_memory(n_genes, n_cells, f"{path}: {name}")
        var = _attributes(handle, "row_attrs", n_genes, "genes", (gene_column,) if gene_column else _GENES, path)
        obs = _attributes(handle, "col_attrs", n_cells, "cells", _CELLS, path)
        values = np.ascontiguousarray(to_float64(data[...], f"{path}: {name}").T)
    log = [
        f"read {path.name}: loom, {name}, {n_genes} genes x {n_cells} cells, "
        f"turned to {n_cells} samples x {n_genes} genes"
    ]
    return make_adata(values, obs, var, source=str(path), log=log)


def _attributes(
    handle: h5py.File, group: str, count: int, what: str, names: tuple[str | None, ...], path: Path
) -> pd.DataFrame:
    columns: dict[str, np.ndarray] = {}
    for name, item in handle.get(group, {}).items():
        if not isinstance(item, h5py.Dataset) or item.ndim != 1 or item.dtype.names:
            continue
        if item.shape[0] != count:
            raise InputError(
                f"{path}: {group}/{name}: {item.shape[0]} entries for {count} {what} in the matrix: "
                "write the file again"
            )
        values = item.asstr("utf-8", "strict")[...] if h5py.check_string_dtype(item.dtype) else item[...]
        columns[name] = values
    key = next((name for name in names if name in columns), None)
    if key is None:
        found = ", ".join(columns) or "none"
        fix = "; name one by `gene_column:`" if what == "genes" else ""
        raise InputError(
            f"{path}: {group}: no attribute with the ids of the {what} ({', '.join(map(str, names))}); "
            f"there are: {found}{fix}"
        )
    index = [str(value) for value in columns.pop(key)]
    return pd.DataFrame(columns, index=pd.Index(index, dtype=object))
