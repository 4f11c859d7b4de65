r"""Kendall's correlation of all pairs of genes, exactly, by counting bits.

Of each gene and each pair of samples two bits are kept: which sample is larger, and whether they differ. Concordant
less discordant pairs of two genes are then a count of set bits, 64 pairs of samples at a time: O(p^2 n^2 / 64) plain
integer operations. For 278 to 800 samples that is faster than products of sign matrices, and than a merge sort of each
pair of genes (Knight 1966), by the factors in docs/correlations.md. Whole numbers are the same in any order.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import types
from numba.extending import intrinsic

from netinfer.kernels import njit

# Words of bits that a gene has in memory at a time, about; and genes of one piece of work.
WORDS = 256
STRIP = 16


def kendall_tau_b(ranks: np.ndarray, *, threads: int = 1) -> np.ndarray:
    r"""Compute Kendall's tau-b of all pairs of genes.

    :math:`\tau_b = (C - D) / \sqrt{m_i m_j}` with C concordant and D discordant pairs of samples, and m of them with
    different values of a gene. Without ties that is tau-a.

    Parameters
    ----------
    ranks : int32 array, shape (n_genes, n_samples)
        Any numbers in the order of the values, equal where these are; no gene is constant.
    threads : int

    Returns
    -------
    float array, shape (n_genes, n_genes)
        Exactly symmetric, diagonal 1.
    """
    p, n = ranks.shape
    twice = np.ascontiguousarray(np.hstack([ranks, ranks]))
    n_words = -(-n // 64)
    n_shifts = max(1, WORDS // n_words)
    larger = np.zeros((p, n_shifts * n_words), np.uint64)
    differs = np.zeros_like(larger)
    counts = np.zeros((p, p), np.int64)
    has_ties = bool((np.diff(np.sort(ranks, axis=1), axis=1) == 0).any())
    strips = [(first, min(first + STRIP, p)) for first in range(0, p, STRIP)]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        # Sample k against sample k + shift, around the circle: each pair once.
        for first in range(1, n // 2 + 1, n_shifts):
            last = min(first + n_shifts, n // 2 + 1)
            used = (last - first) * n_words
            list(pool.map(lambda s, a=first, b=last: _pack(twice, n, a, b, s[0], s[1], larger, differs), strips))
            list(pool.map(lambda s, u=used: _count(larger, differs, u, has_ties, s[0], s[1], counts), strips))
    untied = counts.diagonal().astype(np.float64)
    # sqrt(m * m) is m to the last bit, so that equal orders have 1 exactly.
    upper = np.triu(counts / np.sqrt(untied[:, None] * untied[None, :]))
    return upper + np.triu(upper, 1).T


@intrinsic
def _n_set_bits(typing_context, word):
    def generate(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@njit
def _pack(twice, n, first, last, gene_first, gene_last, larger, differs):
    """Write the bits of some shifts of some genes; the bits beyond the last sample stay 0."""
    n_words = (n + 63) // 64
    for gene in range(gene_first, gene_last):
        values = twice[gene]
        for shift in range(first, last):
            # Half around the circle, every pair would come twice.
            n_pairs = n if 2 * shift < n else n // 2
            for word in range(n_words):
                is_larger, is_different = np.uint64(0), np.uint64(0)
                start = 64 * word
                for k in range(min(64, n_pairs - start)):
                    here, there = values[start + k], values[start + k + shift]
                    is_larger |= np.uint64(here > there) << np.uint64(k)
                    is_different |= np.uint64(here != there) << np.uint64(k)
                larger[gene, (shift - first) * n_words + word] = is_larger
                differs[gene, (shift - first) * n_words + word] = is_different


@njit
def _count(larger, differs, n_words, has_ties, gene_first, gene_last, counts):
    """Add concordant less discordant pairs of samples to the upper triangle of some genes' rows."""
    for i in range(gene_first, gene_last):
        n_untied = np.uint64(0)
        for w in range(n_words):
            n_untied += _n_set_bits(differs[i, w])
        for j in range(i, len(larger)):
            n_both, n_discordant = np.uint64(0), np.uint64(0)
            if has_ties:
                for w in range(n_words):
                    both = differs[i, w] & differs[j, w]
                    n_both += _n_set_bits(both)
                    n_discordant += _n_set_bits(both & (larger[i, w] ^ larger[j, w]))
            else:
                n_both = n_untied
                for w in range(n_words):
                    n_discordant += _n_set_bits(larger[i, w] ^ larger[j, w])
            counts[i, j] += np.int64(n_both) - 2 * np.int64(n_discordant)
