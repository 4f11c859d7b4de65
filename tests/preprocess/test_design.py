import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from netinfer.errors import InputError
from netinfer.preprocess import normalize
from netinfer.preprocess.conditions import CONDITION_NAMES
from netinfer.preprocess.design import covariate_matrix, with_design


@pytest.fixture
def obs() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "batch": ["a", "a", "a", "a", "b", "b", "b", "b", "c", "c", "c", "c"],
            "sex": pd.Categorical(["f", "m"] * 6),
            "growth_rate": np.linspace(0.1, 1.2, 12),
            "condition": ["x", "y", "y"] * 4,
            "one": 1.0,
            "id": [f"s{i}" for i in range(12)],
            "run": ["1", "1", "1", "1", "2", "2", "2", "2", "2", "2", "2", "2"],
        },
        index=[f"s{i}" for i in range(12)],
    )


def test_classes_and_numbers_become_centred_columns_of_variance_one(obs):
    design = covariate_matrix(obs, ["batch", "sex", "growth_rate"])
    assert design.matrix.shape == (12, 4)
    assert design.rank == 4
    np.testing.assert_allclose(design.matrix.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose((design.matrix**2).mean(axis=0), 1)
    # the columns of a class span its indicators
    indicators = pd.get_dummies(obs["batch"]).to_numpy(float)
    space = np.column_stack([np.ones(12), design.matrix[:, :2]])
    fit = space @ np.linalg.lstsq(space, indicators, rcond=None)[0]
    np.testing.assert_allclose(fit, indicators, atol=1e-12)


def test_one_name_need_not_be_a_list(obs):
    np.testing.assert_array_equal(covariate_matrix(obs, "batch").matrix, covariate_matrix(obs, ["batch"]).matrix)


def test_none_gives_no_column(obs):
    assert covariate_matrix(obs, []).matrix.shape == (12, 0)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["one"], "'one' has one level, 1,"),
        (["id"], "'id' has as many levels as samples"),
        (["bach"], "no column 'bach' of the samples .nearest: 'batch'"),
        (["sex", "batch", "run"], "'run' is collinear with 'batch'"),
        (["run", "batch"], "'batch' is collinear with 'run'"),
    ],
)
def test_unusable_columns_are_refused(obs, names, message):
    with pytest.raises(InputError, match=message):
        covariate_matrix(obs, names)


def test_collinear_in_their_sum_only(obs):
    obs["a"], obs["b"] = np.sin(np.arange(12)), np.cos(np.arange(12) ** 2)
    obs["c"] = obs["a"] - 2 * obs["b"]
    with pytest.raises(InputError, match="'c' is collinear with 'a', 'b'"):
        covariate_matrix(obs, ["a", "b", "c"])


def test_a_batch_that_coincides_with_the_condition_says_so(obs):
    obs["condition"] = ["x"] * 4 + ["y"] * 8
    with pytest.raises(InputError, match=r"'batch' coincides with 'condition'.*a: 'x'"):
        covariate_matrix(obs, ["batch"])


def test_conditions_within_batches_are_mentioned(obs):
    obs["condition"] = ["x", "y", "x", "y", "u", "v", "u", "v", "w", "z", "w", "z"]
    assert "2 of the 5 differences between conditions" in covariate_matrix(obs, ["batch"]).notes[0]


def test_a_number_a_condition_takes_one_difference_and_is_no_batch(obs):
    obs["condition"] = ["x", "x", "y", "y", "u", "u", "v", "v", "w", "w", "z", "z"]
    obs["growth_rate"] = np.repeat([0.1, 0.25, 0.3, 0.7, 0.85, 1.2], 2)
    assert "1 of the 5 differences between conditions" in covariate_matrix(obs, ["growth_rate"]).notes[0]


def test_covariates_that_make_up_the_condition_together_are_refused(obs):
    obs["condition"] = ["x"] * 6 + ["y"] * 6
    obs["u"] = np.sin(np.arange(12.0))
    obs["v"] = (np.arange(12) >= 6) - obs["u"]
    with pytest.raises(InputError, match="'u' and 'v' coincides with 'condition'"):
        covariate_matrix(obs, ["u", "v"])
    assert covariate_matrix(obs, ["u"]).rank == 1


def test_a_condition_that_donors_determine_is_mentioned_only(obs):
    obs["condition"] = ["x"] * 6 + ["y"] * 6
    obs["donor"] = np.repeat(["a", "b", "c", "d"], 3)
    assert "1 of the 1 differences" in covariate_matrix(obs, ["donor"]).notes[0]


def test_whole_numbers_that_repeat_are_classes(obs):
    obs["plate"] = np.repeat([1, 2, 5], 4)
    obs["age"] = np.arange(30, 42)
    design = covariate_matrix(obs, ["plate", "age"])
    assert design.rank == 3
    assert "'plate' holds 3 whole numbers, taken as classes" in design.notes[0]
    np.testing.assert_array_equal(design.matrix[:, :2], covariate_matrix(obs.astype({"plate": str}), ["plate"]).matrix)


@pytest.mark.parametrize("value", [np.nan, None, np.inf, -np.inf])
def test_missing_and_infinite_values_name_the_sample(obs, value):
    obs.loc["s3", "growth_rate"] = value
    with pytest.raises(InputError, match="s3"):
        covariate_matrix(obs, ["growth_rate"])


def test_too_many_columns(obs):
    for i in range(10):
        obs[f"x{i}"] = np.random.default_rng(i).normal(size=12)
    with pytest.raises(InputError, match="take 10 degrees of freedom of 12 samples"):
        covariate_matrix(obs, [f"x{i}" for i in range(10)])


