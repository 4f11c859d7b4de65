"""Write the report page of a comparison."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.network import JointNetworks
    from netinfer.report import write_comparison_report

    found = JointNetworks.read(Path(snakemake.input.comparison[0]).parent)
    write_comparison_report(snakemake.output.html, found, title=snakemake.wildcards.comparison)
