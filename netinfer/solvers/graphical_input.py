"""What the Graphical Lasso asks of a covariance and of penalties, with an error that says what to do."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netinfer.errors import InputError
from netinfer.kernels import njit
from netinfer.solvers.checks import ALLOWANCE, SINGLE, is_single, numbers, one_number
from netinfer.solvers.graphical_certificate import log_determinant

# Rounding of a covariance that is not made symmetric on purpose, as a share of the two standard deviations.
ASYMMETRY = 1e-10
# Above this size the smallest eigenvalue of an error message is found by Lanczos steps.
MANY = 2_000


class CheckedProblem(NamedTuple):
    """Arguments of a Graphical Lasso, as contiguous float64 arrays."""

    covariance: np.ndarray  # (p, p), the array that was given where it was of this kind
    penalty: np.ndarray  # (p, p), or (1, 1) where one number was given
    scale: np.ndarray  # (p,) one over the root of the diagonal, with its penalty where that is penalised
    labels: list | None  # the variables' names, where the covariance has some


def checked_problem(covariance, penalty, penalize_diagonal: bool) -> CheckedProblem:
    """Return the arguments as arrays, or say what is wrong with them.

    Raises
    ------
    InputError
        Names the first array that cannot be used, the place, and what to do.
    """
    covariance, labels = checked_covariance(covariance)
    penalty = checked_penalty(penalty, len(covariance), labels, penalize_diagonal)
    return CheckedProblem(covariance, penalty, scale_of(covariance, penalty, penalize_diagonal), labels)


def checked_covariance(covariance) -> tuple[np.ndarray, list | None]:
    """Return a covariance that is square, finite, symmetric and positive semidefinite, and its variables' names."""
    labels = list(covariance.columns) if hasattr(covariance, "columns") else None
    values = np.require(numbers("covariance", covariance), np.float64, ["C", "A"])
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise InputError(f"covariance: shape {values.shape} is not square: give X'X / n of centred data")
    if values.size == 0:
        raise InputError("covariance: holds no variable: give X'X / n of at least one")
    diagonal = values.diagonal()
    place = _first_not_finite(values)
    if place >= 0:
        j, i = divmod(place, len(values))
        raise InputError(
            f"covariance: NaN or an infinite value at [{_name(labels, j)}, {_name(labels, i)}]: impute missing values "
            "before it is computed"
        )
    if (diagonal <= 0).any():
        j = int((diagonal <= 0).argmax())
        raise InputError(
            f"covariance: variable {_name(labels, j)} has variance {diagonal[j]:g}: a constant variable has no "
            "partial correlation: remove it"
        )
    scale = 1.0 / np.sqrt(diagonal)
    place = _first_asymmetry(values, scale, ASYMMETRY)
    if place >= 0:
        j, i = divmod(place, len(values))
        raise InputError(
            f"covariance: not symmetric: [{_name(labels, j)}, {_name(labels, i)}] is {values[j, i]:g}, "
            f"[{_name(labels, i)}, {_name(labels, j)}] is {values[i, j]:g}: give X'X / n"
        )
    _refuse_indefinite(values, scale)
    return values, labels


def _refuse_indefinite(covariance: np.ndarray, scale: np.ndarray) -> None:
    correlation = _correlation(covariance, scale)
    correlation[np.diag_indices_from(correlation)] += ALLOWANCE
    if np.isfinite(log_determinant(correlation)):
        return
    smallest = smallest_eigenvalue(_correlation(covariance, scale))
    if smallest > -SINGLE and is_single(covariance):
        advice = "its entries were computed in single precision: use float64 for the data"
    else:
        advice = (
            "project the correlation to the nearest positive semidefinite matrix, shrink it towards its diagonal, or "
            "compute it from the same samples for all pairs"
        )
    raise InputError(
        f"covariance: not positive semidefinite: its smallest eigenvalue, scaled to a unit diagonal, is "
        f"{smallest:.3g}: {advice}"
    )


