"""What a motif-position model is fitted to: coded sequences, responses, weights and independent units, all checked."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from netinfer.errors import ConfigError, InputError
from netinfer.io.ids import some
from netinfer.io.sequences import AMBIGUOUS, FEWEST_SEQUENCES, ON_AMBIGUOUS, SequenceSet, as_sequences
from netinfer.models.motif.rows import matched
from netinfer.moments.onehot import BaseCounts, BaseDesign, Coding, base_design, count_bases, make_coding

FAMILIES = ("gaussian", "binomial")
# Sequences of a class, of a binomial model.
FEWEST_OF_A_CLASS = 8


@dataclasses.dataclass(frozen=True, eq=False)
class MotifProblem:
    """Sequences and responses of one model, in an order that does not depend on how they were given.

    Attributes
    ----------
    family : {"gaussian", "binomial"}
    codes : uint8 array, shape (n, n_positions)
        Sorted by sequence, then response.
    responses : float array, shape (n, n_responses)
        Less `centre`; 0 and 1 less their mean where there are two classes.
    centre : float array, shape (n_responses,)
    names : tuple of str, one a response
    weights : float array, shape (n,), or None
    unit : int array, shape (n,)
        Number of the independent unit: identical sequences are one.
    design, coding : BaseDesign, Coding
    letters : str
    classes : tuple of two labels, or ()
    constant : int array
        Positions without variation, which have no coefficient.
    n_dropped : int
        Sequences left out: with ambiguous letters, or without a response.
    notes : tuple of str
    row : int array, shape (n,)
        Place of each sequence among those that were given.
    """

    family: str
    codes: np.ndarray
    responses: np.ndarray
    centre: np.ndarray
    names: tuple[str, ...]
    weights: np.ndarray | None
    unit: np.ndarray
    design: BaseDesign
    coding: Coding
    letters: str
    classes: tuple[Any, ...]
    constant: np.ndarray
    n_dropped: int
    notes: tuple[str, ...]
    row: np.ndarray

    @property
    def n_units(self) -> int:
        """Number of distinct sequences."""
        return int(self.unit[-1]) + 1

    @property
    def n_positions(self) -> int:
        """Length of the sequences."""
        return self.codes.shape[1]

    @property
    def varying(self) -> np.ndarray:
        """Positions with variation."""
        return np.setdiff1d(np.arange(self.n_positions), self.constant)

    @property
    def is_case(self) -> np.ndarray:
        """Whether a sequence is of the second class, of a binomial model."""
        return self.responses[:, 0] > 0

    def rows_of(self, units: np.ndarray) -> np.ndarray:
        """Return the rows of some units, rising."""
        inside = np.zeros(self.n_units, dtype=bool)
        inside[units] = True
        return np.flatnonzero(inside[self.unit])

    def count(self, rows: np.ndarray | None = None) -> BaseCounts:
        """Count the bases of some rows, all by default."""
        return count_bases(self.design, self.responses, self.weights, rows)

    def worth(self, rows: np.ndarray) -> int:
        """Return how many units of equal weight carry the information of some rows (Kish 1965), rounded down."""
        weights = np.ones(len(rows)) if self.weights is None else self.weights[rows]
        sums = np.bincount(self.unit[rows], weights=weights)
        return int(sums.sum() ** 2 / (sums**2).sum() + 1e-9)


def make_problem(
    sequences: Any,
    activity: Any,
    *,
    family: str = "gaussian",
    weights: Any = None,
    coding: str = "reference",
    reference: str | None = None,
    ambiguous: str = "drop",
    align: str | None = None,
    positive: Any = None,
    rows: np.ndarray | None = None,
) -> MotifProblem:
    """Check sequences and responses, match them, and put them in order.

    Parameters
    ----------
    sequences, activity, family, weights, coding, reference, ambiguous, align, positive
        As for `fit_motif_positions`; `activity` may have several columns, one a response.
    rows : bool array, shape (n_sequences,), optional
        Sequences to use.

    Raises
    ------
    InputError, ConfigError
        See `fit_motif_positions`.
    """
    if family not in FAMILIES:
        raise ConfigError(f"family: {family!r} is unknown: use {' or '.join(FAMILIES)}")
    if ambiguous not in ON_AMBIGUOUS:
        raise ConfigError(f"ambiguous: {ambiguous!r} is unknown: use {' or '.join(ON_AMBIGUOUS)}")
    if positive is not None and family != "binomial":
        raise ConfigError(f"positive: {positive!r} names a class, and family gaussian has none: set binomial")
    given = as_sequences(sequences, align=align)
    names, table = matched(given, activity)
    notes = list(given.notes)
    values, classes = _responses(table, names, family, positive)
    amounts = _checked_weights(given, weights)
    kept = np.isfinite(values).all(axis=1)
    if rows is not None:
        kept &= rows
    used = int(kept.sum())
    n_missing = (len(given) if rows is None else int(rows.sum())) - used
    if n_missing:
        notes.append(f"{n_missing} sequences have no activity and are left out")
    codes, is_whole = _filled(given, kept, ambiguous, reference, notes)
    kept &= is_whole
    if amounts is not None:
        kept &= amounts > 0
    codes, values = codes[kept], values[kept]
    amounts = None if amounts is None else amounts[kept]
    _check_size(codes, values, names, classes)
    if amounts is not None:
        order = np.lexsort((amounts, *values.T[::-1], *codes.T[::-1]))
        amounts = amounts[order]
    else:
        order = np.lexsort((*values.T[::-1], *codes.T[::-1]))
    codes, values = np.ascontiguousarray(codes[order]), values[order]
    differs = (codes[1:] != codes[:-1]).any(axis=1)
    unit = np.concatenate([[0], np.cumsum(differs)])
    design = base_design(codes)
    constant = np.setdiff1d(np.arange(codes.shape[1]), design.position)
    if int(unit[-1]) + 1 < len(codes):
        notes.append(f"{len(codes)} sequences are {int(unit[-1]) + 1} distinct ones, which are the independent units")
    if constant.size:
        notes.append(f"positions without variation have no coefficient: {_places(constant)}")
    wanted = None if reference is None else _reference(reference, given, codes.shape[1])
    if wanted is not None:
        absent = np.flatnonzero(design.n_of_base[np.arange(len(wanted)), wanted] == 0)
        if absent.size:
            notes.append(
                f"the reference base does not occur at {_places(absent)}: the commonest base stands in for it there"
            )
    centre = np.average(values, axis=0, weights=amounts)
    return MotifProblem(
        family=family,
        codes=codes,
        responses=values - centre,
        centre=centre,
        names=names,
        weights=amounts,
        unit=unit,
        design=design,
        coding=make_coding(design, coding, wanted),
        letters=given.letters()[:4],
        classes=classes,
        constant=constant,
        n_dropped=(len(given) if rows is None else int(rows.sum())) - len(codes),
        notes=tuple(notes),
        row=np.flatnonzero(kept)[order],
    )


def _responses(table: np.ndarray, names: tuple[str, ...], family: str, positive: Any) -> tuple[np.ndarray, tuple]:
    import pandas as pd

    if family == "gaussian":
        try:
            values = table.astype(np.float64)
        except (TypeError, ValueError):
            bad = next(value for value in table.ravel() if not _is_number(value))
            raise InputError(f"activity: {str(bad)!r} is no number: family binomial takes classes") from None
        if np.isinf(values).any():
            raise InputError(f"activity: {int(np.isinf(values).sum())} values are infinite: leave them out")
        return values, ()
    if table.shape[1] != 1:
        raise ConfigError(f"activity: {table.shape[1]} responses, and family binomial takes one: fit them one by one")
    column = pd.Series(table[:, 0])
    known = column.dropna()
    labels = sorted(known.unique().tolist(), key=lambda value: (str(type(value)), value))
    if len(labels) != 2:
        raise InputError(f"activity: {len(labels)} classes ({some([str(v) for v in labels])}): binomial takes two")
    if positive is not None:
        if positive not in labels:
            raise ConfigError(f"positive: {positive!r} is no class: there are {labels[0]!r} and {labels[1]!r}")
        labels = [label for label in labels if label != positive] + [positive]
    values = np.where(column.isna(), np.nan, (column == labels[1]).astype(float))
    return values[:, None].astype(np.float64), tuple(labels)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _checked_weights(given: SequenceSet, weights: Any) -> np.ndarray | None:
    if weights is None:
        return None
    amounts = matched(given, weights, "weights")[1].astype(np.float64)[:, 0]
    bad = ~np.isfinite(amounts) | (amounts < 0)
    if bad.any():
        i = int(bad.argmax())
        raise InputError(f"weights: {amounts[i]} of sequence {given.ids[i]!r}: give finite numbers of 0 or more")
    if not (amounts > 0).any():
        raise InputError("weights: all are zero: give counts, or leave them out")
    return amounts


def _filled(
    given: SequenceSet, kept: np.ndarray, ambiguous: str, reference: str | None, notes: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return codes without ambiguous letters, and which sequences are whole."""
    unclear = given.codes == AMBIGUOUS
    has_unclear = unclear.any(axis=1) & kept
    n_unclear = int(has_unclear.sum())
    if not n_unclear:
        return given.codes, ~unclear.any(axis=1)
    if ambiguous == "drop":
        if n_unclear > kept.sum() // 2:
            i = int(has_unclear.argmax())
            raise InputError(
                f"sequences: {n_unclear} of {int(kept.sum())} have ambiguous letters or gaps, such as {given.ids[i]!r}"
                ": set ambiguous='reference' to read them as the reference base"
            )
        notes.append(f"{n_unclear} sequences with ambiguous letters or gaps were left out")
        return given.codes, ~unclear.any(axis=1)
    if reference is not None:
        fill = _reference(reference, given, given.n_positions)
    else:
        fill = np.stack([(given.codes[kept] == base).sum(axis=0) for base in range(4)]).argmax(axis=0).astype(np.uint8)
    notes.append(f"ambiguous letters and gaps of {n_unclear} sequences were read as the reference base")
    return np.where(unclear, fill, given.codes), np.ones(len(given), dtype=bool)


