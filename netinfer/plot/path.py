"""Coefficients along the penalty: which regulators enter, when, and how they grow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.errors import InputError
from netinfer.plot.axes import COLORS, FAINT, NEUTRAL, axes, empty, label, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def coefficient_path(
    path: Any, *, names: Sequence[str] | None = None, n_labels: int = 7, ax: Axes | None = None
) -> Axes:
    """Draw every regulator's coefficient along the path of one target.

    Parameters
    ----------
    path : LassoPath
        From `netinfer.solvers.lasso_path`, `elastic_net_path` or `adaptive_lasso_path`.
    names : sequence of str, shape (n_regulators,), optional
        Names of the regulators; their places by default.
    n_labels : int, at most 7
        How many regulators to colour and name: those with the largest coefficients at the smallest penalty, a colour
        each.
    ax : Axes, optional

    Returns
    -------
    Axes
        The penalty falls from left to right on a logarithmic scale: regulators enter at the left first. Lines are
        straight in the penalty between breakpoints, so they are bent on this scale.

    Raises
    ------
    InputError
        If there are not as many names as regulators.
    """
    ax = axes(ax, (5.6, 3.6))
    n_regulators = path.coef.shape[1]
    if names is not None and len(names) != n_regulators:
        raise InputError(f"names: {len(names)} for {n_regulators} regulators: give one each")
    penalties, coef = _curve(path)
    drawn = np.flatnonzero((coef != 0.0).any(axis=0))
    if not drawn.size:
        return empty(ax, "no regulator enters at these penalties")
    # The largest at the end first; ties in order of place.
    order = drawn[np.lexsort((drawn, -np.abs(coef[:, drawn]).max(axis=0), -np.abs(coef[-1, drawn])))]
    n_named = min(max(int(n_labels), 0), len(COLORS), len(order))
    for j in order[n_named:]:
        ax.plot(penalties, coef[:, j], color=FAINT, linewidth=0.9, zorder=2)
    ax.axhline(0.0, color=NEUTRAL, linewidth=0.8, zorder=3)
    for place, j in enumerate(order[:n_named]):
        name = str(j) if names is None else label(names[j])
        ax.plot(penalties, coef[:, j], color=COLORS[place], linewidth=1.8, zorder=4, label=name)
        ax.text(1.02, 0.95 - 0.105 * place, name, color=COLORS[place], fontsize=9, fontweight="bold", va="center",
                transform=ax.transAxes, parse_math=False)  # fmt: skip
    if len(order) > n_named > 0:
        ax.text(1.02, 0.95 - 0.105 * n_named, f"and {len(order) - n_named} more", fontsize=9, color=NEUTRAL,
                va="center", transform=ax.transAxes)  # fmt: skip
    ax.set_xscale("log")
    ax.set_xlim(penalties[0], penalties[-1])
    ticks = [tick for tick in _round_numbers(penalties) if penalties[-1] <= tick <= penalties[0]]
    if len(ticks) > 1:
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
    ax.set_xlabel("penalty, falling")
    ax.set_ylabel("coefficient")
    tidy(ax, grid="y")
    return ax


def _round_numbers(penalties: np.ndarray) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten about the penalties; only the powers where these are many."""
    exponents = range(int(np.floor(np.log10(penalties[-1]))), int(np.ceil(np.log10(penalties[0]))) + 1)
    return [digit * 10.0**e for e in exponents for digit in ((1, 2, 5) if len(exponents) <= 4 else (1,))]


def _curve(path: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return penalties and coefficients to draw: those asked for, the breakpoints, and points between them."""
    last = float(path.penalties[-1])
    first = max(float(path.largest_penalty), float(path.penalties[0]), last * 1.01)
    if path.problem is None:
        return path.penalties, path.coef
    knots = path.breakpoints["penalty"]
    grid = np.concatenate([path.penalties, knots[knots > last], np.geomspace(first, last, 60)[1:-1], [first]])
    penalties = np.unique(grid)[::-1]
    return penalties, path.problem.solve(np.ascontiguousarray(penalties)).coef
