"""Ingest: each rule for ids, values and sheets, and the record of what was dropped."""

from __future__ import annotations

import logging

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from netinfer.config import IngestConfig
from netinfer.errors import InputError
from netinfer.io import as_expression, read_sample_sheet
from netinfer.io.build import make_adata
from netinfer.preprocess import check_orientation, ingest

N_SAMPLES = 10


def data(genes=("tf1", "tf2", "a", "b", "c"), samples=None, seed=0):
    values = np.random.default_rng(seed).normal(5.0, 1.0, size=(N_SAMPLES, len(genes)))
    return make_adata(
        values, samples or [f"s{i}" for i in range(N_SAMPLES)], list(genes), source="x.tsv", log=["read x.tsv"]
    )


def log_of(adata):
    return "\n".join(adata.uns["netinfer"]["log"])


def test_result_follows_the_contract_and_survives_h5ad(tmp_path):
    given_data = data()
    given_data.X[:, 3] = 7.0  # b is constant
    given_data.X[4] = 0.0
    before = given_data.X.copy()
    sheet = pd.DataFrame(
        {"batch": pd.Categorical(["x", "y"] * 5), "time": range(10)}, index=[f"s{i}" for i in range(10)]
    )
    result = ingest(given_data, regulators=["tf1", "tf2", "b"], samples=sheet)
    assert np.array_equal(given_data.X, before)
    assert result.shape == (9, 4)
    result.write_h5ad(tmp_path / "x.h5ad")
    back = ad.read_h5ad(tmp_path / "x.h5ad")
    assert np.array_equal(back.X, result.X)
    assert back.var["is_regulator"].tolist() == result.var["is_regulator"].tolist()
    notes = back.uns["netinfer"]
    assert list(notes["dropped_genes"].columns) == ["gene", "is_regulator", "status", "reason"]
    assert list(notes["dropped_samples"].columns) == ["sample", "reason"]
    assert notes["source"] == "x.tsv"
    assert all(isinstance(line, str) for line in notes["log"])
    assert back.obs["batch"].tolist() == ["x", "y", "x", "y", "y", "x", "y", "x", "y"]


def test_constant_genes_and_zero_samples_are_dropped_and_listed():
    values = data()
    values.X[:, 3] = 7.0
    values.X[4] = 0.0
    result = ingest(values, regulators=["tf1", "b"])
    # the zero sample goes first, so that b is constant over what is left
    assert list(result.var_names) == ["tf1", "tf2", "a", "c"]
    assert "s4" not in result.obs_names
    genes = result.uns["netinfer"]["dropped_genes"]
    assert genes.to_dict("records") == [
        {"gene": "b", "is_regulator": True, "status": "constant", "reason": "the same value in every sample"}
    ]
    assert genes["is_regulator"].dtype == bool
    assert result.uns["netinfer"]["dropped_samples"].to_dict("records") == [
        {"sample": "s4", "reason": "every value is zero"}
    ]
    assert result.var["is_regulator"].tolist() == [True, False, False, False]
    assert "1 genes were dropped, 1 of them regulators" in log_of(result)


@pytest.mark.parametrize(
    ("column", "is_kept"),
    [
        (1e9 + np.arange(10) % 3, True),  # mean 1e9, sd 1: a textbook one-pass variance loses it
        (np.full(10, 0.1) * (1 + 1e-15 * np.arange(10)), False),  # rounding of one value, 1e-15 of the mean
        (1e300 * np.arange(10), True),  # squares overflow
        (1e-300 * np.arange(10), True),
        (np.zeros(10), False),
    ],
)
def test_what_counts_as_constant(column, is_kept):
    values = data()
    values.X[:, 3] = column
    assert ("b" in ingest(values, regulators=["tf1"]).var_names) == is_kept


def test_ids_are_cleaned_and_kept_otherwise():
    genes = ['"tf1"', " tf2 ", "\ufeffa", "HLA-A*02:01", "<b>&'c'", "gène/β", "NA", "007"]
    result = ingest(data(genes), regulators=["tf1", "'tf2'"])
    assert list(result.var_names) == ["tf1", "tf2", "a", "HLA-A*02:01", "<b>&'c'", "gène/β", "NA", "007"]
    assert result.var["is_regulator"].sum() == 2
    assert "taken off 3 gene ids" in log_of(result)


