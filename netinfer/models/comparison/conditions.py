"""The conditions of a comparison: what is refused before any work, which genes come in, and their samples."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.models.precision.problem import (
    MINIMUM_UNITS,
    SAME_VARIANCE,
    PrecisionProblem,
    TooFewUnitsError,
    gene_variances,
    independent_units,
    prepare_genes,
)
from netinfer.models.regression.candidates import chosen_regulators
from netinfer.network.joint import check_names
from netinfer.network.validate import check_provenance

if TYPE_CHECKING:
    from anndata import AnnData

WHERE = "infer_joint_precision"


@dataclasses.dataclass(frozen=True)
class Conditions:
    """The samples of all conditions over the genes included.

    Attributes
    ----------
    names : tuple of str
    reference : str
        What the others are compared with.
    problems : tuple of PrecisionProblem
        Each condition's own genes, in the order of their names.
    genes : tuple of str
        Every gene that some condition includes, in the order of their names.
    places : tuple of int array
        Where each condition's genes are among these, rising.
    table : DataFrame
        gene, condition, status, reason: a row for each of these genes and each condition.
    choice : str
        How the genes were chosen, in one sentence.
    """

    names: tuple[str, ...]
    reference: str
    problems: tuple[PrecisionProblem, ...]
    genes: tuple[str, ...]
    places: tuple[np.ndarray, ...]
    table: pd.DataFrame
    choice: str

    @property
    def reference_place(self) -> int:
        """Which condition is the reference."""
        return self.names.index(self.reference)

    @property
    def n_pairs(self) -> int:
        """Pairs of all genes."""
        return len(self.genes) * (len(self.genes) - 1) // 2

    @property
    def gene_names(self) -> list[tuple[str, ...]]:
        """Each condition's own genes."""
        return [problem.names for problem in self.problems]

    @property
    def is_measured(self) -> np.ndarray:
        """Which condition includes which gene, shape (n_conditions, n_genes)."""
        out = np.zeros((len(self.names), len(self.genes)), bool)
        for k, place in enumerate(self.places):
            out[k, place] = True
        return out


def check_conditions(conditions: Any, reference: str | None) -> tuple[list[str], str]:
    """Return the conditions' names and the reference, or refuse what is no comparison.

    Raises
    ------
    ConfigError
    """
    if not isinstance(conditions, Mapping):
        raise ConfigError(
            f"{WHERE}: conditions: a mapping of names to expression is needed, not {type(conditions).__name__}: give "
            '{"rich": adata1, "minimal": adata2}'
        )
    names = check_names(list(conditions), WHERE)
    if reference is not None and reference not in names:
        raise ConfigError(f"{WHERE}: reference: {reference!r} is none of the conditions {', '.join(names)}")
    return names, names[0] if reference is None else reference


def prepare_conditions(
    conditions: Mapping[str, AnnData],
    regulators: Sequence[str] | str | Path | None = None,
    *,
    reference: str,
    max_genes: int | None,
    covariates: Sequence[str] | None = None,
    block: str | None = None,
    strata: str | None = None,
) -> Conditions:
    """Choose the genes of all conditions together and set up the samples of each.

    Parameters
    ----------
    conditions : mapping of name to AnnData, samples x genes
    regulators, max_genes, covariates, block, strata
        As for `netinfer.models.precision.prepare_genes`; `max_genes` counts the genes of all conditions together.
    reference : str

    Returns
    -------
    Conditions

    Raises
    ------
    TooFewUnitsError
        If a condition has fewer than 20 independent units.
    InputError
        If a condition has fewer than two genes in common with the reference, or its data cannot be used.
    """
    if max_genes is not None and (isinstance(max_genes, bool) or not isinstance(max_genes, int) or max_genes < 2):
        raise ConfigError(f"{WHERE}: max_genes: {max_genes!r} is no whole number of at least 2")
    check_units(conditions, block)
    measured = {name: [str(gene) for gene in adata.var_names] for name, adata in conditions.items()}
    check_common(measured, reference)
    is_regulator = {name: _regulators(name, adata, regulators) for name, adata in conditions.items()}
    kept, choice = _chosen(conditions, measured, is_regulator, max_genes)
    problems = []
    for name, adata in conditions.items():
        own = sorted(kept & set(measured[name]))
        part = adata[:, own].copy()
        part.var = part.var.drop(columns="is_regulator", errors="ignore")
        with naming(name):
            problem = prepare_genes(part, max_genes=None, covariates=covariates, block=block, strata=strata)
        others = [gene for gene in measured[name] if gene not in kept]
        reason = f"not among the {len(kept)} genes included"
        left_out = pd.DataFrame({"gene": others, "status": "filtered", "reason": reason}, dtype=object)
        problems.append(
            dataclasses.replace(
                problem,
                is_regulator=np.array([gene in is_regulator[name] for gene in problem.names], bool),
                left_out=pd.concat([problem.left_out, left_out], ignore_index=True),
                n_genes=adata.n_vars,
                choice=choice,
            )
        )
    included = {name: list(problem.names) for name, problem in zip(conditions, problems, strict=True)}
    check_common(included, reference)
    genes = tuple(sorted(set().union(*included.values())))
    place_of = {gene: place for place, gene in enumerate(genes)}
    return Conditions(
        names=tuple(conditions),
        reference=reference,
        problems=tuple(problems),
        genes=genes,
        places=tuple(np.array([place_of[gene] for gene in own], np.int64) for own in included.values()),
        table=_table(genes, list(conditions), problems, measured),
        choice=choice,
    )


