"""The data set while its samples and genes are prepared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from netinfer.preprocess.cells import Labels, Plan
from netinfer.preprocess.filtering import GeneFilter


@dataclass
class Work:
    """Matrix, annotations and labels, cut together, and what was dropped and said on the way."""

    where: str
    matrix: Any
    obs: pd.DataFrame
    var: pd.DataFrame
    kind: str
    base: float
    seed: int
    block: str | None
    log: list[str]
    totals: np.ndarray | None = None  # counts of each sample over all genes
    depth: np.ndarray | None = None  # the same, or what a column of the samples says of it
    assay: str = "bulk"
    labels: Labels | None = None
    plan: Plan | None = None
    filter: GeneFilter | None = None
    n_cells: int = 0
    genes_out: list[tuple[str, bool, str, str]] = field(default_factory=list)
    samples_out: list[tuple[str, str]] = field(default_factory=list)

    @property
    def samples(self) -> list[str]:
        """Ids of the samples."""
        return [str(name) for name in self.obs.index]

    @property
    def is_regulator(self) -> np.ndarray | None:
        """Which genes are candidate regulators; None where nothing says so."""
        if "is_regulator" not in self.var:
            return None
        return self.var["is_regulator"].to_numpy(dtype=bool)

    def keep_samples(self, keep: np.ndarray) -> None:
        """Keep some samples; `keep` is bool, shape (n_samples,)."""
        self.matrix, self.obs = self.matrix[keep], self.obs[keep]
        self.totals = None if self.totals is None else self.totals[keep]
        self.depth = None if self.depth is None else self.depth[keep]
        self.labels = None if self.labels is None else self.labels.of(keep)

    def drop_genes(self, out: np.ndarray, status: str, reasons: list[str]) -> None:
        """Drop genes, with one reason for each that goes."""
        flags = self.is_regulator
        places = [int(place) for place in np.flatnonzero(out)]
        self.genes_out += [
            (str(self.var.index[place]), bool(flags is not None and flags[place]), status, reason)
            for place, reason in zip(places, reasons, strict=True)
        ]
        if len(places):
            self.matrix, self.var = self.matrix[:, ~out], self.var[~out]
