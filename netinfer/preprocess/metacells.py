"""Cells to samples: groups of one type and donor, drawn by counter-based randomness, and their sums."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

# A metacell has 20 to 50 cells: fewer leave most genes at zero, more leave too few metacells.
MIN_GROUP = 20
MAX_GROUP = 50


@dataclass(frozen=True)
class Group:
    """Cells that become one sample: its name, and their rows in the order of their ids."""

    name: str
    rows: np.ndarray


def group_cells(
    labels: Sequence[tuple[str, ...]], ids: Sequence[str], *, size: int | None, seed: int
) -> tuple[list[Group], dict[tuple[str, ...], int]]:
    """Group cells that have the same labels: at random into metacells, or all together.

    The cells of a group are shuffled and cut into pieces of about `size`, 20 to 50 cells each and at most one cell
    apart, so that none is left over. At random, not by similarity: metacells of random cells of a group are
    independent given the group, which is what the error control assumes, while nearest neighbours are chosen by the
    very values that are then regressed on each other. The draw depends on the seed, the group's labels and its cells'
    ids alone: not on the order of the cells, nor on what other groups there are.

    Parameters
    ----------
    labels : sequence of tuple of str, one a cell
        Type, donor, ...; may be empty tuples.
    ids : sequence of str
        Ids of the cells, each once.
    size : int or None
        Cells of a metacell; None puts all cells of a group together.
    seed : int

    Returns
    -------
    groups : list of Group
        In the order of the labels. Names are like ``T.donor1.m003``, or ``T.donor1`` for whole groups.
    too_small : dict
        Labels of groups with fewer than 20 cells, which are left out, and the number of their cells.
    """
    members: dict[tuple[str, ...], list[int]] = {}
    for row, label in enumerate(labels):
        members.setdefault(label, []).append(row)
    groups: list[Group] = []
    too_small = {}
    for label in sorted(members):
        rows = np.array(sorted(members[label], key=lambda row: ids[row]))
        if len(rows) < MIN_GROUP:
            too_small[label] = len(rows)
            continue
        name = ".".join(label) or "all"
        if size is None:
            groups.append(Group(name, rows))
            continue
        pieces = np.array_split(_shuffled(len(rows), label, seed), n_pieces(len(rows), size))
        width = max(3, len(str(len(pieces))))
        groups += [Group(f"{name}.m{at:0{width}d}", rows[np.sort(piece)]) for at, piece in enumerate(pieces, start=1)]
    return _with_distinct_names(groups), too_small


def n_pieces(n_cells: int, size: int) -> int:
    """Return the number of metacells of a group of 20 cells or more: near n / size, each of 20 to 50 cells."""
    wished = max(1, round(n_cells / size))
    return min(max(wished, math.ceil(n_cells / MAX_GROUP)), n_cells // MIN_GROUP)


def count_metacells(labels: Sequence[tuple[str, ...]], size: int, *, has_types: bool) -> int:
    """Count the metacells that come out of cells with these labels; the first label is the type, if there are types."""
    n_of_type: dict[str, int] = {}
    for label, n_cells in Counter(labels).items():
        if n_cells >= MIN_GROUP:
            name = label[0] if has_types else ""
            n_of_type[name] = n_of_type.get(name, 0) + n_pieces(n_cells, size)
    return sum(n for n in n_of_type.values() if n > 1 or len(n_of_type) == 1)


def _shuffled(n: int, label: tuple[str, ...], seed: int) -> np.ndarray:
    """Order 0 ... n - 1 by raw words of Philox, whose stream is fixed, keyed by the seed and the labels."""
    digest = hashlib.sha256("\x1f".join(label).encode("utf-8", "surrogatepass")).digest()
    key = np.array([int(seed) % 2**64, int.from_bytes(digest[:8], "little")], dtype=np.uint64)
    return np.argsort(np.random.Philox(key=key).random_raw(n), kind="stable")


def _with_distinct_names(groups: list[Group]) -> list[Group]:
    """Tell apart groups whose labels give one name once joined (``a.b`` + ``c`` and ``a`` + ``b.c``)."""
    seen: dict[str, int] = {}
    result = []
    for group in groups:
        seen[group.name] = seen.get(group.name, 0) + 1
        name = group.name if seen[group.name] == 1 else f"{group.name}~{seen[group.name]}"
        result.append(Group(name, group.rows))
    return result


def combine_values(values: Any, groups: Sequence[Group], kind: str, base: float) -> Any:
    """Combine the cells of each group: sums of counts, means of all else.

    Logs of values from zero on are taken for log(1 + x): they are averaged on the linear scale and logged again.

    Parameters
    ----------
    values : float64 array or CSR, shape (n_cells, n_genes)
    groups : sequence of Group
    kind : {"counts", "log", "zscore", "other"}
    base : float
        Of the logs.

    Returns
    -------
    Same form as `values`, shape (n_groups, n_genes)
        Both forms of one matrix give the same bits.
    """
    cells = sparse.csr_matrix(values, copy=True)
    cells.eliminate_zeros()
    cells.sort_indices()
    is_log = kind == "log" and float(cells.data.min(initial=0.0)) >= 0
    if is_log:
        cells.data = np.expm1(cells.data * np.log(base))
    sizes = np.array([len(group.rows) for group in groups])
    pointers = np.concatenate([[0], np.cumsum(sizes)])
    rows = np.concatenate([group.rows for group in groups])
    member = sparse.csr_matrix((np.ones(len(rows)), rows, pointers), shape=(len(groups), values.shape[0]))
    total = sparse.csr_matrix(member @ cells)
    total.sort_indices()
    if kind != "counts":
        total.data /= np.repeat(sizes, np.diff(total.indptr))
    if is_log:
        total.data = np.log1p(total.data) / np.log(base)
    return total if sparse.issparse(values) else np.ascontiguousarray(total.toarray())


def combine_columns(obs: pd.DataFrame, groups: Sequence[Group], keep: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Combine the annotations of each group's cells.

    A column with one value in each group stays as it is, other numbers are averaged over the cells that have one, and
    other columns are left out.

    Parameters
    ----------
    obs : DataFrame, n_cells rows
    groups : sequence of Group
    keep : sequence of str
        Columns by which the groups were made.

    Returns
    -------
    obs : DataFrame, n_groups rows
        With ``n_cells``.
    left_out : list of str
        Columns that vary within a group and are no numbers.
    """
    order = np.concatenate([group.rows for group in groups])
    code = np.repeat(np.arange(len(groups)), [len(group.rows) for group in groups])
    first = np.array([group.rows[0] for group in groups])
    columns: dict[str, Any] = {}
    left_out = []
    for name in obs.columns:
        column = obs[name]
        if name in keep or _is_constant(column, order, code):
            columns[str(name)] = column.iloc[first].array
        elif pd.api.types.is_numeric_dtype(column.dtype):
            numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)[order]
            has_value = np.isfinite(numbers)
            total = np.bincount(code[has_value], weights=numbers[has_value], minlength=len(groups))
            count = np.bincount(code[has_value], minlength=len(groups))
            columns[str(name)] = np.divide(total, count, out=np.full(len(groups), np.nan), where=count > 0)
        else:
            left_out.append(str(name))
    index = pd.Index([group.name for group in groups], dtype=object)
    frame = pd.DataFrame(columns, index=index)
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].cat.remove_unused_categories()
    frame["n_cells"] = np.array([len(group.rows) for group in groups], dtype=np.int64)
    return frame, left_out


def _is_constant(column: pd.Series, order: np.ndarray, code: np.ndarray) -> bool:
    labels = pd.factorize(column, use_na_sentinel=True)[0][order]
    starts = np.flatnonzero(np.diff(code, prepend=-1))
    return bool((labels == labels[starts][code]).all())
