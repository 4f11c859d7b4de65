"""Data sets compared: what is planned, written and made again, and what is refused or left out with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import yaml

import netinfer as ni
from netinfer.stages import read_h5ad

RULES = ("comparison_plan", "comparison_halves", "comparison", "comparison_report")
GENES = [f"g{j:02d}" for j in range(30)]


def samples(n: int, seed: int) -> pd.DataFrame:
    """A chain of genes; with an odd seed its first tie is missing and another has the other sign."""
    precision = np.eye(30) - 0.35 * (np.eye(30, k=1) + np.eye(30, k=-1))
    if seed % 2:
        precision[0, 1] = precision[1, 0] = 0.0
        precision[8, 9] = precision[9, 8] = 0.35
    data = np.random.default_rng(seed).standard_normal((n, 30)) @ np.linalg.cholesky(np.linalg.inv(precision)).T
    return pd.DataFrame(data + 6, columns=GENES, index=[f"s{i}" for i in range(n)])


def with_comparison(project: Any, sizes: tuple[int, int] = (150, 150), **comparison: object) -> Any:
    """Give the project two small data sets and a comparison of them."""
    datasets = []
    for seed, (name, n) in enumerate(zip(("rich", "minimal"), sizes, strict=True)):
        samples(n, seed).to_csv(project.folder / "data" / f"{name}.csv")
        regulators = project.folder / "data" / "all.txt"
        regulators.write_text("\n".join(GENES[:5]) + "\n")
        datasets.append(
            {
                "name": name,
                "expression": f"data/{name}.csv",
                "regulators": "data/all.txt",
                "normalize": "none",
                "filter": {"genes": "none"},
            }
        )
    asked = {"name": "media", "datasets": ["rich", "minimal"], "kind": "fused", **comparison}
    project.configure()
    path = project.folder / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**config, "datasets": datasets, "comparisons": [asked]}))
    return project


def planned(done: Any) -> set[str]:
    return {rule for rule in RULES if re.search(rf"^{rule} +\d+$", done.stdout + done.stderr, flags=re.MULTILINE)}


@pytest.fixture(scope="module")
def compared(new_project: Callable[[], Any]) -> Any:
    project = with_comparison(new_project(), penalty=0.15)
    done = project.snakemake("results/media/report.html")
    assert done.returncode == 0, done.stderr[-3000:]
    return project


def test_it_is_planned_only_where_it_is_asked_for(new_project: Callable[[], Any]) -> None:
    assert planned(with_comparison(new_project()).snakemake("--dry-run")) == set(RULES)
    assert planned(new_project().snakemake("--dry-run")) == set()


def test_a_run_writes_what_one_call_gives(compared: Any) -> None:
    folder = compared.folder / "results" / "media"
    found = ni.JointNetworks.read(folder)
    data = {
        name: read_h5ad(compared.folder / "results" / name / "work" / "normalized.h5ad") for name in ("rich", "minimal")
    }
    expected = ni.infer_joint_precision(data, kind="fused", penalty=0.15, n_subsamples=10, seed=0, threads=1)
    pd.testing.assert_frame_equal(found.changes, expected.changes)
    pd.testing.assert_frame_equal(found.edges, expected.edges)
    for key in ("similarities", "similarity", "n_fits", "worst_duality_gap", "conditions"):
        assert found.provenance[key] == expected.provenance[key], key
    changes = found.changes.set_index(["source", "target"])["change"]
    # 150 samples: a partial correlation of 0.35 is four standard errors.
    assert changes[("g05", "g06")] == "shared"
    assert changes[("g08", "g09")] != "shared"
    graph = nx.read_graphml(folder / "network.graphml")
    assert not graph.is_directed()
    assert {data["change_minimal"] for *_, data in graph.edges(data=True)} == set(found.changes["change"])
    report = (folder / "report.html").read_text()
    assert "minimal against rich" in report
    assert "That is no proof that the tie is absent" in report
    assert "conditional on the genes included: 30 of 30" in report


def test_another_threshold_repeats_no_fit(compared: Any) -> None:
    done = compared.snakemake("results/media/report.html", "--dry-run", "--config", "regression={threshold: 0.75}")
    assert planned(done) == {"comparison", "comparison_report"}, done.stdout + done.stderr


def test_lost_parts_are_made_anew_with_the_same_bytes(compared: Any) -> None:
    folder = compared.folder / "results" / "media"
    names = ("changes.tsv", "edges.tsv", "network.graphml", "provenance.json", "report.html")
    before = {name: (folder / name).read_bytes() for name in names}
    part = folder / "work" / "halves" / "2-of-3.npz"
    part.write_bytes(part.read_bytes()[:-9] + b"?" * 9)
    (folder / "changes.tsv").unlink()
    (folder / "report.html").unlink()
    done = compared.snakemake("results/media/report.html")
    assert done.returncode == 1
    assert "delete it and run again" in done.stdout + done.stderr
    part.unlink()
    done = compared.snakemake("results/media/report.html")
    assert done.returncode == 0, done.stderr[-3000:]
    assert {name: (folder / name).read_bytes() for name in names} == before


def test_other_chunks_give_the_same_bytes(compared: Any, new_project: Callable[[], Any]) -> None:
    project = with_comparison(new_project(), penalty=0.15)
    done = project.snakemake("results/media/report.html", "--set-scatter", "targets=2")
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("changes.tsv", "changes.parquet", "edges.tsv", "genes.tsv", "network.graphml", "provenance.json"):
        assert project.read(name, "media") == compared.read(name, "media"), name


def test_too_few_units_make_no_comparison_and_stop_nothing(new_project: Callable[[], Any]) -> None:
    project = with_comparison(new_project(), (60, 14))
    checked = project.netinfer("check", "config/config.yaml")
    assert checked.returncode == 0, checked.stderr
    assert "comparison media: skipped" in checked.stdout
    done = project.snakemake("results/media/report.html")
    assert done.returncode == 0, done.stderr[-3000:]
    folder = project.folder / "results" / "media"
    assert (
        "minimal has 14 independent units, at least 20"
        in json.loads((folder / "provenance.json").read_text())["skipped"]
    )
    assert len(ni.JointNetworks.read(folder).changes) == 0
    assert "No comparison was made" in (folder / "report.html").read_text()


def test_data_sets_without_common_genes_are_refused_before_any_work(new_project: Callable[[], Any]) -> None:
    project = with_comparison(new_project())
    path = project.folder / "data" / "minimal.csv"
    pd.read_csv(path, index_col=0).rename(columns=str.upper).to_csv(path)
    (project.folder / "data" / "upper.txt").write_text("\n".join(GENES[:5]).upper() + "\n")
    config = project.folder / "config" / "config.yaml"
    values = yaml.safe_load(config.read_text())
    values["datasets"][1]["regulators"] = "data/upper.txt"
    config.write_text(yaml.safe_dump(values))
    checked = project.netinfer("check", "config/config.yaml")
    assert checked.returncode == 3
    assert "'minimal' has no genes in common with 'rich'" in checked.stdout + checked.stderr
