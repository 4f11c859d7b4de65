"""Logistic paths: the optimum (against other solvers and by certificate), what symmetry demands, what is refused."""

from __future__ import annotations

import shutil
import subprocess
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinfer.errors import ConvergenceWarning, InputError
from netinfer.solvers import LogisticLoss, fista, logistic_path


def problem(n=60, p=25, seed=0, kind="gaussian"):
    """Three predictors move the log odds; no class is rare and no fit below separates."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) + 0.7 * rng.standard_normal((n, 1))
    if kind == "integer":
        x = np.round(2.0 * x)
    elif kind == "duplicates":
        x[:, p // 2 :] = x[:, : p - p // 2]
    elif kind == "near-singular":
        x[:, p // 2 :] = x[:, : p - p // 2] + 1e-7 * rng.standard_normal((n, p - p // 2))
    log_odds = x[:, 0] - x[:, 1] + x[:, 2]
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(-1.5 * log_odds / log_odds.std()))).astype(int)
    return x, y


def grid(x, y, n_penalties=6, smallest=0.05, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        largest = logistic_path(x, y, [1e6], **options).largest_penalty
    return np.geomspace(0.95 * largest, smallest * largest, n_penalties)


def objective(x, y, intercept, coef, penalty, *, weights=None, ridge=0.0, sample_weight=None):
    share = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
    loss = np.logaddexp(0.0, -(2 * np.asarray(y) - 1) * (intercept + x @ coef)) @ share / share.sum()
    used = coef != 0
    weights = np.ones(len(coef)) if weights is None else weights
    return loss + penalty * weights[used] @ np.abs(coef[used]) + 0.5 * np.sum(ridge * coef**2)


KINDS = ["gaussian", "integer", "duplicates", "near-singular"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(80, 20), (40, 150)])
def test_every_point_is_certified_and_agrees_with_proximal_gradient(kind, size):
    x, y = problem(*size, kind=kind)
    penalties = grid(x, y, smallest=0.1)
    path = logistic_path(x, y, penalties, tol=1e-9)
    assert path.converged.all()
    assert (path.duality_gap >= 0).all()
    assert path.duality_gap.max() <= 1e-9
    # Where few coefficients are in, the gap is quadratic in the violation: sqrt(1e-9) of the penalty.
    assert (path.kkt_violation <= 3.2e-5 * penalties).all()
    for k, penalty in enumerate(penalties):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # nearly equal predictors take it a million steps
            other = fista(LogisticLoss(x, y), penalty, tol=1e-9, max_iterations=20_000)
        ours = objective(x, y, path.intercept[k], path.coef[k], penalty)
        # Within 1e-8 of each other; where the other one is not there yet, between its value and its lower bound.
        room = max(1e-8, other.duality_gap) * path.null_deviance / (2 * len(y))
        assert -room <= ours - other.objective <= 1e-8 * other.objective


@pytest.mark.parametrize("l1_share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("ridge", [0.0, 0.05])
def test_groups_weights_ridge_and_sample_weights_agree_with_proximal_gradient(l1_share, ridge):
    x, y = problem(70, 30, seed=3)
    rng = np.random.default_rng(1)
    groups = rng.permutation(np.arange(30) % 8)
    weights = rng.uniform(0.5, 2.0, 30)
    weights[5] = np.inf
    share = rng.uniform(0.0, 2.0, 70)
    share[:4] = 0.0
    options = {"groups": groups, "l1_share": l1_share, "penalty_weights": weights, "sample_weight": share}
    penalties = grid(x, y, 4, 0.1, ridge=ridge, **options)
    path = logistic_path(x, y, penalties, ridge=ridge, tol=1e-10, **options)
    assert path.converged.all()
    assert (path.coef[:, 5] == 0).all()
    loss = LogisticLoss(x, y, ridge=ridge, sample_weight=share)
    for k, penalty in enumerate(penalties):
        other = fista(loss, penalty, groups=groups, l1_share=l1_share, penalty_weights=weights, tol=1e-10)
        used = path.coef[k] != 0
        norms = [np.linalg.norm(path.coef[k][groups == g]) * np.sqrt((groups == g).sum()) for g in range(8)]
        ours = objective(x, y, path.intercept[k], path.coef[k], 0.0, ridge=ridge, sample_weight=share)
        ours += penalty * (l1_share * weights[used] @ np.abs(path.coef[k][used]) + (1 - l1_share) * sum(norms))
        assert abs(ours - other.objective) <= 1e-8 * other.objective
    assert not (path.coef[-1] == 0).all()


def test_a_group_enters_whole():
    x, y = problem(90, 24, seed=2)
    groups = [[3 * g, 3 * g + 1, 3 * g + 2] for g in range(8)]
    path = logistic_path(x, y, grid(x, y, groups=groups, smallest=0.2), groups=groups)
    sizes = (path.coef.reshape(len(path.coef), 8, 3) != 0).sum(axis=2)
    assert set(np.unique(sizes)) == {0, 3}


@pytest.mark.parametrize("size", [(80, 15), (40, 120)])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.6])
def test_agrees_with_scikit_learn(size, l1_ratio):
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = problem(*size, seed=5)
    for penalty in grid(x, y, 3, 0.1):
        ridge = penalty * (1 - l1_ratio) / l1_ratio
        model = linear_model.LogisticRegression(
            l1_ratio=l1_ratio, C=l1_ratio / (len(y) * penalty), solver="saga", tol=1e-10, max_iter=100_000
        ).fit(x, y)
        theirs = objective(x, y, model.intercept_[0], model.coef_[0], penalty, ridge=ridge)
        path = logistic_path(x, y, penalty, ridge=ridge, tol=1e-10)
        ours = objective(x, y, path.intercept[0], path.coef[0], penalty, ridge=ridge)
        assert abs(ours - theirs) <= 1e-8 * theirs


def test_agrees_with_skglm():
    skglm = pytest.importorskip("skglm")
    x, y = problem(50, 80, seed=6)
    penalties = grid(x, y, 4, 0.1)
    path = logistic_path(x, y, penalties, tol=1e-10)
    for k, penalty in enumerate(penalties):
        model = skglm.SparseLogisticRegression(alpha=penalty, tol=1e-10, max_iter=200).fit(np.asfortranarray(x), y)
        theirs = objective(x, y, float(np.ravel(model.intercept_)[0]), model.coef_.ravel(), penalty)
        ours = objective(x, y, path.intercept[k], path.coef[k], penalty)
        assert abs(ours - theirs) <= 1e-8 * theirs


R_CODE = """
suppressMessages(library(glmnet))
d <- as.matrix(read.csv(commandArgs(TRUE)[1], header = FALSE)); y <- d[, 1]; x <- d[, -1]
lam <- as.numeric(strsplit(commandArgs(TRUE)[2], ",")[[1]])
fit <- glmnet(x, y, family = "binomial", lambda = lam, standardize = FALSE, thresh = 1e-14, maxit = 1e7)
write.table(format(rbind(fit$a0, as.matrix(fit$beta)), digits = 17), quote = FALSE, row.names = FALSE,
            col.names = FALSE)
