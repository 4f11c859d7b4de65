"""What the report says of the motifs in the promoters of the regulators' targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

LISTED, DRAWN = 25, 20
_SKIPPED_IN_WORDS = {
    "too_few_targets": "too few promoters among their targets",
    "too_few_others": "too few promoters that are of no target",
}


def motif_facts(links: Any, names: Mapping[str, str], responses: pd.DataFrame | None = None) -> dict[str, Any] | None:
    """Return what the section on motifs shows; None without links.

    Parameters
    ----------
    links : MotifLinks, optional
    names : mapping of str to str
        What genes are called.
    responses : DataFrame, optional
        One row a response of the genes: its motifs and, where they were sought, its positions.
    """
    if links is None:
        return None
    record, settings = links.record, links.record["of"]["settings"]
    table = links.regulators[links.regulators["n_motifs"] > 0]
    table = table.sort_values("n_edges_with_site", ascending=False, kind="stable")
    status = links.regulators["status"].value_counts()
    missed = links.regulators[
        (links.regulators["status"] == "ok") & (links.regulators["own_motif"] != "") & ~links.regulators["own_selected"]
    ]
    edges = links.edges.sort_values("background_share", kind="stable").head(LISTED)
    return {
        **record,
        "min_targets": settings["min_targets"],
        "asked": settings["expected_false_motifs"],
        "background_share": settings["background_share"],
        "n_given_motifs": record["of"]["n_given_motifs"],
        "n_measured": record["of"]["n_measured"],
        "is_given": record["of"]["score"] == "number of sites",
        "window": (record["of"]["edges_of_bins"][0], record["of"]["edges_of_bins"][-1]),
        "left_out": [
            {"words": words, "n": int(status[name])} for name, words in _SKIPPED_IN_WORDS.items() if name in status
        ],
        "missed": [names.get(source, source) for source in missed["source"].head(LISTED)],
        "n_missed": len(missed),
        "notes": record["of"]["notes"],
        "rows": [_row(row, names) for row in table.head(LISTED).to_dict("records")],
        "edges": [_row(row, names) for row in edges.to_dict("records")],
        "n_drawn": DRAWN,
        "responses": [] if responses is None else [_row(row, {}) for row in responses.to_dict("records")],
        "has_positions": responses is not None and "footprints" in responses,
    }


def _row(row: dict[Any, Any], names: Mapping[str, str]) -> dict[Any, Any]:
    shown: dict[Any, Any] = {
        key: None if not isinstance(value, str) and pd.isna(value) else value for key, value in row.items()
    }
    for end in ("source", "target", "promoter"):
        if end in shown:
            shown[end] = names.get(shown[end], shown[end])
    return shown
