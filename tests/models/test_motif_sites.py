"""Motifs by distance from the start: scores in bins, selection, held-out figures."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from sklearn.metrics import roc_auc_score

from netinfer.errors import ConfigError, InputError
from netinfer.io.motifs import Motif
from netinfer.io.promoters import Promoters
from netinfer.io.tables import write_tsv
from netinfer.models.motif_sites import (
    MotifSiteModel,
    SiteScores,
    fit_motif_site_responses,
    fit_motif_sites,
    place_sites,
    scan_motifs,
)
from netinfer.models.motif_sites.fits import Design, auc_interval, folds_of, held_out, held_out_figures
from netinfer.models.motif_sites.responses import matched
from netinfer.models.motif_sites.scores import bin_edges
from netinfer.models.motif_sites.units import window_units

BASES = "ACGT"
UPSTREAM, DOWNSTREAM = 90, 30
SITE = "TGTGATCTAG"


def motif(name: str, site: str) -> Motif:
    """A motif that has the site's base in nine sites of ten."""
    matrix = np.full((len(site), 4), 0.1 / 3)
    matrix[np.arange(len(site)), [BASES.index(base) for base in site]] = 0.9
    return Motif(name, matrix, 30.0, np.full(4, 0.25))


def promoters(texts: dict[str, str], upstream: int = UPSTREAM, downstream: int = DOWNSTREAM) -> Promoters:
    table = pd.DataFrame({"gene": list(texts), "genes": list(texts)})
    return Promoters(texts, table, upstream, downstream, ())


def planted(n: int = 240, seed: int = 0, *, is_null: bool = False) -> tuple[Promoters, list[Motif], list[str]]:
    """Random promoters; a quarter hold the first motif's site, on either strand, at -60 to -40 of the start."""
    rng = np.random.default_rng(seed)
    texts, cases = {}, []
    reverse = SITE.translate(str.maketrans("ACGT", "TGCA"))[::-1]
    for g in range(n):
        letters = rng.choice(list(BASES), UPSTREAM + DOWNSTREAM)
        name = f"g{g:03d}"
        if g % 4 == 0:
            cases.append(name)
            if not is_null:
                at = UPSTREAM - 60 + int(rng.integers(0, 11))
                letters[at : at + len(SITE)] = list(SITE if g % 8 else reverse)
        texts[name] = "".join(letters)
    others = [motif(f"m{k}", "".join(rng.choice(list(BASES), 10))) for k in range(12)]
    return promoters(texts), [motif("planted", SITE), *others], cases


def test_the_best_match_of_each_bin_is_that_of_every_site_on_both_strands():
    window, motifs, _ = planted(n=24)
    # Ambiguous letters: no site over them.
    first = next(iter(window.sequences))
    window.sequences[first] = "N" * 70 + window.sequences[first][70:]
    scores = scan_motifs(window, motifs, bin_width=40, background=np.array([0.3, 0.2, 0.2, 0.3]))
    assert scores.edges.tolist() == [-90, -80, -40, 0, 30]
    code = {base: k for k, base in enumerate(BASES)}
    for k, one in enumerate(motifs):
        odds = one.log_odds(np.array([0.3, 0.2, 0.2, 0.3]))
        for g, text in enumerate(window.sequences.values()):
            best = np.zeros(4)
            for at in range(len(text) - one.width + 1):
                word = text[at : at + one.width]
                if "N" in word:
                    continue
                numbers = np.array([code[base] for base in word])
                forward = odds[np.arange(one.width), numbers].sum()
                backward = odds[np.arange(one.width), (3 - numbers)[::-1]].sum()
                middle = np.floor(at + (one.width - 1) / 2 - UPSTREAM)
                b = int(np.searchsorted([-90, -80, -40, 0, 30], middle, side="right")) - 1
                best[b] = max(best[b], forward, backward)
            np.testing.assert_allclose(scores.strength[g, k], best, atol=1e-12)
            # Read again where the best match is said to be, on that strand.
            for b in range(4):
                start, end, strand = (
                    array[g, k, b] for array in (scores.site_start, scores.site_end, scores.site_strand)
                )
                if best[b] == 0:
                    assert (start, end, strand) == (0, 0, 0)
                    continue
                assert end - start == one.width
                word = np.array([code[base] for base in text[start + UPSTREAM : end + UPSTREAM]])
                word = word if strand == 1 else (3 - word)[::-1]
                assert odds[np.arange(one.width), word].sum() == pytest.approx(best[b], abs=1e-12)


