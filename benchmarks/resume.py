"""More half-samples on kept sums against all at once, and what decoys cost: PRECISE, one thread.

    python benchmarks/resume.py [--targets 400] [--from 50] [--to 200]

Reads NETINFER_DATA (ecoli_precise). Prints the size of the kept file and processor seconds, which other work on the
machine changes less than seconds of the clock; stops where the bytes differ.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import pandas as pd

from netinfer.config import RegressionConfig
from netinfer.models.regression import RegressionPart, fit_chunk, problem_from_arrays

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data")) / "ecoli_precise"


def measured(problem, folder: Path, name: str, n_subsamples: int, state: Path | None, **keys: object) -> Path:
    """Fit one part, write it, and print what it took."""
    settings = RegressionConfig(n_subsamples=n_subsamples, **keys)
    began = time.process_time()
    part = fit_chunk(problem, settings=settings, seed=0, state=state)
    seconds = time.process_time() - began
    part.save(folder / name)
    size = f"{state.stat().st_size / 2**20:7.1f} MiB kept" if state is not None else ""
    print(f"{name:24} {seconds:7.1f} s {size}", flush=True)
    return folder / name


def same(first: Path, second: Path) -> bool:
    """Compare two parts field by field, bit by bit."""
    a, b = (RegressionPart.load(path)._arrays() for path in (first, second))
    return all(a[name].dtype == b[name].dtype and a[name].tobytes() == b[name].tobytes() for name in a)


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=400)
    parser.add_argument("--from", dest="fewer", type=int, default=50)
    parser.add_argument("--to", dest="more", type=int, default=200)
    asked = parser.parse_args()
    table = pd.read_csv(DATA / "expression.tsv.gz", sep="\t", index_col=0)
    names = set((DATA / "regulators.txt").read_text().split())
    listed = [name for name in table.columns if name in names]
    targets = list(table.columns[:: max(1, table.shape[1] // asked.targets)][: asked.targets])
    problem = problem_from_arrays(
        table[listed].to_numpy(), table[targets].to_numpy(), regulator_names=listed, target_names=targets
    )
    print(f"{table.shape[0]} samples, {len(listed)} regulators, {len(targets)} targets")
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        fit_chunk(problem_from_arrays(table[listed[:5]].to_numpy(), table[listed[:5]].to_numpy()))  # compile
        state = folder / "state.npz"
        measured(problem, folder, f"{asked.fewer} half-samples", asked.fewer, state)
        raised = measured(problem, folder, f"{asked.fewer} to {asked.more}", asked.more, state)
        at_once = measured(problem, folder, f"{asked.more} at once", asked.more, None)
        if not same(raised, at_once):
            raise SystemExit("the bytes differ")
        print("the same bytes")
        measured(problem, folder, "with decoys, from kept", asked.more, state, decoys=True)


if __name__ == "__main__":
    main()
