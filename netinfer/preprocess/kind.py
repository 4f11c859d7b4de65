"""Tell raw counts, log values and z-scores apart by the numbers alone, and say by which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# log2 of the largest 16-bit intensity is 16, of the largest RNA-seq count some 25: logs stay far below this,
# while TPM, FPKM and intensities of real tables pass it.
MAX_LOG = 50.0
_BLOCK = 1024


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


def recognise(values: np.ndarray) -> InputKind:
    """Recognise the kind of an expression matrix.

    * counts: no negative value, whole numbers only, at least one above 1;
    * zscore: negative values, genes centred (median |mean| at most a quarter of the median sd) with sd 0.5 to 1.5;
    * log: anything else within -50 to 50;
    * other: larger values that are no counts (TPM, FPKM, intensities, estimated counts).

    Parameters
    ----------
    values : float64 array, shape (n_samples, n_genes)
        Finite.

    Returns
    -------
    InputKind
    """
    n_integer = n_negative = 0
    for row in values:
        n_integer += int(np.count_nonzero(row == np.floor(row)))
        n_negative += int(np.count_nonzero(row < 0))
    low, high = float(values.min()), float(values.max())
    with np.errstate(over="ignore", invalid="ignore"):
        blocks = [values[:, start : start + _BLOCK] for start in range(0, values.shape[1], _BLOCK)]
        gene_mean = float(np.median(np.abs(np.concatenate([block.mean(axis=0) for block in blocks]))))
        gene_sd = float(np.median(np.concatenate([block.std(axis=0) for block in blocks])))
    if low >= 0 and n_integer == values.size and high > 1:
        kind = "counts"
    elif n_negative and gene_mean <= 0.25 * gene_sd and 0.5 <= gene_sd <= 1.5:
        kind = "zscore"
    elif max(-low, high) <= MAX_LOG:
        kind = "log"
    else:
        kind = "other"
    return InputKind(kind, low, high, n_integer / values.size, n_negative / values.size, gene_mean, gene_sd)
