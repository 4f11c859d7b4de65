"""Motif x position models: which factors' motifs matter for a response, and at which distance from the start."""

from netinfer.models.motif_sites.model import MotifSiteModel, fit_motif_sites
from netinfer.models.motif_sites.scores import SiteScores, place_sites, scan_motifs

__all__ = ["MotifSiteModel", "SiteScores", "fit_motif_sites", "place_sites", "scan_motifs"]
