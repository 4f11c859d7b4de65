"""Networks of several conditions: the joint solver against GGLasso, and what is gained by estimating them together.

    python benchmarks/joint.py --recovery [--genes 100] [--seeds 10]
    python benchmarks/joint.py --null [--genes 100] [--seeds 10]
    python benchmarks/joint.py --speed --peers-python PATH [--sizes 100 300 500] [--rounds 3]
    python benchmarks/joint.py --cost [--sizes 100 300 500]   # the whole call, 100 half-samples

Recovery: conditions from `netinfer.simulate.conditions`, 100 samples each, estimated on their own (similarity 0) and
together; F1 of the edges (mean over the conditions), F1 of the edges called shared, and the number of edges called
gained, lost or flipped that are so, and that are not. All at the penalty that StARS chooses for the separate graphs.

Null: two samples of the same networks, where every edge called gained, lost or flipped is one too many.

Speed: correlations of such conditions, s = 0.5. Each solver has the loosest tolerance of a list whose objective is
within 1e-5 a variable of the best certified lower bound;
netinfer's own gap is at most that. Processor time, one thread each, solvers in turn, median of the rounds.
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
import peers

import netinfer as ni
from netinfer.kernels import thread_limit
from netinfer.models.comparison.fits import Penalties

ALLOWED = 1e-5
TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
WAYS = (
    ("separate", {"similarity": 0.0}),
    ("group, s = 0.25", {"kind": "group", "similarity": 0.25}),
    ("group, s = 0.5", {"kind": "group", "similarity": 0.5}),
    ("group, s chosen", {"kind": "group", "similarity": None}),
    ("fused, s = 0.25", {"kind": "fused", "similarity": 0.25}),
    ("fused, s = 0.5", {"kind": "fused", "similarity": 0.5}),
    ("fused, s chosen", {"kind": "fused", "similarity": None}),
)
SHARES = ((0.05, "few changes: 5 % each gained, lost, flipped"), (0.2, "many changes: 20 % each"))
PENALTIES = (0.35, 0.25)
REG = {"group": "GGL", "fused": "FGL"}
SETUP = (
    "from gglasso.solver.admm_solver import ADMM_MGL; first = np.stack([np.eye(4)] * 2) + 0.1; "
    "fit = ADMM_MGL(first, 0.1, 0.1, '{reg}', np.stack([np.eye(4)] * 2))[0]['Theta']"
)
CODE = (
    "fit = ADMM_MGL(s, {lam}, {mu}, '{reg}', np.stack([np.eye(s.shape[1])] * len(s)), "
    "tol={tol}, rtol={tol}, max_iter=10000)[0]['Theta']"
)


def score(found: set, true: set) -> float:
    return 2 * len(found & true) / max(len(found) + len(true), 1)


def recovery(n_genes: int, n_seeds: int, threads: int) -> None:
    """Print the recovery tables."""
    for share, title in SHARES:
        print(f"\n{n_genes} genes, 100 samples a condition, {title}, {n_seeds} data sets\n")
        print("| | s | F1 of edges | F1 of shared | changes right | changes wrong | true changes |")
        print("|---|---|---|---|---|---|---|")
        rows: dict[str, list] = {name: [] for name, _ in WAYS}
        for seed in range(n_seeds):
            data, truth = ni.simulate.conditions(
                (100, 100), n_genes, gained=share, lost=share, flipped=share, seed=seed
            )
            penalty = None
            for name, options in WAYS:
                found = ni.infer_joint_precision(data, penalty=penalty, threads=threads, seed=seed, **options)
                penalty = found.provenance["penalty"]
                rows[name].append([found.provenance["similarity"], *scored(found, truth)])
        for name, values in rows.items():
            s, edges, shared, right, wrong, n_true = np.mean(values, axis=0)
            print(
                f"| {name} | {s:.2f} | {edges:.3f} | {shared:.3f} | {right:.1f} | {wrong:.1f} | {n_true:.0f} |",
                flush=True,
            )


def null(n_genes: int, n_seeds: int, threads: int) -> None:
    """Print how many changes are called between two samples of the same networks, where there is none."""
    print("| samples | genes | s | penalty | shared | gained | lost | flipped | unclear | warned |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for sizes in ((200, 200), (100, 100), (200, 60), (60, 60)):
        rows = []
        for seed in range(n_seeds):
            data, _ = ni.simulate.conditions(sizes, n_genes, gained=0.0, lost=0.0, flipped=0.0, seed=seed)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                found = ni.infer_joint_precision(data, threads=threads, seed=seed)
            counts = found.counts().iloc[0].reindex(["shared", "gained", "lost", "flipped", "unclear"], fill_value=0)
            is_warned = any("chance alone" in str(one.message) for one in caught)
            rows.append([found.provenance["similarity"], found.provenance["penalty"], *counts, is_warned])
        mean = np.mean(np.array(rows, float), axis=0)
        print(
            f"| {sizes[0]} and {sizes[1]} | {n_genes} | {mean[0]:.2f} | {mean[1]:.2f} | "
            + " | ".join(f"{value:.1f}" for value in mean[2:7]) + f" | {mean[7]:.0%} |",
            flush=True,
        )  # fmt: skip


def scored(found: ni.JointNetworks, truth) -> list[float]:
    """Return the F1 of edges and shared edges, the changes called rightly and wrongly, and the true ones."""
    reference, other = found.networks.values()
    pairs = [(row.source, row.target) for row in truth.itertuples()]
    first = {pair for pair, value in zip(pairs, truth["partial_correlation_reference"], strict=True) if value}
    second = {pair for pair, value in zip(pairs, truth["partial_correlation"], strict=True) if value}
    edges = [set(zip(net.edges["source"], net.edges["target"], strict=True)) for net in (reference, other)]
    called = {(row.source, row.target, row.change) for row in found.changes.itertuples()}
    true = {(row.source, row.target, row.change) for row in truth.itertuples()}
    is_change = ("gained", "lost", "flipped")
    named, so = ({x for x in of if x[2] in is_change} for of in (called, true))
    both, all_shared = ({x for x in of if x[2] == "shared"} for of in (called, true))
    return [
        (score(edges[0], first) + score(edges[1], second)) / 2,
        score(both, all_shared),
        len(named & so),
        len(named - so),
        len(so),
    ]


def objective(S: np.ndarray, T: np.ndarray, lam: float, mu: float, kind: str) -> float:
    """Return the joint objective of symmetric matrices; inf where one is not positive definite."""
    value, off = 0.0, T * (1 - np.eye(T.shape[1]))
    for s, t in zip(S, T, strict=True):
        try:
            factor = np.linalg.cholesky(t)
        except np.linalg.LinAlgError:
            return np.inf
        value += float((s * t).sum() - 2 * np.log(factor.diagonal()).sum())
    if kind == "group":
        couple = np.sqrt((off**2).sum(axis=0)).sum()
    else:
        couple = sum(np.abs(off[k] - off[m]).sum() for k in range(len(T)) for m in range(k))
    return value + lam * np.abs(off).sum() + mu * float(couple)


def speed(sizes: list[int], rounds: int, python: str) -> None:
    """Print the table of the solvers."""
    print(peers.environment())
    print("| genes | conditions | kind | w | edges | largest component | netinfer, s | GGLasso, s | ratio | gap |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for p in sizes:
        for n_conditions in (2, 3):
            data, _ = ni.simulate.conditions((100,) * n_conditions, p, seed=p)
            S = np.stack([np.corrcoef(adata.X.T) for adata in data.values()])
            for kind in ("group", "fused"):
                worker = None
                # GGLasso's fused penalty is of neighbours only, which is another one from three conditions on.
                if python and (kind == "group" or n_conditions == 2):
                    worker = peers.PythonWorker(python, {"s": S}, SETUP.replace("{reg}", REG[kind]))
                for w in PENALTIES:
                    print(one_row(S, kind, w, rounds, worker), flush=True)
                if worker is not None:
                    worker.close()


def one_row(S: np.ndarray, kind: str, w: float, rounds: int, worker: peers.PythonWorker | None) -> str:
    """Time both solvers on one problem."""
    n_conditions, p = S.shape[:2]
    lam, mu = Penalties(kind, w, 0.5).strengths(n_conditions)
    known = {}

    def own(_: float) -> np.ndarray:
        known["fit"] = ni.solvers.joint_graphical_lasso(list(S), lam, mu, kind=kind, threads=1)
        return np.stack(known["fit"].precisions)

    everyone = [peers.Peer("netinfer", peers.timed(own))]
    if worker is not None:
        code = CODE.replace("{lam}", repr(lam)).replace("{mu}", repr(mu)).replace("{reg}", REG[kind])
        everyone.append(peers.Peer("GGLasso", worker.solver(code), tolerances=TOLERANCES))
    own(0.0)
    bound = known["fit"].lower_bound

    def excess(T: np.ndarray) -> float:
        return (objective(S, T, lam, mu, kind) - bound) / (n_conditions * p)

    with thread_limit(1):
        measured = peers.compare(everyone, excess=excess, allowed=ALLOWED, rounds=rounds)
    fit = known["fit"]
    edges = " / ".join(str(int(np.count_nonzero(np.triu(T, 1)))) for T in fit.precisions)
    own_time = measured[0]
    shown = "other penalty | "
    if len(measured) > 1:
        ratio = float(np.median(measured[1].seconds / own_time.seconds))
        shown = f"{measured[1].median:.2f}{' (misses)' if measured[1].note else ''} | {ratio:.1f}"
    return (
        f"| {p} | {n_conditions} | {kind} | {w} | {edges} | {np.bincount(fit.components).max()} | "
        f"{own_time.median:.3f} | {shown} | {fit.duality_gap / (n_conditions * p):.0e} |"
    )


def cost(sizes: list[int], threads: int) -> None:
    """Print the time of the whole call."""
    print("| genes | conditions | kind | penalty | s | edges | processor seconds |")
    print("|---|---|---|---|---|---|---|")
    for p in sizes:
        for n_conditions in (2, 3):
            data, _ = ni.simulate.conditions((100,) * n_conditions, p, seed=p)
            for kind in ("group", "fused"):
                began = peers.clock()
                record = ni.infer_joint_precision(
                    data, kind=kind, similarity=None, max_genes=None, threads=threads
                ).provenance
                taken = peers.clock() - began
                edges = " / ".join(str(of["n_edges"]) for of in record["conditions"].values())
                chosen = f"{record['penalty']:.3f} | {record['similarity']} | {edges}"
                print(f"| {p} | {n_conditions} | {kind} | {chosen} | {taken:.0f} |", flush=True)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recovery", action="store_true")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--null", action="store_true", help="two samples of the same networks")
    parser.add_argument("--genes", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 300, 500])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peers-python")
    options = parser.parse_args()
    if options.recovery:
        recovery(options.genes, options.seeds, options.threads)
    if options.null:
        null(options.genes, options.seeds, options.threads)
    if options.cost:
        cost(options.sizes, options.threads)
    if options.speed:
        speed(options.sizes, options.rounds, options.peers_python)


if __name__ == "__main__":
    main()
