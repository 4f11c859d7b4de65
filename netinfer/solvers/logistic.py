"""Paths of L1, elastic-net, group and sparse-group logistic regression, each point with its certificate."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from netinfer.errors import ConvergenceWarning
from netinfer.solvers.logistic_certificate import Evidence, certify, pulls
from netinfer.solvers.logistic_gradient import Gradients
from netinfer.solvers.logistic_newton import Problem, State

# Share of the null deviance that is left where a fit is said to separate the classes, as in glmnet (devmax = 0.999).
SEPARATED = 1e-3
# A certified unpenalised fit whose next Newton step still moves a sample's log odds by this much has no optimum.
DIVERGING = 0.1
MAX_ROUNDS = 100
# Share of the penalty that the first round's violation may have: what enters next is seen well enough then.
LOOSE = 0.02
# Violations below this are rounding of the products.
FINEST = 1e-15
# Predictors within rounding of the penalty do not enter, so that the largest penalty gives exact zeros.
MARGIN = 1e-12
# A set of candidates below this share of the predictors is looked at on its own, before all of them are.
FEW = 0.05


@dataclasses.dataclass(frozen=True)
class LogisticPath:
    """A penalised logistic regression over a grid of penalties, with the evidence that each point is optimal.

    Attributes
    ----------
    penalties : float array, shape (n_penalties,), decreasing
    coef : float array, shape (n_penalties, n_predictors)
        Log odds per unit of the predictor; NaN where the path had stopped.
    intercept : float array, shape (n_penalties,)
    duality_gap : float array, shape (n_penalties,)
        Duality gap relative to the null loss, which is the null deviance / (2 n); never negative, ``inf`` without a
        dual-feasible point.
    kkt_violation : float array, shape (n_penalties,)
        Largest distance of the gradient from the subdifferential of the penalty, intercept included.
    converged : bool array, shape (n_penalties,)
    deviance : float array, shape (n_penalties,)
        Twice the sum over the samples of weight times loss.
    null_deviance : float
        Of the intercept alone.
    largest_penalty : float
        Smallest penalty at which all penalised coefficients are zero.
    separated_at : float or None
        Penalty at which the fit separates the classes and the path ended; ``inf`` where the unpenalised predictors
        alone separate them, so that no penalty has a finite fit.
    n_steps : int array, shape (n_penalties,)
        Newton steps.
    classes : array, shape (2,)
        The two labels; odds are those of the second.
    """

    penalties: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray
    duality_gap: np.ndarray
    kkt_violation: np.ndarray
    converged: np.ndarray
    deviance: np.ndarray
    null_deviance: float
    largest_penalty: float
    separated_at: float | None
    n_steps: np.ndarray
    classes: np.ndarray

    @property
    def odds_ratio(self) -> np.ndarray:
        """Odds ratio per unit of each predictor, shape (n_penalties, n_predictors)."""
        return np.exp(self.coef)

    def predict_probability(self, x: np.ndarray) -> np.ndarray:
        """Return the probability of the second class, shape (n_penalties, n_samples)."""
        log_odds = self.intercept[:, None] + self.coef @ np.asarray(x, dtype=np.float64).T
        return 0.5 * (1.0 + np.tanh(0.5 * log_odds))


def logistic_path(
    x: np.ndarray,
    y: np.ndarray,
    penalties: np.ndarray,
    *,
    penalty_weights: np.ndarray | None = None,
    ridge: float | np.ndarray = 0.0,
    groups: np.ndarray | Sequence | Mapping | None = None,
    group_weights: np.ndarray | Mapping | None = None,
    l1_share: float | None = None,
    sample_weight: np.ndarray | None = None,
    tol: float = 1e-8,
) -> LogisticPath:
    r"""Fit an L1-penalised logistic regression at each of a decreasing grid of penalties.

    At each penalty :math:`\lambda` the result minimises

    .. math::

        \sum_i c_i \log(1 + e^{-s_i (b_0 + x_i^\top b)}) + \sum_j \frac{r_j}{2} b_j^2
        + \lambda \Big[ \alpha \sum_j w_j |b_j| + (1 - \alpha) \sum_g u_g \|b_g\|_2 \Big],

    with :math:`s_i = 1` for the second class and -1 for the first, :math:`c_i = 1/n` (or the sample weights divided by
    their sum) and :math:`\alpha` = ``l1_share``. The intercept is not penalised.

    Parameters
    ----------
    x : float array, shape (n_samples, n_predictors)
        Not centred and not scaled here. Rows of a DataFrame and of `y` with ids are matched by these.
    y : array, shape (n_samples,)
        Two labels; the smaller (or first in the alphabet) counts as 0, the other as 1.
    penalties : float array, shape (n_penalties,), decreasing, > 0
        In units of the mean loss's gradient; `LogisticPath.largest_penalty` is the smallest with all zeros.
    penalty_weights : float array, shape (n_predictors,), >= 0, optional
        0 leaves a predictor out of the L1 term, ``inf`` forbids it.
    ridge : float or array of shape (n_predictors,), >= 0
        The elastic net's quadratic part; on all predictors, unpenalised ones too, unless it is an array.
    groups : array of labels, shape (n_predictors,), or list of lists of places, optional
        Labels of any kind, or the members of each group; groups do not overlap and hold every predictor.
    group_weights : float array, shape (n_groups,), in the order of the labels, or a mapping from them, >= 0, optional
        Square roots of the sizes by default; 0 leaves a group's norm unpenalised, ``inf`` forbids it.
    l1_share : float in [0, 1], optional
        1 without groups, 0 with them (group Lasso); between them the sparse-group Lasso.
    sample_weight : float array, shape (n_samples,), >= 0, optional
    tol : float, > 0
        Bound on the relative duality gap.

    Returns
    -------
    LogisticPath

    Raises
    ------
    InputError
        If shapes disagree, a value is not finite, there are not two classes, a predictor is constant, every predictor
        is forbidden, groups overlap or are empty, or a penalty is not positive.

    Warns
    -----
    ConvergenceWarning
        If a gap stays above ``tol``, or the classes are separable: the path stops at the first penalty whose fit
        leaves less than a thousandth of the null deviance, and later ones are NaN and not converged.

    Notes
    -----
    Proximal Newton steps on a working set (Lee, Sun and Saunders 2014; Friedman, Hastie and Tibshirani 2010), grown
    by sequential strong rules (Tibshirani et al. 2012) and checked over all predictors. A penalty costs a few products
    of X with a vector; the second moments of the working set are kept while the steps contract.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[-1.0], [0.0], [1.0], [2.0]])
    >>> path = logistic_path(x, ["well", "ill", "well", "well"], [0.5, 0.05])
    >>> path.coef[0], path.classes.tolist()
    (array([0.]), ['ill', 'well'])
    >>> bool(path.converged.all())
    True
    """
    from netinfer.solvers.logistic_input import checked_problem

    problem, penalties, classes, total = checked_problem(
        x, y, penalties, penalty_weights, ridge, groups, group_weights, l1_share, sample_weight, tol
    )
    return _follow(problem, penalties, float(tol), classes, total)


def _follow(problem: Problem, penalties: np.ndarray, tol: float, classes: np.ndarray, total: float) -> LogisticPath:
    n_penalties, p = len(penalties), problem.x.shape[1]
    coef, intercept = np.full((n_penalties, p), np.nan), np.full(n_penalties, np.nan)
    gap, violated = np.full(n_penalties, np.inf), np.full(n_penalties, np.inf)
    loss, steps = np.full(n_penalties, np.nan), np.zeros(n_penalties, np.int64)
    state = State(problem)
    separated_at = np.inf if _is_separated_without_penalty(state, tol) else None
    gradients = Gradients(problem)
    pull = certify(state, 1.0, gradients, is_full=True).pull
    largest = float(pull.max())
    last = largest
    for k, penalty in enumerate(penalties):
        if separated_at is not None:
            break
        before = state.n_steps
        found = _solve(state, float(penalty), last, pull, tol, gradients)
        pull, last = found.pull, float(penalty)
        coef[k] = 0.0
        coef[k, state.index] = state.coef
        intercept[k], loss[k] = state.plain_intercept, state.loss
        gap[k], violated[k], steps[k] = found.gap, found.kkt_violation, state.n_steps - before
        if state.loss <= SEPARATED * state.null_loss:
            separated_at = float(penalty)
        _prune(state)
    path = LogisticPath(
        penalties=penalties,
        coef=coef,
        intercept=intercept,
        duality_gap=gap,
        kkt_violation=violated,
        converged=gap <= tol,
        deviance=2.0 * total * loss,
        null_deviance=2.0 * total * state.null_loss,
        largest_penalty=largest,
        separated_at=separated_at,
        n_steps=steps,
        classes=classes,
    )
    _warn(path, tol)
    return path


def _solve(state: State, penalty: float, last: float, pull: np.ndarray, tol: float, gradients: Gradients) -> Evidence:
    """Fit at one penalty from the fit at the last one, whose pulls are given."""
    problem = state.problem
    _let_in(state, np.flatnonzero(pull > penalty * (1.0 + MARGIN)))
    # Sequential strong rule: what may well enter between the last penalty and this one.
    likely = _outside(state, np.flatnonzero(pull > max(2.0 * penalty - last, 0.0)))
    near = problem.members(likely)
    columns = problem.x[:, near] if 0 < len(near) <= FEW * problem.x.shape[1] else None
    wished = LOOSE * penalty
    found = None
    for _ in range(MAX_ROUNDS):
        reached = state.minimise(penalty, wished)
        # The gap is about the violation times the L1 norm; a third of it leaves room for the other blocks.
        tight = 0.3 * tol * state.null_loss / max(float(np.abs(state.coef).sum()), 1e-3)
        if columns is not None:
            partial = np.zeros(problem.x.shape[1])
            partial[near] = state.residual @ columns
            if _let_in(state, likely[pulls(problem, partial)[likely] > penalty * (1.0 + MARGIN)]):
                continue
            if wished > tight and reached > tight:
                wished = tight
                continue
        found = certify(state, penalty, gradients)
        if found.gap <= tol:
            return found
        is_new = _let_in(state, np.flatnonzero(found.pull > penalty * (1.0 + MARGIN)))
        if not is_new and (reached > wished or wished <= FINEST):
            break  # rounding: no step gains anything any more
        wished = tight if wished > tight else 0.1 * wished
    return certify(state, penalty, gradients) if found is None else found


def _outside(state: State, blocks: np.ndarray) -> np.ndarray:
    """Return those of the blocks that are not in the working set."""
    return blocks[~state.is_inside[blocks]]


def _let_in(state: State, blocks: np.ndarray) -> bool:
    """Take those of the blocks that are not there into the working set; say whether there were any."""
    new = _outside(state, blocks)
    if new.size:
        state.enter(new)
    return bool(new.size)


def _prune(state: State) -> None:
    """Drop predictors with zero coefficients once they are a third of the working set."""
    if not len(state.index):
        return
    is_active = np.logical_or.reduceat((state.coef != 0.0) | state.problem.is_free[state.index], state.starts[:-1])
    if 3 * int((~is_active).sum()) > len(is_active) + 10:
        state.keep(is_active)


def _is_separated_without_penalty(state: State, tol: float) -> bool:
    """Fit the unpenalised predictors and say whether they separate the classes, so that no finite fit exists."""
    problem = state.problem
    free = np.flatnonzero(np.logical_or.reduceat(problem.is_free[problem.order], problem.starts[:-1]))
    if not free.size:
        return False
    state.enter(free)
    state.minimise(1.0, 0.1 * tol * state.null_loss)
    # Where there is an optimum, the next Newton step is nothing. Where samples are separated, their residual and their
    # curvature vanish together, and every step moves their log odds by one.
    without_ridge = state.rows[: len(state.index)][problem.ridge[state.index] == 0.0]
    if not len(without_ridge):
        return False
    root = np.sqrt(state.weight)
    design = np.column_stack([np.ones(len(root)), without_ridge.T])
    step = np.linalg.lstsq(root[:, None] * design, state.residual / np.maximum(root, 1e-150), rcond=None)[0]
    return bool(np.abs(design @ step).max() > DIVERGING) or state.loss <= SEPARATED * state.null_loss


def _warn(path: LogisticPath, tol: float) -> None:
    if path.separated_at is not None:
        rest = int(np.isnan(path.intercept).sum())
        if np.isinf(path.separated_at):
            text = "the unpenalised predictors alone separate classes, or some samples of one: no finite fit exists"
        else:
            text = (
                f"the fit separates the classes at penalty {path.separated_at:.3g} (less than {SEPARATED:g} of the "
                "null deviance is left)"
            )
            if rest:
                text += f": the path stops there, {rest} smaller penalties are not fitted"
        warnings.warn(f"logistic_path: {text}: use larger penalties or a ridge", ConvergenceWarning, stacklevel=4)
    fitted = ~np.isnan(path.intercept)
    bad = fitted & ~path.converged
    if bad.any():
        worst = int(np.where(bad, path.duality_gap, -1.0).argmax())
        warnings.warn(
            f"logistic_path: relative duality gap {path.duality_gap[worst]:.1e} at penalty {path.penalties[worst]:.3g} "
            f"is above tol {tol:.1e}: use larger penalties, a ridge or a larger tol",
            ConvergenceWarning,
            stacklevel=4,
        )
