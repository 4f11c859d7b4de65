r"""Correlations of genes for a graphical model: Pearson, or those of a latent Gaussian, from ranks or normal scores.

The nonparanormal model says that unknown increasing functions of the genes are jointly Gaussian. Its correlations
follow from ranks alone: :math:`2 \sin(\pi \rho / 6)` of Spearman's and :math:`\sin(\pi \tau / 2)` of Kendall's
correlation, the "skeptic" of Liu, Han, Yuan, Lafferty and Wasserman (2012); or they are those of the normal scores of
the ranks (Liu, Lafferty and Wasserman 2009). The sine can leave a matrix with negative eigenvalues, which is then
projected.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import special, stats

from netinfer.errors import InputError
from netinfer.kernels import thread_limit
from netinfer.moments.genes import covariate_basis, gene_rows, label, others, residuals, standardised_rows
from netinfer.moments.kendall import kendall_tau_b
from netinfer.moments.nearest import FLOOR, nearest_correlation

METHODS = ("pearson", "spearman", "kendall", "normal_scores")
RANK_METHODS = ("spearman", "kendall")
# Residuals have variance 1. Equal values with equal covariates leave residuals that differ by rounding, about 1e-15:
# with this many digits they tie.
DIGITS = 10
# With covariates, ranks are refused for a gene with one value in more than one of so many samples: the residuals of
# tied values are ordered by the covariates alone. Genes that only a depth relates (standard deviation of its logarithm
# 0.5) have latent correlations of 0.05 from Kendall's at a third of zeros and of 0.35 at 0.7, where normal scores have
# 0.01 (docs/correlations.md).
TIED_OF = 3
# Products run over blocks of this many genes, one BLAS thread each, whatever the number of threads.
BLOCK = 256


@dataclasses.dataclass(frozen=True)
class CorrelationResult:
    """A correlation matrix of genes, and what was done to it.

    Attributes
    ----------
    matrix : float array, shape (n_genes, n_genes)
        Exactly symmetric, unit diagonal.
    method : str
    n_samples : int
    n_effective : int
        Samples less the degrees of freedom of the covariates.
    shrinkage : float
        Share by which correlations were shrunk to 0; 0 without shrinkage.
    smallest_eigenvalue : float
        After shrinkage, before projection. Exactly `shrinkage` where fewer samples than genes leave no other value.
    is_projected : bool
    distance : float
        Frobenius norm of what the projection changed; 0 without one.
    distance_bound : float
        The nearest correlation matrix is at most this far from `matrix`; 0 without a projection.
    names : tuple of str
        Names of the genes; empty where there were none.
    """

    matrix: np.ndarray
    method: str
    n_samples: int
    n_effective: int
    shrinkage: float
    smallest_eigenvalue: float
    is_projected: bool
    distance: float
    distance_bound: float
    names: tuple[str, ...] = ()


def correlation_matrix(
    data,
    *,
    method: str = "pearson",
    covariates: np.ndarray | None = None,
    shrinkage: str | float | None = None,
    rows: np.ndarray | Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    project: bool = True,
    threads: int = 1,
) -> CorrelationResult:
    r"""Correlate all pairs of genes.

    Parameters
    ----------
    data : float array, sparse matrix or DataFrame, shape (n_samples, n_genes)
        Normalised expression. A sparse matrix is made dense a block of genes at a time.
    method : {"pearson", "spearman", "kendall", "normal_scores"}
        The matrix of ``spearman`` is :math:`2 \sin(\pi \rho / 6)`, with the mean rank for ties, that of ``kendall``
        :math:`\sin(\pi \tau_b / 2)`; ``normal_scores`` correlates :math:`\Phi^{-1}(\text{rank} / (n + 1))`, with the
        mean rank for ties (van der Waerden), the scores that ``normalize`` makes.
    covariates : float array, shape (n_samples, n_covariates), optional
        Projected out, with a constant, of the values (``pearson``), of the normal scores, or of the values before
        their residuals are ranked (``spearman``, ``kendall``; see Notes).
    shrinkage : float in [0, 1) or "ledoit_wolf", optional
        :math:`(1 - s) R + s I`. ``ledoit_wolf`` estimates the s of least expected squared error in the form that
        Schaefer and Strimmer (2005) gave it for correlations; for ``pearson`` and ``normal_scores`` only.
    rows : int array, shape (n_rows,), or bool array, shape (n_samples,), optional
        Samples to use; all by default.
    names : sequence of str, optional
        Names of the genes, for messages; the columns of a DataFrame by default.
    project : bool
        Replace a ``spearman`` or ``kendall`` matrix with an eigenvalue below 1e-8 by the nearest correlation matrix
        that has none. The other two have no negative eigenvalue to begin with.
    threads : int, >= 1
        The bits do not depend on it.

    Returns
    -------
    CorrelationResult

    Raises
    ------
    InputError
        If a value is missing or infinite, a gene is constant (or is once covariates are projected out), there are fewer
        than 3 samples or 2 genes, ranks and covariates are asked for and a gene has one value in more than a third of
        the samples, or an argument is impossible.

    Warns
    -----
    ConvergenceWarning
        If the projection stopped early; the matrix is a correlation matrix all the same.

    Notes
    -----
    Moments have divisor n, but a correlation has no scale, and n - 1 would give the same.

    Without covariates the three methods of ranks give the same bits after any increasing transform of a gene;
    ``normal_scores`` do with covariates, too. Ranks of residuals do not, and where many values of a gene tie (zeros of
    single cells) the residuals of the tied ones are in the order of the covariates, which relates genes that are not:
    for counts with covariates take ``normal_scores``.

    Of p genes and n samples, ``kendall`` costs O(p^2 n^2 / 64) integer operations, the others O(p^2 n).
    """
    return correlate(
        data, method=method, covariates=covariates, shrinkage=shrinkage, rows=rows, names=names, project=project,
        threads=threads,
    )  # fmt: skip


def correlate(
    data,
    *,
    method: str,
    covariates: np.ndarray | None = None,
    shrinkage: str | float | None = None,
    rows: np.ndarray | Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    project: bool = True,
    threads: int = 1,
    refuse_ties: bool = True,
) -> CorrelationResult:
    """Do what `correlation_matrix` does; a part of samples whose ties were looked at need not be refused for them."""
    _check_settings(method, shrinkage, threads)
    values, gene_names, chosen = gene_rows(data, rows, names)
    n_samples, n_taken = values.shape[1], 0
    with thread_limit(1):
        standard = standardised_rows(values, gene_names)  # refuses constant genes, for ranks as well
        if method == "normal_scores":
            standard = standardised_rows(special.ndtri(_doubled_ranks(values) / (2.0 * (n_samples + 1))), gene_names)
        if covariates is not None:
            basis = covariate_basis(covariates, np.shape(data)[0], chosen)
            if method in RANK_METHODS and refuse_ties:
                _refuse_ties(values, gene_names, method)
            standard, n_taken = residuals(standard, basis, gene_names), basis.shape[1]
        if method in RANK_METHODS:
            ranks = _doubled_ranks(values if covariates is None else np.round(standard, DIGITS))
            matrix = _latent(ranks, method, threads)
        else:
            matrix = _products(standard, threads) / n_samples
        np.fill_diagonal(matrix, 1.0)
        np.clip(matrix, -1.0, 1.0, out=matrix)
        share = _share(shrinkage, standard, matrix, n_samples - n_taken)
        if share > 0.0:
            matrix *= 1.0 - share
            np.fill_diagonal(matrix, 1.0)
        n_distinct = None if method in RANK_METHODS else n_samples - 1 - n_taken
        smallest = _smallest_eigenvalue(matrix, n_distinct, share)
    found = nearest_correlation(matrix) if project and method in RANK_METHODS and smallest < FLOOR else None
    return CorrelationResult(
        matrix=matrix if found is None else found.matrix,
        method=method,
        n_samples=n_samples,
        n_effective=n_samples - n_taken,
        shrinkage=share,
        smallest_eigenvalue=smallest,
        is_projected=found is not None,
        distance=0.0 if found is None else found.distance,
        distance_bound=0.0 if found is None else found.distance_bound,
        names=gene_names,
    )


def _refuse_ties(values: np.ndarray, names: tuple[str, ...], method: str) -> None:
    n_tied = values.shape[1] // TIED_OF
    in_order = np.sort(values, axis=1)
    # Equal to the value so many places on: more than so many are equal.
    is_tied = (in_order[:, n_tied:] == in_order[:, : values.shape[1] - n_tied]).any(axis=1)
    if is_tied.any():
        raise InputError(
            f"method: {method} with covariates ranks residuals, and gene {label(names, is_tied)} has one value in more "
            f"than a third of the samples{others(is_tied)}: their order would be the covariates': use normal_scores"
        )


def _latent(ranks: np.ndarray, method: str, threads: int) -> np.ndarray:
    """Return the correlations of the latent Gaussian, from ranks of shape (n_genes, n_samples)."""
    if method == "kendall":
        return np.sin(0.5 * np.pi * kendall_tau_b(ranks, threads=threads))
    # Whole numbers, so that the sums are exact (to 200,000 samples) and equal orders correlate to 1.
    products = _products((ranks - (ranks.shape[1] + 1)).astype(np.float64), threads)
    size = products.diagonal().copy()
    return 2.0 * np.sin(np.pi / 6.0 * (products / np.sqrt(size[:, None] * size[None, :])))


def _doubled_ranks(values: np.ndarray) -> np.ndarray:
    """Return twice the mean rank of each value in its row, a whole number; int32, shape (n_genes, n_samples)."""
    ranks = np.empty(values.shape, np.int32)
    for first in range(0, len(values), BLOCK):
        block = slice(first, first + BLOCK)
        ranks[block] = 2.0 * stats.rankdata(values[block], method="average", axis=1)
    return ranks


def _products(values: np.ndarray, threads: int) -> np.ndarray:
    """Multiply all pairs of rows; exactly symmetric, shape (n_genes, n_genes)."""
    p = len(values)
    out = np.empty((p, p))
    starts = range(0, p, BLOCK)

    def fill(pair: tuple[int, int]) -> None:
        rows, columns = (slice(first, first + BLOCK) for first in pair)
        block = values[rows] @ values[columns].T
        out[rows, columns] = block
        if pair[0] != pair[1]:
            out[columns, rows] = block.T

    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(pool.map(fill, [(i, j) for i in starts for j in starts if i <= j]))
    return out


def _share(shrinkage: str | float | None, standard: np.ndarray, matrix: np.ndarray, n_effective: int) -> float:
    r"""Return the share of shrinkage, given or estimated.

    :math:`s = \sum_{i \ne j} \mathrm{Var}(r_{ij}) / \sum_{i \ne j} r_{ij}^2`, at most 1, with
    :math:`\mathrm{Var}(r_{ij})` the variance (divisor n) over samples of the product of two standardised genes, divided
    by n - 1: the Ledoit-Wolf intensity (2004) as Schaefer and Strimmer (2005) estimate it for correlations, whose
    diagonal is known. Sums over all pairs follow from sums over genes, so that the cost is O(n p).
    """
    if not isinstance(shrinkage, str):
        return float(shrinkage or 0.0)
    n = standard.shape[1]
    squares = standard**2
    products = float((squares.sum(axis=0) ** 2).sum() - (squares**2).sum()) / n
    correlations = float(np.vdot(matrix, matrix) - len(matrix))
    if correlations <= 0.0:
        return 1.0
    return min(1.0, max(0.0, (products - correlations) / ((n_effective - 1) * correlations)))


def _smallest_eigenvalue(matrix: np.ndarray, n_distinct: int | None, share: float) -> float:
    """Return the smallest eigenvalue; of second moments with rank below the number of genes it is known."""
    if n_distinct is not None and n_distinct < len(matrix):
        return share
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    return smallest if n_distinct is None else max(smallest, share)


def _check_settings(method: str, shrinkage: str | float | None, threads: int) -> None:
    if method not in METHODS:
        raise InputError(f"method: {method!r} is unknown: choose one of {', '.join(METHODS)}")
    if isinstance(shrinkage, str):
        if shrinkage != "ledoit_wolf":
            raise InputError(f"shrinkage: {shrinkage!r} is unknown: give ledoit_wolf or a number in [0, 1)")
        if method in RANK_METHODS:
            raise InputError(
                f"shrinkage: ledoit_wolf has no formula for {method}: give a number in [0, 1) or use normal_scores"
            )
    elif shrinkage is not None:
        is_number = isinstance(shrinkage, int | float | np.number) and not isinstance(shrinkage, bool)
        if not is_number or not 0.0 <= shrinkage < 1.0:
            raise InputError(f"shrinkage: {shrinkage!r} is not in [0, 1): 0 is none")
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer) or threads < 1:
        raise InputError(f"threads: {threads!r} is no whole number of at least 1")
