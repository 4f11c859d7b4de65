"""Select genes for a trait: the regression of one target on all genes, with stability selection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer import __version__
from netinfer.config import RegressionConfig
from netinfer.errors import ConfigError
from netinfer.io.columns import EXPECTED_FALSE_GENES_NOTE, ODDS_COLUMNS, phenotype_gene_columns
from netinfer.mistakes import as_settings
from netinfer.models.phenotype.binomial import COVARIATE_RIDGE, fit_binomial
from netinfer.models.phenotype.covariates import trait_covariates
from netinfer.models.phenotype.model import PhenotypeModel
from netinfer.models.phenotype.trait import Trait, check_trait
from netinfer.models.regression import fit_chunk, gather, problem_from_arrays

if TYPE_CHECKING:
    from anndata import AnnData

    from netinfer.models.regression import RegressionPart
    from netinfer.models.regression.problem import RegressionProblem
    from netinfer.network import Network

# What the record takes over from the network's provenance.
KEPT = ("worst_duality_gap", "settings", "rule", "threshold", "truncation", "seed")
# Genes whose variances differ by less than this factor were scaled to the same one: then it says nothing of them.
SAME_VARIANCE = 1.01
EFFECT = (
    "effect: least-squares coefficient in the submodel that the other half of the samples selected, in standard "
    "deviations of the trait per standard deviation of the gene, both after the covariates are projected out; median "
    "over the half-samples that selected the gene; the interval takes the medians of its ends, after Meinshausen, "
    "Meier and Buhlmann (2009)"
)
ODDS = (
    "effect: log odds of the second class per standard deviation of the gene, beside the covariates and the genes that "
    "the other half of the samples selected, fitted by Firth's penalised likelihood, which stays finite where classes "
    "are separable; odds_ratio is its exponential; median over the half-samples that selected the gene; the interval "
    "takes the medians of its ends, after Meinshausen, Meier and Buhlmann (2009)"
)
AUC = (
    "mean over the half-samples of the area under the ROC curve that the fit to one half, covariates included, reaches "
    "on the other half; auc_covariates is that of the covariates alone"
)
R2 = (
    "mean over the half-samples of the R2 that the fit to one half reaches on the other half, after the covariates are "
    "projected out"
)


def select_genes(
    adata: Any,
    phenotype: Any,
    *,
    family: str = "gaussian",
    positive: Any = None,
    covariates: Sequence[str] | None = None,
    block: str | None = None,
    n_subsamples: int = 100,
    fdr: float | None = None,
    expected_false_genes: float | None = None,
    max_genes: int = 5000,
    seed: int = 0,
    threads: int | None = None,
    **settings: Any,
) -> PhenotypeModel:
    """Select the genes whose expression goes with a trait of the samples, by the Lasso with stability selection.

    Parameters
    ----------
    adata : AnnData, DataFrame or array, samples x genes
        Normalised expression (see `netinfer.normalize`).
    phenotype : str or array, shape (n_samples,)
        The trait: a column of ``obs``, or its values (a Series with sample ids is put in their order). Samples
        without a value are left out of this model.
    family : {"gaussian", "binomial"}
        gaussian for a number, binomial for one of two classes (L1 logistic regression).
    positive : str or number, optional
        The class whose odds are modelled; by default the larger of two numbers, else the later word of the alphabet.
    covariates : list of str, optional
        Columns of ``obs`` projected out of trait and genes in each half-sample (gaussian) or fitted beside the genes
        without a penalty (binomial); None takes those that the preparation of the data stored for the network, [] takes
        none.
    block : str, optional
        Column of ``obs`` that names the independent unit; else as in `netinfer.infer_regression`. Where every donor
        has one value of the trait, the donors are the units.
    n_subsamples : int, even
        Half-samples, drawn as complementary pairs of independent units.
    fdr, expected_false_genes : float, optional
        Where to cut; ``fdr=0.1`` where neither is given. Or ``selection_probability``, above 0.5.
    max_genes : int
        The most variable genes are taken where there are more.
    seed : int
    threads : int, optional
        The result does not depend on it.
    **settings
        Further fields of `netinfer.config.RegressionConfig`. ``model`` is the Lasso by default.

    Returns
    -------
    PhenotypeModel

    Raises
    ------
    ConfigError
        If a setting is impossible.
    InputError
        If the trait, the covariates or the data cannot be used: see `check_trait`.

    Notes
    -----
    `expected_false_genes` counts genes chosen by sampling chance, given independent units; it does not count genes
    that are confounded with the trait, that follow from it, or that stand for another gene. Memory: about ten
    matrices of n_genes x n_genes float64, 2 GB for 5,000 genes. Meinshausen and Buhlmann (2010).
    """
    from netinfer.io import as_expression

    asked, config = _checked_settings(fdr, expected_false_genes, max_genes, seed, threads, n_subsamples, settings)
    expression = as_expression(adata)
    trait = check_trait(expression, phenotype, family=family, block=block, positive=positive)
    if trait.is_binomial and config.model != "lasso":
        raise ConfigError(
            f"select_genes: model: {config.model!r} is not there for family binomial: leave it out (lasso)"
        )
    names, matrix, notes = trait_covariates(expression, trait, covariates)
    values, chosen, choice = _genes(expression, trait.rows, max_genes)
    genes = [str(expression.var_names[j]) for j in chosen]
    problem = problem_from_arrays(
        values,
        trait.numbers[:, None],
        regulator_names=genes,
        target_names=[_unused(trait.name, genes)],
        units=trait.units,
        unit_column=trait.unit_column,
        covariates=matrix,
        covariate_names=names,
    )
    if asked.get("expected_false_genes", 0.0) > problem.n_pairs:
        raise ConfigError(
            f"select_genes: expected_false_genes: {asked['expected_false_genes']:g} false genes cannot be among "
            f"{problem.n_pairs} genes: ask for fewer"
        )
    part, scores, more_notes = _fitted(problem, trait, config, seed)
    network = gather(problem, [part], settings=config, seed=seed)
    ranked = _ranked(network, expression, chosen)
    if trait.is_binomial:
        ranked = _with_odds(ranked)
    kept = _passing(ranked, asked)
    at_cut = ranked[kept].reset_index(drop=True)
    record = {
        "netinfer": __version__,
        "family": family,
        "column": trait.name,
        "n_samples": len(trait.numbers),
        "n_missing": trait.n_missing,
        "n_units": problem.n_units,
        "unit": trait.unit_column,
        "covariates": names,
        "n_genes": len(genes),
        "gene_choice": choice,
        "trait_mean": float(trait.numbers.mean()),
        "trait_sd": float(trait.numbers.std()),
        **({"classes": trait.class_sizes(), "positive": trait.classes[1]} if trait.is_binomial else {}),
        **scores,
        "is_certified": bool(network.targets["status"].iloc[0] == "ok"),
        **{name: network.provenance[name] for name in KEPT if name in network.provenance},
        "not_counted": EXPECTED_FALSE_GENES_NOTE,
        "effect": ODDS if trait.is_binomial else EFFECT,
        "notes": [*trait.notes, *notes, *more_notes],
    }
    cut = _describe(ranked, at_cut, asked, problem.n_units, trait.unit_column)
    return PhenotypeModel(at_cut, ranked.assign(error_control="none"), record, cut)


def _fitted(
    problem: RegressionProblem, trait: Trait, config: RegressionConfig, seed: int
) -> tuple[RegressionPart, dict[str, Any], list[str]]:
    """Fit all half-samples; return the counts, the held-out scores for the record, and what is to be noted."""
    if not trait.is_binomial:
        part = fit_chunk(problem, settings=config, seed=seed)
        return part, {"r2_heldout": _number(part.r2_heldout[0]), "r2_heldout_meaning": R2}, []
    part, summary = fit_binomial(problem, trait.is_case, settings=config, seed=seed)
    notes = []
    if summary.n_ridge:
        notes.append(
            f"in {summary.n_ridge} of {config.n_subsamples} half-samples the covariates alone separate the classes, or "
            f"some samples of one: their coefficients have a ridge of {COVARIATE_RIDGE:g} there"
        )
    if summary.n_separated:
        notes.append(
            f"in {summary.n_separated} of {config.n_subsamples} half-samples the genes separate the classes before the "
            "path ends: what is selected there counts for the rest of it"
        )
    scores = {
        "auc_heldout": _number(summary.auc),
        "auc_covariates": _number(summary.auc_covariates),
        "auc_heldout_meaning": AUC,
    }
    return part, scores, notes


def _with_odds(ranked: pd.DataFrame) -> pd.DataFrame:
    """Add the odds ratios of the effects and of their intervals."""
    for name, effect in zip(ODDS_COLUMNS, ("effect", "effect_low", "effect_high"), strict=True):
        ranked[name] = np.exp(ranked[effect])
    return ranked[[column.name for column in phenotype_gene_columns(ranked.columns)]]


def _checked_settings(fdr, expected_false_genes, max_genes, seed, threads, n_subsamples, settings):
    """Check what can be checked without data; return the cut asked for and the settings of the fit."""
    settings = dict(settings)
    given = {
        "fdr": fdr,
        "expected_false_genes": expected_false_genes,
        "selection_probability": settings.pop("selection_probability", None),
    }
    asked = {name: value for name, value in given.items() if value is not None} or {"fdr": 0.1}
    if len(asked) > 1:
        raise ConfigError(f"select_genes: {' and '.join(asked)} given: give one of them")
    ((name, value),) = asked.items()
    highest = np.inf if name == "expected_false_genes" else 1.0
    lowest = 0.5 if name == "selection_probability" else 0.0
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not lowest < value <= highest:
        above = f"above {lowest:g}" + ("" if np.isinf(highest) else " and at most 1")
        raise ConfigError(f"select_genes: {name}: {value!r} is not a number {above}")
    for key, number, least in (("max_genes", max_genes, 2), ("seed", seed, 0), ("threads", threads, 1)):
        if number is not None and (
            isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least
        ):
            raise ConfigError(f"select_genes: {key}: {number!r} is no whole number of at least {least}")
    others = ("fdr", "covariates", "block", "seed", "threads", "max_genes")
    given = {"n_subsamples": n_subsamples, "model": "lasso", **settings}
    config = as_settings(RegressionConfig, given, "select_genes", others)
    if config.decoys:
        raise ConfigError("select_genes: decoys: only networks have them (infer_regression): leave it out")
    return {name: float(value)}, config


def _genes(adata: AnnData, rows: np.ndarray, max_genes: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Take the genes of the model: all, or the most variable ones over its samples, in the order of the data."""
    matrix = adata.X[rows]
    matrix = matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)
    n_genes = matrix.shape[1]
    if n_genes <= max_genes:
        return matrix, np.arange(n_genes), f"all {n_genes:,} genes"
    spread = matrix.var(axis=0)
    chosen = np.sort(np.argsort(-spread, kind="stable")[:max_genes])
    text = f"the {max_genes:,} most variable of {n_genes:,} genes (`max_genes`); the others were not looked at"
    if spread.max() < SAME_VARIANCE * spread[spread > 0].min(initial=np.inf):
        text += "; all genes have the same variance, so that the choice means nothing: give fewer genes"
    return matrix[:, chosen], chosen, text


