"""What the report of a comparison says."""

from __future__ import annotations

from typing import Any

import pandas as pd

from netinfer.report.content import NOT_COUNTED, settings_rows
from netinfer.report.graph import CORRELATIONS

CRITERIA = {
    "stars": "StARS: the densest separate graphs that subsamples agree on, mean over the conditions",
    "ebic": "the extended BIC (gamma 0.5) of the separate graphs, summed over the conditions",
    "given": "the config",
}
KINDS = {
    "group": "an edge tends to be in all conditions or in none, each with its own value",
    "fused": "an edge tends to have one value in all conditions",
}
# Rows of a list of changes, and of the criterion's table around the choice.
LISTED, NEAR = 15, 6
SHOWN = ("gained", "lost", "flipped")


def comparison_facts(found: Any) -> dict[str, Any]:
    """Return what the page on a `JointNetworks` shows."""
    record = found.provenance
    facts: dict[str, Any] = {
        "skipped": str(record.get("skipped", "")),
        "reference": found.reference,
        "conditions": [{"name": name, **record["conditions"][name]} for name in found.names],
        "settings": settings_rows({key: record[key] for key in ("netinfer", "seed", "settings") if key in record}),
        "version": str(record.get("netinfer", "")),
        "not_counted": NOT_COUNTED,
    }
    if facts["skipped"]:
        return facts
    counts = found.counts()
    sizes = [of["n_units"] for of in facts["conditions"]]
    components = [size for size in record["component_sizes"] if size > 1]
    return {
        **facts,
        "counts": [
            {"name": str(name), **row} for name, row in zip(counts.index, counts.to_dict("records"), strict=True)
        ],
        "kinds": [str(kind) for kind in counts.columns],
        "lists": _lists(found.changes),
        "genes": record["genes"],
        "n_genes": record["n_genes"],
        "left_out": found.genes[found.genes["status"] != "ok"].head(LISTED).to_dict("records"),
        "n_left_out": int((found.genes["status"] != "ok").sum()),
        "kind": record["kind"],
        "kind_in_words": KINDS[record["kind"]],
        "penalty": record["penalty"],
        "similarity": record["similarity"],
        "standard_error": record["similarities"].get("standard_error"),
        "is_similarity_given": not record["similarities"],
        "lam": record["lambda"],
        "mu": record["mu"],
        "criterion": CRITERIA[record["criterion"]],
        "path": _around(record["path"], record["penalty"]),
        "similarities": _rows(record["similarities"], "similarity", record["similarity"]),
        "correlation": CORRELATIONS[record["settings"]["correlation"]],
        "n_subsamples": record["n_subsamples"],
        "n_fits": record["n_fits"],
        "gap": record["worst_duality_gap"],
        "tolerance": record["tolerance"],
        "n_components": len(components),
        "components": ", ".join(f"{size:,}" for size in components[:8]) + (", …" if len(components) > 8 else ""),
        "n_alone": len(record["component_sizes"]) - len(components),
        "is_unequal": max(sizes) > 1.2 * min(sizes),
        "smallest": min(facts["conditions"], key=lambda of: of["n_units"])["name"],
    }


def _lists(changes: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the surest pairs of each change and condition."""
    out = []
    for condition, table in changes.groupby("condition", sort=False):
        for kind in SHOWN:
            rows = table[table["change"] == kind]
            if len(rows):
                shown = rows.head(LISTED).to_dict("records")
                out.append({"condition": str(condition), "kind": kind, "n": len(rows), "rows": shown})
    return out


def _rows(table: dict[str, Any], key: str, chosen: float) -> list[dict[str, Any]]:
    """Return a criterion's table row by row."""
    return [
        {
            "at": value,
            "criterion": table["criterion"][place],
            "n_edges": [own[place] for own in table["n_edges"]],
            "is_chosen": value == chosen,
        }
        for place, value in enumerate(table.get(key, []))
    ]


def _around(path: dict[str, Any], chosen: float) -> list[dict[str, Any]]:
    """Return the rows next to the choice."""
    rows = _rows(path, "penalty", chosen)
    at = next((place for place, row in enumerate(rows) if row["is_chosen"]), 0)
    return rows[max(at - NEAR, 0) : at + NEAR + 1]
