"""One connected component of the Graphical Lasso: sweeps over its columns until the gap says that it is solved."""

from __future__ import annotations

import dataclasses

import numpy as np

from netinfer.errors import InputError
from netinfer.solvers.graphical_certificate import (
    SparseRows,
    is_definite,
    linear_terms,
    log_determinant,
    sparse_rows,
    write_precision,
)
from netinfer.solvers.graphical_kernel import Columns, make_columns, make_work, sweep
from netinfer.solvers.graphical_result import GraphicalLassoResult
from netinfer.solvers.graphical_start import (
    NEAR,
    ROOM,
    clip_to_box,
    cold_start,
    columns_of,
    go_towards,
    share_of_way,
    warm_start,
)

# A variable outside its column's regression may break its bound by this, and by less for a small tolerance: its own
# share of the gap is of the order of the square.
LOOSEST = 1e-3
TIGHTEST = 1e-13
# After so many sweeps the gap is looked at even where the steps are still long.
PATIENCE = 10
# A sweep's estimated gain g and the rate r of its fall foretell the gap, within a factor of 3 of g r (1 - r)^2 on
# simulated data: so a look, at two Cholesky factors, is made when it is likely to be the last. No larger r is believed.
SLOWEST = 0.7
# How far a column goes as a share of the way to its best, from the second sweep on. On paths of PRECISE's 1,000 most
# variable genes 1.3, 1.45 and 1.6 took 0.75, 0.66 and 0.66 times the sweeps of 1.
RELAXATION = 1.4
# From so many sweeps on W is extrapolated at every look.
SLOW = 20
# Looks in a row without a better gap, at the tightest slack, that end the sweeps.
STALLED = 3
# A penalty below this share of the largest correlation is reached by way of larger ones, the first at this share, each
# at most STAGE times the next. Of 1,000 variables, at a tenth of the largest correlation, 11 s became 1 s.
EASY = 0.4
STAGE = 4.0
# What is added to the diagonal, from much to little, to find a W that is positive definite where pairs are free.
INFLATIONS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


@dataclasses.dataclass(eq=False)
class Part:
    """A component's problem, with the covariance and penalty of its variables only, and its solution as it stands.

    All but these two is in the units of the correlation.
    """

    covariance: np.ndarray  # (p, p)
    penalty: np.ndarray  # (p, p), or (1, 1) where it is one number
    scale: np.ndarray  # (p,) one over the root of the diagonal, with its penalty
    W: np.ndarray  # (p, p)
    precision: SparseRows
    primal: float
    dual: float
    n_sweeps: int = 0
    status: str = "converged"

    @property
    def gap(self) -> float:
        """The duality gap, never negative: below zero there is rounding only."""
        return max(self.primal - self.dual, 0.0)


def solve_component(
    covariance: np.ndarray, penalty: np.ndarray, scale: np.ndarray, of: np.ndarray, tol: float, max_sweeps: int,
    start: GraphicalLassoResult | None,
) -> Part:  # fmt: skip
    """Solve a component from a former solution, or from nothing.

    Raises
    ------
    InputError
        If there is no solution.
    """
    p = len(scale)
    if not (penalty if penalty.size == 1 else np.triu(penalty, 1)).any():
        return _without_penalty(covariance, penalty, scale)
    W = None if start is None else warm_start(covariance, penalty, scale, of, start)
    columns = make_columns(p, min(ROOM, p)) if start is None else columns_of(start, of, scale)
    if W is None:
        W, columns = _from_larger_penalties(covariance, penalty, scale, columns)
    # The identity is a precision matrix that is always at hand; its objective is p.
    part = Part(covariance, penalty, scale, W, _identity(p), float(p), -np.inf)
    _sweep_until_solved(part, columns, tol, max_sweeps)
    return part


