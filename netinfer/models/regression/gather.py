"""From the chunks to the network: bounds over all targets, ranks, effects, one row a target."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from netinfer import __version__
from netinfer.config import RegressionConfig
from netinfer.errors import ConvergenceWarning, RunError
from netinfer.models.regression.chunk import penalty_grid
from netinfer.models.regression.part import RegressionPart, settings_hash
from netinfer.models.regression.problem import RegressionProblem
from netinfer.models.regression.weights import uneven_targets, weights_record
from netinfer.network import EXPECTED_FALSE_EDGES_NOTE, Network
from netinfer.stability.rules import (
    SelectionCounts,
    decoy_record,
    expected_false,
    q_values,
    rule_constants,
    rule_record,
)
from netinfer.stability.subsamples import check_seed

# DESIGN section 5: what every fit has to reach.
CERTIFIED_GAP = 1e-8
EFFECT_TARGET = (
    "effect: least-squares coefficient in the submodel that the other half of the samples selected, in standard "
    "deviations of the target per standard deviation of the regulator; median over the half-samples that selected the "
    "regulator; the interval takes the medians of its ends, after Meinshausen, Meier and Buhlmann (2009)"
)
AFTER_COVARIATES = "; standard deviations are of what the covariates leave of each gene"


def gather(
    problem: RegressionProblem,
    parts: Sequence[RegressionPart],
    *,
    settings: RegressionConfig | None = None,
    seed: int = 0,
    cut: Mapping[str, float] | None = None,
    provenance: Mapping[str, Any] | None = None,
    dropped: pd.DataFrame | None = None,
) -> Network:
    """Join the chunks of targets into one network.

    Parameters
    ----------
    problem : RegressionProblem
    parts : sequence of RegressionPart
        Exactly those of one chunking, in any order.
    settings, seed
        Those of the parts; other ones are refused.
    cut : mapping, optional
        One of ``fdr``, ``expected_false_edges``, ``selection_probability``; ``{"fdr": 0.1}`` by default.
    provenance : mapping, optional
        What is to stand in the network's provenance beside the regression's own.
    dropped : DataFrame, optional
        Genes that never came to the regression (columns gene, status, reason); they become rows of the targets.

    Returns
    -------
    Network

    Raises
    ------
    RunError
        If a chunk is missing, doubled, or made from other data, settings or seed.

    Warns
    -----
    ConvergenceWarning
        If a fit's relative duality gap stayed above 1e-8.
    """
    settings, seed = RegressionConfig() if settings is None else settings, check_seed(seed)
    parts = _complete(problem, parts, settings_hash(problem, settings, seed))
    pairs = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (
            "pair_target", "pair_regulator", "weight", "sign", "n_agree", "n_nonzero",
            "effect", "effect_low", "effect_high", "partial_r2", "n_most",
        )
    }  # fmt: skip
    selection = selection_counts(problem, parts, settings)
    is_gated = _is_gated(problem, pairs["pair_target"], pairs["pair_regulator"], pairs["n_most"], settings)
    is_uneven = uneven_targets(problem)
    selection = _without(selection, is_uneven)
    constants = rule_constants(settings, selection, problem.n_units)
    bound = np.full(len(is_gated), np.inf)
    bound[is_gated] = expected_false(selection, settings.rule, **constants)
    bound[is_uneven[pairs["pair_target"]]] = np.inf
    candidates = _candidates(problem, pairs, bound, settings)
    targets = _targets(problem, parts, candidates, dropped)
    nodes = _nodes(problem)
    rule = rule_record(selection, penalty_grid(settings), settings.rule, **constants)
    if settings.decoys:
        decoys = selection_counts(problem, parts, settings, decoys=True)
        target = np.concatenate([part.decoy_target for part in parts])
        counts = decoys.counts[~is_uneven[target]]
        rule["decoys"] = decoy_record(selection, counts, settings.rule, **constants)
    record = {
        **(provenance or {}),
        "netinfer": __version__,
        "model": settings.model,
        "settings": settings.model_dump(mode="json"),
        **rule,
        "settings_hash": parts[0].settings_hash if parts else "",
        "seed": seed,
        "n_samples": len(problem.regulators),
        "n_units": problem.n_units,
        "unit": problem.unit_column,
        **_strata_record(problem),
        "covariates": list(problem.covariate_names),
        "covariate_df": problem.covariate_df,
        **weights_record(problem),
        "n_regulators": int(problem.regulator_varies.sum()),
        "n_targets": len(problem.target_names),
        "n_pairs": problem.n_pairs,
        "worst_duality_gap": float(max((part.duality_gap.max(initial=0.0) for part in parts), default=0.0)),
        "not_counted": EXPECTED_FALSE_EDGES_NOTE,
        "effect": EFFECT_TARGET + (AFTER_COVARIATES if problem.n_covariates else ""),
    }
    return Network(candidates, nodes, targets, record, dict(cut or {"fdr": 0.1}))


def selection_counts(
    problem: RegressionProblem,
    parts: Sequence[RegressionPart],
    settings: RegressionConfig,
    *,
    decoys: bool = False,
) -> SelectionCounts:
    """Collect what the rules read, targets in the order of the parts; of the decoys, where they are asked for.

    Raises
    ------
    RunError
        If decoys are asked for and a part has none.
    """
    n_half = settings.n_subsamples
    if decoys and any(len(part.decoy_n_selected) != part.n_targets for part in parts):
        raise RunError("selection_counts: a chunk was made without decoys: set `decoys: true` and run again")
    fields = ("n_selected", "n_union", "gate_counts")
    if decoys:
        fields = ("decoy_n_selected", "decoy_n_union", "decoy_counts")
    n_selected, n_union, counts = (np.concatenate([getattr(part, field) for part in parts]) for field in fields)
    return SelectionCounts(
        n_subsamples=n_half,
        n_candidates=problem.n_candidates,
        n_selected=n_selected / n_half,
        n_union=n_union / n_half,
        counts=counts,
    )


def stability_paths(
    problem: RegressionProblem, parts: Sequence[RegressionPart], settings: RegressionConfig, targets: Sequence[str]
) -> pd.DataFrame:
    """Return the selection probability along the path of every pair that passes one half, for a few targets.

    Returns
    -------
    DataFrame with columns target, regulator, penalty, selection_probability
    """
    wanted = {problem.target_names.index(name) for name in targets}
    penalties = penalty_grid(settings)
    rows = []
    for part in parts:
        gated = np.flatnonzero(_is_gated(problem, part.pair_target, part.pair_regulator, part.n_most, settings))
        for row, pair in enumerate(gated):
            if int(part.pair_target[pair]) in wanted:
                names = problem.target_names[part.pair_target[pair]], problem.regulator_names[part.pair_regulator[pair]]
                share = part.gate_counts[row] / settings.n_subsamples
                rows += [(*names, penalty, value) for penalty, value in zip(penalties, share, strict=True)]
    return pd.DataFrame(rows, columns=["target", "regulator", "penalty", "selection_probability"])


def _strata_record(problem: RegressionProblem) -> dict[str, Any]:
    """What the provenance says of strata; nothing where there are none."""
    if problem.strata is None:
        return {}
    return {"strata": problem.strata_column, "n_strata": int(problem.strata.max()) + 1, "n_half": problem.n_half}


def _without(selection: SelectionCounts, is_left_out: np.ndarray) -> SelectionCounts:
    """Return the counts with nothing selected for some targets, so that they add nothing to the network's bound."""
    if not is_left_out.any():
        return selection
    kept = ~is_left_out[:, None]
    return dataclasses.replace(
        selection,
        n_candidates=np.where(is_left_out, 0.0, selection.n_candidates),
        n_selected=selection.n_selected * kept,
        n_union=selection.n_union * kept,
    )


