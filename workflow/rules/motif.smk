rule promoter_motifs:
    """Match motifs in the promoters of a data set's genes, in bins of distance."""
    input:
        h5ad="<results>/{dataset}/work/normalized.h5ad",
        annotation=data_file("annotation"),
        files=motif_files(*SCANNED_FILES),
        kernels="<results>/.netinfer/kernels.txt",
    output:
        scores="<results>/{dataset}/work/motif/scores.npz",
    log:
        "<results>/{dataset}/work/logs/promoter_motifs.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/promoter_motifs.tsv"
    # Before the long fits of the network: what is wrong with genome, starts or motifs is seen here.
    priority: 100
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=genome(4000),
        runtime=minutes(60, 60),
    params:
        motif=motif_setting(SCANNING),
        version=VERSION,
    script:
        "../scripts/promoter_motifs.py"


rule motif_links:
    """Ask of one share of the regulators which motifs the promoters of their targets have."""
    input:
        network=rules.network.output,
        scores="<results>/{dataset}/work/motif/scores.npz",
        annotation=data_file("annotation"),
        files=motif_files("motif_of", "starts"),
    output:
        # Files, since Snakemake sees no change of the params of a rule that only makes a folder.
        record="<results>/{dataset}/work/motif/{scatteritem}/links.json",
        tables=multiext(
            "<results>/{dataset}/work/motif/{scatteritem}/",
            "regulators.tsv",
            "edges.tsv",
            "motifs.tsv",
            "bins.tsv",
        ),
    log:
        "<results>/{dataset}/work/logs/motif/{scatteritem}.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/motif/{scatteritem}.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000, 20),
        runtime=minutes(240, 240),
    params:
        motif=motif_setting(LINKING),
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/motif_links.py"


rule motif:
    """Join the shares and write which edges of the network have a motif in the promoter of their target."""
    input:
        network=rules.network.output,
        parts=gather.targets(
            "<results>/{{dataset}}/work/motif/{scatteritem}/links.json"
        ),
    output:
        regulators=report(
            "<results>/{dataset}/motif/links/regulators.tsv",
            caption="../report/motif.rst",
            category="Motifs",
            labels={"data set": "{dataset}", "file": "regulators"},
        ),
        edges=report(
            "<results>/{dataset}/motif/links/edges.tsv",
            caption="../report/motif.rst",
            category="Motifs",
            labels={"data set": "{dataset}", "file": "edges with a motif"},
        ),
        motifs="<results>/{dataset}/motif/links/motifs.tsv",
        bins="<results>/{dataset}/motif/links/bins.tsv",
        graphml="<results>/{dataset}/motif/links/network.graphml",
        record="<results>/{dataset}/motif/links/links.json",
    log:
        "<results>/{dataset}/work/logs/motif.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/motif.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000, 20),
        runtime=minutes(20, 60),
    params:
        version=VERSION,
    script:
        "../scripts/motif.py"


rule motif_responses:
    """Find the motifs, and where asked for the positions, that go with responses of the genes."""
    input:
        h5ad="<results>/{dataset}/work/normalized.h5ad",
        annotation=data_file("annotation"),
        scores="<results>/{dataset}/work/motif/scores.npz",
        files=motif_files("responses", "genome", "starts"),
    output:
        table=report(
            "<results>/{dataset}/motif/responses.tsv",
            caption="../report/motif.rst",
            category="Motifs",
            labels={"data set": "{dataset}", "file": "responses"},
        ),
        folder=directory("<results>/{dataset}/motif/responses"),
    log:
        "<results>/{dataset}/work/logs/motif_responses.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/motif_responses.tsv"
    priority: 90
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=genome(4000),
        runtime=minutes(240, 240),
    params:
        motif=motif_setting(RESPONDING),
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/motif_responses.py"
