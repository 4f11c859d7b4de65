"""Missing values: counted, and filled only by the rule that the config names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

# Above this share of samples without a value a gene would be more rule than measurement.
MAX_MISSING_SHARE = 0.5
# Troyanskaya et al. (2001) found 10 to 20 neighbours about equally good, and fewer or many more worse.
N_NEAREST = 10
WORDS = {
    "median": "the median of their gene",
    "mean": "the mean of their gene",
    "nearest": f"the mean of their gene over the {N_NEAREST} nearest samples that have a value",
}


@dataclass(frozen=True)
class Missing:
    """What is missing from a matrix."""

    n: int
    share: float  # of all values
    gene_share: np.ndarray  # (n_genes,) share of samples without a value

    @property
    def too_many(self) -> np.ndarray:
        """Genes without a value in more than half of the samples; bool, shape (n_genes,)."""
        return self.gene_share > MAX_MISSING_SHARE


def count_missing(values: Any) -> Missing:
    """Count the missing values of a matrix, dense or sparse.

    Parameters
    ----------
    values : float64 array or CSR, shape (n_samples, n_genes)
    """
    n_samples, n_genes = values.shape
    if sparse.issparse(values):
        per_gene = np.bincount(values.indices[np.isnan(values.data)], minlength=n_genes)
    else:
        per_gene = np.isnan(values).sum(axis=0)
    n = int(per_gene.sum())
    return Missing(n, n / max(1, n_samples * n_genes), per_gene / max(1, n_samples))


def impute(values: np.ndarray, method: str) -> tuple[np.ndarray, int]:
    """Fill the missing values of a matrix.

    Parameters
    ----------
    values : float64 array, shape (n_samples, n_genes)
        Not changed. Each gene and each sample has at least one value.
    method : {"median", "mean", "nearest"}
        Per gene, the median or mean of the samples with a value; or the mean over the `N_NEAREST` of them that are
        nearest to the sample. Samples are compared over the genes that both have, by the mean squared difference; a
        sample that shares no gene with any other gets the gene's mean.

    Returns
    -------
    values : float64 array, C-ordered
        A copy.
    n_imputed : int

    Notes
    -----
    Nearest samples cost :math:`O(n^2 p)` for the samples that lack something. Troyanskaya et al. (2001).
    """
    filled = np.array(values, order="C")
    is_missing = np.isnan(filled)
    n_imputed = int(is_missing.sum())
    if method == "nearest":
        _fill_from_nearest(filled, values, is_missing)
        return filled, n_imputed
    middle = np.median if method == "median" else np.mean
    for column in np.flatnonzero(is_missing.any(axis=0)):
        rows = is_missing[:, column]
        filled[rows, column] = middle(filled[~rows, column])
    return filled, n_imputed


def _fill_from_nearest(filled: np.ndarray, values: np.ndarray, is_missing: np.ndarray) -> None:
    has_value = ~is_missing
    for row in np.flatnonzero(is_missing.any(axis=1)):
        difference = values - values[row]
        shared = has_value & has_value[row]
        n_shared = shared.sum(axis=1)
        squares = np.where(shared, difference * difference, 0.0).sum(axis=1)
        distance = np.full(len(values), np.inf)
        np.divide(squares, n_shared, out=distance, where=n_shared > 0)
        distance[row] = np.inf
        order = np.argsort(distance, kind="stable")
        order = order[np.isfinite(distance[order])]
        for column in np.flatnonzero(is_missing[row]):
            donors = order[has_value[order, column]][:N_NEAREST]
            source = values[donors, column] if len(donors) else values[has_value[:, column], column]
            filled[row, column] = source.mean()
