"""Sequences come in as codes, and what is no sequence is refused with its place."""

from __future__ import annotations

import gzip

import pandas as pd
import pytest

from netinfer.errors import InputError
from netinfer.io.sequences import as_sequences, read_fasta


def test_fasta_is_read_in_order_with_wrapped_lines(tmp_path):
    text = ">b first\nACGT\nac\n\n>a\nGGGGGG\n"
    plain, packed = tmp_path / "p.fa", tmp_path / "p.fa.gz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    for path in (plain, packed):
        assert read_fasta(path) == {"b": "ACGTac", "a": "GGGGGG"}
        found = as_sequences(path)
        assert found.ids == ("b", "a")
        assert found.codes.tolist() == [[0, 1, 2, 3, 0, 1], [2] * 6]
    assert "lower case" in found.notes[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ACGT\n", r"line 1: 'ACGT' before the first '>'"),
        (">\nACGT\n", "line 1: '>' without an id"),
        (">a\nAC\n>a\nGG\n", "1 ids stand there more than once: 'a'"),
        (">a\n>b\nAC\n", "1 records have no sequence: 'a'"),
        ("; a comment\n", "no line begins with '>'"),
        (">a\nAC\n>b\nA1\n", r"sequence 'b', position 1: '1' is no letter"),
        (">a\nACG\n>b\nAC\n", "lengths differ, from 2 to 3"),
    ],
)
def test_bad_fasta_is_refused(tmp_path, text, message):
    path = tmp_path / "bad.fa"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        as_sequences(path)


def test_iupac_letters_gaps_and_u():
    found = as_sequences(pd.Series(["ACGU", "RYN-"], index=["x", "y"]))
    assert found.codes.tolist() == [[0, 1, 2, 3], [4, 4, 4, 4]]
    assert found.is_rna
    assert found.letters() == "ACGUN"
    mixed = as_sequences(["ACGU", "ACGT"])
    assert not mixed.is_rna
    assert mixed.notes == ("T and U were read as one base",)
    assert not mixed.has_ids
    with pytest.raises(InputError, match="position 0: 'é'"):
        as_sequences(["éCGT"])


def test_unequal_lengths_are_cut_from_the_end_that_is_named():
    texts = ["AACC", "GGT"]
    assert as_sequences(texts, align="left").codes.tolist() == [[0, 0, 1], [2, 2, 3]]
    right = as_sequences(texts, align="right")
    assert right.codes.tolist() == [[0, 1, 1], [2, 2, 3]]
    assert "cut to 3, counted from the right end" in right.notes[0]


@pytest.mark.parametrize(
    ("sequences", "message"),
    [([], "no sequences"), ([1, 2], "sequence 0 is 1, no text"), ({"a": "AC", "b": ""}, "1 sequences are empty: 'b'")],
)
def test_what_is_no_sequence_is_refused(sequences, message):
    with pytest.raises(InputError, match=message):
        as_sequences(sequences)
