"""The undirected network as one call: which genes go together given all the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netinfer.errors import ConfigError
from netinfer.kernels import thread_limit
from netinfer.models.checks import check_draws, check_threshold
from netinfer.models.precision.choice import check_choice, choose
from netinfer.models.precision.correlations import Correlations
from netinfer.models.precision.fits import Certificates
from netinfer.models.precision.gather import gather
from netinfer.models.precision.methods import graph_model
from netinfer.models.precision.problem import prepare_genes
from netinfer.models.precision.stability import Wanted, bound_constants, count_half_samples
from netinfer.moments.correlation import METHODS
from netinfer.network.cut import asked_cut
from netinfer.preprocess.factors import hidden_factors as find_hidden_factors
from netinfer.preprocess.kind import warn_of_counts
from netinfer.stability.rules import IPSS_ORDER, RULES

if TYPE_CHECKING:
    from netinfer.network import Network


def infer_precision(
    adata: Any,
    *,
    method: str = "graphical_lasso",
    combine: str | None = None,
    penalty: float | None = None,
    criterion: str = "stars",
    regulators: Sequence[str] | str | Path | None = None,
    max_genes: int | None = 2000,
    correlation: str = "pearson",
    shrinkage: float | str = 0.0,
    covariates: Sequence[str] | None = None,
    block: str | None = None,
    strata: str | None = None,
    hidden_factors: int | str | None = None,
    n_subsamples: int = 100,
    expected_false_edges: float | None = None,
    fdr: float | None = None,
    rule: str = "meinshausen_buhlmann",
    threshold: float | str = "auto",
    stars_threshold: float = 0.05,
    seed: int = 0,
    threads: int | None = None,
) -> Network:
    r"""Infer an undirected network: pairs of genes with a partial correlation given all other genes.

    The Graphical Lasso on the correlation R of the genes minimises :math:`-\log\det T + \mathrm{tr}(R T) + \lambda
    \sum_{i \ne j} |T_{ij}|`; a pair is an edge where :math:`T_{ij} \ne 0`. Nodewise, each gene is regressed by the
    Lasso on all the others, at one penalty; a pair is an edge where both regressions have a coefficient that is not 0
    (and), or one has (or). Without a wished error the network is this graph at the penalty given or chosen. With one it
    is the pairs that half-samples tie so often that the bound allows.

    Parameters
    ----------
    adata : AnnData, DataFrame or array, samples x genes
        Normalised expression (see `netinfer.normalize`).
    method : {"graphical_lasso", "nodewise"}
        Nodewise costs far less with thousands of genes.
    combine : {"and", "or"}, optional
        Of nodewise alone; and by default.
    penalty : float, 0 < penalty <= 1, optional
        On the scale of correlations; by default `criterion` chooses it.
    criterion : {"stars", "ebic", "cv"}
        StARS, the extended BIC (gamma 0.5), or the likelihood of five held-out folds (not nodewise).
    regulators : list of str, path, name of a shipped list, DataFrame, or "all", optional
        Genes that are included before others; ``var["is_regulator"]`` by default where there is one.
    max_genes : int, >= 2, optional
        Genes included at most: regulators, then the most variable others. None includes all that vary.
    correlation : {"pearson", "spearman", "kendall", "normal_scores"}
        See `netinfer.moments.correlation_matrix`.
    shrinkage : float in [0, 1) or "ledoit_wolf"
        Of the correlation towards the identity.
    covariates : list of str, optional
        Columns of ``obs`` projected out; as for `netinfer.infer_regression`.
    block, strata : str, optional
        Columns of ``obs`` that name the independent unit and the stratum; as there.
    hidden_factors : int or "auto", optional
        Leading components projected out as well; as there.
    n_subsamples : int, even, >= 4
        Half-samples, drawn as complementary pairs of independent units.
    expected_false_edges, fdr : float, optional
        Cut by the bound on chance edges in place of `criterion`; with `penalty` as well, the graph at it is cut.
    rule : str
        The bound: see `netinfer.stability.rules.expected_false`.
    threshold : float in (1/2, 1] or "auto"
        Selection probability that an edge needs by the rule; auto is 0.9, and 0.6 with more than 20 other genes for
        each unit of a half-sample.
    stars_threshold : float, 0 < beta < 0.5
        Largest mean chance that two subsamples disagree on a pair: 0.05 as published, which R's huge prints as 0.1.
    seed : int
    threads : int, optional
        All cores that the process may use by default. The network does not depend on it.

    Returns
    -------
    Network
        Undirected. `weight` is the absolute partial correlation (nodewise: of the two regressions' estimates the one of
        smaller magnitude for and, of larger for or), `selection_probability` and `expected_false_edges`
        come from half-samples; `effect` and its interval are missing. ``threshold(fdr=0.1)`` keeps of a graph the edges
        that the bound allows, ``threshold(penalty=...)`` all of them again.

    Raises
    ------
    ConfigError
        If a setting or the cut is impossible.
    InputError
        If the data cannot be used: a value is not finite, fewer than two genes vary, there are fewer than 20
        independent units, unusable covariates.

    Warns
    -----
    ConvergenceWarning
        If a fit's duality gap per gene stayed above 1e-6; nodewise: a gene's, as a share of half its variance, above
        1e-9.
    UserWarning
        If the criterion has not turned at the smallest penalty.

    Notes
    -----
    The network is conditional on the genes included: a gene left out is not given. `expected_false_edges` counts edges
    chosen by sampling chance, given independent units; it does not count edges that are confounded. Friedman, Hastie
    and Tibshirani (2008); Liu, Roeder and Wasserman (2010); Foygel and Drton (2010); Meinshausen and Buhlmann (2006,
    2010).
    """
    from netinfer.io import as_expression

    model = graph_model(method, combine, criterion)
    check_choice(penalty, criterion, stars_threshold)
    threads = _checked(correlation, n_subsamples, rule, threshold, seed, threads)
    asked = _asked(fdr, expected_false_edges)
    expression = as_expression(adata)
    if hidden_factors is not None:
        expression = find_hidden_factors(expression, hidden_factors, covariates=covariates, block=block, seed=seed)
    warn_of_counts(expression, "infer_precision")
    problem = prepare_genes(
        expression, regulators, max_genes=max_genes, covariates=covariates, block=block, strata=strata
    )
    genes = problem.genes
    if asked is not None:
        asked_cut(asked, {"n_pairs": problem.n_pairs})
    constants = bound_constants(len(problem.names), genes.n_units, threshold)
    wanted = Wanted.by(asked, rule, constants)
    certificates = Certificates()
    with thread_limit(1):
        correlations = Correlations(genes, correlation, shrinkage, threads)
        choice = None
        if asked is None or penalty is not None:
            choice = choose(
                correlations, penalty, criterion, stars_threshold=stars_threshold, seed=seed, threads=threads,
                certificates=certificates, model=model,
            )  # fmt: skip
        halves = count_half_samples(
            correlations, None if choice is None else choice.penalty, wanted, n_subsamples=n_subsamples, seed=seed,
            threads=threads, certificates=certificates, model=model,
        )  # fmt: skip
    settings = {
        "method": method,
        "combine": combine,
        "penalty": penalty,
        "criterion": criterion,
        "max_genes": max_genes,
        "correlation": correlation,
        "shrinkage": shrinkage,
        "n_subsamples": n_subsamples,
        "rule": rule,
        "threshold": threshold,
        "stars_threshold": stars_threshold,
    }
    network = gather(
        problem,
        correlations,
        choice,
        None if choice is None else choice.found,
        halves,
        rule=rule,
        constants=constants,
        asked=asked,
        certificates=certificates,
        record={"settings": settings, "seed": seed},
        dropped=expression.uns.get("netinfer", {}).get("dropped_genes"),
        model=model,
    )
    certificates.warn(3, model.gap, model.tolerance)
    return network


def _asked(fdr: float | None, expected_false_edges: float | None) -> dict[str, float] | None:
    """Return the cut by error that is asked for, None where the graph itself is."""
    if fdr is not None and expected_false_edges is not None:
        raise ConfigError("infer_precision: give fdr or expected_false_edges, not both")
    if fdr is None and expected_false_edges is None:
        return None
    return asked_cut({"fdr": fdr, "expected_false_edges": expected_false_edges})


def _checked(correlation, n_subsamples, rule, threshold, seed, threads) -> int:
    """Refuse settings that cannot be; return the number of threads."""
    if correlation not in METHODS:
        raise ConfigError(f"infer_precision: correlation: {correlation!r} is unknown: use {', '.join(METHODS)}")
    if rule not in RULES:
        raise ConfigError(f"infer_precision: rule: {rule!r} is unknown: use {', '.join(RULES)}")
    check_threshold("infer_precision", threshold)
    if threshold != "auto" and rule in IPSS_ORDER:
        raise ConfigError(f"infer_precision: threshold: rule {rule} has none: leave it out")
    return check_draws("infer_precision", n_subsamples, seed, threads)
