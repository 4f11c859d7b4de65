"""Look at data sets before any long work: can they be read, do their files fit together, what is in them."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.config import Config, DatasetConfig
from netinfer.errors import ConfigError, InputError, NetinferError
from netinfer.io.files import atomic_write
from netinfer.manifest import hash_inputs
from netinfer.network.cut import asked_cut
from netinfer.stages import prepare_dataset, read_dataset, variant_preparation

if TYPE_CHECKING:
    import anndata

__all__ = ["check_config", "inspect", "write_summary"]

logger = logging.getLogger(__name__)
_REPLICATES = "if some samples are replicates of one condition, donor or culture, name the column as `block`"


def inspect(
    dataset: DatasetConfig, cut: Mapping[str, float] | None = None, keep: dict[str, anndata.AnnData] | None = None
) -> dict[str, Any]:
    """Read one data set as the workflow would and say what was seen.

    Parameters
    ----------
    dataset : DatasetConfig
    cut : mapping, optional
        The wished error, to see whether so many candidate edges can hold it.
    keep : dict, optional
        Gets the samples and genes of the data set under its name, without values.

    Returns
    -------
    dict
        Plain values: counts, the unit of independence, the overlap with the gold standard, the reader's log, and the
        hash of every input file.

    Raises
    ------
    InputError
        If the data cannot be used as they are.
    ConfigError
        If the data do not allow the cut.
    """
    from netinfer.models import phenotype, precision, regression, sensitivity
    from netinfer.models.regression.wide import size_note

    if dataset.split_by is not None:
        raise ConfigError(f"{dataset.name}: split_by: one data set for each value is inspected: see expand_splits")
    for key, file in dataset.files.items():
        _exists(key, Path(file))
    adata = read_dataset(dataset.expression, dataset.regulators, samples=dataset.samples, settings=dataset.ingest)
    # How many factors `auto` takes is found by the run: permutations are work.
    quick = dataset.preparation.model_copy(update={"hidden_factors": 0} if dataset.hidden_factors == "auto" else {})
    variants: list[sensitivity.Variant] = []
    if dataset.sensitivity is not None:
        variants = sensitivity.configured_variants(adata.obs, dataset.sensitivity, where=dataset.name)
        sensitivity.check_variants(adata, variants, variant_preparation(quick))
    adata = prepare_dataset(adata, quick)
    notes = adata.uns["netinfer"]
    if keep is not None:
        keep[dataset.name] = _without_values(adata)
    problem = regression.prepare(adata)
    if cut is not None:
        asked_cut(cut, {"n_pairs": problem.n_pairs})
    graph_note = precision.size_note(adata, dataset.precision) if dataset.precision is not None else ""
    trait = phenotype.check_phenotype(adata, dataset.phenotype, block=dataset.block) if dataset.phenotype else None
    motif_notes: list[str] = []
    if dataset.motif is not None:
        from netinfer.models.motif_sites.configured import check_motif
        from netinfer.network.places import gene_ids

        motif_notes = check_motif(dataset.motif, dataset.annotation, gene_ids(adata))
    return {
        "name": dataset.name,
        "n_samples": int(adata.n_obs),
        "n_genes": int(adata.n_vars),
        "n_regulators": int(adata.var["is_regulator"].sum()),
        "n_dropped_genes": len(notes["dropped_genes"]),
        "n_dropped_samples": len(notes["dropped_samples"]),
        "input_kind": str(notes["input_kind"]),
        "normalization": str(notes["normalization"]),
        "n_units": int(problem.n_units),
        "unit": problem.unit_column,
        "strata": problem.strata_column,
        "units_by_stratum": [] if problem.strata is None else np.bincount(problem.strata).tolist(),
        "assay": str(notes["design"]["assay"]),
        "population_note": str(notes["design"]["population_note"]),
        "covariates": list(problem.covariate_names),
        "hidden_factors": dataset.hidden_factors,
        "phenotype": trait,
        "sensitivity": [variant.name for variant in variants],
        "gold": _gold(dataset.gold, adata) if dataset.gold is not None else None,
        "annotation": _annotation(dataset, adata) if dataset.annotation is not None else None,
        "log": [*map(str, notes["log"]), *filter(None, [size_note(problem), graph_note]), *motif_notes],
        "sha256": hash_inputs(dataset.files),
    }


def _without_values(adata: anndata.AnnData) -> anndata.AnnData:
    import anndata

    return anndata.AnnData(obs=adata.obs, var=adata.var, uns={"netinfer": adata.uns["netinfer"]})


def _compare(
    config: Config, kept: Mapping[str, anndata.AnnData], summaries: Sequence[dict[str, Any]]
) -> Iterator[tuple[str, NetinferError]]:
    """Yield the errors of comparisons whose data sets can be used; what is to be said goes to the reference's log."""
    from netinfer.models.comparison import comparison_note

    of = {summary["name"]: summary for summary in summaries}
    for comparison in config.comparisons:
        if not set(comparison.datasets) <= set(kept):
            continue  # said already
        try:
            note = comparison_note({name: kept[name] for name in comparison.datasets}, comparison)
            of[comparison.datasets[0]]["log"].append(note)
        except NetinferError as error:
            yield comparison.name, error


