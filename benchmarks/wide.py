"""Far more predictors than samples: the Lasso path against other solvers, and all genes as candidate regulators.

    python benchmarks/wide.py [--rounds 5] [--cases simulated counts riboflavin] [--penalties 100] [--ends 0.05 0.01]
    python benchmarks/wide.py --regression [--targets 64] [--genes 20000] [--samples 100] [--subsamples 100]
    python benchmarks/wide.py --crossing

The first prints one table a data set and path end. simulated: 100 x 20,000, predictors that share 30 factors; counts:
simulated counts of a human size, normalised (`netinfer.simulate.human_counts`), one gene on all others; riboflavin:
71 x 4,088, read from NETINFER_DATA. Every solver gets standardised columns in the layout it works on and the loosest of
its tolerances at which no penalty's objective lies more than 1e-6 of half the response's variance above the best known
one. Penalties from the largest down, evenly in the logarithm. netinfer's time includes centring, all checks and the
certificate over all predictors; the time for every exact breakpoint on top of it is printed apart.

The second runs stability selection for a few targets on all genes, in one process with one thread, and prints seconds,
peak memory, and what a run on all targets takes. The third compares the Gram matrices' way with the samples' at some
sizes: processor time a target and half-sample when all genes are targets, from runs of 32 and 96 targets.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from peers import (
    Peer,
    PythonWorker,
    RWorker,
    add_options,
    adelie_python,
    clock,
    compare,
    environment,
    fastest,
    has_module,
    missing,
    r_version,
    table,
    timed,
)

import netinfer as ni
from netinfer import simulate
from netinfer.config import RegressionConfig
from netinfer.kernels import thread_limit
from netinfer.models.regression import fit_chunk, problem_from_arrays, wide
from netinfer.solvers import lasso_path_wide

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data"))


def factors(n: int, p: int, rng: np.random.Generator) -> np.ndarray:
    """Predictors that share 30 factors with half of their variance."""
    return 0.7 * rng.standard_normal((n, 30))[:, rng.integers(0, 30, p)] + 0.7 * rng.standard_normal((n, p))


def simulated() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = factors(100, 20_000, rng)
    signal = x[:, rng.choice(20_000, 10, replace=False)] @ rng.standard_normal(10)
    return x, signal / signal.std() + rng.standard_normal(100)


def counts() -> tuple[np.ndarray, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        adata = ni.normalize(simulate.human_counts(seed=0)[0])
    x = np.asarray(adata.X)
    x = x[:, x.std(axis=0) > 1e-6]
    target = int(np.argsort(x.mean(axis=0))[len(x.T) // 2 + len(x.T) // 4])  # well expressed
    return np.delete(x, target, axis=1), x[:, target]


def riboflavin() -> tuple[np.ndarray, np.ndarray]:
    frame = pd.read_csv(DATA / "riboflavin" / "riboflavin.tsv.gz", sep="\t", index_col=0)
    return frame.drop(columns="y").to_numpy(float), frame["y"].to_numpy(float)


CASES = {"simulated": simulated, "counts": counts, "riboflavin": riboflavin}


def skglm_path(x: np.ndarray, y: np.ndarray, penalties: np.ndarray):
    """Return a solver over skglm's own path function, compiled once."""
    from skglm.datafits import Quadratic
    from skglm.penalties import L1
    from skglm.solvers import AndersonCD
    from skglm.utils.jit_compilation import compiled_clone

    datafit, penalty = compiled_clone(Quadratic()), compiled_clone(L1(1.0))
    datafit.initialize(x, y)

    def solve(tol: float) -> np.ndarray:
        solver = AndersonCD(tol=tol, ws_strategy="fixpoint", fit_intercept=False, warm_start=True)
        return solver.path(x, y, datafit, penalty, alphas=penalties)[1].T

    return solve


def peers_of(x: np.ndarray, y: np.ndarray, penalties: np.ndarray, options: argparse.Namespace) -> list[Peer]:
    columns = np.asfortranarray(x)
    steps = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
    peers = [Peer("netinfer", timed(lambda _: lasso_path_wide(x, y, penalties).coef))]
    if has_module("celer"):
        from celer import celer_path

        peers.append(
            Peer("celer", timed(lambda tol: celer_path(columns, y, "lasso", alphas=penalties, tol=tol)[1].T), steps)
        )
    else:
        peers.append(missing("celer"))
    if has_module("skglm"):
        peers.append(Peer("skglm, Anderson", timed(skglm_path(columns, y, penalties)), steps))
    else:
        peers.append(missing("skglm"))
    if has_module("sklearn"):
        from sklearn.linear_model import lars_path, lasso_path

        def lars(_: float) -> np.ndarray:
            alphas, _, coefs = lars_path(x, y, method="lasso", alpha_min=penalties[-1])
            return np.array([np.interp(penalties, alphas[::-1], row[::-1]) for row in coefs]).T

        descent = timed(lambda tol: lasso_path(columns, y, alphas=penalties, tol=tol, max_iter=10**5)[1].T)
        peers.append(Peer("scikit-learn, coordinate descent", descent, steps))
        peers.append(Peer("scikit-learn, LARS", timed(lars)))
    else:
        peers.append(missing("scikit-learn"))
    if r_version("glmnet"):
        worker = RWorker({"x": x, "y": y, "lam": penalties})
        code = (
            "fit <- glmnet(x, y, lambda = lam, standardize = FALSE, intercept = FALSE, thresh = {tol}, "
            'type.gaussian = "naive")'
        )
        solve = worker.solver(code, "as.matrix(fit$beta)", reorder=np.transpose)
        peers.append(Peer("glmnet, naive", solve, (1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)))
    else:
        peers.append(missing("glmnet"))
    python = adelie_python(options)
    if python:
        worker = PythonWorker(python, {"x": x, "y": y, "lam": penalties})
        code = (
            "fit = ad.grpnet(X=x, glm=ad.glm.gaussian(y=y.ravel()), lmda_path=lam.ravel(), intercept=False, "
            "early_exit=False, progress_bar=False, tol={tol})"
        )
        solve = worker.solver(code, "fit.betas.toarray()")
        peers.append(Peer("adelie, naive", solve, (1e-7, 1e-8, 1e-9, 1e-10, 1e-11)))
    else:
        peers.append(missing("adelie"))
    return peers


