"""Score a network against its gold standard."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.evaluate import evaluate
    from netinfer.io import read_annotation, read_gold
    from netinfer.network import Network
    from netinfer.stages import read_h5ad, write_table

    network = Network.read(Path(snakemake.input.network[0]).parent)
    places = snakemake.input.get("annotation")
    table = evaluate(
        network,
        read_gold(snakemake.input.gold),
        baseline=read_h5ad(snakemake.input.h5ad),
        annotation=read_annotation(places) if places else None,
    )
    write_table(table, snakemake.output.table)
