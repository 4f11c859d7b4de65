"""How the penalty of an undirected network was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.plot.axes import ACTIVATES, INK, NEUTRAL, axes, empty, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMES = {
    "stars": "instability (mean disagreement)",
    "ebic": "extended BIC, above its smallest",
    "cv": "held-out deviance a gene, above its smallest",
}


def penalty_choice(net: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the criterion of an undirected network along the penalty, and the number of edges.

    Parameters
    ----------
    net : Network
        From `netinfer.infer_precision`; its provenance has the path.
    ax : Axes, optional

    Returns
    -------
    Axes
        The penalty falls from left to right; the dotted line is the one chosen. The criterion is the line (StARS: its
        threshold is dashed); grey, by the scale on the right, the edges of the graph on all samples. A penalty that
        was given, or a cut by an error, has no criterion to draw.
    """
    ax = axes(ax, (5.2, 3.4))
    criterion, path = str(net.provenance.get("criterion", "")), net.provenance.get("path")
    if criterion not in _NAMES or not path:
        return empty(ax, "the penalty was not chosen by a criterion")
    penalty = np.array(path["penalty"], dtype=float)
    value, n_edges = (np.array([np.nan if x is None else x for x in path[k]], float) for k in ("criterion", "n_edges"))
    seen, counted = np.isfinite(value), np.isfinite(n_edges)
    if criterion != "stars":
        value = (value - np.nanmin(value)) / (1.0 if criterion == "ebic" else float(net.provenance["n_targets"]))
    right = ax.twinx()
    right.plot(penalty[counted], n_edges[counted], color=NEUTRAL, linewidth=1.2, alpha=0.8)
    right.set_ylabel("edges on all samples", color=NEUTRAL)
    right.tick_params(colors=NEUTRAL)
    right.set_ylim(bottom=0)
    right.spines["top"].set_visible(False)
    ax.plot(penalty[seen], value[seen], color=ACTIVATES, linewidth=1.8, marker="o", markersize=3)
    chosen = float(net.provenance["penalty"])
    ax.axvline(chosen, color=INK, linewidth=1.1, linestyle=":")
    if criterion == "stars":
        ax.axhline(net.provenance["criterion_settings"]["threshold"], color=INK, linewidth=0.9, linestyle="--")
    ax.set_title(f"penalty {chosen:.3g}", fontsize=10.5, loc="left", color=INK)
    ax.set_xscale("log")
    ax.invert_xaxis()
    ticks = [x for x in (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01) if penalty.min() <= x <= penalty.max()]
    ax.set_xticks(ticks, [f"{x:g}" for x in ticks])
    ax.minorticks_off()
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("penalty (scale of correlations)")
    ax.set_ylabel(_NAMES[criterion])
    tidy(ax, grid="y")
    ax.set_zorder(right.get_zorder() + 1)
    ax.patch.set_visible(False)
    return ax