def paths(options: argparse.Namespace) -> None:
    for case in options.cases:
        x, y = CASES[case]()
        x, y = np.ascontiguousarray((x - x.mean(0)) / x.std(0)), (y - y.mean()) / y.std()
        largest = np.abs(y @ x).max() / len(y)
        for end in options.ends:
            penalties = 0.999 * largest * np.geomspace(1, end, options.penalties)

            def objective(coef: np.ndarray, x=x, y=y, penalties=penalties) -> np.ndarray:
                return 0.5 * ((y - coef @ x.T) ** 2).mean(axis=1) + penalties * np.abs(coef).sum(axis=1)

            path = lasso_path_wide(x, y, penalties)
            # The gap bounds how far this lies above the minimum: 1e-9 of half the variance, which is 1/2.
            best = objective(path.coef)
            measured = compare(
                peers_of(x, y, penalties, options),
                excess=lambda coef, best=best, objective=objective: float((2.0 * (objective(coef) - best)).max()),
                rounds=options.rounds,
            )
            began = clock()
            n_breakpoints = len(path.breakpoints)
            print(
                f"\n{case}: {x.shape[0]} x {x.shape[1]}, {options.penalties} penalties to {end} of the largest, "
                f"{int((path.coef[-1] != 0).sum())} active at the end, worst gap {path.duality_gap.max():.0e}; "
                f"{n_breakpoints} exact breakpoints on top: {(clock() - began) * 1e3:.0f} ms\n"
            )
            print(table(measured, unit=1e-3, label="ms a path"))
            print(f"\nfastest peer / netinfer: {fastest(measured):.1f}", flush=True)


def regression(options: argparse.Namespace) -> None:
    rng = np.random.default_rng(0)
    n, p = options.samples, options.genes
    data = factors(n, p, rng)
    problem = problem_from_arrays(data, data)
    n_chunks = -(-p // 64)
    fit_chunk(problem, settings=RegressionConfig(n_subsamples=4), chunk=(n_chunks, n_chunks))  # compiles
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    seconds, cpu, done = time.perf_counter(), time.process_time(), 0
    settings = RegressionConfig(n_subsamples=options.subsamples)
    for chunk in range(1, max(options.targets // 64, 1) + 1):
        part = fit_chunk(problem, settings=settings, chunk=(chunk, n_chunks))
        done += part.n_targets
    seconds, cpu = time.perf_counter() - seconds, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{n} samples, {p} genes, all of them candidates: {done} targets, {options.subsamples} half-samples: "
        f"{seconds:.0f} s ({cpu:.0f} s of processor time, {cpu / done / options.subsamples * 1e3:.1f} ms a target and "
        f"half-sample), peak memory {peak:.2f} GiB ({before:.2f} before), worst gap {part.duality_gap.max():.0e}"
    )
    print(f"all {p} targets: {cpu / done * p / 3600:.1f} core hours, at the same memory a process")


SIZES = ((1_000, 100), (2_000, 100), (2_000, 200), (4_000, 100), (4_000, 400))


def crossing() -> None:
    rows, settings = [], RegressionConfig(n_subsamples=4)
    for p, n in SIZES:
        data = factors(n, p, np.random.default_rng(0))
        names = [f"g{j}" for j in range(p)]
        row: dict[str, float | str] = {"genes x samples": f"{p:,} x {n}"}
        for way in ("Gram", "samples"):
            wide.is_wide = lambda _, is_it=way == "samples": is_it
            seconds = []
            for g in (32, 32, 96):  # the first compiles
                problem = problem_from_arrays(data, data[:, :g], regulator_names=names, target_names=names[:g])
                began = time.process_time()
                fit_chunk(problem, settings=settings)
                seconds.append(time.process_time() - began)
            each = (seconds[2] - seconds[1]) / 64 / settings.n_subsamples
            once = seconds[1] / settings.n_subsamples - 32 * each
            row[f"{way}, ms"] = (each + max(once, 0.0) / p) * 1e3
        rows.append(row)
        print(rows[-1], flush=True)
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".2g"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--penalties", type=int, default=100)
    parser.add_argument("--ends", nargs="+", type=float, default=[0.05, 0.01])
    parser.add_argument("--regression", action="store_true")
    parser.add_argument("--crossing", action="store_true")
    parser.add_argument("--targets", type=int, default=64)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--subsamples", type=int, default=100)
    options = parser.parse_args()
    with thread_limit(1):
        print(environment() + "\n", flush=True)
        if options.crossing:
            crossing()
        elif options.regression:
            regression(options)
        else:
            paths(options)


if __name__ == "__main__":
    main()
