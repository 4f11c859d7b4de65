"""A data set with a phenotype: what is planned, what is written, what is refused."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

N_SAMPLES = 48


def with_trait(project: Any, **phenotype: object) -> Any:
    """Give the data set csv a sample sheet and a trait that follows gene tf3."""
    frame = pd.read_csv(project.folder / "data" / "expression.csv", index_col=0)
    noise = np.random.default_rng(5).standard_normal(N_SAMPLES)
    sheet = pd.DataFrame({"sample": frame.index, "yield": frame["tf3"].to_numpy() + 0.2 * noise, "state": "ill"})
    sheet["health"] = np.where(sheet["yield"] > sheet["yield"].median(), "well", "ill")
    sheet["sex"] = np.where(np.random.default_rng(6).random(N_SAMPLES) < 0.5, "female", "male")
    sheet.to_csv(project.folder / "data" / "samples.tsv", sep="\t", index=False)
    project.configure()
    path = project.folder / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["datasets"][0] |= {"samples": "data/samples.tsv", "phenotype": {"column": "yield", **phenotype}}
    config["regression"] = {"n_subsamples": 20, "n_penalties": 6}
    path.write_text(yaml.safe_dump(config))
    return project


@pytest.fixture(scope="module")
def traited(new_project: Callable[[], Any]) -> Any:
    return with_trait(new_project())


def test_a_dry_run_plans_the_phenotype_only_where_there_is_one(new_project: Callable[[], Any], traited: Any) -> None:
    planned = traited.snakemake("--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert re.search(r"^phenotype +1$", planned.stdout + planned.stderr, flags=re.MULTILINE)
    plain = new_project().snakemake("--dry-run")
    assert not re.search(r"^phenotype +1$", plain.stdout + plain.stderr, flags=re.MULTILINE)


def test_a_run_writes_the_genes_and_puts_them_on_the_nodes(traited: Any) -> None:
    done = traited.snakemake()
    assert done.returncode == 0, done.stderr[-3000:]
    folder = traited.folder / "results" / "csv"
    genes = pd.read_csv(folder / "phenotype" / "genes.tsv", sep="\t")
    assert genes["gene"].iloc[0] == "tf3"
    record = json.loads((folder / "phenotype" / "model.json").read_text())
    assert (record["column"], record["n_units"], record["settings"]["model"]) == ("yield", N_SAMPLES, "lasso")
    assert record["cut"]["asked"] == {"selection_probability": 0.8}
    nodes = pd.read_csv(folder / "nodes.tsv", sep="\t").set_index("name")
    assert nodes.loc["tf3", "phenotype_effect"] == genes["effect"].iloc[0]
    keys = {key.get("attr.name") for key in ET.parse(folder / "network.graphml").getroot() if key.get("for") == "node"}
    assert {"phenotype_effect", "phenotype_selection_probability"} <= keys
    outputs = json.loads((folder / "manifest.json").read_text())["outputs"]
    assert {"phenotype/genes.tsv", "phenotype/genes_ranked.tsv", "phenotype/model.json"} <= set(outputs)
    assert "yield" in (folder / "report.html").read_text()


def test_two_classes_give_odds_ratios(new_project: Callable[[], Any]) -> None:
    project = with_trait(new_project(), column="health", family="binomial", covariates=["sex"])
    done = project.netinfer("check", "config/config.yaml")
    assert done.returncode == 0, done.stderr
    assert (
        "phenotype health: 48 samples with a value (24 ill, 24 well), 48 independent units" in done.stdout + done.stderr
    )
    done = project.snakemake("results/csv/report.html", "results/csv/network.graphml")
    assert done.returncode == 0, done.stderr[-3000:]
    folder = project.folder / "results" / "csv"
    genes = pd.read_csv(folder / "phenotype" / "genes_ranked.tsv", sep="\t")
    assert genes["gene"].iloc[0] == "tf3"
    np.testing.assert_allclose(genes["odds_ratio"], np.exp(genes["effect"]))
    record = json.loads((folder / "phenotype" / "model.json").read_text())
    assert (record["family"], record["classes"], record["covariates"]) == ("binomial", {"ill": 24, "well": 24}, ["sex"])
    assert record["auc_heldout"] > 0.7  # the class is which half of tf3, with a little noise
    assert "r2_heldout" not in record
    assert "“well” more likely" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("phenotype", "message"),
    [
        ({"column": "yeild"}, "'yeild' is not among the columns of the samples (nearest: 'yield')"),
        ({"column": "state"}, "values are no numbers, such as 'ill'"),
        ({"column": "state", "family": "binomial"}, "one class only ('ill')"),
    ],
)
def test_a_trait_that_cannot_be_modelled_is_refused_before_the_run(new_project, phenotype, message) -> None:
    done = with_trait(new_project(), **phenotype).netinfer("check", "config/config.yaml")
    assert done.returncode == 3, done.stderr
    assert message in done.stdout + done.stderr
