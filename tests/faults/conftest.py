"""The projects of tests/workflow, for the faults that are done to a run of the workflow."""

import importlib.util
import sys
from pathlib import Path

_PATH = Path(__file__).parents[1] / "workflow" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("netinfer_workflow_projects", _PATH)
_PROJECTS = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = _PROJECTS
_SPEC.loader.exec_module(_PROJECTS)

new_project, finished = _PROJECTS.new_project, _PROJECTS.finished
