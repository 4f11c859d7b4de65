"""Gram matrices, cross-moments and correlations: what all the models of netinfer are fitted to."""

from netinfer.moments.correlation import CorrelationResult, correlation_matrix
from netinfer.moments.moments import (
    CONSTANT,
    TARGET_BLOCK,
    Moments,
    from_matrix,
    independent_rows,
    inverse_sd,
    project_out,
    symmetric,
)
from netinfer.moments.nearest import NearestCorrelation, nearest_correlation

__all__ = [
    "CONSTANT",
    "TARGET_BLOCK",
    "CorrelationResult",
    "Moments",
    "NearestCorrelation",
    "correlation_matrix",
    "from_matrix",
    "independent_rows",
    "inverse_sd",
    "nearest_correlation",
    "project_out",
    "symmetric",
]
