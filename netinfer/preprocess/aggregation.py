"""From cells to metacells or sums over donors, with what is left out on the way."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from netinfer.errors import InputError
from netinfer.io.ids import some
from netinfer.preprocess.cells import MIN_UNITS, SAMPLE, refuse_few_units
from netinfer.preprocess.metacells import MIN_GROUP, Group, combine_columns, combine_values, group_cells

if TYPE_CHECKING:
    from netinfer.config import CellsConfig
    from netinfer.preprocess.work import Work


def aggregate(work: Work, settings: CellsConfig) -> None:
    """Turn the cells of a data set into the samples that its plan says; changes `work`.

    Groups of one type and donor with fewer than 20 cells are left out and listed: pooled over donors they would be
    samples of no donor. Of several types, those of which one sample alone comes out are left out likewise: once the
    type is projected out, nothing of such a sample would be left.

    Raises
    ------
    InputError
        Fewer than 8 samples or units come out, with what is still possible.
    """
    plan = work.plan
    if work.labels is None or plan is None:
        raise ValueError("cells are aggregated after they are labelled")
    labels = work.labels.groups() or [()] * len(work.obs)
    samples = work.samples
    size = settings.metacell_size if plan.aggregation == "metacells" else None
    groups, too_small = group_cells(labels, samples, size=size, seed=work.seed)
    if too_small:
        names = [f"{'.'.join(label) or 'all'} ({n})" for label, n in sorted(too_small.items())]
        work.log.append(
            f"{len(names)} groups of one type and donor with fewer than {MIN_GROUP} cells are left out, "
            f"{sum(too_small.values())} cells: {some(names, 20)}"
        )
        work.samples_out += [
            (sample, f"only {too_small[label]} cells of {'.'.join(label) or 'all'}, fewer than {MIN_GROUP}")
            for sample, label in zip(samples, labels, strict=True)
            if label in too_small
        ]
    groups = _without_single_samples(work, groups, samples)
    _refuse_few_samples(work, groups, plan.aggregation, settings)
    _take_groups(work, groups, plan.aggregation)
    units = work.labels.units if work.labels.units is not None else work.labels.donors
    if plan.block != SAMPLE and units is not None:
        refuse_few_units(units, plan.block, work.where, what="metacells or sums")


def _without_single_samples(work: Work, groups: list[Group], samples: list[str]) -> list[Group]:
    """Leave out the types of which one sample comes out, where there are several types."""
    types = work.labels.types if work.labels is not None else None
    if types is None:
        return groups
    of_group = [str(types[group.rows[0]]) for group in groups]
    counts = Counter(of_group)
    single = sorted(name for name, n in counts.items() if n == 1)
    if not single or len(counts) < 2:
        return groups
    work.log.append(
        f"{len(single)} cell types of which one sample alone comes out are left out, since a type's mean is projected "
        f"out: {some(single, 20)}"
    )
    for name, group in zip(of_group, groups, strict=True):
        if counts[name] == 1:
            work.samples_out += [
                (samples[row], f"one sample alone comes out of cell type {name!r}") for row in group.rows
            ]
    return [group for name, group in zip(of_group, groups, strict=True) if counts[name] > 1]


def _refuse_few_samples(work: Work, groups: list[Group], aggregation: str, settings: CellsConfig) -> None:
    if len(groups) >= MIN_UNITS:
        return
    possible = ["more cells"]
    if aggregation == "pseudobulk":
        possible.append("`cells.aggregate: metacells`")
    elif settings.metacell_size > MIN_GROUP and sum(len(group.rows) for group in groups) // MIN_GROUP >= MIN_UNITS:
        possible.append(f"`cells.metacell_size: {MIN_GROUP}`")
    possible.append("`cells.aggregate: none`, each cell a sample of its own, whose values are noisier")
    raise InputError(
        f"{work.where}: {len(groups)} {'metacells' if aggregation == 'metacells' else 'sums over type and donor'} come "
        f"out of {len(work.obs)} cells, at least {MIN_UNITS} are needed to draw half-samples. Still "
        f"possible: {'; '.join(possible)}"
    )


def _take_groups(work: Work, groups: list[Group], aggregation: str) -> None:
    labels = work.labels
    if labels is None:
        raise ValueError("cells are aggregated after they are labelled")
    sizes = np.array([len(group.rows) for group in groups])
    first = np.array([group.rows[0] for group in groups])
    work.matrix = combine_values(work.matrix, groups, work.kind, work.base)
    work.obs, lost = combine_columns(work.obs, groups, list(labels.columns.values()))
    work.labels = labels.of(first)
    work.totals, work.depth = (
        None if part is None else np.array([part[group.rows].sum() for group in groups])
        for part in (work.totals, work.depth)
    )
    work.n_cells = int(sizes.sum())
    how = {
        "counts": "summed",
        "log": "averaged before the logarithm, which was undone and taken again",
        "zscore": "averaged as they are: sums of counts, or averages of logs, would say more",
    }.get(work.kind, "averaged")
    if work.kind == "log" and work.base != np.e:
        how += f" (base {work.base:g})"
    names = {
        "metacells": "metacells of cells drawn at random within a type and donor",
        "pseudobulk": "sums over all cells of a type and donor",
    }
    work.log.append(
        f"{work.n_cells} cells became {len(groups)} {names[aggregation]}, {sizes.min()} to {sizes.max()} cells each; "
        f"values were {how}"
    )
    if lost:
        work.log.append(f"{len(lost)} columns vary within these groups, are no numbers and were left out: {some(lost)}")
