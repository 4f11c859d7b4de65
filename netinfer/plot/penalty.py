"""How a criterion depends on the penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from netinfer.plot.axes import ACTIVATES, FAINT, INK, NEUTRAL, axes, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NAMES = {"cv_error": "held-out error (share of variance)", "aic": "AIC", "bic": "BIC", "ebic": "extended BIC"}


def criterion_path(choice: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the criterion of a choice of penalty, with the number of selected regulators on top.

    Parameters
    ----------
    choice : PenaltyChoice
        What `netinfer.choose_penalty` returns.
    ax : Axes, optional

    Returns
    -------
    Axes
        The penalty falls from left to right; the vertical line is the one chosen.
    """
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    ax = axes(ax, (5.2, 3.4))
    table = choice.table
    column = "cv_error" if choice.criterion.startswith("cv") else choice.criterion
    penalty, value = table["penalty"].to_numpy(), table[column].to_numpy()
    if "cv_se" in table:
        spread = table["cv_se"].to_numpy()
        ax.fill_between(penalty, value - spread, value + spread, color=FAINT, alpha=0.6, linewidth=0)
    ax.plot(penalty, value, color=ACTIVATES, linewidth=1.8)
    ax.axvline(choice.penalty, color=INK, linewidth=1.0, linestyle="--")
    n = int(table.loc[table["penalty"] == choice.penalty, "n_selected"].iloc[0])
    ax.set_title(f"penalty {choice.penalty:.3g}: {n} regulators", fontsize=10.5, loc="left", color=INK)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.minorticks_off()
    ax.invert_xaxis()
    ax.set_xlabel("penalty (standard deviations of the target)")
    ax.set_ylabel(_NAMES[column])
    if choice.note:
        ax.text(0.02, 0.02, "not bracketed", color=NEUTRAL, fontsize=9, transform=ax.transAxes)
    tidy(ax, grid="y")
    return ax
