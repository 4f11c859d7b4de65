"""What the report says: plain facts gathered from the network, the expression and the scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from netinfer.io.direction import DIRECTION_BASES, interactions
from netinfer.report.kinds import in_words
from netinfer.report.labels import symbols_of
from netinfer.scoring import leaves_operons_out

NOT_COUNTED = (
    "It counts edges chosen by sampling chance, given independent units; "
    "it does not count edges that are confounded, indirect or reversed."
)
BOUND_ASSUMES = (
    "The number is a published bound that assumes that a regulator without effect is not selected more often than the "
    "average one; where regulators are strongly correlated, stand-ins of a true regulator exceeded it up to about "
    "threefold in simulation (docs/benchmarks.md)."
)
LISTED = 25  # rows of the long tables; the files beside the report have all
FITTED = ("ok", "not_converged")
_STATUS_IN_WORDS = {
    "ok": "fitted",
    "constant": "left out: no variation",
    "filtered": "left out by a filter",
    "too_few_samples": "left out: too few samples",
    "not_converged": "the fit did not reach its tolerance",
}
_HELDOUT_IN_WORDS = {
    "r2_heldout": "held-out R² (fitted on one half of the units, scored on the other)",
    "auc_heldout": "held-out area under the ROC curve (0.5 is chance)",
    "auc_covariates": "that of the covariates alone",
}
_METRIC_IN_WORDS = {
    "aupr": "area under the precision-recall curve (AUPR)",
    "average_precision": "average precision",
    "auroc": "area under the ROC curve (AUROC)",
    "early_precision": "early precision (as many pairs as there are known edges)",
    "early_precision_ratio": "early precision as a multiple of the base rate",
    "mcc": "Matthews correlation of the network at its cut",
    "signed_accuracy": "right sign, among known edges found",
    "precision_at_cut": "precision of the network at its cut",
    "recall_at_cut": "recall of the network at its cut",
    "base_rate": "base rate: precision of a random order",
    "n_pairs": "pairs scored",
    "n_positives": "known edges among them",
    "n_positives_outside_data": "known edges left out: a gene of theirs is not in the data, or no regulator there",
    "n_edges_scored": "edges of the network among them",
    "n_candidates_scored": "ranked pairs of the network among them",
}


def overview(net: Any) -> dict[str, Any]:
    """Return the network's key numbers."""
    edges, provenance = net.edges, net.provenance
    words = interactions(
        edges["sign"].tolist(), edges["direction_basis"].tolist(), directed=bool(provenance.get("directed", True))
    )
    return {
        "n_edges": len(edges),
        "n_candidates": len(net.candidates),
        "n_sources": int(edges["source"].nunique()),
        "n_edge_targets": int(edges["target"].nunique()),
        "n_regulators": int(net.nodes["is_regulator"].sum()),
        "n_targets": int(_is_fitted(net.targets).sum()),
        "n_activating": words.count("activates"),
        "n_repressing": words.count("represses"),
        "n_associated": words.count("associates"),
        "false_edges": net.cut["expected_false_edges"],
        "asked": _asked(net.cut["asked"]),
        "met": bool(net.cut["met"]),
        "reason": str(net.cut["reason"]),
        "n_samples": provenance.get("n_samples"),
        "n_units": provenance.get("n_units"),
        "model": str(provenance.get("model", "")).replace("_", " "),
        "directed": bool(provenance.get("directed", True)),
        "without_operons": leaves_operons_out(net),
        "undetermined": int((edges["direction_basis"] == "undetermined").sum()),
    }


def _asked(asked: Any) -> str:
    words = {
        "fdr": "an expected share of false edges of at most",
        "expected_false_edges": "expected false edges of at most",
        "expected_false_genes": "expected false genes of at most",
        "selection_probability": "a selection probability of at least",
    }
    if not isinstance(asked, Mapping):
        return str(asked)
    return ", ".join(f"{words.get(str(name), str(name))} {value:g}" for name, value in asked.items())


