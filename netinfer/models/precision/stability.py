r"""Half-samples of the graph: how often each pair is tied along a path of penalties, and what chance would tie.

All pairs of genes are the candidates of one procedure, as Meinshausen and Buehlmann (2010) had it with the graphical
Lasso, so that the bounds of `netinfer.stability.rules` apply to the counts: with q pairs tied on average and p(p - 1)/2
candidates, at most :math:`q^2 / ((2 \tau - 1)\, p (p - 1) / 2)` false ones reach the selection probability
:math:`\tau`, where chance ties all pairs without a partial correlation alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from netinfer.models.precision.correlations import Correlations
from netinfer.models.precision.fits import Certificates, penalty_grid
from netinfer.models.precision.graph import GRAPHICAL_LASSO, GraphFit, GraphModel
from netinfer.models.precision.tally import Tally
from netinfer.stability.rules import IPSS_ORDER, SelectionCounts, default_threshold, rule_record

# Ties a gene, on average, at which the path ends at the latest: denser graphs cost most of the time, and are read by
# nobody. With p genes it is 10 p ties, for which the first bound allows 250 false edges at a threshold of 0.9.
MOST_TIES = 20
# The share of false edges that the path of half-samples is to serve where none is asked for.
USUAL_SHARE = 0.1


@dataclasses.dataclass(frozen=True)
class HalfSamples:
    """What the half-samples tied.

    Attributes
    ----------
    penalties : float array, shape (n_penalties,), decreasing
    selection : SelectionCounts
        All pairs as the candidates of one target; `counts` of the pairs in `gated`.
    gated : int array, shape (n_gated,)
        Pairs that some penalty ties in more than half of the half-samples.
    n_most : int array, shape (n_pairs,)
        Most half-samples that tie the pair at one penalty.
    n_positive, n_negative : int arrays, shape (n_pairs,)
        Signs of the partial correlation at `ranking_penalty`.
    ranking_penalty : float
    largest : float array, shape (n_genes,)
        Smallest penalty at which no half-sample ties the gene to another.
    """

    penalties: np.ndarray
    selection: SelectionCounts
    gated: np.ndarray
    n_most: np.ndarray
    n_positive: np.ndarray
    n_negative: np.ndarray
    ranking_penalty: float
    largest: np.ndarray


@dataclasses.dataclass(frozen=True)
class _Half:
    """One half-sample: pairs tied and their signs, penalty by penalty, and the largest |r| of each gene."""

    pairs: list[np.ndarray]
    signs: list[np.ndarray]
    largest: np.ndarray


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the path of penalties is to serve.

    Attributes
    ----------
    share, number : float, optional
        Wished share or number of false edges; one of them.
    rule : str
    constants : dict
        As `netinfer.stability.rules.rule_record` takes them.
    """

    share: float | None
    number: float | None
    rule: str
    constants: dict[str, Any]

    @classmethod
    def by(cls, asked: Mapping[str, float] | None, rule: str, constants: dict[str, Any]) -> Wanted:
        """Return what the path is to serve for a cut, or for a graph, where none is asked for."""
        asked = asked or {}
        number = asked.get("expected_false_edges")
        share = max(asked.get("fdr", 0.0), USUAL_SHARE) if number is None else None
        return cls(share=share, number=number, rule=rule, constants=constants)

    def is_served(self, n_selected: float, n_union: float, n_both: int, n_pairs: int, n_subsamples: int) -> bool:
        """Say whether a path ended here may still meet the wish, by the numbers that the first pair of halves ties.

        Of pairs that reach the threshold in all half-samples, a share of 2 tau - 1 at least is tied by both halves of a
        complementary pair, so that `n_both` says how many edges there may be. One edge is always taken to be possible.
        """
        counts = SelectionCounts(
            n_subsamples=n_subsamples,
            n_candidates=np.array([float(n_pairs)]),
            n_selected=np.array([[n_selected]]),
            n_union=np.array([[n_union]]),
            counts=np.zeros((0, 1), np.uint16),
        )
        rule = "meinshausen_buhlmann" if self.rule in IPSS_ORDER else self.rule
        constants = {**self.constants, "truncation": None}
        bound = rule_record(counts, np.ones(1), rule, **constants)["path_ends"]["expected_false_edges"][0]
        if self.number is not None:
            return bound <= self.number
        tau = self.constants["threshold"]
        possible = max(1.0, min(n_both / (2.0 * tau - 1.0), n_union / tau))
        return bound <= (self.share or 0.0) * possible


def bound_constants(
    n_genes: int, n_units: int, threshold: float | str, *, truncation: float | None = None, pooled: bool = False
) -> dict[str, Any]:
    """Return what the rules take besides the counts; an `auto` threshold goes by the other genes of each gene."""
    if threshold == "auto":
        threshold = default_threshold(np.array([n_genes - 1.0]), n_units)
    return {"threshold": float(threshold), "truncation": truncation, "pooled": pooled}


