"""How many of the strongest edges on PRECISE lie in an operon or close together, and what they do to the score.

    python benchmarks/operons.py [--half-samples 20] [--threads 2] [--shrinkage 0.5]

Reads NETINFER_DATA (ecoli_precise). Prints the shares of pairs within an operon and within three genes among the top
100, the top 1000, the network and all possible pairs, for the network and for |Pearson|; the scores against two gold
standards with and without the pairs of one operon; and how well operons predicted by the plain rule agree with the
annotated ones. Weights and ranks, and so shares and scores, change little with the number of half-samples; the network
at its cut needs the default of 100.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd

import netinfer as ni
from netinfer import preprocess
from netinfer.io import read_annotation, read_expression, read_gold, read_regulators
from netinfer.network import neighbours
from netinfer.network.places import locate, predict_operons

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data")) / "ecoli_precise"
GOLDS = {"DREAM5": "gold_dream5_net3.tsv.gz", "RegulonDB": "gold_trn_positives.tsv.gz"}
METRICS = ("aupr", "average_precision", "early_precision", "auroc", "base_rate", "n_pairs", "n_positives")


def pearson_pairs(adata, annotation: pd.DataFrame, top: int) -> pd.DataFrame:
    """Return the strongest pairs of a regulator and another gene by |Pearson|, with their neighbours marked."""
    x = np.asarray(adata.X, dtype=float)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    regulators = np.flatnonzero(adata.var["is_regulator"])
    corr = np.abs(x[:, regulators].T @ x / len(x))
    corr[np.arange(len(regulators)), regulators] = -1.0
    best = np.argsort(-corr, axis=None, kind="stable")[:top]
    row, column = np.unravel_index(best, corr.shape)
    names = adata.var_names.to_numpy(dtype=object)
    pairs = pd.DataFrame({"source": names[regulators[row]], "target": names[column]})
    return neighbours.add_neighbours(pairs, annotation, list(names))


def shares(adata, net: ni.Network, annotation: pd.DataFrame) -> pd.DataFrame:
    """Return the shares among the network's strongest pairs, and among as many of |Pearson|'s."""
    table = neighbours.neighbour_shares(net)
    strongest = pearson_pairs(adata, annotation, 1000)
    rows = [
        {
            "pairs": f"top {top} by |Pearson|",
            "n_pairs": top,
            "n_placed": int(part["gene_distance"].notna().sum()),
            "same_operon": part["same_operon"].mean(),
            "within_3_genes": (part["gene_distance"] <= 3).sum() / top,
        }
        for top in (100, 1000)
        for part in [strongest.head(top)]
    ]
    return pd.concat([table, pd.DataFrame(rows)], ignore_index=True)


def scores(net: ni.Network, adata, annotation: pd.DataFrame) -> pd.DataFrame:
    """Return the scores with and without the pairs of one operon, beside |Pearson| on the same pairs."""
    rows = []
    for name, file in GOLDS.items():
        table = ni.evaluate(net, read_gold(DATA / file), baseline=adata, annotation=annotation, n_bootstrap=0)
        table = table.set_index("metric")
        for metric in METRICS:
            if f"{metric}_without_operon" in table.index:
                both, without = table.loc[metric], table.loc[f"{metric}_without_operon"]
                rows.append(
                    {
                        "gold": name,
                        "metric": metric,
                        "all pairs": both["value"],
                        "without operon": without["value"],
                        "|Pearson|, all pairs": both["baseline"],
                        "|Pearson|, without operon": without["baseline"],
                    }
                )
    return pd.DataFrame(rows)


def prediction(annotation: pd.DataFrame) -> str:
    """Compare predicted with annotated operons over neighbouring genes."""
    ordered = annotation.sort_values(["contig", "start", "end"], kind="stable")
    predicted = predict_operons(ordered).to_numpy()
    known = ordered["operon"].to_numpy()
    together = (known[1:] == known[:-1]) & (known[1:] != "")
    joined = (predicted[1:] == predicted[:-1]) & (predicted[1:] != "")
    both = int((together & joined).sum())
    return (
        f"predicted operons: of {int(joined.sum())} neighbouring pairs that the rule joins, {both / joined.sum():.1%} "
        f"share an annotated operon; of {int(together.sum())} that share one, it joins {both / together.sum():.1%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half-samples", type=int, default=20, help="even; the default of netinfer is 100")
    parser.add_argument("--shrinkage", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    adata = read_expression(DATA / "expression.tsv.gz")
    adata = preprocess.ingest(adata, regulators=read_regulators(DATA / "regulators.txt"), where="precise")
    adata = preprocess.normalize(adata)
    annotation = read_annotation(DATA / "raw" / "gene_table.csv.gz")
    print(locate(annotation, list(adata.var_names)).sentence)
    print(prediction(annotation))
    began = time.perf_counter()
    net = ni.infer_regression(
        adata, n_subsamples=options.half_samples, shrinkage=options.shrinkage, threads=options.threads
    )
    print(f"{options.half_samples} half-samples: {time.perf_counter() - began:.0f} s\n")
    marked = neighbours.annotate(net, annotation)
    table = shares(adata, marked, annotation)
    print(table.round(4).to_markdown(index=False), "\n")
    print(scores(marked, adata, annotation).round(4).to_markdown(index=False), "\n")
    rest = neighbours.annotate(net, annotation, exclude_same_operon=True)
    left_out = rest.provenance["neighbours"]["n_left_out"]
    print(
        f"exclude_same_operon: {left_out} of {len(net.candidates)} candidates left out; "
        f"edges at fdr 0.1: {len(net.edges)} before, {len(rest.edges)} after"
    )


if __name__ == "__main__":
    main()