@pytest.mark.parametrize(
    ("genes", "message"),
    [
        (["tf1", "  ", "a"], "gene 2 of 3 has an empty name"),
        (["tf1", "a\nb", "a"], r"U\+000A"),
        (["tf1", "a\tb", "a"], r"U\+0009"),
        (["tf1", "a\0b", "a"], r"U\+0000"),
        (["tf1", "a\x07", "a"], r"U\+0007"),
        (["tf1", "a\ufffe", "a"], r"U\+FFFE"),
        (["tf1", "a\ud800", "a"], r"U\+D800"),
        (["tf1", "a", " a"], "'a' and ' a' are both 'a' once cleaned"),
        (["tf1", "a", "a"], "1 genes stand more than once: 'a'.*duplicates"),
    ],
)
def test_ids_that_are_refused(genes, message):
    with pytest.raises(InputError, match=message) as caught:
        ingest(data(genes), regulators=["tf1"])
    assert "\n" not in str(caught.value)
    str(caught.value).encode()  # printable anywhere: a lone surrogate would fail here


def test_ids_alike_are_mentioned_and_kept():
    result = ingest(data(["tf1", "Sox2", "SOX2", "é", "e\u0301"]), regulators=["tf1"])
    assert result.n_vars == 5
    assert "2 groups of gene ids differ only by case" in log_of(result)


def test_versions_are_stripped_when_asked():
    genes = ["ENSG00000141510.17", "ENSG00000002586.20_PAR_Y", "tf1", "HLA-A"]
    config = IngestConfig(strip_version=True)
    result = ingest(data(genes), regulators=["ENSG00000141510.3", "tf1"], settings=config)
    assert list(result.var_names) == ["ENSG00000141510", "ENSG00000002586_PAR_Y", "tf1", "HLA-A"]
    assert result.var["is_regulator"].tolist() == [True, False, True, False]
    with pytest.raises(InputError, match=r"ENSG00000141510\.17.* once cleaned"):
        ingest(data(["ENSG00000141510.17", "ENSG00000141510.18", "tf1"]), regulators=["tf1"], settings=config)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize(
    ("rule", "combine"), [("sum", lambda x, y: x + y), ("mean", lambda x, y: (x + y) / 2), ("first", lambda x, y: x)]
)
def test_duplicates_rule(form, rule, combine):
    values = data(["a", "tf1", "a", "b"])
    raw = values.X.copy()
    raw[2:4, 0] = 0.0
    values.X = form(raw)
    result = ingest(values, regulators=["tf1"], settings=IngestConfig(duplicates=rule))
    got = result.X.toarray() if sparse.issparse(result.X) else result.X
    assert list(result.var_names) == ["a", "tf1", "b"]
    assert np.array_equal(got[:, 0], combine(raw[:, 0], raw[:, 2]))
    assert np.array_equal(got[:, 1:], raw[:, [1, 3]])
    assert "1 genes that stand more than once" in log_of(result)


def test_duplicate_samples_are_refused():
    with pytest.raises(InputError, match="1 samples stand more than once: 's1'"):
        ingest(data(samples=["s1", "s1", *(f"s{i}" for i in range(2, 10))]), regulators=["tf1"])


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_missing_values(form):
    values = data()
    raw = values.X.copy()
    raw[0, 2] = raw[3, 2] = raw[5, 4] = np.nan
    values.X = form(raw)
    with pytest.raises(
        InputError, match=r"3 missing values.*sample 's0', gene 'a'; sample 's3', gene 'a'; sample 's5', gene 'c'"
    ):
        ingest(values, regulators=["tf1"])
    result = ingest(values, regulators=["tf1"], settings=IngestConfig(impute="median"))
    assert result.X[0, 2] == result.X[3, 2] == np.median(np.delete(raw[:, 2], [0, 3]))
    untouched = ~np.isnan(raw)
    assert np.array_equal(np.asarray(result.X)[untouched], raw[untouched])
    assert "3 missing values (6.00%) were replaced" in log_of(result)


def test_unmeasured_genes_and_samples_are_dropped_when_imputing():
    values = data()
    values.X[:, 2] = np.nan
    values.X[1] = np.nan
    result = ingest(values, regulators=["tf1"], settings=IngestConfig(impute="median"))
    assert result.uns["netinfer"]["dropped_genes"]["status"].tolist() == ["filtered"]
    assert result.uns["netinfer"]["dropped_samples"]["sample"].tolist() == ["s1"]
    assert np.isfinite(result.X).all()


