"""The bounds: by hand on small counts, against a second computation, and in order."""

import numpy as np
import pytest
from scipy import optimize

from netinfer.config import RegressionConfig
from netinfer.errors import InputError
from netinfer.stability import SelectionCounts, expected_false, q_values
from netinfer.stability.concave import tail_bounds
from netinfer.stability.ipss import TRUNCATIONS, choose_truncation, ipss_integrand, ipss_scores
from netinfer.stability.rules import RULES, default_threshold, rule_constants, rule_record


def counts(path, q, p=50.0, n_subsamples=100, union=None):
    q = np.atleast_2d(np.asarray(q, float))
    return SelectionCounts(
        n_subsamples=n_subsamples,
        n_candidates=np.full(len(q), p),
        n_selected=q,
        n_union=q if union is None else np.atleast_2d(np.asarray(union, float)),
        counts=np.asarray(path),
    )


def test_meinshausen_buhlmann_by_hand():
    # Two targets alike of p = 50; a path ended at q = 1 or 2 bounds 2 q^2 / ((2 tau - 1) p) false edges.
    selection = counts([[80, 80], [10, 100], [79, 79]], [[1, 2], [1, 2]])
    got = expected_false(selection, "meinshausen_buhlmann", threshold=0.8)
    np.testing.assert_allclose(got, [2 * 1 / 50 / 0.6, 2 * 4 / 50 / 0.6, np.inf], rtol=1e-12)
    # With one half-sample more asked for the first pair has no cut.
    assert np.isinf(expected_false(selection, "meinshausen_buhlmann", threshold=0.81)[0])


def test_a_pair_stands_for_the_penalty_at_which_it_first_reaches_the_threshold():
    # What happens later, also falling below the threshold again, does not matter.
    path = [[95, 20, 100], [20, 95, 20], [20, 20, 95], [89, 89, 89]]
    got = expected_false(counts(path, [[1, 2, 4]]), "meinshausen_buhlmann", threshold=0.9)
    np.testing.assert_allclose(got, [1 / 50 / 0.8, 4 / 50 / 0.8, 16 / 50 / 0.8, np.inf])


def test_a_threshold_next_to_one_half_still_asks_for_more_than_half():
    selection = counts([[50], [51]], [[2.0]])
    bound = expected_false(selection, "meinshausen_buhlmann", threshold=0.5 + 1e-13)
    assert np.isinf(bound[0])
    assert bound[1] == pytest.approx(2.0**2 / (50 * (2 * 0.51 - 1)))


@pytest.mark.parametrize("truncation", [0.0, -1.0, np.nan])
def test_a_truncation_is_above_zero(truncation):
    with pytest.raises(InputError, match="truncation"):
        expected_false(counts([[90]], [[2.0]]), "ipss_quadratic", truncation=truncation)


def test_the_threshold_is_met_by_rounding_up():
    # 0.9 of 20 half-samples is 18, of 22 it is 20.
    for n, needed in ((20, 18), (22, 20)):
        selection = counts([[needed], [needed - 1]], [[1.0]], n_subsamples=n)
        bound = expected_false(selection, "meinshausen_buhlmann", threshold=0.9)
        assert np.isfinite(bound).tolist() == [True, False]


def test_the_unimodal_factor_is_the_published_one():
    # Shah and Samworth (2013), theorem 2, B = 50, small theta.
    selection = counts([[70], [90], [100]], [[1.0]])
    got = [expected_false(selection, "shah_samworth_unimodal", threshold=tau)[2] * 50 for tau in (0.7, 0.9, 1.0)]
    np.testing.assert_allclose(got, [0.5 / (0.4 - 0.01), 4 * (0.1 + 0.01) / 1.02, 4 * 0.01 / 1.02], rtol=1e-12)
    # None of its own at 0.51 with 50 pairs, also where nothing is selected.
    early = counts([[0, 60]], [[0.0, 1.0]])
    worst = expected_false(early, "meinshausen_buhlmann", threshold=0.51)
    np.testing.assert_array_equal(expected_false(early, "shah_samworth_unimodal", threshold=0.51), worst)
    # It is made for theta of at most 1 / sqrt(3); beyond it the worst case holds.
    many = counts([[100]], [[30.0]])
    worst = expected_false(many, "meinshausen_buhlmann", threshold=0.9)
    assert expected_false(many, "shah_samworth_unimodal", threshold=0.9) == worst


def test_pooling_takes_all_pairs_for_one_target():
    selection = counts([[100]], [[1.0], [3.0]])
    assert expected_false(selection, "meinshausen_buhlmann", threshold=1.0)[0] == pytest.approx((1 + 9) / 50)
    pooled = expected_false(selection, "meinshausen_buhlmann", threshold=1.0, pooled=True)
    assert pooled[0] == pytest.approx((1 + 3) ** 2 / 100)


