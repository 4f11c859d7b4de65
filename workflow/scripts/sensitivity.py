"""Look the edges of a network up in its variants."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.models import sensitivity
    from netinfer.network import Network
    from netinfer.stages import write_figure

    files = zip(snakemake.input.tables, snakemake.input.counts, snakemake.input.records, strict=True)
    fits = [fit for paths in files for fit in sensitivity.read_fits(*paths)]
    folder = Path(snakemake.output.table).parent
    card = sensitivity.compare(Network.read(folder), sensitivity.in_order(fits))
    card.write(folder)
    write_figure(card.plot(), snakemake.output.figure)
