rule phenotype:
    """Select the genes of a trait of the samples."""
    input:
        h5ad="<results>/{dataset}/work/normalized.h5ad",
        kernels="<results>/.netinfer/kernels.txt",
    output:
        model="<results>/{dataset}/phenotype/model.json",
        genes=report(
            "<results>/{dataset}/phenotype/genes.tsv",
            caption="../report/phenotype.rst",
            category="Phenotypes",
            labels={"data set": "{dataset}", "file": "genes"},
        ),
        ranked="<results>/{dataset}/phenotype/genes_ranked.tsv",
    log:
        "<results>/{dataset}/work/logs/phenotype.log",
    benchmark:
        "<results>/{dataset}/work/benchmarks/phenotype.tsv"
    conda:
        "../envs/netinfer.yaml"
    threads: 1
    resources:
        mem_mb=gene_pairs(1500, 10, 10),
        runtime=minutes(60, 240),
    params:
        phenotype=one_setting("phenotype"),
        regression=config["regression"],
        cut=config["cut"],
        seed=config["seed"],
        block=one_setting("block"),
        version=VERSION,
    script:
        "../scripts/phenotype.py"
