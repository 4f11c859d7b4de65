"""The Graphical Lasso: its certificate, its answers beside scikit-learn's and R glasso's, and degenerate input."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers import graphical_lasso
from netinfer.solvers.graphical_component import solve_component

# What others can be compared to in objective: a gap per variable of 1e-9 leaves less than that for 100 variables.
AGREEMENT = 1e-6
TIGHT = 1e-10


def covariance_of(X):
    X = X - X.mean(axis=0)
    S = X.T @ X / len(X)
    return (S + S.T) / 2


def correlation_of(X):
    S = covariance_of(X)
    root = np.sqrt(S.diagonal())
    R = S / root / root[:, None]
    np.fill_diagonal(R, 1.0)
    return (R + R.T) / 2


def factors(rng, n, p, n_factors=3):
    return rng.standard_normal((n, n_factors)) @ rng.standard_normal((n_factors, p)) + rng.standard_normal((n, p))


def duplicates(rng):
    X = rng.standard_normal((60, 12))
    return np.hstack([X, X[:, :4], -X[:, 4:7]])


def near_singular(rng):
    X = rng.standard_normal((60, 12))
    return np.hstack([X, X[:, :6] + 1e-2 * rng.standard_normal((60, 6))])


FAMILIES = {
    "independent": lambda rng: rng.standard_normal((80, 20)),
    "factors": lambda rng: factors(rng, 80, 30),
    "p > n": lambda rng: factors(rng, 15, 40),
    "duplicates": duplicates,
    "near-singular": near_singular,
    "scales": lambda rng: factors(rng, 60, 15) * np.geomspace(1e-5, 1e5, 15),
}
SHARES = [0.9, 0.5, 0.2, 0.05]


def problem(family, share):
    """Return a covariance and a penalty: a share of the largest; of each pair's scale where the scales differ."""
    S = covariance_of(FAMILIES[family](np.random.default_rng(list(FAMILIES).index(family))))
    if family != "scales":
        return S, share * largest(S)
    root = np.sqrt(S.diagonal())
    L = share * largest(S / np.outer(root, root)) * np.outer(root, root)
    return S, (L + L.T) / 2


def largest(S):
    return np.abs(S - np.diag(S.diagonal())).max()


def pair_penalty(S, L, penalize_diagonal=False):
    L = np.broadcast_to(L, S.shape).astype(float)
    return L if penalize_diagonal else np.where(np.eye(len(S), dtype=bool), 0.0, L)


def objective(S, T, L, penalize_diagonal=False):
    L = pair_penalty(S, L, penalize_diagonal)
    sign, logdet = np.linalg.slogdet(T)
    assert sign > 0
    is_in = T != 0
    return -logdet + (S * T).sum() + (L[is_in] * np.abs(T[is_in])).sum()


def check_certificate(S, L, found, tol, penalize_diagonal=False):
    """Everything that a result promises, from its matrices alone."""
    T, W, p = found.precision, found.covariance, len(S)
    root = np.sqrt(S.diagonal())
    np.testing.assert_array_equal(T, T.T)
    np.testing.assert_array_equal(found.precision_sparse.toarray(), T)
    unit_T = T * np.outer(root, root)
    assert np.linalg.eigvalsh(unit_T)[0] > 0
    assert np.linalg.eigvalsh(W / np.outer(root, root))[0] > 0
    full = pair_penalty(S, L, penalize_diagonal)
    off = ~np.eye(p, dtype=bool)
    finite = np.isfinite(full) & off
    # Rounding of S +- L, in the units of the correlation.
    assert (np.abs(W - S)[finite] <= (full + 1e-12 * np.outer(root, root))[finite]).all()
    np.testing.assert_allclose(W.diagonal(), (S + np.diag(full.diagonal())).diagonal(), rtol=1e-12)
    assert not T[~np.isfinite(full)].any()
    value = objective(S, T, L, penalize_diagonal)
    bound = np.linalg.slogdet(W)[1] + p
    # Determinants of hundreds of terms agree to this.
    assert found.objective == pytest.approx(value, abs=1e-9 * p)
    assert found.lower_bound == pytest.approx(bound, abs=1e-9 * p)
    assert found.duality_gap >= 0
    assert found.converged
    assert found.status == "converged"
    assert found.duality_gap <= tol * p


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("tol", [1e-5, TIGHT])
def test_certificate(family, share, tol):
    S, L = problem(family, share)
    check_certificate(S, L, graphical_lasso(S, L, tol=tol), tol)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("share", SHARES)