def _unused(name: str, genes: Sequence[str]) -> str:
    """Name the target so that no gene is taken for it: a gene of the trait's name is a candidate like any other."""
    taken = set(genes)
    while name in taken:
        name += "_"
    return name


def _ranked(network: Network, adata: AnnData, chosen: np.ndarray) -> pd.DataFrame:
    """Turn the candidates into genes, ranked so that a cut by fdr or by false genes keeps the first ones."""
    frame = network.candidates.rename(columns={"source": "gene", "expected_false_edges": "expected_false_genes"})
    frame["gene"] = frame["gene"].astype(object)
    if "symbol" in adata.var.columns:
        symbols = dict(zip(adata.var_names, adata.var["symbol"].astype(object), strict=True))
        frame["symbol"] = [symbols[gene] if isinstance(symbols[gene], str) else "" for gene in frame["gene"]]
    bound = frame["expected_false_genes"].fillna(np.inf).to_numpy()
    # The candidates stand in order of weight and name, which a stable sort keeps among equals.
    order = np.lexsort((-frame["selection_probability"].to_numpy(), bound))
    frame = frame.iloc[order].reset_index(drop=True)
    frame["rank"] = np.arange(1, len(frame) + 1)
    return frame[[column.name for column in phenotype_gene_columns(frame.columns)]]


