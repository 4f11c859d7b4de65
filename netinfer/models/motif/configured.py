"""The position models of a library as its config asks for them: read, checked, fitted, written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from netinfer.errors import ConfigError
from netinfer.io.columns import Column
from netinfer.io.libraries import Library, read_library
from netinfer.io.motifs import read_motifs
from netinfer.io.sequences import as_sequences
from netinfer.io.tables import read_tsv, write_tsv
from netinfer.models.motif.checks import checked_problem
from netinfer.models.motif.fit import fit_motif_responses

if TYPE_CHECKING:
    from netinfer.config import LibraryConfig
    from netinfer.models.motif.model import MotifModel

LIBRARY_MODELS = (
    Column("response", "string", "", "column of the activity"),
    Column("folder", "string", "", "folder of its model, beside this file"),
    Column("n_sequences", "int", "", "sequences of the fit"),
    Column("n_units", "int", "", "distinct ones among them: the independent units"),
    Column("n_positions", "int", "", "positions"),
    Column("n_selected", "int", "", "positions at the cut"),
    Column("expected_false_positions", "float", "positions", "bound on those of them that are there by chance", True),
    Column("n_footprints", "int", "", "footprints"),
    Column("n_coefficients", "int", "", "coefficients of the model that predicts"),
    Column("heldout_r", "float", "", "correlation of predicted and measured activity, mean over held-out folds", True),
    Column("heldout_r2", "float", "", "share of the variance explained, mean over held-out folds", True),
    Column("heldout_auc", "float", "", "two classes: area under the ROC curve, mean over held-out folds", True),
    Column("test_r", "float", "", "as heldout_r, of the sequences kept out by the split", True),
    Column("test_r2", "float", "", "as heldout_r2, of these", True),
    Column("test_auc", "float", "", "as heldout_auc, of these", True),
    Column("reason", "string", "", "why no position is at the cut; else empty"),
)


def open_library(settings: LibraryConfig) -> Library:
    """Read the library that a config names.

    Raises
    ------
    InputError
        As `netinfer.io.libraries.read_library`.
    """
    return read_library(
        settings.sequences,
        activity=settings.activity,
        activities=settings.activities,
        sequence=settings.sequence,
        several=settings.several,
        id=settings.id,
        weight=settings.weight,
        split=settings.split,
        test=settings.test,
        classes=settings.family == "binomial",
    )


def check_library(settings: LibraryConfig) -> list[str]:
    """Say what a library holds, in lines for people; no fit is made.

    Raises
    ------
    ConfigError, InputError
        If it cannot be fitted: see `netinfer.fit_motif_positions`.
    """
    library = open_library(settings)
    given = {key: settings.fitting[key] for key in ("family", "coding", "reference", "ambiguous", "align", "positive")}
    given["weights"] = library.weights
    sequences = as_sequences(library.sequences, align=settings.align, where=settings.sequences)
    checked = checked_problem(
        sequences, library.activity, given, pairs=settings.pairs, first=settings.first, test=library.is_test
    )
    problem = checked.problem
    named_folders(list(library.activity.columns))
    n_test = 0 if library.is_test is None else int(library.is_test.sum())
    lines = [
        f"{settings.name}: {len(problem.codes)} sequences of {problem.n_positions} bases to fit"
        + (f", {n_test} kept out" if n_test else ""),
        f"  activity: {', '.join(problem.names)} ({settings.family}); independent units: {problem.n_units} "
        "(distinct sequences)",
    ]
    if problem.classes:
        other, modelled = problem.classes
        n = int((problem.responses[:, 0] > 0).sum())
        lines.append(
            f"  modelled are the odds of {str(modelled)!r} ({n} of {len(problem.codes)})"
            + ("" if settings.positive else f": set `positive` for those of {str(other)!r}")
        )
    if settings.motifs is not None:
        lines.append(f"  motifs: {len(read_motifs(settings.motifs))}")
    of_test = dict.fromkeys(note for kept in checked.test for note in kept.notes)
    return lines + [f"  {note}" for note in (*library.notes, *problem.notes, *of_test)]


def fit_library(settings: LibraryConfig, *, seed: int = 0) -> dict[str, MotifModel]:
    """Fit the position models of a library, one a response.

    Parameters
    ----------
    settings : LibraryConfig
    seed : int

    Returns
    -------
    dict of MotifModel by response

    Raises
    ------
    ConfigError, InputError
        As `netinfer.fit_motif_positions`.
    """
    library = open_library(settings)
    models = fit_motif_responses(
        as_sequences(library.sequences, align=settings.align, where=settings.sequences),
        library.activity,
        weights=library.weights,
        test=library.is_test,
        seed=seed,
        **{key: value for key, value in settings.fitting.items() if key != "align"},
    )
    for model in models.values():
        model.record["notes"] = [*library.notes, *model.record["notes"]]
        model.record["name"] = settings.name
    return models


def write_models(folder: str | Path, models: Mapping[str, MotifModel], motifs: str | None = None) -> None:
    """Write models.tsv and, under ``motif``, a folder for each response.

    Parameters
    ----------
    folder : path
        The library's.
    models : mapping of response to MotifModel
    motifs : path, optional
        Motif file that footprints are compared with.
    """
    known = None if motifs is None else read_motifs(motifs)
    names = named_folders(list(models))
    for response, model in models.items():
        model.write(Path(folder, names[response]), motifs=known)
    write_tsv(Path(folder, "models.tsv"), model_table(models), LIBRARY_MODELS)


def read_models(folder: str | Path) -> dict[str, MotifModel]:
    """Read what `write_models` wrote.

    Raises
    ------
    InputError
        If a file is missing or damaged.
    """
    from netinfer.models.motif.model import MotifModel

    table = read_tsv(Path(folder, "models.tsv"), LIBRARY_MODELS)
    return {
        str(response): MotifModel.read(Path(folder, str(place)))
        for response, place in zip(table["response"], table["folder"], strict=True)
    }


def model_table(models: Mapping[str, MotifModel]) -> pd.DataFrame:
    """Return one row a model: see `LIBRARY_MODELS`."""
    names = named_folders(list(models))
    rows = []
    for response, model in models.items():
        record, cut = model.record, model.cut
        figures = {
            f"{kind}_{name}": record.get(kind, {}).get(name, np.nan)
            for kind in ("heldout", "test")
            for name in ("r", "r2", "auc")
        }
        rows.append(
            {
                "response": response,
                "folder": names[response],
                **{key: record[key] for key in ("n_sequences", "n_units", "n_positions", "n_coefficients")},
                "n_selected": cut["n_positions"],
                "expected_false_positions": cut["expected_false_positions"],
                "n_footprints": len(model.footprints),
                **figures,
                "reason": cut["reason"],
            }
        )
    return pd.DataFrame(rows)[[column.name for column in LIBRARY_MODELS]]


def named_folders(responses: list[str], parent: str = "motif") -> dict[str, str]:
    """Return the folder of each response, within a folder `parent`.

    Raises
    ------
    ConfigError
        If two responses would have one folder.
    """
    found: dict[str, str] = {}
    taken: dict[str, str] = {}
    for response in responses:
        name = re.sub(r"[^A-Za-z0-9_.-]+", "_", response).strip("._")[:64] or "response"
        if other := taken.get(name.casefold()):
            raise ConfigError(f"responses: {other!r} and {response!r} would be written to one folder: rename one")
        taken[name.casefold()] = response
        found[response] = f"{parent}/{name}"
    return found
