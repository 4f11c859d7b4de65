"""Several conditions of one sparse graph, some of whose edges are gained, lost or of the other sign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from netinfer.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

# Partial correlations before the matrices are made positive definite.
STRENGTHS = (0.25, 0.45)
# Smallest eigenvalue of a precision matrix.
LEAST = 0.1


def conditions(
    n_samples: Sequence[int] = (100, 100),
    n_genes: int = 60,
    *,
    degree: float = 2.0,
    gained: float = 0.05,
    lost: float = 0.05,
    flipped: float = 0.05,
    names: Sequence[str] | None = None,
    seed: int = 0,
) -> tuple[dict[str, AnnData], pd.DataFrame]:
    """Simulate Gaussian expression of conditions that share most edges of an undirected graph.

    Parameters
    ----------
    n_samples : sequence of int
        Of each condition; the first is the reference.
    n_genes : int
    degree : float
        Mean number of edges of a gene in the reference.
    gained, lost, flipped : float, >= 0
        Edges that each other condition has of its own, lacks, or has with the other sign, as a share of those of the
        reference; `lost` and `flipped` are 1 together at most.
    names : sequence of str, optional
        Of the conditions; ``reference``, ``condition1``, ... by default.
    seed : int

    Returns
    -------
    expression : dict of name to AnnData, samples x genes
    edges : DataFrame
        source, target, condition, change (``shared``, ``gained``, ``lost``, ``flipped``),
        partial_correlation_reference, partial_correlation: a row for each true edge of the reference or the condition.

    Raises
    ------
    InputError
        If a number is impossible.
    """
    import anndata

    names = _checked(n_samples, n_genes, degree, gained, lost, flipped, names)
    rng = np.random.default_rng(seed)
    i, j = np.triu_indices(n_genes, 1)
    n_edges, n_new = round(n_genes * degree / 2), round(n_genes * degree / 2 * gained)
    places = rng.permutation(len(i))
    base = places[:n_edges]
    values = [np.zeros(len(i))]
    values[0][base] = rng.uniform(*STRENGTHS, n_edges) * rng.choice([-1, 1], n_edges)
    changes = []
    for k in range(1, len(names)):
        own, change = values[0].copy(), np.full(len(i), "", object)
        change[base] = "shared"
        order = rng.permutation(base)
        n_lost, n_flipped = round(lost * n_edges), round(flipped * n_edges)
        own[order[:n_lost]], change[order[:n_lost]] = 0.0, "lost"
        turned = order[n_lost : n_lost + n_flipped]
        own[turned], change[turned] = -own[turned], "flipped"
        new = places[n_edges + (k - 1) * n_new : n_edges + k * n_new]
        own[new], change[new] = rng.uniform(*STRENGTHS, n_new) * rng.choice([-1, 1], n_new), "gained"
        values.append(own)
        changes.append(change)
    matrices = []
    for own in values:
        matrix = np.zeros((n_genes, n_genes))
        matrix[i, j] = matrix[j, i] = -own
        matrices.append(matrix)
    # One diagonal for all, so that an edge that is shared has one partial correlation.
    diagonal = max(1.0, LEAST - min(float(np.linalg.eigvalsh(matrix)[0]) for matrix in matrices))
    genes = [f"g{gene:0{len(str(n_genes - 1))}d}" for gene in range(n_genes)]
    expression, tables = {}, []
    for k, name in enumerate(names):
        covariance = np.linalg.inv(matrices[k] + diagonal * np.eye(n_genes))
        data = rng.standard_normal((n_samples[k], n_genes)) @ np.linalg.cholesky(covariance).T
        samples = [f"{name}_{s}" for s in range(n_samples[k])]
        expression[name] = anndata.AnnData(data, obs=pd.DataFrame(index=samples), var=pd.DataFrame(index=genes))
        if k:
            at = np.flatnonzero(changes[k - 1] != "")
            tables.append(
                pd.DataFrame(
                    {
                        "source": [genes[a] for a in i[at]],
                        "target": [genes[a] for a in j[at]],
                        "condition": name,
                        "change": changes[k - 1][at],
                        "partial_correlation_reference": values[0][at] / diagonal,
                        "partial_correlation": values[k][at] / diagonal,
                    }
                )
            )
    return expression, pd.concat(tables, ignore_index=True)


def _checked(n_samples, n_genes, degree, gained, lost, flipped, names) -> list[str]:
    """Return the names of the conditions, or say which number is impossible."""
    if len(n_samples) < 2 or min(n_samples) < 2:
        raise InputError(f"conditions: n_samples: {list(n_samples)}: give at least two numbers of at least 2")
    n_pairs = n_genes * (n_genes - 1) // 2
    n_needed = n_genes * degree / 2 * (1 + gained * (len(n_samples) - 1))
    if n_genes < 2 or not 0 < n_needed <= n_pairs:
        raise InputError(f"conditions: {n_needed:.0f} edges of {n_genes} genes, which have {n_pairs} pairs: change one")
    if min(gained, lost, flipped) < 0 or lost + flipped > 1:
        raise InputError(f"conditions: gained {gained}, lost {lost}, flipped {flipped}: shares of the edges are needed")
    if names is None:
        return ["reference", *(f"condition{k}" for k in range(1, len(n_samples)))]
    if len(set(names)) != len(n_samples) or len(names) != len(n_samples):
        raise InputError(f"conditions: names: {list(names)} for {len(n_samples)} conditions: give each its own")
    return list(names)
