"""Tables: exact round trips, stable bytes, and a page of documentation that names what is written."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinfer.errors import InputError
from netinfer.io import tables
from netinfer.io.columns import (
    CHANGES,
    CONDITION_GENES,
    EDGES,
    EVIDENCE,
    EXPECTED_FALSE_EDGES_NOTE,
    EXPLORATORY,
    MOTIF_EVIDENCE,
    NEIGHBOURS,
    NODES,
    PHENOTYPE_GENES,
    TARGETS,
    TRAIT,
    Column,
    conform,
)
from netinfer.io.direction import ARROWS, DIRECTION_BASES, interactions
from netinfer.io.graphml import EDGE_ATTRIBUTES, GRAPH_ATTRIBUTES, NODE_ATTRIBUTES
from netinfer.io.site_columns import LINK_EDGES, LINK_REGULATORS, SITE_BINS, SITE_MOTIFS
from netinfer.io.tables import read_json, read_parquet, read_tsv, write_json, write_parquet, write_tsv
from netinfer.models.motif.configured import LIBRARY_MODELS
from netinfer.models.motif_sites.configured import RESPONSES

MIXED = (
    Column("text", "string", "", "", True),
    Column("flag", "boolean", "", ""),
    Column("count", "int", "", ""),
    Column("value", "float", "", "", True),
)
FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"


def mixed(texts, flags, counts, values) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": pd.Series(texts, dtype=object),
            "flag": pd.Series(flags, dtype=bool),
            "count": pd.Series(counts, dtype=np.int64),
            "value": pd.Series(values, dtype=np.float64),
        }
    )


rows = st.lists(
    st.tuples(
        # Any text but half characters, which UTF-8 cannot hold: quotes, tabs and line ends included.
        st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(["NA", "nan", '"', '""', "\t"]),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_infinity=False),
    ),
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(rows=rows)
@pytest.mark.parametrize("form", ["tsv", "parquet"])
def test_any_values_come_back_exactly(tmp_path_factory, form, rows):
    frame = mixed(*(list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], []))
    path = tmp_path_factory.mktemp("tables") / "table"
    write, read = (write_tsv, read_tsv) if form == "tsv" else (write_parquet, read_parquet)
    write(path, frame, MIXED)
    pd.testing.assert_frame_equal(read(path, MIXED), conform(frame, MIXED, where="t"), check_exact=True)


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_texts_with_the_same_bits(value):
    (text,) = tables.format_column([value], "float")
    assert struct.pack("d", float(text)) == struct.pack("d", value)


def test_bytes_of_a_table(tmp_path):
    frame = mixed(
        ["lexA", 'a "b"', "tab\there", ""], [True, False, True, True], [1, -2, 0, 3], [0.1, np.nan, -0.0, 1e22]
    )
    write_tsv(tmp_path / "a.tsv", frame, MIXED)
    assert (tmp_path / "a.tsv").read_bytes() == (
        b"text\tflag\tcount\tvalue\n"
        b"lexA\ttrue\t1\t0.1\n"
        b'"a ""b"""\tfalse\t-2\t\n'
        b'"tab\there"\ttrue\t0\t0.0\n'
        b"\ttrue\t3\t1e+22\n"
    )


def test_same_bytes_for_any_block_order_and_dtype(tmp_path, monkeypatch):
    n = 50
    frame = mixed([f"g{i}" for i in range(n)], [i % 2 == 0 for i in range(n)], range(n), np.linspace(0, 1, n))
    write_tsv(tmp_path / "one.tsv", frame, MIXED)
    monkeypatch.setattr(tables, "BLOCK", 7)
    other = frame.astype({"text": "category", "flag": "boolean", "count": "Int16", "value": "Float64"})
    write_tsv(tmp_path / "two.tsv", other[["value", "text", "flag", "count"]].set_index(np.arange(n) + 5), MIXED)
    assert (tmp_path / "one.tsv").read_bytes() == (tmp_path / "two.tsv").read_bytes()


