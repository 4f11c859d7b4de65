"""Operons and neighbours on the genome: columns, shares, pairs left out, and every file with and without them."""

from __future__ import annotations

import logging

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinfer.errors import InputError
from netinfer.io.annotation import COLUMNS
from netinfer.io.columns import EDGES, NEIGHBOURS
from netinfer.network import Network, neighbours
from netinfer.network.cut import q_values
from netinfer.network.places import is_compact, locate, predict_operons
from netinfer.stability import rules


def annotation(rows: list[tuple], circular: bool = False, **aliases: list[str]) -> pd.DataFrame:
    """Make an annotation of (gene, contig, start, end, strand, operon)."""
    frame = pd.DataFrame(rows, columns=["key", "contig", "start", "end", "strand", "operon"]).set_index("key")
    frame["is_circular"] = circular
    return frame.assign(**aliases).reindex(columns=list(COLUMNS), fill_value="")


def chain(names: list[str], operon_of: dict[str, str] | None = None, **options) -> pd.DataFrame:
    """Genes of 100 bp, 100 bp apart, in the order given."""
    operon = operon_of or {}
    rows = [(name, "c", 1 + 200 * i, 100 + 200 * i, "+", operon.get(name, "")) for i, name in enumerate(names)]
    return annotation(rows, **options)


def pairs(*text: str) -> pd.DataFrame:
    return pd.DataFrame([pair.split(">") for pair in text], columns=["source", "target"])


def test_operon_and_distance_of_pairs():
    known = chain(list("abcdef"), {"a": "op1", "b": "op1", "d": "op2"})
    known.loc["f", "contig"] = "plasmid"
    table = neighbours.add_neighbours(pairs("a>b", "b>a", "a>e", "d>e", "a>f", "a>x", "x>y"), known, list("abcdef"))
    assert table["same_operon"].tolist() == [True, True, False, False, False, False, False]
    assert table["gene_distance"].dtype == "Int64"
    assert [None if value is pd.NA else value for value in table["gene_distance"]] == [1, 1, 4, 1, None, None, None]


def test_ring_is_closed_only_where_the_annotation_says_so():
    names = [f"g{i}" for i in range(10)]
    table = pairs("g0>g9", "g1>g8", "g0>g5", "g2>g4")
    steps = {
        ring: neighbours.add_neighbours(table, chain(names, circular=ring), names)["gene_distance"].tolist()
        for ring in (False, True)
    }
    assert steps == {False: [9, 7, 5, 2], True: [1, 3, 5, 2]}
    assert "ring-shaped contigs are closed" in locate(chain(names, circular=True), names).sentence


def test_operon_of_one_name_on_two_contigs_is_two():
    known = chain(list("ab"), {"a": "1", "b": "1"})
    known.loc["b", "contig"] = "plasmid"
    assert not neighbours.add_neighbours(pairs("a>b"), known)["same_operon"].any()


def test_operons_without_places():
    known = annotation([("a", "", 0, 0, ".", "op"), ("b", "", 0, 0, ".", "op"), ("c", "", 0, 0, ".", "")])
    table = neighbours.add_neighbours(pairs("a>b", "a>c"), known)
    assert table["same_operon"].tolist() == [True, False]
    assert table["gene_distance"].isna().all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), ring=st.booleans())
def test_distance_is_that_of_counting_by_hand(seed, ring):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    names = [f"g{i}" for i in range(n)]
    start = rng.permutation(1000)[:n] + 1
    contig = rng.choice(["p", "q", ""], n)
    operon = rng.choice(["", "o1", "o2"], n)
    known = annotation(
        [(g, c, int(s), int(s) + 5, "+", o) for g, c, s, o in zip(names, contig, start, operon, strict=True)],
        circular=ring,
    )
    table = pairs(*[f"{a}>{b}" for a in names for b in names if a != b])
    if not len(table):
        return
    found = neighbours.add_neighbours(table, known, names).set_index(["source", "target"])
    for (a, b), row in found.iterrows():
        i, j = int(a[1:]), int(b[1:])
        assert row["same_operon"] == (operon[i] == operon[j] != "" and contig[i] == contig[j])
        if contig[i] != contig[j] or contig[i] == "":
            assert row["gene_distance"] is pd.NA
            continue
        on_it = sorted(s for s, c in zip(start, contig, strict=True) if c == contig[i])
        steps = abs(on_it.index(start[i]) - on_it.index(start[j]))
        assert row["gene_distance"] == (min(steps, len(on_it) - steps) if ring else steps)


