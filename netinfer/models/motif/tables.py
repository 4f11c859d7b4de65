"""The table of positions and bases, and what is said of the cut."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from netinfer.models.motif.halves import Stability
from netinfer.models.motif.problem import MotifProblem
from netinfer.stability import expected_false, q_values


def position_table(
    problem: MotifProblem,
    stable: Stability,
    by_base: np.ndarray,
    asked: dict[str, float],
    rule: str,
    threshold: float,
    first: int,
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return one row a base of a position with variation, and each position's bound and whether it is at the cut.

    Parameters
    ----------
    problem : MotifProblem
    stable : Stability
    by_base : float array, shape (n_positions, 4)
    asked : dict
        One of ``fdr``, ``expected_false_positions``, and its value.
    rule, threshold : of the bound
    first : int

    Returns
    -------
    table : DataFrame, in order of position and base
    bound : float array, shape (n_positions,)
        ``inf`` where no cut that admits the position has a bound.
    is_selected : bool array, shape (n_positions,)
    """
    n_positions, varying = problem.n_positions, problem.varying
    most = stable.position_counts.max(axis=1, initial=0)
    bound, q_value = np.full(n_positions, np.inf), np.full(n_positions, np.nan)
    gate = varying[most[varying] > stable.selection.n_subsamples // 2]
    bound[gate] = expected_false(stable.selection, rule, threshold=threshold)
    q_value[gate] = q_values(bound[gate])
    ((name, value),) = asked.items()
    is_selected = (np.nan_to_num(q_value, nan=np.inf) if name == "fdr" else bound) <= value
    # By the bound, then the share of half-samples, then size.
    order = np.lexsort((-stable.contribution, -most, bound))
    rank = np.empty(n_positions, np.int64)
    rank[order] = np.arange(1, n_positions + 1)
    occurs = problem.design.n_of_base > 0
    occurs[problem.constant] = False
    position, base = np.nonzero(occurs)
    place = 4 * position + base
    is_reference = problem.coding.reference[position] == base
    effect = stable.effect[place]
    if problem.coding.name == "reference":
        # By definition, where a half-sample selected the position at all.
        has_any = ~np.isnan(stable.effect.reshape(-1, 4)).all(axis=1)
        effect = np.where(is_reference & has_any[position], 0.0, effect)
    n_half = stable.selection.n_subsamples
    table = pd.DataFrame(
        {
            "position": position + first,
            "base": [problem.letters[b] for b in base],
            "is_reference": is_reference,
            "n_sequences": problem.design.n_of_base[position, base],
            "coef": by_base[position, base],
            "effect": effect,
            "effect_low": stable.low[place],
            "effect_high": stable.high[place],
            "base_selection_probability": stable.base_counts.max(axis=1)[place] / n_half,
            "weight": stable.contribution[position],
            "selection_probability": most[position] / n_half,
            "expected_false_positions": np.where(np.isinf(bound), np.nan, bound)[position],
            "q_value": q_value[position],
            "rank": rank[position],
            "is_selected": is_selected[position],
        }
    )
    return table, bound, is_selected


def cut_record(table: pd.DataFrame, asked: dict[str, float], n_units: int) -> dict[str, Any]:
    """Say how the cut was met, or why it was not."""
    of_position = table.drop_duplicates("position")
    chosen = of_position[of_position["is_selected"]]
    ((name, value),) = asked.items()
    reason = ""
    if not len(chosen):
        column = "q_value" if name == "fdr" else name
        known = of_position[column].dropna()
        best = f"the smallest {column} is {known.min():.3g}" if len(known) else "none is selected by most half-samples"
        reason = f"no position reaches {name} {value:g} with {n_units} distinct sequences: {best}: more would help"
    return {
        "asked": asked,
        "met": len(chosen) > 0,
        "reason": reason,
        "expected_false_positions": float(chosen["expected_false_positions"].max()) if len(chosen) else None,
        "n_positions": len(chosen),
    }
