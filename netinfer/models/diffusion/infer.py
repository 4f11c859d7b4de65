"""The sparse operator of one step of a linear process, row by row, from signals on nodes before and after it.

after = A before + noise. Row i of A is an L1 regression of node i's signal after the step on all signals before it, so
that all rows share one Gram matrix; stability selection over half-samples says how sure each link is.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

from netinfer import __version__
from netinfer.config import RegressionConfig
from netinfer.errors import ConvergenceWarning, InputError
from netinfer.kernels import thread_limit
from netinfer.models.diffusion.fit import CERTIFIED_GAP, EBIC_GAMMA, count_links, fit_operator
from netinfer.models.diffusion.model import DiffusionModel, links_network
from netinfer.moments import Moments, from_matrix, inverse_sd
from netinfer.network import EXPECTED_FALSE_EDGES_NOTE
from netinfer.network.cut import asked_cut
from netinfer.solvers.columns import centred_scaled, is_constant, same_rows
from netinfer.stability.subsamples import check_units, unit_rows

SELF_LOOPS = ("free", "penalised", "none")


def infer_diffusion(
    before: Any,
    after: Any,
    *,
    self_loops: str | Any = "free",
    nonnegative: bool = False,
    penalty: float | None = None,
    n_subsamples: int = 100,
    rule: str = "meinshausen_buhlmann",
    fdr: float | None = None,
    expected_false_edges: float | None = None,
    block: Any = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
    threads: int = 1,
) -> DiffusionModel:
    r"""Infer the sparse operator that carries signals on nodes over one step of an unknown linear process.

    Row i of A minimises :math:`\tfrac{1}{2n}\lVert y_i - X a_i\rVert^2 + \lambda_i \sum_{j} w_{ij} |a_{ij}|` for the
    standardised signals X before and :math:`y_i` after the step.

    Parameters
    ----------
    before, after : float array or DataFrame, shape (n_samples, n_nodes)
        Signals on the same nodes (any signals, not only expression); row k of `after` follows row k of `before`. The
        rows of two DataFrames with ids are matched by these, other rows by position.
    self_loops : {"free", "penalised", "none"} or float array, shape (n_nodes,)
        Diagonal of A: unpenalised, penalised like the rest, absent, or known.
    nonnegative : bool
        All entries of A are at least 0.
    penalty : float, > 0, optional
        In standard deviations of a node's signal after the step, for all rows; by default each row takes the one with
        the smallest extended BIC.
    n_subsamples : int, even
        Half-samples of the selection probabilities.
    rule : {"meinshausen_buhlmann", "shah_samworth", "ipss_quadratic", "ipss_cubic"}
        The bound on false links. The other rules find more links where signals are independent, and may break their
        bound where they are correlated.
    fdr, expected_false_edges : float, optional
        Where the network is cut; ``fdr=0.1`` where neither is given.
    block : array of labels, shape (n_samples,), optional
        Independent units, such as the series that consecutive samples belong to; by default each sample is one.
    names : sequence of str, optional
        Of the nodes; by default the columns of `before`, else node1, node2, ...
    seed : int
    threads : int
        The result does not depend on it.

    Returns
    -------
    DiffusionModel

    Raises
    ------
    InputError
        If shapes, node names or row ids disagree, a value is not finite, a setting is impossible, or there are fewer
        than 8 independent units.

    Warns
    -----
    ConvergenceWarning
        If a row's relative duality gap stays above 1e-8, on all samples or in a half-sample.

    Notes
    -----
    The bound on false edges counts links chosen by sampling chance, given independent units. Self-loops are no links:
    they are neither counted nor ranked. A step that is not one application of A (a long time between the two
    signals) gives the links of its power. Chen and Chen (2008) for the extended BIC, with gamma = 1/2.
    """
    asked = _cut(fdr, expected_false_edges)
    block = same_rows("infer_diffusion", before, block, ("before", "block"))
    x, y, labels, known = _checked(before, after, self_loops, penalty, block, names, threads)
    settings = _settings(n_subsamples, rule)
    units = unit_rows(np.arange(len(x)) if block is None else np.asarray(block))
    check_units(len(units), where="infer_diffusion")
    response, size = y, np.abs(y).max(axis=0)
    if known is not None:
        response, size = y - x * known, np.maximum(size, np.abs(x * known).max(axis=0))
    n_pairs = int((~is_constant(y)).sum()) * (len(labels) - 1)
    asked_cut(asked, {"n_pairs": n_pairs})
    z, x_mean, x_scale = centred_scaled(x)
    response, y_mean, y_scale = centred_scaled(response, size)
    weights = np.ones((len(labels), len(labels)))
    np.fill_diagonal(weights, {"free": 0.0, "penalised": 1.0}.get(str(self_loops) if known is None else "", np.inf))
    with thread_limit(1), ThreadPoolExecutor(max_workers=threads) as pool:
        everything = from_matrix(z, response)
        rows, operator = fit_operator(everything, weights, nonnegative, penalty, pool)
        counts = count_links(z, response, everything, units, weights, nonnegative, settings, seed, pool)
    operator = _in_units(operator, everything) * (y_scale[:, None] / x_scale[None, :])
    intercept = y_mean - operator @ x_mean
    if known is not None:
        operator[np.diag_indices_from(operator)] = known
    frame = pd.DataFrame({"node": labels, **rows})
    frame.insert(3, "intercept", intercept)
    links = operator - np.diag(np.diag(operator))
    frame["n_links"], frame["self_loop"] = (links != 0).sum(axis=1), np.diag(operator)
    frame["r2"] = _explained(operator, intercept, x, y)
    frame["duality_gap"] = np.maximum(frame["duality_gap"], counts["gap"])
    is_failed = (frame["duality_gap"] > CERTIFIED_GAP) & (frame["status"] != "constant")
    frame["status"] = frame["status"].mask(is_failed, "not_converged")
    if is_failed.any():
        worst = int(frame["duality_gap"].to_numpy().argmax())
        warnings.warn(
            f"infer_diffusion: {int(is_failed.sum())} rows are not certified, the worst {labels[worst]} with a "
            f"relative duality gap of {frame['duality_gap'][worst]:.1e}, tolerance {CERTIFIED_GAP:.0e}: see status in "
            "rows",
            ConvergenceWarning,
            stacklevel=2,
        )
    record = {
        "netinfer": __version__,
        "model": "diffusion",
        "self_loops": self_loops if isinstance(self_loops, str) else "known",
        "nonnegative": nonnegative,
        "penalty": penalty if penalty is not None else f"extended BIC, gamma {EBIC_GAMMA:g}, row by row",
        "settings": settings.model_dump(mode="json"),
        "seed": seed,
        "n_samples": len(x),
        "n_units": len(units),
        "unit": "sample" if block is None else "block",
        "n_regulators": len(labels),
        "n_targets": len(labels),
        "n_pairs": n_pairs,
        "not_counted": EXPECTED_FALSE_EDGES_NOTE,
        "effect": "effect: entry of the operator in the signals' units, 0 where the row's penalty leaves it out",
    }
    network = links_network(counts, links, labels, frame, y.mean(axis=0), settings, record, asked)
    return DiffusionModel(pd.DataFrame(operator, index=labels, columns=labels), network, frame)


def _in_units(coef: np.ndarray, moments: Moments) -> np.ndarray:
    """Turn standardised coefficients into the units of the moments."""
    return coef * np.sqrt(moments.target_var)[:, None] * inverse_sd(moments.gram.diagonal())[None, :]


def _explained(operator: np.ndarray, intercept: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the share of each node's variance that the operator explains, NaN for a node that does not vary."""
    spread = np.where(is_constant(y), 1.0, y.std(axis=0))
    rest = ((y - x @ operator.T - intercept) / spread).var(axis=0)
    return np.where(is_constant(y), np.nan, 1.0 - rest)


