"""Who may import whom (DESIGN: kernels <- library <- edges), read from the sources."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "netinfer"
EDGES = {"cli", "run", "jobs", "lock", "processes", "stages", "preflight", "project", "manifest", "splits"}
BASE = {"errors", "config", "mistakes", "yamlfile", "kernels"}
# What a part may import of netinfer, beside itself and `__version__`.
ALLOWED = {
    "errors": set(),
    "yamlfile": {"errors"},
    "mistakes": {"errors", "yamlfile"},
    "sections": set(),
    "motif_config": {"sections"},
    "network_config": {"sections"},
    "datasets": {"motif_config", "sections"},
    "comparisons": {"sections"},
    "config": {
        "comparisons",
        "datasets",
        "errors",
        "mistakes",
        "motif_config",
        "network_config",
        "sections",
        "yamlfile",
    },
    "kernels": {"config", "errors", "models"},  # models: the warm-up, when called
    "solvers": {"errors", "kernels", "plot"},  # plot: a path draws itself, when called
    "moments": {"errors", "kernels", "solvers"},
    "stability": {"errors", "kernels", "moments", "solvers"},
    "io": {"errors", "config"},
    "preprocess": {"errors", "config", "io"},
    "simulate": {"errors"},
    "network": {"errors", "config", "io"},
    "scoring": {"errors", "io", "network"},
    "evaluate": {"errors", "scoring"},
    # plot: results draw themselves, when called
    "models": BASE | {"io", "moments", "network", "plot", "preprocess", "solvers", "stability"},
    "estimators": {"errors", "solvers"},
    "plot": {"errors", "scoring", "network", "io"},
    "report": {"errors", "config", "plot", "scoring", "network", "io", "evaluate"},
}


def parts() -> set[str]:
    return {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()} - {"__init__"}


def imported(part: str) -> dict[str, set[str]]:
    """Parts of netinfer that each module of a part imports, anywhere in its text."""
    folder = PACKAGE / part
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{part}.py"]
    found = {}
    for file in files:
        names = set()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules = [node.module] if node.module != "netinfer" else [f"netinfer.{a.name}" for a in node.names]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                continue
            names |= {m.split(".")[1] for m in modules if m.startswith("netinfer.")}
        found[str(file.relative_to(PACKAGE))] = names & parts()
    return found


@pytest.mark.parametrize("part", sorted(parts()))
def test_imports_go_one_way(part):
    allowed = ALLOWED.get(part)
    for file, names in imported(part).items():
        if allowed is None:
            assert part in EDGES, f"{part} is new: say in this test what it may import"
        else:
            assert names <= allowed | {part}, f"netinfer/{file} imports {sorted(names - allowed - {part})}"
            assert not names & EDGES


def test_no_pickle_is_read_and_nothing_is_printed():
    for file in PACKAGE.rglob("*.py"):
        if "project" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant), file
                assert node.value.value is False, file
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                assert file.stem in EDGES | {"__main__", "config"}, f"{file} prints"
