"""Which motifs, at which distance, go with a response: the model of motifs by bins, and what it says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from netinfer import __version__
from netinfer.errors import ConfigError, InputError
from netinfer.io.ids import some
from netinfer.io.promoters import FEWEST_OF_A_LIST, of_class
from netinfer.kernels import thread_limit
from netinfer.models.checks import check_subsamples, check_threads
from netinfer.models.motif_sites.fits import (
    CONSTANT,
    Design,
    auc_interval,
    fit_path,
    held_out,
    largest_penalty,
    path_of_halves,
    select,
)
from netinfer.models.motif_sites.scores import SiteScores
from netinfer.stability import expected_false, q_values
from netinfer.stability.rules import THRESHOLD
from netinfer.stability.subsamples import check_seed

FEWEST = 20
FEWEST_OF_A_CLASS = 8
N_PENALTIES = 20
NOT_COUNTED = (
    "expected_false_motifs counts motifs selected by sampling chance, given independent promoters; it does not count "
    "motifs that stand in for another one, such as that of a related factor or of one without a matrix"
)


@dataclasses.dataclass(frozen=True, eq=False)
class MotifSiteModel:
    """Which motifs go with a response, and where.

    Attributes
    ----------
    motifs : DataFrame, one row a motif, most stable first
        motif, consensus, selection_probability, expected_false_motifs (NaN where no cut that admits it has a bound),
        q_value, is_selected, entry (rank in which it enters the path on all promoters; 0 where it does not), peak_start
        and peak_end (the bin of the largest effect, bases from the start; NaN without one), effect (there).
    bins : DataFrame, one row a motif and bin of the fit that predicts
        motif, start, end, effect: log odds, or the response's units, for each unit of the site score.
    held_out : dict
        auc, auc_low, auc_high (95 %, DeLong) of held-out promoters; or r and r2.
    provenance : dict
    """

    motifs: pd.DataFrame
    bins: pd.DataFrame
    held_out: dict[str, float]
    provenance: dict[str, Any]
    _names: tuple[str, ...]
    _edges: np.ndarray
    _coef: np.ndarray  # (n_motifs, n_bins), per unit of the site score
    _intercept: float

    def predict(self, scores: SiteScores) -> pd.Series:
        """Predict the response of promoters: its probability where there are two classes.

        Parameters
        ----------
        scores : SiteScores
            Of the same motifs and bins.

        Returns
        -------
        Series, indexed by gene

        Raises
        ------
        InputError
            If the motifs or the bins are others.
        """
        if scores.motifs != self._names or not np.array_equal(scores.edges, self._edges):
            raise InputError("scores: of other motifs or bins than the model: scan with the same motifs and widths")
        linear = self._intercept + np.einsum("gmb,mb->g", scores.strength, self._coef)
        is_binomial = self.provenance["family"] == "binomial"
        values = 1.0 / (1.0 + np.exp(-linear)) if is_binomial else linear
        return pd.Series(values, index=list(scores.genes), name="prediction")


def fit_motif_sites(
    scores: SiteScores,
    response: Mapping[str, Any] | pd.Series | Sequence[str],
    *,
    family: str = "binomial",
    n_subsamples: int = 100,
    expected_false_motifs: float = 1.0,
    threshold: float = THRESHOLD,
    seed: int = 0,
    threads: int = 1,
) -> MotifSiteModel:
    r"""Find the motifs, and their distances from the start, that go with a response: a group Lasso over motifs.

    Minimises the mean log loss (or half the mean squared error) plus :math:`\lambda \sum_m \sqrt{b_m} \|\beta_m\|_2`
    over motifs m with :math:`b_m` bins, whose columns have unit variance over the promoters.

    Parameters
    ----------
    scores : SiteScores
        From `scan_motifs` or `place_sites`.
    response : list of str, or mapping or Series of gene to value
        Binomial: the genes of one class, such as a regulon; a promoter is in it if one of the genes that it stands for
        is. Or a value for each promoter: two classes (0 and 1, or False and True), or numbers for ``gaussian``.
    family : {"binomial", "gaussian"}
    n_subsamples : int, even, >= 4
        Half-samples of promoters, in complementary pairs, with half of each class.
    expected_false_motifs : float, > 0
        Wished bound on motifs selected by chance.
    threshold : float in (1/2, 1]
        Selection probability that a motif needs.
    seed : int
    threads : int, >= 1
        The model does not depend on it.

    Returns
    -------
    MotifSiteModel

    Raises
    ------
    InputError
        If fewer than five of the genes given are among the promoters' (five shown), there are fewer than 20 promoters
        or 8 of a class, a value is not finite, or no motif's score varies.
    ConfigError
        If a setting is impossible.

    Notes
    -----
    The bound is that of Meinshausen and Buehlmann (2010), all motifs as candidates of one procedure; it takes it that
    chance selects all motifs without a part alike. It counts chance, not motifs that stand in for another. Group Lasso:
    Yuan and Lin (2006); for two classes Meier, van de Geer and Buehlmann (2008). Held-out figures are of five folds; a
    fold's penalty is the one that is best for the other folds.
    """
    _check_settings(family, n_subsamples, expected_false_motifs, threshold, threads)
    seed = check_seed(seed)
    rows, y, notes = _matched(scores, response, family)
    flat = scores.strength[rows].reshape(len(rows), -1)
    spread = flat.std(axis=0)
    kept = spread > CONSTANT * max(float(np.abs(flat).max()), 1.0)
    if not kept.any():
        raise InputError("scores: no motif's score varies over the promoters: nothing can be told apart by them")
    motif = np.repeat(np.arange(len(scores.motifs)), scores.n_bins)[kept]
    present, labels = np.unique(motif, return_inverse=True)
    if len(present) < len(scores.motifs):
        silent = [scores.motifs[m] for m in np.setdiff1d(np.arange(len(scores.motifs)), present)]
        notes.append(f"{len(silent)} motifs have the same score in every promoter and were left out: {some(silent)}")
    is_binomial = family == "binomial"
    mean, sd = (0.0, 1.0) if is_binomial else (float(y.mean()), float(y.std()))
    design = Design(flat[:, kept] / spread[kept], labels, len(present), (y - mean) / sd, is_binomial)
    with thread_limit(threads):
        penalties = path_of_halves(design, expected_false_motifs, threshold, N_PENALTIES, seed)
        selection, counts, gap = select(design, penalties, n_subsamples, seed)
        outside = held_out(design, N_PENALTIES, seed)
        fits = fit_path(design, outside.penalties)
        largest = largest_penalty(design)
        order = _entries(fit_path(design, np.geomspace(largest, outside.penalties[-1], 5 * N_PENALTIES)).motifs(design))
    coef = np.zeros(flat.shape[1])
    coef[kept] = fits.coef[outside.place] / spread[kept] * sd
    by_motif = coef.reshape(len(scores.motifs), scores.n_bins)
    sized = np.zeros(flat.shape[1])
    sized[kept] = np.abs(fits.coef[outside.place])
    bound = np.full(len(present), np.inf)
    passing = counts.max(axis=1) > n_subsamples // 2
    gated = dataclasses.replace(selection, counts=counts[passing])
    bound[passing] = expected_false(gated, "meinshausen_buhlmann", threshold=threshold)
    table = _motif_table(
        scores, present, counts.max(axis=1) / n_subsamples, bound, expected_false_motifs, order, by_motif,
        sized.reshape(by_motif.shape),
    )  # fmt: skip
    provenance = {
        "netinfer": __version__,
        "model": "motif_sites",
        "family": family,
        "n_promoters": len(rows),
        **({"n_cases": int(y.sum())} if is_binomial else {}),
        "n_motifs": len(present),
        "n_bins": scores.n_bins,
        "score": scores.meaning,
        "n_subsamples": n_subsamples,
        "expected_false_motifs": expected_false_motifs,
        "threshold": threshold,
        "rule": "meinshausen_buhlmann",
        "penalties": penalties.tolist(),
        "penalty": float(outside.penalties[outside.place]),
        "worst_duality_gap": max(gap, fits.gap),
        "seed": seed,
        "not_counted": NOT_COUNTED,
        "notes": [*scores.notes, *notes],
    }
    starts, ends = np.tile(scores.edges[:-1], len(scores.motifs)), np.tile(scores.edges[1:], len(scores.motifs))
    bins = pd.DataFrame(
        {
            "motif": np.repeat(np.array(scores.motifs, object), scores.n_bins),
            "start": starts,
            "end": ends,
            "effect": coef,
        }
    )
    intercept = float(fits.intercept[outside.place]) * sd + mean
    figures = _held_out_figures(outside.score, design)
    return MotifSiteModel(table, bins, figures, provenance, scores.motifs, scores.edges, by_motif, intercept)


def _held_out_figures(score: np.ndarray, design: Design) -> dict[str, float]:
    if design.is_binomial:
        area, low, high = auc_interval(score, design.y > 0.5)
        return {"auc": area, "auc_low": low, "auc_high": high}
    is_flat = score.std() == 0.0
    r = 0.0 if is_flat else float(np.corrcoef(score, design.y)[0, 1])
    return {"r": r, "r2": 1.0 - float(((design.y - score) ** 2).mean())}


def _entries(is_in: np.ndarray) -> np.ndarray:
    """Return the rank in which each motif enters a path, 0 for those that do not; equal where they come together."""
    first = np.where(is_in.any(axis=0), is_in.argmax(axis=0), len(is_in))
    levels = np.unique(first[first < len(is_in)])
    before = np.array([np.count_nonzero(first < level) for level in levels])
    rank = np.zeros(len(first), np.int64)
    for level, n_before in zip(levels, before, strict=True):
        rank[first == level] = n_before + 1
    return rank


def _motif_table(scores, present, probability, bound, wanted, order, by_motif, sized) -> pd.DataFrame:
    """Return one row a motif, the most stable first."""
    n = len(scores.motifs)
    frame = pd.DataFrame({"motif": scores.motifs, "consensus": scores.consensus})
    for name, values, absent in (
        ("selection_probability", probability, 0.0),
        ("expected_false_motifs", np.where(np.isfinite(bound), bound, np.nan), np.nan),
        ("q_value", q_values(bound), np.nan),
        ("entry", order, 0),
    ):
        column = np.full(n, absent, dtype=np.asarray(values).dtype)
        column[present] = values
        frame[name] = column
    frame.insert(5, "is_selected", frame["expected_false_motifs"].le(wanted).to_numpy())
    peak = sized.argmax(axis=1)
    has_effect = sized.max(axis=1) > 0
    frame["peak_start"] = np.where(has_effect, scores.edges[peak], np.nan)
    frame["peak_end"] = np.where(has_effect, scores.edges[peak + 1], np.nan)
    frame["effect"] = np.where(has_effect, by_motif[np.arange(n), peak], 0.0)
    entry = np.where(frame["entry"] > 0, frame["entry"], n + 1)
    place = np.lexsort((frame["motif"], entry, -frame["selection_probability"]))
    return frame.iloc[place].reset_index(drop=True)


def _check_settings(family, n_subsamples, expected_false_motifs, threshold, threads) -> None:
    if family not in ("binomial", "gaussian"):
        raise ConfigError(f"fit_motif_sites: family: {family!r} is unknown: use binomial or gaussian")
    check_subsamples("fit_motif_sites", n_subsamples)
    check_threads("fit_motif_sites", threads)
    if not (isinstance(expected_false_motifs, int | float) and expected_false_motifs > 0):
        raise ConfigError(f"fit_motif_sites: expected_false_motifs: {expected_false_motifs!r} is not above 0")
    if not (isinstance(threshold, int | float) and 0.5 < threshold <= 1.0):
        raise ConfigError(f"fit_motif_sites: threshold: {threshold!r} is not above 0.5 and at most 1")


def _matched(scores: SiteScores, response: Any, family: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the promoters that have a response, and it."""
    notes: list[str] = []
    if hasattr(response, "keys") or isinstance(response, pd.Series):
        values = dict(response.items())
        rows = [g for g, gene in enumerate(scores.genes) if gene in values]
        if len(rows) < FEWEST_OF_A_LIST:
            raise InputError(
                f"response: {len(rows)} of its {len(values)} ids are promoters; it has {some(list(map(str, values)))}, "
                f"the promoters {some(list(scores.genes))}: use one kind of id"
            )
        if len(rows) < len(values):
            absent = [str(gene) for gene in values if gene not in set(scores.genes)]
            notes.append(f"{len(absent)} ids of the response have no promoter: {some(absent)}")
        y = np.array([values[scores.genes[g]] for g in rows], dtype=np.float64)
    else:
        if family != "binomial":
            raise ConfigError("fit_motif_sites: a list of genes is one of two classes: give values for family gaussian")
        rows = list(range(len(scores.genes)))
        is_of, notes = of_class({gene: scores.members[gene] for gene in scores.genes}, response)
        y = is_of.astype(np.float64)
    _check_response(y, family)
    return np.array(rows), y, notes


def _check_response(y: np.ndarray, family: str) -> None:
    if not np.isfinite(y).all():
        raise InputError("response: a value is missing or not finite: leave such promoters out")
    if len(y) < FEWEST:
        raise InputError(f"response: {len(y)} promoters have one, at least {FEWEST} are needed")
    if family == "gaussian":
        if np.ptp(y) == 0:
            raise InputError("response: the same value for every promoter")
        return
    if not np.isin(y, (0.0, 1.0)).all():
        raise InputError("response: two classes are 0 and 1, or False and True; for numbers take family gaussian")
    n_fewer = int(min(y.sum(), len(y) - y.sum()))
    if n_fewer < FEWEST_OF_A_CLASS:
        raise InputError(f"response: {n_fewer} promoters of the smaller class, at least {FEWEST_OF_A_CLASS} are needed")
