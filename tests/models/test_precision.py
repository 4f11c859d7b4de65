"""The undirected network: recovery, what half-samples count, chance, units, bits, and what is refused."""

import itertools
import json
import re
from pathlib import Path

import anndata
import networkx as nx
import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.errors import ConfigError, ConvergenceWarning, InputError
from netinfer.stability import complementary_pair

QUICK = {"n_subsamples": 4, "threads": 1}


def chain(p=30, n=300, seed=0, strength=0.35):
    """Samples of a chain of genes, each tied to the next, and its edges."""
    precision = np.eye(p) + strength * (np.eye(p, k=1) + np.eye(p, k=-1)) * np.where(np.arange(p) % 2, -1, 1)[:, None]
    precision = np.triu(precision, 1) + np.triu(precision, 1).T + np.eye(p)
    rng = np.random.default_rng(seed)
    names = [f"g{j:02d}" for j in range(p)]
    data = rng.standard_normal((n, p)) @ np.linalg.cholesky(np.linalg.inv(precision)).T
    return pd.DataFrame(data, columns=names), set(itertools.pairwise(names))


def pairs(edges):
    return set(zip(edges["source"], edges["target"], strict=True))


def f1(found, true):
    return 2 * len(found & true) / (len(found) + len(true))


# ---- recovery ---------------------------------------------------------------------------------------------------


# A chain of 0.35 at n = 300 has partial correlations of six standard errors of 1 / sqrt(300): every edge is found;
# StARS and eBIC leave a few chance edges in (measured F1 0.97 each), which these floors leave room for.
@pytest.mark.parametrize(("criterion", "least"), [("stars", 0.9), ("ebic", 0.9)])
def test_a_simulated_sparse_graph_is_recovered(criterion, least):
    data, true = chain()
    net = ni.infer_precision(data, criterion=criterion, **QUICK)
    assert true <= pairs(net.edges)
    assert f1(pairs(net.edges), true) >= least
    precision_sign = {pair: -1 if k % 2 == 0 else 1 for k, pair in enumerate(sorted(true))}
    found = {(row.source, row.target): row.sign for row in net.edges.itertuples()}
    assert all(found[pair] == sign for pair, sign in precision_sign.items())


def test_weights_are_partial_correlations_of_the_certified_fit():
    data, _ = chain(p=12)
    net = ni.infer_precision(data, penalty=0.15, **QUICK)
    found = ni.solvers.graphical_lasso(np.corrcoef(data.T), 0.15)
    size = np.sqrt(found.precision.diagonal())
    partial = pd.DataFrame(-found.precision / size / size[:, None], data.columns, data.columns)
    assert len(net.edges) == np.count_nonzero(np.triu(found.precision, 1))
    for row in net.edges.itertuples():
        # Two fits within a gap of 1e-6 a gene differ by its root, some 1e-3, at most.
        assert row.sign * row.weight == pytest.approx(partial.loc[row.source, row.target], abs=1e-3)
    assert net.provenance["worst_duality_gap"] <= 1e-6
    assert net.edges["effect"].isna().all()


# ---- half-samples -----------------------------------------------------------------------------------------------


def test_selection_probabilities_and_bounds_are_those_of_plain_loops():
    data, _ = chain(p=10, n=60)
    net = ni.infer_precision(data, penalty=0.2, n_subsamples=6, threshold=0.75, seed=3, threads=1)
    penalties = net.provenance["path_ends"]["penalty"]
    x, n_pairs = data.to_numpy(), 45
    chosen = np.zeros((6, len(penalties), 10, 10), bool)
    for pair in range(3):
        for half, units in enumerate(complementary_pair(60, pair, seed=3)):
            for k, penalty in enumerate(penalties):
                fit = ni.solvers.graphical_lasso(np.corrcoef(x[units].T), penalty)
                chosen[2 * pair + half, k] = np.triu(fit.precision != 0, 1)
    share = pd.DataFrame(chosen.mean(axis=0).max(axis=0), data.columns, data.columns)
    for row in net.candidates.itertuples():
        assert row.selection_probability == pytest.approx(share.loc[row.source, row.target])
    # Meinshausen and Buehlmann's bound with all pairs as candidates; 0.75 of 6 half-samples is 5 of them.
    q = np.maximum.accumulate(chosen, axis=1).sum(axis=(2, 3)).mean(axis=0)
    bound = q**2 / n_pairs / (2 * 5 / 6 - 1)
    np.testing.assert_allclose(net.provenance["path_ends"]["expected_false_edges"], bound)
    reached = np.maximum.accumulate(chosen.sum(axis=0), axis=0) >= 5
    for row in net.candidates.itertuples():
        at = reached[:, data.columns.get_loc(row.source), data.columns.get_loc(row.target)]
        if at.any():
            assert row.expected_false_edges == pytest.approx(bound[at.argmax()])
        else:
            assert np.isnan(row.expected_false_edges)


