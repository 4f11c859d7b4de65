"""The exact path: certificates, agreement with two libraries, degenerate inputs, symmetry."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netinfer as ni
from netinfer.errors import ConvergenceWarning, InputError

# What every fit must reach is 1e-8; the homotopy ends near 1e-11 (broken ties), so a worse value means a defect.
GAP = 1e-9
# The gradient is off its bound by rounding of sums of up to 300 terms of size one.
KKT = 1e-9


def standardised(n, p, seed, n_true=5, noise=1.0):
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((n, 4))
    X = factors @ rng.standard_normal((4, p)) + rng.standard_normal((n, p))
    y = X[:, :n_true] @ rng.standard_normal(min(n_true, p)) + noise * rng.standard_normal(n)
    X = (X - X.mean(0)) / X.std(0)
    return X, (y - y.mean()) / y.std()


def moments(X, y, shrinkage=0.0):
    n, p = X.shape
    return (1 - shrinkage) * X.T @ X / n + shrinkage * np.eye(p), X.T @ y / n


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n", "p"), [(100, 30), (30, 80), (60, 60)])
def test_agrees_with_scikit_learn_lars(n, p, seed):
    from sklearn.linear_model import lars_path_gram

    X, y = standardised(n, p, seed)
    gram, cross = moments(X, y)
    penalties = np.geomspace(0.8, 0.05, 12)
    path = ni.solvers.lasso_path(gram, cross, penalties)
    alphas, _, coefs = lars_path_gram(cross, gram, n_samples=1, method="lasso", alpha_min=0.05)
    expected = np.array([[np.interp(lam, alphas[::-1], c[::-1]) for c in coefs] for lam in penalties])
    # Two exact algorithms: only rounding of the interpolation separates them.
    np.testing.assert_allclose(path.coef, expected, atol=1e-9)
    # LARS lists the same breakpoints; a regulator's first non-zero coefficient comes just after it enters.
    for j in range(p):
        active = np.flatnonzero(coefs[j])
        if active.size:
            assert path.entered_at[j] == pytest.approx(alphas[active[0] - 1], abs=1e-9)


@pytest.mark.parametrize("shrinkage", [0.0, 0.5])
def test_agrees_with_skglm(shrinkage):
    skglm = pytest.importorskip("skglm")
    n, p = 80, 40
    X, y = standardised(n, p, 3)
    gram, cross = moments(X, y, shrinkage)
    penalty = 0.1
    path = ni.solvers.lasso_path(gram, cross, [penalty], target_variance=1 / (1 - shrinkage))
    # The shrunk problem is a Lasso on rows stacked with sqrt(s n) I, response scaled by 1 / sqrt(1 - s).
    stacked = np.vstack([np.sqrt(1 - shrinkage) * X, np.sqrt(shrinkage * n) * np.eye(p)])
    response = np.append(y / np.sqrt(1 - shrinkage), np.zeros(p))
    rows = len(stacked)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # skglm's own compile-time warnings
        peer = skglm.Lasso(alpha=penalty * n / rows, fit_intercept=False, tol=1e-12).fit(stacked, response)
    np.testing.assert_allclose(path.coef[0], peer.coef_, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(3, 40),
    p=st.integers(1, 30),
    shrinkage=st.sampled_from([0.0, 0.1, 0.5, 0.9]),
    seed=st.integers(0, 2**32 - 1),
    n_duplicates=st.integers(0, 5),
)
def test_every_point_is_certified(n, p, shrinkage, seed, n_duplicates):
    X, y = standardised(n, p, seed, n_true=min(3, p))
    X = np.hstack([X, -X[:, :n_duplicates]])
    gram, cross = moments(X, y, shrinkage)
    path = ni.solvers.lasso_path(gram, cross, np.geomspace(0.99, 0.001, 15), target_variance=1 / (1 - shrinkage))
    assert path.converged.all()
    assert (path.duality_gap >= 0).all()
    assert path.duality_gap.max() <= GAP
    assert path.kkt_violation.max() <= KKT


def support_of(path):
    active = set()
    for event in path.breakpoints:
        (active.add if event["change"] > 0 else active.discard)(int(event["regulator"]))
    return active


@pytest.mark.parametrize("noise", [1e-2, 1e-4, 1e-5, 1e-6, 3e-7, 1e-7, 3e-8, 1e-8, 1e-9])
def test_nearly_equal_regulators_are_certified_and_the_breakpoints_tell_the_path(noise):
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((30, 20))
        X[:, 10:] = X[:, :10] + noise * rng.standard_normal((30, 10))
        y = X[:, :10] @ rng.standard_normal(10) + rng.standard_normal(30)
        X, y = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()
        path = ni.solvers.lasso_path(*moments(X, y), np.append(np.geomspace(0.99, 0.1, 8), 0.05))
        assert path.converged.all()
        assert path.duality_gap.max() <= GAP
        assert support_of(path) == set(np.flatnonzero(path.coef[-1]))


def test_an_unpenalised_regulator_that_is_left_out_is_not_certified():
    from netinfer.solvers.certificate import relative_duality_gap

    cross, coef = np.array([0.8, 0.1]), np.zeros(2)
    arguments = (0.5, np.array([0.0, 1.0]), np.zeros(2, bool), 1.0)
    assert relative_duality_gap(np.ones(2), cross, coef, cross, *arguments) == np.inf
    coef[0] = 0.8
    assert relative_duality_gap(np.ones(2), cross, coef, cross - coef, *arguments) < 1e-12


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_an_unpenalised_regulator_is_certified_in_any_unit(scale):
    from netinfer.solvers.certificate import relative_duality_gap

    X, y = standardised(40, 5, 0)
    units = np.array([scale, scale, 1.0, 1.0, 1.0])
    gram, cross = moments(X * units, y)
    weights = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    path = ni.solvers.lasso_path(gram, cross, [0.05], penalty_weights=weights)
    plain = ni.solvers.lasso_path(*moments(X, y), [0.05], penalty_weights=weights)
    assert path.converged.all()
    np.testing.assert_allclose(path.coef * units, plain.coef, atol=1e-10)
    # A thousandth of one of them missing shows, however small the unit: in units of q it is 1e-11 for the small one.
    coef = path.coef[0].copy()
    coef[0] *= 0.999
    rest = (gram.diagonal(), cross, coef, cross - gram @ coef, 0.05, weights, np.zeros(5, bool), 1.0)
    assert relative_duality_gap(*rest) == np.inf


@pytest.mark.parametrize("target", [0.09, 0.3, 0.7, 0.9])
def test_a_fit_that_leaves_nothing_but_rounding_is_certified(target):
    path = ni.solvers.lasso_path([[1.0]], [target], [1e-8 * target], target_variance=target**2)
    assert path.converged.all()


def test_the_gap_matches_its_formula():
    n, p, s = 50, 12, 0.3
    X, y = standardised(n, p, 1)
    gram, cross = moments(X, y, s)
    variance, penalty = 1 / (1 - s), 0.2
    beta = np.random.default_rng(0).standard_normal(p) * 0.1  # far from optimal
    from netinfer.solvers.certificate import relative_duality_gap

    stacked = np.vstack([np.sqrt(1 - s) * X, np.sqrt(s * n) * np.eye(p)]) / np.sqrt(n)
    response = np.append(y / np.sqrt(1 - s), np.zeros(p)) / np.sqrt(n)
    residual = response - stacked @ beta
    primal = 0.5 * residual @ residual + penalty * np.abs(beta).sum()
    scale = min(residual @ response / (residual @ residual), penalty / np.abs(stacked.T @ residual).max())
    dual = 0.5 * response @ response - 0.5 * np.sum((response - scale * residual) ** 2)
    rest = (cross - gram @ beta, penalty, np.ones(p), np.zeros(p, bool), variance)
    got = relative_duality_gap(gram.diagonal(), cross, beta, *rest)
    assert got == pytest.approx((primal - dual) / (0.5 * variance), rel=1e-10)
    assert got > 0.01


def test_closed_form_on_an_orthogonal_design():
    cross = np.array([0.9, -0.6, 0.3, 0.0])
    path = ni.solvers.lasso_path(np.eye(4), cross, [0.8, 0.5, 0.2], target_variance=2.0)
    expected = np.sign(cross) * np.maximum(np.abs(cross) - np.array([[0.8], [0.5], [0.2]]), 0)
    np.testing.assert_allclose(path.coef, expected, atol=1e-15)
    np.testing.assert_allclose(path.entered_at, [0.9, 0.6, 0.3, 0.0], atol=1e-15)
    assert path.largest_penalty == 0.9


def test_largest_penalty_gives_exactly_zero():
    X, y = standardised(40, 10, 0)
    gram, cross = moments(X, y)
    largest = np.abs(cross).max()
    path = ni.solvers.lasso_path(gram, cross, [largest * 1.5, largest, largest * 0.999])
    assert (path.coef[:2] == 0).all()
    assert (path.coef[2] != 0).sum() == 1
    assert path.largest_penalty == largest


def test_duplicates_ties_and_fewer_samples_than_regulators():
    X, y = standardised(20, 30, 4)
    X = np.hstack([X, X, -X])
    path = ni.solvers.lasso_path(*moments(X, y), np.geomspace(0.9, 1e-6, 40))
    assert path.converged.all()
    assert path.kkt_violation.max() <= KKT
    # The documented tie rule: of exact duplicates one takes the whole coefficient.
    assert ((path.coef.reshape(40, 3, 30) != 0).sum(axis=1) <= 1).all()
    assert (path.coef[-1] != 0).sum() >= 15


def test_shrinkage_shares_between_duplicates():
    X, y = standardised(40, 6, 5)
    strongest = int(np.abs(X.T @ y).argmax())
    X = np.hstack([X, X[:, [strongest]]])
    path = ni.solvers.lasso_path(*moments(X, y, 0.5), [0.3, 0.1], target_variance=2.0)
    np.testing.assert_allclose(path.coef[:, strongest], path.coef[:, 6], atol=1e-12)
    assert path.coef[1, 6] != 0


def test_regulators_in_another_order_and_with_other_signs():
    X, y = standardised(50, 20, 6)
    gram, cross = moments(X, y)
    penalties = np.geomspace(0.8, 0.05, 10)
    path = ni.solvers.lasso_path(gram, cross, penalties)
    rng = np.random.default_rng(0)
    order, sign = rng.permutation(20), rng.choice([-1.0, 1.0], 20)
    other = ni.solvers.lasso_path(*moments(X[:, order] * sign, y), penalties)
    np.testing.assert_allclose(other.coef * sign, path.coef[:, order], atol=1e-10)


def test_a_warm_grid_gives_what_a_single_penalty_gives():
    X, y = standardised(50, 40, 7)
    gram, cross = moments(X, y)
    penalties = np.geomspace(0.8, 0.03, 20)
    path = ni.solvers.lasso_path(gram, cross, penalties)
    for k in (3, 10, 19):
        alone = ni.solvers.lasso_path(gram, cross, penalties[k : k + 1])
        np.testing.assert_allclose(alone.coef[0], path.coef[k], atol=1e-11)


def test_weights_scale_free_and_forbidden():
    X, y = standardised(60, 8, 8)
    gram, cross = moments(X, y)
    weights = np.array([1, 2, 0.5, 0, np.inf, 1, 1, 1.0])
    path = ni.solvers.lasso_path(gram, cross, np.geomspace(0.5, 0.02, 8), penalty_weights=weights)
    assert path.kkt_violation.max() <= KKT
    assert path.duality_gap.max() <= GAP
    assert (path.coef[:, 4] == 0).all()
    assert (path.coef[:, 3] != 0).all()
    assert path.entered_at[3] == np.inf
    # Scaling a predictor by s equals dividing its penalty by s.
    scale = np.array([1, 0.5, 2, 1, 1, 1, 1, 1.0])
    scaled = ni.solvers.lasso_path(
        gram * np.outer(scale, scale), cross * scale, path.penalties, penalty_weights=weights * scale
    )
    np.testing.assert_allclose(scaled.coef * scale, path.coef, atol=1e-11)


def test_breakpoints_are_where_coefficients_start_and_stop():
    X, y = standardised(40, 25, 9)
    gram, cross = moments(X, y)
    path = ni.solvers.lasso_path(gram, cross, [0.01])
    assert (np.diff(path.breakpoints["penalty"]) <= 0).all()
    first = path.breakpoints[3]
    around = ni.solvers.lasso_path(gram, cross, [first["penalty"] * (1 + 1e-9), first["penalty"] * (1 - 1e-6)])
    assert around.coef[0, first["regulator"]] == 0
    assert around.coef[1, first["regulator"]] != 0


def test_coordinate_descent_alone_reaches_the_same_solution():
    from netinfer.solvers.coordinate_descent import descend

    X, y = standardised(30, 50, 10)
    gram, cross = moments(X, y)
    exact = ni.solvers.lasso_path(gram, cross, [0.1])
    coef, gradient = np.zeros(50), np.zeros(50)
    gap, sweeps = descend(gram, cross, 0.1, np.ones(50), np.zeros(50, bool), 1.0, 1e-12, 10**6, coef, gradient)
    assert gap <= 1e-12
    assert sweeps > 1
    np.testing.assert_allclose(coef, exact.coef[0], atol=1e-5)


def test_a_fit_that_cannot_be_certified_says_so(monkeypatch):
    from netinfer.solvers import path as module

    X, y = standardised(30, 60, 11)
    # With no steps and no sweeps allowed nothing can converge; the answer must carry its gap.
    original = module.follow

    def starved(gram, cross, variance, penalties, work, max_steps, tol, max_sweeps, *rest):
        return original(gram, cross, variance, penalties, work, 0, tol, 0, *rest)

    monkeypatch.setattr(module, "follow", starved)
    with pytest.warns(ConvergenceWarning, match="relative duality gap"):
        path = ni.solvers.lasso_path(*moments(X, y), [0.05])
    assert not path.converged[0]
    assert path.duality_gap[0] > GAP


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gram": np.ones((2, 3))}, "not square"),
        ({"gram": np.array([[1, 0.5], [0.1, 1]])}, "not symmetric"),
        ({"gram": np.array([[1, 0], [0, 0.0]])}, "entry 1 is not positive"),
        ({"gram": np.array([[1, np.nan], [np.nan, 1]])}, "NaN"),
        ({"cross": np.array([0.1, 0.2, 0.3])}, "does not fit"),
        ({"cross": np.array([0.1, 1.5])}, "exceeds"),
        ({"cross": np.array([0.9, 0.9])}, "not jointly positive semidefinite"),
        ({"gram": np.array([[1.0, 2.0], [2.0, 1.0]])}, "smallest eigenvalue, scaled to a unit diagonal, is -1:"),
        ({"penalties": [0.1, 0.2]}, "decreasing"),
        ({"penalties": [0.1, 0.0]}, "positive"),
        ({"penalties": [-0.1]}, "positive"),
        ({"penalties": []}, "at least one"),
        ({"penalties": [np.inf]}, "infinite"),
        ({"target_variance": 0.0}, "not positive"),
        ({"penalty_weights": [1.0]}, "penalty_weights"),
        ({"penalty_weights": [-1.0, 1.0]}, "penalty_weights"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    arguments = {"gram": np.eye(2), "cross": np.array([0.5, 0.2]), "penalties": [0.3], **change}
    with pytest.raises(InputError, match=message):
        ni.solvers.lasso_path(**arguments)


def test_the_gradient_is_judged_on_each_regulators_scale():
    import dataclasses

    from netinfer.solvers.path import by_homotopy, solved_path
    from netinfer.solvers.problem import MomentProblem

    units = np.array([1e7, 1.0, 1.0])
    X, y = standardised(40, 3, 0, n_true=3)
    gram, cross = moments(X * units, y)
    problem = MomentProblem(gram, cross, units, 1.0, 0.0, by_homotopy, by_homotopy)
    path = solved_path(problem, np.array([0.05]))
    assert path.converged.all()

    def off(problem, penalties):
        # A hundred-thousandth of a small regulator missing: 1e-5 of its scale, 1e-12 of the large one's.
        found = by_homotopy(problem, penalties)
        found.coef[0, 2] *= 1 - 1e-5
        violation = np.abs(cross - gram @ found.coef[0] - 0.05 * units * np.sign(found.coef[0])).max()
        return found._replace(kkt_violation=np.array([violation]), duality_gap=np.zeros(1))

    assert (path.coef[0] != 0).all()
    assert not solved_path(dataclasses.replace(problem, solver=off), np.array([0.05])).converged.any()


def test_breakpoints_beyond_the_room_for_them_are_followed_again(monkeypatch):
    from netinfer.solvers import path as module

    X, y = standardised(60, 30, 2)
    gram, cross = moments(X, y)
    expected = ni.solvers.lasso_path(gram, cross, [0.01]).breakpoints
    original, rooms = module.follow, []

    def counted(*arguments):
        rooms.append(len(arguments[8]))
        return original(*arguments)

    monkeypatch.setattr(module, "follow", counted)
    monkeypatch.setattr(module, "ROOM", 0.04)  # one for 30 regulators
    path = ni.solvers.lasso_path(gram, cross, [0.01])
    assert rooms == [1, len(expected)]
    np.testing.assert_array_equal(path.breakpoints, expected)
