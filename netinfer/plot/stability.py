"""How often regulators are selected as the penalty falls, where a cut lies, and whether its bound holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.errors import InputError
from netinfer.plot.axes import ACTIVATES, COLORS, FAINT, INK, NEUTRAL, axes, empty, label, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


_TICKS = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)


def stability_paths(
    paths: pd.DataFrame,
    target: str,
    *,
    selected: set[str] | None = None,
    net: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the selection probability of each regulator of one target along the penalty.

    Parameters
    ----------
    paths : DataFrame
        target, regulator, penalty (standard deviations of the target), selection_probability (share of half-samples).
    target : str
    selected : set of str, optional
        Regulators to draw in colour; by default the network's, without one all whose path passes 0.5.
    net : Network, optional
        Whose cut is drawn: dashed across, the selection probability that an edge needs; dotted down, where the path
        ends at this cut, with the bound on the network's false edges there. An edge reaches the dashed line left of
        the dotted one. A rule that integrates over the path has neither line.
    ax : Axes, optional

    Returns
    -------
    Axes
        The penalty falls from left to right; the first regulators to rise, named first, have the strongest evidence.
    """
    if net is not None and selected is None:
        edges = net.edges if net.cut["met"] else net.exploratory()
        selected = set(edges.loc[edges["target"].astype(str) == str(target), "source"].astype(str))
    ax = axes(ax, (5.2, 3.4))
    rows = paths[paths["target"].astype(str) == str(target)]
    if not len(rows):
        return empty(ax, f"no regulator of {label(target)} was selected in half of the half-samples")
    lines = []
    for name, path in rows.groupby("regulator", sort=True):
        path = path.sort_values("penalty", ascending=False)
        penalty, share = path["penalty"].to_numpy(), path["selection_probability"].to_numpy()
        is_chosen = str(name) in selected if selected is not None else share.max() > 0.5
        # Earlier at one half, then higher at the end: the order in which the evidence is told.
        early = float(penalty[int((share >= 0.5).argmax())]) if (share >= 0.5).any() else 0.0
        lines.append((not is_chosen, -early, -float(share[-1]), str(name), penalty, share))
    lines.sort(key=lambda line: line[:4])
    n_chosen = sum(not line[0] for line in lines)
    for place, (is_other, _, _, name, penalty, share) in enumerate(lines):
        color = FAINT if is_other else COLORS[place] if place < len(COLORS) else NEUTRAL
        ax.plot(penalty, share, color=color, linewidth=1.0 if is_other else 1.8, zorder=2 if is_other else 4)
        if not is_other and place < len(COLORS):
            ax.text(1.02, 0.95 - 0.105 * place, label(name), color=color, fontsize=9, fontweight="bold", va="center",
                    transform=ax.transAxes, parse_math=False)  # fmt: skip
    if n_chosen > len(COLORS):
        ax.text(1.02, 0.95 - 0.105 * len(COLORS), f"and {n_chosen - len(COLORS)} more", fontsize=9, color=NEUTRAL,
                va="center", transform=ax.transAxes)  # fmt: skip
    if net is not None:
        _draw_cut(ax, net, paths)
    _penalty_axis(ax, paths["penalty"])
    ax.set_ylim(-0.02, 1.05)
    ax.set_ylabel("share of half-samples")
    ax.set_title(label(target, longest=40), fontsize=10.5, loc="left", parse_math=False)
    tidy(ax, grid="y")
    return ax


def _draw_cut(ax: Axes, net: Any, paths: pd.DataFrame) -> None:
    needed, end = cut_lines(net, paths)
    if needed is not None:
        ax.axhline(needed, color=INK, linewidth=0.9, linestyle="--", zorder=3)
    if end is None:
        return
    ax.axvline(end, color=INK, linewidth=1.1, linestyle=":", zorder=3)
    bound = net.cut.get("expected_false_edges")
    if bound is not None:
        # To the side with more room: paths are low at the left.
        ax.text(end, 0.03, f"≤ {bound:.3g} false edges ", color=INK, fontsize=8, ha="right", va="bottom",
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}, zorder=5)  # fmt: skip


def cut_lines(net: Any, paths: pd.DataFrame) -> tuple[float | None, float | None]:
    """Return the selection probability that an edge of a network needs, and the penalty at which its path ends.

    Parameters
    ----------
    net : Network
        Its provenance says which rule bounds the false edges: ``threshold`` stands there for those that have one.
    paths : DataFrame
        As for `stability_paths`, of any targets.

    Returns
    -------
    needed, end : float or None
        None where the rule, or the cut, has no such line. The end is the provenance's (``path_ends``: penalties and
        the bound of a path ended at each), else the smallest penalty at which an edge in `paths` gets to the threshold.
    """
    asked = net.cut.get("asked", {})
    if "selection_probability" in asked:
        return float(asked["selection_probability"]), None
    threshold = net.provenance.get("threshold")
    if threshold is None or not net.cut["met"]:
        return (None if threshold is None else float(threshold)), None
    ends, bound = net.provenance.get("path_ends"), net.cut.get("expected_false_edges")
    if ends and bound is not None:
        inside = [x for x, value in zip(ends["penalty"], ends["expected_false_edges"], strict=True) if value <= bound]
        return float(threshold), min(inside, default=None)
    edges = set(zip(net.edges["source"].astype(str), net.edges["target"].astype(str), strict=True))
    over = paths[paths["selection_probability"] >= threshold - 1e-9]
    first = over.groupby(["regulator", "target"])["penalty"].max()
    reached = [float(x) for (regulator, target), x in first.items() if (str(regulator), str(target)) in edges]
    return float(threshold), min(reached, default=None)


