"""What the report says of the undirected network."""

from __future__ import annotations

from typing import Any

from netinfer.network.consensus import consensus

CRITERIA = {
    "stars": "StARS: the densest graph that subsamples agree on",
    "ebic": "the extended BIC (gamma 0.5)",
    "cv": "the likelihood of held-out samples",
    "given": "the config",
    "error": "the wished error: pairs that half-samples tie so often that the bound allows them",
}
CORRELATIONS = {
    "pearson": "Pearson correlations",
    "spearman": "latent correlations from Spearman's",
    "kendall": "latent correlations from Kendall's",
    "normal_scores": "correlations of normal scores",
}
METHODS = {"graphical_lasso": "Graphical Lasso", "nodewise_lasso": "the Lasso of each gene on all the others"}
# A pair with two regressions.
COMBINATIONS = {"and": ", both have to select each other", "or": ", one has to select the other"}
# What the duality gap is one of.
GAPS = {
    "graphical_lasso": "the worst duality gap a gene",
    "nodewise_lasso": "the worst relative duality gap of a gene's Lasso",
}
LISTED, DRAWN = 15, 40


def precision_facts(net: Any, directed: Any) -> dict[str, Any] | None:
    """Return what the section on the undirected network shows; None without one.

    Parameters
    ----------
    net : Network, optional
        The undirected one.
    directed : Network
    """
    if net is None:
        return None
    record = net.provenance
    if record.get("skipped"):
        return {"skipped": str(record["skipped"])}
    by_error, fdr = None, 0.1
    if record.get("criterion") != "error":
        fdr = directed.cut["asked"].get("fdr", 0.1)
        by_error = net.threshold(fdr=fdr)
    model = str(record["model"])
    combine = "" if model == "graphical_lasso" else COMBINATIONS[record["settings"]["combine"] or "and"]
    table = consensus(directed, net)
    counts = table["evidence"].value_counts().to_dict()
    return {
        "skipped": "",
        "method": METHODS[model],
        "combine": combine,
        "gap_of": GAPS[model],
        "n_edges": len(net.edges),
        "n_genes": record["n_targets"],
        "genes": record["genes"],
        "penalty": record["penalty"],
        "criterion": CRITERIA.get(str(record["criterion"]), str(record["criterion"])),
        "is_graph": "penalty" in net.cut["asked"],
        "false_edges": net.cut["expected_false_edges"],
        "fdr": fdr,
        "n_pairs": record["n_pairs"],
        "n_drawn": DRAWN,
        "n_by_error": None if by_error is None else len(by_error.edges),
        "false_by_error": None if by_error is None else by_error.cut["expected_false_edges"],
        "n_components": record["n_components"],
        "largest_component": record["largest_component"],
        "gap": record["worst_duality_gap"],
        "n_fits": record["n_fits"],
        "correlation": CORRELATIONS.get(str(record["correlation"]), str(record["correlation"])),
        "is_projected": record["is_projected"],
        "met": net.cut["met"],
        "reason": net.cut["reason"],
        "edges": net.edges.head(LISTED).to_dict("records"),
        "n_both": counts.get("both", 0),
        "n_directed": counts.get("directed", 0),
        "n_undirected": counts.get("undirected", 0),
        "n_untested": int((~table["tested_by_both"].astype(bool)).sum()),
        "both": table[table["evidence"] == "both"].head(LISTED).to_dict("records"),
    }
