"""PRECISE with its replicate groups as independent units against every sample as one.

    python benchmarks/blocks.py [--subsamples 100]

The groups are project and condition of the sample sheet: 163 of 278 samples. Average precision by the DREAM5 gold
standard; edges at fdr 0.1; of these the share that the gold standard lists, among the ones that it can judge. Reads
NETINFER_DATA.
"""

from __future__ import annotations

import argparse
import time
import warnings

import pandas as pd
from accuracy import DATA, load

import netinfer as ni


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subsamples", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    adata, gold = load("precise")
    sheet = pd.read_csv(DATA / "ecoli_precise" / "raw" / "sample_table.csv.gz", index_col=0).reindex(adata.obs_names)
    adata.obs["replicate_group"] = (sheet["project"].astype(str) + ":" + sheet["condition"].astype(str)).to_numpy()
    rows = []
    for block in ("sample", "replicate_group"):
        began = time.perf_counter()
        net = ni.infer_regression(adata, block=block, n_subsamples=options.subsamples, threads=options.threads)
        seconds = time.perf_counter() - began
        scores = ni.evaluate(net, gold, baseline=adata, n_bootstrap=100).set_index("metric")
        known = net.edges.merge(gold[["source", "target", "is_edge"]], on=["source", "target"])
        rows.append(
            {
                "unit": block,
                "units": net.provenance["n_units"],
                "average precision": scores.loc["average_precision", "value"],
                "low": scores.loc["average_precision", "low"],
                "high": scores.loc["average_precision", "high"],
                "|Pearson|": scores.loc["average_precision", "baseline"],
                "edges at fdr 0.1": len(net.edges),
                "expected false": net.cut["expected_false_edges"],
                "edges judged": len(known),
                "listed": known["is_edge"].mean() if len(known) else float("nan"),
                "seconds": round(seconds, 1),
            }
        )
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    ratio = table["average precision"].iloc[1] / table["average precision"].iloc[0]
    print(table.round(4).to_markdown(index=False))
    print(f"\naverage precision by groups / by samples: {ratio:.3f} (bar: at least 0.95)")


if __name__ == "__main__":
    main()
