"""Elastic-net paths of many targets on one Gram matrix: netinfer and public solvers, alternating, in one run.

    python benchmarks/elastic_net.py [--rounds 5] [--targets 12] [--shrinkage 0.3 0.6 0.9] [--ranking]
        [--design expression modules]

50 penalties to 0.05 of the largest, shrinkage s fixed along the path: minimise 1/2 b'((1-s) G + s I) b - q'b +
lambda |b|. Peers get the same problem as a Lasso: on the shrunk Gram where they take one, else on the rows
sqrt(1-s) X over sqrt(s n) I with the response y / sqrt(1-s) over 0 (skglm: its own L1 + L2 penalty on X, response
y / (1-s)). Data: 805 samples x 334 regulators (DREAM5 E. coli sizes) and 2,000 x 1,500, drawn from the correlations
of measured expression (NETINFER_DATA), and in plain modules. One thread.
`--ranking` times netinfer's own solvers at the one penalty of the ranking fit instead, on halves of the samples.
"""

from __future__ import annotations

import argparse

import numpy as np
import peers as harness
from designs import DESIGNS, standardised

from netinfer.kernels import njit, thread_limit
from netinfer.solvers import elastic_net_paths
from netinfer.solvers.active_set import make_active_set, pursue
from netinfer.solvers.batch import count_selections
from netinfer.solvers.homotopy import make_workspace
from netinfer.solvers.path import GAP_TOLERANCE, MAX_SWEEPS
from netinfer.solvers.problem import MomentProblem
from netinfer.solvers.ranking import rank_targets

N_PENALTIES, END = 50, 0.05
SIZES = ((805, 334), (2000, 1500))
RANKING = 0.05


class Problem:
    """One data set at one shrinkage, in every form that a solver takes."""

    def __init__(self, design: str, n: int, p: int, n_targets: int, shrinkage: float) -> None:
        self.n, self.p, self.shrinkage = n, p, shrinkage
        self.X, self.Y = DESIGNS[design](n, p, n_targets, np.random.default_rng(0))
        self.gram = self.X.T @ self.X / n
        self.shrunk = np.ascontiguousarray((1 - shrinkage) * self.gram + shrinkage * np.eye(p))
        self.cross = np.ascontiguousarray((self.X.T @ self.Y / n).T)
        self.grids = np.geomspace(0.999, END, N_PENALTIES) * np.abs(self.cross).max(axis=1)[:, None]
        self.variance = 1.0 / (1.0 - shrinkage)
        rows = n + p  # scaled so that 1 / (2 rows) of their squares is 1 / (2 n) of the unscaled ones
        self.stacked = np.sqrt(rows / n) * np.vstack(
            [np.sqrt(1 - shrinkage) * self.X, np.sqrt(shrinkage * n) * np.eye(p)]
        )
        self.responses = np.sqrt(rows / n) * np.vstack([self.Y / np.sqrt(1 - shrinkage), np.zeros((p, n_targets))])

    def objective(self, coef: np.ndarray) -> np.ndarray:
        """Return the objective of coefficients (n_targets, n_penalties, p)."""
        fit = 0.5 * np.einsum("tkp,tkp->tk", coef @ self.shrunk, coef) - np.einsum("tkp,tp->tk", coef, self.cross)
        return 0.5 * self.variance + fit + self.grids * np.abs(coef).sum(axis=2)


@njit
def _along(gram, cross, shrinkage, variance, grids, work, coef, gap, violation):
    p = cross.shape[1]
    weights, forbidden = np.ones(p), np.zeros(p, np.bool_)
    for t in range(cross.shape[0]):
        pursue(gram, cross[t], shrinkage, variance, grids[t], weights, forbidden, 1e-9, 2000, work,
               coef[t], gap[t], violation[t])  # fmt: skip


def ours(problem: Problem) -> list[harness.Peer]:
    """Return netinfer's solvers; the first is what stands against the peers."""
    shape = problem.grids.shape

    def active_set(_: float) -> np.ndarray:
        coef, gap = np.zeros((*shape, problem.p)), np.zeros(shape)
        _along(problem.shrunk, problem.cross, problem.shrinkage, problem.variance, problem.grids,
               make_active_set(problem.p), coef, gap, np.zeros(shape))  # fmt: skip
        if not gap.max() <= GAP_TOLERANCE:
            raise RuntimeError(f"netinfer: a gap of {gap.max():.1e}")
        return coef

    def public(method: str):
        return lambda _: np.array(
            [
                path.coef
                for path in elastic_net_paths(
                    problem.gram, problem.cross, problem.grids, shrinkage=problem.shrinkage, method=method
                )
            ]
        )

    return [
        harness.Peer("netinfer, active set on the shared Gram", harness.timed(active_set)),
        harness.Peer("netinfer elastic_net_paths, checks included", harness.timed(public("auto"))),
        harness.Peer("netinfer elastic_net_paths, homotopy", harness.timed(public("homotopy"))),
        harness.Peer("netinfer elastic_net_paths, coordinate descent", harness.timed(public("coordinate_descent"))),
    ]


