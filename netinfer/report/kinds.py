"""What a column of the samples stands for, told by its name alone."""

from __future__ import annotations

import re

_FACTOR = re.compile(r"hidden_factor_\d+")
_WORDS = {
    "depth": {"depth", "counts", "umis", "umi", "size", "coverage", "reads"},
    "batch": {
        "batch", "plate", "run", "lane", "center", "centre", "site", "study", "project", "platform", "date",
        "chip", "library", "array", "lab", "laboratory", "sequencer", "flowcell", "machine", "cohort", "dataset",
        "protocol", "kit", "technology",
    },
    "type": {"celltype", "cluster", "leiden", "louvain", "tissue"},
    "block": {
        "replicate", "replicates", "rep", "donor", "patient", "subject", "individual", "participant", "person",
        "culture", "clone", "animal", "mouse", "litter", "family", "biorep",
    },
}  # fmt: skip


def kind_of(column: str) -> str:
    """Tell by its name what a column of the samples stands for: depth, batch, type, block or nothing known."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column)
    words = {re.sub(r"\d+$", "", word) for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word}
    if {"cell", "type"} <= words:
        return "type"
    if {"n", "count"} <= words:  # Seurat's nCount_RNA
        return "depth"
    return next((kind for kind, known in _WORDS.items() if words & known), "")


def is_factor(name: str) -> bool:
    """Tell the name under which a hidden factor stands among the covariates."""
    return _FACTOR.fullmatch(name) is not None


def in_words(names: list[str]) -> list[str]:
    """Return names of covariates with the hidden factors among them as one number."""
    n_factors = sum(map(is_factor, names))
    counted = [f"{n_factors} hidden factor{'s' if n_factors > 1 else ''}"] if n_factors else []
    return [name for name in names if not is_factor(name)] + counted
