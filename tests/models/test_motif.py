"""Motif-position models: what is planted is found, nothing else is, and the order of the sequences does not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from netinfer.errors import ConfigError, InputError
from netinfer.io.sequences import as_sequences
from netinfer.models.motif import MotifModel, find_footprints, fit_motif_positions, fit_motif_responses

LENGTH = 30
# Two sites of four bases; the library's sequences differ from the wild type at one position in six.
SITES = (range(5, 9), range(18, 22))
PLANTED = [p for site in SITES for p in site]


def library(n: int = 600, seed: int = 0, noise: float = 0.7) -> tuple[list[str], np.ndarray, str]:
    """Mutants of a wild type; each mutated base of a site takes one off the activity."""
    rng = np.random.default_rng(seed)
    wild = rng.integers(0, 4, LENGTH)
    codes = np.where(rng.random((n, LENGTH)) < 1 / 6, (wild + rng.integers(1, 4, (n, LENGTH))) % 4, wild)
    activity = 5.0 - (codes[:, PLANTED] != wild[PLANTED]).sum(axis=1) + noise * rng.standard_normal(n)
    letters = np.array(list("ACGT"))
    return ["".join(row) for row in letters[codes]], activity, "".join(letters[wild])


@pytest.fixture(scope="module")
def fitted() -> tuple[MotifModel, list[str], np.ndarray, str]:
    sequences, activity, wild = library()
    return fit_motif_positions(sequences, activity, n_subsamples=40), sequences, activity, wild


def test_planted_positions_are_selected_and_no_others(fitted):
    model, sequences, _, wild = fitted
    at_cut = model.positions[model.positions["is_selected"]]
    # Each site's bases carry 1 / 6 * 5 / 6 = 0.14 of variance, 8 of them 1.1, beside noise of 0.5.
    assert sorted(at_cut["position"].unique()) == PLANTED
    assert model.cut["met"]
    assert model.cut["expected_false_positions"] <= 0.8  # a tenth of eight
    mutated = at_cut[~at_cut["is_reference"]]
    # The standard error of one base's mean is 0.7 / sqrt(600 / 18 / 2) = 0.17 in half of the sequences.
    np.testing.assert_allclose(mutated["effect"], -1.0, atol=0.35)
    assert ((mutated["effect_low"] < -0.4) & (mutated["effect_high"] > -1.6)).all()
    assert (mutated["effect_low"] < mutated["effect"]).all()
    assert (at_cut.loc[at_cut["is_reference"], "effect"] == 0).all()
    assert model.record["reference"] == wild
    assert model.record["is_certified"]
    assert model.record["n_units"] == len(set(sequences))
    assert "by sampling chance" in model.record["not_counted"]


def test_footprints_are_the_sites_with_the_wild_type_for_consensus(fitted):
    model, _, _, wild = fitted
    prints = model.footprints
    assert prints[["start", "end"]].to_numpy().tolist() == [[5, 8], [18, 21]]
    assert prints["consensus"].tolist() == [wild[5:9], wild[18:22]]
    assert prints["word"].tolist() == [wild[5:9], wild[18:22]]
    assert prints["n_positions"].tolist() == [4, 4]


def test_predictions_are_the_intercept_and_the_bases_and_hold_on_new_sequences(fitted):
    model, _, _, wild = fitted
    new, activity, same = library(2000, seed=0)
    assert same == wild
    new, activity = new[1000:], activity[1000:]
    predicted = model.predict(new)
    codes = as_sequences(new).codes
    np.testing.assert_allclose(predicted, model.intercept + model.coef[np.arange(LENGTH), codes].sum(axis=1))
    assert model.coef.shape == (LENGTH, 4)
    # 1.1 of 1.6 of the variance can be known: r = sqrt(0.69) = 0.83.
    assert np.corrcoef(predicted, activity)[0, 1] > 0.78
    assert abs(model.predict([wild])[0] - 5.0) < 0.3


def test_a_split_of_one_s_own_is_kept_out(fitted):
    sequences, activity, _ = library(1000, seed=3)
    is_test = np.arange(1000) % 4 == 0
    model = fit_motif_positions(sequences, activity, n_subsamples=10, test=is_test)
    alone = fit_motif_positions(
        [s for s, t in zip(sequences, is_test, strict=True) if not t], activity[~is_test], n_subsamples=10
    )
    np.testing.assert_array_equal(model.coef, alone.coef)
    predicted = alone.predict([s for s, t in zip(sequences, is_test, strict=True) if t])
    assert model.record["test"]["n"] == 250
    assert model.record["test"]["r"] == pytest.approx(np.corrcoef(predicted, activity[is_test])[0, 1], abs=1e-12)
    error = ((predicted - activity[is_test]) ** 2).sum() / ((activity[is_test] - activity[is_test].mean()) ** 2).sum()
    assert model.record["test"]["r2"] == pytest.approx(1 - error, abs=1e-12)


def test_noise_selects_next_to_nothing():
    n_false = 0
    for seed in range(8):
        sequences, _, _ = library(300, seed=seed)
        noise = np.random.default_rng(100 + seed).standard_normal(300)
        model = fit_motif_positions(sequences, noise, n_subsamples=20)
        n_false += model.cut["n_positions"]
    # At fdr 0.1 a single position needs a bound of 0.1: in eight sets of noise 0.8 are expected at most.
    assert n_false <= 2


def test_the_order_of_the_sequences_changes_nothing(fitted):
    model, sequences, activity, _ = fitted
    order = np.random.default_rng(0).permutation(len(sequences))
    again = fit_motif_positions([sequences[i] for i in order], activity[order], n_subsamples=40)
    pd.testing.assert_frame_equal(again.positions, model.positions, check_exact=True)
    np.testing.assert_array_equal(again.coef, model.coef)
    assert again.intercept == model.intercept


def test_positions_do_not_depend_on_the_coding():
    sequences, activity, wild = library(400, seed=1)
    one = fit_motif_positions(sequences, activity, n_subsamples=20)
    other = fit_motif_positions(sequences, activity, n_subsamples=20, coding="zero_sum")
    for column in ("selection_probability", "is_selected"):
        np.testing.assert_array_equal(one.positions[column], other.positions[column])
    np.testing.assert_allclose(one.positions["weight"], other.positions["weight"], rtol=1e-6)
    at_site = other.positions[other.positions["position"].isin(PLANTED)]
    # Medians over half-samples need not add up to zero, each half-sample's estimates do.
    assert at_site.groupby("position")["effect"].sum().abs().max() < 0.2
    assert at_site["effect_low"].notna().all()
    np.testing.assert_allclose(other.coef.sum(axis=1), 0.0, atol=1e-12)
    assert (one.coef[np.arange(LENGTH), as_sequences([wild]).codes[0]] == 0).all()


def test_the_bytes_are_those_of_the_seed(tmp_path):
    sequences, activity, _ = library(200, seed=2)
    files = fit_motif_positions(sequences, activity, n_subsamples=10).write(tmp_path / "a")
    fit_motif_positions(sequences, activity, n_subsamples=10).write(tmp_path / "b")
    tables = ["positions.tsv", "footprints.tsv", "predictions.tsv", "footprints.meme"]
    assert [file.name for file in files[:4]] == tables
    assert files[-1].name == "model.json"
    for file in files:
        assert file.read_bytes() == (tmp_path / "b" / file.relative_to(tmp_path / "a")).read_bytes()
    other = fit_motif_positions(sequences, activity, n_subsamples=10, seed=1)
    assert other.write(tmp_path / "c")[0].read_bytes() != files[0].read_bytes()


def test_weights_count_like_repeated_rows():
    sequences, activity, _ = library(150, seed=4)
    times = np.random.default_rng(0).integers(1, 4, 150)
    weighted = fit_motif_positions(sequences, activity, weights=times, n_subsamples=10, penalty=0.05)
    repeated = fit_motif_positions(
        np.repeat(sequences, times).tolist(), np.repeat(activity, times), n_subsamples=10, penalty=0.05
    )
    # Repeated rows are one unit, so that both have the same units, halves and moments.
    assert weighted.record["n_units"] == repeated.record["n_units"]
    np.testing.assert_allclose(weighted.coef, repeated.coef, atol=1e-9)
    np.testing.assert_array_equal(
        weighted.positions["selection_probability"], repeated.positions["selection_probability"]
    )
    np.testing.assert_allclose(weighted.positions["effect_low"], repeated.positions["effect_low"], atol=1e-9)


def test_several_responses_are_the_models_one_by_one():
    sequences, activity, _ = library(300, seed=5)
    noise = np.random.default_rng(1).standard_normal(300)
    table = pd.DataFrame({"rich": activity, "poor": noise + 0.3 * activity})
    both = fit_motif_responses(sequences, table, n_subsamples=10, penalty=0.05)
    assert list(both) == ["rich", "poor"]
    for name, model in both.items():
        alone = fit_motif_positions(sequences, table[name], n_subsamples=10, penalty=0.05)
        np.testing.assert_allclose(model.coef, alone.coef, atol=1e-9)
        assert model.record["response"] == name


def test_two_classes_find_the_sites():
    sequences, activity, _ = library(500, seed=6, noise=1.0)
    state = np.where(activity > np.median(activity), "on", "off")
    is_test = np.arange(500) % 5 == 0
    model = fit_motif_positions(sequences, state, family="binomial", n_subsamples=20, test=is_test)
    found = set(model.positions.loc[model.positions["is_selected"], "position"])
    assert found <= set(PLANTED)
    assert len(found) >= 2  # half-samples of 200 sequences, of which the classes tell less than numbers
    assert model.record["classes"] == ["off", "on"]
    probability = model.predict(sequences)
    assert ((probability > 0) & (probability < 1)).all()
    assert model.record["test"]["auc"] > 0.75  # classes cut out of a sum of which two fifths are noise
    mutated = model.positions[model.positions["is_selected"] & ~model.positions["is_reference"]]
    assert (mutated.groupby("position")["effect"].mean() < 0).all()
    assert model.record["is_certified"]
    turned = fit_motif_positions(sequences, state, family="binomial", n_subsamples=20, test=is_test, positive="off")
    np.testing.assert_allclose(turned.predict(sequences), 1.0 - probability, atol=1e-6)


def epistatic(n: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Activity falls by one for a mutation at 3 or at 8, and by one alone for both: the second does no more harm."""
    rng = np.random.default_rng(seed)
    codes = np.where(rng.random((n, 12)) < 0.4, rng.integers(1, 4, (n, 12)), 0)
    first, second = codes[:, 3] > 0, codes[:, 8] > 0
    activity = 2.0 - (first | second) - 1.0 * (codes[:, 5] > 0) + 0.3 * rng.standard_normal(n)
    return ["".join(row) for row in np.array(list("ACGT"))[codes]], activity