def smallest_eigenvalue(correlation: np.ndarray) -> float:
    """Return a symmetric matrix's smallest eigenvalue."""
    if len(correlation) <= MANY:
        return float(np.linalg.eigvalsh(correlation)[0])
    from scipy.sparse.linalg import eigsh

    start = np.ones(len(correlation))
    return float(eigsh(correlation, k=1, which="SA", tol=1e-3, v0=start, return_eigenvectors=False)[0])


def _correlation(covariance: np.ndarray, scale: np.ndarray) -> np.ndarray:
    correlation = covariance * scale
    correlation *= scale[:, None]
    return correlation


def checked_penalty(penalty, p: int, labels: list | None, penalize_diagonal: bool, what: str = "penalty") -> np.ndarray:
    """Return a penalty as (1, 1) or (p, p), or say what is wrong with it."""
    if labels is not None and hasattr(penalty, "columns"):
        penalty = _in_order(penalty, labels, what)
    if np.ndim(penalty) == 0:
        value = one_number(what, penalty)
        if not value >= 0:
            raise InputError(f"{what}: {value:g} is not a number >= 0: no solution exists below 0")
        if penalize_diagonal and np.isinf(value):
            raise InputError(f"{what}: inf on the diagonal leaves no solution: penalize_diagonal=False")
        return np.full((1, 1), value)
    values = np.require(numbers(what, penalty), np.float64, ["C", "A"])
    if values.shape != (p, p):
        raise InputError(f"{what}: shape {values.shape} for {p} variables: give one number, or one for each pair")
    if not penalize_diagonal:
        values = values.copy()
        np.fill_diagonal(values, 0.0)
    bad = np.isnan(values) | (values < 0)
    if bad.any():
        j, i = np.argwhere(bad)[0]
        raise InputError(
            f"{what}: {values[j, i]:g} at [{_name(labels, j)}, {_name(labels, i)}]: give numbers >= 0 "
            "(0 = free, inf = forbidden)"
        )
    if not np.array_equal(values, values.T):
        j, i = np.argwhere(values != values.T)[0]
        raise InputError(
            f"{what}: not symmetric: {values[j, i]:g} at [{_name(labels, j)}, {_name(labels, i)}] and "
            f"{values[i, j]:g} at [{_name(labels, i)}, {_name(labels, j)}]: give each pair one penalty"
        )
    if np.isinf(values.diagonal()).any():
        raise InputError(f"{what}: inf on the diagonal leaves no solution: penalize_diagonal=False, or finite numbers")
    return np.ones((1, 1)) * values if p == 1 else values


def _in_order(penalty, labels: list, what: str):
    """Return a table of penalties in the order of the covariance's variables."""
    if set(penalty.columns) != set(labels) or set(penalty.index) != set(labels) or len(penalty) != len(labels):
        raise InputError(f"{what}: its rows and columns are not the variables of the covariance: give the same names")
    return penalty.loc[labels, labels]


def scale_of(covariance: np.ndarray, penalty: np.ndarray, penalize_diagonal: bool) -> np.ndarray:
    """Return one over the root of W's diagonal, which the problem fixes."""
    diagonal = covariance.diagonal()
    if penalize_diagonal:
        diagonal = diagonal + penalty.diagonal()
    return 1.0 / np.sqrt(diagonal)


def _name(labels: list | None, j: int) -> str:
    return str(j) if labels is None else repr(labels[j])


@njit
def _first_not_finite(matrix):
    p = matrix.shape[0]
    for j in range(p):
        row = matrix[j]
        total = 0.0
        for i in range(p):
            total += row[i] * 0.0
        if total != 0.0:
            for i in range(p):
                if not np.isfinite(row[i]):
                    return j * p + i
    return -1


@njit
def _first_asymmetry(matrix, scale, allowed):
    """Return the place of the first entry that is not its mirror's, tile by tile; -1 where there is none."""
    p, tile = matrix.shape[0], 64
    for j0 in range(0, p, tile):
        for i0 in range(0, j0 + 1, tile):
            for j in range(j0, min(j0 + tile, p)):
                for i in range(i0, min(i0 + tile, j)):
                    if abs(matrix[j, i] - matrix[i, j]) * (scale[i] * scale[j]) > allowed:
                        return j * p + i
    return -1
