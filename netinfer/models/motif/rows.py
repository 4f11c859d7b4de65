"""Values in the order of the sequences: matched by id where both have some, else by order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netinfer.errors import InputError
from netinfer.io.ids import some
from netinfer.io.sequences import SequenceSet


def matched(given: SequenceSet, activity: Any, what: str = "activity") -> tuple[tuple[str, ...], np.ndarray]:
    """Return names of the responses and their values in the order of the sequences, object or float (n, n_responses).

    Ids are matched where both have some; else the order counts. Errors name `what`.

    Raises
    ------
    InputError
        Ids that do not match or stand there twice, another number of rows than of sequences, or where the order counts
        an index that is a range in another order.
    """
    import pandas as pd

    if isinstance(activity, Mapping):
        activity = pd.Series(activity)
    index = getattr(activity, "index", None)
    has_ids = hasattr(index, "equals") and not isinstance(index, pd.RangeIndex)
    if has_ids and given.has_ids and index is not None:
        known = [str(name) for name in index]
        without = sorted(set(given.ids) - set(known))
        if without:
            raise InputError(
                f"{what}: {len(without)} of {len(given)} sequences have none under their id: {some(without)}; its "
                f"ids are {some(known)}: use the same ids in both"
            )
        if len(set(known)) < len(known):
            repeated = sorted({name for name in known if known.count(name) > 1}) if len(known) < 10_000 else []
            raise InputError(f"{what}: ids stand there more than once ({some(repeated)}): one row a sequence")
        place = {name: i for i, name in enumerate(known)}
        activity = activity.iloc[[place[name] for name in given.ids]]
    else:
        refuse_shuffled(given, activity, what)
    names = tuple(map(str, getattr(activity, "columns", ()))) or (str(getattr(activity, "name", None) or "activity"),)
    values = np.asarray(activity)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != len(given):
        raise InputError(f"{what}: {np.asarray(activity).shape} values for {len(given)} sequences: one row a sequence")
    if len(names) != values.shape[1]:
        names = tuple(f"activity_{i}" for i in range(values.shape[1]))
    if len(set(names)) < len(names):
        raise InputError(f"{what}: columns of one name: {some(names)}: rename them")
    return names, values


def refuse_shuffled(given: SequenceSet, values: Any, what: str) -> None:
    """Refuse values that are matched by order and whose index is the sequences' numbers from 0 in another order."""
    index = getattr(values, "index", None)
    if index is None or getattr(getattr(index, "dtype", None), "kind", "") not in ("i", "u"):
        return
    if len(index) != len(given):
        return
    numbers, plain = np.asarray(index), np.arange(len(given))
    if np.array_equal(numbers, plain):
        # The sequences' own ids may be these numbers in another order.
        said = list(map(str, plain))
        is_shuffled = given.has_ids and list(given.ids) != said and set(given.ids) == set(said)
    else:
        is_shuffled = np.array_equal(np.sort(numbers), plain)
    if is_shuffled:
        raise InputError(
            f"{what}: its index and the sequences' are the same numbers from 0 in another order, and one of them is no "
            "id: reset the index, or give an array, where rows are in one order; else give both ids"
        )
