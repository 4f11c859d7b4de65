"""What every solver on moments checks before it starts: shapes, finite numbers, one common origin, weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netinfer.errors import InputError

# Rounding of the products of a unit Gram matrix, with room for p of them; singular matrices stay in.
ALLOWANCE = 1e-8


class CheckedMoments(NamedTuple):
    """Arguments of a path, as contiguous float64 arrays."""

    gram: np.ndarray
    cross: np.ndarray
    penalties: np.ndarray
    weights: np.ndarray


def checked_moments(gram, cross, penalties, target_variance, penalty_weights) -> CheckedMoments:
    """Return the arguments of a path as float64 arrays, or say what is wrong with them.

    Raises
    ------
    InputError
        Names the first array that cannot be used, the place, and what to do.
    """
    gram = np.ascontiguousarray(gram, dtype=np.float64)
    cross = np.ascontiguousarray(cross, dtype=np.float64)
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1]:
        raise InputError(f"gram: shape {gram.shape} is not square: give X'X / n")
    if cross.shape != (gram.shape[0],):
        raise InputError(f"cross: shape {cross.shape} does not fit gram {gram.shape}: give X'y / n")
    penalties = checked_penalties(penalties)
    for name, array in (("gram", gram), ("cross", cross)):
        if not np.isfinite(array).all():
            place = ", ".join(map(str, np.argwhere(~np.isfinite(array))[0]))
            raise InputError(f"{name}: holds NaN or infinite values, the first at [{place}]: impute or remove them")
    if not (np.isfinite(target_variance) and target_variance > 0):
        raise InputError(f"target_variance: {target_variance} is not positive: a constant target has no path")
    diagonal = gram.diagonal()
    if (diagonal <= 0).any():
        raise InputError(f"gram: diagonal entry {int((diagonal <= 0).argmax())} is not positive: drop that regulator")
    uneven = float(np.abs(gram - gram.T).max()) > 1e-12 * diagonal.max()  # a third of the time of allclose
    if uneven and not np.allclose(gram, gram.T, rtol=1e-10, atol=1e-12 * diagonal.max()):
        raise InputError("gram: not symmetric: give X'X / n")
    if (cross**2 > diagonal * target_variance * (1 + ALLOWANCE)).any():
        j = int((cross**2 - diagonal * target_variance).argmax())
        raise InputError(
            f"cross: entry {j} exceeds what gram and target_variance allow (q^2 <= g v): all three must come from "
            "the same samples, centred and divided by the same n"
        )
    _refuse_indefinite(gram, cross, target_variance)
    return CheckedMoments(gram, cross, penalties, checked_weights(penalty_weights, cross.size))


def checked_penalties(penalties) -> np.ndarray:
    """Return penalties as an array, or refuse those that are not positive and strictly decreasing."""
    penalties = np.ascontiguousarray(np.atleast_1d(penalties), dtype=np.float64)
    if penalties.ndim != 1 or penalties.size == 0:
        raise InputError("penalties: give a list of at least one")
    if not np.isfinite(penalties).all():
        raise InputError("penalties: holds NaN or infinite values")
    if (penalties <= 0).any():
        raise InputError(f"penalties: {penalties[penalties <= 0][0]:g} is not positive")
    if (np.diff(penalties) >= 0).any():
        raise InputError("penalties: must be strictly decreasing: sort them from the largest down")
    return penalties


def checked_weights(penalty_weights, n_regulators: int) -> np.ndarray:
    """Return one penalty weight a regulator, 1 by default, or name the first that is negative or NaN."""
    if penalty_weights is None:
        return np.ones(n_regulators)
    weights = np.array(penalty_weights, dtype=np.float64)
    rule = "one number >= 0 a regulator (0 = unpenalised, inf = forbidden)"
    if weights.shape != (n_regulators,):
        raise InputError(f"penalty_weights: shape {weights.shape} for {n_regulators} regulators: give {rule}")
    bad = np.isnan(weights) | (weights < 0)
    if bad.any():
        j = int(bad.argmax())
        raise InputError(f"penalty_weights: {weights[j]:g} of regulator {j}: give {rule}")
    return weights


def _refuse_indefinite(gram, cross, target_variance):
    """Refuse what no data can have: the joint moments, scaled to a unit diagonal, need a Cholesky factor."""
    joint = np.block([[gram, cross[:, None]], [cross[None, :], np.array([[target_variance]])]])
    scale = 1.0 / np.sqrt(joint.diagonal())
    joint = joint * scale[:, None] * scale[None, :]
    joint[np.diag_indices_from(joint)] += ALLOWANCE
    try:
        np.linalg.cholesky(joint)
    except np.linalg.LinAlgError:
        smallest = float(np.linalg.eigvalsh(joint[:-1, :-1])[0]) - ALLOWANCE
        if smallest < -ALLOWANCE:
            raise InputError(
                f"gram: not positive semidefinite: its smallest eigenvalue, scaled to a unit diagonal, is "
                f"{smallest:.3g}: give X'X / n of centred data without missing values"
            ) from None
        raise InputError(
            "gram, cross and target_variance are not jointly positive semidefinite: all three must come from the same "
            "samples, centred and divided by the same n"
        ) from None