def test_pairs_find_the_epistasis_and_predict_it():
    sequences, activity = epistatic(1500, seed=0)
    is_test = np.arange(1500) % 3 == 0
    plain = fit_motif_positions(sequences, activity, test=is_test, n_subsamples=20, first=1)
    model = fit_motif_positions(sequences, activity, test=is_test, n_subsamples=20, first=1, pairs=[4, 6, 9])
    at_cut = model.pairs[model.pairs["is_selected"]]
    assert at_cut[["position_1", "position_2", "distance"]].to_numpy().tolist() == [[4, 9, 5]]
    assert len(model.pairs) == 3
    assert set(zip(model.terms["position_1"], model.terms["position_2"], strict=True)) == {(4, 9)}
    # Each of the nine is +1; a pair of bases is in 1000 * (0.4 / 3)^2 = 18 sequences, a standard error of 0.1.
    assert len(model.terms) == 9
    np.testing.assert_allclose(model.terms["coef"], 1.0, atol=0.35)
    # Of the variance 0.56, which is 0.23 + 0.24 + 0.09, single bases lack the interaction, 0.4^2 0.6^2 = 0.06.
    assert model.record["test"]["r2"] > plain.record["test"]["r2"] + 0.05
    assert model.record["heldout_pairs"]["r2"] > model.record["heldout_pairs"]["r2_without_pairs"] + 0.05
    assert model.record["is_certified"]
    wild = model.predict(["A" * 12, "AAACAAAAAAAA", "AAAAAAAACAAA", "AAACAAAACAAA"])
    np.testing.assert_allclose(wild, [2.0, 1.0, 1.0, 1.0], atol=0.3)


