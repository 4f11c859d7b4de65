"""What the rules read of the half-samples, and what a bound says of a share of false edges."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class SelectionCounts:
    """What the half-samples selected, over the whole network.

    Attributes
    ----------
    n_subsamples : int
        Half-samples, 2 B for B complementary pairs.
    n_candidates : float array, shape (n_targets,)
        Candidate regulators of each target.
    n_selected : float array, shape (n_targets, n_penalties)
        Mean number of regulators selected at each penalty, q in the papers.
    n_union : float array, shape (n_targets, n_penalties)
        Mean number selected at that penalty or a larger one.
    counts : int array, shape (n_pairs, n_penalties)
        Half-samples that selected the pair, for every pair that some penalty selects in more than half of them.
    """

    n_subsamples: int
    n_candidates: np.ndarray
    n_selected: np.ndarray
    n_union: np.ndarray
    counts: np.ndarray

    def pooled(self) -> SelectionCounts:
        """Return the counts as if all pairs were the candidates of one target."""
        return dataclasses.replace(
            self,
            n_candidates=self.n_candidates.sum(keepdims=True),
            n_selected=self.n_selected.sum(axis=0, keepdims=True),
            n_union=self.n_union.sum(axis=0, keepdims=True),
        )


def q_values(bound: np.ndarray) -> np.ndarray:
    """Return, for each pair, the smallest bound / number selected over the cuts that include it, at most 1.

    Parameters
    ----------
    bound : float array, shape (n_pairs,)
        Expected false selections at the cut that each pair stands for.

    Returns
    -------
    float array, shape (n_pairs,)
        NaN where the bound is infinite. An estimate of the false discovery rate, not a bound on it.
    """
    order = np.argsort(bound, kind="stable")
    ordered = bound[order]
    selected = np.searchsorted(ordered, ordered, side="right")
    ratio = np.minimum.accumulate((ordered / np.maximum(selected, 1))[::-1])[::-1]
    out = np.empty(len(bound))
    out[order] = np.minimum(ratio, 1.0)
    out[~np.isfinite(bound)] = np.nan
    return out
