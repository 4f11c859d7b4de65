"""StARS against a plain reimplementation of its definition, with and without the bounds from two subsamples."""

import numpy as np
import pytest

from netinfer.errors import InputError
from netinfer.stability.stars import instability, stars, subsample, subsample_size

GRID = np.geomspace(0.9, 0.05, 14)


class Marginal:
    """Pairs of columns whose absolute correlation in a subsample is above the penalty: a graph that is quick to fit."""

    def __init__(self, n=60, p=12, seed=0, strength=0.8):
        rng = np.random.default_rng(seed)
        self.data = rng.standard_normal((n, p)) + strength * rng.standard_normal((n, 1)) * (np.arange(p) < p // 2)
        self.pairs = np.triu_indices(p, 1)
        self.fits = 0

    def __call__(self, subsamples, penalties):
        counts = np.zeros((len(self.pairs[0]), len(penalties)), np.uint16)
        for rows in subsamples:
            self.fits += len(penalties)
            correlation = np.abs(np.corrcoef(self.data[rows].T))[self.pairs]
            counts += correlation[:, None] > penalties
        return counts


def published(model, penalties, n_units, n_subsamples, threshold, seed):
    """The definition, pair by pair: D of every penalty, made monotone; the place of the penalty chosen."""
    size = int(10 * np.sqrt(n_units)) if n_units > 144 else int(0.8 * n_units)
    selected = [
        model([subsample(n_units, k, size=size, seed=seed)], penalties).astype(bool) for k in range(n_subsamples)
    ]
    theta = np.mean(selected, axis=0)
    d = (2 * theta * (1 - theta)).mean(axis=0)
    monotone = np.array([d[: k + 1].max() for k in range(len(d))])
    return monotone, theta, int(np.flatnonzero(monotone <= threshold).max())


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("threshold", [0.05, 0.1])
@pytest.mark.parametrize("n", [60, 200])
def test_agrees_with_the_definition(seed, threshold, n):
    model = Marginal(n=n, seed=seed)
    monotone, theta, place = published(model, GRID, n, 20, threshold, seed)
    model.fits = 0
    plain = stars(model, GRID, n_units=n, threshold=threshold, seed=seed, is_bounded=False)
    n_plain, model.fits = model.fits, 0
    bounded = stars(model, GRID, n_units=n, threshold=threshold, seed=seed)
    np.testing.assert_allclose(plain.instability, monotone, rtol=1e-12)
    for choice in (plain, bounded):
        assert choice.penalty == GRID[place] == choice.penalties[choice.index]
        assert choice.is_bracketed == (place < len(GRID) - 1)
        np.testing.assert_allclose(choice.counts / 20, theta[:, place], rtol=1e-12)
        np.testing.assert_allclose(choice.n_selected[choice.n_fitted == 20], theta.sum(axis=0)[choice.n_fitted == 20])
    seen = ~np.isnan(bounded.instability)
    assert seen[place]
    np.testing.assert_array_equal(bounded.n_fitted, np.where(seen, 20, 2))
    assert model.fits < n_plain  # the bounds spare fits in each of these cases


def test_one_large_disagreement_keeps_all_smaller_penalties_out():
    # Half of the subsamples select the only pair at the second penalty, all of them at the third.
    def count(subsamples, penalties):
        table = {0.9: [0, 0, 0, 0], 0.5: [0, 1, 0, 1], 0.1: [1, 1, 1, 1]}
        which = [int(next(k for k in range(4) if np.array_equal(rows, drawn[k]))) for rows in subsamples]
        return np.array([[sum(table[round(x, 1)][k] for k in which) for x in penalties]])

    drawn = [subsample(20, k, size=16, seed=0) for k in range(4)]
    choice = stars(count, [0.9, 0.5, 0.1], n_units=20, n_subsamples=4, is_bounded=False)
    assert choice.penalty == 0.9
    assert choice.instability.tolist() == [0.0, 0.5, 0.5]  # 2 * 1/2 * 1/2; the third would be 0


@pytest.mark.parametrize("is_bounded", [True, False])
def test_the_grid_goes_on_downwards_until_the_choice_is_bracketed(is_bounded):
    model = Marginal(seed=3)
    long = stars(model, np.geomspace(0.9, 0.9 * 0.9**40, 41), n_units=60, is_bounded=is_bounded)
    short = stars(model, [0.9, 0.81], n_units=60, smallest=1e-3, is_bounded=is_bounded)
    assert long.is_bracketed
    assert short.is_bracketed
    assert short.penalty == pytest.approx(long.penalty, rel=1e-12)
    np.testing.assert_array_equal(short.counts, long.counts)
    stopped = stars(model, [0.9, 0.81], n_units=60, smallest=0.8, is_bounded=is_bounded)
    assert (stopped.penalty, stopped.is_bracketed) == (0.81, False)


def test_bounds_that_two_lucky_subsamples_get_wrong_are_moved():
    # The first two agree on everything at every penalty; the others do not: the upper bound alone must not decide.
    n_pairs = 40

    def count(subsamples, penalties):
        counts = np.zeros((n_pairs, len(penalties)), int)
        for rows in subsamples:
            k = next(k for k in range(10) if np.array_equal(rows, drawn[k]))
            for place, penalty in enumerate(penalties):
                if k >= 2 and penalty < 0.6:
                    counts[(np.arange(n_pairs) + k) % 4 == 0, place] += 1
        return counts

    drawn = [subsample(30, k, size=24, seed=1) for k in range(10)]
    grid = [0.9, 0.7, 0.5, 0.3]
    bounded = stars(count, grid, n_units=30, n_subsamples=10, seed=1)
    plain = stars(count, grid, n_units=30, n_subsamples=10, seed=1, is_bounded=False)
    assert bounded.penalty == plain.penalty == 0.7


def test_size_of_a_subsample_is_the_published_one():
    assert [subsample_size(n) for n in (10, 100, 144, 145, 400, 1000)] == [8, 80, 115, 120, 200, 316]


def test_a_draw_depends_on_seed_and_number_alone_and_is_without_replacement():
    first = subsample(50, 3, size=40, seed=7)
    np.testing.assert_array_equal(first, subsample(50, 3, size=40, seed=7))
    assert len(set(first.tolist())) == 40
    assert set(subsample(50, 3, size=20, seed=7)) < set(first.tolist())
    for other in (subsample(50, 4, size=40, seed=7), subsample(50, 3, size=40, seed=8)):
        assert (first != other).any()
    # Each unit is in 0.8 of the subsamples: 400 draws, standard error 0.02.
    share = np.mean([np.isin(np.arange(50), subsample(50, k, size=40, seed=0)) for k in range(400)], axis=0)
    assert (np.abs(share - 0.8) < 0.1).all()


def test_instability_is_that_of_two_subsamples():
    rng = np.random.default_rng(0)
    selected = rng.random((6, 30, 4)) < 0.3
    disagree = np.mean([[(a != b).mean(axis=0) for b in selected] for a in selected], axis=(0, 1))
    np.testing.assert_allclose(instability(selected.sum(axis=0), 6), disagree, rtol=1e-12)
    np.testing.assert_allclose(instability(selected.sum(axis=0), 6, n_pairs=60), disagree / 2, rtol=1e-12)
    assert instability(np.zeros((0, 3), int), 6).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"penalties": [0.1, 0.9]}, "the largest first"),
        ({"penalties": [0.9]}, "two or more"),
        ({"penalties": [0.9, np.nan]}, "above 0"),
        ({"threshold": 0.0}, "threshold: 0.0"),
        ({"threshold": 0.5}, "threshold: 0.5"),
        ({"n_subsamples": 1}, "n_subsamples: 1"),
        ({"n_subsamples": 2.5}, "n_subsamples: 2.5"),
        ({"n_units": 3}, "3 independent units, at least 4"),
        ({"seed": 1.5}, "seed: 1.5"),
        ({"seed": -1}, "seed: -1"),
        ({"smallest": 0}, "smallest: 0"),
        ({"penalties": [0.2, 0.1]}, "disagree too much already"),
    ],
)
def test_bad_input_is_named(changes, message):
    arguments = {"penalties": GRID, "n_units": 60, **changes}
    with pytest.raises(InputError, match=message):
        stars(Marginal(strength=0.2), arguments.pop("penalties"), **arguments)


