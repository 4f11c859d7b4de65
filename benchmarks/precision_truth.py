"""The undirected network against known graphs, beside R huge on the same samples; and on the Sachs proteins.

    python benchmarks/precision_truth.py [--sizes 100 500 5000] [--rounds 2] [--without-huge]
    python benchmarks/precision_truth.py --sachs
    python benchmarks/precision_truth.py --stars [--threads 2] [--genes 1000]
    python benchmarks/precision_truth.py --nodewise [--genes 5000] [--rounds 3]

Reads NETINFER_DATA. The first samples from the linear Gaussian networks of pgmpy_gaussian_bn, whose pairs of non-zero
partial correlation are the moral graph: F1 of the graphs that StARS and the extended BIC choose, mean over the rounds,
with R huge (method glasso) at its own defaults (10 penalties to a tenth of the largest) and for the BIC on a finer grid
too (20 to a twentieth); nodewise graphs, by AND and by OR, beside huge's method mb (AND). The second ranks the 55 pairs
of 11 proteins against the 18 of the published skeleton. The third times StARS with the most variable genes of
ecoli_precise: 20 subsamples at 20 penalties, evenly spaced in their logarithm from the largest to where D, the mean of
2 theta (1 - theta) as published, is past 0.10 (R huge prints twice this D); and on the model's own grid, which goes on
until then, with all fits and with the bounds from two subsamples. The fourth times the nodewise Lasso and the Graphical
Lasso on the same correlations (200 samples of modules of about 25 genes), one thread: from the largest penalty down the
grid to the first graph of 1 % of the pairs, which each has at a penalty of its own, and the fit of this graph alone.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

import netinfer as ni

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data"))
OURS: dict[str, dict] = {
    "stars, netinfer": {"criterion": "stars"},
    "ebic, netinfer": {"criterion": "ebic"},
    "nodewise and, stars": {"criterion": "stars", "method": "nodewise"},
    "nodewise or, stars": {"criterion": "stars", "method": "nodewise", "combine": "or"},
    "nodewise and, ebic": {"criterion": "ebic", "method": "nodewise"},
}
NETWORKS = ("ecoli70", "magic-niab", "magic-irri", "arth150")
# Of PRECISE's 1,000 most variable genes D is past 0.10 at this share of the largest penalty.
PAST = 0.022
HUGE = """
suppressMessages(library(huge))
folder <- commandArgs(TRUE)[1]
x <- as.matrix(read.csv(file.path(folder, "x.csv"), header = FALSE))
x_stars <- function(fit, name) write.table(as.matrix(huge.select(fit, criterion = "stars", verbose = FALSE)$refit),
  file.path(folder, paste0(name, ".csv")), sep = ",", row.names = FALSE, col.names = FALSE)
