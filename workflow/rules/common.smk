from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

try:
    from netinfer import __version__ as VERSION
    from netinfer.config import parse_config
    from netinfer.errors import ConfigError, InputError
    from netinfer.splits import expand_splits
    from netinfer.yamlfile import read_yaml
except ImportError:  # the jobs find netinfer in their conda environment
    VERSION = "of the environment"
    validate(config, "../schemas/config.schema.yaml")
    if isinstance(config.get("datasets"), str):
        raise WorkflowError(
            "datasets: a sheet needs netinfer beside Snakemake: pip install netinfer"
        )
    if any(entry.get("split_by") for entry in config.get("datasets", [])):
        raise WorkflowError(
            "split_by needs netinfer beside Snakemake: pip install netinfer"
        )
else:
    try:
        over = list(workflow.overwrite_configfiles)
        order = [file for file in workflow.configfiles if file not in over] + over
        files = [(str(file), read_yaml(file)) for file in order]
        config.update(
            expand_splits(parse_config(config, files)).model_dump(mode="json")
        )
    except (ConfigError, InputError) as error:
        raise WorkflowError(str(error)) from None
    validate(config, "../schemas/config.schema.yaml")

DATASETS = {entry["name"]: entry for entry in config.get("datasets", [])}
COMPARISONS = {entry["name"]: entry for entry in config.get("comparisons", [])}
LIBRARIES = {entry["name"]: entry for entry in config.get("motif", [])}
RESULTS = config["results"]

# What decides a stage's result goes through params, so that a change of it is seen and makes the stage run again.
READING = (
    "orientation",
    "layer",
    "gene_column",
    "encoding",
    "strip_version",
    "impute",
    "duplicates",
    "exclude_samples",
    "subset",
)
PREPARING = (
    "assay",
    "block",
    "strata",
    "covariates",
    "hidden_factors",
    "normalize",
    "center_by",
    "filter",
    "cells",
)
# These only read the counts, so that a change of them runs no fit again.
FITTING = {
    key: value
    for key, value in config["regression"].items()
    if key not in ("rule", "threshold", "truncation", "pooled")
}
# What the undirected network takes of the regression's settings.
TYING = {
    key: config["regression"][key]
    for key in ("n_subsamples", "rule", "threshold", "truncation", "pooled")
}
# What the matching of motifs in promoters takes of their settings, what the links to the network, and what the models of
# responses: another threshold scans no promoter again.
SCANNING = (
    "genome",
    "motifs",
    "sites",
    "starts",
    "upstream",
    "downstream",
    "bin_width",
    "first_of_operon",
)
SELECTING = ("n_subsamples", "threshold", "expected_false_motifs")
LINKING = (*SCANNING, *SELECTING, "min_targets", "motif_of")
RESPONDING = (*SCANNING, *SELECTING, "responses", "positions")
# What the comparisons take of them: another threshold repeats no fit.
HALVING = {"n_subsamples": config["regression"]["n_subsamples"]}
COMPARING = {**HALVING, "threshold": config["regression"]["threshold"]}
# What only keeps or adds to the network's own counts is no part of the variants.
VARYING = {
    key: value for key, value in FITTING.items() if key not in ("decoys", "resumable")
}


def setting(*keys):
    """Give a function of the wildcards that picks keys of the data set."""
    return lambda wildcards: {key: DATASETS[wildcards.dataset].get(key) for key in keys}


def dataset_read(wildcards):
    """Give every key of the data set but `motif`, which the matching of motifs checks: no other reads or fits anew."""
    dataset = DATASETS[wildcards.dataset]
    return {key: value for key, value in dataset.items() if key != "motif"}


def whole_comparison(wildcards):
    """Give every key of the comparison."""
    return COMPARISONS[wildcards.comparison]


def whole_library(wildcards):
    """Give every key of the library."""
    return LIBRARIES[wildcards.library]


def library_settings(wildcards):
    """Give every setting that decides a library's results."""
    return {"seed": config["seed"], "library": LIBRARIES[wildcards.library]}


def motif_setting(keys):
    """Give a function of the wildcards that picks keys of the data set's motif section."""
    return lambda wildcards: {
        key: value
        for key, value in DATASETS[wildcards.dataset]["motif"].items()
        if key in keys
    }


def one_setting(key):
    """Give a function of the wildcards that picks one value of the data set."""
    return lambda wildcards: DATASETS[wildcards.dataset].get(key)


def all_settings(wildcards):
    """Give every setting that decides a data set's results."""
    shared = {key: config[key] for key in ("seed", "regression", "cut", "exports")}
    return {**shared, "dataset": DATASETS[wildcards.dataset]}
