"""The reports of a data set, of a comparison, of a motif model and of a library: one self-contained page each."""

from netinfer.report.page import write_comparison_report, write_library_report, write_motif_report, write_report

__all__ = ["write_comparison_report", "write_library_report", "write_motif_report", "write_report"]
