"""The regression as one call, for notebooks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netinfer.config import RegressionConfig
from netinfer.errors import ConfigError
from netinfer.mistakes import as_settings
from netinfer.models.regression.fit import fit_chunk
from netinfer.models.regression.gather import gather
from netinfer.models.regression.problem import RegressionProblem, prepare
from netinfer.models.regression.sums import sums_key
from netinfer.network.cut import asked_cut
from netinfer.preprocess.factors import hidden_factors as find_hidden_factors
from netinfer.preprocess.kind import warn_of_counts
from netinfer.stability.subsamples import check_seed

if TYPE_CHECKING:
    from netinfer.network import Network

# For a hint where a setting is misspelt.
OTHER_KEYWORDS = ("fdr", "block", "strata", "seed", "threads", "state")


def infer_regression(
    adata: Any,
    regulators: Sequence[str] | str | Path | None = None,
    *,
    model: str = "elastic_net",
    shrinkage: float = 0.5,
    n_subsamples: int = 100,
    expected_false_edges: float | None = None,
    fdr: float | None = None,
    covariates: Sequence[str] | None = None,
    block: str | None = None,
    strata: str | None = None,
    hidden_factors: int | str | None = None,
    response: str = "static",
    priors: Any = None,
    penalty_weights: Any = None,
    seed: int = 0,
    threads: int | None = None,
    state: str | Path | None = None,
    **settings: Any,
) -> Network:
    """Infer a directed network: every gene regressed on the regulators, with stability selection.

    Parameters
    ----------
    adata : AnnData, DataFrame or array, samples x genes
        Normalised expression (see `netinfer.normalize`).
    regulators : list of str, path, name of a shipped list, DataFrame, or "all", optional
        ``var["is_regulator"]`` by default; see :func:`netinfer.io.regulator_table`.
    model : {"elastic_net", "lasso"}
    shrinkage : float, 0 <= s < 1
        The elastic net's Gram matrix is (1 - s) G + s I.
    n_subsamples : int, even
        Half-samples, drawn as complementary pairs of independent units.
    expected_false_edges, fdr : float, optional
        Where to cut; ``fdr=0.1`` where neither is given.
    covariates : list of str, optional
        Columns of ``obs``, numbers or classes, projected out of regulators and targets in each half-sample; by
        default those that `netinfer.prepare_samples` wrote down (cell type and log depth for cells, with the donor
        where it is not the unit; none for bulk samples). ``[]`` takes none.
    block : str, optional
        Column of ``obs`` that names the independent unit; else ``block``, ``donor``, ``replicate_group``, else the
        sample. ``sample`` makes every sample a unit.
    strata : str, optional
        Column of ``obs``, the same within each unit, whose classes each half-sample holds in the same proportion.
    hidden_factors : int or "auto", optional
        Leading components projected out as well (`netinfer.hidden_factors`); by default those of
        ``obsm["hidden_factors"]``, none where there are none.
    response, priors
        Reserved; anything but the default is refused in this version.
    penalty_weights : dict or Series by regulator, or DataFrame of regulators x targets, optional
        Factors of the penalty, 1 where nothing is given. Below 1 a pair enters more easily, above it less; ``inf``
        forbids it, 0 puts it into every model. Forbidden pairs are no candidates; pairs of weight 0 have no error bound
        (``expected_false_edges`` is NaN) and are no edges of a cut by error. The bounds take it that chance
        selects the candidates of a target alike: where weights differ they are too small for pairs of smaller weight.
    seed : int
    threads : int, optional
        All cores that the process may use by default. The network does not depend on it.
    state : path, optional
        Folder that keeps the running sums of the half-samples, one file for each data set, settings and seed. A later
        call that asks for more half-samples fits only the missing ones, with the same result as all at once; a call
        that was killed goes on where it was five minutes before. It may be deleted at any time.
    **settings
        Further fields of `netinfer.config.RegressionConfig`, such as ``penalty_min`` or ``rule``.

    Returns
    -------
    Network
        ``edges`` at the cut, ``candidates`` ranked, ``targets`` with one row a gene.

    Raises
    ------
    ConfigError
        If a setting or the cut is impossible.
    InputError
        If the data cannot be used: no regulators, fewer than 8 samples or 4 blocks, a stratum with one unit, a block
        in two strata, NaN, unusable covariates.

    Warns
    -----
    UserWarning
        If the values look like raw counts and `netinfer.normalize` left no note, or there are only 4 to 7 blocks.

    Notes
    -----
    `expected_false_edges` counts edges chosen by sampling chance, given independent units; it does not count edges
    that are confounded, indirect or reversed. Meinshausen and Buhlmann (2010); Shah and Samworth (2013); Melikechi
    and Miller (2025).
    """
    from netinfer.io import as_expression

    if priors is not None or response != "static":
        raise ConfigError("infer_regression: priors and response are not available in this version")
    if fdr is not None and expected_false_edges is not None:
        raise ConfigError("infer_regression: give fdr or expected_false_edges, not both")
    given = {"model": model, "shrinkage": shrinkage, "n_subsamples": n_subsamples, **settings}
    config = as_settings(RegressionConfig, given, "infer_regression", OTHER_KEYWORDS)
    cut = {"fdr": 0.1 if fdr is None else fdr}
    if expected_false_edges is not None:
        cut = {"expected_false_edges": expected_false_edges}
    seed = check_seed(seed)
    threads = len(os.sched_getaffinity(0)) if threads is None else threads
    if threads < 1:
        raise ConfigError(f"infer_regression: threads: {threads} is less than 1")
    expression = as_expression(adata)
    if hidden_factors is not None:
        expression = find_hidden_factors(expression, hidden_factors, covariates=covariates, block=block, seed=seed)
    problem = prepare(expression, regulators, block, covariates, penalty_weights, strata)
    asked_cut(cut, {"n_pairs": problem.n_pairs})
    warn_of_counts(expression, "infer_regression")
    file = None if state is None else Path(state) / f"{_state_name(problem, config, seed)}.npz"
    part = fit_chunk(problem, settings=config, seed=seed, threads=threads, state=file)
    dropped = expression.uns.get("netinfer", {}).get("dropped_genes")
    return gather(problem, [part], settings=config, seed=seed, cut=cut, dropped=dropped)


def _state_name(problem: RegressionProblem, config: RegressionConfig, seed: int) -> str:
    return sums_key(problem.fingerprint(), slice(0, len(problem.target_names)), config, seed)[:16]