def _from_larger_penalties(
    covariance: np.ndarray, penalty: np.ndarray, scale: np.ndarray, columns: Columns
) -> tuple[np.ndarray, Columns]:
    """Return a positive definite W within the box, and regressions, by way of larger penalties where this one is small.

    A start from nothing is then close to S, where regressions without a penalty are dense: the first sweep would take
    thirty times as long as the others.
    """
    p = len(scale)
    share = share_of_way(covariance, penalty, scale, np.eye(p))
    n_stages = int(np.ceil(np.log(EASY / share) / np.log(STAGE))) if NEAR < share < EASY else 0
    W = None
    for k in range(n_stages):
        larger = penalty * (EASY / share) ** (1.0 - k / n_stages)
        if W is None:
            W = cold_start(covariance, larger, scale)
        else:
            go_towards(covariance, scale, share_of_way(covariance, larger, scale, W), W)
        part = Part(covariance, larger, scale, W, _identity(p), float(p), -np.inf)
        for _ in range(2):
            columns, _gain = _sweep(part, columns, LOOSEST, not columns.count.any())
    if W is not None:
        go_towards(covariance, scale, share_of_way(covariance, penalty, scale, W), W)
        if is_definite(W):
            return W, columns
    W = cold_start(covariance, penalty, scale)
    return (_from_inflated(covariance, penalty, scale) if W is None else W), columns


def _sweep_until_solved(part: Part, columns: Columns, tol: float, max_sweeps: int) -> None:
    """Sweep over the columns until the gap per variable is at most tol, and leave the best certified point."""
    p = len(part.W)
    scratch = np.empty_like(part.W)
    slack, gain, best = min(LOOSEST, 0.1 * np.sqrt(tol)), np.inf, np.inf
    last_look, n_stalled, before, share, relaxation = 0, 0, None, None, RELAXATION
    part.status = "max_sweeps"
    for n in range(1, max_sweeps + 1):
        last_gain = gain
        columns, gain = _sweep(part, columns, slack, n == 1 and not columns.count.any(), 1.0 if n == 1 else relaxation)
        part.n_sweeps = n
        rate = min(gain / last_gain, SLOWEST) if last_gain > 0.0 else SLOWEST
        expected = gain * (rate * (1.0 - rate) ** 2 if share is None else share)
        if max(expected, gain if n == 1 else 0.0) > tol * p and n - last_look < PATIENCE and n < max_sweeps:
            continue
        last_look = n
        _look(part, columns, scratch)
        if part.gap <= tol * p:
            part.status = "converged"
            return
        if not np.isfinite(part.dual):
            _restart(part)
            slack, before, share, relaxation = 1e-3 * slack, None, None, 1.0
            n_stalled += 1
        else:
            n_stalled = n_stalled + 1 if part.gap > 0.999 * best and slack <= TIGHTEST else 0
            if 10.0 * gain <= part.gap or part.gap > 0.5 * best:
                slack *= 0.1
            if n >= SLOW and np.isfinite(best):
                _extrapolate(part, before, part.gap / best, scratch)
            before = part.W.copy() if n + PATIENCE >= SLOW else None
            best = min(best, part.gap)
            share = part.gap / gain if gain > 0.0 else None
        slack = max(slack, TIGHTEST)
        if n_stalled == STALLED:
            part.status = "stalled"
            return


def _sweep(
    part: Part, columns: Columns, slack: float, is_first: bool, relaxation: float = 1.0
) -> tuple[Columns, float]:
    """Solve every column once; return the columns, with more room where they needed it, and the estimated gain."""
    p, first, moved = len(part.W), 0, np.zeros(1)
    while True:
        work = make_work(p, columns.support.shape[1])
        first = sweep(
            part.covariance, part.penalty, part.scale, part.W, columns, work, slack, relaxation, is_first, first, moved
        )
        if first == p:
            return columns, float(moved[0])
        columns = _with_more_room(columns)


