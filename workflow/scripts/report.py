"""Write the report page of a data set."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.io import read_annotation
    from netinfer.models.motif_sites.links import MotifLinks
    from netinfer.models.phenotype import PhenotypeModel
    from netinfer.models.sensitivity import Sensitivity
    from netinfer.network import Network
    from netinfer.report import write_report
    from netinfer.stages import read_h5ad, read_table

    trait = snakemake.input.get("phenotype")
    places = snakemake.input.get("annotation")
    card = snakemake.input.get("sensitivity")
    write_report(
        snakemake.output.html,
        Network.read(Path(snakemake.input.network[0]).parent),
        read_h5ad(snakemake.input.h5ad),
        evaluation=read_table(snakemake.input.evaluation) if snakemake.input.get("evaluation") else None,
        gold=snakemake.input.get("gold") or None,
        paths=read_table(snakemake.input.paths),
        phenotype=PhenotypeModel.read(Path(trait[0]).parent) if trait else None,
        annotation=read_annotation(places) if places else None,
        sensitivity=Sensitivity.read(Path(card[0]).parent) if card else None,
        precision=Network.read(Path(snakemake.input.precision[0]).parent) if snakemake.input.precision else None,
        motif=MotifLinks.read(Path(snakemake.input.motif[0]).parent) if snakemake.input.motif else None,
        title=snakemake.wildcards.dataset,
    )
