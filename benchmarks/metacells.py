"""Cells of one donor as they are against metacells of 30 of them: where metacells are too few to learn from.

    python benchmarks/metacells.py [--seeds 2] [--cells 700 1500 5000]

Simulated counts of one donor's cells of 3 types, 30 regulators, 270 targets; without any true edge at most 2 expected
false edges asked for, and with 80 edges fdr 0.1. Judged are edges whose target is no regulator: the regulators of one
module do correlate. `auto` of `cells.aggregate` rests on this table.
"""

from __future__ import annotations

import argparse
import logging
import warnings

import pandas as pd

import netinfer as ni
from netinfer.config import CellsConfig
from netinfer.simulate import cell_counts

N_EDGES = 80


def chosen(n_cells: int, n_edges: int, aggregate: str, seed: int, threads: int) -> dict[str, int]:
    """Count the samples, the edges chosen, and the true ones among them and among as many at the top."""
    adata, edges = cell_counts(n_cells, 3, 1, 30, 270, n_edges=n_edges, seed=seed)
    settings = CellsConfig(aggregate=aggregate)
    prepared = ni.normalize(ni.prepare_samples(adata, assay="cells", cells=settings, seed=seed))
    wish = {"fdr": 0.1} if n_edges else {"expected_false_edges": 2.0}
    net = ni.infer_regression(prepared, seed=seed, threads=threads, **wish)
    true = set(zip(edges["source"], edges["target"], strict=True))
    genes = set(adata.var_names[~adata.var["is_regulator"]])
    judged, candidates = (table[table["target"].isin(genes)] for table in (net.edges, net.candidates))
    found = set(zip(judged["source"], judged["target"], strict=True))
    top = candidates.iloc[: len(true)]
    return {
        "samples": prepared.n_obs,
        "chosen": len(found),
        "true": len(found & true),
        "true at the top": len(set(zip(top["source"], top["target"], strict=True)) & true),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--cells", type=int, nargs="+", default=[700, 1500, 5000])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    logging.disable(logging.WARNING)
    rows = []
    for n_cells in options.cells:
        for aggregate in ("none", "metacells"):
            runs = {
                n_edges: pd.DataFrame(
                    [chosen(n_cells, n_edges, aggregate, seed, options.threads) for seed in range(options.seeds)]
                )
                for n_edges in (0, N_EDGES)
            }
            rows.append(
                {
                    "cells": n_cells,
                    "aggregate": aggregate,
                    "samples": round(runs[N_EDGES]["samples"].mean(), 1),
                    "no edge: chosen": runs[0]["chosen"].sum(),
                    "no edge: asked, at most": 2 * options.seeds,
                    "chosen": runs[N_EDGES]["chosen"].sum(),
                    "of these true": runs[N_EDGES]["true"].sum(),
                    f"true among the top {N_EDGES}": runs[N_EDGES]["true at the top"].sum(),
                    "true edges": N_EDGES * options.seeds,
                }
            )
            print(rows[-1], flush=True)
    print(pd.DataFrame(rows).to_markdown(index=False))


if __name__ == "__main__":
    main()
