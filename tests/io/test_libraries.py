"""Libraries of sequences: tables, FASTA with a table, replicates, responses, splits, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from netinfer.errors import InputError
from netinfer.io.libraries import read_library

TABLE = "name,seq,r1,r2,n,set\na,ACGT,1,3,5,fit\nb,ACGA,2,,7,test\nc,ACGC,,,2,fit\nd,ACGG,NA,4,1,test\n"


def write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["library.csv", "library.csv.gz", "library.tsv"])
def test_replicates_are_averaged_over_those_that_are_there(tmp_path: Path, name: str) -> None:
    text = TABLE.replace(",", "\t") if ".tsv" in name else TABLE
    found = read_library(write(tmp_path / name, text), sequence="seq", activity=["r1", "r2"], id="name", split="set")
    assert found.sequences.to_dict() == {"a": "ACGT", "b": "ACGA", "d": "ACGG"}
    assert found.activity.columns.tolist() == ["mean of r1, r2"]
    assert found.activity.iloc[:, 0].tolist() == [2.0, 2.0, 4.0]
    assert found.weights is not None
    assert found.weights.tolist() == [2.0, 1.0, 1.0]  # replicates behind each mean
    assert found.is_test is not None
    assert found.is_test.tolist() == [False, True, True]
    assert found.notes == ("1 sequences without an activity were left out",)


def test_responses_are_kept_apart_and_need_all_of_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", TABLE)
    found = read_library(path, sequence="seq", activity=["r1", "r2"], several="responses", weight="n")
    assert found.activity.to_dict("list") == {"r1": [1.0], "r2": [3.0]}
    assert found.sequences.tolist() == ["ACGT"]
    assert found.weights is not None
    assert found.weights.tolist() == [5.0]
    assert found.is_test is None


def test_classes_stay_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "sequence,class\nAC,1\nAG,no\nAT,\n")
    found = read_library(path, activity="class", classes=True)
    assert found.activity["class"].tolist() == ["1", "no"]


def test_fasta_is_joined_with_its_table_by_id(tmp_path: Path) -> None:
    fasta = write(tmp_path / "a.fasta", ">x one\nACGT\n>y\nAC\nGA\n>z\nACGC\n")
    table = write(tmp_path / "a.tsv", "id\tvalue\ny\t2\nx\t1\nw\t9\n")
    found = read_library(fasta, activity="value", activities=table)
    assert found.sequences.to_dict() == {"y": "ACGA", "x": "ACGT"}
    assert found.activity["value"].tolist() == [2.0, 1.0]
    assert np.array_equal(found.activity.index, ["y", "x"])
    assert found.notes == (
        "1 sequences without a row of their id in a.tsv were left out",
        "1 rows without a sequence of their id in a.fasta were left out",
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"activity": "r3"}, "no column 'r3': there are 'name', 'seq', 'r1'"),
        ({"activity": "set"}, "line 2, column 'set': 'fit' is not a finite number"),
        ({"activity": "r1", "weight": "r2"}, "line 3, column 'r2': '' is not a finite number"),
        ({"activity": "r1", "split": "set", "test": "held"}, "no sequence is 'held': there are 'fit', 'test'"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, columns: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_library(write(tmp_path / "a.csv", TABLE), sequence="seq", **columns)  # type: ignore[arg-type]


def test_ids_that_do_not_match_are_shown(tmp_path: Path) -> None:
    fasta = write(tmp_path / "a.fasta", ">x\nACGT\n>y\nACGA\n")
    table = write(tmp_path / "a.tsv", "id\tvalue\ngene1\t2\ngene2\t1\n")
    with pytest.raises(
        InputError, match=r"0 of its 2 ids are in a\.fasta: the table has 'gene1', 'gene2', the sequences 'x', 'y'"
    ):
        read_library(fasta, activity="value", activities=table)


def test_a_table_without_activities_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no sequence has an activity"):
        read_library(write(tmp_path / "a.csv", "sequence,y\nAC,\nAG,NA\n"), activity="y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sequence,y\nAC,1\nAG,2,3\n", "line 3: 3 fields where the header has 2"),
        ("sequence,y\nAC,1,\nAG,2,\n", "line 2: 3 fields where the header has 2"),
        ("sequence,y,y\nAC,1,2\n", "columns of one name: 'y'"),
    ],
)
def test_fields_without_a_column_and_columns_of_one_name_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_library(write(tmp_path / "a.csv", text), activity="y")


def test_the_line_of_the_file_is_named_and_rows_left_out_need_no_weight(tmp_path: Path) -> None:
    text = "sequence,y,n\nAC,1,2\nAG,,\nAT,3,x\n"
    with pytest.raises(InputError, match="line 4, column 'n': 'x'"):
        read_library(write(tmp_path / "a.csv", text), activity="y", weight="n")
    fasta = write(tmp_path / "a.fasta", ">b\nACGT\n>c\nACGA\n")
    table = write(tmp_path / "b.csv", "id,y\na,1\nb,2\nc,x\n")
    with pytest.raises(InputError, match="line 4, column 'y': 'x'"):
        read_library(fasta, activity="y", activities=table)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2: a quote is opened and not closed"):
        read_library(write(tmp_path / "a.csv", 'sequence,y\nAC,"1\nAG,2,3\n'), activity="y")
