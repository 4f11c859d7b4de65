"""Scores of sites as one file: numpy's npz with a checksum and the version of the format."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.errors import InputError
from netinfer.io.files import arrays_checksum, atomic_write

if TYPE_CHECKING:
    from netinfer.models.motif_sites.scores import SiteScores

FORMAT = 2
_ARRAYS = ("strength", "edges", "site_start", "site_end", "site_strand", "units")
_TEXTS = ("genes", "motifs", "consensus", "labels", "notes")


def save_scores(path: str | os.PathLike[str], scores: SiteScores) -> None:
    """Write scores; see `SiteScores.save`."""
    texts = {name: getattr(scores, name) for name in (*_TEXTS, "meaning", "members")}
    arrays = {name: getattr(scores, name) for name in _ARRAYS}
    arrays["texts"] = np.frombuffer(json.dumps(texts, ensure_ascii=False).encode(), np.uint8)
    with atomic_write(path, mode="wb") as handle:
        stored: dict[str, Any] = {"format": FORMAT, "checksum": arrays_checksum(arrays), **arrays}
        np.savez_compressed(handle, **stored)


def load_scores(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the fields of scores; see `SiteScores.load`."""
    path = Path(path)
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        version, checksum = int(arrays.pop("format")), str(arrays.pop("checksum"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file: give the scores that `SiteScores.save` wrote") from None
    except (
        OSError, ValueError, KeyError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error, NotImplementedError,
    ) as fault:  # fmt: skip
        raise InputError(f"{path}: damaged, or no scores of sites ({type(fault).__name__}): write it again") from fault
    if version != FORMAT:
        raise InputError(f"{path}: version {version} of the format, this is {FORMAT}: match the motifs again")
    if checksum != arrays_checksum(arrays):
        raise InputError(f"{path}: damaged: its checksum is another one: write it again")
    texts = json.loads(arrays.pop("texts").tobytes().decode())
    members = {gene: tuple(genes) for gene, genes in texts["members"].items()}
    return {**arrays, **{name: tuple(texts[name]) for name in _TEXTS}, "meaning": texts["meaning"], "members": members}
