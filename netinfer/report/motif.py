"""What the page on a motif-position model says."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from netinfer import plot
from netinfer.plot.axes import aside
from netinfer.report.content import settings_rows
from netinfer.report.figures import as_uri

# Rows of the table of positions, of that of pairs, and logos.
LISTED, PAIRS_LISTED, LOGOS = 25, 10, 12
# A match that chance would give less often than this is said to stand out.
STANDS_OUT = 0.05
BESIDE = {
    "positions.tsv": "every base of every position, with effect, interval and selection probability",
    "footprints.tsv": "the footprints, and the best match of each among the motifs that were given",
    "predictions.tsv": "each sequence with its activity and a prediction by a fit that never saw it",
    "pairs.tsv": "pairs of positions",
    "pair_terms.tsv": "what two bases add where they are together",
    "footprints.meme": "the footprints as matrices, for the MEME suite, Biopython or R",
    "model.json": "coefficients and record: what reads the model back",
}
RULES = {
    "shah_samworth": "the r-concave bound of Shah and Samworth (2013)",
    "meinshausen_buhlmann": "the bound of Meinshausen and Bühlmann (2010)",
}
_LONG = (
    "background",
    "base_occurs",
    "footprint_counts",
    "notes",
    "heldout",
    "heldout_pairs",
    "heldout_with_pairs",
    "test",
    "classes",
)


def motif_facts(model: Any, folder: Path, page: Path) -> dict[str, Any]:
    """Return what a page in the folder `page` shows on a `MotifModel`; its files in `folder` are linked."""
    record, cut = model.record, model.cut
    (asked, level) = next(iter(cut["asked"].items()))
    is_binomial = record["family"] == "binomial"
    of_position = model.positions.drop_duplicates("position")
    return {
        "record": record,
        "response": str(record["response"]),
        "is_binomial": is_binomial,
        "classes": [str(name) for name in record.get("classes", ())],
        "unit": f"log odds of “{record['classes'][1]}”" if is_binomial else "units of the activity",
        "is_met": bool(cut["met"]),
        "asked": f"{asked} = {level:g}",
        "reason": str(cut["reason"]),
        "advice": [] if cut["met"] else advice(record),
        "n_selected": int(cut["n_positions"]),
        "n_varying": len(of_position),
        "false_positions": cut["expected_false_positions"],
        "rule": RULES.get(record["rule"], str(record["rule"])),
        "footprints": [_footprint(row) for row in model.footprints.to_dict("records")],
        "has_matches": bool((model.footprints["best_match"] != "").any()),
        "stands_out": STANDS_OUT,
        "positions": position_rows(model.positions, cut["met"]),
        "n_listed": LISTED,
        "scores": score_rows(record),
        "pairs": _pairs(model),
        "has_effects": bool(model.positions["effect"].notna().any()),
        "constant": [str(p) for p in record["constant_positions"]],
        "notes": [str(note) for note in record["notes"]],
        "settings": settings_rows(
            {key: value for key, value in {**record, "asked": cut["asked"]}.items() if key not in _LONG}
        ),
        "effect": str(record["effect"]).removeprefix("effect: "),
        "not_counted": str(record["not_counted"]),
        "files": [
            (name, Path(os.path.relpath(folder / name, page)).as_posix(), what)
            for name, what in BESIDE.items()
            if (folder / name).is_file()
        ],
        "figures": draw(model),
        "version": str(record["netinfer"]),
    }


@aside()
def library_facts(models: Mapping[str, Any], folders: Mapping[str, str]) -> dict[str, Any]:
    """Return what the page that leads to the models of several responses shows."""
    first = next(iter(models.values())).record
    rows = []
    for response, model in models.items():
        record = model.record
        kind = "test" if "test" in record else "heldout"
        rows.append(
            {
                "response": response,
                "page": f"{folders[response]}/report.html",
                "n_selected": int(model.cut["n_positions"]),
                "false_positions": model.cut["expected_false_positions"],
                "reason": str(model.cut["reason"]),
                "footprints": model.footprints.to_dict("records"),
                "score": record[kind].get("r", record[kind].get("auc")),
                "on": "test set" if kind == "test" else "held-out folds",
                "effects": as_uri(plot.promoter_effects(model)),
            }
        )
    return {
        "rows": rows,
        "n_sequences": first["n_sequences"],
        "n_units": first["n_units"],
        "n_positions": first["n_positions"],
        "score_name": "AUC" if first["family"] == "binomial" else "r",
        "notes": [str(note) for note in first["notes"]],
        "not_counted": str(first["not_counted"]),
        "version": str(first["netinfer"]),
    }


@aside()
def draw(model: Any) -> dict[str, Any]:
    """Return the figures as data URIs: the effects, and logos of the strongest footprints where they can be drawn."""
    logos = []
    if importlib.util.find_spec("logomaker") is not None:
        strongest = model.footprints.nlargest(LOGOS, "weight")["footprint"]
        logos = [(int(k), as_uri(plot.footprint_logo(model, int(k)))) for k in sorted(strongest)]
    return {"effects": as_uri(plot.promoter_effects(model)), "logos": logos}


def position_rows(positions: pd.DataFrame, is_met: bool) -> list[dict[str, Any]]:
    """Return one row a position: those at the cut, or the first by rank, with the base of the largest effect."""
    ranked = positions[positions["is_selected"]] if is_met else positions
    rows: list[dict[str, Any]] = []
    for _, bases in ranked.sort_values(["rank", "position"]).groupby("position", sort=False):
        if len(rows) == LISTED:
            break
        size = bases["effect"].abs().where(~bases["is_reference"]).to_numpy(dtype=float)
        known = np.nan_to_num(size, nan=-1.0)
        best = bases.iloc[int(known.argmax())] if known.max() >= 0 else None
        reference = bases.loc[bases["is_reference"], "base"]
        one = bases.iloc[0]
        rows.append(
            {
                "position": int(one["position"]),
                "reference": reference.iloc[0] if len(reference) else "",
                "base": "" if best is None else best["base"],
                **{name: None if best is None else best[name] for name in ("effect", "effect_low", "effect_high")},
                **{name: one[name] for name in ("weight", "selection_probability", "q_value")},
            }
        )
    return rows


def score_rows(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the held-out and test figures as rows: on what, how many sequences, r and R2, or AUC and deviance."""
    n = record["n_sequences"]
    rows = [{"what": "folds, each predicted by the fit without it", "n": n, **record["heldout"]}]
    if "heldout_with_pairs" in record:
        rows[0]["what"] += ", single bases"
        rows.append({"what": "the same, with pairs", "n": n, **record["heldout_with_pairs"]})
    if "test" in record:
        rows.append({"what": "test set, kept out of everything", **record["test"]})
    names = ("r", "r2", "r2_se", "auc", "deviance_explained", "deviance_explained_se")
    return [{"what": row["what"], "n": row["n"], **{name: row.get(name) for name in names}} for row in rows]


