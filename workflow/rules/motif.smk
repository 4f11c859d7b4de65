rule motif_library:
    """Find the positions of a library's sequences that go with their activity, and write the models."""
    input:
        files=library_files,
        kernels="<results>/.netinfer/kernels.txt",
    output:
        models=report(
            "<results>/{library}/models.tsv",
            caption="../report/library.rst",
            category="Libraries",
            labels={"library": "{library}", "file": "models"},
        ),
        folder=directory("<results>/{library}/motif"),
    log:
        "<results>/{library}/work/logs/motif_library.log",
    benchmark:
        "<results>/{library}/work/benchmarks/motif_library.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000, 50),
        runtime=minutes(120, 240),
    params:
        library=whole_library,
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/motif_library.py"


rule motif_library_report:
    """Write one readable page about a library."""
    input:
        models=rules.motif_library.output.models,
        folder=rules.motif_library.output.folder,
    output:
        html=report(
            "<results>/{library}/report.html",
            caption="../report/library.rst",
            category="Reports",
            labels={"library": "{library}", "file": "report"},
        ),
    log:
        "<results>/{library}/work/logs/motif_library_report.log",
    benchmark:
        "<results>/{library}/work/benchmarks/motif_library_report.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000, 20),
        runtime=minutes(20, 60),
    params:
        version=VERSION,
    script:
        "../scripts/motif_library_report.py"


rule motif_library_manifest:
    """Write the hashes of inputs and outputs, the versions, the seed and the settings of a library."""
    input:
        files=library_files,
        models=rules.motif_library.output.models,
        folder=rules.motif_library.output.folder,
        html="<results>/{library}/report.html",
    output:
        json="<results>/{library}/manifest.json",
    log:
        "<results>/{library}/work/logs/motif_library_manifest.log",
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000, 0),
        runtime=minutes(10, 10),
    params:
        settings=library_settings,
        version=VERSION,
    script:
        "../scripts/motif_library_manifest.py"


rule promoter_motifs:
    """Match motifs in the promoters of a data set's genes, in bins of distance."""
    input:
        preflight=ancient("<results>/{dataset}/work/preflight.json"),
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
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000, 5),
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
        files=motif_files("motif_of"),
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
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000, 20),
        runtime=minutes(240, 240),
    params:
        motif=motif_setting(RESPONDING),
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/motif_responses.py"
