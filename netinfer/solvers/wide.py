"""Samples of many predictors, centred once: what the solvers that never form a p x p Gram matrix work on."""

from __future__ import annotations

import dataclasses

import numpy as np

from netinfer.errors import InputError
from netinfer.kernels import njit
from netinfer.solvers.certificate import relative_duality_gap
from netinfer.solvers.checks import numbers

# A predictor that varies by less than this share of its size carries rounding.
CONSTANT_RANGE = 1e-10


@dataclasses.dataclass(frozen=True)
class WideDesign:
    """Centred predictors and their variances.

    Attributes
    ----------
    x : float array, shape (n_samples, n_regulators), C- or Fortran-contiguous
        Every column has mean 0.
    variance : float array, shape (n_regulators,)
        Mean squares of the columns; 0 for one that is never looked at.
    """

    x: np.ndarray
    variance: np.ndarray

    def rows(self, places: np.ndarray) -> np.ndarray:
        """Return the columns at some places as rows, shape (n_places, n_samples), contiguous."""
        return np.ascontiguousarray(self.x.T[places])


def centred(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre the columns of an array; return it, in the layout it came in, and their mean squares."""
    mean = values.mean(axis=0)
    out = values - mean
    square = np.einsum("ij,ij->j", out, out) / len(values)
    # The mean of n values is off by rounding of their size; where that shows, a second pass takes it out.
    if (np.abs(mean) > 1e3 * np.sqrt(square)).any():
        out -= out.mean(axis=0)
        square = np.einsum("ij,ij->j", out, out) / len(values)
    square[np.sqrt(square) <= CONSTANT_RANGE * np.abs(mean)] = 0.0
    return out, square


def wide_design(x: np.ndarray, *, allowed: np.ndarray | None = None) -> WideDesign:
    """Centre predictors, shape (n_samples, n_regulators).

    Parameters
    ----------
    x : float array, shape (n_samples, n_regulators)
    allowed : bool array, shape (n_regulators,), optional
        Columns that may be constant are those that are not allowed in.

    Raises
    ------
    InputError
        If the shape is wrong, a value is not finite, or an allowed column is constant.
    """
    x = numbers("x", x)
    if x.ndim != 2 or len(x) < 2 or x.shape[1] == 0:
        raise InputError(f"x: shape {x.shape}: give samples x predictors, two samples or more")
    if not (x.flags.c_contiguous or x.flags.f_contiguous):
        x = np.ascontiguousarray(x)
    with np.errstate(over="ignore", invalid="ignore"):
        moved, variance = centred(x)
    if not np.isfinite(variance).all():
        column = int((~np.isfinite(variance)).argmax())
        bad = np.flatnonzero(~np.isfinite(x[:, column]))
        if bad.size:
            raise InputError(
                f"x: column {column} is NaN or infinite in row {int(bad[0])}: impute or drop that predictor first"
            )
        raise InputError(f"x: column {column} is too large to square: rescale it")
    is_constant = variance == 0.0
    if allowed is not None:
        is_constant &= allowed
    if is_constant.any():
        raise InputError(
            f"x: column {int(is_constant.argmax())} is the same in every sample ({int(is_constant.sum())} such "
            "columns): drop it, or forbid it by an infinite penalty weight"
        )
    return WideDesign(moved, variance)


@njit
def outside(gradient, reach, penalties, slack, worst, excess, passing):
    """Look along rows of the gradient, shape (n_penalties, p), for predictors that break the optimality conditions.

    reach : (p,), 1 / penalty weight; 0 for what is not looked at
    Writes ``worst``, the largest |gradient| / weight of each row, and ``excess``, the largest |gradient| - penalty x
    weight or 0; raises ``passing`` (p,) to the largest |gradient| / (penalty x weight) of those above 1 + slack.
    """
    for k in range(penalties.size):
        line = gradient[k]
        penalty = penalties[k]
        top, far = 0.0, 0.0
        for j in range(reach.size):
            ratio = abs(line[j]) * reach[j]
            if ratio > top:
                top = ratio
            if ratio > penalty:
                far = max(far, (ratio - penalty) / reach[j])
                if ratio > penalty * (1.0 + slack):
                    passing[j] = max(passing[j], ratio / penalty)
        worst[k] = top
        excess[k] = far


@njit
def certify(cross, coef, gradient, penalties, weights, worst, variance, gap):
    """Write the relative duality gap of solutions that are zero outside some places.

    cross, weights : (m,); coef, gradient : (n_penalties, m), of those places, whose Gram matrix has a unit diagonal
    worst : (n_penalties,), the largest |gradient| / weight of all the others, which enter the certificate as one more
    predictor, of weight 1.
    """
    m = cross.size
    forbidden, diagonal = np.zeros(m + 1, np.bool_), np.ones(m + 1)
    joint_cross, joint_coef = np.zeros(m + 1), np.zeros(m + 1)
    joint_gradient, joint_weights = np.zeros(m + 1), np.ones(m + 1)
    joint_cross[:m] = cross
    joint_weights[:m] = weights
    for k in range(penalties.size):
        joint_coef[:m] = coef[k]
        joint_gradient[:m] = gradient[k]
        joint_gradient[m] = worst[k]
        gap[k] = relative_duality_gap(
            diagonal, joint_cross, joint_coef, joint_gradient, penalties[k], joint_weights, forbidden, variance
        )
