"""Where a network is cut: which candidates are edges, and what is said when none can be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError


@dataclass(frozen=True)
class _Criterion:
    column: str
    keeps_low: bool
    largest: float
    fix: str


CRITERIA = {
    "fdr": _Criterion("q_value", True, 1.0, "ask for a larger fdr"),
    "expected_false_edges": _Criterion("expected_false_edges", True, math.inf, "allow more expected false edges"),
    "selection_probability": _Criterion("selection_probability", False, 1.0, "ask for a smaller selection probability"),
    # The graph at the one penalty that was fitted: all candidates.
    "penalty": _Criterion("weight", False, math.inf, "fit again at a smaller penalty"),
}
# Share by which a penalty may differ from the fitted one and still be it: six digits are printed.
SAME_PENALTY = 1e-5


def asked_cut(given: Mapping[str, float | None], provenance: Mapping[str, Any] | None = None) -> dict[str, float]:
    """Check a wished cut.

    Parameters
    ----------
    given : mapping
        ``fdr`` (above 0, at most 1), ``expected_false_edges`` (above 0), ``selection_probability`` (above 0, at
        most 1) or ``penalty`` (that of the graph that was fitted): exactly one that is not None.
    provenance : mapping, optional
        May hold ``n_pairs``, the candidate edges that no wished number of false ones can exceed, ``threshold``,
        which a rule has that needs selection probabilities above 0.5, and ``graph_penalty``, where the candidates are
        the graph at one penalty.

    Returns
    -------
    dict
        The one criterion and its value.

    Raises
    ------
    ConfigError
        If not exactly one is given, or its value is impossible.
    """
    names = ", ".join(CRITERIA)
    if unknown := sorted(set(given) - set(CRITERIA)):
        raise ConfigError(f"cut: unknown criterion {unknown[0]!r}: give one of {names}")
    wished = {name: value for name, value in given.items() if value is not None}
    if len(wished) != 1:
        raise ConfigError(f"cut: {len(wished)} criteria given: give exactly one of {names}")
    ((name, value),) = wished.items()
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    largest = CRITERIA[name].largest
    if not is_number or not 0 < float(value) <= largest or not math.isfinite(value):
        bound = "" if math.isinf(largest) else f" and at most {largest:g}"
        raise ConfigError(f"cut: {name}: {value!r} is not a number above 0{bound}: correct it")
    provenance = provenance or {}
    n_pairs = provenance.get("n_pairs", math.inf)
    if name == "expected_false_edges" and value > n_pairs:
        raise ConfigError(
            f"cut: {name}: {value:g} false edges cannot be among {n_pairs} candidate edges: ask for fewer"
        )
    if name == "selection_probability" and provenance.get("threshold") is not None and value <= 0.5:
        raise ConfigError(
            f"cut: {name}: {value:g} is not above 0.5, and rule {provenance.get('rule')} bounds nothing there: ask for "
            "more, or read the exploratory network, which has no error control"
        )
    if name == "penalty":
        return {name: _fitted_penalty(float(value), provenance.get("graph_penalty"))}
    return {name: float(value)}


def _fitted_penalty(value: float, fitted: float | None) -> float:
    """Return the penalty that the candidates are the graph of, or refuse another one."""
    if fitted is None:
        raise ConfigError(
            f"cut: penalty: {value:g}: the candidates are not the graph at one penalty: give another criterion"
        )
    if abs(value - fitted) > SAME_PENALTY * fitted:
        raise ConfigError(f"cut: penalty: {value:g} was not fitted, {fitted:.6g} was: fit again with penalty={value:g}")
    return fitted


def passing(candidates: pd.DataFrame, asked: Mapping[str, float]) -> np.ndarray:
    """Return which candidates a cut keeps; ties at the cut are all kept, a missing bound never is.

    Returns
    -------
    bool array, shape (n_candidates,)
    """
    ((name, value),) = asked.items()
    if name == "penalty":
        return np.ones(len(candidates), bool)
    criterion = CRITERIA[name]
    values = candidates[criterion.column].to_numpy()
    return values <= value if criterion.keeps_low else values >= value


def describe_cut(
    candidates: pd.DataFrame, asked: Mapping[str, float], kept: np.ndarray, provenance: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Say how a cut was met, or why it was not.

    ``provenance`` may hold ``n_units``, ``threshold`` and, where decoys were run, ``decoys``: how many of their pairs
    pass which cut.

    Returns
    -------
    dict
        ``asked`` (dict), ``met`` (bool), ``reason`` (str, empty where met), ``expected_false_edges`` (the bound of the
        least certain edge kept, None where it is infinite or nothing is kept), ``n_edges`` (int), and with decoys
        ``decoy_edges`` (int): how many of their pairs pass the same cut, all of them by chance.
    """
    n_edges = int(np.count_nonzero(kept))
    bounds = candidates["expected_false_edges"].to_numpy()[kept]
    # What is kept is part of what a cut at the least certain edge kept would keep, so that edge's bound covers it.
    bound = float(bounds.max()) if n_edges and not np.isnan(bounds).any() else None
    provenance = provenance or {}
    cut = {
        "asked": dict(asked),
        "met": n_edges > 0,
        "reason": "" if n_edges else _reason(candidates, asked, provenance),
        "expected_false_edges": bound,
        "n_edges": n_edges,
    }
    if "decoys" in provenance and n_edges:
        cut["decoy_edges"] = _decoys(provenance["decoys"], asked, bound)
    return cut


