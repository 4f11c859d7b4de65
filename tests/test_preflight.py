"""The check before a run: an annotation that does not fit is refused there, not after the fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from netinfer.config import DatasetConfig
from netinfer.errors import ConfigError, InputError
from netinfer.preflight import describe, inspect


@pytest.fixture
def data(tmp_path: Path) -> dict[str, str]:
    names = [f"g{i:02d}" for i in range(12)]
    values = np.random.default_rng(0).normal(5, 2, (20, 12)).round(4)
    index = pd.Index([f"s{i}" for i in range(20)], name="sample")
    pd.DataFrame(values, columns=names, index=index).to_csv(tmp_path / "expression.tsv", sep="\t")
    (tmp_path / "regulators.txt").write_text("g00\ng01\ng02\n")
    return {
        "name": "demo",
        "expression": str(tmp_path / "expression.tsv"),
        "regulators": str(tmp_path / "regulators.txt"),
        "annotation": str(tmp_path / "genes.tsv"),
    }


def write(path: str, lines: list[str]) -> None:
    Path(path).write_text("\n".join(lines) + "\n")


def test_annotation_is_described_and_hashed(data):
    rows = [f"g{i:02d}\t{1 + 1000 * i}\t{900 + 1000 * i}\top{i // 4}" for i in range(9)]
    write(data["annotation"], ["gene_id\tstart\tend\toperon", *rows])
    summary = inspect(DatasetConfig(**data, exclude_same_operon=True))
    assert summary["annotation"].startswith("annotation: 9 of 12 genes found by gene id among its 9 genes")
    assert f"  {summary['annotation']}" in describe(summary)
    assert "annotation" in summary["sha256"]
    without = {key: value for key, value in data.items() if key != "annotation"}
    summary = inspect(DatasetConfig(**without))
    assert summary["annotation"] is None
    assert not any("annotation" in line for line in describe(summary))


@pytest.mark.parametrize(
    ("asked", "words"),
    [(0, "projected out: nothing"), (2, "projected out: 2 hidden factors"), ("auto", "`hidden_factors: auto`")],
)
def test_hidden_factors_that_are_asked_for_are_mentioned(data, asked, words):
    data.pop("annotation")
    lines = describe(inspect(DatasetConfig(**data, hidden_factors=asked)))
    assert any(words in line for line in lines), lines


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["gene_id\tstart\tend\toperon", "b1\t1\t9\tx"],
            r"genes\.tsv: annotation: only 0 of the data's 12",
        ),
        (
            ["gene_id\tstart\tend", *(f"g{i:02d}\t{1 + 1000 * i}\t{9 + 1000 * i}" for i in range(12))],
            r"genes\.tsv: annotation: exclude_same_operon is set, but no operon is known",
        ),
        (["gene_id\tstart\tend", "g00\tten\t19"], r"genes\.tsv: line 2, column start: 'ten' is no position"),
    ],
)
def test_annotation_that_does_not_fit_is_refused(data, lines, message):
    write(data["annotation"], lines)
    with pytest.raises(InputError, match=message) as caught:
        inspect(DatasetConfig(**data, exclude_same_operon=True))
    assert "\n" not in str(caught.value)


def test_a_cut_above_the_number_of_candidate_edges_is_refused(data):
    data.pop("annotation")
    # 3 regulators of 12 genes, each gene but itself
    inspect(DatasetConfig(**data), {"expected_false_edges": 33.0})
    with pytest.raises(ConfigError, match="34 false edges cannot be among 33 candidate edges: ask for fewer"):
        inspect(DatasetConfig(**data), {"expected_false_edges": 34.0})
