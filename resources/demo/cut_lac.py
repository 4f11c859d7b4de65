"""Cut the demo library of promoter mutants from the sort-seq data that the package mavenn (MIT) carries.

    python resources/demo/cut_lac.py PATH/TO/site-packages/mavenn resources/demo

Needs numpy and pandas only; mavenn's data file is read by path. The same input gives the same bytes.

The rule: the 8,000 sequences whose SHA-256 hash is smallest, a fixed draw that looks at no activity. A sequence's
activity is the mean of the bins that its reads were sorted into (0 darkest, 9 brightest).
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd

N_SEQUENCES = 8000
N_BINS = 10


def main(package: Path, folder: Path) -> None:
    """Read the package's file and write the cut."""
    with gzip.open(package / "examples" / "datasets" / "sortseq_data.csv.gz") as handle:
        table = pd.read_csv(handle)
    counts = table[[f"ct_{i}" for i in range(N_BINS)]].to_numpy(dtype=float)
    reads = counts.sum(axis=1)
    cut = pd.DataFrame(
        {
            "sequence": table["x"],
            "mean_bin": (counts @ np.arange(N_BINS) / reads).round(4),
            "n_reads": reads.astype(int),
            "set": table["set"].where(table["set"] == "test", "fit"),
        }
    )
    key = cut["sequence"].map(lambda text: hashlib.sha256(text.encode()).hexdigest())
    kept = cut.loc[key.sort_values(kind="stable").index[:N_SEQUENCES]].sort_index()
    text = kept.to_csv(sep="\t", index=False, lineterminator="\n").encode()
    with (folder / "lac.tsv.gz").open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
