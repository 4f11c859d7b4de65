from __future__ import annotations

import itertools
import sys
from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import netinfer
from netinfer import scoring
from netinfer.errors import InputError
from netinfer.evaluate import evaluate, precision_recall


def pairs(n_sources, n_targets, *, seed, n_edges, signed=False):
    """Return a complete gold standard of sources r0.. times targets g0.. with random edges."""
    rng = np.random.default_rng(seed)
    gold = pd.DataFrame(
        list(itertools.product([f"r{i}" for i in range(n_sources)], [f"g{i}" for i in range(n_targets)])),
        columns=["source", "target"],
    )
    gold["is_edge"] = False
    gold.loc[rng.choice(len(gold), n_edges, replace=False), "is_edge"] = True
    if signed:
        gold["sign"] = np.where(gold["is_edge"], rng.choice([-1, 1], len(gold)), 0)
    return gold


def values(table, column="value"):
    return table.set_index("metric")[column]


def network(candidates, edges):
    return SimpleNamespace(candidates=candidates, edges=edges)


def test_agrees_with_scikit_learn_without_ties():
    gold = pairs(8, 30, seed=1, n_edges=40)
    weight = np.random.default_rng(2).permutation(len(gold)) + 1.0 + 50 * gold["is_edge"]
    weight = weight.rank(method="first")
    got = values(evaluate(gold.assign(weight=weight), gold, n_bootstrap=0))
    assert got["average_precision"] == pytest.approx(
        metrics.average_precision_score(gold["is_edge"], weight), rel=1e-12
    )
    assert got["auroc"] == pytest.approx(metrics.roc_auc_score(gold["is_edge"], weight), rel=1e-12)
    top = weight.nlargest(40).index
    assert got["early_precision"] == pytest.approx(gold.loc[top, "is_edge"].mean())
    assert got["early_precision_ratio"] == pytest.approx(gold.loc[top, "is_edge"].mean() / (40 / 240))
    assert got["base_rate"] == 40 / 240
    assert got[["n_pairs", "n_positives", "n_candidates_scored"]].tolist() == [240, 40, 240]


def trapezoid(order):
    """DREAM5's area for one order of pairs, the first pair's recall taken out of the range."""
    found = np.cumsum(order)
    precision, recall = found / np.arange(1, len(order) + 1), found / found[-1]
    return 1.0 if recall[0] == 1 else np.trapezoid(precision, recall) / (1 - recall[0])


@pytest.mark.parametrize("scores", [[2, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1], [3, 3, 2, 2, 2, 1], [6, 5, 4, 3, 2, 1]])
@pytest.mark.parametrize("edges", [[0, 1, 0, 1, 0, 1], [1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 0]])
def test_ties_are_the_mean_over_all_their_orders(scores, edges):
    gold = pairs(1, 6, seed=0, n_edges=1).assign(is_edge=np.array(edges, dtype=bool))
    got = values(evaluate(gold.assign(weight=scores), gold, n_bootstrap=0))
    precision, area, auroc, early = [], [], [], []
    k = sum(edges)
    for order in itertools.permutations(range(6)):
        if any(scores[a] < scores[b] for a, b in itertools.pairwise(order)):
            continue
        hit = np.array(edges)[list(order)]
        precision.append((np.cumsum(hit) / np.arange(1, 7))[hit == 1].mean())
        area.append(trapezoid(hit))
        auroc.append(metrics.roc_auc_score(hit, -np.arange(6)))
        early.append(hit[:k].mean())
    assert got["average_precision"] == pytest.approx(np.mean(precision), rel=1e-12)
    assert got["aupr"] == pytest.approx(np.mean(area), rel=1e-12)
    assert got["auroc"] == pytest.approx(np.mean(auroc), abs=1e-12)
    assert got["early_precision"] == pytest.approx(np.mean(early), rel=1e-12)


def test_unlisted_pairs_are_one_block_below_the_listed():
    gold = pairs(5, 20, seed=3, n_edges=15)
    weight = np.random.default_rng(4).random(len(gold)) + 0.1
    listed = weight > 0.6
    short = values(evaluate(gold.assign(weight=weight)[listed], gold, n_bootstrap=0))
    padded = values(evaluate(gold.assign(weight=np.where(listed, weight, 0.0)), gold, n_bootstrap=0))
    same = ["aupr", "average_precision", "auroc", "early_precision"]
    pd.testing.assert_series_equal(short[same], padded[same])
    assert short["n_candidates_scored"] == listed.sum()


