"""Write the manifest of a library of sequences."""

from netinfer.jobs import job

with job(snakemake):
    from netinfer.config import LibraryConfig
    from netinfer.manifest import files_of, write_manifest

    settings = snakemake.params.settings
    write_manifest(
        snakemake.output.json,
        inputs=LibraryConfig(**settings["library"]).files,
        outputs=files_of([snakemake.input.models, snakemake.input.html, snakemake.input.folder]),
        settings=settings,
    )
