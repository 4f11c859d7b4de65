"""Networks of several conditions: what is one condition's own, what differs, genes, bits, and what is refused."""

import json
import warnings

import anndata
import networkx as nx
import numpy as np
import pandas as pd
import pytest

import netinfer as ni
from netinfer.errors import ConfigError, InputError
from netinfer.models.comparison.fits import Penalties, joint_fit
from netinfer.models.precision.fits import Certificates, tied
from netinfer.network.joint import file_names

QUICK = {"n_subsamples": 10, "threads": 1}
GENES = [f"g{j:02d}" for j in range(20)]


def condition(seed, n=400, strength=0.35, **changed):
    """Samples of a chain of genes; changed: pairs of places as ``p0_1`` with another partial correlation."""
    p = len(GENES)
    precision = np.eye(p) - strength * (np.eye(p, k=1) + np.eye(p, k=-1))
    for pair, value in changed.items():
        i, j = map(int, pair[1:].split("_"))
        precision[i, j] = precision[j, i] = -value
    data = np.random.default_rng(seed).standard_normal((n, p)) @ np.linalg.cholesky(np.linalg.inv(precision)).T
    return pd.DataFrame(data, columns=GENES)


@pytest.fixture(scope="module")
def planted():
    """A tie lost (0-1), one with its sign turned (8-9), one gained (3-15)."""
    other = condition(1, p0_1=0.0, p8_9=-0.35, p3_15=0.35)
    return {"rich": condition(0), "minimal": other}


@pytest.fixture(scope="module")
def found(planted):
    return ni.infer_joint_precision(planted, **{**QUICK, "n_subsamples": 40})


def change_of(found, source, target, condition=None):
    table = found.changes
    rows = table[(table["source"] == source) & (table["target"] == target)]
    rows = rows if condition is None else rows[rows["condition"] == condition]
    return rows.iloc[0]


# ---- one condition's own ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["group", "fused"])
def test_without_similarity_each_network_is_that_of_its_condition_alone(planted, kind):
    joint = ni.infer_joint_precision(planted, kind=kind, penalty=0.15, similarity=0.0, **QUICK)
    for name, data in planted.items():
        alone = ni.infer_precision(data, penalty=0.15, **QUICK)
        columns = ["source", "target", "weight", "sign"]
        pd.testing.assert_frame_equal(joint.networks[name].edges[columns], alone.edges[columns])


def test_selection_and_bound_are_those_of_plain_loops(planted):
    joint = ni.infer_joint_precision(
        planted, kind="fused", penalty=0.2, similarity=0.5, threshold=0.75, seed=3, **QUICK
    )
    values = {name: data.to_numpy() for name, data in planted.items()}
    counts = {name: np.zeros((20, 20)) for name in planted}
    # Fits within a tolerance may differ in a pair at the edge of being tied: the same start, that of all samples.
    whole = ni.solvers.joint_graphical_lasso(
        [np.corrcoef(x.T) for x in values.values()], 0.2, 0.1, kind="fused", threads=1
    )
    for pair in range(5):
        for units in ni.stability.complementary_pair(400, pair, seed=3):
            # fused, two conditions: lambda = w, mu = s w
            halves = [np.corrcoef(x[units].T) for x in values.values()]
            fit = ni.solvers.joint_graphical_lasso(halves, 0.2, 0.1, kind="fused", start=whole, threads=1)
            for name, precision in zip(values, fit.precisions, strict=True):
                counts[name] += precision != 0
    n_pairs = 190
    for name, net in joint.networks.items():
        share = pd.DataFrame(counts[name] / 10, GENES, GENES)
        for row in net.edges.itertuples():
            assert row.selection_probability == share.loc[row.source, row.target]
        q = np.triu(counts[name], 1).sum() / 10
        # Meinshausen and Buehlmann: q^2 / ((2 tau - 1) N), tau rounded up to 8 of 10
        sure = net.edges["selection_probability"] >= 0.8
        assert sure.any()
        np.testing.assert_allclose(net.edges.loc[sure, "expected_false_edges"], q**2 / (0.6 * n_pairs), rtol=1e-12)
        assert net.edges.loc[~sure, "expected_false_edges"].isna().all()