def test_the_path_ends_where_the_bound_helps_no_more():
    data, _ = chain(p=30, n=120)
    net = ni.infer_precision(data, expected_false_edges=2.0, **QUICK)
    bounds = net.provenance["path_ends"]["expected_false_edges"]
    # The first pair of halves alone decides; with it, the last end is the only one past the wish, but for the others'
    # number selected, which differs by less than a half (4 half-samples of 60 units).
    assert bounds[-1] > 1.0
    assert bounds[-2] < 4.0
    longer = ni.infer_precision(data, expected_false_edges=20.0, **QUICK)
    assert len(longer.provenance["path_ends"]["penalty"]) > len(bounds)


def test_chance_alone_keeps_the_bound():
    # 20 data sets without a tie, one expected false edge allowed in each. The bound is far from exact where all genes
    # are independent: the sum was 0, and 3, 9 and 28 with 3, 5 and 10 allowed, so that a bound too small by a factor of
    # 5 shows.
    total = 0
    for seed in range(20):
        data = np.random.default_rng(seed).standard_normal((60, 25))
        net = ni.infer_precision(data, expected_false_edges=1.0, n_subsamples=10, threshold=0.6, seed=seed, threads=1)
        total += len(net.edges)
    assert total <= 2


def test_cut_by_error_finds_the_edges_and_says_so():
    data, true = chain(p=30, n=400)
    net = ni.infer_precision(data, expected_false_edges=3.0, n_subsamples=20, threads=1)
    # 435 pairs allow half-samples of sqrt(0.8 * 3 * 435) = 32 ties for 3 false ones, which is room for the 29 edges; of
    # 200 units each, they tie an edge of five standard errors nearly always.
    assert len(pairs(net.edges) & true) >= 15
    assert len(pairs(net.edges) - true) <= 3
    assert net.cut["expected_false_edges"] <= 3.0
    assert net.provenance["criterion"] == "error"
    with pytest.raises(ConfigError, match="not the graph at one penalty"):
        net.threshold(penalty=0.2)


def test_an_edge_by_error_has_a_partial_correlation_of_a_fit():
    """g0 and g2 are tied by g1 alone: half-samples tie them early on the path, and its end no longer does."""
    rng = np.random.default_rng(0)
    size = np.array([[1.0, 0.8, 0.6], [0.8, 1.0, 0.8], [0.6, 0.8, 1.0]])
    data = rng.standard_normal((4000, 8))
    data[:, :3] = rng.standard_normal((4000, 3)) @ np.linalg.cholesky(size).T
    frame = pd.DataFrame(data, columns=[f"g{j}" for j in range(8)])
    net = ni.infer_precision(frame, expected_false_edges=0.6, n_subsamples=20, threads=1)
    penalties = net.provenance["path_ends"]["penalty"]
    path = ni.solvers.graphical_lasso_path(np.corrcoef(data.T), penalties)
    for row in net.candidates.itertuples():
        i, j = int(row.source[1:]), int(row.target[1:])
        partial = [-t[i, j] / np.sqrt(t[i, i] * t[j, j]) for t in (found.precision for found in path)]
        # That of the last penalty that ties the pair; fits within 1e-6 of gap differ by its root.
        assert row.weight * row.sign == pytest.approx([x for x in partial if x != 0][-1], abs=3e-3)


# ---- the network ------------------------------------------------------------------------------------------------


