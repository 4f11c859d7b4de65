"""Annotations: GFF3, GTF and tables as they come, and a clear line for each that cannot be used."""

from __future__ import annotations

import gzip
import logging
import string
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinfer.errors import InputError
from netinfer.io import read_annotation
from netinfer.io.annotation import ALIASES, COLUMNS
from netinfer.io.gff import parse_attributes

GFF3 = """##gff-version 3
##sequence-region chrI 1 9000
chrI\tRefSeq\tregion\t1\t9000\t.\t+\t.\tID=chrI:1..9000;Is_circular=true
chrI\tRefSeq\toperon\t100\t2000\t.\t+\t.\tID=op1;Name=thrLA
chrI\tRefSeq\tgene\t190\t255\t.\t+\t.\tID=gene-b0001;Dbxref=ASAP:1,GeneID:944742;Name=thrL;gene=thrL;locus_tag=b0001;Parent=op1
chrI\tRefSeq\tCDS\t190\t255\t.\t+\t0\tID=cds-1;Parent=gene-b0001;Name=NP_1;locus_tag=b0001
chrI\tRefSeq\tgene\t337\t2799\t.\t+\t.\tID=gene-b0002;Name=thr%3BA%20x;locus_tag=b0002;old_locus_tag=B2,B22;Parent=op1
chrI\tRefSeq\tpseudogene\t3000\t3100\t.\t-\t.\tID=gene-b0003;locus_tag=b0003;operon=yaaX
plasmid%201\tEnsembl\tncRNA_gene\t5\t9\t.\t?\t.\tID=gene:E1;Name=rnpB;gene_id=E1
##FASTA
>chrI
not a feature
"""
GTF = """#!genome-build X
1\thavana\tgene\t11869\t14409\t.\t+\t.\tgene_id "ENSG1.5"; gene_name "DDX11;L1"; level 2;
1\thavana\ttranscript\t11869\t14409\t.\t+\t.\tgene_id "ENSG1.5"; transcript_id "T1";
1\thavana\tgene\t14404\t29570\t.\t-\t.\tgene_id "ENSG2.3"; gene_name "WASH7P";
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def place(frame: pd.DataFrame, gene: str) -> tuple:
    return tuple(frame.loc[gene, ["contig", "start", "end", "strand", "operon", "is_circular"]])


def test_gff3(tmp_path):
    frame = read_annotation(write(tmp_path / "a.gff3", GFF3))
    assert list(frame.columns) == list(COLUMNS)
    assert list(frame.index) == ["b0001", "b0002", "b0003", "E1"]
    assert place(frame, "b0001") == ("chrI", 190, 255, "+", "thrLA", True)
    assert place(frame, "b0002") == ("chrI", 337, 2799, "+", "thrLA", True)
    assert place(frame, "b0003") == ("chrI", 3000, 3100, "-", "yaaX", True)
    assert place(frame, "E1") == ("plasmid 1", 5, 9, ".", "", False)
    assert frame.loc["b0001", list(ALIASES)].to_dict() == {
        "locus_tag": "b0001", "old_locus_tag": "", "Name": "thrL", "gene": "thrL", "gene_id": "", "symbol": "",
        "entrez": "944742",
    }  # fmt: skip
    assert frame.loc["b0002", ["Name", "old_locus_tag"]].tolist() == ["thr;A x", "B2"]


def test_gtf_plain_gzip_and_by_content(tmp_path):
    expected = read_annotation(write(tmp_path / "a.gtf", GTF))
    assert list(expected.index) == ["ENSG1.5", "ENSG2.3"]
    assert expected["symbol"].tolist() == ["DDX11;L1", "WASH7P"]
    assert place(expected, "ENSG2.3") == ("1", 14404, 29570, "-", "", False)
    (tmp_path / "a.gtf.gz").write_bytes(gzip.compress(GTF.encode()))
    for path in (tmp_path / "a.gtf.gz", write(tmp_path / "named otherwise.txt", GTF.replace("\n", "\r\n"))):
        pd.testing.assert_frame_equal(read_annotation(path), expected)


def test_file_without_genes_is_read_by_their_parts(tmp_path):
    exon = '1\tx\texon\t{}\t{}\t.\t-\t.\tgene_id "G"; transcript_id "T"; gene_name "g";\n'
    frame = read_annotation(write(tmp_path / "a.gtf", exon.format(50, 60) + exon.format(10, 20)))
    assert place(frame, "G") == ("1", 10, 60, "-", "", False)
    cds = "c\tProdigal\tCDS\t{}\t{}\t.\t+\t0\tID=X_{};locus_tag=X_{};Name=abc;gene=abc\n"
    frame = read_annotation(write(tmp_path / "a.gff", cds.format(1, 9, 1, 1) + cds.format(20, 29, 2, 2)))
    assert frame["start"].to_dict() == {"X_1": 1, "X_2": 20}
    assert frame["Name"].tolist() == ["", ""]  # a protein's
    assert frame["gene"].tolist() == ["abc", "abc"]
    with pytest.raises(InputError, match="no feature of type gene, and no transcript, CDS or exon that names its gene"):
        read_annotation(write(tmp_path / "b.gff", "c\tx\texon\t1\t9\t.\t+\t.\tParent=T1\n"))


def test_gene_in_parts_is_one_and_at_two_places_is_at_the_first(tmp_path, caplog):
    line = "{}\tx\tgene\t{}\t{}\t.\t{}\t.\tID=gene-{};locus_tag={}\n"
    text = line.format("c", 100, 200, "+", "a", "a") + line.format("c", 10, 50, "+", "a", "a")
    text += line.format("X", 1, 9, "+", "par", "par") + line.format("Y", 5, 9, "+", "par", "par")
    with caplog.at_level(logging.WARNING):
        frame = read_annotation(write(tmp_path / "a.gff3", text))
    assert place(frame, "a") == ("c", 10, 200, "+", "", False)
    assert place(frame, "par")[:2] == ("X", 1)
    assert "1 genes lie at more than one place, and only the first is kept: 'par'" in caplog.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ID=a;Name=b%3Bc%25;Note=x=y;empty=", {"ID": "a", "Name": "b;c%", "Note": "x=y", "empty": ""}),
        ("Name=first;Name=second", {"Name": "first"}),
        ('gene_id "a=1;b"; level 2; tag "x"', {"gene_id": "a=1;b", "level": "2", "tag": "x"}),
        ("", {}),
        (".", {}),
    ],
)
def test_attributes(text, expected):
    assert parse_attributes(text) == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("c\tx\tgene\t1\t9\t.\t+\t.", "line 3: 8 tab-separated fields"),
        ("c x gene 1 9 . + . ID=a", "line 3: 1 tab-separated fields"),
        ("c\tx\tgene\tone\t9\t.\t+\t.\tID=a", "line 3: start 'one' is no whole number above 0"),
        ("c\tx\tgene\t0\t9\t.\t+\t.\tID=a", "line 3: start '0' is no whole number above 0"),
        ("c\tx\tgene\t1\t9.5\t.\t+\t.\tID=a", "line 3: end '9.5' is no whole number"),
        ("c\tx\tgene\t1\t\u0663\t.\t+\t.\tID=a", "line 3: end '\u0663' is no whole number"),
        ("c\tx\tgene\t1\t9999999999999999999\t.\t+\t.\tID=a", "line 3: end '9999999999999999999' is no whole number"),
        ("c\tx\tgene\t9\t1\t.\t+\t.\tID=a", "line 3: start 9 is after end 1"),
        ("c\tx\tgene\t1\t9\t.\t1\t.\tID=a", "line 3: strand '1'"),
        ("c\tx\tgene\t1\t9\t.\t+\t.\tNote=a", "line 3: a gene without gene_id, locus_tag, ID or Name"),
        ("c\tx\tregion\t1\t9\t.\t+\t.\tID=a", "no feature of type gene"),
    ],
)
def test_broken_gff_names_its_line(tmp_path, line, message):
    with pytest.raises(InputError, match=message) as caught:
        read_annotation(write(tmp_path / "a.gff3", f"##gff-version 3\n\n{line}\n"))
    assert "a.gff3" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_table_as_pandas_and_people_write_them(tmp_path):
    csv = ",start,end,strand,gene_name,operon,accession\nb1,189,255,+,thrL,thrLABC,NC_1\nb2,336,2799,-,thrA,,NC_1\n"
    frame = read_annotation(write(tmp_path / "a.csv", csv))
    assert list(frame.index) == ["b1", "b2"]
    assert place(frame, "b1") == ("NC_1", 189, 255, "+", "thrLABC", False)
    assert frame["symbol"].tolist() == ["thrL", "thrA"]
    tsv = (
        '# by hand\n"Gene stable ID"\tChromosome/scaffold name\tGene start (bp)\tGene end (bp)\tStrand\tGene name\n'
        "ENSG1\t7\t10\t20\t-1\tTP53\n\nENSG2\tMT\t5.0\t9\t1\t\nENSG3\t\t\t\t\tNA\n"
    )
    (tmp_path / "b.tsv.gz").write_bytes(gzip.compress(tsv.encode()))
    frame = read_annotation(tmp_path / "b.tsv.gz")
    assert place(frame, "ENSG1") == ("7", 10, 20, "-", "", False)
    assert place(frame, "ENSG2") == ("MT", 5, 9, "+", "", False)
    assert place(frame, "ENSG3") == ("", 0, 0, ".", "", False)
    operons = read_annotation(write(tmp_path / "c.tsv", "locus\toperon\na\top1\nb\top1\nc\tNA\n"))
    assert operons["operon"].tolist() == ["op1", "op1", ""]
    assert set(operons["contig"]) == {""}
    ring = read_annotation(write(tmp_path / "d.csv", "symbol,left,right,circular\na,1,5,yes\nb,9,12,no\n"))
    assert ring["is_circular"].tolist() == [True, False]
    assert set(ring["contig"]) == {"contig"}
    turned = read_annotation(write(tmp_path / "e.csv", "gene,start,end,strand\na,90,5,-\n"))
    assert place(turned, "a")[1:4] == (5, 90, "-")
    r_style = read_annotation(write(tmp_path / "f.tsv", "start\tend\na\t1\t5\nb\t7\t9\n"))
    assert list(r_style.index) == ["a", "b"]


def test_accession_of_each_gene_is_no_contig(tmp_path):
    frame = read_annotation(write(tmp_path / "a.csv", "gene,start,end,accession\na,1,5,P1\nb,7,9,P2\nc,10,12,P3\n"))
    assert set(frame["contig"]) == {"contig"}


def test_the_whole_and_unique_column_names_the_rows(tmp_path):
    text = "gene_id,locus_tag,start,end\n1,b1,1,5\n1,b2,7,9\n,b3,11,12\n"
    assert list(read_annotation(write(tmp_path / "a.csv", text)).index) == ["b1", "b2", "b3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tag,start,end\na,1,5\n", "line 1: no column with gene ids among 'tag', 'start', 'end'"),
        ("gene,start\na,1\n", "line 1: a column start but none end"),
        ("gene,end\na,1\n", "line 1: a column end but none start"),
        ("gene,strand\na,+\n", "line 1: neither start and end nor operon"),
        ("gene,start,end\na,1,5\nb,7\n", "line 3: 2 fields where the header has 3"),
        ("gene,start,end\na,1,5\nb,7,x\n", "line 3, column end: 'x' is no position"),
        ("gene,start,end\na,-1,5\n", "line 2, column start: '-1' is no position"),
        ("gene,start,end\na,1e3,5000\n", "line 2, column start: '1e3' is no position"),
        ("gene,start,end\na,9,5\n", "line 2, column start: '9' is after the end 5: swap them"),
        ("gene,start,end,strand\na,1,5,up\n", "line 2, column strand: 'up' is no strand"),
        ("gene,start,end,chr\na,1,5,\n", "line 2, column chr: '' names no contig"),
        ("gene,start,end\na,1,5\n,6,9\n", "line 3: no gene id"),
        ("gene,start,end\na,1,5\nb,6,9\na,10,12\n", "line 4: gene 'a' is also in line 2, with other values"),
        ("gene,start,end\n", "1 lines, where a header and a line for each gene are needed"),
        ('gene,start,end\n"a,1,5\n', "line 2: a quote is opened and not closed"),
    ],
)
def test_broken_table_names_its_line(tmp_path, text, message):
    with pytest.raises(InputError, match=message) as caught:
        read_annotation(write(tmp_path / "a.csv", text))
    assert "a.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.xlsx", b"PK\x03\x04" + bytes(100), r"a\.xlsx: is zip, where an annotation is expected"),
        ("a.txt", b"# nothing\n\n", "no line with a gene in it"),
        ("a.gff", b"", "empty file"),
        ("a.gff.gz", gzip.compress((GFF3 * 50).encode())[:200], "damaged gzip"),
        ("a.gff.gz", GFF3.encode(), "not gzip-compressed"),
        ("a.gff", GFF3.replace("thrL", "thrL\xe4").encode("latin-1"), "the text is not utf-8: line 4"),
    ],
)
def test_other_files_are_refused(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_annotation(path)
    with pytest.raises(InputError, match="no such file"):
        read_annotation(tmp_path / "absent.gff3")


def test_encoding(tmp_path):
    path = tmp_path / "a.gff"
    path.write_bytes(GFF3.replace("Name=thrL;", "Name=thrL\xe4;").encode("latin-1"))
    assert read_annotation(path, encoding="latin-1").loc["b0001", "Name"] == "thrLä"


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_stands_there_it_is_read_or_refused_in_one_line(tmp_path_factory, data):
    text = data.draw(st.sampled_from([GFF3, GTF, "gene,start,end,operon\na,1,5,x\nb,6,9,x\n"]))
    at = data.draw(st.integers(0, len(text)))
    n = data.draw(st.integers(0, 40))
    noise = data.draw(st.text(string.printable + "é\u2028\ufeff", max_size=6))
    path = write(tmp_path_factory.mktemp("any") / data.draw(st.sampled_from(["a.gff3", "a.csv", "a.tsv", "a"])), "x")
    path.write_text(text[:at] + noise + text[at + n :], encoding="utf-8")
    message, frame = "", pd.DataFrame(columns=list(COLUMNS))
    try:
        frame = read_annotation(path)
    except InputError as error:
        message = str(error)
    assert "\n" not in message
    assert list(frame.columns) == list(COLUMNS)
    assert frame.index.is_unique
    assert "" not in frame.index
    assert set(frame["strand"]) <= {"+", "-", "."}
    assert (frame["start"] <= frame["end"]).all()
