"""What the choice of a penalty, the half-samples and the network take of a graphical model, whichever it is."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np

from netinfer.models.precision import fits
from netinfer.models.precision.fits import Certificates, gap_per_gene, pair_index, tied
from netinfer.solvers import GraphicalLassoResult


@dataclasses.dataclass(frozen=True, eq=False)
class GraphFit:
    """The graph that a model has at one penalty, and how near its fit is to the optimum.

    Attributes
    ----------
    n_genes : int
    first, second : int arrays, shape (n_edges,)
        The genes of each pair that is tied, first < second.
    partial_correlation : float array, shape (n_edges,)
    component_sizes : int array, shape (n_components,)
    duality_gap : float, >= 0
        What it is a share of, the model says.
    converged : bool
        Whether the gap is within the model's tolerance.
    solution : GraphicalLassoResult, optional
        Where the next fit starts, of a model that has one.
    """

    n_genes: int
    first: np.ndarray
    second: np.ndarray
    partial_correlation: np.ndarray
    component_sizes: np.ndarray
    duality_gap: float
    converged: bool
    solution: GraphicalLassoResult | None = None

    @functools.cached_property
    def pairs(self) -> np.ndarray:
        """Places of the pairs among all pairs, shape (n_edges,)."""
        return pair_index(self.first, self.second, self.n_genes)

    def stored(self) -> GraphFit:
        """Leave out what is large and can be made anew: what is kept until the path goes on."""
        return self if self.solution is None else dataclasses.replace(self, solution=self.solution.without_covariance())

    def restored(self) -> GraphFit:
        """Make it anew, so that a path can go on from here."""
        return self if self.solution is None else dataclasses.replace(self, solution=self.solution.with_inverse())


class GraphModel(Protocol):
    """A graphical model on a correlation matrix: at a penalty of the largest |r| or more it ties nothing."""

    @property
    def name(self) -> str:
        """What the tables call it."""

    @property
    def weight(self) -> str:
        """What the weight of an edge is."""

    @property
    def gap(self) -> str:
        """What the duality gap is a share of."""

    @property
    def tolerance(self) -> float:
        """Largest gap of a certified fit."""

    def path(
        self,
        correlation: np.ndarray,
        penalties: Iterable[float],
        certificates: Certificates,
        *,
        start: GraphFit | None = None,
        threads: int = 1,
    ) -> Iterator[GraphFit]:
        """Yield the graphs at decreasing penalties, for a caller who takes them all."""

    def steps(
        self, correlation: np.ndarray, penalties: Iterable[float], certificates: Certificates, *, threads: int = 1
    ) -> Iterator[GraphFit]:
        """Yield the same graphs, bit for bit, for a caller who may stop early."""


@dataclasses.dataclass(frozen=True)
class GraphicalLasso:
    """The Graphical Lasso: each fit starts from the one before."""

    name = "graphical_lasso"
    weight = "weight: absolute partial correlation of the two genes given all others included, at this penalty"
    gap = "duality gap per gene"

    @property
    def tolerance(self) -> float:
        """Largest gap per gene of a certified fit."""
        return fits.TOLERANCE

    def path(
        self,
        correlation: np.ndarray,
        penalties: Iterable[float],
        certificates: Certificates,
        *,
        start: GraphFit | None = None,
        threads: int = 1,
    ) -> Iterator[GraphFit]:
        """Yield the fits at decreasing penalties."""
        solution = None if start is None else start.solution
        for found in fits.steps(correlation, penalties, certificates, start=solution, threads=threads):
            yield as_graph(found)

    def steps(
        self, correlation: np.ndarray, penalties: Iterable[float], certificates: Certificates, *, threads: int = 1
    ) -> Iterator[GraphFit]:
        """Yield the fits at decreasing penalties: one is made when it is asked for."""
        return self.path(correlation, penalties, certificates, threads=threads)


def as_graph(found: GraphicalLassoResult) -> GraphFit:
    """Return the graph of a fit of the Graphical Lasso."""
    first, second, value = tied(found)
    return GraphFit(
        n_genes=len(found.variances),
        first=first,
        second=second,
        partial_correlation=value,
        component_sizes=found.component_sizes,
        duality_gap=gap_per_gene(found),
        converged=found.converged,
        solution=found,
    )


GRAPHICAL_LASSO = GraphicalLasso()
