"""The result of a motif-position model: bases and positions, footprints, predictions, and a record."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.motifs import Motif
from netinfer.io.sequences import AMBIGUOUS, as_sequences
from netinfer.models.motif.columns import no_predictions
from netinfer.models.motif.counted import footprint_motifs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EXPECTED_FALSE_POSITIONS_NOTE = (
    "It counts positions chosen by sampling chance, given independent sequences; it does not count positions that are "
    "confounded, that stand for another position, or at which something else than a protein's site changes activity."
)
_SHOWN = 10
_BLOCK = 65_536


@dataclass(frozen=True, eq=False, repr=False)
class MotifModel:
    """Which bases of aligned sequences go with their activity, and how sure that is.

    Attributes
    ----------
    coef : float array, shape (n_positions, 4)
        Of A, C, G, T; activity against the reference base (coding ``reference``) or the mean of the bases that occur
        (``zero_sum``); log odds of the second class for two classes. 0 where the position was left out.
    intercept : float
    positions : DataFrame, one row a base of a position with variation
        position, base, is_reference, n_sequences, coef, effect, effect_low, effect_high, base_selection_probability;
        and of the position: weight, selection_probability, expected_false_positions, q_value, rank, is_selected.
    footprints : DataFrame
        Selected positions gathered to segments: see `find_footprints`; best_match and what belongs to it are empty
        unless motifs were given, see `match_footprints`.
    record : dict
        JSON's own types: sequences, units, settings, held-out figures, certificate, notes.
    cut : dict
        ``asked``, ``met``, ``reason``, ``expected_false_positions``, ``n_positions``.
    pairs, terms : DataFrame or None
        Where interactions were asked for: one row a pair of chosen positions (see `netinfer.models.motif.pairs`), and
        the coefficients of pairs of bases, position_1, base_1, position_2, base_2, coef, which add to the bases' own.
    predictions : DataFrame, one row a sequence of the fit or the test, in the order given
        id, activity, prediction, split, weight: each prediction by a fit that never saw the sequence, that without its
        fold (``fold 1``, ...) or for ``test`` this model.

    Notes
    -----
    `expected_false_positions` counts positions chosen by sampling chance, given independent sequences; it does not
    count positions that are confounded, or that stand for another one.
    """

    coef: np.ndarray
    intercept: float
    positions: pd.DataFrame
    footprints: pd.DataFrame
    record: dict[str, Any]
    cut: dict[str, Any]
    pairs: pd.DataFrame | None = None
    terms: pd.DataFrame | None = None
    predictions: pd.DataFrame = field(default_factory=no_predictions)

    def scores(self, codes: np.ndarray) -> np.ndarray:
        """Return intercept, bases and pairs added up, float array (n_sequences,), from codes 0 to 3."""
        places = np.arange(len(self.coef))
        out = np.full(len(codes), self.intercept)
        left, right, size = self._terms()
        for begin in range(0, len(codes), _BLOCK):
            block = codes[begin : begin + _BLOCK]
            part = self.coef[places, block].sum(axis=1)
            for (p, a), (q, b), coef in zip(left, right, size, strict=True):
                part += coef * ((block[:, p] == a) & (block[:, q] == b))
            out[begin : begin + _BLOCK] += part
        return out

    def predict(self, sequences: Any) -> np.ndarray:
        """Predict the activity of sequences; of two classes the probability of the second.

        Parameters
        ----------
        sequences : as for `fit_motif_positions`
            Of the model's length. An ambiguous letter counts as the reference base.

        Returns
        -------
        float array, shape (n_sequences,)

        Raises
        ------
        InputError
            If a length is another than the model's, or a letter is no base.

        Warns
        -----
        UserWarning
            Where sequences have bases that the model never saw at their position: they count as the reference base.
        """
        given = as_sequences(sequences)
        if given.n_positions != len(self.coef):
            raise InputError(
                f"predict: sequences of {given.n_positions} letters, and the model has {len(self.coef)} positions: "
                "cut or align them as those of the fit"
            )
        reference = _codes(self.record["reference"])
        codes = np.where(given.codes == AMBIGUOUS, reference, given.codes)
        unseen = ~np.array(self.record["base_occurs"], dtype=bool)
        is_new = unseen[np.arange(len(self.coef)), codes]
        n_unseen = int(is_new.any(axis=1).sum())
        if n_unseen:
            warnings.warn(
                f"predict: {n_unseen} of {len(codes)} sequences have bases that no sequence of the fit had there: they "
                "count as the reference base",
                UserWarning,
                stacklevel=2,
            )
        out = self.scores(np.where(is_new, reference, codes))
        return 0.5 * (1.0 + np.tanh(0.5 * out)) if self.record["family"] == "binomial" else out

    def _terms(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return place and base of both ends of every pair of bases, and the coefficients."""
        if self.terms is None or not len(self.terms):
            return np.zeros((0, 2), np.int64), np.zeros((0, 2), np.int64), np.zeros(0)
        ends = [
            np.stack(
                [self.terms[f"position_{k}"] - self.record["first"], _codes("".join(self.terms[f"base_{k}"]))], axis=1
            )
            for k in (1, 2)
        ]
        return ends[0], ends[1], self.terms["coef"].to_numpy(dtype=np.float64)

    @property
    def effects(self) -> np.ndarray:
        """Effects of A, C, G, T at each position, float array (n_positions, 4), as `positions` has them; 0 where none.

        The coefficients where no effect could be estimated at all, as of two classes with weights.
        """
        out = np.zeros_like(self.coef)
        places = (self.positions["position"] - self.record["first"]).to_numpy(dtype=np.int64)
        bases = [self.record["letters"].index(base) for base in self.positions["base"]]
        out[places, bases] = self.positions["effect"].fillna(0.0)
        return out if out.any() else self.coef.copy()

    def footprint_motifs(self) -> list[Motif]:
        """Return a matrix for each footprint, counted from the sequences that fit it best.

        Returns
        -------
        list of netinfer.io.motifs.Motif
            Named ``footprint_1`` and so on. Counted are the sequences in the top tenth by the sum of the effects over
            the footprint, 20 at least, with all that tie with the last of them; `n_sites` is their number. Each counts
            once: weights say how well an activity is known, and have no part. `background` is the share of the bases
            in all sequences.
        """
        return footprint_motifs(self.record)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the effects along the sequence: see `netinfer.plot.promoter_effects`."""
        from netinfer.plot.motif import promoter_effects

        return promoter_effects(self, ax=ax)

    def write(
        self, folder: str | os.PathLike[str], *, motifs: Sequence[Motif] | str | os.PathLike[str] | None = None
    ) -> list[Path]:
        """Write tables, matrices, figures and model.json, each whole or not at all; `read` gives the model back.

        Parameters
        ----------
        folder : path
            Made where it does not exist. What an earlier model left there under these names is replaced or removed.
        motifs : list of Motif, or path of a MEME, JASPAR or TRANSFAC file, optional
            The best match of each footprint among them is written with it: see `match_footprints`.

        Returns
        -------
        list of Path
            positions.tsv, footprints.tsv, predictions.tsv, with pairs pairs.tsv and pair_terms.tsv, footprints.meme,
            figures/effects and figures/footprint_<k> as .png and .svg, model.json.

        Raises
        ------
        InputError
            If the motifs cannot be used.
        RunError
            If a file cannot be written.
        """
        from netinfer.models.motif.files import with_matches, write_model

        return write_model(folder, self if motifs is None else with_matches(self, motifs))

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> MotifModel:
        """Read back a model from a folder that `write` made: every number is the one that was written.

        Raises
        ------
        InputError
            If a file is missing or damaged, or of another kind or format.
        """
        from netinfer.models.motif.files import read_model

        return read_model(folder, cls)

    def in_words(self) -> str:
        """Say in one line what came out."""
        cut, record = self.cut, self.record
        ((name, value),) = cut["asked"].items()
        head = (
            f"{cut['n_positions']} of {record['n_positions']} positions for {record['response']} at {name} = {value:g}"
        )
        if not cut["met"]:
            return f"{head}, not met: {cut['reason']}"
        bound = cut["expected_false_positions"]
        bound_text = "not bounded" if bound is None else f"<= {bound:.3g}"
        return f"{head}, expected false positions {bound_text}, {len(self.footprints)} footprints"

    def __repr__(self) -> str:
        return f"MotifModel({self.in_words()})"

    def _repr_html_(self) -> str:
        shown = ["start", "end", "consensus", "word", "weight", "expected_false_positions"]
        header = "".join(f"<th>{name}</th>" for name in shown)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(_cell(value))}</td>" for value in row) + "</tr>"
            for row in self.footprints[shown].head(_SHOWN).itertuples(index=False)
        )
        return (
            f"<div><p>{escape(self.in_words())}. {escape(EXPECTED_FALSE_POSITIONS_NOTE)}</p>"
            f"<table><tr>{header}</tr>{rows}</table></div>"
        )


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.3g}"
    return str(value)


def _codes(word: str) -> np.ndarray:
    return as_sequences([word]).codes[0]
