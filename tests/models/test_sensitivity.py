"""The sensitivity card: what survives which variant, what could not be tested, what is refused."""

from types import SimpleNamespace

import anndata
import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.errors import ConfigError, InputError, RunError
from netinfer.models.sensitivity import Sensitivity, compare, list_variants, read_fits, write_fits
from netinfer.models.sensitivity.card import _look_up
from netinfer.models.sensitivity.fits import VariantFit, fit_variant, variant_settings
from netinfer.models.sensitivity.variants import Variant
from netinfer.network.cut import q_values
from netinfer.stability.counts import SelectionCounts

CUT = {"selection_probability": 0.8}


def data(n=90, seed=0):
    """Regulators r0 to r3; t0 follows r0 everywhere, t1 follows r1 in batch A alone, strongly."""
    rng = np.random.default_rng(seed)
    batch = np.array(["A", "B", "C"])[np.arange(n) % 3]
    x = rng.standard_normal((n, 4))
    y = 0.5 * rng.standard_normal((n, 6))
    y[:, 0] += x[:, 0]
    y[:, 1] += 3.0 * x[:, 1] * (batch == "A")
    names = [f"r{j}" for j in range(4)] + [f"t{j}" for j in range(6)]
    obs = pd.DataFrame(
        {"batch": batch, "all": "x", "each": [f"{i}" for i in range(n)]}, index=[f"s{i}" for i in range(n)]
    )
    var = pd.DataFrame({"is_regulator": [name[0] == "r" for name in names]}, index=names)
    return anndata.AnnData(np.hstack([x, y]) + 5.0, obs=obs, var=var)


def network(adata, **settings):
    net = ni.infer_regression(adata, n_subsamples=20, n_penalties=6, threads=1, **settings)
    return net.threshold(**CUT)


@pytest.fixture(scope="module")
def card():
    adata = data()
    net = network(adata)
    return net, ni.sensitivity(
        adata, net, normalizations=["rank"], leave_out="batch", regulators=[["r0", "r2"]], threads=1
    )


def row(card, source, target):
    return card.edges.set_index(["source", "target"]).loc[(source, target)]


def test_an_edge_of_every_batch_survives_and_one_of_a_single_batch_does_not(card):
    net, found = card
    assert found.variants["variant"].tolist() == [
        "redrawn", "normalize=rank", "without=A", "without=B", "without=C", "regulators=list1",
    ]  # fmt: skip
    strong = row(found, "r0", "t0")
    assert (strong["n_tested"], strong["n_survives"], strong["lost_in"]) == (6, 6, "")
    one_batch = row(found, "r1", "t1")
    assert "without=A" in one_batch["lost_in"].split("; ")
    assert {"without=B", "without=C"} <= set(one_batch["survives_in"].split("; "))
    # r1 is not in the other list: not lost, but never asked.
    assert one_batch["n_tested"] == 5
    assert pd.isna(one_batch["regulators=list1.survives"])
    assert pd.isna(one_batch["regulators=list1.rank"])
    assert found.edges["rank"].tolist() == net.edges["rank"].tolist()


def test_the_variants_are_counted_as_they_were_fitted(card):
    _, found = card
    table = found.variants.set_index("variant")
    assert table["n_samples"].tolist() == [90, 90, 60, 60, 60, 90]
    assert table["n_regulators"].tolist() == [4, 4, 4, 4, 4, 2]
    for name, counts in table.iterrows():
        survives = found.edges[f"{name}.survives"]
        assert counts["n_tested"] == survives.notna().sum()
        assert counts["n_survives"] == survives.sum()
        assert counts["share_survives"] == pytest.approx(survives.sum() / survives.notna().sum())


def test_a_variant_is_the_network_that_one_would_have_inferred(card):
    net, found = card
    adata = data()
    alone = network(adata[adata.obs["batch"] != "B"].copy())
    assert found.variants.set_index("variant").loc["without=B", "n_edges"] == len(alone.edges)
    there = alone.candidates.set_index(["source", "target"])
    pairs = list(zip(net.edges["source"], net.edges["target"], strict=True))
    np.testing.assert_array_equal(found.edges["without=B.weight"], there["weight"].reindex(pairs))
    edges = set(zip(alone.edges["source"], alone.edges["target"], alone.edges["sign"], strict=True))
    survives = [(*pair, sign) in edges for pair, sign in zip(pairs, net.edges["sign"], strict=True)]
    assert found.edges["without=B.survives"].tolist() == survives
    ranked = network(ni.normalize(adata, "rank")).candidates.set_index(["source", "target"])
    assert found.edges["normalize=rank.rank"].dropna().tolist() == ranked["rank"].reindex(pairs).dropna().tolist()