@pytest.mark.parametrize(
    ("kind", "n", "alone"), [("group", 2, 2**0.5), ("group", 3, 3**0.5), ("fused", 2, 2), ("fused", 3, 2)]
)
def test_an_edge_of_equal_strength_pays_the_penalty_in_each(kind, n, alone):
    penalty, coupling = Penalties(kind, 0.3, 1.0).strengths(n)
    couple = (
        (lambda x: np.linalg.norm(x))
        if kind == "group"
        else (lambda x: sum(abs(a - b) for k, a in enumerate(x) for b in x[:k]))
    )

    def cost(x):
        return penalty * np.abs(x).sum() + coupling * couple(x)

    assert cost(np.ones(n)) == pytest.approx(n * 0.3)
    # At similarity 1 an edge of one condition alone pays root K (group), 2 (fused) times w: the docs' formulas.
    assert cost(np.eye(n)[0]) == pytest.approx(alone * 0.3)


def test_fits_are_certified_and_a_start_changes_no_edge(planted):
    matrices = [np.corrcoef(data.T) for data in planted.values()]
    certificates = Certificates()
    genes = [GENES, GENES]
    cold = joint_fit(matrices, genes, Penalties("group", 0.15, 0.5), certificates)
    start = joint_fit(matrices, genes, Penalties("group", 0.2, 0.5), certificates)
    warm = joint_fit(matrices, genes, Penalties("group", 0.15, 0.5), certificates, start=start)
    assert (certificates.n_fits, certificates.n_failed) == (3, 0)
    assert 0 < certificates.worst <= 1e-6
    for a, b in zip(cold.graphs, warm.graphs, strict=True):
        first, second = tied(a), tied(b)
        sure = {(i, j) for i, j, v in zip(*first, strict=True) if abs(v) > 0.01}
        assert sure <= set(zip(second[0].tolist(), second[1].tolist(), strict=True))


# ---- what differs -----------------------------------------------------------------------------------------------


def test_planted_changes_are_called_so(found):
    # 400 samples: partial correlations of 0.35 are seven standard errors of 1 / sqrt(400).
    assert change_of(found, "g00", "g01")["change"] == "lost"
    assert change_of(found, "g08", "g09")["change"] == "flipped"
    assert change_of(found, "g03", "g15")["change"] == "gained"
    assert change_of(found, "g05", "g06")["change"] == "shared"
    called = found.changes[found.changes["change"].isin(("lost", "gained", "flipped"))]
    assert len(called) == 3
    assert (called["change_probability"] >= 0.8).all()
    counts = found.counts().loc["minimal"]
    assert (counts["lost"], counts["gained"], counts["flipped"]) == (1, 1, 1)
    assert counts.sum() == len(found.changes)


@pytest.mark.parametrize("sizes", [(200, 200), (200, 60)])
def test_two_samples_of_one_network_seldom_differ(sizes):
    # 19 edges, and half-samples that chance alone tells apart: four data sets, of equal and of unequal size.
    n_changed = n_shared = 0
    for seed in range(4):
        pair = {name: condition(10 * seed + k, n=n) for k, (name, n) in enumerate(zip("ab", sizes, strict=True))}
        counts = ni.infer_joint_precision(pair, penalty=0.25, similarity=0.5, n_subsamples=20, threads=1).counts()
        n_changed += int(counts.loc["b", ["gained", "lost", "flipped"]].sum())
        n_shared += int(counts.loc["b", "shared"])
    assert n_shared >= 40
    assert n_changed <= 0.1 * n_shared


def test_noise_has_no_sure_signs():
    rng = np.random.default_rng(0)
    pair = {name: pd.DataFrame(rng.standard_normal((60, 15)), columns=GENES[:15]) for name in "ab"}
    with pytest.warns(UserWarning, match="chance alone might give as many edges as are stable in a .*, b "):
        found = ni.infer_joint_precision(pair, penalty=0.01, similarity=0.0, n_subsamples=20, threads=1)
    # Nearly all 105 pairs are tied in all half-samples: it is the sign that says nothing.
    assert (found.changes["selection_probability"] >= 0.9).mean() > 0.8
    assert found.counts().loc["b", ["flipped", "shared"]].sum() <= 10


