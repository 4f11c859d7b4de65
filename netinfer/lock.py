"""One run at a time in a working directory: a lock that dies with its holder, and a record of who held it last."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import psutil

from netinfer.errors import RunError
from netinfer.io.files import atomic_write
from netinfer.processes import is_alive

FOLDER = ".netinfer"


@dataclass(frozen=True)
class RunRecord:
    """Who runs, or ran last, in a working directory."""

    pid: int
    host: str
    started: float
    token: str
    has_ended: bool = False

    @property
    def job_prefix(self) -> str:
        """What the names of this run's cluster jobs begin with."""
        return f"netinfer-{self.token}"


class RunLock:
    """Hold a working directory for one run.

    Parameters
    ----------
    folder : path
        The working directory.
    assume_dead : bool
        Take a run of another host, which cannot be looked at from here, for dead.

    Attributes
    ----------
    previous : RunRecord or None
        The run that ended without saying so (it was killed).
    record : RunRecord
        This run.
    """

    def __init__(self, folder: Path, *, assume_dead: bool = False) -> None:
        self._home = folder / FOLDER
        self._assume_dead = assume_dead
        self.previous: RunRecord | None = None
        self.record = RunRecord(
            pid=os.getpid(),
            host=socket.gethostname(),
            started=psutil.Process().create_time(),
            token=secrets.token_hex(8),
        )

    def __enter__(self) -> RunLock:
        """Take the lock, or say who has it."""
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self._home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunError(f"{self._home}: {error.strerror}: run in a folder that can be written") from None
        try:
            # The kernel lets go of it when the process dies, however it dies.
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise RunError(_held_by(self._read())) from None
        except OSError:
            pass  # a file system without locks: the record below has to do
        last = self._read()
        if last is not None and not last.has_ended:
            is_elsewhere = last.host != self.record.host
            if (is_elsewhere and not self._assume_dead) or (not is_elsewhere and is_alive(last.pid, last.started)):
                os.close(self._file)
                raise RunError(_held_by(last, is_elsewhere=is_elsewhere))
            self.previous = last
        self._write(self.record)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say that the run ended, and let go."""
        self._write(RunRecord(**{**asdict(self.record), "has_ended": True}))
        os.close(self._file)

    def _read(self) -> RunRecord | None:
        try:
            return RunRecord(**json.loads((self._home / "run.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _write(self, record: RunRecord) -> None:
        with atomic_write(self._home / "run.json") as file:
            json.dump(asdict(record), file)


def _held_by(record: RunRecord | None, *, is_elsewhere: bool = False) -> str:
    if record is None:
        return f"{FOLDER}/lock: locked by another run: wait for it"
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.started))
    advice = "if it is dead, run with --assume-dead" if is_elsewhere else "wait for it or end it"
    return f"{FOLDER}/lock: locked by pid {record.pid} on {record.host} since {since}: {advice}"
