"""Samples x genes of any kind as one row a gene, checked, standardised and adjusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from netinfer.errors import InputError
from netinfer.moments.moments import CONSTANT, DEPENDENT

# A gene whose values differ by less than this share of their size carries rounding, not expression.
CONSTANT_RANGE = 1e-10
# Genes that are made dense at a time.
BLOCK = 256
MINIMUM_SAMPLES = 3


def gene_rows(
    data, rows: np.ndarray | Sequence[int] | None = None, names: Sequence[str] | None = None
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray]:
    """Read samples x genes as one row a gene.

    Parameters
    ----------
    data : float array, sparse matrix or DataFrame, shape (n_samples, n_genes)
    rows : int or bool array, optional
        Samples to use; all by default.
    names : sequence of str, optional
        The columns of a DataFrame by default.

    Returns
    -------
    values : float64 array, shape (n_genes, n_rows), C-contiguous
        A copy.
    names : tuple of str
        Empty where there are none.
    rows : int array, shape (n_rows,)

    Raises
    ------
    InputError
        If the shape or the names do not fit, a value is missing or infinite, or there are fewer than 3 samples or 2
        genes.
    """
    if names is None:
        names = [str(name) for name in getattr(data, "columns", ())]
    names = tuple(map(str, names))
    matrix: Any = data.to_numpy() if hasattr(data, "to_numpy") else data
    matrix = matrix if sparse.issparse(matrix) else np.asarray(matrix)
    if matrix.ndim != 2:
        raise InputError(f"data: shape {matrix.shape}: give samples x genes")
    if matrix.dtype.kind not in "biuf":
        raise InputError(f"data: values of type {matrix.dtype} are no real numbers: give a numeric matrix")
    n_samples, n_genes = matrix.shape
    if names and len(names) != n_genes:
        raise InputError(f"names: {len(names)} names for {n_genes} genes: give one a column of the data")
    if n_genes < 2:
        raise InputError(f"data: {n_genes} gene: a correlation needs at least 2")
    chosen = _chosen(rows, n_samples)
    if len(chosen) < MINIMUM_SAMPLES:
        raise InputError(f"data: {len(chosen)} samples: a correlation needs at least {MINIMUM_SAMPLES}")
    if sparse.issparse(matrix):
        matrix = (matrix if rows is None else matrix.tocsr()[chosen]).tocsc()
    values = np.empty((n_genes, len(chosen)))
    for first in range(0, n_genes, BLOCK):
        block = matrix[:, first : first + BLOCK]
        block = block.toarray() if sparse.issparse(block) else block if rows is None else block[chosen]
        values[first : first + BLOCK] = block.T
    _refuse_missing(values, names, chosen)
    return values, names, chosen


def standardised_rows(values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Centre each gene and scale it to variance 1 (divisor n), shape (n_genes, n_samples).

    Through its largest value first, so that neither 1e200 nor 1e-300 overflows.

    Raises
    ------
    InputError
        If a gene is the same in every sample.
    """
    size = np.abs(values).max(axis=1, keepdims=True)
    scaled = values / np.where(size > 0, size, 1.0)
    # The mean is off by rounding of the values' size; a second pass takes that out.
    scaled -= scaled.mean(axis=1, keepdims=True)
    scaled -= scaled.mean(axis=1, keepdims=True)
    spread = np.abs(scaled).max(axis=1, keepdims=True)
    is_constant = spread[:, 0] <= CONSTANT_RANGE
    if is_constant.any():
        raise InputError(
            f"data: gene {label(names, is_constant)} is the same in every sample{others(is_constant)}: leave it out"
        )
    scaled /= spread
    scaled /= np.sqrt((scaled**2).mean(axis=1, keepdims=True))
    return scaled


def covariate_basis(covariates: np.ndarray, n_samples: int, rows: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of centred covariates over some samples, shape (n_rows, rank).

    Parameters
    ----------
    covariates : float array, shape (n_samples, n_covariates) or (n_samples,)
    n_samples : int
    rows : int array, shape (n_rows,)

    Raises
    ------
    InputError
        If the covariates do not fit, are not finite, or leave fewer than 3 degrees of freedom.
    """
    try:
        matrix = np.asarray(covariates, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("covariates: no real numbers: code classes as 0 and 1 first") from None
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    if matrix.ndim != 2 or len(matrix) != n_samples or not np.isfinite(matrix).all():
        raise InputError(f"covariates: shape {matrix.shape}: give finite numbers, {n_samples} samples x covariates")
    matrix = matrix[rows]
    inside = matrix - matrix.mean(axis=0)
    size = np.abs(inside).max(axis=0)
    varies = size > CONSTANT_RANGE * np.abs(matrix).max(axis=0)
    basis, sizes, _ = np.linalg.svd(inside[:, varies] / size[varies], full_matrices=False)
    basis = basis[:, sizes > DEPENDENT * sizes.max(initial=0.0)]
    if len(rows) - basis.shape[1] < MINIMUM_SAMPLES:
        raise InputError(
            f"covariates: they take {basis.shape[1]} degrees of freedom of {len(rows)} samples: "
            f"name fewer, so that at least {MINIMUM_SAMPLES} are left"
        )
    return basis


def residuals(standardised: np.ndarray, basis: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Project a basis out of standardised genes; variance 1 again, shape (n_genes, n_samples).

    Raises
    ------
    InputError
        If nothing is left of a gene.
    """
    left = standardised - (standardised @ basis) @ basis.T
    left -= (left @ basis) @ basis.T
    is_gone = (left**2).mean(axis=1) <= CONSTANT
    if is_gone.any():
        raise InputError(
            f"covariates: they explain gene {label(names, is_gone)} fully{others(is_gone)}: leave it or them out"
        )
    return standardised_rows(left, names)


def _chosen(rows, n_samples: int) -> np.ndarray:
    if rows is None:
        return np.arange(n_samples)
    chosen = np.asarray(rows)
    if chosen.dtype == bool and chosen.shape == (n_samples,):
        return np.flatnonzero(chosen)
    is_place = chosen.ndim == 1 and (chosen.dtype.kind in "iu" or not chosen.size)
    if not is_place or (chosen.size and (chosen.min() < 0 or chosen.max() >= n_samples)):
        raise InputError(f"rows: give whole numbers from 0 to {n_samples - 1}, or one boolean a sample")
    return chosen.astype(np.int64)


def _refuse_missing(values: np.ndarray, names: Sequence[str], chosen: np.ndarray) -> None:
    is_bad = ~np.isfinite(values)
    if is_bad.any():
        gene, place = np.argwhere(is_bad)[0]
        raise InputError(
            f"data: {is_bad.sum()} values are NaN or infinite, the first in row {chosen[place]}, column {gene}"
            f"{f' (gene {names[gene]})' if names else ''}, counted from 0: impute or drop them first"
        )


def label(names: Sequence[str], is_marked: np.ndarray) -> str:
    """Name the first gene that is marked, or its column."""
    place = int(is_marked.argmax())
    return names[place] if names else f"in column {place} (counted from 0)"


def others(is_marked: np.ndarray) -> str:
    """Say how many more are marked; empty where only one is."""
    n_others = int(is_marked.sum()) - 1
    return f", and {n_others} more" if n_others else ""
