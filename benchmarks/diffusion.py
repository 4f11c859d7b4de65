"""Recovery of a diffusion operator: links found and false ones against the number of samples, noise and density.

    python benchmarks/diffusion.py [--seeds 5] [--figure docs/figures/diffusion.png]

49 nodes, one step of heat diffusion (half of each node's signal goes to its neighbours), self-loops free. For each
graph: area under the precision-recall curve of the ranking, beside that of |correlation| of the signals before and
after; links of the network at fdr 0.1 with the bound and the false ones among them; links of the operator (extended
BIC) with its false ones. Medians over seeds for the areas, sums for the counts.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

import netinfer as ni
from netinfer.simulate import diffusion

SIZES = (50, 100, 200, 400, 800)
NOISES = (0.25, 0.5, 1.0, 2.0)
DEGREES = (2.0, 4.0, 8.0)


def one(rule: str, **setting) -> dict[str, float]:
    before, after, operator = diffusion(n_nodes=49, **setting)
    model = ni.infer_diffusion(before, after, rule=rule)
    off = ~np.eye(49, dtype=bool)
    truth = (operator.to_numpy() != 0)[off]
    weight = np.zeros((49, 49))
    place = {name: i for i, name in enumerate(operator.index)}
    for row in model.network.candidates.itertuples():
        weight[place[row.target], place[row.source]] = row.weight
    correlation = np.abs(np.corrcoef(after.to_numpy().T, before.to_numpy().T)[:49, 49:])
    edges = model.network.edges
    false = sum(operator.loc[edge.target, edge.source] == 0 for edge in edges.itertuples())
    found = (model.operator.to_numpy() != 0)[off]
    return {
        "area": average_precision_score(truth, weight[off]),
        "correlation": average_precision_score(truth, correlation[off]),
        "true links": int(truth.sum()),
        "network": len(edges),
        "bound": model.network.cut["expected_false_edges"] or 0.0,
        "false": false,
        "operator": int(found.sum()),
        "operator false": int((found & ~truth).sum()),
    }


def table(graph: str, what: str, values: tuple, seeds: int, rule: str) -> pd.DataFrame:
    rows = []
    for value in values:
        setting = {"graph": graph, "n_samples": 200, "noise": 0.5, **({"degree": 4.0} if graph != "grid" else {})}
        setting[what] = value
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # every fit is certified
            runs = pd.DataFrame([one(rule, seed=seed, **setting) for seed in range(seeds)])
        counts = runs.drop(columns=["area", "correlation"]).sum()
        rows.append({"graph": graph, what: value, **runs[["area", "correlation"]].median(), **counts})
    return pd.DataFrame(rows)


def draw(tables: dict[str, list[pd.DataFrame]], path: Path) -> None:
    from matplotlib.figure import Figure

    from netinfer.plot.axes import COLORS, FAINT, tidy

    labels = {
        "n_samples": "samples", "noise": "noise (standard deviations of the signal)", "degree": "neighbours of a node",
    }  # fmt: skip
    figure = Figure(figsize=(10.5, 3.4), layout="constrained")
    for ax, (what, of_graphs) in zip(figure.subplots(1, len(tables), sharey=True), tables.items(), strict=True):
        for color, frame in zip(COLORS, of_graphs, strict=False):
            name = frame["graph"].iloc[0].replace("_", "-")
            ax.plot(frame[what], frame["area"], "o-", color=color, label=name)
            ax.plot(frame[what], frame["correlation"], "o:", color=color, linewidth=1.0, markersize=3)
        ax.set_xscale("log", base=2)
        ax.set_xticks(of_graphs[0][what].tolist(), [f"{value:g}" for value in of_graphs[0][what]])
        ax.minorticks_off()
        ax.set_xlabel(labels[what])
        ax.set_ylim(0, 1.03)
        ax.axhline(1.0, color=FAINT, linewidth=0.8)
        tidy(ax, grid="y")
    figure.axes[0].set_ylabel("area under precision-recall")
    figure.axes[0].legend(frameon=False, fontsize=9, title="dotted: |correlation|", title_fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rule", default="meinshausen_buhlmann")
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    tables: dict[str, list[pd.DataFrame]] = {}
    for what, values in (("n_samples", SIZES), ("noise", NOISES), ("degree", DEGREES)):
        graphs = ("random", "scale_free") if what == "degree" else ("random", "scale_free", "grid")
        tables[what] = [table(graph, what, values, options.seeds, options.rule) for graph in graphs]
        print(pd.concat(tables[what]).to_markdown(index=False, floatfmt=".3g"), flush=True)
        print()
    if options.figure:
        draw(tables, options.figure)


if __name__ == "__main__":
    main()
