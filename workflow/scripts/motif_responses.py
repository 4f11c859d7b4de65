"""Fit the models of motifs, and of positions, that go with responses of a data set's genes."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.config import MotifConfig
    from netinfer.models.motif_sites import configured
    from netinfer.models.motif_sites.scores import SiteScores
    from netinfer.network.places import gene_ids
    from netinfer.stages import read_h5ad

    configured.write_responses(
        Path(snakemake.output.table).parent,
        SiteScores.load(snakemake.input.scores),
        MotifConfig(**snakemake.params.motif),
        annotation=snakemake.input.get("annotation") or None,
        ids=gene_ids(read_h5ad(snakemake.input.h5ad)),
        seed=int(snakemake.params.seed),
        threads=snakemake.threads,
    )
