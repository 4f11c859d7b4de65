"""The parts that every simulation is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from numpy.typing import NDArray


def generator(seed: int, what: str) -> np.random.Generator:
    """Return a counter-based generator that differs between uses of one seed (the first 8 letters count)."""
    stream = int.from_bytes(what.encode()[:8].ljust(8, b"\0"), "little")
    return np.random.Generator(np.random.Philox(key=np.array([seed % 2**64, stream], dtype=np.uint64)))


def require_positive(**numbers: int) -> None:
    """Refuse a number below 1, by its name."""
    for name, value in numbers.items():
        if value < 1:
            raise InputError(f"simulate: {name}: {value} is below 1: correct it")


def require_not_negative(**numbers: float) -> None:
    """Refuse a number below 0 or not finite, by its name."""
    for name, value in numbers.items():
        if not 0 <= value < np.inf:
            raise InputError(f"simulate: {name}: {value} is not a finite number from 0 on: correct it")


def require_share(**numbers: float) -> None:
    """Refuse a number outside [0, 1), by its name."""
    for name, value in numbers.items():
        if not 0 <= value < 1:
            raise InputError(f"simulate: {name}: {value} is not in [0, 1): correct it")


def draw_network(
    rng: np.random.Generator,
    n_samples: int,
    n_regulators: int,
    n_targets: int,
    n_modules: int,
    module_correlation: float,
    max_regulators: int,
    null_fraction: float,
    r2: float,
    n_edges: int | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coefficients (regulators x targets) and the expression of regulators and targets."""
    require_positive(n_samples=n_samples, n_modules=n_modules)
    require_share(module_correlation=module_correlation)
    module = np.arange(n_regulators) % n_modules
    shared = rng.normal(size=(n_samples, n_modules))[:, module]
    own = rng.normal(size=(n_samples, n_regulators))
    regulators = np.sqrt(module_correlation) * shared + np.sqrt(1 - module_correlation) * own
    coef = draw_coefficients(
        rng, module, n_targets, module_correlation, max_regulators, null_fraction, r2, n_edges
    )  # fmt: skip
    noise = rng.normal(size=(n_samples, n_targets)) * residual_sd(coef, r2)
    return coef, np.hstack([regulators, regulators @ coef + noise])


def residual_sd(coef: NDArray[np.float64], r2: float) -> NDArray[np.float64]:
    """Return what takes each target to variance 1, shape (n_targets,)."""
    return np.where((coef != 0).any(axis=0), np.sqrt(1 - r2), 1.0)


def draw_coefficients(
    rng: np.random.Generator,
    module: NDArray[np.intp],
    n_targets: int,
    module_correlation: float,
    max_regulators: int,
    null_fraction: float,
    r2: float,
    n_edges: int | None = None,
) -> NDArray[np.float64]:
    """Return coefficients on unit-variance regulators, (n_regulators, n_targets), that explain r2 of unit variance.

    ``module`` names each regulator's module. With ``n_edges`` the targets get regulators, 1 to max_regulators each,
    in random order until so many edges are dealt, and ``null_fraction`` is not used.
    """
    n_regulators = len(module)
    require_positive(n_regulators=n_regulators, n_targets=n_targets, max_regulators=max_regulators)
    for name, value, possible in (
        ("null_fraction", null_fraction, 0 <= null_fraction <= 1),
        ("r2", r2, 0 < r2 < 1),
    ):
        if not possible:
            raise InputError(f"simulate: {name}: {value} is not a share that is possible: correct it")
    most = min(max_regulators, n_regulators)
    sizes = np.zeros(n_targets, dtype=int)
    order = rng.permutation(n_targets)
    if n_edges is not None:
        sizes[order] = _dealt(rng, n_edges, n_targets, most)
    coef = np.zeros((n_regulators, n_targets))
    is_null = order < round(null_fraction * n_targets) if n_edges is None else sizes == 0
    for target in np.flatnonzero(~is_null):
        size = sizes[target] or min(int(np.exp(rng.uniform(0.0, np.log(most + 1)))), most)
        chosen = rng.choice(n_regulators, size=size, replace=False)
        coef[chosen, target] = rng.choice([-1.0, 1.0], size) * rng.uniform(0.5, 1.5, size)
        # Population variance of the sum, so that r2 holds for it and the target has variance 1.
        by_module = np.bincount(module[chosen], weights=coef[chosen, target])
        variance = module_correlation * (by_module**2).sum() + (1 - module_correlation) * (coef[:, target] ** 2).sum()
        coef[:, target] *= np.sqrt(r2 / variance)
    return coef


def _dealt(rng: np.random.Generator, n_edges: int, n_targets: int, most: int) -> NDArray[np.int_]:
    """Return how many regulators each target gets: 1 to ``most``, log-uniform, ``n_edges`` in all."""
    if not 0 <= n_edges <= n_targets * most:
        raise InputError(
            f"simulate: n_edges: {n_edges} is not from 0 to {n_targets * most}, {most} regulators a target: correct it"
        )
    sizes = np.minimum(np.exp(rng.uniform(0.0, np.log(most + 1), n_targets)).astype(int), most)
    before = np.cumsum(sizes) - sizes
    sizes = np.clip(n_edges - before, 0, sizes)
    for target in range(n_targets):  # more edges than the draw has: fill up from the first target on
        sizes[target] += min(most - sizes[target], n_edges - sizes.sum())
    return sizes


def package(
    X: NDArray[np.float64],
    coef: NDArray[np.float64],
    what: str,
    obs: dict[str, Any] | None = None,
    unit: str = "sample",
) -> tuple[AnnData, pd.DataFrame]:
    """Name samples and genes and list the edges, the non-zero coefficients."""
    import pandas as pd
    from anndata import AnnData

    n_regulators, n_targets = coef.shape
    regulators = np.array([f"reg{i + 1:0{len(str(n_regulators))}d}" for i in range(n_regulators)], dtype=object)
    targets = np.array([f"gene{i + 1:0{len(str(n_targets))}d}" for i in range(n_targets)], dtype=object)
    n_samples, n_genes = X.shape
    var = pd.DataFrame(
        {"is_regulator": np.arange(n_genes) < n_regulators}, index=pd.Index([*regulators, *targets], name="gene")
    )
    samples = pd.Index([f"{unit}{i + 1:0{len(str(n_samples))}d}" for i in range(n_samples)], name=unit)
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
