"""Genes for a class of the samples: planted ones are found, with odds ratios; covariates, donors, separable classes."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.config import PhenotypeConfig
from netinfer.errors import ConfigError, InputError
from netinfer.models.phenotype import PhenotypeModel, check_phenotype, select_genes, with_phenotype
from netinfer.stability.odds import auc, firth
from netinfer.stability.subsamples import stratified_pair

PLANTED = {"g3": 1, "g5": -1, "g8": 1}
LOG_ODDS = 1.5


def data(n: int = 200, p: int = 120, seed: int = 0, log_odds: float = LOG_ODDS, **columns) -> anndata.AnnData:
    """Independent genes; three of them move the log odds of being ill, one downwards."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p))
    chance = 1.0 / (1.0 + np.exp(-log_odds * (x[:, 3] - x[:, 5] + x[:, 8])))
    state = np.where(rng.random(n) < chance, "ill", "healthy")
    obs = pd.DataFrame({"state": state, **columns}, index=[f"s{i}" for i in range(n)])
    return anndata.AnnData(5 + 2 * x, obs=obs, var=pd.DataFrame(index=[f"g{j}" for j in range(p)]))


def test_planted_genes_are_selected_with_their_odds_ratios(tmp_path):
    adata = data()
    model = select_genes(adata, "state", family="binomial")
    genes = model.genes.set_index("gene")
    assert genes["sign"].to_dict() == PLANTED
    x = (adata.X - adata.X.mean(axis=0)) / adata.X.std(axis=0)
    whole, error = firth(np.column_stack([np.ones(200), x[:, [3, 5, 8]]]), (adata.obs["state"] == "ill").to_numpy())
    # A median of fits to halves, beside a gene or two more: nearer to the fit to all samples than one error of that.
    assert (np.abs(genes.loc[list(PLANTED), "effect"] - whole[1:]) < error[1:]).all()
    assert (np.abs(whole[1:] - [LOG_ODDS, -LOG_ODDS, LOG_ODDS]) < 3 * error[1:]).all()
    np.testing.assert_allclose(genes["odds_ratio"], np.exp(genes["effect"]))
    assert ((genes["odds_ratio_low"] < genes["odds_ratio"]) & (genes["odds_ratio"] < genes["odds_ratio_high"])).all()
    assert (genes["odds_ratio_low"].drop("g5") > 1).all()
    assert genes.loc["g5", "odds_ratio_high"] < 1
    record = model.record
    assert record["classes"] == adata.obs["state"].value_counts()[["healthy", "ill"]].to_dict()
    assert record["is_certified"]
    assert record["worst_duality_gap"] <= 1e-9  # what each fit is asked for
    assert record["auc_heldout"] > 0.75  # the true log odds score 0.89 here
    assert record["auc_covariates"] is None
    assert "r2_heldout" not in record
    assert record["settings"]["model"] == "lasso"
    model.write(tmp_path)
    again = PhenotypeModel.read(tmp_path)
    pd.testing.assert_frame_equal(again.genes, model.genes)
    pd.testing.assert_frame_equal(again.ranked, model.ranked)
    assert (again.record, again.cut) == (model.record, model.cut)


def test_a_class_drawn_at_random_selects_nothing():
    n_selected = 0
    for seed in range(5):
        adata = data(n=100, seed=seed, log_odds=0.0)
        model = select_genes(adata, "state", family="binomial")
        n_selected += len(model.genes)
        assert 0.35 < model.record["auc_heldout"] < 0.65
    # At fdr 0.1 a single gene needs a bound of 0.1: less than one in five data sets of noise is expected.
    assert n_selected <= 1


def test_the_other_order_of_the_classes_turns_signs_and_ratios_over():
    adata = data(n=80, p=40)
    plain = select_genes(adata, "state", family="binomial", n_subsamples=20).ranked.set_index("gene")
    coded = (adata.obs["state"] == "healthy").astype(int).to_numpy()
    turned = select_genes(adata, coded, family="binomial", n_subsamples=20).ranked.set_index("gene")
    turned = turned.loc[plain.index]
    assert (turned["sign"] == -plain["sign"]).all()
    np.testing.assert_allclose(turned["odds_ratio"], 1 / plain["odds_ratio"], rtol=1e-6)
    np.testing.assert_allclose(turned["odds_ratio_low"], 1 / plain["odds_ratio_high"], rtol=1e-6)
    np.testing.assert_array_equal(turned["selection_probability"], plain["selection_probability"])


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([0, 1], ["0", "1"]),
        ([1.0, 0.0], ["0", "1"]),
        (["10", "9"], ["9", "10"]),
        ([True, False], ["False", "True"]),
        ([" b", "a "], ["a", "b"]),
    ],
)
def test_classes_are_named_and_ordered(values, names):
    model = select_genes(
        data(n=40, p=20), np.tile(np.array(values, dtype=object), 20), family="binomial", n_subsamples=4
    )
    assert list(model.record["classes"].items()) == [(name, 20) for name in names]


