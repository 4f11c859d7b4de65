"""Replicates are not independent: null data, observed against expected false edges, by blocks and by samples.

    python benchmarks/null_replicates.py [--seeds 4]

10 conditions x 3 replicates, no true edge; every gene has its own random effect of each condition, which the
replicates share. An expected 1 false edge is asked for; the sum over seeds is compared with what was chosen.
"""

from __future__ import annotations

import argparse

import pandas as pd

import netinfer as ni
from netinfer import simulate

SIZES = ((20, 100), (60, 200))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4)
    options = parser.parse_args()
    rows = []
    for n_regulators, n_targets in SIZES:
        for model in ("elastic_net", "lasso"):
            for rule in ("meinshausen_buhlmann", "shah_samworth"):
                for unit in ("condition", "sample"):
                    observed, expected = 0, 0.0
                    for seed in range(options.seeds):
                        adata, _ = simulate.null_replicates(10, 3, n_regulators, n_targets, seed=seed)
                        adata.obs = adata.obs[["condition"]].assign(sample=adata.obs_names)
                        net = ni.infer_regression(
                            adata, model=model, rule=rule, block=unit, expected_false_edges=1.0, seed=seed, threads=1
                        )
                        observed += len(net.edges)
                        expected += 1.0
                    rows.append((n_regulators, n_targets, model, rule, unit, expected, observed))
    names = ["regulators", "targets", "model", "rule", "unit", "asked: at most", "observed"]
    print(pd.DataFrame(rows, columns=names).to_markdown(index=False))


if __name__ == "__main__":
    main()