def test_the_planted_motif_is_found_at_its_distance_and_predicts():
    window, motifs, cases = planted()
    scores = scan_motifs(window, motifs, bin_width=20)
    model = fit_motif_sites(scores, cases, n_subsamples=20)
    first = model.motifs.iloc[0]
    assert (first["motif"], first["entry"], first["is_selected"]) == ("planted", 1, True)
    assert model.motifs["is_selected"].sum() == 1
    # Middles of the planted sites lie 55.5 to 45.5 bases before the start.
    assert (first["peak_start"], first["peak_end"]) == (-60, -40)
    assert first["effect"] > 0
    assert model.held_out["auc_low"] > 0.9
    prediction = model.predict(scores)
    assert roc_auc_score([gene in cases for gene in prediction.index], prediction) > 0.95
    assert prediction.between(0, 1).all()
    assert model.provenance["worst_duality_gap"] <= 1e-6
    numbers = fit_motif_sites(
        scores, {g: float(g in cases) + 2.0 for g in scores.genes}, family="gaussian", n_subsamples=20
    )
    assert numbers.motifs.loc[0, "motif"] == "planted"
    assert numbers.held_out["r2"] > 0.5
    assert numbers.predict(scores).mean() == pytest.approx(2.25, abs=1e-6)  # a quarter has 3, the others 2


def test_chance_selects_no_more_than_was_asked_for():
    n_false = []
    for seed in range(10):
        window, motifs, cases = planted(n=120, seed=seed, is_null=True)
        scores = scan_motifs(window, motifs, bin_width=30)
        n_false.append(int(fit_motif_sites(scores, cases, n_subsamples=10, seed=seed).motifs["is_selected"].sum()))
    assert np.mean(n_false) <= 1.0


def test_the_same_seed_gives_the_same_model_and_order_of_motifs_does_not_matter():
    window, motifs, cases = planted(n=80)
    one = fit_motif_sites(scan_motifs(window, motifs, bin_width=30), cases, n_subsamples=10, seed=3)
    two = fit_motif_sites(scan_motifs(window, motifs, bin_width=30), cases, n_subsamples=10, seed=3, threads=2)
    pd.testing.assert_frame_equal(one.motifs, two.motifs)
    turned = fit_motif_sites(scan_motifs(window, motifs[::-1], bin_width=30), cases, n_subsamples=10, seed=3)
    columns = ["motif", "selection_probability", "entry"]
    pd.testing.assert_frame_equal(
        one.motifs[columns].sort_values("motif", ignore_index=True),
        turned.motifs[columns].sort_values("motif", ignore_index=True),
    )


def test_given_sites_are_counted_by_distance_along_the_strand(tmp_path):
    (tmp_path / "tss.bed").write_text("c\t100\t100\tf\t.\t+\nc\t100\t101\tr\t.\t-\nd\t5\t5\talone\t.\t+\n")
    # Middles 79, 100, 129 and 200: 21 before, at, and 29 behind the forward start; the last is too far away.
    (tmp_path / "sites.bed").write_text("c\t70\t89\tA\nc\t100\t101\tA\nc\t125\t134\tB\nc\t200\t201\tB\n")
    scores = place_sites(tmp_path / "tss.bed", tmp_path / "sites.bed", upstream=40, downstream=40, bin_width=20)
    assert scores.edges.tolist() == [-40, -20, 0, 20, 40]
    assert (scores.motifs, scores.genes) == (("A", "B"), ("f", "r", "alone"))
    assert scores.strength[0].tolist() == [[1, 0, 1, 0], [0, 0, 0, 1]]
    assert scores.strength[1].tolist() == [[0, 0, 1, 1], [1, 0, 0, 0]]
    assert not scores.strength[2].any()
    # The site from 70 to 88 around the forward start at 100, and around the reverse one, whose first base is the last.
    assert (scores.site_start[0, 0, 0], scores.site_end[0, 0, 0], scores.site_strand[0, 0, 0]) == (-30, -11, 0)
    assert (scores.site_start[1, 0, 3], scores.site_end[1, 0, 3]) == (12, 31)


