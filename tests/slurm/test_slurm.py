"""The demo through a real SLURM on this host: the bytes of a local run, and a cancelled job that nobody waits for."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from netinfer.project import init_project

pytestmark = [pytest.mark.slow, pytest.mark.slurm]

# In the environment of every process of a run, also of jobs, and of nobody else.
TOKEN = "NETINFER_TEST_SLURM"
CONFIGURATION = Path("/etc/slurm/slurm.conf")
HERE = Path(__file__).parent
SAME = ("edges.tsv", "candidates.parquet", "nodes.tsv", "targets.tsv", "network.graphml", "cut.json")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel")
# The profile's values are for clusters. Jobs are asked after when most have ended (each time that none has, the plugin
# waits 10 s longer); their files lie on a local disk.
QUICK = ("--slurm-init-seconds-before-status-checks", "7", "--latency-wait", "5")
# What a hang would look like: a run takes one to two minutes on two cores.
LIMIT = 600


@dataclass
class Cluster:
    """A running SLURM: what a process needs in its environment to find it."""

    environment: dict[str, str]

    def snakemake(self, folder: Path, *options: str) -> subprocess.Popen[str]:
        return start(folder, ["snakemake", "--profile", "profiles/slurm", *QUICK, *options], self.environment)

    def netinfer(self, folder: Path, *options: str) -> subprocess.Popen[str]:
        return start(folder, ["netinfer.cli", "run", "--profile", "slurm", *QUICK, *options], self.environment)

    def call(self, *command: str) -> str:
        done = subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=True,
        )
        return done.stdout

    def running(self, rule: str) -> list[str]:
        """List the ids of running jobs of a rule; the plugin names it in the job's comment."""
        lines = self.call("squeue", "--noheader", "--states=RUNNING", "--format=%i %k").splitlines()
        return [line.split()[0] for line in lines if f"rule_{rule}" in line]

    def states(self, *jobs: str) -> list[str]:
        """List the states of jobs, of all if none is named."""
        chosen = [f"--jobs={','.join(jobs)}"] if jobs else []
        return self.call("squeue", "--noheader", "--states=all", "--format=%T", *chosen).split()


def clean_environment() -> dict[str, str]:
    """Give this process's environment without the variables of a SLURM job that it may itself be."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("SLURM_", "SNAKEMAKE_"))}


def start(folder: Path, module: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *module], cwd=folder, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a run, which must not hang; give its exit code and the end of what it said."""
    try:
        said, _ = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        pytest.fail(f"still running after {LIMIT} s: {said[-3000:]}")
    return process.returncode, said[-6000:]


def free_ports(n: int) -> int:
    """Find n consecutive free ports on loopback; give the first."""
    for first in range(26817, 27817, n):
        try:
            for port in range(first, first + n):
                with socket.socket() as taken:
                    taken.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    pytest.skip("SLURM cannot start: no free ports")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    missing = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    if missing:
        pytest.skip(f"SLURM cannot start: {', '.join(missing)} not installed (Debian: slurm-wlm and munge)")
    if os.geteuid() != 0:
        pytest.skip("SLURM cannot start: needs root")
    if CONFIGURATION.exists():
        pytest.skip(f"SLURM cannot start: {CONFIGURATION} is there, this host has one of its own")
    state = str(tmp_path_factory.mktemp("slurm"))
    environment = {**clean_environment(), "SLURM_PORT": str(free_ports(3))}
    try:
        up = subprocess.run(
            [HERE / "slurm-up.sh", state], env=environment, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=120, check=False,
        )  # fmt: skip
        if up.returncode:
            pytest.skip(f"SLURM cannot start: {up.stderr[-1500:]}")
        yield Cluster({**clean_environment(), TOKEN: state, "COLUMNS": "200"})
    finally:
        subprocess.run([HERE / "slurm-down.sh", state], stdin=subprocess.DEVNULL, timeout=120, check=True)
        end_leftovers(state)


def end_leftovers(token: str) -> None:
    """End what outlived its job: without cgroups SLURM loses a process whose parent has died."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(TOKEN) == token:
                process.kill()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the demo with `--cores 2`; give its results."""
    folder = init_project(tmp_path_factory.mktemp("local") / "demo")
    code, said = end(start(folder, ["snakemake", "--cores", "2"], clean_environment()))
    assert code == 0, said
    return folder / "results" / "ecoli_demo"


def check_same(folder: Path, local: Path, *more: str) -> None:
    for name in (*SAME, *more):
        assert (folder / "results" / "ecoli_demo" / name).read_bytes() == (local / name).read_bytes(), name
    assert len((local / "edges.tsv").read_bytes().splitlines()) > 1


def test_the_demo_gives_the_bytes_of_a_local_run(slurm: Cluster, local: Path, tmp_path: Path) -> None:
    folder = init_project(tmp_path / "demo")
    code, said = end(slurm.snakemake(folder))
    assert code == 0, said
    check_same(folder, local, "evaluation.tsv")
    # Every job went through the controller, none ran beside it.
    states = slurm.states()
    assert len(states) >= 12
    assert set(states) == {"COMPLETED"}


def before_the_fits(local: Path, folder: Path) -> Path:
    """Copy a finished project as it was when its expression had been normalized."""
    shutil.copytree(local.parents[1], folder)
    results = folder / "results" / "ecoli_demo"
    kept = {results / "work" / name for name in ("preflight.json", "ingested.h5ad", "normalized.h5ad")}
    for path in results.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    return folder


def wait_for_fits(slurm: Cluster, run: subprocess.Popen[str]) -> list[str]:
    """Wait until jobs of the rule regression run; give their ids."""
    deadline = time.monotonic() + 120
    while not (jobs := slurm.running("regression")):
        assert run.poll() is None, end(run)
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return jobs


def test_a_cancelled_job_is_noticed_and_the_next_run_finishes(slurm: Cluster, local: Path, tmp_path: Path) -> None:
    folder = before_the_fits(local, tmp_path / "demo")
    # No second attempt of its own, which would hide that the job was lost.
    run = slurm.netinfer(folder, "--retries", "0")
    slurm.call("scancel", wait_for_fits(slurm, run)[0])
    code, said = end(run)
    assert code == 5, said
    assert "CANCELLED" in said
    assert not (folder / "results" / "ecoli_demo" / "edges.tsv").exists()

    code, said = end(slurm.netinfer(folder))
    assert code == 0, said
    check_same(folder, local, "evaluation.tsv")


def test_jobs_of_a_killed_run_are_cancelled_and_the_next_run_finishes(
    slurm: Cluster, local: Path, tmp_path: Path
) -> None:
    folder = before_the_fits(local, tmp_path / "demo")
    run = slurm.netinfer(folder)
    jobs = wait_for_fits(slurm, run)
    for process in [*psutil.Process(run.pid).children(recursive=True), psutil.Process(run.pid)]:
        process.kill()
    end(run)
    code, said = end(slurm.netinfer(folder, "--until", "network"))
    assert code == 0, said
    # Two writers of one file otherwise.
    assert set(slurm.states(*jobs)) == {"CANCELLED"}
    check_same(folder, local)
