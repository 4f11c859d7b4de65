r"""Integrated path stability selection (Melikechi and Miller 2025), for one target and summed over a network.

A candidate's score is the integral of :math:`h_m(\pi(\lambda))`, :math:`h_m(x) = (2x - 1)^m` above one half, over the
path by the measure :math:`\lambda^{-\delta} d\lambda`; the bound at the cut of a pair is :math:`I_m` / score, with
:math:`I_m` the integral of the expected number of false selections. Their simultaneous-selection condition is assumed:
pairs of halves of the same data need not meet it, and in simulation the cubic rule (m = 3) holds no level.
"""

from __future__ import annotations

import numpy as np

from netinfer.errors import InputError
from netinfer.stability.counts import SelectionCounts, q_values

# Constants at which the running integral ends the path, a target; the first that gives a network is taken.
TRUNCATIONS = (0.05, 0.01, 0.002)
LEVEL = 0.1
# Below this mean selection probability a flat path has not begun, rather than ended.
_BEGUN = 0.01


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
    if order == 1:
        return q**2 / p
    if order == 2:
        return q**2 / (p * b) + (b - 1) * q**4 / (b * p**3)
    first, second = q**2 / (p * b**2), 3 * (b - 1) * q**4 / (p**3 * b**2)
    return first + second + (b - 1) * (b - 2) * q**6 / (p**5 * b**2)


def integrated_bound(selection: SelectionCounts, order: int, truncation: float) -> np.ndarray:
    """Bound the network's expected false selections at each pair's score: `netinfer.stability.expected_false`."""
    integrand = ipss_integrand(selection.n_selected, selection.n_candidates, selection.n_subsamples // 2, order)
    running = integrand.sum(axis=0).cumsum() / integrand.shape[1]
    kept = int(np.searchsorted(running, truncation * len(integrand), side="right"))
    if kept == 0:
        return np.full(len(selection.counts), np.inf)
    score = ipss_scores(selection.counts, selection.n_subsamples, order, kept)
    out = np.full(len(score), np.inf)
    out[score > 0] = running[kept - 1] / score[score > 0]
    return out


def choose_truncation(selection: SelectionCounts, order: int) -> float:
    """Return the first of `TRUNCATIONS` with a network at fdr 0.1; where none has one, the first with any bound.

    The list and the level are fixed in advance and do not depend on the cut that the user asks for.
    """
    is_bounded = []
    for truncation in TRUNCATIONS:
        bound = integrated_bound(selection, order, truncation)
        if (q_values(bound) <= LEVEL).any():
            return truncation
        is_bounded.append(bool(np.isfinite(bound).any()))
    return TRUNCATIONS[int(np.argmax(is_bounded))]


def efp_scores(
    counts: np.ndarray,
    n_selected: np.ndarray,
    penalties: np.ndarray,
    *,
    n_subsamples: int,
    order: int = 2,
    delta: float = 1.0,
    cutoff: float = 0.05,
) -> np.ndarray:
    r"""Score the candidates of one target as the authors' package does: the expected false positives at each one's cut.

    Parameters
    ----------
    counts : int array, shape (n_regulators, n_penalties)
        Half-samples that selected each regulator.
    n_selected : float array, shape (n_penalties,)
        Mean number selected, q.
    penalties : float array, shape (n_penalties,), decreasing, > 0
    n_subsamples : int
        2 B.
    order : {1, 2, 3}
        m of :math:`h_m`.
    delta : float
        Of the measure :math:`\lambda^{-\delta} d\lambda`.
    cutoff : float, > 0
        The path ends before the running integral of the bound passes it.

    Returns
    -------
    float array, shape (n_regulators,), at most n_regulators

    Notes
    -----
    Melikechi and Miller (2025), and their Python package ``ipss`` 1.1. Three habits of the package are kept, so that
    the numbers can be compared: left Riemann sums; a path that has stopped changing ends early; the score is
    normalised over the kept part of the path, its bound over the whole, which makes the scores smaller than the bound
    of the paper where the path is cut. `expected_false` normalises both alike.
    """
    if order not in (1, 2, 3):
        raise InputError(f"order: {order} is not 1, 2 or 3")
    if counts.shape != (counts.shape[0], len(penalties)) or len(n_selected) != len(penalties):
        raise InputError(f"counts: shape {counts.shape} does not fit {len(penalties)} penalties")
    paths, p = counts / n_subsamples, len(counts)
    n = _flat_from(paths)
    paths, penalties, q = paths[:, :n], penalties[:n], np.asarray(n_selected, dtype=float)[None, :n]
    weights = penalties[1:] ** (1.0 - delta)
    steps = weights * ipss_integrand(q, np.array([float(p)]), n_subsamples // 2, order)[0, :-1]
    running = _normalisation(penalties, delta) * np.cumsum(steps)
    beyond = running > cutoff
    kept = int(beyond.argmax()) if beyond.any() else n - 1
    bound = running[kept - 1] if kept else 0.0
    stop = kept + 1 if beyond.any() else n
    heights = np.where(paths > 0.5, (2.0 * paths - 1.0) ** order, 0.0)[:, : stop - 1]
    score = _normalisation(penalties[:stop], delta) * (heights @ weights[: stop - 1]) if stop > 1 else np.zeros(p)
    return bound / np.maximum(score, bound / p) if bound > 0 else np.where(score > 0, 0.0, float(p))


def _normalisation(penalties: np.ndarray, delta: float) -> float:
    low, high, n = penalties.min(), penalties.max(), len(penalties)
    if n < 2:
        return 1.0
    share = 1.0 - (low / high) ** (1.0 / n)
    if delta == 1.0:
        return share / np.log(high / low)
    return (1.0 - delta) * share / (high ** (1.0 - delta) - low ** (1.0 - delta))


def _flat_from(paths: np.ndarray) -> int:
    """Return the place from which no path has changed over two penalties; the number of penalties where all go on."""
    for i in range(2, paths.shape[1]):
        is_flat = np.isclose(paths[:, i], paths[:, i - 2], rtol=0.0, atol=1e-8).all()
        if is_flat and paths[:, i].mean() > _BEGUN:
            return i
    return paths.shape[1]
