"""Hidden factors: what moves many genes at once and stands in no column of the sample table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import threadpool_limits

from netinfer.errors import ConfigError, InputError
from netinfer.io.build import text_array
from netinfer.io.memory import as_expression
from netinfer.preprocess.design import SAMPLE, CovariateDesign, as_names, covariate_matrix, unit_column

if TYPE_CHECKING:
    from anndata import AnnData

# Parallel analysis: a component stays while it is larger than that of this many permutations, all of them.
N_PERMUTATIONS = 19
# Most factors that `auto` takes, as a share of the samples: an eighth leaves three quarters of a half-sample.
MOST = 1 / 8
N_SHOWN = 10
# Up to this size of the smaller side all eigenvalues are computed at once, above it only the leading ones.
_DENSE = 1500


def hidden_factors(
    adata: Any,
    k: int | str = "auto",
    *,
    covariates: Sequence[str] | None = None,
    block: str | None = None,
    seed: int = 0,
) -> AnnData:
    """Find the leading components of the expression, to be projected out beside the covariates.

    Principal components of the genes, each scaled to variance 1, after the covariates are projected out. They carry
    regulation as well as confounding: a regulator with very many targets is a component too.

    Parameters
    ----------
    adata : AnnData, DataFrame or array, n_samples x n_genes
        Normalized; not changed.
    k : int or "auto"
        How many. "auto" keeps a component while its share of variance is larger than that of the same component in
        each of 19 copies in which every gene's units are permuted on their own (parallel analysis, 5 % level; Horn
        1965, Buja and Eyuboglu 1992), and at most an eighth of the independent units. The number is found on the
        means of the units, so that replicates do not make factors.
    covariates : sequence of str, optional
        Columns of ``obs``; by default those of the design that `netinfer.prepare_samples` wrote down.
    block : str, optional
        Column that names the independent unit; found as `netinfer.infer_regression` does.
    seed : int
        Of the permutations, counter-based: permutation and gene name the stream.

    Returns
    -------
    AnnData
        With ``obsm["hidden_factors"]``, shape (n_samples, k), columns of variance 1, absent for 0, and
        ``uns["netinfer"]["hidden_factors"]``: asked, k, share (of the leading components), and a sentence in the log.

    Raises
    ------
    ConfigError
        If `k` is neither a number >= 0 nor "auto".
    InputError
        If `k` is too large for the number of samples, or the values are not finite.
    """
    if not (k == "auto" or (isinstance(k, int | np.integer) and not isinstance(k, bool) and k >= 0)):
        raise ConfigError(f"hidden_factors: {k!r}: give a number, 0 for none, or `auto`")
    result = as_expression(adata)
    notes = dict(result.uns["netinfer"])
    if "hidden_factors" in result.obsm:
        del result.obsm["hidden_factors"]
    if k == 0:
        notes.pop("hidden_factors", None)
        result.uns["netinfer"] = notes
        return result
    names = notes.get("design", {}).get("covariates", ()) if covariates is None else covariates
    design = covariate_matrix(result.obs, as_names(names))
    with threadpool_limits(limits=1, user_api="blas"):  # the order of a sum, and so its last bit, hangs on the threads
        return _with_factors(result, notes, design, k, unit_column(result, block), seed)


def _with_factors(
    result: AnnData, notes: dict[str, Any], design: CovariateDesign, k: int | str, unit: str, seed: int
) -> AnnData:
    dense = result.X.toarray() if sparse.issparse(result.X) else np.asarray(result.X)
    matrix = _residuals(dense, design.matrix)
    units = np.arange(result.n_obs) if unit == SAMPLE else pd.factorize(_labels(result, unit))[0]
    n_units = int(units.max()) + 1
    most = max(1, int(min(n_units, result.n_obs - design.rank, result.n_vars) * MOST))
    if k == "auto":
        means = [_unit_means(table, units) for table in (dense, design.matrix)]
        chosen = _parallel_analysis(means[0], means[1] - means[1].mean(axis=0), most, seed)
        values, scores = _leading(matrix, max(chosen, min(N_SHOWN, min(matrix.shape) - 2)))
    else:
        limit = min(result.n_obs - design.rank, result.n_vars) - 2
        if int(k) > limit:
            raise InputError(
                f"hidden_factors: {k} components of {result.n_obs} samples x {result.n_vars} genes: at most {limit}"
            )
        chosen = int(k)
        values, scores = _leading(matrix, max(chosen, min(N_SHOWN, limit)))
    share = values / (matrix**2).sum()
    factors = scores[:, :chosen]
    if chosen:
        result.obsm["hidden_factors"] = np.ascontiguousarray(factors * np.sqrt(len(factors)))
    notes["hidden_factors"] = {"asked": str(k), "k": chosen, "share": share[: max(chosen, N_SHOWN)]}
    how = "chosen by parallel analysis" if k == "auto" else "as asked"
    if k == "auto" and chosen == most:
        how = f"as many as `auto` takes of {n_units} units: parallel analysis found no end before"
    notes["log"] = text_array(
        [
            *map(str, notes.get("log", ())),
            f"{chosen} hidden factors are projected out ({how}): {share[:chosen].sum():.0%} of the variance of the "
            "genes, regulation that moves many genes included",
        ]
    )
    result.uns["netinfer"] = notes
    return result


def _labels(adata: AnnData, unit: str) -> np.ndarray:
    if unit not in adata.obs.columns:
        raise InputError(f"block: column {unit!r} is not in the sample table (adata.obs)")
    return adata.obs[unit].astype(str).to_numpy()


def _unit_means(table: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Average the rows of each unit, shape (n_units, n_columns)."""
    size = np.bincount(units)
    if size.max() == 1:
        return table[np.argsort(units)]
    member = sparse.csr_matrix((1.0 / size[units], (units, np.arange(len(units)))))
    return np.asarray(member @ table)


