"""The nodewise Lasso: each gene's fit against scikit-learn, the two ways to combine them, bits, chance, R's huge."""

import itertools
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Lasso

import netinfer as ni
from netinfer.errors import ConfigError, ConvergenceWarning
from netinfer.models.precision import PrecisionPlan, configured_precision
from netinfer.models.precision.fits import Certificates, penalty_grid
from netinfer.models.precision.nodewise import NodewiseLasso, combined
from netinfer.stability import complementary_pair

QUICK = {"method": "nodewise", "n_subsamples": 4, "threads": 1}


def chain(p=30, n=300, seed=0, strength=0.35):
    """Samples of a chain of genes, each tied to the next, and its edges."""
    precision = np.eye(p) + strength * (np.eye(p, k=1) + np.eye(p, k=-1))
    rng = np.random.default_rng(seed)
    names = [f"g{j:02d}" for j in range(p)]
    data = rng.standard_normal((n, p)) @ np.linalg.cholesky(np.linalg.inv(precision)).T
    return pd.DataFrame(data, columns=names), set(itertools.pairwise(names))


def pairs(edges):
    return set(zip(edges["source"], edges["target"], strict=True))


def graphs(matrix, penalties, combine="and", threads=1):
    return list(NodewiseLasso(combine).path(matrix, penalties, Certificates(), threads=threads))


def by_scikit_learn(matrix, penalty):
    """Coefficients of each gene on all others, (p, p), and residual standard deviations, from a root of the matrix."""
    size, vectors = np.linalg.eigh(matrix)
    p = len(matrix)
    # p rows of which the second moments are the matrix.
    x = np.sqrt(np.clip(size, 0, None) * p)[:, None] * vectors.T
    coef, sd = np.zeros((p, p)), np.zeros(p)
    for i in range(p):
        others = np.arange(p) != i
        fit = Lasso(penalty, fit_intercept=False, tol=1e-15, max_iter=200_000).fit(x[:, others], x[:, i])
        coef[i, others] = fit.coef_
        sd[i] = np.sqrt(np.mean((x[:, i] - x[:, others] @ fit.coef_) ** 2))
    return coef, sd


# ---- each gene's regression, and the pair of them ------------------------------------------------------------------


@pytest.mark.parametrize("n", [200, 12])  # 12 samples of 20 genes: a singular matrix
@pytest.mark.parametrize("combine", ["and", "or"])
def test_the_graph_is_that_of_plain_loops_with_another_solver(n, combine):
    rng = np.random.default_rng(n)
    x = rng.standard_normal((n, 20))
    x[:, 1:] += 0.6 * x[:, :-1]
    matrix = np.corrcoef(x.T)
    grid = penalty_grid(matrix)[:12]
    for penalty, graph in zip(grid, graphs(matrix, grid, combine), strict=True):
        coef, sd = by_scikit_learn(matrix, penalty)
        coef[np.abs(coef) < 1e-8] = 0.0
        expected = {}
        for i, j in itertools.combinations(range(20), 2):
            one, other = coef[i, j] * sd[j] / sd[i], coef[j, i] * sd[i] / sd[j]
            if combine == "and" and one * other > 0:
                expected[i, j] = min(one, other, key=abs)
            elif combine == "or" and (one or other):
                expected[i, j] = max(one, other, key=abs)
        found = dict(zip(zip(graph.first, graph.second, strict=True), graph.partial_correlation, strict=True))
        assert set(found) == set(expected)
        for pair, value in expected.items():
            assert found[pair] == pytest.approx(np.clip(value, -1, 1), abs=1e-8)
        assert graph.duality_gap <= 1e-9
        assert graph.component_sizes.sum() == 20


def test_both_estimates_are_made_one():
    gene, neighbour = np.array([0, 1, 0, 2, 1, 3, 2, 3]), np.array([1, 0, 2, 0, 3, 1, 3, 0])
    estimate = np.array([0.3, 0.2, 0.4, -0.5, -1.7, -1.2, 0.1, -0.6])
    first, second, value = combined(gene, neighbour, estimate, 4, "and")
    # 0-2: the signs disagree; 2-3 and 0-3: one side only; 1-3 is cut.
    assert list(zip(first, second, value, strict=True)) == [(0, 1, 0.2), (1, 3, -1.0)]
    first, second, value = combined(gene, neighbour, estimate, 4, "or")
    assert list(zip(first, second, value, strict=True)) == [
        (0, 1, 0.3), (0, 2, -0.5), (0, 3, -0.6), (1, 3, -1.0), (2, 3, 0.1),
    ]  # fmt: skip


