"""Counted moments of one-hot coded sequences are those of the dense matrix."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Lasso

from netinfer.errors import ConfigError, InputError
from netinfer.models.motif.paths import base_paths, factored, largest_penalties, position_paths
from netinfer.moments.onehot import base_design, count_bases, make_coding
from netinfer.moments.onehot_pairs import pair_design


def data(n: int = 200, length: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes of which one position never varies and one has two bases, two responses, weights."""
    rng = np.random.default_rng(seed)
    codes = np.where(rng.random((n, length)) < 0.4, rng.integers(0, 4, (n, length)), 2).astype(np.uint8)
    codes[:, 3] = 1
    codes[:, 7] = rng.integers(0, 2, n) * 3
    return codes, rng.standard_normal((n, 2)), rng.random(n)


def dense(codes: np.ndarray, coding) -> np.ndarray:
    """The design as one would write it down, shape (n, n_columns)."""
    x = np.stack([codes[:, p] == b for p, b in zip(coding.position, coding.base, strict=True)], axis=1).astype(float)
    if coding.name == "zero_sum":
        x -= np.stack([codes[:, p] == coding.reference[p] for p in coding.position], axis=1)
    return x


@pytest.mark.parametrize("name", ["reference", "zero_sum"])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize("is_given", [False, True])
def test_counted_moments_equal_dense_ones(name, is_weighted, is_given):
    codes, y, weights = data()
    design = base_design(codes)
    reference = codes[0] if is_given else None
    coding = make_coding(design, name, reference)
    assert coding.position.size == sum(len(np.unique(column)) - 1 for column in codes.T)
    w = weights if is_weighted else np.ones(len(codes))
    found = count_bases(design, y, weights if is_weighted else None).moments(coding.transform)
    x = dense(codes, coding)
    x = x - np.average(x, axis=0, weights=w)
    centred = y - np.average(y, axis=0, weights=w)
    scaled = x * (w / w.sum())[:, None]
    np.testing.assert_allclose(found.gram, scaled.T @ x, atol=1e-12)
    np.testing.assert_allclose(found.cross, scaled.T @ centred, atol=1e-12)
    np.testing.assert_allclose(found.target_var, np.average(centred**2, axis=0, weights=w), atol=1e-12)


def test_what_a_half_leaves_is_counted_exactly():
    codes, y, _ = data()
    design = base_design(codes)
    rows = np.arange(0, 200, 3)
    rest = np.setdiff1d(np.arange(200), rows)
    whole, half, other = (count_bases(design, y, rows=r) for r in (None, rows, rest))
    left = whole - half
    assert left.n == len(rest)
    np.testing.assert_array_equal(left.pair, other.pair)  # whole numbers
    np.testing.assert_allclose(left.cross, other.cross, atol=1e-12)
    np.testing.assert_array_equal((half + other).pair, whole.pair)


def test_codings_give_the_same_fitted_values_without_a_penalty():
    codes, y, weights = data()
    design = base_design(codes)
    fits = []
    for name in ("reference", "zero_sum"):
        for reference in (None, codes[5]):
            coding = make_coding(design, name, reference)
            moments = count_bases(design, y, weights).moments(coding.transform)
            coef = coding.by_base(np.linalg.solve(moments.gram, moments.cross[:, 0]))
            fit = coef[np.arange(codes.shape[1]), codes].sum(axis=1)
            fits.append(fit - np.average(fit, weights=weights))
            if name == "zero_sum":
                np.testing.assert_allclose(coef.sum(axis=1), 0.0, atol=1e-12)
            else:
                assert (coef[np.arange(len(coef)), coding.reference] == 0).all()
    for fit in fits[1:]:
        np.testing.assert_allclose(fit, fits[0], atol=1e-10)


