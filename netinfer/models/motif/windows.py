"""Windows of a genome as sequences of a position model: activities by gene, classes by the genes of operons."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.ids import duplicates, some
from netinfer.io.promoters import FEWEST_OF_A_LIST, of_class
from netinfer.io.sequences import SequenceSet, as_sequences


def read_windows(sequences: Any, activity: Any, *, align: str | None, family: str) -> tuple[SequenceSet, Any]:
    """Read sequences; of windows of a genome put the activity in their order, NaN where a window has none.

    Parameters
    ----------
    sequences, activity, align, family
        As for `netinfer.fit_motif_positions`. What is no set of windows goes through as it is.

    Returns
    -------
    read : SequenceSet
        Its notes say how many ids had no window.
    activity : as given, or Series or DataFrame with one row a window

    Raises
    ------
    InputError
        If fewer than five of the ids or genes are the windows' (five are shown), or an id stands there twice.
    """
    read = as_sequences(sequences, align=align)
    if read.members is None:
        return read, activity
    if isinstance(activity, Mapping):
        activity = pd.Series(dict(activity))
    if family == "binomial" and _is_list_of_text(activity):
        is_of, notes = of_class(read.members, activity, "activity")
        activity = pd.Series(is_of, index=list(read.ids), name="activity")
        return dataclasses.replace(read, notes=(*read.notes, *notes)), activity
    index = getattr(activity, "index", None)
    if not isinstance(index, pd.Index) or isinstance(index, pd.RangeIndex):
        return read, activity
    known = [str(gene) for gene in index]
    if repeated := duplicates(known):
        raise InputError(f"activity: ids stand there more than once ({some(repeated)}): one row a gene")
    absent = sorted(set(known) - set(read.ids))
    if len(known) - len(absent) < FEWEST_OF_A_LIST:
        raise InputError(
            f"activity: {len(known) - len(absent)} of its {len(known)} ids are promoters; it has {some(known)}, the "
            f"promoters {some(list(read.ids))}: use one kind of id"
        )
    notes = [f"{len(absent)} ids of the activity have no promoter of their own: {some(absent)}"] if absent else []
    activity = activity.set_axis(known, axis=0).reindex(list(read.ids))
    return dataclasses.replace(read, notes=(*read.notes, *notes)), activity


def _is_list_of_text(activity: Any) -> bool:
    """Say whether these are names, without ids of their own."""
    if hasattr(activity, "keys") or not hasattr(activity, "__iter__") or np.ndim(activity) > 1:
        return False
    return all(isinstance(one, str) for one in activity)
