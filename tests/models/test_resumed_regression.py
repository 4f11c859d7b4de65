"""Half-samples added to kept sums: the bits of all at once, and nothing about the kept file is an error."""

import dataclasses
import logging

import numpy as np
import pytest

import netinfer as ni
from netinfer.config import RegressionConfig
from netinfer.models.regression import RegressionPart, fit_chunk, problem_from_arrays, sums, wide

FEW, MORE = ({"n_subsamples": n, "n_penalties": 6} for n in (8, 20))


def simulated(n=40, p=12, g=30, seed=0, **keys):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1))
    y = np.concatenate([x, x[:, rng.integers(0, p, g)] + rng.standard_normal((n, g))], axis=1)
    names = [f"r{j}" for j in range(p)]
    target_names = [*names, *(f"t{j}" for j in range(g))]
    return problem_from_arrays(x, y, regulator_names=names, target_names=target_names, **keys)


def same(a: RegressionPart, b: RegressionPart) -> None:
    for field in dataclasses.fields(a):
        one, other = np.asarray(getattr(a, field.name)), np.asarray(getattr(b, field.name))
        assert one.dtype == other.dtype, field.name
        # Bytes, not values: NaN equals NaN, and 0 is not -0.
        assert one.tobytes() == other.tobytes(), field.name


def splits_fitted(monkeypatch) -> list[int]:
    """List the pairs of half-samples that are drawn."""
    seen = []
    cls = type(simulated())
    drawn = cls.halves

    def halves(self, pair, seed):
        seen.append(pair)
        return drawn(self, pair, seed)

    monkeypatch.setattr(cls, "halves", halves)
    return seen


DATA = {
    "plain": {},
    "blocks and strata": {"units": np.repeat(np.arange(20), 2), "strata": np.repeat(["a", "b"], 20)},
    "covariates": {"covariates": np.random.default_rng(1).standard_normal((40, 2))},
    "weights": {"penalty_weights": {"r3": 0.0, "r4": 0.5, "r5": np.inf}},
}


@pytest.mark.parametrize("is_wide", [False, True])
@pytest.mark.parametrize("data", DATA)
def test_more_half_samples_give_the_bits_of_all_at_once(monkeypatch, tmp_path, data, is_wide):
    monkeypatch.setattr(wide, "is_wide", lambda _: is_wide)
    problem, state = simulated(**DATA[data]), tmp_path / "made" / "state.npz"
    more = RegressionConfig(**MORE, decoys=True)
    at_once = fit_chunk(problem, settings=more, seed=3)
    fit_chunk(problem, settings=RegressionConfig(**FEW), seed=3, state=state)
    seen = splits_fitted(monkeypatch)
    raised = fit_chunk(problem, settings=more, seed=3, threads=2, state=state)
    same(raised, at_once)
    # The last 6 of 10 pairs, and all 10 of the decoys, which the first run did not have.
    assert seen == [*range(4, 10), *range(10)]
    seen.clear()
    same(fit_chunk(problem, settings=more, seed=3, state=state), at_once)
    assert seen == []


def test_a_job_that_was_killed_goes_on_where_it_was_written(monkeypatch, tmp_path):
    problem, state = simulated(), tmp_path / "state.npz"
    settings = RegressionConfig(**MORE)
    monkeypatch.setattr(sums, "SAVE_EVERY", 0.0)  # behind every pair
    seen = splits_fitted(monkeypatch)
    fit = sums.SumsFile._save

    def save(self, work, n_done):
        fit(self, work, n_done)
        if n_done == 12:
            raise KeyboardInterrupt

    monkeypatch.setattr(sums.SumsFile, "_save", save)
    with pytest.raises(KeyboardInterrupt):
        fit_chunk(problem, settings=settings, seed=1, state=state)
    monkeypatch.setattr(sums.SumsFile, "_save", fit)
    resumed = fit_chunk(problem, settings=settings, seed=1, state=state)
    assert seen == list(range(10))
    same(resumed, fit_chunk(problem, settings=settings, seed=1))


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 2},
        {"settings": RegressionConfig(**MORE, shrinkage=0.4)},
        {"chunk": (1, 2)},
        {"problem": simulated(n=41)},
        {"problem": simulated(g=90, units=np.repeat(np.arange(20), 2))},
    ],
)
def test_sums_of_something_else_are_not_taken(tmp_path, caplog, changed):
    state = tmp_path / "state.npz"
    first = {"problem": simulated(g=90), "settings": RegressionConfig(**FEW), "seed": 1}
    asked = {**first, "settings": RegressionConfig(**MORE), **changed}
    fit_chunk(first.pop("problem"), **first, state=state)
    problem = asked.pop("problem")
    with caplog.at_level(logging.WARNING, logger="netinfer"):
        part = fit_chunk(problem, **asked, state=state)
    assert [record.getMessage() for record in caplog.records] == [
        f"{state}: kept sums of other data, settings, chunks or code: fitted anew"
    ]
    same(part, fit_chunk(problem, **asked))
    caplog.clear()
    same(fit_chunk(problem, **asked, state=state), part)
    assert not caplog.records, "the file now holds what was fitted last"


