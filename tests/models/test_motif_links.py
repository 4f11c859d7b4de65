"""Links of a network to motifs: recovered motifs, places and edges, what gives no evidence, parts, files, report."""

from __future__ import annotations

import dataclasses

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from netinfer.errors import ConfigError, InputError
from netinfer.io.motifs import Motif
from netinfer.io.promoters import Promoters
from netinfer.models.motif_sites import MotifLinks, fit_links, scan_motifs
from netinfer.models.motif_sites import links as links_module
from netinfer.models.motif_sites.evidence import check_owners, own_motifs
from netinfer.network import Network, rank_candidates
from netinfer.report import write_report

BASES = "ACGT"
UPSTREAM, DOWNSTREAM = 90, 30
SITE, COMMON = "TGTGATCTAG", "GGCATTACCA"
N = 160
TARGETS = [f"g{k:03d}" for k in range(0, N, 5)]  # of crp: 32 promoters with its site, middles 55.5 to 45.5 before
WITHOUT = [f"g{k:03d}" for k in range(1, N, 5)]  # of fnr: 32 promoters without the common site, which all others have
SILENT = [f"g{k:03d}" for k in range(2, N, 7)][:20]  # of fis: nothing


def motif(name: str, site: str, label: str = "") -> Motif:
    matrix = np.full((len(site), 4), 0.1 / 3)
    matrix[np.arange(len(site)), [BASES.index(base) for base in site]] = 0.9
    return Motif(name, matrix, 30.0, np.full(4, 0.25), label)


def simulated() -> tuple[Promoters, list[Motif], dict[str, int]]:
    """Promoters with planted sites, motifs, and the first base of the site of each of crp's targets."""
    rng = np.random.default_rng(1)
    texts, places = {}, {}
    for k in range(N):
        name = f"g{k:03d}"
        letters = rng.choice(list(BASES), UPSTREAM + DOWNSTREAM)
        if name in TARGETS:
            at = UPSTREAM - 60 + int(rng.integers(0, 11))
            letters[at : at + len(SITE)] = list(SITE)
            places[name] = at - UPSTREAM
        if name not in WITHOUT:
            letters[UPSTREAM + 8 : UPSTREAM + 8 + len(COMMON)] = list(COMMON)
        texts[name] = "".join(letters)
    # Every promoter stands for two genes; crp itself is the second gene of one that is no target.
    genes = [f"{name};{name}b" if name != "g003" else "g003;crp" for name in texts]
    window = Promoters(texts, pd.DataFrame({"gene": list(texts), "genes": genes}), UPSTREAM, DOWNSTREAM, ())
    others = [motif(f"m{k}", "".join(rng.choice(list(BASES), 10))) for k in range(6)]
    return window, [motif("CRP_10-3", SITE), motif("MA1", COMMON, "Fnr"), *others], places


def network(edges: dict[str, list[str]], targets: list[str] | None = None) -> Network:
    pairs = pd.DataFrame([(s, t) for s, genes in edges.items() for t in genes], columns=["source", "target"])
    candidates = rank_candidates(
        pairs.assign(
            weight=np.linspace(0.9, 0.5, len(pairs)), sign=1, effect=0.5, effect_low=0.4, effect_high=0.6,
            partial_r2=0.3, selection_probability=0.95, sign_stability=1.0, expected_false_edges=0.01, q_value=0.01,
            model="elastic_net", direction_basis="regulator_list",
        )
    )  # fmt: skip
    names = targets or [f"g{k:03d}{b}" for k in range(N) for b in ("", "b")]
    status = pd.DataFrame(
        {
            "target": names, "status": "ok", "reason": "", "n_units": 40, "penalty_max": 0.9, "duality_gap": 1e-15,
            "n_candidates": 1, "r2_heldout": 0.4,
        }
    )  # fmt: skip
    regulators = ["crp", "fnr", "fis", "arc"]
    nodes = pd.DataFrame({"name": [*names, *regulators], "expression_mean": 5.0})
    nodes["gene_id"], nodes["is_regulator"] = nodes["name"], nodes["name"].isin(regulators)
    return Network(candidates, nodes, status, {"dataset": "demo", "model": "elastic_net"}, {"fdr": 0.1})


