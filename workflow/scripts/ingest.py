"""Read and clean one data set."""

from netinfer.jobs import job

with job(snakemake):
    from netinfer.config import IngestConfig
    from netinfer.stages import read_dataset, write_h5ad

    adata = read_dataset(
        snakemake.input.expression,
        snakemake.params.regulators,
        samples=snakemake.input.get("samples") or None,
        settings=IngestConfig(**snakemake.params.reading),
    )
    write_h5ad(adata, snakemake.output.h5ad)