def _is_gated(problem: RegressionProblem, target, regulator, n_most, settings: RegressionConfig) -> np.ndarray:
    """Say which pairs a rule may bound: selected by more than half, and not because they are unpenalised."""
    return (n_most > settings.n_subsamples // 2) & ~problem.is_free(target, regulator)


def _complete(problem: RegressionProblem, parts: Sequence[RegressionPart], fingerprint: str) -> list[RegressionPart]:
    parts = sorted(parts, key=lambda part: part.chunk)
    if not parts:
        raise RunError("gather: no chunks given")
    n = parts[0].chunk[1]
    found = [part.chunk for part in parts]
    if found != [(i, n) for i in range(1, n + 1)]:
        raise RunError(f"gather: chunks {found} are not 1 to {n} of {n}: run the missing ones, drop the others")
    for part in parts:
        if part.settings_hash != fingerprint:
            raise RunError(
                f"chunk {part.chunk[0]} of {n}: made from other data, settings or seed: delete it and run again"
            )
    covered = [t for part in parts for t in range(part.first_target, part.first_target + part.n_targets)]
    if covered != list(range(len(problem.target_names))):
        raise RunError(f"gather: the chunks cover {len(covered)} targets of {len(problem.target_names)}")
    return parts


def _candidates(
    problem: RegressionProblem, pairs: Mapping[str, np.ndarray], bound: np.ndarray, settings: RegressionConfig
) -> pd.DataFrame:
    targets, regulators = np.array(problem.target_names, object), np.array(problem.regulator_names, object)
    source, target = regulators[pairs["pair_regulator"]], targets[pairs["pair_target"]]
    weight = pairs["weight"]
    # Selected earlier on the path but zero at the ranking penalty: in the list, and last.
    weight = np.where(weight > 0, weight, weight[weight > 0].min(initial=1.0))
    place_s, place_t = _alphabetical(regulators)[pairs["pair_regulator"]], _alphabetical(targets)[pairs["pair_target"]]
    order = np.lexsort((place_t, place_s, -weight))
    is_regulator = problem.own[pairs["pair_target"]] >= 0
    agree = np.divide(
        pairs["n_agree"], pairs["n_nonzero"], out=np.full(len(weight), np.nan), where=pairs["n_nonzero"] > 0
    )
    frame = pd.DataFrame(
        {
            "source": source,
            "target": target,
            "weight": weight,
            "sign": pairs["sign"].astype(np.int64),
            "effect": pairs["effect"],
            "effect_low": pairs["effect_low"],
            "effect_high": pairs["effect_high"],
            "partial_r2": pairs["partial_r2"],
            "selection_probability": pairs["n_most"] / settings.n_subsamples,
            "sign_stability": agree,
            "expected_false_edges": np.where(np.isfinite(bound), bound, np.nan),
            "q_value": q_values(bound),
        }
    ).iloc[order]
    frame["rank"] = np.arange(1, len(frame) + 1)
    frame["model"] = settings.model
    frame["direction_basis"] = np.where(is_regulator[order], "undetermined", "regulator_list")
    return frame.reset_index(drop=True)


def _nodes(problem: RegressionProblem) -> pd.DataFrame:
    """Every target in order, then the regulators that are no targets."""
    targets = set(problem.target_names)
    rest = [j for j, name in enumerate(problem.regulator_names) if name not in targets]
    names = [*problem.target_names, *(problem.regulator_names[j] for j in rest)]
    return pd.DataFrame(
        {
            "name": names,
            "gene_id": names,
            "symbol": [*(problem.symbols or [""] * len(problem.target_names)), *([""] * len(rest))],
            "is_regulator": np.append(problem.own >= 0, np.ones(len(rest), bool)),
            "expression_mean": np.append(problem.target_mean, problem.regulator_mean[rest]),
        }
    )


def _alphabetical(names: np.ndarray) -> np.ndarray:
    place = np.empty(len(names), np.int64)
    place[np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)] = np.arange(len(names))
    return place


