"""The covariates of a trait's model, and whether they leave anything of the trait."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.models.phenotype.trait import EXPLAINED, Trait

if TYPE_CHECKING:
    from anndata import AnnData

# Share of the null deviance below which covariates separate two classes, fitted with so small a ridge.
SEPARATED, SMALL_RIDGE = 0.05, 1e-5


def trait_covariates(
    adata: AnnData, trait: Trait, covariates: Sequence[str] | None
) -> tuple[list[str], np.ndarray | None, list[str]]:
    """Give the covariates of a trait's model.

    Parameters
    ----------
    adata : AnnData, samples x genes
    trait : Trait
    covariates : list of str, optional
        Columns of ``obs``; None takes those that the preparation of the data stored for the network, without the
        trait itself.

    Returns
    -------
    names : list of str
        Columns of ``obs``.
    matrix : float array, shape (n_samples_with_value, q), or None without covariates
    notes : list of str
        Sentences on what was done.

    Raises
    ------
    InputError
        If the trait is its own covariate, or the covariates explain it completely or separate its classes.
    """
    notes: list[str] = []
    if int(adata.uns.get("netinfer", {}).get("hidden_factors", {}).get("k", 0)):
        notes.append(f"the network's hidden factors are not projected out here: they may carry {trait.name} itself")
    if covariates is None:
        stored = adata.uns.get("netinfer", {}).get("design", {}).get("covariates", ())
        names = [str(name) for name in stored]
        if trait.name in names:
            names.remove(trait.name)
            notes.append(f"{trait.name} is a covariate of the network and is none of its own model")
        for name in [name for name in names if adata.obs[name].iloc[trait.rows].nunique() < 2]:
            names.remove(name)
            notes.append(f"covariate {name} has one level in the samples with a value of {trait.name}: left out")
    else:
        names = [covariates] if isinstance(covariates, str) else list(covariates)
        if trait.name in names:
            raise InputError(
                f"phenotype: {trait.name!r} is its own covariate: leave it out of the phenotype's covariates"
            )
    if not names:
        return [], None, notes
    from netinfer.preprocess.design import covariate_matrix

    design = covariate_matrix(adata.obs.iloc[trait.rows], names, where="phenotype: covariates")
    _refuse_the_same(trait, names, design.matrix)
    if trait.is_binomial:
        _refuse_separating(trait, names, design.matrix)
    return names, design.matrix, [*notes, *design.notes]


def _refuse_the_same(trait: Trait, names: Sequence[str], matrix: np.ndarray) -> None:
    """Refuse covariates that say all that the trait says: nothing would be left to explain."""
    values = trait.numbers - trait.numbers.mean()
    fitted = matrix @ np.linalg.lstsq(matrix, values, rcond=None)[0]
    if ((values - fitted) ** 2).sum() <= EXPLAINED * (values**2).sum():
        raise InputError(
            f"phenotype: {trait.name!r} coincides with the covariates {', '.join(names)}: nothing of it is left to "
            "explain: the data cannot tell them apart; leave out the covariate that stands for the trait"
        )


def _refuse_separating(trait: Trait, names: Sequence[str], matrix: np.ndarray) -> None:
    """Refuse covariates that tell the two classes apart without an error: no gene could add to them."""
    from netinfer.solvers import logistic_path

    spread = matrix.std(axis=0)
    columns = matrix[:, spread > 0] / spread[spread > 0]
    if not columns.shape[1]:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        free = np.zeros(columns.shape[1])
        path = logistic_path(columns, trait.is_case, np.ones(1), penalty_weights=free, ridge=SMALL_RIDGE)
    margin = (2 * trait.is_case - 1) * (path.intercept[0] + columns @ path.coef[0])
    if margin.min() > 0 and path.deviance[0] <= SEPARATED * path.null_deviance:
        raise InputError(
            f"phenotype: the covariates {', '.join(names)} separate the classes of {trait.name!r} without an error: "
            "nothing is left for the genes: leave out the covariate that stands for the class"
        )
