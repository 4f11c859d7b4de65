"""Strict reading of a text matrix: ids to the letter, exact floats, each fault named with its line and column.

Lines are split and counted here; the numbers alone go to pandas' C parser, as one long column, so that 20,000 columns
cost no more than one and no value can slip into a neighbour's column. A bad cell is looked for only after the parser
has refused the block it stands in.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from netinfer.errors import InputError
from netinfer.io.source import memory_bytes, text_blocks

MISSING = ("", "NA", "N/A", "NaN", "nan", "NAN", "NULL", "null")
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")
_INTEGER = re.compile(r"\s*[+-]?\d+\s*")
_QUOTED_FIRST = re.compile(r'"((?:[^"]|"")*)"')
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_NAMES = {",": "comma", "\t": "tab", ";": "semicolon", " ": "blank"}
# What stands above the ids: a header that begins so has its first field, and a line longer than it is at fault.
_CORNERS = {
    "", "id", "ids", "index", "name", "names", "sample", "samples", "sample_id", "cell", "cells", "cell_id", "barcode",
    "gene", "genes", "gene_id", "geneid", "gene_name", "symbol", "probe", "condition", "rownames", "row.names",
}  # fmt: skip
_MAX_ID_CHARS = 100_000


@dataclass(frozen=True)
class TextMatrix:
    """A matrix as it stands in the file: rows are lines."""

    numbers: np.ndarray  # (n_rows, n_columns) float64, NaN where a cell was empty or NA
    rows: list[str]
    columns: list[str]
    separator: str
    log: list[str] = field(default_factory=list)
    missing: str = ""  # the first missing cells, by line and column


def suffix(path: Path) -> str:
    """Return the file's extension in lower case, looking through ``.gz``."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def choose_separator(path: Path, header: str) -> str:
    """Choose tab or comma by the extension, else by the header line; refuse a file whose header tells otherwise."""
    declared = _SEPARATORS.get(suffix(path))
    if declared is None:
        found = [sep for sep in "\t," if sep in header]
        if found:
            return found[0]
    elif declared in header:
        return declared
    for other in "\t,; ":
        if other in header:
            fix = {"\t": "name it .tsv", ",": "name it .csv"}.get(other, "save it with tabs (.tsv) or commas (.csv)")
            meant = f"not {_NAMES[declared]}-separated as its name says" if declared else "which is not read"
            raise InputError(f"{path}: line 1: looks {_NAMES[other]}-separated, {meant}: {fix}")
    raise InputError(
        f"{path}: line 1: one column only: a matrix needs ids in the first column and values in the others"
    )


def split_fields(line: str, separator: str, path: Path, number: int) -> list[str]:
    """Split one line into fields; quotes as in CSV, so that a quoted field may hold the separator."""
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, strict=line.count('"') % 2 == 1))
    except csv.Error:
        raise InputError(f"{path}: line {number}: a quote is opened and not closed: close or remove it") from None


def read_text_matrix(
    path: Path, *, encoding: str = "utf-8", row_kind: str = "sample", column_kind: str = "gene"
) -> TextMatrix:
    """Read a csv or tsv matrix (plain or gzip) with ids in the first line and the first column.

    Parameters
    ----------
    path : Path
        A regular file.
    encoding : str
        Of the text; a UTF-8 byte order mark is taken off.
    row_kind, column_kind : str
        What lines and columns hold, for the messages.

    Returns
    -------
    TextMatrix
        Empty cells and NA are NaN; the caller decides whether missing values may be.

    Raises
    ------
    InputError
        With line and column: a line longer or shorter than the header, a cell that is not a number, an infinite or too
        large value, an unclosed quote; also an empty file, a header alone, another separator, damage or wrong encoding.

    Notes
    -----
    Some 0.2 (counts) to 0.5 microseconds a value (17 digits). The text is held in blocks, the values twice for a
    moment.
    """
    parser: _Body | None = None
    for number, lines in text_blocks(path, encoding):
        if parser is None:
            header, lines, number = lines[0], lines[1:], number + 1
            parser = _Body(path, header, row_kind, column_kind)
        parser.add(number, lines)
    if parser is None:
        raise InputError(f"{path}: empty file: no line in it")
    return parser.finish()


