rule network:
    """Cut the candidates at the wished error and write what Cytoscape and notebooks open."""
    input:
        h5ad="<results>/{dataset}/work/normalized.h5ad",
        gathered=rules.gather.output,
        annotation=data_file("annotation"),
        phenotype=if_phenotype,
    output:
        edges=report(
            "<results>/{dataset}/edges.tsv",
            caption="../report/edges.rst",
            category="Networks",
            labels={"data set": "{dataset}", "file": "edges"},
        ),
        edges_parquet="<results>/{dataset}/edges.parquet",
        candidates="<results>/{dataset}/candidates.parquet",
        nodes="<results>/{dataset}/nodes.tsv",
        targets=report(
            "<results>/{dataset}/targets.tsv",
            caption="../report/targets.rst",
            category="Networks",
            labels={"data set": "{dataset}", "file": "targets"},
        ),
        graphml="<results>/{dataset}/network.graphml",
        graphml_top="<results>/{dataset}/network_top.graphml",
        h5ad="<results>/{dataset}/network.h5ad",
        provenance="<results>/{dataset}/provenance.json",
        cut="<results>/{dataset}/cut.json",
    log:
        "<results>/{dataset}/work/logs/network.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/network.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000, 10),
        runtime=minutes(20, 60),
    params:
        cut=config["cut"],
        exclude_same_operon=one_setting("exclude_same_operon"),
        top_edges=config["exports"]["top_edges"],
        version=VERSION,
    script:
        "../scripts/network.py"


rule evaluate:
    """Score the ranked candidates against the gold standard, beside |Pearson|."""
    input:
        network=rules.network.output,
        h5ad="<results>/{dataset}/work/normalized.h5ad",
        gold=data_file("gold"),
        annotation=data_file("annotation"),
    output:
        table=report(
            "<results>/{dataset}/evaluation.tsv",
            caption="../report/evaluation.rst",
            category="Evaluation",
            labels={"data set": "{dataset}", "file": "scores"},
        ),
    log:
        "<results>/{dataset}/work/logs/evaluate.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/evaluate.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500, 20),
        runtime=minutes(20, 60),
    params:
        version=VERSION,
    script:
        "../scripts/evaluate.py"


rule report:
    """Write one readable page about a data set."""
    input:
        network=rules.network.output,
        h5ad="<results>/{dataset}/work/normalized.h5ad",
        paths="<results>/{dataset}/work/stability_paths.tsv",
        gold=data_file("gold"),
        evaluation=if_gold(f"{RESULTS}/{{dataset}}/evaluation.tsv"),
        annotation=data_file("annotation"),
        phenotype=if_phenotype,
        sensitivity=if_sensitivity,
        precision=if_precision("edges.tsv"),
        motif=if_motif("links/regulators.tsv"),
        responses=if_responses,
    output:
        html=report(
            "<results>/{dataset}/report.html",
            caption="../report/report.rst",
            category="Reports",
            labels={"data set": "{dataset}", "file": "report"},
        ),
    log:
        "<results>/{dataset}/work/logs/report.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/report.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000, 20),
        runtime=minutes(20, 60),
    params:
        version=VERSION,
    script:
        "../scripts/report.py"


rule manifest:
    """Write the hashes of inputs and outputs, the versions, the seed and the settings of a data set."""
    input:
        preflight="<results>/{dataset}/work/preflight.json",
        expression=data_file("expression"),
        regulators=data_file("regulators"),
        samples=data_file("samples"),
        gold=data_file("gold"),
        annotation=data_file("annotation"),
        network=rules.network.output,
        evaluation=if_gold(f"{RESULTS}/{{dataset}}/evaluation.tsv"),
        phenotype=if_phenotype,
        sensitivity=if_sensitivity,
        precision=if_precision(*GRAPH_FILES),
        motif=if_motif(*MOTIF_FILES),
        responses=if_responses,
        motif_inputs=motif_files(*ALL_MOTIF_FILES),
        lists=other_lists,
        html="<results>/{dataset}/report.html",
    output:
        json="<results>/{dataset}/manifest.json",
    log:
        "<results>/{dataset}/work/logs/manifest.log",
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000, 0),
        runtime=minutes(10, 10),
    params:
        settings=all_settings,
        version=VERSION,
    script:
        "../scripts/manifest.py"
