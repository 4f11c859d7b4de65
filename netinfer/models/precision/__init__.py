"""The undirected network: which genes go together given all others, by the Graphical Lasso."""

from netinfer.models.precision.infer import infer_precision
from netinfer.models.precision.problem import PrecisionProblem, prepare_genes

__all__ = ["PrecisionProblem", "infer_precision", "prepare_genes"]
