"""Motif matrices: MEME, JASPAR and TRANSFAC files in, MEME files out."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from netinfer.errors import InputError
from netinfer.io.files import atomic_write
from netinfer.io.ids import duplicates, some
from netinfer.io.source import regular_file, text_lines

_BASES = "ACGT"
_NUMBER = re.compile(r"(\w+)=\s*([^\s]+)")
# How far a row of rounded probabilities may be from a sum of 1.
_ROUNDING = 0.02


@dataclasses.dataclass(frozen=True, eq=False)
class Motif:
    """What a factor binds.

    Attributes
    ----------
    name : str
    probabilities : float array, shape (width, 4)
        Of A, C, G and T at each position; rows sum to 1.
    n_sites : float
        Sites that the probabilities were counted from.
    background : float array, shape (4,)
        Of the file; even where it has none.
    label : str
        The file's second name, such as that of the factor; empty where it has none.
    """

    name: str
    probabilities: np.ndarray
    n_sites: float
    background: np.ndarray
    label: str = ""

    @property
    def width(self) -> int:
        """Number of positions."""
        return len(self.probabilities)

    @property
    def consensus(self) -> str:
        """The most frequent base of each position; lower case where it has half of the sites or fewer."""
        best = self.probabilities.argmax(axis=1)
        return "".join(
            _BASES[k] if self.probabilities[i, k] > 0.5 else _BASES[k].lower() for i, k in enumerate(best.tolist())
        )

    def log_odds(self, background: np.ndarray | None = None, pseudocount: float = 1.0) -> np.ndarray:
        """Return log2 of probability over background, in bits, shape (width, 4).

        Parameters
        ----------
        background : float array, shape (4,), optional
            That of the file by default.
        pseudocount : float, > 0
            Sites added to the counts, shared out as the background is, so that no score is infinite.
        """
        base = self.background if background is None else np.asarray(background, dtype=np.float64)
        counted = self.probabilities * self.n_sites + pseudocount * base
        return np.log2(counted / (self.n_sites + pseudocount) / base)


def read_motifs(path: str | os.PathLike[str]) -> list[Motif]:
    """Read the motifs of a MEME (minimal), JASPAR or TRANSFAC file, plain or gzip.

    Parameters
    ----------
    path : path
        The format is recognised by the text. JASPAR and TRANSFAC are read by Biopython (``pip install
        netinfer[motifs]``).

    Returns
    -------
    list of Motif
        In the order of the file.

    Raises
    ------
    InputError
        No motif, a name that stands there twice, an alphabet other than DNA, a matrix without rows or with other than
        four numbers a row, a negative number, rows that do not sum to 1, no or zero sites: with the motif and the line.
        If Biopython is needed and missing.

    Notes
    -----
    Biopython's own reader of MEME files rounds probabilities times sites to whole sites, so that a motif of one site
    loses its probabilities; this one keeps them.
    """
    path = regular_file(path)
    lines = text_lines(path)
    text = [line.strip() for line in lines if line.strip()]
    if any(line.startswith("MOTIF") for line in text):
        motifs = _read_meme(path, lines)
    elif text[:1] and text[0].startswith(">"):
        motifs = _by_biopython(path, lines, "jaspar")
    elif any(re.match(r"P[0O]\s", line) for line in text):
        motifs = _by_biopython(path, lines, "transfac")
    elif text[:1] and text[0].startswith("MEME version"):
        raise InputError(f"{path}: a MEME file without a motif: whoever wrote it found none: give one with motifs")
    else:
        raise InputError(f"{path}: no motifs: a MEME file has lines 'MOTIF', JASPAR '>', TRANSFAC 'P0'")
    if repeated := duplicates([motif.name for motif in motifs]):
        raise InputError(f"{path}: {len(repeated)} motifs stand there more than once: {some(repeated)}: rename them")
    return motifs


def listed_motifs(motifs: Sequence[Motif] | str | os.PathLike[str]) -> list[Motif]:
    """Return motifs given as a list or as the path of a file.

    Raises
    ------
    InputError
        If there is none, or two have one name; as `read_motifs`.
    """
    listed = read_motifs(motifs) if isinstance(motifs, str | os.PathLike) else list(motifs)
    if not listed:
        raise InputError("motifs: none given")
    if repeated := duplicates([motif.name for motif in listed]):
        raise InputError(f"motifs: {len(repeated)} names stand there more than once: {some(repeated)}: rename them")
    return listed


def write_meme(path: str | os.PathLike[str], motifs: Sequence[Motif], *, background: np.ndarray | None = None) -> None:
    """Write motifs as a MEME (minimal) file with their true numbers of sites and the background of the first.

    Parameters
    ----------
    path : path
    motifs : sequence of Motif
        One or more; with a `background`, none gives a file that has the head of a MEME file and no motif.
    background : float array, shape (4,), optional
        In place of the first motif's.

    Raises
    ------
    InputError
        If there is no motif and no background, or a name is empty or has a blank in it.
    """
    if not motifs and background is None:
        raise InputError("motifs: none to write")
    for motif in motifs:
        if not motif.name or re.search(r"\s", motif.name):
            raise InputError(f"motifs: the name {motif.name!r} is empty or has a blank: MEME takes one word")
    shares = motifs[0].background if background is None else background
    base = " ".join(f"{letter} {share:.6f}" for letter, share in zip(_BASES, shares, strict=True))
    with atomic_write(path) as file:
        file.write(f"MEME version 4\n\nALPHABET= {_BASES}\n\nstrands: + -\n\nBackground letter frequencies\n{base}\n")
        for motif in motifs:
            label = f" {motif.label}" if motif.label else ""
            file.write(f"\nMOTIF {motif.name}{label}\n")
            file.write(f"letter-probability matrix: alength= 4 w= {motif.width} nsites= {motif.n_sites:.10g} E= 0\n")
            for row in motif.probabilities:
                file.write(" ".join(f"{value:.6f}" for value in row) + "\n")


def _read_meme(path: Path, lines: list[str]) -> list[Motif]:
    background = np.full(4, 0.25)
    motifs: list[Motif] = []
    name = label = ""
    place = 0
    while place < len(lines):
        words = lines[place].split()
        place += 1
        if not words:
            continue
        where = f"{path}: line {place}"
        if words[0] == "ALPHABET=" and words[1:2] and set(words[1].upper()) not in (set("ACGT"), set("ACGU")):
            raise InputError(f"{where}: alphabet {words[1]!r}: motifs of DNA or RNA are read")
        if lines[place - 1].startswith("Background letter frequencies"):
            background, place = _background(path, lines, place)
        elif words[0] == "MOTIF":
            if name:
                raise InputError(f"{where}: motif {name!r} before it has no letter-probability matrix")
            if len(words) < 2:
                raise InputError(f"{where}: 'MOTIF' without a name")
            name, label = words[1], " ".join(words[2:])
        elif lines[place - 1].lstrip().startswith("letter-probability matrix"):
            if not name:
                raise InputError(f"{where}: a matrix without a line 'MOTIF' before it")
            given = dict(_NUMBER.findall(lines[place - 1]))
            rows, place = _rows(path, lines, place, name, given.get("w"))
            n_sites = _sites(given.get("nsites", "20"), f"{where}: motif {name!r}")
            motifs.append(Motif(name, rows, n_sites, background, label))
            name = ""
    if name:
        raise InputError(f"{path}: motif {name!r} has no letter-probability matrix")
    return [dataclasses.replace(motif, background=background) for motif in motifs]


def _background(path: Path, lines: list[str], place: int) -> tuple[np.ndarray, int]:
    """Read the background, which may go over several lines."""
    words: list[str] = []
    while place < len(lines) and len(words) < 8 and lines[place].strip():
        words += lines[place].split()
        place += 1
    try:
        shares = {
            base.upper().replace("U", "T"): float(value) for base, value in zip(words[::2], words[1::2], strict=True)
        }
        found = np.array([shares[base] for base in _BASES])
    except (ValueError, KeyError):
        raise InputError(f"{path}: line {place}: background {' '.join(words)!r}: give 'A 0.25 C 0.25 ...'") from None
    if not (found > 0).all() or abs(found.sum() - 1.0) > _ROUNDING:
        raise InputError(
            f"{path}: line {place}: background {found.tolist()}: four shares above 0 that sum to 1 are needed"
        )
    return found / found.sum(), place


def _rows(path: Path, lines: list[str], place: int, name: str, width: str | None) -> tuple[np.ndarray, int]:
    rows: list[list[float]] = []
    while place < len(lines):
        words = lines[place].split()
        if not words and rows:
            break
        place += 1
        if not words:
            continue
        try:
            row = [float(word) for word in words]
        except ValueError:
            place -= 1
            break
        where = f"{path}: line {place}: motif {name!r}"
        if len(row) != 4:
            raise InputError(f"{where}: {len(row)} numbers, four (A, C, G, T) are needed")
        if min(row) < 0 or not np.isfinite(row).all() or abs(sum(row) - 1.0) > _ROUNDING:
            raise InputError(f"{where}: {row} are no probabilities: four numbers from 0 up that sum to 1 are needed")
        rows.append(row)
    if not rows:
        raise InputError(f"{path}: line {place}: motif {name!r} has a matrix without rows")
    if width is not None and width.isdigit() and int(width) != len(rows):
        raise InputError(f"{path}: line {place}: motif {name!r} has {len(rows)} rows, and says w= {width}")
    matrix = np.array(rows)
    return matrix / matrix.sum(axis=1, keepdims=True), place


def _sites(text: str, where: str) -> float:
    try:
        n_sites = float(text)
    except ValueError:
        n_sites = np.nan
    if not (np.isfinite(n_sites) and n_sites > 0):
        raise InputError(f"{where}: nsites= {text}: how many sites it rests on is needed, above 0: correct the file")
    return n_sites


def _by_biopython(path: Path, lines: list[str], kind: str) -> list[Motif]:
    try:
        from Bio import motifs as reader
    except ImportError:
        raise InputError(
            f"{path}: is {kind.upper()}, which Biopython reads: pip install 'netinfer[motifs]', or give a MEME file"
        ) from None
    try:
        found = list(reader.parse(iter(line + "\n" for line in lines), kind))
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise InputError(f"{path}: cannot be read as {kind.upper()}: {error}") from None
    out = []
    for k, record in enumerate(found, start=1):
        given = [getattr(record, "matrix_id", None), record.get("ID") if kind == "transfac" else None, record.name]
        name = next((str(value).split()[0] for value in given if value), f"motif_{k}")
        counts = np.array([record.counts[base] for base in _BASES], dtype=np.float64).T
        where = f"{path}: motif {name!r}"
        if counts.size == 0 or (counts < 0).any() or not np.isfinite(counts).all():
            raise InputError(f"{where}: counts of 0 or more are needed at every position")
        sums = counts.sum(axis=1)
        if (sums == 0).any():
            raise InputError(f"{where}: no site at position {int((sums == 0).argmax())}: correct the file")
        label = str(record.name) if record.name and str(record.name) != name else ""
        out.append(Motif(name, counts / sums[:, None], float(sums.max()), np.full(4, 0.25), label))
    if not out:
        raise InputError(f"{path}: no motif was found as {kind.upper()}")
    return out
