"""What some half-samples of all conditions tied: whole numbers that add up in any order, and their file."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from netinfer.models.comparison.conditions import Conditions
from netinfer.models.comparison.fits import JointFit
from netinfer.models.precision.fits import Certificates, pair_index, tied
from netinfer.models.precision.tally import read_arrays, write_arrays


@dataclasses.dataclass
class JointTally:
    """Counts of pairs of genes over some half-samples.

    Attributes
    ----------
    n_tied, n_positive : uint16 arrays, shape (n_conditions, n_pairs)
        Half-samples that tie the pair in a condition, and tie it with a positive partial correlation.
    n_shared, n_flipped : uint16 arrays, shape (n_conditions, n_pairs)
        Half-samples that tie it there and in the reference, with the same sign and with opposite ones; 0 in the row of
        the reference.
    n_selected : int64 array, shape (n_conditions,)
        Pairs tied, summed over the half-samples.
    pairs_of_halves : list of int
        Which pairs of half-samples are in it.
    """

    n_tied: np.ndarray
    n_positive: np.ndarray
    n_shared: np.ndarray
    n_flipped: np.ndarray
    n_selected: np.ndarray
    pairs_of_halves: list[int] = dataclasses.field(default_factory=list)

    @classmethod
    def empty(cls, n_conditions: int, n_pairs: int) -> JointTally:
        """Return the tally of no half-sample."""
        tied, positive, shared, flipped = (np.zeros((n_conditions, n_pairs), np.uint16) for _ in range(4))
        return cls(tied, positive, shared, flipped, np.zeros(n_conditions, np.int64))

    def add(self, found: JointFit, conditions: Conditions) -> None:
        """Add one half-sample of each condition, fitted together."""
        ends = []
        for k, graph in enumerate(found.graphs):
            place, value = universal_ties(graph, conditions, k)
            sign = np.sign(value).astype(np.int8)
            self.n_tied[k, place] += 1
            self.n_positive[k, place[sign > 0]] += 1
            self.n_selected[k] += len(place)
            ends.append((place, sign))
        signs = np.zeros(self.n_tied.shape[1], np.int8)
        place, sign = ends[conditions.reference_place]
        signs[place] = sign
        for k, (place, sign) in enumerate(ends):
            if k != conditions.reference_place:
                both = signs[place] * sign
                self.n_shared[k, place[both > 0]] += 1
                self.n_flipped[k, place[both < 0]] += 1

    def __iadd__(self, other: JointTally) -> JointTally:
        """Add the half-samples of another tally."""
        for name in ("n_tied", "n_positive", "n_shared", "n_flipped", "n_selected"):
            getattr(self, name)[...] += getattr(other, name)
        self.pairs_of_halves += other.pairs_of_halves
        return self

    def save(self, path: str | Path, fingerprint: str, certificates: Certificates) -> None:
        """Write the tally with a checksum: of pairs only those that a half-sample ties."""
        seen = np.flatnonzero(self.n_tied.any(axis=0))
        arrays = {
            "shape": np.array(self.n_tied.shape),
            "seen": seen,
            "n_tied": self.n_tied[:, seen],
            "n_positive": self.n_positive[:, seen],
            "n_shared": self.n_shared[:, seen],
            "n_flipped": self.n_flipped[:, seen],
            "n_selected": self.n_selected,
            "pairs_of_halves": np.array(self.pairs_of_halves, dtype=np.int64),
        }
        write_arrays(path, arrays, fingerprint, certificates)

    @classmethod
    def load(cls, path: str | Path, fingerprint: str, certificates: Certificates) -> JointTally:
        """Read a tally back and note its fits.

        Raises
        ------
        RunError
            If the file is missing, damaged, or of other data or settings.
        """
        arrays = read_arrays(path, fingerprint, certificates)
        tally = cls.empty(*arrays["shape"].tolist())
        for name in ("n_tied", "n_positive", "n_shared", "n_flipped"):
            getattr(tally, name)[:, arrays["seen"]] = arrays[name]
        tally.n_selected = arrays["n_selected"]
        tally.pairs_of_halves = arrays["pairs_of_halves"].tolist()
        return tally


def universal_ties(graph, conditions: Conditions, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where a condition's ties are among all pairs of all genes, and their partial correlations."""
    i, j, value = tied(graph)
    place = conditions.places[k]
    return pair_index(place[i], place[j], len(conditions.genes)), value
