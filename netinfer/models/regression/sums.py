"""The running sums over the half-samples of some targets, and the file that keeps them.

Half-sample k depends on the seed and on k alone, and the sums are added up in the order of k. So sums that were kept
after 50 half-samples and raised by 150 more are, bit for bit, those of 200 at once.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import logging
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import netinfer
from netinfer.config import RegressionConfig
from netinfer.errors import RunError
from netinfer.io.files import atomic_path, sha256_file
from netinfer.models.regression.part import NOT_FITTED

logger = logging.getLogger(__name__)

FORMAT = 3
# Seconds between two writes in the middle of a chunk: what a killed job loses at most.
SAVE_EVERY = 300.0
_DIGEST = 64
_BY_TARGET = ("n_selected", "n_union", "gap", "largest", "r2", "n_scored")
_BY_PAIR = ("counts", "magnitude", "total", "n_positive", "n_negative")
_BY_CHOICE = ("chosen", "estimate", "half_width")


class Sums:
    """What the half-samples of some targets add up to.

    Attributes
    ----------
    counts : uint16 array, shape (n_targets, n_regulators, n_penalties)
        Half-samples that select the pair.
    n_selected, n_union : int arrays, shape (n_targets, n_penalties)
    gap, largest : float arrays, shape (n_targets,)
        Worst relative duality gap; smallest penalty that selects nothing.
    magnitude, total : float arrays, shape (n_targets, n_regulators)
        Sums of |coefficient| and of coefficients at the ranking penalty.
    n_positive, n_negative : uint16 arrays, shape (n_targets, n_regulators)
    r2, n_scored : arrays, shape (n_targets,)
    chosen, estimate, half_width : arrays, shape (n_targets, n_subsamples, n_most)
        Of each half-sample the regulators that least squares took, -1 behind the last, with what it gave.
    n_units : int array, shape (n_subsamples,)
        Independent units that this least squares counted: of the other half, less what the covariates take.
    """

    def __init__(self, n_targets: int, n_regulators: int, n_penalties: int, n_subsamples: int, n_most: int) -> None:
        n, p, k = n_targets, n_regulators, n_penalties
        self.n_most = n_most
        self.counts = np.zeros((n, p, k), np.uint16)
        self.n_selected, self.n_union = np.zeros((n, k), np.int64), np.zeros((n, k), np.int64)
        self.gap, self.largest = np.zeros(n), np.zeros(n)
        self.magnitude, self.total = np.zeros((n, p)), np.zeros((n, p))
        self.n_positive, self.n_negative = np.zeros((n, p), np.uint16), np.zeros((n, p), np.uint16)
        self.r2, self.n_scored = np.zeros(n), np.zeros(n, np.int64)
        self.chosen = np.full((n, n_subsamples, n_most), -1, np.int32)
        self.estimate, self.half_width = np.zeros(self.chosen.shape), np.zeros(self.chosen.shape)
        self.n_units = np.zeros(n_subsamples, np.int64)

    def packed(self, n_done: int) -> dict[str, np.ndarray]:
        """Return the sums after `n_done` half-samples: of pairs only those that one of them selected or chose."""
        is_seen = self.counts.any(axis=2) | (self.magnitude > 0)
        is_chosen = self.chosen[:, :n_done] >= 0
        return {
            "n_done": np.array(n_done),
            "n_units": self.n_units[:n_done],
            "pairs": np.flatnonzero(is_seen),
            "n_chosen": is_chosen.sum(axis=2).astype(np.uint8),
            **{name: getattr(self, name) for name in _BY_TARGET},
            **{name: getattr(self, name)[is_seen] for name in _BY_PAIR},
            **{name: getattr(self, name)[:, :n_done][is_chosen] for name in _BY_CHOICE},
        }

    def takes(self, kept: dict[str, np.ndarray]) -> bool:
        """Say whether kept sums are of these targets, regulators and penalties."""
        n, p, k = self.counts.shape
        n_chosen = kept["n_chosen"]
        return (
            all(len(kept[name]) == n for name in _BY_TARGET)
            and kept["counts"].shape == (len(kept["pairs"]), k)
            and bool((kept["pairs"] < n * p).all())
            and n_chosen.shape == (n, int(kept["n_done"]))
            and bool((n_chosen <= self.n_most).all())
        )

    def unpack(self, kept: dict[str, np.ndarray]) -> int:
        """Take over kept sums; return the number of half-samples in them."""
        n_done = int(kept["n_done"])
        n, p, _ = self.counts.shape
        self.n_units[:n_done] = kept["n_units"]
        for name in _BY_TARGET:
            getattr(self, name)[:] = kept[name]
        for name in _BY_PAIR:
            sums = getattr(self, name)
            sums.reshape(n * p, *sums.shape[2:])[kept["pairs"]] = kept[name]
        is_chosen = np.arange(self.n_most) < kept["n_chosen"][:, :, None]
        for name in _BY_CHOICE:
            getattr(self, name)[:, :n_done][is_chosen] = kept[name]
        return n_done


class SumsFile:
    """Where the sums of some targets are kept between two runs.

    Parameters
    ----------
    path : path or None
        None keeps nothing.
    key : str
        What the sums depend on besides the number of half-samples; sums under another key are not taken.
    n_subsamples : int
        Half-samples asked for.

    Notes
    -----
    Nothing about the file is an error: where it is missing, damaged, of other data or settings, or cannot be written,
    the log says so in a line and the half-samples are fitted.
    """

    def __init__(self, path: str | Path | None, key: str, n_subsamples: int) -> None:
        self.path = None if path is None else Path(path)
        self.key, self.n_subsamples = key, n_subsamples

    def missing_pairs(self, sums: Sums) -> Iterator[int]:
        """Fill `sums` with what is kept, and give the pairs of half-samples that are to be added, in order.

        The sums are written every five minutes and behind the last pair.
        """
        n_done = self._restore(sums)
        last = time.monotonic()
        for pair in range(n_done // 2, self.n_subsamples // 2):
            yield pair
            is_last = 2 * pair + 2 == self.n_subsamples
            if is_last or time.monotonic() - last >= SAVE_EVERY:
                self._save(sums, 2 * pair + 2)
                last = time.monotonic()

    def _restore(self, sums: Sums) -> int:
        if self.path is None or not self.path.exists():
            return 0
        kept, fault = _read(self.path)
        if not fault and (str(kept["key"]) != self.key or not sums.takes(kept)):
            fault = "of other data, settings, chunks or code"
        if not fault and int(kept["n_done"]) > self.n_subsamples:
            fault = f"of {int(kept['n_done'])} half-samples, more than {self.n_subsamples}, and left as they are"
            path, self.path = self.path, None
            logger.info("%s: kept sums %s: fitted anew", path, fault)
            return 0
        if fault:
            logger.warning("%s: kept sums %s: fitted anew", self.path, fault)
            return 0
        n_done = sums.unpack(kept)
        logger.info("%s: %d of %d half-samples are kept there", self.path, n_done, self.n_subsamples)
        return n_done

    def _save(self, sums: Sums, n_done: int) -> None:
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(self.path) as temporary:
                _write(temporary, {"key": np.array(self.key), **sums.packed(n_done)})
                digest = sha256_file(temporary)
                with temporary.open("ab") as handle:
                    handle.write(digest.encode())
        except (OSError, RunError) as error:
            logger.warning("sums are not kept: %s", error)
            self.path = None


def sums_key(data: str, where: slice, settings: RegressionConfig, seed: int) -> str:
    """Hash all that the sums of some targets depend on, except the number of half-samples.

    `data` is the fingerprint of the problem.
    """
    fitted = settings.model_dump(mode="json", exclude={*NOT_FITTED, "n_subsamples", "decoys"})
    what = {
        "format": FORMAT,
        "code": _code(),
        "settings": fitted,
        "seed": int(seed),
        "targets": [where.start, where.stop],
        "data": data,
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


@functools.cache
def _code() -> str:
    """Hash the code that fits: sums of another release, or of an edited checkout, are not added to."""
    # Another numpy may bring another BLAS, whose last bits differ.
    digest = hashlib.sha256(f"{netinfer.__version__} {np.__version__}".encode())
    home = Path(netinfer.__file__).parent
    for folder in ("moments", "solvers", "stability", "models/regression"):
        for source in sorted((home / folder).glob("*.py")):
            digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as numpy's .npz; whole numbers are compressed, what least squares gave would only cost time."""
    with path.open("xb") as handle, zipfile.ZipFile(handle, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")
            if array.dtype.kind == "f":
                with archive.open(entry, "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)
            else:
                buffer = io.BytesIO()
                np.lib.format.write_array(buffer, array, allow_pickle=False)
                archive.writestr(entry, buffer.getbuffer(), zipfile.ZIP_DEFLATED, compresslevel=1)


def _read(path: Path) -> tuple[dict[str, np.ndarray], str]:
    """Read kept sums; the second is what is wrong with them, and empty where nothing is."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return {}, f"that cannot be read ({error.strerror})"
    body, digest = content[:-_DIGEST], content[-_DIGEST:]
    # Before anything is parsed, so that a damaged file never gets into numpy's reader.
    if hashlib.sha256(body).hexdigest().encode() != digest:
        return {}, "that are damaged"
    with np.load(io.BytesIO(body), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}, ""