def _extrapolate(part: Part, before: np.ndarray | None, rate: float, scratch: np.ndarray) -> None:
    """Go on along W's last way as far as its geometric series would end, or less, where that raises the bound.

    Variables that are near copies of each other move together slowly: the same small step sweep after sweep.
    """
    if before is None or not 0.0 < rate < 1.0:
        return
    root = np.sqrt(rate)  # the gap falls with the square of the distance
    step = root / (1.0 - root)
    while step > 1.0:
        W = part.W + step * (part.W - before)
        clip_to_box(part.covariance, part.penalty, part.scale, W)
        dual = _bound(W, scratch)
        if dual > part.dual:
            part.W, part.dual = W, dual
            return
        step *= 0.5


def _look(part: Part, columns: Columns, scratch: np.ndarray) -> None:
    """Take the objective of what the columns say, kept where it is the best, and the bound that W gives."""
    write_precision(columns, scratch)
    rows = sparse_rows(scratch)
    value = linear_terms(part.covariance, part.penalty, part.scale, rows) - log_determinant(scratch)
    if value < part.primal:
        part.primal, part.precision = value, rows
    part.dual = _bound(part.W, scratch)


def _bound(W: np.ndarray, scratch: np.ndarray) -> float:
    """Return log det W + p; -inf where W is not positive definite."""
    scratch[:] = W
    return log_determinant(scratch) + len(W)


def _identity(p: int) -> SparseRows:
    return SparseRows(np.arange(p + 1), np.arange(p), np.ones(p))


def _restart(part: Part) -> None:
    """Begin again with a W that is positive definite: rounding has led to one that is not."""
    W = cold_start(part.covariance, part.penalty, part.scale)
    part.W = _from_inflated(part.covariance, part.penalty, part.scale) if W is None else W
    part.dual = _bound(part.W, np.empty_like(part.W))


def _from_inflated(covariance: np.ndarray, penalty: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Return a positive definite W within the box by way of problems with a larger diagonal, or say there is none.

    With free pairs the nearness of W to S is prescribed, and S may be singular. The solution with S + d I is positive
    definite; less d on its diagonal it lies in the box, and is positive definite for a small enough d where any W is.
    """
    p = len(scale)
    columns = make_columns(p, min(ROOM, p))
    for more in INFLATIONS:
        larger = scale / np.sqrt(1.0 + more)
        W = cold_start(covariance, penalty, larger)
        if W is None:
            break
        part = Part(covariance, penalty, larger, W, _identity(p), float(p), -np.inf)
        _sweep_until_solved(part, columns, 1e-3 * more, 50)
        W = part.W * (1.0 + more)
        np.fill_diagonal(W, 1.0)
        if is_definite(W):
            return W
    raise _no_solution(p, penalty)


def _no_solution(p: int, penalty: np.ndarray) -> InputError:
    least = float(penalty.min() if penalty.size == 1 else penalty[~np.eye(p, dtype=bool)].min())
    if least > 0.0:
        return InputError(
            f"penalty: {least:.3g} is too small for double precision: the covariance of {p} variables is singular up "
            "to rounding: use a larger penalty, or shrink the covariance towards its diagonal"
        )
    return InputError(
        f"penalty: no solution exists: the covariance of {p} variables that pairs of penalty 0 tie is singular: "
        "penalise these pairs, or shrink the covariance towards its diagonal"
    )


def _without_penalty(covariance: np.ndarray, penalty: np.ndarray, scale: np.ndarray) -> Part:
    """Invert the covariance."""
    W = covariance * scale * scale[:, None]
    W = 0.5 * (W + W.T)
    np.fill_diagonal(W, 1.0)
    if not is_definite(W):
        raise _no_solution(len(W), np.zeros((1, 1)))
    dual = _bound(W, np.empty_like(W))
    inverse = np.linalg.inv(W)
    inverse = 0.5 * (inverse + inverse.T)
    rows = sparse_rows(inverse)
    objective = linear_terms(covariance, penalty, scale, rows) - log_determinant(inverse)
    return Part(covariance, penalty, scale, W, rows, objective, dual)


def _with_more_room(columns: Columns) -> Columns:
    p, room = columns.support.shape
    wide = ((0, 0), (0, min(2 * room, p) - room))
    return columns._replace(support=np.pad(columns.support, wide), coef=np.pad(columns.coef, wide))
