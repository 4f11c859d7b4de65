"""What is asked of data before they are standardised: rows that belong together, columns that vary, their scales."""

from __future__ import annotations

from typing import Any

import numpy as np

from netinfer.errors import InputError

# A column whose values lie closer together than this share of their size is constant: what differs is rounding.
CONSTANT = 1e-12


def as_floats(name: str, values: Any) -> np.ndarray:
    """Return an array of float64, or an error that names the argument."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as fault:
        raise InputError(f"{name}: not an array of numbers: {fault}") from None


def is_number(value: Any) -> bool:
    """Say whether a value is one real number, True and False aside."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def is_constant(values: np.ndarray, size: np.ndarray | None = None) -> np.ndarray:
    """Say which columns are constant up to the rounding of their values.

    Parameters
    ----------
    values : float array, shape (n_samples,) or (n_samples, n_columns)
    size : float array, shape (n_columns,), optional
        Size of the numbers that the values were computed from; their largest absolute value by default.

    Returns
    -------
    bool array, shape () or (n_columns,)
    """
    low, high = np.min(values, axis=0), np.max(values, axis=0)
    size = np.maximum(np.abs(low), np.abs(high)) if size is None else size
    return high / 2 - low / 2 <= CONSTANT / 2 * size


def centred_scaled(values: np.ndarray, size: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    """Centre columns and divide them by a power of two near their spread, which changes no digit.

    Parameters
    ----------
    values, size
        As for :func:`is_constant`.

    Returns
    -------
    scaled : float array, shape (n_samples, n_columns)
        The largest absolute value of a column is between 1/2 and 1, or 0 where it is constant.
    mean, scale : float arrays, shape (n_columns,)
        ``values = mean + scale * scaled``; scale 1 where constant.
    """
    fixed = is_constant(values, size)
    mean = values[0] + (values - values[0]).mean(axis=0)
    centred = np.where(fixed, 0.0, values - mean)
    scale = np.ldexp(1.0, np.frexp(np.abs(centred).max(axis=0))[1])
    return centred / scale, mean, np.where(fixed, 1.0, scale)


def same_rows(where: str, first: Any, second: Any, names: tuple[str, str]) -> Any:
    """Return the second table with its rows in the order of the first, matched by their ids where both have some.

    Tables without an index, or with a plain range, are matched by position.

    Parameters
    ----------
    where : str
        Function to name in errors.
    first, second : array, DataFrame or Series
    names : str, str
        Names of the two arguments.

    Raises
    ------
    InputError
        If the ids are not the same, or are in another order while they cannot be matched one to one.
    """
    one, two = getattr(first, "index", None), getattr(second, "index", None)
    # Lists have a method of that name.
    if not (hasattr(one, "equals") and hasattr(two, "equals")) or one.equals(two) or len(one) != len(two):
        return second
    from pandas import RangeIndex

    ranges = [isinstance(index, RangeIndex) for index in (one, two)]
    if any(ranges):
        if not all(ranges) and one.is_unique and two.is_unique and one.difference(two).empty:
            raise InputError(
                f"{where}: {names[1]}: its rows have the ids of {names[0]} in another order, of which one is a plain "
                "range: give both in one order, or with .reset_index(drop=True)"
            )
        return second
    if not (one.is_unique and two.is_unique):
        raise InputError(
            f"{where}: {names[1]}: row ids differ from those of {names[0]} and are not unique: put the rows in one "
            "order, with the same ids or with none (.to_numpy())"
        )
    missing = one[~one.isin(two)]
    if len(missing):
        raise InputError(
            f"{where}: {names[1]}: no row has the id {missing[0]!r} of {names[0]} ({len(missing)} of {len(one)} are "
            "missing): give the same samples, or arrays without ids (.to_numpy()) where position is meant"
        )
    return second.loc[one]