def _targets(
    problem: RegressionProblem, parts: Sequence[RegressionPart], candidates: pd.DataFrame, dropped: pd.DataFrame | None
) -> pd.DataFrame:
    gap = np.concatenate([part.duality_gap for part in parts])
    failed = problem.varies & ~(gap <= CERTIFIED_GAP)
    status = np.where(problem.varies, np.where(failed, "not_converged", "ok"), "constant")
    reason = np.where(failed, f"relative duality gap above {CERTIFIED_GAP:.0e}", "")
    reason = np.where(problem.varies, reason, "the same value in every sample")
    reason = np.where(problem.explained, "nothing is left once the covariates are projected out", reason)
    if failed.any():
        worst = int(np.where(failed, gap, -1).argmax())
        warnings.warn(
            f"{int(failed.sum())} targets with a fit that is not certified, the worst {problem.target_names[worst]} "
            f"with a relative duality gap of {gap[worst]:.1e}: see status in targets.tsv",
            ConvergenceWarning,
            stacklevel=3,
        )
    count = candidates["target"].value_counts()
    frame = pd.DataFrame(
        {
            "target": problem.target_names,
            "status": status,
            "reason": reason,
            "n_units": problem.n_units,
            "penalty_max": np.concatenate([part.largest_penalty for part in parts]),
            "duality_gap": gap,
            "n_candidates": count.reindex(problem.target_names).fillna(0).to_numpy(np.int64),
            "r2_heldout": np.concatenate([part.r2_heldout for part in parts]),
        }
    )
    if dropped is None or dropped.empty:
        return frame
    rest = pd.DataFrame(
        {
            "target": dropped["gene"].to_numpy(),
            "status": dropped["status"].to_numpy(),
            "reason": dropped["reason"].to_numpy(),
            "n_units": problem.n_units,
            "penalty_max": np.nan,
            "duality_gap": np.nan,
            "n_candidates": 0,
            "r2_heldout": np.nan,
        }
    )
    return pd.concat([frame, rest], ignore_index=True)