def test_the_record_tells_the_bound_of_a_path_ended_at_each_penalty():
    selection = counts([[95, 100]], [[1, 2]])
    given = {"threshold": 0.9, "truncation": None, "pooled": False}
    record = rule_record(selection, np.array([0.5, 0.2]), "meinshausen_buhlmann", **given)
    assert record["path_ends"]["penalty"] == [0.5, 0.2]
    np.testing.assert_allclose(record["path_ends"]["expected_false_edges"], [1 / 40, 4 / 40])
    assert record["path_ends"]["expected_false_edges"][0] == pytest.approx(
        expected_false(selection, "meinshausen_buhlmann", threshold=0.9)[0]
    )
    settings = RegressionConfig(rule="ipss_quadratic")
    constants = rule_constants(settings, selection, 100)
    integrated = rule_record(selection, np.array([0.5, 0.2]), "ipss_quadratic", **constants)
    assert integrated["truncation"] == choose_truncation(selection, 2)
    bound = expected_false(selection, "ipss_quadratic")
    np.testing.assert_array_equal(expected_false(selection, "ipss_quadratic", **constants), bound)


def test_ipss_by_hand():
    # Two penalties with measure 1/2 each, B = 50.
    selection = counts([[75, 100], [50, 75]], [[1, 2]])
    score = np.array([0.5**2 + 1, 0.5**2]) / 2
    bound = sum(q**2 / (50 * 50) + 49 * q**4 / (50 * 50**3) for q in (1, 2)) / 2
    np.testing.assert_allclose(expected_false(selection, "ipss_quadratic", truncation=1.0), bound / score)
    score3 = np.array([0.5**3 + 1, 0.5**3]) / 2
    b, p = 50, 50
    bound3 = (
        sum(
            q**2 / (p * b**2) + 3 * (b - 1) * q**4 / (p**3 * b**2) + (b - 1) * (b - 2) * q**6 / (p**5 * b**2)
            for q in (1, 2)
        )
        / 2
    )
    np.testing.assert_allclose(expected_false(selection, "ipss_cubic", truncation=1.0), bound3 / score3)


def test_ipss_moments_are_those_of_the_selection_count():
    # I_m's integrand is p E[h_m] for a regulator that each half selects with probability q/p independently of the
    # other half, simultaneous selection (q/p)^2: E[(mean of B indicators)^m] p, for m = 2 and 3.
    b, p, q = 7, 20.0, 3.0
    theta = (q / p) ** 2
    k = np.arange(b + 1)
    from scipy.stats import binom

    mass = binom.pmf(k, b, theta)
    for order in (2, 3):
        expected = p * (mass * (k / b) ** order).sum()
        got = ipss_integrand(np.array([[q]]), np.array([p]), b, order)[0, 0]
        assert got == pytest.approx(expected, rel=1e-12)


def test_scores_lie_between_0_and_1():
    rng = np.random.default_rng(0)
    path = rng.integers(0, 101, (50, 10))
    for order in (2, 3):
        score = ipss_scores(path, 100, order, 10)
        assert ((score >= 0) & (score <= 1)).all()
    assert ipss_scores(np.full((1, 10), 100), 100, 2, 10)[0] == 1.0
    assert ipss_scores(np.full((1, 10), 50), 100, 2, 10)[0] == 0.0


@pytest.mark.parametrize(("eta", "n_atoms", "r"), [(0.05, 12, -0.5), (0.1, 10, -0.25), (0.02, 16, -0.5)])
def test_tail_bound_is_the_largest_over_r_concave_laws(eta, n_atoms, r):
    """Maximise P(X >= t) over r-concave laws numerically, from many starts, and compare."""
    bound = tail_bounds(eta, n_atoms, r)
    atoms = np.arange(n_atoms + 1)
    rng = np.random.default_rng(0)
    first = int(np.ceil(2 * eta * n_atoms)) + 1
    for t in range(first, n_atoms + 1, 3):
        best = 0.0
        # f = g^(1/r) with g = f^r positive and convex: g = g0 + g1 i + sum_k c_k (i - k)+, c >= 0; the support may
        # end early, so every end is tried.
        for end in range(t, n_atoms + 1):
            hinges = np.array([np.maximum(atoms[: end + 1] - k, 0) for k in range(1, end)]).T

            def law(x, end=end, hinges=hinges):
                g = np.exp(x[0]) + np.exp(x[1]) * atoms[: end + 1] + hinges @ np.exp(np.clip(x[2:], -40, 40))
                f = g ** (1 / r)
                return f / f.sum()

            for _ in range(2):
                start = rng.normal(size=1 + end) * 2
                found = optimize.minimize(
                    lambda x, t=t: -law(x)[t:].sum()
                    + 1e3 * max(0.0, law(x) @ atoms[: law(x).size] / n_atoms - eta) ** 2,
                    start,
                    method="Nelder-Mead",
                    options={"maxiter": 800},
                )
                f = law(found.x)
                if f @ atoms[: f.size] / n_atoms <= eta * (1 + 1e-3):
                    best = max(best, f[t:].sum())
        # No law that the search finds may beat the bound (up to the slack in its mean).
        assert best <= bound[t] * 1.02 + 1e-9


