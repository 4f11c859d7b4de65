"""Normalize once, by a method that fits the values, and write down what was seen and done.

All methods work on a dense float64 matrix in C order: sparse input is densified first, so that both forms give the same
bits (implementations that treat them apart are known to differ).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse, special, stats

from netinfer.errors import ConfigError, InputError
from netinfer.io.build import text_array
from netinfer.io.ids import some
from netinfer.io.memory import as_expression
from netinfer.io.source import require_memory
from netinfer.preprocess.cleaning import refuse_infinite, refuse_missing
from netinfer.preprocess.conditions import centring_notes
from netinfer.preprocess.kind import InputKind, recognise

if TYPE_CHECKING:
    from anndata import AnnData

METHODS = ("auto", "cpm_log1p", "size_factors_log", "quantile", "rank", "none")
_FOR_COUNTS = ("cpm_log1p", "size_factors_log")


def normalize(adata: Any, method: str = "auto", *, center_by: str | None = None) -> AnnData:
    r"""Normalize expression, once.

    * ``cpm_log1p``: :math:`\log(1 + 10^6 x_{ij} / L_i)`; counts only. :math:`L_i` is ``obs["library_size"]`` where
      :func:`netinfer.prepare_samples` wrote one, so that genes which were left out still count for the depth, else
      :math:`\sum_j x_{ij}`.
    * ``size_factors_log``: :math:`\log(1 + x_{ij} / s_i)`, :math:`s_i` the median over genes of :math:`x_{ij}` over the
      gene's geometric mean (Anders and Huber 2010); counts only. The genes are those above zero in all samples; where
      there is none (most single-cell data) this is an error.
    * ``quantile``: every sample gets the same distribution, the mean of the sorted samples; ties get the mean of the
      values they span (Bolstad et al. 2003). Counts are taken to log(1 + x) first.
    * ``rank``: each gene's ranks over the samples to normal scores :math:`\Phi^{-1}(r / (n + 1))`, ties by mean rank.
      Counts are taken to counts per million first.
    * ``none``: values stay.
    * ``auto``: by :func:`netinfer.preprocess.kind.recognise`: counts -> ``cpm_log1p``; log values and
      z-scores -> ``none``; anything else (TPM, intensities: heavy tails would rule the second moments) -> ``rank``.

    Parameters
    ----------
    adata : AnnData, DataFrame or array, n_samples x n_genes
        Not changed.
    method : str
        See above.
    center_by : str, optional
        A column of ``obs`` (a batch): after the method, each gene's mean within each group is subtracted.

    Returns
    -------
    AnnData
        Dense float64. ``uns["netinfer"]``: ``normalization`` (the method used), ``input_kind`` (counts, log, zscore,
        other), ``center_by`` (empty if none), and sentences added to ``log``.

    Raises
    ------
    InputError
        Missing or infinite values; values that do not fit the method; a group of one sample, or groups
        that coincide with a condition; data already normalized.
    ConfigError
        An unknown method.
    """
    if method not in METHODS:
        raise ConfigError(f"normalize: {method!r}: use one of {', '.join(METHODS)}")
    result = as_expression(adata)
    notes = dict(result.uns["netinfer"])
    where = str(notes.get("source", "")) or "data"
    _refuse_twice(notes, method, center_by, where)
    require_memory(result.n_obs, result.n_vars, where)
    values = result.X.toarray() if sparse.issparse(result.X) else result.X
    values = np.ascontiguousarray(values, dtype=np.float64)
    samples, genes = list(result.obs_names), list(result.var_names)
    refuse_infinite(values, samples, genes, where)
    refuse_missing(values, samples, genes, where)
    seen = recognise(values)
    chosen = _choose(seen) if method == "auto" else method
    log = [f"the values look like {_MEANING[seen.kind]}: {seen.figures}", _sentence(seen, method, chosen)]
    earlier = str(notes.get("normalization", "none"))
    values = _apply(values, chosen, seen, samples, where, log, _library_sizes(result, values))
    if center_by is not None:
        values = _center(values, result.obs, center_by, where, log)
    result.X = values
    result.uns["netinfer"] = notes | {
        "normalization": chosen if earlier == "none" else earlier,
        "input_kind": str(notes.get("input_kind", seen.kind)),
        "center_by": center_by or str(notes.get("center_by", "")),
        "log": text_array([*map(str, notes.get("log", ())), *log]),
    }
    return result


_MEANING = {
    "counts": "raw counts",
    "log": "log values (or others of that range)",
    "zscore": "z-scores",
    "other": "neither counts nor logs nor z-scores (linear values such as TPM or intensities, perhaps)",
}


def _choose(seen: InputKind) -> str:
    return {"counts": "cpm_log1p", "log": "none", "zscore": "none", "other": "rank"}[seen.kind]


def _sentence(seen: InputKind, method: str, chosen: str) -> str:
    what = {
        "cpm_log1p": "counts per million, then log(1 + x)",
        "size_factors_log": "median-ratio size factors, then log(1 + x)",
        "quantile": "quantile normalization over the samples",
        "rank": "ranks of each gene to normal scores",
        "none": "values left as they are",
    }[chosen]
    return f"normalization {chosen} ({what}), {'chosen by auto' if method == 'auto' else 'as asked'}"


def _refuse_twice(notes: dict[str, Any], method: str, center_by: str | None, where: str) -> None:
    earlier = str(notes.get("normalization", "none"))
    if earlier != "none" and method != "none":
        raise InputError(
            f"{where}: already normalized ({earlier}): set `normalize: none`, or start from the raw values"
        )
    if center_by is not None and notes.get("center_by"):
        raise InputError(
            f"{where}: already centred by {notes['center_by']!r}: take `center_by` out, or start from the raw values"
        )


def _apply(
    values: np.ndarray,
    method: str,
    seen: InputKind,
    samples: list[str],
    where: str,
    log: list[str],
    library: np.ndarray | None,
) -> np.ndarray:
    if method == "none":
        return values
    if method in _FOR_COUNTS:
        _refuse_no_counts(seen, method, where)
    if method == "cpm_log1p":
        scaled = _per_million(values, samples, where, library)
        return np.log1p(scaled, out=scaled)
    if method == "size_factors_log":
        factors, n_genes = size_factors(values, samples, where)
        log.append(
            f"size factors from {n_genes} genes above zero in all samples: {factors.min():.3g} to {factors.max():.3g}"
        )
        return np.log1p(values / factors[:, None])
    is_counts = seen.kind == "counts"
    if method == "quantile":
        if is_counts:
            log.append("counts were taken to log(1 + x) before quantile normalization")
        return _quantile(np.log1p(values) if is_counts else values)
    if is_counts:
        log.append("counts were taken to counts per million before ranking")
    return normal_scores(_per_million(values, samples, where, library) if is_counts else values)


def _refuse_no_counts(seen: InputKind, method: str, where: str) -> None:
    if seen.low < 0:
        raise InputError(
            f"{where}: normalize: {method} needs counts, and the lowest value is {seen.low:.6g}: {_advice(seen)}"
        )
    if seen.share_integer < 1:
        raise InputError(
            f"{where}: normalize: {method} needs counts, and {1 - seen.share_integer:.2%} of the values "
            "are no whole numbers "
            f"(max {seen.high:.6g}): {_advice(seen)}"
        )


def _advice(seen: InputKind) -> str:
    return {
        "zscore": "they look like z-scores: use `none`",
        "log": "they look like logs: use `none`, a second log would distort them",
    }.get(seen.kind, "round estimated counts first; for TPM or intensities use `rank`")


def _library_sizes(adata: AnnData, values: np.ndarray) -> np.ndarray | None:
    """Return the samples' counts over all genes, if `prepare_samples` wrote them: never less than those here."""
    obs = adata.obs
    if (
        "design" not in adata.uns["netinfer"]
        or "library_size" not in obs.columns
        or not pd.api.types.is_numeric_dtype(obs["library_size"].dtype)
    ):
        return None
    sizes = obs["library_size"].to_numpy(dtype=np.float64, na_value=np.nan)
    # A column of that name in other units (millions, logs) fails here, and the sums are taken.
    return sizes if bool((sizes >= values.sum(axis=1)).all()) else None