def test_the_table_repeats_the_networks(found):
    sides = {"_reference": found.networks["rich"], "": found.networks["minimal"]}
    for end, net in sides.items():
        own = net.candidates.set_index(["source", "target"])
        table = found.changes.set_index(["source", "target"])
        tied_pairs = table[f"partial_correlation{end}"] != 0
        assert set(table.index[tied_pairs]) == set(own.index)
        signed = (own["weight"] * own["sign"]).reindex(table.index[tied_pairs])
        np.testing.assert_array_equal(table.loc[tied_pairs, f"partial_correlation{end}"], signed)
        np.testing.assert_array_equal(
            table.loc[tied_pairs, f"selection_probability{end}"],
            own["selection_probability"].reindex(table.index[tied_pairs]),
        )


@pytest.mark.parametrize("kind", ["group", "fused"])
def test_identical_conditions_differ_in_nothing(kind):
    data = condition(0, n=60)
    same = ni.infer_joint_precision({"a": data, "b": data.copy()}, kind=kind, similarity=0.5, **QUICK)
    assert not same.changes["change"].isin(("lost", "gained", "flipped")).any()
    np.testing.assert_array_equal(
        same.changes["partial_correlation"] != 0, same.changes["partial_correlation_reference"] != 0
    )
    shared = same.changes[same.changes["change"] == "shared"]
    assert len(shared) > 0
    assert (shared["change_probability"] >= 0.9).all()


def test_the_reference_turns_the_words_round(planted, found):
    turned = ni.infer_joint_precision(planted, reference="minimal", **{**QUICK, "n_subsamples": 40})
    assert set(turned.changes["condition"]) == {"rich"}
    words = {"gained": "lost", "lost": "gained"}
    first = {(r.source, r.target): words.get(r.change, r.change) for r in found.changes.itertuples()}
    assert {(r.source, r.target): r.change for r in turned.changes.itertuples()} == first


def test_three_conditions_have_a_row_each_and_both_criteria_are_recorded(planted):
    three = {**planted, "third": condition(2, n=120)}
    joint = ni.infer_joint_precision(three, criterion="ebic", kind="group", similarity=None, **QUICK)
    n_pairs = len(joint.changes.drop_duplicates(["source", "target"]))
    assert joint.changes["condition"].value_counts().to_dict() == {"minimal": n_pairs, "third": n_pairs}
    assert set(joint.changes.loc[joint.changes["condition"] == "third", "n_units"]) == {120}
    record = joint.provenance
    best = int(np.argmin(record["path"]["criterion"]))
    assert record["penalty"] == record["path"]["penalty"][best]
    table = record["similarities"]
    near = np.array(table["criterion"]) <= min(table["criterion"]) + table["standard_error"]
    assert record["similarity"] == table["similarity"][int(np.argmax(near))]
    assert record["lambda"] == pytest.approx((1 - record["similarity"]) * record["penalty"])
    assert record["mu"] == pytest.approx(3**0.5 * record["similarity"] * record["penalty"])
    assert sum(record["component_sizes"]) == 20


def test_stars_takes_the_smallest_penalty_with_a_small_mean_instability(found):
    path, threshold = found.provenance["path"], found.provenance["criterion_settings"]["threshold"]
    below = [w for w, d in zip(path["penalty"], path["criterion"], strict=True) if d <= threshold]
    assert found.provenance["penalty"] == min(below)
    assert path["criterion"][-1] > threshold
    assert np.all(np.diff(path["criterion"]) >= 0)


# ---- genes and samples ------------------------------------------------------------------------------------------


