"""Which motifs, at which distance, go with a response: the model of motifs by bins, and what it says."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from netinfer import __version__
from netinfer.errors import InputError
from netinfer.io.columns import conform
from netinfer.io.files import made_folder
from netinfer.io.ids import some
from netinfer.io.site_columns import SITE_BINS, SITE_MOTIFS
from netinfer.io.tables import read_json, read_tsv, write_json, write_tsv
from netinfer.kernels import thread_limit
from netinfer.models.motif_sites.fits import (
    CONSTANT,
    Design,
    entries,
    fit_path,
    held_out,
    held_out_figures,
    largest_penalty,
    path_of_halves,
    select,
)
from netinfer.models.motif_sites.responses import check_settings, check_units, matched
from netinfer.models.motif_sites.scores import SiteScores
from netinfer.models.motif_sites.tables import motif_table
from netinfer.plot.axes import aside, save
from netinfer.stability import expected_false
from netinfer.stability.rules import THRESHOLD
from netinfer.stability.subsamples import check_seed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIRST_DRAWN = 6
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
        motif, start, end, effect: log odds, or the response's units, for each unit of the site score; effect_per_sd:
        for each standard deviation of it over the promoters.
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

    def write(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write motifs.tsv, bins.tsv, model.json and effects.png and .svg into a folder, each whole or not at all.

        Parameters
        ----------
        folder : path
            Made where it does not exist.

        Returns
        -------
        list of Path

        Raises
        ------
        RunError
            If a file cannot be written.
        """
        folder = made_folder(folder)
        files = [folder / name for name in ("motifs.tsv", "bins.tsv", "model.json", "effects.png", "effects.svg")]
        write_tsv(files[0], self.motifs, SITE_MOTIFS)
        write_tsv(files[1], self.bins, SITE_BINS)
        write_json(files[2], {**self.provenance, "held_out": self.held_out, "intercept": self._intercept})
        with aside():
            drawn = self.plot()
        for file in files[3:]:
            save(drawn, file)
        return files

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> MotifSiteModel:
        """Read back a model from a folder that `write` made, equal in every value.

        Raises
        ------
        InputError
            If a file is missing or damaged, or the files are of different models.
        """
        folder = Path(folder)
        record = read_json(folder / "model.json")
        motifs, bins = read_tsv(folder / "motifs.tsv", SITE_MOTIFS), read_tsv(folder / "bins.tsv", SITE_BINS)
        names, n_bins = tuple(dict.fromkeys(bins["motif"])), int(record.get("n_bins") or 0)
        figures, intercept = record.pop("held_out", None), record.pop("intercept", None)
        if figures is None or intercept is None or not n_bins or len(bins) != len(names) * n_bins:
            raise InputError(f"{folder}: bins.tsv and model.json are not of one model: write it again")
        if set(names) != set(motifs["motif"]):
            raise InputError(f"{folder}: motifs.tsv and bins.tsv are not of one model: write it again")
        edges = np.append(bins["start"].to_numpy()[:n_bins], bins["end"].to_numpy()[n_bins - 1])
        coef = bins["effect"].to_numpy().reshape(len(names), n_bins)
        return cls(motifs, bins, figures, record, names, edges, coef, intercept)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the effects of the selected motifs by distance; the first to enter where none is selected.

        Parameters
        ----------
        ax : Axes, optional

        Returns
        -------
        Axes
            See `netinfer.plot.site_effects`.
        """
        from netinfer.plot import site_effects

        chosen = self.motifs[self.motifs["is_selected"]]
        title = "selected motifs"
        if chosen.empty:
            chosen = self.motifs[self.motifs["entry"] > 0].sort_values("entry", kind="stable").head(FIRST_DRAWN)
            title = "no motif is selected; the first to enter"
        unit = "log odds" if self.provenance["family"] == "binomial" else "response"
        known = chosen[chosen["peak_start"].notna()]
        peaks = dict(zip(known["motif"], known["peak_start"].astype(float), strict=True))
        return site_effects(self.bins, chosen["motif"].tolist(), peaks=peaks, unit=unit, title=title, ax=ax)

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
    fold's penalty is the one that is best for the other folds. Half-samples and folds are of units: promoters that
    share half of their bases or more stay together.
    """
    check_settings("fit_motif_sites", family, n_subsamples, expected_false_motifs, threshold, threads)
    seed = check_seed(seed)
    rows, y, notes = matched(scores, response, family)
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
    unit = pd.factorize(scores.units[rows])[0]
    design = Design(flat[:, kept] / spread[kept], labels, len(present), (y - mean) / sd, is_binomial, unit)
    check_units(design.classes() if is_binomial else None, int(unit.max()) + 1)
    with thread_limit(threads):
        penalties = path_of_halves(design, expected_false_motifs, threshold, N_PENALTIES, seed)
        selection, counts, gap = select(design, penalties, n_subsamples, seed)
        outside = held_out(design, N_PENALTIES, seed)
        fits = fit_path(design, outside.penalties)
        largest = largest_penalty(design)
        order = entries(fit_path(design, np.geomspace(largest, outside.penalties[-1], 5 * N_PENALTIES)).motifs(design))
    coef = np.zeros(flat.shape[1])
    coef[kept] = fits.coef[outside.place] / spread[kept] * sd
    by_motif = coef.reshape(len(scores.motifs), scores.n_bins)
    sized = np.zeros(flat.shape[1])
    sized[kept] = np.abs(fits.coef[outside.place])
    bound = np.full(len(present), np.inf)
    passing = counts.max(axis=1) > n_subsamples // 2
    gated = dataclasses.replace(selection, counts=counts[passing])
    bound[passing] = expected_false(gated, "meinshausen_buhlmann", threshold=threshold)
    table = motif_table(
        scores, present, counts.max(axis=1) / n_subsamples, bound, expected_false_motifs, order, by_motif,
        sized.reshape(by_motif.shape),
    )  # fmt: skip
    provenance = {
        "netinfer": __version__,
        "model": "motif_sites",
        "family": family,
        "n_promoters": len(rows),
        "n_units": int(unit.max()) + 1,
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
            "effect_per_sd": coef * spread,
        }
    )
    intercept = float(fits.intercept[outside.place]) * sd + mean
    bins = conform(bins, SITE_BINS, where="bins")
    figures = held_out_figures(outside.score, design)
    return MotifSiteModel(table, bins, figures, provenance, scores.motifs, scores.edges, by_motif, intercept)


