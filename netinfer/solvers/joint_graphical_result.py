"""What the joint graphical Lasso found, and the evidence for it."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class JointGraphicalResult:
    """One sparse precision matrix a condition, with a bound on how far they are from the best.

    Attributes
    ----------
    precisions : tuple of float array, shape (p_k, p_k)
        T_k, symmetric and positive definite, in the order of its condition's own variables.
    covariances : tuple of float array, shape (p_k, p_k)
        W_k of the dual point that gives the lower bound: positive definite, near T_k's inverse.
    objective : float
        Of these precision matrices.
    duality_gap : float, >= 0
        No precision matrices have an objective that is smaller by more than this.
    converged : bool
        Whether the gap per variable is within the tolerance.
    status : {"converged", "max_iterations", "stalled"}
        "stalled" where rounding ended the progress.
    n_iterations : int
        Most iterations that a component took.
    names : tuple
        All variables, in the order in which the conditions bring them; their numbers where they have no names.
    components : int array, shape (len(names),)
        Each variable's component, the same in all conditions.
    places : tuple of int array, shape (p_k,)
        Where a condition's variables are in `names`.
    """

    precisions: tuple[np.ndarray, ...]
    covariances: tuple[np.ndarray, ...] = dataclasses.field(repr=False)
    objective: float
    duality_gap: float
    converged: bool
    status: str
    n_iterations: int
    names: tuple
    components: np.ndarray
    places: tuple[np.ndarray, ...] = dataclasses.field(repr=False)

    @property
    def lower_bound(self) -> float:
        """What no objective falls below: the sum over conditions of n_k (log det W_k + p_k)."""
        return self.objective - self.duality_gap
