"""The result: an operator, its links as a network, a row for each node."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd

from netinfer.errors import InputError
from netinfer.models.regression import penalty_grid
from netinfer.network import Network, rank_candidates
from netinfer.stability.rules import SelectionCounts, expected_false, q_values, rule_constants, rule_record


@dataclasses.dataclass(frozen=True, eq=False)
class DiffusionModel:
    """A sparse linear operator between the signals before and after a step, and how sure its links are.

    Attributes
    ----------
    operator : DataFrame, shape (n_nodes, n_nodes)
        A: rows are nodes after, columns nodes before, in the signals' units; zero where not selected at the row's
        penalty. Known self-loops are on its diagonal.
    network : Network
        Links source (before) -> target (after) without self-loops, with selection probabilities, the bound on false
        edges and the cut asked for. `effect` is the operator's entry.
    rows : DataFrame, one row a node
        node, status (ok; constant where nothing varies after the step, beside a known self-loop; not_converged),
        penalty (standard deviations of the node's signal), intercept, duality_gap (the worst of all its fits,
        half-samples included), kkt_violation, n_links, self_loop, r2 (share of variance explained in the samples at
        hand; NaN where the node is constant).
    """

    operator: pd.DataFrame
    network: Network
    rows: pd.DataFrame

    def predict(self, before: Any) -> pd.DataFrame:
        """Return A before + intercept, shape (n_samples, n_nodes).

        Raises
        ------
        InputError
            If `before` has another number of nodes.
        """
        signals = np.asarray(before, dtype=np.float64)
        if signals.ndim != 2 or signals.shape[1] != len(self.operator):
            raise InputError(f"predict: before has shape {signals.shape}, samples x {len(self.operator)} is needed")
        values = signals @ self.operator.to_numpy().T + self.rows["intercept"].to_numpy()
        return pd.DataFrame(values, columns=self.operator.index, index=getattr(before, "index", None))


def links_network(counts, links, labels, rows, mean, settings, record, asked) -> Network:
    """Turn selection counts into the network of links; ``links`` is the operator without its diagonal."""
    n_half, varies = settings.n_subsamples, (rows["status"] != "constant").to_numpy()
    most = counts["counts"].max(axis=2)
    target, source = np.nonzero((counts["weight"] > 0) | (most > 0))
    is_gated = most[target, source] > n_half // 2
    selection = SelectionCounts(
        n_subsamples=n_half,
        n_candidates=np.where(varies, len(labels) - 1.0, 0.0),
        n_selected=counts["n_selected"] / n_half,
        n_union=counts["n_union"] / n_half,
        counts=counts["counts"][target, source][is_gated],
    )
    constants = rule_constants(settings, selection, int(record["n_units"]))
    bound = np.full(len(target), np.inf)
    bound[is_gated] = expected_false(selection, settings.rule, **constants)
    weight, n_nonzero = counts["weight"][target, source], counts["n_nonzero"][target, source]
    names = np.array(labels, object)
    frame = pd.DataFrame(
        {
            "source": names[source],
            "target": names[target],
            # Selected earlier on the path but zero at the ranking penalty: in the list, and last.
            "weight": np.where(weight > 0, weight, weight[weight > 0].min(initial=1.0)),
            "sign": counts["sign"][target, source].astype(np.int64),
            "effect": links[target, source],
            "effect_low": np.nan,
            "effect_high": np.nan,
            "partial_r2": np.nan,
            "selection_probability": most[target, source] / n_half,
            "sign_stability": np.divide(
                counts["agree"][target, source], n_nonzero, out=np.full(len(target), np.nan), where=n_nonzero > 0
            ),
            "expected_false_edges": np.where(np.isfinite(bound), bound, np.nan),
            "q_value": q_values(bound),
            "model": "diffusion",
            "direction_basis": "time",
        }
    )
    nodes = pd.DataFrame(
        {"name": labels, "gene_id": labels, "symbol": "", "is_regulator": True, "expression_mean": mean}
    )
    targets = pd.DataFrame(
        {
            "target": labels,
            "status": rows["status"],
            "reason": rows["status"].map(
                {
                    "ok": "",
                    "constant": "nothing varies after the step, beside a known self-loop",
                    "not_converged": "duality gap above 1e-8",
                }
            ),
            "n_units": record["n_units"],
            "penalty_max": np.nan,
            # Without a dual-feasible point nothing is known, and tables hold no infinite numbers.
            "duality_gap": rows["duality_gap"].where(np.isfinite(rows["duality_gap"])),
            "n_candidates": np.bincount(target, minlength=len(labels)),
            "r2_heldout": np.nan,
        }
    )
    record = {**record, **rule_record(selection, penalty_grid(settings), settings.rule, **constants)}
    return Network(rank_candidates(frame), nodes, targets, record, asked)
