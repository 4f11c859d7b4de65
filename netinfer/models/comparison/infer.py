"""Networks of several conditions as one call, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netinfer.errors import ConfigError
from netinfer.kernels import thread_limit
from netinfer.models.checks import check_draws, check_threshold, is_number
from netinfer.models.comparison.choice import CRITERIA, choose_pair
from netinfer.models.comparison.conditions import WHERE, Conditions, check_conditions, naming, prepare_conditions
from netinfer.models.comparison.fits import SIMILARITY
from netinfer.models.comparison.gather import gather_networks
from netinfer.models.comparison.halves import count_halves, whole_fit
from netinfer.models.precision.correlations import Correlations
from netinfer.models.precision.fits import Certificates
from netinfer.moments.correlation import METHODS
from netinfer.preprocess.kind import warn_of_counts
from netinfer.solvers.joint_graphical_input import KINDS

if TYPE_CHECKING:
    from netinfer.network.joint import JointNetworks

MAX_GENES = 500


def infer_joint_precision(
    conditions: Mapping[str, Any],
    *,
    reference: str | None = None,
    kind: str = "group",
    penalty: float | None = None,
    criterion: str = "stars",
    similarity: float | None = SIMILARITY,
    regulators: Sequence[str] | str | Path | None = None,
    max_genes: int | None = MAX_GENES,
    correlation: str = "pearson",
    shrinkage: float | str = 0.0,
    covariates: Sequence[str] | None = None,
    block: str | None = None,
    strata: str | None = None,
    n_subsamples: int = 100,
    threshold: float | str = "auto",
    stars_threshold: float = 0.05,
    seed: int = 0,
    threads: int | None = None,
) -> JointNetworks:
    r"""Infer undirected networks of several conditions together, and say which edges they share, gain, lose or flip.

    The joint graphical Lasso on the correlations :math:`R_k` of K conditions minimises :math:`\sum_k (-\log\det T_k +
    \mathrm{tr}(R_k T_k)) + \lambda \sum_k \sum_{i \ne j} |T_{k,ij}| + \mu \sum_{i \ne j} c(T_{1,ij}, \dots,
    T_{K,ij})`, each condition counting the same. Group: c is the Euclidean norm, and :math:`\lambda = (1 - s) w, \mu =
    \sqrt{K} s w`; fused: c is the sum of :math:`|T_{k,ij} - T_{l,ij}|` over all pairs of conditions, and :math:`\lambda
    = w, \mu = s w / (K - 1)`. So an edge of one strength in all conditions pays the penalty w in each, and an edge of
    one condition alone pays more as the similarity s grows. s = 0 is the Graphical Lasso of each condition on its own.

    Parameters
    ----------
    conditions : mapping of name to AnnData, DataFrame or array, samples x genes
        Normalised expression of two conditions or more; their genes may differ.
    reference : str, optional
        What the others are compared with; the first by default.
    kind : {"group", "fused"}
        group: an edge tends to be in all conditions or in none, each with its own value; fused: to have one value in
        all.
    penalty : float, 0 < w <= 1, optional
        On the scale of correlations; by default `criterion` chooses it.
    criterion : {"stars", "ebic"}
        StARS by the mean instability of the separate graphs, or the sum of their extended BIC.
    similarity : float, 0 <= s < 1, optional
        None takes the smallest of 0, 0.25, 0.5, 0.75, 0.9 whose graphs predict five held-out folds as well as the best
        one's, up to one standard error: better graphs, and fewer differences.
    regulators : list of str, path, name of a shipped list, DataFrame, or "all", optional
        Genes that are included before others; ``var["is_regulator"]`` by default where there is one.
    max_genes : int, >= 2, optional
        Genes of all conditions together, at most: regulators, then those of the largest mean variance over the
        conditions that have the gene. None includes all that vary.
    correlation, shrinkage, covariates, block, strata
        In each condition, as for `netinfer.infer_precision`.
    n_subsamples : int, even, >= 4
        Half-samples, drawn as complementary pairs of each condition's own units and fitted together.
    threshold : float in (1/2, 1] or "auto"
        Selection probability from which an edge counts as present, and one minus it up to which it counts as absent;
        auto is 0.9, and 0.6 with more than 20 other genes for each unit of a half-sample.
    stars_threshold : float, 0 < beta < 0.5
    seed : int
    threads : int, optional
        All cores that the process may use by default. The networks do not depend on it.

    Returns
    -------
    JointNetworks
        ``networks`` (one `Network` a condition), ``changes``, ``genes``, ``provenance``; ``write(folder)``.

    Raises
    ------
    ConfigError
        If a setting is impossible, or there are fewer than two conditions.
    InputError
        If a condition has fewer than 20 independent units, shares fewer than two genes with the reference, or its data
        cannot be used.

    Warns
    -----
    ConvergenceWarning
        If a fit's duality gap per gene stayed above 1e-6.
    UserWarning
        If the criterion has not turned at the smallest penalty, or chance alone might give as many edges as are stable.

    Notes
    -----
    The networks are conditional on the genes included. An edge that is lost is one that half-samples do not select, not
    one whose absence is shown: with fewer samples weak edges are lost, and edges of chance gained, more easily. How
    often two samples of one population would differ is not tested. The bound of a condition counts the joint
    procedure's selections, under its exchangeability. Danaher, Wang and Witten (2014); Liu, Roeder and Wasserman
    (2010); Meinshausen and Buhlmann (2010).
    """
    from netinfer.io import as_expression

    names, reference = check_conditions(conditions, reference)
    threads = check_settings(
        kind, penalty, criterion, similarity, correlation, n_subsamples, threshold, stars_threshold, seed, threads
    )
    expressions = {}
    for name in names:
        with naming(name):
            expressions[name] = as_expression(conditions[name], where=name)
        warn_of_counts(expressions[name], f"{WHERE}: condition {name!r}")
    prepared = prepare_conditions(
        expressions, regulators, reference=reference, max_genes=max_genes, covariates=covariates, block=block,
        strata=strata,
    )  # fmt: skip
    certificates = Certificates()
    with thread_limit(1):
        correlations = correlate_conditions(prepared, correlation, shrinkage, threads)
        choice = choose_pair(
            correlations, kind, penalty, similarity, criterion, stars_threshold=stars_threshold, seed=seed,
            threads=threads, certificates=certificates,
        )  # fmt: skip
        whole = whole_fit(correlations, prepared, choice.penalties, certificates, threads=threads)
        tally = count_halves(
            correlations, prepared, whole, choice.penalties, range(n_subsamples // 2), seed=seed, threads=threads,
            certificates=certificates,
        )  # fmt: skip
    settings = {
        "kind": kind,
        "penalty": penalty,
        "criterion": criterion,
        "similarity": similarity,
        "max_genes": max_genes,
        "correlation": correlation,
        "shrinkage": shrinkage,
        "n_subsamples": n_subsamples,
        "threshold": threshold,
        "stars_threshold": stars_threshold,
    }
    found = gather_networks(
        prepared,
        correlations,
        choice,
        whole,
        tally,
        threshold=threshold,
        n_subsamples=n_subsamples,
        certificates=certificates,
        record={"settings": settings, "seed": seed},
        dropped={name: one.uns.get("netinfer", {}).get("dropped_genes") for name, one in expressions.items()},
    )
    certificates.warn(3, where=WHERE)
    return found


def correlate_conditions(
    conditions: Conditions, method: str, shrinkage: float | str, threads: int
) -> list[Correlations]:
    """Correlate the genes of each condition."""
    out = []
    for name, problem in zip(conditions.names, conditions.problems, strict=True):
        with naming(name):
            out.append(Correlations(problem.genes, method, shrinkage, threads))
    return out


def check_settings(
    kind, penalty, criterion, similarity, correlation, n_subsamples, threshold, stars_threshold, seed, threads
) -> int:
    """Refuse settings that cannot be; return the number of threads.

    Raises
    ------
    ConfigError
    """
    for what, value, known in (
        ("kind", kind, KINDS), ("criterion", criterion, CRITERIA), ("correlation", correlation, METHODS),
    ):  # fmt: skip
        if value not in known:
            raise ConfigError(f"{WHERE}: {what}: {value!r} is unknown: use {', '.join(known)}")
    if penalty is not None and not (is_number(penalty) and 0.0 < penalty <= 1.0):
        raise ConfigError(
            f"{WHERE}: penalty: {penalty!r} is not above 0 and at most 1: it is on the scale of correlations"
        )
    if similarity is not None and not (is_number(similarity) and 0.0 <= similarity < 1.0):
        raise ConfigError(f"{WHERE}: similarity: {similarity!r} is not at least 0 and below 1")
    if not (is_number(stars_threshold) and 0.0 < stars_threshold < 0.5):
        raise ConfigError(f"{WHERE}: stars_threshold: {stars_threshold!r} is not between 0 and 0.5")
    check_threshold(WHERE, threshold)
    return check_draws(WHERE, n_subsamples, seed, threads)
