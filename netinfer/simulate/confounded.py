"""Log expression that replicates, cell types or unmeasured factors confound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.simulate.linear import sparse_linear
from netinfer.simulate.parts import (
    draw_coefficients,
    generator,
    package,
    require_not_negative,
    require_positive,
    require_share,
    residual_sd,
)

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


def null_replicates(
    n_conditions: int = 10,
    n_replicates: int = 3,
    n_regulators: int = 50,
    n_targets: int = 200,
    *,
    condition_sd: float = 1.0,
    noise_sd: float = 0.3,
    seed: int = 0,
) -> tuple[AnnData, pd.DataFrame]:
    """Simulate replicated conditions without any true edge.

    Every gene has its own independent effect of each condition, shared by the condition's replicates, and independent
    noise. Counted by samples there seem to be many observations; the independent unit is the condition.

    Parameters
    ----------
    n_conditions, n_replicates, n_regulators, n_targets : int, >= 1
    condition_sd, noise_sd : float, >= 0, log units
        Standard deviation of a gene between conditions, and between replicates of one.
    seed : int

    Returns
    -------
    adata : AnnData
        ``obs["condition"]`` and ``obs["replicate_group"]`` name the independent unit.
    edges : DataFrame
        Empty.

    Raises
    ------
    InputError
        If a number is impossible.
    """
    return replicates(
        n_conditions, n_replicates, n_regulators, n_targets,
        condition_sd=condition_sd, noise_sd=noise_sd, n_edges=0, seed=seed,
    )  # fmt: skip


def replicates(
    n_conditions: int = 10,
    n_replicates: int = 3,
    n_regulators: int = 50,
    n_targets: int = 200,
    *,
    n_edges: int | None = None,
    max_regulators: int = 1,
    null_fraction: float = 0.5,
    r2: float = 0.95,
    condition_sd: float = 1.0,
    noise_sd: float = 0.3,
    seed: int = 0,
) -> tuple[AnnData, pd.DataFrame]:
    """Simulate replicated conditions with edges, all of whose samples share the effects of their condition.

    Regulators, and what the regulators do not explain of a target, are sums of an effect of the condition and of noise
    of the replicate, independent between genes. The independent unit is the condition: the samples with
    ``obs["replicate"] == 1`` are the clean twin with the same edges and as many units. Without replicates shared
    effects (``condition_sd=0``) every sample is independent.

    Parameters
    ----------
    n_conditions, n_replicates, n_regulators, n_targets : int, >= 1
    n_edges, max_regulators, null_fraction, r2
        As in `sparse_linear`; regulators do not correlate. Ten units show strong edges only, hence one regulator a
        target that explains nearly all.
    condition_sd, noise_sd : float, >= 0, log units
        Standard deviation of a gene between conditions, and between replicates of one.
    seed : int

    Returns
    -------
    adata : AnnData
        ``obs["condition"]`` and ``obs["replicate_group"]`` name the independent unit, ``obs["replicate"]`` counts
        within it.
    edges : DataFrame
        Effects in log units a log unit.

    Raises
    ------
    InputError
        If a number is impossible.
    """
    require_positive(n_conditions=n_conditions, n_replicates=n_replicates)
    require_not_negative(condition_sd=condition_sd, noise_sd=noise_sd)
    rng, wiring = generator(seed, "null_replicates"), generator(seed, "replicates")
    coef = draw_coefficients(
        wiring, np.arange(n_regulators), n_targets, 0.0, max_regulators, null_fraction, r2, n_edges
    )  # fmt: skip
    condition = np.repeat(np.arange(n_conditions), n_replicates)
    X = rng.normal(0.0, condition_sd, (n_conditions, n_regulators + n_targets))[condition]
    X += rng.normal(0.0, noise_sd, X.shape)
    X[:, n_regulators:] *= residual_sd(coef, r2)
    X[:, n_regulators:] += X[:, :n_regulators] @ coef
    names = [f"condition{i + 1:03d}" for i in condition]
    obs = {
        "condition": names,
        "replicate_group": names,
        "replicate": np.tile(np.arange(n_replicates) + 1, n_conditions),
    }
    return package(X, coef, f"replicates, seed {seed}", obs)


def cell_types(
    n_cells: int = 1000,
    n_types: int = 5,
    n_regulators: int = 50,
    n_targets: int = 200,
    *,
    type_sd: float = 1.0,
    null_fraction: float = 1.0,
    seed: int = 0,
    **network: Any,
) -> tuple[AnnData, pd.DataFrame]:
    """Simulate cells of several types whose gene means differ, with or without edges within the types.

    The types shift every gene by an independent amount, so that genes correlate over all cells without any edge: the
    chance edges that are found without centring by type come from this.

    Parameters
    ----------
    n_cells, n_types, n_regulators, n_targets : int, >= 1
    type_sd : float, >= 0
        Standard deviation of a gene's mean between types, in units of its standard deviation within one;
        0 gives the clean twin.
    null_fraction : float in [0, 1]
        Share of targets without a regulator; 1, the default, leaves no true edge.
    seed : int
    **network
        As in `sparse_linear`; ``n_edges`` has the last word on ``null_fraction``.

    Returns
    -------
    adata : AnnData
        ``obs["cell_type"]``.
    edges : DataFrame
        Edges within the types.

    Raises
    ------
    InputError
        If a number is impossible.
    """
    require_positive(n_types=n_types)
    require_not_negative(type_sd=type_sd)
    rng = generator(seed, "cell_types")
    adata, edges = sparse_linear(n_cells, n_regulators, n_targets, null_fraction=null_fraction, seed=seed, **network)
    kind = rng.permutation(np.arange(n_cells) % n_types)
    adata.X = adata.X + rng.normal(0.0, type_sd, (n_types, adata.n_vars))[kind]
    adata.obs["cell_type"] = [f"type{i + 1}" for i in kind]
    adata.uns["simulation"] = f"cell_types, seed {seed}"
    return adata, edges


def hidden_factors(
    n_samples: int = 200,
    n_factors: int = 5,
    n_regulators: int = 50,
    n_targets: int = 200,
    *,
    factor_share: float = 0.5,
    null_fraction: float = 1.0,
    seed: int = 0,
    **network: Any,
) -> tuple[AnnData, pd.DataFrame]:
    """Simulate expression in which a few unmeasured factors (batch, growth, quality) move all genes.

    Parameters
    ----------
    n_samples, n_factors, n_regulators, n_targets : int, >= 1
    factor_share : float in [0, 1)
        Mean share of a gene's variance that the factors make; 0 gives the clean twin.
    null_fraction : float in [0, 1]
        Share of targets without a regulator; 1, the default, leaves no true edge.
    seed : int
    **network
        As in `sparse_linear`; ``n_edges`` has the last word on ``null_fraction``.

    Returns
    -------
    adata : AnnData
        ``obsm["factors"]`` holds the factors, n_samples x n_factors.
    edges : DataFrame
        The direct edges; what the factors make is confounding.

    Raises
    ------
    InputError
        If a number is impossible.
    """
    require_positive(n_factors=n_factors)
    require_share(factor_share=factor_share)
    rng = generator(seed, "hidden_factors")
    adata, edges = sparse_linear(n_samples, n_regulators, n_targets, null_fraction=null_fraction, seed=seed, **network)
    factors = rng.normal(size=(n_samples, n_factors))
    loadings = rng.normal(scale=np.sqrt(factor_share / (1 - factor_share) / n_factors), size=(n_factors, adata.n_vars))
    adata.X = adata.X + factors @ loadings
    adata.obsm["factors"] = factors
    adata.uns["simulation"] = f"hidden_factors, seed {seed}"
    return adata, edges
