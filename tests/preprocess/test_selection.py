"""Samples that the config leaves out or keeps: by id, by value, before any value is judged."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from netinfer.config import IngestConfig
from netinfer.errors import InputError
from netinfer.io.build import make_adata
from netinfer.preprocess import ingest
from netinfer.preprocess.selection import left_behind, plain

NAMES = [f"s{i:02d}" for i in range(20)]


def data():
    values = np.random.default_rng(0).normal(5.0, 1.0, size=(20, 4))
    return make_adata(values, NAMES, ["tf", "a", "b", "c"], source="x.tsv")


def sheet():
    return pd.DataFrame(
        {"tissue": ["liver"] * 10 + ["brain"] * 10, "batch": [1, 2] * 10, "treated": [True, False] * 10}, index=NAMES
    )


def run(given=None, samples=None, **settings):
    return ingest(
        data() if given is None else given, regulators=["tf"], samples=samples, settings=IngestConfig(**settings)
    )


def test_excluded_samples_go_and_are_listed():
    result = run(exclude_samples=["s03", ' "s04" '])
    assert list(result.obs_names) == [name for name in NAMES if name not in ("s03", "s04")]
    dropped = result.uns["netinfer"]["dropped_samples"]
    assert dropped["sample"].tolist() == ["s03", "s04"]
    assert set(dropped["reason"]) == {"left out by exclude_samples"}


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(
        InputError, match=r"exclude_samples: 2 of 3 ids are no samples: 'S03' \(nearest 's03'\)"
    ) as caught:
        run(exclude_samples=["S03", "zzzzzz", "s01"])
    assert "'zzzzzz' (nothing near)" in str(caught.value)


@pytest.mark.parametrize(
    ("subset", "kept"),
    [
        ({"tissue": ["liver"]}, NAMES[:10]),
        ({"tissue": "brain"}, NAMES[10:]),
        ({"batch": [1]}, NAMES[::2]),
        ({"batch": ["1"]}, NAMES[::2]),  # a number in the sheet, text in the config
        ({"batch": [1.0, 2]}, NAMES),
        ({"treated": [True]}, NAMES[::2]),
        ({"tissue": ["liver", "brain"], "batch": [2]}, NAMES[1::2]),
    ],
)
def test_subset_keeps_samples_by_value(subset, kept):
    result = run(samples=sheet(), subset=subset)
    assert list(result.obs_names) == kept
    assert len(result.uns["netinfer"]["dropped_samples"]) == 20 - len(kept)


def test_columns_of_the_object_itself_can_be_used():
    given = data()
    given.obs["tissue"] = pd.Categorical(["liver"] * 10 + ["brain"] * 10)
    assert list(run(given, subset={"tissue": ["brain"]}).obs_names) == NAMES[10:]


def test_what_cannot_be_selected_is_said_with_what_there_is():
    with pytest.raises(
        InputError, match=r"subset: no column 'Tissue' of samples \(nearest 'tissue'\); there are: tissue"
    ):
        run(samples=sheet(), subset={"Tissue": ["liver"]})
    with pytest.raises(InputError, match=r"subset: tissue: no sample has 'Liver'; .*'liver' \(10\), 'brain' \(10\)"):
        run(samples=sheet(), subset={"tissue": ["Liver", "brain"]})
    with pytest.raises(InputError, match="subset: tissue: no value is given"):
        run(samples=sheet(), subset={"tissue": []})
    with pytest.raises(InputError, match="none: give a sample sheet"):
        run(subset={"tissue": ["liver"]})


def test_constant_genes_are_judged_on_the_samples_that_are_kept():
    given = data()
    given.X[:10, 2] = 7.0  # constant within the liver only
    assert "b" in run(given, samples=sheet()).var_names
    result = run(given, samples=sheet(), subset={"tissue": ["liver"]})
    assert "b" not in result.var_names
    assert result.uns["netinfer"]["dropped_genes"]["status"].tolist() == ["constant"]


def test_too_few_samples_left():
    subset = {"tissue": ["liver"], "batch": [1]}
    with pytest.raises(InputError, match="5 samples after 15 were dropped: at least 8"):
        run(samples=sheet(), subset=subset)


def test_samples_without_counts_or_left_out_need_no_line_in_the_sheet():
    given = data()
    given.X[0] = 0.0
    result = run(given, samples=sheet().iloc[2:], exclude_samples=["s01"])
    assert list(result.obs_names) == NAMES[2:]


def test_survives_h5ad(tmp_path):
    result = run(samples=sheet(), subset={"tissue": ["liver"]})
    result.write_h5ad(tmp_path / "x.h5ad")
    back = ad.read_h5ad(tmp_path / "x.h5ad")
    assert back.uns["netinfer"]["dropped_samples"]["sample"].tolist() == NAMES[10:]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1"), (np.int64(1), "1"), ("1", "1"), (1.5, "1.5"), (True, "True"), (np.True_, "True"),
     (None, None), (np.nan, None), (pd.NA, None), ("", None), (" a ", "a")],
)  # fmt: skip
def test_values_are_compared_as_text(value, text):
    assert plain(value) == text


def test_what_a_subset_leaves_behind_is_listed():
    obs = pd.DataFrame({"type": ["a", "a", "b", "c", "c", "c", None], "n": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]})
    assert left_behind(obs, {"type": ["b"], "n": ["1"]}) == [
        "other values of 'type' (samples) are not in the subset: 'c' (3), 'a' (2)"
    ]
