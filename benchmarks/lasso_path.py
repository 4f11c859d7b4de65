"""The Lasso path of many targets on one Gram matrix, against scikit-learn's LARS and coordinate descent, in one run.

    python benchmarks/lasso_path.py [--rounds 5]

805 samples, 334 regulators in correlated modules, 50 penalties to 0.05 of the largest: DREAM5 E. coli sizes. One
thread. Alternating runs, medians; the objective of every solver is compared with the smallest of the three.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import pandas as pd
from sklearn.linear_model import lars_path_gram, lasso_path

from netinfer.kernels import thread_limit
from netinfer.solvers.homotopy import make_workspace
from netinfer.solvers.path import GAP_TOLERANCE, MAX_SWEEPS, follow


def simulate(n: int, p: int, g: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    module = rng.integers(0, 30, p)
    X = 0.7 * rng.standard_normal((n, 30))[:, module] + 0.7 * rng.standard_normal((n, p))
    Y = rng.standard_normal((n, g))
    for t in range(g):
        chosen = rng.choice(p, rng.integers(1, 12), replace=False)
        signal = X[:, chosen] @ rng.standard_normal(len(chosen))
        Y[:, t] += signal / signal.std()
    return (X - X.mean(0)) / X.std(0), (Y - Y.mean(0)) / Y.std(0)


def ours(gram, cross, penalties, _):
    p = len(cross)
    coef, gap = np.zeros((len(penalties), p)), np.zeros(len(penalties))
    work, events = make_workspace(p), np.zeros((0, 3))
    follow(gram, cross, 1.0, penalties, work, 100 + 20 * p, GAP_TOLERANCE, MAX_SWEEPS, events, coef, gap)
    return coef


def lars(gram, cross, penalties, n):
    alphas, _, coefs = lars_path_gram(cross * n, gram * n, n_samples=n, method="lasso", alpha_min=penalties[-1])
    return np.array([np.interp(penalties, alphas[::-1], c[::-1]) for c in coefs]).T


def descent(gram, cross, penalties, n, X=None, y=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, coefs, _ = lasso_path(X, y, alphas=penalties, precompute=gram * n, Xy=cross * n, tol=1e-4, max_iter=10**5)
    return coefs.T


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--targets", type=int, default=20)
    options = parser.parse_args()
    n, p = 805, 334
    X, Y = simulate(n, p, options.targets, np.random.default_rng(0))
    gram = np.ascontiguousarray(X.T @ X / n)
    crosses = np.ascontiguousarray((X.T @ Y / n).T)
    grids = [np.geomspace(1, 0.05, 50) * np.abs(q).max() * 0.999 for q in crosses]
    solvers = {
        "netinfer, exact homotopy": lambda t: ours(gram, crosses[t], grids[t], n),
        "scikit-learn lars_path_gram": lambda t: lars(gram, crosses[t], grids[t], n),
        "scikit-learn lasso_path (Gram, 1e-4)": lambda t: descent(gram, crosses[t], grids[t], n, X, Y[:, t]),
    }
    times = {name: [] for name in solvers}
    with thread_limit(1):
        for solver in solvers.values():
            solver(0)  # compile, warm up
        for _ in range(options.rounds):
            for name, solver in solvers.items():
                began = time.perf_counter()
                found = [solver(t) for t in range(options.targets)]
                times[name].append((time.perf_counter() - began) / options.targets * 1e3)
                times.setdefault(name + " result", found)

    def objective(t: int, coef: np.ndarray) -> np.ndarray:
        fit = 0.5 * np.einsum("ki,ij,kj->k", coef, gram, coef) - coef @ crosses[t]
        return 0.5 + fit + grids[t] * np.abs(coef).sum(axis=1)

    values = {name: np.array([objective(t, c) for t, c in enumerate(times[name + " result"])]) for name in solvers}
    best = np.min(list(values.values()), axis=0)
    median = {name: np.median(times[name]) for name in solvers}
    first = median[next(iter(solvers))]
    rows = [(name, median[name], median[name] / first, ((v - best) / best).max()) for name, v in values.items()]
    names = ["solver", "ms a target, median", "ratio", "worst relative excess of the objective"]
    print(pd.DataFrame(rows, columns=names).to_markdown(index=False, floatfmt=".3g"))


if __name__ == "__main__":
    main()