def data_facts(adata: Any) -> dict[str, Any]:
    """Return what came in, what was dropped and how the values were normalized, as far as it was recorded."""
    notes: Mapping[str, Any] = {}
    if adata is not None:
        notes = adata.uns.get("netinfer", {})
    genes = _frame(notes.get("dropped_genes"), ["gene", "is_regulator", "status", "reason"])
    samples = _frame(notes.get("dropped_samples"), ["sample", "reason"])
    return {
        "known": adata is not None,
        "source": str(notes.get("source", "")).replace("\\", "/").rsplit("/", 1)[-1],
        "log": [str(line) for line in notes.get("log", [])],
        "normalization": str(notes.get("normalization", "")),
        "input_kind": str(notes.get("input_kind", "")),
        "n_samples": adata.n_obs if adata is not None else None,
        "n_genes": adata.n_vars if adata is not None else None,
        "n_dropped_genes": len(genes),
        "n_dropped_samples": len(samples),
        "dropped": _by_reason(genes, samples),
    }


def _is_fitted(targets: pd.DataFrame) -> pd.Series:
    return targets["status"].astype(str).isin(FITTED)


def _by_reason(genes: pd.DataFrame, samples: pd.DataFrame) -> list[dict[str, Any]]:
    """Join what was dropped for the same reason: samples, regulators, other genes, with the first names of each."""
    is_regulator = genes["is_regulator"].fillna(False).astype(bool)
    parts = [
        ("sample", samples["sample"], samples["reason"]),
        ("regulator", genes.loc[is_regulator, "gene"], genes.loc[is_regulator, "reason"]),
        ("gene", genes.loc[~is_regulator, "gene"], genes.loc[~is_regulator, "reason"]),
    ]
    rows = []
    for what, names, reasons in parts:
        for reason, group in names.groupby(reasons, sort=True):
            distinct = list(dict.fromkeys(map(str, group)))
            rows.append(
                {
                    "what": what,
                    "reason": str(reason),
                    "n": len(group),
                    "names": distinct[:LISTED],
                    "n_names": len(distinct),
                }
            )
    return rows


def _frame(table: Any, columns: list[str]) -> pd.DataFrame:
    if not isinstance(table, pd.DataFrame) or not len(table):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    return table.reindex(columns=columns).astype({"reason": str})


def edge_rows(net: Any) -> tuple[list[dict[str, Any]], int, int]:
    """Return the strongest edges of the network, or of the exploratory one where the cut is not met.

    They are in rank order, by weight; beside them the number of all its edges and of their regulators.
    """
    table = net.edges if net.cut["met"] else net.exploratory()
    symbols = symbols_of(net.nodes)
    rows = table.head(LISTED).to_dict("records")
    directed = bool(net.provenance.get("directed", True))
    for row in rows:
        (word,) = interactions([row["sign"]], [row["direction_basis"]], directed=directed)
        row["word"] = word if word != "associates" else "goes with" if row["sign"] > 0 else "goes against"
        row["source_symbol"], row["target_symbol"] = symbols.get(row["source"], ""), symbols.get(row["target"], "")
    return rows, len(table), int(table["source"].nunique())


def direction_rows(net: Any) -> list[dict[str, Any]]:
    """Say in words why the listed edges point the way they do: each basis that occurs, with its number of edges."""
    table = net.edges if net.cut["met"] else net.exploratory()
    counts = table["direction_basis"].value_counts()
    return [
        {"basis": basis, "words": words, "n": int(counts[basis])}
        for basis, words in DIRECTION_BASES.items()
        if basis in counts
    ]


def target_facts(net: Any) -> dict[str, Any]:
    """Return how the targets fared: statuses, certificate, prediction."""
    targets = net.targets
    status = targets["status"].astype(str)
    r2 = targets["r2_heldout"].to_numpy(dtype=float)
    gap = targets["duality_gap"].to_numpy(dtype=float)
    with_regulator = set(net.edges["target"])
    return {
        "statuses": [
            {"status": name, "words": _STATUS_IN_WORDS.get(name, ""), "n": int(n)}
            for name, n in status.value_counts().items()
        ],
        "others": targets[status != "ok"].head(LISTED)[["target", "status", "reason"]].to_dict("records"),
        "n_others": int((status != "ok").sum()),
        "worst_gap": float(np.nanmax(gap)) if np.isfinite(gap).any() else None,
        "r2_median": float(np.nanmedian(r2)) if np.isfinite(r2).any() else None,
        "n_unregulated": int((_is_fitted(targets) & ~targets["target"].isin(with_regulator)).sum()),
    }


