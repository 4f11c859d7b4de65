"""One data set as several: a network for each value of a column of the samples."""

from __future__ import annotations

import logging
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from netinfer.comparisons import unknown_dataset
from netinfer.config import Config, DatasetConfig
from netinfer.errors import ConfigError, InputError
from netinfer.sections import NAME_LENGTH

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["expand_splits"]

logger = logging.getLogger(__name__)

# Half-samples are drawn from at least so many samples; a value with fewer gets no network. Of single cells, fewer than
# the second make neither metacells nor half-samples to learn from (decision 005).
FEWEST = 8
FEWEST_CELLS = 100
ROWS_SEEN = 200


def expand_splits(config: Config) -> Config:
    """Turn each data set with `split_by` into one for each value of that column.

    Only the samples' columns are read, from the sample sheet or the h5ad file, and of an h5ad file how many zeros there
    are. A value that fewer than 8 samples have gets no network and is named in a warning; of single cells, fewer than
    100. Cells are what `assay: cells` says, and with `auto` 100 rows or more with a column of cell types (this or
    another) or a quality column of single-cell programs, and 200 rows or more of an h5ad file with over 60 % zeros;
    but not fewer than 1,000 rows without a quality column and with fewer than 20 of each type.

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
        If no value has as many samples as are needed.
    """
    if not any(dataset.split_by for dataset in config.datasets):
        return config
    parts = [part for dataset in config.datasets for part in _parts(dataset)]
    twice = [name for name, n in Counter(part.name.casefold() for part in parts).items() if n > 1]
    if twice:
        raise ConfigError(f"split_by: two networks would be called {twice[0]!r}: rename a data set or a value")
    names = [part.name for part in parts]
    for key, others in (("comparisons", config.comparisons), ("motif", config.motif)):
        for other in others:
            if other.name.casefold() in (name.casefold() for name in names):
                raise ConfigError(f"{key}: {other.name!r} is the name of a part that split_by makes: rename it")
    for comparison in config.comparisons:
        if said := unknown_dataset(comparison, names):
            raise ConfigError(f"comparisons: {said['comparison']}: {said['name']} is no data set: {said['hint']}")
    return config.model_copy(update={"datasets": parts})


def _parts(dataset: DatasetConfig) -> list[DatasetConfig]:
    from netinfer.io.ids import clean_id
    from netinfer.preprocess.selection import plain, plain_labels

    column = dataset.split_by
    if column is None:
        return [dataset]
    labels = _samples(dataset, column)
    out = {clean_id(name) for name in dataset.exclude_samples}
    inside = np.array([clean_id(str(name)) not in out for name in labels.index], dtype=bool)
    for other, values in dataset.subset.items():
        if other in labels.columns:
            wanted = {plain(value) for value in values}
            inside &= np.array([value in wanted for value in plain_labels(labels[other])])
    counts = Counter(value for value, kept in zip(plain_labels(labels[column]), inside, strict=True) if value and kept)
    need, what = _fewest(dataset, labels, column)
    hint = "; set `assay: bulk` if these are bulk samples" if need == FEWEST_CELLS and dataset.assay == "auto" else ""
    kept = sorted(value for value, n in counts.items() if n >= need)
    few = ", ".join(f"{value!r} ({n})" for value, n in counts.most_common() if n < need)
    if not kept:
        there = f"there are {few or 'none'}{hint}"
        raise InputError(f"{dataset.name}: split_by: no value of {column!r} has {need} {what}: {there}")
    if few:
        said = f"values of {column!r} with fewer than {need} {what} get no network of their own: {few}{hint}"
        logger.warning("%s: split_by: %s", dataset.name, said)
    taken = {"subset": dict(dataset.subset), "split_by": None}
    return [
        dataset.model_copy(
            update={**taken, "name": _name(dataset.name, value), "subset": {**dataset.subset, column: [value]}}
        )
        for value in kept
    ]


def _fewest(dataset: DatasetConfig, labels: pd.DataFrame, column: str) -> tuple[int, str]:
    """Return how many samples a value needs, and what the samples are: cells are told as far as it takes no reading."""
    from netinfer.preprocess import assay
    from netinfer.preprocess.labels import CLUSTER_NAMES, QC_NAMES, TYPE_NAMES, find, folded

    cells, bulk = (FEWEST_CELLS, "cells"), (FEWEST, "samples")
    if dataset.assay != "auto":
        return cells if dataset.assay == "cells" else bulk
    n = len(labels)
    quality = find(labels, QC_NAMES)
    types = find(labels, (*TYPE_NAMES, *CLUSTER_NAMES))
    if column == dataset.cells.type_column or folded(column) in (*TYPE_NAMES, *CLUSTER_NAMES):
        types = column
    if n >= assay.MIN_CELLS and (quality or types):
        most = int(labels[types].value_counts().max()) if types else n
        is_sorted_bulk = n < assay.SORTED_BULK_SAMPLES and most < assay.SORTED_BULK_REPLICATES
        return cells if quality or not is_sorted_bulk else bulk
    if n >= assay.MIN_SPARSE_SAMPLES and _zero_share(dataset) > assay.ZERO_SHARE_OF_CELLS:
        return cells
    return bulk


def _zero_share(dataset: DatasetConfig) -> float:
    """Return the share of zeros in an h5ad file: what is not stored, or of its first rows; 0 of other files."""
    import h5py

    path = Path(dataset.expression)
    if path.suffix != ".h5ad" or not path.is_file():
        return 0.0
    place = {None: "X", "raw": "raw/X"}.get(dataset.layer, f"layers/{dataset.layer}")
    with h5py.File(path, "r") as file:
        matrix = file.get(place)
        if isinstance(matrix, h5py.Dataset) and matrix.ndim == 2:
            return float(np.mean(matrix[:ROWS_SEEN] == 0))
        if not isinstance(matrix, h5py.Group) or "shape" not in matrix.attrs:
            return 0.0
        rows, columns = (int(size) for size in matrix.attrs["shape"])
        return 1.0 - len(matrix["data"]) / max(1, rows * columns)


def _name(name: str, value: str) -> str:
    word = re.sub(r"[^A-Za-z0-9]+", "_", value.replace("+", "pos")).strip("_") or "value"
    return f"{name}_{word}"[:NAME_LENGTH]


def _samples(dataset: DatasetConfig, column: str) -> pd.DataFrame:
    """Read what is known of the samples: the sheet, with further columns of the h5ad file; the column is in it."""
    from netinfer.io import read_sample_sheet

    table = None if dataset.samples is None else read_sample_sheet(dataset.samples)
    path = Path(dataset.expression)
    if path.suffix == ".h5ad" and (table is None or column not in table.columns or path.is_file()):
        obs = _h5ad_obs(path)
        # As ingest joins them: a column of the sheet stands for the file's.
        table = obs if table is None else table.join(obs.drop(columns=list(table.columns), errors="ignore"))
    if table is not None and column in table.columns:
        return table
    known = [] if table is None else [str(name) for name in table.columns]
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
