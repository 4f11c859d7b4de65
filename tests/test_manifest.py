from __future__ import annotations

import json
from pathlib import Path

import pytest

from netinfer.errors import RunError
from netinfer.manifest import hash_inputs, read_manifest, write_manifest

SETTINGS = {"seed": 0, "dataset": {"name": "a"}}


def manifest(folder: Path) -> bytes:
    write_manifest(
        folder / "manifest.json",
        inputs={"expression": folder / "x.tsv"},
        outputs=[folder / "edges.tsv"],
        preflight=folder / "preflight.json",
        settings=SETTINGS,
    )
    return (folder / "manifest.json").read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "x.tsv").write_text("a\tb\n")
    (tmp_path / "edges.tsv").write_text("source\n")
    seen = {"sha256": hash_inputs({"expression": tmp_path / "x.tsv"})}
    (tmp_path / "preflight.json").write_text(json.dumps(seen))
    return tmp_path


def test_the_same_run_writes_the_same_bytes(folder: Path) -> None:
    assert manifest(folder) == manifest(folder)


def test_outputs_are_named_from_the_manifest_s_folder(folder: Path) -> None:
    (folder / "phenotype").mkdir()
    (folder / "phenotype" / "genes.tsv").write_text("gene\n")
    write_manifest(
        folder / "manifest.json",
        inputs={},
        outputs=[folder / "edges.tsv", folder / "phenotype" / "genes.tsv"],
        preflight=folder / "preflight.json",
        settings=SETTINGS,
    )
    assert list(read_manifest(folder / "manifest.json")["outputs"]) == ["edges.tsv", "phenotype/genes.tsv"]


def test_an_input_that_changed_while_the_run_went_on_is_named(folder: Path) -> None:
    (folder / "x.tsv").write_text("a\tc\n")
    with pytest.raises(RunError, match=r"x\.tsv: changed while the run went on"):
        manifest(folder)
    assert not (folder / "manifest.json").exists()


def test_a_folder_is_hashed_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "matrix.mtx").write_text("1\n")
    (tmp_path / "genes.tsv").write_text("a\n")
    first = hash_inputs({"expression": tmp_path})
    (tmp_path / "genes.tsv").write_text("b\n")
    assert hash_inputs({"expression": tmp_path}) != first


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(RunError, match=r"manifest\.json: damaged"):
        read_manifest(tmp_path / "manifest.json")
