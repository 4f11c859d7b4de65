"""Selected positions gathered to segments: where proteins touch the sequence, and the word that stands there."""

from __future__ import annotations

import numpy as np
import pandas as pd

FOOTPRINT_COLUMNS = (
    "footprint", "start", "end", "length", "n_positions", "consensus", "word", "weight", "peak",
    "expected_false_positions",
)  # fmt: skip
IUPAC = {
    frozenset(bases): letter
    for letter, bases in {
        "A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
        "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
    }.items()
}  # fmt: skip


def find_footprints(
    is_selected: np.ndarray,
    weight: np.ndarray,
    coef: np.ndarray,
    reference: np.ndarray,
    occurs: np.ndarray,
    *,
    letters: str = "ACGT",
    gap: int = 1,
    share: float = 0.25,
    first: int = 0,
    bound: np.ndarray | None = None,
) -> pd.DataFrame:
    """Gather selected positions to segments.

    A position belongs to a footprint if it is selected and its weight is at least a share of the largest one. Two of
    them are of one footprint where at most `gap` other positions lie between them.

    Parameters
    ----------
    is_selected : bool array, shape (n_positions,)
    weight : float array, shape (n_positions,)
        Standard deviation of the position's contribution.
    coef : float array, shape (n_positions, 4)
        Effects of the bases, for the consensus: the base of the largest coefficient; IUPAC's letter for several where
        they are equal.
    reference : uint8 array, shape (n_positions,)
    occurs : bool array, shape (n_positions, 4)
    letters : str
    gap : int, >= 0
    share : float, 0 to 1
        A quarter by default: a sixteenth of the variance that the strongest position carries.
    first : int
        Number of the first position.
    bound : float array, shape (n_positions,), optional
        Expected false positions at each position's cut.

    Returns
    -------
    DataFrame, one row a footprint, from the first position on
        footprint (number from 1), start, end (both inside), length, n_positions (of its own, without those between),
        consensus (the bases of the highest activity), word (the reference), weight (root of the sum of squares), peak
        (position of the largest weight), expected_false_positions (the largest of its positions).
    """
    most = weight[is_selected].max(initial=0.0)
    strong = np.flatnonzero(is_selected & (weight >= share * most) & (weight > 0))
    rows = []
    breaks = np.flatnonzero(np.diff(strong) > gap + 1) + 1
    for number, members in enumerate(np.split(strong, breaks) if strong.size else [], start=1):
        start, end = int(members[0]), int(members[-1])
        inside = range(start, end + 1)
        rows.append(
            {
                "footprint": number,
                "start": first + start,
                "end": first + end,
                "length": end - start + 1,
                "n_positions": len(members),
                "consensus": "".join(_best(coef[p], occurs[p], letters) for p in inside),
                "word": "".join(letters[reference[p]] for p in inside),
                "weight": float(np.sqrt((weight[members] ** 2).sum())),
                "peak": first + int(members[weight[members].argmax()]),
                "expected_false_positions": float("nan") if bound is None else float(bound[members].max()),
            }
        )
    return pd.DataFrame(rows, columns=list(FOOTPRINT_COLUMNS))


def best_bases(effect: np.ndarray, occurs: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return the base of the largest effect at each position, the reference where several share it, int array (n,).

    Parameters
    ----------
    effect : float array, shape (n, 4)
    occurs : bool array, shape (n, 4)
    reference : uint8 array, shape (n,)
    """
    values = np.where(occurs, effect, -np.inf)
    best = values.argmax(axis=1)
    is_tied = values[np.arange(len(values)), reference] >= values.max(axis=1) - 1e-12
    return np.where(is_tied, reference, best).astype(np.uint8)


def _best(coef: np.ndarray, occurs: np.ndarray, letters: str) -> str:
    """Return the letter of the bases with the largest coefficient among those that occur; N where all are equal."""
    values = np.where(occurs, coef, -np.inf)
    is_best = values >= values.max() - 1e-12 * max(1.0, float(np.abs(coef).max()))
    if is_best.sum() == occurs.sum() > 1:
        return "N"
    letter = IUPAC[frozenset("ACGT"[b] for b in np.flatnonzero(is_best))]
    return letters[3] if letter == "T" else letter