def _reference(reference: str, given: SequenceSet, n_positions: int) -> np.ndarray:
    codes = as_sequences([reference], where="reference").codes[0]
    if len(codes) != n_positions or (codes == AMBIGUOUS).any():
        raise InputError(
            f"reference: {len(codes)} letters, for sequences of {n_positions}: give the wild type, in A, C, G, T alone"
        )
    return codes


def _check_size(codes: np.ndarray, values: np.ndarray, names: tuple[str, ...], classes: tuple) -> None:
    n = len(codes)
    if n < FEWEST_SEQUENCES:
        raise InputError(f"sequences: {n} are left, at least {FEWEST_SEQUENCES} are needed: add sequences")
    if (codes == codes[0]).all():
        raise InputError(f"sequences: all {n} are identical: there is nothing that activity could follow")
    flat = np.ptp(values, axis=0) == 0
    if flat.any():
        raise InputError(f"activity: {names[int(flat.argmax())]!r} is the same for every sequence: nothing to explain")
    for label, is_of in zip(classes, (values[:, 0] == 0, values[:, 0] == 1), strict=False):
        n_class = len(np.unique(codes[is_of], axis=0))
        if n_class < FEWEST_OF_A_CLASS:
            raise InputError(
                f"activity: class {label!r} has {n_class} distinct sequences, at least {FEWEST_OF_A_CLASS} are needed"
            )


def _places(positions: np.ndarray) -> str:
    return some([str(p) for p in positions], 20)
