r"""Published bounds on the expected number of false selections, from one set of selection counts.

For every target the candidates are its regulators; the network's bound is the sum of the targets' bounds at one
common cut. All rules read the same counts: how often each pair was selected at each penalty of the path, and how
many regulators each target selected on average. They count selections by chance, given independent units.

A rule turns the counts into one number a pair: the bound on the false selections of the whole network when the cut is
placed exactly at that pair. Cutting by a wished number, or a wished share, is then a comparison.

The threshold rules (Meinshausen and Buhlmann; Shah and Samworth) have two dials, the selection probability asked for
and the end of the path, that is, how many regulators are selected. As Meinshausen and Buhlmann propose, the first is
fixed and the error sets the second: a pair stands for the cut at the penalty at which its selection probability
reaches the threshold, and its bound is that of the path ended there. Networks of a stricter cut are parts of those
of a looser one. Which penalty belongs to a wished error depends on how many are selected, not on which.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import numpy as np

from netinfer.errors import InputError
from netinfer.stability.concave import tail_bounds
from netinfer.stability.counts import SelectionCounts, q_values
from netinfer.stability.ipss import choose_truncation, integrated_bound

__all__ = [
    "IPSS_ORDER",
    "RULES",
    "THRESHOLD",
    "SelectionCounts",
    "default_threshold",
    "expected_false",
    "q_values",
    "rule_constants",
    "rule_record",
]

# Selection probability of an edge, fixed by the calibration of docs/decisions/006-threshold-fixed-path-free.md; with
# more candidates than this for each unit of a half-sample, where nothing is selected by nearly all, the second.
THRESHOLD, WIDE_THRESHOLD, WIDE = 0.9, 0.6, 20
IPSS_ORDER = {"ipss_quadratic": 2, "ipss_cubic": 3}
BY_THRESHOLD = ("meinshausen_buhlmann", "shah_samworth", "shah_samworth_unimodal")
RULES = (*BY_THRESHOLD, *IPSS_ORDER)
# Values of theta at which the tail bounds are computed, 4 % apart.
TABLED = np.geomspace(1e-6, 1.0, 361)


def expected_false(
    selection: SelectionCounts,
    rule: str,
    *,
    threshold: float = THRESHOLD,
    truncation: float | None = None,
    pooled: bool = False,
) -> np.ndarray:
    """Bound the network's expected false selections at the cut that each pair stands for.

    Parameters
    ----------
    selection : SelectionCounts
    rule : {"meinshausen_buhlmann", "shah_samworth", "shah_samworth_unimodal", "ipss_quadratic", "ipss_cubic"}
    threshold : float, 1/2 < tau <= 1
        Selection probability that an edge needs, for the rules that have one; the IPSS rules have none.
    truncation : float, > 0, optional
        Of the IPSS rules: the path ends before the integral of the bound passes it, as a mean over the targets; by
        default the first of 0.05, 0.01, 0.002 with a network at fdr 0.1.
    pooled : bool
        One procedure over all pairs in place of the sum over targets: tighter (for Meinshausen and Buhlmann's rule
        never larger), and it needs targets that are exchangeable, in place of regulators that are so for each target.

    Returns
    -------
    float array, shape (n_pairs,)
        ``inf`` where no cut that admits the pair has a bound.

    Raises
    ------
    InputError
        If the rule is unknown, the threshold is not in (1/2, 1] or the truncation not above 0.

    Notes
    -----
    Meinshausen and Buhlmann (2010), theorem 1; Shah and Samworth (2013), theorem 2 (unimodal) and equation 8
    (r-concave); Melikechi and Miller (2025), theorem 4.1 with orders 2 and 3, the measure uniform over the
    logarithmic grid of penalties (their delta = 1).
    """
    if rule not in RULES:
        raise InputError(f"rule: {rule!r} is unknown: use {', '.join(RULES)}")
    if not 0.5 < threshold <= 1.0:
        raise InputError(f"threshold: {threshold} is not above 0.5 and at most 1: the rules have no bound there")
    if truncation is not None and not truncation > 0.0:
        raise InputError(f"truncation: {truncation} is not above 0: the path would be empty")
    if selection.counts.size == 0:
        return np.zeros(len(selection.counts))
    if pooled:
        selection = selection.pooled()
    if rule in IPSS_ORDER:
        order = IPSS_ORDER[rule]
        return integrated_bound(
            selection, order, choose_truncation(selection, order) if truncation is None else truncation
        )
    needed = _needed(threshold, selection.n_subsamples)
    reached = np.maximum.accumulate(selection.counts, axis=1) >= needed
    out = np.full(len(reached), np.inf)
    does = reached[:, -1]
    ends = np.maximum.accumulate(_bound_at_ends(selection, rule, needed))
    out[does] = ends[reached[does].argmax(axis=1)]
    return out


def default_threshold(n_candidates: np.ndarray, n_units: int) -> float:
    """Return the threshold by default: it depends on the size of the problem alone, not on what was selected.

    Parameters
    ----------
    n_candidates : float array, shape (n_targets,)
    n_units : int
        Independent units of all samples.
    """
    return WIDE_THRESHOLD if n_candidates.max(initial=0) > WIDE * (n_units // 2) else THRESHOLD


def decoy_record(selection: SelectionCounts, counts: np.ndarray, rule: str, **constants: Any) -> dict:
    """Return how many pairs of a decoy and a target pass the network's cuts, for the provenance.

    Parameters
    ----------
    selection : SelectionCounts
        Of the network: decoys are cut where its pairs are.
    counts : int array, shape (n_decoy_pairs, n_penalties)
        Half-samples that selected the decoy, for every pair that some penalty selects in more than half of them.
    rule, constants
        As for `expected_false`.

    Returns
    -------
    dict
        For ``expected_false_edges`` and for ``selection_probability`` the values (``at``, from the strictest on) that
        some decoy pair stands for, and how many pairs stand for these or a stricter one (``n_pairs``).
    """
    bound = expected_false(dataclasses.replace(selection, counts=counts), rule, **constants)
    share = counts.max(axis=1, initial=0) / selection.n_subsamples
    out = {}
    for name, values in (("expected_false_edges", bound[np.isfinite(bound)]), ("selection_probability", -share)):
        at, number = np.unique(values, return_counts=True)
        out[name] = {"at": np.abs(at).tolist(), "n_pairs": number.cumsum().tolist()}
    return out


def rule_record(
    selection: SelectionCounts,
    penalties: np.ndarray,
    rule: str,
    *,
    threshold: float,
    truncation: float | None,
    pooled: bool,
) -> dict:
    """Return what a rule used, for the provenance: ``rule``, ``pooled``, and ``threshold`` or ``truncation``.

    With a threshold ``path_ends`` gives the penalties and the bound of a path ended at each.
    """
    if rule in IPSS_ORDER:
        return {"rule": rule, "pooled": pooled, "truncation": truncation}
    selection = selection.pooled() if pooled else selection
    bound = np.maximum.accumulate(_bound_at_ends(selection, rule, _needed(threshold, selection.n_subsamples)))
    ends = {"penalty": penalties.tolist(), "expected_false_edges": bound.tolist()}
    return {"rule": rule, "pooled": pooled, "threshold": threshold, "path_ends": ends}


def rule_constants(settings: Any, selection: SelectionCounts, n_units: int) -> dict[str, Any]:
    """Return what `expected_false` and `rule_record` take besides the rule, with `auto` resolved, once for both.

    ``settings`` has ``rule``, ``threshold``, ``truncation`` and ``pooled``, as `netinfer.config.RegressionConfig`.
    """
    threshold, truncation = settings.threshold, None
    if settings.rule in IPSS_ORDER:
        truncation = settings.truncation
        if truncation == "auto":
            counts = selection.pooled() if settings.pooled else selection
            truncation = choose_truncation(counts, IPSS_ORDER[settings.rule])
    return {
        "threshold": default_threshold(selection.n_candidates, n_units) if threshold == "auto" else threshold,
        "truncation": truncation,
        "pooled": settings.pooled,
    }


def _needed(threshold: float, n_subsamples: int) -> int:
    # More than half of them in any case: at one half there is no bound.
    return max(int(np.ceil(threshold * n_subsamples - 1e-9)), n_subsamples // 2 + 1)


def _bound_at_ends(selection: SelectionCounts, rule: str, needed: int) -> np.ndarray:
    """Bound the false selections of the whole network for the path ended at each penalty, shape (n_penalties,)."""
    candidates = np.maximum(selection.n_candidates, 1.0)[:, None]
    n_subsamples, tau = selection.n_subsamples, needed / selection.n_subsamples
    squares, theta = selection.n_union**2 / candidates, selection.n_union / candidates
    worst_case = squares / (2.0 * tau - 1.0)
    if rule == "shah_samworth_unimodal":
        factor = _unimodal_factor(theta, tau, n_subsamples // 2)
        holds = np.isfinite(factor)
        worst_case[holds] = np.minimum(worst_case, np.where(holds, factor, 0.0) * squares)[holds]
    if rule == "shah_samworth":
        worst_case = np.minimum(worst_case, candidates * _concave(theta, n_subsamples, needed))
    return worst_case.sum(axis=0)


def _unimodal_factor(theta: np.ndarray, tau: float, n_pairs: int) -> np.ndarray:
    """Return C(tau, B) of Shah and Samworth's theorem 2, shape like ``theta``; infinite where it does not hold."""
    if tau > 0.75:
        factor = 4.0 * (1.0 - tau + 0.5 / n_pairs) / (1.0 + 1.0 / n_pairs)
    else:
        factor = 0.5 / (2.0 * tau - 1.0 - 0.5 / n_pairs)
    least = np.minimum(0.5 + theta**2, 0.5 + 0.5 / n_pairs + 0.75 * theta**2)
    holds = (theta <= 1.0 / np.sqrt(3.0)) & (tau > least) & (tau >= 0.5 + 1.0 / n_pairs)
    return np.where(holds, factor, np.inf)


