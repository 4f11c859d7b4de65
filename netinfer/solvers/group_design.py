"""What the grouped solvers make once for all targets on one Gram: order, own axes, unpenalised regulators out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netinfer.errors import InputError
from netinfer.kernels import njit
from netinfer.solvers.checks import checked_weights
from netinfer.solvers.columns import is_number
from netinfer.solvers.group_step import dual_norm, is_inside
from netinfer.solvers.group_work import GroupProblem
from netinfer.solvers.grouping import checked_group_weights, checked_groups

# A regulator with less than this share of its variance left beside the unpenalised ones depends linearly on them.
DEPENDENT = 1e-12


@dataclass(frozen=True)
class GroupDesign:
    """One Gram with its groups, ready for the kernels.

    Attributes
    ----------
    problem : GroupProblem
        Penalised, allowed regulators, sorted by group; turned to each group's own axes where there is no L1 part.
    labels, has_free : the regulators' groups; whether a group holds an unpenalised regulator
    free : int array
        Unpenalised regulators.
    inverse, link : float arrays, shapes (n_free, n_free), (k, n_free)
        Pseudo-inverse of their Gram, and the Gram between the penalised and them.
    """

    problem: GroupProblem
    labels: np.ndarray
    has_free: np.ndarray
    free: np.ndarray
    inverse: np.ndarray
    link: np.ndarray

    def project(self, cross, variance):
        """Return the target's cross-moments as the kernels need them, the variance left, and the free coefficients."""
        inside = cross[self.problem.regulator]
        alone, left = np.zeros(0), variance
        if self.free.size:
            alone = self.inverse @ cross[self.free]
            left = max(variance - cross[self.free] @ alone, DEPENDENT * variance)
            inside = inside - self.link @ alone
        if not self.problem.is_sparse:
            inside = _turn(self.problem.first, self.problem.axes, inside, np.zeros_like(inside))
        return inside, left, alone

    def complete(self, coef, active, alone):
        """Fill in the coefficients of unpenalised regulators, least squares given the others (n_penalties, p)."""
        if self.free.size:
            coef[:, self.free] = alone - coef[:, self.problem.regulator] @ self.link @ self.inverse
            for j in self.free:
                active[:, self.labels[j]] |= coef[:, j] != 0

    def largest_penalty(self, turned):
        """Return the smallest penalty at which every penalised coefficient is zero."""
        return float(_largest(turned, self.problem.single, self.problem.together, self.problem.first))


@njit
def _turn(first, axes, values, out):
    for g in range(first.size - 1):
        for j in range(first[g], first[g + 1]):
            for i in range(first[g + 1] - first[g]):
                out[first[g] + i] += axes[j, i] * values[j]
    return out


@njit
def _largest(gradient, single, together, first):
    worst = 0.0
    for g in range(together.size):
        worst = dual_norm(gradient, first[g], first[g + 1], single, together[g], worst)
    # Rounding must not let a group in at this very penalty.
    for g in range(together.size):
        while not is_inside(gradient, first[g], first[g + 1], worst, single, together[g]):
            worst = np.nextafter(worst, np.inf)
    return worst


def design_groups(gram, groups, *, l1_share, group_weights, penalty_weights, shrinkage) -> GroupDesign:
    """Check groups, weights, share and shrinkage, and prepare a checked Gram for the kernels.

    Raises
    ------
    InputError
        Names the argument, the value and the place.
    """
    p = gram.shape[0]
    named = checked_groups(groups, p)
    labels, n_groups = named.labels, len(named.names)
    if not (is_number(l1_share) and 0 <= l1_share <= 1):
        raise InputError(f"l1_share: {l1_share} is not between 0 and 1")
    if not (is_number(shrinkage) and 0 <= shrinkage < 1):
        raise InputError(f"shrinkage: {shrinkage} is not in 0 <= s < 1")
    single = checked_weights(penalty_weights, p)
    together = checked_group_weights(group_weights, named)
    is_forbidden = np.isinf(single) | np.isinf(together)[labels]
    single = l1_share * np.where(is_forbidden, 1.0, single)
    together = (1.0 - l1_share) * np.where(np.isinf(together), 1.0, together)
    is_free = (single == 0) & (together[labels] == 0) & ~is_forbidden
    gram = (1.0 - shrinkage) * gram
    gram[np.diag_indices(p)] += shrinkage
    free = np.flatnonzero(is_free)
    places = np.flatnonzero(~is_free & ~is_forbidden)
    places = places[np.argsort(labels[places], kind="stable")]
    inner, inverse, link = gram[np.ix_(places, places)], np.zeros((0, 0)), np.zeros((places.size, 0))
    if free.size:
        inverse = np.linalg.pinv(gram[np.ix_(free, free)], rcond=1e-12, hermitian=True)
        link = gram[np.ix_(places, free)]
        inner = inner - link @ inverse @ link.T
        is_left = inner.diagonal() > DEPENDENT * gram.diagonal()[places]
        places, inner, link = places[is_left], inner[np.ix_(is_left, is_left)], link[is_left]
    problem = _prepared(inner, places, labels[places], single[places], together)
    has_free = np.zeros(n_groups, dtype=bool)
    has_free[labels[free]] = True
    return GroupDesign(problem, labels, has_free, free, inverse, link)


def _prepared(inner, places, labels, single, together):
    """Return the kernels' problem, turned to the groups' own axes where no L1 part forbids it."""
    kept, counts = np.unique(labels, return_counts=True)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    is_sparse = bool((single > 0).any())
    axes = np.zeros((labels.size, int(counts.max(initial=0))))
    largest = np.zeros(kept.size)
    inner = np.ascontiguousarray(0.5 * (inner + inner.T))
    for g in range(kept.size):
        block = slice(first[g], first[g + 1])
        values, vectors = np.linalg.eigh(inner[block, block])
        largest[g] = values[-1]
        axes[block, : values.size] = vectors
    if not is_sparse:
        for g in range(kept.size):
            block = slice(first[g], first[g + 1])
            vectors = axes[block, : counts[g]]
            inner[block] = vectors.T @ inner[block]
            inner[:, block] = inner[:, block] @ vectors
    curvature = np.maximum(inner.diagonal(), 0.0)
    return GroupProblem(inner, curvature, first, largest, single, together[kept], is_sparse, places, axes, kept)