def test_columns_are_inferred_where_none_are_given(tmp_path):
    frame = mixed(["a", "b"], [True, False], [1, 2], [0.5, np.nan]).assign(name=["x", None])
    write_tsv(tmp_path / "a.tsv", frame)
    assert (tmp_path / "a.tsv").read_text() == "text\tflag\tcount\tvalue\tname\na\ttrue\t1\t0.5\tx\nb\tfalse\t2\t\t\n"
    write_tsv(tmp_path / "b.tsv", pd.DataFrame({"only": ["", "x"]}))
    assert (tmp_path / "b.tsv").read_text() == 'only\n""\nx\n'


@pytest.mark.parametrize("form", ["tsv", "parquet"])
def test_empty_table_keeps_its_columns_and_types(tmp_path, form):
    write, read = (write_tsv, read_tsv) if form == "tsv" else (write_parquet, read_parquet)
    empty = pd.DataFrame({column.name: [] for column in EDGES})
    write(tmp_path / "edges", empty, EDGES)
    again = read(tmp_path / "edges", EDGES)
    assert list(again.columns) == [column.name for column in EDGES]
    assert again["rank"].dtype == np.int64
    assert again["weight"].dtype == np.float64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("text\tflag\tcount\tvalue\na\ttrue\t1\t0.5", "cut short"),
        ("text\tflag\tcount\tvalue\na\ttrue\t1\n", "line 2: 3 fields, not 4"),
        ("text\tflag\tcount\n", "missing column value"),
        ("text\tflag\tcount\tvalue\tmore\n", "unknown column more"),
        ("text\tflag\tcount\tvalue\na\tyes\t1\t0.5\n", "column flag: not of type boolean"),
        ("text\tflag\tcount\tvalue\na\ttrue\t1.5\t0.5\n", "column count: not of type int"),
        ("text\tflag\tcount\tvalue\na\ttrue\t1\tx\n", "column value: not of type float"),
        ("text\tflag\tcount\tvalue\na\ttrue\t1\tinf\n", "column value, row 1 of 1: inf is infinite"),
        ('text\tflag\tcount\tvalue\n"a\ttrue\t1\t0.5\n', "not a tab-separated"),
    ],
)
def test_damaged_table_is_refused(tmp_path, text, message):
    path = tmp_path / "table.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read_tsv(path, MIXED)
    assert str(path) in str(caught.value)


def test_missing_and_foreign_files_are_refused(tmp_path):
    for read in (lambda p: read_tsv(p, MIXED), lambda p: read_parquet(p, MIXED), read_json):
        with pytest.raises(InputError, match="no such file"):
            read(tmp_path / "absent")
        (tmp_path / "garbage").write_bytes(b"\xff\xfe\x00PAR1")
        with pytest.raises(InputError, match="garbage: "):
            read(tmp_path / "garbage")


def test_a_flipped_byte_in_a_parquet_page_is_noticed(tmp_path):
    frame = mixed([f"g{i}" for i in range(500)], [True] * 500, range(500), np.random.default_rng(0).random(500))
    path = tmp_path / "table.parquet"
    write_parquet(path, frame, MIXED)
    data = bytearray(path.read_bytes())
    data[pq.ParquetFile(path).metadata.row_group(0).column(3).data_page_offset + 500] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        read_parquet(path, MIXED)


