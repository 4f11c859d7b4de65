"""Look through an HDF5 file before anything is read from it.

HDF5 can point into other files (external storage, external and soft links, virtual data sets), can declare terabytes in
a few kilobytes, and its sparse matrices are index arrays that scipy trusts. A file is therefore walked without
following a link; what points outside, declares far more than it stores or holds pickles is refused, and indices are
checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy import sparse

from netinfer.errors import InputError
from netinfer.io.build import canonical_csr, to_float64
from netinfer.io.source import memory_bytes, require_memory

# zlib cannot compress by more than 1032; what declares more holds values that were never written.
_MAX_EXPANSION = 1100
_SMALL = 1 << 26
_CHUNK = 1 << 22


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file read-only after walking it; damage becomes an InputError."""
    try:
        handle = h5py.File(path, "r")
    except OSError as error:
        raise InputError(_damage(path, str(error))) from None
    with handle:
        try:
            _walk(handle, path)
            yield handle
        except (OSError, RuntimeError, LookupError, ValueError, TypeError, OverflowError) as error:
            # What h5py raises on flipped bytes, from names that are no UTF-8 to types that do not exist.
            raise InputError(_damage(path, str(error))) from error


def is_loom(path: Path) -> bool:
    """Tell a loom file from an h5ad by the groups at its top."""
    with open_hdf5(path) as handle:
        return "matrix" in handle and "row_attrs" in handle


def is_tenx(path: Path) -> bool:
    """Tell 10x Genomics' HDF5 file by its one group, ``matrix``, with barcodes in it."""
    with open_hdf5(path) as handle:
        return isinstance(handle.get("matrix"), h5py.Group) and "barcodes" in handle["matrix"]


def _damage(path: Path, message: str) -> str:
    if "truncated" in message:
        found = path.stat().st_size
        expected = message.partition("stored_eof = ")[2].split(",")[0].rstrip(") ")
        return (
            f"{path}: incomplete HDF5 file: {found} bytes found, {expected or 'more'} expected: fetch or write it again"
        )
    return f"{path}: damaged HDF5 file ({' '.join(message.split())[:160]}): fetch or write it again"


def _walk(group: h5py.Group, path: Path) -> None:
    seen: set[int] = set()
    stack = [group]
    while stack:
        parent = stack.pop()
        _check_attributes(parent, path)
        for name in parent:
            place = f"{path}: {parent.name.rstrip('/')}/{name}"
            link = parent.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise InputError(
                    f"{place}: is a link ({_target(link)}), and links are not followed: store the data itself"
                )
            item = parent[name]
            if isinstance(item, h5py.Group):
                address = h5py.h5o.get_info(item.id).addr
                if address not in seen:
                    seen.add(address)
                    stack.append(item)
            elif isinstance(item, h5py.Dataset):
                _check_dataset(item, place)
                _check_attributes(item, path)


def _target(link: Any) -> str:
    filename = getattr(link, "filename", None)
    return f"to {link.path!r} in file {filename!r}" if filename else f"to {getattr(link, 'path', 'elsewhere')!r}"


def _check_dataset(data: h5py.Dataset, place: str) -> None:
    if data.id.get_create_plist().get_external_count():
        raise InputError(f"{place}: its values are stored in another file (external storage): store the data itself")
    if data.is_virtual:
        raise InputError(f"{place}: is a virtual data set, which reads other files: store the data itself")
    if data.shape is None:
        return
    declared = int(np.prod([int(size) for size in data.shape], dtype=object)) * data.dtype.itemsize
    stored = int(data.id.get_storage_size())
    if declared > _SMALL and declared > _MAX_EXPANSION * max(stored, 1):
        raise InputError(
            f"{place}: declares {data.shape} = {declared / 2**20:.0f} MiB and stores {stored} bytes: "
            "damaged or made to harm"
        )
    if declared > memory_bytes():
        raise InputError(f"{place}: {data.shape} = {declared / 2**30:.1f} GiB does not fit into memory")
    if _is_pickle(data):
        raise InputError(
            f"{place}: holds pickled Python objects, which can run code and are never read: store plain arrays"
        )


