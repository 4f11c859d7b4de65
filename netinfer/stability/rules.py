r"""Published bounds on the expected number of false selections, from one set of selection counts.

For every target the candidates are its regulators; the network's bound is the sum of the targets' bounds at one
common cut. All rules read the same counts: how often each pair was selected at each penalty of the path, and how
many regulators each target selected on average. They count selections by chance, given independent units.

A rule turns the counts into one number a pair: the bound on the false selections of the whole network when the cut is
placed exactly at that pair. Cutting by a wished number, or a wished share, is then a comparison.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from netinfer.errors import InputError
from netinfer.stability.concave import tail_bounds

# Ends of the path to try, in this order: the first has the best calibration (docs/decisions/001-default-rule.md).
TRUNCATIONS = (0.002, 0.01, 0.05, 0.001)
# A network is large enough to stop at when it has, at this fdr, one edge for every so many targets.
LEVEL, TARGETS_PER_EDGE = 0.1, 10


@dataclasses.dataclass(frozen=True)
class SelectionCounts:
    """What the half-samples selected, over the whole network.

    Attributes
    ----------
    n_subsamples : int
        Half-samples, 2 B for B complementary pairs.
    n_candidates : float array, shape (n_targets,)
        Candidate regulators of each target.
    n_selected : float array, shape (n_targets, n_penalties)
        Mean number of regulators selected at each penalty, q in the papers.
    n_union : float array, shape (n_targets, n_penalties)
        Mean number selected at that penalty or a larger one.
    counts : int array, shape (n_pairs, n_penalties)
        Half-samples that selected the pair, for every pair that some penalty selects in more than half of them.
    """

    n_subsamples: int
    n_candidates: np.ndarray
    n_selected: np.ndarray
    n_union: np.ndarray
    counts: np.ndarray


def expected_false(selection: SelectionCounts, rule: str, *, truncation: float) -> np.ndarray:
    """Bound the network's expected false selections at the cut that each pair stands for.

    Parameters
    ----------
    selection : SelectionCounts
    rule : {"ipss_quadratic", "ipss_cubic", "shah_samworth", "meinshausen_buhlmann"}
    truncation : float, > 0
        Where the path ends, fixed in advance: the last penalty at which the rule's smallest possible bound, as a mean
        over the targets, is at most this. It depends on how many are selected, not on which.

    Returns
    -------
    float array, shape (n_pairs,)
        ``inf`` where no cut that admits the pair has a bound.

    Raises
    ------
    InputError
        If the rule is unknown.

    Notes
    -----
    Meinshausen and Buhlmann (2010), theorem 1; Shah and Samworth (2013), equation 8; Melikechi and Miller (2025),
    theorem 4.1 with orders 2 and 3, the measure uniform over the logarithmic grid of penalties (their delta = 1).
    """
    if selection.counts.size == 0:
        return np.zeros(0)
    if rule in ("ipss_quadratic", "ipss_cubic"):
        return _integrated(selection, 2 if rule == "ipss_quadratic" else 3, truncation)
    if rule in ("meinshausen_buhlmann", "shah_samworth"):
        return _by_threshold(selection, rule, truncation)
    raise InputError(
        f"rule: {rule!r} is unknown: use ipss_quadratic, ipss_cubic, shah_samworth or meinshausen_buhlmann"
    )


def choose_truncation(selection: SelectionCounts, rule: str) -> float:
    """Return the first of `TRUNCATIONS` with which a network at fdr 0.1 has at least one edge for every ten targets.

    Where none has so many, the one with the most edges, of equals the first; where no network exists at all, the first
    with which any pair has a bound. Targets without a candidate do not count.

    The list, the level and the share are fixed in advance and do not depend on the cut that the user asks for, so that
    a network's numbers stay the same when it is cut elsewhere.
    """
    n_wanted = np.count_nonzero(selection.n_candidates) / TARGETS_PER_EDGE
    n_edges, is_bounded = [], []
    for truncation in TRUNCATIONS:
        bound = expected_false(selection, rule, truncation=truncation)
        n_edges.append(int((q_values(bound) <= LEVEL).sum()))
        if n_edges[-1] > 0 and n_edges[-1] >= n_wanted:
            return truncation
        is_bounded.append(bool(np.isfinite(bound).any()))
    return TRUNCATIONS[int(np.argmax(n_edges if any(n_edges) else is_bounded))]


def q_values(bound: np.ndarray) -> np.ndarray:
    """Return, for each pair, the smallest bound / number selected over the cuts that include it, at most 1.

    Parameters
    ----------
    bound : float array, shape (n_pairs,)
        Expected false selections at the cut that each pair stands for.

    Returns
    -------
    float array, shape (n_pairs,)
        NaN where the bound is infinite. An estimate of the false discovery rate, not a bound on it.
    """
    order = np.argsort(bound, kind="stable")
    ordered = bound[order]
    selected = np.searchsorted(ordered, ordered, side="right")
    ratio = np.minimum.accumulate((ordered / np.maximum(selected, 1))[::-1])[::-1]
    out = np.empty(len(bound))
    out[order] = np.minimum(ratio, 1.0)
    out[~np.isfinite(bound)] = np.nan
    return out


def ipss_scores(counts: np.ndarray, n_subsamples: int, order: int, n_kept: int) -> np.ndarray:
    """Integrate h(x) = (2 x - 1)^order, x > 1/2, of the selection probability over the kept part of the path.

    Parameters
    ----------
    counts : int array, shape (n_pairs, n_penalties)
    n_subsamples, order, n_kept : int

    Returns
    -------
    float array, shape (n_pairs,), in [0, 1]
    """
    share = counts[:, :n_kept] / n_subsamples
    return (np.maximum(2.0 * share - 1.0, 0.0) ** order).sum(axis=1) / counts.shape[1]


def ipss_integrand(n_selected: np.ndarray, n_candidates: np.ndarray, n_pairs: int, order: int) -> np.ndarray:
    """Evaluate the integrand of the bound I_m at each penalty, shape like ``n_selected``; ``n_pairs`` is B."""
    q, p, b = n_selected, np.maximum(n_candidates, 1.0)[:, None], n_pairs
    if order == 2:
        return q**2 / (p * b) + (b - 1) * q**4 / (b * p**3)
    first, second = q**2 / (p * b**2), 3 * (b - 1) * q**4 / (p**3 * b**2)
    return first + second + (b - 1) * (b - 2) * q**6 / (p**5 * b**2)


def _integrated(selection: SelectionCounts, order: int, truncation: float) -> np.ndarray:
    integrand = ipss_integrand(selection.n_selected, selection.n_candidates, selection.n_subsamples // 2, order)
    running = integrand.sum(axis=0).cumsum() / integrand.shape[1]
    kept = int(np.searchsorted(running, truncation * len(integrand), side="right"))
    if kept == 0:
        return np.full(len(selection.counts), np.inf)
    score = ipss_scores(selection.counts, selection.n_subsamples, order, kept)
    out = np.full(len(score), np.inf)
    out[score > 0] = running[kept - 1] / score[score > 0]
    return out


def _by_threshold(selection: SelectionCounts, rule: str, truncation: float) -> np.ndarray:
    candidates = np.maximum(selection.n_candidates, 1.0)
    smallest = (selection.n_union**2 / candidates[:, None]).mean(axis=0)
    kept = int((smallest <= truncation).sum())
    out = np.full(len(selection.counts), np.inf)
    if kept == 0:
        return out
    n_subsamples = selection.n_subsamples
    best = selection.counts[:, :kept].max(axis=1)
    q = selection.n_union[:, kept - 1]
    levels = np.arange(n_subsamples + 1)
    bound = np.full(n_subsamples + 1, np.inf)
    above = levels > n_subsamples // 2
    bound[above] = (q**2 / candidates).sum() / (2.0 * levels[above] / n_subsamples - 1.0)
    if rule == "shah_samworth":
        bound[above] = np.minimum(bound, _concave_sum(q, candidates, n_subsamples))[above]
    return bound[best]


def _concave_sum(q: np.ndarray, candidates: np.ndarray, n_subsamples: int) -> np.ndarray:
    """Sum over targets of p min{D(theta^2, 2 tau - 1, B, -1/2), D(theta, tau, 2B, -1/4)} by number of selections.

    The tail bounds rise with theta and are tabulated at 60 values, each target read at the next larger one.
    """
    theta = q / candidates
    if not (theta > 0).any():
        return np.zeros(n_subsamples + 1)
    grid = np.geomspace(theta[theta > 0].min(), theta.max(), 60)
    grid[-1] = theta.max()
    half = n_subsamples // 2
    table = np.empty((len(grid), n_subsamples + 1))
    for i, value in enumerate(grid):
        single = tail_bounds(value, n_subsamples, -0.25)
        both = np.ones(n_subsamples + 1)
        both[half:] = tail_bounds(value**2, half, -0.5)[: n_subsamples - half + 1]
        table[i] = np.minimum(single, both)
    place = np.minimum(np.searchsorted(grid, theta, side="left"), len(grid) - 1)
    weight = np.bincount(place[theta > 0], weights=candidates[theta > 0], minlength=len(grid))
    return weight @ table
