"""What grouped solvers hold in memory: the problem that all targets share, and the working set of one target."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netinfer.kernels import njit


class GroupProblem(NamedTuple):
    """What all targets on one Gram share; places are sorted by group, on each group's own axes where it may turn."""

    gram: np.ndarray  # (p, p)
    curvature: np.ndarray  # (p,), its diagonal
    first: np.ndarray  # (n_groups + 1,), where each group begins
    largest: np.ndarray  # (n_groups,), largest eigenvalue of each group's block
    single: np.ndarray  # (p,), L1 penalty weight of each place
    together: np.ndarray  # (n_groups,), norm penalty weight of each group
    is_sparse: bool
    regulator: np.ndarray  # (p,), the regulator at each place
    axes: np.ndarray  # (p, largest group), each group's own axes, one row a regulator
    label: np.ndarray  # (n_groups,), each group's number among all


class GroupWork(NamedTuple):
    """The working set of one target; everything but ``inside`` is in the order in which groups joined."""

    inside: np.ndarray  # (n_groups,) bool
    group: np.ndarray  # (n_groups,)
    first: np.ndarray  # (n_groups + 1,)
    place: np.ndarray  # (p,)
    gram: np.ndarray  # (p, p)
    cross: np.ndarray  # (p,)
    coef: np.ndarray  # (p,)
    gradient: np.ndarray  # (p,)
    curvature: np.ndarray  # (p,)
    single: np.ndarray  # (p,)
    together: np.ndarray  # (n_groups,)
    buffer: np.ndarray  # (4, p)


def make_work(n_places: int, n_groups: int) -> GroupWork:
    """Return memory for one target's path, to be used again for the next."""
    return GroupWork(
        inside=np.zeros(n_groups, dtype=np.bool_),
        group=np.zeros(n_groups, dtype=np.int64),
        first=np.zeros(n_groups + 1, dtype=np.int64),
        place=np.zeros(n_places, dtype=np.int64),
        gram=np.zeros((n_places, n_places)),
        cross=np.zeros(n_places),
        coef=np.zeros(n_places),
        gradient=np.zeros(n_places),
        curvature=np.zeros(n_places),
        single=np.zeros(n_places),
        together=np.zeros(n_groups),
        buffer=np.zeros((4, n_places)),
    )


@njit
def join(problem, work, n_in, g, cross, gradient):
    """Add a group to the working set with coefficient zero; return the new number of groups."""
    begin = work.first[n_in]
    size = problem.first[g + 1] - problem.first[g]
    work.inside[g] = True
    work.group[n_in] = g
    work.together[n_in] = problem.together[g]
    work.first[n_in + 1] = begin + size
    for i in range(size):
        j = problem.first[g] + i
        k = begin + i
        work.place[k] = j
        work.cross[k] = cross[j]
        work.coef[k] = 0.0
        work.single[k] = problem.single[j]
        work.curvature[k] = problem.curvature[j]
        work.gradient[k] = gradient[j]
    gram, place, where = work.gram, work.place, problem.first[g]
    for i in range(begin + size):
        row = place[i]
        for k in range(size):
            gram[i, begin + k] = problem.gram[row, where + k]
    for k in range(size):
        for i in range(begin):
            gram[begin + k, i] = gram[i, begin + k]
    return n_in + 1


@njit
def is_zero(work, g):
    """Say whether all coefficients of a group of the working set are zero."""
    for k in range(work.first[g], work.first[g + 1]):  # noqa: SIM110 - numba knows no generators
        if work.coef[k] != 0.0:
            return False
    return True


@njit
def _is_idle(work, g, earlier):
    """Say whether a group of the working set is zero, and was in an earlier fit (p,)."""
    if not is_zero(work, g):
        return False
    for k in range(work.first[g], work.first[g + 1]):  # noqa: SIM110 - numba knows no generators
        if earlier[work.place[k]] != 0.0:
            return False
    return True


@njit
def count_zeros(work, n_in, earlier):
    """Count the groups of the working set that are zero, and were in an earlier fit (p,)."""
    n_zero = 0
    for g in range(n_in):
        if _is_idle(work, g, earlier):
            n_zero += 1
    return n_zero


@njit
def drop_zeros(problem, work, n_in, earlier, cross, gradient):
    """Build the working set anew from the groups that are not zero, or were not earlier; return their number."""
    kept = work.buffer[0]
    n_left = 0
    for g in range(n_in):
        group = work.group[g]
        if _is_idle(work, g, earlier):
            work.inside[group] = False
            continue
        begin = work.first[n_left]
        for k in range(work.first[g], work.first[g + 1]):
            kept[begin + k - work.first[g]] = work.coef[k]
        # Reads ahead of what it writes: n_left <= g.
        join(problem, work, n_left, group, cross, gradient)
        n_left += 1
    for k in range(work.first[n_left]):
        work.coef[k] = kept[k]
    return n_left
