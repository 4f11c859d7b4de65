r"""Second moments of one-hot coded sequences, by counting pairs of bases.

Most sequences of a library differ from the commonest base at few positions. Only these differences are listed, and a
pair of them is counted where both are in one sequence, so that a set of sequences costs :math:`n k^2 / 2` additions for
k differences each; no n x 4L matrix is ever made. Sums of counts are sums of sets: what a half-sample leaves is a
difference. Means and covariances of any coding without redundancy follow by linear maps.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import sparse

from netinfer.errors import ConfigError, InputError
from netinfer.kernels import njit
from netinfer.moments.moments import Moments

CODINGS = ("reference", "zero_sum")
N_BASES = 4


@dataclasses.dataclass(frozen=True, eq=False)
class BaseDesign:
    """Where sequences differ from the commonest base of each position.

    Attributes
    ----------
    modal : uint8 array, shape (n_positions,)
        The commonest base; of equally common ones the first of A, C, G, T.
    position, base : int arrays, shape (n_columns,)
        Each other base that occurs, sorted by position, then base. A position without variation has none.
    start, column : int arrays, shapes (n_sequences + 1,), (n_differences,)
        Columns of sequence i: ``column[start[i]:start[i + 1]]``, rising.
    n_of_base : int array, shape (n_positions, 4)
        Sequences with each base.
    """

    modal: np.ndarray
    position: np.ndarray
    base: np.ndarray
    start: np.ndarray
    column: np.ndarray
    n_of_base: np.ndarray

    @property
    def n_columns(self) -> int:
        """Number of bases other than the commonest ones."""
        return len(self.position)

    def matrix(self, rows: np.ndarray | None = None) -> sparse.csr_array:
        """Return the sequences x columns matrix of 0 and 1, sparse, shape (n_rows, n_columns)."""
        whole = sparse.csr_array(
            (np.ones(len(self.column)), self.column, self.start), shape=(len(self.start) - 1, self.n_columns)
        )
        return whole if rows is None else whole[rows]


@dataclasses.dataclass(frozen=True, eq=False)
class BaseCounts:
    """Weighted counts of bases and of pairs of bases in a set of sequences, and sums of their responses.

    ``a + b`` are the counts of both sets, ``a - b`` of those of ``a`` that are not in ``b``.

    Attributes
    ----------
    n : float
        Sum of the weights; without weights the number of sequences.
    pair : float array, shape (n_columns, n_columns)
        Weight of the sequences that have both bases; on the diagonal, of those that have the base.
    cross : float array, shape (n_columns, n_responses)
        Weighted sum of the responses of the sequences that have the base.
    total, square : float arrays, shape (n_responses,)
        Weighted sums of the responses and of their squares.
    """

    n: float
    pair: np.ndarray
    cross: np.ndarray
    total: np.ndarray
    square: np.ndarray

    def __add__(self, other: BaseCounts) -> BaseCounts:
        return self._combine(other, 1.0)

    def __sub__(self, other: BaseCounts) -> BaseCounts:
        return self._combine(other, -1.0)

    def _combine(self, other: BaseCounts, sign: float) -> BaseCounts:
        if self.cross.shape != other.cross.shape:
            raise InputError("base counts: of other positions or responses: combine counts of one design")
        return BaseCounts(*(mine + sign * theirs for mine, theirs in zip(_values(self), _values(other), strict=True)))

    def moments(self, transform: sparse.csr_array | None = None) -> Moments:
        """Return means and covariances, divisor the sum of weights.

        Parameters
        ----------
        transform : sparse array, shape (n_columns, n_columns), optional
            Of a `Coding`; without it, of the columns as counted.

        Returns
        -------
        Moments
            `n` is the sum of weights. Constant parts of a coding are left out of its means, which centring removes.

        Raises
        ------
        InputError
            If nothing is counted.
        """
        if not self.n > 0:
            raise InputError("base counts: no sequence, or weights of zero alone: give some")
        mean, centre = self.pair.diagonal() / self.n, self.total / self.n
        gram = self.pair / self.n - np.outer(mean, mean)
        cross = self.cross / self.n - np.outer(mean, centre)
        if transform is not None:
            gram = transform @ (transform @ gram).T
            gram = 0.5 * (gram + gram.T)
            mean, cross = transform @ mean, transform @ cross
        variance = np.maximum(self.square / self.n - centre**2, 0.0)
        n = int(self.n) if float(self.n).is_integer() else self.n
        return Moments(n, mean, centre, np.ascontiguousarray(gram), np.ascontiguousarray(cross), variance)  # type: ignore[arg-type]


def _values(counts: BaseCounts) -> tuple:
    return counts.n, counts.pair, counts.cross, counts.total, counts.square


@dataclasses.dataclass(frozen=True, eq=False)
class Coding:
    """A coding of bases without redundancy, as linear maps of the counted columns.

    Attributes
    ----------
    name : {"reference", "zero_sum"}
        ``reference``: a coefficient is the difference to the reference base. ``zero_sum``: the coefficients of the
        bases that occur at a position sum to zero; the reference base's is minus the sum of the others.
    reference : uint8 array, shape (n_positions,)
        The base of each position without a column of its own.
    position, base : int arrays, shape (n_columns,)
    transform : sparse array, shape (n_columns, n_columns), or None
        Coded column = transform @ counted column + constant; None where they are the same.
    expand : sparse array, shape (4 n_positions, n_columns)
        Coefficients of all four bases of each position from those of the columns.
    """

    name: str
    reference: np.ndarray
    position: np.ndarray
    base: np.ndarray
    transform: sparse.csr_array | None
    expand: sparse.csr_array

    def by_base(self, coef: np.ndarray) -> np.ndarray:
        """Return the coefficients of the bases, shape (n_positions, 4), from those of the columns (n_columns,)."""
        return (self.expand @ coef).reshape(-1, N_BASES)


def base_design(codes: np.ndarray) -> BaseDesign:
    """List where sequences differ from the commonest base of each position.

    Parameters
    ----------
    codes : uint8 array, shape (n_sequences, n_positions)
        0 to 3 for A, C, G, T.

    Raises
    ------
    InputError
        If a code is above 3, or there is no sequence.
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or not codes.size:
        raise InputError(f"codes: shape {codes.shape}: give sequences x positions")
    if codes.max() >= N_BASES:
        row, place = divmod(int((codes >= N_BASES).argmax()), codes.shape[1])
        raise InputError(f"codes: {codes[row, place]} of sequence {row}, position {place} is no base: drop or fill it")
    n_positions = codes.shape[1]
    n_of_base = np.stack([(codes == base).sum(axis=0) for base in range(N_BASES)], axis=1)
    modal = n_of_base.argmax(axis=1).astype(np.uint8)
    occurs = n_of_base > 0
    occurs[np.arange(n_positions), modal] = False
    position, base = np.nonzero(occurs)
    number = np.full((n_positions, N_BASES), -1, np.int32)
    number[position, base] = np.arange(len(position))
    rows, places = np.nonzero(codes != modal)
    start = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(codes)))])
    return BaseDesign(modal, position, base, start, number[places, codes[rows, places]], n_of_base)


