"""The universe without the pairs of one operon: a score that genes of one RNA cannot raise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.network.neighbours import KEY, data_ids
from netinfer.network.places import locate

if TYPE_CHECKING:
    from netinfer.scoring.universe import Universe

SUFFIX = "_without_operon"
# What is scored a second time.
METRICS_WITHOUT = (
    "aupr", "average_precision", "auroc", "early_precision", "precision_at_cut", "base_rate", "n_pairs", "n_positives",
)  # fmt: skip


def leaves_operons_out(network: Any) -> bool:
    """Tell whether a network was made without the pairs of one operon (`exclude_same_operon`)."""
    provenance = getattr(network, "provenance", None)
    record = provenance.get(KEY) if isinstance(provenance, Mapping) else None
    return isinstance(record, Mapping) and bool(record.get("exclude_same_operon", False))


def without_operon(universe: Universe, annotation: pd.DataFrame, nodes: Any = None) -> Universe:
    """Leave out the pairs whose genes lie in one operon.

    Parameters
    ----------
    universe : Universe
    annotation : DataFrame
        As `netinfer.io.read_annotation` gives it.
    nodes : DataFrame, optional
        Of the network; its ids are matched with the annotation's. By default the universe's own names are.

    Returns
    -------
    Universe
        May hold no edge.

    Raises
    ------
    InputError
        If the annotation has fewer than half of the genes.
    """
    if isinstance(nodes, pd.DataFrame) and "name" in nodes:
        places = locate(annotation, data_ids(nodes))
    else:
        places = locate(annotation, list(universe.sources.union(universe.targets, sort=False)))
    source, target = np.divmod(universe.keys, len(universe.targets))
    first = places.genes.get_indexer(universe.sources)[source]
    second = places.genes.get_indexer(universe.targets)[target]
    return universe.where(~places.same_operon(first, second))
