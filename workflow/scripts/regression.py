"""Fit one chunk of targets."""

from netinfer.jobs import chunk_of, job

with job(snakemake):
    from pathlib import Path

    from netinfer.config import RegressionConfig
    from netinfer.models import regression
    from netinfer.stages import read_h5ad

    problem = regression.prepare(read_h5ad(snakemake.input.h5ad))
    # Beside the outputs and none of them: Snakemake deletes an output before the job that makes it anew.
    part_file = Path(snakemake.output.part)
    settings = RegressionConfig(**snakemake.params.settings)
    part = regression.fit_chunk(
        problem,
        chunk=chunk_of(snakemake.wildcards.scatteritem),
        settings=settings,
        seed=int(snakemake.params.seed),
        threads=snakemake.threads,
        state=part_file.parents[1] / "state" / part_file.name if settings.resumable else None,
    )
    part.save(part_file)
