"""The lac promoter (Kinney et al. 2010): the sites of CRP and of the RNA polymerase are read out of mutants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import netinfer as ni

# From 0, both ends inside; Kinney et al. (2010).
SITES = [(6, 10), (17, 21), (39, 44), (63, 68)]


@pytest.mark.slow
def test_the_lac_promoter_gives_its_sites_and_predicts_the_test_set(netinfer_data: Path):
    table = pd.read_csv(netinfer_data / "sortseq_lac" / "sortseq_data.csv.gz")
    counts = table[[f"ct_{i}" for i in range(10)]].to_numpy(dtype=float)
    activity = counts @ np.arange(10) / counts.sum(axis=1)
    model = ni.fit_motif_positions(table["x"], activity, test=(table["set"] == "test").to_numpy(), n_subsamples=20)
    # Ridge with all coefficients reaches 0.549 on this split.
    assert model.record["test"]["r"] >= 0.545
    assert model.record["n_coefficients"] <= model.coef.size // 2
    assert model.record["is_certified"]
    assert model.record["reference"][6:22] == "TGTGAGTTAGCTCACT"
    of_position = model.positions.drop_duplicates("position")
    strongest = of_position.nlargest(20, "weight")["position"]
    # 16 with room for one of near rank: 17 of 20 with 100 half-samples.
    assert sum(any(a - 1 <= p <= b + 1 for a, b in SITES) for p in strongest) >= 16
    segments = model.footprints[["start", "end"]].to_numpy()
    for first, last in SITES:
        # Half of each site at least, with a fifth of the half-samples.
        assert max(min(last, end) - max(first, start) + 1 for start, end in segments) >= (last - first + 1) / 2


def test_splice_sites_are_read_as_rna_and_their_constant_base_is_listed(netinfer_data: Path):
    table = pd.read_csv(netinfer_data / "mpsa_brca2" / "mpsa_data.csv.gz")
    part = table.iloc[:3000]
    model = ni.fit_motif_positions(part["x"], part["y"], n_subsamples=4)
    assert model.record["constant_positions"] == [3]  # the G of every splice site
    assert set(model.positions.loc[model.positions["position"] == 4, "base"]) == {"C", "U"}
    assert np.isfinite(model.predict(part["x"])).all()
