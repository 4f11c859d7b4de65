"""A data set with an undirected network: what is planned, written and made again, and when there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import networkx as nx
import pandas as pd
import pytest
import yaml

import netinfer as ni
from netinfer.stages import read_h5ad

RULES = ("precision_penalty", "precision_halves", "precision", "consensus")


def with_graph(project: Any, **precision: object) -> Any:
    """Give the data set csv an undirected network of a few genes."""
    path = project.folder / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["datasets"][0]["precision"] = {"max_genes": 30, "criterion": "ebic", **precision}
    path.write_text(yaml.safe_dump(config))
    return project


def planned(done: Any) -> set[str]:
    return {rule for rule in RULES if re.search(rf"^{rule} +\d+$", done.stdout + done.stderr, flags=re.MULTILINE)}


@pytest.fixture(scope="module")
def graphed(new_project: Callable[[], Any]) -> Any:
    return with_graph(new_project())


def test_it_is_planned_only_where_it_is_asked_for(new_project: Callable[[], Any], graphed: Any) -> None:
    assert planned(graphed.snakemake("--dry-run")) == set(RULES)
    assert planned(new_project().snakemake("--dry-run")) == set()


def test_a_run_writes_the_network_of_one_call_and_the_consensus(graphed: Any) -> None:
    done = graphed.snakemake()
    assert done.returncode == 0, done.stderr[-3000:]
    folder = graphed.folder / "results" / "csv"
    net = ni.Network.read(folder / "precision")
    adata = read_h5ad(folder / "work" / "normalized.h5ad")
    expected = ni.infer_precision(adata, criterion="ebic", max_genes=30, n_subsamples=10, seed=0, threads=1)
    pd.testing.assert_frame_equal(net.candidates, expected.candidates)
    assert net.provenance["path"] == expected.provenance["path"]
    assert len(net.edges) > 0
    graph = nx.read_graphml(folder / "precision" / "network.graphml")
    assert not graph.is_directed()
    assert graph.number_of_edges() == len(net.edges)
    both = pd.read_csv(folder / "precision" / "consensus.tsv", sep="\t")
    assert set(both["evidence"]) >= {"both", "directed"}
    report = (folder / "report.html").read_text()
    assert "Undirected network" in report
    assert "conditional on the genes included: 30 of 200, 8 regulators" in report
    outputs = json.loads((folder / "manifest.json").read_text())["outputs"]
    assert {"precision/edges.tsv", "precision/network.graphml", "precision/consensus.tsv"} <= set(outputs)


def test_another_cut_repeats_no_fit(graphed: Any) -> None:
    graphed.snakemake()
    done = graphed.snakemake("--dry-run", "--config", "cut={selection_probability: 0.9}")
    assert planned(done) == {"consensus"}, done.stdout + done.stderr


def test_too_few_units_make_no_network_and_stop_nothing(new_project: Callable[[], Any]) -> None:
    project = new_project()
    path = project.folder / "data" / "expression.csv"
    pd.read_csv(path, index_col=0).iloc[:18].to_csv(path)
    with_graph(project)
    checked = project.netinfer("check", "config/config.yaml")
    assert checked.returncode == 0, checked.stderr
    assert "undirected network: skipped" in checked.stdout + checked.stderr
    done = project.snakemake("results/csv/report.html")
    assert done.returncode == 0, done.stderr[-3000:]
    cut = json.loads((project.folder / "results" / "csv" / "precision" / "cut.json").read_text())
    assert not cut["met"]
    assert "18 independent units, at least 20" in cut["reason"]
    assert "No undirected network was made" in (project.folder / "results" / "csv" / "report.html").read_text()


def test_a_run_by_nodewise_regressions_is_that_of_one_call(new_project: Callable[[], Any]) -> None:
    project = with_graph(new_project(), method="nodewise", combine="or", criterion="stars")
    done = project.snakemake("results/csv/precision/consensus.tsv", "results/csv/report.html")
    assert done.returncode == 0, done.stderr[-3000:]
    folder = project.folder / "results" / "csv"
    net = ni.Network.read(folder / "precision")
    adata = read_h5ad(folder / "work" / "normalized.h5ad")
    settings = {"method": "nodewise", "combine": "or", "max_genes": 30, "n_subsamples": 10}
    expected = ni.infer_precision(adata, seed=0, threads=1, **settings)
    pd.testing.assert_frame_equal(net.candidates, expected.candidates)
    assert net.provenance["path"] == expected.provenance["path"]
    assert net.provenance["model"] == "nodewise_lasso"
    assert len(net.edges) > 0
    report = (folder / "report.html").read_text()
    assert "the Lasso of each gene on all the others on Pearson correlations, one has to select the other" in report


def test_settings_of_the_other_method_are_refused_at_the_check(new_project: Callable[[], Any]) -> None:
    for precision, message in (
        ({"combine": "or"}, "combine is for method nodewise"),
        ({"method": "nodewise", "criterion": "cv"}, "criterion cv is not for method nodewise"),
    ):
        checked = with_graph(new_project(), **precision).netinfer("check", "config/config.yaml")
        assert checked.returncode != 0
        assert message in checked.stdout + checked.stderr