@pytest.mark.parametrize(("eta", "n_atoms", "r"), [(0.03, 50, -0.5), (4e-4, 50, -0.5), (0.02, 100, -0.25)])
def test_tail_bound_is_reached_by_a_law_with_that_mean(eta, n_atoms, r):
    """For the end k and shape a that attain it, the law is r-concave with mean eta: a dense search in a agrees."""
    bound = tail_bounds(eta, n_atoms, r)
    mean, exponent = eta * n_atoms, 1 / r
    best = np.zeros(n_atoms + 1)

    def law_mean(a, k):
        i = np.arange(k + 1)
        return (a + i) ** exponent @ i / ((a + i) ** exponent).sum()

    for k in range(int(np.ceil(2 * mean)) + 1, n_atoms):
        # Between these two shapes the law on {0..k} plus a smaller mass at k + 1 has the wished mean and is r-concave.
        ends = [np.exp(optimize.brentq(lambda x, m=m: law_mean(np.exp(x), m) - mean, -30, 30)) for m in (k + 1, k)]
        i = np.arange(k + 1)
        for a in np.linspace(*ends, 500):
            f = (a + i) ** exponent
            f /= f.sum()
            share = (k + 1 - mean) / (k + 1 - f @ i)
            last = 1 - share
            assert -1e-9 <= last <= share * f[-1] * ((a + k + 1) / (a + k)) ** exponent * (1 + 1e-6)
            tail = np.append(share * f, last)[::-1].cumsum()[::-1]
            best[: k + 2] = np.maximum(best[: k + 2], tail)
    first = int(np.ceil(2 * mean)) + 1
    # 1e-3: both searches step through a.
    np.testing.assert_allclose(bound[first:], best[first:], rtol=1e-3, atol=1e-12)


def test_tail_bound_beats_markov_and_falls_with_t():
    eta, n = 0.05, 100
    bound = tail_bounds(eta, n, -0.25)
    t = np.arange(1, n + 1)
    assert (np.diff(bound) <= 0).all()
    assert (bound[1:] <= np.maximum(eta * n / t, 0) + (bound[1:] == 1)).all()
    assert bound[60] < eta * n / 60 / 3
    assert (tail_bounds(0.0, 10, -0.5)[1:] == 0).all()
    assert (tail_bounds(0.6, 10, -0.5) == 1).all()


@pytest.mark.parametrize("threshold", [0.6, 0.9, 1.0])
def test_the_shah_samworth_rules_are_never_looser_than_meinshausen_buhlmann(threshold):
    rng = np.random.default_rng(1)
    path = np.sort(rng.integers(51, 101, (200, 5)), axis=1)
    q = np.sort(rng.uniform(0.01, 2, (30, 5)), axis=1)
    selection = counts(path, q, p=60.0)
    loose = expected_false(selection, "meinshausen_buhlmann", threshold=threshold)
    unimodal = expected_false(selection, "shah_samworth_unimodal", threshold=threshold)
    concave = expected_false(selection, "shah_samworth", threshold=threshold)
    has = np.isfinite(loose)
    assert has.any()
    assert (unimodal[has] <= loose[has] * (1 + 1e-12)).all()
    assert concave[has].sum() < unimodal[has].sum() < loose[has].sum()


@pytest.mark.parametrize("threshold", [0.6, 0.75, 0.9, 1.0])
def test_the_concave_bound_is_never_below_the_exact_one_and_hardly_above(threshold):
    needed = int(threshold * 100)
    # One regulator of 20,000 selected, as in a model of a trait, to one in five of them.
    theta = np.append(1 / 20_000, np.geomspace(1e-5, 0.2, 25))
    exact = [min(tail_bounds(t, 100, -0.25)[needed], tail_bounds(t**2, 50, -0.5)[needed - 50]) for t in theta]
    got = [expected_false(counts([[100]], [[t]], p=1.0), "shah_samworth", threshold=threshold)[0] for t in theta]
    ratio = np.array(got) / exact
    assert (ratio >= 1.0 - 1e-12).all()
    # Read 4 % of theta further up at most; the tails rise with its square or faster where nothing is known of them.
    assert ratio.max() < 1.15
    assert ratio[theta <= 0.01].max() < 1.05


