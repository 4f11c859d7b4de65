"""The penalty of the undirected network against plain references: the extended BIC, held-out likelihood and StARS."""

import numpy as np
import pandas as pd
import pytest
from sklearn.covariance import graphical_lasso as sklearn_graphical_lasso

import netinfer as ni
from netinfer.models.precision.choice import FOLD_STREAM
from netinfer.models.precision.correlations import Correlations
from netinfer.stability.stars import subsample, subsample_size
from netinfer.stability.subsamples import raw_words

QUICK = {"n_subsamples": 4, "threads": 1}


def samples(n=60, p=8, seed=0):
    rng = np.random.default_rng(seed)
    mixed = rng.standard_normal((p, p)) * (rng.random((p, p)) < 0.3) + 2 * np.eye(p)
    return rng.standard_normal((n, p)) @ mixed


def fitted(correlation, penalty):
    return ni.solvers.graphical_lasso(correlation, penalty, tol=1e-9).precision


def path(net):
    return pd.DataFrame(net.provenance["path"])


def maximum_likelihood(r, graph):
    """The covariance that agrees with r on a graph and whose inverse is zero off it, one gene at a time."""
    w, p = r.copy(), len(r)
    for _ in range(200):
        for j in range(p):
            others = np.arange(p) != j
            ties = graph[j] & others
            if ties.any():
                w[others, j] = w[np.ix_(others, ties)] @ np.linalg.solve(w[np.ix_(ties, ties)], r[ties, j])
            else:
                w[others, j] = 0.0
            w[j, others] = w[others, j]
    return w


def test_the_extended_bic_is_its_formula():
    x = samples(n=200)
    net = ni.infer_precision(x, criterion="ebic", **QUICK)
    table, r = path(net), np.corrcoef(x.T)
    assert table["n_edges"][0] == 0  # at the largest correlation itself, where a rounding would decide below
    for row in table[1:].itertuples():
        graph = fitted(r, row.penalty) != 0
        n_edges = np.count_nonzero(np.triu(graph, 1))
        assert row.n_edges == n_edges
        w = maximum_likelihood(r, graph)
        likelihood = 200 * (np.trace(r @ np.linalg.inv(w)) + np.linalg.slogdet(w)[1])
        expected = likelihood + n_edges * np.log(200) + 4 * 0.5 * n_edges * np.log(8)
        # Two points within a gap of 1e-6 a gene: 200 units of 8 genes make 0.002 of it.
        assert row.criterion == pytest.approx(expected, abs=0.005)
    best = table["criterion"].idxmin()
    assert net.provenance["penalty"] == table["penalty"][best]
    assert 0 < best < len(table) - 1


def test_the_extended_bic_counts_units_and_covariates():
    x = samples()
    adata = ni.io.as_expression(np.vstack([x, x]))
    adata.obs["donor"] = [f"d{k}" for k in range(60)] * 2
    adata.obs["age"] = np.tile(np.arange(60.0), 2)
    net = ni.infer_precision(adata, criterion="ebic", block="donor", covariates=["age"], **QUICK)
    assert net.provenance["criterion_settings"] == {"gamma": 0.5, "n": 59}


@pytest.mark.parametrize("is_adjusted", [False, True])
def test_held_out_likelihood_is_that_of_plain_loops(is_adjusted):
    x = samples()
    age = np.linspace(-1, 1, 60) ** 2
    adata = ni.io.as_expression(x + 2 * age[:, None])
    adata.obs["age"] = age
    covariates = ["age"] if is_adjusted else []
    net = ni.infer_precision(adata, criterion="cv", covariates=covariates, seed=2, **QUICK)
    table, values = path(net), np.asarray(adata.X)
    order = np.argsort(raw_words(2, FOLD_STREAM, 60), kind="stable")
    design = np.column_stack([np.ones(60), age]) if is_adjusted else np.ones((60, 1))
    expected = np.zeros(len(table))
    for k in range(5):
        out = np.isin(np.arange(60), order[k::5])
        left = values - design @ np.linalg.lstsq(design[~out], values[~out], rcond=None)[0]
        left = left / left[~out].std(axis=0)
        trained, test = left[~out].T @ left[~out] / 48, left[out].T @ left[out] / 12
        for row, penalty in enumerate(table["penalty"]):
            t = fitted(trained, penalty)
            expected[row] += (np.trace(test @ t) - np.linalg.slogdet(t)[1]) / 5
    # Fits within a gap of 1e-6 a gene, seen through their root.
    np.testing.assert_allclose(table["criterion"], expected, atol=0.01)
    assert net.provenance["penalty"] == table["penalty"][np.argmin(expected)]


