"""The directed network: every gene regressed on the regulators, with stability selection."""

from netinfer.models.regression.chunk import chunk_targets, penalty_grid
from netinfer.models.regression.fit import fit_chunk
from netinfer.models.regression.gather import gather, selection_counts, stability_paths
from netinfer.models.regression.infer import infer_regression
from netinfer.models.regression.part import RegressionPart
from netinfer.models.regression.problem import RegressionProblem, prepare, problem_from_arrays
from netinfer.models.regression.stars import NetworkPenalty, choose_network_penalty

__all__ = [
    "NetworkPenalty",
    "RegressionPart",
    "RegressionProblem",
    "choose_network_penalty",
    "chunk_targets",
    "fit_chunk",
    "gather",
    "infer_regression",
    "penalty_grid",
    "prepare",
    "problem_from_arrays",
    "selection_counts",
    "stability_paths",
]
