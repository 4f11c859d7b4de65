"""The directed and the undirected network of a data set side by side, with the evidence of each for every edge."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.columns import MOTIF_EVIDENCE, NEIGHBOURS, edge_columns, node_columns
from netinfer.io.graphml import write_graphml
from netinfer.io.tables import write_tsv
from netinfer.network.network import Network

NOTE = (
    "Edges of the directed or the undirected network, with the evidence of each. Two models of the same samples are no "
    "two experiments: a confounder that ties two genes in one ties them in the other."
)


def consensus(directed: Network, undirected: Network) -> pd.DataFrame:
    """Join the edges of a directed and an undirected network of the same data.

    Parameters
    ----------
    directed, undirected : Network
        Such as those of `netinfer.infer_regression` and `netinfer.infer_precision`, each at its cut.

    Returns
    -------
    DataFrame
        Columns of ``edges.tsv``, then ``evidence``, ``tested_by_both``, ``partial_correlation``,
        ``partial_selection_probability`` and ``partial_expected_false_edges``. First the edges of both (in either
        direction, by their rank in the directed network), then those of the directed one alone, then those of the
        undirected one alone; the first two with the values of the directed network, the last with those of the
        undirected one, whose weight is a partial correlation.

    Raises
    ------
    InputError
        If the networks are not one directed and one undirected.

    Notes
    -----
    Two models of the same samples are no two experiments: that both have an edge says that it does not hang on the
    model, not that it is no confounded one.
    """
    if not directed.is_directed or undirected.is_directed:
        raise InputError("consensus: give the directed network first and the undirected one second")
    own, other = directed.edges, undirected.edges
    own = own.drop(columns=[column.name for column in (*NEIGHBOURS, *MOTIF_EVIDENCE) if column.name in own])
    known = undirected.candidates
    place, place_known = _places(own, other), _places(own, known)
    is_both = place >= 0
    included = set(undirected.targets.loc[undirected.targets["status"].isin(("ok", "not_converged")), "target"])
    own = own.assign(
        evidence=np.where(is_both, "both", "directed"),
        tested_by_both=(own["source"].isin(included) & own["target"].isin(included)).to_numpy(bool)
        & bool(undirected.cut["met"]),
        **_evidence(known, place_known),
    )
    rest = np.setdiff1d(np.arange(len(other)), place)
    alone = other.iloc[rest]
    alone = alone.drop(columns=[column.name for column in NEIGHBOURS if column.name in alone])
    alone = alone.assign(evidence="undirected", tested_by_both=_may_point(directed, alone), **_evidence(other, rest))
    parts = [part for part in (own[is_both], own[~is_both], alone) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else own


def write_consensus(directed: Network, undirected: Network, folder: str | os.PathLike[str]) -> list[Path]:
    """Write consensus.tsv and consensus.graphml into a folder, each whole or not at all; see `consensus`."""
    edges = consensus(directed, undirected)
    nodes = directed.nodes.set_index("name", drop=False)
    ends = pd.unique(pd.concat([edges["source"], edges["target"]]))
    more = undirected.nodes[~undirected.nodes["name"].isin(nodes.index)]
    nodes = pd.concat([nodes, more], ignore_index=True) if len(more) else nodes.reset_index(drop=True)
    nodes = nodes[nodes["name"].isin(set(ends))]
    lines = edges[edges["evidence"] == "undirected"]
    # An edge without direction counts at both of its ends.
    count_in = pd.concat([edges["target"], lines["source"]]).value_counts()
    count_out = pd.concat([edges["source"], lines["target"]]).value_counts()
    nodes = nodes.assign(
        degree_in=nodes["name"].map(count_in).fillna(0).astype(np.int64),
        degree_out=nodes["name"].map(count_out).fillna(0).astype(np.int64),
    )
    nodes = nodes[[column.name for column in node_columns(nodes.columns)]]
    paths = [Path(folder, "consensus.tsv"), Path(folder, "consensus.graphml")]
    write_tsv(paths[0], edges, edge_columns(edges.columns))
    graph_data = {"network_dataset": directed.provenance.get("dataset"), "network_note": NOTE}
    write_graphml(paths[1], nodes, edges, title=f"{directed.title}_consensus", directed=True, graph_data=graph_data)
    return paths


def _places(pairs: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """Return the row of a table of pairs without direction for each pair, -1 where there is none."""
    row_of = {frozenset(ends): row for row, ends in enumerate(zip(table["source"], table["target"], strict=True))}
    return np.array(
        [row_of.get(frozenset(x), -1) for x in zip(pairs["source"], pairs["target"], strict=True)], np.int64
    )


def _evidence(other: pd.DataFrame, place: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the undirected network says of some pairs; place -1 is none of its candidates."""
    values = {
        "partial_correlation": (other["weight"] * other["sign"]).to_numpy(float),
        "partial_selection_probability": other["selection_probability"].to_numpy(float),
        "partial_expected_false_edges": other["expected_false_edges"].to_numpy(float),
    }
    return {name: np.append(column, np.nan)[place] for name, column in values.items()}


def _may_point(directed: Network, pairs: pd.DataFrame) -> np.ndarray:
    """Say of which pairs the directed network could have had an edge, one way or the other."""
    regulators = set(directed.nodes.loc[directed.nodes["is_regulator"], "name"])
    targets = set(directed.targets.loc[directed.targets["status"].isin(("ok", "not_converged")), "target"])
    a, b = pairs["source"], pairs["target"]
    one, other = a.isin(regulators) & b.isin(targets), b.isin(regulators) & a.isin(targets)
    # A cut that nothing passes says nothing against an edge.
    return (one | other).to_numpy(bool) & bool(directed.cut["met"])
