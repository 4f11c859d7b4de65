"""What a trait of the samples must be before its genes can be selected; all that can be refused is refused here."""

from __future__ import annotations

import dataclasses
import difflib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.solvers.columns import same_rows
from netinfer.stability.subsamples import MINIMUM_UNITS, unit_rows

if TYPE_CHECKING:
    from anndata import AnnData

    from netinfer.config import PhenotypeConfig

# A trait whose values differ by less than this share of their size carries rounding.
CONSTANT_RANGE = 1e-10
# What the covariates must leave of the trait's variance: below it they say the same as the trait.
EXPLAINED = 1e-8


@dataclasses.dataclass(frozen=True)
class Trait:
    """A trait, on the samples that have a value of it.

    Attributes
    ----------
    name : str
    numbers : float array, shape (n_samples_with_value,)
    rows : int array, shape (n_samples_with_value,)
        Their places among all samples.
    n_missing : int
        Samples without a value.
    units : array, shape (n_samples_with_value,)
        Label of the independent unit of each sample.
    unit_column : str
        What names the units.
    notes : tuple of str
        Sentences on what was seen.
    classes : tuple of str
        The two classes of a binomial trait, coded 0 and 1; empty for a number.
    """

    name: str
    numbers: np.ndarray
    rows: np.ndarray
    n_missing: int
    units: np.ndarray
    unit_column: str
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def is_binomial(self) -> bool:
        """Whether the trait is one of two classes."""
        return bool(self.classes)

    @property
    def is_case(self) -> np.ndarray:
        """Samples of the second class, bool, shape (n_samples_with_value,)."""
        return self.numbers > 0.5

    def class_sizes(self) -> dict[str, int]:
        """Return the number of samples of each class, in order; empty for a number."""
        return {name: int((self.numbers == value).sum()) for value, name in enumerate(self.classes)}


def check_phenotype(adata: AnnData, settings: PhenotypeConfig, *, block: str | None = None) -> dict[str, Any]:
    """Look at the trait that a config names, before any long work.

    Parameters
    ----------
    adata : AnnData, samples x genes
        As the regression gets it.
    settings : PhenotypeConfig
    block : str, optional
        The data set's; its covariates stand in ``uns["netinfer"]["design"]``.

    Returns
    -------
    dict
        ``column``, ``family``, ``classes`` (samples of each, empty for a number), ``n_samples``, ``n_missing``,
        ``n_units``, ``unit``, ``covariates``, ``notes``.

    Raises
    ------
    InputError
        If the trait cannot be modelled: see `check_trait`.
    ConfigError
        If the family is unknown.
    """
    from netinfer.models.phenotype.covariates import trait_covariates

    trait = check_trait(adata, settings.column, family=settings.family, block=block, positive=settings.positive)
    names, _, notes = trait_covariates(adata, trait, settings.covariates)
    return {
        "column": settings.column,
        "family": settings.family,
        "classes": trait.class_sizes(),
        "n_samples": len(trait.numbers),
        "n_missing": trait.n_missing,
        "n_units": len(unit_rows(trait.units)),
        "unit": trait.unit_column,
        "covariates": names,
        "notes": [*trait.notes, *notes],
    }


def check_trait(
    adata: AnnData, phenotype: Any, *, family: str = "gaussian", block: str | None = None, positive: Any = None
) -> Trait:
    """Read a trait of the samples and refuse what no model can be fitted to.

    Parameters
    ----------
    adata : AnnData, samples x genes
    phenotype : str or array, shape (n_samples,)
        A column of ``obs``, or the values; missing ones (NaN, None, empty text) are left out.
    family : {"gaussian", "binomial"}
    block : str, optional
        Column of ``obs`` that names the independent unit.
    positive : str or number, optional
        The class whose odds are modelled (binomial); by default the larger number, else the later word.

    Returns
    -------
    Trait

    Raises
    ------
    InputError
        An unknown column; a value missing for more than half of the samples; a trait that is text, infinite or
        constant (gaussian); one class, more than two, or one with fewer than 8 units (binomial); fewer than 8 units.
    ConfigError
        If the family is unknown.
    """
    if family not in ("gaussian", "binomial"):
        raise ConfigError(f"phenotype: family: {family!r} is unknown: use gaussian or binomial")
    name, column, where = _column(adata, phenotype)
    is_blank = [isinstance(value, str) and not value.strip() for value in column]
    has_value = ~(column.isna().to_numpy() | np.array(is_blank))
    n_missing = int((~has_value).sum())
    if n_missing > len(column) // 2:
        raise InputError(
            f"{where}: {n_missing} of {len(column)} samples have no value: name a column that is filled for at least "
            "half of the samples, or leave the others out (`exclude_samples`, `subset`)"
        )
    rows = np.flatnonzero(has_value)
    known = column[has_value]
    if positive is not None and family == "gaussian":
        raise ConfigError(
            f"phenotype: positive: {positive!r} names a class, and family gaussian has none: set binomial"
        )
    values, classes = (_numbers(known, where), ()) if family == "gaussian" else _classes(known, where, positive)
    unit_column, labels, notes = _units(adata, block, values, rows)
    _enough_units(labels, values, known, unit_column, where, family)
    if n_missing:
        notes.insert(0, f"{n_missing} of {len(column)} samples have no value of {name} and are left out of its model")
    if not classes and np.unique(values).size == 2:
        notes.append(f"{name} has two values: their difference is modelled as a number; family binomial takes classes")
    return Trait(name, values, rows, n_missing, labels, unit_column, tuple(notes), classes)


