"""BED files: named places on contigs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from netinfer.errors import InputError
from netinfer.io.source import regular_file, text_blocks


class Place(NamedTuple):
    """A line of a BED file: start from 0, the end excluded; strand ``.`` where the file says none."""

    name: str
    contig: str
    start: int
    end: int
    strand: str


def read_bed(path: str | os.PathLike[str], encoding: str = "utf-8") -> Iterator[Place]:
    """Yield the lines of a BED file with four columns (contig, start, end, name) or more.

    Raises
    ------
    InputError
        With the line: fewer columns, a position that is no whole number, a start that is negative or behind the end,
        an unknown strand, no name; no line at all.
    """
    path = regular_file(path)
    n_rows = 0
    for first, lines in text_blocks(path, encoding):
        for number, line in enumerate(lines, start=first):
            if not line.strip() or line.startswith(("#", "track", "browser")):
                continue
            n_rows += 1
            yield _place(line.rstrip("\r\n").split("\t"), f"{path}: line {number}")
    if n_rows == 0:
        raise InputError(f"{path}: no line with a place: is it BED?")


def _place(fields: list[str], where: str) -> Place:
    if len(fields) < 4:
        raise InputError(f"{where}: {len(fields)} columns, BED with names has 4 or more, separated by tabs")
    contig, start, end, name = fields[:4]
    strand = fields[5] if len(fields) > 5 else "."
    if not (start.isdecimal() and end.isdecimal()):
        raise InputError(f"{where}: start {start!r} and end {end!r}: give whole numbers from 0 up")
    if int(start) > int(end):
        raise InputError(f"{where}: start {start} is behind end {end}: BED counts from 0, the end excluded")
    if strand not in ("+", "-", "."):
        raise InputError(f"{where}: strand {strand!r}: use + or - (or . for either)")
    if not name.strip():
        raise InputError(f"{where}: no name in the fourth column")
    return Place(name.strip(), contig, int(start), int(end), strand)
