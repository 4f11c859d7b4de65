"""Sequences of one's own split: checked, and scored by a model that never saw them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.sequences import AMBIGUOUS
from netinfer.models.motif.model import MotifModel
from netinfer.models.motif.problem import MotifProblem, matched
from netinfer.stability.odds import auc


def score_test(
    model: MotifModel, read: Any, activity: Any, weights: Any, is_test: np.ndarray, response: int, problem: MotifProblem
) -> dict[str, Any]:
    """Score predictions on sequences that had no part in the fit; ambiguous ones and those without activity are out."""
    values = matched(read, activity)[1][:, response]
    rows = np.flatnonzero(is_test & ~pd.isna(values) & ~(read.codes == AMBIGUOUS).any(axis=1))
    if not rows.size:
        raise InputError("test: no sequence of it has an activity: leave it out")
    part = dataclasses.replace(read, ids=tuple(read.ids[i] for i in rows), codes=read.codes[rows])
    predicted = model.predict(part)
    if problem.family == "binomial":
        return {"n": len(rows), "auc": number(auc(predicted, values[rows] == problem.classes[1]))}
    truth = values[rows].astype(np.float64)
    amounts = np.ones(len(rows)) if weights is None else matched(read, weights)[1][rows, 0].astype(np.float64)
    mean = np.average(truth, weights=amounts)
    spread = np.average((truth - mean) ** 2, weights=amounts)
    around = predicted - np.average(predicted, weights=amounts)
    size = np.sqrt(spread * np.average(around**2, weights=amounts))
    r = float(np.average(around * (truth - mean), weights=amounts) / size) if size > 0 else float("nan")
    r2 = 1.0 - np.average((truth - predicted) ** 2, weights=amounts) / spread if spread > 0 else float("nan")
    return {"n": len(rows), "r": number(r), "r2": number(float(r2))}


def check_test(test: Any, n: int) -> np.ndarray | None:
    """Check the sequences that are kept out, bool array (n_sequences,), None where none are."""
    if test is None:
        return None
    rows = np.asarray(test)
    if rows.shape != (n,) or rows.dtype != bool:
        raise InputError(f"test: {rows.dtype} of shape {rows.shape}: give True or False for each of {n} sequences")
    if not rows.any() or rows.all():
        raise InputError(f"test: {int(rows.sum())} of {n} sequences: some, but not all, can be kept out")
    return rows


def number(value: float) -> float | None:
    """Return a number for a record, None where it is not finite."""
    return float(value) if np.isfinite(value) else None
