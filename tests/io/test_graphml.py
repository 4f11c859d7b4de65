"""GraphML: valid against its schema, and read back equal by Cytoscape's rules, networkx and igraph."""

from __future__ import annotations

import os
import re
import sys
import tracemalloc
import warnings
import xml.sax
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinfer.errors import InputError
from netinfer.io.columns import EDGES, NEIGHBOURS, NODES
from netinfer.io.graphml import EDGE_ATTRIBUTES, GRAPH_ATTRIBUTES, NODE_ATTRIBUTES, key_id, write_graphml

SCHEMA = Path(os.environ.get("NETINFER_DATA", "../shared/data")) / "graphml-1.0"
HOSTILE = [
    "<x>", "a&b", 'q"q"', "it's", "]]>", "gène", "ge\u0300ne", "🧬", "\u200fאב", "__proto__", "constructor", "n0", "e0",
    "SUID", "name", "selected", "shared name", "=cmd()", "NA", "nan", "true", "1e5", "HLA-A*02:01", "a::b", "&amp;",
    "<!--", "<![CDATA[", "&lt;data/>", "x" * 10_000,
]  # fmt: skip


def frames(names: list[str], pairs: list[tuple[int, int]], seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    n, m = len(names), len(pairs)
    label = np.array(names, dtype=object)
    source = np.array([i for i, _ in pairs], dtype=int)
    target = np.array([j for _, j in pairs], dtype=int)

    def some_missing(values: np.ndarray) -> np.ndarray:
        return np.where(rng.random(len(values)) < 0.3, np.nan, values)

    nodes = pd.DataFrame(
        {
            "name": pd.Series(label, dtype=object),  # pandas 3 would make a str column, which has no half characters
            "gene_id": np.array([f"b{i}" if i % 2 else "" for i in range(n)], dtype=object),
            "symbol": np.array(["" if i % 3 else f'gene {i} < "x"' for i in range(n)], dtype=object),
            "is_regulator": np.arange(n) % 2 == 0,
            "degree_in": np.bincount(target, minlength=n),
            "degree_out": np.bincount(source, minlength=n),
            "expression_mean": some_missing(rng.normal(size=n)),
        }
    )
    edges = pd.DataFrame(
        {
            "source": label[source],
            "target": label[target],
            "weight": rng.choice([1.0, 0.1, 1 / 3, 1e-300, sys.float_info.min, 12345678.9], m),
            "sign": rng.choice([-1, 1], m),
            "effect": some_missing(rng.choice([0.0, -0.0, -2.0, 1e22], m)),
            "effect_low": some_missing(-rng.random(m)),
            "effect_high": some_missing(rng.random(m)),
            "partial_r2": some_missing(rng.random(m)),
            "selection_probability": rng.choice([0.0, 1.0, 0.55], m),
            "sign_stability": rng.random(m),
            "expected_false_edges": some_missing(rng.random(m)),
            "q_value": some_missing(rng.random(m)),
            "rank": np.arange(1, m + 1),
            "model": np.full(m, "lasso", dtype=object),
            "direction_basis": rng.choice(["regulator_list", "undetermined", "time"], m).astype(object),
        }
    )
    return nodes, edges


def all_pairs(n_sources: int, n: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(min(n_sources, n)) for j in range(n) if i != j]


CASES = {
    "hostile": (HOSTILE, all_pairs(4, len(HOSTILE))),
    "no node": ([], []),
    "one node": (["lexA"], []),
    "no edge": (["lexA", "recA"], []),
    "isolated nodes": (["lexA", "recA", "alone", "umuD"], [(0, 1), (3, 0)]),
    "plain": ([f"g{i}" for i in range(30)], all_pairs(5, 30)),
}


def with_neighbours(edges: pd.DataFrame) -> pd.DataFrame:
    place = np.arange(len(edges))
    distance = pd.array([None if i % 3 == 0 else int(i) for i in place], dtype="Int64")
    return edges.assign(same_operon=place % 2 == 1, gene_distance=distance)


@pytest.fixture(params=[*CASES, "annotated"])
def case(request, tmp_path):
    nodes, edges = frames(*CASES["plain" if request.param == "annotated" else request.param])
    if request.param == "annotated":
        edges = with_neighbours(edges)
    path = tmp_path / "network.graphml"
    write_graphml(path, nodes, edges, title="demo lasso", graph_data={"network_dataset": "demo", "network_n_units": 7})
    return path, nodes, edges


# ---- Cytoscape Desktop's reader -----------------------------------------------------------------------------------

JAVA_TYPES = {"int": int, "long": int, "float": float, "double": float, "boolean": bool, "string": str}
JAVA_DOUBLE = re.compile(r"[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?)")


def java_value(text: str, kind: str) -> Any:
    """Parse as Java does; raises ValueError where Java throws."""
    if kind in {"int", "long"}:
        if not re.fullmatch(r"[+-]?\d+", text) or not -(2 ** (31 if kind == "int" else 63)) <= int(text) < 2 ** (
            31 if kind == "int" else 63
        ):
            raise ValueError(text)
        return int(text)
    if kind in {"float", "double"}:
        if not JAVA_DOUBLE.fullmatch(text):
            raise ValueError(text)
        return float(text.rstrip("fFdD").replace("Infinity", "inf"))
    return text.lower() == "true" if kind == "boolean" else text


class Cytoscape(xml.sax.ContentHandler):
    """What Cytoscape Desktop's GraphML reader makes of a file; `log` has every line that it would complain."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.log: list[str] = []
        self.keys: dict[str, tuple[str, str]] = {}
        self.network: dict[str, Any] = {}
        self.nodes: dict[str, dict[str, Any]] = {}
        self.edges: list[dict[str, Any]] = []
        self.columns: dict[tuple[str, str], tuple[str, type]] = {}
        self.title, self.directed = path.stem, None
        self._current: tuple[str, dict[str, Any]] = ("network", self.network)
        self._key: str | None = None
        self._text = ""
        head = path.read_text(encoding="utf-8").splitlines()[:20]
        known = any("http://graphml.graphdrawing.org/xmlns" in line or "<graphml>" in line for line in head)
        if path.suffix not in {".graphml", ".xml"} or not known:
            raise ValueError("not recognised as GraphML")
        xml.sax.parse(str(path), self)
        for row in self.nodes.values():
            row["shared name"] = row["name"]

    def startElement(self, tag: str, attrs: Any) -> None:  # noqa: N802
        if tag == "key":
            # Looked up by id alone, whatever `for` says: a second key of one id replaces the first.
            if attrs["id"] in self.keys:
                self.log.append(f"key {attrs['id']} twice")
            self.keys[attrs["id"]] = (attrs.get("attr.name", attrs["id"]), attrs.get("attr.type", ""))
        elif tag == "default":
            self.log.append("default ignored")
        elif tag == "graph":
            self.title, self.directed = attrs.get("id", self.title), attrs["edgedefault"] == "directed"
        elif tag == "node":
            row = self.nodes.setdefault(attrs["id"], {"name": attrs["id"]})
            self._current = ("node", row)
        elif tag == "edge":
            source, target = attrs["source"], attrs["target"]
            if source not in self.nodes or target not in self.nodes:
                self.log.append(f"edge {source} {target} dropped")  # and its data go to the element before
                return
            row = {"source": source, "target": target, "interaction": "-", "name": f"{source} (-) {target}"}
            self.edges.append(row)
            self._current = ("edge", row)
        elif tag == "data":
            self._key, self._text = attrs["key"], ""

    def characters(self, content: str) -> None:
        if self._key is not None:
            self._text += content

    def endElement(self, tag: str) -> None:  # noqa: N802
        if tag != "data" or self._key is None:
            return
        key, text, self._key = self._key, self._text.strip(), None
        # Graph data are read only while no node is; later they go to the last node or edge.
        table, row = self._current
        if key not in self.keys:
            self.log.append(f"no key {key}")
            return
        name, kind = self.keys[key]
        if not text:
            return
        if kind not in JAVA_TYPES:
            self.log.append(f"{name}: type {kind!r} dropped")
            return
        try:
            value = java_value(text, kind)
        except ValueError:
            self.log.append(f"{name}: {text!r} is no {kind}")
            return
        self._store(table, row, name, value, JAVA_TYPES[kind])

    def _store(self, table: str, row: dict[str, Any], name: str, value: Any, kind: type) -> None:
        if name.lower() in {"suid", "shared name", "shared interaction", "selected"} or "::" in name:
            self.log.append(f"{name}: reserved")
            return
        # Column names are compared without case; the first value makes the column and its type.
        first_name, first_kind = self.columns.setdefault((table, name.lower()), (name, kind))
        if first_kind is not kind:
            self.log.append(f"{name}: {kind.__name__} refused, the column is {first_kind.__name__}")
            return
        row[first_name] = value


def test_the_emulation_complains_where_cytoscape_does(tmp_path):
    head = '<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">'

    def read(body: str, name: str = "a.graphml") -> Cytoscape:
        (tmp_path / name).write_text(head + body + "</graphml>", encoding="utf-8")
        return Cytoscape(tmp_path / name)

    with pytest.raises(ValueError, match="not recognised"):
        read("", "a.gml")
    two = read(
        '<key id="w" for="edge" attr.name="weight" attr.type="double"/>'
        '<key id="v" for="edge" attr.name="Weight" attr.type="long"/>'
        '<key id="t" for="graph" attr.name="name" attr.type="string"/>'
        '<key id="u" for="node" attr.name="x" attr.type="text"><default>1</default></key>'
        '<graph edgedefault="undirected"><node id="a"/><node id="b"><data key="u">1</data></node>'
        '<edge source="a" target="b"><data key="w">nan</data><data key="w"> 0.5 </data><data key="v">1</data></edge>'
        '<edge source="a" target="c"><data key="w">9.0</data></edge><data key="t">title</data></graph>'
    )
    assert two.log == [
        "default ignored", "x: type 'text' dropped", "weight: 'nan' is no double",
        "Weight: int refused, the column is float", "edge a c dropped",
    ]  # fmt: skip
    # What came after went onto the edge before: the reason why graph data stand first and edges after nodes.
    assert two.edges == [{"source": "a", "target": "b", "interaction": "-", "name": "title", "weight": 9.0}]
    assert not two.directed
    assert two.title == "a"
    assert [java_value(text, "boolean") for text in ("TRUE", "1")] == [True, False]
    for text, kind in [("2147483648", "int"), ("inf", "double"), ("1.0", "int")]:
        with pytest.raises(ValueError, match=re.escape(text)):
            java_value(text, kind)


def without_missing(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not pd.isna(value) and value != ""}


def expected_nodes(nodes: pd.DataFrame) -> list[dict[str, Any]]:
    return [without_missing(row) for row in nodes.to_dict("records")]


def expected_edges(edges: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for row in edges.drop(columns=["model"]).to_dict("records"):
        word, arrow = ("activates", "activation") if row["sign"] > 0 else ("represses", "inhibition")
        if row["direction_basis"] == "undetermined":
            word, arrow = "associates", "none"
        name = f"{row['source']} ({word}) {row['target']}"
        rows.append(without_missing({**row, "interaction": word, "arrow": arrow, "name": name}))
    return rows


def test_cytoscape_reads_every_value_and_complains_of_none(case):
    path, nodes, edges = case
    seen = Cytoscape(path)
    assert seen.log == []
    assert seen.title == "demo_lasso"
    assert seen.directed
    assert seen.network == {"network_dataset": "demo", "network_n_units": 7}
    assert list(seen.nodes) == [f"n{i}" for i in range(len(nodes))]
    rows = list(seen.nodes.values())
    assert [row.pop("shared name") for row in rows] == nodes["name"].tolist()
    assert rows == expected_nodes(nodes)
    labels = [row["name"] for row in rows]
    found = [
        {**row, "source": labels[int(row["source"][1:])], "target": labels[int(row["target"][1:])]}
        for row in seen.edges
    ]
    assert found == expected_edges(edges)
    if len(edges):
        kinds = {name: kind for (table, _), (name, kind) in seen.columns.items() if table == "edge"}
        assert kinds["weight"] is float
        assert kinds["rank"] is int
        assert kinds["sign"] is int


def test_networkx_reads_the_same(case):
    import networkx as nx

    path, nodes, edges = case
    graph = nx.read_graphml(path)
    assert [without_missing(data) for _, data in graph.nodes(data=True)] == expected_nodes(nodes)
    found = {
        (graph.nodes[a]["name"], graph.nodes[b]["name"]): {k: v for k, v in data.items() if k != "id"}
        for a, b, data in graph.edges(data=True)
    }
    assert found == {
        (row["source"], row["target"]): {k: v for k, v in row.items() if k not in {"source", "target"}}
        for row in expected_edges(edges)
    }
    assert graph.is_directed()


def test_igraph_reads_the_same(case):
    import igraph

    path, nodes, edges = case
    with warnings.catch_warnings():
        # igraph warns of the missing values that it fills in itself.
        warnings.simplefilter("ignore", RuntimeWarning)
        graph = igraph.Graph.Read_GraphML(str(path))
    assert graph.is_directed()
    assert graph.vcount() == len(nodes)
    assert graph.ecount() == len(edges)
    for column in NODE_ATTRIBUTES if len(nodes) else ():
        same_values(graph.vs[column.name], nodes[column.name].tolist())
    rows = expected_edges(edges)
    own = [column for column in (*EDGE_ATTRIBUTES, *NEIGHBOURS) if column.name in {*edges, *KEPT}]
    for column in own if len(edges) else ():
        missing = "" if column.kind == "string" else float("nan")
        same_values(graph.es[column.name], [row.get(column.name, missing) for row in rows])
    labels = nodes["name"].tolist()
    assert [(labels[e.source], labels[e.target]) for e in graph.es] == list(
        zip(edges["source"], edges["target"], strict=True)
    )


KEPT = {"name", "interaction", "arrow"}


def same_values(found: list[Any], expected: list[Any]) -> None:
    assert len(found) == len(expected)
    assert all(a == b or (a != a and b != b) for a, b in zip(found, expected, strict=True))


# ---- the file itself ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def schema():
    etree = pytest.importorskip("lxml.etree")
    if not (SCHEMA / "graphml.xsd").is_file():
        pytest.skip(f"no GraphML schema in {SCHEMA}: set NETINFER_DATA")
    return etree.XMLSchema(etree.parse(str(SCHEMA / "graphml.xsd")))


def test_valid_against_the_schema(case, schema):
    from lxml import etree

    document = etree.parse(str(case[0]))
    assert schema.validate(document), schema.error_log


def test_form_of_the_file(case):
    path, nodes, edges = case
    text = path.read_text(encoding="utf-8")
    assert "<!DOCTYPE" not in text
    assert "<default" not in text
    assert "\r" not in text
    tags = re.findall(r"^<(key|graph |data|node|edge)", text, re.MULTILINE)
    order = ["key", "graph ", "data", "node", "edge"]
    assert sorted(tags, key=order.index) == tags
    keys = re.findall(r'<key id="(\w+)" for="(\w+)" attr.name="(\w+)" attr.type="(\w+)"/>', text)
    ids = [key for key, *_ in keys]
    n_more = len(NEIGHBOURS) if "same_operon" in edges else 0
    assert len(set(ids)) == len(ids) == len(NODE_ATTRIBUTES) + len(EDGE_ATTRIBUTES) + len(GRAPH_ATTRIBUTES) + n_more
    for key, kind, name, _ in keys:
        assert key == ("edge_name" if (kind, name) == ("edge", "name") else name)
    assert len({(kind, name.lower()) for _, kind, name, _ in keys}) == len(keys)
    assert {kind for *_, kind in keys} == {"string", "boolean", "int", "double"}
    assert ("weight", "edge", "weight", "double") in keys
    without_names = re.sub(r"key=\"(name|edge_name|gene_id|symbol)\">.*?<", "", text)
    assert not re.search(r">-?(nan|inf|infinity)<", without_names, re.I)
    assert re.findall(r'^<node id="(.*?)"', text, re.MULTILINE) == [f"n{i}" for i in range(len(nodes))]
    assert re.findall(r'^<edge id="(.*?)"', text, re.MULTILINE) == [f"e{i}" for i in range(len(edges))]


def test_attributes_are_those_of_the_contract():
    assert [column.name for column in NODE_ATTRIBUTES] == [
        "name", "gene_id", "symbol", "is_regulator", "degree_in", "degree_out", "expression_mean",
    ]  # fmt: skip
    assert {column.name for column in EDGE_ATTRIBUTES} == {
        "name", "interaction", "arrow", "direction_basis", "weight", "effect", "effect_low", "effect_high",
        "partial_r2", "sign", "selection_probability", "sign_stability", "expected_false_edges", "q_value", "rank",
    }  # fmt: skip
    assert key_id(EDGE_ATTRIBUTES[0], "edge") == "edge_name"
    assert key_id(NODES[0], "node") == "name"


def test_weights_are_the_shortest_text_that_reads_back(case):
    path, _, edges = case
    found = re.findall(r'<data key="weight">(.*?)</data>', path.read_text(encoding="utf-8"))
    assert [float(text) for text in found] == edges["weight"].tolist()
    assert found == [repr(value) for value in edges["weight"].tolist()]


def test_negative_zero_and_bytes_are_stable(tmp_path):
    nodes, edges = frames(["a", "b"], [(0, 1)])
    for name, zero in (("one", 0.0), ("two", -0.0)):
        write_graphml(tmp_path / f"{name}.graphml", nodes, edges.assign(effect=zero), title="t")
    one, two = ((tmp_path / f"{name}.graphml").read_bytes() for name in ("one", "two"))
    assert one == two
    assert b'<data key="effect">0.0</data>' in one


def test_subnormal_numbers_become_the_smallest_normal_one(tmp_path):
    import igraph

    nodes, edges = frames(["a", "b"], [(0, 1)])
    path = tmp_path / "network.graphml"
    edges = edges.assign(weight=5e-324, effect=-1e-310, q_value=0.0)
    write_graphml(path, nodes.assign(expression_mean=1.0), edges.fillna(1.0), title="t")
    edge = igraph.Graph.Read_GraphML(str(path)).es[0]  # igraph 1.0 fails on 5e-324: "Integer or double overflow"
    assert (edge["weight"], edge["effect"], edge["q_value"]) == (sys.float_info.min, -sys.float_info.min, 0.0)


def test_undirected(tmp_path, schema):
    from lxml import etree

    nodes, edges = frames(["a", "b", "c"], [(0, 1), (1, 2)])
    path = tmp_path / "network.graphml"
    write_graphml(path, nodes, edges, title="", directed=False)
    seen = Cytoscape(path)
    assert not seen.directed
    assert seen.title == "network"
    assert [edge["name"] for edge in seen.edges] == ["a (associates) b", "b (associates) c"]
    assert {(edge["interaction"], edge["arrow"]) for edge in seen.edges} == {("associates", "none")}
    assert schema.validate(etree.parse(str(path)))


def test_graph_data_and_title_are_escaped(tmp_path, schema):
    from lxml import etree

    nodes, edges = frames(["a"], [])
    path = tmp_path / "network.graphml"
    note = 'a <b> & "c" ]]>\r\nline\ttwo'
    data = {"network_note": note, "network_n_units": None, "network_expected_false_edges": float("nan")}
    write_graphml(path, nodes, edges, title='x" <é', graph_data=data)
    seen = Cytoscape(path)
    assert seen.network == {"network_note": note}
    assert seen.title == "x____"
    assert schema.validate(etree.parse(str(path)))
    with pytest.raises(InputError, match="unknown graph attribute other"):
        write_graphml(path, nodes, edges, title="t", graph_data={"other": 1})


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x0b", "\x1b", "\ufffe", "\uffff", "\ud800"])
def test_characters_that_xml_cannot_hold_are_refused(tmp_path, character):
    nodes, edges = frames([f"a{character}"], [])
    with pytest.raises(InputError, match="no XML file can hold"):
        write_graphml(tmp_path / "network.graphml", nodes, edges, title="t")
    assert list(tmp_path.iterdir()) == []


def test_broken_frames_are_refused(tmp_path):
    path = tmp_path / "network.graphml"
    nodes, edges = frames(["a", "b"], [(0, 1)])
    with pytest.raises(InputError, match="target 'b' is no node"):
        write_graphml(path, nodes[:1], edges, title="t")
    with pytest.raises(InputError, match="a name occurs twice"):
        write_graphml(path, pd.concat([nodes, nodes]), edges, title="t")
    with pytest.raises(InputError, match="neither 1 nor -1"):
        write_graphml(path, nodes, edges.assign(sign=0), title="t")
    with pytest.raises(InputError, match="rank: above 2147483647"):
        write_graphml(path, nodes, edges.assign(rank=2**31), title="t")
    with pytest.raises(InputError, match="missing column weight"):
        write_graphml(path, nodes, edges.drop(columns="weight"), title="t")
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=30, deadline=None)
@given(
    names=st.lists(
        st.text(
            st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=12
        ).filter(lambda name: name == name.strip()),
        max_size=8,
        unique=True,
    ),
    seed=st.integers(0, 10**6),
)
def test_any_names_come_back(tmp_path_factory, names, seed):
    import networkx as nx

    nodes, edges = frames(names, all_pairs(3, len(names)), seed)
    path = tmp_path_factory.mktemp("graphml") / "network.graphml"
    write_graphml(path, nodes, edges, title="t")
    seen = Cytoscape(path)
    assert seen.log == []
    assert [row["name"] for row in seen.nodes.values()] == names
    assert [edge["name"] for edge in seen.edges] == [row["name"] for row in expected_edges(edges)]
    graph = nx.read_graphml(path)
    assert [data["name"] for _, data in graph.nodes(data=True)] == names


def test_memory_does_not_grow_with_the_edges(tmp_path):
    """The writer holds blocks of 2**13 rows: 200,000 edges (120 MB of text) need no more than a block."""
    n = 1000
    names = [f"gene{i}" for i in range(n)]
    nodes, _ = frames(names, [])
    rng = np.random.default_rng(0)
    m = 200_000
    source, target = np.divmod(rng.choice(n * n, m, replace=False), n)
    label = np.array(names, dtype=object)
    _, few = frames(["a", "b"], [(0, 1)])
    edges = pd.DataFrame({column.name: np.repeat(few[column.name].to_numpy(), m) for column in EDGES})
    edges = edges.assign(source=label[source], target=label[target], weight=rng.random(m), rank=np.arange(1, m + 1))
    tracemalloc.start()
    write_graphml(tmp_path / "network.graphml", nodes, edges, title="t")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = (tmp_path / "network.graphml").stat().st_size
    # One block of rows as frame, numbers, texts and lines; the frame of all edges alone is 22 MB.
    assert peak < 2**13 * 2_000
    with (tmp_path / "network.graphml").open(encoding="utf-8") as handle:
        assert sum(line.startswith("<edge") for line in handle) == m
    assert size > 2e7
