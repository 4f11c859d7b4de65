"""What a config says of a comparison: which data sets are fitted together, and how."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from netinfer.sections import NAME_PATTERN, Count, Number, Section

__all__ = ["ComparisonConfig", "unknown_dataset"]


class ComparisonConfig(Section):
    """Undirected networks of several data sets, fitted together, and which edges they share, gain, lose or flip."""

    name: str = Field(pattern=NAME_PATTERN, description="Name of the results folder; no data set may have it.")
    datasets: list[str] = Field(
        min_length=2,
        description="Data sets of this config, or parts that `split_by` makes (`<name>_<value>`); the first is the "
        "reference.",
    )
    kind: Literal["group", "fused"] = Field(
        default="group",
        description="group: an edge tends to be in all conditions or in none, each with its own value; fused: to have "
        "one value in all.",
    )
    criterion: Literal["stars", "ebic"] = Field(
        default="stars", description="What chooses the penalty: agreement of subsamples, or the extended BIC."
    )
    penalty: Annotated[Number, Field(gt=0, le=1)] | None = Field(
        default=None, description="A penalty on the scale of correlations; null: `criterion` chooses it."
    )
    similarity: Annotated[Number, Field(ge=0, lt=1)] | None = Field(
        default=0.25,
        description="0 fits each condition on its own; the larger, the more they share; null: held-out samples choose.",
    )
    max_genes: Count = Field(
        default=500,
        ge=2,
        le=5_000,
        description="Genes of all conditions together, at most: regulators, then the most variable others.",
    )
    correlation: Literal["pearson", "spearman", "kendall", "normal_scores"] = Field(
        default="pearson", description="As in `precision`."
    )
    shrinkage: Literal["ledoit_wolf"] | Annotated[Number, Field(ge=0, lt=1)] = Field(
        default=0.0, description="Of the correlations towards the identity."
    )
    stars_threshold: Number = Field(
        default=0.05, gt=0, lt=0.5, description="StARS: largest mean chance that two subsamples disagree on a pair."
    )

    @model_validator(mode="after")
    def _possible(self) -> ComparisonConfig:
        if self.shrinkage == "ledoit_wolf" and self.correlation in ("spearman", "kendall"):
            raise PydanticCustomError(
                "order",
                "shrinkage ledoit_wolf has no formula for {method}: give a number",
                {"method": self.correlation},
            )
        twice = [name for name in self.datasets if self.datasets.count(name) > 1]
        if twice:
            raise PydanticCustomError(
                "twice", "{name} is compared with itself: name each data set once", {"name": twice[0]}
            )
        return self


def unknown_dataset(
    comparison: ComparisonConfig, known: Sequence[str], split: Iterable[str] = ()
) -> Mapping[str, str] | None:
    """Return what is said of the first name of a comparison that is no data set, None where all are.

    Parameters
    ----------
    comparison : ComparisonConfig
    known : sequence of str
        Names of the data sets that give one network.
    split : sequence of str
        Names of those that give one for each value of a column: their parts are ``<name>_<value>``.
    """
    for name in comparison.datasets:
        if name in known or any(name.startswith(f"{whole}_") for whole in split):
            continue
        if name in split:
            hint = f"it is split: name its parts, such as {name}_<value>"
        else:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join([*known, *split])}"
        return {"comparison": comparison.name, "name": name, "hint": hint}
    return None