def test_the_design_is_written_down(obs):
    adata = AnnData(np.ones((12, 2)), obs=obs)
    noted = with_design(adata, covariates=["batch"], block="run").uns["netinfer"]
    assert list(noted["design"]["covariates"]) == ["batch"]
    assert noted["design"]["block"] == "run"
    assert "batch (2 degrees of freedom)" in noted["log"][0]
    assert "netinfer" not in adata.uns
    adata.uns["netinfer"] = {"design": {"assay": "cells", "covariates": np.array(["sex"], object), "block": "sample"}}
    kept = with_design(adata).uns["netinfer"]["design"]
    assert (list(kept["covariates"]), kept["block"], kept["assay"]) == (["sex"], "sample", "cells")
    assert not len(with_design(adata, covariates=[]).uns["netinfer"]["design"]["covariates"])


@pytest.mark.parametrize(
    "name",
    ["treatment", "Treatment", "diagnosis", "disease", "Disease.State", "genotype", "phenotype", "STATUS", "group"],
)
def test_conditions_are_known_by_their_usual_names(obs, name):
    obs = obs.drop(columns="condition")
    obs[name] = pd.Categorical(["x"] * 4 + ["y"] * 8)
    with pytest.raises(InputError, match=rf"'batch' coincides with '{name}' .a: 'x'.*or rename '{name}'"):
        covariate_matrix(obs, ["batch"])
    assert covariate_matrix(obs, ["sex"]).notes == ()


def test_the_names_of_conditions_are_documented():
    text = (Path(__file__).parents[2] / "docs" / "methods.md").read_text()
    listed = re.search(r"A \*\*condition\*\* is .*?`\. Under", text, flags=re.DOTALL)
    assert listed is not None
    words = {re.sub("[^a-z]", "", word) for word in re.findall("`([a-z_]+)`", listed[0])}
    assert words == set(CONDITION_NAMES)


def test_what_bears_such_a_name_and_is_no_condition(obs):
    obs = obs.drop(columns="condition")
    obs["status"] = np.where(obs["batch"] == "a", 0.5, 1.5)  # a figure
    obs["group"] = [f"{i}" for i in range(11)] + ["0"]  # nearly a name each
    obs["patient"] = np.repeat(["p", "q", "r", "s"], 3)
    obs["disease"] = ["x"] * 6 + ["y"] * 6
    assert covariate_matrix(obs, ["batch"]).notes == ()
    # a network within patients is what was asked for
    assert "1 of the 1 differences in 'disease'" in covariate_matrix(obs, ["patient"]).notes[0]
    # a condition that is itself a covariate may take another with it
    obs["treatment"] = obs["disease"]
    assert "1 of the 1 differences in 'disease'" in covariate_matrix(obs, ["treatment"]).notes[0]


def test_centring_by_what_coincides_with_the_condition_is_refused(obs):
    obs["condition"] = ["x"] * 4 + ["y"] * 8
    values = np.random.default_rng(0).normal(size=(12, 3))
    with pytest.raises(InputError, match="center_by: 'batch' coincides with 'condition'"):
        normalize(AnnData(values, obs=obs), center_by="batch")
    obs["condition"] = ["x", "y", "x", "y", "u", "v", "u", "v", "w", "z", "w", "z"]
    log = normalize(AnnData(values, obs=obs), center_by="batch").uns["netinfer"]["log"]
    assert any("2 of the 5 differences between conditions are taken out together with 'batch'" in line for line in log)
    one = obs.assign(batch="a")
    assert normalize(AnnData(values, obs=one), center_by="batch").uns["netinfer"]["center_by"] == "batch"


@pytest.mark.parametrize("kind", [str, "category"])
def test_words_among_numbers_are_refused(obs, kind):
    ages = [*map(str, range(30, 40)), "unknown", "NA?"]
    obs["age"] = pd.Series(ages, index=obs.index).astype(kind)
    message = r"'age' has 2 values that are no numbers among 10 numbers: 'unknown' .1., 'NA\?' .1., .*'s10'"
    with pytest.raises(InputError, match=message):
        covariate_matrix(obs, ["age"])


def test_a_third_of_the_ages_is_unknown(obs):
    obs["age"] = ["31.5", "31.5", *(f"{40 + i}" for i in range(6)), *["unknown"] * 4]
    with pytest.raises(InputError, match=r"4 values that are no numbers among 8 numbers: 'unknown' .4."):
        covariate_matrix(obs, ["age"])


@pytest.mark.parametrize(
    "values",
    [
        ["1"] * 5 + ["2"] * 5 + ["pilot"] * 2,  # numbered plates and one with a name
        ["p1", "p2"] * 5 + ["3", "3"],
        ["1"] * 10 + ["unknown"] * 2,
        ["10", "11", "12", "13"] * 3,  # numbers as text, throughout: clusters
        [True] * 5 + [False] * 7,
    ],
)
def test_classes_with_numbers_in_their_names_stay_classes(obs, values):
    obs["plate"] = values
    assert covariate_matrix(obs, ["plate"]).rank == len(set(values)) - 1


def test_clusters_and_donors_are_never_numbers(obs):
    obs["leiden"] = obs["donor_id"] = [*map(str, range(8)), "0", "1", "2", "rest"]
    assert covariate_matrix(obs, ["leiden"]).rank == 8
    assert covariate_matrix(obs, ["donor_id"]).rank == 8
