"""Motifs in the promoters of a data set's genes, as its config asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.columns import Column
from netinfer.io.ids import duplicates, some
from netinfer.io.libraries import numbers, read_strings
from netinfer.io.motifs import read_motifs
from netinfer.io.promoters import Promoters, cut_promoters, read_starts
from netinfer.io.tables import write_tsv
from netinfer.models.motif import fit_motif_positions
from netinfer.models.motif.configured import named_folders
from netinfer.models.motif_sites.evidence import check_owners
from netinfer.models.motif_sites.links import MotifLinks, fit_links
from netinfer.models.motif_sites.model import MotifSiteModel, fit_motif_sites
from netinfer.models.motif_sites.responses import FEWEST_OF_A_CLASS
from netinfer.models.motif_sites.scores import SiteScores, place_sites, scan_motifs
from netinfer.network.places import is_compact, match_rows, predict_operons

if TYPE_CHECKING:
    from anndata import AnnData

    from netinfer.config import MotifConfig
    from netinfer.network import Network

FEWEST_IN_COMMON = 20
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


def gene_ids(adata: AnnData) -> dict[str, list[str]]:
    """Return the ids of a data set's genes by kind: names, and symbols where there are some."""
    ids = {"name": [str(name) for name in adata.var_names]}
    if "symbol" in adata.var:
        ids["symbol"] = [str(name) for name in adata.var["symbol"]]
    return ids


def data_starts(settings: MotifConfig, annotation: str | None, ids: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Read the starts of genes, under the names that the data set has for them.

    Parameters
    ----------
    settings : MotifConfig
    annotation : path, optional
        The data set's, where the settings name no file of their own.
    ids : mapping of sequences of str
        From `gene_ids`.

    Returns
    -------
    DataFrame
        As `netinfer.io.promoters.read_starts` gives it; genes that the data do not have keep the file's ids. Operons
        are those of the file or, where it has none and the genes stand as close as bacteria's, predicted ones.

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
    if not (frame["operon"] != "").any() and is_compact(frame):
        frame = frame.assign(operon=predict_operons(frame))
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
    else:
        found = data_promoters(settings, annotation, ids)
        known = read_motifs(str(settings.motifs))
        wide = [motif.name for motif in known if motif.width > settings.upstream + settings.downstream]
        if wide:
            raise InputError(f"{settings.motifs}: {some(wide)} are wider than the promoters: cut longer ones")
        promoters, names = len(found.sequences), [motif.name for motif in known]
        members = {g: tuple(m.split(";")) for g, m in zip(found.table["gene"], found.table["genes"], strict=True)}
    genes = set(ids["name"])
    n_measured = sum(any(gene in genes for gene in of) for of in members.values())
    n_motifs = len(names)
    lines = [f"motifs: {n_motifs} in {promoters} promoters, {n_measured} of which have a gene of the data"]
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
    part: tuple[int, int] = (1, 1),
    seed: int = 0,
    threads: int = 1,
) -> MotifLinks:
    """Fit the links of a data set's network with the settings of its config.

    Raises
    ------
    ConfigError, InputError
        As `fit_links`.
    """
    owners = None if settings.motif_of is None else read_owners(settings.motif_of)
    return fit_links(
        net, scores, motif_of=owners, part=part, min_targets=settings.min_targets, seed=seed, threads=threads,
        **_selecting(settings),
    )  # fmt: skip


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
        From `gene_ids`.
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


def read_responses(path: str | Path) -> pd.DataFrame:
    """Read a table of genes x responses: tab- or comma-separated, gene ids in the first column, numbers.

    Returns
    -------
    DataFrame of float, NaN where a field is empty

    Raises
    ------
    InputError
        No column, a gene that stands there twice, a field that is no number (line and column are named).
    """
    path, raw = Path(path), read_strings(path)
    if raw.shape[1] < 2:
        raise InputError(f"{path}: {raw.shape[1]} columns: gene ids and a response or more are needed")
    genes = raw.iloc[:, 0].str.strip()
    if repeated := duplicates(genes.tolist()):
        raise InputError(f"{path}: {len(repeated)} genes stand there more than once: {some(repeated)}: keep one each")
    values = {str(name): numbers(raw[name], path, str(name), may_miss=True) for name in raw.columns[1:]}
    return pd.DataFrame(values, index=pd.Index(genes, dtype=object))


def by_promoter(table: pd.DataFrame, members: Mapping[str, Sequence[str]]) -> dict[str, pd.Series]:
    """Turn values of genes into values of promoters, one Series a response.

    A promoter has the mean of the genes that it stands for; of classes (0 and 1 alone), 1 if one of them has it.

    Raises
    ------
    InputError
        If fewer than 20 promoters have a value (five ids of each are shown), or of two classes fewer than 8 have one.
    """
    owner = {gene: promoter for promoter, genes in members.items() for gene in genes}
    promoter = pd.Series([owner.get(str(gene)) for gene in table.index], index=table.index, dtype=object)
    found = {}
    for name in table.columns:
        column = table[name][promoter.notna() & table[name].notna()]
        grouped = column.groupby(promoter[column.index])
        values = grouped.max() if is_class(table[name]) else grouped.mean()
        if len(values) < FEWEST_IN_COMMON:
            raise InputError(
                f"responses: {name!r}: {len(values)} promoters have a value, at least {FEWEST_IN_COMMON} are needed; "
                f"its genes are {some([str(g) for g in table.index])}, those of the promoters {some(list(owner))}: use "
                "one kind of id"
            )
        n_fewer = int(min(values.sum(), len(values) - values.sum())) if is_class(values) else FEWEST_OF_A_CLASS
        if n_fewer < FEWEST_OF_A_CLASS:
            raise InputError(
                f"responses: {name!r}: {n_fewer} promoters of the smaller class: {FEWEST_OF_A_CLASS} or more are needed"
            )
        found[str(name)] = values.rename(str(name))
    return found


def is_class(values: pd.Series) -> bool:
    """Tell whether a response is one of two classes: 0 and 1 alone."""
    return bool(values.dropna().isin([0.0, 1.0]).all())


def read_owners(path: str | Path) -> dict[str, list[str]]:
    """Read which motifs are whose: a table of regulator and motif, tab- or comma-separated, with a header.

    Raises
    ------
    InputError
        If it has fewer than two columns or no row.
    """
    path, raw = Path(path), read_strings(path)
    if raw.shape[1] < 2 or raw.empty:
        raise InputError(f"{path}: {raw.shape[1]} columns, {len(raw)} rows: a header, regulator and motif are needed")
    owners: dict[str, list[str]] = {}
    for regulator, motif in zip(raw.iloc[:, 0].str.strip(), raw.iloc[:, 1].str.strip(), strict=True):
        owners.setdefault(regulator, []).append(motif)
    return owners
