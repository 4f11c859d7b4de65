"""The report on edges between two regulators and within an operon: no arrow where no direction is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from netinfer.io.direction import DIRECTION_BASES
from netinfer.network import Network
from netinfer.report import content


def network(make, bases: list[str], **options) -> Network:
    net = make(n_regulators=3, **options)
    basis = np.resize(np.array(bases, dtype=object), len(net.candidates))
    candidates = net.candidates.assign(direction_basis=basis)
    return Network(candidates, net.nodes, net.targets, net.provenance, net.cut)


def make(n_regulators: int, cut: dict | None = None) -> Network:
    names = ["crp", "fnr", "fis", "araA", "narG"]
    pairs = [(a, b) for a in names[:n_regulators] for b in names if a != b]
    n = len(pairs)
    candidates = pd.DataFrame(pairs, columns=["source", "target"]).assign(
        weight=np.linspace(0.9, 0.1, n),
        sign=np.where(np.arange(n) % 3 == 0, -1, 1),
        effect=np.nan,
        effect_low=np.nan,
        effect_high=np.nan,
        partial_r2=np.nan,
        selection_probability=np.linspace(1, 0.4, n),
        sign_stability=1.0,
        expected_false_edges=0.01 * np.arange(1, n + 1),
        q_value=0.01,
        rank=np.arange(1, n + 1),
        model="elastic_net",
        direction_basis="regulator_list",
    )
    nodes = pd.DataFrame(
        {"name": names, "gene_id": names, "is_regulator": np.arange(5) < n_regulators, "expression_mean": 1.0}
    )
    targets = pd.DataFrame(
        {
            "target": names,
            "status": "ok",
            "reason": "",
            "n_units": 40,
            "penalty_max": 0.9,
            "duality_gap": 1e-15,
            "n_candidates": 1,
            "r2_heldout": 0.4,
        }
    )
    return Network(candidates, nodes, targets, {"dataset": "demo"}, cut or {"fdr": 0.1})


def test_words_of_the_listed_edges():
    net = network(make, ["regulator_list", "undetermined"])
    rows, *_ = content.edge_rows(net)
    assert len(rows) == len(net.edges) == 12
    for row in rows:
        words = (
            ("activates", "represses") if row["direction_basis"] == "regulator_list" else ("goes with", "goes against")
        )
        assert row["word"] == words[0 if row["sign"] > 0 else 1]
    assert {row["word"] for row in rows} == {"activates", "represses", "goes with", "goes against"}
    numbers = content.overview(net)
    directed = net.edges[net.edges["direction_basis"] == "regulator_list"]
    assert numbers["n_activating"] == (directed["sign"] > 0).sum()
    assert numbers["n_repressing"] == (directed["sign"] < 0).sum()
    assert numbers["n_associated"] == 6


def test_each_basis_that_occurs_is_said_in_words(tmp_path):
    from netinfer.report import write_report

    net = network(make, ["time", "undetermined", "undetermined"])
    assert content.direction_rows(net) == [
        {"basis": "undetermined", "words": DIRECTION_BASES["undetermined"], "n": 8},
        {"basis": "time", "words": DIRECTION_BASES["time"], "n": 4},
    ]
    text = write_report(tmp_path / "a.html", net).read_text(encoding="utf-8")
    assert "the data do not tell which acts on which" in text
    assert "8 between two regulators, of no known direction" in text
    assert "goes against" in text
    listed = write_report(tmp_path / "b.html", network(make, ["regulator_list"])).read_text(encoding="utf-8")
    assert "the list gives the direction, not the data" in listed
    for words in (">goes with<", "“Goes with”", "of no known direction"):
        assert words not in listed


def test_scores_without_operons_are_named_in_words():
    table = pd.DataFrame(
        {"metric": ["aupr", "aupr_without_operon", "n_pairs_without_operon"], "value": [0.1, 0.2, 9.0]}
    )
    first, second, third = content.score_rows(table)
    assert second["words"] == first["words"] + ", without the pairs of one operon"
    assert not second["is_count"]
    assert third["is_count"]
