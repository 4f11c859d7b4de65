"""The strongest edges as a drawn network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netinfer.io.direction import LINES, UNDIRECTED
from netinfer.plot.axes import ACTIVATES, INK, NEUTRAL, REPRESSES, axes, empty, label

if TYPE_CHECKING:
    import networkx
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_ARROW, _BAR = "-|>,head_length=3.2,head_width=1.8", "|-|,widthA=0,widthB=2.4"


def network_graph(edges: pd.DataFrame, *, top: int = 60, ax: Axes | None = None) -> Axes:
    """Draw the strongest edges: an arrow activates, a bar represses, a line without a head has no known direction.

    Parameters
    ----------
    edges : DataFrame
        source, target, weight, sign, strongest first; a row whose ``direction_basis`` is ``undetermined`` or
        ``undirected`` becomes a line in the colour of its sign. Sources are marked, but for those of the last.
    top : int, default 60
    ax : Axes, optional

    Returns
    -------
    Axes
        Each connected part is laid out on its own (Kamada and Kawai 1989) and the parts are packed, largest first.
        The same edges give the same picture.
    """
    import networkx as nx
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.patheffects import withStroke

    ax = axes(ax, (8.0, 6.4))
    strongest = edges.iloc[:top]
    if not len(strongest):
        return empty(ax, "no edges")
    graph = nx.Graph()
    graph.add_edges_from(zip(strongest["source"], strongest["target"], strict=True))
    place = _layout(graph)
    largest = float(strongest["weight"].max())
    columns = (strongest[name].tolist() for name in ("source", "target", "weight", "sign"))
    bases = strongest.get("direction_basis")
    has_head = [True] * len(strongest) if bases is None else [basis not in LINES for basis in bases]
    for source, target, weight, sign, is_directed in zip(*columns, has_head, strict=True):
        activates = sign > 0
        head = _ARROW if activates else _BAR
        ax.add_patch(
            FancyArrowPatch(
                tuple(place[source]),
                tuple(place[target]),
                arrowstyle=head if is_directed else "-",
                color=ACTIVATES if activates else REPRESSES,
                linewidth=0.7 + 1.3 * weight / largest,
                alpha=0.85,
                shrinkA=3,
                shrinkB=5,
                mutation_scale=1.6,
                connectionstyle="arc3,rad=0.06",
                zorder=1,
            )
        )
    acting = [True] * len(strongest) if bases is None else [basis != UNDIRECTED for basis in bases]
    regulators = set(strongest["source"][acting])
    for name in sorted(graph.nodes):
        x, y = place[name]
        is_regulator = name in regulators
        ax.plot([x], [y], "s" if is_regulator else "o", color=INK if is_regulator else NEUTRAL,
                markersize=5.5 if is_regulator else 3.5, zorder=2)  # fmt: skip
        above = is_regulator or y >= np.mean([place[other][1] for other in graph[name]])  # away from its arrows
        text = ax.annotate(
            label(name, longest=14), (x, y), xytext=(0, 4.5 if above else -4.5), textcoords="offset points",
            ha="center", va="bottom" if above else "top", fontsize=8 if is_regulator else 7,
            fontweight="bold" if is_regulator else "normal", color=INK, parse_math=False, zorder=3,
        )  # fmt: skip
        text.set_path_effects([withStroke(linewidth=2.2, foreground="white")])
    points = np.array(list(place.values()))
    ax.set_xlim(points[:, 0].min() - 0.6, points[:, 0].max() + 0.6)
    ax.set_ylim(points[:, 1].min() - 0.6, points[:, 1].max() + 0.6)
    ax.set_axis_off()
    return ax


def _layout(graph: networkx.Graph) -> dict[str, NDArray[np.float64]]:
    """Place every node; one unit is about the room that a name takes."""
    import networkx as nx

    parts = sorted(nx.connected_components(graph), key=lambda part: (-len(part), min(part)))
    place: dict[str, NDArray[np.float64]] = {}
    width = 2.6 * np.sqrt(graph.number_of_nodes())
    x = y = row_height = 0.0
    for part in parts:
        nodes = sorted(part)
        ordered = nx.Graph()
        ordered.add_nodes_from(nodes)
        ordered.add_edges_from(sorted(map(sorted, graph.subgraph(part).edges)))
        if len(nodes) == 2:
            at = np.array([[0.0, 0.5], [1.6, 0.5]])
        else:
            spread = nx.kamada_kawai_layout(ordered)
            at = np.array([spread[name] for name in nodes])
            at = (at - at.min(axis=0)) / np.maximum(np.ptp(at, axis=0), 1e-9)
            at *= (1.5 * np.sqrt(len(nodes)), 0.95 * np.sqrt(len(nodes)))
        size = np.ptp(at, axis=0) if len(nodes) > 2 else np.array([1.6, 0.8])
        if x > 0 and x + size[0] > width:
            x, y, row_height = 0.0, y - row_height - 0.9, 0.0
        shift = np.array([x, y - size[1]])
        place.update(zip(nodes, at + shift, strict=True))
        x, row_height = x + size[0] + 1.3, max(row_height, size[1])
    return place
