"""Write the report page of a library of sequences."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.models.motif.configured import read_models
    from netinfer.report import write_motif_report

    models = read_models(Path(snakemake.input.models).parent)
    write_motif_report(snakemake.output.html, models, title=snakemake.wildcards.library)
