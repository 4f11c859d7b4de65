"""Regulator lists, gold standards and sample sheets."""

from __future__ import annotations

import gzip
import logging

import numpy as np
import pandas as pd
import pytest

from netinfer.errors import InputError
from netinfer.io import read_gold, read_regulators, read_sample_sheet


@pytest.fixture
def write(tmp_path):
    def _write(text, name="x.tsv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return _write


@pytest.mark.parametrize(
    "text",
    [
        b"g1\nNA\n007\n",
        b"\xef\xbb\xbfg1\r\nNA\r\n007",
        b'# a comment\n\n"g1"\n NA \n"007"\n',
        gzip.compress(b"g1\rNA\r007\r"),
    ],
)
def test_regulators_are_the_same_in_any_form(write, text):
    assert read_regulators(write(text)) == ["g1", "NA", "007"]


def test_repeated_regulators_are_kept_once_and_mentioned(write, caplog):
    with caplog.at_level(logging.WARNING):
        assert read_regulators(write("a\nb\n'a'\n")) == ["a", "b"]
    assert "1 regulators are listed more than once and kept once: 'a'" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty file"),
        ("# nothing\n\n", "no regulator in it"),
        ("a\tb\n", "line 1: 2 fields"),
        ("a\n\x07b\n", r"U\+0007"),
        (b"\x89HDF\r\n\x1a\n" + bytes(600), "is hdf5"),
        (b"\xff\n", "not utf-8: line 1: byte 0xff"),
    ],
)
def test_lists_that_are_none(write, text, message):
    with pytest.raises(InputError, match=message):
        read_regulators(write(text))


@pytest.mark.parametrize("header", ["", "source\ttarget\tis_edge\n", "TF\tGene\tweight\n", "Gene1\tGene2\tlabel\n"])
def test_gold_complete_list(write, header):
    gold = read_gold(write(header + "a\tb\t1\na\tc\t0\n"))
    assert list(gold.columns) == ["source", "target", "is_edge"]
    assert gold["is_edge"].tolist() == [True, False]
    assert gold["is_edge"].dtype == bool
    assert gold["source"].tolist() == ["a", "a"]


@pytest.mark.parametrize("text", ["a,b\nc,d\n", '"Cause","Effect"\n"a","b"\n"c","d"\n', "Gene1,Gene2\na,b\nc,d\n"])
def test_gold_of_positives(write, text):
    gold = read_gold(write(text, "x.csv"))
    assert gold[["source", "target"]].to_numpy().tolist() == [["a", "b"], ["c", "d"]]
    assert gold["is_edge"].all()


@pytest.mark.parametrize(
    "text",
    [
        "a\tb\t+\nc\td\t-\ne\tf\t?\n",
        "Gene1\tGene2\tType\na\tb\t+\nc\td\t-\ne\tf\t?\n",
        "a\tb\t1\t+\nc\td\t1\t-\ne\tf\t1\t?\n",
        "source\ttarget\tis_edge\tsign\na\tb\t1\t1\nc\td\t1\t-1\ne\tf\t1\t0\n",
    ],
)
def test_gold_with_signs(write, text):
    gold = read_gold(write(text))
    assert gold["sign"].tolist() == [1, -1, 0]
    assert gold["is_edge"].all()


def test_gold_repeats(write, caplog):
    gold = read_gold(write("a\tb\t+\na\tb\t-\nc\td\t+\nc\td\t+\n"))
    assert gold["sign"].tolist() == [0, 1]  # listed with both signs: unknown
    assert "2 pairs are listed more than once" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\tb\t1\na\tb\t0\n", "'a' -> 'b' is listed both as an edge and as none"),
        ("a\tb\t1\na\tc\t0.125\n", "line 2, column 3: '0.125' is neither"),
        ("a\tb\t1\na\tc\n", "line 2: 2 fields where line 1 has 3"),
        ("a\n", "one column only"),
        ("source\ttarget\n", "only a header"),
        ("\n\n", "no pair in it"),
        ("a\tb\n\tc\n", "empty name"),
    ],
)
def test_gold_faults(write, text, message):
    with pytest.raises(InputError, match=message):
        read_gold(write(text))


def test_sheet_types(write):
    sheet = read_sample_sheet(
        write("donor\tsample\ttime\tdose\tplate\tok\n007\ts1\t1\t0.5\tA\tTRUE\n008\ts2\t2\tNA\t\tFALSE\n")
    )
    assert list(sheet.index) == ["s1", "s2"]
    assert sheet["donor"].tolist() == ["007", "008"]  # text: 7 would be another id
    assert sheet["time"].dtype == np.int64
    assert sheet["dose"].tolist()[0] == 0.5
    assert np.isnan(sheet["dose"].iloc[1])
    assert isinstance(sheet["plate"].dtype, pd.CategoricalDtype)
    assert sheet["plate"].isna().tolist() == [False, True]
    assert sheet["ok"].tolist() == ["TRUE", "FALSE"]


def test_sheet_by_first_column_and_r_header(write):
    assert list(read_sample_sheet(write("id,batch\nNA,1\nx,2\n", "x.csv")).index) == ["NA", "x"]
    sheet = read_sample_sheet(write("batch\ttime\nx\t1\t2\n"))
    assert sheet.loc["x"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample\tbatch\n", "needs a header and a line"),
        ("sample\tbatch\na\t1\na\t2\n", "samples listed more than once: 'a'"),
        ("sample\tbatch\na\t1\t2\nb\t1\n", "line 2: 3 fields"),
        ("sample\tbatch\tbatch\na\t1\t2\n", "columns named twice: 'batch'"),
        ("sample;batch\na;1\n", "looks semicolon-separated"),
    ],
)
def test_sheet_faults(write, text, message):
    with pytest.raises(InputError, match=message):
        read_sample_sheet(write(text))
