"""Count the pairs of genes that some half-samples tie."""

from netinfer.jobs import chunk_of, job

with job(snakemake):
    from netinfer.models.precision import PrecisionPlan, configured_precision
    from netinfer.stages import read_h5ad

    model = configured_precision(read_h5ad(snakemake.input.h5ad), snakemake.params, threads=snakemake.threads)
    chunk = chunk_of(snakemake.wildcards.scatteritem)
    model.count(PrecisionPlan.read(snakemake.input.plan), chunk, snakemake.output.part)
