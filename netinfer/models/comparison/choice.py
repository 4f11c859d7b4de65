r"""How sparse and how alike: the two penalties of a comparison, each chosen by what it is for.

The total penalty w is chosen over the graphs of each condition on its own, all at the same w: the smallest with a mean
instability D of at most beta (``stars``), or the smallest sum of the extended BIC (``ebic``); see
`netinfer.models.precision.choice` for both. The similarity s is the smallest of a short list whose graphs at this w
predict as well as the best, up to one standard error over the folds: what is asked for are differences, so that no more
is borrowed than helps. The criterion is the held-out :math:`\mathrm{tr}(R_k T_k) - \log\det T_k`, mean over folds and
conditions, :math:`T_k` the maximum likelihood fit to the graph, without a penalty: of penalised fits the one that
shrinks least would win, which is s = 0.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from netinfer.errors import InputError
from netinfer.models.comparison.conditions import WHERE
from netinfer.models.comparison.fits import JointFit, Penalties, joint_fit
from netinfer.models.precision.choice import LEAST_UNITS, N_DRAWS, N_FOLDS, PATIENCE, ebic, folds_of, held_out_fold
from netinfer.models.precision.correlations import Correlations
from netinfer.models.precision.fits import Certificates, penalty_grid, refit, steps
from netinfer.models.precision.graph import as_graph
from netinfer.models.regression.chunk import effective_units
from netinfer.solvers import GraphicalLassoResult
from netinfer.stability.stars import instability, subsample, subsample_size

CRITERIA = ("stars", "ebic")
SIMILARITIES = (0.0, 0.25, 0.5, 0.75, 0.9)
# Where no graph of the folds has a fit without a penalty.
UNKNOWN = 0.5


@dataclasses.dataclass(frozen=True)
class PairChoice:
    """The two penalties, and what the choice rests on.

    Attributes
    ----------
    penalties : Penalties
    criterion : str
        ``stars``, ``ebic`` or ``given``.
    path : dict
        ``penalty`` and ``criterion``, lists; ``n_edges``: a list for each condition, of the separate graphs. Empty
        where the penalty was given.
    similarities : dict
        ``similarity`` and ``criterion``, lists (None where a fold's graph has no fit without a penalty); the
        ``standard_error`` of the best; ``n_edges`` of the joint graphs likewise. Empty where it was given.
    settings : dict
        Constants of the criterion.
    """

    penalties: Penalties
    criterion: str
    path: dict[str, Any]
    similarities: dict[str, Any]
    settings: dict[str, Any]


def choose_pair(
    correlations: Sequence[Correlations],
    kind: str,
    penalty: float | None,
    similarity: float | None,
    criterion: str,
    *,
    stars_threshold: float,
    seed: int,
    threads: int,
    certificates: Certificates,
) -> PairChoice:
    """Choose what is not given.

    Parameters
    ----------
    correlations : sequence of Correlations
        Of each condition.
    kind : {"group", "fused"}
    penalty, similarity : float, optional
    criterion : {"stars", "ebic"}
    stars_threshold, seed, threads, certificates

    Warns
    -----
    UserWarning
        If the criterion has not turned at the smallest penalty.
    """
    path: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    similarities: dict[str, Any] = {}
    if penalty is None and criterion == "stars":
        penalty, path, settings = _by_stars(correlations, stars_threshold, seed, threads, certificates)
    elif penalty is None:
        penalty, path, settings = _by_ebic(correlations, threads, certificates)
    else:
        criterion = "given"
    if similarity is None:
        similarity, similarities = _by_likelihood(correlations, kind, penalty, seed, threads, certificates)
        settings = {**settings, "n_folds": N_FOLDS}
    return PairChoice(Penalties(kind, float(penalty), float(similarity)), criterion, path, similarities, settings)


def common_grid(correlations: Sequence[Correlations]) -> np.ndarray:
    """Return penalties that all conditions share: at the first no condition ties two genes."""
    return max((penalty_grid(one.whole.matrix) for one in correlations), key=lambda grid: grid[0])


def _by_stars(
    correlations: Sequence[Correlations], threshold: float, seed: int, threads: int, certificates: Certificates
) -> tuple[float, dict[str, Any], dict[str, Any]]:
    """Return the smallest penalty whose mean instability over the conditions is small enough, by one way down."""
    grid = common_grid(correlations)
    # At 1 no graph has an edge, so that there is always a penalty to choose.
    grid = np.append(1.0, grid) if grid[0] < 1.0 else grid
    sizes = [subsample_size(one.genes.n_units) for one in correlations]
    n_pairs = [len(one.whole.matrix) * (len(one.whole.matrix) - 1) // 2 for one in correlations]
    ways = [
        (k, steps(one.of(_draw(one, draw, size, seed)), grid, certificates))
        for k, (one, size) in enumerate(zip(correlations, sizes, strict=True))
        for draw in range(N_DRAWS)
    ]
    values: list[float] = []
    is_bracketed = False
    with ThreadPoolExecutor(max_workers=threads) as pool:
        for _ in grid:
            counts = [np.zeros((n, 1), np.uint16) for n in n_pairs]
            for (k, _), pairs in zip(ways, pool.map(lambda way: as_graph(next(way[1])).pairs, ways), strict=True):
                counts[k][pairs, 0] += 1
            value = float(np.mean([instability(count, N_DRAWS)[0] for count in counts]))
            values.append(max([value, *values[-1:]]))
            if values[-1] > threshold:
                is_bracketed = True
                break
    at = int(np.flatnonzero(np.array(values) <= threshold)[-1])
    _warn_of_end("stars", grid[len(values) - 1], is_bracketed)
    path = {"penalty": grid[: len(values)].tolist(), "criterion": values}
    path["n_edges"] = _edges_along(correlations, grid[: len(values)], threads, certificates)
    return float(grid[at]), path, {"threshold": threshold, "n_subsamples": N_DRAWS, "subsample_size": sizes}


def _draw(one: Correlations, draw: int, size: int, seed: int) -> np.ndarray:
    return subsample(one.genes.n_units, draw, size=size, seed=seed, strata=one.genes.strata)


def _edges_along(
    correlations: Sequence[Correlations], grid: np.ndarray, threads: int, certificates: Certificates
) -> list[list[int]]:
    """Count the edges of each condition's own graph on all samples."""
    return [
        [len(as_graph(found).pairs) for found in steps(one.whole.matrix, grid, certificates, threads=threads)]
        for one in correlations
    ]


def _by_ebic(
    correlations: Sequence[Correlations], threads: int, certificates: Certificates
) -> tuple[float, dict[str, Any], dict[str, Any]]:
    """Return the penalty of the smallest sum over the conditions of the extended BIC."""
    sizes = []
    for one in correlations:
        rows = np.array([len(rows) for rows in one.genes.unit_rows], float)
        sizes.append(float(effective_units(rows) - one.genes.covariate_df))
    if min(sizes) < LEAST_UNITS:
        raise InputError(
            f"{WHERE}: criterion ebic: units of unequal size and covariates leave {min(sizes):.3g} effective units in "
            f"a condition, at least {LEAST_UNITS} are needed: use stars, or give a penalty"
        )
    grid = common_grid(correlations)
    ways = [steps(one.whole.matrix, grid, certificates, threads=threads) for one in correlations]
    values: list[float] = []
    n_edges: list[list[int]] = [[] for _ in correlations]
    at = 0
    is_stopped = False
    for _ in grid:
        total = 0.0
        counts = []
        for one, way, n in zip(correlations, ways, sizes, strict=True):
            found = next(way)
            refitted = refit(one.whole.matrix, as_graph(found), threads=threads)
            if refitted is None:
                is_stopped = True
                break
            counts.append(len(as_graph(found).pairs))
            total += ebic(refitted, len(one.whole.matrix), n, counts[-1])
        if is_stopped:
            break
        values.append(total)
        for own, count in zip(n_edges, counts, strict=True):
            own.append(count)
        at = len(values) - 1 if total < values[at] else at
        if len(values) > at + PATIENCE:
            break
    _warn_of_end("ebic", grid[len(values) - 1], len(values) > at + (PATIENCE if is_stopped else 1))
    path = {"penalty": grid[: len(values)].tolist(), "criterion": values, "n_edges": n_edges}
    return float(grid[at]), path, {"gamma": 0.5, "n": sizes}


def _by_likelihood(
    correlations: Sequence[Correlations], kind: str, penalty: float, seed: int, threads: int, certificates: Certificates
) -> tuple[float, dict[str, Any]]:
    """Return the smallest similarity that predicts held-out units as well as the best, up to one standard error."""
    for one in correlations:
        if not one.is_moments and one.covariates is not None:
            raise InputError(
                f"{WHERE}: similarity: {one.method} correlations with covariates have no held-out likelihood to choose "
                "it by: give a similarity, or use correlation normal_scores"
            )
    genes = [one.genes.target_names for one in correlations]
    folds = [folds_of(one, seed) for one in correlations]

    def held_out(k: int) -> list[list[float]]:
        """Score each condition at each similarity on one fold."""
        parts = [held_out_fold(one, fold[k], one.genes.n_units) for one, fold in zip(correlations, folds, strict=True)]
        scores, found = [], None
        for s in SIMILARITIES:
            found = joint_fit([t for t, _ in parts], genes, Penalties(kind, penalty, s), certificates, start=found)
            scores.append(
                [_score(graph, trained, test) for graph, (trained, test) in zip(found.graphs, parts, strict=True)]
            )
        return scores

    with ThreadPoolExecutor(max_workers=threads) as pool:
        scores = np.array(list(pool.map(held_out, range(N_FOLDS))))  # (n_folds, n_similarities, n_conditions)
    weights = np.array([[len(fold[k]) for fold in folds] for k in range(N_FOLDS)], float)
    # Each condition counts the same, each of its units likewise.
    by_fold = (scores * (weights / weights.mean(axis=0))[:, None, :]).mean(axis=2)  # (n_folds, n_similarities)
    values = by_fold.mean(axis=0)
    chosen, error = UNKNOWN, None
    if np.isfinite(values).any():
        best = int(values.argmin())
        error = float(scores.mean(axis=2)[:, best].std(ddof=1) / np.sqrt(N_FOLDS))
        chosen = SIMILARITIES[int(np.flatnonzero(values <= values[best] + error)[0])]
    else:
        warnings.warn(
            f"{WHERE}: similarity: at penalty {penalty:.3g} the graphs are too dense for folds of these units to have "
            f"a fit without a penalty, by which it is chosen: {UNKNOWN} is taken; give one, or a larger penalty",
            UserWarning,
            stacklevel=4,
        )
    whole: JointFit | None = None
    n_edges: list[list[int]] = [[] for _ in correlations]
    for s in SIMILARITIES:
        matrices = [one.whole.matrix for one in correlations]
        whole = joint_fit(matrices, genes, Penalties(kind, penalty, s), certificates, start=whole, threads=threads)
        for own, graph in zip(n_edges, whole.graphs, strict=True):
            own.append(len(as_graph(graph).pairs))
    shown = [value if np.isfinite(value) else None for value in values.tolist()]
    table = {"similarity": list(SIMILARITIES), "criterion": shown, "standard_error": error, "n_edges": n_edges}
    return chosen, table


def _score(graph: GraphicalLassoResult, trained: np.ndarray, held_out: np.ndarray) -> float:
    """Return the held-out criterion of a graph by its fit without a penalty; infinite where it has none."""
    refitted = refit(trained, as_graph(graph))
    if refitted is None:
        return np.inf
    return float((refitted.precision * held_out).sum() - np.linalg.slogdet(refitted.precision)[1])


def _warn_of_end(criterion: str, smallest: float, is_bracketed: bool) -> None:
    if not is_bracketed:
        warnings.warn(
            f"{WHERE}: criterion {criterion} has not turned at penalty {smallest:.3g}, where the grid or the fits end: "
            "the graphs may be too sparse; give a penalty, or choose by another criterion",
            UserWarning,
            stacklevel=5,
        )
