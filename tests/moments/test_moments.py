"""Moments: agreement with numpy, the algebra of sets of samples, exact bits for any chunk."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netinfer as ni
from netinfer.errors import InputError
from netinfer.moments import TARGET_BLOCK, from_matrix, inverse_sd


def data(n=30, p=4, g=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, p)) + 3, rng.standard_normal((n, g)) * 2 - 5


def test_agrees_with_numpy_covariance():
    x, y = data()
    m = ni.moments.from_matrix(x, y)
    joint = np.cov(np.hstack([x, y]).T, bias=True)
    np.testing.assert_allclose(m.gram, joint[:4, :4], atol=1e-13)
    np.testing.assert_allclose(m.cross, joint[:4, 4:], atol=1e-13)
    np.testing.assert_allclose(m.target_var, joint.diagonal()[4:], atol=1e-13)
    np.testing.assert_allclose(m.mean, np.hstack([x, y]).mean(0), atol=1e-14)
    assert (m.gram == m.gram.T).all()


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 40), cut=st.integers(1, 39), seed=st.integers(0, 2**31), offset=st.sampled_from([0.0, 1e6]))
def test_sums_and_differences_are_the_moments_of_the_joint_and_the_rest(n, cut, seed, offset):
    cut = min(cut, n - 1)
    x, y = data(n, 3, 2, seed)
    x = x + offset
    whole, first, rest = from_matrix(x, y), from_matrix(x, y, np.arange(cut)), from_matrix(x, y, np.arange(cut, n))
    for got, expected in ((first + rest, whole), (whole - first, rest)):
        assert got.n == expected.n
        # A mean of size `offset` is known to offset * 2e-16; that meets differences of up to 8, times n / n_rest <= 40.
        tolerance = 1e-12 + 1e-13 * offset
        for name in ("gram", "cross", "target_var"):
            np.testing.assert_allclose(getattr(got, name), getattr(expected, name), atol=tolerance)
        np.testing.assert_allclose(got.mean, expected.mean, rtol=1e-12, atol=1e-12)


def test_a_large_mean_does_not_cost_digits():
    rng = np.random.default_rng(0)
    small = rng.standard_normal((50, 2))
    moved = small + 1e9
    # Adding 1e9 rounds each value to 1e-7; the covariance may move by that, not by 1e9 squared times epsilon.
    np.testing.assert_allclose(from_matrix(moved, moved).gram, from_matrix(small, small).gram, atol=1e-6)


def test_the_bits_of_a_block_do_not_depend_on_the_others():
    x, y = data(37, 5, 3 * TARGET_BLOCK + 1)
    whole = from_matrix(x, y)
    for first in range(0, y.shape[1], TARGET_BLOCK):
        alone = from_matrix(x, y[:, first:])
        assert (alone.cross == whole.cross[:, first:]).all()
        assert (alone.target_var == whole.target_var[first:]).all()
        assert (alone.target_mean == whole.target_mean[first:]).all()


def test_names_are_kept_and_checked():
    x, y = data()
    a = from_matrix(pd.DataFrame(x, columns=list("abcd")), pd.DataFrame(y, columns=list("uvwxyz")))
    assert a.regulator_names == ("a", "b", "c", "d")
    b = from_matrix(pd.DataFrame(x, columns=list("abce")), pd.DataFrame(y, columns=list("uvwxyz")))
    with pytest.raises(InputError, match="same genes"):
        a + b


def test_constant_genes_have_no_inverse_sd():
    assert inverse_sd(np.array([4.0, 0.0, 1e-17])).tolist() == [0.5, 0.0, 0.0]
    assert inverse_sd(np.array([1e-6]), np.array([1e-6])).tolist() == [1e3]


@pytest.mark.parametrize(
    ("x", "y", "rows", "message"),
    [
        (np.ones((3, 2)), np.ones((4, 2)), None, "same samples"),
        (np.ones(3), np.ones((3, 2)), None, "samples x genes"),
        (np.ones((3, 2)), np.ones((3, 2)), [], "no samples"),
        (np.array([[np.nan], [1.0]]), np.ones((2, 1)), None, "NaN"),
    ],
)
def test_bad_input_is_refused(x, y, rows, message):
    with pytest.raises(InputError, match=message):
        from_matrix(x, y, rows)


def test_a_difference_must_leave_samples():
    x, y = data()
    m = from_matrix(x, y)
    with pytest.raises(InputError, match="leaves none"):
        m - m


def test_standardised_moments_are_correlations():
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((30, 4)) * [1, 10, 1e-6, 1e6] + 5, rng.standard_normal((30, 2))
    gram, crosses = from_matrix(X, Y).standardised()
    both = np.corrcoef(np.hstack([X, Y]).T)
    np.testing.assert_allclose(gram, both[:4, :4], atol=1e-12)
    np.testing.assert_allclose(crosses, both[4:, :4], atol=1e-12)


def test_a_constant_gene_has_no_standardised_moments():
    table = pd.DataFrame(np.random.default_rng(0).standard_normal((10, 3)), columns=["a", "b", "c"])
    with pytest.raises(InputError, match="regulator b is the same in every sample"):
        from_matrix(table.assign(b=0.1), table).standardised()
    with pytest.raises(InputError, match="target c is the same in every sample"):
        from_matrix(table, table.assign(c=0.1)).standardised()
