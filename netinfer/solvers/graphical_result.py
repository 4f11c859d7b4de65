"""What the Graphical Lasso found, and the evidence for it."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
from scipy import sparse

from netinfer.kernels import njit


@dataclasses.dataclass(frozen=True, eq=False)
class GraphicalLassoResult:
    """A sparse precision matrix, symmetric and positive definite, with a bound on how far it is from the best.

    Attributes
    ----------
    precision_sparse : scipy.sparse.csr_array, shape (p, p)
        T, with a sorted row for each variable.
    objective : float
        -log det T + tr(S T) + sum L_ij |T_ij| at this T.
    duality_gap : float, >= 0
        No precision matrix has an objective that is smaller by more than this, up to the rounding of the objective.
    converged : bool
        Whether the gap per variable is within the tolerance.
    status : {"converged", "max_sweeps", "stalled"}
        "stalled" where rounding ended the progress.
    n_sweeps : int
        Most passes over the columns that a component took at the penalty itself.
    components : int array, shape (p,)
        Each variable's connected component of |S_ij| > L_ij, numbered by its first variable.
    component_sizes : int array, shape (n_components,)
    blocks : tuple of (int array, float array)
        Variables and W of each component of two or more variables.
    variances : float array, shape (p,)
        Diagonal of W.
    """

    precision_sparse: sparse.csr_array
    objective: float
    duality_gap: float
    converged: bool
    status: str
    n_sweeps: int
    components: np.ndarray
    blocks: tuple[tuple[np.ndarray, np.ndarray], ...] = dataclasses.field(repr=False)
    variances: np.ndarray = dataclasses.field(repr=False)

    @functools.cached_property
    def precision(self) -> np.ndarray:
        """T as a dense array, shape (p, p), made when asked for."""
        return self.precision_sparse.toarray()

    @functools.cached_property
    def covariance(self) -> np.ndarray:
        """W as a dense array, shape (p, p), made when asked for: within the box, positive definite, near T's inverse.

        Where all variables are one component it is the solver's own array.
        """
        p = len(self.variances)
        if len(self.blocks) == 1 and len(self.blocks[0][0]) == p:
            return self.blocks[0][1]
        return self.covariance_among(np.arange(p))

    def without_covariance(self) -> GraphicalLassoResult:
        """Leave W out of the blocks: what is kept while others are solved. It serves :meth:`with_inverse` only."""
        return dataclasses.replace(self, blocks=tuple((members, np.empty((0, 0))) for members, _ in self.blocks))

    def with_inverse(self) -> GraphicalLassoResult:
        """Put T's inverse where W was: a start for another penalty, within the gap of W but not within the box."""
        blocks = []
        for members, _ in self.blocks:
            inverse = np.linalg.inv(self.precision_sparse[members][:, members].toarray())
            blocks.append((members, 0.5 * (inverse + inverse.T)))
        return dataclasses.replace(self, blocks=tuple(blocks))

    @property
    def component_sizes(self) -> np.ndarray:
        """How many variables each component has, shape (n_components,)."""
        return np.bincount(self.components)

    @property
    def lower_bound(self) -> float:
        """What no objective falls below: log det W + p."""
        return self.objective - self.duality_gap

    def covariance_among(self, variables: np.ndarray) -> np.ndarray:
        """Return W of some variables, in the order given, as a new array."""
        among = np.diag(self.variances[variables])
        label = self.components[variables]
        for component in np.unique(label):
            block = self._block_of.get(int(component))
            if block is None:
                continue
            members, values = self.blocks[block]
            there = np.flatnonzero(label == component)
            place = np.searchsorted(members, variables[there])
            _copy_among(values, place, there, among)
        return among

    @functools.cached_property
    def _block_of(self) -> dict[int, int]:
        return {int(self.components[members[0]]): k for k, (members, _) in enumerate(self.blocks)}


@njit
def _copy_among(values, place, there, among):
    for a in range(there.size):
        row, out = values[place[a]], among[there[a]]
        for b in range(there.size):
            out[there[b]] = row[place[b]]
