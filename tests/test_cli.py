from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

import netinfer
from netinfer.errors import ConfigError, RunError
from netinfer.lock import RunLock
from netinfer.project import init_project
from netinfer.run import RunRequest, run_project

ROOT = Path(__file__).parents[1]


def cli(*options: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "netinfer.cli", *options],
        cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return init_project(tmp_path / "p")


def loaded_by(statement: str) -> set[str]:
    code = f"import sys\ntry:\n    {statement}\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stderr.split())


HEAVY = {"snakemake", "matplotlib", "sklearn", "pandas", "numba", "anndata", "scipy"}


def test_help_loads_nothing_heavy() -> None:
    # What makes `--help` slow is what it imports; seconds are not tested.
    statement = "import sys; sys.argv = ['netinfer', '--help']; from netinfer.cli import main; main()"
    assert not HEAVY & loaded_by(statement)


@pytest.mark.parametrize("module", ["netinfer", "netinfer.config", "netinfer.jobs"])
def test_imports_are_light(module: str) -> None:
    assert not HEAVY & loaded_by(f"import {module}")


def test_version() -> None:
    assert cli("--version").stdout == f"netinfer {netinfer.__version__}\n"


def test_init_makes_a_project_that_plans(project: Path) -> None:
    assert {p.name for p in project.iterdir()} >= {"Snakefile", "workflow", "profiles", "config", "resources"}
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run"],
        cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_init_takes_an_empty_folder_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    init_project(tmp_path / "empty")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("kept")
    done = cli("init", str(tmp_path / "full"))
    assert done.returncode == ConfigError.exit_code
    assert "is not an empty folder" in done.stderr
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_no_page_of_a_new_project_links_to_what_is_not_there(project: Path) -> None:
    pages = list(project.rglob("*.md"))
    for page in pages:
        for target in re.findall(r"\]\(([^()\s]+)\)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target.partition("#")[0]).exists(), (page, target)
    readme = (project / "config" / "README.md").read_text(encoding="utf-8")
    assert "See `docs/howto_phenotype.md` of netinfer's documentation." in readme
    assert "[why]" not in readme
    assert "why: `docs/decisions/005-few-metacells.md` of netinfer's documentation" in readme


def test_check_says_what_is_in_the_demo(project: Path) -> None:
    done = cli("check", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "ecoli_demo: 278 samples x 450 genes, 60 regulators" in done.stdout
    assert "independent units: 163 (by replicate_group)" in done.stdout


def test_check_lists_the_problems_of_every_data_set(project: Path) -> None:
    (project / "none.txt").write_text("nobody\n")
    (project / "config" / "config.yaml").write_text(
        """
datasets:
  - {name: lost, expression: lost.tsv, regulators: resources/demo/regulators.txt}
  - {name: good, expression: resources/demo/expression.tsv.gz, regulators: resources/demo/regulators.txt}
  - {name: alien, expression: resources/demo/expression.tsv.gz, regulators: none.txt}
"""
    )
    done = cli("check", cwd=project)
    assert done.returncode == 3
    assert f"lost: lost.tsv: no such file (relative to {project})" in done.stderr
    assert "alien: " in done.stderr
    assert "good: 278 samples" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_wrong_config_ends_with_2_and_one_line(project: Path, command: str) -> None:
    path = project / "config" / "config.yaml"
    path.write_text(path.read_text().replace("n_subsamples", "n_subsample"))
    done = cli(command, cwd=project)
    assert done.returncode == ConfigError.exit_code
    assert "regression.n_subsample: unknown key: did you mean `n_subsamples`?" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (project / "results").exists()


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    assert "Traceback" not in cli("check", "lost.yaml", cwd=tmp_path).stderr
    assert "Traceback" in cli("--debug", "check", "lost.yaml", cwd=tmp_path).stderr


def test_run_ends_with_3_for_data_that_cannot_be_used(project: Path) -> None:
    (project / "resources" / "demo" / "expression.tsv.gz").write_bytes(b"\x1f\x8b garbage")
    done = cli("run", "--cores", "1", cwd=project)
    assert done.returncode == 3
    assert done.stderr.startswith("netinfer: ecoli_demo: resources/demo/expression.tsv.gz: ")
    assert not (project / "results").exists()


@pytest.mark.parametrize("kind", ["sparse_linear", "counts"])
def test_a_simulation_passes_the_check_and_is_scored(tmp_path: Path, kind: str) -> None:
    sizes = ["--samples", "30", "--regulators", "4", "--targets", "10"]
    done = cli("simulate", "sim", "--kind", kind, *sizes, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = cli("check", "--directory", "sim", "config.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{kind}: 30 samples x 14 genes, 4 regulators" in done.stdout
    assert cli("simulate", "sim", cwd=tmp_path).returncode == ConfigError.exit_code

    (tmp_path / "edges.tsv").write_text("source\ttarget\tweight\nreg1\tgene1\t1.0\n")
    done = cli("evaluate", "edges.tsv", "sim/gold.tsv", "--expression", "sim/expression.tsv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("metric\tvalue\tbaseline")


def test_evaluate_takes_the_folder_of_a_network(tmp_path: Path) -> None:
    pairs = [("r0", "g0", 0.9), ("r0", "g1", 0.5), ("r1", "g0", 0.4), ("r1", "g1", 0.2)]
    candidates = pd.DataFrame(pairs, columns=["source", "target", "weight"]).assign(
        sign=1, effect=0.5, effect_low=0.4, effect_high=0.6, partial_r2=0.3, selection_probability=0.9,
        sign_stability=1.0, expected_false_edges=0.1, q_value=0.1, rank=[1, 2, 3, 4], model="lasso",
        direction_basis="regulator_list",
    )  # fmt: skip
    nodes = pd.DataFrame({"name": ["r0", "r1", "g0", "g1"], "is_regulator": [True, True, False, False]})
    nodes = nodes.assign(gene_id=nodes["name"], expression_mean=1.0)
    targets = pd.DataFrame({"target": ["g0", "g1"], "status": "ok", "reason": "", "n_units": 9, "n_candidates": 2})
    targets = targets.assign(penalty_max=0.9, duality_gap=0.0, r2_heldout=0.1)
    netinfer.Network(candidates, nodes, targets, {}, {"expected_false_edges": 1.0}).write(tmp_path / "net")
    (tmp_path / "gold.tsv").write_text("r0\tg0\t1\nr0\tg1\t0\nr1\tg0\t0\nr1\tg1\t0\nr1\telsewhere\t1\n")
    done = cli("evaluate", "net", "gold.tsv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    got = dict(line.split("\t")[:2] for line in done.stdout.splitlines())
    assert (got["aupr"], got["n_candidates_scored"], got["n_positives_outside_data"]) == ("1.0", "4.0", "1.0")
    assert "results folder" in " ".join(cli("evaluate", "--help").stdout.split())

    (tmp_path / "foreign.tsv").write_text("b0\tx\t1\n")
    done = cli("evaluate", "net", "foreign.tsv", cwd=tmp_path)
    assert done.returncode == 3
    assert "none of its 1 edges joins a regulator and a gene of the data" in done.stderr


@pytest.mark.parametrize("name", ["fifo", "folder", "link"])
def test_what_is_no_file_is_not_opened(project: Path, name: str) -> None:
    path = project / "resources" / "demo" / "regulators.txt"
    path.unlink()
    if name == "fifo":
        os.mkfifo(path)
    elif name == "folder":
        path.mkdir()
    else:
        path.symlink_to(path)
    done = cli("check", cwd=project)
    assert done.returncode == 3
    assert "resources/demo/regulators.txt: " in done.stderr


def test_run_without_a_project(tmp_path: Path) -> None:
    done = cli("run", cwd=tmp_path)
    assert done.returncode == ConfigError.exit_code
    assert "netinfer init" in done.stderr
    assert cli("run", "nowhere", cwd=tmp_path).returncode == ConfigError.exit_code


def test_run_does_not_write_over_what_is_not_its_own(project: Path) -> None:
    folder = project / "results" / "ecoli_demo"
    folder.mkdir(parents=True)
    (folder / "edges.tsv").write_text("mine")
    done = cli("run", "--cores", "1", cwd=project)
    assert done.returncode == ConfigError.exit_code
    assert "holds files that netinfer did not make" in done.stderr
    assert (folder / "edges.tsv").read_text() == "mine"


def test_run_takes_a_config_of_another_place(project: Path, tmp_path: Path) -> None:
    (project / "config" / "config.yaml").rename(tmp_path / "mine.yaml")
    done = cli("run", "p", "--configfile", "mine.yaml", "--cores", "1", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("cores", ["two", "0", "-1", "1.5"])
def test_cores_are_a_number(project: Path, cores: str) -> None:
    done = cli("run", "--cores", cores, cwd=project)
    assert done.returncode == ConfigError.exit_code
    assert done.stderr.startswith(f"netinfer: --cores {cores}: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_slurm_plugin_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"pip install 'netinfer\[slurm\]'"):
        run_project(RunRequest(project, profile="slurm"))


def test_run_takes_another_cut_than_the_demo(project: Path) -> None:
    path = project / "config" / "config.yaml"
    mine = path.read_text()
    assert "fdr: 0.1" in mine
    (project / "mine.yaml").write_text(mine.replace("fdr: 0.1", "expected_false_edges: 5"))
    (project / ".netinfer").mkdir()
    old = project / ".netinfer" / "failures-0.jsonl"
    old.write_text("")
    done = cli("run", "--configfile", "mine.yaml", "--cores", "1", "--dry-run", cwd=project)
    assert done.returncode == 0, done.stderr
    assert not old.exists()


def test_a_killed_job_ends_with_a_line(project: Path) -> None:
    script = project / "workflow" / "scripts" / "preflight.py"
    script.write_text("import os, signal, subprocess\nsubprocess.Popen(['sleep', '600'])\nos.kill(os.getpid(), 9)\n")
    done = cli("run", "--cores", "1", cwd=project)
    assert done.returncode == RunError.exit_code
    last = done.stderr.splitlines()[-1]
    assert last.startswith("netinfer: a job ended without a message (killed, or out of memory: ")
    assert "--set-resources preflight:mem_mb=" in last
    assert not [p for p in psutil.process_iter() if _works_in(p, project)]


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.cmdline()[:1] == ["sleep"] and Path(process.cwd()) == folder
    except psutil.Error:
        return False


def test_check_warns_once_with_the_name_of_the_data_set(project: Path) -> None:
    path = project / "resources" / "demo" / "regulators.txt"
    path.write_text(path.read_text() + "nobody\n")
    config = project / "config" / "config.yaml"
    config.write_text(re.sub(r"(?m)^ +(samples|block|center_by):.*\n", "", config.read_text()))
    done = cli("check", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "independent units: 278 (by sample): if some samples are replicates" in done.stdout
    assert done.stderr
    for line in done.stderr.splitlines():
        assert line.startswith("netinfer: warning: ecoli_demo: ")
    assert len(set(done.stderr.splitlines())) == len(done.stderr.splitlines())


def test_run_hands_further_options_to_snakemake(project: Path) -> None:
    done = cli("run", str(project), "--cores", "1", "--dry-run", "--set-scatter", "targets=5")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^regression +5$", done.stdout + done.stderr, flags=re.MULTILINE)


def test_a_living_run_keeps_others_out(project: Path) -> None:
    with RunLock(project) as lock:
        done = cli("run", "--cores", "1", cwd=project)
        assert done.returncode == RunError.exit_code
        assert f"locked by pid {os.getpid()} on {lock.record.host}" in done.stderr
    assert json.loads((project / ".netinfer" / "run.json").read_text())["has_ended"]


def test_a_living_snakemake_keeps_others_out(project: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--snakefile", "slow.smk"]
    (project / "slow.smk").write_text('rule a:\n    output: "a.txt"\n    shell: "sleep 60; touch {output}"\n')
    with subprocess.Popen(command, cwd=project, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
        locks = project / ".snakemake" / "locks"
        while not (locks.is_dir() and any(locks.iterdir())):
            assert running.poll() is None
            time.sleep(0.1)
        done = cli("run", "--cores", "1", cwd=project)
        running.send_signal(signal.SIGINT)
        for child in _children(running.pid):
            os.kill(child, signal.SIGTERM)
    assert done.returncode == RunError.exit_code
    assert f"locked by pid {running.pid} on {socket.gethostname()}" in done.stderr


def _children(pid: int) -> list[int]:
    import psutil

    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def test_a_killed_holder_leaves_its_record_and_no_lock(project: Path) -> None:
    code = "from pathlib import Path; from netinfer.lock import RunLock; import os, signal\n"
    code += "RunLock(Path('.')).__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", code], cwd=project, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    with RunLock(project) as lock:
        assert lock.previous is not None
        assert lock.previous.token != lock.record.token
    with RunLock(project) as lock:
        assert lock.previous is None


def test_a_run_of_another_host_is_not_taken_for_dead(project: Path) -> None:
    record = {"pid": 1, "host": "elsewhere", "started": 0.0, "token": "a", "has_ended": False}
    (project / ".netinfer").mkdir()
    (project / ".netinfer" / "run.json").write_text(json.dumps(record))
    with pytest.raises(RunError, match=r"pid 1 on elsewhere since .*--assume-dead"), RunLock(project):
        pass
    with RunLock(project, assume_dead=True) as lock:
        assert lock.previous is not None


def test_a_damaged_record_does_not_stop_a_run(project: Path) -> None:
    (project / ".netinfer").mkdir()
    (project / ".netinfer" / "run.json").write_text('{"pid": ')
    with RunLock(project) as lock:
        assert lock.previous is None


def test_the_lock_is_the_kernels(project: Path) -> None:
    with RunLock(project), (project / ".netinfer" / "lock").open("r+") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_and_leaves_no_lock(project: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "netinfer.cli", "run", "--cores", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        while not (project / "results" / "ecoli_demo" / "work" / "ingested.h5ad").exists():
            assert running.poll() is None
            time.sleep(0.1)
        children = _children(running.pid)
        running.send_signal(number)
        said = running.communicate(timeout=90)[1]
    assert running.returncode == 128 + number
    assert said.splitlines()[-1] == "netinfer: stopped; run again to go on"
    assert "Traceback" not in said
    assert not list((project / ".snakemake" / "locks").glob("*"))
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
