"""Samples and genes as they are to samples and genes that a network can be inferred from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from netinfer.errors import ConfigError, InputError
from netinfer.io.build import make_adata, text_array
from netinfer.io.ids import some
from netinfer.io.memory import as_expression
from netinfer.io.source import require_memory
from netinfer.preprocess import cells as cell_rules
from netinfer.preprocess.aggregation import aggregate
from netinfer.preprocess.assay import better_layer, log_base, tell_assay, told_before, with_layer
from netinfer.preprocess.cleaning import constant_genes, refuse_infinite, refuse_missing, zero_samples
from netinfer.preprocess.design import covariate_matrix
from netinfer.preprocess.filtering import GeneFilter, gene_filter
from netinfer.preprocess.kind import recognise
from netinfer.preprocess.labels import DEPTH_NAMES, find
from netinfer.preprocess.outliers import flag_outliers, sentences
from netinfer.preprocess.records import gene_frame, joined, sample_frame
from netinfer.preprocess.statistics import count_where, sample_totals
from netinfer.preprocess.work import Work

if TYPE_CHECKING:
    from anndata import AnnData

    from netinfer.config import CellsConfig, FilterConfig

logger = logging.getLogger(__name__)

# Log depths closer than this are one depth (values scaled to the same total, say).
MIN_DEPTH_SD = 1e-3
ASSAYS = ("auto", "bulk", "cells")


def prepare_samples(
    adata: Any,
    *,
    assay: str = "auto",
    filter: FilterConfig | Mapping[str, Any] | None = None,
    cells: CellsConfig | Mapping[str, Any] | None = None,
    block: str | None = None,
    seed: int = 0,
) -> AnnData:
    """Make samples and genes of raw expression: genes filtered, cells turned to samples, outliers flagged.

    In this order: bulk samples and single cells are told apart; cells without type or donor and types with too few
    cells are left out; genes with too little expression are left out; cells become metacells, sums over donors, or
    stay, each an independent unit or not; samples unlike the others are flagged, and kept.

    Parameters
    ----------
    adata : AnnData, DataFrame or array, n_samples x n_genes
        Counts, logs or z-scores, before :func:`netinfer.normalize`; not changed. Where X holds z-scores of single
        cells, ``layers["counts"]`` or ``.raw`` is taken, if it is there.
    assay : {"auto", "bulk", "cells"}
        See :func:`netinfer.preprocess.assay.tell_assay`.
    filter : FilterConfig or mapping, optional
        Such as ``{"min_cpm": 2}``. See :func:`netinfer.preprocess.filtering.gene_filter`.
    cells : CellsConfig or mapping, optional
        Such as ``{"type_column": "annotation"}``. See :func:`netinfer.preprocess.cells.plan_cells`.
    block : str, optional
        Column of ``obs`` with the independent units, or "sample".
    seed : int
        Of the draw of metacells.

    Returns
    -------
    AnnData
        A new object; sparse values stay sparse. ``obs``: ``library_size`` (counts), ``log_depth``, and of cells
        ``cell_type``, ``donor``, ``n_cells``. ``uns["netinfer"]``: ``design``, ``filter``, ``outliers``, further
        rows of ``dropped_genes`` and ``dropped_samples``, and one sentence in ``log`` for each thing seen or done.

    Raises
    ------
    ConfigError
        An unknown assay, or a key or value of `filter` or `cells` that is none.
    InputError
        Missing or infinite values; a column that is not there; fewer than 8 units or samples; no regulator or fewer
        than two genes left, with the threshold that did it.
    """
    from netinfer.config import CellsConfig, FilterConfig, as_section

    genes_by, cells_by = as_section(FilterConfig, filter or {}, "filter"), as_section(CellsConfig, cells or {}, "cells")
    if assay not in ASSAYS:
        raise ConfigError(f"assay: {assay!r}: use one of {', '.join(ASSAYS)}")
    expression, layer_log = _expression(adata)
    notes = dict(expression.uns["netinfer"])
    if "design" in notes:
        expression.uns["netinfer"]["log"] = text_array(
            [*map(str, notes["log"]), "samples and genes were prepared before and are left as they are"]
        )
        return expression
    if str(notes.get("normalization", "none")) != "none":
        raise InputError(
            f"{_where(notes)}: already normalized ({notes['normalization']}): prepare the samples first, then normalize"
        )
    work = _start(expression, notes, layer_log, block, seed)
    _tell(work, expression, assay)
    if work.assay == "cells":
        _choose_cells(work, cells_by)
    elif block and block != cell_rules.SAMPLE:
        cell_rules.refuse_few_units(cell_rules.require_units(work.obs, block, work.where), block, work.where)
    _filter_genes(work, genes_by)
    if work.plan is not None and work.plan.aggregation != "none":
        aggregate(work, cells_by)
    _drop_silent(work)
    return _finish(work, notes, _outliers(work))


def _expression(adata: Any) -> tuple[AnnData, list[str]]:
    """Return the expression to work on, from the matrix of an object that suits best."""
    from anndata import AnnData

    layer = better_layer(adata) if isinstance(adata, AnnData) else None
    has_it = layer is not None and (layer in adata.layers or (layer == "raw" and adata.raw is not None))
    if layer is None:
        return as_expression(adata), []
    if not has_it:  # a file has it, of which another matrix was read
        return as_expression(adata), [
            f"X holds z-scores; `layer: {layer}` would give the values before scaling, which sums over cells need"
        ]
    result = as_expression(with_layer(adata, layer))
    result.uns["netinfer"] = {**adata.uns.get("netinfer", {}), **result.uns["netinfer"]}
    what = "the values of .raw" if layer == "raw" else "layers['counts']"
    return result, [f"X holds z-scores of single cells, so {what} are used: {result.n_obs} x {result.n_vars}"]


def _where(notes: dict[str, Any]) -> str:
    return str(notes.get("source", "")) or "data"


def _start(expression: AnnData, notes: dict[str, Any], log: list[str], block: str | None, seed: int) -> Work:
    where, values = _where(notes), expression.X
    samples, genes = [str(n) for n in expression.obs_names], [str(n) for n in expression.var_names]
    refuse_infinite(values, samples, genes, where)
    refuse_missing(values, samples, genes, where)
    if sparse.issparse(values):
        values = values.copy()
        values.eliminate_zeros()
    kind = recognise(values).kind
    base = log_base(expression.uns)
    work = Work(where, values, expression.obs.copy(), expression.var.copy(), kind, base, seed, block, log)
    empty = zero_samples(values)
    if empty.all():
        raise InputError(f"{where}: every value is zero: the wrong layer or file?")
    if empty.any():
        gone = [name for name, out in zip(samples, empty, strict=True) if out]
        work.samples_out += [(name, "every value is zero") for name in gone]
        work.log.append(f"{len(gone)} samples were dropped: every value is zero: {some(gone)}")
        work.keep_samples(~empty)
    return work


def _tell(work: Work, expression: AnnData, assay: str) -> None:
    from anndata import AnnData

    if assay == "auto":
        told = told_before(expression.uns) or tell_assay(AnnData(X=work.matrix, obs=work.obs), work.kind)
        work.assay, reason = told
        work.log.append(reason)
    else:
        work.assay = assay
        work.log.append(f"the samples are {'bulk samples' if assay == 'bulk' else 'single cells'}, as asked")
    if work.kind == "counts":
        work.totals = work.depth = sample_totals(work.matrix)
    else:
        column = find(work.obs, DEPTH_NAMES)
        if column is not None and pd.api.types.is_numeric_dtype(work.obs[column].dtype):
            depth = work.obs[column].to_numpy(dtype=np.float64, na_value=np.nan)
            if np.isfinite(depth).all() and (depth > 0).all():
                work.depth = depth
                work.log.append(f"the depth of each sample is taken from column {column!r}")


def _choose_cells(work: Work, settings: CellsConfig) -> None:
    work.labels = cell_rules.label_cells(work.obs, settings, work.block, work.where)
    work.log += work.labels.log
    reasons, log = cell_rules.left_out(work.labels, settings, work.where)
    work.log += log
    samples = work.samples
    work.samples_out += [(samples[row], reasons[row]) for row in sorted(reasons)]
    if reasons:
        keep = np.ones(len(samples), dtype=bool)
        keep[list(reasons)] = False
        work.keep_samples(keep)
    work.n_cells = len(work.obs)
    work.plan = cell_rules.plan_cells(work.labels, work.n_cells, settings, work.where)
    work.log += work.plan.log


def _filter_genes(work: Work, settings: FilterConfig) -> None:
    found = work.filter = gene_filter(work.matrix, work.kind, work.assay, settings, totals=work.totals)
    if not len(found.statistic):
        work.log.append(found.rule)
        return
    out, flags = found.dropped, work.is_regulator
    _refuse_empty(work, found)
    work.log.append(f"{found.rule}: {int(out.sum())} of {len(out)} genes")
    names = [str(name) for name in work.var.index[out & flags]] if flags is not None else []
    if names:
        n_all = int(flags.sum()) if flags is not None else 0
        work.log.append(f"{len(names)} of {n_all} regulators are among the genes left out: {', '.join(names)}")
        logger.warning("%s: %d regulators are left out for low expression: %s", work.where, len(names), some(names, 20))
    work.drop_genes(out, "filtered", [found.reason(value) for value in found.statistic[out]])


def _refuse_empty(work: Work, found: GeneFilter) -> None:
    out, flags = found.dropped, work.is_regulator
    what, among = "", np.ones(len(out), dtype=bool)
    if flags is not None and not (flags & ~out).any():
        what, among = f"none of {int(flags.sum())} regulators is left", flags
    elif int((~out).sum()) < 2:
        what = f"{int((~out).sum())} of {len(out)} genes are left"
    if what:
        most = float(found.statistic[among].max(initial=0.0))
        raise InputError(
            f"{work.where}: filter: {what}: {found.rule}; the highest of them has {most:.6g} where "
            f"{found.threshold:.6g} is needed ({found.what}): lower {found.setting}, or check that the values are what "
            f"they were taken for ({work.kind}, {work.assay})"
        )


def _drop_silent(work: Work) -> None:
    """Drop genes that do not vary over the samples as they are now: nothing may be said of them."""
    if work.plan is not None and work.plan.aggregation != "none":
        out, reason = constant_genes(work.matrix), "the same value in every sample"
    else:
        out = count_where(work.matrix, lambda _, part: np.ones(len(part.data), dtype=bool)) == 0
        reason = "zero in every sample"
    if not out.any():
        return
    names = [str(name) for name in work.var.index[out]]
    work.drop_genes(out, "constant", [reason] * len(names))
    work.log.append(f"{len(names)} genes were dropped: {reason}: {some(names)}")
    flags = work.is_regulator
    if work.matrix.shape[1] < 2 or (flags is not None and not flags.any()):
        raise InputError(f"{work.where}: no regulator and target are left: all others have {reason}")


def _outliers(work: Work) -> pd.DataFrame:
    empty = flag_outliers(np.zeros((0, 0)), [])[0]
    if work.plan is not None and work.plan.aggregation == "none":
        work.log.append("outliers were not looked for among single cells")
        return empty
    if work.kind == "zscore":
        work.log.append("outliers were not looked for: z-scores have no profile that all samples share")
        return empty
    n_samples, n_genes = work.matrix.shape
    require_memory(n_samples, n_genes, work.where)
    values = work.matrix.toarray() if sparse.issparse(work.matrix) else np.ascontiguousarray(work.matrix)
    if work.totals is not None:
        values = np.log1p(values / work.totals[:, None] * 1e6)
    elif work.kind == "other" and float(values.min()) >= 0:
        values = np.log1p(values)
    types = None if work.labels is None or work.labels.types is None else [str(name) for name in work.labels.types]
    flagged, correlation = flag_outliers(values, work.samples, types)
    if not np.isfinite(correlation).any():
        work.log.append("outliers were not looked for: the samples are too few or have no profile in common")
        return empty
    work.log += sentences(flagged, len(values), grouped=types is not None, is_metacell=work.plan is not None)
    if len(flagged):
        logger.warning("%s: %s", work.where, work.log[-1])
    return flagged


def _finish(work: Work, notes: dict[str, Any], outliers: pd.DataFrame) -> AnnData:
    if work.totals is not None:
        work.obs["library_size"] = work.totals
    if work.depth is not None:
        work.obs["log_depth"] = np.log(work.depth)
    covariates = []
    if work.labels is not None:
        for name, part in (("cell_type", work.labels.types), ("donor", work.labels.donors)):
            if part is not None:
                work.obs[name] = pd.Categorical([str(label) for label in part])
        if work.labels.n_types >= 2:
            covariates.append("cell_type")
        if work.plan is not None and work.plan.block not in ("donor", work.labels.columns.get("donors")):
            covariates += _donor(work, covariates)
        if work.depth is not None and _varies(np.log(work.depth), work.labels.types):
            covariates.append("log_depth")
    flags = work.is_regulator
    regulators = "" if flags is None else f", {int(flags.sum())} of them regulators"
    work.log.append(f"{work.matrix.shape[0]} samples x {work.matrix.shape[1]} genes are prepared{regulators}")
    earlier = {key: notes.pop(key, None) for key in ("log", "dropped_genes", "dropped_samples")}
    source = str(notes.pop("source", ""))
    notes.pop("matrices", None)
    result = make_adata(work.matrix, work.obs, work.var, source=source, notes=notes)
    result.uns["netinfer"] |= {
        "design": {
            "assay": work.assay,
            "covariates": text_array(covariates),
            "block": work.plan.block if work.plan is not None else work.block or "",
            "aggregation": work.plan.aggregation if work.plan is not None else "none",
            "n_cells": work.n_cells,
            "n_donors": work.labels.n_donors if work.labels is not None else 0,
            "population_note": work.plan.note if work.plan is not None else "",
        },
        "filter": _filter_notes(work),
        "outliers": outliers,
        "dropped_genes": joined(earlier["dropped_genes"], gene_frame(work.genes_out)),
        "dropped_samples": joined(earlier["dropped_samples"], sample_frame(work.samples_out)),
        "log": text_array([*map(str, earlier["log"] if earlier["log"] is not None else ()), *work.log]),
    }
    return result


def _donor(work: Work, others: list[str]) -> list[str]:
    """Take the donor for a covariate where it is not the unit: donors differ, and their cells are not told apart."""
    if "donor" not in work.obs or work.obs["donor"].nunique() < 2:
        return []
    try:
        covariate_matrix(work.obs, [*others, "donor"])
    except InputError:
        work.log.append(
            "the donors cannot be told from the cell types, and are not projected out on their own: differences "
            "between donors may make edges"
        )
        return []
    return ["donor"]


def _varies(depth: np.ndarray, types: np.ndarray | None) -> bool:
    """Tell whether the log depth varies within the cell types, by more than a thousandth of the depth."""
    codes = np.zeros(len(depth), dtype=int) if types is None else pd.factorize(types)[0]
    mean = np.bincount(codes, weights=depth) / np.bincount(codes)
    return float(np.sqrt(np.mean((depth - mean[codes]) ** 2))) > MIN_DEPTH_SD


def _filter_notes(work: Work) -> dict[str, Any]:
    found = work.filter
    if found is None:
        raise ValueError("genes are filtered before the result is made")
    gone = [row for row in work.genes_out if row[2] == "filtered"]
    return {
        "rule": found.rule,
        "what": found.what,
        "statistic": np.asarray(found.statistic, dtype=np.float64),
        "threshold": float(found.threshold),
        "n_dropped": len(gone),
        "dropped_regulators": text_array([row[0] for row in gone if row[1]]),
    }