@pytest.mark.parametrize("seed", range(5))
def test_a_subsample_takes_its_share_of_every_stratum(seed):
    # One large stratum and many of two units.
    strata = np.random.default_rng(seed).permutation(np.repeat(np.arange(26), [50, *[2] * 25]))
    units = subsample(100, 3, size=63, seed=seed, strata=strata)
    assert len(units) == len(np.unique(units)) == 63
    taken = np.bincount(strata[units], minlength=26)
    share = 63 * np.bincount(strata) / 100
    assert (np.abs(taken - share) < 1).all()
    assert not np.array_equal(units, subsample(100, 4, size=63, seed=seed, strata=strata))


def test_one_stratum_is_none():
    plain = subsample(50, 2, size=40, seed=1)
    np.testing.assert_array_equal(plain, subsample(50, 2, size=40, seed=1, strata=np.zeros(50, int)))


def test_stars_draws_within_strata():
    strata = np.repeat([0, 1], [45, 15])
    seen = []

    def count(draws, penalties):
        seen.extend(draws)
        return np.zeros((3, len(penalties)), int)

    stars(count, GRID, n_units=60, strata=strata)
    # 48 of 60 units: 36 of 45 and 12 of 15.
    assert len(seen) >= 20
    assert {int(np.sum(strata[units])) for units in seen} == {12}
