"""Both networks side by side: each edge once, with the evidence of each."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.errors import InputError
from netinfer.io.columns import edge_columns
from netinfer.io.tables import read_tsv
from netinfer.network.consensus import consensus, write_consensus


@pytest.fixture(scope="module")
def networks():
    """Three regulators with two targets each, two tied targets no regulator explains, and a gene too quiet to be in."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 12))
    x[:, 3:6] += 1.5 * x[:, :3]
    x[:, 6:9] -= 1.5 * x[:, :3]
    x[:, 10] += 2.0 * x[:, 9]
    x[:, 11] = 0.3 * x[:, 0] + 0.1 * x[:, 11]
    names = ["tfA", "tfB", "tfC", "a1", "b1", "c1", "a2", "b2", "c2", "u1", "u2", "quiet"]
    data = pd.DataFrame(x, columns=names)
    directed = ni.infer_regression(data, names[:3], n_subsamples=20, expected_false_edges=5, threads=1)
    undirected = ni.infer_precision(
        data, regulators=names[:3], criterion="ebic", max_genes=11, n_subsamples=20, threads=1
    )
    return directed, undirected


def test_every_edge_is_there_once_with_its_evidence(networks):
    directed, undirected = networks
    table = consensus(directed, undirected)
    kinds = {
        kind: set(map(frozenset, rows[["source", "target"]].to_numpy().tolist()))
        for kind, rows in table.groupby("evidence")
    }
    own = set(map(frozenset, directed.edges[["source", "target"]].to_numpy().tolist()))
    other = set(map(frozenset, undirected.edges[["source", "target"]].to_numpy().tolist()))
    assert kinds["both"] == own & other
    assert kinds["directed"] == own - other
    assert kinds["undirected"] == other - own
    assert {frozenset(x) for x in (("tfA", "a1"), ("tfB", "b2"))} <= kinds["both"]
    assert frozenset(("u1", "u2")) in kinds["undirected"]
    assert frozenset(("tfA", "quiet")) in kinds["directed"]
    assert table["evidence"].tolist() == sorted(table["evidence"], key=["both", "directed", "undirected"].index)


def test_an_edge_that_one_network_could_not_find_says_so(networks):
    table = consensus(*networks).set_index(["source", "target"])
    assert not table.loc[("tfA", "quiet"), "tested_by_both"]
    assert not table.loc[("u1", "u2"), "tested_by_both"]
    assert table.loc[("tfA", "a1"), "tested_by_both"]


def test_values_are_those_of_the_networks(networks):
    directed, undirected = networks
    table = consensus(directed, undirected)
    both = table[table["evidence"] == "both"]
    by_pair = {frozenset((row.source, row.target)): row for row in undirected.edges.itertuples()}
    for row in both.itertuples():
        found = by_pair[frozenset((row.source, row.target))]
        assert row.partial_correlation == found.weight * found.sign
        assert row.partial_selection_probability == found.selection_probability
    kept = directed.edges.merge(table, on=["source", "target"], suffixes=("", "_table"))
    assert len(kept) == len(directed.edges)
    assert (kept["weight"] == kept["weight_table"]).all()
    alone = table[table["evidence"] == "directed"]
    assert alone["partial_correlation"].isna().all()


def test_files_can_be_read_back(networks, tmp_path):
    paths = write_consensus(*networks, tmp_path)
    table = consensus(*networks)
    back = read_tsv(paths[0], edge_columns)
    assert back["evidence"].tolist() == table["evidence"].tolist()
    graph = nx.read_graphml(paths[1])
    assert graph.number_of_edges() == len(table)
    nodes = dict(graph.nodes(data=True))
    by_name = {data["name"]: data for data in nodes.values()}
    assert by_name["u1"]["degree_in"] == by_name["u1"]["degree_out"] == by_name["u2"]["degree_in"] >= 1
    lines = [data for _, _, data in graph.edges(data=True) if data["evidence"] == "undirected"]
    assert [data["arrow"] for data in lines] == ["none"] * int((table["evidence"] == "undirected").sum())


def test_two_networks_of_one_kind_are_refused(networks):
    directed, undirected = networks
    for pair in ((undirected, directed), (directed, directed)):
        with pytest.raises(InputError, match="the directed network first"):
            consensus(*pair)


def test_a_cut_that_nothing_passes_says_nothing_against_an_edge(networks):
    directed, undirected = networks
    nothing = directed.threshold(expected_false_edges=1e-9)
    table = consensus(nothing, undirected)
    assert set(table["evidence"]) == {"undirected"}
    assert not table["tested_by_both"].any()
