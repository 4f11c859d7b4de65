"""What the joint graphical Lasso asks of its covariances, names, weights and penalties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from netinfer.errors import InputError
from netinfer.solvers.checks import numbers, one_number
from netinfer.solvers.graphical_input import checked_covariance

KINDS = ("group", "fused")


class JointProblem(NamedTuple):
    """Arguments of a joint graphical Lasso, in units that all conditions share.

    A variable's unit is one over the root of its mean variance over the conditions: a pair's values in all conditions
    are multiplied by the same number, so that the coupling keeps its form.
    """

    stack: np.ndarray  # (n_conditions, p, p) covariances in those units; 0 where a variable is not in a condition
    present: np.ndarray  # (n_conditions, p) bool
    weights: np.ndarray  # (n_conditions,) of mean 1
    weight: float  # what the weights and penalties were divided by
    unit: np.ndarray  # (p,)
    penalty: float
    coupling: float
    is_fused: bool
    names: tuple
    places: tuple[np.ndarray, ...]


def checked_joint_problem(covariances, penalty, coupling, kind, weights, names) -> JointProblem:
    """Return the arguments in common units, or say what is wrong with them."""
    if kind not in KINDS:
        raise InputError(f"kind: {kind!r} is not one of {', '.join(KINDS)}")
    penalty, coupling = checked_strength("penalty", penalty), checked_strength("coupling", coupling)
    values, names = checked_conditions(covariances, names)
    weights = checked_weights(weights, len(values))
    everything: dict = {}
    for of in names:
        for name in of:
            everything.setdefault(name, len(everything))
    places = tuple(np.array([everything[name] for name in of], np.int64) for of in names)
    present = np.zeros((len(values), len(everything)), bool)
    for k, place in enumerate(places):
        present[k, place] = True
    refuse_strangers(present)
    weight = float(weights.mean())
    weights = weights / weight
    variances = np.zeros(present.shape)
    for k, place in enumerate(places):
        variances[k, place] = values[k].diagonal()
    unit = 1.0 / np.sqrt(weights @ variances / (weights @ present))
    stack = np.zeros((len(values), len(unit), len(unit)))
    for k, place in enumerate(places):
        own = unit[place]
        stack[k][np.ix_(place, place)] = 0.5 * (values[k] + values[k].T) * (own * own[:, None])
    return JointProblem(
        stack, present, weights, weight, unit, penalty / weight, coupling / weight, kind == "fused", tuple(everything),
        places,
    )  # fmt: skip


def checked_strength(what: str, value) -> float:
    """Return a penalty as a number >= 0 that is not infinite."""
    number = one_number(what, value)
    if not (np.isfinite(number) and number >= 0):
        raise InputError(f"{what}: {number:g} is not a finite number >= 0")
    return number


def checked_conditions(covariances, names) -> tuple[list[np.ndarray], list[list]]:
    """Return each condition's covariance and the names of its variables."""
    if isinstance(covariances, str) or not isinstance(covariances, Sequence | np.ndarray) or len(covariances) == 0:
        raise InputError("covariances: give a list of one covariance matrix a condition")
    if names is not None and len(names) != len(covariances):
        raise InputError(f"names: {len(names)} lists for {len(covariances)} conditions: give one list a condition")
    values, labels = [], []
    for k, covariance in enumerate(covariances):
        try:
            value, label = checked_covariance(covariance)
        except InputError as error:
            raise InputError(f"condition {k + 1}: {error}") from None
        if names is not None:
            label = list(names[k])
            if len(label) != len(value):
                raise InputError(f"names: condition {k + 1} has {len(label)} names for {len(value)} variables")
        values.append(value)
        labels.append(label)
    if all(label is None for label in labels):
        sizes = [len(value) for value in values]
        if len(set(sizes)) > 1:
            raise InputError(f"names: the conditions have {sizes} variables: give the names of each condition's own")
        labels = [list(range(sizes[0]))] * len(values)
    for k, label in enumerate(labels):
        if label is None:
            raise InputError(f"names: condition {k + 1} has no names, others have: give the names of all conditions")
        if len(set(label)) != len(label):
            twice = next(name for name in label if label.count(name) > 1)
            raise InputError(f"names: {twice!r} is twice in condition {k + 1}: give each variable its own name")
    return values, labels


def checked_weights(weights, n_conditions: int) -> np.ndarray:
    """Return one positive number a condition; ones by default."""
    if weights is None:
        return np.ones(n_conditions)
    values = numbers("weights", weights)
    if values.shape != (n_conditions,):
        raise InputError(f"weights: shape {values.shape} for {n_conditions} conditions: give one number a condition")
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        k = int(bad.argmax())
        raise InputError(f"weights: {values[k]:g} for condition {k + 1} is not a positive number")
    return values


def refuse_strangers(present: np.ndarray) -> None:
    """Refuse a condition that has no variable in common with any other."""
    if len(present) == 1:
        return
    shared = present.sum(axis=0) > 1
    for k, has in enumerate(present):
        if not (has & shared).any():
            raise InputError(
                f"covariances: condition {k + 1} has no variable in common with another condition: check that their "
                "names are of one kind, or estimate it on its own"
            )