def scikit_learn(problem: Problem) -> list[harness.Peer]:
    from sklearn.linear_model import enet_path, lars_path_gram

    gram, cross, n = problem.shrunk * problem.n, problem.cross * problem.n, problem.n
    response = np.ascontiguousarray((problem.Y / np.sqrt(1 - problem.shrinkage)).T)
    X = np.asfortranarray(problem.X)

    def descent(tol: float) -> np.ndarray:
        return np.array(
            [
                enet_path(X, y, l1_ratio=1.0, alphas=grid, precompute=gram, Xy=q, tol=tol, max_iter=10**5,
                          check_input=False)[1].T
                for y, q, grid in zip(response, cross, problem.grids, strict=True)
            ]
        )  # fmt: skip

    def lars(_: float) -> np.ndarray:
        out = []
        for q, grid in zip(cross, problem.grids, strict=True):
            alphas, _, path = lars_path_gram(q, gram, n_samples=n, method="lasso", alpha_min=grid[-1])
            out.append(np.array([np.interp(grid, alphas[::-1], line[::-1]) for line in path]).T)
        return np.array(out)

    return [
        harness.Peer("scikit-learn enet_path, shrunk Gram", harness.timed(descent), (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)),
        harness.Peer("scikit-learn lars_path_gram, shrunk Gram", harness.timed(lars)),
    ]


def skglm(problem: Problem) -> harness.Peer:
    if not harness.has_module("skglm"):
        return harness.missing("skglm")
    from skglm.datafits import Quadratic
    from skglm.penalties import L1_plus_L2
    from skglm.solvers import AndersonCD
    from skglm.utils.jit_compilation import compiled_clone

    X, scale = np.asfortranarray(problem.X), 1.0 / (1.0 - problem.shrinkage)
    responses = np.ascontiguousarray(problem.Y.T * scale)
    ridge = problem.shrinkage * scale
    datafit, penalty = compiled_clone(Quadratic()), compiled_clone(L1_plus_L2(1.0, 0.5))

    def path(tol: float) -> np.ndarray:
        solver = AndersonCD(tol=tol, fit_intercept=False, max_iter=500, max_epochs=10**5, warm_start=True)
        out = np.zeros((*problem.grids.shape, problem.p))
        for t, (y, grid) in enumerate(zip(responses, problem.grids * scale, strict=True)):
            w, fitted = np.zeros(problem.p), np.zeros(len(y))
            for k, first in enumerate(grid):
                penalty.alpha, penalty.l1_ratio = first + ridge, first / (first + ridge)
                w = solver.solve(X, y, datafit, penalty, w, fitted)[0].copy()
                fitted = X @ w
                out[t, k] = w
        return out

    return harness.Peer("skglm, L1 + L2 on the samples", harness.timed(path), (1e-3, 3e-4, 1e-4, 1e-5, 1e-6))


def celer(problem: Problem) -> harness.Peer:
    if not harness.has_module("celer"):
        return harness.missing("celer")
    from celer import celer_path

    rows = np.asfortranarray(problem.stacked)

    def path(tol: float) -> np.ndarray:
        return np.array(
            [
                celer_path(rows, problem.responses[:, t].copy(), "lasso", alphas=grid, tol=tol)[1].T
                for t, grid in enumerate(problem.grids)
            ]
        )

    return harness.Peer("celer, stacked rows", harness.timed(path), (1e-3, 1e-4, 1e-5, 1e-6, 1e-7))


def glmnet(problem: Problem, workers: list) -> list[harness.Peer]:
    if harness.r_version("glmnet") is None:
        return [harness.missing("glmnet")]
    arrays = {"x": problem.stacked, "y": problem.responses, "grids": problem.grids}
    worker = harness.RWorker(arrays)
    workers.append(worker)
    peers = []
    for kind in ("covariance", "naive"):
        code = (
            "fit <- lapply(seq_len(ncol(y)), function(t) glmnet(x, y[, t], lambda = grids[t, ], standardize = FALSE, "
            f"intercept = FALSE, thresh = {{tol}}, maxit = 1e7, type.gaussian = '{kind}')$beta)"
        )
        result = "aperm(simplify2array(lapply(fit, as.matrix)), c(3, 2, 1))"
        tolerances = (1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)
        peers.append(harness.Peer(f"glmnet, {kind}, stacked rows", worker.solver(code, result), tolerances))
    return peers


