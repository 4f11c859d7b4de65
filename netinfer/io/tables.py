"""Exact TSV, parquet and JSON files.

A float in a TSV is the shortest text that reads back as the same float; a missing value is an empty field (a null in
parquet); the same frame always gives the same bytes. The columns are those of `netinfer.io.columns`.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.columns import Column, Kind, conform
from netinfer.io.files import atomic_path, atomic_write

# Rows formatted at a time: bounds the memory of a writer whatever the length of the table.
BLOCK = 1 << 13


def _quoted(text: str) -> str:
    if '"' in text or "\t" in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""') + '"'
    return text


def format_column(values: Sequence[Any], kind: Kind) -> list[str]:
    """Write values as the texts that netinfer's files use; a missing one becomes the empty text.

    Parameters
    ----------
    values : sequence of str, bool, int or float
        Python scalars, as ``Series.tolist`` gives them.
    kind : {"string", "boolean", "int", "float"}
        Floats are written by `repr`, the shortest text that reads back as the same float.

    Returns
    -------
    list of str
    """
    if kind == "float":
        return [repr(value) if value == value else "" for value in values]  # NaN is the value unequal to itself
    if kind == "boolean":
        return ["true" if value else "false" for value in values]
    if kind == "int":
        return ["" if value is pd.NA else str(value) for value in values]
    return list(values)


def blocks(frame: pd.DataFrame, columns: Sequence[Column], *, where: str) -> Iterator[pd.DataFrame]:
    """Yield a frame in blocks of rows, each checked by `conform`; one empty block where it has no row."""
    for start in range(0, max(len(frame), 1), BLOCK):
        part = f"{where}: from row {start + 1}" if start else where
        yield conform(frame.iloc[start : start + BLOCK], columns, where=part)


def _inferred(frame: pd.DataFrame) -> tuple[Column, ...]:
    def kind(dtype: Any) -> Kind:
        if pd.api.types.is_bool_dtype(dtype):
            return "boolean"
        if pd.api.types.is_integer_dtype(dtype):
            return "int"
        return "float" if pd.api.types.is_float_dtype(dtype) else "string"

    return tuple(Column(str(name), kind(frame[name].dtype), "", "", True) for name in frame.columns)


def write_tsv(
    path: str | os.PathLike[str], frame: pd.DataFrame, columns: Sequence[Column] | None = None, *, where: str = ""
) -> None:
    r"""Write a frame as a tab-separated file: UTF-8, one header line, ``\n`` line ends, atomically.

    Equal frames give equal bytes on every machine. A field with a quote, a tab or a line end is quoted, quotes doubled.

    Parameters
    ----------
    path : path
        The file to make; its folder must exist.
    frame : DataFrame
        The index is not written.
    columns : sequence of Column, optional
        What the frame must hold; by default its own columns by their dtypes.
    where : str, optional
        Named in errors; by default `path`.

    Raises
    ------
    InputError
        If the frame does not hold what `columns` state.
    RunError
        If the file cannot be written.
    """
    columns = _inferred(frame) if columns is None else columns
    with atomic_write(path) as handle:
        handle.write("\t".join(_quoted(column.name) for column in columns) + "\n")
        for block in blocks(frame, columns, where=where or str(path)):
            texts = []
            for column in columns:
                fields = format_column(block[column.name].tolist(), column.kind)
                texts.append([_quoted(field) for field in fields] if column.kind == "string" else fields)
            # A row of one empty field would be an empty line, which readers skip.
            handle.writelines(("\t".join(row) or '""') + "\n" for row in zip(*texts, strict=True))


def read_tsv(
    path: str | os.PathLike[str], columns: Sequence[Column] | Callable[[list[str]], Sequence[Column]]
) -> pd.DataFrame:
    """Read back a file that `write_tsv` made, exactly.

    Parameters
    ----------
    path : path
        A tab-separated UTF-8 file.
    columns : sequence of Column, or a function
        What it must hold; a function, such as `netinfer.io.columns.node_columns`, says so for the file's column names.

    Returns
    -------
    DataFrame
        As `conform` gives it. A gene called ``NA`` stays a text.

    Raises
    ------
    InputError
        If the file is missing or damaged or does not hold these columns.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file: give the folder of a finished network") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a tab-separated UTF-8 text: {error}: write it again") from error
    if not rows:
        raise InputError(f"{path}: the file is empty: write it again")
    if not text.endswith("\n"):
        raise InputError(f"{path}: the last line is cut short: write it again")
    header, body = rows[0], rows[1:]
    for number, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise InputError(f"{path}: line {number}: {len(row)} fields, not {len(header)}: write it again")
    columns = columns(header) if callable(columns) else columns
    kinds = {column.name: column.kind for column in columns}
    data = {
        name: _parsed([row[index] for row in body], kinds.get(name, "string"), f"{path}: column {name}")
        for index, name in enumerate(header)
    }
    return conform(pd.DataFrame(data, columns=header), columns, where=str(path))