def test_a_graph_is_cut_by_error_and_goes_back(tmp_path):
    data, _ = chain(p=30, n=400)
    net = ni.infer_precision(data, penalty=0.1, n_subsamples=20, threads=1)
    assert net.cut["asked"] == {"penalty": 0.1}
    strict = net.threshold(expected_false_edges=3.0)
    assert 0 < len(strict.edges) < len(net.edges)
    assert strict.edges["expected_false_edges"].max() <= 3.0
    back = strict.threshold(penalty=0.1)
    pd.testing.assert_frame_equal(back.edges, net.edges)
    with pytest.raises(ConfigError, match=r"0.2 was not fitted, 0.1 was: fit again with penalty=0.2"):
        net.threshold(penalty=0.2)
    net.write(tmp_path / "net")
    again = ni.Network.read(tmp_path / "net")
    pd.testing.assert_frame_equal(again.edges, net.edges)
    assert again.cut == net.cut
    json.dumps(net.provenance, allow_nan=False)


def test_the_network_is_undirected_and_named_in_order():
    data, _ = chain(p=15)
    net = ni.infer_precision(data[list(data.columns[::-1])], penalty=0.2, **QUICK)
    assert not net.is_directed
    assert (net.candidates["source"] < net.candidates["target"]).all()
    graph = net.to_networkx()
    assert type(graph) is nx.Graph
    assert {word for _, _, word in graph.edges(data="interaction")} == {"associates"}
    degrees = net.nodes.set_index("name")["degree_in"]
    assert degrees.to_dict() == dict(graph.degree())
    assert (net.nodes["degree_in"] == net.nodes["degree_out"]).all()
    assert net.targets.set_index("target")["n_edges"].to_dict() == degrees.to_dict()


def test_an_empty_graph_says_why():
    net = ni.infer_precision(np.random.default_rng(0).standard_normal((40, 5)), penalty=1.0, **QUICK)
    assert len(net.edges) == 0
    assert "no two genes are tied at penalty 1" in net.cut["reason"]


# ---- units, bits, order -----------------------------------------------------------------------------------------


def as_adata(data, **obs):
    adata = ni.io.as_expression(data)
    for name, values in obs.items():
        adata.obs[name] = values
    return adata


@pytest.mark.parametrize("correlation", ["pearson", "spearman"])
def test_copies_within_a_block_count_once(correlation):
    data, _ = chain(p=10, n=40)
    once = ni.infer_precision(data, criterion="ebic", correlation=correlation, **QUICK)
    labels = [f"d{k}" for k in range(40)]
    twice = as_adata(pd.concat([data, data], ignore_index=True), donor=labels * 2)
    blocks = ni.infer_precision(twice, criterion="ebic", correlation=correlation, block="donor", **QUICK)
    assert blocks.provenance["n_units"] == 40
    assert blocks.provenance["penalty"] == pytest.approx(once.provenance["penalty"], rel=1e-9)
    assert pairs(blocks.edges) == pairs(once.edges)
    columns = ["selection_probability", "expected_false_edges"]
    np.testing.assert_allclose(blocks.edges[columns], once.edges[columns])


@pytest.mark.parametrize("criterion", ["stars", "ebic", "cv"])
def test_one_thread_and_two_give_the_same_bits(criterion):
    data, _ = chain(p=12, n=60)
    one, two = (ni.infer_precision(data, criterion=criterion, n_subsamples=8, threads=threads) for threads in (1, 2))
    pd.testing.assert_frame_equal(one.candidates, two.candidates, check_exact=True)
    pd.testing.assert_frame_equal(one.targets, two.targets, check_exact=True)
    assert one.provenance == two.provenance


def test_the_order_of_the_genes_decides_nothing():
    data, _ = chain(p=12, n=60)
    net = ni.infer_precision(data, max_genes=10, **QUICK)
    order = np.random.default_rng(1).permutation(12)
    other = ni.infer_precision(data[data.columns[order]], max_genes=10, **QUICK)
    assert set(other.nodes["name"]) == set(net.nodes["name"])
    columns = ["source", "target", "sign", "selection_probability"]
    key = ["source", "target"]
    pd.testing.assert_frame_equal(
        net.candidates[columns].sort_values(key, ignore_index=True),
        other.candidates[columns].sort_values(key, ignore_index=True),
    )
    assert other.provenance["penalty"] == pytest.approx(net.provenance["penalty"], rel=1e-12)


