"""The folder of a motif-position model: written whole, without what an earlier model left there, and read back."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.errors import InputError, RunError
from netinfer.io.files import made_folder
from netinfer.io.motifs import write_meme
from netinfer.io.tables import read_json, read_tsv, write_json, write_tsv
from netinfer.models.motif.columns import FOOTPRINTS, PAIRS, POSITIONS, PREDICTIONS, TERMS
from netinfer.plot.axes import aside, save

if TYPE_CHECKING:
    from netinfer.models.motif.model import MotifModel

KIND, FORMAT = "motif_positions", 1
TABLES = {"positions.tsv": POSITIONS, "footprints.tsv": FOOTPRINTS, "predictions.tsv": PREDICTIONS}
PAIR_TABLES = {"pairs.tsv": PAIRS, "pair_terms.tsv": TERMS}
_LOGO = re.compile(r"footprint_\d+\.(png|svg)")
NO_LOGOS = "logos of the footprints were left out: logomaker is missing: pip install 'netinfer[motifs]'"
_LOG = logging.getLogger(__name__)


def write_model(folder: str | os.PathLike[str], model: MotifModel) -> list[Path]:
    """Write a model's files; ``model.json`` goes first where it is there and comes last, so that with it all are whole.

    Raises
    ------
    RunError
        If a file cannot be written, or a stale one not removed.
    """
    folder = made_folder(folder)
    figures = made_folder(folder / "figures")
    last = folder / "model.json"
    has_pairs = model.pairs is not None and model.terms is not None
    _remove([last, *(folder / name for name in PAIR_TABLES if not has_pairs)])
    _remove([file for file in figures.iterdir() if _LOGO.fullmatch(file.name)])
    frames = {
        "positions.tsv": model.positions,
        "footprints.tsv": model.footprints,
        "predictions.tsv": model.predictions,
    }
    for name, columns in TABLES.items():
        write_tsv(folder / name, frames[name], columns)
    written = [folder / name for name in TABLES]
    if model.pairs is not None and model.terms is not None:
        for (name, columns), frame in zip(PAIR_TABLES.items(), (model.pairs, model.terms), strict=True):
            write_tsv(folder / name, frame, columns)
            written.append(folder / name)
    written.append(folder / "footprints.meme")
    write_meme(written[-1], model.footprint_motifs(), background=np.array(model.record["background"]))
    drawn, notes = _draw(figures, model)
    record = {**model.record, "notes": [*model.record["notes"], *notes]}
    contents = {
        "kind": KIND,
        "format": FORMAT,
        **record,
        "coef": model.coef.tolist(),
        "intercept": model.intercept,
        "has_pairs": has_pairs,
        "cut": model.cut,
    }
    write_json(last, contents)
    return [*written, *drawn, last]


def _draw(folder: Path, model: MotifModel) -> tuple[list[Path], list[str]]:
    """Write the figures; return their paths, and what is to be noted."""
    from netinfer.plot.motif import footprint_logo, promoter_effects

    files: list[Path] = []
    with aside():
        drawn = {"effects": promoter_effects(model)}
        notes = []
        if importlib.util.find_spec("logomaker") is not None:
            for k in model.footprints["footprint"]:
                drawn[f"footprint_{k}"] = footprint_logo(model, int(k))
        elif len(model.footprints):
            notes = [NO_LOGOS] if NO_LOGOS not in model.record["notes"] else []
            _LOG.warning("%s: %s", folder, NO_LOGOS)
    for name, ax in drawn.items():
        for ending in ("png", "svg"):
            files.append(folder / f"{name}.{ending}")
            save(ax, files[-1])
    return files, notes


def _remove(files: list[Path]) -> None:
    for file in files:
        try:
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
        except OSError as error:
            raise RunError(f"{file}: of an earlier model, cannot be removed: {error.strerror}: remove it") from error


def read_model(folder: str | os.PathLike[str], kind: type[MotifModel]) -> MotifModel:
    """Read back what `write_model` wrote.

    Raises
    ------
    InputError
        If a file is missing, damaged, or of another kind or format.
    """
    folder = Path(folder)
    path = folder / "model.json"
    if not path.is_file():
        raise InputError(f"{path}: no such file: give the folder of a finished motif model")
    contents = read_json(path)
    found = contents.pop("kind", None), contents.pop("format", None)
    if found != (KIND, FORMAT):
        what = "no motif-position model" if found[0] != KIND else f"of format {found[1]!r}, and {FORMAT} is read here"
        raise InputError(
            f"{path}: {what} (netinfer {contents.get('netinfer', 'unknown')}): fit the model again with this version"
        )
    try:
        coef = np.array(contents.pop("coef"), dtype=np.float64)
        intercept, cut = float(contents.pop("intercept")), dict(contents.pop("cut"))
        has_pairs = contents.pop("has_pairs")
        is_whole = coef.shape == (contents["n_positions"], 4)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: damaged ({error}): fit the model again") from error
    if not is_whole:
        raise InputError(f"{path}: coef: of shape {coef.shape}: damaged: fit the model again")
    frames: dict[str, Any] = {}
    for name, columns in {**TABLES, **(PAIR_TABLES if has_pairs else {})}.items():
        if not (folder / name).is_file():
            raise InputError(f"{folder / name}: no such file: the folder is not whole: fit the model again")
        frames[name.removesuffix(".tsv")] = read_tsv(folder / name, columns)
    if "pair_terms" in frames:
        frames["terms"] = frames.pop("pair_terms")
    return kind(coef=coef, intercept=intercept, record=contents, cut=cut, **frames)


def with_matches(model: MotifModel, motifs: Any) -> MotifModel:
    """Return a model whose footprints have their best match among some motifs."""
    from netinfer.models.motif.matches import match_footprints

    found = match_footprints(model, motifs).drop(columns="footprint")
    table = model.footprints.assign(**{str(name): found[name].array for name in found})
    return dataclasses.replace(model, footprints=table)
