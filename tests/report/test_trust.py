"""The section "Can I trust this?": where its facts come from, what is shown, and that nothing is shown of nothing."""

from __future__ import annotations

import re

import anndata
import lxml.etree
import lxml.html
import numpy as np
import pandas as pd
import pytest

from netinfer.models.phenotype import PhenotypeModel
from netinfer.network import Network
from netinfer.report import write_report
from netinfer.report.components import leading_components
from netinfer.report.labels import display_names
from netinfer.report.trust import gather_facts

N = 60
SCRIPT = "<script>alert(1)</script>"


def make_network(provenance=None, *, n_regulators=4, n_targets=12, bound=0.001, prefix="g", columns=None):
    genes = [f"{prefix}{i}" for i in range(n_regulators + n_targets)]
    pairs = [(s, t) for s in genes[:n_regulators] for t in genes[n_regulators:]]
    k = len(pairs)
    candidates = pd.DataFrame(pairs, columns=["source", "target"]).assign(
        weight=np.linspace(0.9, 0.1, k),
        sign=1,
        effect=0.5,
        effect_low=0.1,
        effect_high=0.9,
        partial_r2=0.3,
        selection_probability=0.9,
        sign_stability=1.0,
        expected_false_edges=bound,
        q_value=bound,
        rank=np.arange(1, k + 1),
        model="elastic_net",
        direction_basis="regulator_list",
        **(columns or {}),
    )
    nodes = pd.DataFrame(
        {
            "name": genes,
            "gene_id": genes,
            "is_regulator": [i < n_regulators for i in range(len(genes))],
            "expression_mean": 5.0,
        }
    )
    targets = pd.DataFrame(
        {
            "target": genes,
            "status": "ok",
            "reason": "",
            "n_units": N,
            "penalty_max": 0.9,
            "duality_gap": 0.0,
            "n_candidates": n_regulators,
            "r2_heldout": 0.4,
        }
    )
    record = {"model": "elastic_net", "n_samples": N, "n_units": N, "unit": "sample", **(provenance or {})}
    return Network(candidates, nodes, targets, record, {"fdr": 0.1})


