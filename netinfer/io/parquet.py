"""Parquet: rows are samples; the sample ids are the stored index, or else the first column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.build import make_adata
from netinfer.io.source import require_memory

if TYPE_CHECKING:
    from anndata import AnnData


def read_parquet(path: Path) -> AnnData:
    """Read a parquet table of samples x genes.

    Returns
    -------
    AnnData
        Dense; nulls are NaN.

    Raises
    ------
    InputError
        Damaged file, no sample ids, or a column that does not hold numbers.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path, memory_map=False)
        require_memory(table.metadata.num_rows, len(table.schema_arrow.names), str(path))
        frame = table.read().to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(
            f"{path}: damaged or not parquet ({' '.join(str(error).split())[:160]}): write it again"
        ) from None
    if isinstance(frame.index, pd.RangeIndex) and len(frame.columns):
        first = frame.columns[0]
        if pd.api.types.is_float_dtype(frame[first].dtype):
            raise InputError(
                f"{path}: column {first!r}: numbers where the sample ids should be: put a column of ids in front"
            )
        frame = frame.set_index(first)
    if isinstance(frame.index, pd.MultiIndex):
        raise InputError(f"{path}: an index of {frame.index.nlevels} columns: one column of sample ids is needed")
    if 0 in frame.shape:
        raise InputError(f"{path}: {frame.shape[0]} samples x {frame.shape[1]} genes: nothing to infer from")
    for position, dtype in enumerate(frame.dtypes):
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)) or dtype.kind == "c":
            raise InputError(
                f"{path}: column {frame.columns[position]!r}: {dtype}, not numbers: remove it if it holds text"
            )
    values = np.ascontiguousarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))
    n_infinite = int(np.isinf(values).sum())
    if n_infinite:
        row, column = np.argwhere(np.isinf(values))[0]
        raise InputError(
            f"{path}: {n_infinite} infinite values, first in row {row + 1}, column {frame.columns[column]!r}: mend them"
        )
    log = [f"read {path.name}: parquet, {frame.shape[0]} samples x {frame.shape[1]} genes"]
    return make_adata(values, [*map(str, frame.index)], [*map(str, frame.columns)], source=str(path), log=log)
