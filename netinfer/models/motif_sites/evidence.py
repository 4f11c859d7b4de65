"""What links a network to promoters: the promoters of a regulator's targets, its own motifs, and sites of edges."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.io.ids import some
from netinfer.models.motif_sites.responses import FEWEST
from netinfer.models.motif_sites.scores import SiteScores
from netinfer.network import Network

# A site is listed where at most this share of the promoters of non-targets match as well in the same bin.
BACKGROUND_SHARE = 0.05
NOT_OWN = " (not known as its own)"
FITTED = ("ok", "not_converged")
_BREAK = re.compile(r"[_.\-]")


@dataclasses.dataclass(frozen=True, eq=False)
class Targets:
    """Promoters of the measured genes, and those of each regulator's targets.

    Attributes
    ----------
    home : dict of str to int
        Row of the scores that is each gene's promoter.
    is_measured : bool array, shape (n_promoters,)
        Whether a gene that the network fitted belongs to the promoter.
    by_regulator : dict of str to list of str
        Targets of every regulator, by rank of the edge; regulators with many first, then by name.
    notes : list of str
    """

    home: dict[str, int]
    is_measured: np.ndarray
    by_regulator: dict[str, list[str]]
    notes: list[str]

    def split(self, source: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the promoters of a regulator's targets and those of all others, without its own one."""
        is_target = np.zeros(len(self.is_measured), bool)
        is_target[[self.home[gene] for gene in self.by_regulator[source] if gene in self.home]] = True
        open_to = self.is_measured.copy()
        if source in self.home:
            open_to[self.home[source]] = False
        return np.flatnonzero(is_target & open_to), np.flatnonzero(~is_target & open_to)


def find_targets(net: Network, scores: SiteScores) -> Targets:
    """Match the genes of a network with the promoters.

    Raises
    ------
    InputError
        If the network has no direction, or fewer than 20 promoters are of genes that it measured.
    """
    if not net.is_directed:
        raise InputError(
            "fit_links: the network has no direction, so that no gene is the regulator: give a directed one"
        )
    home: dict[str, int] = {}
    for row, promoter in enumerate(scores.genes):
        for gene in scores.members.get(promoter, (promoter,)):
            home.setdefault(gene, row)
    measured = net.targets.loc[net.targets["status"].isin(FITTED), "target"].tolist()
    found = [gene for gene in measured if gene in home]
    is_measured = np.zeros(len(scores.genes), bool)
    is_measured[[home[gene] for gene in found]] = True
    if is_measured.sum() < FEWEST:
        raise InputError(
            f"fit_links: {int(is_measured.sum())} promoters are of the {len(measured)} genes that the network "
            f"measured, at least {FEWEST} are needed; it has {some(measured)}, the promoters {some(list(home))}: use "
            "one kind of id"
        )
    notes = []
    if len(found) < len(measured):
        absent = [gene for gene in measured if gene not in home]
        notes.append(f"{len(absent)} of {len(measured)} measured genes have no promoter: {some(absent)}")
    targets: dict[str, list[str]] = {name: [] for name in net.nodes.loc[net.nodes["is_regulator"], "name"]}
    for source, target in zip(net.edges["source"], net.edges["target"], strict=True):
        targets.setdefault(source, []).append(target)
    order = sorted(targets, key=lambda source: (-len(targets[source]), source))
    return Targets(home, is_measured, {source: targets[source] for source in order}, notes)


def own_motifs(
    net: Network,
    scores: SiteScores,
    motif_of: Mapping[str, str | Sequence[str]] | None,
    aliases: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, tuple[str, ...]]:
    """Return the motifs that belong to each regulator, as given, else by name.

    A motif is a regulator's own where its name, its label, or its name before a ``_``, ``.`` or ``-`` is the
    regulator's name, id or symbol, or one of its `aliases`; capitals do not matter. Of its name and those before
    several of these the longest that is a node's counts: ``NKX2-5_x`` is NKX2-5's, and NKX2's only where there is no
    NKX2-5.

    Raises
    ------
    ConfigError
        If a regulator given is no node, or a motif given is none of the scores'.
    """
    others = aliases or {}
    nodes = [
        (*words, *others.get(words[0], ()))
        for words in zip(*(net.nodes[name].tolist() for name in ("name", "gene_id", "symbol")), strict=True)
    ]
    known = {word.casefold() for words in nodes for word in words} - {""}
    by_word: dict[str, list[str]] = {}
    for motif, label in zip(scores.motifs, scores.labels, strict=True):
        ends = [*(at.start() for at in _BREAK.finditer(motif)), len(motif)]
        longest = next((motif[:end].casefold() for end in reversed(ends) if motif[:end].casefold() in known), "")
        for word in {label.casefold(), longest} - {""}:
            by_word.setdefault(word, []).append(motif)
    own: dict[str, tuple[str, ...]] = {}
    for words in nodes:
        found = {motif for word in words for motif in by_word.get(word.casefold(), ())}
        own[words[0]] = tuple(motif for motif in scores.motifs if motif in found)
    if motif_of is None:
        return own
    if unknown := [str(source) for source in motif_of if source not in own]:
        raise ConfigError(f"motif_of: {len(unknown)} are no nodes of the network: {some(unknown)}: use its names")
    check_owners(motif_of, scores.motifs)
    for source, given in motif_of.items():
        own[source] = (given,) if isinstance(given, str) else tuple(given)
    return own


