"""Join the chunks of a data set."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.config import RegressionConfig
    from netinfer.models import regression
    from netinfer.stages import provenance, read_h5ad, strongest_targets, write_table

    adata = read_h5ad(snakemake.input.h5ad)
    settings = RegressionConfig(**snakemake.params.settings)
    problem = regression.prepare(adata)
    parts = [regression.RegressionPart.load(path) for path in snakemake.input.parts]
    network = regression.gather(
        problem,
        parts,
        settings=settings,
        seed=int(snakemake.params.seed),
        provenance=provenance(adata, snakemake.wildcards.dataset),
        dropped=adata.uns["netinfer"]["dropped_genes"],
    )
    network.write(Path(snakemake.output.candidates).parent)
    paths = regression.stability_paths(problem, parts, settings, strongest_targets(network))
    write_table(paths, snakemake.output.paths)
