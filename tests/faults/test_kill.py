"""kill -9 at any moment, then `netinfer run`: the same bytes, finished chunks not repeated, no orphan left."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.slow

SAME = ("edges.tsv", "edges.parquet", "candidates.parquet", "nodes.tsv", "targets.tsv", "network.graphml", "cut.json")
# The run is killed a random while after this file appears: every stage is hit.
MOMENTS = (
    ".snakemake/locks",
    "results/csv/work/preflight.json",
    "results/csv/work/ingested.h5ad",
    "results/csv/work/normalized.h5ad",
    "results/csv/work/regression/*.npz",
    "results/csv/work/gathered/candidates.parquet",
    "results/csv/edges.tsv",
    "results/csv/report.html",
)


def start(project: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "netinfer.cli", "run", "--cores", "2"],
        cwd=project.folder, env=project.environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def wait_for(project: Any, pattern: str, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while not list(project.folder.glob(pattern)):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def finished_chunks(project: Any) -> int:
    """Count chunks that are there and not marked as incomplete by Snakemake."""
    parts = list((project.folder / "results/csv/work/regression").glob("[0-9]*.npz"))
    incomplete = (project.folder / ".snakemake" / "incomplete").glob("*")
    return len(parts) - sum(b"regression" in _decoded(path) for path in incomplete)


def _decoded(path: Path) -> bytes:
    import base64

    with contextlib.suppress(ValueError):
        return base64.b64decode(path.name)
    return b""


def check_same(project: Any, finished: Any) -> None:
    for name in SAME:
        assert project.read(name) == finished.read(name), name
    assert not list((project.folder / ".snakemake" / "locks").glob("*"))
    assert not list((project.folder / "results").rglob(".*.tmp"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_of_the_whole_run(finished: Any, new_project: Callable[[], Any], moment: str) -> None:
    project = new_project()
    rng = random.Random(moment)
    with start(project) as running:
        wait_for(project, moment, running)
        time.sleep(rng.uniform(0, 1))
        os.killpg(running.pid, signal.SIGKILL)
    n_finished = finished_chunks(project)
    done = project.netinfer("run", "--cores", "2")
    assert done.returncode == 0, done.stderr[-3000:]
    check_same(project, finished)
    planned = re.search(r"^regression +(\d+)$", done.stdout + done.stderr, flags=re.MULTILINE)
    if n_finished or planned:
        assert int(planned[1] if planned else 0) <= 3 - n_finished


def scripts_of(project: Any) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(part.startswith(f"{project.folder}/.snakemake/scripts/") for part in process.cmdline()):
                found.append(process)
    return found


@pytest.mark.parametrize("start_with", ["netinfer", "snakemake"])
def test_orphans_are_ended_and_nobody_else(finished: Any, new_project: Callable[[], Any], start_with: str) -> None:
    project = new_project()
    # Long chunks, so that the orphans would go on writing after the second run has begun.
    project.configure(regression={"n_subsamples": 4000, "n_penalties": 6})
    command = ["netinfer.cli", "run"] if start_with == "netinfer" else ["snakemake"]
    bystander = subprocess.Popen(["sleep", "600"], cwd=project.folder)
    running = subprocess.Popen(
        [sys.executable, "-m", *command, "--cores", "2"],
        cwd=project.folder, env=project.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(project, ".snakemake/scripts/*.regression.py", running)
        time.sleep(1)
        orphans = scripts_of(project)
        assert orphans
        keep = {process.pid for process in orphans}
        tree = [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
        for process in tree:
            command_line = " ".join(process.cmdline())
            if process.pid not in keep and "/.snakemake/scripts/" not in command_line:
                process.kill()
        running.wait()
        assert all(process.is_running() for process in orphans)

        project.configure()
        done = project.netinfer("run", "--cores", "2")
        assert done.returncode == 0, done.stderr[-3000:]
        assert not any(process.is_running() and process.status() != "zombie" for process in orphans)
        assert bystander.poll() is None
        check_same(project, finished)
    finally:
        for process in [*scripts_of(project), psutil.Process(bystander.pid)]:
            with contextlib.suppress(psutil.Error):
                process.kill()
        bystander.wait()


def test_one_killed_job_is_named_and_made_again(new_project: Callable[[], Any], finished: Any) -> None:
    project = new_project()
    project.configure(regression={"n_subsamples": 2000, "n_penalties": 6})
    with start(project) as running:
        wait_for(project, ".snakemake/scripts/*.regression.py", running)
        time.sleep(0.5)
        victims = [p for p in scripts_of(project) if p.cmdline()[-1].endswith(".regression.py")]
        victims[0].kill()
        assert running.wait(timeout=120) == 5
    project.configure()
    assert project.netinfer("run", "--cores", "2").returncode == 0
    check_same(project, finished)
