"""Signals on the nodes of a graph, before and after one step of a linear process on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netinfer.errors import InputError
from netinfer.simulate.parts import generator, require_not_negative, require_positive, require_share

if TYPE_CHECKING:
    import pandas as pd

GRAPHS = ("random", "scale_free", "grid")


def diffusion(
    n_nodes: int = 49,
    n_samples: int = 200,
    *,
    graph: str = "random",
    degree: float = 4.0,
    step: float = 0.5,
    noise: float = 0.5,
    signed: bool = False,
    seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    r"""Simulate signals before and after one step on a random, scale-free or grid graph.

    after = A before + noise, where A keeps the share 1 - `step` of a node's own signal and takes the rest from its
    neighbours in equal parts: :math:`A = I - t(I - D^{-1}W)`, one explicit step of heat diffusion.

    Parameters
    ----------
    n_nodes : int, >= 2
        A square number for the grid.
    n_samples : int, >= 1
    graph : {"random", "scale_free", "grid"}
        Erdos and Renyi; Barabasi and Albert, with half of `degree` links a new node; a square lattice.
    degree : float, > 0
        Mean number of neighbours; the grid has its own.
    step : float, 0 < step < 1
    noise : float, >= 0
        Standard deviation of the noise, in standard deviations of the process' own part of a node's signal.
    signed : bool
        Half of the links subtract.
    seed : int

    Returns
    -------
    before, after : DataFrame, shape (n_samples, n_nodes)
        Independent unit-variance signals, and what became of them.
    operator : DataFrame, shape (n_nodes, n_nodes)
        A: rows are nodes after, columns nodes before.

    Raises
    ------
    InputError
        If a number or the graph is impossible.
    """
    import networkx as nx
    import pandas as pd

    require_positive(n_nodes=n_nodes - 1, n_samples=n_samples)
    require_not_negative(noise=noise, degree=degree)
    require_share(step=step)
    rng = generator(seed, "diffusion")
    draw = int(rng.integers(2**31))
    if graph == "random":
        links = nx.fast_gnp_random_graph(n_nodes, min(degree / (n_nodes - 1), 1.0), seed=draw)
    elif graph == "scale_free":
        each = min(max(round(degree / 2), 1), n_nodes - 1)
        links = nx.barabasi_albert_graph(n_nodes, each, seed=draw)
    elif graph == "grid":
        side = round(np.sqrt(n_nodes))
        if side * side != n_nodes:
            raise InputError(f"simulate: n_nodes: {n_nodes} is no square number: a grid needs one, such as 49")
        links = nx.convert_node_labels_to_integers(nx.grid_2d_graph(side, side), ordering="sorted")
    else:
        raise InputError(f"simulate: graph: {graph!r} is none of {', '.join(GRAPHS)}")
    adjacency = nx.to_numpy_array(links, nodelist=range(n_nodes))
    share = adjacency / np.maximum(adjacency.sum(axis=1, keepdims=True), 1.0)
    if signed:
        share *= np.where(rng.random(share.shape) < 0.5, -1.0, 1.0)
    operator = (1.0 - step) * np.eye(n_nodes) + step * share
    before = rng.standard_normal((n_samples, n_nodes))
    moved = before @ operator.T
    after = moved + noise * np.linalg.norm(operator, axis=1) * rng.standard_normal(moved.shape)
    names = [f"node{i + 1}" for i in range(n_nodes)]
    return (
        pd.DataFrame(before, columns=names),
        pd.DataFrame(after, columns=names),
        pd.DataFrame(operator, index=names, columns=names),
    )