def test_pairs_are_the_same_function_in_each_coding():
    sequences, activity = epistatic(1500, seed=2)
    # 3 and 8 of the given reference are mutants, 5 is a base that is the commonest one.
    reference = "AAACAAAAGAAA"
    settings = {"n_subsamples": 10, "pairs": [3, 5, 8], "model": "group_lasso", "penalty": 0.05}
    plain = fit_motif_positions(sequences, activity, **settings)
    given = fit_motif_positions(sequences, activity, reference=reference, **settings)
    centred = fit_motif_positions(sequences, activity, coding="zero_sum", **settings)
    assert len(plain.terms) > 0
    for other in (given, centred):
        np.testing.assert_allclose(other.predict(sequences), plain.predict(sequences), atol=1e-6)
        pd.testing.assert_frame_equal(other.pairs, plain.pairs)
    assert (given.coef[np.arange(12), as_sequences([reference]).codes[0]] == 0).all()
    at_reference = pd.concat(
        [given.terms["base_1"] == [reference[p] for p in given.terms["position_1"]],
         given.terms["base_2"] == [reference[p] for p in given.terms["position_2"]]]
    )  # fmt: skip
    assert not at_reference.any()
    np.testing.assert_allclose(centred.coef.sum(axis=1), 0.0, atol=1e-9)
    for k in (1, 2):
        sums = centred.terms.groupby(["position_1", "position_2", f"base_{k}"])["coef"].sum()
        np.testing.assert_allclose(sums, 0.0, atol=1e-9)


