"""What every solver on moments checks before it starts: shapes, finite numbers, one common origin, weights."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular

from netinfer.errors import InputError

# Rounding of the products of a unit Gram matrix, with room for p of them; singular matrices stay in.
ALLOWANCE = 1e-8
# Rounding of a product that is not made symmetric on purpose, of a Gram matrix scaled to a unit diagonal.
ASYMMETRY = 1e-12


# Single precision leaves eigenvalues as far below zero as this.
SINGLE = 1e-3


class CheckedMoments(NamedTuple):
    """Arguments of a path, as contiguous float64 arrays."""

    gram: np.ndarray
    cross: np.ndarray
    penalties: np.ndarray
    weights: np.ndarray


def numbers(name: str, values) -> np.ndarray:
    """Return numbers as a float64 array of any shape, or say what stands in their place."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"{name}: rows of different lengths: give a table of numbers") from None
    if array.dtype.kind == "O" and not any(value is None or isinstance(value, str) for value in array.flat):
        with contextlib.suppress(TypeError, ValueError):
            array = array.astype(np.float64)
    if array.dtype.kind not in "biuf":
        what = repr(array.flat[0]) if array.size else array.dtype.name
        raise InputError(f"{name}: {what:.40} is not a number: give numbers")
    return np.asarray(array, dtype=np.float64)


def _array(name: str, values) -> np.ndarray:
    """Return numbers as the kernels are compiled for them: float64, contiguous, aligned, writeable."""
    return np.require(numbers(name, values), np.float64, ["C", "A", "W"])


def one_number(name: str, value) -> float:
    """Return one number, or say what stands in its place."""
    number = numbers(name, value)
    if number.ndim:
        raise InputError(f"{name}: shape {number.shape}: give one number")
    return float(number)


def checked_moments(gram, cross, penalties, target_variance, penalty_weights) -> CheckedMoments:
    """Return the arguments of a path as float64 arrays, or say what is wrong with them.

    Raises
    ------
    InputError
        Names the first array that cannot be used, the place, and what to do.
    """
    gram = _square(gram)
    cross = _array("cross", cross)
    if cross.shape != (gram.shape[0],):
        raise InputError(f"cross: shape {cross.shape} does not fit gram {gram.shape}: give X'y / n")
    penalties = checked_penalties(penalties)
    _refuse_not_finite("gram", gram)
    _refuse_not_finite("cross", cross)
    target_variance = one_number("target_variance", target_variance)
    if not (np.isfinite(target_variance) and target_variance > 0):
        raise InputError(f"target_variance: {target_variance} is not positive: a constant target has no path")
    factor = _factor(gram)
    _refuse_strangers(gram, factor, cross[None, :], np.array([target_variance]), [""])
    return CheckedMoments(gram, cross, penalties, checked_weights(penalty_weights, cross.size))


