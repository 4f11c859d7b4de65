"""The same small expression matrix in every format that is read."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from scipy import io as scipy_io
from scipy import sparse

SAMPLES = [f"s{i}" for i in range(6)]
GENES = [f"g{i}" for i in range(4)]


def counts() -> np.ndarray:
    """Counts with zeros, 6 samples x 4 genes; none of the rows and columns is zero or constant."""
    return np.random.default_rng(0).poisson(2.0, size=(6, 4)).astype(float)


def adata(matrix=None, **layers) -> ad.AnnData:
    matrix = counts() if matrix is None else matrix
    obs = pd.DataFrame({"batch": ["a", "b"] * 3}, index=SAMPLES)
    var = pd.DataFrame({"symbol": [f"sym{i}" for i in range(4)]}, index=GENES)
    return ad.AnnData(matrix, obs=obs, var=var, layers=layers)


def tsv(folder: Path) -> Path:
    path = folder / "x.tsv"
    pd.DataFrame(counts(), SAMPLES, GENES).to_csv(path, sep="\t")
    return path


def csv_gz(folder: Path) -> Path:
    path = folder / "x.csv.gz"
    pd.DataFrame(counts(), SAMPLES, GENES).to_csv(path)
    return path


def h5ad_dense(folder: Path) -> Path:
    path = folder / "dense.h5ad"
    adata().write_h5ad(path)
    return path


def h5ad_csr(folder: Path) -> Path:
    path = folder / "csr.h5ad"
    adata(sparse.csr_matrix(counts())).write_h5ad(path)
    return path


def h5ad_csc(folder: Path) -> Path:
    path = folder / "csc.h5ad"
    adata(sparse.csc_matrix(counts())).write_h5ad(path, compression="gzip")
    return path


def h5ad_int(folder: Path) -> Path:
    path = folder / "int.h5ad"
    adata(counts().astype(np.int64)).write_h5ad(path)
    return path


def h5ad_float16(folder: Path) -> Path:
    path = folder / "half.h5ad"
    adata(counts().astype(np.float16)).write_h5ad(path)
    return path


def parquet_index(folder: Path) -> Path:
    path = folder / "index.parquet"
    pd.DataFrame(counts(), SAMPLES, GENES).to_parquet(path)
    return path


def parquet_column(folder: Path) -> Path:
    path = folder / "column.parquet"
    frame = pd.DataFrame(counts().astype(int), columns=GENES)
    frame.insert(0, "sample", SAMPLES)
    frame.to_parquet(path)
    return path


def loom(folder: Path) -> Path:
    path = folder / "x.loom"
    with h5py.File(path, "w") as handle:
        handle["matrix"] = counts().T.astype(np.float32)
        handle["layers/spliced"] = counts().T + 1
        handle["row_attrs/Gene"] = np.array(GENES, dtype=h5py.string_dtype())
        handle["row_attrs/Accession"] = np.array([f"acc{i}" for i in range(4)], dtype="S")
        handle["col_attrs/CellID"] = np.array(SAMPLES, dtype=h5py.string_dtype())
        handle["col_attrs/batch"] = np.array(["a", "b"] * 3, dtype=h5py.string_dtype())
        handle["col_attrs/depth"] = counts().sum(axis=1)
        handle.create_group("row_graphs")
    return path


def tenx(folder: Path, *, zipped: bool = True, old: bool = False, prefix: str = "") -> Path:
    folder = folder / "tenx"
    folder.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scipy_io.mmwrite(folder / "matrix.mtx", sparse.coo_matrix(counts().T.astype(int)), field="integer")
    (folder / "matrix.mtx").rename(folder / "raw.tmp")
    files = {f"{prefix}matrix.mtx": (folder / "raw.tmp").read_bytes()}
    (folder / "raw.tmp").unlink()
    rows = [f"ENSG{i}\t{gene}" + ("" if old else "\tGene Expression") for i, gene in enumerate(GENES)]
    files[f"{prefix}{'genes' if old else 'features'}.tsv"] = ("\n".join(rows) + "\n").encode()
    files[f"{prefix}barcodes.tsv"] = ("\n".join(SAMPLES) + "\n").encode()
    for name, content in files.items():
        path = folder / (name + ".gz" if zipped else name)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return folder


def tenx_old(folder: Path) -> Path:
    return tenx(folder, zipped=False, old=True)
