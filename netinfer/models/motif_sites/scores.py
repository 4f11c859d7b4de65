"""Where motifs match in promoters: the best match, or the number of given sites, of each motif in bins of distance."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.io.bed import read_bed
from netinfer.io.ids import some
from netinfer.io.motifs import Motif, listed_motifs
from netinfer.io.operons import with_operons
from netinfer.io.promoters import Promoters, first_of_each, genes_with_place, read_starts
from netinfer.io.sequences import as_sequences
from netinfer.models.motif_sites.files import load_scores, save_scores
from netinfer.models.motif_sites.units import window_units
from netinfer.moments.sites import best_matches

BIN_WIDTH = 50


@dataclasses.dataclass(frozen=True, eq=False)
class SiteScores:
    """What each motif has in each bin of each promoter.

    Attributes
    ----------
    genes : tuple of str
    motifs : tuple of str
    strength : float array, shape (n_genes, n_motifs, n_bins)
        Scanned: the best match, in bits of log odds, 0 where none is better than the background. Given sites: their
        number.
    edges : int array, shape (n_bins + 1,)
        Bases from the start, upstream negative; a site lies in the bin that holds its middle.
    meaning : str
        What a value is, in a few words.
    members : dict of str to tuple of str
        Genes that each promoter stands for: its operon, or itself.
    consensus : tuple of str, one a motif
        Empty where the motif's matrix is not known.
    site_start, site_end : int32 arrays, shape (n_genes, n_motifs, n_bins)
        Where the best match is, in bases from the start: its first base, and the one behind its last; both 0 where
        there is none. Given sites: the one whose middle is nearest to that of the bin.
    site_strand : int8 array, shape (n_genes, n_motifs, n_bins)
        1 on the strand of the gene, -1 on the other one, 0 where it is not known or there is none.
    labels : tuple of str, one a motif
        Second name, such as that of the factor; empty where the file has none.
    notes : tuple of str
    units : int array, shape (n_genes,)
        Promoters of one number share half of their bases or more, or are equal: one independent unit. By default each
        is its own.
    """

    genes: tuple[str, ...]
    motifs: tuple[str, ...]
    strength: np.ndarray
    edges: np.ndarray
    meaning: str
    members: dict[str, tuple[str, ...]]
    consensus: tuple[str, ...]
    site_start: np.ndarray
    site_end: np.ndarray
    site_strand: np.ndarray
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()
    units: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        if len(self.units) != len(self.genes):
            object.__setattr__(self, "units", np.arange(len(self.genes)))

    @property
    def n_bins(self) -> int:
        """Bins of distance."""
        return len(self.edges) - 1

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the scores as one compressed file of numpy's (npz); equal scores give equal bytes.

        Raises
        ------
        RunError
            If the file cannot be written.
        """
        save_scores(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SiteScores:
        """Read back what `save` wrote, equal in every value.

        Raises
        ------
        InputError
            If the file is missing or damaged, or of another version of the format.
        """
        return cls(**load_scores(path))


def scan_motifs(
    promoters: Promoters,
    motifs: Sequence[Motif] | str | os.PathLike[str],
    *,
    bin_width: int = BIN_WIDTH,
    background: np.ndarray | None = None,
    pseudocount: float = 1.0,
) -> SiteScores:
    """Match motifs on both strands of promoters and keep the best match in each bin.

    Parameters
    ----------
    promoters : Promoters
        See `netinfer.io.promoters.cut_promoters`.
    motifs : list of Motif, or path of a MEME, JASPAR or TRANSFAC file
    bin_width : int, >= 1
        Bases. The start is an edge; the outermost bins may be narrower.
    background : float array, shape (4,), optional
        Share of A, C, G and T; by default that of the promoters themselves, of both strands.
    pseudocount : float, > 0
        Sites added to each motif's counts.

    Returns
    -------
    SiteScores

    Raises
    ------
    InputError
        No motif, a motif wider than the promoters, motifs of one name, a base that no promoter has.
    ConfigError
        If the bin width, the background or the pseudocount is impossible.

    Notes
    -----
    A match counts from zero up: a site that the background explains better is as good as none, whichever it is. No
    cut on a p-value is needed. With w letters a motif it costs at most 2 w additions a position, less where the
    rest of the site can no longer reach the best match so far.
    """
    listed = listed_motifs(motifs)
    if not pseudocount > 0:
        raise ConfigError(f"pseudocount: {pseudocount!r} is not above 0: a base never seen would forbid a site")
    length = promoters.upstream + promoters.downstream
    wide = [motif.name for motif in listed if motif.width > length]
    if wide:
        raise InputError(f"motifs: {some(wide)} are wider than the promoters of {length} bases: cut longer ones")
    edges = bin_edges(promoters.upstream, promoters.downstream, bin_width)
    codes = as_sequences(promoters.sequences, where="promoters").codes
    base = _background(codes) if background is None else _checked_background(background)
    values = np.empty((len(codes), len(listed), len(edges) - 1))
    start, end, strand = (
        np.zeros(values.shape, np.int32),
        np.zeros(values.shape, np.int32),
        np.zeros(values.shape, "i1"),
    )
    for k, motif in enumerate(listed):
        middle = np.arange(length - motif.width + 1) + (motif.width - 1) / 2 - promoters.upstream
        bins = np.searchsorted(edges, np.floor(middle), side="right") - 1
        values[:, k], begin, strand[:, k] = best_matches(codes, motif.log_odds(base, pseudocount), bins, len(edges) - 1)
        has_match = begin >= 0
        start[:, k] = np.where(has_match, begin - promoters.upstream, 0)
        end[:, k] = np.where(has_match, begin - promoters.upstream + motif.width, 0)
    return SiteScores(
        genes=tuple(promoters.sequences),
        motifs=tuple(motif.name for motif in listed),
        strength=values,
        edges=edges,
        meaning="best match, bits of log odds",
        members=promoters.members,
        consensus=tuple(motif.consensus for motif in listed),
        site_start=start,
        site_end=end,
        site_strand=strand,
        labels=tuple(motif.label for motif in listed),
        notes=promoters.notes,
        units=_units(promoters),
    )


def place_sites(
    starts: pd.DataFrame | str | os.PathLike[str],
    sites: str | os.PathLike[str],
    *,
    upstream: int = 500,
    downstream: int = 100,
    bin_width: int = BIN_WIDTH,
    genes: Sequence[str] | None = None,
    first_of_operon: bool = True,
) -> SiteScores:
    """Count given sites, such as those of another scan, in bins of distance from the starts of genes.

    Parameters
    ----------
    starts : DataFrame as `netinfer.io.promoters.read_starts` returns it, or a path
        The start of a gene is its first base along the strand.
    sites : path
        BED; the fourth column names the motif, strands are not looked at for the count. A site belongs to every gene in
        whose window its middle lies; a middle between two bases lies on the one upstream, as in `scan_motifs`.
    upstream, downstream : int, >= 0
    bin_width : int, >= 1
    genes : list of str, optional
        The genes wanted; all with a place by default.
    first_of_operon : bool
        Of genes of one operon (on one contig and strand) take the first along the strand only, which stands for all.

    Returns
    -------
    SiteScores
        Without consensus. Motifs are in the order of their names. The notes count the genes without a place, inside
        operons and on contigs without a site, sites on contigs without a gene, and windows over the origin of a ring.

    Raises
    ------
    InputError
        No gene with a place, wanted genes that are not annotated, half of the genes or more on contigs without a site
        (five of each are shown), no site within a window; as `read_bed` and `read_starts`.
    ConfigError
        If a width is impossible.

    Notes
    -----
    Without a genome the length of a ring is not known, so that windows do not go on at its other end. It does not
    matter in which order the lines of the BED file are.
    """
    frame = starts if isinstance(starts, pd.DataFrame) else read_starts(starts)
    notes: list[str] = []
    frame = with_operons(frame, notes) if first_of_operon else frame
    frame = genes_with_place(frame, genes, notes)
    edges = bin_edges(upstream, downstream, bin_width)
    found = pd.DataFrame(list(read_bed(sites)), columns=["motif", "contig", "first", "end", "strand"])
    _check_contigs(frame, found["contig"], sites, notes)
    frame = first_of_each(frame, notes) if first_of_operon else frame.assign(genes=frame.index.astype(str))
    is_forward = (frame["strand"] == "+").to_numpy()
    start = np.where(is_forward, frame["start"], frame["end"]).astype(np.int64) - 1
    if "is_circular" in frame:
        n_over = int((frame["is_circular"] & (start < np.where(is_forward, upstream, downstream - 1))).sum())
        if n_over:
            notes.append(f"{n_over} windows reach over the origin of a ring: sites at its other end are not counted")
    names, motif = np.unique(found["motif"].to_numpy(str), return_inverse=True)
    shape = (len(frame), len(names), len(edges) - 1)
    values, site_strand = np.zeros(shape), np.zeros(shape, np.int8)
    site_start, site_end = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    first = found["first"].to_numpy(np.int64)
    behind = np.maximum(found["end"].to_numpy(np.int64), first + 1)
    on = found["strand"].map({"+": 1, "-": -1}).fillna(0).to_numpy(np.int8)
    # Twice the middle, a whole number also between two bases, so that it is rounded along the gene.
    middle, centre = first + behind - 1, edges[:-1] + edges[1:] - 1
    for contig in sorted(set(frame["contig"]) & set(found["contig"])):
        here = np.flatnonzero((found["contig"] == contig).to_numpy())
        here = here[np.argsort(middle[here], kind="stable")]
        for g in np.flatnonzero((frame["contig"] == contig).to_numpy()):
            along = 1 if is_forward[g] else -1
            reach = (-2 * upstream, 2 * downstream) if along == 1 else (1 - 2 * downstream, 2 * upstream + 1)
            low, high = np.searchsorted(middle[here], [2 * start[g] + reach[0], 2 * start[g] + reach[1]])
            inside = here[low:high]
            distance = (middle[inside] - 2 * start[g]) * along
            bins = np.searchsorted(edges, distance // 2, side="right") - 1
            np.add.at(values[g], (motif[inside], bins), 1.0)
            # The last one written to a place is the nearest to the bin's middle; of two as near the one upstream, of
            # one middle the narrower, then the one on the gene's strand.
            strand, width = on[inside] * along, behind[inside] - first[inside]
            order = np.lexsort((strand, strand != 0, -width, -distance, -np.abs(distance - centre[bins])))
            inside, cell = inside[order], (g, motif[inside][order], bins[order])
            ends = np.sort(np.stack([first[inside] - start[g], behind[inside] - 1 - start[g]]) * along, axis=0)
            site_start[cell], site_end[cell], site_strand[cell] = ends[0], ends[1] + 1, strand[order]
    if not values.any():
        raise InputError(f"{sites}: no site lies within {upstream} bases before and {downstream} after a start")
    ids = tuple(str(gene) for gene in frame.index)
    return SiteScores(
        genes=ids,
        motifs=tuple(names.tolist()),
        strength=values,
        edges=edges,
        meaning="number of sites",
        members={gene: tuple(of.split(";")) for gene, of in zip(ids, frame["genes"], strict=True)},
        consensus=("",) * len(names),
        site_start=site_start,
        site_end=site_end,
        site_strand=site_strand,
        labels=("",) * len(names),
        notes=tuple(notes),
        units=window_units(frame["contig"].tolist(), start + 1, is_forward, upstream, downstream),
    )


def _check_contigs(frame: pd.DataFrame, of_sites: pd.Series, sites: str | os.PathLike[str], notes: list[str]) -> None:
    """Refuse sites that are on no contig of half of the genes, and note what lies on contigs of only one side."""
    has_sites = frame["contig"].isin(set(of_sites)).to_numpy()
    n_without, missing = int((~has_sites).sum()), sorted(set(frame["contig"]) - set(of_sites))
    unused = sorted(set(of_sites) - set(frame["contig"]))
    if 2 * n_without >= len(frame):
        raise InputError(
            f"{sites}: {n_without} of {len(frame)} genes are on contigs without a site ({some(missing)}); the sites "
            f"are on {some(sorted(set(of_sites)))}: use one naming in both, or leave such genes out"
        )
    if n_without:
        notes.append(f"{n_without} of {len(frame)} genes are on contigs without a site: {some(missing)}")
    if unused:
        n_unused = int(of_sites.isin(unused).sum())
        notes.append(f"{n_unused} of {len(of_sites)} sites are on contigs without a gene: {some(unused)}")


def bin_edges(upstream: int, downstream: int, bin_width: Any) -> np.ndarray:
    """Return the edges of bins with one at the start, int array, rising from -upstream to downstream."""
    if isinstance(bin_width, bool) or not isinstance(bin_width, int | np.integer) or bin_width < 1:
        raise ConfigError(f"bin_width: {bin_width!r} is no whole number of bases, 1 or more")
    before = np.arange(0, upstream, bin_width)[1:]
    after = np.arange(0, downstream, bin_width)[1:]
    ends = [[-upstream], -before[::-1], [0] if upstream and downstream else [], after, [downstream]]
    return np.unique(np.concatenate([np.asarray(part, dtype=np.int64) for part in ends]))


def _background(codes: np.ndarray) -> np.ndarray:
    counts = np.bincount(codes[codes < 4].ravel(), minlength=4).astype(float)
    counts = counts + counts[::-1]  # of both strands
    if (counts == 0).any():
        missing = "ACGT"[int((counts == 0).argmax())]
        raise InputError(f"promoters: none has the base {missing}, nor its complement: give a background")
    return counts / counts.sum()


def _checked_background(background: np.ndarray) -> np.ndarray:
    base = np.asarray(background, dtype=np.float64)
    if base.shape != (4,) or not (base > 0).all() or abs(base.sum() - 1.0) > 0.01:
        raise ConfigError(f"background: {background!r}: four shares above 0 that sum to 1 are needed, of A, C, G and T")
    return base / base.sum()


def _units(promoters: Promoters) -> np.ndarray:
    """Number windows that share their bases; windows of one's own, without places, only where they are equal."""
    table, texts = promoters.table, list(promoters.sequences.values())
    if "contig" not in table:
        alone = np.arange(len(texts))
        return window_units([str(k) for k in alone], alone, alone >= 0, promoters.upstream, promoters.downstream, texts)
    return window_units(
        table["contig"].tolist(), table["start"].to_numpy(), (table["strand"] == "+").to_numpy(), promoters.upstream,
        promoters.downstream, texts,
    )  # fmt: skip
