"""The Lasso path of many targets on shared predictors, against public solvers, alternating in one run.

    python benchmarks/lasso_path.py [--rounds 5] [--adelie-python PATH] [--case 805x334 ...] [--design expression ...]

50 penalties from each target's largest down to a share of it; sizes of DREAM5 E. coli and a larger one; samples drawn
from the correlations of measured expression (NETINFER_DATA), and predictors in 30 plain modules. One thread. Solvers
that take second moments get them (their one product is printed apart); the others get the samples. Every peer has the
loosest of its tolerances that brings the worst relative excess of its objective to 1e-6; netinfer's own duality gap is
printed.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from designs import DESIGNS
from peers import (
    Peer,
    PythonWorker,
    RWorker,
    add_options,
    adelie_python,
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
from sklearn.linear_model import lars_path_gram, lasso_path

from netinfer.kernels import thread_limit
from netinfer.solvers.active import make_workspace, padded
from netinfer.solvers.follow import follow
from netinfer.solvers.path import GAP_TOLERANCE, MAX_SWEEPS

N_PENALTIES = 50
# samples, regulators, share of the largest penalty at the path's end, targets, asked factor
CASES = {
    "805x334": (805, 334, 0.05, 20, 20),
    "805x334-deep": (805, 334, 0.01, 10, 12),
    "2000x1500": (2000, 1500, 0.05, 5, 25),
}


class Problem:
    """The data of one case, as each solver wants them."""

    def __init__(self, design: str, n: int, p: int, ratio: float, n_targets: int) -> None:
        X, Y = DESIGNS[design](n, p, n_targets, np.random.default_rng(0))
        self.X, self.Y = np.asfortranarray(X), np.asfortranarray(Y)
        began = time.perf_counter()
        self.gram = np.ascontiguousarray(X.T @ X / n)
        self.crosses = np.ascontiguousarray((X.T @ Y / n).T)
        self.product_seconds = time.perf_counter() - began
        self.grids = np.array([np.geomspace(1, ratio, N_PENALTIES) * np.abs(q).max() * 0.999 for q in self.crosses])
        self.n, self.p = n, p
        self.padded, self.work = padded(self.gram), make_workspace(p)
        self.gap = np.zeros((n_targets, N_PENALTIES))

    @property
    def targets(self) -> range:
        """Places of the targets."""
        return range(len(self.crosses))

    def objective(self, coefs: np.ndarray) -> np.ndarray:
        """Return 1/2 + 1/2 b'Gb - q'b + penalty |b|, shape (n_targets, n_penalties)."""
        fits = np.einsum("tki,tki->tk", coefs @ self.gram, coefs)
        linear = np.einsum("tki,ti->tk", coefs, self.crosses)
        return 0.5 + 0.5 * fits - linear + self.grids * np.abs(coefs).sum(axis=2)

    def ours(self, _: float) -> np.ndarray:
        """Follow the exact paths."""
        coefs, events = np.zeros((len(self.crosses), N_PENALTIES, self.p)), np.zeros((0, 3))
        for t in self.targets:
            follow(
                self.padded, self.crosses[t], 1.0, self.grids[t], self.work, 100 + 20 * self.p, GAP_TOLERANCE,
                MAX_SWEEPS, events, coefs[t], self.gap[t],
            )  # fmt: skip
        return coefs

    def lars(self, _: float) -> list:
        """Run scikit-learn's LARS on the Gram."""
        scaled = self.gram * self.n
        return [
            lars_path_gram(q * self.n, scaled, n_samples=self.n, method="lasso", alpha_min=grid[-1])
            for q, grid in zip(self.crosses, self.grids, strict=True)
        ]

    def on_grid(self, paths: list) -> np.ndarray:
        """Read LARS' breakpoints off at the penalties."""
        out = np.empty((len(paths), N_PENALTIES, self.p))
        for t, (alphas, _, coefs) in enumerate(paths):
            for j, c in enumerate(coefs):
                out[t, :, j] = np.interp(self.grids[t], alphas[::-1], c[::-1])
        return out

    def descent(self, tolerance: float) -> list:
        """Run scikit-learn's coordinate descent on the Gram."""
        scaled = self.gram * self.n
        return [
            lasso_path(
                self.X, self.Y[:, t], alphas=self.grids[t], precompute=scaled, Xy=self.crosses[t] * self.n,
                tol=tolerance, max_iter=10**5,
            )[1].T
            for t in self.targets
        ]  # fmt: skip

    def celer(self, tolerance: float) -> list:
        """Run celer's path on the samples."""
        from celer import celer_path

        return [
            celer_path(self.X, self.Y[:, t], pb="lasso", alphas=self.grids[t], tol=tolerance)[1].T for t in self.targets
        ]

    def skglm(self, tolerance: float) -> list:
        """Run skglm's path on the samples."""
        import skglm

        lasso = skglm.Lasso(fit_intercept=False, tol=tolerance)
        return [lasso.path(self.X, self.Y[:, t], self.grids[t])[1].T for t in self.targets]


