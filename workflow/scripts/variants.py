"""Infer a share of the variants of a data set."""

from netinfer.jobs import chunk_of, job

with job(snakemake):
    from netinfer.config import PreparationConfig, SensitivityConfig
    from netinfer.io import read_annotation
    from netinfer.models import sensitivity
    from netinfer.network import neighbours
    from netinfer.stages import read_h5ad, variant_preparation

    adata = read_h5ad(snakemake.input.h5ad)
    asked = SensitivityConfig(**snakemake.params.sensitivity)
    excluded = read_annotation(snakemake.input.annotation) if snakemake.params.exclude_same_operon else None
    fits = sensitivity.fit_variants(
        adata,
        sensitivity.configured_variants(adata.obs, asked, where=snakemake.wildcards.dataset),
        variant_preparation(PreparationConfig(**snakemake.params.preparation), seed=int(snakemake.params.seed)),
        chunk=chunk_of(snakemake.wildcards.scatteritem),
        settings=sensitivity.variant_settings(snakemake.params.settings, asked.n_subsamples),
        seed=int(snakemake.params.seed),
        threads=snakemake.threads,
        refine=lambda net: net if excluded is None else neighbours.annotate(net, excluded, exclude_same_operon=True),
    )
    sensitivity.write_fits(fits, snakemake.output.table, snakemake.output.counts, snakemake.output.record)
