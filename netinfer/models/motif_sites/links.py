"""Links of a network to motifs: for each regulator the motifs that tell its targets' promoters from all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from netinfer import __version__
from netinfer.errors import ConfigError
from netinfer.io.columns import Column
from netinfer.io.site_columns import LINK_REGULATORS
from netinfer.models.motif_sites.evidence import (
    BACKGROUND_SHARE,
    Targets,
    edge_rows,
    find_sites,
    find_targets,
    own_motifs,
)
from netinfer.models.motif_sites.linked import TABLES, MotifLinks, gathered
from netinfer.models.motif_sites.model import MotifSiteModel, fit_motif_sites
from netinfer.models.motif_sites.responses import FEWEST, FEWEST_OF_A_CLASS, check_settings
from netinfer.models.motif_sites.scores import SiteScores
from netinfer.network import Network
from netinfer.stability.rules import THRESHOLD
from netinfer.stability.subsamples import check_seed


def fit_links(
    net: Network,
    scores: SiteScores,
    *,
    motif_of: Mapping[str, str | Sequence[str]] | None = None,
    aliases: Mapping[str, Sequence[str]] | None = None,
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
    aliases : mapping of gene to names, optional
        Further names of genes, such as those of an annotation, by which motifs may be theirs.
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
    settings: dict[str, Any] = {
        "min_targets": min_targets, "expected_false_motifs": expected_false_motifs, "n_subsamples": n_subsamples,
        "threshold": threshold, "background_share": BACKGROUND_SHARE, "seed": check_seed(seed),
    }  # fmt: skip
    check_settings("fit_links", "binomial", n_subsamples, expected_false_motifs, threshold, threads)
    k, n = _checked_part(part)
    if isinstance(min_targets, bool) or not isinstance(min_targets, int) or min_targets < FEWEST_OF_A_CLASS:
        raise ConfigError(f"fit_links: min_targets: {min_targets!r} is no whole number of at least {FEWEST_OF_A_CLASS}")
    targets = find_targets(net, scores)
    own = own_motifs(net, scores, motif_of, aliases)
    chosen: dict[str, Any] = {
        name: settings[name] for name in ("n_subsamples", "expected_false_motifs", "threshold", "seed")
    }
    rows: dict[str, list[Any]] = {name: [] for name in TABLES}
    for source in list(targets.by_regulator)[k - 1 :: n]:
        cases, others = targets.split(source)
        row = _empty_row(source, targets, cases, own[source])
        rows["regulators"].append(row)
        n_cases, n_others = (len(np.unique(scores.units[of])) for of in (cases, others))
        row["status"], row["reason"] = _status(n_cases, n_others, min_targets)
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
        found = edge_rows(scores, targets, source, cases, sites, own[source])
        row["n_edges_with_site"] = len(found)
        rows["edges"] += found
    of = {
        "netinfer": __version__, "model": "motif_links", "dataset": str(net.provenance.get("dataset") or ""),
        "cut": net.cut["asked"], "n_network_edges": len(net.edges), "settings": settings,
        "n_promoters": len(scores.genes), "n_measured": int(targets.is_measured.sum()),
        "n_given_motifs": len(scores.motifs), "edges_of_bins": scores.edges.tolist(), "score": scores.meaning,
        "notes": [*scores.notes, *targets.notes],
    }  # fmt: skip
    return gathered({name: _frame(listed, TABLES[name]) for name, listed in rows.items()}, of, [k, n])


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
        return "too_few_targets", f"{n_cases} independent promoters of its targets, {min_targets} are asked for"
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
    for name in ("motif", "selection_probability", "expected_false_motifs", "peak_start", "peak_end", "effect"):
        row[name] = np.nan if pd.isna(first[name]) else first[name]
    row["sign"] = np.nan if first["effect"] == 0 else int(np.sign(first["effect"]))


def _frame(listed: list[Any], columns: tuple[Column, ...]) -> pd.DataFrame:
    names = [column.name for column in columns]
    if listed and isinstance(listed[0], pd.DataFrame):
        return pd.concat(listed)[names]
    return pd.DataFrame(listed, columns=names)
