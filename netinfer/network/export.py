"""A network as files and as other libraries' objects; each of those is imported when it is called for."""

from __future__ import annotations

import json
import os
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.io.columns import EXPECTED_FALSE_EDGES_NOTE, TARGETS, Column, edge_columns, node_columns
from netinfer.io.direction import ARROWS, interactions
from netinfer.io.files import atomic_path, made_folder
from netinfer.io.graphml import write_graphml as write_graphml_file
from netinfer.io.tables import read_json, read_parquet, read_tsv, write_json, write_parquet, write_tsv
from netinfer.network.cut import in_words

if TYPE_CHECKING:
    import networkx
    from anndata import AnnData

    from netinfer.network.network import Network

_EXPLORATORY_NOTE = "Ranked without error control: the cut that was asked for could not be met."
_NOTE = f"Expected false edges: {EXPECTED_FALSE_EDGES_NOTE}"
_MATRIX = "row = regulator, column = target, value = weight * sign"
_SHOWN = 10


def cut_in_words(network: Network) -> str:
    """Say how the cut was met in one short text."""
    cut = network.cut
    if not cut["met"]:
        return f"{in_words(cut['asked'])} not met: {cut['reason']}"
    bound = cut["expected_false_edges"]
    return f"{in_words(cut['asked'])}, expected false edges " + ("not bounded" if bound is None else f"<= {bound:.3g}")


# ---- files ------------------------------------------------------------------------------------------------------


def write_graphml(network: Network, path: str | os.PathLike[str], *, top: int | None = None) -> None:
    """See `Network.write_graphml`."""
    if Path(path).suffix != ".graphml":
        raise ConfigError(f"{path}: Cytoscape knows the file by its ending: let the name end with .graphml")
    if top is not None and top < 0:
        raise ConfigError(f"write_graphml: top {top}: give 0 or more, or None for all")
    edges = network.edges if top is None else network.edges.iloc[:top]
    nodes = network.nodes if top is None else _ends(network.nodes, edges)
    _write_graphml(network, path, nodes, edges, network.title, _NOTE)