def _is_pickle(data: h5py.Dataset) -> bool:
    """Tell a pickle by its frame: opaque or byte data that begin with the PROTO opcode and end with STOP."""
    if data.attrs.get("PSEUDOATOM") in (b"object", "object", np.bytes_(b"object")):  # PyTables' object arrays
        return True
    if data.dtype.kind not in "VSu" or data.dtype.names or data.dtype.itemsize < 1 or data.ndim > 1 or data.size == 0:
        return False
    if data.dtype.kind == "u" and (data.dtype.itemsize > 1 or data.ndim == 0 or data.size < 3):
        return False
    if data.dtype.kind in "VS":
        first = data[()] if data.ndim == 0 else data[0]
        content = bytes(first)
        return len(content) > 2 and content[:1] == b"\x80" and content[1] <= 5 and content.rstrip(b"\0").endswith(b".")
    return int(data[0]) == 0x80 and 2 <= int(data[1]) <= 5 and int(data[-1]) == ord(".")


def _check_attributes(item: Any, path: Path) -> None:
    for name in ("encoding-type", "h5sparse_format"):
        value = item.attrs.get(name)
        kind = value.decode() if isinstance(value, bytes) else value
        if kind in ("csr_matrix", "csc_matrix", "csr", "csc"):
            check_sparse(item, f"{path}: {item.name}")
            return


def check_sparse(group: h5py.Group, place: str) -> tuple[str, tuple[int, int]]:
    """Check the structure of a stored CSR or CSC matrix without building it.

    Returns
    -------
    format : {"csr", "csc"}
    shape : (int, int)

    Raises
    ------
    InputError
        Parts missing, `indptr` not rising from 0 to the number of entries, or indices outside the shape.
    """
    kind = group.attrs.get("encoding-type", group.attrs.get("h5sparse_format", ""))
    kind = (kind.decode() if isinstance(kind, bytes) else str(kind))[:3]
    shape = tuple(int(size) for size in group.attrs.get("shape", group.attrs.get("h5sparse_shape", ())))
    if (
        not isinstance(group, h5py.Group)
        or len(shape) != 2
        or any(part not in group for part in ("data", "indices", "indptr"))
    ):
        raise InputError(f"{place}: a sparse matrix without shape, data, indices or indptr: write the file again")
    check_index_arrays(
        group["data"], group["indices"], group["indptr"], *(shape if kind == "csr" else shape[::-1]), place
    )
    return kind, (shape[0], shape[1])


def check_index_arrays(data: Any, indices: Any, indptr: Any, n_major: int, n_minor: int, place: str) -> None:
    """Check the three arrays of a compressed matrix with `n_major` rows (CSR) of `n_minor` entries at most."""
    if indices.dtype.kind not in "iu" or indptr.dtype.kind not in "iu":
        raise InputError(f"{place}: indices that are not whole numbers: write the file again")
    if indptr.shape != (n_major + 1,):
        raise InputError(
            f"{place}: indptr has {indptr.shape} entries where the shape asks for {n_major + 1}: write the file again"
        )
    if data.ndim != 1 or data.shape != indices.shape:
        raise InputError(f"{place}: {data.shape} values and {indices.shape} indices: write the file again")
    starts = indptr[...].astype(np.int64)
    if starts[0] != 0 or starts[-1] != data.shape[0] or (np.diff(starts) < 0).any():
        raise InputError(
            f"{place}: indptr does not rise from 0 to {data.shape[0]}: the matrix is damaged: write the file again"
        )
    for start in range(0, indices.shape[0], _CHUNK):
        part = indices[start : start + _CHUNK]
        low, high = int(part.min()), int(part.max())
        if low < 0 or high >= n_minor:
            bad = low if low < 0 else high
            raise InputError(
                f"{place}: index {bad} is outside 0..{n_minor - 1}: the matrix is damaged: write the file again"
            )


def read_matrix(item: Any, place: str) -> np.ndarray | sparse.csr_matrix:
    """Read a stored dense or sparse matrix as float64 (C order) or canonical CSR."""
    if isinstance(item, h5py.Dataset):
        if item.ndim != 2:
            raise InputError(f"{place}: {item.ndim} dimensions: a matrix of samples x genes is needed")
        require_memory(item.shape[0], item.shape[1], place)
        return to_float64(item[...], place)
    kind, shape = check_sparse(item, place)
    arrays = tuple(
        to_float64(item[part][...], place) if part == "data" else item[part][...]
        for part in ("data", "indices", "indptr")
    )
    make = sparse.csr_matrix if kind == "csr" else sparse.csc_matrix
    return canonical_csr(make(arrays, shape=shape), place)