def test_optimality_entry_by_entry(family, share):
    """The inverse of T less S is L times the sign where T is not zero, and within L where it is."""
    S, L = problem(family, share)
    T = graphical_lasso(S, L, tol=1e-13, max_sweeps=2000).precision
    root = np.sqrt(S.diagonal())
    unit = np.outer(root, root)
    slope = (np.linalg.inv(T) - S) / unit
    bound = pair_penalty(S, L) / unit
    is_in = (T != 0) & ~np.eye(len(S), dtype=bool)
    # A gap of 1e-13 a variable leaves a slope off by about its root times the largest eigenvalue of W.
    allowed = 1e-5
    assert np.abs(slope - bound * np.sign(T))[is_in].max(initial=0.0) <= allowed
    assert (np.abs(slope) <= bound + allowed)[~is_in].all()
    assert share < 0.9 or is_in.any() or family == "independent"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_agrees_with_scikit_learn(family, share):
    from sklearn.covariance import graphical_lasso as theirs

    S, L = problem(family, share)
    if family == "scales":  # one penalty for all: their correlation
        root = np.sqrt(S.diagonal())
        S, L = S / np.outer(root, root), L[0, 1] / (root[0] * root[1])
        S = (S + S.T) / 2
    ours = objective(S, graphical_lasso(S, L, tol=TIGHT).precision, L)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own warnings: that its gap is not reached, or that it loses digits
        try:
            precision = theirs(S, L, tol=1e-10, enet_tol=1e-12, max_iter=2000)[1]
        except FloatingPointError:
            pytest.skip("scikit-learn finds this one too ill-conditioned")
        precision = (precision + precision.T) / 2
    other = objective(S, precision, L)
    # Ours is certified; theirs stops above the optimum where variables are many times the same.
    assert ours <= other + AGREEMENT
    if family in ("independent", "factors", "scales"):
        assert other <= ours + AGREEMENT


@pytest.mark.glasso
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("share", SHARES)
def test_agrees_with_glasso(glasso, family, share):
    S, L = problem(family, share)
    if family == "scales":
        root = np.sqrt(S.diagonal())
        S, L = S / np.outer(root, root), L[0, 1] / (root[0] * root[1])
        S = (S + S.T) / 2
    for penalize_diagonal in (False, True):
        ours = graphical_lasso(S, L, tol=TIGHT, penalize_diagonal=penalize_diagonal)
        precision = glasso(S, L, penalize_diagonal)
        other = objective(S, (precision + precision.T) / 2, L, penalize_diagonal)
        assert abs(ours.objective - other) <= AGREEMENT or other > ours.objective
        if family in ("independent", "factors", "scales"):
            assert ours.objective == pytest.approx(other, abs=AGREEMENT)


# What R glasso 1.11 answers: X <- iris[, 1:4] (rows as below); S <- cov(X) * (n - 1) / n;
# glasso(S, rho, thr = 1e-14, maxit = 1e6, penalize.diagonal = FALSE). scikit-learn's tests quote the first and last.
IRIS = {
    "rho 1": (
        slice(None),
        1.0,
        [
            [0.68112222, 0.0, 0.26582, 0.02464314],
            [0.0, 0.18871289, 0.0, 0.0],
            [0.26582, 0.0, 3.09550267, 0.286972],
            [0.02464314, 0.0, 0.286972, 0.57713289],
        ],
        [
            [1.51907471, 0.0, -0.13044745, 0.0],
            [0.0, 5.29905512, 0.0, 0.0],
            [-0.13044745, 0.0, 0.34986243, -0.16839464],
            [0.0, 0.0, -0.16839464, 1.81643529],
        ],
    ),
    "rho 0.01": (
        slice(None),
        0.01,
        [
            [0.68112222, -0.05215111, 1.25582, 0.51812142],
            [-0.05215111, 0.18871289, -0.31745867, -0.13082844],
            [1.25582, -0.31745867, 3.09550267, 1.276972],
            [0.51812142, -0.13082844, 1.276972, 0.57713289],
        ],
        [
            [7.46085794, -3.66168912, -3.40233258, 0.0],
            [-3.66168912, 8.20097544, 2.33344868, -0.01668279],
            [-3.40233258, 2.33344868, 5.32323679, -8.19485695],
            [0.0, -0.01668279, -8.19485695, 19.86097224],
        ],
    ),
    "3 rows, singular": (
        slice(10, 13),
        0.01,
        [
            [0.08, 0.056666662595, 0.00229729713223, 0.00153153142149],
            [0.056666662595, 0.082222222222, 0.00333333333333, 0.00222222222222],
            [0.002297297132, 0.003333333333, 0.00666666666667, 0.00009009009009],
            [0.001531531421, 0.002222222222, 0.00009009009009, 0.00222222222222],
        ],
        [
            [24.42244057, -16.831679593, 0.0, 0.0],
            [-16.83168201, 24.351841681, -6.206896552, -12.5],
            [0.0, -6.206896171, 153.103448276, 0.0],
            [0.0, -12.499999143, 0.0, 462.5],
        ],
    ),
}


