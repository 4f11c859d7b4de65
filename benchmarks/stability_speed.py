"""Stability selection of many targets: netinfer in full, other solvers' loops extrapolated from a sample.

    python benchmarks/stability_speed.py [--half-samples 100] [--targets 4511] [--threads 1 2] [--adelie-python PATH]
        [--design expression]

805 samples, 334 predictors, drawn from the correlations of measured expression (NETINFER_DATA) or in modules, 20
penalties from the largest to 0.05 (in standard deviations of the target), the Lasso. netinfer's time holds everything
from the samples on: drawing complementary halves, their moments (the second half's by subtraction), scaling, paths with
certificates, counting. Of the others only the paths are timed, on a sample of targets and half-samples in turns with
netinfer, and multiplied up; the products that the Gram solvers need are left out. The growth tables double the
targets, half-samples and predictors.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
from designs import DESIGNS
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
    worst_excess,
)
from selections import halves, select
from sklearn.linear_model import lars_path_gram, lasso_path

from netinfer.kernels import thread_limit
from netinfer.moments import from_matrix
from netinfer.solvers.active import make_workspace, padded
from netinfer.solvers.follow import follow
from netinfer.solvers.path import GAP_TOLERANCE, MAX_SWEEPS
from netinfer.stability.subsamples import complementary_pair

N_SAMPLES, N_PREDICTORS, N_PENALTIES, SMALLEST = 805, 334, 20, 0.05
SAMPLE_TARGETS, SAMPLE_HALVES = 20, 2


def products(X, Y, n_halves: int) -> None:
    """Take all the moments, and nothing else."""
    everything = from_matrix(X, Y)
    for pair in range(n_halves // 2):
        halves(X, Y, everything, pair)


class Sample:
    """A few targets of a few half-samples, as each solver wants them."""

    def __init__(self, X, Y, penalties) -> None:
        everything = from_matrix(X, Y)
        self.penalties, self.rows = penalties, [complementary_pair(len(X), k, seed=0)[0] for k in range(SAMPLE_HALVES)]
        self.n, self.p = len(self.rows[0]), X.shape[1]
        self.grams, self.crosses, self.xs, self.ys = [], [], [], []
        for k, rows in enumerate(self.rows):
            gram, cross = halves(X, Y, everything, k)[0].standardised()
            x, y = X[rows] - X[rows].mean(0), Y[rows] - Y[rows].mean(0)
            self.grams.append(gram)
            self.crosses.append(cross)
            self.xs.append(np.asfortranarray(x / x.std(0)))
            self.ys.append(np.asfortranarray(y / y.std(0)))
        self.padded, self.work = [padded(gram) for gram in self.grams], make_workspace(self.p)
        self.jobs = [(k, t) for k in range(SAMPLE_HALVES) for t in range(Y.shape[1])]

    def objective(self, coefs: np.ndarray) -> np.ndarray:
        """Return 1/2 + 1/2 b'Gb - q'b + penalty |b|, shape (n_jobs, n_penalties)."""
        out = np.empty(coefs.shape[:2])
        for i, (k, t) in enumerate(self.jobs):
            fit = np.einsum("ki,ki->k", coefs[i] @ self.grams[k], coefs[i])
            out[i] = 0.5 + 0.5 * fit - coefs[i] @ self.crosses[k][t] + self.penalties * np.abs(coefs[i]).sum(axis=1)
        return out

    def ours(self, _: float) -> np.ndarray:
        """Follow the exact paths."""
        coefs, events, gap = np.zeros((len(self.jobs), N_PENALTIES, self.p)), np.zeros((0, 3)), np.zeros(N_PENALTIES)
        for i, (k, t) in enumerate(self.jobs):
            follow(
                self.padded[k], self.crosses[k][t], 1.0, self.penalties, self.work, 100 + 20 * self.p, GAP_TOLERANCE,
                MAX_SWEEPS, events, coefs[i], gap,
            )  # fmt: skip
        return coefs

    def lars(self, _: float) -> list:
        """Run scikit-learn's LARS on the Gram."""
        n, scaled = self.n, [gram * self.n for gram in self.grams]
        return [
            lars_path_gram(self.crosses[k][t] * n, scaled[k], n_samples=n, method="lasso", alpha_min=SMALLEST)
            for k, t in self.jobs
        ]

    def on_grid(self, paths: list) -> np.ndarray:
        """Read LARS' breakpoints off at the penalties."""
        return np.array(
            [[np.interp(self.penalties, a[::-1], c[::-1]) for c in coefs] for a, _, coefs in paths]
        ).transpose(0, 2, 1)

    def descent(self, tolerance: float) -> list:
        """Run scikit-learn's coordinate descent on the Gram."""
        n, scaled = self.n, [gram * self.n for gram in self.grams]
        return [
            lasso_path(
                self.xs[k], self.ys[k][:, t], alphas=self.penalties, precompute=scaled[k], Xy=self.crosses[k][t] * n,
                tol=tolerance, max_iter=10**5,
            )[1].T
            for k, t in self.jobs
        ]  # fmt: skip

    def celer(self, tolerance: float) -> list:
        """Run celer's path on the samples."""
        from celer import celer_path

        return [
            celer_path(self.xs[k], self.ys[k][:, t], pb="lasso", alphas=self.penalties, tol=tolerance)[1].T
            for k, t in self.jobs
        ]

    def skglm(self, tolerance: float) -> list:
        """Run skglm's path on the samples."""
        import skglm

        lasso = skglm.Lasso(fit_intercept=False, tol=tolerance)
        return [lasso.path(self.xs[k], self.ys[k][:, t], self.penalties)[1].T for k, t in self.jobs]


