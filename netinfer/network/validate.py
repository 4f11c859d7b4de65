"""What the three frames of a network must hold, checked once, when it is made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.io.columns import TARGETS, conform, edge_columns, node_columns
from netinfer.io.direction import DIRECTION_BASES
from netinfer.io.graphml import ILLEGAL_XML

STATUSES = ("ok", "constant", "filtered", "too_few_samples", "not_converged")


def rank_candidates(candidates: pd.DataFrame) -> pd.DataFrame:
    """Sort candidates by falling weight, ties by source and target, and number them from 1.

    Parameters
    ----------
    candidates : DataFrame
        With the columns source, target and weight; a column rank is replaced.

    Returns
    -------
    DataFrame
        New, with a RangeIndex and the column rank (last, where it was not there before). Texts are compared by code
        point, so that the order is the same in every locale.
    """
    order = np.lexsort(
        (
            _code_point_order(candidates["target"]),
            _code_point_order(candidates["source"]),
            -candidates["weight"].to_numpy(dtype=np.float64),
        )
    )
    ranked = candidates.iloc[order].reset_index(drop=True)
    ranked["rank"] = np.arange(1, len(ranked) + 1, dtype=np.int64)
    return ranked


def _code_point_order(names: pd.Series) -> np.ndarray:
    """Return each name's place among the sorted distinct names."""
    codes, distinct = pd.factorize(names.to_numpy(dtype=object))
    place = np.empty(len(distinct), dtype=np.int64)
    place[np.array(sorted(range(len(distinct)), key=distinct.__getitem__), dtype=np.int64)] = np.arange(len(distinct))
    return place[codes]


def check_nodes(nodes: pd.DataFrame) -> pd.DataFrame:
    """Check the nodes; the degrees, which the network computes itself, may be absent and are set to 0.

    Raises
    ------
    InputError
        If a column is missing or unknown, or a name is empty, doubled, or one that a file could not hold.
    """
    where = "nodes"
    present = nodes.columns if isinstance(nodes, pd.DataFrame) else ()
    if isinstance(nodes, pd.DataFrame) and "symbol" not in nodes.columns:
        nodes = nodes.assign(symbol="")
    nodes = conform(_with_zeros(nodes, "degree_in", "degree_out"), node_columns(present), where=where)
    names = nodes["name"].tolist()
    for row, name in enumerate(names, start=1):
        _check_name(name, f"{where}: row {row}")
    for column in ("gene_id", "symbol"):
        for row, identifier in enumerate(nodes[column].tolist(), start=1):
            if identifier:
                _check_name(identifier, f"{where}: {column}, row {row}")
    if (twice := nodes["name"].duplicated()).any():
        raise InputError(f"{where}: name {nodes['name'][twice].iloc[0]!r} occurs twice: make the names unique")
    return nodes


def check_targets(targets: pd.DataFrame) -> pd.DataFrame:
    """Check the targets; n_edges, which the network computes itself, may be absent and is set to 0.

    Raises
    ------
    InputError
        If a column is missing or unknown, a target occurs twice, or a status is not one of the known words.
    """
    where = "targets"
    targets = conform(_with_zeros(targets, "n_edges"), TARGETS, where=where)
    for row, name in enumerate(targets["target"].tolist(), start=1):
        _check_name(name, f"{where}: row {row}")
    if (twice := targets["target"].duplicated()).any():
        raise InputError(f"{where}: target {targets['target'][twice].iloc[0]!r} occurs twice: keep one row a target")
    _check_words(targets["status"], STATUSES, f"{where}: status")
    for name in ("n_units", "n_candidates"):
        if (targets[name] < 0).any():
            raise InputError(f"{where}: {name}: a count is negative: correct the table")
    return targets


