from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy.sparse import csr_matrix

from netinfer.config import parse_config
from netinfer.errors import ConfigError, InputError
from netinfer.preprocess.assay import whole_table
from netinfer.splits import expand_splits
from netinfer.stages import prepare_dataset, read_dataset, read_h5ad, write_h5ad


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
    assert "values of 'cell_type' with fewer than 8 samples get no network of their own: 'rare' (7)" in caplog.text


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


def labelled(tmp_path: Path, n: int = 300, **columns) -> str:
    path = tmp_path / "cells.tsv"
    pd.DataFrame(columns, index=pd.Index([f"c{i}" for i in range(n)], name="sample")).to_csv(path, sep="\t")
    return str(path)


def split_names(**keys) -> list[str]:
    return [part.name for part in expand_splits(config(**keys)).datasets]


def test_of_cells_a_value_needs_a_hundred(tmp_path, caplog):
    types = ["T"] * 170 + ["B"] * 100 + ["NK"] * 21 + ["rare"] * 9
    sheet = labelled(tmp_path, cell_type=types, group=types)
    assert split_names(samples=sheet, split_by="cell_type") == ["a_B", "a_T"]
    assert "fewer than 100 cells get no network of their own: 'NK' (21), 'rare' (9)" in caplog.text
    assert "set `assay: bulk`" in caplog.text
    # the column need not be that of the types where there is one
    assert split_names(samples=sheet, split_by="group") == ["a_B", "a_T"]
    assert split_names(samples=sheet, split_by="group", cells={"type_column": "group"}) == ["a_B", "a_T"]
    assert split_names(samples=sheet, split_by="cell_type", assay="bulk") == ["a_B", "a_NK", "a_T", "a_rare"]
    # an id that is left out counts no more
    assert split_names(samples=sheet, split_by="group", exclude_samples=["c170"]) == ["a_T"]


def test_what_is_cells_by_other_signs(tmp_path):
    sheet = labelled(tmp_path, group=["x"] * 250 + ["y"] * 50)
    assert split_names(samples=sheet, split_by="group") == ["a_x", "a_y"]
    assert split_names(samples=sheet, split_by="group", assay="cells") == ["a_x"]
    quality = labelled(tmp_path, group=["x"] * 250 + ["y"] * 50, pct_counts_mt=1.5)
    assert split_names(samples=quality, split_by="group") == ["a_x"]
    assert split_names(samples=quality, split_by="group", subset={"group": ["x"]}) == ["a_x"]
    with pytest.raises(InputError, match=r"no value of 'group' has 100 cells: there are 'y' \(50\); set `assay: bulk`"):
        split_names(samples=quality, split_by="group", subset={"group": ["y"]})


def test_sorted_bulk_samples_are_no_cells(tmp_path):
    assert len(split_names(samples=labelled(tmp_path, 120, cell_type=list("abcdefgh") * 15), split_by="cell_type")) == 8
    assert len(split_names(samples=labelled(tmp_path, 90, cell_type=list("abc") * 30), split_by="cell_type")) == 3


@pytest.mark.parametrize("form", [np.asarray, csr_matrix])
def test_the_zeros_of_an_h5ad_file_tell_cells(tmp_path, form):
    rng = np.random.default_rng(0)
    obs = pd.DataFrame({"group": ["x"] * 250 + ["y"] * 50}, index=[f"c{i}" for i in range(300)])
    for share, names in ((0.9, ["a_x"]), (0.3, ["a_x", "a_y"])):
        path = tmp_path / f"{share}.h5ad"
        AnnData(form((rng.random((300, 20)) > share).astype(float)), obs=obs).write_h5ad(path)
        assert split_names(expression=str(path), split_by="group") == names
    # a sheet beside the file leaves the file's own columns known
    sheet = labelled(tmp_path, patient=["p"] * 150 + ["q"] * 150)
    assert split_names(expression=str(path), samples=sheet, split_by="patient", subset={"group": ["y"]}) == ["a_q"]


def test_a_part_is_taken_for_what_the_whole_table_is(tmp_path):
    """Without columns that tell cells: 120 of 300 are too few for the rule of zeros."""
    rng = np.random.default_rng(1)
    values = rng.poisson(0.4, size=(300, 40)).astype(float)
    obs = pd.DataFrame({"group": ["x"] * 180 + ["y"] * 120}, index=[f"c{i}" for i in range(300)])
    path = tmp_path / "a.h5ad"
    AnnData(values, obs=obs, var=pd.DataFrame(index=[f"g{i}" for i in range(40)])).write_h5ad(path)
    part = expand_splits(config(expression=str(path), split_by="group", filter={"min_cells": 10})).datasets[1]
    assert part.name == "a_y"
    adata = prepare_dataset(read_dataset(path, "all", settings=part.ingest), part.preparation)
    assert adata.uns["netinfer"]["design"]["assay"] == "cells"
    log = list(adata.uns["netinfer"]["log"])
    assert any("300 rows" in line and "of all samples, before the subset" in line for line in log)
    assert "other values of 'group' (samples) are not in the subset: 'x' (180)" in log
    write_h5ad(adata, tmp_path / "b.h5ad")
    assert read_h5ad(tmp_path / "b.h5ad").uns["netinfer"]["whole_table"]["assay"] == "cells"


def test_missing_values_do_not_hide_what_the_whole_table_is():
    values = np.random.default_rng(2).poisson(0.3, size=(220, 10)).astype(float)
    values[0, 0] = np.nan
    assert whole_table(values, pd.DataFrame(index=[f"s{i}" for i in range(220)]))["assay"] == "cells"
    assert np.isnan(values[0, 0])
