"""What a config says of motif models: libraries of sequences with activities, and the promoters of a data set."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from netinfer.sections import NAME_PATTERN, Count, FilePath, Names, Number, Section

__all__ = ["LibraryConfig", "MotifConfig"]


class LibraryConfig(Section):
    """Aligned sequences with activities (mutants of a promoter, a reporter assay) and their model of positions."""

    name: str = Field(pattern=NAME_PATTERN, description="Name of the results folder; no data set may have it.")
    sequences: FilePath = Field(description="Table (csv, tsv, .gz) with a column of sequences, or FASTA.")
    activities: FilePath | None = Field(
        default=None, description="Beside FASTA: table whose first column, or `id`, has the ids of the sequences."
    )
    sequence: str = Field(default="sequence", min_length=1, description="Column of the sequences in a table.")
    activity: Names = Field(description="Column of the activity, or several.")
    several: Literal["replicates", "responses"] = Field(
        default="replicates",
        description="Several columns of activity are replicates (their mean is modelled), or responses with a model "
        "each.",
    )
    id: str | None = Field(default=None, min_length=1, description="Column of the ids.")
    weight: str | None = Field(default=None, min_length=1, description="Column of counts behind each activity.")
    split: str | None = Field(default=None, min_length=1, description="Column that says which sequences are kept out.")
    test: str = Field(default="test", min_length=1, description="Its value for those kept out, for the final figures.")
    family: Literal["gaussian", "binomial"] = Field(default="gaussian", description="Numbers, or one of two classes.")
    positive: str | None = Field(
        default=None, min_length=1, description="The class whose odds are modelled; null: the later word."
    )
    coding: Literal["reference", "zero_sum"] = Field(
        default="reference", description="Coefficients against the reference base, or the mean of the bases."
    )
    reference: str | None = Field(
        default=None, min_length=1, description="Wild type; null: the commonest base of each position."
    )
    model: Literal["lasso", "group_lasso"] = Field(
        default="lasso", description="What predicts: bases one by one, or whole positions."
    )
    penalty: Literal["one_se", "best"] | Annotated[Number, Field(gt=0)] = Field(
        default="one_se", description="Of the model that predicts: few coefficients, the smallest error, or a number."
    )
    pairs: Literal["selected", "model"] | list[Count] | None = Field(
        default=None, description="Positions among which interactions are fitted; null: none."
    )
    ambiguous: Literal["drop", "reference"] = Field(
        default="drop", description="Sequences with ambiguous letters: left out, or read as the reference."
    )
    align: Literal["left", "right"] | None = Field(
        default=None, description="The end from which sequences of unequal length are cut; null refuses them."
    )
    first: Count = Field(default=0, ge=-1_000_000, le=1_000_000, description="Number of the first position.")
    n_subsamples: Count = Field(default=100, ge=4, le=10_000, description="Half-samples, an even number.")
    rule: Literal["meinshausen_buhlmann", "shah_samworth", "shah_samworth_unimodal"] = Field(
        default="shah_samworth", description="Bound on the positions selected by chance."
    )
    threshold: Number = Field(default=0.9, gt=0.5, le=1, description="Selection probability that a position needs.")
    fdr: Annotated[Number, Field(gt=0, lt=1)] | None = Field(
        default=None, description="Wished share of positions by chance; 0.1 where neither this nor the next is given."
    )
    expected_false_positions: Annotated[Number, Field(gt=0)] | None = Field(
        default=None, description="Wished number of positions by chance."
    )
    gap: Count = Field(default=1, ge=0, le=100, description="Other positions between two of one footprint, at most.")
    footprint_share: Number = Field(
        default=0.25, ge=0, le=1, description="Weight, against the largest, that a footprint's position needs."
    )
    motifs: FilePath | None = Field(
        default=None, description="Motif file (MEME, JASPAR, TRANSFAC) that footprints are compared with."
    )

    @model_validator(mode="after")
    def _possible(self) -> LibraryConfig:
        if self.fdr is not None and self.expected_false_positions is not None:
            raise PydanticCustomError("one_cut", "give fdr or expected_false_positions, not both")
        if self.n_subsamples % 2:
            raise PydanticCustomError("even", "n_subsamples must be even: half-samples come in complementary pairs")
        if self.family == "binomial" and len(self.activity) > 1:
            raise PydanticCustomError("order", "family binomial takes one column of activity")
        if self.positive is not None and self.family != "binomial":
            raise PydanticCustomError("order", "positive is for family binomial: leave it out")
        if self.pairs is not None and self.family != "gaussian":
            raise PydanticCustomError("order", "pairs need family gaussian")
        return self

    @property
    def files(self) -> dict[str, str]:
        """Every file that it names, by its key."""
        named = {key: getattr(self, key) for key in ("sequences", "activities", "motifs")}
        return {key: path for key, path in named.items() if path is not None}

    @property
    def fitting(self) -> dict[str, Any]:
        """What `netinfer.fit_motif_positions` takes of it."""
        keys = (
            "family", "positive", "coding", "reference", "model", "penalty", "pairs", "ambiguous", "align", "first",
            "n_subsamples", "rule", "threshold", "fdr", "expected_false_positions", "gap", "footprint_share",
        )  # fmt: skip
        return {key: getattr(self, key) for key in keys}


class MotifConfig(Section):
    """Known motifs in the promoters of a data set's genes: links to the network, and models of responses."""

    genome: FilePath | None = Field(default=None, description="FASTA of the genome, beside `motifs`.")
    motifs: FilePath | None = Field(default=None, description="Motif file: MEME, JASPAR or TRANSFAC.")
    sites: FilePath | None = Field(
        default=None, description="BED of motif sites (name in the fourth column), in place of genome and motifs."
    )
    starts: FilePath | None = Field(
        default=None,
        description="Starts of genes or transcripts: GFF, BED or a table; null: `annotation`.",
    )
    upstream: Count = Field(default=400, ge=0, le=100_000, description="Bases before the start.")
    downstream: Count = Field(default=50, ge=0, le=100_000, description="Bases from the start on.")
    bin_width: Count = Field(default=50, ge=1, le=100_000, description="Bases of a bin of distance.")
    first_of_operon: bool = Field(
        default=True, description="One promoter for the genes of an operon: that of the first."
    )
    min_targets: Count = Field(
        default=8, ge=8, le=100_000, description="Promoters of targets that a regulator needs for a model."
    )
    motif_of: FilePath | None = Field(
        default=None, description="Table of regulator and motif, where names do not tell which motif is whose."
    )
    responses: FilePath | None = Field(
        default=None, description="Table of genes x responses (conditions, modules, clusters): a model for each column."
    )
    positions: bool = Field(
        default=False, description="Of the responses, models of single positions beside those of motifs; needs genome."
    )
    n_subsamples: Count = Field(default=100, ge=4, le=10_000, description="Half-samples of promoters, an even number.")
    threshold: Number = Field(default=0.9, gt=0.5, le=1, description="Selection probability that a motif needs.")
    expected_false_motifs: Number = Field(
        default=1.0, gt=0, description="Wished bound on motifs by chance, in each model."
    )

    @model_validator(mode="after")
    def _possible(self) -> MotifConfig:
        if self.sites is not None and (self.genome is not None or self.motifs is not None):
            raise PydanticCustomError("order", "sites stand in place of genome and motifs: give one or the other")
        if self.sites is None and (self.genome is None or self.motifs is None):
            raise PydanticCustomError("order", "give genome and motifs, or sites")
        if self.positions and (self.genome is None or self.responses is None):
            raise PydanticCustomError("order", "positions needs genome and responses")
        if self.n_subsamples % 2:
            raise PydanticCustomError("even", "n_subsamples must be even: half-samples come in complementary pairs")
        if self.upstream + self.downstream < 1:
            raise PydanticCustomError("order", "upstream and downstream are both 0: the window is empty")
        return self

    @property
    def files(self) -> dict[str, str]:
        """Every file that it names, by its key."""
        named = {key: getattr(self, key) for key in ("genome", "motifs", "sites", "starts", "motif_of", "responses")}
        return {f"motif.{key}": path for key, path in named.items() if path is not None}