def _passing(ranked: pd.DataFrame, asked: dict[str, float]) -> np.ndarray:
    ((name, value),) = asked.items()
    if name == "selection_probability":
        return (ranked[name] >= value).to_numpy()
    return (ranked["q_value" if name == "fdr" else name] <= value).to_numpy()


def _describe(
    ranked: pd.DataFrame, at_cut: pd.DataFrame, asked: dict[str, float], n_units: int, unit: str
) -> dict[str, Any]:
    """Say how the cut was met, or why it was not."""
    bounds = at_cut["expected_false_genes"].to_numpy()
    bound = float(bounds.max()) if len(bounds) and not np.isnan(bounds).any() else None
    return {
        "asked": asked,
        "met": len(at_cut) > 0,
        "reason": "" if len(at_cut) else _reason(ranked, asked, n_units, unit),
        "expected_false_genes": bound,
        "n_genes": len(at_cut),
    }


def _reason(ranked: pd.DataFrame, asked: dict[str, float], n_units: int, unit: str) -> str:
    ((name, value),) = asked.items()
    behind = f"with {n_units} independent units ({unit})"
    advice = "the ranked candidates in genes_ranked.tsv have no error control"
    if not len(ranked):
        return f"no gene is selected in any half-sample {behind}"
    if name == "selection_probability":
        best = ranked["selection_probability"].max()
        return f"no gene reaches a selection probability of {value:g} {behind}: the largest is {best:.3g}: {advice}"
    column = "q_value" if name == "fdr" else name
    known = ranked[column].dropna()
    if not len(known):
        return f"no gene is selected in more than half of the half-samples {behind}: {advice}"
    return (
        f"no gene reaches {name} {value:g} {behind}: the smallest {column} is {known.min():.3g}: "
        f"more samples would help, or a larger {name}; {advice}"
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
