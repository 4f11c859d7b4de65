"""Find and end the processes and cluster jobs that a killed run left behind, and none that are not its own."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

from netinfer.errors import RunError

TOKEN_VARIABLE = "NETINFER_RUN"
_GONE = (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess)


def is_alive(pid: int, started: float) -> bool:
    """Say whether the process that had this pid and start time (s since the epoch) still runs."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def leftovers(folder: Path, token: str | None) -> list[psutil.Process]:
    """List processes of an earlier run in a working directory.

    A process is one if its environment carries that run's token, or if it executes a script of this folder's
    ``.snakemake/scripts`` and no Snakemake that could wait for it is alive.

    Parameters
    ----------
    folder : path
        The working directory.
    token : str or None
        Of the run that was recorded last.
    """
    scripts = f"{folder.resolve()}{os.sep}.snakemake{os.sep}scripts{os.sep}"
    found = []
    for process in _own_processes():
        with contextlib.suppress(*_GONE):
            is_marked = bool(token) and process.environ().get(TOKEN_VARIABLE) == token
            is_script = any(part.startswith(scripts) for part in process.cmdline())
            if is_marked or (is_script and not _has_snakemake_above(process)):
                found.append(process)
    return found


def living_snakemake(folder: Path, token: str | None) -> psutil.Process | None:
    """Find a Snakemake that works in a folder and does not belong to the run of `token`."""
    folder = folder.resolve()
    for process in _own_processes():
        with contextlib.suppress(*_GONE, OSError):
            is_here = Path(process.cwd()).resolve() == folder
            if is_here and _is_snakemake(process) and not (token and process.environ().get(TOKEN_VARIABLE) == token):
                return process
    return None


def _own_processes() -> list[psutil.Process]:
    """List living processes of this user, without this one and those that it descends from."""
    me = psutil.Process()
    mine = {me.pid, *(p.pid for p in me.parents())}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(*_GONE):
            is_candidate = process.pid not in mine and process.uids().real == os.getuid()
            if is_candidate and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _is_snakemake(process: psutil.Process) -> bool:
    words = process.cmdline()[:4]
    if not words or not re.match(r"(python|pypy|snakemake)", Path(words[0]).name):
        return False
    return any(Path(word).name == "snakemake" for word in words[:2]) or words[1:3] == ["-m", "snakemake"]


def _has_snakemake_above(process: psutil.Process) -> bool:
    return any(_is_snakemake(parent) for parent in process.parents())


def end(processes: list[psutil.Process], *, grace: float = 3.0) -> None:
    """End processes: ask first, then kill those still there after `grace` seconds.

    Raises
    ------
    RunError
        If one cannot be ended, so that it could go on writing.
    """
    for process in processes:
        with contextlib.suppress(*_GONE):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=grace)
    for process in alive:
        with contextlib.suppress(*_GONE):
            process.kill()
    _, alive = psutil.wait_procs(alive, timeout=10)
    alive = [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    if alive:
        raise RunError(f"process {alive[0].pid} of an earlier run cannot be ended: end it, then run again")


def interrupt(process: subprocess.Popen[bytes], *, grace: float = 30.0) -> None:
    """Stop Snakemake and its jobs as Ctrl-C in a terminal does; kill what is left after `grace` seconds."""
    try:
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in tree:
        with contextlib.suppress(*_GONE):
            member.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    end([p for p in tree if p.is_running()], grace=1.0)


def cancel_cluster_jobs(names: list[str], prefix: str | None, *, patience: float = 60.0) -> int:
    """Cancel the SLURM jobs of an earlier run and wait until they are gone.

    Parameters
    ----------
    names : list of str
        Job names (run ids) that Snakemake logged in this working directory.
    prefix : str or None
        What the names of that run's jobs begin with.
    patience : float
        Seconds to wait for them to end.

    Returns
    -------
    int
        How many were cancelled.

    Raises
    ------
    RunError
        If they do not end.
    """
    if not (names or prefix) or shutil.which("squeue") is None:
        return 0
    jobs = _cluster_jobs(names, prefix)
    if not jobs:
        return 0
    subprocess.run(["scancel", *jobs], check=False, capture_output=True, timeout=60)
    deadline = time.monotonic() + patience
    while _cluster_jobs(names, prefix):
        if time.monotonic() > deadline:
            raise RunError(
                f"SLURM jobs {', '.join(jobs[:5])} of an earlier run do not end: scancel them, then run again"
            )
        time.sleep(1)
    return len(jobs)


def _cluster_jobs(names: list[str], prefix: str | None) -> list[str]:
    command = ["squeue", "--noheader", "--user", getpass.getuser(), "--format", "%i %j"]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    jobs = []
    for line in answer.splitlines():
        job, _, name = line.strip().partition(" ")
        if name in names or (prefix and name.startswith(prefix)):
            jobs.append(job)
    return jobs


def logged_run_ids(folder: Path) -> list[str]:
    """Read the SLURM run id of the last run from Snakemake's own log in a working directory."""
    logs = sorted((folder / ".snakemake" / "log").glob("*.snakemake.log"), key=lambda p: p.stat().st_mtime)
    if not logs:
        return []
    text = logs[-1].read_text(encoding="utf-8", errors="replace")
    return re.findall(r"SLURM run ID: ([A-Za-z0-9_-]+)", text)
