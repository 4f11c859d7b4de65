"""Penalty weights of regulators, or of regulator-target pairs, from names to an array."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError

MEANING = "a weight is a number >= 0: 1 is the usual penalty, 0 none (always in the model), inf forbids the pair"


def pair_weights(
    penalty_weights: Any, regulator_names: Sequence[str], target_names: Sequence[str]
) -> np.ndarray | None:
    """Turn weights by name into one row for all targets, or one row a target.

    Parameters
    ----------
    penalty_weights : mapping or Series by regulator, or DataFrame of regulators (rows) x targets (columns), or None
        What is not named has weight 1.
    regulator_names, target_names : sequences of str

    Returns
    -------
    float array, shape (1, n_regulators) or (n_targets, n_regulators), or None where all weights are 1

    Raises
    ------
    InputError
        If a name is unknown or doubled, or a weight is negative, NaN or no number; the pair is named.
    """
    if penalty_weights is None:
        return None
    if isinstance(penalty_weights, pd.DataFrame):
        table = penalty_weights
    elif isinstance(penalty_weights, pd.Series | Mapping):
        table = pd.Series(penalty_weights, dtype=object).to_frame("")
    else:
        raise InputError(
            f"penalty_weights: {type(penalty_weights).__name__} given: pass a Series or dict by regulator, or a "
            "DataFrame of regulators (rows) x targets (columns)"
        )
    is_by_pair = isinstance(penalty_weights, pd.DataFrame)
    rows = _places(table.index, regulator_names, "regulator")
    columns = _places(table.columns, target_names, "target") if is_by_pair else np.array([0])
    values = _numbers(table, is_by_pair)
    out = np.ones((len(target_names) if is_by_pair else 1, len(regulator_names)))
    out[np.ix_(columns, rows)] = values.T
    if (out == 1.0).all():
        return None
    forbidden = np.isinf(out).all(axis=1)
    if forbidden.all():
        raise InputError("penalty_weights: every regulator is forbidden for every target: leave some below inf")
    return out


def _numbers(table: pd.DataFrame, is_by_pair: bool) -> np.ndarray:
    try:
        values = table.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as fault:
        raise InputError(f"penalty_weights: {fault}: {MEANING}") from fault
    bad = np.isnan(values) | (values < 0)
    if bad.any():
        i, j = np.argwhere(bad)[0]
        pair = f"{table.index[i]!r} -> {table.columns[j]!r}" if is_by_pair else f"{table.index[i]!r}"
        raise InputError(f"penalty_weights: {values[i, j]:g} for {pair} ({int(bad.sum())} such): {MEANING}")
    return values


def _places(given: pd.Index, names: Sequence[str], what: str) -> np.ndarray:
    place = {name: j for j, name in enumerate(names)}
    labels = [str(label) for label in given]
    unknown = [label for label in labels if label not in place]
    if unknown:
        shown, lower = [], {name.lower(): name for name in names}
        for label in unknown[:5]:
            near = [lower[label.lower()]] if label.lower() in lower else difflib.get_close_matches(label, names, 1)
            shown.append(f"{label!r} (nearest: {near[0]})" if near else repr(label))
        raise InputError(
            f"penalty_weights: {len(unknown)} of {len(labels)} names are no {what} of this regression: "
            f"{', '.join(shown)}: use the names of the data, rows regulators and columns targets"
        )
    if len(set(labels)) < len(labels):
        twice = next(label for k, label in enumerate(labels) if label in labels[:k])
        raise InputError(f"penalty_weights: {what} {twice!r} stands twice: keep one")
    return np.array([place[label] for label in labels], dtype=np.int64)
