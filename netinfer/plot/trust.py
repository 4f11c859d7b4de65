"""What speaks for or against a network: where genes were filtered out, what moves the samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.plot.axes import ACTIVATES, FAINT, INK, NEUTRAL, REPRESSES, axes, empty, label, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CROWDED = 20  # a cut below this part of the axis is drawn on a square-root scale, so that it can be seen


def filter_cut(
    statistic: Any, threshold: float, *, what: str = "statistic of the filter", ax: Axes | None = None
) -> Axes:
    """Draw the statistic that genes were filtered by, and the cut.

    Parameters
    ----------
    statistic : float array, shape (n_genes,)
        One value a gene that came to the filter, not negative.
    threshold : float
        Genes below it were left out.
    what : str
        Label of the axis, with the unit.
    ax : Axes, optional

    Returns
    -------
    Axes
        Genes that were left out are pale. Where the cut lies close to zero the axis is a square-root scale.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax = axes(ax, (5.2, 3.0))
    values = np.asarray(statistic, dtype=float)
    values = values[np.isfinite(values)]
    if not values.size:
        return empty(ax, "no gene came to the filter")
    high = max(float(values.max()), threshold)
    is_crowded = values.min() >= 0 and 0 < threshold * _CROWDED < high
    edges = _bins(values, threshold, high, is_crowded=is_crowded)
    place = np.sqrt if is_crowded else np.asarray
    for is_kept, color, name in ((False, FAINT, "left out"), (True, NEUTRAL, "kept")):
        chosen = values[(values >= threshold) == is_kept]
        heights, _ = np.histogram(chosen, edges)
        ax.bar(place(edges[:-1]), heights, width=np.diff(place(edges)) * 0.92, align="edge", color=color,
               label=f"{name}: {chosen.size:,}")  # fmt: skip
    ax.axvline(float(place(threshold)), color=REPRESSES, linewidth=1.5)
    if is_crowded:
        ticks = np.asarray(MaxNLocator(5).tick_values(0, high))
        shown = [0.0, threshold, *(float(tick) for tick in ticks if 4 * threshold < tick <= high)]
        ax.set_xticks([float(place(tick)) for tick in shown])
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x * x:,.4g}"))
    ax.text(float(place(threshold)), 1.02, f"cut {threshold:,.4g}", color=REPRESSES, fontsize=9, ha="center",
            transform=ax.get_xaxis_transform())  # fmt: skip
    ax.set_xlabel(label(what, longest=70) + (" (square-root scale)" if is_crowded else ""), parse_math=False)
    ax.set_ylabel("number of genes")
    ax.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    ax.legend(frameon=False, fontsize=9)
    tidy(ax, grid="y")
    return ax


def _bins(values: np.ndarray, threshold: float, high: float, *, is_crowded: bool) -> np.ndarray:
    """Return the edges of about 40 bins, one of them at the cut."""
    low = min(float(values.min()), threshold)
    if is_crowded:
        root = np.sqrt(threshold)
        step = root / max(1, round(40 * root / np.sqrt(high)))
        return np.unique(np.arange(0, np.sqrt(high) / step + 1.001) * step) ** 2
    if np.array_equal(values, np.round(values)) and threshold == round(threshold):
        step = max(1.0, np.ceil((high - low) / 40))
    else:
        step = (high - low) / 40 or 1.0
    below = np.ceil((threshold - low) / step)
    return threshold + step * np.arange(-below, np.floor((high - threshold) / step) + 2)


def component_map(columns: list[str], rows: list[Mapping[str, Any]], *, ax: Axes | None = None) -> Axes:
    """Draw the leading components: their share of variance, and how much of each the samples' columns explain.

    Parameters
    ----------
    columns : list of str
        Names of the columns of the samples.
    rows : list of mapping
        For each component ``share`` (of variance, 0 to 1) and ``r2`` (0 to 1, one value a column).
    ax : Axes, optional

    Returns
    -------
    Axes
        One row a component. Left a bar for its share of variance, right a darker square for a higher R2; the numbers
        are per cent.
    """
    ax = axes(ax, (1.5 + 0.62 * (len(columns) + 1), 1.35 + 0.36 * max(1, len(rows))))
    if not rows:
        return empty(ax, "no variance is left")
    for at, row in enumerate(rows):
        share = float(row["share"])
        ax.add_patch(_box(-1.45, at, 0.75 * min(1.0, share), ACTIVATES, height=0.62))
        ax.text(-1.4 + 0.75 * min(1.0, share), at, f"{100 * share:.0f} %", va="center", fontsize=8.5, color=INK)
        for place, value in enumerate(row["r2"]):
            value = float(value)
            ax.add_patch(_box(place + 0.03, at, 0.94, NEUTRAL, height=0.94, alpha=0.06 + 0.94 * min(1.0, value)))
            ax.text(place + 0.5, at, f"{100 * value:.0f}", ha="center", va="center", fontsize=8.5,
                    color="white" if value > 0.65 else INK)  # fmt: skip
    ax.set_xlim(-1.5, len(columns))
    ax.set_ylim(len(rows) - 0.45, -0.55)
    ax.set_yticks(range(len(rows)), [f"component {at + 1}" for at in range(len(rows))])
    ax.set_xticks(
        [-0.9, *(place + 0.5 for place in range(len(columns)))],
        ["share of variance", *(label(name, longest=20) for name in columns)],
        rotation=40,
        ha="left",
        rotation_mode="anchor",
    )
    for tick in ax.get_xticklabels():
        tick.set_parse_math(False)
    ax.xaxis.tick_top()
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, colors=INK, labelsize=9)
    ax.set_xlabel("R² with a column of the samples, in per cent", fontsize=9, color=NEUTRAL)
    ax.xaxis.set_label_position("bottom")
    return ax


def _box(x: float, at: float, width: float, color: str, *, height: float, alpha: float = 1.0) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, at - height / 2), width, height, color=color, alpha=alpha, linewidth=0)
