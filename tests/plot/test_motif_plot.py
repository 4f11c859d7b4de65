"""Figures of motif-position models: what is drawn is what the model says, with letters and without."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from netinfer import plot
from netinfer.errors import InputError
from netinfer.models.motif import fit_motif_positions
from netinfer.plot.axes import FAINT, aside, save
from netinfer.plot.motif import centred_effects, information

SITE = range(4, 9)


def fit(length: int = 20, site: range = SITE, **asked):
    """Each mutated base of a site takes one off the activity; the wild type is ACGT again and again."""
    rng = np.random.default_rng(0)
    wild = np.arange(length) % 4
    codes = np.where(rng.random((300, length)) < 1 / 6, (wild + rng.integers(1, 4, (300, length))) % 4, wild)
    activity = -1.0 * (codes[:, site] != wild[site]).sum(axis=1) + 0.4 * rng.standard_normal(300)
    letters = np.array(list(asked.pop("letters", "ACGT")))
    return fit_motif_positions(["".join(row) for row in letters[codes]], activity, n_subsamples=20, **asked)


@pytest.fixture(scope="module")
def model():
    return fit(first=-30)


@pytest.fixture
def no_logomaker(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "logomaker" else find(name, *a))


def words(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def letters_of(ax) -> list[PathPatch]:
    return [patch for patch in ax.patches if isinstance(patch, PathPatch)]


def test_letters_are_as_high_as_the_effects(model):
    ax = model.plot()
    occurs = np.array(model.record["base_occurs"])
    centred = centred_effects(model.effects, occurs)
    tops = np.maximum(centred, 0).sum(axis=1)
    drawn = letters_of(ax)
    boxes = np.array([patch.get_path().get_extents().get_points() for patch in drawn])
    for p in SITE:
        at = np.abs(boxes[:, :, 0].mean(axis=1) - (p - 30)) < 0.4
        assert boxes[at, 1, 1].max() == pytest.approx(tops[p], rel=0.01)
        assert boxes[at, 0, 1].min() == pytest.approx(np.minimum(centred, 0).sum(axis=1)[p], rel=0.01)
    is_faint = np.array([patch.get_facecolor()[:3] == _rgb(FAINT) for patch in drawn])
    at_cut = set(model.positions.loc[model.positions["is_selected"], "position"])
    places = np.rint(boxes[:, :, 0].mean(axis=1)).astype(int)
    assert {int(p) for p in places[~is_faint]} == at_cut
    assert not at_cut & {int(p) for p in places[is_faint]}


def _rgb(color: str) -> tuple:
    from matplotlib.colors import to_rgb

    return to_rgb(color)


def test_reference_numbers_and_footprints_are_there(model):
    ax = plot.promoter_effects(model)
    assert "".join(word for word in words(ax)[-20:]) == model.record["reference"]
    assert list(model.footprints["consensus"]) == words(ax)[: len(model.footprints)]
    low, high = ax.get_xlim()
    assert low < -30 < -11 < high
    marks = next(line for line in ax.lines if line.get_marker() == "v")
    assert set(marks.get_xdata()) == set(model.positions.loc[model.positions["is_selected"], "position"])
    assert "activity" in ax.get_ylabel()
    assert "position" in ax.get_xlabel()


def test_long_windows_have_bars_and_no_letters():
    long = fit(130)
    ax = long.plot()
    assert not letters_of(ax)
    assert words(ax) == list(long.footprints["consensus"])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["best base", "worst base"]


def test_without_logomaker_there_are_bars_and_logos_name_the_extra(model, no_logomaker):
    ax = model.plot()
    assert not letters_of(ax)
    centred = centred_effects(model.effects, np.array(model.record["base_occurs"]))
    heights = np.array([patch.get_height() for patch in ax.patches if abs(patch.get_width() - 0.85) < 1e-6])
    np.testing.assert_allclose(heights, np.append(centred.max(axis=1), centred.min(axis=1)))
    with pytest.raises(InputError, match=r"pip install 'netinfer\[motifs\]'"):
        plot.footprint_logo(model, 1)


def test_a_logo_has_the_bits_of_its_matrix(model):
    motif = model.footprint_motifs()[0]
    p, q = motif.probabilities, motif.background
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.nan_to_num(p * np.log2(p / q)).sum(axis=1)
    np.testing.assert_allclose(information(p, q).sum(axis=1), np.maximum(bits, 0), atol=1e-12)
    # Of one base alone in four that are equal: two bits. Of the background: none.
    assert information(np.array([[1.0, 0, 0, 0]]), np.full(4, 0.25)).tolist() == [[2.0, 0, 0, 0]]
    assert information(q[None], q).sum() == pytest.approx(0.0, abs=1e-12)
    ax = plot.footprint_logo(model, 1)
    tops = np.array([patch.get_path().get_extents().y1 for patch in letters_of(ax)])
    assert tops.max() == pytest.approx(bits.max(), rel=0.01)
    assert f"{motif.n_sites:,.0f} sequences" in ax.get_title(loc="left")
    with pytest.raises(InputError, match="footprint 9: the model has"):
        plot.footprint_logo(model, 9)


def test_given_axes_are_used_and_nothing_is_left_in_pyplot(model, tmp_path):
    from matplotlib import pyplot

    figure = Figure()
    ax = figure.subplots()
    assert plot.promoter_effects(model, ax=ax) is ax
    pyplot.close("all")
    with aside():
        drawn = plot.footprint_logo(model, 1)
        save(drawn, tmp_path / "one.svg")
        save(plot.footprint_logo(model, 1), tmp_path / "two.svg")
        save(drawn, tmp_path / "one.png")
    assert pyplot.get_fignums() == []
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.png").read_bytes()[:4] == b"\x89PNG"


def test_rna_and_names_with_signs_are_drawn():
    rna = fit(letters="ACGU")
    assert "U" in words(rna.plot())
    rna.record["response"] = "$x_{<b>"
    assert "$x_{<b>" in rna.plot().get_ylabel()
    assert not rna.plot().yaxis.label.get_parse_math()


def test_nothing_selected_is_said(model):
    rng = np.random.default_rng(5)
    sequences = ["".join(row) for row in np.array(list("ACGT"))[rng.integers(0, 4, (60, 8))]]
    none = fit_motif_positions(sequences, rng.standard_normal(60), n_subsamples=4)
    assert none.cut["n_positions"] == 0
    assert none.plot().get_title(loc="left") == "no position is at the cut"
