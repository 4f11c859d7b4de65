"""Motif models in the workflow: libraries of sequences, and motifs in the promoters of a data set's genes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import yaml

import netinfer as ni
from netinfer.io.motifs import Motif, write_meme
from netinfer.models.motif import MotifModel
from netinfer.models.motif_sites.links import MotifLinks, fit_links
from netinfer.models.motif_sites.scores import SiteScores
from netinfer.network import Network

LIBRARY_RULES = ("motif_library", "motif_library_report", "motif_library_manifest")
RULES = ("promoter_motifs", "motif_links", "motif")
WORD = "TGTGATCTAGATCACA"
PLACE = -90  # of the first base of a planted word, from the start of the gene
GAP = 400
TARGETS = "tf1"  # its targets get the word


def planned(done: Any, rules: tuple[str, ...]) -> set[str]:
    return {rule for rule in rules if re.search(rf"^{rule} +\d+$", done.stdout + done.stderr, flags=re.MULTILINE)}


def write_library(project: Any, **keys: object) -> dict[str, object]:
    """Mutants of a wild type of 30 bases; positions 10 to 14 carry activity, in two media of one size each."""
    rng = np.random.default_rng(1)
    wild = rng.integers(0, 4, 30)
    codes = np.where(rng.random((400, 30)) < 0.15, rng.integers(0, 4, (400, 30)), wild)
    signal = (codes[:, 10:15] != wild[10:15]).sum(axis=1)
    table = pd.DataFrame(
        {
            "variant": ["".join("ACGT"[b] for b in row) for row in codes],
            "rich medium": 5.0 - signal + 0.3 * rng.standard_normal(400),
            "minimal": 0.3 * rng.standard_normal(400),
            "set": np.where(np.arange(400) % 5 == 0, "test", "fit"),
        }
    )
    table.to_csv(project.folder / "data" / "library.csv", index=False)
    write_meme(
        project.folder / "data" / "known.meme",
        [word_motif("box", "".join("ACGT"[b] for b in wild[8:17])), word_motif("other", "GGCCTTAACG")],
    )
    return {
        "name": "lib",
        "sequences": "data/library.csv",
        "sequence": "variant",
        "activity": ["rich medium", "minimal"],
        "several": "responses",
        "split": "set",
        "n_subsamples": 20,
        "motifs": "data/known.meme",
        **keys,
    }


def word_motif(name: str, word: str) -> Motif:
    shares = np.full((len(word), 4), 0.02)
    shares[np.arange(len(word)), ["ACGT".index(letter) for letter in word]] = 0.94
    return Motif(name, shares, 50.0, np.full(4, 0.25))


def configure(project: Any, **keys: object) -> Any:
    project.configure()
    path = project.folder / "config" / "config.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **keys}))
    return project


def with_promoters(project: Any, **motif: object) -> Any:
    """Give the data set a genome in which the promoters of one regulator's targets hold a word."""
    folder = project.folder / "data"
    rng = np.random.default_rng(2)
    genes = pd.read_csv(folder / "expression.csv", index_col=0, nrows=1).columns
    gold = pd.read_csv(folder / "gold.tsv", sep="\t")
    targets = set(gold.loc[gold["source"] == TARGETS, "target"])
    genome, rows = [], []
    for k, gene in enumerate(genes):
        unit = rng.integers(0, 4, GAP + 100)
        if gene in targets:
            unit[GAP + PLACE : GAP + PLACE + len(WORD)] = ["ACGT".index(letter) for letter in WORD]
        genome.append("".join("ACGT"[b] for b in unit))
        start = k * (GAP + 100) + GAP + 1
        rows.append((gene, "chr", start, start + 80, "+"))
    (folder / "genome.fasta").write_text(">chr\n" + "".join(genome) + "\n")
    places = pd.DataFrame(rows, columns=["gene_id", "contig", "start", "end", "strand"])
    places.to_csv(folder / "places.tsv", sep="\t", index=False)
    noise = ["".join("ACGT"[b] for b in rng.integers(0, 4, 10)) for _ in range(8)]
    motifs = [word_motif(f"{TARGETS}_1", WORD), *(word_motif(f"noise_{i}", word) for i, word in enumerate(noise))]
    write_meme(folder / "motifs.meme", motifs)
    configure(project)
    path = project.folder / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    config["datasets"][0] |= {
        "annotation": "data/places.tsv",
        "motif": {
            "genome": "data/genome.fasta",
            "motifs": "data/motifs.meme",
            "upstream": 200,
            "n_subsamples": 20,
            **motif,
        },
    }
    path.write_text(yaml.safe_dump(config))
    return project


@pytest.fixture(scope="module")
def library(new_project: Callable[[], Any]) -> Any:
    project = new_project()
    configure(project, datasets=[], motif=[write_library(project)])
    done = project.snakemake()
    assert done.returncode == 0, done.stderr[-3000:]
    return project


