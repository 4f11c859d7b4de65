"""Motif files in and out."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from netinfer.errors import InputError
from netinfer.io.motifs import Motif, read_motifs, write_meme

MEME = """MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies (from uniform background):
A 0.30000 C 0.20000
G 0.20000 T 0.30000

MOTIF one CRP
letter-probability matrix: alength= 4 w= 2 nsites= 1 E= 0
 0.7 0.1 0.1 0.1
 0.0 1.0 0.0 0.0

MOTIF two

letter-probability matrix: alength= 4 w= 1 nsites= 20 E= 0
0.25\t0.25\t0.25\t0.25
"""


def test_probabilities_sites_and_background_of_a_meme_file_are_kept(tmp_path):
    path = tmp_path / "x.meme"
    path.write_text(MEME)
    one, two = read_motifs(path)
    # A reader that rounds to whole sites makes 1 and 0 of the first row.
    np.testing.assert_allclose(one.probabilities, [[0.7, 0.1, 0.1, 0.1], [0, 1, 0, 0]], atol=1e-12)
    assert (one.name, one.label, one.n_sites, one.width, one.consensus) == ("one", "CRP", 1.0, 2, "AC")
    assert (two.name, two.label, two.n_sites) == ("two", "", 20.0)
    np.testing.assert_allclose(two.background, [0.3, 0.2, 0.2, 0.3])
    write_meme(tmp_path / "y.meme", [one, two])
    for before, after in zip((one, two), read_motifs(tmp_path / "y.meme"), strict=True):
        np.testing.assert_allclose(before.probabilities, after.probabilities, atol=1e-6)
        np.testing.assert_allclose(before.background, after.background, atol=1e-6)
        assert (before.name, before.label, before.n_sites) == (after.name, after.label, after.n_sites)


def test_log_odds_are_finite_and_zero_at_the_background():
    motif = Motif("m", np.array([[1.0, 0, 0, 0], [0.25] * 4]), 9.0, np.full(4, 0.25))
    scores = motif.log_odds()
    # (9 + 0.25) / 10 / 0.25 and 0.25 / 10 / 0.25
    np.testing.assert_allclose(scores[0], np.log2([3.7, 0.1, 0.1, 0.1]))
    np.testing.assert_allclose(scores[1], 0.0, atol=1e-12)


def test_biopython_reads_what_was_written(tmp_path):
    reader = pytest.importorskip("Bio.motifs")
    path = tmp_path / "x.meme"
    write_meme(path, [Motif("m", np.array([[0.5, 0.25, 0.25, 0.0], [0, 0, 0, 1.0]]), 8.0, np.full(4, 0.25))])
    with path.open() as handle:
        (found,) = reader.parse(handle, "minimal")
    assert found.name == "m"
    assert [found.counts[base][0] for base in "ACGT"] == [4, 2, 2, 0]


JASPAR = ">MA0001.1 AGL3\nA [ 0 3 79 ]\nC [ 94 75 4 ]\nG [ 1 0 3 ]\nT [ 2 19 11 ]\n"
TRANSFAC = "ID  one\nXX\nP0  A C G T\n01  1 2 2 0 S\n02  2 1 2 0 R\nXX\n//\n"


@pytest.mark.parametrize(("text", "name", "sites", "first"), [
    (JASPAR, "MA0001.1", 97.0, [0, 94 / 97, 1 / 97, 2 / 97]), (TRANSFAC, "one", 5.0, [0.2, 0.4, 0.4, 0.0]),
])  # fmt: skip
def test_jaspar_and_transfac_are_read_by_biopython(tmp_path, text, name, sites, first):
    pytest.importorskip("Bio.motifs")
    path = tmp_path / "x.txt.gz"
    path.write_bytes(gzip.compress(text.encode()))
    (found,) = read_motifs(path)
    assert (found.name, found.n_sites) == (name, sites)
    np.testing.assert_allclose(found.probabilities[0], first)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("nsites= 1 ", "nsites= 0 ", "line 12: motif 'one': nsites= 0"),
        (" 0.0 1.0 0.0 0.0", " 0.0 1.0 0.0", "line 14: motif 'one': 3 numbers"),
        (" 0.0 1.0 0.0 0.0", " 0.5 1.0 0.0 0.0", "line 14: motif 'one'.* no probabilities"),
        (" 0.0 1.0 0.0 0.0", " -1 1.0 1.0 0.0", "line 14: motif 'one'.* no probabilities"),
        ("w= 2", "w= 3", "motif 'one' has 2 rows, and says w= 3"),
        ("ALPHABET= ACGT", "ALPHABET= ACDEFGHIKLMNPQRSTVWY", "line 3: alphabet"),
        ("MOTIF two", "MOTIF one", "1 motifs stand there more than once: .one."),
        ("0.25\t0.25\t0.25\t0.25\n", "", "motif 'two' has a matrix without rows"),
        ("A 0.30000 C 0.20000", "A 0.90000 C 0.20000", "background .* sum to 1"),
        ("MOTIF one CRP\n", "", "line 11: a matrix without a line 'MOTIF'"),
    ],
)
def test_what_is_wrong_in_a_meme_file_is_named(tmp_path, old, new, message):
    assert old in MEME
    path = tmp_path / "x.meme"
    path.write_text(MEME.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        read_motifs(path)


@pytest.mark.parametrize(("text", "message"), [("", "empty file"), ("hello\n", "no motifs: a MEME file has lines")])
def test_other_files_are_refused(tmp_path, text, message):
    path = tmp_path / "x.meme"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_motifs(path)


def test_a_name_with_a_blank_is_not_written(tmp_path):
    motif = Motif("a b", np.full((1, 4), 0.25), 1.0, np.full(4, 0.25))
    with pytest.raises(InputError, match="'a b' is empty or has a blank"):
        write_meme(tmp_path / "x", [motif])
    with pytest.raises(InputError, match="none to write"):
        write_meme(tmp_path / "x", [])


def test_no_motif_is_a_file_that_says_so(tmp_path):
    from Bio import motifs

    path = tmp_path / "none.meme"
    write_meme(path, [], background=np.array([0.3, 0.2, 0.2, 0.3]))
    with path.open() as file:
        assert list(motifs.parse(file, "minimal")) == []
    with pytest.raises(InputError, match=r"none\.meme: a MEME file without a motif"):
        read_motifs(path)


def test_all_motifs_of_the_databases_are_read(netinfer_data):
    folder = netinfer_data / "ecoli_precise" / "sequence"
    # Numbers as the data's own page gives them.
    for name, n in (("SwissRegulon_e_coli", 97), ("dpinteract", 68), ("collectf", 84), ("regtransbase", 141)):
        motifs = read_motifs(folder / f"{name}.meme.gz")
        assert len(motifs) == n
        assert all(np.isfinite(motif.log_odds()).all() for motif in motifs)
