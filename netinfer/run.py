"""Run a project: check it, clear up after a killed run, then hand over to Snakemake."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from netinfer import processes
from netinfer.config import Config, load_config, settings_hash
from netinfer.errors import ConfigError, NetinferError, RunError
from netinfer.jobs import DEBUG_VARIABLE, FAILURES_VARIABLE
from netinfer.lock import FOLDER, RunLock
from netinfer.splits import expand_splits

__all__ = ["RunRequest", "run_project"]

logger = logging.getLogger(__name__)
_TEMPORARY = re.compile(r"^\..+\.\d+\.[0-9a-f]{8}\.tmp$")
_CONFIG = "config/config.yaml"
_CORES = re.compile(r"all|[1-9][0-9]*")
_RULE_FAILED = re.compile(rb"^(?:Error in rule|.*Error executing rule) (\w+)")
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class RunRequest:
    """What `netinfer run` was asked for."""

    folder: Path = Path()
    cores: str | None = None
    profile: str | None = None
    executor: str | None = None
    configfiles: tuple[str, ...] = ()
    extra: tuple[str, ...] = field(default=())
    assume_dead: bool = False
    is_debugging: bool = False


class Stopped(BaseException):
    """A signal asked the run to stop."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def run_project(request: RunRequest) -> int:
    """Run a project folder from check to manifest.

    Parameters
    ----------
    request : RunRequest

    Returns
    -------
    int
        The exit code: 0, or that of the error that ended it (2 config, 3 data, 4 numerics, 5 environment).

    Raises
    ------
    NetinferError
        If the config or the data cannot be used, or another run holds the folder.
    Stopped
        If a signal asked for it; nothing is left running and no lock stays.
    """
    if not (request.folder / "Snakefile").is_file():
        raise ConfigError(f"{request.folder}: holds no Snakefile: make a project with `netinfer init DIR`")
    if request.cores is not None and not _CORES.fullmatch(request.cores):
        raise ConfigError(f"--cores {request.cores}: is not a number of cores: give 1 or more, or all")
    os.chdir(request.folder)
    folder = Path.cwd()
    with _signals_raise(), RunLock(folder, assume_dead=request.assume_dead) as lock:
        own = [] if request.configfiles and not Path(_CONFIG).exists() else [_CONFIG]
        config = expand_splits(load_config([*own, *request.configfiles]))
        _check_folders(config)
        options = _options(request, lock)
        for old in Path(FOLDER).glob("failures-*.jsonl"):
            old.unlink(missing_ok=True)
        base = [sys.executable, "-m", "snakemake", "--snakefile", "Snakefile"]
        if request.configfiles:
            base += ["--configfile", *request.configfiles]
        environment = _environment(request, lock)
        recover(folder, config, lock, [*base, "--cores", "1", "--unlock"])
        _check_data(config)
        code, failed_rules = _snakemake([*base, *options], environment, base)
        if code != 0:
            processes.end(processes.leftovers(folder, lock.record.token))
        failures = _failures(Path(environment[FAILURES_VARIABLE]))
        if code == 0 and not request.extra:
            _check_results(config)
    for failure in failures:
        logger.error("%s: %s", failure["where"], failure["message"])
    if code == 0:
        return 0
    if not failures:
        logger.error("%s", _unexplained(code, failed_rules))
    return int(failures[0]["code"]) if failures else (ConfigError.exit_code if code == 2 else RunError.exit_code)


def recover(folder: Path, config: Config, lock: RunLock, unlock: Sequence[str]) -> None:
    """Clear up after a run of this folder that was killed.

    Ends its orphaned jobs, here and on the cluster, removes their half-written files and Snakemake's stale lock.

    Parameters
    ----------
    folder : path
        The working directory.
    config : Config
    lock : RunLock
        Held.
    unlock : list of str
        The command that removes Snakemake's lock.

    Raises
    ------
    RunError
        If a Snakemake is alive in the folder, or something of the dead run cannot be ended.
    """
    locks = list((folder / ".snakemake" / "locks").glob("*"))
    if lock.previous is None and not locks:
        return
    token = lock.previous.token if lock.previous else None
    other = processes.living_snakemake(folder, token)
    if other is not None and locks:
        raise RunError(f".snakemake/locks: locked by pid {other.pid} on {lock.record.host}: wait for it or end it")
    prefix = lock.previous.job_prefix if lock.previous else None
    cancelled = processes.cancel_cluster_jobs(processes.logged_run_ids(folder), prefix)
    if cancelled:
        logger.info("cancelled %d SLURM jobs of an earlier run", cancelled)
    orphans = processes.leftovers(folder, token)
    if orphans:
        logger.info("ending %d processes of an earlier run that was killed", len(orphans))
        processes.end(orphans)
    for path in _temporary_files(config):
        path.unlink(missing_ok=True)
    if locks:
        logger.info("removing the lock of an earlier run that was killed")
        subprocess.run(unlock, check=False, capture_output=True)


def _unexplained(code: int, failed_rules: Sequence[str]) -> str:
    """Say what is known of an end that no job left a message about."""
    if failed_rules:
        return (
            "a job ended without a message (killed, or out of memory: see results/<dataset>/work/logs/, and"
            f" --set-resources {failed_rules[0]}:mem_mb=...); run again to go on"
        )
    if code < 0:
        return f"Snakemake was killed (signal {-code}); run again to go on"
    return f"Snakemake ended with exit code {code}: its message stands above"


