"""What removing hidden factors, or a batch-like covariate, does to the ranking and to the network on real compendia.

    python benchmarks/hidden_factors.py [--sets precise bsubtilis] [--factors 0 1 2 3 5 10 20 auto] [--subsamples 20]

PRECISE (scored by the DREAM5 gold standard and by the larger RegulonDB one) and B. subtilis, normalized by default.
Covariate: the project of PRECISE (21 laboratories' studies); the series of B. subtilis (letters of the sample's name);
`covariate+auto` takes it and the factors that parallel analysis finds in what it leaves.
Average precision over all pairs of the gold standard, beside |Pearson| of the data as they are, and for PRECISE also
without the pairs of one operon; edges at fdr 0.1, and the share that the gold standard lists of those that it can
judge. Reads NETINFER_DATA. With fewer than 100 half-samples
the figures are those of a shorter run: the ranking hardly changes, the number of edges does.
"""

from __future__ import annotations

import argparse
import time
import warnings

import pandas as pd
from accuracy import DATA, load

import netinfer as ni
from netinfer.io import read_annotation, read_gold

GOLDS = {
    "precise": ("ecoli_precise/gold_dream5_net3.tsv.gz", "ecoli_precise/gold_trn_positives.tsv.gz"),
    "bsubtilis": ("bsubtilis_inferelator/gold.tsv.gz",),
}
FACTORS = ["0", "1", "2", "3", "5", "10", "20", "auto", "covariate", "covariate+auto"]
ANNOTATIONS = {"precise": "ecoli_precise/raw/gene_table.csv.gz"}


def covariate(name: str, adata) -> str:
    if name == "precise":
        sheet = pd.read_csv(DATA / "ecoli_precise" / "raw" / "sample_table.csv.gz", index_col=0)
        adata.obs["project"] = sheet["project"].reindex(adata.obs_names).astype(str).to_numpy()
        return "project"
    series = adata.obs_names.str.extract(r"^([A-Za-z]*)", expand=False)
    size = series.value_counts()
    adata.obs["series"] = [s if s and size[s] >= 4 else "other" for s in series]
    return "series"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", default=list(GOLDS), choices=list(GOLDS))
    parser.add_argument("--factors", nargs="*", default=FACTORS)
    parser.add_argument("--subsamples", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)
    rows = []
    for name in options.sets:
        adata, _ = load(name)
        column = covariate(name, adata)
        annotation = read_annotation(DATA / ANNOTATIONS[name]) if name in ANNOTATIONS else None
        golds = [read_gold(DATA / path) for path in GOLDS[name]]
        for asked in options.factors:
            factors = asked.removeprefix("covariate").removeprefix("+") or "0"
            treatment: dict = {"hidden_factors": int(factors) if factors.isdigit() else factors}
            if asked.startswith("covariate"):
                treatment["covariates"] = [column]
            began = time.perf_counter()
            net = ni.infer_regression(adata, n_subsamples=options.subsamples, threads=options.threads, **treatment)
            seconds = time.perf_counter() - began
            row = {
                "set": name,
                "projected out": asked.replace("covariate", column) if "covariate" in asked else f"{asked} factors",
                "df": net.provenance["covariate_df"],
                "edges at fdr 0.1": len(net.edges),
            }
            for gold, path in zip(golds, GOLDS[name], strict=True):
                scores = ni.evaluate(net, gold, baseline=adata, annotation=annotation, n_bootstrap=0)
                scores = scores.set_index("metric")
                label = path.split("/")[1].removesuffix(".tsv.gz")
                row[f"{label}: average precision"] = scores.loc["average_precision", "value"]
                row[f"{label}: |Pearson|"] = scores.loc["average_precision", "baseline"]
                row[f"{label}: edges listed"] = scores.loc["precision_at_cut", "value"]
                if annotation is not None:
                    row[f"{label}: without operons"] = scores.loc["average_precision_without_operon", "value"]
            rows.append(row | {"seconds": round(seconds, 1)})
            print(rows[-1], flush=True)
    for name in options.sets:
        table = pd.DataFrame([row for row in rows if row["set"] == name])
        print(table.round(4).to_markdown(index=False), "\n")


if __name__ == "__main__":
    main()