def _ends(nodes: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    return nodes[nodes["name"].isin({*edges["source"], *edges["target"]})]


def _write_graphml(
    network: Network, path: str | os.PathLike[str], nodes: pd.DataFrame, edges: pd.DataFrame, title: str, note: str
) -> None:
    provenance, is_cut = network.provenance, note == _NOTE
    n_units = provenance.get("n_units")
    graph_data = {
        "network_dataset": provenance.get("dataset"),
        "network_model": network.model,
        "network_cut": in_words(network.cut["asked"]) + ("" if network.cut["met"] else " (not met)"),
        "network_n_units": n_units if isinstance(n_units, int) else None,
        "network_expected_false_edges": network.cut["expected_false_edges"] if is_cut else None,
        "network_note": note,
    }
    write_graphml_file(path, nodes, edges, title=title, directed=network.is_directed, graph_data=graph_data)


def _write_exploratory(network: Network, folder: Path) -> list[Path]:
    edges = network.exploratory()
    degrees = {"degree_in": edges["target"].value_counts(), "degree_out": edges["source"].value_counts()}
    nodes = _ends(network.nodes, edges)
    nodes = nodes.assign(**{key: nodes["name"].map(n).fillna(0).astype(np.int64) for key, n in degrees.items()})
    table, graph = folder / "exploratory.tsv", folder / "exploratory.graphml"
    write_tsv(table, edges, edge_columns(edges.columns))
    _write_graphml(network, graph, nodes, edges, f"{network.title}_exploratory", _EXPLORATORY_NOTE)
    return [table, graph]


def write(network: Network, folder: str | os.PathLike[str], *, adata: AnnData | None, top_edges: int) -> list[Path]:
    """See `Network.write`."""
    folder = made_folder(folder)
    files = [
        folder / name
        for name in (
            "edges.tsv",
            "edges.parquet",
            "candidates.parquet",
            "nodes.tsv",
            "targets.tsv",
            "network.graphml",
            "network_top.graphml",
            "provenance.json",
            "cut.json",
        )
    ]
    columns = edge_columns(network.candidates.columns)
    write_tsv(files[0], network.edges, columns)
    write_parquet(files[1], network.edges, columns)
    write_parquet(files[2], network.candidates, columns)
    write_tsv(files[3], network.nodes, node_columns(network.nodes.columns))
    write_tsv(files[4], network.targets, TARGETS)
    write_graphml(network, files[5])
    write_graphml(network, files[6], top=top_edges)
    write_json(files[7], network.provenance)
    write_json(files[8], network.cut)
    if adata is not None:
        files.append(folder / "network.h5ad")
        copy = to_anndata(network, adata)
        with atomic_path(files[-1]) as temporary:
            copy.write_h5ad(temporary)
    if network.cut["met"]:
        # Left by an earlier run with another cut, they would pass for a part of this network.
        for name in ("exploratory.tsv", "exploratory.graphml"):
            (folder / name).unlink(missing_ok=True)
    else:
        files.extend(_write_exploratory(network, folder))
    return files


def read_parts(
    folder: str | os.PathLike[str],
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, dict[str, Any], dict[str, Any]]:
    """Read candidates, nodes, targets, provenance and cut from a folder."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder: give the folder of a finished network")
    return (
        read_parquet(folder / "candidates.parquet", edge_columns),
        read_tsv(folder / "nodes.tsv", node_columns),
        read_tsv(folder / "targets.tsv", TARGETS),
        read_json(folder / "provenance.json"),
        read_json(folder / "cut.json"),
    )


# ---- other libraries' objects -----------------------------------------------------------------------------------


def _records(frame: pd.DataFrame, columns: tuple[Column, ...]) -> list[dict[str, Any]]:
    """Rows as dictionaries of Python scalars, without what is missing."""
    arrays = [(column.name, frame[column.name].tolist()) for column in columns]
    rows = zip(*(values for _, values in arrays), strict=True)
    names = [name for name, _ in arrays]
    return [
        {
            name: value
            for name, value in zip(names, row, strict=True)
            if value is not pd.NA and value == value and value != ""
        }
        for row in rows
    ]


def to_networkx(network: Network) -> networkx.DiGraph | networkx.Graph:
    """See `Network.to_networkx`."""
    import networkx as nx

    graph = nx.DiGraph() if network.is_directed else nx.Graph()
    graph.graph.update(name=network.title, cut=in_words(network.cut["asked"]))
    nodes, edges = network.nodes, network.edges
    graph.add_nodes_from(zip(nodes["name"], _records(nodes, node_columns(nodes.columns)[1:]), strict=True))
    words = interactions(edges["sign"].tolist(), edges["direction_basis"].tolist(), directed=network.is_directed)
    data = _records(edges, edge_columns(edges.columns)[2:])
    for source, target, word, values in zip(edges["source"], edges["target"], words, data, strict=True):
        graph.add_edge(source, target, interaction=word, arrow=ARROWS[word], **values)
    return graph


def to_anndata(network: Network, adata: AnnData, *, key: str = "netinfer") -> AnnData:
    """See `Network.to_anndata`."""
    from scipy import sparse

    genes = pd.Index(adata.var_names.astype(object), dtype=object)
    if not genes.is_unique:
        raise InputError(f"expression data: gene {genes[genes.duplicated()][0]!r} occurs twice: make the names unique")
    column = genes.get_indexer(pd.Index(network.nodes["name"], dtype=object))
    if (column < 0).any():
        absent = network.nodes["name"][column < 0]
        raise InputError(
            f"expression data: {len(absent)} nodes of the network are not among the genes, such as "
            f"{absent.iloc[0]!r}: give the expression data behind the network"
        )
    source, target = column[network._source[network._kept]], column[network._target[network._kept]]
    value = (network.edges["weight"] * network.edges["sign"]).to_numpy(dtype=np.float64)
    if not network.is_directed:
        source, target, value = np.r_[source, target], np.r_[target, source], np.r_[value, value]
    matrix = sparse.csr_matrix((value, (source, target)), shape=(len(genes), len(genes)))
    matrix.sort_indices()
    copy = adata.to_memory() if adata.isbacked else adata.copy()
    copy.varp[key] = matrix
    stored = copy.uns.get(key)
    # JSON texts: HDF5 holds neither None within lists, nor lists of mappings, nor keys with a slash.
    copy.uns[key] = {
        **(stored if isinstance(stored, dict) else {}),
        "edges": network.edges.copy(),
        "network": {
            "provenance": json.dumps(network.provenance, ensure_ascii=False),
            "cut": json.dumps(network.cut, ensure_ascii=False),
            "varp": _MATRIX,
            "note": _NOTE,
        },
    }
    return copy


def to_html(network: Network) -> str:
    """Write a small summary for notebooks, every text escaped."""
    shown = ["source", "target", "sign", "weight", "effect", "selection_probability", "q_value"]
    head = network.edges[shown].head(_SHOWN)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in zip(*(head[name].tolist() for name in shown), strict=True)
    )
    header = "".join(f"<th>{name}</th>" for name in shown)
    more = len(network.edges) - len(head)
    return (
        f"<div><p><b>{escape(network.title)}</b>: {len(network.edges):,} edges at {escape(cut_in_words(network))}; "
        f"{len(network.candidates):,} candidates, {len(network.nodes):,} nodes, {len(network.targets):,} targets. "
        f"<i>{escape(_NOTE)}</i></p>"
        f"<table><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table>"
        + (f"<p>and {more:,} more</p>" if more > 0 else "")
        + "</div>"
    )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return str(value)
