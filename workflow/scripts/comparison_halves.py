"""Count the pairs of genes that some joint half-samples tie."""

from netinfer.jobs import chunk_of, job

with job(snakemake):
    from netinfer.models.comparison import ComparisonPlan, configured_comparison
    from netinfer.stages import read_h5ad

    expressions = [read_h5ad(path) for path in snakemake.input.h5ads]
    model = configured_comparison(expressions, snakemake.params, threads=snakemake.threads)
    chunk = chunk_of(snakemake.wildcards.scatteritem)
    model.count(ComparisonPlan.read(snakemake.input.plan), chunk, snakemake.output.part)
