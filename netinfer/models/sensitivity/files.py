"""The fits of a share of the variants as files between two stages."""

from __future__ import annotations

import dataclasses
import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import RunError
from netinfer.io.files import atomic_path, atomic_write
from netinfer.models.sensitivity.fits import COLUMNS, VariantFit
from netinfer.models.sensitivity.variants import Variant
from netinfer.stability.counts import SelectionCounts

COUNTED = [field.name for field in dataclasses.fields(SelectionCounts)]
NUMBERS = ("n_samples", "n_units", "n_hidden_factors", "place")


def write_fits(fits: Sequence[VariantFit], table: str | Path, counts: str | Path, record: str | Path) -> None:
    """Write fits as a parquet table of candidates, an npz file of counts and a JSON record; all may be empty."""
    frames = [fit.candidates.assign(variant=fit.variant.name) for fit in fits]
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in [*COLUMNS, "variant"]})
    with atomic_path(table) as temporary:
        (pd.concat(frames, ignore_index=True) if frames else empty).to_parquet(temporary, index=False)
    with atomic_write(counts, mode="wb") as handle:
        arrays = {f"{i}.{name}": getattr(fit.selection, name) for i, fit in enumerate(fits) for name in COUNTED}
        np.savez_compressed(handle, **arrays)
    entries = [
        {
            "variant": {**dataclasses.asdict(fit.variant), "value": str(fit.variant.value)},
            "regulators": fit.regulators,
            "targets": fit.targets,
            **{name: getattr(fit, name) for name in NUMBERS},
        }
        for fit in fits
    ]
    with atomic_write(record) as file:
        json.dump(entries, file, ensure_ascii=False)


def read_fits(table: str | Path, counts: str | Path, record: str | Path) -> list[VariantFit]:
    """Read back what `write_fits` wrote.

    Raises
    ------
    RunError
        If a file is missing or damaged.
    """
    try:
        candidates = pd.read_parquet(table)
        entries = json.loads(Path(record).read_text(encoding="utf-8"))
        with Path(counts).open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
            return [_read_fit(i, entry, candidates, stored) for i, entry in enumerate(entries)]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        what = f"it or a file of its name beside it is damaged ({type(error).__name__})"
        raise RunError(f"{table}: {what}: delete them and run again") from error


def _read_fit(i: int, entry: dict, candidates: pd.DataFrame, stored: np.lib.npyio.NpzFile) -> VariantFit:
    variant = Variant(**entry["variant"])
    counted: dict[str, Any] = {name: stored[f"{i}.{name}"] for name in COUNTED}
    counted["n_subsamples"] = int(counted["n_subsamples"])
    return VariantFit(
        variant=variant,
        candidates=candidates.loc[candidates["variant"] == variant.name, COLUMNS].reset_index(drop=True),
        selection=SelectionCounts(**counted),
        regulators=tuple(entry["regulators"]),
        targets=tuple(entry["targets"]),
        **{name: int(entry[name]) for name in NUMBERS},
    )
