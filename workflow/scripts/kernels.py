"""Compile the solvers into numba's cache."""

from netinfer.jobs import job

with job(snakemake):
    from netinfer.io.files import atomic_write
    from netinfer.kernels import warm_up

    warm_up()
    with atomic_write(snakemake.output.flag) as file:
        file.write(f"netinfer {snakemake.params.version}\n")
