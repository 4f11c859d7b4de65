"""Position models: what is refused before long work, and what is said of the sequences of a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from netinfer.config import LibraryConfig
from netinfer.errors import InputError
from netinfer.models.motif import fit_motif_positions
from netinfer.models.motif.configured import check_library, fit_library

LENGTH = 12
N = 200
IS_TEST = np.arange(N) >= 100


def library() -> tuple[list[str], np.ndarray]:
    """Sequences of A and C, the first letter an A in all of them; activity follows positions 3 and 8."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, (N, LENGTH))
    codes[:, 0] = 0
    activity = codes[:, 3] + codes[:, 8] + 0.3 * rng.standard_normal(N)
    return ["".join(row) for row in np.array(list("AC"))[codes]], activity


def spoiled() -> tuple[list[str], np.ndarray]:
    """Half of the test with an N at 5, ten others of it without an activity."""
    sequences, activity = library()
    sequences = [s[:5] + "N" + s[6:] if 100 <= i < 150 else s for i, s in enumerate(sequences)]
    activity[190:] = np.nan
    return sequences, activity


@pytest.fixture
def no_long_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def starts(*_: object, **__: object) -> None:
        raise RuntimeError("half-samples have begun")

    for name in ("select_gaussian", "select_binomial"):
        monkeypatch.setattr(f"netinfer.models.motif.fit.{name}", starts)


def settings(folder: Path, sequences: list[str], activity: np.ndarray, **asked: object) -> LibraryConfig:
    split = np.where(IS_TEST, "test", "fit")
    path = folder / "library.csv"
    pd.DataFrame({"sequence": sequences, "y": activity, "set": split}).to_csv(path, index=False)
    return LibraryConfig(name="lib", sequences=str(path), activity=["y"], split="set", n_subsamples=4, **asked)


# ---- sequences of a test ------------------------------------------------------------------------------------------


def test_sequences_of_a_test_that_are_left_out_are_counted():
    sequences, activity = spoiled()
    model = fit_motif_positions(sequences, activity, n_subsamples=4, test=IS_TEST)
    assert model.record["test"]["n"] == 40
    said = "test: 60 of 100 sequences are left out: 10 have no activity, 50 have ambiguous letters or gaps"
    assert said in model.record["notes"]
    weights = np.where(np.arange(N) < 185, 1.0, 0.0)
    model = fit_motif_positions(sequences, activity, n_subsamples=4, test=IS_TEST, weights=weights)
    assert f"{said.replace('60', '65')}, 5 have a weight of 0" in model.record["notes"]


def test_ambiguous_letters_of_a_test_are_read_as_those_of_the_fit():
    sequences, activity = spoiled()
    model = fit_motif_positions(sequences, activity, n_subsamples=4, test=IS_TEST, ambiguous="reference")
    assert model.record["test"]["n"] == 90
    notes = model.record["notes"]
    assert "test: 10 of 100 sequences are left out: 10 have no activity" in notes
    assert "test: ambiguous letters and gaps of 50 sequences were read as the reference base" in notes
    meant = [s.replace("N", model.record["reference"][5]) for s in sequences[100:190]]
    inside = model.predictions[model.predictions["split"] == "test"]
    np.testing.assert_array_equal(inside["prediction"], model.predict(meant))


def test_the_base_that_stands_for_ambiguous_letters_is_the_fit_s_own():
    sequences, activity = library()
    # C is the commoner base of 5 in the test alone, and in all together.
    bases = np.where(IS_TEST | (np.arange(N) % 4 == 0), "C", "A")
    sequences = [s[:5] + b + s[6:] for s, b in zip(sequences, bases, strict=True)]
    sequences[1] = sequences[1][:5] + "N" + sequences[1][6:]
    filled = fit_motif_positions(sequences, activity, n_subsamples=4, test=IS_TEST, ambiguous="reference")
    sequences[1] = sequences[1].replace("N", "A")
    meant = fit_motif_positions(sequences, activity, n_subsamples=4, test=IS_TEST)
    # Of the fit, 75 have an A there and 25 a C, the sequence without a base among the 75.
    assert meant.positions.loc[meant.positions["position"] == 5, "n_sequences"].tolist() == [75, 25]
    pd.testing.assert_frame_equal(filled.positions, meant.positions, check_exact=True)


