r"""The penalty of a graph: given, by StARS, by the extended BIC, or by held-out likelihood.

All penalties are on the scale of correlations. With :math:`T` the fit and :math:`R` the correlation of n independent
units, the criteria are

* ``stars``: the smallest penalty at which graphs of subsamples agree (Liu, Roeder and Wasserman 2010);
* ``ebic``: the smallest :math:`n (\mathrm{tr}(R T_E) - \log\det T_E) + E \log n + 4 \gamma E \log p` for E edges of p
  genes, :math:`\gamma = 1/2`, :math:`T_E` the maximum likelihood fit to the graph, without a penalty (Foygel and Drton
  2010); R's huge has the penalised fit in its place, which needs false edges to make up for the shrinkage of true ones;
* ``cv``: the smallest mean :math:`\mathrm{tr}(R_k T_k) - \log\det T_k` of held-out folds of whole units.

The grid begins where no two genes are tied and goes down until the criterion has turned.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.models.precision.correlations import Correlations, complement
from netinfer.models.precision.fits import (
    SMALLEST,
    Certificates,
    penalty_grid,
    refit,
    steps,
)
from netinfer.models.precision.graph import GRAPHICAL_LASSO, GraphFit, GraphModel
from netinfer.models.regression.chunk import effective_units
from netinfer.moments import project_out
from netinfer.solvers import GraphicalLassoResult
from netinfer.stability.stars import StarsChoice, stars
from netinfer.stability.subsamples import raw_words

CRITERIA = ("stars", "ebic", "cv")
EBIC_GAMMA = 0.5
# Below this its log n says nothing.
LEAST_UNITS = 3
N_FOLDS = 5
# Subsamples of StARS, as in the paper's experiments.
N_DRAWS = 20
# Penalties at which StARS looks before it knows that it has to go on.
FIRST = 8
# A criterion has turned when so many penalties have not lowered it: a factor of two on the grid.
PATIENCE = 6
# Streams of random words of half-samples are 0, 1, ...; that of the folds is out of their way.
FOLD_STREAM = 2**62


@dataclasses.dataclass(frozen=True)
class PenaltyChoice:
    """A penalty, the graph at it on all samples, and what the choice rests on.

    Attributes
    ----------
    penalty : float
    criterion : str
        ``stars``, ``ebic``, ``cv`` or ``given``.
    found : GraphFit
    table : DataFrame, one row a penalty, decreasing
        penalty, n_edges, n_components, largest_component, duality_gap of the fit on all samples, criterion;
        NaN where a penalty was not fitted on all samples or the criterion not needed.
    record : dict
        The constants of the criterion.
    """

    penalty: float
    criterion: str
    found: GraphFit
    table: pd.DataFrame
    record: dict


def choose(
    correlations: Correlations,
    penalty: float | None,
    criterion: str,
    *,
    stars_threshold: float,
    seed: int,
    threads: int,
    certificates: Certificates,
    model: GraphModel = GRAPHICAL_LASSO,
) -> PenaltyChoice:
    """Choose the penalty of the graph and fit it on all samples.

    Warns
    -----
    UserWarning
        If a criterion has not turned at the smallest penalty.
    """
    matrix = correlations.whole.matrix
    if penalty is not None:
        found = next(model.path(matrix, [penalty], certificates, threads=threads))
        return PenaltyChoice(penalty, "given", found, pd.DataFrame([_row(penalty, found)]), {})
    if criterion == "ebic":
        return _by_ebic(correlations, threads, certificates, model)
    if criterion == "cv":
        penalties, values, at, is_bracketed = _by_likelihood(correlations, seed, threads, certificates)
        record: dict[str, float] = {"n_folds": N_FOLDS}
    else:
        found_stars = by_stars(correlations, stars_threshold, seed, threads, certificates, model=model)
        penalties, values, at = found_stars.penalties, found_stars.instability, found_stars.index
        is_bracketed = found_stars.is_bracketed
        record = {
            "threshold": stars_threshold,
            "n_subsamples": found_stars.n_subsamples,
            "subsample_size": found_stars.subsample_size,
        }
    _warn_of_end(criterion, penalties[-1], is_bracketed, 4)
    rows = []
    graphs = model.path(matrix, penalties[: at + 1], certificates, threads=threads)
    for value, found in zip(penalties, graphs, strict=False):
        rows.append(_row(value, found))
    table = pd.DataFrame(rows).reindex(range(len(penalties))).assign(penalty=penalties, criterion=values)
    return PenaltyChoice(float(penalties[at]), criterion, found, table, record)


def check_choice(penalty: float | None, criterion: str, stars_threshold: float) -> None:
    """Refuse a penalty or a criterion that cannot be.

    Raises
    ------
    ConfigError
    """
    if criterion not in CRITERIA:
        raise ConfigError(f"infer_precision: criterion: {criterion!r} is unknown: use {', '.join(CRITERIA)}")
    if penalty is not None:
        is_number = isinstance(penalty, int | float | np.number) and not isinstance(penalty, bool)
        if not is_number or not 0.0 < float(penalty) <= 1.0:
            raise ConfigError(
                f"infer_precision: penalty: {penalty!r} is not above 0 and at most 1: it is on the scale of "
                "correlations, and 1 ties no genes"
            )
    if not 0.0 < stars_threshold < 0.5:
        raise ConfigError(f"infer_precision: stars_threshold: {stars_threshold!r} is not between 0 and 0.5")


def ebic(refitted: GraphicalLassoResult, n_genes: int, n_units: float, n_edges: int) -> float:
    """Return the extended BIC of a graph by its fit without a penalty."""
    return n_units * refitted.objective + n_edges * (np.log(n_units) + 4.0 * EBIC_GAMMA * np.log(n_genes))


def log_determinant(found: GraphicalLassoResult, correlation: np.ndarray, penalty: float) -> float:
    """Return log det T of a fit to a correlation: what its objective leaves of the other two terms."""
    off_diagonal = float(np.abs(found.precision_sparse.data).sum() - found.precision_sparse.diagonal().sum())
    return _trace(found, correlation) + penalty * off_diagonal - found.objective


def _trace(found: GraphicalLassoResult, matrix: np.ndarray) -> float:
    entries = found.precision_sparse.tocoo()
    return float(np.sum(entries.data * matrix[entries.row, entries.col]))


def _by_ebic(correlations: Correlations, threads: int, certificates: Certificates, model: GraphModel) -> PenaltyChoice:
    genes, matrix = correlations.genes, correlations.whole.matrix
    n = effective_units(np.array([len(rows) for rows in genes.unit_rows], float)) - genes.covariate_df
    if n < LEAST_UNITS:
        raise InputError(
            f"infer_precision: criterion ebic: units of such unequal size and {genes.covariate_df} degrees of freedom "
            f"of covariates leave {n:.3g} effective units, at least {LEAST_UNITS} are needed: use stars, or a penalty"
        )
    grid = penalty_grid(matrix)
    rows: list[dict] = []
    at, is_stopped = 0, False
    for value, found in zip(grid, model.steps(matrix, grid, certificates, threads=threads), strict=False):
        row = _row(value, found)
        if (refitted := refit(matrix, found, threads=threads)) is None:
            is_stopped = True
            break
        row["criterion"] = ebic(refitted, len(matrix), n, row["n_edges"])
        if not rows or row["criterion"] < rows[at]["criterion"]:
            at, chosen = len(rows), found
        rows.append(row)
        if len(rows) > at + PATIENCE:
            break
    if is_stopped and len(rows) <= at + PATIENCE:
        warnings.warn(
            f"infer_precision: criterion ebic: below penalty {rows[-1]['penalty']:.3g} the graph is too dense for "
            f"{n:.3g} units to have a fit without a penalty, and the criterion has not turned by then: the choice "
            f"is the best of {len(rows)} penalties; use stars or cv",
            UserWarning,
            stacklevel=4,
        )
    elif not is_stopped:
        _warn_of_end("ebic", rows[-1]["penalty"], len(rows) > at + 1, 5)
    record = {"gamma": EBIC_GAMMA, "n": n}
    return PenaltyChoice(rows[at]["penalty"], "ebic", chosen, pd.DataFrame(rows), record)


def _by_likelihood(correlations: Correlations, seed: int, threads: int, certificates: Certificates):
    """Return the penalties, the held-out criterion, the place of its smallest value and whether it has turned."""
    n_units = correlations.genes.n_units
    if not correlations.is_moments and correlations.covariates is not None:
        raise InputError(
            f"infer_precision: criterion cv: {correlations.method} correlations with covariates have no held-out "
            "likelihood: use correlation normal_scores, or another criterion"
        )
    folds = folds_of(correlations, seed)
    grid = penalty_grid(correlations.whole.matrix)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        parts = list(pool.map(lambda fold: held_out_fold(correlations, fold, n_units), folds))
        paths = [steps(trained, grid, certificates) for trained, _ in parts]
        values: list[float] = []
        best = 0
        for penalty in grid:
            found = list(pool.map(next, paths))
            held_out = [
                _trace(f, test) - log_determinant(f, trained, penalty)
                for f, (trained, test) in zip(found, parts, strict=True)
            ]
            values.append(float(np.average(held_out, weights=[len(fold) for fold in folds])))
            best = len(values) - 1 if values[-1] < values[best] else best
            if len(values) > best + PATIENCE:
                break
    return grid[: len(values)], np.array(values), best, len(values) > best + 1


def folds_of(correlations: Correlations, seed: int) -> list[np.ndarray]:
    """Return the units of each fold, which takes its share of every stratum."""
    genes = correlations.genes
    order = np.argsort(raw_words(seed, FOLD_STREAM, genes.n_units), kind="stable")
    if genes.strata is not None:
        order = order[np.argsort(genes.strata[order], kind="stable")]
    return [np.sort(order[k::N_FOLDS]) for k in range(N_FOLDS)]


def held_out_fold(correlations: Correlations, fold: np.ndarray, n_units: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the training correlation and the held-out second moments on its scale."""
    others = complement(fold, n_units)
    trained = correlations.of(others)
    if not correlations.is_moments:
        return trained, correlations.of(fold, is_shrunk=False)
    p = len(trained)
    inside, outside = correlations.rows(others), correlations.rows(fold)
    moments = correlations.of_rows(inside)
    centred = correlations.samples[outside] - moments.regulator_mean
    z, values = centred[:, p:], centred[:, :p]
    if z.shape[1]:
        slope = np.linalg.lstsq(moments.gram[p:, p:], moments.gram[p:, :p], rcond=1e-9)[0]
        values = values - z @ slope
    variance = project_out(moments, z.shape[1]).gram.diagonal()
    values = values / np.sqrt(np.where(variance > 0, variance, 1.0))
    return trained, values.T @ values / len(values)