@njit
def _count(start, column, rows, weights, responses, pair, cross, total, square):
    n_responses = responses.shape[1]
    for r in rows:
        w = weights[r]
        for a in range(start[r], start[r + 1]):
            i = column[a]
            for b in range(a, start[r + 1]):
                pair[i, column[b]] += w
            for t in range(n_responses):
                cross[i, t] += w * responses[r, t]
        for t in range(n_responses):
            y = responses[r, t]
            total[t] += w * y
            square[t] += w * y * y


def count_bases(
    design: BaseDesign, responses: np.ndarray, weights: np.ndarray | None = None, rows: np.ndarray | None = None
) -> BaseCounts:
    """Count bases and pairs of bases, and sum responses over the sequences that have them.

    Parameters
    ----------
    design : BaseDesign
    responses : float array, shape (n_sequences, n_responses)
        Centre them first where their mean is large beside their spread: the sums are of raw products.
    weights : float array, shape (n_sequences,), >= 0, optional
    rows : int array, optional
        Sequences to count; all by default.

    Returns
    -------
    BaseCounts
        Without weights the counts are whole numbers, exact, so that differences are exact too.
    """
    n_sequences, p = len(design.start) - 1, design.n_columns
    responses = np.ascontiguousarray(responses, dtype=np.float64)
    weights = np.ones(n_sequences) if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
    if responses.ndim != 2 or len(responses) != n_sequences or weights.shape != (n_sequences,):
        raise InputError(
            f"count_bases: responses {responses.shape} and weights {weights.shape} for {n_sequences} sequences"
        )
    rows = np.arange(n_sequences) if rows is None else np.asarray(rows, dtype=np.int64)
    pair, cross = np.zeros((p, p)), np.zeros((p, responses.shape[1]))
    total, square = np.zeros(responses.shape[1]), np.zeros(responses.shape[1])
    _count(design.start, design.column, rows, weights, responses, pair, cross, total, square)
    return BaseCounts(float(weights[rows].sum()), pair + np.triu(pair, 1).T, cross, total, square)


def make_coding(design: BaseDesign, name: str = "reference", reference: np.ndarray | None = None) -> Coding:
    """Return the linear maps of a coding.

    Parameters
    ----------
    design : BaseDesign
    name : {"reference", "zero_sum"}
    reference : uint8 array, shape (n_positions,), optional
        Base of each position without a column of its own; the commonest one by default, and where the one given does
        not occur.

    Raises
    ------
    ConfigError
        If the coding is unknown.
    """
    if name not in CODINGS:
        raise ConfigError(f"coding: {name!r} is unknown: use {' or '.join(CODINGS)}")
    n_positions, p = len(design.modal), design.n_columns
    wanted = design.modal if reference is None else np.asarray(reference, dtype=np.uint8)
    occurs = design.n_of_base > 0
    does = occurs[np.arange(n_positions), wanted]
    without = np.where(does, wanted, design.modal).astype(np.uint8)
    coded = occurs.copy()
    coded[np.arange(n_positions), without] = False
    position, base = np.nonzero(coded)
    # An indicator of every base as a map of the counted columns: that of the commonest is 1 less all others.
    counted = sparse.csr_array(
        (np.ones(p), (design.position * N_BASES + design.base, np.arange(p))), shape=(N_BASES * n_positions, p)
    )
    common = sparse.csr_array(
        (-np.ones(p), (design.position * N_BASES + design.modal[design.position], np.arange(p))),
        shape=(N_BASES * n_positions, p),
    )
    indicator = (counted + common).tocsr()
    place, left_out = position * N_BASES + base, position * N_BASES + without[position]
    transform = indicator[place]
    expand = sparse.csr_array((np.ones(p), (place, np.arange(p))), shape=(N_BASES * n_positions, p))
    if name == "zero_sum":
        transform = transform - indicator[left_out]
        expand = expand - sparse.csr_array((np.ones(p), (left_out, np.arange(p))), shape=expand.shape)
    is_same = name == "reference" and bool((without == design.modal).all())
    return Coding(name, without, position, base, None if is_same else transform.tocsr(), expand.tocsr())
