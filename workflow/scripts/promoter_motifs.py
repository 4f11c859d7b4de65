"""Match motifs in the promoters of a data set's genes."""

from netinfer.jobs import job

with job(snakemake):
    from netinfer.config import MotifConfig
    from netinfer.models.motif_sites import configured
    from netinfer.network.places import gene_ids
    from netinfer.stages import read_h5ad

    scores = configured.data_scores(
        MotifConfig(**snakemake.params.motif),
        snakemake.input.get("annotation") or None,
        gene_ids(read_h5ad(snakemake.input.h5ad)),
    )
    scores.save(snakemake.output.scores)
