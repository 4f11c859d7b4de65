"""DNA or RNA sequences of one length as numbers: FASTA files, tables of variants with activities, lists of strings.

One letter is one byte: 0 to 3 are A, C, G and T (or U), 4 is any letter that says less than one base.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from netinfer.errors import ConfigError, InputError
from netinfer.io.ids import duplicates, some
from netinfer.io.source import file_kind, regular_file, text_blocks

BASES = "ACGT"
AMBIGUOUS = 4
# Letters of IUPAC's code that stand for several bases, and the signs of a gap.
_AMBIGUOUS_LETTERS = "RYSWKMBDHVN-."
_UNKNOWN, _END = 255, 10
FEWEST_SEQUENCES = 20
ALIGN = ("left", "right")
ON_AMBIGUOUS = ("drop", "reference")


@dataclasses.dataclass(frozen=True, eq=False)
class SequenceSet:
    """Sequences of one length.

    Attributes
    ----------
    ids : tuple of str
    codes : uint8 array, shape (n_sequences, n_positions)
        0 A, 1 C, 2 G, 3 T or U, 4 ambiguous (IUPAC letters for several bases, gaps).
    is_rna : bool
        Whether U was read and no T: words made of the sequences are then written with U.
    has_ids : bool
        Whether the ids were given; else they are numbers from 0.
    notes : tuple of str
        What was changed: lower case, U beside T, lengths that were cut.
    first : int
        Number of the first position: ``-upstream`` for windows of a genome, 0 else.
    members : dict of str to tuple of str, or None
        Of windows of a genome: the genes that each one stands for, its operon or itself.
    """

    ids: tuple[str, ...]
    codes: np.ndarray
    is_rna: bool = False
    has_ids: bool = True
    notes: tuple[str, ...] = ()
    first: int = 0
    members: Mapping[str, tuple[str, ...]] | None = None

    @property
    def n_positions(self) -> int:
        """Length of the sequences."""
        return self.codes.shape[1]

    def letters(self) -> str:
        """Return the letters of codes 0 to 4."""
        return ("ACGU" if self.is_rna else BASES) + "N"

    def __len__(self) -> int:
        return len(self.codes)


def read_fasta(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> dict[str, str]:
    """Read a FASTA file, plain or gzip.

    Parameters
    ----------
    path : path
    encoding : str

    Returns
    -------
    dict of str to str
        Sequence by id, in the order of the file. The id is what stands between ``>`` and the first blank.

    Raises
    ------
    InputError
        Text before the first ``>``, a record without an id or without a sequence, an id that stands there twice.
    """
    path = Path(path)
    kind = file_kind(regular_file(path))
    if kind not in ("text", "gzip"):
        raise InputError(f"{path}: is {kind}, where FASTA is expected: save it as text")
    names: list[str] = []
    parts: list[list[str]] = []
    for first, lines in text_blocks(path, encoding):
        for number, raw in enumerate(lines, start=first):
            line = raw.strip()
            if line.startswith(">"):
                words = line[1:].split(None, 1)
                if not words:
                    raise InputError(f"{path}: line {number}: '>' without an id: name the sequence")
                names.append(words[0])
                parts.append([])
            elif line and not line.startswith(";"):
                if not names:
                    raise InputError(f"{path}: line {number}: {line[:20]!r} before the first '>': is it FASTA?")
                parts[-1].append(line)
    if not names:
        raise InputError(f"{path}: no line begins with '>': is it FASTA?")
    _refuse_repeated(names, str(path))
    empty = [name for name, lines in zip(names, parts, strict=True) if not lines]
    if empty:
        raise InputError(f"{path}: {len(empty)} records have no sequence: {some(empty)}: take them out")
    return {name: "".join(lines) for name, lines in zip(names, parts, strict=True)}


def as_sequences(sequences: Any, *, align: str | None = None, where: str = "sequences") -> SequenceSet:
    """Turn sequences into codes, one byte a letter.

    Parameters
    ----------
    sequences : path of a FASTA file, mapping of ids to str, Series, sequence of str, Promoters, or SequenceSet
        A Series has its index for ids, unless that is a plain range; windows of a genome have their genes.
    align : {"left", "right"}, optional
        Cuts sequences of unequal length to the shortest one, counted from that end; without it they are refused.
    where : str
        Named in errors.

    Returns
    -------
    SequenceSet

    Raises
    ------
    InputError
        A letter outside IUPAC's code (sequence, position from 0 and letter are named), an empty sequence, unequal
        lengths without `align`, an id given twice, no sequence at all.
    ConfigError
        If `align` is unknown.

    Examples
    --------
    >>> as_sequences(["ACGT", "acgn"]).codes.tolist()
    [[0, 1, 2, 3], [0, 1, 2, 4]]
    """
    if align is not None and align not in ALIGN:
        raise ConfigError(f"align: {align!r} is unknown: use {' or '.join(ALIGN)}, or leave it out")
    if isinstance(sequences, SequenceSet):
        return sequences
    from netinfer.io.promoters import Promoters  # which reads FASTA by this module

    if isinstance(sequences, Promoters):
        read = as_sequences(sequences.sequences, where="promoters")
        said = (*sequences.notes, *read.notes)
        return dataclasses.replace(read, first=-sequences.upstream, members=sequences.members, notes=said)
    if isinstance(sequences, str | os.PathLike):
        where = str(sequences)
        sequences = read_fasta(sequences)
    ids, texts = _listed(sequences, where)
    if ids is not None:
        _refuse_repeated(ids, where)
    names = ids if ids is not None else [str(i) for i in range(len(texts))]
    _refuse_empty(texts, names, where)
    notes: list[str] = []
    lengths = np.array([len(text) for text in texts])
    if np.ptp(lengths):
        texts = _cut(texts, lengths, align, names, where, notes)
    codes, is_rna = _encoded(texts, names, where, notes)
    return SequenceSet(tuple(names), codes, is_rna, ids is not None, tuple(notes))


def _listed(sequences: Any, where: str) -> tuple[list[str] | None, list[str]]:
    """Return the ids (None where none were given) and the texts."""
    if isinstance(sequences, Mapping):
        ids: list[str] | None = [str(name) for name in sequences]
        texts = list(sequences.values())
    else:
        index = getattr(sequences, "index", None)
        has_index = hasattr(index, "equals") and type(index).__name__ != "RangeIndex"
        ids = [str(name) for name in index] if has_index and index is not None else None
        texts = list(sequences) if hasattr(sequences, "__iter__") else []
    if not texts:
        raise InputError(f"{where}: no sequences: give a FASTA file, or strings")
    bad = next((i for i, text in enumerate(texts) if not isinstance(text, str)), None)
    if bad is not None:
        raise InputError(f"{where}: sequence {ids[bad] if ids else bad} is {texts[bad]!r}, no text: give strings")
    return ids, texts


def _refuse_repeated(names: Sequence[str], where: str) -> None:
    repeated = duplicates(names)
    if repeated:
        raise InputError(f"{where}: {len(repeated)} ids stand there more than once: {some(repeated)}: rename them")


def _refuse_empty(texts: list[str], names: Sequence[str], where: str) -> None:
    empty = [name for name, text in zip(names, texts, strict=True) if not text]
    if empty:
        raise InputError(f"{where}: {len(empty)} sequences are empty: {some(empty)}: take them out")


def _cut(texts, lengths, align, names, where, notes) -> list[str]:
    least, most = int(lengths.min()), int(lengths.max())
    if align is None:
        other = int((lengths != np.bincount(lengths).argmax()).argmax())
        raise InputError(
            f"{where}: lengths differ, from {least} to {most} ({names[other]!r} has {lengths[other]}): align them, or "
            "set align to left or right, which cuts all to the shortest, counted from that end"
        )
    notes.append(f"sequences of {least} to {most} letters were cut to {least}, counted from the {align} end")
    return [text[:least] if align == "left" else text[len(text) - least :] for text in texts]


def _table() -> np.ndarray:
    table = np.full(256, _UNKNOWN, np.uint8)
    for letters, codes in ((BASES, range(4)), ("U", [3]), (_AMBIGUOUS_LETTERS, [AMBIGUOUS] * len(_AMBIGUOUS_LETTERS))):
        for letter, code in zip(letters, codes, strict=True):
            table[ord(letter)] = table[ord(letter.lower())] = code
    return table


_CODE = _table()


def _encoded(texts: list[str], names: Sequence[str], where: str, notes: list[str]) -> tuple[np.ndarray, bool]:
    raw = np.frombuffer("".join(texts).encode("ascii", "replace"), np.uint8).reshape(len(texts), -1)
    codes = _CODE[raw]
    bad = codes == _UNKNOWN
    if bad.any():
        row, place = divmod(int(bad.argmax()), bad.shape[1])
        raise InputError(
            f"{where}: sequence {names[row]!r}, position {place}: {texts[row][place]!r} is no letter of IUPAC's code: "
            f"use A, C, G, T, U, or one of {_AMBIGUOUS_LETTERS}"
        )
    n_lower = int((raw >= ord("a")).any(axis=1).sum())
    if n_lower:
        notes.append(f"lower case, as of soft-masked repeats, was read as upper case in {n_lower} sequences")
    upper = raw & np.uint8(0xDF)
    has_u, has_t = bool((upper == ord("U")).any()), bool((upper == ord("T")).any())
    if has_u and has_t:
        notes.append("T and U were read as one base")
    return codes, has_u and not has_t
