"""Which of some known motifs a footprint looks like: the best site over it, and how often chance does as well."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.io.motifs import Motif, listed_motifs
from netinfer.io.sequences import as_sequences
from netinfer.models.motif.columns import MATCHES
from netinfer.models.motif.footprints import best_bases

if TYPE_CHECKING:
    from netinfer.models.motif.model import MotifModel

# Bits to which the entries of a matrix are rounded for the distribution of its scores.
STEP = 0.005


def match_footprints(model: MotifModel, motifs: Sequence[Motif] | str | os.PathLike[str]) -> pd.DataFrame:
    """Find the known motif that fits each footprint best.

    Each motif is laid over the sequence that has the footprint's best bases where the model has an effect, and the
    reference elsewhere, on both strands and wherever it and the footprint share at least half of the shorter of the
    two.

    Parameters
    ----------
    model : MotifModel
    motifs : list of Motif, or path of a MEME, JASPAR or TRANSFAC file

    Returns
    -------
    DataFrame, one row a footprint
        footprint, best_match, match_label, match_start, match_end, match_strand, match_score (bits of log odds against
        the bases of the sequences, both strands), match_inside (what the footprint's own positions give of it), and
        match_e: the p-value of the score at one place, times places, strands and motifs.
        The motif with the smallest is named, however large it is; a number above 1 says that chance does as well.

    Raises
    ------
    InputError
        If there is no motif, or two have one name.

    Notes
    -----
    The p-value is exact for independent bases, with scores rounded to 0.005 bits a position (Staden 1989). One
    footprint is one question: with many of them, look for numbers that are small beside 1 / footprints. A match says
    that the bases look alike, not that the factor binds.
    """
    listed = listed_motifs(motifs)
    record = model.record
    background = np.array(record["background"])
    background = 0.5 * (background + background[::-1])  # of both strands
    matrices = [motif.log_odds(background) for motif in listed]
    tails = [score_tail(matrix, background) for matrix in matrices]
    reference = as_sequences([record["reference"]]).codes[0]
    rows = []
    for number, start, end in model.footprints[["footprint", "start", "end"]].itertuples(index=False):
        inside = np.arange(start, end + 1) - record["first"]
        codes = reference.copy()
        codes[inside] = best_bases(
            model.effects[inside], np.array(record["base_occurs"], dtype=bool)[inside], reference[inside]
        )
        hits = [
            (motif, hit)
            for motif, matrix, tail in zip(listed, matrices, tails, strict=True)
            if (hit := _best(matrix, tail, codes, int(inside[0]), int(inside[-1]))) is not None
        ]
        row: dict[str, Any] = {"footprint": number}
        if hits:
            motif, hit = min(hits, key=lambda of: of[1]["match_e"])
            row |= {
                "best_match": motif.name,
                "match_label": motif.label,
                **hit,
                "match_e": hit["match_e"] * len(listed),
            }
            row["match_start"] += record["first"]
            row["match_end"] += record["first"]
        rows.append(row)
    table = pd.DataFrame(rows, columns=["footprint", *(column.name for column in MATCHES)])
    texts = ["best_match", "match_label", "match_strand"]
    table[texts] = table[texts].fillna("")
    whole = ["match_start", "match_end"]
    return table.astype(
        {
            "footprint": np.int64,
            **dict.fromkeys(whole, "Int64"),
            "match_score": float,
            "match_inside": float,
            "match_e": float,
        }
    )


def _best(
    matrix: np.ndarray, tail: tuple[np.ndarray, int], codes: np.ndarray, start: int, end: int
) -> dict[str, Any] | None:
    """Return the best site of a matrix over a footprint, None where none can lie there; its e without the motifs."""
    width = len(matrix)
    places = np.arange(len(codes) - width + 1)
    shared = np.minimum(places + width - 1, end) - np.maximum(places, start) + 1
    places = places[2 * shared >= min(width, end - start + 1)]
    if not places.size:
        return None
    at = places[:, None] + np.arange(width)
    words, is_inside = codes[at], (at >= start) & (at <= end)
    best: dict[str, Any] = {"match_score": -np.inf}
    # The other strand: the matrix turned round, and A for T, C for G.
    for strand, turned in (("+", matrix), ("-", matrix[::-1, ::-1])):
        scores = turned[np.arange(width), words].sum(axis=1)
        k = int(scores.argmax())
        if scores[k] > best["match_score"]:
            rounded = int(np.rint(turned / STEP).astype(np.int64)[np.arange(width), words[k]].sum())
            best = {
                "match_start": int(places[k]),
                "match_end": int(places[k]) + width - 1,
                "match_strand": strand,
                "match_score": float(scores[k]),
                "match_inside": float(turned[np.arange(width), words[k]][is_inside[k]].sum()),
                "match_e": float(tail[0][rounded - tail[1]]) * len(places) * 2,
            }
    return best


def score_tail(matrix: np.ndarray, background: np.ndarray, step: float = STEP) -> tuple[np.ndarray, int]:
    """Return the probability of each score of a matrix or a larger one, for independent bases.

    Parameters
    ----------
    matrix : float array, shape (width, 4)
        Rounded to whole steps, entry by entry.
    background : float array, shape (4,)
    step : float, > 0

    Returns
    -------
    tail : float array
        At place i, the probability of a score of at least ``lowest + i`` steps.
    lowest : int
    """
    whole = np.rint(np.asarray(matrix) / step).astype(np.int64)
    least, most = whole.min(axis=1), whole.max(axis=1)
    chance = np.zeros(int((most - least).sum()) + 1)
    chance[0], reached = 1.0, 1
    for row, low, high in zip(whole - least[:, None], least, most, strict=True):
        grown = np.zeros(reached + high - low)
        for shift, share in zip(row, background, strict=True):
            grown[shift : shift + reached] += share * chance[:reached]
        reached = len(grown)
        chance[:reached] = grown
    return np.cumsum(chance[::-1])[::-1], int(least.sum())
