"""The report of a data set: one self-contained page."""

from netinfer.report.page import write_report

__all__ = ["write_report"]
