"""What a motif-position model hands on: a folder that is read back, predictions, matrices, matches with motifs."""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
import json
import logging
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from netinfer.errors import ConfigError, InputError
from netinfer.io.motifs import Motif, read_motifs
from netinfer.io.sequences import as_sequences
from netinfer.models.motif import MotifModel, fit_motif_positions, match_footprints
from netinfer.models.motif.columns import FOOTPRINTS, PAIRS, POSITIONS, PREDICTIONS, TERMS
from netinfer.models.motif.counted import count_footprints
from netinfer.models.motif.files import NO_LOGOS
from netinfer.models.motif.matches import score_tail

ROOT = Path(__file__).parents[2]
LENGTH = 24
SITE = range(6, 11)
FRAMES = ("positions", "footprints", "predictions")


def library(n: int = 300, seed: int = 0, noise: float = 0.5) -> tuple[list[str], np.ndarray, str]:
    """Mutants of a wild type with one site of five bases; each mutated base of it takes one off the activity."""
    rng = np.random.default_rng(seed)
    wild = rng.integers(0, 4, LENGTH)
    codes = np.where(rng.random((n, LENGTH)) < 1 / 6, (wild + rng.integers(1, 4, (n, LENGTH))) % 4, wild)
    activity = 5.0 - (codes[:, SITE] != wild[SITE]).sum(axis=1) + noise * rng.standard_normal(n)
    letters = np.array(list("ACGT"))
    return ["".join(row) for row in letters[codes]], activity, "".join(letters[wild])


def epistatic(n: int = 1000) -> tuple[list[str], np.ndarray]:
    """Activity falls by one for a mutation at 3, at 8 or at both, and by one for one at 5."""
    rng = np.random.default_rng(0)
    codes = np.where(rng.random((n, 12)) < 0.4, rng.integers(1, 4, (n, 12)), 0)
    either = (codes[:, 3] > 0) | (codes[:, 8] > 0)
    activity = 2.0 - either - 1.0 * (codes[:, 5] > 0) + 0.3 * rng.standard_normal(n)
    return ["".join(row) for row in np.array(list("ACGT"))[codes]], activity


def classes(activity: np.ndarray) -> np.ndarray:
    return np.where(activity > np.median(activity), "on", "off")


def fitted(kind: str) -> tuple[MotifModel, list[str], np.ndarray]:
    """Fit a small library in one of the ways that a model can be asked for."""
    sequences, activity, _ = library()
    is_test = np.arange(len(sequences)) % 5 == 0
    asked: dict = {"n_subsamples": 20, "test": is_test}
    if kind == "binomial":
        activity, asked["family"] = classes(activity), "binomial"
    elif kind == "weighted classes":
        activity, asked = classes(activity), {"n_subsamples": 8, "family": "binomial", "weights": np.full(300, 2.0)}
    elif kind == "zero_sum":
        asked |= {"coding": "zero_sum", "model": "group_lasso", "refit": False}
    elif kind == "rna":
        sequences, asked["first"] = [s.replace("T", "U") for s in sequences], -30
    elif kind == "weights":
        asked["weights"] = np.random.default_rng(1).integers(1, 5, len(sequences))
    elif kind == "pairs":
        sequences, activity = epistatic()
        asked = {"pairs": [4, 6, 9], "first": 1, "test": np.arange(len(sequences)) % 5 == 0, "n_subsamples": 20}
    elif kind == "none":
        activity = np.random.default_rng(3).standard_normal(len(sequences))
    return fit_motif_positions(sequences, activity, **asked), sequences, activity


KINDS = ["gaussian", "binomial", "weighted classes", "zero_sum", "rna", "weights", "pairs", "none"]
_FITTED: dict[str, tuple[MotifModel, list[str], np.ndarray]] = {}


@pytest.fixture(params=KINDS)
def kind(request) -> str:
    return request.param


@pytest.fixture
def case(kind) -> tuple[MotifModel, list[str], np.ndarray]:
    if kind not in _FITTED:
        _FITTED[kind] = fitted(kind)
    return _FITTED[kind]


@pytest.fixture(scope="module")
def model() -> MotifModel:
    return _FITTED.setdefault("gaussian", fitted("gaussian"))[0]