def _concave(theta: np.ndarray, n_subsamples: int, needed: int) -> np.ndarray:
    """Return min{D(theta^2, 2 tau - 1, B, -1/2), D(theta, tau, 2B, -1/4)}, shape like ``theta``.

    Each D is read at the next larger tabulated value, since it rises with theta, and scaled down from there where it
    is known to rise no slower than its mean (`netinfer.stability.concave`): never too small, and 5 % too large at most
    for theta below 1 / (2 B).
    """
    place = np.minimum(np.searchsorted(TABLED, theta, side="left"), len(TABLED) - 1)
    used, back = np.unique(place, return_inverse=True)
    at = TABLED[used]
    tails = np.array([_tails(n_subsamples, int(k))[:, needed - n_subsamples // 2] for k in used])
    share = (theta / at[back].reshape(theta.shape))[..., None]
    means, atoms = np.stack([at**2, at], axis=1), np.array([n_subsamples // 2, n_subsamples])
    scale = np.where((means * atoms <= 1.0)[back].reshape(*theta.shape, 2), share ** np.array([2, 1]), 1.0)
    return (tails[back].reshape(*theta.shape, 2) * scale).min(axis=-1)


@functools.lru_cache(maxsize=1024)
def _tails(n_subsamples: int, place: int) -> np.ndarray:
    """Return both D at a tabulated theta for tau = 1/2, 1/2 + 1/(2B), ..., 1, shape (2, B + 1)."""
    half, theta = n_subsamples // 2, TABLED[place]
    return np.stack([tail_bounds(theta**2, half, -0.5), tail_bounds(theta, n_subsamples, -0.25)[half:]])
