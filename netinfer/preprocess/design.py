"""What is projected out of the expression: columns of the sample table as a matrix, checked before any long work."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.build import text_array
from netinfer.preprocess.conditions import COLLINEAR, condition_notes, indicators
from netinfer.preprocess.labels import CLUSTER_NAMES, DONOR_NAMES, TYPE_NAMES, folded

if TYPE_CHECKING:
    from anndata import AnnData

# Columns of `obs` that name the independent unit, in this order, where the caller names none.
UNIT_COLUMNS = ("block", "donor", "replicate_group")
# Each row on its own, also where a column has this name (single-cell objects call the library so).
SAMPLE = "sample"
# Whole numbers with at most so many levels, each in two samples at least, are names of classes (batch 1, 2, 3).
MOST_CLASSES = 10
# Text columns of which so many values are numbers hold numbers and words for "not known", unless these name classes.
SHARE_OF_NUMBERS = 0.8
NOT_KNOWN = ("", "?", "-", "na", "na?", "n/a", "nan", "nd", "none", "null", "missing", "unknown", "not available")


@dataclass(frozen=True)
class CovariateDesign:
    """Covariates as numbers.

    Attributes
    ----------
    matrix : float array, shape (n_samples, n_columns)
        Centred, scaled to variance 1; a class with k levels gives k - 1 columns (deviation from its first level).
    names : tuple of str
        The columns of the sample table.
    rank : int
        Degrees of freedom that they take from the samples.
    notes : tuple of str
        Plain sentences for the log.
    """

    matrix: np.ndarray
    names: tuple[str, ...]
    rank: int
    notes: tuple[str, ...] = ()


def unit_column(adata: AnnData, block: str | None = None) -> str:
    """Return what names the independent unit: the column asked for, the design's, a usual one, else ``sample``.

    Parameters
    ----------
    adata : AnnData
    block : str, optional

    Returns
    -------
    str
        A column of ``obs`` (it may not be there, if it was asked for), or ``sample`` for the samples themselves.
    """
    column = block or str(adata.uns.get("netinfer", {}).get("design", {}).get("block", ""))
    return column or next((name for name in UNIT_COLUMNS if name in adata.obs.columns), SAMPLE)


def as_names(names: Sequence[str] | str) -> list[str]:
    """Return a list of names, also of a single one."""
    return [names] if isinstance(names, str) else [str(name) for name in names]


def covariate_matrix(obs: pd.DataFrame, names: Sequence[str], *, where: str = "covariates") -> CovariateDesign:
    """Turn columns of the sample table into what is projected out of regulators and targets.

    Parameters
    ----------
    obs : DataFrame, shape (n_samples, ...)
        Numbers are taken as they are, anything else as classes; whole numbers with at most 10 levels, each in two
        samples or more (a batch written 1, 2, 3), are classes too.
    names : sequence of str
    where : str
        Named in the errors.

    Returns
    -------
    CovariateDesign

    Raises
    ------
    InputError
        An unknown or incomplete column, one with a single level or with as many classes as samples, columns that are
        linear combinations of one another (named), a few words among numbers, or a batch that coincides with a
        condition (see :func:`netinfer.preprocess.conditions.condition_notes`).
    """
    names = list(dict.fromkeys(as_names(names)))
    blocks: list[np.ndarray] = []
    for name in names:
        blocks.append(_columns(obs, name, where))
        _refuse_explained(blocks, names, where)
    notes = [*_class_notes(obs, names), *condition_notes(obs, dict(zip(names, blocks, strict=True)), where)]
    matrix = np.concatenate(blocks, axis=1) if blocks else np.empty((len(obs), 0))
    if matrix.shape[1] >= len(obs) - 2:
        raise InputError(
            f"{where}: {', '.join(names)} take {matrix.shape[1]} degrees of freedom of {len(obs)} samples: "
            "leave some out, or merge small classes"
        )
    return CovariateDesign(np.ascontiguousarray(matrix), tuple(names), matrix.shape[1], tuple(notes))


def with_design(
    adata: AnnData,
    *,
    covariates: Sequence[str] | None = None,
    block: str | None = None,
    strata: str | None = None,
) -> AnnData:
    """Write down which covariates are projected out, what the independent unit is and what the strata of units are.

    The covariates are checked.

    Parameters
    ----------
    adata : AnnData
        Not changed.
    covariates : sequence of str, optional
        None keeps those of `netinfer.prepare_samples`.
    block : str, optional
        None keeps the one of `netinfer.prepare_samples`.
    strata : str, optional
        Column whose classes each half-sample holds in the same proportion.

    Returns
    -------
    AnnData
        A copy, with ``uns["netinfer"]["design"]``.

    Raises
    ------
    InputError
        As `covariate_matrix`.
    """
    adata = adata.copy()
    notes = dict(adata.uns.get("netinfer", {}))
    design = dict(notes.get("design", {}))
    names = list(design.get("covariates", ())) if covariates is None else as_names(covariates)
    checked = covariate_matrix(adata.obs, [str(name) for name in names])
    design["covariates"] = text_array(checked.names)
    design["block"] = block or str(design.get("block", ""))
    if strata:
        design["strata"] = strata
    log = list(map(str, notes.get("log", ())))
    if block == SAMPLE and SAMPLE in adata.obs.columns:
        log.append(
            "`block: sample` takes each row for a unit, not the column of that name: rename the column to use it"
        )
    if checked.names:
        how = "by default for cells" if covariates is None else "as asked"
        log.append(
            f"projected out of regulators and targets, {how}: {', '.join(checked.names)} "
            f"({checked.rank} degree{'s' if checked.rank > 1 else ''} of freedom)"
        )
    adata.uns["netinfer"] = {**notes, "design": design, "log": text_array([*log, *checked.notes])}
    return adata


def _columns(obs: pd.DataFrame, name: str, where: str) -> np.ndarray:
    if name not in obs.columns:
        known = list(map(str, obs.columns))
        near = difflib.get_close_matches(name, known, 1)
        hint = f" (nearest: {near[0]!r})" if near else ""
        raise InputError(f"{where}: no column {name!r} of the samples{hint}: there are {', '.join(known) or 'none'}")
    column = obs[name]
    missing = column.isna()
    if missing.any():
        raise InputError(
            f"{where}: column {name!r} is empty for {int(missing.sum())} of {len(obs)} samples, "
            f"the first {str(obs.index[missing][0])!r}: fill it in, or leave these samples out"
        )
    if is_number(column):
        return _number(column, name, where)
    _refuse_words(column, name, where)
    return _classes(column, name, where)


def _refuse_words(column: pd.Series, name: str, where: str) -> None:
    """Refuse a few words among numbers: as classes each number would be a level of its own."""
    if _is_numeric(column) or folded(name) in (*TYPE_NAMES, *CLUSTER_NAMES, *DONOR_NAMES):
        return
    text = column.astype(str).str.strip()
    numbers = pd.to_numeric(text, errors="coerce")
    is_word = numbers.isna()
    unknown = text.str.casefold().isin(NOT_KNOWN)
    share = (~is_word).sum() / max(1, int((~unknown).sum()))
    if not is_word.any() or share < SHARE_OF_NUMBERS or numbers.nunique() < 3 or not is_number(numbers[~is_word]):
        return
    counts = text[is_word].value_counts()
    shown = ", ".join(f"{word!r} ({n})" for word, n in counts.iloc[:5].items())
    more = f" and {len(counts) - 5} more" if len(counts) > 5 else ""
    raise InputError(
        f"{where}: column {name!r} has {int(is_word.sum())} values that are no numbers among {int((~is_word).sum())} "
        f"numbers: {shown}{more}, the first in sample {str(column.index[is_word][0])!r}: write numbers there, or leave "
        "these samples out; if the numbers are names of classes, write them as words (p1, p2)"
    )


def _number(column: pd.Series, name: str, where: str) -> np.ndarray:
    values = column.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        bad = str(column.index[~np.isfinite(values)][0])
        raise InputError(f"{where}: column {name!r} is infinite in sample {bad!r}: mend it (a depth of zero, perhaps)")
    values = values - values.mean()
    size = np.abs(values).max(initial=0.0)
    if size <= 1e-12 * np.abs(column.to_numpy(dtype=np.float64)).max(initial=0.0):
        raise InputError(f"{where}: column {name!r} has one level, {column.iloc[0]:g}, in every sample: leave it out")
    values = values / size
    values -= values.mean()
    return (values / np.sqrt((values**2).mean()))[:, None]


def _classes(column: pd.Series, name: str, where: str) -> np.ndarray:
    codes, levels = pd.factorize(column.astype(str), sort=True)
    if len(levels) < 2:
        raise InputError(f"{where}: column {name!r} has one level, {str(levels[0])!r}, in every sample: leave it out")
    if len(levels) == len(column):
        raise InputError(
            f"{where}: column {name!r} has as many levels as samples ({len(levels)}): nothing would be left; "
            "leave it out, or write it as a number"
        )
    return indicators(codes, len(levels))


def _refuse_explained(blocks: list[np.ndarray], names: Sequence[str], where: str) -> None:
    """Refuse the last block where the ones before determine a column of it; say which of them do."""
    if len(blocks) < 2:
        return
    last, before = blocks[-1], np.concatenate(blocks[:-1], axis=1)
    fit = before @ np.linalg.lstsq(before, last, rcond=None)[0]
    # Together, not column by column: two columns of a class may be determined only in their sum.
    sizes = np.linalg.svd(last - fit, compute_uv=False)
    if sizes.size and (sizes**2).min() > COLLINEAR * len(last):
        return
    culprits = [name for name, block in zip(names, blocks[:-1], strict=False) if _explains(block, last)]
    others = culprits or list(names[: len(blocks) - 1])
    raise InputError(
        f"{where}: {names[len(blocks) - 1]!r} is collinear with {', '.join(map(repr, others))}: "
        "what one explains the other explains as well: keep one of them"
    )


def _explains(block: np.ndarray, last: np.ndarray) -> bool:
    left = last - block @ np.linalg.lstsq(block, last, rcond=None)[0]
    sizes = np.linalg.svd(left, compute_uv=False)
    return bool((sizes**2).min() <= COLLINEAR * len(last))


def is_number(column: pd.Series) -> bool:
    """Tell a column of numbers from one of classes, which may be written as whole numbers."""
    return _is_numeric(column) and not _is_numbered(column)


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _is_numbered(column: pd.Series) -> bool:
    """Tell whole numbers that name classes: few, and none of them in a single sample."""
    if not _is_numeric(column):
        return False
    levels = column.value_counts()
    is_whole = bool(np.all(np.floor(levels.index.to_numpy(dtype=np.float64)) == levels.index))
    return is_whole and 2 <= len(levels) <= MOST_CLASSES and bool(levels.min() >= 2)


def _class_notes(obs: pd.DataFrame, names: Sequence[str]) -> list[str]:
    return [
        f"{name!r} holds {obs[name].nunique()} whole numbers, taken as classes: write it with decimals to have a slope"
        for name in names
        if _is_numbered(obs[name]) and obs[name].nunique() > 2
    ]