def check_units(conditions: Mapping[str, AnnData], block: str | None) -> None:
    """Refuse conditions with too few independent units, all of them in one line.

    Raises
    ------
    TooFewUnitsError
    """
    few = []
    for name, adata in conditions.items():
        with naming(name):
            n_units = independent_units(adata, block)[1]
        if n_units < MINIMUM_UNITS:
            few.append(f"{name} has {n_units}")
    if few:
        raise TooFewUnitsError(
            f"{WHERE}: {', '.join(few)} independent units, at least {MINIMUM_UNITS} are needed in each condition for a "
            "graph of conditional ties: add samples, or leave the condition out"
        )


def check_common(genes: Mapping[str, Sequence[str]], reference: str) -> dict[str, int]:
    """Count the genes that each condition shares with the reference, or refuse one that shares fewer than two.

    Raises
    ------
    InputError
    """
    first = set(genes[reference])
    common = {name: len(first & set(own)) for name, own in genes.items() if name != reference}
    for name, n in common.items():
        if n < 2:
            raise InputError(
                f"{WHERE}: condition {name!r} has {n or 'no'} gene{'s' if n != 1 else ''} in common with "
                f"{reference!r}, at least 2 are needed ({_some(genes[name])} there, {_some(genes[reference])} here): "
                "check that both have names of one kind"
            )
    return common


def _some(genes: Sequence[str]) -> str:
    return ", ".join(map(repr, genes[:2])) + (", ..." if len(genes) > 2 else "") if genes else "no genes"


@contextlib.contextmanager
def naming(name: str) -> Iterator[None]:
    """Say in an error which condition it is of."""
    try:
        yield
    except (InputError, ConfigError) as error:
        text = str(error).removeprefix("infer_precision: ")
        raise type(error)(f"{WHERE}: condition {name!r}: {text}") from error


def _regulators(name: str, adata: AnnData, regulators: Any) -> set[str]:
    """Return the names of a condition's regulators; none where it has no list."""
    genes = np.array([str(gene) for gene in adata.var_names], object)
    if regulators is None:
        if "is_regulator" not in adata.var:
            return set()
        return set(genes[adata.var["is_regulator"].to_numpy(dtype=bool)])
    with naming(name):
        return set(genes[chosen_regulators(adata, genes.tolist(), regulators)])


def _chosen(
    conditions: Mapping[str, AnnData],
    measured: Mapping[str, list[str]],
    is_regulator: Mapping[str, set[str]],
    max_genes: int | None,
) -> tuple[set[str], str]:
    """Return the genes included and, in words, how they were chosen: regulators, then the most variable others."""
    columns = []
    for name, adata in conditions.items():
        if len(set(measured[name])) < adata.n_vars:
            raise InputError(f"{WHERE}: condition {name!r}: a gene name occurs twice: make the names unique")
        with naming(name):
            columns.append(pd.Series(gene_variances(adata, np.array(measured[name], object)), measured[name]))
    # Over the conditions that have the gene: one that no file of a condition names is not a constant one there.
    variance = pd.concat(columns, axis=1).mean(axis=1).sort_index()
    n_all = len(variance)
    variance = variance[variance > 0]
    listed = set().union(*is_regulator.values())
    others = variance[~variance.index.isin(listed)]
    is_flat = len(others) > 1 and others.max() < SAME_VARIANCE * others.min()
    n_listed = int(variance.index.isin(listed).sum())
    order = np.lexsort(
        (
            np.arange(len(variance)),
            np.zeros(len(variance)) if is_flat else -variance.to_numpy(),
            ~variance.index.isin(listed),
        )
    )
    kept = set(variance.index[order[:max_genes]])
    is_cut = len(kept) < len(variance)
    if is_flat and is_cut:
        warnings.warn(
            f"{WHERE}: all genes have the same variance, as after a rank normalization, so that the {len(kept)} genes "
            f"included (`max_genes`) are the first of {len(variance)} by name: give fewer genes, or a larger number",
            UserWarning,
            stacklevel=4,
        )
    text = f"conditional on the genes included: {len(kept):,} of {n_all:,} of all conditions"
    if not is_cut:
        return kept, f"{text}, all that vary"
    if n_listed >= len(kept):
        return kept, f"{text}, the most variable of {n_listed:,} regulators"
    which = "first others by name, since all have the same variance" if is_flat else "most variable others"
    if n_listed:
        return kept, f"{text}, {n_listed:,} regulators and the {which}"
    return kept, f"{text}, the {which.replace(' others', '')}"


def _table(
    genes: Sequence[str],
    names: Sequence[str],
    problems: Sequence[PrecisionProblem],
    measured: Mapping[str, list[str]],
) -> pd.DataFrame:
    """Return a row for each gene included and each condition."""
    rows = []
    for name, problem in zip(names, problems, strict=True):
        included, known = set(problem.names), set(measured[name])
        out = {row.gene: (str(row.status), str(row.reason)) for row in problem.left_out.itertuples()}
        for gene in genes:
            if gene in included:
                rows.append((gene, name, "ok", ""))
            elif gene in known:
                rows.append((gene, name, *out[gene]))
            else:
                rows.append((gene, name, "not_measured", "no gene of this name in the condition"))
    return pd.DataFrame(rows, columns=["gene", "condition", "status", "reason"], dtype=object)


def describe_conditions(conditions: Conditions) -> dict[str, Any]:
    """Return for the provenance what each condition has."""
    out = {}
    for name, problem in zip(conditions.names, conditions.problems, strict=True):
        genes = problem.genes
        out[name] = {
            "n_samples": len(genes.regulators),
            "n_units": genes.n_units,
            "unit": genes.unit_column,
            "n_genes": len(problem.names),
            "n_pairs": problem.n_pairs,
            "covariates": list(genes.covariate_names),
        }
    return check_provenance(out)
