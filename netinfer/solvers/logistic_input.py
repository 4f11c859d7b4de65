"""What a logistic path is asked to fit, checked and put into the form that the solver works on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netinfer.errors import InputError
from netinfer.solvers.logistic_newton import Problem

# A predictor whose values differ by less than this share of their size is constant up to rounding.
CONSTANT_RANGE = 1e-10


def checked_problem(x, y, penalties, penalty_weights, ridge, groups, group_weights, l1_share, sample_weight, tol):
    """Check the arguments of `logistic_path`; return the problem, the penalties, the two labels and the total weight.

    Raises
    ------
    InputError
        As `logistic_path`.
    """
    x = np.asarray(x, dtype=np.float64)
    if x.ndim != 2 or 0 in x.shape:
        raise InputError(f"x: shape {x.shape}: give samples x predictors, at least one of each")
    if not (x.flags.c_contiguous or x.flags.f_contiguous):
        x = np.ascontiguousarray(x)
    n, p = x.shape
    bad = ~np.isfinite(x)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(f"x: {x[row, column]} in row {row}, column {column}: remove or impute what is not finite")
    penalties = np.ascontiguousarray(np.atleast_1d(penalties), dtype=np.float64)
    if penalties.ndim != 1 or not penalties.size or not np.isfinite(penalties).all():
        raise InputError("penalties: give at least one finite number")
    if (penalties <= 0).any() or (np.diff(penalties) >= 0).any():
        raise InputError("penalties: must be positive and strictly decreasing: sort them")
    if not (np.isfinite(tol) and tol > 0):
        raise InputError(f"tol: {tol} is not a positive number")
    share, total = _shares(sample_weight, n)
    is_case, classes = _classes(y, n, share)
    weights = _weights(penalty_weights, p)
    is_allowed = np.isfinite(weights)
    if not is_allowed.any():
        raise InputError("penalty_weights: every predictor is forbidden (inf): nothing to fit")
    rows = share > 0
    if not rows.all():
        x, is_case, share = np.ascontiguousarray(x[rows]), is_case[rows], share[rows]
    _refuse_constant(x, is_allowed)
    block, order, starts, block_weights, l1_part = _blocks(groups, group_weights, l1_share, p)
    ridges = _ridges(ridge, p, block)
    problem = Problem(
        x=x,
        is_case=is_case,
        share=share,
        weights=np.where(is_allowed, l1_part * np.where(is_allowed, weights, 1.0), np.inf),
        block_weights=block_weights,
        ridge=ridges,
        is_allowed=is_allowed,
        order=order,
        starts=starts,
        block=block,
    )
    return problem, penalties, classes, total


def _shares(sample_weight, n: int) -> tuple[np.ndarray, float]:
    if sample_weight is None:
        return np.full(n, 1.0 / n), float(n)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n,) or not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise InputError(f"sample_weight: shape {weight.shape}: give {n} numbers >= 0, not all of them 0")
    return weight / weight.sum(), float(weight.sum())


def _classes(y, n: int, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise InputError(f"y: shape {labels.shape} does not fit {n} samples: give one label a sample")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        row = int((~np.isfinite(labels)).argmax())
        raise InputError(f"y: {labels[row]} in row {row}: leave samples without a class out")
    if labels.dtype.kind == "O" and any(value is None or value != value for value in labels):
        raise InputError("y: holds missing values: leave samples without a class out")
    classes = np.unique(labels[share > 0])
    if len(classes) < 2:
        raise InputError(f"y: one class only ({classes[0]!s}): a logistic fit needs samples of two classes")
    if len(classes) > 2:
        shown = ", ".join(str(value) for value in classes[:5]) + (", ..." if len(classes) > 5 else "")
        raise InputError(f"y: {len(classes)} classes ({shown}): give two")
    return labels == classes[1], classes


def _weights(penalty_weights, p: int) -> np.ndarray:
    weights = np.ones(p) if penalty_weights is None else np.asarray(penalty_weights, dtype=np.float64)
    if weights.shape != (p,) or np.isnan(weights).any() or (weights < 0).any():
        raise InputError("penalty_weights: one number >= 0 a predictor (0 = unpenalised, inf = forbidden)")
    return weights


def _refuse_constant(x: np.ndarray, is_allowed: np.ndarray) -> None:
    low, high = x.min(axis=0), x.max(axis=0)
    is_constant = (high - low <= CONSTANT_RANGE * np.maximum(np.abs(high), np.abs(low))) & is_allowed
    if is_constant.any():
        j = int(is_constant.argmax())
        raise InputError(
            f"x: column {j} is constant ({x[0, j]:g}): drop it, or forbid it with penalty weight inf; the intercept is "
            "fitted anyway"
        )


def _ridges(ridge, p: int, block: np.ndarray) -> np.ndarray:
    ridges = np.asarray(ridge, dtype=np.float64)
    if ridges.ndim == 0:
        ridges = np.full(p, float(ridges))
    if ridges.shape != (p,) or not np.isfinite(ridges).all() or (ridges < 0).any():
        raise InputError(f"ridge: {ridge!r}: give one number >= 0, or one a predictor")
    largest, smallest = np.full(block.max() + 1, -np.inf), np.full(block.max() + 1, np.inf)
    np.maximum.at(largest, block, ridges)
    np.minimum.at(smallest, block, ridges)
    if (largest > smallest).any():
        raise InputError(f"ridge: differs within group {int((largest > smallest).argmax())}: give one number a group")
    return ridges


def _blocks(groups, group_weights, l1_share, p: int):
    """Return each predictor's block, their order, the blocks' first places and weights, and the factor of the L1 term."""
    if groups is None:
        if group_weights is not None or (l1_share is not None and l1_share != 1.0):
            raise InputError("groups: none given, so that group_weights and l1_share below 1 mean nothing: give groups")
        places = np.arange(p)
        return places, places, np.arange(p + 1), np.zeros(p), 1.0
    share = 0.0 if l1_share is None else float(l1_share)
    if not 0.0 <= share <= 1.0:
        raise InputError(f"l1_share: {l1_share} is not between 0 and 1")
    block = _labels(groups, p)
    sizes = np.bincount(block)
    weights = np.sqrt(sizes) if group_weights is None else np.asarray(group_weights, dtype=np.float64)
    if weights.shape != sizes.shape or not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError(f"group_weights: shape {weights.shape}: give {len(sizes)} numbers >= 0, one a group")
    if share == 1.0:  # nothing of the groups is left
        return np.arange(p), np.arange(p), np.arange(p + 1), np.zeros(p), 1.0
    order = np.argsort(block, kind="stable")
    return block, order, np.concatenate([[0], np.cumsum(sizes)]), (1.0 - share) * weights, share


def _labels(groups: np.ndarray | Sequence[Sequence[int]], p: int) -> np.ndarray:
    is_labels = len(groups) == p and all(np.ndim(member) == 0 for member in groups)
    if is_labels:
        block = np.asarray(groups)
        if block.dtype.kind not in "iu" or block.min() < 0:
            raise InputError("groups: labels must be whole numbers from 0 on")
        missing = np.flatnonzero(np.bincount(block) == 0)
        if missing.size:
            raise InputError(f"groups: group {missing[0]} is empty: number the groups 0 .. n_groups - 1 without a gap")
        return block.astype(np.int64)
    block = np.full(p, -1, np.int64)
    for g, members in enumerate(groups):
        places = np.asarray(members, dtype=np.int64)
        if places.ndim != 1 or not places.size:
            raise InputError(f"groups: group {g} is empty: leave it out")
        if places.min() < 0 or places.max() >= p:
            raise InputError(f"groups: group {g} names predictor {places.max()} of {p}: count from 0")
        again = (block[places] >= 0).any() or len(np.unique(places)) < len(places)
        if again:
            raise InputError(f"groups: group {g} overlaps another one: each predictor belongs to one group")
        block[places] = g
    if (block < 0).any():
        raise InputError(f"groups: predictor {int((block < 0).argmax())} is in no group: give it one of its own")
    return block
