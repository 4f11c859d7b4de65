"""Covariates of a regression: what they take from the units, and what they leave of the genes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from netinfer.errors import InputError
from netinfer.moments import CONSTANT, independent_rows

# Fewest degrees of freedom of a half-sample that the covariates must leave: a slope and its error need two.
MINIMUM_LEFT = 3
_FACTOR = re.compile(r"hidden_factor_\d+")


def checked_covariates(
    covariates: np.ndarray | None, n_samples: int, rows: Sequence[np.ndarray], names: Sequence[str], n_half: int
) -> np.ndarray:
    """Centre the covariates, shape (n_samples, n_covariates), and refuse those that leave a half-sample too little.

    `n_half` is the number of units of a half-sample.

    Raises
    ------
    InputError
        If they are not finite numbers of that shape, or take too many degrees of freedom.
    """
    if covariates is None or np.size(covariates) == 0:
        return np.empty((n_samples, 0))
    matrix = np.ascontiguousarray(covariates, dtype=np.float64)
    if matrix.ndim != 2 or len(matrix) != n_samples or not np.isfinite(matrix).all():
        raise InputError(f"covariates: shape {matrix.shape}: give finite numbers, {n_samples} samples x covariates")
    matrix = matrix - matrix.mean(axis=0)
    taken, left = degrees_of_freedom(matrix, rows), n_half
    if left - taken < MINIMUM_LEFT:
        shown = " and ".join(in_words(names)) if len(in_words(names)) < 3 else ", ".join(in_words(names))
        asked = "`covariates` (cells have defaults)"
        if any(map(is_hidden_factor, names)):
            asked += ", set a smaller number of `hidden_factors`"
        raise InputError(
            f"covariates: {shown or matrix.shape[1]} take {taken} degrees of freedom, and a half-sample has "
            f"{left} units: at least {MINIMUM_LEFT} must be left: name fewer as {asked}, "
            "merge small classes, or split the data"
        )
    return matrix


def is_hidden_factor(name: str) -> bool:
    """Tell the name of a hidden factor, ``hidden_factor_3``, from that of a column of the samples."""
    return _FACTOR.fullmatch(name) is not None


def in_words(names: Sequence[str]) -> list[str]:
    """Return the names of what is projected out as people read them: hidden factors as one number.

    Examples
    --------
    >>> in_words(["batch", "hidden_factor_1", "hidden_factor_2"])
    ['batch', '2 hidden factors']
    """
    n_factors = sum(map(is_hidden_factor, names))
    counted = [f"{n_factors} hidden factor{'s' if n_factors > 1 else ''}"] if n_factors else []
    return [name for name in names if not is_hidden_factor(name)] + counted


def degrees_of_freedom(covariates: np.ndarray, unit_rows: Sequence[np.ndarray]) -> int:
    """Return the degrees of freedom that covariates take from independent units.

    The trace of the product of two projections, on the covariates and on the units: the rank where every sample is a
    unit, and less where a covariate varies within units rather than between them; rounded up.

    Parameters
    ----------
    covariates : float array, shape (n_samples, n_covariates)
    unit_rows : sequence of int arrays
        Rows of each unit; rows in none of them are left out.
    """
    if covariates.shape[1] == 0:
        return 0
    inside = covariates[np.concatenate(unit_rows)]
    inside = inside - inside.mean(axis=0)
    kept, factor = independent_rows(inside.T @ inside / len(inside))
    if not kept.size:
        return 0
    basis = np.linalg.solve(factor, inside[:, kept].T).T / np.sqrt(len(inside))
    ends = np.cumsum([len(rows) for rows in unit_rows])
    sums = np.array([part.sum(axis=0) for part in np.split(basis, ends[:-1])])
    shared = float((sums**2 / np.array([len(rows) for rows in unit_rows])[:, None]).sum())
    return int(np.ceil(shared - 1e-6))


def explained_by(covariates: np.ndarray, standardised: np.ndarray) -> np.ndarray:
    """Mark the genes of which covariates leave no more than rounding; bool array, shape (n_genes,).

    Parameters
    ----------
    covariates : float array, shape (n_samples, n_covariates), centred
    standardised : float array, shape (n_samples, n_genes)
        Centred, variance 1 (or 0).
    """
    if covariates.shape[1] == 0:
        return np.zeros(standardised.shape[1], bool)
    sizes, n = np.linalg.svd(covariates, full_matrices=False)[:2], len(covariates)
    basis = sizes[0][:, sizes[1] > 1e-9 * sizes[1][0]]
    left = 1.0 - ((basis.T @ standardised) ** 2).sum(axis=0) / n
    return (left <= CONSTANT) & (np.abs(standardised).max(axis=0, initial=0.0) > 0)