def peers_of(sample: Sample, options: argparse.Namespace) -> tuple[list[Peer], list]:
    """List netinfer and its peers, and the workers to close."""
    tolerances = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
    shape = (len(sample.jobs), N_PENALTIES, sample.p)
    workers = []
    peers = [
        Peer("netinfer, exact homotopy", timed(sample.ours)),
        Peer("scikit-learn lars_path_gram", timed(sample.lars, sample.on_grid)),
        Peer("scikit-learn lasso_path, Gram", timed(sample.descent), tolerances),
    ]
    if r_version("glmnet"):
        arrays = {f"x{k + 1}": x for k, x in enumerate(sample.xs)} | {f"y{k + 1}": y for k, y in enumerate(sample.ys)}
        worker = RWorker(
            arrays | {"lam": sample.penalties},
            "suppressMessages(library(glmnet)); glmnet.control(fdev = 0, devmax = 1)",
        )
        workers.append(worker)
        parts = ", ".join(
            f"lapply(seq_len(ncol(y{k + 1})), function(t) glmnet(x{k + 1}, y{k + 1}[, t], lambda = lam, standardize = "
            'FALSE, intercept = FALSE, thresh = {tol}, maxit = 1e7, type.gaussian = "covariance")$beta)'
            for k in range(SAMPLE_HALVES)
        )
        back = f"vapply(fit, function(b) as.vector(as.matrix(b)), numeric({sample.p * N_PENALTIES}))"
        solver = worker.solver(f"fit <- c({parts})", back, reorder=lambda found: found.T.reshape(shape))
        peers.append(Peer("glmnet, covariance", solver, (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11)))
    else:
        peers.append(missing("glmnet"))
    python = adelie_python(options)
    if python:
        arrays = {f"G{k}": gram for k, gram in enumerate(sample.grams)}
        arrays |= {f"q{k}": cross.T for k, cross in enumerate(sample.crosses)}
        worker = PythonWorker(python, arrays | {"lam": sample.penalties})
        workers.append(worker)
        pairs = ", ".join(f"(G{k}, q{k})" for k in range(SAMPLE_HALVES))
        code = (
            "fit = [ad.gaussian_cov(G, q[:, t], lmda_path=lam, tol={tol}, early_exit=False, rdev_tol=0, "
            f"progress_bar=False).betas for G, q in [{pairs}] for t in range(q.shape[1])]"
        )
        solver = worker.solver(code, "[b.toarray() for b in fit]")
        peers.append(Peer("adelie, covariance", solver, (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13)))
    else:
        peers.append(missing("adelie"))
    peers.append(Peer("celer", timed(sample.celer), tolerances) if has_module("celer") else missing("celer"))
    peers.append(Peer("skglm", timed(sample.skglm), tolerances) if has_module("skglm") else missing("skglm"))
    return peers, workers


