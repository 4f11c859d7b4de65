"""Stability selection: designs of half-samples, selection counts, published bounds on false selections, and StARS."""

from netinfer.stability.counts import SelectionCounts, q_values
from netinfer.stability.ipss import efp_scores
from netinfer.stability.rules import expected_false
from netinfer.stability.stars import StarsChoice, stars
from netinfer.stability.subsamples import MINIMUM_UNITS, complementary_pair, unit_rows

__all__ = [
    "MINIMUM_UNITS",
    "SelectionCounts",
    "StarsChoice",
    "complementary_pair",
    "efp_scores",
    "expected_false",
    "q_values",
    "stars",
    "unit_rows",
]
