"""The result of a motif-position model: bases and positions, footprints, predictions, and a record."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.columns import Column
from netinfer.io.files import made_folder
from netinfer.io.sequences import AMBIGUOUS, as_sequences
from netinfer.io.tables import write_json, write_tsv

EXPECTED_FALSE_POSITIONS_NOTE = (
    "It counts positions chosen by sampling chance, given independent sequences; it does not count positions that are "
    "confounded, that stand for another position, or at which something else than a protein's site changes activity."
)
POSITION_COLUMNS = (
    Column("position", "int", "", "number of the position, the first one as `first` says"),
    Column("base", "string", "", "base; U for T where the sequences are RNA"),
    Column("is_reference", "boolean", "", "whether it is the reference base, or the commonest where none was given"),
    Column("n_sequences", "int", "", "sequences that have the base"),
    Column("coef", "float", "activity (log odds of the class)", "coefficient of the model that predicts; often 0"),
    Column(
        "effect", "float", "activity (log odds of the class)",
        "coefficient among the positions selected on one half of the sequences, estimated on the other; median", True,
    ),
    Column("effect_low", "float", "as effect", "lower end of the 95 % interval", True),
    Column("effect_high", "float", "as effect", "upper end of the 95 % interval", True),
    Column("base_selection_probability", "float", "", "share of half-samples whose Lasso selects the base"),
    Column("weight", "float", "activity", "standard deviation of what the position adds, mean over half-samples"),
    Column("selection_probability", "float", "", "share of half-samples whose group Lasso selects the position"),
    Column(
        "expected_false_positions", "float", "positions",
        "expected false positions at the cut that ends at this one", True,
    ),
    Column("q_value", "float", "", "smallest expected share of false positions of a cut that includes it", True),
    Column("rank", "int", "", "rank of the position"),
    Column("is_selected", "boolean", "", "whether the position is at the cut"),
)  # fmt: skip
FOOTPRINTS = (
    Column("footprint", "int", "", "number, from the first position on"),
    Column("start", "int", "", "first position"),
    Column("end", "int", "", "last position, inside"),
    Column("length", "int", "bases", "positions from start to end"),
    Column("n_positions", "int", "", "positions that are selected and strong"),
    Column("consensus", "string", "", "bases of the highest activity"),
    Column("word", "string", "", "reference bases"),
    Column("weight", "float", "activity", "root of the sum of squares of the positions' weights"),
    Column("peak", "int", "", "position of the largest weight"),
    Column("expected_false_positions", "float", "positions", "largest of its positions", True),
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
        Selected positions gathered to segments: see `find_footprints`.
    record : dict
        JSON's own types: sequences, units, settings, held-out figures, certificate, notes.
    cut : dict
        ``asked``, ``met``, ``reason``, ``expected_false_positions``, ``n_positions``.
    pairs, terms : DataFrame or None
        Where interactions were asked for: one row a pair of chosen positions (see `netinfer.models.motif.pairs`), and
        the coefficients of pairs of bases, position_1, base_1, position_2, base_2, coef, which add to the bases' own.

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

    def write(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write positions.tsv, footprints.tsv, model.json, and the files of pairs, each whole or not at all.

        Raises
        ------
        RunError
            If a file cannot be written.
        """
        folder = made_folder(folder)
        files = [folder / name for name in ("positions.tsv", "footprints.tsv", "model.json")]
        write_tsv(files[0], self.positions, POSITION_COLUMNS)
        write_tsv(files[1], self.footprints, FOOTPRINTS)
        if self.pairs is not None and self.terms is not None:
            from netinfer.models.motif.pairs import PAIR_COLUMNS

            files += [folder / "pairs.tsv", folder / "pair_terms.tsv"]
            write_tsv(files[3], self.pairs, PAIR_COLUMNS)
            write_tsv(files[4], self.terms)
        write_json(files[2], {**self.record, "coef": self.coef.tolist(), "intercept": self.intercept, "cut": self.cut})
        return files

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
