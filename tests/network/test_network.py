"""The network itself: what it refuses, how it is cut, what stays."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinfer.errors import ConfigError, InputError
from netinfer.network import EXPECTED_FALSE_EDGES_NOTE, Network, rank_candidates

NAMES = ["a", "b", "c", "d"]
PAIRS = [("a", "b"), ("a", "c"), ("b", "a"), ("b", "d")]


@pytest.fixture
def parts(make):
    return make.candidates(PAIRS), make.nodes(NAMES, 2), make.targets(NAMES)


def changed(frame: pd.DataFrame, **columns) -> pd.DataFrame:
    return frame.assign(**columns)


def test_edges_are_the_candidates_that_pass_in_rank_order(make):
    net = make.network(cut={"fdr": 0.3})
    expected = net.candidates[net.candidates["q_value"] <= 0.3].reset_index(drop=True)
    assert 0 < len(expected) < len(net.candidates)
    pd.testing.assert_frame_equal(net.edges, expected)
    assert net.edges["rank"].is_monotonic_increasing
    assert net.edges["weight"].is_monotonic_decreasing


def test_degrees_and_edges_a_target_are_those_of_the_cut(make):
    net = make.network(cut={"fdr": 0.3})
    into, out = net.edges["target"].value_counts(), net.edges["source"].value_counts()
    nodes = net.nodes.set_index("name")
    assert nodes["degree_in"].to_dict() == {name: int(into.get(name, 0)) for name in nodes.index}
    assert nodes["degree_out"].to_dict() == {name: int(out.get(name, 0)) for name in nodes.index}
    assert net.targets.set_index("target")["n_edges"].to_dict() == nodes["degree_in"].to_dict()
    assert net.threshold(selection_probability=1e-9).nodes["degree_in"].sum() > into.sum()


def test_cut_says_what_was_asked_and_what_bound_holds(make):
    net = make.network(cut={"fdr": 0.3})
    assert net.cut["asked"] == {"fdr": 0.3}
    assert net.cut["met"] is True
    assert net.cut["reason"] == ""
    assert net.cut["n_edges"] == len(net.edges)
    assert net.cut["expected_false_edges"] == net.edges["expected_false_edges"].max()
    # With edges of unbounded error among the kept, there is no bound to state.
    assert net.threshold(selection_probability=0.02).cut["expected_false_edges"] is None


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        ({"fdr": 1e-9}, ["fdr 1e-09", "40 independent units", "smallest q_value"]),
        ({"expected_false_edges": 1e-9}, ["expected_false_edges 1e-09", "40 independent units"]),
    ],
)
def test_cut_that_cannot_be_met_leaves_no_edge_and_a_reason(make, cut, words):
    net = make.network(cut=cut)
    assert len(net.edges) == 0
    assert list(net.edges.columns) == list(net.candidates.columns)
    assert net.cut["met"] is False
    assert net.cut["expected_false_edges"] is None
    assert "\n" not in net.cut["reason"]
    for word in words:
        assert word in net.cut["reason"]
    assert net.nodes[["degree_in", "degree_out"]].to_numpy().sum() == 0


def test_missing_bound_never_passes(parts):
    candidates, nodes, targets = parts
    candidates = changed(candidates, expected_false_edges=np.nan, q_value=np.nan)
    net = Network(candidates, nodes, targets, {"n_units": 3}, {"expected_false_edges": 1e300})
    assert len(net.edges) == 0
    assert "no candidate has a finite bound on its false edges with 3 independent units" in net.cut["reason"]
    assert net.threshold(selection_probability=1e-9).cut["met"] == bool((candidates["selection_probability"] > 0).any())


def test_ties_at_the_cut_are_kept_together(parts):
    candidates, nodes, targets = parts
    tied = changed(candidates, expected_false_edges=[0.5, 2.0, 0.5, np.nan], q_value=[0.25, 0.5, 0.25, np.nan])
    net = Network(tied, nodes, targets, {}, {"expected_false_edges": 0.5})
    assert net.edges["rank"].tolist() == [1, 3]
    assert net.threshold(fdr=0.25).edges["rank"].tolist() == [1, 3]
    assert net.threshold(fdr=np.nextafter(0.25, 0)).edges.empty


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    name=st.sampled_from(["fdr", "expected_false_edges", "selection_probability"]),
    low=st.floats(0.001, 1.0),
    high=st.floats(0.001, 1.0),
)
def test_threshold_is_monotone_and_changes_no_value(make, seed, name, low, high):
    low, high = sorted((low, high))
    net = make.network(seed=seed)
    first, second = net.threshold(**{name: low}), net.threshold(**{name: high})
    small, large = (second, first) if name == "selection_probability" else (first, second)
    assert set(small.edges["rank"]) <= set(large.edges["rank"])
    for cut in (small, large):
        assert cut.candidates is net.candidates
        expected = net.candidates[net.candidates["rank"].isin(cut.edges["rank"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(cut.edges, expected)
    # A cut made by another way to the same place is the same network.
    again = small.threshold(**{name: high if large is second else low})
    pd.testing.assert_frame_equal(again.edges, large.edges)
    pd.testing.assert_frame_equal(again.nodes, large.nodes)
    pd.testing.assert_frame_equal(again.targets, large.targets)
    assert again.cut == large.cut


def test_threshold_leaves_the_network_as_it_was(make):
    net = make.network()
    before = net.nodes.copy(), net.targets.copy(), dict(net.cut), len(net.edges)
    net.threshold(selection_probability=0.01)
    pd.testing.assert_frame_equal(net.nodes, before[0])
    pd.testing.assert_frame_equal(net.targets, before[1])
    assert (net.cut, len(net.edges)) == before[2:]


@pytest.mark.parametrize(
    "cut",
    [
        {},
        {"fdr": 0.1, "expected_false_edges": 1.0},
        {"fdr": None, "expected_false_edges": None},
        {"fdr": 0.0},
        {"fdr": 1.5},
        {"fdr": float("nan")},
        {"fdr": True},
        {"fdr": "0.1"},
        {"expected_false_edges": float("inf")},
        {"expected_false_edges": -1},
        {"expected_false_edges": 0},
        {"selection_probability": 1.01},
        {"fdrr": 0.1},
        None,
    ],
)
def test_impossible_cut_is_refused(parts, cut):
    with pytest.raises(ConfigError, match="cut"):
        Network(*parts, {}, cut)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        ({"expected_false_edges": 43}, "43 false edges cannot be among 42 candidate edges: ask for fewer"),
        ({"selection_probability": 0.5}, "0.5 is not above 0.5, and rule meinshausen_buhlmann bounds nothing there"),
    ],
)
def test_a_cut_that_the_design_does_not_allow_is_refused(make, cut, message):
    net = make.network(n_pairs=42, rule="meinshausen_buhlmann", threshold=0.9)
    net.threshold(expected_false_edges=42)
    net.threshold(selection_probability=0.51)
    with pytest.raises(ConfigError, match=message):
        net.threshold(**cut)
    integrated = make.network(rule="ipss_quadratic")
    integrated.threshold(selection_probability=0.5)


def test_threshold_takes_exactly_one_criterion(make):
    net = make.network()
    with pytest.raises(ConfigError, match="exactly one"):
        net.threshold()
    with pytest.raises(ConfigError, match="exactly one"):
        net.threshold(fdr=0.1, selection_probability=0.9)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("weight", [1.0, 0.5, 0.2, 0.0], "weight is not above 0"),
        ("weight", [1.0, 0.5, 0.2, -0.1], "weight is not above 0"),
        ("weight", [np.inf, 0.5, 0.2, 0.1], "infinite"),
        ("weight", [1.0, 0.5, np.nan, 0.1], "weight, row 3 of 4: .* is missing"),
        ("weight", ["1", "2", "3", "4"], "weight, row 1 of 4: '1' is not a number"),
        ("weight", [0.1, 0.2, 0.3, 0.4], "not in rank order"),
        ("rank", [1, 2, 2, 3], "not in rank order"),
        ("rank", [0, 1, 2, 3], "rank begins below 1"),
        ("rank", [1.5, 2.0, 3.0, 4.0], "not a whole number"),
        ("sign", [1, 0, 1, 1], "sign is neither 1 nor -1"),
        ("selection_probability", [1.0, 1.1, 1.0, 1.0], "outside 0 to 1"),
        ("sign_stability", [1.0, -0.1, 1.0, 1.0], "outside 0 to 1"),
        ("partial_r2", [np.nan, 0.0, 1.0, 1.1], "outside 0 to 1"),
        ("expected_false_edges", [1.0, -0.1, 1.0, 1.0], "negative"),
        ("expected_false_edges", [1.0, np.inf, 1.0, 1.0], "infinite"),
        ("effect_low", [9.0] * 4, "effect_low is above effect_high"),
        ("direction_basis", ["guess"] * 4, "unknown word 'guess'"),
        ("model", ["m", None, "m", "m"], "model, row 2 of 4: .* is not a text"),
        ("model", ["m", 3, "m", "m"], "model, row 2 of 4: 3 is not a text"),
        ("source", ["a", "zz", "b", "b"], "'zz' -> .*source is no node"),
    ],
)
def test_broken_candidates_are_refused(parts, column, values, message):
    candidates, nodes, targets = parts
    with pytest.raises(InputError, match=message) as caught:
        Network(changed(candidates, **{column: values}), nodes, targets)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (["a", "a", "b", "b"], ["b", "c", "b", "d"], "'b' -> 'b': an edge from a gene to itself"),
        (["a", "a", "a", "b"], ["b", "c", "b", "d"], "'a' -> 'b': the pair occurs twice"),
    ],
)
def test_self_edges_and_doubled_pairs_are_refused(parts, source, target, message):
    candidates, nodes, targets = parts
    candidates = changed(candidates, source=source, target=target, weight=[4.0, 3.0, 2.0, 1.0])
    with pytest.raises(InputError, match=message):
        Network(candidates, nodes, targets)


def test_both_directions_of_a_pair_are_two_edges_only_where_directed(parts):
    candidates, nodes, targets = parts
    assert len(Network(candidates, nodes, targets).candidates) == 4  # has a -> b and b -> a
    with pytest.raises(InputError, match="the pair occurs twice"):
        Network(candidates, nodes, targets, {"directed": False})


def test_columns_must_be_exactly_those_of_the_contract(parts):
    candidates, nodes, targets = parts
    with pytest.raises(InputError, match=r"candidates: missing column q_value"):
        Network(candidates.drop(columns="q_value"), nodes, targets)
    with pytest.raises(InputError, match=r"candidates: unknown column extra"):
        Network(candidates.assign(extra=1), nodes, targets)
    with pytest.raises(InputError, match=r"a column name occurs twice"):
        Network(pd.concat([candidates, candidates["sign"]], axis=1), nodes, targets)
    with pytest.raises(InputError, match=r"nodes: missing column is_regulator"):
        Network(candidates, nodes.drop(columns="is_regulator"), targets)
    with pytest.raises(InputError, match=r"targets: missing column status"):
        Network(candidates, nodes, targets.drop(columns="status"))
    with pytest.raises(InputError, match=r"nodes: must be a pandas DataFrame, not list"):
        Network(candidates, [], targets)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is empty"),
        (" d", "blank"),
        ("d ", "blank"),
        ("d\te", "control character"),
        ("d\ne", "control character"),
        ("d\re", "control character"),
        ("d\x00", "control character"),
        ("d\x07", "control character"),
        ("d\ufffe", "control character"),
        ("d\ud800", "control character"),
    ],
)
def test_names_that_files_cannot_hold_are_refused(parts, name, message):
    candidates, nodes, targets = parts
    with pytest.raises(InputError, match=message):
        Network(candidates.iloc[:3], changed(nodes, name=pd.Series(["a", "b", "c", name], dtype=object)), targets)


def test_other_broken_nodes_and_targets_are_refused(parts):
    candidates, nodes, targets = parts
    with pytest.raises(InputError, match="name 'a' occurs twice"):
        Network(candidates, changed(nodes, name=["a", "b", "a", "d"]), targets)
    with pytest.raises(InputError, match="is_regulator, row 1 of 4"):
        Network(candidates, changed(nodes, is_regulator=[1, 1, 0, 0]), targets)
    with pytest.raises(InputError, match="expression_mean, row 4 of 4: inf is infinite"):
        Network(candidates, changed(nodes, expression_mean=[1, 2, 3, np.inf]), targets)
    with pytest.raises(InputError, match="unknown word 'fine'"):
        Network(candidates, nodes, changed(targets, status="fine"))
    with pytest.raises(InputError, match="target 'a' occurs twice"):
        Network(candidates, nodes, changed(targets, target=["a", "a", "c", "d"]))
    with pytest.raises(InputError, match="target is not in targets"):
        Network(candidates, nodes, targets[targets["target"].isin(["b", "d"])])


def test_equal_weights_must_be_ordered_by_name(parts):
    candidates, nodes, targets = parts
    tied = rank_candidates(changed(candidates, weight=0.5))
    assert list(zip(tied["source"], tied["target"], strict=True)) == sorted(PAIRS)
    Network(tied, nodes, targets)
    with pytest.raises(InputError, match="not in rank order"):
        Network(changed(tied.iloc[::-1], rank=[1, 2, 3, 4]), nodes, targets)


def test_ranks_may_have_gaps_where_candidates_were_trimmed(parts):
    candidates, nodes, targets = parts
    net = Network(candidates.iloc[[0, 2]], nodes, targets, {}, {"selection_probability": 1e-9})
    assert net.candidates["rank"].tolist() == [1, 3]


def test_frames_are_copied(parts):
    candidates, nodes, targets = parts
    net = Network(candidates, nodes, targets, {}, {"selection_probability": 1e-9})
    nodes.loc[0, "expression_mean"] = -5.0
    candidates.loc[0, "weight"] = 99.0
    assert net.nodes["expression_mean"].iloc[0] != -5.0
    assert net.candidates["weight"].iloc[0] != 99.0


@pytest.mark.parametrize("dtype", ["category", "string", "string[pyarrow]", "str", object])
def test_any_text_and_number_dtype_gives_the_same_network(make, parts, dtype):
    candidates, nodes, targets = parts
    texts = ["source", "target", "model", "direction_basis"]
    other = candidates.astype(dict.fromkeys(texts, dtype)).astype(
        {"rank": "Int32", "sign": "int8", "weight": "Float64"}
    )
    other = other.astype({"effect": "Float64"}).set_index(pd.Index(range(7, 11)))
    net = Network(candidates, nodes, targets)
    same = Network(
        other,
        nodes.astype({"name": dtype, "gene_id": dtype, "is_regulator": "boolean"}),
        targets.astype({"target": dtype, "status": dtype, "reason": dtype, "n_units": "uint16"}),
    )
    pd.testing.assert_frame_equal(net.candidates, same.candidates)
    pd.testing.assert_frame_equal(net.nodes, same.nodes)
    pd.testing.assert_frame_equal(net.targets, same.targets)
    assert {type(value) for value in same.candidates["source"]} == {str}


def test_missing_identifier_and_nullable_effect(parts):
    candidates, nodes, targets = parts
    net = Network(
        changed(candidates, effect=pd.array([1.0, None, 2.0, None], dtype="Float64"), effect_low=-9.0, effect_high=9.0),
        changed(nodes, gene_id=["b1", None, np.nan, "b4"]),
        targets,
    )
    assert net.nodes["gene_id"].tolist() == ["b1", "", "", "b4"]
    assert net.candidates["effect"].isna().tolist() == [False, True, False, True]


def test_negative_zero_becomes_zero(parts):
    candidates, nodes, targets = parts
    net = Network(changed(candidates, effect=-0.0, effect_low=-0.0, effect_high=0.0), nodes, targets)
    assert not np.signbit(net.candidates[["effect", "effect_low"]].to_numpy()).any()


def test_exploratory_keeps_the_strongest_of_each_target(make):
    net = make.network()
    table = net.exploratory(per_target=2)
    assert table["target"].value_counts().max() == 2
    for target, group in net.candidates.groupby("target"):
        assert table.loc[table["target"] == target, "rank"].tolist() == group["rank"].head(2).tolist()
    assert table["rank"].is_monotonic_increasing
    assert set(table["error_control"]) == {"none"}
    assert len(net.exploratory(max_edges=7)) == 7
    assert net.exploratory(max_edges=0).empty
    assert len(net.exploratory()) <= 3 * len(net.nodes)
    with pytest.raises(ConfigError, match="per_target 0"):
        net.exploratory(per_target=0)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_smallest_networks(make, n, tmp_path):
    names = ["a", "b"][:n]
    net = Network(make.candidates([]), make.nodes(names, 1), make.targets(names), {"n_units": 3})
    assert net.edges.empty
    assert not net.cut["met"]
    assert "no pair has a weight" in net.cut["reason"]
    assert net.exploratory().empty
    assert net.to_networkx().number_of_nodes() == n
    assert isinstance(net._repr_html_(), str)
    net.write(tmp_path)
    again = Network.read(tmp_path)
    pd.testing.assert_frame_equal(again.nodes, net.nodes)
    assert again.cut == net.cut


def test_provenance_is_json_and_a_copy(parts):
    given_ = {"seed": np.int64(3), "sizes": (1, 2), "array": np.arange(2.0), "none": None}
    net = Network(*parts, given_)
    given_["seed"] = 4
    assert net.provenance == {"seed": 3, "sizes": [1, 2], "array": [0.0, 1.0], "none": None}
    for bad in (float("nan"), float("inf"), object(), "\ud800"):
        with pytest.raises(InputError, match="provenance: cannot be written as JSON"):
            Network(*parts, {"value": bad})


def test_repr_html_is_escaped_and_says_what_the_number_counts(make):
    net = make.network(
        make.hostile, n_regulators=6, cut={"selection_probability": 0.02}, dataset="<script>alert(1)</script>"
    )
    html = net._repr_html_()
    assert "<script" not in html
    assert "<x>" not in html
    assert "&lt;x&gt;" in html
    assert EXPECTED_FALSE_EDGES_NOTE in html
    assert "Network(" in repr(net)


def test_titles(make):
    assert make.network().title == "demo_elastic_net"
    assert make.network(model="lasso").title == "demo_lasso"
    assert make.network(dataset=None, model="").title == "network"


def test_import_is_light():
    code = (
        "import sys, netinfer.network, netinfer.io.graphml;"
        "heavy = {'anndata', 'networkx', 'matplotlib', 'snakemake', 'sklearn', 'netinfer.solvers'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
