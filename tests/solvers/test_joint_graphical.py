"""The joint graphical Lasso: its certificate, its answers beside others', genes that a condition lacks, bad input."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers import graphical_lasso, joint_graphical_lasso
from netinfer.solvers.anderson import Anderson
from netinfer.solvers.joint_graphical_kernel import gauge, penalty_of, shrink_pairs

KINDS = ["group", "fused"]
TIGHT = 1e-10


def covariance_of(X):
    X = X - X.mean(axis=0)
    S = X.T @ X / len(X)
    return (S + S.T) / 2


def factors(rng, n, p):
    return rng.standard_normal((n, 3)) @ rng.standard_normal((3, p)) + rng.standard_normal((n, p))


def modules(rng, n, sizes):
    return np.hstack([rng.standard_normal((n, 1)) * rng.uniform(1, 2, m) + rng.standard_normal((n, m)) for m in sizes])


def duplicates(rng):
    X = rng.standard_normal((30, 6))
    return np.hstack([X, X[:, :3], -X[:, 3:5]])


FAMILIES = {
    "factors": lambda rng: factors(rng, 60, 12),
    "p > n": lambda rng: factors(rng, 8, 14),
    "duplicates": duplicates,
    "modules": lambda rng: modules(rng, 50, [4, 1, 3, 5]),
    "scales": lambda rng: factors(rng, 60, 10) * np.geomspace(0.1, 10, 10),
}


def conditions(family, n_conditions):
    rng = np.random.default_rng([list(FAMILIES).index(family), n_conditions])
    return [covariance_of(FAMILIES[family](rng)) for _ in range(n_conditions)]


def largest(Ss):
    return max(np.abs(S - np.diag(S.diagonal())).max() for S in Ss)


def pairs_of(result, matrices):
    """Each pair's values in the conditions that have both of its variables."""
    stack = np.full((len(matrices), len(result.names), len(result.names)), np.nan)
    for k, (place, matrix) in enumerate(zip(result.places, matrices, strict=True)):
        stack[k][np.ix_(place, place)] = matrix
    for i, j in itertools.combinations(range(len(result.names)), 2):
        values = stack[:, i, j]
        if np.isfinite(values).any():
            yield values[np.isfinite(values)]


def phi(x, a, b, kind):
    """A pair's penalty, by its definition."""
    if kind == "group":
        return a * np.abs(x).sum() + b * math.sqrt((x**2).sum())
    return a * np.abs(x).sum() + b * sum(abs(u - v) for u, v in itertools.combinations(x, 2))


def is_in_ball(v, a, b, kind, slack):
    """Whether v'x <= phi(x) for all x: for the fused penalty enough to look at the indicators of all sets."""
    if kind == "group":
        return np.linalg.norm(np.maximum(np.abs(v) - a, 0.0)) <= b + slack
    sets = itertools.product([0.0, 1.0], repeat=len(v))
    return all(abs(v @ x) <= phi(x, a, b, kind) + slack for x in map(np.array, sets))


def objective(Ss, result, penalty, coupling, kind, weights):
    total = 0.0
    for S, T, n in zip(Ss, result.precisions, weights, strict=True):
        sign, logdet = np.linalg.slogdet(T)
        assert sign > 0
        total += n * ((S * T).sum() - logdet)
    return total + 2 * sum(phi(x, penalty, coupling, kind) for x in pairs_of(result, result.precisions))


