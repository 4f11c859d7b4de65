"""Promoters cut out of a genome: windows around the starts of genes, on their strand."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.io.annotation import read_annotation
from netinfer.io.bed import read_bed
from netinfer.io.ids import duplicates, some
from netinfer.io.operons import with_operons
from netinfer.io.sequences import read_fasta
from netinfer.io.source import file_kind, regular_file

_COMPLEMENT = str.maketrans("ACGTURYSWKMBDHVNacgturyswkmbdhvn", "TGCAAYRSWMKVHDBNtgcaayrswmkvhdbn")
_PAD = "N"
# Genes of a class, or ids of a response, that have to be among the promoters'.
FEWEST_OF_A_LIST = 5


@dataclasses.dataclass(frozen=True, eq=False)
class Promoters:
    """Windows around starts, each read along its gene's strand.

    Attributes
    ----------
    sequences : dict of str to str
        Window by gene; all of the length ``upstream + downstream``.
    table : DataFrame, one row a window
        gene, contig, start (of the gene or of transcription, from 1; on a ring at most its length), strand, genes (all
        of the operon, which it stands for, with ``;`` between), n_padded (letters N beyond the contig's end).
    upstream, downstream : int
        Position k of a window lies ``k - upstream`` bases from the start; the start itself is 0.
    notes : tuple of str
        What was left out, joined or filled up.
    """

    sequences: dict[str, str]
    table: pd.DataFrame
    upstream: int
    downstream: int
    notes: tuple[str, ...]

    @property
    def members(self) -> dict[str, tuple[str, ...]]:
        """Genes that each promoter stands for: its operon, or itself."""
        return {
            gene: tuple(genes.split(";")) for gene, genes in zip(self.table["gene"], self.table["genes"], strict=True)
        }


def of_class(
    members: Mapping[str, tuple[str, ...]], genes: Iterable[Any], where: str = "response"
) -> tuple[np.ndarray, list[str]]:
    """Return which promoters stand for a gene of a class, bool array (n_promoters,), and what is to be noted.

    Parameters
    ----------
    members : mapping of promoter to the genes that it stands for
    genes : of the class
    where : str
        Named in errors.

    Raises
    ------
    InputError
        If fewer than five of the genes are among the promoters' (five of both are shown).
    """
    wanted = {str(gene) for gene in genes}
    known = {gene for stood_for in members.values() for gene in stood_for}
    absent = sorted(wanted - known)
    if len(wanted) - len(absent) < FEWEST_OF_A_LIST:
        raise InputError(
            f"{where}: {len(wanted) - len(absent)} of its {len(wanted)} genes are among the promoters', at least "
            f"{FEWEST_OF_A_LIST} are needed; it has {some(sorted(wanted))}, the promoters {some(sorted(known))}: "
            "use one kind of id"
        )
    notes = [f"{len(absent)} of {len(wanted)} genes of the class have no promoter: {some(absent)}"] if absent else []
    return np.array([any(gene in wanted for gene in stood_for) for stood_for in members.values()]), notes


def read_starts(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> pd.DataFrame:
    """Read where genes or transcripts start, from an annotation or a BED file.

    Parameters
    ----------
    path : path
        GFF3, GTF or a table, as `netinfer.io.read_annotation` reads them, or BED with names and strands (``.bed``,
        ``.bed.gz``).
    encoding : str

    Returns
    -------
    DataFrame
        Indexed by gene: contig, start, end (from 1, both ends included), strand, operon, is_circular.

    Raises
    ------
    InputError
        With the line, where a field is missing or cannot be used; a name that stands there twice.
    """
    path = regular_file(path)
    if not Path(path).name.lower().removesuffix(".gz").endswith(".bed"):
        return read_annotation(path, encoding=encoding)
    # A place of no length, as starts are often given, is the base that it stands before.
    rows = [
        (place.name, place.contig, place.start + 1, max(place.end, place.start + 1), place.strand)
        for place in read_bed(path, encoding)
    ]
    frame = pd.DataFrame(rows, columns=["gene", "contig", "start", "end", "strand"]).set_index("gene")
    if repeated := duplicates(list(frame.index)):
        raise InputError(f"{path}: {len(repeated)} names stand there more than once: {some(repeated)}: rename them")
    return frame.assign(operon="", is_circular=False)


def cut_promoters(
    genome: str | os.PathLike[str] | Mapping[str, str],
    starts: pd.DataFrame | str | os.PathLike[str],
    *,
    upstream: int = 250,
    downstream: int = 50,
    genes: Sequence[str] | None = None,
    first_of_operon: bool = True,
) -> Promoters:
    """Cut the windows around the starts of genes out of a genome, each along its gene's strand.

    Parameters
    ----------
    genome : path of a FASTA file, or mapping of contig to sequence
    starts : DataFrame as `read_starts` returns it, or a path
    upstream, downstream : int, >= 0, together at least 1
        Bases before the start, and from the start on.
    genes : list of str, optional
        The genes wanted; all by default.
    first_of_operon : bool
        Of genes of one operon (on one contig and strand) take the first along the strand only: the others have no
        promoter of their own. Genes without an operon are kept. Where the file gives no operon, and genes stand as
        close as in bacteria, operons are predicted (`netinfer.io.operons.with_operons`); the notes say so.

    Returns
    -------
    Promoters

    Raises
    ------
    InputError
        A contig that is not in the genome, a gene beyond its contig, a window or a gene longer than its contig, wanted
        genes that are not annotated (five are shown), no gene with a place and a strand.
    ConfigError
        If `upstream` or `downstream` is impossible.

    Notes
    -----
    A window over the end of a contig goes on at its other end where the contig is said to be a ring, and is filled up
    with N where it is not. A gene over the origin of a ring ends behind the ring's length, as GFF3 has it. Genes
    without a place or a strand are left out, and counted in the notes.
    """
    width = _checked_width(upstream, downstream)
    frame = starts if isinstance(starts, pd.DataFrame) else read_starts(starts)
    notes: list[str] = []
    frame = with_operons(frame, notes) if first_of_operon else frame
    frame = genes_with_place(frame, genes, notes)
    frame = first_of_each(frame, notes) if first_of_operon else frame.assign(genes=frame.index.astype(str))
    sequences, padded, lengths = {}, [], []
    with _contigs(genome) as contigs:
        _check_contigs(frame, contigs, width)
        for gene, row in zip(frame.index, frame.itertuples(), strict=True):
            contig = contigs[str(row.contig)]
            text, n_padded = _window(contig, row, upstream, downstream)
            sequences[str(gene)] = text
            lengths.append(len(contig))
            padded.append(n_padded)
    n_over = int(np.count_nonzero(padded))
    if n_over:
        notes.append(f"{n_over} windows reach over the end of their contig and were filled up with N")
    start = np.where(frame["strand"] == "+", frame["start"], frame["end"]).astype(np.int64)
    table = pd.DataFrame(
        {
            "gene": [str(gene) for gene in frame.index],
            "contig": frame["contig"].to_numpy(object),
            "start": (start - 1) % np.array(lengths, np.int64) + 1,
            "strand": frame["strand"].to_numpy(object),
            "genes": frame["genes"].to_numpy(object),
            "n_padded": np.array(padded, np.int64),
        }
    )
    return Promoters(sequences, table, int(upstream), int(downstream), tuple(notes))


def _checked_width(upstream: Any, downstream: Any) -> int:
    for name, value in (("upstream", upstream), ("downstream", downstream)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
            raise ConfigError(f"{name}: {value!r} is no whole number of bases, 0 or more")
    if upstream + downstream < 1:
        raise ConfigError("upstream, downstream: both are 0: the window is empty")
    return int(upstream + downstream)


def genes_with_place(frame: pd.DataFrame, genes: Sequence[str] | None, notes: list[str]) -> pd.DataFrame:
    """Return the genes asked for (None: all) that have a place and a strand; `notes` gets how many have none.

    Raises
    ------
    InputError
        If a gene asked for is not annotated (five are shown), or none has a place and a strand.
    """
    if genes is not None:
        missing = [gene for gene in genes if gene not in frame.index]
        if missing:
            raise InputError(
                f"genes: {len(missing)} of {len(genes)} are not annotated: {some(missing)}; the annotation has "
                f"{some(list(map(str, frame.index)))}: use its ids"
            )
        frame = frame.loc[list(dict.fromkeys(genes))]
    has_place = ((frame["contig"] != "") & (frame["end"] > 0) & frame["strand"].isin(["+", "-"])).to_numpy()
    if not has_place.any():
        raise InputError(f"starts: none of {len(frame)} genes has a contig, a place and a strand: nothing can be cut")
    if not has_place.all():
        notes.append(f"{int((~has_place).sum())} genes without a place or a strand were left out")
    return frame[has_place]


def first_of_each(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Keep the first gene of every operon along its strand, which then stands for all of them.

    Parameters
    ----------
    frame : DataFrame as `read_starts` returns it, every gene with a place and a strand
    notes : list of str
        Gets how many genes others stand for.

    Returns
    -------
    DataFrame
        In the order of `frame`, with a column ``genes``: those that a gene stands for, with ``;`` between.
    """
    operon = frame["operon"].astype(str) if "operon" in frame else pd.Series("", index=frame.index)
    alone = np.array([f"\0{k}" for k in range(len(frame))], object)
    label = np.where(operon == "", alone, frame["contig"] + "\t" + frame["strand"] + "\t" + operon)
    at = np.where(frame["strand"] == "+", frame["start"], -frame["end"])
    order = np.argsort(at, kind="stable")
    firsts: dict[str, int] = {}
    members: dict[str, list[str]] = {}
    for k in order:
        firsts.setdefault(label[k], int(k))
        members.setdefault(label[k], []).append(str(frame.index[k]))
    kept = sorted(firsts.values())
    if len(kept) < len(frame):
        notes.append(f"{len(frame) - len(kept)} genes inside operons are stood for by the first one")
    return frame.iloc[kept].assign(genes=[";".join(members[label[k]]) for k in kept])


@contextmanager
def _contigs(genome: str | os.PathLike[str] | Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """Give the contigs of a genome; plain FASTA is read where it is needed, gzip as a whole."""
    if isinstance(genome, Mapping):
        yield genome
        return
    path = regular_file(genome)
    if file_kind(path) == "gzip":
        yield read_fasta(path)
        return
    try:
        from pyfaidx import Fasta, FastaIndexingError
    except ImportError:
        yield read_fasta(path)
        return
    with tempfile.TemporaryDirectory() as folder:  # the genome's own folder may be read-only
        try:
            contigs = Fasta(str(path), indexname=str(Path(folder) / "genome.fai"), as_raw=True)
        except FastaIndexingError as error:
            raise InputError(f"{path}: cannot be read as FASTA: {error}") from None
        with contigs:
            yield {name: contigs[name] for name in contigs.keys()}  # noqa: SIM118 - a Fasta is no dict


def _check_contigs(frame: pd.DataFrame, contigs: Mapping[str, Any], width: int) -> None:
    lengths = {name: len(contigs[name]) for name in set(frame["contig"]) & set(contigs)}
    missing = sorted(set(frame["contig"]) - set(lengths))
    if missing:
        raise InputError(
            f"genome: {len(missing)} contigs of the annotation are not in it: {some(missing)}; it has "
            f"{some(list(map(str, contigs)))}: use one naming in both"
        )
    short = sorted(name for name, length in lengths.items() if length < width)
    if short:
        raise InputError(
            f"genome: contig {short[0]!r} has {lengths[short[0]]:,} bases, less than a window of {width:,}: use "
            "shorter windows, or leave its genes out"
        )
    start, end = frame["start"].to_numpy(np.int64), frame["end"].to_numpy(np.int64)
    length = np.array([lengths[name] for name in frame["contig"]])
    on_ring = frame["is_circular"].to_numpy(bool) if "is_circular" in frame else np.zeros(len(frame), bool)
    # Over the origin of a ring a gene goes on behind its length, by less than one round.
    beyond = np.where(on_ring, (start > length) | (end - start >= length), end > length)
    if beyond.any():
        k = int(beyond.argmax())
        name = frame["contig"].iloc[k]
        raise InputError(
            f"starts: gene {str(frame.index[k])!r} from {start[k]:,} ends at {end[k]:,}, and contig {name!r} has "
            f"{lengths[name]:,} bases: annotation and genome are of different versions"
        )


def _window(contig: Any, row: Any, upstream: int, downstream: int) -> tuple[str, int]:
    """Return the window along the strand, and how many of its letters lie beyond the contig."""
    is_forward = row.strand == "+"
    # From 0, the end excluded.
    if is_forward:
        first, last = row.start - 1 - upstream, row.start - 1 + downstream
    else:
        first, last = row.end - downstream, row.end + upstream
    length, on_ring = len(contig), getattr(row, "is_circular", False)
    if on_ring:
        first, last = first % length, first % length + upstream + downstream
    before, after = max(0, -first), max(0, last - length)
    inside = str(contig[max(first, 0) : min(last, length)])
    text = inside + str(contig[0:after] if after else "") if on_ring else _PAD * before + inside + _PAD * after
    return (text if is_forward else text.translate(_COMPLEMENT)[::-1]), 0 if on_ring else before + after