def check_candidates(
    candidates: pd.DataFrame, nodes: pd.DataFrame, targets: pd.DataFrame, *, directed: bool
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Check the candidates against the nodes and the targets.

    Returns
    -------
    candidates : DataFrame
        As `conform` gives it; ends are the node frame's own strings, so that a million rows share them.
    source, target : int array, shape (n_candidates,)
        Rows of `nodes`.

    Raises
    ------
    InputError
        If a weight is not above 0, an edge joins a gene to itself or a pair occurs twice, an end is not among the
        nodes or a target not among the targets, a number is outside its range, or the rows are not in rank order.
    """
    where = "candidates"
    present = candidates.columns if isinstance(candidates, pd.DataFrame) else ()
    candidates = conform(candidates, edge_columns(present), where=where)
    node_names = nodes["name"].to_numpy()
    index = pd.Index(node_names, dtype=object)
    ends = []
    for end in ("source", "target"):
        rows = index.get_indexer(pd.Index(candidates[end], dtype=object))
        _refuse(candidates, rows < 0, f"{end} is no node: add it to the nodes")
        candidates[end] = pd.Series(node_names[rows], dtype=object)
        ends.append(rows.astype(np.int64))
    source, target = ends
    _refuse(candidates, ~candidates["target"].isin(set(targets["target"])).to_numpy(), "target is not in targets")
    _refuse(candidates, source == target, "an edge from a gene to itself: leave self pairs out")
    low, high = (source, target) if directed else (np.minimum(source, target), np.maximum(source, target))
    twice = pd.Series(low * len(nodes) + high).duplicated().to_numpy()
    _refuse(candidates, twice, "the pair occurs twice: keep one row a pair")
    _check_values(candidates)
    _check_order(candidates)
    return candidates, source, target


def _check_values(candidates: pd.DataFrame) -> None:
    column = {name: candidates[name].to_numpy() for name in candidates.columns}
    _refuse(candidates, ~(column["weight"] > 0), "weight is not above 0: leave such pairs out")
    _refuse(candidates, ~np.isin(column["sign"], (-1, 1)), "sign is neither 1 nor -1")
    for name in ("partial_r2", "selection_probability", "sign_stability"):
        _refuse(candidates, (column[name] < 0) | (column[name] > 1), f"{name} is outside 0 to 1")
    for name in ("expected_false_edges", "q_value"):
        _refuse(candidates, column[name] < 0, f"{name} is negative")
    _refuse(candidates, column["effect_low"] > column["effect_high"], "effect_low is above effect_high")
    if "gene_distance" in column:
        too_near = candidates["gene_distance"].lt(1).fillna(False).to_numpy(dtype=bool)
        _refuse(candidates, too_near, "gene_distance is below 1")
    _check_words(candidates["direction_basis"], tuple(DIRECTION_BASES), "candidates: direction_basis")


def _check_order(candidates: pd.DataFrame) -> None:
    rank, weight = candidates["rank"].to_numpy(), candidates["weight"].to_numpy()
    if len(rank) and rank[0] < 1:
        raise InputError("candidates: rank begins below 1: use netinfer.network.rank_candidates")
    fix = "the rows are not in rank order (falling weight, ties by source and target): use rank_candidates"
    after = np.zeros(len(rank), dtype=bool)
    after[1:] = (np.diff(rank) <= 0) | (np.diff(weight) > 0)
    _refuse(candidates, after, fix)
    ties = np.flatnonzero(np.diff(weight) == 0)
    if len(ties):
        names = list(zip(candidates["source"].to_numpy(), candidates["target"].to_numpy(), strict=True))
        after[1 + ties] = [names[row] > names[row + 1] for row in ties.tolist()]
        _refuse(candidates, after, fix)


def _refuse(candidates: pd.DataFrame, bad: np.ndarray, problem: str) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        pair = f"{candidates['source'].iloc[row]!r} -> {candidates['target'].iloc[row]!r}"
        raise InputError(f"candidates: row {row + 1}, {pair}: {problem} ({int(bad.sum())} such)")


def _check_words(values: pd.Series, words: tuple[str, ...], where: str) -> None:
    if unknown := sorted(set(values.unique()) - set(words)):
        raise InputError(f"{where}: unknown word {unknown[0]!r}: use {', '.join(words)}")


def _check_name(name: str, where: str) -> None:
    if not name:
        raise InputError(f"{where}: the name is empty: name every gene")
    if name[0] == " " or name[-1] == " ":
        raise InputError(f"{where}: {name!r} begins or ends with a blank: strip it")
    # Tabs and line ends are legal XML, but break tables and are folded by readers.
    if ILLEGAL_XML.search(name) or "\t" in name or "\n" in name or "\r" in name:
        raise InputError(f"{where}: {name!r} has a control character, which XML and tables cannot hold: rename it")


def _with_zeros(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Return the frame with the columns that the network computes itself set to 0."""
    if not isinstance(frame, pd.DataFrame):
        return frame  # conform refuses it
    return frame.assign(**dict.fromkeys(names, 0))


def check_provenance(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Copy provenance into JSON's own types, so that it comes back from a file as it went in.

    Raises
    ------
    InputError
        If a value is not JSON: an object, NaN or an infinity, a text with half a character.
    """
    fix = "give texts, finite numbers, booleans, None, lists and mappings"
    try:
        text = json.dumps(dict(provenance), allow_nan=False, ensure_ascii=False, default=_from_numpy)
        text.encode("utf-8")
    except (TypeError, ValueError) as error:
        raise InputError(f"provenance: cannot be written as JSON: {error}: {fix}") from error
    return json.loads(text)


def _from_numpy(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")