def _per_million(values: np.ndarray, samples: list[str], where: str, library: np.ndarray | None = None) -> np.ndarray:
    totals = values.sum(axis=1) if library is None else library
    _refuse_empty(totals, samples, where)
    scaled = values / totals[:, None]
    scaled *= 1e6
    return scaled


def _refuse_empty(totals: np.ndarray, samples: list[str], where: str) -> None:
    empty = [samples[row] for row in np.flatnonzero(totals <= 0)]
    if empty:
        raise InputError(
            f"{where}: {len(empty)} samples have no count at all: {some(empty)}: "
            "drop them (netinfer.preprocess.ingest does)"
        )


def size_factors(values: np.ndarray, samples: list[str], where: str) -> tuple[np.ndarray, int]:
    """Return the median-ratio size factor of each sample and the number of genes they are based on.

    Parameters
    ----------
    values : float64 array, shape (n_samples, n_genes)
        Counts.

    Raises
    ------
    InputError
        No gene is above zero in all samples, so that every geometric mean is zero.
    """
    _refuse_empty(values.sum(axis=1), samples, where)
    usable = (values > 0).all(axis=0)
    if not usable.any():
        raise InputError(
            f"{where}: normalize: size_factors_log: no gene is above zero in all {len(samples)} samples, "
            "so that there is no reference for ratios: use cpm_log1p"
        )
    logs = np.log(values[:, usable])
    return np.exp(np.median(logs - logs.mean(axis=0), axis=1)), int(usable.sum())


