"""Which samples are wanted: ids to leave out, and values of the sample sheet to keep."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.ids import clean_id, some

_MAX_SHOWN = 20


def plain(value: Any) -> str | None:
    """Return a value as the text by which it is compared: 1, 1.0 and "1" are one value; None where it is missing."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | float | np.number):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return clean_id(str(value)) or None


def plain_labels(column: pd.Series) -> list[str | None]:
    """Return a column of the samples as comparable text."""
    return [plain(value) for value in column.tolist()]


def require_column(obs: pd.DataFrame, column: str, key: str, where: str) -> pd.Series:
    """Return a column of the samples, or say which name is nearest.

    Parameters
    ----------
    obs : DataFrame
    column : str
    key : str
        The key of the config that names it, for the message.
    where : str

    Raises
    ------
    InputError
        No such column.
    """
    if column in obs.columns:
        return obs[column]
    names = [str(name) for name in obs.columns]
    near = difflib.get_close_matches(column, names, n=1, cutoff=0.5)
    folded = [name for name in names if name.casefold() == column.casefold()]
    hint = f" (nearest {(folded or near)[0]!r})" if folded or near else ""
    there = ", ".join(names) if names else "none: give a sample sheet (`samples:`)"
    raise InputError(f"{where}: {key}: no column {column!r} of samples{hint}; there are: {there}")


def excluded(samples: Sequence[str], names: Iterable[str], where: str) -> np.ndarray:
    """Mark the samples that the config leaves out.

    Parameters
    ----------
    samples : sequence of str
    names : iterable of str
        `exclude_samples`.
    where : str

    Returns
    -------
    bool array, shape (n_samples,)

    Raises
    ------
    InputError
        An id that is no sample; the nearest is named.
    """
    wanted = [clean_id(str(name)) for name in names]
    known = set(samples)
    unknown = [name for name in dict.fromkeys(wanted) if name not in known]
    if unknown:
        shown = []
        for name in unknown[:5]:
            near = difflib.get_close_matches(name, list(samples)[:20_000], n=1, cutoff=0.5)
            shown.append(f"{name!r} (nearest {near[0]!r})" if near else f"{name!r} (nothing near)")
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        raise InputError(
            f"{where}: exclude_samples: {len(unknown)} of {len(set(wanted))} ids are no samples: "
            f"{', '.join(shown)}{more}: spell them as in the matrix"
        )
    out = set(wanted)
    return np.array([sample in out for sample in samples], dtype=bool)


def outside(obs: pd.DataFrame, subset: Mapping[str, Sequence[Any]], where: str) -> tuple[np.ndarray, str]:
    """Mark the samples that a `subset` does not keep; of several columns each must hold one of its values.

    Parameters
    ----------
    obs : DataFrame, n_samples rows
    subset : mapping of str to sequence
        Column and the values to keep.
    where : str

    Returns
    -------
    mask : bool array, shape (n_samples,)
    rule : str
        The condition in words.

    Raises
    ------
    InputError
        Unknown column, or a value that no sample has; the values that there are stand in the message.
    """
    mask = np.zeros(len(obs), dtype=bool)
    rules = []
    for column, values in subset.items():
        labels = plain_labels(require_column(obs, column, "subset", where))
        wanted = [plain(value) for value in values]
        counts = pd.Series([label for label in labels if label is not None], dtype=object).value_counts()
        unknown = [str(name) for name in wanted if name not in counts.index]
        if unknown or not wanted:
            there = ", ".join(f"{name!r} ({n})" for name, n in counts.iloc[:_MAX_SHOWN].items())
            more = f" and {len(counts) - _MAX_SHOWN} more" if len(counts) > _MAX_SHOWN else ""
            wrong = f"no sample has {some(unknown)}" if unknown else "no value is given"
            raise InputError(f"{where}: subset: {column}: {wrong}; there are (samples): {there}{more}")
        kept = set(wanted)
        mask |= np.array([label not in kept for label in labels], dtype=bool)
        rules.append(f"{column} is {' or '.join(repr(str(name)) for name in wanted)}")
    return mask, " and ".join(rules)


def left_behind(obs: pd.DataFrame, subset: Mapping[str, Sequence[Any]]) -> list[str]:
    """Say which other values the columns of a `subset` have, and how many samples each.

    Parameters
    ----------
    obs : DataFrame, n_samples rows
        All samples, with the columns of the subset.
    subset : mapping of str to sequence

    Returns
    -------
    list of str
        A sentence for each column that has other values.
    """
    sentences = []
    for column, values in subset.items():
        wanted = {plain(value) for value in values}
        counts = Counter(label for label in plain_labels(obs[column]) if label is not None and label not in wanted)
        if counts:
            shown = ", ".join(f"{name!r} ({n})" for name, n in counts.most_common(_MAX_SHOWN))
            more = f" and {len(counts) - _MAX_SHOWN} more" if len(counts) > _MAX_SHOWN else ""
            sentences.append(f"other values of {column!r} (samples) are not in the subset: {shown}{more}")
    return sentences