def test_infinite_values_are_never_imputed():
    values = data()
    values.X[2, 2] = np.inf
    with pytest.raises(InputError, match="1 infinite values, first in sample 's2', gene 'a'"):
        ingest(values, regulators=["tf1"], settings=IngestConfig(impute="median"))


def test_orientation_is_checked():
    values = data()
    with pytest.raises(InputError) as caught:
        ingest(
            make_adata(values.X.T, list(values.var_names), list(values.obs_names), source="x.tsv"),
            regulators=["tf1", "tf2", "q"],
        )
    assert str(caught.value) == (
        "x.tsv: looks genes x samples: 0 of 3 regulators found as read, 2 transposed: "
        "set `orientation: genes_x_samples`"
    )
    assert check_orientation(values, ["tf1", '"tf2"'], where="x") == 2
    with pytest.raises(InputError, match="take `orientation: genes_x_samples` out"):
        check_orientation(make_adata(values.X.T, list(values.var_names), list(values.obs_names)), ["tf1"], where="x",
                          orientation="genes_x_samples")  # fmt: skip


def test_no_regulator_found_shows_nearest_names():
    wanted = ["TF1", "tf2.3", "completely different", "x", "y", "z"]
    with pytest.raises(InputError) as caught:
        ingest(data(), regulators=wanted)
    text = str(caught.value)
    assert "none of 6 regulators is among the 5 genes" in text
    assert "'TF1' (nearest 'tf1'), 'tf2.3' (nearest 'tf2'), 'completely different' (nothing near)" in text
    assert "'z'" not in text  # five are shown


def test_some_regulators_missing_are_listed(caplog):
    with caplog.at_level(logging.WARNING):
        result = ingest(data(), regulators=["tf1", "TF2", "q"])
    assert "1 of 3 regulators are among the 5 genes; not among them: 'TF2', 'q'" in log_of(result)
    assert "'TF2' (nearest 'tf2')" in log_of(result)
    assert "not among them" in caplog.text
    assert result.var["is_regulator"].sum() == 1  # never mapped silently


@pytest.mark.parametrize(
    ("regulators", "message"),
    [
        ([], "list of regulators is empty"),
        ("tf1", "no list is called 'tf1': the shipped lists are bsubtilis, ecoli"),
        (None, "give one, or regulators='all'"),
    ],
)
def test_regulator_arguments_that_cannot_be(regulators, message):
    with pytest.raises(InputError, match=message):
        ingest(data(), regulators=regulators)


def test_regulators_all_and_from_var():
    assert ingest(data(), regulators="all").var["is_regulator"].all()
    values = data()
    values.var["is_regulator"] = [True, False, False, False, False]
    assert ingest(values, regulators=None).var["is_regulator"].tolist() == [True, False, False, False, False]


def test_too_small():
    with pytest.raises(InputError, match="3 samples: at least 8 are needed"):
        ingest(data()[:3].copy(), regulators=["tf1"])
    values = data()
    values.X[:4] = 0
    with pytest.raises(InputError, match="6 samples after 4 were dropped: at least 8"):
        ingest(values, regulators=["tf1"])
    values = data()
    values.X[:, 0] = 1
    with pytest.raises(InputError, match="no regulator varies"):
        ingest(values, regulators=["tf1"])
    values.X[:] = 0
    with pytest.raises(InputError, match="every value is zero"):
        ingest(values, regulators=["tf1"])


def test_excel_dates_are_mentioned():
    symbols = ["tf1", "1-Mar", "SEP-2", "43891", "MARCH1", *(f"g{i}" for i in range(10))]
    result = ingest(data(symbols), regulators=["tf1"])
    assert "3 gene ids look like dates" in log_of(result)
    entrez = ingest(data(["7157", "43891", "672", "1956", "99"]), regulators=["7157"])
    assert "dates" not in log_of(entrez)


def test_sheet_is_joined_by_id():
    values = data()
    names = [f"s{i}" for i in range(10)]
    sheet = pd.DataFrame({"batch": [f"b{i}" for i in range(11)], "a/b": range(11)}, index=['"s9"', *names[:9], "extra"])
    result = ingest(values, regulators=["tf1"], samples=sheet)
    assert result.obs["batch"].tolist() == ["b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9", "b0"]
    assert "a_per_b" in result.obs
    assert "1 samples of the sheet are not in the matrix: 'extra'" in log_of(result)
    with pytest.raises(InputError) as caught:
        ingest(values, regulators=["tf1"], samples=sheet.iloc[[*range(1, 9), 10]])
    assert str(caught.value).endswith(
        "sample sheet: 8 of 10 samples of the matrix are in it; not in it: 's8', 's9'; in the sheet but not in the "
        "matrix: 'extra': add a line for each, or leave them out by `exclude_samples`"
    )
    with pytest.raises(InputError, match="listed more than once"):
        ingest(values, regulators=["tf1"], samples=sheet.iloc[[0, 0, *range(1, 11)]])


