"""Motif-position models: effects along the sequence, and the logo of a footprint."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.errors import InputError
from netinfer.plot.axes import ACTIVATES, FAINT, INK, NEUTRAL, REPRESSES, axes, label, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A, C, G, T in Okabe and Ito's colours: told apart with any colour vision.
BASE_COLORS = ("#009e73", "#0072b2", "#b07c00", "#d55e00")
# Above this, letters are too narrow to read, and bars are drawn.
MOST_LETTERS = 120
FONT = "DejaVu Sans"
WORD_SIZE = 7.5


def promoter_effects(model: Any, *, ax: Axes | None = None) -> Axes:
    """Draw what the bases of each position do to the activity.

    Parameters
    ----------
    model : MotifModel
    ax : Axes, optional

    Returns
    -------
    Axes
        Effects less their mean over the bases that occur at the position. Up to 120 positions they are letters, the
        largest outside, those that lower the activity upside down below zero; else, or without logomaker, bars from
        the worst base to the best one. Positions at the cut are in colour and have a mark above, others are pale; grey
        bands are footprints, with their consensus above. The reference stands below the axis, bold at the cut.
    """
    record = model.record
    n, first = record["n_positions"], record["first"]
    occurs = np.array(record["base_occurs"], dtype=bool)
    centred = centred_effects(model.effects, occurs)
    at_cut = set(model.positions.loc[model.positions["is_selected"], "position"])
    is_selected = np.array([p + first in at_cut for p in range(n)])
    has_letters = n <= MOST_LETTERS and importlib.util.find_spec("logomaker") is not None
    ax = axes(ax, (11.0, 3.7))
    low, high = _extent(centred, has_letters)
    _bands(ax, model.footprints, n)
    if has_letters:
        _letters(ax, centred, record["letters"], first, is_selected)
    else:
        _bars(ax, centred, first, is_selected)
    ax.axhline(0.0, color=NEUTRAL, linewidth=0.8, zorder=3)
    ax.set_xlim(first - 0.8, first + n - 0.2)
    ax.set_ylim(low, high)
    chosen = np.flatnonzero(is_selected) + first
    size = min(3.5, 0.9 * _points_a_position(ax, n))
    ax.plot(chosen, np.full(len(chosen), 0.975), linestyle="none", marker="v", markersize=size, color=INK, zorder=5,
            transform=ax.get_xaxis_transform())  # fmt: skip
    _reference(ax, record, is_selected)
    name = label(record["response"], longest=30)
    if record["family"] == "binomial":
        ax.set_ylabel(f"log odds of {label(record['classes'][1])},\nagainst the position's mean", parse_math=False)
    else:
        ax.set_ylabel(f"effect on {name},\nagainst the position's mean", parse_math=False)
    tidy(ax, grid="y")
    if not len(chosen):
        ax.set_title("no position is at the cut", fontsize=9.5, loc="left", color=NEUTRAL)
    return ax


def footprint_logo(model: Any, k: int, *, ax: Axes | None = None) -> Axes:
    """Draw the logo of a footprint: the information of its matrix against the bases of all sequences.

    Parameters
    ----------
    model : MotifModel
    k : int
        Number of the footprint, from 1.
    ax : Axes, optional

    Returns
    -------
    Axes
        A position is as high as the relative entropy of its bases in bits (Schneider and Stephens 1990, against the
        background), shared out by their frequency.

    Raises
    ------
    InputError
        If there is no such footprint, or logomaker is missing.
    """
    if importlib.util.find_spec("logomaker") is None:
        raise InputError("footprint_logo: logomaker draws the letters: pip install 'netinfer[motifs]'")
    motifs = model.footprint_motifs()
    if not 1 <= k <= len(motifs):
        raise InputError(f"footprint_logo: footprint {k}: the model has {len(motifs)}, numbered from 1")
    motif, row = motifs[k - 1], model.footprints.iloc[k - 1]
    bits = information(motif.probabilities, motif.background)
    ax = axes(ax, (max(3.2, 1.1 + 0.32 * motif.width), 2.2))
    start = int(row["start"])
    _letters(ax, bits, model.record["letters"], start, np.ones(motif.width, dtype=bool))
    ax.set_xlim(start - 0.6, start + motif.width - 0.4)
    ax.set_ylim(0.0, max(2.0, float(bits.sum(axis=1).max()) * 1.03))
    step = max(1, motif.width // 12)
    ax.set_xticks(range(start, start + motif.width, step))
    ax.set_xlabel("position")
    ax.set_ylabel("information (bits)")
    ax.set_title(f"footprint {k}, {motif.n_sites:,.0f} sequences", fontsize=10, loc="left", color=INK)
    tidy(ax)
    return ax


def centred_effects(effects: np.ndarray, occurs: np.ndarray) -> np.ndarray:
    """Return effects less their mean over the bases that occur at each position, 0 for those that do not.

    Parameters
    ----------
    effects : float array, shape (n_positions, 4)
    occurs : bool array, shape (n_positions, 4)
    """
    mean = np.where(occurs, effects, 0.0).sum(axis=1) / np.maximum(occurs.sum(axis=1), 1)
    return np.where(occurs, effects - mean[:, None], 0.0)


def information(probabilities: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return heights of letters in bits: each position's relative entropy, shared out by frequency, (width, 4)."""
    ratio = np.where(probabilities > 0, probabilities, 1.0) / np.where(probabilities > 0, background, 1.0)
    bits = (probabilities * np.log2(ratio)).sum(axis=1)
    return probabilities * np.maximum(bits, 0.0)[:, None]


