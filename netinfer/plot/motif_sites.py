"""Effects of motifs by distance from the start: motifs in rows, bins in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.plot.axes import ACTIVATES, INK, NEUTRAL, REPRESSES, axes, empty, label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def site_effects(
    bins: pd.DataFrame,
    motifs: Sequence[str],
    *,
    peaks: Mapping[str, float] | None = None,
    unit: str = "log odds",
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the effects of motifs in bins of distance from the start as a heat map.

    Parameters
    ----------
    bins : DataFrame
        motif, start, end, effect_per_sd: `MotifSiteModel.bins`, or those of one regulator.
    motifs : sequence of str
        Which motifs to draw, from top to bottom.
    peaks : mapping of motif to number, optional
        First base of the bin of each motif's peak, which gets a dot.
    unit : str
        What an effect is.
    title : str
    ax : Axes, optional

    Returns
    -------
    Axes
        Effects for a standard deviation of the site score. Blue: more with the motif; orange: less. A dot: the peak.
        The vertical line is the start; upstream is left.
    """
    rows = [(name, bins[bins["motif"] == name]) for name in motifs]
    at = [(peaks or {}).get(name, np.nan) for name in motifs]
    return _heat_map(rows, at, unit, title, ax, "no motif enters the model")


def motif_links(links: Any, *, names: Mapping[str, str] | None = None, top: int = 25, ax: Axes | None = None) -> Axes:
    """Draw, for each regulator with a selected motif, where its most stable one matters.

    Parameters
    ----------
    links : MotifLinks
    names : mapping of str to str, optional
        What regulators are called; their names in the network by default.
    top : int
        How many regulators, those with most edges that have a site first.
    ax : Axes, optional

    Returns
    -------
    Axes
        As `site_effects`, with a dot at each peak; each row is scaled to its own largest effect.
    """
    found = links.regulators[links.regulators["n_motifs"] > 0]
    found = found.sort_values("n_edges_with_site", ascending=False, kind="stable").head(top)
    rows = []
    for source, motif in zip(found["source"], found["motif"], strict=True):
        own = links.bins[(links.bins["source"] == source) & (links.bins["motif"] == motif)]
        largest = float(own["effect_per_sd"].abs().max())
        name = f"{label((names or {}).get(source, source), longest=12)}: {label(motif)}"
        rows.append((name, own.assign(effect_per_sd=own["effect_per_sd"] / (largest or 1.0))))
    return _heat_map(
        rows,
        found["peak_start"].to_numpy(dtype=float, na_value=np.nan).tolist(),
        "",
        "",
        ax,
        "no regulator has a motif that is selected",
    )


def _heat_map(
    rows: list[tuple[str, pd.DataFrame]], peaks: list[Any], unit: str, title: str, ax: Axes | None, nothing: str
) -> Axes:
    from matplotlib.colors import LinearSegmentedColormap

    ax = axes(ax, (6.4, 1.3 + 0.26 * max(len(rows), 4)))
    if not rows:
        return empty(ax, nothing)
    first = rows[0][1]
    edges = np.append(first["start"].to_numpy(float), float(first["end"].iloc[-1]))
    effect = np.stack([frame["effect_per_sd"].to_numpy(float) for _, frame in rows])
    largest = float(np.abs(effect).max()) or 1.0
    colours = LinearSegmentedColormap.from_list("netinfer", [REPRESSES, "#ffffff", ACTIVATES])
    image = ax.pcolormesh(
        edges, np.arange(len(rows) + 1) - 0.5, effect, cmap=colours, vmin=-largest, vmax=largest,
        edgecolors="#e6eaed", linewidth=0.5,
    )  # fmt: skip
    ax.set_yticks(np.arange(len(rows)), [name if ": " in name else label(name) for name, _ in rows])
    for tick in ax.get_yticklabels():
        tick.set_parse_math(False)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(edges[0], edges[-1])
    for row, start in enumerate(peaks):
        if start == start:  # NaN is unequal to itself
            b = int(np.searchsorted(edges, float(start)))
            ax.plot((edges[b] + edges[b + 1]) / 2, row, "o", color=INK, markersize=3.5, zorder=6)
    if edges[0] <= 0 <= edges[-1]:
        ax.axvline(0.0, color=INK, linewidth=1.4, zorder=5)
        ax.annotate("start", (0.0, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points",
                    ha="center", va="bottom", fontsize=8.5, color=INK)  # fmt: skip
    ax.set_xlabel("bases from the start (upstream is negative)")
    if title:
        ax.set_title(title, loc="left", fontsize=9, color=NEUTRAL, pad=14)
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02, fraction=0.05)
    bar.set_label(f"{unit} per s.d. of score" if unit else "effect / largest of its row", fontsize=8.5)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    ax.tick_params(length=0, colors=INK, labelsize=8.5)
    ax.spines[:].set_visible(False)
    return ax
