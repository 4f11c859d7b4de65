"""Does the expected number of false edges hold? Simulated targets on regulators as correlated as real ones.

    python benchmarks/calibration.py [--targets 300] [--seeds 3]

Regulators are drawn from a normal law with the correlations of PRECISE's (E. coli) and of B. subtilis' regulators
(shrunk by 0.1 towards independence, so that the population regression is unique), or with eight common factors.
A quarter of the targets has no regulator, the others have 1 to 20 with R2 of 0.2 to 0.9. A false edge is a pair whose
population coefficient is zero. The selecting path is the Lasso (the default) or an elastic net. For each rule and
truncation: edges at fdr 0.1, the bound, the false ones, sums over
seeds. Real data come from NETINFER_DATA.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd

from netinfer.config import RegressionConfig
from netinfer.models import regression
from netinfer.stability import expected_false, q_values

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data"))
RULES = ("meinshausen_buhlmann", "shah_samworth", "ipss_quadratic", "ipss_cubic")
TRUNCATIONS = (0.05, 0.01, 0.002)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    rows = []
    for design in DESIGNS:
        for selecting, shrinkage in (("Lasso", 0.0), ("elastic net, s 0.5", 0.5)):
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
                for rule in RULES:
                    for truncation in TRUNCATIONS:
                        bound = expected_false(counts, rule, truncation=truncation)
                        chosen = q_values(bound) <= 0.1
                        asked = bound[chosen].max() if chosen.any() else 0.0
                        row = (design, selecting, rule, truncation, chosen.sum(), asked, is_false[chosen].sum())
                        rows.append(row)
    names = ["design", "selecting", "rule", "truncation", "edges", "expected_false", "observed_false"]
    table = pd.DataFrame(rows, columns=names)
    keys = ["rule", "truncation", "selecting", "design"]
    table = table.groupby(keys, sort=False).sum().reset_index()
    table["observed / expected"] = table["observed_false"] / table["expected_false"].where(table["expected_false"] > 0)
    print(table.round({"expected_false": 1, "observed / expected": 2}).to_markdown(index=False))


if __name__ == "__main__":
    main()
