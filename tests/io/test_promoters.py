"""Windows around starts, cut out of a genome."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest

from netinfer.errors import ConfigError, InputError
from netinfer.io.bed import read_bed
from netinfer.io.promoters import cut_promoters, read_starts

GENOME = {"one": "AACCGGTTACGTAAAATTTTCCCC", "two": "GGGGGGGGGGTTTTT"}
OTHER = str.maketrans("ACGT", "TGCA")


def starts(*rows, **more):
    """Rows: gene, contig, start, end (from 1), strand, operon."""
    frame = pd.DataFrame(rows, columns=["gene", "contig", "start", "end", "strand", "operon"]).set_index("gene")
    return frame.assign(is_circular=more.get("is_circular", False))


def test_a_window_lies_around_the_start_and_along_the_strand():
    found = cut_promoters(
        GENOME, starts(("f", "one", 9, 12, "+", ""), ("r", "one", 9, 12, "-", "")), upstream=3, downstream=2
    )
    # The forward gene begins at A of ACGT, the reverse one at the complement of its T.
    assert found.sequences["f"] == "GTT" + "AC"
    reverse = GENOME["one"].translate(OTHER)[::-1]
    at = len(reverse) - 12
    assert found.sequences["r"] == reverse[at - 3 : at + 2]
    assert found.table["start"].tolist() == [9, 12]
    assert found.table["n_padded"].tolist() == [0, 0]


def test_windows_over_the_end_are_filled_up_or_go_round_a_ring():
    near = ("f", "two", 2, 4, "+", "")
    far = ("r", "two", 12, 15, "-", "")
    flat = cut_promoters(GENOME, starts(near, far), upstream=3, downstream=2)
    assert flat.sequences == {"f": "NNGGG", "r": "NNNAA"}
    assert flat.table["n_padded"].tolist() == [2, 3]
    assert any("filled up" in note for note in flat.notes)
    ring = cut_promoters(GENOME, starts(near, far, is_circular=True), upstream=3, downstream=2)
    assert ring.sequences == {"f": "TTGGG", "r": "CCCAA"}
    assert not ring.notes


def test_a_gene_over_the_origin_of_a_ring_has_its_window_on_both_strands():
    # "two" is GGGGGGGGGGTTTTT, 15 bases: a gene from 13 to 18 covers 13, 14, 15, 1, 2 and 3, as GFF3 writes it.
    rows = (("f", "two", 13, 18, "+", ""), ("r", "two", 13, 18, "-", ""), ("s", "two", 9, 16, "-", ""))
    ring = cut_promoters(GENOME, starts(*rows, is_circular=True), upstream=4, downstream=4)
    # f: bases 9 to 12 before its start at 13, then 13, 14, 15 and 1.
    assert ring.sequences["f"] == "GGTT" + "TTTG"
    # r starts at 3: 15, 1, 2, 3 along the genome are its first four bases, 4 to 7 lie before it.
    assert ring.sequences["r"] == "CCCC" + "CCCA"
    # s starts at 1: 13, 14, 15 and 1 are its own, 2 to 5 lie before it.
    assert ring.sequences["s"] == "CCCC" + "CAAA"
    assert ring.table["start"].tolist() == [13, 3, 1]
    assert ring.table["n_padded"].tolist() == [0, 0, 0]
    for row in (("f", "two", 16, 18, "+", ""), ("f", "two", 2, 17, "+", "")):  # beyond the ring; more than one round
        with pytest.raises(InputError, match=rf"'f' from {row[2]} ends at {row[3]}, and contig 'two' has 15 bases"):
            cut_promoters(GENOME, starts(row, is_circular=True), upstream=4, downstream=4)


def test_the_first_gene_along_the_strand_stands_for_its_operon():
    rows = (
        ("a", "one", 9, 10, "+", "abc"), ("b", "one", 11, 12, "+", "abc"), ("x", "one", 13, 14, "-", "xy"),
        ("y", "one", 15, 16, "-", "xy"), ("z", "one", 17, 18, "+", ""),
    )  # fmt: skip
    found = cut_promoters(GENOME, starts(*rows), upstream=2, downstream=2)
    assert found.table.set_index("gene")["genes"].to_dict() == {"a": "a;b", "y": "y;x", "z": "z"}
    alone = cut_promoters(GENOME, starts(*rows), upstream=2, downstream=2, first_of_operon=False)
    assert list(alone.sequences) == ["a", "b", "x", "y", "z"]


@pytest.mark.parametrize("name", ["genome.fa", "genome.fa.gz"])
def test_plain_and_packed_genomes_give_the_same_windows(tmp_path, name):
    text = "".join(f">{contig} described\n{bases[:7]}\n{bases[7:]}\n" for contig, bases in GENOME.items())
    # FASTA that is read by index has lines of one length.
    text = text.replace("AACCGGT\nTACGTAAAATTTTCCCC", "AACCGGTT\nACGTAAAA\nTTTTCCCC").replace("GGGGGGG\n", "GGGGGGG\n")
    text = text.replace("GGGGGGG\nGGGTTTTT", "GGGGGGGG\nGGTTTTT")
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    table = starts(("f", "one", 9, 12, "+", ""), ("r", "two", 8, 12, "-", ""))
    assert (
        cut_promoters(path, table, upstream=3, downstream=2).sequences
        == cut_promoters(GENOME, table, upstream=3, downstream=2).sequences
    )
    assert [file.name for file in tmp_path.iterdir()] == [name], "nothing is written beside the genome"


def test_a_gff_and_a_bed_file_give_the_same_starts(tmp_path):
    gff, bed = tmp_path / "genes.gff", tmp_path / "tss.bed"
    gff.write_text("##gff-version 3\none\tx\tgene\t9\t12\t.\t+\t.\tID=f\none\tx\tgene\t9\t12\t.\t-\t.\tID=r\n")
    # BED counts from 0; a start is often a place of no length.
    bed.write_text("one\t8\t8\tf\t.\t+\none\t8\t12\tr\t.\t-\n")
    found = [cut_promoters(GENOME, read_starts(path), upstream=3, downstream=2).sequences for path in (gff, bed)]
    assert found[0] == found[1] == {"f": "GTTAC", "r": cut_promoters(
        GENOME, starts(("r", "one", 9, 12, "-", "")), upstream=3, downstream=2).sequences["r"]}  # fmt: skip


@pytest.mark.parametrize(
    ("genome", "table", "settings", "message"),
    [
        (
            GENOME,
            starts(("f", "chrI", 1, 4, "+", "")),
            {},
            "1 contigs of the annotation are not in it: .chrI.; it has .one.",
        ),
        (GENOME, starts(("f", "two", 1, 4, "+", "")), {"upstream": 20}, "'two' has 15 bases, less than a window of 22"),
        (GENOME, starts(("f", "two", 20, 24, "+", "")), {}, "'f' from 20 ends at 24, and contig 'two' has 15"),
        (GENOME, starts(("f", "two", 1, 4, ".", "")), {}, "none of 1 genes has a contig, a place and a strand"),
        (GENOME, starts(("f", "two", 1, 4, "+", "")), {"genes": ["g"]}, "1 of 1 are not annotated: .g."),
    ],
)
def test_what_cannot_be_cut_is_refused(genome, table, settings, message):
    with pytest.raises(InputError, match=message):
        cut_promoters(genome, table, **{"upstream": 3, "downstream": 2, **settings})


@pytest.mark.parametrize("settings", [{"upstream": -1}, {"upstream": 0, "downstream": 0}, {"upstream": 2.5}])
def test_impossible_widths_are_refused(settings):
    with pytest.raises(ConfigError, match="upstream"):
        cut_promoters(GENOME, starts(("f", "two", 4, 6, "+", "")), **settings)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chr1\t5\t9", "line 1: 3 columns"),
        ("chr1\t-5\t9\ta", "line 1: start '-5'"),
        ("chr1\t9\t5\ta", "line 1: start 9 is behind end 5"),
        ("chr1\t5\t9\ta\t.\tx", "line 1: strand 'x'"),
        ("chr1\t5\t9\t ", "line 1: no name"),
        ("track only", "no line with a place"),
    ],
)
def test_a_bed_line_that_cannot_be_used_is_named(tmp_path, line, message):
    path = tmp_path / "x.bed"
    path.write_text(line + "\n")
    with pytest.raises(InputError, match=message):
        list(read_bed(path))


def test_a_start_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "x.bed"
    path.write_text("c\t1\t1\ta\t.\t+\nc\t5\t5\ta\t.\t+\n")
    with pytest.raises(InputError, match=r"1 names stand there more than once: .a."):
        read_starts(path)


def test_operons_are_predicted_where_none_is_given_and_genes_stand_close():
    rng = np.random.default_rng(0)
    genome = {"c": "".join(rng.choice(list("ACGT"), 3000))}
    starts = np.array([100, 320, 700, 920, 1400])  # genes of 200 bases: gaps of 20, 180, 20 and 280
    frame = pd.DataFrame(
        {"contig": "c", "start": starts, "end": starts + 199, "strand": "+", "operon": "", "is_circular": False},
        index=[f"g{k}" for k in range(5)],
    )
    found = cut_promoters(genome, frame, upstream=50, downstream=10)
    assert found.table["genes"].tolist() == ["g0;g1", "g2;g3", "g4"]
    assert found.notes[0] == "operons predicted (same strand, gaps below 50 bases): 4 genes are in one"
    # Of some of the genes: what lies together is seen among all.
    assert list(cut_promoters(genome, frame, upstream=50, downstream=10, genes=["g0", "g1", "g4"]).sequences) == [
        "g0",
        "g4",
    ]
    wide = cut_promoters(genome, frame.iloc[[0, 2, 4]], upstream=50, downstream=10)
    assert len(wide.sequences) == 3
    assert "none predicted: the median gap between genes is not below 200 bases" in wide.notes[0]
    sites = frame.assign(end=frame["start"])  # starts of transcription, each a promoter of its own
    assert len(cut_promoters(genome, sites, upstream=50, downstream=10).sequences) == 5