def test_of_several_given_sites_in_a_bin_the_nearest_to_its_middle_is_kept(tmp_path):
    (tmp_path / "tss.bed").write_text("c\t100\t101\tf\t.\t+\nc\t100\t101\tr\t.\t-\n")
    # Middles 101, 109 and 117: the bin from 0 to 20 has its middle at 9.5. All lie upstream of the reverse gene.
    (tmp_path / "sites.bed").write_text("c\t101\t102\tA\t0\t+\nc\t108\t111\tA\t0\t-\nc\t117\t118\tA\t0\t+\n")
    scores = place_sites(tmp_path / "tss.bed", tmp_path / "sites.bed", upstream=20, downstream=20, bin_width=20)
    assert scores.strength[0, 0].tolist() == [0, 3]
    assert (scores.site_start[0, 0, 1], scores.site_end[0, 0, 1], scores.site_strand[0, 0, 1]) == (8, 11, -1)
    # Of the reverse gene: bases 108 to 110 lie 10 to 8 before it, and the site is on its own strand.
    assert (scores.site_start[1, 0, 0], scores.site_end[1, 0, 0], scores.site_strand[1, 0, 0]) == (-10, -7, 1)


def test_the_order_of_the_lines_of_given_sites_does_not_matter(tmp_path):
    (tmp_path / "tss.bed").write_text("c\t100\t101\tf\t.\t+\nc\t100\t101\tr\t.\t-\n")
    # All have the middle 105; the narrowest are three bases wide, and of these one is on each gene's strand.
    lines = ["c\t104\t107\tA\t0\t.\n", "c\t104\t107\tA\t0\t-\n", "c\t104\t107\tA\t0\t+\n", "c\t103\t108\tA\t0\t+\n"]
    for given in itertools.permutations(lines):
        (tmp_path / "sites.bed").write_text("".join(given))
        scores = place_sites(tmp_path / "tss.bed", tmp_path / "sites.bed", upstream=20, downstream=20, bin_width=20)
        assert (scores.site_start[0, 0, 1], scores.site_end[0, 0, 1], scores.site_strand[0, 0, 1]) == (4, 7, 1)
        assert (scores.site_start[1, 0, 0], scores.site_end[1, 0, 0], scores.site_strand[1, 0, 0]) == (-6, -3, 1)


def test_a_middle_between_two_bases_lies_on_the_one_upstream_on_both_strands(tmp_path):
    (tmp_path / "tss.bed").write_text("c\t500\t501\tf\t.\t+\nd\t500\t501\tr\t.\t-\n")
    # Two bases: at -51 and -50 of each start (m), and at the ends of the windows, -101 and -100 (out), 99 and 100 (in).
    (tmp_path / "sites.bed").write_text(
        "c\t449\t451\tm\nd\t550\t552\tm\nc\t399\t401\tout\nd\t600\t602\tout\nc\t599\t601\tin\nd\t400\t402\tin\n"
    )
    scores = place_sites(tmp_path / "tss.bed", tmp_path / "sites.bed", upstream=100, downstream=100, bin_width=50)
    assert scores.motifs == ("in", "m", "out")
    for strength in scores.strength:
        assert strength.tolist() == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert scores.site_start[:, 1, 0].tolist() == [-51, -51]
    # The match of a motif of two bases there lies in the same bin, found by scanning.
    text = "A" * 49 + "CG" + "A" * 149
    scanned = scan_motifs(
        promoters({"g": text}, 100, 100), [motif("m", "CG")], bin_width=50, background=np.full(4, 0.25)
    )
    assert (scanned.site_start[0, 0, 0], scanned.site_end[0, 0, 0]) == (-51, -49)
    assert scanned.strength[0, 0].argmax() == 0


def placed_starts(*rows, is_circular: bool = False) -> pd.DataFrame:
    """Rows: gene, contig, start, end (from 1), strand, operon."""
    frame = pd.DataFrame(rows, columns=["gene", "contig", "start", "end", "strand", "operon"]).set_index("gene")
    return frame.assign(is_circular=is_circular)


