"""Undirected networks of several conditions, and the table of what differs between them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.io.columns import CHANGES, CONDITION_EDGES, CONDITION_GENES, EDGES, Column, Kind, conform
from netinfer.io.files import made_folder
from netinfer.io.graphml import ILLEGAL_XML, write_graphml
from netinfer.io.tables import read_json, read_tsv, write_json, write_parquet, write_tsv
from netinfer.network.network import Network
from netinfer.network.validate import check_provenance, rank_candidates

KINDS = ("gained", "lost", "flipped", "shared", "absent", "unclear", "not_measured")
NOTE = (
    "Edges of several conditions, fitted together. lost means that half-samples of the condition do not select the "
    "edge, not that the tie is absent: fewer samples lose weak edges and gain chance ones more easily. No change here "
    "is proven, and none says what caused it."
)
_NOT_IN_NAME = re.compile("[^A-Za-z0-9_-]+")


def check_names(names: Sequence[Any], where: str) -> list[str]:
    """Return the names of conditions, or say which cannot be one.

    Raises
    ------
    ConfigError
        If there are fewer than two, one is no text or empty or holds a control character, or two are one but for the
        case of letters.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str) or not name.strip() or ILLEGAL_XML.search(name) or re.search(r"[\t\n\r]", name):
            raise ConfigError(f"{where}: conditions: {name!r} is no name: give a text without control characters")
        twin = seen.setdefault(name.casefold(), name)
        if twin is not name:
            raise ConfigError(f"{where}: conditions: {twin!r} and {name!r} are one name: rename one")
    if len(names) < 2:
        raise ConfigError(f"{where}: conditions: {len(names)} given: at least two are needed for a comparison")
    return list(names)


