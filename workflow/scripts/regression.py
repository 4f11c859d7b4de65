"""Fit one chunk of targets."""

from netinfer.jobs import chunk_of, job

with job(snakemake):
    from netinfer.config import RegressionConfig
    from netinfer.models import regression
    from netinfer.stages import read_h5ad

    problem = regression.prepare(read_h5ad(snakemake.input.h5ad))
    part = regression.fit_chunk(
        problem,
        chunk=chunk_of(snakemake.wildcards.scatteritem),
        settings=RegressionConfig(**snakemake.params.settings),
        seed=int(snakemake.params.seed),
        threads=snakemake.threads,
    )
    part.save(snakemake.output.part)