def _libraries(config: Config) -> Iterator[dict[str, Any] | tuple[str, NetinferError]]:
    """Yield what each library of sequences holds, or what is wrong with it."""
    from netinfer.models.motif.configured import check_library

    for library in config.motif:
        try:
            for key, file in library.files.items():
                _exists(key, Path(file))
            yield {"name": library.name, "lines": check_library(library)}
        except NetinferError as error:
            yield library.name, error


def _exists(key: str, path: Path) -> None:
    """Refuse what cannot be read before anything opens it: a FIFO or a device would be waited for."""
    try:
        is_there = path.exists()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}: correct `{key}` in the config") from None
    if not is_there:
        link = " (a link that leads nowhere)" if path.is_symlink() else ""
        base = "" if path.is_absolute() else f" (relative to {Path.cwd()})"
        raise InputError(f"{path}: no such file{link}{base}: correct `{key}` in the config")
    if path.is_dir() and key != "expression":
        raise InputError(f"{path}: is a folder: give a file as `{key}`")
    if not path.is_dir() and not path.is_file():
        raise InputError(f"{path}: is not a regular file: give a file as `{key}`")


def _annotation(dataset: DatasetConfig, adata: anndata.AnnData) -> str:
    """Find the genes in the annotation and say in one sentence how."""
    from netinfer.io import read_annotation
    from netinfer.network.places import gene_ids, locate

    annotation = read_annotation(str(dataset.annotation))
    try:
        return locate(annotation, gene_ids(adata), need_operons=dataset.exclude_same_operon).sentence
    except InputError as error:
        raise InputError(f"{dataset.annotation}: {error}") from None


def _gold(path: str, adata: anndata.AnnData) -> dict[str, int]:
    from netinfer.io import read_gold
    from netinfer.scoring import in_keys
    from netinfer.scoring.universe import no_edge_inside

    gold = in_keys(read_gold(path), adata)
    genes, regulators = set(adata.var_names), set(adata.var_names[adata.var["is_regulator"]])
    inside = gold["source"].isin(regulators) & gold["target"].isin(genes)
    if not bool((inside & gold["is_edge"]).any()):
        raise InputError(f"{path}: {no_edge_inside(int(gold['is_edge'].sum()), list(dict.fromkeys(gold['source'])))}")
    unknown = (set(gold["source"]) | set(gold["target"])) - genes
    return {
        "n_pairs": len(gold),
        "n_edges": int(gold["is_edge"].sum()),
        "n_edges_inside": int((inside & gold["is_edge"]).sum()),
        "n_unknown_genes": len(unknown),
    }


def write_summary(path: str | Path, summary: dict[str, Any]) -> None:
    """Write what `inspect` saw."""
    with atomic_write(path) as file:
        json.dump(summary, file, indent=1, sort_keys=True, ensure_ascii=False)
        file.write("\n")


