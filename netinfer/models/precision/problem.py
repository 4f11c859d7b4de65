"""Which genes a graphical model is fitted to, and their samples: regulators first, then the most variable ones."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.models.regression.candidates import chosen_regulators
from netinfer.models.regression.problem import CONSTANT_RANGE, RegressionProblem, prepare
from netinfer.models.regression.units import unit_labels
from netinfer.preprocess.design import SAMPLE

if TYPE_CHECKING:
    from anndata import AnnData

# A correlation of fewer independent samples says so little that no graph is drawn from them.
MINIMUM_UNITS = 20
# Genes whose variances differ by less than this factor were scaled to the same one: then it says nothing of them.
SAME_VARIANCE = 1.01
# Genes looked at at a time.
BLOCK = 256


class TooFewUnitsError(InputError):
    """Fewer independent units than a graph of conditional ties needs."""


@dataclasses.dataclass(frozen=True)
class PrecisionProblem:
    """The genes of a graphical model, and those that were left out.

    Attributes
    ----------
    genes : RegressionProblem
        Every gene included is a regulator and a target of it; none is constant or explained by the covariates.
    is_regulator : bool array, shape (n_included,)
    left_out : DataFrame
        gene, status, reason of every other gene that came in.
    n_genes : int
        Genes that came in.
    choice : str
        How the genes were chosen, in one sentence.
    """

    genes: RegressionProblem
    is_regulator: np.ndarray
    left_out: pd.DataFrame
    n_genes: int
    choice: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the genes included."""
        return self.genes.target_names

    @property
    def n_pairs(self) -> int:
        """Pairs of genes, the candidates of the graph."""
        return len(self.names) * (len(self.names) - 1) // 2


def prepare_genes(
    adata: AnnData,
    regulators: Sequence[str] | str | Path | None = None,
    *,
    max_genes: int | None = 2000,
    covariates: Sequence[str] | None = None,
    block: str | None = None,
    strata: str | None = None,
) -> PrecisionProblem:
    """Choose the genes of a graphical model and set up their samples.

    Parameters
    ----------
    adata : AnnData, samples x genes
        Normalised expression.
    regulators : list of str, path, name of a shipped list, DataFrame, or "all", optional
        Included before all other genes; ``var["is_regulator"]`` by default, none where there is no such column.
    max_genes : int, >= 2, optional
        Genes included at most: regulators, then the genes of the largest variance. None includes all.
    covariates, block, strata
        As for `netinfer.models.regression.prepare`.

    Returns
    -------
    PrecisionProblem

    Raises
    ------
    ConfigError
        If `max_genes` is impossible.
    InputError
        If a value is not finite, fewer than two genes vary, there are fewer than 20 independent units, or a column is
        unknown or incomplete.
    """
    if max_genes is not None and (isinstance(max_genes, bool) or not isinstance(max_genes, int) or max_genes < 2):
        raise ConfigError(f"infer_precision: max_genes: {max_genes!r} is no whole number of at least 2")
    _check_units(adata, block)
    names = np.array([str(name) for name in adata.var_names], object)
    variance = gene_variances(adata, names)
    is_regulator = np.zeros(len(names), bool)
    if regulators is not None or "is_regulator" in adata.var:
        is_regulator[chosen_regulators(adata, names.tolist(), regulators)] = True
    reasons = {int(j): ("constant", "the same value in every sample") for j in np.flatnonzero(variance == 0)}
    # By name among equals, so that the order of the columns decides nothing.
    by_name = np.empty(len(names), np.int64)
    by_name[np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)] = np.arange(len(names))
    others = variance[(variance > 0) & ~is_regulator]
    is_flat = len(others) > 1 and others.max() < SAME_VARIANCE * others.min()
    order = np.lexsort((by_name, np.zeros(len(names)) if is_flat else -variance, ~is_regulator))
    order = order[variance[order] > 0]
    kept = np.sort(order[:max_genes])
    n_varying = len(order)
    is_flat = is_flat and len(kept) < n_varying
    if is_flat:
        warnings.warn(
            f"infer_precision: all genes have the same variance, as after a rank normalization, so that the "
            f"{len(kept)} genes included (`max_genes`) are the first of {n_varying} by name: give fewer genes, or a "
            "larger number",
            UserWarning,
            stacklevel=3,
        )
    for j in order[len(kept) :]:
        why = "all have the same variance, and others come first by name" if is_flat else "less variable"
        reasons[int(j)] = ("filtered", f"not among the {len(kept)} genes included: {why}")
    genes, kept = _without_explained(adata, kept, reasons, covariates, block, strata)
    n_regulators = int(is_regulator[kept].sum())
    left_out = pd.DataFrame(
        [(names[j], *reasons[j]) for j in sorted(reasons)], columns=["gene", "status", "reason"], dtype=object
    )
    return PrecisionProblem(
        genes=genes,
        is_regulator=is_regulator[kept],
        left_out=left_out,
        n_genes=len(names),
        choice=_in_words(len(kept), len(names), n_varying, n_regulators, int(is_regulator.sum()), is_flat),
    )


