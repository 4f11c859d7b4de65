"""Penalty weights by name: regulators and pairs, forbidden and free ones, and what the bounds make of them."""

import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.config import RegressionConfig
from netinfer.errors import InputError
from netinfer.models.regression import fit_chunk, gather, problem_from_arrays, selection_counts
from netinfer.models.regression.weights import pair_weights

SETTINGS = {"n_subsamples": 20, "n_penalties": 8, "penalty_min": 0.15}
REGULATORS, TARGETS = [f"r{j}" for j in range(6)], [f"r{j}" for j in range(6)] + [f"t{j}" for j in range(4)]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    X = rng.standard_normal((80, 6))
    Y = np.hstack([X, X[:, :4] * [1.0, 0.8, 0.6, 0.3] + rng.standard_normal((80, 4))])
    return pd.DataFrame(Y, columns=TARGETS, index=[f"s{i}" for i in range(80)])


def network(data, weights, **more):
    return ni.infer_regression(data, REGULATORS, penalty_weights=weights, threads=1, fdr=0.5, **(SETTINGS | more))


def problem(data, weights=None):
    values = data.to_numpy()
    return problem_from_arrays(
        values[:, :6], values, regulator_names=REGULATORS, target_names=TARGETS, penalty_weights=weights
    )


def pairs(net):
    return net.candidates.set_index(["source", "target"])


def test_no_weights_and_weights_of_one_are_the_same_network(data):
    plain = network(data, None)
    for ones in ({}, {"r1": 1.0}, pd.Series(1.0, REGULATORS), pd.DataFrame(1.0, ["r1"], ["t0"])):
        other = network(data, ones)
        pd.testing.assert_frame_equal(other.candidates, plain.candidates)
        assert other.provenance["settings_hash"] == plain.provenance["settings_hash"]
        assert "penalty_weights" not in other.provenance


def test_a_dict_a_series_and_a_table_of_all_targets_say_the_same(data):
    values = {"r0": 0.5, "r3": 2.0, "r4": np.inf}
    table = pd.DataFrame(dict.fromkeys(TARGETS, values))
    with pytest.warns(UserWarning, match="no bound on false edges holds there"):
        by_dict, by_series, by_pair = (network(data, given) for given in (values, pd.Series(values), table))
    pd.testing.assert_frame_equal(by_series.candidates, by_dict.candidates)
    pd.testing.assert_frame_equal(by_pair.candidates, by_dict.candidates)
    assert by_dict.provenance["penalty_weights"]["by"] == "regulator"
    assert by_pair.provenance["penalty_weights"]["by"] == "pair"
    assert by_dict.provenance["penalty_weights"]["n_forbidden_pairs"] == len(TARGETS)
    assert by_dict.provenance["settings_hash"] != network(data, None).provenance["settings_hash"]


def test_a_forbidden_pair_is_no_candidate_and_other_pairs_of_its_regulator_are(data):
    table = pd.DataFrame(np.inf, ["r0"], ["t0"])
    plain, net = pairs(network(data, None)), pairs(network(data, table))
    assert ("r0", "t0") in plain.index
    assert ("r0", "t0") not in net.index
    rest = plain[plain.index.get_level_values("target") != "t0"]
    kept = net[net.index.get_level_values("target") != "t0"]
    pd.testing.assert_series_equal(kept["weight"].sort_index(), rest["weight"].sort_index())
    forbidden = problem(data, table)
    assert forbidden.n_candidates[TARGETS.index("t0")] == 5
    assert forbidden.n_candidates[TARGETS.index("t1")] == 6
    assert forbidden.n_candidates[TARGETS.index("r1")] == 5  # itself left out, as ever


def test_a_target_without_any_candidate_is_a_row_like_others(data):
    table = pd.DataFrame(np.inf, REGULATORS, ["t2"])
    net = network(data, table)
    assert "t2" not in set(net.candidates["target"])
    row = net.targets.set_index("target").loc["t2"]
    assert row["status"] == "ok"
    assert row["n_candidates"] == 0
    assert row["penalty_max"] == 0.0
    assert problem(data, table).n_candidates[TARGETS.index("t2")] == 0


