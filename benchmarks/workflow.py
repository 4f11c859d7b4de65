"""Wall time and memory of the whole workflow: demo, PRECISE, or a simulated human-size set.

    python benchmarks/workflow.py demo|precise|human [--model elastic_net|lasso] [--cores 2] [--keep FOLDER]

Runs `snakemake --cores N` in an empty project folder and prints wall time, the jobs' own time, what is left for
Snakemake itself, the largest memory of any job, and the worst duality gap. PRECISE reads NETINFER_DATA. The human-size
set has 100 samples, 15,000 targets (1,500 of them regulators), the Lasso path to 0.1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("NETINFER_DATA", ROOT.parent / "shared" / "data"))


def dataset(name: str, folder: Path) -> dict:
    if name == "demo":
        demo = ROOT / "resources" / "demo"
        files = {"expression": "expression.tsv.gz", "regulators": "regulators.txt"}
        files |= {"samples": "samples.tsv", "gold": "gold.tsv.gz"}
        return {"name": name, **{key: str(demo / file) for key, file in files.items()}, "block": "replicate_group"}
    if name == "precise":
        here = DATA / "ecoli_precise"
        files = {"expression": "expression.tsv.gz", "regulators": "regulators.txt", "gold": "gold_dream5_net3.tsv.gz"}
        return {"name": name, **{key: str(here / file) for key, file in files.items()}}
    from netinfer import simulate

    adata, _ = simulate.sparse_linear(100, 1500, 13500, n_modules=60, seed=0)
    adata.write_h5ad(folder / "expression.h5ad")
    regulators = folder / "regulators.txt"
    regulators.write_text("\n".join(adata.var_names[adata.var["is_regulator"]]) + "\n")
    return {"name": name, "expression": str(folder / "expression.h5ad"), "regulators": str(regulators)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["demo", "precise", "human"])
    parser.add_argument("--model", default="elastic_net", choices=["elastic_net", "lasso"])
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder to run in, kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        regression = {"model": options.model}
        if options.name == "human":
            regression = {"model": "lasso", "ranking_penalty": 0.1}
        config = {"datasets": [dataset(options.name, folder)], "regression": regression, "chunks": 8}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile"), "--quiet"]
        command += [
            "--cores",
            str(options.cores),
            "--directory",
            str(folder),
            "--configfile",
            str(folder / "config.yaml"),
        ]
        # The workflow's own `configfile:` is relative to the working directory.
        (folder / "config").mkdir(exist_ok=True)
        (folder / "config" / "config.yaml").write_text(yaml.safe_dump(config))
        began = time.perf_counter()
        subprocess.run(command, check=True)
        wall = time.perf_counter() - began
        report(folder / "results" / options.name, wall, options, regression["model"])


def report(results: Path, wall: float, options: argparse.Namespace, model: str) -> None:
    rows = []
    for file in sorted((results / "work" / "benchmarks").rglob("*.tsv")):
        table = pd.read_csv(file, sep="\t", na_values="-")
        rows.append(
            (file.relative_to(results / "work" / "benchmarks").parts[0], table["s"].iloc[0], table["max_rss"].iloc[0])
        )
    jobs = pd.DataFrame(rows, columns=["step", "s", "max_rss"])
    jobs["step"] = jobs["step"].str.removesuffix(".tsv")
    table = jobs.groupby("step", sort=False).agg(
        jobs=("s", "size"), seconds=("s", "sum"), max_rss_mb=("max_rss", "max")
    )
    print(table.round(1).to_markdown())
    manifest = json.loads((results / "manifest.json").read_text())
    targets = pd.read_csv(results / "targets.tsv", sep="\t", keep_default_na=False, na_values=[""])
    edges = sum(1 for _ in (results / "edges.tsv").open()) - 1
    busy = jobs["s"].sum() / options.cores
    print(
        f"{options.name}, model {model}, {options.cores} cores: wall {wall:.0f} s; jobs {jobs['s'].sum():.0f} s of "
        f"core time; Snakemake's share and idle cores {wall - busy:.0f} s; largest job {jobs['max_rss'].max():.0f} MB; "
        f"{len(targets)} targets, worst relative duality gap {targets['duality_gap'].max():.1e}, "
        f"not converged {(targets['status'] == 'not_converged').sum()}; {edges} edges at the cut; "
        f"netinfer {manifest.get('netinfer', manifest.get('versions', {}).get('netinfer', '?'))}"
    )


if __name__ == "__main__":
    main()
