"""Which variants of an analysis there are, and the expression of each."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.config import SensitivityConfig, is_regulator_name
from netinfer.errors import ConfigError, InputError
from netinfer.models.regression.adjustment import is_hidden_factor
from netinfer.preprocess.normalization import METHODS
from netinfer.preprocess.selection import plain_labels, require_column
from netinfer.stability.subsamples import MINIMUM_UNITS

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

# Makes the expression of a variant ready for the regression; the method is None for that of the network itself.
Prepare = Callable[["AnnData", "str | None"], "AnnData"]

REDRAWN, NORMALIZATION, LEFT_OUT, REGULATORS = "redrawn", "normalization", "left_out", "regulators"
# Every group costs as much as the network itself.
MOST_GROUPS = 50


@dataclasses.dataclass(frozen=True)
class Variant:
    """One other choice; all else is as for the network.

    Attributes
    ----------
    kind : {"redrawn", "normalization", "left_out", "regulators"}
    name : str
        Names its columns: ``redrawn``, ``normalize=rank``, ``without=A``, ``regulators=tfs``.
    value : object
        Nothing; the method; the group left out, as text; the list, as `netinfer.infer_regression` takes it.
    column : str
        Column of the samples that has the group.
    """

    kind: str
    name: str
    value: Any
    column: str = ""


def list_variants(
    obs: pd.DataFrame,
    *,
    normalizations: Sequence[str] = (),
    leave_out: str | None = None,
    regulators: Sequence[Any] = (),
    where: str = "sensitivity",
) -> list[Variant]:
    """List the variants of an analysis, in the order in which they are asked for.

    The first is always ``redrawn``: nothing but other half-samples. What it loses is chance of the draw, and the others
    are to be read beside it.

    Parameters
    ----------
    obs : DataFrame, one row a sample
    normalizations : sequence of str
        Methods of `netinfer.normalize`.
    leave_out : str, optional
        Column of `obs` whose groups are left out one by one. Samples without a group stay in every variant.
    regulators : sequence
        Paths, names of shipped lists, ``all``, or lists of names.
    where : str
        Data set, for the messages.

    Returns
    -------
    list of Variant

    Raises
    ------
    ConfigError
        If nothing is asked for, a method is unknown, or something is asked for twice.
    InputError
        If the column is missing, or has fewer than 2 groups or more than 50, or too few samples are left without one.
    """
    found = [_method(name) for name in normalizations]
    if leave_out is not None:
        found += _groups(obs, leave_out, where)
    found += _lists(regulators)
    if not found:
        raise ConfigError(f"{where}: nothing to vary: give normalizations, leave_out or regulators")
    names = [variant.name for variant in found]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{where}: {name} is asked for twice: take one out")
    return [Variant(REDRAWN, "redrawn", ""), *found]


def configured_variants(obs: pd.DataFrame, settings: SensitivityConfig, *, where: str) -> list[Variant]:
    """List the variants that a config asks for; see `list_variants`."""
    return list_variants(
        obs,
        normalizations=settings.normalizations,
        leave_out=settings.leave_out,
        # A name is that of a shipped list, anything else a path, also where it has no slash.
        regulators=[one if is_regulator_name(one) else Path(one) for one in settings.regulators],
        where=where,
    )


def _method(name: str) -> Variant:
    if name not in METHODS:
        raise ConfigError(f"sensitivity: normalizations: {name!r}: use {', '.join(METHODS)}")
    return Variant(NORMALIZATION, f"normalize={name}", name)


def _groups(obs: pd.DataFrame, column: str, where: str) -> list[Variant]:
    labels = plain_labels(require_column(obs, column, "sensitivity.leave_out", where))
    groups = sorted({label for label in labels if label})
    if not 2 <= len(groups) <= MOST_GROUPS:
        shown = f": {', '.join(groups[:5])}{', ...' if len(groups) > 5 else ''}" if groups else ""
        raise InputError(
            f"{where}: sensitivity.leave_out: column {column!r} has {len(groups)} groups{shown}: 2 to {MOST_GROUPS} "
            "can be left out one by one: name another column, or merge groups"
        )
    for group in groups:
        n_left = sum(label != group for label in labels)
        if n_left < MINIMUM_UNITS:
            raise InputError(
                f"{where}: sensitivity.leave_out: {n_left} samples are left without {column} {group!r}, at least "
                f"{MINIMUM_UNITS} are needed: name a column with more even groups"
            )
    return [Variant(LEFT_OUT, f"without={group}", group, column) for group in groups]


def _lists(regulators: Sequence[Any]) -> list[Variant]:
    if isinstance(regulators, str | os.PathLike):
        raise ConfigError(f"sensitivity: regulators: {str(regulators)!r} is one list: give a list of lists")
    out: list[Variant] = []
    for place, one in enumerate(regulators, start=1):
        # The name of a file without its endings; lists of names are counted.
        name = Path(one).name.split(".")[0] if isinstance(one, str | os.PathLike) else f"list{place}"
        taken = {variant.name for variant in out}
        name = f"regulators={name}"
        out.append(Variant(REGULATORS, name if name not in taken else f"{name}_{place}", one))
    return out


def variant_expression(adata: AnnData, variant: Variant, prepare: Prepare) -> AnnData:
    """Make the expression of a variant: fewer samples, another method, or as for the network itself."""
    if variant.kind == LEFT_OUT:
        labels = np.array([label != variant.value for label in plain_labels(adata.obs[variant.column])])
        return prepare(adata[labels].copy(), None)
    return prepare(adata, variant.value if variant.kind == NORMALIZATION else None)


def design_of(adata: AnnData, design: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what names the units, covariates and strata of a variant, for `netinfer.models.regression.prepare`.

    Parameters
    ----------
    adata : AnnData
        The variant's expression.
    design : mapping, optional
        ``unit``, ``covariates`` and ``strata``, as in a network's provenance; nothing where the data say so themselves.
    """
    if design is None:
        return {}
    names = [name for name in design.get("covariates", ()) if not is_hidden_factor(name)]
    # A column with one value left, that of the only batch, has nothing to project out.
    names = [name for name in names if name not in adata.obs or len(adata.obs[name].unique()) > 1]
    asked = {"block": design.get("unit"), "covariates": names}
    return {**asked, "strata": design["strata"]} if design.get("strata") else asked