def make_data(net, notes=None, *, obs=None, shift=0.0, factors=None):
    """Make noise, and a batch of two halves of the samples that moves every gene."""
    rng = np.random.default_rng(3)
    genes = net.nodes["name"].tolist()
    batch = np.repeat([0.0, 1.0], N // 2)
    table = pd.DataFrame({"batch": np.where(batch > 0, "b", "a")}, index=[f"s{i}" for i in range(N)])
    for name, values in (obs or {}).items():
        table[name] = values
    adata = anndata.AnnData(
        rng.normal(size=(N, len(genes))) + shift * batch[:, None],
        obs=table,
        var=pd.DataFrame({"is_regulator": net.nodes["is_regulator"].to_numpy()}, index=genes),
    )
    adata.uns["netinfer"] = {"normalization": "none", "input_kind": "log", **(notes or {})}
    if factors is not None:
        adata.obsm["hidden_factors"] = factors
    return adata


FULL = {
    "design": {
        "assay": "cells",
        "covariates": np.array(["cell_type", "log_depth"], dtype=object),
        "block": "",
        "aggregation": "metacells",
        "n_cells": 1800,
        "n_donors": 1,
        "population_note": "one donor: no claim about the population",
    },
    "filter": {
        "rule": "a gene is kept where it is detected in 50 cells",
        "what": "cells in which the gene is detected",
        "statistic": np.arange(200.0),
        "threshold": 50.0,
        "n_dropped": 50,
        "dropped_regulators": np.array(["Pax5", "Ebf1"], dtype=object),
    },
    "outliers": pd.DataFrame(
        {"sample": ["s1", "s 2"], "statistic": [0.4, 0.5], "reason": ["correlation 0.400", "correlation 0.500"]}
    ),
    "missing": {"n": 321, "share": 0.0123, "rule": "the median of the gene"},
}


def parsed(tmp_path, net, adata=None, **more):
    """Return the page as a tree, the words of the section, and the whole text."""
    path = write_report(tmp_path / "report.html", net, adata, **more)
    tree = lxml.html.fromstring(path.read_bytes())
    between = tree.xpath("//h2[@id='trust']/following-sibling::*[following-sibling::h2[@id='network']]")
    words = [" ".join(part.itertext()) for part in between]
    return tree, re.sub(r"\s+", " ", " ".join(words)), path.read_text(encoding="utf-8")


def terms(tree):
    return [term.text for term in tree.xpath("//dl[@class='facts']/dt")]


def through_h5ad(adata, tmp_path):
    adata.write_h5ad(tmp_path / "data.h5ad")
    return anndata.read_h5ad(tmp_path / "data.h5ad")


def test_every_fact_is_shown_after_a_round_trip_through_h5ad(tmp_path):
    net = make_network({"covariates": ["batch", "hidden_factor_1", "hidden_factor_2"], "covariate_df": 3})
    adata = make_data(net, {**FULL, "hidden_factors": {"asked": "auto", "k": 2, "share": np.array([0.3, 0.1])}})
    adata.obsm["hidden_factors"] = np.random.default_rng(0).normal(size=(N, 2))
    tree, text, _ = parsed(tmp_path, net, through_h5ad(adata, tmp_path))
    for words in (
        "Each metacell counts as an independent unit: 60.",
        "1,800 cells went into them",
        "One donor: no claim about the population.",
        "A gene is kept where it is detected in 50 cells. 50 of 200 genes were left out.",
        "2 regulators were among them: Pax5, Ebf1.",
        "2 samples are unlike the others and still in the data",
        'exclude_samples: [s1, "s 2"]',
        "correlation 0.400",
        "321 (1.2 % of all) were missing; filled in: the median of the gene.",
        "batch: projected out of regulators and targets in every half-sample.",
        "Together with the covariates they take 3 degrees of freedom.",
        "2 leading components were taken for what no column names and projected out, with 40 % of the variance.",
        "Their number was chosen from the data",
        "neither a covariate nor a hidden factor",
    ):
        assert words in text, words
    assert terms(tree) == [
        "Independent units",
        "Filters",
        "Outlier samples",
        "Missing values",
        "Covariates",
        "Hidden factors",
        "Not counted by the error number",
    ]
    alts = tree.xpath("//img/@alt")
    for start in ("Histogram of the statistic", "Map of the leading components", "The same map after"):
        assert sum(alt.startswith(start) for alt in alts) == 1, start


def test_nothing_is_shown_of_what_is_not_known(tmp_path):
    net = make_network()
    tree, text, _ = parsed(tmp_path, net)
    assert terms(tree) == ["Independent units", "Not counted by the error number"]
    assert not tree.xpath(
        "//h2[@id='trust']/following-sibling::div[@class='pair'][following-sibling::h2[@id='network']]"
    )
    for words in ("decoy", "operon", "trait", "Please decide", "None", "nan", "Samples unlike"):
        assert words not in text, words
    assert len(tree.xpath("//ol[@class='advice']/li")) == 3
    bare = Network(net.candidates, net.nodes, net.targets, {"model": "elastic_net"}, {"fdr": 0.1})
    tree, _, _ = parsed(tmp_path, bare, make_data(net, {}))
    assert terms(tree) == ["Not counted by the error number"]


def test_notes_without_content_show_no_empty_block(tmp_path):
    net = make_network({"covariates": [], "hidden_factors": 0})
    notes = {
        "filter": {},
        "missing": {"n": 0, "share": 0.0, "rule": ""},
        "outliers": pd.DataFrame({"sample": [], "statistic": [], "reason": []}),
        "design": {},
        "hidden_factors": {"asked": "0", "k": 0},
    }
    tree, text, _ = parsed(tmp_path, net, make_data(net, notes))
    assert terms(tree) == ["Independent units", "Covariates", "Hidden factors", "Not counted by the error number"]
    assert "None removed." in text
    assert all(" ".join(part.itertext()).strip() for part in tree.xpath("//dd | //p | //li | //figcaption"))


def test_a_filter_that_left_nothing_out_says_so(tmp_path):
    net = make_network()
    notes = {
        "filter": {"rule": "every gene was kept", "n_dropped": 0, "dropped_regulators": np.array([], dtype=object)}
    }
    tree, text, _ = parsed(tmp_path, net, through_h5ad(make_data(net, notes), tmp_path))
    assert "Every gene was kept." in text
    assert "genes were left out" not in text
    assert not [alt for alt in tree.xpath("//img/@alt") if alt.startswith("Histogram of the statistic")]


def test_names_cannot_become_markup(tmp_path):
    net = make_network({"covariates": [SCRIPT], "unit": SCRIPT, "covariate_df": 1, "hidden_factors": 0})
    notes = {
        "design": {"assay": "bulk", "population_note": SCRIPT},
        "filter": FULL["filter"]
        | {"rule": SCRIPT, "what": SCRIPT, "dropped_regulators": np.array([SCRIPT], dtype=object)},
        "outliers": pd.DataFrame({"sample": [f"`{SCRIPT}`"], "statistic": [0.1], "reason": [SCRIPT]}),
        "missing": {"n": 5, "share": 0.5, "rule": SCRIPT},
        "center_by": SCRIPT,
    }
    genes = pd.DataFrame(
        {"gene": [SCRIPT], "symbol": [SCRIPT], "sign": 1, "effect": 0.1, "effect_low": 0.0, "effect_high": 1.0,
         "selection_probability": 1.0, "q_value": 0.1, "rank": 1}
    )  # fmt: skip
    adata = make_data(
        net, notes, obs={SCRIPT: ["x", "y"] * (N // 2), f"batch {SCRIPT}": ["x"] * 30 + ["y"] * 30}, shift=3
    )
    tree, text, page = parsed(tmp_path, net, adata, phenotype=genes)
    assert not tree.xpath("//script")
    assert "<script" not in page
    assert text.count("alert(1)") >= 8
    assert "Please decide" not in text  # a covariate is projected out


def test_the_page_is_well_formed_html(tmp_path):
    net = make_network({"covariates": ["batch"], "covariate_df": 1, "hidden_factors": 1})
    _, _, page = parsed(
        tmp_path, net, make_data(net, FULL, factors=np.random.default_rng(0).normal(size=(N, 1)), shift=2)
    )
    # Void elements closed, the page must be well-formed XML: no tag left open, none closed twice, no bare ampersand.
    body = re.sub(r"<(meta|img)([^>]*)>", r"<\1\2/>", page.replace("<!DOCTYPE html>\n", "").split("<style>")[0])
    body += "<style/>" + re.sub(r"<(meta|img)([^>]*)>", r"<\1\2/>", page.split("</style>")[1])
    tree = lxml.etree.fromstring(body)
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {target[1:] for target in tree.xpath("//nav/a/@href")} <= set(ids)
    assert all(alt.strip() for alt in tree.xpath("//img/@alt"))
    assert len(tree.xpath("//img")) == len(tree.xpath("//img/@alt"))


def test_a_decision_is_asked_for_only_while_nothing_is_projected_out(tmp_path):
    net = make_network({"covariates": [], "hidden_factors": 0})
    _, text, _ = parsed(tmp_path, net, make_data(net, shift=3))
    assert re.search(r"Please decide\. One component moves \d\d % of the variance", text)
    assert "It follows mean expression" in text
    assert re.search(r"batch \(\d\d % explained\)", text)
    _, text, _ = parsed(tmp_path, net, make_data(net, shift=0))
    assert "Please decide" not in text
    _, text, _ = parsed(tmp_path, make_network({"covariates": ["batch"], "covariate_df": 1}), make_data(net))
    assert "in every half-sample, at the cost of 1 degree of freedom." in text
    done = make_network({"covariates": ["batch"], "covariate_df": 1, "hidden_factors": 0})
    _, text, _ = parsed(tmp_path, done, make_data(net, shift=3))
    assert "Please decide" not in text


def test_components_before_and_after_projection():
    net = make_network()
    adata = make_data(net, shift=4)
    table = leading_components(adata, covariates=["batch"])
    at = table["columns"].index("batch")
    assert table["rows"][0]["r2"][at] > 0.9  # batch halves 4 standard deviations apart in every gene
    assert max(row["r2"][at] for row in table["after"]) < 1e-6
    assert 0.6 < table["removed"] < 0.95  # 4 of 1 + 4 of the variance, about
    assert table["after"][0]["share"] < 0.25  # noise in 16 genes
    factor = np.repeat([-1.0, 1.0], N // 2)[:, None]
    by_factor = leading_components(adata, factors=factor)
    assert by_factor["removed"] == pytest.approx(table["removed"], abs=1e-9)  # the same direction by another name
    assert leading_components(adata, covariates=["absent"])["after"] is None
    assert leading_components(adata)["after"] is None


def test_components_look_first_at_what_is_asked_and_leave_twins_of_depth_out():
    net = make_network()
    rng = np.random.default_rng(0)
    many = {f"x{i}": rng.permutation(["p", "q"] * (N // 2)) for i in range(12)}
    obs = {**many, "log_depth": rng.normal(size=N), "library_size": rng.normal(size=N), "unit": np.repeat(range(20), 3)}
    table = leading_components(make_data(net, obs=obs), covariates=["x11"], unit="unit")
    assert table["columns"][:5] == ["mean expression", "x11", "unit", "log_depth", "batch"]
    assert "library_size" not in table["columns"]
    twins = leading_components(make_data(net, obs={"cell_type": many["x0"], "bulk_labels": many["x0"]}))
    assert twins["columns"] == ["mean expression", "batch", "cell_type"]
    assert len(table["columns"]) == 8


def test_facts_name_columns_that_could_be_the_unit():
    net = make_network()
    groups = {
        "donor": np.repeat([f"d{i}" for i in range(10)], 6),
        "replicate": np.tile([1, 2, 3], 20),  # numbers within a condition: three values cannot be the units
        "patient_id": [f"p{i}" for i in range(N)],  # each sample its own: nothing is gained
    }
    assert gather_facts(net, make_data(net, obs=groups)).block_columns == (("donor", 10),)
    blocked = make_network({"unit": "donor", "n_units": 10})
    assert gather_facts(blocked, make_data(net, obs=groups)).block_columns == ()


def test_facts_read_hidden_factors_in_every_form_they_are_recorded():
    net = make_network({"hidden_factors": {"asked": "auto", "k": 3}})
    facts = gather_facts(net, make_data(net))
    assert (facts.hidden_factors, facts.hidden_asked) == (3, "auto")
    assert gather_facts(make_network({"hidden_factors": 0})).hidden_factors == 0
    assert gather_facts(make_network()).hidden_factors is None
    numbered = gather_facts(make_network({"covariates": ["sex", "hidden_factor_1", "hidden_factor_2"]}))
    assert (numbered.covariates, numbered.hidden_factors) == (("sex",), 2)


def test_a_factor_that_follows_a_condition_is_named(tmp_path):
    rng = np.random.default_rng(8)
    treated = np.tile([0.0, 1.0], N // 2)
    condition = np.where(treated > 0, "drug", "none")
    factors = np.column_stack([rng.normal(size=N), treated + rng.normal(0, 0.2, N)])
    net = make_network({"covariates": ["hidden_factor_1", "hidden_factor_2"]})
    adata = make_data(net, {"hidden_factors": {"asked": "2", "k": 2}}, obs={"condition": condition}, factors=factors)
    (one,) = gather_facts(net, adata).factor_follows
    assert (one.component, one.column) == (2, "condition")
    assert one.r2 > 0.8
    _, words, _ = parsed(tmp_path, net, adata)
    assert "Factor 2 follows “condition”" in words
    assert "what moves the genes with “condition” went with it" in words
    named = {"batch": {"obs": {"batch": condition}}, "unit": {"obs": {"replicate": condition}}}
    for change in named.values():  # technical columns and units are taken out rightly
        assert not gather_facts(net, make_data(net, factors=factors, **change)).factor_follows
    loose = np.column_stack([treated + rng.normal(0, 2.0, N)])
    assert not gather_facts(net, make_data(net, obs={"condition": condition}, factors=loose)).factor_follows


@pytest.mark.parametrize(
    ("n_donors", "words"),
    [
        (1, "one donor: says nothing about the population of donors"),
        (11, "11 donors: says little about the population of donors"),
        (12, ""),
        (0, ""),
    ],
)
def test_the_tile_of_units_warns_of_few_donors(tmp_path, n_donors, words):
    net = make_network({"design": {"assay": "cells", "n_donors": n_donors}})
    tree, _, _ = parsed(tmp_path, net, make_data(net))
    (tile,) = tree.xpath("//div[@class='tile'][contains(span, 'independent units')]")
    assert re.sub(r"\s+", " ", tile.text_content()).removeprefix(f"{N}independent units").strip() == words


def test_symbols_are_shown_with_keys_and_twins_stay_apart():
    nodes = pd.DataFrame({"name": ["E1", "E2", "E3", "E4", "TP53"], "symbol": ["TBCE", "TBCE", "CRP", "", "TP53"]})
    shown = display_names(nodes)
    assert shown == {"E1": "TBCE (E1)", "E2": "TBCE (E2)", "E3": "CRP", "E4": "E4", "TP53": "TP53"}
    clash = display_names(pd.DataFrame({"name": ["E1", "CRP"], "symbol": ["CRP", "X"]}))
    assert clash == {"E1": "CRP (E1)", "CRP": "X"}
    assert display_names(pd.DataFrame({"name": ["a"]})) == {"a": "a"}


def test_a_phenotype_table_is_shown_beside_the_network(tmp_path):
    net = make_network()
    genes = pd.DataFrame(
        {"gene": ["g1", "g2"], "weight": [0.3, 0.2], "sign": [1, -1], "effect": [0.5, np.nan],
         "effect_low": [0.1, np.nan], "effect_high": [0.8, np.nan], "selection_probability": [1.0, 0.8],
         "expected_false_genes": [0.01, 0.02], "q_value": [0.01, 0.01], "rank": [1, 2]}
    )  # fmt: skip
    tree, _, page = parsed(tmp_path, net, phenotype=genes)
    assert tree.xpath("//h2[@id='phenotype']")[0].text == "Genes for the trait"
    assert "<strong>2 genes</strong>" in page
    assert "go with the trait also when the other genes are taken into account." in page
    assert "need not cause the trait" in page
    assert "for weak candidates the two may disagree" in page
    assert "rises with it" in page
    assert "0.10 to 0.80" in page
    assert "Odds ratio" not in page
    _, _, page = parsed(tmp_path, net, phenotype=genes.assign(odds_ratio=[1.75, 0.5]))
    assert "Odds ratio" in page
    assert "1.75" in page
    odds = genes.assign(odds_ratio=[1.75, 0.5], odds_ratio_low=[1.25, np.nan], odds_ratio_high=[2.5, np.nan])
    record = {"column": "state", "n_units": 40, "classes": {"healthy": 25, "ill": 15}, "covariates": ["sex"]}
    model = PhenotypeModel(odds, odds, record | {"auc_heldout": 0.8, "auc_covariates": None}, {"met": True})
    _, _, text = parsed(tmp_path, net, phenotype=model)
    assert "25 “healthy”, 15 “ill”. sex is fitted beside the genes, without a penalty." in text
    assert "“ill” more likely" in text
    assert "1.75 (1.25 to 2.50)" in text
    assert "the odds of “ill” against “healthy” change" in text
    assert "area under the ROC curve (0.5 is chance) 0.80" in text
    assert "covariates alone" not in text
    tree, _, page = parsed(tmp_path, net, phenotype=genes.iloc[:0])
    assert "No gene passes the cut." in page
    assert not tree.xpath("//h2[@id='phenotype']/following-sibling::div[1]//tbody[not(tr)]")


def annotated(note=None):
    k = 4 * 12
    near = np.arange(k) < 6
    columns = {"same_operon": np.arange(k) < 3, "gene_distance": pd.array(np.where(near, 2, 900), dtype="Int64")}
    return make_network({"neighbours": note} if note else None, columns=columns)


def test_shares_of_operon_and_neighbour_pairs_are_shown_where_there_is_an_annotation(tmp_path):
    note = {"note": "12 of 16 genes have a place", "operons": "given", "n_left_out": 0}
    tree, text, _ = parsed(tmp_path, annotated(note))
    assert "12 of 16 genes have a place." in text
    (row,) = tree.xpath("//dd//tbody/tr[td[1]='this network']")
    # 48 edges: 3 within an operon, 6 within three genes
    assert [cell.text for cell in row] == ["this network", "48", "6.2 %", "12 %"]
    tree, text, _ = parsed(tmp_path, annotated({"note": "no operons are known", "operons": "none"}))
    assert "In one operon" not in text
    assert "Within 3 genes" in text


def test_many_operon_pairs_lead_to_advice(tmp_path):
    k = 4 * 12
    columns = {"same_operon": np.arange(k) < 5, "gene_distance": pd.array(np.full(k, 1), dtype="Int64")}
    _, text, _ = parsed(tmp_path, make_network({"neighbours": {"operons": "given"}}, columns=columns))
    assert "10 % of the edges join genes of one operon" in text  # 5 of 48


def test_scores_with_and_without_operon_pairs_are_shown_where_they_were_computed(tmp_path):
    scores = pd.DataFrame(
        {"metric": ["aupr", "aupr_without_operon"], "value": [0.25, 0.125], "baseline": np.nan, "low": np.nan,
         "high": np.nan}
    )  # fmt: skip
    _, text, page = parsed(tmp_path, annotated({"operons": "given"}), evaluation=scores)
    assert "is 0.250 with pairs of one operon and 0.125 without them" in text
    assert "(AUPR), without the pairs of one operon" in page
    _, text, page = parsed(tmp_path, annotated({"operons": "given"}), evaluation=scores.iloc[:1])
    assert "without them" not in text
