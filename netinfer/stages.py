"""The stages of the workflow that are more than one call: read a data set, keep it as a file between two stages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.config import IngestConfig, PreparationConfig, is_regulator_name
from netinfer.errors import RunError
from netinfer.io.files import atomic_path, atomic_write

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    import anndata
    import pandas as pd
    from matplotlib.axes import Axes

    from netinfer.network import Network


def read_dataset(
    expression: str | Path,
    regulators: str | Path,
    *,
    samples: str | Path | None = None,
    settings: IngestConfig | None = None,
) -> anndata.AnnData:
    """Read an expression matrix with its regulators and sample sheet, check and clean it.

    Parameters
    ----------
    expression : path
    regulators : path, or name of a shipped list, or "all"
    samples : path, optional
    settings : IngestConfig, optional

    Returns
    -------
    AnnData, samples x genes
        With ``var["is_regulator"]`` and what was dropped in ``uns["netinfer"]``.

    Raises
    ------
    InputError
        If a file cannot be used as it is.
    """
    from netinfer import io, preprocess
    from netinfer.io.build import text_array

    settings = settings or IngestConfig()
    reading = {key: getattr(settings, key) for key in ("orientation", "gene_column", "encoding")}
    adata = io.read_expression(expression, layer=settings.layer, **reading)
    better = preprocess.better_layer(adata) if settings.layer is None else None
    if better is not None:
        adata = io.read_expression(expression, layer=better, **reading)
        line = f"X holds z-scores of single cells, so `{better}` was read: name another matrix as `layer`"
        adata.uns["netinfer"]["log"] = text_array([*adata.uns["netinfer"]["log"], line])
    adata = preprocess.ingest(
        adata,
        regulators=str(regulators) if is_regulator_name(str(regulators)) else Path(regulators),
        samples=io.read_sample_sheet(samples) if samples is not None else None,
        settings=settings,
        where=str(expression),
    )
    for line in adata.uns["netinfer"]["log"]:
        logger.info("%s", line)
    return adata


def prepare_dataset(adata: anndata.AnnData, settings: PreparationConfig, *, seed: int = 0) -> anndata.AnnData:
    """Make a data set as `read_dataset` gives it ready for the regression.

    Samples and genes are chosen, values normalized, covariates checked, hidden factors found.

    Parameters
    ----------
    adata : AnnData, samples x genes
    settings : PreparationConfig
    seed : int

    Returns
    -------
    AnnData, samples x genes
        ``uns["netinfer"]["design"]`` says which covariates are projected out and what the independent units are.

    Raises
    ------
    InputError
        If the data cannot be used as they are.
    """
    from netinfer import preprocess

    n_known = len(adata.uns["netinfer"]["log"])
    adata = preprocess.prepare_samples(
        adata,
        assay=settings.assay,
        filter=settings.filter,
        cells=settings.cells,
        block=settings.block,
        seed=seed,
    )
    adata = preprocess.normalize(adata, settings.normalize, center_by=settings.center_by)
    adata = preprocess.with_design(adata, covariates=settings.covariates, block=settings.block, strata=settings.strata)
    adata = preprocess.hidden_factors(adata, settings.hidden_factors, block=settings.block, seed=seed)
    for line in adata.uns["netinfer"]["log"][n_known:]:
        logger.info("%s", line)
    return adata


def variant_preparation(
    settings: PreparationConfig, *, seed: int = 0
) -> Callable[[anndata.AnnData, str | None], anndata.AnnData]:
    """Give the function by which the variants of a sensitivity card are made ready, as the data set itself is.

    Its second argument is another method of normalization, or None. A covariate of which leaving samples out leaves one
    value has nothing to project out and is taken out.
    """

    def prepare(adata: anndata.AnnData, method: str | None) -> anndata.AnnData:
        update: dict[str, Any] = {} if method is None else {"normalize": method}
        if settings.covariates is not None:
            update["covariates"] = [
                name for name in settings.covariates if name not in adata.obs or len(adata.obs[name].unique()) > 1
            ]
        return prepare_dataset(adata, settings.model_copy(update=update), seed=seed)

    return prepare


def provenance(adata: anndata.AnnData, dataset: str) -> dict[str, Any]:
    """Say where a network's data came from and what was done to them, as plain values."""
    notes = adata.uns["netinfer"]
    return {
        "dataset": dataset,
        "source": str(notes["source"]),
        "input_kind": str(notes["input_kind"]),
        "normalization": str(notes["normalization"]),
        "log": [str(line) for line in notes["log"]],
        "n_dropped_samples": len(notes["dropped_samples"]),
        "design": _plain(notes.get("design", {})),
        "hidden_factors": _plain(notes.get("hidden_factors", {})),
    }


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Turn what h5ad gives back into JSON's own types."""
    return {
        str(key): value.tolist() if isinstance(value, np.ndarray | np.generic) else value
        for key, value in record.items()
    }


def strongest_targets(network: Network, n: int = 6) -> list[str]:
    """Name the targets of the strongest candidates: those whose stability paths are worth a look."""
    return [str(name) for name in network.candidates["target"].drop_duplicates().iloc[:n]]


def write_h5ad(adata: anndata.AnnData, path: str | Path) -> None:
    """Write an AnnData so that the file is whole or not there."""
    with atomic_path(path) as temporary:
        adata.write_h5ad(temporary)


def read_h5ad(path: str | Path) -> anndata.AnnData:
    """Read an AnnData that `write_h5ad` wrote.

    Raises
    ------
    RunError
        If the file is damaged.
    """
    import anndata

    try:
        return anndata.read_h5ad(path)
    except (OSError, KeyError, ValueError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise RunError(f"{path}: damaged intermediate file ({first}): delete it and run again") from error


def read_if(kind: Any, files: Sequence[str] | None) -> Any:
    """Read a result from the folder of the first of its files; None where a data set has none."""
    return kind.read(Path(files[0]).parent) if files else None


def write_figure(ax: Axes, path: str | Path) -> None:
    """Write the figure of an Axes as SVG, whole or not at all; the same figure gives the same bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    if not isinstance(ax.figure, Figure):
        raise TypeError("only a plain figure can be written")
    with matplotlib.rc_context({"svg.hashsalt": "netinfer"}), atomic_path(path) as temporary:
        ax.figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None})


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a small table as tab-separated text."""
    with atomic_write(path) as file:
        table.to_csv(file, sep="\t", index=False, lineterminator="\n")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table that `write_table` wrote."""
    import pandas as pd

    return pd.read_csv(path, sep="\t")
