"""Interactions between chosen positions: group Lasso over pairs of positions, beside their single bases.

Only positions that are chosen themselves are paired (strong heredity; Bien, Taylor and Tibshirani 2013). What single
bases explain is projected out of pairs and activity in each half-sample, so that a pair stands for what two bases do
together beyond what each does alone.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
from scipy import stats

from netinfer.models.motif.choice import N_FOLDS, Choice, folds, score, shares
from netinfer.models.motif.halves import NOISE_LEVEL, Stability, grid
from netinfer.models.motif.heldout import fold_figures
from netinfer.models.motif.model import MotifModel
from netinfer.models.motif.paths import Paths, largest_penalties, least_squares, position_paths
from netinfer.models.motif.problem import MotifProblem
from netinfer.models.motif.settings import CERTIFIED, Settings
from netinfer.moments import Moments, project_out
from netinfer.moments.onehot import N_BASES, BaseCounts, count_bases
from netinfer.moments.onehot_pairs import PairDesign, pair_design
from netinfer.stability import SelectionCounts, complementary_pair, expected_false, q_values

# Most positions that are paired: 190 pairs, 1,770 columns. The strongest are taken where there are more.
MOST_POSITIONS = 20


@dataclasses.dataclass(frozen=True, eq=False)
class PairFit:
    """Pairs of positions, and the coefficients that replace those of the chosen positions' bases.

    Attributes
    ----------
    table : DataFrame
        One row a pair of chosen positions: see `netinfer.models.motif.columns.PAIRS`.
    terms : DataFrame
        position_1, base_1, position_2, base_2 (codes 0 to 3), coef: what two bases add where they are together.
    coef : float array, shape (n_positions, 4)
        Of single bases: refitted beside the pairs at the chosen positions, as before elsewhere.
    heldout : dict
        R2, its standard error and r over the folds, with and without pairs, of what the other positions leave of the
        activity.
    gap : float
    predicted : float array, shape (n,)
        Of each sequence, what single bases and pairs give by the fits without its fold: the response less its mean.
    """

    table: pd.DataFrame
    terms: pd.DataFrame
    coef: np.ndarray
    heldout: dict[str, float]
    gap: float
    predicted: np.ndarray


def fit_pairs(
    problem: MotifProblem,
    by_base: np.ndarray,
    positions: np.ndarray,
    weight: np.ndarray,
    *,
    choice: Choice,
    settings: Settings,
    response: int,
) -> PairFit | None:
    """Select pairs among chosen positions by stability selection, and refit with the pairs that predict.

    Parameters
    ----------
    problem : MotifProblem
        Pairs are fitted against the commonest base of each position, and written in the problem's coding.
    by_base : float array, shape (n_positions, 4)
        Of the model without pairs; what it says of other positions is taken off first.
    positions : int array, rising
    weight : float array, shape (n_positions,)
        Decides which positions are paired where there are more than `MOST_POSITIONS`.
    choice : Choice
        The folds, and the fits to them without pairs.
    settings : Settings
        As for the positions; pairs are cut at the same ``fdr``, 0.1 where another cut is asked for.
    response : int

    Returns
    -------
    PairFit, or None where no two positions vary together.
    """
    if len(positions) > MOST_POSITIONS:
        positions = np.sort(positions[np.argsort(-weight[positions], kind="stable")[:MOST_POSITIONS]])
    pairs = pair_design(problem.design, positions)
    if not len(pairs.label):
        return None
    others = by_base.copy()
    others[positions] = 0.0
    rest = others[np.arange(problem.n_positions), problem.codes].sum(axis=1)
    left = problem.responses[:, response] - (rest - np.average(rest, weights=problem.weights))
    run = _Run(problem, pairs, left[:, None])
    table = _table(run, settings)
    everything = run.count(None)
    moments = everything.moments()
    penalties = run.grid(everything, settings.n_penalties, problem.n_units, 0.25)
    heldout, place = _choose(run, everything, penalties, settings.seed)
    path = run.path(moments, penalties)
    coef = run.refit(moments, path)[place]
    n = len(pairs.label)
    single = others
    single[problem.design.position[pairs.single], problem.design.base[pairs.single]] = coef[n:]
    terms = pd.DataFrame(
        {
            "position_1": problem.design.position[pairs.left],
            "base_1": problem.design.base[pairs.left],
            "position_2": problem.design.position[pairs.right],
            "base_2": problem.design.base[pairs.right],
            "coef": coef[:n],
        }
    )
    single, terms = _in_coding(problem, positions, single, terms[terms["coef"] != 0].reset_index(drop=True))
    predicted = _predicted(run, positions, penalties[: place + 1], choice, response)
    return PairFit(table, terms, single, heldout, float(path.gap[0]), predicted)


def _predicted(run: _Run, positions: np.ndarray, penalties: np.ndarray, choice: Choice, response: int) -> np.ndarray:
    """Fit other positions, single bases and pairs anew without each fold, and predict its sequences, (n,)."""
    problem = run.problem
    out = np.empty(len(problem.codes))
    for k, coef in enumerate(choice.fold_coef):
        inside = choice.fold == k
        others = problem.coding.by_base(coef)
        others[positions] = 0.0
        rest = others[np.arange(problem.n_positions), problem.codes].sum(axis=1)
        rest -= np.average(rest, weights=problem.weights)
        of_fold = _Run(problem, run.pairs, (problem.responses[:, response] - rest)[:, None])
        moments = of_fold.count(np.flatnonzero(~inside)).moments()
        found = of_fold.refit(moments, of_fold.path(moments, penalties))[-1]
        start = moments.target_mean[0] - found @ moments.regulator_mean
        out[inside] = rest[inside] + start + run.pairs.design.matrix(np.flatnonzero(inside)) @ found
    return out


def _in_coding(
    problem: MotifProblem, positions: np.ndarray, single: np.ndarray, terms: pd.DataFrame
) -> tuple[np.ndarray, pd.DataFrame]:
    """Write a fit against the commonest bases in the problem's coding; predictions change by a constant alone.

    Of a function of two bases the mean over either one (at the reference base, or over the bases that occur) goes to
    the other's single coefficients.
    """
    coding, occurs = problem.coding, problem.design.n_of_base > 0
    is_reference = coding.name == "reference"
    if is_reference and np.array_equal(coding.reference[positions], problem.design.modal[positions]):
        return single, terms
    mean = np.eye(N_BASES)[coding.reference] if is_reference else occurs / occurs.sum(axis=1, keepdims=True)
    kept = occurs & (mean == 0.0) if is_reference else occurs
    single, parts = single.copy(), []
    for p, q in np.unique(terms[["position_1", "position_2"]].to_numpy(dtype=np.int64), axis=0):
        group = terms[(terms["position_1"] == p) & (terms["position_2"] == q)]
        both = np.zeros((N_BASES, N_BASES))
        both[group["base_1"], group["base_2"]] = group["coef"]
        left, right = both @ mean[q], mean[p] @ both
        single[p] += left
        single[q] += right
        both += mean[p] @ left - left[:, None] - right[None, :]
        a, b = np.nonzero(np.outer(kept[p], kept[q]))
        found = {"position_1": p, "base_1": a, "position_2": q, "base_2": b, "coef": both[a, b]}
        parts.append(pd.DataFrame(found))
    single[positions] -= (mean * single).sum(axis=1)[positions, None]
    single[~occurs] = 0.0
    return single, pd.concat(parts, ignore_index=True) if parts else terms


def with_pairs(
    model: MotifModel, problem: MotifProblem, stable: Stability, choice: Choice, settings: Settings, response: int
) -> tuple[MotifModel, np.ndarray]:
    """Add interactions between chosen positions to a model; return its held-out predictions beside it."""
    first = settings.first
    if settings.pairs == "selected":
        chosen = model.positions.loc[model.positions["is_selected"], "position"].unique() - first
    elif settings.pairs == "model":
        chosen = np.flatnonzero((model.coef != 0).any(axis=1))
    else:
        chosen = np.unique(np.array(settings.pairs, dtype=np.int64)) - first
    found = None
    if len(chosen) > 1:
        found = fit_pairs(
            problem, model.coef, np.asarray(chosen), stable.contribution, choice=choice, settings=settings,
            response=response,
        )  # fmt: skip
    if found is None:
        model.record["notes"].append(
            "pairs: fewer than two positions to pair, or no two bases are together often enough"
        )
        return model, choice.heldout
    table, terms = found.table.copy(), found.terms.copy()
    for name in ("position_1", "position_2"):
        table[name] += first
        terms[name] += first
    for name in ("base_1", "base_2"):
        terms[name] = [problem.letters[b] for b in terms[name]]
    built = dataclasses.replace(model, coef=found.coef, intercept=0.0, pairs=table, terms=terms)
    added = built.scores(problem.codes)
    intercept = float(problem.centre[response] - np.average(added, weights=problem.weights))
    positions = model.positions.copy()
    codes = [problem.letters.index(base) for base in positions["base"]]
    positions["coef"] = found.coef[positions["position"] - first, codes]
    worst = max(model.record["worst_duality_gap"], found.gap)
    record = {
        **model.record,
        "n_coefficients": int(np.count_nonzero(found.coef)) + len(terms),
        "n_pair_coefficients": len(terms),
        "heldout_pairs": found.heldout,
        "heldout_with_pairs": {
            **fold_figures(problem.responses[:, response], found.predicted, choice.fold, problem.weights),
            "meaning": "as heldout, of bases and pairs; which positions are paired was chosen on all folds",
        },
        "worst_duality_gap": worst,
        "is_certified": worst <= CERTIFIED,
    }
    return dataclasses.replace(built, intercept=intercept, positions=positions, record=record), found.predicted


class _Run:
    """Counts and paths of one pair design."""

    def __init__(self, problem: MotifProblem, pairs: PairDesign, responses: np.ndarray) -> None:
        self.problem, self.pairs, self.responses = problem, pairs, responses
        self.n_pairs, self.n_single = len(pairs.positions), len(pairs.single)

    def count(self, rows: np.ndarray | None) -> BaseCounts:
        return count_bases(self.pairs.design, self.responses, self.problem.weights, rows)

    def grid(self, everything: BaseCounts, n_penalties: int, n_units: int, share: float) -> np.ndarray:
        """Return penalties down to a share of that at which a pair of noise enters in one of twenty samples."""
        sizes = np.bincount(self.pairs.label)
        noise = np.sqrt(stats.chi2.isf(NOISE_LEVEL, sizes.max()) / sizes.max() / n_units)
        left = project_out(everything.moments(), self.n_single)
        return grid(largest_penalties(left, self.pairs.label)[0], share * noise, n_penalties)

    def path(self, moments: Moments, penalties: np.ndarray) -> Paths:
        """Fit the group Lasso over pairs to what single bases leave."""
        return position_paths(project_out(moments, self.n_single), self.pairs.label, self.n_pairs, penalties)

    def single_bases(self, moments: Moments) -> np.ndarray:
        """Regress on all single bases alone, (n_columns,)."""
        n = len(self.pairs.label)
        out = np.zeros(n + self.n_single)
        out[n:] = least_squares(moments, n + np.arange(self.n_single), 0)
        return out

    def refit(self, moments: Moments, path: Paths) -> np.ndarray:
        """Regress on all single bases and the pairs selected at each penalty, (n_penalties, n_columns)."""
        n = len(self.pairs.label)
        out = np.zeros((len(path.coef[0]), n + self.n_single))
        for k, shrunk in enumerate(path.coef[0]):
            chosen = np.append(np.flatnonzero(shrunk), n + np.arange(self.n_single))
            out[k, chosen] = least_squares(moments, chosen, 0)
        return out


def _table(run: _Run, settings: Settings) -> pd.DataFrame:
    n_subsamples, n_penalties = settings.n_subsamples, settings.n_penalties
    problem, everything = run.problem, run.count(None)
    penalties = run.grid(everything, n_penalties, problem.n_units // 2, 1.0)
    counts = np.zeros((run.n_pairs, n_penalties), np.int64)
    n_selected, n_union, weight = np.zeros((1, n_penalties)), np.zeros((1, n_penalties)), np.zeros(run.n_pairs)
    for pair in range(n_subsamples // 2):
        for units in complementary_pair(problem.n_units, pair, seed=settings.seed):
            path = run.path(run.count(problem.rows_of(units)).moments(), penalties)
            is_in = path.contribution[0] > 0
            counts += is_in.T
            n_selected += is_in.sum(axis=1) / n_subsamples
            n_union += np.logical_or.accumulate(is_in, axis=0).sum(axis=1) / n_subsamples
            weight += path.contribution[0, -1] / n_subsamples
    most = counts.max(axis=1)
    bound, q_value = np.full(run.n_pairs, np.nan), np.full(run.n_pairs, np.nan)
    gate = np.flatnonzero(most > n_subsamples // 2)
    selection = SelectionCounts(n_subsamples, np.array([float(run.n_pairs)]), n_selected, n_union, counts[gate])
    found = expected_false(selection, settings.rule, threshold=settings.threshold)
    bound[gate], q_value[gate] = np.where(np.isinf(found), np.nan, found), q_values(found)
    first, second = run.pairs.positions.T
    return pd.DataFrame(
        {
            "position_1": first,
            "position_2": second,
            "distance": second - first,
            "weight": weight,
            "selection_probability": most / n_subsamples,
            "expected_false_pairs": bound,
            "q_value": q_value,
            "is_selected": np.nan_to_num(q_value, nan=np.inf) <= settings.asked.get("fdr", 0.1),
        }
    )


def _choose(run: _Run, everything: BaseCounts, penalties: np.ndarray, seed: int) -> tuple[dict[str, float], int]:
    """Choose the penalty by the one-standard-error rule over the folds; return the figures and its place."""
    fold = folds(run.problem.n_units, seed)[run.problem.unit]
    error, r = np.zeros((N_FOLDS, len(penalties))), np.zeros((N_FOLDS, len(penalties)))
    base, alone = np.zeros(N_FOLDS), np.zeros((N_FOLDS, 1))
    for k in range(N_FOLDS):
        inside = run.count(np.flatnonzero(fold == k))
        test, train = inside.moments(), (everything - inside).moments()
        error[k], base[k], r[k] = score(run.refit(train, run.path(train, penalties)), train, test, 0)
        alone[k] = score(run.single_bases(train)[None], train, test, 0)[0]
    r2 = shares(error, base)
    mean, se = r2.mean(axis=0), r2.std(axis=0, ddof=1) / np.sqrt(N_FOLDS)
    best = int(mean.argmax())
    place = int((mean >= mean[best] - se[best]).argmax())
    figures = {
        "r2": float(mean[place]),
        "r2_se": float(se[place]),
        "r": float(np.nanmean(r[:, place])),
        "r2_without_pairs": float(shares(alone, base).mean()),
    }
    return figures, place
