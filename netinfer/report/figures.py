"""The report's figures as data URIs: SVG inside an image, where no script can run."""

from __future__ import annotations

import base64
import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from netinfer import plot
from netinfer.plot.axes import aside
from netinfer.report.graph import DRAWN
from netinfer.report.motif_links import DRAWN as MOTIFS_DRAWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

    from netinfer.report.trust import Facts

N_PATHS = 6
N_REGULATORS = 20
_TRUST = ("filter", "components", "components_after")


def as_uri(ax: Axes) -> str:
    """Return a figure as an SVG data URI; the same figure gives the same text."""
    import matplotlib
    from matplotlib.figure import Figure

    figure = ax.figure
    if not isinstance(figure, Figure):
        raise TypeError("only a plain figure can be written")
    text = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "netinfer"}):  # ids that do not change from run to run
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return "data:image/svg+xml;base64," + base64.b64encode(text.getvalue()).decode()


@aside()
def draw(
    net: Any,
    paths: pd.DataFrame | None,
    curves: pd.DataFrame | None,
    *,
    facts: Facts | None = None,
    names: Mapping[str, str] | None = None,
    card: Any = None,
    graph: Any = None,
    motif: Any = None,
) -> dict[str, Any]:
    """Return the figures by name; those without data are None.

    Genes are drawn by their `names`, which must all differ.
    """
    names = names or {}
    shown = _renamed(net.edges if net.cut["met"] else net.exploratory(), names)
    kinds = (
        "graph",
        "regulators",
        "per_target",
        "r2",
        "paths",
        "precision_recall",
        "sensitivity",
        "penalty_choice",
        "precision",
        "motif_links",
        *_TRUST,
    )
    figures: dict[str, Any] = {**dict.fromkeys(kinds), "false_edges": as_uri(plot.false_edges(net))}
    if len(shown):
        figures["graph"] = as_uri(plot.network_graph(shown))
        figures["regulators"] = as_uri(plot.top_regulators(shown, top=N_REGULATORS))
    if net.cut["met"]:
        figures["per_target"] = as_uri(plot.regulators_per_target(net))
    if net.targets["r2_heldout"].notna().any():
        figures["r2"] = as_uri(plot.heldout_r2(net.targets))
    if paths is not None and len(paths):
        paths = _renamed(paths, names)
        chosen: dict[str, set[str]] = {}
        for source, target in zip(shown["source"], shown["target"], strict=True):
            chosen.setdefault(str(target), set()).add(str(source))
        targets = list(dict.fromkeys(paths["target"].astype(str)))
        targets = sorted(targets, key=lambda name: name not in chosen)[:N_PATHS]  # those with edges first
        as_shown = SimpleNamespace(edges=_renamed(net.edges, names), cut=net.cut, provenance=net.provenance)
        figures["paths"] = [
            (name, as_uri(plot.stability_paths(paths, name, selected=chosen.get(name, set()), net=as_shown)))
            for name in targets
        ]
    if card is not None and len(card.edges):
        renamed = SimpleNamespace(edges=_renamed(card.edges, names), variants=card.variants)
        figures["sensitivity"] = as_uri(plot.sensitivity_card(renamed))
    if graph is not None and not graph.provenance.get("skipped"):
        if graph.provenance.get("path") and graph.provenance.get("criterion") != "given":
            figures["penalty_choice"] = as_uri(plot.penalty_choice(graph))
        if len(graph.edges):
            figures["precision"] = as_uri(plot.network_graph(_renamed(graph.edges, names), top=DRAWN))
    if motif is not None and (motif.regulators["n_motifs"] > 0).any():
        figures["motif_links"] = as_uri(plot.motif_links(motif, names=names, top=MOTIFS_DRAWN))
    if curves is not None and len(curves):
        figures["precision_recall"] = as_uri(plot.precision_recall(curves))
    return figures | (_draw_trust(facts) if facts is not None else {})


def _draw_trust(facts: Facts) -> dict[str, Any]:
    figures = {}
    if facts.filter and facts.filter["is_drawable"]:
        note = facts.filter
        what = note["what"] or "statistic of the filter"
        figures["filter"] = as_uri(plot.filter_cut(note["statistic"], note["threshold"], what=what))
    if facts.components:
        columns = facts.components["columns"]
        figures["components"] = as_uri(plot.component_map(columns, facts.components["rows"]))
        if facts.components.get("after") is not None:
            figures["components_after"] = as_uri(plot.component_map(columns, facts.components["after"]))
    return figures


def _renamed(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Return a table with genes called as they are shown."""
    columns = [name for name in ("source", "target", "regulator") if name in table]
    return table.assign(**{name: [names.get(str(key), str(key)) for key in table[name]] for name in columns})
