"""Where genes lie: GFF3, GTF, or a table with contig, start, end, strand, operon."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from netinfer.errors import InputError
from netinfer.io.gff import Gene, read_gff
from netinfer.io.ids import clean_id, some
from netinfer.io.source import file_kind, regular_file, text_blocks
from netinfer.io.text import choose_separator, split_fields, suffix

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

# Ids that a gene may have beside each other; the best matching one is used.
ALIASES = ("locus_tag", "old_locus_tag", "Name", "gene", "gene_id", "symbol", "entrez")
COLUMNS = ("contig", "start", "end", "strand", "operon", "is_circular", *ALIASES)

_GFF = {".gff", ".gff3", ".gff2", ".gtf"}
# What the columns of a table may be called, in lower case, other characters than letters and digits as `_`.
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "gene_id": (
        "gene_id", "geneid", "id", "", "unnamed_0", "ensembl", "ensembl_id", "ensembl_gene_id", "gene_stable_id",
    ),
    "locus_tag": (
        "locus_tag", "locustag", "locus", "bnumber", "b_number", "orf", "systematic_name", "ordered_locus_name",
    ),
    "old_locus_tag": ("old_locus_tag",),
    "gene": ("gene", "genes"),
    "Name": ("name",),
    "symbol": (
        "symbol", "gene_symbol", "gene_name", "genename", "hgnc_symbol", "external_gene_name", "preferred_name",
    ),
    "entrez": ("entrez", "entrez_id", "entrezgene", "entrezgene_id", "ncbi_gene_id"),
    "contig": (
        "contig", "chromosome", "chrom", "chr", "seqid", "seqname", "seqnames", "seq_id", "sequence", "accession",
        "replicon", "scaffold", "chromosome_name", "chromosome_scaffold_name",
    ),
    "start": (
        "start", "begin", "left", "from", "gene_start", "gene_start_bp", "start_position", "left_end_position",
        "txstart",
    ),
    "end": (
        "end", "stop", "right", "to", "gene_end", "gene_end_bp", "end_position", "stop_position",
        "right_end_position", "txend",
    ),
    "strand": ("strand", "direction", "orientation"),
    "operon": ("operon", "operon_id", "operon_name", "transcription_unit", "tu"),
    "is_circular": ("is_circular", "circular"),
}  # fmt: skip
_KEYS = ("gene_id", "locus_tag", "gene", "Name", "symbol", "old_locus_tag", "entrez")
_STRANDS = {
    "+": "+", "1": "+", "+1": "+", "forward": "+", "plus": "+", "f": "+",
    "-": "-", "-1": "-", "reverse": "-", "minus": "-", "r": "-", "\u2212": "-",
    ".": ".", "?": ".", "0": ".", "": ".", "na": ".",
}  # fmt: skip
_UNKNOWN = {"", "-", ".", "NA", "N/A", "NaN", "nan", "None", "none", "NULL", "null"}
_WHOLE = re.compile(r"[0-9]{1,15}(?:\.0+)?")
_ONE_CONTIG = "contig"


def read_annotation(path: str | os.PathLike[str], *, encoding: str = "utf-8") -> pd.DataFrame:
    """Read where genes lie and which operon they belong to.

    GFF3 and GTF: features of type ``gene``, ``pseudogene`` and ``..._gene``; where there is none, transcripts, CDS and
    exons, joined by their gene's id. Operons are read from an attribute ``operon`` or a parent of type ``operon``.

    A table (csv or tsv) has a header with a column of gene ids (``gene_id``, ``locus_tag``, ``symbol`` and usual other
    names) and ``start`` and ``end``, or ``operon``, or all; ``contig``, ``strand`` and ``is_circular`` may be there.
    Without ``contig``, all genes lie on one.

    Parameters
    ----------
    path : path
        Plain or gzip.
    encoding : str
        Of the text.

    Returns
    -------
    DataFrame
        Indexed by gene id, one row a gene, in the order of the file:

        contig : str
            Empty where the gene's place is not known.
        start, end : int
            In base pairs, from 1, both ends included, as in GFF; a table's numbers are taken as they are, and may
            begin at 0. 0 and 0 where the place is not known.
        strand : str
            ``+``, ``-`` or ``.``.
        operon : str
            Empty where unknown.
        is_circular : bool
            Whether the contig is said to be a ring.
        locus_tag, old_locus_tag, Name, gene, gene_id, symbol, entrez : str
            The gene's other ids, empty where it has none.

    Raises
    ------
    InputError
        With the line: too few fields, a position that is no whole number, a start after the end, an unknown strand; a
        gene listed twice at different places; no gene, or no column that is of use.

    Notes
    -----
    One gene on two contigs (such as the pseudoautosomal regions) keeps its first place; a warning is logged.
    """
    path = regular_file(path)
    kind = file_kind(path)
    if kind not in ("text", "gzip"):
        raise InputError(f"{path}: is {kind}, where an annotation is expected: give GFF3, GTF, csv or tsv")
    genes = read_gff(path, encoding) if _is_gff(path, encoding) else _read_table(path, encoding)
    frame = _frame(path, genes)
    n_contigs = len(set(frame["contig"]) - {""})
    logger.info(
        "read %s: %d genes, %d of them in an operon; contigs: %d",
        path.name, len(frame), int((frame["operon"] != "").sum()), n_contigs,
    )  # fmt: skip
    return frame


def _is_gff(path: Path, encoding: str) -> bool:
    if suffix(path) in _GFF:
        return True
    if suffix(path) in {".csv", ".tsv"}:
        return False
    for _, line in _numbered(path, encoding):
        if line.startswith("##gff-version"):
            return True
        if line.strip() and not line.startswith("#"):
            fields = line.split("\t")
            return len(fields) == 9 and fields[3].isdigit() and fields[4].isdigit()
    raise InputError(f"{path}: no line with a gene in it: give GFF3, GTF or a table with a header")


def _numbered(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    for first, lines in text_blocks(path, encoding):
        yield from enumerate(lines, start=first)


def _frame(path: Path, genes: list[Gene]) -> pd.DataFrame:
    import pandas as pd

    chosen: dict[str, Gene] = {}
    apart: list[str] = []
    for gene in genes:
        first = chosen.setdefault(gene.key, gene)
        if first is gene:
            continue
        if (first.contig, first.strand) == (gene.contig, gene.strand):  # parts of one gene
            first.start, first.end = min(first.start, gene.start), max(first.end, gene.end)
            first.operon = first.operon or gene.operon
        else:
            apart.append(gene.key)
    if apart:
        logger.warning(
            "%s: %d genes lie at more than one place, and only the first is kept: %s",
            path, len(set(apart)), some(sorted(set(apart))),
        )  # fmt: skip
    rows = list(chosen.values())
    data: dict[str, object] = {
        "contig": pd.Series([gene.contig for gene in rows], dtype=object),
        "start": pd.Series([gene.start for gene in rows], dtype="int64"),
        "end": pd.Series([gene.end for gene in rows], dtype="int64"),
        "strand": pd.Series([gene.strand for gene in rows], dtype=object),
        "operon": pd.Series([gene.operon for gene in rows], dtype=object),
        "is_circular": pd.Series([gene.is_circular for gene in rows], dtype=bool),
    }
    data |= {name: pd.Series([gene.aliases.get(name, "") for gene in rows], dtype=object) for name in ALIASES}
    frame = pd.DataFrame(data, columns=list(COLUMNS))
    frame.index = pd.Index([gene.key for gene in rows], dtype=object)
    return frame


# ---- tables -----------------------------------------------------------------------------------------------------


def _read_table(path: Path, encoding: str) -> list[Gene]:
    lines = [(number, line) for number, line in _numbered(path, encoding) if line.strip() and line[0] != "#"]
    if len(lines) < 2:
        raise InputError(f"{path}: {len(lines)} lines, where a header and a line for each gene are needed")
    separator = choose_separator(path, lines[0][1])
    header = [clean_id(name) for name in split_fields(lines[0][1], separator, path, lines[0][0])]
    rows = [(number, split_fields(line, separator, path, number)) for number, line in lines[1:]]
    if all(len(row) == len(header) + 1 for _, row in rows):  # as R's write.table leaves it
        header = ["", *header]
    for number, row in rows:
        if len(row) != len(header):
            raise InputError(
                f"{path}: line {number}: {len(row)} fields where the header has {len(header)}: mend the line"
            )
    place = _roles(path, header)
    values = {role: [clean_id(row[at]) for _, row in rows] for role, at in place.items()}
    contigs = values.get("contig", [])
    if len(set(contigs)) == len(contigs) > 1 and header[place["contig"]].lower() == "accession":
        del values["contig"]  # that of a protein: on no genome has each gene a contig of its own
    key = _key(path, values, [number for number, _ in rows], header)
    return [
        _gene(path, number, {role: column[i] for role, column in values.items()}, key, header, place)
        for i, (number, _) in enumerate(rows)
    ]


def _roles(path: Path, header: list[str]) -> dict[str, int]:
    """Find each role's column by its name; of several names of one role, the first of `_SYNONYMS` wins."""
    names = [re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for name in header]
    place = {}
    for role, synonyms in _SYNONYMS.items():
        found = [names.index(name) for name in synonyms if name in names and (name or names[0] == "")]
        if found:
            place[role] = found[0]
    shown = some(header, 12)
    if not place.keys() & set(_KEYS):
        raise InputError(f"{path}: line 1: no column with gene ids among {shown}: name it gene_id, locus_tag or symbol")
    if ("start" in place) != ("end" in place):
        there, lacking = ("start", "end") if "start" in place else ("end", "start")
        raise InputError(f"{path}: line 1: a column {there} but none {lacking} among {shown}: give both, from 1")
    if not place.keys() & {"start", "operon"}:
        raise InputError(
            f"{path}: line 1: neither start and end nor operon among {shown}: give where the genes lie, or their operon"
        )
    return place


