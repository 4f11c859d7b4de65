"""Fit the models of motifs in the targets of one share of the regulators."""

from netinfer.jobs import chunk_of, job

with job(snakemake):
    from pathlib import Path

    from netinfer.config import MotifConfig
    from netinfer.models.motif_sites import configured
    from netinfer.models.motif_sites.scores import SiteScores
    from netinfer.network import Network

    links = configured.configured_links(
        Network.read(Path(snakemake.input.network[0]).parent),
        SiteScores.load(snakemake.input.scores),
        MotifConfig(**snakemake.params.motif),
        annotation=snakemake.input.get("annotation") or None,
        part=chunk_of(snakemake.wildcards.scatteritem),
        seed=int(snakemake.params.seed),
        threads=snakemake.threads,
    )
    links.write(Path(snakemake.output.record).parent)
