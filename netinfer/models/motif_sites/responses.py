"""What a model of motifs by distance is asked: its settings, and the promoters that have a response."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.io.ids import some
from netinfer.io.promoters import FEWEST_OF_A_LIST, of_class
from netinfer.models.checks import check_subsamples, check_threads
from netinfer.models.motif_sites.scores import SiteScores

FEWEST = 20
FEWEST_OF_A_CLASS = 8
# Half-samples need two independent windows of each class, folds one outside.
FEWEST_OF_A_UNIT = 5


def check_settings(
    where: str, family: str, n_subsamples: Any, expected_false_motifs: Any, threshold: Any, threads: Any
) -> None:
    """Refuse impossible settings; `where` is named in the errors."""
    if family not in ("binomial", "gaussian"):
        raise ConfigError(f"{where}: family: {family!r} is unknown: use binomial or gaussian")
    check_subsamples(where, n_subsamples)
    check_threads(where, threads)
    if not (isinstance(expected_false_motifs, int | float) and expected_false_motifs > 0):
        raise ConfigError(f"{where}: expected_false_motifs: {expected_false_motifs!r} is not above 0")
    if not (isinstance(threshold, int | float) and 0.5 < threshold <= 1.0):
        raise ConfigError(f"{where}: threshold: {threshold!r} is not above 0.5 and at most 1")


def matched(scores: SiteScores, response: Any, family: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the promoters that have a response, the response itself, and notes."""
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
            known = set(scores.genes)
            absent = [str(gene) for gene in values if gene not in known]
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


def check_units(classes: np.ndarray | None, n_units: int) -> None:
    """Refuse too few independent units of promoters; `classes` has that of each, where there are two.

    Raises
    ------
    InputError
    """
    fewest = n_units if classes is None else int(min(classes.sum(), n_units - classes.sum()))
    need, what = (FEWEST, "") if classes is None else (FEWEST_OF_A_UNIT, " of the smaller class")
    if fewest < need:
        raise InputError(
            f"response: its promoters{what} are {fewest} independent windows, at least {need} are needed: others share "
            "half of their bases with these"
        )
