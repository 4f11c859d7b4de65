"""Plain advice, chosen by what was seen: a table of rules, most urgent first."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from netinfer.report.trust import FEW_DONORS, Facts, GoesWith

FEW_UNITS = 20
MANY_IN_OPERON = 0.10
MANY_NEAR = 0.20  # within three genes, where no operon is known
MANY_MISSING = 0.05
MUCH_IN_FACTORS = 0.50  # of the variance
N_LINES = 3
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_YAML_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


@dataclass(frozen=True)
class Rule:
    """When a sentence is said. The sentence marks code by backquotes."""

    name: str
    applies: Callable[[Facts], bool]
    sentence: Callable[[Facts], str]
    is_warning: bool = True


def advise(facts: Facts, n: int = N_LINES) -> list[Rule]:
    """Return the first rules that apply, most urgent first: warnings, then what to check by experiment.

    Parameters
    ----------
    facts : Facts
    n : int, default 3

    Returns
    -------
    list of Rule
    """
    return [rule for rule in RULES if rule.applies(facts)][:n]


def yaml_value(name: str) -> str:
    """Write a name as it must stand in the config: quoted where YAML would read it otherwise."""
    if _PLAIN.fullmatch(name) and name.lower() not in _YAML_WORDS:
        return name
    return json.dumps(name, ensure_ascii=False)


def _percent(share: float | None) -> str:
    if share is None:
        return "some"
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.2g} %"


def _some(names: list[str], n: int | None = None, most: int = 3) -> str:
    """Name the first of n."""
    n = len(names) if n is None else n
    more = f" and {n - most:,} more" if n > most else ""
    return ", ".join(names[:most]) + more


def _goes_with(facts: Facts, kind: str) -> GoesWith | None:
    """Return the column of this kind that most explains a leading component and was not dealt with."""
    return next((one for one in facts.goes_with if one.kind == kind and one.column != facts.center_by), None)


def _named(kind: str, advice: Callable[[str, str], str]) -> Rule:
    """Make the rule about a column of one kind that explains a leading component.

    `advice` takes the column's name and the list of covariates with it, both as they stand in the config.
    """

    def sentence(facts: Facts) -> str:
        one = _goes_with(facts, kind)
        if one is None:
            return ""
        covariates = ", ".join(map(yaml_value, (*(facts.covariates or ()), one.column)))
        return f"{_explains(one)} {advice(yaml_value(one.column), f'`covariates: [{covariates}]`')}"

    return Rule(kind, lambda facts: _goes_with(facts, kind) is not None, sentence)


def _is_raw(facts: Facts) -> bool:
    return facts.input_kind in ("counts", "other") and facts.normalization == "none"


def _raw(facts: Facts) -> str:
    what = "raw counts" if facts.input_kind == "counts" else "neither counts nor logs (TPM or intensities, perhaps)"
    return (
        f"The values look like {what} and were left as they are: samples with much RNA and a few extreme values then "
        "decide the edges. Set `normalize: auto` and run again."
    )


def _units(facts: Facts) -> str:
    taken = f", of which covariates and hidden factors take {facts.n_df}" if facts.n_df else ""
    return (
        f"There are only {facts.n_units} independent units{taken}, and each half-sample has half of them. "
        f"Read the list as ideas: single edges begin to be worth a test where {FEW_UNITS} units or more are left."
    )


def _block(facts: Facts) -> str:
    name, n = facts.block_columns[0]
    return (
        f"Each {facts.sample_word} counts as independent, but the column “{name}” has {n:,} values for "
        f"{facts.n_samples or 0:,} {facts.sample_word}s. If those that share a value are replicates, the number of "
        f"false edges is too small: set `block: {yaml_value(name)}` and run again."
    )


def _batch(_: str, covariates: str) -> str:
    return (
        f"If that is technical, set {covariates} and run again; if it is the biology you study, leave it. "
        "Where batch and condition coincide no analysis can tell them apart."
    )


def _depth(_: str, covariates: str) -> str:
    return f"Depth moves all genes at once and makes edges among them: set {covariates} and run again."


def _type(name: str, covariates: str) -> str:
    return (
        "Genes that mark the same cells then look like regulators of one another: set "
        f"{covariates} for one network within the types, or `split_by: {name}` for one network a type."
    )


def _explains(one: GoesWith) -> str:
    share = _percent(one.r2)
    return f"“{one.column}” explains {share} of component {one.component} of the expression and is no covariate."


def _first(facts: Facts) -> str:
    return (
        f"One component holds {_percent(facts.first_share)} of the variance and nothing was projected out. Find out "
        "what it is: a batch belongs into `covariates`, an unknown one is taken out by `hidden_factors: auto`, "
        "the biology you study is left."
    )


def _factors(facts: Facts) -> str:
    n = facts.hidden_factors or 0
    what = "factor takes" if n == 1 else "factors take"
    return (
        f"{n} hidden {what} {_percent(facts.hidden_share)} of the variance away, and regulators with many targets may "
        "go with them: run once with `hidden_factors: 0`; edges found in both runs are the safest."
    )


def _followed(facts: Facts) -> str:
    one = facts.factor_follows[0]
    return (
        f"Hidden factor {one.component}, which was projected out, follows the column “{one.column}”, which explains "
        f"{_percent(one.r2)} of it: what moves the genes with “{one.column}” went with it. If that is what you study, "
        "run with `hidden_factors: 0` or fewer; if it is a nuisance, name it as a covariate instead."
    )


def _one_donor(facts: Facts) -> str:
    return (
        "All cells come from one donor: no claim about the population. Repeat with cells of other donors "
        f"({FEW_DONORS} or more, to make the donors the independent units) before you generalise."
    )


def _few_donors(facts: Facts) -> str:
    return (
        f"The cells come from {facts.n_donors} donors, too few to be the independent units: what holds in these donors "
        f"may not hold in others. With {FEW_DONORS} donors or more netinfer draws half-samples over donors."
    )


def _unknown_donors(_: Facts) -> str:
    return (
        "No column names the donor of each cell, so all count as one donor's. If there are several, name the column "
        "(`cells: {donor_column: NAME}`); if not, make no claim about the population."
    )


def _donors(facts: Facts) -> str:
    return (
        f"The {facts.n_donors} donors are not the independent units, so nothing is claimed about the population: name "
        "their column under `block` to draw half-samples over them."
    )


def _operons(facts: Facts) -> str:
    share = (facts.neighbours or {}).get("same_operon")
    return (
        f"{_percent(share)} of the edges join genes of one operon, which are transcribed together and need no "
        "regulator between them: set `exclude_same_operon: true`, or read such an edge as “the operon”."
    )


def _near(facts: Facts) -> str:
    share = (facts.neighbours or {}).get("near")
    return (
        f"{_percent(share)} of the edges join genes that lie within three genes of one another, and many such pairs "
        "are transcribed together: give an `annotation` with operons to tell them apart."
    )


def _has_many_near(facts: Facts) -> bool:
    seen = facts.neighbours or {}
    return bool(seen) and not seen.get("knows_operons", True) and (seen.get("near") or 0) >= MANY_NEAR


def _outliers(facts: Facts) -> str:
    names = [str(row["sample"]) for row in facts.outliers]
    asked = ", ".join(yaml_value(name) for name in names[:3]) + (", …" if len(names) > 3 else "")
    return (
        f"{len(names)} {'sample stands' if len(names) == 1 else 'samples stand'} apart from all others "
        f"({_some(names)}). Look at them; run once without (`exclude_samples: [{asked}]`) and compare the networks."
    )


def _missing(facts: Facts) -> str:
    share = (facts.missing or {}).get("share")
    return (
        f"{_percent(share)} of the values were missing and filled in. Before you trust an edge, look whether its two "
        "genes were measured in most samples."
    )


def _not_met(facts: Facts) -> str:
    return (
        "No edge passed the cut, so what is listed has no error control: use it to choose what to measure next, "
        "and not as a network to cite. More independent units help most."
    )


def _regulators(facts: Facts) -> str:
    dropped = facts.filter or {}
    n = int(dropped.get("n_dropped_regulators", 0))
    names = _some(list(dropped.get("dropped_regulators", [])), n)
    return (
        f"{n:,} {'regulator was' if n == 1 else 'regulators were'} left out by the filter ({names}): "
        f"that {'it has' if n == 1 else 'they have'} no edge says nothing about {'it' if n == 1 else 'them'}."
    )


def _perturb(facts: Facts) -> str:
    return (
        f"Check by experiment first: take away or induce {facts.hub}, the regulator with most edges, and measure "
        f"{_some(list(facts.hub_targets))}; edges that are confounded do not answer."
    )


def _direction(facts: Facts) -> str:
    n = facts.n_undetermined
    return (
        f"{n:,} {'edge joins' if n == 1 else 'edges join'} two regulators, and the data do not say which comes first: "
        "perturb one of the two and measure the other, or sample over time."
    )


def _elsewhere(facts: Facts) -> str:
    return (
        "Run the same config on an independent data set of the same organism: edges found in both are the ones to "
        "build on."
    )


def _binding(facts: Facts) -> str:
    return (
        "An edge is no binding site: ChIP-seq, DAP-seq or a motif in the promoter tells whether the regulator acts "
        "directly."
    )


RULES: tuple[Rule, ...] = (
    Rule("unnormalised", _is_raw, _raw),
    Rule("few_units", lambda facts: facts.n_free_units is not None and facts.n_free_units < FEW_UNITS, _units),
    Rule("no_block", lambda facts: bool(facts.block_columns) and not facts.unit, _block),
    _named("batch", _batch),
    _named("type", _type),
    _named("depth", _depth),
    # Where a named column explains the first component, that advice is the more useful one.
    Rule(
        "first_component",
        lambda facts: (
            facts.asks_for_decision
            and not any(one.component == 1 for one in facts.goes_with if one.kind in ("batch", "type", "depth"))
        ),
        _first,
    ),
    Rule("factor_follows", lambda facts: bool(facts.factor_follows), _followed),
    Rule("factors", lambda facts: (facts.hidden_share or 0) >= MUCH_IN_FACTORS, _factors),
    Rule("one_donor", lambda facts: facts.n_donors == 1, _one_donor),
    Rule("few_donors", lambda facts: 1 < facts.n_donors < FEW_DONORS, _few_donors),
    Rule(
        "unknown_donors",
        lambda facts: facts.assay == "cells" and facts.n_donors == 0 and not facts.unit,
        _unknown_donors,
    ),
    Rule("donors", lambda facts: facts.n_donors >= FEW_DONORS and bool(facts.population_note), _donors),
    Rule("not_met", lambda facts: not facts.is_met, _not_met),
    Rule("operons", lambda facts: ((facts.neighbours or {}).get("same_operon") or 0) >= MANY_IN_OPERON, _operons),
    Rule("near", _has_many_near, _near),
    Rule("outliers", lambda facts: bool(facts.outliers), _outliers),
    Rule("missing", lambda facts: ((facts.missing or {}).get("share") or 0) >= MANY_MISSING, _missing),
    Rule("regulators", lambda facts: bool((facts.filter or {}).get("n_dropped_regulators")), _regulators),
    Rule("perturb", lambda facts: facts.is_met and bool(facts.hub), _perturb, is_warning=False),
    Rule("direction", lambda facts: facts.n_undetermined > 0, _direction, is_warning=False),
    Rule("elsewhere", lambda facts: True, _elsewhere, is_warning=False),
    Rule("binding", lambda facts: True, _binding, is_warning=False),
)
