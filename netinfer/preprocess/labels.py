"""The columns of the samples that say what a cell is and whose: found by their usual names."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from netinfer.preprocess.selection import plain_labels, require_column

# Compared without case, blanks, dots, hyphens and underscores; the first that is there is taken.
TYPE_NAMES = (
    "celltype",
    "celltypes",
    "celltypemajor",
    "celltypelabel",
    "celllabel",
    "cellontologyclass",
    "majorcelltype",
    "predictedcelltype",
    "annotatedcelltype",
    "celltypeannotation",
    "bulklabels",
)
# Clusters that a program made from the same values: better than nothing, and said so.
CLUSTER_NAMES = ("leiden", "louvain", "seuratclusters")
DONOR_NAMES = (
    "donor",
    "donorid",
    "patient",
    "patientid",
    "individual",
    "individualid",
    "subject",
    "subjectid",
    "participant",
    "participantid",
)
# What scanpy, Seurat and Cell Ranger's readers write about each cell and hardly anybody about a bulk sample.
QC_NAMES = (
    "ngenesbycounts",
    "log1pngenesbycounts",
    "pctcountsmt",
    "pctcountsmito",
    "percentmito",
    "percentmt",
    "ncounts",
    "ngenes",
    "ncountrna",
    "nfeaturerna",
    "doubletscore",
    "predicteddoublet",
)
DEPTH_NAMES = ("totalcounts", "ncounts", "ncountrna", "numi")


def folded(name: object) -> str:
    """Return a column's name as it is compared."""
    return re.sub(r"[^a-z0-9]", "", str(name).casefold())


def find(obs: pd.DataFrame, names: Sequence[str]) -> str | None:
    """Return the first column of the samples that bears one of the names, in the order of the names."""
    there: dict[str, str] = {}
    for column in obs.columns:
        there.setdefault(folded(column), str(column))
    return next((there[name] for name in names if name in there), None)


def type_column(obs: pd.DataFrame, asked: str | None, where: str) -> tuple[str | None, str]:
    """Find the column with the cell type, and say how.

    Raises
    ------
    InputError
        The column that was asked for is not there.
    """
    if asked is not None:
        require_column(obs, asked, "cells.type_column", where)
        return asked, f"cell types are those of column {asked!r}, as asked"
    for names in (TYPE_NAMES, CLUSTER_NAMES):
        column = find(obs, names)
        if column is not None and _is_grouping(obs[column]):
            if names is TYPE_NAMES:
                return column, f"cell types are those of column {column!r}, found by its name"
            return column, (
                f"no column with cell types was found; the clusters of {column!r} stand for them, which were made from "
                "the same values: name a column of cell types as cells.type_column if there is one"
            )
    return None, (
        "no column with cell types was found, so all cells are taken as of one type; differences between types would "
        "then look like regulation: name the column as cells.type_column, or give one in the sample sheet"
    )


def donor_column(obs: pd.DataFrame, asked: str | None, where: str) -> tuple[str | None, str]:
    """Find the column with the donor, and say how.

    Raises
    ------
    InputError
        The column that was asked for is not there.
    """
    if asked is not None:
        require_column(obs, asked, "cells.donor_column", where)
        return asked, f"donors are those of column {asked!r}, as asked"
    column = find(obs, DONOR_NAMES)
    if column is not None and _is_grouping(obs[column]):
        return column, f"donors are those of column {column!r}, found by its name"
    return None, (
        "no column with donors was found, so all cells are taken as of one donor: name it as cells.donor_column if "
        "there are several"
    )


def _is_grouping(column: pd.Series) -> bool:
    """Tell a column that groups samples from one with another value for (nearly) each."""
    labels = {label for label in plain_labels(column) if label is not None}
    return 0 < len(labels) <= max(1, len(column) // 2)
