"""Confounded designs: observed against expected false edges, and what is left of the true ones.

    python benchmarks/confounding.py [--seeds 5] [--designs replicates cells factors] [--rule meinshausen_buhlmann]

Three designs without any true edge, and with planted ones: 10 conditions x 3 replicates; 5,000 cells of 5 types in 12
donors (raw counts); 5 hidden factors with 40 % of the variance, 250 samples. Treatments: *raw* takes every sample for
a unit and projects nothing out; *defaults* is what netinfer does unasked; *auto* adds `hidden_factors: auto`;
*condition out*, for the replicates, projects the condition out and takes every sample for a unit. The clean twin has
the same edges, noise and number of units without the confounder, treated by the defaults: the first replicate of each
condition; cells without effects of type, donor and depth; samples without factors.

Sums over seeds. *expected* is the bound of the networks, *false* counts pairs without an edge (of planted designs
those whose target is no regulator: regulators of one module do correlate), *share* is how many of the true edges that
the clean twin finds are found here as well.
"""

from __future__ import annotations

import argparse
import time
import warnings

import pandas as pd

import netinfer as ni
from netinfer import simulate

CUTS = {"fdr 0.1": {"fdr": 0.1}, "expected 1": {"expected_false_edges": 1.0}}
RAW = {"block": "sample", "covariates": [], "hidden_factors": 0}
DEFAULTS: dict = {}
AUTO = {"hidden_factors": "auto"}
CONDITION_OUT = {"block": "sample", "covariates": ["condition"]}
PLANTED = {"n_edges": 400, "max_regulators": 4, "module_correlation": 0.5}
NULL = {"n_edges": 0, "module_correlation": 0.0}


def replicates(seed: int, n_edges: int):
    adata, edges = simulate.replicates(10, 3, 60, 200, n_edges=n_edges // 4, noise_sd=0.2, seed=seed)
    return adata, edges, adata[adata.obs["replicate"] == 1].copy()


def cells(seed: int, n_edges: int):
    network = PLANTED if n_edges else NULL
    adata, edges = simulate.cell_counts(seed=seed, **network)
    return adata, edges, simulate.cell_counts(seed=seed, type_sd=0, donor_sd=0, depth_spread=0, **network)[0]


def factors(seed: int, n_edges: int):
    network = PLANTED if n_edges else NULL
    sizes = {"n_samples": 250, "n_factors": 5, "n_regulators": 50, "n_targets": 450}
    adata, edges = simulate.hidden_factors(**sizes, factor_share=0.4, seed=seed, **network)
    return adata, edges, simulate.hidden_factors(**sizes, factor_share=0, seed=seed, **network)[0]


DESIGNS = {
    "replicates": (replicates, {"raw": RAW, "defaults": DEFAULTS, "auto": AUTO, "condition out": CONDITION_OUT}),
    "cells": (cells, {"raw": RAW, "defaults": DEFAULTS, "auto": AUTO}),
    "factors": (factors, {"raw": RAW, "defaults": DEFAULTS, "auto": AUTO}),
}


def infer(adata, treatment: dict, rule: str, seed: int):
    if treatment is not RAW:
        adata = ni.prepare_samples(adata)
    return ni.infer_regression(ni.normalize(adata), rule=rule, seed=seed, threads=1, **treatment)


def pairs(frame: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(frame["source"], frame["target"], strict=True))


def run(design: str, rule: str, seed: int) -> list[dict]:
    make, treatments = DESIGNS[design]
    rows = []
    for edges_wished in (0, PLANTED["n_edges"]):
        adata, edges, clean = make(seed, edges_wished)
        true = pairs(edges)
        found_clean: dict[str, set] = {cut: set() for cut in CUTS}
        if edges_wished:
            net = infer(clean, DEFAULTS, rule, seed)
            found_clean = {cut: pairs(net.threshold(**asked).edges) & true for cut, asked in CUTS.items()}
        for name, treatment in treatments.items():
            began = time.perf_counter()
            net = infer(adata, treatment, rule, seed)
            seconds = time.perf_counter() - began
            for cut, asked in CUTS.items():
                at = net.threshold(**asked)
                chosen = pairs(at.edges)
                judged = {pair for pair in chosen if not (edges_wished and pair[1].startswith("reg"))}
                rows.append(
                    {
                        "design": design,
                        "edges": "planted" if edges_wished else "none",
                        "treatment": name,
                        "cut": cut,
                        "units": net.provenance["n_units"],
                        "covariate df": net.provenance["covariate_df"],
                        "expected": at.cut["expected_false_edges"] or 0.0,
                        "false": len(judged - true),
                        "planted": len(true),
                        "true found": len(chosen & true),
                        "clean twin finds": len(found_clean[cut]),
                        "of these found": len(chosen & found_clean[cut]),
                        "seconds": seconds,
                    }
                )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--designs", nargs="*", default=list(DESIGNS), choices=list(DESIGNS))
    parser.add_argument("--rule", default="meinshausen_buhlmann")
    options = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    rows = [row for d in options.designs for seed in range(options.seeds) for row in run(d, options.rule, seed)]
    keys = ["design", "edges", "treatment", "cut"]
    groups = pd.DataFrame(rows).groupby(keys, sort=False)
    table = groups.sum()
    table[["units", "covariate df", "seconds"]] = groups[["units", "covariate df", "seconds"]].mean()
    table["share"] = table["of these found"] / table["clean twin finds"].where(table["clean twin finds"] > 0)
    table["holds"] = table["false"] <= table["expected"]
    print(table.reset_index().round(2).to_markdown(index=False))


if __name__ == "__main__":
    main()
