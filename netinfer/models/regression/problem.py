"""What a regression is fitted to: standardised regulators and targets, and the independent units of the samples."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.matching import symbols_of
from netinfer.models.regression.adjustment import checked_covariates, degrees_of_freedom, explained_by
from netinfer.models.regression.candidates import chosen_regulators
from netinfer.models.regression.units import column_labels, unit_labels
from netinfer.models.regression.weights import pair_weights
from netinfer.preprocess.design import SAMPLE, as_names, covariate_matrix
from netinfer.stability.subsamples import (
    check_units,
    complementary_pair,
    stratified_pair,
    unit_rows,
    unit_strata,
)

if TYPE_CHECKING:
    from anndata import AnnData

# A gene whose values differ by less than this share of their size carries rounding, not expression.
CONSTANT_RANGE = 1e-10


@dataclasses.dataclass(frozen=True)
class RegressionProblem:
    """Regulators, targets and units of one data set, as every chunk of targets sees them.

    Attributes
    ----------
    regulators : float array, shape (n_samples, n_regulators)
        Centred and divided by the standard deviation over all samples; 0 for a constant gene.
    targets : float array, shape (n_samples, n_targets)
        Likewise.
    regulator_names, target_names : tuple of str
    own : int array, shape (n_targets,)
        Place of each target among the regulators, -1 where it is none.
    varies : bool array, shape (n_targets,)
    unit_rows : tuple of int arrays
        Samples of each independent unit.
    unit_column : str
        What names the units: a column of ``obs`` or ``sample``.
    regulator_varies : bool array, shape (n_regulators,)
        A constant regulator is no candidate, also in the bounds.
    regulator_mean, target_mean : float arrays, shapes (n_regulators,), (n_targets,)
        Means before standardising, in the units of the data.
    covariates : float array, shape (n_samples, n_covariates)
        Centred; projected out of regulators and targets in each half-sample's moments.
    covariate_names : tuple of str
        Columns of the samples that they come from; hidden factors are named ``hidden_factor_1`` and so on.
    explained : bool array, shape (n_targets,)
        Targets of which the covariates leave nothing.
    symbols : tuple of str
        Label of each target, "" where it has none; empty where the data have no symbols beside their names.
    penalty_weights : float array, shape (1, n_regulators) or (n_targets, n_regulators), optional
        0 is unpenalised, ``inf`` forbidden; None where all are 1.
    strata : int array, shape (n_units,), optional
        Stratum of each unit; None where half-samples are drawn over all units alike.
    strata_column : str
        Column of ``obs`` that names the strata, "" where there are none.
    """

    regulators: np.ndarray
    targets: np.ndarray
    regulator_names: tuple[str, ...]
    target_names: tuple[str, ...]
    own: np.ndarray
    varies: np.ndarray
    unit_rows: tuple[np.ndarray, ...]
    unit_column: str
    regulator_varies: np.ndarray
    regulator_mean: np.ndarray
    target_mean: np.ndarray
    covariates: np.ndarray
    covariate_names: tuple[str, ...]
    explained: np.ndarray
    symbols: tuple[str, ...] = ()
    penalty_weights: np.ndarray | None = None
    strata: np.ndarray | None = None
    strata_column: str = ""

    @property
    def n_covariates(self) -> int:
        """Number of covariate columns."""
        return self.covariates.shape[1]

    @property
    def covariate_df(self) -> int:
        """Degrees of freedom that the covariates take from all units."""
        return degrees_of_freedom(self.covariates, self.unit_rows)

    @property
    def n_units(self) -> int:
        """Number of independent units, n of every rule."""
        return len(self.unit_rows)

    @property
    def n_half(self) -> int:
        """Number of units of a half-sample."""
        return _n_half(self.n_units, self.strata)

    def halves(self, pair: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw the units of a complementary pair of half-samples; both hold each stratum's units in equal number."""
        if self.strata is None:
            return complementary_pair(self.n_units, pair, seed=seed)
        return stratified_pair(self.strata, pair, seed=seed)

    @property
    def n_candidates(self) -> np.ndarray:
        """Candidate regulators of each target: those that vary, itself left out, shape (n_targets,).

        Neither those that penalty weights forbid nor those that they leave unpenalised: selecting these says nothing.
        """
        if self.penalty_weights is None:
            is_own = (self.own >= 0) & self.regulator_varies[self.own]
            return self.regulator_varies.sum() - is_own.astype(float)
        may = self.regulator_varies & np.isfinite(self.penalty_weights) & (self.penalty_weights > 0)
        may = np.broadcast_to(may, (len(self.own), may.shape[1]))
        inside = np.flatnonzero(self.own >= 0)
        out = may.sum(axis=1).astype(float)
        out[inside] -= may[inside, self.own[inside]]
        return out

    @property
    def n_pairs(self) -> int:
        """Candidate edges of all targets that vary."""
        return int(self.n_candidates[self.varies].sum())

    def weights_of(self, where: slice) -> np.ndarray:
        """Penalty weights of some targets, shape (1, n_regulators) where all have the same, else one row a target."""
        if self.penalty_weights is None:
            return np.ones((1, len(self.regulator_names)))
        return self.penalty_weights if len(self.penalty_weights) == 1 else self.penalty_weights[where]

    def is_free(self, target: np.ndarray, regulator: np.ndarray) -> np.ndarray:
        """Say which pairs are unpenalised, bool, shape (n_pairs,)."""
        if self.penalty_weights is None:
            return np.zeros(len(target), bool)
        return self.penalty_weights[target if len(self.penalty_weights) > 1 else 0, regulator] == 0.0

    def fingerprint(self) -> str:
        """Return a hash of all that the numbers depend on: data, names and design."""
        unit = np.empty(len(self.regulators), np.int64)
        for code, rows in enumerate(self.unit_rows):
            unit[rows] = code
        arrays = {
            "regulators": self.regulators,
            "targets": self.targets,
            "covariates": self.covariates,
            "own": self.own,
            "unit": unit,
            "penalty_weights": self.penalty_weights,
            "strata": self.strata,
        }
        digest = hashlib.sha256()
        for name, array in arrays.items():
            # With its shape, so that no two designs give the same bytes.
            digest.update(f"{name} {None if array is None else (array.shape, array.dtype.str)}\n".encode())
            if array is not None:
                digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(json.dumps([self.regulator_names, self.target_names]).encode())
        return digest.hexdigest()


