"""Check one data set and write down what was seen."""

from netinfer.jobs import job

with job(snakemake):
    from netinfer.config import DatasetConfig
    from netinfer.preflight import inspect, write_summary

    # The cut is looked at by `netinfer check` and `netinfer run`: here another one would read all data again.
    write_summary(snakemake.output.summary, inspect(DatasetConfig(**snakemake.params.dataset)))
