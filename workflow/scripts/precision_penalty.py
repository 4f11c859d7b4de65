"""Choose the penalty of a data set's undirected network."""

from netinfer.jobs import job

with job(snakemake):
    from netinfer.models.precision import configured_precision
    from netinfer.stages import read_h5ad

    model = configured_precision(read_h5ad(snakemake.input.h5ad), snakemake.params, threads=snakemake.threads)
    model.plan().write(snakemake.output.plan)