def test_a_free_pair_is_in_every_model_and_in_no_bound(data):
    table = pd.DataFrame(0.0, ["r5"], ["t1"])  # r5 has nothing to do with t1
    net = network(data, table)
    pair = pairs(net).loc[("r5", "t1")]
    assert pair["selection_probability"] == 1.0
    assert np.isnan(pair["expected_false_edges"])
    assert np.isnan(pair["q_value"])
    assert not ((net.edges["source"] == "r5") & (net.edges["target"] == "t1")).any()
    assert net.provenance["penalty_weights"]["n_unpenalised_pairs"] == 1
    assert "no bound counts them" in net.provenance["penalty_weights"]["note"]
    by_probability = net.threshold(selection_probability=1.0).edges
    assert ((by_probability["source"] == "r5") & (by_probability["target"] == "t1")).any()


def test_free_pairs_are_not_among_the_numbers_selected(data):
    settings = RegressionConfig(**SETTINGS)
    free = problem(data, pd.DataFrame(0.0, ["r4", "r5"], ["t1"]))
    t = TARGETS.index("t1")
    part = fit_chunk(free, settings=settings)
    counts = selection_counts(free, [part], settings)
    assert counts.n_candidates[t] == 4
    assert counts.n_selected[t].max() <= 4
    assert counts.n_union[t].max() <= 4
    assert (part.n_selected >= 0).all()
    assert (part.n_union >= part.n_selected).all()
    # At the first penalty nothing penalised is selected, so nothing is counted.
    assert part.n_selected[t, 0] == 0
    # Forbidding the two instead gives the same candidates, and no free regulator to adjust for.
    other = problem(data, pd.DataFrame(np.inf, ["r4", "r5"], ["t1"]))
    assert selection_counts(other, [fit_chunk(other, settings=settings)], settings).n_candidates[t] == 4
    assert len(gather(free, [part], settings=settings).candidates)


def test_weights_act_as_scaled_penalties_in_both_fits(data):
    # All weights 2 with the penalties halved: the same problem, path and ranking.
    doubled = network(data, dict.fromkeys(REGULATORS, 2.0), penalty_max=0.495, penalty_min=0.075, ranking_penalty=0.025)
    plain = network(data, None, penalty_max=0.99, penalty_min=0.15, ranking_penalty=0.05)
    left, right = pairs(doubled).sort_index(), pairs(plain).sort_index()
    np.testing.assert_allclose(left["weight"], right["weight"], atol=1e-10)
    np.testing.assert_array_equal(left["selection_probability"], right["selection_probability"])
    np.testing.assert_allclose(doubled.targets["penalty_max"], plain.targets["penalty_max"] / 2, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:penalty_weights")
@pytest.mark.parametrize("model", ["elastic_net", "lasso"])
def test_the_same_bits_for_any_threads_and_chunks(data, model):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0.3, 3.0, (6, 10)), REGULATORS, TARGETS)
    table.iloc[2, 7], table.iloc[3, 8] = 0.0, np.inf
    settings = RegressionConfig(model=model, **SETTINGS)
    weighted = problem(data, table)
    whole = gather(weighted, [fit_chunk(weighted, settings=settings, threads=1)], settings=settings).candidates
    two = gather(weighted, [fit_chunk(weighted, settings=settings, threads=2)], settings=settings).candidates
    parts = [fit_chunk(weighted, settings=settings, chunk=(i, 2)) for i in (1, 2)]
    pd.testing.assert_frame_equal(two, whole, check_exact=True)
    pd.testing.assert_frame_equal(gather(weighted, parts, settings=settings).candidates, whole, check_exact=True)