# Half of crp's targets are the second genes of their operons.
EDGES = {
    "crp": [name + ("b" if k % 2 else "") for k, name in enumerate(TARGETS)],
    "fnr": WITHOUT,
    "fis": SILENT,
    "arc": ["g004", "g009"],
}
SETTINGS = {"n_subsamples": 10}


@pytest.fixture(scope="module")
def scores():
    window, motifs, _ = simulated()
    return scan_motifs(window, motifs, bin_width=20)


@pytest.fixture(scope="module")
def links(scores):
    return fit_links(network(EDGES), scores, **SETTINGS)


def test_the_planted_motif_is_found_with_its_place_and_edges(links):
    row = links.regulators.set_index("source").loc["crp"]
    assert (row["status"], row["n_promoters"], row["motif"], row["sign"]) == ("ok", 32, "CRP_10-3", 1)
    assert (row["peak_start"], row["peak_end"]) == (-60, -40)
    assert (row["own_motif"], row["own_entry"], row["own_selected"]) == ("CRP_10-3", 1, True)
    assert row["auc_low"] > 0.9  # the site tells nearly all
    places = simulated()[2]
    edges = links.edges[links.edges["source"] == "crp"]
    # Every target has the whole site; no random promoter of 128 matches ten bases as well more than by chance.
    assert edges["target"].tolist() == EDGES["crp"]
    for row in edges.itertuples():
        assert row.promoter == row.target.removesuffix("b")
        assert (row.start, row.end, row.strand) == (places[row.promoter], places[row.promoter] + 10, "+")
        # The words have the last of the ten bases, the column the one behind it.
        assert row.evidence == f"CRP_10-3 found at {row.start}..{row.start + 9}"
    assert edges["is_own"].all()
    assert edges["background_share"].max() <= 0.05
    assert links.record["n_edges_sought"] == 32
    # Others have a site at this place in at most 5 of 100 promoters, by the rule itself.
    assert links.record["n_edges_with_site_by_chance"] <= 0.05 * 32


def test_a_motif_that_targets_have_less_often_is_listed_and_is_no_evidence(links):
    row = links.regulators.set_index("source").loc["fnr"]
    assert (row["motif"], row["sign"], row["own_motif"], row["own_selected"]) == (
        "MA1",
        -1,
        "MA1",
        True,
    )  # by its label
    assert row["effect"] < 0
    assert row["n_edges_with_site"] == 0
    assert np.isnan(row["background_with_site"])
    assert not (links.edges["source"] == "fnr").any()
    assert (links.motifs["source"] == "fnr").any()


def test_without_a_signal_or_with_few_targets_there_is_none(links):
    table = links.regulators.set_index("source")
    assert table.index.tolist() == ["crp", "fnr", "fis", "arc"]  # by number of targets, then by name
    assert (table.loc["fis", "status"], table.loc["fis", "motif"], table.loc["fis", "n_motifs"]) == ("ok", "", 0)
    assert (table.loc["arc", "status"], table.loc["arc", "n_promoters"]) == ("too_few_targets", 2)
    assert table.loc["arc", "reason"] == "2 independent promoters of its targets, 8 are asked for"
    assert set(links.edges["source"]) == {"crp"}
    assert links.record["n_fitted"] == 3
    assert links.record["expected_false_motifs_in_all"] == 3.0
    np.testing.assert_array_equal(table["expected_false_in_all"], 3 * table["expected_false_motifs"])