@pytest.mark.parametrize("case", IRIS)
def test_known_answers_of_glasso(case):
    from sklearn.datasets import load_iris

    rows, penalty, covariance, precision = IRIS[case]
    S = covariance_of(load_iris().data[rows])
    found = graphical_lasso(S, penalty, tol=1e-13)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-6)  # digits quoted
    np.testing.assert_allclose(found.precision, precision, rtol=1e-6, atol=2e-5)


def test_known_answer_of_skggm():
    """quic(S, lam=0.1) penalises the diagonal as well: its W has 1.187 = 1.287 - 0.1 off the diagonal."""
    from sklearn.datasets import load_iris

    S = covariance_of(load_iris().data[:, 2:])
    found = graphical_lasso(S, 0.1)
    np.testing.assert_allclose(found.covariance, [[3.09550269, 1.186972], [1.186972, 0.57713289]], atol=1e-7)
    np.testing.assert_allclose(found.precision, [[1.52836773, -3.14334831], [-3.14334831, 8.19753385]], atol=1e-7)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_split_into_components_changes_nothing(family):
    S, L = problem(family, 0.2 if family in ("duplicates", "near-singular") else 0.5)
    found = graphical_lasso(S, L, tol=TIGHT)
    assert found.component_sizes.max() > 2
    scale = 1 / np.sqrt(S.diagonal())
    full = pair_penalty(S, L)
    whole = solve_component(S, full, scale, np.arange(len(S)), TIGHT, 1000, None)
    value = whole.primal - 2 * np.log(scale).sum()
    # Two certified objectives of one problem.
    assert found.objective == pytest.approx(value, abs=2 * TIGHT * len(S) + 1e-10)
    ends, places, values = whole.precision
    T = sparse.csr_array((values, places, ends)).toarray()
    tied = found.components[:, None] == found.components
    assert np.abs(T[~tied]).max(initial=0.0) == 0.0


def test_components_are_those_of_the_thresholded_covariance():
    rng = np.random.default_rng(5)
    S = covariance_of(factors(rng, 40, 60, 12))
    for share in (0.8, 0.6, 0.5, 0.4):
        L = share * largest(S)
        _, label = sparse.csgraph.connected_components((np.abs(S) > L) & ~np.eye(60, dtype=bool), directed=False)
        np.testing.assert_array_equal(graphical_lasso(S, L).components, label)


def test_permuted_variables_give_the_permuted_answer():
    S, L = problem("factors", 0.3)
    order = np.random.default_rng(1).permutation(len(S))
    one = graphical_lasso(S, L, tol=1e-12).precision
    other = graphical_lasso(S[np.ix_(order, order)], L, tol=1e-12).precision
    # Strong convexity: a gap of 1e-12 a variable leaves about its root.
    np.testing.assert_allclose(other, one[np.ix_(order, order)], atol=1e-4)
    np.testing.assert_array_equal((other != 0), (one != 0)[np.ix_(order, order)])


def test_changed_signs_give_the_answer_with_changed_signs():
    S, L = problem("factors", 0.3)
    sign = np.where(np.arange(len(S)) % 3 == 0, -1.0, 1.0)
    one = graphical_lasso(S, L, tol=1e-8)
    other = graphical_lasso(S * np.outer(sign, sign), L, tol=1e-8)
    np.testing.assert_array_equal(other.precision, one.precision * np.outer(sign, sign))