def test_what_is_not_named_has_weight_one():
    out = pair_weights(pd.DataFrame({"t1": [0.5]}, index=["r2"]), REGULATORS, TARGETS)
    assert out.shape == (10, 6)
    assert (out != 1).sum() == 1
    assert out[TARGETS.index("t1"), 2] == 0.5
    assert pair_weights({"r2": 0.5}, REGULATORS, TARGETS).tolist() == [[1, 1, 0.5, 1, 1, 1]]
    assert pair_weights(None, REGULATORS, TARGETS) is None


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"r1": -1.0}, r"-1 for 'r1' \(1 such\): a weight is a number >= 0"),
        ({"r1": np.nan}, "nan for 'r1'"),
        ({"r1": "much"}, "could not convert"),
        (pd.DataFrame({"t1": [1.0, -2.0]}, index=["r1", "r2"]), "-2 for 'r2' -> 't1'"),
        (pd.DataFrame({"t1": [1.0], "t2": [np.nan]}, index=["r1"]), "nan for 'r1' -> 't2'"),
        ({f"x{j}": 1.0 for j in range(7)}, "7 of 7 names are no regulator of this regression: 'x0'.*'x4'.*: use"),
        ({"R1": 0.5}, "'R1' .nearest: r1."),
        (pd.DataFrame({"gene": [0.5]}, index=["r1"]), "1 of 1 names are no target"),
        (pd.Series([0.5, 0.6], index=["r1", "r1"]), "regulator 'r1' stands twice"),
        (dict.fromkeys(REGULATORS, np.inf), "every regulator is forbidden"),
        ([0.5] * 6, "list given: pass a Series or dict"),
    ],
)
def test_bad_weights_are_refused(weights, message):
    with pytest.raises(InputError, match=message):
        pair_weights(weights, REGULATORS, TARGETS)


def test_unknown_names_are_listed_up_to_five():
    with pytest.raises(InputError) as fault:
        pair_weights({f"x{j}": 1.0 for j in range(7)}, REGULATORS, TARGETS)
    assert "'x5'" not in str(fault.value)


def test_weights_that_differ_have_no_bound_and_pass_no_cut_by_error():
    # Noise: with a bound on a regulator that enters 50 times more easily all its pairs would be edges at fdr 0.1.
    values = np.random.default_rng(0).standard_normal((100, 26))
    noise = pd.DataFrame(values, columns=[f"r{j}" for j in range(6)] + [f"n{j}" for j in range(20)])
    with pytest.warns(UserWarning, match="differ among the candidates of 26 of 26 targets"):
        net = ni.infer_regression(noise, REGULATORS, penalty_weights={"r0": 0.02}, threads=1, **SETTINGS)
    strong = net.candidates[net.candidates["source"] == "r0"]
    assert (strong["selection_probability"] == 1.0).sum() >= 20
    assert net.candidates["q_value"].isna().all()
    assert not len(net.edges)
    assert "the bound holds for" in net.cut["reason"]


def test_one_target_of_uneven_weights_leaves_the_others_their_bounds(data):
    settings = RegressionConfig(**SETTINGS)
    plain, uneven = problem(data), problem(data, pd.DataFrame(0.5, ["r1"], ["t1"]))
    expected = pairs(gather(plain, [fit_chunk(plain, settings=settings)], settings=settings))
    with pytest.warns(UserWarning, match="differ among the candidates of 1 of 10 targets"):
        found = pairs(gather(uneven, [fit_chunk(uneven, settings=settings)], settings=settings))
    of_t1 = found.index.get_level_values("target") == "t1"
    assert found[of_t1]["expected_false_edges"].isna().all()
    others = found[~of_t1]["expected_false_edges"].dropna()
    assert len(others) >= 3
    # The bound is a sum over the targets that have one: smaller by what t1 added.
    assert (others < expected.loc[others.index, "expected_false_edges"]).all()


def test_one_weight_for_all_candidates_is_no_difference(data):
    net = network(data, pd.Series(2.0, REGULATORS))
    assert net.candidates["expected_false_edges"].notna().any()
