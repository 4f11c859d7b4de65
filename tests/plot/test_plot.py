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
from netinfer.plot.path import _apart

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
    edges=EDGES.iloc[:1],
    provenance={"rule": "meinshausen_buhlmann", "threshold": 0.75},
    cut={"met": True, "asked": {"fdr": 0.1}, "n_edges": 2, "expected_false_edges": 0.2},
)
STARS = SimpleNamespace(
    table=pd.DataFrame({"penalty": [0.9, 0.5, 0.2], "instability": [np.nan, 0.01, 0.2]}),
    penalty=0.5,
    threshold=0.05,
    edges=EDGES,
)
CALIBRATION = pd.DataFrame(
    {
        "rule": ["$m_{", "$m_{", "ipss", "ipss"],
        "asked": [1.0, 5.0, 1.0, 5.0],
        "observed": [0.5, 6.0, 0.0, 2.0],
        "se": [0.1, 0.4, 0.0, 0.2],
    }
)
CURVES = pd.DataFrame(
    {
        "method": ["network"] * 3 + ["|Pearson|"] * 2,
        "recall": [0.1, 0.5, 1, 0.2, 1],
        "precision": [1, 0.4, 0.1, 0.3, 0.1],
    }
)
CARD = SimpleNamespace(
    edges=EDGES.assign(
        **{
            "without=$x_{.survives": pd.array([True, False, None, True, True, None], dtype="boolean"),
            "normalize=rank.survives": pd.array([True] * 6, dtype="boolean"),
        }
    ),
    variants=pd.DataFrame({"variant": ["without=$x_{", "normalize=rank"], "share_survives": [0.75, 1.0]}),
)
GRAPH = SimpleNamespace(
    provenance={
        "criterion": "stars",
        "criterion_settings": {"threshold": 0.05},
        "n_targets": 30,
        "penalty": 0.4,
        "path": {"penalty": [0.8, 0.4, 0.2], "criterion": [0.0, 0.04, None], "n_edges": [0, 30, None]},
    }
)
BINS = pd.DataFrame(
    {
        "source": "crp",
        "motif": ["$m_{"] * 3 + ["other"] * 3,
        "start": [-100, -50, 0] * 2,
        "end": [-50, 0, 50] * 2,
        "effect_per_sd": [0.1, 0.4, 0.0, -0.2, 0.0, 0.1],
    }
)
LINKS = SimpleNamespace(
    regulators=pd.DataFrame(
        {"source": ["crp"], "motif": ["$m_{"], "peak_start": [-50], "n_motifs": [2], "n_edges_with_site": [4]}
    ),
    bins=BINS,
)
GRID = np.array([0.6, 0.3, 0.1])
DRAWINGS = {
    "sensitivity_card": lambda ax: plot.sensitivity_card(CARD, ax=ax),
    "calibration_curve": lambda ax: plot.calibration_curve(CALIBRATION, ax=ax),
    "instability_path": lambda ax: plot.instability_path(STARS, ax=ax),
    "coefficient_path": lambda ax: plot.coefficient_path(
        ni.solvers.lasso_path(np.eye(2), np.array([0.8, -0.5]), GRID), names=["a", "$b_{"], ax=ax
    ),
    "criterion_path": lambda ax: plot.criterion_path(
        ni.choose_penalty(np.vander(np.linspace(-1, 1, 30), 4), np.arange(30) % 7), ax=ax
    ),
    "site_effects": lambda ax: plot.site_effects(BINS, ["other", "$m_{"], title="selected motifs", ax=ax),
    "motif_links": lambda ax: plot.motif_links(LINKS, ax=ax),
    "network_graph": lambda ax: plot.network_graph(EDGES, ax=ax),
    "stability_paths": lambda ax: plot.stability_paths(PATHS, "g1", ax=ax),
    "penalty_choice": lambda ax: plot.penalty_choice(GRAPH, ax=ax),
    "precision_recall": lambda ax: plot.precision_recall(CURVES, ax=ax),
    "top_regulators": lambda ax: plot.top_regulators(EDGES, ax=ax),
    "regulators_per_target": lambda ax: plot.regulators_per_target(NET, ax=ax),
    "false_edges": lambda ax: plot.false_edges(NET, ax=ax),
    "heldout_r2": lambda ax: plot.heldout_r2(NET.targets, ax=ax),
    "filter_cut": lambda ax: plot.filter_cut(np.arange(50.0), 10, what="samples with a count", ax=ax),
    "component_map": lambda ax: plot.component_map(["batch", "$x_{"], [{"share": 0.4, "r2": [0.9, 0.0]}], ax=ax),
}


def test_every_public_plot_is_tested():
    of_motifs = {"footprint_logo", "promoter_effects"}  # in test_motif_plot.py
    assert set(DRAWINGS) | of_motifs == set(plot.__all__)


@pytest.mark.parametrize("name", DRAWINGS)
def test_draws_on_given_axes_and_on_its_own_and_returns_them(name, tmp_path):
    from matplotlib.figure import Figure

    given = Figure().subplots()
    assert DRAWINGS[name](given) is given
    own = DRAWINGS[name](None)
    own.figure.savefig(tmp_path / "figure.svg")
    own.figure.savefig(tmp_path / "figure.png")


