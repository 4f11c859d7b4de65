"""What every job of the workflow is wrapped in: thread limits, its log, and errors as one line instead of a traceback.

`netinfer.jobs` imports nothing heavy, because the thread limits must stand before numpy and numba are loaded.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from netinfer.errors import NetinferError, RunError

FAILURES_VARIABLE = "NETINFER_FAILURES"
DEBUG_VARIABLE = "NETINFER_DEBUG"
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def limit_threads(threads: int) -> None:
    """Limit BLAS and numba to a number of threads; works for what is imported afterwards.

    Snakemake sets the BLAS variables from a rule's threads, but not numba's.
    """
    for name in _THREAD_VARIABLES:
        os.environ[name] = str(max(1, int(threads)))


@contextlib.contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Run the body of a workflow script.

    Parameters
    ----------
    snakemake : object
        What Snakemake gives its scripts: `threads`, `log`, `rule` and `wildcards` are used.

    Raises
    ------
    SystemExit
        With the exit code of the error, after one line in the log and on stderr.
    """
    limit_threads(snakemake.threads)
    log = Path(str(snakemake.log[0])) if snakemake.log else None
    handlers: list[logging.Handler] = [logging.FileHandler(log, mode="w", encoding="utf-8")] if log else []
    logging.basicConfig(
        level=logging.INFO, handlers=handlers, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    logging.captureWarnings(True)
    logger = logging.getLogger("netinfer")
    began = time.perf_counter()
    try:
        yield
    except NetinferError as error:
        _end(snakemake, logger, error.exit_code, str(error))
    except MemoryError:
        _end(snakemake, logger, RunError.exit_code, "out of memory: give the rule more mem_mb")
    except KeyboardInterrupt:
        _end(snakemake, logger, 130, "interrupted")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _end(snakemake, logger, RunError.exit_code, f"{place}{error.strerror or error}")
    except Exception as error:
        logger.exception("unexpected error")
        _record(snakemake, 1, f"unexpected {type(error).__name__}: {error}")
        raise
    else:
        logger.info("done in %.2f s", time.perf_counter() - began)


def _end(snakemake: Any, logger: logging.Logger, code: int, message: str) -> None:
    for line in message.splitlines():
        logger.error("%s", line)
        sys.stderr.write(f"netinfer: {_where(snakemake)}: {line}\n")
    if os.environ.get(DEBUG_VARIABLE):
        traceback.print_exc()
    _record(snakemake, code, message)
    raise SystemExit(code) from None


def _where(snakemake: Any) -> str:
    return " ".join([snakemake.rule, *(f"{key}={value}" for key, value in snakemake.wildcards.items())])


def _record(snakemake: Any, code: int, message: str) -> None:
    """Tell `netinfer run`, if it started this workflow, what failed."""
    failures = os.environ.get(FAILURES_VARIABLE)
    if failures:
        record = {"code": code, "where": _where(snakemake), "message": message}
        with contextlib.suppress(OSError), Path(failures).open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def chunk_of(scatteritem: str) -> tuple[int, int]:
    """Read Snakemake's name of a chunk, such as ``3-of-8``.

    Examples
    --------
    >>> chunk_of("3-of-8")
    (3, 8)
    """
    number, total = scatteritem.split("-of-")
    return int(number), int(total)
