"""Gold standards and edge tables in any of the forms that people have them in."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from netinfer.errors import InputError
from netinfer.io.matching import to_keys

logger = logging.getLogger(__name__)

# How the first three columns are called by the tools whose tables people have at hand.
_ALIASES = {
    "source": ("source", "regulator", "tf", "gene1", "from"),
    "target": ("target", "gene2", "to"),
    "weight": ("weight", "importance", "edgeweight", "score"),
}


def as_gold(gold: Any) -> pd.DataFrame:
    """Return a gold standard as a table with source, target and is_edge."""
    if isinstance(gold, str | Path):
        from netinfer.io import read_gold

        gold = read_gold(gold)
    if not isinstance(gold, pd.DataFrame) or not {"source", "target"} <= set(gold.columns):
        raise InputError("gold standard: a table with the columns source, target and is_edge, or its path, is needed")
    return gold if "is_edge" in gold else gold.assign(is_edge=True)


def in_keys(gold: pd.DataFrame, *data: Any) -> pd.DataFrame:
    """Return a gold standard with the names that the data use.

    Gold standards come with symbols where the data have ids, or the other way round. If more of its names stand in an
    id column of the data (``symbol``, ``gene_id``, ...) than among the names of the genes, that column translates it.

    Parameters
    ----------
    gold : DataFrame
        With source and target.
    *data : Network or AnnData
        The first that has genes counts: ``nodes`` of a network, ``var`` of expression.

    Returns
    -------
    DataFrame
        As it came where the names of the genes serve best. A name that stands for no gene, or for several, stays.
    """
    var = next((frame for frame in map(_genes, data) if frame is not None), None)
    if var is None or gold[["source", "target"]].isna().to_numpy().any():
        return gold
    ends = gold["source"].astype(str).tolist() + gold["target"].astype(str).tolist()
    keys, column = to_keys(var, ends)
    if not column:
        return gold
    logger.info("gold standard: its names are those of %r in the data, and are translated by it", column)
    return gold.assign(source=keys[: len(gold)], target=keys[len(gold) :])


def _genes(data: Any) -> pd.DataFrame | None:
    nodes = getattr(data, "nodes", None)
    if isinstance(nodes, pd.DataFrame) and "name" in nodes:
        return nodes.set_index("name")
    var = getattr(data, "var", None)
    return var if isinstance(var, pd.DataFrame) else None


def as_network(network: Any) -> Any:
    """Read a path: the Network of a folder, or the edge table of a file; return anything else as it is."""
    if not isinstance(network, str | Path):
        return network
    if Path(network).is_dir():
        from netinfer.network import Network

        return Network.read(network)
    return read_edges(network)


def as_tables(network: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the ranked pairs and the network at its cut; a bare table is both."""
    network = as_network(network)
    if isinstance(network, pd.DataFrame):
        table = _named(network, "edge table")
        return table, table
    if hasattr(network, "candidates") and hasattr(network, "edges"):
        return network.candidates, network.edges
    raise InputError("network: a Network, a table with source, target and weight, or its path is needed")


def read_edges(path: str | Path) -> pd.DataFrame:
    """Read an edge table: tsv, csv (either may be gzipped) or parquet, with or without a header.

    Parameters
    ----------
    path : path
        Three columns or more; without a header the first three are source, target and weight. The names that
        arboreto (TF, target, importance) and BEELINE (Gene1, Gene2, EdgeWeight) write are understood.

    Returns
    -------
    DataFrame
        With the columns source, target (str) and weight (float), and the file's other columns.

    Raises
    ------
    InputError
        If the file is missing or is not such a table.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder: give an edge table or a folder with a network")
    try:
        if path.suffix == ".parquet":
            return _named(pd.read_parquet(path), str(path))
        separator = "," if path.name.removesuffix(".gz").endswith(".csv") else "\t"
        table = pd.read_csv(path, sep=separator, header=None, dtype=str, keep_default_na=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path}: not a readable table ({error}): give tsv, csv or parquet") from error
    if table.shape[1] < 3:
        raise InputError(f"{path}: {table.shape[1]} columns: source, target and weight are needed, tab-separated")
    if pd.to_numeric(table.iloc[:1, 2], errors="coerce").isna().all():
        table = table.iloc[1:].set_axis(table.iloc[0].tolist(), axis=1).reset_index(drop=True)
    else:
        table = table.set_axis(["source", "target", "weight", *map(str, table.columns[3:])], axis=1)
    return _named(table, str(path))


def _named(table: pd.DataFrame, where: str) -> pd.DataFrame:
    lower = {str(name).lower(): name for name in table.columns}
    found = {}
    for name, aliases in _ALIASES.items():
        match = next((lower[alias] for alias in aliases if alias in lower), None)
        if match is None:
            raise InputError(f"{where}: column {name} is missing: the columns are {list(table.columns)[:8]}")
        found[match] = name
    table = table.rename(columns=found)
    for name in ("weight", "sign"):
        if name in table:
            table[name] = pd.to_numeric(table[name], errors="coerce")
    return table.assign(source=table["source"].astype(str), target=table["target"].astype(str))
