"""Fit motif-position models: one design of bases, one or several responses, stability selection, held-out figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from netinfer import __version__
from netinfer.errors import ConfigError, InputError
from netinfer.io.sequences import SequenceSet
from netinfer.kernels import thread_limit
from netinfer.models.motif.binomial import BinomialFit, choose_binomial, select_binomial
from netinfer.models.motif.checks import checked_problem
from netinfer.models.motif.choice import FINEST, Choice, choose_penalty, paths_of, refitted
from netinfer.models.motif.columns import unmatched
from netinfer.models.motif.counted import count_footprints
from netinfer.models.motif.footprints import find_footprints
from netinfer.models.motif.halves import Stability, grid, noise_penalties, select_gaussian
from netinfer.models.motif.heldout import number, with_predictions
from netinfer.models.motif.model import EXPECTED_FALSE_POSITIONS_NOTE, MotifModel
from netinfer.models.motif.pairs import with_pairs
from netinfer.models.motif.paths import largest_penalties
from netinfer.models.motif.problem import MotifProblem
from netinfer.models.motif.rows import matched
from netinfer.models.motif.settings import CERTIFIED, Settings, checked_settings
from netinfer.models.motif.tables import cut_record, position_table
from netinfer.models.motif.windows import read_windows

EFFECT = (
    "effect: coefficient among the positions that the other half of the sequences selected, by least squares, in "
    "units of the activity (two classes: log odds, by Firth's penalised likelihood); median over the half-samples that "
    "selected the position; the interval takes the medians of its ends, after Meinshausen, Meier and Buhlmann (2009)"
)


def fit_motif_positions(
    sequences: Any,
    activity: Any,
    *,
    family: str = "gaussian",
    n_subsamples: int = 100,
    weights: Any = None,
    coding: str = "reference",
    reference: str | None = None,
    model: str = "lasso",
    refit: bool = True,
    penalty: str | float = "one_se",
    fdr: float | None = None,
    expected_false_positions: float | None = None,
    rule: str = "shah_samworth",
    threshold: float = 0.9,
    n_penalties: int = 20,
    test: Any = None,
    positive: Any = None,
    ambiguous: str = "drop",
    align: str | None = None,
    gap: int = 1,
    footprint_share: float = 0.25,
    first: int | None = None,
    pairs: Any = None,
    seed: int = 0,
) -> MotifModel:
    """Find the bases of aligned sequences that go with their activity, by the Lasso with stability selection.

    Positions are selected by the group Lasso, the bases of a position together; bases, and the model that predicts, by
    the Lasso, with least squares on what it selects. All of it works on counts of pairs of bases.

    Parameters
    ----------
    sequences : path of a FASTA file, mapping of ids to str, Series, list of str, or Promoters
        DNA or RNA of one length, aligned; or the windows of `netinfer.cut_promoters`, whose ids are their genes.
    activity : array, Series or mapping, shape (n_sequences,)
        Expression, log fold change, mean bin; or one of two classes. Matched by id where both have ids. NaN is left
        out. Of windows: by gene, the first one's for an operon; those without one are left out. For two classes of
        windows also the list of the genes of one class: a window is in it if one of the genes that it stands for is.
    family : {"gaussian", "binomial"}
    n_subsamples : int, even
        Half-samples, drawn as complementary pairs of distinct sequences.
    weights : array, Series or mapping, shape (n_sequences,), >= 0, optional
        Counts or replicates behind each activity.
    coding : {"reference", "zero_sum"}
        What coefficients stand for: the difference to the reference base, or to the mean of the bases that occur.
        Positions are selected alike in both; the Lasso over bases is another one.
    reference : str, optional
        Wild type; the commonest base of each position by default.
    model : {"lasso", "group_lasso"}
        Of the predictions: bases one by one, or whole positions.
    refit : bool
        Least squares on the bases selected, in place of the shrunken coefficients; not for two classes.
    penalty : {"one_se", "best"} or float
        Of the predictions: the largest whose held-out error is within a standard error of the smallest, that of the
        smallest, or a number in standard deviations of the activity.
    fdr, expected_false_positions : float, optional
        Where to cut; ``fdr=0.1`` where neither is given.
    rule, threshold
        As for `netinfer.stability.expected_false`.
    n_penalties : int
    test : bool array, shape (n_sequences,), optional
        Sequences kept out of everything, for the final figures.
    positive : optional
        The class whose odds are modelled; the later one in the alphabet by default.
    ambiguous : {"drop", "reference"}
        Sequences with IUPAC letters for several bases, or gaps: left out, or the letters read as the reference base.
    align : {"left", "right"}, optional
        Cuts sequences of unequal length to the shortest one, counted from that end.
    gap : int
        Positions between two of one footprint, at most.
    footprint_share : float, 0 to 1
        A selected position belongs to a footprint where its weight is at least this share of the largest one.
    first : int, optional
        Number of the first position, such as -250; by default 0, of windows ``-upstream``.
    pairs : {"selected", "model"} or list of int, optional
        Adds interactions between every two of some positions: those at the cut, those of the model that predicts, or
        the ones named; the 20 strongest where there are more. Not for two classes.
    seed : int

    Returns
    -------
    MotifModel

    Raises
    ------
    ConfigError
        If a setting is unknown or impossible.
    InputError
        Letters outside IUPAC's code, unequal lengths, fewer than 20 sequences, identical ones alone, ids that do not
        match (five are shown), an activity that is text, infinite or constant, fewer than 8 sequences of a class.

    Notes
    -----
    `expected_false_positions` counts positions chosen by sampling chance, given independent sequences; it does not
    count positions that are confounded or that stand for another one. Identical sequences are one unit. Shah and
    Samworth (2013), Simon and Tibshirani (2012).
    """
    read, activity = read_windows(sequences, activity, align=align, family=family)
    names, _ = matched(read, activity)
    if len(names) != 1:
        raise InputError(f"activity: {len(names)} columns: give one, or use fit_motif_responses")
    settings = checked_settings(
        model=model, refit=refit, penalty=penalty, n_subsamples=n_subsamples, n_penalties=n_penalties, fdr=fdr,
        expected_false_positions=expected_false_positions, rule=rule, threshold=threshold, gap=gap,
        footprint_share=footprint_share, first=read.first if first is None else first, seed=seed, pairs=pairs,
    )  # fmt: skip
    given = {
        "family": family, "weights": weights, "coding": coding, "reference": reference, "ambiguous": ambiguous,
        "align": align, "positive": positive,
    }  # fmt: skip
    return _fitted(read, activity, given, settings, test)[0]


def fit_motif_responses(sequences: Any, activities: Any, **settings: Any) -> dict[str, MotifModel]:
    """Fit a motif-position model for each of several responses of the same sequences, on one design.

    Parameters
    ----------
    sequences : as for `fit_motif_positions`
    activities : DataFrame or array, shape (n_sequences, n_responses)
        Conditions, media, clusters. A sequence without one of them is left out of all.
    **settings
        Of `fit_motif_positions`; each response is cut on its own.

    Returns
    -------
    dict of MotifModel by the columns' names

    Raises
    ------
    ConfigError, InputError
        As `fit_motif_positions`; family binomial takes one response.
    """
    import inspect

    options = inspect.signature(fit_motif_positions).parameters
    unknown = [name for name in settings if name not in options or name in ("sequences", "activity")]
    if unknown:
        raise ConfigError(f"fit_motif_responses: {unknown[0]!r} is no setting of fit_motif_positions")
    wanted = {name: option.default for name, option in options.items() if option.kind is option.KEYWORD_ONLY}
    wanted |= settings
    test = wanted.pop("test")
    given = {
        name: wanted.pop(name)
        for name in ("family", "weights", "coding", "reference", "ambiguous", "align", "positive")
    }
    read, activities = read_windows(sequences, activities, align=given["align"], family=given["family"])
    checked = checked_settings(**{**wanted, "first": read.first if wanted["first"] is None else wanted["first"]})
    return {model.record["response"]: model for model in _fitted(read, activities, given, checked, test)}


def _fitted(read: SequenceSet, activity: Any, given: dict[str, Any], settings: Settings, test: Any) -> list[MotifModel]:
    """Fit every response; the design is counted once for all of them."""
    checked = checked_problem(read, activity, given, pairs=settings.pairs, first=settings.first, test=test)
    problem = checked.problem
    with thread_limit(1):
        everything = problem.count()
        moments = everything.moments(problem.coding.transform)
        largest = largest_penalties(moments, problem.coding.position)
        noise = noise_penalties(problem.n_units // 2)
        penalties = (
            grid(largest[0], noise[0], settings.n_penalties),
            grid(largest[1], noise[1], settings.n_penalties),
        )
        finest = FINEST / np.sqrt(problem.n_units)
        predicting = grid(largest[0 if settings.model == "group_lasso" else 1], finest, settings.n_penalties)
        if isinstance(settings.penalty, float):
            predicting = np.array([settings.penalty])
        rule = "best" if isinstance(settings.penalty, float) else str(settings.penalty)
        is_refit = settings.is_refit and problem.family == "gaussian"
        if problem.family == "gaussian":
            stable = select_gaussian(problem, everything, penalties, settings.n_subsamples, settings.seed)
            choices = choose_penalty(
                problem, everything, predicting, model=settings.model, is_refit=is_refit, rule=rule, seed=settings.seed
            )
            path = paths_of(settings.model, moments, problem, predicting)
            coefs = [refitted(moments, path, t, is_refit)[choice.place] for t, choice in enumerate(choices)]
        else:
            fit = BinomialFit(problem)
            stable = select_binomial(fit, penalties, settings.n_subsamples, settings.seed)
            choices = [choose_binomial(fit, predicting, model=settings.model, rule=rule, seed=settings.seed)]
            path, intercepts = fit.path(settings.model, np.arange(len(problem.codes)), predicting)
            coefs = [path.coef[0, choices[0].place]]
    models = []
    for t, (one, choice, coef) in enumerate(zip(stable, choices, coefs, strict=True)):
        by_base = problem.coding.by_base(coef)
        if problem.family == "gaussian":
            intercept = float(problem.centre[t]) - _mean_part(problem, by_base)
        else:
            intercept = float(intercepts[choice.place]) + _constant_part(problem, coef, by_base)
        built = _model(problem, settings, one, choice, by_base, intercept, t, float(path.gap[t]), is_refit)
        heldout = choice.heldout
        if settings.pairs is not None:
            with thread_limit(1):
                built, heldout = with_pairs(built, problem, one, choice, settings, t)
        outside = (activity, given["weights"])
        kept = checked.test[t] if checked.test else None
        models.append(with_predictions(built, problem, read, outside, heldout, choice.fold, kept, t))
    return models


def _mean_part(problem: MotifProblem, by_base: np.ndarray) -> float:
    """Return the weighted mean of what the bases add."""
    parts = by_base[np.arange(problem.n_positions), problem.codes].sum(axis=1)
    return float(np.average(parts, weights=problem.weights))


def _constant_part(problem: MotifProblem, coef: np.ndarray, by_base: np.ndarray) -> float:
    """Return what a coding's columns leave out of a constant, so that sums over bases give the fit's scores."""
    counted = problem.design.matrix(np.arange(1))
    transform = problem.coding.transform
    coded = counted if transform is None else counted @ transform.T
    of_bases = by_base[np.arange(problem.n_positions), problem.codes[0]].sum()
    return float((coded @ coef)[0] - of_bases)


def _model(
    problem: MotifProblem,
    settings: Settings,
    stable: Stability,
    choice: Choice,
    by_base: np.ndarray,
    intercept: float,
    response: int,
    gap: float,
    is_refit: bool,
) -> MotifModel:
    table, bound, is_selected = position_table(
        problem, stable, by_base, settings.asked, settings.rule, settings.threshold, settings.first
    )
    occurs = problem.design.n_of_base > 0
    effect = np.nan_to_num(stable.effect.reshape(-1, 4))
    if not effect.any():
        effect = by_base
    prints = find_footprints(
        is_selected, stable.contribution, effect, problem.coding.reference, occurs, letters=problem.letters,
        gap=settings.gap, share=settings.share, first=settings.first, bound=bound,
    )  # fmt: skip
    prints = unmatched(prints)
    worst = max(stable.worst_gap, gap)
    score = "r" if problem.family == "gaussian" else "auc"
    share = "r2" if problem.family == "gaussian" else "deviance_explained"
    record = {
        "netinfer": __version__,
        "response": problem.names[response],
        "family": problem.family,
        **({"classes": [str(c) for c in problem.classes]} if problem.classes else {}),
        "n_sequences": len(problem.codes),
        "n_dropped": problem.n_dropped,
        "n_units": problem.n_units,
        "n_positions": problem.n_positions,
        "first": settings.first,
        "constant_positions": (problem.constant + settings.first).tolist(),
        "reference": "".join(problem.letters[b] for b in problem.coding.reference),
        "letters": problem.letters,
        "base_occurs": occurs.tolist(),
        **count_footprints(problem.codes, prints, effect, settings.first),
        "coding": problem.coding.name,
        "model": settings.model,
        "is_refit": is_refit,
        "penalty": float(choice.penalties[choice.place]),
        "penalty_rule": settings.penalty if isinstance(settings.penalty, str) else "given",
        "n_coefficients": int(np.count_nonzero(by_base)),
        "n_positions_in_model": int((by_base != 0).any(axis=1).sum()),
        "heldout": {
            share: float(choice.r2[choice.place]),
            f"{share}_se": float(choice.r2_se[choice.place]),
            score: number(choice.r[choice.place]),
            "meaning": "mean over ten folds of distinct sequences; the penalty was chosen on them",
        },
        "is_certified": worst <= CERTIFIED,
        "worst_duality_gap": worst,
        "n_subsamples": settings.n_subsamples,
        "n_penalties": settings.n_penalties,
        "rule": settings.rule,
        "threshold": settings.threshold,
        "gap": settings.gap,
        "footprint_share": settings.share,
        "seed": settings.seed,
        "effect": EFFECT,
        "not_counted": EXPECTED_FALSE_POSITIONS_NOTE,
        "notes": list(problem.notes),
    }
    cut = cut_record(table, settings.asked, problem.n_units)
    return MotifModel(by_base, intercept, table, prints, record, cut)
