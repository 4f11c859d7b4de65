"""What functions of several models ask of settings that they share."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from netinfer.errors import ConfigError


def check_threshold(where: str, threshold: Any) -> None:
    """Refuse a selection probability that no rule has a bound for.

    Raises
    ------
    ConfigError
    """
    if threshold != "auto" and not (is_number(threshold) and 0.5 < threshold <= 1.0):
        raise ConfigError(f"{where}: threshold: {threshold!r} is not auto or a number above 0.5 and at most 1")


def check_draws(where: str, n_subsamples: Any, seed: Any, threads: Any) -> int:
    """Refuse impossible half-samples, seeds and threads; return the threads, all that there are where none are given.

    Raises
    ------
    ConfigError
    """
    check_subsamples(where, n_subsamples)
    if not is_count(seed) or not 0 <= seed < 2**64:
        raise ConfigError(f"{where}: seed: {seed!r} is no whole number from 0 to 2^64 - 1")
    threads = len(os.sched_getaffinity(0)) if threads is None else threads
    check_threads(where, threads)
    return threads


def check_subsamples(where: str, n_subsamples: Any) -> None:
    """Refuse an impossible number of half-samples.

    Raises
    ------
    ConfigError
    """
    if not is_count(n_subsamples) or n_subsamples < 4 or n_subsamples % 2:
        raise ConfigError(
            f"{where}: n_subsamples: {n_subsamples!r} is no even whole number of at least 4: half-samples come in "
            "complementary pairs"
        )


def check_threads(where: str, threads: Any) -> None:
    """Refuse an impossible number of threads.

    Raises
    ------
    ConfigError
    """
    if not is_count(threads) or threads < 1:
        raise ConfigError(f"{where}: threads: {threads!r} is no whole number of at least 1")


def is_number(value: Any) -> bool:
    """Say whether it is a number; True and False are none."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def is_count(value: Any) -> bool:
    """Say whether it is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)
