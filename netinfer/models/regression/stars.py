"""One penalty for the whole regression by StARS: the densest network that subsamples still agree on."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, ConvergenceWarning, InputError
from netinfer.kernels import thread_limit
from netinfer.models.regression.problem import RegressionProblem, prepare
from netinfer.models.regression.wide import is_wide
from netinfer.moments import Moments, from_matrix, inverse_sd, project_out
from netinfer.solvers.batch import count_selections
from netinfer.solvers.homotopy import make_workspace
from netinfer.solvers.path import GAP_TOLERANCE, MAX_SWEEPS
from netinfer.stability.stars import stars
from netinfer.stability.subsamples import check_seed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Neighbours a tenth apart; the grid goes on to `SMALLEST` where the networks of the subsamples still agree.
GRID, SMALLEST = np.geomspace(0.99, 0.1, 25), 0.005
CERTIFIED_GAP = 1e-8
NO_ERROR_CONTROL = "StARS chooses a penalty by how well subsamples agree: no number of false edges comes with it"


@dataclasses.dataclass(frozen=True, eq=False)
class NetworkPenalty:
    """A penalty that StARS chose for a whole network, and what the choice rests on.

    Attributes
    ----------
    penalty : float
        In standard deviations of the target, the same for every target.
    edges : DataFrame, one row a pair of the fit on all samples
        source, target, weight (|coefficient|, standardised), sign, selection_probability (share of the subsamples that
        select it at this penalty); in order of falling weight. Without error control.
    table : DataFrame, one row a penalty, decreasing
        penalty, instability (monotone; NaN where two subsamples were enough to tell), n_selected (mean edges of a
        subsample), n_fitted (subsamples fitted).
    threshold : float
    subsample_size, n_subsamples, n_units : int
        Units of a subsample, subsamples, units in all.
    is_bracketed : bool
        Whether a smaller penalty was seen whose networks disagree too much.
    note : str
        What the choice is not.
    """

    penalty: float
    edges: pd.DataFrame
    table: pd.DataFrame
    threshold: float
    subsample_size: int
    n_subsamples: int
    n_units: int
    is_bracketed: bool
    note: str = NO_ERROR_CONTROL

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the instability along the penalties, with the chosen one marked; return the Axes."""
        from netinfer.plot.stability import instability_path

        return instability_path(self, ax=ax)


def choose_network_penalty(
    adata: Any,
    regulators: Sequence[str] | str | Path | None = None,
    *,
    threshold: float = 0.05,
    n_subsamples: int = 20,
    shrinkage: float = 0.0,
    penalties: Sequence[float] | np.ndarray | None = None,
    covariates: Sequence[str] | None = None,
    block: str | None = None,
    penalty_weights: Any = None,
    seed: int = 0,
    threads: int | None = None,
) -> NetworkPenalty:
    """Choose one penalty for the regressions of all genes by StARS, and fit the network at it.

    Parameters
    ----------
    adata : AnnData, DataFrame or array, samples x genes
        Normalised expression (see `netinfer.normalize`).
    regulators : list of str, path, name of a shipped list, DataFrame, or "all", optional
        As for `netinfer.infer_regression`.
    threshold : float, 0 < beta < 0.5
        Largest mean chance that two subsamples disagree on a pair: 0.05 as published, 0.1 for a denser network. Where
        few of the possible pairs are edges, as in most networks of thousands of genes, it is met by dense networks.
    n_subsamples : int, >= 2
        Of 10 sqrt(n) of n independent units, 0.8 n up to 144.
    shrinkage : float, 0 <= s < 1
        Of the Gram matrix towards the identity (elastic net).
    penalties : sequence of float, decreasing, optional
        By default from 0.99 down to 0.1, a tenth apart, and further, to 0.005 at most, until the choice is bracketed.
    covariates : list of str, optional
    block : str, optional
    penalty_weights : optional
        As for `netinfer.infer_regression`. Pairs of weight 0 are no candidates of the choice.
    seed : int
    threads : int, optional
        All cores that the process may use by default. The result does not depend on it.

    Returns
    -------
    NetworkPenalty

    Raises
    ------
    InputError
        If the data cannot be used, an argument is impossible, or there are more than some 4,000 regulators, of which
        no Gram matrix is made.

    Warns
    -----
    UserWarning
        If the networks still agree at the smallest penalty.
    ConvergenceWarning
        If a fit's relative duality gap stayed above 1e-8.

    Notes
    -----
    Holds 2 bytes for each target, regulator and penalty. Liu, Roeder and Wasserman (2010); how the choice is made is
    told at `netinfer.stability.stars`. With strata a subsample
    takes the same share of each.
    """
    from netinfer.io import as_expression

    if not 0.0 <= shrinkage < 1.0:
        raise InputError(f"choose_network_penalty: shrinkage: {shrinkage!r} is not in 0 <= s < 1")
    seed = check_seed(seed)
    threads = len(os.sched_getaffinity(0)) if threads is None else threads
    if threads < 1:
        raise ConfigError(f"choose_network_penalty: threads: {threads} is less than 1")
    problem = prepare(as_expression(adata), regulators, block, covariates, penalty_weights)
    if is_wide(problem):
        raise InputError(
            f"choose_network_penalty: {len(problem.regulator_names)} regulators are too many: name fewer than 4,000"
        )
    work = _Work(problem, shrinkage, threads)
    free = problem.weights_of(slice(None)) == 0.0
    with thread_limit(1):
        choice = stars(
            lambda draws, grid: work.count(draws, grid, ~free),
            GRID if penalties is None else penalties,
            n_units=problem.n_units,
            n_pairs=problem.n_pairs,
            n_subsamples=n_subsamples,
            threshold=threshold,
            smallest=SMALLEST if penalties is None else None,
            strata=problem.strata,
            seed=seed,
        )
        coef = work.fit(choice.penalty)
    _warn(choice.penalty, choice.is_bracketed, work.gap)
    table = pd.DataFrame(
        {
            "penalty": choice.penalties,
            "instability": choice.instability,
            "n_selected": choice.n_selected,
            "n_fitted": choice.n_fitted,
        }
    )
    return NetworkPenalty(
        penalty=choice.penalty,
        edges=_edges(problem, coef, choice.counts.reshape(coef.shape) / n_subsamples, free),
        table=table,
        threshold=threshold,
        subsample_size=choice.subsample_size,
        n_subsamples=n_subsamples,
        n_units=problem.n_units,
        is_bracketed=choice.is_bracketed,
    )


