"""Pairs of one operon and pairs of neighbours on the genome among the edges of a network.

Genes of one operon are made on one RNA and rise and fall together; so do, less strictly, genes that lie side by side.
A regulator that shares an operon with its "target" predicts it well without acting on it: no error number counts
that. Two columns mark such pairs, and they can be left out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.columns import NEIGHBOURS
from netinfer.network.cut import q_values
from netinfer.network.network import Network
from netinfer.network.places import Places, locate, predict_operons

__all__ = ["add_neighbours", "annotate", "data_ids", "is_annotated", "locate", "neighbour_shares", "predict_operons"]

logger = logging.getLogger(__name__)

WITHIN = 3  # genes along the contig
TOPS = (100, 1000)
KEY = "neighbours"  # of the provenance


def add_neighbours(
    candidates: pd.DataFrame, annotation: pd.DataFrame | Places, genes: Sequence[str] | None = None
) -> pd.DataFrame:
    """Mark the pairs of a table that lie in one operon, and count the genes between them.

    Parameters
    ----------
    candidates : DataFrame
        With the columns source and target; other columns stay.
    annotation : DataFrame, or Places
        As `netinfer.io.read_annotation` or `locate` gives it.
    genes : sequence of str, optional
        The genes of the data; those of `candidates` by default.

    Returns
    -------
    DataFrame
        New, with ``same_operon`` (bool; false also where not known) and ``gene_distance`` (Int64; 1 for next
        neighbours; missing on different contigs or for a gene whose place is not known).

    Raises
    ------
    InputError
        If the annotation has fewer than half of the genes.
    """
    if not isinstance(annotation, Places):
        own = pd.unique(pd.concat([candidates["source"], candidates["target"]]).astype(object))
        annotation = locate(annotation, list(own) if genes is None else genes)
    first, second = (
        annotation.genes.get_indexer(pd.Index(candidates[end], dtype=object)) for end in ("source", "target")
    )
    steps = annotation.distance(first, second)
    distance = pd.arrays.IntegerArray(steps.astype(np.int64), steps == 0)
    return candidates.assign(same_operon=annotation.same_operon(first, second), gene_distance=distance)


def annotate(
    network: Network, annotation: pd.DataFrame, *, exclude_same_operon: bool = False, operons: str = "auto"
) -> Network:
    """Add what is known of operons and neighbours to a network, and leave pairs of one operon out where wished.

    Parameters
    ----------
    network : Network
    annotation : DataFrame
        As `netinfer.io.read_annotation` gives it. Its ids are compared with the nodes' names, gene ids and symbols,
        and what finds most genes is used.
    exclude_same_operon : bool
        Leave out candidates within an operon.
    operons : {"auto", "given", "predicted"}
        See `locate`.

    Returns
    -------
    Network
        New, with the columns ``same_operon`` and ``gene_distance``, cut as before. The key ``neighbours`` of its
        provenance says what was found and left out.

    Raises
    ------
    InputError
        If the annotation has fewer than half of the genes; if pairs of one operon are to be left out and no operon is
        known.

    Notes
    -----
    Where pairs are left out, ranks are numbered anew. ``expected_false_edges`` stays as it is: the pairs that remain
    are a part of those that it bounds, so it can only be too large. ``q_value`` is computed anew, since it divides
    that bound by a number of edges that is now smaller.
    """
    places = locate(annotation, data_ids(network.nodes), operons=operons, need_operons=exclude_same_operon)
    candidates = add_neighbours(network.candidates, places)
    targets, note = network.targets, places.sentence
    earlier = network.provenance.get(KEY)
    n_left_out = int(earlier.get("n_left_out", 0)) if isinstance(earlier, Mapping) else 0
    if exclude_same_operon:
        within = candidates["same_operon"].to_numpy()
        n_left_out += int(within.sum())
        candidates, targets = _without(candidates, within), _recounted(targets, candidates[~within])
        note += f"; {n_left_out} pairs within an operon left out"
    logger.info("%s", note)
    record = {
        "note": note,
        "matched": places.matched,
        "n_genes": len(places.genes),
        "n_found": int(places.is_found.sum()),
        "operons": places.operons,
        "is_wrapped": bool(places.ring.any()),
        "exclude_same_operon": exclude_same_operon,
        "n_left_out": n_left_out,
        "possible_pairs": _possible(network, places),
    }
    return Network(candidates, network.nodes, targets, {**network.provenance, KEY: record}, network.cut)


def is_annotated(network: Any) -> bool:
    """Tell whether a network has the columns of an annotation."""
    return all(column.name in network.candidates for column in NEIGHBOURS)


def neighbour_shares(network: Network) -> pd.DataFrame:
    """Count how many of the strongest pairs and edges lie in one operon or close together on the genome.

    Parameters
    ----------
    network : Network
        Annotated (`annotate`).

    Returns
    -------
    DataFrame
        One row each for ``top 100``, ``top 1000`` (candidates by weight; left out where there are fewer), ``network``
        (edges at the cut) and ``all possible pairs`` (every regulator with every gene of the data that came to a fit).

        pairs : str
            Which pairs.
        n_pairs, n_placed : int
            How many, and for how many of them both genes' places are known and on one contig.
        same_operon, within_3_genes : float
            Share of all n_pairs (NaN where there are none); a pair that is not placed counts as neither.

    Raises
    ------
    InputError
        If the network has no annotation.
    """
    if not is_annotated(network):
        raise InputError("neighbour_shares: the network has no annotation: use netinfer.network.neighbours.annotate")
    tables = {f"top {top}": network.candidates.head(top) for top in TOPS if len(network.candidates) >= top}
    rows = [_share(name, **_counts(table)) for name, table in {**tables, "network": network.edges}.items()]
    possible = network.provenance.get(KEY, {}).get("possible_pairs")
    if possible:
        rows.append(_share("all possible pairs", **possible))
    return pd.DataFrame(rows)


def _share(name: str, n_pairs: int, n_placed: int, n_same_operon: int, n_within: int) -> dict[str, Any]:
    return {
        "pairs": name,
        "n_pairs": n_pairs,
        "n_placed": n_placed,
        "same_operon": n_same_operon / n_pairs if n_pairs else float("nan"),
        f"within_{WITHIN}_genes": n_within / n_pairs if n_pairs else float("nan"),
    }


def _counts(table: pd.DataFrame) -> dict[str, int]:
    distance = table["gene_distance"]
    return {
        "n_pairs": len(table),
        "n_placed": int(distance.notna().sum()),
        "n_same_operon": int(table["same_operon"].sum()),
        "n_within": int((distance <= WITHIN).sum()),
    }


def _possible(network: Network, places: Places) -> dict[str, int]:
    """Count the same among all pairs of a regulator and another gene that came to a fit."""
    nodes, targets = network.nodes, network.targets
    regulators = places.genes.get_indexer(pd.Index(nodes.loc[nodes["is_regulator"], "name"], dtype=object))
    fitted = targets.loc[targets["status"].isin(["ok", "not_converged"]), "target"]
    genes = places.genes.get_indexer(pd.Index(fitted, dtype=object))
    genes = genes[genes >= 0]
    total = dict.fromkeys(("n_pairs", "n_placed", "n_same_operon", "n_within"), 0)
    for regulator in regulators:
        others = genes[genes != regulator]
        if not network.is_directed:  # each pair once
            others = others[(others > regulator) | ~np.isin(others, regulators)]
        own = np.full(len(others), regulator)
        steps = places.distance(own, others)
        total["n_pairs"] += len(others)
        total["n_placed"] += int((steps > 0).sum())
        total["n_same_operon"] += int(places.same_operon(own, others).sum())
        total["n_within"] += int(((steps > 0) & (steps <= WITHIN)).sum())
    return total


def data_ids(nodes: pd.DataFrame) -> dict[str, list[str]]:
    """Return the nodes' names and, where they have any, their other ids, as `locate` takes them."""
    kinds = {name: nodes[name].astype(str).tolist() for name in ("name", "gene_id", "symbol") if name in nodes}
    return {name: ids for name, ids in kinds.items() if name == "name" or (any(ids) and ids != kinds["name"])}


def _without(candidates: pd.DataFrame, left_out: np.ndarray) -> pd.DataFrame:
    rest = candidates[~left_out].reset_index(drop=True)
    bounds = rest["expected_false_edges"].to_numpy(dtype=np.float64)
    return rest.assign(rank=np.arange(1, len(rest) + 1), q_value=q_values(bounds))


def _recounted(targets: pd.DataFrame, candidates: pd.DataFrame) -> pd.DataFrame:
    n = candidates["target"].value_counts().reindex(targets["target"], fill_value=0).to_numpy(dtype=np.int64)
    return targets.assign(n_candidates=n)
