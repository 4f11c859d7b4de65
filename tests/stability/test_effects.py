"""Partial R2 of the effects: by hand, as two least-squares fits of rows give it, and where there is none."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import netinfer as ni
from netinfer.config import RegressionConfig
from netinfer.models.phenotype import select_genes
from netinfer.models.regression import fit_chunk, gather, problem_from_arrays
from netinfer.stability.effects import aggregate_partial_r2, estimate_effects

QUANTILES = np.append(np.inf, np.linspace(4.0, 2.0, 20))  # any: they cancel out


def partial_r2_of(chosen, estimate, half_width, n_units, n_regulators):
    found = np.empty((1, n_regulators))
    fitted = np.array([chosen], np.int32), np.array([estimate], float), np.array([half_width], float)
    aggregate_partial_r2(*fitted, np.array(n_units), QUANTILES, n_regulators, found)
    return found[0]


def test_median_over_the_splits_that_chose_by_hand():
    # Units less one or two regulators less 1 leave 3, 3, 3 and 12 degrees of freedom.
    error = QUANTILES[[3, 3, 3, 12]]
    found = partial_r2_of(
        chosen=[[0, -1], [0, 1], [1, -1], [0, -1]],
        estimate=[[3.0, 9.0], [-1.0, 0.0], [2.0, 9.0], [2.0, 9.0]],
        half_width=[[error[0], 9.0], [error[1], 0.0], [0.0, 9.0], [error[3], 9.0]],
        n_units=[5, 6, 5, 14],
        n_regulators=3,
    )
    # Regulator 0: t = 3, -1, 2 give 9/(9+3), 1/(1+3), 4/(4+12). Regulator 1: nothing of nothing, and all there is.
    np.testing.assert_allclose(found, [0.25, 0.5, np.nan], rtol=1e-15)


def test_uncorrelated_regulators_share_the_variance_by_hand():
    # Correlations of 0.6 and 0.64 with the target leave 1 - 0.36 - 0.4096 = 0.2304 of it.
    shape = (1, 1, 2)
    chosen, estimate, half_width = np.empty(shape, np.int32), np.empty(shape), np.empty(shape)
    estimate_effects(
        np.ones((1, 2)), np.eye(2), np.array([[0.6, 0.64]]), np.array([True]), 10, 2, QUANTILES, 0,
        chosen, estimate, half_width,
    )  # fmt: skip
    found = partial_r2_of(chosen[0], estimate[0], half_width[0], [10], 2)
    np.testing.assert_allclose(found, [0.36 / (0.36 + 0.2304), 0.4096 / (0.4096 + 0.2304)], rtol=1e-14)


def residuals(columns, y):
    return y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]


def chosen_by(x, y, covariates, settings):
    """Select on the rows of one half what the ranking fit selects there."""
    x, y = residuals(covariates, x), residuals(covariates, y)
    z, response = x / x.std(axis=0), y / y.std()
    shrinkage = 0.0 if settings.model == "lasso" else settings.shrinkage
    gram = (1 - shrinkage) * z.T @ z / len(z)
    np.fill_diagonal(gram, 1.0)
    path = ni.solvers.lasso_path(
        gram, z.T @ response / len(z), [settings.ranking_penalty], target_variance=1 / (1 - shrinkage)
    )
    return np.flatnonzero(path.coef[0])


@pytest.mark.parametrize("model", ["lasso", "elastic_net"])
@pytest.mark.parametrize(("n_covariates", "block"), [(0, 1), (2, 1), (0, 2), (1, 2)])
def test_agrees_with_what_leaving_one_out_costs_on_rows(model, n_covariates, block):
    n, p, n_targets = 80, 4, 6  # p is no more than a quarter of the units of a half: else the strongest
    rng = np.random.default_rng(n_covariates)
    x = rng.standard_normal((n, p)) + 0.7 * rng.standard_normal((n, 1))
    covariates = rng.standard_normal((n, n_covariates))
    y = x @ rng.standard_normal((p, n_targets)) + 2 * rng.standard_normal((n, n_targets)) + covariates.sum(1)[:, None]
    problem = problem_from_arrays(
        x, y, regulator_names=list("abcd"), target_names=[f"t{t}" for t in range(n_targets)],
        covariates=covariates if n_covariates else None, units=np.repeat(np.arange(n // block), block),
    )  # fmt: skip
    settings = RegressionConfig(model=model, n_subsamples=12, n_penalties=4, ranking_penalty=0.25)
    part = fit_chunk(problem, settings=settings, seed=4)
    collected: dict[tuple[int, int], list[float]] = {}
    for k in range(6):
        pair = [np.concatenate([problem.unit_rows[u] for u in units]) for units in problem.halves(k, 4)]
        for train, test in (pair, pair[::-1]):
            beside = [np.column_stack([np.ones(len(rows)), covariates[rows]]) for rows in (train, test)]
            for t in range(n_targets):
                chosen = chosen_by(x[train], y[train, t], beside[0], settings)
                design = np.column_stack([beside[1], x[test][:, chosen]])
                whole = (residuals(design, y[test, t]) ** 2).sum()
                for place, j in enumerate(chosen, start=1 + n_covariates):
                    without = (residuals(np.delete(design, place, axis=1), y[test, t]) ** 2).sum()
                    collected.setdefault((t, j), []).append(1 - whole / without)
    expected = [
        np.median(collected.get(pair, [np.nan])) for pair in zip(part.pair_target, part.pair_regulator, strict=True)
    ]
    np.testing.assert_allclose(part.partial_r2, expected, atol=1e-11)
    # Some splits leave a regulator out, so that the medians are over those that chose it.
    assert min(len(values) for values in collected.values()) < 12
    assert len(collected) >= 15


def test_a_regulator_without_effect_gets_its_chance_share():
    """1 / (df + 1): of 20 units three regulators and the mean leave 16 degrees of freedom."""
    rng = np.random.default_rng(7)
    n_targets = 3000
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, n_targets))
    x, y = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean(axis=0)) / y.std(axis=0)
    shape = (n_targets, 1, 3)
    fitted = np.empty(shape, np.int32), np.empty(shape), np.empty(shape)
    always = np.ones((n_targets, 3)), x.T @ x / 20, np.ascontiguousarray(y.T @ x / 20), np.ones(n_targets, bool)
    estimate_effects(*always, 20, 3, QUANTILES, 0, *fitted)
    shares = np.empty((n_targets, 3))
    aggregate_partial_r2(*fitted, np.array([20]), QUANTILES, 3, shares)
    chance = stats.beta(0.5, 8.0)
    assert chance.mean() == pytest.approx(1 / 17)
    # Four standard errors of 3,000 independent targets.
    np.testing.assert_allclose(shares.mean(axis=0), 1 / 17, atol=4 * chance.std() / np.sqrt(n_targets))
    np.testing.assert_allclose((shares < chance.median()).mean(axis=0), 0.5, atol=4 * 0.5 / np.sqrt(n_targets))


def test_it_is_a_column_of_the_network_missing_as_the_effect_is():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 12))
    y = np.column_stack([x[:, 0] + 0.3 * rng.standard_normal(60), x[:, 1] - x[:, 2] + rng.standard_normal(60)])
    problem = problem_from_arrays(x, y, regulator_names=list("abcdefghijkl"), target_names=["t0", "t1"])
    settings = RegressionConfig(n_subsamples=20, ranking_penalty=0.3, penalty_min=0.1)
    net = gather(problem, [fit_chunk(problem, settings=settings)], settings=settings, cut={"expected_false_edges": 1.0})
    shares = net.candidates["partial_r2"]
    assert shares.isna().equals(net.candidates["effect"].isna())
    assert 0 < shares.isna().sum() < len(shares), "some are seen earlier on the path alone"
    assert shares.dropna().between(0, 1).all()
    best = net.edges.iloc[0]
    assert (best["source"], best["target"]) == ("a", "t0")
    # Alone in its submodel it explains 1 / 1.09 of the variance.
    assert best["partial_r2"] == pytest.approx(1 / 1.09, abs=0.05)


def test_genes_of_a_numeric_trait_have_it_and_log_odds_have_none():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((120, 10))
    trait = x[:, 3] - x[:, 5] + 0.5 * rng.standard_normal(120)
    states = np.where(trait > 0, "ill", "well")
    obs = pd.DataFrame({"trait": trait, "state": states}, index=[f"s{i}" for i in range(120)])
    adata = anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=[f"g{j}" for j in range(10)]))
    genes = select_genes(adata, "trait", n_subsamples=20).ranked.set_index("gene")
    # Beside the other of the two each leaves 0.25 of what it explains: 1 / 1.25.
    np.testing.assert_allclose(genes.loc[["g3", "g5"], "partial_r2"], 0.8, atol=0.08)
    assert genes["partial_r2"].isna().equals(genes["effect"].isna())
    classes = select_genes(adata, "state", family="binomial", n_subsamples=20).ranked
    assert classes["effect"].notna().any()
    assert classes["partial_r2"].isna().all()


def test_links_of_the_diffusion_have_none():
    before, after, _ = ni.simulate.diffusion(n_nodes=9, n_samples=60, graph="grid", noise=0.2, seed=1)
    model = ni.infer_diffusion(before, after)
    assert len(model.network.candidates)
    assert model.network.candidates["partial_r2"].isna().all()