# ---- ids ----------------------------------------------------------------------------------------------------------


def test_best_matching_ids_are_used_and_named():
    known = chain(["b1", "b2", "b3", "b4"], symbol=["a", "b", "c", "a"], locus_tag=["L1", "L2", "L3", "L4"])
    assert locate(known, ["b1", "b2", "b3"]).matched == "gene id"
    assert locate(known, ["L4", "L2", "x"]).matched == "locus_tag"
    by_symbol = locate(known, ["a", "b", "c"])
    assert by_symbol.matched == "symbol"
    # `a` stands for two genes, so that its place is not known.
    assert by_symbol.is_found.tolist() == [False, True, True]
    assert by_symbol.sentence.startswith("annotation: 2 of 3 genes found by symbol among its 4 genes")
    both = locate(known, {"name": ["x", "y", "z"], "gene_id": ["L1", "L2", "L3"]})
    assert both.matched == "gene_id against locus_tag"
    assert list(both.genes) == ["x", "y", "z"]
    assert both.is_found.all()


def test_versions_and_case_only_where_the_ids_as_they_are_fail():
    known = chain(["ENSG1.5", "ENSG2.3", "ENSG3.1"])
    assert locate(known, ["ENSG1", "ENSG2.9", "ENSG3"]).matched == "gene id without version suffixes"
    assert locate(known, ["ensg1", "ensg2", "x"]).matched == "gene id without regard to case"
    mixed = locate(known, ["ENSG1.5", "ENSG2.3", "ensg3"])
    assert mixed.matched == "gene id"
    assert mixed.is_found.tolist() == [True, True, False]


def test_ids_that_do_not_match_are_refused_with_five_of_each_side():
    known = chain([f"b{i}" for i in range(9)], symbol=[f"s{i}" for i in range(9)])
    with pytest.raises(InputError, match="only 1 of the data's 9 genes are in it") as caught:
        locate(known, ["b0", *(f"gene{i}" for i in range(8))])
    for name in ("'b0'", "'gene3'", "and 4 more", "gene id 'b0', 'b1', 'b2', 'b3', 'b4'", "symbol 's0'"):
        assert name in str(caught.value)
    assert "'b5'" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert locate(known, ["b0", "b1", "x", "y"]).is_found.sum() == 2  # half is enough


# ---- predicted operons -----------------------------------------------------------------------------------------------


def test_plain_rule_joins_close_neighbours_of_one_strand():
    known = annotation(
        [
            ("a", "c", 1, 100, "+", ""), ("b", "c", 150, 300, "+", ""), ("c", "c", 290, 400, "+", ""),
            ("d", "c", 451, 500, "+", ""), ("e", "c", 510, 600, "-", ""), ("f", "c", 610, 700, "-", ""),
            ("g", "p", 710, 800, "-", ""), ("h", "p", 805, 900, ".", ""), ("i", "", 0, 0, ".", ""),
            ("j", "", 0, 0, ".", ""),
        ]
    )  # fmt: skip
    operon = predict_operons(known)
    # Gap a-b 49 bp, b-c overlap, c-d 50 bp: not below it; d-e other strand; f-g other contig; h has no strand.
    assert operon.to_dict() == {
        **dict.fromkeys("abc", "predicted:a"), "d": "", **dict.fromkeys("ef", "predicted:e"),
        "g": "", "h": "", "i": "", "j": "",
    }  # fmt: skip
    shuffled = known.iloc[[3, 9, 2, 0, 7, 1, 4, 6, 5, 8]]
    groups = predict_operons(shuffled)
    assert len(set(groups[list("abc")])) == 1
    assert (groups[list("dghij")] == "").all()
    assert predict_operons(known, max_gap=51)["d"] == "predicted:a"