def test_parts_and_threads_give_the_same_bytes_and_files_read_back(links, scores, tmp_path):
    net = network(EDGES)
    parts = []
    for k in (3, 1, 2):
        fit_links(net, scores, part=(k, 3), threads=2, **SETTINGS).write(tmp_path / f"part{k}")
        parts.append(MotifLinks.read(tmp_path / f"part{k}"))
    links.write(tmp_path / "whole", net=net)
    MotifLinks.join(parts).write(tmp_path / "joined", net=net)
    MotifLinks.read(tmp_path / "whole").write(tmp_path / "again", net=net)
    names = sorted(file.name for file in (tmp_path / "whole").iterdir())
    assert names == ["bins.tsv", "edges.tsv", "links.json", "motifs.tsv", "network.graphml", "regulators.tsv"]
    for name in names:
        whole = (tmp_path / "whole" / name).read_bytes()
        assert whole == (tmp_path / "joined" / name).read_bytes()
        assert whole == (tmp_path / "again" / name).read_bytes()
    with pytest.raises(InputError, match="parts 3 of 3, 1 of 3: give each of the 3 once"):
        MotifLinks.join(parts[:2])
    other = {**parts[0].record, "of": {**parts[0].record["of"], "n_promoters": 1}}
    with pytest.raises(InputError, match="of different networks, scores or settings"):
        MotifLinks.join([dataclasses.replace(parts[0], record=other), *parts[1:]])
    with pytest.raises(InputError, match="no part"):
        MotifLinks.join([])
    (tmp_path / "whole" / "regulators.tsv").write_bytes((tmp_path / "part1" / "regulators.tsv").read_bytes())
    with pytest.raises(InputError, match="not of one result"):
        MotifLinks.read(tmp_path / "whole")


def test_the_network_carries_the_evidence_in_its_files(links, tmp_path):
    net = network(EDGES)
    marked = links.network(net)
    assert marked.edges.drop(columns="motif_evidence").equals(net.edges)
    has = marked.edges["motif_evidence"] != ""
    assert set(marked.edges.loc[has, "source"]) == {"crp"}
    marked.write(tmp_path)
    assert Network.read(tmp_path).edges.equals(marked.edges)
    graph = nx.read_graphml(tmp_path / "network.graphml")
    found = [data["motif_evidence"] for _, _, data in graph.edges(data=True) if "motif_evidence" in data]
    assert sorted(found) == sorted(links.edges["evidence"])
    assert marked.threshold(fdr=0.001).edges.empty
    with pytest.raises(InputError, match="32 of 32 edges are not in the network, such as 'crp'"):
        links.network(network({"fis": SILENT}))


def test_a_network_without_edges_or_without_targets_enough_says_why(scores, tmp_path):
    for edges, most in (({}, 0), ({"arc": ["g004", "g009"]}, 2)):
        none = fit_links(network(edges), scores, **SETTINGS)
        assert (none.regulators["status"] == "too_few_targets").all()
        assert len(none.regulators) == 4
        assert len(none.edges) == len(none.motifs) == len(none.bins) == 0
        assert none.record["skipped"] == f"no regulator has 8 promoters among its targets; the most is {most}"
        none.write(tmp_path, net=network(edges))
        assert MotifLinks.read(tmp_path).record == none.record


def test_own_motifs_are_given_or_known_by_name(scores):
    few = {"crp": TARGETS[:3]}
    given = fit_links(network(few), scores, motif_of={"fis": "m1", "crp": ["m2", "m0"]}, **SETTINGS).regulators
    own = given.set_index("source")["own_motif"]
    assert (own["fis"], own["crp"], own["fnr"], own["arc"]) == ("m1", "m2;m0", "MA1", "")
    other = fit_links(network({"crp": TARGETS}), scores, motif_of={"crp": "m1"}, n_subsamples=4).edges
    assert len(other) == len(TARGETS)
    assert not other["is_own"].any()
    assert other["evidence"].str.endswith(" (not known as its own)").all()


