"""A data set with a sensitivity card: what is planned, what is written, what is refused before the run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from netinfer.models.sensitivity import Sensitivity


def with_card(project: Any, **keys: object) -> Any:
    """Give the data set csv batches, a second list of regulators and a sensitivity block."""
    data = project.folder / "data"
    frame = pd.read_csv(data / "expression.csv", index_col=0)
    sheet = pd.DataFrame({"sample": frame.index, "batch": np.resize(["one", "two"], len(frame)), "all": "x"})
    # Without the first half three blocks are left of nine.
    sheet["half"], sheet["culture"] = (
        ["a"] * 32 + ["b"] * 16,
        [f"c{i // 6}" for i in range(32)] + ["d", "e", "f", "f"] * 4,
    )
    sheet.to_csv(data / "samples.tsv", sep="\t", index=False)
    (data / "few.txt").write_text("tf0\ntf1\ntf2\n")
    (data / "none.txt").write_text("nobody\n")
    project.configure()
    path = project.folder / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    block = {"block": keys.pop("block")} if "block" in keys else {}
    config["datasets"][0] |= block | {"samples": "data/samples.tsv", "sensitivity": keys}
    path.write_text(yaml.safe_dump(config))
    return project


ASKED = {"normalizations": ["rank"], "leave_out": "batch", "regulators": ["data/few.txt"]}


@pytest.fixture(scope="module")
def carded(new_project: Callable[[], Any]) -> Any:
    return with_card(new_project(), **ASKED)


def test_a_dry_run_plans_the_variants_only_where_they_are_asked_for(new_project: Any, carded: Any) -> None:
    planned = carded.snakemake("--dry-run")
    assert planned.returncode == 0, planned.stderr
    text = planned.stdout + planned.stderr
    assert re.search(r"^variants +3$", text, flags=re.MULTILINE)
    assert re.search(r"^sensitivity +1$", text, flags=re.MULTILINE)
    plain = new_project().snakemake("--dry-run")
    assert not re.search(r"^(variants|sensitivity) +", plain.stdout + plain.stderr, flags=re.MULTILINE)


def test_a_run_writes_the_card(carded: Any) -> None:
    done = carded.snakemake()
    assert done.returncode == 0, done.stderr[-3000:]
    folder = carded.folder / "results" / "csv"
    card = Sensitivity.read(folder)
    names = ["redrawn", "normalize=rank", "without=one", "without=two", "regulators=few"]
    assert card.variants["variant"].tolist() == names
    assert card.variants["n_samples"].tolist() == [48, 48, 24, 24, 48]
    provenance = json.loads((folder / "provenance.json").read_text())
    assert card.variants["threshold"].tolist() == [provenance["threshold"]] * 5
    edges = pd.read_csv(folder / "edges.tsv", sep="\t")
    assert card.edges["source"].tolist() == edges["source"].tolist()
    assert card.edges["target"].tolist() == edges["target"].tolist()
    in_list = card.edges["source"].isin(["tf0", "tf1", "tf2"])
    assert card.edges["regulators=few.survives"].notna().tolist() == in_list.tolist()
    # Each target follows its one regulator with R2 0.7: ranks of the same samples find most of it again.
    assert card.variants["share_survives"].iloc[1] > 0.8
    text = (folder / "sensitivity.tsv").read_text()
    assert "\ttrue\t" in text
    assert "<svg" in (folder / "sensitivity.svg").read_text()
    page = (folder / "report.html").read_text()
    assert "Does it hang on one choice?" in page
    assert "regulators=few" in page
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {"sensitivity.tsv", "sensitivity_variants.tsv"} <= set(manifest["outputs"])
    assert manifest["inputs"]["sensitivity.regulators.1"]["path"] == "data/few.txt"


def test_another_cut_rule_or_threshold_repeats_no_fit_and_other_chunks_give_the_same_card(carded: Any) -> None:
    before = carded.read("sensitivity.tsv")
    path = carded.folder / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    fitted = config.get("regression", {})
    for change in (
        {"cut": {"selection_probability": 0.9}},
        {"regression": {**fitted, "threshold": 0.75}},
        {"regression": {**fitted, "rule": "ipss_quadratic"}},
    ):
        path.write_text(yaml.safe_dump({**config, **change}))
        planned = carded.snakemake("--dry-run")
        text = planned.stdout + planned.stderr
        assert re.search(r"^sensitivity +1$", text, flags=re.MULTILINE)
        assert not re.search(r"^(variants|regression) +", text, flags=re.MULTILINE)
    done = carded.snakemake("results/csv/sensitivity.tsv")
    assert done.returncode == 0, done.stderr[-3000:]
    provenance = json.loads(carded.read("provenance.json"))
    variants = pd.read_csv(carded.folder / "results" / "csv" / "sensitivity_variants.tsv", sep="\t")
    assert variants["truncation"].tolist() == [provenance["truncation"]] * 5
    assert variants["threshold"].isna().all()
    path.write_text(yaml.safe_dump({**config, "chunks": 2}))
    done = carded.snakemake("results/csv/sensitivity.tsv")
    assert done.returncode == 0, done.stderr[-3000:]
    assert carded.read("sensitivity.tsv") == before


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ({"leave_out": "bach"}, 3, "no column 'bach' of samples (nearest 'batch')"),
        ({"leave_out": "all"}, 3, "column 'all' has 1 groups: x"),
        ({"normalizations": ["cpm_log1p"]}, 3, "sensitivity: normalize=cpm_log1p: "),
        ({"normalizations": ["none"]}, 2, "none in sensitivity is the data set's own `normalize`"),
        ({"normalizations": ["rnak"]}, 2, "sensitivity.normalizations"),
        ({"regulators": ["data/none.txt"]}, 3, "sensitivity: regulators=none: "),
        ({"regulators": ["data/nowhere.txt"]}, 3, "data/nowhere.txt: no such file"),
        ({"n_subsamples": 10}, 2, "nothing to vary"),
        ({"leave_out": "batch", "n_subsamples": 11}, 2, "must be even"),
        ({"leave_out": "half", "block": "culture"}, 3, "sensitivity: without=a: "),
        ({"leave": "batch"}, 2, "did you mean `leave_out`"),
    ],
)
def test_what_cannot_be_varied_is_refused_before_the_run(new_project, asked, code, message) -> None:
    done = with_card(new_project(), **asked).netinfer("check", "config/config.yaml")
    assert done.returncode == code, done.stdout + done.stderr
    assert message in done.stdout + done.stderr


def test_the_check_says_what_the_card_costs(new_project) -> None:
    done = with_card(new_project(), **ASKED).netinfer("check", "config/config.yaml")
    assert done.returncode == 0, done.stderr
    said = (
        "sensitivity: 5 variants, each as much work as the network: redrawn, normalize=rank, without=one, without=two"
    )
    assert said in done.stdout + done.stderr
