"""Targets as sparse linear functions of regulators, and the parts that every simulation is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netinfer.simulate.parts import draw_network, generator, package

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


def sparse_linear(
    n_samples: int = 200,
    n_regulators: int = 50,
    n_targets: int = 200,
    *,
    n_modules: int = 10,
    module_correlation: float = 0.5,
    max_regulators: int = 20,
    null_fraction: float = 0.2,
    r2: float = 0.7,
    n_edges: int | None = None,
    seed: int = 0,
) -> tuple[AnnData, pd.DataFrame]:
    """Simulate targets that are sparse linear functions of correlated regulators, plus noise.

    Parameters
    ----------
    n_samples, n_regulators, n_targets : int, >= 1
    n_modules : int, >= 1
        Regulators are dealt out to this many modules.
    module_correlation : float in [0, 1)
        Correlation of two regulators of one module; 0 between modules.
    max_regulators : int, >= 1
        A target has 1 to this many regulators, few more often than many (log-uniform).
    null_fraction : float in [0, 1]
        Share of targets without any regulator.
    r2 : float in (0, 1)
        Share of a regulated target's variance that its regulators explain in the population.
    n_edges : int, >= 0, optional
        Exact number of edges, on as few targets as the sizes drawn allow; ``null_fraction`` is then not used.
    seed : int

    Returns
    -------
    adata : AnnData, n_samples x (n_regulators + n_targets)
        Unit-variance genes, like centred log expression (arbitrary log units); ``var["is_regulator"]``.
    edges : DataFrame
        source, target, is_edge (True), sign (1, -1), effect (change of the target per unit of the regulator).

    Raises
    ------
    InputError
        If a number is impossible.

    Examples
    --------
    >>> adata, edges = sparse_linear(50, 5, 10, seed=1)
    >>> adata.shape, sorted(edges.columns)
    ((50, 15), ['effect', 'is_edge', 'sign', 'source', 'target'])
    """
    rng = generator(seed, "sparse_linear")
    coef, X = draw_network(
        rng,
        n_samples,
        n_regulators,
        n_targets,
        n_modules,
        module_correlation,
        max_regulators,
        null_fraction,
        r2,
        n_edges,
    )
    return package(X, coef, f"sparse_linear, seed {seed}")


def complete_gold(edges: pd.DataFrame, adata: AnnData) -> pd.DataFrame:
    """List every pair of a regulator and another target gene, edges and non-edges, for `netinfer.evaluate`.

    Parameters
    ----------
    edges : DataFrame
        source, target, sign: the true edges of a simulation.
    adata : AnnData
        Its expression; genes that are no regulator are the targets.

    Returns
    -------
    DataFrame
        source, target, is_edge, sign (0 for non-edges): n_regulators * n_targets rows.
    """
    import pandas as pd

    is_regulator = adata.var["is_regulator"].to_numpy(dtype=bool)
    pairs = pd.MultiIndex.from_product(
        [adata.var_names[is_regulator], adata.var_names[~is_regulator]], names=["source", "target"]
    )
    sign = edges.set_index(["source", "target"])["sign"].reindex(pairs)
    table = pairs.to_frame(index=False)
    return table.assign(is_edge=sign.notna().to_numpy(), sign=sign.fillna(0).astype(int).to_numpy())
