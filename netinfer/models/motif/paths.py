"""Group Lasso over positions and Lasso over bases on counted moments, and least squares on what they select."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from netinfer.errors import ConvergenceWarning
from netinfer.moments import Moments
from netinfer.solvers import group_lasso_paths, lasso_paths

# Directions of a position with less than this share of its variance are rounding, or a base that is not there.
DEPENDENT = 1e-9
# A column of which less than this share varies freely of the others chosen has no coefficient worth a number.
COLLINEAR = 1e-6


@dataclasses.dataclass(frozen=True)
class Paths:
    """Coefficients along a grid of penalties, for each response.

    Attributes
    ----------
    coef : float array, shape (n_responses, n_penalties, n_columns)
        In units of the response.
    contribution : float array, shape (n_responses, n_penalties, n_positions)
        Standard deviation of what a position adds to the fit, in units of the response; exactly 0 where it has no
        coefficient.
    gap : float array, shape (n_responses,)
        Largest relative duality gap.
    """

    coef: np.ndarray
    contribution: np.ndarray
    gap: np.ndarray


def whitening(gram: np.ndarray, position: np.ndarray) -> tuple[sparse.csc_array, np.ndarray]:
    """Return a map under which the columns of each position are uncorrelated with variance 1, and their positions.

    The group Lasso on such columns penalises the standard deviation of each position's contribution, so that neither
    the coding nor rare bases matter (Simon and Tibshirani 2012, the standardised group Lasso).

    Parameters
    ----------
    gram : float array, shape (p, p)
    position : int array, shape (p,), rising

    Returns
    -------
    maps : sparse array, shape (p, k)
    labels : int array, shape (k,)
    """
    places, is_there, blocks = _blocks(gram, position)
    variance, axes = np.linalg.eigh(blocks)
    kept = variance > DEPENDENT * np.maximum(variance[:, -1:], DEPENDENT)
    scaled = axes / np.sqrt(np.where(kept, variance, 1.0))[:, None, :]
    number = np.cumsum(kept).reshape(kept.shape) - 1
    group, row, column = np.nonzero(is_there[:, :, None] & kept[:, None, :])
    maps = sparse.csc_array(
        (scaled[group, row, column], (places[group, row], number[group, column])), shape=(len(position), kept.sum())
    )
    return maps, position[places[:, 0]].repeat(kept.sum(axis=1)).astype(np.int64)


def _blocks(gram: np.ndarray, position: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the columns of each position, which of them are there, and their Gram, padded with zeros to one size."""
    starts = np.flatnonzero(np.diff(position, prepend=-1))
    sizes = np.diff(np.append(starts, len(position)))
    steps = np.arange(sizes.max())
    is_there = steps < sizes[:, None]
    places = np.where(is_there, starts[:, None] + steps, starts[:, None])
    blocks = gram[places[:, :, None], places[:, None, :]]
    return places, is_there, np.where(is_there[:, :, None] & is_there[:, None, :], blocks, 0.0)


def position_paths(moments: Moments, position: np.ndarray, n_positions: int, penalties: np.ndarray) -> Paths:
    """Fit the group Lasso over positions along penalties, in standard deviations of the response."""
    maps, labels = whitening(moments.gram, position)
    gram = maps.T @ (maps.T @ moments.gram).T
    gram = 0.5 * (gram + gram.T)
    np.fill_diagonal(gram, 1.0)
    sd = np.sqrt(moments.target_var)
    crosses = np.ascontiguousarray((maps.T @ moments.cross).T / np.where(sd > 0, sd, np.inf)[:, None])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = group_lasso_paths(gram, crosses, labels, penalties)
    turned = np.stack([path.coef for path in found]) * sd[:, None, None]
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    contribution = np.zeros((*turned.shape[:2], n_positions))
    contribution[:, :, labels[starts]] = np.sqrt(np.add.reduceat(turned**2, starts, axis=2))
    coef = np.stack([(maps @ of_one.T).T for of_one in turned])
    return Paths(coef, contribution, np.array([path.duality_gap.max() for path in found]))


def base_paths(moments: Moments, position: np.ndarray, n_positions: int, penalties: np.ndarray) -> Paths:
    """Fit the Lasso over the coded columns, each scaled to variance 1, along penalties."""
    variance = moments.gram.diagonal()
    varies = variance > DEPENDENT * max(float(variance.max()), DEPENDENT)
    per_sd = np.where(varies, 1.0 / np.sqrt(np.where(varies, variance, 1.0)), 0.0)
    gram = moments.gram * per_sd[:, None] * per_sd[None, :]
    np.fill_diagonal(gram, 1.0)
    sd = np.sqrt(moments.target_var)
    per_target = np.where(sd > 0, 1.0 / np.where(sd > 0, sd, 1.0), 0.0)
    crosses = np.ascontiguousarray((moments.cross * per_sd[:, None] * per_target).T)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = lasso_paths(gram, crosses, penalties, penalty_weights=np.where(varies, 1.0, np.inf))
    coef = np.stack([path.coef for path in found]) * per_sd * sd[:, None, None]
    return Paths(
        coef, contributions(coef, moments.gram, position, n_positions), np.array([p.duality_gap.max() for p in found])
    )


def contributions(coef: np.ndarray, gram: np.ndarray, position: np.ndarray, n_positions: int) -> np.ndarray:
    """Return the standard deviation of each position's part of a fit, shape (..., n_positions)."""
    places, is_there, blocks = _blocks(gram, position)
    inside = np.where(is_there, coef[..., places], 0.0)
    out = np.zeros((*coef.shape[:-1], n_positions))
    square = ((inside[..., None, :] @ blocks)[..., 0, :] * inside).sum(axis=-1)
    out[..., position[places[:, 0]]] = np.sqrt(np.maximum(square, 0.0))
    return out


def largest_penalties(moments: Moments, position: np.ndarray) -> tuple[float, float]:
    """Return the smallest penalties at which no position, and no base, of any response has a coefficient."""
    maps, labels = whitening(moments.gram, position)
    sd = np.sqrt(moments.target_var)
    crosses = (maps.T @ moments.cross) / sd
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    sizes = np.diff(np.append(starts, len(labels)))
    of_position = np.sqrt(np.add.reduceat(crosses**2, starts, axis=0) / sizes[:, None]).max()
    variance = moments.gram.diagonal()
    of_base = (np.abs(moments.cross) / np.sqrt(np.where(variance > 0, variance, np.inf))[:, None] / sd).max()
    return float(of_position), float(of_base)


def least_squares(moments: Moments, chosen: np.ndarray, response: int) -> np.ndarray:
    """Regress a response on chosen columns, shape (n_chosen,); the shortest of equal fits where they are collinear."""
    gram, cross = moments.gram[np.ix_(chosen, chosen)], moments.cross[chosen, response]
    factor = factored(gram)
    if factor is not None:
        return cho_solve(factor, cross)
    return np.linalg.lstsq(gram, cross, rcond=COLLINEAR)[0]


def factored(gram: np.ndarray) -> tuple[np.ndarray, bool] | None:
    """Return the Cholesky factor of a Gram matrix, None where a column is a combination of others."""
    try:
        factor = cho_factor(gram, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    free = factor[0].diagonal() ** 2
    return factor if (free > COLLINEAR * gram.diagonal()).all() else None
