from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer import plot
from netinfer.plot.axes import label

EDGES = pd.DataFrame(
    {
        "source": ["a", "a", "b", "$x_{", "_c", "a"],
        "target": ["g1", "g2", "g1", "基因", "very_long_gene_name_that_does_not_fit", "b"],
        "weight": [0.9, 0.8, 0.5, 0.4, 0.3, 0.2],
        "sign": [1, -1, 1, 1, -1, 1],
    }
)
PATHS = pd.DataFrame(
    {
        "target": "g1",
        "regulator": ["a"] * 3 + ["$b_{"] * 3,
        "penalty": [0.9, 0.3, 0.1] * 2,
        "selection_probability": [0.0, 0.8, 1.0, 0.0, 0.1, 0.3],
    }
)
NET = SimpleNamespace(
    candidates=pd.DataFrame({"expected_false_edges": [0.1, 0.2, 5.0, np.nan]}),
    targets=pd.DataFrame({"target": ["g1", "g2"], "r2_heldout": [0.5, np.nan]}),
    nodes=pd.DataFrame({"name": ["g1", "g2", "a"], "degree_in": [2, 0, 7]}),
    cut={"met": True, "n_edges": 2, "expected_false_edges": 0.2},
)
CURVES = pd.DataFrame(
    {
        "method": ["network"] * 3 + ["|Pearson|"] * 2,
        "recall": [0.1, 0.5, 1, 0.2, 1],
        "precision": [1, 0.4, 0.1, 0.3, 0.1],
    }
)
GRID = np.array([0.6, 0.3, 0.1])
DRAWINGS = {
    "coefficient_path": lambda ax: plot.coefficient_path(
        ni.solvers.lasso_path(np.eye(2), np.array([0.8, -0.5]), GRID), names=["a", "$b_{"], ax=ax
    ),
    "criterion_path": lambda ax: plot.criterion_path(
        ni.choose_penalty(np.vander(np.linspace(-1, 1, 30), 4), np.arange(30) % 7), ax=ax
    ),
    "network_graph": lambda ax: plot.network_graph(EDGES, ax=ax),
    "stability_paths": lambda ax: plot.stability_paths(PATHS, "g1", ax=ax),
    "precision_recall": lambda ax: plot.precision_recall(CURVES, ax=ax),
    "top_regulators": lambda ax: plot.top_regulators(EDGES, ax=ax),
    "regulators_per_target": lambda ax: plot.regulators_per_target(NET, ax=ax),
    "false_edges": lambda ax: plot.false_edges(NET, ax=ax),
    "heldout_r2": lambda ax: plot.heldout_r2(NET.targets, ax=ax),
    "filter_cut": lambda ax: plot.filter_cut(np.arange(50.0), 10, what="samples with a count", ax=ax),
    "component_map": lambda ax: plot.component_map(["batch", "$x_{"], [{"share": 0.4, "r2": [0.9, 0.0]}], ax=ax),
}


def test_every_public_plot_is_tested():
    assert set(DRAWINGS) == set(plot.__all__)


@pytest.mark.parametrize("name", DRAWINGS)
def test_draws_on_given_axes_and_on_its_own_and_returns_them(name, tmp_path):
    from matplotlib.figure import Figure

    given = Figure().subplots()
    assert DRAWINGS[name](given) is given
    own = DRAWINGS[name](None)
    own.figure.savefig(tmp_path / "figure.svg")
    own.figure.savefig(tmp_path / "figure.png")


@pytest.mark.parametrize(
    "name", ["stability_paths", "precision_recall", "regulators_per_target", "false_edges", "heldout_r2"]
)
def test_axes_have_labels(name):
    ax = DRAWINGS[name](None)
    assert ax.get_xlabel()
    assert ax.get_ylabel()


def test_nothing_to_draw_is_said(tmp_path):
    nothing = SimpleNamespace(
        candidates=NET.candidates.iloc[:0],
        targets=NET.targets.iloc[:0],
        nodes=NET.nodes,
        cut={"met": False, "n_edges": 0, "expected_false_edges": None},
    )
    for ax in (
        plot.network_graph(EDGES.iloc[:0]),
        plot.top_regulators(EDGES.iloc[:0]),
        plot.stability_paths(PATHS, "other"),
        plot.precision_recall(CURVES.iloc[:0]),
        plot.false_edges(nothing),
        plot.regulators_per_target(nothing),
        plot.heldout_r2(nothing.targets),
    ):
        ax.figure.savefig(tmp_path / "empty.svg")
        assert len(ax.texts) == 1


def test_degrees_are_those_of_the_targets():
    ax = plot.regulators_per_target(NET)
    assert [patch.get_height() for patch in ax.patches] == [1, 0, 1]


def test_many_edges_and_regulators_of_one_target_are_drawn(tmp_path):
    rng = np.random.default_rng(0)
    edges = pd.DataFrame(
        {
            "source": [f"r{i}" for i in rng.integers(0, 30, 300)],
            "target": [f"g{i}" for i in rng.integers(0, 200, 300)],
            "weight": np.linspace(1, 0.1, 300),
            "sign": 1,
        }
    )
    plot.network_graph(edges, top=100).figure.savefig(tmp_path / "graph.png")
    many = pd.concat([PATHS.assign(regulator=[f"{i}{name}" for name in PATHS["regulator"]]) for i in range(12)])
    ax = plot.stability_paths(many, "g1")
    assert ax.texts[-1].get_text() == "and 5 more"


@pytest.mark.parametrize(
    ("name", "drawn"),
    [("crp", "crp"), ("a\tb", "a?b"), ("基", "?"), ("abcdefghijklmnopqrstuvwxyz", "abcdefghijk…uvwxyz")],
)
def test_labels_are_what_the_font_has(name, drawn):
    assert label(name) == drawn


def test_matplotlib_waits_until_a_plot_is_drawn_and_pyplot_for_ever():
    code = (
        "import sys, netinfer, netinfer.plot, netinfer.report\n"
        "assert 'matplotlib' not in sys.modules and 'jinja2' not in sys.modules\n"
        "import pandas as pd\n"
        "edges = pd.DataFrame({'source': ['a'], 'target': ['b'], 'weight': [1.0], 'sign': [1]})\n"
        "netinfer.plot.network_graph(edges)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_pair_of_unknown_direction_is_a_line_without_a_head():
    from matplotlib.patches import ArrowStyle, FancyArrowPatch

    def heads(edges: pd.DataFrame) -> list[type]:
        ax = plot.network_graph(edges)
        return [type(patch.get_arrowstyle()) for patch in ax.patches if isinstance(patch, FancyArrowPatch)]

    arrow, bar, line = ArrowStyle.CurveFilledB, ArrowStyle.BarAB, ArrowStyle.Curve
    assert heads(EDGES) == [arrow, bar, arrow, arrow, bar, arrow]
    bases = ["regulator_list", "undetermined", "time", "undetermined", "perturbation", "regulator_list"]
    assert heads(EDGES.assign(direction_basis=bases)) == [arrow, line, arrow, line, bar, arrow]
