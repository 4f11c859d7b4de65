"""Correlations of the graphical model: seconds, the nearest correlation matrix, ties, covariates. docs/correlations.md.

    python benchmarks/correlations.py [--part seconds kendall nearest alternating ...] [--rounds 3]

Processor seconds on one thread, the least of the rounds: other work on the machine changes them less than seconds of
the clock. Expression is simulated: 20 factors with loadings of size 1 and noise of variance 16, each gene through an
increasing function. Ties and covariates print means over simulated data sets.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from numba import njit
from peers import environment
from scipy import stats

from netinfer.kernels import thread_limit
from netinfer.moments import correlation_matrix, nearest_correlation
from netinfer.moments.kendall import kendall_tau_b

METHODS = ("pearson", "normal_scores", "spearman", "kendall")
SIZES = [(1000, 278), (1000, 800), (2000, 278), (2000, 800)]


def expression(p: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.exp(rng.standard_normal((n, 20)) @ rng.standard_normal((20, p)) / 6 + rng.standard_normal((n, p)) * 4 / 6)


def least(function: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        began = time.process_time()
        function()
        times.append(time.process_time() - began)
    return min(times)


def seconds(rounds: int) -> None:
    print("\nseconds\n\n| genes | samples | pearson | normal_scores | spearman | projected | kendall | projected |")
    print("|---|---|---|---|---|---|---|---|")
    for p, n in SIZES:
        data = expression(p, n)
        cells = []
        for method in METHODS:
            plain = least(lambda d=data, m=method: correlation_matrix(d, method=m, project=False), rounds)
            cells.append(f"{plain:.2f}")
            if method in ("spearman", "kendall"):
                cells[-1] += f" | {least(lambda d=data, m=method: correlation_matrix(d, method=m), 1):.1f}"
        print(f"| {p} | {n} |", " | ".join(cells), "|", flush=True)


def kendall(rounds: int) -> None:
    print("\n| genes | samples | counted bits, no ties | counted bits, ties | sign products, float32 | merge sort |")
    print("|---|---|---|---|---|---|")
    for p, n in SIZES:
        data = expression(p, n)
        ranks = stats.rankdata(data.T, axis=1).astype(np.int32)
        tied = stats.rankdata(data.T.round(1), axis=1).astype(np.int32)
        with thread_limit(1):
            cells = [
                least(lambda r=ranks: kendall_tau_b(r), rounds),
                least(lambda r=tied: kendall_tau_b(r), rounds),
                least(lambda r=ranks: sign_products(r), 1),
                # Of 20 genes with all others, scaled to all pairs.
                least(lambda r=ranks: merge_sorts(r, 20), 1) * p / 40,
            ]
        np.testing.assert_allclose(sign_products(ranks[:50]), kendall_tau_b(ranks[:50]), atol=1e-6)
        np.testing.assert_allclose(merge_sorts(ranks[:50], 20), kendall_tau_b(ranks[:50])[:20], atol=1e-12)
        print(f"| {p} | {n} |", " | ".join(f"{cell:.2f}" for cell in cells), "|", flush=True)


def sign_products(ranks: np.ndarray, block: int = 20_000) -> np.ndarray:
    """Kendall's tau-a as the Gram matrix of the signs of all differences; half the work of a full product (syrk)."""
    p, n = ranks.shape
    first, second = np.triu_indices(n, 1)
    out = np.zeros((p, p), np.float32)
    for start in range(0, len(first), block):
        part = slice(start, start + block)
        signs = np.sign(ranks[:, first[part]] - ranks[:, second[part]]).astype(np.float32)
        out += signs @ signs.T
    return out / len(first)


def merge_sorts(ranks: np.ndarray, n_rows: int) -> np.ndarray:
    """Kendall's tau-a of some genes with all, by counting inversions (Knight 1966); without ties."""
    orders = np.argsort(ranks[:n_rows], axis=1)
    out = np.empty((n_rows, len(ranks)))
    _merge_rows(orders, ranks, out)
    return out


@njit(nogil=True)
def _merge_rows(orders, ranks, out):
    n = ranks.shape[1]
    here, there = np.empty(n, np.int32), np.empty(n, np.int32)
    for i in range(len(orders)):
        for j in range(len(ranks)):
            for k in range(n):
                here[k] = ranks[j, orders[i, k]]
            out[i, j] = 1.0 - 4.0 * _inversions(here, there) / (n * (n - 1))


@njit(nogil=True)
def _inversions(here, there):
    n, total = len(here), 0
    for start in range(0, n, 8):  # insertion sort of eights, then merges
        for k in range(start + 1, min(start + 8, n)):
            value, m = here[k], k
            while m > start and here[m - 1] > value:
                here[m] = here[m - 1]
                m -= 1
            here[m] = value
            total += k - m
    width = 8
    while width < n:
        for start in range(0, n, 2 * width):
            middle, end = min(start + width, n), min(start + 2 * width, n)
            a, b = start, middle
            for k in range(start, end):
                if a < middle and (b >= end or here[a] <= here[b]):
                    there[k] = here[a]
                    a += 1
                else:
                    there[k] = here[b]
                    total += middle - a
                    b += 1
        here, there = there, here
        width *= 2
    return total