def count_half_samples(
    correlations: Correlations,
    ranking_penalty: float | None,
    wanted: Wanted,
    *,
    n_subsamples: int,
    seed: int,
    threads: int,
    certificates: Certificates,
    model: GraphModel = GRAPHICAL_LASSO,
) -> HalfSamples:
    """Fit the half-samples along one path and count the pairs tied.

    Parameters
    ----------
    correlations : Correlations
    ranking_penalty : float, optional
        Becomes a penalty of the path; by default the path's last.
    wanted : Wanted
    n_subsamples : int, even
    seed, threads, certificates, model

    Notes
    -----
    Holds 2 bytes for each pair of genes and penalty. The first pair of halves sets the path's end.
    """
    p = len(correlations.whole.matrix)
    first, penalties = _first_pair(
        correlations, ranking_penalty, wanted, n_subsamples, seed, threads, certificates, model
    )
    tally = Tally.empty(p, penalties, ranking_penalty)
    for half in first:
        tally.add(half.pairs, half.signs, half.largest)
    rest = range(1, n_subsamples // 2)
    tally += count_pairs(
        correlations,
        penalties,
        ranking_penalty,
        rest,
        seed=seed,
        threads=threads,
        certificates=certificates,
        model=model,
    )
    return half_samples(tally, n_subsamples)


def path_of_halves(
    correlations: Correlations,
    ranking_penalty: float | None,
    wanted: Wanted,
    *,
    n_subsamples: int,
    seed: int,
    threads: int,
    certificates: Certificates,
    model: GraphModel = GRAPHICAL_LASSO,
) -> np.ndarray:
    """Return the penalties that every half-sample is fitted at; arguments as of `count_half_samples`."""
    return _first_pair(correlations, ranking_penalty, wanted, n_subsamples, seed, threads, certificates, model)[1]


def count_pairs(
    correlations: Correlations,
    penalties: np.ndarray,
    ranking_penalty: float | None,
    pairs: Sequence[int],
    *,
    seed: int,
    threads: int,
    certificates: Certificates,
    model: GraphModel = GRAPHICAL_LASSO,
) -> Tally:
    """Count what some pairs of half-samples tie; tallies of other pairs can be added."""
    tally = Tally.empty(len(correlations.whole.matrix), penalties, ranking_penalty)

    def both(pair: int) -> list[_Half]:
        halves = correlations.halves(*correlations.genes.halves(pair, seed))
        return [_half(matrix, penalties, certificates, model) for matrix in halves]

    with ThreadPoolExecutor(max_workers=threads) as pool:
        # A few pairs at a time, so that finished ones do not wait in memory.
        for start in range(0, len(pairs), threads):
            for halves in pool.map(both, pairs[start : start + threads]):
                for half in halves:
                    tally.add(half.pairs, half.signs, half.largest)
    tally.pairs_of_halves = list(pairs)
    return tally


def half_samples(tally: Tally, n_subsamples: int) -> HalfSamples:
    """Turn the tally of all half-samples into what the rules read."""
    n_most = tally.counts.max(axis=1)
    gated = np.flatnonzero(n_most > n_subsamples // 2)
    return HalfSamples(
        penalties=tally.penalties,
        selection=SelectionCounts(
            n_subsamples=n_subsamples,
            n_candidates=np.array([float(len(n_most))]),
            n_selected=tally.n_selected[None, :] / n_subsamples,
            n_union=tally.n_union[None, :] / n_subsamples,
            counts=tally.counts[gated],
        ),
        gated=gated,
        n_most=n_most,
        n_positive=tally.n_positive,
        n_negative=tally.n_negative,
        ranking_penalty=float(tally.penalties[tally.ranking]),
        largest=tally.largest,
    )


def _first_pair(
    correlations: Correlations,
    ranking_penalty: float | None,
    wanted: Wanted,
    n_subsamples: int,
    seed: int,
    threads: int,
    certificates: Certificates,
    model: GraphModel = GRAPHICAL_LASSO,
) -> tuple[list[_Half], np.ndarray]:
    """Follow the first pair of halves until the bound helps no more; return them and the penalties of all others.

    A path for the pairs of one graph ends at its penalty, which is fitted also where the bound helps no more.
    """
    matrices = correlations.halves(*correlations.genes.halves(0, seed))
    p = len(correlations.whole.matrix)
    n_pairs = p * (p - 1) // 2
    grid = penalty_grid(correlations.whole.matrix)
    if ranking_penalty is not None:
        # A grid that went on by its ratio may hold it but for rounding.
        grid = grid[grid > (1.0 + 1e-9) * ranking_penalty]
        grid = np.sort(np.append(grid, ranking_penalty))[::-1].copy()
    halves = [_Half([], [], _largest(matrix)) for matrix in matrices]
    seen = np.zeros((2, n_pairs), bool)
    penalties: list[float] = []
    last: list[GraphFit] = []
    with ThreadPoolExecutor(max_workers=min(threads, 2)) as pool:
        paths = [model.steps(matrix, grid, certificates) for matrix in matrices]
        for penalty in grid:
            last = list(pool.map(next, paths))
            penalties.append(penalty)
            for half, found, mask in zip(halves, last, seen, strict=True):
                _note(half, found)
                mask[half.pairs[-1]] = True
            n_selected = sum(len(half.pairs[-1]) for half in halves) / 2
            n_both = int(np.count_nonzero(seen[0] & seen[1]))
            if n_selected > MOST_TIES * p / 2:
                break
            if not wanted.is_served(n_selected, np.count_nonzero(seen) / 2, n_both, n_pairs, n_subsamples):
                break
        if ranking_penalty is not None and penalties[-1] > ranking_penalty:
            at_graph = pool.map(
                lambda k: next(model.path(matrices[k], [ranking_penalty], certificates, start=last[k])),
                range(2),
            )
            for half, found in zip(halves, at_graph, strict=True):
                _note(half, found)
            penalties.append(ranking_penalty)
    return halves, np.array(penalties)


def _half(matrix: np.ndarray, penalties: np.ndarray, certificates: Certificates, model: GraphModel) -> _Half:
    half = _Half([], [], _largest(matrix))
    for found in model.path(matrix, penalties, certificates):
        _note(half, found)
    return half


def _note(half: _Half, found: GraphFit) -> None:
    half.pairs.append(found.pairs)
    half.signs.append(np.where(found.partial_correlation < 0, -1, 1).astype(np.int8))


def _largest(matrix: np.ndarray) -> np.ndarray:
    return np.abs(matrix - np.eye(len(matrix))).max(axis=1)
