"""The adaptive Lasso: a first fit says how much each regulator is penalised in the second."""

from __future__ import annotations

import numpy as np

from netinfer.errors import InputError
from netinfer.solvers.checks import checked_moments, numbers, one_number
from netinfer.solvers.path import by_homotopy, certified_path
from netinfer.solvers.problem import MomentProblem
from netinfer.solvers.result import LassoPath

# The initial fit is least squares where the smallest eigenvalue of the Gram, scaled to a unit diagonal, is at least
# this, else the ridge that lifts it there: least squares has errors of 1 / sqrt(eigenvalue) in units of the noise.
SMALLEST_EIGENVALUE = 0.05
# Squares of weights up to this, and of their reciprocals, are doubles.
LARGEST_WEIGHT = 1e150


def adaptive_lasso_path(
    gram: np.ndarray,
    cross: np.ndarray,
    penalties: np.ndarray,
    *,
    target_variance: float = 1.0,
    power: float = 1.0,
    initial: np.ndarray | None = None,
    penalty_weights: np.ndarray | None = None,
) -> LassoPath:
    r"""Follow one target gene's adaptive Lasso path: regulators that an initial fit finds strong are penalised less.

    At each penalty :math:`\lambda` the result minimises
    :math:`\tfrac12 \beta^\top G \beta - q^\top \beta + \lambda \sum_j w_j |\beta_j| / |\hat\beta_j|^\gamma`
    with the initial coefficients :math:`\hat\beta` and the power :math:`\gamma`.

    Parameters
    ----------
    gram : float array, shape (n_regulators, n_regulators)
        :math:`X^\top X / n` of regulator expression, symmetric, positive semidefinite.
    cross : float array, shape (n_regulators,)
        :math:`X^\top y / n`.
    penalties : float array, shape (n_penalties,), decreasing, > 0
        With ``power=1`` in units of the target's variance: the weights carry one over the coefficients' units.
    target_variance : float, > 0
        :math:`y^\top y / n`.
    power : float, > 0
        The larger, the harder the initial fit decides.
    initial : float array, shape (n_regulators,), optional
        Initial coefficients; 0 forbids a regulator. By default those of `initial_coefficients`.
    penalty_weights : float array, shape (n_regulators,), >= 0, optional
        Factors beside the adaptive ones: 0 leaves a regulator unpenalised, ``inf`` forbids it.

    Returns
    -------
    LassoPath
        The exact path of the second stage; ``problem.weights`` are the weights that it used.

    Raises
    ------
    InputError
        As `lasso_path`; if `power` is not positive, `initial` has another shape or values that are not finite, or a
        weight that is made of them is not between 1e-150 and 1e150.

    Warns
    -----
    ConvergenceWarning
        If the relative duality gap at a penalty stays above 1e-9.

    Notes
    -----
    Zou (2006): with least squares first, which converges at rate :math:`\sqrt n`, and suitable penalties the true
    regulators are found with probability going to one, also where the plain Lasso cannot. With ``power=1`` the result
    does not depend on the scale of the regulators.

    Examples
    --------
    >>> import numpy as np
    >>> path = adaptive_lasso_path(np.eye(2), np.array([0.8, -0.2]), np.array([0.1]))
    >>> path.coef.round(3)
    array([[0.675, 0.   ]])
    """
    gram, cross, penalties, weights = checked_moments(gram, cross, penalties, target_variance, penalty_weights)
    power = one_number("power", power)
    if not (np.isfinite(power) and power > 0):
        raise InputError(f"power: {power} is not a positive number")
    if initial is None:
        initial = initial_coefficients(gram, cross)
    initial = numbers("initial", initial)
    if initial.shape != cross.shape:
        raise InputError(f"initial: shape {initial.shape} for {cross.size} regulators: give one each")
    if not np.isfinite(initial).all():
        raise InputError(f"initial: coefficient {int((~np.isfinite(initial)).argmax())} is NaN or infinite: give 0")
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        factor = np.abs(initial) ** -power
        # inf x 0 is a forbidden regulator whose factor underflows: it stays forbidden.
        adapted = weights * np.where((weights == 0.0) | np.isinf(weights), 1.0, factor)
    is_given = (weights > 0.0) & np.isfinite(weights) & (initial != 0.0)
    bad = is_given & ~((adapted >= 1.0 / LARGEST_WEIGHT) & (adapted <= LARGEST_WEIGHT))
    if bad.any():
        j = int(bad.argmax())
        raise InputError(
            f"initial: coefficient {initial[j]:g} of regulator {j} to the power {-power:g} makes a penalty weight of "
            f"{adapted[j]:g}: give 0 to forbid it, a smaller power, or coefficients of another unit"
        )
    problem = MomentProblem(gram, cross.copy(), adapted, float(target_variance), 0.0, by_homotopy, by_homotopy)
    return certified_path(problem, penalties, "adaptive_lasso_path")


def initial_coefficients(gram: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Return least-squares coefficients, or the mildest ridge's where regulators nearly depend on each other.

    With the Gram scaled to a unit diagonal, C, they are ((1 - s) C + s I)^-1 c for the smallest s >= 0 at which no
    eigenvalue lies below 0.05: least squares where that is safe (Zou 2006, section 3.1), ridge where regulators are
    collinear or more than the samples (his section 3.4), and nothing to choose. A marginal fit would credit a
    regulator with what its neighbours do.

    Parameters
    ----------
    gram : float array, shape (n_regulators, n_regulators), with a positive diagonal
    cross : float array, shape (n_regulators,)

    Returns
    -------
    float array, shape (n_regulators,)
    """
    scale = 1.0 / np.sqrt(gram.diagonal())
    correlation = gram * scale[:, None] * scale[None, :]
    values, vectors = np.linalg.eigh(correlation)
    shrinkage = max(0.0, (SMALLEST_EIGENVALUE - values[0]) / (1.0 - values[0])) if values[0] < 1.0 else 0.0
    values = (1.0 - shrinkage) * values + shrinkage
    return scale * (vectors @ ((vectors.T @ (scale * cross)) / values))