# ---- the folder ---------------------------------------------------------------------------------------------------


def test_a_folder_gives_the_model_back_to_the_last_digit(case, kind, tmp_path):
    model, sequences, _ = case
    files = model.write(tmp_path / "out")
    assert sorted(files) == sorted(path for path in (tmp_path / "out").rglob("*") if path.is_file())
    again = MotifModel.read(tmp_path / "out")
    np.testing.assert_array_equal(again.coef, model.coef)
    assert again.intercept == model.intercept
    assert again.record == model.record
    assert again.cut == model.cut
    for name in (*FRAMES, *(("pairs", "terms") if kind == "pairs" else ())):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(model, name), check_exact=True)
    np.testing.assert_array_equal(again.predict(sequences), model.predict(sequences))
    np.testing.assert_array_equal(again.effects, model.effects)
    # A model that was read writes the same folder, byte for byte.
    for file in again.write(tmp_path / "again"):
        assert file.read_bytes() == (tmp_path / "out" / file.relative_to(tmp_path / "again")).read_bytes(), file
    assert (kind == "none") == (len(model.footprints) == 0)
    assert (kind == "pairs") == (model.pairs is not None)


def test_nothing_of_a_larger_model_stays(model, tmp_path):
    larger = _FITTED.setdefault("pairs", fitted("pairs"))[0]
    larger.write(tmp_path)
    (tmp_path / "figures" / "footprint_5.png").write_bytes(b"of an earlier model")
    (tmp_path / "figures" / "footprint_5.svg").write_bytes(b"of an earlier model")
    (tmp_path / "figures" / "mine.png").write_bytes(b"of the user")
    written = model.write(tmp_path)
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*written, tmp_path / "figures" / "mine.png"}
    assert not (tmp_path / "pairs.tsv").exists()
    assert MotifModel.read(tmp_path).pairs is None


def test_a_folder_that_is_not_whole_has_no_record(model, tmp_path, monkeypatch):
    model.write(tmp_path)

    def fails(*_, **__):
        raise InputError("stopped")

    monkeypatch.setattr("netinfer.models.motif.files.write_meme", fails)
    with pytest.raises(InputError, match="stopped"):
        model.write(tmp_path)
    with pytest.raises(InputError, match=r"model\.json: no such file"):
        MotifModel.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, r"model\.json: of format 99, and 1 is read here .netinfer 0"),
        ({"kind": "phenotype"}, r"model\.json: no motif-position model"),
        ({"kind": None}, r"model\.json: no motif-position model"),
        ({"coef": [[1.0, 2.0]]}, r"model\.json: coef: of shape \(1, 2\)"),
        ({"intercept": None}, r"model\.json: damaged"),
    ],
)
def test_another_kind_or_format_is_refused_by_name(model, tmp_path, change, message):
    model.write(tmp_path)
    path = tmp_path / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=message):
        MotifModel.read(tmp_path)


def test_a_missing_table_is_named(model, tmp_path):
    model.write(tmp_path)
    (tmp_path / "predictions.tsv").unlink()
    with pytest.raises(InputError, match=r"predictions\.tsv: no such file: the folder is not whole"):
        MotifModel.read(tmp_path)


def test_without_logomaker_the_logos_are_left_out_and_noted(model, tmp_path, monkeypatch, caplog):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "logomaker" else find(name, *a))
    with caplog.at_level(logging.WARNING):
        files = model.write(tmp_path)
    assert [file.name for file in files if file.parent.name == "figures"] == ["effects.png", "effects.svg"]
    assert NO_LOGOS in caplog.text
    assert MotifModel.read(tmp_path).record["notes"] == [*model.record["notes"], NO_LOGOS]
    assert NO_LOGOS not in model.record["notes"]


# ---- predictions --------------------------------------------------------------------------------------------------


def by_fold(table: pd.DataFrame):
    """Rows of each fold and of all the others, without those of the test."""
    inside = table[table["split"] != "test"]
    for name in [f"fold {k}" for k in range(1, 11)]:
        yield inside[inside["split"] == name], inside[inside["split"] != name], inside


