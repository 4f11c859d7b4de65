"""Each rule of the advice: what makes it speak, what keeps it silent, and that there are always three lines."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from netinfer.report.advice import N_LINES, RULES, advise, yaml_value
from netinfer.report.trust import Facts, GoesWith, kind_of

COMPONENTS = {"columns": ["batch"], "rows": [{"share": 0.35, "r2": [0.1]}], "after": None, "removed": None}
# A bulk data set with nothing to blame: 100 units named by a column, a small first component, log values.
FINE = Facts(
    n_units=100,
    n_samples=200,
    unit="donor",
    assay="bulk",
    covariates=(),
    hidden_factors=0,
    input_kind="log",
    normalization="none",
    components={**COMPONENTS, "rows": [{"share": 0.1, "r2": [0.1]}]},
    n_edges=500,
    n_undetermined=12,
    hub="crp",
    hub_targets=("araA", "lacZ"),
)


def names(facts: Facts, n: int = len(RULES)) -> list[str]:
    return [rule.name for rule in advise(facts, n)]


def said(facts: Facts, name: str) -> str:
    return next(rule.sentence(facts) for rule in advise(facts, len(RULES)) if rule.name == name)


def test_nothing_wrong_gives_what_to_check_by_experiment():
    chosen = advise(FINE)
    assert [rule.name for rule in chosen] == ["perturb", "direction", "elsewhere"]
    assert not any(rule.is_warning for rule in chosen)
    assert "take away or induce crp" in chosen[0].sentence(FINE)
    assert "araA, lacZ" in chosen[0].sentence(FINE)
    assert chosen[1].sentence(FINE).startswith("12 edges join two regulators")


# What is seen, the rule that speaks, and words that its sentence must hold.
SEEN = [
    ({"input_kind": "counts"}, "unnormalised", ["raw counts", "`normalize: auto`"]),
    ({"input_kind": "other"}, "unnormalised", ["TPM"]),
    ({"n_units": 19}, "few_units", ["only 19 independent units, and each half-sample"]),
    ({"n_units": 25, "n_df": 6}, "few_units", ["25 independent units, of which covariates and hidden factors take 6"]),
    (
        {"unit": "", "block_columns": (("replicate_group", 60),)},
        "no_block",
        ["“replicate_group” has 60 values for 200 samples", "`block: replicate_group`"],
    ),
    (
        {"goes_with": (GoesWith(2, "seq run", 0.62, "batch"),)},
        "batch",
        ["“seq run” explains 62 % of component 2", '`covariates: ["seq run"]`', "Where batch and condition coincide"],
    ),
    (
        {"goes_with": (GoesWith(1, "cell_type", 0.9, "type"),)},
        "type",
        ["`covariates: [cell_type]`", "`split_by: cell_type`"],
    ),
    ({"goes_with": (GoesWith(1, "log_depth", 0.9, "depth"),)}, "depth", ["`covariates: [log_depth]`", "Depth"]),
    ({"components": COMPONENTS}, "first_component", ["35 % of the variance", "`hidden_factors: auto`"]),
    (
        {"hidden_factors": 20, "hidden_share": 0.5},
        "factors",
        ["20 hidden factors take 50 % of the variance", "`hidden_factors: 0`"],
    ),
    (
        {"hidden_factors": 2, "factor_follows": (GoesWith(2, "condition", 0.82, ""),)},
        "factor_follows",
        ["Hidden factor 2", "“condition”, which explains 82 % of it", "`hidden_factors: 0` or fewer"],
    ),
    ({"assay": "cells", "n_donors": 1}, "one_donor", ["one donor: no claim about the population"]),
    ({"assay": "cells", "n_donors": 11}, "few_donors", ["11 donors, too few"]),
    ({"assay": "cells", "unit": ""}, "unknown_donors", ["`cells: {donor_column: NAME}`"]),
    (
        {"assay": "cells", "n_donors": 12, "population_note": "12 donors, which are not the independent units"},
        "donors",
        ["The 12 donors are not the independent units", "`block`"],
    ),
    ({"is_met": False}, "not_met", ["no error control"]),
    ({"neighbours": {"same_operon": 0.1}}, "operons", ["10 % of the edges", "`exclude_same_operon: true`"]),
    (
        {"neighbours": {"knows_operons": False, "near": 0.2}},
        "near",
        ["20 % of the edges join genes that lie within three genes"],
    ),
    (
        {"outliers": ({"sample": "s1"}, {"sample": "a b"})},
        "outliers",
        ["2 samples stand apart", '`exclude_samples: [s1, "a b"]`'],
    ),
    ({"missing": {"n": 10, "share": 0.05}}, "missing", ["5 % of the values were missing"]),
    (
        {"filter": {"n_dropped_regulators": 50, "dropped_regulators": ["a", "b", "c", "d"]}},
        "regulators",
        ["50 regulators were left out", "a, b, c and 47 more"],
    ),
]


@pytest.mark.parametrize(("change", "name", "words"), SEEN, ids=[f"{row[1]}-{i}" for i, row in enumerate(SEEN)])
def test_a_rule_speaks_when_its_reason_is_seen(change, name, words):
    assert name not in names(FINE)
    facts = replace(FINE, **change)
    assert name == names(facts)[0]  # nothing else is wrong, so it is the first to speak
    for word in words:
        assert word in said(facts, name), word


# One step short of the reason, or the reason dealt with.
NOT_SEEN = [
    ({"input_kind": "counts", "normalization": "cpm_log1p"}, "unnormalised"),
    ({"n_units": 20}, "few_units"),
    ({"n_units": None}, "few_units"),
    ({"block_columns": (("donor", 60),)}, "no_block"),  # a block is given
    ({"goes_with": (GoesWith(1, "batch", 0.9, "batch"),), "center_by": "batch"}, "batch"),
    ({"goes_with": (GoesWith(1, "strain", 0.9, ""),)}, "batch"),
    ({"components": COMPONENTS, "covariates": ("sex",)}, "first_component"),
    ({"components": COMPONENTS, "hidden_factors": 3}, "first_component"),
    ({"components": COMPONENTS, "center_by": "batch"}, "first_component"),
    ({"components": COMPONENTS, "goes_with": (GoesWith(1, "batch", 0.9, "batch"),)}, "first_component"),
    ({"components": {**COMPONENTS, "rows": [{"share": 0.2, "r2": [0.0]}]}}, "first_component"),
    ({"components": None}, "first_component"),
    ({"n_units": 26, "n_df": 6}, "few_units"),
    ({"hidden_factors": 2, "hidden_share": 0.49}, "factors"),
    ({"hidden_factors": 2, "hidden_share": None}, "factors"),
    ({"n_donors": 0}, "one_donor"),
    ({"assay": "cells", "n_donors": 0, "unit": "patient"}, "unknown_donors"),
    ({"assay": "bulk", "unit": ""}, "unknown_donors"),
    ({"n_donors": 12}, "donors"),
    ({"is_met": False}, "perturb"),
    ({"n_donors": 12}, "few_donors"),
    ({"neighbours": {"same_operon": 0.09}}, "operons"),
    ({"neighbours": {"same_operon": None}}, "operons"),
    ({"neighbours": {"knows_operons": True, "near": 0.5, "same_operon": 0.0}}, "near"),
    ({"neighbours": {"knows_operons": False, "near": 0.19}}, "near"),
    ({"missing": {"n": 10, "share": 0.049}}, "missing"),
    ({"missing": {"n": 10, "share": None}}, "missing"),
    ({"filter": {"n_dropped_regulators": 0}}, "regulators"),
    ({"n_undetermined": 0}, "direction"),
    ({"hub": ""}, "perturb"),
]


@pytest.mark.parametrize(("change", "name"), NOT_SEEN)
def test_a_rule_is_silent_without_its_reason(change, name):
    assert name not in names(replace(FINE, **change))


def test_covariates_that_are_there_stay_in_the_advised_list():
    facts = replace(FINE, covariates=("cell_type", "a b"), goes_with=(GoesWith(1, "batch", 0.5, "batch"),))
    assert '`covariates: [cell_type, "a b", batch]`' in said(facts, "batch")


def test_every_rule_is_tested():
    fillers = {"perturb", "direction", "elsewhere", "binding"}
    assert {row[1] for row in SEEN} | fillers == {rule.name for rule in RULES}
    assert len(RULES) == len({rule.name for rule in RULES})


def test_the_documentation_lists_every_rule_in_its_order():
    page = (Path(__file__).parents[2] / "docs" / "trust.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, flags=re.MULTILINE) == [rule.name for rule in RULES]


def test_the_most_urgent_come_first_and_warnings_before_experiments():
    everything = replace(
        FINE,
        input_kind="counts",
        n_units=9,
        unit="",
        block_columns=(("donor", 8),),
        goes_with=(GoesWith(1, "batch", 0.9, "batch"),),
        is_met=False,
    )
    assert names(everything, N_LINES) == ["unnormalised", "few_units", "no_block"]
    order = [rule.is_warning for rule in RULES]
    assert order == sorted(order, reverse=True)


def test_there_are_three_lines_even_where_nothing_is_known():
    # Without an edge the cut is not met; without anything else known that leaves the experiments.
    assert len(advise(Facts(is_met=False))) == N_LINES
    assert names(Facts(is_met=False), N_LINES) == ["not_met", "elsewhere", "binding"]


@pytest.mark.parametrize(
    ("name", "written"),
    [("batch", "batch"), ("a b", '"a b"'), ("no", '"no"'), ("1", '"1"'), ('x"]', '"x\\"]"'), ("a: b", '"a: b"')],
)
def test_names_are_quoted_where_yaml_would_read_them_otherwise(name, written):
    yaml = pytest.importorskip("yaml")
    assert yaml_value(name) == written
    assert yaml.safe_load(f"[{written}]") == [name]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("log_depth", "depth"), ("library_size", "depth"), ("nCount_RNA", "depth"), ("total_counts", "depth"),
        ("batch", "batch"), ("seqRun", "batch"), ("plate2", "batch"), ("Batch.ID", "batch"), ("project", "batch"),
        ("cell_type", "type"), ("CellType", "type"), ("leiden", "type"),
        ("replicate_group", "block"), ("donor_id", "block"), ("patientID", "block"), ("mouse", "block"),
        ("strain", ""), ("report", ""), ("medium", ""),
    ],
)  # fmt: skip
def test_the_name_of_a_column_tells_what_it_stands_for(column, kind):
    assert kind_of(column) == kind
