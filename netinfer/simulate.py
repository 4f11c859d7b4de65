"""Seeded expression data with a known network, for tests, benchmarks and trying things out.

Each generator returns the expression (AnnData, samples x genes, regulators first) and its true edges (DataFrame:
source, target, is_edge, sign, effect; only the edges). An edge is a non-zero coefficient in the population regression
of the target on all regulators; regulators that belong to one module correlate, and only targets have edges.
`complete_gold` lists the non-edges as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from numpy.typing import NDArray


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
    rng = _generator(seed, "sparse_linear")
    coef, X = _network(
        rng, n_samples, n_regulators, n_targets, n_modules, module_correlation, max_regulators, null_fraction, r2
    )
    return _package(X, coef, f"sparse_linear, seed {seed}")


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
        As in `sparse_linear`: n_modules, module_correlation, max_regulators, null_fraction, r2.

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
    rng = _generator(seed, "counts")
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
    _positive(n_conditions=n_conditions, n_replicates=n_replicates, n_regulators=n_regulators, n_targets=n_targets)
    rng = _generator(seed, "null_replicates")
    n_genes = n_regulators + n_targets
    condition = np.repeat(np.arange(n_conditions), n_replicates)
    X = rng.normal(0.0, condition_sd, (n_conditions, n_genes))[condition]
    X += rng.normal(0.0, noise_sd, X.shape)
    names = [f"condition{i + 1:03d}" for i in condition]
    obs = {
        "condition": names,
        "replicate_group": names,
        "replicate": np.tile(np.arange(n_replicates) + 1, n_conditions),
    }
    return _package(X, np.zeros((n_regulators, n_targets)), f"null_replicates, seed {seed}", obs)


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
        Standard deviation of a gene's mean between types, in units of its standard deviation within one.
    null_fraction : float in [0, 1]
        Share of targets without a regulator; 1, the default, leaves no true edge.
    seed : int
    **network
        As in `sparse_linear`.

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
    _positive(n_types=n_types)
    rng = _generator(seed, "cell_types")
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
        Mean share of a gene's variance that the factors make.
    null_fraction : float in [0, 1]
        Share of targets without a regulator; 1, the default, leaves no true edge.
    seed : int
    **network
        As in `sparse_linear`.

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
    _positive(n_factors=n_factors)
    if not 0 <= factor_share < 1:
        raise InputError(f"simulate: factor_share: {factor_share} is not in [0, 1): correct it")
    rng = _generator(seed, "hidden_factors")
    adata, edges = sparse_linear(n_samples, n_regulators, n_targets, null_fraction=null_fraction, seed=seed, **network)
    factors = rng.normal(size=(n_samples, n_factors))
    loadings = rng.normal(scale=np.sqrt(factor_share / (1 - factor_share) / n_factors), size=(n_factors, adata.n_vars))
    adata.X = adata.X + factors @ loadings
    adata.obsm["factors"] = factors
    adata.uns["simulation"] = f"hidden_factors, seed {seed}"
    return adata, edges


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


# ---- the parts


def _generator(seed: int, what: str) -> np.random.Generator:
    """Return a counter-based generator that differs between uses of one seed."""
    stream = int.from_bytes(what.encode()[:8].ljust(8, b"\0"), "little")
    return np.random.Generator(np.random.Philox(key=np.array([seed % 2**64, stream], dtype=np.uint64)))


def _positive(**numbers: int) -> None:
    for name, value in numbers.items():
        if value < 1:
            raise InputError(f"simulate: {name}: {value} is below 1: correct it")


def _network(
    rng: np.random.Generator,
    n_samples: int,
    n_regulators: int,
    n_targets: int,
    n_modules: int,
    module_correlation: float,
    max_regulators: int,
    null_fraction: float,
    r2: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coefficients (regulators x targets) and the expression of regulators and targets."""
    _positive(
        n_samples=n_samples, n_regulators=n_regulators, n_targets=n_targets, n_modules=n_modules,
        max_regulators=max_regulators,
    )  # fmt: skip
    for name, value, possible in (
        ("module_correlation", module_correlation, 0 <= module_correlation < 1),
        ("null_fraction", null_fraction, 0 <= null_fraction <= 1),
        ("r2", r2, 0 < r2 < 1),
    ):
        if not possible:
            raise InputError(f"simulate: {name}: {value} is not a share that is possible: correct it")
    module = np.arange(n_regulators) % n_modules
    shared = rng.normal(size=(n_samples, n_modules))[:, module]
    own = rng.normal(size=(n_samples, n_regulators))
    regulators = np.sqrt(module_correlation) * shared + np.sqrt(1 - module_correlation) * own

    coef = np.zeros((n_regulators, n_targets))
    most = min(max_regulators, n_regulators)
    is_null = rng.permutation(n_targets) < round(null_fraction * n_targets)
    for target in np.flatnonzero(~is_null):
        size = min(int(np.exp(rng.uniform(0.0, np.log(most + 1)))), most)
        chosen = rng.choice(n_regulators, size=size, replace=False)
        coef[chosen, target] = rng.choice([-1.0, 1.0], size) * rng.uniform(0.5, 1.5, size)
        # Population variance of the sum, so that r2 holds for it and the target has variance 1.
        by_module = np.bincount(module[chosen], weights=coef[chosen, target], minlength=n_modules)
        variance = module_correlation * (by_module**2).sum() + (1 - module_correlation) * (coef[:, target] ** 2).sum()
        coef[:, target] *= np.sqrt(r2 / variance)
    noise = rng.normal(size=(n_samples, n_targets)) * np.where(is_null, 1.0, np.sqrt(1 - r2))
    return coef, np.hstack([regulators, regulators @ coef + noise])


def _package(
    X: NDArray[np.float64], coef: NDArray[np.float64], what: str, obs: dict[str, Any] | None = None
) -> tuple[AnnData, pd.DataFrame]:
    import pandas as pd
    from anndata import AnnData

    n_regulators, n_targets = coef.shape
    regulators = np.array([f"reg{i + 1:0{len(str(n_regulators))}d}" for i in range(n_regulators)], dtype=object)
    targets = np.array([f"gene{i + 1:0{len(str(n_targets))}d}" for i in range(n_targets)], dtype=object)
    var = pd.DataFrame(
        {"is_regulator": np.arange(X.shape[1]) < n_regulators}, index=pd.Index([*regulators, *targets], name="gene")
    )
    samples = pd.Index([f"sample{i + 1:0{len(str(len(X)))}d}" for i in range(len(X))], name="sample")
    adata = AnnData(X, obs=pd.DataFrame(obs or {}, index=samples), var=var, uns={"simulation": what})
    source, target = np.nonzero(coef)
    effect = coef[source, target]
    edges = pd.DataFrame(
        {
            "source": regulators[source],
            "target": targets[target],
            "is_edge": np.ones(effect.size, dtype=bool),
            "sign": np.sign(effect).astype(int),
            "effect": effect,
        }
    )
    return adata, edges
