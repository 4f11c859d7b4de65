"""The genes of a GFF3 or GTF file; `netinfer.io.annotation` is the way in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from netinfer.errors import InputError
from netinfer.io.source import text_blocks

_GTF_ATTRIBUTE = re.compile(r'([^\s;"]+)\s+(?:"([^"]*)"|([^\s;"]+))\s*(?:;|$)')
_GFF3_FIRST = re.compile(r'\s*[^\s=;"]+\s*=')
_WHOLE = re.compile(r"0*[1-9][0-9]{0,14}")
_GENE_TYPES = {"gene", "pseudogene"}
# What stands for a gene in files that list none; a file's own exons come last.
_PARTS = ("transcript", "mrna", "cds", "exon", "trna", "rrna", "ncrna", "tmrna", "pseudogenic_transcript")
_ENTREZ = re.compile(r"(?:^|,)GeneID:(\d+)")
# Attribute of each alias, in GFF3 (RefSeq, Ensembl, GENCODE, Prokka) and GTF.
_ALIASES = {
    "locus_tag": ("locus_tag",),
    "old_locus_tag": ("old_locus_tag",),
    "Name": ("Name",),
    "gene": ("gene",),
    "gene_id": ("gene_id",),
    "symbol": ("gene_name", "gene_symbol", "symbol"),
}


@dataclass
class Gene:
    """One gene's place, operon and ids; positions from 1, both ends included."""

    key: str
    contig: str
    start: int
    end: int
    strand: str
    operon: str = ""
    is_circular: bool = False
    aliases: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Feature:
    number: int
    contig: str
    kind: str
    start: int
    end: int
    strand: str
    attributes: dict[str, str]


def read_gff(path: Path, encoding: str = "utf-8") -> list[Gene]:
    """Read the genes of a GFF3 or GTF file in the order of the file.

    Returns
    -------
    list of Gene
        One an entry: a gene in parts is there several times.

    Raises
    ------
    InputError
        With the line: fewer than 9 fields, a position that is no whole number above 0, a start after the end, an
        unknown strand, a gene without an id; or no gene in the file.
    """
    genes: list[Gene] = []
    parents: list[str] = []
    operons: dict[str, str] = {}
    circular: set[str] = set()
    for feature in _features(path, encoding, parts=False):
        attributes = feature.attributes
        if attributes.get("Is_circular", "").lower() == "true":
            circular.add(feature.contig)
        if feature.kind == "operon":
            name = attributes.get("Name") or attributes.get("operon") or attributes.get("ID", "")
            operons[attributes.get("ID", name)] = name
        elif _is_gene(feature.kind):
            genes.append(_gene(path, feature, _gene_key(feature)))
            parents.append(attributes.get("Parent", ""))
    for gene, parent in zip(genes, parents, strict=True):
        gene.operon = gene.operon or next((operons[name] for name in parent.split(",") if name in operons), "")
    if not genes:
        genes = [
            _gene(path, feature, key)
            for feature in _features(path, encoding, parts=True)
            if (key := _part_key(feature))
        ]
    if not genes:
        raise InputError(
            f"{path}: no feature of type gene, and no transcript, CDS or exon that names its gene: "
            "give an annotation of genes"
        )
    for gene in genes:
        gene.is_circular = gene.contig in circular
    return genes


def _is_gene(kind: str) -> bool:
    return kind in _GENE_TYPES or kind.endswith("_gene")


def _features(path: Path, encoding: str, *, parts: bool) -> Iterator[_Feature]:
    """Yield the genes, operons and ring-shaped contigs of a file, or what stands for genes where it has none."""
    for first, lines in text_blocks(path, encoding):
        for number, line in enumerate(lines, start=first):
            if line.startswith((">", "##FASTA")):  # the sequence; no feature stands behind it
                return
            if not line.strip() or line[0] == "#":
                continue
            fields = line.split("\t")
            if len(fields) != 9:
                raise InputError(
                    f"{path}: line {number}: {len(fields)} tab-separated fields, where GFF and GTF have 9: mend it"
                )
            kind = fields[2].lower()
            wanted = kind in _PARTS if parts else _is_gene(kind) or kind == "operon" or "Is_circular" in fields[8]
            if wanted:
                yield _feature(path, number, kind, fields)


def _feature(path: Path, number: int, kind: str, fields: list[str]) -> _Feature:
    where = f"{path}: line {number}"
    for name, text in (("start", fields[3]), ("end", fields[4])):
        if not _WHOLE.fullmatch(text):
            raise InputError(f"{where}: {name} {text!r} is no whole number above 0: mend the line")
    start, end = int(fields[3]), int(fields[4])
    if start > end:
        raise InputError(f"{where}: start {start} is after end {end}: in GFF start is the smaller one on both strands")
    if fields[6] not in {"+", "-", ".", "?"}:
        raise InputError(f"{where}: strand {fields[6]!r} is none of + - . ?: mend the line")
    strand = fields[6] if fields[6] in "+-" else "."
    return _Feature(number, unquote(fields[0]), kind, start, end, strand, parse_attributes(fields[8]))


def parse_attributes(text: str) -> dict[str, str]:
    """Parse the ninth column of GFF3 (``key=value;``, URL-encoded) or GTF (``key "value";``); the first value wins.

    Examples
    --------
    >>> parse_attributes("ID=gene-b0001;Name=thr%20L")
    {'ID': 'gene-b0001', 'Name': 'thr L'}
    >>> parse_attributes('gene_id "a;b"; gene_name "thrL";')
    {'gene_id': 'a;b', 'gene_name': 'thrL'}
    """
    found: dict[str, str] = {}
    if _GFF3_FIRST.match(text):
        for part in text.split(";"):
            key, is_pair, value = part.partition("=")
            if is_pair:
                found.setdefault(unquote(key.strip()), unquote(value.strip()))
    else:
        for key, quoted, bare in _GTF_ATTRIBUTE.findall(text):
            found.setdefault(key, (quoted or bare).strip())
    return found


def _first(attributes: dict[str, str], *names: str) -> str:
    return next((attributes[name] for name in names if attributes.get(name)), "")


def _gene_key(feature: _Feature) -> str:
    key = _first(feature.attributes, "gene_id", "locus_tag", "ID", "Name", "gene")
    return re.sub(r"^gene[-:]", "", key)


def _part_key(feature: _Feature) -> str:
    """Name the gene of a transcript, CDS or exon; an exon's parent is a transcript, so that it may have none."""
    named = _first(feature.attributes, "gene_id", "locus_tag", "gene")
    return named or ("" if feature.kind == "exon" else _first(feature.attributes, "Parent", "ID", "Name"))


def _gene(path: Path, feature: _Feature, key: str) -> Gene:
    if not key:
        raise InputError(
            f"{path}: line {feature.number}: a {feature.kind} without gene_id, locus_tag, ID or Name: give it an id"
        )
    attributes = feature.attributes
    aliases = {alias: _first(attributes, *names) for alias, names in _ALIASES.items()}
    aliases["old_locus_tag"] = aliases["old_locus_tag"].partition(",")[0]
    if not _is_gene(feature.kind):
        aliases["Name"] = ""  # that of a transcript or protein
    if entrez := _ENTREZ.search(_first(attributes, "Dbxref", "db_xref")):
        aliases["entrez"] = entrez.group(1)
    return Gene(
        key=key,
        contig=feature.contig,
        start=feature.start,
        end=feature.end,
        strand=feature.strand,
        operon=attributes.get("operon", ""),
        aliases={alias: value for alias, value in aliases.items() if value},
    )