def test_covariates_enter_without_a_penalty_and_take_a_confounder_out():
    rng = np.random.default_rng(3)
    batch = np.arange(160) % 2
    adata = data(n=160, log_odds=0.0, batch=np.where(batch == 1, "b", "a"))
    adata.X[:, 0] += 6.0 * batch
    adata.obs["state"] = np.where(rng.random(160) < np.where(batch == 1, 0.85, 0.15), "ill", "healthy")
    raw = select_genes(adata, "state", family="binomial", covariates=[])
    assert len(raw.genes) > 0  # what the covariate is for
    adjusted = select_genes(adata, "state", family="binomial", covariates=["batch"])
    assert len(adjusted.genes) == 0
    assert adjusted.record["covariates"] == ["batch"]
    # The batch alone scores about 0.85; genes that add nothing to it can only cost.
    assert adjusted.record["auc_covariates"] > 0.75
    assert adjusted.record["auc_heldout"] < adjusted.record["auc_covariates"] + 0.02
    assert adjusted.record["is_certified"]


def test_a_covariate_that_tells_some_samples_class_gets_a_ridge_and_a_note():
    adata = data(n=80, p=30)
    ill = np.flatnonzero(adata.obs["state"] == "ill")
    adata.obs["ward"] = np.where(np.isin(np.arange(80), ill[:10]), "intensive", "other")
    model = select_genes(adata, "state", family="binomial", covariates=["ward"], n_subsamples=20)
    assert any("ridge of 0.01" in note and "20 of 20 half-samples" in note for note in model.record["notes"])
    assert model.record["is_certified"]
    adata.obs["twin"] = np.where(adata.obs["state"] == "ill", 1.0, 0.0) + np.linspace(0.0, 0.4, 80)
    with pytest.raises(InputError, match="separate the classes of 'state' without an error"):
        select_genes(adata, "state", family="binomial", covariates=["twin"])
    adata.obs["same"] = adata.obs["state"]
    with pytest.raises(InputError, match="coincides with the covariates same"):
        check_phenotype(adata, PhenotypeConfig(column="state", family="binomial", covariates=["same"]))


def test_genes_that_separate_the_classes_are_selected_and_said():
    adata = data(n=60, p=20, log_odds=0.0)
    adata.X[:, 7] = 10.0 * (adata.obs["state"] == "ill") + 0.1 * adata.X[:, 7]
    model = select_genes(adata, "state", family="binomial", n_subsamples=20, penalty_min=0.001, ranking_penalty=0.0005)
    assert model.genes["gene"].tolist() == ["g7"]
    assert any("20 of 20 half-samples the genes separate" in note for note in model.record["notes"])
    assert model.record["is_certified"]
    assert np.isfinite(model.genes["odds_ratio"]).all()  # Firth's likelihood has a maximum
    assert model.record["auc_heldout"] == 1.0


def test_donors_are_units_and_both_halves_have_both_classes():
    donors = np.arange(240) // 10
    ill = np.random.default_rng(1).permutation(24) < 9
    adata = data(n=240, p=30, log_odds=0.0, donor=[f"d{i}" for i in donors])
    adata.obs["state"] = np.where(ill[donors], "ill", "healthy")
    adata.X[:, 4] += (
        3.0 * np.random.default_rng(2).standard_normal(24)[donors]
    )  # a gene of the donors, not of the class
    model = select_genes(adata, "state", family="binomial")
    assert (model.record["n_units"], model.record["unit"]) == (24, "donor")
    # 240 samples taken as independent would make the gene of the donors a certain finding.
    assert len(model.genes) <= 1
    strata = np.where(ill, 1, 0)
    for pair in range(20):
        first, second = stratified_pair(strata, pair, seed=0)
        assert not np.intersect1d(first, second).size
        for half in (first, second):
            assert [int((strata[half] == value).sum()) for value in (0, 1)] == [7, 4]  # of 15 and 9
    again = stratified_pair(strata, 19, seed=0)
    np.testing.assert_array_equal(first, again[0])


