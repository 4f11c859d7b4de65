"""The workflow through the real Snakemake, on a small simulated data set."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.slow

FILES = (
    "edges.tsv", "edges.parquet", "candidates.parquet", "nodes.tsv", "targets.tsv", "network.graphml",
    "network_top.graphml", "network.h5ad", "provenance.json", "cut.json", "evaluation.tsv", "report.html",
    "manifest.json",
)  # fmt: skip


def ran(text: str) -> dict[str, int]:
    """Count the jobs of each rule in Snakemake's own statistics."""
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", text, flags=re.MULTILINE)}


def test_a_run_makes_every_output(finished: Any) -> None:
    for name in ("csv", "h5ad", "sparse"):
        for file in FILES:
            assert len(finished.read(file, name)) > 0, file
        # The chunks stay: another bound is read from them without a fit.
        parts = finished.folder / "results" / name / "work" / "regression"
        assert sorted(part.name for part in parts.iterdir()) == [f"{i}-of-3.npz" for i in (1, 2, 3)]
    assert len(finished.read("edges.tsv").splitlines()) > 1, "the simulated edges are found"
    assert len(finished.read("targets.tsv").splitlines()) == 201
    assert not list((finished.folder / ".snakemake" / "locks").glob("*"))


def test_the_form_of_the_input_does_not_change_a_byte(finished: Any) -> None:
    for file in ("edges.tsv", "edges.parquet", "candidates.parquet", "targets.tsv", "nodes.tsv"):
        assert finished.read(file, "csv") == finished.read(file, "h5ad") == finished.read(file, "sparse"), file


def test_a_second_run_has_nothing_to_do(finished: Any) -> None:
    done = finished.snakemake("--dry-run")
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout + done.stderr


def test_manifest_holds_hashes_settings_and_versions(finished: Any) -> None:
    manifest = json.loads(finished.read("manifest.json"))
    for name, digest in manifest["outputs"].items():
        assert hashlib.sha256(finished.read(name)).hexdigest() == digest, name
    expression = (finished.folder / "data" / "expression.csv").read_bytes()
    assert manifest["inputs"]["expression"]["sha256"] == hashlib.sha256(expression).hexdigest()
    assert manifest["settings"]["regression"]["n_subsamples"] == 10
    assert manifest["settings"]["regression"]["shrinkage"] == 0.5, "defaults are written out"
    assert {"numpy", "numba", "snakemake", "python"} <= set(manifest["versions"])


@pytest.mark.parametrize(("cores", "chunks"), [(1, 1), (2, 7)])
def test_cores_and_chunks_do_not_change_a_byte(
    finished: Any, new_project: Callable[[], Any], cores: int, chunks: int
) -> None:
    project = new_project()
    project.configure(chunks=chunks)
    done = project.snakemake(cores=cores)
    assert done.returncode == 0, done.stderr[-3000:]
    for file in FILES:
        if file not in ("network.h5ad", "report.html", "manifest.json"):
            assert project.read(file) == finished.read(file), file


def test_changes_run_what_they_touch_and_nothing_else(finished: Any, new_project: Callable[[], Any]) -> None:
    project = new_project()
    assert project.snakemake().returncode == 0
    before = project.read("edges.tsv")

    project.configure(cut={"selection_probability": 0.95})
    done = project.snakemake("recut")
    counts = ran(done.stdout + done.stderr)
    assert done.returncode == 0
    assert not {"ingest", "normalize", "regression", "gather"} & set(counts)
    assert counts["network"] == counts["report"] == 1
    assert project.read("edges.tsv") != before
    assert project.read("candidates.parquet") == finished.read("candidates.parquet")

    fitted = yaml.safe_load((project.folder / "config" / "config.yaml").read_text())["regression"]
    project.configure(regression={**fitted, "rule": "shah_samworth"})
    counts = ran(project.snakemake("--dry-run").stdout)
    assert counts["gather"] == 1
    assert "regression" not in counts

    project.configure(regression={"n_subsamples": 12, "n_penalties": 6})
    counts = ran(project.snakemake("--dry-run").stdout)
    assert counts["regression"] == 3
    assert "ingest" not in counts

    project.configure(seed=1)
    assert ran(project.snakemake("--dry-run").stdout)["regression"] == 3


def test_the_report_collects_the_pages(finished: Any) -> None:
    done = finished.run("snakemake", "--report", "report.zip")
    assert done.returncode == 0, done.stderr[-2000:]
    assert (finished.folder / "report.zip").stat().st_size > 0


def test_an_error_of_the_data_is_one_line(new_project: Callable[[], Any]) -> None:
    project = new_project()
    table = project.folder / "data" / "expression.csv"
    lines = table.read_text().splitlines()
    cells = lines[3].split(",")
    cells[5] = "high"
    table.write_text("\n".join([*lines[:3], ",".join(cells), *lines[4:]]) + "\n")
    done = project.snakemake()
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "'high'" in said
    assert "Traceback" not in said
    log = (project.folder / "results" / "csv" / "work" / "logs" / "preflight.log").read_text()
    assert "'high'" in log
    assert not (project.folder / "results" / "csv" / "work" / "ingested.h5ad").exists()


def test_a_damaged_chunk_is_refused_by_name(new_project: Callable[[], Any]) -> None:
    project = new_project()
    done = project.snakemake("--notemp", "--until", "regression")
    assert done.returncode == 0, done.stderr[-2000:]
    part = project.folder / "results" / "csv" / "work" / "regression" / "2-of-3.npz"
    part.write_bytes(part.read_bytes()[:-100])
    done = project.snakemake("--notemp")
    assert done.returncode == 1
    assert "2-of-3.npz: missing or damaged chunk" in done.stdout + done.stderr
    assert not (project.folder / "results" / "csv" / "edges.tsv").exists()


def test_chunks_of_other_settings_are_refused(new_project: Callable[[], Any]) -> None:
    project = new_project()
    assert project.snakemake("--notemp", "--until", "regression").returncode == 0
    project.configure(seed=1)
    # Touching hides the change from Snakemake, as a lost .snakemake folder does.
    assert project.snakemake("--touch", "--until", "regression").returncode == 0
    done = project.snakemake("--notemp", "--rerun-triggers", "mtime")
    assert done.returncode == 1
    assert "made from other data, settings or seed" in done.stdout + done.stderr
