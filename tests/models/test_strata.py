"""Strata and blocks of a regression: drawn as asked, written down, refused where they cannot be."""

import anndata
import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.config import RegressionConfig
from netinfer.errors import InputError
from netinfer.models import regression
from netinfer.models.regression import fit_chunk, problem_from_arrays, wide

FAST = {"n_subsamples": 8, "n_penalties": 5}
REGULATORS = [f"g{j}" for j in range(6)]


def expression(n=40, **columns):
    values = np.random.default_rng(0).standard_normal((n, 20))
    obs = pd.DataFrame(columns, index=[f"s{i}" for i in range(n)])
    return anndata.AnnData(values, obs=obs, var=pd.DataFrame(index=[f"g{j}" for j in range(20)]))


def test_halves_hold_strata_of_whole_blocks():
    donor, sex = np.repeat(np.arange(20), 2), np.repeat(["f", "m"], [24, 16])
    problem = regression.prepare(expression(donor=donor, sex=sex), REGULATORS, strata="sex")
    assert (problem.unit_column, problem.strata_column) == ("donor", "sex")
    assert problem.n_half == 10
    for pair in range(4):
        for half in problem.halves(pair, 7):
            samples = np.concatenate([problem.unit_rows[u] for u in half])
            assert sorted(donor[samples]) == sorted(np.repeat(np.unique(donor[samples]), 2))
            assert np.unique(sex[samples], return_counts=True)[1].tolist() == [12, 8]


@pytest.mark.parametrize("is_wide", [False, True])
def test_a_rare_class_is_in_every_half(monkeypatch, is_wide):
    """A regulator that only two samples of 40 express: without strata it is constant in half of the halves."""
    monkeypatch.setattr(wide, "is_wide", lambda _: is_wide)
    rng = np.random.default_rng(1)
    x = rng.standard_normal((40, 3))
    rare = np.zeros(40)
    rare[[3, 30]] = 1
    x[:, 0] = rare
    y = x[:, :1] + 0.01 * rng.standard_normal((40, 4))
    names = {"regulator_names": ["a", "b", "c"], "target_names": list("wxyz")}
    settings = RegressionConfig(n_subsamples=40, n_penalties=5)
    plain = fit_chunk(problem_from_arrays(x, y, **names), settings=settings)
    strata = fit_chunk(problem_from_arrays(x, y, strata=rare, **names), settings=settings)
    most = [part.n_most[part.pair_regulator == 0] for part in (plain, strata)]
    assert (most[1] == 40).all()
    assert (most[0] < 40).all()


def test_the_network_says_which_strata_and_other_strata_are_other_data():
    adata = expression(sex=np.repeat(["f", "m"], 20), batch=np.tile(["x", "y", "z", "z"], 10))
    plain = ni.infer_regression(adata, REGULATORS, threads=1, **FAST)
    sexes = ni.infer_regression(adata, REGULATORS, strata="sex", threads=1, **FAST)
    assert "strata" not in plain.provenance
    assert [sexes.provenance[key] for key in ("strata", "n_strata", "n_half")] == ["sex", 2, 20]
    batches = regression.prepare(adata, REGULATORS, strata="batch")
    prints = {regression.prepare(adata, REGULATORS, strata=s).fingerprint() for s in (None, "sex", "batch")}
    assert len(prints) == 3
    assert batches.n_half == 20


def test_the_design_of_prepared_samples_is_taken():
    adata = ni.preprocess.with_design(expression(sex=np.repeat(["f", "m"], 20)), strata="sex")
    assert regression.prepare(adata, REGULATORS).strata_column == "sex"


@pytest.mark.parametrize(
    ("columns", "keys", "message"),
    [
        ({"sex": ["f", "m"] * 20, "donor": np.repeat(np.arange(20), 2)}, {}, r"block 'donor' .* 2 strata of 'sex'"),
        ({"sex": ["f"] * 39 + ["m"]}, {}, r"strata: 'm' of 'sex' has one independent unit"),
        ({"sex": [None] + ["f", "m"] * 19 + ["f"]}, {}, r"strata: column 'sex' is empty for 1 samples, the first 's0'"),
        ({"donor": np.arange(40)}, {}, r"strata: column 'sex' is not in the sample table .* choose one of donor"),
        ({"donor": np.arange(40) % 3}, {"strata": None}, r"column 'donor': 3 independent units, at least 4"),
        ({"sex": np.minimum(np.arange(40) // 3, 12)}, {"covariates": ["age"]}, r"a half-sample has 14 units"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_any_work(columns, keys, message):
    adata = expression(**columns)
    if "covariates" in keys:
        # 12 degrees of freedom of 14 units; 20 units would have left enough.
        adata.obs["age"] = [f"a{i % 13}" for i in range(40)]
    with pytest.raises(InputError, match=message):
        ni.infer_regression(adata, REGULATORS, **{"strata": "sex", **keys}, threads=1, **FAST)


def test_four_blocks_are_fitted_with_a_warning():
    adata = expression(donor=np.repeat(np.arange(4), 10))
    with pytest.warns(UserWarning, match="column 'donor': 4 independent units can be halved in few ways"):
        net = ni.infer_regression(adata, REGULATORS, threads=1, **FAST)
    assert net.provenance["n_units"] == 4
    assert net.candidates["effect_low"].isna().all(), "halves of two units have no degrees of freedom"


def test_labels_of_another_length_are_refused():
    x = np.random.default_rng(0).standard_normal((20, 4))
    with pytest.raises(InputError, match=r"strata: \(19,\) labels for 20 samples"):
        problem_from_arrays(x[:, :2], x, strata=np.zeros(19))