def advice(record: dict[str, Any]) -> list[str]:
    """Say what may be changed where no position is at the cut."""
    heldout = record["heldout"]
    name = "deviance_explained" if record["family"] == "binomial" else "r2"
    says_something = heldout[name] > 2.0 * heldout[f"{name}_se"]
    if says_something:
        return [
            f"Held-out prediction is better than the mean ({heldout[name]:.2f} of what there is to explain), so that "
            "some bases matter: more distinct sequences would tell which.",
            "A looser cut, such as `expected_false_positions=1`, lists the strongest, with one false one allowed.",
            "Where nearly all positions matter, the bound cannot be small: read the intervals of the effects.",
        ]
    return [
        "Held-out prediction is no better than the mean: single bases at fixed places do not carry this activity here.",
        "See whether each activity stands beside its own sequence, and all sequences are aligned to one point.",
        "Sites that lie at another place in each sequence are found by motifs and distance: "
        "`netinfer.models.motif_sites`.",
        "Few distinct sequences, or noisy activities, hide small effects: more of them help, or `weights`.",
    ]


def _footprint(row: dict[str, Any]) -> dict[str, Any]:
    has_match = row["best_match"] != ""
    return {
        **row,
        "has_match": has_match,
        "stands_out": has_match and row["match_e"] < STANDS_OUT,
        "place": f"{row['match_start']} to {row['match_end']}" if has_match else "",
    }


def _pairs(model: Any) -> dict[str, Any] | None:
    if model.pairs is None:
        return None
    chosen = model.pairs[model.pairs["is_selected"]]
    shown = chosen if len(chosen) else model.pairs
    rows = shown.sort_values(["weight", "position_1", "position_2"], ascending=[False, True, True]).head(PAIRS_LISTED)
    return {
        "n_selected": len(chosen),
        "n": len(model.pairs),
        "rows": rows.to_dict("records"),
        "is_all": len(rows) == len(model.pairs),
        "n_terms": len(model.terms),
    }
