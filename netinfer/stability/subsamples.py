"""Complementary half-samples of independent units, by counter-based randomness.

The k-th pair depends on the seed and on k alone, so it is the same in any order, chunk, thread or machine, and the
first 50 of 200 half-samples are those of 50. The generator is Philox used for its raw 64-bit words, whose stream is
fixed, not for numpy's distributions, whose streams may change between releases.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence

import numpy as np

from netinfer.errors import InputError

# Fewest independent samples; fewest blocks, where a column names them. With fewer than 8 blocks there are so few ways
# to halve them (3 with four) that a warning says so.
MINIMUM_UNITS, MINIMUM_BLOCKS = 8, 4


def check_seed(seed: int) -> int:
    """Return the seed as an int, or refuse what is no whole number from 0 to 2^64 - 1.

    Raises
    ------
    InputError
    """
    try:
        value = -1 if isinstance(seed, bool) else operator.index(seed)
    except TypeError:
        value = -1
    if not 0 <= value < 2**64:
        raise InputError(f"seed: {seed!r} is no whole number from 0 to 2^64 - 1: give one such as 0")
    return value


def raw_words(seed: int, stream: int, n: int) -> np.ndarray:
    """Return n raw 64-bit words that depend on the seed and the stream alone, uint64 array, shape (n,)."""
    key = np.array([check_seed(seed), operator.index(stream)], dtype=np.uint64)
    return np.random.Philox(key=key).random_raw(n)


def complementary_pair(n_units: int, pair: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split the units at random into two halves of floor(n / 2) units each.

    Parameters
    ----------
    n_units : int
        Number of independent units.
    pair : int, >= 0
        Index of the pair.
    seed : int, >= 0

    Returns
    -------
    first, second : int arrays, shape (n_units // 2,)
        Sorted indices of the units of each half; with an odd number one unit is in neither.

    Raises
    ------
    InputError
        If the seed is no whole number.

    Notes
    -----
    Shah and Samworth (2013), complementary pairs stability selection.
    """
    order = np.argsort(raw_words(seed, pair, n_units), kind="stable")
    half = n_units // 2
    return np.sort(order[:half]), np.sort(order[half : 2 * half])


def stratified_pair(strata: np.ndarray, pair: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split the units at random into two halves that take the same number from each stratum.

    Parameters
    ----------
    strata : int array, shape (n_units,)
        Stratum of each unit, such as its class.
    pair : int, >= 0
        Index of the pair.
    seed : int, >= 0

    Returns
    -------
    first, second : int arrays
        Sorted indices of the units of each half; of a stratum with an odd number one unit is in neither.
    """
    order = np.argsort(raw_words(seed, pair, len(strata)), kind="stable")
    halves: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for stratum in np.unique(strata):
        members = order[strata[order] == stratum]
        half = len(members) // 2
        halves[0].append(members[:half])
        halves[1].append(members[half : 2 * half])
    return np.sort(np.concatenate(halves[0])), np.sort(np.concatenate(halves[1]))


def unit_rows(units: np.ndarray) -> list[np.ndarray]:
    """List the samples of each unit, units in order of first appearance.

    Parameters
    ----------
    units : array, shape (n_samples,)
        Label of the independent unit of each sample.
    """
    labels = np.asarray(units)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    member = rank[inverse.ravel()]
    order = np.argsort(member, kind="stable")
    return np.split(order, np.cumsum(np.bincount(member))[:-1])


def unit_strata(strata: np.ndarray, rows: Sequence[np.ndarray], *, column: str, unit_column: str) -> np.ndarray:
    """Return the stratum of each unit, as a number in the order of the strata's labels, int array, shape (n_units,).

    Parameters
    ----------
    strata : array, shape (n_samples,)
        Label of the stratum of each sample.
    rows : sequence of int arrays
        Samples of each unit.
    column, unit_column : str
        What names the strata and the units; for the errors.

    Raises
    ------
    InputError
        If a unit lies in two strata, or a stratum has one unit.
    """
    labels, codes = np.unique(np.asarray(strata).astype(str), return_inverse=True)
    codes = codes.ravel()
    for samples in rows:
        inside = np.unique(codes[samples])
        if len(inside) > 1:
            shown = ", ".join(repr(str(labels[code])) for code in inside[:2])
            raise InputError(
                f"strata: a unit of block {unit_column!r} (that of sample {int(samples[0]) + 1}) lies in {len(inside)} "
                f"strata of {column!r} ({shown}): a unit goes into a half as a whole: name as `strata` a column that "
                "is the same within each unit, or a finer `block`"
            )
    of_unit = codes[[samples[0] for samples in rows]]
    sizes = np.bincount(of_unit, minlength=len(labels))
    if (sizes < 2).any():
        alone = [repr(str(label)) for label in labels[sizes < 2]]
        shown = ", ".join(alone[:5]) + (f" and {len(alone) - 5} more" if len(alone) > 5 else "")
        raise InputError(
            f"strata: {shown} of {column!r} has one independent unit: both halves need one: merge small strata, or "
            "leave these samples out"
        )
    return of_unit


def check_units(n_units: int, *, where: str, n_samples: int | None = None) -> None:
    """Refuse fewer independent units than stability selection can work with.

    Parameters
    ----------
    n_units : int
    where : str
        Named in the error.
    n_samples : int, optional
        Given where a column names the units, which may then be fewer than 8.

    Raises
    ------
    InputError
        Below 8 units; where a column names them, below 4 of them or 8 samples.

    Warns
    -----
    UserWarning
        With 4 to 7 named units.
    """
    if n_samples is not None and n_samples < MINIMUM_UNITS:
        raise InputError(f"{where}: {n_samples} samples, at least {MINIMUM_UNITS} are needed: add samples")
    least = MINIMUM_UNITS if n_samples is None else MINIMUM_BLOCKS
    if n_units < least:
        raise InputError(
            f"{where}: {n_units} independent units, at least {least} are needed to draw half-samples: "
            "add samples, or set `block` to a finer unit if the samples within it are truly independent"
        )
    if n_units < MINIMUM_UNITS:
        warnings.warn(
            f"{where}: {n_units} independent units can be halved in few ways, so that half-samples repeat and neither "
            f"selection probabilities nor error bounds say much: {MINIMUM_UNITS} or more are needed for that",
            UserWarning,
            stacklevel=3,
        )
