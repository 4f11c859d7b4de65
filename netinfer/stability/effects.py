"""Effects and held-out fit from complementary halves: select on one half, estimate on the other.

Meinshausen, Meier and Buhlmann (2009), with least squares on the half that had no part in the selection. The target
of inference is the regulator's coefficient in the selected submodel, in standard deviations of the target per
standard deviation of the regulator. All of it comes from the two halves' moments.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit

# Fewest splits that must have selected a regulator before an interval is given.
MINIMUM_SPLITS = 10
# A regulator of which less than this share varies freely of the others chosen has no coefficient worth a number.
COLLINEAR = 1e-4


@njit
def _strongest(coef, n_most, chosen):
    """Write the places of the largest |coef|, at most ``n_most``, in order of place; return how many."""
    n = 0
    for j in range(coef.size):
        if coef[j] != 0.0:
            n += 1
    if n <= n_most:
        n = 0
        for j in range(coef.size):
            if coef[j] != 0.0:
                chosen[n] = j
                n += 1
        return n
    order = np.argsort(-np.abs(coef), kind="mergesort")[:n_most]
    order.sort()
    for i in range(n_most):
        chosen[i] = order[i]
    return n_most


@njit
def _least_squares(gram, cross, variance, chosen, n, lower, estimate, spread):
    """Regress on the chosen regulators: estimates, and the unscaled variance factor of each; False if singular."""
    for a in range(n):
        for b in range(a + 1):
            total = gram[chosen[a], chosen[b]]
            for c in range(b):
                total -= lower[a, c] * lower[b, c]
            if a == b:
                if total <= COLLINEAR:
                    return False, 0.0
                lower[a, a] = np.sqrt(total)
            else:
                lower[a, b] = total / lower[b, b]
    for a in range(n):
        total = cross[chosen[a]]
        for c in range(a):
            total -= lower[a, c] * estimate[c]
        estimate[a] = total / lower[a, a]
    for a in range(n - 1, -1, -1):
        total = estimate[a]
        for c in range(a + 1, n):
            total -= lower[c, a] * estimate[c]
        estimate[a] = total / lower[a, a]
    residual = variance
    for a in range(n):
        residual -= estimate[a] * cross[chosen[a]]
    column = np.empty(n)
    for j in range(n):  # diagonal of the inverse: squared norms of the columns of the inverse factor
        total = 0.0
        for a in range(j, n):
            value = 1.0 if a == j else 0.0
            for c in range(j, a):
                value -= lower[a, c] * column[c]
            column[a] = value / lower[a, a]
            total += column[a] * column[a]
        spread[j] = total
    return True, max(residual, 0.0)


@njit
def estimate_effects(coef, gram, cross, target_varies, n_units, n_most, quantiles, split, chosen, estimate, half_width):
    """Least squares on one half for what the other half selected, for a block of targets.

    coef : (n_targets, p) selected on the other half; gram, cross (n_targets, p) : standardised, of this half.
    n_units : independent units of this half, as many of equal size as carry its information. A standard error uses
    them in place of the samples, which holds however strongly the samples of one unit depend on each other.
    quantiles : (n_units,), of t by degrees of freedom.
    Writes ``chosen`` (-1 = none), ``estimate`` and ``half_width``, each (n_targets, n_splits, n_most), at ``split``.
    """
    lower = np.empty((n_most, n_most))
    values, spread = np.empty(n_most), np.empty(n_most)
    places = np.empty(n_most, np.int64)
    for t in range(coef.shape[0]):
        for i in range(n_most):
            chosen[t, split, i] = -1
        n = _strongest(coef[t], n_most, places)
        free = n_units - n - 1
        if n == 0 or free < 1 or not target_varies[t]:
            continue
        is_fine, residual = _least_squares(gram, cross[t], 1.0, places, n, lower, values, spread)
        if not is_fine:
            continue
        for i in range(n):
            chosen[t, split, i] = places[i]
            estimate[t, split, i] = values[i]
            half_width[t, split, i] = quantiles[free] * np.sqrt(residual / free * spread[i])


@njit
def aggregate_effects(chosen, estimate, half_width, n_regulators, effect, low, high):
    """Median estimate and interval of each regulator over the splits that selected it, for a block of targets.

    The ends are the medians of the splits' own ends at level 1 - alpha / 2: a median of p-values costs a factor of
    two (Meinshausen, Meier and Buhlmann 2009, gamma = 1/2). NaN with fewer than 10 splits (interval) or 1 (effect).
    """
    n_targets, n_splits, n_most = chosen.shape
    used = np.zeros(n_regulators, np.int64)
    values = np.empty((n_regulators, n_splits))
    lows, highs = np.empty((n_regulators, n_splits)), np.empty((n_regulators, n_splits))
    for t in range(n_targets):
        used[:] = 0
        for s in range(n_splits):
            for i in range(n_most):
                j = chosen[t, s, i]
                if j >= 0:
                    at = used[j]
                    values[j, at] = estimate[t, s, i]
                    lows[j, at] = estimate[t, s, i] - half_width[t, s, i]
                    highs[j, at] = estimate[t, s, i] + half_width[t, s, i]
                    used[j] = at + 1
        for j in range(n_regulators):
            n = used[j]
            effect[t, j], low[t, j], high[t, j] = np.nan, np.nan, np.nan
            if n > 0:
                effect[t, j] = np.median(values[j, :n])
            if n >= MINIMUM_SPLITS:
                low[t, j] = np.sort(lows[j, :n])[(n - 1) // 2]
                high[t, j] = np.sort(highs[j, :n])[n // 2]


@njit
def aggregate_partial_r2(chosen, estimate, half_width, n_units, quantiles, n_regulators, partial_r2):
    """Median partial R2 of each regulator over the splits that selected it, for a block of targets.

    Of one split t^2 / (t^2 + df), the share of the variance left by the others chosen (and by covariates) that the
    regulator explains: t and df come from what `estimate_effects` wrote, with ``n_units`` (n_splits,) and
    ``quantiles`` as given there; units cancel out, so that it is the share among samples. The median, as of the
    effect: shares are skewed to the right, and a mean would follow the few splits whose submodel lacks the others.
    A regulator that explains nothing gets 1 / (df + 1) on average: Beta(1/2, df/2). NaN where no split selected it.
    """
    n_targets, n_splits, n_most = chosen.shape
    used = np.zeros(n_regulators, np.int64)
    values = np.empty((n_regulators, n_splits))
    for t in range(n_targets):
        used[:] = 0
        for s in range(n_splits):
            n = 0
            while n < n_most and chosen[t, s, n] >= 0:
                n += 1
            free = n_units[s] - n - 1
            for i in range(n):
                j = chosen[t, s, i]
                explained = estimate[t, s, i] ** 2
                left = free * (half_width[t, s, i] / quantiles[free]) ** 2
                values[j, used[j]] = explained / (explained + left) if explained > 0.0 else 0.0
                used[j] += 1
        for j in range(n_regulators):
            partial_r2[t, j] = np.median(values[j, : used[j]]) if used[j] > 0 else np.nan


@njit
def held_out_r2(
    coef, gram, cross, other_gram, other_cross, scale, shift, target_scale, target_shift, varies, total, n_scored
):
    """Add to ``total`` (n_targets,) the R2 on the other half of each target's fit on this one.

    The coefficients are first rescaled by q'b / b'Gb: a fit on a shrunk Gram overpredicts (DESIGN section 7).
    scale : (p,) this half's 1/sd times the other's sd of each regulator; shift : (p,) its mean in the other half less
    that in this, in this half's sd; target_scale, target_shift : the same of the targets. The intercept is this half's.
    """
    p = gram.shape[0]
    active = np.empty(p, np.int64)
    for t in range(coef.shape[0]):
        if not varies[t]:
            continue
        n_scored[t] += 1
        n = 0
        for j in range(p):
            if coef[t, j] != 0.0:
                active[n] = j
                n += 1
        fit, quadratic, offset = 0.0, 0.0, 0.0
        other_fit, other_quadratic = 0.0, 0.0
        for a in range(n):
            i = active[a]
            b = coef[t, i]
            inner, other_inner = 0.0, 0.0
            for c in range(n):
                j = active[c]
                inner += gram[i, j] * coef[t, j]
                other_inner += other_gram[i, j] * scale[j] * coef[t, j]
            fit += b * cross[t, i]
            quadratic += b * inner
            offset += b * shift[i]
            other_fit += b * scale[i] * other_cross[t, i]
            other_quadratic += b * scale[i] * other_inner
        rescale = fit / quadratic if quadratic > 0.0 else 0.0
        # In this half's units of the target: the other half has variance target_scale^2 and mean target_shift.
        error = target_scale[t] ** 2 - 2.0 * rescale * target_scale[t] * other_fit + rescale**2 * other_quadratic
        error += (target_shift[t] - rescale * offset) ** 2
        total[t] += 1.0 - error / target_scale[t] ** 2
