"""Check one data set and write down what was seen."""

from netinfer.jobs import job

with job(snakemake):
    from netinfer.config import CutConfig, DatasetConfig
    from netinfer.preflight import inspect, write_summary

    # Not a param: another cut is no reason to look at the data again.
    cut = CutConfig(**snakemake.config["cut"]).asked
    write_summary(snakemake.output.summary, inspect(DatasetConfig(**snakemake.params.dataset), cut))
