"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def netinfer_data() -> Path:
    """The folder with the public data sets: NETINFER_DATA, by default shared/data beside the checkout."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("NETINFER_DATA") or default)
    if not folder.is_dir():
        if os.environ.get("NETINFER_DATA"):
            pytest.fail(f"NETINFER_DATA={folder} is not a readable folder")
        pytest.skip(f"real data sets are not there: set NETINFER_DATA (looked in {folder})")
    return folder


@pytest.fixture(autouse=True)
def _figures_are_closed() -> Iterator[None]:
    """Close the figures that a test drew through pyplot: matplotlib warns at 20."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what reads real data, so that its skips can be counted."""
    for item in items:
        if "netinfer_data" in getattr(item, "fixturenames", ()):
            item.add_marker("realdata")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests on real data, through SLURM and against R's packages ran and how many were skipped."""
    for marker, name, lacking in (
        ("realdata", "tests on real data", "NETINFER_DATA"),
        ("slurm", "tests through a real SLURM", "SLURM cannot start"),
        ("glmnet", "tests against R's glmnet", "R with glmnet is not here"),
        ("glasso", "tests against R's glasso", "R with glasso is not here"),
    ):
        ran = [r for status in ("passed", "failed", "error") for r in terminalreporter.getreports(status)]
        n_run = sum(marker in getattr(report, "keywords", ()) for report in ran)
        skipped = terminalreporter.getreports("skipped")
        n_skipped = sum(
            marker in getattr(report, "keywords", ()) or lacking in str(report.longrepr) for report in skipped
        )
        terminalreporter.write_line(f"{name}: {n_run} ran, {n_skipped} skipped")
