"""Choose samples and genes of a data set and normalize it."""

from netinfer.jobs import job

with job(snakemake):
    from netinfer.config import PreparationConfig
    from netinfer.stages import prepare_dataset, read_h5ad, write_h5ad

    adata = read_h5ad(snakemake.input.h5ad)
    settings = PreparationConfig(**snakemake.params.preparation)
    write_h5ad(prepare_dataset(adata, settings, seed=int(snakemake.params.seed)), snakemake.output.h5ad)
