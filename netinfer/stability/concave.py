r"""The r-concave tail bound of complementary pairs stability selection (Shah and Samworth 2013, section 3.3).

Let X be a random variable on {0, 1/B, ..., 1} with mean at most eta whose distribution f is r-concave, that is f^r
is convex for r < 0. :math:`D(\eta, t, B, r)` is the largest possible P(X >= t). The paper shows that the maximum is
reached by a distribution with :math:`f(i) \propto (a + i)^{1/r}` on {0, ..., k}, whose mean is eta, with a second
atom size at the end of the support; the search is over the support's end k and over a.
"""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit

_LARGEST_A = 1e5


@njit
def _mean(a, k, exponent):
    total, weighted = 0.0, 0.0
    for i in range(k + 1):
        mass = (a + i) ** exponent
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
def _tail(a, k, mean, exponent, out):
    """Tail P(X >= t) of the power law on {0..k} with the rest of its mass at k + 1, for every t (B + 1 values)."""
    # Mass at k + 1 makes the mean right: (1 - m) E + m (k + 1) = mean with E the power law's mean on {0..k}.
    total, lever = 0.0, 0.0
    for i in range(k + 1):
        mass = (a + i) ** exponent
        total += mass
        lever += (k + 1 - i) * mass
    below = 0.0
    for t in range(out.size):
        if t > 0 and t - 1 <= k:
            below += (a + t - 1) ** exponent
        if t <= k + 1:
            value = 1.0 - (k + 1 - mean) * below / lever
            if value > out[t]:
                out[t] = value


@njit
def tail_bounds(eta, n_atoms, r):
    """Return D(eta, t / n_atoms, n_atoms, r) for t = 0..n_atoms, shape (n_atoms + 1,).

    eta : mean of X, in [0, 1]. Where the bound says nothing it is 1.
    """
    exponent = 1.0 / r
    mean = eta * n_atoms
    out = np.zeros(n_atoms + 1)
    first = int(np.ceil(2.0 * mean)) + 1
    if first > n_atoms or eta <= 0.0:
        if eta > 0.0:
            out[:] = 1.0
        else:
            out[0] = 1.0
        return out
    high = _matching(first, mean, exponent, _LARGEST_A)
    for k in range(first, n_atoms):
        low = _matching(k + 1, mean, exponent, high)
        # The tail is smooth in a and flat at its maximum; 48 steps reach it to 1e-3 of itself (tested).
        for step in range(49):
            _tail(low * (high / low) ** (step / 48.0), k, mean, exponent, out)
        high = low
    for t in range(first):
        out[t] = 1.0
    for t in range(n_atoms - 1, -1, -1):
        out[t] = min(max(out[t], out[t + 1]), 1.0)
    return out
