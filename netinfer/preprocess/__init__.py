"""Counts or intensities to analysis-ready expression: cleaning ids, checking, joining, dropping, normalizing."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_LAZY = {
    "ingest": "netinfer.preprocess.ingestion",
    "check_orientation": "netinfer.preprocess.overlap",
    "normalize": "netinfer.preprocess.normalization",
    "prepare_samples": "netinfer.preprocess.preparation",
    "better_layer": "netinfer.preprocess.assay",
    "hidden_factors": "netinfer.preprocess.factors",
    "covariate_matrix": "netinfer.preprocess.design",
    "with_design": "netinfer.preprocess.design",
}

if TYPE_CHECKING:
    from netinfer.preprocess.assay import better_layer
    from netinfer.preprocess.design import covariate_matrix, with_design
    from netinfer.preprocess.factors import hidden_factors
    from netinfer.preprocess.ingestion import ingest
    from netinfer.preprocess.normalization import normalize
    from netinfer.preprocess.overlap import check_orientation
    from netinfer.preprocess.preparation import prepare_samples

__all__ = [
    "better_layer",
    "check_orientation",
    "covariate_matrix",
    "hidden_factors",
    "ingest",
    "normalize",
    "prepare_samples",
    "with_design",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'netinfer.preprocess' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