def gene_variances(adata: AnnData, names: np.ndarray) -> np.ndarray:
    """Return each gene's variance, 0 where it is constant, or refuse values that are not finite; (n_genes,)."""
    matrix = adata.X.tocsc() if hasattr(adata.X, "tocsc") else np.asarray(adata.X)
    variance = np.zeros(len(names))
    for first in range(0, len(names), BLOCK):
        block = matrix[:, first : first + BLOCK]
        rows = np.ascontiguousarray((block.toarray() if hasattr(block, "toarray") else block).T, dtype=np.float64)
        bad = ~np.isfinite(rows)
        if bad.any():
            gene, sample = np.argwhere(bad)[0]
            raise InputError(
                f"infer_precision: {rows[gene, sample]} in sample {str(adata.obs_names[sample])!r} of gene "
                f"{names[first + gene]!r}: impute or drop such values first"
            )
        size = np.abs(rows).max(axis=1, initial=0.0)
        varies = np.ptp(rows, axis=1) > CONSTANT_RANGE * size
        variance[first : first + BLOCK] = np.where(varies, rows.var(axis=1), 0.0)
    return variance


def independent_units(adata: AnnData, block: str | None) -> tuple[str, int]:
    """Return what names the independent units, and how many there are."""
    column, labels = unit_labels(adata, block)
    return column, adata.n_obs if labels is None else len(np.unique(labels))


def _check_units(adata: AnnData, block: str | None) -> None:
    column, n_units = independent_units(adata, block)
    if n_units < MINIMUM_UNITS:
        what = "" if column == SAMPLE else f" of column {column!r}"
        raise TooFewUnitsError(
            f"infer_precision: {n_units} independent units{what}, at least {MINIMUM_UNITS} are needed for a graph of "
            "conditional ties: add samples, or use infer_regression"
        )


def _without_explained(
    adata: AnnData, kept: np.ndarray, reasons: dict[int, tuple[str, str]], covariates, block, strata
) -> tuple[RegressionProblem, np.ndarray]:
    """Set up the samples; genes of which the covariates leave nothing are left out, with a reason."""
    while True:
        if len(kept) < 2:
            raise InputError(
                f"infer_precision: {len(kept)} of {adata.n_vars} genes vary: at least 2 are needed for a graph"
            )
        genes = prepare(adata[:, kept], "all", block, covariates, None, strata)
        stays = genes.varies & genes.regulator_varies
        if stays.all():
            return genes, kept
        for j in kept[~stays]:
            reasons[int(j)] = ("constant", "nothing is left once the covariates are projected out")
        kept = kept[stays]


def _in_words(n_kept: int, n_genes: int, n_varying: int, n_regulators: int, n_listed: int, is_flat: bool) -> str:
    text = f"conditional on the genes included: {n_kept:,} of {n_genes:,}"
    if n_kept >= n_varying:
        return f"{text}, all that vary"
    if n_listed > n_regulators and n_regulators == n_kept:
        return f"{text}, the most variable of {n_listed:,} regulators"
    which = "first others by name, since all have the same variance" if is_flat else "most variable others"
    if n_regulators:
        return f"{text}, {n_regulators:,} regulators and the {which}"
    return f"{text}, the {which}".replace(" others", "")
