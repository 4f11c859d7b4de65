"""The bounds: by hand on small counts, against a second computation, and in order."""

import dataclasses

import numpy as np
import pytest
from scipy import optimize

from netinfer.errors import InputError
from netinfer.stability import SelectionCounts, expected_false, q_values
from netinfer.stability.concave import tail_bounds
from netinfer.stability.rules import ipss_integrand, ipss_scores


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
    # q = 2 of p = 50 at the last penalty kept, two targets alike: sum of q^2 / ((2 tau - 1) p).
    selection = counts([[60, 80], [10, 100], [51, 51]], [[1, 2], [1, 2]])
    got = expected_false(selection, "meinshausen_buhlmann", truncation=0.08)
    expected = [2 * 4 / 50 / (2 * tau - 1) for tau in (0.8, 1.0, 0.51)]
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_the_path_ends_where_the_smallest_bound_passes_the_truncation():
    selection = counts([[60, 100]], [[1, 10]])
    # q^2 / p is 0.02, then 2: with 0.05 only the first penalty is kept, so tau is 0.6 there.
    got = expected_false(selection, "meinshausen_buhlmann", truncation=0.05)
    np.testing.assert_allclose(got, [1 / 50 / 0.2])
    assert np.isinf(expected_false(selection, "meinshausen_buhlmann", truncation=0.01)).all()


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


def test_tail_bound_is_reached_by_a_law_with_that_mean():
    """For the end k and shape a that attain it, the law is r-concave with mean eta: a dense search in a agrees."""
    eta, n_atoms, r = 0.03, 50, -0.5
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
            assert -1e-9 <= last <= share * f[-1] * ((a + k + 1) / (a + k)) ** exponent * (1 + 1e-9)
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


def test_shah_samworth_is_never_looser_than_meinshausen_buhlmann():
    rng = np.random.default_rng(1)
    path = rng.integers(51, 101, (200, 5))
    q = np.sort(rng.uniform(0.01, 2, (30, 5)), axis=1)
    selection = counts(path, q, p=60.0)
    tight = expected_false(selection, "shah_samworth", truncation=1.0)
    loose = expected_false(selection, "meinshausen_buhlmann", truncation=1.0)
    assert (tight <= loose * (1 + 1e-12)).all()
    assert tight.sum() < 0.5 * loose.sum()


@pytest.mark.parametrize("rule", ["ipss_quadratic", "ipss_cubic", "shah_samworth", "meinshausen_buhlmann"])
def test_more_selections_never_raise_the_bound(rule):
    path = np.sort(np.random.default_rng(2).integers(51, 101, (60, 4)), axis=0)
    got = expected_false(counts(path, [[0.1, 0.5, 1, 2]]), rule, truncation=0.5)
    assert (np.diff(got) <= 1e-12).all()


def test_q_values_are_monotone_and_estimate_bound_over_number():
    bound = np.array([0.1, 0.5, 0.5, 4.0, np.inf])
    got = q_values(bound)
    np.testing.assert_allclose(got[:4], [0.1, 0.5 / 3, 0.5 / 3, 1.0])
    assert np.isnan(got[4])
    # A later, better ratio carries back to the earlier cut that it includes.
    np.testing.assert_allclose(q_values(np.array([1.0, 1.1, 1.2, 1.3])), 1.3 / 4)


def test_nothing_selected_and_unknown_rule():
    nothing = counts(np.zeros((0, 2), int), [[0.0, 0.0]])
    assert expected_false(nothing, "ipss_quadratic", truncation=0.1).size == 0
    with pytest.raises(InputError, match="unknown"):
        expected_false(counts([[60, 60]], [[1, 1]]), "bonferroni", truncation=0.1)


def test_the_truncation_is_the_first_that_gives_a_network():
    from netinfer.stability.rules import TRUNCATIONS, choose_truncation

    # Ten strong pairs of twenty targets, selected at the second penalty alone, where q^2 / p is 0.0032.
    few = counts(np.full((10, 2), [50, 100]), np.tile([0.1, 0.4], (20, 1)))
    assert choose_truncation(few, "meinshausen_buhlmann") == TRUNCATIONS[1]
    many = counts(np.full((10, 2), [100, 100]), np.tile([0.1, 0.4], (20, 1)))
    assert choose_truncation(many, "meinshausen_buhlmann") == TRUNCATIONS[0]
    # Two pairs need a bound of 0.2 at most in 200 targets: 0.36 at the second penalty, 0.04 at the first.
    rare = counts(np.full((2, 2), [100, 100]), np.tile([0.1, 0.3], (200, 1)))
    assert choose_truncation(rare, "meinshausen_buhlmann") == TRUNCATIONS[3]
    # No network at all: the first end with a finite bound, or with none the first.
    weak = counts(np.full((1, 2), [60, 60]), np.tile([0.1, 9.0], (20, 1)))
    assert choose_truncation(weak, "meinshausen_buhlmann") == TRUNCATIONS[0]
    late = counts(np.full((1, 2), [60, 60]), np.tile([0.6, 9.0], (20, 1)))
    assert choose_truncation(late, "meinshausen_buhlmann") == TRUNCATIONS[1]
    none = counts(np.full((1, 2), [60, 60]), np.tile([5.0, 9.0], (20, 1)))
    assert choose_truncation(none, "meinshausen_buhlmann") == TRUNCATIONS[0]


def staged(first, second, q=(0.1, 0.5), n_targets=100):
    """Pairs that are selected always: so many at the first penalty (q^2 / p 0.0002), and more at the second (0.005)."""
    path = np.full((second, 2), 100)
    path[first:, 0] = 50
    return counts(path, np.tile(q, (n_targets, 1)))


def chosen_end(selection):
    from netinfer.stability.rules import choose_truncation

    return choose_truncation(selection, "meinshausen_buhlmann")


def test_a_network_of_few_edges_does_not_end_the_search():
    # A hundred targets ask for ten edges: nine at 0.002 are too few where 0.01 gives twelve, ten are enough.
    assert chosen_end(staged(9, 12)) == 0.01
    assert chosen_end(staged(10, 40)) == 0.002
    assert chosen_end(staged(1, 10)) == 0.01


def test_with_too_few_edges_anywhere_the_end_with_the_most_is_taken():
    # Six of a hundred at the second penalty, where 0.5 false ones are the bound, pass 0.1 a pair; four do not.
    assert chosen_end(staged(2, 6)) == 0.01
    assert chosen_end(staged(2, 4)) == 0.002
    # As many at both: the first.
    assert chosen_end(staged(6, 6)) == 0.002


def test_targets_without_a_candidate_ask_for_no_edge():
    selection = staged(9, 12)
    assert chosen_end(selection) == 0.01
    no_candidate = np.arange(100) < 10
    selection = dataclasses.replace(
        selection,
        n_candidates=np.where(no_candidate, 0.0, selection.n_candidates),
        n_union=np.where(no_candidate[:, None], 0.0, selection.n_union),
    )
    assert chosen_end(selection) == 0.002
