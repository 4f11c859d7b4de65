"""Select the genes of a data set's trait."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.config import PhenotypeConfig
    from netinfer.models import phenotype
    from netinfer.stages import read_h5ad

    model = phenotype.select_configured(
        read_h5ad(snakemake.input.h5ad),
        PhenotypeConfig(**snakemake.params.phenotype),
        regression=snakemake.params.regression,
        cut=snakemake.params.cut,
        block=snakemake.params.block,
        seed=int(snakemake.params.seed),
    )
    model.write(Path(snakemake.output.model).parent)
