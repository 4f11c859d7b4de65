"""Half-samples: complementary, of whole units, the same for ever."""

import numpy as np
import pytest

from netinfer.errors import InputError
from netinfer.stability import complementary_pair, unit_rows
from netinfer.stability.subsamples import check_units


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
