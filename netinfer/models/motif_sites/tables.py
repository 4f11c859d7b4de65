"""The table of motifs of a model by distance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from netinfer.io.columns import conform
from netinfer.io.site_columns import SITE_MOTIFS
from netinfer.stability import q_values


def motif_table(scores, present, probability, bound, wanted, order, by_motif, sized) -> pd.DataFrame:
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
    return conform(frame.iloc[place], SITE_MOTIFS, where="motifs")
