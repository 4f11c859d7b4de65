"""Expression that is already in memory: AnnData, data frame or array."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from netinfer.errors import InputError
from netinfer.io.build import canonical_csr, make_adata, quiet_names, text_array, to_float64

if TYPE_CHECKING:
    from anndata import AnnData


def as_expression(data: Any, *, where: str = "data") -> AnnData:
    """Return expression as an AnnData with float64 values, whatever form it comes in.

    Parameters
    ----------
    data : AnnData, DataFrame, array, sparse matrix, or path; shape (n_samples, n_genes)
        A frame's index names the samples and its columns the genes. An array gets samples ``s0001``, ... and genes
        ``g0001``, .... A path goes to :func:`read_expression`.
    where : str
        What to call the data in messages.

    Returns
    -------
    AnnData
        A new object; the argument is not changed. ``X`` is C-ordered or canonical CSR float64.

    Raises
    ------
    InputError
        Not two-dimensional, no samples or genes, or values that are not real numbers.
    """
    import anndata

    if isinstance(data, str | os.PathLike):
        from netinfer.io.expression import read_expression

        return read_expression(data)
    if isinstance(data, anndata.AnnData):
        return _from_adata(data, where)
    if isinstance(data, pd.DataFrame):
        texts = [place for place, dtype in enumerate(data.dtypes) if not _is_numeric(dtype)]
        if texts:
            _refuse_text(data, texts, where)
        return _checked(_frame_values(data, where), [*map(str, data.index)], [*map(str, data.columns)], where)
    if sparse.issparse(data) or isinstance(data, np.ndarray):
        if data.ndim != 2:
            raise InputError(f"{where}: {data.ndim} dimensions: a matrix of samples x genes is needed")
        n_samples, n_genes = data.shape
        return _checked(data, _numbered("s", n_samples), _numbered("g", n_genes), where)
    raise InputError(
        f"{where}: {type(data).__name__} is not expression: give an AnnData, a DataFrame, an array or a path"
    )


def _is_numeric(dtype: Any) -> bool:
    return pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)


def _refuse_text(data: pd.DataFrame, texts: list[int], where: str) -> None:
    """Refuse columns that are no numbers: a few cells of one are named, a whole column of words is an annotation."""
    for column in texts:
        values = data.iloc[:, column]
        is_number = pd.to_numeric(values, errors="coerce").notna() | values.isna()
        if not is_number.all():
            row = int((~is_number).to_numpy().argmax())
            few = is_number.any()
            raise InputError(
                f"{where}: column {data.columns[column]!r}, row {data.index[row]!r}: {values.iloc[row]!r} is no number "
                f"({int((~is_number).sum())} such values there): "
                + ("correct it, or leave the cell empty (NaN)" if few else "move annotations out of the matrix")
            )
    dtype = data.dtypes.iloc[texts[0]]
    raise InputError(
        f"{where}: column {data.columns[texts[0]]!r} holds numbers as {dtype}: turn them into numbers, such as by "
        ".astype(float)"
    )


def convert(values: Any, where: str) -> Any:
    """Return values as a C-ordered float64 array, or a canonical CSR matrix if they are sparse."""
    if sparse.issparse(values):
        return canonical_csr(values, where)
    return to_float64(np.asarray(values), where)


def _from_adata(data: AnnData, where: str) -> AnnData:
    if data.isbacked:
        data = data.to_memory()
    if data.X is None:
        raise InputError(f"{where}: the AnnData has no X: put the expression into X")
    values = convert(data.X, where)
    notes = dict(data.uns.get("netinfer", {}))
    log, source = notes.pop("log", ()), notes.pop("source", "")
    adata = _checked(values, data.obs, data.var, where)
    for key in data.layers:
        adata.layers[key] = data.layers[key].copy()
    if "hidden_factors" in data.obsm:  # what the regression projects out; other embeddings are not read here
        adata.obsm["hidden_factors"] = np.array(data.obsm["hidden_factors"], dtype=np.float64)
    with quiet_names():
        for key, value in data.uns.items():
            if key != "netinfer":
                adata.uns[key] = value
    adata.uns["netinfer"] = {**notes, "source": source, "log": text_array(list(log))}
    return adata


def _frame_values(frame: pd.DataFrame, where: str) -> np.ndarray:
    """Return a frame's numbers; pandas' own missing values become NaN."""
    dtypes = set(frame.dtypes)
    if all(isinstance(dtype, np.dtype) for dtype in dtypes):
        return frame.to_numpy()
    return frame.to_numpy(dtype=np.float64, na_value=np.nan)


def _checked(values: Any, samples: Any, genes: Any, where: str) -> AnnData:
    if values.shape[0] == 0 or values.shape[1] == 0:
        raise InputError(f"{where}: {values.shape[0]} samples x {values.shape[1]} genes: nothing to infer from")
    return make_adata(convert(values, where), samples, genes)


def _numbered(letter: str, count: int) -> list[str]:
    width = max(4, len(str(count)))
    return [f"{letter}{number:0{width}d}" for number in range(1, count + 1)]
