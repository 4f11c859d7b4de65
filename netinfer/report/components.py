"""The leading principal components of the expression and what of the sample table they follow.

What moves many genes at once (depth, batch, condition) makes edges that no stability selection can tell from
regulation; the table shows where to look, before and after what the regression projects out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

MOST_GENES = 2000  # the most variable ones, where there are too many values for a quick look at all
MOST_VALUES = 20_000_000
MOST_SAMPLES = 20_000
_NOTHING = 1e-10  # what is left of a variance below this share of it is rounding
MOST_COLUMNS = 8
# Columns that are looked at first, where there are more than fit: what most often moves whole samples.
_FIRST = ("log_depth", "batch", "condition", "donor", "cell_type")
_SAME_AS_DEPTH = {"library_size", "total_counts", "n_counts", "nCount_RNA"}


def leading_components(
    adata: Any, n_components: int = 5, *, covariates: Sequence[str] = (), factors: Any = None, unit: str = ""
) -> dict[str, Any] | None:
    """Return each leading component's share of variance and how much of it the samples' columns explain.

    Parameters
    ----------
    adata : AnnData
        Normalized expression; each gene is scaled to variance 1, as the models see it.
    n_components : int, default 5
    covariates : sequence of str
        Columns of ``obs`` that the regression projects out.
    factors : float array, shape (n_samples, n_factors), optional
        Hidden factors that it projects out likewise.
    unit : str, optional
        The column of the independent units, which is then among the columns looked at.

    Returns
    -------
    dict or None
        ``columns``: names; ``rows``: share of variance and, for each column, R2 (adjusted for the number of groups);
        ``after``: the same of what is left, its shares of that, or None where nothing is projected out or a covariate
        is not in ``obs``; ``removed``: the share of variance that is projected out.
        None where there are too few or too many samples for a quick look (above 20,000).
    """
    if adata is None or not 4 <= adata.n_obs <= MOST_SAMPLES or adata.n_vars < 2:
        return None
    mean, X = _centred(adata.X)
    if not np.isfinite(X).all():
        return None
    X, _ = _scaled(X, (X * X).sum(axis=0))
    if not X.any():
        return None
    names = _columns(adata.obs, [*covariates, unit])
    traits = {"mean expression": mean} | {name: adata.obs[name].to_numpy() for name in names}
    traits = dict(list(traits.items())[:MOST_COLUMNS])
    table: dict[str, Any] = {
        "columns": list(traits),
        "rows": _rows(X, traits, n_components),
        "after": None,
        "removed": None,
    }
    basis = _basis(adata.obs, covariates, factors)
    if basis is not None:
        before = (X * X).sum(axis=0)
        X -= basis @ (basis.T @ X)
        left = float((X * X).sum() / before.sum())
        X, n_left = _scaled(X, before)
        table["removed"] = 1.0 - left
        table["after"] = _rows(X, traits, n_components) if n_left else []
    return table


def most_explaining(scores: Any, obs: pd.DataFrame) -> list[tuple[str, float]]:
    """Return for each factor the column of the samples that explains most of it, and its adjusted R2.

    Parameters
    ----------
    scores : float array, shape (n_samples, n_factors)
    obs : DataFrame, n_samples rows

    Returns
    -------
    list of (str, float)
        ("", 0.0) where no column is of use.
    """
    columns = [(str(name), obs[name].to_numpy()) for name in obs.columns if _is_useful(obs[name])]
    best = []
    for score in np.asarray(scores, dtype=float).reshape(len(obs), -1).T:
        found = [(name, _explained(score, values)) for name, values in columns]
        best.append(max(found, key=lambda pair: pair[1], default=("", 0.0)))
    return best


def _centred(X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return each sample's mean over all genes, and the genes that are looked at, each centred."""
    mean = np.asarray(X.mean(axis=1), dtype=float).ravel()
    if X.shape[0] > MOST_GENES or X.shape[0] * X.shape[1] > MOST_VALUES:
        second = X.multiply(X).mean(axis=0) if hasattr(X, "multiply") else (X * X).mean(axis=0)
        variance = np.asarray(second, dtype=float).ravel() - np.asarray(X.mean(axis=0), dtype=float).ravel() ** 2
        X = X[:, np.sort(np.argsort(-variance, kind="stable")[:MOST_GENES])]
    X = np.array(X.toarray() if hasattr(X, "toarray") else X, dtype=float)
    return mean, X - X.mean(axis=0)


def _scaled(X: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, int]:
    """Give each gene variance 1, as the models see it, and 0 where nothing is left of `before`; count the others."""
    size = (X * X).sum(axis=0)
    varies = size > _NOTHING * before
    return np.where(varies, X, 0.0) / np.sqrt(np.where(varies, size / len(X), 1.0)), int(varies.sum())


def _rows(X: np.ndarray, traits: dict[str, np.ndarray], n_components: int) -> list[dict[str, Any]]:
    is_wide = X.shape[0] <= X.shape[1]
    values, vectors = np.linalg.eigh(X @ X.T if is_wide else X.T @ X)
    order = np.argsort(-values)[: min(n_components, len(values))]
    order = order[values[order] > 1e-9 * values[order[0]]]
    scores = vectors[:, order] if is_wide else X @ vectors[:, order]
    return [
        {
            "share": float(values[place] / values[values > 0].sum()),
            "r2": [_explained(scores[:, at], trait) for trait in traits.values()],
        }
        for at, place in enumerate(order)
    ]


def _columns(obs: pd.DataFrame, asked: Sequence[str]) -> list[str]:
    """Return the columns worth a look, the asked and the usual suspects first."""
    useful = [str(name) for name in obs.columns if _is_useful(obs[name])]
    if "log_depth" in useful:
        useful = [name for name in useful if name not in _SAME_AS_DEPTH]
    first = [name for name in (*asked, *_FIRST) if name in useful]
    by_values: dict[tuple[str, ...], str] = {}  # a copy under another name is not looked at twice
    for name in dict.fromkeys([*first, *useful]):
        by_values.setdefault(tuple(obs[name].astype(str)), name)
    return list(by_values.values())


def _is_useful(column: pd.Series) -> bool:
    if column.isna().any():
        return False
    if is_number(column):
        return bool(column.to_numpy().min() < column.to_numpy().max())
    return 2 <= column.nunique() <= 0.7 * len(column)


def is_number(column: pd.Series) -> bool:
    """Tell whether a column of the samples is taken as a number, not as groups."""
    return bool(pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column))


def _basis(obs: pd.DataFrame, covariates: Sequence[str], factors: Any) -> np.ndarray | None:
    """Return an orthonormal basis of what is projected out beside the mean; None where there is nothing to show."""
    blocks = []
    for name in covariates:
        if name not in obs.columns or obs[name].isna().any():
            return None
        column = obs[name]
        blocks.append(
            column.to_numpy(dtype=float)[:, None] if is_number(column) else pd.get_dummies(column).to_numpy(dtype=float)
        )
    if factors is not None and np.size(factors):
        blocks.append(np.asarray(factors, dtype=float).reshape(len(obs), -1))
    if not blocks:
        return None
    design = np.hstack(blocks)
    design = design - design.mean(axis=0)
    spread = np.sqrt((design**2).sum(axis=0))
    design = design[:, spread > 0] / spread[spread > 0]
    left, size, _ = np.linalg.svd(design, full_matrices=False)
    return left[:, size > 1e-8] if size.size else None


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
