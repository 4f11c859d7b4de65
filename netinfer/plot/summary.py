"""The network in numbers: degrees, what a cut costs in false edges, held-out prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.plot.axes import ACTIVATES, INK, NEUTRAL, REPRESSES, axes, empty, label, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def top_regulators(edges: pd.DataFrame, *, top: int = 20, ax: Axes | None = None) -> Axes:
    """Draw the regulators with most targets, activated and repressed ones apart.

    Parameters
    ----------
    edges : DataFrame
        source, target, sign.
    top : int, default 20
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    from matplotlib.ticker import MaxNLocator

    ax = axes(ax, (5.2, 1.2 + 0.165 * min(top, edges["source"].nunique())))
    if not len(edges):
        return empty(ax, "no edges")
    up = edges.groupby("source")["sign"].apply(lambda sign: int((sign > 0).sum()))
    down = edges.groupby("source")["sign"].apply(lambda sign: int((sign <= 0).sum()))
    order = sorted(up.index, key=lambda name: (-(up[name] + down[name]), str(name)))[:top][::-1]
    at = np.arange(len(order))
    ax.barh(at, up[order].to_numpy(), color=ACTIVATES, label="activated (+)", height=0.75)
    ax.barh(at, down[order].to_numpy(), left=up[order].to_numpy(), color=REPRESSES, label="repressed (−)", height=0.75)
    ax.set_yticks(at, [label(name) for name in order])
    for tick in ax.get_yticklabels():
        tick.set_parse_math(False)
    ax.set_ylim(-0.6, len(order) - 0.4)
    ax.set_xlabel("targets of the regulator")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(frameon=False, fontsize=9, loc="lower right")
    tidy(ax, grid="x")
    return ax


def regulators_per_target(net: Any, *, ax: Axes | None = None) -> Axes:
    """Draw how many targets have how many regulators in the network at its cut.

    Parameters
    ----------
    net : Network
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    from matplotlib.ticker import MaxNLocator

    ax = axes(ax, (5.2, 3.2))
    names = set(net.targets["target"].astype(str))
    degree = net.nodes.loc[net.nodes["name"].astype(str).isin(names), "degree_in"].to_numpy(dtype=int)
    if not degree.size:
        return empty(ax, "no targets")
    heights = np.bincount(degree)
    ax.bar(np.arange(heights.size), heights, color=NEUTRAL, width=0.85 if heights.size < 60 else 1.0)
    if heights.size == 1:
        ax.set_xlim(-1, 5)
    ax.set_xlabel("regulators of the target")
    ax.set_ylabel("number of targets")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    tidy(ax, grid="y")
    return ax


def false_edges(net: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the bound on false edges against the number of edges, as the cut moves.

    Parameters
    ----------
    net : Network
    ax : Axes, optional

    Returns
    -------
    Axes
        Both axes logarithmic; the network's own cut is the large dot, and dashed lines are shares of false edges.
    """
    ax = axes(ax, (5.2, 3.6))
    bound = np.sort(net.candidates["expected_false_edges"].to_numpy(dtype=float))
    bound = bound[np.isfinite(bound) & (bound > 0)]
    if not bound.size:
        return empty(ax, "no candidate has a finite bound: there are too few independent units")
    n_edges = np.searchsorted(bound, bound, side="right")
    marker = "o" if n_edges[-1] == n_edges[0] else None  # a line needs two points
    ax.plot(n_edges, bound, color=INK, linewidth=1.5, drawstyle="steps-post", marker=marker)
    last = max(int(n_edges[-1]), 2)
    low, high = bound[0], max(bound[-1], bound[0] * 10)
    for share in (0.01, 0.1, 0.5):
        ax.plot([1, last], [share, share * last], color=NEUTRAL, linestyle="--", linewidth=0.8)
        if low / 1.5 <= share * last <= high * 1.5:
            ax.text(last * 1.2, share * last, f"{share:.0%} false", fontsize=8, color=NEUTRAL, va="center")
    if net.cut["met"] and net.cut["expected_false_edges"]:
        ax.plot([net.cut["n_edges"]], [net.cut["expected_false_edges"]], "o", color=REPRESSES, markersize=8, zorder=4)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(1, last * 1.15)
    ax.set_ylim(low / 1.5, high * 1.5)
    ax.set_xlabel("edges in the network")
    ax.set_ylabel("expected false edges (bound)")
    tidy(ax)
    return ax


def heldout_r2(targets: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw how well the held-out half of the samples is predicted, over targets.

    Parameters
    ----------
    targets : DataFrame
        r2_heldout.
    ax : Axes, optional

    Returns
    -------
    Axes
        Values below -0.2 are counted in the first bar.
    """
    ax = axes(ax, (5.2, 3.2))
    values = targets["r2_heldout"].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    if not values.size:
        return empty(ax, "no target has a held-out R2")
    ax.hist(np.clip(values, -0.2, 1.0), bins=np.linspace(-0.2, 1.0, 25).tolist(), color=NEUTRAL, rwidth=0.9)
    middle = float(np.median(values))
    ax.axvline(max(middle, -0.2), color=REPRESSES, linewidth=1.5)
    ax.text(max(middle, -0.2), 1.02, f"median {middle:.2f}", color=REPRESSES, fontsize=9, ha="center",
            transform=ax.get_xaxis_transform())  # fmt: skip
    ax.set_xlabel("held-out R² (share of the target's variance predicted)")
    ax.set_ylabel("number of targets")
    tidy(ax, grid="y")
    return ax
