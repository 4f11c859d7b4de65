rule kernels:
    """Compile the solvers once, so that the chunks do not each do it."""
    output:
        flag="<results>/.netinfer/kernels.txt",
    log:
        "<results>/.netinfer/kernels.log",
    priority: 90
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=10,
    params:
        version=VERSION,
    script:
        "../scripts/kernels.py"


rule regression:
    """Fit one chunk of targets on every half-sample."""
    input:
        h5ad="<results>/{dataset}/work/normalized.h5ad",
        # Not ancient(): where such a file is incomplete, Snakemake 9.27 makes it again and plans nothing behind it.
        kernels="<results>/.netinfer/kernels.txt",
    output:
        # Kept: another bound or another truncation is read from the counts in it, without a fit.
        part="<results>/{dataset}/work/regression/{scatteritem}.npz",
    log:
        "<results>/{dataset}/work/logs/regression/{scatteritem}.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/regression/{scatteritem}.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500, 10),
        runtime=minutes(60, 240),
    params:
        settings=FITTING,
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/regression.py"


rule gather:
    """Check the chunks and join them: bounds over all targets, ranks, effects, one row a target."""
    input:
        h5ad="<results>/{dataset}/work/normalized.h5ad",
        parts=gather.targets("<results>/{{dataset}}/work/regression/{scatteritem}.npz"),
    output:
        candidates="<results>/{dataset}/work/gathered/candidates.parquet",
        nodes="<results>/{dataset}/work/gathered/nodes.tsv",
        targets="<results>/{dataset}/work/gathered/targets.tsv",
        provenance="<results>/{dataset}/work/gathered/provenance.json",
        cut="<results>/{dataset}/work/gathered/cut.json",
        paths="<results>/{dataset}/work/stability_paths.tsv",
    log:
        "<results>/{dataset}/work/logs/gather.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/gather.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000, 10),
        runtime=minutes(20, 60),
    params:
        settings=config["regression"],
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/gather.py"
