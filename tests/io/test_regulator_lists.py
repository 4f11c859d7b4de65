"""Lists of regulators: those that netinfer ships, and users' tables."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import netinfer
from netinfer import config
from netinfer.errors import InputError
from netinfer.io import read_expression, read_gold, read_regulators, regulator_table, shipped_lists
from netinfer.io.regulators import LIST_COLUMNS
from netinfer.preprocess import ingest

FOLDER = Path(netinfer.__file__).parent / "resources" / "regulators"
DEMO = Path(__file__).parents[2] / "resources" / "demo"
# What each id of a column looks like, whatever the organism.
FORMS = {
    "ensembl": r"ENS(MUS)?G\d{11}",
    "entrez": r"\d+",
    "locus_tag": r"b\d{4}|BSU_\d{5}|USA300HOU_RS\d{5}|Y[A-P][LR]\d{3}[CW](-[A-Z])?",
    "old_locus_tag": r"BSU\d{5}|USA300HOU_(\d{4}|pUSA300HOUMR\d{4})",
}
KNOWN = {
    "bsubtilis": {"symbol": ["sigA", "codY", "spo0A", "ccpA"], "old_locus_tag": ["BSU36420"]},
    "ecoli": {"symbol": ["crp", "lacI", "fnr", "rpoD", "ihfA", "ihfB"], "locus_tag": ["b3357"]},
    "human": {"symbol": ["TP53", "MYC", "STAT3", "TBXT", "ARNTL"], "ensembl": ["ENSG00000141510"], "entrez": ["7157"]},
    "mouse": {"symbol": ["Trp53", "Myc", "Stat3", "T"], "ensembl": ["ENSMUSG00000059552"], "entrez": ["22059"]},
    "saureus": {"symbol": ["codY", "saeR", "agrA", "sigB", "fur", "rex"], "old_locus_tag": ["USA300HOU_1186"]},
    "yeast": {"symbol": ["GAL4", "GCN4", "HAP4"], "locus_tag": ["YPL248C"]},
}
# Neither of these regulates by binding DNA: a rule that lets one in lets hundreds in.
NONE = {
    "bsubtilis": ["rapA", "rsbW", "spoIIAB", "groEL"],
    "ecoli": ["lacZ", "rseA", "insA9", "rpoB"],
    "human": ["NOTCH1", "ID2", "EP300", "POLR2A", "GAPDH"],
    "mouse": ["Notch1", "Id2", "Ep300", "Gapdh"],
    "saureus": ["spa", "hla", "gyrA"],
    "yeast": ["GAL11", "MED2", "SRB2", "ACT1"],
}


def test_the_six_organisms_are_there():
    assert shipped_lists() == tuple(sorted(KNOWN))


@pytest.mark.parametrize("name", shipped_lists())
def test_shipped_list_is_sound(name):
    whole = pd.read_csv(FOLDER / f"{name}.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert tuple(whole.columns) == LIST_COLUMNS
    table = regulator_table(name)
    assert set(table.columns) == {column for column in LIST_COLUMNS if (whole[column] != "").any()}
    assert not table.duplicated().any()
    assert len(table) >= 100
    for column, form in FORMS.items():
        ids = [value for value in whole[column] if value]
        assert all(re.fullmatch(form, value) for value in ids)
        assert len(set(ids)) == len(ids)
    assert all((whole[["symbol", "locus_tag"]] != "").any(axis=1))
    for column, values in KNOWN[name].items():
        assert set(values) <= set(table[column])
    assert not set(NONE[name]) & set(table["symbol"])
    assert len(read_regulators(name)) >= 0.95 * len(table)  # S. aureus has two copies of a few symbols


@pytest.mark.parametrize("name", shipped_lists())
def test_shipped_list_has_its_origin_and_licence_beside_it(name):
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    row = next(line for line in readme.splitlines() if line.startswith(f"| `{name}` |"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert int(cells[2]) == len(regulator_table(name))
    licences = (FOLDER / "LICENSES.txt").read_text(encoding="utf-8")
    for package in cells[4].split(", "):
        origin = next(line for line in readme.splitlines() if re.match(rf"\| {package} \d", line))
        version, licence = origin.strip("|").split("|")[:2]
        assert licence.strip() in {"MIT", "BSD-2-Clause", "BSD-3-Clause"}
        assert f"\n{version.strip()}\n" in licences
    assert f"**{name}**" in readme


def test_names_are_told_from_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("yeast").write_text("a\nb\n")
    Path("mine").write_text("a\nb\n")
    assert read_regulators("./yeast") == ["a", "b"]
    assert read_regulators(Path("yeast")) == ["a", "b"]
    assert "GAL4" in read_regulators("yeast")
    with pytest.raises(
        InputError, match=r"'mine'.* bsubtilis, ecoli, human.*there is a file of that name: write \./mine"
    ):
        read_regulators("mine")
    with pytest.raises(InputError, match="no list is called 'Human'") as caught:
        regulator_table("Human")
    assert "there is a file" not in str(caught.value)
    assert all(config.is_regulator_name(name) for name in (*shipped_lists(), "all"))


@pytest.mark.parametrize("text", [
    "symbol\tensembl\tnote\nTP53\tENSG00000141510\tx\n\t\tnobody\nMYC\t\ty\n",
    '# mine\n"Gene_symbol","Ensembl_gene_ID","note"\n"TP53","ENSG00000141510","x"\n"MYC","","y, z"\n',
])  # fmt: skip
def test_a_table_of_ids_is_read(tmp_path, text):
    path = tmp_path / "tfs.txt"
    path.write_text(text)
    table = regulator_table(path)
    assert table.to_dict("list") == {"symbol": ["TP53", "MYC"], "ensembl": ["ENSG00000141510", ""]}
    assert read_regulators(path) == ["TP53", "MYC"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("symbol\tensembl\na\n", "line 2: 1 fields where the header has 2"),
        ("symbol\tensembl\n", "only a header"),
        ("symbol\tgene_symbol\na\tb\n", "the column symbol stands there twice"),
        ("symbol\tensembl\na\t\x07\n", r"U\+0007"),
        ("name\tkind\na\tb\n", "line 1: 2 fields: one regulator a line is read, or a table whose first line names"),
    ],
)
def test_tables_that_are_none(tmp_path, text, message):
    path = tmp_path / "tfs.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        regulator_table(path)


def test_a_plain_list_has_one_column(tmp_path):
    path = tmp_path / "tfs.txt"
    path.write_text("a\n# b\n\nc\n")
    assert regulator_table(path).to_dict("list") == {"id": ["a", "c"]}


def n_found(adata) -> int:
    return int(adata.var["is_regulator"].sum())


def matched(adata) -> str:
    return next(line for line in adata.uns["netinfer"]["log"] if "regulators matched by" in line)


def test_ecoli_meets_the_demo_data():
    adata = ingest(read_expression(DEMO / "expression.tsv.gz"), regulators="ecoli")
    own = set(read_regulators(DEMO / "regulators.txt"))
    # The list has cecR's present name, the demo data its former one.
    assert own - set(adata.var_names[adata.var["is_regulator"]]) == {"ybiH"}
    assert "list 'ecoli': regulators matched by symbol against the names of the genes: 80 of 315" in matched(adata)


def test_infer_regression_takes_a_name():
    adata = ingest(read_expression(DEMO / "expression.tsv.gz"), regulators="all")[:, :40].copy()
    net = netinfer.infer_regression(adata, "ecoli", n_subsamples=4, seed=1)
    expected = set(regulator_table("ecoli")["symbol"]) & set(adata.var_names)
    assert set(net.nodes["name"][net.nodes["is_regulator"]]) == expected
    assert set(net.candidates["source"]) <= expected
    with pytest.raises(InputError, match="no list is called 'coli'"):
        netinfer.infer_regression(adata, "coli", n_subsamples=4)


def test_precise_is_matched_by_locus_tag(netinfer_data):
    folder = netinfer_data / "ecoli_precise"
    adata = ingest(read_expression(folder / "expression.tsv.gz"), regulators="ecoli")
    assert matched(adata).startswith("list 'ecoli': regulators matched by locus_tag against the names of the genes")
    found = set(adata.var_names[adata.var["is_regulator"]])
    assert len(found) == 300
    sources = set(read_gold(folder / "gold_trn_positives.tsv.gz")["source"])
    assert len(sources - found) <= 0.05 * len(sources)


def test_bsubtilis_is_matched_by_old_locus_tag(netinfer_data):
    path = netinfer_data / "bsubtilis_inferelator" / "raw" / "expression.tsv.gz"
    adata = ingest(read_expression(path, orientation="genes_x_samples"), regulators="bsubtilis")
    assert "matched by old_locus_tag against the names of the genes: 237 of 238" in matched(adata)
    with pytest.raises(InputError, match="0 of 238 regulators found as read, 237 transposed"):
        ingest(read_expression(path), regulators="bsubtilis")


def test_pbmc_is_matched_by_symbol(netinfer_data):
    adata = read_expression(netinfer_data / "pbmc68k_reduced" / "10x_pbmc68k_reduced.h5ad")
    human = ingest(adata, regulators="human")
    assert n_found(human) == 29
    assert {"SPI1", "IRF8", "CEBPD"} & set(human.var_names[human.var["is_regulator"]])
    with pytest.raises(InputError, match="list 'yeast': none of 204 regulators"):
        ingest(adata, regulators="yeast")


def test_yeast_is_matched_by_locus_tag(netinfer_data):
    adata = read_expression(netinfer_data / "yeast_glass2013" / "expression_ko.tsv.gz")
    assert not np.isnan(adata.X).any()
    result = ingest(adata, regulators="yeast")
    assert "matched by locus_tag" in matched(result)
    assert n_found(result) == 102
