"""What a data set was made to compare, and whether projecting out or centring would take it away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.ids import some
from netinfer.preprocess.labels import DONOR_NAMES, TYPE_NAMES, folded

__all__ = ["COLLINEAR", "CONDITION_NAMES", "centring_notes", "condition_notes", "indicators"]

# A column whose part that the others do not explain is below this share of its variance adds rounding, not information.
COLLINEAR = 1e-8
# Columns that say what the samples were made to compare; as in `labels`, without case, blanks, dots and underscores.
CONDITION_NAMES = (
    "condition",
    "treatment",
    "diagnosis",
    "disease",
    "diseasestate",
    "diseasestatus",
    "genotype",
    "phenotype",
    "status",
    "casecontrol",
    "group",
    "experimentalgroup",
    "treatmentgroup",
)


def indicators(codes: np.ndarray, n_levels: int) -> np.ndarray:
    """Turn classes into numbers: deviations from the first level, centred, of variance 1.

    Parameters
    ----------
    codes : int array, shape (n_samples,)
    n_levels : int
        2 at least, each with a sample.

    Returns
    -------
    float array, shape (n_samples, n_levels - 1)
    """
    dummies = (codes[:, None] == np.arange(1, n_levels)).astype(np.float64)
    dummies -= dummies.mean(axis=0)
    return dummies / np.sqrt((dummies**2).mean(axis=0))


def condition_notes(obs: pd.DataFrame, blocks: Mapping[str, np.ndarray], where: str) -> list[str]:
    """Refuse covariates that determine a condition; mention those that share part of it.

    Parameters
    ----------
    obs : DataFrame, shape (n_samples, ...)
        A condition is a class in a column that bears one of `CONDITION_NAMES`.
    blocks : mapping of str to float array, shape (n_samples, n_columns)
        The covariates as numbers. Cell types and donors may determine a condition: what is left is then a network
        within them. So may a condition that is itself a covariate, which was asked for by name.
    where : str
        Named in the errors.

    Returns
    -------
    list of str
        Plain sentences for the log.

    Raises
    ------
    InputError
        A covariate, or several together, that leave nothing of a condition.
    """
    notes = []
    outside = {
        name: block
        for name, block in blocks.items()
        if folded(name) not in (*TYPE_NAMES, *DONOR_NAMES, *CONDITION_NAMES)
    }
    for name, condition in _conditions(obs).items():
        if name in blocks or not blocks:
            continue
        codes, levels = pd.factorize(condition, sort=True)
        contrasts = indicators(codes, len(levels))
        for chosen in ({other: block} for other, block in outside.items()):
            _refuse(obs, condition, contrasts, chosen, where)
        _refuse(obs, condition, contrasts, outside, where)
        n_lost = contrasts.shape[1] - _n_left(contrasts, list(blocks.values()))
        if n_lost:
            what = "between conditions" if folded(name) == "condition" else f"in {name!r}"
            notes.append(
                f"{n_lost} of the {contrasts.shape[1]} differences {what} are taken out together with "
                f"{', '.join(map(repr, blocks))}: each of them lies between their levels"
            )
    return notes


def centring_notes(obs: pd.DataFrame, column: str, where: str) -> list[str]:
    """Refuse to centre within groups that determine a condition; mention those that share part of it.

    Parameters
    ----------
    obs : DataFrame, shape (n_samples, ...)
    column : str
        A complete column; its values are the groups.
    where : str

    Returns
    -------
    list of str
        Plain sentences for the log.

    Raises
    ------
    InputError
        Nothing would be left of a condition.
    """
    codes, levels = pd.factorize(obs[column].astype(str), sort=True)
    if not 2 <= len(levels) < len(obs):
        return []
    return condition_notes(obs, {column: indicators(codes, len(levels))}, where)


def _conditions(obs: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the columns that hold a condition, as text: complete, two levels at least, fewer than samples."""
    found = {}
    for name in map(str, obs.columns):
        if folded(name) not in CONDITION_NAMES or obs[name].isna().any():
            continue
        # A figure of that name (a score, a time) is no class; names other than `condition` need some repetition.
        column = obs[name].astype(str)
        n_levels = column.nunique()
        is_condition = folded(name) == "condition"
        if pd.api.types.is_float_dtype(obs[name].dtype) and not is_condition:
            continue
        if 2 <= n_levels < len(obs) and (is_condition or 2 * n_levels <= len(obs)):
            found[name] = column
    return found


def _n_left(contrasts: np.ndarray, blocks: Sequence[np.ndarray]) -> int:
    """Count the contrasts of a class that covariates leave."""
    space = np.concatenate(blocks, axis=1)
    left = contrasts - space @ np.linalg.lstsq(space, contrasts, rcond=None)[0]
    return int((np.linalg.svd(left, compute_uv=False) ** 2 > COLLINEAR * len(left)).sum())


def _refuse(
    obs: pd.DataFrame, condition: pd.Series, contrasts: np.ndarray, chosen: Mapping[str, np.ndarray], where: str
) -> None:
    if not chosen or _n_left(contrasts, list(chosen.values())):
        return
    names, shown = list(chosen), ""
    if len(names) == 1:
        groups = list(condition.groupby(obs[names[0]].astype(str), observed=True))
        levels = "; ".join(f"{level}: {some(list(dict.fromkeys(group)), 3)}" for level, group in groups[:3])
        shown = f" ({levels})"
    rename = "" if folded(condition.name) == "condition" else f", or rename {condition.name!r} if it is no condition"
    raise InputError(
        f"{where}: {' and '.join(map(repr, names))} coincides with {condition.name!r}{shown}: taking it out takes "
        "every difference between conditions with it, and no method can tell the two apart: leave it out, or add "
        f"samples that share a level across conditions{rename}"
    )