def _parsed(texts: list[str], kind: Kind, where: str) -> pd.Series:
    try:
        if kind == "float":
            return pd.Series([float(text) if text else np.nan for text in texts], dtype=np.float64)
        if kind == "int":
            return pd.Series([int(text) if text else pd.NA for text in texts], dtype="Int64")
        if kind == "boolean":
            return pd.Series([{"true": True, "false": False}[text] for text in texts], dtype=bool)
    except (ValueError, KeyError) as error:
        raise InputError(f"{where}: not of type {kind}: {error}: write the file again") from error
    return pd.Series(texts, dtype=object)


def write_parquet(path: str | os.PathLike[str], frame: pd.DataFrame, columns: Sequence[Column]) -> None:
    """Write a frame as a parquet file (zstd) without an index; missing numbers are nulls.

    Parameters
    ----------
    path : path
        The file to make; its folder must exist.
    frame : DataFrame
        Holds `columns`.
    columns : sequence of Column
        They fix the file's types: string, bool, int64, double.

    Raises
    ------
    InputError, RunError
        As `write_tsv`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"string": pa.string(), "boolean": pa.bool_(), "int": pa.int64(), "float": pa.float64()}
    frame = conform(frame, columns, where=str(path))
    schema = pa.schema([pa.field(column.name, types[column.kind], nullable=True) for column in columns])
    arrays = [pa.array(frame[field.name], type=field.type, from_pandas=True) for field in schema]
    texts = [column.name for column in columns if column.kind == "string"]  # numbers rarely repeat
    with atomic_path(path) as temporary:
        pq.write_table(
            pa.Table.from_arrays(arrays, schema=schema),
            temporary,
            compression="zstd",
            use_dictionary=texts,
            write_page_checksum=True,
        )


def read_parquet(
    path: str | os.PathLike[str], columns: Sequence[Column] | Callable[[list[str]], Sequence[Column]]
) -> pd.DataFrame:
    """Read back a file that `write_parquet` made, exactly.

    Parameters
    ----------
    path : path
        A parquet file.
    columns : sequence of Column, or a function
        What it must hold; a function, such as `netinfer.io.columns.edge_columns`, says so for the file's column names.

    Returns
    -------
    DataFrame
        As `conform` gives it.

    Raises
    ------
    InputError
        If the file is missing or damaged or does not hold these columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file: give the folder of a finished network")
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
        frame = table.to_pandas(strings_to_categorical=True)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: damaged or not a parquet file: {error}: write it again") from error
    return conform(frame, columns(list(frame.columns)) if callable(columns) else columns, where=str(path))


def write_json(path: str | os.PathLike[str], value: Mapping[str, Any]) -> None:
    """Write a mapping as JSON: UTF-8, two blanks of indent, keys in their order, no NaN, atomically.

    Parameters
    ----------
    path : path
        The file to make; its folder must exist.
    value : mapping
        Of JSON's own types.

    Raises
    ------
    InputError
        If a value is not JSON (NaN and infinities are not).
    """
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: cannot be written as JSON: {error}: give texts, finite numbers, lists") from error
    with atomic_write(path) as handle:
        handle.write(text + "\n")


def read_json(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read back a file that `write_json` made.

    Parameters
    ----------
    path : path
        A JSON file that holds one mapping.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If the file is missing or damaged.
    """
    path = Path(path)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file: give the folder of a finished network") from error
    except ValueError as error:
        raise InputError(f"{path}: damaged or not JSON: {error}: write it again") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds {type(value).__name__}, not a mapping: write it again")
    return value
