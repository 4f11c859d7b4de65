r"""The graph of the neighbourhoods that the Lasso selects gene by gene (Meinshausen and Buehlmann 2006).

Each gene i is regressed on all the others, on the scale of correlations: :math:`b_i` minimises :math:`\tfrac12 b^\top R
b - R_i b + \lambda \sum_j |b_j|` with :math:`b_i = 0` for the gene itself, one penalty for all genes, each path exact.
A pair is tied by AND where both regressions have the other gene, by OR where one has. Of the precision matrix T the
regressions are :math:`b_{ij} = -T_{ij} / T_{ii}` and the residual variances :math:`s_i^2 = 1 / T_{ii}`, so that each
side has an estimate of the partial correlation, :math:`b_{ij} s_j / s_i`. AND takes that of the smaller magnitude, and
ties no pair whose two signs disagree; OR takes that of the larger magnitude (the positive one of two that differ in
sign alone). Both are cut at -1 and 1: only a joint fit keeps them within.

The genes are solved in blocks, and only coefficients that are not zero are kept.
"""

from __future__ import annotations

import dataclasses
import queue
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from scipy import sparse

from netinfer.models.precision.fits import Certificates, penalty_grid
from netinfer.models.precision.graph import GraphFit
from netinfer.solvers.homotopy import make_workspace
from netinfer.solvers.neighbourhoods import neighbourhoods
from netinfer.solvers.path import GAP_TOLERANCE, MAX_SWEEPS

COMBINATIONS = ("and", "or")
# Genes solved at a time by a thread.
BLOCK = 64
# Penalties solved at a time for a caller who may stop: the paths begin anew each time, and so many more double their
# time, so that all the earlier ones together cost as much as the last.
AHEAD = 4
# Which side's partial correlation a pair has.
SIDES = {"and": "the one of smaller magnitude", "or": "the one of larger magnitude"}


class _Block(NamedTuple):
    """What `netinfer.solvers.neighbourhoods` finds for some genes."""

    neighbours: np.ndarray
    coef: np.ndarray
    ends: np.ndarray
    variance: np.ndarray
    gap: np.ndarray


@dataclasses.dataclass(frozen=True)
class NodewiseLasso:
    """Neighbourhood selection by the Lasso.

    Parameters
    ----------
    combine : {"and", "or"}
        Whether both genes of a pair have to select each other, or one.
    """

    combine: str = "and"

    name = "nodewise_lasso"
    gap = "duality gap of a gene's Lasso, relative to half its variance,"
    tolerance = GAP_TOLERANCE

    @property
    def weight(self) -> str:
        """What the weight of an edge is."""
        return (
            "weight: absolute partial correlation of the two genes given all others included, at this penalty: of the "
            f"estimates of their two regressions {SIDES[self.combine]}"
        )

    def path(
        self,
        correlation: np.ndarray,
        penalties: Iterable[float],
        certificates: Certificates,
        *,
        start: GraphFit | None = None,
        threads: int = 1,
    ) -> Iterator[GraphFit]:
        """Yield the graphs at decreasing penalties; `start` is not needed."""
        grid = np.array(list(penalties), dtype=np.float64)
        return self._graphs(correlation, grid, 0, certificates, threads)

    def steps(
        self, correlation: np.ndarray, penalties: Iterable[float], certificates: Certificates, *, threads: int = 1
    ) -> Iterator[GraphFit]:
        """Yield the same graphs, a few penalties solved at a time."""
        grid = np.array(list(penalties), dtype=np.float64)
        for done in range(0, len(grid), AHEAD):
            yield from self._graphs(correlation, grid[: done + AHEAD], done, certificates, threads)

    def _graphs(
        self, correlation: np.ndarray, grid: np.ndarray, first: int, certificates: Certificates, threads: int
    ) -> Iterator[GraphFit]:
        """Yield the graphs from a place of the grid on."""
        if len(grid) == 0:
            return
        # A long way in one stride has to watch all genes; strides of the usual grid take a third to a half of the time.
        usual = penalty_grid(correlation)
        way = np.append(usual[usual > (1.0 + 1e-9) * grid[0]], grid)
        blocks = _solve(_mirrored(correlation), way, threads)
        for k in range(first + len(way) - len(grid), len(way)):
            graph = self._graph(blocks, k, len(correlation))
            certificates.note(graph.duality_gap, graph.converged)
            yield graph

    def _graph(self, blocks: list[_Block], k: int, n_genes: int) -> GraphFit:
        gene, neighbour, estimate = _estimates(blocks, k)
        first, second, value = combined(gene, neighbour, estimate, n_genes, self.combine)
        gap = max(float(block.gap[:, k].max()) for block in blocks)
        ties = sparse.coo_array((np.ones(len(first), np.int8), (first, second)), shape=(n_genes, n_genes))
        labels = sparse.csgraph.connected_components(ties, directed=False)[1]
        return GraphFit(
            n_genes=n_genes,
            first=first,
            second=second,
            partial_correlation=value,
            component_sizes=np.bincount(labels),
            duality_gap=gap,
            converged=gap <= GAP_TOLERANCE,
        )


