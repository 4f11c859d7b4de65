"""Which genes a list means, what names a gene and what labels it."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from netinfer import evaluate, infer_regression
from netinfer.config import IngestConfig
from netinfer.errors import InputError
from netinfer.io import read_expression, read_regulators, regulator_table
from netinfer.io.build import quiet_names
from netinfer.io.matching import match, names_of, to_keys, without_version
from netinfer.preprocess import ingest
from netinfer.preprocess.identifiers import find_regulators


def data(names, **columns) -> anndata.AnnData:
    rng = np.random.default_rng(3)
    var = pd.DataFrame(columns, index=pd.Index(names, dtype=object))
    obs = pd.DataFrame(index=[f"s{i}" for i in range(12)])
    with quiet_names():
        return anndata.AnnData(rng.normal(size=(12, len(names))), obs=obs, var=var)


def regulators_of(adata) -> list[str]:
    return list(adata.var_names[adata.var["is_regulator"]])


def log_of(adata) -> str:
    return "\n".join(adata.uns["netinfer"]["log"])


ENSEMBL = [f"ENSG{i:011d}" for i in range(1, 7)]
SYMBOLS = ["TBCE", "TBCE", "MYC", "TP53", "JUN", "FOS"]


def test_best_pair_of_columns_is_used_and_said():
    adata = data(ENSEMBL, gene_symbols=SYMBOLS, entrez=[1, 2, 4609, 7157, 3725, 2353])
    table = pd.DataFrame({"symbol": ["MYC", "TP53", "NOBODY"], "ensembl": ["x", ENSEMBL[3], "y"]})
    result = ingest(adata, regulators=table)
    assert regulators_of(result) == [ENSEMBL[2], ENSEMBL[3]]
    sentence = "regulators matched by symbol against var['gene_symbols']: 2 of 3; not among the genes: 'NOBODY'"
    assert sentence in log_of(result)
    by_number = ingest(adata, regulators=["7157", "3725"])
    assert regulators_of(by_number) == [ENSEMBL[3], ENSEMBL[4]]
    assert "regulators matched by id against var['entrez']: 2 of 2" in log_of(by_number)


def test_ties_go_to_the_key():
    adata = data(["a", "b", "c"], symbol=["b", "a", "c"])
    assert regulators_of(ingest(adata, regulators=["a"])) == ["a"]


@pytest.mark.parametrize("kind", [list, pd.Categorical])
def test_text_and_categorical_columns_with_gaps(kind):
    adata = data(ENSEMBL[:3], feature_name=kind(["MYC", None, "JUN"]))
    result = ingest(adata, regulators=["JUN"])
    assert regulators_of(result) == [ENSEMBL[2]]
    assert result.var["symbol"].tolist() == ["MYC", "", "JUN"]


def test_versions_of_ensembl_ids_are_no_part_of_the_name():
    adata = data([f"{name}.{i}" for i, name in enumerate(ENSEMBL)])
    result = ingest(adata, regulators=[f"{ENSEMBL[0]}.9", ENSEMBL[1], f"{ENSEMBL[2]}.2"])
    assert regulators_of(result) == [f"{ENSEMBL[0]}.0", f"{ENSEMBL[1]}.1", f"{ENSEMBL[2]}.2"]
    assert "2 regulators were found without the version of their Ensembl id" in log_of(result)
    assert without_version("ENSMUSG00000059552.14") == "ENSMUSG00000059552"
    assert without_version("AT1G01010.1") == "AT1G01010.1"
    with pytest.raises(InputError, match="none of 1 regulators"):
        ingest(data(["g1.1", "g2.1"]), regulators=["g1"])


def test_the_exact_version_comes_first():
    names = [f"{ENSEMBL[0]}.1", f"{ENSEMBL[0]}.2", "b"]
    assert regulators_of(ingest(data(names), regulators=[names[1]])) == [names[1]]
    both = ingest(data(names), regulators=[ENSEMBL[0]])
    assert regulators_of(both) == names[:2]
    assert "1 regulators stand for several genes each, and all of them are taken" in log_of(both)


def test_a_symbol_of_two_ids_takes_both():
    result = ingest(data(ENSEMBL, gene_symbols=SYMBOLS), regulators=["TBCE", "JUN"])
    assert regulators_of(result) == [ENSEMBL[0], ENSEMBL[1], ENSEMBL[4]]
    assert f"and all of them are taken: 'TBCE ({ENSEMBL[0]}, {ENSEMBL[1]})'" in log_of(result)


def test_case_is_ignored_only_where_names_alone_find_next_to_nothing(caplog):
    genes = [f"Gene{i}" for i in range(20)]
    listed = [name.upper() for name in genes[:12]]
    with caplog.at_level(logging.WARNING):
        result = ingest(data(genes), regulators=listed)
    assert regulators_of(result) == genes[:12]
    assert "upper and lower case were ignored" in log_of(result)
    assert "make sure that the list is of this organism" in caplog.text
    two_exact = [*listed[:10], "Gene12", "Gene13"]
    assert regulators_of(ingest(data(genes), regulators=two_exact)) == ["Gene12", "Gene13"]
    with pytest.raises(InputError, match=r"'GENE0' \(nearest 'Gene0'\)"):  # nine are few enough to mend
        ingest(data(genes), regulators=listed[:9])


def test_names_that_differ_by_case_alone_are_not_mixed_up():
    genes = [f"Gene{i}" for i in range(15)] + ["ab", "aB"]
    listed = [f"GENE{i}" for i in range(14)] + ["AB", "gene14", "GENE14"]
    result = ingest(data(genes), regulators=listed)
    assert regulators_of(result) == genes[:14]


def test_shipped_list_without_a_gene_is_an_error_and_a_few_missing_no_warning(caplog):
    adata = data([*ENSEMBL[:3], "ENSG00000141510", "ENSG00000136997"])
    with caplog.at_level(logging.WARNING):
        result = ingest(adata, regulators="human")
    assert regulators_of(result) == ["ENSG00000141510", "ENSG00000136997"]
    assert "list 'human': regulators matched by ensembl against the names of the genes: 2 of 1,4" in log_of(result)
    assert "'ADNP (ENSG00000101126)'" in log_of(result)  # a missing regulator is listed by both its names
    assert not caplog.records
    with pytest.raises(InputError, match=r"list 'human': none of \d+ regulators"):
        ingest(data(["a", "b", "c"]), regulators="human")


def test_numbered_genes_have_no_entrez_ids():
    numbered = data([str(i) for i in range(200)])
    with pytest.raises(InputError, match="list 'human': none of"):
        ingest(numbered, regulators="human")
    by_entrez = data(["7157", "4609", "1"])
    assert regulators_of(ingest(by_entrez, regulators="human")) == ["7157", "4609"]


def test_a_dropped_regulator_stays_listed():
    adata = data(ENSEMBL, gene_symbols=SYMBOLS)
    adata.X[:, 3] = 1.0
    result = ingest(adata, regulators=["TP53", "JUN"])
    dropped = result.uns["netinfer"]["dropped_genes"]
    assert dropped.loc[dropped["is_regulator"], "gene"].tolist() == [ENSEMBL[3]]


@pytest.mark.parametrize("regulators", [pd.DataFrame({"colour": ["red"]}), pd.DataFrame({"symbol": ["", None]})])
def test_frames_without_ids_are_refused(regulators):
    with pytest.raises(InputError, match=r"no ids|no id in the table"):
        ingest(data(["a", "b"]), regulators=regulators)


def test_a_transposed_matrix_is_seen_by_any_column_of_the_list():
    turned = data(["s1", "s2", "s3"])
    turned.obs_names = [f"BSU{i:05d}" for i in range(12)]
    table = pd.DataFrame({"symbol": ["abc", "def"], "locus_tag": ["BSU00001", "BSU00002"]})
    with pytest.raises(InputError, match="looks genes x samples: 0 of 2 regulators found as read, 2 transposed"):
        ingest(turned, regulators=table)


@pytest.mark.parametrize(("listed", "there"), [("", ".12"), (".3", ".12"), (".3", "")])
def test_a_transposed_matrix_is_seen_whatever_the_versions(listed, there):
    turned = data(["s1", "s2", "s3"])
    turned.obs_names = [f"ENSG{i:011d}{there}" for i in range(12)]
    wanted = [f"ENSG{i:011d}{listed}" for i in (3, 4, 99)]
    with pytest.raises(InputError, match="looks genes x samples: 0 of 3 regulators found as read, 2 transposed"):
        ingest(turned, regulators=wanted)
    upright = data([f"ENSG{i:011d}{there}" for i in range(12)])
    assert len(regulators_of(ingest(upright, regulators=wanted))) == 2


def test_the_likely_right_shipped_list_is_named():
    mouse = regulator_table("mouse")
    genes = [name for name in mouse["ensembl"] if name][:6]
    with pytest.raises(InputError) as caught:
        ingest(data(genes), regulators="human")
    hint = "the shipped list 'mouse' names 6 of these genes: set `regulators: mouse` if they are of that organism"
    assert str(caught.value).startswith("data: list 'human': none of 1,446".replace(",", ""))
    assert str(caught.value).endswith(hint)
    with pytest.raises(InputError, match="the shipped list 'mouse' names 6 of these genes"):
        ingest(data([f"{name}.4" for name in genes]), regulators=["TP53", "JUN"])
    with pytest.raises(InputError, match="check the type, case and version suffix"):
        ingest(data(genes[:4]), regulators="human")  # four may be chance


def test_a_list_that_fits_by_ignoring_case_alone_is_no_match_for_the_right_one(caplog):
    symbols = [name for name in regulator_table("mouse")["symbol"] if name.upper() != name][:40]
    with caplog.at_level(logging.WARNING):
        result = ingest(data(symbols), regulators="human")
    assert "the shipped list 'mouse' names 40 of these genes" in caplog.text
    assert "the shipped list 'mouse'" in log_of(result)
    caplog.clear()
    assert "the shipped list" not in log_of(ingest(data(symbols), regulators="mouse"))


def test_five_missing_regulators_of_a_shipped_list_are_named():
    log = log_of(ingest(data(["ENSG00000141510", "ENSG00000136997"]), regulators="human"))
    line = next(line for line in log.splitlines() if "not among the genes" in line)
    assert line.count("'") == 2 + 2 * 5
    assert line.endswith("and 1439 more")


# ---- keys and labels ---------------------------------------------------------------------------------------------


def test_names_that_stand_twice_give_way_to_ids():
    adata = data(SYMBOLS, gene_ids=ENSEMBL)
    result = ingest(adata, regulators=["TP53"])
    assert list(result.var_names) == ENSEMBL
    assert result.var["symbol"].tolist() == SYMBOLS
    assert regulators_of(result) == [ENSEMBL[3]]
    assert "1 gene names stand more than once ('TBCE'): genes are named by var['gene_ids']" in log_of(result)
    assert list(adata.var_names) == SYMBOLS  # the argument is not changed


def test_names_that_stand_twice_and_no_unique_ids_are_an_error():
    with pytest.raises(InputError, match="1 genes stand more than once: 'TBCE'"):
        ingest(data(SYMBOLS, gene_ids=[*ENSEMBL[:5], ENSEMBL[4]]), regulators=["TP53"])
    with pytest.raises(InputError, match="1 genes stand more than once: 'TBCE'"):
        ingest(data(SYMBOLS, gene_ids=[*ENSEMBL[:5], None]), regulators=["TP53"])


def test_a_rule_for_duplicates_wins_over_ids():
    result = ingest(data(SYMBOLS, gene_ids=ENSEMBL), regulators=["TP53"], settings=IngestConfig(duplicates="sum"))
    assert list(result.var_names) == ["TBCE", "MYC", "TP53", "JUN", "FOS"]


def test_gene_column_wins_over_ids(tmp_path):
    adata = data(ENSEMBL, gene_symbols=SYMBOLS)
    adata.write_h5ad(tmp_path / "x.h5ad")
    asked = read_expression(tmp_path / "x.h5ad", gene_column="gene_symbols")
    with pytest.raises(InputError, match="'TBCE': remove them, or set `duplicates:`"):
        ingest(asked, regulators=["TP53"])
    plain = ingest(read_expression(tmp_path / "x.h5ad"), regulators=["TP53"])
    assert list(plain.var_names) == ENSEMBL
    plain.write_h5ad(tmp_path / "y.h5ad")
    assert anndata.read_h5ad(tmp_path / "y.h5ad").var["symbol"].tolist() == SYMBOLS


def tenx_hdf5(path, symbols=SYMBOLS, kinds=None):
    counts = np.random.default_rng(0).poisson(3.0, size=(12, len(symbols)))
    matrix = sparse.csr_matrix(counts)
    with h5py.File(path, "w") as handle:
        group = handle.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        group["shape"] = np.array(counts.T.shape)
        group["barcodes"] = np.array([f"AAA-{i}" for i in range(12)], dtype="S")
        features = group.create_group("features")
        features["id"] = np.array(ENSEMBL, dtype="S")
        features["name"] = np.array(symbols, dtype="S")
        features["feature_type"] = np.array(kinds or ["Gene Expression"] * len(symbols), dtype="S")
    return counts


def test_tenx_hdf5_is_keyed_by_id(tmp_path):
    path = tmp_path / "filtered_feature_bc_matrix.h5"
    counts = tenx_hdf5(path)
    adata = read_expression(path)
    assert np.array_equal(adata.X.toarray(), counts)
    assert list(adata.var_names) == ENSEMBL
    assert adata.var["symbol"].tolist() == SYMBOLS
    assert list(adata.obs_names) == [f"AAA-{i}" for i in range(12)]
    assert list(read_expression(path, gene_column="gene_symbols").var_names) == SYMBOLS
    with pytest.raises(InputError, match="by definition"):
        read_expression(path, orientation="samples_x_genes")
    with pytest.raises(InputError, match="`layer: raw` does not apply"):
        read_expression(path, layer="raw")
    tenx_hdf5(path, kinds=["Gene Expression"] * 5 + ["Antibody Capture"])
    assert list(read_expression(path).var_names) == ENSEMBL[:5]


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("features/name", None, "no features/name"),
        ("shape", np.array([7, 12]), "7 x 12, but 6 genes and 12 cells"),
        ("indptr", np.zeros(13, int), "indptr does not rise"),
        ("barcodes", np.array([b"x"]), "6 x 12, but 6 genes and 1 cells"),
    ],
)
def test_damaged_tenx_hdf5(tmp_path, part, values, message):
    path = tmp_path / "x.h5"
    tenx_hdf5(path)
    with h5py.File(path, "r+") as handle:
        del handle["matrix"][part]
        if values is not None:
            handle["matrix"][part] = values
    with pytest.raises(InputError, match=message):
        read_expression(path)


def test_symbols_reach_the_nodes_and_edges_keep_the_keys(tmp_path):
    rng = np.random.default_rng(5)
    values = rng.normal(size=(40, 6))
    values[:, 4] = values[:, 3] + 0.2 * rng.normal(size=40)
    adata = anndata.AnnData(
        values,
        obs=pd.DataFrame(index=[f"s{i}" for i in range(40)]),
        var=pd.DataFrame({"gene_symbols": SYMBOLS}, index=pd.Index(ENSEMBL, dtype=object)),
    )
    adata = ingest(adata, regulators=["TP53", "MYC"])
    net = infer_regression(adata, n_subsamples=10, seed=1)
    assert net.nodes["name"].tolist() == ENSEMBL
    assert net.nodes["symbol"].tolist() == SYMBOLS
    assert set(net.candidates["source"]) <= {ENSEMBL[2], ENSEMBL[3]}
    net.write(tmp_path / "net")
    nodes = pd.read_csv(tmp_path / "net" / "nodes.tsv", sep="\t")
    assert nodes["symbol"].tolist() == SYMBOLS
    assert '<data key="symbol">TP53</data>' in (tmp_path / "net" / "network.graphml").read_text()

    edges = [("TP53", "JUN", 1), ("MYC", "JUN", 0), ("TP53", "FOS", 0), ("MYC", "TBCE", 1)]
    by_symbol = pd.DataFrame(edges, columns=["source", "target", "is_edge"])
    by_id = by_symbol.replace(dict(zip(SYMBOLS[2:], ENSEMBL[2:], strict=True)))
    first, second = (evaluate(net, gold, n_bootstrap=0) for gold in (by_symbol, by_id))
    pd.testing.assert_frame_equal(first, second)
    scores = first.set_index("metric")["value"]
    assert scores["n_positives"] == 1
    assert scores["n_positives_outside_data"] == 1  # TBCE is two genes: which one is not known
    assert scores["aupr"] == 1.0  # the planted pair is first of three


def test_regulators_keyed_by_ids_are_labelled_by_the_list(tmp_path):
    genes = ["ENSG00000141510.7", "ENSG00000136997", *ENSEMBL[2:6]]
    result = ingest(data(genes), regulators="human")
    assert result.var["symbol"].tolist() == ["TP53", "MYC", "", "", "", ""]
    net = infer_regression(result, n_subsamples=20)
    net.write(tmp_path / "net")
    nodes = pd.read_csv(tmp_path / "net" / "nodes.tsv", sep="\t", keep_default_na=False).set_index("name")
    assert nodes.loc["ENSG00000136997", "symbol"] == "MYC"
    own = ingest(data(genes, symbol=["p53", "", *"abcd"]), regulators="human")
    assert own.var["symbol"].tolist() == ["p53", "MYC", *"abcd"]  # the data's symbols stay
    assert "symbol" not in ingest(data(["TP53", "MYC", "x"]), regulators="human").var
    assert "symbol" not in ingest(data(genes), regulators=["ENSG00000141510"]).var


def test_to_keys():
    var = pd.DataFrame({"symbol": SYMBOLS}, index=ENSEMBL)
    keys, column = to_keys(var, ["JUN", "TBCE", "FOS", "JUN", "nobody"])
    assert list(keys) == [ENSEMBL[4], "TBCE", ENSEMBL[5], ENSEMBL[4], "nobody"]
    assert column == "symbol"
    keys, column = to_keys(var, [f"{ENSEMBL[0]}.3", "JUN"])
    assert (list(keys), column) == ([ENSEMBL[0], "JUN"], "")


def test_matches_of_an_empty_overlap():
    pairs = match(pd.DataFrame({"id": ["x"]}), names_of(pd.DataFrame(index=["a"])))
    assert pairs.n_found == 0
    with pytest.raises(InputError, match="here: none of 1 regulators is among the 1 genes"):
        find_regulators(pd.DataFrame({"id": ["x"]}), {"": ["a"]}, "here")


# ---- the how-to ---------------------------------------------------------------------------------------------------

GFF = """##gff-version 3
c\tRefSeq\tgene\t1\t9\t.\t+\t.\tID=gene-X_1;locus_tag=X_1
c\tRefSeq\tCDS\t1\t9\t.\t+\t0\tID=cds-1;gene=lysR;locus_tag=X_1;product=LysR family transcriptional regulator
c\tRefSeq\tCDS\t11\t19\t.\t+\t0\tID=cds-2;locus_tag=X_2;product=RNA polymerase sigma factor%2C ECF family
c\tRefSeq\tCDS\t21\t29\t.\t+\t0\tID=cds-3;locus_tag=X_3;product=anti-sigma factor
c\tRefSeq\tCDS\t31\t39\t.\t+\t0\tID=cds-4;locus_tag=X_4;product=transcription termination factor Rho
"""
EMAPPER = """## a comment
#query\tGOs\tPFAMs
p1\tGO:0003700,GO:0008150\t-
p2\t-\tWRKY
p3\tGO:0008150\tPkinase
## 3 queries
"""
ORTHOLOGUES = "m1\tBSU_14480\nm2\tBSU00370\nm3\tBSU_00370x\nm4\tBSU00010\nm4\tBSU_23520\n"


def test_the_code_of_the_howto_makes_lists(tmp_path, monkeypatch):
    page = Path(__file__).parents[2] / "docs" / "howto_nonmodel.md"
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("genome.gff").write_text(GFF)
    Path("my.emapper.annotations").write_text(EMAPPER)
    Path("orthologues.tsv").write_text(ORTHOLOGUES)
    by_product, by_domain, by_orthologue = blocks
    exec(by_product.replace("genome.gff.gz", "genome.gff"), {})
    table = regulator_table("./regulators.tsv")
    assert table.to_dict("list") == {"locus_tag": ["X_1", "X_2"], "symbol": ["lysR", ""]}
    exec(by_domain, {})
    assert Path("proteins.txt").read_text().split() == ["p1", "p2"]
    exec(by_orthologue, {})
    assert read_regulators("./regulators.txt") == ["m1", "m2"]