def test_sheet_without_a_column_of_that_name_is_taken_by_its_first(tmp_path):
    def sheet(ids, name="cell"):
        text = "".join(f"{key},{i % 2},s{i}\n" for i, key in enumerate(ids))
        (tmp_path / "sheet.csv").write_text(f"{name},batch,run\n{text}")
        return read_sample_sheet(tmp_path / "sheet.csv")

    result = ingest(data(), regulators=["tf1"], samples=sheet([f"s{i}" for i in range(10)]))
    assert "no column `sample`: its first column, 'cell', was taken for their ids" in log_of(result)
    assert "first column" not in log_of(
        ingest(data(), regulators=["tf1"], samples=sheet([f"s{i}" for i in range(10)], "sample"))
    )
    with pytest.raises(InputError) as caught:
        ingest(data(), regulators=["tf1"], samples=sheet([f"d{i}" for i in range(10)]))
    text = str(caught.value)
    assert "0 of 10 samples of the matrix are in it; not in it: 's0', 's1', 's2', 's3', 's4' and 5 more" in text
    assert "in the sheet but not in the matrix: 'd0', 'd1', 'd2', 'd3', 'd4' and 5 more" in text
    assert text.endswith("its first column, 'cell', was taken for their ids: "
                         "column 'run' holds more of the ids: call it `sample`")  # fmt: skip
    with pytest.raises(InputError, match="write the ids as the matrix does, in a column called `sample`"):
        ingest(data(), regulators=["tf1"], samples=sheet([f"d{i}" for i in range(10)])[["batch"]])


def test_sheet_columns_of_any_type_can_be_written(tmp_path):
    index = [f"s{i}" for i in range(10)]
    sheet = pd.DataFrame(
        {"mixed": [1, "x", None, 2.5, True] * 2, "text": list("abcde") * 2, "flag": [True, False] * 5}, index
    )
    result = ingest(data(), regulators=["tf1"], samples=sheet)
    result.write_h5ad(tmp_path / "x.h5ad")
    back = ad.read_h5ad(tmp_path / "x.h5ad").obs
    assert back["mixed"].isna().tolist() == [False, False, True, False, False] * 2
    assert back["mixed"].iloc[0] == "1"
    assert back["flag"].dtype == bool


def test_frames_and_arrays_are_taken():
    frame = pd.DataFrame(data().X, columns=["tf1", "tf2", "a", "b", "c"])
    assert ingest(frame, regulators=["tf1"]).shape == (10, 5)
    assert ingest(frame.to_numpy(), regulators=["g0001"]).shape == (10, 5)


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=12, max_size=12),
    rule=st.sampled_from(["sum", "mean", "first"]),
)
def test_dense_and_sparse_are_treated_alike(values, rule):
    matrix = np.array(values, dtype=float)
    samples, genes = [f"s{i}" for i in range(12)], ["tf", "a", "a", "b"]
    outcomes = []
    for form in (np.asarray, sparse.csr_matrix):
        try:
            result = ingest(
                make_adata(form(matrix), samples, genes, source="x"),
                regulators=["tf"],
                settings=IngestConfig(duplicates=rule),
            )
        except InputError as error:
            outcomes.append(str(error))
        else:
            dense = result.X.toarray() if sparse.issparse(result.X) else result.X
            outcomes.append((dense.tobytes(), list(result.var_names), list(result.obs_names), log_of(result)))
    assert outcomes[0] == outcomes[1]


def test_regulators_with_the_same_values_are_named():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(12, 5))
    values[:, 3] = values[:, 1]
    frame = pd.DataFrame(values, columns=list("abcde"), index=[f"s{i}" for i in range(12)])
    for expression in (as_expression(frame), ad.AnnData(sparse.csr_matrix(values), frame[[]], frame.T[[]])):
        log = ingest(expression, regulators=["a", "b", "d"]).uns["netinfer"]["log"]
        assert any("1 regulators have the same values" in line and "b = d" in line for line in log)
    other = ingest(as_expression(frame), regulators=["a", "b"]).uns["netinfer"]["log"]
    assert not any("same values" in line for line in other)
