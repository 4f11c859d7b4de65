"""One target's path: what was found, the evidence for it, and what can be asked of it afterwards."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from netinfer.errors import InputError
from netinfer.solvers.checks import one_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EVENT = [("penalty", float), ("regulator", np.int64), ("change", np.int64)]


class Solution(NamedTuple):
    """Coefficients at some penalties with their certificates."""

    coef: np.ndarray  # (n_penalties, n_regulators)
    duality_gap: np.ndarray  # (n_penalties,) relative
    kkt_violation: np.ndarray  # (n_penalties,)
    events: np.ndarray | None = None  # (n_events, 3): penalty, regulator, +1 entered or -1 left; None where unknown


class Certificate(NamedTuple):
    """Evidence that the coefficients at one penalty are optimal."""

    duality_gap: float  # relative to half the response's variance, from a dual-feasible point, never negative
    kkt_violation: float  # largest distance of the gradient from the subdifferential of the penalty


class PathProblem(Protocol):
    """What a path solves, kept so that it can be asked for more penalties."""

    def solve(self, penalties: np.ndarray) -> Solution:
        """Solve at penalties, decreasing."""

    def trace(self, penalty: float) -> np.ndarray:
        """Return every event down to a penalty, shape (n_events, 3)."""


@dataclasses.dataclass(frozen=True, eq=False)
class LassoPath:
    """One target's Lasso or elastic-net path, with the evidence that each point of it is optimal.

    Attributes
    ----------
    penalties : float array, shape (n_penalties,), decreasing
    coef : float array, shape (n_penalties, n_regulators)
        In units of the target's standard deviation per standard deviation of the regulator, for standardised moments.
    duality_gap : float array, shape (n_penalties,)
        Duality gap relative to half the response's variance, from a dual-feasible point, never negative.
    kkt_violation : float array, shape (n_penalties,)
        Largest distance of the gradient from the subdifferential of the penalty.
    largest_penalty : float
        Smallest penalty at which all penalised coefficients are zero.
    converged : bool array, shape (n_penalties,)
    problem : PathProblem, optional
        What was solved. It refers to the Gram matrix that was given, without copying it: do not change that in place
        while the path is in use.
    events : float array, shape (n_events, 3), optional
        Breakpoints as the solver recorded them; where it solves at the penalties only, they are followed when asked
        for.
    """

    penalties: np.ndarray
    coef: np.ndarray
    duality_gap: np.ndarray
    kkt_violation: np.ndarray
    largest_penalty: float
    converged: np.ndarray
    problem: PathProblem | None = dataclasses.field(default=None, repr=False)
    events: np.ndarray | None = dataclasses.field(default=None, repr=False)
    unpenalised: np.ndarray | None = dataclasses.field(default=None, repr=False)

    def at(self, penalty: float) -> np.ndarray:
        """Return the coefficients at any penalty down to the smallest one of the path, exact, not interpolated.

        Parameters
        ----------
        penalty : float
            At or above `largest_penalty` every penalised coefficient is exactly zero.

        Returns
        -------
        float array, shape (n_regulators,)

        Raises
        ------
        InputError
            If the penalty lies below the smallest one of the path.

        Notes
        -----
        The problem is solved anew at this penalty, on the active set that the path has there: some 0.1 ms for 300
        regulators.
        """
        return self._one(penalty).coef[0]

    def certificate(self, penalty: float) -> Certificate:
        """Return the duality gap and the KKT violation of `at` at a penalty."""
        found = self._one(penalty)
        return Certificate(float(found.duality_gap[0]), float(found.kkt_violation[0]))

    @functools.cached_property
    def breakpoints(self) -> np.ndarray:
        """Every event down to the smallest penalty, in order.

        A structured array with fields ``penalty``, ``regulator``, ``change`` (+1 enters, -1 leaves). A regulator may
        enter, leave and enter again.
        """
        events = self.events
        if events is None:
            events = np.zeros((0, 3)) if self.problem is None else self.problem.trace(float(self.penalties[-1]))
        out = np.zeros(len(events), dtype=EVENT)
        out["penalty"], out["regulator"], out["change"] = events[:, 0], events[:, 1], events[:, 2]
        return out

    @functools.cached_property
    def entered_at(self) -> np.ndarray:
        """Penalty at which each regulator first enters, exact, shape (n_regulators,).

        0 where it never does, ``inf`` for an unpenalised one.
        """
        entered = np.zeros(self.coef.shape[1])
        if self.unpenalised is not None:
            entered[self.unpenalised] = np.inf
        for penalty, regulator, change in self.breakpoints:
            if change > 0 and entered[regulator] == 0.0:
                entered[regulator] = penalty
        for penalty, row in zip(self.penalties, self.coef, strict=True):  # those that only coordinate descent found
            entered[(row != 0.0) & (entered == 0.0)] = penalty
        return entered

    @functools.cached_property
    def left_at(self) -> np.ndarray:
        """Penalty at which each regulator leaves for good, exact, shape (n_regulators,).

        0 where it is active at the smallest penalty, and where it never enters.
        """
        left = np.zeros(self.coef.shape[1])
        for penalty, regulator, change in self.breakpoints:
            left[regulator] = penalty if change < 0 else 0.0
        left[self.coef[-1] != 0.0] = 0.0
        return left

    @property
    def entry_order(self) -> np.ndarray:
        """Regulators in the order in which they first enter, unpenalised ones first, without those that never do."""
        order = np.argsort(-self.entered_at, kind="stable")
        return order[self.entered_at[order] > 0.0]

    def plot(self, ax: Axes | None = None, *, names: Sequence[str] | None = None, n_labels: int = 7) -> Axes:
        """Draw the coefficients along the path; see `netinfer.plot.coefficient_path`."""
        from netinfer.plot.path import coefficient_path

        return coefficient_path(self, names=names, n_labels=n_labels, ax=ax)

    def _one(self, penalty: float) -> Solution:
        penalty = one_number("penalty", penalty)
        if not (np.isfinite(penalty) and penalty > 0):
            raise InputError(f"penalty: {penalty} is not a positive number")
        known = np.flatnonzero(self.penalties == penalty)
        if known.size:
            k = slice(int(known[0]), int(known[0]) + 1)
            return Solution(self.coef[k].copy(), self.duality_gap[k], self.kkt_violation[k])
        if penalty < self.penalties[-1]:
            raise InputError(
                f"penalty: {penalty:g} lies below the path, which ends at {self.penalties[-1]:g}: make the path with a "
                "smaller last penalty"
            )
        if self.problem is None:
            raise InputError(f"penalty: {penalty:g} is not on this path, which knows only its own penalties: add it")
        return self.problem.solve(np.array([penalty]))
