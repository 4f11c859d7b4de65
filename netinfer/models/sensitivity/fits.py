"""The network of each variant, and the whole card as one call."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.config import RegressionConfig
from netinfer.errors import ConfigError, InputError
from netinfer.models import regression
from netinfer.models.regression.adjustment import is_hidden_factor
from netinfer.models.regression.part import NOT_FITTED
from netinfer.models.sensitivity.card import Sensitivity, compare
from netinfer.models.sensitivity.variants import (
    REDRAWN,
    REGULATORS,
    Prepare,
    Variant,
    check_variants,
    design_of,
    list_variants,
    named,
    variant_expression,
)
from netinfer.stability.counts import SelectionCounts

if TYPE_CHECKING:
    from anndata import AnnData

    from netinfer.network import Network

# What a card needs of a variant's candidates, at any cut; the bounds come from the counts.
COLUMNS = ["source", "target", "weight", "sign", "rank", "selection_probability", "count_row"]
# Targets x regulators fitted at a time: bounds the memory of a variant, which is fitted by one process.
PAIRS_AT_A_TIME = 5_000_000


@dataclasses.dataclass(frozen=True, eq=False)
class VariantFit:
    """The candidates of one variant, and what it could have found.

    Attributes
    ----------
    variant : Variant
    candidates : DataFrame
        The columns that a comparison reads; ``count_row`` is the pair's row of ``selection.counts``, -1 for none.
    selection : SelectionCounts
        What a rule reads: a bound is computed where the network that is compared says by which.
    regulators, targets : tuple of str
        Those that vary and were fitted.
    n_samples, n_units, n_hidden_factors : int
    place : int
        Of the variant among those asked for.
    """

    variant: Variant
    candidates: pd.DataFrame
    selection: SelectionCounts
    regulators: tuple[str, ...]
    targets: tuple[str, ...]
    n_samples: int
    n_units: int
    n_hidden_factors: int = 0
    place: int = 0


def sensitivity(
    adata: Any,
    net: Network,
    *,
    normalizations: Sequence[str] = (),
    leave_out: str | None = None,
    regulators: Sequence[Any] = (),
    normalize: str = "none",
    n_subsamples: int | None = None,
    threads: int | None = None,
) -> Sensitivity:
    """Infer a network again under other choices, and say under which each of its edges survives.

    Settings, seed, units, covariates, the number of hidden factors, threshold and cut are the network's own. The first
    variant, ``redrawn``, changes nothing but the draw of half-samples: what it loses is chance.

    Parameters
    ----------
    adata : AnnData, DataFrame or array, samples x genes
        The expression behind the network: as it was given to `netinfer.infer_regression`, or, to vary the
        normalization, as it was before.
    net : Network
        By `netinfer.infer_regression`.
    normalizations : list of str
        Other methods of `netinfer.normalize`.
    leave_out : str, optional
        Column of ``obs``, such as a batch, whose groups are left out one by one.
    regulators : list
        Other lists: each a path, the name of a shipped list, "all", or a list of names.
    normalize : str
        The network's own method where `adata` is not normalized yet; samples that are left out are left out before.
    n_subsamples : int, even, optional
        Half-samples of each variant; the network's number by default.
    threads : int, optional
        All cores that the process may use by default.

    Returns
    -------
    Sensitivity
        ``edges``, ``variants``, ``plot()``, ``write(folder)``.

    Raises
    ------
    ConfigError
        If nothing is varied, or a setting is impossible.
    InputError
        If a column or list cannot be used, a method does not suit the values, hidden factors leave a variant too
        little, or the network was inferred with penalty weights, which it does not keep.

    Notes
    -----
    Each variant takes the time of the network itself. Hidden factors are found anew in the normalized samples of each
    variant, as many as the network has, also where ``auto`` chose the number. Factors in ``obsm["hidden_factors"]``
    that `netinfer.hidden_factors` does not find again are taken to be the user's own, and stay as they are.
    """
    from netinfer.io import as_expression
    from netinfer.preprocess import normalize as normalized

    if "settings" not in net.provenance or "seed" not in net.provenance:
        raise InputError("sensitivity: the network does not say how it was inferred: give one of infer_regression")
    if not net.is_directed:
        raise InputError("sensitivity: an undirected network has no sensitivity card: give one of infer_regression")
    if "penalty_weights" in net.provenance:
        raise InputError("sensitivity: the network was inferred with penalty weights, which it does not keep")
    expression = as_expression(adata)
    if "is_regulator" not in expression.var:
        chosen = set(net.nodes.loc[net.nodes["is_regulator"], "name"])
        expression.var["is_regulator"] = [str(name) in chosen for name in expression.var_names]
    variants = list_variants(expression.obs, normalizations=normalizations, leave_out=leave_out, regulators=regulators)
    settings = variant_settings(net.provenance["settings"], n_subsamples)
    threads = len(os.sched_getaffinity(0)) if threads is None else threads

    design = net.provenance

    def in_scale(values: AnnData, method: str | None) -> AnnData:
        asked = normalize if method is None else method
        return normalized(values, asked) if asked != "none" else values

    is_own = "hidden_factors" in expression.obsm and _has_own_factors(in_scale(expression, None), design)

    def prepare(values: AnnData, method: str | None) -> AnnData:
        ready = in_scale(values, method)
        return ready if is_own else _with_factors(ready, design)

    check_variants(expression, variants, prepare, design)
    seed = int(design["seed"])
    fits = fit_variants(expression, variants, prepare, settings=settings, seed=seed, threads=threads, design=design)
    return compare(net, fits)


def _with_factors(adata: AnnData, design: Mapping[str, Any]) -> AnnData:
    """Find as many hidden factors as the network has, after the covariates that the variant has."""
    from netinfer.preprocess.factors import hidden_factors

    k = sum(map(is_hidden_factor, design.get("covariates", ())))
    asked = design_of(adata, design)
    return hidden_factors(adata, k, covariates=asked["covariates"], block=asked["block"])


def _has_own_factors(adata: AnnData, design: Mapping[str, Any]) -> bool:
    """Say whether the factors that came with the data are those of the network, and others than netinfer finds."""
    given = adata.obsm["hidden_factors"]
    if given.shape[1] != sum(map(is_hidden_factor, design.get("covariates", ()))):
        return False
    return not np.allclose(_with_factors(adata, design).obsm["hidden_factors"], given, rtol=0.0, atol=1e-6)


def variant_settings(settings: Any, n_subsamples: int | None) -> RegressionConfig:
    """Return the settings of the variants' fits: the network's, perhaps with fewer half-samples, without decoys.

    The rule and its constants only read what was fitted, and are no part of them.
    """
    from pydantic import ValidationError

    values = {key: value for key, value in settings.items() if key not in NOT_FITTED} | {"decoys": False}
    if n_subsamples is not None:
        values["n_subsamples"] = n_subsamples
    try:
        return RegressionConfig(**values)
    except ValidationError as fault:
        raise ConfigError(f"sensitivity: {fault.errors()[0]['msg']}") from fault


def fit_variant(
    adata: AnnData,
    variant: Variant,
    prepare: Prepare,
    *,
    settings: RegressionConfig,
    seed: int,
    threads: int = 1,
    design: Any = None,
    refine: Callable[[Network], Network] | None = None,
) -> VariantFit:
    """Infer the network of one variant.

    Parameters
    ----------
    adata : AnnData, samples x genes
        Before normalization, with ``var["is_regulator"]``.
    variant : Variant
    prepare : callable
        Makes the expression ready: ``prepare(adata, method)``, the method None for the network's own.
    settings : RegressionConfig
    seed, threads : int
        The network's own seed.
    design : mapping, optional
        Where the prepared data do not say themselves what the units and covariates are: ``unit``, ``covariates`` and
        ``strata``, as in a network's provenance.
    refine : callable, optional
        What is done to the network before it is cut, such as leaving pairs of one operon out.

    Returns
    -------
    VariantFit

    Raises
    ------
    InputError
        Named with the variant.
    """
    if variant.kind == REDRAWN:
        seed = (seed + 1) % 2**63
    with named(variant):
        ready = variant_expression(adata, variant, prepare)
        listed = variant.value if variant.kind == REGULATORS else None
        problem = regression.prepare(ready, listed, **design_of(ready, design))
        n_targets, n_regulators = len(problem.target_names), len(problem.regulator_names)
        n = max(1, n_targets * n_regulators // PAIRS_AT_A_TIME)
        parts = [
            regression.fit_chunk(problem, chunk=(i, n), settings=settings, seed=seed, threads=threads)
            for i in range(1, n + 1)
        ]
        net = regression.gather(problem, parts, settings=settings, seed=seed)
        net = net if refine is None else refine(net)
        selection = regression.selection_counts(problem, parts, settings)
    fitted = net.targets.loc[net.targets["status"].isin(["ok", "not_converged"]), "target"]
    return VariantFit(
        variant=variant,
        candidates=net.candidates.assign(count_row=_count_rows(net.candidates, problem, parts, settings))[COLUMNS],
        selection=selection,
        regulators=tuple(
            name for name, varies in zip(problem.regulator_names, problem.regulator_varies, strict=True) if varies
        ),
        targets=tuple(map(str, fitted)),
        n_samples=len(problem.regulators),
        n_units=problem.n_units,
        n_hidden_factors=sum(map(is_hidden_factor, problem.covariate_names)),
    )


def _count_rows(
    candidates: pd.DataFrame,
    problem: regression.RegressionProblem,
    parts: Sequence[regression.RegressionPart],
    settings: RegressionConfig,
) -> np.ndarray:
    """Find each candidate's row among the counts that a rule reads; -1 for pairs without one."""
    target, regulator, n_most = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("pair_target", "pair_regulator", "n_most")
    )
    is_counted = n_most > settings.n_subsamples // 2
    sources, targets = np.array(problem.regulator_names, object), np.array(problem.target_names, object)
    counted = pd.MultiIndex.from_arrays([sources[regulator[is_counted]], targets[target[is_counted]]])
    rows = np.full(len(candidates), -1)
    may = np.flatnonzero(candidates["selection_probability"].to_numpy() > 0.5)
    rows[may] = counted.get_indexer(pd.MultiIndex.from_frame(candidates.iloc[may][["source", "target"]]))
    return rows


def fit_variants(
    adata: AnnData, variants: Sequence[Variant], prepare: Prepare, *, chunk: tuple[int, int] = (1, 1), **fitting: Any
) -> list[VariantFit]:
    """Infer the networks of a share of the variants: the i-th, the (i + n)-th, ... of chunk (i, n).

    The other arguments are those of `fit_variant`.
    """
    i, n = chunk
    chosen = list(enumerate(variants))[i - 1 :: n]
    return [dataclasses.replace(fit_variant(adata, one, prepare, **fitting), place=place) for place, one in chosen]


def in_order(fits: Sequence[VariantFit]) -> list[VariantFit]:
    """Sort fits that come from several chunks as their variants were asked for."""
    return sorted(fits, key=lambda fit: fit.place)
