"""Row by row on one Gram matrix: the operator at its penalty, and what half-samples select along the path."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from netinfer.moments import Moments, from_matrix, inverse_sd
from netinfer.solvers.nonnegative import GAP_TOLERANCE, MAX_SWEEPS, follow_nonnegative
from netinfer.solvers.path import by_homotopy
from netinfer.solvers.problem import MomentProblem
from netinfer.stability.subsamples import complementary_pair

# The operator's penalties: a tenth apart, from the largest down to a hundredth of it, then further by decades.
PER_DECADE, FIRST, SMALLEST = 25, 1e-2, 1e-4
EBIC_GAMMA = 0.5
# With unknown noise the likelihood of n samples is unbounded as the model fills; half of n is far from that.
MOST_DF = 0.5
CERTIFIED_GAP = 1e-8


@dataclasses.dataclass
class _Standardised:
    """One set of samples as the solver sees it, of signals whose spread over all samples is about 1.

    What is constant in it can neither enter nor be explained.
    """

    gram: np.ndarray
    cross: np.ndarray
    per_sd: np.ndarray
    target_varies: np.ndarray
    weights: np.ndarray


def _standardised(moments: Moments, weights: np.ndarray) -> _Standardised:
    per_sd, per_target_sd = inverse_sd(moments.gram.diagonal()), inverse_sd(moments.target_var)
    gram = moments.gram * per_sd[:, None] * per_sd[None, :]
    np.fill_diagonal(gram, 1.0)
    cross = np.ascontiguousarray((moments.cross * per_sd[:, None] * per_target_sd[None, :]).T)
    return _Standardised(gram, cross, per_sd, per_target_sd > 0, np.where(per_sd > 0, weights, np.inf))


def _solve(problem: _Standardised, i: int, penalties: np.ndarray, nonnegative: bool) -> tuple[np.ndarray, ...]:
    """Follow row i; return coefficients (n_penalties, n_nodes) and relative duality gaps."""
    p = len(problem.gram)
    coef, gap, violation = np.zeros((len(penalties), p)), np.zeros(len(penalties)), np.zeros(len(penalties))
    weights = problem.weights[i]
    forbidden = np.isinf(weights)
    if not problem.target_varies[i] or forbidden.all():
        return coef, gap
    finite = np.where(forbidden, 1.0, weights)
    if nonnegative:
        follow_nonnegative(
            problem.gram, problem.cross[i], 1.0, penalties, finite, forbidden, GAP_TOLERANCE, MAX_SWEEPS,
            coef, gap, violation,
        )  # fmt: skip
        return coef, gap
    row = MomentProblem(problem.gram, problem.cross[i], weights, 1.0, 0.0, by_homotopy, by_homotopy)
    solution = row.solve(penalties)
    return solution.coef, solution.duality_gap


def fit_operator(everything, weights, nonnegative, penalty, pool) -> tuple[dict[str, list], np.ndarray]:
    """Fit every row on all samples at its penalty; return what the table of rows says and the coefficients."""
    problem = _standardised(everything, weights)
    found = list(pool.map(lambda i: _row(problem, everything.n, i, nonnegative, penalty), range(len(problem.cross))))
    names = ("status", "penalty", "duality_gap", "kkt_violation")
    return {name: [row[name] for row in found] for name in names}, np.array([row["coef"] for row in found])


def _row(problem: _Standardised, n: int, i: int, nonnegative: bool, penalty: float | None) -> dict[str, Any]:
    gram, q = problem.gram, problem.cross[i]
    if not problem.target_varies[i]:
        nothing = np.zeros(len(q))
        return {"status": "constant", "penalty": np.nan, "duality_gap": 0.0, "kkt_violation": 0.0, "coef": nothing}
    end = FIRST
    while True:
        penalties = np.geomspace(1.0, end, round(-np.log10(end) * PER_DECADE) + 1)
        penalties = np.array([penalty]) if penalty is not None else penalties
        coef, gap = _solve(problem, i, penalties, nonnegative)
        df = (coef != 0).sum(axis=1)
        rss = 1.0 - 2.0 * coef @ q + np.einsum("ki,ki->k", coef @ gram, coef)
        score = n * np.log(np.maximum(rss, 1e-14)) + (np.log(n) + 2.0 * EBIC_GAMMA * np.log(len(q))) * df
        # The grid begins above every largest penalty, so its first fit is within the allowed.
        score[df > max(MOST_DF * n, df[0])] = np.inf
        best = int(score.argmin())
        if penalty is not None or best < len(penalties) - 1 or end <= SMALLEST:
            break
        end /= 10.0
    gradient = q - coef[best] @ gram
    bound = penalties[best] * np.where(np.isinf(problem.weights[i]), np.inf, problem.weights[i])
    is_in = coef[best] != 0
    violation = np.where(
        is_in,
        np.abs(gradient - np.sign(coef[best]) * np.where(is_in, bound, 0.0)),
        np.maximum((gradient if nonnegative else np.abs(gradient)) - bound, 0.0),
    )
    status = "ok" if gap[best] <= CERTIFIED_GAP else "not_converged"
    return {
        "status": status, "penalty": float(penalties[best]), "duality_gap": float(gap[best]),
        "kkt_violation": float(violation.max()), "coef": coef[best],
    }  # fmt: skip


def count_links(x, response, everything, units, weights, nonnegative, settings, seed, pool) -> dict[str, np.ndarray]:
    """Count over the half-samples what each row selects along the path, self-loops left aside.

    ``gap`` is the worst relative duality gap of each row's fits.
    """
    p, n_half = x.shape[1], settings.n_subsamples
    grid = np.geomspace(settings.penalty_max, settings.penalty_min, settings.n_penalties)
    penalties = np.append(grid, settings.ranking_penalty)
    counts = np.zeros((p, p, len(grid)), np.uint16)
    n_selected, n_union = np.zeros((p, len(grid)), np.int64), np.zeros((p, len(grid)), np.int64)
    weight, total = np.zeros((p, p)), np.zeros((p, p))
    n_positive, n_negative = np.zeros((p, p), np.int64), np.zeros((p, p), np.int64)
    worst = np.zeros(p)

    def fit(problem: _Standardised, i: int) -> None:
        coef, gap = _solve(problem, i, penalties, nonnegative)
        worst[i] = max(worst[i], gap.max())
        coef[:, i] = 0.0
        selected = coef[: len(grid)] != 0
        counts[i] += selected.T
        n_selected[i] += selected.sum(axis=1)
        n_union[i] += np.logical_or.accumulate(selected, axis=0).sum(axis=1)
        weight[i] += np.abs(coef[-1])
        total[i] += coef[-1]
        n_positive[i] += coef[-1] > 0
        n_negative[i] += coef[-1] < 0

    for pair in range(n_half // 2):
        first, second = complementary_pair(len(units), pair, seed=seed)
        for half in (first, second):
            moments = from_matrix(x, response, np.concatenate([units[u] for u in half]))
            problem = _standardised(moments, weights)
            list(pool.map(lambda i, of_half=problem: fit(of_half, i), range(p)))
    # Where the ranking penalty selects in no half, the covariance tells the sign of the few selected above it.
    sign = np.where(total != 0, total, everything.cross.T)
    agree = np.maximum(n_positive, n_negative)
    n_nonzero = n_positive + n_negative
    return {
        "counts": counts, "n_selected": n_selected, "n_union": n_union, "weight": weight / n_half,
        "sign": np.where(sign < 0, -1, 1), "agree": agree, "n_nonzero": n_nonzero, "gap": worst,
    }  # fmt: skip
