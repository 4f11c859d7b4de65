"""Riboflavin production of B. subtilis, 71 samples x 4,088 genes: which genes are stable, by each rule.

    python benchmarks/riboflavin.py [--subsamples 100] [--level 1]

Reads NETINFER_DATA (riboflavin). The Lasso on half-samples of 35, all genes as candidates; for each rule and threshold
the genes at the level of expected false ones, with the bound of each. Buehlmann, Kalisch and Meier (2014), read
second hand, have LYSC_at, YOAB_at and YXLD_at as stable.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import pandas as pd

from netinfer.config import RegressionConfig
from netinfer.models import regression
from netinfer.stability.rules import default_threshold, expected_false

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data"))
PUBLISHED = ("LYSC_at", "YOAB_at", "YXLD_at")
RULES = ("meinshausen_buhlmann", "shah_samworth_unimodal", "shah_samworth", "ipss_quadratic", "ipss_cubic")


def main() -> None:
    """Print the genes by rule."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subsamples", type=int, default=100)
    parser.add_argument("--level", type=float, default=1.0)
    options = parser.parse_args()
    table = pd.read_csv(DATA / "riboflavin" / "riboflavin.tsv.gz", sep="\t", index_col=0)
    genes = table.drop(columns="y")
    settings = RegressionConfig(model="lasso", n_subsamples=options.subsamples)
    problem = regression.problem_from_arrays(
        genes.to_numpy(), table[["y"]].to_numpy(), regulator_names=list(genes), target_names=["y"]
    )
    regression.fit_chunk(problem, settings=RegressionConfig(model="lasso", n_subsamples=4))  # compile
    began = time.perf_counter()
    part = regression.fit_chunk(problem, settings=settings)
    seconds = time.perf_counter() - began
    counts = regression.selection_counts(problem, [part], settings)
    names = [problem.regulator_names[j] for j in part.pair_regulator[part.n_most > options.subsamples // 2]]
    most = dict(zip(names, counts.counts.max(axis=1) / options.subsamples, strict=True))
    by_default = default_threshold(counts.n_candidates, problem.n_units)
    rows = []
    for rule in RULES:
        for threshold in (by_default,) if "ipss" in rule else (0.51, by_default):
            bound = expected_false(counts, rule, threshold=threshold)
            found = sorted((value, name) for value, name in zip(bound, names, strict=True) if value <= options.level)
            shown = ", ".join(f"{name}{'*' if name in PUBLISHED else ''} ({value:.2g})" for value, name in found)
            rows.append((rule, "" if "ipss" in rule else threshold, shown or "none"))
    print(f"{options.subsamples} half-samples in {seconds:.1f} s, worst relative gap {part.duality_gap.max():.1e}.")
    print("Selected in most half-samples:", ", ".join(f"{name} {share:.2f}" for name, share in most.items()), "\n")
    print(pd.DataFrame(rows, columns=["rule", "threshold", "genes (bound); * published"]).to_markdown(index=False))


if __name__ == "__main__":
    main()