class _Body:
    """The lines below the header, block by block."""

    def __init__(self, path: Path, header: str, row_kind: str, column_kind: str):
        if not header.strip():
            raise InputError(f"{path}: line 1: blank, where the header with the {column_kind} ids should be")
        self.path, self.kinds = path, (row_kind, column_kind)
        self.separator = choose_separator(path, header)
        self.columns = split_fields(header, self.separator, path, 1)
        self.corner: str | None = None
        self.rows: list[str] = []
        self.blocks: list[np.ndarray] = []
        self.blank: int | None = None
        self.log: list[str] = []
        self.places: dict[str, list[str]] = {"missing": [], "infinite": []}
        self.counts = {"missing": 0, "infinite": 0}
        self.max_cells = memory_bytes() // 24

    def add(self, number: int, lines: Sequence[str]) -> None:
        rows: list[str] = []
        cells: list[str] = []
        numbers: list[int] = []
        for offset, line in enumerate(lines):
            if not line:
                self.blank = self.blank or number + offset
                continue
            if self.blank is not None:
                raise InputError(f"{self.path}: line {self.blank}: blank line inside the table: remove it")
            name, rest, n_cells = self._split(line, number + offset)
            if self.corner is None:
                self._settle_header(n_cells)
            if n_cells != len(self.columns):
                self._refuse_length(n_cells, number + offset)
            rows.append(name)
            cells.append(rest)
            numbers.append(number + offset)
        if not rows:
            return
        if (len(self.rows) + len(rows)) * len(self.columns) > self.max_cells:
            raise InputError(
                f"{self.path}: more than {self.max_cells} values, which do not fit into memory: "
                "use a sparse h5ad or fewer samples"
            )
        self.blocks.append(self._parse("\n".join(cells), rows, numbers))
        self.rows += rows

    def _split(self, line: str, number: int) -> tuple[str, str, int]:
        """Return the id, the cells joined by line ends, and their number."""
        separator = self.separator
        if '"' not in line:
            name, has_cells, rest = line.partition(separator)
        else:
            match = _QUOTED_FIRST.match(line)
            end = match.end() if match else 0
            if match and '"' not in line[end:] and line[end : end + 1] in ("", separator):
                name, has_cells, rest = match.group(1).replace('""', '"'), line[end : end + 1], line[end + 1 :]
            else:
                name, *fields = split_fields(line, separator, self.path, number)
                return name, "\n".join(fields), len(fields)
        if len(name) > _MAX_ID_CHARS:
            raise InputError(
                f"{self.path}: line {number}: an id of {len(name)} characters: not a matrix, or the separator is wrong"
            )
        return name, rest.replace(separator, "\n"), rest.count(separator) + 1 if has_cells else 0

    def _settle_header(self, n_cells: int) -> None:
        """Take the header's first field as the corner, unless the header is one short, as R's write.table leaves it."""
        if n_cells == len(self.columns) and self.columns[0].strip('" ').lower() not in _CORNERS:
            self.corner = ""
            self.log.append("the header has no field above the ids (as R writes it): taken as such")
        else:
            self.corner = self.columns.pop(0)
        if not self.columns:
            raise InputError(f"{self.path}: line 1: one column only: no {self.kinds[1]}s")

    def _refuse_length(self, n_cells: int, number: int) -> None:
        expected = len(self.columns) + 1
        how = "longer" if n_cells + 1 > expected else "shorter"
        raise InputError(
            f"{self.path}: line {number}: {n_cells + 1} fields, {how} than the {expected} that the header asks for: "
            "mend the line, or the separator is wrong"
        )

    def _parse(self, text: str, rows: list[str], numbers: list[int]) -> np.ndarray:
        # pandas takes a block of nothing but True and False for numbers; no number has a t or an s in it.
        has_words = any(letter in text for letter in "tTsS")
        values = None if has_words and self._bad_cell(text, rows, numbers) else _parse_numbers(text)
        if values is None or values.size != len(rows) * len(self.columns):
            raise self._bad_cell(text, rows, numbers) or InputError(
                f"{self.path}: lines {numbers[0]}-{numbers[-1]}: a cell there is not a number: look for stray text"
            )
        block = values.reshape(len(rows), len(self.columns))
        finite = np.isfinite(block)
        if not finite.all():
            if np.isinf(block).any():
                too_large = self._bad_cell(text, rows, numbers)  # 1e400 is no infinity that someone wrote
                if too_large:
                    raise too_large
            for kind, mask in (("missing", np.isnan(block)), ("infinite", np.isinf(block))):
                where = np.argwhere(mask)
                self.counts[kind] += len(where)
                for row, column in where[: max(0, 3 - len(self.places[kind]))]:
                    self.places[kind].append(self._place(numbers[row], column, rows[row]))
        if np.abs(block, where=finite, out=np.zeros_like(block)).max() > 2.0**53:
            error = self._bad_cell(text, rows, numbers)
            if error:
                raise error
        return block

    def _place(self, number: int, column: int, row: str) -> str:
        row_kind, column_kind = self.kinds
        # In the file, column 1 holds the ids, with or without a header field above them.
        return (
            f"line {number}, column {column + 2} ({row_kind} {row[:60]!r}, {column_kind} {self.columns[column][:60]!r})"
        )

    def _bad_cell(self, text: str, rows: list[str], numbers: list[int]) -> InputError | None:
        """Find the first cell of a block that is at fault."""
        width = len(self.columns)
        for index, cell in enumerate(text.split("\n")[: len(rows) * width]):
            fault = _fault(cell)
            if fault:
                row, column = divmod(index, width)
                return InputError(f"{self.path}: {self._place(numbers[row], column, rows[row])}: {cell[:40]!r} {fault}")
        return None

    def finish(self) -> TextMatrix:
        if not self.rows:
            raise InputError(f"{self.path}: only a header and no line below it: no {self.kinds[0]}s")
        if self.counts["infinite"]:
            raise InputError(
                f"{self.path}: {self.counts['infinite']} infinite values, "
                f"first at {'; '.join(self.places['infinite'])}: "
                "mend them (a logarithm of zero, perhaps); they are never imputed"
            )
        if all(_NUMBER.fullmatch(name) for name in self.rows) and any("." in name for name in self.rows):
            raise InputError(
                f"{self.path}: column 1 ({self.corner!r}): numbers ({self.rows[0]!r}, ...) "
                f"where the {self.kinds[0]} ids should be: "
                "put a column of ids in front"
            )
        values = self.blocks[0] if len(self.blocks) == 1 else np.concatenate(self.blocks)
        self.blocks.clear()
        missing = "; ".join(self.places["missing"])
        if missing:
            self.log.append(f"{self.counts['missing']} empty or NA cells, first at {missing}")
        return TextMatrix(values, self.rows, self.columns, self.separator, self.log, missing)


