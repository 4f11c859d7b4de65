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
