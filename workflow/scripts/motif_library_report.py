"""Write the report page of a library of sequences."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.models.motif.configured import named_folders, read_models
    from netinfer.report import write_library_report

    models = read_models(Path(snakemake.input.models).parent)
    write_library_report(
        snakemake.output.html, models, named_folders(list(models)), title=snakemake.wildcards.library
    )
