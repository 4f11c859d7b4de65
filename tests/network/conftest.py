"""Networks for tests: made up, small, deterministic."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from netinfer.network import Network, rank_candidates

HOSTILE = [
    "<x>", "a&b", 'q"q"', "it's", "]]>", "gène", "ge\u0300ne", "🧬", "\u200fאב", "__proto__", "constructor", "n0", "e0",
    "SUID", "name", "selected", "shared name", "=cmd()", "+1", "@x", "NA", "nan", "True", "1e5", "a;b", "HLA-A*02:01",
    "a/b", "a\\b", "&amp;", "<!--", "#hash", "\u2028", "x" * 10_000, "None", "lexA", "LEXA",
]  # fmt: skip


def candidate_frame(pairs: list[tuple[str, str]], seed: int = 0) -> pd.DataFrame:
    """Make candidates in rank order whose bounds rise with falling selection probability."""
    rng = np.random.default_rng(seed)
    n = len(pairs)
    probability = rng.integers(0, 51, n) / 50
    order = np.argsort(np.argsort(-probability, kind="stable"), kind="stable")
    bound = np.sort(rng.random(n) * n / 4 + 1e-3)[order]
    bound[probability <= 0.5] = np.nan
    number = np.array([np.count_nonzero(bound <= b) for b in bound])
    q = np.divide(bound, number, out=np.full(n, np.nan), where=number > 0)
    q = np.array([np.nan if np.isnan(b) else np.nanmin(q[bound >= b]) for b in bound])
    effect = rng.normal(size=n)
    effect[::7] = np.nan
    frame = pd.DataFrame(
        {
            "source": pd.Series([a for a, _ in pairs], dtype=object),
            "target": pd.Series([b for _, b in pairs], dtype=object),
            "weight": rng.integers(1, 1 + max(n, 2), n) / (3 * max(n, 2)),
            "sign": rng.choice([-1, 1], n),
            "effect": effect,
            "effect_low": effect - 0.25,
            "effect_high": effect + 0.25,
            "partial_r2": np.tanh(effect) ** 2,
            "selection_probability": probability,
            "sign_stability": rng.random(n),
            "expected_false_edges": bound,
            "q_value": q,
            "model": pd.Series(["elastic_net"] * n, dtype=object),
            "direction_basis": pd.Series(["regulator_list"] * n, dtype=object),
        }
    )
    return rank_candidates(frame)


def node_frame(names: list[str], n_regulators: int) -> pd.DataFrame:
    n = len(names)
    mean = np.linspace(0.1, 9.7, n)
    mean[2:3] = np.nan
    return pd.DataFrame(
        {
            "name": pd.Series(names, dtype=object),
            "gene_id": pd.Series([f"b{i:04d}" if i % 3 else "" for i in range(n)], dtype=object),
            "is_regulator": np.arange(n) < n_regulators,
            "expression_mean": mean,
        }
    )


def target_frame(names: list[str]) -> pd.DataFrame:
    n = len(names)
    r2 = np.linspace(-0.1, 0.8, n)
    r2[1:2] = np.nan
    return pd.DataFrame(
        {
            "target": pd.Series(names, dtype=object),
            "status": pd.Series(["constant" if i % 5 == 4 else "ok" for i in range(n)], dtype=object),
            "reason": pd.Series(["one value in all samples" if i % 5 == 4 else "" for i in range(n)], dtype=object),
            "n_units": np.full(n, 40),
            "penalty_max": np.linspace(0.2, 0.9, n),
            "duality_gap": np.full(n, 1e-14),
            "n_candidates": np.zeros(n, dtype=int),
            "r2_heldout": r2,
        }
    )


def _network(
    names: list[str] | None = None, *, n_regulators: int = 5, seed: int = 0, cut: dict | None = None, **provenance
) -> Network:
    """Make a network in which every regulator may point to every other gene."""
    names = [f"gene{i:02d}" for i in range(20)] if names is None else names
    pairs = [(a, b) for a in names[:n_regulators] for b in names if a != b]
    return Network(
        candidate_frame(pairs, seed),
        node_frame(names, n_regulators),
        target_frame(names),
        {"dataset": "demo", "n_units": 40, "seed": 0, "log": ["log-transformed"], **provenance},
        {"fdr": 0.2} if cut is None else cut,
    )


@pytest.fixture(scope="session")
def make():
    """The makers above, as ``make.network()`` and so on."""
    return SimpleNamespace(
        network=_network, candidates=candidate_frame, nodes=node_frame, targets=target_frame, hostile=HOSTILE
    )