@pytest.fixture(scope="module")
def promoters(new_project: Callable[[], Any]) -> Any:
    project = with_promoters(new_project())
    done = project.snakemake()
    assert done.returncode == 0, done.stderr[-3000:]
    return project


def test_rules_are_planned_only_where_they_are_asked_for(new_project: Callable[[], Any]) -> None:
    project = new_project()
    assert not planned(project.snakemake("--dry-run"), (*LIBRARY_RULES, *RULES, "motif_responses"))
    configure(project, motif=[write_library(project)])
    assert planned(project.snakemake("--dry-run"), (*LIBRARY_RULES, *RULES)) == set(LIBRARY_RULES)
    done = with_promoters(project).snakemake("--dry-run")
    assert planned(done, (*LIBRARY_RULES, *RULES, "motif_responses")) == set(RULES)


def test_a_library_run_writes_what_one_call_gives(library: Any) -> None:
    home = library.folder / "results" / "lib"
    models = pd.read_csv(home / "models.tsv", sep="\t", keep_default_na=False)
    assert models["folder"].tolist() == ["motif/rich_medium", "motif/minimal"]
    table = pd.read_csv(library.folder / "data" / "library.csv")
    expected = ni.fit_motif_responses(
        table["variant"], table[["rich medium", "minimal"]], test=(table["set"] == "test").to_numpy(), n_subsamples=20
    )
    found = MotifModel.read(home / "motif" / "rich_medium")
    pd.testing.assert_frame_equal(found.positions, expected["rich medium"].positions)
    assert found.record["test"] == expected["rich medium"].record["test"]
    # Five positions of one effect each, half the noise of one effect: all of them, and no other medium's.
    assert set(found.positions.loc[found.positions["is_selected"], "position"]) == {10, 11, 12, 13, 14}
    assert models["n_selected"].tolist() == [5, 0]
    assert models["reason"][1]
    prints = pd.read_csv(home / "motif" / "rich_medium" / "footprints.tsv", sep="\t")
    assert prints["best_match"].tolist() == ["box"]
    for name in ("positions.tsv", "predictions.tsv", "footprints.meme", "model.json", "figures/effects.png"):
        assert (home / "motif" / "rich_medium" / name).stat().st_size > 0, name


def test_a_library_has_a_page_and_a_manifest(library: Any) -> None:
    home = library.folder / "results" / "lib"
    page = (home / "report.html").read_text()
    assert "rich medium" in page
    assert "minimal" in page
    assert "sampling chance, given independent sequences" in page
    manifest = json.loads((home / "manifest.json").read_text())
    assert manifest["library"] == "lib"
    assert set(manifest["inputs"]) == {"sequences", "motifs"}
    assert {"report.html", "models.tsv", "motif/minimal/positions.tsv"} <= set(manifest["outputs"])


def test_netinfer_run_looks_at_the_library_and_makes_the_same_bytes(
    library: Any, new_project: Callable[[], Any]
) -> None:
    project = new_project()
    configure(project, datasets=[], motif=[write_library(project)])
    done = project.netinfer("run", "--cores", "2")
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("models.tsv", "report.html", "manifest.json", "motif/minimal/positions.tsv"):
        assert project.read(name, "lib") == library.read(name, "lib"), name


@pytest.mark.parametrize(
    ("keys", "code", "message"),
    [
        ({"activity": ["rich"]}, 3, "no column 'rich'"),
        ({"sequences": "data/none.csv"}, 3, "no such file"),
        ({"split": "set", "test": "held"}, 3, "no sequence is 'held'"),
        ({"motifs": "data/library.csv"}, 3, "no motifs"),
        ({"first": "x"}, 2, "should be a valid integer"),
    ],
)
def test_mistakes_in_a_library_are_seen_before_any_work(
    new_project: Callable[[], Any], keys: dict[str, object], code: int, message: str
) -> None:
    project = new_project()
    configure(project, motif=[write_library(project, **keys)])
    done = project.netinfer("check", "config/config.yaml")
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert project.netinfer("run", "--cores", "1").returncode == code
    assert not (project.folder / "results").exists()


def test_links_of_a_run_are_those_of_one_call(promoters: Any) -> None:
    home = promoters.folder / "results" / "csv"
    found = MotifLinks.read(home / "motif" / "links")
    scores = SiteScores.load(home / "work" / "motif" / "scores.npz")
    expected = fit_links(Network.read(home), scores, n_subsamples=20)
    pd.testing.assert_frame_equal(found.regulators, expected.regulators)
    pd.testing.assert_frame_equal(found.edges, expected.edges)
    row = found.regulators.set_index("source").loc[TARGETS]
    assert row["motif"] == f"{TARGETS}_1"
    assert row["peak_start"] == -100  # of bins of 50: the word's middle is at -82
    targets = found.edges.loc[found.edges["source"] == TARGETS]
    assert len(targets) >= 8
    assert targets["evidence"].str.startswith(f"{TARGETS}_1 found at ").all()
    assert (targets["start"] == PLACE).mean() > 0.9  # chance matches elsewhere in the bin are weaker than the word
    graph = nx.read_graphml(home / "motif" / "links" / "network.graphml")
    evidence = {(a, b): data.get("motif_evidence", "") for a, b, data in graph.edges(data=True)}
    assert sum(map(bool, evidence.values())) == len(found.edges)


