"""Motifs in the promoters of a data set's genes, as its config asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.annotation import ALIASES
from netinfer.io.columns import Column
from netinfer.io.ids import some
from netinfer.io.motifs import read_motifs
from netinfer.io.promoters import Promoters, cut_promoters, read_starts
from netinfer.io.tables import write_tsv
from netinfer.models.motif import fit_motif_positions
from netinfer.models.motif.configured import named_folders
from netinfer.models.motif_sites.evidence import check_owners
from netinfer.models.motif_sites.given import by_promoter, is_class, read_owners, read_responses
from netinfer.models.motif_sites.links import MotifLinks, fit_links
from netinfer.models.motif_sites.model import MotifSiteModel, fit_motif_sites
from netinfer.models.motif_sites.scores import SiteScores, place_sites, scan_motifs
from netinfer.network.neighbours import data_ids
from netinfer.network.places import match_rows

if TYPE_CHECKING:
    from netinfer.config import MotifConfig
    from netinfer.network import Network

# Promoters x motifs x bins from which a fit takes minutes: 2 million take 10 s.
LARGE = 10_000_000
RESPONSES = (
    Column("response", "string", "", "column of the table of responses"),
    Column("folder", "string", "", "folder of its models, beside this file"),
    Column("family", "string", "", "binomial (0 and 1 alone) or gaussian"),
    Column("n_promoters", "int", "", "promoters that have a value"),
    Column("n_motifs", "int", "", "motifs that are selected"),
    Column("motifs", "string", "", "their names, `;` between them"),
    Column("expected_false_motifs", "float", "motifs", "bound on those of them that are there by chance", True),
    Column("heldout_auc", "float", "", "two classes: area under the ROC curve of held-out promoters", True),
    Column("heldout_r", "float", "", "numbers: correlation of predicted and given values of held-out promoters", True),
    Column("heldout_r2", "float", "", "numbers: share of the variance explained in held-out promoters", True),
    Column("n_positions", "int", "", "with `positions`: positions that are selected"),
    Column("expected_false_positions", "float", "positions", "bound on those of them that are there by chance", True),
    Column("footprints", "string", "", "start..end of each footprint, `;` between them"),
)


def data_starts(settings: MotifConfig, annotation: str | None, ids: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Read the starts of genes, under the names that the data set has for them.

    Parameters
    ----------
    settings : MotifConfig
    annotation : path, optional
        The data set's, where the settings name no file of their own.
    ids : mapping of sequences of str
        From `netinfer.network.places.gene_ids`.

    Returns
    -------
    DataFrame
        As `netinfer.io.promoters.read_starts` gives it; genes that the data do not have keep the file's ids.

    Raises
    ------
    InputError
        If fewer than half of the data's genes are found (five ids of each are shown).
    """
    path = settings.starts or annotation
    if path is None:
        raise InputError("motif: no file with the starts of genes: give `annotation`, or `starts` in it")
    frame = read_starts(path)
    try:
        rows, _ = match_rows(frame, ids)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    names = np.array([str(name) for name in frame.index], dtype=object)
    data = list(ids["name"])
    known = set(data)
    names = np.array([f"{name} (annotation)" if name in known else name for name in names], dtype=object)
    names[rows[rows >= 0]] = np.array(data, dtype=object)[rows >= 0]
    return frame.set_axis(pd.Index(names, dtype=object), axis=0)


def data_promoters(settings: MotifConfig, annotation: str | None, ids: Mapping[str, Sequence[str]]) -> Promoters:
    """Cut the promoters of a data set's genome.

    Raises
    ------
    InputError
        As `data_starts` and `netinfer.io.promoters.cut_promoters`.
    """
    starts = data_starts(settings, annotation, ids)
    return cut_promoters(
        str(settings.genome),
        starts,
        upstream=settings.upstream,
        downstream=settings.downstream,
        first_of_operon=settings.first_of_operon,
    )


def data_scores(settings: MotifConfig, annotation: str | None, ids: Mapping[str, Sequence[str]]) -> SiteScores:
    """Match the motifs, or count the given sites, in the promoters of a data set.

    Raises
    ------
    ConfigError, InputError
        As `scan_motifs` and `place_sites`.
    """
    if settings.sites is not None:
        return place_sites(
            data_starts(settings, annotation, ids),
            settings.sites,
            upstream=settings.upstream,
            downstream=settings.downstream,
            bin_width=settings.bin_width,
            first_of_operon=settings.first_of_operon,
        )
    return scan_motifs(data_promoters(settings, annotation, ids), str(settings.motifs), bin_width=settings.bin_width)


