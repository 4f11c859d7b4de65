"""Write the manifest of a library of sequences."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.config import LibraryConfig
    from netinfer.manifest import write_manifest

    settings = snakemake.params.settings
    files = [path for path in Path(snakemake.input.folder).rglob("[!.]*") if path.is_file()]
    write_manifest(
        snakemake.output.json,
        inputs=LibraryConfig(**settings["library"]).files,
        outputs=[snakemake.input.models, snakemake.input.html, *files],
        settings=settings,
    )
