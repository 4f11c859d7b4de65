"""Scoring of ranked pairs against a gold standard; `netinfer.evaluate` is the way in.

The ranking is scored over a fixed universe of pairs. Pairs with equal weight, and all pairs that the network does not
list (which rank below every listed one), are ties: every measure is its exact expectation over the random orders of the
ties, so nothing is sampled and no order of rows matters.
"""

from netinfer.scoring.measures import METRICS, Scorer, bootstrap
from netinfer.scoring.operons import METRICS_WITHOUT, SUFFIX, leaves_operons_out, without_operon
from netinfer.scoring.ranking import Ranking, rank, rank_pearson
from netinfer.scoring.tables import as_gold, as_network, as_tables, in_keys, read_edges
from netinfer.scoring.universe import Universe

__all__ = [
    "METRICS",
    "METRICS_WITHOUT",
    "SUFFIX",
    "Ranking",
    "Scorer",
    "Universe",
    "as_gold",
    "as_network",
    "as_tables",
    "bootstrap",
    "in_keys",
    "leaves_operons_out",
    "rank",
    "rank_pearson",
    "read_edges",
    "without_operon",
]