def test_operons_are_predicted_only_where_none_is_given_and_genes_stand_close():
    rows = [(f"g{i}", "c", 1 + 110 * i, 100 + 110 * i, "+", "") for i in range(6)]
    close, names = annotation(rows), [f"g{i}" for i in range(6)]
    assert is_compact(close)
    assert locate(close, names).operons == "predicted"
    assert "operons predicted (same strand, gaps below 50 bp)" in locate(close, names).sentence
    assert locate(close, names, operons="given").operons == "none"
    with_one = close.assign(operon=["x", "x", "", "", "", ""])
    assert locate(with_one, names).operons == "given"
    assert locate(with_one, names, operons="predicted").operons == "predicted"
    wide = close.assign(start=close["start"] * 50, end=close["start"] * 50 + 99)
    assert not is_compact(wide)
    assert locate(wide, names).operons == "none"
    assert not is_compact(close.assign(strand="."))
    with pytest.raises(InputError, match="operons: 'all' is none of"):
        locate(close, names, operons="all")


# ---- networks --------------------------------------------------------------------------------------------------------


@pytest.fixture
def net(make) -> Network:
    return make.network(cut={"fdr": 0.9})


@pytest.fixture
def known(net) -> pd.DataFrame:
    names = net.nodes["name"].tolist()
    return chain(names[:18], {name: f"op{i // 3}" for i, name in enumerate(names)})


def test_annotated_network_has_the_columns_and_the_same_numbers(net, known, caplog):
    with caplog.at_level(logging.INFO):
        marked = neighbours.annotate(net, known)
    assert "18 of 20 genes found by gene id" in caplog.text
    assert not neighbours.is_annotated(net)
    assert neighbours.is_annotated(marked)
    assert list(marked.candidates.columns) == [column.name for column in (*EDGES, *NEIGHBOURS)]
    pd.testing.assert_frame_equal(marked.candidates[list(net.candidates.columns)], net.candidates)
    assert marked.cut == net.cut
    note = marked.provenance["neighbours"]
    assert (note["n_genes"], note["n_found"], note["operons"], note["n_left_out"]) == (20, 18, "given", 0)
    assert not note["is_wrapped"]
    row = marked.candidates.set_index(["source", "target"]).loc[("gene00", "gene02")]
    assert row["same_operon"]
    assert row["gene_distance"] == 2
    again = neighbours.annotate(marked, known.assign(operon=""), operons="given")
    assert not again.candidates["same_operon"].any()
    assert list(again.candidates.columns) == list(marked.candidates.columns)
    moved = marked.threshold(selection_probability=0.4)
    assert "same_operon" in moved.edges
    assert "same_operon" in moved.exploratory(per_target=1)


@pytest.mark.parametrize("exclude", [False, True])
def test_annotated_network_is_written_and_read_back_exactly(net, known, exclude, tmp_path):
    marked = neighbours.annotate(net, known, exclude_same_operon=exclude).threshold(selection_probability=0.3)
    marked.write(tmp_path)
    again = Network.read(tmp_path)
    for frame in ("candidates", "edges", "nodes", "targets"):
        pd.testing.assert_frame_equal(getattr(again, frame), getattr(marked, frame), check_exact=True)
    assert again.provenance == marked.provenance
    header, *lines = (tmp_path / "edges.tsv").read_text().splitlines()
    assert header.split("\t")[-2:] == ["same_operon", "gene_distance"]
    written = [tuple(line.split("\t")[-2:]) for line in lines]
    assert written == [
        ("true" if same else "false", "" if steps is pd.NA else str(steps))
        for same, steps in zip(marked.edges["same_operon"], marked.edges["gene_distance"], strict=True)
    ]
    assert "" in {steps for _, steps in written}
    graph = nx.read_graphml(tmp_path / "network.graphml")
    by_rank = {data["rank"]: data for *_, data in graph.edges(data=True)}
    columns = (marked.edges[name] for name in ("rank", "same_operon", "gene_distance"))
    for rank, same, steps in zip(*columns, strict=True):
        assert by_rank[rank]["same_operon"] is same
        assert by_rank[rank].get("gene_distance") == (None if steps is pd.NA else steps)
    data = marked.to_networkx().edges[tuple(marked.edges.loc[0, ["source", "target"]])]
    assert type(data["same_operon"]) is bool