def test_pairs_without_epistasis_are_none(tmp_path):
    sequences, _ = epistatic(1000, seed=1)
    mutated = as_sequences(sequences).codes > 0
    activity = mutated[:, 3] + mutated[:, 8] + 0.3 * np.random.default_rng(0).standard_normal(1000)
    model = fit_motif_positions(sequences, activity, n_subsamples=20, pairs=[3, 8])
    assert model.pairs[["position_1", "position_2"]].to_numpy().tolist() == [[3, 8]]
    # At fdr 0.1, sets of noise alone select in one of ten; this one does not.
    assert not model.pairs["is_selected"].any()
    alone = fit_motif_positions(sequences, activity, n_subsamples=4, pairs=[7])
    assert alone.pairs is None
    assert any("fewer than two positions" in note for note in alone.record["notes"])
    files = model.write(tmp_path)
    assert [file.name for file in files[3:5]] == ["pairs.tsv", "pair_terms.tsv"]
    with pytest.raises(ConfigError, match="pairs: needs family gaussian"):
        fit_motif_positions(sequences, activity > 1, pairs="model", family="binomial")
    with pytest.raises(ConfigError, match="pairs: 'all' is unknown"):
        fit_motif_positions(sequences, activity, pairs="all")
    with pytest.raises(InputError, match="position 99 is not there"):
        fit_motif_positions(sequences, activity, n_subsamples=4, pairs=[3, 99])