def test_the_lasso_over_bases_is_that_of_scikit_learn():
    codes, y, weights = data()
    design = base_design(codes)
    coding = make_coding(design)
    moments = count_bases(design, y, weights).moments(coding.transform)
    x = dense(codes, coding)
    x = x - np.average(x, axis=0, weights=weights)
    x /= np.sqrt(np.average(x**2, axis=0, weights=weights))
    target = y[:, 0] - np.average(y[:, 0], weights=weights)
    sd = np.sqrt(np.average(target**2, weights=weights))
    penalties = np.array([0.1, 0.03])
    found = base_paths(moments, coding.position, codes.shape[1], penalties)
    assert found.gap.max() < 1e-9
    for k, penalty in enumerate(penalties):
        peer = Lasso(alpha=penalty, fit_intercept=False, tol=1e-12, max_iter=100_000)
        peer.fit(x, target / sd, sample_weight=weights)
        np.testing.assert_allclose(
            found.coef[0, k] * np.sqrt(moments.gram.diagonal()) / np.sqrt(moments.target_var[0]), peer.coef_, atol=1e-6
        )


def test_positions_enter_alike_in_both_codings_and_none_above_the_largest_penalty():
    codes, y, _ = data()
    design = base_design(codes)
    found = []
    for name in ("reference", "zero_sum"):
        coding = make_coding(design, name)
        moments = count_bases(design, y).moments(coding.transform)
        top, _ = largest_penalties(moments, coding.position)
        path = position_paths(moments, coding.position, codes.shape[1], np.array([1.001 * top, 0.5 * top, 0.2 * top]))
        assert not path.coef[:, 0].any()
        assert path.coef[:, 1].any()
        assert path.gap.max() < 1e-9
        # What a position adds, from the coefficients themselves.
        x = dense(codes, coding)
        for p in range(codes.shape[1]):
            part = x[:, coding.position == p] @ path.coef[0, 2, coding.position == p]
            assert path.contribution[0, 2, p] == pytest.approx(part.std(), abs=1e-10)
        found.append(path.contribution)
    np.testing.assert_allclose(found[0], found[1], atol=1e-7)  # the paths are solved to a gap of 1e-9
    assert not found[0][:, :, 3].any()


def test_a_base_that_a_half_lacks_does_no_harm():
    codes, y, _ = data()
    codes[:, 0] = 2
    codes[:3, 0] = [0, 1, 3]
    design = base_design(codes)
    coding = make_coding(design, "zero_sum")
    moments = count_bases(design, y, rows=np.arange(50, 200)).moments(coding.transform)
    for fit in (base_paths, position_paths):
        path = fit(moments, coding.position, codes.shape[1], np.array([0.1, 0.02]))
        assert np.isfinite(path.coef).all()
        assert not path.contribution[:, :, 0].any()
    assert factored(moments.gram) is None


def test_counted_pairs_equal_products_of_dense_columns():
    codes, y, weights = data(n=400)
    design = base_design(codes)
    pairs = pair_design(design, np.array([0, 2, 7]), fewest=5)
    found = count_bases(pairs.design, y, weights).moments()
    single = design.matrix().toarray()
    x = np.concatenate([single[:, pairs.left] * single[:, pairs.right], single[:, pairs.single]], axis=1)
    assert pairs.positions.tolist() == [[0, 2], [0, 7], [2, 7]]
    assert (np.diff(pairs.label) >= 0).all()
    assert ((single[:, pairs.left] * single[:, pairs.right]).sum(axis=0) >= 5).all()
    x = x - np.average(x, axis=0, weights=weights)
    scaled = x * (weights / weights.sum())[:, None]
    np.testing.assert_allclose(found.gram, scaled.T @ x, atol=1e-12)
    np.testing.assert_allclose(found.cross, scaled.T @ (y - np.average(y, axis=0, weights=weights)), atol=1e-12)


def test_codes_and_codings_that_are_none_are_refused():
    codes, y, weights = data()
    design = base_design(codes)
    with pytest.raises(InputError, match="4 of sequence 0, position 2 is no base"):
        base_design(np.array([[0, 1, 4]], np.uint8))
    with pytest.raises(ConfigError, match="coding: 'dummy'"):
        make_coding(design, "dummy")
    with pytest.raises(InputError, match="for 200 sequences"):
        count_bases(design, y[:5], weights)
    with pytest.raises(InputError, match="weights of zero alone"):
        count_bases(design, y, np.zeros(200)).moments()
    with pytest.raises(InputError, match="of other positions or responses"):
        count_bases(design, y) + count_bases(design, y[:, :1])
