"""The group Lasso path of many targets on one Gram matrix, against skglm and adelie, in one run.

    python benchmarks/group_lasso.py [--rounds 5] [--targets 500] [--adelie-python PATH]

1,000 samples, 100 groups of 3 regulators, correlated within groups and in modules of groups; every target hears 1 to
11 groups. 50 penalties from the largest to 0.05 of it; worst relative excess of the objective at most 1e-6. One thread.
"""

from __future__ import annotations

import argparse

import numpy as np
import peers

from netinfer.kernels import thread_limit
from netinfer.solvers import group_lasso_paths

SAMPLES, GROUPS, SIZE, PENALTIES = 1000, 100, 3, 50
FEW = 20  # targets that skglm solves
TOLERANCES = (1e-4, 5e-5, 2e-5, 1e-5, 5e-6)


def simulate(n_targets: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    module = rng.integers(0, 30, GROUPS)
    shared = 0.7 * rng.standard_normal((SAMPLES, 30))[:, module] + 0.7 * rng.standard_normal((SAMPLES, GROUPS))
    X = np.repeat(shared, SIZE, axis=1) + 0.7 * rng.standard_normal((SAMPLES, GROUPS * SIZE))
    Y = rng.standard_normal((SAMPLES, n_targets))
    for t in range(n_targets):
        chosen = rng.choice(GROUPS, rng.integers(1, 12), replace=False)
        places = (chosen[:, None] * SIZE + np.arange(SIZE)).ravel()
        signal = X[:, places] @ rng.standard_normal(places.size)
        Y[:, t] += signal / signal.std()
    return (X - X.mean(0)) / X.std(0), (Y - Y.mean(0)) / Y.std(0)


def group_norms(coef: np.ndarray) -> np.ndarray:
    return np.linalg.norm(coef.reshape(*coef.shape[:-1], GROUPS, SIZE), axis=-1)


def ours(gram, crosses, labels, grids, tol):
    return group_lasso_paths(gram, crosses, labels, grids, tol=tol)


def stacked(paths):
    return np.array([path.coef for path in paths])


def skglm_solver(X, Y, grids, n_targets):
    # It takes a hundred times longer, so a few targets stand for all.
    Y = Y[:, :FEW]
    from skglm.datafits import QuadraticGroup
    from skglm.penalties import WeightedGroupL2
    from skglm.solvers import GroupBCD
    from skglm.utils.data import grp_converter
    from skglm.utils.jit_compilation import compiled_clone

    indices, pointers = grp_converter(SIZE, X.shape[1])
    datafit = compiled_clone(QuadraticGroup(pointers, indices))
    weights = np.full(GROUPS, np.sqrt(SIZE))
    penalty = compiled_clone(WeightedGroupL2(1.0, weights, pointers, indices))
    X = np.asfortranarray(X)

    def solve(tol):
        solver = GroupBCD(max_iter=1000, max_epochs=1000, tol=tol, warm_start=True, fit_intercept=False)
        out = np.zeros((Y.shape[1], PENALTIES, X.shape[1]))
        for t in range(Y.shape[1]):
            y, coef, fit = np.ascontiguousarray(Y[:, t]), np.zeros(X.shape[1]), np.zeros(X.shape[0])
            for k, lam in enumerate(grids[t]):
                penalty.alpha = lam
                coef = solver.solve(X, y, datafit, penalty, coef, fit, run_checks=False)[0]
                fit = X @ coef
                out[t, k] = coef
        return out

    timed = peers.timed(solve)

    def scaled(tol):
        found, seconds = timed(tol)
        return found, seconds * n_targets / Y.shape[1]

    return scaled


def adelie_peers(python, X, Y, gram, crosses, grids):
    worker = peers.PythonWorker(
        python,
        {"x": X, "y": Y, "gram": gram, "cross": crosses, "grids": grids},
        setup=f"import adelie as ad; starts = np.arange(0, {GROUPS * SIZE}, {SIZE}); "
        f"weights = np.full({GROUPS}, {SIZE} ** 0.5); options = dict(groups=starts, penalty=weights, early_exit=False, "
        "progress_bar=False, min_ratio=0.05)",
    )
    covariance = (
        "fit = [ad.gaussian_cov(gram, v, lmda_path=lam, tol={tol}, **options).betas for v, lam in zip(cross, grids)]"
    )
    naive = (
        "fit = [ad.grpnet(x, ad.glm.gaussian(v), lmda_path=lam, intercept=False, tol={tol}, **options).betas "
        "for v, lam in zip(y.T, grids)]"
    )
    dense = "np.array([b.toarray() for b in fit])"
    tolerances = (1e-6, 5e-7, 2e-7, 1e-7, 5e-8, 1e-8, 1e-9, 1e-10)
    return [
        peers.Peer("adelie, covariance", worker.solver(covariance, dense), tolerances),
        peers.Peer("adelie, naive", worker.solver(naive, dense), tolerances),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    peers.add_options(parser)
    parser.add_argument("--targets", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    X, Y = simulate(options.targets, np.random.default_rng(options.seed))
    gram = np.ascontiguousarray(X.T @ X / SAMPLES)
    crosses = np.ascontiguousarray((X.T @ Y / SAMPLES).T)
    labels = np.repeat(np.arange(GROUPS), SIZE)
    largest = group_norms(crosses).max(axis=1) / np.sqrt(SIZE)
    grids = largest[:, None] * np.geomspace(1, 0.05, PENALTIES)

    def objective(coef: np.ndarray) -> np.ndarray:
        of = slice(len(coef))
        fit = 0.5 * np.einsum("tki,tki->tk", coef @ gram, coef) - np.einsum("tki,ti->tk", coef, crosses[of])
        return 0.5 + fit + grids[of] * np.sqrt(SIZE) * group_norms(coef).sum(axis=-1)

    def solve(tol: float) -> list:
        return ours(gram, crosses, labels, grids, tol)

    with thread_limit(1):
        best = objective(stacked(solve(1e-12)))
        solvers = [
            peers.Peer("netinfer", peers.timed(solve, stacked), TOLERANCES),
            peers.Peer("netinfer, gap 1e-9", peers.timed(solve, stacked), (1e-9,)),
        ]
        if peers.has_module("skglm"):
            solver = skglm_solver(X, Y, grids, options.targets)
            tolerances = (5e-4, 2e-4, 1e-4, 5e-5, 1e-5, 1e-6)
            solvers.append(peers.Peer("skglm", solver, tolerances, f"the first {FEW} targets, scaled"))
        else:
            solvers.append(peers.missing("skglm"))
        python = peers.adelie_python(options)
        solvers += adelie_peers(python, X, Y, gram, crosses, grids) if python else [peers.missing("adelie")]
        measured = peers.compare(
            solvers,
            excess=lambda coef: peers.worst_excess(objective(coef), best[: len(coef)]),
            allowed=1e-6,
            rounds=options.rounds,
        )
    print(peers.environment(), "", sep="\n")
    print(f"{options.targets} targets, {options.rounds} rounds\n")
    print(peers.table(measured, unit=1e-3, per=options.targets, label="ms a target"))
    print(f"\nfastest peer: {peers.fastest(measured):.1f} x")


if __name__ == "__main__":
    main()
