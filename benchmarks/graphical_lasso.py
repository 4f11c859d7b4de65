"""The Graphical Lasso against R huge, R glasso, scikit-learn, GGLasso and skglm, in one run; its path; large problems.

    python benchmarks/graphical_lasso.py [--sizes 200 500 1000 2000] [--rounds 3] [--stop 300] [--peers-python PATH]
    python benchmarks/graphical_lasso.py --path          # 20 penalties, p = 1,000, against one cold solve
    python benchmarks/graphical_lasso.py --large         # p = 10,000 in one component, 20,000 in components to 3,000

Expression-like data: modules of about 25 genes around factors that form a tree, n = p / 2 and 2 p, penalties that leave
about 1 % and 3-4 % of the pairs as edges. Minimised is -log det T + tr(S T) + penalty sum_{i != j} |T_ij|. R huge
always penalises the diagonal, so it gets S less the penalty on it, which is the same problem. Each solver's tolerance
is the loosest of a list whose objective is within 1e-5 a variable of the best certified lower bound; netinfer's own gap
is at most that. A peer that misses it is timed at the tightest. Processor time, one thread each. A peer that needs more
than --stop seconds is stopped, one that was more than 10 times slower than the fastest peer at a smaller size from 500
on is left out at larger ones, one of more than 10 seconds is timed once. A floor unit is one Cholesky factorisation and
one inverse of a p x p matrix.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import threading
import time
from pathlib import Path

import numpy as np
import peers

from netinfer.kernels import thread_limit
from netinfer.solvers import graphical_lasso, graphical_lasso_path, largest_penalty

ALLOWED = 1e-5
EDGES = (0.01, 0.035)
HOPELESS = 10.0
LONG = 10.0  # seconds from which a peer is run once
CODE = {
    "R huge": (
        "fit <- huge.glasso(reduced, lambda = penalty, cov.output = FALSE, verbose = FALSE)",
        "as.matrix(fit$icov[[1]])",
        (np.nan,),
    ),
    "R glasso": (
        "fit <- glasso(s, penalty, penalize.diagonal = FALSE, thr = {tol}, maxit = 1e4)",
        "fit$wi",
        (1e-3, 1e-4, 1e-5, 1e-6),
    ),
    "scikit-learn": (
        "fit = glasso(s, float(penalty[0]), tol={tol}, enet_tol=min({tol}, 1e-4), max_iter=1000)[1]",
        "fit",
        (1e-2, 1e-3, 1e-4),
    ),
    "GGLasso": (
        "fit = block_SGL(s, float(penalty[0]), np.eye(len(s)), tol={tol}, rtol={tol}, max_iter=10000)['Theta']",
        "fit",
        (1e-4, 1e-5, 1e-6),
    ),
    "skglm": (
        "fit = GraphicalLasso(alpha=float(penalty[0]), tol={tol}, inner_tol=1e-4, max_iter=1000).fit(x).precision_",
        "fit",
        (1e-3, 1e-4, 1e-6),
    ),
}
SETUP = {
    "R huge": "suppressMessages(library(huge))",
    "R glasso": "suppressMessages(library(glasso))",
    "scikit-learn": "from sklearn.covariance import graphical_lasso as glasso; fit = glasso(np.eye(3) + 0.5, 0.1)",
    "GGLasso": "from gglasso.solver.single_admm_solver import block_SGL",
    "skglm": "from skglm.covariance import GraphicalLasso; "
    "fit = GraphicalLasso(alpha=0.1).fit(np.random.default_rng(0).standard_normal((9, 4)))",
}


def modules(n: int, p: int, rng: np.random.Generator, tie: float = 0.9) -> np.ndarray:
    """Draw n samples of p genes, each with one of p / 25 factors, which depend on each other along a tree."""
    n_factors = max(p // 25, 1)
    factors = rng.standard_normal((n, n_factors))
    for a in range(1, n_factors):
        factors[:, a] = tie * factors[:, rng.integers(0, a)] + np.sqrt(1.0 - tie**2) * factors[:, a]
    weight = rng.uniform(0.3, 1.0, p) * rng.choice([-1, 1], p)
    X = factors[:, rng.integers(0, n_factors, p)] * weight + 0.7 * rng.standard_normal((n, p))
    return (X - X.mean(axis=0)) / X.std(axis=0)


def correlation(X: np.ndarray) -> np.ndarray:
    S = X.T @ X / len(X)
    return (S + S.T) / 2


def penalty_for(S: np.ndarray, edges: float) -> float:
    """Find the penalty that leaves a share of the pairs as edges, to a tenth of it."""
    p = len(S)
    sizes = np.sort(np.abs(S[np.triu_indices(p, 1)]))[::-1]
    low, high = edges / 2, 0.999
    for _ in range(12):
        middle = np.sqrt(low * high)
        penalty = float(sizes[int(middle * len(sizes))])
        found = graphical_lasso(S, penalty, tol=1e-4, threads=1)
        share = (found.precision_sparse.nnz - p) / (p * (p - 1))
        if abs(share - edges) < 0.1 * edges:
            break
        low, high = (middle, high) if share < edges else (low, middle)
    return penalty


def objective(S: np.ndarray, T: np.ndarray, penalty: float) -> float:
    """Return the objective of a symmetric T; inf where it is not positive definite."""
    T = (T + T.T) / 2
    try:
        factor = np.linalg.cholesky(T)
    except np.linalg.LinAlgError:
        return np.inf
    off = np.abs(T).sum() - np.abs(T.diagonal()).sum()
    return float(-2 * np.log(factor.diagonal()).sum() + (S * T).sum() + penalty * off)


def floor_unit(S: np.ndarray) -> float:
    """Time one Cholesky factorisation and one inverse."""
    A = S + 0.1 * np.eye(len(S))
    seconds = []
    for _ in range(3):
        began = peers.clock()
        np.linalg.cholesky(A)
        np.linalg.inv(A)
        seconds.append(peers.clock() - began)
    return float(np.median(seconds))


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used; 0 where it is gone or Linux does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stopped(worker: peers.ProcessWorker, solver: peers.Solver, seconds: float) -> peers.Solver:
    """Return a solver whose process is ended after some seconds of processor time."""

    def solve(tolerance: float) -> tuple[np.ndarray, float]:
        process, ended = worker._process, threading.Event()
        limit = processor_seconds(process.pid) + seconds

        def watch() -> None:
            while not ended.wait(0.2):
                if processor_seconds(process.pid) > limit:
                    process.kill()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            return solver(tolerance)
        finally:
            ended.set()
            watcher.join()

    return solve


class Peer:
    """One peer on one problem: finds its tolerance, then is timed, until it is stopped."""

    def __init__(self, name: str, worker: peers.ProcessWorker, stop: float) -> None:
        code, result, self.tolerances = CODE[name]
        self.name, self.worker, self.seconds, self.note = name, worker, [], ""
        self.tolerance, self.excess, self.value = np.nan, np.inf, np.inf
        self.solve = stopped(worker, worker.solver(code, result), stop)

    def calibrate(self, S: np.ndarray, penalty: float, bound: float, enough: float) -> None:
        """Keep the loosest tolerance that is good enough, the tightest one, or the one that took more than enough."""
        for tolerance in self.tolerances:
            self.tolerance = tolerance
            if not self.run(S, penalty, bound) or self.excess <= ALLOWED:
                return
            if self.seconds[-1] > enough:
                break
        self.note = "misses 1e-5"

    def run(self, S: np.ndarray, penalty: float, bound: float) -> bool:
        """Run once; return whether it came to an end."""
        if self.note.startswith("stopped"):
            return False
        try:
            T, seconds = self.solve(self.tolerance)
        except (RuntimeError, BrokenPipeError) as fault:
            self.note = "stopped" if "ended" in str(fault) else f"stopped: {fault!s:.60}"
            return False
        self.seconds.append(seconds)
        self.value = objective(S, T, penalty)
        self.excess = (self.value - bound) / len(S)
        return True


def compare(
    p: int, n: int, edges: float, options: argparse.Namespace, left_out: set[str]
) -> tuple[list[str], set[str]]:
    """Time all on one problem; return the rows of the table and the peers that are hopeless at a larger size."""
    rng = np.random.default_rng([p, n])
    X = modules(n, p, rng)
    S = correlation(X)
    penalty = penalty_for(S, edges)
    best = graphical_lasso(S, penalty, tol=1e-9, threads=1)
    arrays = {"s": S, "reduced": S - penalty * np.eye(p), "x": X, "penalty": np.array([penalty])}
    unit = floor_unit(S)
    others = []
    for name in CODE:
        if name in left_out:
            continue
        is_r = name.startswith("R ")
        if (peers.r_version(name[2:]) if is_r else options.peers_python) is None:
            continue
        worker = (
            peers.RWorker(arrays, SETUP[name])
            if is_r
            else peers.PythonWorker(options.peers_python, arrays, SETUP[name])
        )
        others.append(Peer(name, worker, options.stop))
        fastest = min((peer.seconds[-1] for peer in others[:-1] if peer.seconds), default=np.inf)
        others[-1].calibrate(S, penalty, best.lower_bound, HOPELESS * fastest)
        others[-1].seconds = others[-1].seconds[-1:]
        if others[-1].seconds and others[-1].seconds[0] < LONG:
            others[-1].seconds = []  # a first call is warmer the second time
    ours, ratios = [], {peer.name: [] for peer in others}
    once = [peer for peer in others if peer.seconds or peer.note.startswith("stopped")]
    for _ in range(options.rounds):
        began = peers.clock()
        found = graphical_lasso(S, penalty, tol=ALLOWED, threads=1)
        ours.append(peers.clock() - began)
        for peer in others:
            if peer in once or peer.run(S, penalty, best.lower_bound):
                ratios[peer.name] += [s / ours[-1] for s in peer.seconds[-1:]]
    seconds = float(np.median(ours))
    share = 100 * (best.precision_sparse.nnz - p) / (p * (p - 1))
    head = f"| {p:,} | {n:,} | {share:.1f} % | {best.component_sizes.max():,} "
    rows = [
        head + f"| netinfer | {seconds:.3g} | | {found.objective:.6f} | {found.duality_gap / p:.1e} "
        f"| {seconds / unit:.1f} floor units, {found.n_sweeps} sweeps |"
    ]
    medians = {}
    for peer in others:
        ratio = float(np.median(ratios[peer.name])) if ratios[peer.name] else np.nan
        if ratios[peer.name]:
            medians[peer.name] = ratio
        took = f"{np.median(peer.seconds):.3g}" if peer.seconds else f"> {options.stop:g}"
        note = "; ".join(part for part in (f"tolerance {peer.tolerance:g}", peer.note) if part and "nan" not in part)
        rows.append(head + f"| {peer.name} | {took} | {ratio:.1f} | {peer.value:.6f} | {peer.excess:.1e} | {note} |")
        if not peer.note.startswith("stopped"):
            peer.worker.close()
    if medians and p >= 500:
        fastest = min(medians.values())
        return rows, {peer.name for peer in others if medians.get(peer.name, np.inf) > HOPELESS * fastest}
    return rows, set()


def path_bar(rounds: int) -> None:
    """Compare a path of 20 penalties with one cold solve at the last."""
    print("| n | penalties | edges at the end | cold, s | path, s | path / cold | worst gap per variable |")
    print("|---|---|---|---|---|---|---|")
    for n in (500, 2000):
        S = correlation(modules(n, 1000, np.random.default_rng([1000, n])))
        top = largest_penalty(S)
        for last in (0.1 * top, penalty_for(S, 0.035)):
            cold, path = [], []
            for _ in range(rounds):
                began = peers.clock()
                graphical_lasso(S, last, tol=ALLOWED, threads=1)
                cold.append(peers.clock() - began)
                began = peers.clock()
                found = graphical_lasso_path(S, np.geomspace(top, last, 20), tol=ALLOWED, threads=1)
                path.append(peers.clock() - began)
            edges = 100 * (found[-1].precision_sparse.nnz - 1000) / (1000 * 999)
            gap = max(point.duality_gap for point in found) / 1000
            print(
                f"| {n:,} | {top:.2f} to {last:.3f} | {edges:.1f} % | {np.median(cold):.3f} | {np.median(path):.2f} "
                f"| {np.median(np.array(path) / cold):.1f} | {gap:.1e} |",
                flush=True,
            )


def large_covariance(sizes: list[int], n: int, rng: np.random.Generator) -> np.ndarray:
    """Return the correlation of independent groups of genes, modules within each, made in place."""
    X = np.hstack([modules(n, size, rng, tie=0.6) for size in sizes])
    p = X.shape[1]
    S = np.empty((p, p))
    for a in range(0, p, 2000):
        np.matmul(X[:, a : a + 2000].T, X, out=S[a : a + 2000])
        S[a : a + 2000] /= n
    for a in range(0, p, 500):
        S[a : a + 500, a : a + 500] = np.tril(S[a : a + 500, a : a + 500]) + np.tril(S[a : a + 500, a : a + 500], -1).T
        for b in range(0, a, 500):
            S[b : b + 500, a : a + 500] = S[a : a + 500, b : b + 500].T
    return S


def large(which: str) -> None:
    """Solve one large problem on two threads; the peak memory holds the covariance and what made it."""
    rng = np.random.default_rng(0)
    sizes = {"one": [10_000], "many": [3000, 2500, 2000, 1500, 1000] + [500] * 12 + [100] * 30 + [20] * 50}[which]
    n = {"one": 300, "many": 400}[which]
    S = large_covariance(sizes, n, rng)
    p = len(S)
    i, j = rng.integers(0, p, (2, 2_000_000))
    pairs = np.sort(np.abs(S[i, j][i != j]))[::-1]
    penalty = float(pairs[int({"one": 0.003, "many": 0.0009}[which] * len(pairs))])
    began, cpu = time.perf_counter(), time.process_time()
    found = graphical_lasso(S, penalty, tol=ALLOWED, threads=2)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    edges = 100 * (found.precision_sparse.nnz - p) / (p * (p - 1))
    print(
        f"| {p:,} | {found.component_sizes.max():,} | {edges:.3f} % | {wall:.0f} | {cpu:.0f} | {found.n_sweeps} "
        f"| {found.duality_gap / p:.1e} | {peak:.1f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    peers.add_options(parser)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 500, 1000, 2000])
    parser.add_argument("--stop", type=float, default=300.0)
    parser.add_argument(
        "--peers-python",
        default=os.environ.get("NETINFER_GLASSO_PYTHON") or sys.executable,
        help="the Python that has gglasso and skglm >= 0.5, where it is not this one",
    )
    parser.add_argument("--leave-out", nargs="*", default=[], help="peers that are not run")
    parser.add_argument("--path", action="store_true")
    parser.add_argument("--large", choices=["one", "many"])
    options = parser.parse_args()
    r = [f"{name} {peers.r_version(name) or 'not installed'}" for name in ("huge", "glasso")]
    print(peers.environment(), ", ".join(r), "\n")
    if options.large:
        print("| p | largest component | edges | s on the wall | processor s | sweeps | gap per variable | peak GiB |")
        print("|---|---|---|---|---|---|---|---|")
        large(options.large)
        return
    with thread_limit(1):
        if options.path:
            path_bar(options.rounds)
            return
        print(
            "| p | n | edges | largest component | solver | s | ratio | objective | excess or gap per variable | note |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        graphical_lasso(correlation(modules(20, 30, np.random.default_rng(0))), 0.3)  # loads the kernels
        left_out: set[str] = set(options.leave_out)
        for p in options.sizes:
            slow: set[str] = set()
            for n in (p // 2, 2 * p):
                for edges in EDGES:
                    rows, hopeless = compare(p, n, edges, options, left_out)
                    slow |= hopeless
                    print("\n".join(rows), flush=True)
            left_out |= slow


if __name__ == "__main__":
    main()
