"""Samples unlike the others are flagged by a stated rule, and kept."""

from __future__ import annotations

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from netinfer.preprocess import prepare_samples
from netinfer.preprocess.outliers import flag_outliers


def logs(n=40, n_genes=300, noise=0.5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(6.0, 2.0, size=n_genes) + noise * rng.normal(size=(n, n_genes))


def names(n):
    return [f"s{i}" for i in range(n)]


@pytest.mark.parametrize("seed", range(20))
def test_samples_of_one_kind_are_not_flagged(seed):
    # 40 correlations, a limit of 5 robust standard deviations: a flag here would be one in some 10^5
    flagged, correlation = flag_outliers(logs(seed=seed), names(40))
    assert len(flagged) == 0
    assert np.isfinite(correlation).all()


def test_a_foreign_sample_is_flagged_first_the_most_unlike():
    values = logs()
    values[7] = np.random.default_rng(1).permutation(values[7])
    values[9] = 0.5 * values[9] + 0.5 * np.random.default_rng(2).permutation(values[9])
    flagged, correlation = flag_outliers(values, names(40))
    assert flagged["sample"].tolist() == ["s7", "s9"]
    assert flagged["statistic"].tolist() == [correlation[7], correlation[9]]
    expected = np.corrcoef(values[7], np.median(values, axis=0))[0, 1]
    assert correlation[7] == pytest.approx(expected, abs=1e-12)
    assert "the limit is" in flagged["reason"][0]


def test_near_perfect_agreement_flags_nothing_by_rounding():
    values = np.tile(logs(1), (20, 1))
    values[3, :5] += 1e-3
    assert len(flag_outliers(values, names(20))[0]) == 0


def test_each_type_has_its_own_profile():
    values = np.concatenate([logs(30, seed=0), logs(10, seed=5)])
    types = ["T"] * 30 + ["B"] * 10
    assert set(flag_outliers(values, names(40))[0]["sample"]) == {f"s{i}" for i in range(30, 40)}
    assert len(flag_outliers(values, names(40), types)[0]) == 0
    few, correlation = flag_outliers(values[:34], names(34), types[:34])
    assert len(few) == 0
    assert np.isnan(correlation[30:]).all()  # four samples have no usual profile


def test_flagged_samples_are_kept_and_the_way_out_is_said():
    counts = np.random.default_rng(0).poisson(np.exp(logs(noise=0.3))).astype(float)
    counts[5] = np.random.default_rng(1).permutation(counts[5])
    obs = pd.DataFrame(index=names(40))
    result = prepare_samples(ad.AnnData(counts, obs=obs), assay="bulk")
    assert result.n_obs == 40
    assert result.uns["netinfer"]["outliers"]["sample"].tolist() == ["s5"]
    line = next(line for line in result.uns["netinfer"]["log"] if "look like outliers" in line)
    assert "'s5'" in line
    assert "`exclude_samples`" in line
    assert len(result.uns["netinfer"]["dropped_samples"]) == 0


def test_not_looked_for_where_it_means_nothing():
    zscores = np.random.default_rng(0).normal(size=(40, 30))
    log = list(prepare_samples(zscores).uns["netinfer"]["log"])
    assert any("outliers were not looked for: z-scores" in line for line in log)
    ratios = np.random.default_rng(0).normal(0.1, 3.0, size=(40, 30))
    ratios[7] += 50.0
    ratio_log = list(prepare_samples(ratios, assay="bulk").uns["netinfer"]["log"])
    assert any("too few or have no profile in common" in line for line in ratio_log)
    cells = np.random.default_rng(0).poisson(1.0, size=(300, 30)).astype(float)
    from netinfer.config import CellsConfig

    kept = prepare_samples(cells, assay="cells", cells=CellsConfig(aggregate="none"))
    assert "outliers were not looked for among single cells" in list(kept.uns["netinfer"]["log"])