def test_owners_that_are_not_there_are_named_before_a_fit(scores, monkeypatch):
    monkeypatch.setattr(links_module, "fit_motif_sites", lambda *_, **__: pytest.fail("a model was fitted"))
    net = network(EDGES)  # its regulators have targets enough
    with pytest.raises(ConfigError, match="motif_of: 1 are no nodes of the network: 'nobody': use its names"):
        fit_links(net, scores, motif_of={"nobody": "m1"})
    with pytest.raises(
        ConfigError,
        match=r"motif_of: 1 are not among the motifs: 'absent of crp'; these are 'CRP_10-3', .* and 3 more: use",
    ):
        fit_links(net, scores, motif_of={"fis": "m1", "crp": ["m2", "absent"]})
    check_owners({"fis": "m1", "crp": ["m2", "m0"]}, scores.motifs)
    with pytest.raises(ConfigError, match=r"motif_of: 7 are .* 'x4 of crp' and 2 more; these are 'm1': use"):
        check_owners({"crp": [f"x{k}" for k in range(7)], "fis": "m1"}, ["m1"])


def test_a_name_with_a_separator_has_its_own_motifs(scores):
    names = ("NKX2-5_x", "nkx2_y", "NKX2-5", "NKX2-9.1", "-z", "_", "H2A.Z-1", "zH2A.Z", "MA1_1")
    named = dataclasses.replace(scores, motifs=names, labels=("",) * 8 + ("NKX2-5",))
    net = network({}, targets=["NKX2-5", "NKX2", "H2A.Z", "g004"])
    own = own_motifs(net, named, None)
    # The longest name that is a gene's: NKX2-9 is none, so that its motif is NKX2's.
    assert own["NKX2-5"] == ("NKX2-5_x", "NKX2-5", "MA1_1")
    assert own["NKX2"] == ("nkx2_y", "NKX2-9.1")
    assert own["H2A.Z"] == ("H2A.Z-1",)
    assert own["g004"] == ()
    assert own_motifs(net, named, None, {"g004": ["b0004", "zh2a.z"]})["g004"] == ("zH2A.Z",)


def test_ids_that_do_not_match_and_impossible_settings_are_refused(scores):
    foreign = network({"crp": ["x0", "x1"]}, targets=[f"x{k}" for k in range(50)])
    with pytest.raises(
        InputError, match=r"0 promoters are of the 50 genes .* 'x0', 'x1', 'x2', 'x3', 'x4' and 45 more"
    ):
        fit_links(foreign, scores)
    net = network(EDGES)
    undirected = Network(
        net.candidates.assign(direction_basis="undirected"), net.nodes, net.targets, {"directed": False}, net.cut
    )
    with pytest.raises(InputError, match="the network has no direction"):
        fit_links(undirected, scores)
    for wrong in ((0, 2), (3, 2), 1, (1.0, 2)):
        with pytest.raises(ConfigError, match="fit_links: part"):
            fit_links(net, scores, part=wrong)
    with pytest.raises(ConfigError, match="fit_links: min_targets: 7"):
        fit_links(net, scores, min_targets=7)
    with pytest.raises(ConfigError, match="fit_links: n_subsamples"):
        fit_links(net, scores, n_subsamples=5)


def test_a_regulators_own_promoter_is_in_neither_class(scores):
    # Both genes of g003, one of which is crp itself: not among its targets' promoters.
    row = fit_links(network({"crp": ["g003", *TARGETS[:3]]}), scores).regulators.iloc[0]
    assert (row["source"], row["n_targets"], row["n_promoters"], row["n_edges"]) == ("crp", 4, 3, 3)


def test_the_report_has_a_section_on_motifs(links, scores, tmp_path):
    net = network(EDGES)
    page = write_report(tmp_path / "report.html", net, motif=links).read_text()
    section = page.split('<h2 id="motif">')[1].split("<h2")[0]
    assert "<strong>2 regulators have a motif</strong>" in section
    assert "<strong>32 of 32 edges</strong> of the 1 regulator" in section
    assert "3 at most over all of them together" in section
    assert "less often: no evidence" in section
    assert "Left out: 1 regulator with too few promoters among their targets" in section
    assert "no experiment has seen the binding" in section
    assert "<img" in section
    none = fit_links(network({}), scores, **SETTINGS)
    page = write_report(tmp_path / "none.html", network({}), motif=none).read_text()
    assert "No regulator could be looked at:</strong> the network has no edge at its cut" in page
    assert 'id="motif"' not in write_report(tmp_path / "plain.html", net).read_text()