def means_over_folds(table: pd.DataFrame) -> tuple[float, float | None]:
    """R2 and r as record["heldout"] has them: error and that of the other folds' mean summed over folds; mean r."""
    error, base, r = 0.0, 0.0, []
    for fold, rest, _ in by_fold(table):
        y, x, w = (fold[name].to_numpy() for name in ("activity", "prediction", "weight"))
        mean = np.average(rest["activity"], weights=rest["weight"])
        error += np.average((y - x) ** 2, weights=w)
        base += np.average((y - mean) ** 2, weights=w)
        if np.ptp(x) > 0:  # a fit without a coefficient has no correlation
            covariance = np.cov(x, y, aweights=w, ddof=0)
            r.append(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))
    return 1.0 - error / base, float(np.mean(r)) if r else None


def test_the_record_s_held_out_figures_come_from_the_table(case, kind):
    model, sequences, activity = case
    table, record = model.predictions, model.record
    assert list(table["id"]) == [str(i) for i in range(len(sequences))]  # none is left out, in the order given
    if record["family"] == "binomial":
        assert set(table["activity"]) == {0.0, 1.0}
        np.testing.assert_array_equal(table["activity"], np.asarray(activity) == record["classes"][1])
        share, area = [], []
        _, _, inside = next(by_fold(table))
        chance = np.average(inside["activity"], weights=inside["weight"])
        null = -(chance * np.log(chance) + (1 - chance) * np.log(1 - chance))
        for fold, _, _ in by_fold(table):
            y, p = fold["activity"].to_numpy(), fold["prediction"].to_numpy()
            loss = -np.average(y * np.log(p) + (1 - y) * np.log(1 - p), weights=fold["weight"])
            share.append(1 - loss / null)
            area.append((p[y == 1][:, None] > p[y == 0]).mean() + 0.5 * (p[y == 1][:, None] == p[y == 0]).mean())
        assert record["heldout"]["deviance_explained"] == pytest.approx(np.mean(share), abs=1e-10)
        assert record["heldout"]["auc"] == pytest.approx(np.mean(area), abs=1e-10)
        return
    np.testing.assert_array_equal(table["activity"], activity)
    r2, r = means_over_folds(table)
    heldout = record["heldout_with_pairs" if kind == "pairs" else "heldout"]
    assert heldout["r2"] == pytest.approx(r2, abs=1e-10)
    assert heldout["r"] == (None if r is None else pytest.approx(r, abs=1e-10))
    assert kind == "none" or r > 0.5
    test = table[table["split"] == "test"]
    assert len(test) == record["test"]["n"] == len(sequences) // 5
    y, x, w = (test[name].to_numpy() for name in ("activity", "prediction", "weight"))
    np.testing.assert_array_equal(x, model.predict([sequences[i] for i in test.index]))
    error = np.average((y - x) ** 2, weights=w) / np.cov(y, aweights=w, ddof=0)
    assert record["test"]["r2"] == pytest.approx(1 - error, abs=1e-12)


@pytest.mark.parametrize("n", [20, 30, 40])
def test_without_noise_the_held_out_share_is_1_at_most(n):
    rng = np.random.default_rng(n)
    sequences = ["".join(row) for row in np.array(list("AC"))[rng.integers(0, 2, (n, 6))]]
    activity = np.array([5.0 - (one[1] == "C") - 2.0 * (one[4] == "C") for one in sequences])
    heldout = fit_motif_positions(sequences, activity, n_subsamples=4, penalty="best").record["heldout"]
    # The fit is exact up to rounding, so that no error is left of any fold: 1 is the most that R2 can be.
    assert heldout["r2"] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("kind", "asked"), [("gaussian", {}), ("zero_sum", {"coding": "zero_sum"})])