def test_gene_sets_may_differ_and_a_constant_gene_is_left_out_of_its_condition_alone(planted):
    rich, minimal = planted["rich"].drop(columns="g19"), planted["minimal"].assign(g10=2.0)
    joint = ni.infer_joint_precision({"rich": rich, "minimal": minimal}, penalty=0.15, similarity=0.5, **QUICK)
    table = joint.genes.set_index(["gene", "condition"])["status"]
    assert len(table) == 40
    assert table.loc[("g19", "rich")] == "not_measured"
    assert table.loc[("g10", "minimal")] == "constant"
    assert (table.drop([("g19", "rich"), ("g10", "minimal")]) == "ok").all()
    assert set(joint.networks["rich"].nodes["name"]) == set(GENES) - {"g19"}
    row = joint.networks["minimal"].targets.set_index("target").loc["g10"]
    assert row["status"] == "constant"
    for pair in (("g09", "g10"), ("g18", "g19")):
        assert change_of(joint, *pair)["change"] == "not_measured"
    lost = change_of(joint, "g09", "g10")
    assert np.isnan(lost["partial_correlation"])
    assert lost["partial_correlation_reference"] > 0
    assert change_of(joint, "g04", "g05")["change"] == "shared"


def test_regulators_come_first_then_the_largest_mean_variance():
    rich, minimal = condition(0, n=60), condition(1, n=60).drop(columns="g05")
    rich["g05"] *= 9.0  # in one condition only: its mean is over that one
    for data in (rich, minimal):
        data["g07"] *= 3.0
    rich["g08"] *= 3.5  # mean variance (3.5^2 + 1) / 2 of its own, less than 9 of g07
    joint = ni.infer_joint_precision(
        {"rich": rich, "minimal": minimal}, regulators=["g00", "g01"], max_genes=4, penalty=0.2, similarity=0.0, **QUICK
    )
    assert set(joint.genes["gene"]) == {"g00", "g01", "g05", "g07"}
    assert "4 of 20 of all conditions, 2 regulators" in joint.provenance["genes"]
    assert set(joint.networks["rich"].nodes.query("is_regulator")["name"]) == {"g00", "g01"}
    assert (joint.networks["rich"].targets["status"] == "filtered").sum() == 16


def test_the_order_of_genes_changes_no_bit(planted, found):
    turned = {
        "rich": planted["rich"][GENES[::-1]],
        "minimal": planted["minimal"].sample(frac=1, axis=1, random_state=0),
    }
    again = ni.infer_joint_precision(turned, **{**QUICK, "n_subsamples": 40})
    pd.testing.assert_frame_equal(again.changes, found.changes)
    pd.testing.assert_frame_equal(again.edges, found.edges)


def test_threads_change_no_byte(planted, tmp_path):
    files = {}
    for threads in (1, 2):
        joint = ni.infer_joint_precision(planted, n_subsamples=8, threads=threads)
        paths = joint.write(tmp_path / str(threads))
        files[threads] = {str(p.relative_to(tmp_path / str(threads))): p.read_bytes() for p in paths}
    assert files[1] == files[2]


def test_blocks_are_the_units(planted):
    adatas = {}
    for name, data in planted.items():
        obs = pd.DataFrame(
            {"donor": [f"d{i // 4}" for i in range(len(data))]}, index=[f"s{i}" for i in range(len(data))]
        )
        adatas[name] = anndata.AnnData(data.to_numpy(), obs=obs, var=pd.DataFrame(index=GENES))
    joint = ni.infer_joint_precision(adatas, block="donor", penalty=0.15, similarity=0.5, **QUICK)
    assert {of["n_units"] for of in joint.provenance["conditions"].values()} == {100}
    assert set(joint.changes["n_units"]) == {100}


# ---- files ------------------------------------------------------------------------------------------------------


def test_files_are_read_back(found, tmp_path):
    paths = found.write(tmp_path)
    assert all(path.is_file() for path in paths)
    back = ni.JointNetworks.read(tmp_path)
    pd.testing.assert_frame_equal(back.changes, found.changes)
    pd.testing.assert_frame_equal(back.genes, found.genes)
    assert back.provenance == found.provenance
    assert back.names == ["rich", "minimal"]
    for name, net in back.networks.items():
        pd.testing.assert_frame_equal(net.candidates, found.networks[name].candidates)
    edges = pd.read_csv(tmp_path / "edges.tsv", sep="\t")
    assert edges["condition"].value_counts().to_dict() == {name: len(net.edges) for name, net in found.networks.items()}
    parquet = pd.read_parquet(tmp_path / "changes.parquet")
    pd.testing.assert_frame_equal(parquet, found.changes, check_dtype=False)


