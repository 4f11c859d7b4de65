"""What some half-samples tied: whole numbers that add up in any order, and the file that carries them between jobs."""

from __future__ import annotations

import dataclasses
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netinfer.errors import RunError
from netinfer.io.files import arrays_checksum, atomic_write
from netinfer.models.precision.fits import Certificates

FORMAT = 1


@dataclasses.dataclass
class Tally:
    """Counts of pairs of genes over some half-samples.

    Attributes
    ----------
    penalties : float array, shape (n_penalties,), decreasing
    ranking : int
        Place of the penalty whose signs are counted.
    pairs_of_halves : list of int
        Which pairs of half-samples are in it.
    counts : uint16 array, shape (n_pairs, n_penalties)
        Half-samples that tie the pair.
    n_selected, n_union : int arrays, shape (n_penalties,)
        Pairs tied at that penalty, and at that or a larger one, summed over the half-samples.
    n_positive, n_negative : uint16 arrays, shape (n_pairs,)
    largest : float array, shape (n_genes,)
        Smallest penalty at which no half-sample ties the gene to another.
    """

    penalties: np.ndarray
    ranking: int
    counts: np.ndarray
    n_selected: np.ndarray
    n_union: np.ndarray
    n_positive: np.ndarray
    n_negative: np.ndarray
    largest: np.ndarray
    pairs_of_halves: list[int] = dataclasses.field(default_factory=list)

    @classmethod
    def empty(cls, n_genes: int, penalties: np.ndarray, ranking_penalty: float | None) -> Tally:
        """Return the tally of no half-sample; signs are counted at `ranking_penalty`, by default the last."""
        n, k = n_genes * (n_genes - 1) // 2, len(penalties)
        ranking = k - 1 if ranking_penalty is None else int(np.flatnonzero(penalties == ranking_penalty)[0])
        return cls(
            penalties=np.asarray(penalties, dtype=np.float64),
            ranking=ranking,
            counts=np.zeros((n, k), np.uint16),
            n_selected=np.zeros(k, np.int64),
            n_union=np.zeros(k, np.int64),
            n_positive=np.zeros(n, np.uint16),
            n_negative=np.zeros(n, np.uint16),
            largest=np.zeros(n_genes),
        )

    def add(self, pairs: Sequence[np.ndarray], signs: Sequence[np.ndarray], largest: np.ndarray) -> None:
        """Add one half-sample: the places of the pairs tied at each penalty, and their signs."""
        seen = np.zeros(len(self.counts), bool)
        for k, tied in enumerate(pairs):
            self.counts[tied, k] += 1
            self.n_selected[k] += len(tied)
            seen[tied] = True
            self.n_union[k] += np.count_nonzero(seen)
        tied, sign = pairs[self.ranking], signs[self.ranking]
        self.n_positive[tied[sign > 0]] += 1
        self.n_negative[tied[sign < 0]] += 1
        np.maximum(self.largest, largest, out=self.largest)

    def __iadd__(self, other: Tally) -> Tally:
        """Add the half-samples of another tally."""
        for name in ("counts", "n_selected", "n_union", "n_positive", "n_negative"):
            getattr(self, name)[...] += getattr(other, name)
        np.maximum(self.largest, other.largest, out=self.largest)
        self.pairs_of_halves += other.pairs_of_halves
        return self

    def save(self, path: str | Path, fingerprint: str, certificates: Certificates) -> None:
        """Write the tally with a checksum: of pairs only those that a half-sample ties."""
        seen = np.flatnonzero(self.counts.any(axis=1))
        arrays = {
            "penalties": self.penalties,
            "ranking": np.array(self.ranking),
            "seen": seen,
            "counts": self.counts[seen],
            "n_selected": self.n_selected,
            "n_union": self.n_union,
            "n_positive": self.n_positive[seen],
            "n_negative": self.n_negative[seen],
            "largest": self.largest,
            "pairs_of_halves": np.array(self.pairs_of_halves, dtype=np.int64),
        }
        write_arrays(path, arrays, fingerprint, certificates)

    @classmethod
    def load(cls, path: str | Path, fingerprint: str, certificates: Certificates) -> Tally:
        """Read a tally back and note its fits.

        Raises
        ------
        RunError
            If the file is missing, damaged, or of other data or settings.
        """
        arrays = read_arrays(path, fingerprint, certificates)
        tally = cls.empty(len(arrays["largest"]), arrays["penalties"], None)
        tally.ranking = int(arrays["ranking"])
        for name in ("counts", "n_positive", "n_negative"):
            getattr(tally, name)[arrays["seen"]] = arrays[name]
        tally.n_selected, tally.n_union, tally.largest = (arrays[name] for name in ("n_selected", "n_union", "largest"))
        tally.pairs_of_halves = arrays["pairs_of_halves"].tolist()
        return tally


def write_arrays(path: str | Path, arrays: dict[str, np.ndarray], fingerprint: str, certificates: Certificates) -> None:
    """Write counts with the record of their fits, what they were made from, and a checksum."""
    arrays = {
        **arrays,
        "fits": np.array([certificates.n_fits, certificates.n_failed]),
        "worst": np.array(certificates.worst),
        "fingerprint": np.array(fingerprint),
    }
    with atomic_write(path, mode="wb") as handle:
        stored: dict[str, Any] = {"format": FORMAT, "checksum": arrays_checksum(arrays), **arrays}
        np.savez_compressed(handle, **stored)


def read_arrays(path: str | Path, fingerprint: str, certificates: Certificates) -> dict[str, np.ndarray]:
    """Read back what `write_arrays` wrote and note its fits.

    Raises
    ------
    RunError
        If the file is missing, damaged, or of other data or settings.
    """
    try:
        with Path(path).open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        is_known = int(arrays.pop("format")) == FORMAT and str(arrays.pop("checksum")) == arrays_checksum(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as fault:
        what = f"missing or damaged ({type(fault).__name__})"
        raise RunError(f"{path}: {what}: delete it and run again, only it is made anew") from fault
    if not is_known:
        raise RunError(f"{path}: does not match its checksum: delete it and run again; only it is made anew")
    if str(arrays["fingerprint"]) != fingerprint:
        raise RunError(f"{path}: made from other data or settings: delete it and run again")
    n_fits, n_failed = arrays["fits"].tolist()
    certificates.join(n_fits, n_failed, float(arrays["worst"]))
    return arrays