def test_a_network_without_candidates_scores_as_a_random_order():
    gold = pairs(5, 20, seed=3, n_edges=15)
    none = gold.assign(weight=1.0).iloc[:0]
    got = values(evaluate(none, gold))
    assert got["auroc"] == 0.5
    assert got["early_precision"] == pytest.approx(0.15)
    assert got["early_precision_ratio"] == pytest.approx(1.0)
    assert np.isnan(got["mcc"])
    assert np.isnan(got["precision_at_cut"])
    assert got["recall_at_cut"] == 0


def test_order_of_rows_does_not_matter():
    gold = pairs(5, 20, seed=5, n_edges=15, signed=True)
    table = gold.assign(weight=np.random.default_rng(6).integers(0, 4, len(gold)), sign=1)
    mixed = table.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(evaluate(table, gold), evaluate(mixed, gold.sample(frac=1, random_state=1)))


def test_measures_at_the_cut():
    gold = pairs(6, 20, seed=7, n_edges=20, signed=True)
    rng = np.random.default_rng(8)
    candidates = gold.assign(weight=rng.random(len(gold)) + gold["is_edge"], sign=rng.choice([-1, 1], len(gold)))
    edges = candidates.nlargest(25, "weight")
    got = values(evaluate(network(candidates, edges), gold, n_bootstrap=0))
    chosen = candidates.index.isin(edges.index)
    assert got["mcc"] == pytest.approx(metrics.matthews_corrcoef(gold["is_edge"], chosen), rel=1e-12)
    assert got["precision_at_cut"] == pytest.approx(metrics.precision_score(gold["is_edge"], chosen))
    assert got["recall_at_cut"] == pytest.approx(metrics.recall_score(gold["is_edge"], chosen))
    right = (candidates["sign"] == gold["sign"])[chosen & gold["is_edge"]]
    assert got["signed_accuracy"] == pytest.approx(right.mean())
    assert got["n_edges_scored"] == 25


def test_edges_alone_stand_for_all_sources_times_targets():
    gold = pd.DataFrame({"source": ["a", "a", "b"], "target": ["b", "c", "c"], "is_edge": True})
    table = pd.DataFrame({"source": ["a"], "target": ["c"], "weight": [1.0]})
    got = values(evaluate(table, gold, n_bootstrap=0))
    assert got["n_pairs"] == 3  # a->b, a->c, b->c; b->b is left out
    assert got["n_positives"] == 3
    assert np.isnan(got["auroc"])
    with_negative = values(evaluate(table, pd.concat([gold, pd.DataFrame([["d", "c", True]], columns=gold.columns)])))
    assert with_negative["n_pairs"] == 5  # and d->b, d->c
    assert with_negative["n_positives"] == 4


def test_names_may_be_numbers_or_categories():
    gold = pairs(3, 5, seed=1, n_edges=4)
    table = gold.assign(weight=np.arange(15.0))
    expected = evaluate(table, gold)
    categories = {"source": "category", "target": "category"}
    pd.testing.assert_frame_equal(evaluate(table.astype(categories), gold.astype(categories)), expected)
    number = {name: at for at, name in enumerate([*["r0", "r1", "r2", "g0", "g1", "g2", "g3", "g4"]])}
    as_numbers = [f.assign(source=f["source"].map(number), target=f["target"].map(number)) for f in (table, gold)]
    pd.testing.assert_frame_equal(evaluate(*as_numbers, n_bootstrap=0), evaluate(table, gold, n_bootstrap=0))


def test_self_pairs_are_left_out():
    gold = pairs(3, 5, seed=1, n_edges=4)
    own = pd.DataFrame({"source": ["r0"], "target": ["r0"], "is_edge": [True]})
    table = gold.assign(weight=np.arange(15.0))
    pd.testing.assert_frame_equal(evaluate(table, gold), evaluate(table, pd.concat([gold, own])))


def expression(gold, n_samples=40, seed=0):
    names = sorted(set(gold["source"]) | set(gold["target"]))
    X = np.random.default_rng(seed).normal(size=(n_samples, len(names)))
    return anndata.AnnData(X, var=pd.DataFrame(index=names))


