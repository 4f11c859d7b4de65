"""What the elastic net does with paralogous regulators of E. coli: pairs of PRECISE with nearly equal expression.

    python benchmarks/paralogs.py [--pairs gadX,gadW glcC,lldR hupA,hupB] [--penalty 0.05] [--half-samples 20]

Reads NETINFER_DATA (ecoli_precise). Each target that RegulonDB lists for both of a pair, operons of the two left out
(where fewer than five are left, the 20 genes that the two correlate with most together), is regressed on all
regulators at one penalty. Prints, by shrinkage, for how many targets both, one or none of the two are in the model,
and how evenly the pair shares its coefficient: smaller over larger, median over the targets where any is in. Over
half-samples: the standard deviation of the first one's share of the two coefficients, mean over the targets where any
is in at least half of them. Last, the same for an exact copy of the first regulator of each pair.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd

from netinfer.solvers import elastic_net_path

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data")) / "ecoli_precise"
SHRINKAGES = (0.0, 0.1, 0.3, 0.5, 0.9)


def standardised(matrix: np.ndarray) -> np.ndarray:
    return (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)


def targets_of(pair: list[str], expression: pd.DataFrame, genes: pd.DataFrame, gold: pd.DataFrame) -> tuple[list, str]:
    """Return the genes that are listed for both of a pair, or the most correlated ones, and which of these it is."""
    outside = genes.index[~genes["operon"].isin(genes.loc[pair, "operon"])].intersection(expression.columns)
    known = [set(gold.loc[gold[0] == name, 1]) for name in pair]
    both = sorted(known[0] & known[1] & set(outside))
    if len(both) >= 5:
        return both, "listed by RegulonDB for both"
    z = standardised(expression.to_numpy())
    places = [expression.columns.get_loc(name) for name in pair]
    together = pd.Series(np.abs(z[:, places].T @ z).min(axis=0), expression.columns)
    return list(together[outside].nlargest(20).index), "most correlated with both"


def solve(X: np.ndarray, y: np.ndarray, own: int, penalty: float, shrinkage: float) -> np.ndarray:
    weights = np.ones(X.shape[1])
    if own >= 0:
        weights[own] = np.inf
    gram, cross = X.T @ X / len(X), X.T @ y / len(X)
    return elastic_net_path(gram, cross, [penalty], shrinkage=shrinkage, penalty_weights=weights).coef[0]


def row(coef: np.ndarray) -> dict[str, float]:
    """Summarise the coefficients of a pair, shape (n_targets, 2)."""
    size = np.sort(np.abs(coef), axis=1)
    n_in = (coef != 0).sum(axis=1)
    share = size[n_in > 0, 0] / size[n_in > 0, 1]
    return {
        "both": int((n_in == 2).sum()),
        "one": int((n_in == 1).sum()),
        "none": int((n_in == 0).sum()),
        "smaller / larger, median": float(np.median(share)) if share.size else np.nan,
    }


def spread(X, Y, own: list, pair: list, penalty: float, shrinkage: float, halves: int) -> float:
    """Return the standard deviation over half-samples of the first one's share of the pair, mean over targets."""
    rng = np.random.default_rng(0)
    shares = np.full((halves, Y.shape[1]), np.nan)
    for k in range(halves):
        rows = rng.permutation(len(X))[: len(X) // 2]
        x, y = standardised(X[rows]), standardised(Y[rows])
        size = np.abs([solve(x, y[:, t], own[t], penalty, shrinkage)[pair] for t in range(Y.shape[1])])
        any_in = size.sum(axis=1) > 0
        shares[k, any_in] = size[any_in, 0] / size[any_in].sum(axis=1)
    often = np.isfinite(shares).sum(axis=0) >= halves / 2
    return float(np.nanstd(shares[:, often], axis=0).mean()) if often.any() else np.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", nargs="+", default=["gadX,gadW", "glcC,lldR", "hupA,hupB"])
    parser.add_argument("--penalty", type=float, default=0.05)
    parser.add_argument("--half-samples", type=int, default=20)
    options = parser.parse_args()
    expression = pd.read_csv(DATA / "expression.tsv.gz", sep="\t", index_col=0)
    genes = pd.read_csv(DATA / "raw" / "gene_table.csv.gz", index_col=0)
    gold = pd.read_csv(DATA / "gold_trn_positives.tsv.gz", sep="\t", header=None)
    names = [name for name in (DATA / "regulators.txt").read_text().split() if name in expression.columns]
    locus = {gene: name for name, gene in genes["gene_name"].items()}
    X, place = standardised(expression[names].to_numpy()), {name: j for j, name in enumerate(names)}
    print(f"PRECISE, {len(X)} samples, {len(names)} regulators, penalty {options.penalty:g}")
    for text in options.pairs:
        symbols = text.split(",")
        pair = [place[locus[symbol]] for symbol in symbols]
        targets, what = targets_of([names[j] for j in pair], expression, genes, gold)
        Y = standardised(expression[targets].to_numpy())
        own = [place.get(target, -1) for target in targets]
        r = X[:, pair[0]] @ X[:, pair[1]] / len(X)
        print(f"\n{' and '.join(symbols)}: correlation {r:.2f}, {len(targets)} targets {what}\n")
        rows = []
        for shrinkage in SHRINKAGES:
            full = np.array([solve(X, Y[:, t], own[t], options.penalty, shrinkage) for t in range(len(targets))])
            varies = spread(X, Y, own, pair, options.penalty, shrinkage, options.half_samples)
            rows.append({"shrinkage": shrinkage, **row(full[:, pair]), "share, sd over half-samples": varies})
        print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".2g"))
    print("\nan exact copy of the first of each pair, same targets\n")
    rows = []
    for shrinkage in SHRINKAGES:
        found = []
        for text in options.pairs:
            symbols = text.split(",")
            pair = [place[locus[symbol]] for symbol in symbols]
            targets, _ = targets_of([names[j] for j in pair], expression, genes, gold)
            copied = np.hstack([X, X[:, pair[:1]]])
            Y = standardised(expression[targets].to_numpy())
            for t, target in enumerate(targets):
                coef = solve(copied, Y[:, t], place.get(target, -1), options.penalty, shrinkage)
                found.append(coef[[pair[0], -1]])
        found = np.array(found)
        rows.append(
            {"shrinkage": shrinkage, **row(found), "largest difference": np.abs(found[:, 0] - found[:, 1]).max()}
        )
    print(pd.DataFrame(rows).to_markdown(index=False, floatfmt=".2g"))


if __name__ == "__main__":
    main()
