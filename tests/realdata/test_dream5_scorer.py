"""The scorer against the published DREAM5 results (Marbach et al. 2012, supplementary table, three decimals)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from netinfer.evaluate import evaluate

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "../shared/data"))
PUBLISHED_AUPR = {
    "Community": (0.327, 0.090, 0.022),
    "Other1": (0.291, 0.093, 0.021),
    "MI1": (0.255, 0.075, 0.021),
    "Correlation2": (0.094, 0.065, 0.020),
}
PUBLISHED_AUROC = {"Community": (0.809, 0.650, 0.528), "Other1": (0.815, 0.617, 0.518)}
CASES = [(method, at, net) for method in PUBLISHED_AUPR for at, net in enumerate((1, 3, 4))]


@pytest.mark.skipif(not (DATA / "dream5_predictions").is_dir(), reason="NETINFER_DATA has no dream5_predictions")
@pytest.mark.parametrize(("method", "at", "net"), CASES)
def test_reproduces_the_published_aupr_to_three_decimals(method, at, net):
    gold = DATA / "dream5_gold" / f"net{net}" / f"DREAM5_NetworkInference_GoldStandard_Network{net}.tsv.gz"
    edges = DATA / "dream5_predictions" / f"DREAM5_NetworkInference_{method}_Network{net}.txt.gz"
    scores = evaluate(edges, gold, n_bootstrap=0).set_index("metric")["value"]
    assert round(scores["aupr"], 3) == PUBLISHED_AUPR[method][at]
    if method in PUBLISHED_AUROC:
        assert round(scores["auroc"], 3) == PUBLISHED_AUROC[method][at]
