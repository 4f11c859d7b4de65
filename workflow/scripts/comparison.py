"""Join the half-samples of a comparison and write its networks and tables."""

from netinfer.jobs import job

with job(snakemake):
    from pathlib import Path

    from netinfer.models.comparison import ComparisonPlan, configured_comparison
    from netinfer.stages import read_h5ad

    expressions = [read_h5ad(path) for path in snakemake.input.h5ads]
    model = configured_comparison(expressions, snakemake.params, threads=snakemake.threads)
    found = model.join(
        ComparisonPlan.read(snakemake.input.plan),
        snakemake.input.parts,
        provenance={"name": str(snakemake.wildcards.comparison)},
    )
    found.write(Path(snakemake.output.changes).parent, top_edges=int(snakemake.params.top_edges))