def _residuals(values: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    """Centre, adjust and scale each gene; what the covariates explain fully becomes zero."""
    matrix = np.array(values, dtype=np.float64)
    if not np.isfinite(matrix).all():
        raise InputError("hidden_factors: missing or infinite values: impute or normalize first")
    matrix -= matrix.mean(axis=0)
    whole = (matrix**2).sum(axis=0)
    if covariates.shape[1]:
        left_vectors, sizes, _ = np.linalg.svd(covariates, full_matrices=False)
        basis = left_vectors[:, sizes > 1e-8 * sizes[0]]
        matrix -= basis @ (basis.T @ matrix)
    left = (matrix**2).sum(axis=0)
    varies = left > 1e-10 * whole
    matrix[:, varies] /= np.sqrt(left[varies] / len(matrix))
    matrix[:, ~varies] = 0.0
    if not varies.any():
        raise InputError("hidden_factors: no gene varies once the covariates are projected out")
    return matrix


def _leading(matrix: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k largest squared singular values and the left singular vectors, shape (n_samples, k)."""
    n, p = matrix.shape
    if min(n, p) <= _DENSE:
        gram = matrix @ matrix.T if n <= p else matrix.T @ matrix
        values, vectors = np.linalg.eigh(gram)
        values, vectors = values[::-1][:k], vectors[:, ::-1][:, :k]
    else:
        side = min(n, p)
        wide = matrix if n <= p else matrix.T
        operator = LinearOperator((side, side), matvec=lambda v: wide @ (wide.T @ v), dtype=np.float64)
        values, vectors = eigsh(operator, k=k, which="LA", v0=np.ones(side), tol=1e-10)
        values, vectors = values[::-1], vectors[:, ::-1]
    values = np.maximum(values, 0.0)
    if n > p:
        vectors = matrix @ vectors / np.sqrt(np.maximum(values, np.finfo(float).tiny))
    largest = np.abs(vectors).argmax(axis=0)
    return values, vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])


def _parallel_analysis(means: np.ndarray, covariates: np.ndarray, most: int, seed: int) -> int:
    """Count the leading components that are larger than those of every permuted copy.

    The copies lose the covariates' degrees of freedom too: without that, noise alone would look larger than they do.
    """
    observed = _residuals(means, covariates)
    chosen = min(most, min(observed.shape) - 2)
    if chosen < 1:
        return 0
    values = _leading(observed, chosen)[0]
    for permutation in range(N_PERMUTATIONS):
        if chosen == 0:
            break
        shuffled = np.empty_like(observed)
        for gene in range(observed.shape[1]):
            key = np.array([seed % 2**64, (permutation + 1) * 2**40 + gene], dtype=np.uint64)
            order = np.argsort(np.random.Philox(key=key).random_raw(len(observed)), kind="stable")
            shuffled[:, gene] = observed[order, gene]
        by_chance = _leading(_residuals(shuffled, covariates), chosen)[0]
        below = np.flatnonzero(values[:chosen] <= by_chance)
        chosen = int(below[0]) if below.size else chosen
    return chosen
