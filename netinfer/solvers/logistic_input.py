"""What a logistic path is asked to fit, checked and put into the form that the solver works on."""

from __future__ import annotations

import numpy as np

from netinfer.errors import InputError
from netinfer.solvers.checks import checked_penalties, checked_weights
from netinfer.solvers.columns import as_floats, is_number, same_rows
from netinfer.solvers.grouping import Groups, checked_group_weights, checked_groups
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
    y = same_rows("logistic_path", x, y, ("x", "y"))
    sample_weight = same_rows("logistic_path", x, sample_weight, ("x", "sample_weight"))
    x = as_floats("x", x)
    if x.ndim != 2 or 0 in x.shape:
        raise InputError(f"x: shape {x.shape}: give samples x predictors, at least one of each")
    if not (x.flags.c_contiguous or x.flags.f_contiguous):
        x = np.ascontiguousarray(x)
    n, p = x.shape
    bad = ~np.isfinite(x)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(f"x: {x[row, column]} in row {row}, column {column}: remove or impute what is not finite")
    penalties = checked_penalties(as_floats("penalties", penalties))
    if not (is_number(tol) and np.isfinite(tol) and tol > 0):
        raise InputError(f"tol: {tol} is not a positive number")
    share, total = _shares(sample_weight, n)
    is_case, classes = _classes(y, n, share)
    weights = checked_weights(None if penalty_weights is None else as_floats("penalty_weights", penalty_weights), p)
    named, block, order, starts, block_weights, l1_part = _blocks(groups, group_weights, l1_share, p)
    is_allowed = np.isfinite(weights) & np.isfinite(block_weights[block])
    if not is_allowed.any():
        raise InputError("penalty_weights: every predictor is forbidden (inf): nothing to fit")
    ridges = _ridges(ridge, p, named)
    if len(starts) < p + 1 and not is_allowed.all():
        block, order, starts, block_weights = _without_forbidden(block, order, block_weights, is_allowed)
    block_weights = np.where(np.isfinite(block_weights), block_weights, 0.0)
    rows = share > 0
    if not rows.all():
        x, is_case, share = np.ascontiguousarray(x[rows]), is_case[rows], share[rows]
    _refuse_constant(x, is_allowed)
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
    weight = as_floats("sample_weight", sample_weight)
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
    try:
        classes = np.unique(labels[share > 0])
    except TypeError:
        raise InputError("y: holds labels of several kinds (numbers and text): give two of one kind") from None
    if len(classes) < 2:
        raise InputError(f"y: one class only ({classes[0]!s}): a logistic fit needs samples of two classes")
    if len(classes) > 2:
        shown = ", ".join(str(value) for value in classes[:5]) + (", ..." if len(classes) > 5 else "")
        raise InputError(f"y: {len(classes)} classes ({shown}): give two")
    return labels == classes[1], classes


def _refuse_constant(x: np.ndarray, is_allowed: np.ndarray) -> None:
    low, high = x.min(axis=0), x.max(axis=0)
    is_constant = (high - low <= CONSTANT_RANGE * np.maximum(np.abs(high), np.abs(low))) & is_allowed
    if is_constant.any():
        j = int(is_constant.argmax())
        raise InputError(
            f"x: column {j} is constant ({x[0, j]:g}): drop it, or forbid it with penalty weight inf; the intercept is "
            "fitted anyway"
        )


def _ridges(ridge, p: int, named: Groups) -> np.ndarray:
    ridges, block = as_floats("ridge", ridge), named.labels
    if ridges.ndim == 0:
        ridges = np.full(p, float(ridges))
    if ridges.shape != (p,) or not np.isfinite(ridges).all() or (ridges < 0).any():
        raise InputError(f"ridge: {ridge!r}: give one number >= 0, or one a predictor")
    largest, smallest = np.full(block.max() + 1, -np.inf), np.full(block.max() + 1, np.inf)
    np.maximum.at(largest, block, ridges)
    np.minimum.at(smallest, block, ridges)
    if (largest > smallest).any():
        name = named.names[int((largest > smallest).argmax())]
        raise InputError(f"ridge: differs within group {name}: give one number a group")
    return ridges


def _blocks(groups, group_weights, l1_share, p: int):
    """Return the groups, each predictor's block, their order, first places and weights, and the L1 term's factor."""
    places = np.arange(p)
    single = Groups(places, list(range(p)))
    if groups is None:
        if group_weights is not None or (l1_share is not None and l1_share != 1.0):
            raise InputError("groups: none given, so that group_weights and l1_share below 1 mean nothing: give groups")
        return single, places, places, np.arange(p + 1), np.zeros(p), 1.0
    share = 0.0 if l1_share is None else l1_share
    if not (is_number(share) and 0.0 <= share <= 1.0):
        raise InputError(f"l1_share: {l1_share} is not between 0 and 1")
    named = checked_groups(groups, p)
    block = named.labels
    weights = checked_group_weights(group_weights, named)
    if share == 1.0:  # nothing of the groups is left but what they forbid
        return single, places, places, np.arange(p + 1), np.where(np.isinf(weights), np.inf, 0.0)[block], 1.0
    order = np.argsort(block, kind="stable")
    return named, block, order, np.concatenate([[0], np.cumsum(np.bincount(block))]), (1.0 - share) * weights, share


def _without_forbidden(block, order, block_weights, is_allowed):
    """Leave forbidden predictors out of the blocks, and blocks out that have no others."""
    left = np.bincount(block[is_allowed], minlength=len(block_weights))
    kept = left > 0
    number = np.cumsum(kept) - 1
    starts = np.concatenate([[0], np.cumsum(left[kept])])
    return np.where(is_allowed, number[block], 0), order[is_allowed[order]], starts, block_weights[kept]
