"""Undirected networks of several conditions at once, and what differs between them."""

from netinfer.models.comparison.configured import (
    ComparisonPlan,
    ConfiguredComparison,
    comparison_note,
    configured_comparison,
)
from netinfer.models.comparison.infer import infer_joint_precision

__all__ = [
    "ComparisonPlan",
    "ConfiguredComparison",
    "comparison_note",
    "configured_comparison",
    "infer_joint_precision",
]