@pytest.mark.parametrize("family", ["factors", "p > n", "independent"])
def test_the_same_bits_for_one_thread_and_two(family):
    S, L = problem(family, 0.6)
    n = len(S)
    S = np.block([[S, np.zeros((n, n))], [np.zeros((n, n)), S[::-1, ::-1]]])  # more than one large component
    one, two = graphical_lasso(S, L, threads=1), graphical_lasso(S, L, threads=2)
    assert (np.sort(one.component_sizes)[-2:] > 2).all()
    np.testing.assert_array_equal(one.precision, two.precision)
    np.testing.assert_array_equal(one.covariance, two.covariance)
    assert (one.objective, one.duality_gap, one.n_sweeps) == (two.objective, two.duality_gap, two.n_sweeps)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("other_share", [0.9, 0.21, 0.1])
def test_a_warm_start_reaches_the_same_optimum(family, other_share):
    S, L = problem(family, 0.2)
    start = graphical_lasso(S, problem(family, other_share)[1])
    warm = graphical_lasso(S, L, tol=TIGHT, start=start)
    check_certificate(S, L, warm, TIGHT)
    assert warm.objective == pytest.approx(graphical_lasso(S, L, tol=TIGHT).objective, abs=2 * TIGHT * len(S) + 1e-10)


def test_a_start_from_other_data_and_from_the_answer():
    S, L = problem("factors", 0.2)
    other = graphical_lasso(covariance_of(factors(np.random.default_rng(9), 50, len(S))), L)
    check_certificate(S, L, graphical_lasso(S, L, tol=TIGHT, start=other), TIGHT)
    found = graphical_lasso(S, L, tol=1e-8)
    again = graphical_lasso(S, L, tol=1e-8, start=found)
    check_certificate(S, L, again, 1e-8)
    assert again.n_sweeps <= min(found.n_sweeps, 2)  # the answer is where it starts: one sweep, and one for rounding


def test_identity_and_the_largest_penalty_give_the_diagonal():
    found = graphical_lasso(np.eye(5), 0.1)
    np.testing.assert_array_equal(found.precision, np.eye(5))
    assert (found.objective, found.duality_gap, found.n_sweeps) == (5.0, 0.0, 0)
    S, _ = problem("factors", 1.0)
    for L in (largest(S), 2 * largest(S), np.inf):
        found = graphical_lasso(S, L)
        np.testing.assert_allclose(found.precision, np.diag(1 / S.diagonal()), rtol=1e-14)
        assert found.duality_gap == 0.0
        assert (found.component_sizes == 1).all()
    below = graphical_lasso(S, np.nextafter(largest(S), 0))
    assert below.component_sizes.max() == 2


def test_one_and_two_variables_in_closed_form():
    one = graphical_lasso(np.array([[4.0]]), 0.3)
    assert one.precision == 0.25
    assert graphical_lasso(np.array([[4.0]]), 1.0, penalize_diagonal=True).precision == pytest.approx(0.2)
    S = np.array([[2.0, -1.2], [-1.2, 3.0]])
    found = graphical_lasso(S, 0.5)
    np.testing.assert_allclose(found.precision, np.linalg.inv([[2.0, -0.7], [-0.7, 3.0]]), rtol=1e-14)
    check_certificate(S, 0.5, found, 1e-15)


@pytest.mark.parametrize("rho", [0.3, 0.9, 0.999])
def test_constant_correlation(rho):
    """All pairs alike: W has rho - L off its diagonal, since every pair is at the edge of its box."""
    p, L = 25, 0.1
    S = np.full((p, p), rho) + (1 - rho) * np.eye(p)
    found = graphical_lasso(S, L, tol=1e-12)
    check_certificate(S, L, found, 1e-12)
    W = np.full((p, p), rho - L) + (1 - rho + L) * np.eye(p)
    np.testing.assert_allclose(found.covariance, W, atol=1e-8)
    np.testing.assert_allclose(found.precision, np.linalg.inv(W), atol=1e-5)