def test_and_is_within_or_and_nothing_is_tied_at_the_largest_penalty():
    data, _ = chain(p=40, n=50)
    matrix = np.corrcoef(data.T)
    grid = penalty_grid(matrix)[:15]
    for strict, loose in zip(graphs(matrix, grid), graphs(matrix, grid, "or"), strict=True):
        assert set(strict.pairs) <= set(loose.pairs)
    assert len(strict.pairs) < len(loose.pairs)
    for combine in ("and", "or"):
        largest, below = graphs(matrix, [grid[0], 0.999 * grid[0]], combine)
        assert len(largest.pairs) == 0
        # Just below it the pair of the largest correlation, which each of the two selects.
        assert len(below.pairs) == 1
        assert largest.component_sizes.tolist() == [1] * 40


def test_partial_correlations_at_a_small_penalty_are_those_of_the_inverse():
    data, _ = chain(p=8, n=2000)
    matrix = np.corrcoef(data.T)
    inverse = np.linalg.inv(matrix)
    partial = -inverse / np.sqrt(np.outer(inverse.diagonal(), inverse.diagonal()))
    for combine in ("and", "or"):
        (graph,) = graphs(matrix, [1e-6], combine)
        assert len(graph.pairs) == 28
        # Coefficients move by the penalty times a row of an inverse, of at most a few units.
        np.testing.assert_allclose(graph.partial_correlation, partial[graph.first, graph.second], atol=1e-4)


def test_the_order_of_the_genes_decides_nothing():
    data, _ = chain(p=30, n=20)
    matrix = np.corrcoef(data.T)
    order = np.random.default_rng(1).permutation(30)
    grid = penalty_grid(matrix)[:14]
    for combine in ("and", "or"):
        plain, moved = graphs(matrix, grid, combine), graphs(matrix[np.ix_(order, order)], grid, combine)
        for a, b in zip(plain, moved, strict=True):
            i, j = order[b.first], order[b.second]
            place = np.minimum(i, j) * 30 + np.maximum(i, j)
            there = np.argsort(place)
            assert place[there].tolist() == (a.first * 30 + a.second).tolist()
            np.testing.assert_allclose(b.partial_correlation[there], a.partial_correlation, atol=1e-10)


@pytest.mark.parametrize("combine", ["and", "or"])
def test_copies_of_a_gene_are_tied_and_certified(combine):
    data, _ = chain(p=20, n=30)
    data["copy"] = data["g05"]
    data["nearly"] = data["g06"] + 1e-9 * data["g07"]
    net = ni.infer_precision(data, penalty=0.1, combine=combine, **QUICK)
    assert {("copy", "g05"), ("g06", "nearly")} <= pairs(net.edges)
    assert net.provenance["worst_duality_gap"] <= 1e-9
    assert net.edges["weight"].max() <= 1.0


# ---- bits ---------------------------------------------------------------------------------------------------------


def test_steps_threads_and_blocks_give_the_same_bits():
    rng = np.random.default_rng(2)
    # Above 128 genes there are three blocks.
    matrix = np.corrcoef((rng.standard_normal((60, 130)) + 0.5 * rng.standard_normal((60, 1))).T)
    grid = penalty_grid(matrix)[:11]
    whole = graphs(matrix, grid)
    for others in (
        graphs(matrix, grid, threads=2),
        list(NodewiseLasso().steps(matrix, grid, Certificates())),
        graphs(matrix, grid[:6]),
    ):
        for a, b in zip(whole, others, strict=False):
            assert a.pairs.tobytes() == b.pairs.tobytes()
            assert a.partial_correlation.tobytes() == b.partial_correlation.tobytes()
            assert a.duality_gap == b.duality_gap


@pytest.mark.parametrize("settings", [{}, {"criterion": "ebic", "combine": "or"}, {"fdr": 0.2}])
def test_one_thread_and_two_give_the_same_network(settings):
    data, _ = chain(p=14, n=60)
    one, two = (
        ni.infer_precision(data, method="nodewise", n_subsamples=8, threads=threads, **settings) for threads in (1, 2)
    )
    pd.testing.assert_frame_equal(one.candidates, two.candidates, check_exact=True)
    pd.testing.assert_frame_equal(one.targets, two.targets, check_exact=True)
    assert one.provenance == two.provenance