def score_rows(evaluation: pd.DataFrame | None) -> list[dict[Any, Any]]:
    """Return the scores with their names in words."""
    if evaluation is None:
        return []
    rows = evaluation.to_dict("records")
    for row in rows:
        metric, is_second, _ = str(row["metric"]).partition("_without_operon")
        row["words"] = _METRIC_IN_WORDS.get(metric, metric)
        if is_second:
            row["words"] += ", without the pairs of one operon"
        row["is_count"] = str(row["metric"]).startswith("n_")
    return rows


def phenotype_facts(phenotype: Any, nodes: pd.DataFrame) -> dict[str, Any] | None:
    """Return what a trait's model says, from a `PhenotypeModel` or from its table of genes alone.

    Where no gene passes the cut, the rows are the first of all ranked genes.
    """
    if phenotype is None:
        return None
    genes = phenotype if isinstance(phenotype, pd.DataFrame) else phenotype.genes
    record: Mapping[str, Any] = getattr(phenotype, "record", {})
    cut: Mapping[str, Any] = getattr(phenotype, "cut", {})
    is_met = bool(cut.get("met", len(genes) > 0))
    ranked = getattr(phenotype, "ranked", genes)
    symbols = symbols_of(nodes)
    rows = (genes if is_met else ranked).head(LISTED).to_dict("records")
    for row in rows:
        row["gene"] = str(row["gene"])
        given = row.get("symbol")
        row["symbol"] = symbols.get(row["gene"], "") if given is None or pd.isna(given) else str(given)
        if row["symbol"] == row["gene"]:
            row["symbol"] = ""
    return {
        "column": str(record.get("column", "")),
        "n_samples": record.get("n_samples"),
        "n_units": record.get("n_units"),
        "n_genes": record.get("n_genes"),
        "covariates": [str(name) for name in record.get("covariates") or ()],
        "classes": [(str(name), int(n)) for name, n in (record.get("classes") or {}).items()],
        "heldout": [
            (words, float(record[key])) for key, words in _HELDOUT_IN_WORDS.items() if record.get(key) is not None
        ],
        "not_counted": str(record.get("not_counted", "")),
        "effect": str(record.get("effect", "")).removeprefix("effect: "),
        "is_met": is_met,
        "reason": str(cut.get("reason", "")),
        "asked": _asked(cut.get("asked", {})).replace("false edges", "false genes"),
        "false_genes": cut.get("expected_false_genes"),
        "n_selected": len(genes),
        "rows": rows,
        "has_odds": bool(rows) and "odds_ratio" in rows[0],
    }


def sensitivity_facts(card: Any) -> dict[str, Any] | None:
    """Return what a sensitivity card says."""
    if card is None:
        return None
    tested, survives = card.edges["n_tested"], card.edges["n_survives"]
    return {
        "n_edges": len(card.edges),
        "n_everywhere": int(((tested > 0) & (survives == tested)).sum()),
        "n_nowhere": int(((tested > 0) & (survives == 0)).sum()),
        "n_untested": int((tested == 0).sum()),
        "rows": card.variants.to_dict("records"),
    }


def settings_rows(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Flatten the provenance into names and values for a table."""
    rows: list[tuple[str, str]] = []

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for name, inner in value.items():
                walk(f"{prefix}.{name}" if prefix else str(name), inner)
        elif isinstance(value, list | tuple):
            rows.append((prefix, "; ".join(in_words([str(item) for item in value]))))
        else:
            rows.append((prefix, "" if value is None else str(value)))

    # The long lists are for the file.
    walk("", {name: value for name, value in provenance.items() if name not in ("path", "path_ends", "decoys")})
    return [(name, value) for name, value in rows if name not in ("not_counted", "effect", "log")]
