"""Predictors and targets of the benchmarks: correlated as measured expression is, or in plain modules."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

ECOLI = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data")) / "ecoli_precise"
# Share of a gene's variance that is its own, beside what it has in common with the measured profiles.
OWN = 0.2


def standardised(X: np.ndarray) -> np.ndarray:
    """Centre columns and scale them to unit variance."""
    return (X - X.mean(0)) / X.std(0)


def expression(n: int, p: int, n_targets: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw samples from the correlations of PRECISE (E. coli, 278 x 3,923): regulators first, then other genes.

    A sample is a random mixture of the measured ones, so that its covariance is theirs, plus a fifth of noise of each
    gene's own. Targets are genes that are no predictors, some of them twice where more are asked for than there are.
    """
    table = pd.read_csv(ECOLI / "expression.tsv.gz", sep="\t", index_col=0)
    regulators = set((ECOLI / "regulators.txt").read_text().split())
    measured = standardised(table.loc[:, table.std() > 0].to_numpy())
    is_regulator = table.columns[table.std() > 0].isin(regulators)
    order = np.concatenate([np.flatnonzero(is_regulator), rng.permutation(np.flatnonzero(~is_regulator))])
    genes = np.concatenate([order[:p], np.resize(order[max(p, is_regulator.sum()) :], n_targets)])
    mixtures = rng.standard_normal((n, len(measured))) / np.sqrt(len(measured))
    drawn = np.sqrt(1 - OWN) * mixtures @ measured[:, genes] + np.sqrt(OWN) * rng.standard_normal((n, len(genes)))
    return standardised(drawn[:, :p]), standardised(drawn[:, p:])


def modules(n: int, p: int, n_targets: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw predictors in 30 modules, correlated by a half, and targets of 1 to 11 of them, as much noise as signal."""
    module = rng.integers(0, 30, p)
    X = 0.7 * rng.standard_normal((n, 30))[:, module] + 0.7 * rng.standard_normal((n, p))
    Y = rng.standard_normal((n, n_targets))
    for t in range(n_targets):
        chosen = rng.choice(p, rng.integers(1, 12), replace=False)
        signal = X[:, chosen] @ rng.standard_normal(len(chosen))
        Y[:, t] += signal / signal.std()
    return standardised(X), standardised(Y)


DESIGNS = {"expression": expression, "modules": modules}