def test_baseline_is_absolute_pearson_on_the_same_pairs():
    gold = pairs(4, 12, seed=9, n_edges=10)
    adata = expression(gold)
    corr = np.abs(np.corrcoef(adata.X.T))
    at = adata.var_names.get_indexer
    score = corr[at(gold["source"]), at(gold["target"])]
    table = gold.assign(weight=np.arange(48.0))
    got = values(evaluate(table, gold, baseline=adata, n_bootstrap=0), "baseline")
    assert got["average_precision"] == pytest.approx(metrics.average_precision_score(gold["is_edge"], score))
    assert got["auroc"] == pytest.approx(metrics.roc_auc_score(gold["is_edge"], score))
    as_table = evaluate(table, gold, baseline=gold.assign(weight=score), n_bootstrap=0)
    assert values(as_table, "baseline")["average_precision"] == pytest.approx(got["average_precision"])


def test_baseline_takes_sparse_expression_and_leaves_out_constant_and_absent_genes():
    import scipy.sparse

    gold = pairs(4, 12, seed=9, n_edges=10)
    adata = expression(gold)
    adata.X[:, 3] = 2.5
    adata = adata[:, [name for name in adata.var_names if name != "g5"]].copy()
    sparse = adata.copy()
    sparse.X = scipy.sparse.csr_matrix(adata.X)
    table = gold.assign(weight=1.0)
    dense = evaluate(table, gold, baseline=adata, n_bootstrap=0)
    pd.testing.assert_frame_equal(dense, evaluate(table, gold, baseline=sparse, n_bootstrap=0))
    assert values(dense, "baseline")["n_candidates_scored"] == 48 - 4 - 4  # g5, and the constant column


def test_bootstrap_is_seeded_and_covers_the_value():
    gold = pairs(10, 60, seed=10, n_edges=60)
    table = gold.assign(weight=np.random.default_rng(1).random(600) + 0.5 * gold["is_edge"])
    first, again = evaluate(table, gold, seed=1), evaluate(table, gold, seed=1)
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(evaluate(table, gold, seed=2))
    row = first.set_index("metric").loc["aupr"]
    assert row["low"] < row["value"] < row["high"]
    assert np.isnan(first.set_index("metric").loc["n_pairs", "low"])


def test_weighting_a_target_twice_is_repeating_its_pairs():
    gold = pairs(4, 6, seed=11, n_edges=9)
    table = gold.assign(weight=np.random.default_rng(2).integers(1, 5, 24).astype(float))
    universe = scoring.Universe.from_gold(gold)
    scorer = scoring.Scorer(scoring.rank(universe, table, "network"), universe)
    times = np.array([2, 1, 0, 1, 3, 1])
    copies = [
        table[table["target"] == name].assign(target=f"{name}_{copy}")
        for name, n in zip(universe.targets, times, strict=True)
        for copy in range(n)
    ]
    repeated = pd.concat(copies, ignore_index=True)
    expected = values(evaluate(repeated, repeated, n_bootstrap=0))
    got = pd.Series(scorer.score(times))
    for name in ("aupr", "average_precision", "auroc", "early_precision", "base_rate", "n_pairs"):
        assert got[name] == pytest.approx(expected[name], rel=1e-12), name


