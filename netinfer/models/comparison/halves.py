"""Half-samples of all conditions: one half of each is fitted together with one half of every other.

Pair k of a condition is drawn from its own units. The counts are of the joint procedure: what one condition selects
depends on the others where the similarity is above 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from netinfer.models.comparison.conditions import Conditions
from netinfer.models.comparison.fits import JointFit, Penalties, joint_fit
from netinfer.models.comparison.tally import JointTally
from netinfer.models.precision.correlations import Correlations
from netinfer.models.precision.fits import Certificates


def whole_fit(
    correlations: Sequence[Correlations],
    conditions: Conditions,
    penalties: Penalties,
    certificates: Certificates,
    *,
    threads: int,
) -> JointFit:
    """Fit all samples of all conditions."""
    matrices = [one.whole.matrix for one in correlations]
    return joint_fit(matrices, conditions.gene_names, penalties, certificates, threads=threads)


def count_halves(
    correlations: Sequence[Correlations],
    conditions: Conditions,
    whole: JointFit,
    penalties: Penalties,
    pairs: Sequence[int],
    *,
    seed: int,
    threads: int,
    certificates: Certificates,
) -> JointTally:
    """Count what some pairs of half-samples tie; tallies of other pairs can be added."""
    tally = JointTally.empty(len(conditions.names), conditions.n_pairs)
    genes = conditions.gene_names

    def both(pair: int) -> list[JointFit]:
        halves = [one.halves(*one.genes.halves(pair, seed)) for one in correlations]
        return [
            joint_fit([half[side] for half in halves], genes, penalties, certificates, start=whole) for side in (0, 1)
        ]

    with ThreadPoolExecutor(max_workers=threads) as pool:
        # A few pairs at a time, so that finished ones do not wait in memory.
        for start in range(0, len(pairs), threads):
            for halves in pool.map(both, pairs[start : start + threads]):
                for found in halves:
                    tally.add(found, conditions)
    tally.pairs_of_halves = list(pairs)
    return tally