def test_sums_of_other_code_are_not_taken(monkeypatch, tmp_path):
    problem, state = simulated(), tmp_path / "state.npz"
    fit_chunk(problem, settings=RegressionConfig(**FEW), state=state)
    monkeypatch.setattr(sums, "_code", lambda: "edited")
    seen = splits_fitted(monkeypatch)
    fit_chunk(problem, settings=RegressionConfig(**FEW), state=state)
    assert seen == [0, 1, 2, 3]


def test_settings_that_no_sum_depends_on_do_not_matter(monkeypatch, tmp_path):
    problem, state = simulated(), tmp_path / "state.npz"
    fit_chunk(problem, settings=RegressionConfig(**FEW, rule="shah_samworth", resumable=False), state=state)
    seen = splits_fitted(monkeypatch)
    fit_chunk(problem, settings=RegressionConfig(**FEW, rule="ipss_quadratic"), state=state)
    assert seen == []


@pytest.mark.parametrize("where", [0, 40, 0.5, -70, -1])
@pytest.mark.parametrize("how", ["flipped", "cut"])
def test_a_damaged_file_is_fitted_anew(tmp_path, caplog, where, how):
    problem, state = simulated(), tmp_path / "state.npz"
    settings = RegressionConfig(**FEW)
    part = fit_chunk(problem, settings=settings, state=state)
    content = bytearray(state.read_bytes())
    at = int(where * len(content)) if isinstance(where, float) else where
    if how == "flipped":
        content[at] ^= 1
    else:
        content = content[:at]
    state.write_bytes(content)
    with caplog.at_level(logging.WARNING, logger="netinfer"):
        same(fit_chunk(problem, settings=settings, state=state), part)
    assert [record.getMessage() for record in caplog.records] == [f"{state}: kept sums that are damaged: fitted anew"]


def test_a_file_that_cannot_be_read_or_written_stops_nothing(tmp_path, caplog):
    problem = simulated()
    settings = RegressionConfig(**FEW)
    part = fit_chunk(problem, settings=settings)
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "file").write_text("in the way")
    with caplog.at_level(logging.WARNING, logger="netinfer"):
        same(fit_chunk(problem, settings=settings, state=tmp_path / "folder.npz"), part)
        same(fit_chunk(problem, settings=settings, state=tmp_path / "file" / "state.npz"), part)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 3
    assert "cannot be read" in messages[0]
    assert all("sums are not kept" in message for message in messages[1:])


def test_fewer_half_samples_leave_the_larger_sums(monkeypatch, tmp_path):
    problem, state = simulated(), tmp_path / "state.npz"
    fit_chunk(problem, settings=RegressionConfig(**MORE), state=state)
    content = state.read_bytes()
    few = RegressionConfig(**FEW)
    same(fit_chunk(problem, settings=few, state=state), fit_chunk(problem, settings=few))
    assert state.read_bytes() == content


def test_the_notebook_call_keeps_one_file_for_each_question(monkeypatch, tmp_path):
    rng = np.random.default_rng(0)
    expression = rng.standard_normal((30, 8))
    seen = splits_fitted(monkeypatch)
    asked = {"regulators": ["g0001", "g0002", "g0003"], "n_penalties": 5, "threads": 1, "state": tmp_path / "kept"}
    ni.infer_regression(expression, n_subsamples=8, **asked)
    net = ni.infer_regression(expression, n_subsamples=12, **asked)
    assert seen == [0, 1, 2, 3, 4, 5]
    del asked["state"]
    at_once = ni.infer_regression(expression, n_subsamples=12, **asked)
    assert net.candidates.equals(at_once.candidates)
    ni.infer_regression(expression, n_subsamples=8, **asked, seed=1, state=tmp_path / "kept")
    assert len(list((tmp_path / "kept").iterdir())) == 2
