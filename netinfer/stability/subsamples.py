"""Complementary half-samples of independent units, by counter-based randomness.

The k-th pair depends on the seed and on k alone, so it is the same in any order, chunk, thread or machine, and the
first 50 of 200 half-samples are those of 50. The generator is Philox used for its raw 64-bit words, whose stream is
fixed, not for numpy's distributions, whose streams may change between releases.
"""

from __future__ import annotations

import operator

import numpy as np

from netinfer.errors import InputError

MINIMUM_UNITS = 8


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

    Notes
    -----
    Shah and Samworth (2013), complementary pairs stability selection.
    """
    key = np.array([operator.index(seed) % 2**64, pair], dtype=np.uint64)
    words = np.random.Philox(key=key).random_raw(n_units)
    order = np.argsort(words, kind="stable")
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
    key = np.array([operator.index(seed) % 2**64, pair], dtype=np.uint64)
    order = np.argsort(np.random.Philox(key=key).random_raw(len(strata)), kind="stable")
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


def check_units(n_units: int, *, where: str) -> None:
    """Refuse fewer independent units than stability selection can work with."""
    if n_units < MINIMUM_UNITS:
        raise InputError(
            f"{where}: {n_units} independent units, at least {MINIMUM_UNITS} are needed to draw half-samples: "
            "add samples, or set `block` to a finer unit if the samples within it are truly independent"
        )
