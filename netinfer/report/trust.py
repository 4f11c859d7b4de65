"""What was seen of the data behind a network, gathered from where it was written down: the facts that advice rests on.

Every fact may be absent, in a notebook or in results of an earlier version: it is then None or empty, and the report
leaves it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from netinfer.network.neighbours import is_annotated, neighbour_shares
from netinfer.report.components import most_explaining
from netinfer.report.kinds import is_factor, kind_of
from netinfer.scoring import SUFFIX

LISTED = 40  # dropped regulators that are named
FIRST_SHARE = 0.20  # a first component above this share of variance asks for a decision
GOES_WITH = 0.30  # R2 from which a column of the samples is said to go with a component
LOOKED_AT = 3  # components whose columns are looked at
FOLLOWS = 0.50  # R2 from which a hidden factor is said to follow a column
FEW_DONORS = 12  # from here on donors are the units


@dataclass(frozen=True)
class GoesWith:
    """A column of the samples that explains much of a leading component."""

    component: int  # from 1
    column: str
    r2: float
    kind: str


@dataclass(frozen=True)
class Facts:
    """What is known about a network and its data. None or empty: not known."""

    n_units: int | None = None
    n_samples: int | None = None
    unit: str = ""  # a column; empty where each sample counts
    strata: str = ""  # a column, whose classes each half-sample holds in the same proportion
    assay: str = ""
    aggregation: str = "none"
    n_cells: int = 0
    n_donors: int = 0
    population_note: str = ""
    block_columns: tuple[tuple[str, int], ...] = ()  # look like the unit: name, number of values
    covariates: tuple[str, ...] | None = None
    n_df: int | None = None  # degrees of freedom that covariates and hidden factors take together
    hidden_factors: int | None = None
    hidden_asked: str = ""
    hidden_share: float | None = None  # of the variance, that they hold together
    factor_follows: tuple[GoesWith, ...] = ()  # columns that hidden factors follow, no batch, depth or type
    center_by: str = ""
    input_kind: str = ""
    normalization: str = ""
    filter: Mapping[str, Any] | None = None
    missing: Mapping[str, Any] | None = None
    outliers: tuple[Mapping[str, Any], ...] = ()
    components: Mapping[str, Any] | None = None
    neighbours: Mapping[str, Any] | None = None
    operon_scores: tuple[float, float] | None = None  # AUPR with and without pairs of one operon
    decoy_edges: int | None = None
    false_edges: float | None = None
    is_met: bool = True
    n_edges: int = 0
    n_undetermined: int = 0
    hub: str = ""  # regulator with most edges, and its strongest targets
    hub_targets: tuple[str, ...] = ()
    goes_with: tuple[GoesWith, ...] = field(default=())  # strongest first, of what is left after projection

    @property
    def n_free_units(self) -> int | None:
        """Independent units, less the degrees of freedom that covariates and hidden factors take."""
        return None if self.n_units is None else self.n_units - (self.n_df or 0)

    @property
    def is_projected(self) -> bool:
        """Whether anything was taken out of the expression before the fit."""
        return bool(self.covariates) or bool(self.hidden_factors) or bool(self.center_by)

    @property
    def first_share(self) -> float | None:
        """Share of variance of the first component, as the data came to the model."""
        return float(self.components["rows"][0]["share"]) if self.components and self.components["rows"] else None

    @property
    def asks_for_decision(self) -> bool:
        """Whether one component moves much of the expression and nothing was done about it."""
        return self.first_share is not None and self.first_share > FIRST_SHARE and not self.is_projected

    @property
    def donor_caveat(self) -> str:
        """What one donor or few say of the population."""
        if not 0 < self.n_donors < FEW_DONORS:
            return ""
        if self.n_donors == 1:
            return "one donor: says nothing about the population of donors"
        return f"{self.n_donors} donors: says little about the population of donors"

    @property
    def sample_word(self) -> str:
        """What a row of the expression is."""
        if self.aggregation == "metacells":
            return "metacell"
        if self.aggregation == "pseudobulk":
            return "pseudobulk sample"
        return "cell" if self.assay == "cells" else "sample"


def gather_facts(
    net: Any,
    adata: Any = None,
    *,
    components: Mapping[str, Any] | None = None,
    evaluation: pd.DataFrame | None = None,
    names: Mapping[str, str] | None = None,
) -> Facts:
    """Gather what the provenance, the notes in ``uns["netinfer"]`` and the sample table say.

    Parameters
    ----------
    net : Network
    adata : AnnData, optional
    components : mapping, optional
        As `netinfer.report.components.leading_components` returns it.
    evaluation : DataFrame, optional
        The table of `netinfer.evaluate`.
    names : mapping, optional
        How genes are shown, by their key.

    Returns
    -------
    Facts
    """
    provenance: Mapping[str, Any] = net.provenance
    notes: Mapping[str, Any] = adata.uns.get("netinfer", {}) if adata is not None else {}
    design = {**_mapping(notes.get("design")), **_mapping(provenance.get("design"))}
    covariates = used_covariates(provenance)
    hidden, asked, hidden_share = hidden_factors(provenance, notes)
    unit = str(provenance.get("unit") or provenance.get("block") or "")
    unit = "" if unit == "sample" else unit
    shown = net.edges if net.cut["met"] else net.exploratory()
    hub, hub_targets = _hub(shown, names or {})
    return Facts(
        n_units=_whole(provenance.get("n_units")),
        n_samples=_whole(provenance.get("n_samples")) or (int(adata.n_obs) if adata is not None else None),
        unit=unit,
        strata=str(provenance.get("strata", "")),
        assay=str(design.get("assay", "")),
        aggregation=str(design.get("aggregation", "none")),
        n_cells=_whole(design.get("n_cells")) or 0,
        n_donors=_whole(design.get("n_donors")) or 0,
        population_note=str(design.get("population_note", "")).strip().rstrip("."),
        block_columns=() if unit or adata is None else _block_columns(adata.obs),
        covariates=covariates,
        n_df=_whole(provenance.get("covariate_df", provenance.get("n_covariates_df"))),
        hidden_factors=hidden,
        hidden_asked=asked,
        hidden_share=hidden_share,
        factor_follows=_followed(adata, covariates or (), unit) if hidden else (),
        center_by=str(notes.get("center_by", "")),
        input_kind=str(notes.get("input_kind", "")),
        normalization=str(notes.get("normalization", "")),
        filter=_filter(notes.get("filter")),
        missing=_missing(notes.get("missing")),
        outliers=_outliers(notes.get("outliers")),
        components=components,
        neighbours=_neighbours(net),
        operon_scores=_operon_scores(evaluation),
        decoy_edges=_whole(net.cut.get("decoy_edges")),
        false_edges=net.cut["expected_false_edges"],
        is_met=bool(net.cut["met"]),
        n_edges=len(net.edges),
        n_undetermined=int((net.edges["direction_basis"] == "undetermined").sum()),
        hub=hub,
        hub_targets=hub_targets,
        goes_with=_goes_with(components, covariates or ()),
    )


def projected(provenance: Mapping[str, Any], adata: Any) -> dict[str, Any]:
    """Return what the regression projects out, as `leading_components` takes it."""
    notes = adata.uns.get("netinfer", {}) if adata is not None else {}
    n_factors, _, _ = hidden_factors(provenance, notes)
    has_factors = bool(n_factors) and adata is not None and "hidden_factors" in adata.obsm
    return {
        "covariates": used_covariates(provenance) or (),
        "factors": adata.obsm["hidden_factors"] if has_factors else None,
        "unit": str(provenance.get("unit") or ""),
    }


def used_covariates(provenance: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the columns that the regression projected out, or None where that was not written down."""
    listed = provenance.get("covariates")
    if not isinstance(listed, list | tuple):
        return None
    return tuple(str(name) for name in listed if not is_factor(str(name)))