def nearest(rounds: int) -> None:
    print(
        "\n| matrix | genes | samples | smallest eigenvalue | steps | s | distance | within | clipped: s | distance |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for p, n in [(200, 100), *SIZES]:
        data = expression(p, n)
        for method in ("spearman", "kendall"):
            before = correlation_matrix(data, method=method, project=False)
            began = time.process_time()
            found = nearest_correlation(before.matrix)
            newton = time.process_time() - began
            with thread_limit(1):
                began = time.process_time()
                clipped = clip(before.matrix)
                took = time.process_time() - began
            off = np.linalg.norm(clipped - before.matrix)
            print(
                f"| {method} | {p} | {n} | {before.smallest_eigenvalue:.3f} | {found.n_steps} | {newton:.1f} | "
                f"{found.distance:.3f} | {found.distance_bound:.0e} | {took:.1f} | {off:.3f} |",
                flush=True,
            )


def alternating(rounds: int) -> None:
    print("\nalternating projections (Higham 2002): eigendecompositions until within 1e-5 of the nearest matrix\n")
    print("| matrix | genes | samples | alternating | s | smallest eigenvalue then | Newton | s |\n" + "|---" * 8 + "|")
    for p, n in [(200, 100), (1000, 278)]:
        for method in ("spearman", "kendall"):
            before = correlation_matrix(expression(p, n), method=method, project=False).matrix
            began = time.process_time()
            found = nearest_correlation(before)
            newton, took, n_steps = time.process_time() - began, 0.0, 0
            correction, at = np.zeros_like(before), before
            while n_steps < 200 and np.linalg.norm(at - found.matrix) > 1e-5:
                n_steps += 1
                with thread_limit(1):
                    began = time.process_time()
                    shifted = at - correction
                    values, vectors = np.linalg.eigh(shifted)
                    at = (vectors * np.maximum(values, 1e-8)) @ vectors.T
                    correction = at - shifted
                    np.fill_diagonal(at, 1.0)
                    took += time.process_time() - began
            smallest = np.linalg.eigvalsh(at)[0]
            print(
                f"| {method} | {p} | {n} | {n_steps} | {took:.1f} | {smallest:.0e} | {found.n_steps} | {newton:.1f} |",
                flush=True,
            )


def clip(matrix: np.ndarray, floor: float = 1e-8) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    positive = (vectors * np.maximum(values, floor)) @ vectors.T
    size = np.sqrt(positive.diagonal())
    return positive / size[:, None] / size[None, :]


def ties(rounds: int) -> None:
    print("\nmean correlation of 200 pairs, latent correlation 0.5, 500 samples, values below a quantile set to 0\n")
    print("| share of zeros |", " | ".join((*METHODS, "sine of tau-a")), "|\n" + "|---" * (len(METHODS) + 2) + "|")
    rng = np.random.default_rng(0)
    for share in (0.0, 0.3, 0.5, 0.7, 0.9):
        seen = []
        for _ in range(200):
            pair = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=500)
            cut = np.quantile(pair, share, axis=0)
            pair = np.where(pair <= cut, 0.0, np.exp(pair)) if share else np.exp(pair)
            row = [correlation_matrix(pair, method=method).matrix[0, 1] for method in METHODS]
            signs = [np.sign(gene[:, None] - gene[None, :]) for gene in pair.T]
            seen.append([*row, np.sin(np.pi / 2 * (signs[0] * signs[1]).sum() / (500 * 499))])
        print(f"| {share:g} |", " | ".join(f"{value:.3f}" for value in np.mean(seen, axis=0)), "|", flush=True)


def covariates(rounds: int) -> None:
    print("\nmean correlation of genes that only the depth relates, 30 genes, 500 samples, 20 data sets\n")
    print("| mean count | share of zeros | depth projected out |", " | ".join(METHODS), "|\n" + "|---" * 7 + "|")
    rng, off = np.random.default_rng(0), np.triu_indices(30, 1)
    for mean in (10.0, 1.0, 0.7, 0.3, 0.1):
        zeros, seen = [], {True: [], False: []}
        for _ in range(20):
            depth = rng.standard_normal(500) * 0.5
            counts = rng.poisson(mean * np.exp(depth)[:, None], (500, 30))
            zeros.append((counts == 0).mean())
            data = np.log1p(counts)
            for is_out, rows in seen.items():
                # netinfer refuses to rank residuals of tied values: this is why.
                design = np.column_stack([np.ones(500), depth])
                left = data - design @ np.linalg.lstsq(design, data, rcond=None)[0]
                row = []
                for method in METHODS:
                    is_ranked = method in ("spearman", "kendall")
                    more = {"covariates": depth} if is_out and not is_ranked else {}
                    given = left if is_out and is_ranked else data
                    row.append(correlation_matrix(given, method=method, **more).matrix[off].mean())
                rows.append(row)
        for is_out, rows in seen.items():
            cells = " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))
            print(f"| {mean:g} | {np.mean(zeros):.2f} | {'yes' if is_out else 'no'} | {cells} |", flush=True)


PARTS = {part.__name__: part for part in (seconds, kendall, nearest, alternating, ties, covariates)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(environment())
    for method in METHODS:
        correlation_matrix(expression(10, 20).round(1), method=method)  # compile
    merge_sorts(stats.rankdata(expression(10, 20).T, axis=1).astype(np.int32), 2)
    for part in options.part:
        PARTS[part](options.rounds)


if __name__ == "__main__":
    main()
