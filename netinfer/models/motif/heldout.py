"""Predictions by fits that never saw the sequence: of the folds, and of a split of one's own; and their figures."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.sequences import AMBIGUOUS, SequenceSet
from netinfer.models.motif.choice import shares
from netinfer.models.motif.columns import PREDICTIONS
from netinfer.models.motif.model import MotifModel
from netinfer.models.motif.problem import MotifProblem
from netinfer.models.motif.rows import matched, refuse_shuffled
from netinfer.stability.odds import auc

TEST = "test"


@dataclasses.dataclass(frozen=True)
class Kept:
    """The sequences of a test that can be predicted and scored.

    Attributes
    ----------
    rows : int array, rising
        Their places among the sequences given.
    notes : tuple of str
        How many others there are, and why.
    """

    rows: np.ndarray
    notes: tuple[str, ...]


def kept_out(
    problem: MotifProblem, read: SequenceSet, given: tuple[Any, Any], is_test: np.ndarray, ambiguous: str
) -> tuple[Kept, ...]:
    """Say which sequences of a test can be used, for each response, by the rules of the fit.

    Parameters
    ----------
    problem : MotifProblem
    read : SequenceSet
        All sequences given, those of the test among them.
    given : tuple
        Activity and weights of all of them.
    is_test : bool array, shape (n_given,)
    ambiguous : {"drop", "reference"}

    Raises
    ------
    InputError
        If none can be used.
    """
    values = matched(read, given[0])[1]
    n = len(read)
    has_weight = np.ones(n, bool) if given[1] is None else matched(read, given[1], "weights")[1][:, 0].astype(float) > 0
    is_unclear = (read.codes == AMBIGUOUS).any(axis=1)
    is_whole = ~is_unclear if ambiguous == "drop" else np.ones(n, bool)
    found = []
    for response, name in enumerate(problem.names):
        has_value = is_test & ~pd.isna(values[:, response])
        usable = has_value & is_whole
        used = usable & has_weight
        n_unclear = int((has_value & is_unclear).sum())
        reasons = (
            (int((is_test & ~has_value).sum()), "have no activity"),
            (0 if ambiguous == "reference" else n_unclear, "have ambiguous letters or gaps"),
            (int((usable & ~has_weight).sum()), "have a weight of 0"),
        )
        said = ", ".join(f"{count} {reason}" for count, reason in reasons if count)
        if not used.any():
            also = " (or set ambiguous='reference')" if n_unclear and ambiguous == "drop" else ""
            raise InputError(
                f"test: no sequence of it has an activity and a weight above 0 and can be read: for {name!r} {said}: "
                f"keep out others{also}, or none"
            )
        notes = []
        if said:
            notes.append(f"test: {int((is_test & ~used).sum())} of {int(is_test.sum())} sequences are left out: {said}")
        if n_unclear and ambiguous == "reference":
            notes.append(f"test: ambiguous letters and gaps of {n_unclear} sequences were read as the reference base")
        found.append(Kept(np.flatnonzero(used), tuple(notes)))
    return tuple(found)


def with_predictions(
    model: MotifModel,
    problem: MotifProblem,
    read: SequenceSet,
    given: tuple[Any, Any],
    heldout: np.ndarray,
    fold: np.ndarray,
    test: Kept | None,
    response: int,
) -> MotifModel:
    """Give a model the table of predictions, and the figures of a test set.

    Parameters
    ----------
    model : MotifModel
    problem : MotifProblem
    read : SequenceSet
        All sequences given, those of the test among them.
    given : tuple
        Activity and weights of all of them.
    heldout : float array, shape (n,)
        Of the problem's sequences: the response less its mean, or log odds, by the fit without their fold.
    fold : int array, shape (n,)
    test : Kept, or None
    response : int
    """
    values = matched(read, given[0])[1][:, response]
    is_binomial = problem.family == "binomial"
    truth = (values == problem.classes[1]).astype(np.float64) if is_binomial else values.astype(np.float64)
    weights = np.ones(len(read)) if given[1] is None else matched(read, given[1], "weights")[1][:, 0].astype(np.float64)
    rows, split = problem.row, np.array([f"fold {k + 1}" for k in range(fold.max() + 1)], dtype=object)[fold]
    predicted = 0.5 * (1.0 + np.tanh(0.5 * heldout)) if is_binomial else heldout + problem.centre[response]
    if test is not None:
        kept = test.rows
        model.record["notes"].extend(test.notes)
        outside = model.predict(dataclasses.replace(read, ids=tuple(read.ids[i] for i in kept), codes=read.codes[kept]))
        model.record["test"] = _test_figures(outside, truth[kept], weights[kept], problem.family)
        rows, predicted = np.append(rows, kept), np.append(predicted, outside)
        split = np.append(split, np.full(len(kept), TEST, dtype=object))
    order = np.argsort(rows, kind="stable")
    rows = rows[order]
    table = pd.DataFrame(
        {
            "id": [read.ids[i] for i in rows],
            "activity": truth[rows],
            "prediction": predicted[order],
            "split": split[order],
            "weight": weights[rows],
        },
        columns=[column.name for column in PREDICTIONS],
    )
    return dataclasses.replace(model, predictions=table)


def fold_figures(
    truth: np.ndarray, predicted: np.ndarray, fold: np.ndarray, weights: np.ndarray | None
) -> dict[str, float | None]:
    """Return R2, its standard error and r over the folds, of numbers.

    R2 is 1 - sum of the folds' mean square errors / sum of those around the mean of the other folds; r is a mean.
    """
    w = np.ones(len(truth)) if weights is None else weights
    error, base, r = [], [], []
    for k in range(fold.max() + 1):
        inside = fold == k
        y, x, v = truth[inside], predicted[inside], w[inside]
        base.append(np.average((y - np.average(truth[~inside], weights=w[~inside])) ** 2, weights=v))
        error.append(np.average((y - x) ** 2, weights=v))
        r.append(_correlation(x, y, v))
    known = [value for value in r if np.isfinite(value)]
    r2 = shares(np.array(error)[:, None], np.array(base))
    return {
        "r2": float(np.mean(r2)),
        "r2_se": float(np.std(r2, ddof=1) / np.sqrt(len(r2))),
        "r": float(np.mean(known)) if known else None,
    }


def _correlation(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    x, y = x - np.average(x, weights=weights), y - np.average(y, weights=weights)
    size = np.sqrt(np.average(x**2, weights=weights) * np.average(y**2, weights=weights))
    return float(np.average(x * y, weights=weights) / size) if size > 0 else float("nan")


def _test_figures(predicted: np.ndarray, truth: np.ndarray, weights: np.ndarray, family: str) -> dict[str, Any]:
    """Score predictions of sequences that had no part in the fit."""
    if family == "binomial":
        return {"n": len(truth), "auc": number(auc(predicted, truth == 1.0))}
    spread = np.average((truth - np.average(truth, weights=weights)) ** 2, weights=weights)
    r2 = 1.0 - np.average((truth - predicted) ** 2, weights=weights) / spread if spread > 0 else float("nan")
    return {"n": len(truth), "r": number(_correlation(predicted, truth, weights)), "r2": number(float(r2))}


def check_test(test: Any, read: SequenceSet) -> np.ndarray | None:
    """Check the sequences that are kept out, bool array (n_sequences,), None where none are."""
    if test is None:
        return None
    refuse_shuffled(read, test, "test")
    rows, n = np.asarray(test), len(read)
    if rows.shape != (n,) or rows.dtype != bool:
        raise InputError(f"test: {rows.dtype} of shape {rows.shape}: give True or False for each of {n} sequences")
    if not rows.any() or rows.all():
        raise InputError(f"test: {int(rows.sum())} of {n} sequences: some, but not all, can be kept out")
    return rows


def number(value: float) -> float | None:
    """Return a number for a record, None where it is not finite."""
    return float(value) if np.isfinite(value) else None