def test_a_million_pairs_with_many_ties_are_exact():
    rng = np.random.default_rng(12)
    n = 1_000_000
    keys = np.arange(n)
    score = rng.permutation(n).astype(float)
    is_edge = rng.random(n) < 0.01
    order = np.argsort(-score)
    hit = is_edge[order]
    blocks = (np.flatnonzero(hit), np.ones(hit.sum(), int), np.ones(hit.sum(), int), np.arange(hit.sum()))
    from netinfer.scoring.measures import average_precision

    exact = ((np.cumsum(hit) / (keys + 1))[hit]).sum()
    assert average_precision(*blocks) == pytest.approx(exact, rel=1e-12)
    # Pairs of ties two by two: the closed sum against the explicit one.
    starts = 2 * np.flatnonzero(hit.reshape(-1, 2).any(axis=1))
    e = hit.reshape(-1, 2).sum(axis=1)[starts // 2]
    before = np.cumsum(e) - e
    explicit = (e / 2 * ((before + 1) / (starts + 1) + (before + 1 + (e - 1)) / (starts + 2))).sum()
    assert average_precision(starts, np.full(e.size, 2), e, before) == pytest.approx(explicit, rel=1e-11)


def test_precision_recall_curve_ends_at_the_base_rate_and_is_thinned():
    gold = pairs(10, 60, seed=13, n_edges=300)
    table = gold.assign(weight=np.random.default_rng(3).random(600))[:500]
    curve = precision_recall(table, gold, baseline=expression(gold), max_points=50)
    assert curve["method"].unique().tolist() == ["network", "|Pearson|"]
    for _, part in curve.groupby("method"):
        assert len(part) <= 52
        assert part["recall"].is_monotonic_increasing
        assert part[["recall", "precision"]].iloc[-1].tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("e.tsv", "source\ttarget\tweight\nNA\tnan\t0.5\nr1\tg1\t0.25\n"),
        ("e.csv", "TF,target,importance\nNA,nan,0.5\nr1,g1,0.25\n"),
        ("e.txt", "NA\tnan\t0.5\nr1\tg1\t0.25\n"),
        ("e2.tsv", "Gene1\tGene2\tEdgeWeight\textra\nNA\tnan\t0.5\tx\nr1\tg1\t0.25\ty\n"),
    ],
)
def test_reads_edge_tables_of_several_tools_and_genes_called_na(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    table = scoring.read_edges(path)
    assert table[["source", "target", "weight"]].to_numpy().tolist() == [["NA", "nan", 0.5], ["r1", "g1", 0.25]]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"source": ["r0"], "target": ["g0"], "weight": [-0.5]}), "missing or negative"),
        (pd.DataFrame({"source": ["r0"], "target": ["g0"], "weight": [np.nan]}), "missing or negative"),
        (pd.DataFrame({"source": ["r0", "r0"], "target": ["g0", "g0"], "weight": [1, 2]}), "more than once"),
        (pd.DataFrame({"source": ["r0"], "target": ["g0"]}), "column weight is missing"),
        ("no/such/file.tsv", "no such file"),
        (17, "is needed"),
    ],
)
def test_wrong_networks_are_refused(table, message):
    with pytest.raises(InputError, match=message):
        evaluate(table, pairs(2, 3, seed=0, n_edges=2))


@pytest.mark.parametrize(
    ("gold", "message"),
    [
        (pairs(2, 3, seed=0, n_edges=1).assign(is_edge=False), "no edge"),
        (pd.DataFrame({"source": ["a", "a"], "target": ["b", "b"], "is_edge": [True, False]}), "listed twice"),
        (pd.DataFrame({"regulator": ["a"]}), "source, target and is_edge"),
        (pd.DataFrame({"source": ["a"], "target": ["b"], "is_edge": ["yes"]}), "is_edge is 'yes'"),
        (pd.DataFrame({"source": ["a"], "target": ["b"], "is_edge": [np.nan]}), "is_edge is 'nan'"),
        (pd.DataFrame({"source": ["a"], "target": [None], "is_edge": [True]}), "is missing"),
    ],
)
def test_wrong_gold_standards_are_refused(gold, message):
    with pytest.raises(InputError, match=message):
        evaluate(pairs(2, 3, seed=0, n_edges=1).assign(weight=1.0), gold)


def test_wrong_confidence_is_refused():
    gold = pairs(2, 3, seed=0, n_edges=1)
    with pytest.raises(InputError, match="confidence"):
        evaluate(gold.assign(weight=1.0), gold, confidence=95)


def test_the_public_name_is_the_function_also_after_the_module_is_loaded():
    assert netinfer.evaluate is evaluate
    assert sys.modules["netinfer.evaluate"].evaluate is netinfer.evaluate


def with_nodes(gold, *, outside=(), regulators=None):
    """Return a network with nodes on a gold standard's genes but some."""
    names = [n for n in dict.fromkeys([*gold["source"], *gold["target"]]) if n not in outside]
    nodes = pd.DataFrame({"name": names})
    if regulators is not None:
        nodes["is_regulator"] = nodes["name"].isin(regulators)
    inside = gold["source"].isin(names) & gold["target"].isin(names)
    candidates = gold[inside].assign(weight=np.random.default_rng(3).random(inside.sum()) + gold["is_edge"][inside])
    net = network(candidates, candidates.nlargest(10, "weight"))
    net.nodes = nodes
    return net


