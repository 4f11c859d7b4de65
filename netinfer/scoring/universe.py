"""The universe: every pair that is scored, and which of them are edges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Universe:
    """All pairs that are scored, in the order of their integer keys.

    Attributes
    ----------
    sources, targets : Index
        Names; a pair's key is source's place * number of targets + target's place.
    keys : int array, shape (n_pairs,), increasing
    is_edge : bool array, shape (n_pairs,)
    sign : int array, shape (n_pairs,)
        1, -1, or 0 where unknown.
    n_edges_outside : int
        Edges of the gold standard that were left out because a gene of theirs is not in the data.
    """

    sources: pd.Index
    targets: pd.Index
    keys: NDArray[np.int64]
    is_edge: NDArray[np.bool_]
    sign: NDArray[np.int8]
    n_edges_outside: int = 0

    @classmethod
    def from_gold(cls, gold: pd.DataFrame) -> Universe:
        """Make the universe of a gold standard: its list, or all sources times all targets of a list of edges alone.

        Parameters
        ----------
        gold : DataFrame
            Columns source, target, is_edge and optionally sign. Self pairs are left out.

        Returns
        -------
        Universe

        Raises
        ------
        InputError
            If there is no edge, or a pair is listed twice with different values.
        """
        if gold[["source", "target"]].isna().to_numpy().any():
            raise InputError("gold standard: a source or target is missing: name both genes in every row")
        gold = gold.assign(source=gold["source"].astype(str), target=gold["target"].astype(str))
        gold = gold[(gold["source"] != gold["target"]).to_numpy(dtype=bool)]
        is_edge = _is_edge(gold)
        if not is_edge.any():
            raise InputError("gold standard: column is_edge: no edge between two different genes: check the list")
        source, sources = pd.factorize(gold["source"], sort=True)
        target, targets = pd.factorize(gold["target"], sort=True)
        keys = source.astype(np.int64) * len(targets) + target
        order = np.argsort(keys, kind="stable")
        sign = _sign(gold)[order]
        keys, is_edge = keys[order], is_edge[order]
        same = np.flatnonzero(keys[1:] == keys[:-1])
        clash = same[(is_edge[same] != is_edge[same + 1]) | (sign[same] != sign[same + 1])]
        if clash.size:
            s, t = divmod(int(keys[clash[0]]), len(targets))
            raise InputError(
                f"gold standard: pair {sources[s]!r} -> {targets[t]!r}: listed twice with different values: keep one"
            )
        first = np.ones(keys.size, dtype=bool)
        first[same + 1] = False
        listed = cls(pd.Index(sources), pd.Index(targets), keys[first], is_edge[first], sign[first])
        return listed._filled() if is_edge.all() else listed

    def _filled(self) -> Universe:
        """Return all sources times all targets without self pairs: what a list of edges alone stands for."""
        n_targets = len(self.targets)
        keys = np.arange(len(self.sources) * n_targets, dtype=np.int64)
        own = self.targets.get_indexer(self.sources)
        is_edge, sign = np.zeros(keys.size, dtype=bool), np.zeros(keys.size, dtype=np.int8)
        is_edge[self.keys], sign[self.keys] = True, self.sign
        keep = np.ones(keys.size, dtype=bool)
        keep[np.flatnonzero(own >= 0) * n_targets + own[own >= 0]] = False
        return replace(self, keys=keys[keep], is_edge=is_edge[keep], sign=sign[keep])

    def within(self, sources: pd.Index, targets: pd.Index) -> Universe:
        """Keep the pairs that the data could have given.

        Parameters
        ----------
        sources, targets : Index
            Regulators and genes of the data.

        Returns
        -------
        Universe
            Without the pairs of another source or target, and without the targets that are then in no pair.

        Raises
        ------
        InputError
            If no edge is left.
        """
        n_targets = len(self.targets)
        source, target = np.divmod(self.keys, n_targets)
        keep = self.sources.isin(sources)[source] & self.targets.isin(targets)[target]
        if keep.all():
            return self
        if not self.is_edge[keep].any():
            raise InputError(f"gold standard: {no_edge_inside(self.n_edges, list(self.sources))}")
        return replace(self.where(keep), n_edges_outside=self.n_edges_outside + int(self.is_edge[~keep].sum()))

    def where(self, keep: NDArray[np.bool_]) -> Universe:
        """Keep some of the pairs, and the targets that are then in any; `n_edges_outside` stays.

        Parameters
        ----------
        keep : bool array, shape (n_pairs,)

        Returns
        -------
        Universe
            May hold no edge, or no pair.
        """
        source, target = np.divmod(self.keys, len(self.targets))
        used, target = np.unique(target[keep], return_inverse=True)
        return Universe(
            self.sources,
            self.targets[used],
            source[keep] * len(used) + target,
            self.is_edge[keep],
            self.sign[keep],
            self.n_edges_outside,
        )

    @property
    def n_pairs(self) -> int:
        """Number of pairs that are scored."""
        return self.keys.size

    @property
    def n_edges(self) -> int:
        """Number of pairs that are edges."""
        return int(self.is_edge.sum())

    @property
    def target(self) -> NDArray[np.int64]:
        """Each pair's place among the targets."""
        return self.keys % len(self.targets)

    def name(self, position: int) -> str:
        """Return a pair as text for messages."""
        s, t = divmod(int(self.keys[position]), len(self.targets))
        return f"{self.sources[s]!r} -> {self.targets[t]!r}"

    def locate(self, source: Any, target: Any) -> NDArray[np.int64]:
        """Return each pair's position among the keys, -1 for pairs outside the universe."""
        s, t = self.sources.get_indexer(pd.Index(source)), self.targets.get_indexer(pd.Index(target))
        wanted = s.astype(np.int64) * len(self.targets) + t
        at = np.minimum(np.searchsorted(self.keys, wanted), self.n_pairs - 1)
        return np.where((s >= 0) & (t >= 0) & (self.keys[at] == wanted), at, -1)


def no_edge_inside(n_edges: int, sources: list[str]) -> str:
    """Say that a gold standard has no edge between genes of the data, and what to do."""
    named = ", ".join(repr(name) for name in sources[:3])
    return (
        f"none of its {n_edges} edges joins a regulator and a gene of the data"
        f" (its sources begin with {named}): check the ids, or leave `gold` out"
    )


def _is_edge(gold: pd.DataFrame) -> NDArray[np.bool_]:
    values = pd.to_numeric(gold["is_edge"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero((values != 0) & (values != 1))
    if wrong.size:
        source, target, value = (str(gold[name].iloc[int(wrong[0])]) for name in ("source", "target", "is_edge"))
        raise InputError(f"gold standard: pair {source!r} -> {target!r}: is_edge is {value!r}: give 1 or 0")
    return values == 1


def _sign(gold: pd.DataFrame) -> NDArray[np.int8]:
    if "sign" not in gold:
        return np.zeros(len(gold), dtype=np.int8)
    raw = np.asarray(pd.to_numeric(gold["sign"], errors="coerce"), dtype=float)
    return np.sign(np.nan_to_num(raw)).astype(np.int8)
