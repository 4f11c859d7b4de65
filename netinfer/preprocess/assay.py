"""Whether the samples are bulk samples or single cells, which of an object's matrices to read, and base of its logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.preprocess.kind import recognise
from netinfer.preprocess.labels import CLUSTER_NAMES, QC_NAMES, TYPE_NAMES, find
from netinfer.preprocess.statistics import sample_totals, zero_share

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

# Fewer rows than this make no metacells worth a network, whatever they are.
MIN_CELLS = 100
MIN_SPARSE_SAMPLES = 200
# Bulk RNA-seq has 20 to 40 % zeros over all genes of an annotation, 10x cells 85 to 97 %.
ZERO_SHARE_OF_CELLS = 0.6
# Sequencing gives a bulk sample millions of reads and a cell thousands to hundreds of thousands.
BULK_DEPTH = 1e6
BULK_ZERO_SHARE = 0.5
# Sorted bulk samples also have a column of cell types: some hundred samples, nearly without zeros, or few of any type.
SORTED_BULK_SAMPLES = 1000
SORTED_BULK_ZERO_SHARE = 0.2
SORTED_BULK_REPLICATES = 20


def tell_assay(adata: AnnData, kind: str) -> tuple[str, str]:
    """Tell bulk samples and single cells apart.

    Cells are taken for what has 100 rows or more and quality columns of single-cell programs (``n_genes_by_counts``,
    ``pct_counts_mt``, ``n_counts``, ...) or a column of cell types or clusters, and for 200 samples or more with over
    60 % zeros; unless the values are a bulk sample's: a million counts in the median sample and less than half zeros,
    or, of fewer than 1,000 samples with no more than a column of cell types, less than 20 % zeros or
    fewer than 20 samples of every type.

    Parameters
    ----------
    adata : AnnData, n_samples x n_genes
    kind : str
        As :func:`netinfer.preprocess.kind.recognise` says: counts, log, zscore, other.

    Returns
    -------
    assay : {"bulk", "cells"}
    reason : str
        A sentence that names what was seen.
    """
    n = adata.n_obs
    zeros = zero_share(adata.X)
    seen = f"{n} rows, {zeros:.0%} zeros"
    quality, types = find(adata.obs, QC_NAMES), find(adata.obs, (*TYPE_NAMES, *CLUSTER_NAMES))
    column = quality or types
    if kind == "counts":
        depth = float(np.median(sample_totals(adata.X)))
        seen += f", {depth:,.0f} counts in the median row"
        if depth >= BULK_DEPTH and zeros < BULK_ZERO_SHARE:
            but = f" in spite of the column {column!r}" if column else ""
            return "bulk", _said("bulk samples", f"{seen}: the depth of bulk samples{but}")
    if column is not None and n >= MIN_CELLS:
        most = int(adata.obs[column].value_counts().max())
        is_sorted_bulk = (
            quality is None
            and n < SORTED_BULK_SAMPLES
            and ((kind != "zscore" and zeros < SORTED_BULK_ZERO_SHARE) or most < SORTED_BULK_REPLICATES)
        )
        if is_sorted_bulk:
            return "bulk", _said(
                "bulk samples", f"{seen}: too few zeros, or rows of one type, for cells in spite of {column!r}"
            )
        what = "a quality column of single-cell programs" if quality else "a column of cell types"
        return "cells", _said("single cells", f"{seen}, and {column!r}, {what}")
    if kind in ("counts", "log", "other") and n >= MIN_SPARSE_SAMPLES and zeros > ZERO_SHARE_OF_CELLS:
        return "cells", _said("single cells", f"{seen}: more zeros than bulk samples have")
    return "bulk", _said("bulk samples", f"{seen}, no columns of single-cell programs")


def _said(what: str, seen: str) -> str:
    return f"the samples are taken for {what} ({seen}); set `assay` if they are not"


def whole_table(values: Any, obs: pd.DataFrame) -> dict[str, str]:
    """Tell bulk samples and single cells apart on all samples, before a subset of them is taken.

    The cells of one type can be few, and have no column that differs among them: what they are is seen on the whole.

    Parameters
    ----------
    values : float64 array or CSR, shape (n_samples, n_genes)
        Missing values are taken for the median of the others.
    obs : DataFrame, n_samples rows

    Returns
    -------
    dict
        ``assay`` and ``reason`` of :func:`tell_assay`, for ``uns["netinfer"]["whole_table"]``.
    """
    from anndata import AnnData

    stored = _stored(values)
    is_finite = np.isfinite(stored)
    if not is_finite.all():
        values = values.copy()
        _stored(values)[~is_finite] = np.median(stored[is_finite]) if is_finite.any() else 0.0
    found, reason = tell_assay(AnnData(X=values, obs=obs), recognise(values).kind)
    return {"assay": found, "reason": f"{reason} (of all samples, before the subset)"}


def told_before(uns: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return what `whole_table` said of an object that is a subset; None where there was none."""
    seen = uns.get("netinfer", {}).get("whole_table")
    return None if seen is None else (str(seen["assay"]), str(seen["reason"]))


def better_layer(adata: AnnData) -> str | None:
    """Name the matrix of an object that suits better than its X, if there is one.

    scanpy's scaled X holds z-scores of log values, clipped perhaps, of which no sum over cells can be taken. Where X
    holds z-scores of single cells and counts (``layers["counts"]``) or the values before scaling (``.raw``) lie beside
    it, these are to be read; in every other case X.

    Parameters
    ----------
    adata : AnnData
        In memory, or as `read_expression` returns it (``uns["netinfer"]["matrices"]`` names what the file has).

    Returns
    -------
    str or None
        "counts" or "raw", as `layer` takes it; None for X.
    """
    notes = adata.uns.get("netinfer", {})
    names = {str(name) for name in notes.get("matrices", ())} | set(adata.layers)
    if getattr(adata, "raw", None) is not None:
        names.add("raw")
    candidate = next((name for name in ("counts", "raw") if name in names), None)
    if candidate is None or adata.X is None or not np.isfinite(_stored(adata.X)).all():
        return None
    if recognise(adata.X).kind != "zscore" or tell_assay(adata, "zscore")[0] != "cells":
        return None
    return candidate


def _stored(values: Any) -> np.ndarray:
    return values.data if hasattr(values, "indptr") else np.asarray(values)


def with_layer(adata: AnnData, layer: str) -> AnnData:
    """Return an object whose X is one of its layers, or "raw" with the genes of ``.raw``.

    Parameters
    ----------
    adata : AnnData
        Not changed.
    layer : str
        As :func:`better_layer` names it.
    """
    from anndata import AnnData

    if layer == "raw":
        result = adata.raw.to_adata()
        for column in ("is_regulator", "symbol"):
            if column in adata.var and column not in result.var:
                values = adata.var[column].reindex(result.var_names)
                result.var[column] = values.eq(True).to_numpy() if column == "is_regulator" else values.to_numpy()
        return result
    return AnnData(X=adata.layers[layer].copy(), obs=adata.obs.copy(), var=adata.var.copy(), uns=dict(adata.uns))


def log_base(uns: Mapping[str, Any]) -> float:
    """Return the base of the logs that an object records: scanpy's ``uns["log1p"]``, else netinfer's note, else e."""
    notes = uns.get("netinfer", {})
    recorded = uns.get("log1p", {})
    base = recorded.get("base") if isinstance(recorded, Mapping) else None
    base = notes.get("log_base") if base is None else base
    return float(np.e) if base is None else float(base)
