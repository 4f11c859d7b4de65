"""Join the models of all regulators' targets and write which edges have a motif."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.models.motif_sites.links import MotifLinks
    from netinfer.network import Network

    links = MotifLinks.join([MotifLinks.read(Path(part).parent) for part in snakemake.input.parts])
    network = Network.read(Path(snakemake.input.network[0]).parent)
    links.write(Path(snakemake.output.regulators).parent, net=network)
