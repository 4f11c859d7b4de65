"""Libraries: sequences of one table, or of FASTA and a table, with their activities, weights and split."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.io.ids import duplicates, some
from netinfer.io.lists import table_rows, text_file
from netinfer.io.sequences import read_fasta

SEVERAL = ("replicates", "responses")
_MISSING = ("", "NA", "NaN", "nan")


@dataclasses.dataclass(frozen=True, eq=False)
class Library:
    """Sequences with what was measured of them.

    Attributes
    ----------
    sequences : Series of str
        Indexed by the ids where there are some.
    activity : DataFrame, shape (n_sequences, n_responses)
        Numbers; classes as text where they were asked for.
    weights : float array, shape (n_sequences,), or None
    is_test : bool array, shape (n_sequences,), or None
        Sequences that are kept out.
    notes : tuple of str
        What was left out.
    """

    sequences: pd.Series
    activity: pd.DataFrame
    weights: np.ndarray | None
    is_test: np.ndarray | None
    notes: tuple[str, ...]


def read_library(
    path: str | os.PathLike[str],
    *,
    activity: str | Sequence[str],
    activities: str | os.PathLike[str] | None = None,
    sequence: str = "sequence",
    several: str = "replicates",
    id: str | None = None,
    weight: str | None = None,
    split: str | None = None,
    test: str = "test",
    classes: bool = False,
) -> Library:
    """Read sequences with their activities.

    Parameters
    ----------
    path : path
        Table (tab- or comma-separated, plain or gzip), or FASTA beside `activities`.
    activity : str or list of str
        Column of the activity, or columns.
    activities : path, optional
        Table of the activities of a FASTA file's sequences.
    sequence : str
        Column of the sequences in a table.
    several : {"replicates", "responses"}
        Several columns are replicates, whose mean is taken over those that are there, or responses, which are kept.
    id : str, optional
        Column of the ids; of a table beside FASTA the first column by default.
    weight : str, optional
        Column of counts or other weights (0 or more); without it, and with replicates, the number of those there.
    split, test : str
        Column of a split, and the value of the sequences that are kept out.
    classes : bool
        Whether the activity is a class, and stays text.

    Returns
    -------
    Library

    Raises
    ------
    InputError
        A column that is not there, an activity or a weight that is no number, no activity left, a split without the
        value; ids of FASTA and table of which fewer than half are common (five of each are shown).
    ConfigError
        If `several` is unknown.

    Notes
    -----
    Sequences without an activity (of responses: without one of them) are left out and counted in the notes.
    """
    if several not in SEVERAL:
        raise ConfigError(f"several: {several!r} is unknown: use {' or '.join(SEVERAL)}")
    columns = [activity] if isinstance(activity, str) else list(activity)
    source = Path(path if activities is None else activities)
    table = read_strings(source)
    wanted = [*columns, *(name for name in (id, weight, split) if name is not None)]
    if activities is None:
        wanted.insert(0, sequence)
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise InputError(f"{source}: no column {missing[0]!r}: there are {some(list(map(str, table.columns)), 20)}")
    notes: list[str] = []
    names: pd.Series | None = None
    if activities is not None:
        names = table[id if id is not None else table.columns[0]].str.strip()
        texts, table, names = _joined(Path(path), source, table, names, notes)
    else:
        texts = table[sequence].str.strip()
        names = None if id is None else table[id].str.strip()
    values, n_there = _values(table, columns, source, several, classes)
    kept = n_there > 0 if several == "replicates" or len(columns) == 1 else n_there == len(columns)
    if not kept.any():
        raise InputError(f"{source}: column {columns[0]!r}: no sequence has an activity")
    if not kept.all():
        notes.append(f"{int((~kept).sum())} sequences without an activity were left out")
    weights = None
    if weight is not None:
        weights = numbers(table.loc[kept, weight], source, weight)
    elif len(columns) > 1 and several == "replicates":
        weights = n_there[kept].astype(np.float64)
    index = None if names is None else pd.Index(names[kept], dtype=object)
    return Library(
        sequences=pd.Series(texts[kept].to_numpy(dtype=object), index=index),
        activity=pd.DataFrame(values[kept].to_numpy(), columns=values.columns, index=index),
        weights=weights,
        is_test=None if split is None else _is_test(table.loc[kept, split].str.strip(), source, split, test),
        notes=tuple(notes),
    )


def read_strings(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table, tab- or comma-separated, plain or gzip; every field stays text.

    Returns
    -------
    DataFrame
        Its index is the number of the line, the header's being 1.

    Raises
    ------
    InputError
        If it is no such table, a line has more or fewer fields than the header, or two columns have one name.
    """
    path = text_file(path)
    header, rows = table_rows(path)
    if repeated := duplicates([name for name in header if name]):
        raise InputError(f"{path}: columns of one name: {some(repeated)}: rename them")
    return pd.DataFrame(rows, columns=header, index=pd.RangeIndex(2, len(rows) + 2), dtype=object)