def test_rank_methods_do_not_see_monotone_transforms():
    data, _ = chain(p=8, n=60)
    for correlation in ("spearman", "normal_scores"):
        plain = ni.infer_precision(data, criterion="ebic", correlation=correlation, **QUICK)
        bent = ni.infer_precision(np.exp(2 * data), criterion="ebic", correlation=correlation, **QUICK)
        assert bent.provenance["path"] == plain.provenance["path"]
        assert pairs(bent.edges) == pairs(plain.edges)


# ---- genes and covariates ---------------------------------------------------------------------------------------


def test_regulators_come_first_then_the_most_variable():
    data, _ = chain(p=12, n=60)
    scaled = data * np.linspace(1, 5, 12)
    scaled["flat"] = 7.0
    net = ni.infer_precision(scaled, penalty=0.2, regulators=["g00", "g01", "flat"], max_genes=5, **QUICK)
    assert net.nodes["name"].tolist() == ["g00", "g01", "g09", "g10", "g11"]
    assert net.nodes["is_regulator"].tolist() == [True, True, False, False, False]
    assert net.provenance["genes"].startswith("conditional on the genes included: 5 of 13, 2 regulators")
    status = net.targets.set_index("target")["status"]
    assert status.value_counts().to_dict() == {"filtered": 7, "ok": 5, "constant": 1}
    assert status["flat"] == "constant"


def test_a_covariate_that_moves_all_genes_is_projected_out():
    rng = np.random.default_rng(5)
    batch = np.repeat([0.0, 1.0], 40)
    data = pd.DataFrame(rng.standard_normal((80, 8)) + 3 * batch[:, None], columns=list("abcdefgh"))
    adata = as_adata(data, batch=np.where(batch, "late", "early"))
    raw = ni.infer_precision(adata, penalty=0.45, **QUICK)
    adjusted = ni.infer_precision(adata, penalty=0.45, covariates=["batch"], **QUICK)
    assert len(raw.edges) == 28  # the batch alone correlates all pairs by 0.69
    assert len(adjusted.edges) == 0  # chance correlations of 80 samples stay below 4 / sqrt(80) = 0.45
    assert adjusted.provenance["covariate_df"] == 1


# ---- what is refused --------------------------------------------------------------------------------------------


def test_uncertified_fits_are_told_in_one_warning(monkeypatch):
    from netinfer.models.precision import fits

    monkeypatch.setattr(fits, "MAX_SWEEPS", 1)
    monkeypatch.setattr(fits, "TOLERANCE", 1e-13)
    data, _ = chain(p=12, n=60)
    with pytest.warns(ConvergenceWarning, match="fits with a duality gap per gene above") as seen:
        net = ni.infer_precision(data, penalty=0.05, **QUICK)
    assert len(seen) == 1
    assert (net.targets["status"] == "not_converged").all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"criterion": "aic"}, "criterion: 'aic' is unknown: use stars, ebic, cv"),
        ({"penalty": 0.0}, "penalty: 0.0 is not above 0"),
        ({"penalty": 1.5}, "at most 1"),
        ({"penalty": True}, "penalty: True"),
        ({"correlation": "distance"}, "correlation: 'distance' is unknown"),
        ({"rule": "bonferroni"}, "rule: 'bonferroni' is unknown"),
        ({"threshold": 0.5}, "threshold: 0.5"),
        ({"n_subsamples": 5}, "n_subsamples: 5"),
        ({"max_genes": 1}, "max_genes: 1"),
        ({"stars_threshold": 0.5}, "stars_threshold: 0.5"),
        ({"seed": -1}, "seed: -1"),
        ({"threads": 0}, "threads: 0"),
        ({"fdr": 0.1, "expected_false_edges": 1}, "not both"),
        ({"expected_false_edges": 1e9}, "1e\\+09 false edges cannot be among 15"),
    ],
)
def test_impossible_settings_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        ni.infer_precision(np.random.default_rng(0).standard_normal((40, 6)), **arguments)


