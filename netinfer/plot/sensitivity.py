"""The sensitivity card: edges in rows, variants in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.plot.axes import ACTIVATES, FAINT, INK, NEUTRAL, REPRESSES, axes, empty, label

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def sensitivity_card(card: Any, *, top: int = 30, ax: Axes | None = None) -> Axes:
    """Draw in which variants the strongest edges of a network survive.

    Parameters
    ----------
    card : Sensitivity
        What `netinfer.sensitivity` returns.
    top : int
        How many edges, the strongest first.
    ax : Axes, optional

    Returns
    -------
    Axes
        A full dot: an edge of the variant too, with the same sign; an open one: not; a dash: the variant could not have
        found it. Over each variant stands the share of all edges, not only of those drawn, that survive in it.
    """
    edges, variants = card.edges.head(top), card.variants
    names = [str(name) for name in variants["variant"]]
    ax = axes(ax, (1.9 + 0.34 * max(len(names), 4), 1.5 + 0.2 * max(len(edges), 3)))
    if not len(edges):
        return empty(ax, "the network has no edge to look for")
    rows = np.arange(len(edges))
    for column, name in enumerate(names):
        survives = edges[f"{name}.survives"].astype("boolean")
        untested = survives.isna().to_numpy()
        kept = survives.fillna(False).to_numpy(dtype=bool)
        lost = ~kept & ~untested
        ax.plot(np.full(kept.sum(), column), rows[kept], "o", color=ACTIVATES, markersize=6.5)
        ax.plot(np.full(lost.sum(), column), rows[lost], "o", markerfacecolor="none", color=REPRESSES, markersize=6.5)
        ax.plot(np.full(untested.sum(), column), rows[untested], "_", color=NEUTRAL, markersize=7)
    ax.set_yticks(rows, [f"{label(s)} → {label(t)}" for s, t in zip(edges["source"], edges["target"], strict=True)])
    shares = variants["share_survives"].to_numpy(dtype=float)
    heads = [
        f"{label(name, longest=28)}  {'–' if np.isnan(share) else f'{share:.0%}'}"
        for name, share in zip(names, shares, strict=True)
    ]
    ax.set_xticks(np.arange(len(names)), heads, rotation=60, ha="left", rotation_mode="anchor")
    ax.xaxis.tick_top()
    for tick in [*ax.get_yticklabels(), *ax.get_xticklabels()]:
        tick.set_parse_math(False)
    ax.tick_params(length=0, colors=INK, labelsize=8)
    ax.set_xlim(-0.6, len(names) - 0.4)
    ax.set_ylim(len(edges) - 0.4, -0.6)
    ax.spines[:].set_visible(False)
    ax.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.7)
    ax.set_axisbelow(True)
    if len(card.edges) > len(edges):
        ax.set_xlabel(f"the strongest {len(edges)} of {len(card.edges):,} edges", fontsize=8.5, color=NEUTRAL)
    return ax
