"""What links a network to motifs: tables that are joined from parts, written and read, and an edge attribute."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.columns import Column, conform
from netinfer.io.files import made_folder
from netinfer.io.site_columns import LINK_BINS, LINK_EDGES, LINK_MOTIFS, LINK_REGULATORS
from netinfer.io.tables import read_json, read_tsv, write_json, write_tsv
from netinfer.models.motif_sites.model import NOT_COUNTED
from netinfer.network import Network

LINKS_NOT_COUNTED = (
    "The motifs were found with these same edges, and the sites were sought at those edges: that an edge has a site "
    "says that it agrees with the regulator's other edges, and no experiment has seen the binding. " + NOT_COUNTED
)
TABLES: dict[str, tuple[Column, ...]] = {
    "regulators": LINK_REGULATORS, "edges": LINK_EDGES, "motifs": LINK_MOTIFS, "bins": LINK_BINS,
}  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False)
class MotifLinks:
    """Which motifs mark the targets of a network's regulators, and which edges have a site.

    ``docs/formats.md`` lists the columns.

    Attributes
    ----------
    regulators : DataFrame, one row a regulator, those with most targets first
    edges : DataFrame, one row an edge whose target's promoter has a site at the peak of one of its regulator's motifs
        Only motifs that the targets have more often than other promoters are sought.
    motifs : DataFrame, one row a regulator and motif that is selected
    bins : DataFrame, one row a regulator, motif that is selected and bin of distance
    record : dict
        JSON's own types: settings, numbers, what the error number does not count.
    """

    regulators: pd.DataFrame
    edges: pd.DataFrame
    motifs: pd.DataFrame
    bins: pd.DataFrame
    record: dict[str, Any]

    @classmethod
    def join(cls, parts: Sequence[MotifLinks]) -> MotifLinks:
        """Put the parts of one network together; the result is that of all regulators at once.

        Parameters
        ----------
        parts : sequence of MotifLinks
            All n parts ``(1, n)`` to ``(n, n)``, in any order.

        Raises
        ------
        InputError
            If a part is missing or there twice, or they are of different networks, scores or settings.
        """
        if not parts:
            raise InputError("join: no part: give all of them")
        first = parts[0].record
        n = first["part"][1]
        if sorted(part.record["part"][0] for part in parts) != list(range(1, n + 1)):
            given = ", ".join("{} of {}".format(*part.record["part"]) for part in parts)
            raise InputError(f"join: parts {given}: give each of the {n} once")
        if any(part.record["of"] != first["of"] or part.record["part"][1] != n for part in parts):
            raise InputError("join: the parts are of different networks, scores or settings: fit them again together")
        frames = {name: [getattr(part, name) for part in parts if len(getattr(part, name))] for name in TABLES}
        rows = {name: pd.concat(some) if some else getattr(parts[0], name) for name, some in frames.items()}
        return gathered(rows, first["of"], [1, 1])

    def network(self, net: Network) -> Network:
        """Give the edges of a network what was found in words, in the column ``motif_evidence``.

        Parameters
        ----------
        net : Network
            The one that the links were fitted on.

        Returns
        -------
        Network
            Nothing else changes. Edges that a looser cut lets in later have no entry.

        Raises
        ------
        InputError
            If an edge of the links is none of the network.
        """
        found = dict(
            zip(zip(self.edges["source"], self.edges["target"], strict=True), self.edges["evidence"], strict=True)
        )
        pairs = list(zip(net.candidates["source"], net.candidates["target"], strict=True))
        if unknown := sorted(set(found) - set(pairs)):
            raise InputError(
                f"links: {len(unknown)} of {len(found)} edges are not in the network, such as {unknown[0][0]!r} -> "
                f"{unknown[0][1]!r}: give the network that they were fitted on"
            )
        candidates = net.candidates.assign(motif_evidence=[found.get(pair, "") for pair in pairs])
        provenance = {**net.provenance, "motif_links": self.record["of"]["settings"]}
        return Network(candidates, net.nodes, net.targets, provenance, net.cut)

    def write(self, folder: str | os.PathLike[str], *, net: Network | None = None) -> list[Path]:
        """Write regulators.tsv, edges.tsv, motifs.tsv, bins.tsv and links.json into a folder, each whole or not at all.

        Parameters
        ----------
        folder : path
            Made where it does not exist.
        net : Network, optional
            The one that the links were fitted on: also write network.graphml, all its edges with ``motif_evidence``.

        Returns
        -------
        list of Path

        Raises
        ------
        InputError
            If the links are not of this network.
        RunError
            If a file cannot be written.
        """
        folder = made_folder(folder)
        files = []
        for name, columns in TABLES.items():
            files.append(folder / f"{name}.tsv")
            write_tsv(files[-1], getattr(self, name), columns)
        if net is not None:
            files.append(folder / "network.graphml")
            self.network(net).write_graphml(files[-1])
        files.append(folder / "links.json")
        write_json(files[-1], self.record)
        return files

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> MotifLinks:
        """Read back links from a folder that `write` made, equal in every value.

        Raises
        ------
        InputError
            If a file is missing or damaged, or the files are of different links.
        """
        folder = Path(folder)
        record = read_json(folder / "links.json")
        frames = {name: read_tsv(folder / f"{name}.tsv", columns) for name, columns in TABLES.items()}
        if not isinstance(record.get("of"), dict) or record != gathered(frames, record["of"], record["part"]).record:
            raise InputError(f"{folder}: links.json and the tables are not of one result: write them again together")
        return cls(**frames, record=record)

    def __repr__(self) -> str:
        record = self.record
        return (
            f"MotifLinks({record['n_with_motif']} of {record['n_fitted']} regulators fitted have a motif, "
            f"{record['n_edges_with_site']} of {record['n_edges']} edges a site)"
        )


def gathered(rows: Mapping[str, pd.DataFrame], of: dict[str, Any], part: Sequence[int]) -> MotifLinks:
    """Return links in their own order, which parts and threads do not change, with their numbers."""
    n_fitted = int((rows["regulators"]["status"] == "ok").sum())
    bounds = rows["regulators"]["expected_false_motifs"].astype(float)
    rows = {**rows, "regulators": rows["regulators"].assign(expected_false_in_all=n_fitted * bounds)}
    frames = {name: conform(rows[name], columns, where=name) for name, columns in TABLES.items()}
    regulators = frames["regulators"].sort_values(["n_targets", "source"], ascending=[False, True], kind="stable")
    frames["regulators"] = regulators.reset_index(drop=True)
    place = {source: k for k, source in enumerate(regulators["source"])}
    for name in ("edges", "motifs", "bins"):
        order = np.argsort(frames[name]["source"].map(place).to_numpy(dtype=float), kind="stable")
        frames[name] = frames[name].iloc[order].reset_index(drop=True)
    fitted = regulators[regulators["status"] == "ok"]
    sought = fitted[fitted["background_with_site"].notna()]
    named = fitted[fitted["own_motif"] != ""]
    most = int(regulators["n_promoters"].max()) if len(regulators) else 0
    asked = of["settings"]["min_targets"]
    record = {
        "of": of,
        "part": list(part),
        "n_regulators": len(regulators),
        "n_fitted": len(fitted),
        "n_with_motif": int((fitted["n_motifs"] > 0).sum()),
        "n_with_enriched_motif": len(sought),
        "n_with_own_motif": len(named),
        "n_own_selected": int(named["own_selected"].sum()),
        "expected_false_motifs_in_all": len(fitted) * float(of["settings"]["expected_false_motifs"]),
        "n_edges": int(regulators["n_edges"].sum()),
        "n_edges_sought": int(sought["n_edges"].sum()),
        "n_edges_with_site": len(frames["edges"]),
        "n_edges_with_site_by_chance": float((sought["n_edges"] * sought["background_with_site"]).sum()),
        "worst_duality_gap": float(fitted["duality_gap"].max()) if len(fitted) else None,
        "skipped": "" if len(fitted) else f"no regulator has {asked} promoters among its targets; the most is {most}",
        "not_counted": LINKS_NOT_COUNTED,
    }
    return MotifLinks(**frames, record=record)
