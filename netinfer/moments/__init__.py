"""Gram matrices and cross-moments: what all the models of netinfer are fitted to."""

from netinfer.moments.moments import CONSTANT, TARGET_BLOCK, Moments, from_matrix, inverse_sd, symmetric

__all__ = ["CONSTANT", "TARGET_BLOCK", "Moments", "from_matrix", "inverse_sd", "symmetric"]
