"""Open what the user named: only regular files, gzip by its content, text in whole lines.

Everything that can be wrong with a file before a single number is read is said here, so that each reader
only has to know its own format.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from netinfer.errors import ConfigError, InputError

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BLOCK_CHARS = 1 << 23
# A header of a million cell names is some 20 MB; a line longer than this has no line ends at all.
_MAX_LINE_CHARS = 1 << 28


def regular_file(path: str | os.PathLike[str]) -> Path:
    """Return the path if it names a readable, non-empty regular file (links to one are followed).

    Raises
    ------
    InputError
        If the file is missing, a folder, a pipe or device, unreadable or empty.
    """
    path = Path(path)
    try:
        info = path.stat()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: check the path (relative paths start at the working folder)") from None
    except OSError as error:  # symlink loops, no permission on a folder above, names too long
        raise InputError(f"{path}: cannot be opened: {error.strerror or error}") from None
    if stat.S_ISDIR(info.st_mode):
        raise InputError(f"{path}: is a folder, not a file: name the file in it")
    if not stat.S_ISREG(info.st_mode):
        raise InputError(f"{path}: is not a regular file (pipe, device or socket): copy it to a file first")
    if info.st_size == 0:
        raise InputError(f"{path}: empty file (0 bytes)")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: permission denied: make the file readable")
    return path


def file_kind(path: Path) -> str:
    """Name the format that a file's first bytes show: hdf5, gzip, parquet, zip, pickle, ... or text."""
    with path.open("rb") as handle:
        head = handle.read(512 + 8)
    if head.startswith(HDF5_SIGNATURE) or head[512:520] == HDF5_SIGNATURE:
        return "hdf5"
    signatures = {
        b"\x1f\x8b": "gzip",
        b"PAR1": "parquet",
        b"PK\x03\x04": "zip",
        b"BZh": "bzip2",
        b"\xfd7zXZ\x00": "xz",
        b"\x28\xb5\x2f\xfd": "zstd",
        b"\x93NUMPY": "numpy",
    }
    for signature, kind in signatures.items():
        if head.startswith(signature):
            return kind
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "pickle"
    return "text"


def memory_bytes() -> int:
    """Return the memory this process may use, in bytes: the machine's, or its control group's if smaller."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    try:
        text = limit.read_text().strip()
    except OSError:
        return total
    return min(total, int(text)) if text.isdigit() else total


def require_memory(n_rows: int, n_columns: int, where: str) -> None:
    """Refuse a matrix that cannot be held as float64 with one working copy beside it."""
    need, have = 8 * n_rows * n_columns, memory_bytes()
    if 2 * need > have:
        raise InputError(
            f"{where}: {n_rows} x {n_columns} values need {2 * need / 2**30:.1f} GiB "
            f"and {have / 2**30:.1f} GiB are there: "
            "use a machine with more memory, fewer samples, or a sparse h5ad"
        )


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a plain or gzip file for reading bytes; damage to the gzip stream becomes an InputError."""
    kind = file_kind(path)
    if kind in ("bzip2", "xz", "zstd", "zip"):
        raise InputError(f"{path}: {kind}-compressed, which is not read: unpack it or compress it with gzip")
    if kind == "gzip":
        with damaged_gzip(path), gzip.open(path, "rb") as handle:
            yield cast(BinaryIO, handle)
        return
    if path.suffix == ".gz":
        raise InputError(
            f"{path}: named .gz but not gzip-compressed: take the .gz off the name, or fetch the file again"
        )
    with path.open("rb") as handle:
        yield handle


@contextmanager
def damaged_gzip(path: Path) -> Iterator[None]:
    """Turn what gzip raises about a cut or corrupt stream into an InputError."""
    try:
        yield
    except EOFError:
        size = path.stat().st_size
        raise InputError(f"{path}: damaged gzip: the file ends early ({size} bytes): fetch it again") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: damaged gzip ({error}): fetch it again") from None


def text_blocks(
    path: Path, encoding: str = "utf-8", *, block_chars: int = _BLOCK_CHARS
) -> Iterator[tuple[int, list[str]]]:
    r"""Yield ``(number of the first line, lines)`` of a text file, plain or gzip, in blocks of whole lines.

    Line ends are ``\n``, ``\r\n`` or ``\r`` and are taken off, as is a byte order mark. Lines count from 1.

    Raises
    ------
    InputError
        Wrong encoding, NUL bytes, damaged gzip, or a line without end.
    """
    codec = _codec(encoding)
    with open_bytes(path) as raw:
        if codec == "utf-8-sig":
            _refuse_utf16(path)
        text = io.TextIOWrapper(raw, encoding=codec, errors="strict", newline=None)
        number, rest, is_last = 1, "", False
        while not is_last:
            try:
                chunk = text.read(block_chars)
            except UnicodeError as error:
                raise InputError(_undecodable(path, codec, encoding, error)) from None
            is_last = not chunk
            rest += chunk
            if "\0" in chunk:
                line = number + rest.count("\n", 0, rest.index("\0"))
                raise InputError(
                    f"{path}: line {line}: NUL byte in a text file: wrong format or UTF-16 (set `encoding: utf-16`)"
                )
            cut = len(rest) if is_last else rest.rfind("\n") + 1
            if not is_last and cut == 0 and len(rest) > _MAX_LINE_CHARS:
                raise InputError(f"{path}: line {number}: no line end within {_MAX_LINE_CHARS} characters: not a table")
            lines = rest[:cut].split("\n")
            rest = rest[cut:]
            if not lines[-1]:
                lines.pop()
            if lines:
                yield number, lines
                number += len(lines)


def text_lines(path: Path, encoding: str = "utf-8", *, max_chars: int = 1 << 28) -> list[str]:
    """Return all lines of a small text file (a list, a sheet); a file beyond `max_chars` is refused."""
    lines: list[str] = []
    n_chars = 0
    for _, block in text_blocks(path, encoding):
        n_chars += sum(map(len, block))
        if n_chars > max_chars:
            raise InputError(f"{path}: more than {max_chars} characters of text: not the list or sheet asked for here")
        lines += block
    return lines


def _codec(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise ConfigError(
            f"encoding: {encoding!r} is not a known text encoding: use utf-8, latin-1, cp1252 or utf-16"
        ) from None
    return "utf-8-sig" if name in ("utf-8", "ascii") else name


def _refuse_utf16(path: Path) -> None:
    with open_bytes(path) as raw:
        head = raw.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"{path}: the text is UTF-16, not UTF-8: set `encoding: utf-16`, or save it as UTF-8")


def _undecodable(path: Path, codec: str, encoding: str, error: UnicodeError) -> str:
    message = f"{path}: the text is not {encoding}"
    if codec == "utf-8-sig":
        with open_bytes(path) as raw:
            for number, line in enumerate(raw, start=1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as bad:
                    message += f": line {number}: byte 0x{line[bad.start]:02x} at position {bad.start + 1}"
                    break
    else:
        message += f" ({error.__class__.__name__})"
    return message + ": set `encoding:` (often latin-1 or cp1252), or save it as UTF-8"
