"""Rankings: the universe's pairs that a method lists, best first, and the pairs in its network at the cut."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

    from netinfer.scoring.universe import Universe


@dataclass(frozen=True)
class Ranking:
    """What one method says about a universe of pairs.

    Attributes
    ----------
    position : int array, shape (n_listed,)
        Place in the universe of each pair that the method lists, best first.
    block : int array, shape (n_blocks + 1,)
        Start in `position` of each block of equal scores, and the end.
    sign : int array, shape (n_listed,)
        The method's sign of each listed pair; 0 where it has none.
    cut, cut_sign : int arrays, shape (n_cut,)
        Places and signs of the pairs in the network at its cut.
    """

    position: NDArray[np.int64]
    block: NDArray[np.int64]
    sign: NDArray[np.int8]
    cut: NDArray[np.int64]
    cut_sign: NDArray[np.int8]

    def at_top(self, n_edges: int) -> Ranking:
        """Cut after the first `n_edges` pairs (ties at the end in the order of the universe)."""
        return replace(self, cut=self.position[:n_edges], cut_sign=self.sign[:n_edges])

    def at_cut(self, universe: Universe, edges: pd.DataFrame) -> Ranking:
        """Take the network at its cut from its edge table."""
        at = universe.locate(edges["source"], edges["target"])
        inside = at >= 0
        return replace(self, cut=at[inside], cut_sign=_signs(edges)[inside])

    def curve(self, universe: Universe) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return recall and precision at the end of each block, the unlisted pairs as the last block."""
        ends = self.block[1:]
        found = np.concatenate([[0], np.cumsum(universe.is_edge[self.position])])[ends]
        if not ends.size or ends[-1] < universe.n_pairs:
            ends, found = np.append(ends, universe.n_pairs), np.append(found, universe.n_edges)
        return found / universe.n_edges, found / ends


def rank(universe: Universe, table: pd.DataFrame, what: str) -> Ranking:
    """Rank the universe's pairs that an edge table lists by weight.

    Raises
    ------
    InputError
        If a weight is missing or negative, or a pair is listed more than once.
    """
    weight = table["weight"].to_numpy(dtype=float)
    bad = np.flatnonzero(~(weight >= 0))
    if bad.size:
        row = table.iloc[int(bad[0])]
        raise InputError(
            f"{what}: edge {row['source']!r} -> {row['target']!r}: weight {row['weight']} is missing or negative: "
            "give absolute weights and the direction in a column sign"
        )
    at = universe.locate(table["source"], table["target"])
    inside = np.flatnonzero(at >= 0)
    counts = np.bincount(at[inside], minlength=1)
    if counts.max() > 1:
        twice = universe.name(int(counts.argmax()))
        raise InputError(f"{what}: edge {twice}: listed more than once: keep one row a pair")
    return _in_blocks(at[inside], weight[inside], _signs(table)[inside])


def rank_pearson(universe: Universe, adata: AnnData) -> Ranking:
    """Rank the universe's pairs by |Pearson|; pairs with a gene that is absent or constant are not listed."""
    names = adata.var_names
    source_at, target_at = names.get_indexer(universe.sources), names.get_indexer(universe.targets)
    used = np.unique(np.concatenate([source_at[source_at >= 0], target_at[target_at >= 0]]))
    X: Any = adata.X[:, used]
    X = np.array(X.toarray() if hasattr(X, "toarray") else X, dtype=float)
    X -= X.mean(axis=0)
    scale = np.sqrt((X * X).sum(axis=0))
    varies = scale > 1e-12 * np.sqrt(max(X.shape[0], 1))
    X[:, varies] /= scale[varies]
    place = np.full(len(names) + 1, -1)  # the last entry answers get_indexer's -1
    place[used[varies]] = np.flatnonzero(varies)
    s, t = place[source_at], place[target_at]
    corr = np.full((s.size, t.size), np.nan)
    if (s >= 0).any() and (t >= 0).any():
        corr[np.ix_(s >= 0, t >= 0)] = X[:, s[s >= 0]].T @ X[:, t[t >= 0]]
    values = corr.ravel()[universe.keys]
    listed = np.flatnonzero(np.isfinite(values))
    return _in_blocks(listed, np.abs(values[listed]), np.sign(values[listed]).astype(np.int8))


def _in_blocks(at: NDArray[np.int64], score: NDArray[np.float64], sign: NDArray[np.int8]) -> Ranking:
    order = np.lexsort((at, -score))
    score = score[order]
    starts = np.flatnonzero(np.diff(score, prepend=np.nan) != 0)
    none = np.zeros(0, dtype=np.int64)
    return Ranking(at[order], np.append(starts, score.size), sign[order], none, none.astype(np.int8))


def _signs(table: pd.DataFrame) -> NDArray[np.int8]:
    if "sign" not in table:
        return np.zeros(len(table), dtype=np.int8)
    return np.sign(np.nan_to_num(table["sign"].to_numpy(dtype=float))).astype(np.int8)
