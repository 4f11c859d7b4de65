"""The network of each variant, and the whole card as one call."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from netinfer.config import RegressionConfig
from netinfer.errors import ConfigError, InputError, RunError
from netinfer.models import regression
from netinfer.models.regression.adjustment import is_hidden_factor
from netinfer.models.sensitivity.card import Sensitivity, compare
from netinfer.models.sensitivity.variants import (
    REDRAWN,
    REGULATORS,
    Prepare,
    Variant,
    list_variants,
    named,
    variant_expression,
)

if TYPE_CHECKING:
    from anndata import AnnData

    from netinfer.network import Network

# What a card needs of a variant's candidates, at any cut.
COLUMNS = ["source", "target", "weight", "sign", "rank", "selection_probability", "expected_false_edges", "q_value"]
# Targets x regulators fitted at a time: bounds the memory of a variant, which is fitted by one process.
PAIRS_AT_A_TIME = 5_000_000


@dataclasses.dataclass(frozen=True, eq=False)
class VariantFit:
    """The candidates of one variant, and what it could have found.

    Attributes
    ----------
    variant : Variant
    candidates : DataFrame
        The columns that a cut, and a comparison, read.
    regulators, targets : tuple of str
        Those that vary and were fitted.
    n_samples, n_units : int
    place : int
        Of the variant among those asked for.
    """

    variant: Variant
    candidates: pd.DataFrame
    regulators: tuple[str, ...]
    targets: tuple[str, ...]
    n_samples: int
    n_units: int
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

    Settings, seed, units, covariates and the cut are the network's own. The first variant, ``redrawn``, changes nothing
    but the draw of half-samples: what it loses is chance.

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
        If a column or list cannot be used, a method does not suit the values, or the network was inferred with penalty
        weights, which it does not keep.

    Notes
    -----
    Each variant takes the time of the network itself.
    """
    from netinfer.io import as_expression
    from netinfer.preprocess import normalize as normalized

    if "settings" not in net.provenance or "seed" not in net.provenance:
        raise InputError("sensitivity: the network does not say how it was inferred: give one of infer_regression")
    if "penalty_weights" in net.provenance:
        raise InputError("sensitivity: the network was inferred with penalty weights, which it does not keep")
    expression = as_expression(adata)
    if "is_regulator" not in expression.var:
        chosen = set(net.nodes.loc[net.nodes["is_regulator"], "name"])
        expression.var["is_regulator"] = [str(name) in chosen for name in expression.var_names]
    variants = list_variants(expression.obs, normalizations=normalizations, leave_out=leave_out, regulators=regulators)
    settings = variant_settings(net.provenance["settings"], n_subsamples)
    threads = len(os.sched_getaffinity(0)) if threads is None else threads

    def prepare(values: AnnData, method: str | None) -> AnnData:
        asked = normalize if method is None else method
        return normalized(values, asked) if asked != "none" else values

    seed = int(net.provenance["seed"])
    fits = fit_variants(
        expression, variants, prepare, settings=settings, seed=seed, threads=threads, design=net.provenance
    )
    return compare(net, fits)


def variant_settings(settings: Any, n_subsamples: int | None) -> RegressionConfig:
    """Return the settings of the variants' fits: the network's, perhaps with fewer half-samples, without decoys."""
    from pydantic import ValidationError

    values = {**settings, "decoys": False}
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
        problem = regression.prepare(ready, listed, **_design(ready, design))
        n_targets, n_regulators = len(problem.target_names), len(problem.regulator_names)
        n = max(1, n_targets * n_regulators // PAIRS_AT_A_TIME)
        parts = [
            regression.fit_chunk(problem, chunk=(i, n), settings=settings, seed=seed, threads=threads)
            for i in range(1, n + 1)
        ]
        net = regression.gather(problem, parts, settings=settings, seed=seed)
        net = net if refine is None else refine(net)
    fitted = net.targets.loc[net.targets["status"].isin(["ok", "not_converged"]), "target"]
    return VariantFit(
        variant=variant,
        candidates=net.candidates[COLUMNS],
        regulators=tuple(
            name for name, varies in zip(problem.regulator_names, problem.regulator_varies, strict=True) if varies
        ),
        targets=tuple(map(str, fitted)),
        n_samples=len(problem.regulators),
        n_units=problem.n_units,
    )


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


def _design(adata: AnnData, design: Any) -> dict[str, Any]:
    """Return what names units and covariates; nothing where the prepared data do so themselves."""
    if design is None:
        return {}
    names = [name for name in design.get("covariates", ()) if not is_hidden_factor(name)]
    # A column with one value left, that of the only batch, has nothing to project out.
    names = [name for name in names if name not in adata.obs or len(adata.obs[name].unique()) > 1]
    asked = {"block": design.get("unit"), "covariates": names}
    return {**asked, "strata": design["strata"]} if design.get("strata") else asked


def write_fits(fits: Sequence[VariantFit], table: str | Path, record: str | Path) -> None:
    """Write fits as one parquet table of candidates and one JSON record of what they are; both may be empty."""
    from netinfer.io.files import atomic_path, atomic_write

    frames = [fit.candidates.assign(variant=fit.variant.name) for fit in fits]
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in [*COLUMNS, "variant"]})
    with atomic_path(table) as temporary:
        (pd.concat(frames, ignore_index=True) if frames else empty).to_parquet(temporary, index=False)
    with atomic_write(record) as file:
        json.dump(
            [
                {
                    "variant": {**dataclasses.asdict(fit.variant), "value": str(fit.variant.value)},
                    "regulators": fit.regulators,
                    "targets": fit.targets,
                    "n_samples": fit.n_samples,
                    "n_units": fit.n_units,
                    "place": fit.place,
                }
                for fit in fits
            ],
            file,
            ensure_ascii=False,
        )


def read_fits(table: str | Path, record: str | Path) -> list[VariantFit]:
    """Read back what `write_fits` wrote.

    Raises
    ------
    RunError
        If a file is missing or damaged.
    """
    try:
        candidates = pd.read_parquet(table)
        entries = json.loads(Path(record).read_text(encoding="utf-8"))
        return [
            VariantFit(
                variant=Variant(**entry["variant"]),
                candidates=candidates.loc[candidates["variant"] == entry["variant"]["name"], COLUMNS].reset_index(
                    drop=True
                ),
                regulators=tuple(entry["regulators"]),
                targets=tuple(entry["targets"]),
                n_samples=int(entry["n_samples"]),
                n_units=int(entry["n_units"]),
                place=int(entry["place"]),
            )
            for entry in entries
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{table}: damaged ({type(error).__name__}): delete it and run again") from error
