"""The sensitivity card: each reported edge, and the variants of the analysis in which it is an edge again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError, RunError
from netinfer.network.cut import passing, q_values
from netinfer.stability.rules import expected_false

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from netinfer.models.sensitivity.fits import VariantFit
    from netinfer.network import Network

EDGES_FILE, VARIANTS_FILE = "sensitivity.tsv", "sensitivity_variants.tsv"
TEXT = ("source", "target", "survives_in", "lost_in", "variant", "kind")
SEPARATOR = "; "
# What the provenance says of the bound, as `expected_false` takes it.
RULE = ("rule", "threshold", "truncation", "pooled")


@dataclasses.dataclass(frozen=True, eq=False)
class Sensitivity:
    """Which edges of a network survive other choices.

    Attributes
    ----------
    edges : DataFrame, one row an edge of the network at its cut, in rank order
        source, target, rank, weight, sign; ``n_tested``, the variants that could have found it (with the regulator in
        the list, and both genes left); ``n_survives``, those in which it is an edge at the same cut with the same sign;
        ``survives_in`` and ``lost_in``, their names. For each variant ``<name>.survives`` (missing where not tested),
        ``<name>.rank`` and ``<name>.weight`` (missing where the pair is no candidate).
    variants : DataFrame, one row a variant
        variant, kind, n_samples, n_units, n_regulators, n_targets, n_hidden_factors, threshold and truncation (the
        network's own; missing where its rule has none), n_edges and expected_false_edges at the same cut, n_tested and
        n_survives of the network's edges, share_survives.

    Notes
    -----
    The variant ``redrawn`` differs from the network by the draw of half-samples alone: its share is what any variant
    may lose by chance. To survive shows that an edge does not hang on one choice. What all variants share, such as a
    confounder that is in every batch, can carry a wrong edge through all of them.
    """

    edges: pd.DataFrame
    variants: pd.DataFrame

    def plot(self, *, top: int = 30, ax: Axes | None = None) -> Axes:
        """Draw the card of the strongest edges; return the Axes."""
        from netinfer.plot.sensitivity import sensitivity_card

        return sensitivity_card(self, top=top, ax=ax)

    def write(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write sensitivity.tsv and sensitivity_variants.tsv into a folder, each whole or not at all."""
        from netinfer.io.tables import write_tsv

        words = {True: "true", False: "false"}
        edges = self.edges.copy()
        for name in (f"{variant}.survives" for variant in self.variants["variant"]):
            edges[name] = [words.get(value, "") for value in edges[name]]
        paths = [Path(folder, EDGES_FILE), Path(folder, VARIANTS_FILE)]
        for path, table in zip(paths, (edges, self.variants), strict=True):
            write_tsv(path, table)
        return paths

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Sensitivity:
        """Read back what `write` wrote.

        Raises
        ------
        RunError
            If a file is missing or damaged.
        """
        try:
            edges, variants = _read(Path(folder, EDGES_FILE)), _read(Path(folder, VARIANTS_FILE))
            for name in ("survives_in", "lost_in"):
                edges[name] = edges[name].fillna("")
            for variant in variants["variant"]:
                edges[f"{variant}.survives"] = edges[f"{variant}.survives"].astype("boolean")
                edges[f"{variant}.rank"] = edges[f"{variant}.rank"].astype("Int64")
                edges[f"{variant}.weight"] = edges[f"{variant}.weight"].astype("float64")
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = f"{EDGES_FILE} or {VARIANTS_FILE} is missing or damaged ({type(error).__name__})"
            raise RunError(f"{folder}: {what}: delete both and run again") from error
        return cls(edges, variants)


def _read(path: Path) -> pd.DataFrame:
    # A gene may be called NA: only an empty field is missing.
    return pd.read_csv(path, sep="\t", dtype=dict.fromkeys(TEXT, str), keep_default_na=False, na_values=[""])


def compare(net: Network, fits: Sequence[VariantFit]) -> Sensitivity:
    """Look the edges of a network up in its variants, each bounded and cut as the network is.

    Parameters
    ----------
    net : Network
    fits : sequence of VariantFit

    Returns
    -------
    Sensitivity
        No fit is repeated: a network with another cut, rule or threshold is compared with the same fits.

    Raises
    ------
    InputError
        If no variant is given, or the network does not say by which rule it was bounded.

    Notes
    -----
    ``threshold: auto`` and ``truncation: auto`` depend on the size of a problem and on its counts. The variants take
    what the network took, so that no edge is lost because another constant was chosen.
    """
    if not fits:
        raise InputError("sensitivity: no variant was fitted")
    if "rule" not in net.provenance:
        raise InputError("sensitivity: the network does not say how it was bounded: give one of infer_regression")
    rule = {name: net.provenance[name] for name in RULE if net.provenance.get(name) is not None}
    edges, pairs = net.edges, pd.MultiIndex.from_frame(net.edges[["source", "target"]])
    columns: dict[str, Any] = {}
    found = []
    for fit in fits:
        candidates = _bounded(fit, rule)
        is_edge = passing(candidates, net.cut["asked"])
        tested, kept, values = _look_up(edges, pairs, fit, is_edge)
        name = fit.variant.name
        columns[f"{name}.survives"] = pd.arrays.BooleanArray(kept, ~tested)
        columns |= {f"{name}.{what}": value for what, value in values.items()}
        found.append((fit, tested, kept, candidates.loc[is_edge, "expected_false_edges"].to_numpy()))
    table = edges[["source", "target", "rank", "weight", "sign"]].assign(
        n_tested=np.sum([tested for _, tested, _, _ in found], axis=0, dtype=np.int64),
        n_survives=np.sum([kept for _, _, kept, _ in found], axis=0, dtype=np.int64),
        survives_in=_names([(fit, kept) for fit, _, kept, _ in found], len(edges)),
        lost_in=_names([(fit, tested & ~kept) for fit, tested, kept, _ in found], len(edges)),
        **columns,
    )
    return Sensitivity(table.reset_index(drop=True), pd.DataFrame([_summary(*one, rule) for one in found]))


def _bounded(fit: VariantFit, rule: dict[str, Any]) -> pd.DataFrame:
    """Return a variant's candidates with the bounds of the network's rule."""
    row = fit.candidates["count_row"].to_numpy(dtype=np.int64)
    bound = np.full(len(row), np.inf)
    bound[row >= 0] = expected_false(fit.selection, **rule)[row[row >= 0]]
    bound[np.isinf(bound)] = np.nan
    return fit.candidates.assign(expected_false_edges=bound, q_value=q_values(bound))


def _look_up(edges: pd.DataFrame, pairs: pd.MultiIndex, fit: VariantFit, is_edge: np.ndarray) -> tuple:
    """Find the edges among a variant's candidates: tested, kept, and rank and weight there."""
    candidates = fit.candidates
    place = pd.MultiIndex.from_frame(candidates[["source", "target"]]).get_indexer(pairs)
    is_there = place >= 0
    at = place[is_there]
    # Where nothing passes the cut, the variant says nothing of an edge.
    tested = (edges["source"].isin(fit.regulators) & edges["target"].isin(fit.targets)).to_numpy() & is_edge.any()
    kept = np.zeros(len(edges), bool)
    kept[is_there] = is_edge[at] & (candidates["sign"].to_numpy()[at] == edges["sign"].to_numpy()[is_there])
    rank, weight = np.zeros(len(edges), np.int64), np.full(len(edges), np.nan)
    rank[is_there], weight[is_there] = candidates["rank"].to_numpy()[at], candidates["weight"].to_numpy()[at]
    return tested, kept & tested, {"rank": pd.arrays.IntegerArray(rank, ~is_there), "weight": weight}


def _summary(
    fit: VariantFit, tested: np.ndarray, kept: np.ndarray, bounds: np.ndarray, rule: dict[str, Any]
) -> dict[str, Any]:
    n_tested, n_survives = int(tested.sum()), int(kept.sum())
    return {
        "variant": fit.variant.name,
        "kind": fit.variant.kind,
        "n_samples": fit.n_samples,
        "n_units": fit.n_units,
        "n_regulators": len(fit.regulators),
        "n_targets": len(fit.targets),
        "n_hidden_factors": fit.n_hidden_factors,
        "threshold": rule.get("threshold", np.nan),
        "truncation": rule.get("truncation", np.nan),
        "n_edges": len(bounds),
        "expected_false_edges": float(bounds.max()) if bounds.size and not np.isnan(bounds).any() else np.nan,
        "n_tested": n_tested,
        "n_survives": n_survives,
        "share_survives": n_survives / n_tested if n_tested else np.nan,
    }


def _names(found: Sequence[tuple[VariantFit, np.ndarray]], n: int) -> list[str]:
    return [SEPARATOR.join(fit.variant.name for fit, mask in found if mask[i]) for i in range(n)]
