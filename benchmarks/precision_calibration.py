"""Does the bound on false edges of an undirected network hold? Many simulated graphs whose pairs are known.

    python benchmarks/precision_calibration.py [--networks 100] [--jobs 2] [--rules meinshausen_buhlmann ...]

Gaussian samples of five graphs (n 50 with 50 genes, 100 and 300 with 100 genes): no edge at all; a chain (partial
correlations of 0.3); hubs, each tied to ten genes (partial correlations of 0.25); random pairs, three a gene on
average; and modules of ten genes that share half of their variance, where all pairs of a module are edges. A false edge
has a partial correlation of zero in the population. `infer_precision` at its defaults is asked for at most 1 and at
most 5 expected false edges. The bound takes it that chance ties all other pairs alike, which holds exactly without any
edge only. It is broken where the mean less two standard errors is above the level.
"""

from __future__ import annotations

import argparse
import itertools
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

import netinfer as ni

GRAPHS = ("none", "chain", "hubs", "random", "modules")
SIZES = ((50, 50), (100, 100), (300, 100))
LEVELS = (1.0, 5.0)
MODULE = 10  # genes a hub is tied to, and genes of a module


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rules", nargs="+", default=["meinshausen_buhlmann"])
    options = parser.parse_args()
    print(summary(study(options.networks, options.jobs, options.rules)).to_markdown(index=False))


def precision_of(graph: str, p: int, rng: np.random.Generator) -> np.ndarray:
    """Return a precision matrix with a diagonal of ones, shape (p, p)."""
    ties = np.zeros((p, p))
    if graph == "chain":
        ties[np.arange(p - 1), np.arange(1, p)] = 0.3
    elif graph == "hubs":
        leaves = np.arange(p) % (MODULE + 1) != 0
        ties[np.arange(p)[leaves] // (MODULE + 1) * (MODULE + 1), np.arange(p)[leaves]] = 0.25
    elif graph == "random":
        i, j = np.triu_indices(p, 1)
        chosen = rng.choice(len(i), 3 * p // 2, replace=False)
        ties[i[chosen], j[chosen]] = rng.choice([-1.0, 1.0], len(chosen))
        ties *= 0.9 / np.abs(np.linalg.eigvalsh(ties + ties.T)).max()
    elif graph == "modules":
        member = np.arange(p) // MODULE
        covariance = 0.5 * (member[:, None] == member[None, :]) + 0.5 * np.eye(p)
        precision = np.linalg.inv(covariance)
        precision[np.abs(precision) < 1e-9] = 0.0
        return precision / precision[0, 0]
    return np.eye(p) - ties - ties.T


def run(job: tuple[str, tuple[int, int], int, tuple[str, ...]]) -> list[tuple]:
    """Draw one graph and count what each rule and level lets in."""
    graph, (n, p), seed, rules = job
    rng = np.random.default_rng([GRAPHS.index(graph), n, p, seed])
    precision = precision_of(graph, p, rng)
    is_tied = precision != 0.0
    samples = rng.standard_normal((n, p)) @ np.linalg.inv(np.linalg.cholesky(precision))
    data = pd.DataFrame(samples, columns=[f"g{j:03d}" for j in range(p)])
    rows = []
    for rule, level in itertools.product(rules, LEVELS):
        edges = ni.infer_precision(data, expected_false_edges=level, rule=rule, seed=seed, threads=1).edges
        i, j = (data.columns.get_indexer(edges[end]) for end in ("source", "target"))
        n_true = int(is_tied[i, j].sum())
        rows.append((rule, graph, n, p, (int(is_tied.sum()) - p) // 2, level, n_true, len(edges) - n_true))
    return rows


def study(n_networks: int, jobs: int, rules: list[str]) -> pd.DataFrame:
    """Run the study; one row a graph, rule and level."""
    todo = [
        (*setting, seed, tuple(rules)) for setting in itertools.product(GRAPHS, SIZES) for seed in range(n_networks)
    ]
    with ProcessPoolExecutor(jobs) as pool:
        rows = [row for rows in pool.map(run, todo, chunksize=5) for row in rows]
    return pd.DataFrame(rows, columns=["rule", "graph", "n", "genes", "pairs tied", "level", "true", "false"])


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the mean numbers of true and false edges, and whether the level is kept."""
    grouped = rows.groupby(["rule", "graph", "n", "genes", "pairs tied", "level"], sort=False)
    table = grouped.agg(true=("true", "mean"), false=("false", "mean"), error=("false", "sem")).reset_index()
    table["kept"] = np.where(table["false"] - 2.0 * table["error"] > table["level"], "no", "yes")
    table["false"] = [f"{r.false:.2f} ± {r.error:.2f}" for r in table.itertuples()]
    table["true"] = table["true"].round(1)
    return table.drop(columns="error")


if __name__ == "__main__":
    main()
