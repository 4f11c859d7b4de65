"""The columns of the tables of a motif-position model; ``docs/formats.md`` repeats them, and a test compares."""

from __future__ import annotations

from typing import Any

import pandas as pd

from netinfer.io.columns import Column, conform

POSITIONS = (
    Column("position", "int", "", "number of the position, the first one as `first` says"),
    Column("base", "string", "", "base; U for T where the sequences are RNA"),
    Column("is_reference", "boolean", "", "whether it is the reference base, or the commonest where none was given"),
    Column("n_sequences", "int", "", "sequences that have the base"),
    Column("coef", "float", "activity (log odds of the class)", "coefficient of the model that predicts; often 0"),
    Column(
        "effect", "float", "activity (log odds of the class)",
        "coefficient among the positions selected on one half of the sequences, estimated on the other; median", True,
    ),
    Column("effect_low", "float", "as effect", "lower end of the 95 % interval", True),
    Column("effect_high", "float", "as effect", "upper end of the 95 % interval", True),
    Column("base_selection_probability", "float", "", "share of half-samples whose Lasso selects the base"),
    Column("weight", "float", "activity", "standard deviation of what the position adds, mean over half-samples"),
    Column("selection_probability", "float", "", "share of half-samples whose group Lasso selects the position"),
    Column(
        "expected_false_positions", "float", "positions",
        "expected false positions at the cut that ends at this one", True,
    ),
    Column("q_value", "float", "", "smallest expected share of false positions of a cut that includes it", True),
    Column("rank", "int", "", "rank of the position"),
    Column("is_selected", "boolean", "", "whether the position is at the cut"),
)  # fmt: skip
MATCHES = (
    Column(
        "best_match", "string", "",
        "motif with the smallest `match_e` among those that were given, however large that is; empty where none was "
        "given, or none could lie over the footprint", True,
    ),
    Column("match_label", "string", "", "its second name in the file, such as that of the factor", True),
    Column("match_start", "int", "", "first position of its site", True),
    Column("match_end", "int", "", "last position of its site, inside", True),
    Column("match_strand", "string", "", "`+`: the motif reads along the sequence; `-`: against it", True),
    Column(
        "match_score", "float", "bits",
        "log odds of the site against the bases of the sequences: the footprint's best bases where the model has an "
        "effect, the reference elsewhere", True,
    ),
    Column("match_inside", "float", "bits", "what the footprint's own positions give of that score", True),
    Column(
        "match_e", "float", "sites",
        "sites of that score or a better one that chance would give over this footprint: p-value times places, strands "
        "and motifs tried", True,
    ),
)  # fmt: skip
FOOTPRINTS = (
    Column("footprint", "int", "", "number, from the first position on"),
    Column("start", "int", "", "first position"),
    Column("end", "int", "", "last position, inside"),
    Column("length", "int", "bases", "positions from start to end"),
    Column("n_positions", "int", "", "positions that are selected and strong"),
    Column("consensus", "string", "", "bases of the highest activity"),
    Column("word", "string", "", "reference bases"),
    Column("weight", "float", "activity", "root of the sum of squares of the positions' weights"),
    Column("peak", "int", "", "position of the largest weight"),
    Column("expected_false_positions", "float", "positions", "largest of its positions", True),
    *MATCHES,
)
PREDICTIONS = (
    Column("id", "string", "", "id of the sequence; its number from 0 where none was given"),
    Column("activity", "float", "activity", "as given; two classes: 1 for the one whose odds are modelled, or 0"),
    Column(
        "prediction", "float", "activity",
        "by a fit that never saw the sequence: that without its fold, or for `test` the model itself; two classes: the "
        "probability. The penalty, and which positions are paired, were chosen on all sequences but those of the test",
    ),
    Column("split", "string", "", "`fold 1` to `fold 10`: the fold that was left out; `test`: kept out of everything"),
    Column("weight", "float", "", "weight of the sequence in the fit and in held-out figures; 1 where none was given"),
)  # fmt: skip
PAIRS = (
    Column("position_1", "int", "", "first position"),
    Column("position_2", "int", "", "second position"),
    Column("distance", "int", "bases", "from the first to the second"),
    Column("weight", "float", "activity", "standard deviation of what the pair adds to single bases, mean"),
    Column("selection_probability", "float", "", "share of half-samples that select the pair"),
    Column("expected_false_pairs", "float", "pairs", "expected false pairs at the cut that ends here", True),
    Column("q_value", "float", "", "smallest expected share of false pairs of a cut that includes it", True),
    Column("is_selected", "boolean", "", "whether the pair is at the cut"),
)
TERMS = (
    Column("position_1", "int", "", "first position"),
    Column("base_1", "string", "", "its base"),
    Column("position_2", "int", "", "second position"),
    Column("base_2", "string", "", "its base"),
    Column(
        "coef", "float", "activity", "what the two bases add where they are together, beside their own coefficients"
    ),
)


def unmatched(footprints: pd.DataFrame) -> pd.DataFrame:
    """Return footprints with the columns of a match, all of them empty."""
    empty: dict[str, Any] = {"string": "", "int": pd.NA, "float": float("nan")}
    columns = {
        c.name: pd.Series([empty[c.kind]] * len(footprints), dtype="Int64" if c.kind == "int" else None)
        for c in MATCHES
    }
    return conform(footprints.assign(**columns), FOOTPRINTS, where="footprints")


def no_predictions() -> pd.DataFrame:
    """Return the table of predictions without a row."""
    kinds = {"string": object, "float": float}
    return pd.DataFrame({c.name: pd.Series([], dtype=kinds[c.kind]) for c in PREDICTIONS})