def test_the_graph_has_every_pair_with_the_attributes_of_each_condition(found, tmp_path):
    found.write_graphml(tmp_path / "all.graphml")
    graph = nx.read_graphml(tmp_path / "all.graphml")
    assert not graph.is_directed()
    assert graph.number_of_edges() == len(found.changes)
    id_of = {data["name"]: node for node, data in graph.nodes(data=True)}
    for row in found.changes.itertuples():
        data = graph.edges[id_of[row.source], id_of[row.target]]
        assert data["change_minimal"] == row.change
        assert data["partial_correlation_rich"] == row.partial_correlation_reference
        assert data["partial_correlation_minimal"] == row.partial_correlation
        assert data["selection_probability_minimal"] == row.selection_probability
        assert data["weight"] == max(abs(row.partial_correlation), abs(row.partial_correlation_reference))


@pytest.mark.filterwarnings("ignore:infer_joint_precision. at this penalty chance alone")
def test_names_that_look_like_markup_stay_names(tmp_path):
    evil = {'<b>&"a"</b>': condition(0, n=60), "a/../b": condition(1, n=60)}
    evil = {name: data.rename(columns={"g00": "<i>&g</i>"}) for name, data in evil.items()}
    joint = ni.infer_joint_precision(evil, penalty=0.2, similarity=0.5, **QUICK)
    joint.write(tmp_path)
    assert ni.JointNetworks.read(tmp_path).names == list(evil)
    assert sorted(path.name for path in (tmp_path / "networks").iterdir()) == ["a_b", "b_a_b"]
    graph = nx.read_graphml(tmp_path / "network.graphml")
    assert "<i>&g</i>" in {data["name"] for _, data in graph.nodes(data=True)}


def test_file_names_are_each_their_own():
    assert file_names(["a b", "A_B", "--", "é"]) == {"a b": "a_b", "A_B": "A_B_2", "--": "--", "é": "condition"}


def test_notes_say_what_lost_means(found, tmp_path):
    found.write_graphml(tmp_path / "all.graphml")
    text = (tmp_path / "all.graphml").read_text()
    assert "do not select the edge, not that the tie is absent" in text
    json.dumps(found.provenance, allow_nan=False)


# ---- what is refused --------------------------------------------------------------------------------------------


PAIR = {"a": condition(0, 30), "b": condition(1, 30)}


@pytest.mark.parametrize(
    ("conditions", "options", "error", "match"),
    [
        ([condition(0, 30)], {}, ConfigError, "a mapping of names"),
        ({"a": condition(0, 30)}, {}, ConfigError, "1 given: at least two"),
        ({"a": condition(0, 30), "A": condition(1, 30)}, {}, ConfigError, "'a' and 'A' are one name"),
        ({"a": condition(0, 30), "": condition(1, 30)}, {}, ConfigError, "'' is no name"),
        (PAIR, {"reference": "c"}, ConfigError, "'c' is none of the conditions a, b"),
        ({"a": condition(0, 19), "b": condition(1, 12)}, {}, InputError, "a has 19, b has 12 independent units"),
        (
            {"a": condition(0, 30), "b": condition(1, 30).rename(columns=str.upper)},
            {},
            InputError,
            "'b' has no genes in common with 'a'",
        ),
        ({"a": condition(0, 30), "b": PAIR["b"].assign(g03=np.nan)}, {}, InputError, "condition 'b': nan in sample"),
        ({"a": condition(0, 30), "b": "nothing.csv"}, {}, InputError, "condition 'b': .*nothing.csv"),
        (PAIR, {"kind": "both"}, ConfigError, "kind: 'both' is unknown"),
        (PAIR, {"criterion": "cv"}, ConfigError, "criterion: 'cv' is unknown"),
        (PAIR, {"similarity": 1.0}, ConfigError, "similarity: 1.0"),
        (PAIR, {"similarity": True}, ConfigError, "similarity: True"),
        (PAIR, {"penalty": 0.0}, ConfigError, "penalty: 0.0"),
        (PAIR, {"max_genes": 1}, ConfigError, "max_genes: 1"),
        (PAIR, {"n_subsamples": 5}, ConfigError, "n_subsamples: 5"),
        (PAIR, {"threshold": 0.5}, ConfigError, "threshold: 0.5"),
        (PAIR, {"seed": -1}, ConfigError, "seed: -1"),
        (PAIR, {"threads": 0}, ConfigError, "threads: 0"),
        (PAIR, {"block": "donor"}, InputError, "condition 'a': .*donor"),
    ],
)  # fmt: skip
def test_bad_inputs_are_named_before_any_work(conditions, options, error, match):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(error, match=match) as caught:
            ni.infer_joint_precision(conditions, **{**QUICK, **options})
    assert "\n" not in str(caught.value)


