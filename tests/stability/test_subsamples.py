"""Half-samples: complementary, of whole units, the same for ever."""

import numpy as np
import pytest

from netinfer.errors import InputError
from netinfer.stability import complementary_pair, unit_rows
from netinfer.stability.subsamples import check_units, stratified_pair, unit_strata


@pytest.mark.parametrize("n_units", [8, 9, 30, 101])
def test_halves_are_disjoint_and_of_equal_size(n_units):
    first, second = complementary_pair(n_units, 3, seed=1)
    assert len(first) == len(second) == n_units // 2
    assert not set(first) & set(second)
    assert set(first) | set(second) <= set(range(n_units))


def test_a_pair_depends_on_seed_and_index_alone():
    pairs = [complementary_pair(20, k, seed=5)[0].tolist() for k in range(20)]
    assert complementary_pair(20, 13, seed=5)[0].tolist() == pairs[13]
    assert len({tuple(p) for p in pairs}) == 20
    assert complementary_pair(20, 13, seed=6)[0].tolist() != pairs[13]


def test_the_stream_is_frozen():
    # Computed once with numpy 2.4's Philox; another numpy, machine or release of netinfer must give the same halves.
    first, second = complementary_pair(9, 0, seed=0)
    assert (first.tolist(), second.tolist()) == ([0, 1, 2, 8], [3, 4, 5, 6])


def test_every_unit_is_drawn_equally_often():
    n_units, n_pairs = 11, 2000
    drawn = np.zeros(n_units)
    for k in range(n_pairs):
        first, second = complementary_pair(n_units, k, seed=0)
        drawn[first] += 1
        drawn[second] += 1
    # Each unit is in one of the halves with probability 10/11; 5 standard errors of that share.
    share = drawn / n_pairs
    assert np.abs(share - 10 / 11).max() < 5 * np.sqrt(10 / 11 / 11 / n_pairs)


def test_units_keep_their_samples_together():
    rows = unit_rows(np.array(["b", "a", "b", "c", "a"]))
    assert [r.tolist() for r in rows] == [[0, 2], [1, 4], [3]]


def test_too_few_units_are_refused_with_the_minimum():
    check_units(8, where="samples")
    with pytest.raises(InputError, match=r"7 independent units, at least 8"):
        check_units(7, where="samples")
    check_units(8, where="column 'donor'", n_samples=8)
    with pytest.raises(InputError, match=r"^column 'donor': 3 independent units, at least 4 are needed"):
        check_units(3, where="column 'donor'", n_samples=300)
    with pytest.raises(InputError, match=r"^column 'donor': 7 samples, at least 8 are needed"):
        check_units(7, where="column 'donor'", n_samples=7)


@pytest.mark.parametrize("n_units", [4, 7])
def test_few_named_units_are_warned_of(n_units):
    with pytest.warns(UserWarning, match=f"^column 'donor': {n_units} independent units can be halved in few ways"):
        check_units(n_units, where="column 'donor'", n_samples=100)


@pytest.mark.parametrize("seed", [1.5, "1", None, True, -1, 2**64, np.float64(2.0)])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(InputError, match=r"^seed: .* is no whole number from 0 to 2\^64 - 1"):
        complementary_pair(10, 0, seed=seed)
    with pytest.raises(InputError, match=r"^seed: "):
        stratified_pair(np.zeros(10, int), 0, seed=seed)


def test_numpys_whole_numbers_are_seeds_too():
    assert complementary_pair(10, 0, seed=np.int32(3))[0].tolist() == complementary_pair(10, 0, seed=3)[0].tolist()


@pytest.mark.parametrize("sizes", [[10, 2, 8], [3, 5], [2, 2], [40]])
def test_both_halves_hold_each_stratum_in_the_same_number(sizes):
    strata = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    for pair in range(5):
        first, second = stratified_pair(strata, pair, seed=2)
        assert not set(first) & set(second)
        for half in (first, second):
            assert np.bincount(strata[half], minlength=len(sizes)).tolist() == [n // 2 for n in sizes]


def test_one_stratum_is_none():
    for pair in range(5):
        one = stratified_pair(np.zeros(11, int), pair, seed=4)
        assert [half.tolist() for half in one] == [h.tolist() for h in complementary_pair(11, pair, seed=4)]


def test_strata_are_numbered_by_their_labels_whatever_the_order_of_units():
    rows = unit_rows(np.array(["u", "v", "u", "w", "x"]))
    assert unit_strata(np.array(["b", "a", "b", "b", "a"]), rows, column="c", unit_column="d").tolist() == [1, 0, 1, 0]
    assert unit_strata(np.array([10, 9, 10, 10, 9]), rows, column="c", unit_column="d").tolist() == [0, 1, 0, 1]


def test_a_unit_in_two_strata_is_refused_with_both_columns():
    rows = unit_rows(np.array(["u", "v", "u", "v"]))
    with pytest.raises(
        InputError, match=r"unit of block 'donor' \(that of sample 2\) lies in 2 strata of 'sex' \('f', 'm'\)"
    ):
        unit_strata(np.array(["f", "f", "f", "m"]), rows, column="sex", unit_column="donor")


def test_a_stratum_of_one_unit_is_named():
    rows = unit_rows(np.array(["u", "u", "v", "w"]))
    with pytest.raises(InputError, match=r"^strata: 'm' of 'sex' has one independent unit"):
        unit_strata(np.array(["m", "m", "f", "f"]), rows, column="sex", unit_column="donor")
