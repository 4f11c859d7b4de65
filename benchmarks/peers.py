"""Harness of the benchmarks against other solvers: same data, same criterion, alternating runs, medians.

A solver is a function of one argument, its tolerance, that returns (coefficients, seconds). `timed` makes one of any
function in this process; an `RWorker` or a `PythonWorker` runs code in a process of its own that got the data before
and measures the time itself, so that neither start-up nor transfer counts:

    worker = RWorker({"x": X, "y": Y, "lam": grid}, setup="library(glmnet)")
    code = "fit <- glmnet(x, y[, 1], lambda = lam, standardize = FALSE, intercept = FALSE, thresh = {tol})$beta"
    peers = [
        Peer("netinfer", timed(lambda _: lasso_path(gram, cross, grid).coef)),
        Peer("glmnet", worker.solver(code, "as.matrix(fit)"), tolerances=(1e-7, 1e-8, 1e-9)),
        missing("adelie"),
    ]
    measured = compare(peers, excess=lambda coef: worst_excess(objective(coef), best), allowed=1e-6, rounds=5)
    print(environment(), table(measured, unit=1e-3, per=n_targets), sep="\\n")

glmnet's penalty is that of (1/2n) ||y - Xb||^2 and it expects penalties in decreasing order.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Solver = Callable[[float], tuple[np.ndarray, float]]
WORKERS = Path(__file__).parent / "workers"
# Processor time, of one core by the thread limits, since the machine may be shared: time that another process had is
# not counted. NETINFER_BENCH_CLOCK=wall takes the time on the wall instead.
CLOCK = os.environ.get("NETINFER_BENCH_CLOCK", "cpu")
clock = time.perf_counter if CLOCK == "wall" else time.process_time
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclasses.dataclass
class Peer:
    """A solver, the tolerances to try from loose to tight, and why it is not here where it is not."""

    name: str
    solve: Solver | None = None
    tolerances: Sequence[float] = (0.0,)
    note: str = ""


@dataclasses.dataclass
class Measured:
    """What a peer took: seconds a round, the first call's seconds apart, and how good its answer is."""

    name: str
    tolerance: float
    excess: float
    warm_up: float
    seconds: np.ndarray
    note: str = ""
    result: np.ndarray | None = None

    @property
    def median(self) -> float:
        """Median seconds a round."""
        return float(np.median(self.seconds)) if self.seconds.size else np.nan


def missing(name: str, note: str = "not installed") -> Peer:
    """Return a peer that is only named."""
    return Peer(name, note=note)


