r"""Fits of several conditions at two penalties that can be read: how sparse, and how alike.

A total penalty w on the scale of correlations and a similarity s give the two penalties of the joint graphical Lasso of
K conditions: group :math:`\lambda = (1 - s) w,\ \mu = \sqrt{K} s w`; fused :math:`\lambda = w,\ \mu = s w / (K - 1)`.
With both an edge of the same strength in all conditions pays w in each, whatever s is, and an edge of one condition
alone pays :math:`(1 + (\sqrt{K} - 1) s) w` (group) or :math:`(1 + s) w` (fused). Danaher, Wang and Witten (2014,
section 4.2) take two such numbers for the group penalty of two conditions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from netinfer.models.precision.fits import TOLERANCE, Certificates, steps
from netinfer.solvers import GraphicalLassoResult, JointGraphicalResult
from netinfer.solvers.joint_graphical import MAX_ITERATIONS, is_of, solve
from netinfer.solvers.joint_graphical_input import checked_joint_problem

# Enough to share what the conditions have in common, and little enough to leave their differences.
SIMILARITY = 0.25


@dataclasses.dataclass(frozen=True)
class Penalties:
    """How sparse and how alike the conditions are to be.

    Attributes
    ----------
    kind : {"group", "fused"}
    penalty : float
        w: of an edge that is the same in all conditions.
    similarity : float, 0 <= s < 1
        0: each condition on its own.
    """

    kind: str
    penalty: float
    similarity: float

    def strengths(self, n_conditions: int) -> tuple[float, float]:
        """Return lambda and mu of `netinfer.solvers.joint_graphical_lasso`."""
        w, s = self.penalty, self.similarity
        if self.kind == "group":
            return (1.0 - s) * w, float(np.sqrt(n_conditions)) * s * w
        return w, s * w / (n_conditions - 1)


@dataclasses.dataclass(frozen=True, eq=False)
class JointFit:
    """The graphs of all conditions at two penalties.

    Attributes
    ----------
    graphs : tuple of GraphicalLassoResult
        One a condition. Of a joint fit the objective is that of all conditions, the gap a variable likewise.
    joint : JointGraphicalResult, optional
        To start from; None of separate fits.
    """

    graphs: tuple[GraphicalLassoResult, ...]
    joint: JointGraphicalResult | None = None


def joint_fit(
    matrices: Sequence[np.ndarray],
    genes: Sequence[Sequence[str]],
    penalties: Penalties,
    certificates: Certificates,
    *,
    start: JointFit | None = None,
    threads: int = 1,
) -> JointFit:
    """Fit all conditions, whose correlations count the same; without similarity each is `infer_precision`'s own fit.

    Parameters
    ----------
    matrices : sequence of float array, shape (p_k, p_k)
        Correlations of each condition.
    genes : sequence of sequences
        Names of each condition's genes.
    penalties : Penalties
    certificates : Certificates
    start : JointFit, optional
        Of the same genes.
    threads : int
    """
    if penalties.similarity == 0.0:
        before = (None,) * len(matrices) if start is None else start.graphs
        return JointFit(
            tuple(
                next(steps(matrix, [penalties.penalty], certificates, start=of, threads=threads))
                for matrix, of in zip(matrices, before, strict=True)
            )
        )
    problem = checked_joint_problem(matrices, *penalties.strengths(len(matrices)), penalties.kind, None, genes)
    former = None if start is None else start.joint
    if former is not None and not is_of(former, problem):
        former = None
    found = solve(problem, TOLERANCE, MAX_ITERATIONS, former, threads)
    gap = found.duality_gap / sum(len(matrix) for matrix in matrices)
    certificates.join(1, int(not found.converged), gap)
    return JointFit(tuple(_graph(found, k, gap) for k in range(len(matrices))), found)


def _graph(found: JointGraphicalResult, k: int, gap: float) -> GraphicalLassoResult:
    """Return one condition's graph."""
    T, W = found.precisions[k], found.covariances[k]
    precision = sparse.csr_array(T)
    precision.sort_indices()
    labels = np.unique(found.components[found.places[k]], return_inverse=True)[1].ravel()
    return GraphicalLassoResult(
        precision_sparse=precision,
        objective=found.objective,
        duality_gap=gap * len(T),
        converged=found.converged,
        status=found.status,
        n_sweeps=found.n_iterations,
        components=labels,
        blocks=tuple(
            (of, W[np.ix_(of, of)])
            for of in (np.flatnonzero(labels == label) for label in np.flatnonzero(np.bincount(labels) > 1))
        ),
        variances=W.diagonal().copy(),
    )
