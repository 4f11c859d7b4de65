"""The demo data that the project ships: whole, small, with origin and licence, and made by the script beside them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

DEMO = Path(__file__).parents[2] / "resources/demo"


def test_expression_regulators_samples_and_gold_belong_together():
    expression = pd.read_csv(DEMO / "expression.tsv.gz", sep="\t", index_col=0)
    sheet = pd.read_csv(DEMO / "samples.tsv", sep="\t", index_col=0, keep_default_na=False)
    regulators = (DEMO / "regulators.txt").read_text(encoding="utf-8").split()
    gold = pd.read_csv(DEMO / "gold.tsv.gz", sep="\t", keep_default_na=False)
    assert expression.shape == (278, 450)
    assert len(regulators) == 60
    assert set(regulators) <= set(expression.columns)
    assert list(sheet.index) == list(expression.index)
    assert sheet["replicate_group"].nunique() == 163
    assert len(gold) == 60 * 449
    assert gold["is_edge"].sum() == 1594
    assert set(gold["source"]) == set(regulators)
    assert set(gold["target"]) == set(expression.columns)
    assert (gold["source"] != gold["target"]).all()
    assert (gold.loc[gold["is_edge"] == 0, "sign"] == 0).all()


def test_is_small_and_names_its_origin_and_licence():
    assert sum(path.stat().st_size for path in DEMO.iterdir() if path.is_file()) < 2e6
    text = (DEMO / "README.md").read_text(encoding="utf-8")
    for words in ("MIT License", "Copyright (c) 2020 Systems Biology Research Group", "10.1038/s41467-019-13483-w"):
        assert words in text


def test_the_script_makes_the_same_files(tmp_path):
    found = importlib.util.find_spec("pymodulon")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the package pymodulon, from which the demo data are cut, is not installed")
    package = Path(next(iter(found.submodule_search_locations)))
    subprocess.run([sys.executable, DEMO / "cut_precise.py", package, tmp_path], check=True)
    for name in ("regulators.txt", "samples.tsv", "genes.tsv"):
        assert (tmp_path / name).read_bytes() == (DEMO / name).read_bytes()
    for name in ("expression.tsv.gz", "gold.tsv.gz"):  # the bytes of gzip depend on the zlib
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / name, sep="\t"), pd.read_csv(DEMO / name, sep="\t"))
