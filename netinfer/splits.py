"""One data set as several: a network for each value of a column of the samples."""

from __future__ import annotations

import logging
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netinfer.config import Config, DatasetConfig
from netinfer.datasets import NAME_LENGTH
from netinfer.errors import ConfigError, InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["expand_splits"]

logger = logging.getLogger(__name__)

# Half-samples are drawn from at least so many samples; a value with fewer gets no network.
FEWEST = 8


def expand_splits(config: Config) -> Config:
    """Turn each data set with `split_by` into one for each value of that column.

    Only the column is read, from the sample sheet or the h5ad file. A value that fewer than 8 samples have gets no
    network and is named in a warning.

    Parameters
    ----------
    config : Config

    Returns
    -------
    Config
        The same where nothing is split. A part is called ``<name>_<value>`` and keeps the samples of its value.

    Raises
    ------
    ConfigError
        If the column cannot be read, or two names become one.
    InputError
        If no value has 8 samples.
    """
    if not any(dataset.split_by for dataset in config.datasets):
        return config
    parts = [part for dataset in config.datasets for part in _parts(dataset)]
    twice = [name for name, n in Counter(part.name.casefold() for part in parts).items() if n > 1]
    if twice:
        raise ConfigError(f"split_by: two networks would be called {twice[0]!r}: rename a data set or a value")
    return config.model_copy(update={"datasets": parts})


def _parts(dataset: DatasetConfig) -> list[DatasetConfig]:
    from netinfer.preprocess.selection import plain, plain_labels

    column = dataset.split_by
    if column is None:
        return [dataset]
    labels = _samples(dataset, column)
    inside = np.ones(len(labels), bool)
    for other, values in dataset.subset.items():
        if other in labels.columns:
            wanted = {plain(value) for value in values}
            inside &= np.array([value in wanted for value in plain_labels(labels[other])])
    counts = Counter(value for value, kept in zip(plain_labels(labels[column]), inside, strict=True) if value and kept)
    kept = sorted(value for value, n in counts.items() if n >= FEWEST)
    few = sorted(value for value, n in counts.items() if n < FEWEST)
    if not kept:
        shown = ", ".join(f"{value!r} ({counts[value]})" for value in few[:5]) or "none"
        raise InputError(f"{dataset.name}: split_by: no value of {column!r} has {FEWEST} samples: there are {shown}")
    for value in few:
        logger.warning(
            "%s: split_by: %s %r has %d samples, fewer than %d, and gets no network of its own",
            dataset.name,
            column,
            value,
            counts[value],
            FEWEST,
        )
    taken = {"subset": dict(dataset.subset), "split_by": None}
    return [
        dataset.model_copy(
            update={**taken, "name": _name(dataset.name, value), "subset": {**dataset.subset, column: [value]}}
        )
        for value in kept
    ]


def _name(name: str, value: str) -> str:
    word = re.sub(r"[^A-Za-z0-9]+", "_", value.replace("+", "pos")).strip("_") or "value"
    return f"{name}_{word}"[:NAME_LENGTH]


def _samples(dataset: DatasetConfig, column: str) -> pd.DataFrame:
    """Read the table of the samples that has the column: the sheet, or else the one of the h5ad file."""
    from netinfer.io import read_sample_sheet

    known: list[str] = []
    if dataset.samples is not None:
        sheet = read_sample_sheet(dataset.samples)
        if column in sheet.columns:
            return sheet
        known += map(str, sheet.columns)
    if Path(dataset.expression).suffix == ".h5ad":
        obs = _h5ad_obs(Path(dataset.expression))
        if column in obs.columns:
            return obs
        known += map(str, obs.columns)
    where = f"{dataset.name}: split_by: {column!r}"
    if known:
        raise ConfigError(f"{where} is no column of the samples: there are {', '.join(known)}")
    raise ConfigError(f"{where} is looked for in a sample sheet or an h5ad file: give `samples`")


def _h5ad_obs(path: Path) -> pd.DataFrame:
    import anndata

    try:
        return anndata.read_h5ad(path, backed="r").obs
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}): is it a whole h5ad file?") from None
