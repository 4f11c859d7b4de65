"""A project folder: where the packaged one is, and how a new one is made."""

from __future__ import annotations

import shutil
from pathlib import Path

import netinfer
from netinfer.errors import ConfigError, RunError

PARTS = ("Snakefile", "workflow", "profiles", "config", "resources")
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".snakemake", ".*.tmp")


def packaged_project() -> Path:
    """Find the project that comes with netinfer: in the package, or around it in a source tree.

    Raises
    ------
    RunError
        If this installation lacks it.
    """
    package = Path(netinfer.__file__).resolve().parent
    for folder in (package / "project", package.parent):
        if (folder / "workflow" / "Snakefile").is_file() and (folder / "Snakefile").is_file():
            return folder
    raise RunError(f"{package}: this installation lacks the workflow: install netinfer again")


def init_project(folder: str | Path) -> Path:
    """Make a project folder with workflow, profiles, config and the demo data.

    Parameters
    ----------
    folder : path
        A folder that does not exist or is empty.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    ConfigError
        If the folder holds something already.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: is not an empty folder: give the name of a new one")
    source = packaged_project()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            if (source / part).is_dir():
                shutil.copytree(source / part, folder / part, ignore=_IGNORED)
            elif (source / part).exists():
                shutil.copy2(source / part, folder / part)
        (folder / ".gitignore").write_text("/results/\n.snakemake/\n.netinfer/\n", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{error.filename or folder}: {error.strerror}: choose a folder that can be written") from None
    return folder