def test_stars_is_that_of_plain_loops_with_another_solver():
    x = samples()
    net = ni.infer_precision(x, criterion="stars", seed=4, **QUICK)
    table = path(net)
    draws = [subsample(60, k, size=subsample_size(60), seed=4) for k in range(20)]
    disagreement = []
    for penalty in table["penalty"]:
        chosen = np.array(
            [
                np.triu(sklearn_graphical_lasso(np.corrcoef(x[units].T), penalty, enet_tol=1e-8, max_iter=500)[1], 1)
                != 0
                for units in draws
            ]
        )
        share = chosen.mean(axis=0)[np.triu_indices(8, 1)]
        disagreement.append((2 * share * (1 - share)).mean())
    monotone = np.maximum.accumulate(disagreement)
    seen = table["criterion"].notna()
    np.testing.assert_allclose(table["criterion"][seen], monotone[seen], atol=1e-12)
    assert net.provenance["penalty"] == table["penalty"][np.flatnonzero(monotone <= 0.05)[-1]]


def test_a_denser_graph_by_a_larger_threshold():
    x = samples()
    sparse, dense = (ni.infer_precision(x, stars_threshold=beta, **QUICK) for beta in (0.02, 0.15))
    assert dense.provenance["penalty"] < sparse.provenance["penalty"]


def test_a_criterion_that_has_not_turned_is_told():
    # Four genes that share one cause are all tied, and 20,000 samples tell each further digit of the ties: held-out
    # data are predicted best at the smallest penalty.
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20_000, 4)) + rng.standard_normal((20_000, 1))
    with pytest.warns(UserWarning, match="criterion cv has not turned at penalty"):
        ni.infer_precision(x, criterion="cv", **QUICK)


@pytest.mark.parametrize("correlation", ["spearman", "kendall", "normal_scores"])
def test_each_correlation_has_its_likelihood_and_record(correlation):
    net = ni.infer_precision(samples(), criterion="cv", correlation=correlation, shrinkage=0.1, **QUICK)
    record = net.provenance
    assert record["correlation"] == correlation
    assert record["shrinkage"] == 0.1
    assert isinstance(record["is_projected"], bool)
    found = ni.moments.correlation_matrix(samples(), method=correlation, shrinkage=0.1)
    off_diagonal = np.abs(np.triu(found.matrix, 1))
    assert record["path"]["penalty"][0] == pytest.approx(off_diagonal.max(), rel=1e-12)


def test_an_indefinite_matrix_of_ranks_is_projected_and_said():
    # Forty samples of sixty genes: Kendall's sine leaves negative eigenvalues.
    x = np.random.default_rng(0).standard_normal((40, 60)) + np.random.default_rng(1).standard_normal((40, 1))
    net = ni.infer_precision(x, penalty=0.5, correlation="kendall", **QUICK)
    assert net.provenance["is_projected"]
    assert net.provenance["projection_distance"] > 0


@pytest.mark.parametrize("criterion", ["stars", "cv"])
def test_draws_take_their_share_of_every_stratum(monkeypatch, criterion):
    data = samples(n=60)
    adata = ni.io.as_expression(data)
    stratum = np.repeat(["a", "b"], [45, 15])
    adata.obs["stratum"] = stratum
    seen = []
    of_rows = Correlations.of_rows

    def noted(self, rows):
        if rows is not None and len(rows) > 2:  # two are what half-samples leave out
            seen.append(np.sum(stratum[rows] == "b") / len(rows))
        return of_rows(self, rows)

    monkeypatch.setattr(Correlations, "of_rows", noted)
    ni.infer_precision(adata, criterion=criterion, strata="stratum", n_subsamples=4, threads=1)
    # 48 of 60 units, 45 or 30 a half, 12 a fold: each holds a quarter of stratum b, half-samples 7 of 29.
    assert seen
    assert {round(share, 4) for share in seen} <= {0.25, round(7 / 29, 4)}
