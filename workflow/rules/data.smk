rule preflight:
    """Look at a data set before any long work: can it be read, does it fit together, what is in it."""
    input:
        expression=data_file("expression"),
        regulators=data_file("regulators"),
        samples=data_file("samples"),
        gold=data_file("gold"),
        annotation=data_file("annotation"),
    output:
        summary="<results>/{dataset}/work/preflight.json",
    log:
        "<results>/{dataset}/work/logs/preflight.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/preflight.tsv"
    priority: 100
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500, 30),
        runtime=minutes(10, 30),
    params:
        dataset=dataset_read,
        version=VERSION,
    script:
        "../scripts/preflight.py"


rule ingest:
    """Read and clean a data set into one canonical file: samples x genes."""
    input:
        preflight="<results>/{dataset}/work/preflight.json",
        expression=data_file("expression"),
        regulators=data_file("regulators"),
        samples=data_file("samples"),
    output:
        h5ad="<results>/{dataset}/work/ingested.h5ad",
    log:
        "<results>/{dataset}/work/logs/ingest.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/ingest.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500, 30),
        runtime=minutes(10, 30),
    params:
        reading=setting(*READING),
        regulators=one_setting("regulators"),
        version=VERSION,
    script:
        "../scripts/ingest.py"


rule normalize:
    """Choose samples and genes, and make expression values comparable between samples."""
    input:
        h5ad="<results>/{dataset}/work/ingested.h5ad",
    output:
        h5ad="<results>/{dataset}/work/normalized.h5ad",
    log:
        "<results>/{dataset}/work/logs/normalize.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/normalize.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500, 10),
        runtime=minutes(10, 30),
    params:
        preparation=setting(*PREPARING),
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/normalize.py"