def fit_motif_site_responses(scores: SiteScores, table: pd.DataFrame, **settings: Any) -> dict[str, MotifSiteModel]:
    """Fit a model for each of several responses of the same promoters: conditions, activities of modules, classes.

    Parameters
    ----------
    scores : SiteScores
    table : DataFrame, promoters x responses
        Indexed by gene; a promoter whose value is missing is left out of that response.
    **settings
        Of `fit_motif_sites`, for all responses alike.

    Returns
    -------
    dict of str to MotifSiteModel
        By column, each as `fit_motif_sites` gives it; errors of several responses add up.

    Raises
    ------
    InputError
        If there is no column or two of one name; as `fit_motif_sites`, with the column.
    ConfigError
        If a setting is impossible.
    """
    if not isinstance(table, pd.DataFrame) or not table.shape[1]:
        raise InputError("table: not a DataFrame with a column for each response: give promoters x responses")
    names = [str(name) for name in table.columns]
    if len(set(names)) < len(names):
        raise InputError(f"table: a response is there twice among {some(names)}: rename it")
    models = {}
    for k, name in enumerate(names):
        column = table.iloc[:, k].dropna()
        try:
            models[name] = fit_motif_sites(scores, column, **settings)
        except InputError as error:
            raise InputError(f"table: column {name!r}: {error}") from error
    return models