def test_given_sites_are_those_of_the_first_gene_of_an_operon(tmp_path):
    (tmp_path / "sites.bed").write_text("c\t89\t91\tA\nc\t409\t411\tA\n")
    rows = (
        ("a", "c", 100, 199, "+", "abc"), ("b", "c", 200, 299, "+", "abc"), ("c", "c", 300, 350, "+", "abc"),
        ("x", "c", 360, 379, "-", "xy"), ("y", "c", 380, 400, "-", "xy"), ("z", "c", 900, 950, "+", ""),
        ("nowhere", "", 0, 0, "", ""),
    )  # fmt: skip
    settings = {"upstream": 20, "downstream": 20, "bin_width": 20}
    scores = place_sites(placed_starts(*rows), tmp_path / "sites.bed", **settings)
    assert scores.members == {"a": ("a", "b", "c"), "y": ("y", "x"), "z": ("z",)}
    assert scores.strength[:, 0].tolist() == [[1, 0], [1, 0], [0, 0]]
    assert scores.notes == (
        "1 genes without a place or a strand were left out",
        "3 genes inside operons are stood for by the first one",
    )
    alone = place_sites(placed_starts(*rows), tmp_path / "sites.bed", first_of_operon=False, **settings)
    assert alone.members == {gene: (gene,) for gene in "abcxyz"}
    assert len(alone.notes) == 1


def test_what_given_sites_leave_out_is_noted_or_refused(tmp_path):
    (tmp_path / "sites.bed").write_text("chrI\t89\t91\tA\n2\t89\t91\tA\n2\t99\t101\tA\n")
    one = [(f"a{k}", "chrI", 100 + k, 199, "+", "") for k in range(3)]
    two = [(f"b{k}", "chrII", 100 + k, 199, "+", "") for k in range(3)]
    settings = {"upstream": 50, "downstream": 20, "first_of_operon": False}
    with pytest.raises(
        InputError, match=r"3 of 6 genes are on contigs without a site \('chrII'\); the sites are on '2', 'chrI':"
    ):
        place_sites(placed_starts(*one, *two), tmp_path / "sites.bed", **settings)
    scores = place_sites(placed_starts(*one, *two[:2]), tmp_path / "sites.bed", **settings)
    assert scores.notes == (
        "2 of 5 genes are on contigs without a site: 'chrII'",
        "2 of 3 sites are on contigs without a gene: '2'",
    )
    # Window f begins at base 1, g at base 0, which is over the origin; r, downstream, ends 49 bases before base 20.
    ring = (("f", "chrI", 51, 60, "+", ""), ("g", "chrI", 50, 60, "+", ""), ("r", "chrI", 1, 20, "-", ""))
    scores = place_sites(placed_starts(*ring, is_circular=True), tmp_path / "sites.bed", upstream=50, downstream=50)
    assert scores.notes[-1] == "2 windows reach over the origin of a ring: sites at its other end are not counted"
    with pytest.raises(InputError, match="1 of 1 are not annotated: 'no'"):
        place_sites(placed_starts(*one), tmp_path / "sites.bed", genes=["no"])