def _parse_numbers(text: str) -> np.ndarray | None:
    """Parse one number a line to float64, each to the nearest double; None if a line is no number."""
    import pandas as pd

    try:
        column = pd.read_csv(
            io.BytesIO((text + "\n").encode("utf-8", "surrogatepass")),
            header=None,
            names=["value"],
            index_col=False,
            sep="\x1f",  # occurs in no number: a cell is never split
            quoting=csv.QUOTE_NONE,
            dtype=np.float64,
            **_exact(pd.__version__),
            na_values=list(MISSING),
            keep_default_na=False,
            skip_blank_lines=False,
            low_memory=False,
            engine="c",
        )
    except (ValueError, OverflowError):  # ParserError is a ValueError
        return None
    return np.ascontiguousarray(column["value"].to_numpy())


def _exact(version: str) -> dict[str, Any]:
    """Ask pandas for the nearest double: its default from 3.1, where the option is deprecated."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return {} if (major, minor) >= (3, 1) else {"float_precision": "round_trip"}


def _fault(cell: str) -> str:
    """Say what is wrong with a cell that should be a number; nothing if it is one or is missing."""
    if cell in MISSING or cell.strip().lower().lstrip("+-") in ("inf", "infinity"):
        return ""
    if _NUMBER.fullmatch(cell) and cell.isascii():
        return "is too large for a number of double precision" if np.isinf(float(cell)) else _too_long(cell)
    bare = cell.strip()
    if re.fullmatch(r"[+-]?\d+(,\d+)+(\.\d*)?", bare):
        return "is not a number: a decimal or thousands comma; write 1.5 and 1500"
    if re.fullmatch(r"[+-]?0[xX][0-9a-fA-F]+", bare):
        return "is not a number: hexadecimal is not read"
    if re.fullmatch(r"[+-]?\d+(_\d+)+", bare):
        return "is not a number: take the underscores out"
    if bare.lower() in ("true", "false"):
        return "is not a number: write 1 or 0"
    return "is not a number: mend the cell, or remove the column if it holds text"


def _too_long(cell: str) -> str:
    if _INTEGER.fullmatch(cell) and abs(int(cell)) > 2**53:
        return "is a whole number beyond 2^53, which double precision cannot hold exactly"
    return ""
