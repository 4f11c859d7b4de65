"""From the graph and the half-samples to the network: candidates, genes and the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from netinfer import __version__
from netinfer.io.columns import EDGES, TARGETS
from netinfer.models.precision.choice import PenaltyChoice
from netinfer.models.precision.correlations import Correlations
from netinfer.models.precision.fits import Certificates, pair_ends
from netinfer.models.precision.graph import GRAPHICAL_LASSO, GraphFit, GraphModel
from netinfer.models.precision.problem import PrecisionProblem
from netinfer.models.precision.stability import HalfSamples
from netinfer.network import EXPECTED_FALSE_EDGES_NOTE, Network
from netinfer.network.validate import rank_candidates
from netinfer.stability.ipss import choose_truncation
from netinfer.stability.rules import IPSS_ORDER, expected_false, q_values, rule_record


def gather(
    problem: PrecisionProblem,
    correlations: Correlations,
    choice: PenaltyChoice | None,
    found: GraphFit | None,
    halves: HalfSamples,
    *,
    rule: str,
    constants: Mapping[str, Any],
    asked: dict[str, float] | None,
    certificates: Certificates,
    record: dict[str, Any],
    dropped: pd.DataFrame | None = None,
    model: GraphModel = GRAPHICAL_LASSO,
) -> Network:
    """Make the network of a graph.

    Parameters
    ----------
    problem : PrecisionProblem
    correlations : Correlations
    choice : PenaltyChoice, optional
        None where the pairs of the path's last penalty are cut by an error.
    found : GraphFit, optional
        The graph on all samples; None without `choice`: the fits along the path are then made here.
    halves : HalfSamples
    rule, constants
        Of the bound.
    asked : dict, optional
        The cut by an error; by default the network is the graph.
    certificates : Certificates
    record : dict
        Goes into the provenance.
    dropped : DataFrame, optional
        Genes that never came to the model (columns gene, status, reason).
    model : GraphModel
    """
    constants = dict(constants)
    if rule in IPSS_ORDER and constants["truncation"] is None:
        constants["truncation"] = choose_truncation(halves.selection, IPSS_ORDER[rule])
    bound = np.full(len(halves.n_most), np.inf)
    bound[halves.gated] = expected_false(halves.selection, rule, **constants)
    if found is None:
        found, tied_pairs = _last_ties(correlations, halves, np.flatnonzero(np.isfinite(bound)), certificates, model)
    else:
        tied_pairs = pd.Series(found.partial_correlation, found.pairs)
    candidates = _candidates(problem, tied_pairs, halves, bound, model.name)
    genes = problem.genes
    whole = correlations.whole
    provenance = {
        **record,
        "netinfer": __version__,
        "model": model.name,
        "directed": False,
        "penalty": halves.ranking_penalty,
        **_choice_record(choice),
        **rule_record(halves.selection, halves.penalties, rule, **constants),
        "n_components": len(found.component_sizes),
        "largest_component": int(found.component_sizes.max()),
        "worst_duality_gap": certificates.worst,
        "n_fits": certificates.n_fits,
        "correlation": whole.method,
        "shrinkage": whole.shrinkage,
        "is_projected": whole.is_projected,
        "projection_distance": whole.distance,
        "genes": problem.choice,
        "n_samples": len(genes.regulators),
        "n_units": genes.n_units,
        "unit": genes.unit_column,
        "covariates": list(genes.covariate_names),
        "covariate_df": genes.covariate_df,
        "n_regulators": int(problem.is_regulator.sum()),
        "n_targets": len(problem.names),
        "n_pairs": problem.n_pairs,
        "not_counted": EXPECTED_FALSE_EDGES_NOTE,
        "weight": model.weight,
    }
    if genes.strata is not None:
        provenance.update(strata=genes.strata_column, n_strata=int(genes.strata.max()) + 1, n_half=genes.n_half)
    cut = asked
    if cut is None:
        provenance["graph_penalty"] = halves.ranking_penalty
        cut = {"penalty": halves.ranking_penalty}
    elif choice is not None:
        provenance["graph_penalty"] = halves.ranking_penalty
    targets = _targets(problem, found, halves, candidates, certificates, dropped, model)
    return Network(candidates, _nodes(problem), targets, provenance, cut)


def _choice_record(choice: PenaltyChoice | None) -> dict[str, Any]:
    """What the provenance says of the choice of the penalty; JSON has no NaN."""
    if choice is None:
        return {"criterion": "error"}
    table = choice.table.astype(object).where(choice.table.notna(), None)
    return {
        "criterion": choice.criterion,
        "criterion_settings": choice.record,
        "path": {name: table[name].tolist() for name in table},
    }


def _last_ties(
    correlations: Correlations,
    halves: HalfSamples,
    bounded: np.ndarray,
    certificates: Certificates,
    model: GraphModel,
) -> tuple[GraphFit, pd.Series]:
    """Follow the path on all samples; return its last fit and the partial correlation of each pair that is tied there.

    A pair with a bound that is tied earlier and no longer at the end has that of the last penalty that ties it, and
    comes in; one that no penalty ties has none, and is left out.
    """
    earlier = pd.Series(dtype=float)
    for found in model.path(correlations.whole.matrix, halves.penalties, certificates):
        place, value = found.pairs, found.partial_correlation
        is_wanted = np.isin(place, bounded)
        now = pd.Series(value[is_wanted], place[is_wanted])
        earlier = pd.concat([earlier[~earlier.index.isin(now.index)], now]) if len(earlier) else now
    last = pd.Series(value, place)
    return found, pd.concat([last, earlier[~earlier.index.isin(last.index)]])


def _candidates(
    problem: PrecisionProblem, tied_pairs: pd.Series, halves: HalfSamples, bound: np.ndarray, model: str
) -> pd.DataFrame:
    """Return the candidates: `tied_pairs` has the partial correlation of each, by its place among all pairs."""
    place, value = tied_pairs.index.to_numpy(np.int64), tied_pairs.to_numpy(float)
    i, j = pair_ends(place, len(problem.names))
    weight, sign = np.abs(value), np.where(value < 0, -1, 1)
    names = np.array(problem.names, object)
    first, second = names[i], names[j]
    swap = np.array([a > b for a, b in zip(first, second, strict=True)], bool)
    positive, negative = halves.n_positive[place].astype(float), halves.n_negative[place].astype(float)
    n_nonzero = positive + negative
    agree = np.divide(np.maximum(positive, negative), n_nonzero, out=np.full(len(place), np.nan), where=n_nonzero > 0)
    limits = bound[place]
    frame = pd.DataFrame(
        {
            "source": np.where(swap, second, first),
            "target": np.where(swap, first, second),
            # Rounding may leave a partial correlation of 1 above it.
            "weight": np.minimum(weight, 1.0),
            "sign": sign.astype(np.int64),
            "selection_probability": halves.n_most[place] / halves.selection.n_subsamples,
            "sign_stability": agree,
            "expected_false_edges": np.where(np.isfinite(limits), limits, np.nan),
            "q_value": q_values(limits),
            "model": model,
            "direction_basis": "undirected",
        }
    )
    for column in EDGES:
        if column.name not in frame and column.name != "rank":
            frame[column.name] = np.nan
    return rank_candidates(frame)


def _nodes(problem: PrecisionProblem) -> pd.DataFrame:
    genes = problem.genes
    return pd.DataFrame(
        {
            "name": problem.names,
            "gene_id": problem.names,
            "symbol": list(genes.symbols or [""] * len(problem.names)),
            "is_regulator": problem.is_regulator,
            "expression_mean": genes.target_mean,
        }
    )


def _targets(
    problem: PrecisionProblem,
    found: GraphFit,
    halves: HalfSamples,
    candidates: pd.DataFrame,
    certificates: Certificates,
    dropped: pd.DataFrame | None,
    model: GraphModel,
) -> pd.DataFrame:
    """Return one row a gene that came in; those included first."""
    ends = pd.concat([candidates["source"], candidates["target"]]).value_counts()
    frame = pd.DataFrame(
        {
            "target": problem.names,
            "status": "ok" if found.converged else "not_converged",
            "reason": "" if found.converged else f"{model.gap} above {model.tolerance:.0e}",
            "n_units": problem.genes.n_units,
            "penalty_max": halves.largest,
            "duality_gap": certificates.worst,
            "n_candidates": ends.reindex(problem.names).fillna(0).to_numpy(np.int64),
            "r2_heldout": np.nan,
        }
    )
    others = [frame, problem.left_out.rename(columns={"gene": "target"})]
    if dropped is not None and not dropped.empty:
        others.append(dropped[["gene", "status", "reason"]].rename(columns={"gene": "target"}))
    rest = pd.concat(others[1:], ignore_index=True)
    if rest.empty:
        return frame
    rest = rest.assign(
        n_units=problem.genes.n_units, penalty_max=np.nan, duality_gap=np.nan, n_candidates=0, r2_heldout=np.nan
    )
    columns = [column.name for column in TARGETS if column.name != "n_edges"]
    return pd.concat([frame[columns], rest[columns]], ignore_index=True)
