r"""The r-concave tail bound of complementary pairs stability selection (Shah and Samworth 2013, section 3.3).

Let X be a random variable on {0, 1/B, ..., 1} with mean at most eta whose distribution f is r-concave, that is f^r
is convex for r < 0. :math:`D(\eta, t, B, r)` is the largest possible P(X >= t). The paper shows that the maximum is
reached by a distribution with :math:`f(i) \propto (a + i)^{1/r}` on {0, ..., k}, whose mean is eta, with a second
atom size at the end of the support; the search is over the support's end k and over a.

D rises with eta, and up to eta = 1 / B no slower than eta itself: of a law of mean c eta (c < 1) take mass from 0 and
multiply the rest by 1 / c. It has mean eta, 1 / c times the tail, and stays r-concave, since f(0) grew by less than
the others; what it takes is there, since P(X > 0) is at most B c eta.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit

_LARGEST_A = 1e5


@njit
def _mass(value, exponent):
    # The two exponents of the paper's bound without a call of pow, which takes most of the time.
    if exponent == -2.0:
        return 1.0 / (value * value)
    if exponent == -4.0:
        return 1.0 / (value * value * value * value)
    return value**exponent


@njit
def _mean(a, k, exponent):
    total, weighted = 0.0, 0.0
    for i in range(k + 1):
        mass = _mass(a + i, exponent)
        total += mass
        weighted += i * mass
    return weighted / total


@njit
def _matching(k, mean, exponent, upper):
    """Find a > 0 at which the power law on {0, ..., k} has the wished mean; the mean rises with a."""
    low, high = 1e-12, upper
    for _ in range(200):
        middle = 0.5 * (low + high) if low > 1e-6 else np.sqrt(low * high)
        if _mean(middle, k, exponent) < mean:
            low = middle
        else:
            high = middle
        if high - low <= 1e-14 * high:
            break
    return high


@njit
def _tail(a, k, mean, exponent, mass, out):
    """Tail P(X >= t) of the power law on {0..k} with the rest of its mass at k + 1, for every t (B + 1 values)."""
    total, weighted = 0.0, 0.0
    for i in range(k, -1, -1):
        mass[i] = _mass(a + i, exponent)
        total += mass[i]
        weighted += i * mass[i]
    # Mass at k + 1 makes the mean right: (1 - m) E + m (k + 1) = mean with E the power law's mean on {0..k}. Summed
    # from the far end, so that small tails keep their digits.
    lever = k + 1 - weighted / total
    value = max(mean - weighted / total, 0.0) / lever
    share = (k + 1 - mean) / (lever * total)
    for t in range(k + 1, 0, -1):
        if t <= k:
            value += share * mass[t]
        if value > out[t]:
            out[t] = value


@njit
def tail_bounds(eta, n_atoms, r):
    """Return D(eta, t / n_atoms, n_atoms, r) for t = 0..n_atoms, shape (n_atoms + 1,).

    eta : mean of X, in [0, 1]. Where the bound says nothing it is 1.
    """
    exponent = 1.0 / r
    mean = eta * n_atoms
    out, mass = np.zeros(n_atoms + 1), np.zeros(n_atoms + 1)
    first = int(np.ceil(2.0 * mean)) + 1
    if first > n_atoms or eta <= 0.0:
        if eta > 0.0:
            out[:] = 1.0
        else:
            out[0] = 1.0
        return out
    high = _matching(first - 1, mean, exponent, _LARGEST_A)
    for k in range(first - 1, n_atoms):
        low = _matching(k + 1, mean, exponent, high)
        # The tail is smooth in a and flat at its maximum; 48 steps reach it to 1e-3 of itself (tested).
        for step in range(49):
            _tail(low * (high / low) ** (step / 48.0), k, mean, exponent, mass, out)
        high = low
    for t in range(first):
        out[t] = 1.0
    for t in range(n_atoms - 1, -1, -1):
        out[t] = min(max(out[t], out[t + 1]), 1.0)
    return out
