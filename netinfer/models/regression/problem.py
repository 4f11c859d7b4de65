"""What a regression is fitted to: standardised regulators and targets, and the independent units of the samples."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.errors import InputError
from netinfer.stability.subsamples import check_units, unit_rows

if TYPE_CHECKING:
    from anndata import AnnData

# A gene whose values differ by less than this share of their size carries rounding, not expression.
CONSTANT_RANGE = 1e-10
# Columns of `obs` that name the independent unit, in this order, where the caller names none.
UNIT_COLUMNS = ("block", "donor", "replicate_group")


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

    @property
    def n_units(self) -> int:
        """Number of independent units, n of every rule."""
        return len(self.unit_rows)

    @property
    def n_candidates(self) -> np.ndarray:
        """Candidate regulators of each target: those that vary, itself left out, shape (n_targets,)."""
        is_own = (self.own >= 0) & self.regulator_varies[self.own]
        return self.regulator_varies.sum() - is_own.astype(float)

    def fingerprint(self) -> str:
        """Return a hash of all that the numbers depend on: data, names and units."""
        digest = hashlib.sha256()
        for array in (self.regulators, self.targets, self.own, *self.unit_rows):
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update("\n".join((*self.regulator_names, "", *self.target_names)).encode())
        return digest.hexdigest()


def prepare(
    adata: AnnData, regulators: Sequence[str] | str | Path | None = None, block: str | None = None
) -> RegressionProblem:
    """Set up the regression of every gene on the regulators.

    Parameters
    ----------
    adata : AnnData, samples x genes
        Normalised expression.
    regulators : list of str, path, or "all", optional
        Names; ``var["is_regulator"]`` by default.
    block : str, optional
        Column of ``obs`` that names the independent unit of each sample; else ``block``, ``donor`` or
        ``replicate_group`` where there is one, else every sample is a unit.

    Returns
    -------
    RegressionProblem

    Raises
    ------
    InputError
        If there are no regulators, fewer than 8 units, an unknown or incomplete block column, or values that are
        not finite.
    """
    matrix = adata.X
    matrix = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
    names = [str(name) for name in adata.var_names]
    chosen = _chosen(adata, names, regulators)
    column, labels = _units(adata.obs, block)
    return problem_from_arrays(
        matrix[:, chosen],
        matrix,
        regulator_names=[names[j] for j in chosen],
        target_names=names,
        units=labels,
        unit_column=column,
    )


def problem_from_arrays(
    regulators: np.ndarray,
    targets: np.ndarray,
    *,
    regulator_names: Sequence[str] | None = None,
    target_names: Sequence[str] | None = None,
    units: np.ndarray | None = None,
    unit_column: str = "sample",
) -> RegressionProblem:
    """Set up a regression from plain arrays, samples x genes; see `prepare`.

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
    labels = np.arange(len(x)) if units is None else np.asarray(units)
    rows = tuple(unit_rows(labels))
    check_units(len(rows), where="samples" if unit_column == "sample" else f"column {unit_column!r}")
    place = {name: j for j, name in enumerate(regulator_names)}
    standard_x, x_mean, x_varies = _standardised(x)
    standard_y, y_mean, varies = _standardised(y)
    if not x_varies.any():
        raise InputError("regulators: every one is constant over the samples: nothing to regress on")
    return RegressionProblem(
        regulators=standard_x,
        targets=standard_y,
        regulator_names=regulator_names,
        target_names=target_names,
        own=np.array([place.get(name, -1) for name in target_names], dtype=np.int64),
        varies=varies,
        unit_rows=rows,
        unit_column=unit_column,
        regulator_varies=x_varies,
        regulator_mean=x_mean,
        target_mean=y_mean,
    )


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


def _chosen(adata: AnnData, names: list[str], regulators: Any) -> np.ndarray:
    if regulators is None:
        if "is_regulator" not in adata.var:
            raise InputError(
                "regulators: none given and var['is_regulator'] is missing: pass regulators=[...], a path, or 'all'"
            )
        chosen = np.flatnonzero(adata.var["is_regulator"].to_numpy(dtype=bool))
    elif isinstance(regulators, str) and regulators == "all":
        chosen = np.arange(len(names))
    else:
        if isinstance(regulators, str | Path):
            from netinfer.io import read_regulators

            regulators = read_regulators(regulators)
        chosen = _matched(names, [str(name).strip() for name in regulators])
    if chosen.size == 0:
        raise InputError("regulators: none of them is left in the data: see the list of dropped genes")
    return chosen


def _matched(names: list[str], regulators: list[str]) -> np.ndarray:
    """Places of the listed regulators among the genes; those that are no gene are warned of, never silent."""
    place = {name: j for j, name in enumerate(names)}
    missing = list(dict.fromkeys(name for name in regulators if name not in place))
    if missing:
        lower = {name.lower(): name for name in names}
        near = [
            lower.get(name.lower()) or next(iter(difflib.get_close_matches(name, names, 1)), "nothing like it")
            for name in missing[:5]
        ]
        shown = ", ".join(f"{name!r} (nearest: {other})" for name, other in zip(missing, near, strict=False))
        text = f"regulators: {len(missing)} of {len(set(regulators))} are no gene of the data: {shown}"
        if len(missing) == len(set(regulators)):
            raise InputError(f"{text}: are the genes the columns (samples x genes), under the same names?")
        warnings.warn(text, UserWarning, stacklevel=4)
    return np.array(sorted({place[name] for name in regulators if name in place}), dtype=np.int64)


def _units(obs, block: str | None) -> tuple[str, np.ndarray | None]:
    column = block
    if column is None:
        column = next((name for name in UNIT_COLUMNS if name in obs.columns), None)
        if column is None:
            return "sample", None
    elif column not in obs.columns:
        known = ", ".join(map(str, obs.columns)) or "(none)"
        raise InputError(f"block: column {column!r} is not in the sample table (adata.obs): choose one of {known}")
    labels = obs[column]
    missing = labels.isna()
    if missing.any():
        raise InputError(
            f"block: column {column!r} is empty for {int(missing.sum())} samples, the first {obs.index[missing][0]!r}: "
            "name the independent unit of every sample"
        )
    return column, labels.astype(str).to_numpy()
