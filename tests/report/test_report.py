from __future__ import annotations

import re
from html.parser import HTMLParser

import anndata
import numpy as np
import pandas as pd
import pytest

from netinfer.models.sensitivity import Sensitivity
from netinfer.network import Network
from netinfer.report import write_report
from netinfer.report.components import leading_components

NASTY = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "javascript:alert(1)",
    "{{ 7 * 7 }}",
    "$\\frac{a$",
    "_hidden",
    "基因🧬",
    "&amp;",
    "nan",
]


def make_network(regulators=("crp", "fnr", "fis"), targets=("crp", "araA", "narG", "flhD"), *, bound=0.05, n=40):
    pairs = [(s, t) for s in regulators for t in targets if s != t]
    k = len(pairs)
    candidates = pd.DataFrame(pairs, columns=["source", "target"]).assign(
        weight=np.linspace(0.9, 0.1, k),
        sign=np.where(np.arange(k) % 3 == 0, -1, 1),
        effect=np.linspace(0.8, 0.1, k),
        effect_low=0.05,
        effect_high=np.nan,
        partial_r2=np.linspace(0.6, 0.01, k),
        selection_probability=np.linspace(1, 0.4, k),
        sign_stability=1.0,
        expected_false_edges=np.where(np.arange(k) < k // 2, bound * np.arange(1, k + 1), np.nan),
        q_value=np.where(np.arange(k) < k // 2, bound, np.nan),
        rank=np.arange(1, k + 1),
        model="elastic_net",
        direction_basis="regulator_list",
    )
    candidates.loc[0, ["effect", "effect_low", "effect_high", "partial_r2"]] = np.nan
    names = list(dict.fromkeys([*regulators, *targets]))
    nodes = pd.DataFrame(
        {
            "name": names,
            "gene_id": names,
            "is_regulator": [name in regulators for name in names],
            "expression_mean": 5.0,
        }
    )
    status = ["ok"] * len(targets)
    reason = [""] * len(targets)
    status[-1], reason[-1] = "constant", "the same value in all samples"
    table = pd.DataFrame(
        {
            "target": list(targets),
            "status": status,
            "reason": reason,
            "n_units": n,
            "penalty_max": 0.9,
            "duality_gap": 1e-15,
            "n_candidates": len(regulators),
            "r2_heldout": np.where(np.array(status) == "ok", 0.4, np.nan),
        }
    )
    provenance = {
        "dataset": "demo",
        "netinfer": "0.1.0",
        "model": "elastic_net",
        "settings": {"shrinkage": 0.5},
        "seed": 7,
        "n_samples": 80,
        "n_units": n,
        "unit": "replicate_group",
    }
    return Network(candidates, nodes, table, provenance, {"fdr": 0.1})


def make_expression(net, n=24, dropped=()):
    rng = np.random.default_rng(0)
    genes = net.nodes["name"].tolist()
    adata = anndata.AnnData(
        rng.normal(size=(n, len(genes))),
        obs=pd.DataFrame({"batch": ["a", "b"] * (n // 2)}, index=[f"s{i}" for i in range(n)]),
        var=pd.DataFrame({"is_regulator": net.nodes["is_regulator"].to_numpy()}, index=genes),
    )
    adata.uns["netinfer"] = {
        "dropped_genes": pd.DataFrame(
            {"gene": list(dropped), "is_regulator": False, "status": "constant", "reason": "no variation"}
        ),
        "dropped_samples": pd.DataFrame({"sample": ["s99"], "reason": ["all values are zero"]}),
        "log": np.array(["read demo.tsv: 24 samples", "normalization none, chosen by auto"], dtype=object),
        "normalization": "none",
        "input_kind": "log",
        "source": "/home/someone/secret/demo.tsv",
    }
    return adata


def make_paths(net):
    penalty = np.linspace(0.9, 0.1, 5)
    rows = [
        (target, source, p, share)
        for source, target in net.candidates[["source", "target"]].itertuples(index=False)
        for p, share in zip(penalty, np.linspace(0, 1, 5), strict=True)
    ]
    return pd.DataFrame(rows, columns=["target", "regulator", "penalty", "selection_probability"])


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.words, self.skip = [], [], [], False
        self.feed(text)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.skip = tag == "style"

    def handle_endtag(self, tag):
        self.skip = False

    def handle_data(self, data):
        if not self.skip:
            self.words.append(data)


def page_of(tmp_path, net, adata=None, **more):
    path = write_report(tmp_path / "report.html", net, adata, **more)
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    net = make_network()
    gold = pd.DataFrame({"source": ["crp", "fnr"], "target": ["araA", "narG"], "is_edge": True})
    adata = make_expression(net, dropped=["geneX"])
    return page_of(tmp_path_factory.mktemp("report"), net, adata, gold=gold, paths=make_paths(net))


def test_says_what_came_in_and_what_was_dropped(full):
    assert "24 samples and 7 genes were used" not in full.text  # six genes: a regulator is a target as well
    assert "24 samples and 6 genes were used; 1 sample and 1 gene were dropped." in full.text
    for words in ("geneX", "no variation", "s99", "all values are zero", "The values were left as they came"):
        assert words in full.text
    assert "read demo.tsv: 24 samples" in full.text
    assert "secret" not in full.text


def test_what_was_dropped_for_one_reason_is_one_row(tmp_path):
    net = make_network()
    adata = make_expression(net, dropped=["geneX", "geneY", "crp2"])
    notes = adata.uns["netinfer"]
    notes["dropped_genes"]["is_regulator"] = [False, False, True]
    names = [f"empty{i}" for i in range(40)]
    notes["dropped_samples"] = pd.DataFrame({"sample": ["s99", *names], "reason": ["odd", *["no value"] * 40]})
    page = page_of(tmp_path, net, adata)
    assert page.text.count("no value ") == 1
    assert "empty0, empty1" in page.text
    assert "empty24 and 15 more" in page.text
    assert "empty25" not in page.text
    for row in ("40 samples no value empty0", "2 genes no variation geneX, geneY", "1 regulator no variation crp2"):
        assert row in page.text, row


def test_targets_are_counted_where_they_were_fitted(full):
    assert "3 target genes with a fit" in full.text  # the fourth does not vary
    assert "of 3 target genes that were fitted" in full.text
    assert "0 of 3 fitted targets have no regulator" in full.text


def test_says_that_sign_and_effect_come_from_different_fits(full):
    assert "for weak candidates the two may disagree" in full.text


def test_the_share_that_an_edge_explains_stands_beside_its_effect(full):
    assert "Effect Interval Partial R² Same sign in" in full.text
    # Lower end, no upper end, share, sign stability; the first edge has no effect and so none of them.
    assert "– – – 100 %" in full.text
    shares = make_network().edges["partial_r2"][1:]
    assert len(shares) > 3
    assert all(f"0.05 to – {share:.2f} 100 %" in full.text for share in shares)


def test_hidden_factors_among_the_settings_are_counted(tmp_path):
    net = make_network()
    listed = ["batch", *(f"hidden_factor_{i}" for i in range(1, 31))]
    net = Network(net.candidates, net.nodes, net.targets, {**net.provenance, "covariates": listed}, net.cut["asked"])
    page = page_of(tmp_path, net, make_expression(net))
    assert "batch; 30 hidden factors" in page.text
    assert "hidden_factor_" not in page.text
    assert "Projected out of regulators and targets before the fit: batch and 30 hidden factors." in page.text


def test_names_the_independent_unit_and_their_number(full):
    assert (
        "40 independent units, named by the column “replicate_group” of the sample table, from 80 samples." in full.text
    )


def test_says_what_the_expected_false_edges_do_not_count(full):
    sentence = (
        "It counts edges chosen by sampling chance, given independent units; "
        "it does not count edges that are confounded, indirect or reversed."
    )
    assert sentence in full.text
    assert "At most 0.25 of them are expected to be there by sampling chance alone." in full.text


def test_says_what_the_bound_assumes_and_explains_the_columns(full):
    for sentence in (
        "assumes that a regulator without effect is not selected more often than the average one",
        "stand-ins of a true regulator exceeded it up to about threefold in simulation (docs/benchmarks.md).",
        "Rank: among all candidate pairs",
        "Same sign in: share of the half-samples",
        "Regulators with most targets: all 2 that have any.",
        "A pair that the gold standard does not list may be real, so precision here is a lower bound.",
        "known edges left out: a gene of theirs is not in the data",
    ):
        assert sentence in full.text, sentence


def test_says_how_many_regulators_are_drawn(tmp_path):
    page = page_of(tmp_path, make_network([f"reg{i}" for i in range(60)], ["a", "b", "c"], bound=0.001))
    assert "Regulators with most targets: the first 20 of 30 that have any." in page.text


def test_has_every_figure_and_the_tables(full):
    alts = [value for name, value in full.attributes if name == "alt"]
    for start in ("Drawing", "Bars: regulators", "Bars: number", "Line", "Histogram", "Precision against", "Stability"):
        assert any(alt.startswith(start) for alt in alts), start
    for words in (
        "average precision",
        "|Pearson|",
        "the same value in all samples",
        "settings.shrinkage",
        "0.5",
        "seed",
    ):
        assert words in full.text


def test_shows_what_is_missing_as_a_dash(full):
    assert "nan" not in full.text.lower().replace("fina", "")
    assert "None" not in full.text


def test_needs_nothing_outside_and_runs_nothing(full):
    assert "script" not in full.tags
    assert not {"iframe", "object", "embed", "link", "form", "base"} & set(full.tags)
    for name, value in full.attributes:
        assert not name.startswith("on")
        if name == "src":
            assert value.startswith("data:image/svg+xml;base64,")
        if name == "href":
            assert value.startswith("#")
    policy = dict(full.attributes)["content"], [value for name, value in full.attributes if name == "content"]
    assert any("default-src 'none'" in value for value in policy[1])


def test_names_are_text_and_never_markup(tmp_path):
    net = make_network(regulators=NASTY[:5], targets=NASTY[4:])
    page = page_of(tmp_path, net, make_expression(net, dropped=NASTY), paths=make_paths(net), title=NASTY[0])
    assert "script" not in page.tags
    assert page.tags.count("img") == sum(name == "src" for name, _ in page.attributes)
    assert all(not name.startswith("on") for name, _ in page.attributes)
    assert "{{ 7 * 7 }}" in page.text
    for name in NASTY:
        assert name in page.text, name


def test_labels_the_exploratory_network(tmp_path):
    net = make_network(bound=0.9)
    assert not net.cut["met"]
    page = page_of(tmp_path, net)
    assert "No edge passes the cut." in page.text
    assert net.cut["reason"] in page.text
    assert "without error control" in page.text
    assert "Strongest exploratory edges (no error control)" in page.text


def test_warns_where_each_sample_is_a_unit(tmp_path):
    net = make_network()
    net.provenance["unit"] = "sample"
    page = page_of(tmp_path, net)
    assert "Each sample counts as an independent unit: 40." in page.text
    assert "replicates of one condition" in page.text


def test_a_network_without_any_candidate_has_a_report(tmp_path):
    net = make_network()
    none = Network(net.candidates.iloc[:0], net.nodes, net.targets, net.provenance, {"fdr": 0.1})
    page = page_of(tmp_path, none, make_expression(none))
    assert "There is no edge to list." in page.text


def test_same_input_same_bytes(tmp_path):
    net = make_network()
    first = write_report(tmp_path / "a.html", net, make_expression(net)).read_bytes()
    assert write_report(tmp_path / "b.html", net, make_expression(net)).read_bytes() == first


def test_a_given_evaluation_is_shown_as_it_is(tmp_path):
    table = pd.DataFrame(
        {
            "metric": ["aupr", "n_pairs"],
            "value": [0.123, 4567.0],
            "baseline": [0.1, 4567.0],
            "low": [0.11, np.nan],
            "high": [0.2, np.nan],
        }
    )
    page = page_of(tmp_path, make_network(), evaluation=table)
    assert "0.110 to 0.200" in page.text
    assert "4,567" in page.text


def test_components_tell_which_property_moves_the_samples():
    rng = np.random.default_rng(1)
    batch = np.repeat([0.0, 3.0], 20)
    X = rng.normal(size=(40, 30)) + batch[:, None]
    obs = pd.DataFrame(
        {
            "batch": np.where(batch > 0, "b", "a"),
            "other": rng.permutation(["x", "y"] * 20),
            "id": [f"i{i}" for i in range(40)],
        },
        index=[str(i) for i in range(40)],
    )
    table = leading_components(anndata.AnnData(X, obs=obs))
    assert table["columns"] == ["mean expression", "batch", "other"]  # one value a sample is no group
    assert table["rows"][0]["r2"][1] > 0.9
    assert table["rows"][0]["r2"][2] < 0.2
    assert table["rows"][0]["share"] > 0.5
    assert leading_components(None) is None


def card_of(net, name="without=A"):
    """All edges survive the first variant; of the second, the first edge is not tested and the last is lost."""
    edges = net.edges[["source", "target", "rank", "weight", "sign"]].reset_index(drop=True)
    n = len(edges)
    second = [None, *[True] * (n - 2), False]
    edges = edges.assign(
        n_tested=[1] + [2] * (n - 1),
        n_survives=[1] + [2] * (n - 2) + [1],
        survives_in="",
        lost_in="",
        **{"redrawn.survives": pd.array([True] * n, dtype="boolean")},
        **{f"{name}.survives": pd.array(second, dtype="boolean")},
    )
    variants = pd.DataFrame(
        {
            "variant": ["redrawn", name],
            "kind": ["redrawn", "left_out"],
            "n_samples": [80, 40],
            "n_units": [40, 20],
            "n_regulators": [4, 4],
            "n_targets": [9, 9],
            "n_edges": [n, n - 1],
            "expected_false_edges": 1.0,
            "n_tested": [n, n - 1],
            "n_survives": [n, n - 2],
            "share_survives": [1.0, (n - 2) / (n - 1)],
        }
    )
    return Sensitivity(edges, variants)


def test_the_section_counts_edges_and_shows_the_variants(tmp_path):
    net = make_network()
    n = len(net.edges)
    assert n >= 3
    page = page_of(tmp_path, net, sensitivity=card_of(net))
    # all but the last edge are in every variant that could have found them
    assert f"{n - 1} of {n} edges survive, with the same sign" in page.text
    assert f"{n - 2} of {n - 1} (" in page.text
    assert ("alt", "Sensitivity card of the strongest edges") in page.attributes
    assert ("href", "#sensitivity") in page.attributes


def test_there_is_no_section_without_a_card(tmp_path):
    page = page_of(tmp_path, make_network())
    assert "Does it hang on one choice?" not in page.text
    assert ("href", "#sensitivity") not in page.attributes


def test_a_network_without_edges_says_so(tmp_path):
    net = make_network().threshold(fdr=1e-12)
    card = card_of(make_network())
    page = page_of(tmp_path, net, sensitivity=Sensitivity(card.edges.iloc[:0], card.variants))
    assert "The network has no edge at its cut" in page.text


@pytest.mark.parametrize("name", NASTY[:3])
def test_a_group_cannot_become_markup(tmp_path, name):
    net = make_network()
    page = page_of(tmp_path, net, sensitivity=card_of(net, name=f"without={name}"))
    assert re.sub(r"\s+", " ", f"without={name}") in page.text
    assert "script" not in page.tags


def test_the_end_of_the_path_is_explained_where_it_is_drawn(tmp_path):
    net = make_network()
    said = "the dotted one the penalty at which the path ends"
    assert said not in page_of(tmp_path, net, paths=make_paths(net)).text
    provenance = {**net.provenance, "threshold": 0.9}
    with_threshold = type(net)(net.candidates, net.nodes, net.targets, provenance, {"fdr": 0.1})
    assert said in page_of(tmp_path, with_threshold, paths=make_paths(net)).text
