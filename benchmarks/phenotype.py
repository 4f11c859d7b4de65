"""Genes for a trait: how many planted ones are found and how many false ones come with them; riboflavin.

    python benchmarks/phenotype.py [--datasets 30] [--families gaussian binomial]

A trait is the sum of 3, 8 or 20 of 200-500 genes of equal size and random sign, 70 % of its variance, or noise alone;
the genes follow ten factors with 30 % or 70 % of their variance; 100-300 samples. The second table is of two classes,
cases and controls, on the same genes: 0, 3 or 8 of them move the log odds, whose standard deviation is 3, or nothing
does, with a quarter or half of the samples ill. The third is the riboflavin set of NETINFER_DATA (71 x 4,088), where no
truth is known.
"""

from __future__ import annotations

import argparse
import time

import anndata
import numpy as np
import pandas as pd
from accuracy import DATA

import netinfer as ni

SIZES = ((100, 200), (200, 500), (300, 300))
CUTS = ({"fdr": 0.1}, {"fdr": 0.2}, {"expected_false_genes": 1.0})
EXPLAINED = 0.7
# Standard deviation of the log odds: the best score of a new sample has an area under the ROC curve of about 0.93.
LOG_ODDS = 3.0


def planted(seed: int, n_planted: int, shared: float) -> tuple[anndata.AnnData, set[str]]:
    """Simulate genes and a trait; the genes of the trait are returned by name."""
    rng = np.random.default_rng(seed)
    n, p = SIZES[seed % len(SIZES)]
    factors = rng.standard_normal((n, 10))
    x = np.sqrt(shared) * factors[:, rng.integers(0, 10, p)] + np.sqrt(1 - shared) * rng.standard_normal((n, p))
    trait = rng.standard_normal(n)
    true = rng.choice(p, n_planted, replace=False)
    if n_planted:
        signal = x[:, true] @ rng.choice([-1.0, 1.0], n_planted)
        trait = np.sqrt(EXPLAINED) * signal / signal.std() + np.sqrt(1 - EXPLAINED) * trait
    names = [f"g{j}" for j in range(p)]
    obs = pd.DataFrame({"trait": trait}, index=[f"s{i}" for i in range(n)])
    return anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=names)), {names[j] for j in true}


def simulated(n_datasets: int) -> pd.DataFrame:
    rows = []
    for shared in (0.3, 0.7):
        for n_planted in (0, 3, 8, 20):
            for seed in range(n_datasets):
                adata, true = planted(1000 * n_planted + seed, n_planted, shared)
                for cut in CUTS:
                    model = ni.select_genes(adata, "trait", **cut)
                    found = set(model.genes["gene"])
                    rows.append(
                        {
                            "cut": ", ".join(f"{name} {value:g}" for name, value in cut.items()),
                            "shared variance": shared,
                            "planted": n_planted,
                            "found": len(found & true),
                            "false": len(found - true),
                            "share false": len(found - true) / max(len(found), 1),
                            "bound": model.cut["expected_false_genes"] or 0.0,
                        }
                    )
    return pd.DataFrame(rows).groupby(["cut", "shared variance", "planted"]).mean().reset_index()


def case_control(seed: int, n_planted: int, shared: float, share_ill: float) -> tuple[anndata.AnnData, set[str]]:
    """Simulate genes and a class; the intercept is set so that the wished share of the samples is ill."""
    adata, true = planted(seed, n_planted, shared)
    rng = np.random.default_rng(10_000 + seed)
    log_odds = np.zeros(adata.n_obs)
    if n_planted:
        x = adata[:, sorted(true)].X
        log_odds = x @ rng.choice([-1.0, 1.0], n_planted)
        log_odds = LOG_ODDS * (log_odds - log_odds.mean()) / log_odds.std()
    noisy = log_odds + rng.logistic(size=adata.n_obs)
    adata.obs["state"] = np.where(noisy > np.quantile(noisy, 1.0 - share_ill), "ill", "healthy")
    return adata, true


def two_classes(n_datasets: int) -> pd.DataFrame:
    rows = []
    for shared in (0.3, 0.7):
        for n_planted in (0, 3, 8):
            for seed in range(n_datasets):
                share_ill = (0.25, 0.5)[seed % 2]
                adata, true = case_control(1000 * n_planted + seed, n_planted, shared, share_ill)
                for cut in CUTS:
                    model = ni.select_genes(adata, "state", family="binomial", **cut)
                    found = set(model.genes["gene"])
                    rows.append(
                        {
                            "cut": ", ".join(f"{name} {value:g}" for name, value in cut.items()),
                            "shared variance": shared,
                            "planted": n_planted,
                            "found": len(found & true),
                            "false": len(found - true),
                            "share false": len(found - true) / max(len(found), 1),
                            "bound": model.cut["expected_false_genes"] or 0.0,
                            "AUC": model.record["auc_heldout"],
                            "certified": float(model.record["is_certified"]),
                        }
                    )
    return pd.DataFrame(rows).groupby(["cut", "shared variance", "planted"]).mean().reset_index()


def riboflavin() -> None:
    table = pd.read_csv(DATA / "riboflavin" / "riboflavin.tsv.gz", sep="\t", index_col=0)
    for cut in CUTS:
        began = time.perf_counter()
        model = ni.select_genes(table.drop(columns="y"), table["y"], **cut)
        seconds = time.perf_counter() - began
        print(f"\n{model}\nheld-out R2 {model.record['r2_heldout']:.2f}, {seconds:.0f} s")
        shown = ["gene", "sign", "effect", "effect_low", "effect_high", "selection_probability"]
        shown += ["expected_false_genes", "q_value"]
        print(model.ranked[shown].head(6).to_markdown(index=False, floatfmt=".2f"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=30, help="simulated data sets a row")
    parser.add_argument("--families", nargs="+", choices=("gaussian", "binomial"), default=("gaussian", "binomial"))
    options = parser.parse_args()
    for family, run in (("gaussian", simulated), ("binomial", two_classes)):
        if options.datasets and family in options.families:
            print(f"\n{family}\n\n{run(options.datasets).to_markdown(index=False, floatfmt='.2f')}")
    if "gaussian" in options.families:
        riboflavin()


if __name__ == "__main__":
    main()