# ---- matched by order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["activity", "weights", "test"])
@pytest.mark.parametrize("is_series", [True, False])
@pytest.mark.usefixtures("no_long_work")
def test_numbers_in_another_order_are_no_order(what, is_series):
    sequences, activity = library()
    values = {"activity": pd.Series(activity), "weights": pd.Series(np.arange(1.0, N + 1)), "test": pd.Series(IS_TEST)}
    given = pd.Series(sequences) if is_series else sequences
    for shuffled in (values[what].sample(frac=1.0, random_state=0), values[what][::-1]):
        with pytest.raises(InputError, match=f"^{what}: its index and .* in another order.*reset the index.*both ids"):
            fit_motif_positions(given, **{**values, what: shuffled})
    with pytest.raises(RuntimeError, match="half-samples have begun"):
        fit_motif_positions(given, **{**values, what: values[what].set_axis(np.arange(N))})


@pytest.mark.usefixtures("no_long_work")
def test_a_shuffled_index_of_the_sequences_is_refused_beside_a_plain_one():
    sequences, activity = library()
    shuffled = pd.Series(sequences).sample(frac=1.0, random_state=0)
    with pytest.raises(InputError, match="activity: its index and the sequences'"):
        fit_motif_positions(shuffled, pd.Series(activity))
    # Beside an array the order counts, and beside ids these do.
    for values in (activity, pd.Series(activity, index=[str(i) for i in range(N)])):
        with pytest.raises(RuntimeError, match="half-samples have begun"):
            fit_motif_positions(shuffled, values)


# ---- before long work ---------------------------------------------------------------------------------------------

REFUSED = [
    ({"pairs": [3, 99]}, "pairs: position 99 is not there, or has no variation: .* from 0 to 11"),
    ({"pairs": [0, 3]}, "pairs: position 0 is not there, or has no variation"),
    ({"pairs": [3, -5], "first": -4}, "pairs: position -5 is not there, or has no variation: .* from -4 to 7"),
    ({"family": "binomial"}, "100 x 11 columns of bases are 1,100 values, and family binomial takes at most 1,099"),
    ({"family": "gaussian"}, "test: no sequence of it .* 50 have ambiguous letters or gaps: .*ambiguous='reference'"),
]


@pytest.mark.parametrize(("asked", "message"), REFUSED)
@pytest.mark.usefixtures("no_long_work")
def test_what_cannot_be_fitted_is_said_before_long_work(asked, message, tmp_path, monkeypatch):
    sequences, activity = library()
    if asked == {"family": "gaussian"}:
        sequences = [s[:5] + "N" + s[6:] if 100 <= i < 150 else s for i, s in enumerate(sequences)]
        activity[150:] = np.nan
    if asked == {"family": "binomial"}:
        monkeypatch.setattr("netinfer.models.motif.binomial.LARGEST_DESIGN", 1_099)
        activity = np.where(activity > 1.0, "on", "off")
    with pytest.raises(InputError, match=message):
        fit_motif_positions(sequences, activity, test=IS_TEST, **asked)
    for check in (check_library, fit_library):
        with pytest.raises(InputError, match=message):
            check(settings(tmp_path, sequences, activity, **asked))


def test_the_check_of_a_library_says_what_is_left_out(tmp_path):
    sequences, activity = spoiled()
    said = check_library(settings(tmp_path, sequences, activity))
    # A library is read without its ten rows that have no activity.
    assert "  test: 50 of 90 sequences are left out: 50 have ambiguous letters or gaps" in said