def checked_targets(gram, crosses, target_variance) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Gram, cross-moments (n_targets, p) and variances (n_targets,) as arrays, or say what is wrong with them.

    The Gram is looked at once for all targets.

    Raises
    ------
    InputError
        As for one target, with the target's row.
    """
    gram = _square(gram)
    crosses = _array("cross", crosses)
    if crosses.ndim != 2 or crosses.shape[0] == 0 or crosses.shape[1] != gram.shape[0]:
        raise InputError(
            f"cross: shape {crosses.shape} does not fit gram {gram.shape}: give one row X'y / n for each target"
        )
    try:
        variances = np.array(np.broadcast_to(numbers("target_variance", target_variance), crosses.shape[:1]))
    except ValueError:
        raise InputError(f"target_variance: one number, or one for each of {crosses.shape[0]} targets") from None
    _refuse_not_finite("gram", gram)
    if not np.isfinite(crosses).all():
        t, j = np.argwhere(~np.isfinite(crosses))[0]
        raise InputError(f"cross: target {t} holds NaN or an infinite value at regulator {j}: impute or remove it")
    if not ((variances > 0) & np.isfinite(variances)).all():
        t = int((~((variances > 0) & np.isfinite(variances))).argmax())
        raise InputError(
            f"target_variance: {variances[t]} of target {t} is not positive: a constant target has no path"
        )
    _refuse_strangers(gram, _factor(gram), crosses, variances, [f" of target {t}" for t in range(len(crosses))])
    return gram, crosses, variances


def _square(gram) -> np.ndarray:
    gram = _array("gram", gram)
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1]:
        raise InputError(f"gram: shape {gram.shape} is not square: give X'X / n")
    if gram.size == 0:
        raise InputError("gram: holds no regulator: give X'X / n of at least one")
    return gram


def _refuse_not_finite(name: str, array: np.ndarray) -> None:
    if not np.isfinite(array).all():
        place = ", ".join(map(str, np.argwhere(~np.isfinite(array))[0]))
        raise InputError(f"{name}: holds NaN or infinite values, the first at [{place}]: impute or remove them")


def _factor(gram: np.ndarray) -> np.ndarray:
    """Return the Cholesky factor of the Gram, scaled to a unit diagonal plus an allowance, or say why it has none."""
    diagonal = gram.diagonal()
    if (diagonal <= 0).any():
        raise InputError(f"gram: diagonal entry {int((diagonal <= 0).argmax())} is not positive: drop that regulator")
    scale = 1.0 / np.sqrt(diagonal)
    scaled = gram * scale[:, None] * scale[None, :]
    # Scaled first, so that large regulators hide nothing; the maximum takes a third of the time of allclose.
    uneven = float(np.abs(scaled - scaled.T).max()) > ASYMMETRY
    if uneven and not np.allclose(scaled, scaled.T, rtol=1e-10, atol=ASYMMETRY):
        raise InputError("gram: not symmetric: give X'X / n")
    scaled[np.diag_indices_from(scaled)] += ALLOWANCE
    try:
        return np.linalg.cholesky(scaled)
    except np.linalg.LinAlgError:
        smallest = float(np.linalg.eigvalsh(scaled)[0]) - ALLOWANCE
        raise InputError(
            f"gram: not positive semidefinite: its smallest eigenvalue, scaled to a unit diagonal, is {smallest:.3g}: "
            + (
                _SINGLE_HINT
                if smallest > -SINGLE and is_single(gram)
                else "give X'X / n of centred data without missing values"
            )
        ) from None


_SINGLE_HINT = "its entries were computed in single precision: use float64 for the data"


def is_single(gram: np.ndarray) -> bool:
    """Say whether every entry is a number of single precision, which those of a product in float64 are not."""
    with np.errstate(over="ignore"):
        return np.array_equal(gram, gram.astype(np.float32))


def _refuse_strangers(gram, factor, crosses, variances, of: list[str]) -> None:
    """Refuse cross-moments and variances that no data with this Gram can have; ``of`` names the targets."""
    diagonal = gram.diagonal()
    over = crosses**2 - diagonal * variances[:, None] * (1 + ALLOWANCE)
    if (over > 0).any():
        t, j = np.unravel_index(over.argmax(), over.shape)
        raise InputError(
            f"cross: entry {j}{of[t]} exceeds what gram and target_variance allow (q^2 <= g v): "
            + _what_to_do(gram, variances[t])
        )
    # A Cholesky factor of all moments together exists where the variance left by the regulators is not negative.
    half = solve_triangular(factor, (crosses / np.sqrt(diagonal)).T / np.sqrt(variances), lower=True)
    explained = (half**2).sum(axis=0)
    if (explained > 1 + ALLOWANCE).any():
        t = int(explained.argmax())
        raise InputError(
            f"gram, cross and target_variance{of[t]} are not jointly positive semidefinite: "
            + _what_to_do(gram, variances[t])
        )


def _what_to_do(gram: np.ndarray, variance: float) -> str:
    advice = "all three must come from the same samples, centred and divided by the same n"
    if variance == 1.0:
        advice += "; target_variance is 1, its default: give y'y / n, or the cross-moments of a standardised target"
    elif is_single(gram):
        advice += f"; {_SINGLE_HINT}"
    return advice


def checked_penalties(penalties) -> np.ndarray:
    """Return penalties as an array, or refuse those that are not positive and strictly decreasing."""
    penalties = np.atleast_1d(_array("penalties", penalties))
    if penalties.ndim != 1 or penalties.size == 0:
        raise InputError(f"penalties: shape {penalties.shape}: give a list of at least one")
    if not np.isfinite(penalties).all():
        raise InputError("penalties: holds NaN or infinite values")
    if (penalties <= 0).any():
        raise InputError(f"penalties: {penalties[penalties <= 0][0]:g} is not positive")
    if (np.diff(penalties) >= 0).any():
        raise InputError("penalties: must be strictly decreasing: sort them from the largest down")
    return penalties


def checked_grids(penalties, n_targets: int) -> list[np.ndarray]:
    """Return each target's penalties, given once for all, (n_penalties,), or one row a target."""
    penalties = _array("penalties", penalties)
    if penalties.ndim != 2:
        return [checked_penalties(penalties)] * n_targets
    if penalties.shape[0] != n_targets:
        raise InputError(f"penalties: {penalties.shape[0]} rows for {n_targets} targets")
    if penalties.size and np.isfinite(penalties).all() and (penalties > 0).all() and (np.diff(penalties) < 0).all():
        return list(penalties)
    return [checked_penalties(row) for row in penalties]


def checked_weights(penalty_weights, n_regulators: int) -> np.ndarray:
    """Return one penalty weight a regulator, 1 by default, or name the first that is negative or NaN."""
    if penalty_weights is None:
        return np.ones(n_regulators)
    weights = numbers("penalty_weights", penalty_weights).copy()
    rule = "one number >= 0 a regulator (0 = unpenalised, inf = forbidden)"
    if weights.shape != (n_regulators,):
        raise InputError(f"penalty_weights: shape {weights.shape} for {n_regulators} regulators: give {rule}")
    bad = np.isnan(weights) | (weights < 0)
    if bad.any():
        j = int(bad.argmax())
        raise InputError(f"penalty_weights: {weights[j]:g} of regulator {j}: give {rule}")
    return weights