def test_scores_are_written_and_read_back_with_the_same_bytes(tmp_path):
    window, motifs, _ = planted(n=24)
    window.table["genes"] = [f"{gene};{gene}b" for gene in window.table["gene"]]
    scores = scan_motifs(window, motifs, bin_width=40)
    scores.save(tmp_path / "a.npz")
    scores.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back = SiteScores.load(tmp_path / "a.npz")
    for field in dataclasses.fields(SiteScores):
        one, two = getattr(scores, field.name), getattr(back, field.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == two.dtype
            np.testing.assert_array_equal(one, two)
        else:
            assert one == two
    whole = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged, or no scores"):
        SiteScores.load(tmp_path / "cut.npz")
    with pytest.raises(InputError, match="no such file"):
        SiteScores.load(tmp_path / "none.npz")
    with np.load(tmp_path / "a.npz") as stored:
        arrays = dict(stored)
    np.savez_compressed(tmp_path / "new.npz", **{**arrays, "format": 99})
    with pytest.raises(InputError, match="version 99 of the format"):
        SiteScores.load(tmp_path / "new.npz")
    np.savez_compressed(tmp_path / "changed.npz", **{**arrays, "strength": arrays["strength"] + 1})
    with pytest.raises(InputError, match="damaged: its checksum"):
        SiteScores.load(tmp_path / "changed.npz")


def test_a_model_is_written_and_read_back_exactly(tmp_path):
    window, motifs, cases = planted(n=80)
    scores = scan_motifs(window, motifs, bin_width=30)
    model = fit_motif_sites(scores, cases, n_subsamples=4)
    model.write(tmp_path / "model")
    back = MotifSiteModel.read(tmp_path / "model")
    pd.testing.assert_frame_equal(model.motifs, back.motifs)
    pd.testing.assert_frame_equal(model.bins, back.bins)
    assert (model.held_out, model.provenance) == (back.held_out, back.provenance)
    pd.testing.assert_series_equal(model.predict(scores), back.predict(scores))
    back.write(tmp_path / "again")
    for file in (tmp_path / "model").iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()
    other = fit_motif_sites(scan_motifs(window, motifs[:5], bin_width=30), cases, n_subsamples=4)
    write_tsv(tmp_path / "again" / "motifs.tsv", other.motifs)
    with pytest.raises(InputError, match="are not of one model"):
        MotifSiteModel.read(tmp_path / "again")


def test_a_model_draws_its_selected_motifs():
    window, motifs, cases = planted(n=120)
    model = fit_motif_sites(scan_motifs(window, motifs, bin_width=30), cases, n_subsamples=10)
    chosen = model.motifs.loc[model.motifs["is_selected"], "motif"].tolist()
    ax = model.plot()
    assert chosen
    assert [tick.get_text() for tick in ax.get_yticklabels()] == chosen
    pyplot.close(ax.figure)


def test_several_responses_give_the_models_of_each():
    window, motifs, cases = planted(n=80)
    scores = scan_motifs(window, motifs, bin_width=30)
    table = pd.DataFrame({"member": [float(gene in cases) for gene in scores.genes]}, index=list(scores.genes))
    table["some"] = table["member"].where(np.arange(80) < 70)
    models = fit_motif_site_responses(scores, table, n_subsamples=4)
    assert list(models) == ["member", "some"]
    pd.testing.assert_frame_equal(models["member"].motifs, fit_motif_sites(scores, cases, n_subsamples=4).motifs)
    assert models["some"].provenance["n_promoters"] == 70
    with pytest.raises(InputError, match="column 'flat': response: 0 promoters of the smaller class"):
        fit_motif_site_responses(scores, table.assign(flat=1.0), n_subsamples=4)
    with pytest.raises(InputError, match="a response is there twice"):
        fit_motif_site_responses(scores, table.set_axis(["a", "a"], axis=1))
    with pytest.raises(InputError, match="a column for each response"):
        fit_motif_site_responses(scores, table[[]])


def test_an_operon_is_of_the_class_if_one_of_its_genes_is():
    window, motifs, cases = planted(n=80)
    window.table["genes"] = [f"{gene};{gene}b" for gene in window.table["gene"]]
    scores = scan_motifs(window, motifs, bin_width=30)
    plain = fit_motif_sites(scores, cases, n_subsamples=4)
    second = fit_motif_sites(scores, [f"{gene}b" for gene in cases], n_subsamples=4)
    pd.testing.assert_frame_equal(plain.motifs, second.motifs)


def test_the_interval_of_the_area_is_delongs():
    rng = np.random.default_rng(0)
    is_case = np.arange(60) < 20
    score = rng.standard_normal(60) + is_case
    area, low, high = auc_interval(score, is_case)
    assert area == pytest.approx(roc_auc_score(is_case, score), abs=1e-12)
    # The variance by its definition: placements of each case among the controls, and the other way round.
    of_cases = [(score[~is_case] < s).mean() for s in score[is_case]]
    of_controls = [(score[is_case] > s).mean() for s in score[~is_case]]
    se = np.sqrt(np.var(of_cases, ddof=1) / 20 + np.var(of_controls, ddof=1) / 40)
    assert (low, high) == pytest.approx((area - 1.959964 * se, area + 1.959964 * se), abs=1e-6)


@pytest.mark.parametrize(("upstream", "downstream", "width", "edges"), [
    (100, 50, 50, [-100, -50, 0, 50]), (90, 0, 40, [-90, -80, -40, 0]), (0, 30, 20, [0, 20, 30]),
    (5, 5, 50, [-5, 0, 5]),
])  # fmt: skip
def test_the_start_is_an_edge(upstream, downstream, width, edges):
    assert bin_edges(upstream, downstream, width).tolist() == edges


def test_what_cannot_be_scanned_or_fitted_is_refused():
    window, motifs, cases = planted(n=40)
    with pytest.raises(InputError, match="none given"):
        scan_motifs(window, [])
    with pytest.raises(InputError, match="'planted' are wider than the promoters of 8"):
        scan_motifs(promoters({"a": "ACGTACGT"}, 6, 2), motifs[:1])
    with pytest.raises(InputError, match="more than once"):
        scan_motifs(window, [motifs[0], motifs[0]])
    with pytest.raises(ConfigError, match="bin_width: 0"):
        scan_motifs(window, motifs, bin_width=0)
    with pytest.raises(InputError, match="none has the base C"):
        scan_motifs(promoters({"a": "AT" * 20}, 30, 10), motifs[:1])
    scores = scan_motifs(window, motifs, bin_width=30)
    with pytest.raises(InputError, match="0 of its 5 genes are among the promoters'"):
        fit_motif_sites(scores, list("abcde"))
    with pytest.raises(InputError, match="6 promoters of the smaller class"):
        fit_motif_sites(scores, cases[:6])
    with pytest.raises(InputError, match="two classes are 0 and 1"):
        fit_motif_sites(scores, {gene: 2.0 * (gene in cases) for gene in scores.genes})
    with pytest.raises(InputError, match="19 promoters have one"):
        fit_motif_sites(scores, dict.fromkeys(scores.genes[:19], 1.0))
    with pytest.raises(InputError, match="missing or not finite"):
        fit_motif_sites(scores, dict.fromkeys(scores.genes, np.nan))
    with pytest.raises(ConfigError, match="family"):
        fit_motif_sites(scores, cases, family="poisson")
    with pytest.raises(ConfigError, match="a list of genes is one of two classes"):
        fit_motif_sites(scores, cases, family="gaussian")
    model = fit_motif_sites(scores, cases, n_subsamples=4)
    with pytest.raises(InputError, match="other motifs or bins"):
        model.predict(scan_motifs(window, motifs, bin_width=20))


def test_windows_that_share_half_of_their_bases_are_one_unit():
    contig = ["a", "a", "a", "a", "b"]
    start = np.array([100, 150, 300, 351, 100])
    forward = np.ones(5, bool)
    # Windows of 100 bases: 100 and 150 share 50, 300 and 351 share 49.
    assert window_units(contig, start, forward, 80, 20).tolist() == [0, 0, 1, 2, 3]
    # Back to back: the window of a gene on the other strand reaches from its start on.
    both = window_units(["a", "a"], np.array([100, 70]), np.array([True, False]), 80, 20)
    assert both.tolist() == [0, 0]  # 20..119 and 51..150
    apart = window_units(["a", "a"], np.array([100, 91]), np.array([True, False]), 80, 20)
    assert apart.tolist() == [0, 1]  # 20..119 and 72..171
    same = window_units(contig, start, forward, 80, 20, ["x", "y", "z", "v", "y"])
    assert same.tolist() == [0, 0, 1, 2, 0]


def test_equal_promoters_stay_in_one_half_and_one_fold():
    unit = np.repeat(np.arange(15), 4)
    rng = np.random.default_rng(0)
    y = np.repeat(rng.permutation(np.arange(15) % 3 == 0), 4).astype(float)
    design = Design(rng.standard_normal((60, 2)), np.array([0, 1]), 2, y, True, unit)
    for pair in range(5):
        first, second = design.halves(pair, 0)
        assert not set(unit[first]) & set(unit[second])
        assert y[first].sum() == y[second].sum() == 8  # two of five cases each, of four promoters
    fold = folds_of(design, 0)
    assert all(len(set(fold[unit == k])) == 1 for k in range(15))
    # Noise: copies in both parts would be foretold.
    assert held_out_figures(held_out(design, 10, 0).score, design)["auc"] < 0.8


def test_ids_without_a_promoter_are_noted_in_one_pass_over_the_promoters():
    passes = []

    class Counted(tuple):
        def __iter__(self):
            passes.append(1)
            return super().__iter__()

    window, motifs, cases = planted(n=40)
    scores = scan_motifs(window, motifs, bin_width=40)
    response = {gene: gene in cases for gene in scores.genes} | {f"x{k}": False for k in range(100)}
    rows, y, notes = matched(dataclasses.replace(scores, genes=Counted(scores.genes)), response, "binomial")
    assert (len(rows), y.sum()) == (40, len(cases))
    assert notes == ["100 ids of the response have no promoter: 'x0', 'x1', 'x2', 'x3', 'x4' and 95 more"]
    assert len(passes) == 2  # for the rows and for the ids without one, however many these are
