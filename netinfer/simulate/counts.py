"""Counts: bulk samples, cells of several types and donors, a whole human transcriptome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.errors import InputError
from netinfer.simulate.linear import sparse_linear
from netinfer.simulate.parts import generator, package, require_not_negative, require_positive, require_share

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


def counts(
    n_samples: int = 200,
    n_regulators: int = 50,
    n_targets: int = 200,
    *,
    depth: float = 2e5,
    depth_spread: float = 0.3,
    dispersion: float = 0.05,
    seed: int = 0,
    **network: Any,
) -> tuple[AnnData, pd.DataFrame]:
    """Simulate negative binomial counts around the log expression of `sparse_linear`.

    Parameters
    ----------
    n_samples, n_regulators, n_targets : int, >= 1
    depth : float, counts a sample
        Median total.
    depth_spread : float, >= 0, natural log units
        Standard deviation of the samples' log depth.
    dispersion : float, >= 0
        Squared coefficient of variation beyond Poisson; 0 gives Poisson counts.
    seed : int
    **network
        As in `sparse_linear`: n_modules, module_correlation, max_regulators, null_fraction, r2, n_edges.

    Returns
    -------
    adata : AnnData
        Counts (whole numbers as float64); ``obs["depth_factor"]`` is the true relative depth.
    edges : DataFrame
        Effects on the log scale, before counting noise.

    Raises
    ------
    InputError
        If a number is impossible.
    """
    if depth <= 0 or dispersion < 0 or depth_spread < 0:
        raise InputError("simulate.counts: depth must be above 0, dispersion and depth_spread not below: correct them")
    log, edges = sparse_linear(n_samples, n_regulators, n_targets, seed=seed, **network)
    rng = generator(seed, "counts")
    baseline = rng.normal(0.0, 1.0, log.n_vars)  # genes differ in level by about e
    rate = np.exp(0.5 * log.X + baseline)
    factor = np.exp(rng.normal(0.0, depth_spread, n_samples))
    mean = depth * factor[:, None] * rate / rate.sum(axis=1, keepdims=True)
    if dispersion > 0:
        mean = rng.gamma(1.0 / dispersion, mean * dispersion)
    log.X = rng.poisson(mean).astype(float)
    log.obs["depth_factor"] = factor
    log.uns["simulation"] = f"counts, seed {seed}"
    return log, edges


def cell_counts(
    n_cells: int = 5000,
    n_types: int = 5,
    n_donors: int = 12,
    n_regulators: int = 50,
    n_targets: int = 450,
    *,
    depth: float = 3000.0,
    depth_spread: float = 0.4,
    type_sd: float = 1.0,
    donor_sd: float = 0.3,
    log_sd: float = 0.7,
    null_fraction: float = 1.0,
    seed: int = 0,
    **network: Any,
) -> tuple[AnnData, pd.DataFrame]:
    """Simulate raw counts of cells of several types, taken from several donors.

    A gene's log rate is a level, plus an effect of the cell's type, plus an effect of the cell's donor, plus what
    `sparse_linear` gives; counts are Poisson with rates that add up to the cell's depth. The donors differ in their
    mixture of types. Types, donors and depths make genes correlate without any edge.

    Parameters
    ----------
    n_cells, n_types, n_donors, n_regulators, n_targets : int, >= 1
    depth : float, counts a cell
        Median total; 3,000 counts of 500 genes.
    depth_spread : float, >= 0, natural log units
        Standard deviation of the cells' log depth.
    type_sd, donor_sd : float, >= 0
        Standard deviation of a gene's mean between types and between donors, in units of ``log_sd``. With both and
        ``depth_spread`` 0 the result is the clean twin.
    log_sd : float, > 0, natural log units
        Standard deviation of a gene's log rate within a type and donor.
    null_fraction : float in [0, 1]
        Share of targets without a regulator; 1, the default, leaves no true edge.
    seed : int
    **network
        As in `sparse_linear`; ``n_edges`` has the last word on ``null_fraction``.

    Returns
    -------
    adata : AnnData
        Counts (whole numbers as float64, sparse, as single cells come); ``obs["cell_type"]``, ``obs["donor"]``.
    edges : DataFrame
        Edges within the types, effects on the log scale, before counting noise.

    Raises
    ------
    InputError
        If a number is impossible.
    """
    from scipy import sparse

    require_positive(n_types=n_types, n_donors=n_donors)
    require_not_negative(depth=depth, depth_spread=depth_spread, type_sd=type_sd, donor_sd=donor_sd, log_sd=log_sd)
    adata, edges = sparse_linear(n_cells, n_regulators, n_targets, null_fraction=null_fraction, seed=seed, **network)
    rng = generator(seed, "cells")
    donor = rng.permutation(np.arange(n_cells) % n_donors)
    mixture = rng.dirichlet(np.full(n_types, 5.0), n_donors).cumsum(axis=1)
    kind = np.minimum((mixture[donor] < rng.uniform(size=(n_cells, 1))).sum(axis=1), n_types - 1)
    level = rng.normal(0.0, 1.0, adata.n_vars)  # genes differ by about e
    of_type = rng.normal(0.0, type_sd, (n_types, adata.n_vars))
    of_donor = rng.normal(0.0, donor_sd, (n_donors, adata.n_vars))
    rate = np.exp(log_sd * (adata.X + of_type[kind] + of_donor[donor]) + level)
    total = depth * np.exp(rng.normal(0.0, depth_spread, n_cells))
    rate *= (total / rate.sum(axis=1))[:, None]
    adata.X = sparse.csr_matrix(rng.poisson(rate).astype(float))
    adata.obs["cell_type"] = [f"type{i + 1}" for i in kind]
    adata.obs["donor"] = [f"donor{i + 1:02d}" for i in donor]
    adata.obs_names = [f"cell{i + 1:0{len(str(n_cells))}d}" for i in range(n_cells)]
    adata.uns["simulation"] = f"cell_counts, seed {seed}"
    return adata, edges


def human_counts(
    n_samples: int = 100,
    n_regulators: int = 1500,
    n_targets: int = 18_500,
    *,
    silent_share: float = 1 / 3,
    depth: float = 2e7,
    depth_spread: float = 0.3,
    dispersion: float = 0.05,
    seed: int = 0,
    **network: Any,
) -> tuple[AnnData, pd.DataFrame]:
    """Simulate bulk counts of a whole transcriptome, of which a part is silent in the tissue.

    Expressed genes have levels over four orders of magnitude around the log expression of `sparse_linear`. A silent
    gene has counts by chance alone, 0.001 to 0.1 counts per million on average, independent of all but the depth.

    Parameters
    ----------
    n_samples, n_regulators, n_targets : int, >= 1
    silent_share : float in [0, 1)
        Share of the regulators, and of the targets, that are silent.
    depth, depth_spread, dispersion
        As in `counts`; 20 million reads.
    seed : int
    **network
        As in `sparse_linear`.

    Returns
    -------
    adata : AnnData
        Counts (whole numbers as float64, dense); ``var["is_silent"]``.
    edges : DataFrame
        Edges between expressed genes, effects on the log scale, before counting noise.

    Raises
    ------
    InputError
        If a number is impossible.
    """
    require_positive(n_regulators=n_regulators, n_targets=n_targets)
    require_share(silent_share=silent_share)
    require_not_negative(depth=depth, depth_spread=depth_spread, dispersion=dispersion)
    rng = generator(seed, "human_counts")
    silent = np.zeros(n_regulators + n_targets, dtype=bool)
    for first, n_genes in ((0, n_regulators), (n_regulators, n_targets)):
        silent[first + rng.choice(n_genes, int(silent_share * n_genes), replace=False)] = True
    expressed = ~silent
    chosen = np.flatnonzero(expressed[:n_regulators]), np.flatnonzero(expressed[n_regulators:])
    log, edges = sparse_linear(n_samples, len(chosen[0]), len(chosen[1]), seed=seed, **network)
    coef = np.zeros((n_regulators, n_targets))
    from_place, to_place = log.var_names.get_indexer(edges["source"]), log.var_names.get_indexer(edges["target"])
    coef[chosen[0][from_place], chosen[1][to_place - len(chosen[0])]] = edges["effect"]

    rate = np.exp(0.5 * log.X + rng.normal(0.0, 1.8, log.n_vars))
    mean = np.empty((n_samples, silent.size))
    mean[:, expressed] = rate / rate.sum(axis=1, keepdims=True)
    mean[:, silent] = 1e-6 * 10.0 ** rng.uniform(-3.0, -1.0, silent.sum())
    mean *= depth * np.exp(rng.normal(0.0, depth_spread, n_samples))[:, None]
    if dispersion > 0:
        mean = rng.gamma(1.0 / dispersion, mean * dispersion)
    adata, edges = package(rng.poisson(mean).astype(float), coef, f"human_counts, seed {seed}")
    adata.var["is_silent"] = silent
    return adata, edges
