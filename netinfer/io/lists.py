"""Small tables: gold standards, sample sheets."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netinfer.errors import InputError
from netinfer.io.ids import clean_ids, duplicates, some
from netinfer.io.source import file_kind, regular_file, text_lines
from netinfer.io.text import choose_separator, split_fields

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

_SOURCE = {"source", "regulator", "tf", "gene1", "cause", "from", "transcription_factor"}
_TARGET = {"target", "target_gene", "gene", "gene2", "gene_id", "effect", "to"}
_EDGE = {"is_edge", "edge", "weight", "label", "class", "value", "gold"}
_SIGN = {"sign", "type", "mode", "interaction", "effect"}
_SIGNS = {"+": 1, "-": -1, "+-": 0, "-+": 0, "?": 0, "activator": 1, "activates": 1, "repressor": -1, "represses": -1}
_TRUTH = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_MISSING = {"", "NA", "N/A", "NaN", "nan", "NULL", "null"}


def read_gold(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> pd.DataFrame:
    """Read a gold standard of regulator -> target pairs.

    Tab- or comma-separated, plain or gzip, with or without a header. Two columns list positives. A third column of 0
    and 1 makes a complete list; a third (or fourth) of +, - or ? gives signs.

    Parameters
    ----------
    path : path
    encoding : str

    Returns
    -------
    DataFrame
        ``source``, ``target`` (str), ``is_edge`` (bool), and ``sign`` (int: 1, -1, 0 unknown) where the file has signs.
        Pairs that stand there twice are kept once.

    Raises
    ------
    InputError
        With the line: too few fields, a third field that is neither 0/1 nor a sign, a pair both 0 and 1.
    """
    path = text_file(path)
    rows, header, start = _pair_rows(path, encoding)
    columns = _gold_columns(header, rows)
    sources = _cleaned([row[columns["source"]] for row in rows], "regulator", path)
    targets = _cleaned([row[columns["target"]] for row in rows], "target", path)
    is_edge, signs = _edges_and_signs(rows, columns, path, start)
    return _without_repeats(path, sources, targets, is_edge, signs)


def read_sample_sheet(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> pd.DataFrame:
    """Read a table about samples, tab- or comma-separated, plain or gzip.

    Parameters
    ----------
    path : path
    encoding : str

    Returns
    -------
    DataFrame
        Indexed by the column ``sample``, or else by the first one, whose name is then ``attrs["id_column"]``. A column
        is numeric if every entry that is not missing is a plain number; otherwise it is categorical text, with ids such
        as 007 kept to the letter.

    Raises
    ------
    InputError
        No line below the header, lines of different length, a sample or column named twice.
    """
    import pandas as pd

    path = text_file(path)
    header, rows = table_rows(path, "a sample sheet", "each sample", encoding, row_names="sample")
    repeated = duplicates(header)
    if repeated:
        raise InputError(f"{path}: line 1: columns named twice: {some(repeated)}: rename them")
    named = next((i for i, name in enumerate(header) if name.lower() == "sample"), None)
    key = named or 0
    samples, _ = clean_ids((row[key] for row in rows), "sample", str(path))
    repeated = duplicates(samples)
    if repeated:
        raise InputError(
            f"{path}: column {header[key]!r}: samples listed more than once: {some(repeated)}: one line a sample"
        )
    index = pd.Index(samples, dtype=object)
    columns = {name: _column([row[i].strip() for row in rows], index) for i, name in enumerate(header) if i != key}
    sheet = pd.DataFrame(columns, index=index)
    if named is None:
        sheet.attrs["id_column"] = header[key]
    return sheet


def table_rows(
    path: Path, what: str = "a table", of: str = "each row", encoding: str = "utf-8", *, row_names: str = ""
) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a tab- or comma-separated text file; row k is line k + 2.

    Parameters
    ----------
    path : path
    what, of : str
        What the file is and what a line stands for, for the error.
    encoding : str
    row_names : str
        What a first column is called that the header leaves out; without it such a file is refused.

    Raises
    ------
    InputError
        No line below the header, lines of different length.
    """
    lines = text_lines(path, encoding)
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) < 2:
        raise InputError(f"{path}: {what} needs a header and a line for {of}; there are {len(lines)} lines")
    separator = choose_separator(path, lines[0])
    rows = [split_fields(line, separator, path, number) for number, line in enumerate(lines, start=1)]
    header, rows = [name.strip() for name in rows[0]], rows[1:]
    if row_names and all(len(row) == len(header) + 1 for row in rows):  # as R's write.table leaves it
        header = [row_names, *header]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise InputError(
                f"{path}: line {number}: {len(row)} fields where the header has {len(header)}: mend the line"
            )
    return header, rows


def text_file(path: str | os.PathLike[str]) -> Path:
    """Return the path if it is a regular file that looks like text, plain or gzip; else raise InputError."""
    path = regular_file(path)
    kind = file_kind(path)
    if kind not in ("text", "gzip"):
        raise InputError(f"{path}: is {kind}, where a text table is expected: save it as tsv or csv")
    return path


