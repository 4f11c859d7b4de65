import re

SCANNED_FILES = ("genome", "motifs", "sites", "starts")
ALL_MOTIF_FILES = (*SCANNED_FILES, "motif_of", "responses")
MOTIF_FILES = (
    "links/regulators.tsv",
    "links/edges.tsv",
    "links/motifs.tsv",
    "links/bins.tsv",
    "links/network.graphml",
    "links/links.json",
)
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


def compared_datasets(wildcards):
    """Give the expression of each data set of a comparison, the reference first."""
    names = COMPARISONS[wildcards.comparison]["datasets"]
    return [f"{RESULTS}/{name}/work/normalized.h5ad" for name in names]


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


def library_files(wildcards):
    """Give the files of a library: sequences, and activities and motifs where there are some."""
    library = LIBRARIES[wildcards.library]
    keys = ("sequences", "activities", "motifs")
    return [library[key] for key in keys if library.get(key)]


def motif_files(*keys):
    """Give an input function for files that the motif section of a data set names."""

    def files(wildcards):
        motif = DATASETS[wildcards.dataset].get("motif") or {}
        return [motif[key] for key in keys if motif.get(key)]

    return files


def if_motif(*names):
    """Give an input function for files of the motifs, where the data set asks for them."""

    def files(wildcards):
        if DATASETS[wildcards.dataset].get("motif") is None:
            return []
        return [f"{RESULTS}/{wildcards.dataset}/motif/{name}" for name in names]

    return files


def if_responses(wildcards):
    """Give the table and the folder of the models of responses, where the data set has some."""
    if not (DATASETS[wildcards.dataset].get("motif") or {}).get("responses"):
        return []
    names = ("responses.tsv", "responses")
    return [f"{RESULTS}/{wildcards.dataset}/motif/{name}" for name in names]