def check_certificate(Ss, result, penalty, coupling, kind, tol, weights=None):
    """Everything that a result promises, from its matrices alone."""
    weights = np.ones(len(Ss)) if weights is None else np.asarray(weights)
    Vs = []
    for S, T, W, n in zip(Ss, result.precisions, result.covariances, weights, strict=True):
        root = np.sqrt(S.diagonal())
        np.testing.assert_array_equal(T, T.T)
        assert np.linalg.eigvalsh(T * np.outer(root, root))[0] > 0
        assert np.linalg.eigvalsh(W / np.outer(root, root))[0] > 0
        np.testing.assert_allclose(W.diagonal(), S.diagonal(), rtol=1e-12)
        Vs.append(n * (W - S))
    # Rounding of n S + V, with room for the squares of 100.
    slack = 1e-12 * max(n * S.diagonal().max() for S, n in zip(Ss, weights, strict=True))
    for v in pairs_of(result, Vs):
        assert is_in_ball(v, penalty, coupling, kind, slack)
    bound = sum(n * (np.linalg.slogdet(W)[1] + len(W)) for W, n in zip(result.covariances, weights, strict=True))
    size = sum(n * len(S) for S, n in zip(Ss, weights, strict=True))
    # Determinants of tens of terms agree to this.
    assert result.objective == pytest.approx(objective(Ss, result, penalty, coupling, kind, weights), abs=1e-9 * size)
    assert result.lower_bound == pytest.approx(bound, abs=1e-9 * size)
    assert result.duality_gap >= 0
    assert result.converged
    assert result.status == "converged"
    assert result.duality_gap <= tol * size


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("n_conditions", [2, 3])
@pytest.mark.parametrize(("share", "coupling"), [(0.5, 0.5), (0.1, 0.02), (0.05, 0.3)])
def test_certificate(kind, family, n_conditions, share, coupling):
    Ss = conditions(family, n_conditions)
    a, b = share * largest(Ss), coupling * largest(Ss)
    result = joint_graphical_lasso(Ss, a, b, kind=kind, tol=1e-7)
    check_certificate(Ss, result, a, b, kind, 1e-7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("coupling", [1e-3, 0.1])
def test_coupling_alone(kind, coupling):
    """Without a penalty of its own the fused ball is flat; the covariances are definite, so that a best exists."""
    Ss = conditions("factors", 3)
    result = joint_graphical_lasso(Ss, 0.0, coupling, kind=kind, tol=1e-8)
    check_certificate(Ss, result, 0.0, coupling, kind, 1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_variances_that_differ_between_conditions(kind):
    """A gene's variance is up to 10,000 times as large in one condition: no common unit fits both."""
    (S,) = conditions("factors", 1)
    size = np.geomspace(1, 100, len(S))
    Ss = [S, S * np.outer(size, size)]
    result = joint_graphical_lasso(Ss, 0.1, 0.1, kind=kind)
    check_certificate(Ss, result, 0.1, 0.1, kind, 1e-6)


def test_random_problems():
    """Small penalties, few samples, two to four conditions with their own genes and weights: all within the limit."""
    rng = np.random.default_rng(5)
    for draw in range(24):
        n_conditions, p = int(rng.integers(2, 5)), int(rng.integers(3, 12))
        names = [[0, *(1 + rng.choice(p - 1, rng.integers(1, p), replace=False))] for _ in range(n_conditions)]
        Ss = [covariance_of(factors(rng, int(rng.integers(4, 40)), len(of))) for of in names]
        a, b = largest(Ss) * 10 ** rng.uniform(-2.5, 0), largest(Ss) * 10 ** rng.uniform(-3, 0.5)
        kind, weights = KINDS[draw % 2], rng.uniform(0.2, 5, n_conditions)
        result = joint_graphical_lasso(Ss, a, b, kind=kind, weights=weights, names=names, tol=1e-7)
        check_certificate(Ss, result, a, b, kind, 1e-7, weights)


# GGLasso 0.3.1, ADMM_MGL(S, penalty, coupling, "GGL" or "FGL", tol=1e-12, rtol=1e-12) on `made_up` below; its fused
# penalty couples neighbours only, which is the same for two conditions.
GGLASSO = [
    ("group", 3, 0.1, 0.05, 18.0354143066484),
    ("group", 3, 0.02, 0.1, 16.83319886828239),
    ("fused", 2, 0.1, 0.05, 11.622926315985707),
    ("fused", 2, 0.02, 0.1, 10.785779836467537),
]


def made_up(k, p=8, n=12):
    """A covariance of whole numbers that look random, the same on every machine."""
    values = [[((7 * i * i + j * j * (3 + k) + i * j * (5 + 2 * k) + k) % 11) - 5 for j in range(p)] for i in range(n)]
    return covariance_of(np.array(values, float)) / 10


@pytest.mark.parametrize(("kind", "n_conditions", "penalty", "coupling", "theirs"), GGLASSO)
def test_agrees_with_gglasso(kind, n_conditions, penalty, coupling, theirs):
    Ss = [made_up(k) for k in range(n_conditions)]
    ours = joint_graphical_lasso(Ss, penalty, coupling, kind=kind, tol=TIGHT)
    # Our gap is up to 24 variables times 1e-10, theirs is not told.
    assert ours.objective == pytest.approx(theirs, abs=1e-8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("m", [1, 2, 3, 5])
@pytest.mark.parametrize(("a", "b"), [(0.3, 0.2), (0.0, 0.4), (0.5, 0.0), (0.1, 3.0)])
def test_proximal_point_is_exact(kind, m, a, b):
    """What x leaves of v is a subgradient at x: within the dual ball, and phi(x) is its product with x."""
    rng = np.random.default_rng(m)
    for draw in range(20):
        v = rng.standard_normal(m)
        if draw % 4 == 0:
            v = np.round(v)  # ties and zeros
        stack = np.zeros((m, 2, 2))
        stack[:, 0, 1] = stack[:, 1, 0] = v
        present, out = np.ones((m, 2), bool), np.zeros_like(stack)
        shrink_pairs(stack, present, np.ones(2), a, b, kind == "fused", out)
        x = out[:, 0, 1]
        np.testing.assert_array_equal(x, out[:, 1, 0])
        assert is_in_ball(v - x, a, b, kind, 1e-12)
        assert (v - x) @ x == pytest.approx(phi(x, a, b, kind), abs=1e-12)
        value = penalty_of(out, present, np.ones(2), a, b, kind == "fused")
        assert value == pytest.approx(2 * phi(x, a, b, kind), abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("m", [1, 2, 3, 5])
@pytest.mark.parametrize(("a", "b"), [(0.3, 0.2), (0.5, 0.0), (0.1, 3.0), (1.0, 1.0)])
def test_gauge_is_the_edge_of_the_ball(kind, m, a, b):
    rng = np.random.default_rng(m)
    for draw in range(20):
        v = np.round(rng.standard_normal(m)) if draw % 4 == 0 else rng.standard_normal(m)
        s = gauge(v.copy(), m, a, b, kind == "fused")
        if not v.any():
            assert s == 0.0
            continue
        assert is_in_ball(v / s, a, b, kind, 1e-13 * m * m * b + 1e-14)  # what its rounding may leave outside
        assert not is_in_ball(v / (s * (1 - 1e-6)), a, b, kind, 0.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_tiny_and_huge_units(kind, size):
    """A covariance in other units is the same problem: squares of its numbers would not be numbers."""
    Ss = conditions("factors", 2)
    a, b = 0.1 * largest(Ss), 0.05 * largest(Ss)
    plain = joint_graphical_lasso(Ss, a, b, kind=kind, tol=1e-9)
    other = joint_graphical_lasso([S * size for S in Ss], a * size, b * size, kind=kind, tol=1e-9)
    shift = 2 * len(Ss[0]) * math.log(size)
    # Two gaps of 24 variables, and the rounding of the shift, 1e4.
    assert other.objective - shift == pytest.approx(plain.objective, abs=1e-7)
    apart = joint_graphical_lasso(Ss, 1e200, 1e200, kind=kind)
    assert apart.n_iterations == 0
    assert len(set(apart.components)) == len(Ss[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", ["factors", "p > n", "scales"])
def test_no_coupling_is_the_separate_graphical_lasso(kind, family):
    Ss = conditions(family, 3)
    penalty, weights = 0.1 * largest(Ss), [1.0, 2.0, 0.5]
    result = joint_graphical_lasso(Ss, penalty, 0.0, kind=kind, weights=weights, tol=TIGHT)
    total = 0.0
    for S, T, n in zip(Ss, result.precisions, weights, strict=True):
        alone = graphical_lasso(S, penalty / n, tol=TIGHT)
        total += n * alone.objective
        # A gap g leaves T off by about the root of g times T's size.
        np.testing.assert_allclose(T, alone.precision, atol=1e-3 * np.abs(T).max())
    assert result.objective == pytest.approx(total, abs=2 * TIGHT * 3.5 * len(Ss[0]))


@pytest.mark.parametrize("kind", KINDS)
def test_one_condition(kind):
    (S,) = conditions("factors", 1)
    a, b = 0.2 * largest([S]), 0.1 * largest([S])
    alone = graphical_lasso(S, a + (b if kind == "group" else 0.0), tol=TIGHT)
    joint = joint_graphical_lasso([S], a, b, kind=kind, tol=TIGHT)
    assert joint.objective == pytest.approx(alone.objective, abs=2 * TIGHT * len(S))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("a", "b"), [(1.0, 0.0), (0.4, 2.0)])
def test_large_penalties_leave_the_diagonals(kind, a, b):
    Ss = conditions("factors", 3)
    Ss = [S / np.sqrt(np.outer(S.diagonal(), S.diagonal())) for S in Ss]
    if kind == "fused" and b:
        a = max(np.abs(sum(Ss) - 3 * np.eye(len(Ss[0]))).max() / 3, 0.4)  # fused, all conditions are as their mean
    result = joint_graphical_lasso(Ss, a, b, kind=kind)
    for S, T in zip(Ss, result.precisions, strict=True):
        np.testing.assert_allclose(T, np.diag(1 / S.diagonal()), rtol=1e-14)
    assert result.n_iterations == 0
    assert result.duality_gap == 0
    assert len(set(result.components)) == len(Ss[0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_split_leaves_no_edge_out(kind):
    """Just below the strength at which the first pair is tied, that pair is an edge; just above, none is."""
    Ss = conditions("factors", 3)
    p = len(Ss[0])
    most = 0.0
    for i, j in itertools.combinations(range(p), 2):
        v = np.array([S[i, j] for S in Ss])
        most = max(most, gauge(v, 3, 1.0, 0.3, kind == "fused"))
    assert joint_graphical_lasso(Ss, 1.001 * most, 0.3003 * most, kind=kind).n_iterations == 0
    below = joint_graphical_lasso(Ss, 0.98 * most, 0.294 * most, kind=kind, tol=1e-9)
    assert any(np.count_nonzero(T) > p for T in below.precisions)
    assert len(set(below.components)) < p


@pytest.mark.parametrize("kind", KINDS)
def test_equal_covariances_give_equal_precisions(kind):
    (S,) = conditions("factors", 1)
    a, b = 0.1 * largest([S]), 0.1 * largest([S])
    result = joint_graphical_lasso([S, S], a, b, kind=kind, tol=TIGHT)
    np.testing.assert_array_equal(result.precisions[0], result.precisions[1])
    # Of two equal values, |T| each, the group's norm is the root of 2, shared by two; the fused coupling is 0.
    alone = graphical_lasso(S, a + (b / math.sqrt(2) if kind == "group" else 0.0), tol=TIGHT)
    assert result.objective == pytest.approx(2 * alone.objective, abs=4 * TIGHT * len(S))


def test_strong_fusion_is_the_graphical_lasso_of_the_mean():
    Ss = conditions("modules", 3)
    weights = np.array([1.0, 2.0, 3.0])
    scaled = [S / np.sqrt(np.outer(S.diagonal(), S.diagonal())) for S in Ss]
    result = joint_graphical_lasso(scaled, 0.6, 100.0, kind="fused", weights=weights, tol=TIGHT)
    mean = sum(n * S for n, S in zip(weights, scaled, strict=True)) / weights.sum()
    alone = graphical_lasso(mean, 3 * 0.6 / weights.sum(), tol=TIGHT)
    assert result.objective == pytest.approx(weights.sum() * alone.objective, abs=4 * TIGHT * 6 * len(mean))
    off = ~np.eye(len(mean), dtype=bool)
    # Pooled values are one value, to the last bit; the diagonals are not fused.
    np.testing.assert_array_equal(result.precisions[0][off], result.precisions[1][off])
    np.testing.assert_array_equal(result.precisions[0][off], result.precisions[2][off])


@pytest.mark.parametrize("kind", KINDS)
def test_order_of_variables_and_of_conditions_does_not_matter(kind):
    Ss = conditions("modules", 3)
    a, b, weights = 0.1 * largest(Ss), 0.05 * largest(Ss), np.array([1.0, 3.0, 2.0])
    order, turn = np.random.default_rng(0).permutation(len(Ss[0])), [2, 0, 1]
    plain = joint_graphical_lasso(Ss, a, b, kind=kind, weights=weights, tol=1e-12)
    turned = joint_graphical_lasso(
        [Ss[k][np.ix_(order, order)] for k in turn], a, b, kind=kind, weights=weights[turn], tol=1e-12
    )
    for k, T in zip(turn, turned.precisions, strict=True):
        # The root of a gap of 1e-12 for 13 variables in 3 conditions, times the largest T.
        expected = plain.precisions[k][np.ix_(order, order)]
        np.testing.assert_allclose(T, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("kind", KINDS)
def test_weights_and_penalties_of_another_size(kind):
    Ss = conditions("factors", 2)
    a, b = 0.1 * largest(Ss), 0.05 * largest(Ss)
    one = joint_graphical_lasso(Ss, a, b, kind=kind, weights=[1.0, 2.0])
    many = joint_graphical_lasso(Ss, 64 * a, 64 * b, kind=kind, weights=[64.0, 128.0])
    check_certificate(Ss, many, 64 * a, 64 * b, kind, 1e-6, [64.0, 128.0])
    assert many.objective == 64 * one.objective  # a power of two rounds nothing
    np.testing.assert_array_equal(one.precisions[1], many.precisions[1])


def with_lacking_genes(n_conditions=3):
    rng = np.random.default_rng(7)
    names = [list("abcdefgh"), list("hgfaxy"), list("bcdxz")][:n_conditions]
    return [covariance_of(factors(rng, 40, len(of))) for of in names], names


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frames", [False, True])
def test_conditions_with_their_own_genes(kind, frames):
    Ss, names = with_lacking_genes()
    a, b, weights = 0.1 * largest(Ss), 0.1 * largest(Ss), [1.0, 2.0, 1.5]
    if frames:
        given = [pd.DataFrame(S, index=of, columns=of) for S, of in zip(Ss, names, strict=True)]
        result = joint_graphical_lasso(given, a, b, kind=kind, weights=weights, tol=1e-8)
    else:
        result = joint_graphical_lasso(Ss, a, b, kind=kind, weights=weights, names=names, tol=1e-8)
    assert result.names == tuple("abcdefghxyz")
    assert [T.shape for T in result.precisions] == [S.shape for S in Ss]
    assert [[result.names[g] for g in place] for place in result.places] == names
    check_certificate(Ss, result, a, b, kind, 1e-8, weights)


def test_a_pair_of_one_condition_is_not_coupled():
    """Two conditions with one common gene have no common pair: fused, they are as if alone."""
    rng = np.random.default_rng(3)
    Ss = [covariance_of(factors(rng, 40, 5)) for _ in range(2)]
    names = [list("abcde"), list("efghi")]
    a = 0.1 * largest(Ss)
    result = joint_graphical_lasso(Ss, a, 10 * a, kind="fused", names=names, tol=TIGHT)
    alone = sum(graphical_lasso(S, a, tol=TIGHT).objective for S in Ss)
    assert result.objective == pytest.approx(alone, abs=4 * TIGHT * 10)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_do_not_change_a_bit(kind):
    Ss = conditions("modules", 3)
    a, b = 0.4 * largest(Ss), 0.1 * largest(Ss)
    one, two = (joint_graphical_lasso(Ss, a, b, kind=kind, threads=threads) for threads in (1, 2))
    assert (np.bincount(one.components) > 1).sum() > 1  # else there is nothing to share out
    assert one.objective == two.objective
    assert one.duality_gap == two.duality_gap
    for k in range(3):
        np.testing.assert_array_equal(one.precisions[k], two.precisions[k])
        np.testing.assert_array_equal(one.covariances[k], two.covariances[k])


@pytest.mark.parametrize("kind", KINDS)
def test_warm_start(kind):
    Ss, names = with_lacking_genes()
    a, b = 0.1 * largest(Ss), 0.05 * largest(Ss)
    before = joint_graphical_lasso(Ss, 1.5 * a, 1.5 * b, kind=kind, names=names)
    warm = joint_graphical_lasso(Ss, a, b, kind=kind, names=names, tol=TIGHT, start=before)
    cold = joint_graphical_lasso(Ss, a, b, kind=kind, names=names, tol=TIGHT)
    check_certificate(Ss, warm, a, b, kind, TIGHT)
    assert warm.objective == pytest.approx(cold.objective, abs=TIGHT * 19)
    again = joint_graphical_lasso(Ss, a, b, kind=kind, names=names, tol=TIGHT, start=cold)
    assert again.n_iterations == 0
    with pytest.raises(InputError, match="start: a solution for conditions with other variables"):
        joint_graphical_lasso(Ss[:2], a, b, names=names[:2], start=before)


@pytest.mark.parametrize("kind", KINDS)
def test_too_few_iterations_give_a_certified_point_and_a_warning(kind):
    Ss = conditions("p > n", 2)
    a, b = 0.05 * largest(Ss), 0.05 * largest(Ss)
    with pytest.warns(ConvergenceWarning, match=r"after 2 iterations is above tol 1e-06 \(max_iterations\)"):
        rough = joint_graphical_lasso(Ss, a, b, kind=kind, max_iterations=2)
    assert not rough.converged
    assert rough.status == "max_iterations"
    best = joint_graphical_lasso(Ss, a, b, kind=kind, tol=TIGHT)
    assert rough.lower_bound <= best.objective
    assert best.lower_bound <= rough.objective
    assert rough.objective == pytest.approx(objective(Ss, rough, a, b, kind, [1.0, 1.0]), abs=1e-9)


def test_anderson_solves_a_linear_iteration_in_as_many_jumps_as_it_has_dimensions():
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    step_of = lambda x: 0.98 * (turn @ x) + 1.0 - x  # noqa: E731
    point, history = np.zeros(4), Anderson(6)
    for _ in range(8):  # 2 plain steps, then one jump a dimension, and one for rounding
        point = history.next_point(point, step_of(point))
    # Plain steps leave 0.98 to the 8th of the first; the ridge of 1e-12 leaves about its root.
    assert np.linalg.norm(step_of(point)) < 1e-5


S2 = np.array([[1.0, 0.5], [0.5, 1.0]])
ONES = np.ones((2, 2))


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ([], {}, "covariances: give a list"),
        ([S2, [[1.0, 0.5], [0.4, 1.0]]], {}, "condition 2: covariance: not symmetric"),
        ([S2, [[1.0, 2.0], [2.0, 1.0]]], {}, "condition 2: covariance: not positive semidefinite"),
        ([S2, np.eye(3)], {}, r"names: the conditions have \[2, 3\] variables"),
        ([S2, S2], {"names": [["a", "b"]]}, "names: 1 lists for 2 conditions"),
        ([S2, S2], {"names": [["a", "b"], ["a"]]}, "names: condition 2 has 1 names for 2 variables"),
        ([S2, S2], {"names": [["a", "b"], ["a", "a"]]}, "names: 'a' is twice in condition 2"),
        ([S2, S2, S2], {"names": ["ab", "bc", "xy"]}, "condition 3 has no variable in common"),
        ([pd.DataFrame(S2, columns=["a", "b"]), S2], {}, "names: condition 2 has no names"),
        ([S2, S2], {"kind": "both"}, "kind: 'both' is not one of group, fused"),
        ([S2, S2], {"penalty": -1.0}, "penalty: -1 is not a finite number >= 0"),
        ([S2, S2], {"coupling": np.inf}, "coupling: inf is not a finite number >= 0"),
        ([S2, S2], {"weights": [1.0]}, r"weights: shape \(1,\) for 2 conditions"),
        ([S2, S2], {"weights": [1.0, 0.0]}, "weights: 0 for condition 2 is not a positive number"),
        ([S2, ONES], {"penalty": 0.0, "coupling": 0.0}, "penalty: too small: condition 2's covariance of 2 connected"),
        ([S2, S2], {"tol": 0.0}, "tol: 0 is not a positive number"),
        ([S2, S2], {"max_iterations": 0}, "max_iterations: 0 is less than 1"),
        ([S2, S2], {"threads": 0}, "threads: 0 is less than 1"),
    ],
)
def test_bad_input(given, options, message):
    with pytest.raises(InputError, match=message):
        joint_graphical_lasso(given, **{"penalty": 0.1, "coupling": 0.1, **options})
