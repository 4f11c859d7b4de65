"""R's glmnet and glasso for the tests of solvers: one process for many fits of glmnet, one a fit of glasso."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

# One line of fits.txt a fit: name, alpha, lambda; x and y are raw doubles, columns first.
FIT = """
suppressMessages(library(glmnet))
for (line in readLines("fits.txt")) {
  part <- strsplit(line, " ")[[1]]
  n <- as.integer(part[3]); p <- as.integer(part[4])
  x <- matrix(readBin(paste0(part[2], ".x"), "double", n * p), n, p)
  y <- readBin(paste0(part[2], ".y"), "double", n)
  fit <- glmnet(x, y, alpha = as.numeric(part[5]), lambda = as.numeric(part[6]), standardize = FALSE,
                intercept = FALSE, thresh = 1e-16, maxit = 1e8)
  writeBin(as.double(as.matrix(fit$beta)), paste0(part[1], ".coef"))
}
"""


@pytest.fixture(scope="session")
def glmnet(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., np.ndarray]:
    """Return a function that fits (x, y) at pairs (alpha, lambda), one row of coefficients each; skip without R."""
    if shutil.which("Rscript") is None:
        pytest.skip("R with glmnet is not here: no Rscript")
    found = subprocess.run(["Rscript", "-e", "library(glmnet)"], capture_output=True, check=False)
    if found.returncode:
        pytest.skip("R with glmnet is not here: no glmnet")
    folder: Path = tmp_path_factory.mktemp("glmnet")
    (folder / "fit.R").write_text(FIT)

    def fit(x: np.ndarray, y: np.ndarray, pairs: list[tuple[float, float]]) -> np.ndarray:
        (folder / "data.x").write_bytes(np.ascontiguousarray(x.T).tobytes())
        (folder / "data.y").write_bytes(np.ascontiguousarray(y).tobytes())
        lines = [f"{k} data {x.shape[0]} {x.shape[1]} {float(a)!r} {float(lam)!r}" for k, (a, lam) in enumerate(pairs)]
        (folder / "fits.txt").write_text("\n".join(lines) + "\n")
        subprocess.run(["Rscript", "--vanilla", "fit.R"], cwd=folder, check=True, capture_output=True, timeout=300)
        return np.array([np.fromfile(folder / f"{k}.coef") for k in range(len(pairs))])

    return fit


@pytest.fixture(scope="session")
def glasso(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., np.ndarray]:
    """Return a function of (covariance, penalty, penalize_diagonal) that gives the precision; skip without R."""
    if shutil.which("Rscript") is None:
        pytest.skip("R with glasso is not here: no Rscript")
    found = subprocess.run(["Rscript", "-e", "library(glasso)"], capture_output=True, check=False)
    if found.returncode:
        pytest.skip("R with glasso is not here: no glasso")
    folder: Path = tmp_path_factory.mktemp("glasso")

    def fit(covariance: np.ndarray, penalty: float, penalize_diagonal: bool) -> np.ndarray:
        p = len(covariance)
        (folder / "s").write_bytes(np.ascontiguousarray(covariance).tobytes())
        code = (
            f"s <- matrix(readBin('s', 'double', {p * p}), {p}, {p}); "
            f"fit <- glasso::glasso(s, {float(penalty)!r}, thr = 1e-12, maxit = 1e5, "
            f"penalize.diagonal = {str(penalize_diagonal).upper()}); writeBin(as.double(fit$wi), 'wi')"
        )
        subprocess.run(["Rscript", "--vanilla", "-e", code], cwd=folder, check=True, capture_output=True, timeout=300)
        return np.fromfile(folder / "wi").reshape(p, p).T

    return fit