def _extent(centred: np.ndarray, has_letters: bool) -> tuple[float, float]:
    """Return the ends of the axis, with room above for the marks."""
    up = np.maximum(centred, 0.0)
    down = np.minimum(centred, 0.0)
    high = float((up.sum(axis=1) if has_letters else up.max(axis=1)).max(initial=0.0))
    low = float((down.sum(axis=1) if has_letters else down.min(axis=1)).min(initial=0.0))
    size = high - low
    return (low - 0.04 * size, high + 0.1 * size) if size > 0 else (-1.0, 1.0)


def _letters(ax: Axes, heights: np.ndarray, letters: str, first: int, in_colour: np.ndarray) -> None:
    """Stack letters at each position, the largest outside; below zero upside down."""
    from logomaker import Glyph

    smallest = 1e-3 * float(np.abs(heights).max(initial=0.0))  # thinner than a line
    for p, row in enumerate(heights):
        for sign in (1.0, -1.0):
            floor = 0.0
            for b in np.argsort(sign * row, kind="stable"):
                height = sign * row[b]
                if height <= smallest:
                    continue
                ends = (floor, floor + height) if sign > 0 else (-floor - height, -floor)
                Glyph(
                    p + first, letters[b], ends[0], ends[1], ax=ax, width=0.92, font_name=FONT, flip=sign < 0,
                    color=BASE_COLORS[b] if in_colour[p] else FAINT, zorder=4,
                )  # fmt: skip
                floor += height


def _bars(ax: Axes, centred: np.ndarray, first: int, is_selected: np.ndarray) -> None:
    at = np.arange(len(centred)) + first
    for values, color, what in (
        (centred.max(axis=1), ACTIVATES, "best base"),
        (centred.min(axis=1), REPRESSES, "worst base"),
    ):
        ax.bar(at, values, width=0.85, color=np.where(is_selected, color, FAINT).tolist(), zorder=4)
        # Bars of one colour only take part in a legend.
        ax.bar([first], [0.0], color=color, label=what)
    legend = ax.legend(frameon=False, fontsize=8.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    legend.set_zorder(6)


def _bands(ax: Axes, footprints: Any, n: int) -> None:
    """Shade the footprints and write their consensus above, on as many lines as keep them apart."""
    points = _points_a_position(ax, n)
    ends: list[float] = []  # of the last word on each line, in positions
    for row in footprints.itertuples(index=False):
        ax.axvspan(row.start - 0.5, row.end + 0.5, color=FAINT, alpha=0.35, linewidth=0, zorder=1)
        middle, text = (row.start + row.end) / 2, label(row.consensus, longest=24)
        half = 0.5 * (len(text) + 1) * 0.62 * WORD_SIZE / points
        line = next((i for i, end in enumerate(ends) if middle - half >= end), len(ends))
        ends[line : line + 1] = [middle + half]
        ax.annotate(text, (middle, 1.0), xycoords=ax.get_xaxis_transform(), xytext=(0, 3 + 1.25 * WORD_SIZE * line),
                    textcoords="offset points", ha="center", va="bottom", fontsize=WORD_SIZE, family="monospace",
                    color=INK, annotation_clip=False)  # fmt: skip


def _points_a_position(ax: Axes, n: int) -> float:
    """Return about how many points of print a position is wide."""
    return float(ax.figure.get_size_inches()[0]) * ax.get_position().width * 72 / n  # type: ignore[union-attr]


def _reference(ax: Axes, record: dict[str, Any], is_selected: np.ndarray) -> None:
    """Write the reference sequence under the axis where it fits, and number the positions."""
    from matplotlib.ticker import MaxNLocator

    n, first = record["n_positions"], record["first"]
    has_words = n <= MOST_LETTERS
    ax.xaxis.set_major_locator(MaxNLocator(nbins=16, integer=True))
    ax.set_xlabel("position; the reference above the numbers" if has_words else "position")
    if not has_words:
        return
    size = float(np.clip(1.3 * _points_a_position(ax, n), 3.0, 8.5))
    for p, base in enumerate(record["reference"]):
        ax.annotate(base, (p + first, 0.0), xycoords=ax.get_xaxis_transform(), xytext=(0, -2), va="top", ha="center",
                    textcoords="offset points", fontsize=size, annotation_clip=False, family="monospace",
                    color=INK if is_selected[p] else NEUTRAL,
                    fontweight="bold" if is_selected[p] else "normal")  # fmt: skip
    ax.tick_params(axis="x", pad=size + 3, length=0)