def numbers(column: pd.Series, path: Path, name: str, *, may_miss: bool = False) -> np.ndarray:
    """Return a column that `read_strings` read as finite numbers, NaN where one may be missing and is.

    Raises
    ------
    InputError
        With the line, where something else stands.
    """
    text = column.str.strip()
    found = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    bad = ~np.isfinite(found) & ~(text.isin(_MISSING).to_numpy() & may_miss)
    if bad.any():
        row = int(bad.argmax())
        line = column.index[row]
        raise InputError(f"{path}: line {line}, column {name!r}: {text.iloc[row][:40]!r} is not a finite number")
    return found


def _joined(
    path: Path, source: Path, table: pd.DataFrame, names: pd.Series, notes: list[str]
) -> tuple[pd.Series, pd.DataFrame, pd.Series]:
    """Return sequences, rows of the table and ids of what FASTA and table have in common, in the table's order."""
    if repeated := duplicates(names.tolist()):
        raise InputError(f"{source}: {len(repeated)} ids stand there more than once: {some(repeated)}: rename them")
    texts = read_fasta(path)
    is_there = names.isin(texts.keys()).to_numpy()
    if 2 * is_there.sum() < min(len(texts), len(names)):
        raise InputError(
            f"{source}: {int(is_there.sum())} of its {len(names)} ids are in {path.name}: the table has "
            f"{some(names.tolist())}, the sequences {some(list(texts))}: use one kind of id"
        )
    for n, what in (
        (len(texts) - int(is_there.sum()), f"sequences without a row of their id in {source.name}"),
        (int((~is_there).sum()), f"rows without a sequence of their id in {path.name}"),
    ):
        if n:
            notes.append(f"{n} {what} were left out")
    names = names[is_there]
    return names.map(texts), table[is_there], names


def _values(
    table: pd.DataFrame, columns: list[str], source: Path, several: str, classes: bool
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the activities, and of how many columns each sequence has one."""
    if classes:
        (name,) = columns
        text = table[name].str.strip()
        is_there = ~text.isin(_MISSING).to_numpy()
        return pd.DataFrame({name: text.where(is_there, None).to_numpy(dtype=object)}), is_there.astype(np.int64)
    found = np.column_stack([numbers(table[name], source, name, may_miss=True) for name in columns])
    n_there = (~np.isnan(found)).sum(axis=1)
    if several == "responses" or len(columns) == 1:
        return pd.DataFrame(found, columns=columns), n_there
    mean = np.nansum(found, axis=1) / np.maximum(n_there, 1)
    return pd.DataFrame({"mean of " + ", ".join(columns): mean}), n_there


def _is_test(labels: pd.Series, source: Path, split: str, test: str) -> np.ndarray:
    is_test = (labels == test).to_numpy()
    if not is_test.any():
        raise InputError(
            f"{source}: column {split!r}: no sequence is {test!r}: there are {some(sorted(set(labels)))}: name the "
            "value of those kept out as `test`"
        )
    return is_test