def prepare(
    adata: AnnData,
    regulators: Sequence[str] | str | Path | None = None,
    block: str | None = None,
    covariates: Sequence[str] | None = None,
    penalty_weights: Any = None,
    strata: str | None = None,
) -> RegressionProblem:
    """Set up the regression of every gene on the regulators.

    Parameters
    ----------
    adata : AnnData, samples x genes
        Normalised expression.
    regulators : list of str, path, name of a shipped list, DataFrame, or "all", optional
        Names, matched as docs/identifiers.md says; ``var["is_regulator"]`` by default.
    block : str, optional
        Column of ``obs`` that names the independent unit of each sample; else ``block``, ``donor`` or
        ``replicate_group`` where there is one, else every sample is a unit. ``sample`` makes every sample one.
    covariates : sequence of str, optional
        Columns of ``obs`` to project out; by default those that `netinfer.prepare_samples` wrote down (for cells the
        type, the log depth, and the donor where it is not the unit; none for bulk samples).
        ``obsm["hidden_factors"]``, where there is one, is projected out as well.
    penalty_weights : mapping, Series or DataFrame, optional
        See `netinfer.infer_regression`.
    strata : str, optional
        Column of ``obs``, the same within each unit, whose classes both half-samples hold in the same proportion; by
        default the one that `netinfer.prepare_samples` wrote down.

    Returns
    -------
    RegressionProblem

    Raises
    ------
    InputError
        If there are no regulators, fewer than 8 samples or 4 units of a column, an unknown or incomplete column, a
        stratum with one unit, a unit in two strata, values that are not finite, or covariates that cannot be told
        apart or leave too little.

    Warns
    -----
    UserWarning
        With 4 to 7 units.
    """
    matrix = adata.X
    matrix = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
    names = [str(name) for name in adata.var_names]
    chosen = chosen_regulators(adata, names, regulators)
    column, labels = unit_labels(adata, block)
    strata = strata or str(_design(adata).get("strata", ""))
    adjust, adjusted_for = _covariates(adata, covariates)
    problem = problem_from_arrays(
        matrix[:, chosen],
        matrix,
        regulator_names=[names[j] for j in chosen],
        target_names=names,
        units=labels,
        unit_column=column,
        covariates=adjust,
        covariate_names=adjusted_for,
        penalty_weights=penalty_weights,
        strata=column_labels(adata, strata, "strata", "name the stratum of every sample") if strata else None,
        strata_column=strata,
    )
    return dataclasses.replace(problem, symbols=tuple(symbols_of(adata.var) or ()))


