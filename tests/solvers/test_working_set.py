"""The Lasso path from samples with far more predictors than samples."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers import lasso_path, lasso_path_wide

# A relative gap that solutions reach on data with a few hundred predictors: some 1e-11 from breaking ties.
GAP = 1e-9


def simulate(n, p, seed, correlation=0.5):
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n, 5))[:, rng.integers(0, 5, p)]
    x = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * rng.standard_normal((n, p))
    y = x[:, :4] @ np.array([1.0, -2.0, 1.5, 0.5]) + rng.standard_normal(n)
    return x, y


def moments(x, y):
    x, y = x - x.mean(axis=0), y - y.mean()
    return x.T @ x / len(y), x.T @ y / len(y), float(y @ y / len(y))


def grid(x, y, last=0.05, n=12):
    return np.abs(moments(x, y)[1]).max() * np.geomspace(0.99, last, n)


def objective(x, y, path, shrinkage=0.0, weights=1.0):
    gram, cross, variance = moments(x, y)
    coef = path if isinstance(path, np.ndarray) else path.coef
    fit = (1 - shrinkage) * np.einsum("ki,ij,kj->k", coef, gram, coef) + shrinkage * (coef**2).sum(axis=1)
    return 0.5 * variance - coef @ cross + 0.5 * fit, np.abs(coef) @ np.broadcast_to(weights, len(cross))


def largest_kkt(x, y, path, shrinkage=0.0, weights=None):
    """Distance of every gradient from the subdifferential, written out anew."""
    gram, cross, _ = moments(x, y)
    weights = np.ones(len(cross)) if weights is None else weights
    gradient = cross - (1 - shrinkage) * path.coef @ gram - shrinkage * path.coef
    bound = path.penalties[:, None] * weights
    on = np.abs(gradient - np.sign(path.coef) * bound)
    return np.where(path.coef != 0, on, np.maximum(np.abs(gradient) - bound, 0)).max()


@pytest.mark.parametrize("shrinkage", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("shape", [(30, 150), (60, 40), (25, 600)])
def test_the_gram_and_the_samples_give_one_path(shape, shrinkage):
    x, y = simulate(*shape, seed=1)
    gram, cross, variance = moments(x, y)
    penalties = grid(x, y)
    path = lasso_path_wide(x, y, penalties, shrinkage=shrinkage)
    shrunk = (1 - shrinkage) * gram + shrinkage * np.eye(shape[1])
    other = lasso_path(shrunk, cross, penalties, target_variance=variance / (1 - shrinkage))
    np.testing.assert_allclose(path.coef, other.coef, atol=1e-8)  # both exact up to the breaking of ties, 1e-10
    assert path.largest_penalty == pytest.approx(other.largest_penalty, rel=1e-12)
    assert path.converged.all()
    assert path.duality_gap.max() < GAP
    assert largest_kkt(x, y, path, shrinkage) < 1e-9
    assert path.kkt_violation.max() < 1e-9


def test_every_breakpoint_of_the_full_problem_is_found():
    x, y = simulate(30, 500, seed=2)
    gram, cross, variance = moments(x, y)
    penalties = grid(x, y, n=3)
    path = lasso_path_wide(x, y, penalties)
    other = lasso_path(gram, cross, penalties, target_variance=variance)
    assert len(other.breakpoints) > 20  # else nothing is shown
    np.testing.assert_array_equal(path.breakpoints["regulator"], other.breakpoints["regulator"])
    np.testing.assert_array_equal(path.breakpoints["change"], other.breakpoints["change"])
    np.testing.assert_allclose(path.breakpoints["penalty"], other.breakpoints["penalty"], rtol=1e-8)
    np.testing.assert_allclose(path.entered_at, other.entered_at, rtol=1e-8)


def test_with_shrinkage_breakpoints_end_where_the_dual_takes_over_and_are_exact_until_then():
    x, y = simulate(20, 400, seed=3)
    gram, cross, variance = moments(x, y)
    penalties = grid(x, y, last=0.02)
    path = lasso_path_wide(x, y, penalties, shrinkage=0.5)
    assert (path.coef[-1] != 0).sum() > 20  # more active than samples: the dual solved the end
    other = lasso_path(0.5 * gram + 0.5 * np.eye(400), cross, penalties, target_variance=2 * variance)
    found = path.breakpoints
    assert len(found) >= 15
    np.testing.assert_array_equal(found["regulator"], other.breakpoints["regulator"][: len(found)])
    np.testing.assert_allclose(found["penalty"], other.breakpoints["penalty"][: len(found)], rtol=1e-8)
    assert ((path.entered_at > 0) == (path.coef != 0).any(axis=0))[path.coef[-1] != 0].all()


@pytest.mark.parametrize("name", ["scikit-learn", "celer", "skglm"])
@pytest.mark.parametrize("seed", [4, 5])
def test_objective_agrees_with_other_solvers(name, seed):
    x, y = simulate(40, 300, seed)
    x, y = x - x.mean(axis=0), y - y.mean()
    penalties = grid(x, y, n=6)
    path = lasso_path_wide(x, y, penalties)
    if name == "scikit-learn":
        coef = pytest.importorskip("sklearn.linear_model").lasso_path(
            x, y, alphas=penalties, tol=1e-11, max_iter=10**6
        )[1]
    elif name == "celer":
        celer = pytest.importorskip("celer")
        coef = celer.celer_path(np.asfortranarray(x), y, "lasso", alphas=penalties, tol=1e-12, max_iter=1000)[1]
    else:
        skglm = pytest.importorskip("skglm")
        solver = pytest.importorskip("skglm.solvers").AndersonCD(tol=1e-12, max_iter=1000, fit_intercept=False)
        fits = [
            skglm.GeneralizedLinearEstimator(skglm.datafits.Quadratic(), skglm.penalties.L1(float(penalty)), solver)
            .fit(np.asfortranarray(x), y)
            .coef_
            for penalty in penalties
        ]
        coef = np.array(fits).T
    fit, norm = objective(x, y, path)
    other_fit, other_norm = objective(x, y, np.ascontiguousarray(coef.T))
    np.testing.assert_allclose(fit + penalties * norm, other_fit + penalties * other_norm, rtol=1e-8)


def test_at_the_largest_penalty_all_is_exactly_zero_and_just_below_one_enters():
    x, y = simulate(30, 400, seed=6)
    largest = lasso_path_wide(x, y, np.array([1.0])).largest_penalty
    path = lasso_path_wide(x, y, largest * np.array([1.5, 1.0, 0.999]))
    assert not path.coef[:2].any()
    assert (path.coef[2] != 0).sum() == 1


def test_scaling_permuting_and_negating_predictors_does_what_theory_says():
    x, y = simulate(25, 200, seed=7)
    penalties = grid(x, y)
    plain = lasso_path_wide(x, y, penalties)
    order = np.random.default_rng(0).permutation(200)
    sign = np.where(np.arange(200) % 3 == 0, -1.0, 1.0)
    turned = lasso_path_wide(x[:, order] * sign[order], y, penalties)
    np.testing.assert_allclose(turned.coef, plain.coef[:, order] * sign[order], atol=1e-9)
    scale = np.geomspace(0.01, 100, 200)
    scaled = lasso_path_wide(x * scale, y, penalties, penalty_weights=scale)
    np.testing.assert_allclose(scaled.coef * scale, plain.coef, atol=1e-8)
    huge = lasso_path_wide(x * 1e8, y * 1e-6, penalties * 1e2)
    np.testing.assert_allclose(huge.coef * 1e14, plain.coef, atol=1e-8)
    assert huge.converged.all()


def test_layout_of_the_array_does_not_matter():
    x, y = simulate(25, 300, seed=8)
    penalties = grid(x, y)
    a, b = (lasso_path_wide(np.array(x, order=order), y, penalties).coef for order in "CF")
    np.testing.assert_allclose(a, b, atol=1e-10)


@pytest.mark.parametrize("shrinkage", [0.0, 0.4])
def test_weights_zero_and_infinite(shrinkage):
    x, y = simulate(40, 300, seed=9)
    weights = np.ones(300)
    weights[[5, 17]] = 0.0
    weights[[0, 1, 100]] = np.inf
    weights[50:60] = 2.0
    gram, cross, variance = moments(x, y)
    penalties = grid(x, y)
    path = lasso_path_wide(x, y, penalties, penalty_weights=weights, shrinkage=shrinkage)
    other = lasso_path(
        (1 - shrinkage) * gram + shrinkage * np.eye(300), cross, penalties,
        target_variance=variance / (1 - shrinkage), penalty_weights=weights,
    )  # fmt: skip
    np.testing.assert_allclose(path.coef, other.coef, atol=1e-8)
    assert not path.coef[:, [0, 1, 100]].any()
    assert (path.coef[:, [5, 17]] != 0).all()
    assert np.isinf(path.entered_at[[5, 17]]).all()
    assert path.largest_penalty == pytest.approx(other.largest_penalty, rel=1e-10)
    assert path.duality_gap.max() < GAP


def test_all_forbidden_is_the_zero_path():
    x, y = simulate(20, 50, seed=10)
    path = lasso_path_wide(x, y, np.array([0.5, 0.1]), penalty_weights=np.full(50, np.inf))
    assert not path.coef.any()
    assert path.converged.all()
    assert path.largest_penalty == 0.0
    assert len(path.breakpoints) == 0


def test_duplicates_and_negated_duplicates_keep_the_certificate():
    x, y = simulate(30, 200, seed=11)
    doubled = np.concatenate([x, x, -x], axis=1)
    penalties = grid(x, y, last=0.02)
    path, plain = lasso_path_wide(doubled, y, penalties), lasso_path_wide(x, y, penalties)
    assert path.duality_gap.max() < GAP
    together = path.coef[:, :200] + path.coef[:, 200:400] - path.coef[:, 400:]
    np.testing.assert_allclose(together, plain.coef, atol=1e-7)


def test_a_path_that_explains_every_sample_stays_certified():
    x, y = simulate(20, 500, seed=12)
    path = lasso_path_wide(x, y, grid(x, y, last=1e-4, n=30))
    assert path.converged.all()
    assert (path.coef[-1] != 0).sum() == 19  # n - 1, since the mean is taken out


def test_at_solves_between_the_penalties():
    x, y = simulate(25, 300, seed=13)
    penalties = grid(x, y, n=4)
    path = lasso_path_wide(x, y, penalties)
    between = float(np.sqrt(penalties[1] * penalties[2]))
    expected = lasso_path_wide(x, y, np.array([between])).coef[0]
    np.testing.assert_allclose(path.at(between), expected, atol=1e-10)
    assert path.certificate(between).duality_gap < GAP


def test_not_certified_is_a_warning_with_the_gap():
    x, y = simulate(25, 300, seed=14)
    with pytest.warns(ConvergenceWarning, match="relative duality gap"):
        path = lasso_path_wide(x, y, grid(x, y), tol=1e-18)  # below what rounding allows
    assert not path.converged.all()
    assert path.duality_gap.max() < GAP


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(4, 25),
    p=st.integers(1, 120),
    kind=st.sampled_from(["normal", "integer", "low rank", "counts", "nearly equal"]),
    shrinkage=st.sampled_from([0.0, 0.05, 0.5]),
)
def test_every_point_is_certified_whatever_the_data(seed, n, p, kind, shrinkage):
    rng = np.random.default_rng(seed)
    if kind == "integer":
        x = rng.integers(-2, 3, (n, p)).astype(float)
    elif kind == "counts":
        x = np.log1p(rng.poisson(1.0, (n, p)))
    elif kind == "low rank":
        x = rng.standard_normal((n, 2)) @ rng.standard_normal((2, p))
    elif kind == "nearly equal":
        x = rng.standard_normal((n, 1)) + 1e-6 * rng.standard_normal((n, p))
    else:
        x = rng.standard_normal((n, p))
    x[0] += 1.0 * (np.ptp(x, axis=0) == 0)  # no constant column
    y = rng.standard_normal(n) + x[:, 0]
    top = np.abs(moments(x, y)[1]).max()
    path = lasso_path_wide(x, y, top * np.geomspace(0.9, 0.05, 5), shrinkage=shrinkage)
    size = moments(x, y)[2] ** 0.5 * max(1.0, np.sqrt(moments(x, y)[0].diagonal().max()))
    assert path.duality_gap.max() < GAP
    assert largest_kkt(x, y, path, shrinkage) < 1e-6 * size  # a gap of 1e-9 bounds residuals by its root, 3e-5


def test_bad_input_is_named():
    x, y = simulate(10, 30, seed=15)
    penalties = np.array([0.5, 0.1])
    broken = x.copy()
    broken[3, 7] = np.nan
    with pytest.raises(InputError, match=r"x: column 7 is NaN or infinite in row 3"):
        lasso_path_wide(broken, y, penalties)
    flat = x.copy()
    flat[:, [4, 9]] = 1e9 + 0.1
    with pytest.raises(InputError, match=r"x: column 4 is the same in every sample \(2 such columns\)"):
        lasso_path_wide(flat, y, penalties)
    weights = np.ones(30)
    weights[[4, 9]] = np.inf
    assert lasso_path_wide(flat, y, penalties, penalty_weights=weights).converged.all()
    with pytest.raises(InputError, match="y: the same in every sample"):
        lasso_path_wide(x, np.full(10, 2.0), penalties)
    with pytest.raises(InputError, match="y: NaN or infinite in row 2"):
        lasso_path_wide(x, np.where(np.arange(10) == 2, np.inf, y), penalties)
    with pytest.raises(InputError, match="not positive"):
        lasso_path_wide(x, y, np.array([0.1, 0.0]))
    with pytest.raises(InputError, match="decreasing"):
        lasso_path_wide(x, y, penalties[::-1])
    with pytest.raises(InputError, match=r"shrinkage: 1\.0"):
        lasso_path_wide(x, y, penalties, shrinkage=1.0)
    with pytest.raises(InputError, match="regulator 3"):
        lasso_path_wide(x, y, penalties, penalty_weights=np.where(np.arange(30) == 3, -1.0, 1.0))
    with pytest.raises(InputError, match="tol: 0"):
        lasso_path_wide(x, y, penalties, tol=0)
    with pytest.raises(InputError, match="shape"):
        lasso_path_wide(x.T, y, penalties)
    with pytest.raises(InputError, match="column 0 is too large"):
        lasso_path_wide(x * np.append(1e200, np.ones(29)), y, penalties)


@pytest.mark.parametrize("shrinkage", [1e-3, 0.5])
def test_predictors_of_any_size_end_certified_or_with_a_warning(shrinkage):
    n_certified = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((5, 20)) * 10.0 ** rng.uniform(-8, 8, 20)
        y = rng.standard_normal(5)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            path = lasso_path_wide(x, y, [0.05, 0.005], shrinkage=shrinkage, penalty_weights=x.std(0))
        assert {w.category for w in caught} <= {ConvergenceWarning}
        assert bool(caught) == (not path.converged.all())
        assert (path.duality_gap >= 0).all()
        n_certified += path.converged.all()
    assert n_certified