@pytest.mark.parametrize(
    "name",
    [
        "stability_paths",
        "calibration_curve",
        "instability_path",
        "precision_recall",
        "regulators_per_target",
        "false_edges",
        "heldout_r2",
    ],
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
        plot.site_effects(BINS, []),
        plot.motif_links(SimpleNamespace(regulators=LINKS.regulators.iloc[:0], bins=BINS.iloc[:0])),
    ):
        ax.figure.savefig(tmp_path / "empty.svg")
        assert len(ax.texts) == 1


def test_effects_are_drawn_in_their_bins_with_the_start_marked():
    ax = plot.site_effects(BINS, ["other", "$m_{"], peaks={"$m_{": -50.0})
    mesh = ax.collections[0]
    assert mesh.get_array().tolist() == [[-0.2, 0.0, 0.1], [0.1, 0.4, 0.0]]
    assert ax.get_xlim() == (-100.0, 50.0)
    dot, start = ax.lines
    assert (dot.get_xdata(), dot.get_ydata()) == ([-25.0], [1])
    assert start.get_xdata() == [0.0, 0.0]
    assert "bases" in ax.get_xlabel()
    # A regulator's row is scaled to its own largest effect.
    assert plot.motif_links(LINKS).collections[0].get_array().tolist() == [[0.25, 1.0, 0.0]]


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