def file_names(names: Sequence[str]) -> dict[str, str]:
    """Return for each condition a name for files and attributes: plain letters, each its own without regard to case."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = _NOT_IN_NAME.sub("_", name).strip("_") or "condition"
        word, n = plain, 1
        while word.casefold() in taken:
            n += 1
            word = f"{plain}_{n}"
        taken.add(word.casefold())
        out[name] = word
    return out


@dataclass(frozen=True, eq=False, repr=False)
class JointNetworks:
    """Networks of several conditions that were fitted together, and what differs between them.

    Attributes
    ----------
    networks : dict of name to Network
        In the order of the conditions; each undirected, with the selection probabilities and the bound of its own.
    changes : DataFrame
        A row for each pair that some condition ties and each condition but the reference: see ``docs/formats.md``.
    genes : DataFrame
        gene, condition, status, reason: which condition includes which gene.
    provenance : dict
        JSON's own types: settings, how both penalties were chosen, the certificates, what each condition has.
    """

    networks: dict[str, Network]
    changes: pd.DataFrame
    genes: pd.DataFrame
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_names(list(self.networks), "JointNetworks")
        object.__setattr__(self, "changes", conform(self.changes, CHANGES, where="changes"))
        object.__setattr__(self, "genes", conform(self.genes, CONDITION_GENES, where="genes"))
        object.__setattr__(self, "provenance", check_provenance(self.provenance))
        if self.provenance.get("reference") not in self.networks:
            raise InputError("provenance: reference: no condition of this name: name one of the networks")
        bad = set(self.changes["change"]) - set(KINDS)
        if bad:
            raise InputError(f"changes: {sorted(bad)[0]!r} is no change: use {', '.join(KINDS)}")

    @property
    def names(self) -> list[str]:
        """Names of the conditions."""
        return list(self.networks)

    @property
    def reference(self) -> str:
        """What the other conditions are compared with."""
        return str(self.provenance["reference"])

    @property
    def edges(self) -> pd.DataFrame:
        """The edges of all conditions in one table, with their `condition`."""
        parts = [net.edges.assign(condition=name) for name, net in self.networks.items() if len(net.edges)]
        if not parts:
            return next(iter(self.networks.values())).edges.assign(condition=pd.Series(dtype=object))
        return pd.concat(parts, ignore_index=True)

    def counts(self) -> pd.DataFrame:
        """Return how many pairs show each change: a row for each condition but the reference, a column a change."""
        others = [name for name in self.networks if name != self.reference]
        table = pd.crosstab(self.changes["condition"], self.changes["change"])
        return table.reindex(index=others, columns=list(KINDS), fill_value=0).rename_axis(index=None, columns=None)

    def write_graphml(self, path: str | os.PathLike[str]) -> None:
        """Write all pairs as one undirected graph that Cytoscape opens as it is.

        An edge has, for each condition, ``partial_correlation_<condition>`` and ``selection_probability_<condition>``,
        and for each but the reference ``change_<condition>``; its weight and sign are those of the condition where the
        partial correlation is largest.

        Raises
        ------
        ConfigError
            If the file name does not end with ``.graphml``.
        RunError
            If the file cannot be written.
        """
        if Path(path).suffix != ".graphml":
            raise ConfigError(f"{path}: Cytoscape knows the file by its ending: let the name end with .graphml")
        edges, more = self._joined()
        nodes = pd.concat([net.nodes for net in self.networks.values()], ignore_index=True)
        is_regulator = nodes.groupby("name")["is_regulator"].any()
        nodes = nodes.drop_duplicates("name").sort_values("name", ignore_index=True)
        degree = pd.concat([edges["source"], edges["target"]]).value_counts()
        degrees = nodes["name"].map(degree).fillna(0).astype(np.int64)
        nodes = nodes.assign(
            degree_in=degrees,
            degree_out=degrees,
            expression_mean=np.nan,
            is_regulator=nodes["name"].map(is_regulator).astype(bool),
        )
        title = str(self.provenance.get("name") or "conditions")
        graph_data = {"network_dataset": title, "network_model": self.provenance.get("model"), "network_note": NOTE}
        write_graphml(path, nodes, edges, title=title, directed=False, graph_data=graph_data, more=more)

    def _joined(self) -> tuple[pd.DataFrame, tuple[Column, ...]]:
        """Return one row a pair that some condition ties, with the attributes of each condition."""
        words = file_names(self.names)
        ends = ["source", "target"]
        compared = {name: part.set_index(ends) for name, part in self.changes.groupby("condition", sort=False)}
        # Every pair has a row for each condition but the reference.
        index = next(iter(compared.values())).index if compared else pd.MultiIndex.from_arrays([[], []], names=ends)
        values: dict[str, pd.Series] = {}
        columns: list[Column] = []
        for name, word in words.items():
            end = "_reference" if name == self.reference else ""
            table = next(iter(compared.values())) if end and compared else compared.get(name)
            kinds: list[tuple[str, Kind]] = [("partial_correlation", "float"), ("selection_probability", "float")]
            kinds += [] if end else [("change", "string")]
            for kind, form in kinds:
                values[f"{kind}_{word}"] = (
                    pd.Series(dtype=float if form == "float" else object, index=index)
                    if table is None
                    else table[kind + (end if kind != "change" else "")].reindex(index)
                )
                columns.append(Column(f"{kind}_{word}", form, "", "", True))
        frame = pd.DataFrame(values, index=index)
        partial = frame[[f"partial_correlation_{word}" for word in words.values()]].fillna(0.0)
        selected = frame[[f"selection_probability_{word}" for word in words.values()]]
        largest = partial.abs().to_numpy().argmax(axis=1) if len(partial) else np.zeros(0, np.int64)
        value = partial.to_numpy()[np.arange(len(partial)), largest]
        frame = frame.assign(
            weight=np.abs(value),
            sign=np.where(value < 0, -1, 1).astype(np.int64),
            selection_probability=selected.max(axis=1).fillna(0.0),
            model=str(self.provenance.get("model", "")),
            direction_basis="undirected",
        )
        frame = frame.reset_index()
        for column in EDGES:
            if column.name not in frame and column.name != "rank":
                frame[column.name] = np.nan
        return rank_candidates(frame), tuple(columns)

    def write(self, folder: str | os.PathLike[str], *, top_edges: int = 500) -> list[Path]:
        """Write all files into a folder, each whole or not at all.

        changes.tsv, changes.parquet, edges.tsv, edges.parquet (of all conditions), genes.tsv, network.graphml,
        provenance.json, and ``networks/<condition>/`` with the files of each `Network`.

        Parameters
        ----------
        folder : path
            Made where it does not exist.
        top_edges : int, >= 0
            Edges of each condition's network_top.graphml.

        Returns
        -------
        list of Path
            The files written.

        Raises
        ------
        RunError
            If a file cannot be written.
        """
        folder = made_folder(folder)
        words = file_names(self.names)
        tables = {"changes": (self.changes, CHANGES), "edges": (self.edges, CONDITION_EDGES)}
        paths = []
        for name, (frame, columns) in tables.items():
            paths += [folder / f"{name}.tsv", folder / f"{name}.parquet"]
            write_tsv(paths[-2], frame, columns)
            write_parquet(paths[-1], frame, columns)
        paths += [folder / "genes.tsv", folder / "network.graphml", folder / "provenance.json"]
        write_tsv(paths[-3], self.genes, CONDITION_GENES)
        self.write_graphml(paths[-2])
        write_json(paths[-1], self.provenance)
        for name, net in self.networks.items():
            paths += net.write(folder / "networks" / words[name], top_edges=top_edges)
        return paths

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> JointNetworks:
        """Read back what `write` wrote.

        Raises
        ------
        InputError
            If a file is missing or damaged.
        """
        folder = Path(folder)
        provenance = read_json(folder / "provenance.json")
        names = [str(name) for name in provenance.get("names", [])]
        networks = {name: Network.read(folder / "networks" / word) for name, word in file_names(names).items()}
        return cls(
            networks,
            read_tsv(folder / "changes.tsv", CHANGES),
            read_tsv(folder / "genes.tsv", CONDITION_GENES),
            provenance,
        )

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {len(net.edges)} edges" for name, net in self.networks.items())
        return f"JointNetworks({sizes}; {len(self.changes)} pairs compared with {self.reference})"
