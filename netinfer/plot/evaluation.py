"""Precision and recall against a gold standard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netinfer.plot.axes import ACTIVATES, INK, NEUTRAL, axes, empty, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def precision_recall(curves: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw precision against recall, each method a line and the base rate a dashed one.

    Parameters
    ----------
    curves : DataFrame
        method, recall, precision: from `netinfer.evaluate.precision_recall`.
    ax : Axes, optional

    Returns
    -------
    Axes
        Recall is drawn on a square-root scale, where the strongest edges have room.
    """
    ax = axes(ax, (5.2, 3.8))
    if not len(curves):
        return empty(ax, "no pair was scored")
    styles = [(ACTIVATES, "-", 2.0), (NEUTRAL, "-", 1.3), (INK, ":", 1.3)]
    for (method, curve), (color, line, width) in zip(curves.groupby("method", sort=False), styles, strict=False):
        # A single pair at the very top makes precision 0 or 1: the line starts where a tenth of a percent is found.
        seen = curve[curve["recall"] >= min(0.001, curve["recall"].max())]
        ax.plot(seen["recall"], seen["precision"], color=color, linestyle=line, linewidth=width, label=str(method))
    base_rate = float(curves["precision"].iloc[-1])
    ax.axhline(base_rate, color=NEUTRAL, linestyle="--", linewidth=1, label=f"random order ({base_rate:.3g})")
    ax.set_xscale("function", functions=(_root, _square))
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1], ["0", "0.01", "0.05", "0.1", "0.25", "0.5", "0.75", "1"])
    ax.set_ylim(0, None)
    ax.set_xlabel("recall: share of the known edges found")
    ax.set_ylabel("precision: share of the pairs\nthat are known edges")
    ax.legend(frameon=False, fontsize=9)
    tidy(ax, grid="y")
    return ax


def _root(values):  # type: ignore[no-untyped-def]
    import numpy as np

    return np.sqrt(np.maximum(values, 0.0))


def _square(values):  # type: ignore[no-untyped-def]
    return values**2