def test_tail_bounds_rise_with_the_mean_and_small_ones_no_slower_than_it():
    for n_atoms, r in ((50, -0.5), (100, -0.25)):
        eta = np.geomspace(1e-8, 1.0, 150)
        bound = np.array([tail_bounds(value, n_atoms, r) for value in eta])
        assert (bound[1:] >= bound[:-1] * (1 - 1e-9)).all()
        # Up to a mean of one atom; from the third on, before which 1 stands in for the tail.
        small = bound[eta <= 1.0 / n_atoms][:, 3:] / eta[eta <= 1.0 / n_atoms, None]
        assert (small[1:] >= small[:-1] * (1 - 1e-9)).all()
        # A support that nearly fills the atoms is bounded too: no tail is lost to 0 there.
        assert (bound[:, -1] > 0).all()


# min{D, D} of the R package stabs 0.6 (its function minD) at q, p, tau, B.
@pytest.mark.parametrize(
    ("q", "p", "tau", "n_pairs", "expected"),
    [
        (5, 100, 0.75, 50, 0.00064652579),
        (5, 100, 0.9, 50, 0.00016881162),
        (1, 50, 0.9, 50, 2.4946572e-05),
        (20, 200, 0.6, 50, 0.011413381),
        (20, 1000, 0.6, 50, 0.00033428454),
        (40, 100, 0.9, 50, 0.025008974),
        (3, 60, 0.8, 25, 0.00053093571),
        (10, 50, 0.55, 50, 0.084373743),
    ],
)
def test_tail_bounds_are_those_of_the_package_stabs(q, p, tau, n_pairs, expected):
    needed = round(2 * n_pairs * tau)
    got = min(
        tail_bounds((q / p) ** 2, n_pairs, -0.5)[needed - n_pairs], tail_bounds(q / p, 2 * n_pairs, -0.25)[needed]
    )
    # Its search over the shape stops short of the ends of the interval, where the maximum often is: up to 2.6 % below.
    assert expected * (1 - 1e-6) <= got <= expected * 1.03


@pytest.mark.parametrize("rule", RULES)
def test_more_selections_never_raise_the_bound(rule):
    path = np.sort(np.random.default_rng(2).integers(51, 101, (60, 4)), axis=0)
    got = expected_false(counts(path, [[0.1, 0.5, 1, 2]]), rule, truncation=0.5 if "ipss" in rule else None)
    low = np.where(np.isinf(got), 1e9, got)
    assert np.isfinite(got).any()
    assert (np.diff(low) <= 1e-12).all()


def test_q_values_are_monotone_and_estimate_bound_over_number():
    bound = np.array([0.1, 0.5, 0.5, 4.0, np.inf])
    got = q_values(bound)
    np.testing.assert_allclose(got[:4], [0.1, 0.5 / 3, 0.5 / 3, 1.0])
    assert np.isnan(got[4])
    # A later, better ratio carries back to the earlier cut that it includes.
    np.testing.assert_allclose(q_values(np.array([1.0, 1.1, 1.2, 1.3])), 1.3 / 4)


def test_nothing_selected_and_unknown_rule():
    nothing = counts(np.zeros((0, 2), int), [[0.0, 0.0]])
    assert expected_false(nothing, "ipss_quadratic").size == 0
    assert expected_false(nothing, "shah_samworth").size == 0
    with pytest.raises(InputError, match="unknown"):
        expected_false(counts([[60, 60]], [[1, 1]]), "bonferroni")
    for threshold in (0.5, 1.01, np.nan):
        with pytest.raises(InputError, match="at most 1: the rules have no bound"):
            expected_false(counts([[60, 60]], [[1, 1]]), "meinshausen_buhlmann", threshold=threshold)


def test_the_truncation_of_ipss_is_the_first_that_gives_a_network():
    # One target of p = 50, half of the measure on each penalty: the integral is 0.0002 after q = 1, 0.029 after q = 8.
    strong = counts([[100, 100]], [[1, 8]])
    assert choose_truncation(strong, 2) == TRUNCATIONS[0]
    # Selected by 80 of 100 at the first penalty alone, score 0.18: 0.029 / 0.18 misses fdr 0.1, 0.0002 / 0.18 does not.
    early = counts([[80, 50]], [[1, 8]])
    assert choose_truncation(early, 2) == TRUNCATIONS[1]
    none = counts([[55, 55]], [[9.0, 20.0]])
    assert choose_truncation(none, 2) == TRUNCATIONS[0]


def test_the_default_threshold_depends_on_the_size_alone():
    # 20 candidates a unit of a half-sample: 50 units have halves of 25.
    assert default_threshold(np.array([500.0, 3.0]), 50) == 0.9
    assert default_threshold(np.array([501.0, 3.0]), 51) == 0.6
    assert default_threshold(np.zeros(0), 8) == 0.9
