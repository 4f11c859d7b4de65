"""Samples unlike all others: flagged for the reader to judge, never dropped."""

from __future__ import annotations

import numpy as np
import pandas as pd

from netinfer.io.build import text_array

N_SDS = 5.0
# Samples that agree to the third digit have a spread that makes an outlier of nothing.
MIN_GAP = 0.02
# Below this the median and its deviation say little.
MIN_SAMPLES = 8
# Ratios to a reference have a median profile near zero, of which no sample holds much.
MIN_COMMON = 0.5
# Turns a median absolute deviation into the standard deviation of a normal distribution.
_MAD_TO_SD = 1.4826


def flag_outliers(
    values: np.ndarray, samples: list[str], groups: list[str] | None = None
) -> tuple[pd.DataFrame, np.ndarray]:
    r"""Flag the samples whose profile is unlike the median one.

    A sample is flagged if the Pearson correlation of its log profile with the genes' median profile lies below the
    median of these correlations by more than 5 robust standard deviations (1.4826 times the median absolute
    deviation) and by more than 0.02. With groups (cell types) each has its own median profile and its own limit.

    Parameters
    ----------
    values : float64 array, shape (n_samples, n_genes)
        Log values.
    samples : list of str
    groups : list of str, optional
        Groups of fewer than 8 samples are not looked at, nor those whose samples have little of a profile in common
        (median correlation below 0.5), as log ratios have.

    Returns
    -------
    flagged : DataFrame
        Columns sample, statistic, reason; one row a flagged sample, the most unlike first.
    correlation : float64 array, shape (n_samples,)
        NaN where a sample was not looked at.
    """
    correlation = np.full(len(samples), np.nan)
    rows: list[tuple[float, str, str]] = []
    codes, names = pd.factorize(np.asarray(groups if groups is not None else [""] * len(samples), dtype=object))
    for code, name in enumerate(names):
        members = np.flatnonzero(codes == code)
        if len(members) < MIN_SAMPLES:
            continue
        found = _correlation_with_median(values[members])
        middle = float(np.median(found))
        if middle < MIN_COMMON:
            continue
        correlation[members] = found
        spread = _MAD_TO_SD * float(np.median(np.abs(found - middle)))
        limit = middle - max(N_SDS * spread, MIN_GAP)
        whose = f" of {name!r}" if name else ""
        rows += [
            (
                float(found[place]),
                samples[members[place]],
                f"correlation {found[place]:.3f} with the median profile{whose}; the median sample has {middle:.3f}, "
                f"the limit is {limit:.3f}",
            )
            for place in np.flatnonzero(found < limit)
        ]
    rows.sort()
    return (
        pd.DataFrame(
            {
                "sample": text_array([row[1] for row in rows]),
                "statistic": np.array([row[0] for row in rows], dtype=np.float64),
                "reason": text_array([row[2] for row in rows]),
            }
        ),
        correlation,
    )


def _correlation_with_median(values: np.ndarray) -> np.ndarray:
    """Return each sample's correlation with the median profile; 0 for a flat one."""
    profile = np.median(values, axis=0)
    profile = profile - profile.mean()
    length = float(np.sqrt((profile * profile).sum()))
    result = np.zeros(len(values))
    for row, sample in enumerate(values):
        centred = sample - sample.mean()
        norm = float(np.sqrt((centred * centred).sum())) * length
        result[row] = (centred * profile).sum() / norm if norm > 0 else 0.0
    return result


def sentences(flagged: pd.DataFrame, n_samples: int, *, grouped: bool, is_metacell: bool) -> list[str]:
    """Say what was flagged, and how to leave it out."""
    basis = "the median profile of their cell type" if grouped else "the median profile"
    rule = f"correlation with {basis} more than {N_SDS:g} robust standard deviations (and {MIN_GAP:g}) below the usual"
    if not len(flagged):
        return [f"no outlier among {n_samples} samples ({rule})"]
    names = ", ".join(f"{row.sample!r} ({row.statistic:.3f})" for row in flagged.iloc[:20].itertuples())
    more = f" and {len(flagged) - 20} more" if len(flagged) > 20 else ""
    return [
        f"{len(flagged)} of {n_samples} samples look like outliers ({rule}) and are kept: {names}{more}; "
        + (
            "what sets their cells apart is worth a look (doublets, a state of its own)"
            if is_metacell
            else "name them as `exclude_samples` to leave them out"
        )
    ]
