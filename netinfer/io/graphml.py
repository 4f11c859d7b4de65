"""GraphML as Cytoscape Desktop's own reader wants it, and valid against the GraphML 1.0 schema.

What that reader does decides the form: it ignores ``<default>`` and per-edge directions, drops an edge that stands
before its nodes, reads graph data only before the first node, looks keys up by id alone whatever they are for, gives
a column the type of its first value, merges column names that differ by case, and leaves a cell empty for ``nan``.
So: keys first, then graph data, all nodes, all edges; ids ``n0, n1, ...`` with the gene in ``name``; key ids unique in
the file and equal to the attribute's name (``edge_name`` for the edges' ``name``); one declared type a column; what is
missing is left out.
"""

from __future__ import annotations

import itertools
import math
import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.columns import EDGES, NODES, Column, conform, edge_columns, node_columns
from netinfer.io.direction import ARROWS, interactions
from netinfer.io.files import atomic_write
from netinfer.io.tables import blocks, format_column

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"""
_TYPES = {"string": "string", "boolean": "boolean", "int": "int", "float": "double"}
_LEFT_TO_TABLES = {"source", "target", "model"}

NODE_ATTRIBUTES: tuple[Column, ...] = NODES
EDGE_ATTRIBUTES: tuple[Column, ...] = (
    Column("name", "string", "", "`A (activates) B`"),
    Column(
        "interaction",
        "string",
        "",
        "`activates` (sign 1), `represses` (sign -1); `associates` where the direction is undetermined, of either sign",
    ),
    Column(
        "arrow",
        "string",
        "",
        "end of the edge for `interaction`: `activation` (an arrow), `inhibition` (a bar), `none` (a line)",
    ),
    *(column for column in EDGES if column.name not in _LEFT_TO_TABLES),
)
GRAPH_ATTRIBUTES: tuple[Column, ...] = (
    Column("network_dataset", "string", "", "name of the data set", True),
    Column("network_model", "string", "", "model that gave the edges", True),
    Column("network_cut", "string", "", "the cut that was asked for, such as `fdr = 0.1`", True),
    Column("network_n_units", "int", "units", "independent units behind the network", True),
    Column(
        "network_expected_false_edges", "float", "edges", "bound on the expected number of false edges at the cut", True
    ),
    Column("network_note", "string", "", "what that number counts, or that there is no error control", True),
)

# What XML 1.0 cannot hold, escaped or not.
ILLEGAL_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_IN_ID = re.compile("[^A-Za-z0-9._-]")
_JAVA_INT = 2**31 - 1
_SMALLEST = sys.float_info.min


def key_id(column: Column, kind: str) -> str:
    """Return the id of an attribute's ``<key>``: its name, ``edge_name`` for the edges' ``name``."""
    return "edge_name" if kind == "edge" and column.name == "name" else column.name


def _text(value: str, where: str) -> str:
    if found := ILLEGAL_XML.search(value):
        raise InputError(f"{where}: {value!r} has {found.group()!r}, which no XML file can hold: rename it")
    # A bare carriage return would be read back as a line feed.
    return escape(value, {"\r": "&#13;"})


def _datum(column: Column, kind: str, text: str) -> str:
    return f'<data key="{key_id(column, kind)}">{text}</data>' if text else ""


def _data(values: list[Any], column: Column, kind: str, where: str) -> list[str]:
    """One ``<data>`` a value, the empty text where it is missing."""
    if column.kind == "float":
        # igraph refuses a file with a subnormal number, and a weight of 0 is no edge to Gephi: the nearest normal one.
        values = [math.copysign(_SMALLEST, value) if 0 < abs(value) < _SMALLEST else value for value in values]
    texts = format_column(values, column.kind)
    if column.kind == "string":
        texts = [_text(text, f"{where}: {column.name}") for text in texts]
    elif column.kind == "int" and max((abs(value) for value in values if value is not pd.NA), default=0) > _JAVA_INT:
        raise InputError(f"{where}: {column.name}: above {_JAVA_INT}, the largest int of GraphML readers: drop it")
    head, tail = f'<data key="{key_id(column, kind)}">', "</data>"
    return [head + text + tail if text else "" for text in texts]


def _joined(block: pd.DataFrame, columns: tuple[Column, ...], kind: str, where: str) -> Iterator[str]:
    """Yield the ``<data>`` elements of each row."""
    parts = [_data(block[column.name].tolist(), column, kind, where) for column in columns]
    return map("".join, zip(*parts, strict=True))


def _node_lines(nodes: pd.DataFrame, table: tuple[Column, ...], where: str) -> Iterator[str]:
    index = itertools.count()
    for block in blocks(nodes, table, where=where):
        for data in _joined(block, table, "node", where):
            yield f'<node id="n{next(index)}">{data}</node>\n'


def _edge_lines(
    edges: pd.DataFrame, table: tuple[Column, ...], node_index: dict[str, int], directed: bool, where: str
) -> Iterator[str]:
    name, interaction, arrow, *_ = EDGE_ATTRIBUTES
    own = tuple(column for column in table if column.name not in _LEFT_TO_TABLES)
    index = itertools.count()
    for block in blocks(edges, table, where=where):
        if not block["sign"].isin([1, -1]).all():
            raise InputError(f"{where}: a sign is neither 1 nor -1: correct the table")
        ends = (block[key].tolist() for key in ("source", "target"))
        words = interactions(block["sign"].tolist(), block["direction_basis"].tolist(), directed=directed)
        for a, b, word, data in zip(*ends, words, _joined(block, own, "edge", where), strict=True):
            title = _text(f"{a} ({word}) {b}", where)
            yield (
                f'<edge id="e{next(index)}" source="n{node_index[a]}" target="n{node_index[b]}">'
                f"{_datum(name, 'edge', title)}{_datum(interaction, 'edge', word)}"
                f"{_datum(arrow, 'edge', ARROWS[word])}{data}</edge>\n"
            )


def _keys(kind: str, columns: tuple[Column, ...]) -> str:
    return "".join(
        f'<key id="{key_id(column, kind)}" for="{kind}" attr.name="{column.name}" attr.type="{_TYPES[column.kind]}"/>\n'
        for column in columns
    )


def _graph_data(values: Mapping[str, Any], where: str) -> str:
    if unknown := sorted(set(values) - {column.name for column in GRAPH_ATTRIBUTES}):
        raise InputError(f"{where}: unknown graph attribute {', '.join(unknown)}: leave it out")
    lines = []
    for column in GRAPH_ATTRIBUTES:
        value = values.get(column.name)
        if value is None or value == "" or (isinstance(value, float) and not np.isfinite(value)):
            continue
        cast = {"string": str, "int": int, "float": float, "boolean": bool}[column.kind]
        lines.extend(_data([cast(value)], column, "graph", where))
    return "".join(line + "\n" for line in lines)


def write_graphml(
    path: str | os.PathLike[str],
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    title: str,
    directed: bool = True,
    graph_data: Mapping[str, Any] | None = None,
    more: tuple[Column, ...] = (),
) -> None:
    """Write nodes and edges as one GraphML file, atomically and in bounded memory.

    Parameters
    ----------
    path : path
        Ends with ``.graphml``: Cytoscape goes by the ending.
    nodes : DataFrame
        Columns of ``nodes.tsv``, with or without those of a phenotype; names unique.
    edges : DataFrame
        Columns of ``edges.tsv`` (or ``exploratory.tsv``), with or without those of an annotation; both ends among the
        nodes, sign 1 or -1.
    title : str
        Becomes the network's name; signs other than letters, digits, ``.``, ``_`` and ``-`` become ``_``.
    directed : bool
        Of the whole file; readers ignore a direction of single edges.
    graph_data : mapping, optional
        Values of `GRAPH_ATTRIBUTES`.
    more : tuple of Column
        Further columns of `edges`, whose names are ids of XML: letters, digits, ``.``, ``_`` and ``-``, unique also
        without regard to case.

    Raises
    ------
    InputError
        If a name holds a character that XML cannot, an end of an edge is no node, or a frame is not as stated.
    RunError
        If the file cannot be written.

    Notes
    -----
    Memory beyond the frames is one block of rows and a dictionary of the nodes: 10**6 edges need no more than 10**5.
    """
    where = str(path)
    table = edge_columns(edges.columns) + more
    conform(edges.iloc[:0], table, where=f"{where}: edges")
    node_table = node_columns(nodes.columns)
    names = conform(nodes, node_table, where=f"{where}: nodes")["name"].tolist()
    node_index = {name: index for index, name in enumerate(names)}
    if len(node_index) < len(nodes):
        raise InputError(f"{where}: nodes: a name occurs twice: make the names unique")
    for end in ("source", "target"):
        if unknown := set(edges[end].unique()) - node_index.keys():
            raise InputError(f"{where}: edges: {end} {sorted(map(str, unknown))[0]!r} is no node: add it to the nodes")
    columns = EDGE_ATTRIBUTES + table[len(EDGES) :]
    graph_id = _NOT_IN_ID.sub("_", title) or "network"
    with atomic_write(path) as handle:
        handle.write(_HEAD)
        handle.write(_keys("graph", GRAPH_ATTRIBUTES) + _keys("node", node_table) + _keys("edge", columns))
        handle.write(f'<graph id="{graph_id}" edgedefault="{"directed" if directed else "undirected"}">\n')
        handle.write(_graph_data(graph_data or {}, where))
        handle.writelines(_node_lines(nodes, node_table, f"{where}: nodes"))
        handle.writelines(_edge_lines(edges, table, node_index, directed, f"{where}: edges"))
        handle.write("</graph>\n</graphml>\n")
