"""The kernel of many targets: watched candidates against all, padding, chunks, weights of each target, ties."""

import numpy as np
import pytest

from netinfer.solvers.active import make_workspace, padded
from netinfer.solvers.batch import count_selections
from netinfer.solvers.follow import follow
from netinfer.solvers.path import GAP_TOLERANCE, MAX_SWEEPS


def data(kind, seed, n=60, p=37):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 5)) @ rng.standard_normal((5, p)) + rng.standard_normal((n, p))
    if kind == "integer":  # ties and exact duplicates
        X = np.clip(np.round(X), -1, 1) + 0.0
        X[:, -4:] = X[:, :4]
    elif kind == "nearly equal":
        X[:, p // 2 :] = X[:, : p - p // 2] + 1e-5 * rng.standard_normal((n, p - p // 2))
    elif kind == "wide":
        X = X[:25]
    y = X[:, :4] @ rng.standard_normal(4) + rng.standard_normal(len(X))
    X, y = X - X.mean(0), y - y.mean()
    X, y = X / X.std(0), y / y.std()
    return X.T @ X / len(X), X.T @ y / len(X)


def run(gram, cross, penalties, *, variance=1.0, weights=None, events=False, work=None):
    p = cross.size
    work = make_workspace(p) if work is None else work
    if weights is not None:
        work.forbidden[:] = np.isinf(weights)
        work.weights[:] = np.where(work.forbidden, 1.0, weights)
    coef, gap = np.zeros((len(penalties), p)), np.zeros(len(penalties))
    room = np.zeros((5000 if events else 0, 3))
    follow(gram, cross, variance, penalties, work, 100 + 20 * p, GAP_TOLERANCE, MAX_SWEEPS, room, coef, gap)
    return coef, gap


@pytest.mark.parametrize("kind", ["correlated", "integer", "nearly equal", "wide"])
@pytest.mark.parametrize("n_penalties", [2, 6, 40])
def test_watching_candidates_gives_what_watching_all_gives(kind, n_penalties):
    for seed in range(15):
        gram, cross = data(kind, seed)
        penalties = np.geomspace(0.95, 0.02, n_penalties)
        few, few_gap = run(gram, cross, penalties)
        every, every_gap = run(gram, cross, penalties, events=True)
        # Each is certified; the tolerance of a path where rounding blocks the exact answer.
        assert max(few_gap.max(), every_gap.max()) <= GAP_TOLERANCE
        if kind == "correlated":
            # Two exact paths of a well-conditioned problem: rounding of some 40 steps.
            np.testing.assert_allclose(few, every, atol=1e-12)
            assert few_gap.max() <= 1e-13


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("step", [1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize("weight", [1e-1, 1e-3])
def test_a_regulator_that_nobody_watched_is_found(weight, step, share):
    # The first regulator pushes the second over its bound within a step too short for the second to be watched: its
    # gradient grows by 0.8 a unit of penalty, which is many of its small weights.
    gram = np.array([[1.0, -0.8], [-0.8, 1.0]])
    penalty = 0.5 * (1 - step)
    cross = np.array([0.5, weight * penalty - 0.8 * 0.5 * step * share])
    few, _ = run(gram, cross, np.array([penalty]), weights=np.array([1.0, weight]))
    every, _ = run(gram, cross, np.array([penalty]), weights=np.array([1.0, weight]), events=True)
    assert every[0, 1] != 0
    np.testing.assert_array_equal(few, every)


def test_watching_candidates_gives_what_watching_all_gives_with_weights():
    for seed in range(60):
        gram, cross = data("correlated", seed)
        rng = np.random.default_rng(seed)
        weights = 10.0 ** rng.uniform(-3, 1, cross.size)
        largest = (np.abs(cross) / weights).max()
        penalties = largest * np.geomspace(1 - 10.0 ** rng.uniform(-9, -1), 0.01, 6)
        few, _ = run(gram, cross, penalties, weights=weights)
        every, _ = run(gram, cross, penalties, weights=weights, events=True)
        np.testing.assert_array_equal(few != 0, every != 0)
        np.testing.assert_allclose(few, every, atol=1e-11)


def test_padding_and_a_used_workspace_change_no_bit():
    gram, cross = data("correlated", 3)
    penalties = np.geomspace(0.9, 0.01, 20)
    expected, gap = run(gram, cross, penalties)
    work = make_workspace(cross.size)
    other_gram, other = data("integer", 4)
    run(other_gram, other, penalties, work=work)
    again, again_gap = run(padded(gram), cross, penalties, work=work)
    assert np.array_equal(again, expected)
    assert np.array_equal(again_gap, gap)


def test_penalties_above_the_largest_cost_and_select_nothing():
    gram, cross = data("correlated", 5)
    coef, gap = run(gram, cross, np.array([3.0, 2.0, np.abs(cross).max()]))
    assert not coef.any()
    assert not gap.any()


def count(gram, crosses, own, weights, penalties):
    g, p = crosses.shape
    out = {
        "counts": np.zeros((g, p, len(penalties)), np.uint16),
        "n_selected": np.zeros((g, len(penalties)), np.int64),
        "n_union": np.zeros((g, len(penalties)), np.int64),
        "gap": np.zeros(g),
        "coef": np.full((g, p), np.nan),
    }
    count_selections(
        gram, crosses, own, weights, 1.0, penalties, make_workspace(p), 100 + 20 * p, GAP_TOLERANCE, MAX_SWEEPS,
        out["counts"], out["n_selected"], out["n_union"], out["gap"], len(penalties), out["coef"],
    )  # fmt: skip
    return out


@pytest.fixture
def many():
    gram, _ = data("correlated", 6)
    rng = np.random.default_rng(0)
    factor = np.linalg.cholesky(gram + 1e-10 * np.eye(len(gram)))
    crosses = 0.7 * np.array([factor @ (v / np.linalg.norm(v)) for v in rng.standard_normal((9, len(gram)))])
    return gram, crosses, np.geomspace(0.8, 0.02, 8)


def test_a_target_gets_the_same_bits_in_any_chunk(many):
    gram, crosses, penalties = many
    own, weights = np.arange(9), np.ones((1, len(gram)))
    whole = count(gram, crosses, own, weights, penalties)
    for first, last in ((0, 2), (2, 3), (3, 9)):
        part = count(gram, crosses[first:last], own[first:last], weights, penalties)
        for name, values in part.items():
            assert np.array_equal(values, whole[name][first:last]), name
    assert not whole["counts"][np.arange(9), own].any()


def test_each_target_has_its_own_penalty_weights(many):
    gram, crosses, penalties = many
    rng = np.random.default_rng(1)
    weights = rng.choice([0.5, 1.0, 2.0, np.inf, 0.0], size=crosses.shape, p=[0.2, 0.5, 0.2, 0.07, 0.03])
    found = count(gram, crosses, np.full(9, -1), weights, penalties)
    assert not found["counts"][np.isinf(weights)].any()
    assert (found["counts"][weights == 0.0] == 1).all()
    for t in range(9):
        coef, gap = run(gram, crosses[t], penalties, weights=weights[t])
        assert np.array_equal(found["coef"][t], coef[-1])
        assert np.array_equal(found["counts"][t], (coef != 0).T)
        assert gap.max() <= 1e-13


def test_exact_duplicates_on_a_shrunk_gram_share_to_the_last_digits():
    gram, cross = data("correlated", 7)
    gram, cross = np.block([[gram, gram], [gram, gram]]), np.append(cross, cross)
    p = cross.size
    coef, gap = run(0.7 * gram + 0.3 * np.eye(p), cross, np.geomspace(0.9, 0.01, 12), variance=1 / 0.7)
    assert gap.max() <= 1e-13
    # The two are one in exact arithmetic; what is left is rounding.
    np.testing.assert_allclose(coef[:, : p // 2], coef[:, p // 2 :], atol=1e-13)
