"""Write the manifest of a data set."""

from netinfer.jobs import job

with job(snakemake):
    from netinfer.manifest import files_of, write_manifest

    given = ("expression", "regulators", "samples", "gold", "annotation")
    made = [*snakemake.input.network, snakemake.input.get("evaluation"), snakemake.input.html]
    made += [*(snakemake.input.get("phenotype") or []), *(snakemake.input.get("sensitivity") or [])]
    made += [*(snakemake.input.get("precision") or []), *(snakemake.input.get("motif") or [])]
    made += files_of(snakemake.input.get("responses") or [])
    inputs = {key: snakemake.input.get(key) for key in given if snakemake.input.get(key)}
    lists = enumerate(snakemake.input.get("lists") or [], start=1)
    motif = snakemake.params.settings["dataset"].get("motif") or {}
    named = snakemake.input.get("motif_inputs") or []
    write_manifest(
        snakemake.output.json,
        inputs=inputs
        | {f"sensitivity.regulators.{i}": path for i, path in lists}
        | {f"motif.{key}": path for key, path in motif.items() if path in named},
        outputs=[path for path in made if path],
        preflight=snakemake.input.preflight,
        settings=snakemake.params.settings,
    )
