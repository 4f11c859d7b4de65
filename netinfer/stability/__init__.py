"""Stability selection: designs of half-samples, selection counts, and the published bounds on false selections."""

from netinfer.stability.rules import SelectionCounts, choose_truncation, expected_false, q_values
from netinfer.stability.stars import StarsChoice, stars
from netinfer.stability.subsamples import MINIMUM_UNITS, complementary_pair, unit_rows

__all__ = [
    "MINIMUM_UNITS",
    "SelectionCounts",
    "StarsChoice",
    "choose_truncation",
    "complementary_pair",
    "expected_false",
    "q_values",
    "stars",
    "unit_rows",
]
