"""The sensitivity card: what survives which variant, what could not be tested, what is refused."""

import anndata
import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.errors import ConfigError, InputError, RunError
from netinfer.models.sensitivity import Sensitivity, compare, list_variants, read_fits, write_fits
from netinfer.models.sensitivity.fits import VariantFit, fit_variant, variant_settings
from netinfer.models.sensitivity.variants import Variant

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


def test_a_sign_that_turns_is_lost():
    def fit(sign):
        pair = {"source": ["a"], "target": ["g"], "weight": [0.5], "sign": [sign], "rank": [1]}
        certain = {"selection_probability": [1.0], "expected_false_edges": [0.1], "q_value": [0.1]}
        variant = Variant("normalization", f"normalize={sign}", "rank")
        return VariantFit(variant, pd.DataFrame({**pair, **certain}), ("a",), ("g",), 20, 20)

    adata = data(n=40)
    net = network(adata).threshold(selection_probability=0.6)
    edges = net.edges.iloc[:1].assign(source="a", target="g", sign=1)
    stand_in = type("Net", (), {"edges": edges, "cut": net.cut})()
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
    write_fits(fits, tmp_path / "f.parquet", tmp_path / "f.json")
    again = read_fits(tmp_path / "f.parquet", tmp_path / "f.json")
    pd.testing.assert_frame_equal(compare(net, again).edges, compare(net, fits).edges)
    pd.testing.assert_frame_equal(compare(net, again).variants, compare(net, fits).variants)
    write_fits([], tmp_path / "e.parquet", tmp_path / "e.json")
    assert read_fits(tmp_path / "e.parquet", tmp_path / "e.json") == []
    (tmp_path / "f.json").write_text("{")
    with pytest.raises(RunError, match=r"f\.parquet"):
        read_fits(tmp_path / "f.parquet", tmp_path / "f.json")


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
