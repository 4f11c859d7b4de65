"""Choosing one penalty for one target: cross-validation by moments and information criteria.

A fold's training moments are all moments less the fold's, so K folds cost one pass over the samples and K paths
(the held-out error is read from the fold's own moments, too). The grid of penalties starts where the model is empty in
every fold. For cross-validation it goes on downwards until the error has clearly risen again; information criteria are
jagged and cost one path, which is followed to its end.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.models.penalty.fits import MomentFit, SampleFit
from netinfer.moments import Moments, from_matrix
from netinfer.solvers.columns import centred_scaled, is_constant, same_rows
from netinfer.stability.subsamples import unit_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Fit: TypeAlias = MomentFit | SampleFit
Score: TypeAlias = Callable[[np.ndarray, np.ndarray], pd.DataFrame]

# Above this many regulators, and twice the samples, folds are fitted from the samples: no Gram matrix is made.
WIDE = 1_000
CRITERIA = ("cv", "cv_1se", "aic", "bic", "ebic")
# Neighbouring penalties differ by a tenth: a held-out error is flat on that scale. Information criteria jump wherever a
# regulator enters, and lie lowest just above: there a fortieth.
PER_DECADE, PER_DECADE_JAGGED = 25, 100
# Where a fold holds all but this share of a variance, the training moments are not taken by subtraction, which would
# leave fewer than 12 digits.
LEAST_SHARE = 1e-4
# The grid reaches a tenth of the largest penalty at first, then one decade more at a time, down to this share of it.
FIRST, SMALLEST = 0.1, 1e-5
# With unknown noise the Gaussian likelihood of n samples is unbounded as the model fills; half of n is far from that.
MOST_DF = 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class PenaltyChoice:
    """A penalty chosen for one target, and what the choice rests on.

    Attributes
    ----------
    penalty : float
        In units of the target's standard deviation.
    coef : float array, shape (n_regulators,)
        Fit on all samples at that penalty; standard deviations of the target per standard deviation of the regulator.
    criterion : str
    table : DataFrame, one row a penalty, decreasing
        penalty, n_selected, degrees_of_freedom, duality_gap, and cv_error with cv_se (share of the target's variance)
        or aic, bic and ebic.
    is_bracketed : bool
        Whether the smallest value of the criterion in ``table`` is above its last penalty. Information criteria are
        followed to the end of the path; a held-out error until it lies one standard error above its minimum, or for a
        decade.
    note : str
        Why it does not; empty where it does.
    """

    penalty: float
    coef: np.ndarray
    criterion: str
    table: pd.DataFrame
    is_bracketed: bool
    note: str

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the criterion along the penalties, with the chosen one marked; return the Axes."""
        from netinfer.plot.penalty import criterion_path

        return criterion_path(self, ax=ax)


def choose_penalty(
    regulators: Any,
    target: Any,
    *,
    criterion: str = "cv",
    n_folds: int = 10,
    block: Any = None,
    shrinkage: float = 0.0,
    penalty_weights: Any = None,
    ebic_gamma: float = 0.5,
    seed: int = 0,
) -> PenaltyChoice:
    r"""Choose the penalty of one target's Lasso or elastic net.

    With the fit :math:`b(\lambda)` of standardised samples: ``cv`` minimises the mean squared error of held-out folds;
    ``cv_1se`` takes the largest penalty whose error is within one standard error of that minimum; ``aic``, ``bic`` and
    ``ebic`` minimise :math:`n \log(\mathrm{RSS}/n) + c\,\mathrm{df}` with :math:`c = 2`, :math:`\log n`, and
    :math:`\log n + 2 \gamma \log p`.

    Parameters
    ----------
    regulators : float array or DataFrame, shape (n_samples, n_regulators)
        Standardised inside; a constant one is never selected.
    target : float array or Series, shape (n_samples,)
        The rows of a DataFrame and a Series with ids are matched by these, other rows by position.
    criterion : {"cv", "cv_1se", "aic", "bic", "ebic"}
    n_folds : int
        Folds of the cross-validation, at most the number of independent units.
    block : array of labels, shape (n_samples,), optional
        Independent units: all samples of one are held out together. By default each sample is one.
    shrinkage : float, 0 <= s < 1
        Of the Gram matrix towards the identity (elastic net). Held-out errors take the fit rescaled by q'b / b'Gb.
    penalty_weights : float array, shape (n_regulators,), optional
        0 leaves a regulator unpenalised, ``inf`` forbids it.
    ebic_gamma : float, 0 to 1
        0 is BIC; 0.5 suits many more regulators than samples.
    seed : int
        Folds depend on it and on the number of units alone.

    Returns
    -------
    PenaltyChoice

    Raises
    ------
    InputError
        If shapes or row ids disagree, a value is not finite, the target is constant, there are fewer units than folds,
        or, for an information criterion, the unpenalised regulators alone fill half of the samples.

    Warns
    -----
    UserWarning
        If the criterion still falls at the end of the path; `note` says why the path ended there.

    Notes
    -----
    Degrees of freedom are the number of selected regulators for the Lasso (Zou, Hastie and Tibshirani 2007), the trace
    of the smoother on them for the elastic net. eBIC: Chen and Chen (2008). A penalty chosen for prediction selects
    more regulators than have an effect: for a network use stability selection.
    """
    data = _checked(regulators, target, criterion, n_folds, block, shrinkage, penalty_weights, ebic_gamma, seed)
    x, y, units, weights = data
    rows = _folds(units, n_folds, seed) if criterion.startswith("cv") else []
    z, response = centred_scaled(x)[0], centred_scaled(y[:, None])[0]
    everything: Fit
    fits: list[Fit]
    held_out: list[Any]
    trained = [np.setdiff1d(np.arange(len(y)), fold) for fold in rows]
    if is_wide(*x.shape):
        everything = SampleFit(z, response[:, 0], shrinkage, weights, _varying(x, y, slice(None)))
        held_out = [(z[fold], response[fold, 0]) for fold in rows]
        fits = [SampleFit(z[of], response[of, 0], shrinkage, weights, _varying(x, y, of)) for of in trained]
    else:
        moments = from_matrix(z, response)
        everything = MomentFit(moments, shrinkage, weights, _varying(x, y, slice(None)))
        held_out = [from_matrix(z, response, fold) for fold in rows]
        fits = [
            MomentFit(_without(moments, fold, z, response, of), shrinkage, weights, _varying(x, y, of))
            for fold, of in zip(held_out, trained, strict=True)
        ]
    if rows:
        sizes = np.array([len(fold) for fold in rows], dtype=float)
        score = _cross_validation(fits, held_out, sizes, float(response.var()))
        largest, most = max(fit.largest for fit in [everything, *fits]), np.inf
    else:
        score = _information(everything, x.shape[1], ebic_gamma)
        largest, most = everything.largest, MOST_DF * len(y)
    return _search(everything, score, criterion, largest, most)


def _varying(x: np.ndarray, y: np.ndarray, rows: Any) -> tuple[np.ndarray, bool]:
    """Say which regulators vary in some samples, and whether the target does."""
    return ~is_constant(x[rows]), not bool(is_constant(y[rows]))


def _without(moments: Moments, fold: Moments, z: np.ndarray, response: np.ndarray, trained: np.ndarray) -> Moments:
    """Return the moments of all samples but a fold's, by subtraction where that keeps the digits."""
    left = moments - fold
    before = np.append(moments.gram.diagonal(), moments.target_var) * moments.n
    after = np.append(left.gram.diagonal(), left.target_var) * left.n
    return left if (after >= LEAST_SHARE * before).all() else from_matrix(z, response, trained)


def is_wide(n_samples: int, n_regulators: int) -> bool:
    """Say whether the fits are made from the samples."""
    return n_regulators > max(WIDE, 2 * n_samples)


def _search(everything: Fit, score: Score, criterion: str, largest: float, most: float) -> PenaltyChoice:
    """Lengthen the path until the criterion has risen again, or the path ends."""
    is_cv = criterion.startswith("cv")
    column = "cv_error" if is_cv else criterion
    if largest <= 0.0:
        raise InputError("choose_penalty: no regulator varies with the target: there is nothing to choose between")
    end = FIRST
    while True:
        n = round(-np.log10(end) * (PER_DECADE if is_cv else PER_DECADE_JAGGED)) + 1
        # A little above the largest penalty the model is empty in exact arithmetic and in floating point.
        penalties = np.geomspace(1.0, end, n) * largest * (1.0 + 1e-12)
        coef, gap = everything.path(penalties)
        df = everything.degrees_of_freedom(coef)
        is_full = df > most
        if is_full[0]:
            raise InputError(
                f"choose_penalty: penalty_weights: the unpenalised regulators alone have {df[0]:.3g} degrees of "
                f"freedom of {most / MOST_DF:g} samples, more than {MOST_DF:g} of them: {criterion} means nothing "
                "there: penalise some, or choose by cv"
            )
        if is_full.any():
            keep = int(is_full.argmax())
            penalties, coef, gap, df = penalties[:keep], coef[:keep], gap[:keep], df[:keep]
        table = score(penalties, coef)
        table.insert(0, "penalty", penalties)
        table.insert(1, "n_selected", (coef != 0).sum(axis=1))
        table.insert(2, "degrees_of_freedom", df)
        table.insert(3, "duality_gap", gap)
        best = int(table[column].to_numpy().argmin())
        is_bracketed = best < len(table) - 1
        if is_full.any() or end <= SMALLEST or (is_cv and _has_risen(table, best)):
            break
        end /= 10.0
    note = ""
    if not is_bracketed:
        why = (
            f"the fit then has {MOST_DF:g} of the samples as degrees of freedom"
            if is_full.any()
            else f"that is {SMALLEST:g} of the largest penalty: nearly least squares predicts best"
        )
        note = f"{column} still falls at penalty {table['penalty'].iloc[-1]:.3g}, where the path ends: {why}"
        warnings.warn(f"choose_penalty: {note}", UserWarning, stacklevel=3)
    if criterion == "cv_1se":
        bound = table["cv_error"].iloc[best] + table["cv_se"].iloc[best]
        best = int((table["cv_error"].to_numpy() <= bound).argmax())
    return PenaltyChoice(float(table["penalty"].iloc[best]), coef[best], criterion, table, is_bracketed, note)


def _has_risen(table: pd.DataFrame, best: int) -> bool:
    """Say whether the held-out error is a standard error above its minimum at the end, or a decade further on."""
    error, penalty = table["cv_error"].to_numpy(), table["penalty"].to_numpy()
    is_clear = best < len(table) - 1 and error[-1] > error[best] + table["cv_se"].iloc[best]
    return bool(is_clear or penalty[-1] <= 0.101 * penalty[best])


def _cross_validation(fits: list[Fit], held_out: list[Any], sizes: np.ndarray, whole: float) -> Score:
    def score(penalties: np.ndarray, _: np.ndarray) -> pd.DataFrame:
        errors = np.empty((len(fits), len(penalties)))
        for k, (fit, fold) in enumerate(zip(fits, held_out, strict=True)):
            errors[k] = fit.held_out_error(fit.rescaled(fit.path(penalties)[0]), fold) / whole
        mean = sizes @ errors / sizes.sum()
        spread = sizes @ (errors - mean) ** 2 / sizes.sum()
        return pd.DataFrame({"cv_error": mean, "cv_se": np.sqrt(spread / (len(fits) - 1))})

    return score


def _information(fit: Fit, n_regulators: int, gamma: float) -> Score:
    def score(_: np.ndarray, coef: np.ndarray) -> pd.DataFrame:
        # A perfect fit is no likelihood: its residual is rounding.
        deviance = fit.n * np.log(np.maximum(fit.residual_variance(fit.rescaled(coef)), 1e-14))
        df = fit.degrees_of_freedom(coef)
        bic = deviance + np.log(fit.n) * df
        extended = bic + 2.0 * gamma * np.log(n_regulators) * df
        return pd.DataFrame({"aic": deviance + 2.0 * df, "bic": bic, "ebic": extended})

    return score


def _folds(units: np.ndarray, n_folds: int, seed: int) -> list[np.ndarray]:
    """Return the samples of each fold: units in a seeded order, dealt out in turn."""
    rows = unit_rows(units)
    words = np.random.Philox(key=np.array([seed, n_folds], dtype=np.uint64)).random_raw(len(rows))
    order = np.argsort(words, kind="stable")
    return [np.sort(np.concatenate([rows[u] for u in order[k::n_folds]])) for k in range(n_folds)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _checked(regulators, target, criterion, n_folds, block, shrinkage, penalty_weights, ebic_gamma, seed):
    target = same_rows("choose_penalty", regulators, target, ("regulators", "target"))
    block = same_rows("choose_penalty", regulators, block, ("regulators", "block"))
    x, y = np.ascontiguousarray(regulators, dtype=np.float64), np.ascontiguousarray(target, dtype=np.float64)
    if x.ndim != 2 or y.shape != (len(x),):
        raise InputError(
            f"choose_penalty: regulators {x.shape} and target {y.shape} must be samples x regulators and one value a "
            "sample: choose for one target at a time"
        )
    for name, array in (("regulators", x), ("target", y)):
        if not np.isfinite(array).all():
            place = ", ".join(map(str, np.argwhere(~np.isfinite(array))[0]))
            raise InputError(f"choose_penalty: {name}: value at {place} is not finite: impute or drop it first")
    if criterion not in CRITERIA:
        raise InputError(f"choose_penalty: criterion: {criterion!r} is none of {', '.join(CRITERIA)}")
    if is_constant(y):
        raise InputError("choose_penalty: target: is constant: there is nothing to explain")
    if not _is_number(shrinkage) or not 0.0 <= shrinkage < 1.0:
        raise InputError(f"choose_penalty: shrinkage: {shrinkage!r} is not a number in 0 <= s < 1")
    if not _is_number(ebic_gamma) or not 0.0 <= ebic_gamma <= 1.0:
        raise InputError(f"choose_penalty: ebic_gamma: {ebic_gamma!r} is not a number between 0 and 1")
    for name, value in (("seed", seed), ("n_folds", n_folds)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise InputError(f"choose_penalty: {name}: {value!r} is no whole number from 0")
    units = np.arange(len(y)) if block is None else np.asarray(block)
    if units.shape != y.shape:
        raise InputError(f"choose_penalty: block: {units.shape} labels for {len(y)} samples: give one a sample")
    n_units = len(pd.unique(units))
    if criterion.startswith("cv") and not 2 <= n_folds <= n_units:
        raise InputError(
            f"choose_penalty: n_folds: {n_folds} folds of {n_units} independent units: give 2 to {n_units}"
        )
    weights = np.ones(x.shape[1]) if penalty_weights is None else np.asarray(penalty_weights, dtype=np.float64)
    if weights.shape != (x.shape[1],) or np.isnan(weights).any() or (weights < 0).any():
        raise InputError(
            "choose_penalty: penalty_weights: one number >= 0 a regulator (0 = unpenalised, inf = forbidden)"
        )
    return x, y, units, weights