@pytest.mark.parametrize(
    ("settings", "call", "cut"),
    [
        ({"criterion": "ebic"}, {"criterion": "ebic"}, None),
        ({"combine": "or"}, {"combine": "or"}, None),
        ({"penalty": 0.2, "correlation": "spearman"}, {"penalty": 0.2, "correlation": "spearman"}, None),
        ({"criterion": "error"}, {"fdr": 0.2}, {"fdr": 0.2}),
    ],
)
def test_chunks_of_half_samples_join_to_the_network_of_one_call(tmp_path, settings, call, cut):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((60, 14))
    values[:, 1::2] += 1.2 * values[:, ::2]  # 7 pairs
    values[:, 2:] += 0.5 * values[:, :-2]
    adata = ni.io.as_expression(values)
    expected = ni.infer_precision(adata, method="nodewise", n_subsamples=10, seed=3, threads=1, **call)
    assert len(expected.edges) >= 5

    def model():
        precision = {"method": "nodewise", **settings}
        params = SimpleNamespace(precision=precision, regression={"n_subsamples": 10}, cut=cut or {}, seed=3)
        return configured_precision(adata, params)

    model().plan().write(tmp_path / "plan.json")
    plan = PrecisionPlan.read(tmp_path / "plan.json")
    for n_chunks in (1, 3):
        parts = [tmp_path / f"{i}-of-{n_chunks}.npz" for i in range(1, n_chunks + 1)]
        for i, part in enumerate(parts, start=1):
            model().count(plan, (i, n_chunks), part)
        net = model().join(plan, parts)
        pd.testing.assert_frame_equal(net.candidates, expected.candidates, check_exact=True)
        assert net.cut == expected.cut
        assert net.provenance["model"] == "nodewise_lasso"
        for key in ("penalty", "criterion", "path_ends", "n_components", "weight"):
            assert net.provenance[key] == expected.provenance[key], key


# ---- the network ---------------------------------------------------------------------------------------------------


# A chain of 0.35 at n = 300 has partial correlations of six standard errors: every edge is found. Chance edges are left
# in: StARS has F1 0.95 (and) and 0.92 (or), the extended BIC 0.98 and 0.94, which these floors leave room for.
@pytest.mark.parametrize("combine", ["and", "or"])
@pytest.mark.parametrize("criterion", ["stars", "ebic"])
def test_a_planted_graph_is_recovered(criterion, combine):
    data, true = chain()
    net = ni.infer_precision(data, criterion=criterion, combine=combine, **QUICK)
    found = pairs(net.edges)
    assert true <= found
    assert 2 * len(found & true) / (len(found) + len(true)) >= 0.85
    assert net.provenance["model"] == "nodewise_lasso"
    assert set(net.candidates["model"]) == {"nodewise_lasso"}
    assert net.provenance["settings"]["combine"] == combine
    assert ("smaller" if combine == "and" else "larger") in net.provenance["weight"]
    assert net.targets["duality_gap"].max() <= 1e-9


def test_selection_probabilities_are_those_of_plain_loops():
    data, _ = chain(p=10, n=60)
    net = ni.infer_precision(data, penalty=0.15, method="nodewise", n_subsamples=6, threshold=0.75, seed=3, threads=1)
    penalties = net.provenance["path_ends"]["penalty"]
    x = data.to_numpy()
    chosen = np.zeros((6, len(penalties), 10, 10), bool)
    for pair in range(3):
        for half, units in enumerate(complementary_pair(60, pair, seed=3)):
            for k, penalty in enumerate(penalties):
                there = np.abs(by_scikit_learn(np.corrcoef(x[units].T), penalty)[0]) > 1e-8
                chosen[2 * pair + half, k] = np.triu(there & there.T, 1)
    share = pd.DataFrame(chosen.mean(axis=0).max(axis=0), data.columns, data.columns)
    assert len(net.candidates) >= 9
    for row in net.candidates.itertuples():
        assert row.selection_probability == pytest.approx(share.loc[row.source, row.target])