def test_blocks_are_solved_apart():
    rng = np.random.default_rng(3)
    A, B = correlation_of(factors(rng, 50, 6)), correlation_of(factors(rng, 50, 9))
    S = np.block([[A, np.zeros((6, 9))], [np.zeros((9, 6)), B]])
    found = graphical_lasso(S, 0.1, tol=TIGHT)
    np.testing.assert_array_equal(found.precision[:6, :6], graphical_lasso(A, 0.1, tol=TIGHT).precision)
    np.testing.assert_array_equal(found.precision[6:, 6:], graphical_lasso(B, 0.1, tol=TIGHT).precision)
    assert not found.precision[:6, 6:].any()
    assert not found.covariance[:6, 6:].any()


def test_exact_duplicates_share_their_ties():
    rng = np.random.default_rng(4)
    X = factors(rng, 40, 8)
    S = covariance_of(np.hstack([X, X]))
    L = 0.1 * largest(S)
    found = graphical_lasso(S, L, tol=1e-12, max_sweeps=3000)
    check_certificate(S, L, found, 1e-12)
    T = found.precision
    # The problem is strictly convex: what it does not tell apart has the same answer.
    np.testing.assert_allclose(T[:8, :8], T[8:, 8:], atol=1e-3 * np.abs(T).max())


def test_few_samples_of_many_variables():
    for n in (2, 3, 5):
        S = correlation_of(np.random.default_rng(n).standard_normal((n, 60)))
        for L in (0.5, 0.05):
            check_certificate(S, L, graphical_lasso(S, L, tol=1e-6), 1e-6)


def test_a_matrix_of_penalties_with_forbidden_and_free_pairs():
    S, L = problem("factors", 0.2)
    p = len(S)
    rng = np.random.default_rng(2)
    weights = rng.uniform(0.5, 2.0, (p, p))
    weights = (weights + weights.T) / 2
    for i, j, w in [(0, 1, np.inf), (2, 3, 0.0), (4, 5, 0.0), (0, 7, np.inf), (8, 9, 0.0)]:
        weights[i, j] = weights[j, i] = w
    found = graphical_lasso(S, L * weights, tol=1e-12)
    check_certificate(S, L * weights, found, 1e-12)
    T, inverse = found.precision, np.linalg.inv(found.precision)
    for i, j in [(0, 1), (0, 7)]:
        assert T[i, j] == 0.0
    for i, j in [(2, 3), (4, 5), (8, 9)]:
        assert inverse[i, j] == pytest.approx(S[i, j], abs=1e-5)
        assert T[i, j] != 0.0


def test_one_number_is_a_matrix_of_it():
    S, L = problem("factors", 0.3)
    np.testing.assert_array_equal(graphical_lasso(S, L).precision, graphical_lasso(S, pair_penalty(S, L)).precision)


def test_the_diagonal_is_penalised_when_asked_for():
    S, L = problem("factors", 0.3)
    found = graphical_lasso(S, L, penalize_diagonal=True, tol=TIGHT)
    check_certificate(S, L, found, TIGHT, penalize_diagonal=True)
    # The same as without, for a covariance with the penalty added to its diagonal.
    added = graphical_lasso(S + L * np.eye(len(S)), L, tol=TIGHT)
    np.testing.assert_allclose(found.precision, added.precision, atol=1e-12)
    both = pair_penalty(S, L, True) + np.diag(np.linspace(0, 1, len(S)))
    check_certificate(S, both, graphical_lasso(S, both, penalize_diagonal=True), 1e-6, penalize_diagonal=True)


def test_no_penalty_is_the_inverse():
    S, _ = problem("independent", 0.1)
    found = graphical_lasso(S, 0.0)
    np.testing.assert_allclose(found.precision, np.linalg.inv(S), rtol=1e-8)
    assert found.converged


def test_free_pairs_of_a_singular_covariance():
    """A tree of free pairs has a solution from 2 samples on; three variables that are one have none."""
    X = np.random.default_rng(0).standard_normal((4, 8))
    S = correlation_of(X)
    L = np.full((8, 8), np.inf)
    for i in range(7):
        L[i, i + 1] = L[i + 1, i] = 0.0
    found = graphical_lasso(S, L, tol=1e-9)
    check_certificate(S, L, found, 1e-9)
    # The maximum likelihood of a chain: its pairs' correlations are the sample's (Dempster 1972).
    assert np.linalg.inv(found.precision)[3, 4] == pytest.approx(S[3, 4], abs=1e-4)


