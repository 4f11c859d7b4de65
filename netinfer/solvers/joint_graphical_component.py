"""One component of the joint graphical Lasso: ADMM between the likelihoods and the coupling, until the gap is small.

With V_k = n_k (W_k - S_k), zero on the diagonal, and each pair's V within the dual ball of its penalty, positive
definite W_k give the lower bound sum_k n_k (log det W_k + p_k). The multipliers of ADMM are such a V after each step,
by Moreau's identity; what rounding leaves outside the ball is brought into it.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from netinfer.errors import InputError
from netinfer.solvers.anderson import Anderson
from netinfer.solvers.graphical_certificate import SINGULAR, log_determinant
from netinfer.solvers.joint_graphical_kernel import largest_gauge, penalty_of, shrink_pairs

# Eckstein and Bertsekas (1992) suggest 1.5 to 1.8.
RELAXATION = 1.6
# Iterations from one look at the gap to the next: a look costs two Cholesky factors, an iteration an eigensystem.
LOOK = 5
# The step follows the residuals (Boyd et al. 2011, 3.4.1) where one is this many times the other, by at most FASTEST at
# a time. The time to the next change grows, so that the changes come to an end.
UNBALANCED = 3.0
FASTEST = 5.0
PATIENCE = 1.3
# Iterations before the first jump, and how many steps it is made from, each two arrays of all covariances' size.
SLOW = 5
KEPT = 8
# Residuals below this are rounding.
ROUNDING = 1e-15


@dataclasses.dataclass(eq=False)
class JointPart:
    """A component's problem in common units, and the best certified point so far."""

    stack: np.ndarray  # (n_conditions, q, q)
    present: np.ndarray  # (n_conditions, q)
    weights: np.ndarray  # (n_conditions,)
    unit: np.ndarray  # (q,)
    penalty: float
    coupling: float
    is_fused: bool
    T: np.ndarray | None = None
    W: np.ndarray | None = None
    primal: float = np.inf
    dual: float = -np.inf
    n_iterations: int = 0
    status: str = "converged"

    @property
    def gap(self) -> float:
        """The duality gap, never negative: below zero there is rounding only."""
        return max(self.primal - self.dual, 0.0)

    @property
    def size(self) -> float:
        """Number of variables over all conditions, each times its condition's weight."""
        return float(self.weights @ self.present.sum(axis=1))

    def try_primal(self, T: np.ndarray) -> None:
        """Keep precision matrices that are positive definite and better than those before."""
        value = penalty_of(T, self.present, self.unit, self.penalty, self.coupling, self.is_fused)
        for k, of in enumerate(self.members):
            inside = np.ix_(of, of)
            linear = float((self.stack[k][inside] * T[k][inside]).sum())
            value += float(self.weights[k]) * (linear - unit_log_det(T[k][inside]))
        if value < self.primal:
            self.T, self.primal = T.copy(), value

    def try_nearest_dual(self, V: np.ndarray) -> None:
        """Try the point of the dual ball that is nearest to V: V less its proximal point (Moreau)."""
        outside = np.zeros_like(V)
        shrink_pairs(V, self.present, self.unit, self.penalty, self.coupling, self.is_fused, outside)
        self.try_dual(V - outside)

    def try_dual(self, V: np.ndarray) -> None:
        """Keep a dual point, scaled into its ball, that is positive definite and better than the one before."""
        share = 1.0 / max(largest_gauge(V, self.present, self.unit, self.penalty, self.coupling, self.is_fused), 1.0)
        W = self.stack + share * V / self.weights[:, None, None]
        value = 0.0
        for k, of in enumerate(self.members):
            value += float(self.weights[k]) * (unit_log_det(W[k][np.ix_(of, of)], SINGULAR) + len(of))
        if value > self.dual:
            self.W, self.dual = W, value

    @property
    def members(self) -> list[np.ndarray]:
        """Variables of each condition."""
        return [np.flatnonzero(has) for has in self.present]


def unit_log_det(matrix: np.ndarray, margin: float = 0.0) -> float:
    """Return log det; -inf where the matrix, scaled to a unit diagonal, has no eigenvalue above a margin."""
    diagonal = matrix.diagonal()
    if not (diagonal > 0).all():
        return -np.inf
    root = 1.0 / np.sqrt(diagonal)
    scaled = matrix * root * root[:, None]
    if margin:
        shifted = scaled.copy()
        shifted[np.diag_indices_from(shifted)] -= margin
        if not np.isfinite(log_determinant(shifted)):
            return -np.inf
    return log_determinant(scaled) + float(np.log(diagonal).sum())