def test_pairs_that_the_data_could_not_give_are_left_out_and_counted():
    gold = pairs(5, 20, seed=3, n_edges=30)
    net = with_nodes(gold, outside=["r1", "g4", "g5"], regulators=["r0", "r2", "r3"])
    inside = gold["source"].isin(["r0", "r2", "r3"]) & ~gold["target"].isin(["g4", "g5"])
    got, expected = evaluate(net, gold), evaluate(network(net.candidates, net.edges), gold[inside])
    outside = int(gold["is_edge"][~inside].sum())
    assert outside > 0
    assert values(got)["n_positives_outside_data"] == outside
    assert values(got)["n_positives"] == 30 - outside
    assert values(got)["n_pairs"] == 3 * 18
    other = got["metric"] != "n_positives_outside_data"
    pd.testing.assert_frame_equal(got[other], expected[other])
    curve = precision_recall(net, gold)
    assert curve["precision"].iloc[-1] == pytest.approx((30 - outside) / 54)


def test_without_is_regulator_every_node_may_be_a_source():
    gold = pairs(5, 20, seed=3, n_edges=30)
    got = values(evaluate(with_nodes(gold, outside=["r1"]), gold, n_bootstrap=0))
    assert got["n_pairs"] == 4 * 20


def test_nodes_that_cover_the_gold_standard_change_nothing():
    gold = pairs(5, 20, seed=3, n_edges=30)
    net = with_nodes(gold, regulators=[f"r{i}" for i in range(5)])
    pd.testing.assert_frame_equal(evaluate(net, gold), evaluate(network(net.candidates, net.edges), gold))
    assert values(evaluate(net, gold))["n_positives_outside_data"] == 0


def test_an_edge_table_is_restricted_by_expression_alone():
    gold = pairs(4, 12, seed=9, n_edges=40)
    table = gold.assign(weight=np.arange(48.0))
    adata = expression(gold)
    adata = adata[:, [name for name in adata.var_names if name != "g5"]].copy()
    assert values(evaluate(table, gold, n_bootstrap=0))["n_pairs"] == 48
    got = evaluate(table, gold, baseline=adata, n_bootstrap=0)
    left_out = int(gold["is_edge"][gold["target"] == "g5"].sum())
    for column in ("value", "baseline"):
        assert values(got, column)["n_pairs"] == 44
        assert values(got, column)["n_positives_outside_data"] == left_out > 0


def test_a_gold_standard_of_other_genes_is_refused():
    gold = pairs(2, 6, seed=0, n_edges=4)
    net = with_nodes(gold, regulators=["r0", "r1"])
    foreign = gold.assign(source="b" + gold["source"])
    message = r"none of its 4 edges joins a regulator and a gene of the data \(its sources begin with 'br0', 'br1'\)"
    for score in (evaluate, precision_recall):
        with pytest.raises(InputError, match=message):
            score(net, foreign)


def operons(operon_of, names):
    """An annotation of names in a row, in these operons."""
    from netinfer.io.annotation import COLUMNS

    frame = pd.DataFrame({"contig": "c", "start": range(1, len(names) + 1), "strand": "+"}, index=list(names))
    frame["end"], frame["is_circular"] = frame["start"], False
    frame["operon"] = [operon_of.get(name, "") for name in names]
    return frame.reindex(columns=list(COLUMNS), fill_value="")


