"""The one numba decorator of the project, its compile cache, and the one way to limit threads.

The cache folder is keyed by netinfer's and numba's versions and a hash of every module that holds kernels, since
numba alone does not notice an edited helper in another module and would go on running stale machine code. A cache
that cannot be written or is damaged is left aside: the kernels are compiled anew and the numbers stay the same.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import pickle
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import numba
from numba.core.caching import FunctionCache
from threadpoolctl import threadpool_limits

from netinfer import __version__

logger = logging.getLogger(__name__)

_KERNEL_FOLDERS = ("moments", "solvers", "stability")
# What a truncated, garbled or unreadable cache file was seen to raise.
_CACHE_FAULTS = (
    OSError,
    EOFError,
    pickle.PickleError,
    AttributeError,
    ImportError,
    IndexError,
    KeyError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)


class _GuardedCache(FunctionCache):
    """numba's cache, except that a damaged or unwritable cache never ends the program."""

    def load_overload(self, sig, target_context):
        try:
            return super().load_overload(sig, target_context)
        except _CACHE_FAULTS as fault:
            self._give_up("read", fault)
            return None

    def save_overload(self, sig, data):
        try:
            super().save_overload(sig, data)
        except _CACHE_FAULTS as fault:
            self._give_up("write", fault)

    def _give_up(self, verb: str, fault: BaseException) -> None:
        logger.warning("cannot %s the kernel cache in %s (%r): compiling anew", verb, self.cache_path, fault)
        if verb == "read":
            try:
                self.flush()  # an empty index, so that the next save mends the cache
                return
            except _CACHE_FAULTS:
                pass
        self.disable()


@functools.cache
def cache_folder() -> Path | None:
    """Return the folder of compiled kernels, made where possible; None where there is no safe place.

    ``NETINFER_CACHE_DIR`` or numba's own ``NUMBA_CACHE_DIR`` set it, else ``XDG_CACHE_HOME`` or ``~/.cache``.
    A compiled kernel is code, so a folder of another owner, or one that others may write to, is refused.
    """
    root = os.environ.get("NETINFER_CACHE_DIR") or os.environ.get("NUMBA_CACHE_DIR")
    if not root:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - never raises
        root = os.path.join(base, "netinfer")  # noqa: PTH118
    folder = Path(root) / f"kernels-{__version__}-numba-{numba.__version__}-{_source_hash()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = folder.stat()
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as fault:
        logger.warning("no kernel cache in %s (%s): kernels are compiled in every process", folder, fault)
        return None
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        logger.warning("kernel cache %s can be written by others: not used", folder)
        return None
    return folder


def _source_hash() -> str:
    digest = hashlib.sha256()
    here = Path(__file__).parent
    sources = [Path(__file__)]
    for name in _KERNEL_FOLDERS:
        sources += sorted((here / name).glob("*.py"))
    for source in sources:
        digest.update(source.name.encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def njit(function: Callable) -> Callable:
    """Compile a kernel: no Python objects, no GIL, no fastmath, cached between processes where possible."""
    kernel = numba.njit(nogil=True, error_model="numpy")(function)
    folder = cache_folder()
    if folder is not None:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(folder)
        try:
            kernel._cache = _GuardedCache(function)
        except _CACHE_FAULTS as fault:
            logger.warning("no kernel cache for %s (%s)", function.__name__, fault)
        finally:
            numba.config.CACHE_DIR = before
    return kernel


@contextlib.contextmanager
def thread_limit(threads: int) -> Iterator[None]:
    """Hold BLAS and numba together to a number of threads.

    Parameters
    ----------
    threads : int, >= 1
        The most threads that either may use inside the block.
    """
    allowed = max(1, min(int(threads), numba.config.NUMBA_NUM_THREADS))
    before = numba.get_num_threads()
    numba.set_num_threads(allowed)
    try:
        with threadpool_limits(limits=int(threads)):
            yield
    finally:
        numba.set_num_threads(before)


def warm_up() -> None:
    """Compile every kernel of the regression into the cache, so that the jobs that follow only load them."""
    import numpy as np

    from netinfer.config import RegressionConfig
    from netinfer.models.regression import fit_chunk, problem_from_arrays
    from netinfer.models.regression.wide import fit_wide

    rng = np.random.Generator(np.random.Philox(0))
    samples = rng.standard_normal((24, 6))
    settings = {"n_subsamples": 4, "n_penalties": 3, "ranking_penalty": 0.1}
    problem = problem_from_arrays(samples[:, :3], samples)
    for model in ("elastic_net", "lasso"):
        fit_chunk(problem, settings=RegressionConfig(model=model, **settings), seed=0)
    fit_wide(problem, slice(0, 6), RegressionConfig(**settings), 0, 1, (1, 1), "")
