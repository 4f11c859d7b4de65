"""The leading principal components of the expression and what of the sample table they follow.

What moves many genes at once (depth, batch, condition) makes edges that no stability selection can tell from
regulation; the table shows where to look.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

MOST_GENES = 2000
MOST_SAMPLES = 20_000
MOST_COLUMNS = 6


def leading_components(adata: Any, n_components: int = 5) -> dict[str, Any] | None:
    """Return each leading component's share of variance and how much of it the samples' columns explain.

    Parameters
    ----------
    adata : AnnData
    n_components : int, default 5

    Returns
    -------
    dict or None
        ``columns``: names; ``rows``: share of variance and, for each column, R2 (adjusted for the number of groups).
        None where there are too few or too many samples for a quick look (above 20,000).
    """
    if adata is None or not 4 <= adata.n_obs <= MOST_SAMPLES or adata.n_vars < 2:
        return None
    X = adata.X
    mean = np.asarray(X.mean(axis=1), dtype=float).ravel()
    second = X.multiply(X).mean(axis=0) if hasattr(X, "multiply") else (X * X).mean(axis=0)
    variance = np.asarray(second, dtype=float).ravel() - np.asarray(X.mean(axis=0), dtype=float).ravel() ** 2
    chosen = np.sort(np.argsort(-variance, kind="stable")[:MOST_GENES])
    X = X[:, chosen]
    X = np.array(X.toarray() if hasattr(X, "toarray") else X, dtype=float)
    if not np.isfinite(X).all():
        return None
    X -= X.mean(axis=0)
    gram = X @ X.T if X.shape[0] <= X.shape[1] else X.T @ X
    values, vectors = np.linalg.eigh(gram)
    order = np.argsort(-values)[: min(n_components, len(values))]
    if values[order[0]] <= 0:
        return None
    scores = vectors[:, order] if X.shape[0] <= X.shape[1] else X @ vectors[:, order]
    traits = {"mean expression": mean} | {
        str(name): adata.obs[name].to_numpy() for name in adata.obs.columns if _is_useful(adata.obs[name])
    }
    names = list(traits)[:MOST_COLUMNS]
    rows = [
        {
            "share": float(values[place] / values[values > 0].sum()),
            "r2": [_explained(scores[:, at], traits[name]) for name in names],
        }
        for at, place in enumerate(order)
    ]
    return {"columns": names, "rows": rows}


def _is_useful(column: pd.Series) -> bool:
    if column.isna().any():
        return False
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return bool(column.to_numpy().min() < column.to_numpy().max())
    return 2 <= column.nunique() <= 0.7 * len(column)


def _explained(score: np.ndarray, trait: np.ndarray) -> float:
    """Return R2 of a component on a number or on groups, adjusted for their number and not below 0."""
    centred = score - score.mean()
    total = float(centred @ centred)
    if total == 0:
        return 0.0
    if np.issubdtype(np.asarray(trait).dtype, np.number):
        x = np.asarray(trait, dtype=float)
        x = x - x.mean()
        spread = float(x @ x)
        within, n_free = total - (float(x @ centred) ** 2 / spread if spread > 0 else 0.0), 1
    else:
        codes = pd.factorize(np.asarray(trait, dtype=object).astype(str))[0]
        size = np.bincount(codes)
        within = total - float((np.bincount(codes, weights=centred) ** 2 / size).sum())
        n_free = size.size - 1
    n = len(score)
    if n - 1 - n_free <= 0:
        return 0.0
    return max(0.0, 1.0 - (within / (n - 1 - n_free)) / (total / (n - 1)))
