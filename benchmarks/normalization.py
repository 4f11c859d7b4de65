"""What `normalize: auto` does to linear values: ranks, logs and the values themselves, on the same data.

    python benchmarks/normalization.py

Needs no data but the demo's. Demo: log2(TPM + 1) of the repository, taken back to TPM. Simulated: log expression with
known edges, taken to 2^x, and the same with one tenth of the samples multiplied by 30, as an outlying batch of
intensities is. Area under the precision-recall curve over all pairs, edges at fdr 0.1, and, where the truth is known,
how many of these are false.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import netinfer as ni
from netinfer import preprocess, simulate
from netinfer.io import read_expression, read_gold, read_regulators, read_sample_sheet

DEMO = Path(__file__).parents[1] / "resources" / "demo"


def demo():
    adata = preprocess.ingest(
        read_expression(DEMO / "expression.tsv.gz"),
        regulators=read_regulators(DEMO / "regulators.txt"),
        samples=read_sample_sheet(DEMO / "samples.tsv"),
    )
    adata.X = 2.0**adata.X - 1.0
    return adata, read_gold(DEMO / "gold.tsv.gz"), "replicate_group"


def simulated(outlying: bool):
    adata, edges = simulate.sparse_linear(200, 50, 200, seed=1)
    adata.X = 2.0 ** (5.0 + 2.0 * (adata.X - adata.X.mean(axis=0)) / adata.X.std(axis=0))
    if outlying:
        adata.X[:20] *= 30.0
    return adata, simulate.complete_gold(edges, adata), None


def main() -> None:
    rows = []
    sets = {"demo, TPM": demo(), "simulated": simulated(False), "simulated, outlying samples": simulated(True)}
    for name, (linear, gold, block) in sets.items():
        logged = linear.copy()
        logged.X = np.log2(1.0 + linear.X)
        for label, adata, method in (
            ("rank (auto)", linear, "auto"),
            ("log2(1 + x), none", logged, "none"),
            ("none", linear, "none"),
        ):
            ready = ni.normalize(adata, method)
            net = ni.infer_regression(ready, block=block, threads=2)
            scores = ni.evaluate(net, gold).set_index("metric")["value"]
            pairs = pd.MultiIndex.from_frame(gold.loc[gold["is_edge"], ["source", "target"]])
            is_true = pd.MultiIndex.from_frame(net.edges[["source", "target"]]).isin(pairs)
            rows.append(
                {
                    "set": name,
                    "values": label,
                    "normalization": ready.uns["netinfer"]["normalization"],
                    "aupr": round(scores["aupr"], 3),
                    "edges": len(net.edges),
                    "not_in_gold": int((~is_true).sum()),
                }
            )
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
