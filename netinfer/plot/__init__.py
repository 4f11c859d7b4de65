"""Figures of a network: each function draws on an Axes, given or new, and returns it.

matplotlib is imported when they are called, and its settings stay as they are. A new figure is pyplot's, so that a
notebook shows it, and a script with ``pyplot.show()``; close it with ``pyplot.close(returned.figure)`` where many are
drawn, or give ``ax=`` of your own figure.
"""

from netinfer.plot.evaluation import precision_recall
from netinfer.plot.graph import network_graph
from netinfer.plot.motif import footprint_logo, promoter_effects
from netinfer.plot.motif_sites import motif_links, site_effects
from netinfer.plot.path import coefficient_path
from netinfer.plot.penalty import criterion_path
from netinfer.plot.precision import penalty_choice
from netinfer.plot.sensitivity import sensitivity_card
from netinfer.plot.stability import calibration_curve, instability_path, stability_paths
from netinfer.plot.summary import false_edges, heldout_r2, regulators_per_target, top_regulators
from netinfer.plot.trust import component_map, filter_cut

__all__ = [
    "calibration_curve",
    "coefficient_path",
    "component_map",
    "criterion_path",
    "false_edges",
    "filter_cut",
    "footprint_logo",
    "heldout_r2",
    "instability_path",
    "motif_links",
    "network_graph",
    "penalty_choice",
    "precision_recall",
    "promoter_effects",
    "regulators_per_target",
    "sensitivity_card",
    "site_effects",
    "stability_paths",
    "top_regulators",
]
