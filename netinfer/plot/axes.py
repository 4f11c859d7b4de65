"""What the figures share: new axes, colours, and gene names that are safe to draw."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_is_aside: ContextVar[bool] = ContextVar("is_aside", default=False)

# Blue and vermilion of Okabe and Ito (2008): told apart with any colour vision, and in print by lightness.
ACTIVATES = "#0072b2"
REPRESSES = "#d55e00"
NEUTRAL = "#5b6770"
FAINT = "#c3cad0"
INK = "#1d2730"
COLORS = (ACTIVATES, REPRESSES, "#009e73", "#a8508a", "#3b97d3", "#b07c00", INK)


@contextmanager
def aside() -> Iterator[None]:
    """Make new figures without pyplot in this block: for figures that are written, not shown, and then forgotten."""
    token = _is_aside.set(True)
    try:
        yield
    finally:
        _is_aside.reset(token)


def axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Return `ax`, or the only axes of a new figure of `size` inches, which pyplot (and so a notebook) shows."""
    if ax is not None:
        return ax
    if _is_aside.get():
        from matplotlib.figure import Figure

        return Figure(figsize=size, layout="constrained").subplots()
    from matplotlib import pyplot

    return pyplot.figure(figsize=size, layout="constrained").subplots()


def save(ax: Axes, path: str | os.PathLike[str], *, dpi: int = 200) -> None:
    """Write the figure of `ax` as PNG or SVG, by the path's ending, whole or not at all; equal figures, equal bytes.

    Parameters
    ----------
    ax : Axes
    path : path
    dpi : int
        Of a PNG.

    Raises
    ------
    RunError
        If the file cannot be written.
    """
    import matplotlib
    from matplotlib.figure import Figure

    from netinfer.io.files import atomic_path

    figure = ax.figure
    if not isinstance(figure, Figure):
        raise TypeError("only a plain figure can be written")
    kind = Path(path).suffix.removeprefix(".")
    # Neither time nor version; ids of an SVG that do not change from run to run.
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    with atomic_path(path) as temporary, matplotlib.rc_context({"svg.hashsalt": "netinfer"}):
        figure.savefig(temporary, format=kind, dpi=dpi, metadata=metadata)


def tidy(ax: Axes, *, grid: str | None = None) -> None:
    """Take away the frame at the top and the right; optionally a faint grid along one axis."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(NEUTRAL)
    ax.tick_params(colors=INK, labelsize=9)
    if grid:
        ax.grid(axis=grid, color=FAINT, linewidth=0.6, alpha=0.7)  # type: ignore[arg-type]
        ax.set_axisbelow(True)


def label(name: Any, *, longest: int = 18) -> str:
    """Return a gene name as one line that matplotlib can draw.

    Control characters and characters that the font lacks become "?", and long names are shortened in the middle. Draw
    it with ``parse_math=False``: a dollar sign in a name is no formula.
    """
    text = "".join(char if ord(char) in _drawable() and char.isprintable() else "?" for char in str(name))
    return text if len(text) <= longest else f"{text[: longest - 7]}…{text[-6:]}"


@lru_cache(maxsize=1)
def _drawable() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def empty(ax: Axes, why: str) -> Axes:
    """Say why there is nothing to draw."""
    ax.set_axis_off()
    ax.text(0.5, 0.5, why, ha="center", va="center", color=NEUTRAL, fontsize=10, transform=ax.transAxes, wrap=True)
    return ax
