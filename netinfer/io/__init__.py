"""Files in and out: expression matrices, regulator lists, gold standards, sample sheets, annotations, sequences.

Names are imported on first use: reading a list of regulators loads neither anndata nor h5py.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_LAZY = {
    "read_expression": "netinfer.io.expression",
    "as_expression": "netinfer.io.memory",
    "read_annotation": "netinfer.io.annotation",
    "read_regulators": "netinfer.io.regulators",
    "regulator_table": "netinfer.io.regulators",
    "shipped_lists": "netinfer.io.regulators",
    "read_gold": "netinfer.io.lists",
    "read_sample_sheet": "netinfer.io.lists",
    "read_library": "netinfer.io.libraries",
    "cut_promoters": "netinfer.io.promoters",
    "read_motifs": "netinfer.io.motifs",
}

if TYPE_CHECKING:
    from netinfer.io.annotation import read_annotation
    from netinfer.io.expression import read_expression
    from netinfer.io.libraries import read_library
    from netinfer.io.lists import read_gold, read_sample_sheet
    from netinfer.io.memory import as_expression
    from netinfer.io.motifs import read_motifs
    from netinfer.io.promoters import cut_promoters
    from netinfer.io.regulators import read_regulators, regulator_table, shipped_lists

__all__ = [
    "as_expression",
    "cut_promoters",
    "read_annotation",
    "read_expression",
    "read_gold",
    "read_library",
    "read_motifs",
    "read_regulators",
    "read_sample_sheet",
    "regulator_table",
    "shipped_lists",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'netinfer.io' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
