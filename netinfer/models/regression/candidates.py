"""Which genes of a data set are the regulators."""

from __future__ import annotations

import difflib
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from netinfer.errors import InputError
from netinfer.io.matching import match, names_of
from netinfer.preprocess.identifiers import listed_regulators

if TYPE_CHECKING:
    from anndata import AnnData


def chosen_regulators(adata: AnnData, names: list[str], regulators: Any) -> np.ndarray:
    """Return the places of the regulators among the genes, rising; see `netinfer.models.regression.prepare`."""
    if regulators is None:
        if "is_regulator" not in adata.var:
            raise InputError(
                "regulators: none given and var['is_regulator'] is missing: pass regulators=[...], a path, the name of "
                "a shipped list, or 'all'"
            )
        chosen = np.flatnonzero(adata.var["is_regulator"].to_numpy(dtype=bool))
    else:
        chosen = _matched(adata, names, regulators)
    if chosen.size == 0:
        raise InputError("regulators: none of them is left in the data: see the list of dropped genes")
    return chosen


def _matched(adata: AnnData, names: list[str], regulators: Any) -> np.ndarray:
    """Places of the listed regulators among the genes; those that are no gene are warned of, never silent."""
    table, shipped = listed_regulators(regulators, adata.var, "regulators")
    if table is None:  # "all"
        return np.arange(len(names))
    pairs = match(table, names_of(adata.var))
    listed = list(table[pairs.list_column])
    missing = [name for name, places in zip(listed, pairs.places, strict=True) if name and not places]
    if missing and not (shipped and pairs.n_found):
        lower = {name.lower(): name for name in names}
        near = [
            lower.get(name.lower()) or next(iter(difflib.get_close_matches(name, names, 1)), "nothing like it")
            for name in missing[:5]
        ]
        shown = ", ".join(f"{name!r} (nearest: {other})" for name, other in zip(missing, near, strict=False))
        text = f"regulators: {len(missing)} of {len(listed)} are no gene of the data: {shown}"
        if not pairs.n_found:
            raise InputError(f"{text}: are the genes the columns (samples x genes), under the same names?")
        warnings.warn(text, UserWarning, stacklevel=5)
    if pairs.is_case_ignored:
        warnings.warn(
            f"regulators: {pairs.n_found} of {len(listed)} were found by ignoring upper and lower case: is the list of "
            "this organism?",
            UserWarning,
            stacklevel=5,
        )
    return np.array(sorted({place for places in pairs.places for place in places}), dtype=np.int64)
