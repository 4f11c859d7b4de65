"""Integrated path stability selection: the authors' package `ipss` and netinfer on the same problems.

    python benchmarks/ipss_package.py [--problems 20] [--ipss-python PATH]

200 samples, 300 predictors in 30 modules, 25 penalties, 50 complementary pairs. Three questions, one row a problem:
are netinfer's selections those of scikit-learn's `lasso_path` at tolerance 1e-12 (differences count where the penalty
is further than 1e-8 from a breakpoint); are the efp scores those of the package's `postprocess_ipss` on the same
selections, penalties and delta (largest difference; the package rounds to 8 decimals); and how long does the package
take: its loop (`selection` and `postprocess_ipss`) at its own tolerance and at 1e-12, where its selections are exact,
and its `ipss()` with everything in it. netinfer from the samples to the scores, one problem alone and all of them at
once, since they share their predictors as targets of a network do. One thread. The package needs
joblib, scikit-learn and xgboost; --ipss-python (or NETINFER_IPSS_PYTHON) names a Python that has it.
"""

from __future__ import annotations

import argparse
import os
import sys

import numpy as np
import pandas as pd
from designs import modules
from peers import PythonWorker, clock, environment, has_module
from selections import select
from sklearn.linear_model import lasso_path as scikit_path

from netinfer.kernels import thread_limit
from netinfer.solvers import lasso_path
from netinfer.stability import efp_scores
from netinfer.stability.subsamples import complementary_pair

N, P, N_PENALTIES, N_PAIRS, DELTA, CUTOFF = 200, 300, 25, 50, 1.0, 0.05
NEAR = 1e-8


def indicators(X, y, penalties, n_pairs: int) -> tuple[np.ndarray, int]:
    """Return netinfer's selections, (n_pairs, n_penalties, 2, p), and how many differ from scikit-learn's."""
    out, n_differ = np.zeros((n_pairs, len(penalties), 2, X.shape[1])), 0
    for pair in range(n_pairs):
        for half, rows in enumerate(complementary_pair(len(X), pair, seed=0)):
            x, target = X[rows], y[rows]
            gram, cross = x.T @ x / len(x), x.T @ target / len(x)
            path = lasso_path(gram, cross, penalties, target_variance=target @ target / len(x))
            out[pair, :, half] = path.coef != 0
            theirs = scikit_path(x, target, alphas=penalties, tol=1e-12, max_iter=10**6)[1].T != 0
            for k, j in np.argwhere(theirs != (path.coef[:] != 0)):
                events = path.breakpoints["penalty"][path.breakpoints["regulator"] == j]
                n_differ += not (np.abs(events - penalties[k]) <= NEAR).any()
    return out, n_differ


def scores(selected: np.ndarray, penalties: np.ndarray, order: int) -> np.ndarray:
    """Return netinfer's efp scores of selections (n_pairs, n_penalties, 2, p)."""
    counts = selected.sum(axis=(0, 2)).T
    return efp_scores(
        counts, selected.sum(axis=3).mean(axis=(0, 2)), penalties, n_subsamples=2 * len(selected), order=order,
        delta=DELTA, cutoff=CUTOFF,
    )  # fmt: skip


def main() -> None:
    """Print one row a problem and the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=20)
    parser.add_argument("--ipss-python", default=os.environ.get("NETINFER_IPSS_PYTHON"))
    options = parser.parse_args()
    python = options.ipss_python or (sys.executable if has_module("ipss") else None)
    if python is None:
        parser.error("ipss is not installed: name a Python that has it by --ipss-python")
    setup = (
        "from ipss.main import ipss, selection, postprocess_ipss; "
        "from ipss.base_selectors.linear import fit_l1_regressor; np.random.seed(0)"
    )
    after = f"{N_PENALTIES}, {P}, {P}, np.arange({P}), {N_PAIRS}, {CUTOFF}, {DELTA}"
    X, Y = modules(N, P, options.problems, np.random.default_rng(0))
    grids = [np.geomspace(np.abs(X.T @ y / N).max(), 0.05, N_PENALTIES) for y in Y.T]
    rows = []
    with thread_limit(1):
        select(X[:, :20], Y[:, :1], np.array([0.5, 0.2]), 2)
        shared = np.geomspace(max(grid[0] for grid in grids), 0.05, N_PENALTIES)
        together = timed_loop(X, Y, shared)
        for problem, penalties in enumerate(grids):
            y = Y[:, problem]
            selected, n_differ = indicators(X, y, penalties, N_PAIRS)
            arrays = {"X": X, "y": y, "alphas": penalties}
            arrays |= {f"r{pair}": selected[pair] for pair in range(N_PAIRS)}
            worker = PythonWorker(python, arrays, setup)
            given, worst = f"np.array([{', '.join(f'r{k}' for k in range(N_PAIRS))}])", 0.0
            for order in (1, 2, 3):
                theirs, _ = worker.run(
                    f"out = postprocess_ipss({given}, alphas, {after}, 'h{order}', None, None)['efp_scores']",
                    f"np.array([out[j] for j in range({P})])",
                )
                worst = max(worst, float(np.abs(theirs - scores(selected, penalties, order)).max()))
            loops = [
                worker.run(
                    f"out = postprocess_ipss(np.array([selection(X, y, alphas, {N // 2}, fit_l1_regressor{tolerance}) "
                    f"for _ in range({N_PAIRS})]), alphas, {after}, 'h2', None, None)",
                    "0",
                )[1]
                for tolerance in ("", ", tol=1e-12, max_iter=10**6")
            ]
            whole = worker.run("out = ipss(X, y, selector='l1', preselect=False)", "0")[1]
            worker.close()
            rows.append((problem, n_differ, worst, timed_loop(X, Y[:, [problem]], penalties), *loops, whole))
    names = ["problem", "selections that differ", "efp, largest difference", "netinfer, s", "its loop, s",
             "its loop at tol 1e-12, s", "ipss(), s"]  # fmt: skip
    table = pd.DataFrame(rows, columns=names)
    print(environment(), "\n")
    print(table.to_markdown(index=False, floatfmt=".3g"))
    print(
        f"\nLargest difference of efp scores: {table[names[2]].max():.1e} (asked: 1e-6). Selections that differ away "
        f"from a breakpoint: {table[names[1]].sum()}.\n\nAll {options.problems} problems, of shared predictors, "
        f"at once: netinfer {together:.3g} s. One by one, sums, and times that of netinfer at once:\n"
    )
    sums = table[names[3:]].sum()
    print(pd.DataFrame({"s": sums, "ratio (asked: 50)": sums / together}).round(2).to_markdown())


def timed_loop(X, Y, penalties) -> float:
    """Time netinfer from the samples to the efp scores of every column of Y."""
    began = clock()
    found = select(X, Y, penalties, 2 * N_PAIRS)
    for t in range(Y.shape[1]):
        efp_scores(found.counts[t], found.n_selected[t] / (2 * N_PAIRS), penalties, n_subsamples=2 * N_PAIRS)
    return clock() - began


if __name__ == "__main__":
    main()
