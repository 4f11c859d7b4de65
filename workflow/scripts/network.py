"""Cut the candidates of a data set and write its network."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.config import CutConfig
    from netinfer.network import Network
    from netinfer.stages import read_h5ad

    network = Network.read(Path(snakemake.input.gathered[0]).parent)
    network = network.threshold(**CutConfig(**snakemake.params.cut).asked)
    network.write(
        Path(snakemake.output.edges).parent,
        adata=read_h5ad(snakemake.input.h5ad),
        top_edges=int(snakemake.params.top_edges),
    )
