from pathlib import Path


def megabytes(input):
    """Sum up input files; a missing one raises, so that Snakemake asks again when it is there."""
    # input.size_mb does the same, but leaves a warning for every job when the report is made.
    paths = [Path(file) for file in input]
    files = [
        file for path in paths for file in (path.glob("*") if path.is_dir() else [path])
    ]
    return sum(file.stat().st_size for file in files) / 1e6


def memory(base_mb, per_input):
    """Give `mem_mb` as a base and a multiple of the input's size, doubled with each attempt."""
    return lambda wildcards, input, attempt: int(
        base_mb + per_input * input.size_mb
    ) * 2 ** (attempt - 1)


def genome(base_mb):
    """Give `mem_mb` as a base and what a genome takes: plain FASTA is read in parts, gzip as a whole; doubled likewise."""
    return lambda wildcards, input, attempt: int(
        base_mb
        + sum(
            megabytes([file]) * (12 if str(file).endswith(".gz") else 2)
            for file in input
        )
    ) * 2 ** (attempt - 1)


def gene_pairs(base_mb, matrices, per_input):
    """Give `mem_mb` with so many matrices of genes x genes of the phenotype, doubled with each attempt."""
    # 8 bytes a number
    return lambda wildcards, input, attempt: int(
        base_mb
        + matrices
        * 8e-6
        * DATASETS[wildcards.dataset]["phenotype"].get("max_genes", 5000) ** 2
        + per_input * input.size_mb
    ) * 2 ** (attempt - 1)


def graph(base_mb, per_pair, per_input):
    """Give `mem_mb` with so many bytes for each two genes of the undirected network, doubled with each attempt."""
    return lambda wildcards, input, attempt: int(
        base_mb
        + 1e-6
        * per_pair
        * DATASETS[wildcards.dataset]["precision"].get("max_genes", 2000) ** 2
        + per_input * input.size_mb
    ) * 2 ** (attempt - 1)


def joint_graphs(base_mb, per_pair, per_input):
    """Give `mem_mb` with so many bytes for each two genes of a comparison and condition, doubled with each attempt."""
    return lambda wildcards, input, attempt: int(
        base_mb
        + 1e-6
        * per_pair
        * len(COMPARISONS[wildcards.comparison]["datasets"])
        * COMPARISONS[wildcards.comparison].get("max_genes", 500) ** 2
        + per_input * input.size_mb
    ) * 2 ** (attempt - 1)


def minutes(base, per_gb):
    """Give `runtime` as a base and minutes for each GB of input, doubled with each attempt."""
    return lambda wildcards, input, attempt: int(
        base + per_gb * input.size_mb / 1000
    ) * 2 ** (attempt - 1)