def check_motif(settings: MotifConfig, annotation: str | None, ids: Mapping[str, Sequence[str]]) -> list[str]:
    """Say what the promoters of a data set will have, in lines for people; nothing is scanned.

    Raises
    ------
    ConfigError, InputError
        If a file cannot be used, or does not belong to the others.
    """
    from netinfer.models.motif_sites.scores import bin_edges

    n_bins = len(bin_edges(settings.upstream, settings.downstream, settings.bin_width)) - 1
    if settings.sites is not None:
        scores = data_scores(settings, annotation, ids)
        promoters, names, members = len(scores.genes), list(scores.motifs), scores.members
        notes = scores.notes
    else:
        found = data_promoters(settings, annotation, ids)
        notes = found.notes
        known = read_motifs(str(settings.motifs))
        wide = [motif.name for motif in known if motif.width > settings.upstream + settings.downstream]
        if wide:
            raise InputError(f"{settings.motifs}: {some(wide)} are wider than the promoters: cut longer ones")
        promoters, names = len(found.sequences), [motif.name for motif in known]
        members = {g: tuple(m.split(";")) for g, m in zip(found.table["gene"], found.table["genes"], strict=True)}
    genes = set(ids["name"])
    n_measured = sum(any(gene in genes for gene in of) for of in members.values())
    n_motifs = len(names)
    lines = [f"motifs: {n_motifs} in {promoters} promoters, {n_measured} of which have a gene of the data", *notes]
    if n_motifs * n_bins * n_measured > LARGE:
        lines.append(
            f"motifs: {n_motifs} in {n_bins} bins of {n_measured} promoters take minutes for each regulator: fewer "
            "motifs (those of your regulators) or wider bins take less"
        )
    if settings.motif_of is not None:
        check_owners(read_owners(settings.motif_of), names)
    if settings.responses is not None:
        table = read_responses(settings.responses)
        lines.append(f"responses: {', '.join(map(str, table.columns))}: {len(table)} genes")
        by_promoter(table, members)
    return lines


def configured_links(
    net: Network,
    scores: SiteScores,
    settings: MotifConfig,
    *,
    annotation: str | None = None,
    part: tuple[int, int] = (1, 1),
    seed: int = 0,
    threads: int = 1,
) -> MotifLinks:
    """Fit the links of a data set's network with the settings of its config.

    A motif is a regulator's own by the names of the annotation too.

    Raises
    ------
    ConfigError, InputError
        As `fit_links`.
    """
    owners = None if settings.motif_of is None else read_owners(settings.motif_of)
    return fit_links(
        net, scores, motif_of=owners, aliases=_aliases(settings, annotation, net), part=part,
        min_targets=settings.min_targets, seed=seed, threads=threads, **_selecting(settings),
    )  # fmt: skip


def _aliases(settings: MotifConfig, annotation: str | None, net: Network) -> dict[str, list[str]]:
    """Return the names that the file of starts has for each gene of the network."""
    path = settings.starts or annotation
    if path is None:
        return {}
    frame = read_starts(path)
    ids = data_ids(net.nodes)
    rows, _ = match_rows(frame, ids)
    columns = [name for name in ALIASES if name in frame]
    words = frame[columns].astype(str).to_numpy()
    return {
        gene: [word for word in words[row].tolist() if word]
        for gene, row in zip(ids["name"], rows.tolist(), strict=True)
        if row >= 0
    }


def write_responses(
    folder: str | Path,
    scores: SiteScores,
    settings: MotifConfig,
    *,
    annotation: str | None,
    ids: Mapping[str, Sequence[str]],
    seed: int = 0,
    threads: int = 1,
) -> None:
    """Fit each response of the config's table and write ``responses.tsv`` and a folder for each.

    Parameters
    ----------
    folder : path
    scores : SiteScores
    settings : MotifConfig
        With `responses`.
    annotation : path, optional
    ids : mapping of sequences of str
        From `netinfer.network.places.gene_ids`.
    seed, threads : int

    Raises
    ------
    ConfigError, InputError
        As `fit_motif_sites` and `netinfer.fit_motif_positions`.
    """
    values = by_promoter(read_responses(str(settings.responses)), scores.members)
    places = named_folders(list(values), "responses")
    promoters = data_promoters(settings, annotation, ids) if settings.positions else None
    rows = []
    for name, value in values.items():
        family = "binomial" if is_class(value) else "gaussian"
        model = fit_motif_sites(scores, value, family=family, seed=seed, threads=threads, **_selecting(settings))
        model.write(Path(folder, places[name]))
        row = {"response": name, "folder": places[name], "family": family, "n_promoters": len(value)}
        row |= _row_of_motifs(model)
        if promoters is not None:
            row |= _write_positions(Path(folder, places[name], "positions"), promoters, value, family, settings, seed)
        rows.append(row)
    columns = [column for column in RESPONSES if column.name in rows[0]]
    write_tsv(Path(folder, "responses.tsv"), pd.DataFrame(rows)[[column.name for column in columns]], columns)


def _selecting(settings: MotifConfig) -> dict[str, Any]:
    return {
        "n_subsamples": settings.n_subsamples,
        "threshold": settings.threshold,
        "expected_false_motifs": settings.expected_false_motifs,
    }


def _row_of_motifs(model: MotifSiteModel) -> dict[str, Any]:
    chosen = model.motifs[model.motifs["is_selected"]]
    return {
        "n_motifs": len(chosen),
        "motifs": ";".join(chosen["motif"]),
        "expected_false_motifs": chosen["expected_false_motifs"].max() if len(chosen) else np.nan,
        **{f"heldout_{name}": model.held_out.get(name, np.nan) for name in ("auc", "r", "r2")},
    }


def _write_positions(
    folder: Path, promoters: Promoters, values: pd.Series, family: str, settings: MotifConfig, seed: int
) -> dict[str, Any]:
    """Fit and write the model of single positions of a response; say what came out."""
    sequences = {gene: promoters.sequences[gene] for gene in values.index}
    model = fit_motif_positions(
        sequences, values, family=family, first=-promoters.upstream, n_subsamples=settings.n_subsamples, seed=seed
    )
    model.write(folder, motifs=read_motifs(str(settings.motifs)))
    return {
        "n_positions": model.cut["n_positions"],
        "expected_false_positions": model.cut["expected_false_positions"],
        "footprints": ";".join(f"{a}..{b}" for a, b in model.footprints[["start", "end"]].itertuples(index=False)),
    }
