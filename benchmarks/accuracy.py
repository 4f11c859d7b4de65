"""Accuracy on five sets with gold standards, one configuration (the defaults), |Pearson| on the same pairs beside it.

    python benchmarks/accuracy.py [--sets dream4_1 syntren ...]

Reads NETINFER_DATA. Average precision over all gold pairs; a pair that is not among the candidates ranks last. The
last columns are the default cut (fdr 0.1) and what the gold standard says of the edges that it could judge.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path

import pandas as pd

import netinfer as ni
from netinfer import preprocess
from netinfer.io import as_expression, read_expression, read_gold, read_regulators

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data"))
NET1, NET2 = "dream4_size100/net1", "dream4_size100/net2"
SETS = {
    "dream4_1": (f"{NET1}/insilico_size100_1_multifactorial.tsv.gz", f"{NET1}/gold_multifactorial_1.tsv.gz"),
    "dream4_2": (f"{NET2}/insilico_size100_2_multifactorial.tsv.gz", f"{NET2}/gold_multifactorial_2.tsv.gz"),
    "syntren": ("grndata_syntren300/expression.tsv.gz", "grndata_syntren300/gold_positives.tsv.gz"),
    "bsubtilis": ("bsubtilis_inferelator/raw/expression.tsv.gz", "bsubtilis_inferelator/gold.tsv.gz"),
    "precise": ("ecoli_precise/expression.tsv.gz", "ecoli_precise/gold_dream5_net3.tsv.gz"),
}
BARS = {"dream4_1": 0.135, "dream4_2": 0.120, "syntren": 0.32, "bsubtilis": 0.150, "precise": 0.088}


def load(name: str):
    expression, gold = SETS[name]
    folder = DATA / expression.split("/")[0]
    if name.startswith("dream4"):  # the published file has no sample ids
        adata = as_expression(pd.read_csv(DATA / expression, sep="\t"))
    else:
        orientation = "genes_x_samples" if name == "bsubtilis" else "samples_x_genes"
        adata = read_expression(DATA / expression, orientation=orientation)
    adata = preprocess.ingest(adata, regulators=read_regulators(folder / "regulators.txt"), where=name)
    known = read_gold(DATA / gold)
    if name == "syntren":  # edges only; the set's published scores take every regulator with every other gene
        pairs = pd.MultiIndex.from_product([adata.var_names[adata.var["is_regulator"]], adata.var_names])
        edges = pd.MultiIndex.from_frame(known[["source", "target"]])
        known = pairs.to_frame(index=False, name=["source", "target"]).assign(is_edge=pairs.isin(edges))
    return preprocess.normalize(adata), known


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--model", default="elastic_net")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    rows = []
    for name in options.sets:
        adata, gold = load(name)
        began = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            net = ni.infer_regression(adata, model=options.model, threads=options.threads)
        seconds = time.perf_counter() - began
        scores = ni.evaluate(net, gold, baseline=adata, n_bootstrap=100).set_index("metric")
        edges = net.edges.merge(gold, on=["source", "target"], how="inner")
        rows.append(
            {
                "set": name,
                "samples x genes": f"{adata.n_obs} x {adata.n_vars}",
                "regulators": int(adata.var["is_regulator"].sum()),
                "average precision": scores.loc["average_precision", "value"],
                "low": scores.loc["average_precision", "low"],
                "high": scores.loc["average_precision", "high"],
                "|Pearson|": scores.loc["average_precision", "baseline"],
                "base rate": scores.loc["base_rate", "value"],
                "bar": BARS[name],
                "auroc": scores.loc["auroc", "value"],
                "worst gap": net.provenance["worst_duality_gap"],
                "edges at fdr 0.1": len(net.edges),
                "expected false": net.cut["expected_false_edges"],
                "in gold universe": len(edges),
                "of these true": int(edges["is_edge"].sum()),
                "seconds": round(seconds, 1),
            }
        )
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    table["worst gap"] = table["worst gap"].map("{:.1e}".format)
    print(table.round(4).to_markdown(index=False))


if __name__ == "__main__":
    main()
