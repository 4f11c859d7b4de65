"""Files that are damaged or made to harm: each ends in one InputError that names the file, before any kernel runs."""

from __future__ import annotations

import pickle
import re

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from netinfer.errors import InputError
from netinfer.io import read_expression


@pytest.fixture
def path(tmp_path):
    values = sparse.random(40, 30, density=0.3, format="csr", random_state=0)
    obs = pd.DataFrame(index=[f"s{i}" for i in range(40)])
    var = pd.DataFrame(index=[f"g{i}" for i in range(30)])
    adata = ad.AnnData(values, obs=obs, var=var, layers={"dense": values.toarray()})
    adata.write_h5ad(tmp_path / "x.h5ad")
    return tmp_path / "x.h5ad"


def refused(path, message, **options):
    with pytest.raises(InputError, match=message) as caught:
        read_expression(path, **options)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert "\n" not in text


@pytest.mark.parametrize("keep", [4, 512, 0.5, -1])
def test_truncated_h5ad(path, keep):
    whole = path.read_bytes()
    size = int(len(whole) * keep) if isinstance(keep, float) else keep
    path.write_bytes(whole[:size])
    refused(path, "HDF5")
    if keep in (0.5, -1):
        refused(path, rf"incomplete HDF5 file: {len(whole[:size])} bytes found, {len(whole)} expected")


@pytest.mark.parametrize("place", ["superblock", "object header", "compressed chunk"])
def test_overwritten_block(path, place):
    # Places whose damage the HDF5 library itself notices; it is no checksum, and bytes of values pass unnoticed.
    ad.read_h5ad(path).write_h5ad(path, compression="gzip")
    with h5py.File(path) as handle:
        data = handle["layers/dense"]
        starts = {
            "superblock": 8,
            "object header": h5py.h5o.get_info(data.id).addr,
            "compressed chunk": data.id.get_chunk_info(0).byte_offset,
        }
    whole = bytearray(path.read_bytes())
    whole[starts[place] : starts[place] + 32] = b"\xa5" * 32
    path.write_bytes(bytes(whole))
    refused(path, "HDF5 file", layer="dense")


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("indices", lambda a: np.where(np.arange(a.size) == 5, 30, a), r"index 30 is outside 0\.\.29"),
        ("indices", lambda a: np.where(np.arange(a.size) == 5, -1, a), r"index -1 is outside"),
        ("indices", lambda a: a.astype(float), "not whole numbers"),
        ("indices", lambda a: a[:-1], "indices"),
        ("indptr", lambda a: a[::-1].copy(), "indptr does not rise"),
        ("indptr", lambda a: a + 1, "indptr does not rise"),
        ("indptr", lambda a: a[:-1], "indptr has"),
        ("data", lambda a: a[:-1], "values and"),
    ],
)
def test_sparse_matrix_with_wrong_arrays(path, part, change, message):
    with h5py.File(path, "r+") as handle:
        values = handle[f"X/{part}"][...]
        del handle[f"X/{part}"]
        handle[f"X/{part}"] = change(values)
    refused(path, message)


def test_external_storage(path, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"x" * 40 * 30 * 8)
    with h5py.File(path, "r+") as handle:
        del handle["X"]
        handle.create_dataset("X", (40, 30), dtype="f8", external=[(str(secret), 0, h5py.h5f.UNLIMITED)])
    refused(path, "external storage")


@pytest.mark.parametrize("place", ["X", "uns/other", "layers/dense"])
@pytest.mark.parametrize("kind", ["external", "soft"])
def test_links_are_not_followed(path, tmp_path, place, kind):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["X"] = np.ones((40, 30))
    with h5py.File(path, "r+") as handle:
        if place in handle:
            del handle[place]
        handle[place] = (
            h5py.ExternalLink(str(tmp_path / "other.h5"), "X") if kind == "external" else h5py.SoftLink("/obs")
        )
    refused(path, rf"{re.escape('/' + place)}: is a link")


def test_virtual_dataset(path, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["X"] = np.ones((40, 30))
    layout = h5py.VirtualLayout((40, 30), dtype="f8")
    layout[...] = h5py.VirtualSource(str(tmp_path / "other.h5"), "X", (40, 30))
    with h5py.File(path, "r+") as handle:
        del handle["X"]
        handle.create_virtual_dataset("X", layout)
    refused(path, "virtual data set")


def test_shape_bomb(path):
    with h5py.File(path, "r+") as handle:
        del handle["X"]
        handle.create_dataset("X", (1 << 20, 1 << 20), dtype="f8", chunks=(1024, 1024))
    refused(path, "declares .* stores 0 bytes")


def test_declared_sparse_shape_is_checked_against_indptr(path):
    with h5py.File(path, "r+") as handle:
        handle["X"].attrs["shape"] = [1 << 40, 30]
    refused(path, "indptr has")


@pytest.mark.parametrize("store", ["bytes", "opaque", "scalar"])
def test_pickled_objects(path, store):
    content = pickle.dumps({"a": print})
    with h5py.File(path, "r+") as handle:
        if store == "bytes":
            handle["uns/object"] = np.frombuffer(content, dtype=np.uint8)
        elif store == "opaque":
            handle["uns/object"] = np.void(content)
        else:
            handle["uns/object"] = np.bytes_(content)
    refused(path, "pickled Python objects")


def test_a_loop_of_hard_links_ends(path):
    with h5py.File(path, "r+") as handle:
        handle["uns/loop"] = handle["uns"]
    assert read_expression(path).shape == (40, 30)


@pytest.mark.parametrize("part", ["obs", "var"])
def test_sizes_that_disagree(path, part):
    with h5py.File(path, "r+") as handle:
        names = handle[f"{part}/_index"][...][:-1]
        attributes = dict(handle[f"{part}/_index"].attrs)
        del handle[f"{part}/_index"]
        handle[f"{part}/_index"] = names
        handle[f"{part}/_index"].attrs.update(attributes)
    refused(path, "write the file again")


def test_missing_parts(path):
    with h5py.File(path, "r+") as handle:
        del handle["var"]
    refused(path, "no var")


def test_unknown_encoding(path):
    with h5py.File(path, "r+") as handle:
        handle["obs"].attrs["encoding-type"] = "from-the-future"
    refused(path, "not readable")


def test_no_reader_allows_pickles():
    import netinfer.io

    folder = __import__("pathlib").Path(netinfer.io.__file__).parent
    for source in folder.glob("*.py"):
        text = source.read_text()
        assert "allow_pickle=True" not in text
        assert not re.search(r"^\s*(import|from) (pickle|joblib|dill)", text, re.M)