def instability_path(choice: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the instability of a choice by StARS along the penalty.

    Parameters
    ----------
    choice : NetworkPenalty
        What `netinfer.choose_network_penalty` returns.
    ax : Axes, optional

    Returns
    -------
    Axes
        The penalty falls from left to right; the dashed line is the threshold, the dotted one the penalty chosen. Where
        two subsamples were enough to tell, nothing is drawn.
    """
    ax = axes(ax, (5.2, 3.4))
    table = choice.table[choice.table["instability"].notna()]
    ax.plot(table["penalty"], table["instability"], color=ACTIVATES, linewidth=1.8, marker="o", markersize=3)
    ax.axhline(choice.threshold, color=INK, linewidth=0.9, linestyle="--")
    ax.axvline(choice.penalty, color=INK, linewidth=1.1, linestyle=":")
    ax.set_title(f"penalty {choice.penalty:.3g}: {len(choice.edges):,} edges", fontsize=10.5, loc="left", color=INK)
    _penalty_axis(ax, choice.table["penalty"])
    ax.set_ylim(bottom=0.0)
    ax.set_ylabel("instability (mean disagreement)")
    tidy(ax, grid="y")
    return ax


def calibration_curve(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the false edges observed in simulation against those asked for.

    Parameters
    ----------
    table : DataFrame, one row a rule (or setting) and level
        ``rule`` (what a line is called), ``asked`` (expected false edges asked for), ``observed`` (mean number of false
        edges over the simulations) and, where there is one, ``se`` (standard error of that mean).
    ax : Axes, optional

    Returns
    -------
    Axes
        Both axes logarithmic. On the line observed = asked; below it the bound holds with something to spare. Bars are
        two standard errors; a mean of zero is a triangle at the lower edge.

    Raises
    ------
    InputError
        If a column is missing.
    """
    from matplotlib.ticker import StrMethodFormatter

    missing = [name for name in ("rule", "asked", "observed") if name not in table]
    if missing:
        raise InputError(f"calibration_curve: column {missing[0]!r} is missing: give rule, asked and observed")
    ax = axes(ax, (5.2, 3.8))
    table = table[(table["asked"] > 0) & table["observed"].notna()]
    if not len(table):
        return empty(ax, "no level was asked for")
    positive = np.append(table.loc[table["observed"] > 0, "observed"], table["asked"]).astype(float)
    low, high = positive.min() / 2.0, positive.max() * 2.0
    ax.plot([low, high], [low, high], color=NEUTRAL, linewidth=0.9, linestyle="--", zorder=2)
    ax.fill_between([low, high], [low, high], [high, high], color=FAINT, alpha=0.35, linewidth=0, zorder=1)
    ax.text(0.03, 0.95, "more false edges than asked for", fontsize=8.5, color=NEUTRAL, va="top",
            transform=ax.transAxes)  # fmt: skip
    markers = "osD^vP*"
    for place, (name, rows) in enumerate(table.groupby("rule", sort=False)):
        rows = rows.sort_values("asked")
        color, marker = COLORS[place % len(COLORS)], markers[place % len(markers)]
        line = "-" if place < len(COLORS) else "--"
        asked, seen = rows["asked"].to_numpy(dtype=float), rows["observed"].to_numpy(dtype=float)
        spread = 2.0 * rows["se"].to_numpy(dtype=float) if "se" in rows else np.zeros(len(rows))
        shown = seen > 0
        below = np.minimum(spread, seen - low)[shown]
        ax.errorbar(asked[shown], seen[shown], yerr=[np.maximum(below, 0.0), spread[shown]], color=color, marker=marker,
                    markersize=5, linewidth=1.4, capsize=2.5, linestyle=line, zorder=4,
                    label=label(name, longest=40))  # fmt: skip
        ax.plot(asked[~shown], np.full((~shown).sum(), low), color=color, marker="v", linestyle="none", zorder=4,
                clip_on=False, label=None if shown.any() else label(name, longest=40))  # fmt: skip
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(0.4 * table["asked"].min(), 2.5 * table["asked"].max())
    ax.set_ylim(low, high)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.set_xlabel("expected false edges asked for")
    ax.set_ylabel("false edges observed (mean)")
    # Beside the axes: a rule that keeps its level runs through the lower right.
    legend = ax.legend(frameon=False, fontsize=8.5, loc="center left", bbox_to_anchor=(1.02, 0.5))
    for text in legend.get_texts():
        text.set_parse_math(False)
    tidy(ax)
    return ax


def _penalty_axis(ax: Axes, penalties: pd.Series) -> None:
    ax.set_xscale("log")
    ax.set_xlim(1.05 * penalties.max(), penalties.min() / 1.05)
    ax.set_xlabel("penalty (standard deviations of the target)")
    ticks = [tick for tick in _TICKS if _within(tick, penalties)]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()


def _within(tick: float, penalties: pd.Series) -> bool:
    return 0.95 * penalties.min() <= tick <= 1.05 * penalties.max()
