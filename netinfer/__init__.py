"""Sparse regulatory networks from expression data that say how sure they are."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Imported at once, and cheaply: its module has the same name, and would take the function's place when it is loaded.
from netinfer.evaluate import evaluate

__version__ = "0.1.0"

# Public names live where they are made and are imported on first use, so that
# `import netinfer` and `netinfer --help` answer at once.
_LAZY = {
    "read_expression": "netinfer.io",
    "normalize": "netinfer.preprocess",
    "prepare_samples": "netinfer.preprocess",
    "hidden_factors": "netinfer.preprocess",
    "infer_regression": "netinfer.models.regression",
    "select_genes": "netinfer.models.phenotype",
    "choose_penalty": "netinfer.models.penalty",
    "choose_network_penalty": "netinfer.models.regression",
    "infer_diffusion": "netinfer.models.diffusion",
    "infer_precision": "netinfer.models.precision",
    "infer_joint_precision": "netinfer.models.comparison",
    "read_library": "netinfer.io",
    "cut_promoters": "netinfer.io",
    "read_motifs": "netinfer.io",
    "fit_motif_positions": "netinfer.models.motif",
    "fit_motif_responses": "netinfer.models.motif",
    "scan_motifs": "netinfer.models.motif_sites",
    "place_sites": "netinfer.models.motif_sites",
    "fit_motif_sites": "netinfer.models.motif_sites",
    "sensitivity": "netinfer.models.sensitivity",
    "Network": "netinfer.network",
    "JointNetworks": "netinfer.network",
}
_MODULES = (
    "io",
    "preprocess",
    "moments",
    "solvers",
    "stability",
    "models",
    "network",
    "simulate",
    "config",
    "errors",
    "estimators",
    "plot",
    "report",
)

if TYPE_CHECKING:
    from netinfer.io import cut_promoters, read_expression, read_library, read_motifs
    from netinfer.models.comparison import infer_joint_precision
    from netinfer.models.diffusion import infer_diffusion
    from netinfer.models.motif import fit_motif_positions, fit_motif_responses
    from netinfer.models.motif_sites import fit_motif_sites, place_sites, scan_motifs
    from netinfer.models.penalty import choose_penalty
    from netinfer.models.phenotype import select_genes
    from netinfer.models.precision import infer_precision
    from netinfer.models.regression import choose_network_penalty, infer_regression
    from netinfer.models.sensitivity import sensitivity
    from netinfer.network import JointNetworks, Network
    from netinfer.preprocess import hidden_factors, normalize, prepare_samples

__all__ = [
    "JointNetworks",
    "Network",
    "choose_network_penalty",
    "choose_penalty",
    "cut_promoters",
    "evaluate",
    "fit_motif_positions",
    "fit_motif_responses",
    "fit_motif_sites",
    "hidden_factors",
    "infer_diffusion",
    "infer_joint_precision",
    "infer_precision",
    "infer_regression",
    "normalize",
    "place_sites",
    "prepare_samples",
    "read_expression",
    "read_library",
    "read_motifs",
    "scan_motifs",
    "select_genes",
    "sensitivity",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"netinfer.{name}")
    raise AttributeError(f"module 'netinfer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_MODULES})