def _folders(config: Config) -> list[str]:
    """Name the folders of the results that a run writes."""
    names = [dataset.name for dataset in config.datasets] + [comparison.name for comparison in config.comparisons]
    return names + [library.name for library in config.motif]


def _temporary_files(config: Config) -> Iterator[Path]:
    for name in _folders(config):
        home = Path(config.results, name)
        if home.is_dir():
            yield from (path for path in home.rglob(".*.tmp") if _TEMPORARY.match(path.name) and path.is_file())


def _check_folders(config: Config) -> None:
    """Refuse to write into a folder that holds something else: Snakemake would overwrite it, or take it for its own."""
    for name in _folders(config):
        home = Path(config.results, name)
        if home.is_dir() and any(home.iterdir()) and not (home / "work").is_dir():
            raise ConfigError(f"{home}: holds files that netinfer did not make: choose another `results` or name")


def _check_data(config: Config) -> None:
    from netinfer.preflight import check_config

    _, problems = check_config(config)
    if problems:
        raise type(problems[0][1])("\n".join(f"{name}: {error}" for name, error in problems))


def _environment(request: RunRequest, lock: RunLock) -> dict[str, str]:
    environment = dict(os.environ)
    environment[processes.TOKEN_VARIABLE] = lock.record.token
    environment[FAILURES_VARIABLE] = str(Path(FOLDER, f"failures-{lock.record.token}.jsonl").resolve())
    if request.is_debugging:
        environment[DEBUG_VARIABLE] = "1"
    return environment


def _options(request: RunRequest, lock: RunLock) -> list[str]:
    options = ["--rerun-incomplete"]
    profile = request.profile
    if profile is not None:
        own = Path("profiles", profile)
        profile = str(own) if own.is_dir() else profile
        options += ["--profile", profile]
    executor = request.executor or _profile_executor(profile)
    if request.executor is not None:
        options += ["--executor", request.executor]
    if executor == "slurm":
        if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
            raise RunError("the slurm executor is not installed: pip install 'netinfer[slurm]'")
        options += ["--slurm-jobname-prefix", lock.record.job_prefix]
    if request.cores is not None or executor in (None, "local"):
        options += ["--cores", request.cores or "all"]
    return options + list(request.extra)


def _profile_executor(profile: str | None) -> str | None:
    """Read which executor a profile names."""
    if profile is None:
        return None
    from netinfer.yamlfile import read_yaml

    for name in ("profile.yaml", "config.yaml"):
        path = Path(profile, name)
        if path.is_file():
            executor = read_yaml(path).get("executor")
            return str(executor) if executor is not None else None
    return None


def _snakemake(command: list[str], environment: dict[str, str], base: list[str]) -> tuple[int, list[str]]:
    """Run Snakemake; give its exit code and the rules that it said had failed."""
    child = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    messages = _Messages(cast(IO[bytes], child.stderr))
    try:
        code = child.wait()
        messages.join(timeout=5.0)  # a job that outlived Snakemake holds the pipe open
        return code, messages.failed_rules
    except Stopped:
        messages.is_passing_on = DEBUG_VARIABLE in environment
        with _signals_ignored():
            processes.interrupt(child)
            if any(Path(".snakemake", "locks").glob("*")):
                subprocess.run([*base, "--cores", "1", "--unlock"], check=False, capture_output=True)
        raise


class _Messages(threading.Thread):
    """Pass what Snakemake writes to stderr on, until told not to: stopped, it shows a traceback for every job."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.is_passing_on = True
        self.failed_rules: list[str] = []
        self._stream = stream
        self.start()

    def run(self) -> None:
        with open(2, "wb", closefd=False) as stderr:
            for line in self._stream:
                match = _RULE_FAILED.match(line)
                if match:
                    self.failed_rules.append(match[1].decode())
                if self.is_passing_on:
                    with contextlib.suppress(OSError):  # nobody reads; Snakemake must still be able to write
                        stderr.write(line)
                        stderr.flush()


def _failures(path: Path) -> list[dict[str, Any]]:
    """Read what the jobs of this run said when they failed."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    with contextlib.suppress(OSError):
        path.unlink()
    return [json.loads(line) for line in lines]


def _check_results(config: Config) -> None:
    """Compare the settings that made the results with those asked for.

    Snakemake sees changed settings by its metadata; where these were lost it takes old results for new.
    """
    from netinfer.manifest import read_manifest

    wanted = {dataset.name: config.settings(dataset.name) for dataset in config.datasets}
    wanted |= {library.name: config.library_settings(library.name) for library in config.motif}
    for name, settings in wanted.items():
        home = Path(config.results, name)
        path = home / "manifest.json"
        if not path.is_file():
            raise RunError(f"{path}: was not made although Snakemake ended well: run again with --forceall")
        if read_manifest(path).get("settings_sha256") != settings_hash(settings):
            raise RunError(f"{home}: made with other settings: delete the folder, or run again with --forceall")


@contextlib.contextmanager
def _signals_raise() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise Stopped(number)

    before = {number: signal.signal(number, stop) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _signals_ignored() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def error_lines(error: NetinferError) -> list[str]:
    """Give the lines that are shown of an error."""
    return str(error).splitlines() or [type(error).__name__]
