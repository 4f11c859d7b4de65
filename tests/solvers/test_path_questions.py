"""What a path answers: coefficients and evidence at any penalty, entries, exits, and a drawing."""

import numpy as np
import pytest

import netinfer as ni
from netinfer.errors import InputError


@pytest.fixture(scope="module")
def moments():
    rng = np.random.default_rng(1)  # regulators leave the path on these data, one of them for good
    X = rng.standard_normal((40, 3)) @ rng.standard_normal((3, 25)) + 0.5 * rng.standard_normal((40, 25))
    y = X[:, :5] @ rng.standard_normal(5) + rng.standard_normal(40)
    X, y = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()
    return X.T @ X / 40, X.T @ y / 40


PENALTIES = np.geomspace(0.9, 0.01, 12)
MAKERS = {
    "lasso": lambda g, q, penalties: ni.solvers.lasso_path(g, q, penalties),
    "elastic net": lambda g, q, penalties: ni.solvers.elastic_net_path(g, q, penalties, shrinkage=0.4),
    "elastic net by homotopy": lambda g, q, penalties: ni.solvers.elastic_net_path(
        g, q, penalties, shrinkage=0.4, method="homotopy"
    ),
    "elastic net by descent": lambda g, q, penalties: ni.solvers.elastic_net_path(
        g, q, penalties, shrinkage=0.4, method="coordinate_descent"
    ),
    "adaptive": lambda g, q, penalties: ni.solvers.adaptive_lasso_path(g, q, penalties),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_at_is_the_solution_and_no_interpolation(moments, kind):
    path = MAKERS[kind](*moments, PENALTIES)
    # Descent stops at a gap of 1e-13, the others end at rounding.
    tolerance = 1e-5 if "descent" in kind else 1e-11
    between = np.sqrt(PENALTIES[:-1] * PENALTIES[1:])
    alone = MAKERS[kind](*moments, between)
    for k, penalty in enumerate(between):
        np.testing.assert_allclose(path.at(penalty), alone.coef[k], atol=tolerance)
        evidence = path.certificate(penalty)
        assert 0 <= evidence.duality_gap <= 1e-9
        assert evidence.kkt_violation <= 1e-6
    middle = 0.5 * (path.coef[:-1] + path.coef[1:])
    assert max(np.abs(path.at(p) - m).max() for p, m in zip(between, middle, strict=True)) > 1e-3
    np.testing.assert_array_equal(path.at(PENALTIES[4]), path.coef[4])
    assert path.certificate(PENALTIES[4]).duality_gap == path.duality_gap[4]


@pytest.mark.parametrize("kind", MAKERS)
def test_at_and_above_the_largest_penalty_nothing_is_left(moments, kind):
    path = MAKERS[kind](*moments, PENALTIES * 0.5)
    assert (path.at(path.largest_penalty) == 0).all()
    assert (path.at(path.largest_penalty * 10) == 0).all()
    assert path.certificate(path.largest_penalty * 10).kkt_violation == 0
    if "descent" not in kind:  # which may stop at zero: the gap there is below its tolerance
        assert (path.at(path.largest_penalty * (1 - 1e-6)) != 0).sum() == 1


def test_below_the_path_it_says_what_to_do(moments):
    path = ni.solvers.lasso_path(*moments, PENALTIES)
    with pytest.raises(InputError, match=r"penalty: 0\.005 lies below the path, which ends at 0\.01.*smaller"):
        path.at(0.005)
    for bad in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="not a positive number"):
            path.at(bad)


def test_a_path_without_its_problem_knows_only_its_own_penalties(moments):
    import dataclasses

    path = dataclasses.replace(ni.solvers.lasso_path(*moments, PENALTIES), problem=None)
    np.testing.assert_array_equal(path.at(PENALTIES[2]), path.coef[2])
    with pytest.raises(InputError, match="knows only its own penalties"):
        path.at(0.2)


@pytest.mark.parametrize("kind", ["lasso", "elastic net", "elastic net by homotopy"])
def test_entries_and_exits_are_where_coefficients_start_and_end(moments, kind):
    path = MAKERS[kind](*moments, np.append(PENALTIES, 1e-3))
    fine = np.geomspace(1.0, 1e-3, 4000)
    active = MAKERS[kind](*moments, fine).coef != 0
    for j in range(25):
        seen = np.flatnonzero(active[:, j])
        if seen.size == 0:
            assert path.entered_at[j] == path.left_at[j] == 0
            continue
        # The grid brackets the exact penalty: the last zero before, the first non-zero after.
        assert fine[seen[0]] <= path.entered_at[j] <= fine[seen[0] - 1]
        if active[-1, j]:
            assert path.left_at[j] == 0
        else:
            assert fine[seen[-1] + 1] <= path.left_at[j] <= fine[seen[-1]]
    assert kind != "lasso" or (path.left_at > 0).any()
    order = path.entry_order
    assert set(order) == set(np.flatnonzero(path.entered_at))
    assert (np.diff(path.entered_at[order]) <= 0).all()
    assert order[0] == np.abs(moments[1]).argmax()


def test_the_unpenalised_come_first():
    weights = np.array([1.0, 0.0, 1.0, np.inf])
    path = ni.solvers.lasso_path(
        np.eye(4), np.array([0.2, 0.3, 0.4, 0.9]), [0.3, 0.1], target_variance=2.0, penalty_weights=weights
    )
    assert list(path.entry_order) == [1, 2, 0]
    assert path.largest_penalty == pytest.approx(0.4, abs=1e-15)
    np.testing.assert_allclose(path.at(5.0), [0, 0.3, 0, 0], atol=1e-15)


def test_the_path_keeps_a_reference_to_the_gram_and_no_copy(moments):
    gram = np.ascontiguousarray(moments[0])
    for path in (
        ni.solvers.lasso_path(gram, moments[1], PENALTIES),
        ni.solvers.elastic_net_path(gram, moments[1], PENALTIES, shrinkage=0.5),
    ):
        assert path.problem.gram is gram


def test_a_path_is_pickled_and_still_answers(moments):
    import pickle

    path = ni.solvers.elastic_net_path(*moments, PENALTIES, shrinkage=0.2)
    other = pickle.loads(pickle.dumps(path))
    np.testing.assert_array_equal(other.at(0.123), path.at(0.123))


def test_the_drawing_shows_the_first_and_the_strongest_by_name_and_the_exact_lines(moments):
    path = ni.solvers.lasso_path(*moments, PENALTIES)
    names = [f"tf{j}" for j in range(25)]
    ax = path.plot(names=names, n_labels=3)
    assert ax.get_xlim()[0] > ax.get_xlim()[1]  # the penalty falls to the right
    first = path.entry_order[:2].tolist()
    shown = first + [j for j in np.argsort(-np.abs(path.coef[-1])).tolist() if j not in first][:1]
    assert {text.get_text() for text in ax.texts[:3]} == {names[j] for j in shown}
    lines = {line.get_label(): line for line in ax.lines}
    for j in shown:
        x, y = lines[names[j]].get_data()
        for at in (5, 40):
            # Nothing is drawn before a regulator enters.
            np.testing.assert_allclose(
                np.nan_to_num(y[at]), ni.solvers.lasso_path(*moments, [x[at]]).coef[0, j], atol=1e-11
            )
    inner = path.breakpoints["penalty"]
    assert set(inner[(inner > PENALTIES[-1])]) <= set(x)
    with pytest.raises(InputError, match="names: 2 for 25"):
        path.plot(names=["a", "b"])
    assert "no regulator enters" in ni.solvers.lasso_path(*moments, [50.0]).plot().texts[0].get_text()
