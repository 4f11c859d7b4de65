rule comparison_plan:
    """Choose how sparse and how alike the networks of a comparison are."""
    input:
        h5ads=compared_datasets,
        kernels="<results>/.netinfer/kernels.txt",
    output:
        plan="<results>/{comparison}/work/plan.json",
    log:
        "<results>/{comparison}/work/logs/comparison_plan.log",
    benchmark:
        "<results>/{comparison}/work/benchmarks/comparison_plan.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=joint_graphs(2000, 3000, 10),
        runtime=minutes(120, 240),
    params:
        comparison=whole_comparison,
        regression=HALVING,
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/comparison_plan.py"


rule comparison_halves:
    """Count the pairs that one share of the joint half-samples ties."""
    input:
        h5ads=compared_datasets,
        plan="<results>/{comparison}/work/plan.json",
    output:
        part="<results>/{comparison}/work/halves/{scatteritem}.npz",
    log:
        "<results>/{comparison}/work/logs/halves/{scatteritem}.log",
    benchmark:
        "<results>/{comparison}/work/benchmarks/halves/{scatteritem}.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=joint_graphs(2000, 600, 10),
        runtime=minutes(120, 240),
    params:
        comparison=whole_comparison,
        regression=HALVING,
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/comparison_halves.py"


rule comparison:
    """Join the half-samples and write the networks and what differs between them."""
    input:
        h5ads=compared_datasets,
        plan="<results>/{comparison}/work/plan.json",
        parts=gather.targets("<results>/{{comparison}}/work/halves/{scatteritem}.npz"),
    output:
        changes=report(
            "<results>/{comparison}/changes.tsv",
            caption="../report/comparison.rst",
            category="Comparisons",
            labels={"comparison": "{comparison}", "file": "changes"},
        ),
        changes_parquet="<results>/{comparison}/changes.parquet",
        edges="<results>/{comparison}/edges.tsv",
        edges_parquet="<results>/{comparison}/edges.parquet",
        genes="<results>/{comparison}/genes.tsv",
        graphml="<results>/{comparison}/network.graphml",
        provenance="<results>/{comparison}/provenance.json",
        networks=directory("<results>/{comparison}/networks"),
    log:
        "<results>/{comparison}/work/logs/comparison.log",
    benchmark:
        "<results>/{comparison}/work/benchmarks/comparison.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=joint_graphs(2000, 600, 10),
        runtime=minutes(60, 120),
    params:
        comparison=whole_comparison,
        regression=COMPARING,
        top_edges=config["exports"]["top_edges"],
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/comparison.py"


rule comparison_report:
    """Write one readable page about a comparison."""
    input:
        comparison=rules.comparison.output,
    output:
        html=report(
            "<results>/{comparison}/report.html",
            caption="../report/comparison.rst",
            category="Reports",
            labels={"comparison": "{comparison}", "file": "report"},
        ),
    log:
        "<results>/{comparison}/work/logs/comparison_report.log",
    benchmark:
        "<results>/{comparison}/work/benchmarks/comparison_report.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000, 20),
        runtime=minutes(20, 60),
    params:
        version=VERSION,
    script:
        "../scripts/comparison_report.py"