def test_ranks_with_covariates_ask_for_a_similarity(planted):
    adatas = {}
    for name, data in planted.items():
        obs = pd.DataFrame({"depth": np.arange(len(data), dtype=float)}, index=[f"s{i}" for i in range(len(data))])
        adatas[name] = anndata.AnnData(data.to_numpy(), obs=obs, var=pd.DataFrame(index=GENES))
    options = {"correlation": "spearman", "covariates": ["depth"], "penalty": 0.2, **QUICK}
    with pytest.raises(InputError, match="give a similarity"):
        ni.infer_joint_precision(adatas, similarity=None, **options)
    assert len(ni.infer_joint_precision(adatas, similarity=0.25, **options).changes) > 0


# ---- simulated conditions ---------------------------------------------------------------------------------------


def test_simulated_conditions_have_the_changes_that_they_say():
    names = ["a", "b", "c"]
    data, truth = ni.simulate.conditions((30, 40, 50), 20, gained=0.1, lost=0.2, flipped=0.1, names=names, seed=2)
    assert [adata.shape for adata in data.values()] == [(30, 20), (40, 20), (50, 20)]
    # 20 edges in the reference
    for name in names[1:]:
        own = truth[truth["condition"] == name]
        assert own["change"].value_counts().to_dict() == {"shared": 14, "lost": 4, "flipped": 2, "gained": 2}
        shared = own[own["change"] == "shared"]
        np.testing.assert_array_equal(shared["partial_correlation"], shared["partial_correlation_reference"])
        assert (own.loc[own["change"] == "lost", "partial_correlation"] == 0).all()
        turned = own[own["change"] == "flipped"]
        np.testing.assert_array_equal(turned["partial_correlation"], -turned["partial_correlation_reference"])


def test_simulated_samples_have_the_partial_correlations_of_the_table():
    data, truth = ni.simulate.conditions((4000, 4000), 10, gained=0.2, lost=0.2, flipped=0.2, seed=3)
    for adata, column in zip(data.values(), ("partial_correlation_reference", "partial_correlation"), strict=True):
        precision = np.linalg.inv(np.cov(adata.X.T))
        size = np.sqrt(precision.diagonal())
        partial = pd.DataFrame(-precision / size / size[:, None], adata.var_names, adata.var_names)
        for row in truth.itertuples():
            # five standard errors of 1 / sqrt(4000)
            assert partial.loc[row.source, row.target] == pytest.approx(getattr(row, column), abs=0.08)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"n_samples": (10,)}, "at least two numbers"),
        ({"n_genes": 3, "degree": 4.0}, "which have 3 pairs"),
        ({"lost": 0.7, "flipped": 0.5}, "shares of the edges"),
        ({"names": ["a", "a"]}, "give each its own"),
    ],
)
def test_impossible_simulations_are_refused(options, match):
    with pytest.raises(InputError, match=match):
        ni.simulate.conditions(**options)


def test_the_example_of_the_docs_gives_its_numbers():
    data, truth = ni.simulate.conditions(
        (240, 160), 60, names=("rich", "minimal"), gained=0.1, lost=0.1, flipped=0.05, seed=1
    )
    found = ni.infer_joint_precision(data, threads=1)
    counts = {"gained": 2, "lost": 1, "flipped": 3, "shared": 42, "absent": 0, "unclear": 66, "not_measured": 0}
    assert found.counts().loc["minimal"].to_dict() == counts  # docs/howto_conditions.md
    columns = ["source", "target", "change"]
    called = found.changes.loc[found.changes["change"] != "unclear", columns]
    assert len(called.merge(truth[columns])) == 48