def test_a_fold_is_predicted_by_the_fit_without_it(kind, asked):
    sequences, activity, _ = library(seed=2)
    model = fit_motif_positions(sequences, activity, n_subsamples=4, **asked)
    table = model.predictions
    out = (table["split"] == "fold 3").to_numpy()
    changed = activity.copy()
    changed[out] = np.random.default_rng(0).permutation(changed[out]) + 3.0
    # The activities of a fold have no part in its own predictions at a penalty that is given in units of the activity.
    one = fit_motif_positions(sequences, activity, n_subsamples=4, penalty=0.05, **asked).predictions
    other = fit_motif_positions(sequences, changed, n_subsamples=4, penalty=0.05, **asked).predictions
    np.testing.assert_array_equal(one["split"], other["split"])
    np.testing.assert_allclose(one["prediction"][out], other["prediction"][out], atol=1e-9)
    assert (np.abs(one["prediction"][~out] - other["prediction"][~out]) > 0.05).mean() > 0.9


def test_identical_sequences_are_in_one_fold_and_ids_are_kept():
    sequences, activity, _ = library(60, seed=4)
    names = [f"v{i}" for i in range(120)]
    twice = dict(zip(names, [*sequences, *sequences], strict=True))
    values = pd.Series(np.append(activity, activity + 0.1), index=names)
    values["v7"] = np.nan
    table = fit_motif_positions(twice, values, n_subsamples=4).predictions.set_index("id")
    assert list(table.index) == [name for name in names if name != "v7"]
    for i in range(60):
        if i != 7:
            assert table.loc[f"v{i}", "split"] == table.loc[f"v{i + 60}", "split"]
            assert table.loc[f"v{i}", "prediction"] == table.loc[f"v{i + 60}", "prediction"]
            assert table.loc[f"v{i}", "activity"] == values[f"v{i}"]


def test_a_weight_of_0_leaves_a_sequence_out_of_fit_and_test():
    sequences, activity, _ = library(120, seed=5)
    is_test = np.arange(120) % 4 == 0
    weights = np.ones(120)
    weights[[0, 1, 4]] = 0.0  # two of the test, one of the fit
    model = fit_motif_positions(sequences, activity, n_subsamples=4, test=is_test, weights=weights)
    assert model.record["test"]["n"] == 28
    assert list(model.predictions["id"]) == [str(i) for i in range(120) if i not in (0, 1, 4)]
    with pytest.raises(InputError, match="no sequence of it has an activity and a weight above 0"):
        fit_motif_positions(sequences, activity, n_subsamples=4, test=is_test, weights=np.where(is_test, 0.0, 1.0))


# ---- matrices -----------------------------------------------------------------------------------------------------


def test_matrices_count_the_best_tenth_with_ties():
    codes = np.array([[0, 1], [0, 1], [0, 2], [3, 3], *[[2, 2]] * 26], np.uint8)  # 30 sequences
    effect = np.array([[1.0, 0, 0, 0.5], [0, 1.0, 0, 0]])
    prints = pd.DataFrame({"start": [10], "end": [11]})
    found = count_footprints(codes, prints, effect, 10)
    # A tenth is 3, fewer than 20: the twentieth best has sum 0, as 26 have, so that all 30 count.
    assert found["footprint_counts"] == [[[3, 0, 26, 1], [0, 2, 27, 1]]]
    more = np.concatenate([codes, np.full((270, 2), 1, np.uint8), np.tile(np.array([[0, 1]], np.uint8), (28, 1))])
    found = count_footprints(more, prints, effect, 10)
    # A tenth of 328 is 33: 30 have AC (2.0), then 271 tie at 1.0 (AG and CC), and all of these are in.
    assert found["footprint_counts"] == [[[31, 270, 0, 0], [0, 300, 1, 0]]]
    shares = np.bincount(more.ravel(), minlength=4) + 1
    np.testing.assert_allclose(found["background"], shares / shares.sum())


