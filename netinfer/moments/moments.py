"""Second moments of regulators and targets over a set of samples."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy.linalg import solve_triangular

from netinfer.errors import InputError

# Below this share of the variance that a gene has over all samples, it counts as constant in a subset: what is left
# is rounding, and dividing by it would turn rounding into correlation.
CONSTANT = 1e-10
# A covariate of whose variance less than this share is its own, beside the others, is dependent on them.
DEPENDENT = 1e-9
# Products and sums over samples run over blocks of this many targets. BLAS and numpy may order a sum by the width of
# the array, so a chunk of targets that starts at a multiple of it gets the same bits as all targets at once.
TARGET_BLOCK = 64


@dataclasses.dataclass(frozen=True)
class Moments:
    """Means and centred second moments of a set of samples; all that an L1 regression needs.

    ``a + b`` are the moments of the samples of both, ``a - b`` of the samples of ``a`` that are not in ``b`` (Chan,
    Golub and LeVeque 1983), so that the complement of a half-sample costs no product.

    Attributes
    ----------
    n : int
        Number of samples.
    regulator_mean : float array, shape (n_regulators,)
    target_mean : float array, shape (n_targets,)
    gram : float array, shape (n_regulators, n_regulators)
        Covariance of the regulators, divisor n.
    cross : float array, shape (n_regulators, n_targets)
        Covariance of regulators and targets, divisor n.
    target_var : float array, shape (n_targets,)
        Variance of the targets, divisor n.
    regulator_names, target_names : tuple of str
        Empty where the arrays had no names.
    """

    n: int
    regulator_mean: np.ndarray
    target_mean: np.ndarray
    gram: np.ndarray
    cross: np.ndarray
    target_var: np.ndarray
    regulator_names: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()

    @property
    def mean(self) -> np.ndarray:
        """Means of regulators, then of targets, shape (n_regulators + n_targets,)."""
        return np.concatenate([self.regulator_mean, self.target_mean])

    def __add__(self, other: Moments) -> Moments:
        return self._combine(other, 1)

    def __sub__(self, other: Moments) -> Moments:
        return self._combine(other, -1)

    def _combine(self, other: Moments, sign: int) -> Moments:
        if self.cross.shape != other.cross.shape or self.names != other.names:
            raise InputError("moments: of other regulators or targets: combine moments of the same genes only")
        n = self.n + sign * other.n
        if n <= 0:
            raise InputError(f"moments: {self.n} samples less {other.n} leaves none: subtract a true subset")
        away_r = other.regulator_mean - self.regulator_mean
        away_t = other.target_mean - self.target_mean
        # Scatter about the joint mean; for a difference the same identity holds with negative counts.
        shift = sign * self.n * other.n / n
        gram = (self.n * self.gram + sign * other.n * other.gram + shift * np.outer(away_r, away_r)) / n
        cross = (self.n * self.cross + sign * other.n * other.cross + shift * np.outer(away_r, away_t)) / n
        variance = (self.n * self.target_var + sign * other.n * other.target_var + shift * away_t**2) / n
        return dataclasses.replace(
            self,
            n=n,
            regulator_mean=self.regulator_mean + sign * other.n / n * away_r,
            target_mean=self.target_mean + sign * other.n / n * away_t,
            gram=gram,
            cross=cross,
            target_var=np.maximum(variance, 0.0),
        )

    def standardised(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what the solvers take, with every variance 1.

        Returns
        -------
        gram : float array, shape (n_regulators, n_regulators)
            Correlations of the regulators.
        crosses : float array, shape (n_targets, n_regulators)
            Correlations of each target, a row, with the regulators.

        Raises
        ------
        InputError
            If a regulator or a target is the same in every sample.

        Examples
        --------
        >>> moments = from_matrix(np.array([[1.0], [2.0], [4.0]]), np.array([[2.0], [4.0], [8.0]]))
        >>> gram, crosses = moments.standardised()
        >>> gram, crosses.round(6)
        (array([[1.]]), array([[1.]]))
        """
        variance = np.concatenate([self.gram.diagonal(), self.target_var])
        size = np.concatenate([self.regulator_mean, self.target_mean]) ** 2
        constant = variance <= CONSTANT * CONSTANT * size
        if constant.any():
            place, n_regulators = int(constant.argmax()), len(self.regulator_mean)
            kind = "regulator" if place < n_regulators else "target"
            place -= 0 if place < n_regulators else n_regulators
            names = self.regulator_names if kind == "regulator" else self.target_names
            raise InputError(
                f"moments: {kind} {names[place] if names else place} is the same in every sample: leave it out"
            )
        per_sd, per_target = 1.0 / np.sqrt(self.gram.diagonal()), 1.0 / np.sqrt(self.target_var)
        gram = self.gram * per_sd[:, None] * per_sd[None, :]
        np.fill_diagonal(gram, 1.0)
        return gram, np.ascontiguousarray((self.cross * per_sd[:, None] * per_target[None, :]).T)

    @property
    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Regulator names and target names."""
        return self.regulator_names, self.target_names


def from_matrix(regulators, targets, rows=None) -> Moments:
    """Take the moments of a set of samples.

    Parameters
    ----------
    regulators : float array or DataFrame, shape (n_samples, n_regulators)
    targets : float array or DataFrame, shape (n_samples, n_targets)
    rows : int array, optional
        Samples to use, in any order; all by default.

    Returns
    -------
    Moments
        Centred by the means of these samples, divisor n.

    Raises
    ------
    InputError
        If the numbers of samples differ, there is none, or a value is not finite.

    Notes
    -----
    Two passes (means first), float64, so that a mean of 1e9 with a standard deviation of 1 keeps its digits.
    Costs n P (P + G) multiply-adds. The bits of a target's moments depend on its block of 64 targets alone.
    """
    names = tuple(tuple(map(str, getattr(table, "columns", ()))) for table in (regulators, targets))
    x, y = np.asarray(regulators, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
        raise InputError(f"moments: regulators {x.shape} and targets {y.shape} must be samples x genes, same samples")
    if rows is not None:
        x, y = x[rows], y[rows]
    if len(x) == 0:
        raise InputError("moments: no samples given")
    n = len(x)
    x, x_mean = _centred(x)
    cross, target_mean = np.empty((x.shape[1], y.shape[1])), np.empty(y.shape[1])
    target_var = np.empty(y.shape[1])
    for first in range(0, y.shape[1], TARGET_BLOCK):
        block = slice(first, first + TARGET_BLOCK)
        centred, target_mean[block] = _centred(y[:, block])
        cross[:, block] = x.T @ centred
        target_var[block] = np.einsum("ij,ij->j", centred, centred)
    moments = Moments(
        n=n,
        regulator_mean=x_mean,
        target_mean=target_mean,
        gram=symmetric(x.T @ x) / n,
        cross=cross / n,
        target_var=target_var / n,
        regulator_names=names[0],
        target_names=names[1],
    )
    if not (np.isfinite(moments.gram).all() and np.isfinite(moments.cross).all()):
        raise InputError("moments: values are NaN, infinite, or too large to square: impute or rescale them first")
    return moments


def project_out(moments: Moments, n_covariates: int) -> Moments:
    """Return the moments of what the last regulators, the covariates, leave of the others and of the targets.

    The residual moments of a least-squares fit on the covariates and a constant:
    ``gram - C A^+ C'`` with ``A`` the covariates' covariance and ``C`` the regulators' covariance with them (Frisch and
    Waugh 1933; Lovell 1963), so that a half-sample is adjusted by its own samples alone.

    Parameters
    ----------
    moments : Moments
        The last `n_covariates` regulators are the covariates.
    n_covariates : int

    Returns
    -------
    Moments
        Of the other regulators and the targets; every mean is 0, since the fit has a constant.

    Notes
    -----
    A covariate that the samples at hand do not tell apart from the ones before it (a class without a sample in this
    half) is left out of ``A``.
    """
    if n_covariates == 0:
        return moments
    p = moments.gram.shape[0] - n_covariates
    kept, factor = independent_rows(moments.gram[p:, p:])
    # Rows of L^-1 C', so that the adjustment is symmetric and its diagonal never negative.
    by_regulator = _forward(factor, moments.gram[p:, :p][kept])
    cross = np.empty((p, moments.cross.shape[1]))
    variance = np.empty_like(moments.target_var)
    for first in range(0, cross.shape[1], TARGET_BLOCK):
        block = slice(first, first + TARGET_BLOCK)
        by_target = _forward(factor, moments.cross[p:, block][kept])
        cross[:, block] = moments.cross[:p, block] - by_regulator.T @ by_target
        variance[block] = moments.target_var[block] - np.einsum("ij,ij->j", by_target, by_target)
    gram = moments.gram[:p, :p] - symmetric(by_regulator.T @ by_regulator)
    # What is left of a gene that the covariates explain is rounding of its own variance, on either side of zero.
    left, whole = gram.diagonal().copy(), moments.gram.diagonal()[:p]
    is_gone = left <= CONSTANT * whole
    gram[is_gone, :] = 0.0
    gram[:, is_gone] = 0.0
    cross[is_gone] = 0.0
    is_gone = variance <= CONSTANT * moments.target_var
    cross[:, is_gone] = 0.0
    variance[is_gone] = 0.0
    return dataclasses.replace(
        moments,
        regulator_mean=np.zeros(p),
        target_mean=np.zeros(len(variance)),
        gram=gram,
        cross=cross,
        target_var=variance,
        regulator_names=moments.regulator_names[:p],
    )


def independent_rows(covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of a covariance that are no combination of earlier ones, and the Cholesky factor of theirs.

    Parameters
    ----------
    covariance : float array, shape (q, q)

    Returns
    -------
    kept : int array, shape (rank,)
    factor : float array, shape (rank, rank), lower triangular
    """
    size = covariance.diagonal()
    kept: list[int] = []
    rows: list[np.ndarray] = []
    for j in range(len(covariance)):
        row = solve_triangular(np.array(rows), covariance[kept, j], lower=True) if kept else np.empty(0)
        left = size[j] - row @ row
        if left <= DEPENDENT * max(size[j], CONSTANT):
            continue
        kept.append(j)
        rows = [np.append(old, 0.0) for old in rows]
        rows.append(np.append(row, np.sqrt(left)))
    return np.array(kept, dtype=np.int64), np.array(rows).reshape(len(kept), len(kept))


def _forward(factor: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return solve_triangular(factor, rows, lower=True) if len(factor) else np.empty((0, rows.shape[1]))


def symmetric(matrix: np.ndarray) -> np.ndarray:
    """Return a copy of the matrix whose lower triangle is its upper one, exactly, shape (p, p)."""
    upper = np.triu(matrix)
    return upper + np.triu(matrix, 1).T


def _centred(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = matrix.mean(axis=0)
    centred = np.ascontiguousarray(matrix - mean)
    # The mean of n values is off by rounding of their size; a second pass takes that out.
    left = centred.mean(axis=0)
    return centred - left, mean + left


def inverse_sd(variance: np.ndarray, reference: np.ndarray | None = None) -> np.ndarray:
    """Return 1 / standard deviation, 0 for what is constant beside the reference variance.

    Parameters
    ----------
    variance : float array, shape (n_genes,)
        Variance in the subset.
    reference : float array, shape (n_genes,), optional
        Variance over all samples; 1 by default.
    """
    floor = CONSTANT * (np.ones_like(variance) if reference is None else reference)
    out = np.zeros_like(variance)
    varies = variance > floor
    out[varies] = 1.0 / np.sqrt(variance[varies])
    return out
