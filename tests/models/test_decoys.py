"""Decoys: every tie to a target is chance, their own correlations stay, and nothing real changes."""

import dataclasses
import warnings

import numpy as np
import pandas as pd
import pytest

from netinfer.config import RegressionConfig
from netinfer.errors import RunError
from netinfer.models.regression import fit_chunk, gather, problem_from_arrays, selection_counts, wide
from netinfer.models.regression.decoys import decoy_problem, decoy_rows
from netinfer.stability import expected_false

FAST = {"n_subsamples": 20, "n_penalties": 8}


def simulated(n=60, p=30, g=40, seed=0, batch=0.0, **keys):
    """Every target follows a regulator closely; with a batch, all genes follow it as well."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) + 0.8 * rng.standard_normal((n, 1))
    x += batch * (np.arange(n) < n // 2)[:, None]
    y = x[:, rng.integers(0, p, g)] + 0.3 * rng.standard_normal((n, g))
    return problem_from_arrays(x, y, regulator_names=[f"r{j}" for j in range(p)], **keys)


@pytest.mark.parametrize("sizes", [[1] * 30, [2] * 15, [1, 4, 2, 5, 3, 2, 6, 7]])
def test_units_move_together_and_none_keeps_its_own(sizes):
    unit_of = np.repeat(np.arange(len(sizes)), sizes)
    rows = [np.flatnonzero(unit_of == u) for u in range(len(sizes))]
    given = decoy_rows(rows, seed=1)
    givers = [set(unit_of[given[r]]) for r in rows]
    assert all(len(giver) == 1 for giver in givers)
    giver = [one.pop() for one in givers]
    assert sorted(giver) == list(range(len(sizes)))
    assert all(one != unit for unit, one in enumerate(giver))
    for r, one in zip(rows, giver, strict=True):
        # Each row of the giver as often as any other, give or take one, where the positions start again.
        times = np.bincount(given[r], minlength=len(given))[rows[one]]
        assert times.max() - times.min() <= 1
    assert decoy_rows(rows, seed=1).tolist() == given.tolist()
    assert decoy_rows(rows, seed=2).tolist() != given.tolist()


def test_units_stay_in_their_stratum():
    strata = np.repeat([0, 1, 2], [10, 2, 8])
    given = decoy_rows([np.array([i]) for i in range(20)], strata, seed=0)
    assert (strata[given] == strata).all()
    assert sorted(given) == list(range(20))


def test_the_permutation_is_frozen():
    # Computed once with numpy 2.4's Philox; another numpy, machine or release must give the same decoys.
    assert decoy_rows([np.array([i]) for i in range(6)], seed=0).tolist() == [4, 0, 5, 2, 3, 1]


def test_samples_of_a_unit_come_in_random_order():
    rows = list(np.arange(60).reshape(3, 20))
    given = decoy_rows(rows, seed=0)
    assert any(np.any(np.diff(given[r]) != 1) for r in rows)


def test_their_own_correlations_stay_and_ties_to_targets_are_chance():
    problem = simulated(n=200)
    decoys = decoy_problem(problem, 0)
    np.testing.assert_allclose(
        np.corrcoef(decoys.regulators.T),
        np.corrcoef(problem.regulators.T),
        atol=1e-12,  # only the order of sums differs
    )
    ties = decoys.regulators.T @ problem.targets / 200
    # 1200 correlations of 200 samples, correlated among themselves: 5 standard deviations of one.
    assert np.abs(ties).max() < 5 / np.sqrt(200)
    assert np.abs(problem.regulators.T @ problem.targets / 200).max() > 0.9


@pytest.mark.parametrize("how", ["strata", "covariates"])
def test_what_strata_and_covariates_explain_ties_no_decoy(how):
    n = 200
    batch = (np.arange(n) < n // 2).astype(float)
    keys = {"strata": {"strata": batch}, "covariates": {"covariates": batch[:, None], "covariate_names": ["batch"]}}[
        how
    ]
    problem = simulated(n=n, batch=4.0, **keys)
    decoys = decoy_problem(problem, 0)
    # Before they were moved nothing of the batch was left in them, which makes two thirds of a regulator's spread.
    rows = decoy_rows(problem.unit_rows, problem.strata, seed=0)
    moved = decoys.regulators[np.argsort(rows)]
    assert np.abs(moved.T @ (batch - 0.5) / n).max() < 1e-12
    assert np.abs(problem.regulators.T @ (batch - 0.5) / n).min() > 0.3
    left = problem.targets - np.array(
        [[problem.targets[batch == b].mean(axis=0) for b in (0, 1)][int(b)] for b in batch]
    )
    assert np.abs(decoys.regulators.T @ left / n).max() < 5 / np.sqrt(n)


@pytest.mark.parametrize("is_wide", [False, True])
def test_real_results_do_not_change_by_a_bit(monkeypatch, is_wide):
    monkeypatch.setattr(wide, "is_wide", lambda _: is_wide)
    problem = simulated()
    plain = fit_chunk(problem, settings=RegressionConfig(**FAST))
    with_decoys = fit_chunk(problem, settings=RegressionConfig(**FAST, decoys=True))
    for field in dataclasses.fields(plain):
        if field.name != "settings_hash" and not field.name.startswith("decoy_"):
            one, other = (np.asarray(getattr(part, field.name)) for part in (plain, with_decoys))
            assert one.tobytes() == other.tobytes(), field.name
    assert len(plain.decoy_n_selected) == 0
    assert with_decoys.decoy_n_selected.shape == with_decoys.n_selected.shape
    assert with_decoys.decoy_n_selected.sum() > 0


def test_chance_passes_seldom_and_true_ties_always():
    problem = simulated(n=100)
    settings = RegressionConfig(**FAST, decoys=True, penalty_min=0.2)
    part = fit_chunk(problem, settings=settings)
    counts = selection_counts(problem, [part], settings, decoys=True)
    assert counts.counts.shape == (len(part.decoy_target), 8)
    assert (counts.counts.max(axis=1) > 10).all()
    real = selection_counts(problem, [part], settings)
    always = int((real.counts.max(axis=1) == 20).sum())
    assert always >= 40  # one tie a target
    # In 1200 pairs without a tie; the true ones are 40.
    assert (counts.counts.max(axis=1) == 20).sum() <= 4


def test_both_ways_count_the_same_decoys(monkeypatch):
    problem, settings = simulated(penalty_weights={"r1": 0.0, "r2": np.inf}), RegressionConfig(**FAST, decoys=True)
    parts = []
    for is_wide in (False, True):
        monkeypatch.setattr(wide, "is_wide", lambda _, answer=is_wide: answer)
        parts.append(fit_chunk(problem, settings=settings))
    for name in ("n_selected", "n_union", "target", "regulator", "counts"):
        np.testing.assert_array_equal(*(getattr(part, f"decoy_{name}") for part in parts), err_msg=name)
    assert not set(parts[0].decoy_regulator) & {1, 2}, "what is in every model or in none says nothing"
    assert len(parts[0].decoy_target) > 0


def test_chunks_and_threads_do_not_matter(tmp_path):
    problem, settings = simulated(g=140), RegressionConfig(**FAST, decoys=True)
    whole = fit_chunk(problem, settings=settings, seed=2)
    parts = [fit_chunk(problem, chunk=(i, 2), settings=settings, seed=2, threads=2) for i in (1, 2)]
    for part in parts:
        part.save(tmp_path / "part.npz")
        assert type(part).load(tmp_path / "part.npz").decoy_counts.tobytes() == part.decoy_counts.tobytes()
    one = selection_counts(problem, [whole], settings, decoys=True)
    two = selection_counts(problem, parts, settings, decoys=True)
    for field in dataclasses.fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(two, field.name), err_msg=field.name)


@pytest.mark.parametrize("rule", ["meinshausen_buhlmann", "shah_samworth", "ipss_quadratic"])
def test_decoys_are_counted_at_the_networks_cut(rule):
    """By hand: what would pass if the decoys' counts stood beside the network's, which make the bound."""
    problem = simulated(n=60, p=12)
    keys = {"truncation": 0.05} if rule.startswith("ipss") else {"threshold": 0.55}
    settings = RegressionConfig(**FAST, rule=rule, decoys=True, **keys)
    part = fit_chunk(problem, settings=settings)
    net = gather(problem, [part], settings=settings, cut={"expected_false_edges": 100.0})
    decoys, real = (selection_counts(problem, [part], settings, decoys=x) for x in (True, False))
    bound = expected_false(dataclasses.replace(real, counts=decoys.counts), rule, **keys)
    levels = net.candidates["expected_false_edges"].dropna().quantile([0.0, 0.5, 1.0], interpolation="nearest")
    seen = [net.threshold(expected_false_edges=level).cut["decoy_edges"] for level in levels]
    assert seen == [(bound <= level).sum() for level in levels]
    assert seen[-1] > 0
    by_share = net.threshold(selection_probability=0.55)
    assert by_share.cut["decoy_edges"] == (decoys.counts.max(axis=1) >= 11).sum() > 0


def test_decoys_of_targets_without_a_bound_are_not_counted():
    weights = pd.DataFrame(0.2, index=["r0"], columns=[f"g{i}" for i in range(1, 31)])
    problem = simulated(n=60, penalty_weights=weights)
    settings = RegressionConfig(**FAST, decoys=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        part = fit_chunk(problem, settings=settings)
        net = gather(problem, [part], settings=settings)
    assert (part.decoy_target < 30).any()
    kept = part.decoy_target >= 30
    assert max(net.provenance["decoys"]["selection_probability"]["n_pairs"], default=0) == kept.sum()


def test_parts_without_decoys_say_so():
    problem = simulated()
    settings = RegressionConfig(**FAST)
    part = fit_chunk(problem, settings=settings)
    with pytest.raises(RunError, match="without decoys"):
        selection_counts(problem, [part], settings, decoys=True)
    with pytest.raises(RunError, match="other data, settings or seed"):
        gather(problem, [part], settings=RegressionConfig(**FAST, decoys=True))
