"""Gram matrices and cross-moments: what all the models of netinfer are fitted to."""

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

__all__ = [
    "CONSTANT",
    "TARGET_BLOCK",
    "Moments",
    "from_matrix",
    "independent_rows",
    "inverse_sd",
    "project_out",
    "symmetric",
]
