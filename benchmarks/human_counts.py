"""Counts of a human size: time and memory of filter and normalization, and what becomes of silent genes.

    python benchmarks/human_counts.py [--targets 200] [--subsamples 100] [--no-filter]

100 samples x 20,000 genes with 1,500 regulators, a third of all silent (`netinfer.simulate.human_counts`). Filter and
normalization run in a process of its own, whose peak memory is shown with and without the matrix that it is given. The
regression is a trial on part of the targets only (silent ones that the filter leaves, then expressed ones, up to
--targets; no regulators) on all regulators that are left. With --no-filter silent genes stay.
"""

from __future__ import annotations

import argparse
import resource
import time
import warnings
from multiprocessing import get_context

import numpy as np

import netinfer as ni
from netinfer import simulate
from netinfer.config import FilterConfig, RegressionConfig
from netinfer.models import regression


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def prepared(genes: str, seed: int):
    """Simulate, filter and normalize; return the data, what is true of its genes, and what it took."""
    warnings.simplefilter("ignore", UserWarning)
    adata, edges = simulate.human_counts(seed=seed)
    before = peak_gib()
    began = time.perf_counter()
    filtered = ni.prepare_samples(adata, filter=FilterConfig(genes=genes))
    filter_seconds = time.perf_counter() - began
    normal = ni.normalize(filtered)
    seconds = time.perf_counter() - began
    return normal, adata.var["is_silent"], edges, (filter_seconds, seconds, before, peak_gib())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=200)
    parser.add_argument("--subsamples", type=int, default=100)
    parser.add_argument("--no-filter", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    with get_context("spawn").Pool(1) as pool:
        genes = "none" if options.no_filter else "auto"
        adata, silent, edges, (filter_seconds, seconds, before, peak) = pool.apply(prepared, (genes, options.seed))
    kept = silent[adata.var_names]
    is_regulator = adata.var["is_regulator"].to_numpy()
    print(f"genes: {len(silent)}, silent {int(silent.sum())}; kept {len(kept)}, of these silent {int(kept.sum())}")
    print(f"regulators kept: {int(is_regulator.sum())} of 1,500, of these silent {int(kept[is_regulator].sum())}")
    print(f"expressed genes lost: {int((~silent).sum() - (~kept).sum())}")
    print(f"filter {filter_seconds:.1f} s, filter and normalization {seconds:.1f} s (bar 60 s)")
    print(f"peak memory {peak:.2f} GiB (bar 4 GiB), {before:.2f} GiB before them, the simulation included")

    others = np.flatnonzero(~is_regulator)
    others = np.sort(others[np.argsort(~kept.to_numpy()[others], kind="stable")][: options.targets])
    names = adata.var_names
    problem = regression.problem_from_arrays(
        adata.X[:, is_regulator],
        adata.X[:, others],
        regulator_names=names[is_regulator],
        target_names=names[others],
    )
    settings = RegressionConfig(n_subsamples=options.subsamples)
    began = time.perf_counter()
    part = regression.fit_chunk(problem, settings=settings, threads=options.threads)
    net = regression.gather(problem, [part], settings=settings)
    seconds = time.perf_counter() - began
    chosen = set(zip(net.edges["source"], net.edges["target"], strict=True))
    of_silent = sum(silent[source] or silent[target] for source, target in chosen)
    true = set(zip(edges["source"], edges["target"], strict=True))
    print(
        f"regression of {len(others)} targets (silent {int(kept.to_numpy()[others].sum())}) on {is_regulator.sum()} "
        f"regulators, {options.subsamples} half-samples, {seconds:.0f} s: {len(chosen)} edges at fdr 0.1, "
        f"{len(chosen & true)} true, expected false {net.cut['expected_false_edges'] or 0:.1f}, "
        f"with a silent gene {of_silent}"
    )


if __name__ == "__main__":
    main()
