"""The workflow as text: what linter, formatter and a dry run say of it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))


# Only where they are asked for: test_phenotype.py, test_sensitivity.py, test_precision.py, test_comparison.py,
# test_motif.py.
ASKED_FOR = {
    "phenotype", "variants", "sensitivity", "precision_penalty", "precision_halves", "precision", "consensus",
    "comparison_plan", "comparison_halves", "comparison", "comparison_report", "motif_library", "motif_library_report",
    "motif_library_manifest", "promoter_motifs", "motif_links", "motif", "motif_responses",
}  # fmt: skip


def snakemake(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *options], cwd=folder, capture_output=True, text=True, check=False
    )


def rules() -> dict[str, str]:
    found = {}
    for path in RULES:
        for block in re.split(r"^(?=rule )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            found[block.split(":")[0].removeprefix("rule ")] = block
    return found


def test_snakefmt_changes_nothing() -> None:
    pytest.importorskip("snakefmt")
    done = subprocess.run(
        [sys.executable, "-m", "snakefmt.snakefmt", "--check", "Snakefile", "workflow"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_lint_is_clean() -> None:
    done = snakemake(ROOT, "--lint")
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize("options", [[], ["--snakefile", "workflow/Snakefile"], ["--set-scatter", "targets=7"]])
def test_dry_run_plans_every_rule(tmp_path: Path, options: list[str]) -> None:
    for part in ("Snakefile", "workflow", "profiles", "config", "resources"):
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, tmp_path / part)
    done = snakemake(tmp_path, "--dry-run", *options)
    assert done.returncode == 0, done.stderr
    text = done.stdout + done.stderr
    planned = {name for name in rules() if re.search(rf"^{name} +\d+$", text, flags=re.MULTILINE)}
    assert planned == set(rules()) - ASKED_FOR
    n_chunks = 7 if "--set-scatter" in options else 4
    assert re.search(rf"^regression +{n_chunks}$", text, flags=re.MULTILINE)
    assert not (tmp_path / "results").exists()
    assert not (tmp_path / ".netinfer").exists()


@pytest.mark.parametrize("name", sorted(rules()))
def test_a_rule_says_what_it_needs(name: str) -> None:
    text = rules()[name]
    for directive in ('"""', "log:", "conda:", "threads:", "mem_mb=", "runtime=", "version=VERSION", "script:"):
        assert directive in text, directive
    for engine in ("executor", "slurm", "partition", "shell:", "run:"):
        assert engine not in text, engine


def test_files_keep_to_their_size() -> None:
    for path in SCRIPTS:
        assert len(path.read_text().splitlines()) <= 30, path.name
    for path in RULES:
        assert len(path.read_text().splitlines()) <= 150, path.name


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_a_script_takes_its_settings_from_params(path: Path) -> None:
    # A value read from snakemake.config is not seen to change: the old result would pass for the new one.
    text = path.read_text(encoding="utf-8")
    assert "snakemake.config" not in text
    assert "with job(snakemake):" in text


def test_profiles_are_read_by_both_eras_of_snakemake() -> None:
    # Before 9.19 only `config.yaml` is looked for.
    default = yaml.safe_load((ROOT / "profiles" / "default" / "config.yaml").read_text())
    slurm = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
    assert not {"executor", "default-resources", "jobs", "cores"} & set(default)
    assert slurm["executor"] == "slurm"
    # By sacct a cancelled job is waited for for ever (reported as "CANCELLED by UID").
    assert slurm["slurm-status-command"] == "squeue"


def test_slurm_profile_is_accepted() -> None:
    pytest.importorskip("snakemake_executor_plugin_slurm")
    done = snakemake(ROOT, "--profile", "profiles/slurm", "--dry-run")
    assert done.returncode == 0, done.stderr


def test_conda_environment_names_this_version() -> None:
    import netinfer

    packages = yaml.safe_load((ROOT / "workflow" / "envs" / "netinfer.yaml").read_text())["dependencies"]
    assert {"pip": [f"netinfer =={netinfer.__version__}"]} in packages