def problem_from_arrays(
    regulators: np.ndarray,
    targets: np.ndarray,
    *,
    regulator_names: Sequence[str] | None = None,
    target_names: Sequence[str] | None = None,
    units: np.ndarray | None = None,
    unit_column: str = "sample",
    covariates: np.ndarray | None = None,
    covariate_names: Sequence[str] = (),
    penalty_weights: Any = None,
    strata: np.ndarray | None = None,
    strata_column: str = "strata",
) -> RegressionProblem:
    """Set up a regression from plain arrays, samples x genes; see `prepare`.

    `covariates`, shape (n_samples, n_covariates), are projected out of both;
    `units` and `strata`, shape (n_samples,), are labels.

    A target that has a regulator's name is never its own regulator. Without names, the first targets are taken to be
    the regulators.
    """
    x, y = np.asarray(regulators, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    target_names = tuple(target_names) if target_names is not None else tuple(f"g{j + 1}" for j in range(y.shape[1]))
    regulator_names = tuple(regulator_names) if regulator_names is not None else target_names[: x.shape[1]]
    for what, array, names in (("regulators", x, regulator_names), ("targets", y, target_names)):
        if array.ndim != 2 or array.shape[1] != len(names):
            raise InputError(f"{what}: shape {array.shape} does not fit {len(names)} names: give samples x genes")
        bad = ~np.isfinite(array)
        if bad.any():
            row, gene = np.argwhere(bad)[0]
            raise InputError(
                f"{what}: {bad.sum()} values are NaN or infinite, the first in sample {row + 1} of gene {names[gene]}: "
                "impute or drop them first"
            )
        if len(set(names)) < len(names):
            raise InputError(f"{what}: a name stands twice: merge or rename duplicate genes first")
    labels = np.arange(len(x)) if units is None else _complete(units, len(x), "units")
    rows = tuple(unit_rows(labels))
    if unit_column == SAMPLE:
        check_units(len(rows), where="samples")
    else:
        check_units(len(rows), where=f"column {unit_column!r}", n_samples=len(x))
    codes = None
    if strata is not None:
        codes = unit_strata(_complete(strata, len(x), "strata"), rows, column=strata_column, unit_column=unit_column)
    place = {name: j for j, name in enumerate(regulator_names)}
    standard_x, x_mean, x_varies = _standardised(x)
    standard_y, y_mean, varies = _standardised(y)
    if not x_varies.any():
        raise InputError("regulators: every one is constant over the samples: nothing to regress on")
    adjust = checked_covariates(covariates, len(x), rows, covariate_names, _n_half(len(rows), codes))
    explained = varies & explained_by(adjust, standard_y)
    x_varies = x_varies & ~explained_by(adjust, standard_x)
    standard_x[:, ~x_varies] = 0.0
    standard_y[:, explained] = 0.0
    if not x_varies.any():
        raise InputError(f"covariates: {', '.join(covariate_names)} explain every regulator fully: leave some out")
    return RegressionProblem(
        regulators=standard_x,
        targets=standard_y,
        regulator_names=regulator_names,
        target_names=target_names,
        own=np.array([place.get(name, -1) for name in target_names], dtype=np.int64),
        varies=varies & ~explained,
        unit_rows=rows,
        unit_column=unit_column,
        regulator_varies=x_varies,
        regulator_mean=x_mean,
        target_mean=y_mean,
        covariates=adjust,
        covariate_names=tuple(covariate_names),
        explained=explained,
        penalty_weights=pair_weights(penalty_weights, regulator_names, target_names),
        strata=codes,
        strata_column="" if codes is None else strata_column,
    )


def _complete(labels: Any, n_samples: int, what: str) -> np.ndarray:
    """Return labels of the samples, one each and none missing."""
    labels = np.asarray(labels)
    if labels.shape != (n_samples,):
        raise InputError(f"{what}: {labels.shape} labels for {n_samples} samples: give one a sample")
    if (missing := pd.isna(labels)).any():
        raise InputError(f"{what}: {missing.sum()} labels are missing, the first of sample {missing.argmax() + 1}")
    return labels


def _n_half(n_units: int, strata: np.ndarray | None) -> int:
    return n_units // 2 if strata is None else int((np.bincount(strata) // 2).sum())


def _standardised(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centre and scale each gene; through its largest value first, so that neither 1e200 nor 1e-300 overflows."""
    matrix = np.ascontiguousarray(matrix)
    size = np.abs(matrix).max(axis=0)
    scaled = matrix / np.where(size > 0, size, 1.0)
    mean = scaled.mean(axis=0)
    scaled -= mean
    scaled -= scaled.mean(axis=0)
    spread = np.abs(scaled).max(axis=0)
    varies = spread > CONSTANT_RANGE
    scaled /= np.where(varies, spread, 1.0)
    scaled /= np.where(varies, np.sqrt((scaled**2).mean(axis=0)), 1.0)
    scaled[:, ~varies] = 0.0
    return scaled, mean * size, varies


def _design(adata: AnnData) -> Mapping[str, Any]:
    return adata.uns.get("netinfer", {}).get("design", {})


def _covariates(adata: AnnData, names: Sequence[str] | None) -> tuple[np.ndarray, list[str]]:
    """Return the columns to project out: those asked for, or the design's, and the hidden factors of the data."""
    names = list(_design(adata).get("covariates", ())) if names is None else as_names(names)
    design = covariate_matrix(adata.obs, names)
    factors = np.asarray(adata.obsm["hidden_factors"]) if "hidden_factors" in adata.obsm else np.empty((adata.n_obs, 0))
    labels = [*design.names, *(f"hidden_factor_{i + 1}" for i in range(factors.shape[1]))]
    return np.concatenate([design.matrix, factors], axis=1), labels