def _quantile(values: np.ndarray) -> np.ndarray:
    reference = np.sort(values, axis=1).mean(axis=0)
    cumulated = np.concatenate([[0.0], np.cumsum(reference)])
    result = np.empty_like(values)
    for row, sample in enumerate(values):
        _, group, counts = np.unique(sample, return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        means = np.where(counts == 1, reference[ends - 1], (cumulated[ends] - cumulated[ends - counts]) / counts)
        result[row] = means[group]
    return result


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Turn the ranks of each column into normal quantiles (van der Waerden), the mean rank for ties."""
    ranks = stats.rankdata(values, method="average", axis=0)
    return np.ascontiguousarray(special.ndtri(ranks / (values.shape[0] + 1)))


def _center(values: np.ndarray, obs: pd.DataFrame, column: str, where: str, log: list[str]) -> np.ndarray:
    if column not in obs.columns:
        columns = ", ".join(map(str, obs.columns)) or "none"
        raise InputError(f"{where}: center_by: no column {column!r} of samples; there are: {columns}")
    groups = obs[column]
    if groups.isna().any():
        lacking = [str(name) for name in obs.index[groups.isna()]]
        raise InputError(f"{where}: center_by: {len(lacking)} samples have no {column!r}: {some(lacking)}: fill it in")
    codes, names = pd.factorize(groups)
    single = [str(name) for name in names[np.bincount(codes) == 1]]
    if single:
        raise InputError(
            f"{where}: center_by: groups of {column!r} with one sample, which centring would turn to zeros: "
            f"{some(single)}: "
            "merge or remove them"
        )
    log += centring_notes(obs, column, f"{where}: center_by")
    result = values.copy()
    for code in range(len(names)):
        rows = codes == code
        result[rows] -= result[rows].mean(axis=0)
    log.append(f"each gene was centred within each of {len(names)} groups of {column!r}")
    return result
