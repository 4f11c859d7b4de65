"""Elastic-net paths: three solvers, one answer; nearly equal regulators; the certificate; degenerate and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netinfer as ni
from netinfer.errors import ConvergenceWarning, InputError

METHODS = ["active_set", "homotopy", "coordinate_descent"]
EXACT = METHODS[:2]


def samples(n, p, seed, n_duplicates=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 3)) @ rng.standard_normal((3, p)) + rng.standard_normal((n, p))
    y = X[:, : min(4, p)] @ rng.standard_normal(min(4, p)) + rng.standard_normal(n)
    X = np.hstack([X, X[:, :n_duplicates]])
    return (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()


def moments(n, p, seed, n_duplicates=0):
    X, y = samples(n, p, seed, n_duplicates)
    return X.T @ X / n, X.T @ y / n


def fista_objective(gram, cross, penalty, shrinkage, coef):
    shrunk = (1 - shrinkage) * gram + shrinkage * np.eye(len(gram))
    return 0.5 * coef @ shrunk @ coef - cross @ coef + penalty * np.abs(coef).sum()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shrinkage", [0.05, 0.6, 0.95])
def test_agrees_with_proximal_gradient(shrinkage, method):
    gram, cross = moments(60, 25, 1)
    penalties = np.geomspace(0.7, 0.02, 6)
    path = ni.solvers.elastic_net_path(gram, cross, penalties, shrinkage=shrinkage, method=method)
    for penalty, coef in zip(penalties, path.coef, strict=True):
        plain = np.zeros(25)  # ISTA, written out: 20,000 steps at condition 60 end at rounding
        shrunk = (1 - shrinkage) * gram + shrinkage * np.eye(25)
        step = 1 / np.linalg.eigvalsh(shrunk)[-1]
        for _ in range(20_000):
            moved = plain + step * (cross - shrunk @ plain)
            plain = np.sign(moved) * np.maximum(np.abs(moved) - step * penalty, 0)
        values = [fista_objective(gram, cross, penalty, shrinkage, b) for b in (coef, plain)]
        assert abs(values[0] - values[1]) <= 1e-8 / (2 * (1 - shrinkage))
        # Descent stops at a gap of 1e-13, which by strong convexity leaves 3e-6 in the coefficients at s = 0.05.
        np.testing.assert_allclose(coef, plain, atol=1e-10 if method in EXACT else 3e-6)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(3, 40),
    p=st.integers(1, 30),
    shrinkage=st.sampled_from([1e-6, 1e-3, 0.1, 0.5, 0.9, 0.999]),
    seed=st.integers(0, 2**32 - 1),
    n_duplicates=st.integers(0, 5),
)
def test_every_point_is_certified(n, p, shrinkage, seed, n_duplicates):
    gram, cross = moments(n, p, seed, min(n_duplicates, p))
    penalties = np.geomspace(0.99, 0.003, 12)
    path = ni.solvers.elastic_net_path(gram, cross, penalties, shrinkage=shrinkage)
    assert path.converged.all()
    assert (path.duality_gap >= 0).all()
    # The active set ends at rounding, 1e-16 squared over the shrinkage; 1e-9 is what its fallbacks would leave.
    assert path.duality_gap.max() <= 1e-9
    assert path.kkt_violation.max() <= 1e-9


@pytest.mark.parametrize("shrinkage", [1e-4, 0.3, 0.6, 0.9])
def test_the_homotopy_and_the_active_set_give_one_solution(shrinkage):
    for seed, (n, p) in enumerate([(50, 20), (20, 60), (100, 30)]):
        gram, cross = moments(n, p, seed, 4)
        penalties = np.geomspace(0.9, 0.01, 15)
        paths = [ni.solvers.elastic_net_path(gram, cross, penalties, shrinkage=shrinkage, method=m) for m in EXACT]
        # The homotopy may break ties by 1e-10 of the penalty, which duplicates of weak shrinkage feel divided by it.
        np.testing.assert_allclose(paths[0].coef, paths[1].coef, atol=1e-10 + 1e-10 / shrinkage)
        np.testing.assert_allclose(paths[0].entered_at, paths[1].entered_at, atol=1e-9)


@pytest.mark.parametrize("shrinkage", [1e-3, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("method", ["auto", *EXACT])
def test_exact_duplicates_get_equal_coefficients(method, shrinkage):
    gram, cross = moments(50, 10, 3, 10)
    path = ni.solvers.elastic_net_path(gram, cross, np.geomspace(0.6, 0.01, 8), shrinkage=shrinkage, method=method)
    first, second = path.coef[:, :10], path.coef[:, 10:]
    assert (first[-1] != 0).sum() >= 7
    # Rounding, 1e-15, times a condition number of 20 / shrinkage at most: 1e-12 from a shrinkage of 0.02 on.
    assert np.abs(first - second).max() <= 2e-14 / shrinkage


def test_duplicates_by_coordinate_descent_are_equal_to_its_tolerance():
    gram, cross = moments(50, 10, 3, 10)
    path = ni.solvers.elastic_net_path(gram, cross, [0.05], shrinkage=0.6, method="coordinate_descent")
    # Strong convexity: ||b - b*||^2 <= 2 gap / s, gap = 1e-13 of half the variance 1 / (1 - s), for each of the two.
    limit = 2 * np.sqrt(2 * 1e-13 * 0.5 / 0.4 / 0.6)
    assert np.abs(path.coef[0, :10] - path.coef[0, 10:]).max() <= limit


@pytest.mark.parametrize("noise", [0.3, 0.1, 0.01, 1e-4])
@pytest.mark.parametrize("shrinkage", [0.1, 0.5, 0.9])
def test_nearly_equal_regulators_get_nearly_equal_coefficients(shrinkage, noise):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X, y = samples(60, 8, seed)
        X = np.hstack([X, X[:, :1] + noise * rng.standard_normal((60, 1))])
        X = (X - X.mean(0)) / X.std(0)
        gram, cross = X.T @ X / 60, X.T @ y / 60
        path = ni.solvers.elastic_net_path(gram, cross, np.geomspace(0.5, 0.01, 8), shrinkage=shrinkage)
        twins = path.coef[:, [0, 8]]
        same = twins[:, 0] * twins[:, 1] > 0
        # Zou and Hastie (2005), theorem 1, in these units (docs/l1.md).
        bound = np.sqrt(2 * (1 - gram[0, 8])) / shrinkage
        assert (np.abs(twins[same, 0] - twins[same, 1]) <= bound).all()
        if noise <= 0.01:
            # The gradients of the two differ by at most sqrt(2 (1 - r)), so that is all that one can be ahead by.
            assert (np.abs(twins[:, 0] - twins[:, 1]) <= bound).all()


def test_no_shrinkage_is_the_lasso_and_much_is_soft_thresholding():
    gram, cross = moments(60, 20, 6)
    penalties = np.geomspace(0.6, 0.05, 6)
    none = ni.solvers.elastic_net_path(gram, cross, penalties, shrinkage=0.0)
    np.testing.assert_array_equal(none.coef, ni.solvers.lasso_path(gram, cross, penalties).coef)
    much = ni.solvers.elastic_net_path(gram, cross, penalties, shrinkage=1 - 1e-9)
    expected = np.sign(cross) * np.maximum(np.abs(cross) - penalties[:, None], 0)
    np.testing.assert_allclose(much.coef, expected, atol=1e-7)  # (1 - s) G moves it by 1e-9 times the active norm


def test_the_certificate_is_the_gap_of_the_written_out_dual():
    from netinfer.solvers.active_set import elastic_net_gap

    gram, cross = moments(40, 12, 8)
    s, penalty = 0.3, 0.1
    shrunk = (1 - s) * gram + s * np.eye(12)
    rng = np.random.default_rng(0)
    b = 0.1 * rng.standard_normal(12)  # far from optimal
    X, y = samples(40, 12, 8)
    response = y / (1 - s)
    # Primal: (1-s)/(2n) ||response - X b||^2 + s/2 |b|^2 + penalty |b|; dual point: the residual itself.
    rest = response - X @ b
    primal = (1 - s) / 80 * rest @ rest + s / 2 * b @ b + penalty * np.abs(b).sum()
    u = (1 - s) * X.T @ rest / 40
    conjugate = (np.maximum(np.abs(u) - penalty, 0) ** 2).sum() / (2 * s)
    dual = (1 - s) / 40 * (response @ rest - rest @ rest / 2) - conjugate
    half = 0.5 / (1 - s)
    got = elastic_net_gap(b, cross - shrunk @ b, penalty, np.ones(12), np.zeros(12, bool), s, 1 / (1 - s))
    assert got == pytest.approx((primal - dual) / half, rel=1e-10)
    best = ni.solvers.elastic_net_path(gram, cross, [penalty], shrinkage=s).coef[0]
    excess = fista_objective(gram, cross, penalty, s, b) - fista_objective(gram, cross, penalty, s, best)
    assert got * half >= excess > 1e-3


def test_the_largest_penalty_gives_exact_zero():
    gram, cross = moments(40, 10, 0)
    largest = np.abs(cross).max()
    for method in METHODS:
        path = ni.solvers.elastic_net_path(
            gram, cross, [largest * 1.5, largest, largest * 0.99], shrinkage=0.4, method=method
        )
        assert (path.coef[:2] == 0).all()
        assert (path.coef[2] != 0).sum() == 1
        assert path.largest_penalty == largest


@pytest.mark.parametrize("method", EXACT)
def test_another_order_other_signs_other_scales(method):
    rng = np.random.default_rng(9)
    X, y = samples(50, 20, 9)
    order, sign = rng.permutation(20), rng.choice([-1.0, 1.0], 20)
    penalties = np.geomspace(0.8, 0.02, 8)
    path = ni.solvers.elastic_net_path(X.T @ X / 50, X.T @ y / 50, penalties, shrinkage=0.3, method=method)
    Z = X[:, order] * sign
    other = ni.solvers.elastic_net_path(Z.T @ Z / 50, Z.T @ y / 50, penalties, shrinkage=0.3, method=method)
    np.testing.assert_allclose(other.coef * sign, path.coef[:, order], atol=1e-9)
    # A target in other units: coefficients and penalties go along.
    scaled = ni.solvers.elastic_net_path(
        X.T @ X / 50, 7.0 * X.T @ y / 50, 7.0 * penalties, shrinkage=0.3, method=method, target_variance=49.0
    )
    np.testing.assert_allclose(scaled.coef, 7.0 * path.coef, atol=1e-9)
    np.testing.assert_allclose(scaled.duality_gap, path.duality_gap, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_free_and_forbidden_regulators(method):
    gram, cross = moments(60, 8, 8)
    weights = np.array([1, 2, 0.5, 0, np.inf, 1, 1, 1.0])
    path = ni.solvers.elastic_net_path(
        gram, cross, np.geomspace(0.5, 0.02, 8), shrinkage=0.2, penalty_weights=weights, method=method
    )
    assert path.duality_gap.max() <= 1e-9
    assert path.kkt_violation.max() <= (1e-9 if method in EXACT else 1e-6)
    assert (path.coef[:, 4] == 0).all()
    assert (path.coef[:, 3] != 0).all()
    assert path.entered_at[3] == np.inf
    all_free = ni.solvers.elastic_net_path(
        gram, cross, [0.1], shrinkage=0.2, penalty_weights=np.zeros(8), method=method
    )
    np.testing.assert_allclose(
        all_free.coef[0], np.linalg.solve(0.8 * gram + 0.2 * np.eye(8), cross), atol=1e-10 if method in EXACT else 1e-6
    )
    assert all_free.largest_penalty == 0.0


def test_where_rounds_run_out_descent_and_the_homotopy_take_over(monkeypatch):
    from netinfer.solvers import elastic_net as module

    original = module.pursue

    def starved(gram, cross, shrinkage, variance, penalties, weights, forbidden, tol, max_sweeps, *rest):
        return original(
            gram, cross, shrinkage, variance, penalties, weights, forbidden, -1.0, 0, *rest[:-2], *rest[-2:]
        )

    gram, cross = moments(30, 20, 2)
    penalties = np.geomspace(0.8, 0.05, 5)
    expected = ni.solvers.elastic_net_path(gram, cross, penalties, shrinkage=0.3, method="homotopy")

    def broken(*arguments):
        arguments[-2][:] = np.inf  # no gap is known

    monkeypatch.setattr(module, "pursue", broken)
    found = ni.solvers.elastic_net_path(gram, cross, penalties, shrinkage=0.3)
    np.testing.assert_array_equal(found.coef, expected.coef)
    monkeypatch.setattr(module, "pursue", starved)
    assert ni.solvers.elastic_net_path(gram, cross, penalties, shrinkage=0.3).converged.all()


def test_what_is_not_certified_is_said():
    # Exact duplicates, hardly any shrinkage: 2,000 sweeps of coordinate descent do not get there.
    gram, cross = moments(50, 10, 0, 10)
    with pytest.warns(ConvergenceWarning, match=r"elastic_net_path: relative duality gap .* is not certified"):
        path = ni.solvers.elastic_net_path(gram, cross, [0.3, 0.01], shrinkage=1e-6, method="coordinate_descent")
    assert not path.converged.all()
    assert ni.solvers.elastic_net_path(gram, cross, [0.3, 0.01], shrinkage=1e-6).converged.all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shrinkage": 1.0}, "shrinkage: 1.0 is not in"),
        ({"shrinkage": -0.1}, "shrinkage: -0.1 is not in"),
        ({"shrinkage": np.nan}, "shrinkage: nan is not in"),
        ({"method": "lars"}, "method: 'lars' is unknown: use auto, active_set"),
        ({"gram": np.array([[1.0, 1.5], [1.5, 1.0]])}, "smallest eigenvalue, scaled to a unit diagonal, is -0.5"),
        ({"gram": np.array([[1.0, np.nan], [0.0, 1.0]])}, r"the first at \[0, 1\]"),
        ({"gram": np.array([[1.0, 0.2], [0.1, 1.0]])}, "not symmetric"),
        ({"gram": np.diag([1.0, 0.0])}, "entry 1 is not positive: drop that regulator"),
        ({"target_variance": 0.0}, "constant target"),
        ({"penalties": [0.1, -0.2]}, "-0.2 is not positive"),
        ({"penalty_weights": [1.0, -2.0]}, "-2 of regulator 1"),
        ({"penalty_weights": [np.nan, 1.0]}, "nan of regulator 0"),
        ({"penalty_weights": [1.0, 1.0, 1.0]}, "for 2 regulators"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    arguments = {"gram": np.eye(2), "cross": np.array([0.5, 0.2]), "penalties": [0.3], "shrinkage": 0.5, **change}
    with pytest.raises(InputError, match=message):
        ni.solvers.elastic_net_path(**arguments)


def test_more_threads_give_the_same_bits():
    from concurrent.futures import ThreadPoolExecutor

    from netinfer.solvers.active_set import make_active_set
    from netinfer.solvers.ranking import rank_targets

    rng = np.random.default_rng(3)
    X, _ = samples(40, 30, 3)
    Y = rng.standard_normal((40, 24)) + X[:, :1]
    Y = (Y - Y.mean(0)) / Y.std(0)
    gram, cross = 0.5 * X.T @ X / 40 + 0.5 * np.eye(30), np.ascontiguousarray((X.T @ Y / 40).T)

    def rank(where):
        coef, gap = np.zeros((where.stop - where.start, 30)), np.zeros(where.stop - where.start)
        rank_targets(
            gram, cross[where], np.full(len(gap), -1), np.ones((1, 30)), 0.5, 2.0, np.array([0.05]), 1e-9, 2000,
            make_active_set(30), gap, coef,
        )  # fmt: skip
        return coef

    whole = rank(slice(0, 24))
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(rank, [slice(0, 5), slice(5, 16), slice(16, 24)]))
    assert np.concatenate(parts).tobytes() == whole.tobytes()
