"""Footprints as matrices, counted from the sequences that fit them best."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from netinfer.io.motifs import Motif

# Share of the sequences that are counted, and the fewest of them.
TOP_SHARE = 0.1
FEWEST_COUNTED = 20


def count_footprints(codes: np.ndarray, footprints: pd.DataFrame, effect: np.ndarray, first: int) -> dict[str, Any]:
    """Count the bases of the sequences with the highest sum of effects over each footprint.

    Parameters
    ----------
    codes : uint8 array, shape (n_sequences, n_positions)
        Each sequence counts once, whatever its weight: a weight says how well its activity is known.
    footprints : DataFrame
        start, end.
    effect : float array, shape (n_positions, 4)
        0 where there is none.
    first : int

    Returns
    -------
    dict of JSON's types
        ``background``: share of A, C, G, T over all sequences and positions, one base of each added so that none is 0;
        ``footprint_counts``: for each footprint, a list of positions x bases. The sequences are the top tenth, 20 at
        least, and all that tie with the last of them.
    """
    shares = np.bincount(codes.ravel(), minlength=4)[:4] + 1.0
    n_top = max(int(np.ceil(TOP_SHARE * len(codes))), min(FEWEST_COUNTED, len(codes)))
    counted = []
    for start, end in zip(footprints["start"] - first, footprints["end"] - first, strict=True):
        inside = np.arange(start, end + 1)
        words, n_word = np.unique(codes[:, inside], axis=0, return_counts=True)
        total = effect[inside, words].sum(axis=1)
        best_first = np.argsort(-total, kind="stable")
        edge = total[best_first[np.searchsorted(np.cumsum(n_word[best_first]), n_top)]]
        # Sums of the same effects in another order may differ by rounding.
        kept = total >= edge - 1e-9 * max(1.0, float(np.abs(effect).max()))
        rows = words[kept]
        counted.append(
            [
                np.bincount(rows[:, j], weights=n_word[kept], minlength=4)[:4].astype(int).tolist()
                for j in range(len(inside))
            ]
        )
    return {"background": (shares / shares.sum()).tolist(), "footprint_counts": counted}


def footprint_motifs(record: dict[str, Any]) -> list[Motif]:
    """Return the matrices that `count_footprints` counted, named ``footprint_1`` and so on."""
    background = np.array(record["background"])
    out = []
    for k, rows in enumerate(record["footprint_counts"], start=1):
        counts = np.array(rows, dtype=np.float64)
        n_sites = float(counts[0].sum())
        out.append(Motif(f"footprint_{k}", counts / n_sites, n_sites, background))
    return out
