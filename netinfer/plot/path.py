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
        How many regulators to colour and name, at the ends of their lines: the first to enter, for half of them, and
        then those with the largest coefficients at the smallest penalty.
    ax : Axes, optional

    Returns
    -------
    Axes
        The penalty falls from left to right on a logarithmic scale: regulators enter at the left first. A line begins
        where its regulator enters. Lines are straight in the penalty between breakpoints, so they are bent on this
        scale.

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
    n_named = min(max(int(n_labels), 0), len(COLORS), len(drawn))
    named = _worth_naming(coef, drawn, n_named)
    lines = _from_entry(coef)
    for j in np.setdiff1d(drawn, named):
        ax.plot(penalties, lines[:, j], color=FAINT, linewidth=0.9, zorder=2)
    ax.axhline(0.0, color=NEUTRAL, linewidth=0.8, zorder=3)
    texts = [str(j) if names is None else label(names[j]) for j in named]
    for place, j in enumerate(named):
        ax.plot(penalties, lines[:, j], color=COLORS[place], linewidth=1.8, zorder=4, label=texts[place])
    _label_ends(ax, coef[-1, named], texts)
    if len(drawn) > n_named > 0:
        ax.text(1.0, 1.02, f"{len(drawn) - n_named} more in grey", fontsize=9, color=NEUTRAL, ha="right", va="bottom",
                transform=ax.transAxes)  # fmt: skip
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


def _worth_naming(coef: np.ndarray, drawn: np.ndarray, n_named: int) -> list[int]:
    """Return the regulators to name, the first to enter first; ties in order of place."""
    entry = (coef[:, drawn] != 0.0).argmax(axis=0)
    by_entry = drawn[np.lexsort((drawn, -np.abs(coef[-1, drawn]), entry))]
    by_size = drawn[np.lexsort((drawn, -np.abs(coef[:, drawn]).max(axis=0), -np.abs(coef[-1, drawn])))]
    n_first = (n_named + 1) // 2
    chosen = set(by_entry[:n_first].tolist())
    for j in by_size.tolist():
        if len(chosen) == n_named:
            break
        chosen.add(j)
    return [j for j in by_entry.tolist() if j in chosen]


def _from_entry(coef: np.ndarray) -> np.ndarray:
    """Leave out the stretches along which a coefficient stays zero."""
    is_in = np.abs(coef) > 1e-12 * np.abs(coef).max()  # at its breakpoint a coefficient is zero up to rounding
    is_drawn = is_in.copy()
    is_drawn[:-1] |= is_in[1:]
    is_drawn[1:] |= is_in[:-1]
    return np.where(is_drawn, coef, np.nan)


def _label_ends(ax: Axes, ends: np.ndarray, texts: Sequence[str]) -> None:
    """Write names beside the ends of their lines, moved apart where they would overlap."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high)
    points = ax.get_position().height * ax.figure.get_figheight() * 72.0  # type: ignore[union-attr]
    places = _apart((ends - low) / (high - low), min(11.0 / points, 1.0 / max(len(texts), 1)))
    for place, (end, at, text) in enumerate(zip((ends - low) / (high - low), places, texts, strict=True)):
        ax.plot([1.0, 1.025], [end, at], color=COLORS[place], linewidth=0.8, transform=ax.transAxes, clip_on=False)
        ax.text(1.03, at, text, color=COLORS[place], fontsize=9, fontweight="bold", va="center",
                transform=ax.transAxes, parse_math=False)  # fmt: skip


def _apart(wished: np.ndarray, gap: float) -> np.ndarray:
    """Return places between 0 and 1 at least a gap apart, in the order of the wished ones and near them."""
    order = np.argsort(wished, kind="stable")
    steps = gap * np.arange(len(wished))
    # Without the steps the places have only to rise: neighbours out of order share their mean.
    pools: list[list[float]] = []
    for value in wished[order] - steps:
        pools.append([value, 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            second, n = pools.pop()
            first, m = pools.pop()
            pools.append([(m * first + n * second) / (m + n), m + n])
    even = np.concatenate([np.full(int(n), value) for value, n in pools] or [np.empty(0)])
    places = np.empty(len(wished))
    places[order] = np.clip(even, 0.0, max(1.0 - gap * (len(wished) - 1), 0.0)) + steps
    return places


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