def hidden_factors(provenance: Mapping[str, Any], notes: Mapping[str, Any]) -> tuple[int | None, str, float | None]:
    """Return how many hidden factors were projected out, what was asked for, and their share of the variance."""
    recorded = _mapping(notes.get("hidden_factors"))
    used = provenance.get("hidden_factors")
    if isinstance(used, Mapping):
        recorded, used = {**recorded, **used}, used.get("k")
    listed = provenance.get("covariates")
    if used is None and isinstance(listed, list | tuple):  # hidden factors stand among the covariates, numbered
        used = sum(is_factor(str(name)) for name in listed)
    k, shares = _whole(used), np.atleast_1d(np.asarray(recorded.get("share", []), dtype=float))
    return k, str(recorded.get("asked", "")), float(shares[:k].sum()) if k and len(shares) >= k else None


def _followed(adata: Any, covariates: tuple[str, ...], unit: str) -> tuple[GoesWith, ...]:
    """Return the columns that hidden factors follow and that are neither technical nor the units, strongest first."""
    if adata is None or "hidden_factors" not in adata.obsm:
        return ()
    skipped = [name for name in adata.obs if name in (*covariates, unit) or kind_of(str(name)) == "block"]
    best = most_explaining(adata.obsm["hidden_factors"], adata.obs.drop(columns=skipped))
    found = [GoesWith(place, name, r2, kind_of(name)) for place, (name, r2) in enumerate(best, start=1)]
    strong = [one for one in found if one.r2 >= FOLLOWS and one.kind == ""]
    return tuple(sorted(strong, key=lambda one: -one.r2))