def test_footprints_bridge_gaps_and_leave_weak_positions_out():
    weight = np.array([0.0, 1.0, 0.0, 0.8, 0.1, 0.0, 0.0, 0.5, 0.0])
    is_selected = weight > 0
    coef = np.zeros((9, 4))
    coef[1, 2], coef[3, [0, 1]], coef[7, 3] = 1.0, 1.0, 1.0
    occurs = np.ones((9, 4), dtype=bool)
    reference = np.zeros(9, np.uint8)
    found = find_footprints(is_selected, weight, coef, reference, occurs, gap=1, share=0.25, first=-10)
    assert found[["start", "end", "n_positions"]].to_numpy().tolist() == [[-9, -7, 2], [-3, -3, 1]]
    assert found["consensus"].tolist() == ["GNM", "T"]
    assert found["word"].tolist() == ["AAA", "A"]
    assert found["peak"].tolist() == [-9, -3]
    assert found["weight"].tolist() == [pytest.approx(np.hypot(1.0, 0.8)), 0.5]
    assert len(find_footprints(is_selected, weight, coef, reference, occurs, gap=0, share=0.0)) == 3
    assert len(find_footprints(np.zeros(9, bool), weight, coef, reference, occurs)) == 0
    rna = find_footprints(is_selected, weight, coef, reference, occurs, letters="ACGU")
    assert rna["consensus"].tolist()[-1] == "U"


def test_positions_are_numbered_from_the_first_and_rna_stays_rna():
    sequences, activity, wild = library(200, seed=7)
    rna = [s.replace("T", "U").lower() for s in sequences]
    model = fit_motif_positions(rna, activity, n_subsamples=10, first=-30)
    assert model.positions["position"].min() == -30
    assert model.record["reference"] == wild.replace("T", "U")
    assert set(model.positions["base"]) == set("ACGU")
    assert any("lower case" in note for note in model.record["notes"])
    np.testing.assert_array_equal(model.predict(rna), model.predict(sequences))


def test_a_position_without_variation_is_dropped_and_listed():
    sequences, activity, _ = library(200, seed=8)
    fixed = [s[:10] + "A" + s[11:] for s in sequences]
    model = fit_motif_positions(fixed, activity, n_subsamples=10, first=100)
    assert model.record["constant_positions"] == [110]
    assert 110 not in set(model.positions["position"])
    assert (model.coef[10] == 0).all()
    with pytest.warns(UserWarning, match="1 of 2 sequences have bases that no sequence of the fit had"):
        predicted = model.predict([fixed[0], fixed[0][:10] + "C" + fixed[0][11:]])
    assert predicted[0] == predicted[1]


def test_ambiguous_letters_are_dropped_or_read_as_the_reference():
    sequences, activity, wild = library(200, seed=9)
    unclear = ["N" + s[1:] if i < 20 else s for i, s in enumerate(sequences)]
    dropped = fit_motif_positions(unclear, activity, n_subsamples=10)
    assert (dropped.record["n_sequences"], dropped.record["n_dropped"]) == (180, 20)
    filled = fit_motif_positions(unclear, activity, n_subsamples=10, ambiguous="reference")
    meant = fit_motif_positions(
        [wild[0] + s[1:] if i < 20 else s for i, s in enumerate(sequences)], activity, n_subsamples=10
    )
    np.testing.assert_array_equal(filled.coef, meant.coef)
    assert any("read as the reference base" in note for note in filled.record["notes"])
    with pytest.raises(InputError, match=r"150 of 200 have ambiguous letters.*ambiguous='reference'"):
        fit_motif_positions(["N" + s[1:] if i < 150 else s for i, s in enumerate(sequences)], activity)


