"""Cut the candidates of a data set and write its network."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.config import CutConfig
    from netinfer.io import read_annotation
    from netinfer.models.phenotype import PhenotypeModel, with_phenotype
    from netinfer.network import Network, neighbours
    from netinfer.stages import read_h5ad

    network = Network.read(Path(snakemake.input.gathered[0]).parent)
    if snakemake.input.get("annotation"):
        annotation = read_annotation(snakemake.input.annotation)
        network = neighbours.annotate(network, annotation, exclude_same_operon=snakemake.params.exclude_same_operon)
    network = network.threshold(**CutConfig(**snakemake.params.cut).asked)
    if snakemake.input.get("phenotype"):
        model = PhenotypeModel.read(Path(snakemake.input.phenotype[0]).parent)
        network = with_phenotype(network, model)
    network.write(
        Path(snakemake.output.edges).parent,
        adata=read_h5ad(snakemake.input.h5ad),
        top_edges=int(snakemake.params.top_edges),
    )