def peers_of(problem: Problem, options: argparse.Namespace) -> tuple[list[Peer], list]:
    """List netinfer and its peers, and the workers to close."""
    tolerances = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
    workers = []
    peers = [
        Peer("netinfer, exact homotopy", timed(problem.ours)),
        Peer("scikit-learn lars_path_gram", timed(problem.lars, problem.on_grid)),
        Peer("scikit-learn lasso_path, Gram", timed(problem.descent), tolerances),
    ]
    shape = (len(problem.crosses), N_PENALTIES, problem.p)
    if r_version("glmnet"):
        worker = RWorker(
            {"x": problem.X, "y": problem.Y, "lam": problem.grids.T},
            "suppressMessages(library(glmnet)); glmnet.control(fdev = 0, devmax = 1)",
        )
        workers.append(worker)
        for kind in ("covariance", "naive"):
            code = (
                "fit <- lapply(seq_len(ncol(y)), function(t) glmnet(x, y[, t], lambda = lam[, t], standardize = FALSE, "
                f'intercept = FALSE, thresh = {{tol}}, maxit = 1e7, type.gaussian = "{kind}")$beta)'
            )
            back = "vapply(fit, function(b) as.vector(as.matrix(b)), numeric(ncol(x) * nrow(lam)))"
            solver = worker.solver(code, back, reorder=lambda found: found.T.reshape(shape))
            peers.append(Peer(f"glmnet, {kind}", solver, (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11)))
    else:
        peers.append(missing("glmnet"))
    python = adelie_python(options)
    if python:
        worker = PythonWorker(python, {"G": problem.gram, "q": problem.crosses.T, "lam": problem.grids.T})
        workers.append(worker)
        code = (
            "fit = [ad.gaussian_cov(G, q[:, t], lmda_path=lam[:, t], tol={tol}, early_exit=False, rdev_tol=0, "
            "progress_bar=False).betas for t in range(q.shape[1])]"
        )
        solver = worker.solver(code, "[b.toarray() for b in fit]")
        peers.append(Peer("adelie, covariance", solver, (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12, 1e-13)))
    else:
        peers.append(missing("adelie"))
    peers.append(Peer("celer", timed(problem.celer), tolerances) if has_module("celer") else missing("celer"))
    peers.append(Peer("skglm", timed(problem.skglm), tolerances) if has_module("skglm") else missing("skglm"))
    return peers, workers


def compare_case(design: str, name: str, options: argparse.Namespace) -> None:
    """Print one table."""
    n, p, ratio, n_targets, asked = CASES[name]
    problem = Problem(design, n, p, ratio, n_targets)
    ours = problem.ours(0.0)
    best = problem.objective(ours)
    peers, workers = peers_of(problem, options)
    measured = compare(peers, excess=lambda coefs: worst_excess(problem.objective(coefs), best), rounds=options.rounds)
    for worker in workers:
        worker.close()
    print(
        f"\nDesign {design}: {n} samples, {p} predictors, {N_PENALTIES} penalties to {ratio} of the largest, "
        f"{n_targets} targets, {np.count_nonzero(ours[:, -1]) / n_targets:.0f} active at the end.\n"
    )
    print(table(measured, unit=1e-3, per=n_targets, label="ms a target"))
    print(
        f"\nFastest peer / netinfer: {fastest(measured):.1f} (asked: {asked}). Worst relative duality gap of netinfer: "
        f"{problem.gap.max():.1e}. One product for the Gram and all targets: {problem.product_seconds * 1e3:.1f} ms.",
        flush=True,
    )


def main() -> None:
    """Print one table a design and case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--design", nargs="*", choices=list(DESIGNS), default=list(DESIGNS))
    add_options(parser)
    options = parser.parse_args()
    print(environment())
    with thread_limit(1):
        for design in options.design:
            for name in options.case:
                compare_case(design, name, options)


if __name__ == "__main__":
    main()
