from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[2]
N_SAMPLES, N_GENES, N_REGULATORS = 48, 200, 8
# Few and small fits: what is tested is the way of the files, not the statistics.
REGRESSION = {"n_subsamples": 10, "n_penalties": 6}
# Too few half-samples for an error bound to be met; this cut is met whatever the default rule.
CUT = {"selection_probability": 0.8}


def simulated(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return expression (samples x genes, log-like) and its true edges."""
    rng = np.random.default_rng(seed)
    names = [f"tf{i}" for i in range(N_REGULATORS)] + [f"g&<{i}>" for i in range(N_GENES - N_REGULATORS)]
    x = rng.standard_normal((N_SAMPLES, N_GENES))
    edges = []
    for j in range(N_REGULATORS, N_GENES):
        i = int(rng.integers(N_REGULATORS))
        x[:, j] += 1.5 * x[:, i] * (1 if j % 2 else -1)
        edges.append((names[i], names[j]))
    frame = pd.DataFrame(6 + x, index=[f"s{i}" for i in range(N_SAMPLES)], columns=names)
    return frame, pd.DataFrame(edges, columns=["source", "target"])


@dataclass
class Project:
    """A project folder made by `netinfer init`, with small data."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}

    def configure(self, *names: str, **keys: object) -> None:
        """Write the config; a name is that of a file's form: csv, h5ad, sparse."""
        suffix = {"csv": "csv", "h5ad": "h5ad", "sparse": "sparse.h5ad"}
        datasets = [
            {
                "name": name,
                "expression": f"data/expression.{suffix[name]}",
                "regulators": "data/regulators.txt",
                "gold": "data/gold.tsv",
                "normalize": "none",
            }
            for name in names or ("csv",)
        ]
        config = {"datasets": datasets, "regression": REGRESSION, "cut": CUT, "chunks": 3, **keys}
        (self.folder / "config" / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    def snakemake(self, *options: str, cores: int = 2) -> subprocess.CompletedProcess[str]:
        return self.run("snakemake", "--cores", str(cores), *options)

    def netinfer(self, *options: str) -> subprocess.CompletedProcess[str]:
        return self.run("netinfer.cli", *options)

    def run(self, module: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", module, *options]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=600, check=False
        )

    def read(self, name: str, dataset: str = "csv") -> bytes:
        return (self.folder / "results" / dataset / name).read_bytes()


def make_project(folder: Path) -> Project:
    import anndata
    from scipy import sparse

    from netinfer.project import init_project

    project = Project(init_project(folder))
    data = folder / "data"
    data.mkdir()
    frame, gold = simulated()
    frame.to_csv(data / "expression.csv")
    genes = pd.DataFrame(index=pd.Index(frame.columns, dtype=object))
    samples = pd.DataFrame(index=pd.Index(frame.index, dtype=object))
    anndata.AnnData(frame.to_numpy(), obs=samples, var=genes).write_h5ad(data / "expression.h5ad")
    anndata.AnnData(sparse.csr_matrix(frame.to_numpy()), obs=samples, var=genes).write_h5ad(
        data / "expression.sparse.h5ad"
    )
    gold.to_csv(data / "gold.tsv", sep="\t", index=False)
    (data / "regulators.txt").write_text("".join(f"tf{i}\n" for i in range(N_REGULATORS)))
    project.configure()
    return project


@pytest.fixture(scope="session")
def new_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    return lambda: make_project(tmp_path_factory.mktemp("project") / "p")


@pytest.fixture(scope="session")
def finished(new_project: Callable[[], Project]) -> Project:
    """A project after one undisturbed run over the same matrix in three forms; tests only read it."""
    project = new_project()
    project.configure("csv", "h5ad", "sparse")
    done = project.snakemake()
    assert done.returncode == 0, done.stderr[-3000:]
    return project
