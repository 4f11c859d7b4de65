"""The covariates of a trait's model: its own, the data set's, or the design's, and whether they leave anything of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from netinfer.errors import InputError
from netinfer.models.phenotype.trait import EXPLAINED, Trait

if TYPE_CHECKING:
    from anndata import AnnData


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
    matrix : float array, shape (n_samples_with_value, q), or None without covariates
    notes : list of str
        Sentences on what was done.

    Raises
    ------
    InputError
        If the trait is its own covariate, or the covariates explain it completely.
    """
    notes: list[str] = []
    if covariates is None:
        stored = adata.uns.get("netinfer", {}).get("design", {}).get("covariates", ())
        names = [str(name) for name in stored]
        if trait.name in names:
            names.remove(trait.name)
            notes.append(f"{trait.name} is a covariate of the network and is none of its own model")
    else:
        names = [covariates] if isinstance(covariates, str) else list(covariates)
        if trait.name in names:
            raise InputError(f"phenotype: {trait.name!r} is its own covariate: leave it out of the phenotype's covariates")
    if not names:
        return [], None, notes
    from netinfer.preprocess.design import covariate_matrix

    matrix = covariate_matrix(adata.obs.iloc[trait.rows], names, where="phenotype: covariates")
    matrix = np.asarray(matrix, dtype=np.float64)
    _refuse_the_same(trait, names, matrix)
    return names, matrix, notes


def _refuse_the_same(trait: Trait, names: Sequence[str], matrix: np.ndarray) -> None:
    """Refuse covariates that say all that the trait says: nothing would be left to explain."""
    centred = matrix - matrix.mean(axis=0)
    size = np.abs(centred).max(axis=0)
    centred = centred / np.where(size > 0, size, 1.0)
    values = trait.values - trait.values.mean()
    fitted = centred @ np.linalg.lstsq(centred, values, rcond=None)[0]
    if ((values - fitted) ** 2).sum() <= EXPLAINED * (values**2).sum():
        raise InputError(
            f"phenotype: {trait.name!r} coincides with the covariates {', '.join(names)}: nothing of it is left to "
            "explain: the data cannot tell them apart; leave out the covariate that stands for the trait"
        )
