"""Decoys: regulators whose ties to the targets are chance, run through the same half-samples.

One permutation of the units moves the rows of all regulators, so that their own correlations are kept and every tie
to a target is broken. How many pairs of a decoy and a target pass the network's cut is an observed number of chance
edges, to stand beside the bound. It tests chance, not confounding: what moves regulators and targets alike is broken
with the ties.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from netinfer.config import RegressionConfig
from netinfer.models.regression.chunk import Chunk, Half
from netinfer.models.regression.part import RegressionPart
from netinfer.models.regression.problem import RegressionProblem
from netinfer.models.regression.wide import Block, WideHalf
from netinfer.stability.subsamples import raw_words

# A stream of the generator that no pair of half-samples uses.
DECOY_STREAM = 2**63
# A direction of the covariates with less than this share of the largest one is rounding.
DEPENDENT = 1e-9


def decoy_rows(unit_rows: Sequence[np.ndarray], strata: np.ndarray | None = None, *, seed: int) -> np.ndarray:
    """Return the sample whose regulators each sample gets as decoys.

    Parameters
    ----------
    unit_rows : sequence of int arrays
        Samples of each unit; every sample is in one.
    strata : int array, shape (n_units,), optional
    seed : int, >= 0

    Returns
    -------
    int array, shape (n_samples,)
        The units of a stratum follow one random cycle, so that none keeps its own rows. The rows of a unit come in
        random order; where the unit that gets them is larger they start again, where it is smaller the last are left.
    """
    n_samples = sum(len(rows) for rows in unit_rows)
    words = raw_words(seed, DECOY_STREAM, len(unit_rows) + n_samples)
    order = np.argsort(words[: len(unit_rows)], kind="stable")
    within = words[len(unit_rows) :]
    codes = np.zeros(len(unit_rows), np.int64) if strata is None else strata
    out = np.empty(n_samples, np.int64)
    for stratum in np.unique(codes):
        members = order[codes[order] == stratum]
        for unit, giver in zip(members, np.roll(members, -1), strict=True):
            given = unit_rows[giver][np.argsort(within[unit_rows[giver]], kind="stable")]
            out[unit_rows[unit]] = np.resize(given, len(unit_rows[unit]))
    return out


def decoy_problem(problem: RegressionProblem, seed: int) -> RegressionProblem:
    """Return the problem with decoys in the place of the regulators.

    They are copies of what covariates and means of strata leave of the regulators: these are shared with the targets,
    and a tie by them would be no chance.
    """
    shared = problem.covariates
    if problem.strata is not None:
        of_sample = np.empty(len(problem.regulators), np.int64)
        for code, rows in zip(problem.strata, problem.unit_rows, strict=True):
            of_sample[rows] = code
        strata = (of_sample[:, None] == np.unique(of_sample)).astype(float)
        shared = np.concatenate([shared, strata - strata.mean(axis=0)], axis=1)
    left = problem.regulators
    if shared.shape[1]:
        basis, sizes, _ = np.linalg.svd(shared, full_matrices=False)
        basis = basis[:, sizes > DEPENDENT * sizes[0]] if sizes[0] > 0 else basis[:, :0]
        left = left - basis @ (basis.T @ left)
    rows = decoy_rows(problem.unit_rows, problem.strata, seed=seed)
    return dataclasses.replace(problem, regulators=np.ascontiguousarray(left[rows]))


def with_decoys(part: RegressionPart, decoys: RegressionPart, problem: RegressionProblem, settings: RegressionConfig):
    """Return a part with what its decoys' part counted; neither may depend on the other."""
    is_gated = decoys.n_most > settings.n_subsamples // 2
    is_gated &= ~problem.is_free(decoys.pair_target, decoys.pair_regulator)
    return dataclasses.replace(
        part,
        decoy_n_selected=decoys.n_selected,
        decoy_n_union=decoys.n_union,
        decoy_target=decoys.pair_target[is_gated],
        decoy_regulator=decoys.pair_regulator[is_gated],
        decoy_counts=decoys.gate_counts,
    )


class DecoyChunk(Chunk):
    """The selections of a chunk of targets among the decoys; no coefficients, no effects."""

    def fit(self, s: slice, half: Half, other: Half, split: int) -> None:
        """Count one half-sample's selections."""
        self.count(s, half, self.penalties)


class DecoyBlock(Block):
    """The same for more candidates than a Gram matrix serves."""

    def fit_slice(self, s: slice, half: WideHalf, other: WideHalf, split: int) -> None:
        """Count one half-sample's selections."""
        for t in range(s.start, s.stop):
            if half.target_varies[t]:
                self.count_one(t, half, self.weights_in(t, half), self.penalties)
