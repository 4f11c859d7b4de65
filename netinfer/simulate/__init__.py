"""Seeded expression data with a known network, for tests, benchmarks and trying things out.

Each generator returns the expression (AnnData, samples x genes, regulators first) and its true edges (DataFrame:
source, target, is_edge, sign, effect; only the edges). An edge is a non-zero coefficient in the population regression
of the target on all regulators; regulators that belong to one module correlate, and only targets have edges.
`complete_gold` lists the non-edges as well.

The confounded designs (`replicates`, `cell_types`, `hidden_factors`, `cell_counts`) take the size of what confounds as
an argument: at 0 they give the clean twin, with the same edges. `conditions` has an undirected graph a condition.
"""

from netinfer.simulate.conditions import conditions
from netinfer.simulate.confounded import cell_types, hidden_factors, null_replicates, replicates
from netinfer.simulate.counts import cell_counts, counts, human_counts
from netinfer.simulate.diffusion import diffusion
from netinfer.simulate.linear import complete_gold, sparse_linear

__all__ = [
    "cell_counts",
    "cell_types",
    "complete_gold",
    "conditions",
    "counts",
    "diffusion",
    "hidden_factors",
    "human_counts",
    "null_replicates",
    "replicates",
    "sparse_linear",
]
