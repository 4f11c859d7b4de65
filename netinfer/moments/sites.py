"""The best match of a motif matrix in each bin of a promoter, on either strand."""

from __future__ import annotations

import numpy as np

from netinfer.kernels import njit

# What a partial score may lose to rounding against the whole one.
_ROUNDING = 1e-9


def best_matches(
    codes: np.ndarray, scores: np.ndarray, bins: np.ndarray, n_bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the best score of a motif's sites in each bin of each sequence, 0 where none is positive, and where it is.

    Parameters
    ----------
    codes : uint8 array, shape (n_sequences, n_positions)
        0 to 3 for A, C, G and T; a site with any other code has no score.
    scores : float array, shape (width, 4)
        Log odds of each base at each position of the motif.
    bins : int array, shape (n_positions - width + 1,)
        Bin of the site that begins at each position; -1 for none.
    n_bins : int

    Returns
    -------
    best : float array, shape (n_sequences, n_bins)
        In the units of the scores; the larger of both strands.
    begin : int32 array, shape (n_sequences, n_bins)
        Position at which that site begins, whichever its strand; the first of equal ones; -1 where none is positive.
    strand : int8 array, shape (n_sequences, n_bins)
        1: along the sequence, also where the other strand is as good; -1: the other one; 0 where none is positive.
    """
    out = np.zeros((len(codes), n_bins))
    begin = np.full(out.shape, -1, np.int32)
    strand = np.zeros(out.shape, np.int8)
    # What the rest of a site can add at most, from each of its positions on, for either strand.
    most = scores.max(axis=1)
    forward = np.append(np.cumsum(most[::-1])[::-1], 0.0) + _ROUNDING
    backward = np.append(np.cumsum(most)[::-1], 0.0) + _ROUNDING
    _search(codes, np.ascontiguousarray(scores), forward, backward, bins, out, begin, strand)
    return out, begin, strand


@njit
def _search(codes, scores, forward, backward, bins, out, places, strands):
    width = scores.shape[0]
    for i in range(codes.shape[0]):
        letters, found = codes[i], out[i]
        for begin in range(bins.size):
            b = bins[begin]
            if b < 0:
                continue
            score = 0.0
            for k in range(width):
                letter = letters[begin + k]
                if letter > 3:
                    score = -np.inf
                    break
                score += scores[k, letter]
                if score + forward[k + 1] <= found[b]:
                    break
            if score == -np.inf:
                continue
            if k == width - 1 and score > found[b]:
                found[b], places[i, b], strands[i, b] = score, begin, 1
            score = 0.0
            for k in range(width):
                letter = letters[begin + k]
                if letter > 3:
                    break
                score += scores[width - 1 - k, 3 - letter]
                if score + backward[k + 1] <= found[b]:
                    break
            if k == width - 1 and letter <= 3 and score > found[b]:
                found[b], places[i, b], strands[i, b] = score, begin, -1
