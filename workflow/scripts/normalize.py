"""Normalize one data set."""

from netinfer.jobs import job

with job(snakemake):
    from netinfer.preprocess import normalize
    from netinfer.stages import read_h5ad, write_h5ad

    adata = read_h5ad(snakemake.input.h5ad)
    adata = normalize(adata, snakemake.params.method, center_by=snakemake.params.center_by)
    write_h5ad(adata, snakemake.output.h5ad)
