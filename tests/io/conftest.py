from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def matrices() -> ModuleType:
    """The helper module beside this file, which importmode=importlib keeps off the path."""
    spec = importlib.util.spec_from_file_location("netinfer_test_matrices", Path(__file__).with_name("matrices.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