def adelie(problem: Problem, python: str | None, workers: list) -> harness.Peer:
    if python is None:
        return harness.missing("adelie")
    arrays = {"A": problem.shrunk, "V": problem.cross, "grids": problem.grids}
    worker = harness.PythonWorker(python, arrays, setup="import adelie as ad; A = np.asfortranarray(A)")
    workers.append(worker)
    code = (
        "fit = [ad.gaussian_cov(A, np.ascontiguousarray(v), lmda_path=g, alpha=1.0, tol={tol}, early_exit=False, "
        "progress_bar=False, n_threads=1) for v, g in zip(V, grids)]"
    )
    result = "np.array([s.betas.toarray() for s in fit])"
    tolerances = (1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)
    return harness.Peer("adelie, covariance, shrunk Gram", worker.solver(code, result), tolerances)


def compare(design: str, n: int, p: int, shrinkage: float, options: argparse.Namespace) -> None:
    """Print the table of one size and shrinkage."""
    n_targets = options.targets if p < 1000 else max(2, options.targets // 2)
    problem, workers = Problem(design, n, p, n_targets, shrinkage), []
    mine = ours(problem)
    peers = [
        *mine,
        *scikit_learn(problem),
        adelie(problem, harness.adelie_python(options), workers),
        *glmnet(problem, workers),
        skglm(problem),
        celer(problem),
    ]
    exact = mine[0].solve(0.0)[0]  # every point certified to 1e-9, in fact to rounding
    best = problem.objective(exact)
    measured = harness.compare(
        peers, excess=lambda c: harness.worst_excess(problem.objective(c), best), rounds=options.rounds
    )
    n_active = (exact[:, -1] != 0).sum(axis=1)
    print(
        f"\nDesign {design}: {n} x {p}, shrinkage {shrinkage:g}, {n_targets} targets, {np.median(n_active):g} active "
        "at the end\n"
    )
    print(harness.table(measured, unit=1e-3, per=n_targets, label="ms a target"))
    print(f"\nfastest peer: {harness.fastest(measured):.1f} x the time of netinfer", flush=True)
    for worker in workers:
        worker.close()


def compare_ranking(n: int, p: int, shrinkage: float, options: argparse.Namespace) -> None:
    """Print the table of the ranking fit: one penalty, a half of the samples, 100 targets."""
    drawn = DESIGNS[options.design[0]](n, p, 100, np.random.default_rng(0))
    X, Y = (standardised(part[: n // 2]) for part in drawn)
    cross = np.ascontiguousarray((X.T @ Y / len(X)).T)
    problem = MomentProblem(X.T @ X / len(X), cross[0], np.ones(p), 1.0, shrinkage, None, None)
    gram, variance, at = problem.shrunk_gram(), problem.response_variance, np.array([RANKING])
    own, weights, gap = np.full(100, -1), np.ones((1, p)), np.zeros(100)

    def active_set(_: float) -> np.ndarray:
        coef = np.zeros((100, p))
        rank_targets(gram, cross, own, weights, shrinkage, variance, at, GAP_TOLERANCE, MAX_SWEEPS,
                     make_active_set(p), gap, coef)  # fmt: skip
        return coef

    def homotopy(_: float) -> np.ndarray:
        coef, none = np.zeros((100, p)), np.zeros((100, 0), np.int64)
        count_selections(gram, cross, own, weights, variance, at, make_workspace(p), 100 + 20 * p, GAP_TOLERANCE,
                         MAX_SWEEPS, np.zeros((100, p, 0), np.uint16), none, none, gap, 0, coef)  # fmt: skip
        return coef

    peers = [
        harness.Peer("netinfer, active set", harness.timed(active_set)),
        harness.Peer("netinfer, homotopy", harness.timed(homotopy)),
    ]
    measured = harness.compare(peers, excess=lambda _: gap.max(), rounds=options.rounds)
    print(f"\nranking fit at penalty {RANKING}, {len(X)} x {p}, shrinkage {shrinkage:g}\n")
    print(harness.table(measured, unit=1e-3, per=100, label="ms a target"), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_options(parser)
    parser.add_argument("--targets", type=int, default=12, help="of the small size; half of it of the large one")
    parser.add_argument("--shrinkage", type=float, nargs="+", default=[0.3, 0.6, 0.9])
    parser.add_argument("--sizes", type=int, nargs="+", default=[0, 1], help="0: 805 x 334, 1: 2,000 x 1,500")
    parser.add_argument("--design", nargs="+", choices=list(DESIGNS), default=list(DESIGNS))
    parser.add_argument("--ranking", action="store_true")
    options = parser.parse_args()
    print(harness.environment())
    with thread_limit(1):
        for size in options.sizes:
            for shrinkage in options.shrinkage:
                if options.ranking:
                    compare_ranking(*SIZES[size], shrinkage, options)
                    continue
                for design in options.design:
                    compare(design, *SIZES[size], shrinkage, options)


if __name__ == "__main__":
    main()