def test_redrawn_is_the_network_of_the_next_seed(card):
    net, found = card
    other = network(data(), seed=1).candidates.set_index(["source", "target"])
    pairs = list(zip(net.edges["source"], net.edges["target"], strict=True))
    np.testing.assert_array_equal(found.edges["redrawn.weight"], other["weight"].reindex(pairs))
    assert (found.edges["redrawn.weight"] != net.edges["weight"]).any()


def test_the_same_variant_as_the_network_loses_nothing():
    adata = data(n=60)
    net = network(adata)
    found = ni.sensitivity(adata, net, normalizations=["none"], threads=1)
    assert found.edges["normalize=none.survives"].all()
    assert found.edges["normalize=none.weight"].tolist() == net.edges["weight"].tolist()


def test_units_and_covariates_are_the_networks_own():
    adata = data(n=96)
    adata.obs["donor"] = [f"d{i // 4}" for i in range(96)]
    adata.obs["lane"] = [f"l{i % 2}" for i in range(96)]
    net = network(adata, block="donor", covariates=["lane", "batch"])
    found = ni.sensitivity(adata, net, normalizations=["none"], leave_out="lane", threads=1)
    assert found.variants["n_units"].tolist() == [24, 24, 24, 24]
    assert found.edges["normalize=none.weight"].tolist() == net.edges["weight"].tolist()
    # Without one lane of two the other is the same everywhere, and is projected out no more.
    alone = network(adata[adata.obs["lane"] == "l1"].copy(), block="donor", covariates=["batch"])
    assert found.variants.set_index("variant").loc["without=l0", "n_edges"] == len(alone.edges)


def factor_data(n=72):
    """Two strong factors move every gene; without them no edge is real but those of `data`."""
    adata = data(n)
    rng = np.random.default_rng(1)
    adata.X = adata.X + 2.0 * rng.standard_normal((n, 2)) @ rng.standard_normal((2, adata.n_vars))
    return adata


@pytest.mark.parametrize("covariates", [None, ["batch"]])
def test_hidden_factors_are_found_anew_as_many_as_the_network_has(covariates):
    adata = factor_data()
    net = network(adata, hidden_factors=2, covariates=covariates)
    found = ni.sensitivity(adata, net, normalizations=["none", "rank"], leave_out="batch", threads=1)
    assert found.edges["normalize=none.weight"].tolist() == net.edges["weight"].tolist()
    assert found.edges["normalize=none.survives"].all()
    assert found.variants["n_hidden_factors"].tolist() == [2] * 6
    # Of the samples that are left, and of the other values: not those of the whole data.
    pairs = list(zip(net.edges["source"], net.edges["target"], strict=True))
    alone = network(adata[adata.obs["batch"] != "A"].copy(), hidden_factors=2, covariates=covariates)
    ranked = network(ni.normalize(adata, "rank"), hidden_factors=2, covariates=covariates)
    for name, other in (("without=A", alone), ("normalize=rank", ranked)):
        there = other.candidates.set_index(["source", "target"])["weight"].reindex(pairs)
        np.testing.assert_array_equal(found.edges[f"{name}.weight"], there)


def test_hidden_factors_that_came_with_the_data_are_found_anew_or_stay_where_they_are_the_users_own():
    adata = factor_data()
    with_found = ni.hidden_factors(adata, 2)
    net = network(with_found)
    found = ni.sensitivity(with_found, net, normalizations=["none"], leave_out="batch", threads=1)
    assert found.edges["normalize=none.weight"].tolist() == net.edges["weight"].tolist()
    bare = ni.sensitivity(adata, net, leave_out="batch", threads=1)
    pd.testing.assert_frame_equal(found.edges[bare.edges.columns[8:]], bare.edges[bare.edges.columns[8:]])

    own = adata.copy()
    own.obsm["hidden_factors"] = np.random.default_rng(2).standard_normal((adata.n_obs, 2))
    net = network(own)
    found = ni.sensitivity(own, net, normalizations=["none"], leave_out="batch", threads=1)
    assert found.edges["normalize=none.weight"].tolist() == net.edges["weight"].tolist()
    alone = network(own[own.obs["batch"] != "A"].copy()).candidates.set_index(["source", "target"])
    pairs = list(zip(net.edges["source"], net.edges["target"], strict=True))
    np.testing.assert_array_equal(found.edges["without=A.weight"], alone["weight"].reindex(pairs))


