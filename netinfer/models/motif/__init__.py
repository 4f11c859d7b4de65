"""Motif-position models: which bases of a promoter matter for its activity, with stability selection."""

from netinfer.models.motif.fit import fit_motif_positions, fit_motif_responses
from netinfer.models.motif.footprints import find_footprints
from netinfer.models.motif.matches import match_footprints
from netinfer.models.motif.model import MotifModel

__all__ = ["MotifModel", "find_footprints", "fit_motif_positions", "fit_motif_responses", "match_footprints"]
