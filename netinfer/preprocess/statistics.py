"""Figures of each gene, from dense and sparse matrices by the same arithmetic in the same order.

Every figure goes through blocks of rows in compressed form, dense input too: a sum then meets its terms in the order of
the samples either way, so that both forms of one matrix give the same bits, and a sparse one is never densified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import sparse

_BLOCK_ROWS = 512


def row_blocks(values: Any) -> Iterator[tuple[int, sparse.csr_matrix]]:
    """Yield ``(first row, block)`` of a matrix: CSR without stored zeros, indices sorted.

    Parameters
    ----------
    values : float64 array or CSR, shape (n_samples, n_genes)
    """
    for start in range(0, values.shape[0], _BLOCK_ROWS):
        block = sparse.csr_matrix(values[start : start + _BLOCK_ROWS])
        block.eliminate_zeros()
        block.sort_indices()
        yield start, block


def count_where(values: Any, test: Callable[[int, sparse.csr_matrix], np.ndarray]) -> np.ndarray:
    """Count for each gene the non-zero values that pass a test.

    Parameters
    ----------
    values : float64 array or CSR, shape (n_samples, n_genes)
    test : callable
        Gets the first row of a block and the block, returns a bool array like ``block.data``.

    Returns
    -------
    int array, shape (n_genes,)
    """
    counts = np.zeros(values.shape[1], dtype=np.int64)
    for start, block in row_blocks(values):
        counts += np.bincount(block.indices[test(start, block)], minlength=values.shape[1])
    return counts


def count_positive(values: Any) -> np.ndarray:
    """Count the samples in which each gene is above zero; int array, shape (n_genes,)."""
    return count_where(values, lambda _, block: block.data > 0)


def count_per_million(values: Any, totals: np.ndarray, minimum: float) -> np.ndarray:
    """Count the samples in which each gene has at least `minimum` counts per million of the sample's total.

    Parameters
    ----------
    values : float64 array or CSR, shape (n_samples, n_genes)
        Counts.
    totals : float64 array, shape (n_samples,)
    minimum : float, > 0

    Returns
    -------
    int array, shape (n_genes,)
    """

    def passes(start: int, block: sparse.csr_matrix) -> np.ndarray:
        rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr)) + start
        return block.data / totals[rows] * 1e6 >= minimum

    return count_where(values, passes)


def mean_and_sd(values: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return each gene's mean and standard deviation (divisor n), in two passes; shape (n_genes,) each."""
    n, n_genes = values.shape
    total, squares = np.zeros(n_genes), np.zeros(n_genes)
    stored = np.zeros(n_genes, dtype=np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        for _, block in row_blocks(values):
            total += np.bincount(block.indices, weights=block.data, minlength=n_genes)
            stored += np.bincount(block.indices, minlength=n_genes)
        mean = total / n
        for _, block in row_blocks(values):
            deviation = (block.data - mean[block.indices]) ** 2
            squares += np.bincount(block.indices, weights=deviation, minlength=n_genes)
        return mean, np.sqrt((squares + (n - stored) * mean**2) / n)


def sample_totals(values: Any) -> np.ndarray:
    """Sum each sample's values; float64, shape (n_samples,). Of counts the sums are exact in any order."""
    return np.asarray(values.sum(axis=1), dtype=np.float64).ravel()


def zero_share(values: Any) -> float:
    """Return the share of values that are exactly zero."""
    stored = values.data if sparse.issparse(values) else values
    return 1.0 - float(np.count_nonzero(stored)) / max(1, values.shape[0] * values.shape[1])