def test_ids_are_matched_and_five_of_the_missing_are_shown():
    sequences, activity, _ = library(40, seed=10)
    names = [f"v{i:02}" for i in range(40)]
    given = dict(zip(names, sequences, strict=True))
    shuffled = pd.Series(activity, index=names).sample(frac=1.0, random_state=0)
    one = fit_motif_positions(given, shuffled, n_subsamples=4)
    other = fit_motif_positions(sequences, activity, n_subsamples=4)
    np.testing.assert_array_equal(one.coef, other.coef)
    with pytest.raises(InputError, match=r"8 of 40 .*'v00', 'v01', 'v02', 'v03', 'v04' and 3 more.*'v08'"):
        fit_motif_positions(given, pd.Series(activity[8:], index=names[8:]))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"activity": np.ones(40)}, InputError, "the same for every sequence"),
        ({"activity": ["low", "high"] * 20}, InputError, "'low' is no number: family binomial"),
        ({"activity": np.ones(7)}, InputError, r"\(7,\) values for 40 sequences"),
        ({"activity": np.r_[np.inf, np.arange(39)]}, InputError, "1 values are infinite"),
        ({"activity": np.r_[np.full(21, np.nan), np.arange(19)]}, InputError, "19 are left, at least 20"),
        ({"activity": np.ones((40, 2))}, InputError, "2 columns.*fit_motif_responses"),
        ({"activity": ["a", "b", "c", "d"] * 10, "family": "binomial"}, InputError, "4 classes"),
        ({"activity": ["a"] * 36 + ["b"] * 4, "family": "binomial"}, InputError, "'b' has 4 distinct sequences"),
        ({"family": "binomial", "positive": "x", "activity": ["a", "b"] * 20}, ConfigError, "'x' is no class"),
        ({"family": "poisson"}, ConfigError, "poisson"),
        ({"weights": -np.ones(40)}, InputError, "-1.0 of sequence '0'"),
        ({"weights": np.zeros(40)}, InputError, "all are zero"),
        ({"reference": "ACGT"}, InputError, "4 letters, for sequences of 30"),
        ({"coding": "dense"}, ConfigError, "coding: 'dense'"),
        ({"ambiguous": "guess"}, ConfigError, "ambiguous: 'guess'"),
        ({"align": "middle"}, ConfigError, "align: 'middle'"),
        ({"model": "ridge"}, ConfigError, "model: 'ridge'"),
        ({"penalty": -1.0}, ConfigError, "penalty: -1.0 is not above 0"),
        ({"penalty": "least"}, ConfigError, "penalty: 'least'"),
        ({"n_subsamples": 7}, ConfigError, "7 is odd"),
        ({"fdr": 0.1, "expected_false_positions": 1.0}, ConfigError, "give one of them"),
        ({"fdr": 2.0}, ConfigError, "not above 0 and at most 1"),
        ({"test": np.ones(40, bool)}, InputError, "40 of 40"),
        ({"test": np.ones(40)}, InputError, "True or False for each of 40"),
        ({"seed": -1}, InputError, "seed: -1"),
    ],
)
def test_bad_input_is_refused_by_name(change, error, message):
    sequences, activity, _ = library(40, seed=11)
    arguments = {"activity": activity, **change}
    with pytest.raises(error, match=message):
        fit_motif_positions(sequences, arguments.pop("activity"), **arguments)


def test_sequences_that_say_nothing_are_refused():
    sequences, activity, _ = library(40, seed=12)
    with pytest.raises(InputError, match="19 are left, at least 20"):
        fit_motif_positions(sequences[:19], activity[:19])
    with pytest.raises(InputError, match="all 40 are identical"):
        fit_motif_positions(sequences[:1] * 40, activity)
    with pytest.raises(InputError, match="12 letters, and the model has 30"):
        fit_motif_positions(sequences, activity, n_subsamples=4).predict(["ACGTACGTACGT"])
    with pytest.raises(ConfigError, match="'colour' is no setting"):
        fit_motif_responses(sequences, activity, colour="red")