def check_config(config: Config) -> tuple[list[dict[str, Any]], list[tuple[str, NetinferError]]]:
    """Inspect every data set and every library of sequences of a config.

    Parameters
    ----------
    config : Config

    Returns
    -------
    summaries : list of dict
        Of the data sets that can be used.
    problems : list of (name of a data set, comparison or library, error)
        One for each that cannot.
    """
    summaries: list[dict[str, Any]] = []
    problems: list[tuple[str, NetinferError]] = []
    kept: dict[str, anndata.AnnData] = {}
    compared = {name for comparison in config.comparisons for name in comparison.datasets}
    for dataset in config.datasets:
        warned: list[str] = []
        try:
            with _warnings_collected(warned):
                summary = inspect(dataset, config.cut.asked, kept if dataset.name in compared else None)
            summaries.append({**summary, "warnings": warned})
        except NetinferError as error:
            problems.append((dataset.name, error))
        for text in dict.fromkeys(warned):
            logger.warning("warning: %s: %s", dataset.name, text)
    problems += _compare(config, kept, summaries)
    for found in _libraries(config):
        if isinstance(found, tuple):
            problems.append(found)
        else:
            summaries.append(found)
    return summaries, problems


class _Collector(logging.Handler):
    """Keep warnings; the rest is in the summary, and is handed on only when debugging."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self._texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            self._texts.append(record.getMessage())
        elif logging.getLogger().isEnabledFor(logging.DEBUG):
            logging.getLogger().handle(record)


@contextmanager
def _warnings_collected(texts: list[str]) -> Iterator[None]:
    """Collect what netinfer warns of, by logging or by `warnings`, without showing it."""
    package = logging.getLogger("netinfer")
    collector, propagated = _Collector(texts), package.propagate
    package.addHandler(collector)
    package.propagate = False
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            yield
    finally:
        package.removeHandler(collector)
        package.propagate = propagated
        texts.extend(str(warning.message) for warning in caught)


def _projected_out(summary: dict[str, Any]) -> str:
    from netinfer.models.regression.adjustment import in_words

    parts = in_words(summary["covariates"])
    if summary["hidden_factors"] == "auto":
        parts.append("as many hidden factors as the run finds (`hidden_factors: auto`)")
    return ", ".join(parts)


def describe(summary: dict[str, Any]) -> list[str]:
    """Say what was seen in a data set or a library, in a few lines for people."""
    if "lines" in summary:
        return list(summary["lines"])
    gold = summary["gold"]
    lines = [
        f"{summary['name']}: {summary['n_samples']} samples x {summary['n_genes']} genes,"
        f" {summary['n_regulators']} regulators",
        f"  values: {summary['input_kind']}, normalization: {summary['normalization']}",
        f"  samples: {summary['assay']}; projected out: {_projected_out(summary) or 'nothing'}",
        f"  independent units: {summary['n_units']} (by {summary['unit']})"
        + (f": {summary['population_note'] or _REPLICATES}" if summary["unit"] == "sample" else ""),
        f"  dropped: {summary['n_dropped_genes']} genes, {summary['n_dropped_samples']} samples",
    ]
    if sizes := summary.get("units_by_stratum"):
        lines.append(f"  strata: {len(sizes)} of {summary['strata']}, of {min(sizes)} to {max(sizes)} units")
    if gold:
        lines.append(
            f"  gold standard: {gold['n_edges_inside']} of {gold['n_edges']} edges are between genes of the data,"
            f" {gold['n_unknown_genes']} of its genes are not in the data"
        )
    if summary.get("annotation"):
        lines.append(f"  {summary['annotation']}")
    if trait := summary.get("phenotype"):
        after = f", after {', '.join(trait['covariates'])}" if trait["covariates"] else ""
        classes = ", ".join(f"{n} {name}" for name, n in trait["classes"].items())
        lines.append(
            f"  phenotype {trait['column']}: {trait['n_samples']} samples with a value"
            + (f" ({classes})" if classes else "")
            + f", {trait['n_units']} independent units (by {trait['unit']}){after}"
        )
        lines += [f"  {note}" for note in trait["notes"]]
    if variants := summary.get("sensitivity"):
        lines.append(
            f"  sensitivity: {len(variants)} variants, each as much work as the network: {', '.join(variants)}"
        )
    # what was warned of is on stderr already
    notes = [line for line in summary["log"] if not any(line in text for text in summary.get("warnings", ()))]
    return lines + [f"  {line}" for line in notes]
