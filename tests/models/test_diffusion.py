"""The operator of a linear step: recovery, self-loops, known answers, threads, bad input."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.errors import ConvergenceWarning, InputError
from netinfer.models.diffusion import fit
from netinfer.simulate import diffusion


def simulated(**changes):
    return diffusion(**{"n_nodes": 25, "n_samples": 400, "graph": "grid", "noise": 0.2, "seed": 1, **changes})


@pytest.mark.parametrize("graph", ["random", "scale_free", "grid"])
@pytest.mark.parametrize("nonnegative", [False, True])
def test_links_are_found_where_data_are_plenty(graph, nonnegative):
    before, after, operator = simulated(graph=graph)
    model = ni.infer_diffusion(before, after, nonnegative=nonnegative, rule="shah_samworth")
    truth = operator.to_numpy() != 0
    np.fill_diagonal(truth, False)
    found = model.operator.to_numpy() != 0
    np.fill_diagonal(found, False)
    # 400 samples of 25 nodes with little noise: the smallest link of the hubs, 0.5 / 12, is three standard errors.
    assert (found & truth).sum() >= 0.9 * truth.sum()
    assert len(model.network.edges) >= 0.5 * truth.sum()
    assert set(model.network.edges["direction_basis"]) == {"time"}
    assert (model.rows["status"] == "ok").all()
    if nonnegative:
        assert (model.operator.to_numpy() >= 0).all()


def test_false_links_are_on_average_no_more_than_the_bound():
    wrong = []
    for seed in range(12):
        before, after, operator = simulated(n_nodes=16, n_samples=100, noise=0.5, seed=seed)
        model = ni.infer_diffusion(before, after, expected_false_edges=2.0, n_subsamples=40)
        wrong.append(sum(operator.loc[edge.target, edge.source] == 0 for edge in model.network.edges.itertuples()))
    # The bound is of the expectation: 2. The mean of 12 counts with a variance of 2 has a standard error of 0.4.
    assert np.mean(wrong) <= 2.0 + 2 * 0.4


def test_without_noise_the_operator_is_found():
    before, after, operator = simulated(noise=0.0)
    model = ni.infer_diffusion(before, after, n_subsamples=4)
    # The smallest penalty of the path is 1e-4 standard deviations: that much is shrunk away.
    np.testing.assert_allclose(model.operator, operator, atol=1e-3)
    np.testing.assert_allclose(model.predict(before), after, atol=5e-3)
    assert (model.rows["r2"] > 0.999).all()


def test_no_links_no_edges():
    rng = np.random.default_rng(0)
    before = rng.standard_normal((200, 20))
    after = 0.8 * before + rng.standard_normal((200, 20))
    model = ni.infer_diffusion(before, after)
    assert len(model.network.edges) == 0
    np.testing.assert_allclose(model.rows["self_loop"], 0.8, atol=0.3)  # four standard errors of 1 / sqrt(200)


def test_self_loops_free_penalised_absent_known():
    before, after, operator = simulated()
    known = np.diag(operator)
    free, penalised, none, given = (
        ni.infer_diffusion(before, after, self_loops=how, penalty=0.2, n_subsamples=4)
        for how in ("free", "penalised", "none", known)
    )
    assert (penalised.rows["self_loop"] < free.rows["self_loop"]).all()
    assert not none.rows["self_loop"].any()
    np.testing.assert_array_equal(given.rows["self_loop"], known)
    # With the true self-loops taken off, row 1 is an ordinary Lasso of what is left on the other nodes.
    rest = after["node1"] - 0.5 * before["node1"]
    Z = (before - before.mean()) / before.std(ddof=0)
    z = ((rest - rest.mean()) / rest.std(ddof=0)).to_numpy()
    gram, cross = Z.T.to_numpy() @ Z.to_numpy() / len(Z), Z.T.to_numpy() @ z / len(Z)
    weights = np.ones(25)
    weights[0] = np.inf
    coef = ni.solvers.lasso_path(gram, cross, [0.2], penalty_weights=weights).coef[0]
    expected = coef * rest.std(ddof=0) / before.std(ddof=0)
    expected.iloc[0] = 0.5
    np.testing.assert_allclose(given.operator.loc["node1"], expected, atol=1e-9)


def test_signed_links_keep_their_sign():
    before, after, operator = simulated(signed=True)
    edges = ni.infer_diffusion(before, after, rule="shah_samworth").network.edges
    truth = np.array([operator.loc[edge.target, edge.source] for edge in edges.itertuples()])
    assert (truth < 0).any()
    is_link = truth != 0
    np.testing.assert_array_equal(edges["sign"].to_numpy()[is_link], np.sign(truth[is_link]))


def test_threads_and_scale_change_nothing():
    before, after, _ = simulated(n_nodes=9, n_samples=80)
    one = ni.infer_diffusion(before, after, n_subsamples=20)
    two = ni.infer_diffusion(before, after, n_subsamples=20, threads=2)
    pd.testing.assert_frame_equal(one.network.candidates, two.network.candidates, check_exact=True)
    pd.testing.assert_frame_equal(one.operator, two.operator, check_exact=True)
    scaled = ni.infer_diffusion(4 * before + 8, after, n_subsamples=20)
    np.testing.assert_allclose(scaled.operator, one.operator / 4, atol=1e-12)


@pytest.mark.parametrize("self_loops", ["free", "known"])
def test_units_of_the_signals_change_nothing(self_loops):
    before, after, operator = simulated(n_nodes=9, n_samples=80)
    how = np.diag(operator) if self_loops == "known" else "free"
    one = ni.infer_diffusion(before, after, n_subsamples=10, self_loops=how)
    for x_unit, y_unit in ((1e-8, 1e-8), (1e8, 1e8), (1e-8, 1e8)):
        loops = how if isinstance(how, str) else how * (y_unit / x_unit)
        other = ni.infer_diffusion(x_unit * before + 3 * x_unit, y_unit * after, n_subsamples=10, self_loops=loops)
        assert (other.rows["status"] == "ok").all()
        np.testing.assert_allclose(other.operator * (x_unit / y_unit), one.operator, atol=1e-9)
        np.testing.assert_allclose(other.rows["r2"], one.rows["r2"], atol=1e-9)
        columns = ["source", "target", "selection_probability"]
        pd.testing.assert_frame_equal(other.network.candidates[columns], one.network.candidates[columns])


def test_rows_with_ids_are_matched_by_them():
    before, after, _ = simulated(n_nodes=9, n_samples=80)
    before.index = after.index = [f"s{k}" for k in range(80)]
    unit = pd.Series(np.repeat(np.arange(20), 4), index=before.index)
    one = ni.infer_diffusion(before, after, n_subsamples=4, block=unit)
    two = ni.infer_diffusion(before, after.iloc[::-1], n_subsamples=4, block=unit.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(one.operator, two.operator, check_exact=True)
    pd.testing.assert_frame_equal(one.network.candidates, two.network.candidates, check_exact=True)
    with pytest.raises(InputError, match="after: no row has the id 's0'"):
        ni.infer_diffusion(before, after.rename(index={"s0": "t0"}))


def test_the_worst_gap_of_the_half_samples_is_the_rows(monkeypatch):
    before, after, _ = simulated(n_nodes=9, n_samples=80)
    solve = fit._solve

    def half_solved(problem, i, penalties, nonnegative):
        coef, gap = solve(problem, i, penalties, nonnegative)
        # The operator's grid begins at 1, that of the half-samples below.
        return coef, gap + (1e-4 if i == 2 and penalties[0] < 1.0 else 0.0)

    monkeypatch.setattr(fit, "_solve", half_solved)
    with pytest.warns(ConvergenceWarning, match=r"1 rows are not certified, the worst node3 .* 1\.0e-04"):
        model = ni.infer_diffusion(before, after, n_subsamples=4)
    for table in (model.rows, model.network.targets):
        assert table["status"].tolist().count("not_converged") == 1
        assert table["status"][2] == "not_converged"
        assert table["duality_gap"][2] >= 1e-4


def test_fits_without_a_certificate_are_said_and_counted(monkeypatch):
    before, after, _ = simulated(n_nodes=9, n_samples=80)
    solve = fit.follow_nonnegative

    def uncertified(*arguments):
        solve(*arguments)
        arguments[9][:] = 1e-3  # the gaps

    monkeypatch.setattr(fit, "follow_nonnegative", uncertified)
    with pytest.warns(ConvergenceWarning, match="rows are not certified"):
        model = ni.infer_diffusion(before, after, n_subsamples=4, nonnegative=True, penalty=0.01)
    assert (model.network.targets["status"] == "not_converged").sum() == np.sum(model.rows["duality_gap"] > 1e-8) > 0


def test_blocks_are_the_units():
    before, after, _ = simulated(n_nodes=9, n_samples=80)
    model = ni.infer_diffusion(before, after, n_subsamples=10, block=np.repeat(np.arange(20), 4))
    assert model.network.provenance["n_units"] == 20
    with pytest.raises(InputError, match="at least 8"):
        ni.infer_diffusion(before, after, block=np.repeat(np.arange(4), 20))


def test_a_constant_node_is_a_row_with_a_status():
    before, after, _ = simulated(n_nodes=9, n_samples=80)
    after["node3"] = 0.1  # eighty of which have a variance of rounding
    before["node4"] = 2.0
    model = ni.infer_diffusion(before, after, n_subsamples=10)
    assert list(model.rows["status"][model.rows["node"] == "node3"]) == ["constant"]
    assert np.isnan(model.rows["r2"][2])
    assert model.network.targets["status"][2] == "constant"
    assert "nothing varies" in model.network.targets["reason"][2]
    assert not model.operator.loc["node3"].any()
    assert not model.operator["node4"].any()
    assert len(model.rows) == 9


def test_the_network_can_be_written(tmp_path):
    before, after, _ = simulated(n_nodes=9, n_samples=200)
    model = ni.infer_diffusion(before, after, n_subsamples=20, rule="shah_samworth")
    path = tmp_path / "links.graphml"
    model.network.write_graphml(path)
    assert nx.read_graphml(path).number_of_edges() == len(model.network.edges) > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"after": np.zeros((79, 9))}, "one shape"),
        ({"self_loops": "maybe"}, "none of free"),
        ({"self_loops": [1.0, 2.0]}, "values for 9 nodes"),
        ({"penalty": 0.0}, "positive number"),
        ({"names": ["a"] * 9}, "1 distinct names for 9"),
        ({"block": [1]}, "one a sample"),
        ({"threads": 0}, "at least 1"),
        ({"n_subsamples": 5}, "must be even"),
        ({"rule": "guess"}, "rule"),
        ({"fdr": 0.1, "expected_false_edges": 1.0}, "give one"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    before, after, _ = simulated(n_nodes=9, n_samples=80)
    arguments = {"before": before, "after": after, **change}
    with pytest.raises(InputError, match=message):
        ni.infer_diffusion(arguments.pop("before"), arguments.pop("after"), **arguments)


def test_bad_values_are_named():
    before, after, _ = simulated(n_nodes=9, n_samples=80)
    after.iloc[3, 4] = np.inf
    with pytest.raises(InputError, match="after: sample 4, node 'node5'"):
        ni.infer_diffusion(before, after)
    with pytest.raises(InputError, match="column 1 is 'node1' before and 'node9' after"):
        ni.infer_diffusion(before, before[before.columns[::-1]])


@pytest.mark.parametrize(
    "change", [{"graph": "star"}, {"n_nodes": 24}, {"noise": -1}, {"step": 1.0}, {"n_nodes": 1, "graph": "random"}]
)
def test_impossible_simulations_are_refused(change):
    with pytest.raises(InputError, match="simulate"):
        simulated(**change)
