"""The choice of a penalty: held-out errors against explicit refits, criteria against their formulas, path ends."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import lars_path

import netinfer as ni
from netinfer.errors import InputError
from netinfer.models.penalty import choose
from netinfer.models.penalty.choose import _folds


def sparse_problem(n=80, p=20, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, 4)) @ rng.standard_normal((4, p)) + rng.standard_normal((n, p)) * 2 + 5
    return X, X[:, :3] @ [1.0, -1.0, 0.5] + noise * rng.standard_normal(n) - 7


def test_held_out_errors_are_those_of_explicit_refits():
    X, y = sparse_problem()
    choice = ni.choose_penalty(X, y, n_folds=5, seed=3)
    penalties = choice.table["penalty"].to_numpy()
    errors, sizes = [], []
    for rows in _folds(np.arange(len(y)), 5, 3):
        train = np.setdiff1d(np.arange(len(y)), rows)
        mean, sd = X[train].mean(0), X[train].std(0)
        y_mean, y_sd = y[train].mean(), y[train].std()
        alphas, _, coefs = lars_path((X[train] - mean) / sd, (y[train] - y_mean) / y_sd, method="lasso")
        b = np.array([np.interp(penalties, alphas[::-1], c[::-1]) for c in coefs])
        predicted = y_mean + y_sd * ((X[rows] - mean) / sd) @ b
        errors.append(((y[rows][:, None] - predicted) ** 2).mean(0) / y.var())
        sizes.append(len(rows))
    expected = np.average(errors, axis=0, weights=sizes)
    # LARS is exact, too; interpolation between its knots and the subtraction of moments leave rounding.
    np.testing.assert_allclose(choice.table["cv_error"], expected, rtol=1e-8)
    spread = np.sqrt(np.average((errors - expected) ** 2, axis=0, weights=sizes) / 4)
    np.testing.assert_allclose(choice.table["cv_se"], spread, rtol=1e-6)
    assert choice.penalty == penalties[expected.argmin()]


def test_one_standard_error_is_the_largest_penalty_within_it():
    X, y = sparse_problem()
    least, simpler = ni.choose_penalty(X, y), ni.choose_penalty(X, y, criterion="cv_1se")
    table = simpler.table
    k = int((table["penalty"] == simpler.penalty).to_numpy().argmax())
    best = int(table["cv_error"].to_numpy().argmin())
    bound = table["cv_error"][best] + table["cv_se"][best]
    assert simpler.penalty > least.penalty
    assert table["cv_error"][k] <= bound < table["cv_error"][k - 1]


@pytest.mark.parametrize("criterion", ["aic", "bic", "ebic"])
@pytest.mark.parametrize("shrinkage", [0.0, 0.4])
def test_criteria_follow_their_formulas(criterion, shrinkage):
    X, y = sparse_problem()
    n, p = X.shape
    choice = ni.choose_penalty(X, y, criterion=criterion, shrinkage=shrinkage)
    Z, z = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()
    gram = Z.T @ Z / n
    shrunk = (1 - shrinkage) * gram + shrinkage * np.eye(p)
    for row in choice.table.iloc[[0, 5, -1]].itertuples():
        b = ni.solvers.lasso_path(shrunk, Z.T @ z / n, [row.penalty], target_variance=1 / (1 - shrinkage)).coef[0]
        A = b != 0
        df = np.trace(np.linalg.solve(shrunk[np.ix_(A, A)], gram[np.ix_(A, A)]))
        fit = Z @ b
        if shrinkage and A.any():
            fit *= (fit @ z) / (fit @ fit)
        factor = {"aic": 2.0, "bic": np.log(n), "ebic": np.log(n) + np.log(p)}[criterion]
        expected = n * np.log(((z - fit) ** 2).mean()) + factor * df
        assert getattr(row, criterion) == pytest.approx(expected, abs=1e-7)
        assert row.degrees_of_freedom == pytest.approx(df, abs=1e-9)
    assert choice.penalty == choice.table["penalty"][choice.table[criterion].argmin()]


def test_the_path_goes_on_until_the_criterion_rises():
    X, y = sparse_problem(n=200, noise=0.05)
    choice = ni.choose_penalty(X, y)
    # With so little noise the best penalty lies below the tenth of the largest one where the grid ends at first.
    assert choice.penalty < 0.1 * choice.table["penalty"][0]
    assert choice.is_bracketed
    assert choice.note == ""
    assert choice.table["cv_error"].iloc[-1] > choice.table["cv_error"].min()


def test_a_criterion_that_never_rises_says_so():
    X, _ = sparse_problem()
    y = X @ np.ones(X.shape[1])
    with pytest.warns(UserWarning, match="still falls at penalty"):
        choice = ni.choose_penalty(X, y)
    assert not choice.is_bracketed
    assert choice.penalty == choice.table["penalty"].iloc[-1]
    assert "least squares" in choice.note


def test_no_signal_chooses_the_empty_model():
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((100, 10)), rng.standard_normal(100)
    for criterion in ("bic", "ebic", "cv_1se"):
        choice = ni.choose_penalty(X, y, criterion=criterion)
        assert not choice.coef.any()
        assert choice.is_bracketed
    assert choice.table["n_selected"][0] == 0


def test_the_full_model_of_few_samples_is_not_reached():
    rng = np.random.default_rng(2)
    X, y = rng.standard_normal((30, 200)), rng.standard_normal(30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # AIC of noise with p > n falls to the end, and says so
        table = ni.choose_penalty(X, y, criterion="aic").table
    assert table["degrees_of_freedom"].max() <= 15
    assert np.isfinite(table["aic"]).all()


def test_units_are_held_out_whole():
    X, y = sparse_problem(n=90)
    units = np.repeat(np.arange(30), 3)
    folds = _folds(units, 10, 0)
    assert sorted(np.concatenate(folds)) == list(range(90))
    for rows in folds:
        assert len(rows) == 3 * len(set(units[rows]))
    by_unit = ni.choose_penalty(X, y, block=units)
    assert not by_unit.table["cv_error"].equals(ni.choose_penalty(X, y).table["cv_error"])


@pytest.mark.parametrize("criterion", ["cv", "ebic"])
@pytest.mark.parametrize("shrinkage", [0.0, 0.4])
@pytest.mark.parametrize("n_regulators", [20, 200])
def test_samples_and_moments_give_the_same_choice(criterion, shrinkage, n_regulators, monkeypatch):
    X, y = sparse_problem(n=60, p=n_regulators)
    X[:, 4] = 3.0
    weights = np.ones(n_regulators)
    weights[:3] = [0.0, np.inf, 2.0]
    arguments = {"criterion": criterion, "shrinkage": shrinkage, "penalty_weights": weights}
    by_moments = ni.choose_penalty(X, y, **arguments)
    monkeypatch.setattr(choose, "is_wide", lambda *_: True)
    by_samples = ni.choose_penalty(X, y, **arguments)
    # Two solvers, each certified to 1e-9 of the variance or better.
    assert by_samples.penalty == pytest.approx(by_moments.penalty, rel=1e-9)
    np.testing.assert_allclose(by_samples.coef, by_moments.coef, atol=1e-5)
    column = "cv_error" if criterion == "cv" else "ebic"
    np.testing.assert_allclose(by_samples.table[column], by_moments.table[column], rtol=1e-4)


def test_far_more_regulators_than_samples():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 3000))
    y = X[:, :3] @ [2.0, -2.0, 2.0] + 0.5 * rng.standard_normal(60)
    choice = ni.choose_penalty(X, y, criterion="ebic")
    assert set(np.flatnonzero(choice.coef)) >= {0, 1, 2}
    assert (choice.coef != 0).sum() <= 6
    assert (choice.table["duality_gap"] <= 1e-8).all()


def test_free_and_forbidden_regulators():
    X, y = sparse_problem()
    weights = np.ones(20)
    weights[0], weights[1] = 0.0, np.inf
    choice = ni.choose_penalty(X, y, penalty_weights=weights, criterion="cv_1se")
    assert choice.coef[0] != 0
    assert choice.coef[1] == 0
    assert choice.table["n_selected"][0] == 1


def test_a_constant_regulator_is_never_selected():
    X, y = sparse_problem()
    X[:, 4] = 3.0
    assert ni.choose_penalty(X, y).coef[4] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": np.zeros(79)}, "samples x regulators"),
        ({"target": np.ones(80)}, "constant"),
        ({"criterion": "mdl"}, "none of cv"),
        ({"n_folds": 81}, "81 folds of 80"),
        ({"n_folds": 1}, "give 2 to 80"),
        ({"shrinkage": 1.0}, "0 <= s < 1"),
        ({"ebic_gamma": 2}, "between 0 and 1"),
        ({"block": [1, 2]}, "give one a sample"),
        ({"penalty_weights": [-1.0] * 20}, "number >= 0"),
        ({"penalty_weights": [np.inf] * 20}, "nothing to choose"),
        ({"seed": -1}, "whole number"),
        ({"seed": True}, "seed: True is no whole number"),
        ({"n_folds": 5.0}, "n_folds: 5.0 is no whole number"),
        ({"shrinkage": None}, "shrinkage: None is not a number"),
        ({"ebic_gamma": "a"}, "ebic_gamma: 'a' is not a number"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    X, y = sparse_problem()
    arguments = {"regulators": X, "target": y, **change}
    with pytest.raises(InputError, match=message):
        ni.choose_penalty(arguments.pop("regulators"), arguments.pop("target"), **arguments)


def test_a_value_that_is_not_finite_is_named():
    X, y = sparse_problem()
    X[7, 2] = np.nan
    with pytest.raises(InputError, match="regulators: value at 7, 2"):
        ni.choose_penalty(X, y)


def test_the_plot_marks_the_choice():
    X, y = sparse_problem()
    choice = ni.choose_penalty(X, y)
    ax = choice.plot()
    (marked,) = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert marked.get_xdata()[0] == choice.penalty
    assert str(int((choice.coef != 0).sum())) in ax.get_title(loc="left")


@pytest.mark.parametrize("criterion", ["aic", "bic", "ebic"])
def test_more_unpenalised_regulators_than_half_of_the_samples_are_refused(criterion):
    X, y = sparse_problem(n=30)
    weights = np.where(np.arange(20) < 16, 0.0, 1.0)
    with pytest.raises(InputError, match="unpenalised regulators alone have 16 degrees"):
        ni.choose_penalty(X, y, criterion=criterion, penalty_weights=weights)


def test_information_criteria_are_smallest_along_the_whole_path():
    """They rise and fall again wherever a regulator enters: the first rise says nothing."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((200, 50))
        y = X @ (rng.standard_normal(50) * (rng.random(50) < 0.3)) + 2 * rng.standard_normal(200)
        choice = ni.choose_penalty(X, y, criterion="aic")
        Z, z = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()
        penalties, _, coefs = lars_path(Z, z, method="lasso")
        # At a breakpoint the regulator that enters is still out: there lies the minimum of each stretch.
        at = np.array([200 * np.log(((z - Z @ b) ** 2).mean()) + 2 * (b != 0).sum() for b in coefs.T])
        at = at[penalties > choice.table["penalty"].iloc[-1]]
        # A step of the grid (a fortieth of the penalty) above the breakpoint costs less than one regulator, 2.
        assert choice.table["aic"].min() <= at.min() + 1.0, seed
        assert choice.is_bracketed


