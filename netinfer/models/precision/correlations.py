"""Correlation of the genes over the samples of some units, made the same way for all samples, halves and folds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netinfer.errors import InputError
from netinfer.models.regression.problem import RegressionProblem
from netinfer.moments import Moments, correlation_matrix, from_matrix, inverse_sd, project_out
from netinfer.moments.correlation import RANK_METHODS, correlate
from netinfer.preprocess.normalization import normal_scores

# A gene that varies by less than this share of its variance over all samples is constant in a part of them.
CONSTANT_PART = 1e-10


class Correlations:
    """Correlation matrices of one data set by one method.

    Pearson correlations and those of normal scores are second moments: covariates are projected out of each part's own
    moments, and a second half is what the first leaves of all. Normal scores are taken once, over all samples.
    Spearman's and Kendall's are ranked anew in each part.

    Parameters
    ----------
    genes : RegressionProblem
    method : {"pearson", "spearman", "kendall", "normal_scores"}
    shrinkage : float or "ledoit_wolf"
        An estimated share is that of all samples, and the same for every part, so that a penalty means the same there.
    threads : int

    Attributes
    ----------
    whole : CorrelationResult
        Over all samples, with what was done to it.
    """

    def __init__(self, genes: RegressionProblem, method: str, shrinkage: float | str, threads: int) -> None:
        if shrinkage == "ledoit_wolf" and any(len(rows) > 1 for rows in genes.unit_rows):
            raise InputError(
                f"infer_precision: shrinkage: ledoit_wolf takes samples for independent, and units of column "
                f"{genes.unit_column!r} have several: give a number"
            )
        self.genes, self.method = genes, method
        self.covariates = genes.covariates if genes.n_covariates else None
        values = genes.regulators
        self.whole = correlation_matrix(
            values,
            method=method,
            covariates=self.covariates,
            shrinkage=shrinkage,
            names=genes.target_names,
            threads=threads,
        )
        self.shrinkage = self.whole.shrinkage
        self.is_moments = method not in RANK_METHODS
        if method == "normal_scores":
            values = normal_scores(values)
            values = values / values.std(axis=0)
        self.samples = np.concatenate([values, genes.covariates], axis=1)
        # Of all samples, for the complements.
        self.moments = self.of_rows(None) if self.is_moments else None

    def rows(self, units: np.ndarray) -> np.ndarray:
        """Return the samples of some units."""
        return np.concatenate([self.genes.unit_rows[u] for u in units])

    def of_rows(self, rows: np.ndarray | None) -> Moments:
        """Return the moments of genes and covariates over some samples."""
        return from_matrix(self.samples, np.empty((len(self.samples), 0)), rows)

    def of(self, units: np.ndarray, *, is_shrunk: bool = True) -> np.ndarray:
        """Return the correlation over the samples of some units, shape (n_genes, n_genes).

        A gene that is constant there is tied to no other.
        """
        rows, shrinkage = self.rows(units), self.shrinkage if is_shrunk else 0.0
        return self._standardised(self.of_rows(rows), shrinkage) if self.is_moments else self._ranked(rows, shrinkage)

    def halves(self, first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the correlations over two halves of the units, which leave one unit a stratum out at most."""
        if self.moments is None:
            return self.of(first), self.of(second)
        half = self.of_rows(self.rows(first))
        rest = self.moments - half
        left = np.setdiff1d(np.arange(self.genes.n_units), np.concatenate([first, second]))
        if left.size:
            rest = rest - self.of_rows(self.rows(left))
        return self._standardised(half, self.shrinkage), self._standardised(rest, self.shrinkage)

    def _standardised(self, moments: Moments, shrinkage: float) -> np.ndarray:
        """Return the correlation of the genes by moments, covariates projected out."""
        covariance = project_out(moments, self.genes.n_covariates).gram
        per_sd = inverse_sd(covariance.diagonal())
        matrix = (1.0 - shrinkage) * covariance * per_sd[:, None] * per_sd[None, :]
        np.clip(matrix, -1.0, 1.0, out=matrix)
        np.fill_diagonal(matrix, 1.0)
        return matrix

    def _ranked(self, rows: np.ndarray, shrinkage: float) -> np.ndarray:
        varies = np.flatnonzero(self.samples[rows, : len(self.genes.target_names)].var(axis=0) > CONSTANT_PART)
        out = np.eye(len(self.genes.target_names))
        if len(varies) > 1:
            # Ties were looked at on all samples.
            out[np.ix_(varies, varies)] = correlate(
                self.samples[:, varies],
                method=self.method,
                covariates=self.covariates,
                shrinkage=shrinkage,
                rows=rows,
                names=[self.genes.target_names[j] for j in varies],
                refuse_ties=False,
            ).matrix
        return out


def complement(units: Sequence[int] | np.ndarray, n_units: int) -> np.ndarray:
    """Return all units but some."""
    return np.setdiff1d(np.arange(n_units), units)