def test_exploratory_files_have_the_columns(net, known, tmp_path):
    neighbours.annotate(net, known).threshold(fdr=1e-9).write(tmp_path)
    header = (tmp_path / "exploratory.tsv").read_text().splitlines()[0].split("\t")
    assert header[-3:] == ["same_operon", "gene_distance", "error_control"]
    graph = nx.read_graphml(tmp_path / "exploratory.graphml")
    assert all({"same_operon", "error_control"} <= set(data) for *_, data in graph.edges(data=True))
    assert Network.read(tmp_path).edges.empty


def test_anndata_holds_the_columns(net, known, tmp_path):
    import anndata as ad

    marked = neighbours.annotate(net, known)
    names = marked.nodes["name"].tolist()
    adata = ad.AnnData(np.ones((3, len(names))), var=pd.DataFrame(index=pd.Index(names, dtype=object)))
    marked.to_anndata(adata).write_h5ad(tmp_path / "a.h5ad")
    edges = ad.read_h5ad(tmp_path / "a.h5ad").uns["netinfer"]["edges"]
    assert edges["same_operon"].tolist() == marked.edges["same_operon"].tolist()
    assert edges["gene_distance"].astype("Int64").tolist() == marked.edges["gene_distance"].tolist()


def test_one_of_the_two_columns_or_an_impossible_distance_is_refused(net, known):
    marked = neighbours.annotate(net, known)

    def remade(candidates):
        return Network(candidates, net.nodes, net.targets)

    with pytest.raises(InputError, match="missing column gene_distance"):
        remade(marked.candidates.drop(columns="gene_distance"))
    with pytest.raises(InputError, match="gene_distance is below 1"):
        remade(marked.candidates.assign(gene_distance=0))
    with pytest.raises(InputError, match=r"1\.5 is not a whole number"):
        remade(marked.candidates.assign(gene_distance=1.5))
    with pytest.raises(InputError, match="is neither true nor false"):
        remade(marked.candidates.assign(same_operon=1))
    assert remade(marked.candidates.assign(gene_distance=np.nan)).candidates["gene_distance"].isna().all()


def test_pairs_within_operons_are_left_out(net, known):
    marked = neighbours.annotate(net, known)
    rest = neighbours.annotate(net, known, exclude_same_operon=True)
    within = marked.candidates["same_operon"]
    assert 0 < within.sum() < len(marked.candidates)
    left = marked.candidates[~within].reset_index(drop=True)
    assert not rest.candidates["same_operon"].any()
    assert rest.candidates["rank"].tolist() == list(range(1, len(left) + 1))
    unchanged = [name for name in left.columns if name not in {"rank", "q_value"}]
    pd.testing.assert_frame_equal(rest.candidates[unchanged], left[unchanged])
    # Fewer edges below the same bound: the estimated share of false ones cannot fall.
    q_before, q_after = left["q_value"], rest.candidates["q_value"]
    assert (q_after.isna() == q_before.isna()).all()
    known_q = q_before.notna()
    assert (q_after[known_q] >= q_before[known_q]).all()
    bounds = left["expected_false_edges"].fillna(np.inf).to_numpy()
    np.testing.assert_array_equal(q_after, rules.q_values(bounds))
    assert rest.provenance["neighbours"]["n_left_out"] == within.sum()
    assert f"{within.sum()} pairs within an operon left out" in rest.provenance["neighbours"]["note"]
    counts = rest.candidates["target"].value_counts()
    assert rest.targets.set_index("target")["n_candidates"].to_dict() == {
        name: counts.get(name, 0) for name in rest.targets["target"]
    }
    twice = neighbours.annotate(rest, known, exclude_same_operon=True)
    pd.testing.assert_frame_equal(twice.candidates, rest.candidates)
    assert twice.provenance["neighbours"]["n_left_out"] == within.sum()