set.seed(1)
x_stars(huge(x, method = "mb", sym = "and", verbose = FALSE), "mb_default")
for (kind in c("default", "fine")) {
  set.seed(1)
  fit <- if (kind == "default") huge(x, method = "glasso", verbose = FALSE) else
    huge(x, method = "glasso", nlambda = 20, lambda.min.ratio = 0.05, verbose = FALSE)
  for (criterion in if (kind == "default") c("stars", "ebic") else "ebic") {
    chosen <- huge.select(fit, criterion = criterion, verbose = FALSE)
    write.table(as.matrix(chosen$refit), file.path(folder, paste0(criterion, "_", kind, ".csv")), sep = ",",
                row.names = FALSE, col.names = FALSE)
  }
}
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 500, 5000])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--without-huge", action="store_true")
    parser.add_argument("--sachs", action="store_true")
    parser.add_argument("--stars", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--genes", type=int, default=1000)
    parser.add_argument("--nodewise", action="store_true")
    options = parser.parse_args()
    if options.sachs:
        print(sachs().to_markdown(index=False, floatfmt=".3f"))
    elif options.stars:
        print(stars_as_published(options.genes, options.threads).to_markdown(index=False))
    elif options.nodewise:
        print(nodewise_speed(options.genes, options.rounds).to_markdown(index=False))
    else:
        print(
            against_truth(options.sizes, options.rounds, not options.without_huge).to_markdown(
                index=False, floatfmt=".2f"
            )
        )


def against_truth(sizes: list[int], rounds: int, with_huge: bool) -> pd.DataFrame:
    """Return the F1 of each choice, one row a network and size."""
    rows = []
    for name in NETWORKS:
        network = json.loads((DATA / "pgmpy_gaussian_bn" / f"{name}.json").read_text())
        true = moral_graph(network)
        for n in sizes:
            scores: dict[str, list[float]] = {}
            for seed in range(rounds):
                data = sample(network, n, seed)
                settings = {"max_genes": None, "n_subsamples": 4, "seed": seed, "threads": 1}
                for words, asked in OURS.items():
                    net = ni.infer_precision(data, **asked, **settings)
                    found = np.zeros_like(true)
                    i, j = (data.columns.get_indexer(net.edges[end]) for end in ("source", "target"))
                    found[i, j] = found[j, i] = True
                    scores.setdefault(words, []).append(f1(found, true))
                for key, found in (by_huge(data) if with_huge else {}).items():
                    scores.setdefault(key, []).append(f1(found, true))
            shown = {key: float(np.mean(values)) for key, values in sorted(scores.items(), reverse=True)}
            rows.append({"network": name, "genes": len(true), "edges": int(true.sum()) // 2, "n": n, **shown})
            print(rows[-1], file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def moral_graph(network: dict) -> np.ndarray:
    """Return the pairs of non-zero partial correlation: arcs, and parents of one child; bool, (n_genes, n_genes)."""
    place = {name: j for j, name in enumerate(network["nodes"])}
    graph = np.zeros((len(place), len(place)), bool)
    for child, table in network["cpds"].items():
        family = [place[child], *(place[parent] for parent in table["parents"])]
        graph[np.ix_(family, family)] = True
    np.fill_diagonal(graph, False)
    return graph


def sample(network: dict, n: int, seed: int) -> pd.DataFrame:
    """Draw n samples, parents before children."""
    rng = np.random.default_rng(seed)
    noise = pd.DataFrame(rng.standard_normal((n, len(network["nodes"]))), columns=network["nodes"])
    values: dict[str, np.ndarray] = {}
    while len(values) < len(network["nodes"]):
        for gene in network["nodes"]:
            table = network["cpds"][gene]
            if gene not in values and all(parent in values for parent in table["parents"]):
                coefficients = {key: value[0] for key, value in table["coefficients"].items()}
                mean = coefficients.pop("(Intercept)")
                linear = sum((weight * values[parent] for parent, weight in coefficients.items()), np.full(n, mean))
                values[gene] = linear + np.sqrt(table["variance"][0]) * noise[gene].to_numpy()
    return pd.DataFrame(values)[network["nodes"]]


def by_huge(data: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the graphs that R huge chooses; none where it is not installed."""
    if shutil.which("Rscript") is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        data.to_csv(Path(folder) / "x.csv", header=False, index=False)
        (Path(folder) / "huge.R").write_text(HUGE)
        subprocess.run(["Rscript", "--vanilla", str(Path(folder) / "huge.R"), folder], check=True, capture_output=True)
        return {
            f"{criterion}, huge {kind}": pd.read_csv(Path(folder) / f"{criterion}_{kind}.csv", header=None).to_numpy()
            != 0
            for criterion, kind in (("stars", "default"), ("ebic", "default"), ("ebic", "fine"), ("mb", "default"))
        }


def f1(found: np.ndarray, true: np.ndarray) -> float:
    """Return the harmonic mean of precision and recall of the pairs."""
    return 2.0 * np.count_nonzero(found & true) / max(np.count_nonzero(found) + np.count_nonzero(true), 1)


def sachs() -> pd.DataFrame:
    """Rank the pairs of proteins by several measures against the skeleton."""
    table = pd.read_csv(DATA / "sachs" / "cyto_full_data.csv.gz")
    arcs = pd.read_csv(DATA / "sachs" / "cyto_full_target.csv")
    arcs.columns = ["cause", "effect"]
    data = np.log(table)
    true = np.zeros((data.shape[1], data.shape[1]), bool)
    i, j = (data.columns.get_indexer(arcs[end]) for end in ("cause", "effect"))
    true[i, j] = true[j, i] = True
    upper = np.triu_indices(len(true), 1)
    correlation = np.corrcoef(data.to_numpy().T)
    inverse = np.linalg.inv(correlation)
    size = np.sqrt(inverse.diagonal())
    measures = [
        ("|correlation|", np.abs(correlation), None),
        ("|partial correlation|", np.abs(inverse / size / size[:, None]), None),
    ]
    for words, settings in (
        ("graphical Lasso, penalty 0.05", {"penalty": 0.05}),
        ("graphical Lasso, penalty 0.1", {"penalty": 0.1}),
        ("graphical Lasso, penalty 0.2", {"penalty": 0.2}),
        ("graphical Lasso, StARS", {"criterion": "stars"}),
        ("graphical Lasso, extended BIC", {"criterion": "ebic"}),
        ("the same of normal scores, StARS", {"criterion": "stars", "correlation": "normal_scores"}),
    ):
        net = ni.infer_precision(data, n_subsamples=4, **settings)
        score = np.zeros_like(correlation)
        i, j = (data.columns.get_indexer(net.edges[end]) for end in ("source", "target"))
        score[i, j] = score[j, i] = net.edges["weight"]
        measures.append((words, score, net.provenance["penalty"]))
    rows = []
    for words, score, penalty in measures:
        chosen = score[upper] > 0
        rows.append(
            {
                "ranked by": words,
                "penalty": np.nan if penalty is None else penalty,
                "pairs": int(chosen.sum()),
                "of them true": int(true[upper][chosen].sum()),
                "average precision": average_precision_score(true[upper], score[upper]),
            }
        )
    return pd.DataFrame(rows)


def stars_as_published(max_genes: int, threads: int) -> pd.DataFrame:
    """Time StARS with all 20 subsamples fitted at all penalties, and as the model runs it."""
    from netinfer.kernels import thread_limit
    from netinfer.models.precision.choice import by_stars
    from netinfer.models.precision.correlations import Correlations
    from netinfer.models.precision.fits import Certificates, penalty_grid
    from netinfer.models.precision.problem import prepare_genes

    table = pd.read_csv(DATA / "ecoli_precise" / "expression.tsv.gz", sep="\t", index_col=0)
    problem = prepare_genes(ni.io.as_expression(table), max_genes=max_genes)
    genes = problem.genes
    with thread_limit(1):
        whole = Correlations(genes, "pearson", 0.0, threads)
    largest = penalty_grid(whole.whole.matrix)[0]
    rows = []
    for words, settings in (
        ("20 penalties, all fits", {"is_bounded": False, "penalties": np.geomspace(largest, PAST * largest, 20)}),
        ("the model's grid, all fits", {"is_bounded": False}),
        ("the model's grid, bounded", {}),
    ):
        certificates = Certificates()
        began, began_work = time.perf_counter(), time.process_time()
        with thread_limit(1):
            correlations = Correlations(genes, "pearson", 0.0, threads)
            found = by_stars(correlations, 0.1, 0, threads, certificates, **settings)
        rows.append(
            {
                "StARS": words,
                "threads": threads,
                "genes": len(problem.names),
                "units": genes.n_units,
                "penalties": len(found.penalties),
                "fits": certificates.n_fits,
                "worst gap per gene": f"{certificates.worst:.1e}",
                "chosen": f"{found.penalty:.3f}",
                "last": f"{found.penalties[-1]:.3f}",
                "largest D": f"{np.nanmax(found.instability):.3f}",
                "pairs there": int(found.n_selected[-1]),
                "seconds": f"{time.perf_counter() - began:.1f}",
                "processor seconds": f"{time.process_time() - began_work:.1f}",
            }
        )
        print(rows[-1], file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def nodewise_speed(n_genes: int, rounds: int, share: float = 0.01) -> pd.DataFrame:
    """Time both models down the grid to a share of the pairs, and at that penalty alone; medians of the rounds."""
    from graphical_lasso import correlation, modules

    from netinfer.kernels import thread_limit
    from netinfer.models.precision.fits import Certificates, penalty_grid
    from netinfer.models.precision.methods import graph_model

    matrix = correlation(modules(200, n_genes, np.random.default_rng(0)))
    grid, n_pairs = penalty_grid(matrix), n_genes * (n_genes - 1) // 2
    rows = []
    # The small fit before compiles.
    with thread_limit(1):
        for method, combine in (("nodewise", "and"), ("nodewise", "or"), ("graphical_lasso", None)):
            model, certificates = graph_model(method, combine), Certificates()
            list(model.path(matrix[:50, :50].copy(), grid[:4], Certificates()))
            shares = [len(graph.pairs) / n_pairs for graph in _until(model, matrix, grid, share * n_pairs)]
            seconds: dict[str, list[float]] = {"path": [], "one fit": []}
            for _ in range(rounds):
                for what, penalties in (
                    ("path", grid[: len(shares)]),
                    ("one fit", grid[len(shares) - 1 : len(shares)]),
                ):
                    began = time.process_time()
                    last = deque(model.path(matrix, penalties, certificates), maxlen=1)[0]
                    seconds[what].append(time.process_time() - began)
            rows.append(
                {
                    "genes": n_genes,
                    "model": f"nodewise {combine}" if combine else "graphical Lasso",
                    "penalty": f"{grid[len(shares) - 1]:.3f}",
                    "penalties": len(shares),
                    "edges": f"{100 * shares[-1]:.2f} %",
                    "largest component": int(last.component_sizes.max()),
                    "path, s": f"{np.median(seconds['path']):.2f}",
                    "one fit, s": f"{np.median(seconds['one fit']):.2f}",
                    "worst gap": f"{certificates.worst:.1e}",
                    "peak GiB so far": f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f}",
                }
            )
            print(rows[-1], file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def _until(model, matrix: np.ndarray, grid: np.ndarray, n_edges: float) -> Iterator[Any]:
    """Yield the graphs down the grid, the first of so many edges the last."""
    from netinfer.models.precision.fits import Certificates

    for graph in model.steps(matrix, grid, Certificates()):
        yield graph
        if len(graph.pairs) >= n_edges:
            return


if __name__ == "__main__":
    main()
