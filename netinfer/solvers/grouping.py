"""Groups of regulators as every grouped solver takes them: one label a regulator, or one list of places a group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netinfer.errors import InputError


def group_labels(groups: np.ndarray | Sequence, n_features: int) -> np.ndarray:
    """Return each feature's group as a number, after checking that the groups part the features.

    Parameters
    ----------
    groups : int array, shape (n_features,), or a sequence of sequences of int
        Labels 0 .. n_groups - 1, one a feature; or, one sequence a group, the places of its features.
    n_features : int

    Returns
    -------
    labels : int64 array, shape (n_features,)

    Raises
    ------
    InputError
        If a group is empty, a feature is in two groups or in none, or a label or place is not a whole number in range.
    """
    if not isinstance(groups, np.ndarray):
        groups = list(groups)
        if groups and all(np.ndim(group) == 1 for group in groups):
            return _from_places(groups, n_features)
    labels = np.asarray(groups)
    if labels.shape != (n_features,) or labels.dtype.kind not in "iu":
        raise InputError(
            f"groups: shape {labels.shape} of type {labels.dtype}: give one whole number for each of {n_features} "
            "regulators, or one list of places a group"
        )
    if labels.size and int(labels.min()) < 0:
        raise InputError(f"groups: label {labels.min()} at place {labels.argmin()}: labels run from 0 to n_groups - 1")
    counts = np.bincount(labels) if int(labels.max()) < 2 * n_features else np.zeros(1, dtype=int)
    if (counts == 0).any():
        raise InputError(f"groups: group {int(counts.argmin())} is empty: number the groups from 0 without gaps")
    return np.ascontiguousarray(labels, dtype=np.int64)


def _from_places(groups: list, n_features: int) -> np.ndarray:
    labels = np.full(n_features, -1, dtype=np.int64)
    for g, group in enumerate(groups):
        places = np.asarray(group)
        if places.size == 0:
            raise InputError(f"groups: group {g} is empty: leave it out")
        if places.dtype.kind not in "iu":
            raise InputError(f"groups: group {g} holds places of type {places.dtype}: give whole numbers")
        for place in places.tolist():
            if not 0 <= place < n_features:
                raise InputError(f"groups: group {g} names regulator {place}, but there are {n_features}")
            if labels[place] >= 0:
                raise InputError(
                    f"groups: regulator {place} is in groups {labels[place]} and {g}: groups must not overlap (give "
                    "the regulator twice, once for each group)"
                )
            labels[place] = g
    if (labels < 0).any():
        raise InputError(f"groups: regulator {int(labels.argmin())} is in no group: give it a group of its own")
    return labels