def check_owners(motif_of: Mapping[str, str | Sequence[str]], motif_names: Sequence[str]) -> None:
    """Refuse motifs of regulators that are not among those given.

    Parameters
    ----------
    motif_of : mapping of regulator to motif, or to a list of motifs
    motif_names : list of str
        The motifs that there are.

    Raises
    ------
    ConfigError
        If a motif is not among them (five are shown, each with its regulator).
    """
    known = set(motif_names)
    unknown = [
        f"{name} of {source}"
        for source, given in motif_of.items()
        for name in ((given,) if isinstance(given, str) else given)
        if name not in known
    ]
    if unknown:
        raise ConfigError(
            f"motif_of: {len(unknown)} are not among the motifs: {some(unknown)}; these are "
            f"{some(list(motif_names))}: use their names"
        )


@dataclasses.dataclass(frozen=True, eq=False)
class Sites:
    """The best site of each promoter among a regulator's motifs at their peaks.

    Attributes
    ----------
    motif, bin : int arrays, shape (n_promoters,)
        -1 where there is none.
    share : float array, shape (n_promoters,)
        Of the others' promoters, those that match as well there; NaN where there is none.
    """

    motif: np.ndarray
    bin: np.ndarray
    share: np.ndarray

    @property
    def is_site(self) -> np.ndarray:
        """Whether a promoter has one."""
        return self.motif >= 0


def find_sites(scores: SiteScores, enriched: pd.DataFrame, others: np.ndarray) -> Sites:
    """Find the promoters that have a site of some motif at its peak, as few of the others have it.

    Parameters
    ----------
    scores : SiteScores
    enriched : DataFrame
        Rows of `MotifSiteModel.motifs`, with a peak and a positive effect.
    others : int array
        Promoters of genes that are no targets.
    """
    n = len(scores.genes)
    found = Sites(np.full(n, -1), np.full(n, -1), np.full(n, np.nan))
    for motif, start in zip(enriched["motif"], enriched["peak_start"].astype(int), strict=True):
        m, b = scores.motifs.index(motif), int(np.searchsorted(scores.edges, start))
        value = scores.strength[:, m, b]
        background = np.sort(value[others])
        share = 1.0 - np.searchsorted(background, value, side="left") / len(background)
        is_better = (value > 0) & (share <= BACKGROUND_SHARE) & ~(found.share <= share)
        found.motif[is_better], found.bin[is_better], found.share[is_better] = m, b, share[is_better]
    return found


def edge_rows(
    scores: SiteScores, targets: Targets, source: str, cases: np.ndarray, sites: Sites, own: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the edges of a regulator whose target's promoter has a site.

    ``start`` and ``end`` are its first base and the one behind its last; the words of ``evidence`` have the last.
    """
    is_case, rows = np.isin(np.arange(len(scores.genes)), cases), []
    for target in targets.by_regulator[source]:
        g = targets.home.get(target, -1)
        if g < 0 or not is_case[g] or not sites.is_site[g]:
            continue
        at = (g, int(sites.motif[g]), int(sites.bin[g]))
        start, end, motif = int(scores.site_start[at]), int(scores.site_end[at]), scores.motifs[at[1]]
        rows.append(
            {
                "source": source,
                "target": target,
                "promoter": scores.genes[g],
                "motif": motif,
                "is_own": motif in own,
                "start": start,
                "end": end,
                "strand": {1: "+", -1: "-", 0: ""}[int(scores.site_strand[at])],
                "score": float(scores.strength[at]),
                "background_share": float(sites.share[g]),
                # In words with the last base, as footprints have it; the column has the base behind it.
                "evidence": f"{motif} found at {start}..{end - 1}" + ("" if motif in own else NOT_OWN),
            }
        )
    return rows
