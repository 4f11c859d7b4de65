"""Penalty weights of regulators, or of regulator-target pairs: from names to an array, and to the bounds."""

from __future__ import annotations

import difflib
import hashlib
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError

if TYPE_CHECKING:
    from netinfer.models.regression.problem import RegressionProblem

WEIGHTS_NOTE = (
    "forbidden pairs are no candidates; unpenalised pairs are in every model: no bound counts them and a cut by error "
    "leaves them out; the bounds take it that chance selects the candidates of a target alike, so that a target whose "
    "other weights differ has none, and a cut by error leaves its pairs out"
)
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


def weights_record(problem: RegressionProblem) -> dict[str, Any]:
    """What the provenance says of penalty weights; nothing where there are none."""
    weights = problem.penalty_weights
    if weights is None:
        return {}
    pairs = np.broadcast_to(weights, (len(problem.own), weights.shape[1]))
    return {
        "penalty_weights": {
            "by": "regulator" if len(weights) == 1 else "pair",
            "n_unpenalised_pairs": int((pairs == 0).sum()),
            "n_forbidden_pairs": int(np.isinf(pairs).sum()),
            "sha256": hashlib.sha256(np.ascontiguousarray(weights).tobytes()).hexdigest(),
            "note": WEIGHTS_NOTE,
        }
    }


def uneven_targets(problem: RegressionProblem) -> np.ndarray:
    """Mark, and warn of, targets whose penalised candidates have different weights, bool, shape (n_targets,)."""
    weights = problem.penalty_weights
    if weights is None:
        return np.zeros(len(problem.own), bool)
    is_counted = np.isfinite(weights) & (weights > 0) & problem.regulator_varies
    most = np.where(is_counted, weights, 0.0).max(axis=1)
    least = np.where(is_counted, weights, np.inf).min(axis=1)
    is_uneven = np.array(np.broadcast_to(most > least, len(problem.own)))
    if is_uneven.any():
        warnings.warn(
            f"penalty_weights: they differ among the candidates of {int(is_uneven.sum())} of {len(is_uneven)} targets: "
            "chance selects those of smaller weight more often, so no bound on false edges holds there: "
            "expected_false_edges and q_value are missing, and a cut by error leaves these pairs out. Rank them, cut "
            "by selection_probability, or use weights of 0, 1 and inf alone",
            stacklevel=4,
        )
    return is_uneven
