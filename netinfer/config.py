"""The one definition of a netinfer config: what its keys are, what they may be, what they are when not given.

The JSON schema that Snakemake validates (`workflow/schemas/config.schema.yaml`) is written from these models by
``python -m netinfer.config``, and a test fails when the two differ. Reading YAML stands in `netinfer.yamlfile`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from netinfer.comparisons import ComparisonConfig, unknown_dataset
from netinfer.datasets import (
    CellsConfig,
    DatasetConfig,
    FilterConfig,
    IngestConfig,
    PhenotypeConfig,
    PrecisionConfig,
    PreparationConfig,
    SensitivityConfig,
    is_regulator_name,
)
from netinfer.errors import ConfigError
from netinfer.mistakes import as_section, explain
from netinfer.motif_config import LibraryConfig, MotifConfig
from netinfer.network_config import CutConfig, RegressionConfig
from netinfer.sections import Count, FilePath, Section
from netinfer.yamlfile import merge, read_sheet, read_yaml

__all__ = [
    "CellsConfig",
    "ComparisonConfig",
    "Config",
    "CutConfig",
    "DatasetConfig",
    "ExportsConfig",
    "FilterConfig",
    "IngestConfig",
    "LibraryConfig",
    "MotifConfig",
    "PhenotypeConfig",
    "PrecisionConfig",
    "PreparationConfig",
    "RegressionConfig",
    "SensitivityConfig",
    "as_section",
    "is_regulator_name",
    "json_schema",
    "load_config",
    "parse_config",
]

# A name that Windows keeps for devices makes a results folder that cannot be copied there.
_DEVICE_NAMES = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)
_NUMBER_TEXT = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"


class ExportsConfig(Section):
    """What is written beside the whole network."""

    top_edges: Count = Field(default=500, ge=1, le=1_000_000, description="Edges of network_top.graphml.")


def _take_name(kind: str, name: str, taken: dict[str, str]) -> None:
    """Refuse a name of a results folder that something else has, or that Windows keeps; else take it."""
    if _DEVICE_NAMES.match(name):
        raise PydanticCustomError(
            "name", "the {kind} name {name} is kept by Windows for a device", {"kind": kind, "name": name}
        )
    if other := taken.get(name.casefold()):
        raise PydanticCustomError(
            "twin",
            "{kind} {name} has the name of another {other} (upper and lower case apart): rename one",
            {"kind": kind, "name": name, "other": other},
        )
    taken[name.casefold()] = kind


def _refuse_inside(name: str, files: Mapping[str, str], results: str) -> None:
    """Refuse input files in the folder that the run writes."""
    # realpath, unlike Path.resolve, has an answer for a link that leads to itself
    home = Path(os.path.realpath(Path(results, name)))
    for key, file in files.items():
        if Path(os.path.realpath(file)).is_relative_to(home):
            raise PydanticCustomError(
                "inside",
                "{key} of {name} lies in its results folder, which the run writes: move the file",
                {"key": key, "name": name},
            )


class Config(Section):
    """A netinfer project."""

    results: FilePath = Field(
        default="results", description="Folder of the results, relative to the working directory."
    )
    seed: Count = Field(default=0, ge=0, lt=2**63, description="Seed of every draw.")
    chunks: Count = Field(
        default=8, ge=1, le=10_000, description="Jobs into which the targets of a data set are scattered."
    )
    datasets: list[DatasetConfig] = Field(
        default=[], description="The data sets, or the path of a tsv/csv sheet; may be left out beside `motif`."
    )
    regression: RegressionConfig = Field(default=RegressionConfig(), description="Regression and stability selection.")
    cut: CutConfig = Field(default=CutConfig(fdr=0.1), description="The wished error: exactly one key.")
    exports: ExportsConfig = Field(default=ExportsConfig(), description="Files beside the whole network.")
    comparisons: list[ComparisonConfig] = Field(
        default=[], description="Data sets whose undirected networks are fitted together and compared."
    )
    motif: list[LibraryConfig] = Field(
        default=[], description="Libraries of sequences with activities, each with its model of positions."
    )

    @model_validator(mode="after")
    def _comparable(self) -> Config:
        taken = {dataset.name.casefold(): "data set" for dataset in self.datasets}
        whole = [dataset.name for dataset in self.datasets if dataset.split_by is None]
        split = [dataset.name for dataset in self.datasets if dataset.split_by is not None]
        for comparison in self.comparisons:
            _take_name("comparison", comparison.name, taken)
            if said := unknown_dataset(comparison, whole, split):
                raise PydanticCustomError("name", "comparison {comparison}: {name} is no data set: {hint}", dict(said))
        for library in self.motif:
            _take_name("library", library.name, taken)
            _refuse_inside(library.name, library.files, self.results)
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        seen: dict[str, str] = {}
        for dataset in self.datasets:
            by_error = dataset.precision is not None and dataset.precision.criterion == "error"
            if by_error and self.cut.selection_probability is not None:
                raise PydanticCustomError(
                    "inside",
                    "precision of {name}: criterion error needs a cut by fdr or expected_false_edges, not by "
                    "selection_probability",
                    {"name": dataset.name},
                )
            if _DEVICE_NAMES.match(dataset.name):
                raise PydanticCustomError(
                    "name", "the data set name {name} is kept by Windows for a device", {"name": dataset.name}
                )
            twin = seen.setdefault(dataset.name.casefold(), dataset.name)
            if twin is not dataset.name:
                raise PydanticCustomError(
                    "twin", "two data sets are called {name} (upper and lower case apart)", {"name": dataset.name}
                )
            _refuse_inside(dataset.name, dataset.files, self.results)
        if not self.datasets and not self.motif:
            raise PydanticCustomError(
                "nothing", "datasets: none is given: name one, or a library of sequences as `motif`"
            )
        return self

    def dataset(self, name: str) -> DatasetConfig:
        """Give the data set of that name."""
        for dataset in self.datasets:
            if dataset.name == name:
                return dataset
        raise ConfigError(f"datasets: no data set is called {name!r}")

    def settings(self, name: str) -> dict[str, Any]:
        """Give everything that decides the results of one data set, as plain values."""
        dump = self.model_dump(mode="json", exclude={"datasets", "results", "chunks", "comparisons", "motif"})
        return {**dump, "dataset": self.dataset(name).model_dump(mode="json")}

    def library_settings(self, name: str) -> dict[str, Any]:
        """Give everything that decides the results of one library of sequences, as plain values."""
        for library in self.motif:
            if library.name == name:
                return {"seed": self.seed, "library": library.model_dump(mode="json")}
        raise ConfigError(f"motif: no library is called {name!r}")


def settings_hash(settings: Mapping[str, Any]) -> str:
    """Hash settings given as plain values; the order of the keys does not matter."""
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def load_config(paths: str | Path | Iterable[str | Path]) -> Config:
    """Read config files and check them, later files merged over earlier ones.

    Parameters
    ----------
    paths : path or list of paths
        YAML files. Mappings are united, except `cut`; lists, single values and `cut` are replaced.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        One line for each thing that is wrong, each with file, key path and what to do.
    """
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(p) for p in paths]
    raw: dict[str, Any] = {}
    documents = []
    for file in files:
        documents.append((str(file), read_yaml(file)))
        raw = merge(raw, documents[-1][1])
    return parse_config(raw, documents)


def parse_config(raw: Mapping[str, Any], documents: Iterable[tuple[str, Mapping[str, Any]]] = ()) -> Config:
    """Check a config that is already a mapping.

    Parameters
    ----------
    raw : mapping
        The merged config, as Snakemake holds it.
    documents : list of (file name, mapping), optional
        The files that it came from, to name the right one in a message.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        As `load_config`.
    """
    documents = list(documents)
    values = dict(raw)
    values.pop("pathvars", None)  # Snakemake's own key
    if "cut" in values:
        values["cut"] = _last_cut(values["cut"], [document["cut"] for _, document in documents if "cut" in document])
    sheet = values.get("datasets")
    if isinstance(sheet, str):
        values["datasets"] = read_sheet(Path(sheet))
        documents.append((sheet, {"datasets": values["datasets"]}))
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = explain(error.errors(include_url=False), values, documents, _known_keys)
        raise ConfigError("\n".join(lines)) from None


def _last_cut(merged: Any, given: Sequence[Any]) -> Any:
    """Undo the union of the files' `cut`: it holds one wish, so that a later one replaces an earlier one as a whole.

    What no file gave (Snakemake's ``--config cut=...``) is later than every file.
    """
    if not given or not all(isinstance(cut, Mapping) for cut in (merged, *given)):
        return merged
    united: dict[str, Any] = {}
    for cut in given:
        united.update(cut)
    later = {key: value for key, value in merged.items() if key not in united or united[key] != value}
    return later or dict(given[-1])


_SECTIONS: dict[str, type[BaseModel]] = {
    "regression": RegressionConfig,
    "cut": CutConfig,
    "exports": ExportsConfig,
    "filter": FilterConfig,
    "cells": CellsConfig,
    "phenotype": PhenotypeConfig,
    "precision": PrecisionConfig,
    "sensitivity": SensitivityConfig,
}


def _known_keys(loc: Sequence[Any]) -> list[str]:
    """List the keys that are known at a place."""
    model: type[BaseModel] = Config
    for part in loc:
        if part == "datasets" and model is Config:
            model = DatasetConfig
        elif part == "comparisons":
            model = ComparisonConfig
        elif part == "motif":
            model = LibraryConfig if model is Config else MotifConfig
        elif isinstance(part, str):
            model = _SECTIONS.get(part, model)
    return list(model.model_fields)


def json_schema() -> dict[str, Any]:
    """Give the JSON schema (draft 2020-12) that Snakemake checks a config with."""
    schema = Config.model_json_schema(mode="validation")
    datasets = schema["properties"]["datasets"]
    description = datasets.pop("description")
    schema["properties"]["datasets"] = {"description": description, "anyOf": [datasets, {"type": "string"}]}
    # Snakemake fills defaults in before it looks at the type, and a section may be null.
    for section in ("PhenotypeConfig", "PrecisionConfig", "SensitivityConfig", "MotifConfig"):
        for key in schema["$defs"][section]["properties"].values():
            key.pop("default", None)
    schema["properties"]["pathvars"] = {"type": "object", "description": "Snakemake's own path variables."}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_numbers_as_text(schema)}


def _numbers_as_text(node: Any) -> Any:
    """Let text that is a number pass where a number is asked for (YAML 1.1 reads `1e-3` as text)."""
    if isinstance(node, list):
        return [_numbers_as_text(item) for item in node]
    if not isinstance(node, dict):
        return node
    # Bounds on a number that may be null come out of pydantic under pydantic's own names.
    renamed = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
    own = node.get("anyOf", [{}])[0] if set(node) & set(renamed) else node
    node = {renamed.get(key, key): _numbers_as_text(value) for key, value in {**node, **own}.items()}
    if node.get("type") in ("number", "integer"):
        bounds = {k: node.pop(k) for k in list(node) if k == "type" or "inimum" in k or "aximum" in k}
        return {**node, "anyOf": [bounds, {"type": "string", "pattern": _NUMBER_TEXT}]}
    return node


def schema_text() -> str:
    """Give the text of `workflow/schemas/config.schema.yaml`."""
    import yaml

    head = "# Written by `python -m netinfer.config`; change netinfer/config.py instead.\n"
    return head + yaml.safe_dump(json_schema(), sort_keys=False, allow_unicode=True, width=110)


def write_schema(path: str | Path) -> None:
    """Write the schema file."""
    Path(path).write_text(schema_text(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    import sys

    write_schema(sys.argv[1] if len(sys.argv) > 1 else "workflow/schemas/config.schema.yaml")