def test_more_genes_than_samples_are_certified():
    model = select_genes(data(n=60, p=2000), "state", family="binomial", n_subsamples=10)
    assert model.record["is_certified"]
    assert set(model.ranked["gene"].head(10)) & set(PLANTED)


def test_what_cannot_be_modelled_is_refused():
    adata = data(n=24, p=20)
    with pytest.raises(InputError, match="class 'b' has 7 independent samples"):
        select_genes(adata, ["a"] * 17 + ["b"] * 7, family="binomial")
    with pytest.raises(ConfigError, match="'elastic_net' is not there for family binomial"):
        select_genes(adata, ["a", "b"] * 12, family="binomial", model="elastic_net")
    seen = check_phenotype(data(), PhenotypeConfig(column="state", family="binomial"))
    assert list(seen["classes"]) == ["healthy", "ill"]


def test_nodes_carry_the_log_odds():
    adata = data(n=60, p=40)
    net = ni.infer_regression(adata, ["g0", "g1", "g2", "g3"], n_subsamples=10, n_penalties=5)
    model = select_genes(adata, "state", family="binomial", n_subsamples=20)
    nodes = with_phenotype(net, model).nodes.set_index("name")
    assert nodes.loc["g3", "phenotype_effect"] == model.ranked.set_index("gene").loc["g3", "effect"]


def test_firth_is_finite_under_separation_and_near_the_truth_without():
    x = np.column_stack([np.ones(4), [-1.0, -1.0, 1.0, 1.0]])
    coef, error = firth(x, np.array([False, False, True, True]))
    # Firth's estimate of a 2 x 2 table adds a half to every cell: log((2.5 / 0.5)^2) / 2 on this scale.
    np.testing.assert_allclose(coef, [0.0, np.log(25.0) / 2], atol=1e-7)
    assert np.isfinite(error).all()
    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(4000), rng.standard_normal((4000, 2))])
    y = rng.random(4000) < 1 / (1 + np.exp(-(design @ [0.5, 1.0, -1.0])))
    coef, error = firth(design, y)
    assert (np.abs(coef - [0.5, 1.0, -1.0]) < 4 * error).all()
    np.testing.assert_allclose(firth(design, y, 0.25)[1], 2 * error, rtol=0.01)  # a quarter of the units
    assert firth(np.column_stack([design, design[:, 1]]), y) is None


def test_auc_counts_pairs():
    assert auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.75  # scikit-learn's example
    assert auc(np.ones(4), np.array([False, False, True, True])) == 0.5
    assert np.isnan(auc(np.ones(2), np.array([True, True])))


def test_the_positive_class_is_the_one_that_is_named():
    adata = data()
    plain = select_genes(adata, "state", family="binomial", n_subsamples=20)
    turned = select_genes(adata, "state", family="binomial", positive="healthy", n_subsamples=20)
    assert (plain.record["positive"], turned.record["positive"]) == ("ill", "healthy")
    assert list(turned.record["classes"]) == ["ill", "healthy"]
    one, two = (model.ranked.set_index("gene") for model in (plain, turned))
    strongest = list(PLANTED)
    np.testing.assert_allclose(two.loc[strongest, "effect"], -one.loc[strongest, "effect"], rtol=1e-6)
    np.testing.assert_allclose(two.loc[strongest, "odds_ratio"] * one.loc[strongest, "odds_ratio"], 1.0, rtol=1e-6)
    with pytest.raises(InputError, match="'sick' is no class of it: name 'healthy' or 'ill'"):
        select_genes(adata, "state", family="binomial", positive="sick")
    with pytest.raises(ConfigError, match="family gaussian has none"):
        select_genes(adata, np.arange(200.0), positive="ill")


def test_classes_of_other_case_are_told():
    adata = data(state2=["Ill", "ill", "well", "well"] * 50)
    with pytest.raises(InputError, match="upper and lower case alone"):
        select_genes(adata, "state2", family="binomial")
