"""The reports of a data set and of a comparison: one self-contained page each."""

from netinfer.report.page import write_comparison_report, write_report

__all__ = ["write_comparison_report", "write_report"]
