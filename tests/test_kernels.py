"""The compile cache may be missing, read-only or damaged: the numbers stay the same. Threads keep to their limit."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import numpy as np, netinfer as ni
path = ni.solvers.lasso_path(np.array([[1, 0.5], [0.5, 1]]), np.array([0.8, 0.1]), [0.3, 0.1])
print(path.coef.tolist())
"""


def run(cache: Path | str, **more: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "NETINFER_CACHE_DIR": str(cache), "PYTHONWARNINGS": "ignore", **more}
    return subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_a_damaged_cache_is_made_anew(tmp_path):
    first = run(tmp_path)
    files = [file for file in tmp_path.rglob("*") if file.suffix in (".nbi", ".nbc")]
    assert len(files) >= 4
    assert {file.stat().st_mode & 0o077 for file in tmp_path.glob("kernels-*")} == {0}
    for damage in (b"", b"garbage"):
        for file in files:
            file.write_bytes(damage)
        again = run(tmp_path)
        assert again.returncode == 0, again.stderr
        assert again.stdout == first.stdout
    assert first.returncode == 0
    assert any(file.stat().st_size > 100 for file in files)  # mended


@pytest.mark.slow
def test_without_a_place_for_the_cache_kernels_still_run(tmp_path):
    (tmp_path / "file").write_text("")
    blocked = run(tmp_path / "file")  # a file where the folder should be
    assert blocked.returncode == 0, blocked.stderr
    assert blocked.stdout == run(tmp_path / "good").stdout


@pytest.mark.slow
def test_a_cache_that_others_can_write_is_not_used(tmp_path):
    run(tmp_path)
    (folder,) = tmp_path.glob("kernels-*")
    for file in folder.rglob("*.nb?"):
        file.unlink()
    folder.chmod(0o777)
    assert run(tmp_path).returncode == 0
    assert not list(folder.rglob("*.nb?"))


def test_the_thread_limit_holds_blas_and_numba():
    import numba
    from threadpoolctl import threadpool_info

    from netinfer.kernels import thread_limit

    before = numba.get_num_threads()
    with thread_limit(1):
        assert numba.get_num_threads() == 1
        assert {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} <= {1}
    assert numba.get_num_threads() == before


def test_warm_up_leaves_nothing_to_compile():
    from netinfer.kernels import warm_up
    from netinfer.solvers.batch import count_selections

    warm_up()
    n_compiled = len(count_selections.signatures)
    assert n_compiled >= 1
    warm_up()
    assert len(count_selections.signatures) == n_compiled