def solve_joint_component(
    part: JointPart, tol: float, max_iterations: int, start: tuple[np.ndarray, np.ndarray] | None = None
) -> JointPart:
    """Solve a component from nothing, or from precision and covariance matrices of a former solution.

    Raises
    ------
    InputError
        If no dual point is found to start from: the penalties are too small for a covariance that is singular.
    """
    T, V = _started(part, start)
    rho = 1.0
    point = T + V / rho  # Z and the scaled multipliers, which are its proximal point and the rest of it
    Z, before = T.copy(), np.zeros_like(T)
    history, plain, shortest = Anderson(KEPT), None, np.inf
    next_change, wait = LOOK, LOOK
    part.status = "max_iterations"
    while part.gap > tol * part.size and part.n_iterations < max_iterations:
        part.n_iterations += 1
        before, Z = Z, before
        _shrink(part, point, rho, Z)
        _likelihood_step(part, 2.0 * Z - point, rho, T)
        step = RELAXATION * (T - Z)
        apart, moved = _residuals(part, T, Z, before, rho)
        if part.n_iterations % LOOK == 0 or part.n_iterations == max_iterations:
            part.try_primal(Z)
            part.try_nearest_dual(rho * (point - Z))
            if max(apart, moved) < ROUNDING and part.gap > tol * part.size:
                part.status = "stalled"
                break
        length = float(np.linalg.norm(step))
        if plain is not None and length > shortest:
            point, plain = plain, None  # the jump misled
            history.forget()
            continue
        shortest, plain = length, point + step
        change = _change(apart, moved) if part.n_iterations >= next_change else 1.0
        if part.n_iterations >= next_change:
            wait *= PATIENCE
            next_change += wait
        if change != 1.0:
            _shrink(part, plain, rho, Z)
            point, plain = Z + (plain - Z) / change, None
            rho *= change
            history.forget()
        elif part.n_iterations > SLOW:
            point = history.next_point(point, step)
        else:
            point, plain = plain, None
    if part.gap <= tol * part.size:
        part.status = "converged"
    return part


def _shrink(part: JointPart, point: np.ndarray, rho: float, Z: np.ndarray) -> None:
    """Write the proximal point of the penalty over rho."""
    shrink_pairs(point, part.present, part.unit, part.penalty / rho, part.coupling / rho, part.is_fused, Z)


def _likelihood_step(part: JointPart, centre: np.ndarray, rho: float, T: np.ndarray) -> None:
    """Write the T_k of least n_k (-log det T_k + tr(S_k T_k)) + rho / 2 |T_k - centre_k|^2, by eigenvalues."""
    for k, of in enumerate(part.members):
        if of.size == 0:
            continue
        inside = np.ix_(of, of)
        ratio = part.weights[k] / rho
        values, vectors = np.linalg.eigh(centre[k][inside] - ratio * part.stack[k][inside])
        root = np.sqrt(values * values + 4.0 * ratio)
        # The smaller root of the quadratic's two forms loses no digits.
        values = np.where(values >= 0, 0.5 * (values + root), 2.0 * ratio / (root - values))
        new = (vectors * values) @ vectors.T
        T[k][inside] = 0.5 * (new + new.T)


def _residuals(part: JointPart, T, Z, before, rho: float) -> tuple[float, float]:
    """Return how far T is from Z, and how far Z moved, each as a share of what it is compared to (Wohlberg 2017)."""
    apart = float(np.linalg.norm(T - Z)) / float(np.linalg.norm(Z))
    force = float(np.linalg.norm(part.stack * part.weights[:, None, None]))
    return apart, rho * float(np.linalg.norm(Z - before)) / force


def _change(apart: float, moved: float) -> float:
    """Return what to multiply the step by."""
    if moved == 0.0 or apart == 0.0:
        return 1.0
    ratio = apart / moved
    if 1.0 / UNBALANCED < ratio < UNBALANCED:
        return 1.0
    return float(min(max(np.sqrt(ratio), 1.0 / FASTEST), FASTEST))


def _started(part: JointPart, start) -> tuple[np.ndarray, np.ndarray]:
    """Return precision matrices and a V to start from, and keep what they certify."""
    diagonal = np.zeros_like(part.stack)
    for k, of in enumerate(part.members):
        diagonal[k, of, of] = part.stack[k, of, of]
    V = part.weights[:, None, None] * (diagonal - part.stack)
    T = np.divide(1.0, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)
    part.try_primal(T)
    most = largest_gauge(V, part.present, part.unit, part.penalty, part.coupling, part.is_fused)
    part.try_dual(V)
    part.try_nearest_dual(V)
    part.try_dual(np.zeros_like(V))
    if not np.isfinite(part.dual):
        raise InputError(_no_solution(part))
    if start is None:
        return T, V / max(most, 1.0)
    T, W = start
    for k, of in enumerate(part.members):
        ratio = np.ones(part.present.shape[1])
        ratio[of] = np.sqrt(part.stack[k, of, of] / W[k, of, of])
        W[k] *= ratio * ratio[:, None]
    V = part.weights[:, None, None] * (W - part.stack)
    for k, of in enumerate(part.members):
        V[k, of, of] = 0.0
    part.try_primal(T)
    part.try_dual(V)
    part.try_nearest_dual(V)
    return T, V


def _no_solution(part: JointPart) -> str:
    """Return the error where no dual point was found: at V = 0 some covariance is singular."""
    for k, of in enumerate(part.members):
        if not np.isfinite(unit_log_det(part.stack[k][np.ix_(of, of)], SINGULAR)):
            break
    return (
        f"penalty: too small: condition {k + 1}'s covariance of {len(of)} connected variables is singular, and no "
        "bound below the objective is found: give a larger penalty, or shrink the covariance towards its diagonal"
    )
