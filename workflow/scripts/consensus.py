"""Join a data set's directed and undirected networks."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.network import Network
    from netinfer.network.consensus import write_consensus

    networks = [Network.read(Path(files[0]).parent) for files in (snakemake.input.network, snakemake.input.precision)]
    write_consensus(*networks, Path(snakemake.output.table).parent)
