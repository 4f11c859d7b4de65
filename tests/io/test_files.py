"""Atomic writing: the old file or the whole new one, and nothing beside it."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from netinfer.errors import RunError
from netinfer.io.files import atomic_path, atomic_write, sha256_file


def test_file_appears_whole_at_the_end(tmp_path):
    path = tmp_path / "a.tsv"
    with atomic_write(path) as handle:
        handle.write("é\n")
        handle.flush()
        assert not path.exists()
        (temporary,) = tmp_path.iterdir()
        assert temporary.name.startswith(f".a.tsv.{os.getpid()}.")
        assert temporary.suffix == ".tmp"
    assert path.read_bytes() == b"\xc3\xa9\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_error_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail(handle) -> None:
        handle.write(b"new")
        raise error

    with pytest.raises(error), atomic_write(path, "wb") as handle:
        fail(handle)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_line_ends_and_modes(tmp_path):
    with atomic_write(tmp_path / "a", newline="\r\n") as handle:
        handle.write("x\ny\n")
    assert (tmp_path / "a").read_bytes() == b"x\r\ny\r\n"
    with pytest.raises(ValueError, match="'w' or 'wb'"), atomic_write(tmp_path / "a", "a"):
        pass


def test_permissions_follow_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "a") as handle:
            handle.write("x")
    finally:
        os.umask(old)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_full_disk_is_an_error_of_the_surroundings(tmp_path, code):
    with pytest.raises(RunError, match=r"a\.tsv: cannot be written: .*: make room"), atomic_write(tmp_path / "a.tsv"):
        raise OSError(code, os.strerror(code))
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, sys
import anndata, numpy, pandas
from netinfer.errors import RunError
from netinfer.io.columns import Column
from netinfer.io.files import atomic_path
from netinfer.io.tables import write_parquet, write_tsv

kind, path = sys.argv[1:]
values = numpy.random.default_rng(0).random((200, 500))
table, columns = pandas.DataFrame({"v": values.ravel()}), (Column("v", "float", "", ""),)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    if kind == "h5ad":
        with atomic_path(path) as temporary:
            anndata.AnnData(values).write_h5ad(temporary)
    else:
        {"tsv": write_tsv, "parquet": write_parquet}[kind](path, table, columns)
except RunError as error:
    sys.exit(0 if "cannot be written: File too large" in str(error) else str(error))
sys.exit("written")
"""


@pytest.mark.parametrize("kind", ["tsv", "parquet", "h5ad"])
def test_file_that_finds_no_room_leaves_nothing(tmp_path, kind):
    command = [sys.executable, "-c", FULL, kind, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_other_errors_of_the_block_pass_through(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a"):
        Path(tmp_path / "absent").read_text()


def test_folder_absent_or_in_the_way(tmp_path):
    with pytest.raises(RunError, match="its folder does not exist"), atomic_write(tmp_path / "absent" / "a"):
        pass
    with pytest.raises(RunError, match="is a folder"), atomic_write(tmp_path):
        pass


def test_writer_that_makes_no_file_is_noticed(tmp_path):
    with pytest.raises(RunError, match="cannot be written"), atomic_path(tmp_path / "a"):
        pass


def test_longest_names(tmp_path):
    path = tmp_path / ("é" * 120 + ".tsv")
    with atomic_write(path) as handle:
        handle.write("x")
    assert path.read_text() == "x"


def test_two_writers_of_one_file_do_not_mix(tmp_path):
    path = tmp_path / "a"
    barrier = threading.Barrier(4)

    def write(digit: str) -> None:
        with atomic_write(path) as handle:
            barrier.wait()
            handle.write(digit * 100_000)

    threads = [threading.Thread(target=write, args=(str(i),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    text = path.read_text()
    assert len(text) == 100_000
    assert len(set(text)) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_hash(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()