def combined(
    gene: np.ndarray, neighbour: np.ndarray, estimate: np.ndarray, n_genes: int, combine: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make one estimate a pair of those from both sides.

    Parameters
    ----------
    gene, neighbour : int arrays, shape (n_coefficients,)
        A gene's regression has the neighbour; no pair of them twice.
    estimate : float array, shape (n_coefficients,)
        Of their partial correlation, not 0.
    n_genes : int
    combine : {"and", "or"}

    Returns
    -------
    first, second : int arrays, shape (n_pairs,)
        First < second, in order.
    value : float array, shape (n_pairs,), in [-1, 1]
    """
    place = np.minimum(gene, neighbour) * n_genes + np.maximum(gene, neighbour)
    keys = np.unique(place)
    sides = np.zeros((2, len(keys)))
    for side, is_side in zip(sides, (gene < neighbour, gene > neighbour), strict=True):
        side[np.searchsorted(keys, place[is_side])] = estimate[is_side]
    smaller, larger = np.abs(sides).min(axis=0), np.abs(sides).max(axis=0)
    if combine == "and":
        # A zero has sign 0: both are there, and agree.
        keep = np.sign(sides[0]) * np.sign(sides[1]) > 0
        keys, value = keys[keep], (np.sign(sides[0]) * smaller)[keep]
    else:
        value = np.where(sides.max(axis=0) == larger, larger, -larger)
    return keys // n_genes, keys % n_genes, np.clip(value, -1.0, 1.0)


def _estimates(blocks: list[_Block], k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return gene, neighbour and estimate of the partial correlation of all coefficients at a penalty."""
    sd = np.sqrt(np.concatenate([block.variance[:, k] for block in blocks]))
    n_each = np.concatenate([block.ends[:, k + 1] - block.ends[:, k] for block in blocks])
    gene = np.repeat(np.arange(len(sd)), n_each)
    chosen = [_between(block.ends[:, k], block.ends[:, k + 1]) for block in blocks]
    neighbour = np.concatenate([b.neighbours[at] for b, at in zip(blocks, chosen, strict=True)]).astype(np.int64)
    coef = np.concatenate([b.coef[at] for b, at in zip(blocks, chosen, strict=True)])
    return gene, neighbour, coef * (sd[neighbour] / sd[gene])


def _between(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Return the places from each start to before its stop, one range after another."""
    lengths = stops - starts
    offset = starts - (np.cumsum(lengths) - lengths)
    return np.repeat(offset, lengths) + np.arange(lengths.sum())


def _mirrored(correlation: np.ndarray) -> np.ndarray:
    """Copy the upper triangle to the lower one, which rounding may have made another."""
    gram = np.array(correlation, dtype=np.float64, order="C")
    for i in range(1, len(gram)):
        gram[i, :i] = gram[:i, i]
    return gram


def _solve(gram: np.ndarray, penalties: np.ndarray, threads: int) -> list[_Block]:
    """Solve all genes at all penalties; what a gene gets depends on no other."""
    p = len(gram)
    spare: queue.SimpleQueue = queue.SimpleQueue()
    for _ in range(threads):
        # Two arrays of p x p, of which only as many rows are touched as a path has active genes.
        spare.put(make_workspace(p))

    def one(first: int) -> _Block:
        work = spare.get()
        try:
            return _Block(
                *neighbourhoods(
                    gram, first, min(first + BLOCK, p), penalties, work, 100 + 20 * p, GAP_TOLERANCE, MAX_SWEEPS
                )
            )
        finally:
            spare.put(work)

    starts = range(0, p, BLOCK)
    if threads == 1:
        return [one(first) for first in starts]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(one, starts))
