"""Half-samples of many targets with nothing around them: moments, paths, counts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from netinfer.moments import from_matrix
from netinfer.solvers.active import make_workspace, padded
from netinfer.solvers.batch import count_selections
from netinfer.solvers.path import GAP_TOLERANCE, MAX_SWEEPS
from netinfer.stability.counts import SelectionCounts
from netinfer.stability.subsamples import complementary_pair


class Selections(NamedTuple):
    """What the half-samples selected: (n_targets, n_predictors, n_penalties), (n_targets, n_penalties) twice."""

    counts: np.ndarray
    n_selected: np.ndarray
    n_union: np.ndarray
    gap: float
    n_halves: int

    def for_rules(self) -> tuple[SelectionCounts, np.ndarray, np.ndarray]:
        """Return what the rules read, and target and predictor of each pair that may pass."""
        target, predictor = np.nonzero(self.counts.max(axis=2) > self.n_halves // 2)
        n_targets, n_predictors = self.counts.shape[:2]
        found = SelectionCounts(
            n_subsamples=self.n_halves,
            n_candidates=np.full(n_targets, float(n_predictors)),
            n_selected=self.n_selected / self.n_halves,
            n_union=self.n_union / self.n_halves,
            counts=self.counts[target, predictor],
        )
        return found, target, predictor


def halves(X, Y, everything, pair: int, seed: int = 0):
    """Return the moments of both halves of a pair; the second half's by subtraction."""
    first, second = complementary_pair(len(X), pair, seed=seed)
    moments = from_matrix(X, Y, first)
    rest = everything - moments
    left = np.setdiff1d(np.arange(len(X)), np.concatenate([first, second]))
    return moments, rest - from_matrix(X, Y, left) if left.size else rest


def select(X, Y, penalties, n_halves: int, threads: int = 1, seed: int = 0) -> Selections:
    """Count the selections of every target over half-samples."""
    p, g = X.shape[1], Y.shape[1]
    counts, gap, coef = np.zeros((g, p, len(penalties)), np.uint16), np.zeros(g), np.zeros((g, p))
    n_selected, n_union = np.zeros((g, len(penalties)), np.int64), np.zeros((g, len(penalties)), np.int64)
    own, weights = np.full(g, -1), np.ones((1, p))
    blocks = np.array_split(np.arange(g), max(1, min(4 * threads, g))) if threads > 1 else [np.arange(g)]
    with ThreadPoolExecutor(threads) as pool:
        everything = from_matrix(X, Y)
        for pair in range(n_halves // 2):
            for moments in halves(X, Y, everything, pair, seed):
                gram, cross = moments.standardised()
                gram = padded(gram)

                def block(places, gram=gram, cross=cross):
                    s = slice(places[0], places[-1] + 1)
                    count_selections(
                        gram, cross[s], own[s], weights, 1.0, penalties, make_workspace(p), 100 + 20 * p,
                        GAP_TOLERANCE, MAX_SWEEPS, counts[s], n_selected[s], n_union[s], gap[s], len(penalties),
                        coef[s],
                    )  # fmt: skip

                list(pool.map(block, blocks))
    return Selections(counts, n_selected, n_union, float(gap.max()), n_halves)
