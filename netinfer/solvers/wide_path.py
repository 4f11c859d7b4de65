"""The Lasso and elastic-net path from samples: the public face of the working set."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers.checks import checked_penalties, checked_weights, numbers
from netinfer.solvers.path import GAP_TOLERANCE, KKT_TOLERANCE
from netinfer.solvers.result import LassoPath, Solution
from netinfer.solvers.wide import centred, wide_design
from netinfer.solvers.working_set import WideProblem, follow_wide, solve_wide


def lasso_path_wide(
    x: np.ndarray,
    y: np.ndarray,
    penalties: np.ndarray,
    *,
    shrinkage: float = 0.0,
    penalty_weights: np.ndarray | None = None,
    tol: float = GAP_TOLERANCE,
) -> LassoPath:
    r"""Follow one target's Lasso path with far more predictors than samples, from the samples themselves.

    At each penalty :math:`\lambda` the result minimises, with :math:`G = X^\top X / n`, :math:`q = X^\top y / n` of the
    centred samples and shrinkage :math:`s`,
    :math:`\tfrac12 \beta^\top ((1-s) G + s I) \beta - q^\top \beta + \lambda \sum_j w_j |\beta_j|`;
    for :math:`s = 0` that is :math:`\tfrac1{2n} \|y - X \beta\|^2 + \lambda \sum_j w_j |\beta_j|` up to a constant.
    :math:`G` is never formed.

    Parameters
    ----------
    x : float array, shape (n_samples, n_regulators)
        Centred inside, not scaled: standardise first where the penalty is to treat all alike.
    y : float array, shape (n_samples,)
        Centred inside.
    penalties : float array, shape (n_penalties,), decreasing, > 0
        In the units of q: those of y for standardised predictors.
    shrinkage : float, 0 <= s < 1
        0 is the Lasso; above, the elastic net.
    penalty_weights : float array, shape (n_regulators,), >= 0, optional
        0 leaves a predictor unpenalised, ``inf`` forbids it.
    tol : float, > 0
        Relative duality gap above which a penalty counts as not converged.

    Returns
    -------
    LassoPath
        ``coef`` (n_penalties, n_regulators), in units of y per unit of x; ``duality_gap`` (n_penalties,), from a dual
        point that is feasible for all predictors; ``entered_at`` and ``breakpoints``, found when asked for: each is
        checked over all predictors, so they are those of the full problem. With shrinkage, from the penalty on at
        which more predictors are active than there are samples, the dual is solved penalty by penalty: no breakpoints
        there, and ``entered_at`` names the first of the given penalties at which a predictor is active.

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite (the column is named), a predictor that is not forbidden or the
        target is constant, or a penalty, weight or the shrinkage is out of its range.

    Warns
    -----
    ConvergenceWarning
        If the relative duality gap at a penalty stays above `tol`.

    Notes
    -----
    Costs a few products of the residuals of all penalties and breakpoints with x, O(n p) each, and a homotopy on some
    hundred predictors. Osborne, Presnell and Turlach (2000); Tibshirani et al. (2012); Massias, Gramfort and Salmon
    (2018); with shrinkage Li, Sun and Toh (2018). Memory: one copy of x, and 40 rows of p gradients.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[1.0, 1, 1], [1, -1, 0], [-1, 1, 0], [-1, -1, -1]])
    >>> path = lasso_path_wide(x, np.array([3.0, 1, -1, -3]), np.array([1.5, 0.5]))
    >>> path.coef.round(3)
    array([[0.5, 0. , 0. ],
           [1.5, 0.5, 0. ]])
    """
    x, y, penalties, weights = _checked(x, y, penalties, shrinkage, penalty_weights, tol)
    design = wide_design(x, allowed=np.isfinite(weights))
    target, variance = centred(y[:, None])
    if variance[0] == 0.0:
        raise InputError("y: the same in every sample: a constant target has no path")
    wide = WideProblem(design, np.ascontiguousarray(target[:, 0]), weights, float(shrinkage))
    problem = _KeptProblem(wide, float(tol))
    found = problem.solve(penalties)
    gap, violation = found.duality_gap, found.kkt_violation
    spread = (1.0 - shrinkage) * float(design.variance.max()) + shrinkage
    converged = (gap <= tol) & (violation <= KKT_TOLERANCE * np.sqrt(spread * variance[0]))
    if not converged.all():
        worst = int(gap.argmax())
        warnings.warn(
            f"lasso_path_wide: relative duality gap {gap[worst]:.1e} at penalty {penalties[worst]:.3g} (KKT violation "
            f"{violation.max():.1e}) is not certified to {tol:.1e}: use larger penalties or shrinkage",
            ConvergenceWarning,
            stacklevel=2,
        )
    return LassoPath(
        penalties=penalties,
        coef=found.coef,
        duality_gap=gap,
        kkt_violation=violation,
        largest_penalty=wide.largest_penalty,
        converged=converged,
        problem=problem,
        unpenalised=weights == 0.0,
    )


@dataclasses.dataclass(frozen=True, eq=False)
class _KeptProblem:
    """The problem as its path keeps it, with dense answers."""

    wide: WideProblem
    tol: float

    def solve(self, penalties: np.ndarray) -> Solution:
        found = solve_wide(self.wide, penalties, self.tol)
        coef = np.zeros((len(penalties), len(self.wide.weights)))
        coef[:, found.places] = found.coef
        return Solution(coef, found.gap, found.violation)

    def trace(self, penalty: float) -> np.ndarray:
        return follow_wide(self.wide, penalty, self.tol)


def _checked(x, y, penalties, shrinkage, penalty_weights, tol):
    x, y = numbers("x", x), numbers("y", y)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise InputError(
            f"y: shape {y.shape} does not fit x, shape {x.shape}: give samples x predictors and one value a sample"
        )
    if not np.isfinite(y).all():
        raise InputError(f"y: NaN or infinite in row {int((~np.isfinite(y)).argmax())}: drop that sample first")
    if not 0.0 <= shrinkage < 1.0:
        raise InputError(f"shrinkage: {shrinkage} is not in 0 <= s < 1")
    if not tol > 0.0:
        raise InputError(f"tol: {tol} is not positive")
    return x, y, checked_penalties(penalties), checked_weights(penalty_weights, x.shape[1])
