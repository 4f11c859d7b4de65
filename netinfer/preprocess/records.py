"""The tables of what was dropped, in the form that survives h5ad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from netinfer.io.build import text_array

GENE_COLUMNS = ("gene", "is_regulator", "status", "reason")
SAMPLE_COLUMNS = ("sample", "reason")


def gene_frame(rows: Sequence[tuple[str, bool, str, str]]) -> pd.DataFrame:
    """Make the table of dropped genes from (gene, is_regulator, status, reason)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 4
    frame: dict[str, Any] = {name: text_array(columns[i]) for i, name in enumerate(GENE_COLUMNS) if i != 1}
    frame["is_regulator"] = np.array(columns[1], dtype=bool)
    return pd.DataFrame(frame)[list(GENE_COLUMNS)]


def sample_frame(rows: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Make the table of dropped samples from (sample, reason)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 2
    return pd.DataFrame({name: text_array(columns[i]) for i, name in enumerate(SAMPLE_COLUMNS)})


def joined(earlier: pd.DataFrame | None, later: pd.DataFrame) -> pd.DataFrame:
    """Put the rows of a later step under those of an earlier one; either may be empty or absent."""
    if earlier is None or not len(earlier):
        return later
    columns = list(later.columns)
    rows = [*earlier[columns].itertuples(index=False), *later.itertuples(index=False)]
    make = gene_frame if columns == list(GENE_COLUMNS) else sample_frame
    return make([tuple(row) for row in rows])  # type: ignore[arg-type]
