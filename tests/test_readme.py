"""What the README promises about commands."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import netinfer as ni

ROOT = Path(__file__).parents[1]


def test_ci_runs_exactly_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.search(r"^## Tests\n+```bash\n(.+)\n```$", readme, flags=re.MULTILINE)
    assert section is not None
    command = section[1]
    assert command.endswith("&& pytest")
    # Its last line, so that its exit code and pytest's closing line are those of the run.
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == command


def test_a_table_and_a_sample_sheet_are_read_by_the_line_of_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## In a notebook")[2].partition("\n## ")[0]
    line = re.search(r"^adata = ni\.preprocess\.ingest\(.+$", section, flags=re.MULTILINE)
    settings = re.search(r"`(ni\.prepare_samples\(adata, filter=.+?)`", section)
    assert line is not None
    assert settings is not None
    samples, genes = [f"s{i}" for i in range(20)], [f"g{i}" for i in range(6)]
    values = np.random.default_rng(0).poisson(300, size=(20, 6))
    pd.DataFrame(values, samples, genes).to_csv(tmp_path / "counts.csv")
    sheet = pd.DataFrame({"batch": ["a", "b"] * 10, "annotation": "T"}, pd.Index(samples, name="sample"))
    sheet.to_csv(tmp_path / "samples.csv")
    (tmp_path / "tfs.txt").write_text("g0\ng1\n")
    monkeypatch.chdir(tmp_path)
    names = {"ni": ni}
    exec(line[0], names)
    prepared = eval(settings[1], names)
    assert list(prepared.obs["batch"]) == ["a", "b"] * 10
    assert list(prepared.var_names[prepared.var["is_regulator"]]) == ["g0", "g1"]
    ni.infer_regression(ni.normalize(prepared), covariates=["batch"], n_subsamples=4, n_penalties=5, threads=1)
