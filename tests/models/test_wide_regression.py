"""The regression on more candidates than samples: samples give what Gram matrices give, in less memory."""

import dataclasses
import tracemalloc

import numpy as np
import pytest

from netinfer.config import RegressionConfig
from netinfer.models.regression import RegressionPart, chunk_targets, fit_chunk, gather, problem_from_arrays, wide

FAST = {"n_subsamples": 20, "n_penalties": 8}


def simulated(n=36, p=90, g=70, seed=0, units=None, n_covariates=0, **kwargs):
    rng = np.random.default_rng(seed)
    x = 0.7 * rng.standard_normal((n, 6))[:, rng.integers(0, 6, p)] + 0.7 * rng.standard_normal((n, p))
    x[:, 7] = 2.0  # a gene that says nothing
    y = np.concatenate([x[:, :20], x[:, 20:40] @ rng.standard_normal((20, g - 20)) / 7], axis=1)
    y[:, 20:] += rng.standard_normal((n, g - 20))
    names = [f"r{j}" for j in range(p)]
    return problem_from_arrays(
        x, y, regulator_names=names, target_names=[*names[:20], *(f"t{j}" for j in range(g - 20))],
        units=None if units is None else np.repeat(np.arange(units), n // units),
        covariates=rng.standard_normal((n, n_covariates)) if n_covariates else None, **kwargs,
    )  # fmt: skip


def fit(monkeypatch, problem, is_wide, **kwargs):
    monkeypatch.setattr(wide, "is_wide", lambda _: is_wide)
    return fit_chunk(problem, **kwargs)


@pytest.mark.filterwarnings("ignore:penalty_weights")
@pytest.mark.parametrize(
    ("data", "model"),
    [
        ({}, {"model": "elastic_net"}),
        ({}, {"model": "lasso"}),
        ({"seed": 1}, {"selection_shrinkage": 0.4}),
        ({"seed": 2}, {"selection_shrinkage": 0.3, "shrinkage": 0.3}),
        ({"seed": 3, "n": 48, "units": 24, "n_covariates": 2}, {}),
        ({"seed": 4, "penalty_weights": {"r3": 0.0, "r4": 0.5, "r5": np.inf}}, {}),
        ({"seed": 5, "n": 37}, {"ranking_penalty": 0.2}),
    ],
)
def test_samples_give_what_gram_matrices_give(monkeypatch, data, model):
    problem, settings = simulated(**data), RegressionConfig(**{**FAST, **model})
    gram = fit(monkeypatch, problem, False, settings=settings, seed=3)
    samples = fit(monkeypatch, problem, True, settings=settings, seed=3)
    assert len(gram.gate_counts) > 20  # else little is compared
    for field in dataclasses.fields(RegressionPart):
        one, other = getattr(gram, field.name), getattr(samples, field.name)
        if np.asarray(one).dtype.kind == "f":
            # Rounding of 36 samples; DESIGN asks for 1e-9.
            np.testing.assert_allclose(other, one, atol=1e-9, rtol=1e-9, err_msg=field.name)
        else:
            np.testing.assert_array_equal(other, one, err_msg=field.name)
    assert len(gather(problem, [samples], settings=settings, seed=3).candidates) == len(gram.pair_target)


def test_bits_depend_on_neither_threads_nor_chunks(monkeypatch):
    problem, settings = simulated(g=150, seed=6), RegressionConfig(**{**FAST, "n_subsamples": 4})
    whole = fit(monkeypatch, problem, True, settings=settings)
    threaded = fit(monkeypatch, problem, True, settings=settings, threads=3)
    parts = [fit(monkeypatch, problem, True, settings=settings, chunk=(i, 4)) for i in (1, 2, 3, 4)]
    assert [part.n_targets for part in parts] == [0, 64, 64, 22]  # one chunk is empty
    for name in wide.PER_TARGET + wide.PER_PAIR:
        np.testing.assert_array_equal(getattr(threaded, name), getattr(whole, name), err_msg=name)
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name), err_msg=name)
    assert gather(problem, parts, settings=settings).candidates.equals(
        gather(problem, [whole], settings=settings).candidates
    )


def test_a_part_survives_its_file(monkeypatch, tmp_path):
    part = fit(monkeypatch, simulated(), True, settings=RegressionConfig(**{**FAST, "n_subsamples": 4}))
    part.save(tmp_path / "part.npz")
    np.testing.assert_array_equal(RegressionPart.load(tmp_path / "part.npz").weight, part.weight)


def test_size_alone_chooses_the_way():
    few = simulated()
    assert not wide.is_wide(few)
    many = np.random.default_rng(0).standard_normal((30, wide.WIDE_FROM))
    assert wide.is_wide(problem_from_arrays(many, many[:, :1], target_names=["x"], regulator_names=many[0].astype(str)))
    deep = np.tile(many, (7, 1))  # 105 samples a half: 4,000 are fewer than 40 times that
    assert not wide.is_wide(
        problem_from_arrays(deep, deep[:, :1], target_names=["x"], regulator_names=many[0].astype(str))
    )


def test_the_check_says_what_many_candidates_cost():
    many = np.random.default_rng(0).standard_normal((30, wide.WIDE_FROM))
    note = wide.size_note(problem_from_arrays(many, many))
    # 30 samples x 4,000 candidates x 4,000 targets x 100 half-samples x 1e-8 s = 0.133 hours
    assert "4000 candidate regulators" in note
    assert "0.13 core hours" in note
    assert wide.size_note(simulated()) == ""


def test_memory_is_linear_in_the_candidates():
    """6,000 candidates: one Gram matrix of them is 288 MB; the block of targets with all its sums is far below."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((24, 6_000))
    problem = problem_from_arrays(
        x, x[:, :4], regulator_names=[f"g{j}" for j in range(6_000)], target_names=[f"g{j}" for j in range(4)]
    )
    settings = RegressionConfig(n_subsamples=4, n_penalties=5)
    tracemalloc.start()
    try:
        part = fit_chunk(problem, settings=settings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100e6  # a third of one Gram matrix; the Gram way needs several
    assert (part.duality_gap < 1e-9).all()
    assert not ((part.pair_target == part.pair_regulator) & (part.weight > 0)).any()
    assert chunk_targets(4, (1, 1)) == slice(0, 4)