def growth(name: str, sizes: list[int], run) -> str:
    """Time a run at growing sizes; columns are the factor of the size and of the time."""
    rows = []
    for size in sizes:
        seconds = np.inf
        for _ in range(3):
            began = clock()
            run(size)
            seconds = min(seconds, clock() - began)
        rows.append({name: size, "s": seconds})
    frame = pd.DataFrame(rows)
    frame["size x"], frame["time x"] = frame[name] / frame[name].iloc[0], frame["s"] / frame["s"].iloc[0]
    return frame.to_markdown(index=False, floatfmt=".3g")


def main() -> None:
    """Print the comparison, the full run and the growth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half-samples", type=int, default=100)
    parser.add_argument("--targets", type=int, default=4511)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--design", choices=list(DESIGNS), default="expression")
    parser.add_argument("--no-growth", action="store_true")
    add_options(parser)
    options = parser.parse_args()
    simulate = DESIGNS[options.design]
    X, Y = simulate(N_SAMPLES, N_PREDICTORS, options.targets, np.random.default_rng(0))
    largest = np.abs(X.T @ Y / N_SAMPLES).max()
    penalties = np.geomspace(largest, SMALLEST, N_PENALTIES)
    n_paths = options.half_samples * options.targets
    with thread_limit(1):
        select(X[:, :20], Y[:, :5], penalties, 2)  # compile
        print(environment(), "\n")
        places = np.random.default_rng(1).choice(options.targets, SAMPLE_TARGETS, replace=False)
        sample = Sample(X, Y[:, places], penalties)
        best = sample.objective(sample.ours(0.0))
        peers, workers = peers_of(sample, options)
        measured = compare(
            peers, excess=lambda coefs: worst_excess(sample.objective(coefs), best), rounds=options.rounds
        )
        for worker in workers:
            worker.close()
        print(f"Paths of {SAMPLE_TARGETS} targets in {SAMPLE_HALVES} half-samples:\n")
        print(table(measured, unit=1e-3, per=len(sample.jobs), label="ms a path"))
        print(f"\nFastest peer / netinfer, paths alone: {fastest(measured):.1f}\n")

        began = clock()
        products(X, Y, options.half_samples)
        floor = clock() - began
        print(f"Products alone, {options.half_samples} half-samples x {options.targets} targets: {floor:.1f} s\n")
        totals = {}
        for threads in options.threads:
            on_wall, began = time.perf_counter(), clock()
            gap = select(X, Y, penalties, options.half_samples, threads).gap
            on_wall, totals[threads] = time.perf_counter() - on_wall, clock() - began
            print(
                f"netinfer in full, {threads} thread(s): {totals[threads]:.1f} s of processor, {on_wall:.1f} s on the "
                f"wall, {totals[threads] / floor:.0f} x the products, worst relative gap {gap:.1e}\n"
            )
        if options.threads:
            peer = (
                min(r.median / len(sample.jobs) for r in measured[1:] if r.seconds.size and "misses" not in r.note)
                * n_paths
            )
            one = totals[options.threads[0]]
            print(f"Fastest peer's loop, extrapolated: {peer:.0f} s, {peer / one:.1f} x netinfer in full (asked: 15)\n")
        if options.no_growth:
            return
        print(growth("targets", [250, 500, 1000, 2000], lambda g: select(X, Y[:, :g], penalties, 4)), "\n")
        print(growth("half-samples", [4, 8, 16, 32], lambda h: select(X, Y[:, :250], penalties, h)), "\n")

        def wider(p: int) -> None:
            select(*grown[p], penalties, 4)

        grown = {p: simulate(N_SAMPLES, p, 100, np.random.default_rng(2)) for p in (84, 167, 334, 668)}
        print(growth("predictors", list(grown), wider))


if __name__ == "__main__":
    main()