def test_a_network_without_hidden_factors_has_none_in_its_variants():
    adata = ni.hidden_factors(factor_data(), 2)
    net = network(adata, hidden_factors=0)
    found = ni.sensitivity(adata, net, normalizations=["none"], threads=1)
    assert found.edges["normalize=none.weight"].tolist() == net.edges["weight"].tolist()
    assert found.variants["n_hidden_factors"].tolist() == [0, 0]


def test_hidden_factors_that_leave_a_variant_too_little_are_refused_before_a_fit(monkeypatch):
    adata = factor_data(30)
    net = network(adata, hidden_factors=8)  # 15 units of a half-sample are enough, the 10 without a batch are not

    def never(*args, **settings):
        raise AssertionError("fitted")

    monkeypatch.setattr("netinfer.models.regression.fit_chunk", never)
    with pytest.raises(InputError, match="sensitivity: without=A: covariates: 8 hidden factors take 8"):
        ni.sensitivity(adata, net, leave_out="batch", threads=1)


def wide_data():
    """Make 170 candidates: 14 for each unit of a half-sample of 24 samples, 21 without one batch of three."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((24, 170))
    y = x[:, :6] + 0.2 * rng.standard_normal((24, 6))
    names = [f"r{j}" for j in range(170)] + [f"t{j}" for j in range(6)]
    obs = pd.DataFrame({"batch": np.array(["A", "B", "C"])[np.arange(24) % 3]}, index=[f"s{i}" for i in range(24)])
    var = pd.DataFrame({"is_regulator": [name[0] == "r" for name in names]}, index=names)
    return anndata.AnnData(np.hstack([x, y]), obs=obs, var=var)


def test_a_variant_on_the_other_side_of_the_flip_keeps_the_networks_threshold():
    adata = wide_data()
    settings = {"n_subsamples": 10, "n_penalties": 6, "threads": 1, "expected_false_edges": 10.0}
    net = ni.infer_regression(adata, **settings)
    assert net.provenance["threshold"] == 0.9
    found = ni.sensitivity(adata, net, leave_out="batch", threads=1)
    assert found.variants["threshold"].tolist() == [0.9] * 4
    assert found.variants["truncation"].isna().all()
    rest = adata[adata.obs["batch"] != "A"].copy()
    flipped, kept = ni.infer_regression(rest, **settings), ni.infer_regression(rest, threshold=0.9, **settings)
    # At 0.6 the bound of the same six edges is above the cut, and each would look lost.
    assert flipped.provenance["threshold"] == 0.6
    assert len(flipped.edges) == 0
    without = found.variants.set_index("variant").loc["without=A"]
    assert without["n_edges"] == len(kept.edges) == 6
    assert without["n_survives"] == 6
    assert without["expected_false_edges"] == kept.cut["expected_false_edges"]


RULES = [
    {"threshold": 0.75},
    {"rule": "shah_samworth"},
    {"rule": "shah_samworth_unimodal", "pooled": True},
    {"rule": "ipss_quadratic"},
    {"rule": "ipss_cubic", "truncation": 0.2},
]


@pytest.mark.parametrize("rule", RULES)
def test_the_fits_of_one_rule_serve_every_other(rule):
    adata = data(n=60)
    settings = variant_settings(network(adata).provenance["settings"], None)
    variants = list_variants(adata.obs, normalizations=["none"], leave_out="batch")
    fits = [fit_variant(adata, v, lambda values, method: values, settings=settings, seed=0) for v in variants]
    net = network(adata, **rule).threshold(expected_false_edges=5.0)
    found = compare(net, fits)
    same = found.variants.set_index("variant").loc["normalize=none"]
    assert len(net.edges) > 0
    assert same["n_edges"] == same["n_survives"] == len(net.edges)
    assert same["expected_false_edges"] == net.cut["expected_false_edges"]
    # The truncation of the network is not chosen anew.
    constant = "truncation" if "truncation" in net.provenance else "threshold"
    assert found.variants[constant].tolist() == [net.provenance[constant]] * 5
    rest = {**rule, constant: net.provenance[constant]}
    alone = network(adata[adata.obs["batch"] != "B"].copy(), **rest).threshold(expected_false_edges=5.0)
    assert found.variants.set_index("variant").loc["without=B", "n_edges"] == len(alone.edges)
    pd.testing.assert_frame_equal(
        ni.sensitivity(adata, net, normalizations=["none"], leave_out="batch", threads=1).variants, found.variants
    )


def test_pairs_that_are_left_out_before_the_cut_are_no_edges_of_a_variant():
    def refine(net):
        kept = net.candidates[net.candidates["target"] != "t0"]
        kept = kept.assign(rank=np.arange(1, len(kept) + 1), q_value=q_values(kept["expected_false_edges"].to_numpy()))
        return ni.Network(kept, net.nodes, net.targets, net.provenance, net.cut)

    adata = data(n=60)
    net = network(adata).threshold(expected_false_edges=5.0)
    assert "t0" in set(net.edges["target"])
    same = Variant("normalization", "normalize=none", "none")
    settings = variant_settings(net.provenance["settings"], None)
    fit = fit_variant(adata, same, lambda values, method: values, settings=settings, seed=0, refine=refine)
    for cut in ({"expected_false_edges": 5.0}, {"fdr": 1.0}):
        refined = refine(net).threshold(**cut)
        found = compare(refined, [fit])
        assert found.variants["n_survives"].tolist() == found.variants["n_edges"].tolist() == [len(refined.edges)]
        assert found.variants["expected_false_edges"].tolist() == [refined.cut["expected_false_edges"]]
    assert compare(net, [fit]).edges.set_index("target").loc["t0", "lost_in"] == "normalize=none"


def test_a_sign_that_turns_is_lost():
    def fit(sign):
        pair = {"source": ["a"], "target": ["g"], "weight": [0.5], "sign": [sign], "rank": [1]}
        certain = {"selection_probability": [1.0], "count_row": [0]}
        variant = Variant("normalization", f"normalize={sign}", "rank")
        one = np.ones((1, 1))
        selection = SelectionCounts(20, np.ones(1), one, one, np.full((1, 1), 20))
        return VariantFit(variant, pd.DataFrame({**pair, **certain}), selection, ("a",), ("g",), 20, 20)

    adata = data(n=40)
    net = network(adata).threshold(selection_probability=0.6)
    edges = net.edges.iloc[:1].assign(source="a", target="g", sign=1)
    stand_in = type("Net", (), {"edges": edges, "cut": net.cut, "provenance": net.provenance})()
    found = compare(stand_in, [fit(1), fit(-1)])
    assert found.edges["survives_in"].tolist() == ["normalize=1"]
    assert found.edges["lost_in"].tolist() == ["normalize=-1"]


def test_a_network_cut_elsewhere_is_compared_without_a_fit():
    adata = data()
    net = network(adata)
    settings = variant_settings(net.provenance["settings"], None)
    _, variant = list_variants(adata.obs, normalizations=["rank"])
    fit = fit_variant(adata, variant, lambda values, method: ni.normalize(values, method), settings=settings, seed=0)
    strict, loose = (compare(net.threshold(selection_probability=p), [fit]) for p in (1.0, 0.6))
    assert len(strict.edges) < len(loose.edges)
    assert strict.variants["n_edges"].iloc[0] < loose.variants["n_edges"].iloc[0]
    nothing = compare(net.threshold(fdr=1e-9), [fit])
    assert len(nothing.edges) == 0
    assert nothing.variants["n_tested"].tolist() == [0]


def test_files_keep_everything(card, tmp_path):
    _, found = card
    found.write(tmp_path)
    again = Sensitivity.read(tmp_path)
    pd.testing.assert_frame_equal(again.edges, found.edges, check_exact=False, rtol=1e-12)
    pd.testing.assert_frame_equal(again.variants, found.variants, check_exact=False, rtol=1e-12)
    (tmp_path / "sensitivity.tsv").write_text("a\tb\n1\n2\t3\t4\n")
    with pytest.raises(RunError, match=r"sensitivity\.tsv .*damaged"):
        Sensitivity.read(tmp_path)
    (tmp_path / "sensitivity.tsv").write_text("source\ttarget\na\tb\n")
    with pytest.raises(RunError, match="KeyError"):
        Sensitivity.read(tmp_path)


def test_fits_keep_what_a_comparison_reads(tmp_path):
    adata = data(n=40)
    net = network(adata)
    settings = variant_settings(net.provenance["settings"], 10)
    assert settings.n_subsamples == 10
    variants = list_variants(adata.obs, leave_out="batch")
    fits = [fit_variant(adata, v, lambda values, method: values, settings=settings, seed=0) for v in variants]
    paths = [tmp_path / f"f.{ending}" for ending in ("parquet", "npz", "json")]
    write_fits(fits, *paths)
    again = read_fits(*paths)
    for cut in (net, net.threshold(fdr=0.5)):
        pd.testing.assert_frame_equal(compare(cut, again).edges, compare(cut, fits).edges)
        pd.testing.assert_frame_equal(compare(cut, again).variants, compare(cut, fits).variants)
    empty = [tmp_path / f"e.{ending}" for ending in ("parquet", "npz", "json")]
    write_fits([], *empty)
    assert read_fits(*empty) == []
    whole = paths[1].read_bytes()
    for damaged in (whole[:100], whole[:200] + b"\0" * 200 + whole[400:]):
        paths[1].write_bytes(damaged)
        with pytest.raises(RunError, match=r"f\.parquet: .*damaged"):
            read_fits(*paths)
    paths[1].write_bytes(whole)
    paths[2].write_text("{")
    with pytest.raises(RunError, match=r"f\.parquet: .*damaged"):
        read_fits(*paths)


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        ({}, ConfigError, "nothing to vary"),
        ({"normalizations": ["rnak"]}, ConfigError, "'rnak': use auto"),
        ({"normalizations": ["rank", "rank"]}, ConfigError, "asked for twice"),
        ({"normalizations": ["cpm_log1p"]}, InputError, "normalize=cpm_log1p"),
        ({"leave_out": "bach"}, InputError, r"no column 'bach' of samples \(nearest 'batch'\)"),
        ({"leave_out": "all"}, InputError, "has 1 groups"),
        ({"leave_out": "each"}, InputError, "has 90 groups"),
        ({"regulators": "tfs.txt"}, ConfigError, "give a list of lists"),
        ({"regulators": ["nowhere.txt"]}, InputError, r"regulators=nowhere: .*nowhere\.txt"),
        ({"regulators": [["nobody"]]}, InputError, "regulators=list1: .*'nobody'"),
        ({"normalizations": ["rank"], "n_subsamples": 7}, ConfigError, "even"),
    ],
)  # fmt: skip
def test_bad_input_is_named(asked, error, message):
    adata = data()
    net = network(adata)
    with pytest.raises(error, match=message):
        ni.sensitivity(adata, net, threads=1, **asked)


def test_a_group_that_leaves_too_few_samples_is_refused():
    adata = data(n=40)
    adata.obs["half"] = ["most"] * 35 + ["few"] * 5
    with pytest.raises(InputError, match="5 samples are left without half 'most'"):
        ni.sensitivity(adata, network(adata), leave_out="half")


def test_a_network_of_another_kind_is_refused():
    adata = data(n=40)
    net = network(adata)
    bare = ni.Network(net.candidates, net.nodes, net.targets, {}, CUT)
    with pytest.raises(InputError, match="does not say how it was inferred"):
        ni.sensitivity(adata, bare, normalizations=["rank"])
    with pytest.raises(InputError, match="does not say how it was bounded"):
        compare(bare, [None])
    weighted = network(adata, penalty_weights={"r0": np.inf})
    with pytest.raises(InputError, match="penalty weights"):
        ni.sensitivity(adata, weighted, normalizations=["rank"])


def test_its_plot_shows_each_edge_in_each_variant(card):
    net, found = card
    ax = found.plot(top=2)
    dots = sum(len(line.get_xdata()) for line in ax.lines)
    assert dots == 2 * len(found.variants)
    assert len(ax.get_xticklabels()) == len(found.variants)
    assert len(found.plot().get_yticklabels()) == min(30, len(net.edges))


def test_a_variant_that_cannot_meet_the_cut_says_nothing_of_an_edge():
    candidates = pd.DataFrame(
        {"source": ["a", "b"], "target": "x", "sign": [1, 1], "rank": [1, 2], "weight": [0.5, 0.4]}
    )
    card, edges = SimpleNamespace(regulators=["a", "b"], targets=["x"], candidates=candidates), candidates.iloc[:1]
    pairs = pd.MultiIndex.from_frame(edges[["source", "target"]])
    tested, kept, _ = _look_up(edges, pairs, card, np.array([False, False]))
    assert (tested.tolist(), kept.tolist()) == ([False], [False])
    tested, kept, _ = _look_up(edges, pairs, card, np.array([False, True]))
    assert (tested.tolist(), kept.tolist()) == ([True], [False])
