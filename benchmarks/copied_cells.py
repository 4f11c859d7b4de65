"""Cells copied ten times within their donors: false and true edges by donors and by cells.

    python benchmarks/copied_cells.py [--networks 50] [--jobs 2]

24 donors of 3 cells, each cell there ten times, 50 regulators and 20 targets, all independent of each other but for
what the cells of a donor share (half of the variance); 5 further targets have one regulator each, with an R2 of 0.9.
50 complementary pairs, the Lasso, rule meinshausen_buhlmann at 0.75 and 0.9. Every edge but these 5 is false. Mean
number of false edges a network and its standard error, and of true ones, by levels of 1 and 5 expected false edges,
with whole donors drawn into the half-samples and with single cells.
"""

from __future__ import annotations

import argparse
import itertools
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from netinfer.config import RegressionConfig
from netinfer.models.regression import fit_chunk, gather, problem_from_arrays

N_DONORS, N_CELLS, N_COPIES, N_REGULATORS, N_NULL, N_PLANTED, R2 = 24, 3, 10, 50, 20, 5, 0.9
LEVELS, THRESHOLDS, UNITS = (1.0, 5.0), (0.75, 0.9), ("donors", "cells")


def draw(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cells x genes, regulators first, and each cell's donor; regulator k regulates the k-th last target."""
    rng = np.random.default_rng([24, seed])
    n_genes = N_REGULATORS + N_NULL + N_PLANTED
    donor = np.repeat(np.arange(N_DONORS), N_CELLS)
    cells = rng.standard_normal((N_DONORS, n_genes))[donor] + rng.standard_normal((len(donor), n_genes))
    for k in range(N_PLANTED):
        cells[:, -1 - k] = np.sqrt(R2) * cells[:, k] + np.sqrt(1.0 - R2) * cells[:, -1 - k]
    return np.repeat(cells, N_COPIES, axis=0), np.repeat(donor, N_COPIES)


def run(job: tuple[int, str, float]) -> list[tuple]:
    """Fit one network and count its edges at each level."""
    seed, unit, threshold = job
    data, donor = draw(seed)
    problem = problem_from_arrays(
        data[:, :N_REGULATORS],
        data[:, N_REGULATORS:],
        regulator_names=[f"r{i}" for i in range(N_REGULATORS)],
        target_names=[f"t{i}" for i in range(N_NULL + N_PLANTED)],
        units=donor if unit == "donors" else None,
    )
    settings = RegressionConfig(model="lasso", threshold=threshold)
    part = fit_chunk(problem, settings=settings, seed=seed, threads=1)
    net = gather(problem, [part], settings=settings, seed=seed)
    planted = {(f"r{k}", f"t{N_NULL + N_PLANTED - 1 - k}") for k in range(N_PLANTED)}
    rows = []
    for level in LEVELS:
        edges = net.threshold(expected_false_edges=level).edges
        n_true = len(planted.intersection(zip(edges["source"], edges["target"], strict=True)))
        rows.append((unit, threshold, level, seed, len(edges) - n_true, n_true))
    return rows


def study(n_networks: int, jobs: int = 1) -> pd.DataFrame:
    """Return mean false edges and their standard error, and mean true edges, by unit, threshold and level."""
    todo = list(itertools.product(range(n_networks), UNITS, THRESHOLDS))
    if jobs == 1:
        results = [run(job) for job in todo]
    else:
        with ProcessPoolExecutor(jobs) as pool:
            results = list(pool.map(run, todo, chunksize=4))
    names = ["units", "threshold", "level", "seed", "false", "true"]
    grouped = pd.DataFrame([row for rows in results for row in rows], columns=names).groupby(names[:3], sort=False)
    table = grouped[["false", "true"]].mean()
    table.insert(1, "se", grouped["false"].sem())
    return table.reset_index()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    print(study(options.networks, options.jobs).round(2).to_markdown(index=False))


if __name__ == "__main__":
    main()