def check_variants(
    adata: AnnData, variants: Sequence[Variant], prepare: Prepare, design: Mapping[str, Any] | None = None
) -> None:
    """Find what would stop a run before it: methods that do not suit the values, lists without a gene of the data.

    Of the groups that are left out, which may be many, the largest is tried. `design` as for `design_of`.

    Raises
    ------
    InputError
        Named with the variant.
    """
    from netinfer.models.regression.problem import prepare as set_up

    base: AnnData | None = None
    left_out = [variant for variant in variants if variant.kind == LEFT_OUT]
    sizes = [plain_labels(adata.obs[variant.column]).count(variant.value) for variant in left_out]
    largest = left_out[sizes.index(max(sizes))] if left_out else None
    for variant in variants:
        if variant.kind == REDRAWN or (variant.kind == LEFT_OUT and variant is not largest):
            continue
        with named(variant):
            if variant.kind != REGULATORS:
                ready, listed = variant_expression(adata, variant, prepare), None
            else:
                base = prepare(adata, None) if base is None else base
                ready, listed = base, variant.value
            set_up(ready, listed, **design_of(ready, design))


@contextlib.contextmanager
def named(variant: Variant) -> Iterator[None]:
    """Say in an error of the input which variant it is of."""
    try:
        yield
    except (InputError, ConfigError) as error:
        raise type(error)(f"sensitivity: {variant.name}: {error}") from error
