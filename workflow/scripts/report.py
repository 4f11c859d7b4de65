"""Write the report page of a data set."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.io import read_annotation
    from netinfer.models import motif_sites, phenotype, sensitivity
    from netinfer.network import Network
    from netinfer.report import write_report
    from netinfer.stages import read_h5ad, read_if, read_table

    given = snakemake.input
    write_report(
        snakemake.output.html,
        Network.read(Path(given.network[0]).parent),
        read_h5ad(given.h5ad),
        evaluation=read_table(given.evaluation) if given.get("evaluation") else None,
        gold=given.get("gold") or None,
        paths=read_table(given.paths),
        phenotype=read_if(phenotype.PhenotypeModel, given.get("phenotype")),
        annotation=read_annotation(given.annotation) if given.get("annotation") else None,
        sensitivity=read_if(sensitivity.Sensitivity, given.get("sensitivity")),
        precision=read_if(Network, given.get("precision")),
        motif=read_if(motif_sites.MotifLinks, given.get("motif")),
        responses=read_table(given.responses[0]) if given.get("responses") else None,
        title=snakemake.wildcards.dataset,
    )
