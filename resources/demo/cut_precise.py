"""Cut the demo data set from the PRECISE compendium that the package pymodulon (MIT) carries.

    python resources/demo/cut_precise.py PATH/TO/site-packages/pymodulon resources/demo

Needs numpy and pandas only; pymodulon's data files are read by path. The same input gives the same bytes.

The rule looks at RegulonDB's network alone, never at expression or at how well a method does:

1. A regulator of `trn.csv` counts if its name, without hyphens and ignoring case, is the name of one gene with
   expression (metabolites, tRNAs and complexes of several genes are left out, and genes whose name occurs twice).
2. The 60 regulators with most targets are kept (ties by name).
3. The genes are these regulators and, regulator after regulator in that order, each regulator's next target, until
   there are 450. Within a regulator the order is the SHA-256 hash of the target's locus tag: a fixed draw.
4. The gold standard is every pair of a kept regulator and another kept gene, marked 1 where RegulonDB has it.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path

import pandas as pd

N_REGULATORS = 60
N_GENES = 450
DECIMALS = 4
SIGNS = {"+": 1, "-": -1}  # anything else (both, unknown) is 0


def read_trn(folder: Path, genes: pd.DataFrame) -> pd.DataFrame:
    """Return RegulonDB's edges between named genes as regulator, target (gene names) and effect."""
    trn = pd.read_csv(folder / "trn.csv", keep_default_na=False)
    by_lower = {name.lower(): name for name in genes["gene_name"]}
    trn["source"] = trn["regulator"].str.replace("-", "", regex=False).str.lower().map(by_lower)
    trn["target"] = trn["gene_id"].map(genes["gene_name"])
    trn = trn.dropna(subset=["source", "target"])
    trn = trn[trn["source"] != trn["target"]]
    return trn.drop_duplicates(["source", "target"])


def choose(trn: pd.DataFrame, locus_of: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the regulators and the genes (regulators first) of the cut."""
    n_targets = trn.groupby("source").size()
    regulators = sorted(n_targets.index, key=lambda name: (-n_targets[name], name))[:N_REGULATORS]
    queues = {
        name: sorted(
            trn.loc[trn["source"] == name, "target"],
            key=lambda gene: hashlib.sha256(locus_of[gene].encode()).hexdigest(),
        )
        for name in regulators
    }
    genes = dict.fromkeys(regulators)
    while len(genes) < N_GENES:
        for name in regulators:
            while queues[name] and queues[name][0] in genes:
                queues[name].pop(0)
            if queues[name] and len(genes) < N_GENES:
                genes[queues[name].pop(0)] = None
    return regulators, list(genes)


def sample_sheet(folder: Path) -> pd.DataFrame:
    """Return the sheet; `replicate_group` (project and condition) names the independent unit."""
    raw = pd.read_csv(folder / "sample_table.csv", keep_default_na=False)
    sheet = pd.DataFrame({"sample": raw["Sample ID"], "project": raw["project"], "condition": raw["condition"]})
    sheet["replicate_group"] = raw["project"] + "__" + raw["condition"]
    sheet["replicate"] = raw["Replicate #"]
    sheet["strain"] = raw["Strain"]
    sheet["medium"] = raw["Base Media"]
    sheet["carbon_source"] = raw["Carbon Source (g/L)"]
    return sheet


def write(frame: pd.DataFrame, path: Path, **options: object) -> None:
    """Write a tab-separated table with Unix line ends; gzip without time stamp or name."""
    data = frame.to_csv(sep="\t", lineterminator="\n", **options).encode()
    path.write_bytes(gzip.compress(data, compresslevel=9, mtime=0) if path.suffix == ".gz" else data)


def main(package: Path, out: Path) -> None:
    """Read the package's E. coli data and write the demo files."""
    folder = package / "data" / "ecoli"
    expression = pd.read_csv(folder / "log_tpm.csv", index_col=0)
    genes = pd.read_csv(folder / "gene_table.csv", index_col=0).rename_axis("locus_tag")
    genes = genes[genes.index.isin(expression.index)]
    genes = genes[~genes["gene_name"].str.lower().duplicated(keep=False)]
    trn = read_trn(folder, genes)
    locus_of = {name: locus for locus, name in genes["gene_name"].items()}
    regulators, chosen = choose(trn, locus_of)
    chosen.sort(key=locus_of.__getitem__)  # the order of the genome

    cut = expression.loc[[locus_of[name] for name in chosen]].T.round(DECIMALS)
    cut.columns = chosen
    sheet = sample_sheet(folder)
    cut = cut.loc[sheet["sample"]].rename_axis("sample")

    positives = {(row.source, row.target): SIGNS.get(row.effect, 0) for row in trn.itertuples()}
    gold = pd.DataFrame(
        [
            (source, target, int((source, target) in positives), positives.get((source, target), 0))
            for source in sorted(regulators)
            for target in chosen
            if source != target
        ],
        columns=["source", "target", "is_edge", "sign"],
    )
    table = genes.loc[[locus_of[name] for name in chosen], ["gene_name", "start", "end", "strand", "operon"]]

    out.mkdir(parents=True, exist_ok=True)
    write(cut, out / "expression.tsv.gz", float_format=f"%.{DECIMALS}f")
    (out / "regulators.txt").write_text("".join(f"{name}\n" for name in sorted(regulators)), encoding="utf-8")
    write(gold, out / "gold.tsv.gz", index=False)
    write(sheet, out / "samples.tsv", index=False)
    write(table.reset_index().set_index("gene_name"), out / "genes.tsv")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python cut_precise.py PATH/TO/pymodulon OUTPUT_FOLDER")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
