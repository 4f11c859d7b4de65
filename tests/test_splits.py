from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from netinfer.config import parse_config
from netinfer.errors import ConfigError, InputError
from netinfer.splits import expand_splits


def config(**keys):
    return parse_config({"datasets": [{"name": "a", "expression": "a.tsv", "regulators": "all", **keys}]})


@pytest.fixture
def sheet(tmp_path: Path) -> str:
    labels = ["CD4+ T"] * 10 + ["CD4- T"] * 9 + ["B/NK"] * 8 + ["rare"] * 7 + [""]
    path = tmp_path / "samples.tsv"
    path.write_text("sample\tcell_type\n" + "".join(f"s{i}\t{label}\n" for i, label in enumerate(labels)))
    return str(path)


def test_nothing_to_split_gives_the_same():
    plain = config()
    assert expand_splits(plain) is plain


def test_each_value_with_enough_samples_becomes_a_data_set(sheet, caplog):
    parts = expand_splits(config(samples=sheet, split_by="cell_type", hidden_factors=2)).datasets
    assert [part.name for part in parts] == ["a_B_NK", "a_CD4pos_T", "a_CD4_T"]
    assert [part.subset for part in parts] == [{"cell_type": [v]} for v in ("B/NK", "CD4+ T", "CD4- T")]
    assert all(part.split_by is None and part.hidden_factors == 2 for part in parts)
    assert "cell_type 'rare' has 7 samples" in caplog.text


def test_a_second_pass_changes_nothing(sheet):
    once = expand_splits(config(samples=sheet, split_by="cell_type"))
    assert expand_splits(once) is once


def test_a_subset_of_the_same_column_chooses_the_values(sheet):
    parts = expand_splits(config(samples=sheet, split_by="cell_type", subset={"cell_type": ["B/NK"]})).datasets
    assert [part.name for part in parts] == ["a_B_NK"]


def test_the_column_of_an_h5ad_is_found(tmp_path):
    path = tmp_path / "a.h5ad"
    obs = pd.DataFrame({"condition": ["x"] * 8 + ["y"] * 8}, index=[f"s{i}" for i in range(16)])
    AnnData(np.ones((16, 3)), obs=obs).write_h5ad(path)
    parts = expand_splits(config(expression=str(path), split_by="condition")).datasets
    assert [part.name for part in parts] == ["a_x", "a_y"]
    with pytest.raises(ConfigError, match="'cell_type' is no column of the samples: there are condition"):
        expand_splits(config(expression=str(path), split_by="cell_type"))


def test_what_cannot_be_split_is_refused(tmp_path, sheet):
    with pytest.raises(ConfigError, match="give `samples`"):
        expand_splits(config(split_by="cell_type"))
    few = tmp_path / "few.tsv"
    few.write_text("sample\ttype\n" + "".join(f"s{i}\tt{i}\n" for i in range(9)))
    with pytest.raises(InputError, match=r"no value of 'type' has 8 samples: there are 't0' \(1\)"):
        expand_splits(config(samples=str(few), split_by="type"))
    same = tmp_path / "same.tsv"
    same.write_text("sample\ttype\n" + "".join(f"s{i}\t{'a b' if i < 8 else 'a.b'}\n" for i in range(16)))
    with pytest.raises(ConfigError, match="two networks would be called 'a_a_b'"):
        expand_splits(config(samples=str(same), split_by="type"))


def test_whole_numbers_with_a_gap_and_other_subsets(tmp_path):
    sheet = tmp_path / "samples.tsv"
    rows = [(f"s{i}", "" if i == 0 else 1 + i % 2, "keep" if i < 30 else "drop") for i in range(40)]
    sheet.write_text("sample\tgroup\tuse\n" + "".join(f"{a}\t{b}\t{c}\n" for a, b, c in rows))
    parts = expand_splits(config(samples=str(sheet), split_by="group", subset={"use": ["keep"]})).datasets
    assert [part.subset for part in parts] == [{"use": ["keep"], "group": [v]} for v in ("1", "2")]
    assert [part.name for part in parts] == ["a_1", "a_2"]
    one = expand_splits(config(samples=str(sheet), split_by="group", subset={"group": [1.0]})).datasets
    assert [part.name for part in one] == ["a_1"]
    with pytest.raises(InputError, match="no value of 'group' has 8 samples"):
        expand_splits(config(samples=str(sheet), split_by="group", subset={"use": ["none"]}))
