"""The manifest of a data set: what went in, what came out, with which versions, seed and settings.

It holds no time and no host, so that the same run writes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import netinfer
from netinfer.config import settings_hash
from netinfer.errors import RunError
from netinfer.io.files import atomic_write, sha256_file

__all__ = ["files_of", "hash_inputs", "read_manifest", "write_manifest"]

_PACKAGES = ("numpy", "scipy", "pandas", "numba", "llvmlite", "anndata", "h5py", "networkx", "pyarrow", "snakemake")


def hash_inputs(files: Mapping[str, str | Path]) -> dict[str, dict[str, str]]:
    """Hash input files; of a folder (a 10x matrix), its files together.

    Parameters
    ----------
    files : mapping of key to path

    Returns
    -------
    dict
        For each key its `path` as given and its `sha256`.
    """
    return {key: {"path": str(path), "sha256": _hash(Path(path))} for key, path in files.items()}


def files_of(paths: Iterable[str | Path]) -> list[Path]:
    """List files, and of folders the files in them; those whose name begins with a dot are not results."""
    found = []
    for path in map(Path, paths):
        found += [path] if path.is_file() else sorted(file for file in path.rglob("[!.]*") if file.is_file())
    return found


def _hash(path: Path) -> str:
    if not path.is_dir():
        return sha256_file(path)
    together = hashlib.sha256()
    for file in sorted(p for p in path.iterdir() if p.is_file()):
        together.update(f"{file.name}\0{sha256_file(file)}\n".encode())
    return together.hexdigest()


def write_manifest(
    path: str | Path,
    *,
    inputs: Mapping[str, str | Path],
    outputs: Iterable[str | Path],
    settings: Mapping[str, Any],
    preflight: str | Path | None = None,
) -> None:
    """Write the manifest of a data set or of a library of sequences.

    Parameters
    ----------
    path : path
        The file to write; outputs are named relative to its folder.
    inputs : mapping of key to path
    outputs : list of paths
    settings : mapping
        Every setting that decides the results, as plain values; those of ``dataset`` or ``library`` have its name.
    preflight : path, optional
        What `netinfer.preflight` saw, with the hashes of the inputs at the start.

    Raises
    ------
    RunError
        If an input changed since the start, so that the outputs may mix two versions of it.
    """
    path = Path(path)
    hashed = hash_inputs(inputs)
    at_start = {} if preflight is None else json.loads(Path(preflight).read_text(encoding="utf-8"))["sha256"]
    for key, entry in hashed.items():
        if key in at_start and at_start[key]["sha256"] != entry["sha256"]:
            raise RunError(f"{entry['path']}: changed while the run went on: run again")
    kind = "dataset" if "dataset" in settings else "library"
    manifest = {
        kind: settings[kind]["name"],
        "netinfer": netinfer.__version__,
        "inputs": hashed,
        "outputs": {_from(path.parent, out): sha256_file(out) for out in sorted(map(str, outputs))},
        "settings": settings,
        "settings_sha256": settings_hash(settings),
        "seed": settings["seed"],
        "versions": _versions(),
    }
    with atomic_write(path) as file:
        json.dump(manifest, file, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        file.write("\n")


def _from(folder: Path, out: str) -> str:
    return Path(os.path.relpath(out, folder)).as_posix()


def read_manifest(path: str | Path) -> dict[str, Any]:
    """Read a manifest.

    Raises
    ------
    RunError
        If it is damaged.
    """
    try:
        return dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except (ValueError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: damaged manifest ({error}): delete it and run again") from None


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
