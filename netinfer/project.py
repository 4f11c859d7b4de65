"""A project folder: where the packaged one is, and how a new one is made."""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path

import netinfer
from netinfer.errors import ConfigError, RunError

PARTS = ("Snakefile", "workflow", "profiles", "config", "resources")
_LINK = re.compile(r"\[(?P<text>[^\]\[]+)\]\((?P<target>[^()\s]+)\)")
# resources/regulators makes the shipped lists, which are in the package.
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".snakemake", ".*.tmp", "regulators")


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
        for page in folder.rglob("*.md"):
            _without_dead_links(page, folder)
        (folder / ".gitignore").write_text("/results/\n.snakemake/\n.netinfer/\n", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{error.filename or folder}: {error.strerror}: choose a folder that can be written") from None
    return folder


def _without_dead_links(page: Path, folder: Path) -> None:
    """Name a page of the documentation where it was linked: a project folder has no copy of it."""

    def in_words(link: re.Match[str]) -> str:
        text, target = link["text"], link["target"].partition("#")[0]
        if "://" in target or not target or (page.parent / target).exists():
            return link[0]
        name = posixpath.normpath((page.parent.relative_to(folder) / target).as_posix())
        name = f"`{name}` of netinfer's documentation"
        return name if text.strip("`") in name else f"{text}: {name}"

    before = page.read_text(encoding="utf-8")
    after = _LINK.sub(in_words, before)
    if after != before:
        page.write_text(after, encoding="utf-8")


def write_simulation(
    folder: str | Path, kind: str, *, samples: int, regulators: int, targets: int, seed: int = 0
) -> str:
    """Write a simulated data set and a config that names its files.

    Parameters
    ----------
    folder : path
        A folder that does not exist or is empty.
    kind : {"sparse_linear", "counts"}
    samples, regulators, targets : int
    seed : int

    Returns
    -------
    str
        Name of the config in the folder.

    Raises
    ------
    ConfigError
        If the folder holds something, or the kind is unknown.
    """
    from netinfer import simulate
    from netinfer.io.files import atomic_write

    kinds = {"sparse_linear": simulate.sparse_linear, "counts": simulate.counts}
    if kind not in kinds:
        raise ConfigError(f"kind: {kind!r} is none of {', '.join(kinds)}")
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder}: is not an empty folder: give the name of a new one")
    adata, edges = kinds[kind](samples, regulators, targets, seed=seed)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{folder}: {error.strerror}: choose a folder that can be written") from None
    with atomic_write(folder / "expression.tsv") as file:
        adata.to_df().to_csv(file, sep="\t", index_label="sample", lineterminator="\n")
    with atomic_write(folder / "regulators.txt") as file:
        file.writelines(f"{name}\n" for name in adata.var_names[adata.var["is_regulator"]])
    with atomic_write(folder / "gold.tsv") as file:
        gold = simulate.complete_gold(edges, adata)
        gold.assign(is_edge=gold["is_edge"].astype(int)).to_csv(file, sep="\t", index=False, lineterminator="\n")
    with atomic_write(folder / "config.yaml") as file:
        file.write(
            "datasets:\n"
            f"  - name: {kind}\n    expression: expression.tsv\n    regulators: regulators.txt\n    gold: gold.tsv\n"
            f"    normalize: {'auto' if kind == 'counts' else 'none'}\n"
        )
    return "config.yaml"