def test_the_page_and_the_manifest_of_the_data_set_have_the_motifs(promoters: Any) -> None:
    home = promoters.folder / "results" / "csv"
    page = (home / "report.html").read_text()
    assert f"{TARGETS}_1" in page
    manifest = json.loads((home / "manifest.json").read_text())
    assert {"motif.genome", "motif.motifs", "annotation"} <= set(manifest["inputs"])
    assert {"motif/links/regulators.tsv", "motif/links/edges.tsv", "motif/links/network.graphml"} <= set(
        manifest["outputs"]
    )


def test_other_chunks_give_the_same_bytes(promoters: Any, new_project: Callable[[], Any]) -> None:
    project = with_promoters(new_project())
    done = project.snakemake("results/csv/motif/links/regulators.tsv", "--set-scatter", "targets=2")
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("regulators.tsv", "edges.tsv", "motifs.tsv", "bins.tsv", "network.graphml", "links.json"):
        assert project.read(f"motif/links/{name}") == promoters.read(f"motif/links/{name}"), name


def test_another_threshold_scans_no_promoter_again(promoters: Any) -> None:
    path = promoters.folder / "config" / "config.yaml"
    before = path.read_text()
    try:
        path.write_text(before.replace("upstream: 200", "upstream: 200\n    threshold: 0.8"))
        done = promoters.snakemake("results/csv/motif/links/regulators.tsv", "--dry-run", "--rerun-triggers", "params")
        assert planned(done, RULES) == {"motif_links", "motif"}, done.stdout
        # Nothing of the network is made again, and what shows the links is.
        done = promoters.snakemake("--dry-run")
        rules = (*RULES, "preflight", "ingest", "regression", "network", "report", "manifest")
        assert planned(done, rules) == {"motif_links", "motif", "report", "manifest"}, done.stdout
        path.write_text(before.replace("normalize: none", "normalize: rank"))
        done = promoters.snakemake("--dry-run")
        assert planned(done, rules) == {*rules}, done.stdout
    finally:
        path.write_text(before)


def test_responses_have_models_of_motifs_and_of_positions(new_project: Callable[[], Any]) -> None:
    project = with_promoters(new_project(), responses="data/responses.tsv", positions=True)
    folder = project.folder / "data"
    gold = pd.read_csv(folder / "gold.tsv", sep="\t")
    places = pd.read_csv(folder / "places.tsv", sep="\t")
    targets = places["gene_id"].isin(set(gold.loc[gold["source"] == TARGETS, "target"])).to_numpy()
    rng = np.random.default_rng(3)
    responses = pd.DataFrame({"gene": places["gene_id"], "is target": targets.astype(int)})
    responses["fold change"] = 2.0 * targets + 0.5 * rng.standard_normal(len(targets))
    responses.to_csv(folder / "responses.tsv", sep="\t", index=False)
    checked = project.netinfer("check", "config/config.yaml")
    assert "responses: is target, fold change: 200 genes" in checked.stdout, checked.stderr
    done = project.snakemake("results/csv/motif/responses.tsv")
    assert done.returncode == 0, done.stderr[-3000:]
    table = pd.read_csv(project.folder / "results" / "csv" / "motif" / "responses.tsv", sep="\t")
    assert table["family"].tolist() == ["binomial", "gaussian"]
    assert table["motifs"].tolist() == [f"{TARGETS}_1"] * 2
    home = project.folder / "results" / "csv" / "motif" / "responses" / "fold_change"
    positions = MotifModel.read(home / "positions").positions
    at_cut = set(positions.loc[positions["is_selected"], "position"])
    # 25 of 200 promoters have the word, which alone is not random: half-samples see a dozen.
    assert at_cut
    assert at_cut <= set(range(PLACE, PLACE + len(WORD)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "genome.fasta").write_text(">other\nACGT\n"), "contig"),
        (
            lambda folder: (folder / "places.tsv").write_text(
                "gene_id\tcontig\tstart\tend\tstrand\nx\tchr\t500\t600\t+\n"
            ),
            "only 0 of the data's 200 genes",
        ),
        (lambda folder: (folder / "motifs.meme").write_text("MEME version 4\n"), "a MEME file without a motif"),
    ],
)
def test_files_that_do_not_fit_together_are_refused_by_the_check(
    new_project: Callable[[], Any], change: Callable[[Any], object], message: str
) -> None:
    project = with_promoters(new_project())
    change(project.folder / "data")
    done = project.netinfer("check", "config/config.yaml")
    assert done.returncode == 3, done.stderr
    assert message in done.stderr
