rule precision_penalty:
    """Choose the penalty of the undirected network and the path of its half-samples."""
    input:
        h5ad="<results>/{dataset}/work/normalized.h5ad",
        kernels="<results>/.netinfer/kernels.txt",
    output:
        plan="<results>/{dataset}/work/precision/plan.json",
    log:
        "<results>/{dataset}/work/logs/precision_penalty.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/precision_penalty.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=graph(2000, 150, 10),
        runtime=minutes(120, 240),
    params:
        precision=one_setting("precision"),
        regression=TYING,
        cut=graph_cut,
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/precision_penalty.py"


rule precision_halves:
    """Count the pairs that one share of the half-samples ties."""
    input:
        h5ad="<results>/{dataset}/work/normalized.h5ad",
        plan="<results>/{dataset}/work/precision/plan.json",
    output:
        part="<results>/{dataset}/work/precision/{scatteritem}.npz",
    log:
        "<results>/{dataset}/work/logs/precision/{scatteritem}.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/precision/{scatteritem}.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=graph(2000, 150, 10),
        runtime=minutes(120, 240),
    params:
        precision=one_setting("precision"),
        regression=TYING,
        cut=graph_cut,
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/precision_halves.py"


rule precision:
    """Join the half-samples and write the undirected network."""
    input:
        h5ad="<results>/{dataset}/work/normalized.h5ad",
        plan="<results>/{dataset}/work/precision/plan.json",
        parts=gather.targets("<results>/{{dataset}}/work/precision/{scatteritem}.npz"),
    output:
        edges=report(
            "<results>/{dataset}/precision/edges.tsv",
            caption="../report/precision.rst",
            category="Undirected networks",
            labels={"data set": "{dataset}", "file": "edges"},
        ),
        edges_parquet="<results>/{dataset}/precision/edges.parquet",
        candidates="<results>/{dataset}/precision/candidates.parquet",
        nodes="<results>/{dataset}/precision/nodes.tsv",
        targets="<results>/{dataset}/precision/targets.tsv",
        graphml="<results>/{dataset}/precision/network.graphml",
        graphml_top="<results>/{dataset}/precision/network_top.graphml",
        provenance="<results>/{dataset}/precision/provenance.json",
        cut="<results>/{dataset}/precision/cut.json",
    log:
        "<results>/{dataset}/work/logs/precision.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/precision.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=graph(2000, 150, 10),
        runtime=minutes(60, 120),
    params:
        precision=one_setting("precision"),
        regression=TYING,
        cut=graph_cut,
        top_edges=config["exports"]["top_edges"],
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/precision.py"


rule consensus:
    """Put the directed and the undirected network side by side."""
    input:
        network=rules.network.output,
        precision=rules.precision.output,
    output:
        table=report(
            "<results>/{dataset}/precision/consensus.tsv",
            caption="../report/consensus.rst",
            category="Undirected networks",
            labels={"data set": "{dataset}", "file": "consensus"},
        ),
        graphml="<results>/{dataset}/precision/consensus.graphml",
    log:
        "<results>/{dataset}/work/logs/consensus.log",
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000, 10),
        runtime=minutes(20, 60),
    params:
        version=VERSION,
    script:
        "../scripts/consensus.py"
