"""Motif x position models: which factors' motifs matter for a response, and at which distance from the start."""

from netinfer.models.motif_sites.links import MotifLinks, fit_links
from netinfer.models.motif_sites.model import MotifSiteModel, fit_motif_site_responses, fit_motif_sites
from netinfer.models.motif_sites.scores import SiteScores, place_sites, scan_motifs

__all__ = [
    "MotifLinks",
    "MotifSiteModel",
    "SiteScores",
    "fit_links",
    "fit_motif_site_responses",
    "fit_motif_sites",
    "place_sites",
    "scan_motifs",
]
