"""What a config says of one data set: how it is read, how samples and genes are made ready, what belongs to it.

The other sections, and the reading of a config, stand in `netinfer.config`, which is where to import these from.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from netinfer.motif_config import MotifConfig
from netinfer.sections import NAME_PATTERN, Count, FilePath, Names, Number, Section, one_or_more

__all__ = [
    "CellsConfig",
    "DatasetConfig",
    "FilterConfig",
    "IngestConfig",
    "PhenotypeConfig",
    "PrecisionConfig",
    "PreparationConfig",
    "SensitivityConfig",
    "is_regulator_name",
]

# A value of `regulators` without slash and dot is `all` or the name of a shipped list; `./name` is a file.
_REGULATOR_NAME = re.compile(r"[A-Za-z0-9_-]+")


def is_regulator_name(value: str) -> bool:
    """Tell whether a value of `regulators` is `all` or the name of a shipped list, not a path.

    Examples
    --------
    >>> is_regulator_name("human"), is_regulator_name("./human"), is_regulator_name("tfs.txt")
    (True, False, False)
    """
    return _REGULATOR_NAME.fullmatch(value) is not None


class IngestConfig(Section):
    """How one data set is read and cleaned."""

    orientation: Literal["auto", "samples_x_genes", "genes_x_samples"] = Field(
        default="auto",
        description="auto checks against the regulator list and refuses; the others say what the file is.",
    )
    layer: str | None = Field(default=None, description="h5ad/loom: the layer to read, or `raw`; null reads X.")
    gene_column: str | None = Field(
        default=None, description="h5ad/loom/10x: the column with gene ids; null takes the index."
    )
    encoding: str = Field(default="utf-8", description="Text encoding of csv and tsv files.")
    strip_version: bool = Field(default=False, description="Cut `.12` from gene ids such as ENSG00000141510.12.")
    impute: Literal["median", "mean", "nearest"] | None = Field(
        default=None,
        description="Missing values: null makes them an error; else the gene's median or mean, or the nearest samples.",
    )
    duplicates: Literal["error", "sum", "mean", "first"] = Field(
        default="error", description="A gene id that stands twice."
    )
    exclude_samples: Names = Field(default=[], description="Ids of samples to leave out.")
    subset: dict[str, Annotated[list[str | int | float | bool], BeforeValidator(lambda v: one_or_more(v))]] = Field(
        default={}, description="Samples to keep: a column of the samples and its values."
    )


class FilterConfig(Section):
    """Which genes carry too little expression to be worth a model."""

    genes: Literal["auto", "none"] = Field(
        default="auto", description="auto filters by what the values are; none keeps every gene that varies."
    )
    min_cpm: Number = Field(default=1.0, ge=0, description="Bulk counts: counts per million that count as expressed.")
    min_samples: Count = Field(default=10, ge=0, description="Bulk counts: expressed in at least so many samples,")
    min_share: Number = Field(default=0.1, ge=0, le=1, description="and in at least this share of them.")
    min_cells: Count = Field(default=50, ge=0, description="Single cells: detected in at least so many cells,")
    min_cell_share: Number = Field(default=0.02, ge=0, le=1, description="and in at least this share of them.")
    min_relative_sd: Number = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Log values: a standard deviation of at least this share of the genes' median one.",
    )


class CellsConfig(Section):
    """How single cells become samples."""

    type_column: str | None = Field(
        default=None, description="Column with the cell type; null finds `cell_type` and its usual names."
    )
    donor_column: str | None = Field(
        default=None, description="Column with the donor; null finds `donor` and its usual names."
    )
    aggregate: Literal["auto", "none", "metacells", "pseudobulk"] = Field(
        default="auto",
        description="auto: cells in donor blocks with 12 donors or more, else metacells of one type and donor.",
    )
    metacell_size: Count = Field(default=30, ge=20, le=50, description="Cells of a metacell, about.")
    min_cells: Count = Field(default=20, ge=1, description="Cell types with fewer cells are left out, and listed.")


class PhenotypeConfig(Section):
    """A trait of the samples whose genes are to be selected."""

    column: str = Field(min_length=1, description="Column of the samples with the trait.")
    family: Literal["gaussian", "binomial"] = Field(
        default="gaussian",
        description="gaussian for a number; binomial for one of two classes (logistic regression, odds ratios).",
    )
    positive: str | None = Field(
        default=None,
        min_length=1,
        description="The class whose odds are modelled; null: the larger number, else the later word of the alphabet.",
    )
    covariates: Names | None = Field(
        default=None,
        description="Columns projected out of trait and genes (binomial: fitted unpenalised); null: the data set's.",
    )
    max_genes: Count = Field(
        default=5000, ge=10, le=20_000, description="Genes considered: the most variable ones, if there are more."
    )


class SensitivityConfig(Section):
    """Other choices under which the network is inferred again, to see which edges survive."""

    normalizations: Annotated[
        list[Literal["auto", "cpm_log1p", "size_factors_log", "quantile", "rank", "none"]],
        BeforeValidator(one_or_more),
    ] = Field(default=[], description="Other methods of `normalize`.")
    leave_out: str | None = Field(
        default=None, min_length=1, description="Column of the samples (a batch) whose groups are left out one by one."
    )
    regulators: Annotated[list[FilePath], BeforeValidator(one_or_more)] = Field(
        default=[], description="Other lists of regulators: files, names of shipped lists, or `all`."
    )
    n_subsamples: Annotated[Count, Field(ge=4, le=10_000)] | None = Field(
        default=None, description="Half-samples of each variant, an even number; null: as many as the network's."
    )

    @model_validator(mode="after")
    def _something(self) -> SensitivityConfig:
        if not self.normalizations and self.leave_out is None and not self.regulators:
            raise PydanticCustomError("nothing", "nothing to vary: give normalizations, leave_out or regulators")
        if self.n_subsamples is not None and self.n_subsamples % 2:
            raise PydanticCustomError("even", "n_subsamples must be even: half-samples come in complementary pairs")
        return self

    @property
    def files(self) -> dict[str, str]:
        """The lists of regulators that are files, by their keys."""
        numbered = enumerate(self.regulators, start=1)
        return {f"sensitivity.regulators.{i}": one for i, one in numbered if not is_regulator_name(one)}


class PrecisionConfig(Section):
    """The undirected network: which genes go together given all the others."""

    method: Literal["graphical_lasso", "nodewise"] = Field(
        default="graphical_lasso",
        description="Graphical Lasso, or nodewise: the Lasso of each gene on all the others, for many genes.",
    )
    combine: Literal["and", "or"] | None = Field(
        default=None,
        description="nodewise: a pair is tied where both genes select each other (and, the default) or one.",
    )
    criterion: Literal["stars", "ebic", "cv", "error"] = Field(
        default="stars",
        description="What chooses the penalty: agreement of subsamples, extended BIC, held-out likelihood; error cuts "
        "by `cut`.",
    )
    penalty: Annotated[Number, Field(gt=0, le=1)] | None = Field(
        default=None, description="A penalty on the scale of correlations; null: `criterion` chooses it."
    )
    max_genes: Count = Field(
        default=2000, ge=2, le=20_000, description="Genes included at most: regulators, then the most variable others."
    )
    correlation: Literal["pearson", "spearman", "kendall", "normal_scores"] = Field(
        default="pearson", description="Pearson; Spearman or Kendall turned into latent correlations; normal scores."
    )
    shrinkage: Literal["ledoit_wolf"] | Annotated[Number, Field(ge=0, lt=1)] = Field(
        default=0.0, description="Of the correlations towards the identity."
    )
    stars_threshold: Number = Field(
        default=0.05, gt=0, lt=0.5, description="StARS: largest mean chance that two subsamples disagree on a pair."
    )

    @model_validator(mode="after")
    def _possible(self) -> PrecisionConfig:
        if self.shrinkage == "ledoit_wolf" and self.correlation in ("spearman", "kendall"):
            raise PydanticCustomError(
                "order",
                "shrinkage ledoit_wolf has no formula for {method}: give a number",
                {"method": self.correlation},
            )
        if self.combine is not None and self.method != "nodewise":
            raise PydanticCustomError("order", "combine is for method nodewise: leave it out")
        if self.criterion == "cv" and self.method == "nodewise":
            raise PydanticCustomError(
                "order",
                "criterion cv is not for method nodewise, which has no likelihood to hold out: use stars or ebic",
            )
        return self


class PreparationConfig(Section):
    """How samples and genes of one data set are made ready for the regression."""

    assay: Literal["auto", "bulk", "cells"] = Field(
        default="auto", description="Whether a sample is a bulk sample or a cell; auto tells them apart and says so."
    )
    block: str | None = Field(
        default=None, description="Column that names the independent unit; `sample` makes each sample one."
    )
    strata: str | None = Field(
        default=None,
        description="Column, the same within each unit, whose classes each half-sample holds in the same proportion.",
    )
    covariates: Names | None = Field(
        default=None,
        description="Columns projected out of regulators and targets; null: none for bulk samples; for cells the type, "
        "the log depth, and the donor where it is not the unit.",
    )
    hidden_factors: Literal["auto"] | Annotated[Count, Field(ge=0, le=200)] = Field(
        default=0, description="Leading components projected out likewise; auto chooses their number."
    )
    normalize: Literal["auto", "cpm_log1p", "size_factors_log", "quantile", "rank", "none"] = Field(
        default="auto", description="auto tells counts, log values and z-scores apart and says what it saw."
    )
    center_by: str | None = Field(
        default=None, description="Sheet column within whose groups genes are centred (a batch)."
    )
    filter: FilterConfig = Field(default=FilterConfig(), description="Genes that are left out.")
    cells: CellsConfig = Field(default=CellsConfig(), description="How single cells become samples.")

    @model_validator(mode="after")
    def _centred_once(self) -> PreparationConfig:
        if self.center_by is not None and self.center_by in (self.covariates or ()):
            raise PydanticCustomError(
                "twice", "{name} stands in center_by and in covariates: keep it in covariates", {"name": self.center_by}
            )
        return self


class DatasetConfig(PreparationConfig, IngestConfig):
    """One expression matrix and what belongs to it."""

    name: str = Field(pattern=NAME_PATTERN, description="Name of the data set and of its folder under results/.")
    expression: FilePath = Field(description="Expression matrix: csv, tsv (.gz), h5ad, loom, parquet or a 10x folder.")
    regulators: FilePath = Field(
        description="File with one regulator a line, the name of a shipped list (`human`), or `all`."
    )
    samples: FilePath | None = Field(default=None, description="Sample sheet, joined by sample id.")
    gold: FilePath | None = Field(
        default=None, description="Gold standard: regulator, target and, if it is complete, 0/1."
    )
    split_by: str | None = Field(
        default=None, description="Column with one network for each of its values (a cell type, a condition)."
    )
    annotation: FilePath | None = Field(
        default=None, description="Places of the genes: GFF, or a table with contig, start, end, strand, operon."
    )
    exclude_same_operon: bool = Field(
        default=False, description="Leave out pairs of genes of one operon; needs an annotation."
    )
    phenotype: PhenotypeConfig | None = Field(default=None, description="A trait whose genes are to be selected.")
    precision: PrecisionConfig | None = Field(
        default=None, description="An undirected network beside the directed one; {} takes its defaults."
    )
    sensitivity: SensitivityConfig | None = Field(
        default=None, description="Other choices under which the network is inferred again."
    )
    motif: MotifConfig | None = Field(
        default=None, description="Known motifs in the promoters of the genes, and their links to the network."
    )

    @model_validator(mode="after")
    def _together(self) -> DatasetConfig:
        if self.motif is not None and self.motif.starts is None and self.annotation is None:
            raise PydanticCustomError("order", "motif needs the starts of genes: give `annotation`, or `starts` in it")
        if self.exclude_same_operon and self.annotation is None:
            raise PydanticCustomError("operon", "exclude_same_operon needs an annotation: give `annotation`")
        if self.sensitivity is not None and self.normalize in self.sensitivity.normalizations:
            raise PydanticCustomError(
                "own",
                "{method} in sensitivity is the data set's own `normalize`: take it out",
                {"method": self.normalize},
            )
        return self

    @property
    def ingest(self) -> IngestConfig:
        """The part that `netinfer.preprocess.ingest` takes."""
        return IngestConfig(**{key: getattr(self, key) for key in IngestConfig.model_fields})

    @property
    def preparation(self) -> PreparationConfig:
        """The part that `netinfer.stages.prepare_dataset` takes."""
        return PreparationConfig(**{key: getattr(self, key) for key in PreparationConfig.model_fields})

    @property
    def files(self) -> dict[str, str]:
        """Every file of the data set that the config names, by its key."""
        keys = ["expression", "samples", "gold", "annotation"]
        if not is_regulator_name(self.regulators):
            keys.insert(1, "regulators")
        found = {key: getattr(self, key) for key in keys if getattr(self, key) is not None}
        for part in (self.sensitivity, self.motif):
            found |= {} if part is None else part.files
        return found