@pytest.mark.parametrize("criterion", ["cv", "bic"])
@pytest.mark.parametrize("p", [20, 1200])
def test_units_of_the_data_change_nothing(criterion, p):
    X, y = sparse_problem(p=p)
    one = ni.choose_penalty(X, y, criterion=criterion, n_folds=3)
    for unit in (1e-8, 1e8):
        other = ni.choose_penalty(unit * X, y / unit, criterion=criterion, n_folds=np.int64(3), seed=np.int64(0))
        assert other.penalty == pytest.approx(one.penalty, rel=1e-9)
        np.testing.assert_allclose(other.coef, one.coef, atol=1e-7)


def test_an_outlier_costs_the_other_folds_no_digits():
    """Where one fold holds nearly all of a variance, what is left by subtraction would be rounding."""
    X, y = sparse_problem()
    X[7, 2] += 1e7 * X[:, 2].std()
    table = ni.choose_penalty(X, y, n_folds=5).table
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "is_wide", lambda *_: True)
        by_samples = ni.choose_penalty(X, y, n_folds=5).table
    n = min(len(table), len(by_samples))
    np.testing.assert_allclose(table["cv_error"][:n], by_samples["cv_error"][:n], rtol=1e-6)


def test_rows_with_ids_are_matched_by_them():
    X, y = sparse_problem()
    ids = [f"s{k}" for k in range(80)]
    X, y = pd.DataFrame(X, index=ids), pd.Series(y, index=ids)
    one, two = ni.choose_penalty(X, y), ni.choose_penalty(X, y.sample(frac=1, random_state=0))
    assert one.penalty == two.penalty
    np.testing.assert_array_equal(one.coef, two.coef)
    with pytest.raises(InputError, match="target: no row has the id 's3' of regulators"):
        ni.choose_penalty(X, y.rename({"s3": "t3"}))
    with pytest.raises(InputError, match="in another order"):
        ni.choose_penalty(X.reset_index(drop=True), y.reset_index(drop=True).sample(frac=1, random_state=0))