def test_matplotlib_waits_until_a_plot_is_drawn_and_pyplot_for_a_new_figure():
    code = (
        "import sys, netinfer, netinfer.plot, netinfer.report\n"
        "assert 'matplotlib' not in sys.modules and 'jinja2' not in sys.modules\n"
        "import pandas as pd\n"
        "edges = pd.DataFrame({'source': ['a'], 'target': ['b'], 'weight': [1.0], 'sign': [1]})\n"
        "from matplotlib.figure import Figure\n"
        "netinfer.plot.network_graph(edges, ax=Figure().subplots())\n"
        "with netinfer.plot.axes.aside():\n"
        "    netinfer.plot.network_graph(edges)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "ax = netinfer.plot.network_graph(edges)\n"
        "from matplotlib import pyplot\n"
        "assert pyplot.get_fignums() == [ax.figure.number]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_pair_of_unknown_direction_is_a_line_without_a_head():
    from matplotlib.patches import ArrowStyle, FancyArrowPatch

    def heads(edges: pd.DataFrame) -> list[type]:
        ax = plot.network_graph(edges)
        return [type(patch.get_arrowstyle()) for patch in ax.patches if isinstance(patch, FancyArrowPatch)]

    arrow, bar, line = ArrowStyle.CurveFilledB, ArrowStyle.BarAB, ArrowStyle.Curve
    assert heads(EDGES) == [arrow, bar, arrow, arrow, bar, arrow]
    bases = ["regulator_list", "undetermined", "time", "undirected", "perturbation", "regulator_list"]
    assert heads(EDGES.assign(direction_basis=bases)) == [arrow, line, arrow, line, bar, arrow]


def straight(ax, axis):
    """Places of the lines across (x) or down (y) the whole axes."""
    data = "get_ydata" if axis == "x" else "get_xdata"
    other = "get_xdata" if axis == "x" else "get_ydata"
    return [getattr(line, data)()[0] for line in ax.lines if list(getattr(line, other)()) == [0, 1]]


def test_the_cut_of_a_network_is_drawn_on_its_stability_paths():
    ax = plot.stability_paths(PATHS, "g1", net=NET)
    # The one edge, a -> g1, is at 0.8 at penalty 0.3: the first above the threshold of the rule.
    assert straight(ax, "x") == [0.75]
    assert straight(ax, "y") == [0.3]
    said = [text.get_text() for text in ax.texts]
    assert any("≤ 0.2 false edges" in text for text in said)
    assert "a" in said  # in colour, and named
    assert "$b_{" not in said


@pytest.mark.parametrize(
    ("changes", "across", "down"),
    [
        ({"provenance": {"threshold": 0.9}}, [0.9], [0.1]),
        # bounds of paths ended at each penalty: at 0.1 it is above the network's 0.2
        (
            {"provenance": {"threshold": 0.75, "path_ends": {"penalty": [0.9, 0.3, 0.1],
             "expected_false_edges": [0.0, 0.1, 0.4]}}},
            [0.75],
            [0.3],
        ),
        ({"cut": {"met": True, "asked": {"selection_probability": 0.6}, "expected_false_edges": 3.0}}, [0.6], []),
        ({"cut": {"met": False, "asked": {"fdr": 0.1}, "expected_false_edges": None}}, [0.75], []),
        ({"provenance": {"rule": "ipss_quadratic", "truncation": 0.05}}, [], []),
    ],
)  # fmt: skip
def test_lines_of_a_cut_are_those_of_its_rule(changes, across, down):
    net = SimpleNamespace(**{**vars(NET), **changes, "exploratory": lambda: EDGES})
    ax = plot.stability_paths(PATHS, "g1", net=net)
    assert straight(ax, "x") == across
    assert straight(ax, "y") == down


def test_calibration_shows_every_rule_and_where_nothing_was_found():
    ax = plot.calibration_curve(CALIBRATION)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["$m_{", "ipss"]
    (zero,) = [line for line in ax.lines if line.get_marker() == "v" and len(line.get_xdata())]
    assert zero.get_xdata().tolist() == [1.0]
    assert zero.get_ydata().tolist() == [ax.get_ylim()[0]]
    assert len(plot.calibration_curve(CALIBRATION.iloc[:0]).texts) == 1
    with pytest.raises(ni.errors.InputError, match="'observed' is missing"):
        plot.calibration_curve(CALIBRATION.drop(columns="observed"))


def test_a_card_tells_survivors_losses_and_what_was_not_tested_apart():
    ax = plot.sensitivity_card(CARD)
    shapes = {(line.get_marker(), line.get_markerfacecolor()): len(line.get_xdata()) for line in ax.lines[:3]}
    assert sorted(shapes.values()) == [1, 2, 3]  # lost, not tested, survives: told apart by shape, not by colour alone
    assert len(set(shapes)) == 3
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["without=$x_{  75%", "normalize=rank  100%"]
    assert "the strongest 2 of 6 edges" in plot.sensitivity_card(CARD, top=2).get_xlabel()
    nothing = SimpleNamespace(edges=CARD.edges.iloc[:0], variants=CARD.variants)
    assert len(plot.sensitivity_card(nothing).texts) == 1


def test_a_path_names_the_first_to_enter_at_the_ends_of_their_lines():
    # The largest correlation enters first and, weighed down, ends as the smallest coefficient of the three drawn.
    cross = np.array([0.5, 0.45, 0.4, 0.3])
    path = ni.solvers.lasso_path(np.eye(4), cross, [0.6, 0.05])
    ax = path.plot(names=list("abcd"), n_labels=3)
    lines = {line.get_label(): line for line in ax.lines if line.get_label() in set("abcd")}
    assert list(lines) == ["a", "b", "c"]
    places = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert places["a"] > places["b"] > places["c"]  # in the order of the ends, not of entry or of size alone
    low, high = ax.get_ylim()
    for j, name in enumerate("abc"):
        y = np.asarray(lines[name].get_ydata(), dtype=float)
        x = np.asarray(lines[name].get_xdata(), dtype=float)
        first = int(np.isfinite(y).argmax())
        # The line begins at the breakpoint, from zero, and goes straight in the penalty from there.
        assert x[first] == pytest.approx(cross[j], abs=1e-12)
        np.testing.assert_allclose(y[first:], cross[j] - x[first:], atol=1e-12)
        assert places[name] == pytest.approx((y[-1] - low) / (high - low), abs=0.05)  # a line of text is 0.05 high
    assert "1 more in grey" in places


@pytest.mark.parametrize("wished", [[0.5, 0.5, 0.5], [0.0, 0.01, 1.0], [1.0, 1.0, 0.99], [0.1, 0.9, 0.5], []])
def test_labels_are_moved_apart_and_stay_inside(wished):
    places = _apart(np.array(wished), 0.1)
    assert (np.diff(np.sort(places)) >= 0.1 - 1e-12).all()
    assert ((places >= -1e-12) & (places <= 1 + 1e-12)).all()
    assert (np.argsort(places, kind="stable") == np.argsort(wished, kind="stable")).all()


def test_figures_of_a_report_are_not_pyplots():
    from matplotlib import pyplot

    from netinfer.report.figures import draw

    nodes = NET.nodes.assign(is_regulator=True)
    net = SimpleNamespace(**{**vars(NET), "nodes": nodes, "edges": EDGES, "exploratory": lambda: EDGES})
    assert draw(net, None, None)["graph"].startswith("data:image/svg")
    assert pyplot.get_fignums() == []
    assert plot.false_edges(NET).figure.number == 1


@pytest.mark.parametrize(("criterion", "lowest"), [("stars", 0.01), ("ebic", 0.0), ("cv", 0.0)])
def test_the_choice_of_a_graph_is_drawn_with_its_edges(criterion, lowest):
    record = {**GRAPH.provenance, "criterion": criterion}
    record["path"] = {**record["path"], "criterion": [5.0, 2.0, 3.0] if criterion != "stars" else [0.01, 0.04, None]}
    ax = plot.penalty_choice(SimpleNamespace(provenance=record))
    curve = ax.lines[0].get_ydata()
    assert curve.min() == lowest
    assert [line.get_linestyle() for line in ax.lines].count("--") == (criterion == "stars")
    (edges,) = [other.lines[0].get_ydata() for other in ax.figure.axes if other is not ax]
    assert edges.tolist() == [0, 30]
    given = SimpleNamespace(provenance={**record, "criterion": "given"})
    assert len(plot.penalty_choice(given).texts) == 1