def test_leaving_pairs_out_needs_operons(net, known):
    with pytest.raises(InputError, match="exclude_same_operon is set, but no operon is known"):
        neighbours.annotate(net, known.assign(operon="", start=known["start"] * 50), exclude_same_operon=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.floats(0, 50), st.just(np.nan), st.integers(0, 3).map(float)), max_size=30))
def test_q_values_are_those_of_the_rules(values):
    bounds = np.array(values, dtype=float)
    expected = rules.q_values(np.where(np.isnan(bounds), np.inf, bounds))
    np.testing.assert_array_equal(q_values(bounds), expected)


# ---- shares ----------------------------------------------------------------------------------------------------------


def test_shares_are_those_of_counting_by_hand(net, known):
    marked = neighbours.annotate(net, known)
    table = neighbours.neighbour_shares(marked).set_index("pairs")
    assert list(table.index) == ["network", "all possible pairs"]  # 95 candidates: no top 100
    edges = marked.edges
    assert table.loc["network", "n_pairs"] == len(edges) > 0
    assert table.loc["network", "same_operon"] == edges["same_operon"].mean()
    near = [steps is not pd.NA and steps <= 3 for steps in edges["gene_distance"]]
    assert table.loc["network", "within_3_genes"] == np.mean(near)
    assert table.loc["network", "n_placed"] == edges["gene_distance"].notna().sum()
    # All pairs of 5 regulators and the other genes whose status is ok (every fifth is constant).
    nodes = marked.nodes["name"].tolist()
    fitted = marked.targets.loc[marked.targets["status"] == "ok", "target"]
    every = pairs(*[f"{a}>{b}" for a in nodes[:5] for b in fitted if a != b])
    every = neighbours.add_neighbours(every, known, nodes)
    assert table.loc["all possible pairs", "n_pairs"] == len(every)
    assert table.loc["all possible pairs", "n_placed"] == every["gene_distance"].notna().sum()
    assert table.loc["all possible pairs", "same_operon"] == every["same_operon"].mean()
    assert table.loc["all possible pairs", "within_3_genes"] == (every["gene_distance"] <= 3).sum() / len(every)


def test_shares_of_the_top_and_of_an_empty_network(make):
    names = [f"g{i:02d}" for i in range(30)]
    net = neighbours.annotate(make.network(names, n_regulators=5, cut={"fdr": 1e-9}), chain(names), operons="given")
    table = neighbours.neighbour_shares(net).set_index("pairs")
    assert list(table.index) == ["top 100", "network", "all possible pairs"]
    assert table.loc["top 100", "n_pairs"] == 100
    assert table.loc["top 100", "within_3_genes"] == (net.candidates["gene_distance"].head(100) <= 3).mean() > 0
    assert table.loc["network", "n_pairs"] == 0
    assert np.isnan(table.loc["network", "same_operon"])
    with pytest.raises(InputError, match="no annotation"):
        neighbours.neighbour_shares(make.network())


def test_shares_of_an_undirected_network_count_each_pair_once(make):
    names = [f"g{i}" for i in range(6)]
    every = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    targets = make.targets(names).assign(status="ok", reason="")
    net = Network(make.candidates(every), make.nodes(names, 6), targets, {"directed": False}, {"fdr": 0.5})
    table = neighbours.neighbour_shares(neighbours.annotate(net, chain(names))).set_index("pairs")
    assert table.loc["all possible pairs", "n_pairs"] == 15
    assert table.loc["all possible pairs", "within_3_genes"] == 12 / 15  # all but 4 and 5 steps apart: 2 + 1 pairs