def _decoys(found: Mapping[str, Any], asked: Mapping[str, float], bound: float | None) -> int:
    """Count the pairs of decoys that pass a cut: by selection probability, else by the bound of the last edge kept."""
    name, value = "expected_false_edges", bound
    if "selection_probability" in asked:
        name, value = "selection_probability", asked["selection_probability"]
    if value is None:
        return 0
    pairs = zip(found[name]["at"], found[name]["n_pairs"], strict=True)
    passing = (number for at, number in pairs if (at <= value if CRITERIA[name].keeps_low else at >= value))
    return max((int(number) for number in passing), default=0)


def _reason(candidates: pd.DataFrame, asked: Mapping[str, float], provenance: Mapping[str, Any]) -> str:
    ((name, value),) = asked.items()
    criterion = CRITERIA[name]
    n_units, threshold = provenance.get("n_units"), provenance.get("threshold")
    units = f" with {n_units} independent units" if n_units is not None else ""
    exploratory = "or read the exploratory network, which has no error control"
    if provenance.get("skipped"):
        return str(provenance["skipped"])
    if name == "penalty":
        return f"no two genes are tied at penalty {value:.6g}{units}: {criterion.fix}"
    if not len(candidates):
        return f"no pair has a weight{units}, so that there is nothing to cut"
    values = candidates[criterion.column].dropna()
    if not len(values):
        if threshold is None:
            return (
                f"no candidate has a finite bound on its false edges{units}: use more independent samples, "
                f"{exploratory}"
            )
        most = candidates["selection_probability"].max()
        return (
            f"no candidate that the bound holds for is selected by {threshold:g} of the half-samples{units} (the "
            f"largest selection probability is {most:.3g}): use more independent samples, set a smaller `threshold` "
            f"before looking at the result, {exploratory}"
        )
    extreme, best = ("smallest", values.min()) if criterion.keeps_low else ("largest", values.max())
    return (
        f"no candidate reaches {name} {value:g}{units}: the {extreme} {criterion.column} is {best:.3g}: "
        f"use more independent samples, {criterion.fix}, {exploratory}"
    )


def in_words(asked: Mapping[str, float]) -> str:
    """Write a cut as one short text, such as ``fdr = 0.1``."""
    ((name, value),) = asked.items()
    return f"{name} = {value:g}"


def q_values(bounds: np.ndarray) -> np.ndarray:
    """Return, for each pair, the smallest bound / number of edges over the cuts that include it, at most 1.

    Parameters
    ----------
    bounds : float array, shape (n_pairs,)
        ``expected_false_edges``; NaN where there is no finite one.

    Returns
    -------
    float array, shape (n_pairs,)
        NaN where the bound is. The same numbers as `netinfer.stability.rules.q_values`, of which this layer knows
        nothing.
    """
    out = np.full(len(bounds), np.nan)
    known = np.flatnonzero(~np.isnan(bounds))
    order = known[np.argsort(bounds[known], kind="stable")]
    ordered = bounds[order]
    number = np.searchsorted(ordered, ordered, side="right")
    out[order] = np.minimum(np.minimum.accumulate((ordered / number)[::-1])[::-1], 1.0)
    return out
