"""The network's files and its forms in other libraries: everything comes back as it went in."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET

import anndata as ad
import networkx as nx
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from netinfer.errors import ConfigError, InputError, RunError
from netinfer.io.columns import EDGES, EXPECTED_FALSE_EDGES_NOTE, NODES
from netinfer.io.files import sha256_file
from netinfer.network import Network

FILES = [
    "candidates.parquet", "cut.json", "edges.parquet", "edges.tsv", "network.graphml", "network_top.graphml",
    "nodes.tsv", "provenance.json", "targets.tsv",
]  # fmt: skip


def assert_same(one: Network, other: Network) -> None:
    for frame in ("candidates", "edges", "nodes", "targets"):
        pd.testing.assert_frame_equal(getattr(one, frame), getattr(other, frame), check_exact=True)
    assert one.provenance == other.provenance
    assert one.cut == other.cut


def expression(names: list[str]) -> ad.AnnData:
    adata = ad.AnnData(
        np.arange(3.0 * len(names)).reshape(3, -1),
        obs=pd.DataFrame(index=["s1", "s2", "s3"]),
        var=pd.DataFrame({"is_regulator": False}, index=pd.Index(names, dtype=object)),
    )
    adata.uns["netinfer"] = {
        "log": np.array(["read", "logged"]),
        "dropped_genes": pd.DataFrame({"gene": ["x"], "is_regulator": [True], "status": ["constant"], "reason": [""]}),
        "dropped_samples": pd.DataFrame({"sample": [], "reason": []}, dtype=object),
        "normalization": "cpm_log1p",
    }
    return adata


def test_written_network_is_read_back_exactly(make, tmp_path):
    net = make.network(make.hostile, n_regulators=7, cut={"selection_probability": 0.3})
    written = net.write(tmp_path / "new" / "folder")
    assert sorted(path.name for path in written) == FILES
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == FILES
    assert_same(Network.read(tmp_path / "new" / "folder"), net)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    names=st.lists(
        st.text(
            st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=8
        ).filter(lambda name: name == name.strip(" ")),
        min_size=1,
        max_size=7,
        unique=True,
    ),
    fdr=st.floats(0.01, 1.0),
)
def test_any_network_is_read_back_exactly(make, tmp_path_factory, seed, names, fdr):
    net = make.network(names, n_regulators=min(3, len(names)), seed=seed, cut={"fdr": fdr})
    folder = tmp_path_factory.mktemp("network")
    net.write(folder)
    assert_same(Network.read(folder), net)


def test_tables_read_by_others_have_equal_values(make, tmp_path):
    net = make.network(make.hostile, n_regulators=7, cut={"selection_probability": 0.3})
    net.write(tmp_path)
    table = pd.read_csv(tmp_path / "edges.tsv", sep="\t", keep_default_na=False, na_values={"effect": [""]}).head()
    assert list(table.columns[:3]) == ["source", "target", "weight"]
    with (tmp_path / "edges.tsv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    assert [row["source"] for row in rows] == net.edges["source"].tolist()
    assert [row["target"] for row in rows] == net.edges["target"].tolist()
    for name in ("weight", "effect", "expected_false_edges"):
        read = [float(row[name]) if row[name] else np.nan for row in rows]
        np.testing.assert_array_equal(read, net.edges[name])
    parquet = pq.read_table(tmp_path / "edges.parquet")
    assert parquet.column_names == [column.name for column in EDGES]
    assert parquet["effect"].null_count == int(net.edges["effect"].isna().sum()) > 0
    assert parquet["weight"].to_pylist() == net.edges["weight"].tolist()
    assert len(pq.read_table(tmp_path / "candidates.parquet")) == len(net.candidates)


def test_same_network_gives_the_same_bytes(make, tmp_path):
    names = [f"g{i}" for i in range(12)]
    for folder in ("one", "two"):
        net = make.network(names, cut={"selection_probability": 0.4})
        net.threshold(fdr=0.5).threshold(selection_probability=0.4).write(tmp_path / folder, adata=expression(names))
    hashes = [{p.name: sha256_file(p) for p in (tmp_path / folder).iterdir()} for folder in ("one", "two")]
    assert hashes[0] == hashes[1]
    assert set(hashes[0]) == {*FILES, "network.h5ad"}


def test_cut_that_is_not_met_writes_the_exploratory_network(make, tmp_path):
    net = make.network(cut={"fdr": 1e-9})
    net.write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [*FILES, "exploratory.tsv", "exploratory.graphml"]
    )
    assert (tmp_path / "edges.tsv").read_text() == "\t".join(column.name for column in EDGES) + "\n"
    assert "fdr 1e-09" in json.loads((tmp_path / "cut.json").read_text())["reason"]
    table = pd.read_csv(tmp_path / "exploratory.tsv", sep="\t")
    assert set(table["error_control"]) == {"none"}
    graph = nx.read_graphml(tmp_path / "exploratory.graphml")
    assert graph.number_of_edges() == len(table) == len(net.exploratory())
    assert "without error control" in graph.graph["network_note"]
    assert "network_expected_false_edges" not in graph.graph
    assert {data["error_control"] for *_, data in graph.edges(data=True)} == {"none"}
    degrees = {data["name"]: (data["degree_in"], data["degree_out"]) for _, data in graph.nodes(data=True)}
    assert degrees == {
        data["name"]: (graph.in_degree(node), graph.out_degree(node)) for node, data in graph.nodes(data=True)
    }
    # The next cut is met: what the first one left would pass for a part of it.
    net.threshold(selection_probability=0.3).write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES


def test_graphml_of_the_whole_and_of_the_top(make, tmp_path):
    net = make.network(cut={"selection_probability": 0.3})
    net.write(tmp_path, top_edges=4)
    whole, top = (nx.read_graphml(tmp_path / f"network{end}.graphml") for end in ("", "_top"))
    assert [data["name"] for _, data in whole.nodes(data=True)] == net.nodes["name"].tolist()
    assert whole.number_of_edges() == len(net.edges)
    assert whole.graph["network_dataset"] == "demo"
    assert whole.graph["network_model"] == "elastic_net"
    assert whole.graph["network_n_units"] == 40
    assert whole.graph["network_cut"] == "selection_probability = 0.3"
    assert EXPECTED_FALSE_EDGES_NOTE in whole.graph["network_note"]
    assert sorted(data["rank"] for *_, data in top.edges(data=True)) == net.edges["rank"].head(4).tolist()
    assert min(dict(top.degree()).values()) >= 1
    assert net.threshold(fdr=1e-9).write_graphml(tmp_path / "none.graphml", top=5) is None
    assert nx.read_graphml(tmp_path / "none.graphml").number_of_nodes() == 0


def test_graphml_arguments(make, tmp_path):
    net = make.network()
    with pytest.raises(ConfigError, match=r"end with \.graphml"):
        net.write_graphml(tmp_path / "network.graphml.gz")
    with pytest.raises(ConfigError, match="top -1"):
        net.write_graphml(tmp_path / "network.graphml", top=-1)
    with pytest.raises(RunError, match="make the folder"):
        net.write_graphml(tmp_path / "absent" / "network.graphml")


def test_undirected_network(make, tmp_path):
    names = [f"g{i}" for i in range(6)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    net = Network(
        make.candidates(pairs),
        make.nodes(names, 6),
        make.targets(names),
        {"directed": False, "dataset": "demo"},
        {"selection_probability": 0.2},
    )
    net.write(tmp_path)
    assert_same(Network.read(tmp_path), net)
    graph = nx.read_graphml(tmp_path / "network.graphml")
    assert not graph.is_directed()
    assert {data["interaction"] for *_, data in graph.edges(data=True)} == {"associates"}
    assert not net.to_networkx().is_directed()
    matrix = net.to_anndata(expression(names)).varp["netinfer"]
    assert (matrix != matrix.T).nnz == 0
    assert matrix.nnz == 2 * len(net.edges)


def test_networkx_has_every_value_as_a_python_type(make):
    net = make.network(make.hostile, n_regulators=7, cut={"selection_probability": 0.3})
    graph = net.to_networkx()
    assert list(graph.nodes) == net.nodes["name"].tolist()
    assert graph.number_of_edges() == len(net.edges)
    for row in net.edges.to_dict("records"):
        data = dict(graph.edges[row["source"], row["target"]])
        assert data.pop("interaction") == ("activates" if row["sign"] > 0 else "represses")
        assert data.pop("arrow") == ("activation" if row["sign"] > 0 else "inhibition")
        assert data == {k: v for k, v in row.items() if k not in {"source", "target"} and v == v}
        assert {type(value) for value in data.values()} <= {int, float, str}
    row = net.nodes.iloc[1]
    assert graph.nodes[row["name"]] == {
        column.name: row[column.name]
        for column in NODES[1:]
        if row[column.name] == row[column.name] and row[column.name] != ""
    }
    assert type(graph.nodes[row["name"]]["is_regulator"]) is bool


def test_undetermined_pairs_have_no_head_in_any_export(make, tmp_path):
    net = make.network(cut={"selection_probability": 0.3})
    basis = np.where(np.arange(len(net.candidates)) % 2, "undetermined", "regulator_list").astype(object)
    candidates = net.candidates.assign(direction_basis=basis)
    net = Network(candidates, net.nodes, net.targets, net.provenance, net.cut)
    net.write(tmp_path)
    words = {1: ("activates", "activation"), -1: ("represses", "inhibition")}
    expected = {
        row["rank"]: ("associates", "none") if row["direction_basis"] == "undetermined" else words[row["sign"]]
        for row in net.edges.to_dict("records")
    }
    assert {("associates", "none"), *words.values()} == set(expected.values())
    for graph in (nx.read_graphml(tmp_path / "network.graphml"), net.to_networkx()):
        assert {d["rank"]: (d["interaction"], d["arrow"]) for *_, d in graph.edges(data=True)} == expected
        assert {d["sign"] for *_, d in graph.edges(data=True) if d["arrow"] == "none"} == {1, -1}
    named = {data["rank"]: data["name"] for *_, data in nx.read_graphml(tmp_path / "network.graphml").edges(data=True)}
    assert all(f"({expected[rank][0]})" in name for rank, name in named.items())


def test_anndata_holds_the_matrix_and_keeps_what_was_there(make, tmp_path):
    names = [f"g{i}" for i in range(9)]
    net = make.network(names, cut={"selection_probability": 0.3})
    adata = expression(["first", *names[::-1], "last"])
    before = adata.copy()
    net.write(tmp_path, adata=adata)
    assert "netinfer" not in adata.varp
    assert set(adata.uns["netinfer"]) == set(before.uns["netinfer"])
    again = ad.read_h5ad(tmp_path / "network.h5ad")
    matrix = again.varp["netinfer"]
    assert sparse.issparse(matrix)
    assert matrix.format == "csr"
    assert matrix.nnz == len(net.edges)
    place = {name: index for index, name in enumerate(again.var_names)}
    for row in net.edges.to_dict("records"):
        assert matrix[place[row["source"]], place[row["target"]]] == row["weight"] * row["sign"]
    np.testing.assert_array_equal(again.X, before.X)
    stored = again.uns["netinfer"]
    assert stored["normalization"] == "cpm_log1p"
    assert stored["log"].tolist() == ["read", "logged"]
    assert json.loads(stored["network"]["provenance"]) == net.provenance
    assert json.loads(stored["network"]["cut"]) == net.cut
    assert "row = regulator, column = target" in stored["network"]["varp"]
    assert stored["edges"]["source"].astype(object).tolist() == net.edges["source"].tolist()
    np.testing.assert_array_equal(stored["edges"]["effect"], net.edges["effect"])
    # Genes and their matrix are sliced together.
    part = again[:, again.var_names[:4]]
    assert (part.varp["netinfer"] != matrix[:4, :4]).nnz == 0


def test_anndata_with_hostile_names_and_no_edge(make, tmp_path):
    net = make.network(make.hostile, n_regulators=7, cut={"fdr": 1e-9})
    net.write(tmp_path, adata=expression(make.hostile))
    again = ad.read_h5ad(tmp_path / "network.h5ad")
    assert again.var_names.tolist() == make.hostile
    assert again.varp["netinfer"].nnz == 0
    assert list(again.uns["netinfer"]["edges"].columns) == [column.name for column in EDGES]


def test_sparse_and_backed_expression_are_taken(make, tmp_path):
    names = [f"g{i}" for i in range(9)]
    net = make.network(names)
    adata = expression(names)
    adata.X = sparse.csr_matrix(adata.X)
    adata.write_h5ad(tmp_path / "in.h5ad")
    backed = ad.read_h5ad(tmp_path / "in.h5ad", backed="r")
    copy = net.to_anndata(backed, key="grn")
    backed.file.close()
    assert copy.varp["grn"].nnz == len(net.edges)
    assert set(copy.uns) == {"netinfer", "grn"}


def test_anndata_of_other_genes_is_refused(make):
    net = make.network()
    with pytest.raises(InputError, match="20 nodes of the network are not among the genes, such as 'gene00'"):
        net.to_anndata(expression(["other"]))
    doubled = expression(["gene00", "g", "h"])
    doubled.var_names = pd.Index(["g", "g", "h"])
    with pytest.raises(InputError, match="'g' occurs twice"):
        net.to_anndata(doubled)


@pytest.mark.parametrize("name", ["candidates.parquet", "nodes.tsv", "targets.tsv", "provenance.json", "cut.json"])
@pytest.mark.parametrize("damage", ["absent", "empty", "cut short", "garbage"])
def test_damaged_folder_is_refused_with_the_file_named(make, tmp_path, name, damage):
    make.network().write(tmp_path)
    path = tmp_path / name
    data = path.read_bytes()
    if damage == "absent":
        path.unlink()
    else:
        path.write_bytes(
            {"empty": b"", "cut short": data[: len(data) * 2 // 3], "garbage": b"\xff\xfe\x00garbage"}[damage]
        )
    with pytest.raises(InputError) as caught:
        Network.read(tmp_path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_of_two_networks_are_refused(make, tmp_path):
    make.network(seed=1).write(tmp_path / "one")
    make.network(seed=2).write(tmp_path / "two")
    (tmp_path / "one" / "candidates.parquet").replace(tmp_path / "two" / "candidates.parquet")
    with pytest.raises(InputError, match="not of one network"):
        Network.read(tmp_path / "two")
    with pytest.raises(InputError, match="no such folder"):
        Network.read(tmp_path / "three")


def test_folder_that_cannot_be_made(make, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be made"):
        make.network().write(tmp_path / "file" / "folder")


def test_graphml_and_table_hold_the_same_edges(make, tmp_path):
    net = make.network(make.hostile, n_regulators=7, cut={"selection_probability": 0.3})
    net.write(tmp_path)
    space = "{http://graphml.graphdrawing.org/xmlns}"
    root = ET.parse(tmp_path / "network.graphml").getroot()
    name = {n.get("id"): n.find(f"{space}data[@key='name']").text for n in root.iter(f"{space}node")}
    found = []
    for edge in root.iter(f"{space}edge"):
        data = {d.get("key"): d.text for d in edge.iter(f"{space}data")}
        found.append((name[edge.get("source")], name[edge.get("target")], data["weight"], int(data["rank"])))
    table = net.edges
    assert found == list(
        zip(table["source"], table["target"], map(repr, table["weight"].tolist()), table["rank"], strict=True)
    )
