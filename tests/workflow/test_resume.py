"""More half-samples through the real Snakemake: only missing ones are fitted, with the bytes of all at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.slow

FILES = (
    "edges.tsv", "edges.parquet", "candidates.parquet", "nodes.tsv", "targets.tsv", "network.graphml",
    "provenance.json", "cut.json", *(f"work/regression/{i}-of-3.npz" for i in (1, 2, 3)),
)  # fmt: skip


def ran(text: str) -> dict[str, int]:
    """Count the jobs of each rule in Snakemake's own statistics."""
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", text, flags=re.MULTILINE)}


def configured(project: Any) -> dict[str, Any]:
    return yaml.safe_load((project.folder / "config" / "config.yaml").read_text())


def logs(project: Any) -> list[str]:
    folder = project.folder / "results" / "csv" / "work" / "logs" / "regression"
    return [(folder / f"{i}-of-3.log").read_text() for i in (1, 2, 3)]


def test_more_half_samples_give_the_bytes_of_all_at_once(finished: Any, new_project: Callable[[], Any]) -> None:
    project = new_project()
    whole = configured(project)["regression"]
    project.configure(regression={**whole, "n_subsamples": 6})
    assert project.snakemake("--until", "regression").returncode == 0
    state = project.folder / "results" / "csv" / "work" / "state"
    assert sorted(path.name for path in state.iterdir()) == [f"{i}-of-3.npz" for i in (1, 2, 3)]
    damaged = state / "2-of-3.npz"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")

    project.configure(regression=whole)
    done = project.snakemake()
    assert done.returncode == 0, done.stderr[-3000:]
    assert ran(done.stdout + done.stderr)["regression"] == 3
    for i, text in enumerate(logs(project), start=1):
        said = "kept sums that are damaged: fitted anew" if i == 2 else "6 of 10 half-samples are kept there"
        assert said in text
    for file in FILES:
        assert project.read(file) == finished.read(file), file

    # Decoys are further fits, on top of what is kept.
    project.configure(regression={**whole, "decoys": True})
    done = project.snakemake("--until", "gather")
    assert done.returncode == 0, done.stderr[-3000:]
    assert all("10 of 10 half-samples are kept there" in text for text in logs(project))
    assert project.read("candidates.parquet") == finished.read("candidates.parquet")
    assert len(list(state.iterdir())) == 6


def test_strata_go_through_the_workflow(new_project: Callable[[], Any]) -> None:
    project = new_project()
    samples: Path = project.folder / "data" / "samples.tsv"
    rows = [f"s{i}\tu{i // 2}\t{'f' if i < 20 else 'm'}\t{'a' if i else 'b'}" for i in range(48)]
    samples.write_text("\n".join(["sample\tunit\tsex\talone", *rows]) + "\n")
    config = configured(project)
    dataset = {**config["datasets"][0], "samples": "data/samples.tsv", "block": "unit"}
    project.configure(datasets=[{**dataset, "strata": "alone"}])
    done = project.snakemake()
    assert done.returncode == 1
    assert "lies in 2 strata of 'alone' ('a', 'b')" in done.stdout + done.stderr
    assert not (project.folder / "results" / "csv" / "work" / "ingested.h5ad").exists()

    project.configure(datasets=[{**dataset, "strata": "sex"}])
    checked = project.netinfer("check", "config/config.yaml")
    assert "strata: 2 of sex, of 10 to 14 units" in checked.stdout
    done = project.snakemake("--until", "report")
    assert done.returncode == 0, done.stderr[-3000:]
    assert b'"strata": "sex"' in project.read("provenance.json")
    assert (
        "Each half-sample holds the classes of the column “sex” in the same proportion."
        in project.read("report.html").decode()
    )

    project.configure(datasets=[dataset])
    assert ran(project.snakemake("--dry-run").stdout)["regression"] == 3
