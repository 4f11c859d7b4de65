"""Proximal Newton steps on a fixed working set, compiled.

A step minimises a quadratic model of the loss plus the exact penalty. The model's second moments X'WX are the cost
for many samples, so they are kept from step to step, and from penalty to penalty, and made anew only when the steps
no longer contract: the fixed point is the same whatever they are.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit
from netinfer.solvers.logistic_quadratic import curvatures, minimise, violation

# Moments that cost less than this many multiply-adds are made anew in every step.
CHEAP = 1_000_000
# Others are kept while a step brings the violation below this share of the last.
CONTRACTION = 0.2
MAX_NEWTON, MAX_SWEEPS, MAX_HALVINGS = 100, 2_000, 40
# Share of the promised gain that a step has to bring, and how exactly the model is minimised.
SUFFICIENT, INEXACT = 1e-4, 0.02
# Rounding of an objective near 1; a step that promises less cannot be told from none.
ROUNDING = 4e-16


@njit
def sample_terms(eta, sign, share, residual, weight):
    """Write each sample's share of residual y - p and curvature p (1 - p); return the mean loss."""
    loss = 0.0
    for i in range(eta.size):
        margin = sign[i] * eta[i]
        small = np.exp(-abs(margin))
        loss += share[i] * (np.log1p(small) + max(-margin, 0.0))
        wrong = small / (1.0 + small) if margin > 0.0 else 1.0 / (1.0 + small)
        residual[i] = share[i] * sign[i] * wrong
        weight[i] = share[i] * wrong * (1.0 - wrong) if wrong > 1e-4 else share[i] * small / (1.0 + small) ** 2
    return loss


@njit
def penalty_value(coef, ridge, thresholds, group_thresholds, starts, has_groups):
    """Return the penalty, ridge included."""
    value = 0.0
    for j in range(coef.size):
        b = coef[j]
        if b != 0.0:
            value += thresholds[j] * abs(b) + 0.5 * ridge[j] * b * b
    if has_groups:
        for g in range(starts.size - 1):
            if group_thresholds[g] > 0.0:
                total = 0.0
                for j in range(starts[g], starts[g + 1]):
                    total += coef[j] * coef[j]
                value += group_thresholds[g] * np.sqrt(total)
    return value


@njit
def _make_moments(rows, weight, ridge, starts, scratch, hessian, mean, model_weight, curvature):
    """Make the second moments, the intercept profiled out, with the samples' present curvature."""
    k, n = rows.shape
    total = 0.0
    for i in range(n):
        model_weight[i] = weight[i]
        total += weight[i]
    for j in range(k):
        line, row = scratch[j], rows[j]
        for i in range(n):
            line[i] = row[i] * weight[i]
    np.dot(rows, weight, mean)
    np.dot(scratch[:k], rows.T, hessian)
    for j in range(k):
        share = mean[j] / total
        for i in range(k):
            hessian[j, i] -= share * mean[i]
        hessian[j, j] += ridge[j]
    curvatures(hessian, starts, curvature)
    return total


@njit
def newton(
    rows, coef, intercept, eta, residual, weight, loss, sign, share, ridge, thresholds, group_thresholds, starts,
    hessian, mean, model_weight, curvature, scratch, is_stale, wished, has_groups,
):  # fmt: skip
    """Take steps until the largest violation is at most ``wished``; all arrays are updated in place.

    rows : (k, n), the working set's predictors, centred. hessian, mean, model_weight, curvature : the moments kept,
    without a meaning where ``is_stale``. Returns the violation, intercept, loss, number of steps, ``is_stale``.
    """
    k, n = rows.shape
    slope, trial, change, inner = np.empty(k), np.empty(k), np.empty(k), np.empty(k)
    moving, eta_new = np.empty(n), np.empty(n)
    residual_new, weight_new = np.empty(n), np.empty(n)
    before = penalty_value(coef, ridge, thresholds, group_thresholds, starts, has_groups)
    last, reached, steps = np.inf, np.inf, 0
    total = model_weight.sum()
    while True:
        np.dot(rows, residual, slope)
        slope_0 = residual.sum()
        for j in range(k):
            slope[j] -= ridge[j] * coef[j]
        reached = max(violation(coef, slope, thresholds, group_thresholds, starts), abs(slope_0))
        if reached <= wished or steps == MAX_NEWTON:
            break
        if is_stale or n * k * k < CHEAP or reached > CONTRACTION * last:
            total = _make_moments(rows, weight, ridge, starts, scratch, hessian, mean, model_weight, curvature)
            is_stale = False
        last = reached
        for j in range(k):
            trial[j] = coef[j]
            inner[j] = slope[j] - mean[j] * (slope_0 / total)
        minimise(
            hessian, trial, inner, thresholds, group_thresholds, starts, curvature, INEXACT * reached, MAX_SWEEPS,
            not has_groups,
        )  # fmt: skip
        change_0, promised = slope_0 / total, 0.0
        for j in range(k):
            change[j] = trial[j] - coef[j]
            change_0 -= mean[j] * change[j] / total
            promised -= (slope[j] + ridge[j] * coef[j]) * change[j]
        promised += penalty_value(trial, ridge, thresholds, group_thresholds, starts, has_groups) - before
        promised = min(promised - slope_0 * change_0, 0.0)
        np.dot(change, rows, moving)
        length, is_taken = 1.0, False
        for _ in range(MAX_HALVINGS):
            for i in range(n):
                eta_new[i] = eta[i] + length * (change_0 + moving[i])
            if length < 1.0:
                for j in range(k):
                    trial[j] = coef[j] + length * change[j]
            loss_new = sample_terms(eta_new, sign, share, residual_new, weight_new)
            after = penalty_value(trial, ridge, thresholds, group_thresholds, starts, has_groups)
            allowed = SUFFICIENT * length * promised + ROUNDING * max(1.0, loss + before)
            if loss_new + after <= loss + before + allowed:
                is_taken = True
                break
            length *= 0.5
            is_stale = True
        if not is_taken:
            break
        for j in range(k):
            coef[j] = trial[j]
        for i in range(n):
            eta[i], residual[i], weight[i] = eta_new[i], residual_new[i], weight_new[i]
        intercept += length * change_0
        loss, before = loss_new, after
        steps += 1
    return reached, intercept, loss, steps, is_stale
