"""Do the bounds hold where regulators are as correlated as real ones? All rules on the same half-samples.

    python benchmarks/calibration_real.py [--targets 200] [--seeds 3] [--rules meinshausen_buhlmann:0.9 ...]

Regulators are drawn from a normal law with the correlations of PRECISE's (E. coli) and of B. subtilis' regulators
(shrunk by 0.1 towards independence, so that the population regression is unique), or with eight common factors.
A quarter of the targets has no regulator, the others have 1 to 20 with R2 of 0.2 to 0.9. A false edge is a pair whose
population coefficient is zero. For each rule, with its threshold or truncation constant: edges, bound and false edges
at fdr 0.1, and at 1 and 5 expected false edges a seed, sums over seeds; false / bound with the standard error that the
false edges have over the seeds, which is rough with 3 of them. --selecting adds elastic nets as the selecting path.
Real data come from NETINFER_DATA.
"""

from __future__ import annotations

import argparse
import itertools
import os
from pathlib import Path

import numpy as np
import pandas as pd
from calibration import bound_of, label

from netinfer.config import RegressionConfig
from netinfer.models import regression
from netinfer.stability import q_values

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data"))
RULES = (
    "meinshausen_buhlmann:0.75", "meinshausen_buhlmann:0.9", "meinshausen_buhlmann:1", "shah_samworth_unimodal:0.75",
    "shah_samworth_unimodal:0.9", "shah_samworth_unimodal:0.95", "shah_samworth_unimodal:0.98",
    "shah_samworth_unimodal:1", "shah_samworth:0.75", "shah_samworth:0.9", "shah_samworth:0.98", "shah_samworth:1",
    "ipss_quadratic", "ipss_quadratic:0.05", "ipss_quadratic:0.01", "ipss_quadratic:0.002", "ipss_cubic",
)  # fmt: skip
DESIGNS = {"PRECISE": 278, "B. subtilis": 266, "factors, n 100": 100, "factors, n 300": 300}


def real_correlation(design: str) -> np.ndarray:
    if design == "PRECISE":
        table = pd.read_csv(DATA / "ecoli_precise" / "expression.tsv.gz", sep="\t", index_col=0)
        names = (DATA / "ecoli_precise" / "regulators.txt").read_text().split()
    else:
        table = pd.read_csv(DATA / "bsubtilis_inferelator" / "raw" / "expression.tsv.gz", sep="\t", index_col=0).T
        names = [n.strip('"') for n in (DATA / "bsubtilis_inferelator" / "regulators.txt").read_text().split()]
    table.columns = table.columns.astype(str).str.strip('"')
    values = table[[name for name in names if name in table.columns]].to_numpy()
    return np.corrcoef(values[:, values.std(axis=0) > 0].T)


def draw(design: str, n_targets: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = DESIGNS[design]
    if design.startswith("factors"):
        p = 100 if n == 100 else 50
        X = 0.5 * rng.standard_normal((n, 8)) @ rng.standard_normal((8, p)) + rng.standard_normal((n, p))
    else:
        correlation = real_correlation(design)
        p = len(correlation)
        X = rng.standard_normal((n, p)) @ np.linalg.cholesky(0.9 * correlation + 0.1 * np.eye(p)).T
    truth, Y = np.zeros((n_targets, p), bool), rng.standard_normal((n, n_targets))
    for t in range(n_targets):
        if t % 4:
            k, r2 = rng.integers(1, 21), rng.uniform(0.2, 0.9)
            chosen = rng.choice(p, k, replace=False)
            strength = rng.standard_normal(k)
            signal = X[:, chosen] @ (strength + 0.5 * np.sign(strength))
            truth[t, chosen] = True
            Y[:, t] = np.sqrt(r2) * signal / signal.std() + np.sqrt(1 - r2) * Y[:, t]
    return X, Y, truth


def cuts(bound: np.ndarray) -> dict[str, tuple[np.ndarray, float]]:
    """Return which pairs pass each cut, and the bound that it claims."""
    by_share = q_values(bound) <= 0.1
    claimed = float(bound[by_share].max()) if by_share.any() else 0.0
    return {"fdr 0.1": (by_share, claimed), "1 a seed": (bound <= 1, 1.0), "5 a seed": (bound <= 5, 5.0)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rules", nargs="*", default=list(RULES))
    parser.add_argument("--selecting", type=float, nargs="*", default=[0.0], help="shrinkages of the selecting path")
    options = parser.parse_args()
    rows = []
    for design, shrinkage in itertools.product(DESIGNS, options.selecting):
        settings = RegressionConfig(model="elastic_net", selection_shrinkage=shrinkage, shrinkage=shrinkage)
        for seed in range(options.seeds):
            X, Y, truth = draw(design, options.targets, np.random.default_rng(seed))
            problem = regression.problem_from_arrays(
                X,
                Y,
                regulator_names=[f"r{j}" for j in range(X.shape[1])],
                target_names=[f"t{j}" for j in range(Y.shape[1])],
            )
            part = regression.fit_chunk(problem, settings=settings, seed=seed)
            counts = regression.selection_counts(problem, [part], settings)
            gated = part.n_most > settings.n_subsamples // 2
            is_false = ~truth[part.pair_target, part.pair_regulator][gated]
            for text in options.rules:
                bound = bound_of(text, counts)
                for cut, (chosen, claimed) in cuts(bound).items():
                    rows.append((cut, label(text), shrinkage, design, chosen.sum(), claimed, is_false[chosen].sum()))
    table = pd.DataFrame(rows, columns=["cut", "rule", "selecting", "design", "edges", "bound", "false"])
    grouped = table.groupby(["cut", "selecting", "rule", "design"], sort=False)
    table = grouped.sum()
    table["se"] = grouped["false"].sem() * options.seeds
    table = table.reset_index()
    table["cell"] = [
        f"{row.edges:,} / {row.bound:.0f} / {row.false} ({row.false / row.bound:.2f} ± {row.se / row.bound:.2f})"
        if row.edges and row.bound
        else "none"
        for row in table.itertuples()
    ]
    for (cut, shrinkage), part in table.groupby(["cut", "selecting"], sort=False):
        print(f"\n{cut}, selecting path with shrinkage {shrinkage:g}: edges / bound / false (false / bound ± se)\n")
        print(
            part.pivot_table(index="rule", columns="design", values="cell", aggfunc="first", sort=False).to_markdown()
        )


if __name__ == "__main__":
    main()
