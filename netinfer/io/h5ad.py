"""h5ad: the matrix asked for, and the annotations of samples and genes; nothing else of the file is loaded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.build import make_adata
from netinfer.io.hdf5 import open_hdf5, read_matrix

if TYPE_CHECKING:
    from anndata import AnnData


def read_h5ad(path: Path, *, layer: str | None = None, gene_column: str | None = None) -> AnnData:
    """Read one matrix of an h5ad file with its obs and var.

    Parameters
    ----------
    path : Path
        Written by any release of anndata.
    layer : str, optional
        A name in ``layers``, or "raw" for ``raw/X`` with the genes of ``raw/var``; ``X`` if not given.
    gene_column : str, optional
        A column of ``var`` to use as gene ids.

    Returns
    -------
    AnnData
        See :func:`netinfer.io.read_expression`. ``uns["netinfer"]`` of an earlier step is kept, so that nothing is
        normalized twice; it stays behind where `layer` asks for other values.

    Raises
    ------
    InputError
        See :mod:`netinfer.io.hdf5`; also no such layer or column, or sizes that disagree.
    """
    with open_hdf5(path) as handle:
        for part in ("obs", "var"):
            if part not in handle:
                raise InputError(f"{path}: no {part}: an HDF5 file, but not an h5ad")
        item, name, genes = _choose(handle, path, layer)
        place = f"{path}: {name}"
        values = read_matrix(item, place)
        is_old = any(isinstance(handle[part], h5py.Dataset) for part in ("obs", "var", genes))
        if not is_old:
            obs, var = _read(handle["obs"], path), _read(handle[genes], path)
        earlier = _read(handle["uns/netinfer"], path) if layer is None and "netinfer" in handle.get("uns", {}) else {}
        base = _log_base(handle)
        beside = np.array([other for other in _names(handle) if other != layer], dtype=object)
    if is_old:
        obs, var = _old_frames(path, is_raw=genes != "var")
    for axis, frame, kind in ((0, obs, "samples in obs"), (1, var, f"genes in {genes}")):
        if values.shape[axis] != len(frame):
            raise InputError(
                f"{place}: {values.shape[axis]} {('rows', 'columns')[axis]} and {len(frame)} {kind}: "
                "write the file again"
            )
    if 0 in values.shape:
        raise InputError(f"{place}: {values.shape[0]} samples x {values.shape[1]} genes: nothing to infer from")
    if gene_column is not None:
        var = rename(var, gene_column, path)
    notes = dict(earlier) if isinstance(earlier, dict) else {}
    if base is not None:
        notes["log_base"] = base
    if layer is None and len(beside):
        notes["matrices"] = beside
    log = [
        *notes.pop("log", ()),
        f"read {path.name}: h5ad, {name}, {values.shape[0]} samples x {values.shape[1]} genes",
    ]
    source = notes.pop("source", "") or str(path)
    return make_adata(values, obs, var, source=source, log=log, notes=notes)


def rename(var: pd.DataFrame, gene_column: str, path: Path) -> pd.DataFrame:
    """Use a column of the gene annotations as ids; the ids so far stay in the column ``gene_id`` if that is free."""
    if gene_column not in var.columns:
        columns = ", ".join(map(str, var.columns)) or "none"
        raise InputError(f"{path}: gene_column: no column {gene_column!r} of genes; there are: {columns}")
    if var[gene_column].isna().any():
        raise InputError(
            f"{path}: gene_column: {gene_column!r} has no name for {int(var[gene_column].isna().sum())} genes"
        )
    var = var.copy()
    if "gene_id" not in var.columns:
        var["gene_id"] = np.asarray(var.index, dtype=object)
    var.index = pd.Index([str(name) for name in var[gene_column]], dtype=object)
    return var


def _choose(handle: h5py.File, path: Path, layer: str | None) -> tuple[Any, str, str]:
    """Return the stored matrix, its name, and where its genes are."""
    if layer is None:
        if "X" not in handle or (isinstance(handle["X"], h5py.Dataset) and handle["X"].shape is None):
            raise InputError(f"{path}: no X: set `layer:` to one of {_layers(handle)}")
        return handle["X"], "X", "var"
    if layer == "raw":
        for matrix, genes in (("raw/X", "raw/var"), ("raw.X", "raw.var")):
            if matrix in handle and genes in handle:
                return handle[matrix], matrix, genes
    elif "layers" in handle and layer in handle["layers"]:
        return handle["layers"][layer], f"layers/{layer}", "var"
    raise InputError(f"{path}: layer: no {layer!r}; there are: {_layers(handle)}")


def _layers(handle: h5py.File) -> str:
    return ", ".join(_names(handle)) or "none"


def _names(handle: h5py.File) -> list[str]:
    """Name the matrices beside X, as `layer` takes them."""
    return [*handle.get("layers", {})] + (["raw"] if "raw" in handle or "raw.X" in handle else [])


def _log_base(handle: h5py.File) -> float | None:
    """Return the base of the logs where scanpy wrote one; natural logs it leaves without."""
    item = handle.get("uns/log1p/base")
    if not isinstance(item, h5py.Dataset) or item.shape != () or item.dtype.kind not in "iuf":
        return None
    base = float(item[()])
    return base if base > 1 else None


def _read(item: Any, path: Path) -> Any:
    from anndata.io import read_elem

    try:
        with _quiet():
            return read_elem(item)
    except Exception as error:  # anndata raises what its parts raise; all of it means that the element is not readable
        raise InputError(
            f"{path}: {item.name}: not readable as anndata wrote it ({' '.join(str(error).split())[:160]})"
        ) from error


def _old_frames(path: Path, *, is_raw: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read obs and var of a file from before anndata 0.7, whose categories stand in uns."""
    import anndata

    try:
        with _quiet():
            adata = anndata.read_h5ad(path)
    except Exception as error:
        raise InputError(f"{path}: not readable as an old h5ad ({' '.join(str(error).split())[:160]})") from error
    return adata.obs, adata.raw.var if is_raw else adata.var


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence notes about files of old anndata releases: they are read all the same."""
    with warnings.catch_warnings():
        for kind in (FutureWarning, UserWarning, DeprecationWarning, PendingDeprecationWarning):
            warnings.simplefilter("ignore", kind)
        yield
