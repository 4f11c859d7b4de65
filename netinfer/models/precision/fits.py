"""Fits of the Graphical Lasso along penalties, what a graph is of them, and a record of certificates."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers import GraphicalLassoResult
from netinfer.solvers.graphical_input import CheckedProblem, checked_covariance, scale_of
from netinfer.solvers.graphical_lasso import MAX_SWEEPS, solve

if TYPE_CHECKING:
    from netinfer.models.precision.graph import GraphFit

# Largest duality gap per gene.
TOLERANCE = 1e-6
# Neighbours on the grid: 20 penalties a factor of ten. It ends at this share of its largest one.
RATIO, SMALLEST = 0.1 ** (1 / 19), 0.001


class Certificates:
    """How many fits there were, and the worst duality gap; threads may share it."""

    def __init__(self) -> None:
        self.n_fits, self.n_failed, self.worst = 0, 0, 0.0
        self._lock = threading.Lock()

    def add(self, found: GraphicalLassoResult) -> GraphicalLassoResult:
        """Note a fit and return it."""
        self.note(gap_per_gene(found), found.converged)
        return found

    def note(self, gap: float, is_converged: bool) -> None:
        """Note a fit by its gap."""
        with self._lock:
            self.n_fits += 1
            self.n_failed += not is_converged
            self.worst = max(self.worst, gap)

    def join(self, n_fits: int, n_failed: int, worst: float) -> None:
        """Note the fits of another job."""
        with self._lock:
            self.n_fits, self.n_failed = self.n_fits + n_fits, self.n_failed + n_failed
            self.worst = max(self.worst, worst)

    def warn(
        self,
        level: int,
        gap: str = "duality gap per gene",
        tolerance: float | None = None,
        where: str = "infer_precision",
    ) -> None:
        """Warn once where fits are not certified; `gap` is what the gap is a share of."""
        if self.n_failed:
            limit = TOLERANCE if tolerance is None else tolerance
            warnings.warn(
                f"{where}: {self.n_failed} of {self.n_fits} fits with a {gap} above {limit:.0e}, the "
                f"worst {self.worst:.1e}: use a larger penalty, or shrink the correlations",
                ConvergenceWarning,
                stacklevel=level,
            )


def steps(
    correlation: np.ndarray,
    penalties: Iterable[float],
    certificates: Certificates,
    *,
    start: GraphicalLassoResult | None = None,
    threads: int = 1,
) -> Iterator[GraphicalLassoResult]:
    """Yield the fits at decreasing penalties, each from the one before.

    As `netinfer.solvers.graphical_lasso_steps`, for callers who hold the threads of BLAS themselves: setting them costs
    as much as the fit of a hundred genes.
    """
    matrix, labels = checked_covariance(correlation)
    found = start
    for value in penalties:
        penalty = np.full((1, 1), float(value))
        problem = CheckedProblem(matrix, penalty, scale_of(matrix, penalty, False), labels)
        found = certificates.add(solve(problem, TOLERANCE, MAX_SWEEPS, found, threads))
        yield found


def refit(correlation: np.ndarray, graph: GraphFit, *, threads: int = 1) -> GraphicalLassoResult | None:
    """Fit a graph without a penalty: the maximum likelihood; None where it has none within reach."""
    i, j = graph.first, graph.second
    penalty = np.full(correlation.shape, np.inf)
    penalty[i, j] = penalty[j, i] = 0.0
    np.fill_diagonal(penalty, 0.0)
    matrix, labels = checked_covariance(correlation)
    problem = CheckedProblem(matrix, penalty, scale_of(matrix, penalty, False), labels)
    try:
        refitted = solve(problem, TOLERANCE, MAX_SWEEPS, graph.solution, threads)
    except InputError:  # fewer samples than a dense part of the graph has genes
        return None
    return refitted if refitted.converged else None


def gap_per_gene(found: GraphicalLassoResult) -> float:
    """Return the duality gap per gene."""
    return float(found.duality_gap) / len(found.variances)


def penalty_grid(correlation: np.ndarray) -> np.ndarray:
    """Return penalties from the largest |r| down to a thousandth of it; at the first no two genes are tied."""
    largest = max(float(np.abs(np.triu(correlation, 1)).max()), SMALLEST)
    n_penalties = 1 + int(np.floor(np.log(SMALLEST) / np.log(RATIO) + 1e-9))
    grid = largest * RATIO ** np.arange(n_penalties)
    grid[0] = largest
    return grid


def tied(found: GraphicalLassoResult) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs of a graph, first gene before second, and their partial correlations."""
    entries = found.precision_sparse.tocoo()
    keep = (entries.row < entries.col) & (entries.data != 0.0)
    i, j = entries.row[keep].astype(np.int64), entries.col[keep].astype(np.int64)
    size = 1.0 / np.sqrt(found.precision_sparse.diagonal())
    return i, j, -entries.data[keep] * (size[i] * size[j])


def pair_index(i: np.ndarray, j: np.ndarray, n_genes: int) -> np.ndarray:
    """Return the place of each pair i < j among all pairs, row by row of the upper triangle."""
    return i * n_genes - i * (i + 1) // 2 + (j - i - 1)


def pair_ends(index: np.ndarray, n_genes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the genes i < j of pairs by their place."""
    first = np.arange(n_genes)
    starts = pair_index(first, first + 1, n_genes)
    i = np.searchsorted(starts[:-1], index, side="right") - 1
    return i, index - starts[i] + i + 1