def timed(function: Callable[[float], Any], finish: Callable[[Any], np.ndarray] = np.asarray) -> Solver:
    """Return a solver that runs a function of the tolerance in this process and takes its time.

    ``finish`` turns what it returns into coefficients, which is not timed.
    """

    def solve(tolerance: float) -> tuple[np.ndarray, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a peer's convergence warnings: its objective is checked
            began = clock()
            found = function(tolerance)
            seconds = clock() - began
        return finish(found), seconds

    return solve


class ProcessWorker:
    """A process that holds the data and times code; arrays go over by file, once."""

    def __init__(self, command: Sequence[str], arrays: dict[str, np.ndarray], setup: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="netinfer-bench-")
        folder = Path(self._folder.name)
        lines = []
        for name, array in arrays.items():
            values = np.atleast_1d(np.asarray(array, dtype=np.float64))
            (folder / f"{name}.bin").write_bytes(values.tobytes(order="F"))
            lines.append(" ".join([name, *map(str, values.shape)]))
        (folder / "arrays.txt").write_text("\n".join(lines) + "\n")
        self._process = subprocess.Popen(
            [*command, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | dict.fromkeys(ONE_THREAD, "1") | {"NETINFER_BENCH_CLOCK": CLOCK},
        )
        if setup:
            self.run(setup, "0")

    def run(self, code: str, result: str = "fit") -> tuple[np.ndarray, float]:
        """Time one line of code; return the value of an expression after it, which is not timed, and the seconds."""
        self._process.stdin.write(" ".join(code.split()) + "\n" + " ".join(result.split()) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().split(maxsplit=1)
        while answer and answer[0] not in ("ok", "failed"):  # R prints what a library has to say
            answer = self._process.stdout.readline().split(maxsplit=1)
        if not answer or answer[0] == "failed":
            raise RuntimeError(f"worker: {answer[1].strip() if answer else 'ended'} in: {code[:200]}")
        seconds, *shape = answer[1].split()
        values = np.fromfile(Path(self._folder.name) / "result.bin")
        return values.reshape([int(s) for s in shape], order="F"), float(seconds)

    def solver(
        self, code: str, result: str = "fit", *, reorder: Callable[[np.ndarray], np.ndarray] = np.asarray
    ) -> Solver:
        """Return a solver that puts its tolerance for ``{tol}`` in the code and reorders what comes back."""

        def solve(tolerance: float) -> tuple[np.ndarray, float]:
            found, seconds = self.run(code.replace("{tol}", repr(float(tolerance))), result)
            return reorder(found), seconds

        return solve

    def close(self) -> None:
        """End the process and remove its files."""
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._folder.cleanup()


class RWorker(ProcessWorker):
    """R code on the arrays; statements of one request are separated by semicolons."""

    def __init__(self, arrays: dict[str, np.ndarray], setup: str = "suppressMessages(library(glmnet))") -> None:
        super().__init__(["Rscript", "--vanilla", str(WORKERS / "worker.R")], arrays, setup)


class PythonWorker(ProcessWorker):
    """Python code on the arrays, in another Python; ``np`` is numpy, loops are comprehensions."""

    def __init__(self, python: str, arrays: dict[str, np.ndarray], setup: str = "import adelie as ad") -> None:
        super().__init__([python, str(WORKERS / "worker.py")], arrays, setup)


def has_module(name: str) -> bool:
    """Say whether this Python imports a package."""
    return importlib.util.find_spec(name) is not None


def r_version(package: str) -> str | None:
    """Return the version of an R package; None where R or the package is missing."""
    if shutil.which("Rscript") is None:
        return None
    done = subprocess.run(
        ["Rscript", "--vanilla", "-e", f"cat(as.character(packageVersion('{package}')))"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None if done.returncode == 0 else None


def adelie_python(options: argparse.Namespace | None = None) -> str | None:
    """Return the Python that imports adelie (it needs numpy < 2): option, NETINFER_ADELIE_PYTHON, or this one."""
    asked = getattr(options, "adelie_python", None) or os.environ.get("NETINFER_ADELIE_PYTHON")
    if asked:
        return asked
    return sys.executable if has_module("adelie") else None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what all these benchmarks take."""
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--adelie-python", help="the Python that has adelie, where it is not this one")


def worst_excess(objective: np.ndarray, best: np.ndarray) -> float:
    """Return the largest relative excess of objectives over the best known ones, any shape."""
    return float(((objective - best) / np.abs(best)).max())


def calibrate(peer: Peer, excess: Callable[[np.ndarray], float], allowed: float) -> Measured:
    """Find the loosest of a peer's tolerances whose answer is good enough, or the tightest; the first call is apart."""
    if peer.solve is None:
        return Measured(peer.name, np.nan, np.nan, np.nan, np.zeros(0), peer.note)
    began = time.perf_counter()
    peer.solve(peer.tolerances[0])
    warm_up, found = time.perf_counter() - began, np.inf
    tolerance = np.nan
    for tolerance in peer.tolerances:
        result, _ = peer.solve(tolerance)
        found = excess(result)
        if found <= allowed:
            break
    note = peer.note if found <= allowed else (peer.note + " misses the asked excess").strip()
    return Measured(peer.name, tolerance, found, warm_up, np.zeros(0), note)


def alternate(peers: Sequence[Peer], measured: Sequence[Measured], rounds: int) -> None:
    """Run all peers in turn, round by round, and put the seconds into their records."""
    times: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for _ in range(rounds):
        for peer, record in zip(peers, measured, strict=True):
            if peer.solve is not None:
                record.result, seconds = peer.solve(record.tolerance)
                times[peer.name].append(seconds)
    for record in measured:
        record.seconds = np.array(times[record.name])


def compare(
    peers: Sequence[Peer], *, excess: Callable[[np.ndarray], float], allowed: float = 1e-6, rounds: int = 5
) -> list[Measured]:
    """Calibrate every peer, then run them alternating."""
    measured = [calibrate(peer, excess, allowed) for peer in peers]
    alternate(peers, measured, rounds)
    return measured


def table(measured: Sequence[Measured], *, unit: float = 1.0, per: int = 1, label: str = "s") -> str:
    """Return a markdown table; the first peer is netinfer, the ratio is the median over rounds of the others to it.

    ``unit`` is the seconds of one printed unit (1e-3 for ms), ``per`` how many problems one call solves.
    """
    first = measured[0].seconds
    rows = [
        {
            "solver": record.name,
            f"{label}, median": record.median / per / unit,
            "ratio": float(np.median(record.seconds / first)) if record.seconds.size else np.nan,
            "tolerance": record.tolerance,
            "worst relative excess": record.excess,
            "first call, s": record.warm_up,
            "note": record.note,
        }
        for record in measured
    ]
    return pd.DataFrame(rows).to_markdown(index=False, floatfmt=".3g")


def fastest(measured: Sequence[Measured]) -> float:
    """Return how many times slower than the first the fastest peer that reached the asked excess is."""
    ratios = [
        np.median(r.seconds / measured[0].seconds)
        for r in measured[1:]
        if r.seconds.size and "misses" not in r.note and "netinfer" not in r.name
    ]
    return float(min(ratios)) if ratios else np.nan


def environment(*packages: str) -> str:
    """Return a line that says on what this ran: processor, cores, load, threads, versions."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = models[0] if models else model
    versions = []
    for name in ("numpy", "scipy", "numba", "scikit-learn", "celer", "skglm", *packages):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} not installed")
    versions.append(f"glmnet {r_version('glmnet') or 'not installed'}")
    cores = os.cpu_count()
    load = " ".join(f"{value:.2f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    threads = ", ".join(f"{name}={os.environ.get(name, 'unset')}" for name in ("OMP_NUM_THREADS", "OPENBLAS_CORETYPE"))
    return (
        f"Python {platform.python_version()}, {', '.join(versions)}; {model}, {cores} cores, load {load} "
        f"(1, 5, 15 minutes); {threads}; {CLOCK} time."
    )
