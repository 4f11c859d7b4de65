"""Groups of regulators as every grouped solver takes them: one label a regulator, or one list of places a group."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from netinfer.errors import InputError
from netinfer.solvers.columns import as_floats


class Groups(NamedTuple):
    """Each feature's group as a number from 0, and what the groups are called."""

    labels: np.ndarray
    names: list


def checked_groups(groups: np.ndarray | Sequence | Mapping, n_features: int) -> Groups:
    """Return each feature's group as a number, after checking that the groups part the features.

    Parameters
    ----------
    groups : array of labels, shape (n_features,), a sequence of sequences of int, or a mapping to sequences of int
        Labels of any kind, numbered in their order; or, one sequence a group, the places of its features.
    n_features : int

    Returns
    -------
    Groups
        ``labels`` (n_features,) int64 and ``names``, one a group.

    Raises
    ------
    InputError
        If a group is empty, a feature is in two groups or in none, a label is missing, or a place is not in range.
    """
    if isinstance(groups, Mapping):
        return Groups(_from_places(list(groups.values()), n_features, list(groups)), list(groups))
    if isinstance(groups, str | bytes) or not hasattr(groups, "__iter__"):
        raise InputError(f"groups: {groups!r}: give one label a regulator, or one list of places a group")
    if not isinstance(groups, np.ndarray):
        groups = list(groups)
        if groups and all(np.ndim(group) == 1 for group in groups):
            names = list(range(len(groups)))
            return Groups(_from_places(groups, n_features, names), names)
    values: list = groups.tolist() if isinstance(groups, np.ndarray) else groups
    if len(values) != n_features or not all(isinstance(value, Hashable) for value in values):
        raise InputError(
            f"groups: {len(values)} labels: give one for each of {n_features} regulators, or one list of places a group"
        )
    missing = [place for place, value in enumerate(values) if _is_missing(value)]
    if missing:
        raise InputError(f"groups: regulator {missing[0]} has no label: give it a group of its own")
    names = list(dict.fromkeys(values))
    with contextlib.suppress(TypeError):  # labels of several kinds keep the order in which they come
        names = sorted(names)
    number = {name: g for g, name in enumerate(names)}
    return Groups(np.array([number[value] for value in values], dtype=np.int64), names)


def group_labels(groups: np.ndarray | Sequence | Mapping, n_features: int) -> np.ndarray:
    """Return each feature's group as a number: see :func:`checked_groups`."""
    return checked_groups(groups, n_features).labels


def checked_group_weights(group_weights, groups: Groups) -> np.ndarray:
    """Return one weight a group, the square root of its size where none are given.

    Parameters
    ----------
    group_weights : float array, shape (n_groups,), mapping from the groups' names, or None
    groups : Groups

    Raises
    ------
    InputError
        Names the group whose weight is missing, negative or NaN.
    """
    sizes = np.bincount(groups.labels)
    if group_weights is None:
        return np.sqrt(sizes)
    rule = "one number >= 0 a group (0 = unpenalised, inf = forbidden)"
    if isinstance(group_weights, Mapping):
        without = [name for name in groups.names if name not in group_weights]
        unknown = [name for name in group_weights if name not in groups.names]
        if without or unknown:
            fault = f"group {without[0]!r} has no weight" if without else f"{unknown[0]!r} is no group"
            raise InputError(f"group_weights: {fault}: give {rule}")
        group_weights = [group_weights[name] for name in groups.names]
    weights = as_floats("group_weights", group_weights)
    if weights.shape != sizes.shape:
        raise InputError(f"group_weights: shape {weights.shape} for {sizes.size} groups: give {rule}")
    bad = np.isnan(weights) | (weights < 0)
    if bad.any():
        g = int(bad.argmax())
        raise InputError(f"group_weights: {weights[g]:g} of group {groups.names[g]}: give {rule}")
    return weights


def _is_missing(value) -> bool:
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas' NA compares to nothing
        return True


def _from_places(groups: list, n_features: int, names: list) -> np.ndarray:
    labels = np.full(n_features, -1, dtype=np.int64)
    for g, group in enumerate(groups):
        places = np.asarray(group)
        if places.size == 0:
            raise InputError(f"groups: group {names[g]} is empty: leave it out")
        if places.dtype.kind not in "iu" or places.ndim != 1:
            raise InputError(f"groups: group {names[g]} holds places of type {places.dtype}: give whole numbers")
        for place in places.tolist():
            if not 0 <= place < n_features:
                raise InputError(f"groups: group {names[g]} names regulator {place}, but there are {n_features}")
            if labels[place] >= 0:
                raise InputError(
                    f"groups: regulator {place} is in groups {names[labels[place]]} and {names[g]}: groups must not "
                    "overlap (give the regulator twice, once for each group)"
                )
            labels[place] = g
    if (labels < 0).any():
        raise InputError(f"groups: regulator {int(labels.argmin())} is in no group: give it a group of its own")
    return labels
