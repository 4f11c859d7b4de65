import re

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
    if isinstance(config["datasets"], str):
        raise WorkflowError(
            "datasets: a sheet needs netinfer beside Snakemake: pip install netinfer"
        )
    if any(entry.get("split_by") for entry in config["datasets"]):
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

DATASETS = {entry["name"]: entry for entry in config["datasets"]}
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
GRAPH_FILES = (
    "edges.tsv",
    "edges.parquet",
    "candidates.parquet",
    "nodes.tsv",
    "targets.tsv",
    "network.graphml",
    "network_top.graphml",
    "provenance.json",
    "cut.json",
    "consensus.tsv",
    "consensus.graphml",
)
# What the undirected network takes of the regression's settings.
TYING = {
    key: config["regression"][key]
    for key in ("n_subsamples", "rule", "threshold", "truncation", "pooled")
}
# What only keeps or adds to the network's own counts is no part of the variants.
VARYING = {
    key: value for key, value in FITTING.items() if key not in ("decoys", "resumable")
}


def setting(*keys):
    """Give a function of the wildcards that picks keys of the data set."""
    return lambda wildcards: {key: DATASETS[wildcards.dataset].get(key) for key in keys}


def whole_dataset(wildcards):
    """Give every key of the data set."""
    return DATASETS[wildcards.dataset]


def one_setting(key):
    """Give a function of the wildcards that picks one value of the data set."""
    return lambda wildcards: DATASETS[wildcards.dataset].get(key)


def data_file(key):
    """Give an input function for a file that may not be given, or be the name of a shipped list."""

    def path_or_nothing(wildcards):
        file = DATASETS[wildcards.dataset].get(key) or []
        is_name = key == "regulators" and re.fullmatch("[A-Za-z0-9_-]+", file)
        return [] if is_name else file

    return path_or_nothing


def if_gold(path):
    """Give an input function for what exists only beside a gold standard."""
    return lambda wildcards: (
        path.format(dataset=wildcards.dataset)
        if DATASETS[wildcards.dataset].get("gold")
        else []
    )


def if_phenotype(wildcards):
    """Give the files of the trait's model, where the data set has a phenotype."""
    if not DATASETS[wildcards.dataset].get("phenotype"):
        return []
    names = ("model.json", "genes.tsv", "genes_ranked.tsv")
    return [f"{RESULTS}/{wildcards.dataset}/phenotype/{name}" for name in names]


def graph_cut(wildcards):
    """Give the cut where it decides the undirected network, so that another one repeats no fit elsewhere."""
    is_asked = DATASETS[wildcards.dataset]["precision"].get("criterion") == "error"
    return config["cut"] if is_asked else {}


def if_precision(*names):
    """Give an input function for files of the undirected network, where the data set has one."""

    def files(wildcards):
        if DATASETS[wildcards.dataset].get("precision") is None:
            return []
        return [f"{RESULTS}/{wildcards.dataset}/precision/{name}" for name in names]

    return files


def if_sensitivity(wildcards):
    """Give the tables of the sensitivity card, where the data set asks for one."""
    if not DATASETS[wildcards.dataset].get("sensitivity"):
        return []
    names = ("sensitivity.tsv", "sensitivity_variants.tsv")
    return [f"{RESULTS}/{wildcards.dataset}/{name}" for name in names]


def other_lists(wildcards):
    """Give the further lists of regulators that are files."""
    lists = (DATASETS[wildcards.dataset].get("sensitivity") or {}).get("regulators", [])
    return [file for file in lists if not re.fullmatch("[A-Za-z0-9_-]+", file)]


def all_settings(wildcards):
    """Give every setting that decides a data set's results."""
    shared = {key: config[key] for key in ("seed", "regression", "cut", "exports")}
    return {**shared, "dataset": DATASETS[wildcards.dataset]}
