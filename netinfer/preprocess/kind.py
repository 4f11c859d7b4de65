"""Tell raw counts, log values and z-scores apart by the numbers alone, and say by which."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from netinfer.preprocess.statistics import mean_and_sd

if TYPE_CHECKING:
    from anndata import AnnData

# log2 of the largest 16-bit intensity is 16, of the largest RNA-seq count some 25: logs stay far below this,
# while TPM, FPKM and intensities of real tables pass it.
MAX_LOG = 50.0
_PIECE = 1 << 20


@dataclass(frozen=True)
class InputKind:
    """What the values look like and the figures that say so."""

    kind: str  # counts, log, zscore or other
    low: float
    high: float
    share_integer: float  # share of values that are whole numbers
    share_negative: float
    gene_mean: float  # median over genes of |mean|
    gene_sd: float  # median over genes of the standard deviation

    @property
    def figures(self) -> str:
        """The figures, for a sentence."""
        return (
            f"range {self.low:.6g} to {self.high:.6g}, {self.share_integer:.1%} whole numbers, "
            f"{self.share_negative:.1%} negative, "
            f"median over genes of |mean| {self.gene_mean:.3g} and of the standard deviation {self.gene_sd:.3g}"
        )


def recognise(values: Any) -> InputKind:
    """Recognise the kind of an expression matrix.

    * counts: no negative value, whole numbers only, at least one above 1;
    * zscore: negative values, genes centred (median |mean| at most a quarter of the median sd) with sd 0.5 to 1.5;
    * log: anything else within -50 to 50;
    * other: larger values that are no counts (TPM, FPKM, intensities, estimated counts).

    Parameters
    ----------
    values : float64 array or CSR, shape (n_samples, n_genes)
        Finite.

    Returns
    -------
    InputKind
    """
    stored = values.data if sparse.issparse(values) else values
    n_implicit = values.shape[0] * values.shape[1] - stored.size
    n_integer, n_negative = n_implicit, 0
    # Row by row of a dense matrix, in pieces of the stored values of a sparse one: no temporary of the whole size.
    for piece in stored if stored.ndim == 2 else np.array_split(stored, max(1, stored.size // _PIECE)):
        n_integer += int(np.count_nonzero(piece == np.floor(piece)))
        n_negative += int(np.count_nonzero(piece < 0))
    low = min(float(stored.min(initial=np.inf)), 0.0 if n_implicit else np.inf)
    high = max(float(stored.max(initial=-np.inf)), 0.0 if n_implicit else -np.inf)
    mean, sd = mean_and_sd(values)
    gene_mean, gene_sd = float(np.median(np.abs(mean))), float(np.median(sd))
    size = values.shape[0] * values.shape[1]
    if low >= 0 and n_integer == size and high > 1:
        kind = "counts"
    elif n_negative and gene_mean <= 0.25 * gene_sd and 0.5 <= gene_sd <= 1.5:
        kind = "zscore"
    elif max(-low, high) <= MAX_LOG:
        kind = "log"
    else:
        kind = "other"
    return InputKind(kind, low, high, n_integer / size, n_negative / size, gene_mean, gene_sd)


def warn_of_counts(expression: AnnData, where: str) -> None:
    """Warn of raw counts that nobody normalized; `normalize` writes down the kind of what it got, also for "none"."""
    if "input_kind" in expression.uns.get("netinfer", {}):
        return
    seen = recognise(expression.X)
    if seen.kind == "counts":
        warnings.warn(
            f"{where}: these look like raw counts (whole numbers, {seen.low:.6g} to {seen.high:.6g}) that "
            "were not normalized, so that the depth of a sample moves all of its genes: call netinfer.normalize first; "
            "where they are meant as they are, netinfer.normalize(adata, 'none') says so",
            stacklevel=3,
        )