def test_rescaled_variables_give_the_rescaled_answer():
    S, L = problem("factors", 0.3)
    d = np.geomspace(1e-6, 1e6, len(S))
    scaled = graphical_lasso(S * np.outer(d, d), L * np.outer(d, d), tol=TIGHT)
    plain = graphical_lasso(S, L, tol=TIGHT)
    np.testing.assert_allclose(scaled.precision * np.outer(d, d), plain.precision, atol=1e-6)
    assert scaled.objective == pytest.approx(plain.objective + 2 * np.log(d).sum(), abs=1e-6)
    # Powers of two are exact, here even of one size for all.
    half = graphical_lasso(S / 4, L / 4, tol=TIGHT)
    np.testing.assert_array_equal(half.precision / 4, plain.precision)


def test_the_covariance_is_left_as_it_is_and_may_be_read_only():
    S, L = problem("factors", 0.3)
    before = S.copy()
    S.flags.writeable = False
    first = graphical_lasso(S, L)
    np.testing.assert_array_equal(S, before)
    second = graphical_lasso(np.asfortranarray(S), L)
    np.testing.assert_array_equal(first.precision, second.precision)


def test_a_table_is_taken_by_its_values_and_penalties_by_their_names():
    S, L = problem("factors", 0.3)
    names = [f"g{i}" for i in range(len(S))]
    table = pd.DataFrame(S, names, names)
    weights = pd.DataFrame(pair_penalty(S, L), names, names)
    weights.loc["g3", "g4"] = weights.loc["g4", "g3"] = np.inf
    found = graphical_lasso(table, weights.iloc[::-1, ::-1])
    np.testing.assert_array_equal(found.precision, graphical_lasso(S, weights.to_numpy()).precision)
    with pytest.raises(InputError, match="not the variables of the covariance"):
        graphical_lasso(table, weights.rename(index={"g3": "other"}))


def test_what_did_not_converge_says_so_and_is_certified():
    S, L = problem("near-singular", 0.01)
    with pytest.warns(
        ConvergenceWarning, match=r"gap per variable .* after 1 sweeps is above tol 1e-12 \(max_sweeps\)"
    ):
        found = graphical_lasso(S, L, tol=1e-12, max_sweeps=1)
    assert not found.converged
    assert found.status == "max_sweeps"
    assert np.linalg.eigvalsh(found.precision)[0] > 0
    best = graphical_lasso(S, L, tol=1e-9, max_sweeps=2000).objective
    assert found.lower_bound <= best <= found.objective
    assert found.duality_gap == pytest.approx(found.objective - found.lower_bound)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_tolerance_below_rounding_ends(family):
    S, L = problem(family, 0.05)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = graphical_lasso(S, L, tol=1e-300, max_sweeps=10_000)
    # Either nothing is left between two rounded determinants, or rounding stops the progress and that is said.
    assert found.status == ("converged" if found.duality_gap == 0.0 else "stalled")
    assert [w.category for w in caught] == ([] if found.converged else [ConvergenceWarning])
    assert found.duality_gap <= 1e-10
    assert found.n_sweeps < 10_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda S: S[:, :-1], r"shape \(30, 29\) is not square"),
        (lambda S: S[:0, :0], "holds no variable"),
        (lambda S: put(S, (3, 4), S[3, 4] + 1e-3), r"not symmetric: \[4, 3\]"),
        (lambda S: put(put(S, (3, 4), np.nan), (4, 3), np.nan), r"NaN or an infinite value at \[3, 4\]"),
        (lambda S: put(put(S, (3, 4), np.inf), (4, 3), np.inf), r"infinite value at \[3, 4\]"),
        (lambda S: put(S, (7, slice(None)), 0.0), "variable 7 has variance 0: a constant variable"),
        (lambda S: put(S, (7, 7), -1.0), "variable 7 has variance -1"),
        (lambda S: S - 0.5 * np.diag(S.diagonal()), r"not positive semidefinite: its smallest eigenvalue, .* is -"),
        (lambda S: [["a"]], "is not a number: give numbers"),
    ],
)
def test_covariances_that_cannot_be_used(change, message):
    S, L = problem("factors", 0.3)
    with pytest.raises(InputError, match=message):
        graphical_lasso(change(S), L)


