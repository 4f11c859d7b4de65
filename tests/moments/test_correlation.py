"""Correlations of genes: agreement with numpy, scipy and scikit-learn, exact invariances, what the skeptic is for."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, special, stats

from netinfer.errors import InputError
from netinfer.moments import correlation_matrix
from netinfer.moments.correlation import BLOCK, METHODS
from netinfer.moments.nearest import FLOOR, eigenvalue_rounding

RANKED = ("spearman", "kendall", "normal_scores")


def gaussian(n=50, p=8, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, p)) @ (np.eye(p) + 0.4 * rng.standard_normal((p, p)))


def counts(n=50, p=8, seed=0):
    """Many zeros and ties; small enough for float32 to hold them."""
    rates = np.exp(np.minimum(0.7 * gaussian(n, p, seed) - 0.5, 4.0))
    return np.random.default_rng(seed).poisson(rates).astype(float)


def raw(data, method, **more):
    return correlation_matrix(data, method=method, project=False, **more).matrix


def left_by(covariates, values):
    design = np.column_stack([np.ones(len(values)), covariates])
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]


@pytest.mark.parametrize("make", [gaussian, counts])
def test_pearson_and_spearman_agree_with_numpy_and_scipy(make):
    data = make()
    # Sums of 50 products of numbers of size 1.
    np.testing.assert_allclose(raw(data, "pearson"), np.corrcoef(data.T), atol=1e-14)
    expected = 2 * np.sin(np.pi / 6 * stats.spearmanr(data).statistic)
    np.testing.assert_allclose(raw(data, "spearman"), expected, atol=1e-14)


@pytest.mark.parametrize("make", [gaussian, counts])
@pytest.mark.parametrize("n", [3, 4, 5, 63, 64, 65, 127, 128, 300])  # words of 64 pairs; even n count one shift by half
def test_kendall_agrees_with_scipy(make, n):
    data = make(n, 5)
    data[0], data[1] = 0.0, 5.0  # nothing is constant
    expected = [[stats.kendalltau(a, b).statistic for a in data.T] for b in data.T]
    np.testing.assert_allclose(raw(data, "kendall"), np.sin(np.pi / 2 * np.array(expected)), atol=1e-14)


@pytest.mark.parametrize("make", [gaussian, counts])
def test_normal_scores_are_those_of_van_der_waerden(make):
    data = make()
    scores = special.ndtri(stats.rankdata(data, axis=0) / (len(data) + 1))
    np.testing.assert_allclose(raw(data, "normal_scores"), np.corrcoef(scores.T), atol=1e-14)


@pytest.mark.parametrize("method", RANKED)
@pytest.mark.parametrize("make", [gaussian, counts])
def test_increasing_transforms_leave_every_bit(make, method):
    data = make(40, 6)
    moved = np.column_stack([np.exp(data[:, 0]), data[:, 1] ** 3, 1e9 + data[:, 2:] * 1e3])
    assert (raw(moved, method) == raw(data, method)).all()


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_the_order_of_samples_leaves_every_bit(method):
    # Sums of whole numbers are the same in any order.
    data = counts(70, 6)
    assert (raw(data[np.random.default_rng(0).permutation(70)], method) == raw(data, method)).all()


@pytest.mark.parametrize("method", METHODS)
def test_any_number_of_threads_has_the_same_bits(method):
    data = gaussian(40, BLOCK + 50).round(1)  # ties, few of one value
    more = {"shrinkage": 0.3, "covariates": np.arange(40.0)}
    one, two = (correlation_matrix(data, method=method, threads=k, **more) for k in (1, 3))
    assert (one.matrix == two.matrix).all()
    assert one.smallest_eigenvalue == two.smallest_eigenvalue


@pytest.mark.parametrize("method", METHODS)
def test_every_container_has_the_same_bits(method):
    data = counts(30, BLOCK + 3)
    rows = np.array([5, 3, 20, 11, 29, 0, 8, 9, 17, 22])
    data[rows[0]], data[rows[1]] = 0.0, 1.0
    for kept in (None, rows):
        expected = raw(data, method, rows=kept)
        for other in (
            np.asfortranarray(data),
            data.astype(np.float32),
            data.astype(int),
            pd.DataFrame(data),
            sparse.csr_matrix(data),
            sparse.csc_array(data),
            sparse.coo_array(data),
        ):
            assert (raw(other, method, rows=kept) == expected).all()


@pytest.mark.parametrize("method", METHODS)
def test_rows_are_those_samples_alone(method):
    data, rows = gaussian(30, 5), np.array([4, 9, 1, 17, 25, 6])
    is_kept = np.isin(np.arange(30), rows)
    covariates = np.random.default_rng(1).standard_normal(30)
    alone = raw(data[is_kept], method, covariates=covariates[is_kept])
    assert (raw(data, method, rows=is_kept, covariates=covariates) == alone).all()
    np.testing.assert_allclose(raw(data, method, rows=rows, covariates=covariates), alone, atol=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_duplicates_and_opposites(method):
    data = counts(40, 4)
    matrix = raw(np.hstack([data, data[:, :1], -data[:, 1:2]]), method)
    assert matrix[0, 4] == pytest.approx(1.0, abs=1e-15)
    assert matrix[1, 5] == pytest.approx(-1.0, abs=1e-15)
    assert (matrix == matrix.T).all()
    assert (matrix.diagonal() == 1.0).all()
    assert np.abs(matrix).max() <= 1.0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("make", [gaussian, counts])
def test_more_genes_than_samples_end_positive_semidefinite(method, make):
    data = make(20, 60)
    data[0], data[1] = 0.0, 5.0
    result = correlation_matrix(data, method=method)
    smallest, rounding = np.linalg.eigvalsh(result.matrix)[0], eigenvalue_rounding(result.matrix)
    assert (result.matrix == result.matrix.T).all()
    assert (result.matrix.diagonal() == 1.0).all()
    if method in ("spearman", "kendall"):
        before = raw(data, method)
        assert result.is_projected
        assert result.smallest_eigenvalue == pytest.approx(np.linalg.eigvalsh(before)[0], abs=rounding)
        assert result.smallest_eigenvalue < 0
        assert smallest >= FLOOR - rounding
        assert result.distance == pytest.approx(np.linalg.norm(result.matrix - before), rel=1e-12)
        assert 0 < result.distance_bound < 1e-3 * result.distance
    else:
        assert not result.is_projected
        assert result.distance == result.distance_bound == 0.0
        assert result.smallest_eigenvalue == 0.0  # rank 19 of 60
        assert smallest >= -rounding


@pytest.mark.parametrize("method", METHODS)
def test_the_smallest_eigenvalue_is_the_matrix_s(method):
    result = correlation_matrix(gaussian(100, 5), method=method)
    assert not result.is_projected
    assert result.smallest_eigenvalue == pytest.approx(np.linalg.eigvalsh(result.matrix)[0], abs=1e-14)


def test_a_matrix_that_is_not_to_be_projected_is_left():
    result = correlation_matrix(gaussian(20, 60), method="spearman", project=False)
    assert not result.is_projected
    assert np.linalg.eigvalsh(result.matrix)[0] < 0


@pytest.mark.parametrize("method", METHODS)
def test_shrinkage_moves_to_the_identity(method):
    data = gaussian(30, 6)
    whole, part = raw(data, method), correlation_matrix(data, method=method, shrinkage=0.25, project=False)
    assert part.shrinkage == 0.25
    np.testing.assert_allclose(part.matrix, 0.75 * whole + 0.25 * np.eye(6), atol=1e-15)
    assert correlation_matrix(data, method=method, shrinkage=0).shrinkage == 0.0


def test_enough_shrinkage_needs_no_projection():
    data = gaussian(20, 40)
    smallest = correlation_matrix(data, method="spearman", project=False).smallest_eigenvalue
    # (1 - s) m + s > 0 for s > -m / (1 - m).
    share = 1.01 * -smallest / (1 - smallest) + 1e-6
    result = correlation_matrix(data, method="spearman", shrinkage=share)
    assert not result.is_projected
    assert result.smallest_eigenvalue > FLOOR


@pytest.mark.parametrize("seed", range(3))
def test_estimated_shrinkage_is_that_of_schaefer_and_strimmer(seed):
    data = gaussian(25, 10, seed)
    n, standard = 25, stats.zscore(data, ddof=1)
    products = np.einsum("ki,kj->kij", standard, standard)
    # Their appendix: Var(r_ij) = n / (n - 1)^3 sum_k (w_kij - mean w_ij)^2.
    variance = n / (n - 1) ** 3 * ((products - products.mean(axis=0)) ** 2).sum(axis=0)
    correlation, off = np.corrcoef(data.T), ~np.eye(10, dtype=bool)
    expected = variance[off].sum() / (correlation[off] ** 2).sum()
    result = correlation_matrix(data, shrinkage="ledoit_wolf")
    assert result.shrinkage == pytest.approx(expected, rel=1e-10)
    np.testing.assert_allclose(result.matrix[off], (1 - expected) * correlation[off], rtol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_estimated_shrinkage_is_near_scikit_learn_s(seed):
    from sklearn.covariance import ledoit_wolf_shrinkage

    data = gaussian(80, 60, seed)
    theirs = ledoit_wolf_shrinkage(stats.zscore(data), assume_centered=True)
    ours = correlation_matrix(data, shrinkage="ledoit_wolf").shrinkage
    # Theirs counts the p variances of the diagonal as estimated as well, 2 each beside about 1 for each of the
    # p (p - 1) others, and divides by n where this has n - 1.
    assert ours * 79 / 80 == pytest.approx(theirs, rel=0, abs=theirs * 4 / 60)
    assert ours * 79 / 80 < theirs


def test_unrelated_genes_are_shrunk_to_the_identity():
    result = correlation_matrix(np.random.default_rng(0).standard_normal((10, 300)), shrinkage="ledoit_wolf")
    # Of independent genes a squared correlation has mean 1 / (n - 1) and a product of two squares mean 1, so that the
    # ratio is (1 - 1 / 9) / (9 / 9); over 44,850 pairs it is within a few per cent of that.
    assert result.shrinkage == pytest.approx(8 / 9, abs=0.03)
    assert result.smallest_eigenvalue == result.shrinkage


@pytest.mark.parametrize("method", ["pearson", "normal_scores"])
def test_covariates_are_projected_out(method):
    data, covariates = gaussian(40, 6), np.random.default_rng(5).standard_normal((40, 2))
    data += covariates @ np.ones((2, 6))
    values = data if method == "pearson" else special.ndtri(stats.rankdata(data, axis=0) / 41)
    result = correlation_matrix(data, method=method, covariates=covariates)
    np.testing.assert_allclose(result.matrix, np.corrcoef(left_by(covariates, values).T), atol=1e-13)
    assert result.n_samples == 40
    assert result.n_effective == 38


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_residuals_of_the_values_are_ranked(method):
    data, covariates = gaussian(40, 6), np.random.default_rng(5).standard_normal((40, 2))
    expected = raw(left_by(covariates, data), method)
    # No two residuals of a gene are within rounding of each other here, so that their order is the same.
    assert (raw(data, method, covariates=covariates) == expected).all()


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_values_that_tie_within_a_batch_go_on_tying(method):
    batch = np.repeat([0.0, 1.0, 2.0], 20)
    data = gaussian(60, 6).round() + batch[:, None] * 0.1
    data[np.ix_(batch == 1.0, [0])] += 3.0  # less than a third of one value
    classes = (batch[:, None] == [0.0, 1.0]).astype(float)
    means = np.array([data[batch == b].mean(axis=0) for b in range(3)])
    centred = (data - means[batch.astype(int)]).round(9)
    np.testing.assert_allclose(raw(data, method, covariates=classes), raw(centred, method), atol=1e-14)


def test_tied_values_with_covariates_are_left_to_normal_scores():
    rng, off = np.random.default_rng(0), np.triu_indices(20, 1)
    depth = 0.5 * rng.standard_normal(400)
    data = np.log1p(rng.poisson(0.3 * np.exp(depth)[:, None], (400, 20)))  # 0.7 zeros
    for method in ("spearman", "kendall"):
        with pytest.raises(InputError, match=r"gene g0 has one value in more than a third .*, and 19 more: "):
            correlation_matrix(data, method=method, covariates=depth, names=[f"g{j}" for j in range(20)])
        # Why: residuals of the zeros are in the order of the depth, so that unrelated genes correlate.
        assert raw(left_by(depth, data), method)[off].mean() > 0.1
    # The mean of 190 correlations with standard errors 1 / sqrt(400) each, those of a gene dependent: about 0.005.
    assert abs(raw(data, "normal_scores", covariates=depth)[off].mean()) < 0.02
    data[: len(data) // 3, 0], data[len(data) // 3 :, 0] = 0.0, np.arange(1, 268)
    few = data[:, :1] + np.arange(2) * rng.standard_normal((400, 1))
    assert raw(few, "kendall", covariates=depth).shape == (2, 2)  # 133 of 400 are not more than a third


@pytest.mark.parametrize("method", METHODS)
def test_covariates_that_add_nothing_take_nothing(method):
    data, covariate = gaussian(30, 4), np.random.default_rng(5).standard_normal(30)
    more = np.column_stack([covariate, np.full(30, 7.0), 3 * covariate + 1])
    alone, together = (correlation_matrix(data, method=method, covariates=z) for z in (covariate, more))
    assert together.n_effective == alone.n_effective == 29
    np.testing.assert_allclose(together.matrix, alone.matrix, atol=1e-13)
    none = correlation_matrix(data, method=method, covariates=np.full((30, 1), 7.0))
    assert none.n_effective == 30
    np.testing.assert_allclose(none.matrix, correlation_matrix(data, method=method).matrix, atol=1e-14)


def test_a_large_mean_does_not_cost_digits():
    data = gaussian(50, 3)
    # Adding 1e9 rounds each value to 1e-7.
    np.testing.assert_allclose(raw(data + 1e9, "pearson"), raw(data, "pearson"), atol=1e-6)
    assert np.isfinite(raw(data * 1e200, "pearson")).all()


@pytest.mark.parametrize("method", RANKED)
def test_latent_correlations_are_recovered_where_pearson_fails(method):
    rng = np.random.default_rng(1)
    p, n = 15, 400
    factor = rng.standard_normal((p, p)) + 1.5
    latent = factor @ factor.T
    latent /= np.sqrt(np.outer(latent.diagonal(), latent.diagonal()))
    normal = rng.multivariate_normal(np.zeros(p), latent, size=n)
    steep = np.exp(2.5 * normal)
    off = ~np.eye(p, dtype=bool)
    error = {m: np.abs(raw(steep, m) - latent)[off].mean() for m in (method, "pearson")}
    error["oracle"] = np.abs(np.corrcoef(normal.T) - latent)[off].mean()
    # The skeptic's standard errors are 1 to 1.1 times those of the correlation of the Gaussians themselves.
    assert error[method] < 1.3 * error["oracle"]
    assert error["pearson"] > 5 * error["oracle"]


def test_kendall_recovers_the_latent_correlation_of_genes_cut_at_their_median():
    # tau-b of two such genes is 2 asin(r) / pi, that of the whole genes: the sine undoes it. tau-a would be half.
    rng = np.random.default_rng(0)
    n = 4000
    normal = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=n)
    cut = (normal > np.median(normal, axis=0)).astype(float)
    # Four standard errors: that of tau-b is below 1 / sqrt(n), and the slope of the sine is at most pi / 2.
    assert raw(cut, "kendall")[0, 1] == pytest.approx(0.6, abs=4 * np.pi / 2 / np.sqrt(n))


def bad(place, value):
    data = gaussian(10, 4)
    data[place] = value
    return data


@pytest.mark.parametrize(
    ("data", "more", "message"),
    [
        (bad((3, 2), np.nan), {}, "1 values are NaN or infinite, the first in row 3, column 2, counted from 0"),
        (bad((3, 2), np.inf), {"rows": [1, 3, 5, 6]}, "row 3, column 2"),
        (sparse.csr_matrix(bad((3, 2), np.nan)), {"names": list("abcd")}, r"row 3, column 2 \(gene c\)"),
        (pd.DataFrame(bad((3, 2), np.nan), columns=list("wxyz")), {}, "gene y"),
        (bad((slice(None), 1), 4.2), {}, "gene in column 1 .* is the same in every sample: leave it out"),
        (bad((slice(None), slice(1, 3)), 0.0), {"names": list("abcd")}, "gene b is the same .*, and 1 more"),
        (bad((slice(2, None), 1), 0.1 + 0.2), {"rows": range(2, 10)}, "column 1"),
        (gaussian(2, 4), {}, "2 samples: a correlation needs at least 3"),
        (gaussian(9, 4), {"rows": [0, 1]}, "2 samples"),
        (gaussian(9, 4), {"rows": []}, "0 samples"),
        (gaussian(9, 1), {}, "1 gene: a correlation needs at least 2"),
        (gaussian(9, 4)[0], {}, r"shape \(4,\): give samples x genes"),
        (gaussian(9, 4).astype(str), {}, "no real numbers"),
        (gaussian(9, 4), {"names": ["a"]}, "1 names for 4 genes"),
        (gaussian(9, 4), {"rows": [0, 1, 9]}, "rows: give whole numbers from 0 to 8"),
        (gaussian(9, 4), {"rows": [0, 1, -1]}, "rows"),
        (gaussian(9, 4), {"rows": [0.0, 1.0, 2.0]}, "rows"),
        (gaussian(9, 4), {"rows": [True, False, True]}, "rows"),
        (gaussian(9, 4), {"method": "mutual"}, "method: 'mutual' is unknown: choose one of pearson"),
        (gaussian(9, 4), {"shrinkage": 1.0}, r"shrinkage: 1.0 is not in \[0, 1\)"),
        (gaussian(9, 4), {"shrinkage": -0.1}, "shrinkage"),
        (gaussian(9, 4), {"shrinkage": np.nan}, "shrinkage"),
        (gaussian(9, 4), {"shrinkage": True}, "shrinkage"),
        (gaussian(9, 4), {"shrinkage": "oas"}, "shrinkage: 'oas' is unknown"),
        (gaussian(9, 4), {"shrinkage": "ledoit_wolf", "method": "kendall"}, "no formula for kendall"),
        (gaussian(9, 4), {"threads": 0}, "threads"),
        (gaussian(9, 4), {"covariates": np.zeros((8, 1))}, r"covariates: shape \(8, 1\): .* 9 samples"),
        (gaussian(9, 4), {"covariates": np.full((9, 1), np.nan)}, "covariates"),
        (gaussian(9, 4), {"covariates": np.array(["a"] * 9)}, "covariates: no real numbers"),
        (gaussian(9, 4), {"covariates": gaussian(9, 7)}, "7 degrees of freedom of 9 samples"),
        (gaussian(9, 4), {"covariates": gaussian(9, 4)[:, 2]}, "they explain gene in column 2"),
    ],
)  # fmt: skip
def test_bad_input_is_named(data, more, message):
    with pytest.raises(InputError, match=message) as caught:
        correlation_matrix(data, **more)
    assert "\n" not in str(caught.value)
