"""Fit the position models of a library of sequences and write them."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.config import LibraryConfig
    from netinfer.models.motif.configured import fit_library, write_models

    settings = LibraryConfig(**snakemake.params.library)
    models = fit_library(settings, seed=int(snakemake.params.seed))
    write_models(Path(snakemake.output.models).parent, models, settings.motifs)
