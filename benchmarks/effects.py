"""Do the intervals of effects cover what they are for? Simulated networks with a known population.

    python benchmarks/effects.py [--networks 10]

The target of inference is the coefficient in the selected submodel: for each half-sample that selected a regulator, the
population coefficient of the target on the regulators selected with it; an edge's target is their median, as the
effect is the median of the estimates. The designs are those of benchmarks/calibration.py with 100 and 300 samples.
Prints, over the edges at fdr 0.1 and over the 20 strongest candidates of each network, the share of 95 % intervals that
cover it.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
from calibration import SETTINGS, Setting, draw

from netinfer.config import RegressionConfig
from netinfer.kernels import thread_limit
from netinfer.models.regression import gather, problem_from_arrays
from netinfer.models.regression.chunk import Chunk
from netinfer.models.regression.part import settings_hash
from netinfer.models.regression.sums import SumsFile


def submodel_target(covariance: np.ndarray, cross: np.ndarray, chosen: np.ndarray, regulator: int) -> float:
    """Return the median, over the splits that chose a regulator, of its population coefficient beside those chosen.

    covariance : (p, p); cross : (p,) with the target; chosen : (n_splits, n_most), -1 where none
    """
    values = []
    for row in chosen[(chosen == regulator).any(axis=1)]:
        places = row[row >= 0]
        coefficients = np.linalg.solve(covariance[np.ix_(places, places)], cross[places])
        values.append(coefficients[np.flatnonzero(places == regulator)[0]])
    return float(np.median(values))


def covered(setting: Setting, seed: int) -> list[tuple]:
    """Return one row an edge or strong candidate: setting, kind, whether the interval covers, its width."""
    network = draw(setting, np.random.default_rng([setting.n, setting.p, setting.is_modular, seed]))
    n_targets = network.Y.shape[1]
    names = [f"r{j}" for j in range(setting.p)], [f"t{j}" for j in range(n_targets)]
    problem = problem_from_arrays(network.X, network.Y, regulator_names=names[0], target_names=names[1])
    settings = RegressionConfig()
    with thread_limit(1), ThreadPoolExecutor(1) as pool:
        work = Chunk(problem, slice(0, n_targets), settings, 1)
        part = work.run(seed, pool, (1, 1), settings_hash(problem, settings, seed), SumsFile(None, "", 100))
    net = gather(problem, [part], settings=settings, seed=seed)
    rows = []
    for kind, frame in (("edges at fdr 0.1", net.edges), ("20 strongest candidates", net.candidates.head(20))):
        for edge in frame[frame["effect_low"].notna()].itertuples():
            t, j = int(edge.target[1:]), int(edge.source[1:])
            target = submodel_target(network.covariance, network.cross[t], work.chosen[t], j)
            is_covered = edge.effect_low <= target <= edge.effect_high
            rows.append((setting.label, kind, is_covered, edge.effect_high - edge.effect_low))
    return rows


def main() -> None:
    """Print the coverage by setting, and over all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=10)
    options = parser.parse_args()
    settings = [setting for setting in SETTINGS if setting.n in (100, 300) and not setting.is_heavy]
    rows = [row for setting in settings for seed in range(options.networks) for row in covered(setting, seed)]
    table = pd.DataFrame(rows, columns=["setting", "kind", "covered", "width"])
    for keys in (["kind", "setting"], ["kind"]):
        grouped = table.groupby(keys, sort=False)
        shown = grouped.agg(intervals=("covered", "size"), coverage=("covered", "mean"), width=("width", "median"))
        print(shown.reset_index().round(3).to_markdown(index=False), "\n")


if __name__ == "__main__":
    main()
