"""Windows of a genome as sequences of a position model: coordinates, operons, classes, ids that do not match."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from netinfer.errors import InputError
from netinfer.io.promoters import Promoters, cut_promoters
from netinfer.io.sequences import as_sequences
from netinfer.models.motif import fit_motif_positions, fit_motif_responses

COMPLEMENT = str.maketrans("ACGT", "TGCA")
ELEMENT, AT = "TATAAT", range(-12, -6)
UPSTREAM, DOWNSTREAM, N_GENES, SPACING = 30, 10, 240, 60


def genome(seed: int = 0) -> tuple[dict[str, str], pd.DataFrame, np.ndarray]:
    """One contig with a gene every 60 bases, on either strand; every second one has the element at -12 to -7."""
    rng = np.random.default_rng(seed)
    letters = rng.choice(list("ACGT"), SPACING * (N_GENES + 2))
    has_element = np.arange(N_GENES) % 2 == 0
    rows = []
    for g in range(N_GENES):
        start, strand = SPACING * (g + 1), "+" if g % 4 < 2 else "-"  # of the window's middle, from 0
        if has_element[g] and strand == "+":
            letters[start - 12 : start - 6] = list(ELEMENT)
        elif has_element[g]:
            letters[start + 7 : start + 13] = list(ELEMENT.translate(COMPLEMENT)[::-1])
        first, last = (start + 1, start + 9) if strand == "+" else (start - 7, start + 1)
        rows.append((f"g{g:03}", "c", first, last, strand, ""))
    columns = ["gene", "contig", "start", "end", "strand", "operon"]
    return {"c": "".join(letters)}, pd.DataFrame(rows, columns=columns).set_index("gene"), has_element


@pytest.fixture(scope="module")
def cut() -> tuple[Promoters, pd.Series]:
    contigs, starts, has_element = genome()
    promoters = cut_promoters(contigs, starts, upstream=UPSTREAM, downstream=DOWNSTREAM)
    noise = 0.5 * np.random.default_rng(1).standard_normal(N_GENES)
    return promoters, pd.Series(has_element + noise, index=starts.index, name="expression")


def test_an_element_at_a_fixed_place_is_found_at_its_coordinates(cut):
    promoters, activity = cut
    shuffled = activity.sample(frac=1.0, random_state=0)
    model = fit_motif_positions(promoters, shuffled, n_subsamples=20, expected_false_positions=1.0)
    at_cut = set(model.positions.loc[model.positions["is_selected"], "position"])
    # The six bases come together and stand for one another, so that half of them are enough to explain the activity.
    assert len(at_cut & set(AT)) >= 2
    assert len(at_cut - set(AT)) <= 1  # asked for: one expected false position at most
    strongest = model.positions.drop_duplicates("position").nlargest(6, "weight")["position"]
    assert set(strongest) == set(AT)
    main = model.footprints.loc[model.footprints["weight"].idxmax()]
    assert AT[0] <= main["start"] <= main["end"] <= AT[-1]
    assert main["consensus"] == ELEMENT[main["start"] - AT[0] : main["end"] - AT[0] + 1]
    assert model.record["first"] == -UPSTREAM
    np.testing.assert_array_equal(model.predict(promoters), model.predict(promoters.sequences))


def test_windows_are_the_same_sequences_with_ids_and_coordinates(cut):
    promoters, activity = cut
    read = as_sequences(promoters)
    assert read.ids == tuple(promoters.sequences)
    assert (read.first, read.n_positions) == (-30, 40)
    np.testing.assert_array_equal(read.codes, as_sequences(promoters.sequences).codes)
    settings = {"n_subsamples": 4, "penalty": 0.1}
    plain = fit_motif_positions(promoters.sequences, activity, first=-30, **settings)
    of_windows = fit_motif_positions(promoters, activity, **settings)
    pd.testing.assert_frame_equal(of_windows.positions, plain.positions, check_exact=True)
    assert fit_motif_positions(promoters, activity, first=1, **settings).positions["position"].min() == 1
    table = pd.DataFrame({"rich": activity, "poor": -activity})
    both = fit_motif_responses(promoters, table, **settings)
    assert [model.record["first"] for model in both.values()] == [-30, -30]


def test_genes_without_activity_or_window_are_left_out_and_said(cut):
    promoters, activity = cut
    partly = pd.concat([activity.iloc[20:], pd.Series(1.0, index=["x1", "x2"])])
    model = fit_motif_positions(promoters, partly, n_subsamples=4)
    assert (model.record["n_sequences"], model.record["n_dropped"]) == (N_GENES - 20, 20)
    assert any("2 ids of the activity have no promoter of their own: 'x1', 'x2'" in n for n in model.record["notes"])
    assert any("20 sequences have no activity" in note for note in model.record["notes"])
    with pytest.raises(InputError, match=r"4 of its 6 ids are promoters; it has .*'x1'"):
        fit_motif_positions(promoters, pd.concat([activity.iloc[:4], partly.iloc[-2:]]))
    with pytest.raises(InputError, match=r"ids stand there more than once .'g000'.: one row a gene"):
        fit_motif_positions(promoters, pd.concat([activity, activity.iloc[:1]]))


def test_an_operon_has_its_first_gene_s_activity_and_the_class_of_any_of_its_genes(cut):
    promoters, activity = cut
    table = promoters.table.assign(genes=[f"{gene};{gene}b" for gene in promoters.table["gene"]])
    operons = Promoters(promoters.sequences, table, UPSTREAM, DOWNSTREAM, ())
    more = pd.concat([activity, (-activity).set_axis(activity.index + "b")])
    settings = {"n_subsamples": 4, "penalty": 0.1}
    one = fit_motif_positions(operons, more, **settings)
    np.testing.assert_array_equal(one.coef, fit_motif_positions(promoters, activity, **settings).coef)
    assert any("240 ids of the activity have no promoter of their own" in note for note in one.record["notes"])
    genes = [f"{gene}b" for gene in activity.index[::2]]
    of_class = fit_motif_positions(operons, genes, family="binomial", n_subsamples=10)
    assert of_class.record["classes"] == ["False", "True"]
    values = pd.Series(np.arange(N_GENES) % 2 == 0, index=activity.index)
    by_value = fit_motif_positions(operons, values, family="binomial", n_subsamples=10)
    np.testing.assert_array_equal(of_class.coef, by_value.coef)
    # The class has the element in all, the others by chance in 4^-6 of them.
    assert set(of_class.positions.loc[of_class.positions["is_selected"], "position"]) <= set(AT)
    assert of_class.positions["is_selected"].any()
    with pytest.raises(InputError, match=r"activity: 0 of its 5 genes are among the promoters'.*'a'.*'g000'"):
        fit_motif_positions(operons, list("abcde"), family="binomial")


def test_windows_over_the_end_of_a_contig_are_ambiguous(cut):
    contigs, starts, _ = genome()
    edge = pd.DataFrame([["c", 5, 9, "+", ""]], index=["edge"], columns=starts.columns)
    promoters = cut_promoters(contigs, pd.concat([edge, starts]), upstream=UPSTREAM, downstream=DOWNSTREAM)
    activity = pd.concat([pd.Series({"edge": 9.0}), cut[1]])
    dropped = fit_motif_positions(promoters, activity, n_subsamples=4)
    assert (dropped.record["n_sequences"], dropped.record["n_dropped"]) == (N_GENES, 1)
    assert any("filled up with N" in note for note in dropped.record["notes"])
    np.testing.assert_array_equal(dropped.coef, fit_motif_positions(*cut, n_subsamples=4).coef)
    kept = fit_motif_positions(promoters, activity, n_subsamples=4, ambiguous="reference")
    assert kept.record["n_sequences"] == N_GENES + 1
