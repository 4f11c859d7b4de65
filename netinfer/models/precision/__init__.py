"""The undirected network: which genes go together given all others, by the Graphical Lasso."""

from netinfer.models.precision.configured import ConfiguredPrecision, PrecisionPlan, configured_precision, size_note
from netinfer.models.precision.infer import infer_precision
from netinfer.models.precision.problem import PrecisionProblem, prepare_genes

__all__ = [
    "ConfiguredPrecision",
    "PrecisionPlan",
    "PrecisionProblem",
    "configured_precision",
    "infer_precision",
    "prepare_genes",
    "size_note",
]
