"""|Pearson| on real and in silico sets against the figures that were measured with other code."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from netinfer.evaluate import evaluate
from netinfer.io import as_expression, read_gold

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "../shared/data"))
# Average precision and AUROC, measured with scikit-learn before this scorer was written.
CASES = {
    "ecoli_precise": ("expression.tsv.gz", "gold_dream5_net3.tsv.gz", 0.054, 0.606),
    "grndata_syntren300": ("expression.tsv.gz", "gold_positives.tsv.gz", 0.167, 0.935),
}


@pytest.mark.parametrize("name", CASES)
def test_baseline_reproduces_the_measured_figures(name):
    expression, gold, precision, auroc = CASES[name]
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"NETINFER_DATA has no {name}")
    adata = as_expression(pd.read_csv(folder / expression, sep="\t", index_col=0))
    known = read_gold(folder / gold)
    if known["is_edge"].all():  # this set's figure is over all its genes, not over the targets of known edges alone
        known = known.set_index(["source", "target"])["is_edge"].astype(int)
        pairs = pd.MultiIndex.from_product([known.index.unique("source"), adata.var_names], names=["source", "target"])
        known = known.reindex(pairs, fill_value=0).reset_index()
    none = pd.DataFrame({"source": ["none"], "target": ["none"], "weight": [1.0]})
    scores = evaluate(none, known, baseline=adata, n_bootstrap=0).set_index("metric")["baseline"]
    assert scores["average_precision"] == pytest.approx(precision, abs=6e-4)
    assert scores["auroc"] == pytest.approx(auroc, abs=6e-4)