def _hub(edges: pd.DataFrame, names: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    if not len(edges):
        return "", ()
    hub = edges["source"].astype(str).value_counts(sort=False).sort_values(ascending=False, kind="stable").index[0]
    is_hub = edges["source"].astype(str) == hub
    directed = edges.loc[is_hub & (edges["direction_basis"] != "undetermined"), "target"]
    targets = (directed if len(directed) else edges.loc[is_hub, "target"]).astype(str).head(3)
    return names.get(hub, hub), tuple(names.get(name, name) for name in targets)


def _block_columns(obs: pd.DataFrame) -> tuple[tuple[str, int], ...]:
    """Return the columns named like a replicate or a donor that could be the units: 8 values or more, some repeated."""
    found = []
    for name in map(str, obs.columns):
        n_values = int(obs[name].nunique())
        if kind_of(name) == "block" and 8 <= n_values < len(obs) and not obs[name].isna().any():
            found.append((name, n_values))
    return tuple(found)


def _goes_with(components: Mapping[str, Any] | None, covariates: tuple[str, ...]) -> tuple[GoesWith, ...]:
    if not components:
        return ()
    rows = components["rows"] if components.get("after") is None else components["after"]
    found = [
        GoesWith(place + 1, name, float(r2), kind_of(name))
        for place, row in enumerate(rows[:LOOKED_AT])
        for name, r2 in zip(components["columns"], row["r2"], strict=True)
        if r2 >= GOES_WITH and name not in covariates
    ]
    return tuple(sorted(found, key=lambda one: (one.component, -one.r2)))


def _filter(note: Any) -> dict[str, Any] | None:
    note = _mapping(note)
    if not note:
        return None
    regulators = [str(name) for name in np.atleast_1d(note.get("dropped_regulators", []))]
    statistic = np.asarray(note.get("statistic", []), dtype=float).ravel()
    threshold = float(note.get("threshold", np.nan))
    return {
        "rule": str(note.get("rule", "")).strip().rstrip("."),
        "what": str(note.get("what", "")),
        "statistic": statistic,
        "threshold": threshold,
        "is_drawable": bool(statistic.size and np.isfinite(threshold)),
        "n_genes": int(statistic.size),
        "n_dropped": _whole(note.get("n_dropped")) or 0,
        "n_dropped_regulators": len(regulators),
        "dropped_regulators": regulators[:LISTED],
    }


def _missing(note: Any) -> dict[str, Any] | None:
    note = _mapping(note)
    n = _whole(note.get("n")) or 0
    return {"n": n, "share": _share(note.get("share")), "rule": str(note.get("rule", "")).rstrip(".")} if n else None


def _outliers(note: Any) -> tuple[dict[str, Any], ...]:
    if not isinstance(note, pd.DataFrame) or "sample" not in note or not len(note):
        return ()
    return tuple(
        {"sample": str(row["sample"]), "statistic": row.get("statistic"), "reason": str(row.get("reason", ""))}
        for row in note.to_dict("records")
    )


def _neighbours(net: Any) -> dict[str, Any] | None:
    """Return the shares of pairs within an operon and of near neighbours, of a network that has an annotation."""
    if not is_annotated(net):
        return None
    note = _mapping(net.provenance.get("neighbours"))
    rows = [row for row in neighbour_shares(net).to_dict("records") if row["n_pairs"]]
    first = next((row for row in rows if row["pairs"] == "network"), rows[0] if rows else {})
    knows_operons = note.get("operons") != "none"
    return {
        "rows": rows,
        "knows_operons": knows_operons,
        "note": str(note.get("note", "")).rstrip("."),
        "n_left_out": _whole(note.get("n_left_out")) or 0,
        "pairs": str(first.get("pairs", "")),
        "same_operon": _share(first.get("same_operon")) if knows_operons else None,
        "near": _share(first.get("within_3_genes")),
    }


def _operon_scores(evaluation: pd.DataFrame | None) -> tuple[float, float] | None:
    if evaluation is None:
        return None
    values = dict(zip(evaluation["metric"].astype(str), evaluation["value"].astype(float), strict=True))
    both = values.get("aupr", np.nan), values.get(f"aupr{SUFFIX}", np.nan)
    return both if np.isfinite(both).all() else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float | np.number) and np.isfinite(value) else None


def _share(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float | np.number) and np.isfinite(value) else None