def test_matrices_are_of_the_site_and_biopython_reads_them(case, kind, tmp_path):
    from Bio import motifs as reader

    model, sequences, _ = case
    model.write(tmp_path)
    with (tmp_path / "footprints.meme").open() as file:
        read = list(reader.parse(file, "minimal"))
    own = model.footprint_motifs()
    assert [motif.name for motif in read] == [f"footprint_{k}" for k in model.footprints["footprint"]]
    assert [motif.width for motif in own] == model.footprints["length"].tolist()
    if not own:
        with pytest.raises(InputError, match=r"footprints\.meme: a MEME file without a motif"):
            read_motifs(tmp_path / "footprints.meme")
        assert kind == "none"
        return
    n_fitted = int((model.predictions["split"] != "test").sum())
    for back, motif in zip(read_motifs(tmp_path / "footprints.meme"), own, strict=True):
        np.testing.assert_allclose(back.probabilities, motif.probabilities, atol=2e-6)  # six decimals
        np.testing.assert_allclose(back.background, motif.background, atol=2e-6)
        assert back.n_sites == motif.n_sites
        assert n_fitted / 10 <= motif.n_sites < n_fitted
    # Below a whole: 0.83 of the sequences have the wild type's base, those that are counted have it more often.
    first = model.record["first"]
    codes = as_sequences(sequences).codes
    for motif, row in zip(own, model.footprints.itertuples(index=False), strict=True):
        share = (codes[:, row.start - first : row.end - first + 1, None] == np.arange(4)).mean(axis=0)
        if row.length > 1:
            assert motif.probabilities.max(axis=1).mean() > share.max(axis=1).mean()


# ---- matches ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 3, 5])
def test_the_tail_of_scores_is_that_of_all_words(width):
    rng = np.random.default_rng(width)
    background = np.array([0.3, 0.15, 0.2, 0.35])
    matrix = np.log2(rng.dirichlet(np.ones(4), width) / background)
    tail, lowest = score_tail(matrix, background, 0.05)
    whole = np.rint(matrix / 0.05).astype(int)
    words = np.array(list(itertools.product(range(4), repeat=width)))
    scores = whole[np.arange(width), words].sum(axis=1)
    chance = background[words].prod(axis=1)
    for score in (scores.min(), *np.quantile(scores, [0.3, 0.7, 0.95]).astype(int), scores.max()):
        assert tail[score - lowest] == pytest.approx(chance[scores >= score].sum(), rel=1e-12)
    assert tail[0] == pytest.approx(1.0)
    # Rounded finely, it is that of the scores themselves but for words within the rounding of the edge.
    fine, low = score_tail(matrix, background, 1e-4)
    exact = matrix[np.arange(width), words].sum(axis=1)
    edge = float(np.median(exact))
    inside = np.abs(exact - edge) > 1e-3
    between = chance[inside & (exact > edge)].sum()
    at = fine[int(np.ceil((edge + 1e-3) / 1e-4)) - low]
    assert at <= between + chance[~inside].sum() + 1e-12
    assert at >= between - chance[~inside].sum() - 1e-12


def sharp(word: str, name: str) -> Motif:
    codes = as_sequences([word]).codes[0]
    return Motif(name, np.eye(4)[codes] * 0.88 + 0.03, 50.0, np.full(4, 0.25), "second name")


def turned(word: str) -> str:
    return word[::-1].translate(str.maketrans("ACGT", "TGCA"))


def test_the_motif_of_the_site_is_the_best_match_on_either_strand(tmp_path):
    _, _, wild = library()
    rna = _FITTED.setdefault("rna", fitted("rna"))[0]
    site = wild[3:13]  # the site with flanks of the reference
    others = [sharp(turned(wild[10:20])[::-1], "other"), sharp("ACACACACAC", "repeat")]
    for word, strand in ((site, "+"), (turned(site), "-")):
        found = match_footprints(rna, [*others, sharp(word, "own")])
        row = found.iloc[rna.footprints["length"].argmax()]
        assert (row["best_match"], row["match_label"], row["match_strand"]) == ("own", "second name", strand)
        assert (row["match_start"], row["match_end"]) == (-27, -18)
        # Ten bases of almost two bits each; chance has one such word in 4^10 = 10^6, at some 20 places x 3 motifs.
        assert 15.0 < row["match_score"] < 20.0
        assert row["match_e"] < 1e-3
        # Half of the ten bases are the footprint's own.
        assert 0.3 * row["match_score"] < row["match_inside"] < 0.7 * row["match_score"]
    rna.write(tmp_path / "with", motifs=[sharp(site, "own")])
    again = MotifModel.read(tmp_path / "with")
    assert "own" in set(again.footprints["best_match"])
    unmatched = MotifModel.read(rna.write(tmp_path / "without")[-1].parent).footprints
    assert (unmatched["best_match"] == "").all()
    assert unmatched["match_e"].isna().all()