def _cut(fdr: float | None, expected_false_edges: float | None) -> dict[str, float]:
    if fdr is not None and expected_false_edges is not None:
        raise InputError("infer_diffusion: fdr and expected_false_edges given: give one of them")
    if expected_false_edges is not None:
        return {"expected_false_edges": expected_false_edges}
    return {"fdr": 0.1 if fdr is None else fdr}


def _settings(n_subsamples: int, rule: str) -> RegressionConfig:
    from pydantic import ValidationError

    try:
        return RegressionConfig.model_validate({"model": "lasso", "n_subsamples": n_subsamples, "rule": rule})
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(map(str, first["loc"])) or "n_subsamples"
        raise InputError(f"infer_diffusion: {place}: {first['msg']}") from fault


def _checked(before, after, self_loops, penalty, block, names, threads):
    after = same_rows("infer_diffusion", before, after, ("before", "after"))
    # One layout in memory, so that the order in which rows were given leaves no trace in the last digit.
    x, y = np.ascontiguousarray(before, dtype=np.float64), np.ascontiguousarray(after, dtype=np.float64)
    if x.ndim != 2 or x.shape != y.shape or x.shape[1] < 2:
        raise InputError(
            f"infer_diffusion: before {x.shape} and after {y.shape} must be samples x nodes of one shape, two nodes at "
            "least: row k of after follows row k of before"
        )
    labels = list(names) if names is not None else list(getattr(before, "columns", ()))
    labels = [str(name) for name in labels] or [f"node{i + 1}" for i in range(x.shape[1])]
    if len(labels) != x.shape[1] or len(set(labels)) != len(labels):
        raise InputError(f"infer_diffusion: {len(set(labels))} distinct names for {x.shape[1]} nodes: name each once")
    others = [str(name) for name in getattr(after, "columns", labels)]
    if names is None and others != labels and not (hasattr(after, "columns") ^ hasattr(before, "columns")):
        at = next(i for i, pair in enumerate(zip(labels, others, strict=True)) if pair[0] != pair[1])
        raise InputError(
            f"infer_diffusion: column {at + 1} is {labels[at]!r} before and {others[at]!r} after: put the nodes in one "
            "order"
        )
    for name, array in (("before", x), ("after", y)):
        if not np.isfinite(array).all():
            row, column = np.argwhere(~np.isfinite(array))[0]
            raise InputError(
                f"infer_diffusion: {name}: sample {row + 1}, node {labels[column]!r} is not finite: drop or fill it"
            )
    if penalty is not None and not (np.isfinite(penalty) and penalty > 0):
        raise InputError(f"infer_diffusion: penalty: {penalty!r} is not a positive number")
    if block is not None and np.shape(block) != (len(x),):
        raise InputError(f"infer_diffusion: block: {np.shape(block)} labels for {len(x)} samples: give one a sample")
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise InputError(f"infer_diffusion: threads: {threads!r} is no whole number of at least 1")
    if isinstance(self_loops, str):
        if self_loops not in SELF_LOOPS:
            raise InputError(
                f"infer_diffusion: self_loops: {self_loops!r} is none of {', '.join(SELF_LOOPS)}: or give known values"
            )
        return x, y, labels, None
    known = np.asarray(self_loops, dtype=np.float64)
    if known.shape != (x.shape[1],) or not np.isfinite(known).all():
        raise InputError(f"infer_diffusion: self_loops: {known.shape} values for {x.shape[1]} nodes: give one a node")
    return x, y, labels, known
