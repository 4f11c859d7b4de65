"""What a model of motifs by distance is asked: its settings, and the promoters that have a response."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError, InputError
from netinfer.io.ids import some
from netinfer.models.motif_sites.scores import SiteScores

FEWEST = 20
FEWEST_OF_A_CLASS = 8


def check_settings(
    where: str, family: str, n_subsamples: Any, expected_false_motifs: Any, threshold: Any, threads: Any
) -> None:
    """Refuse impossible settings; `where` is named in the errors."""
    if family not in ("binomial", "gaussian"):
        raise ConfigError(f"{where}: family: {family!r} is unknown: use binomial or gaussian")
    if isinstance(n_subsamples, bool) or not isinstance(n_subsamples, int) or n_subsamples < 4 or n_subsamples % 2:
        raise ConfigError(f"{where}: n_subsamples: {n_subsamples!r} is no even whole number of at least 4")
    if not (isinstance(expected_false_motifs, int | float) and expected_false_motifs > 0):
        raise ConfigError(f"{where}: expected_false_motifs: {expected_false_motifs!r} is not above 0")
    if not (isinstance(threshold, int | float) and 0.5 < threshold <= 1.0):
        raise ConfigError(f"{where}: threshold: {threshold!r} is not above 0.5 and at most 1")
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ConfigError(f"{where}: threads: {threads!r} is no whole number of at least 1")


def matched(scores: SiteScores, response: Any, family: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return the promoters that have a response, the response itself, and notes."""
    notes: list[str] = []
    if hasattr(response, "keys") or isinstance(response, pd.Series):
        values = dict(response.items())
        rows = [g for g, gene in enumerate(scores.genes) if gene in values]
        if len(rows) < 5:
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
        wanted = {str(gene) for gene in response}
        known = {gene for genes in scores.members.values() for gene in genes}
        absent = sorted(wanted - known)
        if len(wanted) - len(absent) < 5:
            raise InputError(
                f"response: {len(wanted) - len(absent)} of its {len(wanted)} genes are among the promoters', at least "
                f"5 are needed; it has {some(sorted(wanted))}, the promoters {some(sorted(known))}: use one kind of id"
            )
        if absent:
            notes.append(f"{len(absent)} of {len(wanted)} genes of the class have no promoter: {some(absent)}")
        rows = list(range(len(scores.genes)))
        y = np.array([any(gene in wanted for gene in scores.members[name]) for name in scores.genes], dtype=np.float64)
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
