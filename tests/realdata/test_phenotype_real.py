"""Riboflavin production of B. subtilis (71 samples, 4,088 genes): the classic of stability selection."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

import netinfer as ni

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "../shared/data"))


@pytest.mark.slow
def test_riboflavin_is_certified_and_led_by_known_genes():
    path = DATA / "riboflavin" / "riboflavin.tsv.gz"
    if not path.is_file():
        pytest.skip("NETINFER_DATA has no riboflavin")
    table = pd.read_csv(path, sep="\t", index_col=0)
    model = ni.select_genes(table.drop(columns="y"), table["y"], n_subsamples=20, expected_false_genes=1)
    assert model.record["n_genes"] == 4088
    assert model.record["is_certified"]
    # Every path has more genes than samples, and 35 samples span 34 dimensions: the certificate has to hold there too.
    assert model.record["worst_duality_gap"] < 1e-8
    # YXLD_at and YOAB_at lead with 100 half-samples, in two thirds of them; 20 half-samples shift a share by 0.1.
    assert {"YXLD_at", "YOAB_at"} <= set(model.ranked["gene"].head(6))
    assert len(model.genes) <= 10
    assert 0.4 < model.record["r2_heldout"] < 0.8
