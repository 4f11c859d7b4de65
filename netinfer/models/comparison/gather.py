"""From the joint graphs and the half-samples to the networks and the table of changes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from netinfer import __version__
from netinfer.models.comparison.choice import PairChoice
from netinfer.models.comparison.conditions import WHERE, Conditions, describe_conditions
from netinfer.models.comparison.fits import JointFit
from netinfer.models.comparison.tally import JointTally, universal_ties
from netinfer.models.precision.correlations import Correlations
from netinfer.models.precision.fits import TOLERANCE, Certificates, pair_ends, pair_index
from netinfer.models.precision.gather import gather
from netinfer.models.precision.graph import as_graph
from netinfer.models.precision.stability import HalfSamples, bound_constants
from netinfer.network import EXPECTED_FALSE_EDGES_NOTE, Network
from netinfer.network.joint import KINDS, JointNetworks
from netinfer.stability.rules import SelectionCounts

MODEL = "joint_graphical_lasso"
# One penalty is all the path, and of the published rules this one asks least.
RULE = "meinshausen_buhlmann"
# Selection probability that a change asks for at least, whatever the bound takes: at 0.6 a pair that 0.4 of the
# half-samples select would count as absent.
SURE = 0.9


def gather_networks(
    conditions: Conditions,
    correlations: Sequence[Correlations],
    choice: PairChoice,
    whole: JointFit,
    tally: JointTally,
    *,
    threshold: float | str,
    n_subsamples: int,
    certificates: Certificates,
    record: Mapping[str, Any],
    dropped: Mapping[str, pd.DataFrame | None],
) -> JointNetworks:
    """Make the networks of all conditions and the table of what differs.

    Parameters
    ----------
    conditions : Conditions
    correlations : sequence of Correlations
    choice : PairChoice
    whole : JointFit
        On all samples.
    tally : JointTally
        Of all half-samples.
    threshold : float or "auto"
        Selection probability that an edge needs.
    n_subsamples : int
    certificates : Certificates
    record : mapping
        Goes into the provenance.
    dropped : mapping of condition to DataFrame
        Genes that never came to the model.
    """
    penalties = choice.penalties
    strengths = dict(zip(("lambda", "mu"), penalties.strengths(len(conditions.names)), strict=True))
    joint = {"kind": penalties.kind, "penalty": penalties.penalty, "similarity": penalties.similarity, **strengths}
    constants = [
        bound_constants(len(problem.names), problem.genes.n_units, threshold) for problem in conditions.problems
    ]
    networks = {}
    for k, name in enumerate(conditions.names):
        halves = _halves(conditions, tally, k, penalties.penalty, n_subsamples)
        network = gather(
            conditions.problems[k], correlations[k], None, as_graph(whole.graphs[k]), halves, rule=RULE,
            constants=constants[k],
            asked=None, certificates=certificates, record={**record, "dataset": name}, dropped=dropped.get(name),
        )  # fmt: skip
        provenance = {
            **network.provenance,
            "model": MODEL,
            "criterion": choice.criterion,
            "conditions": list(conditions.names),
            **joint,
            "graph_penalty": penalties.penalty,
        }
        networks[name] = Network(
            network.candidates.assign(model=MODEL), network.nodes, network.targets, provenance, network.cut
        )
    taus = [float(of["threshold"]) for of in constants]
    changes = change_table(conditions, whole, tally, taus, n_subsamples)
    described = describe_conditions(conditions)
    for k, name in enumerate(conditions.names):
        described[name].update(
            n_edges=len(networks[name].edges),
            threshold=taus[k],
            n_stable=int((networks[name].edges["selection_probability"] >= taus[k]).sum()),
            mean_edges_of_halves=float(tally.n_selected[k]) / n_subsamples,
            expected_false_edges=networks[name].provenance["path_ends"]["expected_false_edges"][0],
            shrinkage=correlations[k].shrinkage,
        )
    _warn_of_chance(described)
    provenance = {
        **record,
        "netinfer": __version__,
        "model": MODEL,
        "names": list(conditions.names),
        "reference": conditions.reference,
        **joint,
        "criterion": choice.criterion,
        "criterion_settings": choice.settings,
        "path": choice.path,
        "similarities": choice.similarities,
        "genes": conditions.choice,
        "n_genes": len(conditions.genes),
        "conditions": described,
        "component_sizes": component_sizes(whole, conditions),
        "worst_duality_gap": certificates.worst,
        "tolerance": TOLERANCE,
        "n_fits": certificates.n_fits,
        "n_subsamples": n_subsamples,
        "rule": RULE,
        "not_counted": EXPECTED_FALSE_EDGES_NOTE,
    }
    return JointNetworks(networks, changes, conditions.table, provenance)


def _warn_of_chance(described: Mapping[str, Mapping[str, Any]]) -> None:
    """Warn of conditions whose stable edges may all be of chance, as far as the bound goes."""
    weak = [
        f"{name} ({of['n_stable']} stable edges, a bound of {of['expected_false_edges']:.3g} on those of chance)"
        for name, of in described.items()
        if of["n_stable"] and of["expected_false_edges"] >= of["n_stable"]
    ]
    if weak:
        warnings.warn(
            f"{WHERE}: at this penalty chance alone might give as many edges as are stable in {', '.join(weak)}: the "
            "changes say little there; give a larger penalty, or more samples",
            UserWarning,
            stacklevel=3,
        )


def _halves(conditions: Conditions, tally: JointTally, k: int, penalty: float, n_subsamples: int) -> HalfSamples:
    """Return one condition's counts as the bound reads them: a path of one penalty."""
    place = conditions.places[k]
    i, j = np.triu_indices(len(place), 1)
    own = pair_index(place[i], place[j], len(conditions.genes))
    counts, positive = tally.n_tied[k, own], tally.n_positive[k, own]
    gated = np.flatnonzero(counts > n_subsamples // 2)
    n_selected = np.array([[tally.n_selected[k] / n_subsamples]])
    return HalfSamples(
        penalties=np.array([penalty]),
        selection=SelectionCounts(
            n_subsamples=n_subsamples,
            n_candidates=np.array([float(len(own))]),
            n_selected=n_selected,
            n_union=n_selected,
            counts=counts[gated][:, None],
        ),
        gated=gated,
        n_most=counts,
        n_positive=positive,
        n_negative=counts - positive,
        ranking_penalty=penalty,
        largest=np.full(len(place), np.nan),
    )


def component_sizes(whole: JointFit, conditions: Conditions) -> list[int]:
    """Return how many genes each component has that some condition's ties hold together, the largest first."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    n = len(conditions.genes)
    places = np.concatenate([universal_ties(graph, conditions, k)[0] for k, graph in enumerate(whole.graphs)])
    i, j = pair_ends(np.unique(places), n)
    labels = connected_components(sparse.coo_array((np.ones(len(i)), (i, j)), shape=(n, n)), directed=False)[1]
    return sorted(np.bincount(labels).tolist(), reverse=True)


def change_table(
    conditions: Conditions, whole: JointFit, tally: JointTally, taus: Sequence[float], n_subsamples: int
) -> pd.DataFrame:
    """Return what differs between the reference and each other condition, a row for each pair that some condition ties.

    Parameters
    ----------
    conditions : Conditions
    whole : JointFit
    tally : JointTally
    taus : sequence of float
        Selection probability that an edge of each condition needs. A change asks for 0.9 at least: with that number of
        half-samples on one sign an edge is there, with at most the rest of them it is not.
    n_subsamples : int
    """
    r = conditions.reference_place
    ties = [universal_ties(graph, conditions, k) for k, graph in enumerate(whole.graphs)]
    pairs = np.unique(np.concatenate([place for place, _ in ties]))
    i, j = pair_ends(pairs, len(conditions.genes))
    measured = conditions.is_measured[:, i] & conditions.is_measured[:, j]
    partial = np.zeros(measured.shape)
    for k, (place, value) in enumerate(ties):
        partial[k, np.searchsorted(pairs, place)] = value
    counts, positive = tally.n_tied[:, pairs].astype(np.int64), tally.n_positive[:, pairs].astype(np.int64)
    needed = np.array([_needed(max(tau, SURE), n_subsamples) for tau in taus])[:, None]
    absent = counts <= n_subsamples - needed
    # Present with a sign: half-samples that tie the pair now with one sign, now with the other, say neither.
    is_positive, is_negative = positive >= needed, counts - positive >= needed
    present = is_positive | is_negative
    shown, selected = np.where(measured, partial, np.nan), np.where(measured, counts / n_subsamples, np.nan)
    names = np.array(conditions.genes, object)
    parts = []
    for k, name in enumerate(conditions.names):
        if k == r:
            continue
        shared, flipped = (x[k, pairs].astype(np.int64) for x in (tally.n_shared, tally.n_flipped))
        cases = {
            "not_measured": (~measured[k] | ~measured[r], np.nan),
            "gained": (absent[r] & present[k], counts[k] - shared - flipped),
            "lost": (present[r] & absent[k], counts[r] - shared - flipped),
            "shared": ((is_positive[r] & is_positive[k]) | (is_negative[r] & is_negative[k]), shared),
            "flipped": ((is_positive[r] & is_negative[k]) | (is_negative[r] & is_positive[k]), flipped),
            "absent": (absent[r] & absent[k], np.nan),
        }
        conditions_met = [case for case, _ in cases.values()]
        change = np.select(conditions_met, list(cases), "unclear")
        probability = np.select(conditions_met, [np.broadcast_to(n, len(pairs)) for _, n in cases.values()], np.nan)
        parts.append(
            pd.DataFrame(
                {
                    "source": names[i],
                    "target": names[j],
                    "condition": name,
                    "reference": conditions.reference,
                    "change": change.astype(object),
                    "change_probability": probability / n_subsamples,
                    "partial_correlation_reference": shown[r],
                    "partial_correlation": shown[k],
                    "selection_probability_reference": selected[r],
                    "selection_probability": selected[k],
                    "n_units_reference": conditions.problems[r].genes.n_units,
                    "n_units": conditions.problems[k].genes.n_units,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    strength = table[["partial_correlation_reference", "partial_correlation"]].abs().max(axis=1).fillna(0.0)
    order = np.lexsort(
        (
            -strength,
            -table["change_probability"].fillna(-1.0),
            table["change"].map({kind: place for place, kind in enumerate(KINDS)}),
            table["condition"].map({name: place for place, name in enumerate(conditions.names)}),
        )
    )
    return table.iloc[order].reset_index(drop=True)


def _needed(tau: float, n_subsamples: int) -> int:
    """Return how many half-samples have to select an edge: more than half in any case, as the bound asks."""
    return max(int(np.ceil(tau * n_subsamples - 1e-9)), n_subsamples // 2 + 1)
