"""Annotations as they come: the demo's table, PRECISE's gene table, and the genes of the data found in them."""

from __future__ import annotations

import gzip
from pathlib import Path

from netinfer.io import read_annotation
from netinfer.network.places import is_compact, locate, predict_operons

DEMO = Path(__file__).parents[2] / "resources/demo"


def genes(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.readline().rstrip("\n").split("\t")[1:]


def test_every_gene_of_the_demo_is_found_by_its_symbol():
    annotation = read_annotation(DEMO / "genes.tsv")
    assert len(annotation) == 450
    assert annotation.loc["b0032", ["symbol", "start", "end", "strand", "operon"]].tolist() == [
        "carA", 29650, 30799, "+", "carAB",
    ]  # fmt: skip
    places = locate(annotation, genes(DEMO / "expression.tsv.gz"))
    assert places.matched == "symbol"
    assert places.is_found.all()
    assert places.operons == "given"
    assert "it lists no other gene" in places.sentence
    a, b, c = (places.genes.get_indexer([name]) for name in ("carA", "carB", "dapB"))
    assert places.same_operon(a, b).all()
    assert not places.same_operon(a, c).any()
    assert places.distance(a, b).tolist() == places.distance(a, c).tolist() == [1]


def test_precise_has_all_its_genes_in_its_gene_table(netinfer_data):
    folder = netinfer_data / "ecoli_precise"
    annotation = read_annotation(folder / "raw" / "gene_table.csv.gz")
    assert len(annotation) == 4386
    assert set(annotation["contig"]) == {"NC_000913.3"}
    assert annotation.loc["b0002", ["symbol", "start", "end", "operon"]].tolist() == ["thrA", 336, 2799, "thrLABC"]
    places = locate(annotation, genes(folder / "expression.tsv.gz"))
    assert places.matched == "gene id"
    assert places.is_found.all()
    assert "it lists no other gene" not in places.sentence


def test_predicted_operons_of_e_coli_are_mostly_the_annotated_ones(netinfer_data):
    annotation = read_annotation(netinfer_data / "ecoli_precise" / "raw" / "gene_table.csv.gz")
    assert is_compact(annotation)
    ordered = annotation.sort_values("start", kind="stable")
    predicted, known = predict_operons(ordered), ordered["operon"]
    joined = (predicted == predicted.shift()) & (predicted != "")
    together = known == known.shift()
    # Measured by benchmarks/operons.py: 89.6 % and 81.7 %.
    assert (joined & together).sum() / joined.sum() > 0.88
    assert (joined & together).sum() / together.sum() > 0.80
    without = annotation.assign(operon="")
    places = locate(without, list(annotation.index[:100]))
    assert places.operons == "predicted"