def by_stars(
    correlations: Correlations,
    threshold: float,
    seed: int,
    threads: int,
    certificates: Certificates,
    *,
    is_bounded: bool = True,
    model: GraphModel = GRAPHICAL_LASSO,
    penalties: np.ndarray | None = None,
) -> StarsChoice:
    """Choose the penalty by StARS over pairs of genes; arguments as of `netinfer.stability.stars`.

    Without `penalties` they go on downwards from the largest correlation until the graphs disagree. A subsample's path
    goes on from where it was left: its last precision matrix is kept, its W made anew from that.
    """
    genes = correlations.genes
    n_pairs = len(correlations.whole.matrix) * (len(correlations.whole.matrix) - 1) // 2
    grid = penalty_grid(correlations.whole.matrix)
    # At 1 no graph has an edge, so that there is always a penalty to choose.
    first = np.append(1.0, grid[:FIRST]) if grid[0] < 1.0 else grid[:FIRST]
    last: dict[bytes, GraphFit] = {}

    with ThreadPoolExecutor(max_workers=threads) as pool:

        def count(draws: Sequence[np.ndarray], penalties: np.ndarray) -> np.ndarray:
            counts = np.zeros((n_pairs, len(penalties)), np.uint16)
            # With few units two draws may be the same: it is fitted once and counted twice.
            kept = {units.tobytes(): units for units in draws}
            times = Counter(units.tobytes() for units in draws)

            def one(key: bytes) -> list[np.ndarray]:
                units, graphs = kept[key], []
                start = last[key].restored() if key in last else None
                for found in model.path(correlations.of(units), penalties, certificates, start=start):
                    graphs.append(found.pairs)
                last[key] = found.stored()
                return graphs

            for key, graphs in zip(kept, pool.map(one, kept), strict=True):
                for k, pairs in enumerate(graphs):
                    counts[pairs, k] += times[key]
            return counts

        return stars(
            count,
            first if penalties is None else penalties,
            n_units=genes.n_units,
            n_pairs=n_pairs,
            n_subsamples=N_DRAWS,
            threshold=threshold,
            smallest=SMALLEST * grid[0] if penalties is None else None,
            is_bounded=is_bounded,
            strata=genes.strata,
            seed=seed,
        )


def _row(penalty: float, found: GraphFit) -> dict:
    sizes = found.component_sizes
    return {
        "penalty": float(penalty),
        "n_edges": len(found.pairs),
        "n_components": len(sizes),
        "largest_component": int(sizes.max()),
        "duality_gap": found.duality_gap,
        "criterion": np.nan,
    }


def _warn_of_end(criterion: str, smallest: float, is_bracketed: bool, level: int) -> None:
    if not is_bracketed:
        warnings.warn(
            f"infer_precision: criterion {criterion} has not turned at penalty {smallest:.3g}, where the grid ends: "
            "the graph may be too sparse; give a penalty, or choose by another criterion",
            UserWarning,
            stacklevel=level,
        )


__all__ = ["CRITERIA", "PenaltyChoice", "check_choice", "choose", "ebic"]