def changed(place, value):
    data = np.random.default_rng(0).standard_normal((40, 4))
    data[place] = value
    return data


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (changed((2, 1), np.nan), "nan in sample 's0003' of gene 'g0002'"),
        (changed((2, 1), np.inf), "inf in sample 's0003' of gene 'g0002'"),
        (changed((slice(None), slice(1, 4)), 1.0), "1 of 4 genes vary"),
        (changed(0, 0.0)[:2], "2 independent units, at least 20"),
        (changed(0, 0.0)[:19], "19 independent units, at least 20"),
    ],
)
def test_unusable_data_are_refused(data, message):
    with pytest.raises(InputError, match=message):
        ni.infer_precision(data, **QUICK)


def test_few_units_of_many_samples_are_refused():
    data, _ = chain(p=5, n=60)
    with pytest.raises(InputError, match="12 independent units of column 'donor', at least 20"):
        ni.infer_precision(as_adata(data, donor=[f"d{k % 12}" for k in range(60)]), block="donor", **QUICK)


def test_the_example_of_the_page_runs(tmp_path, monkeypatch):
    page = Path(__file__).parents[2] / "docs" / "precision.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(code, names)
    assert names["net"].provenance["genes"] == "conditional on the genes included: 30 of 30, all that vary"
    assert 0 < len(names["sure"].edges) <= len(names["net"].edges)
    assert (tmp_path / "precision.graphml").exists()


# ---- what does not fit ------------------------------------------------------------------------------------------


def samples(data, **obs):
    names = [f"g{j:02d}" for j in range(data.shape[1])]
    return anndata.AnnData(
        data, obs=pd.DataFrame(obs, index=[f"s{i}" for i in range(len(data))]), var=pd.DataFrame(index=names)
    )


def test_genes_scaled_to_one_variance_are_not_called_the_most_variable():
    data = np.random.default_rng(0).standard_normal((40, 12)) * np.linspace(1, 3, 12)
    ranked = ni.normalize(samples(np.exp(data)), "rank")
    with pytest.warns(UserWarning, match="all genes have the same variance"):
        net = ni.infer_precision(ranked, max_genes=5, penalty=0.5, **QUICK)
    assert net.nodes["name"].tolist() == ["g00", "g01", "g02", "g03", "g04"]
    assert net.provenance["genes"].endswith("5 of 12, the first by name, since all have the same variance")


def test_shrinkage_by_samples_is_refused_where_units_have_several():
    adata = samples(np.random.default_rng(0).standard_normal((60, 6)), donor=np.repeat(np.arange(30), 2).astype(str))
    with pytest.raises(InputError, match="ledoit_wolf takes samples for independent"):
        ni.infer_precision(adata, shrinkage="ledoit_wolf", penalty=0.5, block="donor", **QUICK)


def test_units_of_very_unequal_size_have_no_extended_bic():
    sizes = [400] + [1] * 23
    rng = np.random.default_rng(0)
    adata = samples(
        rng.standard_normal((423, 6)),
        donor=np.repeat(np.arange(24), sizes).astype(str),
        age=np.repeat(rng.standard_normal(24), sizes),
    )
    with pytest.raises(InputError, match="effective units, at least 3 are needed"):
        ni.infer_precision(adata, criterion="ebic", block="donor", covariates=["age"], **QUICK)


def test_an_extended_bic_that_cannot_go_on_says_so():
    rng = np.random.default_rng(0)
    data = 4.0 * rng.standard_normal((24, 1)) + rng.standard_normal((24, 60))
    with pytest.warns(UserWarning, match="the graph is too dense for 24 units"):
        ni.infer_precision(samples(data), criterion="ebic", **QUICK)


def test_ranks_with_covariates_are_looked_at_before_any_fit():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((60, 6))
    data[:20, 2] = -3.0  # a third of the samples, and more of them in some half
    adata = samples(data, age=rng.standard_normal(60))
    ni.infer_precision(adata, correlation="spearman", penalty=0.5, covariates=["age"], **QUICK)
    data[:21, 2] = -3.0
    adata = samples(data, age=rng.standard_normal(60))
    with pytest.raises(InputError, match="gene g02 has one value in more than a third"):
        ni.infer_precision(adata, correlation="spearman", penalty=0.5, covariates=["age"], **QUICK)
    with pytest.raises(InputError, match="have no held-out likelihood"):
        ni.infer_precision(
            samples(rng.standard_normal((60, 6)), age=rng.standard_normal(60)),
            correlation="kendall", criterion="cv", covariates=["age"], **QUICK,
        )  # fmt: skip