def _column(adata: AnnData, phenotype: Any) -> tuple[str, pd.Series, str]:
    if not isinstance(phenotype, str):
        phenotype = same_rows("select_genes", adata.obs, phenotype, ("adata", "phenotype"))
        values = pd.Series(np.asarray(phenotype, dtype=object if _is_mixed(phenotype) else None))
        if np.asarray(phenotype).ndim != 1 or len(values) != adata.n_obs:
            raise InputError(
                f"phenotype: {np.asarray(phenotype).shape} values for {adata.n_obs} samples: give one value a sample"
            )
        return str(getattr(phenotype, "name", None) or "phenotype"), values, "phenotype"
    if phenotype not in adata.obs.columns:
        known = [str(name) for name in adata.obs.columns]
        near = difflib.get_close_matches(phenotype, known, 1)
        hint = f" (nearest: {near[0]!r})" if near else ""
        listed = ", ".join(known[:20]) or "none: give a sample sheet"
        raise InputError(
            f"phenotype: column {phenotype!r} is not among the columns of the samples{hint}: these are there: {listed}"
        )
    return phenotype, adata.obs[phenotype].astype(object), f"phenotype: column {phenotype!r}"


def _is_mixed(values: Any) -> bool:
    return not hasattr(values, "dtype") and any(value is None or isinstance(value, str) for value in values)


def _numbers(known: pd.Series, where: str) -> np.ndarray:
    """Return the trait as numbers; columns of text that are all numbers pass, true and false do not."""
    is_bool = np.fromiter((isinstance(value, bool | np.bool_) for value in known), bool, len(known))
    numbers = np.array([_number(value) for value in known])
    bad = is_bool | np.isnan(numbers)
    if bad.any():
        shown = str(known[bad].iloc[0])
        raise InputError(
            f"{where}: {int(bad.sum())} of {len(known)} values are no numbers, such as {shown!r}: family gaussian "
            "needs a number for each sample; two classes are family binomial"
        )
    if not np.isfinite(numbers).all():
        raise InputError(
            f"{where}: {int(np.isinf(numbers).sum())} values are infinite: leave them empty or correct them"
        )
    if np.ptp(numbers) <= CONSTANT_RANGE * np.abs(numbers).max():
        raise InputError(f"{where}: the same value in every sample ({numbers[0]:g}): a constant trait has no genes")
    return numbers


def _number(value: Any) -> float:
    # Not pandas.to_numeric, which misses the last digit of some texts.
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def _classes(known: pd.Series, where: str, positive: Any = None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the classes as 0 and 1, and their names in that order.

    Where no positive class is named, of numbers the smaller comes first, else the alphabet decides.
    """
    texts = known.map(_class_name)
    names = sorted(texts.unique(), key=lambda name: (_number(name) if not np.isnan(_number(name)) else np.inf, name))
    if len(names) < 2:
        raise InputError(f"{where}: one class only ({names[0]!r}): a model needs samples of two classes")
    if len(names) > 2:
        shown = ", ".join(map(repr, names[:5]))
        raise InputError(
            f"{where}: {len(names)} classes ({shown}{', ...' if len(names) > 5 else ''}): family binomial takes two: "
            "keep two of them (`subset` in a config, adata[rows] in a notebook), or use gaussian for numbers"
            + (": these differ in upper and lower case alone, write them alike" if _differ_in_case(names) else "")
        )
    if positive is not None:
        if _class_name(positive) not in names:
            raise InputError(f"{where}: positive: {positive!r} is no class of it: name {names[0]!r} or {names[1]!r}")
        names.sort(key=lambda name: name == _class_name(positive))
    return (texts == names[1]).to_numpy(dtype=np.float64), (names[0], names[1])


def _differ_in_case(names: list[str]) -> bool:
    return len({name.casefold() for name in names}) < len(names)


def _class_name(value: Any) -> str:
    """Name a class: 1, 1.0 and "1" are the same."""
    number = np.nan if isinstance(value, bool | np.bool_) else _number(value)
    return f"{number:g}" if np.isfinite(number) else str(value).strip()


def _units(
    adata: AnnData, block: str | None, values: np.ndarray, rows: np.ndarray
) -> tuple[str, np.ndarray, list[str]]:
    """Name the independent units; a trait that belongs to the donors has the donors for units."""
    from netinfer.models.regression.units import unit_labels

    obs = adata.obs
    column, labels = unit_labels(adata, block)
    labels = np.arange(len(obs)) if labels is None else np.asarray(labels)
    if block is None and column == "sample" and "donor" in obs.columns and not obs["donor"].isna().any():
        donors = obs["donor"].astype(str).to_numpy()[rows]
        members = unit_rows(donors)
        is_one_value = all(np.ptp(values[member]) == 0 for member in members)
        if is_one_value and len(members) < len(rows):
            text = "the trait is the same for all samples of a donor: the donors are the independent units of its model"
            return "donor", donors, [text]
    return column, labels[rows], []


def _enough_units(labels, values, known: pd.Series, unit_column: str, where: str, family: str) -> None:
    n_units = len(unit_rows(labels))
    kind = "samples with a value" if unit_column == "sample" else f"units with a value ({unit_column})"
    if n_units < MINIMUM_UNITS:
        raise InputError(
            f"{where}: {n_units} independent {kind}, at least {MINIMUM_UNITS} are needed to draw half-samples: add "
            "samples, or leave the phenotype out: the network does not need it"
        )
    if family != "binomial":
        return
    for value in (0.0, 1.0):
        n_class = len(unit_rows(labels[values == value]))
        if n_class < MINIMUM_UNITS:
            name = str(known[values == value].iloc[0])
            raise InputError(
                f"{where}: class {name!r} has {n_class} independent {kind}, at least {MINIMUM_UNITS} are needed: add "
                "samples of it, or leave the phenotype out"
            )
