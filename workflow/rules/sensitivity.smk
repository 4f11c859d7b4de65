rule variants:
    """Infer a share of a data set's variants: another normalization, a group of samples less, another list."""
    input:
        h5ad="<results>/{dataset}/work/ingested.h5ad",
        preflight="<results>/{dataset}/work/preflight.json",
        kernels="<results>/.netinfer/kernels.txt",
        annotation=data_file("annotation"),
        lists=other_lists,
    output:
        table="<results>/{dataset}/work/sensitivity/{scatteritem}.parquet",
        # Another rule, threshold or cut is read from the counts in it, without a fit.
        counts="<results>/{dataset}/work/sensitivity/{scatteritem}.npz",
        record="<results>/{dataset}/work/sensitivity/{scatteritem}.json",
    log:
        "<results>/{dataset}/work/logs/sensitivity/{scatteritem}.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/sensitivity/{scatteritem}.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000, 20),
        runtime=minutes(240, 960),
    params:
        sensitivity=one_setting("sensitivity"),
        preparation=setting(*PREPARING),
        settings=VARYING,
        exclude_same_operon=one_setting("exclude_same_operon"),
        seed=config["seed"],
        version=VERSION,
    script:
        "../scripts/variants.py"


rule sensitivity:
    """Look each edge of the network up in its variants, each bounded and cut as the network is."""
    input:
        network=rules.network.output,
        tables=gather.targets(
            "<results>/{{dataset}}/work/sensitivity/{scatteritem}.parquet"
        ),
        counts=gather.targets(
            "<results>/{{dataset}}/work/sensitivity/{scatteritem}.npz"
        ),
        records=gather.targets(
            "<results>/{{dataset}}/work/sensitivity/{scatteritem}.json"
        ),
    output:
        table=report(
            "<results>/{dataset}/sensitivity.tsv",
            caption="../report/sensitivity.rst",
            category="Sensitivity",
            labels={"data set": "{dataset}", "file": "edges"},
        ),
        variants="<results>/{dataset}/sensitivity_variants.tsv",
        figure=report(
            "<results>/{dataset}/sensitivity.svg",
            caption="../report/sensitivity.rst",
            category="Sensitivity",
            labels={"data set": "{dataset}", "file": "card"},
        ),
    log:
        "<results>/{dataset}/work/logs/sensitivity.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/sensitivity.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000, 10),
        runtime=minutes(20, 60),
    params:
        version=VERSION,
    script:
        "../scripts/sensitivity.py"
