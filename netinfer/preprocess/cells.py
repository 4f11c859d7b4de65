"""What single cells can vouch for: their types and donors, which are left out, and what becomes a sample and a unit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.ids import some
from netinfer.preprocess.labels import donor_column, type_column
from netinfer.preprocess.metacells import count_metacells
from netinfer.preprocess.selection import plain_labels, require_column

if TYPE_CHECKING:
    from netinfer.config import CellsConfig

# From so many donors on, half-samples of donors leave six in each half.
ENOUGH_DONORS = 12
# What stability selection needs at least (half-samples of four).
MIN_UNITS = 8
SAMPLE = "sample"
# Half-samples of fifty: below that a network stays empty. Of 240 simulated edges the top of the ranking held 7 with 23
# metacells and 78 with their 700 cells, 27 with 50 and 117, 82 with 167 and 153; without any edge neither chose one
# (benchmarks/metacells.py, docs/decisions/005-few-metacells.md).
MIN_METACELLS = 100
# Fewer cells are not worth a network.
MIN_CELLS = 100


@dataclass
class Labels:
    """Type, donor and unit of each cell; None where there is no such column.

    Attributes
    ----------
    types, donors, units : object array of str or None, shape (n_cells,)
    block : str
        The config's column of units; empty if none is named.
    columns : dict
        The columns of ``obs`` behind `types`, `donors` and `units`.
    """

    types: np.ndarray | None
    donors: np.ndarray | None
    units: np.ndarray | None
    block: str
    columns: dict[str, str]
    log: list[str]

    def of(self, keep: np.ndarray) -> Labels:
        """Return the labels of some cells."""
        types, donors, units = (None if part is None else part[keep] for part in (self.types, self.donors, self.units))
        return Labels(types, donors, units, self.block, self.columns, self.log)

    @property
    def n_donors(self) -> int:
        """Number of donors, 0 where it is not known."""
        return 0 if self.donors is None else len(set(self.donors))

    @property
    def n_types(self) -> int:
        """Number of cell types, 0 where there is no column of them."""
        return 0 if self.types is None else len(set(self.types))

    def groups(self) -> list[tuple[str, ...]]:
        """Name the group of each cell: its type, its donor, and its unit where that is neither."""
        parts = [part for part in (self.types, self.donors, self.units) if part is not None]
        if self.units is not None and self.block in (self.columns.get("types"), self.columns.get("donors")):
            parts = parts[:-1]
        if not parts:
            return []
        return [tuple(map(str, row)) for row in zip(*parts, strict=True)]


def label_cells(obs: pd.DataFrame, settings: CellsConfig, block: str | None, where: str) -> Labels:
    """Find the type, donor and unit of each cell.

    Parameters
    ----------
    obs : DataFrame, n_cells rows
    settings : CellsConfig
    block : str, optional
        The config's column of independent units, or "sample".
    where : str

    Raises
    ------
    InputError
        A column that the config names is not there, or the units are not complete.
    """
    columns: dict[str, str] = {}
    found: dict[str, np.ndarray | None] = {"types": None, "donors": None, "units": None}
    log = []
    for part, (column, sentence) in (
        ("types", type_column(obs, settings.type_column, where)),
        ("donors", donor_column(obs, settings.donor_column, where)),
    ):
        log.append(sentence)
        if column is not None:
            columns[part] = column
            found[part] = _labels(obs[column])
    if block and block != SAMPLE:
        columns["units"] = block
        found["units"] = require_units(obs, block, where)
    return Labels(found["types"], found["donors"], found["units"], block or "", columns, log)


def _labels(column: pd.Series) -> np.ndarray:
    labels = np.empty(len(column), dtype=object)
    labels[:] = plain_labels(column)
    return labels


def require_units(obs: pd.DataFrame, block: str, where: str) -> np.ndarray:
    """Return the unit of each sample, or refuse: no such column, or samples without a unit.

    Returns
    -------
    object array of str, shape (n_samples,)
    """
    labels = _labels(require_column(obs, block, "block", where))
    lacking = [str(name) for name, label in zip(obs.index, labels, strict=True) if label is None]
    if lacking:
        raise InputError(
            f"{where}: block: {len(lacking)} samples have no {block!r}: {some(lacking)}: fill it in, or leave them out "
            "with `exclude_samples`"
        )
    return labels


def refuse_few_units(labels: np.ndarray, block: str, where: str, *, what: str = "samples") -> None:
    """Refuse fewer than 8 units, and say what is still possible."""
    names = sorted(set(labels))
    if len(names) < MIN_UNITS:
        raise InputError(
            f"{where}: block: column {block!r} has {len(names)} units ({some(names)}), at least {MIN_UNITS} are needed "
            f"to draw half-samples. Still possible: a finer column; more units; or `block: {SAMPLE}`, which takes the "
            f"{what} themselves for units, so that the error number says nothing about units other than these "
            f"{len(names)}"
        )


def left_out(labels: Labels, settings: CellsConfig, where: str) -> tuple[dict[int, str], list[str]]:
    """Name the cells that are left out: without type or donor, or of a type with too few cells.

    Parameters
    ----------
    labels : Labels
    settings : CellsConfig
        `min_cells`.
    where : str

    Returns
    -------
    reasons : dict
        Row of each such cell and why.
    log : list of str

    Raises
    ------
    InputError
        No type has enough cells.
    """
    reasons: dict[int, str] = {}
    log = []
    for part, word in ((labels.types, "type"), (labels.donors, "donor")):
        rows = [] if part is None else [row for row, label in enumerate(part) if label is None]
        if rows:
            log.append(f"{len(rows)} cells without a {word} are left out")
            reasons |= {row: f"no {word}" for row in rows if row not in reasons}
    if labels.types is None:
        return reasons, log
    counts = Counter(label for row, label in enumerate(labels.types) if row not in reasons)
    rare = {name: n for name, n in counts.items() if n < settings.min_cells}
    if rare:
        shown = ", ".join(f"{name!r} ({n})" for name, n in sorted(rare.items()))
        log.append(f"{len(rare)} cell types with fewer than {settings.min_cells} cells are left out: {shown}")
    if len(rare) == len(counts):
        most = max(counts.values(), default=0)
        raise InputError(
            f"{where}: no cell type of column {labels.columns['types']!r} has {settings.min_cells} cells; the largest "
            f"of {len(counts)} has {most}: lower cells.min_cells, name another column as "
            "cells.type_column, or set `assay: bulk` if these are no single cells"
        )
    for row, label in enumerate(labels.types):
        if row not in reasons and label in rare:
            reasons[row] = f"cell type {label!r} has {rare[label]} cells, fewer than {settings.min_cells}"
    return reasons, log


@dataclass(frozen=True)
class Plan:
    """What becomes of the cells.

    Attributes
    ----------
    aggregation : {"none", "metacells", "pseudobulk"}
    block : str
        Column of units, or "sample".
    note : str
        What cannot be claimed; empty if the units are the donors.
    """

    aggregation: str
    block: str
    note: str
    log: tuple[str, ...]


def plan_cells(labels: Labels, n_cells: int, settings: CellsConfig, where: str) -> Plan:
    """Decide what becomes a sample and what an independent unit.

    * ``auto``: cells, in blocks of their donor (or of the config's `block`), where there are 12 or more of them; else
      metacells; but cells again where fewer than 100 metacells would come out of 100 cells or more.
    * ``metacells``, ``none``: units are the config's `block`, else the donors where there are 12 (``none``: 8) or
      more, else the samples themselves.
    * ``pseudobulk``: units are the donors, 8 at least.

    Parameters
    ----------
    labels : Labels
        Of the cells that are kept.
    n_cells : int
    settings : CellsConfig
    where : str

    Raises
    ------
    InputError
        Fewer than 8 units where units are needed, with what is still possible.
    """
    n_donors = labels.n_donors
    n_units = n_donors if labels.units is None else len(set(labels.units))
    if labels.units is not None:
        refuse_few_units(labels.units, labels.block, where, what="cells or metacells")
    aggregation: str = settings.aggregate
    unit_word = "donors" if labels.units is None else f"units of {labels.block!r}"
    if aggregation == "auto" and n_units >= ENOUGH_DONORS and labels.block != SAMPLE:
        aggregation = "none"
        log = [f"{n_units} {unit_word}, {ENOUGH_DONORS} or more: cells are kept as they are, in blocks of these"]
    elif aggregation == "auto":
        why = "`block: sample` as asked" if labels.block == SAMPLE else _count(n_units, unit_word)
        aggregation, log = _metacells_or_cells(labels, n_cells, settings.metacell_size, why)
    else:
        log = [f"cells.aggregate: {aggregation}, as asked"]
    block = _block(labels, aggregation, n_donors, where)
    note = ""
    if block == SAMPLE or (labels.units is not None and labels.block != labels.columns.get("donors")):
        note = _note(n_donors)
    what = {"none": "cell", "metacells": "metacell", "pseudobulk": "sample"}[aggregation]
    log.append(
        f"each {what} counts as an independent unit"
        if block == SAMPLE
        else f"the independent units are those of {block!r}"
    )
    if note:
        log.append(note)
    return Plan(aggregation, block, note, tuple(log))


def _metacells_or_cells(labels: Labels, n_cells: int, size: int, why: str) -> tuple[str, list[str]]:
    """Take metacells, unless so few come out that half of them can show nothing."""
    groups = labels.groups() or [()] * n_cells
    n_metacells = count_metacells(groups, size, has_types=labels.types is not None)
    if n_metacells < MIN_METACELLS and n_cells >= MIN_CELLS:
        return "none", [
            f"{why}, which asks for metacells, but {n_cells} cells would give {n_metacells}, fewer than "
            f"{MIN_METACELLS}, too few to learn from: the cells are kept as they are"
        ]
    return "metacells", [f"{why}: cells of one type and donor are summed to metacells"]


def _count(n: int, word: str) -> str:
    if n == 0:
        return f"the number of {word} is not known"
    return f"{n} {word if n > 1 else word.removesuffix('s')}, fewer than {ENOUGH_DONORS}"


def _note(n_donors: int) -> str:
    if n_donors == 0:
        return "one donor: no claim about the population (no column with donors was found, so all cells count as one's)"
    if n_donors == 1:
        return "one donor: no claim about the population"
    if n_donors < ENOUGH_DONORS:
        return f"{n_donors} donors, fewer than {ENOUGH_DONORS}: no claim about the population"
    return f"{n_donors} donors, which are not the independent units: no claim about the population"


def _block(labels: Labels, aggregation: str, n_donors: int, where: str) -> str:
    if labels.block:
        return labels.block
    donors = labels.columns.get("donors", "")
    if aggregation == "pseudobulk":
        if n_donors < MIN_UNITS:
            raise InputError(
                f"{where}: cells.aggregate: pseudobulk: {n_donors or 'an unknown number of'} donors, at least "
                f"{MIN_UNITS} are needed. Still possible: `aggregate: metacells`, a network of these donors' cells "
                "without a claim about the population; or cells.donor_column, if a column names more donors"
            )
        return donors
    enough = ENOUGH_DONORS if aggregation == "metacells" else MIN_UNITS
    return donors if n_donors >= enough else SAMPLE
