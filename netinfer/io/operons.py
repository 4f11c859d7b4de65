"""Operons from places alone: neighbours on one strand with a small gap, where genes stand as close as in bacteria."""

from __future__ import annotations

import numpy as np
import pandas as pd

MAX_GAP = 50
# Predicted operons mean something only where genes stand as close as in bacteria (median gap in E. coli: 64 bp).
COMPACT_GAP = 200
# Up to here genes may still share promoters, as in large bacterial genomes.
SPARSE_GAP = 1000


def with_operons(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Give the genes of an annotation without operons predicted ones, where these mean something.

    Parameters
    ----------
    frame : DataFrame as `netinfer.io.promoters.read_starts` returns it, with all genes
    notes : list of str
        Gets one that says what was done, where no operon is given.

    Returns
    -------
    DataFrame
        The same where operons are given, where genes stand too far apart (median gap 200 bases or more), or where the
        places are starts without a length.
    """
    if "operon" in frame and (frame["operon"].astype(str) != "").any():
        return frame
    if not len(frame) or float((frame["end"] - frame["start"]).median()) <= 0:
        return frame
    if is_compact(frame):
        operon = predict_operons(frame)
        if n := int((operon != "").sum()):
            notes.append(f"operons predicted (same strand, gaps below {MAX_GAP} bases): {n} genes are in one")
        return frame.assign(operon=operon)
    if is_compact(frame, gap=SPARSE_GAP):
        notes.append(
            f"no operons are given, and none predicted: the median gap between genes is not below {COMPACT_GAP} bases; "
            "where genes share promoters give a table with a column operon"
        )
    return frame


def predict_operons(annotation: pd.DataFrame, *, max_gap: int = MAX_GAP) -> pd.Series:
    """Predict operons by the plain rule: neighbours on one strand with a small gap belong together.

    Parameters
    ----------
    annotation : DataFrame
        As `netinfer.io.read_annotation` gives it.
    max_gap : int, base pairs
        The next gene begins fewer than so many base pairs after the end of the one before, or overlaps it.

    Returns
    -------
    Series of str, index as `annotation`
        ``predicted:`` and the first gene's id for the genes of an operon of two or more; empty for the others.

    Notes
    -----
    Salgado, Moreno-Hagelsieb, Smith and Collado-Vides (2000) introduced the gap as the sign of an operon. It is a
    guess: ``benchmarks/operons.py`` compares it with the annotated operons of E. coli.
    """
    chain, size = _chains(annotation, max_gap)
    first = pd.Series(annotation.index.astype(str), dtype=object).groupby(chain).transform("first")
    operon = np.where(size > 1, "predicted:" + first.to_numpy(dtype=object), "")
    return pd.Series(operon.astype(object), index=annotation.index, dtype=object, name="operon")


def _chains(annotation: pd.DataFrame, max_gap: int) -> tuple[np.ndarray, np.ndarray]:
    """Number the runs of genes that the rule joins, and count each gene's run."""
    place = np.lexsort((annotation["end"], annotation["start"], pd.factorize(annotation["contig"])[0]))
    ordered = annotation.iloc[place]
    is_known = ordered["contig"].to_numpy() != ""
    joined = np.zeros(len(ordered), dtype=bool)
    if len(ordered) > 1:
        gap = ordered["start"].to_numpy()[1:] - ordered["end"].to_numpy()[:-1] - 1
        strand, contig = ordered["strand"].to_numpy(), ordered["contig"].to_numpy()
        joined[1:] = (gap < max_gap) & (strand[1:] == strand[:-1]) & (strand[1:] != ".") & (contig[1:] == contig[:-1])
        joined &= is_known
    run = np.cumsum(~joined) - 1 if len(ordered) else np.zeros(0, dtype=np.int64)
    chain = np.empty(len(ordered), dtype=np.int64)
    chain[place] = run
    return chain, np.bincount(chain, minlength=1)[chain] if len(chain) else chain


def is_compact(annotation: pd.DataFrame, gap: int = COMPACT_GAP) -> bool:
    """Tell whether genes stand as close as in bacteria: the median gap between neighbours is below `gap` (200 bp)."""
    placed = annotation[annotation["contig"] != ""].sort_values(["contig", "start", "end"], kind="stable")
    contig = placed["contig"].to_numpy()
    gaps = placed["start"].to_numpy()[1:] - placed["end"].to_numpy()[:-1] - 1
    gaps = gaps[contig[1:] == contig[:-1]]
    return bool(len(gaps) and (placed["strand"] != ".").any() and np.median(gaps) < gap)
