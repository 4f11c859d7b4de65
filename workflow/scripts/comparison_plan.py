"""Choose how sparse and how alike the networks of a comparison are."""

from netinfer.jobs import job

with job(snakemake):
    from netinfer.models.comparison import configured_comparison
    from netinfer.stages import read_h5ad

    expressions = [read_h5ad(path) for path in snakemake.input.h5ads]
    configured_comparison(expressions, snakemake.params, threads=snakemake.threads).plan().write(snakemake.output.plan)
