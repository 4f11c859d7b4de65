"""The reports of a data set, of a comparison and of a motif model: one self-contained page each."""

from netinfer.report.page import write_comparison_report, write_motif_report, write_report

__all__ = ["write_comparison_report", "write_motif_report", "write_report"]
