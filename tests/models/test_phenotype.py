"""Genes for a trait: what is planted is found, nothing else is, and what cannot be modelled is refused at once."""

from __future__ import annotations

import re
from pathlib import Path

import anndata
import networkx as nx
import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.config import PhenotypeConfig
from netinfer.errors import ConfigError, InputError
from netinfer.models import phenotype
from netinfer.models.phenotype import PhenotypeModel, check_phenotype, select_genes

PLANTED = ["g3", "g5", "g8"]


def data(n: int = 120, p: int = 150, seed: int = 0, noise: float = 0.6, **columns) -> anndata.AnnData:
    """Independent genes; the trait is the sum of three of them, one with a negative sign, and noise."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p))
    names = [f"g{j}" for j in range(p)]
    trait = x[:, 3] - x[:, 5] + x[:, 8] + noise * rng.standard_normal(n)
    obs = pd.DataFrame({"trait": 30 + 4 * trait, **columns}, index=[f"s{i}" for i in range(n)])
    return anndata.AnnData(5 + x, obs=obs, var=pd.DataFrame(index=names))


def test_planted_genes_are_selected_with_their_signs_and_sizes():
    adata = data()
    model = select_genes(adata, "trait")
    assert set(model.genes["gene"]) == set(PLANTED)
    genes = model.genes.set_index("gene")
    assert genes["sign"].to_dict() == {"g3": 1, "g5": -1, "g8": 1}
    # Each gene is a quarter or so of the trait's variance of 3.36: in standard deviations 1 / sqrt(3.36) = 0.55.
    np.testing.assert_allclose(genes["effect"].abs(), 0.55, atol=0.1)
    assert ((genes["effect_low"] < genes["effect"]) & (genes["effect"] < genes["effect_high"])).all()
    assert genes["rank"].tolist() == [1, 2, 3]
    assert model.cut["met"]
    assert model.cut["expected_false_genes"] <= 0.3  # q <= 0.1 of three genes
    record = model.record
    assert record["is_certified"]
    assert record["worst_duality_gap"] < 1e-8
    assert record["r2_heldout"] > 0.7  # 3 / 3.36 of the variance can be known
    assert (record["n_samples"], record["n_units"], record["unit"], record["n_missing"]) == (120, 120, "sample", 0)
    assert "confounded" in record["not_counted"]


def test_a_trait_of_noise_selects_nothing_and_says_so(tmp_path):
    n_selected = 0
    for seed in range(5):
        adata = data(seed=seed)
        model = select_genes(adata, np.random.default_rng(100 + seed).standard_normal(adata.n_obs))
        n_selected += len(model.genes)
    # At fdr 0.1 a single gene needs a bound of 0.1: less than one in five data sets of noise is expected.
    assert n_selected <= 1
    model = select_genes(data(), np.random.default_rng(7).standard_normal(120), fdr=0.001)
    assert len(model.genes) == 0
    assert not model.cut["met"]
    assert "120 independent units" in model.cut["reason"]
    model.write(tmp_path)
    text = (tmp_path / "genes_ranked.tsv").read_text().splitlines()
    assert len(text) == len(model.ranked) + 1 > 1
    assert all(line.endswith("\tnone") for line in text[1:])
    assert len((tmp_path / "genes.tsv").read_text().splitlines()) == 1


def confounded() -> anndata.AnnData:
    """Genes 0 to 9 and the trait follow the batch; the trait has no gene of its own."""
    rng = np.random.default_rng(3)
    batch = np.arange(120) % 2
    adata = data(batch=np.where(batch == 1, "b", "a"))
    adata.X[:, :10] += 2.5 * batch[:, None]
    adata.obs["trait"] = 3.0 * batch + rng.standard_normal(120)
    return adata


def test_covariates_take_a_confounder_out():
    adata = confounded()
    raw = select_genes(adata, "trait", covariates=[])
    assert len(raw.genes) > 0  # what the covariate is for
    adjusted = select_genes(adata, "trait", covariates=["batch"])
    assert len(adjusted.genes) == 0
    assert adjusted.record["covariates"] == ["batch"]


def test_the_design_s_covariates_are_the_default_without_the_trait_itself():
    adata = confounded()
    adata.uns["netinfer"] = {"design": {"covariates": np.array(["batch", "trait"], object)}}
    model = select_genes(adata, "trait", n_subsamples=20)
    assert model.record["covariates"] == ["batch"]
    assert any("none of its own model" in note for note in model.record["notes"])


def test_samples_without_a_value_are_left_out_of_the_model_only():
    adata = data()
    some = adata[:100].copy()
    adata.obs.loc[adata.obs.index[100:], "trait"] = np.nan
    whole, part = select_genes(adata, "trait", n_subsamples=20), select_genes(some, "trait", n_subsamples=20)
    pd.testing.assert_frame_equal(whole.ranked, part.ranked)
    assert (whole.record["n_samples"], whole.record["n_missing"]) == (100, 20)
    assert "20 of 120 samples have no value" in whole.record["notes"][0]


def test_more_genes_than_samples_are_certified():
    adata = data(n=60, p=1500, noise=0.1)
    model = select_genes(adata, "trait", n_subsamples=20, expected_false_genes=1)
    assert model.record["is_certified"]
    assert model.record["worst_duality_gap"] < 1e-8
    assert set(model.genes["gene"]) <= {*PLANTED, *model.ranked["gene"].head(5)}
    assert model.cut["expected_false_genes"] <= 1


def test_the_most_variable_genes_are_taken_where_there_are_too_many():
    adata = data()
    adata.X[:, :40] *= 3.0
    model = select_genes(adata, "trait", max_genes=40, n_subsamples=20)
    assert model.record["n_genes"] == 40
    assert model.record["gene_choice"].startswith("the 40 most variable of 150 genes")
    assert set(model.ranked["gene"]) <= {f"g{j}" for j in range(40)}
    adata.X = (adata.X - adata.X.mean(axis=0)) / adata.X.std(axis=0)
    assert "means nothing" in select_genes(adata, "trait", max_genes=40, n_subsamples=4).record["gene_choice"]


def test_the_bytes_do_not_depend_on_threads_and_are_read_back(tmp_path):
    adata = data()
    adata.var["symbol"] = [f"S{j}" if j % 2 else "" for j in range(adata.n_vars)]
    model = select_genes(adata, "trait", threads=1, n_subsamples=20)
    files = model.write(tmp_path / "a")
    select_genes(adata, "trait", threads=3, n_subsamples=20).write(tmp_path / "b")
    assert [file.name for file in files] == ["genes.tsv", "genes_ranked.tsv", "model.json"]
    for file in files:
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
    again = PhenotypeModel.read(tmp_path / "a")
    pd.testing.assert_frame_equal(again.genes, model.genes)
    pd.testing.assert_frame_equal(again.ranked, model.ranked)
    assert (again.record, again.cut) == (model.record, model.cut)
    assert again.genes.set_index("gene").loc["g3", "symbol"] == "S3"
    assert repr(again) == repr(model)
    assert "g5" in again._repr_html_()


def test_a_trait_that_belongs_to_the_donors_has_the_donors_for_units():
    donors = np.arange(120) // 8
    adata = data(donor=[f"d{i}" for i in donors])
    adata.uns["netinfer"] = {"design": {"block": "sample", "covariates": np.array([], object)}}
    assert select_genes(adata, "trait", n_subsamples=4).record["n_units"] == 120
    adata.obs["trait"] = np.random.default_rng(0).standard_normal(15)[donors]
    model = select_genes(adata, "trait", n_subsamples=4)
    assert (model.record["n_units"], model.record["unit"]) == (15, "donor")
    assert any("donors are the independent units" in note for note in model.record["notes"])
    with pytest.raises(InputError, match=r"7 independent units with a value \(donor\), at least 8"):
        select_genes(adata[donors < 7].copy(), "trait")


def test_a_gene_of_the_trait_s_name_is_a_candidate():
    adata = data()
    model = select_genes(adata, pd.Series(adata.obs["trait"].to_numpy(), name="g3"), n_subsamples=20)
    assert model.record["column"] == "g3"
    assert "g3" in set(model.genes["gene"])


@pytest.mark.parametrize(
    ("values", "family", "error", "message"),
    [
        ("absent", "gaussian", InputError, "'absent' is not among the columns.*trait"),
        ("trai", "gaussian", InputError, "nearest: 'trait'"),
        ([1.0] * 24, "gaussian", InputError, "the same value in every sample"),
        ([np.nan] * 13 + [1.0, 2.0] * 5 + [3.0], "gaussian", InputError, "13 of 24 samples have no value"),
        (["low", "high"] * 12, "gaussian", InputError, "24 of 24 values are no numbers, such as 'low'"),
        ([True, False] * 12, "gaussian", InputError, "no numbers, such as 'True'"),
        ([1.0, np.inf] * 12, "gaussian", InputError, "12 values are infinite"),
        ([1.0] * 5, "gaussian", InputError, "5,.*24 samples"),
        (["a"] * 24, "binomial", InputError, "one class only .'a'."),
        (["a", "b", "c"] * 8, "binomial", InputError, "3 classes"),
        (["a"] * 17 + ["b"] * 7, "binomial", InputError, "class 'b' has 7 independent samples"),
        ([1.0, 2.0] * 12, "poisson", ConfigError, "family: 'poisson'"),
    ],
)
def test_a_trait_that_cannot_be_modelled_is_refused(values, family, error, message):
    with pytest.raises(error, match=message):
        select_genes(data(n=24, p=20), values, family=family)


@pytest.mark.parametrize("dtype", ["category", "Float64", "string", object])
def test_a_column_is_read_by_value_whatever_its_type(dtype):
    adata = data(n=40, p=30)
    plain = phenotype.check_trait(adata, "trait")
    adata.obs.loc["s7", "trait"] = np.nan
    column = adata.obs["trait"].astype(str).mask(adata.obs["trait"].isna()) if dtype == "string" else adata.obs["trait"]
    adata.obs["trait"] = column.astype(dtype)
    trait = phenotype.check_trait(adata, "trait")
    assert trait.n_missing == 1
    np.testing.assert_array_equal(trait.numbers, np.delete(plain.numbers, 7))
    assert trait.rows.tolist() == [i for i in range(40) if i != 7]


def test_classes_are_counted_in_units():
    donors = [f"d{i // 4}" for i in range(40)]
    adata = data(n=40, p=10, donor=donors, status=["ill" if i < 16 else "well" for i in range(40)])
    with pytest.raises(InputError, match=r"class 'ill' has 4 independent units with a value \(donor\)"):
        check_phenotype(adata, PhenotypeConfig(column="status", family="binomial"), block="donor")


def test_the_check_before_a_run_says_what_will_be_modelled():
    adata = data(batch=["a", "b"] * 60)
    adata.obs.loc["s0", "trait"] = np.nan
    adata.uns["netinfer"] = {"design": {"covariates": np.array(["batch"], object)}}
    seen = check_phenotype(adata, PhenotypeConfig(column="trait"))
    assert (seen["n_samples"], seen["n_missing"], seen["n_units"], seen["covariates"]) == (119, 1, 119, ["batch"])
    with pytest.raises(InputError, match="its own covariate"):
        check_phenotype(adata, PhenotypeConfig(column="trait", covariates=["trait"]))
    adata.obs["twin"] = 1 - 2 * adata.obs["trait"].fillna(0)
    with pytest.raises(InputError, match="coincides with the covariates twin"):
        check_phenotype(adata, PhenotypeConfig(column="trait", covariates=["twin"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fdr": 0.1, "expected_false_genes": 1}, "give one of them"),
        ({"expected_false_genes": 1e6}, "1e\\+06 false genes cannot be among"),
        ({"fdr": 0}, "fdr: 0 is not a number"),
        ({"selection_probability": 0.4}, "above 0.5"),
        ({"max_genes": 1}, "max_genes"),
        ({"threads": 0}, "threads"),
        ({"seed": -1}, "seed"),
        ({"n_subsamples": 5}, "even"),
        ({"penalty_mim": 0.1}, "did you mean `penalty_min`"),
        ({"decoys": True}, "only networks have them"),
    ],
)
def test_impossible_settings_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        select_genes(data(n=24, p=20), "trait", **change)


def test_the_networks_decoys_are_not_asked_of_the_trait():
    from netinfer.config import PhenotypeConfig
    from netinfer.models.phenotype.configured import select_configured

    regression = {"n_subsamples": 4, "decoys": True}
    model = select_configured(data(n=24, p=20), PhenotypeConfig(column="trait"), regression=regression, cut={})
    assert model.record["settings"]["decoys"] is False


def test_every_key_of_the_record_is_documented():
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    section = text.split("\n## phenotype/model.json\n")[1].split("\n## ")[0]
    model = select_genes(data(n=24, p=20), "trait", n_subsamples=4)
    classes = select_genes(data(n=24, p=20), ["a", "b"] * 12, family="binomial", n_subsamples=4)
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == {*model.record, *classes.record, "cut"}
    for family, record in (("gaussian", model.record), ("binomial", classes.record)):
        other = "binomial" if family == "gaussian" else "gaussian"
        elsewhere = [line.split("|")[1] for line in section.splitlines() if f"only `{other}`" in line]
        assert not set(re.findall(r"`(\w+)`", " ".join(elsewhere))) & set(record)
    assert {f"`{key}`" for key in model.cut} <= set(re.findall(r"`\w+`", section))


def test_cuts_keep_what_they_say():
    adata = data()
    model = select_genes(adata, "trait", expected_false_genes=0.2)
    assert (model.genes["expected_false_genes"] <= 0.2).all()
    assert len(model.genes) == (model.ranked["expected_false_genes"] <= 0.2).sum()
    often = select_genes(adata, "trait", selection_probability=0.9)
    assert (often.genes["selection_probability"] >= 0.9).all()
    assert set(PLANTED) <= set(often.genes["gene"])


def test_the_nodes_of_a_network_carry_the_trait(tmp_path):
    adata = data(n=60, p=130)
    net = ni.infer_regression(adata, ["g0", "g1", "g2", "g3"], n_subsamples=10, n_penalties=5)
    model = select_genes(adata, "trait", n_subsamples=20)
    told = phenotype.with_phenotype(net, model)
    nodes = told.nodes.set_index("name")
    ranked = model.ranked.set_index("gene")
    assert nodes.loc["g8", "phenotype_selection_probability"] == ranked.loc["g8", "selection_probability"] > 0.8
    assert nodes.loc["g8", "phenotype_effect"] == ranked.loc["g8", "effect"]
    unseen = sorted(set(nodes.index) - set(ranked.index))
    assert nodes.loc[unseen, ["phenotype_effect", "phenotype_selection_probability"]].isna().all(axis=None)
    pd.testing.assert_frame_equal(told.candidates, net.candidates)
    told.write(tmp_path)
    pd.testing.assert_frame_equal(ni.Network.read(tmp_path).nodes, told.nodes)
    graph = nx.read_graphml(tmp_path / "network.graphml")
    by_name = {values["name"]: values for _, values in graph.nodes(data=True)}
    assert by_name["g8"]["phenotype_effect"] == ranked.loc["g8", "effect"]
    assert "phenotype_effect" not in by_name[unseen[0]]
    assert told.threshold(fdr=0.5).nodes["phenotype_effect"].equals(told.nodes["phenotype_effect"])
    assert told.to_networkx().nodes["g8"]["phenotype_selection_probability"] > 0.8


def test_values_with_ids_are_put_in_the_order_of_the_samples():
    adata = data()
    shuffled = adata.obs["trait"].sample(frac=1.0, random_state=0)
    expected = select_genes(adata, "trait", n_subsamples=20).ranked
    pd.testing.assert_frame_equal(select_genes(adata, shuffled, n_subsamples=20).ranked, expected)
    with pytest.raises(InputError, match="phenotype: no row has the id 's0' of adata"):
        select_genes(adata, shuffled.set_axis([f"x{i}" for i in range(len(shuffled))]))