def test_pairs_of_one_operon_are_left_out_of_a_second_score():
    gold = pairs(4, 12, seed=3, n_edges=9)
    table = gold.assign(weight=np.random.default_rng(1).random(len(gold)))[["source", "target", "weight"]]
    adata = anndata.AnnData(
        np.random.default_rng(2).normal(size=(20, 16)),
        var=pd.DataFrame(index=[f"r{i}" for i in range(4)] + [f"g{i}" for i in range(12)]),
    )
    operon_of = {"r0": "a", "g0": "a", "g1": "a", "r1": "b", "g2": "b", "g3": "c", "g4": "c"}
    known = operons(operon_of, adata.var_names)
    both = evaluate(table, gold, baseline=adata, annotation=known, n_bootstrap=20)
    plain = evaluate(table, gold, baseline=adata, n_bootstrap=20)
    pd.testing.assert_frame_equal(both.head(len(plain)), plain)
    same = [operon_of.get(a, 0) == operon_of.get(b, 1) for a, b in zip(gold["source"], gold["target"], strict=True)]
    assert sum(same) == 3
    rest = evaluate(table, gold[~np.array(same)], baseline=adata, n_bootstrap=20).set_index("metric")
    second = both.iloc[len(plain) :].set_index("metric")
    assert list(second.index) == [f"{name}_without_operon" for name in scoring.METRICS_WITHOUT]
    pd.testing.assert_frame_equal(
        second.rename(index=lambda name: name.removesuffix("_without_operon")), rest.loc[list(scoring.METRICS_WITHOUT)]
    )
    assert values(both)["n_pairs_without_operon"] == values(both)["n_pairs"] - 3


def test_a_network_without_pairs_of_one_operon_is_scored_beside_a_baseline_without_them(caplog):
    gold = pairs(4, 12, seed=3, n_edges=9)
    operon_of = {"r0": "a", "g0": "a", "g1": "a", "r1": "b", "g2": "b"}
    same = np.array([operon_of.get(a, 0) == operon_of.get(b, 1) for a, b in zip(gold["source"], gold["target"],
                                                                              strict=True)])  # fmt: skip
    net = with_nodes(gold)
    net.candidates = net.candidates[~same]
    net.provenance = {"neighbours": {"exclude_same_operon": True}}
    adata = anndata.AnnData(
        np.random.default_rng(2).normal(size=(20, 16)), var=pd.DataFrame(index=net.nodes["name"].to_numpy())
    )
    known = operons(operon_of, adata.var_names)
    found = evaluate(net, gold, baseline=adata, annotation=known, n_bootstrap=5)
    expected = evaluate(net.candidates, gold[~same], baseline=adata, n_bootstrap=0).set_index("metric")
    found = found.set_index("metric")
    assert not any(name.endswith("_without_operon") for name in found.index)
    assert found.loc["n_pairs", "value"] == found.loc["n_pairs", "baseline"] == len(gold) - same.sum()
    for name in ("aupr", "auroc", "early_precision", "base_rate"):
        assert found.loc[name, "baseline"] == expected.loc[name, "baseline"], name
        assert found.loc[name, "value"] == expected.loc[name, "value"], name
    curve = precision_recall(net, gold, baseline=adata, annotation=known)
    rate = expected.loc["base_rate", "value"]
    assert curve.groupby("method")["precision"].last().tolist() == [pytest.approx(rate)] * 2
    assert not caplog.records
    evaluate(net, gold, baseline=adata, n_bootstrap=0)
    assert "give the annotation to score both on the same pairs" in caplog.text
    net.candidates = net.candidates.iloc[:0]
    everything = operons(dict.fromkeys(adata.var_names, "a"), adata.var_names)
    with pytest.raises(InputError, match="all its edges lie within operons"):
        evaluate(net, gold, annotation=everything)


def test_an_edge_list_stands_for_all_its_pairs_also_without_operons():
    gold = pd.DataFrame({"source": ["a", "b"], "target": ["c", "d"]})  # universe: a b x c d
    table = pd.DataFrame({"source": ["a"], "target": ["c"], "weight": [1.0]})
    found = values(evaluate(table, gold, n_bootstrap=0, annotation=operons({"a": "x", "c": "x"}, "abcd")))
    assert found["n_pairs"] == 4
    assert found["n_pairs_without_operon"] == 3
    assert found["n_positives_without_operon"] == 1


def test_a_gold_standard_of_operons_alone_has_no_second_score():
    gold = pd.DataFrame({"source": ["a", "a"], "target": ["b", "c"], "is_edge": [True, False]})
    table = gold.assign(weight=1.0)
    found = values(evaluate(table, gold, n_bootstrap=5, annotation=operons({"a": "x", "b": "x"}, "abc")))
    assert np.isnan(found["aupr_without_operon"])
    assert found["n_positives_without_operon"] == 0
    assert found["n_pairs_without_operon"] == 1
    with pytest.raises(InputError, match="only 0 of the data's 3 genes are in it"):
        evaluate(table, gold, annotation=operons({}, "xyz"))
