"""Make the AnnData that every reader returns: samples x genes, float64, with a log of what was seen."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from netinfer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anndata import AnnData


def make_adata(
    values: Any,
    samples: Sequence[str] | pd.DataFrame,
    genes: Sequence[str] | pd.DataFrame,
    *,
    source: str = "",
    log: Sequence[str] = (),
    notes: dict[str, Any] | None = None,
) -> AnnData:
    """Build an AnnData from values, ids (or frames indexed by them) and a log; duplicate ids are let through here.

    Parameters
    ----------
    values : float64 array or CSR matrix, shape (n_samples, n_genes)
    samples, genes : sequence of str, or DataFrame
        Ids, or frames with the ids as index.
    source : str
        The file, as the user wrote it.
    log : sequence of str
        Sentences for the report.
    notes : dict, optional
        Further entries of ``uns["netinfer"]``.
    """
    from anndata import AnnData

    obs, var = _frame(samples), _frame(genes)
    with quiet_names():
        adata = AnnData(X=values, obs=obs, var=var)
    adata.uns["netinfer"] = {**(notes or {}), "source": source, "log": text_array(log)}
    return adata


def text_array(sentences: Sequence[str]) -> np.ndarray:
    """Return an object array of str, the form that survives h5ad even when it is empty."""
    array = np.empty(len(sentences), dtype=object)
    array[:] = [str(sentence) for sentence in sentences]
    return array


def _frame(ids: Sequence[str] | pd.DataFrame) -> pd.DataFrame:
    if isinstance(ids, pd.DataFrame):
        frame = ids.copy()
        frame.index = pd.Index([str(name) for name in frame.index], dtype=object)
        return frame
    return pd.DataFrame(index=pd.Index([str(name) for name in ids], dtype=object))


@contextmanager
def quiet_names() -> Iterator[None]:
    """Silence anndata's warnings about duplicate names: the duplicates rule of ingest deals with them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*names are not unique.*")
        yield


def to_float64(values: np.ndarray, where: str) -> np.ndarray:
    """Convert real numbers of any width to float64 exactly, or refuse.

    Raises
    ------
    InputError
        Complex numbers, text, objects, extended precision, or whole numbers beyond 2^53.
    """
    values = np.asarray(values)
    if values.dtype.kind not in "biuf" or values.dtype.itemsize > 8:
        raise InputError(f"{where}: values of type {values.dtype}: real numbers of at most 8 bytes are needed")
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8 and values.size:
        largest = max(abs(int(values.min())), abs(int(values.max())))
        if largest > 2**53:
            raise InputError(f"{where}: whole numbers beyond 2^53, which double precision cannot hold exactly")
    return values.astype(np.float64, order="C")


def canonical_csr(matrix: Any, where: str) -> sparse.csr_matrix:
    """Return a float64 CSR matrix with sorted indices and duplicate entries summed; its structure must be valid."""
    matrix = sparse.csr_matrix(matrix)
    matrix = sparse.csr_matrix((to_float64(matrix.data, where), matrix.indices, matrix.indptr), shape=matrix.shape)
    matrix.sum_duplicates()
    return matrix
