"""Which genes carry enough expression for a model: one rule for each kind of values, with the figures that decided."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.preprocess.statistics import count_per_million, count_positive, mean_and_sd

if TYPE_CHECKING:
    from netinfer.config import FilterConfig

# A gene that must be seen in more than half of the cells would be no filter but a choice of housekeeping genes.
MAX_CELL_SHARE = 0.5


@dataclass(frozen=True)
class GeneFilter:
    """A rule for genes and what it found.

    Attributes
    ----------
    rule : str
        The rule as a sentence.
    what : str
        What the statistic is, for an axis.
    statistic : float array, shape (n_genes,), or empty
        Empty where there is no rule for such values.
    threshold : float
        Genes whose statistic is below are dropped.
    setting : str
        The keys of the config that say so.
    """

    rule: str
    what: str
    statistic: np.ndarray
    threshold: float
    setting: str

    @property
    def dropped(self) -> np.ndarray:
        """Genes below the threshold; bool, shape (n_genes,) or empty."""
        return self.statistic < self.threshold

    def reason(self, value: float) -> str:
        """Say why a gene of that statistic is dropped."""
        return f"{self.what}: {value:.6g}, at least {self.threshold:.6g} needed"


def no_filter(reason: str) -> GeneFilter:
    """Keep every gene, for a reason."""
    return GeneFilter(reason, "", np.zeros(0), 0.0, "filter.genes")


def gene_filter(
    values: Any, kind: str, assay: str, settings: FilterConfig, *, totals: np.ndarray | None = None
) -> GeneFilter:
    r"""Choose and compute the filter of a data set.

    * Counts of bulk samples: at least `min_cpm` counts per million in :math:`\max(` `min_samples`,
      `min_share` :math:`\cdot n)` samples, and never more samples than there are.
    * Cells, counts or logs with zeros: above zero in :math:`\max(` `min_cells`, `min_cell_share` :math:`\cdot n)`
      cells, and never more than half of the cells.
    * Other logs: a standard deviation of at least `min_relative_sd` times the median one of the genes that vary. A
      tail is cut where there is one; a fixed share would also take genes from data in which all vary alike.
    * Other values from zero on (TPM, intensities): above zero in :math:`\max(` `min_samples`, `min_share`
      :math:`\cdot n)` samples.
    * z-scores, and other values below zero: none, for their spread says nothing about expression.

    Parameters
    ----------
    values : float64 array or CSR, shape (n_samples, n_genes)
        Finite. Sparse values are not densified, and both forms give the same bits.
    kind : {"counts", "log", "zscore", "other"}
    assay : {"bulk", "cells"}
    settings : FilterConfig
    totals : float64 array, shape (n_samples,), optional
        Counts of each sample over all genes, > 0; needed for counts of bulk samples.

    Returns
    -------
    GeneFilter
    """
    if settings.genes == "none":
        return no_filter("no gene was left out for low expression, as asked (filter.genes: none)")
    if kind == "zscore":
        return no_filter("no gene was left out for low expression: z-scores do not show it")
    n = values.shape[0]
    is_negative = _lowest(values) < 0
    if assay == "cells" and not is_negative:
        return _detected_in_cells(values, n, settings)
    if kind == "counts":
        return _expressed(values, n, settings, totals)
    if kind == "log":
        return _spread(values, settings)
    if is_negative:
        return no_filter("no gene was left out for low expression: there are values below zero that are no logs")
    wanted, how = _samples_wanted(n, settings)
    return GeneFilter(
        f"genes above zero in fewer than {how} are left out",
        "samples with a value above zero",
        count_positive(values).astype(np.float64),
        float(wanted),
        "filter.min_samples and filter.min_share",
    )


def _lowest(values: Any) -> float:
    stored = values.data if hasattr(values, "indptr") else values
    return float(stored.min(initial=0.0))


def _samples_wanted(n: int, settings: FilterConfig) -> tuple[int, str]:
    asked = max(settings.min_samples, math.ceil(settings.min_share * n))
    wanted = min(asked, n)
    how = f"max({settings.min_samples}, {settings.min_share:.0%} of {n}) = {asked} samples"
    return wanted, how if wanted == asked else f"{how}, here all {n} there are"


def _expressed(values: Any, n: int, settings: FilterConfig, totals: np.ndarray | None) -> GeneFilter:
    if settings.min_cpm == 0:
        return no_filter("no gene was left out for low expression, as asked (filter.min_cpm: 0)")
    if totals is None:
        raise ValueError("gene_filter: counts of bulk samples need the samples' totals")
    wanted, how = _samples_wanted(n, settings)
    return GeneFilter(
        f"genes that reach {settings.min_cpm:g} counts per million in fewer than {how} are left out",
        f"samples with at least {settings.min_cpm:g} counts per million",
        count_per_million(values, totals, settings.min_cpm).astype(np.float64),
        float(wanted),
        "filter.min_cpm, filter.min_samples and filter.min_share",
    )


def _detected_in_cells(values: Any, n: int, settings: FilterConfig) -> GeneFilter:
    asked = max(settings.min_cells, math.ceil(settings.min_cell_share * n))
    wanted = min(asked, max(1, int(MAX_CELL_SHARE * n)))
    how = f"max({settings.min_cells}, {settings.min_cell_share:.0%} of {n}) = {asked} cells"
    if wanted < asked:
        how += f", here {wanted}, half of the {n} there are"
    return GeneFilter(
        f"genes detected in fewer than {how} are left out",
        "cells in which the gene is detected",
        count_positive(values).astype(np.float64),
        float(wanted),
        "filter.min_cells and filter.min_cell_share",
    )


def _spread(values: Any, settings: FilterConfig) -> GeneFilter:
    sd = mean_and_sd(values)[1]
    varying = sd[sd > 0]
    middle = float(np.median(varying)) if len(varying) else 0.0
    return GeneFilter(
        f"genes whose standard deviation is below {settings.min_relative_sd:g} of the genes' median one "
        f"({middle:.3g}) are left out",
        "standard deviation over the genes' median one",
        sd / middle if middle > 0 else np.zeros_like(sd),
        settings.min_relative_sd,
        "filter.min_relative_sd",
    )
