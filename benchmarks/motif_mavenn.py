"""MAVE-NN's additive and pairwise models of the splice sites, on the split of `benchmarks/motif.py mpsa`.

    PYTHON_WITH_MAVENN benchmarks/motif_mavenn.py [--predictions FILE]

Runs in an environment of its own (`pip install mavenn`, which brings tensorflow; 1.1.4 was used) and imports nothing
of netinfer. Settings are those of the package's own tutorial on these data (3_splicing_mpra_multiple_gpmaps): global
epistasis, that is, a monotonic curve on top of the sum over bases or pairs, skewed-t noise. Scored on the test set:
R2 and r of the predictions, and the information between prediction and measurement by the package's estimator.
--predictions takes a table with a column for each other model's predictions of the test set, as `motif.py mpsa
--mavenn` hands them over, and scores them alike.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

DATA = Path(os.environ.get("NETINFER_DATA", Path(__file__).parents[2] / "shared" / "data"))
MODEL = {"alphabet": "rna", "regression_type": "GE", "ge_noise_model_type": "SkewedT", "ge_heteroskedasticity_order": 2}
FIT = {
    "learning_rate": 0.001, "epochs": 1000, "batch_size": 200, "early_stopping": True, "early_stopping_patience": 10,
    "linear_initialization": False, "verbose": False,
}  # fmt: skip


def main() -> None:
    """Fit, and print the table."""
    import mavenn
    from mavenn.src.entropy import mi_continuous

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--predictions", type=Path)
    options = parser.parse_args()
    table = pd.read_csv(DATA / "mpsa_brca2" / "mpsa_data.csv.gz")
    is_test = (table["set"] == "test").to_numpy()
    train, test = table[~is_test], table[is_test]
    predicted = {}
    for kind, batch in (("additive", 200), ("pairwise", 50)):
        mavenn.src.utils.set_seed(0)
        began = time.perf_counter()
        model = mavenn.Model(L=len(table["x"].iloc[0]), gpmap_type=kind, **MODEL)
        model.set_data(
            x=train["x"].to_numpy(), y=train["y"].to_numpy(), validation_flags=(train["set"] == "validation").to_numpy()
        )
        model.fit(**{**FIT, "batch_size": batch})
        predicted[f"MAVE-NN, {kind}"] = model.x_to_yhat(test["x"].to_numpy()).ravel()
        print(f"{kind}: {time.perf_counter() - began:.0f} s")
    if options.predictions:
        others = pd.read_csv(options.predictions, sep="\t")
        predicted |= {name: others[name].to_numpy() for name in others}
    y = test["y"].to_numpy()
    rows = []
    for name, values in predicted.items():
        # A little noise breaks ties, as the package does itself.
        jittered = values + 0.01 * values.std() * np.random.default_rng(0).standard_normal(len(values))
        information, error = mi_continuous(jittered, y, knn=5, uncertainty=True, use_LNC=False)
        rows.append(
            {
                "model": name,
                "test R2": 1.0 - ((y - values) ** 2).sum() / ((y - y.mean()) ** 2).sum(),
                "test r": np.corrcoef(values, y)[0, 1],
                "information, bits": information,
                "s.e.": error,
            }
        )
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    main()
