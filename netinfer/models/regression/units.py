"""Columns of the sample table that name independent units and strata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netinfer.errors import InputError
from netinfer.preprocess.design import SAMPLE, unit_column

if TYPE_CHECKING:
    from anndata import AnnData


def unit_labels(adata: AnnData, block: str | None) -> tuple[str, np.ndarray | None]:
    """Return what names the independent units, and the unit of each sample; None where each sample is one."""
    column = unit_column(adata, block)
    if column == SAMPLE:
        return SAMPLE, None
    return column, column_labels(adata, column, "block", "name the independent unit of every sample")


def column_labels(adata: AnnData, column: str, key: str, what: str) -> np.ndarray:
    """Return a column of the samples as text, complete or refused; `key` is the one of the config that names it."""
    obs = adata.obs
    if column not in obs.columns:
        known = ", ".join(map(str, obs.columns)) or "(none)"
        raise InputError(f"{key}: column {column!r} is not in the sample table (adata.obs): choose one of {known}")
    missing = obs[column].isna()
    if missing.any():
        raise InputError(
            f"{key}: column {column!r} is empty for {int(missing.sum())} samples, the first "
            f"{str(obs.index[missing][0])!r}: {what}"
        )
    return obs[column].astype(str).to_numpy()
