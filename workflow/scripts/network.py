"""Gather the chunks of a data set into its network."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.config import CutConfig, RegressionConfig
    from netinfer.models import regression
    from netinfer.stages import read_h5ad

    adata = read_h5ad(snakemake.input.h5ad)
    network = regression.gather(
        regression.prepare(adata, block=snakemake.params.block),
        [regression.RegressionPart.load(path) for path in snakemake.input.parts],
        settings=RegressionConfig(**snakemake.params.settings),
        seed=int(snakemake.params.seed),
        cut=CutConfig(**snakemake.params.cut).asked,
    )
    folder = Path(snakemake.output.edges).parent
    network.write(folder, adata=adata, top_edges=int(snakemake.params.top_edges))