def _cleaned(names: list[str], kind: str, path: Path) -> list[str]:
    """Clean names of a list in which the same gene may stand many times and be written in more than one way."""
    distinct = list(dict.fromkeys(names))
    cleaned, _ = clean_ids(distinct, kind, str(path), collisions=True)
    table = dict(zip(distinct, cleaned, strict=True))
    return [table[name] for name in names]


def _column(values: list[str], index: pd.Index) -> pd.Series:
    import pandas as pd

    present = [value for value in values if value not in _MISSING]
    if present and all(_PLAIN_NUMBER.fullmatch(value) for value in present):
        if len(present) == len(values) and all(re.fullmatch(r"-?\d{1,15}", value) for value in values):
            return pd.Series([int(value) for value in values], index=index, dtype="int64")
        return pd.Series(
            [float(value) if value not in _MISSING else np.nan for value in values], index=index, dtype="float64"
        )
    kinds = pd.Index(sorted(set(present)), dtype=object)
    codes = {kind: code for code, kind in enumerate(kinds)}
    text = pd.Categorical.from_codes(
        [codes[value] if value not in _MISSING else -1 for value in values], categories=kinds
    )
    return pd.Series(text, index=index)


def _pair_rows(path: Path, encoding: str) -> tuple[list[list[str]], list[str] | None, int]:
    """Return the rows of a table of pairs, its header if it has one, and the first row's line number."""
    lines = text_lines(path, encoding)
    numbered = [
        (number, line) for number, line in enumerate(lines, start=1) if line.strip() and not line.startswith("#")
    ]
    if not numbered:
        raise InputError(f"{path}: no pair in it: write regulator and target on a line")
    separator = choose_separator(path, numbered[0][1])
    rows = [split_fields(line, separator, path, number) for number, line in numbered]
    width = len(rows[0])
    for (number, _), row in zip(numbered, rows, strict=True):
        if len(row) < 2 or len(row) != width:
            raise InputError(
                f"{path}: line {number}: {len(row)} fields where line {numbered[0][0]} has {width}: mend the line"
            )
    first = [field.strip().strip('"').lower() for field in rows[0]]
    if first[0] in _SOURCE or (first[1] in _TARGET and first[0] not in {row[0].lower() for row in rows[1:]}):
        return rows[1:], first, numbered[0][0] + 1
    return rows, None, numbered[0][0]


def _gold_columns(header: list[str] | None, rows: list[list[str]]) -> dict[str, int]:
    columns = {"source": 0, "target": 1}
    width = len(rows[0]) if rows else 2
    names = header or [""] * width
    for index in range(2, width):
        values = {row[index].strip().strip('"').lower() for row in rows}
        if names[index] in _SIGN or (values <= {*_SIGNS, "1", "-1", "0", ""} and values & {"-1", *_SIGNS}):
            columns.setdefault("sign", index)
        elif names[index] in _EDGE or index == 2:
            columns.setdefault("is_edge", index)
    return columns


def _edges_and_signs(
    rows: list[list[str]], columns: dict[str, int], path: Path, start: int
) -> tuple[list[bool], list[int] | None]:
    is_edge = [True] * len(rows)
    signs: list[int] | None = None
    for name in ("is_edge", "sign"):
        if name not in columns:
            continue
        parsed = []
        for number, row in enumerate(rows, start=start):
            value = row[columns[name]].strip().strip('"').lower()
            number_or_sign = _SIGNS.get(value) if name == "sign" else None
            if number_or_sign is None:
                allowed = {"-1": -1, "0": 0, "1": 1, "": 0} if name == "sign" else _TRUTH
                if value not in allowed:
                    raise InputError(
                        f"{path}: line {number}, column {columns[name] + 1}: {value!r} is neither 0 or 1 nor a sign: "
                        "list pairs with 1 (edge) and 0 (none), or positives only"
                    )
                number_or_sign = allowed[value]
            parsed.append(number_or_sign)
        if name == "is_edge":
            is_edge = [bool(value) for value in parsed]
        else:
            signs = parsed
    return is_edge, signs


def _without_repeats(
    path: Path, sources: list[str], targets: list[str], is_edge: list[bool], signs: list[int] | None
) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame({"source": sources, "target": targets, "is_edge": is_edge})
    if signs is not None:
        frame["sign"] = np.asarray(signs, dtype=np.int64)
    if frame.empty:
        raise InputError(f"{path}: only a header: no pair in it")
    if signs is not None:  # both signs are listed: the sign is unknown
        frame["sign"] = frame["sign"].where(frame.groupby(["source", "target"])["sign"].transform("nunique") == 1, 0)
    once = frame.drop_duplicates(["source", "target", "is_edge"])
    both = once[once.duplicated(["source", "target"])]
    if len(both):
        pair = both.iloc[0]
        raise InputError(
            f"{path}: {pair['source']!r} -> {pair['target']!r} is listed both as an edge and as none: keep one"
        )
    if len(once) < len(frame):
        logger.warning("%s: %d pairs are listed more than once and kept once", path, len(frame) - len(once))
    return once.reset_index(drop=True)