def test_e_counts_places_strands_and_motifs(model):
    _, _, wild = library()
    motif = sharp(wild[6:11], "own")
    alone = match_footprints(model, [motif]).iloc[0]
    both = match_footprints(model, [motif, sharp("AAAAA", "other")]).iloc[0]
    assert both["match_e"] == pytest.approx(2 * alone["match_e"], rel=1e-12)
    start, end = model.footprints.loc[0, ["start", "end"]]
    shorter = min(5, end - start + 1)
    places = [p for p in range(LENGTH - 4) if 2 * (min(p + 4, end) - max(p, start) + 1) >= shorter]
    background = np.array(model.record["background"])
    background = (background + background[::-1]) / 2
    matrix = np.rint(motif.log_odds(background) / 0.005)
    words = np.array(list(itertools.product(range(4), repeat=5)))
    chance = background[words].prod(axis=1)
    scores = matrix[np.arange(5), words].sum(axis=1)
    best = matrix[np.arange(5), as_sequences([wild[6:11]]).codes[0]].sum()
    assert alone["match_e"] == pytest.approx(chance[scores >= best].sum() * 2 * len(places), rel=1e-9)


def test_a_motif_wider_than_the_sequence_matches_nowhere_and_bad_lists_are_refused(model):
    found = match_footprints(model, [sharp("ACGT" * 7, "wide")])
    assert (found["best_match"] == "").all()
    assert found["match_start"].isna().all()
    with pytest.raises(InputError, match="motifs: none given"):
        match_footprints(model, [])
    with pytest.raises(InputError, match="motifs: 1 names stand there more than once"):
        match_footprints(model, [sharp("ACGT", "one"), sharp("ACGA", "one")])
    none = _FITTED.setdefault("none", fitted("none"))[0]
    assert len(match_footprints(none, [sharp("ACGT", "one")])) == 0


@pytest.mark.slow
def test_crp_comes_out_at_both_halves_of_its_site(netinfer_data: Path):
    table = pd.read_csv(netinfer_data / "sortseq_lac" / "sortseq_data.csv.gz")
    counts = table[[f"ct_{i}" for i in range(10)]].to_numpy(dtype=float)
    model = fit_motif_positions(table["x"], counts @ np.arange(10) / counts.sum(axis=1), n_subsamples=20)
    motifs = read_motifs(netinfer_data / "ecoli_precise" / "sequence" / "dpinteract.meme.gz")
    found = match_footprints(model, motifs)
    halves = [(model.footprints["start"] <= e) & (model.footprints["end"] >= s) for s, e in ((6, 10), (17, 21))]
    for is_half in halves:
        assert (found.loc[is_half, "best_match"] == "crp").any()
        assert (found.loc[is_half, "match_e"] < 0.01).any()


# ---- the documentation --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("positions.tsv", POSITIONS),
        ("footprints.tsv", FOOTPRINTS),
        ("predictions.tsv", PREDICTIONS),
        ("pairs.tsv", PAIRS),
        ("pair_terms.tsv", TERMS),
    ],
)
def test_documentation_names_every_column(heading, columns):
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    written = [tuple(cell.strip() for cell in row.strip("|").split(" | ")) for row in rows]
    expected = [(f"`{c.name}`", c.kind, c.unit, c.meaning, "yes" if c.may_be_missing else "") for c in columns]
    assert written == expected


def test_documentation_names_every_key_of_the_model_file(tmp_path):
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    section = text.split("\n## model.json of a motif model\n")[1].split("\n## ")[0]
    named = set(
        re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in section.splitlines() if row.startswith("| `")))
    )
    keys = set()
    for kind in ("gaussian", "binomial", "pairs"):
        model = _FITTED.setdefault(kind, fitted(kind))[0]
        model.write(tmp_path / kind)
        keys |= set(json.loads((tmp_path / kind / "model.json").read_text()))
    assert named == keys


def test_the_result_is_frozen_and_pairs_need_what_they_need(model):
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.intercept = 0.0
    with pytest.raises(ConfigError, match="pairs"):
        fit_motif_positions(["ACGT"] * 20, np.arange(20) > 9, pairs="model", family="binomial")