def test_json_keeps_its_order_and_refuses_what_it_cannot_hold(tmp_path):
    value = {"z": 1, "a": [0.1, None, True, "é🧬"], "n": {"k": 1e-300}}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    assert list(read_json(tmp_path / "a.json")) == list(value)
    for bad in ({"x": float("nan")}, {"x": object()}):
        with pytest.raises(InputError, match="cannot be written as JSON"):
            write_json(tmp_path / "b.json", bad)
    (tmp_path / "c.json").write_text("[1]")
    with pytest.raises(InputError, match="holds list, not a mapping"):
        read_json(tmp_path / "c.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "c.json"]


# ---- the documentation --------------------------------------------------------------------------------------------


def documented(heading: str) -> list[tuple[str, ...]]:
    """Rows of the first table below a heading of docs/formats.md."""
    text = FORMATS.read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    assert lines[0] == "| column | type | unit | meaning | may be missing |"
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines[1:]]


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("edges.tsv, edges.parquet, candidates.parquet", EDGES),
        ("Neighbours", NEIGHBOURS),
        ("Motif evidence", MOTIF_EVIDENCE),
        ("motif/links/regulators.tsv", LINK_REGULATORS),
        ("motif/links/edges.tsv", LINK_EDGES),
        ("motif/responses.tsv", RESPONSES),
        ("models.tsv of a library", LIBRARY_MODELS),
        ("motifs.tsv of a model by distance", SITE_MOTIFS),
        ("bins.tsv of a model by distance", SITE_BINS),
        ("precision/consensus.tsv", EVIDENCE),
        ("exploratory.tsv", EXPLORATORY[len(EDGES) :]),
        ("nodes.tsv", NODES),
        ("Phenotype: nodes", TRAIT),
        ("phenotype/genes.tsv, phenotype/genes_ranked.tsv", PHENOTYPE_GENES),
        ("targets.tsv", TARGETS),
        ("changes.tsv, changes.parquet", CHANGES),
        ("genes.tsv", CONDITION_GENES),
        ("GraphML: the network", GRAPH_ATTRIBUTES),
        ("GraphML: nodes", NODE_ATTRIBUTES),
        ("GraphML: edges", EDGE_ATTRIBUTES),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_documentation_names_what_is_written(heading, columns):
    expected = [(f"`{c.name}`", c.kind, c.unit, c.meaning, "yes" if c.may_be_missing else "") for c in columns]
    assert documented(heading) == expected


def test_documentation_has_the_words_for_each_direction():
    section = (
        FORMATS.read_text(encoding="utf-8").split("\n## Why an edge points the way it does\n")[1].split("\n## ")[0]
    )
    for basis, words in DIRECTION_BASES.items():
        assert f"| `{basis}` | {words} |" in section
    assert f"`interaction` is `associates`, `arrow` is `{ARROWS['associates']}`" in section


def test_a_direction_that_is_not_determined_has_no_word_for_one():
    bases = list(DIRECTION_BASES)
    assert set(bases) == {"regulator_list", "undetermined", "undirected", "time", "perturbation"}
    for sign, word in ((1, "activates"), (-1, "represses")):
        expected = ["associates" if basis in ("undetermined", "undirected") else word for basis in bases]
        assert interactions([sign] * 5, bases) == expected
        assert interactions([sign] * 5, bases, directed=False) == ["associates"] * 5
    assert {word: ARROWS[word] for word in ("activates", "represses", "associates")} == {
        "activates": "activation",
        "represses": "inhibition",
        "associates": "none",
    }


def test_documentation_names_every_file_and_claims_no_more(tmp_path):
    text = FORMATS.read_text(encoding="utf-8")
    for name in ("network.h5ad", "network_top.graphml", "cut.json", "provenance.json", "exploratory.graphml"):
        assert name in text
    assert EXPECTED_FALSE_EDGES_NOTE in re.sub(r"\s+", " ", text)


def first_cells(heading: str, below: str) -> list[str]:
    """Names in the first column of the table with this header, below a heading of docs/formats.md."""
    section = FORMATS.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = section.split(f"\n| {below} |")[1].split("\n\n")[0].splitlines()[2:]
    return [name.strip("` ") for row in rows for name in row.split("|")[1].split(",")]


def test_documentation_names_every_metric_and_column_of_the_evaluation():
    from netinfer.evaluate import evaluate

    gold = pd.DataFrame({"source": ["a"], "target": ["b"], "is_edge": [True]})
    table = evaluate(gold.assign(weight=1.0), gold, n_bootstrap=0)
    assert first_cells("evaluation.tsv", "column | type | meaning") == list(table.columns)
    assert first_cells("evaluation.tsv", "metric | meaning") == table["metric"].tolist()


def test_documentation_names_every_key_of_the_manifest(tmp_path):
    from netinfer.manifest import write_manifest

    (tmp_path / "preflight.json").write_text('{"sha256": {}}')
    path = tmp_path / "manifest.json"
    settings = {"dataset": {"name": "demo"}, "seed": 0}
    write_manifest(path, inputs={}, outputs=[], preflight=tmp_path / "preflight.json", settings=settings)
    assert set(first_cells("manifest.json", "key | meaning")) == set(json.loads(path.read_text()))
