"""The text reader: exact values, ids to the letter, every fault with its place."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netinfer.errors import ConfigError, InputError
from netinfer.io import read_expression
from netinfer.io.text import read_text_matrix

GOOD = "id\tg1\tg2\ns1\t1.5\t2\ns2\t-3e-2\t.5\n"


def write(folder: Path, text: str | bytes, name: str = "x.tsv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_values_and_ids_are_those_of_the_file(tmp_path):
    adata = read_expression(write(tmp_path, GOOD))
    assert adata.X.tolist() == [[1.5, 2.0], [-0.03, 0.5]]
    assert adata.X.dtype == np.float64
    assert adata.X.flags.c_contiguous
    assert list(adata.obs_names) == ["s1", "s2"]
    assert list(adata.var_names) == ["g1", "g2"]
    assert adata.uns["netinfer"]["source"].endswith("x.tsv")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.rstrip(b"\n"),
        lambda text: text + b"\n\n",
        gzip.compress,
        lambda text: gzip.compress(text[:20]) + gzip.compress(text[20:]),  # two members are one stream
        lambda text: text.replace(b"g1", b'"g1"').replace(b"s2", b'"s2"'),
        lambda text: text.replace(b"id\t", b""),  # R's write.table
    ],
)
def test_forms_of_the_same_table(tmp_path, change):
    adata = read_expression(write(tmp_path, change(GOOD.encode())))
    assert adata.X.tolist() == [[1.5, 2.0], [-0.03, 0.5]]
    assert list(adata.obs_names) == ["s1", "s2"]
    assert list(adata.var_names) == ["g1", "g2"]


def test_r_header_is_logged(tmp_path):
    adata = read_expression(write(tmp_path, GOOD.replace("id\t", "")))
    assert any("as R writes it" in line for line in adata.uns["netinfer"]["log"])


IDS = [
    "NA",
    "nan",
    "NULL",
    "TRUE",
    "None",
    "007",
    "1e5",
    "0x1F",
    "1_000",
    "-inf",
    "a&b",
    "<x>",
    "HLA-A*02:01",
    "β-gal",
    "a/b",
    "=cmd()",
    "__proto__",
]


@pytest.mark.parametrize("separator", ["\t", ","])
def test_ids_that_parsers_like_to_change(tmp_path, separator):
    header = separator.join(["", *IDS])
    rows = [separator.join([name, *["1"] * len(IDS)]) for name in IDS]
    path = write(tmp_path, "\n".join([header, *rows]) + "\n", "x.csv" if separator == "," else "x.tsv")
    adata = read_expression(path)
    assert list(adata.var_names) == IDS
    assert list(adata.obs_names) == IDS


def test_quoted_ids_may_hold_separator_and_quotes(tmp_path):
    adata = read_expression(write(tmp_path, 'id,"a,b","c""d"\n"s,1","1","2"\ns2,3,4\n', "x.csv"))
    assert list(adata.var_names) == ["a,b", 'c"d']
    assert list(adata.obs_names) == ["s,1", "s2"]
    assert adata.X.tolist() == [[1, 2], [3, 4]]


FAULTS = {
    "empty": (b"", "empty file"),
    "only a line end": (b"\n", "line 1"),
    "header only": (b"id\tg1\n", "only a header"),
    "no genes": (b"id\ns1\n", "line 1: one column only"),
    "longer": (b"id\tg1\ns1\t1\ns2\t1\t2\n", "line 3: 3 fields, longer than the 2"),
    "longer, first line": (b"id\tg1\ns1\t1\t2\n", "line 2: 3 fields, longer than the 2"),
    "shorter": (b"id\tg1\tg2\ns1\t1\t2\ns2\t1\n", "line 3: 2 fields, shorter than the 3"),
    "blank line": (b"id\tg1\ns1\t1\n\ns2\t2\n", "line 3: blank line"),
    "commas": (b"id,g1\ns1,1\n", "looks comma-separated"),
    "blanks": (b"id g1\ns1 1\n", "looks blank-separated"),
    "mixed": (b"id\tg1\tg2\ns1\t1 2\n", "line 2: 2 fields, shorter than the 3"),
    "decimal comma": (
        b"id\tg1\ns1\t1,5\n",
        "line 2, column 2 (sample 's1', gene 'g1'): '1,5' is not a number: a decimal",
    ),
    "hexadecimal": (b"id\tg1\ns1\t0x10\n", "line 2, column 2 (sample 's1', gene 'g1'): '0x10'"),
    "underscore": (b"id\tg1\ns1\t1_000\n", "take the underscores out"),
    "truth": (b"id\tg1\ns1\tTrue\n", "write 1 or 0"),
    "text": (
        b"id\tg1\tg2\ns1\t1\t2\ns2\t3\thigh\n",
        "line 3, column 3 (sample 's2', gene 'g2'): 'high' is not a number",
    ),
    "other digits": ("id\tg1\ns1\t١\n".encode(), "is not a number"),
    "infinite": (
        b"id\tg1\tg2\ns1\tInf\t-inf\n",
        "2 infinite values, first at line 2, column 2 (sample 's1', gene 'g1'); line 2",
    ),
    "too large": (b"id\tg1\ns1\t1e400\n", "too large"),
    "too long": (b"id\tg1\ns1\t99999999999999999999\n", "beyond 2^53"),
    "nul": (b"id\tg1\ns1\t1\ns\x002\t1\n", "line 3: NUL byte"),
    "latin-1": (b"id\tg1\ns1\t1\ns\xe9\t1\n", "not utf-8: line 3: byte 0xe9 at position 2: set `encoding:`"),
    "utf-16": (GOOD.encode("utf-16"), "is UTF-16"),
    "unclosed quote": (b'id\tg1\n"s1\t1\ns2\t2\n', "line 2: a quote is opened"),
    "data in the id column": (b"g1\tg2\n0.5\t1\n0.7\t2\n", "column 1 ('g1'): numbers"),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("compress", [False, True])
def test_faults_are_named(tmp_path, name, compress):
    content, message = FAULTS[name]
    if compress and not content:
        pytest.skip("an empty file has no compressed form of this kind")
    path = write(tmp_path, gzip.compress(content) if compress else content, "x.tsv.gz" if compress else "x.tsv")
    with pytest.raises(InputError) as caught:
        read_expression(path)
    text = str(caught.value)
    assert message in text
    assert text.startswith(str(path))
    assert "\n" not in text


def test_a_turned_matrix_names_the_gene_of_the_line(tmp_path):
    path = write(tmp_path, "gene\ts1\ts2\ng1\t1\tx\n")
    with pytest.raises(InputError, match=r"line 2, column 3 \(gene 'g1', sample 's2'\)"):
        read_expression(path, orientation="genes_x_samples")


def test_line_numbers_hold_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("netinfer.io.source.text_blocks.__kwdefaults__", {"block_chars": 7})
    lines = ["id\tg1\tg2", *(f"s{i}\t{i}\t{i / 7!r}" for i in range(50))]
    adata = read_expression(write(tmp_path, "\n".join(lines) + "\n"))
    assert adata.X[:, 1].tolist() == [i / 7 for i in range(50)]
    lines[33] = "s32\t1\tbad"
    with pytest.raises(InputError, match="line 34, column 3"):
        read_expression(write(tmp_path, "\r\n".join(lines) + "\r\n"))


def test_missing_cells_are_nan_and_located(tmp_path):
    adata = read_expression(write(tmp_path, "id\tg1\tg2\ns1\t\tNA\ns2\t1\tNaN\ns3\tnull\t2\n"))
    assert np.isnan(adata.X).tolist() == [[True, True], [False, True], [True, False]]
    assert "4 empty or NA cells, first at line 2, column 2" in adata.uns["netinfer"]["log"][1]


def test_encoding_option(tmp_path):
    path = write(tmp_path, GOOD.replace("g1", "gé").encode("latin-1"))
    assert read_expression(path, encoding="latin-1").var_names[0] == "gé"
    path = write(tmp_path, GOOD.encode("utf-16"))
    assert read_expression(path, encoding="utf-16").X[0, 0] == 1.5
    with pytest.raises(ConfigError, match="not a known text encoding"):
        read_expression(path, encoding="utf-ate")


@pytest.mark.parametrize("size", [1, 4, 20, -1])
def test_damaged_gzip(tmp_path, size):
    whole = gzip.compress(GOOD.encode() * 50, mtime=0)
    path = write(tmp_path, whole[:size], "x.tsv.gz")
    with pytest.raises(InputError, match="gzip"):
        read_expression(path)


def test_gzip_with_a_wrong_checksum(tmp_path):
    whole = bytearray(gzip.compress(GOOD.encode()))
    whole[-6] ^= 1
    with pytest.raises(InputError, match="damaged gzip"):
        read_expression(write(tmp_path, bytes(whole), "x.tsv.gz"))


def test_plain_text_named_gz(tmp_path):
    with pytest.raises(InputError, match="not gzip-compressed"):
        read_expression(write(tmp_path, GOOD, "x.tsv.gz"))


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("netinfer.io.source._MAX_LINE_CHARS", 1000)
    monkeypatch.setattr("netinfer.io.source.text_blocks.__kwdefaults__", {"block_chars": 100})
    with pytest.raises(InputError, match="no line end"):
        read_expression(write(tmp_path, gzip.compress(b"0" * 100_000), "bomb.tsv.gz"))


def test_a_matrix_beyond_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("netinfer.io.text.memory_bytes", lambda: 24 * 3)  # room for three values
    with pytest.raises(InputError, match="do not fit into memory"):
        read_expression(write(tmp_path, GOOD))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4),
    ids=st.lists(
        st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=8), min_size=4, max_size=4
    ),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    separator=st.sampled_from("\t,"),
)
def test_round_trip_of_any_double_and_any_printable_id(tmp_path, values, ids, end, separator):
    def quote(text):
        return '"' + text.replace('"', '""') + '"'

    genes, samples = ids[:2], ids[2:]
    lines = [separator.join(["", *map(quote, genes)])]
    lines += [separator.join([quote(samples[i]), *map(repr, values[2 * i : 2 * i + 2])]) for i in range(2)]
    path = write(tmp_path, end.join(lines) + end, "x.csv" if separator == "," else "x.tsv")
    if any(float(value).is_integer() and "e" not in repr(value) and abs(value) > 2**53 for value in values):
        return  # repr writes no such value without an exponent; kept as a reminder of the rule
    try:
        table = read_text_matrix(path)
    except InputError as error:
        assert "ids should be" in str(error)  # noqa: PT017  both drawn sample ids may be numbers with a point
        return
    assert table.numbers.ravel().tobytes() == np.array(values).tobytes()
    assert table.columns == genes
    assert table.rows == samples
