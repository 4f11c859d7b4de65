"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def netinfer_data() -> Path:
    """The folder with the public data sets: NETINFER_DATA, by default shared/data beside the checkout."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("NETINFER_DATA", default))
    if not folder.is_dir():
        if "NETINFER_DATA" in os.environ:
            pytest.fail(f"NETINFER_DATA={folder} is not a readable folder")
        pytest.skip(f"real data sets are not there: set NETINFER_DATA (looked in {folder})")
    return folder