class _Work:
    """Fits of all targets on some units; threads share out the targets."""

    def __init__(self, problem: RegressionProblem, shrinkage: float, threads: int) -> None:
        self.problem, self.shrinkage, self.threads = problem, shrinkage, threads
        self.columns = np.concatenate([problem.regulators, problem.covariates], axis=1)
        n = len(problem.target_names)
        self.slices = [slice(int(s[0]), int(s[-1]) + 1) for s in np.array_split(np.arange(n), threads) if s.size]
        self.weights = problem.weights_of(slice(None))
        self.gap = np.zeros(n)

    def count(self, draws: Sequence[np.ndarray], grid: np.ndarray, is_counted: np.ndarray) -> np.ndarray:
        """Return how many of the draws select each pair, (n_targets * n_regulators, n_penalties)."""
        n, p = len(self.problem.target_names), len(self.problem.regulator_names)
        counts = np.zeros((n, p, len(grid)), np.uint16)
        for units in draws:
            rows = np.concatenate([self.problem.unit_rows[u] for u in units])
            self._solve(from_matrix(self.columns, self.problem.targets, rows), grid, counts)
        counts *= is_counted[:, :, None]
        return counts.reshape(n * p, len(grid))

    def fit(self, penalty: float) -> np.ndarray:
        """Return the coefficients on all samples, (n_targets, n_regulators)."""
        everything = from_matrix(self.columns, self.problem.targets)
        counts = np.zeros((len(self.problem.target_names), len(self.problem.regulator_names), 0), np.uint16)
        return self._solve(everything, np.array([penalty]), counts)

    def _solve(self, moments: Moments, grid: np.ndarray, counts: np.ndarray) -> np.ndarray:
        adjusted = project_out(moments, self.problem.n_covariates)
        per_sd, per_target_sd = inverse_sd(adjusted.gram.diagonal()), inverse_sd(adjusted.target_var)
        gram = (1.0 - self.shrinkage) * adjusted.gram * per_sd[:, None] * per_sd[None, :]
        np.fill_diagonal(gram, 1.0)
        cross = np.ascontiguousarray((adjusted.cross * per_sd[:, None] * per_target_sd[None, :]).T)
        n, p = cross.shape
        coef = np.zeros((n, p))

        def one(s: slice) -> None:
            unused = np.zeros((s.stop - s.start, len(grid)), np.int64)
            weights = self.weights if len(self.weights) == 1 else self.weights[s]
            count_selections(
                gram, cross[s], self.problem.own[s], weights, 1.0 / (1.0 - self.shrinkage), grid, make_workspace(p),
                100 + 20 * p, GAP_TOLERANCE, MAX_SWEEPS, counts[s], unused, unused.copy(), self.gap[s],
                counts.shape[2], coef[s],
            )  # fmt: skip

        with ThreadPoolExecutor(max_workers=self.threads) as pool:
            list(pool.map(one, self.slices))
        return coef


def _edges(problem: RegressionProblem, coef: np.ndarray, share: np.ndarray, free: np.ndarray) -> pd.DataFrame:
    target, regulator = np.nonzero(coef)
    value = coef[target, regulator]
    is_free = np.broadcast_to(free, coef.shape)[target, regulator]
    frame = pd.DataFrame(
        {
            "source": np.array(problem.regulator_names, object)[regulator],
            "target": np.array(problem.target_names, object)[target],
            "weight": np.abs(value),
            "sign": np.where(value < 0, -1, 1),
            # An unpenalised regulator is in every model, which says nothing of it.
            "selection_probability": np.where(is_free, np.nan, share[target, regulator]),
        }
    )
    order = np.lexsort((frame["target"], frame["source"], -frame["weight"]))
    return frame.iloc[order].reset_index(drop=True)


def _warn(penalty: float, is_bracketed: bool, gap: np.ndarray) -> None:
    if not is_bracketed:
        warnings.warn(
            f"choose_network_penalty: the networks of the subsamples still agree at penalty {penalty:.3g}, where the "
            "grid ends: give smaller penalties, or a smaller threshold",
            UserWarning,
            stacklevel=3,
        )
    if gap.max(initial=0.0) > CERTIFIED_GAP:
        n_failed, worst = int((gap > CERTIFIED_GAP).sum()), gap.max()
        warnings.warn(
            f"choose_network_penalty: {n_failed} targets with a fit whose relative duality gap is above "
            f"{CERTIFIED_GAP:.0e}, the worst {worst:.1e}",
            ConvergenceWarning,
            stacklevel=3,
        )
