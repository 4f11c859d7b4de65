"""How often regulators are selected as the penalty falls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netinfer.plot.axes import COLORS, FAINT, NEUTRAL, axes, empty, label, tidy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def stability_paths(
    paths: pd.DataFrame, target: str, *, selected: set[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the selection probability of each regulator of one target along the penalty.

    Parameters
    ----------
    paths : DataFrame
        target, regulator, penalty (standard deviations of the target), selection_probability (share of half-samples).
    target : str
    selected : set of str, optional
        Regulators to draw in colour, those in the network; by default all whose path passes 0.5.
    ax : Axes, optional

    Returns
    -------
    Axes
        The penalty falls from left to right; the first regulators to rise, named first, have the strongest evidence.
    """
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
    ax.set_xscale("log")
    ax.invert_xaxis()
    ax.set_ylim(-0.02, 1.05)
    ax.set_xlabel("penalty (standard deviations of the target)")
    ax.set_ylabel("share of half-samples")
    ax.set_title(label(target, longest=40), fontsize=10.5, loc="left", parse_math=False)
    ticks = [tick for tick in (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02) if _within(tick, paths["penalty"])]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    tidy(ax, grid="y")
    return ax


def _within(tick: float, penalties: pd.Series) -> bool:
    return 0.95 * penalties.min() <= tick <= 1.05 * penalties.max()