def put(S, where, value):
    S = S.copy()
    S[where] = value
    return S


def test_errors_name_variables_by_their_labels():
    S, L = problem("factors", 0.3)
    names = [f"gene{i}" for i in range(len(S))]
    with pytest.raises(InputError, match="variable 'gene7' has variance 0"):
        graphical_lasso(pd.DataFrame(put(put(S, 7, 0.0), (slice(None), 7), 0.0), names, names), L)
    with pytest.raises(InputError, match=r"\['gene4', 'gene3'\]"):
        graphical_lasso(pd.DataFrame(put(S, (3, 4), 9.0), names, names), L)


def test_single_precision_is_taken_where_it_is_semidefinite():
    S, L = problem("factors", 0.3)
    found = graphical_lasso(S.astype(np.float32), L)
    assert found.precision.dtype == np.float64
    assert found.converged
    S, L = problem("p > n", 0.3)  # its smallest eigenvalue is 0 less rounding of 1e-7
    with pytest.raises(InputError, match="computed in single precision: use float64"):
        graphical_lasso(S.astype(np.float32), L)


@pytest.mark.parametrize(
    ("penalty", "message"),
    [
        (-0.1, "no solution exists below 0"),
        (np.nan, "nan is not a number >= 0"),
        ("a", "penalty: .*'a'.* is not a number"),
        (np.ones((3, 3)), "shape .* for 30 variables"),
        (np.full((30, 30), -1.0), r"-1 at \[0, 1\]"),
        (np.triu(np.ones((30, 30))), "not symmetric"),
    ],
)
def test_penalties_that_cannot_be_used(penalty, message):
    S, _ = problem("factors", 0.3)
    with pytest.raises(InputError, match=message):
        graphical_lasso(S, penalty)


def test_no_solution_without_penalty_where_the_covariance_is_singular():
    S, L = problem("p > n", 0.2)
    with pytest.raises(InputError, match="no solution exists: the covariance of 40 variables"):
        graphical_lasso(S, 0.0)
    S, L = problem("duplicates", 0.2)  # variables 0 and 12 are one
    free = pair_penalty(S, L).copy()
    free[0, 12] = free[12, 0] = 0.0
    with pytest.raises(InputError, match="no solution exists: the covariance of 2 variables"):
        graphical_lasso(S, free)
    S, L = problem("p > n", 0.2)
    free = np.full(S.shape, L)
    free[:20, :20] = 0.0  # 20 variables of 15 samples
    with pytest.raises(InputError, match="no solution exists: the covariance of 40 variables"):
        graphical_lasso(S, free)
    with pytest.raises(InputError, match="no solution"):
        graphical_lasso(np.ones((2, 2)), 0.0)
    with pytest.raises(InputError, match="inf on the diagonal"):
        graphical_lasso(S, np.inf, penalize_diagonal=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tol": 0.0}, "tol: 0 is not a positive number"),
        ({"tol": np.nan}, "tol: nan"),
        ({"max_sweeps": 0}, "max_sweeps: 0"),
        ({"threads": 0}, "threads: 0"),
    ],
)
def test_options_that_cannot_be_used(options, message):
    with pytest.raises(InputError, match=message):
        graphical_lasso(np.eye(3), 0.1, **options)


def test_a_start_of_another_size_is_refused():
    with pytest.raises(InputError, match="start: a solution for 3 variables, the covariance has 4"):
        graphical_lasso(np.eye(4), 0.1, start=graphical_lasso(np.eye(3), 0.1))


@pytest.mark.parametrize("relaxation", [1.0, 1.9])
@pytest.mark.parametrize("family", FAMILIES)
def test_any_relaxation_reaches_the_same_optimum(monkeypatch, family, relaxation):
    S, penalty = problem(family, 0.2)
    usual = graphical_lasso(S, penalty, tol=1e-8)
    monkeypatch.setattr("netinfer.solvers.graphical_component.RELAXATION", relaxation)
    other = graphical_lasso(S, penalty, tol=1e-8)
    assert usual.converged
    assert other.converged
    # Both are within 1e-8 a variable of the least, in each one's unit of rounding of the objective.
    assert abs(usual.objective - other.objective) <= 1e-8 * len(S) + 1e-12 * abs(usual.objective)
