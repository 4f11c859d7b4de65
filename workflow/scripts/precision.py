"""Join the half-samples of a data set's undirected network and write it."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.models.precision import PrecisionPlan, configured_precision
    from netinfer.stages import provenance, read_h5ad

    adata = read_h5ad(snakemake.input.h5ad)
    model = configured_precision(adata, snakemake.params, threads=snakemake.threads)
    network = model.join(
        PrecisionPlan.read(snakemake.input.plan),
        snakemake.input.parts,
        provenance=provenance(adata, snakemake.wildcards.dataset),
    )
    network.write(Path(snakemake.output.edges).parent, top_edges=int(snakemake.params.top_edges))
