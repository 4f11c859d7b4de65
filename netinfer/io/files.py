"""Files that are whole or not there: atomic writing, and the hash of a file or of arrays in one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from netinfer.errors import RunError

# What the machine refuses while a file is being written, as against an error of the code that writes it.
_DEVICE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.ESTALE}
# HDF5 reports a full disk as an OSError or a RuntimeError without an errno but in its text.
_HDF5_ERRNO = re.compile(r"\berrno = (\d+)")
_NAME_MAX = 255


def _temporary_name(path: Path) -> Path:
    """Name a file beside `path` that no other process or thread uses."""
    tail = f".{os.getpid()}.{secrets.token_hex(4)}.tmp"
    stem = path.name.encode()[: _NAME_MAX - 1 - len(tail)].decode(errors="ignore")
    return path.with_name(f".{stem}{tail}")


def _sync_folder(folder: Path) -> None:
    # The rename itself is durable only with its folder; some file systems refuse to sync a folder, and lose nothing.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _device_error(error: OSError | RuntimeError, temporary: Path) -> str:
    """Return why the machine refused to write, or the empty text where the fault is another."""
    code = getattr(error, "errno", None)
    if code is None and (told := _HDF5_ERRNO.search(str(error))):
        code = int(told.group(1))
    if code in _DEVICE_ERRORS:
        return os.strerror(code)
    if isinstance(error, OSError) and str(error.filename) == str(temporary):
        return error.strerror or str(error)
    return ""


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path in the same folder and rename it to `path` when the block ends well.

    For writers that open files themselves (HDF5, parquet). If the block raises, the temporary file is removed and
    what stood at `path` before is untouched.

    Parameters
    ----------
    path : path
        The file to make. Its folder must exist.

    Yields
    ------
    pathlib.Path
        ``.<name>.<pid>.<token>.tmp`` beside `path`; does not exist yet.

    Raises
    ------
    RunError
        If the folder cannot be written, or the disk is full.
    """
    path = Path(path)
    if path.is_dir():
        raise RunError(f"{path}: is a folder, not a file: choose another file name")
    if not path.parent.is_dir():
        raise RunError(f"{path}: its folder does not exist: make the folder {path.parent} first")
    temporary = _temporary_name(path)
    try:
        yield temporary
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        if why := _device_error(error, temporary):
            fix = "make room or choose a folder that can be written"
            raise RunError(f"{path}: cannot be written: {why}: {fix}") from error
        raise
    finally:
        # After a good end the name is gone; after a bad one, of whatever kind, the half-written file must go.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


@contextlib.contextmanager
def atomic_write(
    path: str | os.PathLike[str], mode: str = "w", *, encoding: str = "utf-8", newline: str = "\n"
) -> Iterator[IO[Any]]:
    r"""Open a temporary file in the same folder and rename it to `path` when the block ends well.

    A reader sees the old file or the whole new one, never a part: the data are flushed and synced before the rename.
    If the block raises, the temporary file is removed and what stood at `path` before is untouched.

    Parameters
    ----------
    path : path
        The file to make. Its folder must exist.
    mode : {"w", "wb"}
        Text or bytes.
    encoding : str
        Of text.
    newline : str
        Line ends of text; the default writes ``\n`` on every system.

    Yields
    ------
    file object
        Open for writing.

    Raises
    ------
    ValueError
        If `mode` is neither ``"w"`` nor ``"wb"``.
    RunError
        If the folder cannot be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "a.txt") as handle:
    ...     _ = handle.write("lexA\n")
    >>> (folder / "a.txt").read_bytes()
    b'lexA\n'
    """
    if mode not in {"w", "wb"}:
        raise ValueError(f"mode must be 'w' or 'wb', not {mode!r}")
    text: dict[str, Any] = {} if mode == "wb" else {"encoding": encoding, "newline": newline}
    # "x" refuses to follow a link that someone else laid at the temporary name.
    with atomic_path(path) as temporary, temporary.open(mode.replace("w", "x"), **text) as handle:
        yield handle


def made_folder(path: str | os.PathLike[str]) -> Path:
    """Return a folder, made with those above it where they do not exist.

    Raises
    ------
    RunError
        If it cannot be made.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder}: cannot be made: {error.strerror}: choose a folder that can be written") from error
    return folder


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Hash a file's bytes.

    Parameters
    ----------
    path : path
        A readable file of any size; it is read in blocks.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def arrays_checksum(arrays: Mapping[str, np.ndarray]) -> str:
    """Hash arrays with their names, types and shapes."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
