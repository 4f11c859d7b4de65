"""The phenotype model of a data set as its config asks for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from netinfer.models.phenotype.model import PhenotypeModel
from netinfer.models.phenotype.select import select_genes

if TYPE_CHECKING:
    from anndata import AnnData

    from netinfer.config import PhenotypeConfig

# What the trait's model does not take from the network's settings: it is a Lasso, and one target cannot be pooled.
_OWN = ("model", "truncation", "pooled", "decoys")
_SHARED_CUTS = ("fdr", "selection_probability")
_OTHER_CUT = "the cut in the config counts edges of the whole network: the genes are cut at fdr 0.1"


def select_configured(
    adata: AnnData,
    settings: PhenotypeConfig,
    *,
    regression: Mapping[str, Any],
    cut: Mapping[str, float | None],
    block: str | None = None,
    seed: int = 0,
) -> PhenotypeModel:
    """Select the genes of a data set's trait with the settings of its config.

    Parameters
    ----------
    adata : AnnData, samples x genes
        As the network's regression gets it.
    settings : PhenotypeConfig
    regression : mapping
        The network's settings; the trait's model shares all but `model`, `truncation`, `pooled` and `decoys`.
    cut : mapping
        The network's cut. ``fdr`` and ``selection_probability`` hold for the genes too; ``expected_false_edges`` is
        a number of edges, and the genes are then cut at fdr 0.1.
    block : str, optional
        The data set's; its covariates stand in ``uns["netinfer"]["design"]``.
    seed : int

    Returns
    -------
    PhenotypeModel

    Raises
    ------
    ConfigError, InputError
        As `select_genes`.
    """
    asked: dict[str, Any] = {name: cut[name] for name in _SHARED_CUTS if cut.get(name) is not None}
    model = select_genes(
        adata,
        settings.column,
        family=settings.family,
        positive=settings.positive,
        covariates=settings.covariates,
        block=block,
        max_genes=settings.max_genes,
        seed=seed,
        **asked,
        **{name: value for name, value in regression.items() if name not in _OWN},
    )
    if asked:
        return model
    return dataclasses.replace(model, record={**model.record, "notes": [*model.record["notes"], _OTHER_CUT]})
