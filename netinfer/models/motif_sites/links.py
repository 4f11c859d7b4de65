"""Links of a network to motifs: for each regulator the motifs that tell its targets' promoters from all others."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from netinfer import __version__
from netinfer.errors import ConfigError, InputError
from netinfer.io.columns import Column, conform
from netinfer.io.files import made_folder
from netinfer.io.site_columns import LINK_BINS, LINK_EDGES, LINK_MOTIFS, LINK_REGULATORS
from netinfer.io.tables import read_json, read_tsv, write_json, write_tsv
from netinfer.models.motif_sites.evidence import (
    BACKGROUND_SHARE,
    Targets,
    edge_rows,
    find_sites,
    find_targets,
    own_motifs,
)
from netinfer.models.motif_sites.model import NOT_COUNTED, MotifSiteModel, fit_motif_sites
from netinfer.models.motif_sites.responses import FEWEST, FEWEST_OF_A_CLASS, check_settings
from netinfer.models.motif_sites.scores import SiteScores
from netinfer.network import Network
from netinfer.stability.rules import THRESHOLD
from netinfer.stability.subsamples import check_seed

LINKS_NOT_COUNTED = (
    "The motifs were found with these same edges, and the sites were sought at those edges: that an edge has a site "
    "says that it agrees with the regulator's other edges, and no experiment has seen the binding. " + NOT_COUNTED
)
_TABLES: dict[str, tuple[Column, ...]] = {
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
        frames = {name: [getattr(part, name) for part in parts if len(getattr(part, name))] for name in _TABLES}
        rows = {name: pd.concat(some) if some else getattr(parts[0], name) for name, some in frames.items()}
        return _gathered(rows, first["of"], [1, 1])

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
        for name, columns in _TABLES.items():
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
        frames = {name: read_tsv(folder / f"{name}.tsv", columns) for name, columns in _TABLES.items()}
        if not isinstance(record.get("of"), dict) or record != _gathered(frames, record["of"], record["part"]).record:
            raise InputError(f"{folder}: links.json and the tables are not of one result: write them again together")
        return cls(**frames, record=record)

    def __repr__(self) -> str:
        record = self.record
        return (
            f"MotifLinks({record['n_with_motif']} of {record['n_fitted']} regulators fitted have a motif, "
            f"{record['n_edges_with_site']} of {record['n_edges']} edges a site)"
        )


def fit_links(
    net: Network,
    scores: SiteScores,
    *,
    motif_of: Mapping[str, str | Sequence[str]] | None = None,
    part: tuple[int, int] = (1, 1),
    min_targets: int = 8,
    expected_false_motifs: float = 1.0,
    n_subsamples: int = 100,
    threshold: float = THRESHOLD,
    seed: int = 0,
    threads: int = 1,
) -> MotifLinks:
    """Find, for each regulator of a network, the motifs that tell its targets' promoters from all others.

    The promoters of a regulator's targets are one class of `fit_motif_sites`, those of all other measured genes the
    other; its own promoter is in neither, since a network has no edge from a gene to itself. Where a motif is selected
    that the targets have more often, its sites at its peak are sought in the promoters of the targets.

    Parameters
    ----------
    net : Network
        Directed; its edges at its cut.
    scores : SiteScores
        Of promoters under the network's names of genes.
    motif_of : mapping of regulator to motif, or to a list of motifs, optional
        Which motifs are a regulator's own, where their names do not say so; see `netinfer.models.motif_sites.evidence`.
    part : (k, n)
        Fit only the k-th of n parts, every n-th regulator, to be put together by `MotifLinks.join`.
    min_targets : int, >= 8
        Promoters of targets that a regulator needs.
    expected_false_motifs : float, > 0
        Wished bound on motifs selected by chance, for each regulator: over all that are fitted it adds up.
    n_subsamples, threshold, seed, threads
        As `fit_motif_sites`.

    Returns
    -------
    MotifLinks
        It depends on neither the number of parts nor that of threads.

    Raises
    ------
    InputError
        If the network has no direction, or fewer than 20 promoters are of genes that it measured (five are shown).
    ConfigError
        If a setting is impossible, or `motif_of` names a regulator or a motif that is not there.

    Notes
    -----
    A site counts where at most 5 % of the promoters of non-targets match as well in the same bin, so that each motif
    gives an edge a site by chance in up to 5 % of cases; ``background_with_site`` is that share as it was seen.
    """
    settings = {
        "min_targets": min_targets, "expected_false_motifs": expected_false_motifs, "n_subsamples": n_subsamples,
        "threshold": threshold, "background_share": BACKGROUND_SHARE, "seed": check_seed(seed),
    }  # fmt: skip
    check_settings("fit_links", "binomial", n_subsamples, expected_false_motifs, threshold, threads)
    k, n = _checked_part(part)
    if isinstance(min_targets, bool) or not isinstance(min_targets, int) or min_targets < FEWEST_OF_A_CLASS:
        raise ConfigError(f"fit_links: min_targets: {min_targets!r} is no whole number of at least {FEWEST_OF_A_CLASS}")
    targets = find_targets(net, scores)
    own = own_motifs(net, scores, motif_of)
    chosen = {name: settings[name] for name in ("n_subsamples", "expected_false_motifs", "threshold", "seed")}
    rows: dict[str, list[Any]] = {name: [] for name in _TABLES}
    for source in list(targets.by_regulator)[k - 1 :: n]:
        cases, others = targets.split(source)
        row = _empty_row(source, targets, cases, own[source])
        rows["regulators"].append(row)
        row["status"], row["reason"] = _status(len(cases), len(others), min_targets)
        if row["status"] != "ok":
            continue
        is_case = np.isin(np.arange(len(scores.genes)), cases)
        response = {scores.genes[g]: bool(is_case[g]) for g in np.union1d(cases, others).tolist()}
        model = fit_motif_sites(scores, response, threads=threads, **chosen)
        selected = model.motifs[model.motifs["is_selected"]]
        _describe(row, model, selected, own[source])
        rows["motifs"].append(selected.assign(source=source))
        rows["bins"].append(model.bins[model.bins["motif"].isin(set(selected["motif"]))].assign(source=source))
        enriched = selected[(selected["effect"] > 0) & selected["peak_start"].notna()]
        if enriched.empty:
            continue
        sites = find_sites(scores, enriched, others)
        row["background_with_site"] = float(sites.is_site[others].mean())
        found = edge_rows(scores, targets, source, cases, sites)
        row["n_edges_with_site"] = len(found)
        rows["edges"] += found
    of = {
        "netinfer": __version__, "model": "motif_links", "dataset": str(net.provenance.get("dataset") or ""),
        "cut": net.cut["asked"], "n_network_edges": len(net.edges), "settings": settings,
        "n_promoters": len(scores.genes), "n_measured": int(targets.is_measured.sum()),
        "n_given_motifs": len(scores.motifs), "edges_of_bins": scores.edges.tolist(), "score": scores.meaning,
        "notes": [*scores.notes, *targets.notes],
    }  # fmt: skip
    return _gathered({name: _frame(listed, _TABLES[name]) for name, listed in rows.items()}, of, [k, n])


def _checked_part(part: Any) -> tuple[int, int]:
    try:
        k, n = part
        if not (isinstance(k, int) and isinstance(n, int) and 1 <= k <= n):
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigError(f"fit_links: part: {part!r}: give (k, n) with k from 1 to n") from None
    return k, n


def _status(n_cases: int, n_others: int, min_targets: int) -> tuple[str, str]:
    if n_cases < min_targets:
        return "too_few_targets", f"{n_cases} promoters of its targets, {min_targets} are asked for"
    if n_others < FEWEST_OF_A_CLASS or n_cases + n_others < FEWEST:
        return "too_few_others", f"{n_others} promoters are of no target, at least {FEWEST_OF_A_CLASS} are needed"
    return "ok", ""


def _empty_row(source: str, targets: Targets, cases: np.ndarray, own: tuple[str, ...]) -> dict[str, Any]:
    genes, kept = targets.by_regulator[source], set(cases.tolist())
    return {
        **{column.name: np.nan for column in LINK_REGULATORS}, "source": source, "n_targets": len(genes),
        "n_promoters": len(cases), "motif": "", "n_motifs": 0, "own_motif": ";".join(own), "own_selected": False,
        "n_edges": sum(targets.home.get(gene, -1) in kept for gene in genes), "n_edges_with_site": 0,
    }  # fmt: skip


def _describe(row: dict[str, Any], model: MotifSiteModel, selected: pd.DataFrame, own: tuple[str, ...]) -> None:
    """Fill in what a regulator's model says."""
    row.update(model.held_out, duality_gap=model.provenance["worst_duality_gap"], n_motifs=len(selected))
    entries = model.motifs.loc[model.motifs["motif"].isin(own), "entry"]
    if own:
        row["own_entry"] = int(entries[entries > 0].min()) if (entries > 0).any() else 0
        row["own_selected"] = bool(selected["motif"].isin(own).any())
    if selected.empty:
        return
    first = selected.iloc[0]
    for name in ("motif", "selection_probability", "peak_start", "peak_end", "effect"):
        row[name] = np.nan if pd.isna(first[name]) else first[name]
    row["expected_false_motifs"] = float(selected["expected_false_motifs"].max())
    row["sign"] = np.nan if first["effect"] == 0 else int(np.sign(first["effect"]))


def _frame(listed: list[Any], columns: tuple[Column, ...]) -> pd.DataFrame:
    names = [column.name for column in columns]
    if listed and isinstance(listed[0], pd.DataFrame):
        return pd.concat(listed)[names]
    return pd.DataFrame(listed, columns=names)


def _gathered(rows: Mapping[str, pd.DataFrame], of: dict[str, Any], part: Sequence[int]) -> MotifLinks:
    """Return links in their own order, which parts and threads do not change, with their numbers."""
    frames = {name: conform(rows[name], columns, where=name) for name, columns in _TABLES.items()}
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
