"""Which promoters are independent of each other: windows that share their bases are one unit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def window_units(
    contig: Sequence[str],
    start: np.ndarray,
    is_forward: np.ndarray,
    upstream: int,
    downstream: int,
    texts: Sequence[str] | None = None,
) -> np.ndarray:
    """Number the windows so that those which share half of their bases or more, or are the same text, have one number.

    Neighbours on opposite strands share the bases between them: what one half-sample or fold learns of such a window it
    would know of the other. Sharing is passed on: of three windows in a row the first and the last are one unit too.

    Parameters
    ----------
    contig : sequence of str, shape (n_windows,)
    start : int array, shape (n_windows,)
        First base of the gene along its strand.
    is_forward : bool array, shape (n_windows,)
    upstream, downstream : int
    texts : sequence of str, optional
        The windows themselves.

    Returns
    -------
    int array, shape (n_windows,)
        Numbers from 0, by first appearance.
    """
    first = np.asarray(start, np.int64) - np.where(is_forward, upstream, downstream - 1)
    number = pd.factorize(np.asarray(contig, dtype=object))[0]
    order = np.lexsort((first, number))
    is_apart = np.ones(len(order), bool)
    gap = np.diff(first[order])
    is_apart[1:] = (np.diff(number[order]) != 0) | (2 * gap > upstream + downstream)
    unit = np.empty(len(order), np.int64)
    unit[order] = np.cumsum(is_apart) - 1
    if texts is not None:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        same = pd.factorize(np.asarray(texts, dtype=object))[0]
        # Windows tie the units that they lie in to their texts.
        n = int(unit.max(initial=-1)) + 1
        size = n + int(same.max(initial=-1)) + 1
        ties = coo_array((np.ones(len(unit)), (unit, n + same)), shape=(size, size))
        unit = connected_components(ties, directed=False)[1][unit]
    return pd.factorize(unit)[0].astype(np.int64)
