"""The result of one chunk of targets, as a file that is checked before it is used."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from netinfer.config import RegressionConfig
from netinfer.errors import RunError
from netinfer.io.files import arrays_checksum, atomic_write
from netinfer.models.regression.problem import RegressionProblem

FORMAT = 3
# Settings that no number of a part depends on: the rule and its constants only read the counts.
NOT_FITTED = frozenset({"rule", "threshold", "truncation", "pooled", "resumable"})


def _no_pairs() -> np.ndarray:
    return np.zeros(0, np.int32)


def _no_counts() -> np.ndarray:
    return np.zeros((0, 0), np.uint16)


@dataclasses.dataclass(frozen=True)
class RegressionPart:
    """What the half-samples of one chunk of targets gave.

    Attributes
    ----------
    chunk : (int, int)
        Which of how many, counted from 1.
    settings_hash : str
        Hash of data, settings and seed.
    first_target, n_targets : int
    penalties : float array, shape (n_penalties,)
        Of the gate.
    n_selected, n_union : int arrays, shape (n_targets, n_penalties)
        Sums over the half-samples of the numbers selected at, and down to, each penalty.
    duality_gap, largest_penalty, r2_heldout : float arrays, shape (n_targets,)
        Worst relative gap of any fit; mean of nothing where a target is constant.
    pair_target, pair_regulator : int arrays, shape (n_pairs,)
    weight, effect, effect_low, effect_high, partial_r2 : float arrays, shape (n_pairs,)
    sign, n_agree, n_nonzero, n_most : int arrays, shape (n_pairs,)
        ``n_most`` is the largest number of half-samples that selected the pair at one penalty.
    gate_counts : int array, shape (n_gate_pairs, n_penalties)
        For the pairs with ``n_most`` above half, in their order.
    decoy_n_selected, decoy_n_union : int arrays, shape (n_targets, n_penalties)
        As ``n_selected`` and ``n_union``, with decoys (`netinfer.models.regression.decoys`) in the place of the
        regulators; no rows where none were asked for.
    decoy_target, decoy_regulator : int arrays, shape (n_decoy_pairs,)
        Pairs of a target and the decoy of a regulator that some penalty selects in more than half.
    decoy_counts : int array, shape (n_decoy_pairs, n_penalties)
    """

    chunk: tuple[int, int]
    settings_hash: str
    first_target: int
    n_targets: int
    penalties: np.ndarray
    n_selected: np.ndarray
    n_union: np.ndarray
    duality_gap: np.ndarray
    largest_penalty: np.ndarray
    r2_heldout: np.ndarray
    pair_target: np.ndarray
    pair_regulator: np.ndarray
    weight: np.ndarray
    sign: np.ndarray
    n_agree: np.ndarray
    n_nonzero: np.ndarray
    effect: np.ndarray
    effect_low: np.ndarray
    effect_high: np.ndarray
    partial_r2: np.ndarray
    n_most: np.ndarray
    gate_counts: np.ndarray
    decoy_n_selected: np.ndarray = dataclasses.field(default_factory=_no_counts)
    decoy_n_union: np.ndarray = dataclasses.field(default_factory=_no_counts)
    decoy_target: np.ndarray = dataclasses.field(default_factory=_no_pairs)
    decoy_regulator: np.ndarray = dataclasses.field(default_factory=_no_pairs)
    decoy_counts: np.ndarray = dataclasses.field(default_factory=_no_counts)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {f.name: np.asarray(getattr(self, f.name)) for f in dataclasses.fields(self)}

    def save(self, path: str | Path) -> None:
        """Write the part with a checksum of its content, under a temporary name first."""
        arrays = self._arrays()
        stored: dict[str, Any] = {"format": FORMAT, "checksum": arrays_checksum(arrays), **arrays}
        with atomic_write(path, mode="wb") as handle:
            np.savez(handle, **stored)

    @classmethod
    def load(cls, path: str | Path) -> RegressionPart:
        """Read a part back.

        Raises
        ------
        RunError
            If the file is missing, damaged, or not a part of this version.
        """
        names = [f.name for f in dataclasses.fields(cls)]
        try:
            with Path(path).open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
                is_known = int(stored["format"]) == FORMAT
                checksum = str(stored["checksum"])
                arrays = {name: stored[name] for name in names}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as fault:
            what = f"missing or damaged chunk ({type(fault).__name__})"
            raise RunError(f"{path}: {what}: delete it and run again, only it is made anew") from fault
        if not is_known or checksum != arrays_checksum(arrays):
            raise RunError(f"{path}: chunk does not match its checksum: delete it and run again; only it is made anew")
        values: dict = dict(arrays)
        values["chunk"] = tuple(int(v) for v in arrays["chunk"])
        values["settings_hash"] = str(arrays["settings_hash"])
        values["first_target"], values["n_targets"] = int(arrays["first_target"]), int(arrays["n_targets"])
        return cls(**values)


def settings_hash(problem: RegressionProblem, settings: RegressionConfig, seed: int) -> str:
    """Hash all that a part depends on: data, settings and seed."""
    fitted = settings.model_dump(mode="json", exclude=set(NOT_FITTED))
    text = json.dumps({"settings": fitted, "seed": seed, "data": problem.fingerprint()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