def _key(path: Path, values: dict[str, list[str]], numbers: list[int], header: list[str]) -> str:
    """Choose the column that names the rows: the first that is whole and has no id twice, else the first."""
    present = [role for role in _KEYS if role in values]
    for role in present:
        ids = values[role]
        if "" not in ids and len(set(ids)) == len(ids):
            return role
    ids = values[present[0]]
    if "" in ids:
        raise InputError(f"{path}: line {numbers[ids.index('')]}: no gene id: fill it in or remove the line")
    first: dict[str, int] = {}
    for i, name in enumerate(ids):
        at = first.setdefault(name, i)
        if at != i and any(column[at] != column[i] for column in values.values()):
            raise InputError(
                f"{path}: line {numbers[i]}: gene {name!r} is also in line {numbers[at]}, with other values: keep one"
            )
    return present[0]


def _gene(path: Path, number: int, value: dict[str, str], key: str, header: list[str], place: dict[str, int]) -> Gene:
    def refuse(role: str, problem: str) -> InputError:
        return InputError(f"{path}: line {number}, column {header[place[role]]}: {value[role]!r} {problem}")

    contig, start, end = "", 0, 0
    strand = _STRANDS.get(value.get("strand", "").lower())
    if strand is None:
        raise refuse("strand", "is no strand: write + or -, or leave it empty")
    if "start" in place and value["start"] not in _UNKNOWN and value["end"] not in _UNKNOWN:
        for role in ("start", "end"):
            if not _WHOLE.fullmatch(value[role]):
                raise refuse(role, "is no position: give a whole number of base pairs, from 1")
        start, end = int(float(value["start"])), int(float(value["end"]))
        if start > end:
            if strand != "-":
                raise refuse("start", f"is after the end {end}: swap them")
            start, end = end, start  # some tables give a gene of the reverse strand in its own direction
        contig = value.get("contig", _ONE_CONTIG)
        if contig in _UNKNOWN:
            raise refuse("contig", "names no contig: fill it in, or leave start and end empty")
    operon = value.get("operon", "")
    return Gene(
        key=value[key],
        contig=contig,
        start=start,
        end=end,
        strand=strand,
        operon="" if operon in _UNKNOWN else operon,
        is_circular=value.get("is_circular", "").lower() in {"true", "yes", "1"},
        aliases={name: value[name] for name in ALIASES if value.get(name)},
    )
