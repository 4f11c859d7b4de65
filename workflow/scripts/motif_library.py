"""Fit the position models of a library of sequences and write them."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.config import LibraryConfig
    from netinfer.models.motif.configured import fit_library, named_folders, read_models, write_models
    from netinfer.report import write_motif_report

    settings = LibraryConfig(**snakemake.params.library)
    home = Path(snakemake.output.models).parent
    models = fit_library(settings, seed=int(snakemake.params.seed))
    write_models(home, models, settings.motifs)
    if len(models) > 1:
        written = read_models(home)  # with the matches of their footprints
        for response, folder in named_folders(list(models)).items():
            title = f"{settings.name}: {response}"
            write_motif_report(home / folder / "report.html", written[response], title=title)