"""


@pytest.mark.glmnet
def test_agrees_with_glmnet(tmp_path):
    if (
        shutil.which("Rscript") is None
        or subprocess.run(["Rscript", "-e", "library(glmnet)"], capture_output=True, check=False).returncode
    ):
        pytest.skip("R with glmnet is not here")
    x, y = problem(70, 100, seed=7)
    penalties = grid(x, y, 5, 0.1)
    np.savetxt(tmp_path / "d.csv", np.column_stack([y, x]), delimiter=",", fmt="%.17g")
    (tmp_path / "fit.R").write_text(R_CODE)
    listed = ",".join(f"{penalty:.17g}" for penalty in penalties)
    done = subprocess.run(
        ["Rscript", str(tmp_path / "fit.R"), str(tmp_path / "d.csv"), listed],
        capture_output=True,
        text=True,
        check=True,
    )
    fits = np.array([[float(value) for value in line.split()] for line in done.stdout.splitlines()]).T
    path = logistic_path(x, y, penalties, tol=1e-10)
    for k, penalty in enumerate(penalties):
        theirs = objective(x, y, fits[k, 0], fits[k, 1:], penalty)
        ours = objective(x, y, path.intercept[k], path.coef[k], penalty)
        assert abs(ours - theirs) <= 1e-8 * theirs


@pytest.mark.parametrize("groups", [None, np.arange(25) // 5])
def test_the_largest_penalty_gives_exact_zeros_and_the_log_odds_of_the_classes(groups):
    x, y = problem(seed=1)
    largest = logistic_path(x, y, [10.0], groups=groups).largest_penalty
    path = logistic_path(x, y, [2 * largest, largest, 0.999 * largest], groups=groups)
    assert (path.coef[:2] == 0).all()
    assert (path.coef[2] != 0).any()
    np.testing.assert_allclose(path.intercept[:2], np.log(y.sum() / (1 - y).sum()), rtol=1e-12)
    np.testing.assert_allclose(path.deviance[0], path.null_deviance, rtol=1e-12)
    if groups is None:  # the gradient of the mean loss at the intercept alone
        np.testing.assert_allclose(largest, np.abs(x.T @ (y - y.mean())).max() / len(y), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_problem_is_certified_or_says_not(data):
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n, p = data.draw(st.integers(6, 40)), data.draw(st.integers(1, 60))
    rank = data.draw(st.integers(1, min(n, p)))
    x = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, p))
    x += data.draw(st.sampled_from([0.0, 1e-9, 1e-3, 1.0])) * rng.standard_normal((n, p))
    x = x * 10.0 ** data.draw(st.integers(-6, 6)) + data.draw(st.sampled_from([0.0, 10.0]))
    y = np.arange(n) < data.draw(st.integers(1, n - 1))
    ridge = data.draw(st.sampled_from([0.0, 1e-3])) * float((x - x.mean(axis=0)).var(axis=0).max())
    weights = np.where(rng.random(p) < 0.2, np.inf, rng.uniform(0.5, 2.0, p))
    weights[0] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            largest = logistic_path(x, y, [1e12], ridge=ridge, penalty_weights=weights).largest_penalty
            penalties = largest * np.array([1.0, 0.5, 0.1, 0.02])
            path = logistic_path(x, y, penalties, ridge=ridge, penalty_weights=weights)
        except InputError as fault:
            # 10 with differences of 1e-9 is constant up to rounding.
            assert "constant" in str(fault)  # noqa: PT017
            return
    fitted = ~np.isnan(path.intercept)
    assert path.converged[fitted].all()
    assert (path.duality_gap >= 0).all()
    assert (np.diff(path.deviance[fitted]) <= 1e-7 * path.null_deviance).all()  # the penalty's value falls too
    assert fitted.all() or path.separated_at is not None


def test_permuting_negating_and_scaling_predictors():
    x, y = problem(50, 70, seed=8)
    penalties = grid(x, y, 5, 0.1)
    plain = logistic_path(x, y, penalties, tol=1e-11)
    rng = np.random.default_rng(0)
    order, sign, scale = rng.permutation(70), rng.choice([-1.0, 1.0], 70), rng.uniform(0.5, 3.0, 70)
    rows = rng.permutation(50)
    moved = logistic_path((x * sign)[rows][:, order], y[rows], penalties, tol=1e-11)
    np.testing.assert_allclose(moved.coef, (plain.coef * sign)[:, order], atol=1e-7)
    # Scaling a predictor by s is dividing its penalty by s.
    scaled = logistic_path(x * scale, y, penalties, penalty_weights=scale, tol=1e-11)
    np.testing.assert_allclose(scaled.coef * scale, plain.coef, atol=1e-7)
    shifted = logistic_path(x + 5.0, y, penalties, tol=1e-11)
    np.testing.assert_allclose(shifted.coef, plain.coef, atol=1e-7)
    np.testing.assert_allclose(shifted.intercept, plain.intercept - 5.0 * plain.coef.sum(axis=1), atol=1e-6)


def test_swapping_the_classes_flips_the_signs():
    x, y = problem(seed=4)
    penalties = grid(x, y)
    plain, swapped = logistic_path(x, y, penalties, tol=1e-11), logistic_path(x, 1 - y, penalties, tol=1e-11)
    np.testing.assert_allclose(swapped.coef, -plain.coef, atol=1e-8)
    np.testing.assert_allclose(swapped.intercept, -plain.intercept, atol=1e-8)
    np.testing.assert_allclose(swapped.odds_ratio, 1 / plain.odds_ratio, rtol=1e-7)
    named = logistic_path(x, np.where(y == 1, "ill", "control"), penalties, tol=1e-11)
    assert named.classes.tolist() == ["control", "ill"]
    np.testing.assert_array_equal(named.coef, plain.coef)
    chance = plain.predict_probability(x)
    np.testing.assert_allclose(chance.mean(axis=1), y.mean(), rtol=1e-9)  # what the intercept's optimum says


def test_sample_weights_are_repeated_samples():
    x, y = problem(40, 60, seed=9)
    times = np.random.default_rng(2).integers(0, 4, 40)
    penalties = grid(x, y, 4, 0.1, sample_weight=times)
    weighted = logistic_path(x, y, penalties, sample_weight=times, tol=1e-11)
    repeated = logistic_path(np.repeat(x, times, axis=0), np.repeat(y, times), penalties, tol=1e-11)
    np.testing.assert_allclose(weighted.coef, repeated.coef, atol=1e-7)
    np.testing.assert_allclose(weighted.deviance, repeated.deviance, rtol=1e-8)


def test_unpenalised_predictors_are_fitted_at_every_penalty():
    x, y = problem(80, 40, seed=10)
    weights = np.ones(40)
    weights[[0, 7]] = 0.0
    largest = logistic_path(x, y, [10.0], penalty_weights=weights).largest_penalty
    path = logistic_path(x, y, [largest, 0.2 * largest], penalty_weights=weights, tol=1e-10)
    assert path.converged.all()
    assert (path.coef[0, np.flatnonzero(weights)] == 0).all()
    assert (path.coef[:, [0, 7]] != 0).all()
    design = np.column_stack([np.ones(80), x[:, [0, 7]]])
    residual = y - path.predict_probability(x)
    # The score of what is not penalised is zero; 80 samples, gap 1e-10 of a loss below 0.7.
    assert np.abs(residual @ design).max() / 80 < 1e-8


def test_columns_in_either_order_of_memory_give_the_same():
    x, y = problem(60, 200, seed=11)
    penalties = grid(x, y, 8, 0.1)
    rows, columns = logistic_path(x, y, penalties), logistic_path(np.asfortranarray(x), y, penalties)
    np.testing.assert_allclose(rows.coef, columns.coef, atol=1e-8)
    strided = np.repeat(x, 2, axis=1)[:, ::2]
    np.testing.assert_array_equal(logistic_path(strided, y, penalties).coef, rows.coef)


def test_separable_classes_stop_the_path_and_say_where():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((30, 200))
    y = rng.integers(0, 2, 30)
    penalties = np.geomspace(0.2, 1e-6, 40)
    with pytest.warns(ConvergenceWarning, match=r"separates the classes at penalty .* smaller penalties are not fit"):
        path = logistic_path(x, y, penalties)
    n_fitted = int((path.penalties >= path.separated_at).sum())
    assert 0 < n_fitted < 40
    assert path.converged[:n_fitted].all()
    assert not path.converged[n_fitted:].any()
    assert np.isnan(path.coef[n_fitted:]).all()
    assert path.deviance[n_fitted - 1] <= 1e-3 * path.null_deviance < path.deviance[n_fitted - 2]


@pytest.mark.parametrize("n_ill", [5, 15])
def test_unpenalised_predictors_that_separate_leave_no_fit(n_ill):
    """A batch of patients alone separates them (all of them, or some): the likelihood has no maximum."""
    rng = np.random.default_rng(0)
    y = np.arange(30) < 15
    batch = (np.arange(30) < n_ill).astype(float)
    x = np.column_stack([batch, rng.standard_normal((30, 3))])
    weights = np.array([0.0, 1.0, 1.0, 1.0])
    with pytest.warns(ConvergenceWarning, match="no finite fit"):
        path = logistic_path(x, y, [0.1, 0.01], penalty_weights=weights)
    assert np.isinf(path.separated_at)
    assert not path.converged.any()
    ridge = np.array([0.01, 0.0, 0.0, 0.0])
    assert logistic_path(x, y, [0.1, 0.01], penalty_weights=weights, ridge=ridge).converged.all()


def refused(match, x=None, y=None, penalties=(0.1,), **options):
    good_x, good_y = problem(20, 4)
    with pytest.raises(InputError, match=match):
        logistic_path(good_x if x is None else x, good_y if y is None else y, penalties, **options)


def test_what_cannot_be_fitted_is_refused_by_name():
    x, y = problem(20, 4)
    hole = x.copy()
    hole[3, 2] = np.nan
    flat = x.copy()
    flat[:, 1] = 7.0
    refused("nan in row 3, column 2", x=hole)
    refused("column 1 is constant", x=flat)
    assert logistic_path(flat, y, [0.1], penalty_weights=[1, np.inf, 1, 1]).converged.all()
    refused("shape", x=x[:, 0])
    refused("one class only", y=np.ones(20))
    refused("one class only", sample_weight=y)
    refused("3 classes", y=np.arange(20) % 3)
    refused("row 4", y=np.where(np.arange(20) == 4, np.nan, y))
    refused("missing", y=np.array([None, *y[1:]], dtype=object))
    refused("does not fit 20 samples", y=y[:19])
    refused("positive", penalties=[0.1, 0.0])
    refused("decreasing", penalties=[0.1, 0.2])
    refused("every predictor is forbidden", penalty_weights=np.full(4, np.inf))
    refused("penalty_weights", penalty_weights=[-1.0, 1.0, 1.0, 1.0])
    refused("ridge", ridge=-0.1)
    refused("sample_weight", sample_weight=np.zeros(20))
    refused("overlap", groups=[[0, 1], [1, 2, 3]])
    refused("empty", groups=[[0, 1, 2, 3], []])
    refused("groups: none given", l1_share=0.5)
    refused("l1_share", groups=[0, 0, 1, 1], l1_share=1.5)
    refused("group_weights", groups=[0, 0, 1, 1], group_weights=[1.0, -1.0])
    refused("differs within group 0", groups=[0, 0, 1, 1], ridge=np.array([0.1, 0.2, 0.0, 0.0]))
    refused("tol", tol=0.0)
    refused("tol: a", tol="a")
    refused("x: not an array of numbers", x=[["a"] * 4] * 20)
    refused("penalties: not an array of numbers", penalties=["a"])
    refused("sample_weight: not an array of numbers", sample_weight=["a"] * 20)
    refused("ridge: not an array of numbers", ridge="a")
    refused("penalty_weights: not an array of numbers", penalty_weights=["a"] * 4)
    refused("l1_share: a", groups=[0, 0, 1, 1], l1_share="a")
    refused("several kinds", y=np.array([1, "a"] * 10, dtype=object))
    refused("differs within group b", groups=list("aabb"), ridge=np.array([0.1, 0.1, 0.0, 0.2]))


def test_what_does_not_converge_is_a_warning_with_numbers():
    x, y = problem(40, 20)
    with pytest.warns(ConvergenceWarning, match=r"relative duality gap \d.*is above tol 1.0e-30"):
        path = logistic_path(x, y, grid(x, y, 10), tol=1e-30)
    assert path.duality_gap.max() < 1e-12  # as far as rounding lets it
    assert not path.converged.all()


@pytest.mark.parametrize("l1_share", [0.0, 0.5, 1.0])
def test_groups_of_weight_zero_leave_the_l1_term(l1_share):
    x, y = problem(60, 6)
    groups = np.arange(6) // 2
    path = logistic_path(x, y, [0.05, 0.02], groups=groups, l1_share=l1_share, group_weights=np.zeros(3))
    assert path.converged.all()
    plain = logistic_path(x, y, [0.05, 0.02], penalty_weights=np.full(6, l1_share))
    # Both are certified to 1e-8 of the null loss.
    np.testing.assert_allclose(path.coef, plain.coef, atol=1e-3)


def test_weights_by_the_names_of_groups():
    x, y = problem(60, 6)
    named = logistic_path(x, y, [0.05], groups=list("bbaacc"), group_weights={"a": 1.0, "b": 2.0, "c": 0.5})
    numbered = logistic_path(x, y, [0.05], groups=[1, 1, 0, 0, 2, 2], group_weights=[1.0, 2.0, 0.5])
    np.testing.assert_array_equal(named.coef, numbered.coef)


def test_a_fit_that_separates_at_the_last_penalty_says_so():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((30, 200)), rng.integers(0, 2, 30)
    penalties = np.geomspace(0.2, 1e-6, 40)
    with pytest.warns(ConvergenceWarning, match="smaller penalties"):
        longer = logistic_path(x, y, penalties)
    for shorter, at in ((penalties[penalties >= longer.separated_at], longer.separated_at), ([1e-5], 1e-5)):
        with pytest.warns(ConvergenceWarning, match=r"separates the classes at penalty .* is left\): use larger"):
            path = logistic_path(x, y, shorter)
        assert path.separated_at == at
        assert path.converged.all()


def test_rows_with_ids_are_matched_by_them():
    x, y = problem(30, 4)
    ids = [f"s{k}" for k in range(30)]
    x, y = pd.DataFrame(x, index=ids), pd.Series(y, index=ids)
    weight = pd.Series(np.linspace(1, 2, 30), index=ids)
    one = logistic_path(x, y, [0.05], sample_weight=weight)
    two = logistic_path(x, y[::-1], [0.05], sample_weight=weight.sample(frac=1, random_state=0))
    np.testing.assert_array_equal(one.coef, two.coef)
    with pytest.raises(InputError, match="y: no row has the id 's0'"):
        logistic_path(x, y.rename({"s0": "t0"}), [0.05])