def test_the_extended_bic_is_that_of_the_graph_fitted_anew():
    data, _ = chain(p=8, n=200)
    net = ni.infer_precision(data, criterion="ebic", combine="or", **QUICK)
    table, r = pd.DataFrame(net.provenance["path"]), np.corrcoef(data.T)
    assert table["n_edges"][0] == 0  # at the largest correlation itself, where a rounding would decide below
    for row, graph in zip(table[1:].itertuples(), graphs(r, table["penalty"][1:], "or"), strict=True):
        weights = np.full((8, 8), 1e6)
        weights[graph.first, graph.second] = weights[graph.second, graph.first] = 0.0
        np.fill_diagonal(weights, 0.0)
        t = ni.solvers.graphical_lasso(r, weights, tol=1e-9).precision
        likelihood = 200 * (np.trace(r @ t) - np.linalg.slogdet(t)[1])
        expected = likelihood + len(graph.pairs) * (np.log(200) + 2 * np.log(8))
        # 200 units of 8 genes, each fit within a gap of 1e-6 a gene: 0.002.
        assert row.criterion == pytest.approx(expected, abs=0.005)
        assert row.n_edges == len(graph.pairs)
    assert net.provenance["penalty"] == table["penalty"][table["criterion"].idxmin()]


@pytest.mark.parametrize("combine", ["and", "or"])
def test_chance_alone_keeps_the_bound(combine):
    # 20 data sets without a tie, one expected false edge allowed in each: the bound is far from exact there.
    total = 0
    for seed in range(20):
        data = np.random.default_rng(seed).standard_normal((60, 25))
        net = ni.infer_precision(
            data, method="nodewise", combine=combine, expected_false_edges=1.0, n_subsamples=10, threshold=0.6,
            seed=seed, threads=1,
        )  # fmt: skip
        total += len(net.edges)
    assert total <= 2


def test_more_genes_than_samples_and_units_in_strata_have_a_network():
    data, true = chain(p=60, n=40, strength=0.45)
    adata = ni.io.as_expression(data)
    adata.obs["batch"] = np.repeat(["a", "b"], 20)
    net = ni.infer_precision(adata, strata="batch", covariates=["batch"], correlation="kendall", shrinkage=0.1, **QUICK)
    # Partial correlations of 0.45 are near three standard errors of 40 samples.
    assert len(pairs(net.edges) & true) >= 20
    assert net.provenance["worst_duality_gap"] <= 1e-9


def test_uncertified_fits_are_told_in_one_warning(monkeypatch):
    from netinfer.models.precision import nodewise

    monkeypatch.setattr(nodewise, "GAP_TOLERANCE", 1e-18)
    monkeypatch.setattr(nodewise, "MAX_SWEEPS", 1)
    with pytest.warns(ConvergenceWarning, match="fits with a duality gap of a gene's Lasso, relative to half") as seen:
        net = ni.infer_precision(chain(p=12, n=60)[0], penalty=0.05, **QUICK)
    assert len(seen) == 1
    assert (net.targets["status"] == "not_converged").all()


# ---- R's huge ------------------------------------------------------------------------------------------------------


def test_graphs_are_those_of_huge(tmp_path):
    if (
        shutil.which("Rscript") is None
        or subprocess.run(["Rscript", "-e", "library(huge)"], capture_output=True, check=False).returncode
    ):
        pytest.skip("R with huge is not here")
    data, _ = chain(p=15, n=80)
    matrix = np.corrcoef(data.T)
    grid = penalty_grid(matrix)[1:12]
    data.to_csv(tmp_path / "x.csv", header=False, index=False)
    # Of and, then of or.
    (tmp_path / "mb.R").write_text(
        'x <- as.matrix(read.csv("x.csv", header = FALSE))\n'
        "library(huge)\n"
        f"lambda <- c({', '.join(map(repr, grid.tolist()))})\n"
        'edges <- function(sym) sapply(huge(x, lambda = lambda, method = "mb", sym = sym, verbose = FALSE)$path,\n'
        "  function(g) sum(as.matrix(g)) / 2)\n"
        'write(c(edges("and"), edges("or")), "edges.txt", ncolumns = 1)\n'
    )
    subprocess.run(["Rscript", "--vanilla", "mb.R"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    theirs = np.loadtxt(tmp_path / "edges.txt")
    ours = [len(graph.pairs) for combine in ("and", "or") for graph in graphs(matrix, grid, combine)]
    assert ours[len(grid) - 1] > 15  # the chain has 14
    # Its coordinate descent stops early, which may leave a pair in or out.
    assert np.abs(theirs - ours).max() <= 1


# ---- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "mb"}, "method: 'mb' is unknown: use graphical_lasso, nodewise"),
        ({"method": "nodewise", "combine": "xor"}, "combine: 'xor' is unknown: use and, or"),
        ({"combine": "or"}, "combine: 'or' is for method nodewise"),
        ({"method": "nodewise", "criterion": "cv"}, "criterion cv: method nodewise has no likelihood"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        ni.infer_precision(chain(p=6, n=40)[0], **settings)
