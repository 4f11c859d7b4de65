"""The page on a motif model: what it shows, what it escapes, and that it claims no more than is known."""

from __future__ import annotations

import dataclasses
import importlib.util
import re

import numpy as np
import pandas as pd
import pytest

from netinfer.io.motifs import Motif
from netinfer.models.motif import MotifModel, fit_motif_positions
from netinfer.models.motif.model import EXPECTED_FALSE_POSITIONS_NOTE
from netinfer.report import write_motif_report

EVIL = "<script>alert(1)</script>"
SITE = range(4, 9)


def library(n: int = 300) -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(0)
    wild = np.arange(16) % 4
    codes = np.where(rng.random((n, 16)) < 1 / 6, (wild + rng.integers(1, 4, (n, 16))) % 4, wild)
    activity = -1.0 * (codes[:, SITE] != wild[SITE]).sum(axis=1) + 0.4 * rng.standard_normal(n)
    return ["".join(row) for row in np.array(list("ACGT"))[codes]], activity


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    sequences, activity = library()
    sequences[0] = "N" + sequences[0][1:]
    is_test = np.arange(300) % 5 == 0
    model = fit_motif_positions(sequences, pd.Series(activity, name=EVIL), n_subsamples=20, test=is_test, first=-20)
    # ACGTACGT... from 3 on: the site and its neighbours.
    codes = (np.arange(3, 11) % 4).astype(int)
    motif = Motif(EVIL.replace(" ", ""), np.eye(4)[codes] * 0.88 + 0.03, 30.0, np.full(4, 0.25))
    path = tmp_path_factory.mktemp("model")
    model.write(path, motifs=[motif])
    return path


@pytest.fixture(scope="module")
def model(folder):
    return MotifModel.read(folder)


@pytest.fixture(scope="module")
def page(folder, model):
    return write_motif_report(folder / "report.html", model, title=EVIL).read_text()


def plain(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.split("</style>")[1]).split())


def test_names_are_escaped_and_nothing_is_loaded(page):
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4  # title, heading, response, motif
    assert not re.search(r"src=\"(?!data:image/svg)", page)
    assert "default-src 'none'" in page


def test_only_files_that_are_beside_it_are_linked(folder, model, page, tmp_path):
    links = re.findall(r"href=\"([^\"#]+)\"", page)
    assert links == ["positions.tsv", "footprints.tsv", "predictions.tsv", "footprints.meme", "model.json"]
    assert all((folder / link).is_file() for link in links)
    alone = write_motif_report(tmp_path / "report.html", model, title="x").read_text()
    assert not re.findall(r"href=\"([^\"#]+)\"", alone)


def test_anchors_lead_somewhere(page):
    for anchor in re.findall(r"href=\"#([^\"]+)\"", page):
        assert f'id="{anchor}"' in page


def test_what_came_out_is_said_with_its_figures(model, page):
    text = plain(page)
    assert f"{model.cut['n_positions']} of 16 positions with variation" in text.replace("  ", " ")
    assert EXPECTED_FALSE_POSITIONS_NOTE in text.replace("’", "'").replace("&#39;", "'")
    assert f"{model.record['test']['r']:.3f}" in text
    assert f"{model.record['heldout']['r2']:.3f} ± {model.record['heldout']['r2_se']:.3f}" in text
    for row in model.footprints.itertuples(index=False):
        assert f"<code>{row.consensus}</code>" in page
    listed = re.search(r'id="positions".*?</table>', page, flags=re.DOTALL)[0]
    assert listed.count("<tr><td") == model.cut["n_positions"]
    assert "were left out" in text or "was left out" in text
    assert all(note in text for note in model.record["notes"])
    assert "1 sequences with ambiguous letters" in text or model.record["n_dropped"] == 0
    assert page.count("data:image/svg+xml") == 1 + len(model.footprints)
    assert "not that the factor binds" in text


def test_a_match_that_chance_gives_is_called_so(folder, model, tmp_path):
    assert "no better than chance" not in plain((folder / "report.html").read_text())
    weak = dataclasses.replace(model, footprints=model.footprints.assign(match_e=3.0))
    assert "no better than chance" in plain(write_motif_report(tmp_path / "r.html", weak).read_text())


def test_the_same_model_gives_the_same_bytes(folder, model, page):
    assert write_motif_report(folder / "report.html", model, title=EVIL).read_text() == page


def test_without_logomaker_the_page_is_there_without_logos(model, tmp_path, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "logomaker" else find(name, *a))
    page = write_motif_report(tmp_path / "r.html", model).read_text()
    assert page.count("data:image/svg+xml") == 1
    assert "Logos are counted" not in page


def test_where_nothing_is_selected_it_says_why_and_what_to_change(tmp_path):
    sequences, _ = library()
    noise = np.random.default_rng(2).standard_normal(300)
    none = fit_motif_positions(sequences, noise, n_subsamples=10)
    assert none.cut["n_positions"] == 0
    text = plain(write_motif_report(tmp_path / "r.html", none).read_text())
    assert "No position passes the cut." in text
    assert none.cut["reason"][1:] in text
    assert "Held-out prediction is no better than the mean" in text
    assert "without error control: ideas, not findings" in text
    assert "at most" not in text.split("Effects along")[0].replace("expected false positions, at most", "")
    # Activity that bases predict, but a level that cannot be met.
    sequences, activity = library()
    strict = fit_motif_positions(sequences, activity, n_subsamples=10, expected_false_positions=1e-9)
    text = plain(write_motif_report(tmp_path / "s.html", strict).read_text())
    assert "Held-out prediction is better than the mean" in text
    assert "expected_false_positions=1" in text


def test_two_classes_and_pairs_have_their_words(tmp_path):
    sequences, activity = library()
    state = np.where(activity > np.median(activity), EVIL, "off")
    two = fit_motif_positions(sequences, state, family="binomial", n_subsamples=10, weights=np.full(300, 2.0))
    page = write_motif_report(tmp_path / "two.html", two).read_text()
    assert "AUC" in page
    assert "<script" not in page
    assert "drawn are the coefficients of the model that predicts" in plain(page)
    paired = fit_motif_positions(*_paired(), n_subsamples=10, pairs=[2, 5])
    assert len(paired.terms)
    page = plain(write_motif_report(tmp_path / "pairs.html", paired).read_text())
    assert f"{len(paired.terms)} coefficients of pairs of bases take part in the predictions" in page
    assert f"{paired.record['heldout_with_pairs']['r']:.3f}" in page


def _paired() -> tuple[list[str], np.ndarray]:
    rng = np.random.default_rng(0)
    codes = np.where(rng.random((600, 8)) < 0.4, rng.integers(1, 4, (600, 8)), 0)
    activity = -1.0 * ((codes[:, 2] > 0) | (codes[:, 5] > 0)) + 0.3 * rng.standard_normal(600)
    return ["".join(row) for row in np.array(list("ACGT"))[codes]], activity
