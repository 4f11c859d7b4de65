"""What a config says of the directed network: its regression, and where it is cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from netinfer.sections import Count, Number, Section

__all__ = ["CutConfig", "RegressionConfig"]


class RegressionConfig(Section):
    """Settings of the directed network: regularised regression with stability selection."""

    model: Literal["elastic_net", "lasso"] = Field(
        default="elastic_net", description="lasso is elastic_net without shrinkage."
    )
    shrinkage: Number = Field(
        default=0.5, ge=0, lt=1, description="s in (1-s) G + s I of the coefficients that rank; not used by the Lasso."
    )
    selection_shrinkage: Number = Field(
        default=0.0, ge=0, lt=1, description="The same of the path whose selections are counted; not used by the Lasso."
    )
    n_subsamples: Count = Field(
        default=100, ge=4, le=10_000, description="Half-samples, drawn as complementary pairs: even."
    )
    penalty_max: Number = Field(
        default=0.99, gt=0, le=1, description="Start of the path, in standard deviations of the target."
    )
    penalty_min: Number = Field(
        default=0.1, gt=0, lt=1, description="End of the path that the stability gate looks at."
    )
    n_penalties: Count = Field(
        default=25, ge=2, le=1000, description="Penalties on the path, evenly spaced in the logarithm."
    )
    ranking_penalty: Number = Field(
        default=0.05, gt=0, lt=1, description="Penalty of the coefficients that rank the edges."
    )
    rule: Literal["meinshausen_buhlmann", "shah_samworth", "shah_samworth_unimodal", "ipss_quadratic", "ipss_cubic"] = (
        Field(
            default="meinshausen_buhlmann",
            description="The published bound that turns selection counts into expected false edges; ipss_cubic holds "
            "no level in simulation.",
        )
    )
    threshold: Literal["auto"] | Annotated[Number, Field(gt=0.5, le=1)] = Field(
        default="auto",
        description="Selection probability that an edge needs, of the rules that have one; the path ends where the "
        "wished error allows. auto is 0.9, and 0.6 with more than 20 candidates for each unit of a half-sample.",
    )
    truncation: Literal["auto"] | Annotated[Number, Field(gt=0, lt=1)] = Field(
        default="auto",
        description="Where the path ends for the IPSS rules: the integral of the bound, a target; auto takes the first "
        "of 0.05, 0.01, 0.002 with a network at fdr 0.1.",
    )
    pooled: bool = Field(
        default=False,
        description="One bound over all pairs in place of the sum over targets: tighter, for exchangeable targets.",
    )
    decoys: bool = Field(
        default=False,
        description="Count selections once more with decoys in the place of the regulators: ties to targets by chance.",
    )
    resumable: bool = Field(
        default=True,
        description="Keep each chunk's running sums, so that more half-samples only add to them and a killed job goes "
        "on.",
    )

    @model_validator(mode="after")
    def _possible(self) -> RegressionConfig:
        if self.penalty_min >= self.penalty_max:
            raise PydanticCustomError("order", "penalty_min must be smaller than penalty_max")
        if self.n_subsamples % 2:
            raise PydanticCustomError("even", "n_subsamples must be even: half-samples come in complementary pairs")
        if self.truncation != "auto" and not self.rule.startswith("ipss"):
            raise PydanticCustomError(
                "truncation",
                "truncation belongs to the IPSS rules; the path of {rule} ends where the cut allows: leave it out",
                {"rule": self.rule},
            )
        if self.threshold != "auto" and self.rule.startswith("ipss"):
            raise PydanticCustomError(
                "threshold", "threshold does not belong to {rule}, which has none: leave it out", {"rule": self.rule}
            )
        return self


class CutConfig(Section):
    """Where the network is cut: exactly one of the three; `fdr: 0.1` when none is given."""

    fdr: Annotated[Number, Field(gt=0, lt=1)] | None = Field(
        default=None, description="Wished bound on the share of chance edges."
    )
    expected_false_edges: Annotated[Number, Field(gt=0)] | None = Field(
        default=None, description="Wished bound on the number of chance edges."
    )
    selection_probability: Annotated[Number, Field(gt=0.5, le=1)] | None = Field(
        default=None, description="Smallest selection probability of an edge."
    )

    @model_validator(mode="before")
    @classmethod
    def _default(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and all(value is None for value in data.values()):
            return {**data, "fdr": 0.1}
        return data

    @model_validator(mode="after")
    def _one(self) -> CutConfig:
        given = list(self.asked)
        if len(given) > 1:
            raise PydanticCustomError(
                "one_cut",
                "give exactly one of fdr, expected_false_edges, selection_probability, not {given}",
                {"given": " and ".join(given)},
            )
        return self

    @property
    def asked(self) -> dict[str, float]:
        """The wish itself, as `Network.threshold` takes it."""
        return self.model_dump(exclude_none=True)
