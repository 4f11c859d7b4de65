"""Where the genes of a data set lie: its ids matched with an annotation's, operons, order along the contigs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.annotation import ALIASES
from netinfer.io.ids import some, strip_version
from netinfer.io.operons import MAX_GAP, is_compact, predict_operons

if TYPE_CHECKING:
    from anndata import AnnData

_RULES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("", str),
    ("without version suffixes", strip_version),
    ("without regard to case", lambda name: strip_version(name).casefold()),
)


@dataclass(frozen=True, eq=False)
class Places:
    """Contig, order and operon of each gene of a data set.

    Attributes
    ----------
    genes : Index, shape (n_genes,)
        As the data set names them.
    is_found : bool array, shape (n_genes,)
        Whether the annotation has the gene.
    contig, order : int arrays, shape (n_genes,)
        Number of the contig and place among all its genes in the annotation; -1 where not known.
    ring : int array, shape (n_genes,)
        Number of genes of the gene's contig where it is a ring, else 0.
    operon : int array, shape (n_genes,)
        Number of the operon; -1 where the gene is in none, or not known.
    operons : str
        ``given``, ``predicted`` or ``none``.
    matched : str
        Which of the annotation's ids the data's genes were found by.
    n_annotated : int
        Genes of the annotation.
    """

    genes: pd.Index
    is_found: np.ndarray
    contig: np.ndarray
    order: np.ndarray
    ring: np.ndarray
    operon: np.ndarray
    operons: str
    matched: str
    n_annotated: int

    @property
    def sentence(self) -> str:
        """Say in one sentence what was found."""
        operons = {
            "given": "operons as the annotation gives them",
            "predicted": f"operons predicted (same strand, gaps below {MAX_GAP} bp)",
            "none": "no operons known",
        }[self.operons]
        ring = "; ring-shaped contigs are closed" if self.ring.any() else ""
        if self.n_annotated == int(self.is_found.sum()):
            ring += "; it lists no other gene, so that distances count the data's genes alone"
        return (
            f"annotation: {int(self.is_found.sum())} of {len(self.genes)} genes found by {self.matched} "
            f"among its {self.n_annotated} genes; {operons}{ring}"
        )

    def same_operon(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Tell which pairs of rows of `genes` lie in one operon; -1 stands for an unknown gene."""
        a, b = self.operon[first], self.operon[second]
        return (first >= 0) & (second >= 0) & (a >= 0) & (a == b)

    def distance(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Count the steps from gene to gene between pairs of rows of `genes`; 0 where not known."""
        known = (first >= 0) & (second >= 0) & (self.contig[first] >= 0) & (self.contig[first] == self.contig[second])
        steps = np.abs(self.order[first] - self.order[second])
        ring = self.ring[first]
        steps = np.where(ring > 0, np.minimum(steps, ring - steps), steps)
        return np.where(known, steps, 0)


def gene_ids(adata: AnnData) -> dict[str, list[str]]:
    """Return the ids of a data set's genes by kind: names, and symbols where there are some."""
    ids = {"name": [str(name) for name in adata.var_names]}
    if "symbol" in adata.var:
        ids["symbol"] = [str(name) for name in adata.var["symbol"]]
    return ids


def locate(
    annotation: pd.DataFrame,
    genes: Sequence[str] | Mapping[str, Sequence[str]],
    *,
    operons: str = "auto",
    need_operons: bool = False,
) -> Places:
    """Find the genes of a data set in an annotation.

    Every kind of id of the annotation is tried, as it is; if none finds half of the genes, without version suffixes;
    then without regard to case. The one that finds most is used. An id that stands for two genes finds none.

    Parameters
    ----------
    annotation : DataFrame
        As `netinfer.io.read_annotation` gives it.
    genes : sequence of str, or mapping of such
        Ids of the data set, of one kind or (a mapping from its name) of several for the same genes.
    operons : {"auto", "given", "predicted"}
        ``auto``: those of the annotation; where it has none and its genes stand as close as bacteria's, predicted
        ones (`predict_operons`).
    need_operons : bool
        Whether pairs of one operon are to be left out, for which some operon must be known.

    Returns
    -------
    Places
        ``genes`` are the first kind of id.

    Raises
    ------
    InputError
        If fewer than half of the genes are found, with five ids of each side; if operons are needed and none is known.
    """
    kinds = genes if isinstance(genes, Mapping) else {"name": genes}
    rows, matched = match_rows(annotation, kinds)
    chosen, basis = _operons(annotation, operons)
    names = pd.Index([str(name) for name in next(iter(kinds.values()))], dtype=object)
    order, ring = _order(annotation)
    contig = pd.factorize(annotation["contig"].where(annotation["contig"] != ""))[0]
    in_operon = annotation["contig"].str.cat(chosen, sep="\t").where(chosen != "")
    operon = pd.factorize(in_operon)[0]

    def of_genes(values: np.ndarray, unknown: int) -> np.ndarray:
        return np.where(rows >= 0, values[rows], unknown).astype(np.int64)

    basis = basis if (chosen != "").any() else "none"
    if need_operons and basis == "none":
        raise InputError(
            "annotation: exclude_same_operon is set, but no operon is known: give a table with a column operon, "
            "or leave exclude_same_operon out"
        )
    return Places(
        genes=names,
        is_found=rows >= 0,
        contig=of_genes(contig, -1),
        order=of_genes(order, -1),
        ring=of_genes(ring, 0),
        operon=of_genes(operon, -1),
        operons=basis,
        matched=matched,
        n_annotated=len(annotation),
    )


def match_rows(annotation: pd.DataFrame, kinds: Mapping[str, Sequence[str]]) -> tuple[np.ndarray, str]:
    """Return each gene's row of the annotation, -1 where it has none, and by which ids they were found.

    Parameters
    ----------
    annotation : DataFrame
    kinds : mapping of sequences of str
        One kind of id or several for the same genes.

    Raises
    ------
    InputError
        If fewer than half of the genes are found.
    """
    columns = {"gene id": annotation.index.astype(object)} | {
        name: pd.Index(annotation[name], dtype=object) for name in ALIASES if name in annotation
    }
    best, rows, matched = -1, np.zeros(0, dtype=np.int64), ""
    for rule, simplify in _RULES:
        tables = {column: _unique_rows([simplify(str(name)) for name in ids]) for column, ids in columns.items()}
        for kind, ids in kinds.items():
            wanted = [simplify(str(name)) for name in ids]
            for column, table in tables.items():
                found = np.array([table.get(name, -1) for name in wanted], dtype=np.int64)
                count = int((found >= 0).sum())
                if count > best:
                    own = "" if kind == "name" else f"{kind} against "
                    best, rows, matched = count, found, own + column + (f" {rule}" if rule else "")
        if 2 * best >= len(rows) > 0:
            return rows, matched
    data = some([str(name) for name in next(iter(kinds.values()))])
    theirs = "; ".join(
        f"{column} {some(list(ids[ids != ''][:5]))}" for column, ids in columns.items() if (ids != "").any()
    )
    raise InputError(
        f"annotation: only {max(best, 0)} of the data's {len(rows)} genes are in it: the data have {data}; "
        f"the annotation has {theirs}: give an annotation with the data's ids"
    )


def _unique_rows(ids: list[str]) -> dict[str, int]:
    """Map each id to its row; one that stands for two rows, and the empty one, are left out."""
    rows: dict[str, int] = {}
    twice = {""}
    for row, name in enumerate(ids):
        if rows.setdefault(name, row) != row:
            twice.add(name)
    return {name: row for name, row in rows.items() if name not in twice}


def _order(annotation: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return each gene's place on its contig, in the order of the first base, and the number of genes of a ring."""
    sorted_rows = np.lexsort((annotation["end"], annotation["start"]))  # stable: equal places in the file's order
    contig = pd.factorize(annotation["contig"])[0]
    place = pd.Series(sorted_rows).groupby(contig[sorted_rows]).cumcount().to_numpy()
    order = np.empty(len(annotation), dtype=np.int64)
    order[sorted_rows] = place
    size = np.bincount(contig)[contig] if len(contig) else np.zeros(0, dtype=np.int64)
    return order, np.where(annotation["is_circular"].to_numpy(dtype=bool), size, 0)


def _operons(annotation: pd.DataFrame, wish: str) -> tuple[pd.Series, str]:
    if wish not in {"auto", "given", "predicted"}:
        raise InputError(f"annotation: operons: {wish!r} is none of auto, given, predicted")
    has_none = not (annotation["operon"] != "").any()
    if wish == "predicted" or (wish == "auto" and has_none and is_compact(annotation)):
        return predict_operons(annotation), "predicted"
    return annotation["operon"], "given"
